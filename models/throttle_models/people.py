"""Who and what does the work, and when they can: calendars, people, teams, environments."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from throttle_models.base import Model
from throttle_models.quantities import MOST, AsText, Days, Elapsed, Share, Weekly, When, keyed

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except Exception:
        raise ValueError(f"{name!r} is not a time zone: write an IANA name such as America/Chicago") from None
    return name


Zone = Annotated[str, AfterValidator(_zone), Field(examples=["America/Chicago"])]


class Hours(AsText):
    """Weekly hours such as ``Mon-Fri 09:00-12:00 13:00-17:00; Sat 22:00-04:00`` or ``daily 00:00-24:00``.

    Each clause is days (``Mon``, ``Mon-Fri``, ``Mon,Wed`` or ``daily``) and then ranges of local wall-clock time. A
    range whose end is before its beginning runs into the next day and belongs to the day on which it begins.
    """

    examples = ("Mon-Fri 09:00-12:00 13:00-17:00",)

    text: str

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        return value if isinstance(value, dict | Hours) else {"text": str(value).strip()}

    @model_validator(mode="after")
    def _sound(self) -> Hours:
        if not self.ranges:
            raise ValueError(f"{self.text!r} has no hours: write for example Mon-Fri 09:00-17:00")
        return self

    @property
    def ranges(self) -> tuple[tuple[int, int, int], ...]:
        """(weekday 0-6 from Monday, first minute of that day, end in minutes of that day, up to 2880), sorted."""
        return _ranges_of(self.text)

    def __str__(self) -> str:
        return self.text


@lru_cache
def _ranges_of(text: str) -> tuple[tuple[int, int, int], ...]:
    found: set[tuple[int, int, int]] = set()
    for clause in filter(None, (c.strip() for c in text.split(";"))):
        days, *spans = clause.split()
        if not spans:
            raise ValueError(f"{clause!r} names no hours: write for example Mon-Fri 09:00-17:00")
        for span in spans:
            found |= {(day, *_minutes_of(span)) for day in _days_of(days)}
    return tuple(sorted(found))


def _days_of(text: str) -> list[int]:
    if text.lower() == "daily":
        return list(range(7))
    days: list[int] = []
    names = {name.lower(): i for i, name in enumerate(WEEKDAYS)}
    for part in text.lower().split(","):
        first, _, last = part.partition("-")
        a, b = names.get(first[:3]), names.get((last or first)[:3])
        if a is None or b is None:
            raise ValueError(f"{part!r} is not a day: write Mon, Mon-Fri, Mon,Wed or daily")
        days += [(a + i) % 7 for i in range((b - a) % 7 + 1)]
    return days


def _minutes_of(span: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", span)
    if not match:
        raise ValueError(f"{span!r} is not a range of hours: write 09:00-17:00")
    h1, m1, h2, m2 = map(int, match.groups())
    first, last = h1 * 60 + m1, h2 * 60 + m2
    if m1 > 59 or m2 > 59 or first >= 1440 or last > 1440:
        raise ValueError(f"{span!r} is not within a day: hours go from 00:00 to 24:00")
    if first == last:
        raise ValueError(f"{span!r} has no length: write 00:00-24:00 for a whole day")
    return first, last if last > first else last + 1440


class Calendar(Model):
    """When work can happen: weekly hours in a zone, less holidays and closed days, plus extra days."""

    hours: Hours
    zone: Zone | None = None
    """Default: the portfolio's."""
    holidays: str | None = None
    """A country, or country-subdivision, of the ``holidays`` library: ``US``, ``IN``, ``DE-BY``."""
    closed: tuple[Days, ...] = ()
    """Days on which nothing happens: a range of hours that begins on one is left out."""
    open: tuple[Days, ...] = ()
    """Days that are working days in spite of a holiday or of ``closed``."""
    productive: Share = 1.0
    """The share of each working day that is planned; the end of each day's hours is left free for the rest."""


Levels = Annotated[dict[str, Annotated[int, Field(ge=1, le=9)]], BeforeValidator(lambda v: keyed(v, 1))]


class OutOfHours(Model):
    """Work outside the person's calendar that a window may ask for."""

    limit: Weekly
    rest: Elapsed = timedelta(0)
    """Free time owed after it, before the next working hours."""


class Lending(Model):
    """A share of a person's time that belongs to another team for a while."""

    team: str
    share: Share
    until: When | None = None


class Person(Model):
    name: str = ""
    team: str | None = None
    calendar: str | None = None
    """Default: the portfolio's first calendar."""
    skills: Levels = {}
    """Skill to level, 1 (can) to 3 (leads) by convention; a list means level 1."""
    away: tuple[Days, ...] = ()
    """Days off, in the zone of the person's calendar."""
    productive: Share | None = None
    """Instead of the calendar's."""
    wip: Annotated[int, Field(ge=1, le=MOST)] | None = None
    """How many items may be begun and unfinished on this person at once."""
    reserve: Weekly | None = None
    """Kept free each week for unplanned work."""
    out_of_hours: OutOfHours | None = None
    lent_to: tuple[Lending, ...] = ()
    inferred: tuple[str, ...] = ()
    """Fields that an importer derived rather than read."""


class Team(Model):
    name: str = ""
    wip: Annotated[int, Field(ge=1, le=MOST)] | None = None
    """How many items may be begun and unfinished in the team at once."""
    improvement: Share | None = None
    """At least this share of the team's hours goes to improvement work."""


class Rota(Model):
    """On-call duty: whoever is on it is out of planned work, wholly or in part."""

    people: tuple[str, ...]
    """Who, in turn, and then again from the first."""
    first: date
    """The first one's turn begins with this day, in the portfolio's zone."""
    every: Elapsed = timedelta(days=7)
    """Length of a turn, by the clock on the wall: a turn of 7d ends at midnight also where the clocks change."""
    share: Share = 1.0
    """Of each one's time, which their duty takes: of each day the end."""
    turns: Annotated[int, Field(ge=1, le=MOST)] | None = None
    """How many there are, of all people together; default: without end."""


class Environment(Model):
    """A place or pool that work occupies while it is in process: staging, a test bench, 30,000 hosts."""

    capacity: Annotated[int, Field(ge=0, le=MOST)] = 1
    calendar: str | None = None
    """Work that uses it pauses while it is closed. Default: always open."""
