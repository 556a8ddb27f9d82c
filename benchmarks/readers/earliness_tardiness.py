"""RCPSP with weighted earliness and tardiness (``.dzn`` of the MiniZinc benchmarks, rcpsp-wet).

Used are n_tasks, n_res, d, rr[resource, task], rc, suc, t_max (starts lie before it) and deadline[task]: wanted start,
earliness cost and tardiness cost, for each unit of time that the task starts before or after.

Tardiness counts from finishes in a portfolio. Durations are fixed, so an item is due at its wanted start plus its
duration, and a plan costs what the starts cost. Nothing in a portfolio has a deadline either. But tasks that nothing
follows are in a project whose delay beyond the last start allowed costs more than all else together could; a plan
that costs less has obeyed t_max.
"""

from __future__ import annotations

from benchmarks.readers.minizinc import Assignments
from benchmarks.readers.portfolios import Data, always_open, predecessors, renewables, unstaffed

from throttle_models import Portfolio


def is_earliness_tardiness(text: str) -> bool:
    return "deadline" in text and "rr" in text and "rc" in text


def read_earliness_tardiness(text: str, file: str) -> Portfolio:
    """Resources become environments, tasks unstaffed items with costs. Raises InputError."""
    data = Assignments(text, file)
    count, resources = data.number("n_tasks", 1), data.number("n_res")
    durations = data.vector("d", count)
    demands = data.matrix("rr", resources, count)
    capacities = data.vector("rc", resources)
    wishes = data.matrix("deadline", count, 3)
    horizon = data.number("t_max", 1)
    successors = data.sets("suc", count, count)
    before = predecessors({str(k): map(str, later) for k, later in enumerate(successors, 1)})
    work: Data = {}
    projects: Data = {}
    prohibitive = 1 + horizon * sum(max(earliness, tardiness) for _, earliness, tardiness in wishes)
    for k, (duration, (wanted, earliness, tardiness)) in enumerate(zip(durations, wishes, strict=True), 1):
        item = unstaffed(duration, [row[k - 1] for row in demands], before[str(k)])
        costs = {"earliness": earliness, "tardiness": tardiness}
        if any(costs.values()):
            item["costs"] = {name: f"{rate}/hour" for name, rate in costs.items() if rate}
        if earliness:
            item["wanted_start"] = f"{wanted}h"
        if tardiness:
            item["due"] = f"{wanted + duration}h"
        if not successors[k - 1]:
            end = f"{horizon - 1 + duration}h"
            item["project"] = f"until {end}"
            projects[item["project"]] = {"due": end, "cost_of_delay": f"{prohibitive}/hour"}
        work[str(k)] = item
    return always_open(work, {}, environments=renewables(capacities), projects=projects)
