"""Priority rules: what a dispatcher would pick next. One rule is one function and one line in ``RULES``.

Each returns a key per activity, smallest first. Costs are per slot, work in person-slots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import FS, Instance

if TYPE_CHECKING:
    from throttle.instance import Floats, Ints


STEPS = 4000
"""Groups are put in sequence one by one up to so many, above some at a time."""
SCARCE = 0.7
"""A project's scarce hours are those of its activities whose queue is so long against its longest."""


class Facts:
    """What rules look at, computed once an instance."""

    def __init__(self, instance: Instance) -> None:
        a = self.arrays = instance.arrays
        n = self.n = instance.n
        rows = np.repeat(np.arange(n), np.diff(a.need_ptr))
        effort = a.work * a.people * a.share / 100.0
        self.work: Floats = np.bincount(rows, effort, n).astype(float)
        """Person-slots of each activity."""
        self.length = np.maximum(_longest(a.work, rows, n), a.wait)
        """Slots of work of each activity, closed time not counted."""
        open_share = a.masks.mean() if a.masks.size else 1.0
        self.stretch = 1.0 / max(float(open_share), 0.05)
        """Slots that pass for each slot of work, on average."""
        self.levels = levels(instance)
        self.order: list[int] = np.concatenate(self.levels).tolist() if n else []
        """Activities, each after those it waits for."""
        self.head = a.release.astype(float)
        """Earliest start by links and dates, with people for everything and no closed time."""
        self.tail = np.zeros(n)
        """Slots of work of the longest chain after each activity."""
        gap = self.length[a.pred] + np.maximum(a.lag, 0)
        for level in self.levels[1:]:
            edges, waiting = _edges(a.pred_ptr, level)
            kept = a.pred_type[edges] == FS
            edges, waiting = edges[kept], waiting[kept]
            np.maximum.at(self.head, waiting, self.head[a.pred[edges]] + gap[edges])
        for level in self.levels[:0:-1]:
            edges, waiting = _edges(a.pred_ptr, level)
            kept = a.pred_type[edges] == FS
            edges, waiting = edges[kept], waiting[kept]
            after = self.tail[waiting] + self.length[waiting] + np.maximum(a.lag[edges], 0)
            np.maximum.at(self.tail, a.pred[edges], after)
        self.need_set, self.sets = candidate_sets(instance)
        self.scarcity, self.scarce = self._queues(rows, effort)
        """Of each activity, the queue of its scarcest need against the longest, and its work in long queues."""
        groups = len(a.due)
        self.members = [a.member[a.member_ptr[g] : a.member_ptr[g + 1]] for g in range(groups)]
        self.weight = np.maximum(a.tardiness + a.flow, a.measure)

    def _queues(self, rows: Ints, effort: Floats) -> tuple[Floats, Floats]:
        """Per activity, its scarcest need's queue (work / people who can), and its work there."""
        each = effort / np.array([max(1, len(able)) for able in self.sets])[self.need_set]
        queue = np.bincount(self.need_set, each, len(self.sets))
        self.longest = float(queue.max(initial=0.0)) or 1.0
        weight = queue[self.need_set] / self.longest
        scarcity = np.zeros(self.n)
        np.maximum.at(scarcity, rows, weight)
        scarce: Floats = np.bincount(rows, weight**4 * each, self.n).astype(float)
        return scarcity, scarce

    def sums(self, value: Floats) -> Floats:
        """The sum over the members of each group."""
        return np.add.reduceat(value[self.arrays.member], self.arrays.member_ptr[:-1]) if self.members else np.zeros(0)

    def most(self, value: Floats) -> Floats:
        """The largest among the members of each group."""
        a = self.arrays
        return np.maximum.reduceat(value[a.member], a.member_ptr[:-1]) if self.members else np.zeros(0)


def candidate_sets(instance: Instance) -> tuple[Ints, list[Ints]]:
    """Of each need, the number of its set of candidates; and these sets."""
    a = instance.arrays
    number: dict[bytes, int] = {}
    sets: list[Ints] = []
    need_set = np.zeros(len(a.work), np.int64)
    data, ptr = a.candidate.tobytes(), (a.cand_ptr * a.candidate.itemsize).tolist()
    for q in range(len(a.work)):
        able = data[ptr[q] : ptr[q + 1]]
        found = number.get(able)
        if found is None:
            found = number[able] = len(sets)
            sets.append(a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]])
        need_set[q] = found
    return need_set, sets


def _longest(work: Ints, rows: Ints, n: int) -> Ints:
    found = np.zeros(n, np.int64)
    np.maximum.at(found, rows, work)
    return found


def _edges(ptr: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """The entries of some rows of a ragged array, and the row of each."""
    counts = ptr[rows + 1] - ptr[rows]
    before = np.cumsum(counts) - counts
    return np.repeat(ptr[rows] - before, counts) + np.arange(counts.sum()), np.repeat(rows, counts)


def levels(instance: Instance) -> list[Ints]:
    """Activities by the number of links on the longest way to them."""
    a = instance.arrays
    waits = np.diff(a.pred_ptr)
    found = []
    front = np.flatnonzero(waits == 0)
    while len(front):
        found.append(front)
        edges, _ = _edges(a.succ_ptr, front)
        after, links = np.unique(a.succ[edges], return_counts=True)
        waits[after] -= links
        front = after[waits[after] == 0]
    return found


def topological(instance: Instance) -> list[int]:
    """Activities, each after those it waits for."""
    found: list[int] = np.concatenate(levels(instance)).tolist() if instance.n else []
    return found


def inherit(facts: Facts, key: Floats) -> Floats:
    """What another waits for is at least as urgent as it: keys never rise along a link."""
    a = facts.arrays
    found = key.copy()
    for level in facts.levels[:0:-1]:
        edges, waiting = _edges(a.pred_ptr, level)
        np.minimum.at(found, a.pred[edges], found[waiting] - 1e-6)
    return found


def _least(value: Floats, ptr: Ints) -> Floats:
    """The smallest of each row of a ragged array."""
    return np.minimum.reduceat(value, ptr[:-1]) if len(value) else np.zeros(0)


def _by_group(facts: Facts, value: Floats) -> Floats:
    """Each activity takes the smallest value of the groups it belongs to."""
    a = facts.arrays
    key = np.full(facts.n, np.inf)
    np.minimum.at(key, a.member, np.repeat(value, np.diff(a.member_ptr)))
    worst = float(np.max(value, initial=0.0)) + 1.0
    return np.where(np.isinf(key), worst, key)


def first_come(facts: Facts) -> Floats:
    """First come, first served: the order of the portfolio, what has begun first."""
    return np.arange(facts.n, dtype=np.float64) - np.where(facts.arrays.exempt, 1e6, 0.0)


def greedy(facts: Facts) -> Floats:
    """Most cost of delay per remaining hour of its project or item first (CD3, also WSJF; Smith 1956)."""
    work = np.maximum(facts.sums(facts.work + facts.arrays.wait * 0.01), 1e-3)
    return inherit(facts, _by_group(facts, -facts.weight / work))


def earliest_due(facts: Facts) -> Floats:
    """The earliest due date first; without one, at the end of the critical path."""
    a = facts.arrays
    path = facts.most(facts.head + facts.length)
    return inherit(facts, _by_group(facts, np.where(a.tardiness > 0, a.due, path * facts.stretch)))


def bottleneck_atc(facts: Facts, k: float, lead: float, tail: float) -> Floats:
    """Apparent tardiness cost on the scarce hours, by position, less the chain that follows.

    Vepsalainen and Morton, "Priority rules for job shops with weighted tardiness costs" (1987): log(w / P) -
    max(0, due - lead * path - t) / (k * mean P), here with P the scarce hours of a project, taken in sequence.
    """
    work = np.maximum(np.maximum(facts.sums(facts.scarce), 0.05 * facts.sums(facts.work) / 10), 1e-3)
    path = facts.most(facts.head + facts.length) * facts.stretch
    due = np.where(facts.arrays.tardiness > 0, facts.arrays.due, 0.0) - lead * path
    position = _sequence(facts.weight, work, due, np.zeros(len(due)), k, facts.stretch)
    return inherit(facts, _by_group(facts, position) - tail * facts.tail * facts.stretch)


class Turns:
    """For chronological schedules: when the turn of each project on the scarce hours comes, by the same index.

    An activity's key is the turn of its project less the chain after it, so that what comes first in a project is what
    has most after it. Scarce hours are scaled so that those of all projects fill the longest queue.
    """

    def __init__(self, facts: Facts) -> None:
        a = facts.arrays
        self.facts = facts
        work = np.maximum(facts.sums(facts.scarce), 1e-3 * facts.sums(facts.work) + 1e-3)
        self.work = work * (facts.longest / max(float(work.sum()), 1e-9)) * facts.stretch
        scarcest = np.repeat(facts.most(facts.scarcity), np.diff(a.member_ptr))
        scarce = facts.scarcity[a.member] >= SCARCE * scarcest
        release = _least(a.release[a.member].astype(float), a.member_ptr)
        head = _least(np.where(scarce, facts.head[a.member], np.inf), a.member_ptr)
        self.head = release + (head - release) * facts.stretch
        """When a project's first scarce hour can come: dates are in slots that pass, chains in slots of work."""
        after = _least(np.where(scarce, facts.tail[a.member], np.inf), a.member_ptr) * facts.stretch
        self.after = after + self.work
        self.path = (facts.most(facts.head + facts.length) - head) * facts.stretch
        self.due = np.where(a.tardiness > 0, a.due, 0.0)

    def ahead(self, lead: float) -> Floats:
        """How long before its due date a project's turn should come: the least time, or a share of its longest."""
        return np.maximum(self.after, lead * self.path)

    def positions(self, k: float, ahead: Floats) -> Floats:
        return _sequence(self.facts.weight, self.work, self.due - ahead, self.head, k, 1.0)

    def key(self, positions: Floats) -> Floats:
        return _by_group(self.facts, positions) - self.facts.tail * self.facts.stretch


def atc_less_tail(facts: Facts, k: float, lead: float) -> Floats:
    """The key of ``Turns`` for one value of what the index looks ahead and one share of the longest chain."""
    turns = Turns(facts)
    return turns.key(turns.positions(k, turns.ahead(lead)))


def _sequence(weight: Floats, work: Floats, due: Floats, ready: Floats, k: float, stretch: float) -> Floats:
    """When each group's turn on the scarce hours begins: always the one with the highest index of those ready."""
    groups = len(work)
    position = np.zeros(groups)
    value = np.log(np.maximum(weight, 1e-12) / work)
    scale = k * (float(work.mean()) if groups else 1.0) * stretch
    left = np.arange(groups)
    now = 0.0
    step = max(1, groups // STEPS)
    while len(left):
        able = ready[left] <= now
        if not able.any():
            now = float(ready[left].min())
            continue
        index = value[left] - np.maximum(0.0, due[left] - now) / scale
        index[~able] = -np.inf
        count = min(step, int(able.sum()))
        chosen = np.argsort(-index, kind="stable")[:count] if count > 1 else [int(index.argmax())]
        for g in left[chosen].tolist():
            position[g] = now
            now += float(work[g]) * stretch
        left = np.delete(left, chosen)
    return position


RULES: dict[str, Callable[[Facts], Floats]] = {
    "first-come": first_come,
    "greedy": greedy,
    "earliest-due": earliest_due,
}


def grid() -> Iterator[tuple[float, float, float]]:
    """The parameters of bottleneck-ATC that are tried: k, lead, tail."""
    for k in (0.5, 2.0, 8.0, 30.0):
        for lead in (0.0, 0.5, 1.0):
            for tail in (0.0, 0.3, 1.0, 3.0):
                yield k, lead, tail
