"""Pictures over weeks: inline SVG whose rows are labelled in HTML, so that labels stay while the picture scrolls.

A mark is drawn as SVG attributes and classes only: the page's security policy allows no style attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from throttle.report.html import Child, Html, tag, text
from throttle.report.view import MONTHS
from throttle.wording import iso_week

MOST_WEEKS = 104
ROW, LANE, TALL = 22, 15, 46
"""Heights in pixels: of a row, of each further lane in it, of a row of bars. style.css repeats them for the labels."""
_HEAD, _FOOT = 36, 18
WIDTH = 950
"""Pixels of the weeks together; with the labels it fills the page, and 104 weeks still have 9 each."""


@dataclass(frozen=True)
class Weeks:
    """The horizontal axis: whole ISO weeks in the plan's zone, as many pixels each as fit a desktop."""

    zone: ZoneInfo
    first: date
    """A Monday."""
    count: int
    cut: bool = False
    """Whether something lies after the last week drawn."""

    @classmethod
    def over(cls, first: datetime, last: datetime, zone: ZoneInfo, most: int = MOST_WEEKS) -> Weeks:
        """The weeks from one moment to another, at most so many."""
        a, b = first.astimezone(zone).date(), (last - timedelta(seconds=1)).astimezone(zone).date()
        start = a - timedelta(days=a.weekday())
        count = max(1, (b - start).days // 7 + 1)
        return cls(zone, start, min(count, most), count > most)

    @property
    def note(self) -> Html | None:
        """Says where the picture ends, if the plan does not."""
        words = f"Only the first {self.count} weeks are drawn; the table below goes on."
        return tag("p", words, class_="note") if self.cut else None

    @property
    def pixels(self) -> float:
        """The width of a week."""
        return WIDTH / self.count

    @cached_property
    def names(self) -> tuple[str, ...]:
        """``2026-W48`` and so on."""
        return tuple(iso_week(self.first + timedelta(weeks=i)) for i in range(self.count))

    @cached_property
    def _range(self) -> tuple[datetime, float]:
        start = datetime.combine(self.first, time(), self.zone).astimezone(UTC)
        end = datetime.combine(self.first + timedelta(weeks=self.count), time(), self.zone).astimezone(UTC)
        return start, (end - start).total_seconds()

    def x(self, moment: datetime) -> float:
        """Pixels from the left; moments outside are put on the edge."""
        start, seconds = self._range
        return round(min(1.0, max(0.0, (moment - start).total_seconds() / seconds)) * WIDTH, 1)

    def shows(self, moment: datetime) -> bool:
        start, seconds = self._range
        return 0 <= (moment - start).total_seconds() <= seconds


@dataclass(frozen=True)
class Row:
    """One labelled row and what is drawn in it; ``y`` of marks counts from the row's top."""

    label: Child
    marks: Html
    size: str = "l1"
    """``l1`` to ``l4`` for one to four lanes, ``tall`` for bars."""
    marked: bool = False

    @property
    def height(self) -> int:
        return TALL if self.size == "tall" else ROW + (int(self.size[1]) - 1) * LANE


def bar(weeks: Weeks, start: datetime, finish: datetime, y: float, height: float, class_: str, tip: str = "") -> Html:
    """A rectangle from one moment to another; nothing where it lies outside the weeks drawn."""
    a, b = weeks.x(start), weeks.x(finish)
    if finish < start or (not weeks.shows(start) and not weeks.shows(finish) and a == b):
        return Html("")
    body = f"<title>{text(tip)}</title>" if tip else ""
    width = round(max(b - a, 1.5), 1)
    return Html(f'<rect class="{class_}" x="{a:g}" y="{y:g}" width="{width:g}" height="{height:g}">{body}</rect>')


def write(x: float, y: float, words: str, class_: str) -> Html:
    return Html(f'<text class="{class_}" x="{x:g}" y="{y:g}">{text(words)}</text>')


def chart(
    ident: str, title: str, description: str, weeks: Weeks, as_of: datetime, rows: Sequence[Row], today: bool = True
) -> Html:
    """The picture, its axis, its row labels. ``ident`` is unique on the page; the caller adds the text twin."""
    tops, y = [], _HEAD
    for row in rows:
        tops.append(y)
        y += row.height
    bands = [
        f'<rect class="{"mark" if row.marked else "band"}" x="0" y="{top}" width="{WIDTH}" height="{row.height}"/>'
        for i, (row, top) in enumerate(zip(rows, tops, strict=True))
        if row.marked or i % 2
    ]
    marks = [f'<g transform="translate(0 {top})">{row.marks}</g>\n' for row, top in zip(rows, tops, strict=True)]
    x = weeks.x(as_of)
    line = f'<line class="now" x1="{x:g}" x2="{x:g}" y1="{_HEAD - 4}" y2="{y}"/>' if today else ""
    height = y + (_FOOT if len(rows) > 15 else 2)
    svg = tag(
        "svg",
        tag("title", title, id=f"{ident}-title"),
        tag("desc", description, id=f"{ident}-desc"),
        Html("".join(bands)),
        _axis(weeks, y, twice=len(rows) > 15),
        Html("".join(marks)),
        Html(line),
        role="img",
        aria_labelledby=f"{ident}-title {ident}-desc",
        width=WIDTH,
        height=height,
        viewBox=f"0 0 {WIDTH} {height}",
    )
    labels = [tag("div", row.label, class_=f"row {row.size}{' mark' if row.marked else ''}") for row in rows]
    return tag(
        "div",
        tag("div", *labels, class_="rows", aria_hidden="true"),
        tag("div", svg, class_="scroll", role="region", aria_label=title, tabindex="0"),
        class_="chart",
    )


def _axis(weeks: Weeks, bottom: int, twice: bool) -> Html:
    step = next(n for n in (1, 2, 4, 13) if n * weeks.pixels >= 24)
    parts, month, room = [], "", 0.0
    for i in range(weeks.count):
        x = round(i * weeks.pixels, 1)
        monday = weeks.first + timedelta(weeks=i)
        parts.append(f'<line class="grid" x1="{x:g}" x2="{x:g}" y1="{_HEAD - 18}" y2="{bottom}"/>')
        if i % step == 0:
            label = monday.isocalendar()[1]
            parts.append(write(x + 3, _HEAD - 7, f"W{label}" if weeks.pixels * step >= 34 else f"{label}", "tick"))
            if twice:
                parts.append(write(x + 3, bottom + 12, f"{label}", "tick"))
        name = f"{MONTHS[monday.month - 1]} {monday.year}"
        if name != month and room <= x <= WIDTH - 56:
            parts.append(write(x + 3, _HEAD - 23, name, "month"))
            month, room = name, x + 64
    return Html("".join(parts))


def legend(*entries: tuple[str, str]) -> Html:
    """What colours and shapes mean: (class of the swatch, words)."""
    return tag("p", *(tag("span", tag("span", class_=f"swatch {c}"), w) for c, w in entries), class_="legend")
