"""One synthetic portfolio of any size through the path of the product, with the time of each part and the memory.

    python -m benchmarks.scale ITEMS PEOPLE --budget 60 [--seed 1] [--workers 2] [--goal tardiness|flow] [--calendars]

A JSON line for each report of progress (seconds since the program began to make the portfolio; objective and bound of
the plan so far; memory_mb, the most that the process has held), and a last one (``final``) with the verdict of the
checker and the seconds of each part: generate, compile, first_plan (from compiled arrays to the first report of a
schedule), solve (all of the search), check_arrays (the fast checker on the best schedule), lift, check (the independent
checker on the plan) and write. Exit code 1 if the plan did not pass. Kernels are made ready
before any of it (not with ``--cold``).

Usual sizes: 100 items for 10 people, 1,000 for 40, 10,000 for 200, 100,000 for 200.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.options import add_search, whole
from benchmarks.portfolios import LEAST_ITEMS, LEAST_PEOPLE
from benchmarks.variants import portfolio
from benchmarks.warm import warm_up
from benchmarks.watch import Watch, memory_mb

from throttle.check.fast import check_schedule
from throttle.errors import NoPlanError, ThrottleError, VerificationError
from throttle.files import save_plan
from throttle.planning import solve_portfolio, verified_plan
from throttle.solve import Progress, Settings
from throttle_models import Finding

Row = dict[str, Any]


def run(
    items: int,
    people: int,
    budget: float,
    seed: int,
    workers: int,
    goal: str,
    calendars: bool,
    show: Callable[[Row], None],
) -> Row:
    """Show each report of progress, and return the last row. Raises ThrottleError where there is no plan."""
    watch = Watch()
    made = portfolio(items, people, seed, goal, calendars)
    generated = watch.seconds
    last: Row = {"objective": None, "bound": None}

    def line(phase: str) -> None:
        watch.phases.setdefault(phase, watch.seconds)
        show({"seconds": watch.seconds, **last, "memory_mb": memory_mb(), "phase": phase})

    def told(progress: Progress) -> None:
        watch(progress)
        last.update(objective=progress.incumbent, bound=progress.bound)
        line(progress.phase)

    settings = Settings(budget=budget, seed=seed, workers=workers)
    compiled, solution = solve_portfolio(made, settings, progress=told)
    solved = watch.seconds
    if solution.best is None:
        raise NoPlanError([Finding(level="error", code="no-plan-found", message="found no plan")])
    broken = check_schedule(compiled.instance, solution.best)
    checked = watch.seconds
    plan = verified_plan(compiled, solution, settings, phase=line)
    planned = watch.seconds
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        save_plan(plan, path)
        written, size = watch.seconds, path.stat().st_size
    compiled_at, first = min(watch.phases.values()), solved if watch.first is None else watch.first
    parts = {
        "generate": generated,
        "compile": compiled_at - generated,
        "first_plan": first - compiled_at,
        "solve": solved - compiled_at,
        "check_arrays": checked - solved,
        "lift": watch.phases["check"] - watch.phases["lift"],
        "check": planned - watch.phases["check"],
        "write": written - planned,
    }
    certificate = plan.certificate
    return {
        "final": True,
        "seconds": watch.seconds,
        "objective": certificate.objective.value,
        "bound": certificate.objective.bound,
        "gap_percent": round(100 * certificate.objective.gap, 2),
        "flow": certificate.flow.value,
        "flow_bound": certificate.flow.bound,
        "flow_gap_percent": round(100 * certificate.flow.gap, 2),
        "status": str(certificate.status),
        "verified": certificate.checked and not certificate.violations and not broken,
        "items": certificate.items,
        "unscheduled": certificate.unscheduled,
        "first_seconds": first,
        "best_seconds": solved if watch.best is None else watch.best,
        "memory_mb": memory_mb(),
        "file_mb": round(size / 1e6, 1),
        "parts": {name: round(seconds, 3) for name, seconds in parts.items()},
        "method": certificate.method,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("items", type=whole(LEAST_ITEMS), metavar="ITEMS", help=f"{LEAST_ITEMS} or more")
    parser.add_argument("people", type=whole(LEAST_PEOPLE), metavar="PEOPLE", help=f"{LEAST_PEOPLE} or more")
    add_search(parser, 60.0, "of the portfolio and of the solver")
    parser.add_argument("--goal", choices=("tardiness", "flow"), default="tardiness")
    parser.add_argument("--calendars", action="store_true", help="hours, holidays, zones and absences")
    given = parser.parse_args(arguments)
    if not given.cold:
        warm_up(given.workers)
    began = time.perf_counter()

    def show(row: Row) -> None:
        print(json.dumps(row), flush=True)

    try:
        row = run(
            given.items,
            given.people,
            given.budget,
            given.seed,
            given.workers,
            given.goal,
            given.calendars,
            show,
        )
    except ThrottleError as error:
        wrong = isinstance(error, VerificationError)
        row = {"final": True, "seconds": round(time.perf_counter() - began, 3), "objective": None, "bound": None}
        row |= {"status": "wrong" if wrong else "error", "verified": False, "memory_mb": memory_mb()}
        row["message"] = str(error)[:1000]
    asked = {
        name: getattr(given, name) for name in ("items", "people", "budget", "seed", "workers", "goal", "calendars")
    }
    show(row | {"asked": asked})
    return 0 if row["verified"] else 1


if __name__ == "__main__":
    sys.exit(main())
