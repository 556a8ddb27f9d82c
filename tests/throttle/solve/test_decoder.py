"""Any order becomes a schedule that obeys the rules, or says what has no place."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from support.cases import by, compiled, portfolio
from support.portfolios import portfolios
from throttle.check import check
from throttle.planning import build_plan
from throttle.solve import Settings, Solution
from throttle.solve.decoder import Decoder
from throttle_models import Portfolio


@given(portfolios(8), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_schedules_of_random_orders_pass_the_checker(made_from: Portfolio, random: Random) -> None:
    c = compiled(made_from)
    assume(c.instance.n)
    decoder = Decoder(c.instance, compiled=False)
    schedule = decoder.decode(np.array([random.random() for _ in range(c.instance.n)])).schedule
    assume(schedule is not None)
    plan = build_plan(c, Solution(schedule, schedule, schedule), Settings())
    verdict = check(plan, made_from)
    assert [v.message for v in verdict.violations] == []
    assert verdict.objective == pytest.approx(plan.certificate.objective.value)
    assert verdict.flow == pytest.approx(plan.certificate.flow.value)


def test_the_smallest_key_goes_first_and_links_before_keys() -> None:
    c = compiled(portfolio({"A": by("p1", "2h"), "B": by("p1", "3h"), "C": by("p1", "1h", after=["B"])}))
    decoder = Decoder(c.instance, compiled=False)

    def starts(*key: float) -> list[int]:
        schedule = decoder.decode(np.array(key)).schedule
        assert schedule is not None
        return [int(t) for t in schedule.start]

    assert starts(0, 1, 2) == [0, 2, 5]
    assert starts(2, 1, 0) == [4, 0, 3]
    assert starts(1, 2, 0) == [0, 2, 5]


def test_a_gap_is_filled_by_what_comes_later_in_the_order() -> None:
    c = compiled(portfolio({"A": by("p1", "2h", not_before="5h"), "B": by("p1", "3h"), "C": by("p1", "3h")}))
    schedule = Decoder(c.instance, compiled=False).decode(np.array([0.0, 1, 2])).schedule
    assert schedule is not None
    assert schedule.start.tolist() == [5, 0, 7]


def test_a_seat_that_is_fixed() -> None:
    work = {
        "A": {"needs": [{"who": ["p1", "p2"], "effort": "2h"}]},
        "B": {"needs": [{"who": ["p1", "p2"], "effort": "2h"}]},
    }
    c = compiled(portfolio(work, people=2))
    decoder = Decoder(c.instance, compiled=False)
    free = decoder.decode(np.array([0.0, 1])).schedule
    assert free is not None
    assert sorted(free.crew.tolist()) == [0, 1]
    fixed = decoder.decode(np.array([0.0, 1]), np.array([1, 1])).schedule
    assert fixed is not None
    assert fixed.crew.tolist() == [1, 1]
    assert fixed.start.tolist() == [0, 2]
    assert (decoder.free == -1).all()


def test_what_has_no_place_is_named() -> None:
    c = compiled(portfolio({"A": by("p1", "4h"), "B": by("p1", "4h")}), slots=6)
    outcome = Decoder(c.instance, compiled=False).decode(np.array([0.0, 1]))
    assert outcome.schedule is None
    assert outcome.missing == (1,)
    assert not outcome.locked


@pytest.mark.parametrize("crowd", [2, 5])
def test_a_crew_is_found_though_the_first_choice_leads_nowhere(crowd: int) -> None:
    """Seat by seat, the first need would take the one person whom the other need must have."""
    people = {"both": {"skills": ["a", "b"]}, **{f"a{i}": {"skills": ["a"], "calendar": "late"} for i in range(crowd)}}
    c = compiled(
        portfolio(
            {"X": {"duration": "2h", "needs": [{"skill": "a"}, {"skill": "b"}]}},
            people,
            calendars={"always": {"hours": "daily 00:00-24:00"}, "late": {"hours": "daily 12:00-18:00"}},
        )
    )
    schedule = Decoder(c.instance, compiled=False).decode(np.zeros(1)).schedule
    assert schedule is not None
    assert schedule.start.tolist() == [4]
    assert len(set(schedule.crew.tolist())) == 2
