"""The work: projects, items of four types, their needs and links, changes, services, windows and freezes."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_serializer, model_validator

from throttle_models.base import Model, Text
from throttle_models.people import Hours, Zone
from throttle_models.quantities import MOST, Days, Effort, Elapsed, Estimate, Lag, Rate, Share, Weekly, When, keyed


class WorkType(Text):
    """The four types of work of *The Phoenix Project*."""

    PROJECT = "project"
    INTERNAL = "internal"
    CHANGE = "change"
    UNPLANNED = "unplanned"


class Status(Text):
    OPEN = "open"
    IN_PROGRESS = "in-progress"
    DONE = "done"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """A tracker's status that no mapping explains: not begun, and not planned until it is mapped."""


class LinkType(Text):
    """Which end waits for which: finish-to-start, start-to-start, finish-to-finish, start-to-finish."""

    FS = "FS"
    SS = "SS"
    FF = "FF"
    SF = "SF"


class LagKind(Text):
    WORKING = "working"
    ELAPSED = "elapsed"


class Link(Model):
    """A precedence from another item (or external stub) to the item that holds it; an id alone means FS without lag.

    FS: start >= finish of the other + lag; SS: start >= its start + lag; FF: finish >= its finish + lag; SF: finish >=
    its start + lag. A link from or to a container (an item with children) holds for each item in it.
    """

    item: str
    type: LinkType = LinkType.FS
    lag: Lag = "0"
    lag_in: LagKind | None = None
    """``working``: hours of the people on the item that waits (1d = 8h); ``elapsed``: the clock (1d = 24h).

    Default: elapsed if the item that waits needs nobody, else working.
    """
    origin: str | None = None
    """Where it was read, such as a column."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        return {"item": value} if isinstance(value, str) else value

    @model_serializer(mode="wrap")
    def _write(self, handler: Any) -> Any:
        data = {k: v for k, v in handler(self).items() if v is not None}
        return self.item if self == Link(item=self.item) else data

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "description": "id of the other; FS without lag"}, handler(schema)]}


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class Need(Model):
    """People needed at the same time: how many, with which skill and level, for how much work together.

    Time taken = effort / (people * allocation), or the item's ``duration``. Each need's people begin together; those
    whose need is done first leave first.
    """

    skill: str | None = None
    level: Annotated[int, Field(ge=1, le=9)] = 1
    effort: Estimate | None = None
    remaining: Effort | None = None
    """What is left of it, where work has begun; instead of ``effort``."""
    people: Annotated[int, Field(ge=1, le=1000)] = 1
    allocation: Share = 1.0
    """The share of each one's time while the item is worked on."""
    who: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    """Only these people; without a skill, whatever they hold."""

    @model_validator(mode="after")
    def _says_who(self) -> Need:
        if self.skill is None and not self.who:
            raise ValueError("a need names a skill, or who, or both")
        return self


class Approval(Model):
    """Normal changes wait for it; standard ones are authorised beforehand, emergencies as soon as possible."""

    board: str | None = None
    """Decides at the first of its meetings, where any are known."""
    lead: Elapsed = timedelta(0)
    """Time from asking to the decision, or to the first meeting that can decide; the change cannot begin earlier."""
    asked: When | None = None
    """When it was asked for. Default: as of the plan."""
    given: bool = False


class ChangeKind(Text):
    STANDARD = "standard"
    NORMAL = "normal"
    EMERGENCY = "emergency"


class Change(Model):
    """What makes an item a change: which services it alters, how, and in which kind of window."""

    kind: ChangeKind = ChangeKind.NORMAL
    services: tuple[str, ...] = ()
    risk: Annotated[int, Field(ge=0, le=100)] | None = None
    window: str | None = None
    """The change runs without a pause within one occurrence of this window."""
    rollback: Elapsed | None = None
    """Time to undo it, kept free in the window after it."""
    approval: Approval | None = None


class Verify(Model):
    """Who stays, and how long, until the change has proved itself."""

    by: str = "implementer"
    """``implementer``: the same people; otherwise a skill."""
    for_: Annotated[Effort, Field(alias="for")]


class Costs(Model):
    """What an item or project costs besides ``cost_of_delay``, all in the portfolio's currency per week."""

    tardiness: Rate | None = None
    """For each week that it finishes after ``due``."""
    earliness: Rate | None = None
    """For each week that it starts before ``wanted_start``."""
    flow: Rate | None = None
    """For each week from as-of to its finish."""


class Source(Model):
    """Where it was read."""

    file: str | None = None
    row: int | None = None
    system: str | None = None
    other_id: str | None = None
    """Another id of the record there, such as a sys_id."""
    updated: When | None = None
    """When the record there was last changed: whoever writes back can tell whether it has changed since."""
    assignee: str | None = None
    """As it is written there."""
    planned_start: When | None = None
    planned_end: When | None = None
    """The earlier plan that the record holds."""
    due: When | None = None
    """The due date that the record holds: one that a newer export no longer says is taken back."""


def _uses(value: Any) -> Any:
    return {value: 1} if isinstance(value, str) else keyed(value, 1)


Uses = Annotated[dict[str, Annotated[int, Field(ge=1, le=MOST)]], BeforeValidator(_uses)]


class WorkItem(Model):
    """One piece of work. With children it is a container: done when they are, and without work unless it has needs."""

    title: str = ""
    type: WorkType = WorkType.PROJECT
    status: Status = Status.OPEN
    raw_status: str | None = None
    """The tracker's own word."""
    project: str | None = None
    """Default: the parent's."""
    parent: str | None = None
    """Containment, apart from precedence."""
    needs: tuple[Need, ...] = ()
    duration: Effort | None = None
    """Working time that everyone in ``needs`` spends together, where it is fixed."""
    wait: Elapsed | None = None
    """Elapsed time of an item that needs nobody (an approval, a delivery)."""
    pausable: bool = True
    """Whether work may stop over closed time and go on after; false: one uninterrupted run."""
    after: Annotated[tuple[Link, ...], BeforeValidator(_several)] = ()
    environment: Uses = {}
    """Places it occupies from start to finish, and how much of each; a name alone means 1."""
    not_before: When | None = None
    wanted_start: When | None = None
    due: When | None = None
    cost_of_delay: Rate | None = None
    """Per week late where there is a due date, else per week until it is finished."""
    costs: Costs | None = None
    priority: str | None = None
    created: When | None = None
    started: When | None = None
    finished: When | None = None
    spent: Effort | None = None
    """Working time that was logged on it, of all people together."""
    on_hold: str | None = None
    """Why a person has taken it out of the plan."""
    change: Change | None = None
    verify: Verify | None = None
    interest: dict[str, Weekly] = {}
    """Unplanned work that this debt causes until it is paid, by skill."""
    tags: tuple[str, ...] = ()
    inferred: tuple[str, ...] = ()
    """Fields that an importer derived or took from a default."""
    source: Source | None = None

    @model_validator(mode="after")
    def _consistent(self) -> WorkItem:
        if self.wait is not None and (self.needs or self.duration is not None):
            raise ValueError("an item has either a wait (nobody needed) or needs, not both")
        if self.duration is None:
            for i, need in enumerate(self.needs):
                if need.effort is None and need.remaining is None:
                    raise ValueError(f"needs.{i} says no effort: write effort: 8h, or a duration on the item")
        return self


class Project(Model):
    title: str = ""
    cost_of_delay: Rate | None = None
    """Per week late where there is a due date, else per week until it is finished."""
    costs: Costs | None = None
    makespan: Rate | None = None
    """For each week between its first start and its finish."""
    due: When | None = None
    not_before: When | None = None
    in_process: bool | None = None
    """Whether it has been let in already. Default: some of its work is in progress or done."""
    inferred: tuple[str, ...] = ()


class External(Model):
    """Something outside the portfolio that links point to."""

    title: str = ""
    status: Status = Status.UNKNOWN
    expected: When | None = None
    """When it will be done; what waits for it cannot begin earlier."""


class Service(Model):
    """A configuration item that changes alter, and the services it stands on."""

    title: str = ""
    tier: Annotated[int, Field(ge=0, le=9)] | None = None
    depends_on: tuple[str, ...] = ()


class Window(Model):
    """When changes may go in: each range of ``every`` is one occurrence a week."""

    every: Hours
    zone: Zone | None = None
    closed: tuple[Days, ...] = ()
    """Days on which no occurrence begins."""
    changes: Annotated[int, Field(ge=1)] | None = None
    risk: Annotated[int, Field(ge=0)] | None = None
    overhead: dict[str, Effort] = {}
    """Work for each occurrence that is used, by skill."""


class Board(Model):
    """Who authorises changes, and when they meet: each range of ``every`` is one meeting."""

    every: Hours
    zone: Zone | None = None
    """Default: the portfolio's."""


class Freeze(Model):
    """Days on which no change touches these services (none named: any service)."""

    from_: Annotated[When, Field(alias="from")]
    to: When
    """Its last day or moment, included."""
    services: tuple[str, ...] = ()
    why: str = ""
