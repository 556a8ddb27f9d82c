from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated

import typer

from throttle.cli import foresee as f
from throttle.cli import options as o

if TYPE_CHECKING:
    from throttle_models.changes import ChangeCalendar

EACH = 0.5
"""For the plan with batches of one size."""
MOST_ITEMS = 2_000
"""Above so many, batches are planned only when asked for."""


def sizes(text: str) -> tuple[int, ...]:
    """``1,2,4`` as numbers of changes."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 0 < int(part) <= 1000 for part in parts):
        raise typer.BadParameter(f"{text!r:.40} are no sizes of batches: write numbers such as 1,2,4")
    return tuple(sorted({int(part) for part in parts}))


def changes(
    input: f.Input = o.DEFAULT_PLAN,
    portfolio: o.PortfolioOption = None,
    each: Annotated[
        float | None,
        typer.Option("--each", min=0, metavar="MONEY", help="What using one occurrence of a window costs."),
    ] = None,
    hour: Annotated[
        float, typer.Option("--hour", min=0, metavar="MONEY", help="What an hour of a window's overhead costs.")
    ] = 0.0,
    together: Annotated[
        float,
        typer.Option("--together", min=0, metavar="MONEY", help="What each pair of changes in one batch adds."),
    ] = 0.0,
    batches: Annotated[
        str | None,
        typer.Option("--batches", metavar="SIZES", help="Plan with batches of these sizes: 1,2,4."),
    ] = None,
    resolve: Annotated[
        float | None,
        typer.Option("--resolve", metavar="TIME", parser=o.seconds, help="For each size of batch (default 0.5s)."),
    ] = None,
    budget: f.PlanBudget = None,
    seed: o.Seed = 1,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Show the change calendar of a plan, and how large batches of changes should be."""
    from throttle.cli import reading, screen
    from throttle.cli.interrupts import interrupts

    asked_sizes = sizes(batches) if batches is not None else None

    tell = f.teller(quiet)
    with interrupts("Stopping (once more: end now).") as user:
        known, made_from = reading.read_plan_or_portfolio(input, portfolio, budget)
        if known is None:
            f.tell_planning(input, tell)

        def work(stop: threading.Event) -> ChangeCalendar:
            from throttle.changes import change_calendar  # after the files could be read: it loads the solver
            from throttle.changes.curve import Prices, batch_curve
            from throttle.solve import Settings

            plan = known or f.quick_plan(made_from, budget, seed, stop)
            asked = resolve is not None or asked_sizes is not None or len(made_from.work) <= MOST_ITEMS
            settings = Settings(budget=resolve or EACH, seed=seed) if asked else None
            prices = Prices(overhead=each, hour=hour, failing=together)
            curves = (
                batch_curve(plan, made_from, window, prices, asked_sizes, settings, tell, stop)
                for window in made_from.windows
            )
            return change_calendar(plan, made_from, [curve for curve in curves if curve is not None])

        with reading.naming(input):
            found = user.work(work)
        user.kept()
        if user.stop.is_set():
            raise KeyboardInterrupt
    if json:
        screen.emit_json(found.model_dump_json(indent=2))
    else:
        from throttle.changes.show import show_changes

        show_changes(screen.out(), found)
