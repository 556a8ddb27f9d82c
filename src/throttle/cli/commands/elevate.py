from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from throttle.cli import foresee as f
from throttle.cli import options as o

if TYPE_CHECKING:
    import threading

    from throttle_models.elevate import Elevate


def elevate(
    input: f.Input = o.DEFAULT_PLAN,
    portfolio: o.PortfolioOption = None,
    menu: Annotated[
        Path | None, typer.Option("--menu", metavar="FILE", help="What options take and cost, and further ones (YAML).")
    ] = None,
    resolve: Annotated[
        int, typer.Option("--resolve", min=0, max=1000, help="Plan anew with so many options, the best in a screening.")
    ] = 12,
    budget: f.Each = f.EACH,
    seed: o.Seed = 1,
    runs: f.Runs = f.RUNS,
    jobs: f.Jobs = None,
    engine: f.Engine = None,
    html: f.Html = None,
    force: o.Force = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Say what would elevate the bottleneck: a ranked menu of options with what each saves, and what buys nothing."""
    from throttle.cli import reading
    from throttle.files import load_document
    from throttle_models.elevate import Menu

    tell = f.teller(quiet)
    known, made_from = reading.read_plan_or_portfolio(input, portfolio, None)
    asked = load_document(menu, Menu) if menu is not None else Menu()

    def work(stop: threading.Event) -> Elevate:
        from throttle.elevate import elevate  # after the files could be read: it loads the solver

        effort = f.effort(budget, seed, jobs, engine, resolve + 1)
        return elevate(made_from, known, asked, effort, resolved=resolve, runs=runs, tell=tell, stop=stop)

    from throttle.elevate.show import page_of_elevate, show_elevate

    with reading.naming(input):
        f.answer(work, show_elevate, page_of_elevate, json=json, html=html, force=force, quiet=quiet)
