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
    # several items may rest on one project's cost, so sums would count it more than once
    order = sorted(groups.items(), key=lambda entry: (-entry[1][0].value, -len(entry[1]), entry[0].value))
    room, parts = _CAP, []
    for reason, holds in order:
        parts.append(_group(view, reason, holds, room))
        room = max(0, room - len(holds))
    intro = f"{plural(len(view.plan.holds), 'item')} {not_to_begin(view)}, each under the one reason that binds it, "
    intro += "the most valuable first."
    return join(tag("p", intro), *parts, left_out(len(view.plan.holds) - _CAP, "item"))


def not_to_begin(view: View) -> str:
    """``not to begin this week, of which 3 not in the plan``."""
    left_out = sum(h.item in view.plan.unscheduled for h in view.plan.holds)
    return "not to begin this week" + (f", of which {left_out:,} not in the plan" if left_out else "")


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
    summary = join(tag("b", REASONS[reason]), tag("span", f" {plural(len(holds), 'item')}", class_="muted"))
    return tag("details", tag("summary", summary), body, open=True, class_="group")
