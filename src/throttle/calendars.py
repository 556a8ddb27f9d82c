"""Open time as slots: the one place where hours, holidays and days off become integers (docs/plan.md, Time)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from math import ceil
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from throttle.errors import InputError
from throttle.hours import Ranges, at_least, nearest, touched
from throttle.reserve import reserves
from throttle_models import DEFAULT_CALENDAR, Calendar, Days, Finding, Hours, Plan, Portfolio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Floats, Ints

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Grid:
    """Slots of ``minutes`` each, counted from as-of (slot 0) to ``slots`` (the horizon, excluded)."""

    origin: int
    """Minutes from the epoch to slot 0."""
    minutes: int
    slots: int

    @classmethod
    def of(cls, portfolio: Portfolio, slots: int) -> Grid:
        minutes = int(portfolio.slot.total_seconds() // 60)
        return cls(ceil(minute_of(as_of(portfolio)) / minutes) * minutes, minutes, slots)

    def instant(self, slot: int) -> datetime:
        return EPOCH + timedelta(minutes=self.origin + int(slot) * self.minutes)

    def ceil(self, moment: datetime) -> int:
        """The first slot that begins at or after the moment (it may be negative)."""
        return ceil((minute_of(moment) - self.origin) / self.minutes)

    def exact(self, moment: datetime) -> float:
        return (minute_of(moment) - self.origin) / self.minutes

    def slots_for(self, span: timedelta) -> int:
        """A time span in slots, rounded up (-90 minutes are -1 slot of 60)."""
        return ceil(span.total_seconds() / 60 / self.minutes - 1e-9)

    @property
    def weeks(self) -> float:
        """A slot in weeks of 168 hours."""
        return self.minutes / (7 * 24 * 60)


def minute_of(moment: datetime) -> float:
    return (moment - EPOCH).total_seconds() / 60


def as_of(portfolio: Portfolio) -> datetime:
    zone = ZoneInfo(portfolio.zone)
    return portfolio.as_of.resolve(datetime.fromtimestamp(0, zone), zone)


def end_of(plan: Plan) -> datetime:
    """The end of the last item; as-of where there is none."""
    return max((item.finish for item in plan.items.values()), default=plan.as_of)


@lru_cache(maxsize=64)
def _holidays(name: str, first: int, last: int) -> frozenset[date]:
    import holidays

    country, _, subdivision = name.partition("-")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of years that a country has not yet announced
            found = holidays.country_holidays(country, subdiv=subdivision or None, years=range(first, last + 1))
    except NotImplementedError:
        raise InputError(
            [
                Finding(
                    level="error",
                    code="unknown-holidays",
                    message=f"holidays: {name} is not a country, or country-subdivision, of the holidays library; "
                    "write for example US, IN or DE-BY, or list the days under closed.",
                )
            ]
        ) from None
    return frozenset(found)


class Calendars:
    """Open slots of calendars, people, environments and windows of one portfolio on one grid.

    Masks are boolean arrays of ``grid.slots``; equal ones are the same object, so that callers can group by identity.
    """

    def __init__(self, portfolio: Portfolio, grid: Grid) -> None:
        self.portfolio, self.grid = portfolio, grid
        self._days: dict[str | None, Ranges] = {}
        self._masks: dict[object, NDArray[np.bool_]] = {}
        self._equal: dict[bytes, NDArray[np.bool_]] = {}
        self._on_call = frozenset(p for rota in portfolio.rotas.values() for p in rota.people)
        self._reserves = reserves(portfolio)
        self._reserving = frozenset(p for reserve in self._reserves for p in reserve.people)

    def calendar(self, name: str | None) -> Calendar:
        calendars = self.portfolio.calendars
        if name is None:
            return next(iter(calendars.values()), DEFAULT_CALENDAR)
        return calendars[name]

    def person(self, id: str) -> NDArray[np.bool_]:
        """When they do planned work, improvement included."""
        if id in self._on_call or id in self._reserving:
            return self._once(("person", id), lambda: _slots(self.grid, self._ranges(id).span))
        return self._mask(self.portfolio.people[id].calendar, self.portfolio.people[id].away, self._share(id))

    def planned(self, id: str) -> NDArray[np.bool_]:
        """When they do work other than improvement."""
        if not self.improving(id):
            return self.person(id)
        return self._once(("planned", id), lambda: _slots(self.grid, self._divided(id)[0].span))

    def improvement(self, id: str) -> NDArray[np.bool_]:
        """What is kept for improvement: the end of each week."""
        return self._once(("improvement", id), lambda: _slots(self.grid, self._divided(id)[1].span))

    def improving(self, id: str) -> bool:
        """Whether a team of theirs keeps a share of its hours for improvement."""
        person, teams = self.portfolio.people[id], self.portfolio.teams
        return any(
            teams[team].improvement is not None
            for team in (person.team, *(lent.team for lent in person.lent_to))
            if team is not None
        )

    def out_of_hours(self, id: str) -> NDArray[np.bool_]:
        """When a window may ask for them outside their calendar, with the rest that they are owed after it."""
        return self._once(("out of hours", id), lambda: self._outside(id))

    def environment(self, id: str) -> NDArray[np.bool_]:
        name = self.portfolio.environments[id].calendar
        if name is None:
            return self.shared(np.ones(self.grid.slots, bool))
        return self._mask(name, (), 1.0)

    def _once(self, key: object, made: Callable[[], NDArray[np.bool_]]) -> NDArray[np.bool_]:
        if key not in self._masks:
            self._masks[key] = self.shared(made())
        return self._masks[key]

    def shared(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The one object that stands for all masks equal to this one."""
        return self._equal.setdefault(np.packbits(mask).tobytes(), mask)

    def _mask(self, name: str | None, away: tuple[Days, ...], share: float) -> NDArray[np.bool_]:
        return self._once((name, away, share), lambda: _slots(self.grid, self._at_work(name, away, share).span))

    def _at_work(self, name: str | None, away: tuple[Days, ...], share: float) -> Ranges:
        if name not in self._days:
            self._days[name] = self._expand(self.calendar(name))
        ranges = self._days[name]
        keep = np.ones(len(ranges.day), bool)
        for days in away:
            keep &= (ranges.day < days.first.toordinal()) | (ranges.day > days.last.toordinal())
        ranges = ranges.on(keep)
        return ranges if share >= 1 else ranges.first(nearest(ranges.minutes, share, self.grid.minutes))

    def _share(self, id: str) -> float:
        person = self.portfolio.people[id]
        return person.productive if person.productive is not None else self.calendar(person.calendar).productive

    def _ranges(self, id: str) -> Ranges:
        """Of planned work: hours at work, less turns of rotas, less reserve."""
        return self._less_reserve[id] if id in self._reserving else self._less_duty(id)

    def _less_duty(self, id: str) -> Ranges:
        person = self.portfolio.people[id]
        ranges = self._at_work(person.calendar, person.away, self._share(id))
        for share, turns in self._turns(id):
            inside, outside = ranges.during(turns)
            ranges = outside.joined(inside.first(nearest(inside.minutes, 1 - share, self.grid.minutes)))
        return ranges

    def _turns(self, id: str) -> list[tuple[float, list[tuple[float, float]]]]:
        """Of each rota that a person is in, the share it takes and their turns, in minutes from the epoch."""
        zone = ZoneInfo(self.portfolio.zone)
        days = self._whole_weeks(zone)
        found = []
        for rota in self.portfolio.rotas.values():
            if id not in rota.people:
                continue
            begin, last = datetime.combine(rota.first, time()), datetime.combine(date.fromordinal(days[-1]), time())
            early = (datetime.combine(date.fromordinal(days[0]), time()) - begin) // rota.every
            turns, k = [], max(0, early)
            while (from_ := begin + k * rota.every) <= last and (rota.turns is None or k < rota.turns):
                if rota.people[k % len(rota.people)] == id:
                    ends = (minute_of(at.replace(tzinfo=zone)) for at in (from_, from_ + rota.every))
                    turns.append((next(ends), next(ends)))
                k += 1
            found.append((rota.share, turns))
        return found

    @cached_property
    def _less_reserve(self) -> dict[str, Ranges]:
        """Of everyone who keeps some, the hours that are left."""
        kept = {id: self._less_duty(id) for id in sorted(self._reserving)}
        for reserve in self._reserves:
            day = np.concatenate([kept[p].days for p in reserve.people])
            minutes = np.concatenate([kept[p].minutes for p in reserve.people])
            whose = np.repeat(np.arange(len(reserve.people)), [len(kept[p].days) for p in reserve.people])
            weekday = (day - 1) % 7
            asked = np.flatnonzero(weekday == (weekday if reserve.weekday is None else reserve.weekday))
            asked = asked[np.lexsort((whose[asked], day[asked]))]
            period = (day - 1) // 7 if reserve.weekday is None else day
            left = minutes.copy()
            left[asked] -= at_least(period[asked], minutes[asked], reserve.minutes, self.grid.minutes)
            for k, id in enumerate(reserve.people):
                kept[id] = kept[id].first(left[whose == k])
        return kept

    def _divided(self, id: str) -> tuple[Ranges, Ranges]:
        """Hours for all work, and those at the end of each week that are kept for improvement."""
        ranges, slot = self._ranges(id), self.grid.minutes
        week = (ranges.days - 1) // 7
        first = np.searchsorted(week, week)
        before = np.cumsum(ranges.minutes) - ranges.minutes
        before -= before[first]
        total = np.bincount(first, ranges.minutes, len(week))[first].astype(np.int64)
        asked = np.bincount(first, ranges.minutes * self._improvement(id, ranges.days), len(week))[first]
        kept = np.ceil(np.round(asked / slot, 6)).astype(np.int64) * slot
        other = np.clip(total - kept - before, 0, ranges.minutes)
        return ranges.first(other), ranges.after(other)

    def _improvement(self, id: str, days: Ints) -> Floats:
        """Of each day the share that their teams keep: those that they are lent to, and for the rest their own."""
        person, teams, zone = self.portfolio.people[id], self.portfolio.teams, ZoneInfo(self.portfolio.zone)
        own, found = np.ones(len(days)), np.zeros(len(days))
        for lent in person.lent_to:
            until = lent.until.resolve(as_of(self.portfolio), zone).astimezone(zone).date() if lent.until else date.max
            share = np.where(days <= until.toordinal(), lent.share, 0.0)
            own -= share
            found += share * (teams[lent.team].improvement or 0.0)
        if person.team is not None:
            found += np.maximum(own, 0.0) * (teams[person.team].improvement or 0.0)
        return found

    def _outside(self, id: str) -> NDArray[np.bool_]:
        person, grid = self.portfolio.people[id], self.grid
        rest = person.out_of_hours.rest / timedelta(minutes=1) if person.out_of_hours else 0.0
        calendar = self.calendar(person.calendar)
        ranges = self._expand(calendar, ahead=ceil(rest / 1440))
        away = np.zeros(len(ranges.day), bool)
        for days in person.away:
            away |= (ranges.day >= days.first.toordinal()) & (ranges.day <= days.last.toordinal())
        begins = ranges.span[~away & (ranges.lengths > 0), 0]
        zone = ZoneInfo(calendar.zone or self.portfolio.zone)
        off = [(_utc_minute(d.first, 0, zone), _utc_minute(d.last + timedelta(days=1), 0, zone)) for d in person.away]
        duty = [turn for _, turns in self._turns(id) for turn in turns]
        spans = [ranges.span, np.stack([begins - rest, begins], axis=1), np.array([*off, *duty], float).reshape(-1, 2)]
        return ~touched(grid.origin, grid.minutes, grid.slots, np.concatenate(spans))

    def _range_of_days(self, zone: ZoneInfo) -> range:
        first = self.grid.instant(0).astimezone(zone).date() - timedelta(days=2)
        last = self.grid.instant(self.grid.slots).astimezone(zone).date() + timedelta(days=1)
        return range(first.toordinal(), last.toordinal() + 1)

    def _whole_weeks(self, zone: ZoneInfo, ahead: int = 0) -> range:
        """Days in whole ISO weeks, with one more at both ends: what is shared out in a week is never cut short.

        ahead: days beyond the horizon that matter too.
        """
        days = self._range_of_days(zone)
        first, last = days[0], days[-1] + ahead
        return range(first - (first - 1) % 7 - 7, last + 14 - (last - 1) % 7)

    def _expand(self, calendar: Calendar, ahead: int = 0) -> Ranges:
        """The ranges of a calendar by the local day on which they begin."""
        zone = ZoneInfo(calendar.zone or self.portfolio.zone)
        days = self._whole_weeks(zone, ahead)
        years = date.fromordinal(days[0]).year, date.fromordinal(days[-1]).year
        off = _holidays(calendar.holidays, *years) if calendar.holidays else frozenset()
        by_weekday = _by_weekday(calendar.hours)
        substitute = next(hours for hours in by_weekday if hours)
        ordinals, spans = [], []
        for ordinal in days:
            day = date.fromordinal(ordinal)
            extra = any(d.first <= day <= d.last for d in calendar.open)
            if not extra and (day in off or any(d.first <= day <= d.last for d in calendar.closed)):
                continue
            hours = by_weekday[day.weekday()] or (substitute if extra else [])
            for a, b in hours:
                ordinals.append(ordinal)
                spans.append((_utc_minute(day, a, zone), _utc_minute(day, b, zone)))
        return Ranges(np.array(ordinals, np.int64), np.array(spans, np.float64).reshape(-1, 2))

    def occurrences(
        self, window: str, rollback: timedelta, on: date | None = None
    ) -> tuple[NDArray[np.int32], list[tuple[datetime, datetime]]]:
        """For each slot the number of the window's occurrence that holds it and a rollback after it, or -1.

        And each occurrence, from its begin to its end; an occurrence has one number whatever the rollback. on: only
        those that begin on this local day hold anything.
        """
        rule = self.portfolio.windows[window]
        zone = ZoneInfo(rule.zone or self.portfolio.zone)
        found = np.full(self.grid.slots, -1, np.int32)
        by_weekday = _by_weekday(rule.every, union=False)
        spans: list[tuple[datetime, datetime]] = []
        for ordinal in self._range_of_days(zone):
            day = date.fromordinal(ordinal)
            if any(d.first <= day <= d.last for d in rule.closed):
                continue
            for a, b in by_weekday[day.weekday()]:
                begin, end = _utc_minute(day, a, zone), _utc_minute(day, b, zone)
                first, last = _inner(self.grid, begin, end - rollback / timedelta(minutes=1))
                if last > first and on in (None, day):
                    found[first:last] = len(spans)
                spans.append((EPOCH + timedelta(minutes=begin), EPOCH + timedelta(minutes=end)))
        return found, spans

    def decided(self, board: str, ready: datetime) -> datetime:
        """The end of the first meeting of a board that begins at or after a moment."""
        rule = self.portfolio.boards[board]
        zone = ZoneInfo(rule.zone or self.portfolio.zone)
        by_weekday = _by_weekday(rule.every, union=False)
        from_, first = minute_of(ready), ready.astimezone(zone).date().toordinal() - 1
        for day in map(date.fromordinal, range(first, first + 10)):
            meetings = ((_utc_minute(day, a, zone), _utc_minute(day, b, zone)) for a, b in by_weekday[day.weekday()])
            if ends := [end for begin, end in meetings if begin >= from_]:
                return EPOCH + timedelta(minutes=ends[0])
        raise AssertionError("a board meets every week")


def _utc_minute(day: date, minute: int, zone: ZoneInfo) -> float:
    moment = datetime.combine(day + timedelta(days=minute // 1440), time(minute % 1440 // 60, minute % 60), zone)
    return minute_of(moment)


def _by_weekday(hours: Hours, union: bool = True) -> list[list[tuple[int, int]]]:
    found: list[list[tuple[int, int]]] = [[] for _ in range(7)]
    for day, a, b in hours.ranges:
        if union and found[day] and a <= found[day][-1][1]:
            found[day][-1] = (found[day][-1][0], max(b, found[day][-1][1]))
        else:
            found[day].append((a, b))
    return found


def _inner(grid: Grid, a: float, b: float) -> tuple[int, int]:
    first = ceil((a - grid.origin) / grid.minutes)
    last = int((b - grid.origin) // grid.minutes)
    return max(first, 0), min(max(last, 0), grid.slots)


def _slots(grid: Grid, span: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Slots that lie wholly within the union of the spans."""
    mask = np.zeros(grid.slots, bool)
    joined: list[list[float]] = []
    for a, b in span[np.argsort(span[:, 0], kind="stable")].tolist():
        if b <= a:
            continue
        if joined and a <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], b)
        else:
            joined.append([a, b])
    for a, b in joined:
        first, last = _inner(grid, a, b)
        mask[first:last] = True
    return mask
