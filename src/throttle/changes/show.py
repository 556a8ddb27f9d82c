"""The change calendar and the curves of batches for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from throttle.terminal import clean
from throttle.wording import plural, some
from throttle_models.changes import ChangeCalendar, Curve, Occurrence, PlannedChange

ROWS = 40
"""Rows of a table that the terminal shows; ``--json`` has all."""
FEW = 12
NAMED = 4


def show_changes(console: Console, found: ChangeCalendar) -> None:
    """Print what the plan does with changes."""
    for part in _parts(found):
        console.print(part)


def _parts(found: ChangeCalendar) -> Iterator[RenderableType]:
    zone = ZoneInfo(found.zone)
    total = sum(len(o.changes) for o in found.occurrences)
    yield Text(clean(f"Changes, as of {_day(found.as_of, zone)} ({found.zone})"), style="bold")
    if not total and not found.outside and not found.left_out:
        yield Text("\nThe plan has no changes.")
        return
    apart = f"{plural(found.kept_apart, 'pair')} of them on services within {plural(found.hops, 'hop')} kept apart"
    places = f"{plural(total, 'change')} in {plural(len(found.occurrences), 'occurrence')} of windows"
    yield Text(clean(f"\n{places}, {len(found.outside):,} outside; {apart} on the same day."))
    yield from _calendar(found, zone)
    yield from _outside(found, zone)
    yield from _blocked(found, zone)
    yield from _left_out(found)
    for curve in found.curves:
        yield from _curve(curve, found.unit)


def _calendar(found: ChangeCalendar, zone: ZoneInfo) -> Iterator[RenderableType]:
    if not found.occurrences:
        return
    yield _heading("By week and occurrence")
    table = _table("week", "occurrence", "window", ">changes", ">risk", ">used", ">apart", "what", "who")
    for week, occurrences in groupby(found.occurrences[:ROWS], key=lambda o: o.week):
        for k, one in enumerate(occurrences):
            table.add_row(
                *map(
                    _text,
                    (
                        "" if k else week,
                        _span(one.start, one.finish, zone),
                        one.window,
                        _of(len(one.changes), one.limit),
                        _of(one.risk, one.risk_limit),
                        f"{one.minutes_used:,.0f} of {one.minutes:,.0f} min",
                        str(one.kept_apart),
                        _names([c.item for c in one.changes]),
                        _names(_people(one)),
                    ),
                )
            )
    yield table
    yield from _more(len(found.occurrences), ROWS)


def _people(one: Occurrence) -> list[str]:
    return list(dict.fromkeys(p for change in one.changes for p in change.people))


def _outside(found: ChangeCalendar, zone: ZoneInfo) -> Iterator[RenderableType]:
    if not found.outside:
        return
    yield _heading("Outside windows")
    table = _table("change", "from, to", "services", ">risk", "who")
    for one in found.outside[:FEW]:
        table.add_row(*map(_text, _row(one, zone)))
    yield table
    yield from _more(len(found.outside), FEW)


def _row(one: PlannedChange, zone: ZoneInfo) -> tuple[str, ...]:
    risk = "-" if one.risk is None else str(one.risk)
    return one.item, _span(one.start, one.finish, zone), _names(one.services), risk, _names(one.people)


def _blocked(found: ChangeCalendar, zone: ZoneInfo) -> Iterator[RenderableType]:
    if not found.blocked:
        return
    yield _heading("Not used, and touched by a freeze")
    table = _table("occurrence", "window", "frozen", "why")
    for one in found.blocked[:FEW]:
        frozen = _names(one.services) if one.services else "all services"
        table.add_row(*map(_text, (_span(one.start, one.finish, zone), one.window, frozen, one.why or "-")))
    yield table
    yield from _more(len(found.blocked), FEW)


def _left_out(found: ChangeCalendar) -> Iterator[RenderableType]:
    if not found.left_out:
        return
    yield _heading("Not in the plan")
    table = _table("change", "why")
    for item, why in list(found.left_out.items())[:FEW]:
        table.add_row(_text(item), _text(why))
    yield table
    yield from _more(len(found.left_out), FEW)


def _curve(curve: Curve, unit: str) -> Iterator[RenderableType]:
    yield _heading(f"Batches in {curve.window}: {plural(curve.changes, 'change')}, {curve.demand:.1f} a week")
    if not curve.overhead:
        yield Text(clean(f"With no overhead the smallest batch is best: {curve.text}."))
        return
    yield Text(
        clean(
            f"An occurrence that is used costs {_money(curve.overhead, unit)}, a change that waits a week "
            f"{_money(curve.waiting, unit)}. Best: {curve.best:.1f} changes by the formula, {curve.recommended} in all."
        )
    )
    head = ("", ">changes", ">overhead a week", ">waiting a week")
    failing = any(batch.failing for batch in curve.batches)
    planned = any(batch.planned is not None or batch.text for batch in curve.batches)
    table = _table(
        *head,
        *([">failing a week"] if failing else []),
        ">in all a week",
        *([">a plan costs", ">occurrences"] if planned else []),
    )
    for batch in curve.batches:
        cells = [
            "*" if batch.size == curve.recommended else "",
            str(batch.size),
            _money(batch.overhead, ""),
            _money(batch.waiting, ""),
            *([_money(batch.failing, "")] if failing else []),
            _money(batch.total, ""),
        ]
        if planned:
            cost = "-" if batch.planned is None else _money(batch.planned, "")
            cells += [
                "none found" if batch.text else cost,
                "-" if batch.occurrences is None else str(batch.occurrences),
            ]
        table.add_row(*map(_text, cells))
    yield table


def _of(count: int, limit: int | None) -> str:
    return str(count) if limit is None else f"{count} of {limit}"


def _names(names: list[str] | tuple[str, ...]) -> str:
    return some(names, NAMED) or "-"


def _span(start: datetime, finish: datetime, zone: ZoneInfo) -> str:
    first, last = start.astimezone(zone), finish.astimezone(zone)
    until = f"{last:%H:%M}" if (last - first).days < 1 else f"{last:%a %d %b %H:%M}"
    return f"{first:%a %d %b %H:%M}-{until}"


def _day(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %d %b %Y}"


def _money(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:,.3g}"
    return f"{number} {unit}".rstrip()


def _heading(text: str) -> Text:
    return Text("\n" + clean(text), style="bold cyan")


def _text(text: str) -> Text:
    return Text(clean(text))


def _more(total: int, shown: int) -> Iterator[Text]:
    if total > shown:
        yield Text(f"and {total - shown} more (--json has all)", style="dim")


def _table(*columns: str) -> Table:
    """Column names; those that start with ``>`` are aligned to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        table.add_column(Text(name.lstrip(">")), justify="right" if name.startswith(">") else "left", overflow="fold")
    return table
