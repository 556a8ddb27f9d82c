"""Two plans side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from throttle_api.context import Reader
from throttle_api.negotiation import JSON
from throttle_api.problems import Problem
from throttle_api.routes.common import problems
from throttle_api.routes.results import result_of
from throttle_models.comparison import Comparison

router = APIRouter(prefix="/v1/compare", tags=["results"])

_Job = Annotated[str, Query(pattern=r"^job_[0-9a-f]{24}$", examples=["job_5b1de0a86c1f4bb39f1d2a77"])]


@router.get(
    "",
    operation_id="comparePlans",
    response_class=Response,
    responses={
        200: {"model": Comparison, "description": "What is different."},
        **problems(
            "not-found", "not-finished", "no-solution", "not-a-plan", "expired", "conflict", "invalid-request",
            "took-too-long", "busy",
        ),
    },
)  # fmt: skip
def compare_plans(caller: Reader, base: _Job, other: _Job) -> Response:
    """What is different between the plans of two jobs: cost, dates, moved starts, releases and holds."""
    found = []
    for id in (base, other):
        job, result = result_of(caller, id, incumbent=True)
        if job.kind != "solve":
            raise Problem("not-a-plan", f"The job {id} is of kind {job.kind}, whose result is no plan.")
        found.append((result.etag, result.body))
    return Response(caller.service.aside.ask("compare", found), media_type=JSON)
