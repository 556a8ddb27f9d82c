"""A whole plan: compile, search with a fixed amount of work, lift, check."""

from __future__ import annotations

from collections.abc import Callable

from pytest_benchmark.fixture import BenchmarkFixture

from throttle_models import Plan


def test_plan(benchmark: BenchmarkFixture, plan_again: Callable[[], Plan], planned: Plan) -> None:
    plan = benchmark.pedantic(plan_again, rounds=3)
    assert plan.certificate.checked
    assert plan.certificate.objective == planned.certificate.objective
