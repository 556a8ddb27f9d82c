"""The elevate menu for the terminal and as a page."""

from __future__ import annotations

from rich.console import Console

from throttle import figures as t
from throttle.report.html import tag
from throttle.report.page import answer_page
from throttle.report.sections import elevate as section
from throttle_models.elevate import Elevate

ROWS = 20


def show_elevate(console: Console, found: Elevate) -> None:
    """Print the options that save something, the best first, and those that buy nothing."""
    t.fitted(console)
    console.print(t.line(section.title(found), "bold"))
    table = t.table(*section.heads(found))
    for one in found.options[:ROWS]:
        t.add(table, *section.row(found, one))
    if found.options:
        t.put(console, table)
    else:
        console.print(t.line("No option saves anything."))
    if len(found.options) > ROWS:
        console.print(t.line(f"and {len(found.options) - ROWS} more (--json has all)", "dim"))
    for sentence in section.sentences(found):
        console.print(t.line(sentence, "dim"))


def page_of_elevate(found: Elevate) -> str:
    """The same as one HTML page, with bars."""
    return answer_page(
        "Elevate",
        f"As of {t.day(found.as_of, found.zone)}, seed {found.seed}",
        f"Throttle. All times are in the zone {found.zone}.",
        tag("section", tag("h2", "What would elevate the bottleneck"), section.render(found)),
    )
