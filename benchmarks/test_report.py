from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from throttle.report import render_report
from throttle_models import Plan, Portfolio


def test_report(benchmark: BenchmarkFixture, portfolio: Portfolio, planned: Plan) -> None:
    assert benchmark(render_report, planned, portfolio).endswith("</html>\n")
