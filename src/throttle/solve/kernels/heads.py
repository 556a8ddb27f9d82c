"""Kernels of the network bound: how early activities can begin and end, people shared with no one.

Loaded through ``throttle.solve.kernels``, compiled or plain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from throttle.solve.kernels import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Bools, Floats, Ints

    Counts = NDArray[np.int32]

FS, SS, FF, SF = range(4)


@njit
def after_open(opened: Counts, mask: int, count: int) -> int:
    """The moment at which ``count`` open slots of a calendar have passed, or -1 where it has fewer."""
    slots = opened.shape[1] - 1
    if opened[mask, slots] < count:
        return -1
    low, high = 0, slots
    while low < high:
        middle = (low + high) >> 1
        if opened[mask, middle] >= count:
            high = middle
        else:
            low = middle + 1
    return low


@njit
def link_bounds(
    j: int,
    release: Ints,
    pred_ptr: Ints,
    pred: Ints,
    pred_type: Ints,
    lag: Ints,
    lag_kind: Ints,
    start: Ints,
    end: Ints,
) -> tuple[int, int]:
    """The least start and the least end of an activity by its release and links, lags counted by their least effect."""
    est, finish_from = release[j], 0
    for e in range(pred_ptr[j], pred_ptr[j + 1]):
        kind = pred_type[e]
        if lag_kind[e] == 1 and lag[e] < 0:
            continue
        moment = (end[pred[e]] if kind in (FS, FF) else start[pred[e]]) + lag[e]
        if kind in (FS, SS):
            est = max(est, moment)
        else:
            finish_from = max(finish_from, moment)
    return est, finish_from


@njit
def advance(
    first: int,
    order: Ints,
    simple: Bools,
    release: Ints,
    wait: Ints,
    pred_ptr: Ints,
    pred: Ints,
    pred_type: Ints,
    lag: Ints,
    lag_kind: Ints,
    need_ptr: Ints,
    work: Ints,
    set_of_need: Ints,
    mask_ptr: Ints,
    mask: Ints,
    opened: Counts,
    bound: Ints,
    start: Ints,
    end: Ints,
) -> int:
    """Set bound (by links alone), start and end of activities in order from ``first`` on; returns where it had to stop.

    It stops at activities that are not simple and at those whose end a link bounds. mask[mask_ptr[s] : mask_ptr[s + 1]]
    are the calendars of the candidates of set s; opened[m, t]: open slots of calendar m before t.
    """
    slots = opened.shape[1] - 1
    for k in range(first, len(order)):
        j = order[k]
        est, finish_from = link_bounds(j, release, pred_ptr, pred, pred_type, lag, lag_kind, start, end)
        bound[j] = est
        if not simple[j] or finish_from > 0:
            return k
        begin, done = est, est
        if need_ptr[j] == need_ptr[j + 1] and est + wait[j] <= slots:
            done = est + wait[j]
        for q in range(need_ptr[j], need_ptr[j + 1]):
            first_begin, first_end = slots, slots
            for i in range(mask_ptr[set_of_need[q]], mask_ptr[set_of_need[q] + 1]):
                m = mask[i]
                if est >= slots:
                    continue
                over = after_open(opened, m, opened[m, est] + work[q])
                if over >= 0:
                    first_end = min(first_end, over)
                    first_begin = min(first_begin, after_open(opened, m, opened[m, est] + 1) - 1)
            begin, done = max(begin, first_begin), max(done, first_end)
        start[j], end[j] = begin, done
    return len(order)


@njit
def tails(
    sequence: Ints,
    member_ptr: Ints,
    pred_ptr: Ints,
    pred: Ints,
    pred_type: Ints,
    lag: Ints,
    least: Floats,
    place: Ints,
    tail: Floats,
) -> None:
    """tail[k]: least time from the end of member ``sequence[k]`` of a group to the end of the last that follows in it.

    The members of each group come in topological order; ``place`` is working space of -1 for each activity.
    """
    for g in range(len(member_ptr) - 1):
        first, last = member_ptr[g], member_ptr[g + 1]
        for k in range(first, last):
            place[sequence[k]] = k
            tail[k] = 0.0
        for k in range(last - 1, first - 1, -1):
            j = sequence[k]
            for e in range(pred_ptr[j], pred_ptr[j + 1]):
                before = place[pred[e]]
                if before >= 0 and pred_type[e] == FS and lag[e] >= 0:
                    tail[before] = max(tail[before], tail[k] + least[j] + lag[e])
        for k in range(first, last):
            place[sequence[k]] = -1


@njit
def finish_by_energy(
    group_ptr: Ints,
    head: Ints,
    tail: Floats,
    work: Floats,
    filled: Floats,
    thorough: int,
    sorted_tail: Floats,
    sorted_work: Floats,
    finish: Floats,
) -> None:
    """Raise ``finish`` of each group to the least end of its work on one set of people or one environment.

    For any a and b, the work of members with head >= a and tail >= b is done between a and b before the group's finish
    (the energy bound with heads and tails; Brucker, Jurisch and Sievers, 1994, on one machine). The members of a group
    come by falling heads. filled[t]: capacity before slot t. Groups of more than ``thorough`` members: a the least head
    alone. sorted_tail, sorted_work: working space as long as the largest group.
    """
    slots = len(filled) - 1
    for g in range(len(group_ptr) - 1):
        first, last = group_ptr[g], group_ptr[g + 1]
        total, longest = 0.0, 0.0
        size = 0
        if last - first > thorough:
            order = np.argsort(tail[first:last])
            for k in order:
                sorted_tail[size], sorted_work[size] = tail[first + k], work[first + k]
                size += 1
            total = work[first:last].sum()
            longest = sorted_tail[size - 1]
        for k in range(first, last):
            if last - first <= thorough:
                i = size
                while i > 0 and sorted_tail[i - 1] > tail[k]:
                    sorted_tail[i], sorted_work[i] = sorted_tail[i - 1], sorted_work[i - 1]
                    i -= 1
                sorted_tail[i], sorted_work[i] = tail[k], work[k]
                size += 1
                total += work[k]
                longest = max(longest, tail[k])
            if k + 1 < last and (head[k + 1] == head[k] or last - first > thorough):
                continue
            before = filled[min(head[k], slots)]
            if moment_of(filled, before + total) + longest <= finish[g]:
                continue
            sum_ = 0.0
            for i in range(size - 1, -1, -1):
                sum_ += sorted_work[i]
                if i > 0 and sorted_tail[i - 1] == sorted_tail[i]:
                    continue
                finish[g] = max(finish[g], moment_of(filled, before + sum_) + sorted_tail[i])


@njit
def moment_of(filled: Floats, amount: float) -> float:
    """The first moment before which there is so much capacity, or the end of the horizon."""
    low, high = 0, len(filled) - 1
    wanted = amount - 1e-7 * max(1.0, amount)
    while low < high:
        middle = (low + high) >> 1
        if filled[middle] >= wanted:
            high = middle
        else:
            low = middle + 1
    return float(low)
