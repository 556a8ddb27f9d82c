"""What came of earlier plans: how right forecasts, estimates and reserves were, and what to change."""

from __future__ import annotations

from typing import Any, Literal

from throttle_models.base import Model
from throttle_models.people import Zone
from throttle_models.plan import Fever, Instant, IsoWeek


class Coverage(Model):
    """Of the forecasts at one level that have come due: how many were kept."""

    level: float
    """The share of forecasts that should be kept."""
    due: int
    kept: int
    share: float | None
    """kept / due; none where none has come due."""
    low: float | None = None
    high: float | None = None
    """The true share lies in [low, high] with 95 % confidence (Wilson 1927), were items independent."""


class Planned(Model):
    """One earlier plan against what happened."""

    as_of: Instant
    weeks: float
    """Since then."""
    coverage: tuple[Coverage, ...]
    """Of its items, by simulated forecasts; without simulation only that of the planned dates, as level 0.5."""
    late_days: float | None = None
    """Median of actual less planned finish, of what it planned to be finished by now and is."""
    finished: int = 0
    open: int = 0
    """Items that it planned to be finished by now and that are not."""


class Bias(Model):
    """Actual against estimated working time of a group of finished items."""

    of: Literal["all", "type", "team", "skill"]
    name: str
    basis: Literal["logged", "inferred"] = "inferred"
    """Whether actual time is what was logged on the items, or working hours between start and finish."""
    count: int
    ratio: float
    """Geometric mean of actual / estimate; above 1: it took longer."""
    low: float
    high: float
    """95 % confidence of the ratio; wide where there are few."""
    p10: float
    p90: float
    """Of the single ratios: what a spread should say."""
    above: float | None = None
    """Share of items above the high of their range; 10 % is right. None where no estimate gives a range."""
    below: float | None = None


class ReserveWeek(Model):
    """Unplanned work that came in a week, against what was kept free."""

    week: IsoWeek
    hours: float
    kept: float


class ReserveCheck(Model):
    weeks: tuple[ReserveWeek, ...]
    covered: float | None
    """Share of weeks in which the reserve sufficed; 80 % is what a p80 reserve should reach."""
    p80: float | None
    """Hours a week that would have covered 80 % of these weeks."""


class Proposal(Model):
    """A change that a planner accepts or not."""

    name: str
    path: tuple[str, ...]
    """The field of the portfolio."""
    now: Any = None
    value: Any
    why: str
    samples: int


class Feedback(Model):
    """The answer of ``throttle feedback``."""

    throttle: Literal[1] = 1
    kind: Literal["feedback"] = "feedback"
    as_of: Instant
    zone: Zone
    plans: tuple[Planned, ...]
    coverage: tuple[Coverage, ...]
    """Of all plans together."""
    fever: Fever | None
    """The fever chart, a point for each plan and one for now."""
    estimates: tuple[Bias, ...]
    basis: str
    """What actual time is."""
    reserve: ReserveCheck
    proposals: tuple[Proposal, ...]
    patch: dict[str, Any] = {}
    """All proposals, in the form of a portfolio file: what ``change`` of a scenario takes."""
    notes: tuple[str, ...] = ()
    """What could not be told, and why."""
