"""The Lagrangian bound holds at any prices, is close where that is known, and does not depend on how it is run."""

from __future__ import annotations

from itertools import permutations
from random import Random
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.cases import ALWAYS, OFFICE, by, cheapest, compiled, needing, portfolio, small
from support.portfolios import random_portfolio
from throttle.instance import Instance
from throttle.solve.bounds import Network
from throttle.solve.decoder import Decoder
from throttle.solve.lagrangian import Lagrangian
from throttle.solve.rules import Facts
from throttle_models import Portfolio

WORK = 300.0
ENOUGH = 1e5


def lagrangian(
    instance: Instance, goal: Literal["cost", "flow"] = "cost", fast: bool = False, work: float = WORK
) -> Lagrangian:
    facts = Facts(instance)
    found = Lagrangian(instance, facts, Network(instance, facts), goal, compiled=fast)
    spent = 0.0
    while spent < work and not found.done:
        spent += found.step(50.0)
    return found


def of(made_from: Portfolio, work: float = ENOUGH) -> float:
    found = lagrangian(compiled(made_from).instance, fast=True, work=work)
    assert found.passes > 0
    return found.bound


PLACED = (0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 13)


@pytest.mark.parametrize("seed", PLACED)
def test_it_is_below_an_exhaustive_search(seed: int) -> None:
    made_from = small(seed)
    instance = compiled(made_from).instance
    cost, flow = cheapest(made_from)
    assert lagrangian(instance, "cost", True, 3000).bound <= cost * (1 + 1e-9)
    assert lagrangian(instance, "flow", True, 3000).bound <= flow * (1 + 1e-9)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32 - 1), st.integers(2, 9))
def test_it_is_below_any_schedule(seed: int, items: int) -> None:
    instance = compiled(random_portfolio(seed, items)).instance
    if not instance.n:
        return
    random, decoder = Random(seed), Decoder(instance, compiled=True)
    keys = [np.array([random.random() for _ in range(instance.n)]) for _ in range(60)]
    found = [s for key in keys if (s := decoder.decode(key).schedule) is not None]
    if found:
        assert lagrangian(instance, "cost", True, 2000).bound <= min(s.cost for s in found) * (1 + 1e-9)
        assert lagrangian(instance, "flow", True, 2000).bound <= min(s.flow for s in found) * (1 + 1e-9)
