"""The value of an hour of people who share work and of environments, the most valuable first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from throttle.bottleneck.value import (
    SAME,
    More,
    Replay,
    Saved,
    resolved,
    seats_in,
    shared_seats,
    with_hours,
    with_less_work,
    with_place,
)
from throttle.compile import Compiled
from throttle.instance import Schedule
from throttle.loads import Loads
from throttle.solve import Settings
from throttle_models import Constraint
from throttle_models.bottleneck import HourValue, How, Prices

if TYPE_CHECKING:
    from throttle.instance import Bools, Ints

RESOLVED = 5
"""Most resources that are searched anew, beside the people who are most loaded."""
PLACES = 6
"""Most weeks in which an hour more is tried."""


@dataclass(frozen=True)
class Search:
    """Whether and how to search anew."""

    seconds: float | None
    """Of work for each; None: the plan's order is kept."""
    seed: int
    tell: Callable[[str], None]
    stop: threading.Event


def price_hours(
    compiled: Compiled,
    schedule: Schedule,
    loads: Loads,
    sets: Sequence[tuple[Constraint, Sequence[int]]],
    search: Search,
) -> Prices:
    """sets: people who share work, in the order to try, each with the weeks in which an hour more may help."""
    search.tell("the value of an hour")
    replay = Replay(compiled.instance, schedule)
    tries = _Tries(compiled, loads, replay)
    found: list[tuple[HourValue, Saved]] = []
    used = {name for item in loads.items for name in compiled.portfolio.work[item].environment}
    places = [name for name in compiled.portfolio.environments if name in used]
    left = max(replay.decodes // 2 - len(places), 1)  # each is decoded with and without a choice of people
    each = min(PLACES, max(1, left // max(len(sets), 1)))
    for people, weeks in sets[:left]:
        if saved := replay.saved(*tries.of_people(people.people, weeks[:each])):
            found.append((tries.value_of_people(people, saved), saved))
    for place in places:
        if saved := replay.saved(*tries.of_environment(place)):
            about = Constraint(kind="environment", name=place, members=(place,))
            found.append((_value(about, saved, "one more place"), saved))
    by_load = list(found)
    found.sort(key=lambda entry: -entry[0].saves)
    if search.seconds is None:
        return Prices(
            method="order kept",
            text="against this plan, its order kept; --resolve searches with and without the time, which may give less",
            base=_rounded(replay.base.cost),
            hours=tuple(value for value, _ in found),
        )
    chosen = found[:RESOLVED]
    chosen += [entry for entry in by_load[:1] if entry not in chosen]  # whatever the order kept says of the most loaded
    settings = Settings(budget=search.seconds, seed=search.seed, deterministic=True)
    base, costs = resolved(replay, [saved.more for _, saved in chosen], settings, search.tell, search.stop)
    hours = []
    for (value, saved), cost in zip(chosen, costs, strict=True):
        saves = (base - cost) / saved.more.hours if base - cost > SAME * abs(base) else 0.0
        week = loads.week_names[saved.more.place] if saves and value.kind == "skills" else None
        hours.append(value.model_copy(update={"saves": _rounded(saves), "week": week}))
    return Prices(
        method="re-solved",
        text=f"searched anew with and without the time, {search.seconds:g} s of work each, so against the better of "
        f"this plan and what was found without it; only these {len(chosen)} were",
        base=_rounded(base),
        hours=tuple(sorted(hours, key=lambda hour: -hour.saves)),
    )


class _Tries:
    """Where an hour more is tried."""

    def __init__(self, compiled: Compiled, loads: Loads, replay: Replay) -> None:
        self.compiled, self.loads, self.replay = compiled, loads, replay
        self.number: dict[str, int] = {}
        for k, person in enumerate(compiled.instance.people):  # their further rows come later
            self.number.setdefault(person, k)
        self.starts = [*loads.week_starts, loads.slots]
        self.day = self._days()

    def _days(self) -> Ints:
        """The local day of each slot, counted from that of as-of."""
        grid, zone, slots = self.compiled.grid, self.loads.zone, self.replay.instance.slots
        day, starts = grid.instant(0).astimezone(zone).date(), []
        while (first := grid.ceil(datetime.combine(day, time(), zone))) < slots:
            starts.append(first)
            day += timedelta(days=1)
        return np.searchsorted(np.array(starts), np.arange(slots), side="right").astype(np.int64)

    def of_people(self, people: Sequence[str], weeks: Iterable[int]) -> tuple[Iterator[More], Bools]:
        """An hour more for each at the end of the first day at work of each week, and the seats that they share.

        Where all are always at work, an hour less to do on what each begins first in it.
        """
        numbers = [self.number[person] for person in people]
        return self._in_weeks(numbers, weeks), shared_seats(self.replay.instance, numbers)

    def _in_weeks(self, numbers: Sequence[int], weeks: Iterable[int]) -> Iterator[More]:
        instance, slot = self.replay.instance, self.loads.hours_per_slot
        for week in weeks:
            first, last = self.starts[week], min(self.starts[week + 1], instance.slots)
            more = with_hours(instance, numbers, first, last, self.day, slot, week)
            more = more or with_less_work(instance, self.replay.base, numbers, first, last, slot, week)
            if more is not None:
                yield more

    def value_of_people(self, people: Constraint, saved: Saved) -> HourValue:
        week = self.loads.week_names[saved.more.place] if saved.saves > 0 else None
        return _value(people, saved, "an hour less to do" if saved.more.less else "an hour more", week)

    def of_environment(self, environment: str) -> tuple[list[More], Bools]:
        """One more place, priced by the hours that it is open in the plan's length; and the seats of work in it."""
        mask = self.compiled.calendars.environment(environment)[: self.loads.slots]
        hours = float(mask.sum()) * self.loads.hours_per_slot
        number = list(self.compiled.portfolio.environments).index(environment)
        more = [with_place(self.replay.instance, number, hours)] if hours > 0 else []
        return more, seats_in(self.replay.instance, number)


def _value(about: Constraint, saved: Saved, how: How, week: str | None = None) -> HourValue:
    return HourValue(**about.model_dump(), saves=_rounded(saved.saves), week=week, how=how)


def _rounded(value: float) -> float:
    return float(f"{value:.9g}")
