"""What came of a job: the plan, its weeks, and why it is as it is."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from throttle_api.context import Caller, Decider, Reader
from throttle_api.jobs.states import Outcome, State
from throttle_api.negotiation import CSV, ICS, JSON, choose, matching, tag
from throttle_api.planviews import FORMATS as FORMATS_OF_PLANS
from throttle_api.planviews import one_week, plan_of, whole
from throttle_api.problems import Problem
from throttle_api.routes.common import Accept, IfMatch, IfNoneMatch, ItemPath, JobIdPath, WeekPath, problems
from throttle_api.storage import audit, plans
from throttle_api.storage import jobs as store
from throttle_api.views import AcceptedView, ExplanationView, accepted_view
from throttle_api.week import WeekView
from throttle_models import Explanation, Plan

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["results"])

_NOT_THERE = ("not-found", "not-finished", "no-solution", "not-a-plan", "expired", "invalid-request")
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "It has not changed."}}
FORMATS = {CSV: {"schema": {"type": "string"}}, ICS: {"schema": {"type": "string"}}}


def result_of(
    caller: Caller, id: str, incumbent: bool = False, unfinished: bool = False
) -> tuple[store.Job, store.Result]:
    """``incumbent``: also the best of a job that was cancelled; ``unfinished``: and of one that has no result (yet).
    Raises Problem where there is none."""
    with caller.read() as tx:
        job, found = store.get(tx, id), store.result(tx, id)
        if found is None and unfinished:
            found = store.best(tx, id)
    if job.state is State.EXPIRED:
        raise Problem("expired", "The result was deleted when its time was over; ask again.")
    if job.state is State.CANCELLED and found is not None and not incumbent:
        raise Problem("not-finished", "The job was cancelled; ?incumbent=true gives the best that it had found.")
    if found is not None:
        return job, found
    if not job.ended:
        more = ", and has found nothing yet" if unfinished else ""
        raise Problem("not-finished", f"The job is {job.state}{more}.", headers={"Retry-After": "1"})
    why = (
        job.reason
        or ("it was cancelled before it had begun" if job.attempt == 0 else None)
        or ("no plan is feasible" if job.outcome is Outcome.INFEASIBLE else "it ended without a plan")
    )
    errors = (job.summary or {}).get("findings")
    raise Problem("no-solution", f"The job has no result: {why}", errors if isinstance(errors, list) else None)


def _plan(caller: Caller, id: str, incumbent: bool = False) -> tuple[store.Result, Plan]:
    job, found = result_of(caller, id, incumbent)
    if job.kind != "solve":
        raise Problem("not-a-plan", f"The job is of kind {job.kind}, whose result is no plan.")
    return found, plan_of(found.etag, lambda: found.body)


Incumbent = Annotated[bool, Query(description="Also the best so far of a job that runs, or was cancelled.")]


@router.get(
    "/result",
    operation_id="getResult",
    response_class=Response,
    responses={
        200: {
            "model": Plan | dict[str, Any],
            "description": "The plan, or what another kind of job gives.",
            "content": FORMATS,
        },
        **UNCHANGED,
        **problems(*_NOT_THERE, "not-acceptable", "no-portfolio", "conflict"),
    },
)
def get_result(
    caller: Reader,
    id: JobIdPath,
    incumbent: Incumbent = False,
    accept: Accept = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """What came of a job: of solve, the plan as plan.json has it, or as CSV or iCalendar."""
    job, found = result_of(caller, id, incumbent, unfinished=incumbent)
    formats = list(FORMATS_OF_PLANS) if job.kind == "solve" else [JSON]
    return whole(accept, if_none_match, found.etag, lambda: found.body, formats)


@router.get(
    "/week/{iso_week}",
    operation_id="getResultWeek",
    response_class=Response,
    responses={
        200: {"model": WeekView, "description": "The week.", "content": FORMATS},
        **UNCHANGED,
        **problems(*_NOT_THERE, "no-such-week", "not-acceptable", "no-portfolio"),
    },
)
def get_result_week(
    caller: Reader, id: JobIdPath, week: WeekPath, accept: Accept = None, if_none_match: IfNoneMatch = None
) -> Response:
    """One week of the plan of a job."""
    found, plan = _plan(caller, id, incumbent=True)
    return one_week(accept, if_none_match, found.etag, plan, week)


@router.get(
    "/items/{item_id:path}/why",
    operation_id="explainResultItem",
    response_class=Response,
    responses={
        200: {"model": Explanation, "description": "The reasons, checked."},
        **problems(*_NOT_THERE, "not-acceptable", "no-portfolio", "conflict", "took-too-long", "busy"),
    },
)
def explain_item(caller: Reader, id: JobIdPath, item: ItemPath, accept: Accept = None) -> Response:
    """Why an item or project of the plan of a job does not begin earlier, and what could be done."""
    choose(accept, [JSON])
    found, _ = _plan(caller, id, incumbent=True)
    return Response(caller.service.aside.ask("why", [(found.etag, found.body)], item), media_type=JSON)


@router.get(
    "/explanation",
    operation_id="explainResult",
    response_class=Response,
    responses={
        200: {"model": ExplanationView, "description": "The bottleneck, and why the latest projects are late."},
        **problems(*_NOT_THERE, "not-acceptable", "no-portfolio", "conflict", "took-too-long", "busy"),
    },
)
def explain_result(caller: Reader, id: JobIdPath, accept: Accept = None) -> Response:
    """What limits the plan of a job."""
    choose(accept, [JSON])
    found, _ = _plan(caller, id, incumbent=True)
    return Response(caller.service.aside.ask("explanation", [(found.etag, found.body)]), media_type=JSON)


@router.post(
    "/accept",
    operation_id="acceptPlan",
    status_code=201,
    response_model=AcceptedView,
    responses={
        200: {"model": AcceptedView, "description": "It is the accepted plan already."},
        **problems(*_NOT_THERE, "changed", "bad-header", "conflict", "too-large", "unsupported-media-type"),
    },
)
def accept_plan(caller: Decider, id: JobIdPath, response: Response, if_match: IfMatch = None) -> AcceptedView:
    """Make the plan of a job the accepted one, as a new version. `If-Match`: only while it has that ETag."""
    expected = matching(if_match)
    job, _ = result_of(caller, id, incumbent=True)
    if job.kind != "solve":
        raise Problem("not-a-plan", f"The job is of kind {job.kind}, whose result is no plan.")
    with caller.write() as tx:
        now = plans.find(tx)
        if expected is not None and (now is None or expected not in ("*", now.etag[:32])):
            raise Problem("changed", "Another plan is the accepted one by now: get it again.")
        made, new = plans.accept(tx, id, by=caller.actor)
        if new:
            audit.add(tx, caller.actor, "plan.accepted", id, {"version": made.version, "etag": made.etag})
            caller.service.tell(tx, "plan.accepted", {"version": made.version, "job": id})
    response.status_code = 201 if new else 200
    response.headers["Location"] = "/v1/plan"
    response.headers["ETag"] = tag(made.etag[:32])
    return accepted_view(made)
