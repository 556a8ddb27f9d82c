"""Chronological schedule generation: at each instant start what comes first of what can start, and search over keys.

The parallel scheme of Kolisch, "Serial and parallel resource-constrained project scheduling methods revisited" (1996),
as a discrete-event simulation. Its schedules are non-delay: nobody waits while there is something to do. Activities of
one *kind* ask for the same people and environments and wait in one heap: while one cannot start, no other can.

A set of people is a row of words of ``BITS`` bits; people are numbered the least flexible first, so that the lowest
bit of those who are free and able is who is missed least. Loaded through ``throttle.solve.kernels``, compiled or plain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from throttle.solve.kernels import borrowing, lean, njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Floats, Ints

    Jumps = NDArray[np.int32]
    Marks = NDArray[np.uint8]

ABANDONED, STUCK = -1.0, -2.0
"""Instead of a cost: it would exceed the limit; or something has no place before the horizon."""
NEVER = 1 << 60
BITS = 63
"""Of a word; the sign is left alone, so that plain Python and compiled code count alike."""

borrowed = borrowing()

LOWEST = np.full(67, -1, np.int64)
"""The number of a single bit, by its value modulo 67 (where all powers of two up to 2^65 differ)."""
for _bit in range(BITS):
    LOWEST[(1 << _bit) % 67] = _bit
MODULUS, FACTOR = 2147483647, 48271
"""Of the random numbers: Park, Miller and Stockmeyer, "Random number generators: good ones are hard to find" (1993)."""
MOST_SEATS = 64
"""Of one activity."""


class Problem(NamedTuple):
    """What the kernel reads of an instance; arrays that end in ``_ptr`` are row pointers of what follows them."""

    # activities
    length: Ints
    """Slots of work, or of waiting."""
    release: Ints
    kind: Ints
    """Row of kinds, or -1 for what starts as soon as it is ready (milestones, waits without an environment)."""
    seat_ptr: Ints
    seat_work: Ints
    """Slots that the person in each seat works."""
    seat_share: Ints
    """Percent of that person's time."""
    home: Ints
    """The smallest group with a cost that each activity is in, or -1."""
    # links, by the activity waited for and by the one that waits
    waits: Ints
    """Links that each activity waits for."""
    succ_ptr: Ints
    succ: Ints
    succ_type: Ints
    succ_lag: Ints
    pred_ptr: Ints
    pred: Ints
    pred_type: Ints
    pred_lag: Ints
    # kinds
    heap_ptr: Ints
    need_ptr: Ints
    """Of the seats of each kind."""
    need_set: Ints
    """Row of ``sets`` whose people can take the seat."""
    need_share: Ints
    """Entry of ``shares`` that it takes of a person."""
    need_work: Ints
    """Slots of work where the kind may not pause, else 0."""
    use_ptr: Ints
    use: Ints
    amount: Ints
    place: Ints
    """Row of ``masks`` in which its environments are open, or -1."""
    unbroken: NDArray[np.bool_]
    """Whether it may not pause."""
    able: Ints
    """People who can take any of its seats: kinds x words."""
    # people and environments
    sets: Ints
    """People: sets x words."""
    kinds_of: Ints
    """Kinds that each person can serve: people x words."""
    kinds_in: Ints
    """Kinds that use each environment: environments x words."""
    shares: Ints
    """The different shares of a person's time, in percent."""
    capacity: Ints
    # calendars
    open_always: bool
    """Whether all people and environments are; then the rest of the calendar is not looked at."""
    row: Ints
    """Row of ``masks`` of each person."""
    people_of: Ints
    """People of each row of ``masks``: rows x words."""
    masks: Marks
    next_open: Jumps
    worked: Jumps
    """Open slots before each slot."""
    slot_of: Jumps
    """The slot of each open slot, by row."""
    changes: Ints
    """Instants at which someone or something opens or closes."""
    slots: int
    # groups with a cost, of each activity
    group_ptr: Ints
    group: Ints
    tail: Ints
    """Slots from the end of the activity to that of the group, at least."""
    member_ptr: Ints
    member: Ints
    floor: Ints
    """Earliest finish of each group."""
    tardiness: Floats
    due: Floats
    flow: Floats
    span: Floats
    earliness: Floats
    wanted: Floats
    reusable: bool
    """Whether a run may go on from the middle of another."""


class Run(NamedTuple):
    """A schedule as the kernel made it; people by their new numbers."""

    start: Ints
    end: Ints
    crew: Ints
    until: Ints
    """End of the work of each seat."""
    ready: Ints
    """When links and release let each activity start."""
    sequence: Ints
    """Activities in the order in which they were started."""
    finish: Ints
    """Of each group."""
    begin: Ints


class Space(NamedTuple):
    """Working space of a run, nobody else's."""

    missing: Ints
    """Links of each activity whose other end has not started."""
    floor: Ints
    """Earliest end of each activity by links to its end."""
    heap: Ints
    size: Ints
    top: Floats
    """Key of the first in each heap."""
    waiting: Ints
    """Kinds with something in the heap; words."""
    blocked: Ints
    """Kinds whose crew or environments are not free; words."""
    freed: Ints
    """By instant, the first of the bookings (seats, then activities in environments) that end; after each the next."""
    next_freed: Ints
    due: Ints
    """By instant, the first of the activities that become ready; and after each the next."""
    next_due: Ints
    load: Ints
    room: Ints
    """People with room for each share of their time: shares x words."""
    present: Ints
    """People whose calendar is open; words."""
    used: Ints
    allowed: Ints
    """Of the activity being started, who may take each seat: seats x words."""
    chosen: Ints
    rows: Ints
    works: Ints
    ends: Ints
    taken: Ints
    started: Ints
    """One entry: activities started in the last run, those kept from another apart."""


class Walk(NamedTuple):
    """Where a local search stands."""

    key: Floats
    trial: Floats
    """Equal to ``key`` between moves."""
    changed: Ints
    pressure: Floats
    """Running sum over groups of the cost that each could save at most."""
    best_start: Ints
    best_end: Ints
    best_crew: Ints
    value: Floats
    """Cost of the current run and of the best."""
    current: Ints
    """One entry: which of the two runs is the current one."""
    random: Ints
    """One entry."""
    tally: Ints
    """Moves tried, runs made, runs accepted."""


@lean
def push(heap: Ints, first: int, size: int, key: Floats, j: int) -> None:
    """Add j to the heap of so many entries that begins at ``first``."""
    k = size
    while k > 0:
        up = (k - 1) >> 1
        if key[heap[first + up]] <= key[j]:
            break
        heap[first + k] = heap[first + up]
        k = up
    heap[first + k] = j


@lean
def pop(heap: Ints, first: int, size: int, key: Floats) -> int:
    """Remove and return the smallest of a heap of ``size``; the caller lowers the size."""
    least = heap[first]
    j = heap[first + size - 1]
    k = 0
    while True:
        child = 2 * k + 1
        if child >= size - 1:
            break
        if child + 1 < size - 1 and key[heap[first + child + 1]] < key[heap[first + child]]:
            child += 1
        if key[heap[first + child]] >= key[j]:
            break
        heap[first + k] = heap[first + child]
        k = child
    heap[first + k] = j
    return int(least)


@lean
def book(person: int, share: int, sign: int, load: Ints, shares: Ints, room: Ints) -> None:
    """Take (sign 1) a share of a person's time or give it back (-1)."""
    load[person] += sign * share
    word, bit = person // BITS, 1 << (person % BITS)
    for s in range(shares.shape[0]):
        if load[person] + shares[s] <= 100:
            room[s, word] |= bit
        else:
            room[s, word] &= ~bit


@njit
def crew_of(allowed: Ints, size: int, chosen: Ints, taken: Ints) -> bool:
    """A different person for each seat, the lowest bit of those allowed; ``chosen`` gets them.

    Where a seat is left with nobody, others move (augmenting paths: Kuhn, "The Hungarian method", 1955).
    """
    words = allowed.shape[1]
    for w in range(words):
        taken[w] = 0
    for seat in range(size):
        person = -1
        for w in range(words):
            free = allowed[seat, w] & ~taken[w]
            if free != 0:
                low = free & -free
                taken[w] |= low
                person = w * BITS + LOWEST[low % 67]
                break
        chosen[seat] = person
        if person < 0:
            if not augment(allowed, size, seat, chosen):
                return False
            for w in range(words):
                taken[w] = 0
            for k in range(seat + 1):
                taken[chosen[k] // BITS] |= 1 << (chosen[k] % BITS)
    return True


@njit
def augment(allowed: Ints, size: int, seat: int, chosen: Ints) -> bool:
    """Seat one more by moving those in the seats before it."""
    came_from = np.full(size, -1, np.int64)
    queue = np.empty(size, np.int64)
    queue[0], head, tail = seat, 0, 1
    while head < tail:
        at = queue[head]
        head += 1
        for w in range(allowed.shape[1]):
            left = allowed[at, w]
            while left != 0:
                low = left & -left
                left ^= low
                person = w * BITS + LOWEST[low % 67]
                owner = -1
                for k in range(seat):
                    if chosen[k] == person:
                        owner = k
                if owner < 0:
                    while at != seat:
                        person, chosen[at] = chosen[at], person
                        at = came_from[at]
                    chosen[seat] = person
                    return True
                if came_from[owner] < 0:
                    came_from[owner] = at
                    queue[tail] = owner
                    tail += 1
    return False


@lean
def ends_of(
    masks: Marks,
    next_open: Jumps,
    worked: Jumps,
    slot_of: Jumps,
    rows: Ints,
    works: Ints,
    size: int,
    start: int,
    ends: Ints,
) -> int:
    """When each of ``size`` members that begin in the open slot ``start`` is done; the last end, or -1 (horizon).

    Work goes on in slots in which all members not yet done are open (docs/plan.md, Work). rows: of their calendars.
    """
    slots = masks.shape[1]
    longest, same = 0, True
    for i in range(size):
        longest = max(longest, works[i])
        same &= rows[i] == rows[0]
    if same:
        before = worked[rows[0], start]
        if before + longest > worked[rows[0], slots]:
            return -1
        for i in range(size):
            ends[i] = slot_of[rows[0], before + works[i] - 1] + 1
        return int(slot_of[rows[0], before + longest - 1] + 1)
    t, done = start, 0
    while done < longest:
        if t >= slots:
            return -1
        after = t
        for i in range(size):
            if done < works[i] and masks[rows[i], t] == 0:
                after = next_open[rows[i], t]
                break
        if after > t:
            t = after
            continue
        done += 1
        t += 1
        for i in range(size):
            if works[i] == done:
                ends[i] = t
    return t


@njit
def restore(p: Problem, w: Space, r: Run, old: Run, key: Floats, since: int, kept: int) -> None:
    """The state of the ``old`` run just before instant ``since``, after its first ``kept`` activities have started."""
    n = p.length.shape[0]
    seats = r.crew.shape[0]
    w.missing[:] = p.waits
    r.ready[:] = p.release
    w.floor[:] = 0
    w.size[:] = 0
    w.waiting[:] = 0
    w.blocked[:] = 0
    w.freed[:] = -1
    w.due[:] = -1
    w.load[:] = 0
    w.used[:] = 0
    w.present[:] = p.people_of[0]
    for s in range(p.shares.shape[0]):
        for person in range(p.row.shape[0]):
            w.room[s, person // BITS] |= 1 << (person % BITS)
    r.finish[:] = p.floor
    r.begin[:] = -1
    for k in range(kept):
        j = old.sequence[k]
        start, end = old.start[j], old.end[j]
        r.sequence[k] = j
        r.start[j], r.end[j] = start, end
        w.missing[j] = -1
        for s in range(p.seat_ptr[j], p.seat_ptr[j + 1]):
            r.crew[s], r.until[s] = old.crew[s], old.until[s]
        if end >= since and p.kind[j] >= 0:
            c = p.kind[j]
            for s in range(p.seat_ptr[j], p.seat_ptr[j + 1]):
                if r.until[s] >= since:
                    book(r.crew[s], p.seat_share[s], 1, w.load, p.shares, w.room)
                    w.next_freed[s] = w.freed[r.until[s]]
                    w.freed[r.until[s]] = s
            if p.use_ptr[c + 1] > p.use_ptr[c]:
                for u in range(p.use_ptr[c], p.use_ptr[c + 1]):
                    w.used[p.use[u]] += p.amount[u]
                w.next_freed[seats + j] = w.freed[end]
                w.freed[end] = seats + j
        for m in range(p.group_ptr[j], p.group_ptr[j + 1]):
            g = p.group[m]
            r.finish[g] = max(r.finish[g], end + p.tail[m])
            if r.begin[g] < 0:
                r.begin[g] = start
        for e in range(p.succ_ptr[j], p.succ_ptr[j + 1]):
            i, kind = p.succ[e], p.succ_type[e]
            w.missing[i] -= 1
            moment = (end if kind % 2 == 0 else start) + p.succ_lag[e]  # FS and FF count from the end
            r.ready[i] = max(r.ready[i], start if kind > 1 else max(start, moment))
            if kind > 1:
                w.floor[i] = max(w.floor[i], moment)
    for k in range(kept):
        j = old.sequence[k]
        r.ready[j] = old.ready[j]
    for k in range(kept, n):
        j = old.sequence[k]
        r.start[j] = -1
        if w.missing[j] == 0:
            r.ready[j] = max(r.ready[j], w.floor[j] - p.length[j])
            if r.ready[j] >= since:
                if r.ready[j] < p.slots:
                    w.next_due[j] = w.due[r.ready[j]]
                    w.due[r.ready[j]] = j
            else:
                c = p.kind[j]
                push(w.heap, p.heap_ptr[c], w.size[c], key, j)
                w.size[c] += 1
                w.waiting[c // BITS] |= 1 << (c % BITS)
                w.top[c] = key[w.heap[p.heap_ptr[c]]]


@lean
def cost_of(p: Problem, r: Run) -> float:
    """The cost of all groups (docs/plan.md, Costs): of a whole run, or at least that of one that is not over."""
    total = 0.0
    for g in range(p.due.shape[0]):
        finish, begin = r.finish[g], r.begin[g]
        total += p.tardiness[g] * max(0.0, finish - p.due[g]) + p.flow[g] * finish
        if begin >= 0:
            total += p.span[g] * (finish - begin) + p.earliness[g] * max(0.0, p.wanted[g] - begin)
    return total


@njit
def chains(
    length: Ints,
    pred_ptr: Ints,
    pred: Ints,
    pred_type: Ints,
    pred_lag: Ints,
    succ_ptr: Ints,
    succ: Ints,
    succ_type: Ints,
    succ_lag: Ints,
    group_ptr: Ints,
    group: Ints,
    head: Ints,
    tail: Ints,
) -> None:
    """Least start of each activity (``head``, the release before), and ``tail`` of Problem; with people for everything.

    Along links from finish to start, and for tails from finish to finish; of tails only within the group.
    """
    n = length.shape[0]
    waits = pred_ptr[1:] - pred_ptr[:-1]
    order = np.empty(n, np.int64)
    count = 0
    for j in range(n):
        if waits[j] == 0:
            order[count] = j
            count += 1
    k = 0
    while k < count:
        j = order[k]
        k += 1
        for e in range(pred_ptr[j], pred_ptr[j + 1]):
            if pred_type[e] == 0:
                head[j] = max(head[j], head[pred[e]] + length[pred[e]] + pred_lag[e])
        for e in range(succ_ptr[j], succ_ptr[j + 1]):
            waits[succ[e]] -= 1
            if waits[succ[e]] == 0:
                order[count] = succ[e]
                count += 1
    for k in range(n - 1, -1, -1):
        j = order[k]
        for e in range(succ_ptr[j], succ_ptr[j + 1]):
            i = succ[e]
            if succ_type[e] == 0 or succ_type[e] == 2:
                least = succ_lag[e] + (length[i] if succ_type[e] == 0 else 0)
                for m in range(group_ptr[j], group_ptr[j + 1]):
                    for o in range(group_ptr[i], group_ptr[i + 1]):
                        if group[m] == group[o]:
                            tail[m] = max(tail[m], least + tail[o])


@lean
def see(masks: Marks, people_of: Ints, t: int, present: Ints) -> None:
    """Who is open at instant t."""
    present[:] = 0
    for row in range(people_of.shape[0]):
        if masks[row, t] == 1:
            for w in range(present.shape[0]):
                present[w] |= people_of[row, w]


@lean
def soonest(t: int, work: int, free: Ints, row: Ints, worked: Jumps, slot_of: Jumps, chosen: Ints, seats: int) -> int:
    """Of the free who are not in the first seats, who is through first with so much work from t on.

    Of equals the lowest; -1 if there is none, or none would be through before the horizon.
    """
    slots = slot_of.shape[1]
    best, least = -1, slots
    for word in range(free.shape[0]):
        left = free[word]
        while left != 0:
            low = left & -left
            left ^= low
            person = word * BITS + LOWEST[low % 67]
            last = worked[row[person], t] + work - 1
            if last >= slots or slot_of[row[person], last] >= least:
                continue
            taken = False
            for k in range(seats):
                taken |= chosen[k] == person
            if not taken:
                best, least = person, slot_of[row[person], last]
    return int(best)


@lean
def fits(c: int, use_ptr: Ints, use: Ints, amount: Ints, used: Ints, capacity: Ints) -> bool:
    """Whether the environments of kind c have room."""
    free = True
    for u in range(use_ptr[c], use_ptr[c + 1]):
        free &= used[use[u]] + amount[u] <= capacity[use[u]]
    return free


@lean
def last_through(
    t: int, first: int, size: int, need_work: Ints, place: int, people_of: Ints, worked: Jumps, allowed: Ints
) -> bool:
    """Keep those who stay from instant t until their work is done without a pause; whether the environments do."""
    slots = worked.shape[1] - 1
    longest = 0
    for k in range(size):
        work = need_work[first + k]
        longest = max(longest, work)
        for row in range(people_of.shape[0]):
            if t + work > slots or worked[row, t + work] - worked[row, t] < work:
                for word in range(allowed.shape[1]):
                    allowed[k, word] &= ~people_of[row, word]
    return place < 0 or (t + longest <= slots and worked[place, t + longest] - worked[place, t] == longest)


@njit
def decode(p: Problem, w: Space, r: Run, old: Run, key: Floats, since: int, kept: int, limit: float) -> float:
    """Run from instant ``since`` on, after the first ``kept`` activities of the ``old`` run, smallest key first.

    Returns the cost; ABANDONED as soon as it must exceed limit; or STUCK with start -1 for what has no place. Keys
    must differ. r and old are different runs.
    """
    p, w, r, old = borrowed(p), borrowed(w), borrowed(r), borrowed(old)
    restore(p, w, r, old, key, since, kept)
    bound = cost_of(p, r)
    w.started[0] = 0
    if bound > limit:
        return ABANDONED
    # single arrays, since reaching through the tuples again and again costs more than all the rest
    length, kinds, seat_ptr, seat_work, seat_share = p.length, p.kind, p.seat_ptr, p.seat_work, p.seat_share
    succ_ptr, succ, succ_type, succ_lag = p.succ_ptr, p.succ, p.succ_type, p.succ_lag
    heap_ptr, need_ptr, need_set, need_share, need_work = p.heap_ptr, p.need_ptr, p.need_set, p.need_share, p.need_work
    use_ptr, use, amount, place, unbroken = p.use_ptr, p.use, p.amount, p.place, p.unbroken
    sets, kinds_of, kinds_in, shares, capacity = p.sets, p.kinds_of, p.kinds_in, p.shares, p.capacity
    open_always, slots, changes = p.open_always, p.slots, p.changes
    row, people_of, masks, next_open, worked, slot_of = p.row, p.people_of, p.masks, p.next_open, p.worked, p.slot_of
    group_ptr, group, tail, tardiness, group_due = p.group_ptr, p.group, p.tail, p.tardiness, p.due
    flow, span, earliness, wanted = p.flow, p.span, p.earliness, p.wanted
    start, ended, crew, until, ready, sequence = r.start, r.end, r.crew, r.until, r.ready, r.sequence
    finish, begin = r.finish, r.begin
    missing, floor, heap, size, top, waiting, blocked = w.missing, w.floor, w.heap, w.size, w.top, w.waiting, w.blocked
    freed, next_freed, due, next_due, load, room = w.freed, w.next_freed, w.due, w.next_due, w.load, w.room
    present, used, allowed, chosen, taken = w.present, w.used, w.allowed, w.chosen, w.taken
    rows, works, ends = w.rows, w.works, w.ends
    n, seats, words, kind_words = length.shape[0], crew.shape[0], present.shape[0], waiting.shape[0]
    change = 0
    if not open_always:
        change = int(np.searchsorted(changes, since, "right"))
        see(masks, people_of, since, present)
    done = kept
    t = since - 1
    while done < n:
        t += 1
        if t >= slots:
            break
        if not open_always and change < changes.shape[0] and changes[change] == t:
            change += 1
            see(masks, people_of, t, present)
            blocked[:] = 0
        elif freed[t] < 0 and due[t] < 0 and t > since:
            continue
        b = freed[t]
        while b >= 0:
            if b < seats:
                person = crew[b]
                book(person, seat_share[b], -1, load, shares, room)
                for word in range(kind_words):
                    blocked[word] &= ~kinds_of[person, word]
            else:
                c = kinds[b - seats]
                for u in range(use_ptr[c], use_ptr[c + 1]):
                    used[use[u]] -= amount[u]
                    for word in range(kind_words):
                        blocked[word] &= ~kinds_in[use[u], word]
            b = next_freed[b]
        while True:
            j = due[t]
            if j >= 0:
                due[t] = next_due[j]
                c = kinds[j]
                if c >= 0:
                    push(heap, heap_ptr[c], size[c], key, j)
                    size[c] += 1
                    top[c] = key[heap[heap_ptr[c]]]
                    waiting[c // BITS] |= 1 << (c % BITS)
                    continue
                end = t + length[j]
                if end > slots:
                    w.started[0] = done - kept
                    return STUCK
            else:
                c, least = -1, np.inf
                for word in range(kind_words):
                    left = waiting[word] & ~blocked[word]
                    while left != 0:
                        low = left & -left
                        left ^= low
                        candidate = word * BITS + LOWEST[low % 67]
                        if top[candidate] < least:
                            c, least = candidate, top[candidate]
                if c < 0:
                    break
                first = need_ptr[c]
                many = need_ptr[c + 1] - first
                alone = use_ptr[c] == use_ptr[c + 1]
                found = True
                if many == 1 and open_always:
                    # the common case of what follows
                    found = False
                    share, able = need_share[first], need_set[first]
                    for word in range(words):
                        free = room[share, word] & present[word] & sets[able, word]
                        if free != 0:
                            chosen[0] = word * BITS + LOWEST[(free & -free) % 67]
                            found = True
                            break
                else:
                    for k in range(many):
                        share, able, anyone = need_share[first + k], need_set[first + k], 0
                        for word in range(words):
                            allowed[k, word] = room[share, word] & present[word] & sets[able, word]
                            anyone |= allowed[k, word]
                        if anyone == 0:
                            found = False
                            break
                    if found and unbroken[c]:
                        found = last_through(t, first, many, need_work, place[c], people_of, worked, allowed)
                    if found and not open_always:
                        # whoever goes home soon would hold it up till the next day
                        for k in range(many):
                            work = seat_work[seat_ptr[heap[heap_ptr[c]]] + k]
                            chosen[k] = soonest(t, work, allowed[k], row, worked, slot_of, chosen, k)
                            found = found and chosen[k] >= 0
                        found = found or crew_of(allowed, many, chosen, taken)
                    elif found:
                        found = crew_of(allowed, many, chosen, taken)
                if found and not alone:
                    found = fits(c, use_ptr, use, amount, used, capacity)
                    found = found and (place[c] < 0 or masks[place[c], t] == 1)
                if not found:
                    blocked[c // BITS] |= 1 << (c % BITS)
                    continue
                j = heap[heap_ptr[c]]
                first = seat_ptr[j]
                end = t + length[j]
                if open_always or (many == 0 and place[c] < 0):
                    for k in range(many):
                        ends[k] = t + seat_work[first + k]
                else:
                    members = many
                    for k in range(many):
                        rows[k], works[k] = row[chosen[k]], seat_work[first + k]
                    if place[c] >= 0:
                        rows[members], works[members] = place[c], length[j]
                        members += 1
                    end = ends_of(masks, next_open, worked, slot_of, rows, works, members, t, ends)
                if end < 0 or end > slots:
                    w.started[0] = done - kept
                    return STUCK
                pop(heap, heap_ptr[c], size[c], key)
                size[c] -= 1
                if size[c] > 0:
                    top[c] = key[heap[heap_ptr[c]]]
                else:
                    waiting[c // BITS] &= ~(1 << (c % BITS))
                if end < floor[j]:
                    # it would end too soon for a link to its end
                    again = t + floor[j] - end
                    if again < slots:
                        next_due[j] = due[again]
                        due[again] = j
                    continue
                for k in range(many):
                    person, seat = chosen[k], first + k
                    crew[seat], until[seat] = person, ends[k]
                    book(person, seat_share[seat], 1, load, shares, room)
                    next_freed[seat] = freed[ends[k]]
                    freed[ends[k]] = seat
                if not alone:
                    for u in range(use_ptr[c], use_ptr[c + 1]):
                        used[use[u]] += amount[u]
                    next_freed[seats + j] = freed[end]
                    freed[end] = seats + j
            start[j], ended[j] = t, end
            sequence[done] = j
            done += 1
            for m in range(group_ptr[j], group_ptr[j + 1]):
                g = group[m]
                before, after = finish[g], end + tail[m]
                if begin[g] < 0:
                    begin[g] = t
                    bound += span[g] * (before - t) + earliness[g] * max(0.0, wanted[g] - t)
                if after > before:
                    finish[g] = after
                    bound += (flow[g] + span[g]) * (after - before)
                    bound += tardiness[g] * (max(0.0, after - group_due[g]) - max(0.0, before - group_due[g]))
            if bound > limit:
                w.started[0] = done - kept
                return ABANDONED
            for e in range(succ_ptr[j], succ_ptr[j + 1]):
                i, link = succ[e], succ_type[e]
                moment = (end if link % 2 == 0 else t) + succ_lag[e]  # FS and FF count from the end
                ready[i] = max(ready[i], t if link > 1 else max(t, moment))
                if link > 1:
                    floor[i] = max(floor[i], moment)
                missing[i] -= 1
                if missing[i] == 0:
                    at = ready[i] = max(ready[i], floor[i] - length[i])
                    if at < slots:
                        next_due[i] = due[at]
                        due[at] = i
    w.started[0] = done - kept
    return float(cost_of(p, r)) if done == n else STUCK


# --- local search over keys ---------------------------------------------------------------------------------------


@lean
def uniform(random: Ints) -> float:
    """In (0, 1)."""
    random[0] = random[0] * FACTOR % MODULUS
    return float(random[0] / MODULUS)


@lean
def below(random: Ints, n: int) -> int:
    return int(uniform(random) * n)


@lean
def first_from(start: Ints, sequence: Ints, t: int) -> int:
    """How many of the activities, in the order of their starts, have started before instant t."""
    low, high = 0, sequence.shape[0]
    while low < high:
        middle = (low + high) >> 1
        if start[sequence[middle]] < t:
            low = middle + 1
        else:
            high = middle
    return low


@lean
def took(c: int, first: int, last: int, crew: Ints, able: Ints) -> bool:
    """Whether someone in the seats from first to last could have served kind c."""
    found = False
    for s in range(first, last):
        found |= able[c, crew[s] // BITS] & (1 << (crew[s] % BITS)) != 0
    return found


@lean
def share_place(c: int, d: int, use_ptr: Ints, use: Ints) -> bool:
    """Whether two kinds use the same environment."""
    for u in range(use_ptr[c], use_ptr[c + 1]):
        for v in range(use_ptr[d], use_ptr[d + 1]):
            if use[u] == use[v]:
                return True
    return False


@lean
def divergence(p: Problem, r: Run, key: Floats, trial: Floats, changed: Ints, count: int) -> int:
    """First instant at which the trial keys, different for ``count`` activities, can change a decision, or NEVER.

    A key that grew matters when its activity was started; one that fell, once another was started that now comes
    after it and took what it could have used.
    """
    if not p.reusable:
        return 0
    kind, seat_ptr, able, use_ptr, use = p.kind, p.seat_ptr, p.able, p.use_ptr, p.use
    start, ready, sequence, crew = r.start, r.ready, r.sequence, r.crew
    since = NEVER
    for i in range(count):
        j = changed[i]
        c = kind[j]
        if c < 0:
            continue
        if trial[j] > key[j]:
            since = min(since, start[j])
        elif trial[j] < key[j] and ready[j] < since:
            for m in range(first_from(start, sequence, ready[j]), sequence.shape[0]):
                k = sequence[m]
                if start[k] >= since or start[k] > start[j]:
                    break
                if (
                    trial[k] > trial[j]
                    and kind[k] >= 0
                    and (took(c, seat_ptr[k], seat_ptr[k + 1], crew, able) or share_place(c, kind[k], use_ptr, use))
                ):
                    since = start[k]
                    break
    return since


@lean
def press(p: Problem, r: Run, pressure: Floats) -> None:
    """What each group costs more than if it had everyone for itself, as a running sum."""
    total = 0.0
    for g in range(p.due.shape[0]):
        late = p.tardiness[g] * max(0.0, r.finish[g] - max(p.due[g], float(p.floor[g])))
        total += late + (p.flow[g] + p.span[g]) * (r.finish[g] - p.floor[g]) + 1e-6
        total += p.earliness[g] * max(0.0, p.wanted[g] - r.begin[g])
        pressure[g] = total


@lean
def last_of(p: Problem, r: Run, g: int) -> int:
    """The member of group g that ends last."""
    last = p.member[p.member_ptr[g]]
    for m in range(p.member_ptr[g], p.member_ptr[g + 1]):
        if r.end[p.member[m]] > r.end[last]:
            last = p.member[m]
    return int(last)


@lean
def held_up(p: Problem, r: Run, last: int, random: Ints) -> int:
    """An activity on the critical chain to ``last`` that waited for people though it was ready, any of them, or -1."""
    found, count = -1, 0
    j = last
    while j >= 0:
        if r.start[j] > r.ready[j]:
            count += 1
            if uniform(random) * count < 1:
                found = j
        before = -1
        for e in range(p.pred_ptr[j], p.pred_ptr[j + 1]):
            i, kind = p.pred[e], p.pred_type[e]
            moment = (r.end[i] if kind % 2 == 0 else r.start[i]) + p.pred_lag[e]
            if kind > 1:
                moment -= p.length[j]
            if max(moment, r.start[i]) == r.ready[j]:
                before = i
        j = before
    return found


@lean
def passed_by(p: Problem, r: Run, key: Floats, j: int, random: Ints) -> int:
    """One that started while j waited, with a smaller key, out of another group, on what j could have used; or -1."""
    kind, home, seat_ptr, able, use_ptr, use = p.kind, p.home, p.seat_ptr, p.able, p.use_ptr, p.use
    start, sequence, crew = r.start, r.sequence, r.crew
    found, count, c = -1, 0, kind[j]
    if c < 0:
        return -1
    for m in range(first_from(start, sequence, r.ready[j]), sequence.shape[0]):
        k = sequence[m]
        if start[k] > start[j]:
            break
        if key[k] >= key[j] or kind[k] < 0 or (home[k] >= 0 and home[k] == home[j]):
            continue
        if took(c, seat_ptr[k], seat_ptr[k + 1], crew, able) or share_place(c, kind[k], use_ptr, use):
            count += 1
            if uniform(random) * count < 1:
                found = k
    return found


@lean
def shift(s: Walk, j: int, by: float, count: int) -> int:
    """Change a key by so much; returns the number changed so far."""
    if s.trial[j] == s.key[j]:
        s.changed[count] = j
        count += 1
    s.trial[j] += by
    return count


@lean
def shift_group(p: Problem, s: Walk, g: int, by: float, count: int) -> int:
    for m in range(p.member_ptr[g], p.member_ptr[g + 1]):
        count = shift(s, p.member[m], by, count)
    return count


@lean
def move(p: Problem, r: Run, s: Walk, scale: float, chains: float) -> int:
    """Change some trial keys; returns how many. scale: slots of a group; chains: share of critical-chain moves."""
    groups = p.due.shape[0]
    n = p.length.shape[0]
    random = s.random
    if groups == 0:
        return shift(s, below(random, n), (uniform(random) - 0.5) * scale, 0)
    g = min(groups - 1, int(np.searchsorted(s.pressure, uniform(random) * s.pressure[groups - 1])))
    if uniform(random) < chains:
        j = held_up(p, r, last_of(p, r, g), random)
        if j < 0:
            return 0
        k = passed_by(p, r, s.key, j, random)
        if k < 0:
            return 0
        gap = s.key[j] - s.key[k]
        tiny = 1e-3 * uniform(random)
        kind = uniform(random)
        # the shares are about those of what each has gained for its work
        if kind < 0.5:
            return shift(s, j, -gap - tiny, 0)
        if kind < 0.57:
            return shift(s, k, gap + tiny, 0)
        if kind < 0.7:
            return shift(s, k, gap, shift(s, j, -gap, 0))
        if kind < 0.84:
            return shift_group(p, s, g, -gap - tiny, 0)
        if p.home[k] >= 0:
            return shift_group(p, s, p.home[k], gap + tiny, 0)
        return shift(s, k, gap + tiny, 0)
    kind = uniform(random)
    step = -np.log(uniform(random)) * 0.5 * scale
    if kind < 0.5:
        if uniform(random) < 0.3:
            g = below(random, groups)
            step = -step
        return shift_group(p, s, g, -step, 0)
    if kind < 0.6:
        h = below(random, groups)
        gap = (s.key[p.member[p.member_ptr[h]]] - s.key[p.member[p.member_ptr[g]]]) * uniform(random)
        return shift_group(p, s, h, -gap, shift_group(p, s, g, gap, 0))
    count = 0
    for _ in range(1 + below(random, 3)):
        m = p.member_ptr[g] + below(random, p.member_ptr[g + 1] - p.member_ptr[g])
        count = shift(s, p.member[m], np.log(uniform(random)) * 0.5 * scale, count)
    return count


@njit
def remember(r: Run, s: Walk) -> None:
    """The current run, if it is the best."""
    if s.value[0] < s.value[1]:
        s.value[1] = s.value[0]
        s.best_start[:] = r.start
        s.best_end[:] = r.end
        s.best_crew[:] = r.crew


@njit
def go_on_from(p: Problem, r: Run, s: Walk, value: float) -> None:
    """Make the first run, which cost so much, the current one."""
    s.trial[:] = s.key
    s.value[0] = value
    s.current[0] = 0
    press(p, r, s.pressure)
    remember(r, s)


@njit
def anneal(
    p: Problem, w: Space, one: Run, two: Run, s: Walk, temperature: float, scale: float, chains: float, work: float
) -> float:
    """Simulated annealing for about so much work; returns the work done.

    Work counts activities: 1 for each started, a quarter for each kept from the run before.
    """
    p, w, one, two, s = borrowed(p), borrowed(w), borrowed(one), borrowed(two), borrowed(s)
    spent = 0.0
    n = p.length.shape[0]
    while spent < work:
        old, new = one, two
        if s.current[0] == 1:
            old, new = two, one
        count = move(p, old, s, scale, chains)
        s.tally[0] += 1
        spent += 1
        if count == 0:
            continue
        since = divergence(p, old, s.key, s.trial, s.changed, count)
        found = ABANDONED
        if since == NEVER:
            found = s.value[0]
        else:
            limit = s.value[0] - np.log(uniform(s.random)) * temperature
            found = decode(p, w, new, old, s.trial, since, first_from(old.start, old.sequence, since), limit)
            spent += 0.25 * n + w.started[0]
            s.tally[1] += 1
            if found >= 0 and found <= limit:
                s.current[0] = 1 - s.current[0]
                s.value[0] = found
                s.tally[2] += 1
                press(p, new, s.pressure)
                remember(new, s)
            else:
                found = ABANDONED
        for i in range(count):
            j = s.changed[i]
            if found >= 0:
                s.key[j] = s.trial[j]
            else:
                s.trial[j] = s.key[j]
    return spent
