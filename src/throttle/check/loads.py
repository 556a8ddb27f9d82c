"""Loads and the bottleneck, from the needs of what is scheduled, its assignments and open time."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from itertools import pairwise

from throttle.check.clock import Span, iso_week, together
from throttle.check.kinds import Violations, seconds
from throttle.check.schedule import Schedule
from throttle_models import Constraint, Drum, Load, Need

LEAST_WEEKS = 4
"""Loads are averaged over the length of the plan, and at least so many weeks."""
SHOWN = 40
"""A list of at least so many loads may leave out those with a shorter queue."""
ROUNDED = 1e-4
"""What hours and weeks of queue may be off by, which are told to four decimals."""
AHEAD = 0.1
"""By so much the most loaded must be ahead of the drum to be named in its place, in two plans running."""
RELATIVE = 1e-6
"""What the largest load may fall short by, as a share of it."""


@dataclass(frozen=True)
class Part:
    """The work of one need of a scheduled item."""

    item: str
    position: int
    need: Need
    able: frozenset[str]
    """Everyone who may do it."""
    hours: float
    """Person-hours, not rounded to slots."""

    @property
    def label(self) -> str | None:
        return None if self.need.skill is None else _label(self.need.skill, self.need.level)


@dataclass(frozen=True)
class Right:
    """What a load must say."""

    work: float
    available: float
    """Hours, from as-of to the end of the time that loads are averaged over."""
    weeks: float
    """The length of that time."""
    planned_by_week: dict[str, float]
    available_by_week: dict[str, float]

    @property
    def queue(self) -> float | None:
        return self.work / self.available * self.weeks if self.available else None


Key = tuple[str, str, tuple[str, ...], tuple[str, ...]]
"""Kind, name, members and people."""


class Loads:
    """The plan's loads and bottleneck against the schedule."""

    def __init__(self, schedule: Schedule, violations: Violations) -> None:
        self.plan, self.facts, self.clock = schedule.plan, schedule.facts, schedule.facts.clock
        self.placed = {n: p for n, p in schedule.placed.items() if p.sound}
        self.violations = violations
        week = 7 * 86400 // self.clock.slot
        self.start = self.clock.as_of
        self.end = max([self.start + LEAST_WEEKS * week, *(p.finish for p in self.placed.values())])
        self.length = (self.end - self.start) / week
        self._hours: dict[str, dict[str, float]] = {}

    def check(self) -> None:
        expected = {**dict(self._skills()), **dict(self._environments())}
        seen: set[Key] = set()
        sets: list[Load] = []
        keys: list[Key] = [(told.kind, told.name, told.members, told.people) for told in self.plan.loads]
        for key, told in zip(keys, self.plan.loads, strict=True):
            # a set of people may read like the load of a skill; then it has other work, and comes besides it
            alone = keys.count(key) == 1 and len(keys) < SHOWN
            own = key in expected and (alone or _near(told.work_hours, expected[key].work))
            if own and key in seen:
                self._listed(told.name, f"the load of {told.name} is listed more than once")
            elif own:
                seen.add(key)
                self._figures(told, expected[key])
            elif told.kind == "skills" and told.people and set(told.people) <= self.facts.portfolio.people.keys():
                sets.append(told)
                self._set(told)
            else:
                self._listed(told.name, f"{told.name} is not, with these members and people, what scheduled work needs")
        if len(sets) > 1:
            self._listed(sets[1].name, "more than one set of people is listed besides those who hold a skill")
        queues = [_queue(told) for told in self.plan.loads]
        if queues != sorted(queues, reverse=True):
            self.violations.add("list-order", ["loads"], "the loads are not in order, the longest queue first")
        least = min(queues) if len(queues) >= SHOWN else 0.0
        for key in expected.keys() - seen:
            if (expected[key].queue or 0.0) > least + ROUNDED or not least:
                self._listed(key[1], f"the load of {key[1]} ({', '.join(key[2])}) is not listed as it should be")
        self._largest(sets, least)
        self._drum()

    def _largest(self, sets: list[Load], least: float) -> None:
        """No set of people whom one need could be given to has more work of their own than the largest load listed."""
        told = self.plan.bottleneck
        if told is None:
            if self.plan.loads:
                self.violations.add("bottleneck", [], "there are loads, and none of them is called the bottleneck")
        elif told not in self.plan.loads:
            self.violations.add("bottleneck", [told.name], f"the bottleneck, {told.name}, is not one of the loads")
        else:
            over = max(self.plan.loads, key=_queue)
            if _less(_queue(told), _queue(over)):
                message = f"{over.name} is loaded more than {told.name}, which is called the bottleneck"
                self.violations.add("bottleneck", [over.name], message, amount=_queue(over) - _queue(told))
        most = max((_queue(load) for load in self.plan.loads if load.kind == "skills"), default=0.0)
        for load in sets:
            if _less(_queue(load), most):
                self._listed(load.name, f"{load.name} is a set of people, and not the one with the most work")
        for people, work in self._own_work():
            available = sum(sum(self._open(p).values()) for p in people)
            queue = work / available * self.length if available else 0.0
            if _less(max(most, least), queue):
                names = sorted(people)
                message = f"{', '.join(names)} have work of their own for {queue:.4f} weeks, more than any load listed"
                self.violations.add("bottleneck", names, message, amount=queue - max(most, least))

    def _drum(self) -> None:
        """The drum's figures, and who is ahead of it. What earlier plans named, only they can tell."""
        told, leader = self.plan.drum, self.plan.bottleneck
        if told is None:
            return
        right = self._of_drum(told)
        if right is None or leader is None:
            known = "is nobody's work" if leader is None else "is no environment in use, or no set of people with work"
            self.violations.add("drum", [told.name], f"the drum, {told.name}, {known}")
            return
        wrong, queue, first = [], right.queue or 0.0, _queue(leader)
        if not _near(told.weeks_of_queue or 0.0, queue):
            wrong.append(f"its queue is {queue:.4f} weeks; the plan says {told.weeks_of_queue}")
        ahead = 0.0 if _same(told, leader) or not queue else max(0.0, first / queue - 1)
        slack = ROUNDED * (1 + (1 + ahead) / max(queue, ROUNDED))
        if abs(told.ahead - ahead) > slack:
            wrong.append(f"{leader.name} is ahead of it by {ahead:.4f}; the plan says {told.ahead}")
        if abs(ahead - AHEAD) > slack and (told.challenger is not None) != (ahead > AHEAD):
            wrong.append("a challenger is named where the most loaded is at least 10 % ahead, and only there")
        if told.challenger is not None and not _same(told.challenger, leader):
            wrong.append(f"the challenger is the most loaded, {leader.name}")
        names, made_of = (told.name, told.members), (leader.name, leader.members)
        if told.challenger is not None and (told.challenger.name, told.challenger.members) != made_of:
            wrong.append(f"the challenger's name or members are not those of {leader.name}")
        listed = [(load.name, load.members) for load in self.plan.loads if _same(told, load)]
        if names not in ([made_of] if _same(told, leader) else [self._known_as(told), *listed]):
            wrong.append("its name or members are not those of its people's work")
        if told.since > self.plan.as_of or (self.plan.previous is None and told.since != self.plan.as_of):
            wrong.append("it is named since the as-of of this plan, or of an earlier one that this started from")
        if self.plan.previous is None and not _same(told, leader):
            wrong.append(f"a first plan names its most loaded, {leader.name}")
        for message in wrong[:1]:
            self.violations.add("drum", [told.name], f"the drum, {told.name}: {message}")

    def _of_drum(self, told: Drum) -> Right | None:
        """What its load must say."""
        if told.kind == "environment":
            places = {key[1]: right for key, right in self._environments()}
            return places.get(told.name) if not told.people and told.members == (told.name,) else None
        people = set(told.people)
        parts = [part for part in self.parts if part.able <= people]
        if not parts or told.people != tuple(p for p in self.facts.portfolio.people if p in people):
            return None
        return self._of_people(told.people, parts)

    # what must be listed

    @cached_property
    def parts(self) -> list[Part]:
        found, able = [], {}
        for name in self.placed:
            item = self.facts.work[name]
            for i, need in enumerate(item.needs):
                key = need.skill, need.level, need.who
                if key not in able:
                    able[key] = frozenset(p for p in self.facts.portfolio.people if self.facts.may_do(p, need))
                if (minutes := self.facts.person_minutes(item, need)) > 0:
                    found.append(Part(name, i, need, able[key], minutes / 60))
        return found

    def _skills(self) -> Iterator[tuple[Key, Right]]:
        """The work that names a skill, against everyone who holds it at the lowest level that is asked for."""
        by_skill: dict[str, list[Part]] = defaultdict(list)
        for part in self.parts:
            if part.need.skill is not None:
                by_skill[part.need.skill].append(part)
        for skill, parts in by_skill.items():
            level = min(part.need.level for part in parts)
            people = tuple(p for p, who in self.facts.portfolio.people.items() if who.skills.get(skill, 0) >= level)
            yield ("skills", skill, (_label(skill, level),), people), self._of_people(people, parts)

    def _environments(self) -> Iterator[tuple[Key, Right]]:
        """What is occupied from start to finish, of the open time of all of its capacity."""
        uses: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for name in self.placed:
            for place, amount in self.facts.work[name].environment.items():
                uses[place].append((name, amount))
        for place, users in uses.items():
            capacity = self.facts.portfolio.environments[place].capacity
            time_ = self.facts.environment_time(place)
            times = [] if time_ is None else [time_]
            taken: dict[str, float] = defaultdict(float)
            for name, amount in users:
                at = self.placed[name]
                spans = together(times, max(at.start, self.start), at.finish)
                for week, hours in self._by_week(spans).items():
                    taken[week] += hours * amount
            there = self._by_week(together(times, self.start, self.end))
            available = {week: hours * capacity for week, hours in there.items()}
            yield ("environment", place, (place,), ()), self._right(sum(taken.values()), taken, available)

    def _own_work(self) -> Iterator[tuple[frozenset[str], float]]:
        """Sets of people whom some need could be given to, and the hours that only people in the set can do."""
        work: dict[frozenset[str], float] = defaultdict(float)
        for part in self.parts:
            work[part.able] += part.hours
        by_person: dict[str, list[frozenset[str]]] = defaultdict(list)
        for able in work:  # under any one of its people, so that a set need not be held against all others
            by_person[min(able, default="")].append(able)
        for people in work:
            yield people, sum(work[some] for p in people for some in by_person[p] if some <= people)

    # figures

    def _set(self, told: Load) -> None:
        """A set of people, with the work that only they can do."""
        people = set(told.people)
        parts = [part for part in self.parts if part.able <= people]
        ordered = tuple(p for p in self.facts.portfolio.people if p in people)
        hours: dict[str, float] = defaultdict(float)
        for part in parts:
            if part.label is not None:
                hours[part.label] += part.hours
        if told.people != ordered or sorted(told.members) != sorted(hours):
            self._listed(told.name, f"the people or members of {told.name} are not those of a set with its work")
            return
        if any(hours[a] < hours[b] - ROUNDED for a, b in zip(told.members, told.members[1:], strict=False)):
            self._listed(told.name, f"the members of {told.name} are not in the order of their work, most first")
        name = self._name(ordered, told.members)
        if told.name != name:
            self._listed(told.name, f"a set of people is called {told.name}, and its people or members give {name}")
        self._figures(told, self._of_people(ordered, parts))

    def _name(self, people: tuple[str, ...], members: tuple[str, ...]) -> str:
        if len(people) <= 2:
            return " and ".join(self.facts.portfolio.people[p].name or p for p in people)
        shown = members or people
        more = len(shown) - 3
        return ", ".join(shown[:3]) + (f" and {more} more" if more > 0 else "")

    def _known_as(self, told: Drum) -> tuple[str, tuple[str, ...]]:
        """Name and members of a drum that is not the most loaded; members with the same work are in any order."""
        if told.kind == "environment":
            return told.name, (told.name,)
        people = set(told.people)
        hours: dict[str, float] = defaultdict(float)
        for part in self.parts:
            if part.able <= people and part.label is not None:
                hours[part.label] += part.hours
        ordered = not any(hours[a] < hours[b] - ROUNDED for a, b in pairwise(told.members) if a in hours and b in hours)
        members = told.members if ordered and sorted(told.members) == sorted(hours) else tuple(hours)
        return self._name(tuple(told.people), members), members

    def _figures(self, told: Load, right: Right) -> None:
        weeks = right.planned_by_week.keys() | right.available_by_week.keys()
        numbers: list[tuple[str, float | None, float | None]] = [
            ("work in hours", told.work_hours, right.work),
            ("queue in weeks", told.weeks_of_queue, right.queue),
        ]
        for week in sorted(weeks | told.by_week.keys()):
            planned, available = told.by_week.get(week, (None, None))
            known = week in weeks
            numbers += [
                (f"planned hours in {week}", planned, right.planned_by_week.get(week, 0.0) if known else None),
                (f"hours available in {week}", available, right.available_by_week.get(week, 0.0) if known else None),
            ]
        for what, number, exact in numbers:
            if number is None and exact is None:
                continue
            if number is None or exact is None or not _near(number, exact):
                is_, says = ("none" if n is None else f"{n:.4f}" for n in (exact, number))
                off = None if number is None or exact is None else number - exact
                message = f"the {what} of {told.name} is {is_}; the plan says {says}"
                self.violations.add("load-figures", [told.name], message, amount=off)
                return

    def _of_people(self, people: Iterable[str], parts: list[Part]) -> Right:
        planned: dict[str, float] = defaultdict(float)
        for part in parts:
            for assigned in self.plan.items[part.item].assignments:
                if assigned.need == part.position:
                    for start, finish in assigned.work:
                        hours = (seconds(finish) - seconds(start)) / 3600 * assigned.allocation
                        planned[self.clock.week(seconds(start))] += hours
        available: dict[str, float] = dict.fromkeys((name for _, name in self.weeks), 0.0)
        for person in people:
            for week, hours in self._open(person).items():
                available[week] += hours
        return self._right(sum(part.hours for part in parts), planned, available)

    def _right(self, work: float, planned: dict[str, float], available: dict[str, float]) -> Right:
        return Right(work, sum(available.values()), self.length, planned, available)

    # time

    @cached_property
    def weeks(self) -> list[tuple[int, str]]:
        """First slot and name of each week; a slot is of the week in which it begins."""
        day = self.clock.local_day(self.start * self.clock.slot)
        monday = day - timedelta(days=day.weekday())
        found = []
        first = self.start
        while first < self.end:
            found.append((first, iso_week(monday)))
            monday += timedelta(weeks=1)
            first = self.clock.up(datetime.combine(monday, time(), self.clock.zone).timestamp())
        return found

    def _by_week(self, spans: Iterable[Span]) -> dict[str, float]:
        """Hours of spans that lie between as-of and the end."""
        found = dict.fromkeys((name for _, name in self.weeks), 0.0)
        ends = [first for first, _ in self.weeks[1:]] + [self.end]
        for start, end in spans:
            at, k = start, bisect_right(ends, start)
            while at < end:
                until = min(end, ends[k])
                found[self.weeks[k][1]] += (until - at) * self.clock.slot / 3600
                at, k = until, k + 1
        return found

    def _open(self, person: str) -> dict[str, float]:
        if person not in self._hours:
            self._hours[person] = self._by_week(self.facts.person_time(person).spans(self.start, self.end))
        return self._hours[person]

    def _listed(self, name: str, message: str) -> None:
        self.violations.add("load-list", [name], message)


def _label(skill: str, level: int) -> str:
    return f"{skill}>={level}" if level > 1 else skill


def _same(one: Constraint, other: Constraint | Load) -> bool:
    if one.kind != other.kind:
        return False
    return one.name == other.name if one.kind == "environment" else set(one.people) == set(other.people)


def _queue(load: Load) -> float:
    return load.weeks_of_queue or 0.0


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= ROUNDED


def _less(one: float, other: float) -> bool:
    return one < other * (1 - RELATIVE) - ROUNDED
