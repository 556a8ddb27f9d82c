"""Bounds hold: nothing that anyone finds, by whatever search, is below them."""

from __future__ import annotations

from itertools import permutations
from random import Random

import numpy as np
import pytest

from support.cases import OFFICE, by, cheapest, compiled, needing, portfolio, small
from support.portfolios import random_portfolio
from throttle.instance import Instance
from throttle.solve.bounds import Network, lower_bounds
from throttle.solve.decoder import Decoder
from throttle.solve.rules import Facts
from throttle_models import Portfolio


def bounds(made_from: Portfolio) -> tuple[float, float]:
    instance = compiled(made_from).instance
    return lower_bounds(instance, Facts(instance))


def least_of_orders(instance: Instance, orders: int, seed: int) -> tuple[float, float]:
    """The least cost and flow of many orders and choices of people."""
    random, decoder = Random(seed), Decoder(instance, compiled=False)
    a = instance.arrays
    cost = flow = float("inf")
    for k in range(orders):
        forced = decoder.free.copy()
        if k % 2:
            for q in np.flatnonzero(a.people == 1).tolist():
                able = a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist()
                forced[a.crew_ptr[q]] = random.choice(able) if random.random() < 0.5 else -1
        schedule = decoder.decode(np.array([random.random() for _ in range(instance.n)]), forced).schedule
        if schedule:
            cost, flow = min(cost, schedule.cost), min(flow, schedule.flow)
    return cost, flow


PLACED = (0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 13)


@pytest.mark.parametrize("seed", PLACED)
def test_bounds_are_below_an_exhaustive_search(seed: int) -> None:
    made_from = small(seed)
    c = compiled(made_from)
    assert not c.unscheduled  # the seeds are those in which everything has a place
    bound, flow_bound = lower_bounds(c.instance, Facts(c.instance))
    cost, flow = cheapest(made_from)
    assert 0 <= bound <= cost * (1 + 1e-9)
    assert 0 <= flow_bound <= flow * (1 + 1e-9)
    assert flow_bound > 0 or flow == 0


@pytest.mark.parametrize("seed", range(300, 330))
def test_bounds_are_below_many_orders(seed: int) -> None:
    instance = compiled(random_portfolio(seed, 6)).instance
    if not instance.n:
        return
    bound, flow_bound = lower_bounds(instance, Facts(instance))
    cost, flow = least_of_orders(instance, 30, seed)
    assert bound <= cost * (1 + 1e-9)
    assert flow_bound <= flow * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_on_one_person_the_bound_is_smiths_rule(seed: int) -> None:
    """Single items without dates: the mean busy time bound is exact, and so is its proof."""
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
    bound, flow_bound = bounds(made_from)
    assert bound == pytest.approx(best)
    assert flow_bound == pytest.approx(best)


def test_the_network_alone_bounds_a_chain() -> None:
    """Office hours: A Monday 09:00-17:00, an elapsed lag over night, B on Tuesday from 13:00."""
    made_from = portfolio(
        {
            "A": by("p1", "8h"),
            "B": by("p2", "2h", after=[{"item": "A", "lag": "20h", "lag_in": "elapsed"}], cost_of_delay="1/hour"),
        },
        people=2,
        calendars=OFFICE,
        as_of="2026-11-23T09:00Z",
    )
    instance = compiled(made_from).instance
    network = Network(instance, Facts(instance))
    assert network.start.tolist() == [0, 28]
    assert network.end.tolist() == [8, 30]
    assert lower_bounds(instance, Facts(instance))[0] == pytest.approx(30)


def test_two_people_share_what_only_they_can_do() -> None:
    """Six items of four hours for two people: three rounds at 4, 8 and 12 hours."""
    people = {"p1": {"skills": ["a"]}, "p2": {"skills": ["a"]}}
    made_from = portfolio({f"W{i}": needing("a", "4h", cost_of_delay="1/hour") for i in range(6)}, people)
    bound, _ = bounds(made_from)
    assert 0.85 * 48 <= bound <= 48


def test_an_environment_bounds_as_people_do() -> None:
    work = {f"W{i}": by(f"p{i + 1}", "4h", environment="lab", cost_of_delay="1/hour") for i in range(4)}
    bound, _ = bounds(portfolio(work, people=4, environments={"lab": {}}))
    assert bound == pytest.approx(4 + 8 + 12 + 16)


def test_due_dates_only_count_what_is_late() -> None:
    work = {
        "A": by("p1", "4h", due="4h", cost_of_delay="5/hour"),
        "B": by("p1", "4h", due="5h", cost_of_delay="2/hour"),
    }
    bound, flow = bounds(portfolio(work))
    assert bound == pytest.approx(2 * 3)
    assert flow == pytest.approx(5 * 4 + 2 * 8)


def test_makespan_is_bounded_by_the_work_of_all() -> None:
    people = {"p1": {"skills": ["a"]}, "p2": {"skills": ["a"]}}
    work = {f"W{i}": needing("a", "3h") for i in range(4)}
    bound, _ = bounds(portfolio(work, people, policy={"makespan": "10/hour"}))
    assert bound == pytest.approx(60)
