"""One week of a plan, as a manager asks for it."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from throttle_models import Hold, Model, Plan, Release
from throttle_models.plan import IsoWeek


class WeekView(Model):
    """Who does what on which day, what to let in and what to hold. Days and weeks are local to the plan's zone."""

    week: IsoWeek
    first_day: date
    people: dict[str, dict[date, dict[str, float]]]
    """Person to day to item to hours."""
    releases: tuple[Release, ...]
    """Work that begins in this week and had not begun before."""
    holds: tuple[Hold, ...]
    """Work that does not begin by the end of this week. The reasons are those of the plan's first week."""
    starts: tuple[str, ...]
    finishes: tuple[str, ...]


def view_week(plan: Plan, week: str) -> WeekView | None:
    """The week, or None where it does not exist or lies outside the plan: before its as-of, or after its last work."""
    try:
        monday = date.fromisocalendar(int(week[:4]), int(week[6:]), 1)
    except ValueError:
        return None
    zone = ZoneInfo(plan.zone)
    this_monday = _monday(plan.week)
    last = max((_monday(w.week) for w in plan.weeks), default=this_monday)
    if not this_monday <= monday <= max(this_monday, last):
        return None
    next_monday = monday + timedelta(days=7)
    entered, holds = list(plan.releases) if monday == this_monday else [], []
    for hold in plan.holds:
        begins = hold.until.astimezone(zone).date() if hold.until else None
        if begins is None or begins >= next_monday:
            holds.append(hold)
        elif begins >= monday and hold.until is not None:
            entered.append(Release(item=hold.item, project=hold.project, start=hold.until, value=hold.value))
    planned = next((w for w in plan.weeks if w.week == week), None)
    return WeekView(
        week=week,
        first_day=monday,
        people=planned.people if planned else {},
        releases=tuple(entered),
        holds=tuple(holds),
        starts=planned.starts if planned else (),
        finishes=planned.finishes if planned else (),
    )


def _monday(week: str) -> date:
    return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)
