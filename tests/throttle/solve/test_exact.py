"""The exact model finds and proves optima, alone from a poor start, and never gives what breaks a rule."""

from __future__ import annotations

import threading
import time
from itertools import permutations
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.cases import by, cheapest, compiled, portfolio, small
from support.portfolios import random_portfolio
from throttle.check import check
from throttle.compile import Compiled
from throttle.instance import Schedule
from throttle.planning import build_plan
from throttle.solve import Settings, Solution
from throttle.solve.bounds import lower_bounds
from throttle.solve.decoder import Decoder
from throttle.solve.exact import Exact
from throttle.solve.rules import Facts

FIXED = Settings(deterministic=True)


def exact(c: Compiled, stop: threading.Event | None = None, how: Settings = FIXED) -> Exact:
    return Exact(c.instance, how, stop or threading.Event())


def poor(c: Compiled, seed: int = 0) -> Schedule:
    """Any schedule, the last item first."""
    key = np.arange(c.instance.n, dtype=float)[::-1].copy()
    schedule = Decoder(c.instance, compiled=False).decode(key).schedule
    assert schedule is not None, seed
    return schedule


def verified(c: Compiled, schedule: Schedule) -> None:
    plan = build_plan(c, Solution(schedule, schedule, schedule), FIXED)
    verdict = check(plan, c.written)
    assert [v.message for v in verdict.violations] == []
    assert verdict.objective == pytest.approx(schedule.cost)


@pytest.mark.parametrize("seed", range(8))
def test_tardiness_on_one_person_is_that_of_the_best_order(seed: int) -> None:
    random = Random(seed)
    items = [(random.randint(1, 6), random.randint(1, 15), random.randint(1, 9)) for _ in range(5)]
    c = compiled(
        portfolio(
            {f"W{i}": by("p1", f"{p}h", due=f"{d}h", cost_of_delay=f"{w}/hour") for i, (p, d, w) in enumerate(items)}
        )
    )

    def cost(order: tuple[tuple[int, int, int], ...]) -> int:
        at = total = 0
        for p, d, w in order:
            at += p
            total += w * max(0, at - d)
        return total

    best = min(cost(order) for order in permutations(items))
    found = exact(c).solve(poor(c), 2.0)
    assert found.bound == pytest.approx(best)
    least = found.schedule.cost if found.schedule else poor(c).cost
    assert least == pytest.approx(best)


PLACED = (0, 1, 2, 3, 6, 8, 9, 10, 11, 12, 13, 17)
"""Seeds of cases in which everything has a place."""


@pytest.mark.parametrize("seed", PLACED)
def test_the_proven_optimum_of_small_cases(seed: int) -> None:
    """Its bound is above the quick ones and below anything found by an exhaustive search that knows nothing of it."""
    made_from = small(seed)
    c = compiled(made_from)
    model = exact(c)
    assert model.supports()
    start = poor(c)
    found = model.solve(start, 2.0)
    quick, _ = lower_bounds(c.instance, Facts(c.instance))
    cost, _ = cheapest(made_from)
    best = found.schedule or start
    verified(c, best)
    assert found.bound <= min(cost, best.cost) * (1 + 1e-9)
    if found.bound >= best.cost * (1 - 1e-9):
        assert best.cost <= cost * (1 + 1e-9)
        assert quick <= best.cost * (1 + 1e-9)


def test_most_small_cases_are_proved() -> None:
    proved = 0
    for seed in PLACED:
        c = compiled(small(seed))
        start = poor(c)
        found = exact(c).solve(start, 2.0)
        proved += found.bound >= (found.schedule or start).cost * (1 - 1e-9)
    assert proved >= len(PLACED) * 2 / 3


@pytest.mark.parametrize("seed", range(500, 516))
def test_what_it_finds_obeys_every_rule(seed: int) -> None:
    c = compiled(random_portfolio(seed, 8))
    if not c.instance.n or not exact(c).supports():
        return
    start = Decoder(c.instance, compiled=False).decode(np.arange(c.instance.n, dtype=float)).schedule
    if start is None:
        return
    found = exact(c).solve(start, 0.3)
    assert found.bound <= start.cost * (1 + 1e-9)
    if found.schedule and found.schedule.cost < start.cost:
        verified(c, found.schedule)


def test_only_what_is_free_moves() -> None:
    c = compiled(portfolio({f"W{i}": by("p1", f"{5 - i}h", cost_of_delay="1/hour") for i in range(5)}))
    start = Decoder(c.instance, compiled=False).decode(np.arange(5.0)).schedule
    assert start is not None
    found = exact(c).solve(start, 2.0, frozenset({3, 4})).schedule
    assert found is not None
    assert np.array_equal(found.start[:3], start.start[:3])
    assert found.start.tolist()[3:] == [13, 12]
    assert found.cost < start.cost
    assert exact(c).solve(start, 2.0, frozenset({3, 4})).bound == 0  # of a part nothing is proved for the whole


def test_pins_and_waits_in_environments() -> None:
    pinned = compiled(
        portfolio({"A": by("p1", "1h"), "B": by("p1", "3h")}, policy={"pins": [{"work": "A", "start": "2h"}]})
    )
    found = exact(pinned).solve(poor(pinned), 2.0)
    best = found.schedule or poor(pinned)
    assert best.start.tolist() == [2, 3]
    assert found.bound == pytest.approx(best.cost)
    # the lab is full at night, in the pause of A, so that the wait comes after it
    office = {"day": {"hours": "Mon-Fri 09:00-17:00"}}
    work = {
        "A": by("p1", "12h", environment="lab", cost_of_delay="9/hour"),
        "W": {"wait": "3h", "environment": "lab", "cost_of_delay": "1/hour", "not_before": "4h"},
    }
    waits = compiled(portfolio(work, environments={"lab": {}}, calendars=office))
    found = exact(waits).solve(poor(waits), 2.0)
    best = found.schedule or poor(waits)
    verified(waits, best)
    assert best.end.tolist() == [29, 32]
    assert found.bound == pytest.approx(best.cost)


def test_nothing_is_claimed_where_work_fits_into_the_pauses_of_others() -> None:
    """The lab closes at night, p1 does not: B belongs into the pause of A, where the model has no place for it."""
    calendars = {"always": {"hours": "daily 00:00-24:00"}, "day": {"hours": "Mon-Fri 09:00-17:00"}}
    work = {
        "A": by("p1", "12h", environment="lab", cost_of_delay="5/hour"),
        "B": by("p1", "10h", cost_of_delay="1/hour"),
    }
    c = compiled(portfolio(work, calendars=calendars, environments={"lab": {"calendar": "day"}}))
    best = Decoder(c.instance, compiled=False).decode(np.array([0.0, 1.0])).schedule
    assert best is not None
    assert exact(c).solve(poor(c), 2.0).bound <= best.cost


def test_crews_across_calendars_are_proved_where_pauses_are_no_use() -> None:
    calendars = {"day": {"hours": "Mon-Fri 09:00-17:00"}, "late": {"hours": "Mon-Fri 12:00-20:00"}}
    people = {"p1": {"calendar": "day"}, "p2": {"calendar": "late"}}
    work = {"A": {"needs": [{"who": "p1", "effort": "7h"}, {"who": "p2", "effort": "7h"}], "cost_of_delay": "1/hour"}}
    alone = compiled(portfolio(work, people, calendars=calendars))
    found = exact(alone).solve(poor(alone), 2.0)
    assert found.bound == pytest.approx(poor(alone).cost) == 30
    shared = compiled(portfolio({**work, "B": by("p2", "2h", cost_of_delay="1/hour")}, people, calendars=calendars))
    assert exact(shared).solve(poor(shared), 2.0).bound == 0


def test_a_pinned_start_is_the_first_of_the_crew_that_is_taken() -> None:
    """A crew with another calendar would begin later, which costs less; but who would make it is taken."""
    calendars = {"day": {"hours": "Mon-Fri 09:00-17:00"}, "late": {"hours": "Mon-Fri 12:00-20:00"}}
    people = {"p1": {"calendar": "day"}, "p2": {"calendar": "day", "skills": ["s"]}}
    people["p3"] = {"calendar": "late", "skills": ["s"]}
    needs = [{"who": "p1", "effort": "2h"}, {"skill": "s", "effort": "2h"}]
    work = {
        "A": {"needs": needs, "wanted_start": "12h", "costs": {"earliness": "1/hour"}},
        "B": by("p3", "8h"),
    }
    pins = [{"work": "A", "start": "0h"}, {"work": "B", "start": "0h"}]
    c = compiled(portfolio(work, people, calendars=calendars, policy={"pins": pins}))
    found = exact(c).solve(poor(c), 2.0)
    best = found.schedule or poor(c)
    verified(c, best)
    assert best.start.tolist() == [1, 4]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.data())
def test_no_schedule_is_below_the_bound(seed: int, items: int, data: st.DataObject) -> None:
    """Nor is any order of at most four items, with the crews that the decoder takes; what is found obeys all rules."""
    c = compiled(random_portfolio(seed, items))
    if not 0 < c.instance.n <= 5:
        return
    decoder = Decoder(c.instance, compiled=False)
    decoded = [decoder.decode(np.array(order, float)).schedule for order in permutations(range(c.instance.n))]
    schedules = [s for s in decoded if s is not None]
    if not schedules:
        return
    start = data.draw(st.sampled_from(schedules))
    found = exact(c).solve(start, 1.0)
    assert found.bound <= min(s.cost for s in schedules) * (1 + 1e-9) + 1e-9
    if found.schedule is not None:
        verified(c, found.schedule)


def test_the_same_seed_gives_the_same() -> None:
    c = compiled(random_portfolio(31, 12))
    start = Decoder(c.instance, compiled=False).decode(np.arange(c.instance.n, dtype=float)).schedule
    assert start is not None
    one, two = (exact(c).solve(start, 0.2) for _ in range(2))
    assert one.bound == two.bound
    assert (one.schedule is None) == (two.schedule is None)
    if one.schedule and two.schedule:
        assert np.array_equal(one.schedule.start, two.schedule.start)
        assert np.array_equal(one.schedule.crew, two.schedule.crew)


def test_stopped_on_the_way() -> None:
    """A model that takes long to prove ends soon after the event is set, with what it has."""
    random = Random(1)
    c = compiled(
        portfolio(
            {
                f"W{i}": by(
                    f"p{1 + i % 3}",
                    f"{random.randint(1, 9)}h",
                    due=f"{random.randint(5, 60)}h",
                    cost_of_delay=f"{random.randint(1, 9)}/hour",
                    **({"environment": "lab"} if i % 2 else {}),
                )
                for i in range(40)
            },
            people=3,
            environments={"lab": {}},
        )
    )
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    began = time.monotonic()
    found = exact(c, stop, Settings(workers=1)).solve(poor(c), 60.0)
    assert time.monotonic() - began < 4
    assert found.schedule is not None
    verified(c, found.schedule)
