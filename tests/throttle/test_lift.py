"""Lift is the exact inverse of compile: a schedule becomes a plan, and the plan that schedule again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings

from support.cases import MONDAY, OFFICE, by, compiled, hours, plan_of, portfolio
from support.portfolios import portfolios
from throttle.instance import Schedule
from throttle.lift import lift, lower
from throttle.solve.decoder import Decoder
from throttle.solve.rules import Facts, first_come
from throttle.worked import lengths, ragged, worked
from throttle_models import Portfolio


@given(portfolios())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_there_and_back(made_from: Portfolio) -> None:
    c = compiled(made_from)
    if not c.instance.n:
        none = np.zeros(0, np.int64)
        assert lift(c, Schedule(none, none, none, 0.0, 0.0)) == {}
        return
    schedule = Decoder(c.instance, compiled=False).decode(first_come(Facts(c.instance))).schedule
    assume(schedule is not None)
    assert schedule is not None
    items = lift(c, schedule)
    back = lower(c, items)
    assert back is not None
    known = np.array([bool(id) for id in c.instance.activities])
    assert np.array_equal(back.start[known], schedule.start[known])
    assert np.array_equal(back.end[known], schedule.end[known])
    assert (back.cost, back.flow) == (schedule.cost, schedule.flow)
    for q in range(len(c.instance.arrays.work)):
        seats = slice(c.instance.arrays.crew_ptr[q], c.instance.arrays.crew_ptr[q + 1])
        assert sorted(back.crew[seats].tolist()) == sorted(schedule.crew[seats].tolist())
    assert lift(c, back) == items


@given(portfolios())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_work_lies_between_start_and_finish_and_is_all_there(made_from: Portfolio) -> None:
    c = compiled(made_from)
    assume(c.instance.n)
    schedule = Decoder(c.instance, compiled=False).decode(first_come(Facts(c.instance))).schedule
    assume(schedule is not None)
    assert schedule is not None
    a = c.instance.arrays
    work = worked(a, schedule)
    assert work.done.tolist() == lengths(a).tolist()
    for j in range(c.instance.n):
        runs = slice(work.ptr[j], work.ptr[j + 1])
        slots = ragged(work.first[runs], work.last[runs])[1]
        needed = max((int(a.work[q]) for q in range(a.need_ptr[j], a.need_ptr[j + 1])), default=int(a.wait[j]))
        assert len(slots) == needed
        if needed:
            assert (slots[0], slots[-1] + 1) == (schedule.start[j], schedule.end[j])


def test_pieces_of_work_are_joined_and_stop_where_people_do() -> None:
    plan = plan_of(portfolio({"A": by("p1", "12h")}, calendars=OFFICE))
    (assignment,) = plan.items["A"].assignments
    pieces = [((a - MONDAY).total_seconds() / 3600, (b - MONDAY).total_seconds() / 3600) for a, b in assignment.work]
    assert pieces == [(1, 9), (25, 29)]


def test_who_leaves_first_has_less_work() -> None:
    work = {"A": {"needs": [{"who": "p1", "effort": "2h"}, {"who": "p2", "effort": "5h"}]}}
    plan = plan_of(portfolio(work, people=2))
    lengths = {
        a.person: (a.need, sum((t - f).total_seconds() for f, t in a.work) / 3600) for a in plan.items["A"].assignments
    }
    assert lengths == {"p1": (0, 2), "p2": (1, 5)}


def test_a_change_tells_its_window() -> None:
    work = {"A": by("p1", "2h", change={"window": "sat"})}
    plan = plan_of(portfolio(work, windows={"sat": {"every": "Sat 22:00-04:00"}}))
    window = plan.items["A"].window
    assert window is not None
    assert [(m - MONDAY).total_seconds() / 3600 for m in window] == [134, 140]


def test_what_does_not_fit_is_not_lowered() -> None:
    made_from = portfolio({"A": by("p1", "2h"), "B": by("p2", "2h")}, people=2)
    c, plan = compiled(made_from), plan_of(made_from)
    assert lower(c, dict(plan.items)) is not None
    assert lower(c, {"A": plan.items["A"]}) is None
    later = compiled(made_from.model_copy(update={"as_of": made_from.as_of.model_validate("2026-11-23T09:00Z")}))
    assert lower(later, dict(plan.items)) is None
    smaller = compiled(portfolio({"A": by("p1", "2h"), "B": by("p1", "2h")}))
    assert lower(smaller, dict(plan.items)) is None
    assert hours(plan) == {"A": (0, 2), "B": (0, 2)}


@pytest.mark.parametrize("people", [1, 2])
def test_a_crew_of_another_size_is_not_lowered(people: int) -> None:
    def made(count: int) -> Portfolio:
        return portfolio({"A": {"needs": [{"who": ["p1", "p2"], "people": count, "effort": "4h"}]}}, people=2)

    plan = plan_of(made(people))
    assert lower(compiled(made(people)), dict(plan.items)) is not None
    assert lower(compiled(made(3 - people)), dict(plan.items)) is None
