"""Dates: one order of day and month for each column, settled by all its cells or refused; never guessed by cell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from throttle.ingest.values import fold

DateOrder = Literal["dmy", "mdy"]

# English, Spanish, German, French, Portuguese; by the first letters that tell the twelve apart in all of them.
_MONTHS = {
    1: "jan ene janv january enero januar janvier janeiro",
    2: "feb fev fevr february febrero februar fevrier fevereiro",
    3: "mar mrz marz mars march marzo marco maerz",
    4: "apr abr avr avril april abril",
    5: "may mai mayo maio",
    6: "jun juin june junio juni junho",
    7: "jul juil july julio juli juillet julho",
    8: "aug ago aout august agosto",
    9: "sep sept set september septiembre setiembre septembre setembro",
    10: "oct okt out october octubre oktober octobre outubro",
    11: "nov november noviembre novembre novembro",
    12: "dec dic dez december diciembre dezember decembre dezembro",
}
_MONTH = {name: number for number, names in _MONTHS.items() for name in names.split()}

_TIME = r"(?:[t,]?\s*(?P<h>\d{1,2})[:.h](?P<m>\d{2})(?:[:.](?P<s>\d{2})(?:[.,]\d+)?)?\s*(?P<half>[ap]\.?\s?m\.?)?)?"
_OFFSET = r"\s*(?P<offset>z|(?:utc|gmt)?[+-]\d{2}:?\d{2}|utc|gmt)?(?:\s*\([^()]*\))?"
_YEAR_FIRST = re.compile(r"(?P<y>\d{4})[-/.](?P<a>\d{1,2})[-/.](?P<b>\d{1,2})" + _TIME + _OFFSET)
_NUMERIC = re.compile(r"(?P<a>\d{1,2})(?P<sep>[-/.])(?P<b>\d{1,2})(?P=sep)(?P<y>\d{4}|\d{2})" + _TIME + _OFFSET)
_NAMED = re.compile(
    r"(?:[a-z]{2,10}\.?,?\s+)?(?P<a>\d{1,2})\.?[-/\s]*(?:de\s+)?(?P<mon>[a-z]{3,10})\.?(?:\s+de)?[-/,\s]+(?P<y>\d{4}|\d{2})"
    + _TIME
    + _OFFSET
)
_NAMED_FIRST = re.compile(
    r"(?:[a-z]{2,10}\.?,?\s+)?(?P<mon>[a-z]{3,10})\.?[-/\s]+(?P<a>\d{1,2}),?[-/\s]+(?P<y>\d{4})" + _TIME + _OFFSET
)


FIRST_YEAR, LAST_YEAR = 1971, 2198
"""What a portfolio can reckon with, whatever the zone. 1900 and 1970 are zeros of spreadsheets and databases."""
_LONGEST = 100
_EPOCH = re.compile(r"\d{10}|\d{12,13}")
"""Seconds, or milliseconds, since 1970: of 2001 and later, so that no other number is mistaken for one."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A date as written. ``first`` and ``second`` are day and month in an order still open; else ``day`` is known."""

    year: int
    first: int
    second: int
    settled: bool
    shape: str
    clock: time | None
    offset: timedelta | None

    def day(self, order: DateOrder | None) -> date | None:
        day, month = (self.first, self.second) if self.settled or order == "dmy" else (self.second, self.first)
        try:
            return date(self.year, month, day)
        except ValueError:
            return None


def read_stamp(cell: str) -> Stamp | None:
    """What a cell says as a date, or None where it is none."""
    if len(cell) > _LONGEST:
        return None
    text = fold(cell)
    if _EPOCH.fullmatch(text):
        return _of_epoch(int(text))
    if m := _YEAR_FIRST.fullmatch(text):
        year, day, month, settled, shape = int(m["y"]), int(m["b"]), int(m["a"]), True, "yyyy-MM-dd"
    elif m := _NUMERIC.fullmatch(text):
        year, day, month, settled = int(m["y"]), int(m["a"]), int(m["b"]), False
        shape = f"{m['sep']}{len(m['y'])}"
    elif m := _NAMED.fullmatch(text) or _NAMED_FIRST.fullmatch(text):
        if m["mon"] not in _MONTH:
            return None
        year, day, month, settled = int(m["y"]), int(m["a"]), _MONTH[m["mon"]], True
        shape = "d MMM y"
    else:
        return None
    if len(m["y"]) == 2:
        year += 2000 if year < 70 else 1900
    clock, half = None, (m["half"] or "")[:1]
    if m["h"]:
        hour = int(m["h"])
        if half:
            if not 1 <= hour <= 12:
                return None
            hour = hour % 12 + (12 if half == "p" else 0)
        try:
            clock = time(hour, int(m["m"]), int(m["s"] or 0))
        except ValueError:
            return None
    offset = None
    if m["offset"]:
        digits = m["offset"].replace(":", "").removeprefix("utc").removeprefix("gmt") or "z"
        offset = timedelta(0)
        if digits[0] in "+-":
            offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5])) * (-1 if digits[0] == "-" else 1)
            if abs(offset) >= timedelta(hours=24):
                return None
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    return Stamp(year, day, month, settled, shape, clock, offset)


def _of_epoch(value: int) -> Stamp | None:
    moment = datetime.fromtimestamp(value if value < 10**10 else value // 1000, UTC)
    if not 1990 <= moment.year <= LAST_YEAR:
        return None
    return Stamp(moment.year, moment.day, moment.month, True, "epoch", moment.time(), timedelta(0))


@dataclass(frozen=True)
class DateColumn:
    """A column whose cells are all understood in one way."""

    header: str
    name: str
    """The format, such as ``dd/MM/yyyy HH:mm``, for the record."""
    order: DateOrder | None
    stamps: dict[str, Stamp | None]
    zone: ZoneInfo

    def moment(self, cell: str) -> datetime | None:
        """The instant in UTC; a date alone is the start of that day."""
        return self._moments.get(cell)

    @cached_property
    def _moments(self) -> dict[str, datetime | None]:
        return {cell: self._instant(cell) for cell in self.stamps}

    def _instant(self, cell: str) -> datetime | None:
        stamp = self.stamps.get(cell)
        day = stamp.day(self.order) if stamp else None
        if stamp is None or day is None:
            return None
        zone = self.zone if stamp.offset is None else timezone(stamp.offset)
        return datetime.combine(day, stamp.clock or time(), zone).astimezone(UTC)

    def when(self, cell: str, midnight_is_date: bool) -> date | datetime | None:
        """A date where no time of day is meant, else the instant."""
        stamp = self.stamps.get(cell)
        if stamp is None or (stamp.clock is not None and not (midnight_is_date and stamp.clock == time())):
            return self.moment(cell)
        return stamp.day(self.order)


class Undecided(Exception):  # noqa: N818 - becomes an InputError that names the file
    """Nothing settles the order of day and month, or the cells contradict each other; a sentence for each column."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        super().__init__("; ".join(text for _, text in problems))


def read_columns(
    columns: Sequence[tuple[str, Iterable[str], ZoneInfo]], declared: DateOrder | None = None
) -> list[DateColumn]:
    """Settle each column (header, distinct cells, zone of what has no offset) by all its cells.

    A number above 12 settles the order of its column. A column without one takes the order that the other columns of
    the same shape agree on. Raises Undecided for the rest.
    """
    read = [(header, {cell: read_stamp(cell) for cell in cells}, zone) for header, cells, zone in columns]
    evidence = [_evidence(stamps.values()) for _, stamps, _ in read]
    pool: dict[str, set[DateOrder]] = {}
    for found in evidence:
        for shape, orders in found.items():
            if len(orders) == 1:
                pool.setdefault(shape, set()).update(orders)
    problems: list[tuple[str, str]] = []
    done: list[DateColumn] = []
    for (header, stamps, zone), found in zip(read, evidence, strict=True):
        orders = set().union(*found.values())
        order: DateOrder | None = None
        if len(orders) > 1 or (declared and orders - {declared}):
            against = "day first" if declared == "mdy" else "month first"
            what = f"can only be {against}" if declared else "have the day first and others the month"
            problems.append((header, f"some dates in column {header!r} {what}; they contradict each other"))
            continue
        if found:
            order = declared or next(iter(orders), None)
            if order is None:
                others = set().union(*(pool.get(shape, set()) for shape in found))
                order = others.pop() if len(others) == 1 else None
            if order is None:
                what = "nothing tells whether the day or the month comes first in column"
                problems.append((header, f"{what} {header!r}"))
                continue
        done.append(DateColumn(header, _name(stamps.values(), order), order, stamps, zone))
    if problems:
        raise Undecided(problems)
    return done


def _evidence(stamps: Iterable[Stamp | None]) -> dict[str, set[DateOrder]]:
    """By shape of the numeric dates, the orders that some cell proves."""
    found: dict[str, set[DateOrder]] = {}
    for stamp in stamps:
        if stamp and not stamp.settled and stamp.first != stamp.second:
            orders = found.setdefault(stamp.shape, set())
            if stamp.first > 12:
                orders.add("dmy")
            elif stamp.second > 12:
                orders.add("mdy")
    return found


def _name(stamps: Iterable[Stamp | None], order: DateOrder | None) -> str:
    counts: Counter[str] = Counter()
    for stamp in filter(None, stamps):
        shape = stamp.shape
        if not stamp.settled:
            sep, year = shape[0], "y" * int(shape[1])
            shape = f"dd{sep}MM{sep}{year}" if order == "dmy" else f"MM{sep}dd{sep}{year}"
        counts[shape + (" HH:mm" if stamp.clock else "")] += 1
    return " or ".join(name for name, _ in counts.most_common())
