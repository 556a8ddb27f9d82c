"""Chronological schedules: valid for every order, alike compiled and plain, and from the middle as from the start."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from support.cases import OFFICE, by, compiled, needing, portfolio
from support.portfolios import random_data, random_portfolio
from throttle.check import check
from throttle.compile import Compiled
from throttle.instance import Instance
from throttle.planning import build_plan
from throttle.solve import Settings, Solution
from throttle.solve.annealing import Chronological, ranks, supports
from throttle.solve.kernels import kernels
from throttle.solve.rules import Facts, first_come
from throttle_models import Portfolio

OPEN = {"hours": "daily 00:00-24:00"}
FIELDS = ("start", "end", "crew")


def calm(seed: int, items: int) -> Portfolio:
    """A random portfolio without what chronological schedules do not take."""
    data = random_data(seed, items)
    policy = data.get("policy", {})
    for name in ("projects_in_process", "person_wip", "pins"):
        policy.pop(name, None)
    for person in data["people"].values():
        person.pop("wip", None)
    for item in data["work"].values():
        item.pop("change", None)
        if item.get("type") == "change":
            item["type"] = "project"
        for link in item.get("after", ()):
            if isinstance(link, dict) and link.get("lag"):
                link["lag_in"] = "elapsed"
    return Portfolio.model_validate(data)


def instances(seeds: range, items: int) -> list[Instance]:
    found = [compiled(calm(seed, items)).instance for seed in seeds]
    return [i for i in found if i.n and supports(i)]


def starts(c: Compiled, *key: float) -> dict[str, int]:
    decoder = Chronological(c.instance, compiled=False)
    schedule = decoder.decode(np.array(key, float)).schedule
    assert schedule is not None
    return dict(zip(c.instance.activities, schedule.start.tolist(), strict=True))


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_schedules_of_random_orders_pass_the_checker(seed: int, items: int, random: Random) -> None:
    made_from = calm(seed, items)
    c = compiled(made_from)
    assume(c.instance.n and supports(c.instance))
    key = np.array([random.random() for _ in range(c.instance.n)])
    schedule = Chronological(c.instance, compiled=False).decode(key).schedule
    assume(schedule is not None)
    plan = build_plan(c, Solution(schedule, schedule, schedule), Settings())
    verdict = check(plan, made_from)
    assert [v.message for v in verdict.violations] == []
    assert verdict.objective == pytest.approx(plan.certificate.objective.value)
    assert verdict.flow == pytest.approx(plan.certificate.flow.value)


def test_most_random_portfolios_are_taken() -> None:
    """Otherwise the test above would say little."""
    found = [compiled(calm(seed, 8)).instance for seed in range(16)]
    taken = [i for i in found if i.n and supports(i)]
    assert len(taken) > 10
    decoded = [Chronological(i, compiled=False).decode(first_come(Facts(i))).schedule for i in taken]
    assert sum(s is not None for s in decoded) > 7


@pytest.mark.parametrize("items", [5, 12, 30])
def test_compiled_and_plain_decode_alike(items: int) -> None:
    for seed, instance in enumerate(instances(range(60, 68), items)):
        random = Random(seed)
        plain, fast = Chronological(instance, compiled=False), Chronological(instance, compiled=True)
        for _ in range(2):
            key = np.array([random.random() for _ in range(instance.n)])
            one, two = plain.decode(key), fast.decode(key)
            assert one.missing == two.missing
            assert (one.schedule is None) == (two.schedule is None)
            if one.schedule and two.schedule:
                for name in FIELDS:
                    assert np.array_equal(getattr(one.schedule, name), getattr(two.schedule, name)), (seed, name)
                assert (one.schedule.cost, one.schedule.flow) == (two.schedule.cost, two.schedule.flow)


def changed(key: np.ndarray, random: Random) -> tuple[np.ndarray, np.ndarray]:
    """Another key that differs for a few, and for which."""
    some = np.array(random.sample(range(len(key)), min(len(key), random.randint(1, 3))))
    other = key.copy()
    other[some] += [random.choice((-1, 1)) * random.random() * len(key) * 0.4 for _ in some]
    return other, some


@pytest.mark.parametrize("items", [12, 30])
def test_a_run_from_the_middle_is_the_run_from_the_start(items: int) -> None:
    """From the first instant at which changed keys can matter, and with what began before it kept."""
    saved = 0
    for seed, instance in enumerate(instances(range(200, 220), items)):
        random = Random(seed)
        c = Chronological(instance, compiled=True)
        k, p = c.kernel, c.problem
        key = ranks(np.array([random.random() for _ in range(instance.n)]))
        old, new, whole = c.new_run(), c.new_run(), c.new_run()
        if k.decode(p, c.space, old, c.blank, key, 0, 0, np.inf) < 0:
            continue
        for _ in range(6):
            other, some = changed(key, random)
            since = k.divergence(p, old, key, other, some, len(some))
            expected = k.decode(p, c.space, whole, c.blank, other, 0, 0, np.inf)
            if since == k.NEVER:
                assert expected == k.cost_of(p, old)
                assert np.array_equal(whole.start, old.start)
                continue
            kept = k.first_from(old.start, old.sequence, since)
            saved += kept
            found = k.decode(p, c.space, new, old, other, since, kept, np.inf)
            assert found == expected
            if found >= 0:
                for name in (*FIELDS, "ready", "until", "finish", "begin"):
                    assert np.array_equal(getattr(new, name), getattr(whole, name)), (seed, name)
                assert np.array_equal(new.start[new.sequence], np.sort(new.start))
    assert saved > 30


def test_what_must_cost_more_than_the_limit_is_given_up() -> None:
    for instance in instances(range(300, 312), 12):
        c = Chronological(instance, compiled=True)
        k, key = c.kernel, ranks(first_come(Facts(instance)))

        def run(limit: float, c: Any = c, key: Any = key) -> float:
            return float(c.kernel.decode(c.problem, c.space, c.run, c.blank, key, 0, 0, limit))

        value = run(np.inf)
        if value >= 0:
            assert run(value * (1 + 1e-9)) == value
            assert run(value * (1 - 1e-6) - 1e-9) in (k.ABANDONED, value)  # nothing but the exact cost may tell
            assert run(-1.0) == k.ABANDONED


def test_cost_while_running_is_the_cost_of_the_schedule() -> None:
    """Of every kind: tardiness, flow, makespan, span, earliness; groups that overlap."""
    work = {
        "A": by("p1", "2h", project="P"),
        "BOX": {"cost_of_delay": "3/hour", "due": "4h", "project": "P"},
        "B": by("p2", "3h", parent="BOX"),
        "C": by("p1", "1h", parent="BOX", after=["B"]),
        "D": by("p1", "1h", due="4h", cost_of_delay="10/hour", wanted_start="9h", costs={"earliness": "5/hour"}),
    }
    c = compiled(
        portfolio(
            work,
            people=2,
            projects={"P": {"cost_of_delay": "2/hour", "makespan": "1/hour"}},
            policy={"makespan": "100/hour"},
        )
    )
    decoder = Chronological(c.instance, compiled=False)
    schedule = decoder.decode(np.array([0.0, 1, 2, 3])).schedule
    assert schedule is not None
    assert schedule.start.tolist() == [0, 0, 3, 2]
    assert schedule.cost == pytest.approx(2 * 4 + 4 * 1 + 3 * 0 + 5 * 7 + 100 * 4)
    assert schedule.cost == pytest.approx(kernels(False).cost(c.instance.arrays, schedule.start, schedule.end)[0])
    assert decoder.kernel.cost_of(decoder.problem, decoder.run) == pytest.approx(schedule.cost, rel=1e-4)


def test_nobody_waits_while_there_is_something_to_do() -> None:
    """Unlike in the serial scheme: what comes later in the order starts while the first is not ready."""
    work = {"A": by("p1", "2h", not_before="1h"), "B": by("p1", "3h"), "C": by("p1", "1h", after=["B"])}
    assert starts(compiled(portfolio(work)), 0, 1, 2) == {"A": 3, "B": 0, "C": 5}


def test_the_least_flexible_goes_first() -> None:
    people = {"both": {"skills": ["a", "b"]}, "one": {"skills": ["a"]}}
    work = {"A": needing("a", "2h"), "B": needing("b", "2h")}
    assert starts(compiled(portfolio(work, people)), 0, 1) == {"A": 0, "B": 0}


def two_queues(**b: Any) -> Compiled:
    """Much work for skill a, held by one specialist and by one who also holds b; little for b, held by two others."""
    people: dict[str, Any] = {"a1": {"skills": ["a"]}, "both": {"skills": ["a", "b"]}}
    people |= {f"b{k}": {"skills": ["b"], **b} for k in (1, 2)}
    work = {
        **{f"B{k}": needing("b", "9h") for k in range(3)},
        **{f"A{k}": needing("a", "8h", not_before="1h") for k in range(6)},
    }
    return compiled(portfolio(work, people, calendars={"always": OPEN, "never": {"hours": "Mon 00:00-01:00"}}))


def test_people_in_long_queues_are_kept_for_them() -> None:
    c = two_queues()
    decoder = Chronological(c.instance, compiled=False)
    key = np.arange(c.instance.n, dtype=float)
    assert decoder.reserving
    kept = decoder.decode(key).schedule
    assert kept is not None
    assert sorted(kept.start.tolist()) == [0, 0, 1, 1, 9, 9, 9, 17, 17]
    assert decoder.reserve(False)
    shared = decoder.decode(key).schedule
    assert shared is not None
    assert sorted(shared.start.tolist()) == [0, 0, 0, 1, 9, 9, 17, 17, 25]
    assert kept.crew[c.instance.activities.index("B0")] != c.instance.people.index("both")


def test_people_are_not_kept_where_something_has_no_place_without_them() -> None:
    c = two_queues(calendar="never")
    decoder = Chronological(c.instance, compiled=False)
    assert decoder.reserving
    assert decoder.decode(np.arange(c.instance.n, dtype=float)).schedule is not None
    assert not decoder.reserving


def test_nobody_is_kept_where_too_few_are_left() -> None:
    people = {"a1": {"skills": ["a"]}, "both": {"skills": ["a", "b"]}}
    work = {"B": needing("b", "1h"), **{f"A{k}": needing("a", "8h") for k in range(6)}}
    assert not Chronological(compiled(portfolio(work, people)).instance, compiled=False).reserving


def test_a_crew_is_found_though_the_first_choice_leads_nowhere() -> None:
    """Seat by seat, the first two needs would take the two whom the third must have."""
    people = {
        "x": {"skills": ["a", "c"]},
        "y": {"skills": ["a", "b"]},
        "z": {"skills": ["b", "a"]},
        "busy": {"skills": ["a", "b", "c"]},
    }
    work = {
        "FIRST": by("busy", "9h"),
        "X": {"duration": "2h", "needs": [{"skill": "a"}, {"skill": "b"}, {"skill": "c"}]},
        **{f"N{i}": needing(s, "1h", not_before="20h") for i, s in enumerate("bbccaa")},
    }
    found = starts(compiled(portfolio(work, people)), *range(8))
    assert found["X"] == 0


def test_part_time_work_shares_a_person() -> None:
    work = {
        "A": by("p1", "2h", allocation="50%"),
        "B": by("p1", "3h", allocation="50%"),
        "C": by("p1", "1h"),
        "D": by("p1", "1h", allocation="25%"),
    }
    assert starts(compiled(portfolio(work)), 0, 1, 2, 3) == {"A": 0, "B": 0, "D": 4, "C": 8}


def test_a_member_whose_part_is_done_is_free() -> None:
    work = {
        "A": {"needs": [{"who": ["p1"], "effort": "2h"}, {"who": ["p2"], "effort": "6h"}]},
        "B": by("p1", "1h"),
        "C": by("p2", "1h"),
    }
    assert starts(compiled(portfolio(work, people=2)), 0, 1, 2) == {"A": 0, "B": 2, "C": 6}


def test_environments_are_held_from_start_to_end() -> None:
    work = {
        "A": by("p1", "3h", environment={"lab": 2}),
        "B": by("p2", "2h", environment={"lab": 2}),
        "C": by("p3", "1h", environment={"lab": 1}),
        "W": {"wait": "4h", "environment": {"lab": 1}},
    }
    c = compiled(portfolio(work, people=3, environments={"lab": {"capacity": 3}}))
    assert starts(c, 0, 1, 2, 3) == {"A": 0, "B": 3, "C": 0, "W": 1}


def test_links_of_all_types_with_lags() -> None:
    work = {
        "A": by("p1", "3h"),
        "FS": by("p2", "1h", after=[{"item": "A", "lag": "2h", "lag_in": "elapsed"}]),
        "SS": by("p3", "1h", after=[{"item": "A", "type": "SS", "lag": "1h", "lag_in": "elapsed"}]),
        "FF": by("p4", "2h", after=[{"item": "A", "type": "FF", "lag": "4h", "lag_in": "elapsed"}]),
        "SF": by("p5", "2h", after=[{"item": "A", "type": "SF", "lag": "9h", "lag_in": "elapsed"}]),
        "M": {"after": ["A"]},
        "N": by("p1", "1h", after=["M"]),
    }
    c = compiled(portfolio(work, people=5))
    assert starts(c, *range(7)) == {"A": 0, "FS": 5, "SS": 1, "FF": 5, "SF": 7, "M": 3, "N": 3}


def test_what_needs_nobody() -> None:
    c = compiled(portfolio({"W": {"wait": "3h"}, "M": {"after": ["W"]}, "X": {"wait": "1h", "after": ["M"]}}))
    assert starts(c, 2, 1, 0) == {"W": 0, "M": 3, "X": 3}


def test_work_pauses_when_one_of_the_crew_is_away() -> None:
    """Monday 08:00 is slot 0; the office opens at 09:00 and closes at 17:00."""
    late = {"hours": "Mon-Fri 13:00-20:00"}
    work = {
        "A": {"needs": [{"who": ["p1"], "effort": "6h"}, {"who": ["p2"], "effort": "2h"}]},
        "B": by("p1", "2h", pausable=False),
        "C": by("p1", "1h"),
    }
    people = {"p1": {"calendar": "office"}, "p2": {"calendar": "late"}}
    c = compiled(portfolio(work, people, calendars={**OFFICE, "late": late}))
    decoder = Chronological(c.instance, compiled=False)
    schedule = decoder.decode(np.array([0.0, 1, 2])).schedule
    assert schedule is not None
    # A waits for p2 (13:00), then goes on with p1 alone from 15:00 to 17:00 and on Tuesday from 09:00 to 11:00
    assert schedule.start.tolist() == [5, 1, 3]
    assert schedule.end.tolist() == [27, 3, 4]
    again = decoder.decode(np.array([1.0, 0, 2])).schedule
    assert again is not None
    assert again.start.tolist() == [5, 1, 3]


def test_what_may_not_pause_starts_where_it_ends_the_same_day() -> None:
    work = {"A": by("p1", "5h"), "B": by("p1", "4h", pausable=False), "C": by("p1", "4h")}
    c = compiled(portfolio(work, calendars=OFFICE))
    assert starts(c, 0, 1, 2) == {"A": 1, "B": 25 + 1, "C": 6}


def test_what_has_no_place_is_named() -> None:
    c = compiled(portfolio({"A": by("p1", "4h"), "B": by("p1", "4h")}), slots=6)
    outcome = Chronological(c.instance, compiled=False).decode(np.array([0.0, 1]))
    assert outcome.schedule is None
    assert outcome.missing == (1,)


def test_what_is_not_taken() -> None:
    def taken(**fields: Any) -> bool:
        return supports(compiled(portfolio({"A": by("p1", "2h"), "B": by("p1", "1h", **fields)})).instance)

    assert taken()
    assert taken(after=["A"])
    assert not taken(after=[{"item": "A", "lag": "1h", "lag_in": "working"}])
    assert not supports(compiled(random_portfolio(3, 10)).instance) or supports(compiled(calm(3, 10)).instance)
    limited = portfolio({"A": by("p1", "2h")}, policy={"person_wip": 1})
    assert not supports(compiled(limited).instance)


@pytest.mark.parametrize("which", [False, True])
def test_the_heap_gives_the_smallest_first(which: bool) -> None:
    kernel = kernels(which, "chronological")
    random = Random(5)
    key = np.array([random.random() for _ in range(40)])
    heap = np.empty(45, np.int64)
    for size, j in enumerate(random.sample(range(40), 40)):
        kernel.push(heap, 5, size, key, j)
    assert [int(kernel.pop(heap, 5, size, key)) for size in range(40, 0, -1)] == np.argsort(key).tolist()
