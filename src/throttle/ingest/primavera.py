"""Primavera P6, whichever of its two formats: activities, WBS, relationships, people and calendars as entries.

The readers of XER and PMXML fill :class:`Schedule`; everything that P6 means by it is here. Durations and lags are
hours of working time, ids are texts.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from throttle.ingest.intake import Intake
from throttle.ingest.project_calendars import WorkCalendar, calendar_of, resolved
from throttle.ingest.readers import Tracker
from throttle.ingest.records import Entry, Rejection, Resource, Share, Ticket, Tie
from throttle.ingest.values import fold, slug
from throttle.wording import plural
from throttle_models import Column, LagKind, LinkType, Status, format_minutes
from throttle_models.quantities import ELAPSED, WORK

C = Column

STATES = {
    "not started": Status.OPEN,
    "in progress": Status.IN_PROGRESS,
    "completed": Status.DONE,
    "complete": Status.DONE,
}

_LINKS = {
    "pr_fs": LinkType.FS, "pr_ss": LinkType.SS, "pr_ff": LinkType.FF, "pr_sf": LinkType.SF,
    "finish to start": LinkType.FS, "start to start": LinkType.SS, "finish to finish": LinkType.FF,
    "start to finish": LinkType.SF,
}  # fmt: skip
_STATUS = {
    "tk_notstart": "Not started", "tk_active": "In progress", "tk_complete": "Completed", "not started": "Not started",
    "in progress": "In progress", "completed": "Completed",
}  # fmt: skip
_MILESTONES = frozenset({"tt_mile", "tt_finmile", "start milestone", "finish milestone"})
_NO_WORK = frozenset({"tt_loe", "tt_wbs", "level of effort", "wbs summary"})
_NOT_BEFORE = frozenset({"cs_msoa", "start on or after"})
_PINNED = frozenset({"cs_mso", "cs_mandstart", "start on", "mandatory start"})
_DUE = frozenset({"cs_meob", "cs_meo", "cs_mandfin", "finish on or before", "finish on", "mandatory finish"})
_LOST = {
    "cs_msob": "start on or before", "cs_meoa": "finish on or after", "cs_alap": "as late as possible",
    "start on or before": "start on or before", "finish on or after": "finish on or after",
    "as late as possible": "as late as possible",
}  # fmt: skip
_PRIORITIES = {
    "pt_top": "Highest", "pt_high": "High", "pt_low": "Low", "pt_lowest": "Lowest", "top": "Highest", "high": "High",
    "low": "Low", "lowest": "Lowest",
}  # fmt: skip
_SKILL_CODES = re.compile(r"disciplin|skill|trade|craft|speciali[sz]|competenc|role")
_TEAM_CODES = re.compile(r"department|team|crew|responsib|contractor|organi[sz]ation|\bresp\b")


@dataclass
class Activity:
    """One activity, as texts; ``row`` is that of its record."""

    row: int
    id: str
    code: str
    title: str
    project: str
    wbs: str
    type: str
    status: str
    fields: Mapping[str, str]
    """``target_hours``, ``left_hours``, ``work``, ``work_left``, ``work_done``, ``start``, ``finish``, ``act_start``,
    ``act_finish``, ``created``, ``updated``, ``constraint``, ``constraint_date``, ``constraint2``,
    ``constraint_date2``, ``priority``."""
    calendar: str = ""
    codes: list[tuple[str, str]] = field(default_factory=list)
    """(name of the kind of code, value)."""
    crew: list[Share] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)


@dataclass
class Node:
    """One element of the work breakdown structure."""

    row: int
    id: str
    parent: str
    code: str
    title: str
    project: str
    is_project: bool = False


@dataclass
class Relation:
    row: int
    first: str
    second: str
    type: str
    lag: str
    title: str = ""


@dataclass
class Worker:
    row: int
    id: str
    name: str
    calendar: str
    kind: str
    skills: dict[str, int] = field(default_factory=dict)
    team: str = ""
    account: str = ""
    """What tells namesakes apart."""


@dataclass
class Schedule:
    """What a file holds, by P6's own ids."""

    projects: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Id to (short name, title)."""
    baselines: set[str] = field(default_factory=set)
    """Projects that are copies of another one."""
    as_of: str = ""
    """The data date, the newest of all projects."""
    nodes: list[Node] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    calendars: dict[str, WorkCalendar] = field(default_factory=dict)
    default_calendar: str = ""
    elapsed_lags: bool = False
    """Whether lags count on a calendar of 24 hours."""
    rejected: list[Rejection] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)
    """Records of calendars whose text could not be read."""


def tell_apart(workers: Iterable[Worker]) -> None:
    """Give those of one name an account each."""
    workers = list(workers)
    named = Counter(worker.name for worker in workers)
    for worker in workers:
        if named[worker.name] > 1:
            worker.account = f"resource {worker.id}"


def entries(schedule: Schedule, intake: Intake, reader: Tracker) -> Iterator[Entry]:
    """Everything in the order of the file: people, WBS as containers, activities with their links."""
    return _Entries(schedule, intake, reader).all()


class _Entries:
    def __init__(self, schedule: Schedule, intake: Intake, reader: Tracker) -> None:
        self.s, self.intake, self.reader = schedule, intake, reader
        self.file = intake.file
        self.lost: Counter[str] = Counter()
        self.ids = self._ids()
        self.seen = intake.moment(schedule.as_of, "data date", 0)
        self.keys: dict[str, str | None] = {}

    def _ids(self) -> dict[str, str]:
        """P6's ids to those of tickets: the activity's code, with its project where several have it."""
        count = Counter(a.code for a in self.s.activities if a.project not in self.s.baselines)
        found = {}
        for a in self.s.activities:
            short = self.s.projects.get(a.project, ("", ""))[0]
            found[a.id] = a.code if a.code and count[a.code] == 1 else f"{short or a.project}/{a.code or a.id}"
        return found

    def all(self) -> Iterator[Entry]:
        yield from self.s.rejected
        if (default := self.s.default_calendar) in self.s.calendars:
            self._calendar(default)
        for worker in self.s.workers:
            yield self._worker(worker)
        ties = self._ties()
        held = {a.wbs for a in self.s.activities}
        nodes = {node.id: node for node in self.s.nodes}
        needed = {id for wbs in held for id in self._above(wbs, nodes)}
        for node in self.s.nodes:
            yield self._node(node, nodes, needed)
        for activity in self.s.activities:
            if activity.project in self.s.baselines:
                yield self.intake.reject(activity.row, "belongs to a baseline, an earlier plan")
            else:
                yield self._activity(activity, nodes, ties.pop(activity.id, []))
        for row in self.s.broken:
            message = f"the calendar of record {row} has no hours that can be read; it is left out"
            self.intake.warn("broken-calendar", message, row=row)
        for what, count in self.lost.items():
            self.intake.tell("not-carried", f"{plural(count, 'time')}: {what}", count=count)

    def _above(self, wbs: str, nodes: Mapping[str, Node]) -> Iterator[str]:
        seen: set[str] = set()
        while wbs in nodes and wbs not in seen:
            seen.add(wbs)
            yield wbs
            wbs = nodes[wbs].parent

    def _wbs_id(self, node: Node) -> str:
        return f"WBS-{node.id}"

    def _node(self, node: Node, nodes: Mapping[str, Node], needed: set[str]) -> Entry:
        if node.project in self.s.baselines:
            return self.intake.reject(node.row, "belongs to a baseline, an earlier plan")
        if node.is_project:
            return self.intake.reject(node.row, "is the project as a whole")
        if node.id not in needed:
            return self.intake.reject(node.row, "is a part of the work breakdown structure without activities")
        t = Ticket(self._wbs_id(node), self.file, node.row, self.reader, title=node.title, type="task", container=True)
        t.status = "Not started"
        self._project(t, node.project)
        parent = nodes.get(node.parent)
        if parent is not None and not parent.is_project:
            t.parents = [self._wbs_id(parent)]
        return t

    def _project(self, t: Ticket, project: str) -> None:
        short, title = self.s.projects.get(project, ("", ""))
        t.project = slug(short) or short
        t.project_title = title or short

    def _activity(self, a: Activity, nodes: Mapping[str, Node], ties: list[Tie]) -> Ticket:
        intake, f, row = self.intake, a.fields, a.row
        t = Ticket(self.ids[a.id], self.file, row, self.reader, title=a.title)
        t.aliases = [a.id]
        self._project(t, a.project)
        node = nodes.get(a.wbs)
        if node is not None and not node.is_project:
            t.parents = [self._wbs_id(node)]
        kind = fold(a.type)
        t.status = _STATUS.get(fold(a.status), a.status)
        t.viewed = self.seen
        t.created = intake.moment(f.get("created"), "created", row)
        t.started = intake.moment(f.get("act_start"), "actual start", row)
        if t.status == "Completed":
            t.finished = intake.moment(f.get("act_finish"), "actual finish", row)
        if t.started is None and t.status != "Completed":
            t.planned = (intake.moment(f.get("start"), "start", row), intake.moment(f.get("finish"), "finish", row))
        t.priority = _PRIORITIES.get(fold(f.get("priority", "")), "")
        if kind in _NO_WORK:
            t.container = True
        elif kind in _MILESTONES:
            t.milestone = True
        else:
            self._work(t, f)
        for which in ("", "2"):
            self._constraint(t, f.get(f"constraint{which}", ""), f.get(f"constraint_date{which}", ""), row)
        self._who(t, a)
        t.links = ties
        for name, means in (("code", C.ID), ("title", C.TITLE), ("wbs", C.PARENT), ("status", C.STATUS)):
            intake.saw(name, means)
        return t

    def _work(self, t: Ticket, f: Mapping[str, str]) -> None:
        """Effort from labour units; where there are none, from the duration, as one person's."""
        hours = {name: self.intake.minutes(f.get(name), name, t.row, "h") for name in
                 ("target_hours", "left_hours", "work", "work_left", "work_done")}  # fmt: skip
        begun = t.status == "In progress"
        if hours["work"] or (begun and hours["work_left"]):
            t.original, t.spent = hours["work"] or None, hours["work_done"] or None
            t.remaining = hours["work_left"] if begun else None
        elif hours["target_hours"] or (begun and hours["left_hours"]):
            t.original = hours["target_hours"] or None
            t.remaining = hours["left_hours"] if begun else None
        else:
            t.milestone = True
        self.intake.saw("work", C.ORIGINAL_ESTIMATE)

    def _constraint(self, t: Ticket, kind: str, text: str, row: int) -> None:
        word = fold(kind)
        if word in _NOT_BEFORE:
            t.not_before = t.not_before or self.intake.moment(text, "constraint date", row)
        elif word in _PINNED:
            t.pinned = t.pinned or self.intake.moment(text, "constraint date", row)
        elif word in _DUE:
            t.due = t.due or self.intake.when(text, "constraint date", row)
        elif word in _LOST and t.status != "Completed":
            self.lost[f"an activity has the constraint {_LOST[word]}, which a portfolio cannot hold"] += 1

    def _who(self, t: Ticket, a: Activity) -> None:
        if len(a.crew) == 1 and a.crew[0].units in (None, 1.0):
            t.assignee, t.assignee_id = a.crew[0].name, a.crew[0].account
        elif a.crew:
            t.crew = a.crew
            t.assignee, t.assignee_id = a.crew[0].name, a.crew[0].account
        t.skills = list(dict.fromkeys(a.roles))
        if a.roles and a.crew:
            self.lost["an activity needs a role beside people, whose part of the work is left out"] += 1
        for kind, value in a.codes:
            word = fold(kind)
            if _SKILL_CODES.search(word):
                t.skills = list(dict.fromkeys([*t.skills, value]))
                self.intake.saw(kind, C.SKILL, "activity code whose name says a discipline")
            elif _TEAM_CODES.search(word):
                t.group = t.group or value
                self.intake.saw(kind, C.GROUP, "activity code whose name says who is responsible")
            else:
                t.labels.append(f"{kind}: {value}" if kind else value)
                self.intake.saw(kind or "activity code", C.LABEL, "activity code")

    def _ties(self) -> dict[str, list[Tie]]:
        """Links by the activity that waits; one whose end is in no project of the file leads outside."""
        found: dict[str, list[Tie]] = defaultdict(list)
        known = {a.id for a in self.s.activities if a.project not in self.s.baselines}
        baselines = {a.id for a in self.s.activities} - known
        for link in self.s.relations:
            if {link.first, link.second} & baselines:
                continue
            type = _LINKS.get(fold(link.type))
            if type is None:
                self.lost["a relationship has a type that is not known, and is taken as finish to start"] += 1
            lag, lag_in = self._lag(link)
            self.intake.saw("relationship", C.WAITS_FOR)
            if link.second in known:
                other = self.ids.get(link.first, f"activity {link.first}")
                found[link.second].append(
                    Tie(other, False, origin="relationship", type=type or LinkType.FS, lag=lag, lag_in=lag_in)
                )
            elif link.first in known:
                other = f"activity {link.second}"
                found[link.first].append(
                    Tie(other, True, origin="relationship", type=type or LinkType.FS, lag=lag, lag_in=lag_in)
                )
            else:
                self.lost["a relationship joins two activities that are both not in the file"] += 1
        return found

    def _lag(self, link: Relation) -> tuple[str, LagKind | None]:
        text = link.lag.strip()
        negative = text.startswith("-")
        amount = self.intake.minutes(text.lstrip("+-"), "lag", link.row, "h")
        if not amount:
            return "0", None
        span = timedelta(minutes=round(amount, 4))
        units, letters = (ELAPSED, "dhm") if self.s.elapsed_lags else (WORK, "hm")
        kind = LagKind.ELAPSED if self.s.elapsed_lags else LagKind.WORKING
        return ("-" if negative else "") + format_minutes(span, units, letters), kind

    # ------------------------------------------------------------------------------------------------------- people

    def _worker(self, worker: Worker) -> Entry:
        kind = fold(worker.kind)
        if kind not in ("", "rt_labor", "labor"):
            return self.intake.reject(worker.row, "is material or equipment, which is nobody")
        if not worker.name:
            return self.intake.reject(worker.row, "has no name")
        self.intake.saw("resource", C.ASSIGNEE)
        return Resource(
            worker.name,
            worker.account,
            calendar=self._calendar(worker.calendar),
            skills=worker.skills,
            team=worker.team,
            row=worker.row,
        )

    def _calendar(self, id: str) -> str | None:
        """The key of a calendar in the portfolio, written down once."""
        if id in self.keys or id not in self.s.calendars:
            return self.keys.get(id)
        week, exceptions = resolved(id, self.s.calendars)
        calendar, lost = calendar_of(week, exceptions)
        if calendar is None:
            self.keys[id] = None
            return None
        if lost:
            self.lost["a day of a calendar has hours of its own, and keeps those of its weekday"] += lost
        name = self.s.calendars[id].name or f"calendar {id}"
        key, more = name, 2
        while key in self.intake.calendars:
            key, more = f"{name} {more}", more + 1
        self.intake.calendars[key] = calendar
        self.keys[id] = key
        return key
