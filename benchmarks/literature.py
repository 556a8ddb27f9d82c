"""Instances of the scheduling literature, each through the path of the product: read, compile, solve, lift, check.

    python -m benchmarks.literature FOLDER --budget 10s --workers 2 --seed 1 [--sample N] [--limit 10m] [--cold]

FOLDER and its sub-folders have the instances, or it is one (benchmarks/readers names the formats). ``best_known.csv``
in the folder of an instance or above it (columns instance, lower_bound, upper_bound) is what the objectives are
compared with. One JSON object a line, the last one a summary; exit code 1 if an instance failed or a plan did not
pass the checker.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from types import FrameType
from typing import Any

from benchmarks.instances import Known, instances, known, strangers
from benchmarks.options import add_search, seconds, whole
from benchmarks.readers import comparable, read
from benchmarks.warm import warm_up
from benchmarks.watch import Watch

from throttle.errors import InputError, ThrottleError, VerificationError
from throttle.planning import make_plan

Row = dict[str, Any]

TOLERANCE = 1e-6
LIMIT = 600.0
"""Seconds for an instance, or ten times the budget where that is more, after which the run goes on to the next."""
NAMED = 3
"""So many names that fit no instance are told as examples."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as a shell has it."""


@contextmanager
def at_most(limit: float) -> Iterator[None]:
    """Raises TimeoutError in what runs here, once so many seconds are over; in the main thread only."""

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"given up after {limit:g} s (--limit)")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run(path: Path, of_it: Known, budget: float, workers: int, seed: int, limit: float = LIMIT) -> Row:
    """One instance. What goes wrong is in the row (status ``error`` and a message), never raised.

    seconds: all of it, from the file to the verdict; first_seconds, best_seconds: when the first and the best plan were
    reported, on the same clock. gap_percent is to the best known, bound_gap_percent to the own proved bound.
    """
    row: Row = {
        "instance": path.stem,
        "status": "error",
        "objective": None,
        "bound": None,
        "best_known": of_it.upper,
        "lower_bound": of_it.lower,
    }
    watch = Watch()
    try:
        with at_most(limit):
            portfolio = read(path)
            plan = make_plan(portfolio, budget=budget, seed=seed, workers=workers, progress=watch)
    except Exception as error:  # one bad instance must not end the run
        row |= {"seconds": watch.seconds, "first_seconds": watch.first, "best_seconds": watch.best}
        row["verified"] = False
        row["message"] = str(error) if isinstance(error, ThrottleError | TimeoutError) else repr(error)
        if isinstance(error, VerificationError):
            row["status"] = "wrong"
        return row
    certificate = plan.certificate
    row["seconds"] = watch.seconds
    row["first_seconds"] = watch.seconds if watch.first is None else watch.first
    row["best_seconds"] = watch.seconds if watch.best is None else watch.best
    row["verified"] = certificate.checked and certificate.violations == 0
    if certificate.unscheduled:
        out = next(iter(plan.unscheduled.values()))
        return row | {"message": f"{certificate.unscheduled} activities are not in the plan: {out.text}"}
    row["status"] = str(certificate.status)
    row["objective"] = comparable(portfolio, certificate.objective.value)
    row["bound"] = comparable(portfolio, certificate.objective.bound)
    row["gap_percent"] = excess(row["objective"], of_it.upper)
    row["lower_bound_gap_percent"] = excess(row["objective"], of_it.lower)
    row["bound_gap_percent"] = excess(row["objective"], row["bound"])
    row["method"] = certificate.method
    return row


def excess(value: float, reference: float | None) -> float | None:
    """By how many per cent of a reference a value is above it; None where that has no meaning."""
    if reference is None or (reference <= 0 and value != reference):
        return None
    return round(100 * (value - reference) / reference, 3) if reference > 0 else 0.0


def summary(rows: Sequence[Row]) -> Row:
    """Means and counts over the instances; better, equal and worse against the best known.

    A plan below a known lower bound would mean that a reader, or the table of bounds, is wrong.
    """
    solved = [r for r in rows if r["objective"] is not None]
    compared = [r for r in solved if r["best_known"] is not None]
    difference = [r["objective"] - r["best_known"] for r in compared]
    better, worse = sum(d < -TOLERANCE for d in difference), sum(d > TOLERANCE for d in difference)
    return {
        "instances": len(rows),
        "failed": len(rows) - len(solved),
        "verified": sum(r["verified"] for r in rows),
        "proved": sum(r["status"] == "optimal" for r in rows),
        "with_best_known": len(compared),
        "mean_gap_percent": _mean(r["gap_percent"] for r in compared),
        "at_best_known": len(compared) - worse,
        "better": better,
        "equal": len(compared) - better - worse,
        "worse": worse,
        "mean_lower_bound_gap_percent": _mean(r["lower_bound_gap_percent"] for r in solved),
        "mean_bound_gap_percent": _mean(r["bound_gap_percent"] for r in solved),
        "below_lower_bound": sum(r["objective"] < (r["lower_bound"] or 0) - TOLERANCE for r in solved),
        "mean_seconds": _mean(r["seconds"] for r in rows),
        "mean_first_seconds": _mean(r["first_seconds"] for r in solved),
        "mean_best_seconds": _mean(r["best_seconds"] for r in solved),
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known_ones = [v for v in values if v is not None]
    return round(fmean(known_ones), 3) if known_ones else None


def main(arguments: Sequence[str] | None = None, show: Callable[[str], None] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.literature", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder of instances, or one instance")
    add_search(parser, 10.0, "of the solver, and of the sample")
    parser.add_argument("--sample", type=whole(1), metavar="N", help="only N of the instances, drawn with the seed")
    told = f"give up on an instance after so long ({LIMIT:g}s, or ten times the budget where that is more)"
    parser.add_argument("--limit", type=seconds, metavar="TIME", help=told)
    given = parser.parse_args(arguments)
    limit = given.limit or max(LIMIT, 10 * given.budget)
    show = show or (lambda line: print(line, flush=True))
    try:
        paths = instances(given.folder, given.sample, given.seed)
        bounds = {path: known(path) for path in paths}
        unmet = strangers(paths)
    except (OSError, InputError) as error:
        print(error, file=sys.stderr)
        return 2
    for table, names in unmet.items():
        if names:
            some = ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
            print(f"{table}: of its names, {len(names)} fit no instance beside or below it: {some}", file=sys.stderr)
    rows: list[Row] = []
    interrupted = False
    try:
        if not given.cold:
            warm_up(given.workers)
        for path in paths:
            rows.append(run(path, bounds[path], given.budget, given.workers, given.seed, limit))
            show(json.dumps(rows[-1]))
    except KeyboardInterrupt:
        interrupted = True
        print(f"interrupted: {len(paths) - len(rows)} of {len(paths)} instances were not solved", file=sys.stderr)
    total = summary(rows) | {"best_known_unmatched": sum(map(len, unmet.values()))}
    show(json.dumps({"summary": total, "budget": given.budget, "workers": given.workers, "seed": given.seed}))
    if interrupted:
        return INTERRUPTED
    return 0 if total["verified"] == len(rows) and not total["failed"] else 1


if __name__ == "__main__":
    sys.exit(main())
