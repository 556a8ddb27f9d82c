from __future__ import annotations

from pathlib import Path

from throttle.cli import options as o


def demo(
    out: o.OutFolder = Path("out/demo"),
    budget: o.Budget = 20.0,
    seed: o.Seed = 1,
    workers: o.Workers = 2,
    deterministic: o.Deterministic = False,
    week: o.WeekOption = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
    open: o.OpenReport = False,
) -> None:
    """Plan the example organisation: some sixty people, their projects, and one engineer whom everything needs."""
    from throttle.cli import output
    from throttle.cli.solving import Presentation, Run, Search, plan_and_show
    from throttle.demo import demo_folder
    from throttle.files import load_portfolio

    output.check_folder(out)
    run = Run()
    with run.timed("read"):
        portfolio = load_portfolio(demo_folder())
    show = Presentation(out, json=json, quiet=quiet, open=open, week=week, ahead=True)
    plan_and_show(portfolio, Search(budget, seed, workers, deterministic), show, run)
