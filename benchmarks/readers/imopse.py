"""Multi-skill RCPSP of iMOPSE (``.def``; Myszkowski et al., Soft Computing 19, 2015): skill levels, makespan.

A task takes one resource that holds its skill at least at its level, from start to finish. Levels begin at 0 in the
files and at 1 in a portfolio. Salaries belong to another objective and are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.readers.numbers import malformed
from benchmarks.readers.portfolios import Data, always_open, staffed

from throttle_models import Portfolio

_SKILL = re.compile(r"Q(\d+)\s*:\s*(\d+)")
# numbers end in white space or with the row, so that there is one way to read them
_RESOURCE = re.compile(r"\s*(\d+)\s+(\d+(?:\.\d+)?)\s+((?:Q\d+\s*:\s*\d+(?:\s+|$))+)")
_TASK = re.compile(r"\s*(\d+)\s+(\d+)\s+((?:Q\d+\s*:\s*\d+(?:\s+|$))+)((?:\d+(?:\s+|$))*)")
HIGHEST = 8
"""A portfolio has nine levels."""


def read_imopse(text: str, file: str) -> Portfolio:
    """Resources become people with levels, tasks items that one of them does. Raises InputError."""
    people: dict[str, Data] = {}
    for line, row in _table(text, "ResourceID", file):
        match = _RESOURCE.fullmatch(row)
        if not match:
            raise malformed(file, line, "a resource is its number, a salary and skills such as Q0: 1")
        if f"p{match[1]}" in people:
            raise malformed(file, line, f"resource {match[1]} is there twice")
        people[f"p{match[1]}"] = {"skills": _skills(match[3], line, file)}
    rows: dict[str, tuple[int, re.Match[str]]] = {}
    for line, row in _table(text, "TaskID", file):
        match = _TASK.fullmatch(row)
        if not match:
            raise malformed(file, line, "a task is its number, a duration, a skill such as Q0: 1, and its predecessors")
        if match[1] in rows:
            raise malformed(file, line, f"task {match[1]} is there twice")
        rows[match[1]] = line, match
    if not rows:
        raise malformed(file, None, "it has no task")
    work = {}
    for id, (line, match) in rows.items():
        before = list(dict.fromkeys(match[4].split()))
        if unknown := [p for p in before if p not in rows]:
            raise malformed(file, line, f"task {id} waits for {unknown[0]}, which is no task")
        wanted = _skills(match[3], line, file)
        if len(wanted) == 1:
            need = {"skill": next(iter(wanted)), "level": next(iter(wanted.values()))}
        else:  # one resource holds all
            able = [p for p, who in people.items() if all(who["skills"].get(s, 0) >= n for s, n in wanted.items())]
            if not able:
                raise malformed(file, line, f"no resource holds all skills of task {id}")
            need = {"who": able}
        duration = int(match[2])
        work[id] = staffed(duration, [need] if duration else [], before)
    for what, found in (("Resources", len(people)), ("Tasks", len(rows))):
        said = re.search(rf"^{what}:\s*(\d+)", text, re.MULTILINE)
        if said and int(said[1]) != found:
            raise malformed(file, None, f"its head announces {said[1]} {what.lower()}, but it has {found}")
    return always_open(work, people=people)


def _table(text: str, heading: str, file: str) -> Iterator[tuple[int, str]]:
    """The rows under a heading with their lines, up to the next rule of equals signs."""
    lines = text.splitlines()
    first = next((k for k, line in enumerate(lines, 1) if line.split()[:1] == [heading]), None)
    if first is None:
        raise malformed(file, None, f"it has no table that begins with {heading}")
    for k, line in enumerate(lines[first:], first + 1):
        if line.startswith("==="):
            return
        if line.strip():
            yield k, line


def _skills(text: str, line: int, file: str) -> dict[str, int]:
    found = {f"Q{skill}": int(level) for skill, level in _SKILL.findall(text)}
    if (highest := max(found.values())) > HIGHEST:
        raise malformed(file, line, f"level {highest} is above {HIGHEST}, the highest that can be read")
    return {skill: level + 1 for skill, level in found.items()}
