"""Serial schedule generation: place activities one after the other, each as early as its crew and limits allow.

Kolisch and Hartmann, "Heuristic algorithms for the resource-constrained project scheduling problem" (1999), describe
the scheme; here with crews, calendars, pauses, windows, links with lags, WIP limits and projects in process. Loaded
through ``throttle.solve.jit``, compiled or plain; so this is plain loops over arrays, and imports only numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from throttle.solve.jit import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Arrays, Floats, Ints

    Room = NDArray[np.int16]
    Jumps = NDArray[np.int32]
    Marks = NDArray[np.uint8]

PLACED, STUCK, LOCKED = 0, 1, 2
"""Outcomes: all placed; one has no place before the horizon; projects let in wait for others that cannot be."""

CREWS_TRIED = 4000
"""Crews tried one by one where choosing seat by seat found none."""


@njit
def choose_plain(
    masks: Marks,
    next_open: Jumps,
    person_mask: Ints,
    skip: Jumps,
    load: Room,
    held: Room,
    wip: Ints,
    able: Ints,
    forced: int,
    members: Ints,
    works: Ints,
    rooms: Ints,
    size: int,
    est: int,
) -> tuple[int, int, int]:
    """Who of ``able`` takes the last of ``size`` seats, and the start and end with them, or (-1, -1, -1).

    For activities where only people's time matters. works: slots of each seat; rooms: the load at which its member is
    still free; wip: each person's limit, or 0. A limit is looked at in open slots only, since nothing starts in others.
    Takes single arrays rather than the instance, because passing all of its arrays at each call costs more than the
    common case itself.
    """
    longest = 0
    for i in range(size):
        longest = max(longest, works[i])
    last = masks.shape[1]
    chosen, begun, ended = -1, -1, -1
    for person in able:
        taken = forced >= 0 and forced != person
        for i in range(size - 1):
            taken |= members[i] == person
        if taken:
            continue
        members[size - 1] = person
        first, done = -1, 0
        t = est
        while t < last:
            after = t
            for i in range(size):
                if done < works[i] and masks[person_mask[members[i]], t] == 0:
                    after = next_open[person_mask[members[i]], t]
                    break
            if after > t:
                t = after
                continue
            for i in range(size):
                p = members[i]
                if done < works[i] and load[p, t] > rooms[i]:
                    after = max(t + 1, skip[p, t])
                    break
                if wip[p] > 0 and held[p, t] >= wip[p]:
                    after = t + 1
                    break
            if after > t:
                first, done = -1, 0
                t = after
                continue
            if first < 0:
                first = t
            done += 1
            t += 1
            if done == longest:
                chosen, begun, ended = person, first, t
                last = t - 1
                break
    members[size - 1] = chosen
    return chosen, begun, ended


@njit
def earliest(
    a: Arrays,
    j: int,
    crew: Ints,
    seats: Ints,
    est: int,
    bound: int,
    load: Room,
    held: Room,
    env: Ints,
    skip: Jumps,
    out: Ints,
) -> int:
    """First start >= est of activity j with the chosen seats (crew[seat] >= 0), ending before bound, or -1.

    seats: rows of (seat, need) of the members. out[0] gets the end. After short needs are done, work goes on with the
    members that are left (docs/plan.md, Work). skip[person, t]: no slot from t up to it is free.
    """
    slots = a.masks.shape[1]
    longest, shortest = 0, 1 << 60
    for k in range(seats.shape[0]):
        work = a.work[seats[k, 1]]
        longest, shortest = max(longest, work), min(shortest, work)
    place, frozen, occurrence = a.place[j], a.frozen[j], a.occurrence[j]
    waiting = seats.shape[0] == 0
    if waiting:
        longest = a.wait[j]
    pinned = a.pin[j] >= 0
    lagged = False
    finish_from = 0
    for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
        lagged |= a.lag_kind[e] == 1
    if lagged:
        # working lags count slots open for this crew, so they wait until there is one
        for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
            if a.lag_kind[e] == 1:
                kind = a.pred_type[e]
                origin = out[2 + e - a.pred_ptr[j]]
                t = origin
                count = a.lag[e]
                if count > 0:
                    while count > 0 and t < slots:
                        open_ = True
                        for k in range(seats.shape[0]):
                            if a.masks[a.person_mask[crew[seats[k, 0]]], t] == 0:
                                open_ = False
                                break
                        count -= open_
                        t += 1
                    if count > 0:
                        return -1
                else:
                    while t > 0:
                        open_ = True
                        for k in range(seats.shape[0]):
                            if a.masks[a.person_mask[crew[seats[k, 0]]], t - 1] == 0:
                                open_ = False
                                break
                        if open_:
                            if count == 0:
                                break
                            count += 1
                        t -= 1
                if kind <= 1:
                    est = max(est, t)
                else:
                    finish_from = max(finish_from, t)
    finish_from = max(finish_from, out[1])
    if longest == 0:
        at = max(est, finish_from)
        if pinned:
            if est > a.pin[j] or finish_from > a.pin[j]:
                return -1
            at = a.pin[j]
            while at < slots and place >= 0 and a.masks[place, at] == 0:
                at += 1
        while occurrence >= 0 and at < slots and a.occurrences[occurrence, at] < 0:
            if pinned:
                return -1
            at += 1
        if at >= slots or at > bound:
            return -1
        out[0] = at
        return int(at)
    s = est
    if not pinned:
        for k in range(seats.shape[0]):
            if s < slots:
                s = max(s, skip[crew[seats[k, 0]], s])
    while True:
        t = s
        first = -1
        number = -1
        done = 0
        broken = False
        while True:
            if t >= slots or t >= bound:
                return -1
            open_ = place < 0 or a.masks[place, t] == 1
            if open_:
                for k in range(seats.shape[0]):
                    if done < a.work[seats[k, 1]] and a.masks[a.person_mask[crew[seats[k, 0]]], t] == 0:
                        open_ = False
                        break
            if not open_ and first < 0:
                t = (
                    a.next_open[a.person_mask[crew[seats[0, 0]]], t + 1]
                    if seats.shape[0] > 0 and t + 1 < slots
                    else t + 1
                )
                continue
            # from start to finish: windows, freezes, environments, WIP of people
            broken = (frozen >= 0 and a.frosts[frozen, t] == 1) or (not open_ and a.run[j])
            if occurrence >= 0 and not broken:
                if first < 0:
                    number = a.occurrences[occurrence, t]
                broken = number < 0 or a.occurrences[occurrence, t] != number
            if not broken:
                for u in range(a.use_ptr[j], a.use_ptr[j + 1]):
                    if env[a.use[u], t] + a.amount[u] > a.capacity[a.use[u]]:
                        broken = True
                        break
            if not broken and not a.exempt[j]:
                for k in range(seats.shape[0]):
                    p = crew[seats[k, 0]]
                    if a.person_wip[p] > 0 and held[p, t] >= a.person_wip[p]:
                        broken = True
                        break
            if not broken and open_:
                for k in range(seats.shape[0]):
                    q = seats[k, 1]
                    if done < a.work[q] and load[crew[seats[k, 0]], t] + a.share[q] > 100:
                        broken = True
                        break
            if broken:
                break
            if open_:
                if first < 0:
                    first = t
                done += 1
                if done == longest:
                    break
            t += 1
        if not broken:
            end = t + 1
            if end >= finish_from:
                out[0] = end
                return first
            # from any earlier start, so many slots open for all lie before finish_from that it would end there
            back, count = min(finish_from, slots), 0
            while back > first + 1 and count < longest:
                back -= 1
                everyone = place < 0 or a.masks[place, back] == 1
                for k in range(seats.shape[0]):
                    everyone &= a.masks[a.person_mask[crew[seats[k, 0]]], back] == 1
                count += everyone
            t = max(first, back - 1)
        if pinned:
            return -1
        s = t + 1


@njit
def fill(
    a: Arrays, j: int, crew: Ints, seats: Ints, start: int, end: int, sign: int, load: Room, held: Room, env: Ints
) -> None:
    """Book (sign 1) or release (-1) what activity j takes from its people and environments."""
    place = a.place[j]
    done = 0
    from_ = 0 if a.exempt[j] else start
    for k in range(seats.shape[0]):
        p = crew[seats[k, 0]]
        if a.person_wip[p] > 0:
            for t in range(from_, end):
                held[p, t] += sign
    for u in range(a.use_ptr[j], a.use_ptr[j + 1]):
        for t in range(start, end):
            env[a.use[u], t] += sign * a.amount[u]
    for t in range(start, end):
        open_ = place < 0 or a.masks[place, t] == 1
        if open_:
            for k in range(seats.shape[0]):
                if done < a.work[seats[k, 1]] and a.masks[a.person_mask[crew[seats[k, 0]]], t] == 0:
                    open_ = False
                    break
        if open_:
            for k in range(seats.shape[0]):
                q = seats[k, 1]
                if done < a.work[q]:
                    load[crew[seats[k, 0]], t] += sign * a.share[q]
            done += 1


@njit
def seats_of(a: Arrays, j: int) -> Ints:
    """Rows of (seat, need) for the crew of activity j, in the order of its needs."""
    total = 0
    for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
        total += a.people[q]
    rows = np.empty((total, 2), np.int64)
    k = 0
    for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
        for i in range(a.people[q]):
            rows[k, 0] = a.crew_ptr[q] + i
            rows[k, 1] = q
            k += 1
    return rows


@njit
def in_crew(crew: Ints, rows: Ints, upto: int, person: int) -> bool:
    found = False
    for k in range(upto):
        found |= crew[rows[k, 0]] == person
    return found


@njit
def place_activity(
    a: Arrays, j: int, est: int, crew: Ints, forced: Ints, load: Room, held: Room, env: Ints, skip: Jumps, out: Ints
) -> int:
    """Choose a crew and the earliest start for activity j; returns the start or -1, with the end in out[0].

    Seat by seat, the candidate with whom the crew so far would finish first (the least flexible of equals); if that
    leads nowhere, crews one by one. forced[seat] >= 0 fixes a seat.
    """
    slots = a.masks.shape[1]
    rows = seats_of(a, j)
    size = rows.shape[0]
    if size == 0:
        return earliest(a, j, crew, rows, est, slots + 1, load, held, env, skip, out)
    plain = a.plain[j] and out[1] == 0
    members, works, rooms = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    for k in range(size):
        q = rows[k, 1]
        works[k], rooms[k] = a.work[q], 100 - a.share[q]
        for c in range(a.cand_ptr[q], a.cand_ptr[q + 1]):
            # in a crew, one may be open while another is not, and something else may start on the one then
            plain &= a.exempt[j] or size == 1 or a.person_wip[a.candidate[c]] == 0
    wip = np.zeros_like(a.person_wip) if a.exempt[j] else a.person_wip
    begun = -1
    complete = True
    for k in range(size):
        seat, q = rows[k, 0], rows[k, 1]
        best, best_end, best_start = -1, slots + 1, -1
        if plain:
            able = a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]]
            best, best_start, best_end = choose_plain(
                a.masks,
                a.next_open,
                a.person_mask,
                skip,
                load,
                held,
                wip,
                able,
                forced[seat],
                members,
                works,
                rooms,
                k + 1,
                est,
            )
        else:
            for c in range(a.cand_ptr[q], a.cand_ptr[q + 1]):
                p = a.candidate[c]
                if (forced[seat] >= 0 and forced[seat] != p) or in_crew(crew, rows, k, p):
                    continue
                crew[seat] = p
                begin = earliest(a, j, crew, rows[: k + 1], est, best_end - 1, load, held, env, skip, out)
                if begin >= 0 and out[0] < best_end:
                    best, best_end, best_start = p, out[0], begin
        if best < 0:
            complete = False
            break
        crew[seat] = best
        begun = best_start
        if k == size - 1:
            out[0] = best_end
    if complete:
        return begun
    # the seats chosen first left no one for the others, or no common time: try crews in turn
    choice = np.zeros(size, np.int64)
    best_end, best_start = slots + 1, -1
    found = np.zeros(size, np.int64)
    k, tried = 0, 0
    choice[0] = a.cand_ptr[rows[0, 1]]
    while k >= 0 and tried < CREWS_TRIED:
        seat, q = rows[k, 0], rows[k, 1]
        if choice[k] >= a.cand_ptr[q + 1]:
            k -= 1
            if k >= 0:
                choice[k] += 1
            continue
        p = a.candidate[choice[k]]
        if in_crew(crew, rows, k, p) or (forced[seat] >= 0 and forced[seat] != p):
            choice[k] += 1
            continue
        crew[seat] = p
        if k < size - 1:
            k += 1
            # seats of one need are filled in rising order, so that no crew is tried twice
            choice[k] = choice[k - 1] + 1 if rows[k, 1] == rows[k - 1, 1] else a.cand_ptr[rows[k, 1]]
            continue
        tried += 1
        begin = earliest(a, j, crew, rows, est, best_end - 1, load, held, env, skip, out)
        if begin >= 0 and out[0] < best_end:
            best_end, best_start = out[0], begin
            for i in range(size):
                found[i] = crew[rows[i, 0]]
        choice[k] += 1
    if best_start >= 0:
        for i in range(size):
            crew[rows[i, 0]] = found[i]
        out[0] = best_end
    return best_start


@njit
def sift_up(heap: Ints, key: Floats, k: int) -> None:
    j = heap[k]
    while k > 0:
        up = (k - 1) >> 1
        if key[heap[up]] <= key[j]:
            break
        heap[k] = heap[up]
        k = up
    heap[k] = j


@njit
def pop(heap: Ints, key: Floats, size: int) -> int:
    """Remove and return the smallest of a heap of ``size``; the caller lowers the size."""
    top = heap[0]
    j = heap[size - 1]
    k = 0
    while True:
        child = 2 * k + 1
        if child >= size - 1:
            break
        if child + 1 < size - 1 and key[heap[child + 1]] < key[heap[child]]:
            child += 1
        if key[heap[child]] >= key[j]:
            break
        heap[k] = heap[child]
        k = child
    heap[k] = j
    return int(top)


@njit
def may_let_in(a: Arrays, p: int, opened: Ints, open_count: int) -> int:
    """Room for project p and those that must be let in with it, or 0; never one that waits for others not let in."""
    for e in range(a.before_ptr[p], a.before_ptr[p + 1]):
        if opened[a.before[e]] == 0:
            return 0
    together = 0
    for q in range(a.knot.shape[0]):
        together += a.knot[q] == a.knot[p] and opened[q] == 0
    return int(max(0, a.limit[0] - open_count - together + 1))


@njit
def decode(
    a: Arrays,
    key: Floats,
    forced: Ints,
    start: Ints,
    end: Ints,
    crew: Ints,
    load: Room,
    held: Room,
    env: Ints,
    skip: Jumps,
) -> int:
    """Place all activities, smallest key first among those whose predecessors are placed. Returns an outcome.

    start, end, crew are written; load, held, env and skip are working space and cleared here. On STUCK and LOCKED, the
    activities without a place have start -1.
    """
    n = a.release.shape[0]
    projects = a.begun.shape[0]
    limit = a.limit[0]
    load[:] = 0
    held[:] = 0
    env[:] = 0
    start[:] = -1
    end[:] = -1
    for k in range(load.shape[0]):
        skip[k] = a.next_open[a.person_mask[k]]
    waits = np.zeros(n, np.int64)
    heap = np.empty(n, np.int64)
    size = 0
    rank = key.copy()
    for j in range(n):
        waits[j] = a.pred_ptr[j + 1] - a.pred_ptr[j]
        if a.first[j]:
            rank[j] = key[j] - 2e9
        elif a.pin[j] >= 0:
            rank[j] = key[j] - 1e9  # before others take its place
    opened = np.zeros(projects, np.int64)
    left = np.zeros(projects, np.int64)
    last = np.zeros(projects, np.int64)
    let_in = np.zeros(projects, np.int64)
    entered = np.full(projects, -1, np.int64)
    open_count = 0
    for j in range(n):
        if a.project[j] >= 0:
            left[a.project[j]] += 1
    for p in range(projects):
        if limit == 0:
            opened[p] = 1
        elif a.begun[p] or left[p] == 0:
            opened[p] = 1
            if left[p] > 0:
                open_count += 1
    parked = np.empty(n, np.int64)
    parked_size = 0
    for j in range(n):
        if waits[j] == 0:
            if a.project[j] >= 0 and opened[a.project[j]] == 0:
                parked[parked_size] = j
                parked_size += 1
            else:
                heap[size] = j
                sift_up(heap, rank, size)
                size += 1
    widest = 0
    for j in range(n):
        widest = max(widest, a.pred_ptr[j + 1] - a.pred_ptr[j])
    out = np.zeros(2 + widest, np.int64)
    placed = 0
    while placed < n:
        if parked_size > 0:
            best = -1
            for k in range(parked_size):
                j = parked[k]
                if (best < 0 or rank[j] < rank[best]) and may_let_in(a, a.project[j], opened, open_count) > 0:
                    best = j
            if best >= 0 and (size == 0 or rank[best] < rank[heap[0]]):
                p = a.project[best]
                # from when on there is room: so many of the projects already finished may still be in process then
                room = may_let_in(a, p, opened, open_count)
                ends = np.empty(projects, np.int64)
                count = 0
                for q in range(projects):
                    if opened[q] == 1 and left[q] == 0 and entered[q] >= 0:
                        # one that takes no time still counts when it starts
                        ends[count] = max(last[q], entered[q] + 1)
                        count += 1
                since = 0
                if count >= room:
                    since = np.sort(ends[:count])[count - room]
                for q in range(projects):
                    if a.knot[q] == a.knot[p] and opened[q] == 0:
                        opened[q] = 1
                        let_in[q] = since
                        open_count += 1
                kept = 0
                for k in range(parked_size):
                    j = parked[k]
                    if opened[a.project[j]] == 1:
                        heap[size] = j
                        sift_up(heap, rank, size)
                        size += 1
                    else:
                        parked[kept] = j
                        kept += 1
                parked_size = kept
                continue
        if size == 0:
            return LOCKED
        j = pop(heap, rank, size)
        size -= 1
        p = a.project[j]
        est = max(a.release[j], a.pin[j])
        if p >= 0 and let_in[p] > est:
            est = let_in[p]
        est = max(est, a.pin[j])
        out[1] = 0
        for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
            kind = a.pred_type[e]
            origin = end[a.pred[e]] if kind % 2 == 0 else start[a.pred[e]]  # FS and FF count from the end
            if a.lag_kind[e] == 1:
                out[2 + e - a.pred_ptr[j]] = origin
            elif kind <= 1:
                est = max(est, origin + a.lag[e])
            else:
                out[1] = max(out[1], origin + a.lag[e])
        begin = -1
        if a.pin[j] < 0 or est <= a.pin[j]:
            begin = place_activity(a, j, est, crew, forced, load, held, env, skip, out)
        if begin < 0:
            start[j] = -1
            return STUCK
        start[j] = begin
        end[j] = out[0]
        rows = seats_of(a, j)
        fill(a, j, crew, rows, begin, out[0], 1, load, held, env)
        for k in range(rows.shape[0]):
            person = crew[rows[k, 0]]
            for t in range(out[0] - 1, begin - 1, -1):
                if load[person, t] >= 100 or a.masks[a.person_mask[person], t] == 0:
                    skip[person, t] = skip[person, t + 1] if t + 1 < load.shape[1] else t + 1
        placed += 1
        if p >= 0:
            left[p] -= 1
            last[p] = max(last[p], out[0])
            entered[p] = begin if entered[p] < 0 else min(entered[p], begin)
            if left[p] == 0 and limit > 0:
                open_count -= 1
        for e in range(a.succ_ptr[j], a.succ_ptr[j + 1]):
            i = a.succ[e]
            waits[i] -= 1
            if waits[i] == 0:
                if a.project[i] >= 0 and opened[a.project[i]] == 0:
                    parked[parked_size] = i
                    parked_size += 1
                else:
                    heap[size] = i
                    sift_up(heap, rank, size)
                    size += 1
    return PLACED


@njit
def cost(a: Arrays, start: Ints, end: Ints) -> tuple[float, float]:
    """Objective and flow measure of a schedule (docs/plan.md, Costs)."""
    total, flow = 0.0, 0.0
    for g in range(a.due.shape[0]):
        finish, begin = 0, 1 << 60
        for k in range(a.member_ptr[g], a.member_ptr[g + 1]):
            j = a.member[k]
            finish = max(finish, end[j])
            begin = min(begin, start[j])
        total += a.tardiness[g] * max(0.0, finish - a.due[g]) + a.flow[g] * finish + a.span[g] * (finish - begin)
        total += a.earliness[g] * max(0.0, a.wanted[g] - begin)
        flow += a.measure[g] * finish
    return total, flow
