from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from throttle.cli import options as o


def export(
    plan: Annotated[Path, typer.Argument(metavar="[PLAN]", help="A plan.json.")] = o.DEFAULT_PLAN,
    format: Annotated[str, typer.Option("--format", "-f", metavar="NAME", help="csv, ics or json.")] = "csv",
    portfolio: o.PortfolioOption = None,
    person: Annotated[
        str | None, typer.Option("--person", metavar="ID|NAME", help="Only what this person works on.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The file to write; default: standard output.")
    ] = None,
    force: o.Force = False,
) -> None:
    """Write a plan for other programs: csv (a row for each person, item and day), ics (calendars), json."""
    from throttle.cli import output, reading, screen
    from throttle.exports import EXPORTERS

    if format not in EXPORTERS:
        raise typer.BadParameter(f"{format!r} is not a format: choose {', '.join(EXPORTERS)}")
    if out is not None:
        output.check_file(out, force)
    made, made_from = reading.read_plan_with_portfolio(plan, portfolio)
    with reading.naming(plan):
        data = EXPORTERS[format](made, made_from, person=person)
    if out is None:
        screen.emit(data)
    else:
        output.write_file(out, lambda path: path.write_text(data, encoding="utf-8", newline=""), force)
        screen.say(f"Written: {out}")
