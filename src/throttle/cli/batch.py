"""How a batch is shown: a line for each run while it goes on, and the table at its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from throttle.cli import screen
from throttle.cli.interrupts import INTERRUPTED, INTERRUPTED_WITH_PLAN
from throttle.errors import RunsFailedError
from throttle.terminal import clean
from throttle.wording import plural
from throttle_models.batch import RunStatus

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from throttle.batch import Event, Run
    from throttle_models.batch import BatchResults, Best, Row

ROWS = 50
"""Runs that the terminal shows; results.csv has all."""
REASONS = 10
"""Reasons of failures that the terminal shows."""
LONG = 24
"""Characters of a portfolio's name that the table shows."""
WIDE = 120
"""Columns of a terminal that the whole table takes; a narrower one shows less of it."""


class ProgressLines:
    """Told every event of a batch: a line for each run that ends, and on a terminal what runs now."""

    def __init__(self, console: Console, quiet: bool) -> None:
        self._console, self._quiet = console, quiet
        self._kept = 0
        self._running: dict[Run, float] = {}
        self._counts = ""
        self._told: set[tuple[str, str]] = set()
        self._same = 0
        self._failed: Event | None = None

    def __call__(self, event: Event) -> None:
        row = event.row
        if row is None:
            self._running[event.run] = time.monotonic()
        else:
            self._running.pop(event.run, None)
            if event.kind == "kept":
                self._kept += 1
            elif row.plan is None:
                self._fail(event, row)
            else:
                self._say(f"[{event.done}/{event.total}] {describe(row)}")
        self._counts = f"{event.done} of {plural(event.total, 'run')} done"

    def _fail(self, event: Event, row: Row) -> None:
        """What is wrong with a portfolio is said once, not for each variant and seed."""
        if (row.portfolio, row.message) not in self._told:
            self._told.add((row.portfolio, row.message))
            self._say(f"[{event.done}/{event.total}] {describe(row)}", screen.STYLES["error"])
        else:
            self._same, self._failed = self._same + 1, event

    def _say(self, text: str, style: str = "") -> None:
        self.tell_counted()
        if style or not self._quiet:
            self._console.print(Text(clean(text), style=style), soft_wrap=True)

    def tell_counted(self) -> None:
        """What was kept, and what failed as before: told before the next line, or at the end, as a number."""
        same, event, self._same, self._failed = self._same, self._failed, 0, None
        if event:
            text = (
                f"[{event.done}/{event.total}] {plural(same, 'more run')} failed as runs of that portfolio did before"
            )
            self._say(text, screen.STYLES["error"])
        kept, self._kept = self._kept, 0
        if kept:
            self._say(f"{plural(kept, 'run')} kept from an earlier time (--again repeats them)")

    def __rich__(self) -> Text:
        now = time.monotonic()
        names = [
            f"{r.portfolio} {r.variant} {r.seed} ({now - since:.0f} s)" for r, since in list(self._running.items())
        ]
        return Text(clean("; ".join([self._counts or "reading", *names])), overflow="ellipsis", no_wrap=True)


@contextmanager
def progress_lines(quiet: bool) -> Iterator[ProgressLines]:
    """A place for progress on standard error while the block runs; ``quiet``: only for failures."""
    console = screen.err()
    lines = ProgressLines(console, quiet)
    with console.status(lines) if console.is_terminal and not quiet else nullcontext():
        yield lines
    lines.tell_counted()


def describe(row: Row) -> str:
    """``phoenix.yaml, wip-3, seed 1: feasible, objective 1,234, gap 3.2 %, 10 s``, or why there is no plan."""
    name = f"{row.portfolio}, {row.variant}, seed {row.seed}: {row.status}"
    if row.plan is None:
        return f"{name}: {row.message}"
    text = f"{name}, objective {_number(row.objective)}, gap {_share(row.gap)}, {_number(row.seconds)} s"
    return f"{text} ({row.message})" if row.message else text


def tables(results: BatchResults, width: int) -> Iterator[RenderableType]:
    """A row for each run, and the best variant of each portfolio; ``width`` in columns."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    columns = [(name, cell) for name, (cell, needed) in _COLUMNS.items() if needed or width >= WIDE]
    for name, _ in columns:
        right = name.startswith(">")
        named = name in ("portfolio", "variant")
        table.add_column(
            Text(name.lstrip(">")), justify="right" if right else "left", overflow="fold", no_wrap=not named
        )
    shown = results.rows[:ROWS]
    short = short_names(row.portfolio for row in results.rows)
    for row in shown:
        told = row.model_copy(update={"portfolio": short[row.portfolio]})
        table.add_row(*(Text(clean(cell(told)), style="bold" if row.best else "") for _, cell in columns))
    yield table
    if len(results.rows) > ROWS:
        yield Text(f"and {len(results.rows) - ROWS} more, in results.csv", style="dim")
    for portfolio, best in results.best.items():
        if any(row.variant != best.variant for row in results.rows if row.portfolio == portfolio):
            yield from _comparison(portfolio, best)
    reasons = Counter((row.portfolio, row.message) for row in results.rows if row.status is RunStatus.FAILED)
    for (portfolio, message), count in list(reasons.items())[:REASONS]:
        yield Text(clean(f"Failed: {portfolio} ({plural(count, 'run')}): {message}"), style=screen.STYLES["error"])
    if len(reasons) > REASONS:
        yield Text(f"and {len(reasons) - REASONS} more reasons, in results.csv", style="dim")


def _comparison(portfolio: str, best: Best) -> Iterator[RenderableType]:
    if best.equal:
        names = ", ".join((best.variant, *best.equal))
        yield Text(clean(f"Equal for {portfolio}: {names}, {_number(best.mean)} ({best.decided})"), style="bold")
        return
    yield Text(clean(f"Best for {portfolio}: {best.variant}, {_number(best.mean)} ({best.decided})"), style="bold")
    if best.margin == 0:
        yield Text(clean(f"  {best.next} is equal in that mean, and follows in what is compared next"))
    elif best.margin is not None:
        luck = f", and seeds of one variant differ by {_number(best.spread)}" if best.spread else ""
        yield Text(clean(f"  {best.next} follows, {_number(best.margin)} behind{luck}"))
        if best.doubt:
            yield Text(clean(f"  {best.doubt}"), style=screen.STYLES["warning"])


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Each name, or where one is long, the end of each: as many last folders as tell them apart."""
    every = tuple(dict.fromkeys(names))
    deepest = max((name.count("/") for name in every), default=0)
    if all(len(name) <= LONG for name in every):
        return {name: name for name in every}
    for depth in range(1, deepest + 1):
        ends = {name: "/".join(name.split("/")[-depth:]) for name in every}
        if len(set(ends.values())) == len(every):
            return ends
    return {name: name for name in every}


def describe_end(results: BatchResults) -> tuple[str, str, int]:
    """How a batch ended: a sentence, its style, and the exit code."""
    planned = sum(row.plan is not None for row in results.rows)
    failures = sum(row.status == "failed" for row in results.rows)
    left = len(results.rows) - planned - failures
    text = f"{planned} of {plural(len(results.rows), 'run')} with a verified plan"
    text += f", {failures} failed" if failures else ""
    if left:
        code = INTERRUPTED_WITH_PLAN if planned else INTERRUPTED
        return f"{text}, {left} interrupted before the end", screen.STYLES["warning"], code
    if failures:
        return text, screen.STYLES["error"], RunsFailedError.exit_code
    return text, "", 0


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.1f} %"


def _checked(row: Row) -> str:
    return "-" if row.checked is None else "yes" if row.checked else "no"


_COLUMNS: dict[str, tuple[Callable[[Row], str], bool]] = {
    "portfolio": (lambda row: row.portfolio, True),
    "variant": (lambda row: row.variant, True),
    ">seed": (lambda row: str(row.seed), True),
    "status": (lambda row: row.status, True),
    "best": (lambda row: "*" if row.best else "", True),
    ">objective": (lambda row: _number(row.objective), True),
    ">bound": (lambda row: _number(row.bound), False),
    ">gap": (lambda row: _share(row.gap), True),
    ">first come": (lambda row: _number(row.first_come), False),
    ">greedy": (lambda row: _number(row.greedy), False),
    ">flow": (lambda row: _number(row.flow), True),
    ">seconds": (lambda row: _number(row.seconds), False),
    "checked": (_checked, False),
}
"""Heading to cell, and whether a narrow terminal shows it."""
