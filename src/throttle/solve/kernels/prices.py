"""Kernels of the Lagrangian bound: what trees of activities cost at given prices of people's and environments' time.

A node starts at t and ends at e. Its children must end before it starts, so with the offset S(node) = length + lag +
S(parent), t + S never falls from a child to its parent, whatever their lengths. The dynamic program therefore runs over
*cells* of t + S, ``width`` slots each: in wide cells little is lost, since a chain gains less than one cell in all.
Prices are constant within cells of t. Cell ``cells`` stands for all later time, where nothing has a price.

Loaded through ``throttle.solve.kernels``, compiled or plain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from throttle.solve.kernels import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Floats, Ints

    Table = NDArray[np.float64]
    Counts = NDArray[np.int64]

FAR = 1e300


@njit
def own_cost(node: int, moment: float, cost_ptr: Ints, late: Floats, due: Floats, flow: Floats, floor: Floats) -> float:
    """What it costs by itself that a node ends at a moment."""
    total = 0.0
    for c in range(cost_ptr[node], cost_ptr[node + 1]):
        finish = max(moment, floor[c])
        total += late[c] * max(0.0, finish - due[c]) + flow[c] * finish
    return total


@njit
def turns(node: int, start: int, width: int, row_ptr: Ints, row_work: Ints, offsets: Ints) -> int:
    """Offsets from ``start``, less than ``width``, at which the price of a node can be least; returns how many.

    The price is linear in the start until the start or the end of a row enters another cell.
    """
    offsets[0] = 0
    count = 1
    if width == 1:
        return count
    offsets[1] = width - 1
    count = 2
    for r in range(row_ptr[node] - 1, row_ptr[node + 1]):
        border = start if r < row_ptr[node] else start + row_work[r]
        offset = -border % width
        known = False
        for i in range(count):
            known |= offsets[i] == offset
        if not known:
            offsets[count] = offset
            count += 1
    return count


@njit
def price_at(
    node: int,
    start: int,
    width: int,
    row_ptr: Ints,
    row_set: Ints,
    row_work: Ints,
    row_weight: Floats,
    before: Table,
    price: Table,
) -> float:
    """The price of a node that starts in slot ``start`` >= 0; before[set, k]: the price of all slots before cell k."""
    total = 0.0
    for r in range(row_ptr[node], row_ptr[node + 1]):
        s, end = row_set[r], start + row_work[r]
        total += row_weight[r] * (
            before[s, end // width]
            + (end % width) * price[s, end // width]
            - before[s, start // width]
            - (start % width) * price[s, start // width]
        )
    return total


@njit
def fill_tables(
    example: Ints,
    phase: Ints,
    width: int,
    row_ptr: Ints,
    row_set: Ints,
    row_work: Ints,
    row_weight: Floats,
    before: Table,
    price: Table,
    trial: Floats,
    table: Table,
) -> None:
    """table[i, k]: the least price of nodes like ``example[i]`` that start in slots k * width + phase[i] + 0, 1, ...

    up to width - 1. Many nodes need the same sets for the same time, so this is worked out once for all of them.
    """
    cells = table.shape[1]
    rows = 0
    for node in example:
        rows = max(rows, row_ptr[node + 1] - row_ptr[node])
    offsets = np.zeros(rows + 3, np.int64)
    for index in range(len(example)):
        node, value = example[index], table[index]
        for i in range(turns(node, phase[index], width, row_ptr, row_work, offsets)):
            start = phase[index] + offsets[i]
            trial[:cells] = 0.0
            for r in range(row_ptr[node], row_ptr[node + 1]):
                s, weight, end = row_set[r], row_weight[r], start + row_work[r]
                b, p = before[s, start // width :], price[s, start // width :]
                after, last = before[s, end // width :], price[s, end // width :]
                u, v = float(start % width), float(end % width)
                for k in range(cells):
                    trial[k] += weight * (after[k] + v * last[k] - b[k] - u * p[k])
            if i == 0:
                value[:] = trial[:cells]
            else:
                for k in range(cells):
                    value[k] = min(value[k], trial[k])


@njit
def first_at_most(values: Floats, first: int, last: int) -> int:
    """The first position in first..last at which falling values are down to that of ``last``."""
    wanted = values[last]
    low, high = first, last
    while low < high:
        middle = (low + high) >> 1
        if values[middle] <= wanted:
            high = middle
        else:
            low = middle + 1
    return low


@njit
def best_start(
    node: int,
    k: int,
    width: int,
    offset: int,
    head: int,
    row_ptr: Ints,
    row_set: Ints,
    row_work: Ints,
    row_weight: Floats,
    before: Table,
    price: Table,
    offsets: Ints,
) -> tuple[int, float]:
    """The cheapest start of a node in cell k, no earlier than ``head``, and its price."""
    base = k * width - offset
    best, least = max(base, head), FAR
    for i in range(turns(node, base, width, row_ptr, row_work, offsets)):
        start = max(base + offsets[i], head)
        value = price_at(node, start, width, row_ptr, row_set, row_work, row_weight, before, price)
        if value < least:
            best, least = start, value
    return best, least


@njit
def mode_price(
    node: int,
    mask: int,
    u: int,
    row_ptr: Ints,
    row_set: Ints,
    row_work: Ints,
    row_weight: Floats,
    pair: Counts,
    open_price: Table,
    count: int,
) -> float:
    """The price of a node that begins in the u-th open slot of a calendar, as far as there are prices."""
    total = 0.0
    for r in range(row_ptr[node], row_ptr[node + 1]):
        q = pair[row_set[r], mask]
        total += row_weight[r] * (open_price[q, min(u + row_work[r], count)] - open_price[q, u])
    return total


@njit
def solve_trees(
    first_tree: int,
    last_tree: int,
    width: int,
    cells: int,
    slots: int,
    node_ptr: Ints,
    parent: Ints,
    head: Ints,
    length: Ints,
    offset: Ints,
    reach: Ints,
    row_ptr: Ints,
    row_set: Ints,
    row_work: Ints,
    row_weight: Floats,
    mode_ptr: Ints,
    mode: Ints,
    opened: Counts,
    place: Counts,
    pair: Counts,
    cost_ptr: Ints,
    late: Floats,
    due: Floats,
    flow: Floats,
    floor: Floats,
    moment: Floats,
    before: Table,
    price: Table,
    open_price: Table,
    like: Ints,
    table: Table,
    inside: Table,
    least: Table,
    chosen: Ints,
    use: Table,
) -> float:
    """Sum over trees of their least cost at these prices; the slots that the solutions use are added to ``use``.

    Nodes come before their parents, those of a tree together. head: earliest start; offset: S; reach: what is added to
    the end to compare it with t + S of the parent (offset - length). A node with modes works in the open slots of one
    of several calendars. opened[mask, t]: open slots before t; place[mask, u]: the u-th open slot;
    open_price[pair[set, mask], u]: price of the open slots before the u-th; all up to ``slots``, after which there are
    no prices. moment[t]: when so many slots have passed. like[node]: its row of ``table`` (see ``fill_tables``).
    Working space: ``inside`` (what all below costs, by the cell of the start), ``least`` (with the node, by the latest
    cell of the end) and ``chosen`` have a row for each node of the largest tree. use[set, t] takes differences: what
    begins to be used in slot t, less what ends there.
    """
    total = 0.0
    last_moment = len(moment) - 1
    rows = 0
    for node in range(node_ptr[first_tree], node_ptr[last_tree]):
        rows = max(rows, row_ptr[node + 1] - row_ptr[node])
    offsets = np.zeros(rows + 3, np.int64)
    for tree in range(first_tree, last_tree):
        base, stop = node_ptr[tree], node_ptr[tree + 1]
        for node in range(base, stop):
            inside[node - base, min(cells, (head[node] + offset[node]) // width) : cells + 1] = 0.0
        for node in range(base, stop):
            below, value = inside[node - base], least[node - base]
            first, work = min(cells, (head[node] + offset[node]) // width), length[node]
            costs = cost_ptr[node] < cost_ptr[node + 1]
            if mode_ptr[node] < mode_ptr[node + 1]:
                value[first : cells + 1] = FAR
                for m in range(mode_ptr[node], mode_ptr[node + 1]):
                    mask = mode[m]
                    count = opened[mask, slots]
                    for u in range(opened[mask, min(head[node], slots)], count):
                        end = place[mask, u + work - 1] + 1 if u + work <= count else max(slots, place[mask, u] + work)
                        at = min(cells, (end + reach[node]) // width)
                        v = below[min(cells, (place[mask, u] + offset[node]) // width)]
                        v += mode_price(node, mask, u, row_ptr, row_set, row_work, row_weight, pair, open_price, count)
                        if costs:
                            v += own_cost(node, moment[min(end, last_moment)], cost_ptr, late, due, flow, floor)
                        value[at] = min(value[at], v)
                for k in range(max(first, min(cells, (slots + offset[node]) // width)), cells + 1):
                    end = min(max(k * width - reach[node], slots), last_moment)
                    free = below[k] + own_cost(node, moment[end], cost_ptr, late, due, flow, floor)
                    value[k] = min(value[k], free)
            else:
                value[first : cells + 1] = below[first : cells + 1]
                if row_ptr[node] < row_ptr[node + 1] and first < cells:
                    _, paid = best_start(
                        node,
                        first,
                        width,
                        offset[node],
                        head[node],
                        row_ptr,
                        row_set,
                        row_work,
                        row_weight,
                        before,
                        price,
                        offsets,
                    )
                    value[first] += paid
                    # in this row of the table, k counts from the cell of an offset that is a multiple of the width
                    zero = -(-offset[node] // width)
                    paying = table[like[node], first + 1 - zero :]
                    to = value[first + 1 :]
                    for k in range(min(cells, zero + table.shape[1]) - first - 1):
                        to[k] += paying[k]
                if costs:
                    for k in range(first, cells + 1):
                        end = min(max(k * width - reach[node], head[node] + work), last_moment)
                        value[k] += own_cost(node, moment[end], cost_ptr, late, due, flow, floor)
            lowest = value[first]
            for k in range(first + 1, cells + 1):
                lowest = min(lowest, value[k])
                value[k] = lowest
            above = parent[node]
            if above >= 0:
                to = inside[above - base]
                for k in range(min(cells, (head[above] + offset[above]) // width), cells + 1):
                    to[k] += value[k]
            else:
                total += value[cells]
        for node in range(stop - 1, base - 1, -1):
            above = parent[node]
            last = cells if above < 0 else chosen[above - base]
            first = min(cells, (head[node] + offset[node]) // width)
            k = first_at_most(least[node - base], first, last)
            chosen[node - base] = k
            if mode_ptr[node] < mode_ptr[node + 1]:
                chosen[node - base] = take_mode(
                    node,
                    k,
                    width,
                    cells,
                    slots,
                    head,
                    length,
                    offset,
                    reach,
                    row_ptr,
                    row_set,
                    row_work,
                    row_weight,
                    mode_ptr,
                    mode,
                    opened,
                    place,
                    pair,
                    cost_ptr,
                    late,
                    due,
                    flow,
                    floor,
                    moment,
                    open_price,
                    inside[node - base],
                    use,
                )
            elif k < cells and row_ptr[node] < row_ptr[node + 1]:
                start, _ = best_start(
                    node,
                    k,
                    width,
                    offset[node],
                    head[node],
                    row_ptr,
                    row_set,
                    row_work,
                    row_weight,
                    before,
                    price,
                    offsets,
                )
                for r in range(row_ptr[node], row_ptr[node + 1]):
                    use[row_set[r], min(start, slots)] += row_weight[r]
                    use[row_set[r], min(start + row_work[r], slots)] -= row_weight[r]
    return total


@njit
def take_mode(
    node: int,
    last: int,
    width: int,
    cells: int,
    slots: int,
    head: Ints,
    length: Ints,
    offset: Ints,
    reach: Ints,
    row_ptr: Ints,
    row_set: Ints,
    row_work: Ints,
    row_weight: Floats,
    mode_ptr: Ints,
    mode: Ints,
    opened: Counts,
    place: Counts,
    pair: Counts,
    cost_ptr: Ints,
    late: Floats,
    due: Floats,
    flow: Floats,
    floor: Floats,
    moment: Floats,
    open_price: Table,
    below: Floats,
    use: Table,
) -> int:
    """Add the use of the best mode whose end lies in cell ``last`` and return the cell of its start."""
    work, last_moment = length[node], len(moment) - 1
    best, best_mask, best_u = FAR, -1, -1
    if last >= min(cells, (slots + offset[node]) // width):  # after all prices
        end = min(max(last * width - reach[node], slots), last_moment)
        best = below[last] + own_cost(node, moment[end], cost_ptr, late, due, flow, floor)
    soonest = min(max(last * width - reach[node], 1), slots)
    latest = slots if last == cells else min(max(last * width + width - 1 - reach[node], 0), slots)
    for m in range(mode_ptr[node], mode_ptr[node + 1]):
        mask = mode[m]
        count = opened[mask, slots]
        from_ = max(opened[mask, soonest - 1] + 1 - work, opened[mask, min(head[node], slots)])
        for u in range(from_, count if latest >= slots else opened[mask, latest] - work + 1):
            end = place[mask, u + work - 1] + 1 if u + work <= count else max(slots, place[mask, u] + work)
            if min(cells, (end + reach[node]) // width) != last:
                continue
            v = below[min(cells, (place[mask, u] + offset[node]) // width)]
            v += mode_price(node, mask, u, row_ptr, row_set, row_work, row_weight, pair, open_price, count)
            v += own_cost(node, moment[min(end, last_moment)], cost_ptr, late, due, flow, floor)
            if v < best:
                best, best_mask, best_u = v, mask, u
    if best_mask < 0:
        return last
    count = opened[best_mask, slots]
    for r in range(row_ptr[node], row_ptr[node + 1]):
        for u in range(best_u, min(best_u + row_work[r], count)):
            t = place[best_mask, u]
            use[row_set[r], t] += row_weight[r]
            use[row_set[r], t + 1] -= row_weight[r]
    return int(min(cells, (place[best_mask, best_u] + offset[node]) // width))


@njit
def supply(
    cells: int,
    kind_ptr: Ints,
    kind_set: Ints,
    present: Table,
    price: Table,
    near: float,
    offer: Table,
) -> float:
    """What all sell at these prices: who can work for several sets sells each slot to the best paid of them.

    present[kind, k]: slots in cell k of all people (or of the environment) of one kind, which can work for the sets
    kind_set[kind_ptr[kind] : kind_ptr[kind + 1]]. ``offer`` gets the slots that are sold to each set; prices within
    ``near`` of the best share them.
    """
    total = 0.0
    offer[:] = 0.0
    for kind in range(present.shape[0]):
        first, last = kind_ptr[kind], kind_ptr[kind + 1]
        for k in range(cells):
            there = present[kind, k]
            if there == 0.0:
                continue
            if last - first == 1:
                s = kind_set[first]
                total += there * price[s, k]
                offer[s, k] += there
                continue
            top = 0.0
            for i in range(first, last):
                top = max(top, price[kind_set[i], k])
            total += there * top
            equal = 0
            for i in range(first, last):
                equal += price[kind_set[i], k] >= top - near
            for i in range(first, last):
                if price[kind_set[i], k] >= top - near:
                    offer[kind_set[i], k] += there / equal
    return total
