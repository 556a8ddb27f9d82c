"""The goals after the cost: small cases worked out by hand, and what no goal may ever do to those before it."""

from __future__ import annotations

import re
from io import StringIO
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from support.cases import by, compiled, crew, hours, needing, plan_of, portfolio, same, small
from support.portfolios import random_portfolio
from throttle.check.fast import check_schedule
from throttle.compile import Compiled
from throttle.errors import NoPlanError
from throttle.instance import Schedule
from throttle.solve import Settings
from throttle.solve.decoder import Decoder
from throttle.subordinate import MOST, Later, Measure, share, subordinate
from throttle.subordinate.measure import drum_people
from throttle.terminal import show_plan
from throttle.why import explain
from throttle_models import Goals, OrderedGoal, Plan, Portfolio, Reason

Data = dict[str, Any]
WORK = Settings(budget=0.5, deterministic=True)


def in_turn(c: Compiled, order: list[str], who: dict[str, str] | None = None) -> Schedule:
    """The items one after the other as early as they can be, some by people who are told."""
    a, instance = c.instance.arrays, c.instance
    decoder = Decoder(instance, compiled=False)
    forced = decoder.free.copy()
    for item, person in (who or {}).items():
        forced[a.crew_ptr[a.need_ptr[instance.activities.index(item)]]] = instance.people.index(person)
    key = np.array([order.index(id) if id in order else len(order) for id in instance.activities], float)
    schedule = decoder.decode(key, forced).schedule
    assert schedule is not None
    assert check_schedule(instance, schedule) == []
    return schedule


def goal(found: Later | Plan, name: str) -> OrderedGoal:
    goals = found.goals if isinstance(found, Later) else found.certificate.goals
    return next(g for g in goals if g.name == name)


def at(c: Compiled, found: Later) -> dict[str, tuple[int, int]]:
    times = zip(found.schedule.start.tolist(), found.schedule.end.tolist(), strict=True)
    return dict(zip(c.instance.activities, times, strict=True))


def who(c: Compiled, found: Later, item: str) -> str:
    a = c.instance.arrays
    return c.instance.people[int(found.schedule.crew[a.crew_ptr[a.need_ptr[c.instance.activities.index(item)]]])]


# --- each goal


PEOPLE: Data = {"ana": {"skills": ["oracle", "java"]}, "ben": {"skills": ["java"]}, "chu": {}}
LONG: Data = {"LONG": by("chu", "40h", project="P")}
"""So the project is finished after 40 hours, whatever the others do, and costs the same."""


def test_the_drum_does_its_own_work_first() -> None:
    work = {
        "O1": needing("oracle", "8h", project="P"),
        "O2": needing("oracle", "8h", project="P"),
        "J": needing("java", "4h", project="P"),
        **LONG,
    }
    c = compiled(portfolio(work, PEOPLE, projects={"P": {"cost_of_delay": "1/hour"}}, policy={"drum": "ana"}))
    before = in_turn(c, ["J", "O1", "O2", "LONG"], {"J": "ana"})
    found = subordinate(c, before, WORK)
    # O2 waits for ana until hour 12; until then she gives four hours to work that ben could do
    lost, diverted = goal(found, "drum hours lost"), goal(found, "drum on other work")
    assert (lost.found, lost.value, diverted.found, diverted.value) == (4, 0, 4, 0)
    assert (lost.proved, diverted.proved) == (True, True)
    assert max(at(c, found)["O1"][1], at(c, found)["O2"][1]) == 16
    assert found.schedule.cost == before.cost


def test_others_do_what_they_can_for_the_drum() -> None:
    """All waits for J: the drum loses these hours, and yet ben does it."""
    work = {
        "O1": needing("oracle", "8h", project="P", after=["J"]),
        "J": needing("java", "4h", project="P"),
        **LONG,
    }
    c = compiled(portfolio(work, PEOPLE, projects={"P": {"cost_of_delay": "1/hour"}}, policy={"drum": "ana"}))
    found = subordinate(c, in_turn(c, ["J", "O1", "LONG"], {"J": "ana"}), WORK)
    lost, diverted = goal(found, "drum hours lost"), goal(found, "drum on other work")
    assert (lost.value, lost.proved, diverted.found, diverted.value, diverted.proved) == (4, False, 4, 0, True)
    assert who(c, found, "J") == "ben"


def test_the_drum_does_not_starve_while_what_feeds_it_waits() -> None:
    work = {
        "X": by("ben", "8h", project="P"),
        "FEED": by("ben", "4h", project="P"),
        "O1": needing("oracle", "8h", project="P", after=["FEED"]),
        **LONG,
    }
    c = compiled(portfolio(work, PEOPLE, projects={"P": {"cost_of_delay": "1/hour"}}, policy={"drum": "oracle"}))
    found = subordinate(c, in_turn(c, ["X", "FEED", "O1", "LONG"]), WORK)
    lost = goal(found, "drum hours lost")
    assert (lost.found, lost.value, lost.proved) == (12, 4, False)
    assert at(c, found)["O1"] == (4, 12)


def test_hours_before_a_date_of_the_drums_work_are_not_lost() -> None:
    work = {"O1": needing("oracle", "8h", project="P", not_before="10h"), **LONG}
    c = compiled(portfolio(work, PEOPLE, projects={"P": {"cost_of_delay": "1/hour"}}, policy={"drum": "oracle"}))
    assert goal(subordinate(c, in_turn(c, ["O1", "LONG"]), WORK), "drum hours lost").value == 0


def test_work_of_one_project_goes_together() -> None:
    work = {
        **{f"{p}{i}": by("p1", "4h", project=p) for i in (1, 2) for p in "AB"},
        "LA": by("p2", "40h", project="A"),
        "LB": by("p3", "40h", project="B"),
    }
    projects = {p: {"cost_of_delay": "1/hour"} for p in "AB"}
    c = compiled(portfolio(work, 3, projects=projects))
    found = subordinate(c, in_turn(c, ["A1", "B1", "A2", "B2", "LA", "LB"]), WORK)
    switches = goal(found, "context switches")
    assert (switches.found, switches.best, switches.value, switches.alone) == (3, 1, 1, 1)
    assert not switches.proved  # two projects on one person are one switch at least, but nothing here proves it


def test_two_items_side_by_side_are_a_switch_each_time() -> None:
    """Half of the time each, over two nights: three days of both are five switches."""
    work = {id: by("p1", "12h", allocation="50%") for id in ("A", "B")}
    plan = same(plan_of(portfolio(work, 1, calendars={"office": {"hours": "Mon-Fri 09:00-17:00"}})))
    assert goal(plan, "context switches").value == 5


FEEDING: Data = {
    "F": by("p1", "4h", project="P"),
    "M1": by("p2", "16h", project="P"),
    "M2": by("p2", "4h", project="P", after=["M1", "F"]),
}


def started(policy: Data, work: Data = FEEDING) -> Plan:
    return same(plan_of(portfolio(work, 2, projects={"P": {"cost_of_delay": "1/hour"}}, policy=policy)))


def test_work_starts_as_late_as_its_feeding_buffer_allows() -> None:
    plan = started({"buffers": {"feeding": "3h"}})
    assert hours(plan)["F"] == (9, 13)
    wip = goal(plan, "work in process")
    # F, M1 and M2 until the end of the project at 20
    assert wip.found == pytest.approx((20 + 20 + 4) / 24, abs=1e-4)
    assert wip.value == pytest.approx((11 + 20 + 4) / 24, abs=1e-4)
    assert wip.alone == pytest.approx((8 + 20 + 4) / 24, abs=1e-4)


def test_where_no_feeding_buffer_is_named_an_automatic_one_is_kept() -> None:
    assert hours(started({"goals": {"start": "late"}}))["F"] == (11, 15)  # a quarter of four hours


def test_work_starts_at_once_unless_the_policy_asks_for_more() -> None:
    for policy in ({}, {"goals": {"start": "early"}, "buffers": {"feeding": "3h"}}, {"buffers": {"project": "auto"}}):
        plan = started(policy)
        assert hours(plan)["F"] == (0, 4)
        assert goal(plan, "work in process").note


def test_what_has_no_room_for_its_buffer_stays() -> None:
    assert hours(started({"buffers": {"feeding": "14h"}}))["F"] == (0, 4)


def test_a_chain_starts_late_as_a_whole() -> None:
    work = {**FEEDING, "F": by("p1", "2h", project="P", after=["E"]), "E": by("p1", "3h", project="P")}
    found = hours(started({"buffers": {"feeding": "4h"}}, work))
    assert (found["E"], found["F"]) == ((7, 10), (10, 12))


def test_what_has_no_project_and_nothing_behind_it_stays() -> None:
    assert hours(started({"goals": {"start": "late"}}, {**FEEDING, "X": by("p1", "2h")}))["X"][0] <= 4


@pytest.mark.parametrize(
    ("fields", "policy"),
    [
        ({"status": "in-progress"}, {}),
        ({}, {"pins": [{"work": "F", "start": "0h"}]}),
        ({}, {"drum": "p1"}),
    ],
)
def test_what_is_begun_pinned_or_the_drums_stays(fields: Data, policy: Data) -> None:
    work = {**FEEDING, "F": by("p1", "4h", project="P", **fields)}
    assert hours(started({"goals": {"start": "late"}, **policy}, work))["F"] == (0, 4)


def test_a_wait_and_a_change_in_its_window_stay() -> None:
    change = {"kind": "standard", "window": "daily"}
    work = {
        **FEEDING,
        "WAIT": {"wait": "2h", "project": "P"},
        "C": by("p1", "1h", project="P", type="change", change=change),
        "M2": by("p2", "4h", project="P", after=["M1", "F", "WAIT", "C"]),
    }
    made = portfolio(
        work,
        2,
        projects={"P": {"cost_of_delay": "1/hour"}},
        policy={"goals": {"start": "late"}},
        windows={"daily": {"every": "daily 08:00-10:00"}},
    )
    found = hours(same(plan_of(made)))
    assert found["WAIT"] == (0, 2)
    assert found["C"][1] <= 2


def test_a_hold_says_that_nothing_needs_it_sooner() -> None:
    """F could begin on Monday, and is needed in the third week."""
    work = {**FEEDING, "M1": by("p2", "400h", project="P")}
    plan = started({"buffers": {"feeding": "3h"}}, work)
    assert plan.week == "2026-W48"
    assert {h.item: h.reason for h in plan.holds} == {"F": Reason.LATE, "M2": Reason.PREDECESSOR}
    found = explain(plan, "F")
    assert found.reason is Reason.LATE
    assert "nothing needs it sooner" in " ".join(found.text)


def test_the_terminal_shows_what_each_goal_came_to() -> None:
    console = Console(width=160, record=True, file=StringIO())
    show_plan(console, started({"buffers": {"feeding": "3h"}}))
    text = re.sub(r" +", " ", console.export_text())
    assert "context switches 0 0 0 (proved least) 5 %" in text
    assert "work in process (item-days) 1.8 1.5 1.5 0 % 1.3" in text


# --- what they may do to each other


def test_later_goals_take_no_more_of_the_cost_than_they_may() -> None:
    """A1, B1, A2 cost 8 + 24 (B is in time); A1, A2, B1 cost 8 + 16 + 12, and save a switch."""
    work = {
        "A1": by("p1", "4h", project="A", cost_of_delay="2/hour"),
        "B1": by("p1", "4h", project="B", due="8h", cost_of_delay="3/hour"),
        "A2": by("p1", "4h", project="A", cost_of_delay="2/hour"),
    }
    made = portfolio(work, 1, projects={"A": {}, "B": {}})
    for tolerance, switches, cost in (("0%", 2, 32), ("10%", 2, 32), ("13%", 1, 36)):
        plan = same(plan_of(with_goals(made, cost=tolerance, flow="100%"), 1.0))
        assert goal(plan, "context switches").value == switches
        told = goal(plan, "cost of delay")
        assert (told.best, told.value, plan.certificate.objective.value) == (32, cost, cost)
        assert plan.certificate.objective.proved == told.proved == (cost == 32)


def test_the_share_of_the_budget_is_bounded() -> None:
    assert [share(budget) for budget in (0.01, 0.1, 1.0, 10.0, 600.0)] == [0.005, 0.02, 0.1, 1.0, 3.0]


def test_large_plans_say_that_nothing_was_sought(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("throttle.subordinate.MOST", 2)
    monkeypatch.setattr("throttle.planning.MOST", 2)
    plan = started({"buffers": {"feeding": "3h"}})
    assert plan.certificate.goals == ()
    assert "more than 2 items" in plan.certificate.goals_note
    assert MOST >= 1000


def test_nothing_to_schedule() -> None:
    plan = same(plan_of(portfolio({"A": {"status": "done"}})))
    assert [g.value for g in plan.certificate.goals] == [0] * 6


@pytest.mark.parametrize("seed", [0, 3, 9, 12])
def test_no_order_and_no_crews_do_better(seed: int) -> None:
    """From the worst of all serial schedules that cost the same, the best of them is found."""
    made = with_goals(small(seed), drum="0%", switches="0%")
    c = compiled(made)
    a, decoder = c.instance.arrays, Decoder(c.instance, compiled=False)
    able = [
        a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist() for q in np.repeat(np.arange(len(a.work)), a.people)
    ]
    orders = [np.array(order, float) for order in permutations(range(c.instance.n))]
    crews = [np.array(crew, np.int64) for crew in product(*able)]
    every = [s for key in orders for forced in crews if (s := decoder.decode(key, forced).schedule) is not None]
    least = min(every, key=lambda s: (s.cost, s.flow))
    alike = [s for s in every if s.cost <= least.cost * (1 + 1e-9) and s.flow <= least.flow * (1 + 1e-9)]
    measure = Measure(c, drum_people(c, least), c.instance, native=False)
    worst = max(alike, key=lambda s: measure.of_schedule(s)[:3])
    found = subordinate(c, worst, WORK).schedule
    assert measure.of_schedule(found)[:3] == min(measure.of_schedule(s)[:3] for s in alike)


def with_goals(made: Portfolio, **fields: Any) -> Portfolio:
    goals = Goals.model_validate(fields)
    return made.model_copy(update={"policy": made.policy.model_copy(update={"goals": goals})})


@given(seed=st.integers(0, 1 << 30), items=st.integers(3, 12))
@example(seed=114463, items=6)
@settings(deadline=None, max_examples=8)
def test_starting_late_costs_nothing_and_no_promise(seed: int, items: int) -> None:
    """The checker has passed both plans, and recomputed every goal."""
    made = random_portfolio(seed, items, True)
    try:
        early, late = (plan_of(with_goals(made, start=s), 0.02, workers=1) for s in ("early", "late"))
    except NoPlanError:
        return
    assert late.certificate.objective.value <= early.certificate.objective.value * (1 + 1e-9) + 1e-9
    assert late.certificate.flow.value <= early.certificate.flow.value * (1 + 1e-9) + 1e-9
    for name, project in late.projects.items():
        before = early.projects[name]
        assert (project.promise is None) == (before.promise is None)
        assert project.promise is None or before.promise is None or project.promise <= before.promise
    assert all(late.items[id].start >= item.start for id, item in early.items.items())
    assert goal(late, "work in process").value <= goal(early, "work in process").value
    dated = {pin.work for pin in made.policy.pins if pin.start or pin.window or pin.on}
    assert all(late.items[id] == item for id, item in early.items.items() if id in dated)
    for pin in made.policy.pins:  # of people alone: they stay, and when they begin is open
        if pin.work in late.items:
            assert set(pin.who) <= {assigned.person for assigned in late.items[pin.work].assignments}


@given(seed=st.integers(0, 1 << 30))
@settings(deadline=None, max_examples=10)
def test_compiled_and_plain_measures_agree(seed: int) -> None:
    made = random_portfolio(seed, 8)
    c = compiled(made)
    schedule = Decoder(c.instance, compiled=False).decode(np.arange(c.instance.n, dtype=float)).schedule
    if schedule is None:
        return
    drum = drum_people(c, schedule)
    plain, native = (Measure(c, drum, c.instance, way) for way in (False, True))
    assert plain.of_schedule(schedule) == native.of_schedule(schedule)
    assert plain.pieces(schedule).tolist() == native.pieces(schedule).tolist()


def test_the_same_seed_gives_the_same_plan() -> None:
    made = with_goals(random_portfolio(11, 25, True), start="late")
    one, other = (plan_of(made, 0.2, workers=2).model_dump_json() for _ in range(2))
    assert one == other


def test_people_stay_where_nothing_is_gained() -> None:
    """A plan in force is not changed for nothing."""
    work = {"O1": needing("java", "8h"), "O2": needing("java", "8h")}
    plan = same(plan_of(portfolio(work, PEOPLE)))
    assert {*crew(plan, "O1"), *crew(plan, "O2")} == {"ana", "ben"}
    again = same(plan_of(portfolio(work, PEOPLE), previous=plan))
    assert again.items == plan.items
