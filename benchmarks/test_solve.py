"""A whole plan: compile, search with a fixed amount of work, lift, check."""

from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from throttle.planning import make_plan
from throttle_models import Plan, Portfolio


def test_plan(benchmark: BenchmarkFixture, portfolio: Portfolio, planned: Plan) -> None:
    arguments = {"budget": 1.0, "seed": 1, "workers": 1, "deterministic": True}
    plan = benchmark.pedantic(make_plan, (portfolio,), arguments, rounds=3)
    assert plan.certificate.checked
    assert plan.certificate.objective == planned.certificate.objective
