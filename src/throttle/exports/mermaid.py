"""A plan as a Mermaid Gantt chart, for wikis and Markdown files that draw it."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime
from zoneinfo import ZoneInfo

from throttle.exports.common import id_of, items_of, project_of, title_of
from throttle_models import Plan, PlannedItem, Portfolio, Status, with_inserted


def to_mermaid(plan: Plan, portfolio: Portfolio, *, person: str | None = None) -> str:
    """A section for each project in the order of its first start, a bar for each item, a diamond for a milestone.

    ``active``: in progress; ``crit``: on the critical chain of a project with buffers. Times are local to the
    plan's zone. Bars run from start to finish, pauses included.
    """
    portfolio = with_inserted(plan, portfolio)
    person = id_of(person, portfolio)
    zone = ZoneInfo(plan.zone)
    critical = {item for project in plan.projects.values() for item in project.chain}
    sections: dict[str | None, list[str]] = defaultdict(list)
    for number, (key, planned) in enumerate(items_of(plan, person), 1):
        marks = _marks(key, planned, portfolio, critical)
        name = _plain(f"{key} {title_of(key, portfolio)}")
        start, finish = _local(planned.start, zone), _local(planned.finish, zone)
        ends = f"{start}, 0d" if planned.finish == planned.start else f"{start}, {finish}"
        sections[project_of(key, portfolio)].append(f"    {name} :{''.join(f'{m}, ' for m in marks)}t{number}, {ends}")
    lines = [
        "gantt",
        f"    title Plan of week {plan.week}",
        "    dateFormat YYYY-MM-DD HH:mm",
        "    axisFormat %d %b",
    ]
    for project, rows in sections.items():
        known = portfolio.projects.get(project or "")
        lines.append(f"    section {_plain(known.title if known and known.title else project or 'No project')}")
        lines += rows
    return "\n".join(lines) + "\n"


def _marks(key: str, planned: PlannedItem, portfolio: Portfolio, critical: set[str]) -> list[str]:
    item = portfolio.work.get(key)
    marks = ["milestone"] if planned.finish == planned.start else []
    if item is not None and item.status is Status.IN_PROGRESS:
        marks.insert(0, "active")
    if key in critical:
        marks.insert(0, "crit")
    return marks


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _plain(text: str) -> str:
    """Without the signs that end a name in Mermaid (``:`` ``;`` ``#``), its comments (``%%``), HTML and controls."""
    text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(re.sub(r"[:;#%<>`\"\\]", " ", text).split()) or "-"
