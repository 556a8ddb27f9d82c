"""What limits a plan: loads of overlapping sets, the value of an hour worked out on paper, and queues."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from support.cases import OFFICE, Data, by, needing, plan_of, portfolio
from support.portfolios import portfolios
from throttle.as_planned import as_planned
from throttle.bottleneck import analyse
from throttle.demo import demo_folder
from throttle.errors import InputError, NoPlanError
from throttle.files import load_portfolio
from throttle.planning import make_plan
from throttle_models import Plan, Portfolio
from throttle_models.bottleneck import Bottleneck

NINE = "2026-11-23T09:00Z"


def office(work: Data, people: Data | int = 1, **rest: Any) -> tuple[Plan, Portfolio]:
    made_from = portfolio(work, people, calendars=OFFICE, as_of=NINE, **rest)
    return plan_of(made_from, budget=0.02), made_from


def found(work: Data, people: Data | int = 1, how: Data | None = None, **rest: Any) -> Bottleneck:
    return analyse(*office(work, people, **rest), **(how or {}))


def saves(answer: Bottleneck, resource: str) -> float:
    return next(hour.saves for hour in answer.prices.hours if resource in (hour.name, *hour.people))


# --- loads


def test_sums_by_person_mislead_and_the_set_is_right() -> None:
    """a alone has 60 of 160 hours, b and c 8 each; but b and c share 150 more."""
    people = {
        "a": {"skills": {"x": 2}},
        "b": {"skills": ["x", "y"]},
        "c": {"skills": ["y"]},
    }
    work = {
        "A": needing("x", "60h", level=2),
        "B": by("b", "8h"),
        "C": by("c", "8h"),
        "S": needing("y", "100h"),
        "T": {"needs": [{"skill": "y", "effort": "50h"}]},
    }
    answer = found(work, people)
    assert max(answer.people, key=lambda p: answer.people[p].own_hours) == "a"
    assert answer.loaded is not None
    assert set(answer.loaded.people) == {"b", "c"}
    assert answer.loaded.load == pytest.approx(166 / 320)
    assert answer.loaded.weeks_of_queue == pytest.approx(166 / 80)
    assert [(set(s.people), s.work_hours) for s in answer.sets] == [({"b", "c"}, 166), ({"a"}, 60)]
    assert answer.people["b"].level == pytest.approx(166 / 320)
    assert answer.people["b"].load == pytest.approx(8 / 160)
    assert answer.people["a"].level == answer.people["a"].load == pytest.approx(60 / 160)


def test_over_its_own_horizon_the_most_loaded_is_the_plans() -> None:
    plan, made_from = office({"A": by("p1", "50h"), "B": by("p2", "30h")}, 2)
    answer = analyse(plan, made_from)
    assert plan.bottleneck is not None
    assert answer.loaded is not None
    assert answer.loaded.people == plan.bottleneck.people
    assert answer.loaded.weeks_of_queue == pytest.approx(plan.bottleneck.weeks_of_queue)
    assert answer.drum == plan.drum


def test_a_shorter_horizon_has_fewer_hours() -> None:
    answer = found({"A": by("p1", "50h")}, how={"weeks": 1})
    assert answer.loaded is not None
    assert (answer.loaded.hours, answer.loaded.load) == (40, 1.25)
    assert answer.until - answer.as_of == timedelta(weeks=1)


def test_planned_and_available_hours_of_each_week() -> None:
    answer = found({"A": by("p1", "50h")}, {"p1": {"name": "Pat", "away": ["2026-11-25"]}})
    assert answer.people["p1"].by_week["2026-W48"] == (32, 32)
    assert answer.people["p1"].by_week["2026-W49"] == (18, 40)
    assert answer.sets[0].by_week == answer.people["p1"].by_week
    assert answer.sets[0].name == "Pat"
    assert answer.tightest["2026-W48"].load == 1
    assert answer.tightest["2026-W49"].load == pytest.approx(18 / 40)
    assert list(answer.tightest) == ["2026-W48", "2026-W49"]


def test_the_fullest_of_a_week_may_be_a_set_or_an_environment() -> None:
    people = {"b": {"skills": ["y"]}, "c": {"skills": ["y"]}, "d": {}}
    answer = found({"A": needing("y", "40h"), "B": needing("y", "36h"), "C": by("d", "37h")}, people)
    week = answer.tightest["2026-W48"]
    assert set(week.people) == {"b", "c"}
    assert week.load == pytest.approx(76 / 80)
    placed = found({"A": by("p1", "8h", environment="lab")}, environments={"lab": {"calendar": "office"}}, how=None)
    assert placed.tightest["2026-W48"].load == pytest.approx(8 / 40)
    assert placed.environments["lab"].load == pytest.approx(8 / 160)


def test_who_has_no_hours_is_told_apart() -> None:
    people = {"p1": {"skills": ["a"]}, "p2": {"skills": {"b": 2}, "away": ["2026-01-01/2040-01-01"]}}
    work = {
        "A": needing("a", "10h"),
        "B": needing("b", "7h", level=2),
        "C": needing("c", "3h"),
        "HELD": needing("c", "9h", on_hold="no"),
        "AFTER": by("p1", "2h", after=["B"]),
    }
    answer = found(work, people)
    assert [(w.needs, w.people, w.work_hours, w.items) for w in answer.without_hours] == [
        ("b>=2", ("p2",), 7, ("B",)),
        ("c", (), 3, ("C",)),
    ]
    assert answer.loaded is not None
    assert answer.loaded.people == ("p1",)


def test_without_work_nothing_limits() -> None:
    answer = found({"A": {"wait": "5h"}})
    assert (answer.loaded, answer.valuable, answer.queue, answer.drum, answer.sets) == (None, None, None, None, ())


# --- the value of an hour


def test_an_hour_more_on_monday_is_an_hour_less_late() -> None:
    """A fills Monday and B Tuesday. With an hour more on Monday B is finished an hour earlier; each hour costs 3."""
    work = {"A": by("p1", "8h", cost_of_delay="9/hour"), "B": by("p1", "8h", cost_of_delay="3/hour")}
    answer = found(work | {"C": by("p2", "2h", cost_of_delay="50/hour")}, 2, currency="EUR")
    assert answer.valuable is not None
    assert (answer.valuable.name, answer.valuable.week) == ("p1", "2026-W48")
    assert answer.valuable.saves == pytest.approx(3)
    assert saves(answer, "p2") == 0
    assert answer.prices.method == "order kept"
    assert answer.unit == "EUR"


def test_an_hour_is_worth_most_where_the_person_is_waited_for() -> None:
    """p2 is the most loaded and nobody waits for it; p1's work is short, and dear."""
    work = {
        "LONG": by("p2", "60h", cost_of_delay="1/week"),
        "A": by("p1", "8h", cost_of_delay="100/hour"),
        "B": by("p1", "8h", cost_of_delay="90/hour"),
    }
    answer = found(work, 2)
    assert answer.loaded is not None
    assert answer.loaded.people == ("p2",)
    assert answer.valuable is not None
    assert answer.valuable.people == ("p1",)
    assert answer.valuable.saves == pytest.approx(90)


def test_an_hour_in_a_later_week_where_the_work_begins_then() -> None:
    work = {f"W{i}": by("p1", "24h", not_before="2026-12-07", cost_of_delay="2/hour") for i in range(2)}
    answer = found(work)
    assert answer.valuable is not None
    assert answer.valuable.week == "2026-W50"
    # whoever is second on Thursday is an hour earlier on Friday or at the weekend's end
    assert answer.valuable.saves >= 2


def test_one_more_place_is_priced_by_the_hour_that_it_is_there() -> None:
    """Two tasks of 8 hours in one place: with two places the second is 8 hours earlier, in a plan of 4 weeks."""
    work = {f"W{i}": by(f"p{i}", "8h", environment="lab", cost_of_delay="5/hour") for i in (1, 2)}
    made_from = portfolio(work, 2, environments={"lab": {}})
    answer = analyse(plan_of(made_from, budget=0.02), made_from)
    assert saves(answer, "lab") == pytest.approx(8 * 5 / (4 * 168))
    assert [hour.how for hour in answer.prices.hours if hour.name == "lab"] == ["one more place"]


def test_one_more_place_lets_others_take_part_of_the_work() -> None:
    """While there is one place, the same tester does all; with two, both can."""
    people = {p: {"skills": ["qa"]} for p in ("p1", "p2")}
    work = {f"W{i}": needing("qa", "8h", environment="lab", cost_of_delay="5/hour") for i in (1, 2)}
    made_from = portfolio(work, people, environments={"lab": {}})
    plan = plan_of(made_from, budget=0.02)
    one = plan.items["W1"].assignments[0].model_copy(update={"work": plan.items["W2"].assignments[0].work})
    same = plan.items["W2"].model_copy(update={"assignments": (one,)})
    answer = analyse(plan.model_copy(update={"items": {**plan.items, "W2": same}}), made_from)
    assert saves(answer, "lab") == pytest.approx(8 * 5 / (4 * 168))


def test_without_rates_the_unit_is_weeks_of_items() -> None:
    answer = found({"A": by("p1", "8h"), "B": by("p1", "8h")})
    assert answer.unit == "item-weeks"
    assert answer.valuable is not None
    assert answer.valuable.saves == pytest.approx(1 / 168)


def test_who_is_always_at_work_is_priced_by_an_hour_less_to_do() -> None:
    """An hour less of whatever is first, and both are finished an hour earlier."""
    work = {"A": by("p1", "8h", cost_of_delay="5/hour"), "B": by("p1", "8h", cost_of_delay="4/hour")}
    made_from = portfolio(work | {"C": by("p2", "30m", cost_of_delay="9/hour")}, 2)
    answer = analyse(plan_of(made_from), made_from)
    (only,) = answer.prices.hours
    assert (only.people, only.how) == (("p1",), "an hour less to do")
    assert only.saves == pytest.approx(9)


def test_people_who_share_work_are_priced_together() -> None:
    """Four tasks of 8 hours for two people. With an hour more each, both of Tuesday are finished an hour earlier."""
    people = {p: {"skills": ["a"]} for p in ("p1", "p2")}
    work = {f"W{i}": needing("a", "8h", cost_of_delay="3/hour") for i in range(4)}
    answer = found(work, people)
    (both,) = answer.prices.hours
    assert (both.people, both.how) == (("p1", "p2"), "an hour more")
    assert both.saves == pytest.approx(2 * 3 / 2)


def test_a_search_of_its_own_finds_at_least_what_the_order_kept_finds() -> None:
    """B, which is due on Tuesday at 16:00, is in time only with another order, or an hour more."""
    work = {
        "A": by("p1", "8h", cost_of_delay="1/hour"),
        "B": by("p1", "8h", cost_of_delay="100/hour", due="2026-11-24T16:00"),
        "C": by("p2", "4h", after=["A"], cost_of_delay="7/hour"),
    }
    plan, made_from = office(work, 2)
    kept, anew = analyse(plan, made_from), analyse(plan, made_from, resolve=0.02)
    assert anew.prices.method == "re-solved"
    assert anew == analyse(plan, made_from, resolve=0.02)
    assert anew.prices.base == pytest.approx(plan.certificate.objective.value)
    assert saves(anew, "p1") >= saves(kept, "p1") - 1e-6
    assert anew.valuable is not None
    assert anew.valuable.people == ("p1",)


# --- queues


@pytest.mark.parametrize(("people", "factor"), [(1, 9.0), (3, 2.75)])
def test_90_per_cent_busy(people: int, factor: float) -> None:
    """Tasks of 4 hours each, all alike, so that half of the wait is due to arrivals alone."""
    team = {f"p{i}": {"skills": ["a"]} for i in range(people)}
    answer = found({f"W{i}": needing("a", "4h") for i in range(9 * people)}, team, how={"weeks": 1})
    queue = answer.queue
    assert queue is not None
    assert (queue.basis, queue.servers, queue.load, queue.tasks, queue.arrivals) == ("horizon", people, 0.9, 0, 1)
    assert queue.wait_hours == pytest.approx(factor * 4 / 2, abs=0.01)
    assert queue.wait_weeks == pytest.approx(factor * 4 / 2 / 40, abs=0.001)
    assert queue.grows_hours_a_week is None


def test_above_100_per_cent_there_is_no_number() -> None:
    queue = found({"A": by("p1", "60h")}, how={"weeks": 1}).queue
    assert queue is not None
    assert (queue.wait_hours, queue.wait_weeks) == (None, None)
    assert queue.grows_hours_a_week == 20
    assert "unbounded" in queue.text
    assert "20.0 h a week" in queue.text


def test_the_load_is_that_of_arrivals_where_the_past_is_known() -> None:
    """Ten tasks of 20 hours in ten weeks: half of the time of one person, though little is left to do."""
    work = {f"W{i}": by("p1", "20h", created=f"-{i}w", status="done" if i > 1 else "open") for i in range(1, 11)}
    queue = found(work).queue
    assert queue is not None
    assert (queue.basis, queue.load) == ("arrivals", pytest.approx(0.5))
    only_open = {id: {**item, "status": "open"} for id, item in work.items()}
    guessed = found(only_open).queue
    assert guessed is not None
    assert guessed.basis == "horizon"


def test_the_queue_at_an_environment() -> None:
    work = {f"W{i}": by(f"p{i}", "30h", environment="lab") for i in range(1, 5)}
    made_from = portfolio(work, 4, environments={"lab": {}})
    answer = analyse(plan_of(made_from, budget=0.02), made_from)
    assert answer.loaded is not None
    assert (answer.loaded.kind, answer.loaded.name) == ("environment", "lab")
    assert answer.queue is not None
    load = 120 / (4 * 168)
    assert answer.queue.wait_hours == pytest.approx(load / (1 - load) / 2 * 30, rel=1e-3)


# --- whole portfolios


def test_brent_is_the_bottleneck_of_the_example_in_every_way() -> None:
    made_from = load_portfolio(demo_folder())
    plan = make_plan(made_from, budget=0.5, workers=1, deterministic=True)
    answer = analyse(plan, made_from)
    assert answer.loaded is not None
    assert answer.loaded.people == ("brent",)
    assert answer.sets[0].load >= 3 * answer.sets[1].load
    assert answer.drum is not None
    assert answer.drum.name == "Brent Geller"
    assert answer.valuable is not None
    assert answer.valuable.people == ("brent",)
    assert answer.queue is not None
    assert answer.queue.name == "Brent Geller"
    assert all(week.people == ("brent",) for week in list(answer.tightest.values())[:4])
    assert answer == analyse(plan, made_from)


def test_a_plan_of_another_portfolio_is_sent_to_the_checker() -> None:
    plan, made_from = office({"A": by("p1", "8h"), "B": by("p1", "8h")})
    other = plan.model_copy(update={"items": {"A": plan.items["A"]}})
    with pytest.raises(InputError, match="throttle verify"):
        analyse(other, made_from)


@given(portfolios())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_every_plan_has_an_answer_that_adds_up(made_from: Portfolio) -> None:
    try:
        plan = make_plan(made_from, budget=0.002, deterministic=True)
    except NoPlanError:
        return
    answer = analyse(plan, made_from)
    needs = [need for item in plan.items for need in as_planned(plan, made_from).work[item].needs]
    assert bool(answer.sets) == any(s.work_hours for s in answer.sets)
    assert len(answer.sets) <= len(needs)
    assert all(hour.saves >= 0 for hour in answer.prices.hours)
    # decoded again in its own order a plan costs no more
    cost = plan.certificate.objective.value
    assert answer.prices.base <= cost + 1e-6 * max(1.0, cost)
    if plan.bottleneck is not None and answer.loaded is not None:
        assert answer.loaded.weeks_of_queue == pytest.approx(plan.bottleneck.weeks_of_queue, rel=1e-3, abs=1e-3)
    everyone = [p for s in answer.sets for p in s.people]
    assert len(everyone) == len(set(everyone))
    for person in answer.people.values():
        assert person.load is None or person.level >= person.load - 1e-6
    for s in answer.sets:
        assert all(planned <= there + 1e-6 for planned, there in s.by_week.values())
