"""Start late: work begins no sooner than what waits for it asks for, with a buffer between (docs/plan.md, Goals).

A backward pass over one schedule (right shift; Wiest, "Some properties of schedules for large projects with limited
resources", 1964): from the last activity to the first, each keeps its people and goes to the latest place that all
rules, all that waits for it and all promises leave. What fixes the plan stays where it is: work in progress, pins, work
of the drum's people, changes in their windows, waits. Nothing that is moved finishes after its project did.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from math import ceil, inf
from typing import TYPE_CHECKING

import numpy as np

from throttle.buffers import Spread, buffers_of, longest_before, size
from throttle.compile import Compiled, rates_of
from throttle.instance import ELAPSED, FF, FS, SS, Schedule
from throttle.solve.decoder import Space
from throttle.solve.kernels import kernels
from throttle.subordinate.measure import Measure
from throttle.subordinate.search import SWITCHES
from throttle_models import LinkType

if TYPE_CHECKING:
    from throttle.instance import Ints

PASSES = 3
"""Times that all activities are tried: what is moved makes room for others."""


class Late:
    """Moves the activities of one schedule to the right."""

    def __init__(
        self, compiled: Compiled, schedule: Schedule, measure: Measure, native: bool, free: bool = False
    ) -> None:
        """``free``: the drum's people may be moved too, and no buffer is kept."""
        self.compiled, self.instance, self.measure = compiled, measure.instance, measure
        self.free = free
        a = self.a = self.instance.arrays
        self.kernel = kernels(native)
        self.start, self.end, self.crew = schedule.start.copy(), schedule.end.copy(), schedule.crew
        self.before = schedule
        n = self.instance.n
        people, slots = len(self.instance.people), self.instance.slots
        limited = bool((a.person_wip > 0).any()) or len(a.team_wip) > 0
        holders = people + len(a.team_wip)
        self.space = Space(
            load=np.zeros((people, slots), np.int16),
            held=np.zeros((holders, slots) if limited else (people, 0), np.int16),
            env=np.zeros((len(a.capacity), slots), np.int64),
            used=np.zeros(len(a.quota) + int(a.batch_first[-1]), np.int64),
            skip=np.zeros((people, slots), np.int32),
        )
        user = np.repeat(np.arange(n), np.diff(a.use_ptr))
        kept = a.exempt[user] & a.in_process[a.use]
        self.space.env[:] = np.bincount(a.use[kept], a.amount[kept], len(a.capacity)).astype(np.int64)[:, None]
        self.never_full = a.next_open[a.person_mask]
        """Slots from which on none is free, by calendars alone: what is booked comes and goes in any order here."""
        for j in range(n):
            self._book(j, 1)
        self.after: list[list[tuple[int, int]]] = [[] for _ in range(n)]
        """Of each activity, links to what waits for it: (position in ``pred``, activity)."""
        for j in range(n):
            for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
                self.after[a.pred[e]].append((e, j))
        self.latest = self._promised()
        self.margin = {} if free else self._margins()
        self.movable = self._movable()
        person = self.measure.marked.person[self.crew]
        seated = np.repeat(np.repeat(np.arange(n), np.diff(a.need_ptr)), a.people)
        self.work_of: list[Ints] = [seated[person == p] for p in range(int(person.max(initial=-1)) + 1)]
        """Of each person, the activities that they work on."""
        self.moved: set[int] = set()
        self._open: dict[tuple[int, ...], Ints] = {}
        """Slots open in all of some rows of ``masks``."""

    # --- what binds --------------------------------------------------------------------------------------------------

    def _promised(self) -> Ints:
        """Of each activity, the finish of the first to finish of its groups and of what has a promise of its own."""
        a, instance, graph = self.a, self.instance, self.compiled.graph
        latest = np.full(instance.n, np.iinfo(np.int64).max)
        for g in range(len(a.due)):
            members = a.member[a.member_ptr[g] : a.member_ptr[g + 1]]
            finish = int(self.end[members].max())
            if (
                a.flow[g] == 0 and a.measure[g] == 0
            ):  # only from its due time on does it cost, and nobody was told of it
                finish = max(finish, int(a.due[g])) if a.tardiness[g] > 0 else np.iinfo(np.int64).max
            latest[members] = np.minimum(latest[members], finish)
        number = {id: j for j, id in enumerate(instance.activities) if id}
        holders: dict[str, list[int]] = {}
        for id, j in number.items():
            project = graph.project_of(id)
            if project is not None:
                holders.setdefault(project, []).append(j)
        work = self.compiled.portfolio.work
        told = [id for id, item in work.items() if item.due is not None or any(rates_of(item))]
        groups = [*holders.values(), *([number[i] for i in graph.activities_in(id) if i in number] for id in told)]
        for some in groups:
            if some:
                latest[some] = np.minimum(latest[some], int(self.end[some].max()))
        if a.limit.any():  # no span becomes longer
            owner = np.repeat(np.arange(instance.n), np.diff(a.span_ptr))
            last = np.full(len(a.demand), -1)
            np.maximum.at(last, a.spans, self.end[owner])
            np.minimum.at(latest, owner, last[a.spans])
        alone = latest == np.iinfo(np.int64).max
        for j in np.flatnonzero(alone).tolist():
            if instance.activities[j] and not self.after[j]:
                latest[j] = self.end[j]
        return latest

    def _margins(self) -> dict[int, int]:
        """Of each activity, the slots of its people's time that must be left where something that stays waits for it.

        The feeding buffer of the policy, or else an automatic one, behind the longest chain that it ends.
        """
        compiled = self.compiled
        graph, portfolio = compiled.graph, compiled.portfolio
        buffers = buffers_of(portfolio)
        wanted = buffers.feeding if buffers is not None and buffers.feeding is not None else "auto"
        spread = {id: Spread.of(portfolio.work[id]) for id in graph.activities}
        waits: dict[str, dict[str, None]] = {}
        for edge in graph.edges:
            if edge.link.type is LinkType.FS and edge.predecessor in spread:
                waits.setdefault(edge.successor, {})[edge.predecessor] = None
        place = {id: k for k, id in enumerate(graph.activities)}
        ordered = {id: sorted(some, key=lambda p: place[p]) for id, some in waits.items()}
        known: dict[str, tuple[float, str | None]] = {}
        found = {}
        for j, id in enumerate(self.instance.activities):
            if id:
                hours = size((spread[i] for i in longest_before(id, ordered, spread, known)), wanted)
                found[j] = ceil(timedelta(hours=round(hours, 4)) / portfolio.slot - 1e-6)
        return found

    def _movable(self) -> list[int]:
        """From the last to the first, what waits before what it waits for."""
        a, marked = self.a, self.measure.marked
        depth = [0] * self.instance.n
        for j in self._in_turn():
            for _, after in self.after[j]:
                depth[after] = max(depth[after], depth[j] + 1)
        found = []
        for j, id in enumerate(self.instance.activities):
            needs = a.need_ptr[j] < a.need_ptr[j + 1]
            crew = self.crew[a.crew_ptr[a.need_ptr[j]] : a.crew_ptr[a.need_ptr[j + 1]]]
            on_drum = bool((marked.drum[crew] >= 0).any())
            fixed = a.exempt[j] or a.pin[j] >= 0 or a.occurrence[j] >= 0 or (on_drum and not self.free)
            if (not fixed and (needs or a.wait[j] == 0)) or not id:
                found.append(j)
        return sorted(found, key=lambda j: (-int(self.start[j]), -depth[j], j))

    def _in_turn(self) -> list[int]:
        waits = np.diff(self.a.pred_ptr).tolist()
        ready = [j for j, count in enumerate(waits) if not count]
        for j in ready:  # grows as it is read
            for _, after in self.after[j]:
                waits[after] -= 1
                if not waits[after]:
                    ready.append(after)
        return ready

    # --- moving ------------------------------------------------------------------------------------------------------

    def run(
        self, most_switches: float, fixed: Collection[int] = (), over: Callable[[int], bool] = lambda _: False
    ) -> Schedule:
        """The schedule with all moved that can be, without more switches than there are, or than ``most_switches``.

        ``fixed``: activities that stay; ``over``: whether to stop, given how many were tried.
        """
        room = most_switches - self.measure.of(self.start, self.end, self.crew)[SWITCHES]
        stay, tried = set(fixed), 0
        again = set(self.movable)
        for _ in range(PASSES):
            now, again = again - stay, set()
            for j in self.movable:
                if j not in now:
                    continue
                if over(tried):
                    break
                tried += 1
                before = int(self.start[j]), int(self.end[j])
                place = self._place(j)
                if place is None:
                    continue
                switches = self._switches(j)
                self._go(j, *place)
                more = self._switches(j) - switches
                if more > max(0.0, room):
                    self._go(j, *before)
                    continue
                room -= more
                if self.instance.activities[j]:
                    self.moved.add(j)
                again.update(self._around(j).tolist())
        cost, flow = self.kernel.cost(self.a, self.start, self.end)
        return replace(self.before, start=self.start.copy(), end=self.end.copy(), cost=float(cost), flow=float(flow))

    def _around(self, j: int) -> Ints:
        """What may have room now that an activity has moved: what it waits for, and other work of its people."""
        a = self.a
        mine = [self.work_of[p] for p in self._people(j)]
        found: Ints = np.concatenate([a.pred[a.pred_ptr[j] : a.pred_ptr[j + 1]], *mine])
        return np.setdiff1d(found, [j])

    def _people(self, j: int) -> list[int]:
        a = self.a
        crew = self.crew[a.crew_ptr[a.need_ptr[j]] : a.crew_ptr[a.need_ptr[j + 1]]]
        return sorted(set(self.measure.marked.person[crew].tolist()))

    def _switches(self, j: int) -> int:
        """Those of the people of an activity."""
        people = self._people(j)
        if not people:
            return 0
        of = np.unique(np.concatenate([self.work_of[p] for p in people]))
        return self.measure.switches_of(self.start, self.end, self.crew, of, people)

    def _go(self, j: int, start: int, end: int) -> None:
        self._book(j, -1)
        self.start[j], self.end[j] = start, end
        self._book(j, 1)

    def _book(self, j: int, sign: int) -> None:
        a, s = self.a, self.space
        start, end = int(self.start[j]), int(self.end[j])
        if len(a.quota_bucket) or a.batch_ptr[j] < a.batch_ptr[j + 1]:
            self.kernel.book(a, j, self.crew, start, end, sign, s)
        elif start < end:
            self.kernel.fill(a, j, self.crew, self.kernel.seats_of(a, j), start, end, sign, s.load, s.held, s.env)

    def _place(self, j: int) -> tuple[int, int] | None:
        """The latest place after its own, with the same people; None where there is none."""
        a = self.a
        until, begin = self._bounds(j)
        if not self.instance.activities[j]:
            at = min(until, begin)
            return (at, at) if at > self.start[j] else None
        if until <= self.end[j] or begin <= self.start[j]:
            return None
        self._book(j, -1)
        rows, s = self.kernel.seats_of(a, j), self.space
        out = np.zeros(2 + int(a.pred_ptr[j + 1] - a.pred_ptr[j]), np.int64)
        low, found = int(self.start[j]) + 1, None
        high = min(begin, until)
        # whether there is a place from a slot on only ever turns from yes to no
        while low <= high:
            middle = (low + high) // 2
            out[:] = 0
            at = int(
                self.kernel.earliest_within(
                    a, j, self.crew, rows, middle, until, s.load, s.held, s.env, s.used, self.never_full, out
                )
            )
            if 0 <= at <= begin and out[0] <= until:
                found, low = (at, int(out[0])), at + 1
            else:
                high = middle - 1
        self._book(j, 1)
        return found

    def _bounds(self, j: int) -> tuple[int, int]:
        """The slot by which it must be finished, and the one by which it must have begun."""
        a, real = self.a, bool(self.instance.activities[j])
        until, begin = float(self.latest[j]), inf
        anchored = until
        for e, after in self.after[j]:
            kind = int(a.pred_type[e])
            moment = self._before(int((self.start if kind in (FS, SS) else self.end)[after]), e, after)
            if kind in (FS, FF):
                until = min(until, moment)
                if after not in self.moved:
                    anchored = min(anchored, moment)
            else:
                begin = min(begin, moment)
        slots = self.instance.slots
        until, anchored = min(until, slots), min(anchored, slots)
        if real and (margin := self.margin.get(j, 0)):
            until = min(until, self._less(j, int(anchored), margin))
        return int(until), int(min(begin, slots))

    def _before(self, bound: int, e: int, after: int) -> int:
        """The latest moment from which a link leaves its lag before a start or finish."""
        a, lag = self.a, int(self.a.lag[e])
        if a.lag_kind[e] == ELAPSED or lag == 0:
            return bound - lag
        opened = self._opened(after)
        at = int(np.searchsorted(opened, bound)) - lag
        if lag > 0:
            return int(opened[at]) if at >= 0 else 0
        return int(opened[at]) if at < len(opened) else self.instance.slots

    def _less(self, j: int, bound: int, margin: int) -> int:
        """So much of its people's time before a bound; by the clock where it has nobody."""
        opened = self._opened(j)
        if self.a.need_ptr[j] == self.a.need_ptr[j + 1]:
            return bound - margin
        at = int(np.searchsorted(opened, bound)) - margin
        return int(opened[at]) if at >= 0 else 0

    def _opened(self, j: int) -> Ints:
        """Slots open for all people of an activity."""
        a = self.a
        crew = self.crew[a.crew_ptr[a.need_ptr[j]] : a.crew_ptr[a.need_ptr[j + 1]]]
        rows = tuple(sorted(set(a.person_mask[crew].tolist())))
        if rows not in self._open:
            self._open[rows] = np.flatnonzero(a.masks[list(rows)].all(axis=0))
        return self._open[rows]
