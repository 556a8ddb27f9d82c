"""What readers make of an export: tickets with their links and history, and people, calendars and days off."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from throttle_models import Calendar, LagKind, LinkType, Need

if TYPE_CHECKING:
    from throttle.ingest.readers import Tracker


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that became nothing, and why. The reason is a sentence that begins after ``row N``, without cell text."""

    file: str
    row: int
    column: str | None
    reason: str


@dataclass(slots=True)
class Tie:
    """A link of a ticket to another one. Stated from both ends it becomes one edge."""

    other: str
    """Id or alias of the other ticket; it may be in no file."""
    outward: bool
    """Of a ``kind``: whether this is its outward end. Without: whether this ticket comes first."""
    kind: str = ""
    """The tracker's name of the link type, whose meaning is looked up (mapping, then well-known names)."""
    origin: str = ""
    """Column or field."""
    meaning: str = ""
    """Of the kind, where its verbs tell: ``FS``, ``FS-reversed``, ``relates``; a mapping counts before it."""
    type: LinkType | None = None
    """Where the format itself says which ends are meant; else that of the kind, else FS."""
    lag: str = "0"
    """As ``Link.lag``: ``8h``, ``-30m``."""
    lag_in: LagKind | None = None
    title: str = ""
    status: str = ""
    category: str = ""
    """Of the other one, where the format shows it beside the link: an external stub takes it over."""


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a ticket's history."""

    at: datetime
    field: str
    """``status`` or ``assignee``."""
    before: str
    after: str


@dataclass(slots=True)
class Share:
    """One of several people on a ticket."""

    name: str
    account: str = ""
    units: float | None = None
    """Of their time, 1 for all of it; None where the format does not say: then any one of those named does it."""
    minutes: float | None = None
    """Their own work, in working minutes; None: an equal part of the ticket's."""


@dataclass(slots=True)
class Ticket:
    """One row, as its tracker has it. Times are UTC, durations working minutes. Needed: id, file, row, reader."""

    id: str
    file: str
    row: int
    reader: Tracker
    aliases: list[str] = field(default_factory=list)
    """Other ids of it, such as a number or key that links may use. One that two tickets share is nobody's."""
    title: str = ""
    type: str = ""
    status: str = ""
    category: str = ""
    """``new``, ``in progress``, ``done``, where the tracker says so beside its own states."""
    resolution: str = ""
    active: bool | None = None
    project: str = ""
    project_title: str = ""
    parents: list[str] = field(default_factory=list)
    """Ids or aliases; the first that is in the files counts."""
    assignee: str = ""
    assignee_id: str = ""
    crew: list[Share] = field(default_factory=list)
    """Where several people are on it: all of them, the assignee included."""
    components: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    group: str = ""
    team: str = ""
    skills: list[str] = field(default_factory=list)
    """Skills that the work needs, where the format says so (an activity code, a role): before components and groups."""
    priority: str = ""
    created: datetime | None = None
    updated: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    category_changed: datetime | None = None
    viewed: datetime | None = None
    due: date | datetime | None = None
    not_before: date | datetime | None = None
    """A release date that someone meant, never a previous plan's start."""
    pinned: datetime | None = None
    """It must start just then."""
    planned: tuple[datetime | None, datetime | None] = (None, None)
    """A previous plan, or the window of a change."""
    original: float | None = None
    range: tuple[float, float] | None = None
    """Low and high, beside ``original`` as likely."""
    remaining: float | None = None
    spent: float | None = None
    duration: float | None = None
    """Working time from start to finish, where that is fixed and not the effort."""
    wait: float | None = None
    """Elapsed minutes of work that needs nobody, such as a delivery."""
    needs: list[Need] = field(default_factory=list)
    """Who is needed for how much, where the format says it as a portfolio does: before estimates and people."""
    rate: float | None = None
    """Cost of a week's delay, where the file states it."""
    exact: bool = False
    """The file holds a portfolio: what it does not say of effort, cost and due date is not there, and no default
    stands in."""
    points: float | None = None
    links: list[Tie] = field(default_factory=list)
    container: bool = False
    """A summary: never work itself, even without parts."""
    milestone: bool = False
    """A moment: no work, even where an estimate is stated."""
    history: list[Step] = field(default_factory=list)
    version: int | None = None
    """Of an event log: which of the rows of one ticket is the last one."""
    sprint: str = ""
    """The current or last one; a tag, no date."""
    same_as: list[str] = field(default_factory=list)
    """Ids of the same ticket in another system."""
    change_kind: str = ""
    risk: str = ""
    services: list[str] = field(default_factory=list)
    approval: str = ""
    on_hold: bool = False
    hold: str = ""
    """Why, in a file that holds a portfolio."""


@dataclass(slots=True)
class Resource:
    """A person of whom a file says more than that work is assigned to them."""

    name: str
    account: str = ""
    calendar: str | None = None
    """Key of :attr:`Intake.calendars`."""
    skills: dict[str, int] = field(default_factory=dict)
    team: str = ""
    row: int = 0
    id: str = ""
    """Of the person in a portfolio, where the file says it; teams and skills are then ids too."""
    productive: float | None = None
    """Share of the hours of the calendar that are planned."""


@dataclass(slots=True)
class DayOff:
    """Days, both included, on which somebody or everybody does not work; or on which they work after all."""

    first: date
    last: date
    who: str = ""
    """A person as the file names them; empty: everybody."""
    working: bool = False
    """A working day in spite of a holiday or weekend."""
    row: int = 0


Entry = Ticket | Resource | DayOff | Rejection
"""What a document reader makes of one record of its file; so that every record is counted once."""

__all__ = ["Calendar", "DayOff", "Entry", "Rejection", "Resource", "Share", "Step", "Ticket", "Tie"]
