"""The checker on arrays is held to the independent one: both say the same of right schedules and of disturbed ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.cases import by, compiled, portfolio
from support.portfolios import portfolios, random_portfolio
from throttle.check import KINDS
from throttle.check.buffers import Buffers
from throttle.check.facts import Facts
from throttle.check.fast import Broken, check_schedule
from throttle.check.kinds import Violations
from throttle.check.limits import limits
from throttle.check.schedule import Schedule as Rules
from throttle.compile import Compiled
from throttle.instance import Instance, Schedule
from throttle.lift import lift
from throttle.planning import build_plan
from throttle.solve import Settings, Solution
from throttle.solve.decoder import Decoder
from throttle.solve.rules import Facts as Order
from throttle.solve.rules import first_come
from throttle.worked import lengths, worked
from throttle_models import Plan, Portfolio


def decoded(c: Compiled) -> Schedule | None:
    return Decoder(c.instance, compiled=False).decode(first_come(Order(c.instance))).schedule


def kinds(found: list[Broken]) -> set[str]:
    return {b.kind for b in found}


def told(c: Compiled, plan: Plan, schedule: Schedule) -> set[str]:
    """What the independent checker says of the schedule, lifted."""
    violations = Violations()
    pace = plan.pace.people if plan.pace else ()
    rules = Rules(plan.model_copy(update={"items": lift(c, schedule)}), Facts(c.portfolio, pace), violations)
    rules.check()
    limits(rules, violations)
    Buffers(rules, c.written, violations).drum()
    return {v.kind for v in violations.found}


def costed(instance: Instance, schedule: Schedule) -> Schedule:
    """With the cost that it has."""
    return Decoder(instance, compiled=False).schedule(schedule.start, schedule.end, schedule.crew)


def finished(instance: Instance, schedule: Schedule, j: int) -> Schedule | None:
    """The schedule with the end of one activity where its work ends; None where it has no end before the horizon."""
    long = schedule.end.copy()
    long[j] = instance.slots if lengths(instance.arrays)[j] else schedule.start[j]
    work = worked(instance.arrays, replace(schedule, end=long))
    if work.done[j] < lengths(instance.arrays)[j]:
        return None
    end = schedule.end.copy()
    end[j] = work.last[work.ptr[j + 1] - 1] if work.done[j] else schedule.start[j]
    return replace(schedule, end=end)


def settled(instance: Instance, schedule: Schedule) -> Schedule:
    """With hidden helpers, which no plan tells of, right behind what they wait for."""
    a, start, end = instance.arrays, schedule.start.copy(), schedule.end.copy()
    for j, id in enumerate(instance.activities):
        if not id:
            before = a.pred[a.pred_ptr[j] : a.pred_ptr[j + 1]]
            start[j] = end[j] = max([int(a.release[j]), *end[before].tolist()])
    return costed(instance, replace(schedule, start=start, end=end))


def disturbed(instance: Instance, schedule: Schedule, random: Random) -> Schedule | None:
    """One activity moved, with someone else on it, or with another end."""
    a = instance.arrays
    j = random.choice([j for j, id in enumerate(instance.activities) if id])
    start, end, crew = schedule.start.copy(), schedule.end.copy(), schedule.crew.copy()
    rows = range(a.need_ptr[j], a.need_ptr[j + 1])
    kind = random.choice(("move", "move", "swap", "anyone", "end", "both"))
    if kind in ("swap", "anyone", "both"):
        if not rows:
            return None
        q = random.choice(rows)
        able = a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist()
        others = able if kind != "anyone" else range(len(instance.people))
        crew[random.randrange(a.crew_ptr[q], a.crew_ptr[q + 1])] = random.choice(others)
    if kind in ("move", "both"):
        start[j] = max(0, start[j] + random.choice((-1, 1)) * random.choice((1, 2, 3, 8, 24, 48, 120)))
    if kind == "end":
        end[j] = max(start[j], end[j] + random.choice((-1, 1, 2)))
    if start[j] >= instance.slots or end[j] > instance.slots:
        return None
    found = replace(schedule, start=start, end=end, crew=crew)
    if kind != "end":
        found_ = finished(instance, found, j)
        if found_ is None:
            return None
        found = found_
    return settled(instance, found)


def compare(made_from: Portfolio, random: Random, disturbances: int = 6) -> Counter[str]:
    c = compiled(made_from)
    schedule = decoded(c) if any(c.instance.activities) else None
    if schedule is None:
        return Counter()
    plan = build_plan(c, Solution(schedule, schedule, schedule), Settings())
    assert check_schedule(c.instance, schedule) == []
    assert told(c, plan, schedule) == set()
    seen: Counter[str] = Counter()
    for _ in range(disturbances):
        other = disturbed(c.instance, schedule, random)
        if other is None:
            continue
        fast, slow = kinds(check_schedule(c.instance, other)), told(c, plan, other)
        assert bool(fast) == bool(slow), (fast, slow)
        assert fast <= KINDS.keys()
        seen.update(fast or {"right"})
    return seen


@given(portfolios(), st.integers(0, 1000))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_both_say_the_same_of_what_is_disturbed(made_from: Portfolio, seed: int) -> None:
    compare(made_from, Random(seed))


def test_disturbed_schedules_break_every_kind_of_rule_and_none() -> None:
    seen: Counter[str] = Counter()
    for seed in (5, 12, 18, 81, 84, 105):
        seen += compare(random_portfolio(seed), Random(seed), 20)
    assert seen.pop("right") > 20
    assert sorted(seen) == [
        "environment-overload",
        "freeze",
        "not-before",
        "outside-window",
        "paused",
        "person-overload",
        "person-wip",
        "pin-start",
        "precedence",
        "projects-in-process",
        "same-person",
        "start-closed",
        "team-wip",
        "type-wip",
        "unqualified",
        "wrong-finish",
    ]


def right(made_from: Portfolio) -> tuple[Instance, Schedule]:
    c = compiled(made_from)
    schedule = decoded(c)
    assert schedule is not None
    assert check_schedule(c.instance, schedule) == []
    return c.instance, schedule


PAIR = {"needs": [{"skill": "a", "people": 2, "effort": "8h"}]}
SKILLED = {f"p{k}": {"skills": ["a"]} for k in range(3)}


def test_what_has_no_place_or_crew_is_told_alone() -> None:
    instance, schedule = right(portfolio({"A": PAIR, "B": by("p0", "9h")}, SKILLED))
    start, end, crew = schedule.start, schedule.end, schedule.crew
    cases = {
        "before-as-of": replace(schedule, start=start - 1),
        "after-horizon": replace(schedule, end=end + instance.slots),
        "crew-size": replace(schedule, crew=np.full_like(crew, -1)),
        "same-person": replace(schedule, crew=np.zeros_like(crew)),
        "unqualified": replace(schedule, crew=np.array([0, 1, 2])),
        "missing-item": replace(schedule, start=start[:1]),
    }
    assert {name: kinds(check_schedule(instance, case)) for name, case in cases.items()} == {
        name: {name} for name in cases
    }


def test_costs_are_those_of_the_ends() -> None:
    instance, schedule = right(portfolio({"A": by("p1", "4h", cost_of_delay="2/hour")}))
    assert kinds(check_schedule(instance, replace(schedule, cost=schedule.cost + 1))) == {"objective-value"}
    assert kinds(check_schedule(instance, replace(schedule, flow=0.0))) == {"flow-value"}


def test_a_breach_names_its_item_and_its_rule() -> None:
    instance, schedule = right(portfolio({"A": by("p1", "4h"), "B": by("p2", "1h", after=["A"])}, 2))
    early = replace(schedule, start=np.array([0, 2]), end=np.array([4, 3]))
    (found, *_) = check_schedule(instance, early)
    assert (found.kind, found.ids) == ("precedence", ("B", "A"))
    assert found.message == "B comes too early for its link from A"


def test_spans_that_no_portfolio_asks_for_yet() -> None:
    """Two spans of demand 2 and 3 on a limit of 4; one of 9 runs alone."""
    instance, schedule = right(portfolio({i: by(p, "4h") for i, p in (("A", "p1"), ("B", "p2"))}, 2))
    rows = np.arange(3)

    def said(demand: list[int], start: list[int]) -> set[str]:
        asked = instance.arrays._replace(
            span_ptr=rows,
            spans=rows[:2],
            demand=np.array(demand),
            span_limit=np.zeros(2, np.int64),
            begun=np.zeros(2, bool),
            limit=np.array([4]),
        )
        other = Decoder(instance, compiled=False).schedule(np.array(start), np.array(start) + 4, schedule.crew)
        return kinds(check_schedule(replace(instance, arrays=asked), other))

    assert said([2, 3], [0, 3]) == {"projects-in-process"}
    assert said([2, 3], [0, 4]) == set()
    assert said([2, 2], [0, 3]) == set()
    assert said([9, 1], [0, 3]) == {"projects-in-process"}
    assert said([9, 1], [0, 4]) == set()


def test_quotas_that_no_portfolio_asks_for_yet() -> None:
    """Three slots of one person in each ten; the second activity does not count where it is out of scope."""
    instance, schedule = right(portfolio({"A": by("p1", "2h"), "B": by("p1", "2h")}))
    bucket = np.full((1, instance.slots), -1, np.int32)
    bucket[0, :20] = np.arange(20) // 10

    def said(start: list[int], scope: list[int] | None = None) -> set[str]:
        asked = instance.arrays._replace(
            bucket=bucket,
            quota_ptr=np.array([0, 2]),
            quota=np.array([300, 300]),
            quota_bucket=np.zeros(1, np.int64),
            quota_scope=np.array([-1 if scope is None else 0]),
            scopes=np.array([scope or [1, 1]], np.uint8),
            person_quota_ptr=np.array([0, 1]),
            person_quota=np.zeros(1, np.int64),
        )
        other = Decoder(instance, compiled=False).schedule(np.array(start), np.array(start) + 2, schedule.crew)
        return kinds(check_schedule(replace(instance, arrays=asked), other))

    assert said([0, 2]) == {"quota"}
    assert said([0, 8]) == {"quota"}
    assert said([0, 9]) == set()
    assert said([0, 2], [1, 0]) == set()
    assert said([20, 22]) == set()


def test_work_is_looked_at_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many slots at once that memory stays small; the answer does not depend on how many."""
    c = compiled(random_portfolio(11, items=12))
    schedule = decoded(c)
    assert schedule is not None
    whole = worked(c.instance.arrays, schedule)
    monkeypatch.setattr("throttle.worked.FLAT", 50)
    parted = worked(c.instance.arrays, schedule)
    assert [x.tolist() for x in vars(whole).values()] == [x.tolist() for x in vars(parted).values()]
    assert check_schedule(c.instance, schedule) == []
