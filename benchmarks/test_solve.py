"""The parts of a solve, and a whole plan with a fixed amount of work: compile, search, lift, check."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from throttle.graph import WorkGraph
from throttle.instance import Instance
from throttle.planning import feasible_instance
from throttle.solve.bounds import lower_bounds
from throttle.solve.decoder import Decoder
from throttle.solve.rules import RULES, Facts, bottleneck_atc
from throttle_models import Plan, Portfolio


@pytest.fixture
def instance(portfolio: Portfolio) -> Instance:
    return feasible_instance(portfolio, WorkGraph(portfolio)).instance


def test_feasible_instance(benchmark: BenchmarkFixture, portfolio: Portfolio) -> None:
    """Compile, and sort out what could never be scheduled even alone."""
    found = benchmark.pedantic(lambda: feasible_instance(portfolio, WorkGraph(portfolio)), rounds=3, warmup_rounds=1)
    assert found.instance.n > 0


def test_rules(benchmark: BenchmarkFixture, instance: Instance) -> None:
    """The facts of an instance and the keys of every rule."""

    def keys() -> int:
        facts = Facts(instance)
        return sum(len(rule(facts)) for rule in RULES.values()) + len(bottleneck_atc(facts, 2.0, 0.5, 0.3))

    assert benchmark(keys) == instance.n * (len(RULES) + 1)


def test_decode(benchmark: BenchmarkFixture, instance: Instance) -> None:
    """One order into one schedule, by the compiled kernel: what local search does at each step."""
    decoder = Decoder(instance, compiled=True)
    key = RULES["greedy"](Facts(instance))
    assert decoder.decode(key).schedule is not None  # compiles
    assert benchmark(decoder.decode, key).schedule is not None


def test_bounds(benchmark: BenchmarkFixture, instance: Instance) -> None:
    facts = Facts(instance)
    cost, flow = benchmark.pedantic(lower_bounds, (instance, facts), rounds=3, warmup_rounds=1)
    benchmark.extra_info |= {"cost": cost, "flow": flow}
    assert flow > 0


def test_plan(benchmark: BenchmarkFixture, plan_again: Callable[[], Plan], planned: Plan) -> None:
    """Beside the time, how good the plan is: speed must not be bought with quality unseen."""
    plan = benchmark.pedantic(plan_again, rounds=3)
    certificate = plan.certificate
    for goal in (certificate.objective, certificate.flow):
        benchmark.extra_info[goal.name] = {
            "value": goal.value,
            "bound": goal.bound,
            "greedy": goal.greedy,
            "first_come": goal.first_come,
        }
    assert certificate.checked
    assert certificate.objective == planned.certificate.objective
    assert certificate.flow == planned.certificate.flow
