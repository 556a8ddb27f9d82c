"""The energy bound with heads and tails, on sets of people and their unions; its kernel against its definition."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.cases import OFFICE, by, compiled, needing, portfolio
from throttle.solve.bounds import Network, earliest_finishes, lower_bounds
from throttle.solve.kernels import kernels
from throttle.solve.rules import Facts
from throttle_models import Portfolio


def makespan(made_from: Portfolio) -> float:
    instance = compiled(made_from).instance
    return lower_bounds(instance, Facts(instance))[0] / 10


def test_work_lies_between_heads_and_tails() -> None:
    """Three waits of 3 hours, then 2 hours each on one person, then waits of 4 hours: 3 + 3 * 2 + 4."""
    work: dict[str, Any] = {}
    for i in range(3):
        work[f"A{i}"] = {"wait": "3h"}
        work[f"B{i}"] = by("p1", "2h", after=[f"A{i}"])
        work[f"C{i}"] = {"wait": "4h", "after": [f"B{i}"]}
    assert makespan(portfolio(work, policy={"makespan": "10/hour"})) == pytest.approx(13)


def test_an_environment_lies_between_heads_and_tails() -> None:
    work: dict[str, Any] = {f"B{i}": {"wait": "3h", "environment": "lab", "not_before": "5h"} for i in range(4)}
    work["C"] = {"wait": "2h", "after": [f"B{i}" for i in range(4)]}
    made_from = portfolio(work, environments={"lab": {"capacity": 2}}, policy={"makespan": "10/hour"})
    assert makespan(made_from) == pytest.approx(5 + 6 + 2)


def test_sets_of_people_grow_together() -> None:
    """24 hours for the three who hold a or b: 8 each. Those with a alone have 6 each, and the fourth cannot help."""
    people = {
        "p1": {"skills": ["a"]},
        "p2": {"skills": ["a", "b"]},
        "p3": {"skills": ["b"]},
        "p4": {"skills": ["c"]},
    }
    work = {f"{s}{i}": needing(s, "4h") for s in "ab" for i in range(3)} | {"c": needing("c", "1h")}
    assert makespan(portfolio(work, people, policy={"makespan": "10/hour"})) == pytest.approx(8)


def test_a_project_is_bounded_by_its_own_work() -> None:
    """Four items of 8 hours in office hours on one person, from Monday 09:00: done on Thursday at 17:00."""
    work = {f"W{i}": by("p1", "8h", project="P") for i in range(4)}
    made_from = portfolio(
        work, calendars=OFFICE, as_of="2026-11-23T09:00Z", projects={"P": {"cost_of_delay": "1/hour"}}
    )
    instance = compiled(made_from).instance
    facts = Facts(instance)
    assert earliest_finishes(instance, facts, Network(instance, facts)).tolist() == [3 * 24 + 8]


Job = tuple[int, int, int]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 9), st.integers(1, 6)), max_size=7), min_size=1),
    st.lists(st.integers(0, 2), min_size=30, max_size=60),
    st.booleans(),
)
def test_the_kernel_is_its_definition(groups: list[list[Job]], capacity: list[int], thorough: bool) -> None:
    filled = np.r_[0.0, np.cumsum(capacity)]

    def reached(amount: float) -> int:
        return next((t for t, there in enumerate(filled) if there >= amount), len(capacity))

    expected = []
    for jobs in groups:
        heads = {h for h, _, _ in jobs} if thorough else {min((h for h, _, _ in jobs), default=0)}
        found = [0.0]
        for a, b in product(heads, {q for _, q, _ in jobs}):
            work = sum(w for h, q, w in jobs if h >= a and q >= b)
            if work:
                found.append(reached(float(filled[a]) + work) + b)
        expected.append(max(found))
    rows = [sorted(jobs, key=lambda job: -job[0]) for jobs in groups]
    flat = np.array([job for jobs in rows for job in jobs], np.int64).reshape(-1, 3)
    ptr = np.r_[0, np.cumsum([len(jobs) for jobs in rows])].astype(np.int64)
    for fast in (False, True):
        finish = np.zeros(len(groups))
        kernels(fast, "heads").finish_by_energy(
            ptr,
            flat[:, 0].copy(),
            flat[:, 1].astype(float),
            flat[:, 2].astype(float),
            filled,
            100 if thorough else 0,
            np.zeros(8),
            np.zeros(8),
            finish,
        )
        assert finish.tolist() == expected
