"""Reliance for the terminal and as a page."""

from __future__ import annotations

from rich.console import Console

from throttle import figures as t
from throttle.report.html import tag
from throttle.report.page import answer_page
from throttle.report.sections import reliance as section
from throttle_models.reliance import Reliance

ROWS = 12


def show_reliance(console: Console, found: Reliance) -> None:
    """Print whom the plan leans on, the dearest absences, scarce skills and the training that helps most."""
    t.fitted(console)
    console.print(t.line(section.title(found), "bold"))
    for sentence in section.sentences(found):
        console.print(t.line(sentence))
    t.show_tables(console, section.tables(found), ROWS)


def page_of_reliance(found: Reliance) -> str:
    """The same as one HTML page, with a map of who holds what."""
    return answer_page(
        "Reliance",
        f"As of {t.day(found.as_of, found.zone)}, seed {found.seed}",
        f"Throttle. All times are in the zone {found.zone}.",
        tag("section", tag("h2", "On whom the plan leans"), section.render(found)),
    )
