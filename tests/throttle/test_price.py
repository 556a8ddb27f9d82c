"""What a local wish costs all the others: small cases that can be worked out on paper."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from support.cases import by, hour, plan_of, portfolio
from support.portfolios import portfolios
from throttle.errors import InputError, NoPlanError
from throttle.explain.price import price
from throttle.planning import make_plan
from throttle_models import Portfolio

WORK: dict[str, Any] = {
    "A": by("p1", "9h", project="P"),
    "B": by("p1", "9h", project="Q"),
    "C": by("p1", "2h", cost_of_delay="1/hour"),
    "D": by("p2", "4h", project="R"),
    "OLD": by("p1", "4h", project="OVER", status="done"),
}
PROJECTS: dict[str, Any] = {"P": {"cost_of_delay": "9/hour"}, "Q": {"cost_of_delay": "1/hour"}, "R": {}, "OVER": {}}


def made() -> Portfolio:
    return portfolio(WORK, 2, projects=PROJECTS, currency="USD")


def test_what_one_project_first_costs_the_others() -> None:
    """A, C, B take 9, 2 and 9 hours and cost 9, 1 and 1 an hour: 81 + 11 + 20; with B first, 9 + 9 * 18 + 20."""
    plan = plan_of(made())
    assert plan.certificate.objective.value == pytest.approx(112)
    found = price(plan, "Q", 0.1)
    assert (found.before, found.after) == (pytest.approx(112), pytest.approx(191))
    assert found.own == pytest.approx(9 - 20)
    assert found.others == pytest.approx(81 + 9)
    assert list(found.paid) == ["P", "C", "Q"]
    paid = found.paid["P"]
    assert (paid.before, paid.after) == (pytest.approx(81), pytest.approx(162))
    assert paid.finish_after is not None
    assert hour(plan, paid.finish_after) == 18
    assert found.text[0] == (
        "Q first costs all others 90 USD and saves itself 11 USD: 79 USD more in all (112 USD now, 191 USD then)."
    )


def test_an_item_first() -> None:
    found = price(plan_of(made()), "C", 0.1)
    assert found.own == pytest.approx(2 - 11)
    assert found.others == pytest.approx(9 * 2)


def test_what_is_first_already_costs_nobody_anything() -> None:
    found = price(plan_of(made()), "P", 0.1)
    assert (found.own, found.others) == (pytest.approx(0), pytest.approx(0))
    assert found.paid == {}


@pytest.mark.parametrize(
    ("first", "message"),
    [("OVER", "no work in this plan"), ("Z", "no project or work item Z"), ("OLDD", "did you mean OLD")],
)
def test_what_cannot_be_first_is_refused(first: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        price(plan_of(made()), first, 0.1)


@given(portfolios())
@settings(max_examples=3, deadline=None, derandomize=True)
def test_the_parts_are_the_whole(made_from: Portfolio) -> None:
    try:
        plan = make_plan(made_from, budget=0.002, deterministic=True)
    except NoPlanError:
        return
    for first in [*made_from.projects][:1] + [*plan.items][:1]:
        try:
            found = price(plan, first, 0.01)
        except InputError as refused:
            assert refused.findings[0].code == "nothing-to-plan"  # noqa: PT017 - only some portfolios have such projects
            continue
        assert found.before == pytest.approx(plan.certificate.objective.value)
        assert found.own + found.others == pytest.approx(found.after - found.before, abs=1e-4)
