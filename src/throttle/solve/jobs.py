"""What one worker does for a while: a search, an exact model, bounds. One kind of job is one class.

A job shares nothing with the jobs beside it; what it has found is taken from it by whoever runs it. So in deterministic
mode, where a job's length is counted in work, what comes out depends on no clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from throttle.instance import Instance, Schedule
    from throttle.solve.bounds.lagrangian import Lagrangian
    from throttle.solve.exact.cpsat import Found
    from throttle.solve.search import Search

STEP_SECONDS = 0.03
"""A step of a search lasts about so long, so that it can be stopped soon."""
COST_SHARE = 0.75
"""Of the time for bounds, that for the bound on the cost where the flow measure is another goal."""


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

    @property
    def name(self) -> str: ...

    @property
    def bound(self) -> float: ...

    @property
    def flow_bound(self) -> float: ...

    @property
    def proved(self) -> bool: ...

    @property
    def best(self) -> Schedule | None: ...

    def run(self, span: Span) -> None:
        """Go on until the span is over."""


class Searching:
    """A search, for as long as the span lasts."""

    bound = flow_bound = 0.0
    proved = False

    def __init__(self, name: str, search: Search, enough: float, cooling: tuple[float, float] = (0.0, 1.0)) -> None:
        """``enough``: a cost that cannot be beaten. ``cooling``: how much of the whole search this span is."""
        self.name, self.search, self.enough, self.cooling = name, search, enough, cooling

    @property
    def best(self) -> Schedule:
        return self.search.best

    def run(self, span: Span) -> None:
        first, last = self.cooling

        def step(share: float, work: float) -> float:
            return self.search.step(first + (last - first) * share, work)

        _in_steps(span, self.search.rate, step, lambda: self.search.best.cost <= self.enough)


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
    """Lagrangian bounds on the cost and, where that is another goal, on the flow measure, in turns."""

    name = "Lagrangian bound"
    best: Schedule | None = None
    proved = False

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.bounds: list[Lagrangian] | None = None

    @property
    def bound(self) -> float:
        return self.bounds[0].bound if self.bounds else 0.0

    @property
    def flow_bound(self) -> float:
        return self.bounds[-1].bound if self.bounds else 0.0

    def begin(self) -> None:
        """Look at a little of it, so that nothing is left to compile."""
        for bound in self.prepare():
            bound.step(1.0)

    def prepare(self) -> list[Lagrangian]:
        """Set up on first use."""
        if self.bounds is None:
            from throttle.solve.bounds import Network
            from throttle.solve.bounds.lagrangian import Lagrangian
            from throttle.solve.rules import Facts

            facts = Facts(self.instance)
            network = Network(self.instance, facts)
            goals: tuple[Literal["cost", "flow"], ...] = ("cost",) if self._same() else ("cost", "flow")
            self.bounds = [Lagrangian(self.instance, facts, network, goal) for goal in goals]
        return self.bounds

    def _same(self) -> bool:
        """Whether the cost is the flow measure."""
        a = self.instance.arrays
        return not (a.tardiness.any() or a.span.any() or a.earliness.any()) and bool((a.flow == a.measure).all())

    def run(self, span: Span) -> None:
        bounds = self.prepare()

        def step(share: float, work: float) -> float:
            first = not bounds[0].done and (share < COST_SHARE or bounds[-1].done)
            return bounds[0 if first else -1].step(work)

        _in_steps(span, bounds[0].rate, step, lambda: all(b.done for b in bounds))


def _in_steps(span: Span, rate: float, step: Callable[[float, float], float], enough: Callable[[], bool]) -> None:
    """Call step(share of the span that is over, work) with steps of some milliseconds until the span is over."""
    work, done, quota = rate * STEP_SECONDS, 0.0, rate * span.seconds
    while not span.is_set() and not enough():
        share = done / quota if span.deterministic else span.elapsed / span.seconds
        if share >= 1:
            break
        began = time.monotonic()
        used = step(share, work)
        done += used
        if not span.deterministic:
            speed = used / max(time.monotonic() - began, 1e-6)
            work = min(max(speed * STEP_SECONDS, work / 2), work * 2)
