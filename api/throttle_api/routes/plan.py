"""The accepted plan: seen, pinned, reported on, and planned again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Header, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import ValidationError

from throttle_api.bodies import json_text, parsed
from throttle_api.context import Caller, Decider, Reader
from throttle_api.negotiation import HTML, JSON, choose, matching, tag, unchanged
from throttle_api.planviews import plan_of, portfolio_of, whole
from throttle_api.problems import Problem, of_findings
from throttle_api.replanning import does_not_fit, newer_portfolio
from throttle_api.routes.common import BODY, Accept, IfMatch, IfNoneMatch, ItemPath, body_of, problems
from throttle_api.routes.jobs import answer_with, enqueue
from throttle_api.routes.results import FORMATS, UNCHANGED
from throttle_api.storage import MissingError, Tx, audit, datasets, jobs, plans
from throttle_api.views import (
    AcceptedView,
    JobView,
    PinBody,
    PinList,
    PinView,
    ProgressBody,
    ProgressList,
    ProgressView,
    ReplanBody,
    accepted_view,
    pin_view,
)
from throttle_models import Explanation, Pin, Plan, When, WorkItem

router = APIRouter(prefix="/v1/plan", tags=["plan"])

REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The report has styles and pictures in itself, and no script."""


def accepted(caller: Caller) -> tuple[plans.Accepted, Plan]:
    """The accepted plan. Raises Problem where there is none."""
    found, body = _document(caller)
    return found, plan_of(found.etag, body)


def _document(caller: Caller) -> tuple[plans.Accepted, Callable[[], bytes]]:
    """The version that is accepted now, and a way to read it, which stays right since versions do not change."""
    with caller.read() as tx:
        if (found := plans.find(tx)) is None:
            raise Problem("nothing-accepted", "No plan was accepted yet: POST /v1/jobs/{id}/accept makes one the plan.")

    def body() -> bytes:
        with caller.read() as tx:
            return plans.body(tx, found.version)

    return found, body


@router.get(
    "",
    operation_id="getPlan",
    response_class=Response,
    responses={
        200: {"model": Plan, "description": "The accepted plan.", "content": FORMATS},
        **UNCHANGED,
        **problems("nothing-accepted", "not-acceptable", "no-portfolio", "conflict"),
    },
)
def get_plan(caller: Reader, accept: Accept = None, if_none_match: IfNoneMatch = None) -> Response:
    """The accepted plan: as plan.json has it, or as CSV or iCalendar."""
    found, body = _document(caller)
    answer = whole(accept, if_none_match, found.etag, body)
    answer.headers["Plan-Version"] = str(found.version)
    return answer


@router.get("/versions", operation_id="listPlanVersions", responses=problems())
def list_versions(caller: Reader) -> list[AcceptedView]:
    """Every plan that was accepted, the newest first. None of them ever changes."""
    with caller.read() as tx:
        return [accepted_view(found) for found in plans.every(tx)]


@router.get(
    "/report",
    operation_id="getPlanReport",
    response_class=HTMLResponse,
    responses={
        **UNCHANGED,
        **problems("nothing-accepted", "not-acceptable", "no-portfolio", "conflict", "took-too-long", "busy"),
    },
)
def get_report(caller: Reader, accept: Accept = None, if_none_match: IfNoneMatch = None) -> Response:
    """The report of the accepted plan: one HTML page that needs nothing else."""
    choose(accept, [HTML])
    found, body = _document(caller)
    headers = {"ETag": tag(found.etag[:32]), "Content-Security-Policy": REPORT_POLICY}
    if unchanged(if_none_match, found.etag[:32]):
        return Response(status_code=304, headers=headers)
    return HTMLResponse(caller.service.aside.ask("report", [(found.etag, body())]), headers=headers)


@router.get(
    "/items/{item_id:path}/why",
    operation_id="explainPlanItem",
    response_class=Response,
    responses={
        200: {"model": Explanation, "description": "The reasons, checked."},
        **problems(
            "nothing-accepted",
            "not-found",
            "not-acceptable",
            "no-portfolio",
            "conflict",
            "took-too-long",
            "busy",
            "invalid-request",
        ),
    },
)
def explain_item(caller: Reader, item: ItemPath, accept: Accept = None) -> Response:
    """Why an item or project of the accepted plan does not begin earlier, and what could be done."""
    choose(accept, [JSON])
    found, body = _document(caller)
    return Response(caller.service.aside.ask("why", [(found.etag, body())], item), media_type=JSON)


# --- what is decided


@router.get("/pins", operation_id="listPins", responses=problems())
def list_pins(caller: Reader) -> PinList:
    """What is pinned for the next plan."""
    with caller.read() as tx:
        return PinList(pins=[pin_view(p) for p in plans.every_pin(tx)])


@router.put(
    "/pins/{item_id:path}",
    operation_id="putPin",
    response_model=PinView,
    openapi_extra=body_of(PinBody, {"start": "2026-12-01T09:00", "who": ["brent"]}),
    responses={
        201: {"model": PinView, "description": "It had no pin."},
        **problems(*BODY, "bad-header", "nothing-accepted", "not-found", "changed"),
    },
)
def put_pin(
    caller: Decider,
    item: ItemPath,
    text: Annotated[str, Depends(json_text)],
    if_match: IfMatch = None,
    if_none_match: Annotated[str | None, Header(description="`*`: only where it has no pin yet.")] = None,
) -> Response:
    """Pin an item of the accepted plan, in place of its earlier pin; the next replan keeps it."""
    body = parsed(text, PinBody)
    expected = matching(if_match)
    try:
        Pin(work=item, **body.model_dump(exclude_none=True))
    except ValidationError as problem:
        errors = [{"where": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in problem.errors()]
        raise Problem("invalid-request", "The pin is none; see errors.", errors) from None
    if body == PinBody():
        raise Problem("invalid-request", "A pin says start, who, window or on.")
    _, plan = accepted(caller)
    _known(plan, item)
    portfolio = portfolio_of(plan)
    missing = [p for p in body.who if p not in portfolio.people]
    if missing:
        raise Problem("invalid-request", "A pin names people of the portfolio.", [_unknown("who", p) for p in missing])
    if body.window is not None and body.window not in portfolio.windows:
        raise Problem("invalid-request", "A pin names a window of the portfolio.", [_unknown("window", body.window)])
    with caller.write() as tx:
        before = plans.find_pin(tx, item)
        if expected is not None and (before is None or expected not in ("*", str(before.version))):
            raise Problem("changed", f"The pin of {item} has another ETag: get it again.")
        if if_none_match is not None and if_none_match.strip() == "*" and before is not None:
            raise Problem("changed", f"{item} is pinned already.")
        made, new = plans.put_pin(tx, item, body.model_dump(mode="json", exclude_defaults=True), by=caller.actor)
        audit.add(tx, caller.actor, "plan.pinned", item, {"version": made.version})
    headers = {"ETag": tag(str(made.version))}
    return JSONResponse(pin_view(made).model_dump(mode="json"), 201 if new else 200, headers)


def _unknown(where: str, name: str) -> dict[str, Any]:
    return {"where": f"body.{where}", "message": f"{name} is not in the portfolio"}


def _known(plan: Plan, item: str) -> None:
    if item not in portfolio_of(plan).work and item not in plan.inserted:
        raise Problem("not-found", f"There is no item {item} in the accepted plan.")


@router.delete(
    "/pins/{item_id:path}",
    operation_id="deletePin",
    status_code=204,
    responses=problems("not-found", "invalid-request"),
)
def delete_pin(caller: Decider, item: ItemPath) -> Response:
    """Take a pin away."""
    with caller.write() as tx:
        plans.remove_pin(tx, item)
        audit.add(tx, caller.actor, "plan.unpinned", item)
    return Response(status_code=204)


@router.post(
    "/progress",
    operation_id="reportProgress",
    status_code=200,
    openapi_extra=body_of(
        ProgressList, {"updates": [{"item": "PHX-38", "status": "in-progress", "started": "2026-11-23T09:00"}]}
    ),
    responses=problems(*BODY, "nothing-accepted", "no-portfolio"),
)
def report_progress(caller: Decider, text: Annotated[str, Depends(json_text)]) -> ProgressView:
    """Write down what became of items since the plan; all of it or, where something is wrong, nothing."""
    body = parsed(text, ProgressList)
    _, plan = accepted(caller)
    work = portfolio_of(plan).work
    errors = []
    for n, update in enumerate(body.updates):
        if update.item not in work:
            errors.append({"where": f"body.updates.{n}.item", "message": f"{update.item} is not in the accepted plan"})
        if update.model_fields_set <= {"item"}:
            errors.append({"where": f"body.updates.{n}", "message": "says nothing: give status, remaining or another"})
        for name in ("started", "finished"):
            if (given := getattr(update, name)) is not None and (wrong := wrong_moment(given, plan.zone)):
                errors.append({"where": f"body.updates.{n}.{name}", "message": wrong})
        if update.remaining is not None and (wrong := _wrong_rest(update, work.get(update.item))):
            errors.append({"where": f"body.updates.{n}.remaining", "message": wrong})
        elif (item := work.get(update.item)) is not None and (wrong := does_not_fit(item, _said(update))):
            errors.append({"where": f"body.updates.{n}", "message": wrong})
    if errors:
        raise Problem("invalid-request", "The updates do not fit the accepted plan; see errors.", errors)
    with caller.write() as tx:
        for update in body.updates:
            plans.add_progress(tx, update.item, _said(update), by=caller.actor)
        audit.add(
            tx, caller.actor, "plan.progress", str(len(body.updates)), {"items": [u.item for u in body.updates][:100]}
        )
    return ProgressView(accepted=len(body.updates))


def _said(update: ProgressBody) -> dict[str, Any]:
    return update.model_dump(exclude={"item"}, exclude_none=True)


_EFFORT = re.compile(r"\d{1,6}(\.\d{1,3})?\s*(h|m|min|d)")
_DATED = re.compile(r"\d{4}-\d\d-\d\d")


def _wrong_rest(update: ProgressBody, item: WorkItem | None) -> str | None:
    left = [update.remaining] if isinstance(update.remaining, str) else list(update.remaining or ())
    if any(not _EFFORT.fullmatch(hours.strip()) for hours in left):
        return "write hours or minutes, such as 6h"
    if item is not None and len(left) != len(item.needs):
        return f"{update.item} has {len(item.needs)} needs: write what is left of each, in their order"
    return None


def wrong_moment(text: str, zone: str) -> str | None:
    """What is wrong with a moment as people write it; None where nothing is."""
    if not _DATED.match(text):
        return "write a date and time, such as 2026-12-01T09:00"
    try:
        When(text=text).resolve(datetime.now(ZoneInfo(zone)), ZoneInfo(zone))
    except (ValueError, OverflowError) as problem:
        first = problem.errors()[0]["msg"] if isinstance(problem, ValidationError) else str(problem)
        return first.removeprefix("Value error, ")[:200]
    return None


def _begun(tx: Tx, version: plans.Accepted) -> datetime:
    """When the accepted plan was asked for: what was reported before is in it."""
    try:
        return jobs.get(tx, version.job_id).created
    except MissingError:  # it was deleted
        return version.accepted


@router.post(
    "/replan",
    operation_id="replan",
    status_code=202,
    response_model=JobView,
    openapi_extra=body_of(ReplanBody, {"as_of": "2026-11-30T08:00", "budget": 20}),
    responses={
        200: {"model": JobView, "description": "Done within the wait that was asked for."},
        **problems(
            *BODY, "nothing-accepted", "not-found", "conflict", "invalid-portfolio", "queue-full", "no-portfolio",
            "in-flight", "key-reused", "bad-header",
        ),
    },
)  # fmt: skip
async def replan(
    caller: Decider,
    text: Annotated[str, Depends(json_text)],
    idempotency_key: Annotated[str | None, Header(pattern=r"^[\x21-\x7e]{1,200}$")] = None,
    prefer: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Plan again from the accepted plan: progress and pins count, and what the policy freezes stays."""

    def submit() -> Any:
        body = parsed(text or "{}", ReplanBody)
        version, plan = accepted(caller)
        portfolio_of(plan)
        if body.as_of is not None and (wrong := wrong_moment(body.as_of, plan.zone)):
            raise Problem("invalid-request", "as_of is no moment.", [{"where": "body.as_of", "message": wrong}])
        with caller.read() as tx:
            newer = datasets.body(tx, body.dataset) if body.dataset else None
            since = datasets.get(tx, body.dataset).created if body.dataset else _begun(tx, version)
            pins, progress = plans.every_pin(tx), [u for u in plans.every_progress(tx) if u.created >= since]
        portfolio, findings = newer_portfolio(plan, newer, body.as_of, pins, progress, caller.now())
        request = body.model_dump(exclude={"dataset"}, exclude_none=True)
        request["workers"] = caller.service.settings.solver_threads
        request["base"] = version.version
        request["findings"] = of_findings(findings)[:100]
        return enqueue(caller, "solve", request, {"portfolio": portfolio}, idempotency_key, f"replan {text}")

    return await answer_with(caller, submit, prefer)
