"""Microsoft Project XML (MSPDI), of Project 2002 to 365 and of what other programs write in its shape.

Tasks by their unique id, or by the id of the portfolio in files that Throttle wrote. Summary tasks contain; milestones
are moments; links have all four types and lags, working, elapsed or in percent of the predecessor. Constraints are
dates that somebody meant; planned dates are an earlier plan. Notes, e-mail addresses and costs are not read.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from throttle.exports.mspdi import END_OF_DAY, LINKS, needs_of
from throttle.ingest.intake import Intake
from throttle.ingest.made import when
from throttle.ingest.notes import refusal
from throttle.ingest.project_calendars import Ranges, WorkCalendar, calendar_of, days_away, minutes_of, resolved
from throttle.ingest.readers import DocumentReader
from throttle.ingest.records import DayOff, Entry, Resource, Share, Ticket, Tie
from throttle.ingest.source import Source
from throttle.ingest.values import fold, minutes, slug
from throttle.wording import plural
from throttle_models import (
    Calendar,
    Column,
    Estimate,
    External,
    LagKind,
    LinkType,
    Need,
    Project,
    Status,
    format_minutes,
)
from throttle_models.quantities import ELAPSED, WORK

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

C = Column
_TYPES = {str(number): type for type, number in LINKS.items()}
_UNASSIGNED = "-65535"
_ELAPSED = frozenset(["4", "6", "8", "10", "12", "20", "36", "38", "40", "42", "44", "52"])
_LETTERS = {"4": "m", "36": "m", "6": "hm", "38": "hm", "10": "wdhm", "42": "wdhm"}
"""Units in which an elapsed lag is written, largest first; days where nothing else is said."""
_PERCENT = frozenset(["19", "20", "51", "52"])
_DAY_MINUTES = 1440
_NO_DATE = {1984, 2049, 1970}
"""Years by which Project means no date."""
_USUAL: Ranges = ((480, 720), (780, 1020))
"""A working day of which no hours are written."""
_EVER, _FOREVER = date(1990, 1, 1), date(2060, 12, 31)
"""How far back and ahead somebody is away who is there in some periods only."""
_MOST_DAYS = 4_000
"""Days of one exception."""
_CONSTRAINTS = {"1": "as late as possible", "5": "start no later than", "6": "finish no earlier than"}
"""Those that a portfolio has no field for."""
_STATES = {
    "complete": Status.DONE,
    "in progress": Status.IN_PROGRESS,
    "not started": Status.OPEN,
    "inactive": Status.CANCELLED,
}
_LOW = re.compile(r"\b(low|optimistic|best|minimum|min|o)\b")
_LIKELY = re.compile(r"\b(likely|expected|probable|m)\b")
_HIGH = re.compile(r"\b(high|pessimistic|worst|maximum|max|p)\b")
_WORDS = {"project": "task", "internal": "internal", "change": "change", "unplanned": "incident"}
"""Types of work to words that all readers know."""


def _certainty(source: Source) -> float:
    if source.kind != "xml" or "<Project" not in source.head:
        return 0.0
    if "schemas.microsoft.com/project" in source.head:
        return 0.98
    return 0.8 if b"<Tasks>" in source.data and b"<OutlineLevel>" in source.data else 0.0  # without its namespace


class _File:
    """One project file."""

    def __init__(self, source: Source, intake: Intake) -> None:
        self.intake, self.file = intake, source.file
        root = source.root
        if _name(root) != "Project":
            raise refusal(
                "wrong-file", f"{source.file} is XML of Microsoft Project without a project in it", source.file
            )
        self.head = {_name(child): (child.text or "").strip() for child in root if not len(child)}
        self.parts = {_name(child): child for child in root if len(child)}
        if (zone := re.search(r"Times are of zone (\S+)", self.head.get("Subject", ""))) and not intake.options.zone:
            with suppress(KeyError, ValueError, OSError):
                intake.zone = ZoneInfo(zone[1])
                intake.said_zone = zone[1]
        self.aliases = self._aliases()
        self.lost: Counter[str] = Counter()
        """What could not be carried, and how often."""
        self.tasks = [(row, _fields(task), task) for row, task in enumerate(self._all("Tasks", "Task"), 1)]
        after = len(self.tasks) + 1
        self.resources = [(row, _fields(r), r) for row, r in enumerate(self._all("Resources", "Resource"), after)]
        self.ids = {fields.get("UID", ""): self._id(fields, task) for _, fields, task in self.tasks}
        self.by_uid = {fields.get("UID", ""): fields for _, fields, _ in self.tasks}
        self.people = {fields.get("UID", ""): fields for _, fields, _ in self.resources}
        self.named = Counter(fields.get("Name", "") for _, fields, _ in self.resources)
        self.ours = "Throttle id" in self.aliases.values()
        self.seen = self._latest()

    def _all(self, parent: str, tag: str) -> list[Element]:
        found = self.parts.get(parent)
        return [child for child in found if _name(child) == tag] if found is not None else []

    def _aliases(self) -> dict[str, str]:
        """Field id to the name that people gave it, else its own."""
        found = {}
        for defined in self._all("ExtendedAttributes", "ExtendedAttribute"):
            fields = _fields(defined)
            found[fields.get("FieldID", "")] = fields.get("Alias") or fields.get("FieldName", "")
        return found

    def _custom(self, element: Element) -> dict[str, str]:
        """Custom values by the name of their field."""
        values = {}
        for child in element:
            if _name(child) == "ExtendedAttribute":
                fields = _fields(child)
                name = self.aliases.get(fields.get("FieldID", "")) or fields.get("FieldID", "")
                if value := fields.get("Value", ""):
                    values[name] = value
        return values

    def _id(self, fields: dict[str, str], task: Element) -> str:
        return self._custom(task).get("Throttle id") or fields.get("UID", "")

    def _latest(self) -> datetime | None:
        """When the file was made: what was done by then is known."""
        status = self.intake.moment(self._date(self.head, "StatusDate"), "StatusDate", 0)
        if status is not None:
            return status
        moments = [self.intake.moment(self._date(self.head, n), n, 0) for n in ("CurrentDate", "LastSaved")]
        return max((m for m in moments if m is not None), default=None)

    def _date(self, fields: dict[str, str], name: str) -> str:
        text = fields.get(name, "")
        return "" if text[:4].isdigit() and int(text[:4]) in _NO_DATE else text

    # ------------------------------------------------------------------------------------------------------ entries

    def entries(self) -> Iterator[Entry]:
        calendars = self._calendars()
        crews = self._crews()
        yield from self._people(calendars)
        trail: list[tuple[int, str]] = []
        name = self.head.get("Title") or re.sub(r"\.(xml|mpp)$", "", self.head.get("Name", ""), flags=re.IGNORECASE)
        for row, fields, task in self.tasks:
            uid = fields.get("UID", "")
            if not uid:
                yield self.intake.reject(row, "has no unique id", "UID")
                continue
            if fields.get("IsNull") == "1":
                yield self.intake.reject(row, "is a blank line")
                continue
            level = _number(fields.get("OutlineLevel"))
            if uid == "0" and (level is None or level == 0):
                yield self.intake.reject(row, "is the project as a whole")
                continue
            custom = self._custom(task)
            if fields.get("ExternalTask") == "1":
                self._external(row, fields)
                yield self.intake.reject(row, "is a task of another project; links to it lead outside")
                continue
            if "Throttle project" in custom and "Throttle id" not in custom and fields.get("Summary") == "1":
                yield self._project(row, fields, custom)
                continue
            level = int(level) if level is not None else fields.get("OutlineNumber", "").count(".") + 1
            while trail and trail[-1][0] >= level:
                trail.pop()
            ticket = self._task(row, fields, custom, task, crews.get(uid, []), name)
            if trail:
                ticket.parents = [trail[-1][1]]
            trail.append((level, ticket.id))
            yield ticket
        for what, count in self.lost.items():
            self.intake.tell("not-carried", f"{plural(count, 'time')}: {what}", count=count)
        if self.intake.said_zone:
            self.intake.naive = False

    def _external(self, row: int, fields: dict[str, str]) -> None:
        """What the file shows of a task elsewhere: whether it is done, else when it is to be."""
        done = (_number(fields.get("PercentComplete")) or 0) >= 100
        finish = self._due(text, "Finish", row) if (text := self._date(fields, "Finish")) and not done else None
        self.intake.external[self._outside(fields)] = External(
            title=fields.get("Name", ""),
            status=Status.DONE if done else Status.OPEN if finish else Status.UNKNOWN,
            expected=when(finish) if finish is not None else None,
        )

    def _outside(self, fields: dict[str, str]) -> str:
        return fields.get("ExternalTaskProject") or f"other project {fields.get('UID', '')}"

    def _project(self, row: int, fields: dict[str, str], custom: dict[str, str]) -> Entry:
        """The summary task that Throttle wrote for a project: its title, no work."""
        deadline = self._date(fields, "Deadline")
        due = self._due(deadline, "Deadline", row) if deadline else None
        self.intake.projects[custom.get("Throttle project", "")] = Project(
            title=fields.get("Name", ""),
            cost_of_delay=_rate(custom.get("Throttle cost of delay", "")),
            due=when(due) if due is not None else None,
        )
        return self.intake.reject(row, "is the heading of a project, which is no work")

    def _task(
        self, row: int, fields: dict[str, str], custom: dict[str, str], task: Element, crew: list[Share], name: str
    ) -> Ticket:
        intake = self.intake
        uid = fields["UID"]
        t = Ticket(self.ids[uid], self.file, row, MSPDI, title=fields.get("Name", ""))
        t.aliases = [f"{slug(name) or 'project'}#{uid}"]
        for field in ("UID", "Name", "OutlineLevel"):
            if field in fields:
                intake.saw(field, {"UID": C.ID, "Name": C.TITLE}.get(field, C.PARENT))
        t.container = fields.get("Summary") == "1"
        t.project = slug(name)
        t.project_title = name if t.project else ""
        t.viewed = self.seen
        t.created = intake.moment(self._date(fields, "CreateDate"), "CreateDate", row)
        t.started = intake.moment(self._date(fields, "ActualStart"), "ActualStart", row)
        t.finished = intake.moment(self._date(fields, "ActualFinish"), "ActualFinish", row)
        self._state(t, fields)
        self._work(t, fields, crew)
        start, finish = (intake.moment(self._date(fields, n), n, row) for n in ("Start", "Finish"))
        self._dates(t, fields, custom, row)
        ours = "Throttle id" in custom  # a task that somebody added to a file of ours is as any other
        if not t.container and t.started is None and not ours:
            t.planned = (start, finish)
        self._priority(t, fields)
        t.links = list(self._links(task, row))
        if (calendar := fields.get("CalendarUID", "-1")) not in ("-1", "", self.head.get("CalendarUID", "")):
            self.lost["a task has a calendar of its own, and follows that of its people here"] += calendar != "-1"
        self._own_fields(t, custom, row)
        if ours:
            self._ours(t, custom, row)
        return t

    def _state(self, t: Ticket, fields: dict[str, str]) -> None:
        done = _number(fields.get("PercentComplete")) or 0
        if fields.get("Active") == "0":
            t.status = "Inactive"
        elif t.finished is not None or done >= 100:
            t.status = "Complete"
        elif t.started is not None or done > 0 or (_number(fields.get("PercentWorkComplete")) or 0) > 0:
            t.status = "In progress"
        else:
            t.status = "Not started"
        if t.status != "Complete":
            t.finished = None

    def _work(self, t: Ticket, fields: dict[str, str], crew: list[Share]) -> None:
        """Effort from the work; without any, from the duration, as one person's."""
        for name, field in (("Work", C.ORIGINAL_ESTIMATE), ("Duration", C.DURATION), ("ActualWork", C.TIME_SPENT)):
            if name in fields:
                self.intake.saw(name, field)
        work, duration = (self._minutes(fields, n, t.row) or 0.0 for n in ("Work", "Duration"))
        left, spent = (self._minutes(fields, n, t.row) for n in ("RemainingWork", "ActualWork"))
        elapsed = fields.get("DurationFormat") in _ELAPSED
        if t.container:
            return
        if work > 0:
            t.original = work
            t.remaining = left if left is not None and t.status == "In progress" else None
            t.spent = spent or None
            if fields.get("Type") == "1" and duration > 0 and not elapsed:
                t.duration = duration
        elif duration > 0 and elapsed and not crew:
            t.wait = duration
        elif duration > 0:
            t.original = duration
            if self.ours and fields.get("Type") == "1":
                t.duration = duration
            remaining = self._minutes(fields, "RemainingDuration", t.row)
            t.remaining = remaining if remaining is not None and t.status == "In progress" else None
        else:
            t.milestone = True
        people = [share for share in crew if not share.account.startswith("generic:")]
        t.skills = [share.name for share in crew if share.account.startswith("generic:")]
        if len(people) == 1 and people[0].units in (None, 1.0) and not t.skills:
            t.assignee, t.assignee_id = people[0].name, people[0].account
        elif people:
            t.crew = people
            t.assignee, t.assignee_id = people[0].name, people[0].account
        if people and t.skills:
            self.lost["a task needs a role beside people, whose part of the work is left out"] += 1

    def _minutes(self, fields: dict[str, str], name: str, row: int) -> float | None:
        return self.intake.minutes(fields.get(name), name, row)

    def _dates(self, t: Ticket, fields: dict[str, str], custom: dict[str, str], row: int) -> None:
        intake = self.intake
        kind = fields.get("ConstraintType", "0")
        text = self._date(fields, "ConstraintDate")
        if kind == "4" and text and text == custom.get("Throttle planned start"):
            kind = "0"  # written for a plan, and not meant by anybody
        if (deadline := self._date(fields, "Deadline")) and (due := self._due(deadline, "Deadline", row)) is not None:
            intake.saw("Deadline", C.DUE)
            t.due = due
        if not text or kind == "0":
            return
        intake.saw("ConstraintDate", C.NOT_BEFORE)
        if kind == "2":
            t.pinned = intake.moment(text, "ConstraintDate", row)
        elif kind == "4":
            t.not_before = intake.moment(text, "ConstraintDate", row)
        elif kind in ("3", "7"):
            t.due = t.due or self._due(text, "ConstraintDate", row)
        elif kind in _CONSTRAINTS and t.status in ("Not started", "In progress"):
            self.lost[f"a task has the constraint {_CONSTRAINTS[kind]}, which a portfolio cannot hold"] += 1

    def _due(self, text: str, name: str, row: int) -> date | datetime | None:
        """The whole day where the time is that of a date alone."""
        if (m := re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d)?", text)) and m[2] in (
            "00:00",
            f"{END_OF_DAY:%H:%M}",
        ):
            return self.intake.when(m[1], name, row)
        return self.intake.when(text, name, row)

    def _priority(self, t: Ticket, fields: dict[str, str]) -> None:
        """0 to 1000, where 500 is what nobody has changed."""
        value = _number(fields.get("Priority"))
        if value is None or value == 500:
            return
        self.intake.saw("Priority", C.PRIORITY)
        words = ((900, "Highest"), (600, "High"), (400, "Medium"), (100, "Low"))
        t.priority = next((word for least, word in words if value >= least), "Lowest")

    def _links(self, task: Element, row: int) -> Iterator[Tie]:
        for child in task:
            if _name(child) != "PredecessorLink":
                continue
            self.intake.saw("PredecessorLink", C.WAITS_FOR)
            fields = _fields(child)
            uid = fields.get("PredecessorUID", "")
            ghost = self.by_uid.get(uid, {})
            other = self.ids.get(uid, uid)
            if ghost.get("ExternalTask") == "1":
                other = self._outside(ghost)
            elif fields.get("CrossProject") == "1":
                other = fields.get("CrossProjectName") or f"other project {uid}"
            if not other:
                self.intake.unread.add("PredecessorLink", "unread-link", "no task that it leads to", row)
                continue
            type = _TYPES.get(fields.get("Type", "1"), LinkType.FS)
            lag, lag_in = self._lag(fields, uid)
            yield Tie(other, False, origin="PredecessorLink", type=type, lag=lag, lag_in=lag_in)

    def _lag(self, fields: dict[str, str], uid: str) -> tuple[str, LagKind | None]:
        """Tenths of a minute, or a share of the predecessor's duration in percent."""
        amount = _number(fields.get("LinkLag")) or 0.0
        if not amount:
            return "0", None
        form = fields.get("LagFormat", "7")
        elapsed = form in _ELAPSED
        span = timedelta(minutes=amount / 10)
        if form in _PERCENT:
            ahead = self.by_uid.get(uid, {})
            length = minutes(ahead.get("Duration", "")) or 0.0
            span = timedelta(minutes=round(length * amount / 100, 1))
            elapsed = elapsed or ahead.get("DurationFormat") in _ELAPSED
        sign = "-" if span < timedelta(0) else ""
        units, letters = (ELAPSED, _LETTERS.get(form, "dhm")) if elapsed else (WORK, "hm")
        if abs(span) > timedelta(days=36_500):
            self.lost["a link has a lag of more than 100 years, which is left out"] += 1
            return "0", None
        return sign + format_minutes(abs(span), units, letters), LagKind.ELAPSED if elapsed else LagKind.WORKING

    def _own_fields(self, t: Ticket, custom: dict[str, str], row: int) -> None:
        """Custom fields: what the mapping says of them, and three-point estimates by their names."""
        found: dict[str, float] = {}
        for name, value in custom.items():
            if name.startswith("Throttle "):
                continue
            if (said := self.intake.custom(name)) is not None:
                self.intake.fill(t, said.means, value, name, said.unit, said.separator)
                continue
            word = fold(name)
            for key, pattern in (("low", _LOW), ("high", _HIGH), ("likely", _LIKELY)):
                if value.startswith("P") and pattern.search(word) and key not in found:
                    span = self.intake.minutes(value, name, row)
                    if span is not None:
                        found[key] = span
        if t.container or t.milestone or t.wait is not None:
            return
        if found.get("low") and found.get("high") and found["low"] <= found["high"]:
            likely = found.get("likely") or t.original
            if likely is not None and found["low"] <= likely <= found["high"]:
                t.original, t.range = likely, (found["low"], found["high"])

    def _ours(self, t: Ticket, custom: dict[str, str], row: int) -> None:
        """What a file that Throttle wrote says beyond what Project knows; what was changed in Project counts first."""
        t.aliases = []  # its number is that of one export only
        t.project, t.project_title = custom.get("Throttle project", ""), ""
        t.type = _WORDS.get(custom.get("Throttle type", ""), "")
        t.rate = _rate(custom.get("Throttle cost of delay", ""))
        t.priority = custom.get("Throttle priority", "")
        status = custom.get("Throttle status", "")
        if status == "cancelled":
            t.status = "Inactive"
        elif status == "unknown" and t.status == "Not started":
            t.status = "unknown"
        elif status == "in-progress" and t.status == "Not started":
            t.status = "In progress"
        t.on_hold = status.startswith("on hold")
        t.hold = status.partition(": ")[2] if t.on_hold else ""
        if before := custom.get("Throttle not before"):
            t.not_before = self.intake.moment(before, "Throttle not before", row)
        needs = needs_of("".join(custom.get(f"Throttle needs{n}", "") for n in ("", " 2", " 3")))
        written = minutes(custom.get("Throttle work as written", ""))
        t.exact = bool(needs) or t.container or not t.original  # needs too long to be written: who is assigned counts
        if needs and t.original is not None and (written is None or abs(written - t.original) < 0.02):
            t.needs = list(needs)
        elif needs and t.original is not None and written:
            t.needs = [_scaled(need, t.original / written) for need in needs]

    # --------------------------------------------------------------------------------------------------------- people

    def _crews(self) -> dict[str, list[Share]]:
        """People on each task; a generic resource is a role, marked in its account."""
        crews: dict[str, list[Share]] = defaultdict(list)
        for row, assignment in enumerate(self._all("Assignments", "Assignment"), 1):
            fields = _fields(assignment)
            resource = self.people.get(fields.get("ResourceUID", _UNASSIGNED))
            if resource is None or not self._is_person(resource):
                continue
            self.intake.saw("Assignment", C.ASSIGNEE)
            generic = resource.get("IsGeneric") == "1"
            units = _number(fields.get("Units"))
            work = self.intake.minutes(fields.get("Work"), "Work", row)
            left = self.intake.minutes(fields.get("RemainingWork"), "RemainingWork", row)
            begun = (_number(fields.get("PercentWorkComplete")) or 0) > 0
            crews[fields.get("TaskUID", "")].append(
                Share(
                    resource.get("Name", ""),
                    f"generic:{resource.get('UID')}" if generic else self._account(resource),
                    min(units, 1.0) if units is not None and units > 0 else None,
                    (left if begun and left is not None else work) or None,
                )
            )
        return crews

    def _account(self, resource: dict[str, str]) -> str:
        """What tells namesakes apart."""
        return f"resource {resource.get('UID', '')}" if self.named[resource.get("Name", "")] > 1 else ""

    def _is_person(self, fields: dict[str, str]) -> bool:
        kind = fields.get("Type", "1")
        return kind == "1" and fields.get("IsCostResource") != "1" and bool(fields.get("Name"))

    def _people(self, calendars: dict[str, WorkCalendar]) -> Iterator[Entry]:
        default = self.head.get("CalendarUID", "")
        keys: dict[tuple[Any, ...], str] = {}
        for key in calendars if self.ours else (default,):
            if key in calendars and (key == default or calendars[key].base is None):
                self._keep(calendars[key].name or "standard", *resolved(key, calendars), keys)
        for row, fields, resource in self.resources:
            if fields.get("IsNull") == "1" or not fields.get("Name"):
                yield self.intake.reject(row, "is a blank line" if fields.get("IsNull") == "1" else "has no name")
                continue
            if not self._is_person(fields):
                yield self.intake.reject(row, "is material or a cost, which is nobody")
                continue
            custom = self._custom(resource)
            self.intake.saw("Resource", C.ASSIGNEE)
            if fields.get("IsGeneric") == "1":
                yield self.intake.reject(row, "is a role and no person; its work needs the skill of that name")
                continue
            account = self._account(fields)
            person = Resource(fields["Name"], account, row=row, team=fields.get("Group", ""))
            person.id = custom.get("Throttle id", "")
            person.skills = dict(_skills(custom.get("Throttle skills", "")))
            units = _number(fields.get("MaxUnits"))
            if units is not None and 0 < units < 1:
                person.productive = units
            uid = fields.get("CalendarUID", "")
            away: list[tuple[date, date]] = []
            if uid in calendars and uid != default:
                own = calendars[uid]
                base = own.base if own.base in calendars else default if default in calendars else uid
                person.calendar = self._keep(calendars[base].name, *resolved(base, calendars), keys)
                mine, usual = (calendar_of(*resolved(key, calendars))[0] for key in (uid, base))
                extra = days_away(mine, usual) if mine is not None and usual is not None else None
                if extra is not None:
                    away = [(days.first, days.last) for days in extra]
                elif mine is not None:
                    name = f"{calendars[base].name or 'calendar'} changed"  # its own name is that of the person
                    person.calendar = self._keep(name, *resolved(uid, calendars), keys)
                else:
                    self.lost["a person has a calendar without working hours, and follows that of the project"] += 1
            elif default in calendars:
                person.calendar = self._keep(calendars[default].name, *resolved(default, calendars), keys)
            yield person
            for first, last in (*away, *self._unavailable(resource)):
                yield DayOff(first, last, who=account or fields["Name"], row=row)

    def _unavailable(self, resource: Element) -> Iterator[tuple[date, date]]:
        """Days outside every period in which the resource is available at all."""
        spans = []
        for periods in resource:
            if _name(periods) != "AvailabilityPeriods":
                continue
            for period in periods:
                fields = _fields(period)
                if (_number(fields.get("AvailableUnits")) or 0) > 0:
                    first, last = (_day(self._date(fields, n)) for n in ("AvailableFrom", "AvailableTo"))
                    spans.append(((first or _EVER).toordinal(), (last or _FOREVER).toordinal()))
        at = _EVER.toordinal() - 1
        for begin, end in sorted(spans):
            if begin > at + 1:
                yield date.fromordinal(at + 1), date.fromordinal(begin - 1)
            at = max(at, end)
        if spans and at < _FOREVER.toordinal():
            yield date.fromordinal(at + 1), _FOREVER

    # ------------------------------------------------------------------------------------------------------ calendars

    def _keep(
        self, name: str, week: dict[int, Ranges], exceptions: dict[date, Ranges], keys: dict[tuple[Any, ...], str]
    ) -> str | None:
        """The key of a calendar, written down once; None for one without hours."""
        same = (name, tuple(sorted(week.items())), tuple(sorted(exceptions.items())))
        if same in keys:
            return keys[same]
        calendar, lost = calendar_of(week, exceptions)
        if calendar is None:
            self.lost["a calendar has no working hours, and is left out"] += 1
            return None
        if self.ours and (m := re.fullmatch(r"(.*\S) \(([A-Za-z_]+(?:/[\w+-]+)+)\)", name)):
            with suppress(ValueError):
                name, calendar = m[1], Calendar.model_validate({**dict(calendar), "zone": m[2]})
        if lost:
            self.lost["a day of a calendar has hours of its own, and keeps those of its weekday"] += lost
        key, more = name, 2
        while key in self.intake.calendars:
            key, more = f"{name} {more}", more + 1
        self.intake.calendars[key] = calendar
        keys[same] = key
        return key

    def _calendars(self) -> dict[str, WorkCalendar]:
        found: dict[str, WorkCalendar] = {}
        for element in self._all("Calendars", "Calendar"):
            fields = _fields(element)
            base = fields.get("BaseCalendarUID", "-1")
            own = WorkCalendar(fields.get("Name", ""), None if base in ("-1", "0", "") else base)
            for part in element:
                if _name(part) == "WeekDays":
                    for day in part:
                        self._weekday(own, day)
                elif _name(part) == "Exceptions":
                    for exception in part:
                        self._exception(own, exception)
                elif _name(part) == "WorkWeeks" and len(part):
                    self.lost["a calendar has work weeks of its own for some time, which are left out"] += len(part)
            if own.base is None:  # what a base calendar does not say is Project's own week
                for weekday in range(5):
                    own.week.setdefault(weekday, _USUAL)
            found[fields.get("UID", "")] = own
        return found

    def _weekday(self, own: WorkCalendar, element: Element) -> None:
        fields = _fields(element)
        if own.base is not None and fields.get("DayWorking") == "1" and _part(element, "WorkingTimes") is None:
            return  # as in the calendar that it is based on
        ranges = self._ranges(element, fields.get("DayWorking") == "1")
        kind = fields.get("DayType", "")
        if kind in ("1", "2", "3", "4", "5", "6", "7"):
            own.week[(int(kind) - 2) % 7] = ranges
        elif kind == "0":
            for day in self._days(_part(element, "TimePeriod")):
                own.exceptions[day] = ranges

    def _exception(self, own: WorkCalendar, element: Element) -> None:
        fields = _fields(element)
        ranges = self._ranges(element, fields.get("DayWorking") == "1")
        for day in self._recurring(fields, _part(element, "TimePeriod")):
            own.exceptions[day] = ranges

    def _ranges(self, element: Element, working: bool) -> Ranges:
        if not working:
            return ()
        found = []
        for time_ in (t for part in element if _name(part) == "WorkingTimes" for t in part):
            fields = _fields(time_)
            first, last = minutes_of(fields.get("FromTime", "")), minutes_of(fields.get("ToTime", ""), end=True)
            if first is not None and last is not None and last > first:
                found.append((first, last))
        return tuple(found) or _USUAL

    def _days(self, period: Element | None) -> Iterator[date]:
        if period is None:
            return
        fields = _fields(period)
        first, last = _day(fields.get("FromDate", "")), _day(fields.get("ToDate", ""))
        if first is None:
            return
        length = min(((last or first) - first).days, _MOST_DAYS)
        for at in range(length + 1):
            yield first + timedelta(days=at)

    def _recurring(self, fields: dict[str, str], period: Element | None) -> Iterable[date]:
        """Days of an exception: all of its period, or those that its pattern picks."""
        kind = fields.get("Type", "1")
        if period is None or (kind in ("1", "9", "") and (_number(fields.get("Period")) or 1) <= 1):
            return self._days(period)
        from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule

        ends = _fields(period)
        first, last = _day(ends.get("FromDate", "")), _day(ends.get("ToDate", ""))
        if first is None:
            return ()
        every = max(1, int(_number(fields.get("Period")) or 1))
        until = last or _FOREVER
        count = int(_number(fields.get("Occurrences")) or 0) if fields.get("EnteredByOccurrences") == "1" else 0
        month, day = int(_number(fields.get("Month")) or 0) + 1, int(_number(fields.get("MonthDay")) or 1)
        position = (1, 2, 3, 4, -1)[min(4, max(0, int(_number(fields.get("MonthPosition")) or 0)))]
        item = int(_number(fields.get("MonthItem")) or 0)
        days = {0: range(7), 1: range(5), 2: (5, 6)}.get(item, ((item - 4) % 7,))
        more: dict[str, Any] = {}
        frequency: Any = DAILY  # also what an unknown kind means
        if kind == "6":
            mask = int(_number(fields.get("DaysOfWeek")) or 0)
            frequency, more["byweekday"] = WEEKLY, [(bit - 1) % 7 for bit in range(7) if mask & (1 << bit)] or None
        elif kind == "2":
            frequency, more["bymonth"], more["bymonthday"] = YEARLY, month, day
        elif kind == "3":
            frequency, more["bymonth"], more["byweekday"], more["bysetpos"] = YEARLY, month, list(days), position
        elif kind == "4":
            frequency, more["bymonthday"] = MONTHLY, day
        elif kind == "5":
            frequency, more["byweekday"], more["bysetpos"] = MONTHLY, list(days), position
        limits: dict[str, Any] = (
            {"count": min(count, _MOST_DAYS)} if count else {"until": datetime.combine(until, time())}
        )
        rule = rrule(frequency, dtstart=datetime.combine(first, time()), interval=every, **limits, **more)
        return [moment.date() for _, moment in zip(range(_MOST_DAYS), rule, strict=False)]


# ---------------------------------------------------------------------------------------------------------------- small


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _fields(element: Element) -> dict[str, str]:
    """Children without children of their own, by name; the first of several."""
    found: dict[str, str] = {}
    for child in element:
        if not len(child):
            found.setdefault(_name(child), (child.text or "").strip())
    return found


def _part(element: Element, name: str) -> Element | None:
    return next((child for child in element if _name(child) == name), None)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and abs(value) < 1e12 else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _skills(text: str) -> Iterator[tuple[str, int]]:
    for part in filter(None, (p.strip() for p in text.split(","))):
        skill, _, level = part.rpartition(" ")
        if level.isdigit() and 1 <= int(level) <= 9 and skill:
            yield skill, int(level)


def _rate(text: str) -> float | None:
    """Per week, of ``5000/week``."""
    amount, _, unit = text.partition("/")
    value = _number(amount)
    return value if value is not None and value >= 0 and unit in ("", "week") else None


def _scaled(need: Need, factor: float) -> Need:
    """The same need, with as much more work as somebody wrote in Project."""

    def times(span: timedelta) -> timedelta:
        return timedelta(minutes=round(span / timedelta(minutes=1) * factor))

    update: dict[str, Any] = {}
    if need.effort is not None:
        low, likely, high = (times(s) for s in (need.effort.low, need.effort.likely, need.effort.high))
        update["effort"] = Estimate(low=low, likely=likely, high=high)
    if need.remaining is not None:
        update["remaining"] = times(need.remaining)
    return need.model_copy(update=update)


def _read(source: Source, intake: Intake) -> Iterable[Entry]:
    return _File(source, intake).entries()


MSPDI = DocumentReader(
    name="ms-project-xml",
    system="Microsoft Project",
    certainty=_certainty,
    read=_read,
    states=_STATES,
    default_type="task",
)
