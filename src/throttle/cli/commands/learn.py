from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from throttle.cli import options as o


def learn(
    exports: o.Exports,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="The file to write (.yaml).")] = None,
    map: o.MapOption = None,
    team: o.TeamOption = None,
    zone: o.ZoneOption = None,
    date_order: o.DateOrderOption = None,
    encoding: o.EncodingOption = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Learn from finished tickets: effort, skills, hours, the reserve for unplanned work, bias, failed changes."""
    from throttle.cli import output, reading, screen
    from throttle.documents import render_yaml
    from throttle.files import write_atomic

    if out is not None:
        output.check_file(out, force, suffixes=(".yaml", ".yml"))
    learned = reading.learn(exports, reading.ReadHow(team, map, zone, date_order, encoding))
    if out is not None:
        data = {"throttle_learned": 1, **learned.model_dump(mode="json", exclude_defaults=True)}
        output.write_file(out, lambda path: write_atomic(path, render_yaml(data)), force)
    if json:
        screen.emit_json(learned.model_dump_json(indent=2))
    else:
        from throttle.learn.show import show_learned

        show_learned(screen.out(), learned)
    if out is not None:
        screen.say(f"Written: {out}. Review it, then: throttle plan EXPORT --learned {out}")
    else:
        screen.say("Nothing was written; add -o learned.yaml for that.")
