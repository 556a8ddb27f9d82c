"""Local search, neighbourhoods and the solver that decides between them."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from benchmarks.portfolios import synthetic

from support.cases import by, compiled, portfolio
from support.portfolios import random_portfolio
from throttle.instance import Instance, Schedule
from throttle.solve import Progress, Settings, Solution, Solver, relative_gap
from throttle.solve.decoder import Decoder
from throttle.solve.exact.neighbourhoods import NEIGHBOURHOODS
from throttle.solve.local import LocalSearch
from throttle.solve.rules import Facts, first_come


def begun(instance: Instance, seed: int = 1) -> tuple[LocalSearch, Schedule]:
    facts, decoder = Facts(instance), Decoder(instance, compiled=False)
    key = first_come(facts)
    first = decoder.decode(key).schedule
    assert first is not None
    return LocalSearch(facts, decoder, key, first, seed), first


def worst_order(items: int) -> Instance:
    """The longest and least valuable first."""
    work = {f"W{i}": by("p1", f"{items - i}h", cost_of_delay=f"{1 + i}/hour") for i in range(items)}
    return compiled(portfolio(work)).instance


def test_local_search_turns_a_bad_order_round() -> None:
    instance = worst_order(7)
    search, first = begun(instance)
    for k in range(400):
        search.step(k / 400)
    optimum = Decoder(instance, compiled=False).decode(-np.arange(7.0)).schedule
    assert optimum is not None
    assert search.best.cost == pytest.approx(optimum.cost)
    assert search.best.cost < 0.7 * first.cost


@pytest.mark.parametrize("seed", [17, 33])
def test_the_best_never_gets_worse(seed: int) -> None:
    search, first = begun(compiled(random_portfolio(seed, 12)).instance)
    values = [first.cost]
    for k in range(150):
        search.step(k / 150)
        values.append(search.best.cost)
    assert values == sorted(values, reverse=True)
    search.restart()
    assert search.best.cost == values[-1]


def test_steps_depend_on_the_seed_alone() -> None:
    instance = worst_order(7)

    def walk(seed: int) -> list[float]:
        search, _ = begun(instance, seed)
        found = []
        for k in range(60):
            search.step(k / 60)
            found.append(search.current.cost)
        return found

    assert walk(1) == walk(1)
    assert walk(1) != walk(2)


@pytest.mark.parametrize("name", NEIGHBOURHOODS)
def test_neighbourhoods_are_parts_of_the_instance(name: str) -> None:
    """Where several projects cost, each kind finds parts in several places."""
    instance = compiled(synthetic(60, 8, 1)).instance
    _, schedule = begun(instance)
    facts, seen = Facts(instance), set()
    for seed in range(20):
        free = NEIGHBOURHOODS[name](facts, schedule, 8, Random(seed))
        assert 0 < len(free) <= 8
        assert all(isinstance(j, int) and 0 <= j < instance.n for j in free)
        assert free == NEIGHBOURHOODS[name](facts, schedule, 8, Random(seed))
        seen.add(free)
    assert len(seen) > 3


@pytest.mark.parametrize("name", NEIGHBOURHOODS)
def test_neighbourhoods_of_what_is_small_or_without_people(name: str) -> None:
    for work in ({"A": {"wait": "1h"}}, {"A": by("p1", "1h"), "B": {}}):
        instance = compiled(portfolio(work)).instance
        _, schedule = begun(instance)
        assert NEIGHBOURHOODS[name](Facts(instance), schedule, 40, Random(0)) <= set(range(instance.n))


def solved(instance: Instance, budget: float = 0.1, **how: object) -> Solution:
    return Solver(instance, Settings(budget=budget, deterministic=True), **how).solve()  # type: ignore[arg-type]


def test_a_solution_is_never_worse_than_what_it_was_given() -> None:
    instance = worst_order(6)
    good = solved(instance).best
    assert good is not None
    again = Solver(instance, Settings(budget=1e-3, deterministic=True), hint=good).solve()
    assert again.best is not None
    assert again.best.cost == good.cost
    bad = Decoder(instance, compiled=False).decode(np.arange(6.0)).schedule
    assert bad is not None
    better = Solver(instance, Settings(budget=1e-3, deterministic=True), hint=bad).solve()
    assert better.best is not None
    assert better.best.cost <= bad.cost


def test_nothing_to_schedule_is_solved() -> None:
    solution = solved(compiled(portfolio({})).instance)
    assert solution.proved
    assert solution.best is not None
    assert (solution.best.cost, solution.gap) == (0, 0)


def test_without_room_there_is_no_solution() -> None:
    instance = compiled(portfolio({"A": by("p1", "4h"), "B": by("p1", "4h")}), slots=6).instance
    solution = solved(instance)
    assert solution.best is None
    assert len(solution.missing) == 1
    assert not solution.proved


def test_phases_and_methods() -> None:
    told: list[Progress] = []
    small = solved(compiled(random_portfolio(24, 12)).instance, 0.2, report=told.append)
    assert small.best is not None
    assert small.proved or {"local search", "exact model"} <= set(small.method)
    assert told[-1].phase == "done"


def test_a_larger_budget_is_not_worse() -> None:
    instance = compiled(random_portfolio(61, 14)).instance
    little, much = solved(instance, 0.005), solved(instance, 0.1)
    assert little.best is not None
    assert much.best is not None
    assert much.best.cost <= little.best.cost
    assert much.bound >= little.bound


@pytest.mark.parametrize(
    ("value", "bound", "gap"), [(100, 75, 0.25), (100, 100, 0), (100, 0, 1), (0, 0, 0), (100, 100.0001, 0)]
)
def test_the_gap_is_relative_to_the_value(value: float, bound: float, gap: float) -> None:
    assert relative_gap(value, bound) == pytest.approx(gap)
