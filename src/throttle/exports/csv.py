"""A plan as CSV (RFC 4180): one row for each person, item and local day, for spreadsheets."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

from throttle.exports.common import Block, blocks, id_of, project_of, title_of
from throttle.wording import iso_week
from throttle_models import Plan, Portfolio, with_inserted

COLUMNS = ("week", "day", "person", "item", "title", "project", "hours", "start", "finish")


def to_csv(plan: Plan, portfolio: Portfolio, *, person: str | None = None) -> str:
    """Hours are the person's own (time x allocation); days and times are local to the plan's zone.

    ``start`` and ``finish`` are the first and last moment of that day's work, with their offset from UTC. Work over
    midnight counts for each day its own part. Text that a spreadsheet would take for a formula gets an apostrophe.
    """
    return text_of(
        COLUMNS,
        (
            (
                row.week,
                row.day.isoformat(),
                row.person,
                row.item,
                row.title,
                row.project,
                f"{row.hours:.10g}",
                row.start.isoformat(timespec="minutes"),
                row.finish.isoformat(timespec="minutes"),
            )
            for row in day_rows(plan, portfolio, person)
        ),
    )


def text_of(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table as CSV; every cell made safe."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class DayRow:
    """One person's work on one need of an item on one local day."""

    week: str
    day: date
    person: str
    item: str
    title: str
    project: str
    hours: float
    start: datetime
    finish: datetime


def day_rows(plan: Plan, portfolio: Portfolio, person: str | None) -> Iterator[DayRow]:
    """In the order of days, then people, then starts; times in the plan's zone. Raises as :class:`Writer` does."""
    portfolio = with_inserted(plan, portfolio)
    person = id_of(person, portfolio)
    zone = ZoneInfo(plan.zone)
    days: dict[tuple[date, str, str, int], list[tuple[datetime, datetime, float]]] = {}
    for block in blocks(plan, person):
        for day, first, last in _by_day(block, zone):
            hours = (last - first) / timedelta(hours=1) * block.allocation
            days.setdefault((day, block.person, block.item, block.need), []).append((first, last, hours))
    by_time = sorted(days.items(), key=lambda pair: (*pair[0][:2], pair[1][0][0], *pair[0][2:]))
    for (day, who, item, _), parts in by_time:
        yield DayRow(
            iso_week(day),
            day,
            who,
            item,
            title_of(item, portfolio),
            project_of(item, portfolio) or "",
            sum(hours for _, _, hours in parts),
            parts[0][0].astimezone(zone),
            parts[-1][1].astimezone(zone),
        )


def _by_day(block: Block, zone: ZoneInfo) -> Iterator[tuple[date, datetime, datetime]]:
    """The local days of a block, each with its part in UTC."""
    first = block.start
    while first < block.finish:
        day = first.astimezone(zone).date()
        midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), zone).astimezone(first.tzinfo)
        last = min(block.finish, midnight)
        yield day, first, last
        first = last


_FORMULA = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def safe(text: str) -> str:
    """OWASP, CSV injection: a spreadsheet runs a cell that begins so. Control characters, which a terminal would obey,
    become ``\\x1b``; ends of lines and tabs stay."""
    text = _CONTROL.sub(lambda m: f"\\x{ord(m[0]):02x}", text.replace("\r\n", "\n"))
    return f"'{text}" if text.startswith(_FORMULA) else text
