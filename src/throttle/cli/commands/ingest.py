from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from throttle.cli import options as o


def ingest(
    exports: o.Exports,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The portfolio file to write (.yaml or .json).")
    ] = None,
    map: o.MapOption = None,
    team: o.TeamOption = None,
    learned: o.LearnedOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and report only; write nothing.")] = False,
    zone: o.ZoneOption = None,
    date_order: o.DateOrderOption = None,
    encoding: o.EncodingOption = None,
    pseudonymise: Annotated[bool, typer.Option("--pseudonymise", help="Replace people by person-1 and so on.")] = False,
    pseudonyms: Annotated[
        Path | None,
        typer.Option(
            "--pseudonyms",
            metavar="FILE",
            help="Keep who is who in this file, so that later imports use the same pseudonyms (.yaml).",
        ),
    ] = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Read ticket exports into a portfolio, and account for every row: read = imported + merged + rejected."""
    from throttle.cli import output, reading, screen
    from throttle.files import SUFFIXES, save_portfolio
    from throttle.terminal import show_ingest

    writing = out if not dry_run else None
    if writing is not None:
        output.check_file(writing, force, suffixes=SUFFIXES)
    if pseudonyms is not None:
        output.check_file(pseudonyms, force=True, suffixes=(".yaml", ".yml"))
    how = reading.ReadHow(team, map, zone, date_order, encoding, pseudonymise, pseudonyms, learned)
    ingested = reading.read_exports(exports, how)
    if pseudonyms is not None and not dry_run:
        reading.save_pseudonyms(ingested, pseudonyms)
    if writing is not None:
        output.write_file(writing, lambda path: save_portfolio(ingested.portfolio, path), force)
    if json:
        screen.emit_json(ingested.report.model_dump_json(indent=2))
    else:
        show_ingest(screen.out(), ingested.report, ingested.portfolio.assumptions)
    if writing is not None:
        screen.say(f"Written: {writing}. Next: throttle plan {writing}")
    else:
        screen.say("Nothing was written" + ("." if dry_run else "; add -o portfolio.yaml for that."))
