"""The answer: who does what when, what to let in and what to hold, and how good the plan is proven to be.

All instants are UTC, written ``2026-11-23T14:00Z``. The plan is self-contained: with ``portfolio`` in it, everything
that a checker needs is here. docs/plan.md explains it for whoever writes one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    FieldSerializationInfo,
    PlainSerializer,
    WithJsonSchema,
    field_serializer,
)

from throttle_models.base import Finding, Model, Text
from throttle_models.people import Zone
from throttle_models.policy import Override, Zones
from throttle_models.portfolio import Assumption, Portfolio
from throttle_models.quantities import Effort
from throttle_models.work import WorkItem


def _instant(value: object) -> object:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def format_instant(moment: datetime) -> str:
    """``2026-11-23T14:00Z``; seconds only where there are any."""
    utc = moment.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%SZ" if utc.second else "%Y-%m-%dT%H:%MZ")


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(format_instant, return_type=str),
    WithJsonSchema(  # no format date-time: that asks for seconds (RFC 3339)
        {
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?Z$",
            "description": "UTC",
            "examples": ["2026-11-23T14:00Z"],
        }
    ),
]

IsoWeek = Annotated[str, Field(pattern=r"^\d{4}-W\d{2}$", examples=["2026-W48"])]


class Status(Text):
    """What is known of the plan's objective. Never ``optimal`` without a proof."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"


class Assignment(Model):
    """One person on one need of an item."""

    person: str
    need: int
    """Position in the item's ``needs``, from 0."""
    allocation: float
    """Share of the person's time, above 0 and at most 1."""
    work: tuple[tuple[Instant, Instant], ...]
    """When the person works on it: [from, to), in order. Closed time of the crew lies between."""


class PlannedItem(Model):
    start: Instant
    finish: Instant
    assignments: tuple[Assignment, ...] = ()
    window: tuple[Instant, Instant] | None = None
    """The occurrence of the change's window that it runs in."""


class Reason(Text):
    """Why an item is not in the schedule, or not yet begun."""

    # not in the schedule at all; the checker verifies each
    NO_HOLDER = "no-holder"
    """Too few people hold a skill at the level, or are named, for its needs at once."""
    NO_COMMON_TIME = "no-common-time"
    """No crew that could do it is ever at work together long enough."""
    NO_WINDOW = "no-window"
    """No occurrence of its window is long enough and free of freezes."""
    NO_CAPACITY = "no-capacity"
    """It needs more of an environment than there is."""
    EXTERNAL = "external-blocker"
    """It waits for something outside the portfolio whose date is unknown."""
    UNSCHEDULED = "waits-for-unscheduled"
    """It waits for an item that is itself not in the schedule."""
    STATUS = "status-unknown"
    ON_HOLD = "on-hold"
    BEYOND = "beyond-horizon"
    """It cannot begin within the years that a plan looks ahead."""

    # in the schedule, but not this week
    PREDECESSOR = "predecessor"
    PEOPLE = "people"
    """Those who can do it are on other work first."""
    WIP = "wip-limit"
    """A limit on work in process is reached: projects, a type of work, a team or a person."""
    ROPE = "rope"
    """As much drum work as the rope allows is released and not finished."""
    KIT = "full-kit"
    """Drum work whose kit is not complete, though its links alone would let it start."""
    ENVIRONMENT = "environment"
    WINDOW = "window"
    RELEASE = "not-before"
    APPROVAL = "approval"
    PINNED = "pinned"
    CONFLICT = "service-conflict"
    """Changes on services near to its own go first."""
    CALENDAR = "calendar"
    FREEZE = "freeze"
    """Changes to its services are frozen."""
    RESERVE = "reserve"
    """Its people keep the time before it free for unplanned work."""
    LATE = "starts-late"
    """The policy starts work as late as buffers allow, and nothing needs it sooner."""
    ORDER = "order"
    """No rule keeps it: other work comes first in the order of the plan."""


class Unscheduled(Model):
    """An item that the plan leaves out, with a reason that can be verified."""

    reason: Reason
    text: str
    refs: tuple[str, ...] = ()
    """The skill, person, item, window or environment that the reason is about."""


class Release(Model):
    """Work to let in: it has not begun, and the plan begins it by the end of its week."""

    item: str
    project: str | None = None
    start: Instant
    value: float
    """Cost of a week's delay that rests on it."""
    note: str = ""
    """Which limits an override takes away from it, and why."""


class Hold(Model):
    """Work not to begin this week, and the one reason."""

    item: str
    project: str | None = None
    reason: Reason
    text: str
    refs: tuple[str, ...] = ()
    until: Instant | None = None
    """Planned start; none for what is not in the schedule."""
    value: float
    """Cost of a week's delay that rests on it."""


class FeedingBuffer(Model):
    """Where other work of a project joins its critical chain."""

    item: str
    """The last of the work that joins."""
    into: str
    """The item of the critical chain that waits for it."""
    chain: tuple[str, ...]
    """The work that joins, in the order of time."""
    hours: float
    left_hours: float
    """Working time that the plan leaves between the two; less than ``hours`` is no full buffer."""


class ProjectPlan(Model):
    """A project, or an item that has a cost or due date of its own."""

    title: str = ""
    start: Instant | None = None
    finish: Instant | None = None
    """None where some of its work is not in the schedule."""
    promise: Instant | None = None
    """The date to tell others: the finish plus the buffers of the policy."""
    due: Instant | None = None
    late_weeks: float = 0.0
    cost: float = 0.0
    """In the portfolio's currency, as far as it is scheduled."""
    items: int = 1
    unscheduled: int = 0
    chain: tuple[str, ...] = ()
    """The critical chain in the order of time, where the policy asks for buffers."""
    buffer_hours: float | None = None
    """The project buffer behind it, in working time."""
    feeding: tuple[FeedingBuffer, ...] = ()


class Load(Model):
    """A set of skills (or an environment) and those who can do work that needs only these."""

    name: str
    kind: Literal["skills", "environment"]
    members: tuple[str, ...]
    """Skills with levels, such as ``oracle>=2``, or the environment."""
    people: tuple[str, ...] = ()
    work_hours: float
    """Remaining work that only they can do (for an environment: occupancy)."""
    weeks_of_queue: float | None
    """Weeks of their hours that the work fills; none where they have no hours at all."""
    by_week: dict[IsoWeek, tuple[float, float]] = {}
    """Planned hours and available hours, week by week."""


class Constraint(Model):
    """A set of people or an environment, by what it is made of."""

    name: str
    kind: Literal["skills", "environment"]
    members: tuple[str, ...]
    people: tuple[str, ...] = ()


class Drum(Constraint):
    """The bottleneck as it is named from plan to plan.

    It is another than before only where that was at least 10 % ahead in two plans running: a load that floats about is
    statistics, not a constraint (Leach, Critical Chain Project Management).
    """

    since: Instant
    """As-of of the plan that first named it."""
    weeks_of_queue: float | None = None
    """Now."""
    ahead: float = 0.0
    """By what share the most loaded of this plan is ahead of it; 0 where it is that itself."""
    challenger: Constraint | None = None
    """What is at least 10 % ahead of it in this plan; named in the next one if it still is."""


class Pace(Model):
    """The drum that the rope and full kit of the policy speak of."""

    name: str
    people: tuple[str, ...]
    skill: str | None = None
    """Where the policy names a skill: then all that asks for it is work on the drum."""


class Debt(Model):
    """What technical debt costs until it is paid: its interest, at the price of the hours that it takes."""

    hours: float
    """Work to pay it off."""
    interest: dict[str, float]
    """Skill to hours a week."""
    price: dict[str, float]
    """Of an hour of each: what a week's delay of all that waits for it costs, by the hours a week of its holders."""
    cost: float
    """Of the interest, a week."""
    payback_weeks: float | None
    """Work / hours of interest a week."""
    finish: Instant | None
    paid: float | None
    """Cost of the interest from as-of to the finish; it is in the objective."""
    horizon: Instant | None
    """The end of the plan, to which other work is seen; interest after it is in no price."""


class Week(Model):
    week: IsoWeek
    people: dict[str, dict[date, dict[str, float]]]
    """Person to local day to item to hours."""
    starts: tuple[str, ...]
    finishes: tuple[str, ...]


class Goal(Model):
    """One objective with what is proven of it. gap = (value - bound) / value."""

    name: str
    value: float
    bound: float
    gap: float
    proved: bool
    """Whether the value is proven to be the least possible."""
    first_come: float
    """The same work under the same rules, first come, first served."""
    greedy: float
    """The same, always the item with the most cost of delay per remaining hour first."""


GoalName = Literal[
    "cost of delay", "weighted flow", "drum hours lost", "drum on other work", "context switches", "work in process"
]


class OrderedGoal(Model):
    """One of the goals that a plan seeks one after the other: each without giving up more of those before than their
    tolerance (Goldratt's focusing steps: exploit the drum, subordinate all else to it)."""

    name: GoalName
    unit: str
    found: float
    """In the plan that the search for the cost gave."""
    best: float
    """The least found with all goals before it kept; what later goals may give up counts from here."""
    value: float
    """In this plan. ``value - best`` is what the goals after it cost it."""
    tolerance: float
    """The share of ``best`` that the goals after it may give up."""
    alone: float | None = None
    """The least found where no goal before it counts; ``best - alone`` is what those cost it at least. None where it
    was not looked for."""
    proved: bool = False
    """Whether the value is proven to be the least possible."""
    note: str = ""
    """Why it was not sought, where it was not."""


class Certificate(Model):
    status: Status
    objective: Goal
    flow: Goal
    """The same plan measured as cost of delay * weeks to completion, due dates ignored."""
    goals: tuple[OrderedGoal, ...] = ()
    """All goals in the order in which they count; none where a plan was too large for those after the cost."""
    goals_note: str = ""
    """Why there are no ``goals``."""
    checked: bool
    """Whether the independent checker found no violation."""
    violations: int
    items: int
    """Activities: scheduled + unscheduled."""
    scheduled: int
    unscheduled: int
    done: int
    seed: int
    deterministic: bool
    input_hash: str
    """SHA-256 of the canonical JSON of the portfolio."""
    versions: dict[str, str]
    method: str
    """Which parts found and proved it."""
    data_quality: tuple[Finding, ...] = ()


class Move(Model):
    """An item whose planned start is not what an earlier plan said."""

    item: str
    before: Instant
    now: Instant | None = None
    """None where it is no longer in the schedule."""
    reason: str


class InsertedItem(Model):
    """Work that nobody has written and a rule of the portfolio asks for; planned like any other item."""

    item: WorkItem
    """As it is planned: its needs, links, project and status."""
    of: str
    """The item, or other entity, that it is for."""
    kind: str = "rule"
    """What of the portfolio asks for it: ``rule`` (policy.rules)."""
    side: Literal["before", "after"] | None = None
    """Whether it comes before or after what it is for."""
    names: tuple[str, ...] = ()
    """Of the rules that ask for it."""

    @field_serializer("item")
    def _as_files_write_it(self, item: WorkItem, info: FieldSerializationInfo) -> dict[str, Any]:
        return item.model_dump(mode=info.mode, exclude_defaults=True)


class Previous(Model):
    """What a replan started from."""

    as_of: Instant
    input_hash: str
    moves: tuple[Move, ...] = ()
    kept: int = 0
    """Items whose start is as it was."""
    frozen: int = 0
    """Of these, those that the frozen zone held."""
    cost: float = 0.0
    """What moving the others costs; part of the objective."""


class FeverPoint(Model):
    """How far a project is, and how much of its buffer that has taken."""

    as_of: Instant
    done: float
    """Share of the critical chain's likely hours."""
    used: float
    """Share of the buffer by which the finish is later than it was; above 1 it is later than promised."""
    zone: Literal["green", "yellow", "red"]


class FeverLine(Model):
    """A project against what was promised for it first, from plan to plan."""

    title: str = ""
    since: Instant
    """As-of of the plan that it is held against."""
    finish: Instant
    """As that plan had it."""
    promise: Instant
    chain: dict[str, float]
    """Items of its critical chain with their likely hours."""
    crew: tuple[str, ...] = ()
    """By whose working time the buffer is counted; by the clock without any."""
    buffer_hours: float
    points: tuple[FeverPoint, ...] = ()


class Fever(Model):
    """The fever chart: progress across, use of the buffer up (Leach, Critical Chain Project Management)."""

    zones: Zones
    projects: dict[str, FeverLine]


class Plan(Model):
    """The root of ``plan.json``."""

    throttle: Literal[1] = 1
    kind: Literal["plan"] = "plan"
    as_of: Instant
    zone: Zone
    slot: Effort
    week: IsoWeek
    """The week to let work into: that of as-of, or the next in which anyone is at work."""
    horizon: Instant
    """End of the time looked at."""
    currency: str = ""
    items: dict[str, PlannedItem]
    unscheduled: dict[str, Unscheduled]
    done: tuple[str, ...] = ()
    """Items finished or cancelled before as-of: history, not work."""
    containers: tuple[str, ...] = ()
    """Open items without work of their own: done when their children are."""
    inserted: dict[str, InsertedItem] = {}
    """Work that rules of the portfolio added to it; it is in ``items``, ``unscheduled`` or ``done`` as well."""
    releases: tuple[Release, ...]
    holds: tuple[Hold, ...]
    projects: dict[str, ProjectPlan]
    bottleneck: Load | None
    loads: tuple[Load, ...]
    drum: Drum | None = None
    """The bottleneck named, which changes more slowly than the loads."""
    pace: Pace | None = None
    """Whose work the rope and full kit protect; none where the policy asks for neither, or nobody has work."""
    debts: dict[str, Debt] = {}
    """Open items with interest."""
    overrides: tuple[Override, ...] = ()
    """Limits that do not hold for an item or project, and why, as the policy says."""
    weeks: tuple[Week, ...]
    certificate: Certificate
    findings: tuple[Finding, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    previous: Previous | None = None
    """What a replan started from, and what it moved."""
    fever: Fever | None = None
    """In a replan: how buffers are used up, where the plan before had any."""
    portfolio: Portfolio | None = None
    """What it was made from; left out above 10,000 items or on request."""


def with_inserted(plan: Plan, portfolio: Portfolio) -> Portfolio:
    """The portfolio with the work that a plan inserted into it, for whoever shows the plan."""
    if not plan.inserted:
        return portfolio
    work = portfolio.work | {id: inserted.item for id, inserted in plan.inserted.items()}
    return portfolio.model_copy(update={"work": work})


class Violation(Model):
    """One way in which a plan breaks a rule."""

    kind: str
    ids: tuple[str, ...]
    at: Instant | None = None
    amount: float | None = None
    """By how much, in the unit the message names."""
    message: str


class Kept(Model):
    """A rule that keeps an item from beginning earlier."""

    reason: Reason
    text: str
    """The evidence: who or what, until when."""
    refs: tuple[str, ...] = ()
    start: Instant
    """When it begins without the rule, everything else where it is."""


class Repair(Model):
    """What could be done about it."""

    text: str
    start: Instant | None = None
    """When the item begins then, the rest of the plan following in its own order."""
    cost: float | None = None
    """By how much the objective is more then; below 0 where it is less."""
    objective: float | None = None
    """The objective found in a search with it, where one was asked for."""


class Waited(Model):
    """A part of the chain of work and waiting that a late project ends with."""

    item: str
    start: Instant
    finish: Instant
    cause: str
    """``work``, ``closed`` (its people are not at work), ``other work of PERSON``, or ``waiting: REASON``."""
    hours: float
    """Of the clock."""


class Explanation(Model):
    """Why an item is planned when it is."""

    item: str
    reason: Reason | None = None
    """What keeps it from beginning earlier; none where nothing does."""
    text: tuple[str, ...]
    refs: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()
    """The rules that keep it: without each it begins earlier; where ``together``, only without all of them."""
    together: bool = False
    checked: bool = False
    """Whether each was checked by placing the item again without it."""
    repairs: tuple[Repair, ...] = ()
    """The cheapest first."""
    late: tuple[Waited, ...] = ()
    """Of a project: what passes from now to its end, the last first."""
    hours: dict[str, float] = {}
    """The same by cause."""


class PricePaid(Model):
    """What one project, or item with a cost of its own, has of it."""

    title: str = ""
    before: float
    after: float
    finish_before: Instant | None = None
    finish_after: Instant | None = None


class Price(Model):
    """What putting one project, or item, first costs all the others."""

    first: str
    currency: str = ""
    before: float
    """The objective of the plan."""
    after: float
    """With that first, measured with the same rates."""
    own: float
    """By how much its own cost changes."""
    others: float
    """By how much that of all others does."""
    moving: float = 0.0
    """Of that, by how much more it costs to move what was planned."""
    paid: dict[str, PricePaid]
    """Those whose cost or finish changes, the dearest first."""
    text: tuple[str, ...] = ()


class Verdict(Model):
    """What the checker says: the violations, and the objectives as it computes them."""

    ok: bool
    violations: tuple[Violation, ...]
    objective: float
    flow: float
    items: int
