"""Costs in whole numbers are in proportion to costs, or say that they are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.always_open import open_portfolio
from support.cases import by, compiled, portfolio
from throttle.solve.decoder import Decoder
from throttle.solve.exact.goal import LARGEST_VALUE, Goal


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_values_are_in_proportion_to_costs(seed: int) -> None:
    instance = compiled(open_portfolio(seed)).instance
    goal = Goal.of(instance)
    assert goal.exact
    decoder = Decoder(instance, compiled=False)
    for key in (np.arange(instance.n, dtype=float), -np.arange(instance.n, dtype=float)):
        schedule = decoder.decode(key).schedule
        assert schedule is not None
        value = goal.value(schedule.start, schedule.end)
        assert value == pytest.approx(goal.scale * schedule.cost)
        assert goal.least(schedule.cost) == value


def test_a_date_inside_a_slot_is_counted_in_parts() -> None:
    c = compiled(portfolio({"A": by("p1", "3h", due="2026-11-23T09:30", cost_of_delay="4/hour")}))
    goal = Goal.of(c.instance)
    assert goal.parts == 60
    assert goal.exact
    assert goal.value(np.array([0]), np.array([3])) == pytest.approx(goal.scale * 1.5 * 4)


def test_weights_that_no_integers_stand_for_are_rounded_and_said_so() -> None:
    rates = [1 / 997, 1 / 991, 1 / 983, 1 / 977, 1 / 971, 1 / 967]
    work = {f"W{i}": by("p1", "1h", cost_of_delay=f"{rate:.12f}/week") for i, rate in enumerate(rates)}
    instance = compiled(portfolio(work)).instance
    goal = Goal.of(instance)
    assert not goal.exact
    assert sum(goal.tardiness + goal.flow) * goal.parts * (instance.slots + 1) <= LARGEST_VALUE
    start = np.arange(6)
    cost = float((instance.arrays.flow * (start + 1)).sum())
    assert goal.value(start, start + 1) == pytest.approx(goal.scale * cost, rel=1e-3)
