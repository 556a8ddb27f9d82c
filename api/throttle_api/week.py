"""One week of a plan, as a manager asks for it: as values, as CSV and as iCalendar."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict

from throttle.exports.common import project_of
from throttle.wording import plural
from throttle_models import Hold, Model, Plan, Portfolio, Release, with_inserted
from throttle_models.changes import Occurrence, PlannedChange
from throttle_models.plan import Instant, IsoWeek

FULL = 0.95
"""A bottleneck of whose hours this share is planned has no room for a surprise."""


class PromiseView(Model):
    """A project, or item with a cost or due date of its own, that finishes or was promised for this week."""

    project: str
    title: str = ""
    finish: Instant | None
    promise: Instant | None
    due: Instant | None
    late_weeks: float


class Risk(Model):
    """What may go wrong, or is going wrong, in this week."""

    kind: Literal["late", "buffer", "bottleneck", "left-out"]
    """``late``: a project that has begun and is not over; ``buffer``: it is used up faster than the work is done;
    ``bottleneck``: it has no room this week; ``left-out``: work that is not in the plan at all."""
    text: str
    ids: tuple[str, ...]


_EXAMPLE: dict[str, Any] = {
    "week": "2026-W48",
    "first_day": "2026-11-23",
    "zone": "America/Chicago",
    "currency": "USD",
    "people": {"brent": {"2026-11-23": {"PHX-18": 2.0, "OPS-18": 1.5}}},
    "releases": [{"item": "PHX-38", "project": "phoenix", "start": "2026-11-23T14:00Z", "value": 120000.0, "note": ""}],
    "holds": [
        {
            "item": "PHX-23",
            "project": "phoenix",
            "reason": "people",
            "text": "brent is first on PHX-59",
            "refs": ["brent"],
            "until": "2026-12-01T21:00Z",
            "value": 120000.0,
        }
    ],
    "changes": [],
    "changes_outside": [],
    "promises": [],
    "risks": [{"kind": "late", "text": "phoenix is planned to be 1.2 weeks late", "ids": ["phoenix"]}],
    "starts": ["PHX-38"],
    "finishes": ["PHX-18"],
    "titles": {"PHX-38": "Develop customer profile"},
    "names": {"brent": "Brent Geller"},
    "projects": {"PHX-38": "phoenix"},
}


class WeekView(Model):
    """Who does what on which day, what to let in and what to hold. Days and weeks are local to the plan's zone."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    week: IsoWeek
    first_day: date
    zone: str
    currency: str = ""
    people: dict[str, dict[date, dict[str, float]]]
    """Person to day to item to hours."""
    releases: tuple[Release, ...]
    """Work that begins in this week and had not begun before."""
    holds: tuple[Hold, ...]
    """Work that does not begin by the end of this week. The reasons are those of the plan's first week."""
    changes: tuple[Occurrence, ...] = ()
    """Occurrences of windows in this week that are used, each with its changes."""
    changes_outside: tuple[PlannedChange, ...] = ()
    """Changes of this week that have no window."""
    promises: tuple[PromiseView, ...] = ()
    risks: tuple[Risk, ...] = ()
    starts: tuple[str, ...]
    finishes: tuple[str, ...]
    titles: dict[str, str] = {}
    """Of every item that is named above, where the plan carries its portfolio."""
    names: dict[str, str] = {}
    """Of the people, where the portfolio has them."""
    projects: dict[str, str] = {}
    """The project of every item that is named above and has one."""


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
    people = planned.people if planned else {}
    starts, finishes = (planned.starts, planned.finishes) if planned else ((), ())
    first, until = (datetime.combine(d, time.min, zone) for d in (monday, next_monday))
    changes, outside = _changes(plan, week, first, until)
    named = dict.fromkeys(i for days in people.values() for items in days.values() for i in items)
    named |= dict.fromkeys((*starts, *finishes, *(r.item for r in entered), *(h.item for h in holds)))
    portfolio = _shown(plan)
    work, known = (portfolio.work, portfolio.people) if portfolio else ({}, {})
    used = [*(c for o in changes for c in o.changes), *outside]
    named |= dict.fromkeys(c.item for c in used)
    here = {*people, *(p for c in used for p in c.people)}
    return WeekView(
        week=week,
        first_day=monday,
        zone=plan.zone,
        currency=plan.currency,
        people=people,
        releases=tuple(entered),
        holds=tuple(holds),
        changes=changes,
        changes_outside=outside,
        promises=tuple(_promises(plan, first, until)),
        risks=tuple(_risks(plan, week, first, until)),
        starts=starts,
        finishes=finishes,
        titles={i: work[i].title for i in named if i in work},
        names={p: known[p].name for p in sorted(here) if p in known and known[p].name},
        projects={r.item: r.project for r in entered if r.project}
        | {h.item: h.project for h in holds if h.project}
        | {i: project for i in named if portfolio and (project := project_of(i, portfolio))},
    )


def _monday(week: str) -> date:
    return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)


def _shown(plan: Plan) -> Portfolio | None:
    return with_inserted(plan, plan.portfolio) if plan.portfolio else None


def _changes(
    plan: Plan, week: str, first: datetime, until: datetime
) -> tuple[tuple[Occurrence, ...], tuple[PlannedChange, ...]]:
    portfolio = _shown(plan)
    if portfolio is None or not any(w.change for w in portfolio.work.values()):
        return (), ()
    from throttle.changes import change_calendar  # it loads numpy

    calendar = change_calendar(plan, portfolio)
    outside = (c for c in calendar.outside if c.start < until and c.finish > first)
    return tuple(o for o in calendar.occurrences if o.week == week), tuple(outside)


def _promises(plan: Plan, first: datetime, until: datetime) -> Iterator[PromiseView]:
    """What is to finish this week, by plan, promise or due date; the earliest promise first."""
    found = []
    for id, project in plan.projects.items():
        moments = [m for m in (project.finish, project.promise, project.due) if m is not None]
        if any(first <= m < until for m in moments):
            found.append((project.promise or project.finish or until, id, project))
    for _, id, project in sorted(found, key=lambda f: f[:2]):
        yield PromiseView(
            project=id,
            title=project.title,
            finish=project.finish,
            promise=project.promise,
            due=project.due,
            late_weeks=project.late_weeks,
        )


def _risks(plan: Plan, week: str, first: datetime, until: datetime) -> Iterator[Risk]:
    for id, project in sorted(plan.projects.items(), key=lambda p: (-p[1].cost, p[0])):
        over = project.finish is not None and project.finish < first
        if project.late_weeks > 0 and project.start is not None and project.start < until and not over:
            text = f"{project.title or id} is planned to be {project.late_weeks:.1f} weeks late"
            yield Risk(kind="late", text=text, ids=(id,))
    for id, line in plan.fever.projects.items() if plan.fever else ():
        if line.points and line.points[-1].zone != "green":
            point = line.points[-1]
            text = f"{id} is {point.done:.0%} done and has used {point.used:.0%} of its buffer ({point.zone})"
            yield Risk(kind="buffer", text=text, ids=(id,))
    if plan.bottleneck is not None and week in plan.bottleneck.by_week:
        planned, there = plan.bottleneck.by_week[week]
        if there > 0 and planned >= FULL * there:
            text = f"{plan.bottleneck.name} is planned for {planned:,.0f} of {there:,.0f} hours"
            yield Risk(kind="bottleneck", text=text, ids=plan.bottleneck.people or plan.bottleneck.members)
    if plan.unscheduled:
        text = f"{plural(len(plan.unscheduled), 'item is', 'items are')} not in the plan; each hold says why"
        yield Risk(kind="left-out", text=text, ids=tuple(plan.unscheduled)[:100])


# ------------------------------------------------------------------------------------------------------- other formats

COLUMNS = (
    "week",
    "list",
    "day",
    "person",
    "item",
    "title",
    "project",
    "hours",
    "from",
    "to",
    "reason",
    "text",
    "value",
)


def week_csv(plan: Plan, view: WeekView) -> str:
    """The week as one table (RFC 4180): ``list`` says what a row is: work, release, hold, change, promise or risk."""
    from throttle.exports.csv import safe

    zone = ZoneInfo(plan.zone)
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)

    def local(moment: datetime | None) -> str:
        return moment.astimezone(zone).isoformat(timespec="minutes") if moment else ""

    def row(**cells: str) -> None:
        writer.writerow([safe(cells.get(c.strip("_"), cells.get(f"{c}_", ""))) for c in COLUMNS])

    def item(list: str, id: str, **cells: str) -> None:
        project = view.projects.get(id, "")
        row(week=view.week, list=list, item=id, title=view.titles.get(id, ""), project=project, **cells)

    for person, days in sorted(view.people.items()):
        for day, hours in sorted(days.items()):
            for id, spent in hours.items():
                item("work", id, day=day.isoformat(), person=person, hours=f"{spent:.10g}")
    for release in view.releases:
        begins = release.start.astimezone(zone).date().isoformat()
        cells = {"from": local(release.start), "value": f"{release.value:.10g}", "text": release.note}
        item("release", release.item, day=begins, **cells)
    for hold in view.holds:
        cells = {"from": local(hold.until), "reason": hold.reason.value, "text": hold.text}
        item("hold", hold.item, value=f"{hold.value:.10g}", **cells)
    inside = [(c, f"{o.window}, {local(o.start)} to {local(o.finish)}") for o in view.changes for c in o.changes]
    for change, where in [*inside, *((c, "outside windows") for c in view.changes_outside)]:
        cells = {"from": local(change.start), "to": local(change.finish), "text": where}
        item("change", change.item, person=" ".join(change.people), **cells)
    for promise in view.promises:
        due = f"due {local(promise.due)}" if promise.due else "no due date"
        told = f"planned {local(promise.finish) or 'never'}; {due}"
        row(
            week=view.week,
            list="promise",
            project=promise.project,
            title=promise.title,
            to=local(promise.promise),
            text=told,
        )
    for risk in view.risks:
        row(week=view.week, list="risk", item=" ".join(risk.ids), reason=risk.kind, text=risk.text)
    return out.getvalue()


def week_ics(plan: Plan, portfolio: Portfolio, view: WeekView) -> str:
    """The calendar entries of the week: work of everyone; as the whole plan's, with the same UIDs."""
    from throttle.exports.ics import to_ics

    zone = ZoneInfo(plan.zone)
    first = datetime.combine(view.first_day, time.min, zone).astimezone(UTC)
    until = datetime.combine(view.first_day + timedelta(days=7), time.min, zone).astimezone(UTC)
    return within(to_ics(plan, portfolio), first, until)


def within(calendar: str, first: datetime, until: datetime) -> str:
    """An iCalendar without the events that do not touch [first, until), which are UTC."""

    def kept(event: re.Match[str]) -> str:
        said = dict(_MOMENT.findall(event[0]))
        start, finish = (datetime.strptime(said[n], "%Y%m%dT%H%M%S%z") for n in ("DTSTART", "DTEND"))
        return event[0] if start < until and finish > first else ""

    return _EVENT.sub(kept, calendar)


_EVENT = re.compile(r"^BEGIN:VEVENT\r\n.*?^END:VEVENT\r\n", re.MULTILINE | re.DOTALL)
"""What goes on from a line before begins with a blank, so that no title is taken for a line of an event."""
_MOMENT = re.compile(r"^(DTSTART|DTEND):(\S+)", re.MULTILINE)
