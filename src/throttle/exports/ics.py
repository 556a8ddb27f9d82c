"""A plan as iCalendar (RFC 5545): an event for each unbroken stretch of work of one person on one item."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import sha256

from throttle.exports.common import Block, blocks, id_of, project_of, title_of
from throttle_models import Plan, Portfolio, with_inserted


def to_ics(plan: Plan, portfolio: Portfolio, *, person: str | None = None) -> str:
    """Events keep their UID from plan to plan, so that calendars move them: it follows from person, item, position."""
    portfolio = with_inserted(plan, portfolio)
    person = id_of(person, portfolio)
    return calendar([_block(block, plan, portfolio) for block in blocks(plan, person)])


def calendar(events: list[list[str]]) -> str:
    """A calendar of the lines of :func:`event`, folded and ended as RFC 5545 has it."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//throttle-scheduler//throttle//EN", "CALSCALE:GREGORIAN"]
    for found in events:
        lines += found
    lines.append("END:VCALENDAR")
    return "".join(f"{_fold(line)}\r\n" for line in lines)


def uid(*identity: str) -> str:
    """One that follows from what the event is about, and from nothing else."""
    return f"{sha256(chr(0).join(identity).encode()).hexdigest()[:32]}@throttle-scheduler"


def event(
    plan: Plan, identity: str, span: tuple[datetime, datetime], *, summary: str, description: str, category: str = ""
) -> list[str]:
    """The lines of one event. DTSTAMP is the plan's as-of, so that equal plans give equal text, and SEQUENCE the
    minutes from 1970 to it: that of a newer plan is higher, as calendars want it of a newer version (3.8.7.4)."""
    return [
        "BEGIN:VEVENT",
        f"UID:{identity}",
        f"DTSTAMP:{_utc(plan.as_of)}",
        f"SEQUENCE:{max(0, int(plan.as_of.timestamp() // 60))}",
        f"DTSTART:{_utc(span[0])}",
        f"DTEND:{_utc(span[1])}",
        f"SUMMARY:{_escape(summary)}",
        f"DESCRIPTION:{_escape(description)}",
        *([f"CATEGORIES:{_escape(category)}"] if category else []),
        "END:VEVENT",
    ]


def _block(block: Block, plan: Plan, portfolio: Portfolio) -> list[str]:
    title, project = title_of(block.item, portfolio), project_of(block.item, portfolio)
    name = portfolio.people[block.person].name if block.person in portfolio.people else ""
    details = [f"{name or block.person} on {block.item}"]
    if project:
        details.append(f"Project: {project}")
    if block.allocation < 1:
        details.append(f"Share of time: {block.allocation:.0%}")
    return event(
        plan,
        uid(block.item, block.person, str(block.need), str(block.number)),
        (block.start, block.finish),
        summary=f"{block.item} {title}".strip(),
        description="\n".join(details),
        category=project or "",
    )


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
