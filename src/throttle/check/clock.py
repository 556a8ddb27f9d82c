"""Open time, expanded day by day in local wall-clock time and counted in slots since 1970 UTC.

Spans are half-open pairs ``(from, to)``: of seconds where a name says so, else of slots.
"""

from __future__ import annotations

import math
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from throttle_models import Calendar, Days, When

Span = tuple[int, int]

ROUNDING = 1e-9
"""What a quotient of floats may be off by before it is rounded up or down."""


class Clock:
    """The grid and the portfolio's way of writing moments."""

    def __init__(self, as_of: When, zone: str, slot: timedelta) -> None:
        self.zone = ZoneInfo(zone)
        self.slot = int(slot.total_seconds())
        self._written = as_of.resolve(datetime.fromtimestamp(0, UTC), self.zone)
        self._weeks: dict[float, str] = {}
        self.as_of = self.up(self._written.timestamp())
        """First slot of the plan."""

    def moment(self, when: When, end_of_day: bool = False) -> float:
        """Seconds since 1970; relative dates count from ``as_of`` as it is written."""
        return when.resolve(self._written, self.zone, end_of_day).timestamp()

    def after_as_of(self, span: timedelta) -> float:
        return self._written.timestamp() + span.total_seconds()

    def up(self, at: float) -> int:
        """The first slot that begins at or after a moment."""
        return int(-(-at // self.slot))

    def down(self, at: float) -> int:
        """The first slot that ends after a moment."""
        return int(at // self.slot)

    def slots(self, minutes: float) -> int:
        """Whole slots that hold so many minutes; upwards, also below zero."""
        return math.ceil(minutes * 60 / self.slot - ROUNDING)

    def local_day(self, at: float) -> date:
        return datetime.fromtimestamp(at, self.zone).date()

    def week(self, at: float) -> str:
        if at not in self._weeks:
            self._weeks[at] = iso_week(self.local_day(at))
        return self._weeks[at]


def iso_week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


class OpenTime:
    """The open slots of one calendar, of one person or of one environment, expanded as far as was asked."""

    def __init__(self, clock: Clock, zone: ZoneInfo, day: Callable[[date], list[Span]]) -> None:
        """``day`` gives the open spans, in seconds, of the ranges that begin on a local day of ``zone``."""
        self._clock, self._zone, self._day = clock, zone, day
        self._low = self._high = clock.as_of
        self._starts: list[int] = []
        self._ends: list[int] = []

    def spans(self, low: int, high: int) -> list[Span]:
        """Maximal open spans, clipped to [low, high)."""
        self._cover(low, high)
        first, last = bisect_right(self._ends, low), bisect_left(self._starts, high)
        return [(max(low, self._starts[i]), min(high, self._ends[i])) for i in range(first, last)]

    def is_open(self, slot: int) -> bool:
        self._cover(slot, slot + 1)
        i = bisect_right(self._starts, slot) - 1
        return i >= 0 and slot < self._ends[i]

    def _cover(self, low: int, high: int) -> None:
        if low >= self._low and high <= self._high:
            return
        known = self._high - self._low
        month = 31 * 86400 // self._clock.slot
        self._low = min(low, self._low)
        if high > self._high:
            self._high = max(high, self._high + max(known, month))
        slot = self._clock.slot
        first = datetime.fromtimestamp(self._low * slot, self._zone).date() - timedelta(days=3)
        last = datetime.fromtimestamp(self._high * slot, self._zone).date() + timedelta(days=1)
        raw: list[Span] = []
        for i in range((last - first).days + 1):
            raw += self._day(first + timedelta(days=i))
        self._starts, self._ends = [], []
        for start, end in merged(raw):  # a slot is open only if all of it is
            a, b = -(-start // slot), end // slot
            if a < b:
                self._starts.append(a)
                self._ends.append(b)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Sorted, with those that touch or overlap put together, and empty ones left out."""
    result: list[Span] = []
    for start, end in sorted(s for s in spans if s[0] < s[1]):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def intersection(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Of two sorted lists of disjoint spans."""
    result: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            result.append((start, end))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return result


def together(times: Sequence[OpenTime], low: int, high: int) -> list[Span]:
    """When all are open; without any, always."""
    result: list[Span] = [(low, high)] if low < high else []
    for time_ in times:
        if not result:
            break
        result = intersection(result, time_.spans(low, high))
    return result


def pieces(times: Sequence[OpenTime], start: int, limit: int) -> Iterator[Span]:
    """The spans of :func:`together` from ``start`` to ``limit``, one after the other, looked up as needed."""
    reach, low = 64, start
    while low < limit:
        high = min(limit, low + reach)
        yield from together(times, low, high)
        low, reach = high, reach * 2


def wall_clock(day: date, minute: int, zone: ZoneInfo) -> int:
    """Seconds since 1970 of a minute of a local day; a time that comes twice is the first, one that is skipped is read
    with the offset from before the change.
    """
    naive = datetime.combine(day, time()) + timedelta(minutes=minute)
    return int(naive.replace(tzinfo=zone).timestamp())


@lru_cache(maxsize=256)
def _is_holiday(code: str) -> Callable[[date], bool]:
    import holidays

    country, _, part = code.partition("-")
    table = holidays.country_holidays(country, subdiv=part or None)

    def is_holiday(day: date) -> bool:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of years that a country has not yet announced
            return day in table

    return is_holiday


def _holds(ranges: Sequence[Days], day: date) -> bool:
    return any(r.first <= day <= r.last for r in ranges)


def calendar_day(
    calendar: Calendar, zone: ZoneInfo, slot: int, away: Sequence[Days] = (), productive: float = 1.0
) -> Callable[[date], list[Span]]:
    """Open seconds of the ranges that begin on a local day; ``slot`` in seconds."""
    by_weekday: dict[int, list[Span]] = {}
    for weekday, first, last in calendar.hours.ranges:
        by_weekday.setdefault(weekday, []).append((first, last))
    usual = by_weekday[min(by_weekday)]

    def day_spans(day: date) -> list[Span]:
        if _holds(away, day):
            return []
        opened = _holds(calendar.open, day)
        ranges = by_weekday.get(day.weekday(), usual if opened else [])
        if not ranges:
            return []
        if not opened and (
            _holds(calendar.closed, day) or (calendar.holidays is not None and _is_holiday(calendar.holidays)(day))
        ):
            return []
        spans = merged((wall_clock(day, a, zone), wall_clock(day, b, zone)) for a, b in ranges)
        return spans if productive >= 1 else _first_share(spans, productive, slot)

    return day_spans


def _first_share(spans: Sequence[Span], share: float, slot: int) -> list[Span]:
    """The first share of a day's open seconds, to the nearest whole slot."""
    left = int(sum(b - a for a, b in spans) * share / slot + 0.5 + ROUNDING) * slot
    result = []
    for start, end in spans:
        taken = min(left, end - start)
        if taken > 0:
            result.append((start, start + taken))
        left -= taken
    return result
