from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from throttle.cli import foresee as f
from throttle.cli import options as o

if TYPE_CHECKING:
    import threading

    from throttle_models.reliance import Reliance

EACH = 0.5


def reliance(
    input: f.Input = o.DEFAULT_PLAN,
    portfolio: o.PortfolioOption = None,
    person: Annotated[
        list[str] | None, typer.Option("--person", metavar="ID", help="Only absences of these; several: give it again.")
    ] = None,
    weeks: Annotated[
        float, typer.Option("--weeks", min=0, max=520, help="How long what nobody can do is charged for.")
    ] = 13.0,
    trainings: Annotated[int, typer.Option("--trainings", min=0, max=100, help="Most trainings to try.")] = 6,
    budget: f.Each = EACH,
    seed: o.Seed = 1,
    jobs: f.Jobs = None,
    engine: f.Engine = None,
    html: f.Html = None,
    force: o.Force = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Say on whom the plan leans: who alone holds what, what each absence costs, and which training helps most."""
    from throttle.cli import reading
    from throttle.errors import InputError
    from throttle_models import Finding

    tell = f.teller(quiet)
    known, made_from = reading.read_plan_or_portfolio(input, portfolio, None)
    if unknown := [p for p in person or () if p not in made_from.people]:
        message = f"there is no {unknown[0]} among the people of {input}; check the name"
        raise InputError([Finding(level="error", code="unknown-person", message=message, file=str(input))])

    def work(stop: threading.Event) -> Reliance:
        from throttle.reliance import reliance  # after the files could be read: it loads the solver

        effort = f.effort(budget, seed, jobs, engine, 2 * len(person or made_from.people))
        return reliance(
            made_from, known, effort, weeks=weeks, people=person or (), trainings=trainings, tell=tell, stop=stop
        )

    from throttle.reliance.show import page_of_reliance, show_reliance

    with reading.naming(input):
        f.answer(work, show_reliance, page_of_reliance, json=json, html=html, force=force, quiet=quiet)
