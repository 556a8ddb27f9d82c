"""The elevate menu against planning (and simulating) every option alone, on portfolios with one scarce skill.

    python -m benchmarks.elevate 50                     # so many portfolios, planned only
    python -m benchmarks.elevate 50 --runs 200          # and simulated

``planned``: Kendall's tau-b between what the menu says that options save (most of them screened only) and what plans
made for each option alone, with five times the work, save. ``simulated``: the same between what options are ranked by
and a menu in which every option is planned anew with five times the work and simulated four times as often, with
another seed. An option that costs more than it saves need not be taken, so it counts as one that saves 0, on both
sides. ``idle``: options that are an hour more of somebody outside the most loaded set; those that are priced
above 0 though plans made alone, or simulation, say nothing. A line for each portfolio, then a summary; ends with 1
where a mean tau is below 0.8, or an idle hour is priced beyond noise.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from math import sqrt
from typing import Any

from benchmarks.portfolios import synthetic_data

from benchmarks import options
from throttle.bottleneck import analyse
from throttle.elevate import elevate
from throttle.elevate.options import options as choices_of
from throttle.planning import make_plan
from throttle.scenarios.solve import Effort, solve
from throttle_models import Portfolio
from throttle_models.elevate import Elevate, Menu, Option, OptionKind

LEAST = 0.8
OFFICE = {"hours": "Mon-Fri 08:00-12:00 13:00-17:00"}


def portfolio_of(seed: int, items: int, people: int) -> Portfolio:
    """A synthetic portfolio in office hours, with ranges of estimates and one environment."""
    data = synthetic_data(items, people, seed)
    data["calendars"] = {"office": OFFICE}
    data["as_of"] = "2026-01-05T08:00Z"
    data["environments"] = {"lab": {}}
    for k, item in enumerate(data["work"].values()):
        hours = int(item.pop("duration").removesuffix("h"))
        for need in item["needs"]:
            need["effort"] = f"{max(1, round(hours * 0.6))}h/{hours}h/{round(hours * 1.8) + 1}h"
        if k % 4 == 0:
            item["environment"] = "lab"
    for project in data["projects"].values():
        project.pop("not_before", None)
    return Portfolio.model_validate(data)


def tau_b(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Kendall's tau-b (Kendall 1945), which counts ties; None where one of them is all ties."""
    concordant = discordant = ties_a = ties_b = 0
    for i in range(len(a)):
        for j in range(i):
            x, y = _sign(a[i] - a[j]), _sign(b[i] - b[j])
            concordant += x * y > 0
            discordant += x * y < 0
            ties_a += x == 0 and y != 0
            ties_b += y == 0 and x != 0
    pairs = concordant + discordant
    whole = sqrt((pairs + ties_a) * (pairs + ties_b))
    return (concordant - discordant) / whole if whole else None


def _sign(x: float) -> int:
    return (x > 1e-6) - (x < -1e-6)


def every(found: Elevate) -> dict[str, Option]:
    return {one.text: one for one in (*found.options, *found.nothing)}


def measured(seed: int, items: int, people: int, budget: float, runs: int) -> dict[str, Any]:
    portfolio = portfolio_of(seed, items, people)
    told = elevate(portfolio, effort=Effort(budget), runs=runs)
    menu = every(told)
    more = Effort(5 * budget, seed=2)
    base = solve(portfolio, more)
    choices, _ = choices_of(portfolio, solve(portfolio, Effort(budget)), Menu())
    alone = {}
    for choice in choices.values():
        plan = make_plan(choice.portfolio, budget=more.budget, seed=2, workers=1, deterministic=True)
        alone[choice.text] = base.certificate.objective.value - plan.certificate.objective.value
    names = [text for text in menu if text in alone]
    row: dict[str, Any] = {
        "portfolio": seed,
        "options": len(names),
        "planned": tau_b([max(0.0, menu[n].saves) for n in names], [max(0.0, alone[n]) for n in names]),
    }
    sets = analyse(base, portfolio).sets
    loaded = set(sets[0].people) if sets else set()
    idle = [n for n in names if menu[n].kind is OptionKind.HOUR and not loaded & set(menu[n].refs)]
    exact: dict[str, float] = {n: alone[n] for n in names}
    if runs:
        full = every(elevate(portfolio, effort=more, resolved=10_000, runs=4 * runs))
        exact = {n: full[n].worth for n in names if n in full}
        both = [n for n in names if n in full]
        row["simulated"] = tau_b([max(0.0, menu[n].worth) for n in both], [max(0.0, exact[n]) for n in both])
    row["idle"] = len(idle)
    row["idle_beyond_noise"] = [n for n in idle if menu[n].worth > 1e-6 and exact.get(n, 0.0) <= 1e-6]
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portfolios", type=options.whole(1), help="how many")
    parser.add_argument("--items", type=options.whole(1), default=14, help="of each (14)")
    parser.add_argument("--people", type=options.whole(4), default=5, help="of each (5)")
    parser.add_argument("--budget", type=options.seconds, default=0.2, help="work for each plan (0.2s)")
    parser.add_argument("--runs", type=options.whole(0), default=0, help="simulated runs of each plan (0)")
    parser.add_argument("--seed", type=options.whole(0), default=1, help="of the first portfolio (1)")
    asked = parser.parse_args()
    rows = []
    for seed in range(asked.seed, asked.seed + asked.portfolios):
        row = measured(seed, asked.items, asked.people, asked.budget, asked.runs)
        print(json.dumps(row), flush=True)
        rows.append(row)
    summary: dict[str, Any] = {"summary": "elevate", "portfolios": len(rows)}
    holds = True
    for name in ("planned", "simulated"):
        known = sorted(row[name] for row in rows if row.get(name) is not None)
        if known:
            mean = sum(known) / len(known)
            summary[name] = {"mean": round(mean, 4), "median": known[len(known) // 2], "least": known[0]}
            holds &= mean >= LEAST
    summary["idle"] = sum(row["idle"] for row in rows)
    summary["idle_beyond_noise"] = sum(len(row["idle_beyond_noise"]) for row in rows)
    holds &= summary["idle_beyond_noise"] <= 0.05 * max(1, summary["idle"])
    print(json.dumps({**summary, "holds": holds}))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
