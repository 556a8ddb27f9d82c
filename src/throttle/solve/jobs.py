"""What one worker does for a while: a search, an exact model, bounds. One kind of job is one class.

A job shares nothing with the jobs beside it; what it has found is taken from it by whoever runs it. So in deterministic
mode, where a job's length is counted in work, what comes out depends on no clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from throttle.instance import Schedule
    from throttle.solve.cpsat import Found
    from throttle.solve.search import Search

STEP_SECONDS = 0.03
"""A step of a search lasts about so long, so that it can be stopped soon."""


class Span:
    """How long a job may go on: so many seconds or, in deterministic mode, the work that they stand for.

    It can be asked like an event whether to stop at once.
    """

    def __init__(self, seconds: float, deterministic: bool, halted: Callable[[], bool]) -> None:
        self.seconds = max(seconds, 1e-3)
        self.deterministic, self.halted = deterministic, halted
        self.began = time.monotonic()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    @property
    def left(self) -> float:
        """Seconds; in deterministic mode always the whole."""
        return self.seconds if self.deterministic else max(0.0, self.seconds - self.elapsed)

    def is_set(self) -> bool:
        return self.halted() or (not self.deterministic and self.elapsed >= self.seconds)


class Job(Protocol):
    """A piece of work for one phase; the fields are what it has found so far."""

    name: str
    bound: float
    flow_bound: float
    proved: bool

    @property
    def best(self) -> Schedule | None: ...

    def run(self, span: Span) -> None:
        """Go on until the span is over."""


class Searching:
    """A search, for as long as the span lasts."""

    bound = flow_bound = 0.0
    proved = False

    def __init__(self, name: str, search: Search, enough: float) -> None:
        """``enough``: a cost that cannot be beaten."""
        self.name, self.search, self.enough = name, search, enough

    @property
    def best(self) -> Schedule:
        return self.search.best

    def run(self, span: Span) -> None:
        work, done = self.search.rate * STEP_SECONDS, 0.0
        quota = self.search.rate * span.seconds
        while not span.is_set() and self.search.best.cost > self.enough:
            share = done / quota if span.deterministic else span.elapsed / span.seconds
            if share >= 1:
                break
            began = time.monotonic()
            used = self.search.step(share, work)
            done += used
            if not span.deterministic:
                rate = used / max(time.monotonic() - began, 1e-6)
                work = min(max(rate * STEP_SECONDS, work / 2), work * 2)


class Modelling:
    """An exact model, once."""

    flow_bound = 0.0

    def __init__(self, name: str, solve: Callable[[float], Found]) -> None:
        """``solve``: given its seconds, what the model finds."""
        self.name, self.solve = name, solve
        self.best: Schedule | None = None
        self.bound, self.proved = 0.0, False
        self.found: Found | None = None

    def run(self, span: Span) -> None:
        found = self.found = self.solve(span.left)
        self.best, self.bound, self.proved = found.schedule, found.bound, found.proved


class Bounding:
    """Bounds that get better with time, on the cost and on the flow measure."""

    best: Schedule | None = None
    proved = False

    def __init__(self, name: str, improve: Callable[[Span], tuple[float, float]]) -> None:
        self.name, self.improve = name, improve
        self.bound = self.flow_bound = 0.0

    def run(self, span: Span) -> None:
        self.bound, self.flow_bound = self.improve(span)
