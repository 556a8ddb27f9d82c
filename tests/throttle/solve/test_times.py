"""What the times alone, the grouped people and both together find and prove, against an enumeration of everything."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from benchmarks.portfolios import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st

from support.always_open import open_portfolio, optimum
from support.cases import OFFICE, by, compiled, portfolio
from throttle.check import check
from throttle.compile import Compiled
from throttle.instance import Schedule
from throttle.planning import build_plan
from throttle.solve import Settings, Solution
from throttle.solve.decoder import Decoder
from throttle.solve.exact.cpsat import Found
from throttle.solve.exact.grouped import Grouped
from throttle.solve.exact.times import Times
from throttle.solve.exact.whole import Whole
from throttle_models import Portfolio

FIXED = Settings(deterministic=True)
METHODS = [Times, Grouped, Whole]


def start(c: Compiled, last_first: bool = True) -> Schedule:
    key = np.arange(c.instance.n, dtype=float)
    schedule = Decoder(c.instance, compiled=False).decode(-key if last_first else key).schedule
    assert schedule is not None
    return schedule


def solved(method: Callable[..., Any], c: Compiled, incumbent: Schedule, bound: float = 0.0) -> Found:
    model = method(c.instance, FIXED, threading.Event())
    assert model.supports()
    found = model.solve(incumbent, bound, 20.0)
    assert isinstance(found, Found)
    return found


def verified(c: Compiled, schedule: Schedule) -> None:
    verdict = check(build_plan(c, Solution(schedule, schedule, schedule), FIXED), c.written)
    assert [v.message for v in verdict.violations] == []
    assert verdict.objective == pytest.approx(schedule.cost)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_optimum_of_small_cases_is_found_and_proved(method: Callable[..., Any], seed: int) -> None:
    c = compiled(open_portfolio(seed))
    if c.unscheduled:
        return
    incumbent = start(c)
    best = optimum(c.instance, incumbent.cost)
    found = solved(method, c, incumbent)
    assert found.proved
    assert found.bound == pytest.approx(best)
    assert (found.schedule or incumbent).cost == pytest.approx(best)
    if found.schedule:
        assert found.schedule.cost < incumbent.cost
        verified(c, found.schedule)
        again = solved(method, c, found.schedule)
        assert again.schedule is None  # an optimum is never improved
        assert again.proved
        assert solved(method, c, found.schedule, best).proved


def unlike(seed: int) -> Portfolio:
    """Five people with one or two of four skills each, nine items for one or two of them."""
    random = Random(seed)
    skills = ["a", "b", "c", "d"]
    people = {f"p{i}": {"skills": random.sample(skills, random.randint(1, 2))} for i in range(5)}
    held = sorted({skill for person in people.values() for skill in person["skills"]})
    work: dict[str, Any] = {}
    for i in range(9):
        wanted = random.sample(held, min(len(held), random.choice((1, 1, 2))))
        work[f"W{i}"] = {
            "duration": f"{random.randint(2, 7)}h",
            "needs": [{"skill": skill} for skill in wanted],
            "after": [f"W{i - random.randint(1, 3)}"] if i > 3 and random.random() < 0.5 else [],
        }
    return portfolio(work, people, policy={"makespan": "1/hour"}, skills=skills)


def test_times_that_nobody_can_keep_are_cut_off() -> None:
    """At every instant of such times there are people enough, but no one person could stay on an item throughout."""
    cuts = 0
    for seed in (12, 19, 43, 47, 51):
        c = compiled(unlike(seed))
        model = Times(c.instance, FIXED, threading.Event())
        found = model.solve(start(c), 0.0, 20.0)
        cuts += len(model.cuts)
        assert found.proved
        verified(c, found.schedule or start(c))
        assert found.bound == pytest.approx(solved(Grouped, c, start(c)).bound)
    assert cuts > 0  # which of the cases need any depends on the times that are found first


def test_what_does_not_matter_may_be_done_at_any_time() -> None:
    """Items without cost are bound by no cost; that they fit behind the others makes the proof hold."""
    work = {f"W{i}": by("p1", "3h") for i in range(3)} | {"X": by("p1", "2h", cost_of_delay="1/hour", after=["W0"])}
    c = compiled(portfolio(work))
    for method in METHODS:
        found = solved(method, c, start(c))
        assert found.proved
        assert found.bound == pytest.approx(5)


def test_what_ever_closes_is_not_taken() -> None:
    closed = compiled(portfolio({"A": by("p1", "1h")}, calendars=OFFICE))
    part = compiled(portfolio({"A": by("p1", "1h", allocation="50%")}))
    whole = compiled(portfolio({"A": by("p1", "1h")}))
    for method in METHODS:
        supports = [method(c.instance, FIXED, threading.Event()).supports() for c in (closed, part, whole)]
        assert supports == [False, False, True]


def test_the_same_seed_gives_the_same() -> None:
    c = compiled(synthetic(30, 6, 3))
    one, two = (solved(Whole, c, start(c)) for _ in range(2))
    assert (one.bound, one.proved) == (two.bound, two.proved)
    assert (one.schedule is None) == (two.schedule is None)
    if one.schedule and two.schedule:
        assert np.array_equal(one.schedule.start, two.schedule.start)
        assert np.array_equal(one.schedule.crew, two.schedule.crew)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("workers", [1, 2])
def test_stopped_on_the_way(method: Callable[..., Any], workers: int) -> None:
    c = compiled(synthetic(100, 10, 4))
    stop = threading.Event()
    model = method(c.instance, Settings(workers=workers), stop)
    assert model.supports()
    incumbent = start(c)
    threading.Timer(0.5, stop.set).start()
    began = time.monotonic()
    found = model.solve(incumbent, 0.0, 60.0)
    assert time.monotonic() - began < 3
    assert not found.proved
    if found.schedule:
        assert found.schedule.cost < incumbent.cost
        verified(c, found.schedule)
