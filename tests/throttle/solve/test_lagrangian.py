"""The Lagrangian bound holds at any prices, is close where that is known, and does not depend on how it is run."""

from __future__ import annotations

from itertools import permutations
from random import Random
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.cases import OFFICE, by, cheapest, compiled, needing, portfolio, small
from support.portfolios import random_portfolio
from throttle.instance import Instance
from throttle.solve.bounds import Network
from throttle.solve.bounds.lagrangian import Lagrangian
from throttle.solve.decoder import Decoder
from throttle.solve.rules import Facts
from throttle_models import Portfolio

Goal = Literal["cost", "flow"]
PASSES, FEW = 120, 30


def lagrangian(instance: Instance, goal: Goal = "cost", fast: bool = True) -> Lagrangian:
    facts = Facts(instance)
    return Lagrangian(instance, facts, Network(instance, facts), goal, fast)


def after(passes: int, found: Lagrangian, work: float = 10.0) -> Lagrangian:
    while found.passes < passes and not found.done:
        assert found.step(work) > 0
    return found


def bound_of(made_from: Portfolio, goal: Goal = "cost") -> float:
    found = after(10_000, lagrangian(compiled(made_from).instance, goal))
    assert found.done
    assert found.passes > 0
    return found.bound


PLACED = (0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 13)


@pytest.mark.parametrize("seed", PLACED)
def test_it_is_below_an_exhaustive_search(seed: int) -> None:
    made_from = small(seed)
    instance = compiled(made_from).instance
    cost, flow = cheapest(made_from)
    assert after(PASSES, lagrangian(instance, "cost")).bound <= cost * (1 + 1e-9)
    assert after(PASSES, lagrangian(instance, "flow")).bound <= flow * (1 + 1e-9)


@pytest.mark.parametrize(("seed", "items"), [(1653, 2), (9017, 18), (9082, 18)])
def test_cases_that_once_went_wrong(seed: int, items: int) -> None:
    """A crew past the last price; a crew whose end is linked; groups of the same members."""
    instance = compiled(random_portfolio(seed, items)).instance
    random, decoder = Random(seed), Decoder(instance, compiled=True)
    keys = [np.array([random.random() for _ in range(instance.n)]) for _ in range(80)]
    found = [s for key in keys if (s := decoder.decode(key).schedule) is not None]
    assert found
    goals: tuple[Goal, ...] = ("cost", "flow")
    for goal in goals:
        least = min(s.cost if goal == "cost" else s.flow for s in found)
        assert after(PASSES, lagrangian(instance, goal)).bound <= least * (1 + 1e-9)
        assert after(3, lagrangian(instance, goal, fast=False)).bound <= least * (1 + 1e-9)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
def test_it_is_below_any_schedule(seed: int, items: int) -> None:
    instance = compiled(random_portfolio(seed, items)).instance
    if not instance.n:
        return
    random, decoder = Random(seed), Decoder(instance, compiled=True)
    keys = [np.array([random.random() for _ in range(instance.n)]) for _ in range(40)]
    found = [s for key in keys if (s := decoder.decode(key).schedule) is not None]
    if found:
        assert after(FEW, lagrangian(instance, "cost")).bound <= min(s.cost for s in found) * (1 + 1e-9)
        assert after(FEW, lagrangian(instance, "flow")).bound <= min(s.flow for s in found) * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(700, 706))
def test_compiled_and_plain_agree(seed: int) -> None:
    instance = compiled(random_portfolio(seed, 5)).instance
    plain, fast = (after(12, lagrangian(instance, "flow", fast)) for fast in (False, True))
    assert plain.passes == fast.passes
    assert plain.bound == pytest.approx(fast.bound, rel=1e-6)


def test_a_pass_may_be_cut_anywhere() -> None:
    instance = compiled(random_portfolio(12, 30)).instance
    short, long = (after(60, lagrangian(instance, "flow"), work) for work in (0.01, 1.0))
    assert short.passes == long.passes > 0
    assert short.bound == long.bound


@pytest.mark.parametrize("seed", range(6))
def test_on_one_person_it_is_close_to_smiths_rule(seed: int) -> None:
    random = Random(seed)
    items = [(random.randint(1, 6), random.randint(1, 9)) for _ in range(5)]
    made_from = portfolio({f"W{i}": by("p1", f"{p}h", cost_of_delay=f"{w}/hour") for i, (p, w) in enumerate(items)})

    def cost(order: tuple[tuple[int, int], ...]) -> int:
        at = total = 0
        for p, w in order:
            at += p
            total += w * at
        return total

    best = min(cost(order) for order in permutations(items))
    goals: tuple[Goal, ...] = ("cost", "flow")
    for goal in goals:
        assert 0.93 * best <= bound_of(made_from, goal) <= best * (1 + 1e-9)


def test_tardiness_of_what_cannot_all_be_in_time() -> None:
    """Four items of 4 hours, all due after 8: two are late, by 4 and by 8 hours."""
    work = {f"W{i}": by("p1", "4h", due="8h", cost_of_delay="5/hour") for i in range(4)}
    assert 0.9 * 60 <= bound_of(portfolio(work)) <= 60 * (1 + 1e-9)


def test_skills_that_overlap_are_priced_together() -> None:
    """Two people hold both skills. Each skill alone would let its four items of 4 hours end at 4, 4, 8 and 8."""
    people = {"p1": {"skills": ["a", "b"]}, "p2": {"skills": ["a", "b"]}}
    work = {f"{s}{i}": needing(s, "4h", cost_of_delay="1/hour") for s in "ab" for i in range(4)}
    best = 2 * (4 + 8 + 12 + 16)
    assert 0.93 * best <= bound_of(portfolio(work, people)) <= best * (1 + 1e-9)


def test_environments_are_priced() -> None:
    """Nobody is scarce; the one lab takes four waits and works one after the other."""
    work: dict[str, Any] = {f"W{i}": by(f"p{i + 1}", "4h", environment="lab", cost_of_delay="1/hour") for i in range(3)}
    work["W3"] = {"wait": "4h", "environment": "lab", "cost_of_delay": "1/hour"}
    assert 0.93 * 40 <= bound_of(portfolio(work, people=3, environments={"lab": {}})) <= 40 * (1 + 1e-9)


def test_closed_time_counts() -> None:
    """From Monday 09:00 in office hours: three items of 8 hours end after 8, 32 and 56 hours."""
    work = {f"W{i}": by("p1", "8h", cost_of_delay="1/hour") for i in range(3)}
    made_from = portfolio(work, calendars=OFFICE, as_of="2026-11-23T09:00Z")
    assert 0.93 * 96 <= bound_of(made_from) <= 96 * (1 + 1e-9)


def test_crews_of_different_calendars_work_when_both_are_there() -> None:
    """Mornings and afternoons share the hours from 11 to 13; so two items of 4 hours end on Tuesday and Thursday."""
    calendars = {"early": {"hours": "Mon-Fri 07:00-13:00"}, "late": {"hours": "Mon-Fri 11:00-17:00"}}
    people = {"p1": {"calendar": "early", "skills": ["a"]}, "p2": {"calendar": "late", "skills": ["b"]}}
    work = {
        f"W{i}": {"needs": [{"skill": s, "effort": "4h"} for s in "ab"], "cost_of_delay": "1/hour"} for i in range(2)
    }
    made_from = portfolio(work, people, calendars=calendars, as_of="2026-11-23T07:00Z")
    best = (24 + 6) + (72 + 6)
    alone = 2 * (24 + 6)
    assert 1.3 * alone <= bound_of(made_from) <= best * (1 + 1e-9)


def test_a_project_and_its_items_may_both_cost() -> None:
    """Two chains of two 4-hour items on one person; projects and their first items each cost 1 an hour."""
    work: dict[str, Any] = {}
    for p in "PQ":
        work[f"{p}1"] = by("p1", "4h", project=p, cost_of_delay="1/hour")
        work[f"{p}2"] = by("p1", "4h", project=p, after=[f"{p}1"])
    projects = {p: {"cost_of_delay": "1/hour"} for p in "PQ"}
    best = 4 + 8 + 12 + 16  # one chain after the other, or the two first items before the others
    assert 0.9 * best <= bound_of(portfolio(work, projects=projects)) <= best * (1 + 1e-9)


def test_where_nobody_is_needed_there_is_nothing_to_price() -> None:
    found = lagrangian(compiled(portfolio({"A": {"wait": "3h", "cost_of_delay": "1/hour"}})).instance)
    assert not found.supports()
    assert found.done
    assert found.step(1.0) > 0
    assert found.bound == 0
