"""Schedule to plan: the exact inverse of compile, slots back into instants and numbers into ids."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from throttle.calendars import Grid
from throttle.compile import Compiled
from throttle.instance import SF, SS, Schedule
from throttle.worked import seats_of, worked
from throttle_models import Assignment, PlannedItem

if TYPE_CHECKING:
    from throttle.instance import Arrays, Instance, Ints


def lift(compiled: Compiled, schedule: Schedule) -> dict[str, PlannedItem]:
    """Planned items by id, in the order of the portfolio."""
    a, instance = compiled.instance.arrays, compiled.instance
    seats, work = seats_of(a), compiled.portfolio.work
    seat, first, last = worked(a, schedule).of(seats, a.work)
    piece = np.searchsorted(seat, np.arange(len(seats.need) + 1)).tolist()
    instants = _Instants(compiled.grid)
    spans = list(zip(instants.of(first), instants.of(last), strict=True))
    starts, ends = instants.of(schedule.start), instants.of(schedule.end)
    people = [instance.people[p] for p in schedule.crew.tolist()]
    need = [instance.needs[q] for q in seats.need.tolist()]
    from_ = a.crew_ptr[a.need_ptr].tolist()
    windows = _windows(compiled, schedule)
    items = {}
    for j, id in enumerate(instance.activities):
        if not id:
            continue
        needs = work[id].needs
        crew = sorted(range(from_[j], from_[j + 1]), key=lambda s: (need[s], people[s]))
        items[id] = PlannedItem(
            start=starts[j],
            finish=ends[j],
            assignments=tuple(
                Assignment(
                    person=people[s],
                    need=need[s],
                    allocation=needs[need[s]].allocation,
                    work=tuple(spans[piece[s] : piece[s + 1]]),
                )
                for s in crew
            ),
            window=windows.get(j),
        )
    return items


def _windows(compiled: Compiled, schedule: Schedule) -> dict[int, tuple[datetime, datetime]]:
    """Of each activity with a window, the occurrence that it starts in."""
    a = compiled.instance.arrays
    inside = np.flatnonzero((a.occurrence >= 0) & (schedule.start < compiled.instance.slots))
    number = a.occurrences[a.occurrence[inside], schedule.start[inside]]
    return {
        int(j): compiled.windows[int(a.occurrence[j])][int(k)] for j, k in zip(inside, number, strict=True) if k >= 0
    }


class _Instants:
    """Slots as moments; equal ones are one object, since a plan names each many times."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._known: dict[int, datetime] = {}

    def of(self, slots: Ints) -> list[datetime]:
        for slot in np.unique(slots).tolist():
            if slot not in self._known:
                self._known[slot] = self._grid.instant(slot)
        return [self._known[slot] for slot in slots.tolist()]


def earliest_hidden(a: Arrays, j: int, start: Ints, end: Ints) -> int:
    """When a hidden milestone can be, by what it waits for."""
    before = range(a.pred_ptr[j], a.pred_ptr[j + 1])
    moments = (int((start if a.pred_type[e] in (SS, SF) else end)[a.pred[e]] + a.lag[e]) for e in before)
    return max([int(a.release[j]), *moments])


def settled(instance: Instance, schedule: Schedule) -> Schedule:
    """The same with hidden milestones as early as they can be: models leave them anywhere, and late ones may cost."""
    a, start, end = instance.arrays, schedule.start.copy(), schedule.end.copy()
    for j, id in enumerate(instance.activities):
        if not id:
            start[j] = end[j] = earliest_hidden(a, j, start, end)
    if (start == schedule.start).all():
        return schedule
    from throttle.solve.kernels import kernels

    cost, flow = kernels(False).cost(a, start, end)
    return Schedule(start, end, schedule.crew, float(cost), float(flow))


def lower(compiled: Compiled, items: dict[str, PlannedItem]) -> Schedule | None:
    """A plan's items as a schedule of the instance, or None where it does not cover it or lies off its grid."""
    a, grid, instance = compiled.instance.arrays, compiled.grid, compiled.instance
    start, end = np.zeros(instance.n, np.int64), np.zeros(instance.n, np.int64)
    crew = np.full(int(a.crew_ptr[-1]), -1, np.int64)
    number: dict[str, list[int]] = {}
    for k, person in enumerate(instance.people):
        number.setdefault(person, []).append(k)
    for j, id in enumerate(instance.activities):
        if not id:
            start[j] = end[j] = earliest_hidden(a, j, start, end)
            continue
        item = items.get(id)
        if item is None:
            return None
        start[j], end[j] = grid.ceil(item.start), grid.ceil(item.finish)
        by_need: dict[int, list[int]] = {}
        for s in item.assignments:
            if s.person not in number:
                return None
            rows = number[s.person]
            if len(rows) > 1 and 0 <= start[j] < instance.slots:  # the hours of theirs that it starts in
                rows = [k for k in rows if a.masks[a.person_mask[k], start[j]] == 1] or rows
            by_need.setdefault(s.need, []).append(rows[0])
        for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
            people = by_need.get(instance.needs[q], [])
            if len(people) != a.people[q]:
                return None
            crew[a.crew_ptr[q] : a.crew_ptr[q + 1]] = people
    if (start < 0).any() or (end > instance.slots).any():
        return None
    from throttle.solve.kernels import kernels

    cost, flow = kernels(False).cost(a, start, end)
    return Schedule(start, end, crew, float(cost), float(flow))
