"""The Lagrangian bound on both goals: a fixed number of passes over the prices, and what it proves by then."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from throttle.graph import WorkGraph
from throttle.planning import feasible_instance
from throttle.solve.bounds import Network
from throttle.solve.bounds.lagrangian import Goal, Lagrangian
from throttle.solve.rules import Facts
from throttle_models import Portfolio

PASSES = 100
GOALS: tuple[Goal, ...] = ("cost", "flow")


@pytest.mark.parametrize("goal", GOALS)
def test_lagrangian(benchmark: BenchmarkFixture, portfolio: Portfolio, goal: Goal) -> None:
    instance = feasible_instance(portfolio, WorkGraph(portfolio)).instance
    facts = Facts(instance)
    network = Network(instance, facts)

    def bound() -> float:
        found = Lagrangian(instance, facts, network, goal)
        while found.passes < PASSES and not found.done:
            found.step(1e4)
        return found.bound

    benchmark.extra_info["bound"] = benchmark.pedantic(bound, rounds=1, warmup_rounds=1)
    assert benchmark.extra_info["bound"] >= 0
