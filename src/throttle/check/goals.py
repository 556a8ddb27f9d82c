"""The goals after the cost, computed from the plan and held against what the certificate says of them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from throttle.check.clock import Span, intersection, merged
from throttle.check.facts import Facts
from throttle.check.kinds import Violations, seconds
from throttle.check.money import Money
from throttle.check.schedule import Schedule
from throttle_models import Goal, Goals, Need, OrderedGoal, Plan

NAMES = (
    "cost of delay",
    "weighted flow",
    "drum hours lost",
    "drum on other work",
    "context switches",
    "work in process",
)
DAY = 86400
FIGURES, RELATIVE = 1e-3, 1e-6
"""What a figure may be off by, which is told to four decimals, and as a share of it."""


def goals(schedule: Schedule, money: Money, violations: Violations) -> None:
    """A plan tells all goals in their order, or none and why."""
    told, plan = schedule.plan.certificate.goals, schedule.plan
    if bool(told) == bool(plan.certificate.goals_note.strip()):
        message = "the certificate has all goals in their order, or says in goals_note why there are none"
        violations.add("goals", ["goals_note"], message)
    if not told or not all(at.sound for at in schedule.placed.values()):
        return
    names = tuple(goal.name for goal in told)
    if names != NAMES:
        message = f"the goals are {', '.join(NAMES)}, in this order; the certificate has {', '.join(names)}"
        violations.add("goals", list(names), message)
        return
    policy = schedule.facts.portfolio.policy.goals or Goals()
    tolerances = (policy.cost, policy.flow, policy.drum, policy.drum, policy.switches, 0.0)
    lost, diverted = _drum(schedule)
    values = (money.objective, money.flow, lost, diverted, float(_switches(schedule)), _in_process(schedule))
    seals = (plan.certificate.objective, plan.certificate.flow)
    units = (plan.currency, plan.currency, "h", "h", "switches", "item-days")
    drum = drum_of(plan, schedule.facts) is not None
    for position, (goal, exact, tolerance) in enumerate(zip(told, values, tolerances, strict=True)):
        slack = FIGURES + RELATIVE * abs(exact)
        if not abs(goal.value - exact) <= slack:
            message = f"{goal.name} is {exact:.9g} as recomputed; the certificate says {goal.value:.9g}"
            violations.add("goal-value", [goal.name], message, amount=goal.value - exact)
        if goal.tolerance != tolerance:
            message = f"of {goal.name} later goals may give up {tolerance:g}; the certificate says {goal.tolerance:g}"
            violations.add("goals", [goal.name], message)
        if not goal.value <= goal.best + tolerance * abs(goal.best) + slack:
            message = (
                f"{goal.name} is {goal.value:.9g}: later goals took more than the tolerance {tolerance:g} of the best, "
                f"{goal.best:.9g}"
            )
            violations.add("goal-tolerance", [goal.name], message, amount=goal.value - goal.best)
        if goal.alone is not None and not goal.alone <= goal.best + slack:
            message = f"{goal.name} alone is {goal.alone:.9g}, and with the goals before it less: {goal.best:.9g}"
            violations.add("goals", [goal.name], message, amount=goal.alone - goal.best)
        proof = seals[position].proved if position < len(seals) else exact <= 0 and (drum or position > 3)
        if goal.proved != proof:
            what = "is called proved, and nothing proves it" if goal.proved else "is proved, and not called so"
            violations.add("proof", [goal.name], f"{goal.name} {what}")
        if goal.unit != units[position]:
            violations.add("goals", [goal.name], f"{goal.name} is told in {units[position] or 'no unit'}")
        for what in _searched(goal, position, slack, seals[position] if position < len(seals) else None):
            violations.add("goals", [goal.name], f"{goal.name}: {what}")


def _searched(goal: OrderedGoal, position: int, slack: float, seal: Goal | None) -> Iterator[str]:
    """What a search found cannot be computed anew; but what it found first, last and alone hangs together."""
    least = seal.bound if seal is not None else 0.0
    found = {"found": goal.found, "best": goal.best, **({} if goal.alone is None else {"alone": goal.alone})}
    for what, value in found.items():
        if not least - slack <= value < math.inf:
            yield f"{what} is {value:.9g}, and no plan has less than {least:.9g}"
    if goal.best > goal.value + slack:
        yield f"the best is {goal.best:.9g}, and this plan has less, {goal.value:.9g}"
    if position < 3 and goal.best > goal.found + slack:  # of the others, an earlier goal may have taken some
        yield f"the best is {goal.best:.9g}, and the plan for the cost alone had less, {goal.found:.9g}"
    if position == 0 and seal is not None and goal.found > seal.greedy + slack:
        yield f"the search for the cost found {goal.found:.9g}, which is more than that of the greedy baseline"


def drum_of(plan: Plan, facts: Facts) -> tuple[frozenset[str], str | None] | None:
    """Whose hours count as the drum's, and the skill that names them; None where that is nobody."""
    drum, people = facts.portfolio.policy.drum, facts.portfolio.people
    if drum != "auto":
        if drum in people:
            return frozenset([drum]), None
        return frozenset(p for p, who in people.items() if drum in who.skills), drum
    if plan.pace is not None:
        return frozenset(plan.pace.people) & people.keys(), None
    if plan.drum is not None and plan.drum.kind == "skills" and plan.drum.people:
        return frozenset(plan.drum.people) & people.keys(), None
    return None


def _drum(schedule: Schedule) -> tuple[float, float]:
    """Hours that the drum loses while drum work waits for it, and those of them that go into other work."""
    facts, clock = schedule.facts, schedule.clock
    drum = drum_of(schedule.plan, facts)
    if drum is None:
        return 0.0, 0.0
    people, skill = drum

    def own(need: Need) -> bool:
        return facts.able(need) <= people or (skill is not None and need.skill == skill)

    waits: dict[str, list[Span]] = {p: [] for p in sorted(people)}
    for name in schedule.items:
        if facts.begun(name):
            continue
        dates = [clock.up(at) for _, _, at in facts.earliest(name)]
        span = max([clock.as_of, *dates]), schedule.placed[name].start
        able = {p for need, _ in facts.needs(name).values() if own(need) for p in facts.able(need)}
        for person in able & people:
            waits[person].append(span)
    lost = diverted = 0
    for person, spans in waits.items():
        if not (waiting := merged(spans)):
            continue
        mine, other = Counter[int](), Counter[int]()
        for name, first, last, position, percent in _work(schedule, person):
            need = facts.needs(name).get(position)
            into = mine if need is not None and own(need[0]) else other
            for slot in range(first, min(last, waiting[-1][1])):
                into[slot] += percent
        hours = facts.capacity.for_other_work(person) if facts.capacity.improves(person) else facts.person_time(person)
        for first, last in intersection(waiting, hours.spans(waiting[0][0], waiting[-1][1])):
            for slot in range(first, last):
                lost += max(0, 100 - mine[slot])
                diverted += other[slot]
    return lost * clock.slot / 3600 / 100, diverted * clock.slot / 3600 / 100


def _work(schedule: Schedule, person: str) -> Iterator[tuple[str, int, int, int, int]]:
    """Item, first and last slot, need, and whole per cent of the person's time, of each piece of work."""
    clock = schedule.clock
    for name, item in schedule.items.items():
        for assigned in item.assignments:
            if assigned.person == person:
                percent = math.ceil(round(assigned.allocation * 100, 6))
                for first, last in assigned.work:
                    yield name, clock.down(seconds(first)), clock.up(seconds(last)), assigned.need, percent


def _switches(schedule: Schedule) -> int:
    """How often somebody's next piece of work is of another project (of another item, where it has none)."""
    pieces: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    for name, item in schedule.items.items():
        for assigned in item.assignments:
            pieces[assigned.person] += [(seconds(first), seconds(last), name) for first, last in assigned.work]
    contexts = [[_context(schedule, name) for _, _, name in sorted(some)] for some in pieces.values()]
    return sum(one != other for some in contexts for one, other in pairwise(some))


def _in_process(schedule: Schedule) -> float:
    """Days from the start of each item to the finish of its project (of itself, where it has none)."""
    finish: dict[tuple[bool, str], float] = {}
    for name, item in schedule.items.items():
        context = _context(schedule, name)
        finish[context] = max(finish.get(context, -math.inf), seconds(item.finish))
    return sum(finish[_context(schedule, name)] - seconds(item.start) for name, item in schedule.items.items()) / DAY


def _context(schedule: Schedule, name: str) -> tuple[bool, str]:
    project = schedule.facts.project_of[name]
    return (True, project) if project is not None else (False, name)
