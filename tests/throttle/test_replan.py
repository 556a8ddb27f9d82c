"""An earlier plan and a newer state of the work."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from support.cases import by, crew, hours, needing, plan_of, portfolio
from support.portfolios import portfolios
from throttle.errors import InputError, NoPlanError
from throttle.planning import make_plan
from throttle.replan import advance
from throttle_models import Finding, Plan, Portfolio, Status

LATER = "2026-11-24T08:00:00+00:00"  # a day after as-of
HOW: dict[str, Any] = {"budget": 0.02}


def codes(found: list[Finding]) -> dict[str, tuple[str, ...]]:
    return {f.code: f.ids for f in found}


def moves(plan: Plan) -> dict[str, str]:
    assert plan.previous is not None
    return {m.item: m.reason for m in plan.previous.moves}


BEFORE = {
    "A": by("p1", "4h", cost_of_delay="9/hour"),
    "B": by("p1", "4h", cost_of_delay="8/hour"),
    "C": by("p1", "40h", cost_of_delay="7/hour"),
    "D": by("p1", "4h", cost_of_delay="1/hour"),
}


# --- a newer portfolio


def test_what_happened_since() -> None:
    plan = plan_of(
        portfolio({**BEFORE, "E": by("p1", "1h", status="done"), "F": by("p2", "1h", on_hold="x")}, 2), **HOW
    )
    newer = portfolio(
        {
            "A": by("p1", "4h", status="done"),
            "B": by("p1", "4h"),
            "C": by("p1", "40h", remaining="30h", status="in-progress"),
            "E": by("p1", "1h"),
            "F": by("p2", "1h", status="cancelled"),
            "N": by("p1", "2h"),
        },
        2,
        as_of=LATER,
    )
    made, found = advance(plan, newer)
    assert made == newer
    assert codes(found) == {
        "finished": ("A", "F"),
        "begun": ("C",),
        "reopened": ("E",),
        "new": ("N",),
        "vanished": ("D",),
        "slipped": ("B",),
    }
    assert {f.code: f.level for f in found}["slipped"] == "warning"
    assert all(all(id in f.message for id in f.ids) for f in found)


def test_nothing_happened() -> None:
    made_from = portfolio(BEFORE)
    made, found = advance(plan_of(made_from, **HOW), made_from)
    assert made == made_from
    assert found == []


def test_many_are_counted_not_listed() -> None:
    plan = plan_of(portfolio({"A": by("p1", "1h")}), **HOW)
    _, found = advance(plan, portfolio({f"N{i}": by("p1", "1h") for i in range(30)}))
    (new,) = [f for f in found if f.code == "new"]
    assert new.count == 30
    assert "and 22 more" in new.message


def test_a_plan_without_its_portfolio_cannot_be_replanned() -> None:
    plan = plan_of(portfolio(BEFORE), **HOW).model_copy(update={"portfolio": None})
    with pytest.raises(InputError, match="does not carry its portfolio"):
        advance(plan, portfolio(BEFORE))


# --- a newer export


def export(work: dict[str, Any], **rest: Any) -> Portfolio:
    """As a reader would give it: each item with its source."""
    return portfolio({i: {**w, "source": {"system": "jira"}} for i, w in work.items()}, as_of=LATER, **rest)


def test_an_export_updates_progress_and_leaves_what_a_planner_wrote() -> None:
    old = portfolio(
        {
            "A": by("p1", "4h", due="9d", cost_of_delay="9/hour", after=["B"]),
            "B": by("p1", "4h", environment="lab"),
            "GONE": by("p1", "4h"),
        },
        people={"p1": {"skills": ["a"]}},
        environments={"lab": {}},
        policy={"person_wip": 2},
    )
    newer = export(
        {
            "A": {**by("p1", "16h", title="New title"), "inferred": ["needs"]},
            "B": {"status": "done", "finished": "2026-11-23T12:00:00+00:00"},
            "N": {**by("p2", "2h"), "project": "Q"},
        },
        people={"p1": {}, "p2": {}},
        projects={"Q": {}},
    )
    made, found = advance(plan_of(old, **HOW), newer)
    assert made.as_of == newer.as_of
    assert (made.policy, made.environments) == (old.policy, old.environments)
    assert made.people["p1"].skills == {"a": 1}
    assert set(made.people) == {"p1", "p2"}
    assert set(made.projects) == {"Q"}
    a, b = made.work["A"], made.work["B"]
    assert (a.title, a.due, a.cost_of_delay, a.after) == (
        "New title",
        *(getattr(old.work["A"], f) for f in ("due", "cost_of_delay", "after")),
    )
    assert a.needs == old.work["A"].needs  # the export only guessed the effort
    assert (b.status, b.environment) == (Status.DONE, {"lab": 1})
    assert set(made.work) == {"A", "B", "N", "GONE"}
    assert codes(found) == {
        "finished": ("B",),
        "new": ("N",),
        "vanished": ("GONE",),
        "slipped": ("A",),
        "unknown-people": ("p2",),
    }


def test_an_export_that_says_the_effort_is_believed() -> None:
    made, _ = advance(plan_of(portfolio({"A": by("p1", "4h")}), **HOW), export({"A": by("p1", "16h")}))
    assert made.work["A"].needs[0].effort == portfolio({"A": by("p1", "16h")}).work["A"].needs[0].effort


def test_what_is_left_of_work_in_progress_is_taken_from_an_export() -> None:
    plan = plan_of(portfolio({"A": by("p1", "40h", skill="a")}, {"p1": {"skills": ["a"]}}), **HOW)
    newer = export({"A": {**by("p1", "40h", remaining="5h"), "status": "in-progress", "inferred": ["needs.0.skill"]}})
    made, _ = advance(plan, newer)
    (need,) = made.work["A"].needs
    assert need.skill == "a"
    assert need.remaining is not None
    assert need.remaining.total_seconds() == 5 * 3600
    assert hours(plan_of(made, **HOW)) == {"A": (0, 5)}


def test_people_and_projects_are_known_by_name_too() -> None:
    """An export's ids of people are the tracker's; the same name, but for case and accents, is the same person."""
    people = {"ana": {"name": "Ana Núñez"}, "bo": {"name": "Bo Li"}, "bo2": {"name": "Bo Li"}}
    old = portfolio({"A": by("ana", "4h", project="PAY")}, people, projects={"PAY": {"title": "Payroll"}})
    newer = export(
        {"N": {**by("712020:1", "2h"), "project": "10001"}, "M": by("712020:2", "2h")},
        people={"712020:1": {"name": "ana nunez"}, "712020:2": {"name": "Bo Li"}},
        projects={"10001": {"title": "PAYROLL"}},
    )
    made, found = advance(plan_of(old, **HOW), newer)
    assert made.work["N"].needs[0].who == ("ana",)
    assert made.work["N"].project == "PAY"
    assert set(made.projects) == {"PAY"}
    assert made.work["M"].needs[0].who == ("712020:2",)  # two people are called so
    assert set(made.people) == {"ana", "bo", "bo2", "712020:2"}
    assert codes(found)["unknown-people"] == ("712020:2",)


# --- what time itself has done


@pytest.mark.parametrize("imported", [True, False])
def test_work_in_progress_keeps_its_people(imported: bool) -> None:
    people = {"p1": {"skills": ["a"]}, "p2": {"skills": ["a"]}}
    pin = {"pins": [{"work": "A", "who": "p2"}]}
    plan = plan_of(portfolio({"A": needing("a", "30h"), "B": needing("a", "40h")}, people, policy=pin), **HOW)
    assert crew(plan, "A") == {"p2"}
    work = {"A": {**needing("a", "30h"), "status": "in-progress"}, "B": needing("a", "40h")}
    newer = export(work, people=people) if imported else portfolio(work, people, as_of=LATER)
    made, _ = advance(plan, newer)
    assert made.work["A"].needs[0].who == ("p2",)
    assert made.work["B"].needs[0].who == ()


def test_a_wait_that_was_to_begin_has_begun() -> None:
    work = {
        "A": by("p1", "5h"),
        "W": {"wait": "48h", "after": ["A"]},
        "V": {"wait": "48h"},
        "L": {"wait": "9h", "not_before": "3d"},
    }
    plan = plan_of(portfolio(work), **HOW)
    done, _ = advance(plan, portfolio({**work, "A": by("p1", "5h", status="done")}, as_of=LATER))
    assert {i: done.work[i].status for i in "WVL"} == {"W": "in-progress", "V": "in-progress", "L": "open"}
    open_, _ = advance(plan, portfolio(work, as_of=LATER))
    assert open_.work["W"].status is Status.OPEN  # what it waits for is not done


def test_a_wait_that_has_begun_is_not_waited_for_anew() -> None:
    work = {"V": {"wait": "48h"}, "B": by("p1", "1h", after=["V"])}
    plan = plan_of(portfolio(work), **HOW)
    made, _ = advance(plan, portfolio(work, as_of=LATER))
    again = plan_of(made, previous=plan, **HOW)
    assert again.items["B"].start == plan.items["B"].start
    assert moves(again) == {}


def test_approvals_stay_asked_for() -> None:
    work = {"A": by("p1", "1h", change={"approval": {"lead": "3d"}})}
    plan = plan_of(portfolio(work), **HOW)
    made, _ = advance(plan, portfolio(work, as_of=LATER))
    assert hours(plan_of(made, previous=plan, **HOW)) == {"A": (48, 49)}


def test_time_does_not_run_backwards() -> None:
    plan = plan_of(portfolio(BEFORE, as_of=LATER), **HOW)
    with pytest.raises(InputError):
        advance(plan, portfolio(BEFORE))


# --- planning again


def test_a_slip_moves_what_it_must_and_says_why() -> None:
    plan = plan_of(portfolio(BEFORE), budget=0.1)
    assert hours(plan) == {"A": (0, 4), "B": (4, 8), "D": (8, 12), "C": (12, 52)}
    newer, _ = advance(plan, portfolio({**BEFORE, "A": by("p1", "4h", status="done")}, as_of=LATER))
    again = plan_of(newer, previous=plan, budget=0.1)
    assert again.previous is not None
    assert again.previous.as_of == plan.as_of
    told = moves(again)
    assert told["B"] == "it was to have begun before now, and has not"
    assert set(told) | {i for i in again.items if again.items[i].start == plan.items[i].start} == {"B", "C", "D"}
    for move in again.previous.moves:
        assert move.before == plan.items[move.item].start
        assert move.now == again.items[move.item].start
        assert move.reason


def test_what_can_begin_earlier_and_what_is_out_now() -> None:
    before = {"A": by("p1", "30h"), "B": by("p2", "2h", after=["A"]), "C": by("p2", "1h", not_before="3d")}
    plan = plan_of(portfolio(before, 2), **HOW)
    newer = portfolio(
        {**before, "A": by("p1", "30h", status="done"), "C": by("p2", "1h", on_hold="no")}, 2, as_of=LATER
    )
    again = plan_of(newer, previous=plan, **HOW)
    assert again.previous is not None
    told = {m.item: m for m in again.previous.moves}
    assert told["B"].reason == "it can begin earlier than planned"
    assert told["C"].now is None
    assert "hold" in told["C"].reason


def test_work_in_progress_and_history_do_not_move() -> None:
    plan = plan_of(portfolio(BEFORE), **HOW)
    newer = portfolio(
        {**BEFORE, "A": by("p1", "4h", status="done"), "B": by("p1", "4h", status="in-progress"), "N": by("p1", "1h")},
        as_of=LATER,
    )
    again = plan_of(newer, previous=plan, **HOW)
    assert {"A", "B", "N"}.isdisjoint(moves(again))


@given(portfolios())
@settings(max_examples=8, deadline=None, derandomize=True)
def test_the_same_again_moves_nothing(made_from: Portfolio) -> None:
    try:
        plan = make_plan(made_from, budget=0.01, deterministic=True)
    except NoPlanError:
        return
    newer, found = advance(plan, made_from)
    assert found == []
    again = make_plan(newer, budget=0.01, deterministic=True, previous=plan)
    assert again.previous is not None
    if again.certificate.objective.value == plan.certificate.objective.value:
        assert again.previous.moves == ()
        assert again.items == plan.items
    assert again.certificate.objective.value <= plan.certificate.objective.value * (1 + 1e-9)
    begun = {i for i, item in made_from.work.items() if item.status is Status.IN_PROGRESS}
    assert again.previous.kept + len(again.previous.moves) == len(set(plan.items) - begun)
