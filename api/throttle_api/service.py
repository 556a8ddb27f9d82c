"""The whole service as one ASGI application."""

from __future__ import annotations

import errno
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from pydantic.json_schema import PydanticJsonSchemaWarning
from sqlalchemy.exc import IntegrityError
from starlette.middleware import Middleware

from throttle import __version__
from throttle_api.bodies import LimitBodies
from throttle_api.context import Service
from throttle_api.gate import Gate, Outside
from throttle_api.jobs.queue import EmbeddedQueue, Queue
from throttle_api.metrics import Metrics
from throttle_api.problems import Problem, ProblemDocument, install
from throttle_api.routes import ROUTERS
from throttle_api.routes.common import BODIES
from throttle_api.settings import Settings
from throttle_api.storage import (
    Database,
    FullError,
    KeyReusedError,
    MissingError,
    QueueFullError,
    StaleError,
    StateError,
    StorageError,
    UnavailableError,
)

ABOUT = """What to let in, what to hold and why, who does what, which changes go into which window:
computed and verified.

Put a portfolio (`putDataset`) or send ticket exports (`createImport`), ask for a plan (`createJob`), accept it
(`acceptPlan`), and ask for the week (`getWeek`). Every error is `application/problem+json` with a stable `code`.
Every call but `/healthz` and `/readyz` needs a key: `Authorization: Bearer thr_...`."""

_STORAGE: Mapping[type[StorageError], tuple[str, Mapping[str, str] | None]] = {
    MissingError: ("not-found", None),
    StaleError: ("changed", None),
    KeyReusedError: ("key-reused", None),
    QueueFullError: ("queue-full", {"Retry-After": "5"}),
    StateError: ("conflict", None),
    FullError: ("no-space", None),
    UnavailableError: ("not-ready", {"Retry-After": "1"}),
}


def create_service(
    settings: Settings,
    database: Database,
    queue: Queue | None = None,
) -> FastAPI:
    """The application on a database that is migrated. ``queue``: where new jobs go; default: nobody is told of them."""
    service = Service(settings, database, Metrics(database), queue or EmbeddedQueue())

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        service.stopping.clear()
        try:
            yield
        finally:
            service.stopping.set()
            await run_in_threadpool(service.aside.close)

    app = FastAPI(
        title="Throttle",
        version=__version__,
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        lifespan=life,
        redirect_slashes=False,
        middleware=[
            Middleware(CorrelationIdMiddleware, header_name="X-Request-ID"),
            Middleware(Outside, observe=service.metrics.observe),
            Middleware(Gate, settings=settings, rates=service.rates, identify=service.identify),
            Middleware(LimitBodies, settings=settings),
        ],
    )
    app.state.service = service
    install(app, [route for router in ROUTERS for route in router.routes])
    _install_storage(app)
    for router in ROUTERS:
        app.include_router(router)
    _describe(app)
    return app


def _install_storage(app: FastAPI) -> None:
    @app.exception_handler(StorageError)
    async def _storage(_request: Request, problem: StorageError) -> JSONResponse:
        code, headers = next(
            (said for kind, said in _STORAGE.items() if isinstance(problem, kind)), ("not-ready", None)
        )
        return Problem(code, str(problem), headers=headers).response()

    @app.exception_handler(OSError)
    async def _system(_request: Request, problem: OSError) -> JSONResponse:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise problem
        return Problem("no-space", "The disk of the service is full: try again when there is room.").response()

    @app.exception_handler(IntegrityError)
    async def _at_once(_request: Request, _problem: IntegrityError) -> JSONResponse:
        return Problem("in-flight", "The same is being written by another request: try again.").response()


def _describe(app: FastAPI) -> None:
    """OpenAPI with our kind of security, the schema of problems, and bodies that handlers read themselves."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            with warnings.catch_warnings():
                # a default that is written as text is left out of the schema
                warnings.simplefilter("ignore", PydanticJsonSchemaWarning)
                made = get_openapi(
                    title=app.title,
                    version=app.version,
                    description=app.description,
                    routes=app.routes,
                    openapi_version="3.1.0",
                )
            app.openapi_schema = _completed(made)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _completed(made: dict[str, Any]) -> dict[str, Any]:
    schemas: dict[str, Any] = made.setdefault("components", {}).setdefault("schemas", {})
    where = "#/components/schemas/{model}"
    models: list[type[BaseModel]] = [ProblemDocument, *BODIES.values()]
    for path in made["paths"].values():
        for operation in path.values():
            if isinstance(operation.get("responses", {}).get("422"), dict):
                content = operation["responses"]["422"].get("content", {})
                if "application/json" in content:  # the framework's own, which no route answers with
                    del operation["responses"]["422"]
    for model in models:
        schema = model.model_json_schema(ref_template=where)
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    scheme = {
        "type": "http",
        "scheme": "bearer",
        "description": "A key `thr_...`, or a JSON Web Token where these are on.",
    }
    made["components"]["securitySchemes"] = {"key": scheme}
    made["security"] = [{"key": []}]
    return made
