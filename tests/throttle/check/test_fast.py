"""The checker on arrays is held to the independent one: both say the same of schedules that are right, and disturbed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from support.cases import compiled
from support.portfolios import portfolios
from throttle.check import KINDS
from throttle.check.facts import Facts
from throttle.check.fast import Broken, check_schedule
from throttle.check.kinds import Violations
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

DISTURBANCES = 6


def decoded(c: Compiled) -> Schedule | None:
    return Decoder(c.instance, compiled=False).decode(first_come(Order(c.instance))).schedule


def kinds(found: list[Broken]) -> set[str]:
    return {b.kind for b in found}


def told(c: Compiled, plan: Plan, schedule: Schedule) -> set[str]:
    """What the independent checker says of the schedule, lifted."""
    violations = Violations()
    Rules(plan.model_copy(update={"items": lift(c, schedule)}), Facts(c.portfolio), violations).check()
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


def compare(made_from: Portfolio, random: Random) -> Counter[str]:
    c = compiled(made_from)
    schedule = decoded(c) if any(c.instance.activities) else None
    if schedule is None:
        return Counter()
    plan = build_plan(c, Solution(schedule, schedule, schedule), Settings())
    assert check_schedule(c.instance, schedule) == []
    assert told(c, plan, schedule) == set()
    seen: Counter[str] = Counter()
    for _ in range(DISTURBANCES):
        other = disturbed(c.instance, schedule, random)
        if other is None:
            continue
        fast, slow = kinds(check_schedule(c.instance, other)), told(c, plan, other)
        assert bool(fast) == bool(slow), (fast, slow)
        assert fast <= KINDS.keys()
        seen.update(fast or {"right"})
    return seen


@given(portfolios(), st.integers(0, 1000))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_both_say_the_same_of_what_is_disturbed(made_from: Portfolio, seed: int) -> None:
    compare(made_from, Random(seed))
