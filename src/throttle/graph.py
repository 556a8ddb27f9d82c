"""The dependency graph of a portfolio: containment and precedence, kept apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from throttle.change_findings import change_findings
from throttle.reserve import reserve_findings
from throttle.wording import some
from throttle_models import Finding, Link, Need, Portfolio, Status, WorkItem
from throttle_models.references import contradictions

if TYPE_CHECKING:
    import networkx as nx

HISTORY = frozenset({Status.DONE, Status.CANCELLED})


class Edge(NamedTuple):
    """One precedence between two activities, or from an external stub to an activity, as the portfolio's link says."""

    predecessor: str
    successor: str
    link: Link


class WorkGraph:
    """Containment and precedence of a portfolio's work, as docs/plan.md defines them.

    Needs references that resolve; a containment loop is cut where it closes (it is an error found elsewhere).
    """

    def __init__(self, portfolio: Portfolio) -> None:
        self.portfolio = portfolio
        self.children: dict[str, list[str]] = {}
        for id, item in portfolio.work.items():
            if item.parent is not None:
                self.children.setdefault(item.parent, []).append(id)
        self.history = tuple(id for id, item in portfolio.work.items() if item.status in HISTORY)
        self.containers = tuple(
            id
            for id, item in portfolio.work.items()
            if item.status not in HISTORY and id in self.children and not item.needs and item.wait is None
        )
        apart = {*self.history, *self.containers}
        self.activities = tuple(id for id in portfolio.work if id not in apart)
        self._able: dict[tuple[str | None, int, tuple[str, ...]], tuple[str, ...]] = {}

    def able(self, need: Need) -> tuple[str, ...]:
        """People who can meet a need, in the portfolio's order; equal answers are one object."""
        key = (need.skill, need.level, need.who)
        if key not in self._able:
            found = tuple(holders(self.portfolio, *key))
            self._able[key] = next((same for same in self._able.values() if same == found), found)
        return self._able[key]

    def ancestors(self, id: str) -> Iterator[str]:
        """The containers around an item, innermost first."""
        seen = {id}
        parent = self.portfolio.work[id].parent
        while parent is not None and parent not in seen:
            seen.add(parent)
            yield parent
            parent = self.portfolio.work[parent].parent

    def inside(self, id: str) -> Iterator[str]:
        """The item and all it contains."""
        seen, stack = set(), [id]
        while stack:
            if (next_ := stack.pop()) not in seen:
                seen.add(next_)
                yield next_
                stack += reversed(self.children.get(next_, []))

    @cached_property
    def _container_set(self) -> frozenset[str]:
        return frozenset(self.containers)

    @cached_property
    def _activity_set(self) -> frozenset[str]:
        return frozenset(self.activities)

    def activities_in(self, id: str) -> list[str]:
        """The activities that an item stands for: itself, or those of a container."""
        if id in self._activity_set:
            return [id]
        return [i for i in self.inside(id) if i in self._activity_set]

    def project_of(self, id: str) -> str | None:
        work = self.portfolio.work
        item = work[id]
        if item.project is not None or item.parent is None:
            return item.project
        return next((p for i in self.ancestors(id) if (p := work[i].project) is not None), None)

    def held_by(self, id: str) -> str | None:
        """The item or container whose ``on_hold`` keeps it out of the plan."""
        item = self.portfolio.work[id]
        if item.on_hold is not None:
            return id
        if item.parent is None:
            return None
        return next((i for i in self.ancestors(id) if self.portfolio.work[i].on_hold is not None), None)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """All links between activities, containers expanded; those from history are satisfied and left out."""
        return tuple(self._expand())

    def _expand(self) -> Iterator[Edge]:
        work = self.portfolio.work
        for id, item in work.items():
            if not item.after or item.status in HISTORY:
                continue
            waiting = self.activities_in(id)
            for link in item.after:
                if link.item in self.portfolio.external:
                    yield from (Edge(link.item, i, link) for i in waiting)
                elif work[link.item].status not in HISTORY:
                    first = self.activities_in(link.item)
                    yield from (Edge(p, s, link) for s in waiting for p in first if p != s)

    @cached_property
    def digraph(self) -> nx.DiGraph[str]:
        """Activities and the links between them, multiple links as one."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.activities)
        external = self.portfolio.external
        graph.add_edges_from((e.predecessor, e.successor) for e in self.edges if e.predecessor not in external)
        return graph

    @cached_property
    def _following(self) -> dict[str, list[str]]:
        """Activity to those that wait for it, once for each link."""
        found: dict[str, list[str]] = {}
        for before, after, _ in self.edges:
            if before not in self.portfolio.external:
                found.setdefault(before, []).append(after)
        return found

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Activities, each after those it waits for (Kahn 1962); those on a cycle, or behind one, are left out."""
        waits = Counter(after for following in self._following.values() for after in following)
        found = [id for id in self.activities if id not in waits]
        for id in found:  # grows as it is read
            for after in self._following.get(id, ()):
                waits[after] -= 1
                if not waits[after]:
                    found.append(after)
        return tuple(found)

    def cycles(self) -> list[list[str]]:
        """One chain of ids for each knot of items that wait for each other, the first id repeated at the end."""
        chains = []
        for id, item in self.portfolio.work.items():
            chains += [[id, id] for link in item.after if link.item == id]
            if self.containers and item.after:
                around = self._around(id)
                chains += [[id, link.item, id] for link in item.after if link.item in around]
                chains += [[id, link.item, id] for link in item.after if id in self._around(link.item)]
        if len(self.order) == len(self.activities):
            return sorted(chains)
        import networkx as nx

        for knot in nx.strongly_connected_components(self.digraph):
            if len(knot) > 1:
                first = min(knot)
                loop = nx.find_cycle(self.digraph.subgraph(knot), first)
                chain = [a for a, _ in loop]
                # find_cycle may lead into the loop from outside of it; it returns only the loop itself
                turn = chain.index(min(chain))
                chain = chain[turn:] + chain[:turn]
                chains.append([*chain, chain[0]])
        return sorted(chains)

    def _around(self, id: str) -> set[str]:
        """The containers proper; an item with needs of its own may well wait for its parts, or they for it."""
        return {a for a in self.ancestors(id) if a in self._container_set} if id in self.portfolio.work else set()

    def longest_chain(self, length: Mapping[str, float]) -> float:
        """The longest sum of lengths along links, whatever their type and lag; 0 without activities."""
        head = dict.fromkeys(self.order, 0.0)
        for id in self.order:
            finish = head[id] + length.get(id, 0.0)
            for after in self._following.get(id, ()):
                if head.get(after, finish) < finish:
                    head[after] = finish
        return max((at + length.get(id, 0.0) for id, at in head.items()), default=0.0)

    def longest_path(self, hours: dict[str, float]) -> tuple[float, list[str]]:
        """The critical path of the network alone: its hours and its activities in order. The graph has no cycles."""
        tails = self._tails(hours)
        if not tails:
            return 0.0, []
        at = max(tails, key=lambda i: (tails[i], i))
        total, path = tails[at], [at]
        while following := list(self.digraph.successors(at)):
            at = max(following, key=lambda i: (tails[i], i))
            path.append(at)
        return total, path

    def slack(self, hours: dict[str, float]) -> dict[str, float]:
        """Hours by which each activity could slip without lengthening the longest path, people not counted."""
        import networkx as nx

        tails = self._tails(hours)
        longest = max(tails.values(), default=0.0)
        heads: dict[str, float] = {}
        for id in nx.topological_sort(self.digraph):
            heads[id] = max((heads[p] + hours.get(p, 0.0) for p in self.digraph.predecessors(id)), default=0.0)
        return {id: longest - heads[id] - tails[id] for id in heads}

    def _tails(self, hours: dict[str, float]) -> dict[str, float]:
        import networkx as nx

        tails: dict[str, float] = {}
        for id in reversed(list(nx.topological_sort(self.digraph))):
            tails[id] = hours.get(id, 0.0) + max((tails[s] for s in self.digraph.successors(id)), default=0.0)
        return tails


def time_of(item: WorkItem, need: Need) -> timedelta:
    """Working time of each person on a need (docs/plan.md: T), before rounding to slots."""
    if need.remaining is not None:
        return need.remaining if item.duration is not None else need.remaining / (need.people * need.allocation)
    if item.duration is not None:
        return item.duration
    if need.effort is None:  # the vocabulary refuses this
        raise ValueError("a need without effort on an item without duration")
    return need.effort.mean / (need.people * need.allocation)


def least_hours(portfolio: Portfolio, graph: WorkGraph) -> dict[str, float]:
    """Hours that each activity takes: of work by whoever takes longest on it, or of waiting."""
    found = {}
    for id in graph.activities:
        item = portfolio.work[id]
        spans = [item.wait or timedelta(0), *(time_of(item, need) for need in item.needs)]
        found[id] = max(spans) / timedelta(hours=1)
    return found


def holders(portfolio: Portfolio, skill: str | None, level: int, who: Iterable[str]) -> list[str]:
    """People who can meet a need, in the portfolio's order."""
    named = set(who)
    return [
        id
        for id, person in portfolio.people.items()
        if (not named or id in named) and (skill is None or person.skills.get(skill, 0) >= level)
    ]


def missing_skills(portfolio: Portfolio, graph: WorkGraph) -> list[Finding]:
    """Skills at a level that nobody (or too few) hold, each with the items that need them."""
    wanted: dict[tuple[str, int, int], list[str]] = {}
    for id in graph.activities:
        for need in portfolio.work[id].needs:
            if need.skill is not None and not need.who:
                wanted.setdefault((need.skill, need.level, need.people), []).append(id)
    found = []
    for (skill, level, people), ids in wanted.items():
        able = len(holders(portfolio, skill, level, ()))
        if able < people:
            who = "no one holds" if not able else f"only {able} of {people} hold"
            names = some(ids)
            found.append(
                Finding(
                    level="warning",
                    code="missing-skill",
                    ids=tuple(ids),
                    message=f"{who} {skill} at level >= {level}: needed by {names}. "
                    "Give the skill to someone in people.",
                )
            )
    return found


def is_in_progress(item: WorkItem) -> bool:
    return item.status is Status.IN_PROGRESS


def _idle_pins(portfolio: Portfolio, graph: WorkGraph) -> Iterator[Finding]:
    """Pins that hold nothing."""
    planned = set(graph.activities)
    for pin in portfolio.policy.pins:
        if pin.work in planned or pin.work not in portfolio.work:
            continue
        if pin.work in graph.containers:
            why, remedy = "has no work of its own, only what it contains", "pin the items in it"
        else:
            why, remedy = f"is {portfolio.work[pin.work].status.value}", "take the pin away, or open the item again"
        message = f"the pin of {pin.work} in policy.pins has no effect: {pin.work} {why}; {remedy}"
        yield Finding(level="warning", code="idle-pin", ids=(pin.work,), message=message)


def portfolio_findings(portfolio: Portfolio, graph: WorkGraph) -> list[Finding]:
    """What a planner should know about a portfolio that can be planned: warnings and notes, no errors."""
    found = [*missing_skills(portfolio, graph), *contradictions(portfolio), *reserve_findings(portfolio)]
    found += change_findings(portfolio, graph.activities)
    found += _idle_pins(portfolio, graph)
    for id in graph.activities:
        item = portfolio.work[id]
        if is_in_progress(item) and any(n.remaining is None for n in item.needs):
            found.append(
                Finding(
                    level="info",
                    code="full-effort-left",
                    ids=(id,),
                    message=f"{id} is in progress and says no remaining effort, so all of its effort is planned; "
                    "write remaining: in its needs",
                )
            )
    cancelled = {i for i in graph.history if portfolio.work[i].status == "cancelled"}
    for id in graph.activities:
        if gone := [link.item for link in portfolio.work[id].after if link.item in cancelled]:
            found.append(
                Finding(
                    level="warning",
                    code="waits-for-cancelled",
                    ids=(id, *gone),
                    message=f"{id} waits for {', '.join(gone)}, which is cancelled; it is planned as if that were done",
                )
            )
    return found
