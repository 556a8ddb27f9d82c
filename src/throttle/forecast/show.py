"""The forecast for the terminal and as a page."""

from __future__ import annotations

from rich.console import Console

from throttle import figures as t
from throttle.report.html import tag
from throttle.report.page import answer_page
from throttle.report.sections import forecast as section
from throttle.wording import plural, some
from throttle_models.forecast import Forecast

ROWS, RISKS = 15, 3
"""Projects that the terminal shows, and risks of each; ``--json`` has all."""


def show_forecast(console: Console, found: Forecast) -> None:
    """Print the dates with their chances, where the time goes, and what moves each date."""
    console.print(t.line(section.lead(found)))
    named = section.in_order(found)
    console.print(t.heading("When it will be done"))
    heads = ("project", "planned", "50 %", "85 %: promise", "95 %", ">buffer", ">in time", ">as planned")
    table = t.table(*heads)
    for id, one in named[:ROWS]:
        title, *cells = section.row(found, id, one)
        t.add(table, title, *cells)
    t.put(console, table)
    if len(named) > ROWS:
        console.print(
            t.line(f"  and {plural(len(named) - ROWS, 'more project', 'more projects')} (--json has all)", "dim")
        )
    whole = sum(found.where.values())
    if whole > 0:
        console.print(t.heading("Where the time goes, from ready to finished"))
        table = t.table("what", ">hours", ">share", "")
        for what, hours in sorted(found.where.items(), key=lambda entry: -entry[1]):
            t.add(table, what, f"{hours:,.0f}", t.share(hours / whole), "#" * round(30 * max(hours, 0.0) / whole))
        t.put(console, table)
    console.print(t.heading("What moves the dates most"))
    table = t.table("project", "what", ">later by", ">rank correlation")
    told = False
    for id, one in named[:ROWS]:
        for risk in one.risks[:RISKS]:
            told = True
            name = section.risk_name(risk.item, risk.title, risk.what)
            correlation = f"{risk.rank_correlation:.2f} ({risk.low:.2f} to {risk.high:.2f})"
            t.add(table, one.title or id, name, f"{risk.days:.1f} d (±{2 * risk.days_error:.1f})", correlation)
    if told:
        t.put(console, table)
    else:
        console.print(t.line("nothing that the runs could tell from chance"))
    late = [(one.title or id, p) for id, one in named for p in one.fever if p.zone == "red"]
    if late:
        names = some(list(dict.fromkeys(name for name, _ in late)))
        console.print(t.line(f"Buffers expected to be in the red at some time: {names}", "yellow"))
    console.print(t.heading("What it rests on"))
    for sentence in (*found.assumptions, *(f.message for f in found.findings)):
        console.print(t.line(f"  {sentence}", "dim"))
    laws = f"{found.little_residual:.2g} and {found.work_residual:.2g}"
    console.print(t.line(f"  residuals of Little's law and of the conservation of work, at most: {laws}", "dim"))


def page_of_forecast(found: Forecast) -> str:
    """The same as one HTML page, with the fans."""
    return answer_page(
        "Forecast",
        f"{found.runs:,} runs, seed {found.seed}, as of {t.day(found.as_of, found.zone)}",
        f"Throttle. All times are in the zone {found.zone}.",
        tag("section", tag("h2", "When it will be done"), section.render(found)),
    )
