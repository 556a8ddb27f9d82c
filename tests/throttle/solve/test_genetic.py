"""Genetic search finds known optima, and whatever it finds passes the checker."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.cases import compiled, needing, portfolio
from support.never_closed import always_open_portfolio, always_open_portfolios
from support.portfolios import random_portfolio
from throttle.check import check
from throttle.compile import Compiled
from throttle.instance import Schedule
from throttle.planning import build_plan
from throttle.solve import Settings, Solution
from throttle.solve.decoder import Decoder
from throttle.solve.genetic import Genetic, supports
from throttle.solve.rules import RULES, Facts
from throttle_models import Portfolio

MAKESPAN = {"makespan": "168/week"}
"""1 for each hour, so that the cost is the last end."""


def passes(c: Compiled, schedule: Schedule) -> None:
    plan = build_plan(c, Solution(schedule, schedule, schedule), Settings())
    verdict = check(plan, c.written)
    assert [v.message for v in verdict.violations] == []
    assert verdict.objective == pytest.approx(schedule.cost)


@given(always_open_portfolios(10), st.integers(0, 1000))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_what_it_finds_passes_the_checker(made_from: Portfolio, seed: int) -> None:
    c = compiled(made_from)
    search = Genetic(c.instance, seed, expected=0)
    search.step(0.0, 60 * search.decode_work)
    passes(c, search.best)


@pytest.mark.parametrize("people", [65, 130])
def test_with_more_people_than_bits_in_a_word(people: int) -> None:
    c = compiled(always_open_portfolio(people, 14, people))
    search = Genetic(c.instance, 1, compiled=True)
    search.step(0.0, 500 * search.decode_work)
    passes(c, search.best)


def test_it_finds_and_recognises_the_optimum_of_two_chains() -> None:
    """Both chains need the one tester in the middle: 2 + 3 + 3 + 1 hours at best, whichever goes first."""
    work = {}
    for chain in "AB":
        work[f"{chain}1"] = {"wait": "2h"}
        work[f"{chain}2"] = needing("qa", "3h", after=[f"{chain}1"])
        work[f"{chain}3"] = {"wait": "1h", "after": [f"{chain}2"]}
    c = compiled(portfolio(work, {"p": {"skills": {"qa": 1}}}, skills=["qa"], policy=MAKESPAN))
    search = Genetic(c.instance, 1, expected=0)
    search.bound = 9.0
    search.step(0.0, 1000 * search.decode_work)
    assert search.best.cost == pytest.approx(9)
    assert search.done


def test_it_finds_a_perfect_packing() -> None:
    """Twelve waits fill an environment of 6 without a gap, but no order by length or size does."""
    pieces = [(4, 3), (4, 3), (3, 2), (5, 2), (2, 4), (3, 4), (3, 4), (5, 1), (3, 1), (2, 3), (3, 3), (3, 3)]
    area = sum(length * size for length, size in pieces)
    work = {f"W{i}": {"wait": f"{length}h", "environment": {"e": size}} for i, (length, size) in enumerate(pieces)}
    c = compiled(portfolio(work, environments={"e": {"capacity": 6}}, policy=MAKESPAN))
    search = Genetic(c.instance, 3)
    search.bound = -(-area // 6)
    search.step(0.0, 20_000 * search.decode_work)
    assert search.done
    assert search.best.cost == pytest.approx(-(-area // 6))


def test_same_seed_same_steps_same_schedule() -> None:
    instance = compiled(always_open_portfolio(11, 30)).instance
    found = []
    for _ in range(2):
        search = Genetic(instance, 5, expected=0)
        for _ in range(5):
            search.step(0.0, 100 * search.decode_work)
        found.append(search.best)
    assert np.array_equal(found[0].start, found[1].start)
    assert np.array_equal(found[0].crew, found[1].crew)


def test_best_only_improves_and_is_there_before_the_first_step() -> None:
    search = Genetic(compiled(always_open_portfolio(12, 40)).instance, 2, expected=0)
    costs = [search.best.cost]
    for _ in range(20):
        assert search.step(0.0, 30 * search.decode_work) > 0
        costs.append(search.best.cost)
    assert costs == sorted(costs, reverse=True)


def test_a_schedule_found_elsewhere_is_taken_over() -> None:
    c = compiled(always_open_portfolio(13, 40))
    good, other = Genetic(c.instance, 1), Genetic(c.instance, 2, expected=0)
    good.step(0.0, 1000 * good.decode_work)
    before = other.best.cost
    assert good.best.cost < before
    other.join(good.best)
    assert other.best.cost <= good.best.cost
    passes(c, other.best)
    worse = Decoder(c.instance, compiled=False).decode(-RULES["greedy"](Facts(c.instance))).schedule
    assert worse is not None
    other.join(worse)
    assert other.best.cost <= good.best.cost


def test_times_alone_get_crews() -> None:
    """The starts of a schedule, without its people, lead to one no worse."""
    c = compiled(always_open_portfolio(14, 12, 9))
    good, other = Genetic(c.instance, 1), Genetic(c.instance, 2, expected=0, compiled=False)
    good.step(0.0, 2000 * good.decode_work)
    other.seed_times(good.best.start)
    passes(c, other.best)


def test_what_it_does_not_take() -> None:
    always = compiled(portfolio({"A": {"wait": "2h"}}, policy=MAKESPAN)).instance
    assert supports(always)
    two = {"A": {"wait": "2h"}, "B": {"wait": "2h"}}
    assert not supports(compiled(portfolio(two)).instance)  # the flow of each item, not the last end
    lead = {"A": {"wait": "2h"}, "B": {"wait": "2h", "after": [{"item": "A", "lag": "-1h", "lag_in": "elapsed"}]}}
    assert not supports(compiled(portfolio(lead, policy=MAKESPAN)).instance)
    assert not supports(compiled(random_portfolio(3, 8)).instance)
