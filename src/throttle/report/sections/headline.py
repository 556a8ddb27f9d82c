"""What a manager sees first: the week, the bottleneck, and what the plan is worth, in one sentence each."""

from __future__ import annotations

from datetime import timedelta
from math import ceil

from throttle.report.html import Html, fold, join, table, tag, text
from throttle.report.sections.hold import not_to_begin
from throttle.report.view import MONTHS, View, hours, monday, queue, share, shorten
from throttle.wording import plural, some
from throttle_models import Goal, PlanStatus


def render(view: View) -> Html:
    plan, first = view.plan, monday(view.week)
    last = first + timedelta(days=6)
    begin = f"{first.day}" if first.month == last.month else f"{first.day} {MONTHS[first.month - 1]}"
    dates = f"{begin}\u2013{last.day} {MONTHS[last.month - 1]} {last.year}"
    return join(
        tag("p", f"Throttle \u00b7 weekly plan \u00b7 as of {view.when(plan.as_of)}, {plan.zone}", class_="over"),
        tag("h1", f"Week {first.isocalendar()[1]} ", tag("span", dates)),
        _bottleneck(view),
        _drum(view),
        _figures(view),
        tag(
            "div",
            tag("p", *certificate_sentence(view), class_="verdict" if _sound(view) else "verdict bad"),
            _comparison(view),
            class_="worth",
        ),
    )


def _sound(view: View) -> bool:
    certificate = view.plan.certificate
    return certificate.checked and not certificate.violations


def _bottleneck(view: View) -> Html:
    load = view.plan.bottleneck
    if load is None:
        return tag("p", "No bottleneck: no remaining work was found that anybody has to do.", class_="lead")
    who = [view.person(p) for p in load.people]
    if load.kind == "environment":
        about = f"an environment: {hours(load.work_hours)} of use"
    elif not who:
        about = f"{hours(load.work_hours)} of work that nobody can do"
    elif load.name == " and ".join(who):  # the set has no better name than its people
        about = f"{hours(load.work_hours)} of work that nobody else can do ({some(load.members, 4)})"
    else:
        about = f"{hours(load.work_hours)} of work that only {some(who, 4)} can do"
    name = tag("strong", shorten(load.name, 90))
    return tag("p", "The bottleneck is ", name, f", {about}, {queue(load.weeks_of_queue)}.", class_="lead")


def _drum(view: View) -> Html | None:
    """The bottleneck as it is named from plan to plan, where that tells more than the loads of this plan."""
    drum, load = view.plan.drum, view.plan.bottleneck
    if drum is None or load is None:
        return None
    who = some([view.person(p) for p in drum.people], 4) or drum.name
    same = drum.name == load.name if load.kind == "environment" else set(drum.people) == set(load.people)
    if drum.kind == load.kind and same:
        if drum.since >= view.plan.as_of:
            return None
        return tag(
            "p", f"The drum, {shorten(who, 90)}, has been the bottleneck since {view.when(drum.since)}.", class_="muted"
        )
    text = f"The drum stays {shorten(who, 90)}, as named on {view.when(drum.since)}: the bottleneck of this plan is "
    text += f"{share(drum.ahead)} ahead of it, and becomes the drum if it is 10\u00a0% ahead in two plans running."
    return tag("p", text, class_="muted")


def _figures(view: View) -> Html:
    plan = view.plan
    goal = plan.certificate.objective
    late = sum(project.late_weeks > 0 for project in plan.projects.values())
    due = sum(project.due is not None for project in plan.projects.values())
    figures = (
        ("Let in", f"{len(plan.releases):,}", "to begin this week"),
        ("Hold", f"{len(plan.holds):,}", not_to_begin(view)),
        ("Late", f"{late:,}", f"of {due:,} with a due date"),
        (
            "Not scheduled",
            f"{len(plan.unscheduled):,}",
            f"of {plural(len(plan.items) + len(plan.unscheduled), 'open item')}",
        ),
        ("Cost of delay", view.money(goal.value), "of the whole plan"),
    )
    cells = [
        tag("div", tag("dt", name), tag("dd", tag("b", value), " ", tag("span", what))) for name, value, what in figures
    ]
    return tag("dl", *cells, class_="figures")


def certificate_sentence(view: View) -> list[str]:
    """The certificate in words: value, both baselines, what is proven, and the checker's verdict."""
    certificate = view.plan.certificate
    goal = certificate.objective
    if certificate.status in (PlanStatus.INFEASIBLE, PlanStatus.UNKNOWN):
        return [tag("b", "No plan: "), f"the status is {certificate.status.value}."]
    verdict = (
        tag("b", "Verified. ", class_="good")
        if _sound(view)
        else tag(
            "b", f"Not verified: {plural(certificate.violations, 'violation')}. Do not use this plan. ", class_="wrong"
        )
    )
    compared = [
        _compared(goal.value, other, f"{name} ({view.money(other)})")
        for other, name in ((goal.first_come, "first come, first served"), (goal.greedy, "the greedy rule"))
    ]
    return [
        verdict,
        f"This plan costs {view.money(goal.value)} of delay: {compared[0]} and {compared[1]}. ",
        proven(view, goal),
        " The independent checker found no violation." if _sound(view) else "",
    ]


def _compared(value: float, other: float, name: str) -> str:
    if value == other:
        return f"as much as {name}"
    if not other:
        return f"more than {name}"
    change = (other - value) / abs(other)
    if abs(change) < 0.0005:
        return f"as good as the same as {name}"
    return f"{share(abs(change))} {'less' if change > 0 else 'more'} than {name}"


def proven(view: View, goal: Goal) -> str:
    """What is known of the best that any plan could do."""
    if goal.proved:
        return "It is proven that no plan costs less."
    if goal.gap >= 0.9995:
        return "How much less another plan could cost is not proven."
    most = ceil(goal.gap * 1000 - 1e-6) / 1000  # rounded up, for it is a promise
    return f"Any plan costs at least {view.money(goal.bound)}, so at most {share(most)} of it could still be saved."


def _comparison(view: View) -> Html:
    goal = view.plan.certificate.objective
    bars = (
        ("Any plan, at least", goal.bound, "low"),
        ("This plan", goal.value, "this"),
        ("Greedy rule", goal.greedy, "other"),
        ("First come, first served", goal.first_come, "other"),
    )
    most = max(value for _, value, _ in bars) or 1.0
    parts = []
    for i, (name, value, class_) in enumerate(bars):
        y, width = 20 * i, max(value, 0.0) / most * 200
        parts.append(f'<text class="name" x="0" y="{y + 14}">{text(name)}</text>')
        parts.append(f'<rect class="{class_}" x="154" y="{y + 4}" width="{width:.1f}" height="13"/>')
        parts.append(f'<text x="{160 + width:.1f}" y="{y + 14}">{text(view.money(value))}</text>')
    words = "; ".join(f"{name}: {view.money(value)}" for name, value, _ in bars)
    picture = tag(
        "svg",
        tag("title", "Cost of delay of this plan and of others", id="comparison-title"),
        tag("desc", f"Bars from the least to the most. {words}.", id="comparison-desc"),
        Html("".join(parts)),
        role="img",
        aria_labelledby="comparison-title comparison-desc",
        viewBox="0 0 475 84",
        class_="comparison",
    )
    twin = table(
        "Cost of delay of this plan and of others",
        ("Plan", "Cost"),
        [(n, view.money(v)) for n, v, _ in bars],
        kinds="wn",
    )
    return tag("figure", picture, fold("As a table", twin))
