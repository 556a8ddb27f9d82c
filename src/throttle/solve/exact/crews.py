"""Crews for given times, in always-open instances.

People who can stand in for each other everywhere are one group of ``Relaxed``; an activity takes so many of each. If at
no instant more of a group are taken than it has, its people can be given to activities in order of their starts, since
interval graphs need no more colours than overlap at once (Golumbic, "Algorithmic graph theory and perfect graphs",
1980).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from throttle.solve.exact.cpsat import Runner
from throttle.solve.exact.relaxed import Relaxed

if TYPE_CHECKING:
    from throttle.instance import Ints

Counts = Mapping[tuple[int, int], int]
"""How many of a group (second) work on a row of needs (first)."""

TRIED_SECONDS = 0.5
"""For one part of the activities, when a failing set is made smaller."""


class Takes:
    """Variables of how many people of each group each need takes."""

    def __init__(self, cp: Any, relaxed: Relaxed, activities: Sequence[int]) -> None:
        a = relaxed.arrays
        self.of_row: dict[tuple[int, int], Any] = {}
        """By row of needs and group."""
        self.of_activity: dict[tuple[int, int], Any] = {}
        """By activity and group: a variable or a sum of two or more; no more than there are."""
        for j in activities:
            by_group: dict[int, list[Any]] = {}
            for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
                mine = []
                for g, group in enumerate(relaxed.groups):
                    if int(relaxed.set_of[q]) in group.sets:
                        most = min(len(group.people), int(a.people[q]))
                        taken = cp.new_int_var(0, most, "") if most > 1 else cp.new_bool_var("")
                        self.of_row[q, g] = taken
                        mine.append(taken)
                        by_group.setdefault(g, []).append(taken)
                cp.add(sum(mine) == int(a.people[q]))
            for g, parts in by_group.items():
                if len(parts) == 1:
                    self.of_activity[j, g] = parts[0]
                    continue
                most = min(len(relaxed.groups[g].people), int(a.people[a.need_ptr[j] : a.need_ptr[j + 1]].sum()))
                total = cp.new_int_var(0, most, "")
                cp.add(total == sum(parts))
                self.of_activity[j, g] = total

    def read(self, solver: Any) -> dict[tuple[int, int], int]:
        return {place: int(solver.value(taken)) for place, taken in self.of_row.items()}


class Crews:
    """Finds out who can do what at given times, or what cannot be staffed."""

    def __init__(self, relaxed: Relaxed) -> None:
        self.relaxed = relaxed
        a = relaxed.arrays
        staffed = (a.need_ptr[1:] > a.need_ptr[:-1]) & (relaxed.duration > 0)
        self.activities: list[int] = np.flatnonzero(staffed).tolist()

    def take(self, starts: Ints, activities: Sequence[int], runner: Runner, most: float | None = None) -> Counts | None:
        """How many of each group work on each need; empty if that is impossible, None if time ran out."""
        from ortools.sat.python import cp_model

        cp = cp_model.CpModel()
        takes = Takes(cp, self.relaxed, activities)
        ends = starts + self.relaxed.duration
        for moment in sorted({int(starts[j]) for j in activities}):
            at_once: dict[int, list[Any]] = {}
            for j in activities:
                if starts[j] <= moment < ends[j]:
                    for g in range(len(self.relaxed.groups)):
                        if (j, g) in takes.of_activity:
                            at_once.setdefault(g, []).append(takes.of_activity[j, g])
            for g, taken in at_once.items():
                cp.add(sum(taken) <= len(self.relaxed.groups[g].people))
        answer = runner.solve(cp, most, workers=1)
        if answer.found:
            return takes.read(answer.solver)
        return {} if answer.refuted else None

    def failing(self, starts: Ints, runner: Runner) -> list[int]:
        """A smallest set of activities (none can be left out) for which there are no crews, by deletion."""
        kept = sorted(self.activities, key=lambda j: (int(starts[j]), j))
        width = max(1, len(kept) // 2)
        while width >= 1 and not runner.over:
            at = 0
            while at < len(kept) and not runner.over:
                fewer = kept[:at] + kept[at + width :]
                if fewer and self.take(starts, fewer, runner, TRIED_SECONDS) == {}:
                    kept = fewer
                else:
                    at += width
            width //= 2
        return kept

    def seats(self, starts: Ints, counts: Counts) -> Ints:
        """The person in each seat, in the order of ``Arrays.crew_ptr``."""
        a, relaxed = self.relaxed.arrays, self.relaxed
        free_from = np.zeros(int(max((p for g in relaxed.groups for p in g.people), default=-1)) + 1, np.int64)
        crew = np.full(int(a.crew_ptr[-1]), -1, np.int64)
        timed = [j for j in range(relaxed.n) if a.need_ptr[j] < a.need_ptr[j + 1]]
        for j in sorted(timed, key=lambda j: (int(starts[j]), j)):
            begin, end = int(starts[j]), int(starts[j] + relaxed.duration[j])
            for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
                seat = int(a.crew_ptr[q])
                for g, group in enumerate(relaxed.groups):
                    free = [p for p in group.people if free_from[p] <= begin][: counts.get((q, g), 0)]
                    crew[seat : seat + len(free)] = free
                    free_from[free] = end
                    seat += len(free)
        return crew


def overlapping(starts: Ints, duration: Ints, activities: Sequence[int]) -> list[tuple[int, int]]:
    """The pairs of these activities that run at the same time."""
    ends = starts + duration
    return [
        (i, j)
        for k, i in enumerate(activities)
        for j in activities[k + 1 :]
        if starts[i] < ends[j] and starts[j] < ends[i]
    ]
