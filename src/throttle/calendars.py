"""Open time as slots: the one place where hours, holidays and days off become integers (docs/plan.md, Time)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from throttle.errors import InputError
from throttle_models import DEFAULT_CALENDAR, Calendar, Days, Finding, Hours, Portfolio

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
        self._days: dict[str | None, tuple[NDArray[np.int64], NDArray[np.float64]]] = {}
        self._masks: dict[object, NDArray[np.bool_]] = {}
        self._equal: dict[bytes, NDArray[np.bool_]] = {}

    def calendar(self, name: str | None) -> Calendar:
        calendars = self.portfolio.calendars
        if name is None:
            return next(iter(calendars.values()), DEFAULT_CALENDAR)
        return calendars[name]

    def person(self, id: str) -> NDArray[np.bool_]:
        person = self.portfolio.people[id]
        share = person.productive if person.productive is not None else self.calendar(person.calendar).productive
        return self._mask(person.calendar, person.away, share)

    def environment(self, id: str) -> NDArray[np.bool_]:
        name = self.portfolio.environments[id].calendar
        if name is None:
            return self.shared(np.ones(self.grid.slots, bool))
        return self._mask(name, (), 1.0)

    def shared(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The one object that stands for all masks equal to this one."""
        return self._equal.setdefault(np.packbits(mask).tobytes(), mask)

    def _mask(self, name: str | None, away: tuple[Days, ...], share: float) -> NDArray[np.bool_]:
        key = (name, away, share)
        if key not in self._masks:
            if name not in self._days:
                self._days[name] = self._expand(self.calendar(name))
            day, span = self._days[name]
            keep = np.ones(len(day), bool)
            for days in away:
                keep &= (day < days.first.toordinal()) | (day > days.last.toordinal())
            self._masks[key] = self.shared(_slots(self.grid, _trim(day[keep], span[keep], share, self.grid.minutes)))
        return self._masks[key]

    def _range_of_days(self, zone: ZoneInfo) -> range:
        first = self.grid.instant(0).astimezone(zone).date() - timedelta(days=2)
        last = self.grid.instant(self.grid.slots).astimezone(zone).date() + timedelta(days=1)
        return range(first.toordinal(), last.toordinal() + 1)

    def _expand(self, calendar: Calendar) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Ordinals of the local days on which ranges begin, and the ranges as minutes from the epoch [from, to)."""
        zone = ZoneInfo(calendar.zone or self.portfolio.zone)
        days = self._range_of_days(zone)
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
        return np.array(ordinals, np.int64), np.array(spans, np.float64).reshape(-1, 2)

    def occurrences(
        self, window: str, rollback: timedelta
    ) -> tuple[NDArray[np.int32], list[tuple[datetime, datetime]]]:
        """For each slot the number of the window's occurrence that holds it and a rollback after it, or -1.

        And each occurrence, from its begin to its end.
        """
        rule = self.portfolio.windows[window]
        zone = ZoneInfo(rule.zone or self.portfolio.zone)
        found = np.full(self.grid.slots, -1, np.int32)
        by_weekday = _by_weekday(rule.every, union=False)
        spans: list[tuple[datetime, datetime]] = []
        for ordinal in self._range_of_days(zone):
            day = date.fromordinal(ordinal)
            for a, b in by_weekday[day.weekday()]:
                begin, end = _utc_minute(day, a, zone), _utc_minute(day, b, zone)
                first, last = _inner(self.grid, begin, end - rollback / timedelta(minutes=1))
                if last > first:
                    found[first:last] = len(spans)
                    spans.append((EPOCH + timedelta(minutes=begin), EPOCH + timedelta(minutes=end)))
        return found, spans


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


def _trim(day: NDArray[np.int64], span: NDArray[np.float64], share: float, slot: int) -> NDArray[np.float64]:
    """Keep the first share of each day's minutes, rounded to whole slots of so many minutes."""
    if share >= 1 or not len(day):
        return span
    length = np.maximum(span[:, 1] - span[:, 0], 0)
    first = np.flatnonzero(np.r_[True, day[1:] != day[:-1]])
    total = np.add.reduceat(length, first)
    of_day = np.cumsum(np.r_[True, day[1:] != day[:-1]]) - 1
    before = np.cumsum(length) - length
    before -= before[first][of_day]
    budget = (np.floor(np.round(total * share / slot + 0.5, 6)) * slot)[of_day] - before
    kept = span.copy()
    kept[:, 1] = span[:, 0] + np.clip(budget, 0, length)
    return kept


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
