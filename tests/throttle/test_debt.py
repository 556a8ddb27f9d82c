"""Debt is worked off first exactly when it pays back, on cases that can be solved on paper."""

from __future__ import annotations

from io import StringIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from support.cases import compiled, hours, needing, plan_of, portfolio
from throttle.policies.debt import with_interest
from throttle.terminal import show_plan
from throttle_models import Plan, Portfolio

WEEK = 168.0
"""Hours a week of someone who is always at work."""


def queue(work: int, debt: int, interest: int, rate: int = 50_000, people: int = 1) -> Portfolio:
    """One project of so many hours, and a debt of so many, which takes so many minutes a week of the same skill."""
    return portfolio(
        {
            "WORK": needing("linux", f"{work}h", project="p"),
            "DEBT": needing("linux", f"{debt}h", type="internal", interest={"linux": f"{interest}m/week"}),
        },
        {f"p{i + 1}": {"skills": ["linux"]} for i in range(people)},
        projects={"p": {"cost_of_delay": f"{rate}/week"}},
    )


def taken(plan: Plan) -> bool:
    return hours(plan)["DEBT"][0] < hours(plan)["WORK"][0]


def pays_back(work: float, debt: float, interest: float) -> bool:
    """Hours; whether the project ends earlier where the debt is worked off first, as if the interest took its hours of
    the week until then: (debt / (168 - interest) + work / 168) against work / (168 - interest)."""
    left = WEEK - interest
    return debt / left + work / WEEK < work / left


@given(st.integers(10, 300), st.integers(1, 60), st.sampled_from((0.5, 0.9, 0.97, 1.03, 1.1, 2.0)))
@settings(max_examples=12, deadline=None)
def test_debt_comes_first_just_if_it_pays_back(work: int, debt: int, of_break_even: float) -> None:
    interest = round(60 * of_break_even * debt * WEEK / work)
    if not 0 < interest / 60 < WEEK or abs(interest / 60 * work - debt * WEEK) < debt:
        return  # no interest, more than all hours, or too near to break-even for whole minutes
    plan = plan_of(queue(work, debt, interest))
    assert taken(plan) == pays_back(work, debt, interest / 60)
    told = plan.debts["DEBT"]
    assert told.payback_weeks is not None
    assert taken(plan) == (told.payback_weeks < work / WEEK)


@pytest.mark.parametrize("rate", [1, 50_000])
@pytest.mark.parametrize("people", [1, 3])
def test_whether_it_pays_does_not_depend_on_the_rate(rate: int, people: int) -> None:
    """Nor on how many share the work: one project of 84 h is half a week of one, whoever does it."""
    assert taken(plan_of(queue(84, 4, 9 * 60, rate)))
    assert not taken(plan_of(queue(84, 4, 7 * 60, rate)))
    cost = plan_of(queue(84, 4, 7 * 60, rate, people)).debts["DEBT"].cost
    assert cost == pytest.approx(7 * rate / (WEEK * people), abs=1e-6)


def test_the_price_is_what_a_week_costs_by_the_hours_of_the_week() -> None:
    made_from = portfolio(
        {
            "BOX": {"cost_of_delay": "700/week"},
            "A": needing("linux", "8h", parent="BOX", project="p"),
            "B": needing("linux", "8h", project="p", cost_of_delay="100/week"),
            "C": needing("qa", "8h", cost_of_delay="9000/week"),
            "GONE": needing("linux", "8h", cost_of_delay="9000/week", status="done"),
            "DEBT": needing("qa", "4h", interest={"linux": "5h/week", "java": "1h/week"}),
        },
        {"ann": {"skills": ["linux"]}, "bob": {"skills": {"linux": 3, "qa": 1}}, "cat": {"skills": ["qa", "java"]}},
        calendars={"office": {"hours": "Mon-Fri 09:00-17:00"}},
        projects={
            "p": {"cost_of_delay": "2000/week", "costs": {"flow": "30/week"}},
            "q": {"cost_of_delay": "9000/week"},
        },
    )
    told = plan_of(made_from).debts["DEBT"]
    assert told.price == {"linux": pytest.approx((700 + 100 + 2030) / 80), "java": 0.0}
    assert told.cost == pytest.approx(5 * 2830 / 80)
    assert told.payback_weeks == pytest.approx(4 / 6, abs=1e-4)


def test_without_any_rate_each_activity_counts_one() -> None:
    plan = plan_of(
        portfolio(
            {"A": needing("linux", "40h"), "DEBT": needing("linux", "8h", interest={"linux": "21h/week"})},
            {"ann": {"skills": ["linux"]}},
        )
    )
    told = plan.debts["DEBT"]
    assert told.price == {"linux": pytest.approx(2 / WEEK)}
    assert plan.certificate.objective.value == pytest.approx((48 + 8) / WEEK + 21 * 2 / WEEK * 8 / WEEK)


def test_a_container_owes_interest_until_all_of_it_is_done() -> None:
    work: dict[str, Any] = {
        "BOX": {"interest": {"linux": "4h/week"}},
        "A": needing("linux", "8h", parent="BOX"),
        "B": needing("linux", "8h", parent="BOX", after=[{"item": "A", "lag": "2d", "lag_in": "elapsed"}]),
        "C": needing("linux", "8h", cost_of_delay="1680/week"),
    }
    plan = plan_of(portfolio(work, {"ann": {"skills": ["linux"]}}))
    told = plan.debts["BOX"]
    assert (told.hours, told.finish) == (16, plan.items["B"].finish)
    assert told.cost == pytest.approx(4 * 1680 / WEEK)
    assert told.paid == pytest.approx(told.cost * hours(plan)["B"][1] / WEEK, abs=1e-6)


def test_a_debt_that_is_not_planned_is_told_without_a_date() -> None:
    plan = plan_of(portfolio({"DEBT": needing("linux", "8h", interest={"linux": "4h/week"}, on_hold="later")}, 1))
    told = plan.debts["DEBT"]
    assert (told.hours, told.finish, told.paid, told.horizon) == (8, None, None, None)


def test_where_there_is_no_debt_nothing_changes() -> None:
    plain = portfolio({"A": needing("linux", "8h")}, {"ann": {"skills": ["linux"]}})
    assert with_interest(plain) == (plain, None)
    assert with_interest(plain)[0] is plain
    paid = portfolio({"A": needing("linux", "8h", status="done", interest={"linux": "4h/week"})}, 1)
    assert with_interest(paid)[0] is paid
    one, other = compiled(plain, 300).instance.arrays, compiled(with_interest(plain)[0], 300).instance.arrays
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_terminal_tells_what_a_debt_costs_and_when_it_pays_back() -> None:
    made_from = queue(84, 4, 9 * 60)
    out = StringIO()
    show_plan(Console(width=160, file=out), plan_of(made_from), made_from)
    text = out.getvalue()
    assert "Technical debt: 1 item with interest" in text
    assert "linux 9 h/week" in text
    assert "0.4 weeks" in text
    assert "linux 298" in text
