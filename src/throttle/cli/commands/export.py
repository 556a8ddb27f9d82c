from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from throttle.cli import options as o

_FORMATS = "csv, xlsx, ics, windows, mermaid, mspdi, jira, servicenow or json."


def export(
    plan: Annotated[Path, typer.Argument(metavar="[PLAN]", help="A plan.json.")] = o.DEFAULT_PLAN,
    format: Annotated[str, typer.Option("--format", "-f", metavar="NAME", help=_FORMATS)] = "csv",
    portfolio: o.PortfolioOption = None,
    person: Annotated[
        str | None, typer.Option("--person", metavar="ID|NAME", help="Only what this person works on.")
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="A file for each person who has work, into the folder --out.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The file to write; default: standard output.")
    ] = None,
    force: o.Force = False,
) -> None:
    """Write a plan for other programs: csv (a row for each person, item and day), xlsx, ics (calendars), windows,
    mermaid (a chart), mspdi (Microsoft Project), jira and servicenow (to write back), json."""
    from throttle.cli import output, reading, screen
    from throttle.exports import EXPORTERS
    from throttle.exports.common import people_of
    from throttle.ingest.values import slug

    if format not in EXPORTERS:
        raise typer.BadParameter(f"{format!r} is not a format: choose {', '.join(EXPORTERS)}")
    exporter = EXPORTERS[format]
    if out is None and (exporter.binary or each):
        why = "writes a file for each person" if each else "is no text"
        where = "the folder" if each else "the file"
        raise typer.BadParameter(f"{'--each' if each else format} {why}: name {where} with --out")
    if each and person is not None:
        raise typer.BadParameter("--each is for everyone and --person for one: leave one of them out")
    if out is not None and not each:
        output.check_file(out, force)
    made, made_from = reading.read_plan_with_portfolio(plan, portfolio)
    if out is None or not each:
        with reading.naming(plan):
            data = exporter(made, made_from, person=person)
        if out is None:
            screen.emit(data if isinstance(data, str) else data.decode())
        else:
            _write(out, data, force)
            screen.say(f"Written: {out}")
        return
    with reading.naming(plan):
        files: dict[str, str | bytes] = {}
        for one in people_of(made):
            name = slug(one) or "person"
            while name + exporter.suffix in files:
                name += "-2"
            files[name + exporter.suffix] = exporter(made, made_from, person=one)
    for name in files:
        output.check_file(out / name, force)
    for name, data in files.items():
        _write(out / name, data, force)
    screen.say(f"Written: {len(files)} files in {out}")


def _write(path: Path, data: str | bytes, force: bool) -> None:
    from throttle.cli import output

    content = data if isinstance(data, bytes) else data.encode("utf-8")
    output.write_file(path, lambda place: place.write_bytes(content), force)
