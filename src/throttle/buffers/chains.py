"""The critical chain of a project in a plan, and its buffers (docs/plan.md, Buffers)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from math import ceil

import numpy as np

from throttle.buffers import Spread, buffers_of, size
from throttle.calendars import Calendars, Grid
from throttle.compile import Compiled, most_slots
from throttle.graph import WorkGraph
from throttle_models import FeedingBuffer, LinkType, PlannedItem

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Buffered:
    """What a project's figures say of its buffers."""

    promise: datetime
    chain: tuple[str, ...]
    """In the order of time."""
    hours: float
    feeding: tuple[FeedingBuffer, ...]


class Trail:
    """What holds what up in a plan, followed back in time."""

    def __init__(self, graph: WorkGraph, items: Mapping[str, PlannedItem]) -> None:
        self._graph, self._items = graph, items
        self._place = {id: k for k, id in enumerate(graph.activities)}

    def chain(self, members: Iterable[str]) -> tuple[str, ...]:
        """The critical chain of scheduled activities, in the order of time; empty where none is scheduled."""
        ordered = self.latest_first(id for id in members if id in self._items)
        return tuple(reversed(self.back(ordered[0], ordered[1:]))) if ordered else ()

    def latest_first(self, ids: Iterable[str]) -> list[str]:
        """Later finishes first, then later starts, then the order of the portfolio."""

        def rank(id: str) -> tuple[datetime, datetime, int]:
            item = self._items[id]
            return item.finish, item.start, -self._place[id]

        return sorted(ids, key=rank, reverse=True)

    def back(self, last: str, others: Sequence[str]) -> list[str]:
        """From the last item back: each time the first of the others that the item waits for, or that takes the same
        person or environment, and is finished when it starts."""
        chain = [last]
        for id in others:
            at = chain[-1]
            if self._items[id].finish <= self._items[at].start and (
                id in self.before.get(at, ()) or self._share(id, at)
            ):
                chain.append(id)
        return chain

    @cached_property
    def before(self) -> dict[str, dict[str, None]]:
        """What each activity waits for by finish-to-start links."""
        found: dict[str, dict[str, None]] = {}
        for edge in self._graph.edges:
            if edge.link.type is LinkType.FS:
                found.setdefault(edge.successor, {})[edge.predecessor] = None
        return found

    def _share(self, one: str, other: str) -> bool:
        work = self._graph.portfolio.work
        if not work[one].environment.keys().isdisjoint(work[other].environment):
            return True
        return not set(self.people(one)).isdisjoint(self.people(other))

    def people(self, id: str) -> tuple[str, ...]:
        return tuple(a.person for a in self._items[id].assignments)


class Chains:
    """Critical chains and buffers in one plan."""

    def __init__(self, compiled: Compiled, items: Mapping[str, PlannedItem]) -> None:
        self._compiled, self._items = compiled, items
        self._buffers = buffers_of(compiled.portfolio)
        self._trail = Trail(compiled.graph, items)
        self._spreads: dict[str, Spread] = {}

    def of(self, members: Iterable[str]) -> Buffered | None:
        """Of the scheduled activities of a project; None where the policy asks for no buffers, or there are none."""
        ids = [id for id in members if id in self._items]
        if self._buffers is None or not ids:
            return None
        ordered = self._trail.latest_first(ids)
        chain = self._trail.back(ordered[0], ordered[1:])
        finish = self._items[chain[0]].finish
        hours = (
            round(size(map(self._spread, chain), self._buffers.project), 4)
            if self._buffers.project is not None
            else 0.0
        )
        crew = next((people for id in chain if (people := self._trail.people(id))), ())
        return Buffered(
            self._after(finish, hours, crew),
            tuple(reversed(chain)),
            round(hours, 4),
            tuple(self._feeding(chain, ordered)),
        )

    def _spread(self, id: str) -> Spread:
        if id not in self._spreads:
            self._spreads[id] = Spread.of(self._compiled.portfolio.work[id])
        return self._spreads[id]

    def _feeding(self, chain: Sequence[str], ordered: Sequence[str]) -> Iterable[FeedingBuffer]:
        """Where other work of the project joins its critical chain."""
        if self._buffers is None or self._buffers.feeding is None:
            return
        on_chain = set(chain)
        beside = [id for id in ordered if id not in on_chain]
        for into in reversed(chain):
            waits = self._trail.before.get(into, {})
            for k, id in enumerate(beside):
                if id in waits and self._items[id].finish <= self._items[into].start:
                    feeding = self._trail.back(id, beside[k + 1 :])
                    from_, to = self._items[id].finish, self._items[into].start
                    yield FeedingBuffer(
                        item=id,
                        into=into,
                        chain=tuple(reversed(feeding)),
                        hours=round(size(map(self._spread, feeding), self._buffers.feeding), 4),
                        left_hours=round(self._left(from_, to, self._trail.people(id)), 4),
                    )

    # working time

    @cached_property
    def _calendars(self) -> Calendars:
        portfolio = self._compiled.portfolio
        return Calendars(portfolio, Grid.of(portfolio, most_slots(portfolio)))

    def _open(self, people: Iterable[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Slots in which all of some people are open."""
        masks = [self._calendars.person(p) for p in people]
        return np.logical_and.reduce(masks) if masks else np.ones(self._calendars.grid.slots, bool)

    def _after(self, moment: datetime, hours: float, people: Iterable[str]) -> datetime:
        """So much working time of all these people later; by the clock where they have no such time."""
        grid = self._calendars.grid
        slots = ceil(timedelta(hours=hours) / timedelta(minutes=grid.minutes) - 1e-6)
        first = grid.ceil(moment)
        if slots == 0:
            return moment
        open_ = np.flatnonzero(self._open(people)[first:])
        return grid.instant(first + (int(open_[slots - 1]) + 1 if len(open_) >= slots else slots))

    def _left(self, from_: datetime, to: datetime, people: Iterable[str]) -> float:
        """Hours open for all these people; of the clock where there are none."""
        grid = self._calendars.grid
        return float(self._open(people)[grid.ceil(from_) : grid.ceil(to)].sum() * grid.minutes / 60)
