"""The one reason why an item is held: the rule that really keeps it, in small cases where only one can."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from support.cases import ALWAYS, by, compiled, hour, plan_of, portfolio
from support.portfolios import portfolios
from throttle.errors import NoPlanError
from throttle.lift import lower
from throttle.planning import make_plan
from throttle.reasons import Reasons
from throttle_models import Hold, Plan, Portfolio, Reason

LONG = "170h"  # from Monday 08:00 into the next week

CASES: dict[str, tuple[dict[str, Any], Reason, tuple[str, ...]]] = {
    "predecessor": ({"work": {"A": by("p1", LONG), "X": by("p2", "1h", after=["A"])}}, Reason.PREDECESSOR, ("A",)),
    "predecessor with a lag": (
        {"work": {"A": by("p1", "1h"), "X": by("p2", "1h", after=[{"item": "A", "lag": "8d", "lag_in": "elapsed"}])}},
        Reason.PREDECESSOR,
        ("A",),
    ),
    "start of a predecessor": (
        {"work": {"A": by("p1", "1h", not_before="8d"), "X": by("p2", "1h", after=[{"item": "A", "type": "SS"}])}},
        Reason.PREDECESSOR,
        ("A",),
    ),
    "the last of several predecessors": (
        {"work": {"A": by("p1", LONG), "B": by("p3", "1h"), "X": by("p2", "1h", after=["B", "A"])}},
        Reason.PREDECESSOR,
        ("A",),
    ),
    "a date outside": (
        {"external": {"EXT": {"expected": "9d"}}, "work": {"X": by("p1", "1h", after=["EXT"])}},
        Reason.PREDECESSOR,
        ("EXT",),
    ),
    "people": (
        {"work": {"A": by("p1", LONG, cost_of_delay="9/hour"), "X": by("p1", "100h", cost_of_delay="1/hour")}},
        Reason.PEOPLE,
        ("p1", "A"),
    ),
    "one of a crew": (
        {
            "work": {
                "A": by("p2", LONG, cost_of_delay="9/hour"),
                "X": {"duration": "100h", "needs": [{"who": "p1"}, {"who": "p2"}], "cost_of_delay": "1/hour"},
            }
        },
        Reason.PEOPLE,
        ("p2", "A"),
    ),
    "items in process on a person": (
        {
            "people": {"p1": {"wip": 1}},
            "work": {
                "A": by("p1", "43h", allocation="25%", cost_of_delay="9/hour"),
                "X": by("p1", "43h", allocation="25%", cost_of_delay="1/hour"),
            },
        },
        Reason.WIP,
        ("p1",),
    ),
    "projects in process": (
        {
            "policy": {"projects_in_process": 1},
            "projects": {"P": {"cost_of_delay": "9/hour"}, "Q": {"cost_of_delay": "1/hour"}},
            "work": {"A": by("p1", LONG, project="P"), "X": by("p2", LONG, project="Q")},
        },
        Reason.WIP,
        ("Q",),
    ),
    "environment": (
        {
            "environments": {"lab": {}},
            "work": {
                "A": by("p1", LONG, environment="lab", cost_of_delay="9/hour"),
                "X": by("p2", LONG, environment="lab", cost_of_delay="1/hour"),
            },
        },
        Reason.ENVIRONMENT,
        ("lab",),
    ),
    "window": (
        {"windows": {"mon": {"every": "Mon 06:00-08:00"}}, "work": {"X": by("p1", "1h", change={"window": "mon"})}},
        Reason.WINDOW,
        ("mon",),
    ),
    "a window that is frozen": (
        {
            "windows": {"sat": {"every": "Sat 22:00-04:00"}},
            "freezes": [{"from": "1d", "to": "8d"}],
            "work": {"X": by("p1", "1h", change={"window": "sat"})},
        },
        Reason.FREEZE,
        (),
    ),
    "not before": ({"work": {"X": by("p1", "1h", not_before="9d")}}, Reason.RELEASE, ()),
    "not before, of its container": (
        {"work": {"BOX": {"not_before": "9d"}, "X": by("p1", "1h", parent="BOX")}},
        Reason.RELEASE,
        (),
    ),
    "approval": (
        {"work": {"X": by("p1", "1h", change={"approval": {"board": "cab", "lead": "9d"}})}},
        Reason.APPROVAL,
        (),
    ),
    "approval before a later date": (
        {"work": {"X": by("p1", "1h", not_before="12d", change={"approval": {"lead": "9d"}})}},
        Reason.RELEASE,
        (),
    ),
    "pinned": ({"work": {"X": by("p1", "1h")}, "policy": {"pins": [{"work": "X", "start": "9d"}]}}, Reason.PINNED, ()),
    "calendar": (
        {"people": {"p1": {"away": ["2026-11-01/2026-12-01"]}, "p2": {}}, "work": {"X": by("p1", "1h")}},
        Reason.CALENDAR,
        (),
    ),
}


def held(data: dict[str, Any]) -> tuple[Plan, Hold]:
    plan = plan_of(portfolio(**{"people": 3, **data}), budget=0.05)
    (hold,) = [h for h in plan.holds if h.item == "X"]
    return plan, hold


@pytest.mark.parametrize("name", CASES)
def test_the_reason_of_a_hold(name: str) -> None:
    data, reason, refs = CASES[name]
    plan, hold = held(data)
    assert hold.reason is reason
    assert set(refs) <= set(hold.refs)
    assert all(ref in hold.text for ref in refs)
    assert hold.until == plan.items["X"].start
    assert hour(plan, hold.until) >= 160  # the Monday after as-of


def test_the_text_of_an_approval_names_the_board() -> None:
    _, hold = held(CASES["approval"][0])
    assert hold.text == "approval by cab is not expected before Wed 2026-12-02 08:00"


def test_people_are_named_with_what_they_do_first() -> None:
    people = {f"p{i}": {"skills": ["a"]} for i in range(1, 6)}
    work: dict[str, Any] = {f"A{i}": by(f"p{i}", LONG, cost_of_delay="9/hour") for i in range(1, 6)}
    work["X"] = {"needs": [{"skill": "a", "effort": "90h"}], "cost_of_delay": "1/hour"}
    _, hold = held({"people": people, "work": work})
    assert hold.reason is Reason.PEOPLE
    assert hold.text.count(",") <= 6
    assert "and 2 more" in hold.text


def test_what_a_large_container_waits_for_is_the_last_in_it() -> None:
    """Nine by nine items are linked through a hidden milestone, which has no name to tell."""
    work: dict[str, Any] = {"ONE": {}, "TWO": {"after": ["ONE"]}}
    work |= {f"A{i}": by("p1", "20h", parent="ONE") for i in range(9)}
    work |= {f"B{i}": by("p2", "1h", parent="TWO") for i in range(9)}
    plan = plan_of(portfolio(work, 2), budget=0.02)
    last = max((i for i in plan.items if i.startswith("A")), key=lambda i: plan.items[i].finish)
    reasons = {(h.reason, h.refs) for h in plan.holds if h.item.startswith("B")}
    assert reasons == {(Reason.PREDECESSOR, (last,))}


def test_reasons_do_not_change_what_they_look_at() -> None:
    made_from = portfolio(
        {"A": by("p1", LONG), "B": by("p1", "9h", after=["A"]), "C": by("p1", LONG)}, calendars=ALWAYS
    )
    plan = plan_of(made_from, budget=0.02)
    c = compiled(made_from)
    schedule = lower(c, dict(plan.items))
    assert schedule is not None
    causes = Reasons(c, schedule)
    first = [causes.why(j) for j in (1, 2, 1, 2)]
    assert first[:2] == first[2:]


@given(portfolios())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_every_hold_has_a_reason_and_no_release_has_one(made_from: Portfolio) -> None:
    try:
        plan = make_plan(made_from, budget=0.002, deterministic=True)
    except NoPlanError:
        return
    begun = {i for i, item in made_from.work.items() if item.status == "in-progress"}
    told = [*(r.item for r in plan.releases), *(h.item for h in plan.holds)]
    assert sorted(told) == sorted({*plan.items, *plan.unscheduled} - begun)
    for hold in plan.holds:
        assert hold.text
        if hold.item in plan.unscheduled:
            assert (hold.reason, hold.until) == (plan.unscheduled[hold.item].reason, None)
        else:
            assert hold.until == plan.items[hold.item].start
        assert all(
            ref
            in {
                *made_from.work,
                *plan.inserted,
                *made_from.people,
                *made_from.external,
                *made_from.environments,
                *made_from.windows,
                *made_from.projects,
                *made_from.skills,
                *made_from.services,
                *plan.inserted,
            }
            for ref in hold.refs
        )
    values = [h.value for h in plan.holds]
    assert values == sorted(values, reverse=True)
