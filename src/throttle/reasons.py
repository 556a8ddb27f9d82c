"""Why an item does not begin earlier: each possible cause tried alone, with everything else in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from throttle.calendars import as_of
from throttle.compile import Compiled, approval_expected
from throttle.instance import FF, FS, Schedule
from throttle.solve.decoder import PLAIN_WORK, work_of
from throttle.solve.jit import kernels
from throttle_models import Reason, WorkItem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Ints

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
        a = self.a = compiled.instance.arrays
        slots, people = compiled.instance.slots, len(compiled.instance.people)
        self.kernel = kernels(work_of(compiled.instance) > PLAIN_WORK)
        self.load = np.zeros((people, slots), np.int16)
        self.held = np.zeros((people, slots), np.int16)
        self.env = np.zeros((len(a.capacity), slots), np.int64)
        self.nobody = np.zeros((people, slots), np.int16)
        self.nowhere = np.zeros_like(self.env)
        self.never_full = a.next_open[a.person_mask]
        self.crew = schedule.crew.copy()
        self.by_person: dict[int, list[int]] = {}
        for j in range(compiled.instance.n):
            self._book(j, 1)
            for p in {int(schedule.crew[s]) for s in range(a.crew_ptr[a.need_ptr[j]], a.crew_ptr[a.need_ptr[j + 1]])}:
                self.by_person.setdefault(p, []).append(j)

    def _book(self, j: int, sign: int) -> None:
        a, s = self.a, self.schedule
        rows = self.kernel.seats_of(a, j)
        self.kernel.fill(a, j, s.crew, rows, int(s.start[j]), int(s.end[j]), sign, self.load, self.held, self.env)

    def bound(self, j: int) -> tuple[int, Cause | None]:
        """Earliest start by dates and predecessors, and which of them decides."""
        a, s, id = self.a, self.schedule, self.instance.activities[j]
        item = self.compiled.portfolio.work[id]
        est, cause = 0, None
        if a.release[j] > 0:
            est = int(a.release[j])
            portfolio = self.compiled.portfolio
            decided = approval_expected(item, as_of(portfolio), self.zone)
            if decided is not None and self.compiled.grid.ceil(decided) >= est:
                board = item.change.approval.board if item.change and item.change.approval else None
                by = f" by {board}" if board else ""
                cause = Cause(Reason.APPROVAL, f"approval{by} is not expected before {self.when(est)}")
            else:
                cause = Cause(Reason.RELEASE, f"not to begin before {self.when(est)}")
        for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
            before, kind = int(a.pred[e]), int(a.pred_type[e])
            moment = int((s.end if kind in (FS, FF) else s.start)[before] + (a.lag[e] if a.lag_kind[e] == 0 else 0))
            if kind <= 1 and moment > est:
                est = moment
                name = self.instance.activities[before] or self._behind(before)
                verb = "is finished" if kind == FS else "has begun"
                done = int((s.end if kind == FS else s.start)[before])
                text = f"waits until {name} {verb}, {self.when(done)}"
                cause = Cause(Reason.PREDECESSOR, text, (name,))
        return est, cause

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
        self._book(j, -1)
        try:
            alone = self._try(j, est, self.nobody, self.nobody, self.nowhere)
            if alone < 0 or alone >= before:
                if item.change and item.change.window:
                    return self._window(j, item, est)
                return cause or Cause(Reason.CALENDAR, "its people are not at work together earlier")
            for load, held, env, make in (
                (self.load, self.nobody, self.nowhere, self._people),
                (self.nobody, self.nobody, self.env, self._environment),
                (self.nobody, self.held, self.nowhere, self._wip),
            ):
                at = self._try(j, est, load, held, env)
                if at < 0 or at >= before:
                    return make(j, est)
            at = self._try(j, est, self.load, self.held, self.env)
        finally:
            self._book(j, 1)
        project = self.compiled.graph.project_of(id)
        limit = portfolio.policy.projects_in_process
        if limit and project is not None and not self.a.begun[self.a.project[j]] and 0 <= at < before:
            text = (
                f"{limit} projects are in process, which is the limit; {project} is let in when one of them is finished"
            )
            return Cause(Reason.WIP, text, (project,))
        return self._people(j, est)

    def _try(self, j: int, est: int, load: Room, held: Room, env: Ints) -> int:
        a, s = self.a, self.schedule
        out = np.zeros(2 + int(a.pred_ptr[j + 1] - a.pred_ptr[j]), np.int64)
        for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
            kind = int(a.pred_type[e])
            origin = int((s.end if kind in (FS, FF) else s.start)[a.pred[e]])
            if a.lag_kind[e] == 1:
                out[2 + e - a.pred_ptr[j]] = origin
            elif kind > 1:
                out[1] = max(out[1], origin + a.lag[e])
        free = np.full(len(self.crew), -1, np.int64)
        return int(self.kernel.place_activity(a, j, est, self.crew.copy(), free, load, held, env, self.never_full, out))

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
        on: dict[str, list[str]] = {}
        for p in able:
            mine = [
                i
                for i in self.by_person.get(p, ())
                if i != j
                and est < self.schedule.end[i]
                and self.schedule.start[i] < start
                and self.instance.activities[i]
            ]
            mine.sort(key=lambda i: -int(self.schedule.end[i]))
            if mine:
                on[self.instance.people[p]] = [self.instance.activities[i] for i in mine]
        if not on:
            names = [self.instance.people[p] for p in able]
            return Cause(Reason.PEOPLE, f"{_list(names) or 'its people'} cannot earlier", tuple(names[:NAMED]))
        shown = list(on.items())[:NAMED]
        what = [_list(items) if len(on) == 1 else items[0] for _, items in shown]
        text = ", ".join(f"{who} {'on' if k else 'is first on'} {what[k]}" for k, (who, _) in enumerate(shown))
        more = len(on) - NAMED
        busy = dict.fromkeys(items[0] for _, items in shown)
        return Cause(Reason.PEOPLE, text + (f" and {more} more" if more > 0 else ""), (*list(on)[:NAMED], *busy))

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
        return self.when_exact(self.compiled.grid.instant(slot))

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


def _list(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
