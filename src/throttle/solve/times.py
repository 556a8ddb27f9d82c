"""Times first, crews after: is there any schedule that costs less than the incumbent?

The times alone are a relaxation, so that none below the incumbent proves it (and the optimum of the times bounds the
cost). Where no one needs to be chosen, times are a schedule. Otherwise crews are looked for; if there are none, some
pair of a smallest set of activities that cannot be staffed at these times must not overlap, in any schedule: that is
added, and times are looked for again (logic-based Benders decomposition: Hooker and Ottosson, 2003).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from throttle.instance import Instance, Schedule
from throttle.solve.cliques import cliques
from throttle.solve.cpsat import Found, Runner
from throttle.solve.crews import Crews, overlapping
from throttle.solve.features import always_open
from throttle.solve.goal import Goal
from throttle.solve.jit import kernels
from throttle.solve.relaxed import Relaxed
from throttle.solve.timing import Timing, Windows

if TYPE_CHECKING:
    from throttle.instance import Ints
    from throttle.solve import Settings

MOST_ACTIVITIES = 600
SHARE = 0.7
"""Of the time left, for looking for times once: what is left serves to cut them off when nobody can keep them."""
PARAMETERS: dict[str, Any] = {"linearization_level": 0, "use_overload_checker_in_cumulative": True}


@dataclass
class _Best:
    value: int
    schedule: Schedule | None = None
    starts: Ints | None = None
    """The last times found, where no crews are known for them."""


class Times:
    """Refutes or improves an incumbent of an always-open instance; prepared once, solved as often as wanted."""

    def __init__(self, instance: Instance, settings: Settings, stop: threading.Event) -> None:
        self.instance, self.settings, self.stop = instance, settings, stop
        self._relaxed: Relaxed | None = None
        self.cuts: list[list[tuple[int, int]]] = []
        """Of each list of pairs of activities, at least one pair never overlaps."""

    def supports(self) -> bool:
        return 0 < self.instance.n <= MOST_ACTIVITIES and always_open(self.instance)

    def _prepare(self) -> Relaxed:
        if self._relaxed is None:
            self._relaxed = Relaxed(self.instance)
            self.goal = Goal.of(self.instance)
            self.crews = Crews(self._relaxed)
            self.cliques = cliques(self._relaxed)
        return self._relaxed

    def solve(
        self, incumbent: Schedule, bound: float, seconds: float, workers: int | None = None, **parameters: object
    ) -> Found:
        """Look for a schedule that costs less than the incumbent.

        bound: a known lower bound on the cost. seconds: of the clock, or of CP-SAT's deterministic time. parameters: of
        CP-SAT, above those chosen here.
        """
        runner = Runner(self.settings, self.stop, seconds)
        relaxed = self._prepare()
        goal = self.goal
        best = _Best(goal.value(incumbent.start, incumbent.end))
        least = goal.least(bound)
        hint = incumbent.start
        whole = goal.exact

        def staff(solver: Any) -> None:
            """Try to find crews for times on the way."""
            starts = timing.read(solver)
            best.starts = starts
            crew = self._crew(starts, runner)
            if crew is not None:
                best.schedule = self._schedule(starts, crew)
                best.value, best.starts = goal.value(starts, best.schedule.end), None

        while least < best.value and not runner.over:
            windows = Windows(self.instance, relaxed, goal, best.value - 1)
            whole &= windows.whole
            if windows.empty:
                least = best.value
                break
            timing = Timing(relaxed, goal, windows, best.value - 1, self.cliques)
            for pairs in self.cuts:
                timing.some_disjoint(pairs)
            timing.hint(hint)
            timing.minimize()
            answer = runner.solve(timing.cp, runner.left * SHARE, workers, staff, **{**PARAMETERS, **parameters})
            if answer.refuted:
                least = best.value
                break
            if answer.bound is not None:
                least = max(least, min(best.value, ceil(answer.bound - 1e-6)))
            if not answer.found:
                break
            if best.starts is not None:
                hint = best.starts
                if not self._cut(hint, runner):
                    break
        proved = whole and least >= best.value
        valid = least / goal.scale if whole else 0.0
        if proved:
            valid = best.schedule.cost if best.schedule else incumbent.cost
        return Found(best.schedule, max(valid, bound), proved, best.starts)

    def _crew(self, starts: Ints, runner: Runner) -> Ints | None:
        if not self.crews.activities:
            return self.crews.seats(starts, {})
        counts = self.crews.take(starts, self.crews.activities, runner)
        return self.crews.seats(starts, counts) if counts else None

    def _cut(self, starts: Ints, runner: Runner) -> bool:
        """Add what these times break; False if time ran out before that was known."""
        if runner.over or self.crews.take(starts, self.crews.activities, runner) != {}:
            return False
        failing = self.crews.failing(starts, runner)
        self.cuts.append(overlapping(starts, self._prepare().duration, failing))
        return True

    def _schedule(self, starts: Ints, crew: Ints) -> Schedule:
        ends: Ints = starts + self._prepare().duration
        cost, flow = kernels(False).cost(self.instance.arrays, starts, ends)
        return Schedule(np.asarray(starts), ends, crew, float(cost), float(flow))
