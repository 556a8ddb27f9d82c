"""Priority rules: what a dispatcher would pick next. One rule is one function and one line in ``RULES``.

Each returns a key per activity, smallest first. Costs are per slot, work in person-slots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import Instance

if TYPE_CHECKING:
    from throttle.instance import Floats, Ints


class Facts:
    """What rules look at, computed once an instance."""

    def __init__(self, instance: Instance) -> None:
        a = self.arrays = instance.arrays
        n = self.n = instance.n
        rows = np.repeat(np.arange(n), np.diff(a.need_ptr))
        self.work = np.bincount(rows, a.work * a.people * a.share / 100.0, n)
        """Person-slots of each activity."""
        self.length = np.maximum(_longest(a.work, a.need_ptr, n), a.wait)
        """Slots of work of each activity, closed time not counted."""
        open_share = a.masks.mean() if a.masks.size else 1.0
        self.stretch = 1.0 / max(float(open_share), 0.05)
        """Slots that pass for each slot of work, on average."""
        self.order = topological(instance)
        self.tail = np.zeros(n)
        """Slots of work of the longest chain after each activity."""
        self.head = a.release.astype(float)
        for j in self.order:
            for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
                if a.pred_type[e] == 0:
                    before = a.pred[e]
                    self.head[j] = max(self.head[j], self.head[before] + self.length[before] + max(a.lag[e], 0))
        for j in self.order[::-1]:
            for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
                if a.pred_type[e] == 0:
                    before = a.pred[e]
                    self.tail[before] = max(self.tail[before], self.tail[j] + self.length[j] + max(a.lag[e], 0))
        self.scarcity, self.scarce = self._queues(rows)
        groups = len(a.due)
        self.members = [a.member[a.member_ptr[g] : a.member_ptr[g + 1]] for g in range(groups)]
        self.weight = np.maximum(a.tardiness + a.flow, a.measure)

    def _queues(self, rows: Ints) -> tuple[Floats, Floats]:
        """Per activity, its scarcest need's queue (work / people who can), and its work there."""
        a = self.arrays
        queue: dict[bytes, float] = {}
        sets = [a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tobytes() for q in range(len(a.work))]
        for q, able in enumerate(sets):
            people = a.cand_ptr[q + 1] - a.cand_ptr[q]
            queue[able] = queue.get(able, 0.0) + float(a.work[q] * a.people[q] * a.share[q]) / 100 / max(1, people)
        longest = max(queue.values(), default=1.0) or 1.0
        scarcity, scarce = np.zeros(self.n), np.zeros(self.n)
        for q, j in enumerate(rows):
            people = max(1, a.cand_ptr[q + 1] - a.cand_ptr[q])
            weight = queue[sets[q]] / longest
            scarcity[j] = max(scarcity[j], weight)
            scarce[j] += weight**4 * float(a.work[q] * a.people[q] * a.share[q]) / 100 / people
        return scarcity, scarce


def _longest(work: Ints, need_ptr: Ints, n: int) -> Ints:
    found = np.zeros(n, np.int64)
    np.maximum.at(found, np.repeat(np.arange(n), np.diff(need_ptr)), work)
    return found


def topological(instance: Instance) -> list[int]:
    """Activities, each after those it waits for; the input order otherwise."""
    a, n = instance.arrays, instance.n
    waits = np.diff(a.pred_ptr).copy()
    ready = [j for j in range(n - 1, -1, -1) if waits[j] == 0]
    order = []
    while ready:
        j = ready.pop()
        order.append(j)
        for e in range(a.succ_ptr[j + 1] - 1, a.succ_ptr[j] - 1, -1):
            i = int(a.succ[e])
            waits[i] -= 1
            if waits[i] == 0:
                ready.append(i)
    return order


def inherit(facts: Facts, key: Floats) -> Floats:
    """What another waits for is at least as urgent as it: keys never rise along a link."""
    a = facts.arrays
    found = key.copy()
    for j in facts.order[::-1]:
        before = a.pred[a.pred_ptr[j] : a.pred_ptr[j + 1]]
        if len(before):
            found[before] = np.minimum(found[before], found[j] - 1e-6)
    return found


def _by_group(facts: Facts, value: Floats) -> Floats:
    """Each activity takes the smallest value of the groups it belongs to."""
    key = np.full(facts.n, np.inf)
    for g, members in enumerate(facts.members):
        key[members] = np.minimum(key[members], value[g])
    worst = float(np.max(value, initial=0.0)) + 1.0
    return np.where(np.isinf(key), worst, key)


def first_come(facts: Facts) -> Floats:
    """First come, first served: the order of the portfolio, what has begun first."""
    return np.arange(facts.n, dtype=np.float64) - np.where(facts.arrays.exempt, 1e6, 0.0)


def greedy(facts: Facts) -> Floats:
    """Most cost of delay per remaining hour of its project or item first (CD3, also WSJF; Smith 1956)."""
    work = np.array([max(facts.work[m].sum() + facts.arrays.wait[m].sum() * 0.01, 1e-3) for m in facts.members])
    return inherit(facts, _by_group(facts, -facts.weight / work))


def earliest_due(facts: Facts) -> Floats:
    """The earliest due date first; without one, at the end of the critical path."""
    a = facts.arrays
    path = np.array([(facts.head[m] + facts.length[m]).max() for m in facts.members])
    return inherit(facts, _by_group(facts, np.where(a.tardiness > 0, a.due, path * facts.stretch)))


def bottleneck_atc(facts: Facts, k: float, lead: float, tail: float) -> Floats:
    """Apparent tardiness cost on the scarce hours, by position, less the chain that follows.

    Vepsalainen and Morton, "Priority rules for job shops with weighted tardiness costs" (1987): log(w / P) -
    max(0, due - lead * path - t) / (k * mean P), here with P the scarce hours of a project, taken in sequence.
    """
    a = facts.arrays
    groups = len(a.due)
    work = np.array([max(facts.scarce[m].sum(), 0.05 * facts.work[m].sum() / 10, 1e-3) for m in facts.members])
    path = np.array([(facts.head[m] + facts.length[m]).max() for m in facts.members]) * facts.stretch
    due = np.where(a.tardiness > 0, a.due, 0.0)
    weight = np.log(np.maximum(facts.weight, 1e-12) / work)
    mean = float(work.mean()) if groups else 1.0
    position = np.zeros(groups)
    left = list(range(groups))
    now = 0.0
    step = max(1, groups // 400)
    while left:
        slack = np.maximum(0.0, due[left] - lead * path[left] - now)
        index = weight[left] - slack / (k * mean * facts.stretch)
        for i in np.argsort(-index, kind="stable")[:step].tolist():
            position[left[i]] = now
            now += work[left[i]] * facts.stretch
        taken = set(np.argsort(-index, kind="stable")[:step].tolist())
        left = [g for i, g in enumerate(left) if i not in taken]
    key = _by_group(facts, position)
    return inherit(facts, key - tail * facts.tail * facts.stretch)


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
