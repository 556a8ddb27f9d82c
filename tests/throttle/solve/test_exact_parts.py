"""Parts of an instance moved by the exact model, while all else stays where it is."""

from __future__ import annotations

import threading
from random import Random
from typing import Any

import numpy as np
import pytest

from support.cases import OFFICE, by, compiled, needing, portfolio
from support.portfolios import random_portfolio
from throttle.check import check
from throttle.compile import Compiled
from throttle.instance import Schedule
from throttle.planning import build_plan
from throttle.solve import Settings, Solution
from throttle.solve.decoder import Decoder
from throttle.solve.exact import Exact

FIXED = Settings(deterministic=True)


def exact(c: Compiled) -> Exact:
    return Exact(c.instance, FIXED, threading.Event())


def first_come(c: Compiled) -> Schedule | None:
    return Decoder(c.instance, compiled=False).decode(np.arange(c.instance.n, dtype=float)).schedule


def verified(c: Compiled, schedule: Schedule) -> None:
    verdict = check(build_plan(c, Solution(schedule, schedule, schedule), FIXED), c.written)
    assert [v.message for v in verdict.violations] == []
    assert verdict.objective == pytest.approx(schedule.cost)


def test_who_works_during_the_pauses_of_others_stays_where_he_is() -> None:
    """A takes p1 and p2, who are never there at the same time of day but for an hour; p2 does B in A's pauses.

    The model of C alone must allow that A and B share p2, as they do in the incumbent.
    """
    calendars = {**OFFICE, "late": {"hours": "Mon-Fri 16:00-22:00"}}
    people = {"p1": {"calendar": "office"}, "p2": {"calendar": "late"}}
    work: dict[str, Any] = {
        "A": {"needs": [{"who": "p1", "effort": "3h"}, {"who": "p2", "effort": "3h"}]},
        "B": by("p2", "4h"),
        "C": by("p1", "2h", cost_of_delay="1/hour"),
        "D": by("p1", "6h", cost_of_delay="9/hour"),
    }
    c = compiled(portfolio(work, people, calendars=calendars, as_of="2026-11-23T09:00Z"))
    start = first_come(c)
    assert start is not None
    ids = list(c.instance.activities)
    assert start.start[ids.index("B")] < start.end[ids.index("A")]
    model = exact(c)
    alone = model.solve(start, 5.0, frozenset({ids.index("C"), ids.index("D")}))
    assert alone.exhausted
    assert alone.schedule is not None
    assert alone.schedule.cost < start.cost
    assert np.array_equal(alone.schedule.start[:2], start.start[:2])
    verified(c, alone.schedule)


def test_what_is_pinned_stays_and_the_rest_moves() -> None:
    """A pinned item keeps its place, among a wait in an environment and others that change theirs."""
    work = {
        "P": by("p1", "2h"),
        "E": {"wait": "4h", "environment": "lab"},
        "L": by("p1", "5h", cost_of_delay="1/hour"),
        "S": by("p1", "1h", cost_of_delay="1/hour"),
        "T": by("p2", "2h", environment="lab", cost_of_delay="1/hour"),
    }
    c = compiled(
        portfolio(work, 2, environments={"lab": {}}, policy={"pins": [{"work": "P", "start": "3h"}]}),
    )
    start = first_come(c)
    assert start is not None
    model = exact(c)
    ids = list(c.instance.activities)
    found = model.solve(start, 5.0, frozenset(range(c.instance.n)))
    assert found.bound == 0
    assert found.schedule is not None
    verified(c, found.schedule)
    moved = {id: int(found.schedule.start[ids.index(id)]) for id in ids}
    assert moved["P"] == 3
    assert moved["S"] < moved["L"]


@pytest.mark.parametrize("seed", range(700, 712))
def test_parts_of_random_cases_obey_every_rule(seed: int) -> None:
    c = compiled(random_portfolio(seed, 9))
    start = first_come(c) if c.instance.n else None
    if start is None or not exact(c).supports_parts():
        return
    random = Random(seed)
    free = frozenset(random.sample(range(c.instance.n), max(1, c.instance.n // 2)))
    found = exact(c).solve(start, 0.3, free)
    assert found.bound == 0
    if found.schedule is None:
        return
    stays = [j for j in range(c.instance.n) if j not in free]
    assert np.array_equal(found.schedule.start[stays], start.start[stays])
    verified(c, found.schedule)


def test_the_same_people_at_other_hours() -> None:
    """A part whose crews keep one calendar is searched to its end even where others have several."""
    people = {
        "p1": {"skills": ["a"], "calendar": "office"},
        "p2": {"skills": ["a", "b"], "calendar": "late"},
    }
    calendars = {**OFFICE, "late": {"hours": "Mon-Fri 12:00-20:00"}}
    work = {
        "M": {"needs": [{"skill": "a", "effort": "5h", "people": 2}]},
        **{f"W{i}": needing("a", f"{5 - i}h", cost_of_delay="1/hour") for i in range(4)},
    }
    c = compiled(portfolio(work, people, calendars=calendars, skills=["a", "b"], as_of="2026-11-23T09:00Z"))
    start = first_come(c)
    assert start is not None
    found = exact(c).solve(start, 20.0, frozenset(range(c.instance.n)))
    assert found.exhausted
    if found.schedule:
        verified(c, found.schedule)
