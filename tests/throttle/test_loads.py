"""Load against capacity: the arithmetic by hand, and the bottleneck against every subset of people."""

from __future__ import annotations

from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

from support.cases import OFFICE, by, compiled, needing, plan_of, portfolio
from support.portfolios import portfolios
from throttle.errors import NoPlanError
from throttle.loads import Loads
from throttle.planning import make_plan
from throttle_models import Load, Plan, Portfolio

NINE = "2026-11-23T09:00Z"


def office(work: dict[str, Any], people: Any = 1, **rest: Any) -> Plan:
    return plan_of(portfolio(work, people, calendars=OFFICE, as_of=NINE, **rest), budget=0.02)


def named(plan: Plan, name: str) -> Load:
    (load,) = [each for each in plan.loads if each.name == name]
    return load


# --- by skill


def test_weeks_of_queue_are_work_over_hours_a_week() -> None:
    people = {"p1": {"skills": ["a"]}, "p2": {"skills": ["a", "b"]}}
    plan = office({"A": needing("a", "60h"), "B": needing("a", "40h"), "C": needing("b", "20h")}, people)
    a, b = named(plan, "a"), named(plan, "b")
    assert (a.people, a.work_hours) == (("p1", "p2"), 100)
    assert (b.people, b.work_hours) == (("p2",), 20)
    assert a.weeks_of_queue == pytest.approx(100 / 80)
    assert b.weeks_of_queue == pytest.approx(20 / 40)


def test_a_long_plan_is_averaged_over_its_length() -> None:
    """Ten weeks of work, and two of them off: 8 weeks of 40 hours in the time until it is finished."""
    plan = office({"A": needing("a", "320h")}, {"p1": {"skills": ["a"], "away": ["2026-12-07/2026-12-20"]}})
    load = named(plan, "a")
    weeks = (plan.items["A"].finish - plan.as_of).total_seconds() / 3600 / 168
    assert weeks == pytest.approx(10, abs=0.5)
    assert load.weeks_of_queue == pytest.approx(weeks, abs=1e-3)
    assert [load.by_week[w] for w in ("2026-W49", "2026-W50", "2026-W51", "2026-W52")] == [
        (40, 40),
        (0, 0),
        (0, 0),
        (40, 40),
    ]


def test_allocation_people_and_what_is_left_count() -> None:
    people = {f"p{i}": {"skills": ["a"]} for i in (1, 2)}
    work = {
        "HALF": needing("a", "10h", allocation="50%"),
        "TWO": needing("a", "12h", people=2),
        "FIXED": {"duration": "3h", "needs": [{"skill": "a", "people": 2, "allocation": "50%"}]},
        "GOING": {"status": "in-progress", "needs": [{"skill": "a", "effort": "50h", "remaining": "7h"}]},
        "DONE": needing("a", "99h", status="done"),
        "HELD": needing("a", "99h", on_hold="no"),
    }
    assert named(office(work, people), "a").work_hours == 10 + 12 + 3 + 7


def test_planned_and_available_hours_week_by_week() -> None:
    plan = office({"A": by("p1", "50h", skill="a")}, {"p1": {"skills": ["a"], "away": ["2026-11-25"]}})
    assert named(plan, "a").by_week["2026-W48"] == (32, 32)
    assert named(plan, "a").by_week["2026-W49"] == (18, 40)


def test_levels_count_who_holds_the_least_that_is_needed() -> None:
    people = {"p1": {"skills": {"a": 1}}, "p2": {"skills": {"a": 2}}, "p3": {"skills": {"a": 3}}}
    plan = office({"A": needing("a", "10h", level=2), "B": needing("a", "10h", level=3)}, people)
    assert named(plan, "a").people == ("p2", "p3")
    assert named(plan, "a").members == ("a>=2",)


def test_who_has_no_hours_has_no_weeks_of_queue() -> None:
    """In the weeks of the plan, that is; the item itself is left out."""
    people = {"p1": {"skills": ["a"]}, "p2": {"skills": ["b"], "away": ["2026-01-01/2040-01-01"]}}
    plan = office({"A": needing("a", "10h"), "B": needing("b", "10h")}, people)
    assert set(plan.unscheduled) == {"B"}
    assert [load.name for load in plan.loads] == ["a"]


# --- environments


def test_an_environment_is_loaded_from_start_to_finish() -> None:
    work = {"A": by("p1", "12h", environment={"lab": 2}), "B": by("p2", "4h", environment="lab")}
    plan = office(work, 2, environments={"lab": {"capacity": 3}})
    load = named(plan, "lab")
    assert load.kind == "environment"
    assert load.work_hours == 2 * 28 + 4  # Monday 09:00 to Tuesday 13:00, the night included
    assert load.weeks_of_queue == pytest.approx(60 / (3 * 168), rel=1e-3)
    assert load.by_week["2026-W48"][0] == 60


# --- the bottleneck


def test_the_bottleneck_is_who_alone_must_do_most() -> None:
    """Brent alone has 60 hours; the skill as a whole has 90 for three people."""
    people = {
        "brent": {"name": "Brent Geller", "skills": {"ops": 3}},
        "p1": {"skills": ["ops"]},
        "p2": {"skills": ["ops"]},
    }
    work = {"A": needing("ops", "40h", level=3), "B": by("brent", "20h"), "C": needing("ops", "30h")}
    plan = office(work, people)
    assert plan.bottleneck is not None
    assert plan.bottleneck.people == ("brent",)
    assert plan.bottleneck.name == "Brent Geller"
    assert plan.bottleneck.work_hours == 60
    assert plan.bottleneck.weeks_of_queue == pytest.approx(1.5)
    assert plan.bottleneck in plan.loads
    assert plan.loads[0] == plan.bottleneck


def test_the_bottleneck_may_be_a_team_that_shares_its_work() -> None:
    people = {"p1": {"skills": ["a", "b"]}, "p2": {"skills": ["a", "b"]}, "p3": {"skills": ["c"]}}
    plan = office({"A": needing("a", "50h"), "B": needing("b", "50h"), "C": needing("c", "40h")}, people)
    assert plan.bottleneck is not None
    assert set(plan.bottleneck.people) == {"p1", "p2"}
    assert plan.bottleneck.work_hours == 100


def test_the_bottleneck_may_be_an_environment() -> None:
    work = {f"W{i}": by(f"p{i + 1}", "30h", environment="lab") for i in range(4)}
    plan = plan_of(portfolio(work, 4, environments={"lab": {}}), budget=0.02)
    assert plan.bottleneck is not None
    assert (plan.bottleneck.kind, plan.bottleneck.name, plan.bottleneck.work_hours) == ("environment", "lab", 120)


def test_without_work_there_is_no_bottleneck() -> None:
    plan = plan_of(portfolio({"A": {"wait": "5h"}}))
    assert (plan.bottleneck, plan.loads) == (None, ())


@pytest.mark.parametrize("seed", range(25))
def test_the_bottleneck_is_the_most_loaded_of_all_sets_of_people(seed: int) -> None:
    random = Random(seed)
    count = random.randint(2, 5)
    people = {
        f"p{i}": {
            "calendar": random.choice(("full", "half")),
            "away": random.choice(([], ["2026-11-24"], ["2026-11-26/2026-12-04"])),
        }
        for i in range(count)
    }
    work = {}
    for i in range(random.randint(2, 7)):
        who = random.sample(list(people), random.randint(1, min(3, count)))
        work[f"W{i}"] = {"needs": [{"who": who, "effort": f"{random.randint(1, 40)}h"}]}
    calendars = {"full": {"hours": "Mon-Fri 09:00-17:00"}, "half": {"hours": "Mon-Fri 09:00-13:00"}}
    made_from = portfolio(work, people, calendars=calendars, as_of=NINE)
    plan = plan_of(made_from, budget=0.005)
    loads = Loads(compiled(made_from), plan.items)

    def load(some: tuple[str, ...]) -> float:
        inside = [w["needs"][0] for w in work.values() if set(w["needs"][0]["who"]) <= set(some)]
        return sum(float(str(n["effort"])[:-1]) for n in inside) / sum(loads.hours[p] for p in some)

    subsets = [s for n in range(1, count + 1) for s in combinations(people, n)]
    assert plan.bottleneck is not None
    assert load(plan.bottleneck.people) == pytest.approx(max(load(s) for s in subsets))
    assert plan.bottleneck.weeks_of_queue == pytest.approx(load(plan.bottleneck.people) * loads.weeks, abs=1e-3)


@given(portfolios())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_planned_hours_are_those_of_the_assignments(made_from: Portfolio) -> None:
    try:
        plan = make_plan(made_from, budget=0.002, deterministic=True)
    except NoPlanError:
        return
    for load in plan.loads:
        assert load.work_hours > 0
        if load.kind == "environment":
            continue
        planned = sum(hours for hours, _ in load.by_week.values())
        slot = made_from.slot.total_seconds() / 3600
        # work is rounded up to whole slots for each person
        assert load.work_hours - 0.01 <= planned <= load.work_hours + slot * 3 * len(plan.items) + 0.01
        assert all(used <= there + 1e-6 for used, there in load.by_week.values() if load.people)
    assert list(plan.loads) == sorted(plan.loads, key=lambda each: (-(each.weeks_of_queue or 0), each.name))
