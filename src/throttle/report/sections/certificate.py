"""The certificate in full: what is proven, against what it was compared, and from which input it came."""

from __future__ import annotations

from throttle.report.html import Html, join, table, tag
from throttle.report.sections.headline import certificate_sentence
from throttle.report.view import View, share
from throttle.wording import plural
from throttle_models import Goal, PlanStatus, format_instant, format_minutes
from throttle_models.plan import Previous
from throttle_models.quantities import WORK

_STATUS = {
    PlanStatus.OPTIMAL: "optimal (proven)",
    PlanStatus.FEASIBLE: "feasible; not proven optimal",
    PlanStatus.INFEASIBLE: "infeasible: no plan exists",
    PlanStatus.UNKNOWN: "unknown: no plan was found",
}


def render(view: View) -> Html:
    plan = view.plan
    c = plan.certificate
    goals = [_goal(view, "Objective", c.objective), _goal(view, "Flow, due dates ignored", c.flow)]
    heads = ("Goal", "This plan", "Proven least", "Gap", "Proven best", "First come", "Greedy")
    verdict = "no violation found" if c.checked and not c.violations else f"{plural(c.violations, 'violation')} found"
    facts = [
        ("Status", _STATUS[c.status]),
        ("Independent checker", verdict if c.checked else f"not passed; {verdict}"),
        ("Items", f"{c.scheduled:,} scheduled, {c.unscheduled:,} not scheduled, {c.done:,} done or cancelled"),
        ("As of", f"{view.when(plan.as_of)}, {plan.zone} ({format_instant(plan.as_of)})"),
        ("Looked ahead until", view.when(plan.horizon)),
        ("Slot", format_minutes(plan.slot, WORK, "hm")),
        ("Seed", f"{c.seed}; {'deterministic' if c.deterministic else 'not deterministic'}"),
        ("Method", c.method),
        ("Input (SHA-256)", tag("code", c.input_hash)),
        ("Versions", ", ".join(f"{name} {version}" for name, version in sorted(c.versions.items()))),
        *((("Replan of", shorten_previous(view, plan.previous)),) if plan.previous else ()),
    ]
    return join(
        tag("p", *certificate_sentence(view)),
        table(
            "Gap: the share of this plan's cost above the proven least",
            heads,
            goals,
            look="stack",
            kinds="wnnnwnn",
        ),
        _order(view),
        tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts), class_="facts"),
        tag(
            "p",
            "Anybody can repeat the check: ",
            tag("code", "throttle verify plan.json"),
            " recomputes every rule and both goals without knowing how the plan was made.",
        ),
    )


def _goal(view: View, name: str, goal: Goal) -> tuple[str, ...]:
    amounts = [view.money(amount) for amount in (goal.value, goal.bound, goal.first_come, goal.greedy)]
    return (
        f"{name} ({goal.name})",
        *amounts[:2],
        share(goal.gap),
        "yes" if goal.proved else "no",
        *amounts[2:],
    )


def _order(view: View) -> Html | None:
    """The goals after the cost, and what each gave up for the next."""
    c = view.plan.certificate
    if not c.goals:
        return tag("p", f"{c.goals_note[:1].upper()}{c.goals_note[1:]}.", class_="note") if c.goals_note else None
    rows = [
        (
            goal.name if goal.unit in goal.name else f"{goal.name} ({goal.unit})",
            *(f"{figure(value)}" for value in (goal.found, goal.best, goal.value)),
            "yes" if goal.proved else "no",
            figure(goal.value - goal.best),
            share(goal.tolerance),
            "-" if goal.alone is None else figure(goal.alone),
            goal.note,
        )
        for goal in c.goals
    ]
    heads = ("Goal, in this order", "By cost alone", "Least found", "This plan", "Proven least")
    return table(
        "Each goal is sought with those before it kept; what it then gave up for later ones is within its tolerance",
        (*heads, "Given up", "May give up", "Without those before", "Not sought because"),
        rows,
        look="stack",
        kinds="wnnnwnnnw",
    )


def figure(value: float) -> str:
    """To one decimal, whole numbers as such."""
    return f"{value:,.1f}".removesuffix(".0")


def shorten_previous(view: View, previous: Previous) -> str:
    """What a replan started from, in a line."""
    moved = f"{len(previous.moves):,} starts moved, {previous.kept:,} kept"
    return f"the plan of {view.when(previous.as_of)} ({previous.input_hash[:12]}): {moved}"
