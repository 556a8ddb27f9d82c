"""Whether the service is there, ready, and how it does."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from throttle import __version__
from throttle_api.context import Caller, Needs, service_of
from throttle_api.problems import Problem, documented
from throttle_api.routes.common import problems
from throttle_api.storage import SYSTEM, StorageError, tenants
from throttle_api.views import Health

router = APIRouter(tags=["health"])

_OPEN: dict[str, Any] = {"security": []}
METRICS = "text/plain; version=0.0.4; charset=utf-8"


@router.get(
    "/healthz",
    operation_id="getHealth",
    openapi_extra=_OPEN,
    responses=documented("too-many-requests", "internal-error"),
)
async def healthz() -> Health:
    """Whether the process answers. Where it does not, begin it again."""
    return Health(version=__version__)


@router.get(
    "/readyz",
    operation_id="getReadiness",
    openapi_extra=_OPEN,
    responses=documented("too-many-requests", "internal-error", "not-ready"),
)
def readyz(request: Request) -> Health:
    """Whether requests can be answered: the database does, and the service is not ending."""
    service = service_of(request)
    if service.stopping.is_set():
        raise Problem("not-ready", "The service is ending.")
    try:
        with service.database.read(SYSTEM) as tx:
            tenants.find(tx, "default")
    except StorageError as problem:
        raise Problem("not-ready", str(problem), headers={"Retry-After": "2"}) from None
    return Health(version=__version__)


@router.get(
    "/metrics",
    operation_id="getMetrics",
    response_class=Response,
    responses={
        200: {
            "description": "In the text format of Prometheus.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **problems(),
    },
)
def metrics(caller: Annotated[Caller, Depends(Needs("metrics"))]) -> Response:
    """Requests, jobs, queue depth and ages, solve seconds and gaps."""
    return Response(caller.service.metrics.text(), media_type=METRICS)
