from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from throttle.cli import foresee as f
from throttle.cli import options as o

if TYPE_CHECKING:
    import threading

    from throttle_models.curve import Curve


def numbers(text: str) -> tuple[float, ...]:
    """``1,2,4`` as limits."""
    try:
        found = tuple(sorted({float(part) for part in text.split(",")}))
        if found[0] > 0 and found[-1] <= 1e6:
            return found
    except ValueError:
        pass
    raise typer.BadParameter(f"{text!r:.40} are no limits: write numbers above 0 such as 1,2,4")


def curve(
    input: f.Input = o.DEFAULT_PLAN,
    portfolio: o.PortfolioOption = None,
    limits: Annotated[
        str | None, typer.Option("--limits", metavar="NUMBERS", help="Projects in process to try: 1,2,3,5.")
    ] = None,
    ropes: Annotated[
        str | None, typer.Option("--ropes", metavar="HOURS", help="Hours of rope to try: 16,24,40.")
    ] = None,
    budget: f.Each = f.EACH,
    seed: o.Seed = 1,
    runs: Annotated[int, typer.Option("--runs", min=4, max=100_000, help="Most simulated runs of each limit.")] = 400,
    html: f.Html = None,
    force: o.Force = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Say how much to let in at once: cost of delay, lead time and throughput by limit, and the limit recommended."""
    from throttle.cli import reading

    tried, lengths = (numbers(text) if text is not None else () for text in (limits, ropes))
    if any(limit != int(limit) for limit in tried):
        raise typer.BadParameter(f"{limits!r:.40}: projects in process are whole numbers")

    tell = f.teller(quiet)
    known, made_from = reading.read_plan_or_portfolio(input, portfolio, None)

    def work(stop: threading.Event) -> Curve:
        from throttle.curve import throttle_curve  # after the files could be read: it loads the solver
        from throttle.scenarios.solve import Effort

        whole = tuple(int(limit) for limit in tried)
        effort = Effort(budget, seed)
        return throttle_curve(made_from, known, effort, runs=runs, limits=whole, ropes=lengths, tell=tell, stop=stop)

    from throttle.curve.show import page_of_curve, show_curve

    with reading.naming(input):
        f.answer(work, show_curve, page_of_curve, json=json, html=html, force=force, quiet=quiet)
