"""Limits that may be exceeded for one item or project: it neither counts against the limit nor is kept out by it."""

from __future__ import annotations

from throttle.graph import WorkGraph
from throttle_models import Portfolio
from throttle_models.policy import Override


def waived(portfolio: Portfolio, graph: WorkGraph, *limits: str) -> frozenset[str]:
    """The activities for which one of these limits does not hold; a container or project stands for all in it."""
    found: set[str] = set()
    for override in portfolio.policy.overrides:
        if override.limit in limits:
            found.update(activities_of(portfolio, graph, override))
    return frozenset(found)


def activities_of(portfolio: Portfolio, graph: WorkGraph, override: Override) -> list[str]:
    if override.item in portfolio.projects:
        return [id for id in graph.activities if graph.project_of(id) == override.item]
    return graph.activities_in(override.item)


def override_notes(portfolio: Portfolio, graph: WorkGraph) -> dict[str, str]:
    """Of each activity that an override is for, which limits do not hold for it, and why."""
    found: dict[str, list[str]] = {}
    for override in portfolio.policy.overrides:
        for id in activities_of(portfolio, graph, override):
            found.setdefault(id, []).append(f"{override.limit} does not hold for it: {override.reason}")
    return {id: "; ".join(dict.fromkeys(texts)) for id, texts in found.items()}
