from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from throttle.cli import options as o


def why(
    item: Annotated[str, typer.Argument(metavar="ID", help="A work item or project of the plan.")],
    plan: Annotated[Path, typer.Argument(metavar="[PLAN]", help="A plan.json.")] = o.DEFAULT_PLAN,
    portfolio: o.PortfolioOption = None,
    full: Annotated[
        float | None,
        typer.Option("--full", metavar="TIME", parser=o.seconds, help="Search anew with the cheapest repair."),
    ] = None,
    json: o.Json = False,
) -> None:
    """Say why an item is planned when it is, or not at all: each reason checked, with what could be done."""
    from throttle.cli import reading, screen

    made, made_from = reading.read_plan_with_portfolio(plan, portfolio)
    from throttle.why import explain  # after the plan could be read: it loads the solver's libraries

    with reading.naming(plan):
        explanation = explain(made.model_copy(update={"portfolio": made_from}), item, full)
    if json:
        screen.emit_json(explanation.model_dump_json(indent=2))
    else:
        for line in explanation.text:
            screen.emit_line(line)
