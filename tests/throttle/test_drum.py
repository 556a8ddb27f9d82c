"""The name of the bottleneck: it changes when another is 10 % ahead in two plans running, and not before."""

from __future__ import annotations

from typing import Any

from support.cases import OFFICE, by, plan_of, portfolio
from throttle_models import Drum, Plan

NINE = "2026-11-23T09:00Z"


def planned(a: int, b: int, previous: Plan | None = None, **rest: Any) -> Plan:
    """Work of a and of b alone, in hours."""
    work = {"A": by("p1", f"{a}h"), "B": by("p2", f"{b}h")}
    return plan_of(portfolio(work, 2, calendars=OFFICE, as_of=NINE, **rest), budget=0.01, previous=previous)


def drum(plan: Plan) -> Drum:
    assert plan.drum is not None
    return plan.drum


def test_the_first_plan_names_the_most_loaded() -> None:
    plan = planned(30, 40)
    assert (drum(plan).name, drum(plan).people, drum(plan).since) == ("p2", ("p2",), plan.as_of)
    assert plan.bottleneck is not None
    assert drum(plan).weeks_of_queue == plan.bottleneck.weeks_of_queue
    assert (drum(plan).ahead, drum(plan).challenger) == (0, None)


def test_less_than_10_per_cent_ahead_changes_nothing_however_often() -> None:
    plan = planned(40, 30)
    for _ in range(3):
        plan = planned(30, 32, plan)
        assert drum(plan).name == "p1"
        assert drum(plan).challenger is None
        assert drum(plan).ahead == 0.0667
        assert plan.bottleneck is not None
        assert plan.bottleneck.name == "p2"


def test_10_per_cent_ahead_twice_running_changes_the_name() -> None:
    first = planned(40, 30)
    second = planned(30, 33, first)
    assert drum(second).name == "p1"
    assert drum(second).since == first.as_of
    assert drum(second).challenger is not None
    assert drum(second).challenger.name == "p2"
    third = planned(30, 33, second)
    assert drum(third).name == "p2"
    assert (drum(third).challenger, drum(third).ahead) == (None, 0)


def test_once_ahead_and_then_not_starts_again() -> None:
    first = planned(40, 30)
    second = planned(30, 40, first)
    third = planned(30, 31, second)
    assert (drum(third).name, drum(third).challenger) == ("p1", None)
    fourth = planned(30, 40, third)
    assert drum(fourth).name == "p1"
    assert drum(planned(30, 40, fourth)).name == "p2"


def test_another_challenger_starts_again() -> None:
    three = {"p1": {}, "p2": {}, "p3": {}}

    def plan(b: int, c: int, previous: Plan | None) -> Plan:
        work = {"A": by("p1", "20h"), "B": by("p2", f"{b}h"), "C": by("p3", f"{c}h")}
        return plan_of(portfolio(work, three, calendars=OFFICE, as_of=NINE), budget=0.01, previous=previous)

    first = plan(10, 10, None)
    third = plan(10, 30, plan(30, 10, first))
    assert drum(third).name == "p1"
    assert drum(third).challenger is not None
    assert drum(third).challenger.name == "p3"


def test_a_drum_without_work_gives_way_at_once() -> None:
    first = planned(40, 30)
    work = {"B": by("p2", "8h")}
    second = plan_of(portfolio(work, 2, calendars=OFFICE, as_of=NINE), budget=0.01, previous=first)
    assert drum(second).name == "p2"
    gone = plan_of(portfolio(work, {"p2": {}}, calendars=OFFICE, as_of=NINE), budget=0.01, previous=first)
    assert drum(gone).name == "p2"


def test_an_environment_can_be_the_drum_and_is_kept() -> None:
    def plan(alone: int, previous: Plan | None) -> Plan:
        work = {f"W{i}": by(f"p{i + 1}", "30h", environment="lab") for i in range(4)}
        work["A"] = by("p5", f"{alone}h")
        return plan_of(portfolio(work, 5, environments={"lab": {}}), budget=0.01, previous=previous)

    first = plan(20, None)
    assert (drum(first).kind, drum(first).name) == ("environment", "lab")
    second = plan(125, first)
    assert second.bottleneck is not None
    assert second.bottleneck.name == "p5"
    assert (drum(second).kind, drum(second).name) == ("environment", "lab")


def test_a_plan_from_before_drums_were_named_counts_with_its_bottleneck() -> None:
    first = planned(40, 30).model_copy(update={"drum": None})
    second = planned(30, 40, first)
    assert (drum(second).name, drum(second).since) == ("p1", first.as_of)


def test_without_work_there_is_no_drum() -> None:
    assert plan_of(portfolio({"A": {"wait": "5h"}})).drum is None
