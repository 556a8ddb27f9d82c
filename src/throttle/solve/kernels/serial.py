"""Serial schedule generation: place activities one after the other, each as early as its crew and limits allow.

Kolisch and Hartmann, "Heuristic algorithms for the resource-constrained project scheduling problem" (1999), describe
the scheme; here with crews, calendars, pauses, windows, links with lags, WIP limits, spans under limits and quotas.
``revise`` decodes an order that differs little from one decoded before, and keeps what cannot have changed. Loaded
through ``throttle.solve.kernels``, compiled or plain; so this is plain loops over arrays, and imports only numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from throttle.solve.kernels import borrowing, lean, njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Arrays, Floats, Ints
    from throttle.solve.decoder import Space, Tails, Trace

    Room = NDArray[np.int16]
    Jumps = NDArray[np.int32]
    Marks = NDArray[np.uint8]

PLACED, STUCK, LOCKED, CUT, STOPPED = 0, 1, 2, 3, 4
"""Outcomes: all placed; one has no place before the horizon; spans let in wait for others that cannot be; the cost
would pass the limit; told to stop."""

NOWHERE, UNKNOWN = -1, -2
"""Instead of a start: there is no place; none was found, but not every crew was tried."""

CHOICES_TRIED, SLOTS_TRIED = 4_000, 2_000_000
"""Choices for a seat, and slots looked at, in a search for a crew where choosing seat by seat found none."""
GLANCE = 16
"""Slots of two calendars that are compared in the time that it takes to look at one for a crew."""
MOST_SIGNS = 60
"""Up to so many needs, people are told apart by those that they can fill."""
BLOCKS = 62
"""Parts of the horizon in which changes are told apart."""
LOOKS = 16
"""Activities between two looks at whether to stop."""


borrowed = borrowing()


@lean
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
    vain = -1  # a calendar that leads nowhere, whoever has it
    for person in able:
        taken = person_mask[person] == vain or (forced >= 0 and forced != person)
        for i in range(size - 1):
            taken |= members[i] == person
        if taken:
            continue
        members[size - 1] = person
        first, done = -1, 0
        busy = False
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
                    busy |= i == size - 1
                    break
                if wip[p] > 0 and held[p, t] >= wip[p]:
                    after = t + 1
                    busy |= i == size - 1
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
        if chosen != person and not busy:
            vain = person_mask[person]
    members[size - 1] = chosen
    return chosen, begun, ended


@lean
def is_waived(waived: Ints, first: int, last: int, holder: int) -> bool:
    """Whether the limit of a person or team is not for an activity, whose waivers these are."""
    found = False
    for e in range(first, last):
        found |= waived[e] == holder
    return found


@lean
def is_whole(a: Arrays, j: int, seats: Ints) -> bool:
    """Whether these are all seats of activity j."""
    return bool(seats.shape[0] == a.crew_ptr[a.need_ptr[j + 1]] - a.crew_ptr[a.need_ptr[j]])


@lean
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
    members that are left (docs/plan.md, Work). skip[person, t]: no slot from t up to it is free. A pinned start is the
    first slot from the pin that is open for all; est may be later than the pin where all between them is closed.
    """
    slots = a.masks.shape[1]
    longest, shortest = 0, 1 << 60
    for k in range(seats.shape[0]):
        work = a.work[seats[k, 1]]
        longest, shortest = max(longest, work), min(shortest, work)
    place, frozen, occurrence = a.place[j], a.frozen[j], a.occurrence[j]
    people, teams = a.person_mask.shape[0], a.team_wip.shape[0]
    waiting = seats.shape[0] == 0
    if waiting:
        longest = a.wait[j]
    # a crew in part may begin when the pinned start of the whole crew is not yet
    pinned = a.pin[j] >= 0 and is_whole(a, j, seats)
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
                        if seats.shape[0] > 0:
                            # whoever is on the first seat must be open
                            t = a.next_open[a.person_mask[crew[seats[0, 0]]], t]
                            if t + count > slots:
                                return -1
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
            if at > a.pin[j]:
                return -1
            at = a.pin[j]
        while at < slots:
            # a milestone touches a freeze only where it lies within
            cold = frozen >= 0 and a.frosts[frozen, at] == 1 and (at == 0 or a.frosts[frozen, at - 1] == 1)
            if not cold and (occurrence < 0 or a.occurrences[occurrence, at] >= 0):
                break
            if pinned:
                return -1
            at += 1
        if at >= slots or at > bound:
            return -1
        out[0] = at
        return int(at)
    s = a.pin[j] if pinned else est
    while True:
        if not pinned:
            # all of the crew are free where it begins
            k = 0
            while k < seats.shape[0] and s < slots:
                free = skip[crew[seats[k, 0]], s]
                k = k + 1 if free <= s else 0
                s = max(s, free)
        t = s
        first = -1
        number = -1
        done = 0
        broken = False
        while True:
            if first < 0 and not pinned:
                # where it cannot begin, whoever does it
                if place >= 0 and t < slots:
                    t = a.next_open[place, t]
                while occurrence >= 0 and t < slots and t < bound and a.occurrences[occurrence, t] < 0:
                    t += 1
                while frozen >= 0 and t < slots and t < bound and a.frosts[frozen, t] == 1:
                    t += 1
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
            if pinned and first < 0 and t < est:
                return -1
            # from start to finish: windows, freezes, environments, WIP of people
            broken = (frozen >= 0 and a.frosts[frozen, t] == 1) or (not open_ and a.run[j])
            if occurrence >= 0 and not broken:
                if first < 0:
                    number = a.occurrences[occurrence, t]
                broken = number < 0 or a.occurrences[occurrence, t] != number
            if not broken:
                for u in range(a.use_ptr[j], a.use_ptr[j + 1]):
                    if env[a.use[u], t] + a.amount[u] > a.capacity[a.use[u]]:
                        broken = not (a.exempt[j] and a.in_process[a.use[u]])
                        if broken:
                            break
            if not broken and not a.exempt[j]:
                for k in range(seats.shape[0]):
                    p = crew[seats[k, 0]]
                    if a.person_wip[p] > 0 and held[p, t] >= a.person_wip[p]:
                        broken = not is_waived(a.waived, a.waived_ptr[j], a.waived_ptr[j + 1], p)
                        if broken:
                            break
                    if teams > 0 and a.team[p] >= 0 and held[people + a.team[p], t] >= a.team_wip[a.team[p]]:
                        broken = not is_waived(a.waived, a.waived_ptr[j], a.waived_ptr[j + 1], people + a.team[p])
                        if broken:
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


@lean
def in_crew(crew: Ints, rows: Ints, upto: int, person: int) -> bool:
    found = False
    for k in range(upto):
        found |= crew[rows[k, 0]] == person
    return found


@njit
def over_quota(a: Arrays, j: int, crew: Ints, seats: Ints, start: int, end: int, used: Ints) -> int:
    """From when to try again because activity j, worked from start to end, exceeds a quota, or -1."""
    place = a.place[j]
    counted = np.zeros(seats.shape[0], np.uint8)
    for first in range(seats.shape[0]):
        person = crew[seats[first, 0]]
        for e in range(a.person_quota_ptr[person], a.person_quota_ptr[person + 1]):
            quota = a.person_quota[e]
            if a.quota_scope[quota] >= 0 and a.scopes[a.quota_scope[quota], j] == 0:
                continue
            seen = False
            for k in range(seats.shape[0]):
                counted[k] = 0
                p = crew[seats[k, 0]]
                for i in range(a.person_quota_ptr[p], a.person_quota_ptr[p + 1]):
                    if a.person_quota[i] == quota:
                        counted[k] = 1
                        seen |= k < first
            if seen:
                continue
            number, own, done = -1, 0, 0
            for t in range(start, end):
                open_ = place < 0 or a.masks[place, t] == 1
                for k in range(seats.shape[0]):
                    if done < a.work[seats[k, 1]] and a.masks[a.person_mask[crew[seats[k, 0]]], t] == 0:
                        open_ = False
                if not open_:
                    continue
                now = a.bucket[a.quota_bucket[quota], t]
                if now != number:
                    number, own = now, 0
                least = 0
                for k in range(seats.shape[0]):
                    if counted[k] == 1 and done < a.work[seats[k, 1]]:
                        own += a.share[seats[k, 1]]
                        least = a.share[seats[k, 1]] if least == 0 else min(least, a.share[seats[k, 1]])
                done += 1
                if number < 0 or least == 0:
                    continue
                at = a.quota_ptr[quota] + number
                if used[at] + own > a.quota[at]:
                    if used[at] + least <= a.quota[at]:
                        return start + 1
                    # full, so it cannot begin before the next bucket: it would work here too
                    after = t
                    while after < a.bucket.shape[1] and a.bucket[a.quota_bucket[quota], after] == number:
                        after += 1
                    return after
    return -1


@lean
def over_batch(a: Arrays, j: int, start: int, used: Ints) -> int:
    """From when to try again because the occurrence in which activity j would start has no room for it, or -1."""
    row = a.occurrence[j]
    number = a.occurrences[row, start]
    for e in range(a.batch_ptr[j], a.batch_ptr[j + 1]):
        k = a.batch[e]
        if used[a.quota.shape[0] + a.batch_first[k] + number] + a.batch_amount[e] > a.batch_most[k]:
            after = start
            while after < a.occurrences.shape[1] and a.occurrences[row, after] == number:
                after += 1
            return after
    return -1


@njit
def earliest_within(
    a: Arrays,
    j: int,
    crew: Ints,
    seats: Ints,
    est: int,
    bound: int,
    load: Room,
    held: Room,
    env: Ints,
    used: Ints,
    skip: Jumps,
    out: Ints,
) -> int:
    """``earliest``, within the quotas and what an occurrence may hold."""
    batched = a.batch_ptr[j] < a.batch_ptr[j + 1]
    while True:
        begin = earliest(a, j, crew, seats, est, bound, load, held, env, skip, out)
        if begin < 0 or (a.quota_bucket.shape[0] == 0 and not batched):
            return begin
        again = over_batch(a, j, begin, used) if batched else -1
        if again < 0 and a.quota_bucket.shape[0] > 0:
            again = over_quota(a, j, crew, seats, begin, out[0], used)
        if again < 0:
            return begin
        if a.pin[j] >= 0 and is_whole(a, j, seats):
            return -1
        est = again


@lean
def book_plain(
    masks: Marks,
    next_open: Jumps,
    person_mask: Ints,
    wip: Ints,
    load: Room,
    held: Room,
    skip: Jumps,
    members: Ints,
    works: Ints,
    shares: Ints,
    size: int,
    start: int,
    end: int,
    sign: int | np.int64,
) -> None:
    """Book (sign 1) or release (-1) what an activity without environments that is not in progress takes of its people.

    skip follows: booked, a slot that is full leads to where the next one does; released, to the next open slot. Since
    activities are released in the reverse order of booking, no slot leads past one that is free.
    """
    if size == 1:
        person, row, share = members[0], person_mask[members[0]], shares[0]
        for t in range(start, end):
            if masks[row, t] == 1:
                load[person, t] += sign * share
    else:
        done = 0
        for t in range(start, end):
            open_ = True
            for k in range(size):
                open_ &= done >= works[k] or masks[person_mask[members[k]], t] == 1
            if open_:
                for k in range(size):
                    if done < works[k]:
                        load[members[k], t] += sign * shares[k]
                done += 1
    last = load.shape[1]
    for k in range(size):
        person, row = members[k], person_mask[members[k]]
        if wip[person] > 0:
            for t in range(start, end):
                held[person, t] += sign
        if sign < 0:
            for t in range(start, end):
                skip[person, t] = next_open[row, t]
        else:
            for t in range(end - 1, start - 1, -1):
                if load[person, t] >= 100 or masks[row, t] == 0:
                    skip[person, t] = skip[person, t + 1] if t + 1 < last else t + 1


@lean
def fill(
    a: Arrays,
    j: int,
    crew: Ints,
    seats: Ints,
    start: int,
    end: int,
    sign: int | np.int64,
    load: Room,
    held: Room,
    env: Ints,
) -> None:
    """Add (sign 1) or take away (-1) what activity j takes of its people and environments, whose places these are."""
    place = a.place[j]
    done = 0
    from_ = 0 if a.exempt[j] else start
    people = a.person_mask.shape[0]
    for k in range(seats.shape[0]):
        p = crew[seats[k, 0]]
        if a.person_wip[p] > 0 and not is_waived(a.waived, a.waived_ptr[j], a.waived_ptr[j + 1], p):
            for t in range(from_, end):
                held[p, t] += sign
        if a.team_wip.shape[0] > 0 and a.team[p] >= 0:
            once = not is_waived(a.waived, a.waived_ptr[j], a.waived_ptr[j + 1], people + a.team[p])
            for i in range(k):
                once &= a.team[crew[seats[i, 0]]] != a.team[p]
            for t in range(from_, end if once else from_):
                held[people + a.team[p], t] += sign
    for u in range(a.use_ptr[j], a.use_ptr[j + 1]):
        if a.exempt[j] and a.in_process[a.use[u]]:
            # counted from the beginning to the horizon until it has an end (``Decoder``)
            for t in range(end, env.shape[1]):
                env[a.use[u], t] -= sign * a.amount[u]
            continue
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
def book(a: Arrays, j: int, crew: Ints, start: int, end: int, sign: int | np.int64, space: Space) -> None:
    """Book (sign 1) or release (-1) all that activity j takes; skip follows as in ``book_plain``."""
    seats = seats_of(a, j)
    fill(a, j, crew, seats, start, end, sign, space.load, space.held, space.env)
    load, skip = space.load, space.skip
    for k in range(seats.shape[0]):
        person = crew[seats[k, 0]]
        row = a.person_mask[person]
        for t in range(end - 1, start - 1, -1):
            if sign < 0:
                skip[person, t] = a.next_open[row, t]
            elif load[person, t] >= 100 or a.masks[row, t] == 0:
                skip[person, t] = skip[person, t + 1] if t + 1 < load.shape[1] else t + 1
    if a.batch_ptr[j] < a.batch_ptr[j + 1]:
        number = a.occurrences[a.occurrence[j], start]
        for e in range(a.batch_ptr[j], a.batch_ptr[j + 1]):
            space.used[a.quota.shape[0] + a.batch_first[a.batch[e]] + number] += sign * a.batch_amount[e]
    if a.quota_bucket.shape[0] == 0:
        return
    done = 0
    for t in range(start, end):
        open_ = a.place[j] < 0 or a.masks[a.place[j], t] == 1
        for k in range(seats.shape[0]):
            open_ &= done >= a.work[seats[k, 1]] or a.masks[a.person_mask[crew[seats[k, 0]]], t] == 1
        if not open_:
            continue
        for k in range(seats.shape[0]):
            person = crew[seats[k, 0]]
            if done >= a.work[seats[k, 1]]:
                continue
            for e in range(a.person_quota_ptr[person], a.person_quota_ptr[person + 1]):
                quota = a.person_quota[e]
                number = a.bucket[a.quota_bucket[quota], t]
                if number >= 0 and (a.quota_scope[quota] < 0 or a.scopes[a.quota_scope[quota], j] == 1):
                    space.used[a.quota_ptr[quota] + number] += sign * a.share[seats[k, 1]]
        done += 1


@lean
def seat_by_seat(
    masks: Marks,
    next_open: Jumps,
    person_mask: Ints,
    skip: Jumps,
    load: Room,
    held: Room,
    wip: Ints,
    candidate: Ints,
    cand_ptr: Ints,
    need: Ints,
    forced: Ints,
    members: Ints,
    works: Ints,
    rooms: Ints,
    est: int,
) -> tuple[int, int]:
    """Fill ``members`` for activities where only people's time matters; their start and end, or (-1, -1).

    need and forced: of each seat.
    """
    begun, ended = -1, -1
    for k in range(need.shape[0]):
        able = candidate[cand_ptr[need[k]] : cand_ptr[need[k] + 1]]
        person, begun, ended = choose_plain(
            masks, next_open, person_mask, skip, load, held, wip, able, forced[k], members, works, rooms, k + 1, est
        )
        if person < 0:
            return -1, -1
    return begun, ended


@lean
def without_bookings(a: Arrays, person: int, est: int, load: Room, held: Room) -> bool:
    """Whether nothing but the calendar keeps this person from anything from est on."""
    if a.person_quota_ptr[person + 1] > a.person_quota_ptr[person]:
        return False
    for t in range(est, load.shape[1]):
        if load[person, t] > 0:
            return False
    if a.person_wip[person] > 0:
        for t in range(est, held.shape[1]):
            if held[person, t] > 0:
                return False
    if a.team_wip.shape[0] > 0 and a.team[person] >= 0:
        for t in range(est, held.shape[1]):
            if held[a.person_mask.shape[0] + a.team[person], t] > 0:
                return False
    return True


@njit
def kinds_of(a: Arrays, j: int, apart: bool, kind: Ints) -> int:
    """Number the kinds of people who can work on activity j, in the order of the candidates; returns how many.

    People of one kind have the same calendar and can fill the same needs. apart: each is a kind.
    """
    first, last = a.need_ptr[j], a.need_ptr[j + 1]
    kind[:] = -1
    signs = np.zeros(kind.shape[0], np.int64)
    for q in range(first, last):
        for c in range(a.cand_ptr[q], a.cand_ptr[q + 1]):
            signs[a.candidate[c]] |= 1 << ((q - first) % MOST_SIGNS)
    every = apart or last - first > MOST_SIGNS
    heads = np.empty(kind.shape[0], np.int64)
    count = 0
    for q in range(first, last):
        for c in range(a.cand_ptr[q], a.cand_ptr[q + 1]):
            p = a.candidate[c]
            if kind[p] >= 0:
                continue
            if not (every or a.person_quota_ptr[p + 1] > a.person_quota_ptr[p]):
                for k in range(count):
                    head = heads[k]
                    if (
                        signs[head] == signs[p]
                        and a.person_mask[head] == a.person_mask[p]
                        and a.person_quota_ptr[head + 1] == a.person_quota_ptr[head]
                    ):
                        kind[p] = k
                        break
            if kind[p] < 0:
                heads[count] = p
                kind[p] = count
                count += 1
    return count


@njit
def openings(mask: Marks, work: int, run: bool) -> Marks:
    """The open slots of a calendar; of work that may not pause, those from which on so many are open."""
    found = mask.copy()
    if run:
        length = 0
        for t in range(mask.shape[0] - 1, -1, -1):
            length = length + 1 if mask[t] == 1 else 0
            found[t] = length >= work
    return found


@njit
def crew_in_turn(
    a: Arrays,
    j: int,
    est: int,
    rows: Ints,
    crew: Ints,
    forced: Ints,
    load: Room,
    held: Room,
    env: Ints,
    used: Ints,
    skip: Jumps,
    out: Ints,
    apart: bool,
    bare: bool,
    end: int,
    choices: int,
    stop: Marks,
    found: Ints,
) -> tuple[int, int, bool]:
    """The crew of activity j that ends first, before ``end``: its start (or -1), its end, and whether all were tried.

    Depth first over the kinds of people in each seat (``kinds_of``), of each kind who would finish first. Seats of one
    need take kinds in rising order, so that no crew is tried twice. A crew in part is given up where it ends too late,
    where its calendars have too little time in common, or where too few of those left share that time. rows: as
    ``seats_of``, most work first; bare: nobody has other work; found: who is in each of them.
    """
    size, slots = rows.shape[0], a.masks.shape[1]
    run = a.run[j]
    kind = np.empty(a.person_mask.shape[0], np.int64)
    kinds = kinds_of(a, j, apart, kind)
    # a larger crew has fewer slots in common, so it can only be later, except after a negative lag in working time
    monotone = True
    for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
        monotone &= a.lag_kind[e] == 0 or a.lag[e] >= 0
    taken = np.zeros(kind.shape[0], np.uint8)
    for k in range(size):
        if forced[rows[k, 0]] >= 0:
            if taken[forced[rows[k, 0]]] == 1:
                return -1, end, True  # nobody fills two seats
            taken[forced[rows[k, 0]]] = 1  # for that seat only
    joint = np.empty((size, slots), np.uint8)
    common = np.empty((size, a.masks.shape[0]), np.int64)  # slots in common with each calendar, or -1: not known yet
    joint[0] = 1
    common[0] = -1
    if a.place[j] >= 0:
        joint[0] = openings(a.masks[a.place[j]], a.work[rows[0, 1]], run)
    option, picked = np.zeros(size, np.int64), np.full(size, -1, np.int64)
    ends = np.full(size + 1, est, np.int64)
    start = -1
    k = tried = looked = 0
    while k >= 0:
        tried += 1
        if tried > choices or looked > SLOTS_TRIED or stop[0] == 1:
            return start, end, False
        seat, q = rows[k, 0], rows[k, 1]
        least = 1 if run else a.work[q]
        pick, pick_end, pick_start = -1, end, -1
        left, wanted, following, vain = 0, 0, kinds, False
        while k + wanted < size and rows[k + wanted, 1] == q and (wanted == 0 or forced[rows[k + wanted, 0]] < 0):
            wanted += 1
            if forced[seat] >= 0:
                break
        for c in range(a.cand_ptr[q], a.cand_ptr[q + 1]):
            p = a.candidate[c]
            if kind[p] < option[k] or (forced[seat] != p if forced[seat] >= 0 else taken[p] == 1):
                continue
            row = a.person_mask[p]
            if common[k, row] < 0:
                common[k, row] = (joint[k, est:] & openings(a.masks[row], a.work[q], run)[est:]).sum()
                looked += (slots - est) // GLANCE
            if common[k, row] >= least:
                left += 1
                following = min(following, kind[p])
        option[k] = following
        for c in range(a.cand_ptr[q], a.cand_ptr[q + 1] if left >= wanted else a.cand_ptr[q]):
            p = a.candidate[c]
            if kind[p] != option[k] or (forced[seat] != p if forced[seat] >= 0 else taken[p] == 1):
                continue
            if common[k, a.person_mask[p]] < least or vain:
                continue
            if k < size - 1 and not monotone:
                pick = p
                break
            crew[seat] = p
            begin = earliest_within(a, j, crew, rows[: k + 1], est, pick_end - 1, load, held, env, used, skip, out)
            looked += (out[0] if begin >= 0 else min(pick_end, slots)) - est
            if begin >= 0:
                pick, pick_end, pick_start = p, out[0], begin
            # another of the kind cannot be earlier
            vain = bare or pick_end <= ends[k]
        if pick >= 0 and k == size - 1:
            start, end = pick_start, pick_end
            for i in range(k):
                found[i] = picked[i]
            found[k] = pick
        elif pick >= 0:
            crew[seat] = picked[k] = pick
            taken[pick] = 1
            ends[k + 1] = pick_end if monotone else est
            row, after = a.person_mask[pick], rows[k + 1, 1]
            joint[k + 1] = joint[k] & openings(a.masks[row], a.work[q], run)
            common[k + 1] = -1
            if after == q and (k > 0 and row == a.person_mask[picked[k - 1]] and rows[k - 1, 1] == q):
                common[k + 1] = common[k]
            in_order = after == q and forced[seat] < 0 and forced[rows[k + 1, 0]] < 0
            option[k + 1] = option[k] if in_order else 0
            k += 1
            continue
        option[k] += 1
        if option[k] >= kinds or left < wanted:
            k -= 1
            if k >= 0:
                taken[picked[k]] = forced[rows[k, 0]] >= 0
                option[k] += 1
    return start, end, True


@njit
def place(
    a: Arrays,
    j: int,
    est: int,
    crew: Ints,
    forced: Ints,
    load: Room,
    held: Room,
    env: Ints,
    used: Ints,
    skip: Jumps,
    out: Ints,
    deep: Ints,
    stop: Marks,
) -> int:
    """Choose a crew and the earliest start for activity j; the start, with the end in out[0], or NOWHERE or UNKNOWN.

    Seat by seat, the candidate with whom the crew so far would finish first (the least flexible of equals); if that
    leads nowhere, crews in turn, and then deep[0] is 1. forced[seat] >= 0 fixes a seat.
    """
    slots = a.masks.shape[1]
    rows = seats_of(a, j)
    size = rows.shape[0]
    deep[0] = 0
    if size == 0:
        return earliest_within(a, j, crew, rows, est, slots + 1, load, held, env, used, skip, out)
    plain = a.plain[j] and out[1] == 0
    members, works, rooms = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    for k in range(size):
        q = rows[k, 1]
        works[k], rooms[k] = a.work[q], 100 - a.share[q]
        for c in range(a.cand_ptr[q], a.cand_ptr[q + 1]):
            # in a crew, one may be open while another is not, and something else may start on the one then
            plain &= a.exempt[j] or size == 1 or a.person_wip[a.candidate[c]] == 0
    begun = -1
    complete = True
    if plain:
        wip = np.zeros_like(a.person_wip) if a.exempt[j] else a.person_wip
        first = rows[0, 0]
        begun, out[0] = seat_by_seat(
            a.masks,
            a.next_open,
            a.person_mask,
            skip,
            load,
            held,
            wip,
            a.candidate,
            a.cand_ptr,
            rows[:, 1].copy(),
            forced[first : first + size],
            members,
            works,
            rooms,
            est,
        )
        complete = begun >= 0
        for k in range(size):
            crew[rows[k, 0]] = members[k]
    else:
        longest = 0
        for k in range(size):
            seat, q = rows[k, 0], rows[k, 1]
            longest = max(longest, a.work[q])
            best, best_end, best_start = -1, slots + 1, -1
            vain = -1  # a calendar that leads nowhere, whoever has it
            for c in range(a.cand_ptr[q], a.cand_ptr[q + 1]):
                p = a.candidate[c]
                if a.person_mask[p] == vain or (forced[seat] >= 0 and forced[seat] != p) or in_crew(crew, rows, k, p):
                    continue
                if est < slots and skip[p, est] + longest >= best_end and a.pin[j] < 0:
                    continue
                crew[seat] = p
                begin = earliest_within(a, j, crew, rows[: k + 1], est, best_end - 1, load, held, env, used, skip, out)
                if begin >= 0 and out[0] < best_end:
                    best, best_end, best_start = p, out[0], begin
                elif begin < 0 and best < 0 and without_bookings(a, p, est, load, held):
                    vain = a.person_mask[p]
            if best < 0:
                complete = False
                break
            crew[seat] = best
            begun = best_start
            if k == size - 1:
                out[0] = best_end
    if complete:
        return begun
    # the seats chosen first left no one for the others, or no common time
    deep[0] = 1
    order = np.argsort(-works, kind="mergesort")
    rows = rows[order]
    bare = True
    for k in range(size):
        q = rows[k, 1]
        if k == 0 or q != rows[k - 1, 1]:
            for c in range(a.cand_ptr[q], a.cand_ptr[q + 1]):
                bare = bare and without_bookings(a, a.candidate[c], est, load, held)
    found = np.zeros(size, np.int64)
    best_start, best_end, whole = crew_in_turn(
        a,
        j,
        est,
        rows,
        crew,
        forced,
        load,
        held,
        env,
        used,
        skip,
        out,
        False,
        bare,
        slots + 1,
        CHOICES_TRIED,
        stop,
        found,
    )
    if not (bare and whole):
        # those of a kind differ in what else they do
        choices = CHOICES_TRIED // size
        again, best_end, whole = crew_in_turn(
            a, j, est, rows, crew, forced, load, held, env, used, skip, out, True, bare, best_end, choices, stop, found
        )
        best_start = again if again >= 0 else best_start
    if best_start < 0:
        return NOWHERE if whole else UNKNOWN
    for i in range(size):
        crew[rows[i, 0]] = found[i]
    out[0] = best_end
    return int(best_start)


@njit
def place_activity(
    a: Arrays, j: int, est: int, crew: Ints, forced: Ints, load: Room, held: Room, env: Ints, skip: Jumps, out: Ints
) -> int:
    """``place`` where nothing else uses up a quota, nor what an occurrence may hold."""
    used = np.zeros(a.quota.shape[0] + a.batch_first[-1], np.int64)
    return place_beside(a, j, est, crew, forced, load, held, env, used, skip, out)


@njit
def place_beside(
    a: Arrays,
    j: int,
    est: int,
    crew: Ints,
    forced: Ints,
    load: Room,
    held: Room,
    env: Ints,
    used: Ints,
    skip: Jumps,
    out: Ints,
) -> int:
    """``place`` with nobody to stop it. used: as in ``Space``."""
    deep, stop = np.zeros(1, np.int64), np.zeros(1, np.uint8)
    return place(a, j, est, crew, forced, load, held, env, used, skip, out, deep, stop)


@lean
def less(rank: Floats, i: int, j: int) -> bool:
    """Whether i comes before j; of equals the one with the smaller number."""
    return rank[i] < rank[j] or (rank[i] == rank[j] and i < j)


@lean
def sift_up(heap: Ints, rank: Floats, k: int) -> None:
    j = heap[k]
    while k > 0:
        up = (k - 1) >> 1
        if not less(rank, j, heap[up]):
            break
        heap[k] = heap[up]
        k = up
    heap[k] = j


@lean
def pop(heap: Ints, rank: Floats, size: int) -> int:
    """Remove and return the first of a heap of ``size``; the caller lowers the size."""
    top = heap[0]
    j = heap[size - 1]
    k = 0
    while True:
        child = 2 * k + 1
        if child >= size - 1:
            break
        if child + 1 < size - 1 and less(rank, heap[child + 1], heap[child]):
            child += 1
        if not less(rank, heap[child], j):
            break
        heap[k] = heap[child]
        k = child
    heap[k] = j
    return int(top)


@njit
def has_room(
    demand: Ints,
    span_limit: Ints,
    limit: Ints,
    before_ptr: Ints,
    before: Ints,
    knot: Ints,
    s: int,
    opened: Marks,
    booked: Ints,
    alone: Marks,
) -> bool:
    """Whether span s, and those that must be let in with it, fit under their limits and wait for none not let in."""
    if alone[s] == 1:
        row = span_limit[s]
        if demand[s] > 0 and booked[row] > 0 and booked[row] + demand[s] > limit[row]:
            return False
        ready = True
        for e in range(before_ptr[s], before_ptr[s + 1]):
            ready &= opened[before[e]] == 1
        return ready
    together, count = np.zeros_like(booked), np.zeros_like(booked)
    for q in range(knot.shape[0]):
        if knot[q] == knot[s] and opened[q] == 0:
            together[span_limit[q]] += demand[q]
            count[span_limit[q]] += 1
            for e in range(before_ptr[q], before_ptr[q + 1]):
                if opened[before[e]] == 0:
                    return False
    for row in range(booked.shape[0]):
        over = together[row] > 0 and booked[row] + together[row] > limit[row]
        if over and (booked[row] > 0 or count[row] > 1):
            return False
    return True


@njit
def room_from(
    demand: Ints,
    span_limit: Ints,
    limit: Ints,
    knot: Ints,
    s: int | np.int64,
    opened: Marks,
    booked: Ints,
    left: Ints,
    last: Ints,
    entered: Ints,
) -> int:
    """From when on span s and those let in with it have room: so many of those already finished may still be in
    process then."""
    spans = knot.shape[0]
    since = 0
    for row in range(booked.shape[0]):
        together = 0
        for q in range(spans):
            if knot[q] == knot[s] and opened[q] == 0 and span_limit[q] == row:
                together += demand[q]
        if together == 0:
            continue
        ends, demands = np.empty(spans, np.int64), np.empty(spans, np.int64)
        count = 0
        for q in range(spans):
            if span_limit[q] == row and opened[q] == 1 and left[q] == 0 and entered[q] >= 0:
                # one that takes no time still counts when it starts
                ends[count], demands[count] = max(last[q], entered[q] + 1), demand[q]
                count += 1
        room = max(0, limit[row] - booked[row] - together)
        latest = np.argsort(ends[:count])
        for i in range(count - 1, -1, -1):
            room -= demands[latest[i]]
            if room < 0:
                since = max(since, ends[latest[i]])
                break
    return since


@lean
def first_closed(spans: Ints, opened: Marks, first: int, last: int) -> int:
    """The first of these spans that is not let in, or -1."""
    for x in range(first, last):
        if opened[spans[x]] == 0:
            return int(spans[x])
    return -1


@lean
def blocks(first: int, last: int, width: int) -> int:
    """The blocks of ``width`` slots that [first, last) touches, as bits."""
    if last <= first:
        return 0
    return int((1 << ((last - 1) // width + 1)) - (1 << (first // width)))


@lean
def mark(a: Arrays, j: int, trace: Trace, width: int, people: Ints, env: Ints, quotas: Ints) -> int:
    """Mark what activity j takes in a schedule as changed; returns the blocks."""
    bits = blocks(0 if a.exempt[j] else trace.start[j], trace.end[j], width)
    for seat in range(a.crew_ptr[a.need_ptr[j]], a.crew_ptr[a.need_ptr[j + 1]]):
        person = trace.crew[seat]
        people[person] |= bits
        if a.team_wip.shape[0] > 0 and a.team[person] >= 0:
            people[a.person_mask.shape[0] + a.team[person]] |= bits
        for e in range(a.person_quota_ptr[person], a.person_quota_ptr[person + 1]):
            quotas[a.person_quota[e]] = 1
            bits = (1 << BLOCKS) - 1
    for u in range(a.use_ptr[j], a.use_ptr[j + 1]):
        if a.exempt[j] and a.in_process[a.use[u]]:
            bits = (1 << BLOCKS) - 1
        env[a.use[u]] |= bits
    for e in range(a.batch_ptr[j], a.batch_ptr[j + 1]):
        quotas[a.quota_bucket.shape[0] + a.batch[e]] = 1
        bits = (1 << BLOCKS) - 1
    return bits


@lean
def changed_around(
    candidate: Ints,
    able: int,
    able_end: int,
    team: Ints,
    use: Ints,
    uses: int,
    uses_end: int,
    bits: int,
    people: Ints,
    env: Ints,
) -> bool:
    """Whether these people, their teams or environments are marked in these blocks."""
    teams = people.shape[0] > team.shape[0]
    for c in range(able, able_end):
        if people[candidate[c]] & bits != 0:
            return True
        if teams and team[candidate[c]] >= 0 and people[team.shape[0] + team[candidate[c]]] & bits != 0:
            return True
    found = False
    for u in range(uses, uses_end):
        found |= env[use[u]] & bits != 0
    return found


@lean
def group_cost(
    tardiness: Floats,
    due: Floats,
    rate: Floats,
    span: Floats,
    earliness: Floats,
    wanted: Floats,
    g: int,
    begin: int,
    finish: int,
) -> float:
    """Cost of group g, with ``rate`` for each slot of its finish; a begin far off stands for one not known yet."""
    found = tardiness[g] * max(0.0, finish - due[g]) + rate[g] * finish
    return float(found + span[g] * max(0, finish - begin) + earliness[g] * max(0.0, wanted[g] - begin))


@njit
def decode(
    a: Arrays,
    rank: Floats,
    forced: Ints,
    kept: int,
    known: int,
    base: Trace,
    trial: Trace,
    space: Space,
    tails: Tails,
    limit: float,
    flow_share: float,
    stop: Marks,
) -> tuple[int, int, int]:
    """Place all activities, smallest rank first among those whose predecessors are placed and whose spans are let in.

    The first ``kept`` activities are taken from base, and space must hold them and nothing else. ``known`` is how many
    base has, all or none; an activity around which nothing differs from it is booked where it was. With a finite
    limit, ends as soon as the cost plus flow_share of the flow measure cannot but exceed it. stop[0] = 1 ends it soon.
    Returns the outcome, how many activities are placed (first in trial.order), and for how many of them a place had to
    be looked for. Without a place, an activity has start -1.
    """
    a, space, tails = borrowed(a), borrowed(space), borrowed(tails)
    base, trial = borrowed(base), borrowed(trial)
    n = a.release.shape[0]
    slots = a.masks.shape[1]
    width = slots // BLOCKS + 1
    order, start, end, crew = trial.order, trial.start, trial.end, trial.crew
    start[:] = -1
    trial.rank[:] = rank
    trial.forced[:] = forced
    waits = np.empty(n, np.int64)
    heap = np.empty(n, np.int64)
    queued = np.zeros(n, np.uint8)
    moved = np.zeros(n, np.uint8)
    size = widest = crowd = 0
    for j in range(n):
        waits[j] = a.pred_ptr[j + 1] - a.pred_ptr[j]
        widest = max(widest, waits[j])
        crowd = max(crowd, a.crew_ptr[a.need_ptr[j + 1]] - a.crew_ptr[a.need_ptr[j]])
    seat_need = np.empty(crew.shape[0], np.int64)
    for q in range(a.work.shape[0]):
        seat_need[a.crew_ptr[q] : a.crew_ptr[q + 1]] = q
    members, works = np.empty(crowd, np.int64), np.empty(crowd, np.int64)
    shares, rooms = np.empty(crowd, np.int64), np.empty(crowd, np.int64)
    out, deep = np.zeros(2 + widest, np.int64), np.zeros(1, np.int64)
    # what differs from base: blocks of people, teams and environments, quotas and rows of batches as a whole
    people = np.zeros(a.person_mask.shape[0] + a.team_wip.shape[0], np.int64)
    env = np.zeros(a.capacity.shape[0], np.int64)
    quotas, changed = np.zeros(a.quota_bucket.shape[0] + a.batch_most.shape[0], np.int64), 0
    # a bound on the cost: finishes by what is placed and the chains after it
    bounded = limit < np.inf
    finish = tails.floor.copy()
    begin = np.full(tails.floor.shape[0], 1 << 40, np.int64)  # far, so that it costs nothing before it is known
    bound = 0.0
    rate = a.flow + flow_share * a.measure
    # what is kept
    for k in range(kept):
        j = base.order[k]
        order[k] = j
        trial.position[j] = k
        trial.est[j], trial.finish[j], trial.reach[j] = base.est[j], base.finish[j], base.reach[j]
        start[j], end[j] = base.start[j], base.end[j]
        for seat in range(a.crew_ptr[a.need_ptr[j]], a.crew_ptr[a.need_ptr[j + 1]]):
            crew[seat] = base.crew[seat]
        for e in range(a.succ_ptr[j], a.succ_ptr[j + 1]):
            waits[a.succ[e]] -= 1
        if bounded:
            for m in range(tails.ptr[j], tails.ptr[j + 1]):
                g = tails.group[m]
                finish[g] = max(finish[g], end[j] + tails.tail[m])
                begin[g] = min(begin[g], start[j])
    if bounded:
        for g in range(finish.shape[0]):
            bound += group_cost(a.tardiness, a.due, rate, a.span, a.earliness, a.wanted, g, begin[g], finish[g])
    # spans: those not let in keep their activities in lists
    spans = a.demand.shape[0]
    opened, alone = np.zeros(spans, np.uint8), np.ones(spans, np.uint8)
    left, last, entered = np.zeros(spans, np.int64), np.zeros(spans, np.int64), np.full(spans, -1, np.int64)
    booked = np.zeros(a.limit.shape[0], np.int64)
    parked, foremost = np.full(spans, -1, np.int64), np.full(spans, -1, np.int64)
    following = np.full(n if spans > 0 else 0, -1, np.int64)
    if a.spans.shape[0] > 0:
        for j in range(n):
            for x in range(a.span_ptr[j], a.span_ptr[j + 1]):
                s = a.spans[x]
                if start[j] < 0:
                    left[s] += 1
                else:
                    last[s] = max(last[s], end[j])
                    entered[s] = start[j] if entered[s] < 0 else min(entered[s], start[j])
        knots = np.zeros(spans, np.int64)
        for s in range(spans):
            knots[a.knot[s]] += 1
        for s in range(spans):
            alone[s] = knots[a.knot[s]] == 1
            trial.opened_at[s], trial.let_in[s] = -1, 0
            if kept > 0 and 0 <= base.opened_at[s] < kept:
                opened[s] = 1
                trial.opened_at[s], trial.let_in[s] = base.opened_at[s], base.let_in[s]
            elif a.begun[s] or a.limit[a.span_limit[s]] == 0 or (left[s] == 0 and entered[s] < 0):
                opened[s] = 1
            if opened[s] == 1 and left[s] > 0:
                booked[a.span_limit[s]] += a.demand[s]
    for j in range(n):
        if waits[j] == 0 and start[j] < 0:
            s = first_closed(a.spans, opened, a.span_ptr[j], a.span_ptr[j + 1])
            if s < 0:
                heap[size] = j
                sift_up(heap, rank, size)
                size += 1
                queued[j] = 1
            else:
                following[j] = parked[s]
                parked[s] = j
                if foremost[s] < 0 or less(rank, j, foremost[s]):
                    foremost[s] = j
    chosen: int | np.int64 = np.int64(-1)  # typed, or numba compiles what takes it twice
    stale = True
    k = at = kept
    searched = 0
    while k < n:
        if (k - kept) % LOOKS == 0 and stop[0] == 1:
            return STOPPED, k, searched
        while a.spans.shape[0] > 0:
            if stale:
                chosen, stale = np.int64(-1), False
                for s in range(spans):
                    if opened[s] == 1 or foremost[s] < 0:
                        continue
                    ahead = chosen < 0 or less(rank, foremost[s], foremost[chosen])
                    if ahead and has_room(
                        a.demand, a.span_limit, a.limit, a.before_ptr, a.before, a.knot, s, opened, booked, alone
                    ):
                        chosen = s
            if chosen < 0 or (size > 0 and not less(rank, foremost[chosen], heap[0])):
                break
            since = room_from(a.demand, a.span_limit, a.limit, a.knot, chosen, opened, booked, left, last, entered)
            for s in range(spans):
                if a.knot[s] == a.knot[chosen] and opened[s] == 0:
                    opened[s] = 1
                    trial.opened_at[s], trial.let_in[s] = k, since
                    booked[a.span_limit[s]] += a.demand[s] if left[s] > 0 else 0
            for s in range(spans):
                if a.knot[s] == a.knot[chosen]:
                    j, parked[s] = parked[s], -1
                    while j >= 0:
                        after = following[j]
                        closed = first_closed(a.spans, opened, a.span_ptr[j], a.span_ptr[j + 1])
                        if closed < 0:
                            heap[size] = j
                            sift_up(heap, rank, size)
                            size += 1
                            queued[j] = 1
                        else:
                            following[j] = parked[closed]
                            parked[closed] = j
                            if foremost[closed] < 0 or less(rank, j, foremost[closed]):
                                foremost[closed] = j
                        j = after
            stale = True
        if size == 0:
            return LOCKED, k, searched
        j = pop(heap, rank, size)
        size -= 1
        est = max(a.release[j], a.pin[j])
        for x in range(a.span_ptr[j], a.span_ptr[j + 1]):
            est = max(est, trial.let_in[a.spans[x]])
        out[1] = 0
        lags_moved = False
        for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
            before, kind = a.pred[e], a.pred_type[e]
            origin = end[before] if kind % 2 == 0 else start[before]  # FS and FF count from the end
            if a.lag_kind[e] == 1:
                out[2 + e - a.pred_ptr[j]] = origin
                lags_moved |= moved[before] == 1
            elif kind <= 1:
                est = max(est, origin + a.lag[e])
            else:
                out[1] = max(out[1], origin + a.lag[e])
        earliest_end = out[1]
        seats = a.crew_ptr[a.need_ptr[j]]
        count = a.crew_ptr[a.need_ptr[j + 1]] - seats
        # the place in base's order: what was placed before it there is placed here too, or marked
        in_turn = False
        while at < known:
            x = base.order[at]
            if x == j:
                in_turn = True
                at += 1
                break
            if start[x] < 0:
                if queued[x] == 1 and rank[x] == base.rank[x]:
                    break  # it comes next, j is early
                changed |= mark(a, x, base, width, people, env, quotas)
            at += 1
        same = in_turn and not lags_moved and earliest_end == base.finish[j]
        # with one seat at most, a later est changes nothing until it passes the start
        same = same and (est == base.est[j] or (count <= 1 and base.est[j] < est <= base.start[j]))
        if same:
            for seat in range(seats, seats + count):
                same &= forced[seat] == base.forced[seat]
            bits = blocks(est, base.reach[j], width)
            if same and bits & changed != 0:
                able, able_end = a.cand_ptr[a.need_ptr[j]], a.cand_ptr[a.need_ptr[j + 1]]
                same = not changed_around(
                    a.candidate, able, able_end, a.team, a.use, a.use_ptr[j], a.use_ptr[j + 1], bits, people, env
                )
                for c in range(able, able_end if a.quota_bucket.shape[0] > 0 else able):
                    for e in range(a.person_quota_ptr[a.candidate[c]], a.person_quota_ptr[a.candidate[c] + 1]):
                        same &= quotas[a.person_quota[e]] == 0
                for e in range(a.batch_ptr[j], a.batch_ptr[j + 1]):
                    same &= quotas[a.quota_bucket.shape[0] + a.batch[e]] == 0
        simple = a.plain[j] and not a.exempt[j]
        for i in range(count):
            q = seat_need[seats + i]
            works[i], shares[i], rooms[i] = a.work[q], a.share[q], 100 - a.share[q]
        quick = simple and earliest_end == 0 and count > 0
        if count > 1 and space.held.shape[1] > 0:
            # in a crew, one may be open while another is not, and something else may start on the one then
            for c in range(a.cand_ptr[a.need_ptr[j]], a.cand_ptr[a.need_ptr[j + 1]]):
                quick &= a.person_wip[a.candidate[c]] == 0
        if same:
            first = base.start[j]
            start[j], end[j], trial.reach[j] = first, base.end[j], base.reach[j]
            for i in range(count):
                members[i] = base.crew[seats + i]
                crew[seats + i] = members[i]
        else:
            searched += 1
            first = -1
            if quick:
                first, out[0] = seat_by_seat(
                    a.masks,
                    a.next_open,
                    a.person_mask,
                    space.skip,
                    space.load,
                    space.held,
                    a.person_wip,
                    a.candidate,
                    a.cand_ptr,
                    seat_need[seats : seats + count],
                    forced[seats : seats + count],
                    members,
                    works,
                    rooms,
                    est,
                )
                deep[0] = 0
                for i in range(count):
                    crew[seats + i] = members[i]
            if first < 0:
                first = place(
                    a,
                    j,
                    est,
                    crew,
                    forced,
                    space.load,
                    space.held,
                    space.env,
                    space.used,
                    space.skip,
                    out,
                    deep,
                    stop,
                )
                for i in range(count):
                    members[i] = crew[seats + i]
            if first < 0:
                return STOPPED if stop[0] == 1 else STUCK, k, searched
            start[j], end[j] = first, out[0]
            trial.reach[j] = slots if deep[0] == 1 else out[0]
        order[k] = j
        trial.position[j] = k
        trial.est[j], trial.finish[j] = est, earliest_end
        if simple:
            book_plain(
                a.masks,
                a.next_open,
                a.person_mask,
                a.person_wip,
                space.load,
                space.held,
                space.skip,
                members,
                works,
                shares,
                count,
                first,
                end[j],
                1,
            )
        else:
            book(a, j, crew, first, end[j], np.int64(1), space)
        if known > 0 and not same:
            differs = first != base.start[j] or end[j] != base.end[j]
            moved[j] = differs
            for seat in range(seats, seats + count):
                differs |= crew[seat] != base.crew[seat]
            if differs or not in_turn:
                changed |= mark(a, j, trial, width, people, env, quotas)
            if differs:
                changed |= mark(a, j, base, width, people, env, quotas)
        k += 1
        for x in range(a.span_ptr[j], a.span_ptr[j + 1]):
            s = a.spans[x]
            left[s] -= 1
            last[s] = max(last[s], end[j])
            entered[s] = first if entered[s] < 0 else min(entered[s], first)
            if left[s] == 0 and a.limit[a.span_limit[s]] > 0:
                booked[a.span_limit[s]] -= a.demand[s]
                stale = True
        if bounded:
            for m in range(tails.ptr[j], tails.ptr[j + 1]):
                g = tails.group[m]
                new_finish, new_begin = max(finish[g], end[j] + tails.tail[m]), min(begin[g], first)
                if new_finish != finish[g] or new_begin != begin[g]:
                    bound -= group_cost(a.tardiness, a.due, rate, a.span, a.earliness, a.wanted, g, begin[g], finish[g])
                    bound += group_cost(
                        a.tardiness, a.due, rate, a.span, a.earliness, a.wanted, g, new_begin, new_finish
                    )
                    finish[g], begin[g] = new_finish, new_begin
            if bound > limit + 1e-9 * abs(limit):
                return CUT, k, searched
        for e in range(a.succ_ptr[j], a.succ_ptr[j + 1]):
            i = a.succ[e]
            waits[i] -= 1
            if waits[i] == 0:
                s = first_closed(a.spans, opened, a.span_ptr[i], a.span_ptr[i + 1])
                if s < 0:
                    heap[size] = i
                    sift_up(heap, rank, size)
                    size += 1
                    queued[i] = 1
                else:
                    following[i] = parked[s]
                    parked[s] = i
                    if foremost[s] < 0 or less(rank, i, foremost[s]):
                        foremost[s] = i
                        stale = True
    return PLACED, n, searched


@lean
def first_change(a: Arrays, rank: Floats, forced: Ints, base: Trace) -> int:
    """How many activities are certainly decoded first, and alike, with these ranks and seats as in base."""
    n = a.release.shape[0]
    kept = n
    for j in range(n):
        at = base.position[j]
        if at >= kept:
            continue
        for seat in range(a.crew_ptr[a.need_ptr[j]], a.crew_ptr[a.need_ptr[j + 1]]):
            if forced[seat] != base.forced[seat]:
                kept = min(kept, at)
        if rank[j] == base.rank[j]:
            continue
        for x in range(a.span_ptr[j], a.span_ptr[j + 1]):
            if base.opened_at[a.spans[x]] >= 0:
                kept = min(kept, base.opened_at[a.spans[x]])
        if rank[j] > base.rank[j]:
            kept = min(kept, at)
            continue
    for j in range(n):
        if rank[j] < base.rank[j]:
            ready = 0
            for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
                ready = max(ready, base.position[a.pred[e]] + 1)
            for k in range(ready, min(kept, base.position[j])):
                i = base.order[k]
                if rank[j] < base.rank[i] or (rank[j] == base.rank[i] and j < i):
                    kept = k
                    break
    return int(kept)


@njit
def rebook(a: Arrays, trace: Trace, first: int, last: int, sign: int | np.int64, space: Space) -> None:
    """Book activities first to last of an order (sign 1), or release them, in reverse order (-1)."""
    crowd = 0
    for j in range(a.release.shape[0]):
        crowd = max(crowd, a.crew_ptr[a.need_ptr[j + 1]] - a.crew_ptr[a.need_ptr[j]])
    works, shares = np.empty(crowd, np.int64), np.empty(crowd, np.int64)
    for k in range(last - first):
        j = trace.order[first + k if sign > 0 else last - 1 - k]
        if not a.plain[j] or a.exempt[j]:
            book(a, j, trace.crew, trace.start[j], trace.end[j], sign, space)
            continue
        seat, size = a.crew_ptr[a.need_ptr[j]], 0
        for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
            for _ in range(a.people[q]):
                works[size], shares[size] = a.work[q], a.share[q]
                size += 1
        book_plain(
            a.masks,
            a.next_open,
            a.person_mask,
            a.person_wip,
            space.load,
            space.held,
            space.skip,
            trace.crew[seat : seat + size],
            works,
            shares,
            size,
            trace.start[j],
            trace.end[j],
            sign,
        )


@njit
def revise(
    a: Arrays,
    rank: Floats,
    forced: Ints,
    base: Trace,
    trial: Trace,
    space: Space,
    held: Ints,
    tails: Tails,
    limit: float,
    flow_share: float,
    stop: Marks,
) -> tuple[int, int]:
    """Decode another order or choice of people than base's, a complete decode; returns the outcome and the work done.

    held: how many activities of base space holds, and how many in all; those of trial are the rest. The work is in
    activities for which a place was looked for, those only booked a tenth.
    """
    a, space = borrowed(a), borrowed(space)
    base, trial = borrowed(base), borrowed(trial)
    kept = first_change(a, rank, forced, base)
    book_, release = np.int64(1), np.int64(-1)  # typed, or numba compiles rebook for each
    rebook(a, trial, held[0], held[1], release, space)
    if held[0] > kept:
        rebook(a, base, kept, held[0], release, space)
    else:
        rebook(a, base, held[0], kept, book_, space)
    moved = held[1] - min(held[0], kept)
    outcome, count, searched = decode(
        a, rank, forced, kept, a.release.shape[0], base, trial, space, tails, limit, flow_share, stop
    )
    held[0], held[1] = kept, count
    return outcome, searched + (moved + count - kept) // 10 + 1


@lean
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
