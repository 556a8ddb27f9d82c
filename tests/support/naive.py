"""A slow scheduler that follows docs/plan.md word for word, slot by slot: the oracle for the checker and the solver.

One item after the other takes the first slot, and there the first crew, that breaks no rule. Nothing is shared with the
checker or the solver, but for what is inserted into the portfolio beforehand. For portfolios of some ten items, such as
:mod:`support.portfolios` makes.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations, product
from typing import Literal
from zoneinfo import ZoneInfo

import holidays

from support.limits import Limits
from support.naive_hours import Hours
from throttle.policies.inserted import expand
from throttle_models import (
    DEFAULT_CALENDAR,
    Assignment,
    Calendar,
    Certificate,
    Days,
    Goal,
    Hold,
    Link,
    LinkType,
    Load,
    Need,
    Plan,
    PlannedItem,
    PlanStatus,
    Portfolio,
    Project,
    ProjectPlan,
    Reason,
    Release,
    Status,
    Unscheduled,
    Week,
    When,
    WorkItem,
    parse_minutes,
)
from throttle_models.quantities import ELAPSED, WORK

Crew = tuple[tuple[str, int], ...]
"""(person, position of the need) for everyone on an item."""
WEEK = 7 * 86400


@dataclass
class Placed:
    start: int
    finish: int
    crew: Crew = ()
    work: dict[str, list[int]] = field(default_factory=dict)
    """Person to slots."""
    window: tuple[int, int] | None = None
    """In seconds."""


def naive_plan(portfolio: Portfolio, days: int = 400) -> Plan:
    """A plan without a violation. Raises RuntimeError if an item that is possible alone finds no place in ``days``."""
    naive = Naive(portfolio, days)
    naive.schedule()
    return naive.plan()


class Naive:
    """The rules one by one; ``placed`` and ``left`` are the schedule, which :meth:`schedule` fills."""

    def __init__(self, portfolio: Portfolio, days: int) -> None:
        self.expanded = expand(portfolio)
        self.p = portfolio = self.expanded.portfolio
        self.work = portfolio.work
        self.zone = ZoneInfo(portfolio.zone)
        self.size = int(portfolio.slot.total_seconds())
        self.raw = portfolio.as_of.resolve(datetime(2000, 1, 1, tzinfo=UTC), self.zone)
        self.as_of = math.ceil(self.raw.timestamp() / self.size)
        self.horizon = self.as_of + days * 86400 // self.size
        self.countries: dict[str, holidays.HolidayBase] = {}
        self.known: set[tuple[str, date]] = set()
        self.minutes: dict[str, set[int]] = defaultdict(set)
        self.open: dict[tuple[str, int], bool] = {}
        self.slots: dict[str, dict[int, int]] = {}
        self.capacity: dict[tuple[str | None, int], dict[str, float]] = {}
        parents = {i.parent for i in self.work.values()}
        self.history = [n for n, i in self.work.items() if i.status in (Status.DONE, Status.CANCELLED)]
        self.containers = [
            n for n, i in self.work.items() if n in parents and n not in self.history and not i.needs and i.wait is None
        ]
        self.activities = [n for n in self.work if n not in self.history and n not in self.containers]
        self.placed: dict[str, Placed] = {}
        self.left: dict[str, Reason] = {}
        self.limits = Limits(self)
        self.hours_of = Hours(self)

    # structure

    def line(self, name: str) -> list[str]:
        above = self.work[name].parent
        return [name, *(self.line(above) if above else [])]

    def project(self, name: str) -> str | None:
        return next((p for n in self.line(name) if (p := self.work[n].project)), None)

    def inside(self, name: str) -> list[str]:
        return [n for n in self.activities if name in self.line(n)]

    def begun(self, name: str) -> bool:
        return self.work[name].status is Status.IN_PROGRESS

    def in_process(self, project: str) -> bool:
        said = self.p.projects[project].in_process
        statuses = {self.work[n].status for n in self.work if self.project(n) == project}
        return bool(statuses & {Status.DONE, Status.IN_PROGRESS}) if said is None else said

    def links(self, name: str) -> Iterator[tuple[Link, list[str]]]:
        """Binding links, with the activities waited for (none: an external stub that is not done)."""
        for holder in self.line(name):
            if holder != name and holder not in self.containers:
                continue
            for written in self.work[holder].after:
                link = written
                if name in self.limits.kit:
                    link = written.model_copy(update={"type": LinkType.FS})
                if self.begun(name) and link.type in (LinkType.FS, LinkType.SS):
                    continue
                if link.item in self.p.external:
                    if self.p.external[link.item].status not in (Status.DONE, Status.CANCELLED):
                        yield link, []
                elif link.item not in self.history:
                    befores = self.inside(link.item) if link.item in self.containers else [link.item]
                    if link.type in (LinkType.SS, LinkType.SF):
                        befores = [n for n in befores if not self.begun(n)]
                    if befores:
                        yield link, befores

    # time

    def moment(self, when: When, end: bool = False) -> float:
        return when.resolve(self.raw, self.zone, end).timestamp()

    def ranges(self, calendar: Calendar, day: date) -> list[tuple[int, int]]:
        def on(ranges: tuple[Days, ...]) -> bool:
            return any(r.first <= day <= r.last for r in ranges)

        weekdays = {w for w, _, _ in calendar.hours.ranges}
        weekday = day.weekday()
        if on(calendar.open):
            weekday = weekday if weekday in weekdays else min(weekdays)
        elif on(calendar.closed) or self.holiday(calendar.holidays, day):
            return []
        return [(a, b) for w, a, b in calendar.hours.ranges if w == weekday]

    def holiday(self, code: str | None, day: date) -> bool:
        if code is None:
            return False
        if code not in self.countries:
            country, _, part = code.partition("-")
            self.countries[code] = holidays.country_holidays(country, subdiv=part or None)
        return day in self.countries[code]

    def minute(self, day: date, minute: int, zone: ZoneInfo) -> int:
        """Minutes since 1970 of a wall-clock time."""
        return int((datetime.combine(day, time()) + timedelta(minutes=minute)).replace(tzinfo=zone).timestamp()) // 60

    def day_minutes(self, who: str, day: date, calendar: Calendar, zone: ZoneInfo) -> set[int]:
        """Open minutes of the ranges that begin on a day; ``who`` is a person, or an environment after a slash."""
        if not who.startswith("/"):
            return self.hours_of.minutes(who, day)
        found: set[int] = set()
        for a, b in self.ranges(calendar, day):
            found |= set(range(self.minute(day, a, zone), self.minute(day, b, zone)))
        return found

    def is_open(self, who: str, slot: int) -> bool:
        if (who, slot) not in self.open:
            person = who.partition("|")[0]
            entity = self.p.people[person] if person in self.p.people else self.p.environments[who[1:]]
            first = next(iter(self.p.calendars.values()), DEFAULT_CALENDAR)
            calendar = self.p.calendars[entity.calendar] if entity.calendar else first
            zone = ZoneInfo(calendar.zone or self.p.zone)
            today = datetime.fromtimestamp(slot * self.size, zone).date()
            for day in (today + timedelta(days=i) for i in range(-2, 2)):
                if (who, day) not in self.known:
                    self.known.add((who, day))
                    self.minutes[who] |= self.day_minutes(who, day, calendar, zone)
            wanted = range(slot * self.size // 60, (slot + 1) * self.size // 60)
            self.open[who, slot] = self.minutes[who].issuperset(wanted)
        return self.open[who, slot]

    # work

    def time(self, item: WorkItem, need: Need) -> int:
        if item.duration is not None:
            span = item.duration if need.remaining is None else need.remaining
            return math.ceil(span.total_seconds() / self.size - 1e-9)
        effort = need.remaining
        if effort is None:
            assert need.effort is not None
            effort = need.effort.mean
        return math.ceil(effort.total_seconds() / (need.people * need.allocation) / self.size - 1e-9)

    def times(self, name: str) -> dict[int, int]:
        """Need to slots, without those that ask for nobody."""
        if name not in self.slots:
            item = self.work[name]
            self.slots[name] = {i: t for i, need in enumerate(item.needs) if (t := self.time(item, need))}
        return self.slots[name]

    def total(self, name: str) -> int:
        wait = self.work[name].wait
        if wait is not None:
            item = self.work[name]
            if item.status is Status.IN_PROGRESS and item.started is not None:
                wait -= self.raw.astimezone(UTC) - item.started.resolve(self.raw, self.zone)
            return max(0, math.ceil(wait.total_seconds() / self.size - 1e-9))
        return max(self.times(name).values(), default=0)

    def crews(self, name: str) -> list[Crew]:
        needs, people = self.work[name].needs, self.p.people
        pins = [set(pin.who) for pin in self.p.policy.pins if pin.work == name and pin.who]
        choices = []
        for i in self.times(name):
            need = needs[i]
            able = [
                who
                for who, person in people.items()
                if (not need.who or who in need.who)
                and (need.skill is None or person.skills.get(need.skill, 0) >= need.level)
            ]
            choices.append([tuple((who, i) for who in some) for some in combinations(able, need.people)])
        crews = [tuple(one for part in parts for one in part) for parts in product(*choices)]
        crews = [c for c in crews if len({who for who, _ in c}) == len(c)]
        return [c for c in crews if all({who for who, _ in c} == pin for pin in pins)]

    def places(self, name: str) -> list[str]:
        """Environments that may be closed, as :meth:`is_open` wants them."""
        return ["/" + e for e in self.work[name].environment if self.p.environments[e].calendar]

    def may_pause(self, name: str) -> bool:
        item = self.work[name]
        return item.pausable and not (item.change and item.change.window)

    def run(self, name: str, crew: Crew, start: int) -> Placed | None:
        """The work from a start on; None if that is closed, a pause is not allowed, or it never ends."""
        times, total, places = self.times(name), self.total(name), self.places(name)
        hours = {who: self.hours_of.sort(name, who, start) for who, _ in crew}
        if total and not all(self.is_open(who, start) for who in (*hours.values(), *places)):
            return None
        work: dict[str, list[int]] = {who: [] for who, _ in crew}
        done, slot, may_pause = 0, start, self.may_pause(name)
        while done < total:
            active = [who for who, i in crew if done < times[i]]
            if slot >= self.horizon:
                return None
            if all(self.is_open(who, slot) for who in (*(hours[who] for who in active), *places)):
                for who in active:
                    work[who].append(slot)
                done += 1
            elif not may_pause:
                return None
            slot += 1
        at = Placed(start, slot, crew, work)
        return at if self.hours_of.item_holds(name, at) else None

    # rules

    def after(self, end: int, base: int, link: Link, crew: Crew) -> bool:
        """Whether a start or finish is late enough for a link that counts from ``base``."""
        kind = link.lag_in or ("working" if crew else "elapsed")
        span = parse_minutes(link.lag, WORK if kind == "working" else ELAPSED, signed=True)
        lag = math.ceil(span.total_seconds() / self.size)
        if kind == "elapsed" or lag == 0:
            return end >= base + lag

        def open_to_all(slot: int) -> bool:
            return all(self.is_open(who, slot) for who, _ in crew)

        if lag > 0:
            return end >= base and sum(open_to_all(s) for s in range(base, end)) >= lag
        return end >= base or sum(open_to_all(s) for s in range(end, base)) <= -lag

    def earliest(self, name: str) -> float:
        item = self.work[name]
        bounds = [float(self.as_of * self.size)]
        if not self.begun(name):
            bounds += [self.moment(when) for n in self.line(name) if (when := self.work[n].not_before)]
            project = self.project(name)
            if project and (when := self.p.projects[project].not_before):
                bounds.append(self.moment(when))
            approval = item.change.approval if item.change and item.change.kind == "normal" else None
            if approval and not approval.given:
                asked = approval.asked.resolve(self.raw, self.zone) if approval.asked else self.raw
                bounds.append(self.decided(approval.board, (asked.astimezone(UTC) + approval.lead).timestamp()))
        return max(bounds)

    def decided(self, name: str | None, ready: float) -> float:
        """At the end of the board's next meeting, where it has any."""
        board = self.p.boards.get(name or "")
        if board is None:
            return ready
        zone = ZoneInfo(board.zone or self.p.zone)
        first = datetime.fromtimestamp(ready, zone).date()
        for ahead in range(9):
            day = first + timedelta(days=ahead)
            for weekday, a, b in board.every.ranges:
                if weekday == day.weekday() and self.minute(day, a, zone) * 60 >= ready:
                    return self.minute(day, b, zone) * 60
        raise AssertionError("no meeting")

    def near(self, one: str, other: str) -> bool:
        """Whether two items are changes on services within the hops of the policy."""
        mine, theirs = (set(change.services) if (change := self.work[n].change) else set() for n in (one, other))
        for _ in range(self.p.policy.conflict_hops or 0):
            mine |= {t for s in mine for t in self.p.services[s].depends_on}
            mine |= {s for s, service in self.p.services.items() if mine & set(service.depends_on)}
        return bool(mine & theirs)

    def changes_hold(self, name: str) -> bool:
        """Near changes do not overlap, and an occurrence holds no more than it may."""
        change, at = self.work[name].change, self.placed[name]
        if change is None:
            return True
        for other, its in self.placed.items():
            starts = [self.as_of if self.begun(n) else self.placed[n].start for n in (name, other)]
            overlap = max(starts) < min(at.finish, its.finish)
            free = other == name or (self.begun(name) and self.begun(other))
            if self.p.policy.conflict_hops is not None and overlap and not free and self.near(name, other):
                return False
        if change.window is None:
            return True
        inside = [
            own
            for n, its in self.placed.items()
            if (own := self.work[n].change) and own.window == change.window and its.window == at.window
        ]
        window = self.p.windows[change.window]
        risk = sum(own.risk or 0 for own in inside)
        return not (window.changes and len(inside) > window.changes) and (window.risk is None or risk <= window.risk)

    def occurrence(self, name: str, at: Placed) -> tuple[int, int] | None:
        change = self.work[name].change
        assert change is not None
        assert change.window is not None
        window = self.p.windows[change.window]
        zone = ZoneInfo(window.zone or self.p.zone)
        pinned = [
            when.resolve(self.raw, self.zone).astimezone(self.zone).date()
            for p in self.p.policy.pins
            if p.work == name and (when := p.on)
        ]
        end = at.finish * self.size + (change.rollback or timedelta()).total_seconds()
        for back in range(-1, 4):
            day = datetime.fromtimestamp(at.start * self.size, zone).date() - timedelta(days=back)
            if any(d.first <= day <= d.last for d in window.closed) or any(d != day for d in pinned):
                continue
            for weekday, a, b in window.every.ranges:
                span = self.minute(day, a, zone) * 60, self.minute(day, b, zone) * 60
                if weekday == day.weekday() and span[0] <= at.start * self.size and end <= span[1]:
                    return span
        return None

    def allowed_alone(self, name: str, at: Placed, windows: bool) -> bool:
        item = self.work[name]
        if windows and item.change:
            if item.change.window:
                at.window = self.occurrence(name, at)
                if at.window is None:
                    return False
            for freeze in self.p.freezes:
                low, high = self.moment(freeze.from_), self.moment(freeze.to, True)
                hit = not freeze.services or set(freeze.services) & set(item.change.services)
                if hit and at.start * self.size < high and at.finish * self.size > low:
                    return False
        return True

    def allowed(self, name: str, at: Placed) -> bool:
        for link, befores in self.links(name):
            end = at.start if link.type in (LinkType.FS, LinkType.SS) else at.finish
            from_start = link.type in (LinkType.SS, LinkType.SF)
            bases = [self.placed[n].start if from_start else self.placed[n].finish for n in befores]
            if not befores and (when := self.p.external[link.item].expected):
                bases = [math.ceil(self.moment(when) / self.size)]
            hours = tuple((self.hours_of.sort(name, who, at.start), i) for who, i in at.crew)
            if not all(self.after(end, base, link, hours) for base in bases):
                return False
        for pin in self.p.policy.pins:
            if pin.work == name and pin.start:
                slot = max(self.as_of, math.ceil(self.moment(pin.start) / self.size))
                who = [self.hours_of.sort(name, w, at.start) for w, _ in at.crew] + self.places(name)
                while self.total(name) and not all(self.is_open(w, slot) for w in who):
                    slot += 1
                if at.start != slot:
                    return False
        self.placed[name] = at
        try:
            limits = self.person_limits_hold() and self.project_limit_holds() and self.limits.hold()
            return limits and self.loads_hold(name) and self.changes_hold(name) and self.hours_of.limits_hold()
        finally:
            del self.placed[name]

    def sound(self) -> bool:
        """Whether all that is placed obeys all rules."""
        for name, at in list(self.placed.items()):
            del self.placed[name]
            early = at.start * self.size < self.earliest(name)
            holds = not early and self.allowed_alone(name, at, windows=True) and self.allowed(name, at)
            self.placed[name] = at
            if not holds:
                return False
        return True

    def loads_hold(self, name: str) -> bool:
        """The people and environments of an item that is placed."""
        at = self.placed[name]
        for who, slots in at.work.items():
            for slot in slots:
                shares = [
                    self.work[n].needs[i].allocation
                    for n, other in self.placed.items()
                    for w, i in other.crew
                    if w == who and slot in other.work[who]
                ]
                if sum(shares) > 1 + 1e-9:
                    return False
        for place in self.work[name].environment:
            users = [(o, self.work[n].environment.get(place, 0)) for n, o in self.placed.items()]
            for slot in range(at.start, at.finish):
                used = sum(amount for o, amount in users if o.start <= slot < o.finish)
                if used > self.p.environments[place].capacity:
                    return False
        return True

    def person_limits_hold(self) -> bool:
        for who, person in self.p.people.items():
            limit = person.wip or self.p.policy.person_wip
            free = self.limits.waived(f"people.{who}.wip")
            free |= set() if person.wip else self.limits.waived("policy.person_wip")
            on = {n: at for n, at in self.placed.items() if at.work.get(who) and n not in free}
            sort = {n: self.hours_of.sort(n, who, at.start) for n, at in on.items()}
            for name, at in on.items():
                others = [
                    n
                    for n, o in on.items()
                    if (self.begun(n) or o.start <= at.start) and at.start <= o.work[who][-1] and sort[n] == sort[name]
                ]
                if limit and not self.begun(name) and len(others) > limit:
                    return False
        return True

    def project_limit_holds(self) -> bool:
        limit = self.p.policy.projects_in_process
        spans: dict[str, list[int]] = {}
        free = self.limits.waived("policy.projects_in_process")
        for name, at in self.placed.items():
            if (project := self.project(name)) and name not in free:
                spans.setdefault(project, []).extend((at.start, at.finish))
        for project, ends in spans.items():
            if self.in_process(project):
                continue
            start = min(ends)
            others = [
                q
                for q, e in spans.items()
                if q == project or ((self.in_process(q) or min(e) <= start) and start < max(e))
            ]
            if limit and len(others) > limit:
                return False
        return True

    # search

    def order(self, name: str) -> tuple[bool, bool, int, int]:
        """Pinned starts and work in progress first; with a limit on projects, one project after the other."""
        project, pinned = self.project(name), any(p.work == name and (p.start or p.on) for p in self.p.policy.pins)
        rank = -1
        if self.p.policy.projects_in_process and project and not self.in_process(project):
            rank = list(self.p.projects).index(project)
        return not pinned, not self.begun(name), rank, self.activities.index(name)

    def schedule(self) -> None:
        todo = sorted(self.activities, key=self.order)
        while todo:
            name = next(n for n in todo if not self.waits(n, todo))
            todo.remove(name)
            if reason := self.reason(name):
                self.left[name] = reason
        todo = [n for n in sorted(self.activities, key=self.order) if n not in self.left]
        groups = self.limits.groups(todo) if self.p.policy.rope else {}
        inside = self.limits.in_process(groups)
        of = {n: d for d, members in groups.items() for n in members}
        while todo:
            ready = [n for n in todo if not self.waits(n, todo)]
            # with a rope, what is released is finished before more is
            open_ = [d for d in groups if d in inside or any(n in self.placed for n in groups[d])]
            first = {n for n in todo if of.get(n) in open_}
            first |= {n for n in todo if any(n in self.behind(m) for m in first)}
            name = next((n for n in ready if n in first), ready[0])
            todo.remove(name)
            after = self.as_of
            if name in of and of[name] not in open_:
                after = max([after, *(at.finish for n, at in self.placed.items() if n in of)])
            at = next((at for at in self.starts(name, alone=False) if at.start >= after), None)
            if at is None:
                raise RuntimeError(f"the naive scheduler finds no place for {name} before its horizon")
            self.placed[name] = at

    def waits(self, name: str, todo: list[str]) -> bool:
        return any(b in todo for _, befores in self.links(name) for b in befores)

    def behind(self, name: str) -> set[str]:
        """All that an item waits for."""
        found: set[str] = set()
        stack = [name]
        while stack:
            more = {b for _, befores in self.links(stack.pop()) for b in befores} - found
            found |= more
            stack += more
        return found

    def reason(self, name: str) -> Reason | None:
        item = self.work[name]
        if item.status is Status.UNKNOWN:
            return Reason.STATUS
        if any(self.work[n].on_hold for n in self.line(name)):
            return Reason.ON_HOLD
        for link, befores in self.links(name):
            if any(n in self.left for n in befores):
                return Reason.UNSCHEDULED
            held = self.p.policy.externals == "hold" or name in self.limits.kit
            if not befores and not self.p.external[link.item].expected and held:
                return Reason.EXTERNAL
        if any(n > self.p.environments[e].capacity for e, n in item.environment.items()):
            return Reason.NO_CAPACITY
        change = item.change
        most = self.p.windows[change.window].risk if change and change.window else None
        if change and most is not None and (change.risk or 0) > most:
            return Reason.NO_WINDOW
        if not self.crews(name):
            return Reason.NO_HOLDER
        if next(self.starts(name, alone=True, windows=False), None) is None:
            return Reason.NO_COMMON_TIME
        if next(self.starts(name, alone=True), None) is None:
            return Reason.NO_WINDOW
        return None

    def starts(self, name: str, alone: bool, windows: bool = True) -> Iterator[Placed]:
        crews = self.crews(name)
        for slot in range(math.ceil(self.earliest(name) / self.size), self.horizon):
            for crew in crews:
                at = self.run(name, crew, slot)
                if at and self.allowed_alone(name, at, windows) and (alone or self.allowed(name, at)):
                    yield at

    # the plan

    def plan(self) -> Plan:
        """The schedule with all that a plan tells of it."""
        objective, flow = self.objective(), self.flow()
        loads = sorted(self.loads(), key=lambda load: -(load.weeks_of_queue or 0))
        counted = [n for n in self.activities if n in self.placed or n in self.left]
        return Plan(
            as_of=self.instant(self.as_of),
            zone=self.p.zone,
            slot=self.p.slot,
            week=self.first_week(),
            horizon=self.instant(self.horizon),
            currency=self.p.currency,
            items={n: self.item(n) for n in self.placed},
            unscheduled={n: Unscheduled(reason=reason, text=str(reason)) for n, reason in self.left.items()},
            done=tuple(self.history),
            containers=tuple(self.containers),
            inserted=dict(self.expanded.inserted),
            pace=self.limits.pace,
            debts=self.hours_of.debts(),
            overrides=self.p.policy.overrides,
            releases=tuple(sorted(self.releases(), key=lambda release: -release.value)),
            holds=tuple(sorted(self.holds(), key=lambda hold: -hold.value)),
            projects=self.figures(),
            bottleneck=loads[0] if loads else None,
            loads=tuple(loads),
            weeks=tuple(self.weeks()),
            certificate=Certificate(
                status=PlanStatus.FEASIBLE,
                objective=_goal("cost of delay", objective),
                flow=_goal("weighted flow", flow),
                checked=True,
                goals_note="none are sought",
                violations=0,
                items=len(counted),
                scheduled=len(self.placed),
                unscheduled=len(self.left),
                done=len(self.history),
                seed=0,
                deterministic=True,
                input_hash=_hash(self.expanded.written),
                versions={},
                method="naive",
            ),
            portfolio=self.expanded.written,
        )

    def instant(self, slot: int) -> datetime:
        return datetime.fromtimestamp(slot * self.size, UTC)

    def item(self, name: str) -> PlannedItem:
        at = self.placed[name]
        assignments = []
        for who, i in at.crew:
            pieces: list[tuple[datetime, datetime]] = []
            for slot in at.work[who]:
                begin = pieces.pop()[0] if pieces and pieces[-1][1] == self.instant(slot) else self.instant(slot)
                pieces.append((begin, self.instant(slot + 1)))
            allocation = self.work[name].needs[i].allocation
            assignments.append(Assignment(person=who, need=i, allocation=allocation, work=tuple(pieces)))
        window = tuple(datetime.fromtimestamp(t, UTC) for t in at.window) if at.window else None
        return PlannedItem(
            start=self.instant(at.start), finish=self.instant(at.finish), assignments=assignments, window=window
        )

    def week(self, slot: int) -> str:
        return _week(datetime.fromtimestamp(slot * self.size, self.zone).date())

    def first_week(self) -> str:
        """The week in which the first slot lies in which anyone is at work."""
        for slot in range(self.as_of, self.as_of + 60 * 86400 // self.size):
            if any(self.is_open(who, slot) for who in self.p.people):
                return self.week(slot)
        return self.week(self.as_of)

    def releases(self) -> Iterator[Release]:
        for name, at in self.placed.items():
            if not self.begun(name) and self.week(at.start) <= self.first_week():
                yield Release(
                    item=name,
                    project=self.project(name),
                    start=self.instant(at.start),
                    value=self.value(name),
                    note=self.note(name),
                )

    def note(self, name: str) -> str:
        """Which limits overrides take away from it."""
        inside = {name, self.project(name)}
        above = self.work[name].parent
        while above is not None:
            inside.add(above)
            above = self.work[above].parent
        said = [f"{o.limit} does not hold for it: {o.reason}" for o in self.p.policy.overrides if o.item in inside]
        return "; ".join(dict.fromkeys(said))

    def holds(self) -> Iterator[Hold]:
        for name in self.activities:
            at = self.placed.get(name)
            if not self.begun(name) and not (at and self.week(at.start) <= self.first_week()):
                reason = self.left.get(name, Reason.PEOPLE if self.work[name].needs else Reason.ORDER)
                until = self.instant(at.start) if at else None
                yield Hold(
                    item=name,
                    project=self.project(name),
                    reason=reason,
                    text=str(reason),
                    until=until,
                    value=self.value(name),
                )

    def value(self, name: str) -> float:
        """What a week's delay costs: the rates of the item, of all that contains it and of its project."""
        project = self.project(name)
        above: list[Project | WorkItem] = [self.work[n] for n in self.line(name)]
        above += [self.p.projects[project]] if project else []
        return sum(_rates(e)["delay"] + _rates(e)["tardiness"] + _rates(e)["flow"] for e in above)

    def weeks(self) -> Iterator[Week]:
        hours: dict[str, dict[str, dict[date, dict[str, float]]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(lambda: defaultdict(float)))
        )
        starts, finishes = defaultdict(list), defaultdict(list)
        for name, at in self.placed.items():
            starts[self.week(at.start)].append(name)
            finishes[self.week(at.finish)].append(name)
            for who, i in at.crew:
                share = self.work[name].needs[i].allocation
                for slot in at.work[who]:
                    for minute in range(slot * self.size, (slot + 1) * self.size, 60):
                        day = datetime.fromtimestamp(minute, self.zone).date()
                        hours[_week(day)][who][day][name] += share / 60
        for week in sorted({*hours, *starts, *finishes}):
            yield Week(week=week, people=hours[week], starts=tuple(starts[week]), finishes=tuple(finishes[week]))

    # loads

    def loads(self) -> Iterator[Load]:
        """Of each skill, of each environment, and of the set of people with the most work of their own to its hours."""
        parts = [(n, i) for n in self.placed for i in range(len(self.work[n].needs)) if self.person_hours(n, i)]
        by_skill: dict[str | None, list[tuple[str, int]]] = {self.work[n].needs[i].skill: [] for n, i in parts}
        for n, i in parts:
            by_skill[self.work[n].needs[i].skill].append((n, i))
        found = []
        for skill, some in by_skill.items():
            if skill is not None:
                level = min(self.work[n].needs[i].level for n, i in some)
                people = [w for w, person in self.p.people.items() if person.skills.get(skill, 0) >= level]
                label = skill if level == 1 else f"{skill}>={level}"
                found.append(self.load(skill, (label,), people, some))
        yield from found
        most = self.most_loaded(parts)
        if most is not None and (most.people, most.work_hours) not in [(f.people, f.work_hours) for f in found]:
            yield most
        for place, environment in self.p.environments.items():
            users = [
                (at, self.work[n].environment[place])
                for n, at in self.placed.items()
                if place in self.work[n].environment
            ]
            if users:
                who = f"/{place}" if environment.calendar else None
                taken: dict[str, float] = defaultdict(float)
                for at, amount in users:
                    for slot in range(at.start, at.finish):
                        if who is None or self.is_open(who, slot):
                            taken[self.week(slot)] += amount * self.size / 3600
                there = {week: hours * environment.capacity for week, hours in self.open_hours(who).items()}
                yield self.told("environment", place, (place,), (), sum(taken.values()), taken, there)

    def most_loaded(self, parts: list[tuple[str, int]]) -> Load | None:
        """Every set of people who could do any of it is tried."""
        able = {part: self.able(*part) for part in parts}
        people = [who for who in self.p.people if any(who in some for some in able.values())]
        best: Load | None = None
        for count in range(1, len(people) + 1):
            for some in combinations(people, count):
                own = [part for part in parts if able[part] <= set(some)]
                queue = sum(self.person_hours(*p) for p in own) / (sum(self.hours(w) for w in some) or math.inf)
                if own and (best is None or queue * self.length() / WEEK > (best.weeks_of_queue or 0) + 1e-9):
                    labels: dict[str, float] = defaultdict(float)
                    for n, i in own:
                        need = self.work[n].needs[i]
                        if need.skill:
                            label = need.skill if need.level == 1 else f"{need.skill}>={need.level}"
                            labels[label] += self.person_hours(n, i)
                    members = sorted(labels, key=lambda label: -labels[label])
                    name = " and ".join(self.p.people[w].name or w for w in some)
                    if count > 2:
                        shown = members or list(some)
                        name = ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")
                    best = self.load(name, tuple(members), list(some), own)
        return best

    def able(self, name: str, i: int) -> set[str]:
        need = self.work[name].needs[i]
        return {
            who
            for who, person in self.p.people.items()
            if (not need.who or who in need.who) and (not need.skill or person.skills.get(need.skill, 0) >= need.level)
        }

    def person_hours(self, name: str, i: int) -> float:
        item = self.work[name]
        need = item.needs[i]
        if item.duration is not None:
            span = item.duration if need.remaining is None else need.remaining
            return span.total_seconds() / 3600 * need.people * need.allocation
        effort = need.remaining
        if effort is None:
            assert need.effort is not None
            effort = need.effort.mean
        return effort.total_seconds() / 3600

    def length(self) -> int:
        """Seconds from as-of to the last finish, four weeks at least."""
        last = max((at.finish for at in self.placed.values()), default=0)
        return max(4 * WEEK, (last - self.as_of) * self.size)

    def open_hours(self, who: str | None) -> dict[str, float]:
        """By week, for as long as loads are averaged over; None is always open."""
        end = self.as_of + self.length() // self.size
        if (who, end) not in self.capacity:
            found: dict[str, float] = defaultdict(float)
            for slot in range(self.as_of, end):
                found[self.week(slot)] += self.size / 3600 if who is None or self.is_open(who, slot) else 0
            self.capacity[who, end] = dict(found)
        return self.capacity[who, end]

    def hours(self, who: str) -> float:
        return sum(self.open_hours(who).values())

    def load(self, name: str, members: tuple[str, ...], people: list[str], parts: list[tuple[str, int]]) -> Load:
        """Work in pieces counts in the week in which the piece begins."""
        planned: dict[str, float] = defaultdict(float)
        there: dict[str, float] = defaultdict(float)
        for n, i in parts:
            at = self.placed[n]
            for who in (w for w, need in at.crew if need == i):
                for slot in at.work[who]:
                    begin = slot
                    while begin - 1 in at.work[who]:
                        begin -= 1
                    planned[self.week(begin)] += self.work[n].needs[i].allocation * self.size / 3600
        for who in people:
            for week, hours in self.open_hours(who).items():
                there[week] += hours
        work = sum(self.person_hours(n, i) for n, i in parts)
        return self.told("skills", name, members, tuple(people), work, planned, there)

    def told(
        self,
        kind: Literal["skills", "environment"],
        name: str,
        members: tuple[str, ...],
        people: tuple[str, ...],
        work: float,
        planned: dict[str, float],
        there: dict[str, float],
    ) -> Load:
        available = sum(there.values())
        weeks = sorted({*planned, *there})
        return Load(
            name=name,
            kind=kind,
            members=members,
            people=people,
            work_hours=work,
            weeks_of_queue=work / available * self.length() / WEEK if available else None,
            by_week={week: (planned.get(week, 0.0), there.get(week, 0.0)) for week in weeks},
        )

    # costs

    def ends(self, names: list[str]) -> tuple[float, float] | None:
        at = [self.placed[n] for n in names if n in self.placed]
        return (min(a.start for a in at) * self.size, max(a.finish for a in at) * self.size) if at else None

    def entities(self) -> Iterator[tuple[str, Project | WorkItem, list[str]]]:
        for name, project in self.p.projects.items():
            yield name, project, [n for n in self.activities if self.project(n) == name]
        for name, item in self.work.items():
            if name not in self.history:
                yield name, item, self.inside(name) if name in self.containers else [name]

    def cost(self, entity: Project | WorkItem, names: list[str]) -> float:
        if not (ends := self.ends(names)):
            return 0
        start, finish = ends
        rates = _rates(entity)
        weeks = (finish - self.as_of * self.size) / WEEK
        late = max(0.0, finish - self.moment(entity.due, True)) / WEEK if entity.due else 0.0
        cost = rates["delay"] * (late if entity.due else weeks) + rates["tardiness"] * late + rates["flow"] * weeks
        if isinstance(entity, Project):
            return cost + (entity.makespan or 0) * (finish - start) / WEEK
        if entity.wanted_start:
            cost += rates["earliness"] * max(0.0, self.moment(entity.wanted_start) - start) / WEEK
        return cost

    def nothing_costs(self) -> bool:
        entities: list[Project | WorkItem] = [*self.p.projects.values(), *self.work.values()]
        spans = [p.makespan for p in self.p.projects.values()]
        return not (self.p.policy.makespan or any(spans) or any(any(_rates(e).values()) for e in entities))

    def flow(self) -> float:
        if self.nothing_costs():
            return sum((at.finish - self.as_of) * self.size / WEEK for at in self.placed.values())
        total = 0.0
        for _, entity, names in self.entities():
            rates = _rates(entity)
            if ends := self.ends(names):
                weeks = (ends[1] - self.as_of * self.size) / WEEK
                total += (rates["delay"] + rates["tardiness"] + rates["flow"]) * weeks
        return total

    def objective(self) -> float:
        if self.nothing_costs():
            return self.flow()
        total = sum(self.cost(entity, names) for _, entity, names in self.entities())
        if self.placed:
            last = max(at.finish for at in self.placed.values())
            total += (self.p.policy.makespan or 0) * (last - self.as_of) * self.size / WEEK
        return total

    def figures(self) -> dict[str, ProjectPlan]:
        found = {}
        for name, entity, names in self.entities():
            own = any(_rates(entity).values()) or entity.due
            if not names or not (own or isinstance(entity, Project)):
                continue
            ends, out = self.ends(names), sum(n in self.left for n in names)
            due = self.moment(entity.due, True) if entity.due else None
            finish = datetime.fromtimestamp(ends[1], UTC) if ends and not out else None
            found[name] = ProjectPlan(
                title=entity.title,
                start=datetime.fromtimestamp(ends[0], UTC) if ends else None,
                finish=finish,
                promise=finish,
                due=datetime.fromtimestamp(due, UTC) if due is not None else None,
                late_weeks=max(0.0, ends[1] - due) / WEEK if ends and due is not None else 0.0,
                cost=self.cost(entity, names),
                items=len(names),
                unscheduled=out,
            )
        return found


def _rates(entity: Project | WorkItem) -> dict[str, float]:
    costs = entity.costs
    return {
        "delay": entity.cost_of_delay or 0.0,
        "tardiness": (costs.tardiness if costs else None) or 0.0,
        "flow": (costs.flow if costs else None) or 0.0,
        "earliness": (costs.earliness if costs else None) or 0.0,
    }


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def _goal(name: str, value: float) -> Goal:
    """Zero is a bound, since no cost is negative."""
    gap = 1.0 if value else 0.0
    return Goal(name=name, value=value, bound=0, gap=gap, proved=False, first_come=value, greedy=value)


def _hash(portfolio: Portfolio) -> str:
    data = portfolio.model_dump(mode="json", exclude_defaults=True)
    if "calendars" in data:
        data["calendars"] = [[name, calendar] for name, calendar in data["calendars"].items()]
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
