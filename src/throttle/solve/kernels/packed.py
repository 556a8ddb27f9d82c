"""Serial schedule generation where nothing ever closes, and a genetic search on what it decodes.

Kolisch and Hartmann, "Heuristic algorithms for the resource-constrained project scheduling problem" (1999), describe
the scheme; Valls, Ballestin and Quintanilla, "Justification and RCPSP" (2005), the double justification. Here the room
left in a slot is a few words, four capacities in each, so that one subtraction checks them all; the free people are
bits, and whether they can fill all seats is Hall's condition. ``throttle.solve.packing`` makes the arrays and
says what their fields mean. Loaded through ``throttle.solve.kernels``, compiled or plain; so this is plain loops over
arrays, and imports only numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from throttle.solve.kernels import njit

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from throttle.instance import Ints
    from throttle.solve.packing import Model, Pool, Space

    Words = NDArray[np.uint64]
    Numbers = NDArray[np.int32]
    Floats = NDArray[np.float64]

GUARD = np.uint64(0x8000_8000_8000_8000)
"""The top bit of each of the four capacities in a word: it stays set unless more is taken than there is."""
NOTHING = np.uint64(0)
ONE = np.uint64(1)
BLOCK = 64
"""Slots that are looked at together."""
FAR = 1 << 40
"""Later than any end."""
LATE = 1 << 20
"""More than an activity can wait for."""

PASSES = 3
"""Decodes of a child."""
HOPE_FORWARD, HOPE_BACKWARD = 0.04, 0.03
"""A child is given up whose first decode ends so much later than its parent, or whose second one does."""

FILLED, STALL, RESTARTS, RECENT, BEST, GUEST = range(6)
"""Entries of the state: members decoded, children since the last gain, restarts, best since then, best of all,
and 1 if the order and crews in the space came from outside and go first."""


# --- arrays: loops are compiled in a fraction of the time that slices take --------------------------------------------


@njit
def copy(source: NDArray[Any], target: NDArray[Any]) -> None:
    for i in range(source.shape[0]):
        target[i] = source[i]


@njit
def copy_crews(source: Words, target: Words) -> None:
    for j in range(source.shape[0]):
        for w in range(source.shape[1]):
            target[j, w] = source[j, w]


@njit
def clear(target: NDArray[Any]) -> None:
    for i in range(target.shape[0]):
        target[i] = 0


# --- crews ------------------------------------------------------------------------------------------------------------


@njit
def count_bits(word: np.uint64) -> int:
    count = 0
    while word != NOTHING:  # compiled to one instruction
        word &= word - ONE
        count += 1
    return count


@njit
def enough(able: np.uint64, first: int, last: int, hall_mask: Words, hall_count: Numbers) -> bool:
    """Hall's condition: for every set of needs, as many people can take one of them as it has seats."""
    met = True
    k = first
    while met and k < last:
        met = count_bits(able & hall_mask[k, 0]) >= hall_count[k]
        k += 1
    return met


@njit
def enough_wide(able: Words, first: int, last: int, hall_mask: Words, hall_count: Numbers) -> bool:
    """The same for more people than a word has bits."""
    for k in range(first, last):
        count = 0
        for w in range(able.shape[0]):
            count += count_bits(able[w] & hall_mask[k, w])
        if count < hall_count[k]:
            return False
    return True


@njit
def release_dear(
    able: Words,
    wanted: Words,
    first: int,
    last: int,
    hall_mask: Words,
    hall_count: Numbers,
    class_word: Numbers,
    class_mask: Words,
    dearest: Numbers,
    slack: Ints,
) -> None:
    """Leave of the able as many as there are seats, by reverse deletion: the dearest go first, the wanted last.

    The crews that satisfy Hall's condition are the bases of a transversal matroid, so the greedy choice is a cheapest.
    People who can take the same needs are one class, and its bits are set from the lowest.
    """
    for k in range(first, last):
        slack[k - first] = -hall_count[k]
        for w in range(able.shape[0]):
            slack[k - first] += count_bits(able[w] & hall_mask[k, w])
    for spare_wanted in range(2):
        for i in range(dearest.shape[0]):
            if slack[0] == 0:
                return
            c = dearest[i]
            w, field = class_word[c], class_mask[c]
            members = able[w] & field
            if members == NOTHING:
                continue
            drop = count_bits(members)
            if spare_wanted == 0:
                drop -= count_bits(wanted[w] & field)
            for k in range(first, last):
                if (hall_mask[k, w] & field) != NOTHING:
                    drop = min(drop, slack[k - first])
            if drop > 0:
                able[w] = (able[w] & ~field) | ((members >> np.uint64(drop)) & field)
                for k in range(first, last):
                    if (hall_mask[k, w] & field) != NOTHING:
                        slack[k - first] -= drop


@njit
def occupy(
    crew: Words, start: int, end: int, alone: Words, class_word: Numbers, class_mask: Words, people_free: Words
) -> None:
    """Book a crew. Of a class only the number counts: intervals can always be coloured with as many as overlap."""
    for w in range(crew.shape[0]):
        gone = crew[w] & alone[w]
        if gone != NOTHING:
            for t in range(start, end):
                people_free[w, t] &= ~gone
        if gone == crew[w]:
            continue
        for c in range(class_word.shape[0]):
            field = class_mask[c]
            if class_word[c] != w or (crew[w] & field & ~alone[w]) == NOTHING:
                continue
            number = np.uint64(count_bits(crew[w] & field))
            for t in range(start, end):
                people_free[w, t] = (people_free[w, t] & ~field) | (((people_free[w, t] & field) >> number) & field)


# --- decoding ---------------------------------------------------------------------------------------------------------


@njit
def has_room(t: int, first: int, last: int, use_word: Numbers, use_amount: Words, free: Words) -> bool:
    fits = True
    k = first
    while fits and k < last:
        fits = ((free[use_word[k], t] - use_amount[k]) & GUARD) == GUARD
        k += 1
    return fits


@njit
def open_slots(row: Words, start: int, amount: np.uint64) -> np.uint64:
    """Bit i: the slot start + i has room for the amount. Without branches, so that it is compiled to vectors."""
    part = row[start : start + BLOCK]
    found = NOTHING
    for i in range(BLOCK):
        found |= np.uint64(((part[i] - amount) & GUARD) == GUARD) << np.uint64(i)
    return found


@njit
def staffed_slots(row: Words, start: int, mask: np.uint64, count: int) -> np.uint64:
    """Bit i: at the slot start + i, so many of the people are free."""
    part = row[start : start + BLOCK]
    found = NOTHING
    for i in range(BLOCK):
        found |= np.uint64(count_bits(part[i] & mask) >= count) << np.uint64(i)
    return found


@njit
def runs(found: np.uint64, length: int) -> np.uint64:
    """The bits from which on as many bits as the length are set."""
    run = 1
    while run < length:
        step = min(run, length - run)
        found &= found >> np.uint64(step)
        run += step
    return found


@njit
def lowest_bit(word: np.uint64) -> int:
    return count_bits((word & (~word + ONE)) - ONE)


@njit
def earliest_room(
    est: int, length: int, first: int, last: int, use_word: Numbers, use_amount: Words, free: Words
) -> int:
    """First start >= est of an activity without crew."""
    start = est
    if length <= BLOCK // 2:
        while True:
            found = open_slots(free[use_word[first]], start, use_amount[first])
            for k in range(first + 1, last):
                found &= open_slots(free[use_word[k]], start, use_amount[k])
            found = runs(found, length)
            if found != NOTHING:
                return start + lowest_bit(found)
            start += BLOCK + 1 - length
    good, t = start, start + length - 1  # slots from start up to good have room
    while t >= good:  # from the end, since a full slot rules out all before it
        if has_room(t, first, last, use_word, use_amount, free):
            t -= 1
        else:
            good = start + length
            start = t + 1
            t = start + length - 1
    return start


@njit
def earliest_crew(
    est: int,
    length: int,
    first: int,
    last: int,
    use_word: Numbers,
    use_amount: Words,
    free: Words,
    hall_first: int,
    hall_last: int,
    hall_mask: Words,
    hall_count: Numbers,
    qualified: Words,
    people_free: Words,
    able: Words,
) -> int:
    """First start >= est with room and a crew; able gets who of the qualified is free throughout."""
    start = est
    t = start + length - 1
    if able.shape[0] == 1:
        there = qualified[0]
        base, found = 0, NOTHING
        searched = -1  # starts before it are those of the block
        while t >= start:
            both = there & people_free[0, t]
            fits = both == there or enough(both, hall_first, hall_last, hall_mask, hall_count)
            if fits and has_room(t, first, last, use_word, use_amount, free):
                there = both
                t -= 1
                continue
            start = t + 1
            while length <= BLOCK // 2:  # to the next start at which there are enough people in each slot
                if start < searched:
                    found = (found >> np.uint64(start - base)) << np.uint64(start - base)
                else:
                    base, searched = start, start + BLOCK + 1 - length
                    found = staffed_slots(people_free[0], base, hall_mask[hall_first, 0], hall_count[hall_first])
                    for k in range(hall_first + 1, hall_last):
                        found &= staffed_slots(people_free[0], base, hall_mask[k, 0], hall_count[k])
                    for k in range(first, last):
                        found &= open_slots(free[use_word[k]], base, use_amount[k])
                    found = runs(found, length)
                if found != NOTHING:
                    start = base + lowest_bit(found)
                    break
                start = searched
            t = start + length - 1
            there = qualified[0]
        able[0] = there
        return start
    copy(qualified, able)
    while t >= start:
        fewer = False
        for w in range(able.shape[0]):
            both = able[w] & people_free[w, t]
            fewer |= both != able[w]
            able[w] = both
        if (not fewer or enough_wide(able, hall_first, hall_last, hall_mask, hall_count)) and has_room(
            t, first, last, use_word, use_amount, free
        ):
            t -= 1
        else:
            start = t + 1
            t = start + length - 1
            copy(qualified, able)
    return start


@njit
def decode(
    order: Numbers,
    kept: int,
    limit: int,
    length: Numbers,
    release: Numbers,
    rest: Numbers,
    pred_ptr: Numbers,
    pred: Numbers,
    lag: Numbers,
    use_ptr: Numbers,
    use_word: Numbers,
    use_amount: Words,
    room: Words,
    hall_ptr: Numbers,
    hall_mask: Words,
    hall_count: Numbers,
    qualified: Words,
    alone: Words,
    class_word: Numbers,
    class_mask: Words,
    everyone: Words,
    dearest: Numbers,
    wanted: Words,
    free: Words,
    people_free: Words,
    dirty: Ints,
    able: Words,
    slack: Ints,
    start: Numbers,
    crew: Words,
) -> int:
    """Place all activities in a topological order and return the last end, or FAR once it must pass ``limit``.

    The first ``kept`` of the order have their start and crew already. rest: slots from an activity's start to the last
    end, at least. wanted: the crews to inherit where they can be had. dirty[0]: slots written by the last call.
    """
    staffed = people_free.shape[0] > 0
    for w in range(room.shape[0]):
        for t in range(dirty[0]):
            free[w, t] = room[w]
    for w in range(people_free.shape[0]):
        for t in range(dirty[0]):
            people_free[w, t] = everyone[w]
    last_end = 0
    for i in range(order.shape[0]):
        j = order[i]
        first, last = use_ptr[j], use_ptr[j + 1]
        if i < kept:
            begin = start[j]
        else:
            begin = release[j]
            for e in range(pred_ptr[j], pred_ptr[j + 1]):
                begin = max(begin, start[pred[e]] + length[pred[e]] + lag[e])
            if staffed and hall_ptr[j + 1] > hall_ptr[j]:
                begin = earliest_crew(
                    begin,
                    length[j],
                    first,
                    last,
                    use_word,
                    use_amount,
                    free,
                    hall_ptr[j],
                    hall_ptr[j + 1],
                    hall_mask,
                    hall_count,
                    qualified[j],
                    people_free,
                    able,
                )
                release_dear(
                    able,
                    wanted[j],
                    hall_ptr[j],
                    hall_ptr[j + 1],
                    hall_mask,
                    hall_count,
                    class_word,
                    class_mask,
                    dearest,
                    slack,
                )
                copy(able, crew[j])
            elif last > first:
                begin = earliest_room(begin, length[j], first, last, use_word, use_amount, free)
            start[j] = begin
            if begin + rest[j] > limit:
                dirty[0] = max(last_end, begin)
                return FAR
        end = begin + length[j]
        for k in range(first, last):
            for t in range(begin, end):
                free[use_word[k], t] -= use_amount[k]
        if staffed and hall_ptr[j + 1] > hall_ptr[j]:
            occupy(crew[j], begin, end, alone, class_word, class_mask, people_free)
        last_end = max(last_end, end)
    dirty[0] = last_end
    return last_end


@njit
def sort_by_time(time: Numbers, topological: Numbers, count: Ints, order: Numbers) -> None:
    """Write to order the activities by rising time, ties in the topological order; count is working space."""
    n = time.shape[0]
    latest = 0
    for j in range(n):
        latest = max(latest, time[j])
    count[: latest + 2] = 0
    for j in range(n):
        count[time[j] + 1] += 1
    for t in range(latest + 1):
        count[t + 1] += count[t]
    for i in range(n):
        j = topological[i]
        order[count[time[j]]] = j
        count[time[j]] += 1


@njit
def justify(m: Model, s: Space, passes: int, kept: int, goal: int) -> int:
    """Decode ``s.order`` forward, backward by finish and forward again (three passes), and return the least last end.

    The schedule goes to ``s.found`` and ``s.found_crew``, and an order that leads to it to ``s.turn``: that of the
    backward one, if the last is the best. Backward, time and links are reversed, and there are no releases. Where an
    end at ``goal`` is out of reach, or there is little hope of it, a decode stops; the first one so returns FAR.
    The first ``kept`` activities have their start and crew in ``s.start`` and ``s.crew``.
    """
    n = m.length.shape[0]
    best = FAR
    copy(s.order, s.turn)
    for number in range(passes):
        backward = number == 1
        release, rest, start, crew, wanted = m.release, m.rest, s.start, s.crew, s.wanted
        ptr, links, lag = m.pred_ptr, m.pred, m.pred_lag
        limit = FAR
        if backward:
            release, rest, start, crew, wanted = m.at_once, m.before, s.late, s.late_crew, s.crew
            ptr, links, lag = m.succ_ptr, m.succ, m.succ_lag
        elif number == 2:
            wanted = s.late_crew
            limit = min(best, goal)
        if goal < FAR and number < 2:
            limit = goal + max(1, int((HOPE_BACKWARD if backward else HOPE_FORWARD) * goal))
        end = decode(
            s.turn,
            kept if number == 0 else 0,
            limit,
            m.length,
            release,
            rest,
            ptr,
            links,
            lag,
            m.use_ptr,
            m.use_word,
            m.use_amount,
            m.room,
            m.hall_ptr,
            m.hall_mask,
            m.hall_count,
            m.qualified,
            m.alone,
            m.class_word,
            m.class_mask,
            m.everyone,
            s.dearest,
            wanted,
            s.free,
            s.people_free,
            s.dirty,
            s.able,
            s.slack,
            start,
            crew,
        )
        if end == FAR:
            break
        if not backward and end <= best:
            best = end
            copy(start, s.found)
            copy_crews(crew, s.found_crew)
            if number == 2:
                return best
        if number + 1 < passes:
            for j in range(n):
                s.time[j] = end - start[j] - m.length[j]
            sort_by_time(s.time, m.topological if backward else m.reversed, s.tally, s.turn)
    if best < FAR:
        sort_by_time(s.found, m.topological, s.tally, s.turn)
    return best


# --- orders -----------------------------------------------------------------------------------------------------------


@njit
def uniform(random: Words) -> float:
    """The next number in [0, 1) of a xorshift generator (Marsaglia 2003), whose state is random[0]."""
    x = random[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    random[0] = x
    return float(x >> np.uint64(11)) * 2.0**-53


@njit
def below(random: Words, number: int) -> int:
    return int(uniform(random) * number)


@njit
def spread(random: Words) -> float:
    """A random factor around 1, as often above as below."""
    return (0.4 + 0.6 * uniform(random)) / (0.4 + 0.6 * uniform(random))


@njit
def sort_topologically(
    key: Floats,
    pred_ptr: Numbers,
    succ_ptr: Numbers,
    succ: Numbers,
    waits: Numbers,
    heap: Numbers,
    order: Numbers,
) -> None:
    """Write to order the activities by rising key, each after those it waits for; waits and heap are working space."""
    n = key.shape[0]
    size = 0
    for j in range(n):
        waits[j] = pred_ptr[j + 1] - pred_ptr[j]
        if waits[j] == 0:
            size = push(heap, key, size, j)
    for i in range(n):
        j = heap[0]
        size -= 1
        moved = heap[size]
        k = 0
        while True:
            child = 2 * k + 1
            if child >= size:
                break
            if child + 1 < size and key[heap[child + 1]] < key[heap[child]]:
                child += 1
            if key[heap[child]] >= key[moved]:
                break
            heap[k] = heap[child]
            k = child
        heap[k] = moved
        order[i] = j
        waits[j] = -1
        for e in range(succ_ptr[j], succ_ptr[j + 1]):
            after = succ[e]
            waits[after] -= 1
            if waits[after] == 0:
                size = push(heap, key, size, after)


@njit
def push(heap: Numbers, key: Floats, size: int, j: int) -> int:
    """Add an activity to a heap of so many, and return the new size."""
    k = size
    while k > 0:
        up = (k - 1) >> 1
        if key[heap[up]] <= key[j]:
            break
        heap[k] = heap[up]
        k = up
    heap[k] = j
    return size + 1


@njit
def repair(
    wish: Numbers,
    size: int,
    pred_ptr: Numbers,
    pred: Numbers,
    succ_ptr: Numbers,
    succ: Numbers,
    waits: Numbers,
    ready: Numbers,
    order: Numbers,
    at: int,
) -> None:
    """Write ``wish`` into order from ``at`` on; what waits for a later one comes right after the last of these.

    waits: -1 for each activity, before and after. ready: working space.
    """
    for i in range(size):
        waits[wish[i]] = 0
    for i in range(size):
        j = wish[i]
        for e in range(pred_ptr[j], pred_ptr[j + 1]):
            waits[j] += waits[pred[e]] >= 0
    for i in range(size):
        if waits[wish[i]] > 0:
            waits[wish[i]] += LATE
            continue
        ready[0] = wish[i]
        number = 1
        while number > 0:
            number -= 1
            j = ready[number]
            order[at] = j
            at += 1
            waits[j] = -1
            for e in range(succ_ptr[j], succ_ptr[j + 1]):
                after = succ[e]
                if waits[after] > 0:
                    waits[after] -= 1
                    if waits[after] == LATE:
                        ready[number] = after
                        number += 1


@njit
def random_order(m: Model, s: Space, random: Words, member: int, size: int) -> None:
    """By latest finish with noise: that of all or of its own network, the order itself or that of the clock, in turn.

    The first four members are without noise, the second half has more.
    """
    for j in range(m.length.shape[0]):
        noise = 0.7 + 0.6 * uniform(random) if member >= 4 else 1.0
        s.key[j] = noise * (m.latest[j] if member % 4 < 2 else m.latest_own[j])
        if 2 * member >= size:
            s.key[j] += 10.0 * uniform(random)
    sort_topologically(s.key, m.pred_ptr, m.succ_ptr, m.succ, s.waits, s.heap, s.order)
    if member % 2 == 1 and s.people_free.shape[0] == 0:
        follow_the_clock(m, s)


@njit
def follow_the_clock(m: Model, s: Space) -> None:
    """Put ``s.order`` in the order of starts of the parallel scheme: at each event, what has room starts in its order.

    Without crews. Kolisch, "Serial and parallel resource-constrained project scheduling methods revisited" (1996):
    where resources are scarce, a single pass of it is better.
    """
    n = s.order.shape[0]
    words = m.room.shape[0]
    for j in range(n):
        s.waits[j] = m.pred_ptr[j + 1] - m.pred_ptr[j]
        s.start[j] = m.release[j]
        s.taken[j] = 0  # 1: runs, 2: is over
    for w in range(words):
        s.room_now[w] = m.room[w]
    now, started, first = 0, 0, 0
    while started < n:
        next_event = FAR
        for i in range(first, n):
            j = s.order[i]
            if s.taken[j] == 1:
                end = s.start[j] + m.length[j]
                if end <= now:
                    s.taken[j] = 2
                    for k in range(m.use_ptr[j], m.use_ptr[j + 1]):
                        s.room_now[m.use_word[k]] += m.use_amount[k]
                else:
                    next_event = min(next_event, end)
        while first < n and s.taken[s.order[first]] == 2:
            first += 1
        for i in range(first, n):
            j = s.order[i]
            if s.taken[j] != 0 or s.waits[j] != 0:
                continue
            if s.start[j] > now:
                next_event = min(next_event, s.start[j])
                continue
            fits = True
            for k in range(m.use_ptr[j], m.use_ptr[j + 1]):
                fits &= ((s.room_now[m.use_word[k]] - m.use_amount[k]) & GUARD) == GUARD
            if not fits:
                continue
            for k in range(m.use_ptr[j], m.use_ptr[j + 1]):
                s.room_now[m.use_word[k]] -= m.use_amount[k]
            s.start[j] = now
            s.taken[j] = 1
            s.turn[started] = j
            started += 1
            end = now + m.length[j]
            next_event = min(next_event, end)  # now itself, where it takes no time
            for e in range(m.succ_ptr[j], m.succ_ptr[j + 1]):
                after = m.succ[e]
                s.waits[after] -= 1
                s.start[after] = max(s.start[after], end + m.succ_lag[e])
        now = max(now, next_event)
    copy(s.turn, s.order)
    for j in range(n):
        s.waits[j] = -1


@njit
def cross_two_points(s: Space, random: Words, one: Numbers, other: Numbers) -> None:
    """One's head, then so many of the other's first as lie between two points, then one's tail (Hartmann 1998)."""
    n = one.shape[0]
    low, high = below(random, n), below(random, n)
    low, high = min(low, high), max(low, high)
    clear(s.taken)
    size = 0
    for i in range(low):
        s.order[size] = one[i]
        s.taken[one[i]] = 1
        size += 1
    for i in range(n):
        if size >= high:
            break
        j = other[i]
        if s.taken[j] == 0:
            s.order[size] = j
            s.taken[j] = 2
            size += 1
    for i in range(low, n):
        if s.taken[one[i]] == 0:
            s.order[size] = one[i]
            size += 1


@njit
def cross_block(m: Model, s: Space, random: Words, one: Numbers, other: Numbers) -> None:
    """The activities of a window of the other take their positions there, the rest stays as in one."""
    n = one.shape[0]
    width = min(n, max(5, int(n * (0.05 + 0.45 * uniform(random)))))
    begin = below(random, max(1, n - width))
    clear(s.taken)
    for i in range(begin, begin + width):
        s.taken[other[i]] = 2
    size = 0
    for i in range(n):
        if begin <= i < begin + width:
            s.turn[size] = other[i]
            size += 1
        if s.taken[one[i]] == 0:
            s.turn[size] = one[i]
            size += 1
    repair(s.turn, n, m.pred_ptr, m.pred, m.succ_ptr, m.succ, s.waits, s.heap, s.order, 0)


@njit
def shuffle_window(m: Model, s: Space, random: Words, one: Numbers) -> None:
    """A window of one, more or less at random."""
    n = one.shape[0]
    width = min(n, max(5, int(n * (0.05 + 0.3 * uniform(random)))))
    begin = below(random, max(1, n - width))
    amount = uniform(random)
    clear(s.taken)
    copy(one, s.order)
    for i in range(width):
        place = (1 - amount) * i + amount * width * uniform(random)
        k = i
        while k > 0 and s.key[k - 1] > place:
            s.key[k] = s.key[k - 1]
            s.turn[k] = s.turn[k - 1]
            k -= 1
        s.key[k] = place
        s.turn[k] = one[begin + i]
    repair(s.turn, width, m.pred_ptr, m.pred, m.succ_ptr, m.succ, s.waits, s.heap, s.order, begin)


@njit
def swap_neighbours(m: Model, s: Space, random: Words) -> None:
    for i in range(s.order.shape[0] - 1):
        if uniform(random) < 0.03:
            one, other = s.order[i], s.order[i + 1]
            linked = False
            for e in range(m.succ_ptr[one], m.succ_ptr[one + 1]):
                linked |= m.succ[e] == other
            if not linked:
                s.order[i], s.order[i + 1] = other, one


# --- genetic search ---------------------------------------------------------------------------------------------------


@njit
def price_people(m: Model, s: Space, random: Words, parent: Floats, fresh: bool, first: bool) -> None:
    """Into ``s.worth`` the child's price of each class, and into ``s.dearest`` the classes by falling price."""
    for c in range(s.worth.shape[0]):
        if fresh:
            s.worth[c] = m.worth[c] * (1.0 if first else spread(random))
        else:
            s.worth[c] = parent[c]
            if uniform(random) < 0.1:
                s.worth[c] = m.worth[c] * spread(random)
    for c in range(s.worth.shape[0]):
        k = c
        while k > 0 and s.worth[s.dearest[k - 1]] < s.worth[c]:
            s.dearest[k] = s.dearest[k - 1]
            k -= 1
        s.dearest[k] = c


@njit
def inherit_crews(s: Space, random: Words, one: Words, other: Words) -> None:
    """Into ``s.wanted`` the crews of one, of the other where the activity came from it, and nobody now and then."""
    draw = uniform(random)
    forget = 0.0
    if draw > 0.95:
        forget = 1.0
    elif draw > 0.7:
        forget = 0.5
    elif draw > 0.3:
        forget = 0.1
    for j in range(one.shape[0]):
        if forget > 0 and uniform(random) < forget:
            clear(s.wanted[j])
        elif s.taken[j] == 2:
            copy(other[j], s.wanted[j])
        else:
            copy(one[j], s.wanted[j])


@njit
def known_before(pool: Pool, p: int, end: int, order: Numbers) -> bool:
    """Whether another member has the same order."""
    for other in range(pool.end.shape[0]):
        if other != p and pool.end[other] == end:
            same = True
            for i in range(order.shape[0]):
                if pool.order[other, i] != order[i]:
                    same = False
                    break
            if same:
                return True
    return False


@njit
def begin_again(pool: Pool, patience: int) -> None:
    """Once the children find nothing any more, a new population; every second time with the best of the old one."""
    state = pool.state
    if state[STALL] <= patience * (3 + state[RESTARTS]):
        return
    state[RESTARTS] += 1
    state[STALL] = 0
    state[FILLED] = 0
    state[RECENT] = FAR
    if state[RESTARTS] % 2 == 1:
        elite = 0
        for p in range(pool.end.shape[0]):
            if pool.end[p] < pool.end[elite]:
                elite = p
        copy(pool.order[elite], pool.order[0])
        copy(pool.start[elite], pool.start[0])
        copy_crews(pool.crew[elite], pool.crew[0])
        copy(pool.worth[elite], pool.worth[0])
        pool.end[0] = pool.end[elite]
        state[FILLED] = 1
        state[RECENT] = pool.end[0]
    for p in range(state[FILLED], pool.end.shape[0]):
        pool.end[p] = FAR


@njit
def keep(pool: Pool, s: Space, p: int, end: int) -> None:
    """Let the schedule found take the place of a member."""
    copy(s.turn, pool.order[p])
    copy(s.found, pool.start[p])
    copy_crews(s.found_crew, pool.crew[p])
    copy(s.worth, pool.worth[p])
    pool.end[p] = end
    if end < pool.state[RECENT]:
        pool.state[RECENT] = end
        pool.state[STALL] = 0
    if end < pool.state[BEST]:
        pool.state[BEST] = end
        copy(s.found, pool.best_start)
        copy_crews(s.found_crew, pool.best_crew)


@njit
def worst_member(pool: Pool) -> int:
    """The next empty place, or else the member that ends last."""
    worst = min(pool.state[FILLED], pool.end.shape[0] - 1)
    if pool.state[FILLED] >= pool.end.shape[0]:
        for p in range(pool.end.shape[0]):
            if pool.end[p] > pool.end[worst]:
                worst = p
    return int(worst)


@njit
def evolve(m: Model, s: Space, pool: Pool, bound: int, patience: int, children: int) -> int:
    """Decode so many children, or fewer where the last end meets the bound; returns how many.

    A child takes the place of its parent unless it is worse or its order is known; a guest that of the worst member.
    """
    size, n = pool.order.shape
    staffed = s.people_free.shape[0] > 0
    state, random = pool.state, pool.random
    for done in range(children):
        if state[BEST] <= bound:
            return done
        begin_again(pool, patience)
        kept = 0
        guest = state[GUEST] == 1
        newborn = state[FILLED] < size
        if guest:
            state[GUEST] = 0
            p = worst_member(pool)
            price_people(m, s, random, pool.worth[p], True, True)
        elif newborn:
            p = state[FILLED]
            state[FILLED] += 1
            random_order(m, s, random, p, size)
            for j in range(n):
                clear(s.wanted[j])
            price_people(m, s, random, pool.worth[p], True, p == 0 and state[RESTARTS] == 0)
        else:
            p = below(random, size)
            mate, rival = below(random, size), below(random, size)
            if pool.end[rival] < pool.end[mate]:
                mate = rival
            draw = uniform(random)
            if p != mate and draw < 0.4:
                cross_block(m, s, random, pool.order[p], pool.order[mate])
            elif p != mate and draw < 0.65:
                cross_two_points(s, random, pool.order[p], pool.order[mate])
            else:
                shuffle_window(m, s, random, pool.order[p])
            swap_neighbours(m, s, random)
            state[STALL] += 1
            while kept < n and s.order[kept] == pool.order[p, kept]:
                kept += 1
            if staffed:
                price_people(m, s, random, pool.worth[p if uniform(random) < 0.7 else mate], False, False)
                inherit_crews(s, random, pool.crew[p], pool.crew[mate])
                kept = 0
            else:
                for i in range(kept):
                    s.start[s.order[i]] = pool.start[p, s.order[i]]
        end = justify(m, s, PASSES, kept, FAR if guest else pool.end[p])
        if not guest and end > pool.end[p]:
            continue
        if (newborn and not guest) or not known_before(pool, p, end, s.turn):
            keep(pool, s, p, end)
            if guest and newborn:
                state[FILLED] += 1
    return children
