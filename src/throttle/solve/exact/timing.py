"""The CP-SAT model of when activities start, without who does them, for always-open instances.

Windows follow from an upper bound on the cost: no group may cost more than is left when all others cost the least they
can. Each resource of ``Relaxed`` is a cumulative, each clique a no-overlap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from throttle.instance import Instance
from throttle.solve.exact.goal import Goal
from throttle.solve.exact.relaxed import Relaxed

if TYPE_CHECKING:
    from throttle.instance import Ints


class Windows:
    """First and last start of each activity in any schedule whose ``Goal.value`` is at most ``upper``.

    What costs nothing is bound by no cost; a horizon is long enough for it if all of it fits, one after the other,
    behind what is bound. ``whole``: the horizon is, so windows leave out no better schedule.
    """

    def __init__(self, instance: Instance, relaxed: Relaxed, goal: Goal, upper: int) -> None:
        a, n = instance.arrays, instance.n
        unbound = np.int64(1 << 40)
        first, last = relaxed.head.copy(), np.full(n, unbound)
        least = []
        for g, members in enumerate(goal.members):
            least.append(_late(goal, g, int((first[members] + relaxed.duration[members]).max())))
        rest = upper - sum(least)
        self.empty = rest < 0
        """Whether nothing is left: every schedule costs more."""
        if self.empty:
            self.whole, self.first, self.last = True, first, last
            return
        for g, members in enumerate(goal.members):
            finish = _latest_finish(goal, g, rest + least[g])
            if finish is not None:
                last[members] = np.minimum(last[members], finish - relaxed.duration[members])
            if goal.earliness[g]:
                early = (rest + least[g]) // goal.earliness[g]
                first[members] = np.maximum(first[members], -((early - goal.wanted[g]) // goal.parts))
        first, last = relaxed.earliest(first), relaxed.latest(last)
        loose = last > unbound // 2
        horizon = int((last + relaxed.duration)[~loose].max(initial=0))
        if loose.any():
            wanted = [-(-w // goal.parts) for w, early in zip(goal.wanted, goal.earliness, strict=True) if early]
            lags = np.maximum(0, relaxed.distance - relaxed.duration[relaxed.awaited])
            horizon = max([horizon, int(a.release.max()), *wanted])
            horizon += int(relaxed.duration[loose].sum() + lags[loose[relaxed.waiter]].sum())
        spread = any(goal.span[g] and loose[members].any() for g, members in enumerate(goal.members))
        self.whole = horizon <= instance.slots and not spread
        last = relaxed.latest(np.minimum(last, min(horizon, instance.slots) - relaxed.duration))
        self.first, self.last = first, last
        self.empty = bool((first > last).any())


def _late(goal: Goal, g: int, finish: int) -> int:
    """What a group costs at least that finishes no sooner, however long it takes."""
    return goal.tardiness[g] * max(0, goal.parts * finish - goal.due[g]) + goal.flow[g] * goal.parts * finish


def _latest_finish(goal: Goal, g: int, most: int) -> int | None:
    """The latest finish of a group that costs no more by finishing late, or None where that costs nothing."""
    late, flow = goal.tardiness[g], goal.flow[g]
    if not late and not flow:
        return None
    bounds = []
    if flow:
        bounds.append(most // flow)
    if late:
        # late (x - due) + flow x <= most where x > due, in parts
        bounds.append(max(goal.due[g], (most + late * goal.due[g]) // (late + flow)))
    return max(0, min(bounds) // goal.parts)


class Timing:
    """Start variables and all that binds them; ``cp`` may be added to."""

    def __init__(self, relaxed: Relaxed, goal: Goal, windows: Windows, upper: int, cliques: list[Ints]) -> None:
        from ortools.sat.python import cp_model

        self.relaxed, self.goal = relaxed, goal
        cp = self.cp = cp_model.CpModel()
        duration = relaxed.duration.tolist()
        self.starts: list[Any] = [
            cp.new_int_var(first, last, "")
            for first, last in zip(windows.first.tolist(), windows.last.tolist(), strict=True)
        ]
        links = zip(relaxed.awaited.tolist(), relaxed.waiter.tolist(), relaxed.distance.tolist(), strict=True)
        for before, after, distance in links:
            cp.add(self.starts[after] >= self.starts[before] + distance)
        self.intervals: list[Any] = [
            cp.new_fixed_size_interval_var(start, length, "") if length else None
            for start, length in zip(self.starts, duration, strict=True)
        ]
        for resource in relaxed.resources:
            self.cumulative(resource.activity.tolist(), resource.demand.tolist(), resource.capacity)
        for members in cliques:
            cp.add_no_overlap([self.intervals[j] for j in members.tolist()])
        self.terms: list[Any] = []
        self.group_finish: dict[int, Any] = {}
        self.group_begin: dict[int, Any] = {}
        self._objective(windows)
        self.cost = sum(self.terms)
        """A linear expression, or 0."""
        if self.terms:
            cp.add(self.cost <= upper)
        self.pairs: dict[tuple[int, int], Any] = {}

    def cumulative(self, activities: list[int], demands: list[int], capacity: int) -> None:
        intervals = [self.intervals[j] for j in activities]
        smallest = sorted(demands)[:2]
        if sum(smallest) > capacity:
            self.cp.add_no_overlap(intervals)
        else:
            self.cp.add_cumulative(intervals, demands, capacity)

    def _objective(self, windows: Windows) -> None:
        cp, goal, relaxed = self.cp, self.goal, self.relaxed
        parts = goal.parts
        for g, members in enumerate(goal.members):
            late, flow, span, early = goal.tardiness[g], goal.flow[g], goal.span[g], goal.earliness[g]
            if late or flow or span:
                ends = windows.first[members] + relaxed.duration[members]
                latest = windows.last[members] + relaxed.duration[members]
                finish: Any
                if len(members) == 1:
                    finish = self.starts[members[0]] + int(relaxed.duration[members[0]])
                else:
                    finish = cp.new_int_var(int(ends.max()), int(latest.max()), "")
                    self.group_finish[g] = finish
                    for j in self._last(members):
                        cp.add(finish >= self.starts[j] + int(relaxed.duration[j]))
                if late:
                    tardy = cp.new_int_var(0, max(0, parts * int(latest.max()) - goal.due[g]), "")
                    cp.add(tardy >= parts * finish - goal.due[g])
                    self.terms.append(late * tardy)
                if flow:
                    self.terms.append(flow * parts * finish)
            if span or early:
                begin: Any
                if len(members) == 1:
                    begin = self.starts[members[0]]
                else:
                    begin = cp.new_int_var(int(windows.first[members].min()), int(windows.last[members].min()), "")
                    self.group_begin[g] = begin
                    for j in members.tolist():
                        cp.add(begin <= self.starts[j])
                if span:
                    self.terms.append(span * parts * (finish - begin))
                if early:
                    missing = cp.new_int_var(0, max(0, goal.wanted[g] - parts * int(windows.first[members].min())), "")
                    cp.add(missing >= goal.wanted[g] - parts * begin)
                    self.terms.append(early * missing)

    def _last(self, members: Ints) -> list[int]:
        """Members that no other member is sure to end after."""
        relaxed = self.relaxed
        inside = np.zeros(relaxed.n, bool)
        inside[members] = True
        own = relaxed.duration[relaxed.waiter]
        outlasts = relaxed.distance + own >= relaxed.duration[relaxed.awaited]
        outlasted = np.zeros(relaxed.n, bool)
        outlasted[relaxed.awaited[inside[relaxed.waiter] & outlasts]] = True
        return [j for j in members.tolist() if not outlasted[j]]

    def minimize(self) -> None:
        self.cp.minimize(self.cost)

    def hint(self, starts: Ints) -> None:
        for variable, start in zip(self.starts, starts.tolist(), strict=True):
            self.cp.add_hint(variable, start)
        duration = self.relaxed.duration
        for g, finish in self.group_finish.items():
            members = self.goal.members[g]
            self.cp.add_hint(finish, int((starts[members] + duration[members]).max()))
        for g, begin in self.group_begin.items():
            self.cp.add_hint(begin, int(starts[self.goal.members[g]].min()))

    def some_disjoint(self, pairs: list[tuple[int, int]]) -> None:
        """At least one of these pairs does not overlap."""
        literals = []
        for i, j in pairs:
            if (i, j) not in self.pairs:
                self.pairs[i, j] = self._orders(i, j)
            literals += self.pairs[i, j]
        self.cp.add_bool_or(literals)

    def _orders(self, i: int, j: int) -> list[Any]:
        found = []
        for first, second in ((i, j), (j, i)):
            literal = self.cp.new_bool_var("")
            passed = self.starts[second] >= self.starts[first] + int(self.relaxed.duration[first])
            self.cp.add(passed).only_enforce_if(literal)
            found.append(literal)
        return found

    def read(self, solver: Any) -> Ints:
        return np.array([solver.value(start) for start in self.starts], np.int64)
