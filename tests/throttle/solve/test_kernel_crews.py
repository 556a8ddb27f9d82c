"""Large crews on calendars that seldom or never meet: found, or known not to exist, in few steps."""

from __future__ import annotations

from itertools import combinations
from random import Random

import numpy as np
import pytest

from support.cases import compiled, portfolio
from throttle.check.fast import check_schedule
from throttle.compile import compile_portfolio
from throttle.graph import WorkGraph
from throttle.instance import Instance
from throttle.planning import make_plan
from throttle.solve.decoder import Decoder
from throttle_models import Portfolio

TURNS = {"early": {"hours": "daily 08:00-12:00"}, "late": {"hours": "daily 13:00-17:00"}}


def crowd(size: int, able: int, duration: str = "6h", **item: object) -> Portfolio:
    """One item for a crew of ``size`` of so many people, who are on early and late turns alternately."""
    people = {f"p{i:03}": {"skills": ["a"], "calendar": ("early", "late")[i % 2]} for i in range(able)}
    work = {"X": {"duration": duration, "needs": [{"skill": "a", "people": size}], **item}}
    return portfolio(work, people, calendars=TURNS)


@pytest.mark.parametrize(("size", "able"), [(22, 60), (22, 44), (100, 200)])
def test_a_large_crew_of_one_turn_is_found(size: int, able: int) -> None:
    plan = make_plan(crowd(size, able), budget=0.2)
    assert plan.certificate.checked
    assert len({int(a.person[1:]) % 2 for a in plan.items["X"].assignments}) == 1


@pytest.mark.parametrize(("size", "able"), [(22, 22), (22, 42), (30, 58), (100, 150)])
def test_a_large_crew_of_two_turns_is_left_out_with_a_reason_that_holds(size: int, able: int) -> None:
    plan = make_plan(crowd(size, able), budget=0.2)
    assert plan.certificate.checked
    assert plan.unscheduled["X"].reason == "no-common-time"


def test_turns_that_meet_too_briefly_for_work_that_may_not_pause() -> None:
    turns = {"early": {"hours": "daily 08:00-13:00"}, "late": {"hours": "daily 12:00-17:00"}}
    made_from = crowd(24, 40, "2h", pausable=False)
    made_from = made_from.model_copy(update={"calendars": portfolio({}, 1, calendars=turns).calendars})
    plan = make_plan(made_from, budget=0.2)
    assert plan.unscheduled["X"].reason == "no-common-time"


def three_turns(seed: int) -> Instance:
    """An item for two or three people and one more, with skills and turns by chance, some busy before it."""
    random = Random(seed)
    calendars = {f"c{k}": {"hours": f"daily {h:02}:00-{h + 3:02}:00"} for k, h in enumerate((8, 10, 12))}
    people = {
        f"p{i}": {"skills": random.choice((["a"], ["b"], ["a", "b"])), "calendar": f"c{random.randrange(3)}"}
        for i in range(6)
    }
    people |= {"x": {"skills": ["a", "b"], "calendar": "c0"}, "y": {"skills": ["a"], "calendar": "c1"}}
    needs = [{"skill": "a", "people": random.choice((2, 3))}, {"skill": "b"}]
    work = {"X": {"duration": "2h", "needs": needs, "pausable": random.random() < 0.5}}
    made_from = portfolio(work, people, calendars=calendars)
    return compile_portfolio(made_from, WorkGraph(made_from), 60).instance


def earliest_end(instance: Instance) -> int | None:
    """Over all crews, each given as fixed seats."""
    a, decoder = instance.arrays, Decoder(instance, compiled=False)
    if instance.n == 0:
        return None
    ends = []
    first, second = (a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist() for q in (0, 1))
    for some in combinations(first, int(a.people[0])):
        for others in combinations(second, int(a.people[1])):
            if not set(some) & set(others):
                schedule = decoder.decode(np.zeros(1), np.array([*some, *others])).schedule
                ends += [] if schedule is None else [int(schedule.end[0])]
    return min(ends, default=None)


@pytest.mark.parametrize("compiled_", [False, True])
def test_alone_the_crew_that_ends_first_is_found_where_seat_by_seat_leads_nowhere(compiled_: bool) -> None:
    found = none = 0
    for seed in range(30):
        instance = three_turns(seed)
        best = earliest_end(instance)
        if instance.n == 0:
            continue
        schedule = Decoder(instance, compiled_).decode(np.zeros(1)).schedule
        assert (schedule is None) == (best is None), seed
        if schedule is not None:
            assert not list(check_schedule(instance, schedule))
            found += 1
        none += schedule is None
    assert found >= 5
    assert none >= 1


@pytest.mark.parametrize("compiled_", [False, True])
def test_a_search_for_a_crew_is_bounded(compiled_: bool) -> None:
    """Everyone is away on days of their own, and no 24 of 60 are there together: too many crews to try them all."""
    random = Random(1)
    days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    calendars, people = {}, {}
    for i in range(60):
        on = sorted(random.sample(range(24), 12))
        calendars[f"c{i}"] = {"hours": "; ".join(f"{random.choice(days)} {h:02}:00-{h + 1:02}:00" for h in on)}
        people[f"p{i}"] = {"skills": ["a"], "calendar": f"c{i}"}
    made_from = portfolio(
        {"X": {"duration": "1h", "needs": [{"skill": "a", "people": 24}]}}, people, calendars=calendars
    )
    instance = compile_portfolio(made_from, WorkGraph(made_from), 400).instance
    assert Decoder(instance, compiled_).decode(np.zeros(1)).missing == (0,)


def test_a_seat_that_is_fixed_after_one_that_is_not() -> None:
    instance = compiled(crowd(3, 12)).instance
    for compiled_ in (False, True):
        forced = np.array([-1, 2, 0])
        schedule = Decoder(instance, compiled_).decode(np.zeros(1), forced).schedule
        assert schedule is not None
        assert schedule.crew[1:].tolist() == [2, 0]
        assert schedule.crew[0] % 2 == 0
        assert schedule.crew[0] > 2


def test_improving_a_plan_mixes_no_turns() -> None:
    """All of one turn are needed, so with one of them busy the exact model must not take one of the other."""
    made_from = crowd(22, 44)
    other = portfolio({"Y": {"needs": [{"skill": "a", "effort": "4h"}]}}, {"q": {"skills": ["a"]}}).work
    plan = make_plan(made_from.model_copy(update={"work": {**made_from.work, **other}}), budget=0.5)
    assert plan.certificate.checked
    assert len({int(a.person[1:]) % 2 for a in plan.items["X"].assignments}) == 1


@pytest.mark.parametrize("compiled_kernels", [False, True])
def test_nobody_takes_two_seats_even_where_both_are_given_to_one(compiled_kernels: bool) -> None:
    """Search may propose a person twice; then there is no such crew, or another one."""
    turns = {"early": {"hours": "daily 08:00-13:00"}, "late": {"hours": "daily 12:00-17:00"}}
    people = {f"p{i}": {"skills": ["a"], "calendar": ("early", "late")[i % 2]} for i in range(6)}
    instance = compiled(
        portfolio({"X": {"duration": "4h", "needs": [{"skill": "a", "people": 2}]}}, people, calendars=turns)
    ).instance
    decoder = Decoder(instance, compiled_kernels)
    for person in range(6):
        schedule = decoder.decode(np.zeros(1), np.array([person, person])).schedule
        assert schedule is None or len(set(schedule.crew.tolist())) == 2
