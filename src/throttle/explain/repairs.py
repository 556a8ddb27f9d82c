"""What could be done so that an item begins earlier, each repair tried on the whole plan in its own order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from throttle.bottleneck.value import Replay, with_hours
from throttle.explain.binding import Binding
from throttle.explain.rules import Rule
from throttle.instance import ELAPSED, Instance, Schedule
from throttle.wording import some

if TYPE_CHECKING:
    from throttle.reasons import Cause, Reasons

LINKED = (Rule.PREDECESSOR, Rule.KIT)
BLOCKERS = 3
"""So many items of those who keep its people are tried to be put after it."""


@dataclass(frozen=True)
class Tried:
    """A repair, with what becomes of the plan."""

    text: str
    instance: Instance
    schedule: Schedule
    start: int
    cost: float
    """By how much the plan costs more; below 0 where less."""


class Repairs:
    """Of one plan. ``reasons``: of the same schedule."""

    def __init__(self, reasons: Reasons) -> None:
        self.reasons, self.compiled = reasons, reasons.compiled
        self.replay = Replay(reasons.instance, reasons.schedule)
        self.a = self.replay.instance.arrays

    def of(self, j: int, found: Binding) -> list[Tried]:
        """Those that start activity j earlier, the cheapest first; of equal ones the first to try."""
        start = int(self.reasons.schedule.start[j])
        tried = []
        for rule in found.rules if found.alone else ():
            cause = self.reasons.cause(j, rule, found.starts[0])
            some = [one for one in self._by(j, rule, cause) if one.start < start]
            tried += some or [one for one in self._unlinked(j, rule, cause) if one.start < start]
        if not found.alone:
            tried += [one for one in self._together(j, found) if one.start < start]
        tried.sort(key=lambda one: one.cost)
        return tried

    def _by(self, j: int, rule: Rule, cause: Cause) -> Iterator[Tried]:
        if rule is Rule.PEOPLE:
            yield from self._people(j)
            return
        if rule in LINKED:
            yield from self._sooner(j, cause)
            return
        if (one := self._decoded(j, self._arrays(j, (rule,)), self._text(j, rule, cause))) is not None:
            yield one

    def _sooner(self, j: int, cause: Cause) -> Iterator[Tried]:
        """What it waits for goes before other work of its people, or these work more."""
        number = {id: i for i, id in enumerate(self.reasons.instance.activities) if id}
        for name in cause.refs[:BLOCKERS]:
            i = number.get(name)
            if i is not None and not self.a.exempt[i] and self.reasons.schedule.start[i] > 0:
                yield from self._people(i, j)

    def _unlinked(self, j: int, rule: Rule, cause: Cause) -> Iterator[Tried]:
        """Without the link, which somebody has to judge; what a rule of the portfolio inserted keeps its links."""
        told = self.compiled.expanded.inserted if self.compiled.expanded else {}
        if rule not in LINKED or {self.reasons.instance.activities[j], *cause.refs} & told.keys():
            return
        if (one := self._decoded(j, self._arrays(j, (rule,)), self._text(j, rule, cause))) is not None:
            yield one

    def _together(self, j: int, found: Binding) -> Iterator[Tried]:
        text = " and ".join(self._text(j, rule, self.reasons.cause(j, rule, found.starts[0])) for rule in found.rules)
        arrays = self._arrays(j, [rule for rule in found.rules if rule is not Rule.PEOPLE])
        order = self._first(j, self._blockers(j)) if Rule.PEOPLE in found.rules else None
        if (one := self._decoded(j, arrays, text, order)) is not None:
            yield one

    def _text(self, j: int, rule: Rule, cause: Cause) -> str:
        about = some(cause.refs, 3)
        texts = {
            Rule.PINNED: "move its pin"
            if self.reasons.instance.activities[j] not in self.reasons.frozen
            else "take it out of the frozen zone (planned: frozen: false)",
            Rule.APPROVAL: "have it approved now",
            Rule.RELEASE: "let it begin before its date",
            Rule.FREEZE: "exempt it from the freeze",
            Rule.CONFLICT: f"let it overlap {about}",
            Rule.FULL: "let one change more into the window",
            Rule.TYPE: "override the limit of its type of work for it",
            Rule.TEAM: "override the limit of the team for it",
            Rule.PERSON: "override the person's limit for it",
            Rule.PROJECTS: "override projects_in_process for it",
            Rule.ROPE: "override the rope for it",
            Rule.KIT: f"begin it before {about} is finished",
            Rule.ENVIRONMENT: f"give it a place of its own in {cause.refs[0] if cause.refs else 'its environment'}",
            Rule.PREDECESSOR: f"remove its link to {about}, if it need not wait for that",
            Rule.PEOPLE: "let it go before the other work of its people",
            Rule.WINDOW: "run it outside its window",
            Rule.RESERVE: f"take it from the time that {about} keep free for unplanned work",
        }
        return texts[rule]

    def _people(self, j: int, follower: int | None = None) -> Iterator[Tried]:
        """``follower``: what waits for activity j, if it is that which is to begin earlier."""
        names = self.reasons.instance.activities
        of = j if follower is None else follower
        it = "it" if follower is None else names[j]
        for blocker in self._blockers(j):
            text = f"let {it} go before {names[blocker]}"
            if blocker != of and (one := self._decoded(of, {}, text, self._first(j, [blocker]))) is not None:
                yield one
        yield from self._hours(j, of)

    def _hours(self, j: int, of: int) -> Iterator[Tried]:
        """An hour more of one of its people, at the end of a day of the week before."""
        s, instance = self.replay.base, self.replay.instance
        grid, zone = self.compiled.grid, ZoneInfo(self.compiled.portfolio.zone)
        start = int(s.start[j])
        first = max(0, start - round(1 / grid.weeks))
        days = [grid.instant(t).astimezone(zone).toordinal() for t in range(first, start)]
        day = np.zeros(instance.slots, np.int64)
        day[first:start] = days
        rows = range(int(self.a.crew_ptr[self.a.need_ptr[j]]), int(self.a.crew_ptr[self.a.need_ptr[j + 1]]))
        for p in dict.fromkeys(s.crew[seat] for seat in rows):
            mine = [t for t in range(first, start) if self.a.masks[self.a.person_mask[p], t]]
            if not mine:
                continue
            last_day = day[mine[-1]]
            from_ = next(t for t in range(first, start) if day[t] == last_day)
            more = with_hours(instance, [int(p)], from_, start, day, grid.weeks * 168)
            if more is None:
                continue
            when = self.reasons.when(mine[-1] + 1)
            text = f"{more.hours:g} h of {instance.people[p]} more after {when}"
            arrays = {name: getattr(more.instance.arrays, name) for name in ("masks", "next_open", "person_mask")}
            if (one := self._decoded(of, arrays, text)) is not None:
                yield one

    def _blockers(self, j: int) -> list[int]:
        """What keeps its people, that which ends last first."""
        reasons, start = self.reasons, int(self.reasons.schedule.start[j])
        est = reasons.bound(j)[0]
        able = np.array(reasons._candidates(j), np.int64)
        _, last = reasons.on.last_before(able, start, est)
        more = [i for p in able.tolist() for i in reasons.on.before(p, start, est)]
        ends = reasons.schedule.end
        found = sorted(dict.fromkeys([*last, *more]), key=lambda i: -int(ends[i]))
        return [i for i in found if i != j and not self.a.exempt[i]][:BLOCKERS]

    def _first(self, j: int, others: list[int]) -> Schedule:
        """The order of the plan, with activity j before others."""
        base = self.replay.base
        start, end = base.start.copy(), base.end.copy()
        start[j] = min([int(start[j]), *(int(start[i]) for i in others)])
        end[j] = -1
        return replace(base, start=start, end=end)

    def _decoded(self, j: int, arrays: dict[str, Any], text: str, order: Schedule | None = None) -> Tried | None:
        instance = replace(self.replay.instance, arrays=self.a._replace(**arrays)) if arrays else self.replay.instance
        found = self.replay.decode(instance, order)
        if found is None:
            return None
        return Tried(text, instance, found, int(found.start[j]), found.cost - self.reasons.schedule.cost)

    def _arrays(self, j: int, rules: tuple[Rule, ...] | list[Rule]) -> dict[str, Any]:
        """The arrays that are other without rules for one activity, for a whole decode."""
        a, probe, changed = self.a, self.reasons.probe, dict[str, Any]()

        def edit(name: str, at: Any, value: int) -> None:
            changed[name] = changed.get(name, getattr(a, name)).copy()
            changed[name][at] = value

        links = set(range(int(a.pred_ptr[j]), int(a.pred_ptr[j + 1])))
        kit, release = probe.kit(j), (probe.not_before(j), probe.approved(j))
        for rule in rules:
            match rule:
                case Rule.PINNED:
                    edit("pin", j, -1)
                case Rule.RELEASE:
                    edit("release", j, 0 if Rule.APPROVAL in rules else release[1])
                case Rule.APPROVAL:
                    edit("release", j, 0 if Rule.RELEASE in rules else release[0])
                case Rule.KIT | Rule.PREDECESSOR:
                    dropped = sorted(kit if rule is Rule.KIT else links - kit)
                    edit("lag", dropped, -self.replay.instance.slots)
                    edit("lag_kind", dropped, ELAPSED)
                case Rule.FREEZE:
                    edit("frozen", j, -1)
                case Rule.WINDOW:
                    edit("occurrence", j, -1)
                    self._unbatched(j, edit)
                case Rule.FULL:
                    self._unbatched(j, edit)
                case Rule.CONFLICT | Rule.TYPE | Rule.ENVIRONMENT:
                    used = range(int(a.use_ptr[j]), int(a.use_ptr[j + 1]))
                    edit("amount", [u for u in used if probe._rule_of(int(a.use[u])) is rule], 0)
                case Rule.PROJECTS | Rule.ROPE:
                    mine = a.spans[a.span_ptr[j] : a.span_ptr[j + 1]].tolist()
                    field = "policy.rope" if rule is Rule.ROPE else "policy.projects_in_process"
                    edit("demand", [x for x in mine if probe.limits[int(a.span_limit[x])] == field], 0)
                case Rule.PERSON:
                    changed["person_wip"] = np.where(a.person_wip > 0, a.person_wip + 1, 0)
                case Rule.TEAM:
                    changed["team_wip"] = a.team_wip + 1
                case Rule.RESERVE:
                    rows = range(int(a.crew_ptr[a.need_ptr[j]]), int(a.crew_ptr[a.need_ptr[j + 1]]))
                    whole, slots = probe.unreserved, self.replay.instance.slots
                    mask = a.person_mask.copy()
                    people = self.replay.base.crew[rows.start : rows.stop]
                    mask[people] = whole.person_mask[people]
                    changed["person_mask"] = mask
                    changed["masks"] = np.ascontiguousarray(whole.masks[:, :slots])
                    changed["next_open"] = np.minimum(whole.next_open[:, :slots], np.int32(slots))
                case Rule.PEOPLE | Rule.CALENDAR:
                    pass
        return changed

    def _unbatched(self, j: int, edit: Any) -> None:
        a = self.a
        edit("batch_amount", list(range(int(a.batch_ptr[j]), int(a.batch_ptr[j + 1]))), 0)
