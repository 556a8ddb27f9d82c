"""Lists of public holidays as JSON: gov.uk (the file behind its site, and its public API), and plain lists of dates.

A file of gov.uk holds several nations; only England and Wales are read, as one calendar cannot follow all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from throttle.ingest.intake import Intake
from throttle.ingest.readers import DocumentReader
from throttle.ingest.records import DayOff, Entry
from throttle.ingest.source import Source
from throttle.ingest.values import fold

_NAMES = ("title", "name", "localname", "summary", "holiday", "description")
_TICKETS = frozenset({"id", "key", "number", "status", "state", "iid", "gid", "fields", "sys_id"})
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ].*)?")
_BRITISH = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


def _divisions(content: Any) -> dict[str, list[Any]] | None:
    """Nation to its days, of both shapes of gov.uk."""
    if not isinstance(content, dict):
        return None
    found: dict[str, list[Any]] = {}
    inner = content.get("divisions")
    for name, division in (inner if isinstance(inner, dict) else content).items():
        if isinstance(division, dict) and isinstance(division.get("events"), list):
            found[name] = division["events"]
        elif isinstance(division, dict):
            years = [days for year, days in division.items() if re.fullmatch(r"\d{4}", year) and isinstance(days, list)]
            if years:
                found[name] = [day for days in years for day in days]
    return found or None


def _plain(content: Any) -> list[Any] | None:
    """A list of days with names, and nothing of a ticket."""
    if isinstance(content, dict):
        for key in ("holidays", "items", "days", "response"):
            if key in content and (found := _plain(content[key])) is not None:
                return found
        return None
    if not isinstance(content, list) or not content or not all(isinstance(day, dict) for day in content):
        return None
    sound = sum(_day(day) is not None and bool({fold(k) for k in day} & set(_NAMES)) for day in content)
    strange = any(_TICKETS & {fold(key) for key in day} for day in content)
    return content if sound > len(content) // 2 and not strange else None


def _day(record: Any) -> date | None:
    """Its date; of gov.uk day before month. None where there is none."""
    value = record.get("date") if isinstance(record, dict) else None
    if isinstance(value, dict):
        value = value.get("iso") or value.get("date")
    if not isinstance(value, str):
        return None
    if m := _ISO.fullmatch(value.strip()):
        year, month, day = (int(part) for part in m.groups())
    elif m := _BRITISH.fullmatch(value.strip()):
        day, month, year = (int(part) for part in m.groups())
    else:
        return None
    try:
        return date(year, month, day) if 1900 <= year <= 2200 else None
    except ValueError:
        return None


def _certainty(source: Source) -> float:
    if source.kind != "json" or '"date"' not in source.head:
        return 0.0
    content = _content(source)
    if _divisions(content) is not None:
        return 0.95
    return 0.8 if _plain(content) is not None else 0.0


def _content(source: Source) -> Any:
    return source.documents[0] if len(source.documents) == 1 else source.documents


def _read(source: Source, intake: Intake) -> Iterator[Entry]:
    content = _content(source)
    divisions = _divisions(content)
    if divisions is None:
        yield from _entries(_plain(content) or (), 0, intake)
        return
    chosen = next((name for name in divisions if "england" in fold(name)), next(iter(divisions)))
    row = 0
    for name, days in divisions.items():
        if name == chosen:
            yield from _entries(days, row, intake)
        else:
            for number in range(len(days)):
                reason = "is of another nation; for that one write holidays: GB-SCT or GB-NIR in the calendar"
                yield intake.reject(row + number + 1, reason)
        row += len(days)


def _entries(days: Iterable[Any], before: int, intake: Intake) -> Iterator[Entry]:
    for row, record in enumerate(days, before + 1):
        day = _day(record)
        if day is None:
            yield intake.reject(row, "has no date that is understood", "date")
        elif record.get("global") is False and record.get("counties"):
            yield intake.reject(row, "is a holiday of some regions only")
        else:
            yield DayOff(day, day, row=row)


HOLIDAY_JSON = DocumentReader(name="holidays-json", system="holidays", certainty=_certainty, read=_read)
