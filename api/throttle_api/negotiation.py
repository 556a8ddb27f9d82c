"""Preconditions and formats: ``Accept``, ``ETag``, ``If-None-Match``, ``If-Match`` and ``Prefer`` (RFC 9110, 7240)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from throttle_api.problems import Problem

JSON, CSV, ICS, HTML = "application/json", "text/csv", "text/calendar", "text/html"
_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?=$|[,;])", re.IGNORECASE)
_TAG = re.compile(r'(W/)?"([^"]*)"')


def choose(accept: str | None, offers: Sequence[str]) -> str:
    """The offer that ``Accept`` likes best, the first of equals. Raises Problem (406) where it allows none."""
    if not accept or not accept.strip():
        return offers[0]
    best, best_quality = "", 0.0
    ranges = [_range(part) for part in accept.split(",")]
    for offer in offers:
        kind = offer.split("/")[0]
        fits = [(len(r.replace("*", "")), q) for r, q in ranges if r in (offer, f"{kind}/*", "*/*")]
        quality = max(fits)[1] if fits else 0.0  # the most specific range counts
        if quality > best_quality:
            best, best_quality = offer, quality
    if not best:
        raise Problem("not-acceptable", f"There is this only as {', '.join(offers)}.")
    return best


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (p.strip() for p in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            try:
                quality = min(1.0, max(0.0, float(value)))
            except ValueError:
                quality = 0.0
    return name.lower(), quality


def tag(etag: str) -> str:
    """The value of an ETag header."""
    return f'"{etag}"'


def unchanged(if_none_match: str | None, etag: str) -> bool:
    """Whether the client has what there is: 304."""
    if not if_none_match:
        return False
    return if_none_match.strip() == "*" or etag in (m[2] for m in _TAG.finditer(if_none_match))


def matching(if_match: str | None) -> str | None:
    """The one ETag of ``If-Match``, ``*`` for any, None without the header. Raises Problem for what is neither."""
    if if_match is None:
        return None
    text = if_match.strip()
    if text == "*":
        return text
    match = _TAG.fullmatch(text)
    if match is None or match[1]:
        raise Problem("bad-header", 'If-Match takes one ETag as it was given, such as "4f0c".')
    return match[2]


def wait_of(prefer: str | None, most: float) -> float:
    """Seconds that ``Prefer: wait=N`` asks for, at most ``most``; other preferences are ignored, as they may be."""
    match = _WAIT.search(prefer or "")
    return min(float(match[1]), most) if match else 0.0
