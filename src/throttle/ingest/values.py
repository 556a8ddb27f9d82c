"""Cells to values: blanks, numbers, durations with their unit, yes and no, folded words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

_BLANK = frozenset({"", "unknown", "?", "nan", "null", "none", "<null>", "n/a", "undefined"})
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_ANY_NUMBER = re.compile(r"[+-]?\d[\d.,'\u2019\u00a0\u202f ]*")
_GAPS = re.compile(r"(?<=\d)['\u2019\u00a0\u202f ](?=\d{3}(?!\d))")
"""Thousands separators that are nothing else."""
_MARKED = re.compile(r"\d+(?:[.,]\d+)+")
_CLOCK = re.compile(r"(\d+):([0-5]?\d):([0-5]?\d)(?:\.\d+)?")
_EPOCH = re.compile(r"1970-01-(\d\d)[ T](\d\d):(\d\d):(\d\d)")
_ISO = re.compile(r"P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_PRETTY = re.compile(r"(\d+(?:[.,]\d+)*)\s*(weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|s)(?![a-z])[\s,]*")
_MINUTES = {"w": 2400.0, "d": 480.0, "h": 60.0, "m": 1.0, "s": 1 / 60}


def blank(cell: str) -> bool:
    """Whether a cell says nothing. Not for prose, where ``None`` may be a real value."""
    return cell.isspace() if len(cell) > 24 else cell.strip().casefold() in _BLANK


def fold(text: str) -> str:
    """For comparing words: no case, no accents, single blanks."""
    return _folded(text) if len(text) <= _WORD else _plain(text)


def _plain(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(plain.casefold().split())


_WORD = 200
"""Longer texts are not remembered."""
_folded = lru_cache(maxsize=65536)(_plain)


Mark = Literal[".", ","]
"""What stands before the decimals of numbers."""


def marks(cell: str) -> tuple[set[Mark], bool]:
    """What the numbers of a cell prove of the decimal mark, and whether one of them can be read in two ways.

    ``2.500,25``, ``1,5`` and ``1.234.567`` prove the comma, ``0.125`` and ``1,234,567`` the point; ``1.234`` is
    either. Dates and clock times are no such numbers.
    """
    proved: set[Mark] = set()
    unsure = False
    if not ("." in cell or "," in cell) or ":" in cell or cell.startswith("P"):  # a clock time, ISO 8601
        return proved, unsure
    for found in _MARKED.findall(_GAPS.sub("", cell)):
        if (mark := _mark(found)) is None:
            unsure = True
        elif mark:
            proved.add(mark)
    return proved, unsure


def _mark(text: str) -> Mark | Literal[""] | None:
    """The decimal mark that a number proves; empty: it is no number in any way; None: either."""
    points, commas = text.count("."), text.count(",")
    if points and commas:
        mark: Mark = "." if text.rindex(".") > text.rindex(",") else ","
        return mark if _plainly(text, mark) is not None else ""
    other: Mark = "," if points else "."
    own: Mark = "." if points else ","
    grouped, plain = _plainly(text, other) is not None, _plainly(text, own) is not None
    return None if grouped and plain else other if grouped else own if plain else ""


def _plainly(text: str, mark: Mark) -> float | None:
    """The number, with this decimal mark; None where it is none: groups of thousands have three digits."""
    whole, _, part = text.partition(mark)
    groups = whole.split("," if mark == "." else ".")
    if len(groups) > 1 and (
        not 1 <= len(groups[0]) <= 3 or groups[0][0] == "0" or any(len(g) != 3 for g in groups[1:])
    ):
        return None
    digits = "".join(groups)
    return float(f"{digits}.{part or 0}") if digits.isdecimal() and (not part or part.isdecimal()) else None


def number(cell: str, mark: Mark | None = None) -> float | None:
    """A number, with or without thousands separators; None where it is none.

    ``mark``: the decimal mark of its column. Without one the number itself tells; where it does not, it is a point.
    """
    text = cell.strip()
    if mark != "," and _NUMBER.fullmatch(text):
        return float(text)
    if not _ANY_NUMBER.fullmatch(text):
        return None
    sign = -1.0 if text[0] == "-" else 1.0
    text = _GAPS.sub("", text.lstrip("+-"))
    value = _plainly(text, mark or _mark(text) or ".")
    return None if value is None else sign * value


def minutes(cell: str, unit: str = "s", mark: Mark | None = None) -> float | None:
    """Working minutes of a duration, or None where it is none; ``unit`` is that of a bare number (a day has 8 h).

    ``mark``: as for :func:`number`.
    """
    text = cell.strip()
    bare = number(text, mark)
    if bare is not None:
        return bare * _MINUTES[unit]
    if m := _CLOCK.fullmatch(text):
        return int(m[1]) * 60 + int(m[2]) + int(m[3]) / 60
    if m := _EPOCH.fullmatch(text):  # ServiceNow writes a duration as a moment after 1970-01-01
        return (int(m[1]) - 1) * 1440 + int(m[2]) * 60 + int(m[3]) + int(m[4]) / 60
    if (m := _ISO.fullmatch(text)) and any(m.groups()):
        days, hours, mins, seconds = (float(g or 0) for g in m.groups())
        return days * 480 + hours * 60 + mins + seconds / 60
    at, total, low = 0, 0.0, _GAPS.sub("", text.casefold())
    for m in _PRETTY.finditer(low):
        part = number(m[1], mark)
        if m.start() != at or part is None:
            return None
        total += part * _MINUTES[m[2][0]]
        at = m.end()
    return total if low and at == len(low) else None


_YES = frozenset({"true", "yes", "y", "1", "si", "ja", "oui", "sim", "verdadero", "wahr", "vrai", "verdadeiro"})


def yes(cell: str) -> bool:
    return fold(cell) in _YES


@lru_cache(maxsize=16384)
def slug(text: str) -> str:
    """An id that is easy to type, in any script: ``Maria Lopez (m.lopez)`` to ``maria-lopez-m-lopez``."""
    return "-".join(filter(None, re.split(r"[\W_]+", fold(text))))


def several(cell: str, characters: str) -> list[str]:
    """The values of a cell that holds several, with any of these characters between them."""
    first = characters[0]
    for other in characters[1:]:
        cell = cell.replace(other, first)
    return [part for value in cell.split(first) if (part := value.strip())]


_SPRINT_START = re.compile(r"[\w.]*\bSprint@[0-9a-f]+\[")
_SPRINT_FIELD = re.compile(
    r"(?:^|,)(id|rapidViewId|state|name|goal|startDate|endDate|completeDate|activatedDate|sequence|synced"
    r"|autoStartStop|incompleteIssuesDestinationId)="
)


def server_sprint(text: str) -> dict[str, str] | None:
    """Fields of Jira Server's ``...Sprint@2330e67f[id=1,state=CLOSED,name=a, b] c,startDate=<null>,...]``.

    A name may hold commas, bars and brackets; it ends where the next known field begins, or at the last bracket.
    """
    start = _SPRINT_START.match(text)
    if start is None:
        return None
    inner = text[start.end() :]
    inner = inner[: inner.rindex("]")] if "]" in inner else inner
    marks = list(_SPRINT_FIELD.finditer(inner))
    found: dict[str, str] = {}
    for mark, after in zip(marks, [*marks[1:], None], strict=True):
        value = inner[mark.end() : after.start() if after else len(inner)]
        if mark[1] not in found and value not in ("<null>", ""):
            found[mark[1]] = value
    return found or None


def sprint_name(text: str) -> str:
    """A sprint's name, also where it is written in Server's way."""
    found = server_sprint(text)
    return text if found is None else found.get("name", "")


SPRINT_STATES = {"active": 2, "open": 2, "future": 1, "closed": 0}
_NUMBERED = re.compile(r"(\D*)(\d+)(\D*)")


def current_sprint(entered: Sequence[str]) -> str:
    """Of the sprints that a ticket was in, the one that is open, else the latest; its name.

    Server's way of writing tells states and dates. Of names alone a number tells, where nothing else differs; else the
    last one, since exports list them in order of time.
    """
    fields = [server_sprint(text) for text in entered]
    told = [f for f in fields if f is not None]
    if len(told) == len(entered) and all("state" in f for f in told):
        best = max(
            enumerate(told),
            key=lambda e: (
                SPRINT_STATES.get(fold(e[1]["state"]), 0),
                e[1].get("startDate", e[1].get("endDate", "")),
                e[0],
            ),
        )
        return best[1].get("name", "")
    names = [sprint_name(text) for text in entered]
    parts = [_NUMBERED.fullmatch(name) for name in names]
    numbered = [m for m in parts if m is not None]
    if len(numbered) == len(names) and len({(fold(m[1]), fold(m[3])) for m in numbered}) == 1:
        return max(zip(numbered, names, strict=True), key=lambda pair: int(pair[0][2]))[1]
    return names[-1]
