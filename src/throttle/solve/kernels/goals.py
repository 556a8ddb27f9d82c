"""What a schedule is worth to the goals after its cost: the drum's lost hours, context switches, work in process.

docs/plan.md, Goals, has the definitions. Loaded through ``throttle.solve.kernels``, compiled or plain; so this is plain
loops over arrays, and imports only numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from throttle.solve.kernels import njit

if TYPE_CHECKING:
    from throttle.instance import Arrays, Ints
    from throttle.subordinate.measure import Marked


@njit
def open_at(a: Arrays, j: int, crew: Ints, t: int, done: int) -> bool:
    """Whether work on activity j, of which so many slots are done, goes on in a slot."""
    if a.place[j] >= 0 and a.masks[a.place[j], t] == 0:
        return False
    for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
        if done < a.work[q]:
            for seat in range(a.crew_ptr[q], a.crew_ptr[q + 1]):
                if a.masks[a.person_mask[crew[seat]], t] == 0:
                    return False
    return True


@njit
def pieces(a: Arrays, start: Ints, end: Ints, crew: Ints, of: Ints, found: Ints) -> int:
    """Rows of (person, first, last, activity, need), one for each piece of work without a pause; how many there are.

    of: the activities looked at. Only counted where ``found`` has no rows.
    """
    count = 0
    for i in range(of.shape[0]):
        j = of[i]
        if a.need_ptr[j] == a.need_ptr[j + 1]:
            continue
        first, done, before = -1, 0, 0
        for t in range(start[j], end[j] + 1):
            going = t < end[j] and open_at(a, j, crew, t, done)
            if going and first < 0:
                first, before = t, done
            if going:
                done += 1
            elif first >= 0:
                for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
                    left = min(a.work[q] - before, t - first)
                    if left > 0:
                        for seat in range(a.crew_ptr[q], a.crew_ptr[q + 1]):
                            if found.shape[0] > 0:
                                found[count, 0] = crew[seat]
                                found[count, 1] = first
                                found[count, 2] = first + left
                                found[count, 3] = j
                                found[count, 4] = q
                            count += 1
                first = -1
    return count


@njit
def in_order(k: Marked, rows: Ints, slots: int) -> Ints:
    """The order of pieces by person, first slot, last slot, id of the item."""
    key = np.empty(rows.shape[0], np.int64)
    n, width = k.rank.shape[0], slots + 1
    for i in range(rows.shape[0]):
        key[i] = ((k.person[rows[i, 0]] * width + rows[i, 1]) * width + rows[i, 2]) * n + k.rank[rows[i, 3]]
    return np.argsort(key, kind="mergesort")


@njit
def switches(k: Marked, rows: Ints, slots: int) -> int:
    """How often the next piece of work of a person is of another context."""
    order = in_order(k, rows, slots)
    found = 0
    for i in range(1, order.shape[0]):
        one, other = rows[order[i - 1]], rows[order[i]]
        if k.person[one[0]] == k.person[other[0]] and k.context[one[3]] != k.context[other[3]]:
            found += 1
    return found


@njit
def switches_of(a: Arrays, k: Marked, start: Ints, end: Ints, crew: Ints, of: Ints, people: Ints) -> int:
    """``switches`` of some people, of whom all work is in the activities ``of``."""
    count = pieces(a, start, end, crew, of, np.zeros((0, 5), np.int64))
    rows = np.empty((count, 5), np.int64)
    if count == 0:
        return 0
    pieces(a, start, end, crew, of, rows)
    kept = np.zeros(count, np.bool_)
    for i in range(count):
        for p in range(people.shape[0]):
            kept[i] |= k.person[rows[i, 0]] == people[p]
    return switches(k, rows[kept], a.masks.shape[1])


@njit
def lost(a: Arrays, k: Marked, rows: Ints, start: Ints) -> tuple[int, int]:
    """Of the drum's people, open time in which drum work waits for them that is not spent on such work, and the part of
    it that goes into other work; in hundredths of a slot."""
    drums = k.base.shape[0]
    horizon = 0
    for e in range(k.waiting.shape[0]):
        horizon = max(horizon, start[k.waiting[e]])
    if drums == 0 or horizon == 0:
        return 0, 0
    waits = np.zeros((drums, horizon + 1), np.int64)
    own, other = np.zeros((drums, horizon), np.int64), np.zeros((drums, horizon), np.int64)
    for d in range(drums):
        for e in range(k.waiting_ptr[d], k.waiting_ptr[d + 1]):
            j = k.waiting[e]
            if a.release[j] < start[j]:
                waits[d, a.release[j]] += 1
                waits[d, start[j]] -= 1
    for i in range(rows.shape[0]):
        d = k.drum[rows[i, 0]]
        if d >= 0:
            first, last, need = rows[i, 1], min(rows[i, 2], horizon), rows[i, 4]
            if k.own[need] == 1:
                own[d, first:last] += a.share[need]
            else:
                other[d, first:last] += a.share[need]
    total, diverted = 0, 0
    for d in range(drums):
        open_ = (np.cumsum(waits[d])[:horizon] > 0) & (a.masks[k.base[d], :horizon] == 1)
        total += int(np.maximum(100 - own[d], 0)[open_].sum())
        diverted += int(other[d][open_].sum())
    return total, diverted


@njit
def in_process(k: Marked, start: Ints, end: Ints) -> int:
    """Slots from the start of each item to the finish of all of its context, of all items."""
    finish = np.zeros(k.contexts[0], np.int64)
    for j in range(start.shape[0]):
        if k.context[j] >= 0:
            finish[k.context[j]] = max(finish[k.context[j]], end[j])
    found = 0
    for j in range(start.shape[0]):
        if k.context[j] >= 0:
            found += finish[k.context[j]] - start[j]
    return found


@njit
def measure(a: Arrays, k: Marked, start: Ints, end: Ints, crew: Ints) -> tuple[int, int, int, int]:
    """Drum time lost, the part of it in other work (hundredths of a slot), context switches, slots in process."""
    everything = np.arange(start.shape[0])
    count = pieces(a, start, end, crew, everything, np.zeros((0, 5), np.int64))
    rows = np.empty((count, 5), np.int64)
    if count > 0:
        pieces(a, start, end, crew, everything, rows)
    drum, diverted = lost(a, k, rows, start)
    return drum, diverted, switches(k, rows, a.masks.shape[1]), in_process(k, start, end)
