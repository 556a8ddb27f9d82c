"""Throttle curve: what each limit on what is let in costs, with the one that is recommended."""

from __future__ import annotations

from throttle import figures as t
from throttle.report.html import Html, join, tag
from throttle.report.html import table as html_table
from throttle.report.pictures import Line
from throttle.report.pictures import curve as picture
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


def render(found: Curve) -> Html:
    """The whole section; each table is the text twin of the picture above it."""
    return join(
        tag("p", f"{title(found)}."),
        *(part for one in found.limits for part in _of(found, one)),
        *(tag("p", sentence, class_="note") for sentence in sentences(found)),
    )


def _of(found: Curve, one: Limits) -> tuple[Html, ...]:
    cost = found.measure == "cost of delay"
    figures = [p.cost if cost else p.lead for p in one.points]
    places = ["none" if p.limit is None else f"{p.limit:,.10g}" for p in one.points]
    mark = next((k for k, p in enumerate(one.points) if p.limit == one.recommended), len(one.points) - 1)
    line = Line(found.measure, [f.mean for f in figures], [f.low for f in figures], [f.high for f in figures])
    unit = found.currency if cost else "hours"
    above = f"{found.measure.capitalize()} by limit on {name(one)}, {found.runs:,} runs" + (f", {unit}" if unit else "")
    heads = [h.lstrip(">").capitalize() for h in HEADS]
    rows = [row(found, one, point) for point in one.points]
    return (
        tag("h3", name(one).capitalize()),
        tag("p", one.text[0].upper() + one.text[1:] + "."),
        picture(above, f"limit on {name(one)}; the marked one is recommended", places, [line], mark),
        html_table(f"The same as a table: {name(one)}", heads, rows, look="stack", kinds="wnnnnnn"),
    )


def title(found: Curve) -> str:
    return f"How much to let in at once, by {found.measure}: up to {found.runs:,} simulated runs of each limit"


def name(one: Limits) -> str:
    return "projects in process" if one.of == "projects" else "hours of rope"


def row(found: Curve, one: Limits, point: CurvePoint) -> tuple[str, ...]:
    """One cell for each of ``HEADS``."""
    figure = point.cost if found.measure == "cost of delay" else point.lead
    limit = "none" if point.limit is None else f"{point.limit:,.10g}"
    now = " (now)" if point.limit == one.now else ""
    star = " *" if point.limit == one.recommended else ""
    gap = point.difference
    return (
        f"{limit}{now}{star}",
        t.money(point.cost.mean),
        f"{t.money(figure.low)} to {t.money(figure.high)}",
        f"{point.lead.mean:,.1f}",
        f"{point.p85.mean:,.1f}",
        f"{point.throughput.mean:,.2f}",
        "-" if gap is None else f"{t.signed(gap.mean)} (±{t.money((gap.high - gap.low) / 2)})",
    )


def sentences(found: Curve) -> list[str]:
    if not found.limits:
        return ["There is nothing to limit: no more than one project has open work that can be planned."]
    said = [
        f"* recommended: a limit only where it beats none with {t.share(found.confidence)} confidence, in runs that "
        "had no part in choosing it.",
        "Runs begin what is let in as soon as they can, in the order of the plan without limits; throttle forecast "
        "keeps to the starts of a plan, so its costs are others.",
    ]
    if not found.switching:
        saves = any(one.recommended is not None for one in found.limits)
        said.append(
            "Switching is taken to cost nothing (simulation.switching)"
            + (
                ": what a limit saves here, it saves by keeping people free for what comes first in the plan."
                if saves
                else ": then a limit gains little, whatever the queues."
            )
        )
    if found.unfinished > 0.01:
        said.append(
            f"With the limit that leaves most undone, {t.share(found.unfinished)} of the items were not finished by "
            "the end of the runs, so its cost is too low."
        )
    return said
