"""What to let in this week, and who does what on which day."""

from __future__ import annotations

from datetime import date, timedelta

from throttle.report.html import Html, fold, join, left_out, long_table, tag
from throttle.report.view import View, hours, monday, shorten
from throttle.wording import plural
from throttle_models.people import WEEKDAYS

_SHOWN, _CAP = 25, 2000
_SHOWN_PEOPLE, _PEOPLE = 60, 600


def render(view: View) -> Html:
    return join(_releases(view), _people(view))


def _releases(view: View) -> Html:
    releases = sorted(view.plan.releases, key=lambda r: (-r.value, r.start, r.item))
    intro = f"{plural(len(releases), 'item')} to let in."
    if not releases:
        return join(tag("h3", "Let in"), tag("p", "Nothing new begins this week.", class_="none"))
    rows = [
        (
            view.item(r.item),
            view.project(r.project),
            view.when(r.start),
            shorten(view.crew(r.item), 80) or "nobody needed",
            view.delay(r.value),
        )
        for r in releases
    ]
    heads = ("Item", "Project", "Starts", "People", "A week's delay costs")
    return join(
        tag("h3", "Let in"),
        tag("p", intro),
        long_table("Most valuable first", heads, rows, shown=_SHOWN, cap=_CAP, look="stack releases", kinds="wwtwn"),
    )


def _people(view: View) -> Html:
    week = next((w for w in view.plan.weeks if w.week == view.week), None)
    head = tag("h3", "People by day")
    if week is None or not week.people:
        return join(head, tag("p", "Nobody has planned work this week.", class_="none"))
    days = [monday(view.week) + timedelta(days=i) for i in range(7)]
    worked = {day for plan in week.people.values() for day, jobs in plan.items() if jobs}
    days = [day for i, day in enumerate(days) if i < 5 or day in worked]

    def place(person: str) -> tuple[bool, str, str]:
        known = view.portfolio.people.get(person)
        return person not in view.drum_people, (known.team or "") if known else "", person

    order = sorted((p for p, plan in week.people.items() if any(plan.values())), key=place)
    rows = [
        (
            _name(view, person),
            *(_jobs(view, week.people[person].get(day, {})) for day in days),
            _total(week.people[person]),
        )
        for person in order[:_PEOPLE]
    ]
    busy = set(order)
    idle = [view.person(p) for p in view.portfolio.people if p not in busy]
    heads = ["Person", *(f"{WEEKDAYS[day.weekday()]} {day.day}" for day in days), "Week"]
    caption = f"Hours by item and day in {view.week} ({view.plan.zone}); people at the bottleneck first, then by team"
    return join(
        head,
        long_table(caption, heads, rows, shown=_SHOWN_PEOPLE, cap=_PEOPLE, look="days", kinds="w" * len(days) + "wn"),
        left_out(len(order) - _PEOPLE, "person", several="people"),
        fold(f"Without planned work this week: {len(idle):,}", tag("p", shorten(", ".join(idle), 4000)))
        if idle
        else None,
    )


def _name(view: View, person: str) -> Html:
    known = view.portfolio.people.get(person)
    drum = tag("span", "bottleneck", class_="badge") if person in view.drum_people else None
    team = tag("small", shorten(known.team, 40)) if known and known.team else None
    return join(tag("bdi", view.person(person)), drum, team, between=" ")


def _jobs(view: View, jobs: dict[str, float]) -> str:
    return join(
        *(tag("div", view.item(i, 40), " ", tag("span", hours(h), class_="h"), class_="job") for i, h in jobs.items())
    )


def _total(days: dict[date, dict[str, float]]) -> str:
    return hours(sum(sum(jobs.values()) for jobs in days.values()))
