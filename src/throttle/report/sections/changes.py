"""Which changes go into which occurrence of which window, and which run outside windows."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from throttle.report.html import Html, fold, grouped_table, join, left_out, long_table, tag
from throttle.report.view import View
from throttle.wording import plural

_SHOWN, _CAP = 8, 1000
_HEADS = ("Change", "From, to", "Services", "Risk", "People")
_LOOK, _KINDS = "stack changes", "wtwnw"

Occurrence = tuple[datetime, datetime, str]


def render(view: View) -> Html:
    inside: dict[Occurrence, list[str]] = defaultdict(list)
    outside: list[str] = []
    for item, planned in sorted(view.plan.items.items(), key=lambda entry: (entry[1].start, entry[0])):
        change = view.portfolio.work[item].change
        if item in view.plan.inserted and view.plan.inserted[item].kind == "overhead":
            continue  # no change, but the work of using the window
        if planned.window is not None:
            inside[*planned.window, (change.window if change else None) or "window"].append(item)
        elif change is not None:
            outside.append(item)
    if not inside and not outside:
        return tag("p", "The plan has no changes.", class_="none")
    total = sum(map(len, inside.values()))
    windows = sorted(inside.items())
    first, later = windows[:_SHOWN], windows[_SHOWN:_CAP]
    return join(
        tag("p", f"{plural(total, 'change')} in {plural(len(inside), 'window')}; {len(outside):,} outside windows."),
        _table(view, f"The next windows ({view.plan.zone})", first) if first else None,
        fold(f"{plural(len(later), 'later window')}", _table(view, "Later windows", later)) if later else None,
        left_out(len(windows) - _CAP, "window"),
        fold(f"Outside windows: {plural(len(outside), 'change')}", _outside(view, outside), open_=not inside)
        if outside
        else None,
    )


def _table(view: View, caption: str, windows: list[tuple[Occurrence, list[str]]]) -> Html:
    groups = [(_title(view, key, len(items)), [_change(view, i) for i in items]) for key, items in windows]
    return grouped_table(caption, _HEADS, groups, look=_LOOK, kinds=_KINDS)


def _title(view: View, key: Occurrence, count: int) -> str:
    start, finish, name = key
    limit = view.portfolio.windows[name].changes if name in view.portfolio.windows else None
    of = f" of at most {limit:,}" if limit else ""
    return f"{name}, {view.span(start, finish)}: {plural(count, 'change')}{of}"


def _outside(view: View, items: list[str]) -> Html:
    rows = [_change(view, i) for i in items]
    return long_table(
        f"Changes that need no window ({view.plan.zone})", _HEADS, rows, shown=10, cap=_CAP, look=_LOOK, kinds=_KINDS
    )


def _change(view: View, item: str) -> tuple[str, ...]:
    planned, change = view.plan.items[item], view.portfolio.work[item].change
    return (
        view.item(item),
        view.span(planned.start, planned.finish),
        ", ".join(change.services) if change and change.services else "\u2013",
        str(change.risk) if change and change.risk is not None else "\u2013",
        view.crew(item) or "nobody needed",
    )
