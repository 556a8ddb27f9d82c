"""The throttle curve on planted models: a drum about 88 % loaded, and a known cost of switching.

    python -m benchmarks.curve 200                      # so many models with a cost of switching, as many without
    python -m benchmarks.curve --table                  # lead times by cost of switching, pushed and by limit

A model: projects arrive at random (Poisson) at a line of preparation and drum, of which only the drum is scarce; each
project that waits for the drum makes its work longer by 10 %, so that the curve is a pronounced U. ``brute``: the limit
with the least mean, of all from 1 to ``MOST`` and none, by many runs with other random numbers: ``--brute`` of each,
and ten times that of each that is then within five standard errors of the least. A recommendation counts as right
within 1 of it, or where no limit is needed and brute force says so too. Without switching no limit must be recommended,
and 0 must lie in the interval of the gain reported. Ends with 1 where fewer than 95 % hold, in each of the three.
Models are measured in two processes (``--jobs``), which does not change what is found.

The table: one drum 88 % loaded, on long lines of projects, against the figures known for it (``KNOWN``, of other
distributions of times; so the tolerance is by ratio). Ends with 1 where one is out of tolerance.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import options, simulation
from throttle.confidence import interval
from throttle.curve import throttle_curve, unlimited
from throttle.executors import Engine, open_executor
from throttle.scenarios.solve import Effort, solve
from throttle.simulate import Release, Settings, model_of, simulate
from throttle_models import Portfolio

if TYPE_CHECKING:
    from throttle.instance import Floats

EFFORT = Effort(0.05)
LOAD = 0.88
MOST = 15
"""Limits that brute force tries."""
RIGHT = 0.95
FAR = 5.0
"""Standard errors above the least mean from which on brute force leaves a limit out."""


def planted(seed: int, projects: int, switching: float) -> Portfolio:
    """Projects of two steps; the second needs the drum, one hour on the average."""
    rng = np.random.default_rng(seed)
    arrivals = np.cumsum(rng.exponential(1.0 / LOAD, projects))
    work: dict[str, Any] = {}
    for k in range(projects):
        name = f"P{k:03}"
        work[f"{name}-1"] = {"project": name, "needs": [{"skill": "other", "effort": "12m/50m/114m"}]}
        drum = {"project": name, "needs": [{"skill": "drum", "effort": "12m/50m/124m"}], "after": [f"{name}-1"]}
        work[f"{name}-2"] = drum
    return Portfolio.model_validate(
        {
            "as_of": "2026-01-05T00:00Z",
            "slot": "5m",
            "calendars": {"always": {"hours": "daily 00:00-24:00"}},
            "people": {"drum": {"skills": ["drum"]}} | {f"o{k}": {"skills": ["other"]} for k in range(8)},
            "projects": {
                f"P{k:03}": {
                    "cost_of_delay": "1/hour",
                    "not_before": f"2026-01-{5 + int(at // 24):02}T{int(at % 24):02}:{int(at % 1 * 60):02}Z",
                }
                for k, at in enumerate(arrivals)
            },
            "work": work,
            "simulation": {"switching": switching, "unplanned": "none"},
        }
    )


def brute(portfolio: Portfolio, runs: int, seed: int) -> tuple[int | None, dict[str, float]]:
    """The limit with the least mean cost of delay (None: none), and the means of those that were near it."""
    free = unlimited(portfolio)
    model = model_of(free, solve(free, EFFORT), Settings(start="free", items=False))

    def costs(limit: int | None, first: int, count: int) -> Floats:
        return simulate(model, count, seed, first=first, release=Release(projects=limit), workers=1, compiled=True).cost

    found = {limit: costs(limit, 0, runs) for limit in (*range(1, MOST + 1), None)}
    least = min(found.values(), key=np.mean)
    near = [k for k, cost in found.items() if _above(cost, least) <= FAR]
    means = {k: float(costs(k, runs, 10 * runs).mean()) for k in near}
    return min(means, key=lambda k: means[k]), {str(k): round(v, 2) for k, v in means.items()}


def _above(cost: Floats, least: Floats) -> float:
    """Standard errors by which a mean is above the least, run by run."""
    gap = cost - least
    return float(gap.mean() / max(1e-12, gap.std(ddof=1) / len(gap) ** 0.5))


def measured(seed: int, projects: int, switching: float, runs: int, tries: int) -> dict[str, Any]:
    portfolio = planted(seed, projects, switching)
    found = throttle_curve(portfolio, effort=EFFORT, runs=runs, ropes=[1e6]).limits[0]
    row: dict[str, Any] = {"model": seed, "switching": switching, "recommended": found.recommended}
    row["gain"] = [found.gain.mean, found.gain.low, found.gain.high]
    if switching:
        best, row["means"] = brute(portfolio, tries, seed + 1_000_000)
        row["brute"] = best
        row["right"] = found.recommended == best or (
            best is not None and found.recommended is not None and abs(found.recommended - best) <= 1
        )
    else:
        row["right"] = found.recommended is None
        row["within"] = found.gain.low <= 0 <= found.gain.high
    return row


# --- the table -----------------------------------------------------------------------------------------------------

KNOWN = {
    0.0: {"push": 7.6, "best": 7.7, "3": 10.2},
    0.005: {"push": 15.5, "5": 8.2},
    0.01: {"push": 543.0, "5": 8.7},
}
"""Mean hours from arrival to done by cost of switching for each item that waits, measured on another program."""
TOLERANCE = 0.2
"""Of each figure, as a ratio to the nearer end of its interval over the lines. Without a limit and at a cost of 1 % the
queue grows without end, and the figure tells only how long the lines were: it must be ten times that of the best."""
RANGE = (22, 47, 111)
"""Minutes of each step: with this spread M/G/1 theory (Pollaczek and Khinchine) says 7.6 hours without switching."""
JOBS = 1200


def line(seed: int, switching: float) -> Portfolio:
    """Projects that come at random: an hour of anyone of six, then an hour of the drum, 88 % loaded exactly."""
    rng = np.random.default_rng(seed)
    mean, _ = simulation.moments(*RANGE)
    at = np.cumsum(rng.exponential(1.0, JOBS))
    at *= JOBS * mean / LOAD / at[-1]
    effort = "/".join(f"{minutes}m" for minutes in RANGE)
    begin = datetime(2026, 11, 23, 8)
    work: dict[str, Any] = {}
    for k, minutes in enumerate(at):
        when = (begin + timedelta(minutes=5 * round(float(minutes) / 5))).isoformat(timespec="minutes")
        work[f"A{k}"] = {"project": f"P{k}", "needs": [{"skill": "any", "effort": effort}], "not_before": when}
        work[f"B{k}"] = {"project": f"P{k}", "needs": [{"skill": "drum", "effort": effort}], "after": [f"A{k}"]}
    people = {f"p{k}": {"skills": ["any"]} for k in range(6)} | {"drum": {"skills": ["drum"]}}
    projects = {f"P{k}": {"cost_of_delay": "100/week"} for k in range(JOBS)}
    return simulation.of(slot="5m", people=people, work=work, projects=projects, simulation={"switching": switching})


def table(seed: int) -> dict[float, dict[str, float]]:
    """By cost of switching: mean hours from arrival to done, pushed and by limit, of one line of projects, without the
    first and the last sixth of them."""
    order = solve(line(seed, 0.0), EFFORT)
    found: dict[float, dict[str, float]] = {}
    for switching in KNOWN:
        model = model_of(line(seed, switching), order, Settings(start="free", crews="able", weeks=60))
        number = {id: j for j, id in enumerate(model.items) if id}
        kept = range(JOBS // 6, JOBS - JOBS // 6)
        a, b = [number[f"A{k}"] for k in kept], [number[f"B{k}"] for k in kept]
        release = model.instance.arrays.release[a]
        found[switching] = {}
        for limit in (None, 3, 5, 8, 12):
            sample = simulate(model, 2, seed, release=Release(projects=limit), workers=1, compiled=True)
            hours = float((sample.finish[:, b] - release).mean()) * model.hours_per_slot
            found[switching]["push" if limit is None else str(limit)] = hours
    return found


def compared(switching: float, rows: list[dict[str, float]]) -> dict[str, Any]:
    """The means of all lines, with 95 % confidence, next to the known ones."""
    told = {name: interval(np.array([row[name] for row in rows])) for name in rows[0]}
    best = min((name for name in told if name != "push"), key=lambda name: told[name][0])
    told["best"] = told[best]
    known = KNOWN[switching]
    bad = [
        name
        for name, figure in known.items()
        if not told[name][1] * (1 - TOLERANCE) <= figure <= told[name][2] * (1 + TOLERANCE)
        and (switching, name) != (0.01, "push")
    ]
    return {
        "switching": switching,
        "lines": len(rows),
        "hours": {name: round(figure[0], 2) for name, figure in told.items()},
        "interval": {name: [round(x, 2) for x in figure[1:]] for name, figure in told.items()},
        "best_limit": best,
        "known": known,
        "off": {name: round(told[name][0] / figure - 1, 3) for name, figure in known.items()},
        "ok": not bad and (switching < 0.01 or told["push"][0] >= 10 * told["best"][0]),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "models", nargs="?", type=options.whole(1), default=20, help="of each kind; lines: twice as many (20)"
    )
    parser.add_argument("--projects", type=options.whole(2), default=30, help="of a model (30)")
    parser.add_argument("--switching", type=float, default=0.1, help="cost of switching of the first kind (0.1)")
    parser.add_argument("--runs", type=options.whole(4), default=400, help="most of each limit (400)")
    parser.add_argument("--brute", type=options.whole(4), default=100, help="of each limit, and then ten times (100)")
    parser.add_argument("--seed", type=options.whole(0), default=1, help="of the first model (1)")
    parser.add_argument("--jobs", type=options.whole(1), default=2, help="models at once (2)")
    parser.add_argument("--table", action="store_true", help="only the table of lead times")
    asked = parser.parse_args()
    with open_executor(None, asked.jobs) as pool:
        return (print_table if asked.table else print_models)(asked, pool)


def print_table(asked: argparse.Namespace, pool: Engine) -> int:
    waiting = [pool.submit(table, seed) for seed in range(asked.seed, asked.seed + 2 * asked.models)]
    found = [future.result() for future in waiting]
    holds = True
    for switching in KNOWN:
        row = compared(switching, [one[switching] for one in found])
        print(json.dumps(row), flush=True)
        holds &= row["ok"]
    print(json.dumps({"summary": "table", "tolerance": TOLERANCE, "holds": holds}))
    return 0 if holds else 1


def print_models(asked: argparse.Namespace, pool: Engine) -> int:
    seeds = range(asked.seed, asked.seed + asked.models)
    rows = []
    waiting = [
        pool.submit(measured, seed, asked.projects, switching, asked.runs, asked.brute)
        for switching in (asked.switching, 0.0)
        for seed in seeds
    ]
    for future in waiting:
        rows.append(future.result())
        print(json.dumps(rows[-1]), flush=True)
    dear, free = rows[: asked.models], rows[asked.models :]
    shares = {
        "right": _share(row["right"] for row in dear),
        "none_without_switching": _share(row["right"] for row in free),
        "gain_within_of_0": _share(row["within"] for row in free),
    }
    holds = min(shares.values()) >= RIGHT
    exact = _share(row["recommended"] == row["brute"] for row in dear)
    print(json.dumps({"summary": "curve", "models": asked.models, **shares, "same_as_brute": exact, "holds": holds}))
    return 0 if holds else 1


def _share(rows: Iterable[bool]) -> float:
    found = list(rows)
    return sum(found) / len(found)


if __name__ == "__main__":
    sys.exit(main())
