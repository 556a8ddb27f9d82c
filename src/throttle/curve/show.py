"""The throttle curve for the terminal and as a page."""

from __future__ import annotations

from rich.console import Console

from throttle.report.html import table as html_table
from throttle.report.html import tag
from throttle.report.page import answer_page
from throttle.report.pictures import Line, curve
from throttle.scenarios import text as t
from throttle_models.curve import Curve, CurvePoint, Limits

HEADS = (
    "limit",
    ">cost of delay",
    ">95 % sure",
    ">lead time, h",
    ">p85 of projects, days",
    ">items a week",
    ">against none",
)
BAR = 24


def show_curve(console: Console, found: Curve) -> None:
    """Print what is recommended, and the figures of each limit with a bar of what decides."""
    console.print(t.line(_title(found), "bold"))
    for one in found.limits:
        console.print(t.heading(f"{_name(one).capitalize()}: {one.text}"))
        most = max(_decides(found, p) for p in one.points) or 1.0
        table = t.table(*HEADS, "")
        for point in one.points:
            marked = point.limit == one.recommended
            bar = "#" * round(BAR * _decides(found, point) / most)
            t.add(table, *_row(found, one, point), bar, style="bold" if marked else "")
        console.print(table)
    for sentence in _sentences(found):
        console.print(t.line(sentence, "dim"))


def page_of_curve(found: Curve) -> str:
    """The same as one HTML page, with the curves."""
    parts = []
    for one in found.limits:
        cost = found.measure == "cost of delay"
        figures = [p.cost if cost else p.lead for p in one.points]
        places = ["none" if p.limit is None else f"{p.limit:g}" for p in one.points]
        mark = next(k for k, p in enumerate(one.points) if p.limit == one.recommended)
        line = Line(found.measure, [f.mean for f in figures], [f.low for f in figures], [f.high for f in figures])
        unit = found.currency if cost else "hours"
        title = f"{found.measure.capitalize()} by limit on {_name(one)}" + (f", {unit}" if unit else "")
        rows = [_row(found, one, point) for point in one.points]
        parts.append(
            tag(
                "section",
                tag("h2", _name(one).capitalize()),
                tag("p", one.text[0].upper() + one.text[1:] + "."),
                curve(title, f"limit on {_name(one)}; the marked one is recommended", places, [line], mark),
                html_table(
                    f"The same as a table: {_name(one)}",
                    [h.lstrip(">").capitalize() for h in HEADS],
                    rows,
                    kinds="wnnnnnn",
                ),
            )
        )
    return answer_page(
        "Throttle curve",
        _title(found),
        f"Throttle. All times are in the zone {found.zone}.",
        *parts,
        tag("section", *(tag("p", s) for s in _sentences(found))),
    )


def _title(found: Curve) -> str:
    return f"How much to let in at once, by {found.measure}: {found.runs:,} simulated runs of each limit"


def _name(one: Limits) -> str:
    return "projects in process" if one.of == "projects" else "hours of rope"


def _decides(found: Curve, point: CurvePoint) -> float:
    return point.cost.mean if found.measure == "cost of delay" else point.lead.mean


def _row(found: Curve, one: Limits, point: CurvePoint) -> tuple[str, ...]:
    figure = point.cost if found.measure == "cost of delay" else point.lead
    name = "none" if point.limit is None else f"{point.limit:g}"
    now = " (now)" if point.limit == one.now else ""
    star = " *" if point.limit == one.recommended else ""
    gap = point.difference
    return (
        f"{name}{now}{star}",
        t.money(point.cost.mean),
        f"{t.money(figure.low)} to {t.money(figure.high)}",
        f"{point.lead.mean:,.1f}",
        f"{point.p85.mean:,.1f}",
        f"{point.throughput.mean:,.2f}",
        "-" if gap is None else f"{t.signed(gap.mean)} ({t.range_of(gap.low, gap.high)})",
    )


def _sentences(found: Curve) -> list[str]:
    said = [
        f"* recommended: a limit only where it beats none with {found.confidence:.0%} confidence, in runs that "
        "had no part in choosing it."
    ]
    if not found.switching:
        said.append(
            "Switching is taken to cost nothing (simulation.switching): then a limit gains little, whatever the queues."
        )
    if found.unfinished > 0.01:
        said.append(f"{t.share(found.unfinished)} of the items were not finished by the end of the runs.")
    return said
