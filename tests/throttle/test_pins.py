"""A pinned start: the first slot from the pin on that is open for the whole crew, whatever else binds the item."""

from __future__ import annotations

import pytest

from support.cases import ALWAYS, OFFICE, Data, by, hours, plan_of, portfolio, same
from throttle.errors import InputError, NoPlanError
from throttle_models import Portfolio

EVENING: Data = {"policy": {"pins": [{"work": "X", "start": "2026-11-23T18:00Z"}]}}
"""Hour 10, when the office is closed until hour 25."""


def pinned(work: Data, people: Data | None = None) -> Portfolio:
    people = people or {"p1": {"calendar": "office"}}
    return portfolio(work, people, calendars=ALWAYS | OFFICE, **EVENING)


def test_what_it_waits_for_may_end_in_the_closed_time_after_the_pin() -> None:
    plan = plan_of(pinned({"W": {"wait": "20h"}, "X": by("p1", "2h", after=["W"])}))
    assert hours(same(plan)) == {"W": (0, 20), "X": (25, 27)}


def test_a_lag_in_working_time_counts_from_the_pin_on_too() -> None:
    work = {"W": {"wait": "20h"}, "X": by("p1", "2h", after=[{"item": "W", "lag": "1h", "lag_in": "working"}])}
    with pytest.raises(NoPlanError, match="pin of X"):
        plan_of(pinned(work))  # open from hour 25, which is the first from the pin


def test_what_it_waits_for_may_not_end_after_it_opens() -> None:
    work = {"W": {"wait": "26h"}, "X": by("p1", "2h", after=["W"])}
    with pytest.raises(NoPlanError, match="X is pinned to start"):
        plan_of(pinned(work))


def test_one_of_a_crew_may_be_busy_while_another_is_not_there() -> None:
    crew = {"needs": [{"who": "p2", "effort": "2h"}, {"who": "p1", "effort": "2h"}]}
    work = {"B": by("p2", "20h", status="in-progress"), "X": crew}
    plan = plan_of(pinned(work, {"p1": {"calendar": "office"}, "p2": {}}))
    assert hours(same(plan)) == {"B": (0, 20), "X": (25, 27)}


def test_a_pin_without_effect_is_told() -> None:
    work = {
        "BOX": {},
        "IN": by("p1", "2h", parent="BOX"),
        "OLD": by("p1", "2h", status="done"),
        "GONE": by("p1", "2h", status="cancelled"),
        "X": by("p1", "2h"),
    }
    pins = [{"work": id, "start": "2d"} for id in ("BOX", "OLD", "GONE", "X")]
    plan = plan_of(portfolio(work, policy={"pins": pins}))
    told = {f.ids: f.message for f in plan.findings if f.code == "idle-pin"}
    assert list(told) == [("BOX",), ("OLD",), ("GONE",)]
    assert "only what it contains; pin the items in it" in told[("BOX",)]
    assert "OLD is done; take the pin away" in told[("OLD",)]


def test_who_is_pinned_is_named_where_they_cannot_do_it() -> None:
    people = {"ann": {"skills": ["a"]}, "bob": {}}
    work = {"X": by("ann", "2h"), "Y": {"needs": [{"skill": "a", "effort": "2h"}]}}
    pins = [{"work": "X", "who": "bob"}, {"work": "Y", "who": "bob"}]
    left = plan_of(portfolio(work, people, policy={"pins": pins})).unscheduled
    assert left["X"].text == "it is pinned to bob by policy.pins, and only ann may do it, and it takes 1"
    assert left["Y"].text == "it is pinned to bob by policy.pins, and of them no one holds a at level >= 1"


@pytest.mark.parametrize(("lag", "kind"), [("3650d", "working"), ("900d", "working")])
def test_a_lag_that_never_passes_is_refused_at_once(lag: str, kind: str) -> None:
    work = {"A": by("p1", "4h")}
    for before, after in ("AB", "BC", "CD"):
        work[after] = by("p1", "4h", after=[{"item": before, "lag": lag, "lag_in": kind}])
    message = r"[BC] may begin [\d,]+ h at work after [AB] \(work\.[BC]\.after\).* write a shorter lag"
    with pytest.raises(InputError, match=message):
        plan_of(portfolio(work, calendars=OFFICE))


def test_a_long_lag_that_passes_is_planned() -> None:
    work = {"A": by("p1", "4h"), "B": by("p1", "4h", after=[{"item": "A", "lag": "400d", "lag_in": "working"}])}
    plan = same(plan_of(portfolio(work, calendars=OFFICE)))
    first, second = plan.items["A"], plan.items["B"]
    # 3,200 hours at work are 80 weeks of 40 hours
    assert (second.start - first.finish).days // 7 == 80
