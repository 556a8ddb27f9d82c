"""Cells to values: blanks, numbers, durations with their unit, yes and no, folded words."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_BLANK = frozenset({"", "unknown", "?", "nan", "null", "none", "<null>", "n/a", "undefined"})
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:[,\u00a0\u202f ]\d{3})+(?:\.\d+)?")
_CLOCK = re.compile(r"(\d+):([0-5]?\d):([0-5]?\d)(?:\.\d+)?")
_EPOCH = re.compile(r"1970-01-(\d\d)[ T](\d\d):(\d\d):(\d\d)")
_ISO = re.compile(r"P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_PRETTY = re.compile(r"(\d+(?:[.,]\d+)?)\s*(weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|s)(?![a-z])[\s,]*")
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


def number(cell: str) -> float | None:
    """A number with a decimal point, with or without thousands separators."""
    text = cell.strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    if _GROUPED.fullmatch(text):
        return float(re.sub(r"[,\u00a0\u202f ]", "", text))
    if re.fullmatch(r"[+-]?\d+,\d{1,2}", text):  # a decimal comma: thousands come in threes
        return float(text.replace(",", "."))
    return None


def minutes(cell: str, unit: str = "s") -> float | None:
    """Working minutes of a duration, or None where it is none; ``unit`` is that of a bare number (a day has 8 h)."""
    text = cell.strip()
    bare = number(text)
    if bare is not None:
        return bare * _MINUTES[unit]
    if m := _CLOCK.fullmatch(text):
        return int(m[1]) * 60 + int(m[2]) + int(m[3]) / 60
    if m := _EPOCH.fullmatch(text):  # ServiceNow writes a duration as a moment after 1970-01-01
        return (int(m[1]) - 1) * 1440 + int(m[2]) * 60 + int(m[3]) + int(m[4]) / 60
    if (m := _ISO.fullmatch(text)) and any(m.groups()):
        days, hours, mins, seconds = (float(g or 0) for g in m.groups())
        return days * 480 + hours * 60 + mins + seconds / 60
    at, total, low = 0, 0.0, text.casefold()
    for m in _PRETTY.finditer(low):
        if m.start() != at:
            return None
        total += float(m[1].replace(",", ".")) * _MINUTES[m[2][0]]
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
