"""Whose time is left for what: rotas, reserves, improvement time and hours outside a calendar, by day, in seconds."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from throttle.check.clock import ROUNDING, Clock, OpenTime, Span, calendar_day, merged, wall_clock
from throttle_models import DEFAULT_CALENDAR, Calendar, Person, Portfolio, WorkItem, WorkType
from throttle_models.people import WEEKDAYS, Rota

Day = Callable[[date], list[Span]]
Week = dict[str, dict[date, list[Span]]]
"""Person and local day to the open spans of the ranges that begin on it."""

DAY = timedelta(days=1)


class Capacity:
    """The open time of people whom a rota, a reserve, improvement or work out of hours concerns."""

    def __init__(self, portfolio: Portfolio, clock: Clock) -> None:
        self._portfolio, self._clock = portfolio, clock
        self._turns: dict[str, list[tuple[float, list[Span]]]] = {}
        self._until: dict[str, date] = {}
        self._weeks: dict[date, Week] = {}
        self._times: dict[tuple[str, str], OpenTime] = {}
        policy = portfolio.policy.reserve
        self._policy = policy if isinstance(policy, Mapping) else {}
        self._on_call = {p for rota in portfolio.rotas.values() for p in rota.people}
        self._amounts = self._reserves()
        self._reserving = {p for who, _, _ in self._amounts for p in who}
        self._days: dict[str, Day] = {}
        self._parts: dict[tuple[str, date], list[tuple[list[Span], list[Span]]]] = {}

    def concerns(self, person: str) -> bool:
        """Whether a rota or a reserve takes some of their hours."""
        return person in self._on_call or person in self._reserving

    def time(self, person: str) -> OpenTime:
        """For planned work, improvement included."""
        return self._open("all", person, lambda day: self._day(person, day))

    def for_other_work(self, person: str) -> OpenTime:
        """For planned work other than improvement."""
        return self._open("other", person, lambda day: self._divided(person, day)[0])

    def for_improvement(self, person: str) -> OpenTime:
        return self._open("improvement", person, lambda day: self._divided(person, day)[1])

    def out_of_hours(self, person: str) -> OpenTime:
        return self._open("out of hours", person, lambda day: self._outside(person, day))

    def improves(self, person: str) -> bool:
        """Whether some of a person's hours are of a team that keeps a share of its own for improvement."""
        who = self._portfolio.people[person]
        teams = [lent.team for lent in who.lent_to] + ([who.team] if who.team is not None else [])
        return any(self._portfolio.teams[team].improvement is not None for team in teams)

    def _improvement(self, person: str, day: date) -> float:
        """The share of a day that is for improvement: that of each team, by how much of the day is its own."""
        who, teams = self._portfolio.people[person], self._portfolio.teams
        parts = [
            (lent.share, lent.team)
            for lent in who.lent_to
            if lent.until is None or day <= self._clock.local_day(self._clock.moment(lent.until))
        ]
        if who.team is not None:
            parts.append((max(0.0, 1 - sum(share for share, _ in parts)), who.team))
        return sum(share * (teams[team].improvement or 0.0) for share, team in parts)

    def _open(self, kind: str, person: str, day: Day) -> OpenTime:
        if (kind, person) not in self._times:
            self._times[kind, person] = OpenTime(self._clock, self._zone(person), day)
        return self._times[kind, person]

    def _calendar(self, person: Person) -> Calendar:
        calendars = self._portfolio.calendars
        if person.calendar is not None:
            return calendars[person.calendar]
        return next(iter(calendars.values()), DEFAULT_CALENDAR)

    def _zone(self, person: str) -> ZoneInfo:
        zone = self._calendar(self._portfolio.people[person]).zone
        return self._clock.zone if zone is None else ZoneInfo(zone)

    # rotas

    def _turns_of(self, person: str, until: date) -> list[tuple[float, list[Span]]]:
        """Share and turns, in seconds, of each rota that a person is in; all of them that begin by a day."""
        if person not in self._until or self._until[person] < until:
            self._until[person] = until + timedelta(days=366)
            self._turns[person] = [
                (rota.share, self._turns_in(person, rota, self._until[person]))
                for rota in self._portfolio.rotas.values()
                if person in rota.people
            ]
        return self._turns[person]

    def _turns_in(self, person: str, rota: Rota, until: date) -> list[Span]:
        people, every = rota.people, rota.every
        begin, number, found = datetime.combine(rota.first, time()), 0, []
        as_of = datetime.combine(self._clock.local_day(self._clock.as_of * self._clock.slot), time())
        if as_of - 30 * DAY > begin:  # long past turns concern nobody
            number = (as_of - 30 * DAY - begin) // every
        while begin + number * every <= datetime.combine(until, time()):
            if rota.turns is not None and number >= rota.turns:
                break
            if people[number % len(people)] == person:
                edges = (begin + number * every, begin + (number + 1) * every)
                a, b = (int(edge.replace(tzinfo=self._clock.zone).timestamp()) for edge in edges)
                found.append((a, b))
            number += 1
        return found

    def _less_duty(self, person: str, day: date) -> list[Span]:
        who = self._portfolio.people[person]
        calendar, slot = self._calendar(who), self._clock.slot
        share = who.productive if who.productive is not None else calendar.productive
        if person not in self._days:
            self._days[person] = calendar_day(calendar, self._zone(person), slot, who.away, share)
        spans = self._days[person](day)
        if spans and person in self._on_call:
            for taken, turns in self._turns_of(person, day + 7 * DAY):
                inside = _overlap(spans, turns)
                left = int(_length(inside) * (1 - taken) / slot + 0.5 + ROUNDING) * slot
                spans = merged([*_without(spans, turns), *_first(inside, left)])
        return spans

    # reserve

    def _reserves(self) -> list[tuple[list[str], int, int | None]]:
        """In the order in which they are taken: who keeps, how many seconds, on which weekday (None: each week)."""
        people = self._portfolio.people
        found: list[tuple[list[str], timedelta, int | None]] = []
        for name in sorted(people):
            if name not in self._policy and (own := people[name].reserve) is not None:
                found.append(([name], own, None))
        for one in (True, False):
            for name in sorted(n for n in self._policy if (n in people) == one):
                who = [name] if one else sorted(p for p in people if name in people[p].skills)
                amount = self._policy[name]
                if isinstance(amount, timedelta):
                    found.append((who, amount, None))
                else:
                    found += [(who, amount[day], i) for i, day in enumerate(WEEKDAYS) if day in amount]
        return [(who, int(amount.total_seconds()), weekday) for who, amount, weekday in found]

    def _day(self, person: str, day: date) -> list[Span]:
        if person not in self._reserving:
            return self._less_duty(person, day)
        return self._week(day - timedelta(days=day.weekday()))[person][day]

    def _week(self, monday: date) -> Week:
        """Of everyone who keeps a reserve, what is left of each day."""
        if monday in self._weeks:
            return self._weeks[monday]
        days = [monday + i * DAY for i in range(7)]
        left, slot = {p: {day: self._less_duty(p, day) for day in days} for p in self._reserving}, self._clock.slot
        for who, amount, weekday in self._amounts:
            groups = [days] if weekday is None else [[days[weekday]]]
            for group in groups:
                entries = [(day, p) for day in group for p in who]
                whole = sum(_length(left[p][day]) for day, p in entries)
                so_far = kept = 0
                for day, p in entries:
                    here = _length(left[p][day])
                    so_far += here
                    wanted = -(-amount * so_far // (whole * slot)) * slot if whole else 0
                    taken = min(here, wanted - kept)
                    kept += taken
                    left[p][day] = _first(left[p][day], here - taken)
        self._weeks[monday] = left
        return left

    # improvement

    def _divided(self, person: str, day: date) -> tuple[list[Span], list[Span]]:
        """Of a day, the spans for all work and those for improvement, which are the last of the week."""
        monday = day - timedelta(days=day.weekday())
        if (person, monday) not in self._parts:
            days = [monday + i * DAY for i in range(7)]
            week = [self._day(person, d) for d in days]
            asked = sum(_length(spans) * self._improvement(person, d) for d, spans in zip(days, week, strict=True))
            kept = math.ceil(asked / self._clock.slot - 100 * ROUNDING) * self._clock.slot
            left, parts = max(0, sum(map(_length, week)) - kept), []
            for spans in week:
                first = _first(spans, left)
                left -= _length(first)
                parts.append((first, _without(spans, first)))
            self._parts[person, monday] = parts
        return self._parts[person, monday][day.weekday()]

    # out of hours

    def _outside(self, person: str, day: date) -> list[Span]:
        """Of a local day, what is no hour of the calendar, owes no rest to the next, and is no day off or turn."""
        who = self._portfolio.people[person]
        if who.out_of_hours is None or any(off.first <= day <= off.last for off in who.away):
            return []
        zone, rest = self._zone(person), int(who.out_of_hours.rest.total_seconds())
        calendar, slot = self._calendar(who), self._clock.slot
        whole, at_work = calendar_day(calendar, zone, slot), calendar_day(calendar, zone, slot, who.away)
        closed = [span for i in range(-3, 2) for span in whole(day + i * DAY)]
        for i in range(-3, 3 + rest // 86400):
            closed += [(begin - rest, begin) for begin, _ in at_work(day + i * DAY)]
        for _, turns in self._turns_of(person, day + 7 * DAY) if person in self._on_call else ():
            closed += turns
        return _without([(wall_clock(day, 0, zone), wall_clock(day, 1440, zone))], merged(closed))


def improves(item: WorkItem) -> bool:
    """Whether an item is improvement work."""
    return item.type == WorkType.INTERNAL or "improvement" in item.tags


def _length(spans: Iterable[Span]) -> int:
    return sum(b - a for a, b in spans)


def _first(spans: Sequence[Span], seconds: int) -> list[Span]:
    found = []
    for a, b in spans:
        if seconds > 0:
            found.append((a, min(b, a + seconds)))
        seconds -= b - a
    return found


def _overlap(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What of the spans lies in the others, which are sorted and disjoint."""
    found = []
    for a, b in spans:
        k = max(0, bisect_right(others, (a,)) - 1)
        while k < len(others) and others[k][0] < b:
            if max(a, others[k][0]) < min(b, others[k][1]):
                found.append((max(a, others[k][0]), min(b, others[k][1])))
            k += 1
    return found


def _without(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What of the spans lies outside the others, which are sorted and disjoint."""
    found = []
    for a, b in spans:
        at = a
        for first, last in _overlap([(a, b)], others):
            found.append((at, first))
            at = last
        found.append((at, b))
    return [(a, b) for a, b in found if a < b]
