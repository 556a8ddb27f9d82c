"""Calendar-aware RCPSP (JSON; Uddin, Gaber, Petitjean, Cortinovis, Data in Brief 69, 2026): shifts, skills, makespan.

All resources work the same shifts, less the lunch break and the holidays; work pauses while they are closed and goes on
afterwards. Durations are hours of work with two decimals, rounded up to whole minutes.

A task is done by one resource that holds all its skills. Where there is none, it is done by the fewest that hold them
together: the skills are split into as few parts as possible, each held whole by someone, and of such splits the one
with the most ways to staff it is taken (the first in the order of the file, where several have). The parts need
different people by themselves, since somebody who held two of them would make one part of both.

Not modelled: proficiency, efficiency and cost of resources, priorities, disruptions. Dates of tasks, which are empty in
the published files, are refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import prod
from typing import Any

from benchmarks.readers.numbers import malformed
from benchmarks.readers.portfolios import ALWAYS, MAKESPAN

from throttle_models import Portfolio

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONDAY = "2025-01-06"
"""The day on which all projects of the set begin."""
DAY = 24 * 60
MOST_SKILLS = 8
"""Of one task; above, the ways to split them are too many to look at all."""

Json = dict[str, Any]


def read_calendars(text: str, file: str) -> Portfolio:
    """Resources become people on one calendar, tasks items that pause outside of it. Raises InputError."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise malformed(file, error.lineno, f"it is no JSON: {error.msg}") from None
    try:
        return _portfolio(data, file)
    except (KeyError, TypeError, AttributeError) as error:
        raise malformed(file, None, f"it is not built as these instances are: {error!r}") from None


def _portfolio(data: Json, file: str) -> Portfolio:
    held = {r["resource_id"]: tuple(r["skills"]) for r in data["resources"]}
    before: dict[str, list[str]] = {t["task_id"]: [] for t in data["tasks"]}
    for earlier, later in data["dependencies"]:
        if earlier not in before or later not in before:
            raise malformed(file, None, f"dependency {earlier} -> {later} names a task that does not exist")
        before[later].append(earlier)
    work: dict[str, Json] = {}
    for task in data["tasks"]:
        id = task["task_id"]
        if task.get("earliest_start") is not None or task.get("deadline") is not None:
            raise malformed(file, None, f"task {id} has dates of its own, which are not read")
        able = _team(tuple(dict.fromkeys(task["required_skills"])), held)
        if able is None:
            raise malformed(file, None, f"task {id} needs a skill that nobody holds, or more than {MOST_SKILLS}")
        work[id] = {
            "duration": f"{task['duration']}h",
            "needs": [{"who": list(who)} for who in able],
            "after": list(dict.fromkeys(before[id])),
        }
    shifts, hours = _hours(data["calendar_requirements"])
    return Portfolio.model_validate(
        {
            "as_of": f"{MONDAY}T{shifts // 60:02d}:{shifts % 60:02d}Z",
            "slot": "1m",
            "calendars": {"shifts": {"hours": hours, "closed": data["calendar_requirements"].get("holidays") or []}},
            "people": {id: {"skills": list(skills)} for id, skills in held.items()},
            "work": work,
            "policy": MAKESPAN,
        }
    )


def _team(skills: tuple[str, ...], held: dict[str, tuple[str, ...]]) -> list[list[str]] | None:
    """For each member of the smallest team the people who can be it; None where there is no team."""
    if not skills:
        return [list(held)]
    if len(skills) > MOST_SKILLS:
        return None
    found: list[list[list[str]]] = []
    for split in _splits(skills):
        able = [[id for id, mine in held.items() if set(part) <= set(mine)] for part in split]
        if all(able):
            found.append(able)
    return min(found, key=lambda able: (len(able), -prod(map(len, able))), default=None)


def _splits(skills: tuple[str, ...]) -> Iterator[list[list[str]]]:
    """All ways to split the skills into parts (set partitions)."""
    if not skills:
        yield []
        return
    for split in _splits(skills[1:]):
        yield [[skills[0]], *split]
        for k, part in enumerate(split):
            yield [*split[:k], [skills[0], *part], *split[k + 1 :]]


def _hours(calendar: Json) -> tuple[int, str]:
    """The minute of the day at which the first shift begins, and the shifts without lunch as weekly hours.

    Without shifts, work never stops.
    """
    lunch = calendar.get("lunch_break")
    off = [(_minute(lunch["start"]), _minute(lunch["end"]))] if lunch else []
    off += [(a + DAY, b + DAY) for a, b in off]
    if not calendar["shifts"]:
        return 0, ALWAYS
    first, clauses = DAY, []
    for shift in calendar["shifts"]:
        a, b = _minute(shift["start"]), _minute(shift["end"])
        first = min(first, a)
        spans = [(a, b if b > a else b + DAY)]
        for x, y in off:
            spans = [s for p, q in spans for s in ((p, min(q, x)), (max(p, y), q)) if s[1] > s[0]]
        for p, q in spans:  # what is left after midnight belongs to the next day
            days = ",".join(DAYS[(day + p // DAY) % 7] for day in shift["days"])
            clauses.append(f"{days} {_clock(p % DAY)}-{_clock(q - p // DAY * DAY)}")
    return first, "; ".join(clauses)


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")[:2]
    return int(hour) * 60 + int(minute)


def _clock(minute: int) -> str:
    return "24:00" if minute == DAY else f"{minute % DAY // 60:02d}:{minute % 60:02d}"
