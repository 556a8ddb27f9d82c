"""What the commands that look ahead share: their options, and an answer as text, JSON or a page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from throttle.cli import options as o

if TYPE_CHECKING:
    from rich.console import Console

    from throttle.scenarios.solve import Effort
    from throttle_models import Model, Plan, Portfolio

EACH, RUNS = 1.0, 200
"""Seconds of work for each plan, and simulated runs of each, unless said."""
QUICK = 2.0
"""Seconds of work for the plan of a portfolio, unless said."""

Input = Annotated[Path, typer.Argument(metavar="[PLAN|PORTFOLIO]", help="A plan.json, or a portfolio.")]
Each = Annotated[
    float, typer.Option("--budget", metavar="TIME", parser=o.seconds, help="Seconds of work for each plan.")
]
PlanBudget = Annotated[
    float | None,
    typer.Option("--budget", metavar="TIME", parser=o.seconds, help="For the plan of a portfolio (default 2s)."),
]
Runs = Annotated[int, typer.Option("--runs", min=0, max=100_000, help="Simulated runs of each plan; 0: only planned.")]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", min=1, max=256, help="Plans at once (default: processors).")]
Engine = Annotated[
    str | None, typer.Option("--engine", metavar="URL", help="dask://host:port: the workers of that cluster.")
]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Also write a page with the picture.")]

_Answer = TypeVar("_Answer", bound="Model")


def effort(budget: float, seed: int, jobs: int | None, engine: str | None, plans: int) -> Effort:
    """How to search; never more at once than there are plans."""
    from throttle.executors import cores
    from throttle.scenarios.solve import Effort

    return Effort(budget, seed, min(jobs or cores(), max(1, plans)), engine)


def teller(quiet: bool) -> Callable[[str], None]:
    """Says what is going on, unless nobody wants to know."""
    from throttle.cli import screen

    return lambda what: None if quiet else screen.say(what, "dim")


def tell_planning(input: Path, tell: Callable[[str], None]) -> None:
    tell(f"Planning {input} for a moment; the plan is not kept (throttle plan makes one to keep).")


def quick_plan(portfolio: Portfolio, budget: float | None, seed: int, stop: threading.Event) -> Plan:
    """The plan of a portfolio that was named instead of a plan; the same each time."""
    from throttle.planning import make_plan

    return make_plan(portfolio, budget=budget or QUICK, seed=seed, deterministic=True, stop=stop)


def answer(
    work: Callable[[threading.Event], _Answer],
    show: Callable[[Console, _Answer], None],
    page: Callable[[_Answer], str],
    *,
    json: bool,
    html: Path | None,
    force: bool,
    quiet: bool,
) -> None:
    """Do the work and tell what came of it. Interrupted, it tells nothing and ends with 6."""
    from throttle.cli import output, screen
    from throttle.cli.interrupts import interrupts

    if html is not None:
        output.check_file(html, force, (".html",))
    with interrupts("Stopping (once more: end now).") as user:
        found = user.work(work)
        if html is not None and not user.stop.is_set():
            text = page(found)
            output.write_file(html, lambda path: path.write_text(text, encoding="utf-8"), force)
        user.kept()
        if user.stop.is_set():
            raise KeyboardInterrupt
    if json:
        screen.emit_json(found.model_dump_json(indent=2))
    else:
        show(screen.out(), found)
    if html is not None and not quiet:
        screen.say(f"Written: {html} (open it in a browser)")
