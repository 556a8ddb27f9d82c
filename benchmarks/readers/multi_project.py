"""Resource-constrained multi-project scheduling (``.rcmp`` of MPSPLIB and RCMPSPLIB): total makespan.

Projects, resources, capacities; for each project its activities and release date, a line of 0 and 1 for the resources
that it uses, and for each activity ``duration demands... count successors...``, a successor being ``project:activity``.
A resource is global if several projects use it; that needs no word in a portfolio.
"""

from __future__ import annotations

from benchmarks.readers.numbers import Numbers, malformed
from benchmarks.readers.portfolios import always_open, predecessors, renewables, unstaffed

from throttle_models import Portfolio


def read_multi_project(text: str, file: str) -> Portfolio:
    """Projects become projects with their release as ``not_before``, resources environments. Raises InputError."""
    numbers = Numbers(text, file)
    count, resources = numbers.take("the number of projects", 1), numbers.take("the number of resources")
    capacities = numbers.several(resources, "the capacity of a resource")
    projects, durations, demands = {}, {}, {}
    links: list[tuple[str, int, int, int]] = []
    sizes: list[int] = []
    for p in range(1, count + 1):
        sizes.append(numbers.take(f"the number of activities of project {p}", 1))
        release = numbers.take(f"the release date of project {p}")
        projects[f"P{p}"] = {"not_before": f"{release}h"} if release else {}
        numbers.several(resources, f"whether project {p} uses a resource", 0, 1)
        for k in range(1, sizes[-1] + 1):
            id = f"P{p}.{k}"
            durations[id] = numbers.take(f"the duration of activity {id}")
            demands[id] = numbers.several(resources, f"a demand of activity {id}")
            for _ in range(numbers.take(f"the number of successors of activity {id}")):
                later, line = numbers.pair(f"successor of activity {id}"), numbers.line
                links.append((id, *later, line))
    numbers.end()
    successors: dict[str, list[str]] = {id: [] for id in durations}
    for id, p, k, line in links:
        if not (1 <= p <= count and 1 <= k <= sizes[p - 1]):
            raise malformed(file, line, f"{p}:{k}, a successor of activity {id}, is no activity")
        successors[id].append(f"P{p}.{k}")
    before = predecessors(successors)
    return always_open(
        {id: {"project": id.split(".")[0], **unstaffed(durations[id], demands[id], before[id])} for id in durations},
        environments=renewables(capacities),
        projects=projects,
    )
