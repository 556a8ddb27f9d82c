"""ServiceNow tables of tasks: incident, problem, requests, catalogue tasks, change tasks, and lists of several of them.

CSV and Excel with field names or labels, Table API JSON (raw, display, all), JSONv2, XML unload and list. An event log
(a row for each update of a record) is folded: its last row counts, the earlier ones are history. Field names, raw and
displayed values of incidents were seen in real exports, the other tables are built from the documented shape.
"""

from __future__ import annotations

import re

from throttle.ingest.readers import Reader, Use, known
from throttle.ingest.servicenow import HEADERS, TABLES, aliases, prefix_of, table_of_record, xml_table, xml_tables
from throttle.ingest.source import Source
from throttle.ingest.tables import Table
from throttle.ingest.values import fold
from throttle.ingest.words import table
from throttle_models import Column, Status

C = Column

_STATE_FIELDS = "state, incident_state, problem_state, incident state, problem state, status, estado, etat"
_HEADERS = HEADERS | {
    C.STATUS: _STATE_FIELDS,
    C.TYPE: "throttle: table",
    C.PARENT: """request_item, request item, parent, request, parent_incident, parent incident, epic, story, padre,
        ubergeordnet""",
    C.STARTED: "work_start, actual start, actual start date, started",
    C.FINISHED: """work_end, resolved_at, resolved, closed_at, closed, actual end, actual end date, cerrado,
        geschlossen, ferme le""",
    C.LABEL: "category, subcategory",
    C.RESOLUTION: "close_code, close code, closure code, resolution code",
    C.PLANNED_START: "expected_start, expected start, start_date, planned start date",
    C.PLANNED_END: "end_date, planned end date",
    C.ORIGINAL_ESTIMATE: "planned_effort, planned effort, planned_hours, planned hours, effort",
    C.REMAINING_ESTIMATE: "remaining_effort, remaining effort, remaining_hours, remaining hours",
    C.TIME_SPENT: "time_worked, time worked, actual_effort, actual effort, actual_hours, actual hours",
    C.SKILL: "skills",
    C.POINTS: "story_points, story points, points",
    C.VERSION: "sys_mod_count, updates",
}
del _HEADERS[C.KIND_OF_RECORD]
_KNOWN = aliases(_HEADERS)
_CLASS = aliases({C.KIND_OF_RECORD: HEADERS[C.KIND_OF_RECORD]})
_STATES = aliases({C.STATUS: _STATE_FIELDS})

_LABELS = {
    "incident": "1 New, 2 In Progress, 3 On Hold, 4 Awaiting User Info, 5 Awaiting Evidence, 6 Resolved, 7 Closed, "
    "8 Canceled",
    "problem": "1 Open, 2 Known Error, 3 Pending Change, 4 Closed, 101 New, 102 Assess, 103 Root Cause Analysis, "
    "104 Fix in Progress, 106 Resolved, 107 Closed",
    "problem_task": "151 New, 152 Assess, 154 Work in Progress, 157 Closed",
    "change_request": "-5 New, -4 Assess, -3 Authorize, -2 Scheduled, -1 Implement, 0 Review, 3 Closed, 4 Canceled",
    "change_task": "-5 Pending, 1 Open, 2 In Progress, 3 Closed, 4 Canceled",
    "rm_story": "-6 Draft, 1 Ready, 2 Work in Progress, 3 Complete, 4 Cancelled, -7 Ready for Testing, -8 Testing",
    "rm_defect": "-6 Draft, 1 Ready, 2 Work in Progress, 3 Complete, 4 Cancelled, -7 Ready for Testing, -8 Testing",
    "sn_customerservice_case": "1 New, 10 Open, 18 Awaiting Info, 6 Resolved, 3 Closed, 7 Cancelled",
}
_TASK = "-5 Pending, 1 Open, 2 Work in Progress, 3 Closed Complete, 4 Closed Incomplete, 7 Closed Skipped"
_WORDS = {
    name: dict(pair.strip().split(" ", 1) for pair in _LABELS.get(name, _TASK).split(",")) for name in TABLES
}  # fmt: skip
"""Raw state to its label, by table: 3 is on hold of an incident and closed of a task."""

_LIKELY = ("INC", "PRB", "RITM", "REQ", "SCTASK", "CTASK", "PTASK", "STASK")


def _open(source: Source) -> Table | None:
    """The rows with states as words, and the table of each in a column of its own."""
    held = xml_tables(source)
    if held in ({"change_request"}, {"cmdb_ci_outage"}):
        return None
    opened = xml_table(source, frozenset(TABLES) - {"cmdb_ci_outage"}) if held else source.table
    if opened is None:
        return None
    names = [fold(header) for header in opened.header]
    ids = [i for i, name in enumerate(names) if _KNOWN.get(name, (None,))[0] is C.ID]
    if not ids:
        return None
    classes = [i for i, name in enumerate(names) if name in _CLASS]
    states = [i for i, name in enumerate(names) if name in _STATES]
    number, width = ids[0], len(names)

    def change(row: list[str]) -> list[str]:
        if len(row) < width:
            return row
        kind = table_of_record(row[classes[0]] if classes else "", row[number])
        words = _WORDS.get(kind, {})
        row = row[:width] + row[width:]
        for i in states:
            row[i] = words.get(row[i].strip(), row[i])
        label = TABLES[kind][0] if kind else row[classes[0]] if classes else ""
        return [*row[:width], label, *row[width:]]

    return opened.changed([*opened.header, "throttle: table"], change)


def _propose(opened: Table) -> list[Use]:
    tasks = {prefix_of(cell) for use in _ids(opened) for cell in opened.column(use)}
    uses = []
    for i, header in enumerate(opened.header):
        name = fold(header)
        if name in ("change_request", "change request"):
            if "CTASK" in tasks:  # of an incident it is what repairs it, or what caused it
                uses.append(known(i, header, C.PARENT, "field or label known", preference=0))
        elif found := _KNOWN.get(name):
            means, place = found
            unit = "h" if name.endswith("hours") else None
            uses.append(known(i, header, means, "field or label known", preference=place, unit=unit))
        elif name in _CLASS:
            uses.append(known(i, header, C.KIND_OF_RECORD, "field or label known"))
    return uses


def _ids(opened: Table) -> list[int]:
    return [i for i, header in enumerate(opened.header) if _KNOWN.get(fold(header), (None,))[0] is C.ID]


def _certainty(opened: Table, uses: list[Use]) -> float:
    means = {use.meaning.means for use in uses}
    numbers = [cell.strip() for use in uses if use.meaning.means is C.ID for cell in opened.column(use.index)]
    if not numbers or any(re.search(r"-\d", number) for number in numbers):
        return 0.0
    kinds = {cell for use in uses if use.meaning.means is C.TYPE for cell in opened.column(use.index)}
    kinds &= {label for label, _ in TABLES.values()}
    if kinds in ({"Change Request"}, {"Outage"}):
        return 0.0
    if kinds & {"Change Request"}:
        return 0.97  # a list of several tables, before the reader of changes alone
    share = sum(prefix_of(number) in _LIKELY for number in numbers) / len(numbers)
    if share > 0.5 and len(means) > 3:
        return 0.9
    classes = any(use.meaning.means is C.KIND_OF_RECORD for use in uses)
    return 0.85 if kinds and len(means) > 4 and (classes or share > 0) else 0.0


SERVICENOW_TASK = Reader(
    name="servicenow-task",
    system="ServiceNow",
    open=_open,
    propose=_propose,
    certainty=_certainty,
    id_pattern=re.compile(r"[^\W\d_]*\d{3,}|[^\W_]+[-_ ]?\d+"),
    id_is="a number such as INC0010001",
    states=table(
        {
            Status.OPEN: """new, open, pending, on hold, assess, authorize, scheduled, awaiting user info,
                awaiting evidence, awaiting vendor, awaiting problem, awaiting info, awaiting change, pending change,
                known error, draft, ready, requested""",
            Status.IN_PROGRESS: """in progress, active, work in progress, root cause analysis, fix in progress,
                implement, review, testing, ready for testing""",
            Status.DONE: """resolved, closed, closed complete, closed incomplete, complete""",
            Status.CANCELLED: "canceled, cancelled, closed skipped, request cancelled",
        }
    ),
    review_states=frozenset({"review"}),
    authorised_states=frozenset({"scheduled", "implement", "review", "closed"}),
)
