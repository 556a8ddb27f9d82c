"""From a portfolio to a published plan: progress, files, and the week on the screen."""

from __future__ import annotations

import json
import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from throttle.cli import output, screen
from throttle.cli.interrupts import INTERRUPTED_WITH_PLAN, Interrupts, interrupts

if TYPE_CHECKING:
    from throttle.report.foreseen import Answer
    from throttle.solve import Progress
    from throttle_models import Plan, Portfolio


@dataclass(frozen=True, slots=True)
class Search:
    """How to search for the plan."""

    budget: float
    seed: int
    workers: int
    deterministic: bool
    server: str | None = None
    """Address of a service to search instead."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """Where the plan goes and how it is shown."""

    out: Path
    no_portfolio: bool = False
    json: bool = False
    quiet: bool = False
    open: bool = False
    week: str | None = None
    ahead: bool = False
    """Whether the report has what can be foreseen within seconds."""


@dataclass(slots=True)
class Run:
    """Facts of this run that do not belong in a plan: when, where, how long."""

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: dict[str, float] = field(default_factory=dict)
    trace: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        before = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = round(time.perf_counter() - before, 3)


def plan_and_show(
    portfolio: Portfolio, search: Search, show: Presentation, run: Run, previous: Plan | None = None
) -> None:
    """Plan, write the folder, print the week. Raises InputError, NoPlanError, VerificationError; exits 4 or 6."""
    output.check_folder(show.out)
    with interrupts() as user:
        with run.timed("plan"):
            plan = _plan(portfolio, search, run, show.quiet, previous, user)
        answers = _foreseen(plan, portfolio, search, show, run, user) if show.ahead else ()
        _publish(plan, portfolio, answers, search, show, run, user.stop.is_set())
        user.kept()
        with suppress(KeyboardInterrupt):  # whose exit code is below
            _show(plan, portfolio, show)
        if user.stop.is_set():
            screen.say("Interrupted: this is the best plan found until then.", "yellow")
    if user.stop.is_set():
        raise typer.Exit(INTERRUPTED_WITH_PLAN)


def _show(plan: Plan, portfolio: Portfolio, show: Presentation) -> None:
    try:
        if show.json:
            screen.emit_json((show.out / output.PLAN).read_text(encoding="utf-8"))
        else:
            from throttle.terminal import show_plan

            show_plan(screen.out(), plan, portfolio, show.week)
    finally:  # also where it cannot be printed
        if not show.quiet:
            screen.say(f"Written: {show.out / output.PLAN}, {show.out / output.REPORT} (open it in a browser)")
    if show.open:
        typer.launch((show.out / output.REPORT).resolve().as_uri())


def _plan(portfolio: Portfolio, search: Search, run: Run, quiet: bool, previous: Plan | None, user: Interrupts) -> Plan:
    from throttle.planning import make_plan

    def work(progress: Callable[[Progress], None], stop: threading.Event) -> Plan:
        if search.server is not None:
            from throttle.cli.remote import plan_on_server

            return plan_on_server(portfolio, search, search.server, progress, stop)
        return make_plan(
            portfolio,
            budget=search.budget,
            seed=search.seed,
            workers=search.workers,
            deterministic=search.deterministic,
            previous=previous,
            progress=progress,
            stop=stop,
        )

    with screen.progress_line(quiet) as line:

        def progress(now: Progress) -> None:
            run.trace.append(
                {"seconds": round(now.seconds, 3), "phase": now.phase, "incumbent": now.incumbent, "bound": now.bound}
            )
            line(now)

        return user.work(lambda stop: work(progress, stop))


def _foreseen(
    plan: Plan, portfolio: Portfolio, search: Search, show: Presentation, run: Run, user: Interrupts
) -> tuple[Answer, ...]:
    from throttle.report.brief import foresee_briefly

    def tell(what: str) -> None:
        if not show.quiet:
            screen.say(f"Looking ahead: {what}.", "dim")

    with run.timed("look ahead"):
        return user.work(
            lambda stop: foresee_briefly(
                plan, portfolio, seed=search.seed, workers=search.workers, tell=tell, stop=stop
            )
        )


def _publish(
    plan: Plan,
    portfolio: Portfolio,
    answers: tuple[Answer, ...],
    search: Search,
    show: Presentation,
    run: Run,
    interrupted: bool,
) -> None:
    from throttle.files import save_plan
    from throttle.report import render_report

    with run.timed("report"):
        page = render_report(plan, portfolio, answers)

    kept = plan.model_copy(update={"portfolio": None}) if show.no_portfolio else plan

    def write_run(path: Path) -> None:
        path.write_text(json.dumps(_facts(search, run, interrupted), indent=1) + "\n", encoding="utf-8")

    output.publish(
        show.out,
        {
            output.PLAN: lambda path: save_plan(kept, path),
            output.REPORT: lambda path: path.write_text(page, encoding="utf-8"),
            output.RUN: write_run,
        },
    )


def _facts(search: Search, run: Run, interrupted: bool) -> dict[str, Any]:
    from throttle import __version__

    return {
        "throttle": __version__,
        "kind": "run",
        "started": run.started.isoformat(timespec="seconds"),
        "interrupted": interrupted,
        "budget_seconds": search.budget,
        "seed": search.seed,
        "workers": search.workers,
        "deterministic": search.deterministic,
        "seconds": run.seconds,
        "progress": run.trace,
        "host": {
            "system": platform.system(),
            "machine": platform.machine(),
            "processors": os.cpu_count(),
            "python": platform.python_version(),
        },
        "peak_memory_mb": _peak_memory(),
    }


def _peak_memory() -> float | None:
    """Largest resident size of this process so far; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
