"""Forecast: dates with their chances as fans, where the time goes, what moves each date, and the expected fever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from throttle import figures as t
from throttle.report.html import Html, join, left_out, long_table, tag, text
from throttle.report.pictures import Bar, bars
from throttle.report.sections import fever
from throttle.wording import plural
from throttle_models.forecast import Chance, FeverExpected, Forecast, ProjectForecast

_LABEL, _WIDE, _ROW, _HEAD, _FOOT = 220, 620, 26, 8, 30
_DRAWN, _SHOWN, _CAP = 40, 15, 2000
RISKS, FEVER = 5, 8
"""Told of each project in a table."""
_CURVES, _MARGIN, _APART = 8, 200, 13
"""Projects of the fever chart; room for their names, and least distance of these."""


def render(found: Forecast) -> Html:
    """The whole section; the table of dates is the text twin of the picture."""
    named = in_order(found)
    return join(
        tag("p", lead(found)),
        _fans(found, named[:_DRAWN]),
        left_out(len(named) - _DRAWN, "project", "the table below has them"),
        long_table(
            "The same as a table",
            HEADS,
            [row(found, id, one) for id, one in named],
            shown=_SHOWN,
            cap=_CAP,
            look="stack",
            kinds="wttttnnn",
        ),
        _where(found),
        _risks(named),
        _fever(found, named),
        tag("h3", "What it rests on"),
        tag("ul", *(tag("li", sentence) for sentence in (*found.assumptions, *(f.message for f in found.findings)))),
    )


HEADS = ("Project", "Planned", "Half of the runs by", "85 % by", "95 % by", "Buffer", "In time", "As planned")


def in_order(found: Forecast) -> list[tuple[str, ProjectForecast]]:
    """Those with the most cost of delay first."""
    return sorted(found.projects.items(), key=lambda entry: (-entry[1].cost.mean, entry[0]))


def lead(found: Forecast) -> str:
    """What it says, in two sentences."""
    unit, d = f" {found.currency}".rstrip(), found.dates
    cost = (
        f"{plural(found.runs, 'run')} of the plan: its delays cost {found.cost.mean:,.0f}{unit} on the average "
        f"(planned {found.planned_cost:,.0f}), no more than {found.cost.p85:,.0f} in 85 % of the runs. "
    )
    if any(finding.code == "not-in-plan" for finding in found.findings):
        return f"{cost}Not everything is in the plan, so there is no day on which all is done."
    if d.p50 is None:
        return f"{cost}In half of the runs not all is done by {t.day(found.until, found.zone)}."
    planned = f"(planned {t.day(found.planned, found.zone)})"
    done = f"{cost}All is done by {t.day(d.p50, found.zone)} in half of the runs"
    if d.p85 is None:
        return f"{done} {planned}, and in more than 15 % not by {t.day(found.until, found.zone)}."
    return f"{done}, and by {t.day(d.p85, found.zone)} in 85 % {planned}."


def row(found: Forecast, id: str, one: ProjectForecast) -> tuple[str, ...]:
    """Of the table of dates."""
    d = one.dates
    return (
        one.title or id,
        *(t.day(moment, found.zone) for moment in (one.planned, d.p50, d.p85, d.p95)),
        "-" if one.buffer_hours is None else f"{one.buffer_hours / 24:.1f} d",
        told(one.chance_of_due),
        told(one.chance_of_plan),
    )


def told(chance: Chance | None) -> str:
    """A share with its interval, in per cent."""
    if chance is None:
        return "-"
    return f"{chance.share * 100:.0f} % ({chance.low * 100:.0f} to {chance.high * 100:.0f})"


def _fans(found: Forecast, drawn: Sequence[tuple[str, ProjectForecast]]) -> Html | None:
    """A bar for each project: 10 to 95 %, darker from 50 to 85 %, the plan and the due date as marks."""
    moments = [m for _, p in drawn for m in (p.planned, p.due, *_known(p)) if m is not None]
    if not moments:
        return None
    zone = ZoneInfo(found.zone)
    first, last = min([found.as_of, *moments]), max(moments)
    span = max((last - first) / timedelta(days=1), 1.0)

    def x(moment: datetime) -> float:
        return round(_LABEL + _WIDE * (moment - first) / timedelta(days=1) / span, 1)

    parts = []
    bottom = _HEAD + _ROW * len(drawn)
    step = next(n for n in (1, 2, 4, 8, 13, 26, 52, 104, 520) if span / 7 / n <= 10 or n == 520)
    monday = (first.astimezone(zone) - timedelta(days=first.astimezone(zone).weekday())).replace(hour=0, minute=0)
    while monday <= last:
        if monday >= first:
            parts.append(f'<line class="grid" x1="{x(monday):g}" x2="{x(monday):g}" y1="{_HEAD}" y2="{bottom}"/>')
            parts.append(f'<text class="tick" x="{x(monday):g}" y="{bottom + 16}">{monday:%d %b}</text>')
        monday += timedelta(weeks=step)
    for k, (id, one) in enumerate(drawn):
        y, d = _HEAD + k * _ROW, one.dates
        name = one.title or id
        label = name if len(name) <= 32 else f"{name[:31]}\u2026"
        words = ", ".join(f"{what} {t.day(moment, found.zone)}" for what, moment in _named(one))
        parts.append(f'<text class="tick" x="{_LABEL - 8}" y="{y + 15}" text-anchor="end">{text(label)}</text>')
        parts.append(f"<g><title>{text(f'{name}: {words}')}</title>")
        for kind, a, b, top, tall in (("fan-wide", d.p10, d.p95, 6, 10), ("fan-buffer", d.p50, d.p85, 3, 16)):
            if a is not None:
                begin, end = x(a), x(b if b is not None else last)
                width = max(end - begin, 1.5)
                parts.append(f'<rect class="{kind}" x="{begin:g}" y="{y + top}" width="{width:g}" height="{tall}"/>')
        for kind, moment in (("fan-plan", one.planned), ("fan-due", one.due)):
            if moment is not None:
                parts.append(f'<line class="{kind}" x1="{x(moment):g}" x2="{x(moment):g}" y1="{y + 1}" y2="{y + 21}"/>')
        parts.append("</g>")
    wide, high = _LABEL + _WIDE + 40, bottom + _FOOT
    picture = tag(
        "svg",
        tag("title", "When each project will be done", id="fan-title"),
        tag("desc", "The table below says the same.", id="fan-desc"),
        Html("".join(parts)),
        role="img",
        aria_labelledby="fan-title fan-desc",
        width=wide,
        height=high,
        viewBox=f"0 0 {wide} {high}",
    )
    words = f"Bar: 10 to 95 % of the {found.runs:,} runs. Dark: 50 to 85 %, the buffer. Thin line: as planned. "
    words += "Thick line: due."
    region = tag("div", picture, class_="scroll", role="region", aria_label="Forecast fans", tabindex="0")
    return join(tag("p", words, class_="legend"), region)


def _known(one: ProjectForecast) -> tuple[datetime | None, ...]:
    return one.dates.p10, one.dates.p50, one.dates.p85, one.dates.p95


def _named(one: ProjectForecast) -> list[tuple[str, datetime | None]]:
    names = ("planned", "due", "10 %", "50 %", "85 %", "95 %")
    return [(n, m) for n, m in zip(names, (one.planned, one.due, *_known(one)), strict=True) if m is not None]


def _where(found: Forecast) -> Html | None:
    whole = sum(found.where.values())
    if whole <= 0:
        return None
    ranked = sorted(found.where.items(), key=lambda entry: -entry[1])
    drawn = [Bar(what, hours, words=f"{hours:,.0f} h, {hours / whole * 100:.0f} %") for what, hours in ranked]
    rows = [(what, f"{hours:,.0f}", f"{hours / whole * 100:.1f} %") for what, hours in ranked]
    return join(
        tag("h3", "Where the time goes"),
        bars("Hours of the clock of all items, from ready to finished", drawn, "h"),
        long_table("The same as a table", ("What", "Hours", "Share"), rows, shown=_SHOWN, cap=_CAP, kinds="wnn"),
    )


def _risks(named: Sequence[tuple[str, ProjectForecast]]) -> Html | None:
    rows = [
        (
            one.title or id,
            risk_name(risk.item, risk.title, risk.what),
            f"{risk.days:+.1f} d",
            f"{risk.days_error:.1f} d",
            f"{risk.rank_correlation:.2f} ({risk.low:.2f} to {risk.high:.2f})",
        )
        for id, one in named
        for risk in one.risks[:RISKS]
    ]
    if not rows:
        return None
    heads = ("Project", "What moves it", "Later by", "Give or take", "Rank correlation")
    return join(
        tag("h3", "What moves the dates most"),
        tag(
            "p",
            "Later by: the quarter of the runs where it is largest, against that where it is smallest.",
        ),
        long_table("Risks", heads, rows, shown=_SHOWN, cap=_CAP, look="stack", kinds="wwnnn"),
    )


def risk_name(item: str | None, title: str, what: str) -> str:
    """``PHX-38 Develop customer profile``, or ``unplanned work``."""
    return what if item is None else f"{item} {title}".rstrip()


def _fever(found: Forecast, named: Sequence[tuple[str, ProjectForecast]]) -> Html | None:
    rows = [
        (one.title or id, point.item, f"{point.done * 100:.0f} %", f"{point.used * 100:.0f} %",
         f"{point.used_p85 * 100:.0f} %", point.zone)
        for id, one in named
        for point in thinned(one)
    ]  # fmt: skip
    if not rows:
        return None
    known = [(one.title or id, one.fever) for id, one in named if one.fever]
    heads = ("Project", "When this is done", "Chain done", "Buffer used", "85 % of runs", "Zone")
    return join(
        tag("h3", "Use of buffers expected"),
        tag(
            "p",
            "Across: how much of a project's chain is done. Up: the mean share of its buffer used by then.",
        ),
        _curves(found, known[:_CURVES]),
        left_out(len(known) - _CURVES, "project", "the table below has them"),
        long_table("Expected fever chart", heads, rows, shown=_SHOWN, cap=_CAP, look="stack", kinds="wwnnnw"),
    )


def _curves(found: Forecast, known: Sequence[tuple[str, Sequence[FeverExpected]]]) -> Html:
    """A line for each project, its name where it ends, and names apart from each other."""
    parts = fever.ground(found.fever_zones)
    below = float("inf")
    for name, points in sorted(known, key=lambda entry: entry[1][-1].used):
        path = " ".join(f"{fever.across(p.done):g},{fever.up(p.used):g}" for p in points)
        last = points[-1]
        x, y = fever.across(last.done), fever.up(last.used)
        below = min(y + 4, below - _APART)
        words = text(
            f"{name}: {last.used:.0%} of the buffer used at the end, up to {last.used_p85:.0%} in 85 % of runs"
        )
        label = name if len(name) <= 30 else f"{name[:29]}\u2026"
        parts.append(
            f'<g><title>{words}</title><polyline class="fever-line" points="{path}"/>'
            f'<circle class="fever-now" cx="{x:g}" cy="{y:g}" r="4"/>'
            f'<text class="who" x="{x + 9:g}" y="{below:g}">{text(label)}</text></g>'
        )
    return fever.framed(f"Fever chart expected of {plural(len(known), 'project')}", "fever-expected", parts, _MARGIN)


def thinned(one: ProjectForecast) -> list[FeverExpected]:
    """At most so many points, the last one among them."""
    points = list(one.fever)
    if len(points) <= FEVER:
        return points
    return [points[round((k + 1) * len(points) / FEVER) - 1] for k in range(FEVER)]
