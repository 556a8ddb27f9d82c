"""Why an item is planned when it is: for each kind of item, and back along the chain."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.cases import by, hour, plan_of, portfolio
from support.portfolios import portfolios
from throttle.bottleneck import replayed
from throttle.check.fast import check_schedule
from throttle.errors import InputError, NoPlanError
from throttle.instance import Schedule
from throttle.planning import make_plan
from throttle.policies.inserted import expand
from throttle.reasons import Reasons
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
    # nothing else keeps it: p2 is free from the beginning but for B, which it takes 2 hours from 13:00
    assert found.text[3] == "Checked: without that, and all else as it is, it begins Mon 2026-11-23 08:00."
    assert found.text[4].startswith(
        "Repair: remove its link to B, if it need not wait for that; it then begins Mon 2026-11-23 08:00"
    )
    assert "B does not begin before Mon 2026-11-23 13:00: waits until A is finished" in found.text[5]
    assert found.text[6] == "Nothing keeps A from beginning when it does."
    # due three hours after as-of, finished after ten: seven hours late at 2 an hour
    assert found.text[7] == "C is finished Mon 2026-11-23 18:00, 0.0 weeks after it is due, at a cost of 14 USD."
    assert found.checked
    assert [(k.reason, k.refs) for k in found.kept] == [(Reason.PREDECESSOR, ("B",))]
    # without the link it is done by 11:00, when it is due; B and A go on as before
    assert found.repairs[0].cost == pytest.approx(-14)


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


TWO: dict[str, Any] = {
    "A": by("p1", "9h", project="P", title="first"),
    "B": by("p1", "9h", project="Q"),
}
RATES: dict[str, Any] = {"P": {"cost_of_delay": "9/hour"}, "Q": {"cost_of_delay": "1/hour"}}


def test_a_repair_is_priced_by_decoding_the_plan_with_it() -> None:
    found = explain(plan_of(portfolio(TWO, projects=RATES)), "B")
    assert [k.reason for k in found.kept] == [Reason.PEOPLE]
    assert "until Mon 2026-11-23 17:00" in found.kept[0].text
    # A ends after 18 hours instead of 9, B after 9 instead of 18: 9 * 9 - 9 * 1
    assert [(r.text, r.cost) for r in found.repairs] == [("let it go before A", pytest.approx(72))]
    assert "the plan costs 72 more." in said(found)


def test_a_search_with_the_repair_tells_the_objective() -> None:
    found = explain(plan_of(portfolio(TWO, projects=RATES)), "B", full=0.05)
    # the search goes back to the better order, since the repair forces nobody
    assert found.repairs[0].objective == pytest.approx(99)
    work = {"A": by("p1", "9h"), "B": by("p2", "9h", after=["A"], cost_of_delay="1/hour")}
    linked = explain(plan_of(portfolio(work, 2)), "B", full=0.05)
    assert linked.repairs[0].objective == pytest.approx(9)


def test_two_rules_that_only_together_keep_an_item() -> None:
    """The one who does A before X waits for it could not begin X sooner without the link, nor the link without them."""
    work = {"A": by("p1", "9h"), "X": by("p1", "9h", after=["A"])}
    found = explain(plan_of(portfolio(work)), "X")
    assert found.together
    assert {k.reason for k in found.kept} == {Reason.PREDECESSOR, Reason.PEOPLE}
    assert "only without all of these" in said(found)


def test_two_rules_each_of_which_would_do() -> None:
    """X could begin at 4 without the link and its release lets it only then; the lab is taken from 2 to 6."""
    work = {
        "A": by("p1", "9h", cost_of_delay="9/hour"),
        "B": by("p2", "4h", cost_of_delay="9/hour"),
        "X": by("p2", "1h", after=["A"]),
    }
    found = explain(plan_of(portfolio(work, 2)), "X")
    assert [k.reason for k in found.kept] == [Reason.PREDECESSOR]
    assert hour(plan_of(portfolio(work, 2)), found.kept[0].start) == 4


def test_what_passes_until_a_project_ends() -> None:
    work = {
        "URGENT": by("p1", "5h", project="O", cost_of_delay="99/hour"),
        "A": by("p1", "3h", project="P"),
        "W": {"wait": "4h", "project": "P", "after": ["A"]},
        "B": by("p2", "2h", project="P", after=[{"item": "W", "lag": "6h"}]),
    }
    plan = plan_of(portfolio(work, 2, projects={"P": {"cost_of_delay": "1/hour"}, "O": {}}))
    found = explain(plan, "P")
    assert found.hours == {"work": 9, "waiting: predecessor": 6, "other work of p1": 5}
    assert sum(found.hours.values()) == hour(plan, plan.projects["P"].finish or plan.as_of)
    assert [w.item for w in found.late] == ["B", "B", "W", "A", "URGENT"]
    assert found.repairs


@given(portfolios())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_what_is_named_was_found_by_placing_the_item_again(made_from: Portfolio) -> None:
    try:
        plan = make_plan(made_from, budget=0.002, deterministic=True)
    except NoPlanError:
        return
    compiled, schedule = replayed(plan, expand(made_from).portfolio)
    causes = Reasons(compiled, schedule)
    load = causes.room.load.copy()
    for j, id in enumerate(compiled.instance.activities):
        if not id or causes.a.exempt[j] or schedule.start[j] == 0:
            continue
        found, start = causes.binding(j), int(schedule.start[j])
        assert all(at < start for at in found.starts)
        if found.free:
            place = causes.probe.place(j)
            assert place is not None
            moved = schedule.start.copy(), schedule.end.copy(), schedule.crew.copy()
            moved[0][j], moved[1][j] = place.start, place.end
            for seat, person in place.crew.items():
                moved[2][seat] = person
            broken = check_schedule(compiled.instance, Schedule(*moved, schedule.cost, schedule.flow))
            assert [b for b in broken if b.kind not in ("objective-value", "flow-value")] == []
        elif found.alone:
            unnamed = [rule for rule in causes.probe.rules(j) if rule not in found.rules]
            for rule in unnamed:
                other = causes.probe.place(j, {rule})
                assert other is None or other.start >= start
        else:
            for rule in found.rules:  # a set is minimal
                less = causes.probe.place(j, set(found.rules) - {rule})
                assert less is None or less.start >= start
    assert (causes.room.load == load).all()


def test_the_frozen_zone_is_no_pin() -> None:
    policy = {"stability": {"frozen": "5d"}}
    planned = {"A": {"start": "2026-11-23T14:00Z", "who": ["p1"], "frozen": True}}
    found = explain(plan_of(portfolio({"A": by("p1", "3h")}, planned=planned, policy=policy)), "A")
    assert found.reason is Reason.PINNED
    assert "the frozen zone (policy.stability.frozen) holds it" in found.kept[0].text
    assert found.repairs[0].text == "take it out of the frozen zone (planned: frozen: false)"


def test_what_a_project_waits_for_can_go_first() -> None:
    """B is behind A, and A behind OTHER; nothing is gained by B without A."""
    work = {
        "OTHER": by("p1", "6h", cost_of_delay="9/hour"),
        "A": by("p1", "4h", project="P"),
        "B": by("p2", "2h", project="P", after=["A"]),
    }
    found = explain(plan_of(portfolio(work, 2, projects={"P": {"cost_of_delay": "1/hour"}})), "B")
    assert found.reason is Reason.PREDECESSOR
    assert found.repairs[0].text.startswith("let A go before OTHER")


def test_a_project_says_what_of_it_is_not_planned() -> None:
    work = {
        "BUILD": by("p1", "6h", project="P"),
        "LIVE": by("p1", "2h", project="P", after=["BUILD"], on_hold="the vendor is late"),
    }
    found = explain(plan_of(portfolio(work, 1, projects={"P": {"cost_of_delay": "1/hour"}})), "P")
    assert found.text[1] == "LIVE is not in the schedule: it is on hold."
    assert found.text[2].startswith(
        "It is not finished in this plan, as 1 item is left out; the last that is planned is"
    )
    assert "LIVE" in found.refs
