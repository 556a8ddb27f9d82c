"""What the plan leaves out, and the reason that the checker has verified for each."""

from __future__ import annotations

from collections import defaultdict

from throttle.report.html import Html, join, left_out, long_table, tag
from throttle.report.view import REASONS, View, shorten
from throttle.wording import plural
from throttle_models import Reason

_SHOWN, _CAP = 15, 3000


def render(view: View) -> Html:
    if not view.plan.unscheduled:
        return tag("p", "Every open item is in the schedule.", class_="none")
    groups: dict[Reason, list[str]] = defaultdict(list)
    for item, left in view.plan.unscheduled.items():
        groups[left.reason].append(item)
    room, parts = _CAP, []
    for reason, items in sorted(groups.items(), key=lambda entry: (-len(entry[1]), entry[0].value)):
        rows = [
            (
                view.item(i),
                view.project(view.project_of(i)),
                shorten(left.text, 300),
                shorten(", ".join(left.refs), 120),
            )
            for i in sorted(items)[:room]
            for left in (view.plan.unscheduled[i],)
        ]
        heads = ("Item", "Project", "Why", "It is about")
        body = long_table("", heads, rows, shown=_SHOWN, cap=room, look="stack outs", label=REASONS[reason])
        summary = join(tag("b", REASONS[reason]), tag("span", f" {plural(len(items), 'item')}", class_="muted"))
        parts.append(tag("details", tag("summary", summary), body, open=True, class_="group"))
        room = max(0, room - len(items))
    intro = f"{plural(len(view.plan.unscheduled), 'item')} could not be planned. The checker has confirmed each reason."
    if not view.plan.certificate.checked:
        intro = f"{plural(len(view.plan.unscheduled), 'item')} could not be planned."
    return join(tag("p", intro), *parts, left_out(len(view.plan.unscheduled) - _CAP, "item"))
