"""Calm: the frozen zone, what moving planned starts costs, and the list of what moved."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping

from throttle.check.facts import Facts
from throttle.check.kinds import Violations, clock_text, seconds
from throttle.check.schedule import Schedule
from throttle_models import Plan, Planned, PlannedItem, Status

WEEK = 7 * 86400
FIGURES = 1e-6
"""What money may be off by: it is told to six decimals."""


def moving_cost(facts: Facts, items: Mapping[str, PlannedItem]) -> float:
    """What it costs that work still to begin does not start when it was planned to."""
    stability = facts.portfolio.policy.stability
    if stability is None or not stability.move:
        return 0.0
    as_of, total = facts.clock.as_of * facts.clock.slot, 0.0
    for name, planned in _to_begin(facts):
        if name in items and not planned.frozen:
            wanted = max(as_of, facts.clock.moment(planned.start))
            weeks_off = math.floor((wanted - as_of) / WEEK + FIGURES / WEEK)
            rate = stability.move / min(10, 1 + weeks_off)
            total += rate * abs(seconds(items[name].start) - wanted) / WEEK
    return total


def stability(schedule: Schedule, violations: Violations) -> None:
    """Of a replan; what a file says of starts without an earlier plan only costs."""
    if schedule.plan.previous is not None and schedule.facts.portfolio.planned:
        _zone(schedule.facts, violations)
        _moves(schedule.plan, schedule, violations)


def _to_begin(facts: Facts) -> Iterator[tuple[str, Planned]]:
    for name, planned in facts.portfolio.planned.items():
        if name in facts.work and facts.work[name].status is Status.OPEN:
            yield name, planned


def _zone(facts: Facts, violations: Violations) -> None:
    """What was to start within the frozen zone is held, pinned, or says why not; what is held lies within it."""
    rule = facts.portfolio.policy.stability
    zone = rule.frozen.total_seconds() if rule else 0.0
    as_of = facts.clock.as_of * facts.clock.slot
    activities = set(facts.activities)
    for name, planned in _to_begin(facts):
        at = facts.clock.moment(planned.start)
        inside = as_of <= at < as_of + zone
        if planned.frozen and not inside:
            violations.add("frozen-zone", [name], f"{name} is held, and was not to start within the frozen zone", at)
        pinned = any(pin.work == name for pin in facts.portfolio.policy.pins)
        free = facts.held(name) or name not in activities or pinned
        if inside and not (planned.frozen or planned.why.strip() or free):
            message = f"{name} was to start within the frozen zone; it is not held, and nothing says why"
            violations.add("frozen-zone", [name], message, at)


def _moves(plan: Plan, schedule: Schedule, violations: Violations) -> None:
    """Every start that is not as it was is told, with words; the others are counted."""
    told = plan.previous
    assert told is not None
    listed = {move.item: move for move in told.moves}
    for name, count in Counter(move.item for move in told.moves).items():
        if count > 1:
            violations.add("moves", [name], f"{name} is among the moved starts {count} times", amount=count - 1)
    kept = frozen = 0
    for name, planned in _to_begin(schedule.facts):
        if name not in schedule.items:
            continue
        was, is_ = schedule.facts.clock.moment(planned.start), seconds(schedule.items[name].start)
        frozen += planned.frozen and not any(p.work == name for p in schedule.facts.portfolio.policy.pins)
        kept += was == is_
        move = listed.get(name)
        if was == is_ and move is not None:
            violations.add("moves", [name], f"{name} starts when it was to, and is among the moved starts", is_)
        if was != is_ and move is None:
            message = (
                f"{name} was to start at {clock_text(was)}, starts at {clock_text(is_)}, and is not among the moves"
            )
            violations.add("moves", [name], message, is_, (is_ - was) / 3600)
        elif was != is_ and move is not None:
            now = None if move.now is None else seconds(move.now)
            if (seconds(move.before), now) != (was, is_) or not move.reason.strip():
                message = f"the move of {name} is not from {clock_text(was)} to {clock_text(is_)}, or has no words"
                violations.add("moves", [name], message, is_)
    cost = moving_cost(schedule.facts, schedule.items)
    for what, number, right in (("kept", told.kept, kept), ("frozen", told.frozen, frozen), ("cost", told.cost, cost)):
        if not math.isclose(number, right, rel_tol=1e-9, abs_tol=FIGURES):
            message = f"the {what} of the replan is {right:.9g}; the plan says {number:.9g}"
            violations.add("moves", [what], message, amount=number - right)
