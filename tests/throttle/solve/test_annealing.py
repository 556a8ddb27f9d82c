"""Annealing over keys: it improves, never worsens, repeats itself, and what it finds is a schedule of its decoder."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from support.cases import by, compiled, portfolio
from support.portfolios import random_data
from throttle.check import check
from throttle.compile import Compiled
from throttle.instance import Instance, Schedule
from throttle.planning import build_plan
from throttle.solve import Settings, Solution
from throttle.solve.annealing import Annealing, Chronological, dispatch, ranks, supports
from throttle.solve.rules import Facts, first_come
from throttle_models import Portfolio


def queue(people: int = 2, items: int = 12) -> Compiled:
    """Items that cost the more the later they stand in the file."""
    work = {
        f"W{i}": {
            "needs": [{"skill": "a", "effort": f"{2 + i % 3}h"}],
            "cost_of_delay": f"{1 + i}/hour",
            **({"due": f"{i}h"} if i % 2 else {}),
        }
        for i in range(items)
    }
    return compiled(portfolio(work, {f"p{k}": {"skills": ["a"]} for k in range(people)}))


def begun(instance: Instance, seed: int = 1, fast: bool = True) -> tuple[Annealing, Schedule]:
    decoder, key = Chronological(instance, fast), first_come(Facts(instance))
    first = decoder.decode(key).schedule
    assert first is not None
    return Annealing(decoder, key, first, seed), first


def search(chain: Annealing, work: float, steps: int = 20) -> Schedule:
    for k in range(steps):
        assert chain.step(k / steps, work / steps) > 0
    return chain.best


def test_finds_the_order_that_costs_least() -> None:
    """Of items without due dates on one person, the most cost per hour first (Smith 1956)."""
    work = {f"W{i}": by("p1", f"{1 + i % 4}h", cost_of_delay=f"{1 + (i * 7) % 9}/hour") for i in range(9)}
    instance = compiled(portfolio(work)).instance
    chain, first = begun(instance)
    found = search(chain, 1e5)
    rate, hours = instance.arrays.flow, instance.arrays.work
    order = np.argsort(-rate / hours, kind="stable")
    least = float((rate[order] * np.cumsum(hours[order])).sum())
    assert found.cost == pytest.approx(least)
    assert found.cost < first.cost


def test_best_never_gets_worse_and_is_what_a_checker_accepts() -> None:
    taken = 0
    for seed in range(12):
        data = random_data(seed, 15)
        data["policy"] = {}
        for person in data["people"].values():
            person.pop("wip", None)
        for item in data["work"].values():
            item.pop("change", None)
            item.pop("after", None)
        made_from = Portfolio.model_validate(data)
        c = compiled(made_from)
        if not (c.instance.n and supports(c.instance)):
            continue
        decoder, key = Chronological(c.instance), first_come(Facts(c.instance))
        first = decoder.decode(key).schedule
        if first is None:
            continue
        chain, last = Annealing(decoder, key, first, seed), first
        for k in range(5):
            chain.step(k / 5, 3e3)
            assert not last.better(chain.best)
            last = chain.best
        verdict = check(build_plan(c, Solution(last, first, first), Settings()), made_from)
        assert [v.message for v in verdict.violations] == []
        assert verdict.objective == pytest.approx(last.cost)
        taken += 1
    assert taken > 5


def test_compiled_and_plain_search_alike() -> None:
    instance = queue().instance
    one, two = begun(instance, fast=False)[0], begun(instance)[0]
    assert search(one, 2e3, 3) is one.best
    search(two, 2e3, 3)
    assert np.array_equal(one.best.start, two.best.start)
    assert one.best.cost == two.best.cost
    assert one.walk.tally.tolist() == two.walk.tally.tolist()
    assert one.walk.tally[1] > 20


def test_same_seed_same_result_in_any_number_of_threads() -> None:
    instance = queue(items=30).instance
    alone = search(begun(instance, 7)[0], 2e5).cost
    chains = [begun(instance, 7)[0] for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda chain: search(chain, 2e5).cost, chains))
    assert found == [alone] * 4


def test_takes_over_what_is_better_and_nothing_else() -> None:
    instance = queue(items=30).instance
    better, _ = begun(instance, 3)
    found = search(better, 1e5)
    chain, first = begun(instance, 4)
    chain.join(found)
    assert chain.best is found
    chain.join(first)
    assert chain.best is found
    search(chain, 1e4, 2)
    assert chain.best.cost <= found.cost


def test_a_step_does_about_the_work_asked_for() -> None:
    chain, _ = begun(queue(items=40).instance)
    for work in (200.0, 2000.0, 20000.0):
        assert work <= chain.step(0.5, work) <= work + 2 * 40


def test_dispatch_tries_keys_the_first_of_which_decodes() -> None:
    instance = queue(items=30).instance
    decoder, facts = Chronological(instance, compiled=False), Facts(instance)
    tried = list(dispatch(facts, decoder))
    assert len(tried) >= 15
    costs = [o.schedule.cost for _, o in tried if o.schedule]
    assert len(costs) == len(tried)
    reference = decoder.decode(first_come(facts)).schedule
    assert reference is not None
    assert min(costs) < reference.cost
    assert costs[0] < reference.cost


def test_dispatch_of_what_costs_nothing_and_of_what_has_no_place() -> None:
    short = compiled(portfolio({"A": by("p1", "4h"), "B": by("p1", "4h")}), slots=6).instance
    outcomes = [o for _, o in dispatch(Facts(short), Chronological(short, compiled=False))]
    assert all(o.schedule is None and o.missing for o in outcomes)


def test_ranks_break_ties_by_order() -> None:
    assert ranks(np.array([3.0, 1.0, 3.0, -2.0])).tolist() == [2, 1, 3, 0]
