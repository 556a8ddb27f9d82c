"""Which activities the exact model may move while the others stay. One neighbourhood: one function, one table line.

Each returns at most ``size`` activities around something that costs, given a schedule and a source of chance.
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


def costly_groups(facts: Facts, schedule: Schedule, size: int, random: Random) -> frozenset[int]:
    """All of some groups that cost, and what their people do meanwhile."""
    found: set[int] = set()
    groups = list(range(len(facts.members)))
    costs = [_cost(facts, schedule, g) for g in groups]
    while groups and len(found) < size // 2:
        g = random.choices(groups, [c + 1e-9 for c in costs])[0]
        at = groups.index(g)
        groups.pop(at)
        costs.pop(at)
        members = facts.members[g]
        found |= set(random.sample(members.tolist(), min(len(members), size // 2)))
    return _with_rivals(facts, schedule, found, size, random)


def time_window(_facts: Facts, schedule: Schedule, size: int, random: Random) -> frozenset[int]:
    """What is going on around a moment."""
    order = np.argsort(schedule.start, kind="stable")
    first = random.randrange(max(1, len(order) - size + 1))
    return frozenset(order[first : first + size].tolist())


def one_queue(facts: Facts, schedule: Schedule, size: int, random: Random) -> frozenset[int]:
    """A stretch of one busy person's work, with what comes just before and after it."""
    people = [int(p) for p in schedule.crew if p >= 0]
    if not people:
        return time_window(facts, schedule, size, random)
    person = random.choice(people)
    a = facts.arrays
    seats = np.flatnonzero(schedule.crew == person)
    owner = np.searchsorted(a.crew_ptr, seats, side="right") - 1
    mine = np.unique(np.searchsorted(a.need_ptr, owner, side="right") - 1)
    mine = mine[np.argsort(schedule.start[mine], kind="stable")]
    half = max(1, size // 2)
    first = random.randrange(max(1, len(mine) - half + 1))
    found = set(mine[first : first + half].tolist())
    return _with_rivals(facts, schedule, found, size, random)


NEIGHBOURHOODS: dict[str, Callable[[Facts, Schedule, int, Random], frozenset[int]]] = {
    "costly groups": costly_groups,
    "time window": time_window,
    "one queue": one_queue,
}


def _cost(facts: Facts, schedule: Schedule, g: int) -> float:
    a = facts.arrays
    finish = float(schedule.end[facts.members[g]].max())
    return float(a.tardiness[g] * max(0.0, finish - a.due[g]) + a.flow[g] * finish)


def _with_rivals(facts: Facts, schedule: Schedule, found: set[int], size: int, random: Random) -> frozenset[int]:
    """Fill up with activities near in time, links first."""
    if not found:
        return frozenset()
    a = facts.arrays
    near: list[int] = []
    for j in found:
        near += a.pred[a.pred_ptr[j] : a.pred_ptr[j + 1]].tolist() + a.succ[a.succ_ptr[j] : a.succ_ptr[j + 1]].tolist()
    random.shuffle(near)
    members: Ints = np.array(sorted(found))
    first, last = int(schedule.start[members].min()), int(schedule.end[members].max())
    during = np.flatnonzero((schedule.start < last) & (schedule.end > first)).tolist()
    random.shuffle(during)
    for j in near + during:
        if len(found) >= size:
            break
        found.add(int(j))
    return frozenset(found)
