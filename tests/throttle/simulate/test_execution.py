"""Runs worked out by hand, the laws that every run obeys, and the plan as the limit of no noise."""

from __future__ import annotations

import pickle
from dataclasses import replace
from threading import Event
from typing import Any

import numpy as np
import pytest

from support.cases import OFFICE, by, needing, plan_of, portfolio
from support.portfolios import random_portfolio
from throttle.errors import NoPlanError
from throttle.executors import open_executor
from throttle.simulate import Cause, Release, Sample, Settings, model_of, simulate
from throttle.simulate.model import NotThePlanError, expected_hours, held_to_plan
from throttle.simulate.run import SimulationError, assert_laws
from throttle.solve.kernels import kernels
from throttle_models import Plan, Portfolio

Data = dict[str, Any]
CERTAIN: Data = {"spread": None, "unplanned": "none"}
KERNEL = kernels(False, "execution")


def run(
    made_from: Portfolio, runs: int = 1, release: Release | None = None, **how: Any
) -> tuple[Sample, dict[str, int]]:
    """Plain runs of a plan, and the columns of its items."""
    model = model_of(made_from, plan_of(made_from), Settings(**how))
    sample = simulate(model, runs, 1, release=release, compiled=False)
    return sample, {id: j for j, id in enumerate(model.items)}


def times(sample: Sample, column: int) -> tuple[int, int]:
    return int(sample.start[0, column]), int(sample.finish[0, column])


# --- without noise -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(1, 6))
def test_without_noise_a_run_is_the_plan(seed: int) -> None:
    made_from = random_portfolio(seed)
    plan = plan_of(made_from, budget=0.05)
    for start in ("planned", "gained"):
        model = model_of(made_from, plan, Settings(start=start, noise=False))
        sample = simulate(model, 1, seed, compiled=False)
        shown = [j for j, id in enumerate(model.items) if id]
        assert (sample.start[:, shown] == model.schedule.start[shown]).all()
        assert (sample.finish[:, shown] == model.schedule.end[shown]).all()
        assert sample.cost == pytest.approx(np.array([model.planned_cost]))
        assert sample.unfinished.sum() == 0


def test_a_plan_that_cannot_be_executed_is_told() -> None:
    """Two items of one person at the same time."""
    made_from = portfolio({"A": by("p1", "3h"), "B": by("p1", "3h")})
    model = model_of(made_from, plan_of(made_from), Settings(start="free", noise=False))
    model.schedule.start[:] = 0
    model.schedule.end[:] = 3
    model.arrays.item[:, KERNEL.A_START] = 0
    with pytest.raises(NotThePlanError, match="without noise the simulation is not the plan"):
        held_to_plan(model)


def test_what_is_ahead_of_the_plan_takes_what_comes_next() -> None:
    """A takes 2 hours instead of 4 in some runs; then B begins when A is done, and never while A goes on."""
    made_from = portfolio({"A": by("p1", "1h/4h/8h", cost_of_delay="9/hour"), "B": by("p1", "2h")}, simulation=CERTAIN)
    sample, at = run(made_from, 60)
    assert (sample.start[:, at["B"]] == sample.finish[:, at["A"]]).all()
    planned, _ = run(made_from, 60, start="planned")
    length = planned.work[:, at["A"]]
    assert length.min() < 5 < length.max()  # the mean that is planned with is 4.3, 5 slots
    assert (planned.start[:, at["B"]] == np.maximum(length, 5)).all()
    assert (planned.work == sample.work).all()  # common random numbers


# --- times ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("low", "likely", "high"), [(16, 24, 60), (8, 8, 20), (1, 30, 30), (0, 4, 9)])
def test_estimates_are_met_at_their_three_points(low: float, likely: float, high: float) -> None:
    def at(share: float) -> float:
        return float(KERNEL.from_range(low, likely, high, KERNEL.normal(share)))

    assert [at(0.1), at(0.5), at(0.9)] == pytest.approx([low, likely, high], abs=1e-6)
    assert 0 <= at(0.001) <= at(0.2) <= at(0.7) <= at(0.999)


def test_random_numbers_are_uniform_and_independent() -> None:
    drawn = np.array([[KERNEL.draw(KERNEL.base_of(7, r), i, 0, 0) for i in range(40)] for r in range(100)])
    counts = np.histogram(drawn, 20, (0, 1))[0]
    assert ((counts - 200) ** 2 / 200).sum() < 43.8  # chi-square of 19 degrees, exceeded once in a thousand
    assert abs(np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1]) < 0.33
    assert abs(np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1]) < 0.33
    assert len(np.unique(drawn)) == drawn.size


def test_runs_do_not_depend_on_how_they_are_shared_out() -> None:
    made_from = random_portfolio(3)
    model = model_of(made_from, plan_of(made_from, budget=0.05))
    whole = simulate(model, 24, 5, compiled=False)
    again = simulate(pickle.loads(pickle.dumps(model)), 7, 5, first=9, compiled=False)
    assert (again.finish == whole.finish[9:16]).all()
    assert (again.cost == whole.cost[9:16]).all()
    other = simulate(model, 24, 6, compiled=False)
    assert (other.finish != whole.finish).any()


def test_a_range_that_is_not_said_is_a_setting() -> None:
    work = {"A": by("p1", "20h")}
    certain, _ = run(portfolio(work, simulation=CERTAIN), 50)
    assert set(certain.work[:, 0].tolist()) == {20}
    wide, _ = run(portfolio(work, simulation={"spread": {"short": 0.5, "long": 2}}), 400)
    assert np.quantile(wide.work[:, 0], (0.1, 0.5, 0.9)) == pytest.approx([10, 20, 40], rel=0.12)


# --- limits, queues, switching -------------------------------------------------------------------------------------


def test_a_limit_lets_one_project_in_after_the_other() -> None:
    """Each has an hour of two people in turn; without a limit the second begins beside the first."""
    work = {
        f"{p}{k}": by(f"p{k}", "4h", project=p, **({"after": [f"{p}1"]} if k == 2 else {}))
        for p in "AB"
        for k in (1, 2)
    }
    made_from = portfolio(work, 2, projects={"A": {"cost_of_delay": "5/hour"}, "B": {}}, simulation=CERTAIN)
    pushed, at = run(made_from, start="free", release=Release())
    assert [times(pushed, at[id]) for id in ("A1", "A2", "B1", "B2")] == [(0, 4), (4, 8), (4, 8), (8, 12)]
    limited, at = run(made_from, start="free", release=Release(projects=1))
    assert [times(limited, at[id]) for id in ("A1", "A2", "B1", "B2")] == [(0, 4), (4, 8), (8, 12), (12, 16)]
    assert limited.waits[0, Cause.RELEASE] == 8
    assert limited.where[0].sum(axis=1) == pytest.approx(limited.projects[0])


def test_switching_costs_by_what_waits() -> None:
    """Of three items of 4 hours, the first begins with two waiting, the second with one: 8, 6 and 4 hours at 50 %."""
    work = {f"W{k}": by("p1", "4h") for k in range(3)}
    sample, _ = run(portfolio(work, simulation={**CERTAIN, "switching": 0.5}), start="free")
    assert sorted(sample.work[0].tolist()) == [4, 6, 8]
    assert int(sample.finish.max()) == 18


def test_a_rope_needs_a_model_that_has_one() -> None:
    made_from = portfolio({"A": by("p1", "3h"), "B": by("p1", "3h")}, simulation=CERTAIN)
    plan = plan_of(made_from)
    with pytest.raises(ValueError, match="the model has no rope"):
        simulate(model_of(made_from, plan), 1, 1, release=Release(rope_hours=3), compiled=False)
    roped = model_of(made_from, plan, Settings(start="free", rope=True))
    sample = simulate(roped, 1, 1, release=Release(rope_hours=3), compiled=False)
    assert sample.waits[0, Cause.RELEASE] == 3


# --- what goes wrong -----------------------------------------------------------------------------------------------


def test_unplanned_work_interrupts_and_the_reserve_makes_it_good() -> None:
    """With a task of exactly 2 hours now and then, planned work takes as much longer, or the reserve is used up."""
    said = {"unplanned": {"a": {"per_week": 8, "effort": "2h", "law": "fixed"}}, "spread": None}
    people = {"p1": {"skills": ["a"], "calendar": "office"}}
    work = {"A": needing("a", "40h")}
    plain, _ = run(portfolio(work, people, calendars=OFFICE, simulation=said), 12)
    assert plain.arrivals.mean() > 5
    assert plain.waits[:, Cause.INTERRUPTED].mean() > 10
    assert (plain.finish[:, 0] > 4 * 24).all()
    waiting, _ = run(portfolio(work, people, calendars=OFFICE, simulation={**said, "interrupts": False}), 12)
    assert waiting.waits[:, Cause.INTERRUPTED].max() == 0
    assert waiting.finish[:, 0].mean() < plain.finish[:, 0].mean()
    kept = {"p1": {**people["p1"], "reserve": "20h/week"}}
    reserved, _ = run(portfolio(work, kept, calendars=OFFICE, simulation=said), 12)
    # half of the hours are kept, so without them 40 hours take two weeks; what is interrupted goes on in kept hours
    assert reserved.finish[:, 0].mean() < 2 * plain.finish[:, 0].mean()


def test_a_reserve_tells_how_much_unplanned_work_to_expect() -> None:
    mean = expected_hours(10, 2)
    assert mean + 0.8416 * (2 * 2 * mean) ** 0.5 == pytest.approx(10, abs=1e-3)
    people = {"p1": {"skills": ["a"], "calendar": "office", "reserve": "10h/week"}}
    sample, _ = run(portfolio({"A": needing("a", "20h")}, people, calendars=OFFICE, simulation={"spread": None}), 40)
    assert sample.unplanned.mean() > 0
    assert sample.arrivals.sum() > 0
    none, _ = run(portfolio({"A": needing("a", "20h")}, people, calendars=OFFICE, simulation=CERTAIN), 3)
    assert none.arrivals.sum() == 0


def test_absences_pause_work() -> None:
    said = {**CERTAIN, "absences": {"per_year": 60, "days": 1}}
    sample, _ = run(portfolio({"A": by("p1", "80h")}, simulation=said), 40)
    assert sample.absent.mean() > 0
    assert (sample.finish[:, 0] >= 80).all()
    assert sample.finish[:, 0].mean() > 80


def test_a_failed_test_opens_what_it_tested_again() -> None:
    """Always failing at first is not possible to end, so half of the times: rework of 5 hours, then the test again."""
    said = {**CERTAIN, "tests": {"skills": ["qa"], "fail": "50%", "rework": 0.5}}
    work = {"A": needing("dev", "10h"), "T": needing("qa", "4h", after=["A"]), "C": needing("dev", "1h", after=["T"])}
    people = {"p1": {"skills": ["dev"]}, "p2": {"skills": ["qa"]}}
    sample, at = run(portfolio(work, people, skills=["dev", "qa"], simulation=said), 300)
    failed = sample.failures[:, 0]
    assert failed.mean() == pytest.approx(1.0, abs=0.25)
    assert (sample.finish[:, at["T"]] == 14 + 9 * failed).all()
    assert (sample.start[:, at["C"]] == sample.finish[:, at["T"]]).all()
    assert (sample.waits[:, Cause.REWORK] == 9 * failed).all()


def test_a_failed_change_is_rolled_back_and_done_again_in_the_next_window() -> None:
    said = {**CERTAIN, "changes": {"fail": "40%", "incident": "100%", "effort": "2h"}}
    change = {"kind": "standard", "window": "night", "rollback": "1h"}
    work = {"C": by("p1", "2h", type="change", change=change)}
    made_from = portfolio(work, windows={"night": {"every": "daily 20:00-24:00"}}, simulation=said)
    sample, at = run(made_from, 300)
    failed = sample.failures[:, 1]
    assert failed.mean() == pytest.approx(2 / 3, abs=0.2)
    assert (sample.finish[:, at["C"]] == 14 + 24 * failed).all()
    assert (sample.arrivals.sum(axis=1) == failed).all()
    assert sample.waits[:, Cause.FAILURE].sum() > 0


def test_a_change_that_does_not_fit_into_its_window_keeps_the_window() -> None:
    change = {"kind": "standard", "window": "night"}
    work = {"C": by("p1", "1h/2h/6h", type="change", change=change)}
    made_from = portfolio(work, windows={"night": {"every": "daily 20:00-24:00"}}, simulation={"unplanned": "none"})
    sample, at = run(made_from, 100)
    into = (sample.finish[:, at["C"]] - 12) % 24
    assert (into <= 4).all()
    assert (sample.finish[:, at["C"]] > 24).any()


NIGHT: Data = {"night": {"every": "daily 20:00-24:00"}}
CUTOVER: Data = {"kind": "standard", "window": "night"}


def test_each_attempt_at_a_change_has_a_time_of_its_own() -> None:
    """It takes more than 4 of 4 hours with the chance p of 1.5 = (5/3)^(z/1.2816): on the average p/(1-p) times."""
    work = {"C": by("p1", "1h/3h/5h", type="change", change=CUTOVER)}
    sample, at = run(portfolio(work, windows=NIGHT, simulation={"unplanned": "none"}), 1000)
    p = 0.1547
    assert sample.overruns.mean() == pytest.approx(p / (1 - p), abs=0.04)
    assert (sample.overruns >= 2).mean() == pytest.approx(p**2, abs=0.015)
    assert (sample.finish[:, at["C"]] // 24 == sample.overruns).all()
    assert (sample.failures[:, 1] == sample.overruns).all()
    assert sample.forced.sum() == 0


def test_a_change_that_is_done_again_for_a_test_gets_done() -> None:
    """With one common score of all times of a project, the rework overruns its window in each attempt; after some it
    is taken as long as planned, and told."""
    work = {
        "C": by("p1", "1h/3h/4h", type="change", project="X", change=CUTOVER),
        "T": by("p1", "1h", project="X", after=["C"], tags=["test"]),
    }
    said = {"unplanned": "none", "correlation": "100%", "tests": {"fail": "50%", "rework": 1.0}}
    made_from = portfolio(work, projects={"X": {}}, windows=NIGHT, simulation=said)
    sample, _ = run(made_from, 200)
    assert sample.unfinished.sum() == 0
    assert sample.forced.sum() > 0
    assert (sample.overruns >= KERNEL.MOST_OVERRUNS * sample.forced).all()


def test_a_change_that_misses_the_day_it_is_pinned_to_goes_into_the_next_window() -> None:
    """What it waits for may take until after that window; and it may fail there."""
    work = {"A": by("p1", "4h/10h/30h"), "C": by("p1", "2h", type="change", change=CUTOVER, after=["A"])}
    policy = {"pins": [{"work": "C", "window": "night", "on": "2026-11-24"}]}
    said = {**CERTAIN, "changes": {"fail": "30%"}}
    made_from = portfolio(work, windows=NIGHT, simulation=said, policy=policy)
    sample, at = run(made_from, 200)
    days = (sample.start[:, at["C"]] + 8) // 24  # as of is 8:00 of the 23rd
    assert days.min() == 1
    assert (days == np.maximum(1, -(-(sample.finish[:, at["A"]] - 14) // 24))).all()
    assert sample.unfinished.sum() == 0


def test_an_approval_may_be_put_off() -> None:
    change = {"kind": "normal", "approval": {"lead": "1d"}}
    work = {"C": by("p1", "2h", type="change", change=change)}
    made_from = portfolio(work, simulation={**CERTAIN, "approvals": {"deferred": "50%"}})
    sample, at = run(made_from, 200)
    days, rest = np.divmod(sample.start[:, at["C"]], 24)
    assert (rest == 0).all()
    assert days.mean() == pytest.approx(2.0, abs=0.4)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 141))
def test_without_noise_many_more_runs_are_the_plan(seed: int) -> None:
    """Every second one is larger, with buffers and what a plan in force says."""
    made_from = random_portfolio(seed, 4 + seed % 50, buffered=True) if seed % 2 else random_portfolio(seed)
    try:
        plan = plan_of(made_from, budget=0.05)
    except NoPlanError:
        pytest.skip("no plan was found, so there is none to execute")
    for start in ("planned", "gained"):
        for crews in ("planned", "able"):
            model_of(made_from, plan, Settings(start=start, crews=crews))


# --- laws ----------------------------------------------------------------------------------------------------------


def noisy(seed: int) -> tuple[Portfolio, Plan]:
    """A random portfolio with everything uncertain at once."""
    made_from = random_portfolio(seed)
    skills = sorted({s for p in made_from.people.values() for s in p.skills})[:2]
    said = {
        "correlation": "30%",
        "unplanned": {s: {"per_week": 5, "effort": "1h/2h/9h"} for s in skills},
        "absences": {"per_year": 12},
        "tests": {"skills": skills[:1], "fail": "20%"},
        "changes": {"fail": "20%", "incident": "50%"},
        "approvals": {"deferred": "30%"},
        "switching": 0.02,
    }
    data = made_from.model_copy(update={"simulation": type(made_from.simulation).model_validate(said)})
    return data, plan_of(data, budget=0.05)


@pytest.mark.parametrize("seed", range(20, 27))
def test_laws_hold_whatever_happens(seed: int) -> None:
    """Little's law and the conservation of work are asserted inside; where the time went adds up to the finish."""
    made = noisy(seed)
    for start in ("gained", "free"):
        model = model_of(*made, Settings(start=start, crews="able"))
        sample = simulate(model, 6, seed, compiled=False)
        assert sample.little.max() < 0.02
        assert sample.balance.max() < 1e-6
        assert sample.where.sum(axis=2) == pytest.approx(sample.projects, abs=0.01)
        assert (sample.finish >= sample.start).all()


def test_a_law_that_is_broken_is_told() -> None:
    sample, _ = run(portfolio({"A": by("p1", "3h")}), 3)
    with pytest.raises(SimulationError, match="conservation of work does not hold in run 1"):
        assert_laws(replace(sample, balance=np.array([0.0, 0.5, 0.0])))
    with pytest.raises(SimulationError, match="Little's law does not hold in run 2"):
        assert_laws(replace(sample, little=np.array([0.0, 0.0, 0.03])))


@pytest.mark.long  # compiling takes a minute, once
def test_compiled_and_plain_runs_are_the_same() -> None:
    for seed in (21, 24, 27):
        model = model_of(*noisy(seed), Settings(crews="able"))
        plain, compiled = (simulate(model, 6, seed, compiled=c) for c in (False, True))
        for field in ("start", "finish", "work", "arrivals", "failures", "unfinished"):
            assert (getattr(plain, field) == getattr(compiled, field)).all(), field
        assert compiled.cost == pytest.approx(plain.cost)
        assert compiled.where == pytest.approx(plain.where)


@pytest.mark.long
def test_processes_draw_what_threads_draw() -> None:
    made_from = random_portfolio(3)
    model = model_of(made_from, plan_of(made_from, budget=0.05))
    here = simulate(model, 40, 5, compiled=True)
    with open_executor(None, 2) as executor:
        there = simulate(model, 40, 5, executor=executor)
    assert (there.finish == here.finish).all()
    assert (there.cost == here.cost).all()


def test_what_was_done_until_it_was_stopped_is_kept() -> None:
    made_from = portfolio({"A": by("p1", "3h")})
    model, stop = model_of(made_from, plan_of(made_from)), Event()
    stop.set()
    assert simulate(model, 40, 5, compiled=False, stop=stop).runs == 0
