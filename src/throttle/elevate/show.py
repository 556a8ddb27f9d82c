"""The elevate menu for the terminal and as a page."""

from __future__ import annotations

from rich.console import Console

from throttle.report.html import table as html_table
from throttle.report.html import tag
from throttle.report.page import answer_page
from throttle.report.pictures import Bar, bars
from throttle.scenarios import text as t
from throttle.wording import plural, some
from throttle_models.elevate import Elevate, Option

ROWS, NOTHING = 20, 8


def show_elevate(console: Console, found: Elevate) -> None:
    """Print the options that save something, the best first, and those that buy nothing."""
    console.print(t.line(_title(found), "bold"))
    table = t.table(*_heads(found))
    for one in found.options[:ROWS]:
        t.add(table, *_row(found, one))
    if found.options:
        console.print(table)
    else:
        console.print(t.line("No option saves anything."))
    if len(found.options) > ROWS:
        console.print(t.line(f"and {len(found.options) - ROWS} more (--json has all)", "dim"))
    for sentence in _sentences(found):
        console.print(t.line(sentence, "dim"))


def page_of_elevate(found: Elevate) -> str:
    """The same as one HTML page, with bars."""
    drawn = []
    for one in found.options:
        gap = one.simulated
        low, high = (gap.low, gap.high) if gap is not None else (None, None)
        drawn.append(Bar(one.text, -one.worth, low, high, t.money(one.worth)))
    heads = [h.lstrip(">").capitalize() for h in _heads(found)]
    kinds = "".join("n" if h.startswith(">") else "w" for h in _heads(found))
    rows = [_row(found, one) for one in (*found.options, *found.nothing)]
    unit = f", {found.currency}" if found.currency else ""
    return answer_page(
        "Elevate",
        _title(found),
        f"Throttle. All times are in the zone {found.zone}.",
        tag("section", bars(f"Less cost of delay with each option{unit}", drawn) if drawn else None),
        tag("section", *(tag("p", s) for s in _sentences(found)), html_table("All options", heads, rows, kinds=kinds)),
    )


def _title(found: Elevate) -> str:
    return (
        f"What would elevate the bottleneck: against {t.money(found.objective, found.currency)} of the plan until "
        f"{t.day(found.until, found.zone)}"
    )


def _heads(found: Elevate) -> tuple[str, ...]:
    heads = ["option", ">saves", ">an hour", "dates", "how"]
    if found.runs:
        heads[2:2] = [">simulated", ">95 % sure"]
    if any(one.cost is not None for one in (*found.options, *found.nothing)):
        heads[-2:-2] = [">costs", ">net"]
    return tuple(heads)


def _row(found: Elevate, one: Option) -> tuple[str, ...]:
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


def _sentences(found: Elevate) -> list[str]:
    said = []
    if found.nothing:
        names = [one.text for one in found.nothing]
        said.append(f"{plural(len(names), 'option')} buy nothing: {some(names, NOTHING)}.")
    said.append(
        "order kept: the plan's own order with the option, so the least that it saves; re-solved: searched anew with "
        "the same work as the plan without it (* both proven to cost least)."
    )
    said += [f"Not tried: {why}." for why in found.left_out]
    return said
