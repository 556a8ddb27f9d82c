"""Gantt chart by person: who works on what, and when they are away."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from throttle.report.chart import Row, Weeks, bar, chart, legend, write
from throttle.report.html import Html, fold, join, left_out, long_table, tag
from throttle.report.view import View, hours, merged, shorten
from throttle.wording import plural

_ROWS, _CAP, _COLORS, _LANES = 60, 5000, 7, 4
_DAY = timedelta(hours=18)
_WEEKS = 26
"""Further ahead, bars of days are too narrow to read."""


def render(view: View) -> Html:
    if not view.work_of:
        return tag("p", "Nobody has planned work.", class_="none")
    drawn = list(view.work_of)[:_ROWS]
    last = max(job.work[-1][1] for person in drawn for job in view.work_of[person])
    weeks = Weeks.over(view.plan.as_of, last, view.zone, _WEEKS)
    colors = _colors(view)
    title = f"Plan by person, week by week ({view.plan.zone})"
    desc = f"{plural(len(drawn), 'row')}: people at the bottleneck first, then the busiest. Each bar is an item, dark "
    desc += "while the person works on it. The table below says the same."
    rows = [_row(view, person, weeks, colors) for person in drawn]
    names = {g.key: g.title for g in view.groups}
    keys = [(f"c{i}", names.get(k) or "Work without a project") for k, i in colors.items() if i < _COLORS]
    return join(
        legend(*keys, (f"c{_COLORS}", "everything else"), ("away", "away"), ("now", "as of")),
        chart("by-person", title, desc, weeks, view.plan.as_of, rows),
        left_out(len(view.work_of) - len(drawn), "person", "the table below goes on", "people"),
        weeks.note,
        fold("People as a table", _twin(view)),
    )


def _colors(view: View) -> dict[str | None, int]:
    """The most costly projects have a colour each, all others share one."""
    keys = [g.key for g in view.groups if g.key in view.portfolio.projects]
    return {key: min(i, _COLORS) for i, key in enumerate(keys)}


def _row(view: View, person: str, weeks: Weeks, colors: dict[str | None, int]) -> Row:
    ends: list[datetime] = []
    marks = []
    for first, last in _away(view, person):
        marks.append(bar(weeks, first, last, 0, 22, "away", f"{view.person(person)} is away"))
    for item, part, work in view.work_of[person]:
        start, finish = work[0][0], work[-1][1]
        lane = next((i for i, end in enumerate(ends) if end <= start), len(ends))
        lane = min(lane, _LANES - 1)
        ends[lane : lane + 1] = [max(finish, ends[lane]) if lane < len(ends) else finish]
        project = view.project_of(item)
        color = f"c{colors.get(project, _COLORS)}"
        tip = f"{item} {shorten(view.portfolio.work[item].title, 120)}: {view.span(start, finish)}"
        tip += f", {part:.0%}" if part < 1 else ""
        y = 4 + 15 * lane
        pieces = merged(list(work), _DAY)
        if len(pieces) > 1:
            marks.append(bar(weeks, start, finish, y + 5, 4, f"pale {color}", tip))
        marks += [bar(weeks, a, b, y, 13, color, tip) for a, b in pieces]
        a, b = pieces[0]
        if weeks.x(b) - weeks.x(a) > 6.2 * len(item) + 6:
            marks.append(write(weeks.x(a) + 4, y + 10, item, "on"))
    badge = tag("span", "bottleneck", class_="badge") if person in view.drum_people else None
    label = join(tag("bdi", view.person(person)), badge, between=" ")
    return Row(label, join(*marks), f"l{max(1, len(ends))}", person in view.drum_people)


def _away(view: View, person: str) -> list[tuple[datetime, datetime]]:
    known = view.portfolio.people.get(person)
    if known is None:
        return []
    calendars = view.portfolio.calendars
    calendar = calendars.get(known.calendar or next(iter(calendars), ""))
    zone = ZoneInfo(calendar.zone) if calendar and calendar.zone else view.zone
    return [
        (datetime.combine(d.first, time(), zone), datetime.combine(d.last + timedelta(days=1), time(), zone))
        for d in known.away
    ]


def _twin(view: View) -> Html:
    rows = [
        (
            tag("bdi", view.person(person)),
            view.item(job.item),
            view.when(job.work[0][0]),
            view.when(job.work[-1][1], end=True),
            hours(job.hours),
            f"{job.share:.0%}",
        )
        for person, jobs in view.work_of.items()
        for job in jobs
    ]
    heads = ("Person", "Item", "From", "To", "Work", "Share of time")
    caption = f"Who works on what ({view.plan.zone}); people at the bottleneck first, then the busiest"
    return long_table(caption, heads, rows, shown=100, cap=_CAP, kinds="wwttnn")
