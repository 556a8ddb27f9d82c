"""The throttle curve for the terminal and as a page."""

from __future__ import annotations

from rich.console import Console

from throttle import figures as t
from throttle.report.html import tag
from throttle.report.page import answer_page
from throttle.report.sections import curve as section
from throttle_models.curve import Curve, CurvePoint

BAR, ROOM = 12, 112
"""Length of a bar, and columns from which on there is room for it."""


def show_curve(console: Console, found: Curve) -> None:
    """Print what is recommended, and the figures of each limit with a bar of what decides."""
    t.fitted(console)
    console.print(t.line(section.title(found), "bold"))
    for one in found.limits:
        console.print(t.heading(f"{section.name(one).capitalize()}: {one.text}"))
        most = max(_decides(found, p) for p in one.points) or 1.0
        bars = console.width >= ROOM
        table = t.table(*section.HEADS, *([""] if bars else []))
        for point in one.points:
            marked = point.limit == one.recommended
            bar = ["#" * round(BAR * _decides(found, point) / most)] if bars else []
            t.add(table, *section.row(found, one, point), *bar, style="bold" if marked else "")
        t.put(console, table)
    for sentence in section.sentences(found):
        console.print(t.line(sentence, "dim"))


def page_of_curve(found: Curve) -> str:
    """The same as one HTML page, with the curves."""
    return answer_page(
        "Throttle curve",
        f"As of {t.day(found.as_of, found.zone)}, seed {found.seed}",
        f"Throttle. All times are in the zone {found.zone}.",
        tag("section", tag("h2", "How much to let in at once"), section.render(found)),
    )


def _decides(found: Curve, point: CurvePoint) -> float:
    return point.cost.mean if found.measure == "cost of delay" else point.lead.mean
