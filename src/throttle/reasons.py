"""Why an item does not begin earlier, in words: what binds it (:mod:`throttle.explain`), with the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from throttle.calendars import as_of
from throttle.compile import Compiled, approval_expected
from throttle.explain.binding import Binding, binding
from throttle.explain.probe import Probe
from throttle.explain.rules import Rule
from throttle.instance import ELAPSED, FF, FS, SF, SS, WORKING, Arrays, Instance, Schedule
from throttle.policies.conflicts import distances
from throttle.policies.stability import frozen_pins
from throttle.solve.decoder import PLAIN_WORK, work_of
from throttle.solve.kernels import kernels
from throttle.wording import plural, some
from throttle.worked import Seats, seats_of, worked
from throttle_models import LinkType, Reason, WorkItem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Bools, Ints

    Room = NDArray[np.int16]

CHECKED = 1_000
"""Up to so many activities every reason is checked by placing the item again; above, that of work which only its people
can keep is read off."""
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
        self.frozen = frozen_pins(compiled.portfolio).keys()
        """What the frozen zone holds, and no pin of the policy."""
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
    def room(self) -> Taken:
        """What is taken; only where the cause is not seen without it."""
        rules = self.compiled.rules
        return Taken(self.instance, self.seats, self.schedule, sorted(rules.counted) if rules else [])

    def bound(self, j: int) -> tuple[int, Cause | None]:
        """Earliest start by dates and predecessors, and which of them decides."""
        est, by, links = self.release[j], -1, self.links
        for e in range(links.ptr[j], links.ptr[j + 1]):
            if links.type[e] in (FS, SS) and links.moment[e] > est:
                est, by = links.moment[e], e
        if by >= 0:
            before, kind = links.before[by], links.type[by]
            name = self.instance.activities[before] or self._behind(before)
            if self._kit_alone(j, name):
                when = self.when(links.origin[by])
                text = f"its kit is not complete until {name} is finished, {when}: policy.full_kit"
                return est, Cause(Reason.KIT, text, (name,))
            verb = "is finished" if kind == FS else "has begun"
            text = f"waits until {name} {verb}, {self.when(links.origin[by])}"
            return est, Cause(Reason.PREDECESSOR, text, (name,))
        if est > 0:
            item = self.compiled.portfolio.work[self.instance.activities[j]]
            decided = approval_expected(item, self.now, self.compiled.calendars)
            if decided is not None and self.compiled.grid.ceil(decided) >= est:
                return est, self._approval(item, est)
            return est, Cause(Reason.RELEASE, f"not to begin before {self.when(est)}")
        return 0, None

    def _kit_alone(self, j: int, before: str) -> bool:
        """Whether only full kit makes drum work wait for the end of this."""
        compiled, id = self.compiled, self.instance.activities[j]
        work, drum = compiled.portfolio.work, compiled.drum
        if not compiled.portfolio.policy.full_kit or drum is None or id not in drum.minutes or self.a.exempt[j]:
            return False
        links = [link for holder in (id, *compiled.graph.ancestors(id)) for link in work[holder].after]
        around = {before, *(compiled.graph.ancestors(before) if before in work else ())}
        return all(link.type is not LinkType.FS for link in links if link.item in around)

    def _behind(self, hidden: int) -> str:
        """What a hidden milestone stands for: the last of what it waits for, or something outside."""
        a, s = self.a, self.schedule
        before = a.pred[a.pred_ptr[hidden] : a.pred_ptr[hidden + 1]]
        if len(before):
            return self.instance.activities[int(before[np.argmax(s.end[before])])]
        return self.compiled.dated[hidden - self.instance.activities.index("")]

    def why(self, j: int) -> Cause:
        """The cause why activity j does not begin before it does: the first of those that bind it (``binding``)."""
        est, cause = self.bound(j)
        if self.instance.n > CHECKED and self._free_of_all_but_people(j) and self.a.pin[j] < 0:
            if est >= self.schedule.start[j] and cause:
                return cause
            return self._people(j, est)
        found = self.binding(j)
        if found.free:
            text = f"nothing keeps it from {self.when(found.starts[0])} on; it comes later in the order of the plan"
            return Cause(Reason.ORDER, text)
        if not found.rules:
            return Cause(Reason.CALENDAR, "its people are not at work together earlier")
        causes = [self.cause(j, rule, at) for rule, at in zip(found.rules, found.starts, strict=True)]
        if found.alone:
            return causes[0]
        refs = tuple(dict.fromkeys(ref for cause in causes for ref in cause.refs))
        return Cause(causes[0].reason, "; and ".join(cause.text for cause in causes), refs)

    @cached_property
    def probe(self) -> Probe:
        return Probe(self.compiled, self.schedule, self.room)

    def binding(self, j: int) -> Binding:
        """The rules that keep activity j from beginning earlier, each checked by placing it again."""
        return binding(self.probe, j)

    def cause(self, j: int, rule: Rule, at: int) -> Cause:
        """A rule that keeps activity j, in words; at: when it begins without it."""
        item, est = self.compiled.portfolio.work[self.instance.activities[j]], self.bound(j)[0]
        match rule:
            case Rule.PINNED:
                if self.instance.activities[j] in self.frozen:
                    text = f"the frozen zone (policy.stability.frozen) holds it at {self.when(int(self.a.pin[j]))}"
                    return Cause(Reason.PINNED, text)
                return Cause(Reason.PINNED, f"pinned to start {self.when(int(self.a.pin[j]))}")
            case Rule.APPROVAL:
                return self._approval(item, self.probe.approved(j))
            case Rule.RELEASE:
                return Cause(Reason.RELEASE, f"not to begin before {self.when(self.probe.not_before(j))}")
            case Rule.KIT | Rule.PREDECESSOR:
                return self._link(j, rule, at)
            case Rule.FREEZE:
                return self._freeze(item, at, int(self.schedule.start[j]))
            case Rule.CONFLICT:
                return self._clash(j, item, at)
            case Rule.FULL | Rule.WINDOW:
                return self._window(j, item, est)
            case Rule.TYPE:
                return self._type(at, j)
            case Rule.TEAM:
                return self._team(at, j)
            case Rule.PERSON:
                return self._wip(j)
            case Rule.PROJECTS | Rule.ROPE:
                return self._limit(j, at, rule)
            case Rule.ENVIRONMENT:
                return self._environment(j, at)
            case Rule.RESERVE:
                keeping = [self.instance.people[p] for p in self._candidates(j) if self.probe.reserving[p]]
                names = list(dict.fromkeys(keeping))
                text = (
                    f"{some(names, NAMED)} {_verb(names, 'keeps', 'keep')} the time before it free for unplanned work"
                )
                return Cause(Reason.RESERVE, text, tuple(names[:NAMED]))
            case Rule.CALENDAR:
                return Cause(Reason.CALENDAR, "its people are not at work together earlier")
            case Rule.PEOPLE:
                return self._people(j, est)

    def _approval(self, item: WorkItem, slot: int) -> Cause:
        board = item.change.approval.board if item.change and item.change.approval else None
        by_board = f" by {board}" if board else ""
        return Cause(Reason.APPROVAL, f"approval{by_board} is not expected before {self.when(slot)}")

    def _link(self, j: int, rule: Rule, at: int) -> Cause:
        """The link that keeps it, if without that alone it begins at ``at``; else all that are later than that."""
        last = self.probe.last_link(j)
        if last is None:
            raise ValueError("no link keeps what waits for nothing")
        place = self.probe.place(j, unlinked=[last])
        keeping = [last] if place is not None and place.start <= at else self.probe.links_after(j, at, rule is Rule.KIT)
        told = [self._linked(e, rule) for e in keeping or [last]]
        names = tuple(dict.fromkeys(name for name, _ in told))
        parts = [part for _, part in told[:NAMED]] + ([f"{len(told) - NAMED} more"] if len(told) > NAMED else [])
        text = f"{'; '.join(parts[:-1])}; and {parts[-1]}" if len(parts) > 1 else parts[0]
        if rule is Rule.KIT:
            return Cause(Reason.KIT, f"its kit is not complete until {text}: policy.full_kit", names)
        start = int(self.a.pred_type[keeping[0] if keeping else last]) in (FS, SS)
        return Cause(Reason.PREDECESSOR, f"{'waits until' if start else 'is not to be finished until'} {text}", names)

    def _linked(self, e: int, rule: Rule) -> tuple[str, str]:
        """What a link waits for, and until when."""
        a, s = self.a, self.schedule
        before, kind = int(a.pred[e]), int(a.pred_type[e])
        name = self.instance.activities[before] or self._behind(before)
        origin = int((s.end if kind in (FS, FF) else s.start)[before])
        verb = "is finished" if kind in (FS, FF) or rule is Rule.KIT else "has begun"
        lag = self._lag(int(a.lag[e]), int(a.lag_kind[e])) if rule is not Rule.KIT else ""
        return name, f"{name} {verb}, {self.when(origin)}{lag}"

    def _lag(self, slots: int, kind: int) -> str:
        if slots == 0:
            return ""
        hours = f"{abs(slots) * self.compiled.grid.weeks * 168:.4g} h{' at work' if kind == WORKING else ''}"
        return f", and {hours} after that" if slots > 0 else f", less {hours}"

    def _freeze(self, item: WorkItem, at: int, start: int) -> Cause:
        """The freezes between where it could begin without them and where it begins."""
        services = set(item.change.services) if item.change else set()
        names, until = [], ""
        for freeze in self.compiled.portfolio.freezes:
            from_ = self.compiled.grid.exact(freeze.from_.resolve(self.now, self.zone))
            to = self.compiled.grid.exact(freeze.to.resolve(self.now, self.zone, end_of_day=True))
            if (not freeze.services or services & set(freeze.services)) and from_ < start and to > at:
                names.append(freeze.why or ", ".join(freeze.services) or "everything")
                until = self.when_exact(freeze.to.resolve(self.now, self.zone, end_of_day=True))
        about = f" ({some(names, NAMED)})" if names else ""
        when = f" until {until}" if until else ""
        refs = tuple(dict.fromkeys(s for f in self.compiled.portfolio.freezes for s in f.services if s in services))
        return Cause(Reason.FREEZE, f"changes to its services are frozen{when}{about}", refs[:NAMED])

    def _limit(self, j: int, at: int, rule: Rule) -> Cause:
        """The limit on spans that keeps an activity from starting here, with what is in process."""
        a, s, rules = self.a, self.schedule, self.compiled.rules
        if rules is None or not rules.limits:
            raise ValueError("spans come from rules")
        first = np.full(len(a.demand), self.instance.slots)
        last = np.full(len(a.demand), -1)
        owner = np.repeat(np.arange(self.instance.n), np.diff(a.span_ptr))
        np.minimum.at(first, a.spans, s.start[owner])
        np.maximum.at(last, a.spans, s.end[owner])
        first[a.begun] = 0
        names = [span.name for _, spans, _ in rules.limits for span in spans]
        of = "policy.rope" if rule is Rule.ROPE else "policy.projects_in_process"
        own = a.spans[a.span_ptr[j] : a.span_ptr[j + 1]].tolist()
        mine = [x for x in own if rules.limits[a.span_limit[x]][2] == of]
        causes = []
        for x in mine:
            beside = (a.span_limit == a.span_limit[x]) & (first <= at) & (last > at)
            beside[x] = False
            over = int(a.demand[beside].sum() + a.demand[x]) > a.limit[a.span_limit[x]]
            busy = [names[k] for k in np.flatnonzero(beside)]
            text = self._span_text(int(a.span_limit[x]), names[x], busy, int(a.demand[beside].sum()))
            causes.append((not over, text))
        return min(causes, key=lambda cause: cause[0])[1]

    def _span_text(self, row: int, name: str, busy: list[str], taken: int) -> Cause:
        rules = self.compiled.rules
        if rules is None:
            raise ValueError("spans come from rules")
        most, _, field = rules.limits[row]
        if field == "policy.rope":
            text = (
                f"{_hours(taken)} of drum work are released and not finished ({some(busy, NAMED) or 'none'}), and "
                f"{field} is {_hours(most)}; {name} is released when there is room"
            )
            return Cause(Reason.ROPE, text, tuple(dict.fromkeys((name, *busy[:NAMED]))))
        are = f"{some(busy, NAMED)} {'is' if len(busy) == 1 else 'are'} in process, and " if busy else ""
        return Cause(Reason.WIP, f"{are}{field} is {most}; {name} is let in when there is room", (name,))

    def _type(self, at: int, j: int) -> Cause:
        """Who of its type of work is in process where it could begin if nothing else were there."""
        a, rules = self.a, self.compiled.rules
        counted = rules.counted if rules else {}
        used = a.use[a.use_ptr[j] : a.use_ptr[j + 1]].tolist()
        rows = [row for row in used if counted.get(row, "").startswith("policy.wip")]
        user = np.repeat(np.arange(self.instance.n), np.diff(a.use_ptr))
        others = user[np.isin(a.use, rows)]
        return self._in_process(others[others != j], at, j, counted[rows[0]], int(a.capacity[rows[0]]))

    def _team(self, at: int, j: int) -> Cause:
        """Who is in process in the teams of those who could do it."""
        a, rules = self.a, self.compiled.rules
        rows = list(dict.fromkeys(a.team[self._candidates(j)].tolist()))
        others = np.unique(self.seats.activity[np.isin(a.team[self.schedule.crew], [r for r in rows if r >= 0])])
        most, _, field = next(rules.teams[r] for r in rows if r >= 0) if rules else (0, (), "")
        return self._in_process(others[others != j], at, j, field, most)

    def _in_process(self, others: Ints, at: int, j: int, field: str, most: int) -> Cause:
        """The limit, and which of the others are begun and unfinished at a slot, else until it starts."""
        s, ids = self.schedule, self.instance.activities
        first = np.where(self.a.exempt[others], 0, s.start[others])
        there = others[(first <= at) & (s.end[others] > at)]
        if len(there) < most:
            there = others[(first < s.start[j]) & (s.end[others] > at)]
        names = [ids[i] for i in there[np.argsort(s.end[there], kind="stable")].tolist()]
        text = (
            f"{some(names, NAMED)} {'is' if len(names) == 1 else 'are'} begun and not finished, and {field} is {most}"
        )
        return Cause(Reason.WIP, text, tuple(names[:NAMED]))

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

    def _clash(self, j: int, item: WorkItem, at: int) -> Cause:
        """Changes on near services that keep a change from beginning earlier; at: where it could but for them."""
        hops, s = self.compiled.portfolio.policy.conflict_hops or 0, self.schedule
        services = item.change.services if item.change else ()
        near = distances(self.compiled.portfolio, hops)
        mine = {service for own in services for service in near[own]}
        work, found = self.compiled.portfolio.work, []
        for i, id in enumerate(self.instance.activities):
            change = work[id].change if id and i != j else None
            if change is not None and s.end[i] > at and s.start[i] <= s.start[j] and mine & set(change.services):
                found.append((int(s.end[i]), id))
        names = [id for _, id in sorted(found, reverse=True)]
        near_to = f"within {plural(hops, 'hop')} of {some(services, NAMED)}"
        text = f"{some(names, NAMED) or 'others'} alter services {near_to}, and go first"
        return Cause(Reason.CONFLICT, text, tuple(names[:NAMED]))

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
            names = list(dict.fromkeys(people[p] for p in able))
            return Cause(Reason.PEOPLE, f"{some(names, NAMED) or 'its people'} cannot earlier", tuple(names[:NAMED]))
        first = what = [activities[i] for i in last[:NAMED]]
        if len(busy) == 1:
            until = self.when(int(self.schedule.end[last[0]]))
            what = [f"{some([activities[i] for i in self.on.before(able[busy[0]], start, est)], NAMED)} until {until}"]
        text = ", ".join(f"{who} {'on' if k else 'is first on'} {what[k]}" for k, who in enumerate(names))
        more = len(busy) - NAMED
        text += f" and {more} more" if more > 0 else ""
        return Cause(Reason.PEOPLE, text, tuple(dict.fromkeys((*names, *first))))

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
            if sum(not self._spent(p, q, inside) for p in there) < a.people[q]:
                return "finds those who could at their limit out of hours"
        for e in range(a.batch_ptr[j], a.batch_ptr[j + 1]):
            k = a.batch[e]
            if self.room.used[len(a.quota) + a.batch_first[k] + occurrence] + a.batch_amount[e] > a.batch_most[k]:
                return "holds as many changes, or as much risk, as it may"
        return "is too short or has begun"

    def _spent(self, person: int, q: int, inside: Bools) -> bool:
        """Whether need q would take more of somebody in some slots than what a quota leaves."""
        a = self.a
        for k in a.person_quota[a.person_quota_ptr[person] : a.person_quota_ptr[person + 1]]:
            numbers = np.unique(a.bucket[a.quota_bucket[k]][inside])
            at = a.quota_ptr[k] + numbers[numbers >= 0]
            if (self.room.used[at] + a.work[q] * a.share[q] > a.quota[at]).all() and len(at):
                return True
        return False

    def when(self, slot: int) -> str:
        if slot not in self._texts:
            self._texts[slot] = self.when_exact(self.compiled.grid.instant(slot))
        return self._texts[slot]

    def when_exact(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%a %Y-%m-%d %H:%M}"

    def _environment(self, j: int, at: int) -> Cause:
        """Who is in its environments where it could be but for them."""
        a, s = self.a, self.schedule
        names = list(self.compiled.portfolio.work[self.instance.activities[j]].environment)
        rows = [list(self.compiled.portfolio.environments).index(name) for name in names]
        user = np.repeat(np.arange(self.instance.n), np.diff(a.use_ptr))
        others = np.unique(user[np.isin(a.use, rows)])
        others = others[(others != j) & (s.end[others] > at) & (s.start[others] < s.start[j])]
        there = [self.instance.activities[i] for i in others[np.argsort(-s.end[others], kind="stable")].tolist()]
        by = f" by {some(there, NAMED)}" if there else " by other work"
        text = f"{some(names, NAMED)} {_verb(names, 'is', 'are')} taken{by} until then"
        return Cause(Reason.ENVIRONMENT, text, (*names, *there[:NAMED]))

    def _wip(self, j: int) -> Cause:
        people = list(dict.fromkeys(self.instance.people[p] for p in self._candidates(j)))
        return Cause(
            Reason.WIP,
            f"{some(people, NAMED)} already has as many items begun as the limit allows",
            tuple(people[:NAMED]),
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


class Taken:
    """What each person and environment is taken by in each slot."""

    def __init__(self, instance: Instance, seats: Seats, schedule: Schedule, counted: list[int]) -> None:
        """counted: the rows of environments that stand for types of work."""
        a = self.a = instance.arrays
        self.counted = counted
        people, slots = len(instance.people), instance.slots
        self.schedule, self.seats = schedule, seats
        self.kernel = kernels(work_of(instance) > PLAIN_WORK)
        self.work = worked(a, schedule)
        self.load = np.zeros((people, slots), np.int16)
        self.held = np.zeros((people + len(a.team_wip), slots), np.int16)
        self.env = np.zeros((len(a.capacity), slots), np.int64)
        self.nobody = np.zeros_like(self.held)
        self.nowhere = np.zeros_like(self.env)
        self.never_full = a.next_open[a.person_mask]
        self.free = np.full(len(schedule.crew), -1, np.int64)
        seat, first, last = self.work.of(seats, a.work)
        _fill(self.load, schedule.crew[seat], first, last, a.share[seats.need[seat]])
        self.holder, self.holding = _holders(a, seats, schedule)
        from_ = np.where(a.exempt[self.holding], 0, schedule.start[self.holding])
        _fill(self.held, self.holder, from_, schedule.end[self.holding], np.ones_like(self.holding))
        user = np.repeat(np.arange(instance.n), np.diff(a.use_ptr))
        from_ = np.where(a.exempt[user] & a.in_process[a.use], 0, schedule.start[user])
        _fill(self.env, a.use, from_, schedule.end[user], a.amount)
        self.used = np.zeros(len(a.quota) + int(a.batch_first[-1]), np.int64)
        """What each bucket of each quota holds, then each occurrence, as in ``Space``."""
        for i in np.flatnonzero(np.diff(a.batch_ptr)).tolist():
            self._hold(i, 1)
        self.in_quotas: Bools = np.diff(a.person_quota_ptr) > 0
        if len(a.quota):
            self._count(schedule.crew, seat, first, last, 1)

    @property
    def places(self) -> Ints:
        """Environments without what counts types of work."""
        return self._only(self.env, self.counted) if self.counted else self.env

    @property
    def types(self) -> Ints:
        others = [row for row in range(len(self.env)) if row not in self.counted]
        return self._only(self.env, others) if self.counted else self.nowhere

    @property
    def persons(self) -> Room:
        people = len(self.load)
        return self._only(self.held, range(people, len(self.held))) if len(self.held) > people else self.held

    @property
    def teams(self) -> Room:
        people = len(self.load)
        return self._only(self.held, range(people)) if len(self.held) > people else self.nobody

    @staticmethod
    def _only(room: NDArray[Any], without: Iterable[int]) -> NDArray[Any]:
        found = room.copy()
        found[list(without)] = 0
        return found

    @contextmanager
    def without(self, j: int) -> Iterator[None]:
        """As if activity j had no place yet."""
        self.book(j, -1)
        try:
            yield
        finally:
            self.book(j, 1)

    def _count(self, crew: Ints, seat: Ints, first: Ints, last: Ints, sign: int) -> None:
        """Add pieces of work to what the quotas hold."""
        a = self.a
        kept = self.in_quotas[crew[seat]]
        for k, from_, to in zip(seat[kept].tolist(), first[kept].tolist(), last[kept].tolist(), strict=True):
            person, need = crew[k], self.seats.need[k]
            for quota in a.person_quota[a.person_quota_ptr[person] : a.person_quota_ptr[person + 1]].tolist():
                if a.quota_scope[quota] >= 0 and not a.scopes[a.quota_scope[quota], self.seats.activity[k]]:
                    continue
                number = a.bucket[a.quota_bucket[quota], from_:to]
                np.add.at(self.used, a.quota_ptr[quota] + number[number >= 0], sign * a.share[need])

    def book(self, j: int, sign: int) -> None:
        """Put in (1) or take out (-1) all that an activity takes."""
        a, s = self.a, self.schedule
        mine = np.arange(a.crew_ptr[a.need_ptr[j]], a.crew_ptr[a.need_ptr[j + 1]])
        start, end = int(s.start[j]), int(s.end[j])
        pieces = self.work.of(self.seats, a.work, mine)
        for seat, first, last in zip(*pieces, strict=True):
            self.load[s.crew[seat], first:last] += sign * a.share[self.seats.need[seat]]
        if len(a.quota):
            self._count(s.crew, *pieces, sign)
        for holder in self.holder[self.holding == j].tolist():
            self.held[holder, 0 if a.exempt[j] else start : end] += sign
        for u in range(a.use_ptr[j], a.use_ptr[j + 1]):
            self.env[a.use[u], start:end] += sign * a.amount[u]
        self._hold(j, sign)

    def _hold(self, j: int, sign: int) -> None:
        a = self.a
        for e in range(a.batch_ptr[j], a.batch_ptr[j + 1]):
            number = a.occurrences[a.occurrence[j], self.schedule.start[j]]
            self.used[len(a.quota) + a.batch_first[a.batch[e]] + number] += sign * a.batch_amount[e]

    @staticmethod
    def is_full(at: int, before: int) -> bool:
        """Whether a start that was found is none, or too late."""
        return at < 0 or at >= before


def _holders(a: Arrays, seats: Seats, schedule: Schedule) -> tuple[Ints, Ints]:
    """People and teams with a limit, and the activities that count there: an activity once in each."""
    people, teams = len(a.person_mask), len(a.team_wip)
    person = schedule.crew
    limited = a.person_wip[person] > 0
    teamed = a.team[person] >= 0
    width = people + teams + 1
    key = np.unique(
        np.r_[
            seats.activity[limited] * width + person[limited],
            seats.activity[teamed] * width + people + a.team[person[teamed]],
        ]
    )
    owner = np.repeat(np.arange(len(a.release)), np.diff(a.waived_ptr))
    key = key[~np.isin(key, owner * width + a.waived)]
    return key % width, key // width


def _fill(room: NDArray[Any], row: Ints, first: Ints, last: Ints, amount: Ints) -> None:
    """Add amounts to the slots [first, last) of rows."""
    change = np.zeros((room.shape[0], room.shape[1] + 1), np.int64)
    np.add.at(change, (row, first), amount)
    np.add.at(change, (row, last), -amount)
    room += np.cumsum(change[:, :-1], axis=1).astype(room.dtype)


def _verb(names: Sequence[str], one: str, several: str) -> str:
    return one if len(names) == 1 else several


def _hours(minutes: int) -> str:
    return f"{minutes / 60:.4g} h"
