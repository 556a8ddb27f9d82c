"""Multi-skill RCPSP of MSLIB (``.msrcp``; Snauwaert and Vanhoucke, EJOR 307, 2023): skill levels, makespan.

Read are the modules Project, Workforce with Skill Levels, Skill Requirements and Skill Level Requirements: an activity
takes so many people of each skill, each of them at least at one of the levels wanted. The deadlines in the Project
Module and the modules Cost, Common Resource Usage and Rework belong to extensions of the problem and are ignored.
"""

from __future__ import annotations

import re
from collections import Counter

from benchmarks.readers.numbers import Numbers, malformed
from benchmarks.readers.portfolios import Data, always_open, predecessors, staffed

from throttle_models import Portfolio

_HEADING = re.compile(r"^\s*\\\*\s*(.*?)\s*\*\\\s*$", re.MULTILINE)
MODULES = (
    "project module",
    "workforce module",
    "workforce module with skill levels",
    "skill requirements module",
    "skill level requirements module",
)
HIGHEST = 9


def read_mslib(text: str, file: str) -> Portfolio:
    """Workers become people with levels, skill requirements needs by level. Raises InputError."""
    project, holding, levels, wanted, wanted_levels = _modules(text, file)
    count = project.take("the number of activities", 1)
    people, skills = project.take("the number of people"), project.take("the number of skills")
    highest = project.take("the number of skill levels", 1, HIGHEST)
    project.several(2, "a deadline")
    durations, successors = {}, {}
    for k in range(1, count + 1):
        durations[k] = project.take(f"the duration of activity {k}")
        later = project.take(f"the number of successors of activity {k}")
        successors[str(k)] = [str(s) for s in project.several(later, f"a successor of activity {k}", 1, count)]
    project.end()
    staff: dict[str, Data] = {}
    for p in range(1, people + 1):
        held = holding.several(skills, f"a skill of person {p}", 0, 1)
        level = levels.several(skills, f"a level of person {p}", 0, highest)
        staff[f"p{p}"] = {"skills": {f"S{s + 1}": max(1, level[s]) for s in range(skills) if held[s]}}
    holding.end()
    levels.end()
    needs = {}
    for k in range(1, count + 1):
        heads = wanted.several(skills, f"the number of people of a skill for activity {k}", 0)
        needs[k] = _needs(k, heads, wanted_levels, highest)
    wanted.end()
    wanted_levels.end()
    before = predecessors(successors)
    return always_open(
        {str(k): staffed(durations[k], needs[k] if durations[k] else [], before[str(k)]) for k in durations},
        people=staff,
    )


def _needs(activity: int, heads: list[int], levels: Numbers, highest: int) -> list[Data]:
    """One need for each skill and level. The levels stand in the order of the skills; -1: it wants none."""
    what = f"a level wanted by activity {activity}"
    first = levels.take(what, -1, highest)
    count = sum(heads)
    if first < 0:
        wanted = [1] * count
    elif first == 0 or count == 0:
        levels.fail(f"{what} should be -1 where it wants nobody, and else from 1 to {highest}")
    else:
        wanted = [first, *levels.several(count - 1, what, 1, highest)]
    needs = []
    for skill, n in enumerate(heads, 1):
        for level, people in sorted(Counter(wanted[:n]).items()):
            needs.append({"skill": f"S{skill}", "level": level, "people": people})
        wanted = wanted[n:]
    return needs


def _modules(text: str, file: str) -> list[Numbers]:
    headings = list(_HEADING.finditer(text))
    found = {}
    for k, heading in enumerate(headings):
        end = headings[k + 1].start() if k + 1 < len(headings) else len(text)
        line = text.count("\n", 0, heading.end()) + 1
        found[heading[1].lower()] = Numbers(text[heading.end() : end], file, line)
    if missing := [name for name in MODULES if name not in found]:
        raise malformed(file, None, f"it has no module named {missing[0].title()}")
    return [found[name] for name in MODULES]
