from __future__ import annotations

from pathlib import Path

from throttle.cli import options as o


def replan(
    plan: o.PlanFile,
    inputs: o.Inputs,
    team: o.TeamOption = None,
    learned: o.LearnedOption = None,
    map: o.MapOption = None,
    zone: o.ZoneOption = None,
    date_order: o.DateOrderOption = None,
    encoding: o.EncodingOption = None,
    pseudonyms: o.PseudonymsOption = None,
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
) -> None:
    """Plan again from a newer portfolio or export: progress is updated, and what is left is planned anew."""
    from throttle.cli import output, reading, screen
    from throttle.cli.solving import Presentation, Run, Search, plan_and_show

    output.check_folder(out)
    run = Run()
    with run.timed("read"):
        previous = reading.read_plan(plan)
        how = reading.ReadHow(team, map, zone, date_order, encoding, learned=learned, pseudonyms=pseudonyms)
        newer, ingested = reading.read(inputs, how, previous.portfolio)
    if ingested is not None:
        if pseudonyms is not None:
            reading.save_pseudonyms(ingested, pseudonyms)
        reading.show_summary(ingested, quiet)
    from throttle.replan import advance

    with reading.naming(*inputs, team):
        team_file = reading.team_of(how, ingested)
        onto, stated = (ingested.onto, ingested.stated) if ingested is not None else (None, None)
        portfolio, findings = advance(previous, newer, team=team_file, onto=onto, stated=stated)
    screen.show_findings(findings, most=20, least="warning" if quiet else "info")
    show = Presentation(out, no_portfolio, json, quiet, open, week)
    with reading.naming(*inputs, team):
        plan_and_show(portfolio, Search(budget, seed, workers, deterministic), show, run, previous)
