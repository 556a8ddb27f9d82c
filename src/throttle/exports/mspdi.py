"""A plan as Microsoft Project XML (MSPDI, schema of Project 2007, which all later versions read).

The elements stand in the order of the schema's sequences, and only elements of that schema are used. What the format
has no field for, and a portfolio needs to be the same when it is read back, is in custom fields whose alias begins
with ``Throttle``; docs/exports.md says what is carried and what is not.
"""

from __future__ import annotations

import itertools
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from urllib.parse import quote, unquote
from xml.etree.ElementTree import Element, SubElement, indent, tostring
from zoneinfo import ZoneInfo

from throttle.errors import InputError
from throttle.exports.common import id_of, items_of
from throttle_models import (
    DEFAULT_CALENDAR,
    Assignment,
    Calendar,
    Days,
    Finding,
    LagKind,
    Link,
    LinkType,
    Need,
    Plan,
    PlannedItem,
    Portfolio,
    Status,
    When,
    format_minutes,
    parse_minutes,
    with_inserted,
)
from throttle_models.quantities import ELAPSED, WORK

NAMESPACE = "http://schemas.microsoft.com/project"
LINKS = {LinkType.FF: 0, LinkType.FS: 1, LinkType.SF: 2, LinkType.SS: 3}
FORMATS = {"m": 3, "h": 5, "d": 7, "w": 9}
"""DurationFormat and LagFormat by unit; one more is the elapsed kind, 32 more an estimate."""
NO_CURRENCY = "XXX"
"""The code of ISO 4217 for what has no currency; the schema wants three letters."""
END_OF_DAY = time(23, 59)
"""The time of a deadline that is a whole day."""
Hours = list[tuple[time, time]]
"""Working times of a day."""
Minutes = list[tuple[int, int]]
"""Ranges in minutes of a day."""
_DAY = timedelta(days=1)
_MOST_RANGES = 5
"""Working times of one day, by the schema."""
_NOBODY = -65535
"""The resource of work that is assigned to nobody."""
_MOST_TEXT = 255
"""Characters of a custom text field in Project."""

# (field id, field, alias); ids as Project numbers them
_TASK_TEXTS = {
    "id": (188743731, "Text1", "Throttle id"),
    "project": (188743734, "Text2", "Throttle project"),
    "type": (188743737, "Text3", "Throttle type"),
    "status": (188743740, "Text4", "Throttle status"),
    "priority": (188743743, "Text5", "Throttle priority"),
    "cost": (188743746, "Text6", "Throttle cost of delay"),
    "needs": (188743747, "Text7", "Throttle needs"),
    "needs2": (188743748, "Text8", "Throttle needs 2"),
    "needs3": (188743749, "Text9", "Throttle needs 3"),
}
_NEEDS = ("needs", "needs2", "needs3")
_LOW, _LIKELY, _HIGH, _AS_WRITTEN = (
    (188743783, "Duration1", "Throttle low"),
    (188743784, "Duration2", "Throttle likely"),
    (188743785, "Duration3", "Throttle high"),
    (188743955, "Duration4", "Throttle work as written"),
)
_NOT_BEFORE, _PLANNED = (188743945, "Date1", "Throttle not before"), (188743946, "Date2", "Throttle planned start")
_PERSON_ID, _SKILLS = (205520904, "Text1", "Throttle id"), (205520905, "Text2", "Throttle skills")


def to_mspdi(plan: Plan, portfolio: Portfolio, *, person: str | None = None) -> str:
    """All work, history included, below summary tasks of its projects; planned work starts when the plan says so.

    Times are local to the plan's zone, as the format has none. Planned starts are constraints (start no earlier than),
    because Project computes dates itself and knows no better way to be told. With a person, only their items, people
    and links between them. Raises InputError for a calendar with more than five ranges on a day.
    """
    portfolio = with_inserted(plan, portfolio)
    person = id_of(person, portfolio)
    document = _Document(plan, portfolio, person)
    root = document.project()
    indent(root, "  ")
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    return head + tostring(root, encoding="unicode") + "\n"


def needs_text(needs: Sequence[Need]) -> str:
    """``java>=2 8h/12h/22h; qa 4h x2 50% (ann,ben); * 1h (ann)``: needs in one line, for :func:`needs_of` to read.

    ``left 4h`` is what remains. Signs in names that mean something here are written as in addresses, ``%20``.
    """
    parts = []
    for need in needs:
        words = ["*" if need.skill is None else _quoted(need.skill)]
        if need.level != 1:
            words[0] += f">={need.level}"
        if need.remaining is not None:
            words += ["left", format_minutes(need.remaining, WORK, "hm")]
        elif need.effort is not None:
            words.append(str(need.effort))
        if need.people != 1:
            words.append(f"x{need.people}")
        if need.allocation != 1:
            words.append(f"{need.allocation * 100:.10g}%")
        if need.who:
            words.append(f"({','.join(map(_quoted, need.who))})")
        parts.append(" ".join(words))
    return "; ".join(parts)


def needs_of(text: str) -> tuple[Need, ...] | None:
    """What :func:`needs_text` wrote; None where it cannot be read."""
    needs = []
    for part in filter(None, (p.strip() for p in text.split(";"))):
        head, *words = part.split()
        skill, _, level = head.partition(">=")
        fields: dict[str, object] = {} if skill == "*" else {"skill": unquote(skill)}
        if level:
            fields["level"] = level
        left = "left" in words
        for word in words:
            if word.startswith("(") and word.endswith(")"):
                fields["who"] = tuple(unquote(name) for name in word[1:-1].split(","))
            elif word.startswith("x"):
                fields["people"] = word[1:]
            elif word.endswith("%"):
                fields["allocation"] = word
            elif word != "left":
                fields["remaining" if left else "effort"] = word
        try:
            needs.append(Need.model_validate(fields))
        except ValueError:
            return None
    return tuple(needs) or None


def _quoted(name: str) -> str:
    return re.sub(r"[\s;(),%*]|>=", lambda m: quote(m[0], safe=""), name).replace("*", "%2A")


class _Document:
    """One export; numbers are given in the order of the portfolio, so that equal plans give equal text."""

    def __init__(self, plan: Plan, portfolio: Portfolio, person: str | None) -> None:
        self.plan, self.portfolio = plan, portfolio
        self.zone = ZoneInfo(plan.zone)
        mine = self._and_above(key for key, _ in items_of(plan, person)) if person is not None else portfolio.work
        self.items = {key: item for key, item in portfolio.work.items() if key in mine}
        self.children: dict[str | None, list[str]] = defaultdict(list)
        for key, item in self.items.items():
            self.children[item.parent if item.parent in self.items else None].append(key)
        self.order = list(self._outline())
        self.uid = {key: number for number, (_, key, _) in enumerate(self.order, 1)}
        linked = {link.item for item in self.items.values() for link in item.after}
        named = [id for id in portfolio.external if id in linked]
        self.outside = {id: number for number, id in enumerate(named, len(self.order) + 1)}
        """Work outside the portfolio that links lead to, and its number."""
        self.people = [id for id in portfolio.people if person in (None, id)]
        self.person_uid = {id: number for number, id in enumerate(self.people, 1)}
        self.calendars = portfolio.calendars or {"default": DEFAULT_CALENDAR}
        self.calendar_uid = {name: number for number, name in enumerate(self.calendars, 1)}
        moments = [m for p in plan.items.values() for m in (p.start, p.finish)]
        self.first = min([plan.as_of, *moments]).astimezone(self.zone)
        self.last = max([plan.as_of, *moments]).astimezone(self.zone)

    def _and_above(self, keys: Iterable[str]) -> set[str]:
        found: set[str] = set()
        for key in keys:
            at: str | None = key
            while at is not None and at in self.portfolio.work and at not in found:
                found.add(at)
                at = self.portfolio.work[at].parent
        return found

    def _outline(self) -> Iterator[tuple[str, tuple[str, str], int]]:
        """(outline number, (``project`` or ``item``, id), level), each project with its work, then work without one."""
        homes: dict[str | None, list[str]] = defaultdict(list)
        for key in self.children[None]:
            homes[self.items[key].project].append(key)
        number = 0
        for project in self.portfolio.projects:
            if project in homes:
                number += 1
                yield str(number), ("project", project), 1
                for place, key in enumerate(homes.pop(project), 1):
                    yield from self._below(f"{number}.{place}", key, 2)
        for keys in homes.values():
            for key in keys:
                number += 1
                yield from self._below(str(number), key, 1)

    def _below(self, outline: str, key: str, level: int) -> Iterator[tuple[str, tuple[str, str], int]]:
        stack = [(outline, key, level)]
        while stack:
            outline, key, level = stack.pop()
            yield outline, ("item", key), level
            parts = self.children.get(key, [])
            stack += [(f"{outline}.{n}", part, level + 1) for n, part in reversed(list(enumerate(parts, 1)))]

    # ----------------------------------------------------------------------------------------------------- the whole

    def project(self) -> Element:
        currency = self.portfolio.currency
        root = Element("Project", xmlns=NAMESPACE)
        _fill(
            root,
            SaveVersion=12,
            Name=f"throttle-{self.plan.week}.xml",
            Title=f"Plan of week {self.plan.week}",
            Subject=f"Times are of zone {self.plan.zone}",
            CreationDate=self._local(self.plan.as_of),
            LastSaved=self._local(self.plan.as_of),
            ScheduleFromStart=1,
            StartDate=self._local(self.first),
            FinishDate=self._local(self.last),
            CurrencyCode=currency if len(currency) == 3 and currency.isalpha() and currency.isascii() else NO_CURRENCY,
            CalendarUID=1,
            DefaultStartTime="09:00:00",
            DefaultFinishTime="17:00:00",
            MinutesPerDay=480,
            MinutesPerWeek=2400,
            DaysPerMonth=20,
            DefaultTaskType=0,
            DurationFormat=FORMATS["h"],
            WorkFormat=2,
            HonorConstraints=1,
            NewTasksEffortDriven=0,
            NewTasksEstimated=0,
            WeekStartDay=1,
            StatusDate=self._local(self.plan.as_of),
            CurrentDate=self._local(self.plan.as_of),
        )
        defined = SubElement(root, "ExtendedAttributes")
        for field, name, alias in (
            *_TASK_TEXTS.values(), _LOW, _LIKELY, _HIGH, _AS_WRITTEN, _NOT_BEFORE, _PLANNED, _PERSON_ID, _SKILLS,
        ):  # fmt: skip
            _fill(SubElement(defined, "ExtendedAttribute"), FieldID=field, FieldName=name, Alias=alias)
        self._calendars(SubElement(root, "Calendars"))
        tasks = SubElement(root, "Tasks")
        self._head_task(tasks)
        for row, (outline, about, level) in enumerate(self.order, 1):
            self._task(SubElement(tasks, "Task"), row, outline, about, level)
        for row, id in enumerate(self.outside, len(self.order) + 1):
            self._external(SubElement(tasks, "Task"), row, id)
        resources = SubElement(root, "Resources")
        for id in self.people:
            self._resource(SubElement(resources, "Resource"), id)
        assignments = SubElement(root, "Assignments")
        self._assignments(assignments)
        return root

    # ----------------------------------------------------------------------------------------------------- calendars

    def _calendars(self, parent: Element) -> None:
        for name, calendar in self.calendars.items():
            element = SubElement(parent, "Calendar")
            shown = f"{name} ({calendar.zone})" if calendar.zone not in (None, self.plan.zone) else name
            _fill(element, UID=self.calendar_uid[name], Name=_short(shown), IsBaseCalendar=1, BaseCalendarUID=-1)
            week = _week(calendar, name)
            days = SubElement(element, "WeekDays")
            for number in range(1, 8):  # 1 is Sunday
                ranges = week[(number - 2) % 7]
                day = SubElement(days, "WeekDay")
                _fill(day, DayType=number, DayWorking=int(bool(ranges)))
                _working(day, ranges)
            opened = {day for days in calendar.open for day in _each(days)}
            off = self._off(calendar, opened)
            if _by_night(calendar):
                exceptions = _exactly(calendar, self._near(off), opened)
            else:
                exceptions = [(days, []) for days in off]
                exceptions += [(Days(first=day, last=day), _substitute(week, day)) for day in sorted(opened)]
            self._exceptions(element, exceptions)
        for id in self.people:
            person = self.portfolio.people[id]
            base = person.calendar or next(iter(self.calendars))
            element = SubElement(parent, "Calendar")
            _fill(
                element,
                UID=self._personal(id),
                Name=_short(person.name or id),
                IsBaseCalendar=0,
                BaseCalendarUID=self.calendar_uid[base],
            )
            if _by_night(self.calendars[base]):
                opened = {day for days in self.calendars[base].open for day in _each(days)}
                away, closed = self._near(person.away), self._near(self._off(self.calendars[base], opened))
                exceptions = _exactly(self.calendars[base], closed | away, opened - away, (closed, opened))
            else:
                exceptions = [(days, []) for days in person.away]
            self._exceptions(element, exceptions)

    def _near(self, ranges: Iterable[Days]) -> set[date]:
        """Single days of ranges, from a year before as-of to two after the plan's end."""
        first, last = self.plan.as_of.date() - 366 * _DAY, self.last.date() + 732 * _DAY
        return {
            day
            for days in ranges
            if days.first <= last and days.last >= first
            for day in _each(Days(first=max(first, days.first), last=min(last, days.last)))
        }

    def _personal(self, id: str) -> int:
        return len(self.calendars) + self.person_uid[id]

    def _off(self, calendar: Calendar, open_days: set[date]) -> list[Days]:
        """Closed days and holidays, from the year of as-of to that after the plan's end, less days that are open."""
        off: list[Days] = []
        for days in calendar.closed:
            inside = sorted(day for day in open_days if days.first <= day <= days.last)
            edges = [days.first - _DAY, *inside, days.last + _DAY]
            for before, after in itertools.pairwise(edges):
                if after - before > _DAY:
                    off.append(Days(first=before + _DAY, last=after - _DAY))
        if calendar.holidays:
            import holidays

            country, _, part = calendar.holidays.partition("-")
            years = range(self.plan.as_of.astimezone(self.zone).year, self.last.year + 2)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of years that a country has not yet announced
                found = holidays.country_holidays(country, subdiv=part or None, years=years)
            for day in sorted(found):
                if day not in open_days and not any(days.first <= day <= days.last for days in off):
                    off.append(Days(first=day, last=day))
        return off

    def _exceptions(self, calendar: Element, exceptions: list[tuple[Days, Hours]]) -> None:
        if not exceptions:
            return
        parent = SubElement(calendar, "Exceptions")
        for days, ranges in exceptions:
            element = SubElement(parent, "Exception")
            _fill(element, EnteredByOccurrences=0)
            period = SubElement(element, "TimePeriod")
            _fill(period, FromDate=f"{days.first}T00:00:00", ToDate=f"{days.last}T23:59:00")
            length = (days.last - days.first).days + 1
            _fill(element, Occurrences=length, Name=str(days), Type=1, DayWorking=int(bool(ranges)))
            _working(element, ranges)

    # --------------------------------------------------------------------------------------------------------- tasks

    def _head_task(self, tasks: Element) -> None:
        _fill(
            SubElement(tasks, "Task"),
            UID=0,
            ID=0,
            Name=f"Plan of week {self.plan.week}",
            Type=1,
            IsNull=0,
            CreateDate=self._local(self.plan.as_of),
            WBS=0,
            OutlineNumber=0,
            OutlineLevel=0,
            Priority=500,
            Start=self._local(self.first),
            Finish=self._local(self.last),
            Summary=1,
        )

    def _task(self, task: Element, row: int, outline: str, about: tuple[str, str], level: int) -> None:
        kind, key = about
        common = {"UID": self.uid[about], "ID": row}
        place = {"WBS": outline, "OutlineNumber": outline, "OutlineLevel": level}
        if kind == "project":
            project = self.portfolio.projects[key]
            _fill(task, **common, Name=_short(project.title or key), Type=1, IsNull=0, **place, Priority=500, Summary=1)
            if project.due is not None:
                _fill(task, Deadline=self._deadline(project.due))
            self._texts(task, project=key, cost=_rate(project.cost_of_delay))
            return
        item = self.items[key]
        planned = self.plan.items.get(key)
        summary = key in self.children and not item.needs
        history = item.status in (Status.DONE, Status.CANCELLED)
        work = self._work(key)
        elapsed = item.wait is not None
        span = item.wait if item.wait is not None else item.duration or (_length(planned) if planned else work)
        done = 100 if history else 0
        created = {"CreateDate": self._moment(item.created)} if item.created else {}
        _fill(
            task,
            **common,
            Name=_short(item.title or key),
            Type=int(item.duration is not None),
            IsNull=0,
            **created,
            **place,
            Priority=500,
        )
        start = planned.start if planned else self._at(item.started)
        finish = planned.finish if planned else self._at(item.finished)
        if start is not None:
            _fill(task, Start=self._local(start))
        if finish is not None:
            _fill(task, Finish=self._local(finish))
        if not summary:
            _fill(task, Duration=_iso(span), DurationFormat=FORMATS["d" if elapsed else "h"] + elapsed, Work=_iso(work))
        _fill(
            task,
            EffortDriven=0,
            Recurring=0,
            Estimated=0,
            Milestone=int(not summary and not work and not span),
            Summary=int(key in self.children),
            ExternalTask=0,
            PercentComplete=done,
            PercentWorkComplete=done,
        )
        if item.started is not None:
            _fill(task, ActualStart=self._moment(item.started))
        if item.finished is not None and history:
            _fill(task, ActualFinish=self._moment(item.finished))
        if not summary:
            _fill(
                task,
                ActualDuration=_iso(span if history else timedelta(0)),
                ActualWork=_iso(work if history else timedelta(0)),
                RemainingDuration=_iso(timedelta(0) if history else span),
                RemainingWork=_iso(timedelta(0) if history else work),
            )
        fixed = planned.start if planned and not summary else self._at(item.not_before)
        _fill(task, ConstraintType=4 if fixed else 0, CalendarUID=-1)
        if fixed is not None:
            _fill(task, ConstraintDate=self._local(fixed))
        if item.due is not None:
            _fill(task, Deadline=self._deadline(item.due))
        _fill(task, LevelAssignments=1, LevelingCanSplit=int(item.pausable), IgnoreResourceCalendar=0)
        for link in item.after:
            self._link(task, link, bool(item.needs))
        needs = _pieces(needs_text(item.needs))
        self._texts(
            task,
            id=key,
            project=item.project or "",
            type=item.type.value,
            status=f"on hold: {item.on_hold}" if item.on_hold else item.status.value,
            priority=item.priority or "",
            cost=_rate(item.cost_of_delay),
            **dict(zip(_NEEDS, needs, strict=False)),
        )
        if work:
            if len(item.needs) == 1 and (estimate := item.needs[0].effort) is not None:
                for field, value in ((_LOW, estimate.low), (_LIKELY, estimate.likely), (_HIGH, estimate.high)):
                    _value(task, field, _iso(value), duration=True)
            _value(task, _AS_WRITTEN, _iso(work), duration=True)
        if item.not_before is not None:
            _value(task, _NOT_BEFORE, self._moment(item.not_before))
        if planned and not summary:
            _value(task, _PLANNED, self._local(planned.start))

    def _external(self, task: Element, row: int, id: str) -> None:
        """A task of another project: whether it is done, else when it is expected."""
        stub = self.portfolio.external[id]
        done = stub.status is Status.DONE
        _fill(
            task,
            UID=self.outside[id],
            ID=row,
            Name=_short(stub.title or id),
            Type=1,
            IsNull=0,
            WBS=row,
            OutlineNumber=row,
            OutlineLevel=1,
            Priority=500,
        )
        if stub.expected is not None:
            date_only = self._deadline(stub.expected)
            _fill(task, Start=date_only, Finish=date_only)
        _fill(task, Duration=_iso(timedelta(0)), DurationFormat=FORMATS["h"], Work=_iso(timedelta(0)))
        _fill(task, Milestone=1, Summary=0, ExternalTask=1, ExternalTaskProject=id, PercentComplete=100 if done else 0)

    def _texts(self, task: Element, **values: str) -> None:
        for name, field in _TASK_TEXTS.items():
            if value := values.get(name):
                _value(task, field, value)

    def _link(self, task: Element, link: Link, needs_people: bool) -> None:
        about = ("item", link.item)
        if about not in self.uid and link.item not in self.outside:
            return  # of somebody else, in an export for one person
        elapsed = link.lag_in is LagKind.ELAPSED if link.lag_in is not None else not needs_people
        span = parse_minutes(link.lag, ELAPSED if elapsed else WORK, signed=True)
        unit = link.lag.strip()[-1:] if link.lag.strip()[-1:] in FORMATS else "h"
        element = SubElement(task, "PredecessorLink")
        if about in self.uid:
            _fill(element, PredecessorUID=self.uid[about], Type=LINKS[link.type], CrossProject=0)
        else:
            uid = self.outside[link.item]
            _fill(element, PredecessorUID=uid, Type=LINKS[link.type], CrossProject=1, CrossProjectName=link.item)
        _fill(element, LinkLag=round(span / timedelta(minutes=1) * 10), LagFormat=FORMATS[unit] + elapsed)

    # ----------------------------------------------------------------------------------------- people and their work

    def _resource(self, element: Element, id: str) -> None:
        person = self.portfolio.people[id]
        calendar = self.calendars[person.calendar or next(iter(self.calendars))]
        group = {"Group": _short(person.team)} if person.team else {}
        _fill(
            element,
            UID=self.person_uid[id],
            ID=self.person_uid[id],
            Name=_short(person.name or id),
            Type=1,
            IsNull=0,
            **group,
            MaxUnits=f"{person.productive or calendar.productive:.10g}",
            CanLevel=1,
            CalendarUID=self._personal(id),
            IsGeneric=0,
        )
        _value(element, _PERSON_ID, id)
        skills = ", ".join(f"{skill} {level}" for skill, level in person.skills.items())
        if skills:
            _value(element, _SKILLS, skills)

    def _given(self, key: str) -> list[tuple[Assignment, timedelta]]:
        """The planned assignments of those who are in the file, with their work."""
        planned = self.plan.items.get(key)
        return [
            (given, sum((last - first for first, last in given.work), timedelta(0)) * given.allocation)
            for given in (planned.assignments if planned else ())
            if given.person in self.person_uid and given.work
        ]

    def _work(self, key: str) -> timedelta:
        """What its assignments add up to, as Project wants it, else its effort."""
        if given := self._given(key):
            return sum((work for _, work in given), timedelta(0))
        effort = [need.remaining if need.remaining is not None else need.effort.mean if need.effort else timedelta(0)
                  for need in self.items[key].needs]  # fmt: skip
        return sum(effort, timedelta(0))

    def _assignments(self, parent: Element) -> None:
        """People as planned; work that is nobody's yet has an assignment too, without which Project forgets it."""
        number = 0
        for _, about, _ in self.order:
            given = self._given(about[1]) if about[0] == "item" else []
            for assignment, work in given:
                number += 1
                _fill(
                    SubElement(parent, "Assignment"),
                    UID=number,
                    TaskUID=self.uid[about],
                    ResourceUID=self.person_uid[assignment.person],
                    PercentWorkComplete=0,
                    ActualWork=_iso(timedelta(0)),
                    Finish=self._local(assignment.work[-1][1]),
                    RemainingWork=_iso(work),
                    Start=self._local(assignment.work[0][0]),
                    Units=f"{assignment.allocation:.10g}",
                    Work=_iso(work),
                )
            if about[0] == "item" and not given and (work := self._work(about[1])):
                number += 1
                over = self.items[about[1]].status in (Status.DONE, Status.CANCELLED)
                _fill(
                    SubElement(parent, "Assignment"),
                    UID=number,
                    TaskUID=self.uid[about],
                    ResourceUID=_NOBODY,
                    PercentWorkComplete=100 if over else 0,
                    ActualWork=_iso(work if over else timedelta(0)),
                    RemainingWork=_iso(timedelta(0) if over else work),
                    Units=1,
                    Work=_iso(work),
                )

    # --------------------------------------------------------------------------------------------------------- times

    def _local(self, moment: datetime) -> str:
        return moment.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M:%S")

    def _at(self, when: When | None) -> datetime | None:
        return when.resolve(self.plan.as_of, self.zone) if when is not None else None

    def _moment(self, when: When) -> str:
        return self._local(when.resolve(self.plan.as_of, self.zone))

    def _deadline(self, due: When) -> str:
        if len(due.text) == 10:
            return datetime.combine(date.fromisoformat(due.text), END_OF_DAY).isoformat()
        return self._moment(due)


# ---------------------------------------------------------------------------------------------------------------- small


def _fill(element: Element, **values: object) -> None:
    for name, value in values.items():
        SubElement(element, name).text = _legal(str(value))


def _value(element: Element, field: tuple[int, str, str], value: str, duration: bool = False) -> None:
    attribute = SubElement(element, "ExtendedAttribute")
    _fill(attribute, FieldID=field[0], Value=value)
    if duration:
        _fill(attribute, DurationFormat=FORMATS["h"])


def _legal(text: str) -> str:
    """Without the characters that XML 1.0 has no way to write (2.2)."""
    return "".join(c if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else " "
                   for c in text)  # fmt: skip


def _short(text: str) -> str:
    """The schema allows 512 characters; a name is one line."""
    return " ".join(text.split())[:512]


def _iso(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    return f"PT{seconds // 3600}H{seconds // 60 % 60}M{seconds % 60}S"


def _rate(rate: float | None) -> str:
    return f"{rate:.12g}/week" if rate is not None else ""


def _length(planned: PlannedItem) -> timedelta:
    """Time in which anyone works on it, or from start to finish where nobody does."""
    spans = sorted(span for given in planned.assignments for span in given.work)
    if not spans:
        return planned.finish - planned.start
    total, end = timedelta(0), spans[0][0]
    for first, last in spans:
        total += max(last - max(first, end), timedelta(0))
        end = max(end, last)
    return total


def _pieces(text: str) -> list[str]:
    """For the custom fields, or nothing where it does not fit into them: a part of it would mean something else."""
    pieces = [text[at : at + _MOST_TEXT] for at in range(0, len(text), _MOST_TEXT)]
    return pieces[: len(_NEEDS)] if len(pieces) <= len(_NEEDS) else []


def _week(calendar: Calendar, name: str) -> list[Hours]:
    """Working times of each weekday from Monday; ranges over midnight are cut there. Raises InputError."""
    begun = _begun(calendar)
    week = [_cut(begun[day], begun[day - 1]) for day in range(7)]
    most = max(map(len, week))
    if most > _MOST_RANGES:
        message = (
            f"calendar {name} has {most} ranges of hours on one day, and Microsoft Project holds {_MOST_RANGES}: join "
            "some, or choose another --format"
        )
        raise InputError([Finding(level="error", code="too-many-ranges", message=message, ids=(name,))])
    return week


def _begun(calendar: Calendar) -> list[Minutes]:
    """Ranges by the weekday on which they begin, their ends up to 2880."""
    found: list[Minutes] = [[] for _ in range(7)]
    for day, first, last in calendar.hours.ranges:
        found[day].append((first, last))
    return found


def _by_night(calendar: Calendar) -> bool:
    return any(last > 1440 for _, _, last in calendar.hours.ranges)


def _cut(own: Minutes, before: Minutes) -> Hours:
    """Hours of a day: of the ranges that begin on it, and of those of the day before what is after midnight."""
    joined: Minutes = []
    for first, last in sorted([(a, min(b, 1440)) for a, b in own] + [(0, b - 1440) for _, b in before if b > 1440]):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return [(_clock(first), _clock(last)) for first, last in joined]


def _exactly(
    calendar: Calendar, off: set[date], opened: set[date], base: tuple[set[date], set[date]] = (set(), set())
) -> list[tuple[Days, Hours]]:
    """Days with other hours than with the days off and on of the base, where ranges run over midnight: a day off takes
    the night that begins on it with it, and leaves the morning of the night before."""
    begun = _begun(calendar)
    substitute = next(ranges for ranges in begun if ranges)

    def begins(day: date, off: set[date], opened: set[date]) -> Minutes:
        if day in opened:
            return begun[day.weekday()] or substitute
        return [] if day in off else begun[day.weekday()]

    about = off ^ base[0] | opened ^ base[1]
    found = []
    for day in sorted(about | {day + _DAY for day in about}):
        hours, usual = (_cut(begins(day, *x), begins(day - _DAY, *x)) for x in ((off, opened), base))
        if hours != usual:
            found.append((Days(first=day, last=day), hours))
    return found


def _clock(minute: int) -> time:
    """24:00 is 00:00 in the format, at the end of a range."""
    return time(minute // 60 % 24, minute % 60)


def _each(days: Days) -> Iterator[date]:
    for at in range((days.last - days.first).days + 1):
        yield days.first + at * _DAY


def _substitute(week: list[Hours], day: date) -> Hours:
    """Hours of a day that is open in spite of a holiday or weekend: its own, else those of the first working day."""
    return week[day.weekday()] or next(ranges for ranges in week if ranges)


def _working(element: Element, ranges: Hours) -> None:
    if ranges:
        times = SubElement(element, "WorkingTimes")
        for first, last in ranges:
            _fill(SubElement(times, "WorkingTime"), FromTime=first.isoformat(), ToTime=last.isoformat())
