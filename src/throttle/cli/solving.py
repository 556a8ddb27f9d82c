"""From a portfolio to a published plan: progress, interrupts, files, and the week on the screen."""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from throttle.cli import output, screen

if TYPE_CHECKING:
    from types import FrameType

    from throttle.solve import Progress
    from throttle_models import Plan, Portfolio

INTERRUPTED_WITH_PLAN, INTERRUPTED = 4, 6
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Search:
    """How to search for the plan."""

    budget: float
    seed: int
    workers: int
    deterministic: bool


@dataclass(frozen=True, slots=True)
class Presentation:
    """Where the plan goes and how it is shown."""

    out: Path
    no_portfolio: bool = False
    json: bool = False
    quiet: bool = False
    open: bool = False
    week: str | None = None


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
    with run.timed("plan"):
        plan, interrupted = _plan(portfolio, search, run, show.quiet, previous)
    _publish(plan, portfolio, search, show, run, interrupted)
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
    if interrupted:
        screen.say("Interrupted: this is the best plan found until then.", "yellow")
        raise typer.Exit(INTERRUPTED_WITH_PLAN)


def _plan(portfolio: Portfolio, search: Search, run: Run, quiet: bool, previous: Plan | None) -> tuple[Plan, bool]:
    from throttle.planning import make_plan

    def work(progress: Callable[[Progress], None], stop: threading.Event) -> Plan:
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

        return interruptible(lambda stop: work(progress, stop))


FIRST = "Stopping; the best plan so far is kept (once more: end now, without one)."
SECOND = "Interrupted twice: ended without a plan; nothing was written."


def interruptible(work: Callable[[threading.Event], _T], first: str = FIRST, second: str = SECOND) -> tuple[_T, bool]:
    """The result of the work, and whether the user asked it to stop early; ``first`` and ``second`` are told then.

    The work runs beside the main thread, because signals are handled there, between Python instructions, and a solver
    may be in native code for seconds. The first Ctrl-C (or a polite kill) sets the event; the second ends the process.
    """
    stop, done = threading.Event(), threading.Event()
    result: list[_T] = []
    failure: list[BaseException] = []

    def body() -> None:
        try:
            result.append(work(stop))
        except BaseException as problem:
            failure.append(problem)
        finally:
            done.set()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            screen.say(second)
            screen.flush()
            os._exit(INTERRUPTED)  # the solver's thread cannot be ended otherwise
        stop.set()
        screen.say(first, "yellow")

    with _handling(on_signal):
        threading.Thread(target=body, name="planning", daemon=True).start()
        while not done.wait(0.2):
            pass
    if failure:
        raise failure[0]
    return result[0], stop.is_set()


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _publish(plan: Plan, portfolio: Portfolio, search: Search, show: Presentation, run: Run, interrupted: bool) -> None:
    from throttle.files import save_plan
    from throttle.report import render_report

    with run.timed("report"):
        page = render_report(plan, portfolio)

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
