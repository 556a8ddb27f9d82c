"""The goals after the cost: what is broken on purpose is found, and so is a schedule that is worth something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.cases import by, needing, plan_of, portfolio, same
from throttle.check import check
from throttle_models import Goals, OrderedGoal, Plan

Change = Callable[[OrderedGoal], dict[str, Any]]


@pytest.fixture(scope="module")
def plan() -> Plan:
    """ana is the drum; A and B share her week and she waits for FEED, that ben does first."""
    people = {"ana": {"skills": ["oracle", "java"]}, "ben": {"skills": ["java"]}}
    work = {
        "FEED": by("ben", "4h", project="A"),
        "O1": needing("oracle", "8h", project="A", after=["FEED"]),
        "O2": needing("oracle", "4h", project="B", after=["FEED"]),
        "O3": needing("oracle", "4h", project="A", after=["O2"], allocation="50%"),
        "J": {"needs": [{"skill": "java", "who": ["ana", "ben"], "effort": "4h", "people": 2}], "project": "B"},
        "OPEN": by("ben", "2h", after=["O3"]),
    }
    projects = {"A": {"cost_of_delay": "1/hour", "due": "400h"}, "B": {"cost_of_delay": "5/hour", "due": "400h"}}
    policy = {"drum": "oracle", "goals": {"drum": "5%", "switches": "10%"}}
    return same(plan_of(portfolio(work, people, projects=projects, policy=policy)))


def kinds(plan: Plan) -> set[str]:
    return {v.kind for v in check(plan).violations}


def with_goals(plan: Plan, *goals: OrderedGoal) -> Plan:
    return plan.model_copy(update={"certificate": plan.certificate.model_copy(update={"goals": goals})})


def changed(plan: Plan, name: str, **fields: Any) -> Plan:
    goals = plan.certificate.goals
    assert name in [goal.name for goal in goals]
    return with_goals(plan, *(g.model_copy(update=fields) if g.name == name else g for g in goals))


def test_the_case_has_some_of_each_goal(plan: Plan) -> None:
    value = {goal.name: goal.value for goal in plan.certificate.goals}
    # nobody's oracle work can begin before FEED and J, which takes ana two hours, are through; half of O3 is hers
    assert value["drum hours lost"] > 0
    assert value["context switches"] > 0
    assert value["work in process"] > 0


@pytest.mark.parametrize("name", ["drum hours lost", "drum on other work", "context switches", "work in process"])
@pytest.mark.parametrize("by", [1.0, -0.5])
def test_a_value_that_is_not_that_of_the_schedule(plan: Plan, name: str, by: float) -> None:
    value = next(g.value for g in plan.certificate.goals if g.name == name) + by
    assert kinds(changed(plan, name, value=value, best=value, found=value, alone=None)) == {"goal-value"}


@pytest.mark.parametrize("name", ["cost of delay", "weighted flow"])
def test_a_cost_that_is_not_that_of_the_schedule(plan: Plan, name: str) -> None:
    least = next(g.best for g in plan.certificate.goals if g.name == name)
    assert kinds(changed(plan, name, value=1e6, best=least)) == {"goal-value", "goal-tolerance"}


def test_more_taken_than_the_tolerance(plan: Plan) -> None:
    value = next(g.value for g in plan.certificate.goals if g.name == "context switches")
    assert kinds(changed(plan, "context switches", best=value / 1.09, alone=None)) == set()
    assert kinds(changed(plan, "context switches", best=value / 1.2, alone=None)) == {"goal-tolerance"}


def test_tolerances_are_those_of_the_policy(plan: Plan) -> None:
    assert kinds(changed(plan, "context switches", tolerance=0.05)) == {"goals"}
    assert kinds(changed(plan, "cost of delay", tolerance=0.05)) == {"goals"}


def test_goals_are_told_in_their_order_or_not_at_all(plan: Plan) -> None:
    goals = plan.certificate.goals
    assert kinds(with_goals(plan)) == {"goals"}
    without = plan.certificate.model_copy(update={"goals": (), "goals_note": "the plan is too large"})
    assert kinds(plan.model_copy(update={"certificate": without})) == set()
    both = plan.certificate.model_copy(update={"goals_note": "the plan is too large"})
    assert kinds(plan.model_copy(update={"certificate": both})) == {"goals"}
    assert kinds(with_goals(plan, *reversed(goals))) == {"goals"}
    assert kinds(with_goals(plan, *goals[:-1])) == {"goals"}
    assert kinds(with_goals(plan, *goals, goals[0])) == {"goals"}


def test_nothing_is_worse_alone(plan: Plan) -> None:
    goal = next(g for g in plan.certificate.goals if g.name == "drum hours lost")
    assert kinds(changed(plan, goal.name, alone=goal.best + 1)) == {"goals"}


def test_only_what_is_zero_is_proved_without_a_bound(plan: Plan) -> None:
    assert kinds(changed(plan, "context switches", proved=True)) == {"proof"}
    least = plan.certificate.objective
    assert kinds(changed(plan, "cost of delay", proved=not least.proved)) == {"proof"}


def test_another_schedule_has_other_values(plan: Plan) -> None:
    """FEED an hour later, all else as it is."""
    moved = plan.model_dump(mode="json")
    item = moved["items"]["OPEN"]
    item["finish"] = item["assignments"][0]["work"][0][1] = "2026-12-24T08:00Z"
    found = kinds(Plan.model_validate(moved))
    assert "goal-value" in found


def test_defaults_are_those_of_the_vocabulary() -> None:
    plan = same(plan_of(portfolio({"A": by("p1", "1h")})))
    given = Goals()
    assert [g.tolerance for g in plan.certificate.goals] == [
        given.cost, given.flow, given.drum, given.drum, given.switches, 0
    ]  # fmt: skip
