"""Primavera PMXML (``APIBusinessObjects``), whatever the version of its namespace. Built from the documented shape.

Notes, e-mail addresses and costs are not read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from throttle.ingest.intake import Intake
from throttle.ingest.notes import refusal
from throttle.ingest.primavera import STATES, Activity, Node, Relation, Schedule, Worker, entries, tell_apart
from throttle.ingest.project_calendars import Ranges, WorkCalendar, minutes_of
from throttle.ingest.readers import DocumentReader
from throttle.ingest.records import Entry, Rejection, Share
from throttle.ingest.source import Source
from throttle_models.people import WEEKDAYS

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_LEVELS = {"1 - master": 3, "2 - expert": 3, "3 - skilled": 2, "4 - proficient": 1, "5 - inexperienced": 1}


class _File:
    def __init__(self, source: Source) -> None:
        self.file, self.s = source.file, Schedule()
        self.row = 0
        root = source.root
        if _name(root) != "APIBusinessObjects":
            raise refusal("wrong-file", f"{source.file} is XML, but no APIBusinessObjects of Primavera", source.file)
        self.roles: dict[str, str] = {}
        self.kinds: dict[str, str] = {}
        self.codes: dict[str, str] = {}
        self.crews: dict[str, list[Share]] = defaultdict(list)
        self.asked: dict[str, list[str]] = defaultdict(list)
        self.held: dict[str, dict[str, int]] = defaultdict(dict)
        self.above: set[str] = set()
        projects = [child for child in root if _name(child) in ("Project", "BaselineProject", "Baseline")]
        everything = [*root, *(child for project in projects for child in project)]
        for element in everything:
            self._look_up(element)
        self.names = {w.id: w for w in self._workers(everything)}
        tell_apart(self.s.workers)
        for element in everything:
            if _name(element) == "ResourceAssignment":
                self._assign(_fields(element))
        for element in everything:
            self._take(element)
        for project in projects:
            self._project(project)
        if not self.s.activities:
            raise refusal("no-rows", f"{source.file} has no activities", source.file)

    def _next(self) -> int:
        self.row += 1
        return self.row

    def _look_up(self, element: Element) -> None:
        name, f = _name(element), _fields(element)
        if name == "Role":
            self.roles[f.get("ObjectId", "")] = f.get("Name") or f.get("Id", "")
        elif name == "ActivityCodeType":
            self.kinds[f.get("ObjectId", "")] = f.get("Name", "")
        elif name == "ActivityCode":
            self.codes[f.get("ObjectId", "")] = f.get("Description") or f.get("CodeValue", "")
        elif name == "Calendar":
            own, id = _calendar(element, f), f.get("ObjectId", "")
            self.s.calendars[id] = own
            if f.get("IsDefault") == "1" or not self.s.default_calendar:
                self.s.default_calendar = id
        elif name == "Resource" and f.get("ParentObjectId"):
            self.above.add(f["ParentObjectId"])
        elif name == "ResourceRole":
            role = f.get("RoleName") or self.roles.get(f.get("RoleObjectId", ""), "")
            if role:
                level = _LEVELS.get(f.get("Proficiency", "").casefold(), 1)
                self.held[f.get("ResourceObjectId", "")][role] = level

    def _workers(self, everything: list[Element]) -> Iterator[Worker]:
        found = [_fields(e) for e in everything if _name(e) == "Resource"]
        names = {f.get("ObjectId", ""): f.get("Name") or f.get("Id", "") for f in found}
        used = {_fields(e).get("ResourceObjectId", "") for e in everything if _name(e) == "ResourceAssignment"}
        for f in found:
            id, row = f.get("ObjectId", ""), self._next()
            if id in self.above and id not in used:
                self.s.rejected.append(Rejection(self.file, row, None, "is a group of resources and no person"))
                continue
            worker = Worker(
                row, id, names[id], f.get("CalendarObjectId", ""), f.get("ResourceType", ""), self.held.get(id, {}),
                names.get(f.get("ParentObjectId", ""), ""),
            )  # fmt: skip
            self.s.workers.append(worker)
            yield worker

    def _assign(self, f: dict[str, str]) -> None:
        worker, activity = self.names.get(f.get("ResourceObjectId", "")), f.get("ActivityObjectId", "")
        if worker is not None and worker.kind in ("", "Labor"):
            begun = bool(f.get("ActualStartDate"))
            hours = _number(f.get("RemainingUnits" if begun else "PlannedUnits", "")) or _number(
                f.get("PlannedUnits", "")
            )
            rate = _number(f.get("PlannedUnitsPerTime", ""))
            minutes = hours * 60 if hours else None
            self.crews[activity].append(Share(worker.name, worker.account, min(rate, 1.0) if rate else None, minutes))
        elif worker is None and (role := self.roles.get(f.get("RoleObjectId", ""))):
            self.asked[activity].append(role)

    def _project(self, project: Element) -> None:
        f = _fields(project)
        id = f.get("ObjectId", "")
        self.s.projects[id] = (f.get("Id", ""), f.get("Name", ""))
        if _name(project) != "Project":
            self.s.baselines.add(id)
        self.s.as_of = max(self.s.as_of, f.get("DataDate", ""))
        if (own := f.get("ActivityDefaultCalendarObjectId", "")) in self.s.calendars:
            self.s.default_calendar = own
        for option in project:
            if _name(option) == "ScheduleOptions":
                chosen = _fields(option).get("CalendarForSchedulingRelationshipLag", "")
                self.s.elapsed_lags = self.s.elapsed_lags or "24" in chosen

    def _take(self, element: Element) -> None:
        name, f = _name(element), _fields(element)
        if name == "WBS":
            self.s.nodes.append(
                Node(self._next(), f.get("ObjectId", ""), f.get("ParentObjectId", ""), f.get("Code", ""),
                     f.get("Name", ""), f.get("ProjectObjectId", ""))
            )  # fmt: skip
        elif name == "Activity":
            id = f.get("ObjectId", "")
            codes = []
            for child in element:
                if _name(child) == "Code":
                    code = _fields(child)
                    if value := self.codes.get(code.get("ValueObjectId", "")):
                        codes.append((self.kinds.get(code.get("TypeObjectId", ""), ""), value))
            self.s.activities.append(
                Activity(
                    self._next(), id, f.get("Id", ""), f.get("Name", ""), f.get("ProjectObjectId", ""),
                    f.get("WBSObjectId", ""), f.get("Type", ""), f.get("Status", ""),
                    {name: f[own] for name, own in _NAMES.items() if f.get(own)}, f.get("CalendarObjectId", ""), codes,
                    self.crews.get(id, []), self.asked.get(id, []),
                )
            )  # fmt: skip
        elif name == "Relationship":
            self.s.relations.append(
                Relation(0, f.get("PredecessorActivityObjectId", ""), f.get("SuccessorActivityObjectId", ""),
                         f.get("Type", ""), f.get("Lag", ""))
            )  # fmt: skip


_NAMES = {
    "target_hours": "PlannedDuration", "left_hours": "RemainingDuration", "work": "PlannedLaborUnits",
    "work_left": "RemainingLaborUnits", "work_done": "ActualLaborUnits", "act_start": "ActualStartDate",
    "act_finish": "ActualFinishDate", "created": "CreateDate", "constraint": "PrimaryConstraintType",
    "constraint_date": "PrimaryConstraintDate", "constraint2": "SecondaryConstraintType",
    "constraint_date2": "SecondaryConstraintDate", "priority": "LevelingPriority", "start": "PlannedStartDate",
    "finish": "PlannedFinishDate",
}  # fmt: skip


def _calendar(element: Element, f: dict[str, str]) -> WorkCalendar:
    name = "of a resource" if f.get("Type") == "Resource" or f.get("IsPersonal") == "1" else f.get("Name", "")
    own = WorkCalendar(name, f.get("BaseCalendarObjectId") or None)
    for part in element:
        if _name(part) == "StandardWorkWeek":
            for hours in part:
                day = _fields(hours).get("DayOfWeek", "")[:3].title()
                if day in WEEKDAYS:
                    own.week[WEEKDAYS.index(day)] = _ranges(hours)
        elif _name(part) in ("HolidayOrExceptions", "HolidayOrException"):
            for exception in part if _name(part) == "HolidayOrExceptions" else (part,):
                try:
                    moment = date.fromisoformat(_fields(exception).get("Date", "")[:10])
                except ValueError:
                    continue
                own.exceptions[moment] = _ranges(exception)
    return own


def _ranges(element: Element) -> Ranges:
    """Hours; P6 writes the last minute of a range as its end, 11:59 for 12:00."""
    found = []
    for part in element:
        if _name(part) != "WorkTime":
            continue
        f = _fields(part)
        first, last = minutes_of(f.get("Start", "")), minutes_of(f.get("Finish", ""), end=True)
        if first is not None and last is not None:
            last += last % 60 in (29, 59, 14, 44)
            if last > first:
                found.append((first, min(last, 1440)))
    return tuple(found)


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _fields(element: Element) -> dict[str, str]:
    return {_name(child): (child.text or "").strip() for child in element if not len(child)}


def _number(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _certainty(source: Source) -> float:
    return 0.98 if source.kind == "xml" and "APIBusinessObjects" in source.head else 0.0


def _read(source: Source, intake: Intake) -> Iterable[Entry]:
    return entries(_File(source).s, intake, PMXML)


PMXML = DocumentReader(
    name="primavera-xml",
    system="Primavera P6",
    certainty=_certainty,
    read=_read,
    states=STATES,
    default_type="task",
    verified=False,
)
