"""Elevate: what would loosen the bottleneck, by what it saves, and what buys nothing."""

from __future__ import annotations

from throttle import figures as t
from throttle.report.html import Html, join, long_table, tag
from throttle.report.pictures import MOST_BARS, Bar, bars
from throttle.wording import plural, some
from throttle_models.elevate import Elevate, Option

NOTHING = 8
_SHOWN, _CAP = 20, 2000


def render(found: Elevate) -> Html:
    """The whole section; the table is the text twin of the bars."""
    drawn = []
    for one in found.options:
        gap = one.simulated
        low, high = (-gap.high, -gap.low) if gap is not None else (None, None)
        drawn.append(Bar(_label(one), one.worth, low, high, t.money(one.worth)))
    kinds = "".join("n" if h.startswith(">") else "w" for h in heads(found))
    rows = [row(found, one) for one in (*found.options, *found.nothing)]
    unit = f", {found.currency}" if found.currency else ""
    of = f", {found.runs:,} runs of each" if found.runs else ", without simulated runs"
    best = f", the first {MOST_BARS}" if len(drawn) > MOST_BARS else ""
    names = [h.lstrip(">").capitalize() for h in heads(found)]
    return join(
        tag("p", f"{title(found)}."),
        bars(f"Cost of delay that each option saves{unit}{of}{best}", drawn, gain=True)
        if drawn
        else tag("p", "No option saves anything.", class_="none"),
        long_table("All options", names, rows, shown=_SHOWN, cap=_CAP, look="stack", kinds=kinds),
        *(tag("p", sentence, class_="note") for sentence in sentences(found)),
    )


def _label(one: Option) -> str:
    """Short, since it stands beside a bar; the table has the whole."""
    return f"{one.kind}: {', '.join(one.refs)}" if one.refs else one.text


def title(found: Elevate) -> str:
    return (
        f"What would elevate the bottleneck: against {t.money(found.objective, found.currency)} of a plan without any "
        f"option, searched for with the same work, until {t.day(found.until, found.zone)}"
    )


def heads(found: Elevate) -> tuple[str, ...]:
    """Of the table; those that start with ``>`` head numbers."""
    said = ["option", ">saves", ">an hour", "dates", "how"]
    if found.runs:
        said[2:2] = [">simulated", ">95 % sure"]
    if any(one.cost is not None for one in (*found.options, *found.nothing)):
        said[-2:-2] = [">costs", ">net"]
    return tuple(said)


def row(found: Elevate, one: Option) -> tuple[str, ...]:
    """One cell for each head."""
    cells = [one.text, t.money(one.saves)]
    if found.runs:
        gap = one.simulated
        cells += [t.money(-gap.mean), f"{t.money(-gap.high)} to {t.money(-gap.low)}"] if gap is not None else ["-", "-"]
    cells.append(t.money(one.per_hour))
    if any(k.cost is not None for k in (*found.options, *found.nothing)):
        cells += [t.money(one.cost), t.money(one.net)]
    moved = [f"{name} {t.days(days)}" for name, days in one.days.items() if abs(days) >= 0.05]
    cells += [some(moved, 2) or "-", one.problem or _how(found, one)]
    return tuple(cells)


def _how(found: Elevate, one: Option) -> str:
    doubt = ", not told from chance" if found.runs and one.simulated is not None and one.worth == 0 else ""
    return one.method + (" *" if one.proved else "") + doubt


def sentences(found: Elevate) -> list[str]:
    said = []
    apart = [f"{one.text}: {one.problem}" for one in found.nothing if one.problem]
    said += [f"{sentence.rstrip('.')}." for sentence in apart[:NOTHING]]
    if len(apart) > NOTHING:
        said.append(f"{plural(len(apart) - NOTHING, 'option')} more could not be compared (--json has all).")
    if names := [one.text for one in found.nothing if not one.problem]:
        buys = "buys" if len(names) == 1 else "buy"
        said.append(f"{plural(len(names), 'option')} {buys} nothing: {some(names, NOTHING)}.")
    said.append(
        "order kept: the plan's own order with the option, so the least that it saves; re-solved: searched anew with "
        "the same work as the plan without it (* both proven to cost least)."
    )
    said += [f"Not tried: {why}." for why in found.left_out]
    return said
