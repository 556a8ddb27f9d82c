"""What must hold for any portfolio, from input to verified plan.

The default run draws a few, always the same; ``pytest -m long tests/test_properties.py`` draws many. Everything here
repeats: deterministic mode, and portfolios that are the same for the same seed.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.cases import by, cheapest, compiled, plan_of, portfolio, small
from support.portfolios import portfolios, random_portfolio
from throttle.check import check
from throttle.errors import NoPlanError
from throttle.planning import make_plan
from throttle.solve.bounds import lower_bounds
from throttle.solve.rules import Facts
from throttle_models import Plan, PlanStatus, Portfolio

LITTLE = 0.01
"""Seconds that a deterministic budget stands for: dispatch and some local search."""


def examples(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def planned(made_from: Portfolio, budget: float = LITTLE) -> Plan | None:
    """A plan, or None where none is found; any other error is a defect."""
    try:
        return make_plan(made_from, budget=budget, deterministic=True)
    except NoPlanError:
        return None


def sound(plan: Plan, made_from: Portfolio) -> None:
    """What a plan promises of itself."""
    verdict = check(plan, made_from)
    assert [v.message for v in verdict.violations] == []
    certificate = plan.certificate
    assert certificate.checked
    for goal, value in ((certificate.objective, verdict.objective), (certificate.flow, verdict.flow)):
        assert goal.value == pytest.approx(value, abs=1e-9)
        assert 0 <= goal.bound <= goal.value * (1 + 1e-9)
        assert 0 <= goal.gap <= 1
    objective = certificate.objective
    assert objective.value <= min(objective.first_come, objective.greedy) * (1 + 1e-9)
    assert (certificate.status is PlanStatus.OPTIMAL) == objective.proved
    if objective.proved:
        assert objective.bound == pytest.approx(objective.value, abs=1e-9)
        assert objective.gap == pytest.approx(0, abs=1e-9)
    else:
        assert certificate.status is PlanStatus.FEASIBLE
    history = {i for i, item in made_from.work.items() if item.status in ("done", "cancelled")}
    assert set(plan.done) == history
    assert {*plan.items, *plan.unscheduled, *plan.containers, *plan.done} == {*made_from.work, *plan.inserted}
    assert certificate.scheduled == len(plan.items)
    assert certificate.items == len(plan.items) + len(plan.unscheduled)


def any_portfolio(made_from: Portfolio) -> None:
    """A plan that the checker accepts, never worse than either baseline."""
    if plan := planned(made_from):
        sound(plan, made_from)


def against_exhaustive_search(seed: int) -> None:
    """No bound, and no proven optimum, is above what a search of every order and crew finds by the text alone."""
    made_from = small(seed)
    plan = plan_of(made_from, budget=0.15)
    if plan.unscheduled:
        return
    cost, flow = cheapest(made_from)
    certificate = plan.certificate
    assert certificate.objective.bound <= cost * (1 + 1e-9) + 1e-9
    assert certificate.flow.bound <= flow * (1 + 1e-9) + 1e-9
    if certificate.status is PlanStatus.OPTIMAL:
        assert certificate.objective.value <= cost * (1 + 1e-9) + 1e-9
        instance = compiled(made_from).instance
        quick, _ = lower_bounds(instance, Facts(instance))
        assert quick <= certificate.objective.value * (1 + 1e-9) + 1e-9


def deterministic(made_from: Portfolio) -> None:
    """Twice the same input is twice the same bytes."""
    one, two = planned(made_from), planned(made_from)
    assert (one and one.model_dump_json()) == (two and two.model_dump_json())


LARGER = st.builds(random_portfolio, st.integers(0, 2**32 - 1), st.integers(20, 30))


@given(portfolios())
@examples(25)
def test_any_portfolio(made_from: Portfolio) -> None:
    any_portfolio(made_from)


@pytest.mark.long
@given(portfolios())
@examples(1500)
def test_many_times_any_portfolio(made_from: Portfolio) -> None:
    any_portfolio(made_from)


@given(LARGER)
@examples(3)
def test_larger_portfolios(made_from: Portfolio) -> None:
    any_portfolio(made_from)


@pytest.mark.long
@given(LARGER)
@examples(200)
def test_many_times_larger_portfolios(made_from: Portfolio) -> None:
    any_portfolio(made_from)


@given(st.integers(0, 10_000))
@examples(12)
def test_against_exhaustive_search(seed: int) -> None:
    against_exhaustive_search(seed)


@pytest.mark.long
@given(st.integers(0, 10_000))
@examples(400)
def test_many_times_against_exhaustive_search(seed: int) -> None:
    against_exhaustive_search(seed)


@given(portfolios())
@examples(8)
def test_deterministic(made_from: Portfolio) -> None:
    deterministic(made_from)


@pytest.mark.long
@given(portfolios())
@examples(200)
def test_many_times_deterministic(made_from: Portfolio) -> None:
    deterministic(made_from)


# --- the same input, the same plan


HARD = portfolio(
    {
        f"W{i}": by(
            f"p{1 + i % 3}",
            f"{1 + i * 7 % 11}h",
            due=f"{3 + i * 5 % 40}h",
            cost_of_delay=f"{1 + i * 3 % 7}/hour",
            **({"environment": "lab"} if i % 2 else {}),
            **({"after": [f"W{i - 4}"]} if i > 3 and i % 3 == 0 else {}),
        )
        for i in range(24)
    },
    people=3,
    environments={"lab": {}},
)
"""Not proved by the quick bounds, so that local search and the exact model have their turn."""

FRESH = """
import hashlib, sys
from throttle.planning import make_plan
from throttle_models import Portfolio
made_from = Portfolio.model_validate_json(sys.stdin.read())
plan = make_plan(made_from, budget=0.2, deterministic=True, seed=int(sys.argv[1]))
print(hashlib.sha256(plan.model_dump_json().encode()).hexdigest())
"""


def digest(plan: Plan) -> str:
    return hashlib.sha256(plan.model_dump_json().encode()).hexdigest()


def test_a_fresh_process_makes_the_same_bytes() -> None:
    """Other hash seeds, other addresses, other workers: the same plan."""
    plan = make_plan(HARD, budget=0.2, deterministic=True, workers=2)
    assert {"local search", "whole model"} <= set(plan.certificate.method.split(", "))
    found = {digest(plan), digest(make_plan(HARD, budget=0.2, deterministic=True, workers=1))}
    done = subprocess.run(
        [sys.executable, "-c", FRESH, "1"],
        input=HARD.model_dump_json(exclude_defaults=True),
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "77", "PATH": "", "HOME": str(Path.home())},
    )
    found.add(done.stdout.strip())
    assert len(found) == 1


def test_no_clock_decides_in_deterministic_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which every look at the clock takes a minute makes the same plan."""
    plain = digest(make_plan(HARD, budget=0.2, deterministic=True))
    minutes = iter(range(0, 60 * 10**7, 60))
    looked = 0

    def slow() -> float:
        nonlocal looked
        looked += 1
        return float(next(minutes))

    monkeypatch.setattr(time, "monotonic", slow)
    monkeypatch.setattr(time, "perf_counter", slow)
    monkeypatch.setattr(time, "time", slow)
    try:
        slowly = digest(make_plan(HARD, budget=0.2, deterministic=True))
    finally:
        monkeypatch.undo()
    assert looked > 0
    assert slowly == plain


def test_the_seed_is_told_and_matters_only_to_the_search() -> None:
    one, two = (make_plan(HARD, budget=0.05, deterministic=True, seed=s) for s in (1, 2))
    assert (one.certificate.seed, two.certificate.seed) == (1, 2)
    assert one.certificate.input_hash == two.certificate.input_hash
    assert one.certificate.objective.greedy == two.certificate.objective.greedy
    assert one.certificate.objective.first_come == two.certificate.objective.first_come


@pytest.mark.parametrize("deterministic", [True, False])
def test_the_search_pays(deterministic: bool) -> None:
    objective = make_plan(HARD, budget=0.4, deterministic=deterministic).certificate.objective
    assert objective.value < 0.97 * min(objective.greedy, objective.first_come)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_compiled_kernels_make_plans_that_pass(seed: int) -> None:
    """A budget above a second compiles the kernels, and exact models and local search have time to find much."""
    made_from = random_portfolio(9000 + seed, 30)
    if plan := planned(made_from, 3):
        sound(plan, made_from)
        again = planned(made_from, 3)
        assert again is not None
        assert plan.model_dump_json() == again.model_dump_json()
