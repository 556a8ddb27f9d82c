"""The searches and the bound, each for a fixed amount of work, and how good what they find in it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from benchmarks.portfolios import synthetic
from benchmarks.projects import limited_by_crews, limited_by_resources
from pytest_benchmark.fixture import BenchmarkFixture

from throttle.check.fast import check_schedule
from throttle.graph import WorkGraph
from throttle.instance import Instance
from throttle.planning import feasible_instance
from throttle.solve.annealing import Annealing, Chronological
from throttle.solve.bounds import Network
from throttle.solve.bounds.lagrangian import Lagrangian
from throttle.solve.genetic import Genetic
from throttle.solve.rules import RULES, Facts
from throttle_models import Portfolio

SECONDS = 1.0
"""What the work of a search stands for on a usual core."""
PROJECTS: dict[str, Callable[[], Portfolio]] = {
    "resources-120": lambda: limited_by_resources(120),
    "crews-60": lambda: limited_by_crews(60, 12),
}


def compiled(portfolio: Portfolio) -> Instance:
    return feasible_instance(portfolio, WorkGraph(portfolio)).instance


@pytest.fixture(scope="module")
def large() -> Instance:
    return compiled(synthetic(items=1000, people=40))


@pytest.mark.parametrize("project", PROJECTS)
def test_genetic(benchmark: BenchmarkFixture, project: str) -> None:
    instance = compiled(PROJECTS[project]())

    def search() -> float:
        genetic = Genetic(instance, 1, Genetic.rate * SECONDS)
        done = 0.0
        while done < Genetic.rate * SECONDS and not genetic.done:
            done += genetic.step(0.0, Genetic.rate * SECONDS / 20)
        assert check_schedule(instance, genetic.best) == []
        return genetic.best.cost

    value = benchmark.pedantic(search, rounds=3, warmup_rounds=1)  # type: ignore[no-untyped-call]
    benchmark.extra_info["makespan"] = {"value": value}


def test_chronological(benchmark: BenchmarkFixture, large: Instance) -> None:
    """One order into one schedule."""
    decoder, key = Chronological(large), RULES["greedy"](Facts(large))
    assert decoder.decode(key).schedule is not None  # compiles
    assert benchmark(decoder.decode, key).schedule is not None


def test_annealing(benchmark: BenchmarkFixture, large: Instance) -> None:
    decoder, key = Chronological(large), RULES["greedy"](Facts(large))
    first = decoder.decode(key).schedule
    assert first is not None

    def search() -> float:
        annealing = Annealing(decoder, key, first, 1)
        total, done = Annealing.rate * SECONDS, 0.0
        while done < total:
            done += annealing.step(done / total, total / 100)
        assert check_schedule(large, annealing.best) == []
        return annealing.best.cost

    value = benchmark.pedantic(search, rounds=3, warmup_rounds=1)  # type: ignore[no-untyped-call]
    benchmark.extra_info["cost of delay"] = {"value": value}


def test_lagrangian(benchmark: BenchmarkFixture, large: Instance) -> None:
    """The bound on weighted flow; kept is what a schedule is above it."""
    facts = Facts(large)
    greedy = Chronological(large).decode(RULES["greedy"](facts)).schedule
    assert greedy is not None

    def search() -> float:
        lagrangian = Lagrangian(large, facts, Network(large, facts), "flow")
        done = 0.0
        while done < Lagrangian.rate * SECONDS and not lagrangian.done:
            done += lagrangian.step(Lagrangian.rate * SECONDS / 20)
        return lagrangian.bound

    bound = benchmark.pedantic(search, rounds=3, warmup_rounds=1)  # type: ignore[no-untyped-call]
    assert 0 < bound <= greedy.flow
    benchmark.extra_info["gap of greedy"] = {"value": greedy.flow - bound}


def test_check_arrays(benchmark: BenchmarkFixture, large: Instance) -> None:
    schedule = Chronological(large).decode(RULES["greedy"](Facts(large))).schedule
    assert schedule is not None
    assert benchmark(check_schedule, large, schedule) == []
