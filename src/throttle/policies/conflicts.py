"""Changes on services near to each other in the service graph never overlap (docs/plan.md, Changes)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from throttle.primitives import Draft
from throttle_models import Portfolio


def restrict(draft: Draft) -> None:
    """Groups of changes any two of which are near: one at a time of each. Every pair that is near is within one."""
    hops = draft.portfolio.policy.conflict_hops
    if hops is None:
        return
    touching: dict[str, list[str]] = {}
    for id in draft.number:
        change = draft.portfolio.work[id].change
        for service in dict.fromkeys(change.services) if change else ():
            touching.setdefault(service, []).append(id)
    groups = _largest(
        {draft.number[id] for service in services for id in touching.get(service, ())}
        for services in near_services(neighbours(draft.portfolio), hops)
    )
    for group in groups:
        draft.add.in_process(1, group, any(draft.exempt[j] for j in group), "policy.conflict_hops")


def neighbours(portfolio: Portfolio) -> dict[str, tuple[str, ...]]:
    """Of each service those that it depends on and those that depend on it."""
    found: dict[str, dict[str, None]] = {service: {} for service in portfolio.services}
    for service, entry in portfolio.services.items():
        for other in entry.depends_on:
            if other != service:
                found[service][other] = None
                found[other][service] = None
    return {service: tuple(others) for service, others in found.items()}


def distances(portfolio: Portfolio, hops: int) -> dict[str, dict[str, int]]:
    """Of each service those at most so many hops away, itself too, with the number of hops."""
    graph = neighbours(portfolio)
    found = {}
    for service in graph:
        away, edge = {service: 0}, [service]
        for hop in range(1, hops + 1):
            edge = [other for at in edge for other in graph[at] if other not in away]
            away |= dict.fromkeys(edge, hop)
        found[service] = away
    return found


def near_services(graph: Mapping[str, tuple[str, ...]], hops: int) -> Iterator[tuple[str, ...]]:
    """Sets of services of which any two are at most so many hops (0 to 2) apart; every such pair is within one of them.

    0: each service. 1: cliques grown around each link that none has yet. 2: each service with its neighbours, since two
    services are within two hops exactly where both are, or are next to, one service.
    """
    if hops == 0:
        yield from ((service,) for service in graph)
    elif hops == 2:
        yield from ((service, *others) for service, others in graph.items())
    else:
        adjacent = {service: set(others) for service, others in graph.items()}
        covered: set[tuple[str, str]] = set()
        for service, others in graph.items():
            if not others:
                yield (service,)
            for other in others:
                if (service, other) not in covered:
                    clique = [service, other]
                    clique += _common(graph, adjacent, clique)
                    covered.update((one, two) for one in clique for two in clique)
                    yield tuple(clique)


def _common(graph: Mapping[str, tuple[str, ...]], adjacent: Mapping[str, set[str]], clique: list[str]) -> list[str]:
    """Services that make a clique larger, chosen greedily."""
    found: list[str] = []
    for service in graph[clique[0]]:
        if service not in clique and all(service in adjacent[member] for member in (*clique, *found)):
            found.append(service)
    return found


def _largest(groups: Iterable[set[int]]) -> list[list[int]]:
    """Those of at least two that are within no other one, each sorted."""
    kept: list[set[int]] = []
    holders: dict[int, list[int]] = {}
    for group in sorted(groups, key=lambda g: (-len(g), sorted(g))):
        if len(group) < 2:
            break
        rarest = min(group, key=lambda j: (len(holders.get(j, ())), j))
        if not any(group <= kept[k] for k in holders.get(rarest, ())):
            for j in group:
                holders.setdefault(j, []).append(len(kept))
            kept.append(group)
    return [sorted(group) for group in kept]
