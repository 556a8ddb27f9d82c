"""The changes of a plan by occurrence of their windows, and what batches of another size would cost."""

from __future__ import annotations

from datetime import date

from throttle_models.base import Model
from throttle_models.people import Zone
from throttle_models.plan import Instant, IsoWeek


class PlannedChange(Model):
    """A change that the plan has a place for."""

    item: str
    title: str = ""
    start: Instant
    finish: Instant
    services: tuple[str, ...] = ()
    risk: int | None = None
    people: tuple[str, ...] = ()


class Occurrence(Model):
    """One occurrence of a window that is used."""

    window: str
    week: IsoWeek
    start: Instant
    finish: Instant
    changes: tuple[PlannedChange, ...]
    limit: int | None = None
    """Most changes."""
    risk: int = 0
    """Of its changes together; unset counts 0."""
    risk_limit: int | None = None
    minutes: float
    """Its length."""
    minutes_used: float
    """During which at least one change runs or could be rolled back."""
    kept_apart: int = 0
    """Pairs of its changes that alter near services, and so run one after the other."""


class Blocked(Model):
    """An occurrence, not used, that a freeze touches."""

    window: str
    week: IsoWeek
    start: Instant
    finish: Instant
    services: tuple[str, ...] = ()
    """None: all."""
    why: str = ""


class Batch(Model):
    """So many changes in each occurrence that is used."""

    size: int
    overhead: float
    """T D / Q, a week."""
    waiting: float
    """H Q / 2, a week."""
    failing: float = 0.0
    """a p D Q, a week."""
    total: float
    planned: float | None = None
    """What a plan with batches of this size costs in all: its objective and the overhead; none where not planned."""
    occurrences: int | None = None
    """How many occurrences that plan uses."""
    text: str = ""
    """Why there is no such plan."""


class Curve(Model):
    """What batches cost, by their size (economic order quantity, Harris 1913; Reinertsen 2009)."""

    window: str
    changes: int
    """To be planned in this window."""
    demand: float
    """D: changes a week."""
    overhead: float
    """T: what using one occurrence costs."""
    waiting: float
    """H: what a change that waits a week costs, on average."""
    failing: float = 0.0
    """a p: what each pair of changes in a batch adds, as they fail together."""
    best: float
    """Q* = sqrt(2 T D / (H + 2 a p D))."""
    recommended: int
    """Of the sizes planned, the one whose plan costs least; where none was, the size with the least total."""
    batches: tuple[Batch, ...]
    text: str = ""
    """What the figures rest on."""


class ChangeCalendar(Model):
    """What ``throttle changes`` tells."""

    as_of: Instant
    zone: Zone
    unit: str = ""
    hops: int
    """How far apart services count as near."""
    occurrences: tuple[Occurrence, ...]
    outside: tuple[PlannedChange, ...] = ()
    """Changes without a window."""
    blocked: tuple[Blocked, ...] = ()
    left_out: dict[str, str] = {}
    """Changes that are not in the schedule, and why."""
    kept_apart: int = 0
    """Pairs of changes that alter near services and run on the same local day, one after the other."""
    days: dict[date, int] = {}
    """Changes by the local day on which they start."""
    curves: tuple[Curve, ...] = ()
