"""What the portfolios of most instances share: one calendar that never closes, slots of an hour, makespan as the cost.

A unit of an instance's time is an hour, so that the cost of a plan is the instance's objective.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from throttle_models import Portfolio

Data = dict[str, Any]

ALWAYS = "daily 00:00-24:00"
MAKESPAN: Data = {"makespan": "1/hour"}
"""A policy under which a plan costs 1 for each hour until the last item is finished."""


def always_open(work: Data, policy: Data = MAKESPAN, **parts: Data) -> Portfolio:
    """A portfolio of these items on a clock without nights. ``parts``: people, environments, projects."""
    return Portfolio.model_validate(
        {
            "as_of": "2026-01-05T00:00Z",
            "slot": "1h",
            "calendars": {"always": {"hours": ALWAYS}},
            "work": work,
            "policy": policy,
            **parts,
        }
    )


def renewables(capacities: Iterable[int]) -> Data:
    """Renewable resources as environments R1, R2 ... of these capacities."""
    return {f"R{k}": {"capacity": capacity} for k, capacity in enumerate(capacities, 1)}


def unstaffed(duration: int, demands: Sequence[int], after: Iterable[str]) -> Data:
    """An activity that needs no people: time that passes, and how much of R1, R2 ... it occupies meanwhile."""
    item: Data = {"after": list(after)}
    if duration:
        item["wait"] = f"{duration}h"
        item["environment"] = {f"R{k}": amount for k, amount in enumerate(demands, 1) if amount}
    return item


def staffed(duration: int, needs: Sequence[Data], after: Iterable[str]) -> Data:
    """An activity that people do together in so many hours; without needs, time that passes."""
    if not needs:
        return unstaffed(duration, (), after)
    return {"after": list(after), "duration": f"{duration}h", "needs": list(needs)}


def predecessors(successors: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """For each activity those that it waits for, without repetition, in the order of the file."""
    found: dict[str, dict[str, None]] = {id: {} for id in successors}
    for id, later in successors.items():
        for other in later:
            found[other][id] = None
    return {id: list(before) for id, before in found.items()}
