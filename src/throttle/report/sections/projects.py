"""Gantt chart by project, and inside each project by item."""

from __future__ import annotations

from datetime import datetime, timedelta

from throttle.report.chart import WIDTH, Row, Weeks, bar, chart, legend, write
from throttle.report.html import Html, fold, join, left_out, long_table, tag
from throttle.report.view import Group, View, hours, merged, shorten
from throttle.wording import plural

_ROWS, _CAP = 40, 5000
_OPENED, _ITEM_ROWS, _ITEM_CAP = 25, 40, 400
_DAY = timedelta(hours=18)
"""Work with less than this between is one bar: nights are not gaps, weekends are."""


def render(view: View) -> Html:
    groups = [g for g in view.groups if g.items]
    if not groups:
        return tag("p", "Nothing is scheduled.", class_="none")
    drawn = groups[:_ROWS]
    weeks = Weeks.over(view.plan.as_of, max(_ends(view, drawn)), view.zone)
    title = f"Plan by project, week by week ({view.plan.zone})"
    desc = f"{plural(len(drawn), 'row')}, the highest cost of delay first. A bar runs from a project's first start to "
    desc += (
        "its last finish, dark where somebody works on it. A diamond is the due date. The table below says the same."
    )
    rows = [_project_row(view, g, weeks) for g in drawn]
    keys = [("c0", "work"), ("pale c0", "open, nobody works on it"), ("due", "due"), ("overdue", "due, and missed")]
    keys += [("promise", "promise")] if any(map(_promise, drawn)) else []
    keys.append(("now", "as of"))
    several = [g for g in groups if len(g.items) > 1]
    return join(
        legend(*keys),
        chart("by-project", title, desc, weeks, view.plan.as_of, rows),
        left_out(len(groups) - len(drawn), "project", "the table below has them"),
        weeks.note,
        fold("Projects as a table", _project_table(view, groups)),
        tag("h3", "Inside the projects", class_="screen") if several else None,
        *(_inside(view, group, i) for i, group in enumerate(several[:_OPENED])),
        left_out(len(several) - _OPENED, "project"),
    )


def _ends(view: View, groups: list[Group]) -> list[datetime]:
    """What must be seen: finishes and promises, and due dates that are not far beyond all of them."""
    last = max(view.plan.items[i].finish for g in groups for i in g.items)
    promises = [g.plan.promise for g in groups if g.plan.promise]
    return [last, *promises, *(g.plan.due for g in groups if g.plan.due and g.plan.due <= last + timedelta(weeks=6))]


def _project_row(view: View, group: Group, weeks: Weeks) -> Row:
    items = [view.plan.items[i] for i in group.items]
    start, finish = min(i.start for i in items), max(i.finish for i in items)
    pieces = merged([piece for item in items for a in item.assignments for piece in a.work], _DAY)
    marks = [bar(weeks, start, finish, 5, 12, "pale c0", f"{group.title}: {view.span(start, finish)}")]
    marks += [bar(weeks, a, b, 5, 12, "c0", f"{group.title}: {view.span(a, b)}") for a, b in pieces]
    if (promise := _promise(group)) and weeks.shows(promise):
        x = weeks.x(promise)
        marks.append(Html(f'<path class="promise" d="M{x:g} 3v16"><title>Promise {view.day(promise)}</title></path>'))
    marks.append(due_mark(view, weeks, group.plan.due, group.plan.late_weeks > 0))
    return Row(tag("bdi", group.title), join(*marks))


def _promise(group: Group) -> datetime | None:
    """The promise, where a buffer sets it apart from the finish."""
    return group.plan.promise if group.plan.promise != group.plan.finish else None


def due_mark(view: View, weeks: Weeks, due: datetime | None, is_late: bool) -> Html:
    """A diamond; on the edge with an arrow's shape where the date lies outside the weeks drawn."""
    if due is None:
        return Html("")
    x, kind = weeks.x(due), "overdue" if is_late else "due"
    if weeks.shows(due):
        shape = f"M{x:g} 4l7 7l-7 7l-7 -7z"
    elif x == 0:
        shape = "M0 11l8 -6v12z"
    else:
        shape = f"M{x:g} 11l-8 -6v12z"
    return Html(f'<path class="{kind}" d="{shape}"><title>Due {view.day(due)}</title></path>')


def _project_table(view: View, groups: list[Group]) -> Html:
    rows = [
        (
            g.title,
            view.when(g.plan.start) if g.plan.start else "\u2013",
            view.when(g.plan.finish, end=True) if g.plan.finish else "not complete",
            view.day(g.plan.promise),
            view.day(g.plan.due),
            f"{len(g.items):,}",
            hours(sum(view.hours(i) for i in g.items)),
        )
        for g in groups[:_CAP]
    ]
    heads = ("Project", "First start", "Last finish", "Promise", "Due", "Items", "Work")
    caption = f"Projects in the picture's order ({view.plan.zone})"
    return join(
        long_table(caption, heads, rows, shown=60, cap=_CAP, kinds="wttttnn"), left_out(len(groups) - _CAP, "project")
    )


def _inside(view: View, group: Group, number: int) -> Html:
    items = group.items[:_ITEM_ROWS]
    spans = [view.plan.items[i] for i in items]
    weeks = Weeks.over(view.plan.as_of, max(s.finish for s in spans), view.zone)
    rows = []
    for item, planned in zip(items, spans, strict=True):
        crew = view.crew(item)
        work = merged([piece for a in planned.assignments for piece in a.work], _DAY)
        tip = f"{item}: {view.span(planned.start, planned.finish)}{', ' + crew if crew else ''}"
        color = "drum" if any(a.person in view.drum_people for a in planned.assignments) else "c0"
        marks = [bar(weeks, planned.start, planned.finish, 5, 12, f"pale {color}", tip)]
        marks += [bar(weeks, a, b, 5, 12, color, tip) for a, b in work]
        if crew:
            words = shorten(crew, 30)
            x = weeks.x(planned.finish) + 5
            fits = x + 6 * len(words) < WIDTH
            before = weeks.x(planned.start) - 5
            if fits:
                marks.append(write(x, 15, words, "who"))
            elif before > 6 * len(words):
                marks.append(write(before, 15, words, "who end"))
        due = view.portfolio.work[item].due
        if due is not None:
            when = due.resolve(view.as_of, view.zone, end_of_day=True)
            marks.append(due_mark(view, weeks, when, planned.finish > when))
        rows.append(Row(view.item(item, 60), join(*marks)))
    title = f"Plan of {group.title}, week by week ({view.plan.zone})"
    desc = f"{plural(len(rows), 'item')} by start, each with its people. The table below says the same."
    table_rows = [
        (
            view.item(i),
            view.when(p.start),
            view.when(p.finish, end=True),
            hours(view.hours(i)),
            view.crew(i) or "nobody needed",
        )
        for i in group.items[:_ITEM_CAP]
        for p in (view.plan.items[i],)
    ]
    heads = ("Item", "Start", "Finish", "Work", "People")
    caption = f"Items of {group.title} by start ({view.plan.zone})"
    finish = f"finish {view.day(group.plan.finish)}" if group.plan.finish else "not complete"
    summary = join(
        tag("b", tag("bdi", group.title)),
        tag("span", f" {plural(len(group.items), 'item')} \u00b7 {finish}", class_="muted"),
    )
    return tag(
        "details",
        tag("summary", summary),
        legend(("c0", "work"), ("drum", "work of people at the bottleneck"), ("due", "due"), ("now", "as of")),
        chart(f"project-{number}", title, desc, weeks, view.plan.as_of, rows),
        left_out(len(group.items) - _ITEM_ROWS, "item", "the table below goes on"),
        weeks.note,
        fold(
            "As a table",
            long_table(caption, heads, table_rows, shown=60, cap=_ITEM_CAP, kinds="wttnw"),
            left_out(len(group.items) - _ITEM_CAP, "item"),
        ),
        class_="group",
    )
