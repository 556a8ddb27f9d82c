"""Words and tables that the answers of what-if, reliance, elevate, curve and feedback share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from throttle.terminal import clean

Cell = str | Text
WIDTH = 100
"""Columns of tables where the output is not a terminal, and nobody says how wide it is."""


def fitted(console: Console) -> Console:
    """The console, no wider than a mail or a page of text where it is none."""
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = min(console.width, WIDTH)
    return console


def money(value: float | None, unit: str = "") -> str:
    if value is None:
        return "-"
    if value == 0:
        value = 0.0  # not "-0"
    return f"{value:,.0f} {unit}".rstrip() if abs(value) >= 10 or value == 0 else f"{value:,.3g} {unit}".rstrip()


def signed(value: float | None, unit: str = "") -> str:
    """``+120 USD``, ``-3 USD``, ``0``."""
    if value is None:
        return "-"
    return f"{'+' if value > 0 else ''}{money(value, unit)}"


def range_of(low: float, high: float) -> str:
    return f"{signed(low)} to {signed(high)}"


def share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}".replace("%", " %")


def days(value: float | None) -> str:
    """``3.5 days later``."""
    if value is None:
        return "-"
    return "same" if abs(value) < 0.05 else f"{abs(value):.1f} days {'later' if value > 0 else 'earlier'}"


def day(moment: datetime | None, zone: str) -> str:
    if moment is None:
        return "-"
    with suppress(OverflowError):  # at the ends of the calendar
        moment = moment.astimezone(ZoneInfo(zone))
    return f"{moment:%a %d %b %Y}"


def heading(text: str) -> Text:
    return Text("\n" + clean(text), style="bold cyan")


def line(text: str, style: str = "") -> Text:
    return Text(clean(text), style=style)


def table(*columns: str) -> Table:
    """Column names; those that start with ``>`` are aligned to the right."""
    found = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        found.add_column(Text(name.lstrip(">")), justify="right" if name.startswith(">") else "left", overflow="fold")
    return found


def show_tables(
    console: Console, tables: Iterable[tuple[str, Sequence[str], Sequence[Sequence[Cell]]]], most: int
) -> None:
    """Print (heading, columns, rows) one after the other, no more than so many rows of each, and none that is empty."""
    for title, columns, rows in tables:
        if rows:
            console.print(heading(title))
            shown = table(*columns)
            for row in rows[:most]:
                add(shown, *row)
            put(console, shown)
            if len(rows) > most:
                console.print(line(f"and {len(rows) - most} more (--json has all)", "dim"))


def put(console: Console, table: Table) -> None:
    """Print a table whole: where its numbers need more columns than there are, lines run on instead of being cut."""
    room = console.width
    needed = Measurement.get(console, console.options.update(width=1_000_000), table).minimum
    console.width = max(room, needed)
    console.print(table)
    console.width = room


def add(to: Table, *cells: Cell, style: str = "") -> None:
    """Add a row. Where there is little room, words go over several lines, and heads of numbers, but no number does."""
    for column, cell in zip(to.columns, cells, strict=True):
        if column.justify == "right":
            column.min_width = max(column.min_width or 0, *map(len, str(cell).split()), 0)
    to.add_row(*(cell if isinstance(cell, Text) else Text(clean(cell)) for cell in cells), style=style)
