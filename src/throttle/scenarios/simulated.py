"""Plans of variants simulated with the same random numbers."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from throttle.scenarios.paired import difference, spread
from throttle.scenarios.robust import FINALISTS, Search, best_orders, judging
from throttle.scenarios.solve import Effort, ordered_all
from throttle.simulate import Executable, Model, Sample, Settings, simulate
from throttle.simulate.model import longest_run
from throttle_models import Plan, Portfolio
from throttle_models.scenario import Simulated

if TYPE_CHECKING:
    from datetime import datetime

    from throttle.instance import Floats, Schedule

CERTAIN = 0.85
PLAIN_WORK = 20_000
"""Items x runs up to which plain Python will do."""
ORDER_WORK, MOST_ORDERS = 600_000, 300
"""Items x runs that looking for an order takes for each second of the effort, and most orders that are tried."""
MORE = 4
"""Each variant then tries one order for so many of these."""
CHAINS = 2
"""So many times an order is looked for, with a share of the work each."""


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

    ``kept``: variants without a plan of their own, which are simulated in the order found for the base.

    Each variant is simulated in an order that bears uncertain times well (:mod:`throttle.scenarios.robust`): first one
    is looked for where nothing is changed, from the orders of all plans on; then each variant, the base too, tries the
    best of them and its own plan, and looks on with the same work. What the base is simulated in, the others are too,
    unless something else costs less by more than the standard error of the difference. Large portfolios try less.
    """
    stop = stop or threading.Event()
    if base not in plans:
        return {}
    size = max(1, len(plans[base].items))
    judged, final = judging(size)
    orders = min(MOST_ORDERS, int(ORDER_WORK * effort.budget / (size * judged)))
    more = orders // MORE
    tries = max(1, more)  # of orders from elsewhere, which take as long each
    # few runs are quicker in plain Python than loading numba
    work = (orders + len(plans) * more) * judged + (len(plans) + len(kept)) * (FINALISTS * (judged + final) + runs)
    compiled = work * size > PLAIN_WORK
    settings = Settings(items=False, weeks=max(longest_run(plan) for plan in plans.values()))

    def search(name: str) -> Search:
        return Search(variants[name], plans[name], settings, effort.seed, compiled, stop)

    def chain(number: int) -> Search:
        """One of those that look for an order of the base."""
        one = search(base)
        one.try_orders(begin)
        one.anneal(orders // CHAINS, effort.seed * CHAINS + number)
        return one

    def looked(name: str) -> Search:
        one = search(name)
        one.try_orders(found)
        one.anneal(more, effort.seed)
        return one

    def chosen(one: Search) -> Runs | None:
        one.try_orders(shared)
        return figures(one.executable, one.best(usual))

    def simulated_kept(name: str) -> Runs | None:
        if name not in again or stop.is_set() or again[name].items.keys() & plans[base].unscheduled.keys():
            return None  # what it does beyond the base would cost, and not where it is not done
        return chosen(Search(variants[name], again[name], settings, effort.seed, compiled, stop))

    def figures(executable: Executable, schedule: Schedule) -> Runs | None:
        if stop.is_set():
            return None
        model = executable.model(schedule)
        sample = simulate(model, runs, effort.seed, compiled=compiled, workers=1, stop=stop)
        return _figures(model, executable.plan, sample) if len(sample.cost) == runs else None

    pool = search(base)
    pool.try_orders(list(plans.values())[: max(CHAINS, orders)])
    begin = best_orders([pool])
    with ThreadPoolExecutor(max(1, effort.jobs)) as threads:
        chains = list(threads.map(chain, range(CHAINS)))
        found = best_orders(chains)[:tries]
        again = ordered_all({name: (variants[name], found[0]) for name in kept}, effort, stop)
        searches = list(threads.map(looked, plans))
        shared = [order for one in searches for order in best_orders([one], 1)][:tries]
        first = searches[list(plans).index(base)]
        first.try_orders(shared)
        usual = first.order(first.best())
        told = dict(zip(plans, threads.map(chosen, searches), strict=True))
        told |= dict(zip(kept, threads.map(simulated_kept, kept), strict=True))
    return {name: one for name, one in told.items() if one is not None}


def _figures(model: Model, plan: Plan, sample: Sample) -> Runs:
    finish, in_time = {}, {}
    for k, name in enumerate(model.projects):
        ends = np.sort(sample.projects[:, k])
        finish[name] = model.moment(float(ends[min(len(ends), ceil(CERTAIN * len(ends))) - 1]))
        due = plan.projects[name].due if name in plan.projects else None
        if due is not None:
            in_time[name] = round(float((sample.projects[:, k] <= model.origin.exact(due) + 1e-9).mean()), 6)
    return Runs(np.asarray(sample.cost, np.float64), finish, in_time)
