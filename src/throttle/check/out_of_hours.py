"""Limits on what people do outside their calendars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from throttle.check.facts import Facts
from throttle.check.kinds import Violations, seconds
from throttle.check.schedule import Schedule

SHARES = 1e-6
"""What a sum of allocations may be off by, in slots."""


def out_of_hours(schedule: Schedule, violations: Violations) -> None:
    """In no ISO week, and for no item, more than a person's limit."""
    facts, slot = schedule.facts, schedule.clock.slot
    limits = {
        name: person.out_of_hours.limit.total_seconds() / slot
        for name, person in facts.portfolio.people.items()
        if person.out_of_hours is not None
    }
    if not limits:
        return
    by_week: dict[tuple[str, str], float] = defaultdict(float)
    items: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, item in schedule.items.items():
        for assigned in item.assignments:
            who = assigned.person
            if who not in limits or facts.shift(name, who, schedule.placed[name].start) != "out of hours":
                continue
            total = 0.0
            for week, slots in _by_week(facts, assigned.work):
                by_week[who, week] += slots * assigned.allocation
                total += slots * assigned.allocation
                items[who, week].append(name)
            if total > limits[who] + SHARES:
                hours = total * slot / 3600
                message = f"{who} does {hours:g} h of {name} outside the calendar; the limit is "
                message += f"{limits[who] * slot / 3600:g} h"
                violations.add("out-of-hours", [who, name], message, seconds(item.start), hours)
    for (who, week), total in by_week.items():
        if total > limits[who] + SHARES:
            hours, most = total * slot / 3600, limits[who] * slot / 3600
            message = f"{who} works {hours:g} h outside the calendar in {week}; the limit is {most:g} h"
            about = dict.fromkeys(items[who, week])
            violations.add("out-of-hours", [who, *about], message, amount=hours - most)


def _by_week(facts: Facts, work: Iterable[tuple[datetime, datetime]]) -> list[tuple[str, int]]:
    """Slots of pieces of work by the ISO week in which each slot begins."""
    clock = facts.clock
    found: dict[str, int] = defaultdict(int)
    for a, b in work:
        for at in range(clock.down(seconds(a)), clock.up(seconds(b))):
            found[clock.week(at * clock.slot)] += 1
    return list(found.items())
