"""Parts Unlimited as planning tools and the service desk's other tables would export it: all its work in one file each.

As :mod:`parts_exports_trackers`, whose work it writes: Microsoft Project XML, Primavera XER and PMXML, and tasks of
ServiceNow as CSV, as JSONv2 and as an unload in XML. A link from start to start has a lag of four hours, where the
format has lags.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

from parts_exports import OVER, sys_id
from parts_exports_trackers import DROPPED, HOURS, LINKS, PARENTS, TYPES, Form, Ids, Job
from parts_organisation import EXTERNAL, ZONE

from throttle_models import LinkType, Portfolio, Status

LAGS = "lags"
LAG_HOURS = 4
"""Of links from start to start."""
_TYPES = {LinkType.FF: 0, LinkType.FS: 1, LinkType.SF: 2, LinkType.SS: 3}
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_PRIORITIES = {"Highest": 1000, "High": 700, "Medium": 500, "Low": 300, "Lowest": 100}


def _local(moment: datetime | None, form: str = "%Y-%m-%dT%H:%M:%S") -> str:
    return moment.astimezone(ZoneInfo(ZONE)).strftime(form) if moment else ""


def _lag(type_: LinkType) -> int:
    return LAG_HOURS if type_ is LinkType.SS else 0


def _people(work: Sequence[Job]) -> dict[str, int]:
    return {who: at for at, who in enumerate(dict.fromkeys(job.who for job in work if job.who), 1)}


def _tag(name: str, value: object) -> str:
    return f"<{name}>{escape(str(value))}</{name}>" if value != "" and value is not None else ""


# --------------------------------------------------------------------------------------------- Microsoft Project


def mspdi(work: Sequence[Job], ids: Ids) -> bytes:
    """As Project 2019 saves it: local times, work in hours, links on the task that waits, and a task for the whole."""
    parents = {job.parent for job in work if job.parent}
    order: list[tuple[int, Job]] = []
    below: dict[str | None, list[Job]] = {}
    for job in work:
        below.setdefault(job.parent, []).append(job)
    stack = [(1, job) for job in reversed(below[None])]
    while stack:
        level, job = stack.pop()
        order.append((level, job))
        stack += [(level + 1, part) for part in reversed(below.get(job.key, []))]
    people = _people(work)
    lines = [
        _HEAD + '<Project xmlns="http://schemas.microsoft.com/project">',
        "<SaveVersion>14</SaveVersion><Name>parts-unlimited.mpp</Name><Title>Parts Unlimited</Title>"
        "<ScheduleFromStart>1</ScheduleFromStart><CurrencyCode>USD</CurrencyCode><CalendarUID>1</CalendarUID>"
        "<MinutesPerDay>480</MinutesPerDay><MinutesPerWeek>2400</MinutesPerWeek>"
        "<CurrentDate>2026-11-23T08:00:00</CurrentDate>",
        "<Calendars><Calendar><UID>1</UID><Name>Standard</Name><IsBaseCalendar>1</IsBaseCalendar>"
        "<BaseCalendarUID>0</BaseCalendarUID><WeekDays>",
    ]
    times = "".join(
        f"<WorkingTime><FromTime>{a}:00:00</FromTime><ToTime>{b}:00:00</ToTime></WorkingTime>"
        for a, b in (("08", "12"), ("13", "17"))
    )
    for day in range(1, 8):
        working = 2 <= day <= 6
        hours = f"<WorkingTimes>{times}</WorkingTimes>" if working else ""
        lines.append(f"<WeekDay><DayType>{day}</DayType><DayWorking>{working:d}</DayWorking>{hours}</WeekDay>")
    lines.append("</WeekDays></Calendar></Calendars><Tasks>")
    lines.append(
        "<Task><UID>0</UID><ID>0</ID><Name>Parts Unlimited</Name><OutlineLevel>0</OutlineLevel>"
        "<Summary>1</Summary></Task>"
    )
    for row, (level, job) in enumerate(order, 1):
        hours = job.original or 0
        done = 100 if job.status is Status.DONE else 0
        left = job.left if job.left is not None else hours
        started = job.started if job.status in (Status.DONE, Status.IN_PROGRESS) else None
        lines.append(
            "<Task>"
            + _tag("UID", ids[job.key])
            + _tag("ID", row)
            + _tag("Name", job.title)
            + _tag("Active", int(job.status is not Status.CANCELLED))
            + "<Manual>0</Manual><Type>0</Type><IsNull>0</IsNull>"
            + _tag("CreateDate", _local(job.created))
            + _tag("OutlineLevel", level)
            + _tag("Priority", _PRIORITIES[job.priority])
            + _tag(
                "Duration",
                f"PT{hours:g}H0M0S" if float(hours).is_integer() else f"PT{int(hours)}H{round(hours % 1 * 60)}M0S",
            )
            + "<DurationFormat>7</DurationFormat>"
            + _tag("Work", _hours(hours))
            + _tag("Milestone", int(not hours and job.key not in parents))
            + _tag("Summary", int(job.key in parents))
            + _tag("PercentComplete", done)
            + _tag("ActualStart", _local(started))
            + _tag("ActualFinish", _local(job.finished) if done else "")
            + _tag("ActualWork", _hours(job.spent or 0))
            + _tag("RemainingWork", _hours(0 if done else left))
            + "<ConstraintType>0</ConstraintType><CalendarUID>-1</CalendarUID>"
            + "".join(
                "<PredecessorLink>"
                + (_tag("PredecessorUID", ids[other]) if other not in EXTERNAL else "")
                + _tag("Type", _TYPES[type_])
                + (f"<CrossProject>1</CrossProject>{_tag('CrossProjectName', ids[other])}" if other in EXTERNAL else "")
                + _tag("LinkLag", _lag(type_) * 600)
                + "<LagFormat>5</LagFormat></PredecessorLink>"
                for other, type_ in job.waits_for
            )
            + "</Task>"
        )
    lines.append("</Tasks><Resources>")
    lines.append("<Resource><UID>0</UID><ID>0</ID><Type>1</Type><IsNull>0</IsNull></Resource>")
    for who, at in people.items():
        lines.append(
            f"<Resource><UID>{at}</UID><ID>{at}</ID>{_tag('Name', who)}<Type>1</Type>"
            "<CalendarUID>1</CalendarUID></Resource>"
        )
    lines.append("</Resources><Assignments>")
    for number, job in enumerate((j for j in work if j.original), 1):
        lines.append(
            f"<Assignment><UID>{number}</UID>{_tag('TaskUID', ids[job.key])}"
            f"<ResourceUID>{people[job.who] if job.who else -65535}</ResourceUID><Units>1</Units>"
            f"{_tag('Work', _hours(job.original or 0))}</Assignment>"
        )
    return ("\n".join(lines) + "</Assignments></Project>\n").encode()


def _hours(hours: float) -> str:
    minutes = round(hours * 60)
    return f"PT{minutes // 60}H{minutes % 60}M0S"


# ------------------------------------------------------------------------------------------------------ Primavera

_STATES = {Status.IN_PROGRESS: ("TK_Active", "In Progress"), Status.DONE: ("TK_Complete", "Completed"),
           Status.CANCELLED: ("TK_Complete", "Completed")}  # fmt: skip
_NOT_BEGUN = ("TK_NotStart", "Not Started")
_LINKS = {
    LinkType.FS: ("PR_FS", "Finish to Start"), LinkType.SS: ("PR_SS", "Start to Start"),
    LinkType.FF: ("PR_FF", "Finish to Finish"), LinkType.SF: ("PR_SF", "Start to Finish"),
}  # fmt: skip
_WEEK = "".join(f"(0||{day}()((0||0(f|12:00|s|08:00)())(0||1(s|13:00|f|17:00)())))" for day in range(2, 7))
_CALENDAR = f"(0||CalendarData()((0||DaysOfWeek()((0||1()()){_WEEK}(0||7()())))(0||Exceptions()())))"


def xer(work: Sequence[Job], ids: Ids) -> bytes:
    """As P6 writes it: Windows-1252, CRLF, 0x7F for ends of lines in a text; containers as WBS summaries."""
    parents = {job.parent for job in work if job.parent}
    people = _people(work)
    text = io.StringIO(newline="")

    def table(name: str, fields: str, rows: list[list[object]]) -> None:
        text.write(f"%T\t{name}\r\n%F\t" + fields.replace(" ", "\t") + "\r\n")
        for row in rows:
            text.write("%R\t" + "\t".join(str(cell).replace("\t", " ") for cell in row) + "\r\n")

    text.write("ERMHDR\t19.12\t2026-11-23\tProject\tadmin\tadmin\tdb\tProject Management\tUSD\r\n")
    table("PROJECT", "proj_id proj_short_name last_recalc_date clndr_id", [[1, "PU", "2026-11-23 08:00", 10]])
    table("CALENDAR", "clndr_id clndr_name base_clndr_id clndr_data",
          [[10, "Five days", "", _CALENDAR.replace("(0||Exc", "\x7f\x7f  (0||Exc")]])  # fmt: skip
    table("PROJWBS", "wbs_id proj_id parent_wbs_id proj_node_flag wbs_short_name wbs_name",
          [[100, 1, "", "Y", "PU", "Parts Unlimited"]])  # fmt: skip
    table("RSRC", "rsrc_id parent_rsrc_id clndr_id rsrc_type rsrc_name",
          [[200 + at, "", 10, "RT_Labor", who] for who, at in people.items()])  # fmt: skip
    rows: list[list[object]] = []
    for job in work:
        state = _STATES.get(job.status, _NOT_BEGUN)[0]
        kind = "TT_WBS" if job.key in parents else "TT_Task" if job.original else "TT_FinMile"
        hours = job.original or 0
        over = job.status in OVER
        left = 0 if over else job.left if job.left is not None else hours
        rows.append(
            [1000 + job.at, 1, 100, 10, kind, state, ids[job.key], job.title, f"{hours:g}", f"{left:g}", 0, 0, 0,
             _local(job.started if state != "TK_NotStart" else None, "%Y-%m-%d %H:%M"),
             _local((job.finished or job.updated) if over else None, "%Y-%m-%d %H:%M"),
             _local(job.created, "%Y-%m-%d %H:%M")]
        )  # fmt: skip
    table(
        "TASK",
        "task_id proj_id wbs_id clndr_id task_type status_code task_code task_name target_drtn_hr_cnt "
        "remain_drtn_hr_cnt target_work_qty remain_work_qty act_work_qty act_start_date act_end_date create_date",
        rows,
    )
    number = {job.key: 1000 + job.at for job in work} | {key: _outside(key) for key in EXTERNAL}
    links = [
        (number[job.key], number[other], other in EXTERNAL, type_) for job in work for other, type_ in job.waits_for
    ]
    table("TASKPRED", "task_pred_id task_id pred_task_id proj_id pred_proj_id pred_type lag_hr_cnt",
          [[at, second, first, 1, 9 if out else 1, _LINKS[type_][0], _lag(type_)]
           for at, (second, first, out, type_) in enumerate(links, 1)])  # fmt: skip
    table("TASKRSRC", "task_id rsrc_id role_id target_qty remain_qty target_qty_per_hr",
          [[1000 + job.at, 200 + people[job.who], "", f"{job.original:g}", f"{job.original:g}", 1]
           for job in work if job.who and job.original])  # fmt: skip
    text.write("%E\r\n")
    return text.getvalue().encode("cp1252", errors="replace")


def _outside(key: str) -> int:
    return 900_000 + int("".join(c for c in key if c.isdigit()))


def pmxml(work: Sequence[Job], ids: Ids) -> bytes:
    """The same in P6's XML."""
    parents = {job.parent for job in work if job.parent}
    people = _people(work)
    lines = [_HEAD + '<APIBusinessObjects xmlns="http://xmlns.oracle.com/Primavera/P6/V19.12/API/BusinessObjects">']
    week = "".join(
        f"<StandardWorkHours><DayOfWeek>{day}</DayOfWeek><WorkTime><Start>08:00:00</Start><Finish>11:59:00</Finish>"
        "</WorkTime><WorkTime><Start>13:00:00</Start><Finish>16:59:00</Finish></WorkTime></StandardWorkHours>"
        for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
    )
    lines.append(
        f"<Calendar><ObjectId>10</ObjectId><Name>Five days</Name><StandardWorkWeek>{week}</StandardWorkWeek></Calendar>"
    )
    for who, at in people.items():
        lines.append(
            f"<Resource><ObjectId>{200 + at}</ObjectId>{_tag('Name', who)}<CalendarObjectId>10</CalendarObjectId>"
            "<ResourceType>Labor</ResourceType></Resource>"
        )
    lines.append(
        "<Project><ObjectId>1</ObjectId><Id>PU</Id><Name>Parts Unlimited</Name><DataDate>2026-11-23T08:00:00</DataDate>"
    )
    number = {job.key: 1000 + job.at for job in work} | {key: _outside(key) for key in EXTERNAL}
    for job in work:
        over = job.status in OVER
        kind = "WBS Summary" if job.key in parents else "Task Dependent" if job.original else "Finish Milestone"
        state = _STATES.get(job.status, _NOT_BEGUN)[1]
        hours = job.original or 0
        left = 0 if over else job.left if job.left is not None else hours
        lines.append(
            "<Activity>"
            + _tag("ObjectId", number[job.key])
            + _tag("ProjectObjectId", 1)
            + _tag("Id", ids[job.key])
            + _tag("Name", job.title)
            + _tag("Type", kind)
            + _tag("Status", state)
            + _tag("PlannedDuration", f"{hours:g}")
            + _tag("RemainingDuration", f"{left:g}")
            + _tag("ActualStartDate", _local(job.started if state != "Not Started" else None))
            + _tag("ActualFinishDate", _local((job.finished or job.updated) if over else None))
            + _tag("CreateDate", _local(job.created))
            + "</Activity>"
        )
    for job in work:
        for other, type_ in job.waits_for:
            lines.append(
                "<Relationship>"
                + _tag("PredecessorActivityObjectId", number[other])
                + _tag("SuccessorActivityObjectId", number[job.key])
                + _tag("Type", _LINKS[type_][1])
                + _tag("Lag", _lag(type_))
                + "</Relationship>"
            )
        if job.who and job.original:
            lines.append(
                f"<ResourceAssignment><ActivityObjectId>{number[job.key]}</ActivityObjectId>"
                f"<ResourceObjectId>{200 + people[job.who]}</ResourceObjectId>"
                f"<PlannedUnits>{job.original:g}</PlannedUnits><PlannedUnitsPerTime>1</PlannedUnitsPerTime></ResourceAssignment>"
            )
    return ("\n".join(lines) + "</Project></APIBusinessObjects>\n").encode()


# ----------------------------------------------------------------------------------------------------- ServiceNow

_RAW = {
    "incident": {Status.OPEN: "1", Status.IN_PROGRESS: "2", Status.DONE: "7", Status.CANCELLED: "8"},
    "change_request": {Status.OPEN: "-5", Status.IN_PROGRESS: "-1", Status.DONE: "3", Status.CANCELLED: "4"},
    "rm_story": {Status.OPEN: "1", Status.IN_PROGRESS: "2", Status.DONE: "3", Status.CANCELLED: "4"},
}
_SHOWN = {
    "incident": {"1": "New", "2": "In Progress", "7": "Closed", "8": "Canceled"},
    "change_request": {"-5": "New", "-1": "Implement", "3": "Closed", "4": "Canceled"},
    "rm_story": {"1": "Ready", "2": "Work in Progress", "3": "Complete", "4": "Cancelled"},
}
_CLASSES = {"incident": "Incident", "change_request": "Change Request", "rm_story": "Story"}
SERVICENOW_MAP = {"columns": {"servicenow-task": {"u_waits_for": "waits_for"}}}
_FIELDS = ("number", "sys_class_name", "short_description", "state", "parent", "priority", "assigned_to",
           "planned_effort", "u_waits_for", "opened_at", "work_start", "closed_at", "sys_updated_on", "active",
           "sys_id")  # fmt: skip


def _table(job: Job) -> str:
    if job.kind == "Change":
        return "change_request"
    return "incident" if job.kind in ("Bug", "Incident", "Support") else "rm_story"


def service_number(job: Job) -> str:
    """Its number at the service desk."""
    return {"incident": "INC", "change_request": "CHG", "rm_story": "STRY"}[_table(job)] + f"{30_000 + job.at:07d}"


def _records(work: Sequence[Job], ids: Ids) -> list[dict[str, str]]:
    """Raw records: UTC, references by number, an effort as a moment after 1970."""
    by_key = {job.key: job for job in work}
    records = []
    for job in work:
        seconds = round((job.original or 0) * 3600)
        effort = f"1970-01-{1 + seconds // 86400:02d} {seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:00"
        over = job.status in OVER
        records.append(
            {
                "number": ids[job.key],
                "sys_class_name": _table(job),
                "short_description": job.title,
                "state": _RAW[_table(job)][job.status],
                "parent": ids[by_key[job.parent].key] if job.parent else "",
                "priority": str(["Highest", "High", "Medium", "Low", "Lowest"].index(job.priority) + 1),
                "assigned_to": job.who or "",
                "planned_effort": effort if seconds else "",
                "u_waits_for": ",".join(ids[other] for other, type_ in job.waits_for if type_ is LinkType.FS),
                "opened_at": f"{job.created:%Y-%m-%d %H:%M:%S}",
                "work_start": f"{job.started:%Y-%m-%d %H:%M:%S}" if job.started else "",
                "closed_at": f"{job.finished or job.updated:%Y-%m-%d %H:%M:%S}" if over else "",
                "sys_updated_on": f"{job.updated:%Y-%m-%d %H:%M:%S}",
                "active": "false" if over else "true",
                "sys_id": sys_id(job.key),
            }
        )
    return records


def servicenow_jsonv2(work: Sequence[Job], ids: Ids) -> bytes:
    """The old interface: raw values and a word on how each record went."""
    records = [record | {"__status": "success"} for record in _records(work, ids)]
    return (json.dumps({"records": records}, ensure_ascii=False) + "\n").encode()


def servicenow_unload(work: Sequence[Job], ids: Ids) -> bytes:
    """An unload in XML: a record of its table each, references with what they show, and journals between them."""
    lines = [_HEAD + '<unload unload_date="2026-11-23 14:00:00">']
    for record in _records(work, ids):
        table = record["sys_class_name"]
        fields = "".join(
            f"<{name} display_value={quoteattr(value)}>{sys_id(value)}</{name}>"
            if name in ("parent", "assigned_to") and value
            else f"<{name}>{escape(value)}</{name}>"
            for name, value in record.items()
        )
        lines.append(f'<{table} action="INSERT_OR_UPDATE">{fields}</{table}>')
        lines.append(f'<sys_journal_field action="INSERT_OR_UPDATE"><element_id>{record["sys_id"]}</element_id>'
                     "<value>Asked Brent; he will look at it</value></sys_journal_field>")  # fmt: skip
    return ("\n".join(lines) + "\n</unload>\n").encode()


def servicenow_csv(work: Sequence[Job], ids: Ids) -> bytes:
    """A list of table task: display values, every cell quoted, Windows-1252, local dates with the month first."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    fields = [name for name in _FIELDS if name != "sys_id"]
    writer.writerow(fields)
    words = ["1 - Critical", "2 - High", "3 - Moderate", "4 - Low", "5 - Planning"]
    for job, record in zip(work, _records(work, ids), strict=True):
        table = record["sys_class_name"]
        moments = {"opened_at": job.created, "work_start": job.started, "sys_updated_on": job.updated,
                   "closed_at": (job.finished or job.updated) if job.status in OVER else None}  # fmt: skip
        shown = record | {name: _local(moment, "%m-%d-%Y %H:%M:%S") for name, moment in moments.items()}
        shown |= {
            "sys_class_name": _CLASSES[table],
            "state": _SHOWN[table][record["state"]],
            "priority": words[int(record["priority"]) - 1],
            "planned_effort": str(round((job.original or 0) * 3600)) if job.original else "",
        }
        writer.writerow([shown[name] for name in fields])
    return text.getvalue().encode("cp1252", errors="replace")


# ---------------------------------------------------------------------------------------------------------- table


def _at(job: Job) -> str:
    return str(job.at)


def _key(job: Job) -> str:
    return job.key


def _same(key: str) -> str:
    return key


def _activity(key: str) -> str:
    return f"activity {_outside(key)}"


def _vendor(key: str) -> str:
    return f"VENDOR{int(''.join(c for c in key if c.isdigit())):07d}"


_PLAN = frozenset({LINKS, TYPES, LAGS, HOURS})
_DESK = frozenset({LINKS, PARENTS, HOURS, DROPPED})
FORMS: tuple[Form, ...] = (
    Form("project.xml", "ms-project-xml", mspdi, _at, _same, _PLAN | {PARENTS, DROPPED}),
    Form("primavera.xer", "primavera-xer", xer, _key, _activity, _PLAN),
    Form("primavera.xml", "primavera-xml", pmxml, _key, _activity, _PLAN),
    Form("servicenow-task.csv", "servicenow-task", servicenow_csv, service_number, _vendor, _DESK, SERVICENOW_MAP),
    Form(
        "servicenow-jsonv2.json", "servicenow-task", servicenow_jsonv2, service_number, _vendor, _DESK, SERVICENOW_MAP
    ),
    Form("servicenow-unload.xml", "servicenow-task", servicenow_unload, service_number, _vendor, _DESK, SERVICENOW_MAP),
)
"""Every format that is written here, and what it can carry."""


def planner_files(portfolio: Portfolio, seed: int = 1) -> dict[str, bytes]:
    """File name to content, of every form."""
    from parts_exports_trackers import jobs

    work = jobs(portfolio, seed)
    return {form.name: form.write(work, form.ids(work)) for form in FORMS}
