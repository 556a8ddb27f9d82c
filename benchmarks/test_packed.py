"""The packed decoder and the genetic search on it: how many children a second, and how good the schedule is."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from throttle.graph import WorkGraph
from throttle.instance import Instance
from throttle.planning import feasible_instance
from throttle.solve.genetic import Genetic
from throttle_models import Portfolio

CHILDREN = 2000
"""A fixed amount of work."""


def _network(seed: int, items: int, people: int) -> Portfolio:
    """Items in layers, each waiting for some of the layer before; four environments, or one to three of the people."""
    random = Random(seed)
    capacity = {f"env{k}": 12 for k in range(4)}
    work: dict[str, Any] = {}
    for i in range(items):
        hours = random.randint(1, 10)
        item: dict[str, Any] = {"wait": f"{hours}h"}
        if people:
            count = random.randint(1, 3)
            item = {"needs": [{"skill": random.choice("abcd"), "people": count, "effort": f"{hours * count}h"}]}
        else:
            item["environment"] = {name: random.randint(1, 8) for name in random.sample(sorted(capacity), 2)}
        before = range(max(0, i - 20), max(0, i - 5))
        item["after"] = [f"W{k}" for k in random.sample(before, min(len(before), random.randint(0, 2)))]
        work[f"W{i}"] = item
    staff = {f"p{i}": {"skills": dict.fromkeys(random.sample("abcd", 2), 1)} for i in range(people)}
    return Portfolio.model_validate(
        {
            "as_of": "2026-11-23T08:00:00+00:00",
            "slot": "1h",
            "calendars": {"always": {"hours": "daily 00:00-24:00"}},
            "skills": list("abcd"),
            "environments": {name: {"capacity": amount} for name, amount in capacity.items()},
            "people": staff or {"nobody": {}},
            "work": work,
            "policy": {"makespan": "168/week"},
        }
    )


@pytest.fixture(params=["environments-120", "crews-120", "crowd-120"])
def instance(request: pytest.FixtureRequest) -> Instance:
    kind = request.param.split("-")[0]
    portfolio = _network(1, 120, {"environments": 0, "crews": 20, "crowd": 150}[kind])
    return feasible_instance(portfolio, WorkGraph(portfolio)).instance


def test_genetic(benchmark: BenchmarkFixture, instance: Instance) -> None:
    Genetic(instance, 1).step(0.0, 0.0)  # compiles

    def search() -> Genetic:
        found = Genetic(instance, 1, expected=0)
        found.step(0.0, CHILDREN * found.decode_work)
        return found

    found = benchmark.pedantic(search, rounds=3)
    benchmark.extra_info |= {"cost": found.best.cost, "critical_path": found.packing.critical}
    assert found.best.cost >= found.packing.critical
