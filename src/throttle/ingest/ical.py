"""iCalendar files (RFC 5545) of holidays and time off, as days on which nobody, or somebody, works.

Only whole local days count. An event is of a person where its summary says so (``Ann Lee - vacation``, ``Vacation: Ann
Lee``), or where it names an absence and has one attendee, or an organizer with a name, or the calendar is one person's;
else it is of everybody. Feeds of holidays may hold working days too, by the word for it in their summary. Descriptions
and addresses are not read.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from throttle.ingest.intake import Intake
from throttle.ingest.notes import refusal
from throttle.ingest.readers import DocumentReader
from throttle.ingest.records import DayOff, Entry
from throttle.ingest.source import Source
from throttle.ingest.values import fold

if TYPE_CHECKING:
    from icalendar import Component

_DAY = timedelta(days=1)
_LAST = datetime(2050, 12, 31)
"""How far a recurrence without end is followed."""
_YEARS = range(1900, 2201)
_LONGEST = timedelta(days=3_660)
_MOST = 3_000
"""Occurrences of one event."""
_ABSENT = (
    r"vacations?|annual leave|paid leave|unpaid leave|parental leave|maternity leave|paternity leave|sick leave|"
    r"leave of absence|leave|pto|ooo|out of office|out of the office|day off|days off|time off|off work|off|away|"
    r"absent|absence|holidays?|sick|ferien|urlaub|abwesend|abwesenheit|krank|elternzeit|vacaciones|ausente|permiso|"
    r"conges?|absente?|ferias|ausencia"
)
_NAME = r"[^\W\d_][\w.'’-]*(?: [^\W\d_][\w.'’-]*){0,4}"
_WHO_FIRST = re.compile(
    rf"({_NAME})\s*(?:[-–—:|(]|\bis\b|\bist\b|\bon\b)\s*(?:on\s+|in\s+)?(?:{_ABSENT})\b.*", re.IGNORECASE
)
_WHO_LAST = re.compile(rf"(?:{_ABSENT})\s*[-–—:|(]\s*({_NAME})\)?", re.IGNORECASE)
_JUST_ABSENT = re.compile(rf"(?:{_ABSENT})(?:\W.*)?", re.IGNORECASE)
_WORKING = re.compile(
    r"\bworking day\b|\bwork day\b|\bworkday\b|\bmake-?up (?:work|day)|compensatory work|рабочий день|робочий день|"
    r"\barbeitstag\b|dia laborable|jour ouvre|dia util|munkanap|补班|上班|調休|출근"
)


def _read(source: Source, intake: Intake) -> Iterator[Entry]:
    events, owner = _events(source)
    moved: dict[str, set[date]] = defaultdict(set)
    for event in events:  # an occurrence that an event of its own replaces
        if isinstance(at := _value(event.get("RECURRENCE-ID"), "dt"), date):
            moved[str(event.get("UID", ""))].add(_local(at, intake))
    for row, event in enumerate(events, 1):
        yield from _days(event, row, moved, owner, intake)


def _events(source: Source) -> tuple[list[Component], str]:
    """All events, and the name of the calendar. Raises InputError for a file that is no calendar."""
    from icalendar import Calendar

    text = re.sub(r"\A\W*B?EGIN:VCALENDAR", "BEGIN:VCALENDAR", source.text)
    ends = len(re.findall(r"(?m)^END:VCALENDAR\s*$", text))
    if not ends:
        raise refusal(
            "truncated", f"{source.file} has no END:VCALENDAR, so it is cut off: export it again", source.file
        )
    try:
        calendars = Calendar.from_ical(text, multiple=True)
        names = [str(calendar.get("X-WR-CALNAME", "")).strip() for calendar in calendars]
        return [event for calendar in calendars for event in calendar.walk("VEVENT")], next(iter(names), "")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OSError):  # OSError: the name of no time zone
        raise refusal("bad-ics", f"{source.file} is not sound iCalendar: export it again", source.file) from None


def _days(event: Component, row: int, moved: dict[str, set[date]], owner: str, intake: Intake) -> Iterator[Entry]:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        yield intake.reject(row, "is cancelled")
        return
    try:
        span = _span(event, intake)
    except OverflowError:  # of years before 1 and after 9999
        span = None
    if span is None or span[0].year not in _YEARS or span[1] > _LONGEST:
        yield intake.reject(row, "has no start or end that can be", "DTSTART")
        return
    first, length = span
    if length < _DAY:
        yield intake.reject(row, "is an appointment of less than a day")
        return
    text = str(event.get("SUMMARY", ""))
    working = any(_WORKING.search(form) for form in (fold(text), text.casefold()))  # folding takes the hook off й
    who = "" if working else _who(event, text, owner)
    starts = _occurrences(event, first, intake)
    if starts is None:
        yield intake.reject(row, "repeats in a way that cannot be read", "RRULE")
        return
    own = event.get("RECURRENCE-ID") is not None
    gone = set() if own else moved[str(event.get("UID", ""))]
    found = False
    for day in starts:
        if day not in gone and day.year in _YEARS:
            found = True
            yield DayOff(day, day + length - _DAY, who=who, working=working, row=row)
    if not found:
        yield intake.reject(row, "has no occurrence that is left")


def _wall(moment: datetime, intake: Intake) -> datetime:
    """The time on the wall: of the event's own zone, of the file's reader where it is UTC or says none."""
    if moment.tzinfo is None or str(moment.tzinfo) in ("UTC", "Etc/UTC", "datetime.timezone.utc"):
        with suppress(OverflowError):  # of the years 1 and 9999
            return (moment if moment.tzinfo is None else moment.astimezone(intake.zone)).replace(tzinfo=None)
    return moment.replace(tzinfo=None)


def _local(moment: date | datetime, intake: Intake) -> date:
    return _wall(moment, intake).date() if isinstance(moment, datetime) else moment


def _span(event: Component, intake: Intake) -> tuple[date, timedelta] | None:
    """The first whole day and how many; the end is excluded. A start at midnight without an end is one day."""
    start = _value(event.get("DTSTART"), "dt")
    if not isinstance(start, date):
        text = str(event.get("DTSTART", ""))[:8]
        try:
            start = datetime.strptime(text, "%Y%m%d").date()  # a date that is not marked as one
        except ValueError:
            return None
    end = _value(event.get("DTEND"), "dt")
    end = end if isinstance(end, date) else None
    if end is None and re.fullmatch(r"\d{8}", text := str(event.get("DTEND", ""))[:8]):
        try:
            end = datetime.strptime(text, "%Y%m%d").date()
        except ValueError:
            end = None
    if end is None and isinstance(duration := _value(event.get("DURATION"), "dt"), timedelta):
        try:
            end = start + duration
        except OverflowError:
            return None
    if not isinstance(start, datetime):
        last = _local(end, intake) if end is not None else start + _DAY
        return start, max(last - start, _DAY)
    if end is None:
        return _local(start, intake), timedelta(0)
    if not isinstance(end, datetime):
        end = datetime.combine(end, datetime.min.time(), start.tzinfo)
    begin, finish = _wall(start, intake), _wall(end, intake)
    first = begin.date() if begin.time() == datetime.min.time() else begin.date() + _DAY
    last = finish.date() + _DAY if finish.hour == 23 and finish.minute == 59 else finish.date()
    return first, max(last - first, timedelta(0))


def _occurrences(event: Component, first: date, intake: Intake) -> Iterable[date] | None:
    """Days on which it begins, by its rule and the dates added to and taken from it; None where a rule is unsound."""
    rules = event.get("RRULE")
    added = {_local(d, intake) for d in _dates(event.get("RDATE"))}
    removed = {_local(d, intake) for d in _dates(event.get("EXDATE"))}
    if rules is None:
        return sorted(({first} | added) - removed)
    from dateutil.rrule import rrulestr

    found: set[date] = {first}
    for rule in rules if isinstance(rules, list) else [rules]:
        try:
            text = rule.to_ical().decode() if hasattr(rule, "to_ical") else str(rule)
        except ValueError:
            return None
        text = re.sub(r"(UNTIL=\d{8})T\d{6}Z?", r"\1", text)
        try:
            moments = rrulestr(text, dtstart=datetime.combine(first, datetime.min.time()))
            for moment in itertools.islice(moments, _MOST):
                if moment > _LAST:
                    break
                found.add(moment.date())
        except (ValueError, TypeError, OverflowError):
            return None
    return sorted((found | added) - removed)


def _dates(value: Any) -> Iterator[date | datetime]:
    for part in value if isinstance(value, list) else [value] if value is not None else []:
        for each in _value(part, "dts") or ():
            moment = _value(each, "dt")
            moment = moment[0] if isinstance(moment, tuple) else moment
            if isinstance(moment, date):
                yield moment


def _value(part: Any, name: str) -> Any:
    """An attribute of a property; None of one that is absent or damaged, whose attributes raise."""
    try:
        return getattr(part, name, None)
    except ValueError:
        return None


def _who(event: Component, summary: str, owner: str) -> str:
    """The person of an absence; empty for a day off of everybody."""
    text = " ".join(summary.split())
    for pattern in (_WHO_FIRST, _WHO_LAST):
        if m := pattern.fullmatch(text):
            return m[1].strip()
    if text and _JUST_ABSENT.fullmatch(text):
        people = event.get("ATTENDEE")
        listed = people if isinstance(people, list) else [people] if people is not None else []
        organizer = event.get("ORGANIZER")
        out = str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper() == "OOF"
        if owner and not listed and (out or "@" in owner):
            return owner  # the calendar of one person, as Outlook and Google export it
        for person in listed if len(listed) == 1 else [organizer] if organizer is not None else []:
            return str((_value(person, "params") or {}).get("CN", ""))
    return ""


def _certainty(source: Source) -> float:
    return 0.98 if source.kind == "ics" else 0.0


ICAL = DocumentReader(name="icalendar", system="iCalendar", certainty=_certainty, read=_read)
