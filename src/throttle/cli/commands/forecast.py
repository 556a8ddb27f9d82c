from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from throttle.cli import foresee as f
from throttle.cli import options as o

if TYPE_CHECKING:
    import threading

    from throttle_models.forecast import Forecast


def forecast(
    input: f.Input = o.DEFAULT_PLAN,
    portfolio: o.PortfolioOption = None,
    runs: Annotated[int, typer.Option("--runs", min=1, max=100_000, help="Times that the plan is executed.")] = 1000,
    start: Annotated[
        Literal["gained", "planned", "free"],
        typer.Option(
            "--start", help="When work may start: before the plan says in its turn, never, or whenever it can."
        ),
    ] = "gained",
    able: Annotated[bool, typer.Option("--able", help="Others who are able stand in for those who are late.")] = False,
    weeks: Annotated[
        float | None, typer.Option("--weeks", min=1, max=520, help="Longest run; by default 3 plans and 13 weeks.")
    ] = None,
    budget: f.PlanBudget = None,
    seed: o.Seed = 1,
    jobs: f.Jobs = None,
    engine: f.Engine = None,
    html: f.Html = None,
    force: o.Force = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Say when work will be done, how sure that is, where the time goes, and what moves the dates most."""
    from throttle.cli import reading

    known, made_from = reading.read_plan_or_portfolio(input, portfolio, budget)
    if known is None:
        f.tell_planning(input, f.teller(quiet))

    def work(stop: threading.Event) -> Forecast:
        from throttle import forecast as made  # after the files could be read: it loads the solver's libraries
        from throttle.executors import cores, open_executor
        from throttle.simulate import Settings

        plan = known or f.quick_plan(made_from, budget, seed, stop)
        settings = Settings(start=start, crews="able" if able else "planned", weeks=weeks)
        workers = jobs or cores()
        if engine is None:
            return made.forecast(made_from, plan, runs=runs, seed=seed, settings=settings, workers=workers, stop=stop)
        with open_executor(engine, workers) as executor:
            return made.forecast(made_from, plan, runs=runs, seed=seed, settings=settings, executor=executor, stop=stop)

    from throttle.forecast.show import page_of_forecast, show_forecast

    with reading.naming(input):
        f.answer(work, show_forecast, page_of_forecast, json=json, html=html, force=force, quiet=quiet)
