"""A calendar of each person's work, to subscribe to: the address has a token of its own, which can be revoked."""

from __future__ import annotations

import hmac
import re
import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from throttle.errors import InputError
from throttle.exports.common import id_of
from throttle_api.auth import hash_of
from throttle_api.bodies import json_text, parsed
from throttle_api.context import Admin, service_of
from throttle_api.negotiation import ICS, tag, unchanged
from throttle_api.planviews import plan_of, portfolio_of
from throttle_api.problems import Problem, documented, of_findings
from throttle_api.routes.common import BODY, IfNoneMatch, body_of, problems
from throttle_api.routes.plan import accepted
from throttle_api.storage import SYSTEM, audit, feeds, plans
from throttle_api.storage.packing import new_id
from throttle_api.views import CalendarBody, CalendarList, CalendarView, calendar_view

router = APIRouter(prefix="/v1/calendars", tags=["calendars"])

_TOKEN = re.compile(r"(cal_[0-9a-f]{24})_([A-Za-z0-9_-]{43})\.ics")

CalendarId = Annotated[
    str, Path(alias="calendar_id", pattern=r"^cal_[0-9a-f]{24}$", examples=["cal_5b1de0a86c1f4bb39f1d2a77"])
]


@router.get("", operation_id="listCalendars", responses=problems())
def list_calendars(caller: Admin) -> CalendarList:
    """The calendars that were made, without their tokens."""
    with caller.read() as tx:
        return CalendarList(calendars=[calendar_view(found) for found in feeds.every(tx)])


@router.post(
    "",
    operation_id="createCalendar",
    status_code=201,
    openapi_extra=body_of(CalendarBody, {"person": "brent"}),
    responses=problems(*BODY, "nothing-accepted", "no-portfolio"),
)
def create_calendar(
    request: Request, response: Response, caller: Admin, text: Annotated[str, Depends(json_text)]
) -> CalendarView:
    """A calendar of one person. Its address is told this once; whoever has it can read that calendar."""
    body = parsed(text, CalendarBody)
    _, plan = accepted(caller)
    try:
        person = id_of(body.person, portfolio_of(plan)) or body.person
    except InputError as problem:
        raise Problem("invalid-request", "The person is not in the portfolio.", of_findings(problem.findings)) from None
    id, secret = new_id("cal"), secrets.token_urlsafe(32)
    with caller.write() as tx:
        made = feeds.add(tx, id, person=person, hash=hash_of(secret), by=caller.actor)
        audit.add(tx, caller.actor, "calendar.created", id, {"person": person})
    base = caller.service.settings.address or str(request.base_url).rstrip("/")
    url = f"{base}/v1/calendars/feed/{id}_{secret}.ics"
    response.headers["Location"] = f"/v1/calendars/{id}"
    return calendar_view(made, url)


@router.delete(
    "/{calendar_id}", operation_id="revokeCalendar", status_code=204, responses=problems("not-found", "invalid-request")
)
def revoke_calendar(caller: Admin, id: CalendarId) -> Response:
    """From now on its address shows nothing."""
    with caller.write() as tx:
        feeds.revoke(tx, id)
        audit.add(tx, caller.actor, "calendar.revoked", id)
    return Response(status_code=204)


@router.get(
    "/feed/{token}",
    operation_id="getCalendarFeed",
    response_class=Response,
    responses={
        200: {"description": "The calendar.", "content": {ICS: {"schema": {"type": "string"}}}},
        304: {"description": "It has not changed."},
        **documented("not-found", "too-many-requests", "internal-error", "not-ready", "conflict", "no-portfolio"),
    },
    openapi_extra={"security": []},
)
def get_feed(
    request: Request,
    token: Annotated[str, Path(examples=["cal_5b1de0a86c1f4bb39f1d2a77_....ics"])],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The calendar that belongs to a token, of the plan that is accepted now. Needs no key."""
    service, match = service_of(request), _TOKEN.fullmatch(token)
    unknown = Problem("not-found", "There is no calendar at this address.")
    if match is None:
        raise unknown
    with service.database.read(SYSTEM) as tx:
        known = feeds.find(tx, match[1])
    if known is None or not hmac.compare_digest(known.hash, hash_of(match[2])) or known.revoked is not None:
        raise unknown
    with service.database.read(known.tenant_id) as tx:
        if (found := plans.find(tx)) is None:
            raise unknown
    mark = f"{found.etag[:32]}-{known.id[4:]}"
    headers = {"ETag": tag(mark)}
    if unchanged(if_none_match, mark):
        return Response(status_code=304, headers=headers)
    with service.database.read(known.tenant_id) as tx:
        plan = plan_of(found.etag, lambda: plans.body(tx, found.version))
    from throttle.exports.ics import to_ics

    try:
        text = to_ics(plan, portfolio_of(plan), person=known.person)
    except InputError:
        raise unknown from None  # the person is not in the plan any more
    return Response(text, media_type=ICS, headers=headers)
