"""The throttle curve on planted models: a drum about 88 % loaded, and a known cost of switching.

    python -m benchmarks.curve 200                      # so many models with a cost of switching, as many without
    python -m benchmarks.curve --table                  # lead times by cost of switching, pushed and by limit

A model: projects arrive at random (Poisson) at a line of preparation, drum and finish, of which only the drum is
scarce. ``brute``: the limit with the least mean over many times the runs, of other random numbers. A recommendation
counts as right within 1 of it, or where no limit is needed and brute force says so too. Without switching the gain
reported must lie within its confidence interval of 0. Ends with 1 where fewer than 95 % are right, or more than 5 % of
those without switching are recommended a limit.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import numpy as np

from benchmarks import options
from throttle.curve import throttle_curve, unlimited
from throttle.scenarios.solve import Effort, solve
from throttle.simulate import Release, Settings, model_of, simulate
from throttle_models import Portfolio

LOAD = 0.88
LIMITS = (1, 2, 3, 4, 5, 6, 8, 12)
RIGHT = 0.95


def planted(seed: int, projects: int, switching: float) -> Portfolio:
    """Projects of three steps; the middle one needs the drum, one hour on the average."""
    rng = np.random.default_rng(seed)
    arrivals = np.cumsum(rng.exponential(1.0 / LOAD, projects))
    work: dict[str, Any] = {}
    for k in range(projects):
        name = f"P{k:03}"
        work[f"{name}-1"] = {"project": name, "needs": [{"skill": "other", "effort": "12m/50m/114m"}]}
        work[f"{name}-2"] = {
            "project": name,
            "needs": [{"skill": "drum", "effort": "12m/50m/124m"}],
            "after": [f"{name}-1"],
        }
        work[f"{name}-3"] = {
            "project": name,
            "needs": [{"skill": "other", "effort": "12m/50m/114m"}],
            "after": [f"{name}-2"],
        }
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


def means(portfolio: Portfolio, limits: tuple[int, ...], runs: int, seed: int) -> dict[int | None, tuple[float, float]]:
    """By limit (None: none) the mean cost of delay, and the mean hours from arrival to done of a project."""
    free = unlimited(portfolio)
    order = solve(free, Effort(0.05))
    model = model_of(free, order, Settings(start="free", items=False))
    arrival = np.array([_arrival(portfolio, name, model.origin) for name in model.projects])
    found = {}
    for limit in (*limits, None):
        sample = simulate(model, runs, seed, release=Release(projects=limit), workers=1)
        hours = (sample.projects - arrival) * model.hours_per_slot
        found[limit] = float(sample.cost.mean()), float(hours.mean())
    return found


def _arrival(portfolio: Portfolio, name: str, origin: Any) -> float:
    from zoneinfo import ZoneInfo

    from throttle.calendars import as_of

    when = portfolio.projects[name].not_before
    return max(0.0, origin.exact(when.resolve(as_of(portfolio), ZoneInfo("UTC")))) if when is not None else 0.0


def measured(seed: int, projects: int, switching: float, runs: int) -> dict[str, Any]:
    portfolio = planted(seed, projects, switching)
    found = throttle_curve(portfolio, effort=Effort(0.05), runs=runs, limits=LIMITS, ropes=[1e6]).limits[0]
    row: dict[str, Any] = {"model": seed, "switching": switching, "recommended": found.recommended}
    row["gain"] = [found.gain.mean, found.gain.low, found.gain.high]
    if switching:
        brute = means(portfolio, LIMITS, 5 * runs, seed + 1_000_000)
        best = min(brute, key=lambda limit: brute[limit][0])
        row["brute"] = best
        row["right"] = found.recommended == best or (
            best is not None and found.recommended is not None and abs(found.recommended - best) <= 1
        )
    else:
        row["right"] = found.recommended is None
        row["within"] = found.gain.low <= 0 <= found.gain.high
    return row


def table(projects: int, models: int, runs: int) -> list[dict[str, Any]]:
    """Mean hours from arrival to done by cost of switching: pushed, and by limit."""
    rows = []
    for switching in (0.0, 0.005, 0.01):
        hours: dict[int | None, list[float]] = {limit: [] for limit in (*LIMITS, None)}
        for seed in range(1, models + 1):
            for limit, (_, lead) in means(planted(seed, projects, switching), LIMITS, runs, seed).items():
                hours[limit].append(lead)
        mean = {limit: round(float(np.mean(values)), 2) for limit, values in hours.items()}
        best = min((k for k in mean if k is not None), key=lambda limit: mean[limit])
        rows.append(
            {"switching": switching, "push": mean[None], "best_limit": best, "best": mean[best],
             "by_limit": {str(k): v for k, v in mean.items() if k is not None}}
        )  # fmt: skip
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="?", type=options.whole(1), default=20, help="of each kind (20)")
    parser.add_argument("--projects", type=options.whole(2), default=60, help="of a model (60)")
    parser.add_argument("--switching", type=float, default=0.05, help="cost of switching of the first kind (0.05)")
    parser.add_argument("--runs", type=options.whole(4), default=400, help="of each limit (400)")
    parser.add_argument("--seed", type=options.whole(0), default=1, help="of the first model (1)")
    parser.add_argument("--table", action="store_true", help="only the table of lead times")
    asked = parser.parse_args()
    if asked.table:
        for row in table(asked.projects, asked.models, asked.runs):
            print(json.dumps(row), flush=True)
        return 0
    shares = {}
    for switching in (asked.switching, 0.0):
        rows = []
        for seed in range(asked.seed, asked.seed + asked.models):
            row = measured(seed, asked.projects, switching, asked.runs)
            print(json.dumps(row), flush=True)
            rows.append(row)
        shares[switching] = sum(row["right"] for row in rows) / len(rows)
        if not switching:
            within = sum(row["within"] for row in rows) / len(rows)
    holds = shares[asked.switching] >= RIGHT and shares[0.0] >= RIGHT
    summary = {"summary": "curve", "models": asked.models, "right": shares[asked.switching]}
    print(
        json.dumps({**summary, "no_limit_without_switching": shares[0.0], "gain_within_of_0": within, "holds": holds})
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
