"""What if: the same portfolio with changes, planned and simulated side by side (docs/foresee.md)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from throttle.calendars import as_of
from throttle.scenarios.paired import need_runs
from throttle.scenarios.patch import need_comparable, with_scenario
from throttle.scenarios.solve import EFFORT, SAME, Effort, Solved, solve_all
from throttle_models import Plan, PlanStatus, Portfolio
from throttle_models.scenario import AS_IS, ProjectOutcome, Scenario, Variant, WhatIf

if TYPE_CHECKING:
    from throttle.scenarios.simulated import Runs

DAY = timedelta(days=1)


def what_if(
    portfolio: Portfolio,
    scenarios: Mapping[str, Scenario],
    effort: Effort = EFFORT,
    *,
    runs: int = 0,
    start: Plan | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> tuple[WhatIf, dict[str, Plan]]:
    """Each scenario against the portfolio as it is: planned with the same effort, then simulated with the same chance.

    runs: simulated ones of each plan; 0: none. start: a plan of the portfolio that searches begin with. Also the plans,
    by scenario. Raises InputError where a scenario changes what is not there; one that can be read and not planned is a
    variant with a problem. What ``stop`` cut off is missing.
    """
    need_runs(runs)
    variants = {AS_IS: portfolio} | {name: with_scenario(portfolio, one, name) for name, one in scenarios.items()}
    for name, variant in variants.items():
        need_comparable(portfolio, variant, name)
    solved = solve_all(variants, effort, start, tell=tell, stop=stop)
    simulated: Mapping[str, Runs] = {}
    if runs and not (stop and stop.is_set()):
        from throttle.scenarios.simulated import simulate_variants

        tell("simulating")
        plans = {name: one.plan for name, one in solved.items() if one.plan is not None}
        simulated = simulate_variants(variants, plans, AS_IS, runs, effort, stop)
    base, base_runs = solved.get(AS_IS, Solved()), simulated.get(AS_IS)
    found = {
        name: _variant(one, base, scenarios.get(name, Scenario()).title, simulated.get(name), base_runs)
        for name, one in solved.items()
    }
    answer = WhatIf(
        as_of=as_of(portfolio),
        zone=portfolio.zone,
        currency=portfolio.currency,
        seed=effort.seed,
        budget=effort.budget,
        runs=runs if simulated else 0,
        variants=found,
    )
    return answer, {name: one.plan for name, one in solved.items() if one.plan is not None}


def _variant(solved: Solved, base: Solved, title: str, runs: Runs | None, base_runs: Runs | None) -> Variant:
    plan, as_is = solved.plan, base.plan
    if plan is None:
        return Variant(title=title, problem=solved.problem)
    goal = plan.certificate.objective
    change = luck = None
    if as_is is not None and solved is not base:
        other = as_is.certificate.objective
        change = _change(goal.value, other.value)
        luck = round(goal.value - goal.bound + other.value - other.bound, 6)
    return Variant(
        title=title,
        status="optimal" if plan.certificate.status is PlanStatus.OPTIMAL else "feasible",
        objective=goal.value,
        bound=goal.bound,
        change=change,
        luck=luck,
        projects=_projects(plan, as_is if solved is not base else None, runs),
        new=tuple(id for id in plan.items if as_is is not None and id not in as_is.items),
        left_out={
            id: why.text for id, why in plan.unscheduled.items() if as_is is not None and id not in as_is.unscheduled
        },
        moved=sum(item.start != as_is.items[id].start for id, item in plan.items.items() if id in as_is.items)
        if as_is is not None
        else 0,
        drum=_other_drum(plan, as_is),
        simulated=runs.told(base_runs if runs is not base_runs else None) if runs is not None else None,
    )


def _other_drum(plan: Plan, as_is: Plan | None) -> str | None:
    """The drum of the policy, else the bottleneck named, where it is another one than as it is."""
    if as_is is None:
        return None
    drum, before = plan.pace or plan.drum, as_is.pace or as_is.drum
    return drum.name if drum is not None and before is not None and drum.people != before.people else None


def _change(value: float, other: float) -> float:
    return 0.0 if abs(value - other) <= SAME * max(abs(value), abs(other)) else round(value - other, 6)


def _projects(plan: Plan, as_is: Plan | None, runs: Runs | None) -> dict[str, ProjectOutcome]:
    found = {}
    for name, entry in plan.projects.items():
        before = as_is.projects.get(name) if as_is is not None else None
        days = None
        if before is not None and before.finish is not None and entry.finish is not None:
            days = round((entry.finish - before.finish) / DAY, 4)
        elif before is not None and before.finish is None and entry.finish is None:
            days = 0.0  # neither can be finished
        found[name] = ProjectOutcome(
            title=entry.title,
            finish=entry.finish,
            late_weeks=entry.late_weeks,
            cost=entry.cost,
            days=days,
            p_in_time=runs.in_time.get(name) if runs is not None else None,
        )
    return found


__all__ = ["EFFORT", "Effort", "what_if"]
