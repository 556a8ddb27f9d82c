"""Improvement time and work out of hours in plans: who may use them, how much, and what stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.cases import OFFICE, by, compiled, needing, portfolio
from support.cases import plan_of as plan_with
from throttle.lift import lower
from throttle_models import Plan, Portfolio, Reason

NIGHT = {"night": {"every": "daily 17:00-09:00"}}


def plan_of(made_from: Portfolio) -> Plan:
    return plan_with(made_from, budget=0.02)


def night(person: str, effort: str, **fields: Any) -> dict[str, Any]:
    return by(person, effort, type="change", change={"window": "night"}, **fields)


def starts(plan: Plan, *names: str) -> list[str]:
    return [f"{plan.items[n].start:%a %d %H}" for n in names]


def outside(limit: str, rest: str = "0", **work: Any) -> Portfolio:
    people = {"bob": {"out_of_hours": {"limit": limit, "rest": rest}}}
    return portfolio(work, people, calendars=OFFICE, windows=NIGHT)


def test_a_change_is_done_out_of_hours_by_who_offers_it() -> None:
    plan = plan_of(outside("6h/week", CHG=night("bob", "3h")))
    assert starts(plan, "CHG") == ["Mon 23 17"]
    without = portfolio({"CHG": night("bob", "3h")}, {"bob": {}}, calendars=OFFICE, windows=NIGHT)
    assert plan_of(without).unscheduled["CHG"].reason is Reason.NO_WINDOW


def test_other_work_is_not() -> None:
    plan = plan_of(outside("6h/week", A=by("bob", "9h"), CHG=night("bob", "3h")))
    assert [(f"{a:%a %H}", f"{b:%a %H}") for a, b in plan.items["A"].assignments[0].work] == [
        ("Mon 09", "Mon 17"),
        ("Tue 09", "Tue 10"),
    ]


def test_no_week_has_more_than_the_limit() -> None:
    plan = plan_of(outside("6h/week", A=night("bob", "4h"), B=night("bob", "4h"), C=night("bob", "2h")))
    weeks = sorted(item.start.isocalendar().week for item in plan.items.values())
    assert weeks in ([48, 48, 49], [48, 49, 49])


def test_a_change_that_needs_more_than_the_limit_is_left_out_with_a_reason() -> None:
    plan = plan_of(outside("3h/week", A=night("bob", "4h")))
    assert plan.unscheduled["A"].reason is Reason.NO_WINDOW


def test_rest_is_kept_before_the_next_working_hours() -> None:
    assert starts(plan_of(outside("8h/week", "9h", A=night("bob", "7h"))), "A") == ["Mon 23 17"]
    # eight hours from 17:00 on leave eight until 09:00, so it waits for a night before a day off
    assert starts(plan_of(outside("8h/week", "9h", A=night("bob", "8h"))), "A") == ["Fri 27 17"]


def test_items_out_of_hours_count_apart_from_those_by_day() -> None:
    people = {"bob": {"out_of_hours": {"limit": "8h/week"}, "wip": 1}}
    work = {"A": by("bob", "12h"), "CHG": night("bob", "3h", cost_of_delay="9/week"), "B": night("bob", "3h")}
    plan = plan_of(portfolio(work, people, calendars=OFFICE, windows=NIGHT))
    assert starts(plan, "A", "CHG", "B") == ["Mon 23 09", "Mon 23 17", "Mon 23 20"]


def better(**work: Any) -> Portfolio:
    people = {"eve": {"team": "ops", "skills": ["linux"]}}
    return portfolio(work, people, calendars=OFFICE, teams={"ops": {"improvement": "20%"}})


def test_other_work_leaves_the_end_of_the_week_to_improvement() -> None:
    first = by("eve", "48h", cost_of_delay="100/week")
    plan = plan_of(better(A=first, GOOD=by("eve", "8h", type="internal", cost_of_delay="1/week")))
    assert starts(plan, "GOOD") == ["Fri 27 09"]
    worked = {f"{a:%a}" for a, _ in plan.items["A"].assignments[0].work}
    assert "Fri" not in worked


def test_a_tag_makes_improvement_work() -> None:
    plan = plan_of(better(A=by("eve", "32h"), GOOD=by("eve", "8h", type="change", tags=["improvement"])))
    assert starts(plan, "A", "GOOD") == ["Mon 23 09", "Fri 27 09"]


def test_improvement_may_use_other_time_too() -> None:
    assert starts(plan_of(better(GOOD=by("eve", "8h", type="internal"))), "GOOD") == ["Mon 23 09"]


def test_one_long_item_is_possible_in_a_team_of_one() -> None:
    """A cap on work other than improvement in each week would never let it finish: work does not pause for a cap."""
    plan = plan_of(better(LONG=by("eve", "200h")))
    assert "LONG" in plan.items


def test_hours_lent_count_for_the_team_that_they_are_lent_to() -> None:
    people = {"asha": {"team": "dev", "lent_to": [{"team": "ops", "share": "50%", "until": "2026-11-29"}]}}
    teams = {"ops": {"improvement": "40%"}, "dev": {}}
    made_from = portfolio({"A": by("asha", "72h")}, people, calendars=OFFICE, teams=teams)
    plan = plan_of(made_from)
    assert f"{plan.items['A'].finish:%a %d %H}" == "Fri 04 17"  # a day less in the first week, none in the second


@pytest.mark.parametrize(
    "made_from",
    [
        outside("6h/week", A=night("bob", "4h"), B=night("bob", "4h"), C=by("bob", "3h")),
        better(A=by("eve", "48h"), GOOD=by("eve", "8h", type="internal")),
    ],
)
def test_a_plan_is_read_back_into_the_same_hours(made_from: Portfolio) -> None:
    plan, made = plan_of(made_from), compiled(made_from)
    schedule = lower(made, dict(plan.items))
    assert schedule is not None
    from throttle.check.fast import check_schedule

    assert check_schedule(made.instance, schedule) == []


def test_a_policy_that_is_not_used_adds_nothing() -> None:
    work = {"A": needing("linux", "8h"), "B": needing("linux", "8h", type="internal")}
    plain = {"people": {"eve": {"team": "ops", "skills": ["linux"]}}, "calendars": OFFICE, "teams": {"ops": {}}}
    never = {"eve": {**plain["people"]["eve"], "out_of_hours": {"limit": "6h/week"}}}  # no change has a window
    one = compiled(portfolio(work, **plain), 300).instance
    other = compiled(portfolio(work, **{**plain, "people": never}, policy={"reserve": "learned"}), 300).instance
    assert one.people == other.people == ("eve",)
    assert len(one.arrays.quota) == 0
    assert all(np.array_equal(a, b) for a, b in zip(one.arrays, other.arrays, strict=True))
