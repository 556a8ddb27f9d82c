"""What anyone would pick instead, on the same instances, under the same limits, in the same run, as ratios.

    python -m benchmarks.peers FOLDER       --budget 10 [--workers 2] [--seed 1] [--sample N]
    python -m benchmarks.peers ITEMS PEOPLE --budget 60 [--workers 2] [--seed 1] [--goal tardiness|flow]

Peers: plain CP-SAT (benchmarks/plain_cpsat.py) and PyJobShop (benchmarks/pyjobshop_model.py; benchmarks/README.md says
how to install it, and without that it is left out). All begin from the same compiled instance, and each schedule passes
the same checker. The budget is that of the search; what a peer spends on building its model comes on top.

One JSON object a line: for each method objective, bound, status, seconds and the verdict, and for each peer the ratio
of its objective to that of Throttle (above 1: Throttle's is better). The last line is a summary.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from math import exp, log
from pathlib import Path
from typing import Any

from benchmarks.instances import instances, known
from benchmarks.options import add_search, whole
from benchmarks.plain_cpsat import Answer, durations, solve_plain_cpsat
from benchmarks.portfolios import LEAST_ITEMS, LEAST_PEOPLE
from benchmarks.pyjobshop_model import available, solve_pyjobshop
from benchmarks.readers import comparable, read
from benchmarks.variants import portfolio
from benchmarks.warm import warm_up

from throttle.check import check
from throttle.compile import Compiled
from throttle.errors import ThrottleError
from throttle.graph import WorkGraph
from throttle.instance import Schedule
from throttle.planning import build_plan, feasible_instance, make_plan
from throttle.solve import Settings, Solution
from throttle.solve.kernels import kernels
from throttle_models import Portfolio

Row = dict[str, Any]

PEERS: dict[str, Callable[[Compiled, float, int, int], Answer]] = {
    "cp-sat": lambda compiled, *limits: solve_plain_cpsat(compiled.instance, *limits),
    "pyjobshop": lambda compiled, *limits: solve_pyjobshop(compiled.instance, *limits),
}


def ours(made: Portfolio, budget: float, workers: int, seed: int) -> Row:
    began = time.perf_counter()
    try:
        certificate = make_plan(made, budget=budget, seed=seed, workers=workers).certificate
    except ThrottleError as error:
        return {"status": "error", "objective": None, "message": str(error)[:500], "verified": False}
    return {
        "status": str(certificate.status),
        "objective": comparable(made, certificate.objective.value),
        "bound": comparable(made, certificate.objective.bound),
        "seconds": round(time.perf_counter() - began, 3),
        "verified": certificate.checked and not certificate.unscheduled,
    }


def theirs(name: str, made: Portfolio, compiled: Compiled, budget: float, workers: int, seed: int) -> Row:
    """A peer's answer, its schedule lifted and checked as ours is."""
    began = time.perf_counter()
    try:
        answer = PEERS[name](compiled, budget, workers, seed)
    except MemoryError as error:
        return {"status": "error", "objective": None, "message": repr(error), "verified": False}
    row: Row = {"status": answer.status, "objective": None, "bound": None}
    row["seconds"] = round(time.perf_counter() - began, 3)
    if answer.note:
        row["message"] = f"it cannot express {answer.note}"
    if answer.bound is not None:
        row["bound"] = comparable(made, answer.bound)
    row["verified"] = False
    if answer.start is not None and answer.crew is not None:
        end = answer.start + durations(compiled.instance)
        cost, flow = kernels(False).cost(compiled.instance.arrays, answer.start, end)
        schedule = Schedule(answer.start, end, answer.crew, float(cost), float(flow))
        plan = build_plan(compiled, Solution(schedule, schedule, schedule), Settings())
        row["objective"] = comparable(made, schedule.cost)
        row["verified"] = check(plan, made).ok
    return row


def compared(name: str, made: Portfolio, budget: float, workers: int, seed: int, peers: Sequence[str]) -> Row:
    row: Row = {"instance": name, "throttle": ours(made, budget, workers, seed)}
    compiled = feasible_instance(made, WorkGraph(made))
    row |= {peer: theirs(peer, made, compiled, budget, workers, seed) for peer in peers}
    mine = row["throttle"]["objective"]
    row["ratios"] = {peer: ratio(row[peer]["objective"], mine) for peer in peers}
    return row


def ratio(theirs: float | None, ours: float | None) -> float | None:
    """None where one of them has no schedule, or only ours costs nothing."""
    if theirs is None or ours is None or (ours <= 0 < theirs):
        return None
    return round(theirs / ours, 4) if ours > 0 else 1.0


def summary(rows: Sequence[Row], peers: Sequence[str]) -> Row:
    """For each peer the geometric mean of the ratios, and how often who was better; proved and unsolved for all."""
    found: Row = {"instances": len(rows)}
    for name in ("throttle", *peers):
        of_it = [row[name] for row in rows]
        found[name] = {
            "solved": sum(r["objective"] is not None for r in of_it),
            "proved": sum(r["status"] == "optimal" for r in of_it),
            "verified": sum(r["verified"] for r in of_it),
        }
    for peer in peers:
        ratios = [row["ratios"][peer] for row in rows if row["ratios"][peer] is not None]
        positive = [r for r in ratios if r > 0]
        found[peer] |= {
            "compared": len(ratios),
            "mean_ratio": round(exp(sum(map(log, positive)) / len(positive)), 4) if positive else None,
            "throttle_better": sum(r > 1 + 1e-9 for r in ratios),
            "equal": sum(abs(r - 1) <= 1e-9 for r in ratios),
            "throttle_worse": sum(r < 1 - 1e-9 for r in ratios),
        }
    return found


def portfolios(given: argparse.Namespace) -> Iterator[tuple[str, Portfolio, float | None]]:
    """Name, portfolio and best known objective. Raises FileNotFoundError and InputError."""
    if len(given.what) == 2:
        items, people = map(int, given.what)
        yield f"synthetic-{items}-{people}-{given.seed}", portfolio(items, people, given.seed, given.goal), None
        return
    for path in instances(Path(given.what[0]), given.sample, given.seed):
        yield path.stem, read(path), known(path).upper


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("what", nargs="+", metavar="FOLDER | ITEMS PEOPLE")
    add_search(parser, 10.0, "of the portfolio or sample, and of all methods")
    parser.add_argument("--sample", type=whole(1), metavar="N", help="only N of the folder's instances")
    parser.add_argument("--goal", choices=("tardiness", "flow"), default="tardiness")
    given = parser.parse_args(arguments)
    if len(given.what) > 2 or (len(given.what) == 2 and not all(word.isdigit() for word in given.what)):
        parser.error("give a folder of instances, one instance, or the numbers of items and people")
    if len(given.what) == 2 and (int(given.what[0]) < LEAST_ITEMS or int(given.what[1]) < LEAST_PEOPLE):
        parser.error(
            f"{' '.join(given.what)} is too small: give {LEAST_ITEMS} item or more and {LEAST_PEOPLE} people or more"
        )
    peers = [peer for peer in PEERS if peer != "pyjobshop" or available()]
    if "pyjobshop" not in peers:
        print("PyJobShop is not installed and left out; benchmarks/README.md says how to install it", file=sys.stderr)
    rows = []
    if not given.cold:
        warm_up(given.workers)
    try:
        for name, made, best in portfolios(given):
            rows.append(compared(name, made, given.budget, given.workers, given.seed, peers))
            if best is not None:
                rows[-1]["best_known"] = best
            print(json.dumps(rows[-1]), flush=True)
    except (OSError, ThrottleError) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps({"summary": summary(rows, peers), "asked": vars(given)}), flush=True)
    return 0 if all(row["throttle"]["verified"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
