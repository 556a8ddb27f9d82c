from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from throttle.cli import foresee as f
from throttle.cli import options as o

if TYPE_CHECKING:
    import threading

    from throttle_models.feedback import Feedback, Proposal


def feedback(
    now: Annotated[
        Path,
        typer.Argument(metavar="PORTFOLIO|PLAN", help="What happened: the portfolio as it is now, or a plan of it."),
    ],
    plans: Annotated[list[Path], typer.Argument(metavar="PLAN...", help="Earlier plans.")],
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept", metavar="NAME", help="Write this proposal into the portfolio; several: give it again."
        ),
    ] = None,
    runs: Annotated[
        int, typer.Option("--runs", min=0, max=100_000, help="Simulated runs of each plan; 0: only its dates.")
    ] = 200,
    seed: o.Seed = 1,
    html: f.Html = None,
    force: o.Force = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Hold earlier plans against what happened: forecasts, estimates, buffers, the reserve, and what to change."""
    from throttle.cli import reading
    from throttle.errors import InputError
    from throttle_models import Finding

    tell = f.teller(quiet)
    current, actual = reading.read_plan_or_portfolio(now, None, None)
    earlier = [reading.read_plan(plan) for plan in plans]
    if accept and current is not None:
        message = f"{now} is a plan: name the portfolio to change, or leave out --accept."
        raise InputError([Finding(level="error", code="option-without-effect", message=message, file=str(now))])

    def work(_stop: threading.Event) -> Feedback:
        from throttle.feedback import feedback  # after the files could be read: it loads the solver

        return feedback(actual, earlier, current=current, runs=runs, seed=seed, tell=tell)

    from throttle.feedback.show import page_of_feedback, show_feedback

    told: list[Feedback] = []

    def kept(stop: threading.Event) -> Feedback:
        told.append(work(stop))
        return told[0]

    with reading.naming(now):
        f.answer(kept, show_feedback, page_of_feedback, json=json, html=html, force=force, quiet=quiet)
        if accept:
            _write(now, accept, {one.name: one for one in told[0].proposals})
            tell(f"Written: {now} ({', '.join(accept)})")


def _write(portfolio: Path, names: list[str], proposals: dict[str, Proposal]) -> None:
    """Raises InputError where there is no such proposal, or the portfolio says nothing yet that it could replace."""
    from throttle.errors import InputError
    from throttle.files import edit_portfolio
    from throttle_models import Finding

    if missing := [name for name in names if name not in proposals]:
        known = ", ".join(proposals) or "none"
        message = f"there is no proposal {missing[0]}; there are: {known}"
        raise InputError([Finding(level="error", code="no-proposal", message=message)])
    edit_portfolio(portfolio, {proposals[name].path: proposals[name].value for name in names})
