"""Pictures of figures: bars with their confidence, and curves. Inline SVG by classes only; a table says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from throttle.report.html import Html, tag, text

_LABEL, _WIDE, _ROW, _FOOT = 250, 560, 26, 26
MOST_BARS = 30


@dataclass(frozen=True)
class Bar:
    """A figure, and the interval that it lies in where there is one."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    words: str = ""


def bars(title: str, drawn: Sequence[Bar], unit: str = "", gain: bool = False) -> Html:
    """Horizontal bars from 0 to either side, as given; ``gain``: more is better."""
    shown = drawn[:MOST_BARS]
    ends = [x for b in shown for x in (b.value, b.low, b.high) if x is not None]
    least, most = min([0.0, *ends]), max([0.0, *ends])
    if most == least:
        most = least + 1.0
    scale = _WIDE / (most - least)

    def x(value: float) -> float:
        return round(_LABEL + (value - least) * scale, 1)

    parts = []
    for k, bar in enumerate(shown):
        y = 8 + k * _ROW
        a, b = sorted((x(0.0), x(bar.value)))
        words = bar.words or f"{bar.value:+,.0f} {unit}".rstrip()
        parts.append(
            f'<text class="tick" x="{_LABEL - 8}" y="{y + 14}" text-anchor="end">{text(_short(bar.label))}</text>'
        )
        kind = "bar-more" if (bar.value > 0) != gain else "bar-less"
        title_ = f"<title>{text(f'{bar.label}: {words}')}</title>"
        parts.append(f'<rect class="{kind}" x="{a:g}" y="{y}" width="{max(b - a, 0.5):g}" height="18">{title_}</rect>')
        if bar.low is not None and bar.high is not None:
            low, high = x(bar.low), x(bar.high)
            parts.append(f'<path class="whisker" d="M{low:g} {y + 5}v8M{high:g} {y + 5}v8M{low:g} {y + 9}H{high:g}"/>')
    bottom = 8 + len(shown) * _ROW
    parts.append(f'<line class="grid" x1="{x(0.0):g}" x2="{x(0.0):g}" y1="4" y2="{bottom}"/>')
    for value in ticks(least, most):
        parts.append(f'<text class="tick" x="{x(value):g}" y="{bottom + 16}" text-anchor="middle">{value:,g}</text>')
    return _svg(title, "".join(parts), _LABEL + _WIDE + 30, bottom + _FOOT)


@dataclass(frozen=True)
class Line:
    """A curve with a band around it, over the same places as all others of the picture."""

    label: str
    values: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


def curve(title: str, across: str, places: Sequence[str], lines: Sequence[Line], mark: int | None = None) -> Html:
    """Curves over named places, the lowest of the first one in the same picture; ``mark``: the place recommended."""
    left, wide, high, foot = 84, 700, 260, 44
    every = [v for one in lines for v in (*one.values, *one.low, *one.high)]
    least, most = min(0.0, *every), max(every)
    most = most if most > least else least + 1.0
    step = wide / max(1, len(places))

    def x(k: int) -> float:
        return round(left + step * (k + 0.5), 1)

    def y(value: float) -> float:
        return round(10 + high * (1 - (value - least) / (most - least)), 1)

    parts = []
    for value in ticks(least, most):
        parts.append(f'<line class="grid" x1="{left}" x2="{left + wide}" y1="{y(value):g}" y2="{y(value):g}"/>')
        parts.append(f'<text class="tick" x="{left - 8}" y="{y(value) + 4:g}" text-anchor="end">{value:,g}</text>')
    if mark is not None:
        parts.append(f'<rect class="curve-mark" x="{x(mark) - step / 2:g}" y="10" width="{step:g}" height="{high}"/>')
    for k, place in enumerate(places):
        parts.append(f'<text class="tick" x="{x(k):g}" y="{high + 28}" text-anchor="middle">{text(place)}</text>')
    parts.append(f'<text class="tick" x="{left}" y="{high + 48}">{text(across)}</text>')
    for number, one in enumerate(lines):
        if one.low and one.high:
            edge = [(x(k), y(v)) for k, v in enumerate(one.high)]
            edge += [(x(k), y(v)) for k, v in reversed(list(enumerate(one.low)))]
            corners = " ".join(f"{a:g},{b:g}" for a, b in edge)
            parts.append(f'<polygon class="curve-band" points="{corners}"/>')
        points = " ".join(f"{x(k):g},{y(v):g}" for k, v in enumerate(one.values))
        parts.append(f'<polyline class="curve-line curve-{number}" points="{points}"/>')
        for k, value in enumerate(one.values):
            words = text(f"{one.label}, {places[k]}: {value:,.4g}")
            parts.append(
                f'<circle class="curve-dot curve-{number}" cx="{x(k):g}" cy="{y(value):g}" r="4"><title>{words}</title>'
                "</circle>"
            )
    return _svg(title, "".join(parts), left + wide + 10, high + foot + 20)


def ticks(least: float, most: float) -> list[float]:
    """Some four round values within."""
    raw = (most - least) / 4
    if raw <= 0:
        return [least]
    ten = 10.0 ** floor(log10(raw))
    step = next(ten * k for k in (1, 2, 5, 10) if ten * k >= raw)
    first = -(-least // step)
    return [round((first + k) * step, 10) for k in range(12) if (first + k) * step <= most + 1e-9]


def _short(words: str) -> str:
    return words if len(words) <= 38 else words[:37] + "\u2026"


def _svg(title: str, inner: str, wide: float, high: float) -> Html:
    name = "".join(c if c.isascii() and c.isalnum() else "-" for c in title.lower())[:40]
    return tag(
        "div",
        tag("p", title, class_="legend"),
        tag(
            "svg",
            tag("title", title, id=f"{name}-title"),
            tag("desc", "The table below says the same.", id=f"{name}-desc"),
            Html(inner),
            role="img",
            aria_labelledby=f"{name}-title {name}-desc",
            width=wide,
            height=high,
            viewBox=f"0 0 {wide:g} {high:g}",
        ),
        class_="scroll",
        role="region",
        aria_label=title,
        tabindex="0",
    )
