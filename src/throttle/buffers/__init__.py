"""Buffers: what is planned by likely times is promised with time to spare at the end of the critical chain.

Newbold, Project Management in the Fast Lane (1998): the root of the sum of squares of what each item of the chain may
take longer; Goldratt, Critical Chain (1997): a share of the chain; the larger of the two counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import sqrt
from typing import Literal

from throttle.graph import time_of
from throttle_models import Buffers, Portfolio, WorkItem
from throttle_models.quantities import Likely

HOUR = timedelta(hours=1)
LEAST_SHARE = 0.25
"""Of the chain, a buffer is no less."""

Size = timedelta | Literal["auto"]


def buffers_of(portfolio: Portfolio) -> Buffers | None:
    """The buffers of the policy; None where it asks for none."""
    buffers = portfolio.policy.buffers
    if buffers is None or (buffers.project is None and buffers.feeding is None and buffers.drum is None):
        return None
    return buffers


def by_likely(portfolio: Portfolio) -> Portfolio:
    """The portfolio with estimates that count as their likely value, where there are buffers; else as it is."""
    if buffers_of(portfolio) is None:
        return portfolio
    work = {id: likely(item) for id, item in portfolio.work.items()}
    if all(work[id] is item for id, item in portfolio.work.items()):
        return portfolio
    return portfolio.model_copy(update={"work": work})


def likely(item: WorkItem) -> WorkItem:
    """The item itself where each effort counts so already."""
    if all(need.effort is None or isinstance(need.effort, Likely) for need in item.needs):
        return item
    needs = tuple(
        need if (e := need.effort) is None else need.model_copy(update={"effort": Likely(**dict(e))})
        for need in item.needs
    )
    return item.model_copy(update={"needs": needs})


@dataclass(frozen=True)
class Spread:
    """An item's likely time, and how much longer it may take (p90 - p50), in hours of work."""

    likely: float
    more: float

    @classmethod
    def of(cls, item: WorkItem) -> Spread:
        """Of an item as it is planned; what has a fixed duration, or says what remains, takes no longer."""
        times = [time_of(item, need) / HOUR for need in item.needs]
        more = [
            (need.effort.high - need.effort.likely) / HOUR / (need.people * need.allocation)
            for need in item.needs
            if need.effort is not None and need.remaining is None and item.duration is None
        ]
        return cls(max(times, default=0.0), max(more, default=0.0))


def size(chain: Iterable[Spread], wanted: Size) -> float:
    """Hours of a buffer behind a chain: as wanted, else max(root of the sum of squares of p90 - p50, a quarter)."""
    if wanted != "auto":
        return wanted / HOUR
    parts = list(chain)
    return max(sqrt(sum(p.more**2 for p in parts)), LEAST_SHARE * sum(p.likely for p in parts))


def longest_before(
    id: str,
    before: Mapping[str, Sequence[str]],
    spread: Mapping[str, Spread],
    known: dict[str, tuple[float, str | None]],
) -> list[str]:
    """An item and what it waits for, link by link back: of several the one with the longest likely chain, else the
    first. ``before``: what each item waits for, in the order of the portfolio. ``known``: what was worked out so far.
    """
    stack = [id]
    while stack:
        at = stack[-1]
        open_ = [b for b in before.get(at, ()) if b not in known]
        if at in known or not open_:
            best: tuple[float, str | None] = (0.0, None)
            for b in before.get(at, ()):
                if known[b][0] > best[0] or best[1] is None:
                    best = known[b][0], b
            known[at] = best[0] + spread[at].likely, best[1]
            stack.pop()
        else:
            stack += open_
    found = [id]
    while (earlier := known[found[-1]][1]) is not None:
        found.append(earlier)
    return found
