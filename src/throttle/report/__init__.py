"""The plan as one HTML file: no network, no script, usable by keyboard, on paper and on a phone.

A section is a module in ``sections`` with one function ``render`` and one line in :data:`SECTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from throttle.report.html import Html, tag
from throttle.report.page import page
from throttle.report.sections import (
    basis,
    board,
    certificate,
    changes,
    debts,
    fever,
    headline,
    hold,
    late,
    load,
    people,
    projects,
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


SECTIONS = (
    Section("week", "This week", week.render),
    Section("hold", "Hold", hold.render),
    Section("board", "Release board", board.render),
    Section("late", "What will be late", late.render),
    Section("projects", "Plan by project", projects.render),
    Section("fever", "Use of buffers", fever.render),
    Section("people", "Plan by person", people.render),
    Section("load", "Load against capacity", load.render),
    Section("changes", "Changes by window", changes.render),
    Section("debts", "Technical debt", debts.render),
    Section("unscheduled", "Not scheduled", unscheduled.render),
    Section("basis", "What the plan rests on", basis.render),
    Section("certificate", "Certificate", certificate.render),
)
"""In the order of the questions that a manager asks; the headline stands above them all."""


def render_report(plan: Plan, portfolio: Portfolio) -> str:
    """The whole page. The same plan gives the same text; raises InputError where the portfolio is another plan's."""
    view = View(plan, portfolio)
    links = [tag("li", tag("a", s.heading, href=f"#{s.ident}")) for s in SECTIONS]
    sections = [
        tag(
            "section",
            tag("h2", s.heading, id=f"{s.ident}-heading"),
            s.render(view),
            id=s.ident,
            aria_labelledby=f"{s.ident}-heading",
        )
        for s in SECTIONS
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
