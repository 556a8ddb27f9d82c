"""Schedule to plan: the exact inverse of compile, slots back into instants and numbers into ids."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from throttle.compile import Compiled
from throttle.instance import Schedule
from throttle_models import Assignment, PlannedItem

if TYPE_CHECKING:
    from throttle.instance import Ints


def seats_of(compiled: Compiled, j: int) -> Iterator[tuple[int, int]]:
    """(row of needs, seat) for everyone on an activity."""
    a = compiled.instance.arrays
    for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
        for seat in range(a.crew_ptr[q], a.crew_ptr[q] + a.people[q]):
            yield q, seat


def worked_slots(compiled: Compiled, schedule: Schedule, j: int) -> Ints:
    """The slots in which work goes on, in order; a need of T slots is worked on in the first T of them."""
    a = compiled.instance.arrays
    start, end = int(schedule.start[j]), int(schedule.end[j])
    crew = [(int(a.work[q]), int(schedule.crew[seat])) for q, seat in seats_of(compiled, j)]
    found: list[int] = []
    place = a.masks[a.place[j], start:end] == 1 if a.place[j] >= 0 else np.ones(end - start, bool)
    at = 0
    for until in sorted({work for work, _ in crew}):
        joint = place.copy()
        for work, person in crew:
            if work >= until:
                joint &= a.masks[a.person_mask[person], start:end] == 1
        joint[:at] = False
        found += (np.flatnonzero(joint)[: until - len(found)] + start).tolist()
        at = found[-1] + 1 - start
    return np.array(found, np.int64)


def lift(compiled: Compiled, schedule: Schedule) -> dict[str, PlannedItem]:
    """Planned items by id, in the order of the portfolio."""
    a, grid, instance = compiled.instance.arrays, compiled.grid, compiled.instance
    instants: dict[int, datetime] = {}

    def instant(slot: int) -> datetime:
        if slot not in instants:
            instants[slot] = grid.instant(slot)
        return instants[slot]

    items = {}
    for j, id in enumerate(instance.activities):
        if not id:
            continue
        start, end = int(schedule.start[j]), int(schedule.end[j])
        assignments = []
        slots = worked_slots(compiled, schedule, j)
        for q, seat in seats_of(compiled, j):
            need = instance.needs[q]
            assignments.append(
                Assignment(
                    person=instance.people[schedule.crew[seat]],
                    need=need,
                    allocation=compiled.portfolio.work[id].needs[need].allocation,
                    work=tuple((instant(f), instant(t)) for f, t in _runs(slots[: a.work[q]])),
                )
            )
        assignments.sort(key=lambda s: (s.need, s.person))
        window = None
        if a.occurrence[j] >= 0 and start < instance.slots:
            window = compiled.windows[a.occurrence[j]][a.occurrences[a.occurrence[j], start]]
        items[id] = PlannedItem(
            start=instant(start), finish=instant(end), assignments=tuple(assignments), window=window
        )
    return items


def _runs(slots: Ints) -> Iterator[tuple[int, int]]:
    breaks = np.flatnonzero(np.diff(slots) > 1)
    firsts, lasts = np.r_[slots[:1], slots[breaks + 1]], np.r_[slots[breaks], slots[-1:]]
    yield from ((int(f), int(t) + 1) for f, t in zip(firsts, lasts, strict=True))


def lower(compiled: Compiled, items: dict[str, PlannedItem]) -> Schedule | None:
    """A plan's items as a schedule of the instance, or None where it does not cover it or lies off its grid."""
    a, grid, instance = compiled.instance.arrays, compiled.grid, compiled.instance
    start, end = np.zeros(instance.n, np.int64), np.zeros(instance.n, np.int64)
    crew = np.full(int(a.crew_ptr[-1]), -1, np.int64)
    number = {p: k for k, p in enumerate(instance.people)}
    for j, id in enumerate(instance.activities):
        if not id:
            before = range(a.pred_ptr[j], a.pred_ptr[j + 1])
            start[j] = end[j] = max([int(a.release[j]), *(int(end[a.pred[e]]) for e in before)])
            continue
        item = items.get(id)
        if item is None:
            return None
        start[j], end[j] = grid.ceil(item.start), grid.ceil(item.finish)
        by_need: dict[int, list[int]] = {}
        for s in item.assignments:
            if s.person not in number:
                return None
            by_need.setdefault(s.need, []).append(number[s.person])
        for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
            people = by_need.get(instance.needs[q], [])
            if len(people) != a.people[q]:
                return None
            crew[a.crew_ptr[q] : a.crew_ptr[q + 1]] = people
    if (start < 0).any() or (end > instance.slots).any():
        return None
    from throttle.solve.jit import kernels

    cost, flow = kernels(False).cost(a, start, end)
    return Schedule(start, end, crew, float(cost), float(flow))
