"""What an hour more of someone is worth: cost of delay with it and without it.

Cheap: the plan's own order and people, decoded again with an hour more. What begins earlier then lets what waits for it
begin earlier too; only those who share the work in question may change places, and if they may they may without the
hour, too. So it is what this plan gains at least. On request each is searched anew (:func:`resolved`), from the same
start with the same effort, and so is the plan without the hour. What is found for that costs no more than this plan, so
against it the hour may be worth less, or more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import Instance, Schedule
from throttle.solve import PLAIN_PER_SECOND, Settings, Solver
from throttle.solve.decoder import Decoder, work_of
from throttle.worked import seats_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Bools, Ints

SECONDS = 2.0
"""Work of so many seconds goes into decoding, however large the plan; so large plans have fewer values."""
DECODED_PER_SECOND = 2e7
"""Work (``work_of``) that compiled kernels decode in a second where people are given; a third of the measured."""
LEAST_DECODES, MOST_DECODES = 6, 400
TURNS = 5
"""Decodes at most until the order of starts gives itself."""
SAME = 1e-9
"""Relative difference up to which two costs are one."""
SPARE = 1.5
"""The horizon looked at, in lengths of the plan."""


@dataclass(frozen=True)
class More:
    """More of one resource, and what the plan costs with it."""

    instance: Instance
    hours: float
    """Of all people together; or hours in which the further place of an environment is there."""
    place: int = 0
    """Number of the place tried, such as a week."""
    less: bool = False
    """Whether it is work that was taken off rather than time added."""


@dataclass(frozen=True)
class Saved:
    """The best of the places tried for one resource."""

    more: More
    saves: float
    """Per hour; not below 0, since an hour more need not be used."""


class Replay:
    """One schedule decoded again in its own order and with its own people."""

    def __init__(self, instance: Instance, schedule: Schedule) -> None:
        slots = min(instance.slots, int(schedule.end.max(initial=0) * SPARE) + 50)
        self.instance = instance.trimmed(slots)
        size = max(work_of(self.instance), 1.0)
        plain = int(SECONDS * PLAIN_PER_SECOND / size)
        self.compiled = plain < MOST_DECODES
        most = int(SECONDS * DECODED_PER_SECOND / size) if self.compiled else plain
        self.decodes = min(max(most, LEAST_DECODES), MOST_DECODES)
        """How many further decodes are worth their time."""
        self.base = schedule
        for _ in range(TURNS):
            found = self.decode(self.instance, self.base)
            if found is None or found.cost >= self.base.cost - SAME * abs(self.base.cost):
                break
            self.base = found

    def decode(self, instance: Instance, order: Schedule | None = None, free: Bools | None = None) -> Schedule | None:
        """By start, what ends first before what begins with it; None where something has no place.

        free: the seats that others than in ``order`` may take.
        """
        order = order or self.base
        key = np.empty(instance.n)
        key[np.lexsort((order.end, order.start))] = np.arange(instance.n)
        crew = order.crew if free is None else np.where(free, -1, order.crew)
        return Decoder(instance, self.compiled).decode(key, crew).schedule

    def cost(self, instance: Instance, free: Bools) -> float | None:
        """The less of what the order costs with its people, and with others in the seats that are free."""
        ways = (None, free) if free.any() else (None,)
        return min((s.cost for way in ways if (s := self.decode(instance, None, way))), default=None)

    def saved(self, more: Iterable[More], free: Bools) -> Saved | None:
        """The place in which an hour saves most; the first of equal ones. None where none could be decoded.

        free: the seats of work that those in question share.
        """
        best: Saved | None = None
        base = self.base.cost
        if free.any() and (cost := self.cost(self.instance, free)) is not None:
            base = min(base, cost)
        for one in more:
            cost = self.cost(one.instance, free)
            if cost is None:
                continue
            saved = base - cost
            saves = saved / one.hours if saved > SAME * abs(base) else 0.0
            if best is None or saves > best.saves * (1 + 1e-9):
                best = Saved(one, saves)
        return best


def shared_seats(instance: Instance, people: Sequence[int]) -> Bools:
    """The seats of needs that only these people can take, and that leave a choice among them."""
    a = instance.arrays
    among = np.zeros(len(instance.people), bool)
    among[people] = True
    need = seats_of(a).need
    size = np.diff(a.cand_ptr)
    inside = np.bincount(np.repeat(np.arange(len(size)), size), among[a.candidate], len(size)) == size
    chosen: Bools = (inside & (size > a.people))[need]
    return chosen


def seats_in(instance: Instance, environment: int) -> Bools:
    """The seats of work in an environment that leave a choice."""
    a = instance.arrays
    users = np.repeat(np.arange(instance.n), np.diff(a.use_ptr))[a.use == environment]
    seats = seats_of(a)
    chosen: Bools = np.isin(seats.activity, users) & (np.diff(a.cand_ptr) > a.people)[seats.need]
    return chosen


def with_hours(
    instance: Instance, people: Sequence[int], first: int, last: int, day: Ints, hours_per_slot: float, place: int = 0
) -> More | None:
    """An hour more (or a slot, where that is longer) for each, after the first day at work in [first, last).

    day: of each slot, its number. None where nobody is at work then, or all are at work ever after.
    """
    a = instance.arrays
    count = ceil(1 / hours_per_slot - 1e-9)
    person_mask, hours = a.person_mask.copy(), 0.0
    rows: list[NDArray[np.uint8]] = []
    for row in np.unique(a.person_mask[people]).tolist():
        opened = a.masks[row].copy()
        at_work = np.flatnonzero(opened[first:last]) + first
        if not len(at_work):
            continue
        after = int(at_work[day[at_work] == day[at_work[0]]][-1]) + 1
        slots = np.flatnonzero(opened[after:] == 0)[:count] + after
        if not len(slots):
            continue
        opened[slots] = 1
        same = [p for p in people if a.person_mask[p] == row]
        person_mask[same] = len(a.masks) + len(rows)
        rows.append(opened)
        hours += len(slots) * len(same) * hours_per_slot
    if not rows:
        return None
    masks = np.array(rows)
    numbers = np.where(masks == 1, np.arange(instance.slots, dtype=np.int32), np.int32(instance.slots))
    next_open = np.minimum.accumulate(numbers[:, ::-1], axis=1)[:, ::-1]
    arrays = a._replace(
        masks=np.ascontiguousarray(np.vstack([a.masks, masks])),
        next_open=np.ascontiguousarray(np.vstack([a.next_open, next_open])),
        person_mask=person_mask,
    )
    return More(replace(instance, arrays=arrays), hours, place)


def with_less_work(
    instance: Instance,
    schedule: Schedule,
    people: Sequence[int],
    first: int,
    last: int,
    hours_per_slot: float,
    place: int = 0,
) -> More | None:
    """An hour (or a slot) less to do for each, on what begins first in [first, last), takes longer and is theirs.

    None where there is nothing such.
    """
    a = instance.arrays
    seats, less = seats_of(a), ceil(1 / hours_per_slot - 1e-9)
    start = schedule.start[seats.activity]
    fits = (start >= first) & (start < last) & (a.people[seats.need] == 1) & (a.work[seats.need] > less)
    shorter = []
    for person in people:
        theirs = np.flatnonzero(fits & (schedule.crew == person))
        if len(theirs):
            shorter.append(int(seats.need[theirs[np.argmin(start[theirs])]]))
    if not shorter:
        return None
    work = a.work.copy()
    work[shorter] -= less
    hours = less * len(shorter) * hours_per_slot
    return More(replace(instance, arrays=a._replace(work=work)), hours, place, less=True)


def with_place(instance: Instance, environment: int, hours: float) -> More:
    """One more place in an environment all the time, which is open for so many hours."""
    capacity = instance.arrays.capacity.copy()
    capacity[environment] += 1
    return More(replace(instance, arrays=instance.arrays._replace(capacity=capacity)), hours)


def resolved(
    replay: Replay, candidates: Sequence[More], settings: Settings, tell: Callable[[str], None], stop: threading.Event
) -> tuple[float, list[float]]:
    """The cost without more, and with each candidate; each searched anew with the same settings.

    An order that one search finds is tried with all of them, so that the luck of a search does not count as the worth
    of an hour. No cost is above that without more.
    """
    instances = [replay.instance, *(c.instance for c in candidates)]
    found: list[Schedule] = []
    for k, instance in enumerate(instances):
        if not stop.is_set():
            of = f"with more time, {k} of {len(candidates)}" if k else "without more time, to compare with"
            tell(f"re-solving {of}")
        best = Solver(instance, settings, replay.decode(instance), stop=stop).solve().best
        found.append(best or replay.base)
    costs = []
    for instance, own in zip(instances, found, strict=True):
        tried = (replay.decode(instance, order) for order in found)
        costs.append(min([own.cost, *(s.cost for s in tried if s is not None)]))
    return costs[0], [min(cost, costs[0]) for cost in costs[1:]]
