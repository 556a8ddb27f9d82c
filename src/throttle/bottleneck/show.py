"""The bottleneck for the terminal: four sentences, then tables of sets, environments and weeks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from throttle.terminal import clean
from throttle.wording import plural, some
from throttle_models import Drum
from throttle_models.bottleneck import Bottleneck, ByWeek, SetLoad

ROWS = 12
"""Rows of a table that the terminal shows; ``--json`` has all."""
WEEKS = 6
NARROW = 110
"""Columns of a terminal below which fewer weeks are shown."""
FULL, BUSY = 1.0, 0.85
"""Loads from which on they are red and yellow."""


def show_bottleneck(console: Console, found: Bottleneck) -> None:
    """Print what limits the plan."""
    for part in _parts(found, WEEKS if console.width >= NARROW else WEEKS // 2):
        console.print(part)


def _parts(found: Bottleneck, weeks: int) -> Iterator[RenderableType]:
    zone = ZoneInfo(found.zone)
    until = f"{found.weeks:.1f} weeks until {_day(found.until, zone)}"
    yield Text(clean(f"What limits the plan, as of {_day(found.as_of, zone)}, over {until}"), style="bold")
    if found.loaded is None:
        yield Text("\nNo bottleneck: no work is left that takes anybody's time.")
    else:
        yield Text("")
        table = _table("", "", show_header=False)
        for name, text in _sentences(found, zone):
            table.add_row(Text(name, style="bold"), Text(clean(text)))
        yield table
    yield from _sets(found, weeks)
    yield from _environments(found, weeks)
    yield from _tightest(found)
    yield from _without_hours(found)


def _sentences(found: Bottleneck, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    load = found.loaded
    if load is None:
        return
    work = f"{load.work_hours:,.0f} h of work left" + (" that only they can do" if load.people else " in it")
    queue = f"{load.weeks_of_queue:.1f} weeks of queue"
    whose = "their" if load.people else "its"
    yield "Most loaded", f"{load.name}: {_share(load.load)} of {whose} hours, {queue} ({work})"
    value = found.valuable
    if value is None:
        text = "nobody: an hour more of no one saves anything"
    else:
        each = f" for each of {len(value.people)}" if len(value.people) > 1 else ""
        per = " an hour" if each or value.kind == "environment" else ""
        week = f" in {value.week}" if value.week else ""
        text = f"{value.name}: {value.how}{each} saves {_money(value.saves, found.unit)}{per}{week}"
    yield "Most valuable", f"{text} ({found.prices.text})"
    if found.drum is not None:
        yield "Named", f"{_named(found, found.drum)}, since {_day(found.drum.since, zone)}{_challenge(found)}"
    if found.queue is not None:
        yield "Queue", f"{found.queue.name}: {found.queue.text}"


def _named(found: Bottleneck, drum: Drum) -> str:
    """By its people where they are few, as everything here; a plan may call it by the one skill that they are for."""
    if not 0 < len(drum.people) <= 2:
        return drum.name
    return " and ".join(found.people[p].name if p in found.people else p for p in drum.people)


def _challenge(found: Bottleneck) -> str:
    drum, load = found.drum, found.loaded
    if drum is None or load is None or not drum.ahead:
        return ""
    ahead = f"{drum.ahead:.0%}".replace("%", " %")
    if drum.challenger is None:
        return f" ({load.name} is {ahead} ahead, less than the 10 % that count)"
    return f" ({load.name} is {ahead} ahead, and is named if it still is in the next plan)"


def _sets(found: Bottleneck, weeks: int) -> Iterator[RenderableType]:
    if not found.sets:
        return
    value = {hour.people: hour.saves for hour in found.prices.hours if hour.kind == "skills"}
    shown = _weeks((s.by_week for s in found.sets), weeks)
    yield _heading("People who share work, the most loaded first (weeks: how full their time is planned)")
    head = ("who", "for", ">work h", ">load", ">weeks of queue", ">an hour saves")
    table = _table(*head, *(f">{week[5:]}" for week in shown))
    for one in found.sets[:ROWS]:
        saves = value.get(one.people)
        table.add_row(
            *map(_text, (_who(one), _for(one), f"{one.work_hours:,.0f}")),
            _load(one.load),
            _text(f"{one.weeks_of_queue:.1f}"),
            _text("-" if saves is None else _money(saves, "")),
            *(_cell(one.by_week, week) for week in shown),
        )
    yield table
    yield from _more(len(found.sets))


def _who(one: SetLoad) -> str:
    return one.name if len(one.people) <= 2 else plural(len(one.people), "person", "people")


def _for(one: SetLoad) -> str:
    return some(one.members, 2) or "-"


def _environments(found: Bottleneck, weeks: int) -> Iterator[RenderableType]:
    if not found.environments:
        return
    value = {hour.name: hour.saves for hour in found.prices.hours if hour.kind == "environment"}
    shown = _weeks((e.by_week for e in found.environments.values()), weeks)
    yield _heading("Environments")
    head = ("name", ">places", ">taken h", ">load", ">weeks of queue", ">an hour of one more saves")
    table = _table(*head, *(f">{week[5:]}" for week in shown))
    for name, one in list(found.environments.items())[:ROWS]:
        saves = _money(value[name], "") if name in value else "-"
        queue = "-" if one.weeks_of_queue is None else f"{one.weeks_of_queue:.1f}"
        table.add_row(
            *map(_text, (name, str(one.capacity), f"{one.work_hours:,.0f}")),
            _load(one.load),
            _text(queue),
            _text(saves),
            *(_cell(one.by_week, week) for week in shown),
        )
    yield table
    yield from _more(len(found.environments))


def _tightest(found: Bottleneck) -> Iterator[RenderableType]:
    if not found.tightest:
        return
    yield _heading("Fullest in each week")
    table = _table("weeks", "who or what", ">full")
    runs = [list(run) for _, run in groupby(found.tightest.items(), key=lambda entry: entry[1].name)]
    for run in runs[:ROWS]:
        (first, one), (last, _) = run[0], run[-1]
        least, most = min(share.load for _, share in run), max(share.load for _, share in run)
        full = _load(most) if _share(least) == _share(most) else Text(f"{_share(least)} to ").append_text(_load(most))
        table.add_row(_text(first if first == last else f"{first} to {last}"), _text(one.name), full)
    yield table
    yield from _more(len(runs))


def _without_hours(found: Bottleneck) -> Iterator[RenderableType]:
    if not found.without_hours:
        return
    yield _heading("No hours at all: in no load above")
    table = _table("needs", "could", ">work h", "items")
    for one in found.without_hours[:ROWS]:
        more = f" and {len(one.items) - 5} more" if len(one.items) > 5 else ""
        could = ", ".join(one.people) or "nobody"
        table.add_row(*map(_text, (one.needs, could, f"{one.work_hours:,.0f}", ", ".join(one.items[:5]) + more)))
    yield table
    yield from _more(len(found.without_hours))


def _weeks(all_weeks: Iterable[ByWeek], most: int) -> list[str]:
    """The first weeks in which anything is planned, and those between."""
    busy = sorted({week for by in all_weeks for week, (planned, _) in by.items() if planned > 0})
    return busy[:most]


def _cell(by_week: ByWeek, week: str) -> Text:
    planned, there = by_week.get(week, (0.0, 0.0))
    return _load(planned / there) if there else Text("-", style="dim")


def _load(share: float | None) -> Text:
    if share is None:
        return Text("no hours", style="bold red")
    style = "bold red" if share >= FULL - 5e-4 else "yellow" if share >= BUSY else ""
    return Text(_share(share), style=style)


def _share(share: float | None) -> str:
    return "no hours" if share is None else f"{share:.0%}".replace("%", " %")


def _money(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:,.3g}"
    return f"{number} {unit}".rstrip()


def _day(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %d %b %Y}"


def _heading(text: str) -> Text:
    return Text("\n" + clean(text), style="bold cyan")


def _text(text: str) -> Text:
    return Text(clean(text))


def _more(total: int) -> Iterator[Text]:
    if total > ROWS:
        yield Text(f"and {total - ROWS} more (--json has all)", style="dim")


def _table(*columns: str, show_header: bool = True) -> Table:
    """Column names; those that start with ``>`` are aligned to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=show_header, header_style="dim")
    for name in columns:
        table.add_column(Text(name.lstrip(">")), justify="right" if name.startswith(">") else "left", overflow="fold")
    return table
