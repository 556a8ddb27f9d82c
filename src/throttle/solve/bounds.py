"""Lower bounds on the cost and on the flow measure, apart from search; each is valid by construction.

*Network*: every activity as early as its predecessors and the calendars of its best people allow, as if alone.

*Mean busy time*: let P be the person-slots that a group of activities (a project, say) needs of a set of people K, M
the mean moment of these slots and C the group's finish. Then C >= M + d(P) + tail, where d(P) is the least distance
between a moment and the mean of the last P person-slots of K before it, and tail the least time of what must follow.
Least weighted M over all ways to share the slots of K among groups: the group with the largest weight / P first,
preemptively (Goemans, "Improved approximation algorithms for scheduling with release dates", 1997). Each group's weight
is split over several sets K and the network bound; any split is valid, and a good one is found by multiplicative
weights on the concave sum. Tardiness: w max(0, C - due) >= u (C - due) for 0 <= u <= w, so its due date is one more
part of the split.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import FF, FS, Instance
from throttle.solve.decoder import PLAIN_WORK, work_of
from throttle.solve.jit import kernels

if TYPE_CHECKING:
    from throttle.instance import Arrays, Floats, Ints
    from throttle.solve.rules import Facts

SETS = 12
"""Sets of people looked at, the most loaded first."""
ROUNDS = 60
WITH_RELEASES = 300
"""Up to so many groups, release dates are kept in the relaxation."""
LENGTHS = 48
"""Different values of P for which d(P) is computed; the others take that of the next smaller, which is no larger."""


def lower_bounds(instance: Instance, facts: Facts) -> tuple[float, float]:
    """Valid lower bounds on (cost, flow measure) of any schedule of the instance."""
    a = instance.arrays
    network = Network(instance, facts)
    finish = np.array([network.end[m].max() for m in facts.members]) if facts.members else np.zeros(0)
    sets = _sets(instance, facts, network)
    for g, members in enumerate(facts.members):
        if len(members) == sum(id != "" for id in instance.activities):
            finish[g] = max([finish[g], *(s.all_done for s in sets)])
    entries_group = np.r_[np.flatnonzero(a.flow > 0), np.flatnonzero(a.tardiness > 0)]
    late = np.r_[np.zeros((a.flow > 0).sum(), bool), np.ones((a.tardiness > 0).sum(), bool)]
    weight = np.where(late, a.tardiness[entries_group], a.flow[entries_group])
    due = np.where(late, a.due[entries_group], 0.0)
    floor = np.where(late, np.maximum(finish[entries_group], due), finish[entries_group])
    cost = _split(sets, entries_group, weight, floor, due)
    span = np.array([network.chain(m) for m in facts.members]) if facts.members else np.zeros(0)
    cost += float((a.span * span).sum())
    weighted = np.flatnonzero(a.measure > 0)
    flow = _split(sets, weighted, a.measure[weighted], finish[weighted], np.zeros(len(weighted)))
    return cost, flow


class Network:
    """Earliest start and end of each activity, people shared with no one, and the least time that each takes."""

    def __init__(self, instance: Instance, facts: Facts) -> None:
        a = self.arrays = instance.arrays
        self.order = facts.order
        n = instance.n
        self.start, self.end = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self.bound = np.zeros(n, np.int64)
        """Earliest start by dates and predecessors, before pins and calendars."""
        kernel = kernels(work_of(instance) > PLAIN_WORK)
        load, held = np.zeros((1, instance.slots), np.int16), np.zeros((1, 0), np.int16)
        env = np.zeros((len(a.capacity), instance.slots), np.int64)
        # Links are in est and finish_from by their least effect, so the kernel sees none; and one stand-in person for
        # each calendar, since nobody is busy and who it is does not matter.
        alone = a._replace(person_wip=np.zeros(1, np.int64), pred_ptr=np.zeros(n + 1, np.int64))
        stand_in = {m: alone._replace(person_mask=np.array([m], np.int64)) for m in range(len(a.masks))}
        crew = np.zeros(1, np.int64)
        spans: dict[tuple[int, int], float] = {}
        self.least = np.zeros(n)
        out = np.zeros(2, np.int64)
        none = np.zeros((0, 2), np.int64)
        for j in self.order:
            est, finish_from = int(a.release[j]), 0
            for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
                before, kind = a.pred[e], a.pred_type[e]
                if a.lag_kind[e] == 1 and a.lag[e] < 0:
                    continue
                moment = int((self.end if kind in (FS, FF) else self.start)[before] + a.lag[e])
                if kind <= 1:
                    est = max(est, moment)
                else:
                    finish_from = max(finish_from, moment)
            self.bound[j] = est
            est = max(est, int(a.pin[j]))
            begin, done, least = est, max(est, finish_from), 0.0
            if a.need_ptr[j] == a.need_ptr[j + 1]:
                out[1] = finish_from
                at = kernel.earliest(alone, j, crew, none, est, instance.slots + 1, load, held, env, a.next_open, out)
                if at >= 0:
                    begin, done = at, int(out[0])
                least = float(a.wait[j])
            for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
                first_begin, first_end, shortest = instance.slots, instance.slots, float("inf")
                rows = np.array([[0, q]], np.int64)
                able = a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]]
                for mask in np.unique(a.person_mask[able]).tolist():
                    out[1] = finish_from
                    at = kernel.earliest(
                        stand_in[mask],
                        j,
                        crew,
                        rows,
                        est,
                        instance.slots + 1,
                        load,
                        held,
                        env,
                        a.next_open[mask : mask + 1],
                        out,
                    )
                    if at >= 0:
                        first_begin, first_end = min(first_begin, at), min(first_end, int(out[0]))
                    shortest = min(shortest, _least_span(a, mask, int(a.work[q]), spans))
                begin, done = max(begin, first_begin), max(done, first_end)
                least = max(least, shortest)
            self.start[j], self.end[j], self.least[j] = begin, done, least

    def tails(self, members: Ints) -> dict[int, float]:
        """For each member, the least time from its end to the end of the last member that follows it in the group."""
        a = self.arrays
        inside = set(members.tolist())
        tail = dict.fromkeys(inside, 0.0)
        for j in reversed(self.order):
            if j not in inside:
                continue
            for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
                before = int(a.pred[e])
                if before in inside and a.pred_type[e] == FS and a.lag[e] >= 0:
                    tail[before] = max(tail[before], tail[j] + self.least[j] + float(a.lag[e]))
        return tail

    def chain(self, members: Ints) -> float:
        """The least time from the first start to the last end of a group."""
        tails = self.tails(members)
        return max(float(self.least[j]) + t for j, t in tails.items())


def _least_span(a: Arrays, mask: int, work: int, known: dict[tuple[int, int], float]) -> float:
    """Least time from the first to the last of so many open slots in a row."""
    if (mask, work) not in known:
        places = np.flatnonzero(a.masks[mask])
        enough = len(places) >= work > 0
        known[mask, work] = float((places[work - 1 :] - places[: len(places) - work + 1]).min() + 1) if enough else work
    return known[mask, work]


@dataclass
class _Set:
    """A set of people (or an environment), its capacity over time, and what groups need of it."""

    filled: Floats
    """Capacity in person-slots before each moment, rising; entry 0 is 0."""
    moment: Floats
    """Sum of the moments (slot ends) of that capacity."""
    need: Floats
    """P of each group."""
    tail: Floats
    lead: Floats
    """d(P) of each group."""
    release: Floats
    all_done: float
    """Earliest moment at which all of the work can be done."""

    def finishes(self, weight: Floats, releases: bool) -> Floats:
        """The C of each group in the best sharing for these weights; groups without need get their tail."""
        busy = np.flatnonzero(self.need > 0)
        ratio = weight[busy] / self.need[busy]
        found = np.zeros(len(weight))
        if releases:
            mean = self._preemptive(busy, ratio)
        else:
            order = np.argsort(-ratio, kind="stable")
            upto = np.cumsum(self.need[busy][order])
            integral = np.interp(np.r_[0.0, upto], self.filled, self.moment)
            mean = np.empty(len(busy))
            mean[order] = np.diff(integral) / self.need[busy][order]
        found[busy] = mean + self.lead[busy] + self.tail[busy]
        return found

    def _preemptive(self, busy: Ints, ratio: Floats) -> Floats:
        left = self.need[busy].copy()
        total = np.zeros(len(busy))
        order = np.argsort(self.release[busy], kind="stable").tolist()
        heap: list[tuple[float, int]] = []
        at, position = 0.0, 0.0
        integral = 0.0
        while order or heap:
            if not heap:
                at = max(at, float(self.release[busy[order[0]]]))
                integral = float(np.interp(at, self.filled, self.moment))
            while order and self.release[busy[order[0]]] <= at:
                i = order.pop(0)
                heapq.heappush(heap, (-ratio[i], i))
            _, i = heap[0]
            position = float(self.release[busy[order[0]]]) if order else float("inf")
            amount = min(left[i], position - at)
            reached = float(np.interp(at + amount, self.filled, self.moment))
            total[i] += reached - integral
            left[i] -= amount
            at, integral = at + amount, reached
            if left[i] <= 1e-9:
                heapq.heappop(heap)
        return total / self.need[busy]


def _sets(instance: Instance, facts: Facts, network: Network) -> list[_Set]:
    a, n = instance.arrays, instance.n
    groups = len(a.due)
    # an activity's work counts in one group only: the one with the largest weight
    owner = np.full(n, -1)
    for g in np.argsort(np.maximum(a.measure, a.flow + a.tardiness), kind="stable").tolist():
        owner[facts.members[g]] = g
    rows = np.repeat(np.arange(n), np.diff(a.need_ptr))
    amount = a.work * a.people * a.share / 100.0
    able = [frozenset(a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist()) for q in range(len(a.work))]
    found = []
    for people in {*able, frozenset(range(len(instance.people)))}:
        inside = np.array([who <= people for who in able], bool)
        capacity = a.masks[a.person_mask[sorted(people)]].sum(axis=0, dtype=np.float64)
        total = float(amount[inside].sum())
        if total > 0 and capacity.sum() > 0:
            found.append((total / capacity.sum(), sorted(people), inside, capacity))
    found.sort(key=lambda s: (-s[0], s[1]))
    tails = [network.tails(m) for m in facts.members]
    return [
        made
        for _, _, inside, capacity in found[:SETS]
        if (made := _set(capacity, rows[inside], amount[inside], owner, tails, network, groups))
    ] + _environments(instance, owner, tails, network, groups)


def _environments(
    instance: Instance, owner: Ints, tails: list[dict[int, float]], network: Network, groups: int
) -> list[_Set]:
    """An item takes its environment in each slot that is worked, and works only when its people and places are open."""
    a, n, slots = instance.arrays, instance.n, instance.slots
    uses = np.repeat(np.arange(n), np.diff(a.use_ptr))
    length = np.maximum(a.wait, 0)
    np.maximum.at(length, np.repeat(np.arange(n), np.diff(a.need_ptr)), a.work)
    found = []
    for k, capacity in enumerate(a.capacity.tolist()):
        mine = a.use == k
        j = uses[mine]
        taken = (a.amount[mine] * length[j]).astype(float)
        if capacity == 0 or taken.sum() == 0:
            continue
        open_ = np.zeros(slots, bool)
        for i in j[length[j] > 0].tolist():
            people = a.candidate[a.cand_ptr[a.need_ptr[i]] : a.cand_ptr[a.need_ptr[i + 1]]]
            staffed = a.masks[np.unique(a.person_mask[people])].any(axis=0) if len(people) else np.ones(slots, bool)
            open_ |= staffed & (a.masks[a.place[i]] == 1 if a.place[i] >= 0 else True)
        made = _set(open_ * float(capacity), j, taken, owner, tails, network, groups)
        found += [made] if made else []
    return found


def _set(
    capacity: Floats,
    rows: Ints,
    amount: Floats,
    owner: Ints,
    tails: list[dict[int, float]],
    network: Network,
    groups: int,
) -> _Set | None:
    slots = len(capacity)
    filled = np.r_[0.0, np.cumsum(capacity)]
    if amount.sum() > filled[-1]:
        return None
    moment = np.r_[0.0, np.cumsum(capacity * (np.arange(slots) + 1))]
    need, tail = np.zeros(groups), np.full(groups, np.inf)
    release = np.full(groups, float(slots))
    for j, work in zip(rows.tolist(), amount.tolist(), strict=True):
        if (g := int(owner[j])) >= 0:
            need[g] += work
            tail[g] = min(tail[g], tails[g][j])
            release[g] = min(release[g], float(network.start[j]))
    tail[need == 0] = 0.0
    release = filled[np.clip(release, 0, slots).astype(np.int64)]
    # keep only moments at which capacity grows, so that interpolation has a rising axis
    grows = np.r_[True, np.diff(filled) > 0]
    axis, integral = filled[grows], moment[grows]
    ends = np.flatnonzero(grows).astype(float)
    lead = _leads(axis, integral, ends, need)
    done = float(ends[np.searchsorted(axis, amount.sum() - 1e-9)])
    return _Set(axis, integral, need, tail, lead, release, done)


def _leads(axis: Floats, integral: Floats, ends: Floats, need: Floats) -> Floats:
    """d(P): the least of C - mean of the last P of the capacity before C, over all C."""
    lead = np.zeros(len(need))
    wanted = np.unique(need[need > 0])
    if len(wanted) > LENGTHS:
        wanted = wanted[np.linspace(0, len(wanted) - 1, LENGTHS).astype(int)]
    for p in wanted.tolist():
        enough = axis >= p - 1e-9
        if not enough.any():
            continue
        before = np.interp(np.maximum(axis[enough] - p, 0.0), axis, integral)
        lead[need >= p] = float((ends[enough] - (integral[enough] - before) / p).min())
    return np.maximum(lead, 0.0)


def _split(sets: list[_Set], group: Ints, weight: Floats, floor: Floats, due: Floats) -> float:
    """The best bound found on sum of weight * (C - due) over entries, each of one group, C >= floor."""
    if not len(group):
        return 0.0
    groups = int(max(group.max() + 1, *(len(s.need) for s in sets))) if sets else int(group.max() + 1)
    base = -float((weight * due).sum())
    best = base + float((weight * floor).sum())
    columns = len(sets)
    if not columns:
        return max(best, 0.0)
    share = np.full((columns + 1, len(group)), 1.0)
    share[-1] = 2.0
    for k, s in enumerate(sets):
        share[k] = np.where(s.need[group] > 0, 1.0, 0.0)
    share /= share.sum(axis=0)
    releases = groups <= WITH_RELEASES
    for round_ in range(ROUNDS):
        exact = releases and (round_ % 6 == 5)
        finishes = np.empty((columns + 1, len(group)))
        finishes[-1] = floor
        for k, s in enumerate(sets):
            mass = np.bincount(group, weight * share[k], groups).astype(np.float64)
            finishes[k] = s.finishes(mass, exact)[group]
        best = max(best, base + float((weight * share * finishes).sum()))
        scale = np.maximum(finishes.max(axis=0), 1.0)
        rate = 6.0 / (1 + round_) ** 0.5
        share = share * np.exp(rate * (finishes - finishes.max(axis=0)) / scale)
        share = np.maximum(share, 1e-12 * (share > 0))
        share /= share.sum(axis=0)
    return max(best, 0.0)
