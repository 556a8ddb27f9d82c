"""Hours of a person that only some work may use: each is one more row of people in the instance, of the same person.

The hours of all rows of a person lie apart in time, so nobody is in two places. One item takes one row of a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from throttle.calendars import Calendars
from throttle_models import Portfolio, WorkItem, WorkType

if TYPE_CHECKING:
    from throttle.instance import Bools

IMPROVEMENT = "improvement"
"""The tag that makes an item of any type improvement work."""


@dataclass(frozen=True)
class Shift:
    """What a person's improvement time or out-of-hours time is."""

    person: str
    kind: Literal["improvement", "out of hours"]
    mask: Bools
    most: int = 0
    """Out of hours: most work a week, and so of one item, in hundredths of a slot."""

    def takes(self, item: WorkItem, work: int, share: int) -> bool:
        """Whether an item may use these hours for a need of so many slots at so many percent."""
        if self.kind == "improvement":
            return improves(item)
        return item.change is not None and item.change.window is not None and work * share <= self.most


def improves(item: WorkItem) -> bool:
    """Whether it is improvement work: internal, or tagged so."""
    return item.type is WorkType.INTERNAL or IMPROVEMENT in item.tags


def most(portfolio: Portfolio, limit: timedelta) -> int:
    """A limit in hundredths of a slot."""
    return int(limit / portfolio.slot * 100 + 1e-6)


def shifts(portfolio: Portfolio, calendars: Calendars, ids: Sequence[str]) -> list[Shift]:
    """Those that some of these items could use."""
    found: list[Shift] = []
    items = [portfolio.work[id] for id in ids]
    if any(map(improves, items)):
        found += [Shift(p, "improvement", calendars.improvement(p)) for p in portfolio.people if calendars.improving(p)]
    if any(item.change and item.change.window for item in items):
        found += [
            Shift(p, "out of hours", calendars.out_of_hours(p), most(portfolio, person.out_of_hours.limit))
            for p, person in portfolio.people.items()
            if person.out_of_hours is not None
        ]
    return [shift for shift in found if shift.mask.any()]
