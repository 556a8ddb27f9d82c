"""A plan over HTTP, read-only: the first piece of the service."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Header, Request, Response
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, RedirectResponse

from throttle import __version__
from throttle.files import load_plan, load_portfolio
from throttle_api.problems import Problem, documented, install
from throttle_api.week import WeekView, view_week
from throttle_models import Plan

LOCAL_NAMES = ("127.0.0.1", "localhost")
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The report has styles and pictures in itself, and no script."""

Week = Annotated[str, InPath(alias="iso_week", pattern=r"^[0-9]{4}-W[0-9]{2}$", examples=["2026-W48"])]
IfNoneMatch = Annotated[str | None, Header()]


def create_app(plan_file: Path, portfolio_file: Path | None = None, names: tuple[str, ...] = LOCAL_NAMES) -> FastAPI:
    """An application that serves one plan, as its file is now. Raises InputError where a file cannot be read.

    The portfolio is needed for the report where the plan does not carry it. Requests whose Host is not in ``names`` are
    refused, so that a web page elsewhere cannot read the plan through a name that it points to this computer.
    """
    app = FastAPI(title="Throttle", version=__version__, docs_url=None, redoc_url=None)
    install(app)
    plan = load_plan(plan_file)
    document = plan_file.read_bytes()
    made_from = load_portfolio(portfolio_file) if portfolio_file else plan.portfolio
    tag = f'"{hashlib.sha256(document).hexdigest()[:32]}"'

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.url.hostname not in names:
            return Problem("unknown-host", f"This server is {' or '.join(names)}.").response()
        response = await call_next(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        return response

    @lru_cache(maxsize=1)
    def page() -> str:
        from throttle.report import render_report

        if made_from is None:
            raise Problem(
                "no-portfolio",
                "The plan does not carry its portfolio, which the report needs; give it with --portfolio.",
            )
        return render_report(plan, made_from)

    @app.get("/", include_in_schema=False)
    def root() -> RedirectResponse:
        """To the report, which is what a person wants to see."""
        return RedirectResponse("/v1/plan/report", status_code=HTTPStatus.TEMPORARY_REDIRECT)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Whether the server answers."""
        return {"status": "ok", "version": __version__}

    @app.get("/v1/plan", response_class=Response, responses={200: {"model": Plan}, 304: {"description": "Unchanged"}})
    def get_plan(if_none_match: IfNoneMatch = None) -> Response:
        """The whole plan, as plan.json has it."""
        if if_none_match is not None and tag in (t.strip().removeprefix("W/") for t in if_none_match.split(",")):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})
        return Response(document, media_type="application/json", headers={"ETag": tag})

    @app.get("/v1/week/{iso_week}", responses=documented("no-such-week", "invalid-request"))
    def get_week(week: Week) -> WeekView:
        """Who does what on which day, what to let in, and what to hold."""
        if (view := view_week(plan, week)) is None:
            raise Problem("no-such-week", f"The plan has no week {week}.")
        return view

    @app.get("/v1/plan/report", response_class=HTMLResponse, responses=documented("no-portfolio"))
    def get_report() -> HTMLResponse:
        """The report: one HTML page that needs nothing else."""
        return HTMLResponse(page(), headers={"Content-Security-Policy": REPORT_POLICY})

    return app
