"""Single projects to be finished soon, made up: one that renewable resources limit, one that crews of skills limit."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.readers.portfolios import always_open, renewables, staffed, unstaffed

from throttle_models import Portfolio

Data = dict[str, Any]

RESOURCES = 4
SKILLS = 4
LAYER = 6
"""An activity waits for some of so many before it."""


def limited_by_resources(activities: int, seed: int = 1) -> Portfolio:
    """Each activity takes up to 10 units of two of four resources; about four fit side by side."""
    dice = random.Random(seed)
    work: Data = {}
    for k in range(activities):
        demands = [0] * RESOURCES
        for resource in dice.sample(range(RESOURCES), 2):
            demands[resource] = dice.randint(1, 10)
        work[str(k)] = unstaffed(dice.randint(1, 10), demands, _before(dice, k))
    return always_open(work, environments=renewables([12] * RESOURCES))


def limited_by_crews(activities: int, people: int, seed: int = 1) -> Portfolio:
    """Each activity takes one to three people of each of two skills; a person holds two of four."""
    dice = random.Random(seed)
    held = {f"p{i}": {"skills": [f"S{(i + d) % SKILLS}" for d in (0, 1 + i // SKILLS % 3)]} for i in range(people)}
    work: Data = {}
    for k in range(activities):
        skills = dice.sample(range(SKILLS), 2)
        needs = [{"skill": f"S{s}", "people": dice.randint(1, 3)} for s in skills]
        work[str(k)] = staffed(dice.randint(1, 10), needs, _before(dice, k))
    return always_open(work, people=held)


def _before(dice: random.Random, k: int) -> list[str]:
    near = range(max(0, k - LAYER), k)
    return [str(i) for i in dice.sample(near, min(len(near), dice.randint(0, 3)))]
