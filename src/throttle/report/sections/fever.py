"""Fever chart: how far each project is on its critical chain, and how much of its buffer that has taken."""

from __future__ import annotations

from collections.abc import Sequence

from throttle.report.html import Html, join, left_out, long_table, tag, text
from throttle.report.view import View
from throttle.wording import plural
from throttle_models import Fever, FeverLine, Zones

_WIDE, _HIGH, _LEFT, _FOOT = 520, 300, 44, 34
_TOP = 1.25
"""Share of the buffer at the upper edge; what is above is drawn on it."""
_SHOWN, _CAP = 12, 2000
_DRAWN = 30


def render(view: View) -> Html:
    fever = view.plan.fever
    if fever is None:
        if any(p.buffer_hours for p in view.plan.projects.values()):
            return tag(
                "p", "The first plan with these buffers: the next one shows how they are used up.", class_="none"
            )
        return tag("p", "No buffers: policy.buffers asks for none.", class_="none")
    known = _known(fever)
    rows = [
        (
            view.project(name) if name in view.portfolio.projects else view.item(name),
            f"{line.points[-1].done:.0%}",
            f"{line.points[-1].used:.0%}",
            line.points[-1].zone,
            view.day(line.promise),
        )
        for name, line in known
    ]
    heads = ("Project", "Chain done", "Buffer used", "Zone", "Promise")
    words = "Across: how much of a project's critical chain is done. Up: how much of its buffer is used. "
    words += "Green needs nothing, yellow a plan to catch up, red to act on it."
    return join(
        tag("p", words),
        picture(fever),
        left_out(len(known) - _DRAWN, "project", "the table below has them"),
        long_table("The same as a table", heads, rows, shown=_SHOWN, cap=_CAP, look="stack", kinds="wnnwt"),
    )


def _known(fever: Fever) -> list[tuple[str, FeverLine]]:
    """Projects with a point, the worst first."""
    order = {"red": 0, "yellow": 1, "green": 2}
    known = [(name, line) for name, line in fever.projects.items() if line.points]
    return sorted(known, key=lambda e: (order[e[1].points[-1].zone], -e[1].points[-1].used, e[0]))


def across(done: float) -> float:
    """Where a share of the chain is drawn."""
    return round(_LEFT + _WIDE * min(1.0, max(0.0, done)), 1)


def up(used: float) -> float:
    """Where a share of the buffer is drawn."""
    return round(8 + _HIGH * (1 - min(_TOP, max(0.0, used)) / _TOP), 1)


def ground(zones: Zones) -> list[str]:
    """The zones and the axes of a fever chart."""
    (g0, g1), (r0, r1) = zones.green, zones.red
    areas = [
        ("fever-red", [(0, _TOP), (1, _TOP), (1, r0 + r1), (0, r0)]),
        ("fever-yellow", [(0, r0), (1, r0 + r1), (1, g0 + g1), (0, g0)]),
        ("fever-green", [(0, g0), (1, g0 + g1), (1, 0), (0, 0)]),
    ]
    parts = [
        f'<polygon class="{kind}" points="{" ".join(f"{across(a):g},{up(b):g}" for a, b in corners)}"/>'
        for kind, corners in areas
    ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(f'<text class="tick" x="{across(share) - 8:g}" y="{_HIGH + 22}">{share:.0%}</text>')
        parts.append(f'<text class="tick" x="4" y="{up(share) + 4:g}">{share:.0%}</text>')
    parts.append(f'<text class="tick" x="{_LEFT}" y="{_HIGH + 38}">critical chain done</text>')
    return parts


def framed(title: str, name: str, parts: Sequence[str], margin: int = 8) -> Html:
    """A fever chart of these parts, with room for names on its right; ``name`` makes its ids differ from others."""
    wide, high = _LEFT + _WIDE + margin, _HIGH + _FOOT + 8
    return tag(
        "div",
        tag(
            "svg",
            tag("title", title, id=f"{name}-title"),
            tag("desc", "The table below says the same.", id=f"{name}-desc"),
            Html("".join(parts)),
            role="img",
            aria_labelledby=f"{name}-title {name}-desc",
            width=wide,
            height=high,
            viewBox=f"0 0 {wide} {high}",
        ),
        class_="scroll",
        role="region",
        aria_label="Fever chart",
        tabindex="0",
    )


def picture(fever: Fever) -> Html:
    """Where projects are and how they came there, the worst first."""
    parts, known = ground(fever.zones), _known(fever)[:_DRAWN]
    for name, line in known:
        path = " ".join(f"{across(p.done):g},{up(p.used):g}" for p in line.points)
        last = line.points[-1]
        title = text(f"{line.title or name}: {last.done:.0%} done, {last.used:.0%} of the buffer used")
        parts.append(f'<polyline class="fever-line" points="{path}"/>')
        x, y = across(last.done), up(last.used)
        circle = f'<circle class="fever-now" cx="{x:g}" cy="{y:g}" r="5"><title>{title}</title></circle>'
        # names on the right edge are written to the left
        side, anchor = (-9, ' text-anchor="end"') if x > _LEFT + _WIDE - 120 else (9, "")
        words = text(line.title or name)
        parts.append(f'{circle}<text class="who" x="{x + side:g}" y="{y - 7:g}"{anchor}>{words}</text>')
    return framed(f"Fever chart of {plural(len(known), 'project')}", "fever", parts)
