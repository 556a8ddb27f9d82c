"""What is different between two plans."""

from __future__ import annotations

from throttle_models.base import Model
from throttle_models.people import Zone
from throttle_models.plan import Instant, IsoWeek, Move, Reason


class Figure(Model):
    """A figure in both plans; ``change`` = b - a."""

    a: float
    b: float
    change: float


class DatesChange(Model):
    """A project, or an item with a cost or due date of its own, whose dates or cost are not the same."""

    name: str
    title: str = ""
    finish_a: Instant | None = None
    finish_b: Instant | None = None
    promise_a: Instant | None = None
    promise_b: Instant | None = None
    due_b: Instant | None = None
    late_weeks: Figure
    cost: Figure


class HoldChange(Model):
    """An item that is held in one plan only, or for another reason."""

    item: str
    a: Reason | None = None
    b: Reason | None = None
    text: str
    """The words of the second plan, or of the first where the second does not hold it."""


class Moved(Move):
    hours: float | None = None
    """By how many hours of the clock; below 0 where it starts earlier."""


class Comparison(Model):
    """Two plans, the second usually of the same work later, or under other rules."""

    as_of_a: Instant
    as_of_b: Instant
    week_a: IsoWeek
    week_b: IsoWeek
    zone: Zone
    currency: str = ""
    same_work: bool
    """Whether both were made from the same portfolio."""
    objective: Figure
    flow: Figure
    bound: Figure
    moving: float = 0.0
    """Of the second objective, what moving planned starts costs."""
    projects: tuple[DatesChange, ...] = ()
    moves: tuple[Moved, ...] = ()
    """Work still to begin in both that starts at another time, the nearest start first."""
    kept: int = 0
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    """Neither scheduled nor left out in the second plan, nor history."""
    begun: tuple[str, ...] = ()
    finished: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """Scheduled in the first and left out of the second."""
    hours: dict[str, Figure] = {}
    """By person whose hours from the later as-of on are not the same."""
    released: tuple[str, ...] = ()
    """To let in by the second plan only."""
    no_longer_released: tuple[str, ...] = ()
    """To let in by the first, not by the second, and not begun."""
    holds: tuple[HoldChange, ...] = ()
