"""Amounts and moments as a person writes them, and their one meaning.

Work time (:data:`Effort`): ``90m``, ``16h``, ``3d``, ``1w`` with a day of 8 and a week of 40 working hours.
Elapsed time (:data:`Elapsed`): the same letters with a day of 24 hours and a week of 7 days.
Each is written back in one unit that divides it exactly, so that a file survives a round trip.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from throttle_models.base import Model

WORK = {"m": 1, "h": 60, "d": 8 * 60, "w": 40 * 60}
ELAPSED = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}

LONGEST = timedelta(days=36_525)
"""100 years of the clock: no duration is longer, so that a sum of many is still a date."""
MOST = 1_000_000_000
"""No number of things, such as an environment's capacity, is larger: sums of many fit a machine's integers."""

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(min|m|h|d|w)(?![a-z])\s*")
_PATTERN = r"^(\d+(\.\d+)?\s*(min|m|h|d|w)\s*)+$|^0$"


def parse_minutes(value: object, units: dict[str, int], signed: bool = False) -> timedelta:
    """``"1d 4h"`` to a time span. Raises ValueError with a sentence that says what is expected."""
    if isinstance(value, timedelta):
        return _not_too_long(value)
    raw = str(value).strip().lower()
    sign, body = (-1, raw[1:].strip()) if signed and raw.startswith("-") else (1, raw)
    if body == "0":
        return timedelta(0)
    at, minutes = 0, 0.0
    for match in _PART.finditer(body):
        if match.start() != at:
            break
        minutes += float(match[1]) * units[match[2][0]]
        at = match.end()
    if not body or at != len(body):
        raise ValueError(f"{str(value)!r} is not a duration: write a number and m, h, d or w, such as 90m, 16h or 3d")
    try:
        return _not_too_long(timedelta(minutes=sign * minutes))
    except OverflowError:
        raise ValueError(_TOO_LONG) from None


_TOO_LONG = "a duration is at most 100 years of the clock (36525d elapsed, 876600h of work); write less"


def _not_too_long(span: timedelta) -> timedelta:
    if abs(span) > LONGEST:
        raise ValueError(_TOO_LONG)
    return span


def format_minutes(span: timedelta, units: dict[str, int], letters: str = "wdhm") -> str:
    """The exact spelling in the first of the letters that divides it, such as ``24h`` or ``90m``."""
    minutes = span.total_seconds() / 60
    if minutes == 0:
        return "0h"
    for letter in letters:
        if minutes % units[letter] == 0:
            return f"{int(minutes // units[letter])}{letter}"
    return f"{minutes:.9f}".rstrip("0") + "m"  # a microsecond, the least that is kept, is 1.7e-8 of a minute


def _not_negative(span: timedelta) -> timedelta:
    if span < timedelta(0):
        raise ValueError("a duration cannot be negative")
    return span


Effort = Annotated[
    timedelta,
    BeforeValidator(lambda v: parse_minutes(v, WORK)),
    AfterValidator(_not_negative),
    PlainSerializer(lambda v: format_minutes(v, WORK, "hm"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": _PATTERN, "description": "working time; 1d = 8h, 1w = 40h"}),
]
Elapsed = Annotated[
    timedelta,
    BeforeValidator(lambda v: parse_minutes(v, ELAPSED)),
    AfterValidator(_not_negative),
    PlainSerializer(lambda v: format_minutes(v, ELAPSED), return_type=str),
    WithJsonSchema({"type": "string", "pattern": _PATTERN, "description": "elapsed time; 1d = 24h, 1w = 7 days"}),
]


def _lag(value: object) -> object:
    """Kept as text, because its unit depends on the calendar that the link names."""
    if value == 0:
        return "0"
    parse_minutes(value, WORK, signed=True)
    return str(value).strip()


Lag = Annotated[str, BeforeValidator(_lag), WithJsonSchema({"type": "string", "description": "3d, -4h or 0"})]


class AsText(Model):
    """A value that files write as one string: what ``str`` gives."""

    examples: ClassVar[tuple[str, ...]]

    @model_serializer
    def _write(self) -> str:
        return str(self)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: Any, _handler: Any) -> dict[str, Any]:
        return {"type": "string", "description": cls.__doc__, "examples": list(cls.examples)}


class Estimate(AsText):
    """Effort as ``24h``, or low/likely/high (10 %, 50 %, 90 % chance of not taking longer) as ``16h/24h/60h``."""

    examples = ("24h", "16h/24h/60h")

    low: Effort
    likely: Effort
    high: Effort

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, dict | Estimate):
            return value
        parts = str(value).split("/")
        if len(parts) == 1:
            parts *= 3
        if len(parts) != 3:
            raise ValueError(f"{str(value)!r} is not an estimate: write 24h, or low/likely/high such as 16h/24h/60h")
        return dict(zip(("low", "likely", "high"), parts, strict=True))

    @model_validator(mode="after")
    def _ordered(self) -> Estimate:
        if not self.low <= self.likely <= self.high:
            raise ValueError(f"an estimate must rise from low to likely to high, not {self}")
        return self

    @property
    def mean(self) -> timedelta:
        """0.3 low + 0.4 likely + 0.3 high (Swanson's rule: Hurst, Brown and Swanson, AAPG Bulletin 84, 2000)."""
        return (3 * self.low + 4 * self.likely + 3 * self.high) / 10

    def __str__(self) -> str:
        spans = (self.low, self.likely, self.high)
        texts = [format_minutes(s, WORK, "hm") for s in spans]
        return texts[0] if len(set(spans)) == 1 else "/".join(texts)


class Likely(Estimate):
    """An estimate by whose likely value is planned, because a buffer protects the rest. No file says so."""

    @property
    def mean(self) -> timedelta:
        return self.likely


_RELATIVE = re.compile(r"([+-]?)\s*([0-9]+)\s*(h|d|w)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(_DAY.pattern + r"(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?")
"""Python reads more of ISO 8601, such as ``20261123`` and ``2026-W48``; hands write those by mistake."""


class When(AsText):
    """A moment: ``2026-12-18``, ``2026-12-18T17:00`` (the portfolio's zone), one with an offset, or ``3d`` after as-of.

    A bare date is the start of that day where something may begin, and its end where something is due.
    """

    examples = ("2026-12-18", "2026-12-18T17:00", "3d")

    text: str

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, When):
            return value
        if isinstance(value, dict):
            if value.keys() != {"text"}:
                return value
            value = value["text"]
        if isinstance(value, datetime | date):
            value = value.isoformat()
        text = str(value).strip()
        if not _RELATIVE.fullmatch(text):
            try:
                if not _MOMENT.fullmatch(text):
                    raise ValueError
                datetime.fromisoformat(text)
            except ValueError:
                raise ValueError(
                    f"{text!r} is not a date: write 2026-12-18, 2026-12-18T17:00 or, counted from as_of, 3d"
                ) from None
        return {"text": text}

    def resolve(self, as_of: datetime, zone: ZoneInfo, end_of_day: bool = False) -> datetime:
        """The instant meant, with a zone. ``as_of`` must have a zone; relative days keep the local time of day."""
        if relative := _RELATIVE.fullmatch(self.text):
            amount = int(relative[2]) * (-1 if relative[1] == "-" else 1)
            if relative[3] == "h":
                return as_of.astimezone(UTC) + timedelta(hours=amount)
            return as_of.astimezone(zone) + timedelta(days=amount * (7 if relative[3] == "w" else 1))
        moment = datetime.fromisoformat(self.text)
        if len(self.text) == 10:
            if end_of_day:
                moment += timedelta(days=1)
            return datetime.combine(moment.date(), time(), zone)
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)

    def __str__(self) -> str:
        return self.text


def _split_range(value: Any) -> Any:
    if isinstance(value, str):
        first, _, last = (part.strip() for part in value.partition("/"))
        try:
            if not all(_DAY.fullmatch(day) for day in (first, last or first)):
                raise ValueError
            return {"first": date.fromisoformat(first), "last": date.fromisoformat(last or first)}
        except ValueError:
            raise ValueError(
                f"{value!r} is not a day or days: write 2026-12-24 or, both ends included, 2026-12-24/2027-01-02"
            ) from None
    if isinstance(value, date):
        return {"first": value, "last": value}
    return value


class Days(AsText):
    """Whole local days, both ends included, as ``2026-12-24/2027-01-02`` or one date."""

    examples = ("2026-12-24", "2026-12-24/2027-01-02")

    first: date
    last: date

    _read = model_validator(mode="before")(_split_range)

    @model_validator(mode="after")
    def _ordered(self) -> Days:
        if self.last < self.first:
            raise ValueError(f"{self} ends before it begins")
        return self

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}/{self.last}"


LEAST_SHARE = 0.01
"""Less stretches work over more than a hundred times its hours."""


def _write_share(share: float) -> str:
    """In per cent where that reads back as the same number."""
    percent = f"{share * 100:.10g}"
    return f"{percent}%" if float(percent) / 100 == share else repr(share)


def _percent(value: object) -> float:
    return _fraction(value, LEAST_SHARE)


def _fraction(value: object, least: float) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    else:
        text = str(value).strip()
        try:
            number = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            raise ValueError(f"{text!r} is not a share: write 65% or 0.65") from None
    if not least <= number <= 1:
        raise ValueError(f"a share is at least {least:.0%} and at most 100%, not {value}")
    return number


Share = Annotated[
    float,
    BeforeValidator(_percent),
    PlainSerializer(_write_share, return_type=str),
    WithJsonSchema({"type": "string", "description": "a share of at least 1% and at most 100%", "examples": ["65%"]}),
]


def _tolerance(value: object) -> float:
    return _fraction(value, 0.0)


Tolerance = Annotated[
    float,
    BeforeValidator(_tolerance),
    PlainSerializer(_write_share, return_type=str),
    WithJsonSchema({"type": "string", "description": "a share of at most 100%, also 0%", "examples": ["1%"]}),
]

_V = TypeVar("_V")


def keyed(value: Any, meaning: _V) -> Any:
    """A list of names as a map that gives each the same meaning; what is no list stays. Raises ValueError."""
    if not isinstance(value, list | tuple):
        return value
    if not all(isinstance(name, str) for name in value):
        raise ValueError("a list here holds names alone; write a map to say more of each")
    return dict.fromkeys(value, meaning)


_PER = {"hour": 168.0, "day": 7.0, "week": 1.0, "month": 12 * 7 / 365.25, "year": 7 / 365.25}


def _rate(value: object) -> float:
    amount, _, unit = str(value).partition("/")
    try:
        number = float(amount) * _PER[unit.strip() or "week"]
    except (ValueError, KeyError):
        raise ValueError(
            f"{str(value)!r} is not a rate: write an amount per hour, day, week, month or year, such as 50000/week"
        ) from None
    if not 0 <= number < 1e15:
        raise ValueError(f"a rate is not negative and below 1e15 a week, not {value}")
    return number


def _write_rate(rate: float) -> str:
    short = f"{rate:.12g}"
    return f"{short}/week" if float(short) == rate else f"{rate!r}/week"


Rate = Annotated[
    float,
    BeforeValidator(_rate),
    PlainSerializer(_write_rate, return_type=str),
    WithJsonSchema({"type": "string", "description": "money per time; kept per week", "examples": ["50000/week"]}),
]


def _hours_per_week(value: object) -> object:
    text = str(value).strip()
    if not text.endswith("/week"):
        raise ValueError(f"{text!r} is not a weekly amount: write hours a week, such as 9h/week")
    return parse_minutes(text.removesuffix("/week"), WORK)


Weekly = Annotated[
    timedelta,
    BeforeValidator(lambda v: v if isinstance(v, timedelta) else _hours_per_week(v)),
    PlainSerializer(lambda v: format_minutes(v, WORK, "hm") + "/week", return_type=str),
    WithJsonSchema({"type": "string", "description": "working time a week", "examples": ["9h/week"]}),
]
