"""Errors as RFC 9457 ``application/problem+json``; every ``code`` is one line of :data:`CODES`, and does not change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route

from throttle_models import Finding

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 100
"""Told of one request."""

CODES: dict[str, tuple[int, str]] = {
    "malformed-request": (400, "The body is no JSON in UTF-8, says a key twice, or is no multipart form."),
    "too-deep": (400, "The body is nested deeper than `json_depth`."),
    "bad-cursor": (400, "The cursor is not one that this service gave."),
    "bad-header": (400, "A header cannot be understood; the detail names it."),
    "no-key": (401, "There is no key, or none that is known, live and unexpired."),
    "not-allowed": (403, "The key lacks the scope that the call needs."),
    "off": (403, "The setting that allows this is off."),
    "not-found": (404, "There is no such thing, or it is another tenant's."),
    "no-such-week": (404, "The week does not exist, or lies outside the plan."),
    "nothing-accepted": (404, "No plan was accepted yet."),
    "method-not-allowed": (405, "The address has other methods; `Allow` lists them."),
    "not-acceptable": (406, "`Accept` allows none of the formats that there are."),
    "in-flight": (409, "A request with the same `Idempotency-Key` is being answered."),
    "not-finished": (409, "The job has not finished, so that there is no result yet."),
    "no-solution": (409, "The job finished without a plan; `errors` says what stands in the way."),
    "running": (409, "The job is running, so that it cannot be deleted; cancel it first."),
    "no-portfolio": (409, "The plan does not carry the portfolio that this needs."),
    "not-a-plan": (409, "The job is of a kind whose result is no plan."),
    "conflict": (409, "What is there does not allow it; the detail says why."),
    "expired": (410, "The result was deleted when its time was over."),
    "changed": (412, "What is there has another ETag than `If-Match` says; get it again."),
    "too-large": (413, "The body has more bytes than are allowed."),
    "unsupported-media-type": (415, "The body is of another media type than the call takes."),
    "unknown-host": (421, "The service is not known by the name in `Host`."),
    "invalid-request": (422, "Parameters or body do not fit their description; `errors` says which and why."),
    "invalid-portfolio": (422, "The portfolio, team file or mapping is wrong; `errors` says all of it."),
    "unreadable-upload": (422, "The upload cannot be read as a ticket export; `errors` says why."),
    "key-reused": (422, "The `Idempotency-Key` was used for another request."),
    "address-not-allowed": (422, "The address of a webhook is no https address, or not on the public internet."),
    "needs-if-match": (428, "Replacing needs `If-Match` with the ETag of what is replaced."),
    "too-many-requests": (429, "More requests than the rate allows; `Retry-After` says when to come again."),
    "queue-full": (429, "As many jobs of this tenant wait as are allowed."),
    "too-many-streams": (429, "As many event streams are open as are allowed."),
    "internal-error": (500, "A defect of the service; please report it with the `X-Request-ID`."),
    "not-ready": (503, "The database does not answer, or the service is ending."),
    "busy": (
        503,
        "Too many explanations, reports or uploads are asked for at once; `Retry-After` says when to try again.",
    ),
    "took-too-long": (503, "What was asked for takes more time than is allowed."),
    "no-space": (507, "The disk of the service is full."),
}
"""Code to status and meaning; ``docs/service.md`` lists them."""


class ProblemDocument(BaseModel):
    """The body of every error."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    """Stable; see the table of problems."""
    errors: list[dict[str, Any]] | None = None
    """What is wrong where: ``message``, and as far as it is known ``where``, ``file``, ``row``, ``column``, ``ids``."""


class Problem(Exception):  # noqa: N818 - the term of RFC 9457
    """Raised by a handler to answer with an error of :data:`CODES`."""

    def __init__(
        self,
        code: str,
        detail: str,
        errors: Iterable[Mapping[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status, _ = CODES[code]
        self.code, self.detail = code, detail
        self.errors = None if errors is None else [dict(e) for e in errors][:MOST_ERRORS]
        self.headers = dict(headers) if headers else None
        super().__init__(detail)

    def response(self) -> JSONResponse:
        return answer(self.status, self.code, self.detail, self.errors, self.headers)


def of_findings(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as ``errors``: what is known of each."""
    kept = {"level", "code", "message", "ids", "file", "row", "column", "path", "count"}
    return [
        {
            k: v
            for k, v in f.model_dump(mode="json", include=kept).items()
            if v not in (None, []) and (k, v) != ("count", 1)
        }
        for f in findings
    ]


def answer(
    status: int, code: str, detail: str, errors: list[dict[str, Any]] | None = None, headers: Any = None
) -> JSONResponse:
    """The response that tells of a problem."""
    document = ProblemDocument(title=HTTPStatus(status).phrase, status=status, detail=detail, code=code, errors=errors)
    return JSONResponse(
        document.model_dump(exclude_none=True), status_code=status, media_type=MEDIA_TYPE, headers=headers
    )


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """For the ``responses`` of a route: the statuses of these codes, each with what they mean."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(CODES[code][0], []).append(code)
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        status: {
            "description": " ".join(f"`{code}`: {CODES[code][1]}" for code in several),
            "content": {
                MEDIA_TYPE: {
                    "schema": schema,
                    "example": {
                        "type": "about:blank",
                        "title": HTTPStatus(status).phrase,
                        "status": status,
                        "detail": CODES[several[0]][1],
                        "code": several[0],
                    },
                }
            },
        }
        for status, several in sorted(by_status.items())
    }


_OF_STATUS = {
    400: "malformed-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
}
"""What the framework raises itself."""


def _allowed(routes: Iterable[BaseRoute], path: str) -> list[str]:
    """All methods of an address, of whichever route; the framework tells those of one."""
    found = (r.methods or () for r in routes if isinstance(r, Route) and r.path_regex.match(path))
    return sorted({method for methods in found for method in methods})


def install(app: FastAPI, routes: Sequence[BaseRoute] = ()) -> None:
    """Answer every error of the application as a problem. ``routes``: those of its routers."""

    @app.exception_handler(Problem)
    async def _problem(_request: Request, problem: Problem) -> JSONResponse:
        return problem.response()

    @app.exception_handler(HTTPException)
    async def _http(request: Request, problem: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(problem.status_code).phrase
        code = _OF_STATUS.get(
            problem.status_code, "malformed-request" if problem.status_code < 500 else "internal-error"
        )
        headers = dict(problem.headers or {})
        if problem.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(_allowed([*app.routes, *routes], request.url.path))
        return answer(problem.status_code, code, f"{phrase}.", headers=headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, problem: RequestValidationError) -> JSONResponse:
        found = problem.errors()[:MOST_ERRORS]
        if any(e["type"] == "json_invalid" for e in found):
            return answer(400, "malformed-request", "The body is not sound JSON.")
        errors = [{"where": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in found]
        return answer(422, "invalid-request", "The request cannot be understood; see errors.", errors)

    @app.exception_handler(Exception)
    async def _internal(_request: Request, problem: Exception) -> JSONResponse:
        return answer(500, "internal-error", f"An internal error ({type(problem).__name__}); please report it.")
