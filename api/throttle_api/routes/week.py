"""The week of the accepted plan: what an IT manager asks for."""

from __future__ import annotations

from fastapi import APIRouter, Response

from throttle_api.context import Reader
from throttle_api.planviews import one_week
from throttle_api.routes.common import Accept, IfNoneMatch, WeekPath, problems
from throttle_api.routes.plan import accepted
from throttle_api.routes.results import FORMATS, UNCHANGED
from throttle_api.week import WeekView

router = APIRouter(prefix="/v1/week", tags=["plan"])


@router.get(
    "/{iso_week}",
    operation_id="getWeek",
    response_class=Response,
    responses={
        200: {"model": WeekView, "description": "The week.", "content": FORMATS},
        **UNCHANGED,
        **problems("nothing-accepted", "no-such-week", "not-acceptable", "no-portfolio", "invalid-request"),
    },
)
def get_week(caller: Reader, week: WeekPath, accept: Accept = None, if_none_match: IfNoneMatch = None) -> Response:
    """Who does what on which day, what to let in, what to hold and why, changes by window, promises and risks."""
    version, plan = accepted(caller)
    return one_week(accept, if_none_match, version.etag, plan, week)
