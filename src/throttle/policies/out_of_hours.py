"""Work outside a person's calendar: at most so much in each ISO week (docs/plan.md, Limits)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from throttle.primitives import Draft, Quota
from throttle.shifts import most

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.calendars import Grid


def restrict(draft: Draft) -> None:
    """The hours that people have outside their calendar are rows of their own; a quota holds for each."""
    if not draft.outside:
        return
    week = weeks_of(draft.grid, ZoneInfo(draft.portfolio.zone))
    for person, row in draft.outside.items():
        said = draft.portfolio.people[person].out_of_hours
        if said is not None:
            allowed = np.full(int(week.max(initial=0)) + 1, most(draft.portfolio, said.limit), np.int64)
            draft.add.quota(Quota(week, allowed, [row]))


def weeks_of(grid: Grid, zone: ZoneInfo) -> NDArray[np.int32]:
    """Of each slot the number of the ISO week in which it begins, counted from that of slot 0."""
    local = grid.instant(0).astimezone(zone).date()
    monday = local - timedelta(days=local.weekday())
    found = np.zeros(grid.slots, np.int32)
    while (first := grid.ceil(datetime.combine(monday, time(), zone))) < grid.slots:
        if first > 0:
            found[first:] += 1
        monday += timedelta(weeks=1)
    return found
