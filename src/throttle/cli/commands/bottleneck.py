from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from throttle.cli import foresee as f
from throttle.cli import options as o

if TYPE_CHECKING:
    from throttle_models.bottleneck import Bottleneck


def bottleneck(
    input: f.Input = o.DEFAULT_PLAN,
    portfolio: o.PortfolioOption = None,
    previous: Annotated[
        Path | None, typer.Option("--previous", metavar="PLAN", help="The plan before, for the name of the bottleneck.")
    ] = None,
    weeks: Annotated[
        float | None,
        typer.Option("--weeks", min=0.1, max=260, help="Weeks to average loads over; by default those of the plan."),
    ] = None,
    resolve: Annotated[
        float | None,
        typer.Option("--resolve", metavar="TIME", parser=o.seconds, help="Search anew with an hour more, for so long."),
    ] = None,
    budget: f.PlanBudget = None,
    seed: o.Seed = 1,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Say what limits the plan: the most loaded, the most valuable, and how long work waits for them."""
    from throttle.cli import reading, screen
    from throttle.cli.interrupts import interrupts

    with interrupts("Stopping (once more: end now).") as user:
        known, made_from = reading.read_plan_or_portfolio(input, portfolio, budget, ", or use --resolve")
        before = reading.read_plan(previous) if previous else None
        if known is None:
            f.tell_planning(input, f.teller(quiet))

        def work(stop: threading.Event) -> Bottleneck:
            from throttle.bottleneck import analyse  # after the files could be read: it loads the solver's libraries

            plan = known or f.quick_plan(made_from, budget, seed, stop)
            tell = f.teller(quiet or not resolve)
            return analyse(
                plan, made_from, weeks=weeks, previous=before, resolve=resolve, seed=seed, tell=tell, stop=stop
            )

        with reading.naming(input):
            found = user.work(work)
        user.kept()
        if user.stop.is_set():
            raise KeyboardInterrupt
    if json:
        screen.emit_json(found.model_dump_json(indent=2))
    else:
        from throttle.bottleneck.show import show_bottleneck

        show_bottleneck(screen.out(), found)
