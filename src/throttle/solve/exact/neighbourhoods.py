"""Which activities the exact model may move while the others stay. One neighbourhood: one function, one table line.

Each returns at most ``size`` activities, given a schedule and a source of chance. All are close in time, since the
exact model's tables grow with the time between the first and the last.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import Schedule
from throttle.solve.rules import Facts

if TYPE_CHECKING:
    from throttle.instance import Ints

SMALLEST, FIRST, LARGEST = 4, 10, 120
"""Sizes of neighbourhoods."""
GROWTH, SHRINKAGE = 1.25, 0.8
MEMORY, LEAST_WEIGHT = 0.85, 0.05
"""How much of a kind's weight is kept after each try, and what is left of one that never pays."""


def time_window(_facts: Facts, schedule: Schedule, size: int, random: Random) -> frozenset[int]:
    """What is going on around a moment."""
    order = np.argsort(schedule.start, kind="stable")
    first = random.randrange(max(1, len(order) - size + 1))
    return frozenset(order[first : first + size].tolist())


def costly_window(facts: Facts, schedule: Schedule, size: int, random: Random) -> frozenset[int]:
    """An activity of a group that costs, and what is going on around it."""
    return frozenset(_nearest(schedule, _costly(facts, schedule, random))[:size].tolist())


def people_window(facts: Facts, schedule: Schedule, size: int, random: Random) -> frozenset[int]:
    """An activity of a group that costs, and what those who could do it might do around it."""
    a = facts.arrays
    activity = _costly(facts, schedule, random)
    able = np.unique(a.candidate[a.cand_ptr[a.need_ptr[activity]] : a.cand_ptr[a.need_ptr[activity + 1]]])
    if not len(able):
        return costly_window(facts, schedule, size, random)
    rows = np.repeat(np.arange(len(a.work)), np.diff(a.cand_ptr))[np.isin(a.candidate, able)]
    rivals = np.zeros(facts.n, bool)
    rivals[np.searchsorted(a.need_ptr, rows, side="right") - 1] = True
    nearest = _nearest(schedule, activity)
    return frozenset(nearest[rivals[nearest]][:size].tolist())


NEIGHBOURHOODS: dict[str, Callable[[Facts, Schedule, int, Random], frozenset[int]]] = {
    "time window": time_window,
    "costly window": costly_window,
    "people window": people_window,
}


class Neighbourhoods:
    """Chooses kinds by what they have paid, and sizes by what the exact model could search to its end."""

    def __init__(self, facts: Facts, seed: int) -> None:
        self.facts, self.random = facts, Random(seed)
        self.size = dict.fromkeys(NEIGHBOURHOODS, float(FIRST))
        self.paid = dict.fromkeys(NEIGHBOURHOODS, 1.0)
        self.kind = ""
        """The one chosen last."""

    def choose(self, best: Schedule) -> frozenset[int]:
        """The activities that may move next."""
        self.kind = self.random.choices(list(self.paid), list(self.paid.values()))[0]
        return NEIGHBOURHOODS[self.kind](self.facts, best, round(self.size[self.kind]), self.random)

    def learn(self, improved: bool, exhausted: bool) -> None:
        """What came of the one chosen last; ``exhausted``: the model was searched to its end in the time it had."""
        kind = self.kind
        self.paid[kind] = max(LEAST_WEIGHT, MEMORY * self.paid[kind] + (1 - MEMORY) * 5 * improved)
        if not improved:
            size = self.size[kind] * (GROWTH if exhausted else SHRINKAGE)
            self.size[kind] = min(max(size, SMALLEST), LARGEST, max(self.facts.n, SMALLEST))


def _costly(facts: Facts, schedule: Schedule, random: Random) -> int:
    """Some activity of some group, more likely one that costs more."""
    if not facts.members:
        return random.randrange(facts.n)
    costs = [_cost(facts, schedule, g) + 1e-9 for g in range(len(facts.members))]
    members = facts.members[random.choices(range(len(costs)), costs)[0]]
    return int(random.choice(members.tolist()))


def _cost(facts: Facts, schedule: Schedule, g: int) -> float:
    a, members = facts.arrays, facts.members[g]
    finish, begin = float(schedule.end[members].max()), float(schedule.start[members].min())
    late = a.tardiness[g] * max(0.0, finish - a.due[g]) + a.flow[g] * finish
    return float(late + a.span[g] * (finish - begin) + a.earliness[g] * max(0.0, a.wanted[g] - begin))


def _nearest(schedule: Schedule, activity: int) -> Ints:
    """All activities, those first that start and end closest to this one."""
    distance = np.abs(schedule.start - schedule.start[activity]) + np.abs(schedule.end - schedule.end[activity])
    return np.argsort(distance, kind="stable")
