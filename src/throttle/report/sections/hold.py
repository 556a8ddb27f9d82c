"""What not to begin this week, and the one reason for each."""

from __future__ import annotations

from collections import defaultdict

from throttle.report.html import Html, join, left_out, long_table, tag
from throttle.report.view import REASONS, View, shorten
from throttle.wording import plural
from throttle_models import Hold, Reason

_SHOWN, _CAP = 8, 5000


def render(view: View) -> Html:
    if not view.plan.holds:
        return tag("p", "Nothing is held: all work has begun or begins this week.", class_="none")
    groups: dict[Reason, list[Hold]] = defaultdict(list)
    for hold in sorted(view.plan.holds, key=lambda h: (-h.value, h.item)):
        groups[hold.reason].append(hold)
    order = sorted(groups.items(), key=lambda entry: (-sum(h.value for h in entry[1]), entry[0].value))
    room, parts = _CAP, []
    for reason, holds in order:
        parts.append(_group(view, reason, holds, room))
        room = max(0, room - len(holds))
    intro = f"{plural(len(view.plan.holds), 'item')} not to begin this week, each under the one reason that binds it, "
    intro += "the most valuable first."
    return join(tag("p", intro), *parts, left_out(len(view.plan.holds) - _CAP, "item"))


def _group(view: View, reason: Reason, holds: list[Hold], room: int) -> Html:
    rows = [
        (
            view.item(h.item),
            view.project(h.project),
            shorten(h.text, 300),
            view.when(h.until) if h.until else "not planned",
            view.delay(h.value),
        )
        for h in holds[:room]
    ]
    total = view.rate(sum(h.value for h in holds))
    body = long_table(
        "",
        ("Item", "Project", "Why", "Begins", "A week's delay costs"),
        rows,
        shown=_SHOWN,
        cap=room,
        look="stack holds",
        kinds="wwwtn",
        label=REASONS[reason],
    )
    summary = join(
        tag("b", REASONS[reason]), tag("span", f" {plural(len(holds), 'item')} \u00b7 {total}", class_="muted")
    )
    return tag("details", tag("summary", summary), body, open=True, class_="group")
