"""Drum buffer: what feeds the drum is finished a while before the drum starts on it (docs/plan.md, Buffers)."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import timedelta
from math import ceil

from throttle.buffers import Spread, buffers_of, longest_before, size
from throttle.graph import WorkGraph
from throttle_models import LinkType, Portfolio, Status

BufferLag = tuple[str, str, int]
"""Item, the drum's item that waits for it, working slots between them."""


def drum_lags(portfolio: Portfolio, graph: WorkGraph, drum: Mapping[str, int], held: Container[str]) -> list[BufferLag]:
    """``drum``: its work, by activity. ``held``: starts that are pinned or frozen, which stay as they are.

    A buffer is there to be used: it binds neither from work in progress, nor to what has begun or is held.
    """
    buffers = buffers_of(portfolio)
    if buffers is None or buffers.drum is None:
        return []
    spread = {id: Spread.of(portfolio.work[id]) for id in graph.activities}
    before: dict[str, dict[str, None]] = {}
    for edge in graph.edges:
        if edge.link.type is LinkType.FS and edge.predecessor in spread:
            before.setdefault(edge.successor, {})[edge.predecessor] = None
    place = {id: k for k, id in enumerate(graph.activities)}
    waits = {id: sorted(some, key=lambda p: place[p]) for id, some in before.items()}
    known: dict[str, tuple[float, str | None]] = {}
    found = []
    for id in graph.activities:
        if id not in drum or id in held or portfolio.work[id].status is Status.IN_PROGRESS:
            continue
        for earlier in waits.get(id, ()):
            if earlier not in drum and portfolio.work[earlier].status is not Status.IN_PROGRESS:
                chain = longest_before(earlier, waits, spread, known)
                hours = size((spread[i] for i in chain), buffers.drum)
                found.append((earlier, id, ceil(timedelta(hours=round(hours, 4)) / portfolio.slot - 1e-6)))
    return found
