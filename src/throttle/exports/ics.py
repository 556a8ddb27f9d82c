"""A plan as iCalendar (RFC 5545): an event for each unbroken stretch of work of one person on one item."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import sha256

from throttle.exports.common import Block, blocks, id_of, project_of, title_of
from throttle_models import Plan, Portfolio, with_inserted


def to_ics(plan: Plan, portfolio: Portfolio, *, person: str | None = None) -> str:
    """Events keep their UID from plan to plan, so that calendars move them: it follows from person, item, position.

    DTSTAMP is the plan's as-of, so that equal plans give equal text.
    """
    portfolio = with_inserted(plan, portfolio)
    person = id_of(person, portfolio)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//throttle-scheduler//throttle//EN", "CALSCALE:GREGORIAN"]
    for block in blocks(plan, person):
        lines += _event(block, plan, portfolio)
    lines.append("END:VCALENDAR")
    return "".join(f"{_fold(line)}\r\n" for line in lines)


def _event(block: Block, plan: Plan, portfolio: Portfolio) -> list[str]:
    title, project = title_of(block.item, portfolio), project_of(block.item, portfolio)
    name = portfolio.people[block.person].name if block.person in portfolio.people else ""
    identity = "\0".join((block.item, block.person, str(block.need), str(block.number)))
    details = [f"{name or block.person} on {block.item}"]
    if project:
        details.append(f"Project: {project}")
    if block.allocation < 1:
        details.append(f"Share of time: {block.allocation:.0%}")
    return [
        "BEGIN:VEVENT",
        f"UID:{sha256(identity.encode()).hexdigest()[:32]}@throttle-scheduler",
        f"DTSTAMP:{_utc(plan.as_of)}",
        f"DTSTART:{_utc(block.start)}",
        f"DTEND:{_utc(block.finish)}",
        f"SUMMARY:{_escape(f'{block.item} {title}'.strip())}",
        f"DESCRIPTION:{_escape(chr(10).join(details))}",
        *([f"CATEGORIES:{_escape(project)}"] if project else []),
        "END:VEVENT",
    ]


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def _escape(text: str) -> str:
    """TEXT of RFC 5545, 3.3.11; control characters have no form there and become blanks."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"([\\;,])", r"\\\1", text).replace("\n", "\\n")
    return _CONTROL.sub(" ", text)


def _fold(line: str) -> str:
    """Lines of at most 75 octets (3.1), never broken within a character."""
    pieces, size, piece = [], 0, ""
    for character in line:
        octets = len(character.encode())
        if size + octets > 75:
            pieces.append(piece)
            piece, size = " ", 1
        piece += character
        size += octets
    return "\r\n".join((*pieces, piece))
