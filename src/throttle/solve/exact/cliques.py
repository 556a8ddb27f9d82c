"""Sets of activities of which no two can run at the same time, and the bound on the makespan that follows.

Two activities are incompatible when they take more of a resource (an environment, a set of people) than it has, or
when links order them. Cliques of that relation are found greedily, the longest activity first; whatever is in one comes
one after the other, so from the first start to the last end at least the sum of the durations passes (Brucker and
Knust, "A linear programming and constraint propagation-based lower bound for the RCPSP", 2000).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import Instance
from throttle.solve.exact.relaxed import Relaxed
from throttle.solve.features import always_open

if TYPE_CHECKING:
    from throttle.instance import Bools, Ints

MOST_ACTIVITIES = 3_000
"""Above so many, the relation (one byte for each pair) is not built."""
KEPT = 20


def incompatible(relaxed: Relaxed) -> tuple[Bools, Bools]:
    """For each pair of activities: whether a resource keeps them apart; whether that or links do."""
    n = relaxed.n
    apart = np.zeros((n, n), bool)
    for resource in relaxed.resources:
        demand = np.zeros(n, np.int64)
        demand[resource.activity] = resource.demand
        some = resource.activity
        apart[np.ix_(some, some)] |= demand[some][:, None] + demand[some][None, :] > resource.capacity
    ordered = np.zeros((n, n), bool)
    """[i, j]: j starts when i has ended, or later."""
    after: Ints = relaxed.waiter
    whole = relaxed.distance >= relaxed.duration[relaxed.awaited]
    for j in reversed(relaxed.order):
        for link in np.flatnonzero(whole & (relaxed.awaited == j)).tolist():
            ordered[j] |= ordered[after[link]]
            ordered[j, after[link]] = True
    either = apart | ordered | ordered.T
    idle = relaxed.duration == 0
    for relation in (apart, either):
        relation[idle] = False
        relation[:, idle] = False
        np.fill_diagonal(relation, False)
    return apart, either


def cliques(relaxed: Relaxed, most: int = KEPT) -> list[Ints]:
    """At most so many cliques of three or more activities, those of the largest total duration; empty if too large.

    Those that links alone make are left out: they are paths, which the links say already.
    """
    if relaxed.n > MOST_ACTIVITIES:
        return []
    apart, either = incompatible(relaxed)
    degree = either.sum(axis=1)
    found: dict[tuple[int, ...], int] = {}
    for first in range(relaxed.n):
        if not apart[first].any():
            continue
        members, left = [first], either[first].copy()
        while left.any():
            rest = np.flatnonzero(left)
            # the longest, and of these the one that leaves most others
            best = int(rest[np.lexsort((-degree[rest], -relaxed.duration[rest]))[0]])
            members.append(best)
            left &= either[best]
        if len(members) > 2:
            found[tuple(sorted(members))] = int(relaxed.duration[members].sum())
    ranked = sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))
    return [np.array(members, np.int64) for members, _ in ranked[:most]]


def clique_bound(instance: Instance) -> float:
    """A lower bound, in slots, on the end of the last activity; 0 where people or environments are ever closed.

    Least head + sum of durations + least time that must follow.
    """
    if not always_open(instance):
        return 0.0
    relaxed = Relaxed(instance)
    return float(bound_of(relaxed, cliques(relaxed)))


def bound_of(relaxed: Relaxed, found: list[Ints]) -> int:
    """The same of these cliques, and of the longest path."""
    tail = relaxed.tails()
    after = tail - relaxed.duration
    best = int((relaxed.head + tail).max(initial=0))
    for members in found:
        passes = relaxed.head[members].min() + relaxed.duration[members].sum() + after[members].min()
        best = max(best, int(passes))
    return best
