"""Calm: what moving a planned start costs, and what the frozen zone holds (docs/plan.md, Order and Costs).

An early start is a cost of the activity itself, a late one the tardiness of a hidden milestone that begins when it
does (a start-to-start link). So no decoder, model or bound has to know of either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo

from throttle.calendars import Grid, as_of
from throttle_models import Pin, Planned, Portfolio, Status

LEAST_SHARE = 10
"""A start that is far off still costs a tenth of the rate."""


class Moving(NamedTuple):
    """What it costs that an activity does not start when it was planned to."""

    activity: int
    planned: float
    """In slots; a start that was planned for before as-of counts from there."""
    rate: float
    """For each slot that it starts earlier or later."""


def frozen_pins(portfolio: Portfolio) -> dict[str, Pin]:
    """What the frozen zone holds, as pins; a pin of the policy goes before it."""
    pinned = {pin.work for pin in portfolio.policy.pins}
    return {
        id: Pin(work=id, start=planned.start, who=planned.who)
        for id, planned in to_begin(portfolio)
        if planned.frozen and id not in pinned
    }


def movings(portfolio: Portfolio, grid: Grid, number: Mapping[str, int]) -> list[Moving]:
    """``number``: of each activity in the schedule. Nothing where moving costs nothing."""
    stability = portfolio.policy.stability
    if stability is None or not stability.move:
        return []
    zone, now = ZoneInfo(portfolio.zone), as_of(portfolio)
    found = []
    for id, planned in to_begin(portfolio):
        if id in number and not planned.frozen:
            slot = max(0.0, grid.exact(planned.start.resolve(now, zone)))
            weeks_off = int(slot * grid.weeks + 1e-9)
            rate = stability.move / min(LEAST_SHARE, 1 + weeks_off) * grid.weeks
            found.append(Moving(number[id], slot, rate))
    return found


def to_begin(portfolio: Portfolio) -> Iterator[tuple[str, Planned]]:
    """What the plan in force has, and nobody has begun."""
    for id, planned in portfolio.planned.items():
        if id in portfolio.work and portfolio.work[id].status is Status.OPEN:
            yield id, planned
