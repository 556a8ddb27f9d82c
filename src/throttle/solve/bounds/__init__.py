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
from typing import TYPE_CHECKING, Any

import numpy as np

from throttle.instance import Instance
from throttle.solve.decoder import PLAIN_WORK, work_of
from throttle.solve.kernels import kernels

if TYPE_CHECKING:
    from throttle.instance import Arrays, Floats, Ints
    from throttle.solve.rules import Facts

GROWN = 40
"""Sets that needs ask for, the most loaded first, of which unions are looked for."""
THOROUGH = 3_000
"""Up to so many members of a group, the energy bound looks at all pairs of heads and tails."""
SETS = 12
"""Sets of people looked at, the most loaded first."""
PLACES = 40
"""Environments, and other capacities, looked at, the most loaded first."""
ROUNDS = 60
WITH_RELEASES = 300
"""Up to so many groups, release dates are kept in the relaxation."""
LENGTHS = 48
"""Different values of P for which d(P) is computed; the others take that of the next smaller, which is no larger."""


def lower_bounds(instance: Instance, facts: Facts, network: Network | None = None) -> tuple[float, float]:
    """Valid lower bounds on (cost, flow measure) of any schedule of the instance."""
    a = instance.arrays
    network = network or Network(instance, facts)
    sets = _sets(instance, facts, network)
    finish = _finishes(instance, network, sets)
    entries_group = np.r_[np.flatnonzero(a.flow > 0), np.flatnonzero(a.tardiness > 0)]
    late = np.r_[np.zeros((a.flow > 0).sum(), bool), np.ones((a.tardiness > 0).sum(), bool)]
    weight = np.where(late, a.tardiness[entries_group], a.flow[entries_group])
    due = np.where(late, a.due[entries_group], 0.0)
    floor = np.where(late, np.maximum(finish[entries_group], due), finish[entries_group])
    groups = len(a.due)
    cost = _split(sets, groups, entries_group, weight, floor, due)
    for g in np.flatnonzero(a.span > 0).tolist():
        cost += float(a.span[g]) * network.chain(facts.members[g])
    weighted = np.flatnonzero(a.measure > 0)
    flow = _split(sets, groups, weighted, a.measure[weighted], finish[weighted], np.zeros(len(weighted)))
    return cost, flow


def earliest_finishes(instance: Instance, facts: Facts, network: Network) -> Floats:
    """The least finish of each group, by the network and by its own work on each set of people or environment."""
    return _finishes(instance, network, _sets(instance, facts, network))


class Network:
    """Earliest start and end of each activity, people shared with no one, and the least time that each takes."""

    def __init__(self, instance: Instance, facts: Facts) -> None:
        a = self.arrays = instance.arrays
        n = instance.n
        self.facts = facts
        self.start, self.end = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self.bound = np.zeros(n, np.int64)
        """Earliest start by dates and predecessors, before pins and calendars."""
        compiled = work_of(instance) > PLAIN_WORK
        self._kernel, self._heads = kernels(compiled), kernels(compiled, "heads")
        able = [a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]] for q in range(len(a.work))]
        number: dict[bytes, int] = {}
        set_of_need = np.array([number.setdefault(who.tobytes(), len(number)) for who in able], np.int64)
        calendars = [np.unique(a.person_mask[np.frombuffer(key, np.int64)]) for key in number]
        self.least = _least(a, n, set_of_need, calendars)
        self._rank = np.empty(n, np.int64)
        self._rank[facts.order] = np.arange(n)
        opened = np.zeros((len(a.masks), instance.slots + 1), np.int32)
        np.cumsum(a.masks, axis=1, out=opened[:, 1:], dtype=np.int32)
        simple = a.plain & (a.pin < 0)
        order = np.array(facts.order, np.int64)
        mask_ptr = np.r_[0, np.cumsum([len(c) for c in calendars])].astype(np.int64)
        mask = np.concatenate(calendars) if calendars else np.zeros(0, np.int64)
        alone: _Alone | None = None
        at = 0
        while at < n:
            at = self._heads.advance(
                at,
                order,
                simple,
                a.release,
                a.wait,
                a.pred_ptr,
                a.pred,
                a.pred_type,
                a.lag,
                a.lag_kind,
                a.need_ptr,
                a.work,
                set_of_need,
                mask_ptr,
                mask,
                opened,
                self.bound,
                self.start,
                self.end,
            )
            if at < n:
                alone = alone or _Alone(instance, self._kernel)
                j = int(order[at])
                _, finish_from = self._heads.link_bounds(
                    j, a.release, a.pred_ptr, a.pred, a.pred_type, a.lag, a.lag_kind, self.start, self.end
                )
                self.start[j], self.end[j] = alone.place(j, max(int(self.bound[j]), int(a.pin[j])), int(finish_from))
                at += 1

    def pinned_too_early(self) -> list[int]:
        """Activities with a slot from the pin on, before they may begin, in which all who could do them are open.

        Where there is none, the first slot that is open for a crew may be late enough.
        """
        a, found = self.arrays, []
        for j in np.flatnonzero((a.pin >= 0) & (a.pin < self.bound)).tolist():
            needs = slice(a.need_ptr[j], a.need_ptr[j + 1])
            able = a.candidate[a.cand_ptr[needs.start] : a.cand_ptr[needs.stop]]
            rows = [*np.unique(a.person_mask[able]).tolist(), *([int(a.place[j])] if a.place[j] >= 0 else [])]
            open_ = a.masks[rows, a.pin[j] : self.bound[j]].all(axis=0)
            # what takes no time is at its pin, open or not
            if open_.any() or max(a.work[needs].max(initial=0), a.wait[j]) == 0:
                found.append(j)
        return found

    def tails(self, members: Ints) -> tuple[Ints, Floats]:
        """Members in topological order, and the least time from the end of each to that of the last that follows."""
        return self.all_tails(members, np.array([0, len(members)], np.int64))

    def all_tails(self, member: Ints, member_ptr: Ints) -> tuple[Ints, Floats]:
        """``tails`` of several groups, one after the other."""
        a = self.arrays
        group = np.repeat(np.arange(len(member_ptr) - 1), np.diff(member_ptr))
        sequence = member[np.lexsort((self._rank[member], group))]
        tail, place = np.zeros(len(member)), np.full(len(self.start), -1)
        self._heads.tails(sequence, member_ptr, a.pred_ptr, a.pred, a.pred_type, a.lag, self.least, place, tail)
        return sequence, tail

    def finish_by_energy(
        self,
        group_ptr: Ints,
        head: Ints,
        tail: Floats,
        work: Floats,
        filled: Floats,
        sorted_tail: Floats,
        sorted_work: Floats,
        finish: Floats,
    ) -> None:
        """Raise the finish of groups by the energy bound; see the kernel."""
        self._heads.finish_by_energy(group_ptr, head, tail, work, filled, THOROUGH, sorted_tail, sorted_work, finish)

    def chain(self, members: Ints) -> float:
        """The least time from the first start to the last end of a group."""
        sequence, tail = self.tails(members)
        return float((self.least[sequence] + tail).max())


class _Alone:
    """Places one activity as if it were alone, with the kernel that knows every rule of a single activity."""

    def __init__(self, instance: Instance, kernel: Any) -> None:
        a = self.arrays = instance.arrays
        n = instance.n
        self.slots, self.kernel = instance.slots, kernel
        self.load, self.held = np.zeros((1, instance.slots), np.int16), np.zeros((1, 0), np.int16)
        self.env = np.zeros((len(a.capacity), instance.slots), np.int64)
        # Links are in est and finish_from by their least effect, so the kernel sees none; and one stand-in person for
        # each calendar, since nobody is busy and who it is does not matter.
        none = np.zeros(0, np.int64)
        self.unlinked = a._replace(person_wip=np.zeros(1, np.int64), team_wip=none, pred_ptr=np.zeros(n + 1, np.int64))
        self.stand_in = {m: self.unlinked._replace(person_mask=np.array([m], np.int64)) for m in range(len(a.masks))}

    def place(self, j: int, est: int, finish_from: int) -> tuple[int, int]:
        """Earliest start and end; where there is none before the horizon, the horizon stands for it."""
        a, slots = self.arrays, self.slots
        crew, out, none = np.zeros(1, np.int64), np.zeros(2, np.int64), np.zeros((0, 2), np.int64)
        begin, done = est, max(est, finish_from)
        if a.need_ptr[j] == a.need_ptr[j + 1]:
            out[1] = finish_from
            at = self.kernel.earliest(
                self.unlinked, j, crew, none, est, slots + 1, self.load, self.held, self.env, a.next_open, out
            )
            return (at, int(out[0])) if at >= 0 else (begin, done)
        # with others in the crew, closed time of theirs may put off the end for which one alone has to begin later
        single = a.need_ptr[j + 1] - a.need_ptr[j] == 1 and a.people[a.need_ptr[j]] == 1
        for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
            first_begin, first_end = slots, slots
            rows = np.array([[0, q]], np.int64)
            able = a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]]
            for m in np.unique(a.person_mask[able]).tolist():
                out[1] = finish_from if single else 0
                at = self.kernel.earliest(
                    self.stand_in[m],
                    j,
                    crew,
                    rows,
                    est,
                    slots + 1,
                    self.load,
                    self.held,
                    self.env,
                    a.next_open[m : m + 1],
                    out,
                )
                if at >= 0:
                    first_begin, first_end = min(first_begin, at), min(first_end, int(out[0]))
            begin, done = max(begin, first_begin), max(done, first_end)
        return begin, done


def _least(a: Arrays, n: int, set_of_need: Ints, calendars: list[Ints]) -> Floats:
    """Of each activity, the least time from its start to its end: the densest open slots of its needs' calendars."""
    pairs, which = np.unique(np.stack([set_of_need, a.work]), axis=1, return_inverse=True)
    places = [np.flatnonzero(mask) for mask in a.masks]
    shortest = np.array(
        [min((_window(places[m], work) for m in calendars[s].tolist()), default=work) for s, work in pairs.T.tolist()],
        np.float64,
    )
    least = np.where(np.diff(a.need_ptr) == 0, a.wait, 0).astype(np.float64)
    if len(which):
        np.maximum.at(least, np.repeat(np.arange(n), np.diff(a.need_ptr)), shortest[which.reshape(-1)])
    return least


def _window(places: Ints, work: int) -> int:
    """Least time from the first to the last of so many open slots in a row."""
    if not len(places) >= work > 0:
        return work
    return int((places[work - 1 :] - places[: len(places) - work + 1]).min()) + 1


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
    capacity: Floats
    """Person-slots before each slot."""
    taken: Floats
    """Person-slots of each activity."""

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
    owner = _owners(a, facts)
    rows = np.repeat(np.arange(n), np.diff(a.need_ptr))
    amount = a.work * a.people * a.share / 100.0
    number: dict[bytes, int] = {}
    able = [a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tobytes() for q in range(len(a.work))]
    of_need = np.array([number.setdefault(who, len(number)) for who in able], np.int64)
    people = [frozenset(np.frombuffer(key, np.int64).tolist()) for key in number]
    total: Floats = np.bincount(of_need, amount, max(len(people), 1)).astype(np.float64)
    found = []
    for chosen in _unions(a, people, total, frozenset(range(len(instance.people)))):
        inside = np.array([who <= chosen for who in people], bool)
        capacity = a.masks[a.person_mask[sorted(chosen)]].sum(axis=0, dtype=np.float64)
        load = float(total[inside].sum())
        if load > 0 and capacity.sum() > 0:
            found.append((load / capacity.sum(), sorted(chosen), inside[of_need], capacity))
    found.sort(key=lambda s: (-s[0], s[1]))
    tail = _owner_tails(a, network, owner)
    return [
        made
        for _, _, inside, capacity in found[:SETS]
        if (made := _set(capacity, rows[inside], amount[inside], owner, tail, network, len(a.due)))
    ] + _environments(instance, owner, tail, network, len(a.due))


def _unions(a: Arrays, people: list[frozenset[int]], total: Floats, everyone: frozenset[int]) -> list[frozenset[int]]:
    """Sets of people to look at: those that needs ask for, each grown by others while that raises its load; all."""
    order = np.argsort(-total / [max(len(who), 1) for who in people], kind="stable").tolist() if people else []
    open_ = a.masks.sum(axis=1, dtype=np.float64)[a.person_mask]
    found = dict.fromkeys(people)
    for k in order[:GROWN]:
        chosen, load = people[k], 0.0
        while True:
            best = None
            for i in order[:GROWN]:
                wider = chosen | people[i]
                work = sum(float(total[m]) for m in order[:GROWN] if people[m] <= wider)
                if (ratio := work / max(float(open_[sorted(wider)].sum()), 1.0)) > load * (1 + 1e-9):
                    best, load = wider, ratio
            if best is None or best == chosen:
                break
            chosen = best
        found[chosen] = None
    found[everyone] = None
    return list(found)


def _owners(a: Arrays, facts: Facts) -> Ints:
    """The one group in which the work of an activity counts: the one with the largest weight."""
    owner = np.full(facts.n, -1)
    for g in np.argsort(np.maximum(a.measure, a.flow + a.tardiness), kind="stable").tolist():
        owner[facts.members[g]] = g
    return owner


def _owner_tails(a: Arrays, network: Network, owner: Ints) -> Floats:
    """Of each activity, the least time from its end to that of the last that follows in the group that owns it."""
    sequence, tail = network.all_tails(a.member, a.member_ptr)
    mine = owner[sequence] == np.repeat(np.arange(len(a.due)), np.diff(a.member_ptr))
    found = np.zeros(len(owner))
    found[sequence[mine]] = tail[mine]
    return found


def _finishes(instance: Instance, network: Network, sets: list[_Set]) -> Floats:
    """The least finish of each group, by the network and by its own work on each set of people or environment."""
    a = instance.arrays
    if not len(a.due):
        return np.zeros(0)
    finish: Floats = np.maximum.reduceat(network.end[a.member], a.member_ptr[:-1]).astype(np.float64)
    sequence, tail = network.all_tails(a.member, a.member_ptr)
    group = np.repeat(np.arange(len(a.due)), np.diff(a.member_ptr))
    largest = int(np.diff(a.member_ptr).max())
    space = np.zeros((2, largest))
    for s in sets:
        work = s.taken[sequence]
        several = work > 0
        where = np.flatnonzero(several)
        where = where[np.lexsort((-network.start[sequence[where]], group[where]))]
        ptr = np.r_[0, np.cumsum(np.bincount(group[where], minlength=len(a.due)))].astype(np.int64)
        network.finish_by_energy(
            ptr, network.start[sequence[where]], tail[where], work[where], s.capacity, space[0], space[1], finish
        )
    return finish


def _environments(instance: Instance, owner: Ints, tail: Floats, network: Network, groups: int) -> list[_Set]:
    """An item takes its environment in each slot that is worked, and works only when its people and places are open."""
    a, n, slots = instance.arrays, instance.n, instance.slots
    uses = np.repeat(np.arange(n), np.diff(a.use_ptr))
    length = np.maximum(a.wait, 0)
    np.maximum.at(length, np.repeat(np.arange(n), np.diff(a.need_ptr)), a.work)
    found = []
    load = np.bincount(a.use, a.amount * length[uses], len(a.capacity)) / np.maximum(a.capacity, 1)
    for k in sorted(np.argsort(-load, kind="stable")[:PLACES].tolist()):
        capacity = int(a.capacity[k])
        mine = a.use == k
        j = uses[mine]
        taken = (a.amount[mine] * length[j]).astype(float)
        if capacity == 0 or taken.sum() == 0 or a.in_process[k]:
            continue
        open_ = np.zeros(slots, bool)
        for i in j[length[j] > 0].tolist():
            people = a.candidate[a.cand_ptr[a.need_ptr[i]] : a.cand_ptr[a.need_ptr[i + 1]]]
            staffed = a.masks[np.unique(a.person_mask[people])].any(axis=0) if len(people) else np.ones(slots, bool)
            open_ |= staffed & (a.masks[a.place[i]] == 1 if a.place[i] >= 0 else True)
        made = _set(open_ * float(capacity), j, taken, owner, tail, network, groups)
        found += [made] if made else []
    return found


def _set(
    capacity: Floats,
    rows: Ints,
    amount: Floats,
    owner: Ints,
    tail_of: Floats,
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
    taken = np.bincount(rows, amount, len(owner)).astype(np.float64)
    mine = rows[owner[rows] >= 0]
    np.add.at(need, owner[mine], amount[owner[rows] >= 0])
    np.minimum.at(tail, owner[mine], tail_of[mine])
    np.minimum.at(release, owner[mine], network.start[mine])
    tail[need == 0] = 0.0
    release = filled[np.clip(release, 0, slots).astype(np.int64)]
    # keep only moments at which capacity grows, so that interpolation has a rising axis
    grows = np.r_[True, np.diff(filled) > 0]
    axis, integral = filled[grows], moment[grows]
    ends = np.flatnonzero(grows).astype(float)
    lead = _leads(axis, integral, ends, need)
    return _Set(axis, integral, need, tail, lead, release, filled, taken)


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


def _split(sets: list[_Set], groups: int, group: Ints, weight: Floats, floor: Floats, due: Floats) -> float:
    """The best bound found on sum of weight * (C - due) over entries, each of one group, C >= floor."""
    if not len(group):
        return 0.0
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
