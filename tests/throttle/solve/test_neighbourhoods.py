"""Neighbourhoods hold what they say, and their sizes and choice follow what came of them."""

from __future__ import annotations

import threading
from random import Random

import numpy as np
import pytest
from benchmarks.portfolios import synthetic

from support.cases import by, compiled, portfolio
from support.portfolios import random_portfolio
from throttle.compile import Compiled
from throttle.instance import Schedule
from throttle.solve import Settings
from throttle.solve.decoder import Decoder
from throttle.solve.exact import Exact
from throttle.solve.exact.neighbourhoods import FIRST, LARGEST, NEIGHBOURHOODS, SMALLEST, Neighbourhoods, people_window
from throttle.solve.rules import Facts


def first_come(c: Compiled) -> Schedule:
    schedule = Decoder(c.instance, compiled=False).decode(np.arange(c.instance.n, dtype=float)).schedule
    assert schedule is not None
    return schedule


@pytest.mark.parametrize("kind", NEIGHBOURHOODS)
@pytest.mark.parametrize("size", [1, 7, 500])
def test_at_most_so_many_and_the_same_for_the_same_chance(kind: str, size: int) -> None:
    for made_from in (synthetic(40, 6, 1), random_portfolio(3, 12)):
        c = compiled(made_from)
        facts, schedule = Facts(c.instance), first_come(c)
        found = NEIGHBOURHOODS[kind](facts, schedule, size, Random(5))
        assert 0 < len(found) <= min(size, c.instance.n)
        assert found <= set(range(c.instance.n))
        assert found == NEIGHBOURHOODS[kind](facts, schedule, size, Random(5))


def test_a_window_of_people_holds_only_their_work() -> None:
    c = compiled(portfolio({f"W{i}": by(f"p{1 + i % 2}", "2h", cost_of_delay="1/hour") for i in range(8)}, people=2))
    facts, schedule = Facts(c.instance), first_come(c)
    for seed in range(6):
        found = people_window(facts, schedule, 3, Random(seed))
        assert len(found) == 3
        assert len({int(c.instance.activities[j][1:]) % 2 for j in found}) == 1


def test_size_grows_where_nothing_is_left_and_shrinks_where_time_ran_out() -> None:
    c = compiled(synthetic(200, 10, 1))
    schedule = first_come(c)
    choices = Neighbourhoods(Facts(c.instance), 1)
    for _ in range(60):
        choices.choose(schedule)
        choices.learn(improved=False, exhausted=True)
    assert max(choices.size.values()) == LARGEST
    assert len(choices.choose(schedule)) > FIRST
    for _ in range(120):
        choices.choose(schedule)
        choices.learn(improved=False, exhausted=False)
    assert min(choices.size.values()) == SMALLEST


def test_what_pays_is_chosen_more_often() -> None:
    c = compiled(synthetic(40, 6, 1))
    schedule = first_come(c)
    choices = Neighbourhoods(Facts(c.instance), 1)
    counts = dict.fromkeys(NEIGHBOURHOODS, 0)
    for k in range(200):
        choices.choose(schedule)
        counts[choices.kind] += k >= 50
        choices.learn(improved=choices.kind == "costly window", exhausted=True)
    assert counts["costly window"] > 100
    assert min(counts.values()) > 0  # no kind is given up


def test_the_exact_model_improves_a_poor_schedule_part_by_part() -> None:
    c = compiled(portfolio({f"W{i}": by("p1", f"{8 - i}h", cost_of_delay="1/hour") for i in range(8)}))
    best = first_come(c)
    settings = Settings(deterministic=True)
    exact = Exact(c.instance, settings, threading.Event())
    choices = Neighbourhoods(Facts(c.instance), 1)
    for _ in range(6):
        found = exact.solve(best, 2.0, choices.choose(best))
        improved = found.schedule is not None and found.schedule.cost < best.cost
        choices.learn(improved, found.exhausted)
        if found.schedule is not None and improved:
            best = found.schedule
    shortest_first = sum(k * (9 - k) for k in range(1, 9))  # the shortest is waited for by all: Smith's rule
    assert best.cost == pytest.approx(shortest_first)
