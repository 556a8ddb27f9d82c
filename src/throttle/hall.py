"""Load by sets of people whose skills overlap: which sets have the most work of their own for their hours.

load(S) = work that only people in S can do / hours of S. By Hall's condition (Hall 1935) all work fits into the hours
if and only if no set has a load above 1. In terms of needs K (skill, level, named people), it is the work of K / the
hours of everyone who can do any of K; the sets with the most load are the same. A sum for each person misses them: it
cannot say whose hours shared work takes.

The sets come from one parametric minimum cut: at a level L, the set that has the most work above L times its hours
(Picard, "Maximal closure of a graph", 1976). Splitting at the average load of what is left, again and again, gives all
levels at which the set changes (Fujishige, "Lexicographically optimal base of a polymatroid", 1980). It is also the
most even way to share all work: nobody's level can fall without that of someone of the same or a higher level rising.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Work = Mapping[frozenset[str], float]
"""Person-hours by the people who can do them."""
PRECISION = 2.0**45
"""Whole units that all work counts as in a cut."""
SAME = 1e-9
"""Relative difference up to which two loads are one."""


@dataclass(frozen=True)
class TightSet:
    """People who share work, directly or through others, and the work that is theirs at their level."""

    people: frozenset[str]
    able: tuple[frozenset[str], ...]
    """The keys of the work counted, in the order given."""
    work: float
    hours: float

    @property
    def load(self) -> float:
        return self.work / self.hours


def most_loaded(work: Work, hours: Mapping[str, float]) -> TightSet | None:
    """The set of people with the largest load; None where nobody with hours has work.

    Of several with the same load, those who share work are one set, and the one with the most work is taken.
    """
    network = _Network.of(work, hours)
    return min(network.densest(), key=_rank) if network else None


def levels(work: Work, hours: Mapping[str, float]) -> tuple[TightSet, ...]:
    """All work and people in sets that do not overlap, the most loaded first.

    The work of a set is what only they, or they and people who are more loaded, can do.
    """
    network = _Network.of(work, hours)
    if network is None:
        return ()
    found = [tight for part in network.split() for tight in part.tight_sets()]
    return tuple(sorted(found, key=_rank))


def without_hours(work: Work, hours: Mapping[str, float]) -> tuple[frozenset[str], ...]:
    """The keys of work that nobody who has hours can do: no load, however large, tells of it."""
    return tuple(able for able, w in work.items() if w > 0 and not any(hours.get(p, 0.0) > 0 for p in able))


def _rank(tight: TightSet) -> tuple[float, float, tuple[str, ...]]:
    return -round(tight.load, 9), -tight.work, tuple(sorted(tight.people))


@dataclass(frozen=True)
class _Network:
    """Work on one side, people on the other; people who can do the same work are one node."""

    work: list[float]
    reach: list[tuple[int, ...]]
    """Nodes of people who can do each piece of work; at least one."""
    hours: list[float]
    people: list[tuple[str, ...]]
    able: list[tuple[frozenset[str], ...]]
    """Keys of each piece of work."""

    @classmethod
    def of(cls, work: Work, hours: Mapping[str, float]) -> _Network | None:
        nobody = set(without_hours(work, hours))
        keys = [able for able, w in work.items() if w > 0 and able not in nobody]
        can: dict[str, list[int]] = {}
        for k, able in enumerate(keys):
            for person in able:
                if hours.get(person, 0.0) > 0:
                    can.setdefault(person, []).append(k)
        alike: dict[tuple[int, ...], list[str]] = {}
        for person in sorted(can):
            alike.setdefault(tuple(can[person]), []).append(person)
        reach: list[list[int]] = [[] for _ in keys]
        for node, of in enumerate(alike):
            for k in of:
                reach[k].append(node)
        if not keys:
            return None
        return cls(
            [work[able] for able in keys],
            [tuple(nodes) for nodes in reach],
            [sum(hours[p] for p in people) for people in alike.values()],
            [tuple(people) for people in alike.values()],
            [(able,) for able in keys],
        )

    def densest(self) -> tuple[TightSet, ...]:
        """The sets of the highest level (Dinkelbach's method, "On nonlinear fractional programming", 1967)."""
        at = self
        while (inside := at.above(at.average)) is not None:
            at = at.part(inside)
        return at.tight_sets()

    def split(self) -> Iterable[_Network]:
        """Networks of one level each, the highest first."""
        stack = [self]
        while stack:
            at = stack.pop()
            inside = at.above(at.average)
            if inside is None:
                yield at
            else:
                stack += [at.without(inside), at.part(inside)]

    @property
    def average(self) -> float:
        return sum(self.work) / sum(self.hours)

    def above(self, level: float) -> set[int] | None:
        """The nodes of people with the most work of their own above ``level`` x hours; None where there is no such."""
        from ortools.graph.python.max_flow import SimpleMaxFlow

        pieces, nodes = len(self.work), len(self.hours)
        unit = PRECISION / sum(self.work)
        work = np.rint(np.array(self.work) * unit).astype(np.int64)
        source, sink = pieces + nodes, pieces + nodes + 1
        ends = np.array([(k, node) for k, some in enumerate(self.reach) for node in some], np.int64).reshape(-1, 2)
        tails = np.concatenate([np.full(pieces, source), ends[:, 0], pieces + np.arange(nodes)])
        heads = np.concatenate([np.arange(pieces), pieces + ends[:, 1], np.full(nodes, sink)])
        room = np.rint(np.array(self.hours) * level * unit).astype(np.int64)
        flow = SimpleMaxFlow()
        flow.add_arcs_with_capacity(
            tails.astype(np.int32), heads.astype(np.int32), np.concatenate([work, work[ends[:, 0]], room])
        )
        if flow.solve(source, sink) != flow.OPTIMAL:
            raise ArithmeticError("a cut of the loads was not found")
        inside = {v - pieces for v in flow.get_source_side_min_cut() if pieces <= v < source}
        if not inside or len(inside) == nodes:
            return None
        own = sum(w for w, some in zip(self.work, self.reach, strict=True) if inside.issuperset(some))
        # a set above the average by less than what rounding may do is no level of its own
        return inside if own > level * sum(self.hours[v] for v in inside) * (1 + SAME) else None

    def part(self, inside: set[int]) -> _Network:
        """Those people alone, with the work that only they can do."""
        kept = [k for k, some in enumerate(self.reach) if inside.issuperset(some)]
        return self._of(kept, sorted(inside))

    def without(self, inside: set[int]) -> _Network:
        """The others, with all that they can do."""
        kept = [k for k, some in enumerate(self.reach) if not inside.issuperset(some)]
        return self._of(kept, [v for v in range(len(self.hours)) if v not in inside])

    def _of(self, pieces: Sequence[int], nodes: Sequence[int]) -> _Network:
        number = {v: k for k, v in enumerate(nodes)}
        return _Network(
            [self.work[k] for k in pieces],
            [tuple(number[v] for v in self.reach[k] if v in number) for k in pieces],
            [self.hours[v] for v in nodes],
            [self.people[v] for v in nodes],
            [self.able[k] for k in pieces],
        )

    def tight_sets(self) -> tuple[TightSet, ...]:
        """The parts that share nothing, each with work."""
        root = list(range(len(self.hours)))

        def find(v: int) -> int:
            while root[v] != v:
                root[v] = root[root[v]]
                v = root[v]
            return v

        for some in self.reach:
            for v in some[1:]:
                root[find(v)] = find(some[0])
        pieces: dict[int, list[int]] = {}
        for k, some in enumerate(self.reach):
            pieces.setdefault(find(some[0]), []).append(k)
        return tuple(
            TightSet(
                people=frozenset(p for v in range(len(self.hours)) if find(v) == of for p in self.people[v]),
                able=tuple(able for k in own for able in self.able[k]),
                work=sum(self.work[k] for k in own),
                hours=sum(self.hours[v] for v in range(len(self.hours)) if find(v) == of),
            )
            for of, own in pieces.items()
        )
