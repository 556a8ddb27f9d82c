from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from throttle.compile import compile_portfolio, horizon_guess
from throttle.graph import WorkGraph
from throttle_models import Portfolio


def test_compile(benchmark: BenchmarkFixture, portfolio: Portfolio) -> None:
    def compiled() -> int:
        graph = WorkGraph(portfolio)
        return compile_portfolio(portfolio, graph, horizon_guess(portfolio, graph)).instance.n

    assert benchmark(compiled) > 0


def test_graph(benchmark: BenchmarkFixture, portfolio: Portfolio) -> None:
    """Precedence expanded, cycles looked for."""
    assert benchmark(lambda: WorkGraph(portfolio).cycles()) == []
