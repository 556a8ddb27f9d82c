"""Errors as RFC 9457 ``application/problem+json``, each with a stable ``code``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


class ProblemDocument(BaseModel):
    """The body of every error."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    errors: list[dict[str, Any]] | None = None
    """What is wrong where, for requests that cannot be understood."""


class Problem(Exception):  # noqa: N818 - the term of RFC 9457
    """Raised by a handler to answer with an error."""

    def __init__(self, status: HTTPStatus, code: str, detail: str) -> None:
        self.status, self.code, self.detail = status, code, detail
        super().__init__(detail)


def answer(
    status: int, code: str, detail: str, errors: list[dict[str, Any]] | None = None, headers: Any = None
) -> JSONResponse:
    """The response that tells of a problem."""
    document = ProblemDocument(title=HTTPStatus(status).phrase, status=status, detail=detail, code=code, errors=errors)
    return JSONResponse(
        document.model_dump(exclude_none=True), status_code=status, media_type=MEDIA_TYPE, headers=headers
    )


def documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """For the ``responses`` of a route."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {
        int(s): {"model": ProblemDocument, "content": {MEDIA_TYPE: {"schema": schema}}, "description": s.phrase}
        for s in statuses
    }


def install(app: FastAPI) -> None:
    """Answer every error of the application as a problem."""

    @app.exception_handler(Problem)
    async def _problem(_request: Request, problem: Problem) -> JSONResponse:
        return answer(problem.status, problem.code, problem.detail)

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, problem: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(problem.status_code).phrase
        code = phrase.lower().replace(" ", "-")
        return answer(problem.status_code, code, f"{phrase}.", headers=problem.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, problem: RequestValidationError) -> JSONResponse:
        errors = [{"where": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in problem.errors()]
        return answer(422, "invalid-request", "The request cannot be understood; see errors.", errors)

    @app.exception_handler(Exception)
    async def _internal(_request: Request, problem: Exception) -> JSONResponse:
        return answer(500, "internal-error", f"An internal error ({type(problem).__name__}); please report it.")
