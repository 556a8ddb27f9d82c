"""Planned hours against available hours, by set of skills and by week, with the bottleneck marked."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from throttle.report.chart import Row, Weeks, chart, legend
from throttle.report.html import Html, fold, join, left_out, table, tag, text
from throttle.report.view import View, hours, monday, queue, shorten
from throttle.wording import plural
from throttle_models import Load

_ROWS, _TABLE, _WEEKS = 30, 60, 52
_ROOM = 36
"""Height in pixels of a full bar."""


def render(view: View) -> Html:
    if not view.loads:
        return tag("p", "No remaining work needs anybody.", class_="none")
    used = sorted({week for load in view.loads for week, pair in load.by_week.items() if any(pair)})
    if not used:
        return _facts(view)
    first = datetime.combine(monday(used[0]), time(), view.zone)
    busy = [w for w in used if any(load.by_week.get(w, (0.0, 0.0))[0] > 0 for load in view.loads)] or used
    last = datetime.combine(monday(busy[-1]), time(), view.zone) + timedelta(days=5)
    weeks = Weeks.over(first, last, view.zone, _WEEKS)
    drawn = view.loads[:_ROWS]
    title = "Planned and available hours by set of skills and week"
    desc = f"{len(drawn)} rows, the bottleneck first, then by weeks of queue. The pale bar is what is available in the "
    desc += "week, the full one what is planned. The table below says the same."
    return join(
        tag(
            "p",
            "Work that only the holders of these skills can do, against their hours. A queue of weeks is what their "
            "remaining work would fill if they did nothing else.",
        ),
        legend(("drum", "planned, at the bottleneck"), ("c0", "planned"), ("free", "available"), ("now", "as of")),
        chart("load", title, desc, weeks, view.plan.as_of, [_row(view, load, weeks) for load in drawn]),
        left_out(len(view.loads) - len(drawn), "set", "the tables below go on"),
        weeks.note,
        fold("Who is in each set, and weeks of queue", _facts(view)),
        fold("Week by week as a table", _twin(view, Weeks.over(first, last, view.zone))),
    )


def _row(view: View, load: Load, weeks: Weeks) -> Row:
    drum = view.is_bottleneck(load)
    most = max((max(pair) for pair in load.by_week.values()), default=0.0) or 1.0
    step, marks = weeks.pixels, []
    for i, week in enumerate(weeks.names):
        planned, available = load.by_week.get(week, (0.0, 0.0))
        x, width = f"{i * step + 1:.1f}", f"{step - 2:.1f}"
        tip = text(f"{load.name}, {week}: {planned:,.1f} h planned of {available:,.1f} h available")
        if available > 0:
            height = available / most * _ROOM
            marks.append(
                f'<rect class="free" x="{x}" y="{42 - height:.1f}" width="{width}" height="{height:.1f}">'
                f"<title>{tip}</title></rect>"
            )
        if planned > 0:
            height = planned / most * _ROOM
            marks.append(
                f'<rect class="{"drum" if drum else "c0"}" x="{x}" y="{42 - height:.1f}" width="{width}" '
                f'height="{height:.1f}"><title>{tip}</title></rect>'
            )
    label = join(
        tag("span", tag("b", load.name), tag("span", "bottleneck", class_="badge") if drum else None),
        tag("small", f"{queue(load.weeks_of_queue)} \u00b7 {_who(view, load)}"),
    )
    return Row(label, Html("".join(marks)), "tall", drum)


def _who(view: View, load: Load) -> str:
    if load.kind == "environment":
        return "environment"
    if len(load.people) > 2:
        return plural(len(load.people), "person", "people")
    names = " and ".join(view.person(p) for p in load.people)
    return ", ".join(load.members) if names == load.name else names or "nobody"


def _facts(view: View) -> Html:
    rows = []
    for load in view.loads[:_TABLE]:
        badge = tag("span", "bottleneck", class_="badge") if view.is_bottleneck(load) else None
        nobody = "\u2013" if load.kind == "environment" else "nobody"
        rows.append((
            join(load.name, badge, between=" "),
            ", ".join(load.members),
            shorten(", ".join(view.person(p) for p in load.people), 200) or nobody,
            hours(load.work_hours),
            "no hours at all" if load.weeks_of_queue is None else f"{load.weeks_of_queue:,.1f}",
        ))  # fmt: skip
    heads = ("Set", "Skills with levels, or environment", "People", "Remaining work", "Weeks of queue")
    caption = "Sets of skills and environments: the bottleneck first, then by weeks of queue"
    return join(table(caption, heads, rows, kinds="wwwnn"), left_out(len(view.loads) - _TABLE, "row"))


def _twin(view: View, weeks: Weeks) -> Html:
    rows = [(load.name, *(_cell(load.by_week.get(week)) for week in weeks.names)) for load in view.loads[:_TABLE]]
    caption = "Hours planned / hours available, by ISO week"
    return join(
        table(caption, ("Set", *weeks.names), rows, kinds="w" + "n" * weeks.count),
        left_out(len(view.loads) - _TABLE, "row"),
        tag("p", f"Only {weeks.count} weeks are shown; plan.json has them all.", class_="note") if weeks.cut else None,
    )


def _cell(pair: tuple[float, float] | None) -> str:
    return "\u2013" if pair is None else f"{pair[0]:,.4g}\u00a0/\u00a0{pair[1]:,.4g}"
