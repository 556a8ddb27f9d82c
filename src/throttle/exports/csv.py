"""A plan as CSV (RFC 4180): one row for each person, item and local day, for spreadsheets."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

from throttle.exports.common import Block, blocks, id_of, project_of, title_of
from throttle_models import Plan, Portfolio, with_inserted

COLUMNS = ("week", "day", "person", "item", "title", "project", "hours", "start", "finish")


def to_csv(plan: Plan, portfolio: Portfolio, *, person: str | None = None) -> str:
    """Hours are the person's own (time x allocation); days and times are local to the plan's zone.

    ``start`` and ``finish`` are the first and last moment of that day's work, with their offset from UTC. Work over
    midnight counts for each day its own part. Text that a spreadsheet would take for a formula gets an apostrophe.
    """
    portfolio = with_inserted(plan, portfolio)
    person = id_of(person, portfolio)
    zone = ZoneInfo(plan.zone)
    days: dict[tuple[date, str, str, int], list[tuple[datetime, datetime, float]]] = {}
    for block in blocks(plan, person):
        for day, first, last in _by_day(block, zone):
            hours = (last - first) / timedelta(hours=1) * block.allocation
            days.setdefault((day, block.person, block.item, block.need), []).append((first, last, hours))
    out = StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    by_time = sorted(days.items(), key=lambda pair: (*pair[0][:2], pair[1][0][0], *pair[0][2:]))
    for (day, who, item, _), parts in by_time:
        year, week, _ = day.isocalendar()
        rows.writerow(
            (
                f"{year}-W{week:02}",
                day.isoformat(),
                safe(who),
                safe(item),
                safe(title_of(item, portfolio)),
                safe(project_of(item, portfolio) or ""),
                f"{sum(hours for _, _, hours in parts):.10g}",
                parts[0][0].astimezone(zone).isoformat(timespec="minutes"),
                parts[-1][1].astimezone(zone).isoformat(timespec="minutes"),
            )
        )
    return out.getvalue()


def _by_day(block: Block, zone: ZoneInfo) -> Iterator[tuple[date, datetime, datetime]]:
    """The local days of a block, each with its part in UTC."""
    first = block.start
    while first < block.finish:
        day = first.astimezone(zone).date()
        midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), zone).astimezone(first.tzinfo)
        last = min(block.finish, midnight)
        yield day, first, last
        first = last


_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def safe(text: str) -> str:
    """OWASP, CSV injection: a spreadsheet runs a cell that begins so. Control characters, which a terminal would obey,
    become ``\\x1b``; ends of lines and tabs stay."""
    text = _CONTROL.sub(lambda m: f"\\x{ord(m[0]):02x}", text.replace("\r\n", "\n"))
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text
