from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from throttle.cli import foresee as f
from throttle.cli import options as o

if TYPE_CHECKING:
    import threading

    from throttle_models.scenario import Scenario, WhatIf


def what_if(
    input: Annotated[Path, typer.Argument(metavar="PLAN|PORTFOLIO", help="A plan.json, or a portfolio.")],
    scenarios: Annotated[list[Path], typer.Argument(metavar="SCENARIOS...", help="Files of scenarios (YAML).")],
    portfolio: o.PortfolioOption = None,
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
    """Plan and simulate a portfolio with changes, side by side: costs, dates, and how sure the difference is."""
    from throttle.cli import reading

    tell = f.teller(quiet)
    known, made_from = reading.read_plan_or_portfolio(input, portfolio, None)
    asked = _read(scenarios)

    def work(stop: threading.Event) -> WhatIf:
        from throttle.scenarios import what_if  # after the files could be read: it loads the solver

        effort = f.effort(budget, seed, jobs, engine, len(asked) + 1)
        return what_if(made_from, asked, effort, runs=runs, start=known, tell=tell, stop=stop)[0]

    from throttle.scenarios.show import page_of_what_if, show_what_if

    f.answer(work, show_what_if, page_of_what_if, json=json, html=html, force=force, quiet=quiet)


def _read(files: list[Path]) -> dict[str, Scenario]:
    """The scenarios of all files. Raises InputError where two have the same name."""
    from throttle.cli import reading
    from throttle.errors import InputError
    from throttle.files import load_document
    from throttle_models import Finding
    from throttle_models.scenario import Scenarios

    reading.need_files(files)
    found: dict[str, Scenario] = {}
    for file in files:
        for name, scenario in load_document(file, Scenarios).scenarios.items():
            if name in found:
                message = f"{file}: the scenario {name} is in another file too: give it another name"
                raise InputError([Finding(level="error", code="named-twice", message=message, file=str(file))])
            found[name] = scenario
    return found
