"""The fever chart on the terminal."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from throttle.terminal import clean
from throttle_models import Fever

STYLES = {"green": "green", "yellow": "yellow", "red": "bold red"}


def show_fever(console: Console, found: Fever, zone: str) -> None:
    """Print a row for each project, those in the red zone first."""
    table = Table(title="Fever chart", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for head in ("Project", "chain done", "buffer used", "zone", "promise"):
        table.add_column(head, justify="right" if head in ("chain done", "buffer used") else "left")
    order = {"red": 0, "yellow": 1, "green": 2}
    known = [(name, line, line.points[-1]) for name, line in found.projects.items() if line.points]
    for name, line, point in sorted(known, key=lambda k: (order[k[2].zone], -k[2].used, k[0])):
        table.add_row(
            Text(clean(line.title or name)),
            f"{point.done:.0%}",
            f"{point.used:.0%}",
            Text(point.zone, style=STYLES[point.zone]),
            f"{line.promise.astimezone(ZoneInfo(zone)):%a %d %b %Y}",
        )
    console.print(table)
    g, r = found.zones.green, found.zones.red
    console.print(Text(f"green up to {g[0]:.0%} + {g[1]:.0%} of done, red above {r[0]:.0%} + {r[1]:.0%}", style="dim"))
    if without := [name for name, line in found.projects.items() if not line.points]:
        console.print(Text(clean(f"No finish is known of {', '.join(without)}"), style="dim"))
