"""What reliance says of each single absence against plans made for it alone, on portfolios of all features.

    python -m benchmarks.reliance 50                    # so many portfolios
    python -m benchmarks.reliance 10 --items 12 --budget 1s

Each absence (a week, and for good) is written into the portfolio by hand, as data, and planned with ``make_plan`` and
nothing of reliance. A line for each portfolio, then a summary. Where both plans are proven to cost least, the costs
must be equal; else they must not contradict what is proven (none below the bound of the other), and are counted as
``open``, or ``dearer`` where reliance has the plan that costs more. What cannot be finished any more is charged as
docs/foresee.md says, worked out here by hand. Ends with 1 where one does not hold. Portfolios are measured in two
processes (``--jobs``), which does not change what is found.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from benchmarks import options
from support.portfolios import random_data
from throttle.compile import rates_of
from throttle.errors import ThrottleError
from throttle.executors import open_executor
from throttle.planning import make_plan
from throttle.reliance import WEEKS, reliance
from throttle.scenarios.solve import Effort
from throttle_models import Plan, Portfolio

MOST_PEOPLE = 6
"""Of a portfolio, whose absences are planned: the others are as good."""
MORE = 20
"""Times the work, where reliance has found a cheaper plan with everybody: charges need the finishes of that one."""
UNDISPUTED = ("equal", "open", "dearer")


def away(data: dict[str, Any], person: str, for_good: bool) -> Portfolio:
    """The portfolio with an absence, written by hand."""
    copy = json.loads(json.dumps(data))
    first = date.fromisoformat(copy["as_of"][:10])
    last = first + timedelta(days=365 * 20 if for_good else 7) - timedelta(days=1)
    copy["people"][person].setdefault("away", []).append(f"{first}/{last}")
    if for_good:
        for item in copy["work"].values():
            for need in item.get("needs", ()):
                if person in need.get("who", ()) and ("skill" in need or len(need["who"]) > 1):
                    need["who"] = [p for p in need["who"] if p != person]
        pins = copy.get("policy", {}).get("pins", [])
        kept = [pin for pin in pins if person not in pin.get("who", ())]
        if pins:
            copy["policy"]["pins"] = kept
    return Portfolio.model_validate(copy)


def measured(seed: int, items: int, budget: float) -> dict[str, Any] | None:
    """The figures of one portfolio; None where it cannot be planned with everybody."""
    data = random_data(seed, items)
    portfolio = Portfolio.model_validate(data)
    people = list(portfolio.people)[:MOST_PEOPLE]
    try:
        found = reliance(portfolio, effort=Effort(budget), people=people, trainings=0)
        base = make_plan(portfolio, budget=budget, workers=1, deterministic=True)
        if base.certificate.objective.value > found.objective + 1e-6 * max(1.0, abs(found.objective)):
            base = make_plan(portfolio, budget=MORE * budget, workers=1, deterministic=True)
    except ThrottleError:
        return None
    row: dict[str, Any] = {"portfolio": seed, "absences": 0, "equal": 0, "open": 0, "dearer": 0, "wrong": []}
    for person in people:
        for kind, told in (("week", found.week), ("good", found.good)):
            try:
                plan = make_plan(away(data, person, kind == "good"), budget=budget, workers=1, deterministic=True)
            except ThrottleError:
                plan = None
            row["absences"] += 1
            verdict = compared(portfolio, told[person], base, plan, found.objective)
            if verdict in UNDISPUTED:
                row[verdict] += 1
            else:
                row["wrong"].append(f"{person}, {kind}: {verdict}")
    return row


def compared(portfolio: Portfolio, told: Any, base: Plan, plan: Plan | None, objective: float) -> str:
    """``equal``; where not all is proven and nothing is contradicted, ``open``, or ``dearer`` where reliance has a plan
    that costs more than the one made for the absence alone; else what is wrong."""
    if plan is None:
        return "equal" if told.problem else "a plan was told, and there is none"
    if told.problem:
        return "no plan was told, and there is one"
    gone = {id for id in plan.unscheduled if id not in base.unscheduled}
    if gone != set(told.impossible):
        return "other items are impossible"
    goals = base.certificate.objective, plan.certificate.objective
    cost = goals[1].value - goals[0].value + charged(portfolio, base, plan)
    near = 1e-6 * max(1.0, abs(goals[0].value), abs(goals[1].value), abs(cost))
    if abs(told.cost - cost) <= near and abs(objective - goals[0].value) <= near:
        return "equal"
    if objective < goals[0].bound - near:
        return f"{objective:.6g} with everybody is below the bound {goals[0].bound:.6g}"
    if abs(objective - goals[0].value) > near:
        return "open"  # charges depend on the plan with everybody
    # of the objective with the absence, what reliance says
    with_it = objective + told.cost - charged(portfolio, base, plan)
    if all(goal.proved for goal in goals) and told.luck <= near:
        return f"costs {told.cost:.6g}, and a plan says {cost:.6g}"
    if with_it < goals[1].bound - near:
        return f"{with_it:.6g} is below the bound {goals[1].bound:.6g}"
    return "dearer" if with_it - goals[1].value > near else "open"


def charged(portfolio: Portfolio, base: Plan, plan: Plan) -> float:
    """What is charged for projects and items that cannot be finished any more, less what they cost in the plans.

    As if each were finished ``WEEKS`` later than planned (docs/foresee.md), worked out by hand. Exact only where the
    plan with everybody is the one that reliance has; with other finishes at the same cost it may differ.
    """
    total = 0.0
    holders = [*portfolio.projects.values(), *portfolio.work.values()]
    if not portfolio.policy.makespan and not any(any(rates_of(holder)) for holder in holders):
        # nothing has a rate: the objective is the weeks until each item is finished
        gone = (id for id in plan.unscheduled if id not in base.unscheduled)
        return sum(WEEKS + (base.items[id].finish - base.as_of) / timedelta(weeks=1) for id in gone)
    for name, before in base.projects.items():
        after = plan.projects.get(name)
        if before.finish is None or (after is not None and after.finish is not None):
            continue
        holder = portfolio.projects.get(name) or portfolio.work[name]
        delay, tardiness, flow, makespan, _ = rates_of(holder)
        late = WEEKS
        if before.due is not None:
            late = max(0.0, (before.finish - before.due) / timedelta(weeks=1) + WEEKS) - before.late_weeks
        total += (delay + tardiness) * late + (flow + makespan) * WEEKS
        total += before.cost - (after.cost if after is not None else 0.0)
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portfolios", type=options.whole(1), help="how many")
    parser.add_argument("--items", type=options.whole(1), default=12, help="of each (12)")
    parser.add_argument("--budget", type=options.seconds, default=0.3, help="work for each plan (0.3s)")
    parser.add_argument("--seed", type=options.whole(0), default=1, help="of the first portfolio (1)")
    parser.add_argument("--jobs", type=options.whole(1), default=2, help="portfolios at once (2)")
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    seed = asked.seed
    with open_executor(None, asked.jobs) as pool:
        while len(rows) < asked.portfolios:
            some = range(seed, seed + asked.portfolios - len(rows))
            waiting = [pool.submit(measured, one, asked.items, asked.budget) for one in some]
            for future in waiting:
                if (row := future.result()) is not None:
                    print(json.dumps(row), flush=True)
                    rows.append(row)
            seed = some.stop
    total = {key: sum(row[key] for row in rows) for key in ("absences", *UNDISPUTED)}
    wrong = sum(len(row["wrong"]) for row in rows)
    print(json.dumps({"summary": "reliance", "portfolios": len(rows), **total, "wrong": wrong, "holds": wrong == 0}))
    return 0 if wrong == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
