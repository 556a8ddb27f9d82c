"""Primavera XER: tables of tab-separated text, ``%T`` a table, ``%F`` its fields, ``%R`` a record.

Fields are found by their names, since every version of P6 has others. Line ends within a value are written as bytes
0x7F. The text of a calendar is a tree of parentheses whose hours may be written ``s|08:00|f|17:00`` or the other way
round. User names of the first line, notes and costs are not read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from throttle.ingest.intake import Intake
from throttle.ingest.notes import refusal
from throttle.ingest.primavera import STATES, Activity, Node, Relation, Schedule, Worker, entries, tell_apart
from throttle.ingest.project_calendars import Ranges, WorkCalendar, minutes_of
from throttle.ingest.readers import DocumentReader
from throttle.ingest.records import Entry, Rejection, Share
from throttle.ingest.source import Source

_EXCEL = date(1899, 12, 30)
"""Day 0 of serial days."""
_SERIALS = range(1, 73_050)
"""1900 to 2099."""
_LEVELS = {"5": 1, "4": 1, "3": 2, "2": 3, "1": 3}
"""P6's proficiency, 1 a master and 5 a beginner, as levels of a skill."""


@dataclass
class _Record:
    row: int
    values: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


@dataclass
class _Tables:
    tables: dict[str, list[_Record]] = field(default_factory=lambda: defaultdict(list))
    ended: bool = False
    odd: list[int] = field(default_factory=list)
    """Rows of records that have no table or no fields."""


def _tables(text: str) -> _Tables:
    """Records by table; numbers count all records of the file. A line that begins no record goes on with the last."""
    found = _Tables()
    table, fields, row = "", [""], 0
    lines: list[str] = []
    for line in re.split(r"\r\n|\n|\r", text):
        if line.startswith(("%", "ERMHDR")) or not lines:
            lines.append(line)
        elif line.strip():
            lines[-1] += " " + line
    for line in lines:
        kind, _, rest = line.partition("\t")
        if kind == "%T":
            table, fields = rest.split("\t")[0].strip(), []
        elif kind == "%F":
            fields = [name.strip() for name in rest.split("\t")]
        elif kind == "%R":
            row += 1
            if not table or not fields:
                found.odd.append(row)
                continue
            values = [cell.replace("\x7f\x7f", "\n").replace("\x7f", " ") for cell in rest.split("\t")]
            found.tables[table].append(_Record(row, dict(zip(fields, values, strict=False))))
        elif kind == "%E":
            found.ended = True
    return found


# ------------------------------------------------------------------------------------------------------------ calendars


def calendar_text(text: str) -> tuple[dict[int, Ranges], dict[date, Ranges]]:
    """Week and exceptions of ``clndr_data``. Raises ValueError for a text whose parentheses do not match."""
    week: dict[int, Ranges] = {}
    exceptions: dict[date, Ranges] = {}
    root = _tree(re.sub(r"[\x7f\r\n]+", "", text))
    for section in root:
        name = section.label.rpartition("|")[2].casefold()
        for part in section.parts if name == "calendardata" else ():
            kind = part.label.rpartition("|")[2].casefold()
            if kind == "daysofweek":
                for day in part.parts:
                    number = day.label.rpartition("|")[2]
                    if number in ("1", "2", "3", "4", "5", "6", "7"):  # 1 is Sunday
                        week[(int(number) - 2) % 7] = _hours(day)
            elif kind == "exceptions":
                for exception in part.parts:
                    serial = re.search(r"\bd\|(\d+)", exception.facts)
                    if serial and int(serial[1]) in _SERIALS:
                        exceptions[_EXCEL + timedelta(days=int(serial[1]))] = _hours(exception)
    return week, exceptions


@dataclass
class _Node:
    """``(label(facts)(parts))``."""

    label: str = ""
    facts: str = ""
    parts: list[_Node] = field(default_factory=list)


def _tree(text: str) -> list[_Node]:
    """The nodes of ``(0||Name(facts)(children))``, with a stack of its own, however deep."""
    top: list[_Node] = []
    stack: list[tuple[_Node, int]] = []  # a node and how many of its two groups have begun
    at = 0
    state: list[str] = []  # what each open parenthesis is: node, facts or parts
    while at < len(text):
        char = text[at]
        if char == "(":
            if state and state[-1] == "node":
                node, groups = stack[-1]
                stack[-1] = (node, groups + 1)
                state.append("facts" if groups == 0 else "parts")
                at += 1
            else:
                end = min((p for p in (text.find("(", at + 1), text.find(")", at + 1)) if p >= 0), default=len(text))
                node = _Node(text[at + 1 : end].strip())
                (stack[-1][0].parts if stack else top).append(node)
                stack.append((node, 0))
                state.append("node")
                at = end
        elif char == ")":
            if not state:
                raise ValueError("a parenthesis closes that never opened")
            if state.pop() == "node":
                stack.pop()
            at += 1
        else:
            end = min((p for p in (text.find("(", at), text.find(")", at)) if p >= 0), default=len(text))
            if state and state[-1] == "facts":
                stack[-1][0].facts += text[at:end]
            at = end
    if state:
        raise ValueError("a parenthesis is not closed")
    return top


def _hours(day: _Node) -> Ranges:
    ranges = []
    for part in day.parts:
        pairs = dict(re.findall(r"\b([sf])\|(\d{1,2}:\d{2})", part.facts))
        if "s" in pairs and "f" in pairs:
            first, last = minutes_of(pairs["s"]), minutes_of(pairs["f"], end=True)
            if first is not None and last is not None:
                if last > first:
                    ranges.append((first, last))
                else:  # over midnight: what is after it belongs to the next day, and is rare enough to end there
                    ranges.append((first, 1440))
    return tuple(ranges)


# --------------------------------------------------------------------------------------------------------- the schedule


def _schedule(source: Source, intake: Intake) -> Schedule:
    tables = _tables(source.text)
    t = tables.tables
    if not tables.ended:
        if not source.text.endswith("\n"):
            raise refusal(
                "truncated", f"{source.file} ends within a line, so it is cut off: export it again", source.file
            )
        intake.warn("probably-truncated", "has no end mark (%E): if it was cut off, export it again")
    if not t.get("TASK"):
        raise refusal("no-rows", f"{source.file} has no activities (table TASK)", source.file)
    s = Schedule()
    s.rejected = [Rejection(source.file, row, None, "is in no table that says its fields") for row in tables.odd]
    s.projects = {r["proj_id"]: (r["proj_short_name"], "") for r in t["PROJECT"]}
    s.baselines = {r["proj_id"] for r in t["PROJECT"] if r["orig_proj_id"]}
    s.as_of = max((r["last_recalc_date"] for r in t["PROJECT"]), default="")
    s.default_calendar = next(
        (r["clndr_id"] for r in (*t["PROJECT"], *(c for c in t["CALENDAR"] if c["default_flag"] == "Y"))
         if r["clndr_id"]), "",
    )  # fmt: skip
    s.elapsed_lags = any(r["sched_calendar_on_relationship_lag"] == "rcal_24Hour" for r in t["SCHEDOPTIONS"])
    for r in t["CALENDAR"]:
        personal = r["clndr_type"] == "CA_Rsrc"  # whose name is that of the person
        own = WorkCalendar("of a resource" if personal else r["clndr_name"], r["base_clndr_id"] or None)
        try:
            own.week, own.exceptions = calendar_text(r["clndr_data"])
        except ValueError:
            s.broken.append(r.row)
            continue
        s.calendars[r["clndr_id"]] = own
    for r in t["PROJWBS"]:
        top = r["proj_node_flag"] == "Y"
        s.nodes.append(
            Node(r.row, r["wbs_id"], r["parent_wbs_id"], r["wbs_short_name"], r["wbs_name"], r["proj_id"], top)
        )
        if top and r["proj_id"] in s.projects:
            s.projects[r["proj_id"]] = (s.projects[r["proj_id"]][0], r["wbs_name"])
    roles = {r["role_id"]: r["role_name"] or r["role_short_name"] for r in t["ROLES"]}
    _workers(s, t, roles)
    tell_apart(s.workers)
    names = {w.id: w for w in s.workers}
    codes, kinds = {r["actv_code_id"]: r for r in t["ACTVCODE"]}, {r["actv_code_type_id"]: r for r in t["ACTVTYPE"]}
    coded: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for r in t["TASKACTV"]:
        value, kind = codes.get(r["actv_code_id"]), kinds.get(r["actv_code_type_id"])
        if value is not None:
            coded[r["task_id"]].append(
                (kind["actv_code_type"] if kind else "", value["actv_code_name"] or value["short_name"])
            )
    crews: dict[str, list[Share]] = defaultdict(list)
    asked: dict[str, list[str]] = defaultdict(list)
    for r in t["TASKRSRC"]:
        worker = names.get(r["rsrc_id"])
        if worker is not None and worker.kind in ("", "RT_Labor"):
            crews[r["task_id"]].append(_share(worker, r))
        elif r["role_id"] in roles and worker is None:
            asked[r["task_id"]].append(roles[r["role_id"]])
    for r in t["TASK"]:
        s.activities.append(
            Activity(
                r.row, r["task_id"], r["task_code"], r["task_name"], r["proj_id"], r["wbs_id"], r["task_type"],
                r["status_code"], dict(_fields(r)), r["clndr_id"], coded.get(r["task_id"], []),
                crews.get(r["task_id"], []), asked.get(r["task_id"], []),
            )
        )  # fmt: skip
    for r in t["TASKPRED"]:
        s.relations.append(Relation(r.row, r["pred_task_id"], r["task_id"], r["pred_type"], r["lag_hr_cnt"]))
    return s


def _share(worker: Worker, r: _Record) -> Share:
    hours = _number(r["remain_qty"]) if r["act_start_date"] else None
    hours = hours if hours is not None else _number(r["target_qty"])
    rate = _number(r["target_qty_per_hr"])
    return Share(worker.name, worker.account, min(rate, 1.0) if rate else None, hours * 60 if hours else None)


def _number(text: str) -> float | None:
    """P6 writes the decimal sign of the user's settings."""
    try:
        return float(text.replace(",", ".")) if text else None
    except ValueError:
        return None


_NAMES = {
    "target_hours": "target_drtn_hr_cnt", "left_hours": "remain_drtn_hr_cnt", "work": "target_work_qty",
    "work_left": "remain_work_qty", "work_done": "act_work_qty", "act_start": "act_start_date",
    "act_finish": "act_end_date", "created": "create_date", "constraint": "cstr_type", "constraint_date": "cstr_date",
    "constraint2": "cstr_type2", "constraint_date2": "cstr_date2", "priority": "priority_type",
}  # fmt: skip


def _fields(r: _Record) -> Iterator[tuple[str, str]]:
    for name, own in _NAMES.items():
        if r[own]:
            yield name, r[own]
    yield "start", r["target_start_date"] or r["early_start_date"]
    yield "finish", r["target_end_date"] or r["early_end_date"]


def _workers(s: Schedule, t: dict[str, list[_Record]], roles: dict[str, str]) -> None:
    """People; a resource that others are below is a group of them."""
    above = {r["parent_rsrc_id"] for r in t["RSRC"] if r["parent_rsrc_id"]}
    names = {r["rsrc_id"]: r["rsrc_name"] or r["rsrc_short_name"] for r in t["RSRC"]}
    used = {r["rsrc_id"] for r in t["TASKRSRC"]}
    held: dict[str, dict[str, int]] = defaultdict(dict)
    for r in t["RSRCROLE"]:
        if role := roles.get(r["role_id"]):
            held[r["rsrc_id"]][role] = _LEVELS.get(r["skill_level"], 1)
    for r in t["RSRC"]:
        id = r["rsrc_id"]
        if id in above and id not in used:
            s.rejected.append(Rejection("", r.row, None, "is a group of resources and no person"))
            continue
        s.workers.append(
            Worker(
                r.row,
                id,
                names[id],
                r["clndr_id"],
                r["rsrc_type"],
                held.get(id, {}),
                names.get(r["parent_rsrc_id"], ""),
            )
        )


def _certainty(source: Source) -> float:
    return 0.98 if source.kind == "xer" else 0.0


def _read(source: Source, intake: Intake) -> Iterable[Entry]:
    schedule = _schedule(source, intake)
    schedule.rejected = [Rejection(source.file, r.row, r.column, r.reason) for r in schedule.rejected]
    return entries(schedule, intake, XER)


XER = DocumentReader(
    name="primavera-xer",
    system="Primavera P6",
    certainty=_certainty,
    read=_read,
    states=STATES,
    default_type="task",
)
