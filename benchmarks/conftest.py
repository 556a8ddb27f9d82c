"""Portfolios that the benchmarks share, and plans of them; made once, outside of what is timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest
from benchmarks.calibration import calibration
from benchmarks.portfolios import synthetic
from pytest_benchmark.fixture import BenchmarkFixture

from support.portfolios import random_portfolio
from throttle.demo import demo_folder
from throttle.files import load_portfolio
from throttle.planning import make_plan
from throttle_models import Plan, Portfolio

PORTFOLIOS: dict[str, Callable[[], Portfolio]] = {
    "random-50": lambda: random_portfolio(seed=1, items=50),
    "synthetic-100": lambda: synthetic(items=100, people=10),
    "synthetic-1000": lambda: synthetic(items=1000, people=40),
    "parts-unlimited": lambda: load_portfolio(demo_folder()),
}
HOW = {"budget": 2.0, "seed": 1, "workers": 1, "deterministic": True}
"""A fixed amount of work, and enough of it that the kernels are compiled."""


@cache
def _portfolio(name: str) -> Portfolio:
    return PORTFOLIOS[name]()


@cache
def _planned(name: str) -> Plan:
    return make_plan(_portfolio(name), **HOW)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def calibrated(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keeps with each benchmark how fast the machine was right before and after it."""
    if "benchmark" not in request.fixturenames or request.config.getoption("--benchmark-disable"):
        yield
        return
    benchmark: BenchmarkFixture = request.getfixturevalue("benchmark")
    before = calibration()
    yield
    benchmark.extra_info["calibration"] = (before + calibration()) / 2


@pytest.fixture(params=PORTFOLIOS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def portfolio(name: str) -> Portfolio:
    return _portfolio(name)


@pytest.fixture
def planned(name: str) -> Plan:
    return _planned(name)


@pytest.fixture
def plan_again(name: str) -> Callable[[], Plan]:
    """Makes the same plan once more, by the same amount of work."""
    _planned(name)  # compiles the kernels
    return lambda: make_plan(_portfolio(name), **HOW)  # type: ignore[arg-type]
