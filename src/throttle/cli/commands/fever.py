from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from throttle.cli import options as o


def fever(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan.json.")],
    previous: Annotated[Path, typer.Argument(metavar="PREVIOUS", help="An earlier one, with buffers.")],
    json: o.Json = False,
) -> None:
    """Say how far each project is, and how much of its buffer that has taken since an earlier plan."""
    from throttle.cli import reading, screen

    made, made_from = reading.read_plan_with_portfolio(plan, None)
    before = reading.read_plan(previous)
    from throttle.buffers.fever import fever_of
    from throttle.buffers.show import show_fever
    from throttle.errors import InputError
    from throttle_models import Finding

    if before.as_of > made.as_of:
        message = f"{previous} is newer than {plan}: name the newer plan first."
        raise InputError([Finding(level="error", code="order-of-plans", message=message)])
    with reading.naming(plan, previous):
        found = fever_of(made, made_from, before)
    if found is None:
        message = f"{previous} has no project with a buffer: set policy.buffers in its portfolio, and plan again."
        raise InputError([Finding(level="error", code="no-buffers", message=message)])
    if json:
        screen.emit_json(found.model_dump_json(indent=2))
    else:
        show_fever(screen.out(), found, made.zone)
