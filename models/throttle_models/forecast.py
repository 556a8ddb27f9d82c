"""When work will be done, how sure that is, and what it depends on: a plan executed many times."""

from __future__ import annotations

from typing import Literal

from throttle_models.base import Finding, Model
from throttle_models.people import Zone
from throttle_models.plan import Instant
from throttle_models.policy import Zones


class Spread(Model):
    """A figure over all runs."""

    mean: float
    p50: float
    p85: float
    p95: float


class Dates(Model):
    """Moments not exceeded in so many per cent of the runs; none where that is after the last moment looked at."""

    p10: Instant | None
    p50: Instant | None
    p85: Instant | None
    p95: Instant | None


class Chance(Model):
    """A share of the runs, with the interval in which the chance lies at 95 % (Wilson 1927)."""

    share: float
    low: float
    high: float


Driver = Literal["time of an item", "unplanned work", "absences", "failed tests", "failed changes"]


class Risk(Model):
    """What moves the finish of a project most."""

    what: Driver
    item: str | None = None
    """Where it is the time of an item."""
    title: str = ""
    rank_correlation: float
    """Spearman's, of its size with the finish, over all runs; ``low`` and ``high``: interval at 95 % (Fisher)."""
    low: float
    high: float
    days: float
    """How much later, in days of the clock, the finish is in the quarter of the runs in which it is largest than in the
    quarter in which it is smallest; ``days_error``: standard error of that."""
    days_error: float


class FeverExpected(Model):
    """Where a project is expected to be on the fever chart when an item of its chain is done."""

    item: str
    done: float
    """Share of the chain's likely hours that is done then."""
    used: float
    """Share of the buffer used by then, mean over runs."""
    used_p85: float
    zone: Literal["green", "yellow", "red"]
    """Of the mean."""


class FanPoint(Model):
    """Share of the runs in which a project is finished by a moment."""

    moment: Instant
    share: float


class ProjectForecast(Model):
    """A project, or an item with a cost or due date of its own."""

    title: str = ""
    planned: Instant | None
    """Finish as planned."""
    due: Instant | None = None
    dates: Dates
    buffer_hours: float | None
    """p85 - p50, in hours of the clock."""
    promise: Instant | None
    """The date to tell others: p50 and the buffer behind it."""
    chance_of_due: Chance | None = None
    chance_of_plan: Chance | None
    chance_of_promise: Chance | None = None
    """That the promise of the plan is kept, where the plan has one with a buffer."""
    cost: Spread
    """Cost of delay, in the portfolio's currency."""
    where: dict[str, float]
    """Mean hours of the clock from as-of to the finish by what they went into, along the chain of work that made it so
    late; they add up to the mean finish."""
    risks: tuple[Risk, ...] = ()
    fever: tuple[FeverExpected, ...] = ()
    fan: tuple[FanPoint, ...] = ()


class Forecast(Model):
    """What ``throttle forecast --json`` prints."""

    throttle: Literal[1] = 1
    kind: Literal["forecast"] = "forecast"
    as_of: Instant
    zone: Zone
    currency: str = ""
    input_hash: str
    runs: int
    seed: int
    start: Literal["gained", "planned", "free"]
    crews: Literal["planned", "able"]
    until: Instant
    """The last moment looked at."""
    planned_cost: float
    cost: Spread
    """Cost of delay of the portfolio."""
    dates: Dates
    """Of the last finish."""
    planned: Instant | None
    where: dict[str, float]
    """Mean hours of all items, from ready to finished, by what they went into."""
    flow_efficiency: float | None
    """Time worked on items / time from ready to finished."""
    projects: dict[str, ProjectForecast]
    fever_zones: Zones = Zones()
    """Of all fever charts."""
    wip: float
    throughput: float
    """Items a week."""
    lead_hours: float
    touch_hours: float
    """Person-hours on planned items, rework included, mean."""
    unplanned_hours: float
    absent_hours: float
    failed_tests: float
    failed_changes: float
    unfinished: float
    """Items not finished by the last moment looked at, mean."""
    little_residual: float
    """Of Little's law, the largest of all runs."""
    work_residual: float
    """Of the conservation of work, the largest of all runs."""
    assumptions: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
