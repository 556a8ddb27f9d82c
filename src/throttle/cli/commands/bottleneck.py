from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from throttle.cli import options as o

if TYPE_CHECKING:
    from throttle_models import Plan, Portfolio
    from throttle_models.bottleneck import Bottleneck

QUICK = 2.0
"""Seconds of work for the plan of a portfolio, unless said."""


def bottleneck(
    input: Annotated[Path, typer.Argument(metavar="[PLAN|PORTFOLIO]", help="A plan.json, or a portfolio.")] = (
        o.DEFAULT_PLAN
    ),
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
    budget: Annotated[
        float | None,
        typer.Option("--budget", metavar="TIME", parser=o.seconds, help="For the plan of a portfolio (default 2s)."),
    ] = None,
    seed: o.Seed = 1,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Say what limits the plan: the most loaded, the most valuable, and how long work waits for them."""
    from throttle.cli import reading, screen
    from throttle.cli.interrupts import interrupts

    def tell(what: str) -> None:
        if not quiet and resolve:
            screen.say(what, "dim")

    with interrupts("Stopping (once more: end now).") as user:
        known, made_from = _read(input, portfolio, budget)
        before = reading.read_plan(previous) if previous else None
        if known is None and not quiet:
            screen.say(f"Planning {input} for a moment; the plan is not kept (throttle plan makes one to keep).", "dim")

        def work(stop: threading.Event) -> Bottleneck:
            from throttle.bottleneck import analyse  # after the files could be read: it loads the solver's libraries
            from throttle.planning import make_plan

            plan = known or make_plan(made_from, budget=budget or QUICK, seed=seed, deterministic=True, stop=stop)
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


def _read(input: Path, portfolio: Path | None, budget: float | None) -> tuple[Plan | None, Portfolio]:
    """The plan named and its portfolio, or only the portfolio named. Raises InputError."""
    from throttle.cli import reading
    from throttle.errors import InputError
    from throttle_models import Finding

    def refuse(message: str) -> InputError:
        return InputError([Finding(level="error", code="option-without-effect", message=message)])

    is_plan = input.suffix == ".json" and not input.exists()  # whose absence is told with its remedy
    if not is_plan:
        reading.need_files([input])
        is_plan = reading.kind_of(input) in ("plan", "run")
    if not is_plan:
        if portfolio is not None:
            raise refuse(f"{input} is a portfolio, so --portfolio has no effect: leave it out, or name a plan first.")
        return None, reading.read([input], reading.ReadHow())[0]
    if budget is not None:
        raise refuse(f"{input} is a plan already, so --budget has no effect: leave it out, or use --resolve.")
    return reading.read_plan_with_portfolio(input, portfolio)
