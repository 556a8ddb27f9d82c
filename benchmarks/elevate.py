"""The elevate menu against planning and simulating every option alone, on portfolios with one scarce skill.

    python -m benchmarks.elevate 50                     # so many portfolios, planned and simulated
    python -m benchmarks.elevate 50 --runs 0            # planned only

The truth: every option, written into the portfolio, is planned alone with five times the work and another seed, and
these plans are simulated four times as often as the menu's, with other random numbers.

``simulated``: Kendall's tau between the order of the menu (what buys nothing is one tie at its end) and what options
truly save, over the pairs of options that the truth tells apart: those whose costs, run by run, differ with 95 %
confidence; an option that costs more than it saves need not be taken, so it counts as one that saves 0. A pair that
is a tie in the menu alone counts as a pair, and neither as right nor as wrong. ``tau_b`` (Kendall 1945) takes all
pairs, noise included. ``planned``: tau-b between what the menu says that plans save (most of them screened only) and
what plans made for each option alone save. ``idle``: options that are an hour more of somebody outside the most loaded
set; those that are priced above 0 though the truth says nothing. A line for each portfolio, then a summary; ends with 1
where a mean tau is below 0.8 (``simulated``, or ``planned`` without runs), or more than 5 % of idle hours are priced
beyond noise. Portfolios are measured in two processes (``--jobs``), which does not change what is found.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from itertools import combinations
from math import sqrt
from typing import TYPE_CHECKING, Any

from benchmarks.portfolios import synthetic_data

from benchmarks import options
from throttle.bottleneck import analyse
from throttle.confidence import interval
from throttle.elevate import elevate
from throttle.elevate.options import options as choices_of
from throttle.executors import open_executor
from throttle.planning import make_plan
from throttle.scenarios.simulated import simulate_variants
from throttle.scenarios.solve import Effort, solve
from throttle_models import Portfolio
from throttle_models.elevate import Elevate, Menu, Option, OptionKind
from throttle_models.scenario import AS_IS

if TYPE_CHECKING:
    from throttle.instance import Floats

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


def in_order(found: Elevate) -> dict[str, float]:
    """By option, minus its place in the menu; what buys nothing is last."""
    last = float(len(found.options))
    return {o.text: -float(k) for k, o in enumerate(found.options)} | {o.text: -last for o in found.nothing}


def tau_apart(place: Mapping[str, float], base: Floats, cost: Mapping[str, Floats]) -> tuple[float | None, int]:
    """Tau over the pairs whose costs the truth tells apart, and how many these are; None without any."""
    saves = {name: max(0.0, beyond_noise(base - values)) for name, values in cost.items()}
    right, pairs = 0, 0
    for one, other in combinations(cost, 2):
        if beyond_noise(cost[one] - cost[other]) and (gap := saves[one] - saves[other]):
            pairs += 1
            right += _sign(gap) * _sign(place[one] - place[other])
    return (right / pairs if pairs else None), pairs


def beyond_noise(gap: Floats) -> float:
    """The mean; 0 where its interval has 0 in it."""
    mean, low, high = interval(gap)
    return 0.0 if low <= 0 <= high else mean


def measured(seed: int, items: int, people: int, budget: float, runs: int) -> dict[str, Any]:
    portfolio = portfolio_of(seed, items, people)
    told = elevate(portfolio, effort=Effort(budget), runs=runs)
    menu, place = every(told), in_order(told)
    more = Effort(5 * budget, seed=2)
    choices, _ = choices_of(portfolio, solve(portfolio, Effort(budget)), Menu())
    variants = {AS_IS: portfolio} | {choice.text: choice.portfolio for choice in choices.values()}
    plans = {
        name: make_plan(changed, budget=more.budget, seed=2, workers=1, deterministic=True)
        for name, changed in variants.items()
    }
    base = plans[AS_IS]
    alone = {name: base.certificate.objective.value - plan.certificate.objective.value for name, plan in plans.items()}
    names = [text for text in menu if text in alone]
    row: dict[str, Any] = {
        "portfolio": seed,
        "options": len(names),
        "planned": tau_b([max(0.0, menu[n].saves) for n in names], [max(0.0, alone[n]) for n in names]),
    }
    true = {name: alone[name] for name in names}
    if runs:
        sampled = simulate_variants(variants, plans, AS_IS, 4 * runs, more)
        names = [name for name in names if name in sampled]
        cost = {name: sampled[name].cost for name in names}
        row["simulated"], row["pairs"] = tau_apart(place, sampled[AS_IS].cost, cost)
        true = {name: beyond_noise(sampled[AS_IS].cost - cost[name]) for name in names}
        row["tau_b"] = tau_b([max(0.0, menu[n].worth) for n in names], [max(0.0, true[n]) for n in names])
    sets = analyse(base, portfolio).sets
    loaded = set(sets[0].people) if sets else set()
    idle = [n for n in names if menu[n].kind is OptionKind.HOUR and not loaded & set(menu[n].refs)]
    row["idle"] = len(idle)
    row["idle_beyond_noise"] = [n for n in idle if menu[n].worth > 1e-6 and true[n] <= 1e-6]
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portfolios", type=options.whole(1), help="how many")
    parser.add_argument("--items", type=options.whole(1), default=14, help="of each (14)")
    parser.add_argument("--people", type=options.whole(4), default=5, help="of each (5)")
    parser.add_argument("--budget", type=options.seconds, default=0.2, help="work for each plan (0.2s)")
    parser.add_argument("--runs", type=options.whole(0), default=200, help="simulated runs of each plan (200)")
    parser.add_argument("--seed", type=options.whole(0), default=1, help="of the first portfolio (1)")
    parser.add_argument("--jobs", type=options.whole(1), default=2, help="portfolios at once (2)")
    asked = parser.parse_args()
    rows = []
    with open_executor(None, asked.jobs) as pool:
        waiting = [
            pool.submit(measured, seed, asked.items, asked.people, asked.budget, asked.runs)
            for seed in range(asked.seed, asked.seed + asked.portfolios)
        ]
        for future in waiting:
            rows.append(future.result())
            print(json.dumps(rows[-1]), flush=True)
    summary: dict[str, Any] = {"summary": "elevate", "portfolios": len(rows)}
    holds = True
    must = "simulated" if asked.runs else "planned"
    for name in ("planned", "simulated", "tau_b"):
        known = sorted(row[name] for row in rows if row.get(name) is not None)
        if known:
            mean = sum(known) / len(known)
            summary[name] = {"mean": round(mean, 4), "median": known[len(known) // 2], "least": known[0]}
            holds &= name != must or mean >= LEAST
    summary["idle"] = sum(row["idle"] for row in rows)
    summary["idle_beyond_noise"] = sum(len(row["idle_beyond_noise"]) for row in rows)
    holds &= summary["idle_beyond_noise"] <= 0.05 * max(1, summary["idle"])
    print(json.dumps({**summary, "holds": holds}))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
