from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from throttle.check import check
from throttle.check.fast import check_schedule
from throttle.graph import WorkGraph
from throttle.lift import lift, lower
from throttle.planning import feasible_instance
from throttle_models import Plan, Portfolio


def test_check(benchmark: BenchmarkFixture, portfolio: Portfolio, planned: Plan) -> None:
    assert benchmark(check, planned, portfolio).ok


def test_check_on_arrays(benchmark: BenchmarkFixture, portfolio: Portfolio, planned: Plan) -> None:
    compiled = feasible_instance(portfolio, WorkGraph(portfolio))
    schedule = lower(compiled, dict(planned.items))
    assert schedule is not None
    assert benchmark(check_schedule, compiled.instance, schedule) == []


def test_lift(benchmark: BenchmarkFixture, portfolio: Portfolio, planned: Plan) -> None:
    compiled = feasible_instance(portfolio, WorkGraph(portfolio))
    schedule = lower(compiled, dict(planned.items))
    assert schedule is not None
    assert benchmark(lift, compiled, schedule) == planned.items
