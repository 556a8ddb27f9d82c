"""What policies add to an instance: capacities, spans under limits, quotas; each becomes rows of its arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from throttle.errors import InputError
from throttle_models import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.calendars import Calendars, Grid
    from throttle.graph import WorkGraph
    from throttle.instance import Ints
    from throttle.policies.drum import DrumWork
    from throttle_models import Portfolio

Edges = Sequence[tuple[int, int, int, int, int]]
"""(before, after, type, lag, kind of lag) by activity number."""


@dataclass(frozen=True)
class Span:
    """A group of activities, from its first start to its last end, under a limit."""

    name: str
    members: Sequence[int]
    demand: int = 1
    begun: bool = False


@dataclass(frozen=True)
class Quota:
    """Most work of some people in each bucket of time."""

    bucket: NDArray[np.int32]
    """Of each slot the number of its bucket, or -1 where nothing counts."""
    most: Ints
    """Of each bucket, in hundredths of a slot of one person."""
    people: Sequence[int]
    counts: Sequence[int] | None = None
    """The activities that count, or None for all."""


@dataclass
class Primitives:
    """Collects them; each method may be called any number of times, and what is not used costs nothing."""

    n: int
    people: int
    slots: int
    capacities: list[int]
    """Those of the environments at first."""
    uses: list[dict[int, int]]
    """Of each activity, row of ``capacities`` to amount."""
    limits: list[tuple[int, Sequence[Span], str]] = field(default_factory=list)
    quotas: list[Quota] = field(default_factory=list)
    batches: list[tuple[int, int, Mapping[int, int]]] = field(default_factory=list)
    counted: dict[int, str] = field(default_factory=dict)
    """Rows of ``capacities`` that limit work in process, with what says so."""
    exceeded: set[int] = field(default_factory=set)
    """Those of them that what is in progress counts in from as-of, and may exceed."""
    teams: list[tuple[int, Sequence[int], str]] = field(default_factory=list)
    waivers: dict[int, list[int]] = field(default_factory=dict)

    def in_process(self, most: int, members: Sequence[int], begun: bool, field: str) -> None:
        """At most so many of these activities begun and unfinished; begun: some are in progress, and may be more."""
        self.counted[len(self.capacities)] = field
        if begun:
            self.exceeded.add(len(self.capacities))
        self.capacity(most, dict.fromkeys(members, 1))

    def team(self, most: int, people: Sequence[int], field: str) -> int:
        """At most so many items begun on any of these people, an item once; nobody is in two teams. Returns the holder
        that ``waive`` takes; those below the number of people are people."""
        self.teams.append((most, people, field))
        return self.people + len(self.teams) - 1

    def waive(self, activities: Iterable[int], holder: int) -> None:
        """The limit of a person or team does not count these, nor keep them out."""
        for j in activities:
            self.waivers.setdefault(j, []).append(holder)

    def capacity(self, amount: int, uses: Mapping[int, int]) -> None:
        """A renewable capacity that activities take from start to finish."""
        for activity, taken in uses.items():
            self.uses[activity][len(self.capacities)] = taken
        self.capacities.append(amount)

    def limit(self, amount: int, spans: Sequence[Span], field: str) -> None:
        """Most demand of these spans in process whenever one of them starts; ``field`` is what says so.

        Activities ask to be let in by the limits in the order of these calls, so what a span waits for is never
        beyond a later limit.
        """
        self.limits.append((amount, spans, field))

    def quota(self, quota: Quota) -> None:
        self.quotas.append(quota)

    def batch(self, most: int, occurrences: int, amounts: Mapping[int, int]) -> None:
        """Most of the sum of these amounts in each of so many occurrences of a window that all of them have."""
        self.batches.append((most, occurrences, amounts))

    def arrays(self, edges: Edges) -> dict[str, NDArray[Any]]:
        """The arrays of an instance that these make. Raises InputError where spans that wait for each other are more
        than their limit."""
        return self._uses() | self._holders() | self._spans(edges) | self._buckets() | self._batches()

    def _uses(self) -> dict[str, NDArray[Any]]:
        return {
            "use_ptr": pointers([len(u) for u in self.uses]),
            "use": ints([row for u in self.uses for row in u]),
            "amount": ints([amount for u in self.uses for amount in u.values()]),
            "capacity": ints(self.capacities),
            "in_process": np.array([row in self.exceeded for row in range(len(self.capacities))], bool),
        }

    def _holders(self) -> dict[str, NDArray[Any]]:
        team = np.full(self.people, -1, np.int64)
        for row, (_, people, _) in enumerate(self.teams):
            team[list(people)] = row
        waived = [self.waivers.get(j, []) for j in range(self.n)]
        return {
            "team": team,
            "team_wip": ints([most for most, _, _ in self.teams]),
            "waived_ptr": pointers([len(some) for some in waived]),
            "waived": ints([holder for some in waived for holder in some]),
        }

    def _spans(self, edges: Edges) -> dict[str, NDArray[Any]]:
        spans = [(row, span) for row, (_, some, _) in enumerate(self.limits) for span in some]
        of: list[list[int]] = [[] for _ in range(self.n)]
        for s, (_, span) in enumerate(spans):
            for j in span.members:
                of[j].append(s)
        before, knot = self._letting_in(edges, spans, of)
        return {
            "span_ptr": pointers([len(some) for some in of]),
            "spans": ints([s for some in of for s in some]),
            "demand": ints([span.demand for _, span in spans]),
            "span_limit": ints([row for row, _ in spans]),
            "begun": np.array([span.begun for _, span in spans], bool),
            "before_ptr": pointers([len(some) for some in before]),
            "before": ints([s for some in before for s in some]),
            "knot": ints(knot),
            "limit": ints([amount for amount, _, _ in self.limits]),
        }

    def _letting_in(
        self, edges: Edges, spans: list[tuple[int, Span]], of: list[list[int]]
    ) -> tuple[list[list[int]], list[int]]:
        """For each span those that must be let in before it, and the number of the knot that is let in together.

        A span waits for those of what its members wait for, under its own limit or an earlier one.
        """
        if not spans:
            return [], []
        import networkx as nx

        reached = self._reached(edges, of)
        graph: nx.DiGraph[int] = nx.DiGraph()
        graph.add_nodes_from(range(len(spans)))
        rows = [row for row, _ in spans]
        for s, (row, span) in enumerate(spans):
            bits = 0
            for j in span.members:
                bits |= reached[j]
            graph.add_edges_from((q, s) for q in _bits(bits) if q != s and rows[q] <= row)
        numbers = list(range(len(spans)))
        before: list[list[int]] = [[] for _ in spans]
        condensed = nx.condensation(graph)
        for number in nx.topological_sort(condensed):
            knot = sorted(condensed.nodes[number]["members"])
            earlier = sorted({q for other in condensed.predecessors(number) for q in condensed.nodes[other]["members"]})
            for s in knot:
                before[s], numbers[s] = earlier, knot[0]
            self._refuse([spans[s] for s in knot])
        return before, numbers

    def _reached(self, edges: Edges, of: list[list[int]]) -> list[int]:
        """Of each activity, as bits, the spans of it and of all that it waits for, however far."""
        waiting: list[list[int]] = [[] for _ in range(self.n)]
        waits = [0] * self.n
        for before, after, *_ in edges:
            waiting[before].append(after)
            waits[after] += 1
        found = [sum(1 << s for s in some) for some in of]
        ready = [j for j in range(self.n) if waits[j] == 0]
        while ready:
            j = ready.pop()
            for after in waiting[j]:
                found[after] |= found[j]
                waits[after] -= 1
                if waits[after] == 0:
                    ready.append(after)
        return found

    def _refuse(self, knot: list[tuple[int, Span]]) -> None:
        """Raise InputError where these spans of one knot can never be in process together."""
        for row, (amount, _, field_) in enumerate(self.limits):
            new = [span for own, span in knot if own == row and not span.begun]
            if len(new) > 1 and sum(span.demand for span in new) > amount:
                names = tuple(span.name for own, span in knot if own == row)
                message = (
                    f"{', '.join(names)} wait for each other's work, so they must be in process together, but {field_} "
                    f"is {amount}; raise it or cut a link."
                )
                raise InputError([Finding(level="error", code="limit-too-low", ids=names, message=message)])

    def _buckets(self) -> dict[str, NDArray[Any]]:
        rows: dict[int, int] = {}
        buckets: list[NDArray[np.int32]] = []
        scopes: list[NDArray[np.uint8]] = []
        scope: list[int] = []
        of: list[list[int]] = [[] for _ in range(self.people)]
        for k, quota in enumerate(self.quotas):
            if id(quota.bucket) not in rows:
                rows[id(quota.bucket)] = len(buckets)
                buckets.append(quota.bucket)
            scope.append(-1 if quota.counts is None else len(scopes))
            if quota.counts is not None:
                marks = np.zeros(self.n, np.uint8)
                marks[list(quota.counts)] = 1
                scopes.append(marks)
            for p in quota.people:
                of[p].append(k)
        return {
            "bucket": np.array(buckets, np.int32).reshape(len(buckets), self.slots),
            "quota_ptr": pointers([len(q.most) for q in self.quotas]),
            "quota": np.concatenate([q.most for q in self.quotas], dtype=np.int64) if self.quotas else ints([]),
            "quota_bucket": ints([rows[id(q.bucket)] for q in self.quotas]),
            "quota_scope": ints(scope),
            "scopes": np.array(scopes, np.uint8).reshape(len(scopes), self.n),
            "person_quota_ptr": pointers([len(some) for some in of]),
            "person_quota": ints([k for some in of for k in some]),
        }

    def _batches(self) -> dict[str, NDArray[Any]]:
        of: list[list[tuple[int, int]]] = [[] for _ in range(self.n)]
        for row, (_, _, amounts) in enumerate(self.batches):
            for j, amount in amounts.items():
                of[j].append((row, amount))
        return {
            "batch_ptr": pointers([len(some) for some in of]),
            "batch": ints([row for some in of for row, _ in some]),
            "batch_amount": ints([amount for some in of for _, amount in some]),
            "batch_most": ints([most for most, _, _ in self.batches]),
            "batch_first": pointers([occurrences for _, occurrences, _ in self.batches]),
        }


@dataclass(frozen=True)
class Draft:
    """What a policy may look at, and the primitives that it adds to."""

    portfolio: Portfolio
    graph: WorkGraph
    calendars: Calendars
    grid: Grid
    number: Mapping[str, int]
    """Activity to its number; those that are not in the schedule are not in it."""
    people: Mapping[str, int]
    able: Mapping[str, Sequence[Sequence[str]]]
    """Of each activity and each of its needs, who may take it."""
    exempt: Sequence[bool]
    """Of each activity, whether it is in progress."""
    begun: frozenset[str]
    """Projects in process at as-of."""
    add: Primitives
    edges: Edges = ()
    drum: DrumWork | None = None
    """Whose work the rope counts; None where no policy asks for it."""
    outside: Mapping[str, int] = field(default_factory=dict)
    """The rows of people's hours outside their calendars."""
    persons: Sequence[str] = ()
    """Of each row of people, who it is; some have several, for hours of several sorts."""

    def members(self, ids: Iterable[str]) -> list[int]:
        return [self.number[i] for i in ids if i in self.number]


def ints(values: Sequence[int]) -> Ints:
    return np.array(values, np.int64)


def pointers(lengths: Sequence[int] | Ints) -> Ints:
    """Row pointers of ragged rows of these lengths."""
    found: Ints = np.r_[0, np.cumsum(np.asarray(lengths, np.int64))].astype(np.int64)
    return found


def _bits(value: int) -> Iterable[int]:
    while value:
        low = value & -value
        yield low.bit_length() - 1
        value ^= low
