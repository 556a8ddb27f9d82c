"""What the rules need to know of a portfolio, read from it once."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from math import ceil
from zoneinfo import ZoneInfo

from throttle.check.capacity import Capacity, improves
from throttle.check.clock import ROUNDING, Clock, OpenTime, Span, calendar_day, wall_clock
from throttle.errors import InputError
from throttle_models import (
    DEFAULT_CALENDAR,
    Calendar,
    ChangeKind,
    External,
    LagKind,
    Link,
    LinkType,
    Need,
    Person,
    Pin,
    Policy,
    Portfolio,
    Status,
    WorkItem,
    parse_minutes,
)
from throttle_models.quantities import ELAPSED, WORK
from throttle_models.references import dangling_references

HISTORY = (Status.DONE, Status.CANCELLED)
START_LINKS = (LinkType.FS, LinkType.SS)
"""Links that bound the start of the item that waits."""
FROM_START = (LinkType.SS, LinkType.SF)
"""Links that count from the start of the item waited for."""


@dataclass(frozen=True)
class Bound:
    """A link that binds an activity, with all the activities that it waits for."""

    link: Link
    befores: tuple[str, ...]
    """Activities; none for an external stub."""
    external: External | None

    @property
    def bounds_start(self) -> bool:
        return self.link.type in START_LINKS


class Facts:
    """A portfolio, ready to be asked. Raises InputError where its references do not resolve."""

    def __init__(self, portfolio: Portfolio, pace: Collection[str] = ()) -> None:
        """``pace``: the people whom the plan calls the drum, where the policy leaves it to find them."""
        if problems := [f for f in dangling_references(portfolio) if f.level == "error"]:
            raise InputError(problems)
        self.portfolio = portfolio
        self.work = portfolio.work
        self._pace = frozenset(pace)
        self.clock = Clock(portfolio.as_of, portfolio.zone, portfolio.slot)
        self._children: dict[str, list[str]] = {}
        for name, item in self.work.items():
            if item.parent is not None:
                self._children.setdefault(item.parent, []).append(name)
        self.history = {name for name, item in self.work.items() if item.status in HISTORY}
        self.containers = {
            name
            for name, item in self.work.items()
            if name not in self.history and name in self._children and not item.needs and item.wait is None
        }
        self.activities = [n for n in self.work if n not in self.history and n not in self.containers]
        self._needs: dict[str, dict[int, tuple[Need, int]]] = {}
        self._able: dict[tuple[str | None, int, tuple[str, ...]], frozenset[str]] = {}
        self._open_times: dict[object, OpenTime] = {}
        self._person_times: dict[str, OpenTime] = {}
        self._fallback = next(iter(portfolio.calendars.values()), DEFAULT_CALENDAR)

    # structure

    def ancestors(self, name: str) -> Iterator[str]:
        """From the parent upwards."""
        parent = self.work[name].parent
        while parent is not None:
            yield parent
            parent = self.work[parent].parent

    @cached_property
    def project_of(self) -> dict[str, str | None]:
        """The item's own project, else the nearest ancestor's."""
        return {name: self._project(name) for name in self.work}

    def _project(self, name: str) -> str | None:
        line = (name, *self.ancestors(name))
        return next((self.work[n].project for n in line if self.work[n].project is not None), None)

    @cached_property
    def members(self) -> dict[str, tuple[str, ...]]:
        """Container to the activities in it, however deep."""
        found: dict[str, list[str]] = {name: [] for name in self.containers}
        for name in self.activities:
            for above in self.ancestors(name):
                if above in found:
                    found[above].append(name)
        return {name: tuple(inside) for name, inside in found.items()}

    @cached_property
    def activities_of(self) -> dict[str, tuple[str, ...]]:
        """Project to its activities."""
        found: dict[str, list[str]] = {name: [] for name in self.portfolio.projects}
        for name in self.activities:
            if (project := self.project_of[name]) is not None:
                found[project].append(name)
        return {name: tuple(inside) for name, inside in found.items()}

    @cached_property
    def known(self) -> set[str]:
        """All ids that a reason may refer to; skills need not be declared."""
        p = self.portfolio
        held = {skill for person in p.people.values() for skill in person.skills}
        needed = {need.skill for item in p.work.values() for need in item.needs if need.skill is not None}
        places = {*p.environments, *p.windows, *p.services}
        return {*p.work, *p.people, *p.external, *p.projects, *p.skills, *held, *needed, *places}

    def begun(self, name: str) -> bool:
        return self.work[name].status is Status.IN_PROGRESS

    def held(self, name: str) -> bool:
        return any(self.work[n].on_hold is not None for n in (name, *self.ancestors(name)))

    def in_process(self, project: str) -> bool:
        """Whether it counts as let in before as-of."""
        said = self.portfolio.projects[project].in_process
        return project in self._touched if said is None else said

    @cached_property
    def _touched(self) -> set[str | None]:
        begun = (Status.DONE, Status.IN_PROGRESS)
        return {self.project_of[name] for name, item in self.work.items() if item.status in begun}

    # work

    def needs(self, name: str) -> dict[int, tuple[Need, int]]:
        """Position to need and its time in slots; those that ask for nobody are left out."""
        if name not in self._needs:
            item = self.work[name]
            timed = ((i, need, self.time_of(item, need)) for i, need in enumerate(item.needs))
            self._needs[name] = {i: (need, slots) for i, need, slots in timed if slots}
        return self._needs[name]

    def time_of(self, item: WorkItem, need: Need) -> int:
        """Slots that a need takes: remaining or effort / (people * allocation), or the fixed duration."""
        return self.clock.slots(self.person_minutes(item, need) / (need.people * need.allocation))

    def person_minutes(self, item: WorkItem, need: Need) -> float:
        """Minutes of all people on a need together, an hour at 50 % counting half; not rounded to slots."""
        if item.duration is not None:
            span = need.remaining if need.remaining is not None else item.duration
            return span.total_seconds() / 60 * need.people * need.allocation
        if need.remaining is not None:
            effort = need.remaining
        elif need.effort is not None:
            effort = need.effort.mean
        else:  # the vocabulary refuses such an item
            raise AssertionError("a need without effort, remaining or duration")
        return effort.total_seconds() / 60

    def slots_of(self, name: str) -> int:
        """Slots of open time from start to finish; 0 for a milestone."""
        item = self.work[name]
        if item.wait is not None:
            left = item.wait.total_seconds()
            if self.begun(name) and item.started is not None:
                left -= self.clock.after_as_of(timedelta(0)) - self.clock.moment(item.started)
            return max(0, self.clock.slots(left / 60))
        return max((slots for _, slots in self.needs(name).values()), default=0)

    def may_pause(self, name: str) -> bool:
        item = self.work[name]
        return item.pausable and not (item.change is not None and item.change.window is not None)

    @property
    def paced(self) -> bool:
        """Whether the policy speaks of a drum."""
        policy = self.portfolio.policy
        buffered = policy.buffers is not None and policy.buffers.drum is not None
        return policy.rope is not None or policy.full_kit or buffered

    @cached_property
    def drum_minutes(self) -> dict[str, int]:
        """Person-minutes, rounded up, that activities have on the drum of the policy; only those that have some."""
        policy, people = self.portfolio.policy, self.portfolio.people
        if not self.paced:
            return {}
        only = self._pace if policy.drum == "auto" else frozenset([policy.drum] if policy.drum in people else ())
        skill = policy.drum if policy.drum != "auto" and policy.drum not in people else None
        found = {}
        for name in self.activities:
            item = self.work[name]
            parts = [
                self.person_minutes(item, need)
                for need in item.needs
                if (need.skill == skill if skill is not None else self.able(need) and self.able(need) <= only)
            ]
            if sum(parts) > 0:
                found[name] = max(1, ceil(sum(parts) - 1e-6))
        return found

    @cached_property
    def kit(self) -> set[str]:
        """Activities that start only when all that they wait for is finished."""
        return {n for n in self.drum_minutes if not self.begun(n)} if self.portfolio.policy.full_kit else set()

    def able(self, need: Need) -> frozenset[str]:
        """Everyone who may do it."""
        key = need.skill, need.level, need.who
        if key not in self._able:
            self._able[key] = frozenset(p for p in self.portfolio.people if self.may_do(p, need))
        return self._able[key]

    def waived(self, *limits: str) -> set[str]:
        """The activities for which an override takes one of these limits away."""
        found: set[str] = set()
        for override in self.portfolio.policy.overrides:
            if override.limit in limits:
                found.update(self.under(override.item))
        return found

    def under(self, name: str) -> Sequence[str]:
        """An activity itself alone; of a project, a container, or of what is done, the activities in it."""
        if name in self.portfolio.projects:
            return self.activities_of[name]
        if name in set(self.activities):
            return [name]
        return [n for n in self.activities if name in self.ancestors(n)]

    def pins(self, name: str) -> list[Pin]:
        return self._pins.get(name, [])

    @cached_property
    def _pins(self) -> dict[str, list[Pin]]:
        found: dict[str, list[Pin]] = {}
        for pin in self.portfolio.policy.pins:
            found.setdefault(pin.work, []).append(pin)
        for name, planned in self.portfolio.planned.items():
            item = self.work.get(name)
            if planned.frozen and name not in found and item is not None and item.status is Status.OPEN:
                found[name] = [Pin(work=name, start=planned.start, who=planned.who)]
        return found

    def may_do(self, person: str, need: Need) -> bool:
        """Whether a need's skill, level and names let a person do it."""
        return self.named(person, need) and self.qualified(person, need)

    def named(self, person: str, need: Need) -> bool:
        return not need.who or person in need.who

    def qualified(self, person: str, need: Need) -> bool:
        return need.skill is None or self.portfolio.people[person].skills.get(need.skill, 0) >= need.level

    # order

    def bounds(self, name: str) -> Iterator[Bound]:
        """The links that bind an activity: its own and its containers', less those that are satisfied already."""
        for holder in (name, *self.ancestors(name)):
            if holder != name and holder not in self.containers:
                continue
            for written in self.work[holder].after:
                link = written.model_copy(update={"type": LinkType.FS}) if name in self.kit else written
                if self.begun(name) and link.type in START_LINKS:
                    continue
                external = self.portfolio.external.get(link.item) if link.item not in self.work else None
                if external is not None:
                    if external.status not in HISTORY:
                        yield Bound(link, (), external)
                    continue
                if befores := self._befores(link):
                    yield Bound(link, befores, None)

    def _befores(self, link: Link) -> tuple[str, ...]:
        if link.item in self.history:
            return ()
        activities = self.members.get(link.item, (link.item,))
        if link.type in FROM_START:
            return tuple(n for n in activities if not self.begun(n))
        return activities

    def lag(self, name: str, link: Link) -> tuple[int, bool]:
        """Slots, rounded up, and whether they are of working time."""
        kind = link.lag_in or (LagKind.WORKING if self.needs(name) else LagKind.ELAPSED)
        working = kind is LagKind.WORKING
        span = parse_minutes(link.lag, WORK if working else ELAPSED, signed=True)
        return self.clock.slots(span.total_seconds() / 60), working

    def earliest(self, name: str) -> list[tuple[str, str, float]]:
        """What bounds the start of an item that is not in progress: kind of violation, id, seconds since 1970."""
        if self.begun(name):
            return []
        item = self.work[name]
        found = [
            ("not-before", n, self.clock.moment(when))
            for n in (name, *self.ancestors(name))
            if (when := self.work[n].not_before) is not None
        ]
        project = self.project_of[name]
        if project is not None and (when := self.portfolio.projects[project].not_before) is not None:
            found.append(("not-before", project, self.clock.moment(when)))
        change = item.change
        approval = change.approval if change is not None and change.kind is ChangeKind.NORMAL else None
        if approval is not None and not approval.given:
            asked = self.clock.moment(approval.asked) if approval.asked else self.clock.after_as_of(timedelta(0))
            ready = asked + approval.lead.total_seconds()
            if approval.board in self.portfolio.boards:
                ready = self._meeting(approval.board, ready)
            found.append(("approval", approval.board or name, ready))
        return found

    def _meeting(self, board: str, ready: float) -> float:
        """The end of the first meeting that begins at or after a moment, in seconds."""
        entity = self.portfolio.boards[board]
        zone = ZoneInfo(entity.zone) if entity.zone is not None else self.clock.zone
        day = datetime.fromtimestamp(ready, zone).date() - timedelta(days=1)
        while True:
            spans = (
                (wall_clock(day, a, zone), wall_clock(day, b, zone))
                for weekday, a, b in entity.every.ranges
                if weekday == day.weekday()
            )
            if ends := [end for begin, end in spans if begin >= ready]:
                return ends[0]
            day += timedelta(days=1)

    # time

    @cached_property
    def capacity(self) -> Capacity:
        return Capacity(self.portfolio, self.clock)

    def shift(self, name: str, person: str, start: int) -> str:
        """Which hours of their own sort a person uses for an item that starts in this slot: none, "improvement" or
        "out of hours"."""
        item, capacity = self.work[name], self.capacity
        better = capacity.improves(person) and improves(item)
        if better and capacity.for_improvement(person).is_open(start):
            return "improvement"
        windowed = item.change is not None and item.change.window is not None
        outside = windowed and self.portfolio.people[person].out_of_hours is not None
        return "out of hours" if outside and capacity.out_of_hours(person).is_open(start) else ""

    def time_on(self, name: str, person: str, start: int) -> OpenTime:
        """The open time in which a person does an item that starts in this slot."""
        shift = self.shift(name, person, start)
        if shift:
            capacity = self.capacity
            return capacity.out_of_hours(person) if shift == "out of hours" else capacity.for_improvement(person)
        return self._usual_time(person)

    def _usual_time(self, person: str) -> OpenTime:
        return self.capacity.for_other_work(person) if self.capacity.improves(person) else self.person_time(person)

    def times_for(self, name: str, person: str, slots: int, allocation: float, calendar: bool) -> list[OpenTime]:
        """All the open times in which a person could do a need; ``calendar``: more than that, but sooner known."""
        item, who = self.work[name], self.portfolio.people[person]
        found = [self.calendar_time(person) if calendar else self._usual_time(person)]
        if not calendar and improves(item) and self.capacity.improves(person):
            found.append(self.capacity.for_improvement(person))
        if who.out_of_hours is not None and item.change is not None and item.change.window is not None:
            limit = who.out_of_hours.limit.total_seconds() / self.clock.slot
            if slots * math.ceil(allocation * 100 - ROUNDING) / 100 <= limit + ROUNDING:
                found.append(self.capacity.out_of_hours(person))
        return found

    def person_time(self, person: str) -> OpenTime:
        """For planned work, improvement included."""
        if person in self._person_times:
            return self._person_times[person]
        if self.capacity.concerns(person):
            return self.capacity.time(person)
        if person not in self.portfolio.people:  # told elsewhere: never at work
            return OpenTime(self.clock, self.clock.zone, lambda _: [])
        who = self.portfolio.people[person]
        calendar = self.portfolio.calendars[who.calendar] if who.calendar is not None else self._fallback
        share = who.productive if who.productive is not None else calendar.productive
        time = self._open_time((who.calendar, who.away, share), calendar, who, share)
        self._person_times[person] = time
        return time

    def calendar_time(self, person: str) -> OpenTime:
        """Of the person's calendar, as if without days off and other work: never less than the person's own."""
        who = self.portfolio.people[person]
        calendar = self.portfolio.calendars[who.calendar] if who.calendar is not None else self._fallback
        return self._open_time((who.calendar, (), 1.0), calendar, None, 1.0)

    def environment_times(self, name: str) -> list[OpenTime]:
        """Of the environments of an item that are not always open."""
        times = (self.environment_time(e) for e in self.work[name].environment)
        return list(dict.fromkeys(t for t in times if t is not None))

    def environment_time(self, environment: str) -> OpenTime | None:
        """None where it is always open."""
        calendar = self.portfolio.environments[environment].calendar
        if calendar is None:
            return None
        return self._open_time(calendar, self.portfolio.calendars[calendar], None, 1.0)

    def _open_time(self, key: object, calendar: Calendar, person: Person | None, share: float) -> OpenTime:
        """One expansion for all who have the same key."""
        if key not in self._open_times:
            zone = ZoneInfo(calendar.zone) if calendar.zone is not None else self.clock.zone
            day = calendar_day(calendar, zone, self.clock.slot, person.away if person else (), share)
            self._open_times[key] = OpenTime(self.clock, zone, day)
        return self._open_times[key]

    def pinned_days(self, name: str) -> list[date]:
        """On which the occurrence that it runs in must begin."""
        return [self.clock.local_day(self.clock.moment(pin.on)) for pin in self.pins(name) if pin.on is not None]

    def window_zone(self, window: str) -> ZoneInfo:
        zone = self.portfolio.windows[window].zone
        return ZoneInfo(zone) if zone is not None else self.clock.zone

    def occurrences(self, window: str, low: float, high: float) -> list[Span]:
        """Occurrences, in seconds, of a window that may touch the time from ``low`` to ``high``."""
        entity, zone = self.portfolio.windows[window], self.window_zone(window)
        first = datetime.fromtimestamp(low, zone).date().toordinal() - 3
        last = datetime.fromtimestamp(high, zone).date().toordinal() + 1
        found: list[Span] = []
        for ordinal in range(first, last + 1):
            day = datetime.fromordinal(ordinal).date()
            if any(days.first <= day <= days.last for days in entity.closed):
                continue
            for weekday, a, b in entity.every.ranges:
                if weekday == day.weekday():
                    found.append((wall_clock(day, a, zone), wall_clock(day, b, zone)))
        return sorted(s for s in found if s[0] < s[1])

    def freezes(self, name: str) -> list[tuple[float, float]]:
        """In seconds, those that bind a change."""
        change = self.work[name].change
        if change is None:
            return []
        return [span for span, services in self._freezes if not services or services & set(change.services)]

    @cached_property
    def _freezes(self) -> list[tuple[tuple[float, float], frozenset[str]]]:
        return [
            ((self.clock.moment(f.from_), self.clock.moment(f.to, end_of_day=True)), frozenset(f.services))
            for f in self.portfolio.freezes
        ]


_NOT_OBEYED: dict[str, Callable[[Policy], object]] = {}


def unknown_rules(portfolio: Portfolio) -> list[tuple[str, tuple[str, ...]]]:
    """Fields that the portfolio uses and whose rules this checker does not know, with the ids that use them."""
    named: Mapping[str, list[str]] = {}
    found = [(field, tuple(ids)) for field, ids in named.items() if ids]
    return found + [(field, ()) for field, used in _NOT_OBEYED.items() if used(portfolio.policy)]
