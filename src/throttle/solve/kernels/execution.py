"""A plan executed once: discrete events on the slots of the plan, with times that differ from it.

Each item waits for its links and dates, then until it is let in, its crew is there and free, its window is open and no
limit is in its way; of those that wait for the same thing the one that the plan begins first goes first. What cannot
begin watches the first thing that is in its way, and is tried again when that changes. Work is booked slot by slot, so
an item pauses where a calendar closes, somebody is absent or unplanned work comes, and goes on after.

Random numbers are a function of seed, run, item, purpose and count (a counter-based generator: Salmon, Moraes, Dror and
Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011), so that they do not depend on the order of events. Loaded
through ``throttle.solve.kernels``, compiled or plain.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from throttle.solve.kernels import lean, lean_inner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Floats, Ints
    from throttle.simulate.arrays import Extra, Rows, Space

# causes, as in throttle.simulate.types.Cause
TOUCH, CLOSED, INTERRUPTED, PEOPLE, CALENDAR, RELEASE, WIP, WINDOW, PLACE, PLAN, REWORK, FAILURE, DATE, LAG = range(14)
CAUSES = 14

# of a slot of a person instead of a load of 0 to 100 percent
SHUT, KEPT, AWAY, BUSY = 250, 251, 252, 253
"""Outside of their hours; reserve that nobody has asked for; absent; unplanned work."""

# states of an activity
WAITING, READY, RUNNING, HOLDING, AGAIN, DONE = range(6)
"""HOLDING: its work is done and it may not finish yet; AGAIN: a test that waits for what it opened again."""

# events, at one instant in this order
END, SEAT, LINK, SERVED, ARRIVAL, LET, PLANNED, WAKE, SERVE = range(9)
FREE, GAINED, HELD = range(3)
"""When an activity may start: as soon as it can; before the plan says only as the next of all of its people; not before
the plan says."""

UNLIMITED = 1 << 40
WORD = 0xFFFFFFFF
NEVER = 1 << 23
MOST_TRIES = 20
"""Times that a test or a change can fail."""
LONGEST = float(1 << 30)
"""Slots that a drawn time has at most: longer than anything that is looked at, and within 32 bits."""
MOST_OVERRUNS = 5
"""After so many attempts that did not fit into its window, a change takes no longer than planned: else one whose time
cannot be less would be tried for ever. ``FORCED`` tells of them."""

# purposes of random numbers
DURATION, COMMON, TEST, UPSTREAM, CHANGE, INCIDENT, DEFERRED, GAP, SIZE, ROUNDED, ABSENT, SPELL = range(12)

# columns of the tables of ``throttle.simulate.arrays.Extra``
(A_RELEASE, A_WAIT, A_EXEMPT, A_RUN, A_OCCURRENCE, A_FROZEN, A_PLACE, A_START, A_MODE, A_RANK, A_HIDDEN,
 A_COMMON, A_ROLLBACK, A_INCIDENT_CLASS, A_WINDOW) = range(15)  # fmt: skip
AT_SEAT, AT_OUT, AT_DECISION, AT_USE, AT_PRED, AT_WAIVED, AT_SPAN, AT_BATCH = range(8)
TESTED, BROKEN = range(2)
Q_NEED, Q_PERSON, Q_TURN, Q_ORDER = range(4)
N_WORK, N_SHARE, N_SET, N_CAND = range(4)
L_PRED, L_TYPE, L_LAG, L_KIND, L_OWNER, L_LOOSE, L_OUT = range(7)
P_MASK, P_WIP, P_TEAM, P_FOLLOWING, P_PERSON, P_ORDER, P_SETS, P_QUOTA = range(8)
K_ROWS, K_OPEN, K_LAW = range(3)
Z_DEMAND, Z_LIMIT, Z_BEGUN, Z_BEFORE, Z_KNOT, Z_SIZE = range(6)
# columns of the tables of ``throttle.simulate.arrays.Space``
(STATE, MISSING, MISSING_END, READY_AT, BY, BY_END, FLOOR, RELEASED, BEGIN, PASSED, DONE_AT, FINISH, VERSION, ATTEMPT,
 SINCE, CAUSE, LENGTH, UPCOMING, REWORK_FOR, FAILING, PARKED, QUEUED_IN, EARLY, RUN_OF, RUN_END, LEFT,
 RIGHT, OVERRUNS, STUCK, WHY) = range(30)  # fmt: skip
S_WORK, S_UNTIL, S_LEFT, S_PERSON, S_NEXT = range(5)
P_FIRST, P_HELD, P_POINTER, P_WAKE = range(4)
T_CLASS, T_CAME, T_WORK, T_BEGUN, T_DONE, T_NEXT = range(6)
K_FIRST, K_LAST, K_CAME, K_SERVE = range(4)
R_ROOT, R_WOKEN, R_LIST = range(3)
Z_OPENED, Z_UNFINISHED = range(2)

# counters of a run
N_HEAP, N_RUNS, N_TASKS, N_WOKEN, N_ASIDE, N_FULL, N_OPEN, N_IN, N_BEGUN = range(9)
COUNTERS = 9
LINKED, VERSIONS = 1 << 20, 1 << 14
"""In the key of an event: most things that it can be about, and versions of them."""

# tallies of a run
BOOKED, OVERTIME, SAMPLED, UNPLANNED, ABSENCE, TESTS, CHANGES, OVERRAN, FORCED = range(9)
TALLIES = 9


# --- random numbers ------------------------------------------------------------------------------------------------


@lean_inner
def mix(x: int) -> int:
    """A bijection of 32 bits that leaves no trace of its argument; its factors are below 2^31, so that products fit
    into 63 bits, in plain Python and compiled alike."""
    x ^= x >> 16
    x = (x * 0x2C1B3C6D) & WORD
    x ^= x >> 12
    x = (x * 0x297A2D39) & WORD
    x ^= x >> 15
    return x


@lean_inner
def base_of(seed: int, run: int) -> int:
    """Different for all runs of a seed below 2^32."""
    return mix(mix((seed + 0x3C6EF372) & WORD) ^ (run & WORD))


@lean_inner
def draw(base: int, item: int, purpose: int, count: int) -> float:
    """Uniform in (0, 1)."""
    h = mix(base ^ mix((item * 16 + purpose + 0x1B873593) & WORD))
    h = mix((h + mix((count + 0x5BD1E995) & WORD)) & WORD)
    return (h + 0.5) / 4294967296.0


@lean_inner
def normal(u: float) -> float:
    """The quantile of the standard normal distribution, to 1.2e-9 of itself (Acklam, "An algorithm for computing the
    inverse normal cumulative distribution function", 2003)."""
    if u < 0.02425 or u > 0.97575:
        q = math.sqrt(-2.0 * math.log(u if u < 0.5 else 1.0 - u))
        top = (
            (((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e00) * q - 2.549732539343734)
            * q
            + 4.374664141464968
        ) * q + 2.938163982698783
        low = (
            ((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996) * q + 3.754408661907416
        ) * q
        z = top / (low + 1.0)
        return z if u < 0.5 else -z
    q = u - 0.5
    r = q * q
    top = (
        (((-3.969683028665376e01 * r + 2.209460984245205e02) * r - 2.759285104469687e02) * r + 1.383577518672690e02) * r
        - 3.066479806614716e01
    ) * r + 2.506628277459239
    low = (
        (((-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02) * r + 6.680131188771972e01) * r
        - 1.328068155288572e01
    ) * r + 1.0
    return top * q / low


@lean_inner
def from_range(low: float, likely: float, high: float, z: float) -> float:
    """The value of a two-piece lognormal distribution at a normal score: its median is likely, and low and high are
    not exceeded with a chance of 10 and 90 %."""
    side = low if z < 0 else high
    if likely <= 0 or side == likely:
        return likely
    if side <= 0:  # no logarithm: straight down to nothing
        return max(0.0, likely * (1.0 + z / 1.2815515655446004))
    return likely * math.exp(abs(z) / 1.2815515655446004 * math.log(side / likely))


# --- events --------------------------------------------------------------------------------------------------------


@lean_inner
def push(s: Space, time: int, kind: int, who: int, version: int) -> None:
    size = s.counts[N_HEAP]
    if size >= s.heap.shape[0]:
        s.counts[N_FULL] = 1
        return
    key = ((int(time) * 16 + kind) * LINKED + int(who)) * VERSIONS + int(version) % VERSIONS
    k = size
    while k > 0:
        parent = (k - 1) // 2
        if s.heap[parent] <= key:
            break
        s.heap[k] = s.heap[parent]
        k = parent
    s.heap[k] = key
    s.counts[N_HEAP] = size + 1


@lean_inner
def pop(s: Space) -> int:
    found = s.heap[0]
    size = s.counts[N_HEAP] - 1
    s.counts[N_HEAP] = size
    if size > 0:
        key = s.heap[size]
        k = 0
        while True:
            child = 2 * k + 1
            if child >= size:
                break
            if child + 1 < size and s.heap[child + 1] < s.heap[child]:
                child += 1
            if s.heap[child] >= key:
                break
            s.heap[k] = s.heap[child]
            k = child
        s.heap[k] = key
    return int(found)


# --- what waits for what: skew heaps (Sleator and Tarjan 1986), one for each thing that may be in the way --------


@lean_inner
def merged(x: Extra, s: Space, one: int, other: int) -> int:
    if one < 0:
        return other
    if other < 0:
        return one
    if x.item[other, A_RANK] < x.item[one, A_RANK]:
        one, other = other, one
    first = one
    while True:
        below = s.item[one, RIGHT]
        s.item[one, RIGHT] = s.item[one, LEFT]
        if below < 0:
            s.item[one, LEFT] = other
            return first
        if x.item[below, A_RANK] < x.item[other, A_RANK]:
            s.item[one, LEFT] = below
            one = below
        else:
            s.item[one, LEFT] = other
            one, other = other, below


@lean_inner
def put(x: Extra, s: Space, resource: int, j: int) -> None:
    s.item[j, LEFT] = -1
    s.item[j, RIGHT] = -1
    s.resource[resource, R_ROOT] = merged(x, s, s.resource[resource, R_ROOT], j)


@lean_inner
def wake(s: Space, resource: int) -> None:
    """What watches this is tried at the end of the instant."""
    if s.resource[resource, R_ROOT] >= 0 and not s.resource[resource, R_WOKEN]:
        s.resource[resource, R_WOKEN] = True
        s.resource[s.counts[N_WOKEN], R_LIST] = resource
        s.counts[N_WOKEN] += 1


@lean_inner
def wake_person(x: Extra, s: Space, p: int) -> None:
    wake(s, p)
    if x.able:
        first = x.resources - 1 - (x.set_ptr.shape[0] - 1)
        for e in range(x.person[p, P_SETS], x.person[p + 1, P_SETS]):
            wake(s, first + x.flat[e])


@lean_inner
def fresh(x: Extra, s: Space, j: int) -> None:
    put(x, s, x.resources - 1, j)
    wake(s, x.resources - 1)


@lean_inner
def watch(x: Extra, s: Space, j: int, t: int, resource: int, cause: int) -> None:
    blocked(s, j, t, cause)
    if s.resource[resource, R_WOKEN]:  # it is being served now, and not what this one needs
        s.aside[s.counts[N_ASIDE], 0] = j
        s.aside[s.counts[N_ASIDE], 1] = resource
        s.counts[N_ASIDE] += 1
    else:
        put(x, s, resource, j)


@lean_inner
def blocked(s: Space, j: int, t: int, cause: int) -> None:
    """From now on it waits for this; until now for what was in its way."""
    if s.item[j, ATTEMPT] == 0:
        s.waits[j, s.item[j, CAUSE]] += t - s.item[j, SINCE]
    s.item[j, SINCE] = t
    s.item[j, CAUSE] = cause


@lean_inner
def until(s: Space, j: int, t: int, later: int, cause: int) -> None:
    """It is tried again then."""
    blocked(s, j, t, cause)
    push(s, later, LET, j, s.item[j, VERSION])


@lean_inner
def next_room(x: Extra, s: Space, p: int, t: int) -> int:
    """The next slot after t in which somebody has room and had less of it the slot before."""
    slots = s.load.shape[1]
    before = s.load[p, t]
    t += 1
    row = x.person[p, P_FOLLOWING]
    while t < slots:
        now = s.load[p, t]
        if now < 100 and now < before:
            return t
        before = now
        if now == SHUT:
            t = x.following[row, t]
        else:
            t += 1
    return int(slots)


@lean_inner
def see_to(x: Extra, s: Space, p: int, t: int) -> None:
    """Somebody is looked at again when they next have more room."""
    later = next_room(x, s, p, t)
    if later < s.load.shape[1] and (s.person[p, P_WAKE] <= t or later < s.person[p, P_WAKE]):
        s.person[p, P_WAKE] = later
        push(s, later, WAKE, p, 0)


# --- links ---------------------------------------------------------------------------------------------------------


@lean_inner
def after_lag(x: Extra, e: int, moment: int) -> int:
    """The moment that a link sets: its lag counts by the clock, or in slots open for the planned crew."""
    lag = x.link[e, L_LAG]
    if x.link[e, L_KIND] == 0 or lag == 0:
        return int(moment + lag)
    j = x.link[e, L_OWNER]
    slots = x.masks.shape[1]
    first, last = x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]
    t = moment
    if lag > 0:
        while lag > 0 and t < slots:
            open_ = True
            for k in range(first, last):
                open_ &= x.masks[x.person[x.seat[k, Q_PERSON], P_MASK], t] == 1
            if open_:
                lag -= 1
            t += 1
        return int(t)
    while t > 0:
        open_ = t <= slots
        if open_:
            for k in range(first, last):
                open_ &= x.masks[x.person[x.seat[k, Q_PERSON], P_MASK], t - 1] == 1
        if open_:
            if lag == 0:
                break
            lag += 1
        t -= 1
    return int(t)


@lean_inner
def satisfy(x: Extra, s: Space, e: int, moment: int, t: int) -> None:
    """A link sets a moment."""
    if s.satisfied[e]:
        return
    s.satisfied[e] = True
    j = x.link[e, L_OWNER]
    if x.link[e, L_TYPE] <= 1:
        s.item[j, MISSING] -= 1
        if moment > s.item[j, READY_AT] or s.item[j, BY] < 0:
            s.item[j, READY_AT] = max(moment, s.item[j, READY_AT])
            s.item[j, BY] = x.link[e, L_PRED]
            s.item[j, BY_END] = x.link[e, L_TYPE] == 0
        if s.item[j, MISSING] == 0:
            make_ready(s, j, t)
    else:
        s.item[j, MISSING_END] -= 1
        s.item[j, FLOOR] = max(s.item[j, FLOOR], moment)
        if s.item[j, STATE] == HOLDING and s.item[j, MISSING_END] == 0:
            push(s, max(t, s.item[j, FLOOR]), END, j, s.item[j, VERSION])


@lean_inner
def make_ready(s: Space, j: int, t: int) -> None:
    if s.item[j, RELEASED] > s.item[j, READY_AT] or s.item[j, BY] < 0:
        s.item[j, READY_AT] = s.item[j, RELEASED]
        s.item[j, BY] = -1
    later = max(t, s.item[j, READY_AT])
    s.item[j, READY_AT] = later
    push(s, later, LET, j, s.item[j, VERSION])


@lean_inner
def tell_end(x: Extra, s: Space, j: int, end: int, t: int) -> None:
    """Links with a negative lag wait for an end that is expected."""
    for k in range(x.ptr[j, AT_OUT], x.ptr[j + 1, AT_OUT]):
        e = x.link[k, L_OUT]
        if x.link[e, L_LAG] < 0 and not s.satisfied[e] and (x.link[e, L_TYPE] == 0 or x.link[e, L_TYPE] == 2):
            moment = after_lag(x, e, end)
            if moment <= t:
                satisfy(x, s, e, t, t)
            else:
                push(s, moment, LINK, e, s.item[j, VERSION])


# --- work ----------------------------------------------------------------------------------------------------------


@lean_inner
def add_run(s: Space, j: int, first: int, last: int) -> None:
    end = s.item[j, RUN_END]
    if end >= 0 and s.piece[end, 1] == first:
        s.piece[end, 1] = last
        return
    k = s.counts[N_RUNS]
    if k >= s.piece.shape[0]:
        s.counts[N_FULL] = 1
        return
    s.counts[N_RUNS] = k + 1
    s.piece[k, 0] = first
    s.piece[k, 1] = last
    s.piece[k, 2] = -1
    if end < 0:
        s.item[j, RUN_OF] = k
    else:
        s.piece[end, 2] = k
    s.item[j, RUN_END] = k


@lean_inner
def worked_before(s: Space, j: int, t: int) -> int:
    done = 0
    k = s.item[j, RUN_OF]
    while k >= 0:
        done += max(0, min(s.piece[k, 1], t) - s.piece[k, 0])
        k = s.piece[k, 2]
    return done


@lean_inner
def book(x: Extra, s: Space, j: int, t: int) -> int:
    """Book the work that is left from slot t on; returns its end (the last slot of all where it does not fit)."""
    slots = s.load.shape[1]
    first, last = x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]
    done, length = worked_before(s, j, t), s.item[j, UPCOMING]
    place = x.item[j, A_PLACE]
    if x.item[j, A_RUN] and done == 0 and last > first:
        # whoever has begun what may not pause stays until it is done
        end = min(slots, t + length)
        for k in range(first, last):
            p = s.seat[k, S_PERSON]
            share = x.need[x.seat[k, Q_NEED], N_SHARE]
            for u in range(t, min(end, t + s.seat[k, S_WORK])):
                if s.load[p, u] + share <= 100:
                    s.load[p, u] += share
                else:
                    s.tally[OVERTIME] += share / 100.0
            s.seat[k, S_UNTIL] = min(end, t + s.seat[k, S_WORK])
        add_run(s, j, t, end)
        return int(end)
    begun = -1
    while done < length and t < slots:
        jump = t
        open_ = True
        if place >= 0 and x.masks[place, t] == 0:
            open_ = False
            jump = x.next_open[place, t]
        else:
            for k in range(first, last):
                if done < s.seat[k, S_WORK]:
                    code = s.load[s.seat[k, S_PERSON], t]
                    if code + x.need[x.seat[k, Q_NEED], N_SHARE] > 100:
                        open_ = False
                        jump = x.following[x.person[s.seat[k, S_PERSON], P_FOLLOWING], t] if code == SHUT else t + 1
                        break
        if open_:
            if begun < 0:
                begun = t
            for k in range(first, last):
                if done < s.seat[k, S_WORK]:
                    s.load[s.seat[k, S_PERSON], t] += x.need[x.seat[k, Q_NEED], N_SHARE]
                    if done + 1 == s.seat[k, S_WORK]:
                        s.seat[k, S_UNTIL] = t + 1
            done += 1
            t += 1
        else:
            if begun >= 0:
                add_run(s, j, begun, t)
                begun = -1
            t = max(jump, t + 1)
    if begun >= 0:
        add_run(s, j, begun, t)
    if done < length:
        for k in range(first, last):
            if done < s.seat[k, S_WORK]:
                s.seat[k, S_UNTIL] = slots
        return int(slots)
    return int(t)


@lean_inner
def unbook(x: Extra, s: Space, j: int, t: int) -> None:
    """Take away what is booked from slot t on."""
    done = 0
    before = -1
    k = s.item[j, RUN_OF]
    while k >= 0:
        first, last = s.piece[k, 0], s.piece[k, 1]
        for u in range(max(first, t), last):
            for q in range(x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]):
                if done + u - first < s.seat[q, S_WORK]:
                    s.load[s.seat[q, S_PERSON], u] -= x.need[x.seat[q, Q_NEED], N_SHARE]
        done += last - first
        if first < t:
            before = k
            s.piece[k, 1] = min(last, t)
        k = s.piece[k, 2]
    s.item[j, RUN_END] = before
    if before < 0:
        s.item[j, RUN_OF] = -1
    else:
        s.piece[before, 2] = -1


@lean_inner
def announce(x: Extra, s: Space, j: int, end: int, t: int) -> None:
    """Events of what is booked now; those announced before are void."""
    s.item[j, VERSION] += 1
    if end >= s.load.shape[1] and worked_before(s, j, end) < s.item[j, UPCOMING]:
        return  # it is not finished within the run
    push(s, end, END, j, s.item[j, VERSION])
    for k in range(x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]):
        p = s.seat[k, S_PERSON]
        counted = x.person[p, P_WIP] > 0 or x.person[p, P_TEAM] >= 0
        if counted and not s.seat[k, S_LEFT] and s.seat[k, S_UNTIL] < end:
            push(s, s.seat[k, S_UNTIL], SEAT, j, s.item[j, VERSION])
    tell_end(x, s, j, end, t)


@lean_inner
def is_waived(x: Extra, j: int, holder: int) -> bool:
    found = False
    for e in range(x.ptr[j, AT_WAIVED], x.ptr[j + 1, AT_WAIVED]):
        found |= x.flat[e] == holder
    return found


@lean_inner
def count_seat(x: Extra, s: Space, j: int, k: int) -> None:
    """Under the limits of a person and their team."""
    p = s.seat[k, S_PERSON]
    people = s.person.shape[0]
    if x.person[p, P_WIP] > 0 and not is_waived(x, j, p):
        s.person[p, P_HELD] += 1
    team = x.person[p, P_TEAM]
    if team >= 0 and not is_waived(x, j, people + team):
        for q in range(x.ptr[j, AT_SEAT], k):
            if x.person[s.seat[q, S_PERSON], P_TEAM] == team:
                return
        s.team_held[team] += 1


@lean_inner
def leave(x: Extra, s: Space, j: int, k: int) -> None:
    """Somebody is done with an item."""
    if s.seat[k, S_LEFT]:
        return
    s.seat[k, S_LEFT] = True
    p = s.seat[k, S_PERSON]
    people = s.person.shape[0]
    if s.person[p, P_FIRST] == k:
        s.person[p, P_FIRST] = s.seat[k, S_NEXT]
    else:
        q = s.person[p, P_FIRST]
        while q >= 0 and s.seat[q, S_NEXT] != k:
            q = s.seat[q, S_NEXT]
        if q >= 0:
            s.seat[q, S_NEXT] = s.seat[k, S_NEXT]
    if x.person[p, P_WIP] > 0 and not is_waived(x, j, p):
        s.person[p, P_HELD] -= 1
        wake(s, people + p)
        wake_person(x, s, p)
    team = x.person[p, P_TEAM]
    if team >= 0 and not is_waived(x, j, people + team):
        for q in range(x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]):
            if x.person[s.seat[q, S_PERSON], P_TEAM] == team and not s.seat[q, S_LEFT]:
                return
        s.team_held[team] -= 1
        wake(s, 2 * people + team)


# --- may it begin --------------------------------------------------------------------------------------------------


@lean_inner
def own_span(x: Extra, j: int, span: int) -> bool:
    """Whether an activity is in a span, so that it opens it."""
    found = False
    for k in range(x.ptr[j, AT_SPAN], x.ptr[j + 1, AT_SPAN]):
        found |= x.flat[k] == span
    return found


@lean_inner
def span_in_way(x: Extra, s: Space, limit: Ints, j: int) -> int:
    """The span that keeps an activity out, or -1: its limit has no room, or others must be let in before."""
    for k in range(x.ptr[j, AT_SPAN], x.ptr[j + 1, AT_SPAN]):
        span = x.flat[k]
        if s.span[span, Z_OPENED] or limit[x.span[span, Z_LIMIT]] >= UNLIMITED:
            continue
        for e in range(x.span[span, Z_BEFORE], x.span[span + 1, Z_BEFORE]):
            other = x.flat[e]
            if not s.span[other, Z_OPENED] and limit[x.span[other, Z_LIMIT]] < UNLIMITED and not own_span(x, j, other):
                return int(other)  # when that is let in, this one is tried again
        for row in range(limit.shape[0]):
            if limit[row] >= UNLIMITED:
                continue
            together, count = 0, 0
            for e in range(x.span[span, Z_KNOT], x.span[span + 1, Z_KNOT]):
                q = x.flat[e]
                if not s.span[q, Z_OPENED] and x.span[q, Z_LIMIT] == row:
                    together += x.span[q, Z_DEMAND]
                    count += 1
            over = together > 0 and s.booked[row] + together > limit[row]
            if over and (s.booked[row] > 0 or count > 1):
                return int(span)
    return -1


@lean_inner
def let_in(x: Extra, s: Space, limit: Ints, j: int) -> None:
    """Open the spans of an activity, and those that are let in with them."""
    first = span_resources(x)
    for k in range(x.ptr[j, AT_SPAN], x.ptr[j + 1, AT_SPAN]):
        span = x.flat[k]
        if s.span[span, Z_OPENED]:
            continue
        for e in range(x.span[span, Z_KNOT], x.span[span + 1, Z_KNOT]):
            q = x.flat[e]
            if s.span[q, Z_OPENED] or (q != span and limit[x.span[span, Z_LIMIT]] >= UNLIMITED):
                continue
            s.span[q, Z_OPENED] = True
            if s.span[q, Z_UNFINISHED] > 0:
                s.booked[x.span[q, Z_LIMIT]] += x.span[q, Z_DEMAND]
            wake(s, first + q)


@lean_inner
def span_resources(x: Extra) -> int:
    """The first of the resources that stand for spans."""
    return int(2 * (x.person.shape[0] - 1) + x.team_wip.shape[0] + x.cap.shape[0])


@lean_inner
def fits(x: Extra, s: Space, k: int, p: int, j: int, t: int) -> int:
    """0 where a person can take a seat now, else 1 busy, 2 not there, 3 their limit, 4 the limit of their team."""
    people = s.person.shape[0]
    code = s.load[p, t]
    if code > 100:
        return 2 if code != BUSY else 1
    if code + x.need[x.seat[k, Q_NEED], N_SHARE] > 100:
        return 1
    if x.item[j, A_EXEMPT] or s.item[j, EARLY]:
        return 0
    if x.person[p, P_WIP] > 0 and s.person[p, P_HELD] >= x.person[p, P_WIP] and not is_waived(x, j, p):
        return 3
    team = x.person[p, P_TEAM]
    if team >= 0 and s.team_held[team] >= x.team_wip[team] and not is_waived(x, j, people + team):
        return 4
    return 0


@lean_inner
def seated(x: Extra, s: Space, first: int, upto: int, p: int) -> bool:
    """Whether this person sits in one of these seats, in whatever of their hours."""
    found = False
    for k in range(first, upto):
        found |= x.person[s.seat[k, S_PERSON], P_PERSON] == x.person[p, P_PERSON]
    return found


@lean_inner
def seats_in_way(x: Extra, s: Space, j: int, t: int) -> tuple[int, int]:
    """Seat the crew. (-1, 0), or the resource to watch and the cause."""
    people = s.person.shape[0]
    first, last = x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]
    for k in range(first, last):
        p = x.seat[k, Q_PERSON]
        s.seat[k, S_PERSON] = p
        why = fits(x, s, k, p, j, t)
        if why == 0 and not (x.able and seated(x, s, first, k, p)):
            continue
        if x.able and not s.item[j, EARLY] and (x.item[j, A_MODE] == FREE or t > x.item[j, A_START]):
            q = x.seat[k, Q_NEED]
            found, busy = -1, False
            for c in range(x.need[q, N_CAND], x.need[q + 1, N_CAND]):
                other = x.flat[c]
                reason = fits(x, s, k, other, j, t)
                busy |= reason == 1 or reason >= 3
                if reason == 0 and not seated(x, s, first, k, other):
                    found = other
                    break
            if found >= 0:
                s.seat[k, S_PERSON] = found
                continue
            sets = x.resources - 1 - (x.set_ptr.shape[0] - 1)
            return int(sets + x.need[q, N_SET]), PEOPLE if busy else CALENDAR
        if why == 3:
            return int(people + p), WIP
        if why == 4:
            return int(2 * people + x.person[p, P_TEAM]), WIP
        if s.load[p, t] == AWAY:
            return int(p), PEOPLE
        return int(p), PEOPLE if why == 1 else CALENDAR
    return -1, 0


@lean_inner
def breaks_off(x: Extra, s: Space, j: int, t: int) -> int:
    """Whoever would not be there for all of the planned time of what may not pause (a row of people), -2 for its place,
    or -1."""
    first, last = x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]
    slots = s.load.shape[1]
    place = x.item[j, A_PLACE]
    longest = x.item[j, A_WAIT]
    for k in range(first, last):
        longest = max(longest, x.need[x.seat[k, Q_NEED], N_WORK])
    for u in range(t, t + longest):
        if u >= slots or (place >= 0 and x.masks[place, u] == 0):
            return -2
        for k in range(first, last):
            q = x.seat[k, Q_NEED]
            if u - t < x.need[q, N_WORK] and s.load[s.seat[k, S_PERSON], u] + x.need[q, N_SHARE] > 100:
                return int(s.seat[k, S_PERSON])
    return -1


@lean_inner
def planned_end(x: Extra, s: Space, j: int, t: int) -> int:
    """When it would end if it took as long as planned and nothing else came."""
    first, last = x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]
    slots = s.load.shape[1]
    place = x.item[j, A_PLACE]
    longest = x.item[j, A_WAIT]
    for k in range(first, last):
        longest = max(longest, x.need[x.seat[k, Q_NEED], N_WORK])
    done = 0
    while done < longest and t < slots:
        open_ = place < 0 or x.masks[place, t] == 1
        for k in range(first, last):
            q = x.seat[k, Q_NEED]
            if done < x.need[q, N_WORK] and s.load[s.seat[k, S_PERSON], t] + x.need[q, N_SHARE] > 100:
                open_ = False
        if open_:
            done += 1
        t += 1
    return int(t)


@lean_inner
def occurrence(x: Extra, j: int, t: int) -> int:
    """The number of the occurrence of its window at slot t, or -1. One that it is pinned to comes first; when that has
    passed, any will do."""
    number = x.occurrences[x.item[j, A_OCCURRENCE], t]
    return int(number if number >= 0 else x.occurrences[x.item[j, A_WINDOW], t])


@lean_inner
def window_from(x: Extra, j: int, t: int, longest: int) -> int:
    """The first slot from t on from which its window lasts for the planned time: the occurrence that it is pinned to
    while there is one."""
    later = lasts_from(x, x.item[j, A_OCCURRENCE], t, longest)
    if later == x.masks.shape[1] and x.item[j, A_WINDOW] != x.item[j, A_OCCURRENCE]:
        later = lasts_from(x, x.item[j, A_WINDOW], t, longest)
    return later


@lean_inner
def lasts_from(x: Extra, row: int, t: int, longest: int) -> int:
    """The first slot from t on from which an occurrence lasts so long."""
    slots = x.masks.shape[1]
    while t < slots:
        number = x.occurrences[row, t]
        if number < 0:
            t += 1
            continue
        u = t
        while u < slots and u < t + longest and x.occurrences[row, u] == number:
            u += 1
        if u >= t + longest:
            return int(t)
        while u < slots and x.occurrences[row, u] == number:
            u += 1
        t = u
    return int(slots)


@lean_inner
def over_quota(x: Extra, s: Space, j: int, t: int) -> int:
    """From when to try again because the planned time of one of the crew exceeds what they may work, or -1."""
    slots = s.load.shape[1]
    for k in range(x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]):
        p = s.seat[k, S_PERSON]
        for e in range(x.person[p, P_QUOTA], x.person[p + 1, P_QUOTA]):
            quota = x.flat[e]
            if x.quota_row[quota, 2] >= 0 and x.scopes[x.quota_row[quota, 2], j] == 0:
                continue
            row = x.quota_row[quota, 1]
            number, own = -1, 0
            for u in range(t, min(slots, t + x.need[x.seat[k, Q_NEED], N_WORK])):
                now = x.bucket[row, u]
                if now != number:
                    number, own = now, 0
                own += x.need[x.seat[k, Q_NEED], N_SHARE]
                if (
                    number >= 0
                    and s.quota[x.quota_row[quota, 0] + number] + own > x.quota[x.quota_row[quota, 0] + number]
                ):
                    after = u
                    while after < slots and x.bucket[row, after] == number:
                        after += 1
                    return max(after, t + 1)
    return -1


@lean_inner
def capacity_in_way(x: Extra, s: Space, j: int) -> int:
    for u in range(x.ptr[j, AT_USE], x.ptr[j + 1, AT_USE]):
        row = x.uses[u, 0]
        if s.item[j, EARLY] and x.cap[row, 1]:
            continue
        if s.used[row] + x.uses[u, 1] > x.cap[row, 0] and not (x.item[j, A_EXEMPT] and x.cap[row, 1]):
            return int(row)
    return -1


@lean_inner
def longest_planned(x: Extra, j: int) -> int:
    found = x.item[j, A_WAIT]
    for k in range(x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]):
        found = max(found, x.need[x.seat[k, Q_NEED], N_WORK])
    return int(found)


@lean_inner
def in_turn(x: Extra, s: Space, j: int) -> bool:
    """Whether all that the plan begins before it on its people has begun."""
    for k in range(x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]):
        if s.person[x.seat[k, Q_PERSON], P_POINTER] < x.seat[k, Q_TURN]:
            return False
    return True


@lean_inner
def attempt_start(x: Extra, s: Space, limit: Ints, base: int, j: int, t: int) -> None:
    """Begin an activity, or note what is in its way."""
    people, teams = s.person.shape[0], x.team_wip.shape[0]
    slots = s.load.shape[1]
    again = s.item[j, ATTEMPT] > 0
    early = x.item[j, A_MODE] != FREE and t < x.item[j, A_START] and not again
    if early and (x.item[j, A_MODE] == HELD or not in_turn(x, s, j)):
        s.item[j, PARKED] = True
        blocked(s, j, t, PLAN)
        push(s, x.item[j, A_START], PLANNED, j, 0)
        return
    if not x.item[j, A_EXEMPT] and not again:
        span = span_in_way(x, s, limit, j)
        if span >= 0:
            step_back(x, s, j)
            watch(x, s, j, t, span_resources(x) + span, RELEASE)
            return
        if x.push:
            let_in(x, s, limit, j)
    queue_up(x, s, j)
    longest = longest_planned(x, j)
    place = x.item[j, A_PLACE]
    row = capacity_in_way(x, s, j) if longest > 0 else -1  # what takes no time takes no place
    if row >= 0:
        watch(x, s, j, t, 2 * people + teams + row, x.cap[row, 2])
        return
    if place >= 0 and longest > 0 and x.masks[place, t] == 0:
        until(s, j, t, x.next_open[place, t], CALENDAR)
        return
    if x.item[j, A_OCCURRENCE] >= 0:
        later = window_from(x, j, t, max(longest, 1))
        if later > t:
            until(s, j, t, later, WINDOW)
            return
        number = occurrence(x, j, t)
        for e in range(x.ptr[j, AT_BATCH], x.ptr[j + 1, AT_BATCH]):
            k = x.batch_use[e, 0]
            if s.batch[x.batch_row[k, 1] + number] + x.batch_use[e, 1] > x.batch_row[k, 0]:
                later = t
                while later < slots and occurrence(x, j, later) == number:
                    later += 1
                until(s, j, t, later, WINDOW)
                return
    resource, cause = seats_in_way(x, s, j, t)
    if resource >= 0:
        watch(x, s, j, t, resource, cause)
        if resource < people:
            see_to(x, s, resource, t)
        elif resource >= span_resources(x) + s.span.shape[0]:
            number = resource - (x.resources - 1 - (x.set_ptr.shape[0] - 1))
            for e in range(x.set_ptr[number], x.set_ptr[number + 1]):
                see_to(x, s, x.flat[e], t)
        return
    if x.item[j, A_RUN]:
        who = breaks_off(x, s, j, t)
        if who == -2:
            later = t + 1
            if place >= 0 and later < slots:  # the place closes: the next time that it opens
                while later < slots and x.masks[place, later] == 1:
                    later += 1
                later = x.next_open[place, later] if later < slots else slots
            until(s, j, t, later, CALENDAR)
            return
        if who >= 0:
            watch(x, s, j, t, who, CALENDAR)
            see_to(x, s, who, t)
            return
        later = over_quota(x, s, j, t)
        if later >= 0:
            until(s, j, t, later, WIP)
            return
    frozen = x.item[j, A_FROZEN]
    if frozen >= 0:
        end = planned_end(x, s, j, t)
        for u in range(t, min(end, slots)):
            if x.frosts[frozen, u] == 1:
                thaw = u
                while thaw < slots and x.frosts[frozen, thaw] == 1:
                    thaw += 1
                until(s, j, t, thaw, WINDOW)
                return
        if longest == 0 and x.frosts[frozen, t] == 1 and (t == 0 or x.frosts[frozen, t - 1] == 1):
            until(s, j, t, t + 1, WINDOW)
            return
    begin(x, s, limit, base, j, t)


@lean_inner
def add_to_queue(x: Extra, s: Space, j: int, sign: float) -> None:
    for k in range(x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]):
        if x.able:
            q = x.seat[k, Q_NEED]
            each = sign / (x.need[q + 1, N_CAND] - x.need[q, N_CAND])
            for c in range(x.need[q, N_CAND], x.need[q + 1, N_CAND]):
                s.queue[x.flat[c]] += each
        else:
            s.queue[x.seat[k, Q_PERSON]] += sign


@lean_inner
def queue_up(x: Extra, s: Space, j: int) -> None:
    """From now on it waits for its people, and is counted by what begins before it."""
    if x.switching > 0 and not s.item[j, QUEUED_IN]:
        s.item[j, QUEUED_IN] = True
        add_to_queue(x, s, j, 1.0)


@lean_inner
def step_back(x: Extra, s: Space, j: int) -> None:
    if s.item[j, QUEUED_IN]:
        s.item[j, QUEUED_IN] = False
        add_to_queue(x, s, j, -1.0)


@lean_inner
def arrive(x: Extra, s: Space, limit: Ints, j: int, t: int) -> None:
    """It is tried at the end of the instant; what is tried before it counts it already, if it may be let in."""
    if x.switching > 0 and (x.item[j, A_MODE] == FREE or t >= x.item[j, A_START]) and span_in_way(x, s, limit, j) < 0:
        queue_up(x, s, j)
    fresh(x, s, j)


@lean_inner
def sample(x: Extra, s: Space, base: int, j: int) -> None:
    """How long the pass of an activity takes that begins now, by seats."""
    first, last = x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]
    attempt = s.item[j, ATTEMPT]
    z = 0.0
    drawn = False
    longest = int(x.item[j, A_WAIT])
    factor = 1.0
    if x.switching > 0:
        most = 0.0
        for k in range(first, last):
            most = max(most, s.queue[s.seat[k, S_PERSON]])
        factor = 1.0 + x.switching * most
    part = x.rework if s.item[j, REWORK_FOR] >= 0 else 1.0
    for k in range(first, last):
        q = x.seat[k, Q_NEED]
        work = x.need[q, N_WORK]
        if x.range_[q, 2] >= 0:
            if not drawn:
                drawn = True
                z = normal(draw(base, j, DURATION, attempt))
                if x.rho > 0 and x.item[j, A_COMMON] >= 0:
                    shared = normal(draw(base, x.item[j, A_COMMON], COMMON, 0))
                    z = math.sqrt(x.rho) * shared + math.sqrt(1.0 - x.rho) * z
            exact = from_range(x.range_[q, 0], x.range_[q, 1], x.range_[q, 2], z)
            work = max(1, int(min(exact * part * factor + 0.5, LONGEST)))
        elif part < 1.0 or factor > 1.0:
            work = max(1, int(work * part * factor + 0.5))
        if s.item[j, OVERRUNS] >= MOST_OVERRUNS:
            work = min(work, int(x.need[q, N_WORK]))
        s.seat[k, S_WORK] = work
        longest = max(longest, work)
    s.item[j, UPCOMING] = longest
    if attempt == 0:
        s.item[j, LENGTH] = longest


@lean_inner
def begin(x: Extra, s: Space, limit: Ints, base: int, j: int, t: int) -> None:
    """Nothing is in the way: take what it needs, and book its work."""
    slots = s.load.shape[1]
    first, last = x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]
    blocked(s, j, t, TOUCH)
    step_back(x, s, j)
    let_in(x, s, limit, j)
    for u in range(x.ptr[j, AT_USE], x.ptr[j + 1, AT_USE]):
        if not (s.item[j, EARLY] and x.cap[x.uses[u, 0], 1]):
            s.used[x.uses[u, 0]] += x.uses[u, 1]
    for k in range(first, last):
        s.seat[k, S_LEFT] = False
        if not s.item[j, EARLY]:
            count_seat(x, s, j, k)
        p = s.seat[k, S_PERSON]
        s.seat[k, S_NEXT] = s.person[p, P_FIRST]
        s.person[p, P_FIRST] = k
        for e in range(x.person[p, P_QUOTA], x.person[p + 1, P_QUOTA]):
            quota = x.flat[e]
            if x.quota_row[quota, 2] < 0 or x.scopes[x.quota_row[quota, 2], j] == 1:
                for u in range(t, min(slots, t + x.need[x.seat[k, Q_NEED], N_WORK])):
                    number = x.bucket[x.quota_row[quota, 1], u]
                    if number >= 0:
                        s.quota[x.quota_row[quota, 0] + number] += x.need[x.seat[k, Q_NEED], N_SHARE]
    s.item[j, EARLY] = False
    if x.item[j, A_OCCURRENCE] >= 0:
        number = occurrence(x, j, t)
        for e in range(x.ptr[j, AT_BATCH], x.ptr[j + 1, AT_BATCH]):
            s.batch[x.batch_row[x.batch_use[e, 0], 1] + number] += x.batch_use[e, 1]
    s.item[j, STATE] = RUNNING
    if s.item[j, BEGIN] < 0:
        s.item[j, BEGIN] = t
        if not x.item[j, A_HIDDEN]:
            s.counts[N_BEGUN] += 1
        for k in range(first, last):
            p = x.seat[k, Q_PERSON]
            while (
                s.person[p, P_POINTER] < x.person[p + 1, P_ORDER]
                and s.item[x.seat[s.person[p, P_POINTER], Q_ORDER], BEGIN] >= 0
            ):
                s.person[p, P_POINTER] += 1
                if s.person[p, P_POINTER] < x.person[p + 1, P_ORDER]:
                    following = x.seat[s.person[p, P_POINTER], Q_ORDER]
                    if s.item[following, PARKED] and x.item[following, A_MODE] == GAINED and in_turn(x, s, following):
                        s.item[following, PARKED] = False
                        fresh(x, s, following)
        for k in range(x.ptr[j, AT_OUT], x.ptr[j + 1, AT_OUT]):
            e = x.link[k, L_OUT]
            if x.link[e, L_TYPE] == 1 or x.link[e, L_TYPE] == 3:
                satisfy(x, s, e, after_lag(x, e, t) if x.link[e, L_LAG] > 0 else t, t)
    sample(x, s, base, j)
    s.item[j, RUN_OF] = -1
    s.item[j, RUN_END] = -1
    s.item[j, FAILING] = 0
    if x.chance[j, BROKEN] > 0 and s.item[j, REWORK_FOR] < 0 and s.item[j, ATTEMPT] < MOST_TRIES:
        s.item[j, FAILING] = 1 if draw(base, j, CHANGE, s.item[j, ATTEMPT]) < x.chance[j, BROKEN] else 0
    if x.item[j, A_RUN] and last > first:
        if x.item[j, A_OCCURRENCE] >= 0:
            # what does not fit into the window is rolled back, so that the window is kept
            u = t
            while u < slots and u < t + s.item[j, UPCOMING] and occurrence(x, j, u) == number:
                u += 1
            if s.item[j, OVERRUNS] == MOST_OVERRUNS:
                s.item[j, OVERRUNS] += 1
                s.tally[FORCED] += 1
            if u < t + s.item[j, UPCOMING]:
                s.item[j, OVERRUNS] += 1
                s.tally[OVERRAN] += 1
                s.item[j, FAILING] = 1
                for k in range(first, last):
                    s.seat[k, S_WORK] = min(s.seat[k, S_WORK], u - t)
                s.item[j, UPCOMING] = u - t
        if s.item[j, FAILING] == 1:
            for k in range(first, last):
                if s.seat[k, S_WORK] == s.item[j, UPCOMING]:
                    s.seat[k, S_WORK] += x.item[j, A_ROLLBACK]
            s.item[j, UPCOMING] += x.item[j, A_ROLLBACK]
    elif s.item[j, FAILING] == 1 and last > first:
        for k in range(first, last):
            if s.seat[k, S_WORK] == s.item[j, UPCOMING]:
                s.seat[k, S_WORK] += x.item[j, A_ROLLBACK]
        s.item[j, UPCOMING] += x.item[j, A_ROLLBACK]
    end = book(x, s, j, t)
    announce(x, s, j, end, t)


# --- the end of an activity ----------------------------------------------------------------------------------------


@lean_inner
def release_all(x: Extra, s: Space, j: int) -> None:
    people, teams = s.person.shape[0], x.team_wip.shape[0]
    for k in range(x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]):
        leave(x, s, j, k)
        wake_person(x, s, s.seat[k, S_PERSON])
    for u in range(x.ptr[j, AT_USE], x.ptr[j + 1, AT_USE]):
        s.used[x.uses[u, 0]] -= x.uses[u, 1]
        wake(s, 2 * people + teams + x.uses[u, 0])


@lean_inner
def count_pass(x: Extra, s: Space, j: int) -> None:
    """Add up what was worked in the pass that ends."""
    done = 0
    k = s.item[j, RUN_OF]
    while k >= 0:
        done += s.piece[k, 1] - s.piece[k, 0]
        k = s.piece[k, 2]
    for q in range(x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]):
        s.tally[SAMPLED] += min(done, s.seat[q, S_WORK]) * x.need[x.seat[q, Q_NEED], N_SHARE] / 100.0


@lean_inner
def split_pass(x: Extra, s: Space, j: int, t: int) -> None:
    """Of the first pass: worked, closed, and interrupted slots."""
    first, last = x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]
    place = x.item[j, A_PLACE]
    at = s.item[j, BEGIN]
    done = 0
    k = s.item[j, RUN_OF]
    while k >= 0:
        for u in range(at, s.piece[k, 0]):
            shut = place >= 0 and x.masks[place, u] == 0
            for q in range(first, last):
                shut |= done < s.seat[q, S_WORK] and x.codes[s.seat[q, S_PERSON], u] != 0
            s.waits[j, CLOSED if shut else INTERRUPTED] += 1
        done += s.piece[k, 1] - s.piece[k, 0]
        at = s.piece[k, 1]
        k = s.piece[k, 2]
    s.waits[j, TOUCH] += done
    s.waits[j, LAG] += t - at  # held back by a link to its end


@lean_inner
def end_of_pass(x: Extra, s: Space, base: int, j: int, t: int) -> None:
    if s.item[j, STATE] == RUNNING and (s.item[j, MISSING_END] > 0 or t < s.item[j, FLOOR]) and s.item[j, FAILING] == 0:
        s.item[j, STATE] = HOLDING
        for k in range(x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]):
            leave(x, s, j, k)
            wake_person(x, s, s.seat[k, S_PERSON])
        if s.item[j, MISSING_END] == 0:
            push(s, s.item[j, FLOOR], END, j, s.item[j, VERSION])
        return
    if s.item[j, ATTEMPT] == 0:
        split_pass(x, s, j, t)
        s.item[j, PASSED] = t
    count_pass(x, s, j)
    release_all(x, s, j)
    s.item[j, VERSION] += 1
    if s.item[j, FAILING] == 1:
        s.tally[CHANGES] += 1
        if x.item[j, A_INCIDENT_CLASS] >= 0 and draw(base, j, INCIDENT, 2 * s.item[j, ATTEMPT]) < x.incident:
            size = -math.log(draw(base, j, INCIDENT, 2 * s.item[j, ATTEMPT] + 1)) * x.mend
            come(s, x.item[j, A_INCIDENT_CLASS], t, max(1, int(size + 0.5)))
        s.item[j, WHY] = FAILURE
        s.item[j, ATTEMPT] += 1
        s.item[j, STATE] = READY
        push(s, t, LET, j, s.item[j, VERSION])
        return
    if s.item[j, REWORK_FOR] >= 0:
        test = s.item[j, REWORK_FOR]
        s.item[j, REWORK_FOR] = -1
        s.item[j, STATE] = DONE
        s.item[j, FINISH] = t
        s.item[test, STATE] = READY
        push(s, t, LET, test, s.item[test, VERSION])
        return
    if (
        x.chance[j, TESTED] > 0
        and s.item[j, ATTEMPT] < MOST_TRIES
        and draw(base, j, TEST, s.item[j, ATTEMPT]) < x.chance[j, TESTED]
    ):
        s.tally[TESTS] += 1
        s.item[j, WHY] = REWORK
        s.item[j, ATTEMPT] += 1
        upstream = reopened(x, s, base, j)
        if upstream < 0:
            s.item[j, STATE] = READY
            push(s, t, LET, j, s.item[j, VERSION])
        else:
            s.item[j, STATE] = AGAIN
            s.item[upstream, REWORK_FOR] = j
            s.item[upstream, ATTEMPT] += 1
            s.item[upstream, STATE] = READY
            push(s, t, LET, upstream, s.item[upstream, VERSION])
        return
    s.item[j, STATE] = DONE
    s.item[j, FINISH] = t
    s.item[j, DONE_AT] = t
    s.counts[N_OPEN] -= 1
    if not x.item[j, A_HIDDEN]:
        s.counts[N_IN] -= 1
        s.counts[N_BEGUN] -= 1
    for k in range(x.ptr[j, AT_SPAN], x.ptr[j + 1, AT_SPAN]):
        span = x.flat[k]
        s.span[span, Z_UNFINISHED] -= 1
        if s.span[span, Z_UNFINISHED] == 0 and s.span[span, Z_OPENED]:
            s.booked[x.span[span, Z_LIMIT]] -= x.span[span, Z_DEMAND]
            for q in range(s.span.shape[0]):
                if not s.span[q, Z_OPENED]:
                    wake(s, span_resources(x) + q)
    for k in range(x.ptr[j, AT_OUT], x.ptr[j + 1, AT_OUT]):
        e = x.link[k, L_OUT]
        if x.link[e, L_TYPE] == 0 or x.link[e, L_TYPE] == 2:
            satisfy(x, s, e, after_lag(x, e, t) if x.link[e, L_LAG] > 0 else t, t)


@lean_inner
def reopened(x: Extra, s: Space, base: int, j: int) -> int:
    """One of the items that a failed test waited for, and that somebody worked on; or -1."""
    count = 0
    for e in range(x.ptr[j, AT_PRED], x.ptr[j + 1, AT_PRED]):
        i = x.link[e, L_PRED]
        if x.link[e, L_TYPE] == 0 and s.item[i, STATE] == DONE and x.ptr[i + 1, AT_SEAT] > x.ptr[i, AT_SEAT]:
            count += 1
    if count == 0:
        return -1
    chosen = int(draw(base, j, UPSTREAM, s.item[j, ATTEMPT]) * count)
    for e in range(x.ptr[j, AT_PRED], x.ptr[j + 1, AT_PRED]):
        i = x.link[e, L_PRED]
        if x.link[e, L_TYPE] == 0 and s.item[i, STATE] == DONE and x.ptr[i + 1, AT_SEAT] > x.ptr[i, AT_SEAT]:
            if chosen == 0:
                return int(i)
            chosen -= 1
    return -1


# --- unplanned work ------------------------------------------------------------------------------------------------


@lean_inner
def come(s: Space, kind: int, t: int, work: int) -> None:
    """A task of unplanned work waits in the queue of its class."""
    k = s.counts[N_TASKS]
    if k >= s.task.shape[0]:
        s.counts[N_FULL] = 1
        return
    s.counts[N_TASKS] = k + 1
    s.task[k, T_CLASS] = kind
    s.task[k, T_CAME] = t
    s.task[k, T_WORK] = work
    s.task[k, T_BEGUN] = -1
    s.task[k, T_DONE] = -1
    s.task[k, T_NEXT] = -1
    if s.kind[kind, K_FIRST] < 0:
        s.kind[kind, K_FIRST] = k
    else:
        s.task[s.kind[kind, K_LAST], T_NEXT] = k
    s.kind[kind, K_LAST] = k


@lean_inner
def next_arrival(x: Extra, s: Space, base: int, kind: int) -> None:
    if x.rates[kind, 0] <= 0:
        return
    s.class_next[kind] += -math.log(draw(base, kind, GAP, s.kind[kind, K_CAME])) / x.rates[kind, 0]
    at = x.kind[kind, K_OPEN] + int(s.class_next[kind])
    if s.class_next[kind] < NEVER and at < x.kind[kind + 1, K_OPEN]:
        push(s, x.open_slot[at], ARRIVAL, kind, 0)


@lean_inner
def task_size(x: Extra, s: Space, base: int, kind: int) -> int:
    """Slots of a task, rounded so that the mean stays."""
    count = s.kind[kind, K_CAME]
    u = draw(base, kind, SIZE, count)
    if x.kind[kind, K_LAW] == 0:
        exact = -math.log(u) * x.rates[kind, 4]
    elif x.kind[kind, K_LAW] == 1:
        exact = from_range(x.rates[kind, 1], x.rates[kind, 2], x.rates[kind, 3], normal(u))
    else:
        exact = x.rates[kind, 2]
    down = math.floor(exact)
    return int(down + (1 if draw(base, kind, ROUNDED, count) < exact - down else 0))


@lean_inner
def server_of(x: Extra, s: Space, kind: int, t: int) -> int:
    """Who takes the next task: somebody free, else whoever is on what the plan begins last; -1: nobody can."""
    found, worst = -1, -1
    for e in range(x.kind[kind, K_ROWS], x.kind[kind + 1, K_ROWS]):
        p = x.flat[e]
        code = s.load[p, t]
        if code in (0, KEPT):
            return int(p)
        if code > 100 or not x.interrupts:
            continue
        rank, stays = -1, False
        k = s.person[p, P_FIRST]
        while k >= 0:
            j = activity_of(x, k)
            stays |= x.item[j, A_RUN] == 1
            rank = max(rank, x.item[j, A_RANK])
            k = s.seat[k, S_NEXT]
        if not stays and rank > worst:
            found, worst = p, rank
    return int(found)


@lean_inner
def activity_of(x: Extra, seat: int) -> int:
    """The activity of a seat, by bisection."""
    low, high = 0, x.ptr.shape[0] - 1
    while high - low > 1:
        middle = (low + high) // 2
        if x.ptr[middle, AT_SEAT] <= seat:
            low = middle
        else:
            high = middle
    return low


@lean_inner
def serve(x: Extra, s: Space, task: int, p: int, t: int) -> None:
    """Somebody does a task now; what they were on is interrupted, and goes on in what is left of their time."""
    slots = s.load.shape[1]
    s.task[task, T_BEGUN] = t
    work = s.task[task, T_WORK]
    k = s.person[p, P_FIRST]
    while k >= 0:
        j = activity_of(x, k)
        if not x.item[j, A_RUN] and s.item[j, STATE] == RUNNING:
            unbook(x, s, j, t)
        k = s.seat[k, S_NEXT]
    taken = 0
    u = t
    while work > 0 and u < slots:
        code = s.load[p, u]
        if code in (0, KEPT):
            taken += code == 0
            s.load[p, u] = BUSY
            s.tally[UNPLANNED] += 1
            work -= 1
        u += 1
    # what was taken of planned hours is made good by reserve that is left in the week
    back = u
    while taken > 0 and back < min(slots, t + x.week):
        if s.load[p, back] == KEPT:
            s.load[p, back] = 0
            taken -= 1
        back += 1
    if work == 0:
        s.task[task, T_DONE] = u
        push(s, u, SERVED, p, 0)
    k = s.person[p, P_FIRST]
    while k >= 0:
        j = activity_of(x, k)
        if not x.item[j, A_RUN] and s.item[j, STATE] == RUNNING:
            end = book(x, s, j, t)
            announce(x, s, j, end, t)
            for q in range(x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]):
                wake_person(x, s, s.seat[q, S_PERSON])
                if s.resource[s.seat[q, S_PERSON], R_ROOT] >= 0:
                    see_to(x, s, s.seat[q, S_PERSON], t)
        k = s.seat[k, S_NEXT]


@lean_inner
def serve_queues(x: Extra, s: Space, t: int) -> None:
    """Unplanned work goes before planned work."""
    slots = s.load.shape[1]
    for kind in range(x.rates.shape[0]):
        while s.kind[kind, K_FIRST] >= 0:
            task = s.kind[kind, K_FIRST]
            if s.task[task, T_WORK] == 0:
                s.task[task, T_BEGUN] = t
                s.task[task, T_DONE] = t
                s.kind[kind, K_FIRST] = s.task[task, T_NEXT]
                continue
            p = server_of(x, s, kind, t)
            if p < 0:
                break
            s.kind[kind, K_FIRST] = s.task[task, T_NEXT]
            serve(x, s, task, p, t)
        if s.kind[kind, K_FIRST] >= 0 and s.kind[kind, K_SERVE] <= t:
            later = slots
            for e in range(x.kind[kind, K_ROWS], x.kind[kind + 1, K_ROWS]):
                p = x.flat[e]
                u = t + 1
                while u < later:
                    code = s.load[p, u]
                    if code in (0, KEPT) or (x.interrupts and code <= 100):
                        later = u
                        break
                    u = x.following[x.person[p, P_FOLLOWING], u] if code == SHUT else u + 1
            if later < slots:
                s.kind[kind, K_SERVE] = later
                push(s, later, SERVE, kind, 0)


@lean_inner
def send_away(x: Extra, s: Space, base: int) -> None:
    """Absences of everybody."""
    slots = s.load.shape[1]
    people = s.person.shape[0]
    if x.absences <= 0:
        return
    last = -1
    for p in range(people):
        person = x.person[p, P_PERSON]
        last = max(last, person)
    for person in range(last + 1):
        at, count = 0.0, 0
        while True:
            at += -math.log(draw(base, person, ABSENT, count)) / x.absences
            if at >= slots:
                break
            length = -math.log(draw(base, person, SPELL, count)) * x.away
            count += 1
            for p in range(people):
                if x.person[p, P_PERSON] == person:
                    for u in range(int(at), min(slots, int(at + length + 0.5))):
                        code = s.load[p, u]
                        if code in (0, KEPT):
                            s.load[p, u] = AWAY
            at += length


# --- a run ---------------------------------------------------------------------------------------------------------


@lean_inner
def clear(x: Extra, s: Space, base: int) -> None:
    n = x.item.shape[0]
    for p in range(s.load.shape[0]):
        for t in range(s.load.shape[1]):
            s.load[p, t] = x.codes[p, t]
    for k in range(s.seat.shape[0]):
        s.seat[k, S_PERSON] = x.seat[k, Q_PERSON]
    for p in range(s.person.shape[0]):
        s.person[p, P_POINTER] = x.person[p, P_ORDER]
    for z in range(s.span.shape[0]):
        s.span[z, Z_UNFINISHED] = x.span[z, Z_SIZE]
    s.item[:, STATE] = WAITING
    s.item[:, MISSING] = 0
    s.item[:, MISSING_END] = 0
    s.item[:, READY_AT] = 0
    s.item[:, BY] = -1
    s.item[:, FLOOR] = 0
    s.item[:, BEGIN] = -1
    s.item[:, PASSED] = -1
    s.item[:, DONE_AT] = -1
    s.item[:, FINISH] = -1
    s.item[:, VERSION] = 0
    s.item[:, ATTEMPT] = 0
    s.item[:, SINCE] = 0
    s.item[:, CAUSE] = DATE
    s.item[:, OVERRUNS] = 0
    s.item[:, STUCK] = 0
    s.item[:, WHY] = REWORK
    s.waits[:] = 0
    s.item[:, LENGTH] = 0
    s.item[:, UPCOMING] = 0
    s.item[:, REWORK_FOR] = -1
    s.item[:, FAILING] = 0
    s.item[:, PARKED] = False
    s.item[:, QUEUED_IN] = False
    s.item[:, EARLY] = False
    s.seat[:, S_LEFT] = True
    s.person[:, P_FIRST] = -1
    s.item[:, RUN_OF] = -1
    s.item[:, RUN_END] = -1
    s.resource[:, R_ROOT] = -1
    s.resource[:, R_WOKEN] = False
    s.used[:] = 0
    s.person[:, P_HELD] = 0
    s.team_held[:] = 0
    s.span[:, Z_OPENED] = False
    s.booked[:] = 0
    s.quota[:] = 0
    s.batch[:] = 0
    s.queue[:] = 0.0
    s.satisfied[:] = False
    s.person[:, P_WAKE] = -1
    s.kind[:, K_FIRST] = -1
    s.kind[:, K_LAST] = -1
    s.class_next[:] = 0.0
    s.kind[:, K_CAME] = 0
    s.kind[:, K_SERVE] = -1
    s.counts[:] = 0
    s.area[:] = 0.0
    s.tally[:] = 0.0
    for span in range(s.span.shape[0]):
        if x.span[span, Z_BEGUN]:
            s.span[span, Z_OPENED] = True
            if s.span[span, Z_UNFINISHED] > 0:
                s.booked[x.span[span, Z_LIMIT]] += x.span[span, Z_DEMAND]
    for j in range(n):
        s.item[j, RELEASED] = x.item[j, A_RELEASE]
        if x.ptr[j + 1, AT_DECISION] > x.ptr[j, AT_DECISION]:
            k = x.ptr[j, AT_DECISION]
            while k < x.ptr[j + 1, AT_DECISION] and draw(base, j, DEFERRED, k - x.ptr[j, AT_DECISION]) < x.deferred:
                s.item[j, RELEASED] = max(s.item[j, RELEASED], x.flat[k])
                k += 1
        if x.item[j, A_EXEMPT]:
            s.item[j, EARLY] = True
            for u in range(x.ptr[j, AT_USE], x.ptr[j + 1, AT_USE]):
                if x.cap[x.uses[u, 0], 1]:
                    s.used[x.uses[u, 0]] += x.uses[u, 1]
            for k in range(x.ptr[j, AT_SEAT], x.ptr[j + 1, AT_SEAT]):
                count_seat(x, s, j, k)
        for e in range(x.ptr[j, AT_PRED], x.ptr[j + 1, AT_PRED]):
            if x.link[e, L_LOOSE]:
                s.satisfied[e] = True
            elif x.link[e, L_TYPE] <= 1:
                s.item[j, MISSING] += 1
            else:
                s.item[j, MISSING_END] += 1


@lean_inner
def settle(x: Extra, s: Space, limit: Ints, base: int, t: int) -> None:
    """Begin all that can begin now: of all that something was freed for, always what the plan begins first."""
    people, teams = s.person.shape[0], x.team_wip.shape[0]
    capacities = 2 * people + teams
    spans = span_resources(x)
    sets = x.resources - 1 - (x.set_ptr.shape[0] - 1)
    serve_queues(x, s, t)
    while s.counts[N_WOKEN] > 0:
        best, at = -1, -1
        k = 0
        while k < s.counts[N_WOKEN]:
            r = s.resource[k, R_LIST]
            room = s.resource[r, R_ROOT] >= 0
            if room:
                if r < people:
                    room = s.load[r, t] < 100
                elif r < 2 * people:
                    room = s.person[r - people, P_HELD] < x.person[r - people, P_WIP]
                elif r < capacities:
                    room = s.team_held[r - 2 * people] < x.team_wip[r - 2 * people]
                elif r < spans:
                    room = s.used[r - capacities] < x.cap[r - capacities, 0]
                elif r < sets:
                    row = x.span[r - spans, Z_LIMIT]
                    room = s.span[r - spans, Z_OPENED] or s.booked[row] == 0 or s.booked[row] < limit[row]
                elif r < x.resources - 1:
                    room = False
                    for e in range(x.set_ptr[r - sets], x.set_ptr[r - sets + 1]):
                        room |= s.load[x.flat[e], t] < 100
            if not room:
                s.resource[r, R_WOKEN] = False
                s.counts[N_WOKEN] -= 1
                s.resource[k, R_LIST] = s.resource[s.counts[N_WOKEN], R_LIST]
                if s.resource[r, R_ROOT] >= 0:
                    if r < people:
                        see_to(x, s, r, t)
                    elif sets <= r < x.resources - 1:
                        for e in range(x.set_ptr[r - sets], x.set_ptr[r - sets + 1]):
                            see_to(x, s, x.flat[e], t)
                continue
            if best < 0 or x.item[s.resource[r, R_ROOT], A_RANK] < x.item[best, A_RANK]:
                best, at = s.resource[r, R_ROOT], r
            k += 1
        if best < 0:
            break
        s.resource[at, R_ROOT] = merged(x, s, s.item[best, LEFT], s.item[best, RIGHT])
        attempt_start(x, s, limit, base, best, t)
    for k in range(s.counts[N_ASIDE]):
        r = s.aside[k, 1]
        put(x, s, r, s.aside[k, 0])
        if r < people:
            see_to(x, s, r, t)
        elif sets <= r < x.resources - 1:
            for e in range(x.set_ptr[r - sets], x.set_ptr[r - sets + 1]):
                see_to(x, s, x.flat[e], t)
    s.counts[N_ASIDE] = 0


@lean_inner
def execute(x: Extra, s: Space, limit: Ints, seed: int, run: int) -> None:
    """One run, from as-of until all is done or the last slot has passed."""
    n = x.item.shape[0]
    slots = s.load.shape[1]
    base = base_of(seed, run)
    clear(x, s, base)
    send_away(x, s, base)
    for kind in range(x.rates.shape[0]):
        next_arrival(x, s, base, kind)
    for j in range(n):
        if s.item[j, MISSING] == 0:
            make_ready(s, j, 0)
    now = 0
    s.counts[N_OPEN] = n
    while s.counts[N_OPEN] > 0 and s.counts[N_HEAP] > 0 and s.counts[N_FULL] == 0:
        key = pop(s)
        version = key % VERSIONS
        who = (key // VERSIONS) % LINKED
        kind = (key // (VERSIONS * LINKED)) % 16
        t = key // (VERSIONS * LINKED * 16)
        if t >= slots:
            break
        if t > now:
            s.area[0] += float(s.counts[N_IN]) * (t - now)
            s.area[1] += float(s.counts[N_BEGUN]) * (t - now)
            now = t
        if kind == END:
            if version == s.item[who, VERSION] % VERSIONS and (
                s.item[who, STATE] == RUNNING or s.item[who, STATE] == HOLDING
            ):
                end_of_pass(x, s, base, who, t)
        elif kind == SEAT:
            if version == s.item[who, VERSION] % VERSIONS:
                for k in range(x.ptr[who, AT_SEAT], x.ptr[who + 1, AT_SEAT]):
                    if s.seat[k, S_UNTIL] <= t:
                        leave(x, s, who, k)
        elif kind == LINK:
            j = x.link[who, L_PRED]
            if version == s.item[j, VERSION] % VERSIONS:
                satisfy(x, s, who, t, t)
        elif kind == SERVED:
            wake_person(x, s, who)
        elif kind == ARRIVAL:
            size = task_size(x, s, base, who)
            s.kind[who, K_CAME] += 1
            come(s, who, t, size)
            next_arrival(x, s, base, who)
        elif kind == LET:
            if version == s.item[who, VERSION] % VERSIONS:
                if s.item[who, STATE] == WAITING:
                    s.item[who, STATE] = READY
                    s.item[who, SINCE] = t
                    s.item[who, READY_AT] = t
                    if not x.item[who, A_HIDDEN]:
                        s.counts[N_IN] += 1
                if s.item[who, STATE] == READY:
                    arrive(x, s, limit, who, t)
        elif kind == PLANNED:
            if s.item[who, PARKED]:
                s.item[who, PARKED] = False
                arrive(x, s, limit, who, t)
        elif kind == WAKE and s.person[who, P_WAKE] == t:
            s.person[who, P_WAKE] = -1
            wake_person(x, s, who)
        if s.counts[N_HEAP] > 0 and s.heap[0] // (VERSIONS * LINKED * 16) == t:
            continue
        settle(x, s, limit, base, t)
    if s.counts[N_OPEN] > 0 and now < slots:
        s.area[0] += float(s.counts[N_IN]) * (slots - now)
        s.area[1] += float(s.counts[N_BEGUN]) * (slots - now)


@lean_inner
def close(x: Extra, s: Space) -> int:
    """After a run: what is unfinished ends with it. Returns how many items that are."""
    n = x.item.shape[0]
    slots = s.load.shape[1]
    count = 0
    for j in range(n):
        if s.item[j, DONE_AT] >= 0 and s.item[j, REWORK_FOR] < 0:
            continue
        if not x.item[j, A_HIDDEN]:
            count += 1
        # what waits for others only is not what holds the run up
        if s.item[j, STATE] == READY:
            s.item[j, STUCK] = 1 + s.item[j, CAUSE]
        elif s.item[j, STATE] == RUNNING:
            s.item[j, STUCK] = 1 + TOUCH
        elif s.item[j, STATE] == WAITING and s.item[j, MISSING] == 0:
            s.item[j, STUCK] = 1 + DATE
        if s.item[j, STATE] == WAITING:
            s.item[j, READY_AT] = slots
            s.item[j, SINCE] = slots
        if s.item[j, STATE] == RUNNING or s.item[j, STATE] == HOLDING:
            unbook(x, s, j, slots)
            count_pass(x, s, j)
        if s.item[j, PASSED] < 0:
            if s.item[j, BEGIN] >= 0:
                split_pass(x, s, j, slots)
            else:
                blocked(s, j, slots, s.item[j, CAUSE])
            s.item[j, PASSED] = slots
        if s.item[j, BEGIN] < 0:
            s.item[j, BEGIN] = slots
            s.item[j, LENGTH] = longest_planned(x, j)
        if s.item[j, DONE_AT] < 0:
            s.item[j, DONE_AT] = slots
        s.item[j, FINISH] = slots
    return count


@lean_inner
def add_chain(x: Extra, s: Space, p: int, where: NDArray[np.float32]) -> int:
    """Where the time of a project went, from the last of its items back; returns its finish."""
    last, finish = -1, -1
    for k in range(x.project_ptr[p], x.project_ptr[p + 1]):
        j = x.flat[k]
        if s.item[j, FINISH] > finish:
            last, finish = j, s.item[j, FINISH]
    if last < 0:
        return 0
    j = last
    where[REWORK] += finish - s.item[j, DONE_AT]
    end = True
    while True:
        if end:
            for c in range(CAUSES):
                where[c] += s.waits[j, c]
            where[s.item[j, WHY]] += s.item[j, DONE_AT] - s.item[j, PASSED]
        else:
            for c in range(CAUSES):
                if c not in (TOUCH, CLOSED, INTERRUPTED, LAG):
                    where[c] += s.waits[j, c]
        if s.item[j, BY] < 0:
            where[DATE] += s.item[j, READY_AT]
            return int(finish)
        end, ready, j = s.item[j, BY_END], s.item[j, READY_AT], s.item[j, BY]
        where[LAG] += ready - (s.item[j, DONE_AT] if end else s.item[j, BEGIN])


@lean_inner
def group_costs(x: Extra, s: Space, costs: Floats) -> None:
    """Cost of delay of each group (docs/plan.md, Costs)."""
    for g in range(x.rate_of.shape[0]):
        costs[g] = 0.0
        if not x.group[g, 1]:
            continue
        finish, begin_ = 0, 1 << 60
        for k in range(x.group[g, 0], x.group[g + 1, 0]):
            finish = max(finish, s.item[x.flat[k], FINISH])
            begin_ = min(begin_, s.item[x.flat[k], BEGIN])
        found = (
            x.rate_of[g, 0] * max(0.0, finish - x.rate_of[g, 1])
            + x.rate_of[g, 2] * finish
            + x.rate_of[g, 3] * (finish - begin_)
        )
        costs[g] = found + x.rate_of[g, 4] * max(0.0, x.rate_of[g, 5] - begin_)


@lean
def execute_all(x: Extra, s: Space, limit: Ints, seed: int, first: int, rows: Rows) -> None:
    """Runs ``first`` and following, as many as there are rows."""
    n = x.item.shape[0]
    for r in range(rows.unfinished.shape[0]):
        execute(x, s, limit, seed, first + r)
        rows.full[r] = s.counts[N_FULL]
        if s.counts[N_FULL] == 1:
            continue
        rows.unfinished[r] = close(x, s)
        done, total, last = 0, 0.0, 0
        for j in range(n):
            if x.item[j, A_HIDDEN]:
                continue
            done += 1
            total += s.item[j, DONE_AT] - s.item[j, READY_AT]
            last = max(last, s.item[j, FINISH])
            for c in range(CAUSES):
                rows.waits[r, c] += s.waits[j, c]
            rows.waits[r, s.item[j, WHY]] += s.item[j, DONE_AT] - s.item[j, PASSED]
        if rows.start.shape[1] > 0:
            for j in range(n):
                rows.start[r, j] = s.item[j, BEGIN]
                rows.finish[r, j] = s.item[j, FINISH]
                rows.work[r, j] = s.item[j, LENGTH]
                rows.stuck[r, j] = s.item[j, STUCK]
                rows.overran[r, j] = min(s.item[j, OVERRUNS], MOST_OVERRUNS)
        rows.area[r, 0] = s.area[0]
        rows.area[r, 1] = s.area[1]
        rows.area[r, 2] = last
        rows.area[r, 3] = done - rows.unfinished[r]
        rows.area[r, 4] = total
        for p in range(x.project_ptr.shape[0] - 1):
            rows.projects[r, p] = add_chain(x, s, p, rows.where[r, p])
            first_start = s.load.shape[1]
            for k in range(x.project_ptr[p], x.project_ptr[p + 1]):
                first_start = min(first_start, s.item[x.flat[k], BEGIN])
            rows.begun[r, p] = first_start
        group_costs(x, s, rows.costs[r])
        booked, away = 0, 0
        for p in range(s.load.shape[0]):
            for t in range(last):
                code = int(s.load[p, t])
                if code <= 100:
                    booked += code
                elif code == AWAY and x.codes[p, t] == 0:
                    away += 1
        s.tally[ABSENCE] = away
        s.tally[BOOKED] = booked / 100.0
        for k in range(TALLIES):
            rows.tally[r, k] = s.tally[k]
        for kind in range(x.rates.shape[0]):
            rows.sojourn[r, kind] = 0.0
        for k in range(s.counts[N_TASKS]):
            kind = s.task[k, T_CLASS]
            if s.task[k, T_DONE] >= 0:
                rows.arrivals[r, kind] += 1
                rows.sojourn[r, kind] += s.task[k, T_DONE] - s.task[k, T_CAME]
                rows.waiting[r, kind] += s.task[k, T_BEGUN] - s.task[k, T_CAME]
