"""Feedback for the terminal and as a page."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from throttle import figures as t
from throttle.buffers.show import show_fever
from throttle.documents import render_yaml
from throttle.report.html import join, tag
from throttle.report.html import table as html_table
from throttle.report.page import answer_page
from throttle.report.sections.fever import picture
from throttle.wording import plural
from throttle_models import Fever
from throttle_models.feedback import Bias, Coverage, Feedback

ROWS = 12
NONE = "None: too little has happened, or what was assumed is near enough."
"""Instead of proposals."""
Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]


def show_feedback(console: Console, found: Feedback) -> None:
    """Print how right forecasts, estimates and the reserve were, and what is proposed."""
    console.print(t.line(_title(found), "bold"))
    t.show_tables(console, _tables(found), ROWS)
    if (fever := _fever(found)) is not None:
        console.print(t.line(""))
        show_fever(console, fever, found.zone)
    for note in found.notes:
        console.print(t.line(f"Note: {note}.", "dim"))
    console.print(t.heading("Proposals"))
    if not found.proposals:
        console.print(t.line(NONE))
        return
    for one in found.proposals:
        console.print(t.line(f"{one.name}: {one.why} ({plural(one.samples, 'sample')})"))
    for line in render_yaml(found.patch).strip().splitlines():
        console.print(t.line(line))


def page_of_feedback(found: Feedback) -> str:
    """The same as one HTML page."""
    parts = [
        html_table(heading, [h.lstrip(">") for h in heads], rows, kinds="".join("wn"[h[0] == ">"] for h in heads))
        for heading, heads, rows in _tables(found)
        if rows
    ]
    if (fever := _fever(found)) is not None:
        parts.append(join(tag("h2", "Fever chart"), picture(fever)))
    proposed = [tag("p", f"{p.name}: {p.why} ({plural(p.samples, 'sample')}).") for p in found.proposals]
    if proposed:
        proposed.append(tag("pre", render_yaml(found.patch).strip()))
    else:
        proposed.append(tag("p", NONE, class_="none"))
    return answer_page(
        "Feedback",
        _title(found),
        f"Throttle. All times are in the zone {found.zone}.",
        tag("section", *parts),
        tag("section", tag("h2", "Proposals"), *proposed),
        tag("section", *(tag("p", f"Note: {note}.", class_="note") for note in found.notes)),
    )


def _fever(found: Feedback) -> Fever | None:
    """The fever chart where it has a point."""
    fever = found.fever
    return fever if fever is not None and any(line.points for line in fever.projects.values()) else None


def _title(found: Feedback) -> str:
    return f"{plural(len(found.plans), 'plan')} against what happened until {t.day(found.as_of, found.zone)}"


def _tables(found: Feedback) -> Sequence[Table]:
    return [
        (
            "Forecasts that have come due",
            (">should be kept", ">due", ">kept", ">share", ">95 % sure"),
            [_covered(one) for one in found.coverage],
        ),
        (
            "Plan by plan",
            ("as of", ">weeks ago", ">finished", ">open, though due", ">median days late"),
            [
                (
                    t.day(one.as_of, found.zone),
                    f"{one.weeks:.1f}",
                    str(one.finished),
                    str(one.open),
                    "-" if one.late_days is None else f"{one.late_days:+.1f}",
                )
                for one in found.plans
            ],
        ),
        (
            f"Actual against estimate ({found.basis})",
            ("of", "by", ">items", ">times the estimate", ">95 % sure", ">10 % to 90 %", ">above high", ">below low"),
            [_bias(one) for one in found.estimates],
        ),
        (
            f"Unplanned work by week; the reserve sufficed in {t.share(found.reserve.covered)} of them",
            ("week", ">hours", ">kept"),
            [(w.week, f"{w.hours:,.1f}", f"{w.kept:,.1f}") for w in found.reserve.weeks],
        ),
    ]


def _covered(one: Coverage) -> tuple[str, ...]:
    sure = "-" if one.low is None or one.high is None else f"{t.share(one.low)} to {t.share(one.high)}"
    return t.share(one.level), str(one.due), str(one.kept), t.share(one.share), sure


def _bias(one: Bias) -> tuple[str, ...]:
    name = one.name if one.of == "all" else f"{one.of} {one.name}"
    sure = f"{one.low:.2f} to {one.high:.2f}" if one.count > 1 else "-"
    spread = f"{one.p10:.2f} to {one.p90:.2f}"
    return name, one.basis, str(one.count), f"{one.ratio:.2f}", sure, spread, t.share(one.above), t.share(one.below)
