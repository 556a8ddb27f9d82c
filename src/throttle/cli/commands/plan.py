from __future__ import annotations

from pathlib import Path

from throttle.cli import options as o


def plan(
    inputs: o.Inputs,
    team: o.TeamOption = None,
    learned: o.LearnedOption = None,
    map: o.MapOption = None,
    zone: o.ZoneOption = None,
    date_order: o.DateOrderOption = None,
    encoding: o.EncodingOption = None,
    budget: o.Budget = 10.0,
    seed: o.Seed = 1,
    workers: o.Workers = 2,
    deterministic: o.Deterministic = False,
    out: o.OutFolder = Path("out/plan"),
    no_portfolio: o.NoPortfolio = False,
    week: o.WeekOption = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
    open: o.OpenReport = False,
    server: o.Server = None,
) -> None:
    """Compute a verified plan from a portfolio or from ticket exports, and print this week of it."""
    from throttle.cli import output, reading
    from throttle.cli.solving import Presentation, Run, Search, plan_and_show

    output.check_folder(out)
    run = Run()
    with run.timed("read"):
        how = reading.ReadHow(team, map, zone, date_order, encoding, learned=learned)
        portfolio, ingested = reading.read(inputs, how)
    if ingested is not None:
        reading.show_summary(ingested, quiet)
    show = Presentation(out, no_portfolio, json, quiet, open, week)
    with reading.naming(*inputs, team):
        plan_and_show(portfolio, Search(budget, seed, workers, deterministic, server), show, run)
