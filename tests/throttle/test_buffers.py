"""Buffers: sizes and chains worked out by hand, and what is broken on purpose is found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from support.cases import by, hours, needing, plan_of, portfolio, same
from support.portfolios import random_data
from throttle.buffers import Spread, size
from throttle.check import check
from throttle.errors import NoPlanError
from throttle_models import Plan, Portfolio, Reason

Data = dict[str, Any]
AUTO: Data = {"buffers": {"project": "auto", "feeding": "auto"}}
OFFICE = {"office": {"hours": "Mon-Fri 09:00-17:00"}}


def kinds(plan: Plan) -> set[str]:
    return {v.kind for v in check(plan).violations}


def told(plan: Plan, project: str = "P", **fields: Any) -> Plan:
    changed = plan.projects[project].model_copy(update=fields)
    return plan.model_copy(update={"projects": {**plan.projects, project: changed}})


# --- sizes


def test_the_root_of_the_sum_of_squares() -> None:
    """S = 9, 6, 3 and A = 6, 4, 2 (definitions of the critical chain): 3.74, and half of the chain would be 6."""
    chain = [Spread(6, 3), Spread(4, 2), Spread(2, 1)]
    assert size(chain, "auto") == pytest.approx(14**0.5)


def test_no_less_than_a_quarter_of_the_chain() -> None:
    assert size([Spread(6, 0), Spread(10, 1)], "auto") == 4
    assert size([], "auto") == 0
    assert size([Spread(6, 3)], timedelta(hours=2)) == 2


# --- plans by likely values


def test_work_is_planned_by_its_likely_value() -> None:
    work = {"A": by("p1", "1h/4h/20h", project="P")}
    mean = same(plan_of(portfolio(work, projects={"P": {}})))
    assert hours(mean)["A"] == (0, 8)  # 7.9
    plan = same(plan_of(portfolio(work, projects={"P": {}}, policy=AUTO)))
    assert hours(plan)["A"] == (0, 4)
    assert plan.projects["P"].buffer_hours == 16
    assert plan.projects["P"].promise == plan.as_of + timedelta(hours=20)


def test_inserted_and_verified_work_is_planned_so_too() -> None:
    rules = [{"name": "r", "when": {}, "require": [{"before": "Test", "needs": [{"who": "p1", "effort": "1h/2h/9h"}]}]}]
    work = {"C": by("p1", "1h/3h/9h", change={"services": ["s"]}, verify={"for": "1h"})}
    plan = same(plan_of(portfolio(work, services={"s": {}}, policy={**AUTO, "rules": rules})))
    assert hours(plan) == {"C~test": (0, 2), "C": (2, 6)}
    (inserted,) = plan.inserted.values()
    assert str(inserted.item.needs[0].effort) == "1h/2h/9h"


# --- the critical chain


CHAIN: Data = {
    "A": needing("a", "4h/6h/9h", project="P"),
    "B": needing("a", "2h/4h/6h", project="P", after=["A"]),
    "F": needing("c", "1h/2h/10h", project="P"),
    "C": needing("b", "1h/2h/3h", project="P", after=["B", "F"]),
}
PEOPLE: Data = {"p1": {"skills": ["a"]}, "p2": {"skills": ["b"]}, "p3": {"skills": ["c"]}}


@pytest.fixture(scope="module")
def chain() -> Plan:
    return same(plan_of(portfolio(CHAIN, PEOPLE, calendars=OFFICE, projects={"P": {}}, policy=AUTO)))


def test_the_chain_its_buffer_and_the_promise(chain: Plan) -> None:
    figures = chain.projects["P"]
    assert figures.chain == ("A", "B", "C")
    assert figures.buffer_hours == pytest.approx(14**0.5, abs=1e-4)
    assert figures.finish == chain.as_of + timedelta(hours=29)  # Tuesday 13:00
    assert figures.promise == chain.as_of + timedelta(hours=33)
    (feeding,) = figures.feeding
    assert (feeding.item, feeding.into, feeding.chain, feeding.hours) == ("F", "C", ("F",), 8)
    assert feeding.left_hours == 8  # Monday 11:00 to Tuesday 11:00, less the night


def test_a_chain_goes_through_people_and_environments_too() -> None:
    work = {
        "A": by("p1", "4h", project="P", environment="lab"),
        "B": by("p2", "4h", project="P", environment="lab", not_before="4h"),
        "C": by("p2", "4h", project="P", not_before="8h"),
        "D": by("p3", "4h", project="P"),
    }
    plan = same(plan_of(portfolio(work, 3, projects={"P": {}}, environments={"lab": {}}, policy=AUTO)))
    assert plan.projects["P"].chain == ("A", "B", "C")
    assert plan.projects["P"].promise == plan.as_of + timedelta(hours=12 + 3)


def test_the_buffer_is_of_the_last_crews_time() -> None:
    """What ends with a wait is promised by the time of those who worked before it, from the end of the wait."""
    work = {"A": by("p1", "16h", project="P"), "B": {"wait": "1h", "project": "P", "after": ["A"]}}
    rule = {"buffers": {"project": "12h"}}
    plan = same(plan_of(portfolio(work, calendars=OFFICE, projects={"P": {}}, policy=rule)))
    assert plan.projects["P"].chain == ("A", "B")
    assert hours(plan)["B"] == (33, 34)  # Tuesday 17:00 to 18:00
    assert plan.projects["P"].promise == plan.as_of + timedelta(hours=72 + 5)  # Thursday 13:00


def test_without_buffers_the_promise_is_the_finish() -> None:
    plan = plan_of(portfolio(CHAIN, PEOPLE, projects={"P": {}}))
    assert plan.projects["P"].promise == plan.projects["P"].finish
    assert plan.projects["P"].buffer_hours is None
    assert plan.projects["P"].chain == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"chain": ("A", "C")},
        {"buffer_hours": 3.0},
        {"buffer_hours": None},
        {"feeding": ()},
        {"promise": None},
    ],
)
def test_wrong_buffers_are_found(chain: Plan, wrong: Data) -> None:
    assert kinds(told(chain, **wrong)) == {"buffers"}


def test_wrong_dates_and_hours_are_found(chain: Plan) -> None:
    figures = chain.projects["P"]
    assert kinds(told(chain, promise=figures.finish)) == {"buffers"}
    for wrong in ({"hours": 7.0}, {"left_hours": 9.0}, {"chain": ("A", "F")}, {"into": "B"}):
        assert kinds(told(chain, feeding=(figures.feeding[0].model_copy(update=wrong),))) == {"buffers"}


def test_buffers_that_nobody_asked_for_are_found() -> None:
    plan = plan_of(portfolio(CHAIN, PEOPLE, projects={"P": {}}))
    assert kinds(told(plan, chain=("A",))) == {"buffers"}
    assert kinds(told(plan, promise=plan.projects["P"].finish + timedelta(hours=1))) == {"project-figures"}  # type: ignore[operator]


# --- the drum


DRUM: Data = {
    "FEED": needing("b", "4h/8h/12h", cost_of_delay="1/hour"),
    "DRUM": needing("a", "8h", cost_of_delay="9/hour", after=["FEED"]),
    "FREE": needing("a", "8h", cost_of_delay="1/hour"),
}


@pytest.mark.parametrize(("wanted", "start"), [("2h", 10), ("1d", 16), ("auto", 12), (None, 8)])
def test_what_feeds_the_drum_is_finished_a_while_before(wanted: str | None, start: int) -> None:
    policy = {"drum": "p1", "buffers": {"drum": wanted, "project": "1h"}}
    plan = same(plan_of(portfolio(DRUM, PEOPLE, policy=policy)))
    assert hours(plan)["FEED"] == (0, 8)
    assert hours(plan)["DRUM"][0] >= start
    assert {v.kind for v in check(plan).violations} == set()


def test_auto_counts_all_that_leads_to_the_drum() -> None:
    """4 h and 3 h more on a chain of 10 h: 5 h; the other way to the drum is shorter."""
    work = {
        "X": needing("c", "2h/5h/9h"),
        "Y": needing("b", "2h/5h/8h", after=["X"]),
        "Z": needing("b", "1h/1h/9h"),
        "DRUM": needing("a", "8h", cost_of_delay="9/hour", after=["Y"]),
    }
    plan = same(plan_of(portfolio(work, PEOPLE, policy={"drum": "p1", "buffers": {"drum": "auto"}})))
    assert hours(plan)["DRUM"][0] - hours(plan)["Y"][1] >= 5


def test_a_drum_buffer_is_there_to_be_used() -> None:
    """Work in progress that feeds the drum may use it up, and what is pinned stays where it is."""
    policy = {"drum": "p1", "buffers": {"drum": "1d"}}
    late = {**DRUM, "FEED": needing("b", "8h", status="in-progress", cost_of_delay="1/hour")}
    plan = same(plan_of(portfolio(late, PEOPLE, policy=policy)))
    assert hours(plan)["DRUM"][0] == 8
    pinned = {**policy, "pins": [{"work": "DRUM", "start": "9h"}]}
    assert hours(same(plan_of(portfolio(DRUM, PEOPLE, policy=pinned))))["DRUM"][0] == 9


def test_a_drum_buffer_beyond_the_end_of_the_plan_leaves_the_work_out() -> None:
    policy = {"drum": "p1", "buffers": {"drum": "800000h"}}
    plan = same(plan_of(portfolio(DRUM, PEOPLE, policy=policy)))
    assert {id: left.reason for id, left in plan.unscheduled.items()} == {"DRUM": Reason.BEYOND}


def test_a_red_line_below_the_green_one_is_refused() -> None:
    with pytest.raises(ValidationError, match="the red line is below the green one"):
        portfolio({"A": by("p1", "1h")}, PEOPLE, policy={"fever": {"green": [1, 2], "red": [0, 0]}})


def test_a_drum_buffer_that_is_not_kept_is_found() -> None:
    """The same plan, of a portfolio that asks for a longer buffer."""
    from throttle.files import portfolio_hash

    policy = {"drum": "p1", "buffers": {"drum": "2h"}}
    plan = plan_of(portfolio(DRUM, PEOPLE, policy=policy))
    other = portfolio(DRUM, PEOPLE, policy={"drum": "p1", "buffers": {"drum": "30h"}})
    certificate = plan.certificate.model_copy(update={"input_hash": portfolio_hash(other)})
    assert "drum-buffer" in kinds(plan.model_copy(update={"portfolio": other, "certificate": certificate}))


# --- any portfolio


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_plans_with_buffers_pass_the_checker(seed: int, items: int) -> None:
    data = random_data(seed, items)
    data["policy"]["buffers"] = {"project": "auto", "feeding": "4h", "drum": "auto"}
    data["policy"].pop("pins", None)
    try:
        plan = plan_of(Portfolio.model_validate(data), budget=0.02)
    except NoPlanError:
        assert "projects_in_process" in data["policy"] or "person_wip" in data["policy"]
        return
    assert check(plan).ok
