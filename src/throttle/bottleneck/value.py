"""What an hour more of someone is worth: cost of delay with it and without it.

Cheap: the plan's own order and people, decoded again with an hour more. What begins earlier then lets what waits for it
begin earlier too; nobody changes places. So it is the least that the hour saves. On request each is searched anew
(:func:`resolved`), from the same start with the same effort.
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

    from throttle.instance import Ints

SECONDS = 2.0
"""Work of so many seconds goes into decoding, however large the plan; so large plans have fewer values."""
DECODED_PER_SECOND = 2e7
"""Work (``work_of``) that compiled kernels decode in a second where people are given; a third of the measured."""
LEAST_DECODES, MOST_DECODES = 6, 400
TURNS = 5
"""Decodes at most until the order of starts gives itself."""
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
            if found is None or found.cost >= self.base.cost - 1e-9 * abs(self.base.cost):
                break
            self.base = found

    def decode(self, instance: Instance, order: Schedule | None = None) -> Schedule | None:
        """By start, what ends first before what begins with it; None where something has no place."""
        order = order or self.base
        key = np.empty(instance.n)
        key[np.lexsort((order.end, order.start))] = np.arange(instance.n)
        return Decoder(instance, self.compiled).decode(key, order.crew).schedule

    def saved(self, more: Iterable[More]) -> Saved | None:
        """The place in which an hour saves most; the first of equal ones. None where none could be decoded."""
        best: Saved | None = None
        for one in more:
            found = self.decode(one.instance)
            if found is None:
                continue
            saved = self.base.cost - found.cost
            saves = saved / one.hours if saved > 1e-9 * abs(self.base.cost) else 0.0
            if best is None or saves > best.saves * (1 + 1e-9):
                best = Saved(one, saves)
        return best


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
        tell(f"re-solving {k + 1} of {len(instances)}")
        best = Solver(instance, settings, replay.decode(instance), stop=stop).solve().best
        found.append(best or replay.base)
    costs = []
    for instance, own in zip(instances, found, strict=True):
        tried = (replay.decode(instance, order) for order in found)
        costs.append(min([own.cost, *(s.cost for s in tried if s is not None)]))
    return costs[0], [min(cost, costs[0]) for cost in costs[1:]]
