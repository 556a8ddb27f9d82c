"""Which methods run when, side by side; that it ends in time, and that no clock decides in deterministic mode."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from benchmarks.portfolios import synthetic

from support.cases import by, compiled, portfolio
from support.portfolios import random_portfolio
from throttle.instance import Instance, Schedule
from throttle.solve import Progress, Settings, Solution, Solver
from throttle.solve.exact.cpsat import Found
from throttle.solve.jobs import Modelling, Searching, Span
from throttle_models import Portfolio


def project_network(items: int, seed: int = 1) -> Instance:
    """One machine park of two resources, activities that wait for one or two before; only the end counts."""
    rng = np.random.default_rng(seed)
    work = {}
    for i in range(items):
        before = sorted({int(rng.integers(max(0, i - 6), i)) for _ in range(2)}) if i else []
        work[f"A{i}"] = {
            "wait": f"{int(rng.integers(1, 9))}h",
            "environment": {f"R{k}": int(rng.integers(1, 4)) for k in range(2)},
            "after": [f"A{k}" for k in before],
        }
    data = {
        "as_of": "2026-01-05T00:00Z",
        "slot": "1h",
        "calendars": {"always": {"hours": "daily 00:00-24:00"}},
        "environments": {"R0": {"capacity": 5}, "R1": {"capacity": 4}},
        "people": {"P": {}},
        "policy": {"makespan": "1/hour"},
        "work": work,
    }
    return compiled(Portfolio.model_validate(data)).instance


def solved(instance: Instance, budget: float, **how: object) -> Solution:
    return Solver(instance, Settings(budget=budget, **how)).solve()  # type: ignore[arg-type]


def same(one: Schedule | None, other: Schedule | None) -> bool:
    assert one is not None
    assert other is not None
    return all(np.array_equal(getattr(one, k), getattr(other, k)) for k in ("start", "end", "crew"))


@pytest.mark.parametrize(
    ("instance", "method"),
    [
        (project_network(40), "genetic search"),
        (compiled(synthetic(200, 12)).instance, "annealing"),
        (compiled(random_portfolio(24, 12)).instance, "local search"),
    ],
    ids=["makespan", "many", "general"],
)
def test_what_an_instance_has_decides_the_method_and_no_clock_the_plan(instance: Instance, method: str) -> None:
    first = solved(instance, 1.5, deterministic=True, workers=2)
    assert first.proved or method in first.method
    second = solved(instance, 1.5, deterministic=True, workers=2)
    assert same(first.best, second.best)
    assert (first.bound, first.flow_bound) == (second.bound, second.flow_bound)
    assert first.best is not None
    assert first.bound <= first.best.cost * (1 + 1e-9)
    assert first.flow_bound <= first.best.flow * (1 + 1e-9)


@pytest.mark.parametrize("instance", [project_network(60, 3), compiled(synthetic(300, 15)).instance])
def test_a_stop_ends_a_solve_at_once_and_keeps_the_best(instance: Instance) -> None:
    stop, seen = threading.Event(), list[float]()
    solved(instance, 1.5)  # kernels are compiled

    def report(progress: Progress) -> None:
        if progress.incumbent is not None:
            seen.append(progress.incumbent)

    stopped = list[float]()

    def later() -> None:
        time.sleep(1.0)
        stopped.append(time.monotonic())
        stop.set()

    threading.Thread(target=later, daemon=True).start()
    solution = Solver(instance, Settings(budget=60), report=report, stop=stop).solve()
    if not solution.proved:
        assert solution.interrupted
        assert time.monotonic() - stopped[0] < 5  # a promise of 0.2 s, on a machine that may be busy
    assert solution.best is not None
    assert solution.best.cost <= seen[0]
    assert seen == sorted(seen, reverse=True)


def test_one_worker_does_with_one() -> None:
    solution = solved(project_network(30, 5), 1.2, workers=1, deterministic=True)
    assert solution.best is not None
    assert solution.bound <= solution.best.cost


class _Counting:
    """A search that notes how it is asked, and finds something better at each step."""

    rate = 1000.0

    def __init__(self) -> None:
        self.asked: list[tuple[float, float]] = []
        nothing = np.zeros(0, np.int64)
        self.found = [Schedule(nothing, nothing, nothing, 100.0, 0.0)]

    @property
    def best(self) -> Schedule:
        return self.found[-1]

    def step(self, progress: float, work: float) -> float:
        self.asked.append((progress, work))
        last = self.found[-1]
        self.found.append(Schedule(last.start, last.end, last.crew, last.cost - 1, 0.0))
        return work

    def join(self, schedule: Schedule) -> None:  # noqa: ARG002 - never called
        raise AssertionError("nothing joins in the middle of a span")


def test_a_deterministic_span_is_an_amount_of_work() -> None:
    search = _Counting()
    Searching("counting", search, 0.0, cooling=(0.5, 1.0)).run(Span(0.5, True, lambda: False))
    work = sum(work for _, work in search.asked)
    assert work == pytest.approx(500, rel=0.1)
    shares = [share for share, _ in search.asked]
    assert shares[0] == 0.5
    assert shares == sorted(shares)
    assert shares[-1] < 1


def test_a_search_ends_where_nothing_better_can_be() -> None:
    search = _Counting()
    Searching("counting", search, 90.0).run(Span(60, False, lambda: False))
    assert search.best.cost == 90


def test_a_halt_ends_a_span() -> None:
    search = _Counting()
    Searching("counting", search, 0.0).run(Span(60, False, lambda: len(search.asked) >= 3))
    assert len(search.asked) == 3


def test_what_a_model_says_is_kept() -> None:
    nothing = np.zeros(0, np.int64)
    better = Schedule(nothing, nothing, nothing, 3.0, 0.0)
    job = Modelling("a model", lambda _: Found(better, 3.0, proved=True))
    job.run(Span(1, True, lambda: False))
    assert (job.best, job.bound, job.proved) == (better, 3.0, True)


def test_an_error_in_a_job_is_not_swallowed() -> None:
    instance = compiled(portfolio({"A": by("p1", "2h"), "B": by("p1", "3h", cost_of_delay="5/hour")})).instance
    solver = Solver(instance, Settings(budget=2.0))

    def broken(_: float) -> Found:
        raise RuntimeError("broken")

    from throttle.solve.phases import Phase

    with pytest.raises(RuntimeError, match="broken"):
        solver.run(Phase(1.0, [Modelling("broken", broken)]))
