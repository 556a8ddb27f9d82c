"""An always-open instance without its crews: durations, links and what is taken of environments and sets of people.

Where nothing ever closes (``features.always_open``) an activity runs for one fixed time, so every link says that one
start lies at least so many slots after another. Of any set of people U, an activity takes at least
sum over its needs of max(0, people - candidates outside U) (Hall, "On representatives of subsets", 1935); so each U
is a renewable resource with as many units as it has people, and times that respect all of them nearly always have
crews.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import FF, FS, SF, SS, Instance
from throttle.solve.rules import topological

if TYPE_CHECKING:
    from throttle.instance import Ints

ALL_UNIONS = 6
"""Up to so many different candidate sets, all their unions are looked at; above, those of one, two and of all."""
MOST_SETS = 150
"""Sets of people kept, the most loaded first."""


@dataclass(frozen=True)
class Resource:
    """A renewable resource: ``demand[k]`` of its ``capacity`` is taken by ``activity[k]`` from start to end."""

    activity: Ints
    demand: Ints
    capacity: int
    people: bool
    """Whether it is a set of people."""


@dataclass(frozen=True)
class Group:
    """People who can stand in for each other everywhere."""

    people: tuple[int, ...]
    sets: frozenset[int]
    """Rows of ``Relaxed.sets`` that they belong to."""


class Relaxed:
    """What any schedule of the instance obeys, whoever does the work."""

    def __init__(self, instance: Instance, most_sets: int = MOST_SETS) -> None:
        a = self.arrays = instance.arrays
        n = self.n = instance.n
        rows = np.repeat(np.arange(n), np.diff(a.need_ptr))
        self.duration: Ints = np.maximum(a.wait, 0)
        np.maximum.at(self.duration, rows, a.work)
        self.waiter: Ints = np.repeat(np.arange(n), np.diff(a.pred_ptr))
        self.awaited = a.pred
        own, before = self.duration[self.waiter], self.duration[self.awaited]
        distance = np.zeros(len(a.pred), np.int64)
        for kind, least in ((FS, before), (SS, 0 * own), (FF, before - own), (SF, -own)):
            distance = np.where(a.pred_type == kind, least, distance)
        self.distance: Ints = distance + a.lag
        """start[waiter] >= start[awaited] + distance."""
        self.order = topological(instance)
        self.head = self.earliest(a.release)
        self._candidates(rows)
        self.resources = [*self._environments(), *self._sets_of_people(rows, most_sets)]

    # --- links -------------------------------------------------------------------------------------------------

    def earliest(self, start: Ints) -> Ints:
        """The least starts that are no less than these and keep the links."""
        found = start.copy()
        pointers = self.arrays.pred_ptr
        for j in self.order:
            links = slice(pointers[j], pointers[j + 1])
            if links.start < links.stop:
                found[j] = max(found[j], int((found[self.awaited[links]] + self.distance[links]).max()))
        return found

    def latest(self, start: Ints) -> Ints:
        """The largest starts that are no more than these and keep the links."""
        found = start.copy()
        pointers = self.arrays.pred_ptr
        for j in reversed(self.order):
            links = slice(pointers[j], pointers[j + 1])
            if links.start < links.stop:
                np.minimum.at(found, self.awaited[links], found[j] - self.distance[links])
        return found

    def tails(self) -> Ints:
        """For each activity the least time from its start to the end of all that must follow, itself included."""
        far = np.int64(1 << 40)
        return far - self.latest(far - self.duration)

    # --- people ------------------------------------------------------------------------------------------------

    def _candidates(self, rows: Ints) -> None:
        a = self.arrays
        self.sets: list[frozenset[int]] = []
        """The different candidate sets of all needs."""
        known: dict[frozenset[int], int] = {}
        self.set_of = np.zeros(len(a.work), np.int64)
        """Of each row of needs."""
        for q in range(len(a.work)):
            able = frozenset(a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist())
            self.set_of[q] = known.setdefault(able, len(known))
        self.sets = list(known)
        belongs: dict[int, list[int]] = {}
        for k, able in enumerate(self.sets):
            for person in sorted(able):
                belongs.setdefault(person, []).append(k)
        alike: dict[tuple[int, ...], list[int]] = {}
        for person in sorted(belongs):
            alike.setdefault(tuple(belongs[person]), []).append(person)
        self.groups = [Group(tuple(people), frozenset(sets)) for sets, people in alike.items()]
        self.crewed = bool((self.duration[rows] > 0).any())
        """Whether anything needs people at all."""

    def _unions(self) -> list[frozenset[int]]:
        sets = self.sets
        deep = len(sets) if len(sets) <= ALL_UNIONS else 2
        found = dict.fromkeys(sets)
        for size in range(2, deep + 1):
            found |= dict.fromkeys(frozenset().union(*some) for some in combinations(sets, size))
        if sets:
            found |= {frozenset().union(*sets): None}
        return list(found)

    def _sets_of_people(self, rows: Ints, most: int) -> list[Resource]:
        a = self.arrays
        tightest: dict[bytes, tuple[float, int, Ints]] = {}
        for union in self._unions():
            outside = np.array([len(able - union) for able in self.sets], np.int64)
            least = np.maximum(0, a.people - outside[self.set_of])
            demand = np.bincount(rows, least, self.n).astype(np.int64) * (self.duration > 0)
            capacity = len(union)
            if demand.sum() <= capacity:
                continue
            key = demand.tobytes()
            if key not in tightest or tightest[key][1] > capacity:
                load = float((demand * self.duration).sum()) / capacity
                tightest[key] = load, capacity, demand
        ranked = sorted(tightest.values(), key=lambda found: -found[0])[:most]
        return [_resource(demand, capacity, people=True) for _, capacity, demand in ranked]

    def _environments(self) -> list[Resource]:
        a = self.arrays
        users = np.repeat(np.arange(self.n), np.diff(a.use_ptr))
        found = []
        for k, capacity in enumerate(a.capacity.tolist()):
            mine = a.use == k
            demand = np.bincount(users[mine], a.amount[mine], self.n).astype(np.int64) * (self.duration > 0)
            if demand.sum() > capacity:
                found.append(_resource(demand, capacity, people=False))
        return found


def _resource(demand: Ints, capacity: int, people: bool) -> Resource:
    activity = np.flatnonzero(demand)
    return Resource(activity, demand[activity], capacity, people)
