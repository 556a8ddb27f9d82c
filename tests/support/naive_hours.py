"""The naive scheduler's reading of whose time is left for what: minute by minute, week by week."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from throttle_models import DEFAULT_CALENDAR, Calendar, Debt

if TYPE_CHECKING:
    from support.naive import Naive, Placed

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
OTHER, BETTER, OUTSIDE = "|other", "|improvement", "|outside"
"""After a person: their hours without improvement time, that time, and what lies outside their calendar."""


class Hours:
    """Of people; a *sort* of their hours is told after the person's id."""

    def __init__(self, naive: Naive) -> None:
        self.naive, self.p = naive, naive.p
        self.weeks: dict[date, dict[str, dict[date, set[int]]]] = {}

    def calendar(self, who: str) -> tuple[Calendar, ZoneInfo]:
        person = self.p.people[who]
        first = next(iter(self.p.calendars.values()), DEFAULT_CALENDAR)
        calendar = self.p.calendars[person.calendar] if person.calendar else first
        return calendar, ZoneInfo(calendar.zone or self.p.zone)

    def improving(self, who: str) -> bool:
        person = self.p.people[who]
        teams = [lent.team for lent in person.lent_to] + [t for t in [person.team] if t]
        return any(self.p.teams[t].improvement is not None for t in teams)

    def sort(self, name: str, who: str, start: int) -> str:
        """The hours that a person uses for an item that starts in a slot."""
        item, change = self.p.work[name], self.p.work[name].change
        better = item.type == "internal" or "improvement" in item.tags
        if self.improving(who) and better and self.naive.is_open(who + BETTER, start):
            return who + BETTER
        if self.p.people[who].out_of_hours and change and change.window and self.naive.is_open(who + OUTSIDE, start):
            return who + OUTSIDE
        return who + OTHER if self.improving(who) else who

    def minutes(self, key: str, day: date) -> set[int]:
        """Of the ranges that begin on a day (out of hours: of the day itself)."""
        who, _, sort = key.partition("|")
        if sort == "outside":
            return self.outside(who, day)
        if not sort:
            return self.left(who, day)
        monday = day - timedelta(days=day.weekday())
        days = [monday + timedelta(days=i) for i in range(7)]
        kept = sum(len(self.left(who, d)) * self.share(who, d) for d in days)
        count = math.ceil(kept / (self.naive.size / 60) - 1e-7) * (self.naive.size // 60)
        every = [(d, m) for d in days for m in sorted(self.left(who, d))]
        last = every[max(0, len(every) - count) :] if count else []
        if sort == "improvement":
            return {m for d, m in last if d == day}
        return {m for d, m in every[: len(every) - len(last)] if d == day}

    def share(self, who: str, day: date) -> float:
        person, rest, found = self.p.people[who], 1.0, 0.0
        for lent in person.lent_to:
            until = (
                lent.until.resolve(self.naive.raw, self.naive.zone).astimezone(self.naive.zone) if lent.until else None
            )
            if until is None or day <= until.date():
                rest -= lent.share
                found += lent.share * (self.p.teams[lent.team].improvement or 0)
        return found + max(rest, 0.0) * ((self.p.teams[person.team].improvement or 0) if person.team else 0)

    def at_work(self, who: str, day: date) -> set[int]:
        calendar, zone = self.calendar(who)
        found: set[int] = set()
        if not any(r.first <= day <= r.last for r in self.p.people[who].away):
            for a, b in self.naive.ranges(calendar, day):
                found |= set(range(self.naive.minute(day, a, zone), self.naive.minute(day, b, zone)))
        return found

    def rounded(self, minutes: set[int], share: float) -> set[int]:
        """The first share, to the nearest slot."""
        slot = self.naive.size / 60
        return set(sorted(minutes)[: int(math.floor(len(minutes) * share / slot + 0.5 + 1e-9) * slot)])

    def planned(self, who: str, day: date) -> set[int]:
        """Less productive time and rotas."""
        person, found = self.p.people[who], self.at_work(who, day)
        share = person.productive or self.calendar(who)[0].productive
        if share < 1:
            found = self.rounded(found, share)
        for rota in self.p.rotas.values():
            if who in rota.people:
                mine = {m for m in found if self.turn(m, rota.first, rota.every, rota.people) == who}
                found = (found - mine) | self.rounded(mine, 1 - rota.share)
        return found

    def turn(self, minute: int, first: date, every: timedelta, people: tuple[str, ...]) -> str | None:
        wall = datetime.fromtimestamp(minute * 60, self.naive.zone).replace(tzinfo=None)
        k = (wall - datetime.combine(first, time())) // every
        return people[k % len(people)] if k >= 0 else None

    def left(self, who: str, day: date) -> set[int]:
        """Less the reserve."""
        monday = day - timedelta(days=day.weekday())
        if monday not in self.weeks:
            self.weeks[monday] = self.week(monday)
        return self.weeks[monday][who][day]

    def week(self, monday: date) -> dict[str, dict[date, set[int]]]:
        days = [monday + timedelta(days=i) for i in range(7)]
        left = {who: {day: self.planned(who, day) for day in days} for who in self.p.people}
        policy = self.p.policy.reserve if isinstance(self.p.policy.reserve, dict) else {}
        amounts = [([who], self.p.people[who].reserve, days) for who in sorted(self.p.people) if who not in policy]
        for about in sorted(policy, key=lambda name: (name not in self.p.people, name)):
            skilled = sorted(p for p, person in self.p.people.items() if about in person.skills)
            who, amount = [about] if about in self.p.people else skilled, policy[about]
            if isinstance(amount, dict):
                amounts += [(who, part, [days[DAYS.index(day)]]) for day, part in amount.items()]
            else:
                amounts.append((who, amount, days))
        slot = self.naive.size // 60
        for people, amount, some in amounts:
            entries = [(day, who) for day in some for who in people]
            m = [len(left[who][day]) for day, who in entries]
            wanted, c = int((amount or timedelta()).total_seconds()) // 60, [0]
            for i in range(len(m)):
                up = -(-wanted * sum(m[: i + 1]) // (sum(m) * slot)) * slot if sum(m) else 0
                c.append(min(c[i] + m[i], up))
                day, who = entries[i]
                left[who][day] = set(sorted(left[who][day])[: m[i] - (c[i + 1] - c[i])])
        return left

    def outside(self, who: str, day: date) -> set[int]:
        person, (calendar, zone) = self.p.people[who], self.calendar(who)
        if person.out_of_hours is None or any(r.first <= day <= r.last for r in person.away):
            return set()
        rest = int(person.out_of_hours.rest.total_seconds()) // 60
        found = set(range(self.naive.minute(day, 0, zone), self.naive.minute(day, 1440, zone)))
        for i in range(-3, 4 + rest // 1440):
            near = day + timedelta(days=i)
            away = any(r.first <= near <= r.last for r in person.away)
            for a, b in self.naive.ranges(calendar, near):
                begin = self.naive.minute(near, a, zone)
                found -= set(range(begin, self.naive.minute(near, b, zone)))
                if not away and begin - 1 not in self.at_work(who, near):
                    found -= set(range(begin - rest, begin))
        for rota in self.p.rotas.values():
            found = {m for m in found if self.turn(m, rota.first, rota.every, rota.people) != who}
        return found

    def item_holds(self, name: str, at: Placed) -> bool:
        """Nobody does more of an item out of hours than in a week."""
        return self.within({who: seconds for who, _, seconds in self.out_of_hours(name, at)})

    def limits_hold(self) -> bool:
        """What people do out of hours in each week."""
        total: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for name, at in self.naive.placed.items():
            for who, slots, seconds in self.out_of_hours(name, at):
                for slot in slots:
                    total[self.naive.week(slot)][who] += seconds / len(slots)
        return all(self.within(of_week) for of_week in total.values())

    def within(self, seconds: dict[str, float]) -> bool:
        said = {who: self.p.people[who].out_of_hours for who in seconds}
        return all(limit and seconds[who] <= limit.limit.total_seconds() + 1e-3 for who, limit in said.items())

    def out_of_hours(self, name: str, at: Placed) -> list[tuple[str, list[int], float]]:
        """Person, slots and seconds (x allocation)."""
        share = {who: self.p.work[name].needs[i].allocation for who, i in at.crew}
        return [
            (who, slots, len(slots) * share[who] * self.naive.size)
            for who, slots in at.work.items()
            if self.sort(name, who, at.start) == who + OUTSIDE
        ]

    def debts(self) -> dict[str, Debt]:
        """At the prices that were planned with."""
        prices, found = self.naive.expanded.prices, {}
        for name, item in self.p.work.items():
            if prices is None or not item.interest or name in self.naive.history:
                continue
            inside = self.naive.inside(name) if name in self.naive.containers else [name]
            hours = sum(self.naive.person_hours(n, i) for n in inside for i in self.naive.times(n))
            interest = {skill: amount.total_seconds() / 3600 for skill, amount in item.interest.items()}
            rate = sum(amount * prices.of[skill] for skill, amount in interest.items())
            placed = self.naive.placed
            finish = max(placed[n].finish for n in inside) if inside and all(n in placed for n in inside) else None
            found[name] = Debt(
                hours=hours,
                interest=interest,
                price={skill: prices.of[skill] for skill in interest},
                cost=rate,
                payback_weeks=hours / sum(interest.values()),
                finish=None if finish is None else self.naive.instant(finish),
                paid=None if finish is None else rate * (finish - self.naive.as_of) * self.naive.size / (7 * 86400),
                horizon=self.naive.instant(max(at.finish for at in placed.values())) if placed else None,
            )
        return found
