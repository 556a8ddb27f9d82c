"""A day of deployments at the rates of the talk, through the path of the product.

    python -m benchmarks.deployments [--share 1] [--hops 1] --budget 10s [--seed 1] [--workers 2] [--cold]

The portfolio is that of ``datasets/deployments-day``. One JSON line: seconds of each part (``seconds``: of all), the
verdict of the checker, hosts that receive a deployment at the same time, the busiest hour by deployments that become
ready and by starts, and how long deployments wait after they are ready. ``waiting_hours_by`` says what stands in the
way, minute by minute, with all other deployments where they are: a deployment on the same or a near service
(``conflict``), not enough hosts (``hosts``), both, or neither (engineers, or the search has missed it). Exit code 1
if the plan did not pass.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.options import add_search
from benchmarks.warm import warm_up
from benchmarks.watch import Watch, memory_mb

from throttle.planning import solve_portfolio, verified_plan
from throttle.policies.conflicts import distances
from throttle.solve import Settings
from throttle_models import PlannedItem, Portfolio

FOLDER = str(Path(__file__).resolve().parents[1] / "datasets" / "deployments-day")
if FOLDER not in sys.path:
    sys.path.insert(0, FOLDER)

from deployments_day import BEGIN, build_portfolio  # noqa: E402

Row = dict[str, Any]

MINUTE = timedelta(minutes=1)
A_DAY, AN_HOUR = 1440, 60
"""In minutes."""


def run(share: float, hops: int, seed: int, budget: float, workers: int) -> Row:
    """Make, plan and check a day. Raises ThrottleError where there is no plan."""
    watch = Watch()
    made = build_portfolio(share, hops, seed)
    generated = watch.seconds
    settings = Settings(budget=budget, seed=seed, workers=workers)
    compiled, solution = solve_portfolio(made, settings, progress=watch)
    solved = watch.seconds
    plan = verified_plan(compiled, solution, settings)
    taken, goal = watch.seconds, plan.certificate.objective
    begun = min(watch.phases.values())
    return {
        "items": plan.certificate.items,
        "hops": hops,
        "seed": seed,
        "seconds": taken,
        "parts": {
            "generate": round(generated, 3),
            "compile": round(begun - generated, 3),
            "solve": round(solved - begun, 3),
            "check": round(taken - solved, 3),
        },
        "verified": plan.certificate.checked and not plan.certificate.violations,
        "unscheduled": plan.certificate.unscheduled,
        **figures(made, plan.items, hops),
        "waiting_cost": round(goal.value, 2),
        "waiting_cost_bound": round(goal.bound, 2),
        "waiting_cost_first_come": round(goal.first_come, 2),
        "memory_mb": memory_mb(),
        "method": plan.certificate.method,
    }


def figures(made: Portfolio, items: Mapping[str, PlannedItem], hops: int) -> Row:
    """What a plan of the day comes to."""
    ids = list(items)
    start = np.array([_minute(items[id].start) for id in ids])
    end = np.array([_minute(items[id].finish) for id in ids])
    ready = np.array([_minute(datetime.fromisoformat(str(made.work[id].not_before))) for id in ids])
    hosts = np.array([made.work[id].environment["hosts"] for id in ids])
    used = np.zeros(int(end.max()) + 1, np.int64)
    np.add.at(used, start, hosts)
    np.add.at(used, end, -hosts)
    used = used.cumsum()
    starts, asked = np.bincount(start // AN_HOUR), np.bincount(ready // AN_HOUR)
    wait = start - ready
    why = _why_waiting(made, ids, start, end, ready, hosts, used, hops)
    return {
        "mean_hosts": round(float((hosts * (end - start)).sum()) / A_DAY, 1),
        "mean_hosts_within_the_day": round(float(used[:A_DAY].mean()), 1),
        "most_hosts": int(used.max()),
        "host_seconds": round(float((hosts * (end - start)).mean() * AN_HOUR)),
        "busiest_hour": {"hour": int(asked.argmax()), "ready": int(asked.max()), "starts": int(starts.max())},
        "waiting": {
            "deployments": int((wait > 0).sum()),
            "hours": round(float(wait.sum()) / AN_HOUR, 1),
            "mean_minutes": round(float(wait.mean()), 2),
            "p95_minutes": round(float(np.percentile(wait, 95)), 1),
            "most_minutes": int(wait.max()),
        },
        "waiting_hours_by": {name: round(minutes / AN_HOUR, 1) for name, minutes in why.items()},
    }


def _minute(moment: datetime) -> int:
    return round((moment.replace(tzinfo=None) - BEGIN) / MINUTE)


def _why_waiting(
    made: Portfolio,
    ids: Sequence[str],
    start: np.ndarray,
    end: np.ndarray,
    ready: np.ndarray,
    hosts: np.ndarray,
    used: np.ndarray,
    hops: int,
) -> dict[str, int]:
    """Minutes of waiting by what forbids a start in that minute, all others where they are."""
    capacity = made.environments["hosts"].capacity
    near = distances(made, hops)
    touching: dict[str, list[int]] = {}
    for k, id in enumerate(ids):
        for service in _services(made, id):
            touching.setdefault(service, []).append(k)
    found = {"conflict": 0, "hosts": 0, "both": 0, "neither": 0}
    for k in np.flatnonzero(start > ready).tolist():
        length = end[k] - start[k]
        others = sorted(
            {j for own in _services(made, ids[k]) for other in near[own] for j in touching.get(other, ())} - {k}
        )
        free = np.full(int(end[k] - ready[k]), capacity) - used[ready[k] : end[k]]
        free[start[k] - ready[k] :] += hosts[k]  # its own
        for t in range(int(start[k] - ready[k])):
            at = ready[k] + t
            clash = bool(((start[others] < at + length) & (end[others] > at)).any())
            full = bool((free[t : t + length] < hosts[k]).any())
            found["both" if clash and full else "conflict" if clash else "hosts" if full else "neither"] += 1
    return found


def _services(made: Portfolio, id: str) -> tuple[str, ...]:
    change = made.work[id].change
    return change.services if change else ()


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share above 0 and at most 1")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.deployments", description="A day of deployments, planned.")
    parser.add_argument("--share", type=_share, default=1.0, help="of the talk's figures, such as 0.1 (1)")
    parser.add_argument("--hops", type=int, choices=(0, 1, 2), default=1, help="how near services conflict (1)")
    add_search(parser, 10.0, "of the day and the search")
    given = parser.parse_args(arguments)
    if not given.cold:
        warm_up(given.workers)
    row = run(given.share, given.hops, given.seed, given.budget, given.workers)
    print(json.dumps(row), flush=True)
    return 0 if row["verified"] else 1


if __name__ == "__main__":
    sys.exit(main())
