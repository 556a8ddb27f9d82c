"""Orders that bear uncertain times well: better than the plan where it is as cheap on paper, and as lawful."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from throttle.check.fast import check_schedule
from throttle.scenarios.robust import Search, best_orders, judging
from throttle.scenarios.simulated import simulate_variants
from throttle.scenarios.solve import Effort, solve
from throttle.simulate import Settings, model_of, simulate
from throttle_models import Plan, Portfolio
from throttle_models.scenario import AS_IS

QUICK = Effort(budget=0.05)
TWO: dict[str, Any] = {
    "as_of": "2026-11-23T08:00",
    "zone": "UTC",
    "calendars": {"office": {"hours": "Mon-Fri 08:00-12:00 13:00-17:00"}},
    "people": {"ana": {"skills": ["oracle"]}},
    "projects": {
        "sure": {"cost_of_delay": "1000/week", "due": "2026-11-25T17:00"},
        "wild": {"cost_of_delay": "1000/week", "due": "2026-11-25T17:00"},
    },
    "work": {
        "S": {"project": "sure", "needs": [{"skill": "oracle", "effort": "4h"}]},
        "W": {"project": "wild", "needs": [{"skill": "oracle", "effort": "1h/4h/40h"}]},
    },
    "simulation": {"spread": None},
}
"""Both orders cost nothing on paper; whoever waits for W is late in many runs."""


def portfolio_of(**more: Any) -> Portfolio:
    return Portfolio.model_validate(TWO | more)


def wild_first() -> tuple[Portfolio, Plan]:
    portfolio = portfolio_of()
    pinned = portfolio_of(policy={"pins": [{"work": "W", "start": "2026-11-23T08:00"}]})
    plan = solve(pinned, QUICK).model_copy(update={"portfolio": portfolio})
    assert plan.items["W"].start < plan.items["S"].start
    assert plan.certificate.objective.value == pytest.approx(solve(portfolio, QUICK).certificate.objective.value)
    return portfolio, plan


def search_of(portfolio: Portfolio, plan: Plan) -> Search:
    return Search(portfolio, plan, Settings(items=False), 1, False, threading.Event())


def mean_of(portfolio: Portfolio, plan: Plan, runs: int = 200) -> float:
    return float(simulate(model_of(portfolio, plan, Settings(items=False)), runs, 7).cost.mean())


def test_what_is_sure_goes_first_where_both_orders_cost_the_same_on_paper() -> None:
    portfolio, plan = wild_first()
    search = search_of(portfolio, plan)
    search.anneal(4, 1)
    first, best = search.executable.compiled.instance.activities.index("S"), search.best()
    assert best.start[first] == 0
    assert not check_schedule(search.executable.compiled.instance, best)
    found = plan.model_copy(update={"items": search.order(best).items})
    assert mean_of(portfolio, found) < 0.8 * mean_of(portfolio, plan)


def test_the_order_of_another_plan_is_tried() -> None:
    portfolio, plan = wild_first()
    other = search_of(portfolio, plan)
    other.anneal(4, 1)
    search = search_of(portfolio, plan)
    search.try_orders(best_orders([other], 1))
    assert search.ranked()[0].cost == pytest.approx(other.ranked()[0].cost)
    assert len(best_orders([search, other])) == 2  # of which each is told once


def test_what_is_simulated_does_not_depend_on_how_many_work_at_it() -> None:
    portfolio, plan = wild_first()
    people = {name: {"skills": ["oracle"]} for name in ("ana", "ben")}
    variants = {AS_IS: portfolio, "more": portfolio_of(people=people)}
    plans = {AS_IS: plan, "more": solve(variants["more"], QUICK)}
    one, two = (simulate_variants(variants, plans, AS_IS, 60, Effort(0.05, 1, jobs)) for jobs in (1, 2))
    assert list(one) == list(two) == [AS_IS, "more"]
    for name in one:
        np.testing.assert_array_equal(one[name].cost, two[name].cost)
    assert one["more"].cost.mean() < one[AS_IS].cost.mean() < mean_of(portfolio, plan)


def test_nothing_is_told_of_what_is_stopped() -> None:
    portfolio, plan = wild_first()
    stop = threading.Event()
    stop.set()
    assert simulate_variants({AS_IS: portfolio}, {AS_IS: plan}, AS_IS, 20, QUICK, stop) == {}


def test_larger_portfolios_are_judged_by_fewer_runs() -> None:
    assert judging(1) == (48, 256)
    assert judging(10_000) == (16, 32)
    judged, final = zip(*(judging(n) for n in (1, 50, 100, 200, 400)), strict=True)
    assert list(judged) == sorted(judged, reverse=True)
    assert list(final) == sorted(final, reverse=True)
