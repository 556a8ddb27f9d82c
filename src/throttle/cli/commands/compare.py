from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from throttle.cli import options as o


def compare(
    a: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan.json.")],
    b: Annotated[Path, typer.Argument(metavar="OTHER", help="Another, usually the newer.")],
    json: o.Json = False,
) -> None:
    """Say what is different between two plans: cost, dates, moved starts and why, hours, releases and holds."""
    from throttle.cli import reading, screen

    first, second = reading.read_plan(a), reading.read_plan(b)
    from throttle.compare import compare, show_comparison  # after the plans could be read: it may load the solver's

    with reading.naming(a, b):
        found = compare(first, second)
    if json:
        screen.emit_json(found.model_dump_json(indent=2))
    else:
        show_comparison(screen.out(), found)
