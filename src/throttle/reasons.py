"""Why an item does not begin earlier: each possible cause tried alone, with everything else in its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from throttle.calendars import as_of
from throttle.compile import Compiled, approval_expected
from throttle.instance import ELAPSED, FF, FS, SF, SS, WORKING, Instance, Schedule
from throttle.solve.decoder import PLAIN_WORK, work_of
from throttle.solve.kernels import kernels
from throttle.worked import Seats, seats_of, worked
from throttle_models import Reason, WorkItem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Bools, Ints

    Room = NDArray[np.int16]

NAMED = 3
"""Most items named in one sentence."""


@dataclass(frozen=True)
class Cause:
    reason: Reason
    text: str
    refs: tuple[str, ...] = ()


class Reasons:
    """Causes of delay in one schedule."""

    def __init__(self, compiled: Compiled, schedule: Schedule) -> None:
        self.compiled, self.schedule = compiled, schedule
        self.instance = compiled.instance
        self.zone = ZoneInfo(compiled.portfolio.zone)
        self.now = as_of(compiled.portfolio)
        a = self.a = compiled.instance.arrays
        self.seats = seats_of(a)
        self.on = _OnPeople(self.seats, schedule)
        self._texts: dict[int, str] = {}
        origin = np.where((a.pred_type == FS) | (a.pred_type == FF), schedule.end[a.pred], schedule.start[a.pred])
        self.links = _Links(
            a.pred_ptr.tolist(),
            a.pred.tolist(),
            a.pred_type.tolist(),
            origin.tolist(),
            (origin + np.where(a.lag_kind == ELAPSED, a.lag, 0)).tolist(),
        )
        self.release: list[int] = a.release.tolist()
        self.limited = a.person_wip > 0
        self.always_open: Bools = (a.masks == 1).all(axis=1)

    @cached_property
    def room(self) -> _Room:
        """What is taken; only where the cause is not seen without it."""
        return _Room(self.instance, self.seats, self.schedule)

    def bound(self, j: int) -> tuple[int, Cause | None]:
        """Earliest start by dates and predecessors, and which of them decides."""
        est, by, links = self.release[j], -1, self.links
        for e in range(links.ptr[j], links.ptr[j + 1]):
            if links.type[e] in (FS, SS) and links.moment[e] > est:
                est, by = links.moment[e], e
        if by >= 0:
            before, kind = links.before[by], links.type[by]
            name = self.instance.activities[before] or self._behind(before)
            verb = "is finished" if kind == FS else "has begun"
            text = f"waits until {name} {verb}, {self.when(links.origin[by])}"
            return est, Cause(Reason.PREDECESSOR, text, (name,))
        if est > 0:
            item = self.compiled.portfolio.work[self.instance.activities[j]]
            decided = approval_expected(item, self.now, self.zone)
            if decided is not None and self.compiled.grid.ceil(decided) >= est:
                board = item.change.approval.board if item.change and item.change.approval else None
                by_board = f" by {board}" if board else ""
                return est, Cause(Reason.APPROVAL, f"approval{by_board} is not expected before {self.when(est)}")
            return est, Cause(Reason.RELEASE, f"not to begin before {self.when(est)}")
        return 0, None

    def _behind(self, hidden: int) -> str:
        """What a hidden milestone stands for: the last of what it waits for, or something outside."""
        a, s = self.a, self.schedule
        before = a.pred[a.pred_ptr[hidden] : a.pred_ptr[hidden + 1]]
        if len(before):
            return self.instance.activities[int(before[np.argmax(s.end[before])])]
        return self.compiled.dated[hidden - self.instance.activities.index("")]

    def why(self, j: int, before: int) -> Cause:
        """The cause why activity j does not begin before a slot, though it is in the schedule."""
        portfolio = self.compiled.portfolio
        id = self.instance.activities[j]
        item = portfolio.work[id]
        if self.a.pin[j] >= 0:
            return Cause(Reason.PINNED, f"pinned to start {self.when(int(self.a.pin[j]))}")
        est, cause = self.bound(j)
        if est >= before and cause:
            return cause
        if self._free_of_all_but_people(j):
            return self._people(j, est)
        room = self.room
        with room.without(j):
            alone = self._try(j, est, room.nobody, room.nobody, room.nowhere)
            if alone < 0 or alone >= before:
                if item.change and item.change.window:
                    return self._window(j, item, est)
                return cause or Cause(Reason.CALENDAR, "its people are not at work together earlier")
            for load, held, env, make in (
                (room.load, room.nobody, room.nowhere, self._people),
                (room.nobody, room.nobody, room.env, self._environment),
                (room.nobody, room.held, room.nowhere, self._wip),
            ):
                at = self._try(j, est, load, held, env)
                if at < 0 or at >= before:
                    return make(j, est)
            at = self._try(j, est, room.load, room.held, room.env)
        project = self.compiled.graph.project_of(id)
        limit = portfolio.policy.projects_in_process
        if limit and project is not None and project not in self.compiled.begun and 0 <= at < before:
            text = (
                f"{limit} projects are in process, which is the limit; {project} is let in when one of them is finished"
            )
            return Cause(Reason.WIP, text, (project,))
        return self._people(j, est)

    def _free_of_all_but_people(self, j: int) -> bool:
        """Whether it could begin at once if its people had nothing else to do: then only they can be the cause."""
        a = self.a
        able = a.candidate[a.cand_ptr[a.need_ptr[j]] : a.cand_ptr[a.need_ptr[j + 1]]]
        return bool(
            a.plain[j]
            and len(able)
            and not self._finish_bound(j)
            and self.always_open[a.person_mask[able]].all()
            and not self.limited[able].any()
            and a.begun[a.spans[a.span_ptr[j] : a.span_ptr[j + 1]]].all()
        )

    def _finish_bound(self, j: int) -> bool:
        """Whether a link keeps its finish; then it may have to begin later than it could."""
        links = self.links
        return any(links.type[e] in (FF, SF) for e in range(links.ptr[j], links.ptr[j + 1]))

    def _try(self, j: int, est: int, load: Room, held: Room, env: Ints) -> int:
        a, s = self.a, self.schedule
        out = np.zeros(2 + int(a.pred_ptr[j + 1] - a.pred_ptr[j]), np.int64)
        for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
            kind = int(a.pred_type[e])
            origin = int((s.end if kind in (FS, FF) else s.start)[a.pred[e]])
            if a.lag_kind[e] == WORKING:
                out[2 + e - a.pred_ptr[j]] = origin
            elif kind in (FF, SF):
                out[1] = max(out[1], origin + a.lag[e])
        room = self.room
        crew, free = self.schedule.crew.copy(), room.free
        return int(room.kernel.place_activity(a, j, est, crew, free, load, held, env, room.never_full, out))

    def _candidates(self, j: int) -> list[int]:
        """Who could work on it, those now on it first."""
        a = self.a
        rows = slice(a.need_ptr[j], a.need_ptr[j + 1])
        mine: list[int] = self.schedule.crew[a.crew_ptr[rows.start] : a.crew_ptr[rows.stop]].tolist()
        others: list[int] = a.candidate[a.cand_ptr[rows.start] : a.cand_ptr[rows.stop]].tolist()
        return list(dict.fromkeys([*mine, *others]))

    def _people(self, j: int, est: int) -> Cause:
        """Who could do it and what each of them does instead, the last before it first."""
        start = int(self.schedule.start[j])
        able = self._candidates(j)
        busy, last = self.on.last_before(np.array(able, np.int64), start, est)
        people, activities = self.instance.people, self.instance.activities
        names = [people[able[k]] for k in busy[:NAMED]]
        if not names:
            some = [people[p] for p in able]
            return Cause(Reason.PEOPLE, f"{_list(some) or 'its people'} cannot earlier", tuple(some[:NAMED]))
        first = what = [activities[i] for i in last[:NAMED]]
        if len(busy) == 1:
            what = [_list([activities[i] for i in self.on.before(able[busy[0]], start, est)])]
        text = ", ".join(f"{who} {'on' if k else 'is first on'} {what[k]}" for k, who in enumerate(names))
        more = len(busy) - NAMED
        return Cause(Reason.PEOPLE, text + (f" and {more} more" if more > 0 else ""), (*names, *dict.fromkeys(first)))

    def _window(self, j: int, item: WorkItem, est: int) -> Cause:
        """Why the occurrences of its window before its start will not do."""
        window = item.change.window if item.change and item.change.window else ""
        a, row, start = self.a, int(self.a.occurrence[j]), int(self.schedule.start[j])
        number = a.occurrences[row]
        passed = [k for k in dict.fromkeys(number[est:start].tolist()) if k >= 0 and k != number[start]]
        why = [f"{self.when_exact(self.compiled.windows[row][k][0])} {self._missed(j, row, k)}" for k in passed]
        text = f"the next occurrence of window {window} that it fits in is {self.when(start)}"
        if why:
            text += f" ({'; '.join(why[:NAMED])}{f'; and {len(why) - NAMED} more' if len(why) > NAMED else ''})"
        return Cause(Reason.WINDOW, text, (window,))

    def _missed(self, j: int, row: int, occurrence: int) -> str:
        a = self.a
        inside = a.occurrences[row] == occurrence
        if a.frozen[j] >= 0 and (a.frosts[a.frozen[j]][inside] == 1).any():
            return "is frozen"
        for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
            able = a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]]
            there = [p for p in able if int(a.masks[a.person_mask[p]][inside].sum()) >= a.work[q]]
            if len(there) < a.people[q]:
                return "finds too few of its people at work"
        return "is too short or has begun"

    def when(self, slot: int) -> str:
        if slot not in self._texts:
            self._texts[slot] = self.when_exact(self.compiled.grid.instant(slot))
        return self._texts[slot]

    def when_exact(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%a %Y-%m-%d %H:%M}"

    def _environment(self, j: int, _est: int) -> Cause:
        names = list(self.compiled.portfolio.work[self.instance.activities[j]].environment)
        return Cause(Reason.ENVIRONMENT, f"{_list(names)} is taken by other work until then", tuple(names))

    def _wip(self, j: int, _est: int) -> Cause:
        people = [self.instance.people[p] for p in self._candidates(j)]
        return Cause(
            Reason.WIP, f"{_list(people)} already has as many items begun as the limit allows", tuple(people[:NAMED])
        )


class _Links(NamedTuple):
    """Links by the activity that waits, as lists, which plain Python reads faster than arrays."""

    ptr: list[int]
    before: list[int]
    type: list[int]
    origin: list[int]
    """Start or end of the other, that it counts from."""
    moment: list[int]
    """With an elapsed lag."""


class _OnPeople:
    """Who works on what, person by person in the order of starts."""

    def __init__(self, seats: Seats, schedule: Schedule) -> None:
        person, j = schedule.crew, seats.activity
        order = np.lexsort((j, schedule.start[j], person))
        self.person, self.activity = person[order], j[order]
        self.start, self.end = schedule.start[self.activity], schedule.end[self.activity]
        self.width = int(self.end.max(initial=0)) + 2
        self.key = self.person * self.width + self.start
        # up to each, the one of the same person that ends last, the first of equals: a running maximum
        rank = np.lexsort((-self.activity, self.end))
        place = np.empty(len(rank), np.int64)
        place[rank] = np.arange(len(rank))
        best = np.maximum.accumulate(place + self.person * len(rank)) - self.person * len(rank)
        self.latest = rank[best]

    def last_before(self, people: Ints, start: int, est: int) -> tuple[list[int], list[int]]:
        """Which of the people have something that starts before a slot and ends after est, and what ends last of it."""
        if not len(self.key):
            return [], []
        at = np.searchsorted(self.key, people * self.width + start) - 1
        latest = self.latest[np.maximum(at, 0)]
        found = np.flatnonzero((at >= 0) & (self.person[at] == people) & (self.end[latest] > est))
        return found.tolist(), self.activity[latest[found]].tolist()

    def before(self, person: int, start: int, est: int) -> list[int]:
        """All that a person has that starts before a slot and ends after est, the last to end first."""
        rows = slice(*np.searchsorted(self.key, [person * self.width, person * self.width + start]))
        mine, end = self.activity[rows], self.end[rows]
        kept = end > est
        found: list[int] = mine[kept][np.lexsort((mine[kept], -end[kept]))].tolist()
        return found


class _Room:
    """What each person and environment is taken by in each slot."""

    def __init__(self, instance: Instance, seats: Seats, schedule: Schedule) -> None:
        a = self.a = instance.arrays
        people, slots = len(instance.people), instance.slots
        self.schedule, self.seats = schedule, seats
        self.kernel = kernels(work_of(instance) > PLAIN_WORK)
        self.work = worked(a, schedule)
        self.load = np.zeros((people, slots), np.int16)
        self.held = np.zeros((people, slots), np.int16)
        self.env = np.zeros((len(a.capacity), slots), np.int64)
        self.nobody = np.zeros((people, slots), np.int16)
        self.nowhere = np.zeros_like(self.env)
        self.never_full = a.next_open[a.person_mask]
        self.free = np.full(len(schedule.crew), -1, np.int64)
        seat, first, last = self.work.of(seats, a.work)
        _fill(self.load, schedule.crew[seat], first, last, a.share[seats.need[seat]])
        limited = np.flatnonzero(a.person_wip[schedule.crew] > 0)
        j = seats.activity[limited]
        from_ = np.where(a.exempt[j], 0, schedule.start[j])
        _fill(self.held, schedule.crew[limited], from_, schedule.end[j], np.ones_like(j))
        user = np.repeat(np.arange(instance.n), np.diff(a.use_ptr))
        _fill(self.env, a.use, schedule.start[user], schedule.end[user], a.amount)

    @contextmanager
    def without(self, j: int) -> Iterator[None]:
        """As if activity j had no place yet."""
        self._book(j, -1)
        try:
            yield
        finally:
            self._book(j, 1)

    def _book(self, j: int, sign: int) -> None:
        a, s = self.a, self.schedule
        mine = np.arange(a.crew_ptr[a.need_ptr[j]], a.crew_ptr[a.need_ptr[j + 1]])
        start, end = int(s.start[j]), int(s.end[j])
        for seat, first, last in zip(*self.work.of(self.seats, a.work, mine), strict=True):
            self.load[s.crew[seat], first:last] += sign * a.share[self.seats.need[seat]]
        for p in s.crew[mine]:
            if a.person_wip[p] > 0:
                self.held[p, 0 if a.exempt[j] else start : end] += sign
        for u in range(a.use_ptr[j], a.use_ptr[j + 1]):
            self.env[a.use[u], start:end] += sign * a.amount[u]


def _fill(room: NDArray[Any], row: Ints, first: Ints, last: Ints, amount: Ints) -> None:
    """Add amounts to the slots [first, last) of rows."""
    change = np.zeros((room.shape[0], room.shape[1] + 1), np.int64)
    np.add.at(change, (row, first), amount)
    np.add.at(change, (row, last), -amount)
    room += np.cumsum(change[:, :-1], axis=1).astype(room.dtype)


def _list(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
