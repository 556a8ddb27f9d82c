"""A pinned start: the first slot from the pin on that is open for the whole crew, whatever else binds the item."""

from __future__ import annotations

import pytest

from support.cases import ALWAYS, OFFICE, Data, by, hours, plan_of, portfolio, same
from throttle.errors import NoPlanError
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
