"""Times first, crews after: is there any schedule that costs less than the incumbent?

The times alone are a relaxation, so that none below the incumbent proves it (and the optimum of the times bounds the
cost). Where no one needs to be chosen, times are a schedule. Otherwise crews are looked for; if there are none, some
pair of a smallest set of activities that cannot be staffed at these times must not overlap, in any schedule: that is
added, and times are looked for again (logic-based Benders decomposition: Hooker and Ottosson, 2003).
"""

from __future__ import annotations

import time
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from throttle.instance import Instance, Schedule
from throttle.solve.exact.cliques import cliques
from throttle.solve.exact.cpsat import Board, Found, Runner, Stop
from throttle.solve.exact.crews import Crews, overlapping
from throttle.solve.exact.goal import Goal
from throttle.solve.exact.relaxed import Relaxed
from throttle.solve.exact.timing import Timing, Windows
from throttle.solve.features import always_open, makespan_only
from throttle.solve.kernels import kernels

if TYPE_CHECKING:
    from throttle.instance import Ints
    from throttle.solve import Settings

MOST_ACTIVITIES = 600
MAKESPAN: dict[str, Any] = {"interleave_search": True}
CREWED: dict[str, Any] = {"linearization_level": 0, "use_overload_checker_in_cumulative": True}
"""Parameters of CP-SAT for the makespan, and for other costs where people are chosen (docs/solver.md)."""
SETTLED = 0.4
"""Seconds without improvement after which what others have found is worth a new start."""


class Times:
    """Refutes or improves an incumbent of an always-open instance; prepared once, solved as often as wanted."""

    def __init__(self, instance: Instance, settings: Settings, stop: Stop) -> None:
        self.instance, self.settings, self.stop = instance, settings, stop
        self._relaxed: Relaxed | None = None
        self.cuts: list[list[tuple[int, int]]] = []
        """Of each list of pairs of activities, at least one pair never overlaps."""

    def supports(self) -> bool:
        return 0 < self.instance.n <= MOST_ACTIVITIES and always_open(self.instance)

    @property
    def crewed(self) -> bool:
        """Whether there is anyone to be chosen."""
        self._prepare()
        return bool(self.crews.activities)

    def _prepare(self) -> Relaxed:
        if self._relaxed is None:
            self._relaxed = Relaxed(self.instance)
            self.goal = Goal.of(self.instance)
            self.crews = Crews(self._relaxed)
            self.makespan = makespan_only(self.instance)
            self.cliques = cliques(self._relaxed)
        return self._relaxed

    def solve(
        self,
        incumbent: Schedule,
        bound: float,
        seconds: float,
        workers: int | None = None,
        board: Board | None = None,
        **parameters: object,
    ) -> Found:
        """Look for a schedule that costs less than the incumbent.

        bound: a known lower bound on the cost. seconds: of the clock, or the work that they stand for. board: what
        others find meanwhile. parameters: of CP-SAT, above those chosen here.
        """
        runner = Runner(self.settings, board or self.stop, seconds)
        relaxed = self._prepare()
        goal, crewed, whole = self.goal, self.crewed, False
        own: Schedule | None = None
        upper = goal.value(incumbent.start, incumbent.end)
        """Of the best known schedule."""
        sought = upper
        """Of the last times found."""
        least = goal.least(bound) if goal.exact else 0
        hint, starts = incumbent.start, None

        def staff(solver: Any) -> None:
            """Look for crews for each better times on the way."""
            nonlocal own, upper, sought, starts
            found = timing.read(solver)
            starts, sought = found, goal.value(found, found + relaxed.duration)
            crew = self._crew(found, runner)
            if crew is not None:
                own, upper, starts = self._schedule(found, crew), sought, None
                if board:
                    board.offer(own)

        def stale() -> bool:
            """Whether others are ahead of the search, and wait for a proof."""
            return (
                board is not None
                and goal.value(board.schedule.start, board.schedule.end) < sought
                and time.monotonic() - board.improved > SETTLED
            )

        def risen(value: float) -> None:
            if board and whole:
                board.rise(min(upper, ceil(value - 1e-6)) / goal.scale)

        while not runner.over:
            if board and (value := goal.value(board.schedule.start, board.schedule.end)) < upper:
                upper, hint, starts, own = value, board.schedule.start, None, None
                incumbent = board.schedule
            if least >= upper:
                break
            windows = Windows(self.instance, relaxed, goal, upper - 1)
            whole = goal.exact and windows.whole
            if windows.empty:
                least = upper if whole else least
                break
            timing = Timing(relaxed, goal, windows, upper - 1, self.cliques)
            for pairs in self.cuts:
                timing.some_disjoint(pairs)
            timing.hint(hint)
            timing.minimize()
            sought = upper
            chosen = {**(MAKESPAN if self.makespan else CREWED if crewed else {}), **parameters}
            answer = runner.solve(timing.cp, None, workers, staff, stale, risen, **chosen)
            if answer.refuted:
                least = upper if whole else least
                break
            if whole and answer.bound is not None:
                least = max(least, min(upper, ceil(answer.bound - 1e-6)))
            if answer.optimal and starts is not None:
                hint = starts
                if not self._cut(hint, runner):
                    break
            elif not answer.found and not (board and stale()):
                break
        proved = least >= upper
        bound = max(bound, (own or incumbent).cost if proved else least / goal.scale)
        if board:
            board.rise(bound)
        return Found(own, bound, proved, starts)

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
