from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from throttle.check import check
from throttle_models import Plan, Portfolio


def test_check(benchmark: BenchmarkFixture, portfolio: Portfolio, planned: Plan) -> None:
    assert benchmark(check, planned, portfolio).ok
