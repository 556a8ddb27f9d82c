from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from throttle.cli import options as o

if TYPE_CHECKING:
    import threading

    from throttle_models import Price

SEARCH = 2.0


def price(
    plan: Annotated[Path, typer.Argument(metavar="[PLAN]", help="A plan.json.")] = o.DEFAULT_PLAN,
    first: Annotated[str, typer.Option("--first", metavar="ID", help="The project or item to put first.")] = ...,  # type: ignore[assignment]
    portfolio: o.PortfolioOption = None,
    budget: Annotated[
        float, typer.Option("--budget", metavar="TIME", parser=o.seconds, help="To search for the plan with it first.")
    ] = SEARCH,
    seed: o.Seed = 1,
    json: o.Json = False,
) -> None:
    """Say what putting one project or item first costs all the others, in the portfolio's own unit."""
    from throttle.cli import reading, screen
    from throttle.cli.interrupts import interrupts

    with interrupts("Stopping (once more: end now).") as user:
        made, made_from = reading.read_plan_with_portfolio(plan, portfolio)

        def work(_stop: threading.Event) -> Price:
            from throttle.explain.price import price  # after the plan could be read: it loads the solver's libraries

            return price(made.model_copy(update={"portfolio": made_from}), first, budget, seed)

        with reading.naming(plan):
            found = user.work(work)
        user.kept()
    if json:
        screen.emit_json(found.model_dump_json(indent=2))
    else:
        for line in found.text:
            screen.emit_line(line)
