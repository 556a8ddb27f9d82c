"""Calendars of project planning tools: weekly hours and exceptions to a :class:`Calendar`.

Kept: hours of each weekday, and whole days that are off, or on in spite of the week. Days with other hours than their
weekday's are not, because a calendar has none; they are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from throttle_models import Calendar, Days, Hours
from throttle_models.people import WEEKDAYS

Ranges = tuple[tuple[int, int], ...]
"""Hours of a day: minutes from its midnight, [from, to), at most 1440."""
_DAY = timedelta(days=1)


@dataclass
class WorkCalendar:
    """What a file says of one calendar, apart from what it inherits."""

    name: str
    base: str | None = None
    """Key of the calendar that it changes."""
    week: dict[int, Ranges] = field(default_factory=dict)
    """Weekday, 0 from Monday, to hours; none: off. Weekdays that are not here are those of the base."""
    exceptions: dict[date, Ranges] = field(default_factory=dict)


def resolved(key: str, calendars: Mapping[str, WorkCalendar]) -> tuple[dict[int, Ranges], dict[date, Ranges]]:
    """A calendar's week and exceptions with all that it inherits; loops end where they close."""
    chain: list[WorkCalendar] = []
    seen: set[str] = set()
    at: str | None = key
    while at is not None and at in calendars and at not in seen:
        seen.add(at)
        chain.append(calendars[at])
        at = calendars[at].base
    week: dict[int, Ranges] = {}
    exceptions: dict[date, Ranges] = {}
    for calendar in reversed(chain):
        week |= calendar.week
        exceptions |= calendar.exceptions
    return week, exceptions


def calendar_of(week: Mapping[int, Ranges], exceptions: Mapping[date, Ranges]) -> tuple[Calendar | None, int]:
    """The calendar, and on how many days its hours differ from what the file says; None for one without any hours.

    A file cuts nights at midnight. Read as one range, which belongs to the day on which it begins, or as two: whichever
    is true of more days.
    """
    plain = {day: joined(week.get(day, ())) for day in range(7)}
    if not any(plain.values()):
        return None, 0
    whole = _nights(plain)
    calendar, lost = _read(whole, plain, exceptions)
    if lost and whole != plain:
        other, fewer = _read(plain, plain, exceptions)
        if fewer < lost:
            return other, fewer
    return calendar, lost


def _read(
    begun: Mapping[int, Ranges], week: Mapping[int, Ranges], exceptions: Mapping[date, Ranges]
) -> tuple[Calendar, int]:
    """The calendar whose ranges begin as given, and on how many days that is not what the file says."""
    substitute = next(begun[day] for day in range(7) if begun[day])
    closed: set[date] = set()
    opened: set[date] = set()

    def begins(day: date) -> Ranges:
        if day in opened:
            return begun[day.weekday()] or substitute
        return () if day in closed else begun[day.weekday()]

    for day in sorted(exceptions):
        tail = _tail(begins(day - _DAY))
        own = any(last > max(first, tail) for first, last in exceptions[day])
        if not own and (begun[day.weekday()] or not exceptions[day]):
            closed.add(day)  # weekends too, so that a range of days stays one
        elif own and not begun[day.weekday()]:
            opened.add(day)
    lost = sum(
        joined([*begins(day), *((0, last - 1440) for _, last in begins(day - _DAY) if last > 1440)], 1440)
        != joined(exceptions.get(day, week[day.weekday()]))
        for day in exceptions.keys() | {day + _DAY for day in exceptions}
    )
    return Calendar(
        hours=Hours(text=_text(begun)), closed=tuple(runs(sorted(closed))), open=tuple(runs(sorted(opened)))
    ), lost


def days_away(own: Calendar, base: Calendar) -> list[Days] | None:
    """Days off that a calendar adds to another one; None where it differs in more than that."""
    closed, opened = ({day for days in c.closed for day in _each(days)} for c in (own, base))
    on, base_on = ({day for days in c.open for day in _each(days)} for c in (own, base))
    if own.hours != base.hours or not opened <= closed or not on <= base_on:
        return None
    return list(runs(sorted((closed - opened) | (base_on - on))))


def _each(days: Days) -> Iterator[date]:
    for at in range((days.last - days.first).days + 1):
        yield days.first + at * _DAY


def _nights(week: Mapping[int, Ranges]) -> dict[int, Ranges]:
    """Ranges by the day on which they begin; what begins at midnight goes on with what ends there the day before."""
    found = {day: list(ranges) for day, ranges in week.items()}
    for day in range(7):
        before, ranges = found[(day - 1) % 7], week[day]
        if ranges and before and ranges[0][0] == 0 and before[-1][1] == 1440 and ranges[0][1] < before[-1][0]:
            before[-1] = (before[-1][0], 1440 + ranges[0][1])
            found[day].remove(ranges[0])
    return {day: tuple(ranges) for day, ranges in found.items()}


def _tail(ranges: Ranges) -> int:
    """Minutes after midnight of the night that begins on a day."""
    return max((last - 1440 for _, last in ranges if last > 1440), default=0)


def _text(week: Mapping[int, Ranges]) -> str:
    """``Mon-Thu 08:00-12:00 13:00-17:00; Fri 08:00-12:00``, weekdays of equal hours together; empty without hours."""
    clauses: list[tuple[list[int], Ranges]] = []
    for day in range(7):
        ranges = week.get(day, ())
        if not ranges:
            continue
        if clauses and clauses[-1][1] == ranges and clauses[-1][0][-1] == day - 1:
            clauses[-1][0].append(day)
        else:
            clauses.append(([day], ranges))
    return "; ".join(
        f"{WEEKDAYS[days[0]]}{f'-{WEEKDAYS[days[-1]]}' if len(days) > 1 else ''} "
        + " ".join(f"{_clock(a)}-{_clock(b if b <= 1440 else b - 1440)}" for a, b in ranges)
        for days, ranges in clauses
    )


def joined(ranges: Iterable[tuple[int, int]], most: int = 2880) -> Ranges:
    """In order, those that touch or overlap as one, empty ones left out, none beyond ``most``."""
    found: list[tuple[int, int]] = []
    for first, end in sorted(ranges):
        last = min(end, most)
        if last <= first:
            continue
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def runs(days: Sequence[date]) -> Iterator[Days]:
    """Sorted days as ranges without gaps."""
    start = end = None
    for day in days:
        if end is not None and day - end == _DAY:
            end = day
            continue
        if start is not None and end is not None:
            yield Days(first=start, last=end)
        start = end = day
    if start is not None and end is not None:
        yield Days(first=start, last=end)


def minutes_of(text: str, end: bool = False) -> int | None:
    """Minutes of ``08:00`` or ``08:00:00``; 00:00 and 23:59 as an end are midnight. None for what is no time."""
    parts = text.strip().split(":")
    if len(parts) not in (2, 3) or not all(p.isdigit() and len(p) <= 2 for p in parts[:2]):
        return None
    hour, minute = int(parts[0]), int(parts[1])
    if minute > 59 or hour > 24 or (hour == 24 and minute):
        return None
    total = hour * 60 + minute
    return 1440 if end and total in (0, 1439) else total


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
