"""Markup without a way to forget escaping: whatever is not :class:`Html` is escaped when it is put into a tag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from throttle.wording import plural

# Not allowed in HTML at all, or able to reorder the text around them (U+202A-202E, U+2066-2069): shown as a mark.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | None


def text(value: str) -> Html:
    """The value as markup that shows it; characters that cannot be shown become U+FFFD."""
    return value if isinstance(value, Html) else Html(escape(_UNSHOWABLE.sub("\ufffd", value)))


def join(*children: Child, between: str = "") -> Html:
    """Children one after another, None left out."""
    return Html(between.join(text(c) for c in children if c is not None))


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Html:
    """An element. ``class_`` is ``class``, ``aria_label`` is ``aria-label``; None and False leave an attribute out."""
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{text(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(*children)}</{name}>")


_VOID = {"meta", "link", "br", "hr"}


def fold(summary: str, *body: Child, open_: bool = False) -> Html:
    """Something to open; works by keyboard and without script."""
    return tag("details", tag("summary", summary), *body, open=open_)


def region(label: str, *body: Child, class_: str = "scroll") -> Html:
    """A part that may scroll sideways, and so must be reachable by keyboard."""
    return tag("div", *body, class_=class_, role="region", aria_label=label, tabindex="0")


Rows = Iterable[Sequence[str]]


def table(caption: str, heads: Sequence[str], rows: Rows, *, look: str = "", kinds: str = "", label: str = "") -> Html:
    """A table whose first column heads its rows.

    ``kinds``: a letter for each column: ``n`` for a number (right-aligned), ``t`` for a time or date (not broken over
    lines), ``w`` for words. ``look``: classes of style.css that set column widths; with ``stack`` among them, each row
    becomes a block with its column heads repeated on a phone. ``label`` names the region where the caption would not.
    """
    return grouped_table(caption, heads, [("", rows)], look=look, kinds=kinds, label=label)


def grouped_table(
    caption: str,
    heads: Sequence[str],
    groups: Iterable[tuple[str, Rows]],
    *,
    look: str = "",
    kinds: str = "",
    label: str = "",
) -> Html:
    """A table in parts, each with a heading of its own (none where it is empty)."""
    kinds = kinds or "w" * len(heads)
    classes = [f' class="{kind}"' if kind != "w" else "" for kind in kinds]
    labels = [f' data-label="{text(head)}"' if "stack" in look else "" for head in heads]
    above = f"<caption>{text(caption)}</caption>" if caption else ""
    head = "".join(f'<th scope="col"{c}>{text(h)}</th>' for h, c in zip(heads, classes, strict=True))
    parts = [f"{above}<thead><tr>{head}</tr></thead>\n"]
    for title, rows in groups:
        parts.append("<tbody>")
        if title:
            parts.append(f'<tr class="part"><th scope="rowgroup" colspan="{len(heads)}">{text(title)}</th></tr>\n')
        for first, *rest in rows:
            cells = "".join(f"<td{c}{n}>{text(v)}</td>" for v, c, n in zip(rest, classes[1:], labels[1:], strict=True))
            parts.append(f'<tr><th scope="row"{classes[0]}>{text(first)}</th>{cells}</tr>\n')
        parts.append("</tbody>")
    inner = "".join(parts)
    return region(
        label or caption, Html(f'<table class="{look}">{inner}</table>' if look else f"<table>{inner}</table>")
    )


def long_table(
    caption: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    shown: int,
    cap: int,
    look: str = "",
    kinds: str = "",
    label: str = "",
) -> Html:
    """The first ``shown`` rows, the rest up to ``cap`` to open, and a sentence on what is left out."""
    first = table(caption, heads, rows[:shown], look=look, kinds=kinds, label=label)
    rest = rows[shown:cap]
    if not rest:
        return first
    going_on = f"{label or caption}, continued"
    more = fold(f"{len(rest):,} more", table("", heads, rest, look=look, kinds=kinds, label=going_on))
    return join(first, more, left_out(len(rows) - cap, "row"))


def left_out(count: int, what: str, where: str = "plan.json has everything", several: str = "") -> Html | None:
    """Says what a capped list or picture does not show; None where nothing is missing."""
    if count <= 0:
        return None
    words = plural(count, f"more {what}", f"more {several}" if several else "")
    return tag("p", f"{words} not shown here; {where}.", class_="note")
