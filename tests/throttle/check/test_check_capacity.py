"""Plans that take time which is kept for something else, or more of it than may be: each is caught."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from support.cases import OFFICE, plan_of, portfolio
from throttle.check import check
from throttle_models import Plan

Data = dict[str, Any]


def one(person: str, effort: str, **fields: Any) -> Data:
    return {"needs": [{"who": person, "effort": effort}], **fields}


def night(person: str, effort: str) -> Data:
    return one(person, effort, type="change", change={"window": "night"})


@cache
def right() -> Plan:
    """Monday to Friday, 9 to 17: dan is on call this week, ann keeps 5 hours, the last day of eve's week is for
    improvement, and bob does up to 6 hours a week at night."""
    made_from = portfolio(
        {
            "DUTY": one("dan", "4h"),
            "DAY": one("ann", "7h"),
            "OTHER": one("eve", "16h"),
            "BETTER": one("eve", "8h", type="internal"),
            "CHG-1": night("bob", "4h"),
            "CHG-2": night("bob", "4h"),
            "CHG-3": night("bob", "2h"),
            "DEBT": {"needs": [{"skill": "qa", "effort": "8h"}], "type": "internal", "interest": {"qa": "4h/week"}},
        },
        {
            "ann": {"reserve": "5h/week"},
            "bob": {"out_of_hours": {"limit": "6h/week", "rest": "9h"}},
            "dan": {"skills": ["qa"]},
            "eve": {"team": "ops"},
            "fay": {"skills": ["qa"]},
        },
        calendars=OFFICE,
        teams={"ops": {"improvement": "20%"}},
        rotas={"on-call": {"people": ["dan", "fay"], "first": "2026-11-23"}},
        windows={"night": {"every": "daily 17:00-09:00"}},
    )
    plan = plan_of(made_from, budget=0.02)
    assert plan.unscheduled == {}
    return plan


def placed(plan: Data, name: str, *spans: tuple[str, str]) -> None:
    """The item in just these spans of (day and hour) of November 2026, its first person all the time."""
    work = [[f"2026-11-{a}:00Z", f"2026-11-{b}:00Z"] for a, b in spans]
    plan["items"][name] |= {"start": work[0][0], "finish": work[-1][1]}
    for assigned in plan["items"][name]["assignments"]:
        assigned["work"] = work


def windows(plan: Data, names: str, begins: str, ends: str) -> None:
    for name in names.split():
        plan["items"][name]["window"] = [f"2026-11-{begins}:00Z", f"2026-11-{ends}:00Z"]


def told(plan: Data, **figures: Any) -> None:
    plan["debts"]["DEBT"] |= figures


def rearranged(inject: Callable[[Data], None]) -> set[str]:
    """The kinds of violations, but for those of what a plan tells besides its items."""
    data = right().model_dump(mode="json")
    inject(data)
    verdict = check(Plan.model_validate(data))
    views = {"release-list", "hold-list", "week-hours", "week-items", "project-figures", "load-figures", "load-list"}
    views |= {"objective-value", "flow-value", "bottleneck", "drum", "gap", "bound", "proof", "baseline", "list-order"}
    views |= {"goal-value", "goal-tolerance"}
    return {v.kind for v in verdict.violations} - views


def test_it_is_right_as_it_is() -> None:
    assert check(right()).ok
    nights = [right().items[n].start.isocalendar().week for n in ("CHG-1", "CHG-2", "CHG-3")]
    assert sorted(nights) in ([48, 48, 49], [48, 49, 49])  # not all in one week


IN_ORDER: dict[str, Callable[[Data], None]] = {
    "another night": lambda p: (placed(p, "CHG-3", ("27T20", "27T22")), windows(p, "CHG-3", "27T17", "28T09"))[0],
    "improvement time for improvement": lambda p: placed(p, "BETTER", ("27T09", "27T17")),
    "improvement in other time": lambda p: (
        placed(p, "BETTER", ("23T09", "23T17")),
        placed(p, "OTHER", ("24T09", "24T17"), ("25T09", "25T17")),
    )[0],
}


@pytest.mark.parametrize("name", IN_ORDER)
def test_what_is_in_order(name: str) -> None:
    assert rearranged(IN_ORDER[name]) == set()


BROKEN: dict[str, tuple[Callable[[Data], None], str]] = {
    "planned work while on call": (lambda p: placed(p, "DUTY", ("23T09", "23T13")), "start-closed"),
    "work in the reserve": (lambda p: placed(p, "DAY", ("23T10", "23T17")), "wrong-work"),
    "other work in improvement time": (
        lambda p: placed(p, "OTHER", ("26T09", "26T17"), ("27T09", "27T17")),
        "wrong-work",
    ),
    "improvement from other time into its own": (
        lambda p: placed(p, "BETTER", ("26T13", "26T17"), ("27T09", "27T13")),
        "wrong-work",
    ),
    "ordinary work at night": (lambda p: placed(p, "DAY", ("23T17", "24T00")), "start-closed"),
    "a change across the end of the day": (lambda p: placed(p, "CHG-3", ("23T16", "23T18")), "wrong-work"),
    "less rest than is owed": (
        lambda p: (placed(p, "CHG-3", ("23T23", "24T01")), windows(p, "CHG-3", "23T17", "24T09"))[0],
        "wrong-work",
    ),
    "too much in a week": (
        lambda p: (
            placed(p, "CHG-1", ("25T18", "25T22")),
            placed(p, "CHG-2", ("26T18", "26T22")),
            windows(p, "CHG-1", "25T17", "26T09"),
            windows(p, "CHG-2", "26T17", "27T09"),
        )[0],
        "out-of-hours",
    ),
    "another price": (lambda p: told(p, price={"qa": 1.0}), "debt"),
    "another payback": (lambda p: told(p, payback_weeks=1.0), "debt"),
    "another interest": (lambda p: told(p, interest={"qa": 2.0}), "debt"),
    "paid at another time": (lambda p: told(p, finish="2026-11-30T10:00Z"), "debt"),
    "no debt told": (lambda p: p["debts"].clear(), "debt"),
    "a debt that is none": (lambda p: p["debts"].update(DAY=p["debts"]["DEBT"]), "debt"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not(name: str) -> None:
    inject, kind = BROKEN[name]
    assert kind in rearranged(inject)
