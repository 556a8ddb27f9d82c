"""When the work on an activity goes on, for all activities of a schedule at once (docs/plan.md, Work).

Work goes on in the slots, from the start on, in which all members whose need is not done yet and all environments are
open. The rule is read here from the arrays alone: nothing of how a decoder finds a start is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Arrays, Bools, Ints, Schedule

FLAT = 1 << 21
"""Most slots that are looked at together, so that memory does not grow with the portfolio."""


@dataclass(frozen=True)
class Seats:
    """Every place in a crew, in the order of ``Schedule.crew``: the row of needs and the activity it belongs to."""

    need: Ints
    activity: Ints
    ptr: Ints
    """First seat of each activity."""


@dataclass(frozen=True)
class Worked:
    """Maximal runs of slots [first, last) in which work goes on, in order, activity by activity."""

    ptr: Ints
    """First run of each activity."""
    first: Ints
    last: Ints
    before: Ints
    """Slots worked in the runs before it."""
    done: Ints
    """Slots worked of each activity by its end; what is left undone shows as fewer than its longest need."""

    def of(self, seats: Seats, work: Ints, which: Ints | None = None) -> tuple[Ints, Ints, Ints]:
        """(seat, first, last) of every piece of work of the seats, which leave when their own need is done."""
        chosen = np.arange(len(seats.need)) if which is None else which
        j = seats.activity[chosen]
        owner, run = ragged(self.ptr[j], self.ptr[j + 1])
        left = work[seats.need[chosen]][owner] - self.before[run]
        kept = left > 0
        run, left = run[kept], left[kept]
        return chosen[owner[kept]], self.first[run], np.minimum(self.last[run], self.first[run] + left)


def seats_of(a: Arrays) -> Seats:
    need = np.repeat(np.arange(len(a.work)), a.people)
    return Seats(need, np.repeat(np.arange(len(a.release)), np.diff(a.need_ptr))[need], a.crew_ptr[a.need_ptr])


def lengths(a: Arrays) -> Ints:
    """Slots of work of each activity: those of its longest need, or of its wait."""
    found = a.wait.copy()
    np.maximum.at(found, np.repeat(np.arange(len(a.release)), np.diff(a.need_ptr)), a.work)
    return found


def ragged(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """All numbers of the ranges [first, last), one range after the other, and the range that each belongs to."""
    size = np.maximum(last - first, 0)
    owner = np.repeat(np.arange(len(size)), size)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(size) - size - first, size)


def count_in(rows: NDArray[Any], value: int, row: Ints, first: Ints, last: Ints) -> Ints:
    """How many slots of [first, last) hold the value in a row of a matrix; each row is read once."""
    found = np.zeros(len(row), np.int64)
    order = np.argsort(row, kind="stable")
    borders = np.flatnonzero(np.diff(row[order], prepend=-1))
    for part in np.split(order, borders[1:]) if len(row) else ():
        places = np.flatnonzero(rows[row[part[0]]] == value)
        if len(places):
            found[part] = np.searchsorted(places, last[part]) - np.searchsorted(places, first[part])
    return found


def parts(size: Ints) -> Iterator[slice]:
    """Consecutive pieces of a list whose sizes add up to at most ``FLAT`` each, or that are a single entry."""
    total = np.cumsum(size)
    first = 0
    while first < len(size):
        before = int(total[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(total, before + FLAT, "right")))
        yield slice(first, last)
        first = last


def joint(a: Arrays, seats: Seats, crew: Ints, j: Ints, owner: Ints, slot: Ints, level: Ints | None = None) -> Bools:
    """Whether all people of activity ``j[owner]`` are open in a slot, or those with at least so much work."""
    found = np.ones(len(slot), bool)
    count = seats.ptr[j + 1] - seats.ptr[j]
    for k in range(int(count.max(initial=0))):
        on = count > k
        seat = np.where(on, seats.ptr[j] + k, 0)
        if level is not None:
            on &= a.work[seats.need[seat]] >= level
        asked = np.flatnonzero(on[owner])
        row = a.person_mask[crew[seat]]
        found[asked] &= a.masks[row[owner[asked]], slot[asked]] == 1
    return found


def open_in(a: Arrays, seats: Seats, crew: Ints, j: Ints, first: Ints, last: Ints, places: bool = False) -> Ints:
    """How many slots of [first, last) are open for all people of activity j, and for its environments if asked."""
    found = np.zeros(len(j), np.int64)
    alone = np.zeros(len(j), bool)
    if len(crew):
        alone = (seats.ptr[j + 1] - seats.ptr[j] == 1) & (not places)
        row = a.person_mask[crew[seats.ptr[j[alone]]]]
        found[alone] = count_in(a.masks, 1, row, first[alone], np.maximum(first, last)[alone])
    rest = np.flatnonzero(~alone)
    for part in parts(np.maximum(last - first, 0)[rest]):
        some = rest[part]
        owner, slot = ragged(first[some], last[some])
        open_ = joint(a, seats, crew, j[some], owner, slot)
        if places:
            open_ &= _place_open(a, j[some][owner], slot)
        found[some] = np.bincount(owner[open_], minlength=len(some))
    return found


def _place_open(a: Arrays, j: Ints, slot: Ints) -> Bools:
    place = a.place[j]
    found: Bools = (place < 0) | (a.masks[np.maximum(place, 0), slot] == 1)
    return found


def worked(a: Arrays, schedule: Schedule) -> Worked:
    """The runs of every activity between its start and its end. All seats must be taken, and all slots exist."""
    n, seats, start, end = len(a.release), seats_of(a), schedule.start, schedule.end
    longest = lengths(a)
    closed = np.zeros(n, np.int64)
    if (a.masks[np.unique(a.person_mask)] == 0).any():
        row = a.person_mask[schedule.crew]
        found = count_in(a.masks, 0, row, start[seats.activity], end[seats.activity])
        closed += np.bincount(seats.activity, found, n).astype(np.int64)
    placed = np.flatnonzero(a.place >= 0)
    closed[placed] += count_in(a.masks, 0, a.place[placed], start[placed], end[placed])
    at_once = np.flatnonzero((closed == 0) & (longest > 0) & (end > start))
    paused = np.flatnonzero((closed > 0) & (longest > 0))
    pieces = [(at_once, start[at_once], np.minimum(end, start + longest)[at_once])]
    pieces += [
        _paused(a, seats, schedule, paused[part], longest[paused[part]]) for part in parts((end - start)[paused])
    ]
    owner, first, last = (np.concatenate(columns) for columns in zip(*pieces, strict=True))
    order = np.argsort(owner, kind="stable")
    owner, first, last = owner[order], first[order], last[order]
    ptr = np.r_[0, np.cumsum(np.bincount(owner, minlength=n))].astype(np.int64)
    total = np.cumsum(last - first)
    so_far = np.r_[0, total][ptr]  # slots worked in all activities before
    return Worked(ptr, first, last, total - (last - first) - so_far[owner], np.diff(so_far))


def _paused(a: Arrays, seats: Seats, schedule: Schedule, j: Ints, longest: Ints) -> tuple[Ints, Ints, Ints]:
    """(activity, first, last) of the runs of activities that closed time interrupts.

    In steps: until the shortest need is done with everyone, until the next is done with those who are left, and so on.
    """
    owner, slot = ragged(schedule.start[j], schedule.end[j])
    place = _place_open(a, j[owner], slot)
    goes_on = np.zeros(len(slot), bool)
    done, at = np.zeros(len(j), np.int64), schedule.start[j].copy()
    row_owner, row = ragged(a.need_ptr[j], a.need_ptr[j + 1])
    while (live := done < longest).any():
        level = np.where(live, longest, 0)
        later = a.work[row] > done[row_owner]
        np.minimum.at(level, row_owner[later], a.work[row[later]])
        open_ = place & live[owner] & (slot >= at[owner])
        open_ &= joint(a, seats, schedule.crew, j, owner, slot, level)
        total = np.cumsum(open_)
        rank = total - np.r_[0, total][np.searchsorted(owner, np.arange(len(j)))][owner]
        wanted = level - done
        goes_on |= open_ & (rank <= wanted[owner])
        last = np.flatnonzero(open_ & (rank == wanted[owner]))
        reached = np.zeros(len(j), bool)
        reached[owner[last]] = True
        at[owner[last]] = slot[last] + 1
        done = np.where(reached, level, longest)  # what is not reached before the end ends there
    here = np.flatnonzero(goes_on)
    o, s = owner[here], slot[here]
    breaks = (np.diff(o) != 0) | (np.diff(s) != 1)
    begins, ends = np.r_[True, breaks][: len(here)], np.r_[breaks, True][: len(here)]
    return j[o[begins]], s[begins], s[ends] + 1
