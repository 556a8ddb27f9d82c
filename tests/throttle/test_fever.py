"""The fever chart: progress and use of the buffer worked out by hand, from plan to plan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from support.cases import needing, plan_of, portfolio, same
from throttle.buffers.fever import fever_of, zone_of
from throttle.check import check
from throttle.replan import advance
from throttle.report import render_report
from throttle_models import Plan, Zones

Data = dict[str, Any]
REST: Data = {
    "calendars": {"office": {"hours": "Mon-Fri 09:00-17:00"}},
    "projects": {"P": {"title": "Payroll <new>"}},
    "policy": {"buffers": {"project": "auto"}},
}
PEOPLE: Data = {"p1": {"skills": ["a"]}, "p2": {"skills": ["b"]}}
WORK: Data = {
    "A": needing("a", "4h/6h/9h", project="P"),
    "B": needing("a", "2h/4h/6h", project="P", after=["A"]),
    "C": needing("b", "1h/2h/3h", project="P", after=["B"]),
}
DAY_2, DAY_3 = "2026-11-24T08:00:00+00:00", "2026-11-25T08:00:00+00:00"


def replan(previous: Plan, work: Data, as_of: str, **rest: Any) -> Plan:
    made, _ = advance(previous, portfolio(work, PEOPLE, as_of=as_of, **{**REST, **rest}))
    return same(plan_of(made, previous=previous))


def begun(left: str) -> Data:
    done = {**WORK["A"], "status": "done"}
    going = {**WORK["B"], "status": "in-progress", "needs": [{**WORK["B"]["needs"][0], "remaining": left}]}
    return {**WORK, "A": done, "B": going}


@pytest.fixture(scope="module")
def first() -> Plan:
    """Finishes on Tuesday at 13:00, with a buffer of the root of 14 hours behind it."""
    return same(plan_of(portfolio(WORK, PEOPLE, **REST)))


def test_progress_and_use_of_the_buffer(first: Plan) -> None:
    """B needs 3 h more and not 2: A and a quarter of B are done, of 12 h, and 1 h of the buffer is used."""
    plan = replan(first, begun("3h"), DAY_2)
    assert plan.fever is not None
    line = plan.fever.projects["P"]
    assert line.chain == {"A": 6, "B": 4, "C": 2}
    assert line.crew == ("p2",)
    assert line.finish == first.projects["P"].finish
    (point,) = line.points
    assert point.done == pytest.approx(7 / 12, abs=1e-6)
    assert point.used == pytest.approx(1 / 14**0.5, abs=1e-4)
    assert point.zone == "green"


def test_what_is_on_time_uses_nothing(first: Plan) -> None:
    plan = replan(first, begun("1h"), DAY_2)
    assert plan.fever is not None
    assert plan.fever.projects["P"].points[-1].used == 0


def test_a_line_goes_on_against_the_first_promise(first: Plan) -> None:
    """The next day nothing is done: B ends on Wednesday at 12:00 and C at 14:00, seven hours after Tuesday's 13:00
    less the night: 4 h on Tuesday and 5 h on Wednesday."""
    second = replan(first, begun("3h"), DAY_2)
    third = replan(second, begun("3h"), DAY_3)
    assert third.fever is not None
    line = third.fever.projects["P"]
    assert line.since == first.as_of
    assert [p.as_of for p in line.points] == [second.as_of, third.as_of]
    assert line.points[-1].used == pytest.approx(9 / 14**0.5, abs=1e-3)
    assert line.points[-1].zone == "red"
    again = fever_of(third, third.portfolio, second) if third.portfolio else None
    assert again == third.fever


def test_a_finished_project_keeps_its_last_point(first: Plan) -> None:
    over = {id: {**item, "status": "done", "finished": "2026-11-24T15:00:00+00:00"} for id, item in WORK.items()}
    plan = replan(first, over, DAY_3)
    assert plan.fever is not None
    (point,) = plan.fever.projects["P"].points
    assert point.done == 1
    assert point.used == pytest.approx(2 / 14**0.5, abs=1e-4)


def test_zones_are_the_policys(first: Plan) -> None:
    zones = {"green": [0.0, 0.0], "red": [0.1, 0.0]}
    plan = replan(first, begun("3h"), DAY_2, policy={**REST["policy"], "fever": zones})
    assert plan.fever is not None
    assert plan.fever.zones == Zones(green=(0.0, 0.0), red=(0.1, 0.0))
    assert plan.fever.projects["P"].points[-1].zone == "red"


@pytest.mark.parametrize(
    ("done", "used", "zone"),
    [(0, 0.1, "green"), (0, 0.11, "yellow"), (0, 0.31, "red"), (1, 0.7, "green"), (1, 0.9, "yellow"), (1, 0.91, "red")],
)
def test_the_edges_of_the_zones(done: float, used: float, zone: str) -> None:
    assert zone_of(Zones(), done, used) == zone


def test_without_buffers_there_is_no_chart() -> None:
    plain = {**REST, "policy": {}}
    plan = plan_of(portfolio(WORK, PEOPLE, **plain))
    assert replan(plan, begun("3h"), DAY_2, policy={}).fever is None


@pytest.mark.parametrize("wrong", [{"done": 0.9}, {"used": 0.1}, {"zone": "red"}])
def test_wrong_points_are_found(first: Plan, wrong: Data) -> None:
    plan = replan(first, begun("3h"), DAY_2)
    assert plan.fever is not None
    line = plan.fever.projects["P"]
    changed = line.model_copy(update={"points": (line.points[-1].model_copy(update=wrong),)})
    fever = plan.fever.model_copy(update={"projects": {"P": changed}})
    assert {v.kind for v in check(plan.model_copy(update={"fever": fever})).violations} == {"fever"}


def test_wrong_zones_and_orders_are_found(first: Plan) -> None:
    plan = replan(first, begun("3h"), DAY_2)
    assert plan.fever is not None
    other = plan.fever.model_copy(update={"zones": Zones(green=(0.0, 0.1))})
    assert {v.kind for v in check(plan.model_copy(update={"fever": other})).violations} == {"fever"}
    line = plan.fever.projects["P"]
    late = line.points[-1].model_copy(update={"as_of": plan.as_of - timedelta(days=1)})
    changed = line.model_copy(update={"points": (line.points[-1], late)})
    fever = plan.fever.model_copy(update={"projects": {"P": changed}})
    assert {v.kind for v in check(plan.model_copy(update={"fever": fever})).violations} == {"fever"}


def test_the_report_draws_it(first: Plan) -> None:
    plan = replan(first, begun("3h"), DAY_2)
    assert plan.portfolio is not None
    page = render_report(plan, plan.portfolio)
    assert page.count('class="fever-now"') == 1
    assert "Payroll &lt;new&gt;: 58% done, 27% of the buffer used" in page
    assert first.portfolio is not None
    assert "the next one shows how they are used up" in render_report(first, first.portfolio)
