"""Times and crews in one CP-SAT model, for always-open instances: people who are alike are one resource.

Where an activity takes x people of a group of ``Relaxed``, it demands x of a cumulative with as many units as the group
has people; whom exactly follows from the times (``crews``). A group of one person is a no-overlap of optional
intervals.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from throttle.instance import Instance, Schedule
from throttle.solve.exact.cliques import cliques
from throttle.solve.exact.cpsat import Board, Found, Runner, Stop
from throttle.solve.exact.crews import Crews, Takes
from throttle.solve.exact.goal import Goal
from throttle.solve.exact.relaxed import Relaxed
from throttle.solve.exact.timing import Timing, Windows
from throttle.solve.features import always_open
from throttle.solve.kernels import kernels

if TYPE_CHECKING:
    from throttle.solve import Settings

MOST_ACTIVITIES = 400
MOST_CHOICES = 20_000
"""Pairs of an activity and a group that can work on it."""
PARAMETERS: dict[str, Any] = {"linearization_level": 0}


class Grouped:
    """Improves and proves an incumbent of an always-open instance by the whole model."""

    def __init__(self, instance: Instance, settings: Settings, stop: Stop) -> None:
        self.instance, self.settings, self.stop = instance, settings, stop
        self._relaxed: Relaxed | None = None

    def supports(self) -> bool:
        return (
            0 < self.instance.n <= MOST_ACTIVITIES
            and always_open(self.instance)
            and len(self.instance.arrays.work) * len(self._prepare().groups) <= MOST_CHOICES
        )

    def _prepare(self) -> Relaxed:
        if self._relaxed is None:
            self._relaxed = Relaxed(self.instance, 0)
            self.goal = Goal.of(self.instance)
            self.crews = Crews(self._relaxed)
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

        bound: a known lower bound on the cost, where the search may end. seconds: of the clock, or the
        work that they stand for. board: what others find meanwhile. parameters: of CP-SAT, above those chosen here.
        """
        runner = Runner(self.settings, board or self.stop, seconds)
        relaxed, goal = self._prepare(), self.goal
        upper = goal.value(incumbent.start, incumbent.end)
        windows = Windows(self.instance, relaxed, goal, upper)
        whole = goal.exact and windows.whole
        if windows.empty:
            return Found(None, bound)
        timing = Timing(relaxed, goal, windows, upper, self.cliques)
        takes = Takes(timing.cp, relaxed, self.crews.activities)
        self._people(timing, takes, relaxed)
        timing.hint(incumbent.start)
        self._hint(timing.cp, takes, relaxed, incumbent)
        if whole and timing.terms:
            timing.cp.add(timing.cost >= goal.least(bound))
        timing.minimize()
        best: Schedule | None = None

        def staffed(solver: Any) -> None:
            nonlocal best
            starts = timing.read(solver)
            ends = starts + relaxed.duration
            if goal.value(starts, ends) < upper:
                crew = self.crews.seats(starts, takes.read(solver))
                cost, flow = kernels(False).cost(self.instance.arrays, starts, ends)
                best = Schedule(starts, ends, crew, float(cost), float(flow))
                if board:
                    board.offer(best)

        answer = runner.solve(timing.cp, None, workers, staffed, **{**PARAMETERS, **parameters})
        proved = whole and answer.optimal
        if proved:
            bound = (best or incumbent).cost
        elif whole and answer.bound is not None:
            bound = max(bound, ceil(answer.bound - 1e-6) / goal.scale)
        if board:
            board.rise(bound)
        return Found(best, bound, proved)

    def _people(self, timing: Timing, takes: Takes, relaxed: Relaxed) -> None:
        cp = timing.cp
        for g, group in enumerate(relaxed.groups):
            mine = [(j, takes.of_activity[j, g]) for j in self.crews.activities if (j, g) in takes.of_activity]
            if len(group.people) == 1:
                cp.add_no_overlap(
                    [
                        cp.new_optional_fixed_size_interval_var(timing.starts[j], int(relaxed.duration[j]), taken, "")
                        for j, taken in mine
                    ]
                )
            elif mine:
                cp.add_cumulative(
                    [timing.intervals[j] for j, _ in mine], [taken for _, taken in mine], len(group.people)
                )

    def _hint(self, cp: Any, takes: Takes, relaxed: Relaxed, incumbent: Schedule) -> None:
        a = relaxed.arrays
        group_of = {p: g for g, group in enumerate(relaxed.groups) for p in group.people}
        for (q, g), taken in takes.of_row.items():
            seats = incumbent.crew[a.crew_ptr[q] : a.crew_ptr[q] + a.people[q]].tolist()
            cp.add_hint(taken, sum(group_of.get(p) == g for p in seats))
