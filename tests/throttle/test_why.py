"""Why an item is planned when it is: for each kind of item, and back along the chain."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.cases import by, plan_of, portfolio
from support.portfolios import portfolios
from throttle.errors import InputError, NoPlanError
from throttle.planning import make_plan
from throttle.why import explain
from throttle_models import Explanation, Plan, Portfolio, Reason

WORK: dict[str, Any] = {
    "OLD": by("p1", "1h", status="done", title="Old work"),
    "OFF": by("p1", "1h", status="cancelled"),
    "BOX": {"project": "P", "title": "All of it"},
    "A": by("p1", "5h", parent="BOX"),
    "B": by("p2", "2h", parent="BOX", after=["A"]),
    "C": by("p2", "3h", after=["B"], due="3h", cost_of_delay="2/hour"),
    "GOING": by("p3", "2h", status="in-progress"),
    "AFTER": by("p3", "2h", after=["GOING"]),
    "EMPTY": {},
    "HELD": by("p1", "1h", parent="EMPTY", on_hold="no"),
    "LATER": by("p1", "1h", after=["HELD"]),
    "LAST": by("p1", "1h", after=["LATER"]),
}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(portfolio(WORK, 3, projects={"P": {"cost_of_delay": "7/hour"}}, currency="USD"), budget=0.05)


def said(explanation: Explanation) -> str:
    return "\n".join(explanation.text)


def test_history(plan: Plan) -> None:
    done, cancelled = explain(plan, "OLD"), explain(plan, "OFF")
    assert done.text == ("OLD: Old work", "It is done: history, not work to plan.")
    assert "cancelled" in said(cancelled)
    assert done.reason is None


def test_a_container_is_done_with_its_last(plan: Plan) -> None:
    found = explain(plan, "BOX")
    assert found.text[0] == "BOX: All of it"
    assert "B is the last, Mon 2026-11-23 15:00" in said(found)
    assert found.refs == ("B",)
    assert "none in it is in the schedule" in said(explain(plan, "EMPTY"))


def test_a_project_is_as_late_as_its_last_work(plan: Plan) -> None:
    found = explain(plan, "P")
    assert "Its last work is B, finished Mon 2026-11-23 15:00" in said(found)
    assert found.refs[0] == "B"
    assert found.reason is Reason.PREDECESSOR


def test_what_is_not_in_the_schedule_and_what_waits_for_it(plan: Plan) -> None:
    assert explain(plan, "HELD").reason is Reason.ON_HOLD
    found = explain(plan, "LAST")
    assert found.reason is Reason.UNSCHEDULED
    assert found.refs == ("HELD", "LATER")
    assert [line.split()[0] for line in found.text[2:]] == ["LATER", "HELD"]
    assert "on hold" in found.text[-1]


def test_the_chain_of_reasons_behind_a_start(plan: Plan) -> None:
    found = explain(plan, "C")
    assert found.reason is Reason.PREDECESSOR
    assert found.refs == ("B",)
    assert found.text[1] == "Planned from Mon 2026-11-23 15:00 to Mon 2026-11-23 18:00 by p2."
    assert "It does not begin before Mon 2026-11-23 15:00: waits until B is finished" in found.text[2]
    assert "B does not begin before Mon 2026-11-23 13:00: waits until A is finished" in found.text[3]
    assert found.text[4] == "Nothing keeps A from beginning when it does."
    # due three hours after as-of, finished after ten: seven hours late at 2 an hour
    assert found.text[5] == "C is finished Mon 2026-11-23 18:00, 0.0 weeks after it is due, at a cost of 14 USD."


def test_what_begins_at_once(plan: Plan) -> None:
    found = explain(plan, "A")
    assert found.reason is None
    assert "Nothing keeps it from beginning when it does." in found.text
    assert any(line.startswith("P is finished") and "49 USD" in line for line in found.text)


def test_work_in_progress_ends_the_chain(plan: Plan) -> None:
    assert "GOING is in progress already." in explain(plan, "GOING").text
    found = explain(plan, "AFTER")
    assert found.reason is Reason.PREDECESSOR
    assert found.text[-1] == "GOING is in progress already."


@pytest.mark.parametrize(("id", "near"), [("LATTER", "LATER"), ("GOIN", "GOING"), ("BX", "BOX")])
def test_an_unknown_id_suggests_the_nearest(plan: Plan, id: str, near: str) -> None:
    with pytest.raises(InputError, match=f"no work item {id} in this plan; did you mean {near}\\?"):
        explain(plan, id)


def test_an_id_like_no_other_suggests_nothing(plan: Plan) -> None:
    with pytest.raises(InputError) as caught:
        explain(plan, "ZZZZZZ-99")
    assert "did you mean" not in str(caught.value)


def test_without_its_portfolio_a_plan_explains_nothing(plan: Plan) -> None:
    with pytest.raises(InputError, match="does not carry its portfolio"):
        explain(plan.model_copy(update={"portfolio": None}), "A")


def test_a_plan_that_was_changed_is_sent_to_the_checker(plan: Plan) -> None:
    items = {id: item for id, item in plan.items.items() if id != "B"}
    with pytest.raises(InputError, match="throttle verify"):
        explain(plan.model_copy(update={"items": items}), "C")


def test_people_who_are_first_on_something_else() -> None:
    work = {"A": by("p1", "9h", cost_of_delay="9/hour"), "B": by("p1", "9h", cost_of_delay="1/hour")}
    found = explain(plan_of(portfolio(work)), "B")
    assert found.reason is Reason.PEOPLE
    assert {"p1", "A"} <= set(found.refs)


def test_a_plan_longer_than_the_first_guess_is_explained() -> None:
    """The horizon is found again from the plan, since a guess from the portfolio may be too short."""
    work = {f"W{i}": by("p1", "30h", pausable=False, change={"window": "sat"}) for i in range(9)}
    made_from = portfolio(work, windows={"sat": {"every": "Sat 00:00-07:00"}})
    short = portfolio(
        {k: {**w, "needs": [{"who": "p1", "effort": "5h"}]} for k, w in work.items()},
        windows={"sat": {"every": "Sat 00:00-07:00"}},
    )
    assert set(plan_of(made_from).unscheduled) == set(work)
    plan = plan_of(short, budget=0.02)
    last = max(plan.items, key=lambda i: plan.items[i].start)
    assert explain(plan, last).reason is not None


@given(portfolios(), st.data())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_every_item_of_every_plan_is_explained(made_from: Portfolio, data: st.DataObject) -> None:
    try:
        plan = make_plan(made_from, budget=0.002, deterministic=True)
    except NoPlanError:
        return
    id = data.draw(st.sampled_from(sorted(made_from.work)))
    found = explain(plan, id)
    assert found.item == id
    assert found.text[0].startswith(id)
    assert len(found.text) >= 2
    assert (found.reason is None) or found.reason in set(Reason)
    if id in plan.unscheduled:
        assert found.reason is plan.unscheduled[id].reason
