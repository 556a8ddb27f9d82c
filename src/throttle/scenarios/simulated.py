"""Plans of variants simulated with the same random numbers."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from throttle.scenarios.paired import difference, spread
from throttle.scenarios.solve import Effort, ordered_all
from throttle.simulate import Settings, model_of, simulate
from throttle_models import Plan, Portfolio
from throttle_models.scenario import Simulated

if TYPE_CHECKING:
    from datetime import datetime

    from throttle.instance import Floats

CERTAIN = 0.85
PLAIN_WORK = 200_000
"""Items x runs up to which plain Python will do."""
PILOT, PILOT_FIRST = 48, 1_000_000
"""Runs that choose an order, and the number of the first of them: no other run has one so high."""


@dataclass(frozen=True)
class Runs:
    """What simulating one plan gave."""

    cost: Floats
    """Of each run, in the unit of the plan."""
    finish: dict[str, datetime]
    """Of each project, what 85 % of runs keep."""
    in_time: dict[str, float]
    """Of each project with a due date, the share of runs that keep it."""

    def told(self, base: Runs | None) -> Simulated:
        """``base``: what the difference is against, with the same random numbers."""
        gap = difference(self.cost, base.cost) if base is not None and len(base.cost) == len(self.cost) else None
        return Simulated(runs=len(self.cost), cost=spread(self.cost), difference=gap, finish=self.finish)


def simulate_variants(
    variants: Mapping[str, Portfolio],
    plans: Mapping[str, Plan],
    base: str,
    runs: int,
    effort: Effort,
    stop: threading.Event | None = None,
    kept: Collection[str] = (),
) -> dict[str, Runs]:
    """``runs`` runs of each variant that has a plan, with the same random numbers. What ``stop`` cut off is missing.

    ``kept``: variants without a plan of their own, which are simulated in the order chosen for all.

    Plans of equal cost on paper differ in how they bear uncertain times, by chance and by more than what is compared.
    So pilot runs, not used again, choose one order for all: that of the plan which bears them best where
    nothing is changed. Each variant is simulated in that order or its own, whichever does better in its pilot runs.
    """
    stop = stop or threading.Event()
    if base not in plans:
        return {}
    orders = {name: plan for name, plan in plans.items() if name != base}
    others = {name: (variants[base], plan) for name, plan in orders.items()}
    tried = {base: plans[base]} | ordered_all(others, effort, stop)
    # in all; few runs are quicker in plain Python than loading numba
    work = (len(plans) * (2 * PILOT + runs) + len(kept) * runs) * max(1, len(plans[base].items))
    compiled = True if work > PLAIN_WORK else None
    order = _best(tried, effort.seed, stop, compiled)
    if order is None or stop.is_set():
        return {}
    again = ordered_all({name: (variants[name], order) for name in [*orders, *kept]}, effort, stop)
    found: dict[str, Runs] = {}
    for name in [base, *orders]:
        both = {"order": order if name == base else again.get(name), "own": plans[name]}
        plan = (
            order
            if name == base
            else _best({k: p for k, p in both.items() if p is not None}, effort.seed, stop, compiled)
        )
        if plan is None or stop.is_set():
            break
        found[name] = simulate_plan(plan, runs, effort.seed, compiled=compiled)
    for name in kept:
        if name in again and not stop.is_set():
            found[name] = simulate_plan(again[name], runs, effort.seed, compiled=compiled)
    return found


def _best(plans: Mapping[str, Plan], seed: int, stop: threading.Event, compiled: bool | None = None) -> Plan | None:
    """The plan with the least mean cost of delay in pilot runs, the first of equal ones."""
    best, least = None, float("inf")
    for plan in plans.values():
        if stop.is_set():
            return None
        mean = float(simulate_plan(plan, PILOT, seed, PILOT_FIRST, compiled).cost.mean()) if len(plans) > 1 else 0.0
        if mean < least * (1 - 1e-9):
            best, least = plan, mean
    return best


def simulate_plan(plan: Plan, runs: int, seed: int, first: int = 0, compiled: bool | None = None) -> Runs:
    """Runs of a plan that carries its portfolio, from number ``first`` on; raises ValueError where it does not."""
    if plan.portfolio is None:
        raise ValueError("the plan does not carry its portfolio")
    model = model_of(plan.portfolio, plan, Settings(items=False))
    sample = simulate(model, runs, seed, first=first, compiled=compiled)
    finish, in_time = {}, {}
    for k, name in enumerate(model.projects):
        ends = np.sort(sample.projects[:, k])
        finish[name] = model.moment(float(ends[min(len(ends), ceil(CERTAIN * len(ends))) - 1]))
        due = plan.projects[name].due if name in plan.projects else None
        if due is not None:
            in_time[name] = round(float((sample.projects[:, k] <= model.origin.exact(due) + 1e-9).mean()), 6)
    return Runs(np.asarray(sample.cost, np.float64), finish, in_time)
