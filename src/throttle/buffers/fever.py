"""The fever chart: how far each project is on its critical chain, and how much of its buffer that has taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import ceil
from zoneinfo import ZoneInfo

import numpy as np

from throttle.buffers import HOUR, Spread, by_likely
from throttle.calendars import Calendars, Grid, as_of, minute_of
from throttle.graph import HISTORY, WorkGraph, is_in_progress
from throttle_models import (
    Fever,
    FeverLine,
    FeverPoint,
    Plan,
    Portfolio,
    ProjectPlan,
    WorkItem,
    Zones,
    with_inserted,
)


def fever_of(plan: Plan, portfolio: Portfolio, previous: Plan) -> Fever | None:
    """A plan made from a portfolio against an earlier one; None where that has no buffers, or no portfolio."""
    return fever(by_likely(with_inserted(plan, portfolio)), plan.projects, plan.as_of, previous)


def fever(portfolio: Portfolio, projects: Mapping[str, ProjectPlan], moment: datetime, previous: Plan) -> Fever | None:
    """``portfolio`` as it is planned, ``projects`` as of ``moment``.

    What is held against is the first promise: a line that the previous plan has goes on.
    """
    lines, zones = {}, portfolio.policy.fever or Zones()
    for name, line in baseline(previous).items():
        if name in portfolio.projects or name in portfolio.work:
            point = _point(line, name, portfolio, projects, moment)
            # one chart has one set of zones, also where the policy had others before
            earlier = tuple(
                p.model_copy(update={"zone": zone_of(zones, p.done, p.used)}) for p in line.points if p.as_of < moment
            )
            lines[name] = line.model_copy(update={"points": (*earlier, point) if point else earlier})
    return Fever(zones=zones, projects=lines) if lines else None


def baseline(plan: Plan) -> dict[str, FeverLine]:
    """What a later plan is held against, by project."""
    found = dict(plan.fever.projects) if plan.fever else {}
    if plan.portfolio is None:
        return found
    work = by_likely(with_inserted(plan, plan.portfolio)).work
    for name, told in plan.projects.items():
        if name not in found and told.chain and told.buffer_hours and told.finish and told.promise:
            crews = ([a.person for a in plan.items[id].assignments] for id in reversed(told.chain))
            found[name] = FeverLine(
                title=told.title,
                since=plan.as_of,
                finish=told.finish,
                promise=told.promise,
                chain={id: round(Spread.of(work[id]).likely, 4) for id in told.chain},
                crew=tuple(next((crew for crew in crews if crew), ())),
                buffer_hours=told.buffer_hours,
            )
    return found


def _point(
    line: FeverLine, name: str, portfolio: Portfolio, projects: Mapping[str, ProjectPlan], moment: datetime
) -> FeverPoint | None:
    """None where the project has no finish, or nothing is left of its chain."""
    known = {id: hours for id, hours in line.chain.items() if id in portfolio.work}
    finish = projects[name].finish if name in projects else _finished(name, portfolio, moment)
    if finish is None or not known:
        return None
    whole = sum(known.values())
    done = {id: _done(portfolio.work[id], hours) for id, hours in known.items()}
    across = sum(hours * done[id] for id, hours in known.items()) / whole if whole else sum(done.values()) / len(done)
    used = _hours(line, portfolio, finish) / line.buffer_hours
    across, used = round(across, 6), round(used, 6)
    return FeverPoint(
        as_of=moment, done=across, used=used, zone=zone_of(portfolio.policy.fever or Zones(), across, used)
    )


def zone_of(zones: Zones, done: float, used: float) -> str:
    if used > zones.red[0] + zones.red[1] * done + 1e-9:
        return "red"
    return "yellow" if used > zones.green[0] + zones.green[1] * done + 1e-9 else "green"


def _done(item: WorkItem, hours: float) -> float:
    """Share of an item's likely hours that nobody has to work any more."""
    if item.status in HISTORY:
        return 1.0
    if not is_in_progress(item) or hours <= 0:
        return 0.0
    return min(1.0, max(0.0, 1 - Spread.of(item).likely / hours))


def _finished(name: str, portfolio: Portfolio, moment: datetime) -> datetime | None:
    """When the last of what a finished project contains was finished; as-of, where that is not said."""
    graph = WorkGraph(portfolio)
    inside = [
        item
        for id, item in portfolio.work.items()
        if id == name or name in graph.ancestors(id) or graph.project_of(id) == name
    ]
    if not inside or any(item.status not in HISTORY for item in inside):
        return None
    now, zone = as_of(portfolio), ZoneInfo(portfolio.zone)
    moments = [item.finished.resolve(now, zone, end_of_day=True) for item in inside if item.finished]
    return min(max(moments, default=moment), moment)


def _hours(line: FeverLine, portfolio: Portfolio, finish: datetime) -> float:
    """Working time from the finish as it was to what it is now; none where it is earlier."""
    if finish <= line.finish:
        return 0.0
    minutes = int(portfolio.slot.total_seconds() // 60)
    origin = int(minute_of(line.finish) // minutes) * minutes
    slots = ceil((minute_of(finish) - origin) / minutes)
    crew = [p for p in line.crew if p in portfolio.people]
    if not crew:
        return (finish - line.finish) / HOUR
    calendars = Calendars(portfolio, Grid(origin, minutes, slots))
    return float(np.logical_and.reduce([calendars.person(p) for p in crew]).sum() * minutes / 60)
