from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from throttle.cli import options as o


def map_(
    exports: o.Exports,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The mapping file to write.")] = Path(
        "map.yaml"
    ),
    zone: o.ZoneOption = None,
    date_order: o.DateOrderOption = None,
    encoding: o.EncodingOption = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Propose what the columns and words of ticket exports mean, as a file to review and to give to --map."""
    from throttle.cli import output, reading, screen

    output.check_file(out, force, suffixes=(".yaml", ".yml"))
    from throttle.ingest import save_mapping

    mapping = reading.propose(exports, reading.ReadHow(zone=zone, date_order=date_order, encoding=encoding))
    output.write_file(out, lambda path: save_mapping(mapping, path), force)
    if json:
        screen.emit_json(mapping.model_dump_json(indent=2, exclude_none=True))
    else:
        from throttle.terminal import show_mapping

        show_mapping(screen.out(), mapping)
    screen.say(f"Written: {out}. Review it, then: throttle ingest EXPORT --map {out} -o portfolio.yaml")
