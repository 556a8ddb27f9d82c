"""The queue at a set of people or an environment: how long a task waits, or by how much the backlog grows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from throttle.calendars import as_of
from throttle.compile import Compiled
from throttle.graph import time_of
from throttle.hall import TightSet
from throttle.loads import Loads
from throttle.queues import growth, variation, wait
from throttle_models import Status
from throttle_models.bottleneck import EnvironmentLoad, QueueForecast, SetLoad

HOUR = timedelta(hours=1)
LOOK_BACK = timedelta(weeks=13)
"""Arrivals are counted from so long before as-of."""
LEAST_LOOK_BACK = timedelta(weeks=4)
LEAST_ARRIVALS = 8
"""From fewer, no rate is read."""
MEASURED_ARRIVALS = 20
"""From fewer, arrivals are taken to be as random as those of Poisson."""


class Arrivals(NamedTuple):
    """Work that came for some people."""

    hours_a_week: float
    weeks: float
    variation: float
    """Squared coefficient of variation of the times between arrivals."""


def forecast_people(
    compiled: Compiled, loads: Loads, tight: TightSet, told: SetLoad, weeks: float
) -> QueueForecast | None:
    """The queue at the set of people with the largest load; one server for each of them."""
    within, tasks = set(tight.able), []
    for entry in loads.needs:
        if loads.who(entry) in within:
            item, q = loads.portfolio.work[entry[0]], entry[1]
            tasks += [time_of(item, item.needs[q]) / HOUR] * item.needs[q].people
    hours_a_week = tight.hours / weeks
    known = arrivals(compiled, tight.people)
    load = known.hours_a_week / hours_a_week if known else tight.load
    return _forecast(told.name, load, len(told.people), tasks, hours_a_week, known, weeks)


def forecast_environment(loads: Loads, name: str, load: EnvironmentLoad, weeks: float) -> QueueForecast | None:
    """The queue at an environment, in hours that it is open; one server for each place."""
    grid, tasks = loads.compiled.grid, []
    open_ = loads.compiled.calendars.environment(name)
    for id, item in loads.items.items():
        taken = float(open_[grid.ceil(item.start) : grid.ceil(item.finish)].sum()) * loads.hours_per_slot
        tasks += [taken] * loads.portfolio.work[id].environment.get(name, 0)
    if load.load is None:
        return None
    return _forecast(name, load.load, load.capacity, tasks, load.hours / weeks, None, weeks, "of its hours")


def arrivals(compiled: Compiled, people: frozenset[str]) -> Arrivals | None:
    """Work created in the past weeks that only these could do (or, where it names who, did).

    None where too little is known of the past: few arrivals, or none finished, so that what came and went is missing.
    """
    portfolio = compiled.portfolio
    zone, now = ZoneInfo(portfolio.zone), as_of(portfolio)
    known: list[datetime] = []
    mine: list[tuple[datetime, float]] = []
    finished = False
    for item in portfolio.work.values():
        if item.created is None or item.status is Status.CANCELLED:
            continue
        created = item.created.resolve(now, zone)
        if created > now:
            continue
        known.append(created)
        hours = 0.0
        for need in item.needs:
            able = compiled.graph.able(need)
            if able and people.issuperset(able):
                effort = need.effort.mean if need.effort else time_of(item, need) * need.people * need.allocation
                hours += effort / HOUR
        if hours > 0 and created >= now - LOOK_BACK:
            mine.append((created, hours))
            finished |= item.status is Status.DONE
    if len(mine) < LEAST_ARRIVALS or not finished:
        return None
    span = min(now - min(known), LOOK_BACK)
    if span < LEAST_LOOK_BACK:
        return None
    moments = sorted(moment for moment, _ in mine)
    gaps = [(b - a) / HOUR for a, b in pairwise(moments)]
    measured = variation(gaps) if len(mine) >= MEASURED_ARRIVALS else None
    weeks = span / timedelta(weeks=1)
    return Arrivals(sum(h for _, h in mine) / weeks, weeks, 1.0 if measured is None else measured)


def _forecast(
    name: str,
    load: float,
    servers: int,
    tasks: Sequence[float],
    hours_a_week: float,
    known: Arrivals | None,
    weeks: float,
    at: str = "at work",
) -> QueueForecast | None:
    if not tasks or servers < 1 or hours_a_week <= 0:
        return None
    basis: Literal["arrivals", "horizon"] = "arrivals" if known else "horizon"
    came = known.variation if known else 1.0
    spread = variation(tasks)
    spread = 1.0 if spread is None else spread
    task = sum(tasks) / len(tasks)
    hours = wait(load, servers, task, came, spread)
    if known:
        source = f"as in the past {known.weeks:.0f} weeks, {known.hours_a_week:,.1f} of {hours_a_week:,.1f} h a week"
        source += " (what came then, not what is left now, as the load above)"
    else:
        source = (
            f"as what is left, over these {weeks:.1f} weeks: {load * hours_a_week:,.1f} of {hours_a_week:,.1f} h a week"
        )
    if hours is None:
        text = f"unbounded: if work comes {source}, the backlog grows by {growth(load, hours_a_week):,.1f} h a week"
    else:
        text = f"if work comes {source}, a task of {task:,.1f} h waits {hours:,.1f} h {at} before it begins"
    return QueueForecast(
        name=name,
        basis=basis,
        load=round(load, 6),
        servers=servers,
        task_hours=round(task, 4),
        arrivals=round(came, 4),
        tasks=round(spread, 4),
        wait_hours=None if hours is None else round(hours, 4),
        wait_weeks=None if hours is None else round(hours / (hours_a_week / servers), 4),
        grows_hours_a_week=round(growth(load, hours_a_week), 4) if hours is None else None,
        text=text,
    )
