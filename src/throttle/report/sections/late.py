"""What finishes when: the dates to promise, and what being late costs."""

from __future__ import annotations

from throttle.report.html import Html, fold, join, long_table, tag
from throttle.report.view import View, late
from throttle.wording import plural
from throttle_models import ProjectPlan

_SHOWN, _CAP = 40, 2000


def render(view: View) -> Html:
    projects = view.plan.projects
    if not projects:
        return tag("p", "No project and no item has a cost or a due date of its own.", class_="none")
    order = sorted(projects, key=lambda key: (*_rank(projects[key]), key))
    first = [k for k in order if k in view.portfolio.projects or projects[k].due is not None]
    others = [k for k in order if k not in set(first)]
    due = sum(p.due is not None for p in projects.values())
    tardy = sum(p.late_weeks > 0 for p in projects.values())
    stuck = sum(p.finish is None for p in projects.values())
    intro = f"{tardy:,} of {due:,} with a due date will be late." if due else "Nothing has a due date."
    if stuck:
        intro += f" {stuck:,} cannot be finished, because work in it is not scheduled."
    caption = (
        "Late first, then what cannot be finished, then by days to spare; promise = finish + buffers of the policy"
    )
    return join(
        tag("p", intro),
        _table(view, first, caption) if first else None,
        fold(
            f"{plural(len(others), 'single item')} with a cost and no due date",
            _table(view, others, "By cost"),
            open_=not first,
        )
        if others
        else None,
    )


def _rank(plan: ProjectPlan) -> tuple[int, float]:
    if plan.late_weeks > 0:
        return 0, -plan.cost
    if plan.finish is None:
        return 1, -plan.cost
    if plan.due is not None:
        return 2, (plan.due - plan.finish).total_seconds()
    return 3, -plan.cost


def _table(view: View, keys: list[str], caption: str) -> Html:
    rows = [
        (
            join(tag("span", key, class_="id"), " ", tag("bdi", view.title(key))),
            view.day(plan.finish),
            view.day(plan.promise),
            view.day(plan.due),
            _state(plan),
            view.money(plan.cost),
        )
        for key in keys
        for plan in (view.plan.projects[key],)
    ]
    heads = ("Project", "Finish", "Promise", "Due", "Against the due date", "Cost")
    return long_table(caption, heads, rows, shown=_SHOWN, cap=_CAP, look="stack lates", kinds="wtttwn")


def _state(plan: ProjectPlan) -> Html:
    stuck = f"{plural(plan.unscheduled, 'item')} not scheduled" if plan.finish is None else None
    if plan.late_weeks > 0:
        return tag("span", late(plan.late_weeks), f"; {stuck}" if stuck else None, class_="wrong")
    if stuck:
        return tag("span", stuck, class_="doubt")
    if plan.due is None or plan.finish is None:
        return tag("span", "no due date", class_="muted")
    days = (plan.due - plan.finish).total_seconds() / 86400
    return tag("span", f"on time, {plural(int(days), 'day')} to spare", class_="good")
