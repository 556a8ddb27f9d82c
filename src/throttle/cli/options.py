"""The options that several commands share, each defined once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

DEFAULT_PLAN = Path("out/plan/plan.json")
YEARS = range(1970, 2200)

_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h)?")
_FACTOR = {None: 1, "s": 1, "m": 60, "min": 60, "h": 3600}
LONGEST = 1000 * 3600
"""Seconds: no budget is longer."""
LARGEST_SEED = 2**31 - 1
"""As in ``throttle_models.batch``, which --help does not wait for."""


def seconds(text: str | float) -> float:
    """``30``, ``30s``, ``2m`` or ``1h`` as seconds, up to 1000 hours. Typer passes defaults, which are numbers, too."""
    match = _SECONDS.fullmatch(str(text).strip().lower())
    value = float(match[1]) * _FACTOR[match[2]] if match else 0.0
    if not 0 < value <= LONGEST:
        raise typer.BadParameter(
            f"{text!r:.40} is not a time above 0 and up to 1000h: write seconds such as 30 or 30s, or 2m"
        )
    return value


def iso_week(text: str) -> str:
    """``2026-W48``, checked to exist and to be of a year that a plan can reach."""
    from datetime import date

    try:
        if re.fullmatch(r"[0-9]{4}-W[0-9]{2}", text) and int(text[:4]) in YEARS:
            date.fromisocalendar(int(text[:4]), int(text[6:]), 1)
            return text
    except ValueError:
        pass
    raise typer.BadParameter(f"{text!r} is not an ISO week of {YEARS[0]} to {YEARS[-1]}: write for example 2026-W48")


def time_zone(text: str) -> str:
    """The name of a time zone, checked to exist."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(text).key
    except (ValueError, OSError, LookupError):  # no name at all, a folder of zones, unknown
        raise typer.BadParameter(f"{text!r} is not a time zone: write a name such as America/Chicago") from None


def text_encoding(text: str) -> str:
    """The name of a text encoding, checked to exist."""
    from throttle.ingest.decode import is_text_encoding

    if not is_text_encoding(text):
        raise typer.BadParameter(f"{text!r} is not a known text encoding: write a name such as cp1252 or mac_roman")
    return text


Exports = Annotated[
    list[Path],
    typer.Argument(
        metavar="EXPORT...", help="Ticket exports of any tracker (docs/ingest.md); archives and folders of them."
    ),
]
Inputs = Annotated[
    list[Path],
    typer.Argument(metavar="INPUT...", help="A portfolio (file or folder), or ticket exports; told by their content."),
]
PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="A plan.json.")]

TeamOption = Annotated[
    Path | None, typer.Option("--team", metavar="FILE", help="People, skills, calendars and policy, beside exports.")
]
MapOption = Annotated[
    Path | None, typer.Option("--map", metavar="FILE", help="What columns and words of the exports mean.")
]
PseudonymsOption = Annotated[
    Path | None,
    typer.Option(
        "--pseudonyms", metavar="FILE", help="Who is who, as throttle ingest --pseudonyms wrote it; kept up to date."
    ),
]
LearnedOption = Annotated[
    Path | None,
    typer.Option("--learned", metavar="FILE", help="What throttle learn found: counts after the team file."),
]
ZoneOption = Annotated[
    str | None,
    typer.Option(
        "--zone", metavar="ZONE", parser=time_zone, help="Time zone of times without one, such as America/Chicago."
    ),
]
DateOrderOption = Annotated[
    Literal["dmy", "mdy"] | None,
    typer.Option("--date-order", help="Order of day and month, where no date of the exports settles it."),
]
EncodingOption = Annotated[
    str | None,
    typer.Option(
        "--encoding", metavar="NAME", parser=text_encoding, help="Encoding of the exports, where it is found wrongly."
    ),
]

PortfolioOption = Annotated[
    Path | None, typer.Option("--portfolio", metavar="FILE", help="Its portfolio, where the plan does not carry it.")
]

Budget = Annotated[
    float,
    typer.Option("--budget", metavar="TIME", parser=seconds, help="Time to search for a better plan: 30, 30s, 2m."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, max=LARGEST_SEED, help="Seed of every random choice.")]
Workers = Annotated[int, typer.Option("--workers", min=1, max=64, help="Threads to search with.")]
Deterministic = Annotated[
    bool, typer.Option("--deterministic", help="The same plan for the same input and seed: a fixed amount of work.")
]
NoPortfolio = Annotated[
    bool, typer.Option("--no-portfolio", help="Leave the portfolio out of plan.json; it holds the hash instead.")
]
Server = Annotated[
    str | None,
    typer.Option("--server", metavar="URL", help="A service that searches instead; its key: THROTTLE_KEY."),
]
OpenReport = Annotated[bool, typer.Option("--open", help="Open the report in a browser.")]
WeekOption = Annotated[
    str | None, typer.Option("--week", metavar="WEEK", parser=iso_week, help="The week to print, such as 2026-W48.")
]
OutFolder = Annotated[
    Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where plan.json, index.html and run.json go.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the data as one JSON document.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no messages but warnings and errors.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the output file, if there is one.")]
