"""Synthetic portfolios of any size, the same for the same arguments.

One calendar that never closes, slots of an hour, nobody away: what is left is the scheduling problem itself. A scarce
skill is loaded to 95 % over ``span``; projects of 20 to 50 items in layers have a release, a due date and a cost for
each hour late. An item takes one person of each of its one or two skills for its whole duration.

    python benchmarks/portfolios.py ITEMS PEOPLE [SEED] > portfolio.json
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from throttle_models import Portfolio

Data = dict[str, Any]

SKILLS = 6
SCARCE_LOAD, OTHER_LOAD = 0.95, 0.80
LEAST_ITEMS, LEAST_PEOPLE = 1, 4
"""Two hold the scarce skill, and each other skill is held by two of the rest."""
PAIRS = 0.15
"""Share of items that take two people."""


def synthetic(items: int, people: int, seed: int = 1) -> Portfolio:
    """``items`` activities for ``people``; usual sizes are 100 for 10, 1,000 for 40 and 10,000 for 200."""
    return Portfolio.model_validate(synthetic_data(items, people, seed))


def synthetic_data(items: int, people: int, seed: int = 1) -> Data:
    """The same as plain data. The order of the draws is part of the definition: it makes the instance.

    Raises ValueError for fewer than LEAST_ITEMS or LEAST_PEOPLE.
    """
    if items < LEAST_ITEMS or people < LEAST_PEOPLE:
        raise ValueError(
            f"a portfolio needs {LEAST_ITEMS} item and {LEAST_PEOPLE} people or more, not {items}, {people}"
        )
    rng = np.random.default_rng(seed)
    scarce = max(2, people // 10)
    skills = _skills(rng, people, scarce)
    duration = np.clip(np.round(rng.lognormal(2.0, 0.7, items)), 1, 40).astype(int)
    project, before = _network(rng, items)
    projects = int(project[-1]) + 1
    needs = _needs(rng, items, people, scarce)
    span = int(sum(duration[i] for i, wanted in enumerate(needs) if wanted[0] == 0)) / (SCARCE_LOAD * scarce)
    weight = rng.choice([1, 2, 3, 5, 8], projects)
    release = np.where(rng.random(projects) < 0.6, 0, rng.uniform(0, span * 0.5, projects)).astype(int)
    chain = _chains(duration, project, before, release)
    due = np.maximum(release + (chain - release) * 1.1, rng.uniform(0.1, 0.75, projects) * span).astype(int)
    return {
        "as_of": "2026-01-05T00:00Z",
        "slot": "1h",
        "calendars": {"always": {"hours": "daily 00:00-24:00"}},
        "skills": [f"s{k}" for k in range(SKILLS)],
        "people": {f"p{i}": {"skills": [f"s{k}" for k in sorted(held)]} for i, held in enumerate(skills)},
        "projects": {
            f"P{k}": {
                "cost_of_delay": f"{weight[k]}/hour",
                "due": f"{due[k]}h",
                **({"not_before": f"{release[k]}h"} if release[k] else {}),
            }
            for k in range(projects)
        },
        "work": {
            f"i{i}": {
                "project": f"P{project[i]}",
                "duration": f"{duration[i]}h",
                "needs": [{"skill": f"s{k}"} for k in needs[i]],
                "after": [f"i{k}" for k in before[i]],
            }
            for i in range(items)
        },
    }


def _skills(rng: np.random.Generator, people: int, scarce: int) -> list[set[int]]:
    """The first people hold the scarce skill 0, half of them another; the rest one to four of the others."""
    held: list[set[int]] = []
    for person in range(people):
        if person < scarce:
            also = {int(rng.integers(1, SKILLS))} if rng.random() < 0.5 else set()
            held.append({0} | also)
        else:
            count = min(SKILLS - 1, int(rng.integers(1, 5)))
            held.append({int(k) for k in rng.choice(np.arange(1, SKILLS), size=count, replace=False)})
    for skill in range(1, SKILLS):
        while sum(skill in mine for mine in held) < 2:
            held[int(rng.integers(scarce, people))].add(skill)
    return held


def _network(rng: np.random.Generator, items: int) -> tuple[np.ndarray, list[list[int]]]:
    """The project of each item, and the items of the layer before that it waits for."""
    project = np.zeros(items, int)
    before: list[list[int]] = [[] for _ in range(items)]
    first = number = 0
    while first < items:
        size = min(int(rng.integers(20, 51)), items - first)
        if items - first - size < 10:
            size = items - first
        layer = np.sort(rng.integers(0, max(2, int(rng.integers(4, 9))), size))
        for i in range(size):
            project[first + i] = number
            near = [k for k in range(size) if layer[k] == layer[i] - 1]
            near = near or [k for k in range(i) if layer[k] < layer[i]][-3:]
            if near:
                chosen = rng.choice(near, size=min(len(near), int(rng.integers(1, 4))), replace=False)
                before[first + i] = [first + int(k) for k in chosen]
        first += size
        number += 1
    return project, before


def _needs(rng: np.random.Generator, items: int, people: int, scarce: int) -> list[list[int]]:
    """One skill for each item, a second and different one for some."""
    crew = np.where(rng.random(items) < PAIRS, 2, 1)
    share = SCARCE_LOAD * scarce / (SCARCE_LOAD * scarce + OTHER_LOAD * (people - scarce))
    needs = []
    for i in range(items):
        first = 0 if rng.random() < share * 1.15 else int(rng.integers(1, SKILLS))
        second = int(rng.integers(1, SKILLS))
        while second == first:
            second = int(rng.integers(1, SKILLS))
        needs.append([first, second][: crew[i]])
    return needs


def _chains(duration: np.ndarray, project: np.ndarray, before: list[list[int]], release: np.ndarray) -> np.ndarray:
    """When each project could be finished if people were no limit."""
    head = np.zeros(len(duration), int)
    for i, earlier in enumerate(before):
        head[i] = max((head[k] + duration[k] for k in earlier), default=release[project[i]])
    found = np.zeros(len(release), int)
    np.maximum.at(found, project, head + duration)
    return found


if __name__ == "__main__":
    print(synthetic(*map(int, sys.argv[1:])).model_dump_json(exclude_defaults=True))
