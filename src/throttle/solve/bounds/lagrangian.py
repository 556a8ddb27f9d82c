"""The Lagrangian bound: a price for each slot of each set of people and of each environment.

For prices p[s, t] >= 0 of a person-slot of those who can work for set s, any schedule costs at least

    L(p) = least cost of all work, if every slot used is paid for and no capacity binds
           - sum over slots t and people k present of max over the sets s that k can work for of p[s, t],

because nobody works for more than one full slot at a time. The last term prices all unions of sets at once: it is the
Lovasz extension of "how many people can work for one of these sets". Environments are sets that one capacity serves.

The first term is relaxed until it falls apart into trees, which dynamic programming solves exactly: each activity keeps
the successor with the longest chain behind it (or the end of its project), and the others only through its earliest
start. What cannot be expressed is dropped, which keeps the bound valid: links other than finish to start, windows,
freezes, pins (but for the earliest starts that they imply), limits on work in process, and the prices of activities
whose crews could have too many different calendars.

Prices follow subgradients with the steps of Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015) on
cells of time that become finer; prices of any cells are valid.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from throttle.instance import FS, Instance
from throttle.solve.bounds import earliest_finishes
from throttle.solve.kernels import kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Arrays, Bools, Floats, Ints
    from throttle.solve.bounds import Network
    from throttle.solve.rules import Facts

    Table = NDArray[np.float64]

Goal = Literal["cost", "flow"]

SETS = 24
"""Sets of people and environments with a price, the most loaded of each."""
MODES = 16
"""Most calendars that the crew of an activity can have, for it to pay prices."""
LARGEST_GROUP = 2_000
"""A group of more activities is bounded by its earliest finish alone."""
ENTRIES = 6_000_000
"""Most numbers in each of the two tables of a tree."""
BEYOND = 1.3
"""Prices reach so much further than the work of the most loaded set, evenly shared."""
COARSEST = 60
"""Cells of the first, coarsest axis of time, and how much finer the next one is."""
FINER = 4
PASSES = 200
"""Passes over all trees on one axis; on the finest, between restarts from the best prices."""
WARM = 40
"""First passes, in which only the most loaded set gets prices: what all want at once at no price is no scarcity."""
FIRST_PACE, FALL, DECAY = 0.6, 0.33, 4.0
"""Steps in units of the prices: at first, by what they shrink from axis to axis, and (as a power of e) on each."""
LEAST_SIZE, OTHERS = 0.2, 5.0
"""Least unit of a step, as a share of the price at which all capacity is worth a delay of everything; for sets other
than the most loaded, ``OTHERS`` slots' share of a cell of it: in wide cells, what all want at once evens out."""
MEMORY, MEMORY_2 = 0.9, 0.99
TIE = 1e-6
"""Prices that are so near to each other, as a share of the highest, share the people who could be sold for either."""
ENOUGH = 1e-4
"""A restart that gains a smaller share of the bound is the last."""
CELLS_A_NODE = 100
"""What a node costs beside its cells."""
CELLS_A_MODE = 10
"""What each slot costs for each calendar that a node can have, which cells do not make cheaper."""
CELLS_PER_WORK = 100.0
"""Cells looked at that cost about as much as one slot of a decoder."""


@dataclass(frozen=True)
class _Axis:
    """The slots in which anyone works, in sequence, up to a little after the last price."""

    slot: Ints
    """Of each position, its slot."""
    upto: Ints
    """Positions before each slot; one more entry than there are slots."""

    @property
    def size(self) -> int:
        return len(self.slot)

    def least(self, slots: int) -> int:
        """The fewest positions in any so many slots in a row."""
        if slots <= 0:
            return 0
        if len(self.slot) == len(self.upto) - 1:
            return slots
        if slots >= len(self.upto):
            return 0
        return int((self.upto[slots:] - self.upto[:-slots]).min())

    def moments(self, positions: int) -> Floats:
        """When so many positions have passed, for 0 to ``positions``."""
        known = np.r_[0, self.slot + 1][: positions + 1]
        beyond = np.arange(1, positions + 2 - len(known)) + known[-1]
        found: Floats = np.r_[known, beyond].astype(np.float64)
        return found


def _axis(instance: Instance) -> _Axis:
    a = instance.arrays
    if (a.wait > 0).any() or not len(a.candidate):
        rows = np.ones((1, instance.slots), bool)
    else:
        rows = a.masks[np.unique(a.person_mask[a.candidate])] == 1
    open_ = np.logical_or.reduce(rows, axis=0)
    return _Axis(np.flatnonzero(open_), np.r_[0, np.cumsum(open_)])


@dataclass(frozen=True)
class _Sets:
    """What has a price: sets of people that needs ask for, then environments."""

    of_need: Ints
    """Of each need, its set, or -1."""
    of_environment: Ints
    count: int
    kinds: tuple[tuple[tuple[int, ...], Floats], ...]
    """Capacity by the sets that it serves: person-slots (or amount) at each position."""
    reach: int
    """Positions that the work of the most loaded set takes."""
    heaviest: int
    """The most loaded set."""


def _sets(instance: Instance, axis: _Axis, length: Ints) -> _Sets:
    a = instance.arrays
    able = [a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]] for q in range(len(a.work))]
    number: dict[bytes, int] = {}
    of_need = np.array([number.setdefault(who.tobytes(), len(number)) for who in able], np.int64)
    people = [np.frombuffer(key, np.int64) for key in number]
    open_ = a.masks[:, axis.slot].astype(np.float64)
    load = np.bincount(of_need, a.work * a.people * a.share / 100.0, len(people))
    capacity = [open_[a.person_mask[who]].sum(axis=0) for who in people]
    room = np.array([c.sum() for c in capacity])
    kept = np.argsort(-load / np.maximum(room, 1e-9), kind="stable")[:SETS]
    new = np.full(len(people), -1)
    new[kept] = np.arange(len(kept))
    taken = np.zeros(len(a.capacity))
    uses = np.repeat(np.arange(instance.n), np.diff(a.use_ptr))
    np.add.at(taken, a.use, a.amount * length[uses])
    scarce = np.argsort(-taken / np.maximum(a.capacity, 1e-9), kind="stable")[:SETS]
    scarce = scarce[(taken[scarce] > 0) & (a.capacity[scarce] > 0) & ~a.in_process[scarce]]
    of_environment = np.full(len(a.capacity), -1)
    of_environment[scarce] = len(kept) + np.arange(len(scarce))
    served: list[list[int]] = [[] for _ in instance.people]
    for k, s in enumerate(kept.tolist()):
        for person in people[s].tolist():
            served[person].append(k)
    kinds: dict[tuple[int, ...], Floats] = {}
    for person, sets in enumerate(served):
        if sets:
            there = open_[a.person_mask[person]]
            kinds[tuple(sets)] = kinds[tuple(sets)] + there if tuple(sets) in kinds else there
    found = [*kinds.items()]
    found += [((int(of_environment[e]),), np.full(axis.size, float(a.capacity[e]))) for e in scarce.tolist()]
    shares = np.r_[
        load[kept] / np.maximum(room[kept], 1e-9), taken[scarce] / np.maximum(a.capacity[scarce] * axis.size, 1e-9)
    ]
    reach = 0
    for total, there in [(float(load[s]), capacity[s]) for s in kept.tolist()] + [
        (float(taken[e]), np.full(axis.size, float(a.capacity[e]))) for e in scarce.tolist()
    ]:
        reach = max(reach, int(np.searchsorted(np.cumsum(there), total)))
    return _Sets(
        new[of_need] if people else of_need,
        of_environment,
        len(kept) + len(scarce),
        tuple(found),
        min(reach + 1, axis.size),
        int(shares.argmax()) if len(shares) else -1,
    )


class _Modes:
    """Rows of open positions, and of each activity, which of them its crew could have."""

    def __init__(self, instance: Instance, axis: _Axis) -> None:
        self.arrays = instance.arrays
        self.masks: list[Bools] = []
        self._known: dict[bytes, int] = {}
        self._open = instance.arrays.masks[:, axis.slot] == 1
        a = self.arrays
        same = {row.tobytes(): k for k, row in reversed(list(enumerate(self._open)))}
        self._row = [same[row.tobytes()] for row in self._open]
        self._of_needs: dict[tuple[Any, ...], tuple[int, ...] | None] = {}
        self._calendars: dict[bytes, tuple[int, ...]] = {}
        self.always = bool(self._open[np.unique(a.person_mask[a.candidate])].all()) if len(a.candidate) else True

    def of(self, j: int) -> tuple[int, ...] | None:
        """Rows of ``masks``; () if its crew is always open, None if it could have too many calendars to tell."""
        a = self.arrays
        place = int(a.place[j])
        if place < 0 and self.always:
            return ()
        first, last = int(a.need_ptr[j]), int(a.need_ptr[j + 1])
        if first == last:
            return ()
        parts = []
        for q in range(first, last):
            who = a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]]
            if (key := who.tobytes()) not in self._calendars:
                self._calendars[key] = tuple(sorted({self._row[m] for m in a.person_mask[who].tolist()}))
            parts.append((self._calendars[key], int(a.people[q])))
        uneven = len(set(a.work[first:last].tolist())) > 1
        key_ = (place, uneven, *parts)
        if key_ not in self._of_needs:
            self._of_needs[key_] = self._crews(place, uneven, parts)
        return self._of_needs[key_]

    def _crews(self, place: int, uneven: bool, parts: list[tuple[tuple[int, ...], int]]) -> tuple[int, ...] | None:
        choices = []
        total = 1
        for calendars, people in parts:
            seats = people if len(calendars) > 1 else 1
            if len(calendars) ** min(seats, 4) > 4 * MODES:
                return None
            choices.append([set(c) for c in combinations_with_replacement(calendars, seats)])
            total *= len(choices[-1])
            if total > 16 * MODES:
                return None
        found = set()
        for crew in product(*choices):
            rows = sorted(set().union(*crew))
            if uneven and len(rows) > 1:
                return None  # who is done first no longer holds up the others
            open_ = np.logical_and.reduce([self._open[r] for r in rows])
            if place >= 0:
                open_ = open_ & self._open[place]
            found.add(self._number(open_))
        if len(found) > MODES:
            return None
        if len(found) == 1 and self.masks[next(iter(found))].all():
            return ()
        return tuple(sorted(found))

    def _number(self, open_: Bools) -> int:
        key = open_.tobytes()
        if key not in self._known:
            self._known[key] = len(self.masks)
            self.masks.append(open_)
        return self._known[key]


@dataclass(frozen=True)
class _Trees:
    """Activities and ends of groups as nodes of trees, in positions of the axis. Nodes come before their parents."""

    node_ptr: Ints
    parent: Ints
    head: Ints
    length: Ints
    reach: Ints
    """Positions from the end of a node to the end of the root, if nothing waits."""
    row_ptr: Ints
    row_set: Ints
    row_work: Ints
    row_weight: Floats
    shape: Ints
    """Equal for nodes with equal rows."""
    mode_ptr: Ints
    mode: Ints
    masks: tuple[Bools, ...]
    cost_ptr: Ints
    late: Floats
    due: Floats
    flow: Floats
    floor: Floats
    constant: float
    """Cost of what is in no tree."""

    @property
    def largest(self) -> int:
        return int(np.diff(self.node_ptr).max(initial=0))


def _homes(facts: Facts, groups: Ints) -> tuple[Ints, dict[int, int]]:
    """Of each activity, the smallest of these groups that holds it; of each group, the next larger one around it."""
    home = np.full(facts.n, -1)
    around: dict[int, int] = {}
    sizes = np.array([len(facts.members[g]) for g in groups.tolist()])
    for g in groups[np.argsort(-sizes, kind="stable")].tolist():
        members = facts.members[g]
        outer = int(home[members[0]])
        if outer >= 0 and bool((home[members] == outer).all()):
            around[g] = outer
        home[members] = g
    return home, around


def _parents(a: Arrays, facts: Facts, axis: _Axis, home: Ints) -> tuple[Ints, Ints]:
    """Of each activity, the successor of its own group with the longest chain behind it, or -1; and the lag to it."""
    after = np.repeat(np.arange(facts.n), np.diff(a.pred_ptr))
    fit = (a.pred_type == FS) & (a.lag >= 0) & ((home[a.pred] == home[after]) | (home[a.pred] < 0))
    before, after, real = a.pred[fit], after[fit], a.lag[fit]
    elapsed = a.lag_kind[fit] == 0
    least = {int(x): axis.least(int(x)) for x in np.unique(real[elapsed])}
    lag = np.array([least[x] if e else x for x, e in zip(real.tolist(), elapsed.tolist(), strict=True)], np.int64)
    order = np.lexsort((after, facts.tail[after] + facts.length[after] + lag, before))
    parent, gap = np.full(facts.n, -1), np.zeros(facts.n, np.int64)
    parent[before[order]] = after[order]
    gap[before[order]] = lag[order]
    return parent, gap


def _trees(instance: Instance, facts: Facts, network: Network, goal: Goal, axis: _Axis, sets: _Sets) -> _Trees:
    a, n = instance.arrays, instance.n
    count = len(a.due)
    late = a.tardiness if goal == "cost" else np.zeros(count)
    flow = a.flow if goal == "cost" else a.measure
    size = np.diff(a.member_ptr)
    costly = (late > 0) | (flow > 0)
    finish = earliest_finishes(instance, facts, network)
    joint = np.flatnonzero(costly & (size > 1) & (size <= LARGEST_GROUP))
    huge = np.flatnonzero(costly & (size > LARGEST_GROUP))
    constant = float((late[huge] * np.maximum(0.0, finish[huge] - a.due[huge]) + flow[huge] * finish[huge]).sum())
    home, around = _homes(facts, joint)
    follower, lag_to = _parents(a, facts, axis, home)

    # nodes: activities in topological order, then groups, each before the one around it (as ``_homes`` has them)
    joint = joint[np.argsort(-size[joint], kind="stable")][::-1]
    node_of_group = {int(g): n + k for k, g in enumerate(joint.tolist())}
    above = np.full(n + len(joint), -1)
    above[:n] = follower
    alone = (follower < 0) & (home >= 0)
    above[:n][alone] = [node_of_group[g] for g in home[alone].tolist()]
    for g, h in around.items():
        above[node_of_group[g]] = node_of_group[h]
    rank = np.r_[np.empty(n, np.int64), n + np.arange(len(joint))]
    rank[facts.order] = np.arange(n)
    root = np.arange(n + len(joint))
    sequence = np.argsort(rank, kind="stable")
    for node in sequence[::-1].tolist():
        if above[node] >= 0:
            root[node] = root[above[node]]
    paying = np.zeros(n + len(joint), bool)
    paying[n:] = True
    single = np.flatnonzero(costly & (size == 1))
    paying[[int(facts.members[g][0]) for g in single.tolist()]] = True
    worth = np.zeros(n + len(joint), bool)
    worth[root[paying]] = True
    nodes = sequence[worth[root[sequence]]]
    nodes = nodes[np.lexsort((rank[nodes], rank[root[nodes]]))]
    place = np.full(n + len(joint), -1)
    place[nodes] = np.arange(len(nodes))
    roots = root[nodes]
    node_ptr = np.r_[0, np.flatnonzero(np.diff(roots)) + 1, len(nodes)] if len(nodes) else np.zeros(1, np.int64)

    head_slot = np.r_[network.start, finish[joint]].astype(np.int64)
    head = axis.upto[np.minimum(head_slot[nodes], len(axis.upto) - 1)]
    is_activity = nodes < n
    lags = np.zeros(len(nodes), np.int64)
    lags[is_activity] = lag_to[nodes[is_activity]]

    # a parent starts no earlier than its children can end
    parent = np.where(above[nodes] >= 0, place[above[nodes]], -1)
    modes = _Modes(instance, axis)
    length = np.zeros(len(nodes), np.int64)
    row_count, mode_count = np.zeros(len(nodes), np.int64), np.zeros(len(nodes), np.int64)
    rows: list[tuple[int, int, float]] = []
    taken: list[int] = []
    shapes: dict[tuple[tuple[int, int, float], ...], int] = {}
    shape = [-1] * len(nodes)
    for k, j in enumerate(nodes.tolist()):
        if j >= n:
            continue
        first, last = int(a.need_ptr[j]), int(a.need_ptr[j + 1])
        works = a.work[first:last].tolist()
        length[k] = max(works) if works else axis.least(int(a.wait[j]))
        mine = modes.of(j)
        if mine is None:
            continue
        held = len(rows)
        for q, work in zip(range(first, last), works, strict=True):
            if (s := int(sets.of_need[q])) >= 0 and work > 0:
                rows.append((s, work, float(a.people[q] * a.share[q]) / 100.0))
        for u in range(int(a.use_ptr[j]), int(a.use_ptr[j + 1])):
            if (s := int(sets.of_environment[a.use[u]])) >= 0 and length[k] > 0 and a.amount[u] > 0:
                rows.append((s, int(length[k]), float(a.amount[u])))
        row_count[k] = len(rows) - held
        shape[k] = shapes.setdefault(tuple(rows[held:]), len(shapes))
        if length[k] > 0:
            mode_count[k] = len(mine)
            taken += mine

    for k, (p, least) in enumerate(zip(parent.tolist(), (length + lags).tolist(), strict=True)):
        if p >= 0:
            head[p] = max(head[p], head[k] + least)
    reach = lags.copy()
    for k in range(len(nodes) - 1, -1, -1):
        if (p := parent[k]) >= 0:
            reach[k] += reach[p] + length[p]

    cost_rows: list[tuple[int, int]] = [(int(place[node_of_group[g]]), g) for g in joint.tolist()]
    cost_rows += [(int(place[facts.members[g][0]]), g) for g in single.tolist()]
    cost_rows.sort()
    of = np.array([g for _, g in cost_rows], np.int64)
    table = np.array(rows, np.float64).reshape(-1, 3)
    return _Trees(
        node_ptr=node_ptr.astype(np.int64),
        parent=parent,
        head=head,
        length=length,
        reach=reach,
        row_ptr=_pointers(row_count),
        row_set=table[:, 0].astype(np.int64),
        row_work=table[:, 1].astype(np.int64),
        row_weight=np.ascontiguousarray(table[:, 2]),
        shape=np.array(shape, np.int64),
        mode_ptr=_pointers(mode_count),
        mode=np.array(taken, np.int64),
        masks=tuple(modes.masks),
        cost_ptr=_pointers(np.bincount([k for k, _ in cost_rows], minlength=len(nodes)).astype(np.int64)),
        late=late[of],
        due=a.due[of],
        flow=flow[of],
        floor=finish[of],
        constant=constant,
    )


def _pointers(lengths: Ints) -> Ints:
    found: Ints = np.r_[0, np.cumsum(lengths)].astype(np.int64)
    return found


class _Level:
    """The trees on cells of one width, with prices and working space."""

    def __init__(self, trees: _Trees, sets: _Sets, axis: _Axis, width: int, slots: int) -> None:
        self.width, self.price_cells = width, -(-slots // width)
        self.trees, self.sets = trees, sets
        self.slots = slots = self.price_cells * width
        self.offset = trees.length + trees.reach
        self.cells = cells = -(-(slots + int(self.offset.max(initial=0))) // width)
        self.price = np.zeros((sets.count, self.price_cells))
        self.moment = axis.moments(cells * width)
        moded = np.diff(trees.mode_ptr) > 0
        self.kind_ptr = _pointers(np.array([len(k) for k, _ in sets.kinds], np.int64))
        self.kind_set = np.array([s for k, _ in sets.kinds for s in k], np.int64)
        self.present = np.array([_by_cell(there, width, self.price_cells) for _, there in sets.kinds])
        # calendars on the axis, and the pairs of set and calendar that are ever priced together
        masks = np.zeros((max(1, len(trees.masks)), slots), bool)
        for k, mask in enumerate(trees.masks):
            masks[k, : min(slots, len(mask))] = mask[:slots]
        self.opened = np.concatenate([np.zeros((len(masks), 1), np.int64), np.cumsum(masks, axis=1)], axis=1)
        self.place = np.zeros((len(masks), slots + 1), np.int64)
        for k, mask in enumerate(masks):
            where = np.flatnonzero(mask)
            self.place[k, : len(where)] = where
        self.pair = np.full((sets.count, len(masks)), -1)
        node = np.repeat(np.arange(len(trees.parent)), np.diff(trees.row_ptr))
        for r in np.flatnonzero(moded[node]).tolist():
            first, last = trees.mode_ptr[node[r]], trees.mode_ptr[node[r] + 1]
            self.pair[trees.row_set[r], trees.mode[first:last]] = 0
        self.pairs = np.argwhere(self.pair == 0)
        self.pair[self.pairs[:, 0], self.pairs[:, 1]] = np.arange(len(self.pairs))
        self.masks = masks
        self.inside = np.zeros((trees.largest, cells + 1))
        self.least = np.zeros((trees.largest, cells + 1))
        self.chosen = np.zeros(trees.largest, np.int64)
        # nodes that are priced alike share a row of prices by the cell of their start
        paying = np.flatnonzero(~moded & (np.diff(trees.row_ptr) > 0))
        phase = -self.offset[paying] % width
        keys, example, like = np.unique(trees.shape[paying] * width + phase, return_index=True, return_inverse=True)
        self.like = np.full(len(trees.parent), -1)
        self.like[paying] = like.reshape(-1)
        self.example, self.phase = paying[example], keys % width
        self.table = np.zeros((len(self.example), self.price_cells))
        self.trial = np.zeros(self.price_cells)
        self.use = np.zeros((sets.count, slots + 1))
        count = np.diff(trees.mode_ptr)
        effort = cells + CELLS_A_NODE + CELLS_A_MODE * count * slots
        self.effort = np.r_[0, np.cumsum(effort)][trees.node_ptr] / CELLS_PER_WORK
        """Work of a pass before each tree."""
        self.beyond = cells - self.price_cells + int(trees.row_work.max(initial=0)) // width + 4
        """Cells without a price that the kernel may look at."""

    def tables(self) -> tuple[Table, Table, Table]:
        """Prices of all slots before each cell, prices, and prices of open slots: what the kernel reads."""
        price = np.concatenate([self.price, np.zeros((self.sets.count, self.beyond))], axis=1)
        before = np.zeros_like(price)
        np.cumsum(price[:, :-1] * self.width, axis=1, out=before[:, 1:])
        open_price = np.zeros((max(1, len(self.pairs)), self.slots + 1))
        for q, (s, m) in enumerate(self.pairs.tolist()):
            paid = np.cumsum(np.repeat(self.price[s], self.width)[self.masks[m]])
            open_price[q, 1 : len(paid) + 1] = paid
        return before, price, open_price

    def take(self, price: Table, width: int) -> None:
        """Take over the prices of cells of another width."""
        cell = np.minimum(np.arange(self.price_cells) * self.width // width, price.shape[1] - 1)
        self.price = np.ascontiguousarray(price[:, cell])

    def used(self) -> Table:
        """Slots of each set used in each cell by the last solution of all trees."""
        inside = np.cumsum(self.use, axis=1)[:, : self.slots]
        found: Table = inside.reshape(len(inside), self.price_cells, self.width).sum(axis=2)
        return found


def _by_cell(there: Floats, width: int, cells: int) -> Floats:
    padded = np.zeros(cells * width)
    kept = there[: cells * width]
    padded[: len(kept)] = kept
    found: Floats = padded.reshape(cells, width).sum(axis=1)
    return found


class Lagrangian:
    """A lower bound on one goal of an instance that rises while it is given time. Not shared between threads."""

    rate = 4e6
    """Work a second on a usual core: what a second stands for in deterministic mode."""

    def __init__(
        self, instance: Instance, facts: Facts, network: Network, goal: Goal = "cost", compiled: bool = True
    ) -> None:
        self._kernel: Any = kernels(compiled, "prices")
        self.bound = 0.0
        self.passes = 0
        self._level: _Level
        self._best_price: Table
        self._pace = FIRST_PACE
        self._axis = _axis(instance)
        self._sets = _sets(instance, self._axis, facts.length)
        self._trees = trees = _trees(instance, facts, network, goal, self._axis, self._sets)
        self._slots = max(int(self._sets.reach * BEYOND), int(trees.head.max(initial=0))) + 1
        self._finest = max(1, -(-trees.largest * 2 * self._slots // ENTRIES))
        self.done = not self.supports()
        """Whether more time would hardly raise it."""
        if not self.done:
            self._refine(max(self._finest, self._slots // COARSEST))

    def supports(self) -> bool:
        """Whether there is anything to price."""
        return len(self._trees.node_ptr) > 1 and len(self._trees.row_set) > 0

    def step(self, work: float) -> float:
        """Go on for about so much work (as ``Search.step`` counts it) and return what was done."""
        spent = 0.0
        while spent < work and not self.done:
            spent += self._solve(work - spent)
            if self._tree == len(self._trees.node_ptr) - 1:
                self._end_pass()
        return max(spent, 1.0)

    def _refine(self, width: int) -> None:
        """Go on with cells of this width, from the best prices so far."""
        level = _Level(self._trees, self._sets, self._axis, width, self._slots)
        if self.passes:
            level.take(self._best_price, self._level.width)
        self._level = level
        self._best_price, self._best = level.price.copy(), -np.inf
        weight = float((self._trees.late + self._trees.flow).sum())
        self._unit = weight * level.slots / max(float(level.present.sum()), 1.0)
        """Price of a slot that is worth a delay of everything by its share of the capacity."""
        self._pace *= FALL if self.passes else 1.0
        self._restart()
        self._begin()

    def _restart(self) -> None:
        self._age = 0
        self._mean = np.zeros_like(self._level.price)
        self._square = np.zeros((len(self._mean), 1))
        self._at_restart = self._best

    def _begin(self) -> None:
        level, trees = self._level, self._trees
        self._tables = before, price, _ = level.tables()
        self._tree, self._value = 0, 0.0
        level.use[:] = 0.0
        self._kernel.fill_tables(
            level.example,
            level.phase,
            level.width,
            trees.row_ptr,
            trees.row_set,
            trees.row_work,
            trees.row_weight,
            before,
            price,
            level.trial,
            level.table,
        )

    def _solve(self, work: float) -> float:
        """Some trees more of this pass; returns the work done."""
        level, trees = self._level, self._trees
        first, ptr, effort = self._tree, trees.node_ptr, level.effort
        last = min(max(int(np.searchsorted(effort, effort[first] + work)), first + 1), len(ptr) - 1)
        self._value += self._kernel.solve_trees(
            first,
            last,
            level.width,
            level.cells,
            level.slots,
            ptr,
            trees.parent,
            trees.head,
            trees.length,
            level.offset,
            trees.reach,
            trees.row_ptr,
            trees.row_set,
            trees.row_work,
            trees.row_weight,
            trees.mode_ptr,
            trees.mode,
            level.opened,
            level.place,
            level.pair,
            trees.cost_ptr,
            trees.late,
            trees.due,
            trees.flow,
            trees.floor,
            level.moment,
            *self._tables,
            level.like,
            level.table,
            level.inside,
            level.least,
            level.chosen,
            level.use,
        )
        self._tree = last
        return float(effort[last] - effort[first])

    def _end_pass(self) -> None:
        """Take the value of these prices, and move them."""
        level = self._level
        offer = np.zeros_like(level.price)
        near = max(TIE * float(level.price.max()), 1e-12)
        sold = self._kernel.supply(
            level.price_cells, level.kind_ptr, level.kind_set, level.present, level.price, near, offer
        )
        value = self._value - sold + self._trees.constant
        # rounding errors of sums must not lift a bound above what it bounds
        self.bound = max(self.bound, value - 1e-9 * (abs(self._value) + abs(sold)))
        if value > self._best:
            self._best, self._best_price = value, level.price.copy()
        self.passes += 1
        self._age += 1
        if self._age == PASSES:
            if level.width > self._finest:
                self._refine(max(self._finest, level.width // FINER))
                return
            # the finest cells: again from the best prices with smaller steps, until that hardly helps
            self.done = self._best - self._at_restart < ENOUGH * abs(self._best)
            level.price, self._pace = self._best_price.copy(), self._pace / 2
            self._restart()
            self._begin()
            return
        gradient = level.used() - offer
        if self.passes <= WARM:
            gradient[np.arange(len(gradient)) != self._sets.heaviest] = 0.0
        self._move(gradient)
        self._begin()

    def _move(self, gradient: Table) -> None:
        """A step of Adam, the second moment and the unit of prices common to all cells of a set."""
        level, age = self._level, self._age
        self._mean = MEMORY * self._mean + (1 - MEMORY) * gradient
        self._square = MEMORY_2 * self._square + (1 - MEMORY_2) * (gradient**2).mean(axis=1, keepdims=True)
        direction = self._mean / (1 - MEMORY**age)
        spread = np.sqrt(self._square / (1 - MEMORY_2**age)) + 1e-12
        least = np.full((len(level.price), 1), LEAST_SIZE * self._unit)
        least[np.arange(len(least)) != self._sets.heaviest] *= min(1.0, OTHERS / level.width)
        size = np.maximum(np.sqrt((level.price**2).mean(axis=1, keepdims=True)), least)
        pace = self._pace * np.exp(-DECAY * age / PASSES)
        level.price = np.maximum(0.0, level.price + pace * size * direction / spread)
