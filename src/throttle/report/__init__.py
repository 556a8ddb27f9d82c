"""The plan as one HTML file: no network, no script, usable by keyboard, on paper and on a phone.

A section is a module in ``sections`` with one function ``render`` and one line in :data:`SECTIONS`. Sections of what
was foreseen stand in it where the report is given a forecast, a curve and so on (``throttle.report.foreseen``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from throttle.report.foreseen import Answer, foreseen, other_plan
from throttle.report.html import Html, join, tag
from throttle.report.page import page
from throttle.report.sections import (
    basis,
    board,
    certificate,
    changes,
    curve,
    debts,
    elevate,
    fever,
    forecast,
    headline,
    hold,
    late,
    load,
    people,
    projects,
    reliance,
    unscheduled,
    week,
)
from throttle.report.view import View
from throttle_models import Plan, Portfolio


class Section(NamedTuple):
    ident: str
    """The fragment that links to it."""
    heading: str
    render: Callable[[View], Html]
    shown: Callable[[View], bool] = lambda _: True
    """Whether there is something to say."""


def _ahead(kind: str, heading: str, render: Callable[[Any], Html]) -> Section:
    """The section of an answer of this kind, where the report has one."""

    def told(view: View) -> Html:
        answer = view.foreseen[kind]
        doubt = other_plan(view.plan, answer)
        return join(tag("p", tag("strong", doubt)) if doubt else None, render(answer))

    return Section(kind, heading, told, lambda view: kind in view.foreseen)


SECTIONS = (
    Section("week", "This week", week.render),
    Section("hold", "Hold", hold.render),
    Section("board", "Release board", board.render),
    Section("late", "What will be late", late.render),
    Section("projects", "Plan by project", projects.render),
    Section("fever", "Use of buffers", fever.render),
    _ahead("forecast", "Forecast", forecast.render),
    _ahead("curve", "How much to let in", curve.render),
    _ahead("elevate", "What would elevate the bottleneck", elevate.render),
    _ahead("reliance", "On whom the plan leans", reliance.render),
    Section("people", "Plan by person", people.render),
    Section("load", "Load against capacity", load.render),
    Section("changes", "Changes by window", changes.render),
    Section("debts", "Technical debt", debts.render),
    Section("unscheduled", "Not scheduled", unscheduled.render),
    Section("basis", "What the plan rests on", basis.render),
    Section("certificate", "Certificate", certificate.render),
)
"""In the order of the questions that a manager asks; the headline stands above them all."""


def render_report(plan: Plan, portfolio: Portfolio, answers: Sequence[Answer] = ()) -> str:
    """The whole page. The same plan gives the same text; raises InputError where the portfolio is another plan's.

    answers: what was foreseen about the plan, each with a section of its own; InputError where one is about another
    portfolio.
    """
    view = View(plan, portfolio, foreseen(plan, answers))
    shown = [s for s in SECTIONS if s.shown(view)]
    links = [tag("li", tag("a", s.heading, href=f"#{s.ident}")) for s in shown]
    sections = [
        tag(
            "section",
            tag("h2", s.heading, id=f"{s.ident}-heading"),
            s.render(view),
            id=s.ident,
            aria_labelledby=f"{s.ident}-heading",
        )
        for s in shown
    ]
    return page(
        f"Throttle: plan for {view.week}",
        tag("a", "Skip to the plan", class_="skip", href="#main"),
        tag("header", headline.render(view)),
        tag("nav", tag("ul", *links), aria_label="Sections"),
        tag("main", *sections, id="main", tabindex="-1"),
        tag("footer", tag("p", f"Throttle. All times are in the zone {plan.zone}.")),
    )


__all__ = ["SECTIONS", "Section", "render_report"]
