"""What the service says of jobs, datasets, plans and the rest: the documents of its answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from throttle_api.jobs.states import Outcome, State
from throttle_api.storage import datasets as stored_datasets
from throttle_api.storage import feeds as stored_feeds
from throttle_api.storage import jobs as stored_jobs
from throttle_api.storage import plans as stored_plans


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


Moment = Annotated[datetime, PlainSerializer(_written, return_type=str)]
"""UTC, with milliseconds."""
DatasetId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", examples=["it-portfolio"])]
JobId = Annotated[str, Field(pattern=r"^job_[0-9a-f]{24}$", examples=["job_5b1de0a86c1f4bb39f1d2a77"])]


Effort = Annotated[str, Field(max_length=40, examples=["6h"])]


class View(BaseModel):
    """Base of all."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Body(BaseModel):
    """Base of what clients send: no field that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Link(View):
    self: str
    events: str
    result: str


_EXAMPLE_ID = "job_5b1de0a86c1f4bb39f1d2a77"
_EXAMPLE_JOB: dict[str, Any] = {
    "id": _EXAMPLE_ID,
    "kind": "solve",
    "state": "SUCCEEDED",
    "outcome": "FEASIBLE",
    "attempt": 1,
    "cancelled": False,
    "request": {"budget": 20.0, "seed": 1, "dataset": {"id": "it-portfolio", "version": 3}},
    "progress": {"seconds": 20.4, "phase": "check", "incumbent": 441108.0, "bound": 212285.0, "gap": 0.519},
    "summary": {"items": 214, "scheduled": 211, "unscheduled": 3, "verified": True, "week": "2026-W48"},
    "code": None,
    "reason": None,
    "created": "2026-11-23T14:00:00.000Z",
    "created_by": "key:4cmjeob7uxtb",
    "started": "2026-11-23T14:00:00.200Z",
    "finished": "2026-11-23T14:00:21.700Z",
    "expires": "2026-12-23T14:00:21.700Z",
    "links": {
        "self": f"/v1/jobs/{_EXAMPLE_ID}",
        "events": f"/v1/jobs/{_EXAMPLE_ID}/events",
        "result": f"/v1/jobs/{_EXAMPLE_ID}/result",
    },
}


class JobView(View):
    """A job: what was asked for, and how it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE_JOB]})

    id: JobId
    kind: str
    state: State
    """SUCCEEDED also where it was found that there is no plan: see ``outcome``."""
    outcome: Outcome | None
    """What is known of the answer, once the job has ended."""
    attempt: int
    """How often it was begun."""
    cancelled: bool
    """Whether it was asked to stop; it then keeps the best that it has found."""
    request: dict[str, Any]
    progress: dict[str, Any] | None
    """How far it is: seconds, phase, incumbent, bound."""
    summary: dict[str, Any] | None
    """Figures of the result, such as cost, bound and gap."""
    code: str | None
    """Why it failed, as a word."""
    reason: str | None
    """The same as a sentence."""
    created: Moment
    created_by: str
    started: Moment | None
    finished: Moment | None
    expires: Moment | None
    """When the result will be deleted."""
    links: Link


def job_view(job: stored_jobs.Job) -> JobView:
    here = f"/v1/jobs/{job.id}"
    return JobView(
        id=job.id,
        kind=job.kind,
        state=job.state,
        outcome=job.outcome,
        attempt=job.attempt,
        cancelled=job.cancel or job.state is State.CANCELLED,
        request=dict(job.request),
        progress=dict(job.progress) if job.progress is not None else None,
        summary=dict(job.summary) if job.summary is not None else None,
        code=job.code,
        reason=job.reason,
        created=job.created,
        created_by=job.created_by,
        started=job.started,
        finished=job.finished,
        expires=job.expires,
        links=Link(self=here, events=f"{here}/events", result=f"{here}/result"),
    )


class JobList(View):
    jobs: list[JobView]
    """The newest first."""
    next: str | None
    """Cursor of the next page; none on the last."""


class DatasetView(View):
    """A version of a portfolio that is kept here."""

    id: str
    version: int
    title: str
    etag: str
    """For ``If-Match``."""
    size: int
    """Bytes."""
    created: Moment
    created_by: str


def dataset_view(found: stored_datasets.Dataset) -> DatasetView:
    fields = ("id", "version", "title", "etag", "size", "created", "created_by")
    return DatasetView(**{name: getattr(found, name) for name in fields})


class DatasetList(View):
    datasets: list[DatasetView]
    """By id."""
    next: str | None


class ImportView(View):
    """What an upload was read as. rows_read = imported + merged + rejected."""

    id: str
    dataset: DatasetView
    report: dict[str, Any]
    """The account of every row, as ``throttle ingest --json`` writes it."""


class AcceptedView(View):
    """A version of the accepted plan; it never changes."""

    version: int
    job: str
    etag: str
    accepted: Moment
    accepted_by: str


def accepted_view(found: stored_plans.Accepted) -> AcceptedView:
    return AcceptedView(
        version=found.version,
        job=found.job_id,
        etag=found.etag,
        accepted=found.accepted,
        accepted_by=found.accepted_by,
    )


class PinBody(Body):
    """A decision that the next plan must keep."""

    start: Annotated[str, Field(max_length=40, examples=["2026-12-01T09:00"])] | None = None
    """It starts at the first moment at or after this one in which its people can."""
    who: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=100)] = ()
    """All of these people, and only they, work on it."""
    window: Annotated[str, Field(max_length=200)] | None = None
    on: Annotated[str, Field(max_length=40, examples=["2026-12-01"])] | None = None
    """The day on which the occurrence of the window begins."""


class PinView(View):
    item: str
    etag: str
    pin: PinBody
    created: Moment
    created_by: str


def pin_view(found: stored_plans.Pin) -> PinView:
    return PinView(
        item=found.item,
        etag=str(found.version),
        pin=PinBody.model_validate(dict(found.pin)),
        created=found.created,
        created_by=found.created_by,
    )


class PinList(View):
    pins: list[PinView]


class ProgressBody(Body):
    """What is reported of one item."""

    item: Annotated[str, Field(min_length=1, max_length=500)]
    status: Literal["open", "in-progress", "done", "cancelled"] | None = None
    started: Annotated[str, Field(max_length=40, examples=["2026-11-23T09:00"])] | None = None
    finished: Annotated[str, Field(max_length=40, examples=["2026-11-24T16:00"])] | None = None
    remaining: Effort | Annotated[list[Effort], Field(min_length=1, max_length=50)] | None = None
    """Work that is left of it; of several needs, of each in their order."""
    on_hold: Annotated[str, Field(max_length=500)] | None = None
    """Why it is taken out of the plan; an empty text lets it in again."""


class ProgressList(Body):
    updates: Annotated[list[ProgressBody], Field(min_length=1, max_length=1000)]


class ProgressView(View):
    accepted: int
    """Updates written down; the next replan takes them into account."""


class ReplanBody(Body):
    """A new plan from the accepted one, with what was reported and pinned since."""

    as_of: Annotated[str, Field(max_length=40, examples=["2026-11-30T08:00"])] | None = None
    """The moment to plan from. Default: now."""
    dataset: DatasetId | None = None
    """A newer portfolio or import, in place of the portfolio of the accepted plan."""
    budget: Annotated[float, Field(gt=0, le=3_600_000)] = 20.0
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 1
    deterministic: bool = False


class WebhookBody(Body):
    url: Annotated[str, Field(min_length=9, max_length=2000, examples=["https://hooks.example.com/throttle"])]
    active: bool = True


class WebhookView(View):
    url: str
    active: bool
    created: Moment
    secret: str | None = None
    """``whsec_...``, to check signatures with (Standard Webhooks); told once, when the address is set."""


class CalendarBody(Body):
    person: Annotated[str, Field(min_length=1, max_length=200, examples=["brent"])]


class CalendarView(View):
    id: str
    person: str
    created: Moment
    revoked: Moment | None
    url: str | None = None
    """The address to subscribe to; whoever has it sees the calendar. Told once."""


def calendar_view(found: stored_feeds.CalendarToken, url: str | None = None) -> CalendarView:
    return CalendarView(id=found.id, person=found.person, created=found.created, revoked=found.revoked, url=url)


class CalendarList(View):
    calendars: list[CalendarView]


class Health(View):
    status: Literal["ok"] = "ok"
    version: str


class ExplanationView(View):
    """What limits a plan, and why its latest projects are late."""

    bottleneck: dict[str, Any]
    """As ``throttle bottleneck --json`` writes it."""
    late: list[dict[str, Any]]
    """As ``throttle why --json`` writes it."""
