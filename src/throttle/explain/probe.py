"""One activity placed again, everything else where it is, with some rules taken away: when could it begin?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from throttle.calendars import Calendars, as_of
from throttle.compile import Compiled, approval_expected
from throttle.explain.rules import Rule
from throttle.instance import ELAPSED, FF, FS, SS, WORKING, Schedule
from throttle_models import LinkType, When

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Arrays, Ints
    from throttle.reasons import Room, Taken


@dataclass(frozen=True)
class Placed:
    """Where it would be, in slots."""

    start: int
    end: int
    crew: dict[int, int]
    """Seat to person."""


class Probe:
    """Places in one schedule. Not shared between threads."""

    def __init__(self, compiled: Compiled, schedule: Schedule, room: Taken) -> None:
        """room: what the schedule takes."""
        self.compiled, self.schedule, self.room = compiled, schedule, room
        self.a: Arrays = compiled.instance.arrays
        self.tries = 0
        """Places looked for so far."""

    def rules(self, j: int) -> list[Rule]:
        """Those that could keep an activity, the smallest first."""
        a, compiled = self.a, self.compiled
        item = compiled.portfolio.work[compiled.instance.activities[j]]
        rows, counted = self._rows(j), self._counted
        candidates = a.candidate[a.cand_ptr[a.need_ptr[j]] : a.cand_ptr[a.need_ptr[j + 1]]]
        fields = {self.limits[int(a.span_limit[x])] for x in a.spans[a.span_ptr[j] : a.span_ptr[j + 1]]}
        linked = range(int(a.pred_ptr[j]), int(a.pred_ptr[j + 1]))
        kit = self.kit(j)
        there = {
            Rule.PINNED: a.pin[j] >= 0,
            Rule.APPROVAL: approval_expected(item, self.now, compiled.calendars) is not None,
            Rule.RELEASE: self.not_before(j) > 0,
            Rule.KIT: bool(kit),
            Rule.PREDECESSOR: len(kit) < len(linked),
            Rule.FREEZE: a.frozen[j] >= 0,
            Rule.FULL: a.batch_ptr[j] < a.batch_ptr[j + 1],
            Rule.CONFLICT: any(counted.get(r) == "policy.conflict_hops" for r in rows),
            Rule.TYPE: any(str(counted.get(r)).startswith("policy.wip.") for r in rows),
            Rule.PROJECTS: "policy.projects_in_process" in fields,
            Rule.ROPE: "policy.rope" in fields,
            Rule.TEAM: bool((a.team[candidates] >= 0).any()),
            Rule.PERSON: bool((a.person_wip[candidates] > 0).any()),
            Rule.ENVIRONMENT: any(r not in counted for r in rows),
            Rule.PEOPLE: len(candidates) > 0,
            Rule.RESERVE: bool(self.reserving[candidates].any()) if len(candidates) else False,
            Rule.WINDOW: a.occurrence[j] >= 0,
        }
        return [rule for rule in Rule if there.get(rule)]

    def place(
        self,
        j: int,
        without: Collection[Rule] = (),
        *,
        unlinked: Collection[int] = (),
        unbooked: Sequence[int] = (),
        arrays: Arrays | None = None,
    ) -> Placed | None:
        """Its first place at or before that of the schedule; None where there is none.

        unlinked: links (positions in ``pred``) that do not count; unbooked: other activities that are not there;
        arrays: instead of the instance's own, with other calendars say.
        """
        room = self.room
        for i in (j, *unbooked):
            room.book(i, -1)
        try:
            return self._place(j, without, unlinked, arrays or self.a)
        finally:
            for i in (j, *unbooked):
                room.book(i, 1)

    def _place(self, j: int, without: Collection[Rule], unlinked: Collection[int], a: Arrays) -> Placed | None:
        s, room = self.schedule, self.room
        est = 0
        if Rule.RELEASE not in without:
            est = self.not_before(j)
        if Rule.APPROVAL not in without:
            est = max(est, self.approved(j))
        if a.exempt[j]:
            est = 0
        first, last = int(a.pred_ptr[j]), int(a.pred_ptr[j + 1])
        kit = self.kit(j)
        out = np.zeros(2 + last - first, np.int64)
        dropped = set(unlinked)
        if Rule.KIT in without:
            dropped |= kit
        if Rule.PREDECESSOR in without:
            dropped |= set(range(first, last)) - kit
        for e in range(first, last):
            kind = int(a.pred_type[e])
            origin = int((s.end if kind in (FS, FF) else s.start)[a.pred[e]])
            if e in dropped:
                continue
            if a.lag_kind[e] == WORKING:
                out[2 + e - first] = origin
            elif kind in (FS, SS):
                est = max(est, origin + int(a.lag[e]))
            else:
                out[1] = max(out[1], origin + a.lag[e])
        changed: dict[str, Any] = {}
        if any(a.lag_kind[e] == WORKING for e in dropped):
            changed["lag_kind"] = _set(a.lag_kind, sorted(dropped), ELAPSED)
        if Rule.PINNED in without:
            changed["pin"] = _set(a.pin, j, -1)
        elif a.pin[j] >= 0:
            est = int(a.pin[j])
        if Rule.FREEZE in without:
            changed["frozen"] = _set(a.frozen, j, -1)
        if Rule.WINDOW in without:
            changed["occurrence"] = _set(a.occurrence, j, -1)
        if Rule.WINDOW in without or Rule.FULL in without:
            changed["batch_ptr"] = np.zeros_like(a.batch_ptr)
        if Rule.PERSON in without:
            changed["person_wip"] = np.zeros_like(a.person_wip)
        if Rule.TEAM in without:
            changed["team"] = np.full_like(a.team, -1)
        if Rule.RESERVE in without:
            changed |= self.unreserved.changes()
        elif Rule.CALENDAR in without:
            changed |= _always(a)
        load = room.nobody if Rule.PEOPLE in without else room.load
        held = room.held
        env = room.env
        quiet = [r for r in self._rows(j) if self._rule_of(r) in without]
        if quiet:
            env = env.copy()
            env[quiet] = 0
        used = room.used
        if Rule.PEOPLE in without and len(a.quota):
            used = used.copy()
            used[: len(a.quota)] = 0
        a = a._replace(**changed) if changed else a
        skip = a.next_open[a.person_mask] if "person_mask" in changed else room.never_full
        latest = int(s.start[j])
        while est <= latest:
            found = self._first(a, j, est, load, held, env, used, skip, out, latest)
            if found is None or found.start > latest:
                return None
            again = self._let_in(j, found.start, without)
            if again <= found.start:
                return found
            est = again
        return None

    def _first(
        self,
        a: Arrays,
        j: int,
        est: int,
        load: Room,
        held: Room,
        env: Ints,
        used: Ints,
        skip: NDArray[np.int32],
        out: Ints,
        latest: int,
    ) -> Placed | None:
        """With the crew that is found seat by seat, or with its own where that is sooner."""
        best: Placed | None = None
        room, free = self.room, self.room.free
        mine = free.copy()
        rows = slice(int(a.crew_ptr[a.need_ptr[j]]), int(a.crew_ptr[a.need_ptr[j + 1]]))
        mine[rows] = self.schedule.crew[rows]
        ways = (free, mine) if rows.stop - rows.start > 1 else (free,)
        for forced in ways:
            own = out.copy()
            crew = self.schedule.crew.copy()
            at = int(room.kernel.place_beside(a, j, est, crew, forced, load, held, env, used, skip, own))
            self.tries += 1
            if at >= 0 and (best is None or at < best.start):
                best = Placed(at, int(own[0]), {seat: int(crew[seat]) for seat in range(rows.start, rows.stop)})
            if best is not None and best.start < latest:
                break
        return best

    # --- limits on spans ---------------------------------------------------------------------------------------

    def _let_in(self, j: int, at: int, without: Collection[Rule]) -> int:
        """The slot itself where the limits on spans let an activity begin there, else the next at which they may."""
        a = self.a
        mine = a.spans[a.span_ptr[j] : a.span_ptr[j + 1]].tolist()
        for x in mine:
            row = int(a.span_limit[x])
            rule = Rule.ROPE if self.limits[row] == "policy.rope" else Rule.PROJECTS
            if rule in without or a.begun[x]:
                continue
            first, last = self._spans_without(j)
            if first[x] <= at:
                continue
            others = np.flatnonzero((a.span_limit == row) & (np.arange(len(first)) != x))
            moments = [at, *(int(m) for m in first[others] if at < m < first[x])]
            starting = [o for o in others.tolist() if not a.begun[o]]
            for moment in moments:
                beside = others[(first[others] <= moment) & (last[others] > moment)]
                taken = int(a.demand[beside].sum())
                starts = moment == at or any(first[o] == moment for o in starting)
                if starts and len(beside) and taken + int(a.demand[x]) > int(a.limit[row]):
                    later = [int(m) for m in last[others] if m > at]
                    return min(later, default=at + 1)
        return at

    def _spans_without(self, j: int) -> tuple[Ints, Ints]:
        """First start and last end of each span, of its members but one."""
        a, s, n = self.a, self.schedule, self.compiled.instance.n
        first = np.full(len(a.demand), self.compiled.instance.slots)
        last = np.full(len(a.demand), -1)
        owner = np.repeat(np.arange(n), np.diff(a.span_ptr))
        kept = owner != j
        np.minimum.at(first, a.spans[kept], s.start[owner[kept]])
        np.maximum.at(last, a.spans[kept], s.end[owner[kept]])
        first[a.begun] = 0
        return first, last

    # --- what keeps it -------------------------------------------------------------------------------------------

    @cached_property
    def now(self) -> datetime:
        return as_of(self.compiled.portfolio)

    @cached_property
    def limits(self) -> list[str]:
        """Of each row of limits, the field that says it."""
        return [field for _, _, field in self.compiled.rules.limits] if self.compiled.rules else []

    @cached_property
    def _counted(self) -> dict[int, str]:
        return self.compiled.rules.counted if self.compiled.rules else {}

    def _rows(self, j: int) -> list[int]:
        found: list[int] = self.a.use[self.a.use_ptr[j] : self.a.use_ptr[j + 1]].tolist()
        return found

    def _rule_of(self, row: int) -> Rule:
        field = self._counted.get(row)
        if field is None:
            return Rule.ENVIRONMENT
        return Rule.CONFLICT if field == "policy.conflict_hops" else Rule.TYPE

    def approved(self, j: int) -> int:
        """The slot before which it has no approval."""
        item = self.compiled.portfolio.work[self.compiled.instance.activities[j]]
        decided = approval_expected(item, self.now, self.compiled.calendars)
        return 0 if decided is None else max(0, self.compiled.grid.ceil(decided))

    def not_before(self, j: int) -> int:
        """The slot before which dates of its own, its containers' and its project's do not let it begin."""
        compiled, zone = self.compiled, ZoneInfo(self.compiled.portfolio.zone)
        portfolio, id = compiled.portfolio, compiled.instance.activities[j]
        moments: list[When | None] = [portfolio.work[i].not_before for i in (id, *compiled.graph.ancestors(id))]
        project = compiled.graph.project_of(id)
        if project is not None:
            moments.append(portfolio.projects[project].not_before)
        return max([0, *(compiled.grid.ceil(m.resolve(self.now, zone)) for m in moments if m is not None)])

    def kit(self, j: int) -> set[int]:
        """The links that wait for an end only because of full kit."""
        compiled, id, a = self.compiled, self.compiled.instance.activities[j], self.a
        drum = compiled.drum
        if not compiled.portfolio.policy.full_kit or drum is None or id not in drum.minutes or a.exempt[j]:
            return set()
        work = compiled.portfolio.work
        links = [link for holder in (id, *compiled.graph.ancestors(id)) for link in work[holder].after]
        found = set()
        for e in range(int(a.pred_ptr[j]), int(a.pred_ptr[j + 1])):
            before = compiled.instance.activities[int(a.pred[e])]
            around = {before, *(compiled.graph.ancestors(before) if before in work else ())}
            named = [link for link in links if link.item in around]
            if named and all(link.type is not LinkType.FS for link in named):
                found.add(e)
        return found

    @cached_property
    def reserving(self) -> NDArray[np.bool_]:
        """Of each row of people, whether they keep time free for unplanned work."""
        found = np.zeros(len(self.a.person_mask), bool)
        unreserved = self.unreserved
        for p in range(len(self.compiled.portfolio.people)):
            found[p] = unreserved.differs[p]
        return found

    @cached_property
    def unreserved(self) -> _Unreserved:
        return _Unreserved(self.compiled, self.a)

    def last_link(self, j: int) -> int | None:
        """Of the links without which alone it begins earlier the one that helps most; else the one that binds last."""
        a, s = self.a, self.schedule
        links: Iterable[int] = range(int(a.pred_ptr[j]), int(a.pred_ptr[j + 1]))
        found = [(place.start, e) for e in links if (place := self.place(j, unlinked=[e])) is not None]
        if found and min(found)[0] < s.start[j]:
            return min(found)[1]
        return max(((self._moment(e), e) for e in links), default=(0, None))[1]

    def links_after(self, j: int, at: int, kit: bool) -> list[int]:
        """Links that bind later than slot ``at``, the last one first: those of its kit, or the others."""
        a, own = self.a, self.kit(j)
        links = [e for e in range(int(a.pred_ptr[j]), int(a.pred_ptr[j + 1])) if (e in own) is kit]
        return sorted((e for e in links if self._moment(e) > at), key=lambda e: (-self._moment(e), e))

    def _moment(self, e: int) -> int:
        """Slot at which a link binds; lags at work count as if by the clock."""
        a, s = self.a, self.schedule
        return int((s.end if a.pred_type[e] in (FS, FF) else s.start)[a.pred[e]]) + int(a.lag[e])


class _Unreserved:
    """Calendars as they would be if nobody kept time free for unplanned work."""

    def __init__(self, compiled: Compiled, a: Arrays) -> None:
        portfolio = compiled.portfolio
        people = {name: person.model_copy(update={"reserve": None}) for name, person in portfolio.people.items()}
        policy = portfolio.policy.model_copy(update={"reserve": None})
        free = portfolio.model_copy(update={"people": people, "policy": policy})
        keeps = portfolio.policy.reserve not in (None, "learned") or any(p.reserve for p in portfolio.people.values())
        self.differs = np.zeros(len(portfolio.people), bool)
        rows: list[NDArray[np.uint8]] = []
        self.person_mask = a.person_mask.copy()
        calendars = Calendars(free, compiled.grid) if keeps else None
        for p, name in enumerate(portfolio.people):
            if calendars is None:
                break
            mask = calendars.planned(name).astype(np.uint8)
            if (mask != a.masks[a.person_mask[p]]).any():
                self.differs[p] = True
                self.person_mask[p] = len(a.masks) + len(rows)
                rows.append(mask)
        self.masks = np.ascontiguousarray(np.vstack([a.masks, *rows])) if rows else a.masks
        numbers = np.where(self.masks == 1, np.arange(compiled.instance.slots, dtype=np.int32), compiled.instance.slots)
        self.next_open = np.ascontiguousarray(np.minimum.accumulate(numbers[:, ::-1], axis=1)[:, ::-1].astype(np.int32))

    def changes(self) -> dict[str, Any]:
        return {"masks": self.masks, "next_open": self.next_open, "person_mask": self.person_mask}


def _always(a: Arrays) -> dict[str, Any]:
    """Everybody always at work."""
    masks = np.vstack([a.masks, np.ones((1, a.masks.shape[1]), np.uint8)])
    now = np.arange(a.masks.shape[1], dtype=np.int32)[None]
    return {
        "masks": np.ascontiguousarray(masks),
        "next_open": np.ascontiguousarray(np.vstack([a.next_open, now])),
        "person_mask": np.full_like(a.person_mask, len(a.masks)),
    }


def _set(values: NDArray[Any], at: int | list[int], value: int) -> NDArray[Any]:
    changed = values.copy()
    changed[at] = value
    return changed
