"""How a batch is shown: a line for each run while it goes on, and the table at its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from math import isclose
from typing import TYPE_CHECKING

from rich.cells import cell_len
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
NAMED = 5
"""Runs that one line names."""
GAP = 2
"""Columns between those of the table."""


class ProgressLines:
    """Told every event of a batch: a line for each run that ends, and on a terminal what runs now."""

    def __init__(self, console: Console, quiet: bool, short: Mapping[str, str]) -> None:
        self._console, self._quiet, self._short = console, quiet, short
        self._kept = 0
        self._running: dict[Run, float] = {}
        self._counts = ""
        self._told: set[tuple[str, str]] = set()
        self._same: list[str] = []
        self._failed: Event | None = None

    def tell(self, text: str) -> None:
        """What is to be done."""
        self._say(text)

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
                self._say(f"[{event.done}/{event.total}] {self._described(row)}")
        self._counts = f"{event.done} of {plural(event.total, 'run')} done"

    def _fail(self, event: Event, row: Row) -> None:
        """What is wrong with a portfolio is said once, not for each variant and seed."""
        if (row.portfolio, row.message) not in self._told:
            self._told.add((row.portfolio, row.message))
            self._say(f"[{event.done}/{event.total}] {self._described(row)}", screen.STYLES["error"])
        else:
            self._same.append(_named(self._shortened(row)))
            self._failed = event

    def _shortened(self, row: Row) -> Row:
        return row.model_copy(update={"portfolio": self._short.get(row.portfolio, row.portfolio)})

    def _described(self, row: Row) -> str:
        return describe(self._shortened(row))

    def _say(self, text: str, style: str = "") -> None:
        self.tell_counted()
        if style or not self._quiet:
            self._console.print(Text(clean(text), style=style), soft_wrap=True)

    def tell_counted(self) -> None:
        """What was kept, and what failed as before: told before the next line, or at the end, as a number."""
        same, event, self._same, self._failed = self._same, self._failed, [], None
        if event:
            text = (
                f"[{event.done}/{event.total}] {plural(len(same), 'more run')} failed as one of that portfolio before"
            )
            more = f" and {len(same) - NAMED} more" if len(same) > NAMED else ""
            self._say(f"{text}: {'; '.join(same[:NAMED])}{more}", screen.STYLES["error"])
        kept, self._kept = self._kept, 0
        if kept:
            self._say(f"{plural(kept, 'run')} kept from an earlier time (--again repeats them)")

    def __rich__(self) -> Text:
        now = time.monotonic()
        names = [
            f"{self._short.get(r.portfolio, r.portfolio)}, {r.variant}, seed {r.seed} ({now - since:.0f} s)"
            for r, since in list(self._running.items())
        ]
        return Text(clean("; ".join([self._counts or "reading", *names])), overflow="ellipsis", no_wrap=True)


@contextmanager
def progress_lines(quiet: bool, portfolios: Iterable[str]) -> Iterator[ProgressLines]:
    """A place for progress on standard error while the block runs; ``quiet``: only for failures."""
    console = screen.err()
    lines = ProgressLines(console, quiet, short_names(portfolios))
    with console.status(lines) if console.is_terminal and not quiet else nullcontext():
        yield lines
    lines.tell_counted()


def describe(row: Row) -> str:
    """``phoenix.yaml, wip-3, seed 1: feasible, objective 1,234, gap 3.2 %, 10 s``, or why there is no plan."""
    name = f"{_named(row)}: {row.status}"
    if row.plan is None:
        return f"{name}: {row.message}"
    text = f"{name}, objective {_number(row.objective)}, gap {_share(row.gap)}, {_number(row.seconds)} s"
    return f"{text} ({row.message})" if row.message else text


def _named(row: Row) -> str:
    return f"{row.portfolio}, {row.variant}, seed {row.seed}"


def tables(results: BatchResults, width: int) -> Iterator[RenderableType]:
    """A row for each run, and the best variant of each portfolio; ``width`` in columns."""
    short = short_names(row.portfolio for row in results.rows)
    shown = [row.model_copy(update={"portfolio": short[row.portfolio]}) for row in results.rows[:ROWS]]
    cells = {name: [clean(cell(row)) for row in shown] for name, cell in _COLUMNS.items()}
    columns = _fitting({name: max(map(cell_len, [name.lstrip(">"), *texts])) for name, texts in cells.items()}, width)
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
    for name in columns:
        right = name.startswith(">")
        named = name in ("portfolio", "variant")
        table.add_column(
            Text(name.lstrip(">")), justify="right" if right else "left", overflow="fold", no_wrap=not named
        )
    for k, row in enumerate(shown):
        table.add_row(*(Text(cells[name][k], style="bold" if row.best else "") for name in columns))
    yield table
    if len(results.rows) > ROWS:
        yield Text(f"and {len(results.rows) - ROWS} more, in results.csv", style="dim")
    for portfolio, name in short.items():
        rows = [row for row in results.rows if row.portfolio == portfolio]
        if len({row.variant for row in rows}) > 1:
            left = sum(row.status is RunStatus.NOT_RUN for row in rows)
            if left:
                text = f"No best variant of {name} yet: {left} of its {plural(len(rows), 'run')} did not end"
                yield Text(clean(text), style=screen.STYLES["warning"])
            elif best := results.best.get(portfolio):
                yield from _comparison(name, best)
        yield from _no_better_than_greedy(name, rows)
    reasons = Counter((row.portfolio, row.message) for row in results.rows if row.status is RunStatus.FAILED)
    for (portfolio, message), count in list(reasons.items())[:REASONS]:
        text = f"Failed: {short[portfolio]} ({plural(count, 'run')}): {message}"
        yield Text(clean(text), style=screen.STYLES["error"])
    if len(reasons) > REASONS:
        yield Text(f"and {len(reasons) - REASONS} more reasons, in results.csv", style="dim")


def _comparison(portfolio: str, best: Best) -> Iterator[RenderableType]:
    if best.equal:
        names = ", ".join((best.variant, *best.equal))
        yield Text(clean(f"Equal for {portfolio}: {names}, {_number(best.mean)} ({best.decided})"), style="bold")
    else:
        yield Text(clean(f"Best for {portfolio}: {best.variant}, {_number(best.mean)} ({best.decided})"), style="bold")
    for variant, tighter in best.counted.items():
        names = ", ".join(tighter)
        text = f"  {variant} only lifts limits of {names}, so plans of {names} count for it too where they are better"
        yield Text(clean(text))
    if best.equal:
        return
    if best.margin == 0:
        yield Text(clean(f"  {best.next} is equal in that mean, and follows in what is compared next"))
    elif best.margin is not None:
        luck = f", and seeds of one variant differ by {_number(best.spread)}" if best.spread else ""
        yield Text(clean(f"  {best.next} follows, {_number(best.margin)} behind{luck}"))
        if best.doubt:
            yield Text(clean(f"  {best.doubt}"), style=screen.STYLES["warning"])


def _no_better_than_greedy(portfolio: str, rows: Iterable[Row]) -> Iterator[RenderableType]:
    """Variants whose plans, of every seed, cost what the greedy rule costs, and are not proven to be the best."""
    alike: dict[str, bool] = {}
    for row in rows:
        same = row.objective is not None and row.greedy is not None and isclose(row.objective, row.greedy, rel_tol=1e-9)
        alike[row.variant] = alike.get(row.variant, True) and same and row.status is RunStatus.FEASIBLE
    if names := [variant for variant, same in alike.items() if same]:
        text = f"The search found nothing better than the greedy rule for {portfolio}: {', '.join(names)}"
        yield Text(clean(f"{text}; give it more time"), style=screen.STYLES["warning"])


def _fitting(widths: Mapping[str, int], width: int) -> list[str]:
    """The columns that fit into so many: all that are needed, and of the others as many as there is room for."""
    shown = list(widths)
    for name in LESS_NEEDED:
        if sum(widths[n] + GAP for n in shown) - GAP > width:
            shown.remove(name)
    return shown


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


_COLUMNS: dict[str, Callable[[Row], str]] = {
    "portfolio": lambda row: row.portfolio,
    "variant": lambda row: row.variant,
    ">seed": lambda row: str(row.seed),
    "status": lambda row: row.status,
    "best": lambda row: "*" if row.best else "",
    ">objective": lambda row: _number(row.objective),
    ">bound": lambda row: _number(row.bound),
    ">gap": lambda row: _share(row.gap),
    ">first come": lambda row: _number(row.first_come),
    ">greedy": lambda row: _number(row.greedy),
    ">flow": lambda row: _number(row.flow),
    ">seconds": lambda row: _number(row.seconds),
    "checked": _checked,
}
"""Heading to cell."""
LESS_NEEDED = ("checked", ">seconds", ">first come", ">greedy", ">bound")
"""Columns that a narrow terminal leaves out, in this order."""
