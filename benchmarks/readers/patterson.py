"""RCPSP in Patterson's format (``.rcp``): renewable resources, one mode, makespan.

``activities resources``, the capacities, and for each activity ``duration demands... count successors...``.
"""

from __future__ import annotations

from benchmarks.readers.numbers import Numbers
from benchmarks.readers.portfolios import always_open, predecessors, renewables, unstaffed

from throttle_models import Portfolio


def read_patterson(text: str, file: str) -> Portfolio:
    """Resources become environments, activities unstaffed items. Raises InputError."""
    numbers = Numbers(text, file)
    count, resources = numbers.take("the number of activities", 1), numbers.take("the number of resources")
    capacities = numbers.several(resources, "the capacity of a resource")
    durations, demands, successors = {}, {}, {}
    for k in range(1, count + 1):
        durations[str(k)] = numbers.take(f"the duration of activity {k}")
        demands[str(k)] = numbers.several(resources, f"a demand of activity {k}")
        later = numbers.take(f"the number of successors of activity {k}")
        successors[str(k)] = [str(s) for s in numbers.several(later, f"a successor of activity {k}", 1, count)]
    numbers.end()
    before = predecessors(successors)
    return always_open(
        {id: unstaffed(durations[id], demands[id], before[id]) for id in durations},
        environments=renewables(capacities),
    )
