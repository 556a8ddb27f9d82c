"""ServiceNow tables of tasks: raw states by table, event logs, unloads in XML, lists of several tables, outages."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import openpyxl
import pytest

from throttle.ingest import ReadOptions, read_exports
from throttle_models import Status, WorkType


def csv_bytes(header: Sequence[str], *rows: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode()


BASE = {
    "sys_id": "a" * 32,
    "short_description": "Mail is slow",
    "priority": "2",
    "assignment_group": {"display_value": "Network", "link": "https://example.invalid/1"},
    "assigned_to": {"display_value": "Ann Lee", "link": "https://example.invalid/2"},
    "opened_at": "2026-11-01 10:00:00",
    "sys_updated_on": "2026-11-02 10:00:00",
    "active": "true",
}


def record(number: str, state: str, **more: Any) -> dict[str, Any]:
    return BASE | {"number": number, "state": state, "sys_id": number.ljust(32, "0")} | more


@pytest.mark.parametrize(
    ("number", "state", "status", "type"),
    [
        ("INC0000001", "1", Status.OPEN, WorkType.UNPLANNED),
        ("INC0000001", "2", Status.IN_PROGRESS, WorkType.UNPLANNED),
        ("INC0000001", "3", Status.OPEN, WorkType.UNPLANNED),
        ("INC0000001", "6", Status.DONE, WorkType.UNPLANNED),
        ("INC0000001", "8", Status.CANCELLED, WorkType.UNPLANNED),
        ("PRB0000001", "103", Status.IN_PROGRESS, WorkType.UNPLANNED),
        ("PRB0000001", "107", Status.DONE, WorkType.UNPLANNED),
        ("SCTASK0000001", "3", Status.DONE, WorkType.UNPLANNED),
        ("SCTASK0000001", "-5", Status.OPEN, WorkType.UNPLANNED),
        ("RITM0000001", "7", Status.CANCELLED, WorkType.UNPLANNED),
        ("CTASK0000001", "2", Status.IN_PROGRESS, WorkType.INTERNAL),
    ],
)
def test_the_same_raw_state_means_what_it_means_in_its_table(
    desk: Any, number: str, state: str, status: Status, type: WorkType
) -> None:
    item = desk.read({"result": [record(number, state)]}, name="x.json").portfolio.work[number]
    assert (item.status, item.type) == (status, type)
    assert item.title == "Mail is slow"


def test_a_class_counts_before_a_number_and_words_as_raw_values_do(desk: Any) -> None:
    rows = [
        record("T100001", "3", sys_class_name="incident"),
        record("T100002", "Closed Complete", sys_class_name="Catalog Task"),
        record("T100003", "-1", sys_class_name="change_request", type="normal"),
    ]
    work = desk.read(rows, name="x.json").portfolio.work
    assert [(w.type, w.status) for w in work.values()] == [
        (WorkType.UNPLANNED, Status.OPEN),
        (WorkType.UNPLANNED, Status.DONE),
        (WorkType.CHANGE, Status.IN_PROGRESS),
    ]
    assert work["T100001"].raw_status == "On Hold"


def test_requests_contain_items_and_items_tasks(desk: Any) -> None:
    rows = [
        record("REQ0000001", "1"),
        record("RITM0000001", "1", request={"display_value": "REQ0000001", "link": "https://example.invalid/3"}),
        record(
            "SCTASK0000001", "1", request_item={"display_value": "RITM0000001", "link": "https://example.invalid/4"}
        ),
    ]
    work = desk.read({"records": rows}, name="x.json").portfolio.work
    assert [w.parent for w in work.values()] == [None, "REQ0000001", "RITM0000001"]
    assert [bool(w.needs) for w in work.values()] == [False, False, True]


def test_the_change_of_an_incident_is_not_its_parent_but_that_of_a_task_is(desk: Any) -> None:
    change = {"display_value": "CHG0000001", "link": "https://example.invalid/5"}
    incident = desk.read([record("INC0000001", "1", change_request=change)], name="x.json")
    assert incident.portfolio.work["INC0000001"].parent is None
    assert not [f for f in incident.report.findings if f.code == "parent-not-in-file"]
    task = desk.read([record("CTASK0000001", "1", change_request=change)], name="x.json")
    assert [f.code for f in task.report.findings if f.code == "parent-not-in-file"] == ["parent-not-in-file"]


LOG = csv_bytes(
    [
        "number",
        "incident_state",
        "active",
        "sys_mod_count",
        "opened_at",
        "sys_updated_at",
        "assigned_to",
        "resolved_at",
    ],
    ["INC0000045", "New", "TRUE", "0", "29-02-2016 01:16", "29-02-2016 01:23", "?", "29-02-2016 11:29"],
    ["INC0000045", "Active", "TRUE", "3", "29-02-2016 01:16", "29-02-2016 11:29", "Resolver 12", "29-02-2016 11:29"],
    ["INC0000045", "Closed", "FALSE", "4", "29-02-2016 01:16", "05-03-2016 12:00", "Resolver 12", "29-02-2016 11:29"],
    ["INC0000047", "New", "TRUE", "0", "29-02-2016 04:40", "29-02-2016 04:57", "?", "?"],
)


def test_an_event_log_is_folded_and_its_last_row_counts(desk: Any) -> None:
    ingested = desk.read(LOG)
    report = ingested.report
    assert (report.rows_read, report.imported, report.merged, report.rejected) == (4, 2, 2, 0)
    assert report.files[0].dates["opened_at"] == "dd-MM-yyyy HH:mm"
    closed, fresh = ingested.portfolio.work.values()
    assert (closed.status, str(closed.finished)) == (Status.DONE, "2016-02-29T11:29Z")
    assert fresh.status is Status.OPEN
    assert fresh.needs[0].who == ()


UNLOAD = """<?xml version="1.0" encoding="UTF-8"?>
<unload unload_date="2026-11-20 10:00:00">
<incident action="INSERT_OR_UPDATE">
<active>true</active><number>INC0000001</number><state>2</state><short_description>Mail &amp; more</short_description>
<assigned_to display_value="Ann Lee">0123456789abcdef0123456789abcdef</assigned_to>
<opened_at>2026-11-01 10:00:00</opened_at><sys_updated_on>2026-11-02 10:00:00</sys_updated_on>
<calendar_duration>1970-01-02 00:20:02</calendar_duration><sys_id>00000000000000000000000000000001</sys_id>
</incident>
<sys_journal_field action="INSERT_OR_UPDATE"><value>secret words</value></sys_journal_field>
<incident action="DELETE"><number>INC0000002</number></incident>
<problem action="INSERT_OR_UPDATE">
<number>PRB0000001</number><state>101</state><short_description>Why</short_description>
<sys_updated_on>2026-11-02 10:00:00</sys_updated_on><opened_at>2026-11-01 10:00:00</opened_at>
</problem>
<cmdb_ci_server action="INSERT_OR_UPDATE"><name>host</name></cmdb_ci_server>
</unload>
"""


def test_an_unload_in_xml_has_all_its_task_tables_and_accounts_for_the_rest(desk: Any) -> None:
    ingested = desk.read(UNLOAD, name="unload.xml", zone="America/Chicago")
    report = ingested.report
    assert (report.rows_read, report.imported, report.rejected) == (3, 2, 1)
    assert report.rejections[0].reason == "is marked as deleted"
    incident = ingested.portfolio.work["INC0000001"]
    assert (incident.title, incident.status) == ("Mail & more", Status.IN_PROGRESS)
    assert str(incident.created) == "2026-11-01T10:00Z"  # unloads are in UTC, whatever the zone
    assert next(iter(ingested.portfolio.people.values())).name == "Ann Lee"
    assert [f.message for f in report.findings if f.code == "other-tables"] == [
        "unload.xml also holds 1 records of table cmdb_ci_server, which is not read here"
    ]
    assert "secret" not in report.model_dump_json()


def test_lists_in_xml_and_answers_of_the_table_api(desk: Any) -> None:
    rows = "".join(
        f"<{{0}}><number>CHG000000{n}</number><state>-2</state><type>standard</type><risk>4</risk>"
        f"<start_date>2026-11-2{n} 22:00:00</start_date><end_date>2026-11-2{n} 23:00:00</end_date>"
        "<assigned_to><display_value>Ann Lee</display_value><link>https://example.invalid</link></assigned_to></{0}>"
        for n in (1, 2)
    )
    for text in (f"<xml>{rows.format('change_request')}</xml>", f"<response>{rows.format('result')}</response>"):
        ingested = desk.read('<?xml version="1.0"?>' + text, name="list.xml")
        assert ingested.report.files[0].reader == "servicenow-change"
        assert ingested.report.planned_windows == 2
        assert ingested.portfolio.work["CHG0000001"].change.kind == "standard"
        assert [p.name for p in ingested.portfolio.people.values()] == ["Ann Lee"]


def test_dtds_are_refused(desk: Any) -> None:
    bomb = UNLOAD.replace("<unload ", '<!DOCTYPE x [<!ENTITY a "b">]><unload ')
    assert [f.code for f in desk.problems(bomb, name="unload.xml")] == ["xml-dtd"]


def test_outages_are_unplanned_work_and_planned_ones_are_no_work(desk: Any) -> None:
    header = ["number", "type", "begin", "end", "cmdb_ci", "short_description"]
    ingested = desk.read(
        csv_bytes(
            header,
            ["OUTAGE0001001", "outage", "2026-11-13 10:00:00", "2026-11-13 12:00:00", "Mail", "Down"],
            ["OUTAGE0001002", "degradation", "2026-11-20 10:00:00", "", "Mail", "Slow"],
            ["OUTAGE0001003", "planned", "2026-12-01 10:00:00", "2026-12-01 12:00:00", "Mail", "Upgrade"],
        )
    )
    assert ingested.report.files[0].reader == "servicenow-outage"
    assert {id: (w.status, w.type) for id, w in ingested.portfolio.work.items()} == {
        "OUTAGE0001001": (Status.DONE, WorkType.UNPLANNED),
        "OUTAGE0001002": (Status.IN_PROGRESS, WorkType.UNPLANNED),
    }
    assert (ingested.report.rows_read, ingested.report.rejected) == (3, 1)
    assert "write it under freezes" in ingested.report.rejections[0].reason


def test_labels_in_windows_1252_with_every_cell_quoted(desk: Any) -> None:
    lines = [
        '"Number","Short description","State","Priority","Assignment group","Assigned to","Opened","Closed"',
        '"INC0000001","Drücker kaputt","Closed","4 - Low","Büro","Jörg Müller (jmueller)",'
        '"11-12-2024 09:02:09","11-13-2024 10:00:00"',
        '"INC0000002","Zwei","In Progress","1 - Critical","Büro","","11-14-2024 09:02:09",""',
    ]
    ingested = desk.read("\n".join(lines).encode("cp1252"))
    assert ingested.report.files[0].encoding == "cp1252"
    assert ingested.report.files[0].dates["Opened"] == "MM-dd-yyyy HH:mm"
    one, two = ingested.portfolio.work.values()
    assert (one.title, one.status) == ("Drücker kaputt", Status.DONE)
    assert (two.status, two.needs[0].skill, two.cost_of_delay) == (Status.IN_PROGRESS, "buro", 8000)


def test_a_write_back_knows_the_record(desk: Any) -> None:
    source = desk.read([record("INC0000001", "1")], name="x.json").portfolio.work["INC0000001"].source
    assert source.other_id == "INC0000001".ljust(32, "0")
    assert (source.assignee, str(source.updated)) == ("Ann Lee", "2026-11-02T10:00Z")


def test_an_excel_list_with_dates_as_dates(desk: Any) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Number", "Short description", "State", "Priority", "Assigned to", "Opened", "Resolved", "Updates"])
    opened = datetime(2026, 11, 3, 9, 30)
    sheet.append(["INC0000001", "Mail is slow", "In Progress", "2 - High", "Ann Lee (alee)", opened, None, 3])
    closed = datetime(2026, 11, 4)
    sheet.append(["INC0000002", "Mail is gone", "Resolved", "1 - Critical", "Ann Lee (alee)", opened, closed, 9])
    book.save(desk.folder / "list.xlsx")
    ingested = read_exports([desk.folder / "list.xlsx"], options=ReadOptions(zone="America/Chicago"))
    one, two = ingested.portfolio.work.values()
    assert (one.status, str(one.created)) == (Status.IN_PROGRESS, "2026-11-03T15:30Z")
    assert (two.status, str(two.finished)) == (Status.DONE, "2026-11-04T06:00Z")
    assert [p.name for p in ingested.portfolio.people.values()] == ["Ann Lee (alee)"]


def test_both_values_of_each_field(desk: Any) -> None:
    raw = record("INC0000001", "3")
    shown = {"state": "On Hold", "priority": "2 - High", "assigned_to": "Ann Lee", "assignment_group": "Network"}
    both = {
        name: {"display_value": shown.get(name, value), "value": value if isinstance(value, str) else "f" * 32}
        for name, value in raw.items()
    }
    item = desk.read({"result": [both]}, name="x.json", zone="America/Chicago").portfolio.work["INC0000001"]
    assert (item.status, item.raw_status, item.cost_of_delay) == (Status.OPEN, "On Hold", 4000)
    assert str(item.created) == "2026-11-01T10:00Z"
