"""Portfolios that the benchmarks share, and plans of them; made once, outside of what is timed."""

from __future__ import annotations

from functools import cache

import pytest

from support.portfolios import random_portfolio
from throttle.planning import make_plan
from throttle_models import Plan, Portfolio

SIZES = (50, 200)
"""Activities, about."""


@cache
def _portfolio(items: int) -> Portfolio:
    return random_portfolio(seed=1, items=items)


@cache
def _planned(items: int) -> Plan:
    return make_plan(_portfolio(items), budget=1.0, seed=1, workers=1, deterministic=True)


@pytest.fixture(params=SIZES, ids=lambda n: f"{n}-items")
def size(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def portfolio(size: int) -> Portfolio:
    return _portfolio(size)


@pytest.fixture
def planned(size: int) -> Plan:
    """By a fixed amount of work; the kernels are compiled after it."""
    return _planned(size)
