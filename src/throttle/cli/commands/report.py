from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from throttle.cli import options as o


def report(
    input: Annotated[Path, typer.Argument(metavar="[PLAN]", help="A plan.json.")] = o.DEFAULT_PLAN,
    portfolio: o.PortfolioOption = None,
    with_: Annotated[
        list[Path] | None,
        typer.Option(
            "--with",
            metavar="FILE",
            help="What forecast, curve, elevate or reliance said of it with --json; several: give it again.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The page to write.")] = Path(
        "out/report.html"
    ),
    force: o.Force = False,
    quiet: o.Quiet = False,
) -> None:
    """Write the report of a plan as one HTML page, with pictures of what was foreseen about it."""
    from throttle.cli import output, reading, screen

    output.check_file(out, force, (".html",))
    plan, made_from = reading.read_plan_with_portfolio(input, portfolio)
    reading.need_files(with_ or [])
    from throttle.report import render_report
    from throttle.report.foreseen import load_answers, other_plan

    answers = load_answers(with_ or [])
    with reading.naming(input):
        page = render_report(plan, made_from, answers)
    if not quiet:
        for doubt in filter(None, (other_plan(plan, answer) for answer in answers)):
            screen.say(doubt, "yellow")
    output.write_file(out, lambda path: path.write_text(page, encoding="utf-8"), force)
    if not quiet:
        screen.say(f"Written: {out} (open it in a browser)")
