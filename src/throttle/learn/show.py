"""What history taught, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from throttle.ingest.effort import in_hours
from throttle.terminal import clean
from throttle.wording import plural
from throttle_models import Learned

MOST = 20
"""Rows of a table."""


def show_learned(console: Console, learned: Learned) -> None:
    """Print each kind of what was learned, with its evidence."""
    console.print(f"Learned from {plural(learned.tickets, 'finished item')}, times of {learned.zone}")
    rows = [
        (e.type, e.component, e.team, in_hours(e.effort), _hours(e.p80), f"{e.samples}", e.basis)
        for e in sorted(learned.effort, key=lambda e: -e.samples)
    ]
    _table(console, "Effort", ("type", "component", "team", "low/likely/high", ">p80", ">samples", "basis"), rows)
    if learned.effort_covered is not None:
        share = f"{learned.effort_covered:.0%}"
        tested = plural(learned.effort_tested, "item that the rest foretells", "items that the rest foretells")
        console.print(_dim(f"of the last quarter of finished work, {tested}: {share} took no longer than p80"))
    demand = [
        (
            skill, f"{d.arrivals:g}", _hours(d.mean), _hours(d.reserve),
            f"{d.weeks}", "-" if d.covered is None else f"{d.covered:.0%} of {d.tested}",
        )
        for skill, d in sorted(learned.demand.items(), key=lambda entry: -entry[1].reserve)
    ]  # fmt: skip
    head = ("skill", ">items a week", ">mean a week", ">reserve a week (p80)", ">weeks", ">enough in weeks tested")
    _table(console, "Unplanned work", head, demand)
    people = [
        (
            who,
            ", ".join(f"{s} {k.finished}{' (stale)' if k.stale else ''}" for s, k in person.skills.items()) or "-",
            person.hours or "-",
            "-" if person.utc_offset is None else f"UTC{person.utc_offset:+d}",
        )
        for who, person in learned.people.items()
    ]  # fmt: skip
    _table(console, "People", ("person", "skills, by items finished", "hours", ">like office hours of"), people)
    bias = [(b.type or "all", f"{b.ratio:.2f}", f"{b.low:.2f} to {b.high:.2f}", f"{b.samples}") for b in learned.bias]
    _table(console, "Logged time over estimate", ("type", ">median", ">quartiles", ">samples"), bias)
    failed = [
        (f.kind or "-", f.group or "all", f"{f.failed} of {f.changes}", f"{f.rate:.0%}", f"{f.low:.0%} to {f.high:.0%}")
        for f in learned.failures
    ]
    _table(console, "Failed changes", ("kind", "group", ">failed", ">rate", ">95 % interval"), failed)
    for note in learned.notes:
        console.print(_dim(f"Not learned: {note}"))


def _table(console: Console, title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    if not rows:
        return
    table = Table(title=f"{title}: {len(rows)}", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for head in heads:
        table.add_column(head.lstrip(">"), justify="right" if head.startswith(">") else "left")
    for row in rows[:MOST]:
        table.add_row(*(Text(clean(cell)) for cell in row))
    console.print(table)
    if len(rows) > MOST:
        console.print(_dim(f"and {len(rows) - MOST} more"))


def _hours(span: timedelta) -> str:
    """``45m``, ``39.8h``: for people to read."""
    hours = span / timedelta(hours=1)
    return f"{hours * 60:.0f}m" if 0 < hours < 1 else f"{round(hours, 1):g}h"


def _dim(text: str) -> Text:
    return Text(clean(text), style="dim")
