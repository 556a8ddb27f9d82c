"""The throttle curve: what letting in more or less at once does to lead times, throughput and cost of delay."""

from __future__ import annotations

from typing import Literal

from throttle_models.base import Model
from throttle_models.people import Zone
from throttle_models.plan import Instant
from throttle_models.scenario import Difference


class Measured(Model):
    """A mean over runs, in [low, high] with 95 % confidence."""

    mean: float
    low: float
    high: float


class CurvePoint(Model):
    """What one limit does."""

    limit: float | None
    """Projects in process, or hours of the rope; none: no limit."""
    cost: Measured
    """Of delay, in the portfolio's currency."""
    lead: Measured
    """Hours of the clock from when an item could begin until it is finished, waiting to be let in included."""
    p85: Measured
    """Of the projects' days from as-of (or from when they may begin) to their finish: what 85 % of them keep."""
    throughput: Measured
    """Items finished a week, until the last."""
    in_process: Measured
    """Items let in and unfinished, over time."""
    difference: Difference | None = None
    """Of the measure that decides, less that without a limit."""


class Limits(Model):
    """One kind of limit: its curve, and what is recommended."""

    of: Literal["projects", "rope"]
    now: float | None = None
    """The limit of the policy."""
    points: tuple[CurvePoint, ...]
    """From the tightest on; the last has no limit."""
    recommended: float | None = None
    """None: no limit is needed."""
    best: float | None = None
    """The limit with the least mean, also where chance could explain it; none: without a limit."""
    gain: Measured
    """By how much ``best`` is better than no limit, of runs that had no part in choosing it, and the interval at
    ``Curve.confidence``."""
    text: str


class Curve(Model):
    """The answer of ``throttle curve``."""

    throttle: Literal[1] = 1
    kind: Literal["curve"] = "curve"
    input_hash: str = ""
    """Of the portfolio, as in the certificate of a plan."""
    as_of: Instant
    zone: Zone
    currency: str = ""
    measure: Literal["cost of delay", "lead time"]
    """What decides: lead time, in hours, where nothing has a cost."""
    seed: int
    runs: int
    """Most of each limit; what was soon seen to be worse has had fewer."""
    confidence: float
    """At which a limit is recommended."""
    switching: float
    """What an item takes longer for each other one that waits for the same person, as assumed."""
    unfinished: float
    """Share of items that were not finished by the end of a run; where it is not small, longer runs are needed."""
    limits: tuple[Limits, ...]
