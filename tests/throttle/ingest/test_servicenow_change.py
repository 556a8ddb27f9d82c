"""ServiceNow changes: CSV and JSON in each display mode, states, approvals, planned windows."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from throttle_models import Status

RAW = {
    "number": "CHG0030001",
    "sys_id": "a" * 32,
    "short_description": "Firmware",
    "type": "normal",
    "state": "-3",
    "priority": "2",
    "risk": "2",
    "cmdb_ci": {"link": "https://example.invalid/api/now/table/cmdb_ci/" + "c" * 32, "value": "c" * 32},
    "assignment_group": {"link": "https://example.invalid/api/now/table/sys_user_group/" + "b" * 32, "value": "b" * 32},
    "assigned_to": "",
    "start_date": "2026-11-20 22:00:00",
    "end_date": "2026-11-20 23:30:00",
    "opened_at": "2026-11-01 10:00:00",
    "sys_updated_on": "2026-11-02 10:00:00",
    "on_hold": "false",
    "active": "true",
}


def shown(record: dict[str, Any], **display: str) -> dict[str, Any]:
    """As ``sysparm_display_value=all`` gives it."""
    return {
        name: {"display_value": display.get(name, value if isinstance(value, str) else ""), "value": raw(value)}
        for name, value in record.items()
    }


def raw(value: Any) -> str:
    return value["value"] if isinstance(value, dict) else value


WORDS = {"state": "Authorize", "assignment_group": "Network", "cmdb_ci": "SAN", "priority": "2 - High", "risk": "High"}
ALL = shown(RAW, **WORDS, opened_at="11-01-2026 04:00:00", start_date="11-20-2026 16:00:00")
TRUE = RAW | {
    "state": "Authorize",
    "priority": "2 - High",
    "risk": "High",
    "type": "Normal",
    "assignment_group": {"display_value": "Network", "link": "https://example.invalid/1"},
    "cmdb_ci": {"display_value": "SAN", "link": "https://example.invalid/2"},
}


@pytest.mark.parametrize("record", [RAW, ALL, TRUE], ids=["raw", "all", "true"])
@pytest.mark.parametrize("wrap", [lambda r: {"result": [r]}, lambda r: [r], lambda r: {"records": [r]}])
def test_display_modes_and_wrappings(desk: Any, record: dict[str, Any], wrap: Any) -> None:
    ingested = desk.read(wrap(record), name="changes.txt")
    item = ingested.portfolio.work["CHG0030001"]
    assert item.status is Status.OPEN
    assert item.change.kind.value == "normal"
    assert item.change.risk == 3
    assert item.change.approval.lead == timedelta(days=3)
    assert item.change.services == (("c" * 32,) if record is RAW else ("san",))
    assert item.needs[0].skill == ("group-bbbbbb" if record is RAW else "network")
    assert str(item.needs[0].effort) == "90m"
    assert str(item.created) == "2026-11-01T10:00Z"
    assert item.cost_of_delay == 4000
    assert item.not_before is None
    assert str(item.wanted_start) == "2026-11-20T22:00Z"
    assert ingested.report.planned_windows == 1


def test_raw_times_are_utc_and_displayed_ones_are_local(desk: Any) -> None:
    assert str(desk.read([RAW], zone="America/Chicago").portfolio.work["CHG0030001"].created) == "2026-11-01T10:00Z"
    displayed = desk.read([TRUE], zone="America/Chicago").portfolio.work["CHG0030001"]
    assert str(displayed.created) == "2026-11-01T16:00Z"


def test_pages_and_lines_of_json(desk: Any) -> None:
    second = RAW | {"number": "CHG0030002", "sys_id": "d" * 32}
    assert desk.read([{"result": [RAW]}, {"result": [second]}]).report.imported == 2
    assert desk.read(f"{json.dumps(RAW)}\n{json.dumps(second)}\n").report.imported == 2


@pytest.mark.parametrize(
    ("state", "status", "given"),
    [
        ("-5", Status.OPEN, False),
        ("-4", Status.OPEN, False),
        ("-2", Status.OPEN, True),
        ("-1", Status.IN_PROGRESS, True),
        ("0", Status.IN_PROGRESS, True),
        ("3", Status.DONE, None),
        ("4", Status.CANCELLED, None),
        ("Assess", Status.OPEN, False),
        ("Scheduled", Status.OPEN, True),
        ("Review", Status.IN_PROGRESS, True),
        ("Closed Complete", Status.DONE, None),
        ("Canceled", Status.CANCELLED, None),
    ],
)
def test_states(desk: Any, state: str, status: Status, given: bool | None) -> None:
    item = desk.read([RAW | {"state": state}]).portfolio.work["CHG0030001"]
    assert item.status is status
    assert (item.change.approval.given if item.change.approval else None) is given


@pytest.mark.parametrize(
    ("kind", "means", "approval"),
    [("standard", "standard", True), ("Pre-approved", "standard", True), ("emergency", "emergency", None)],
)
def test_kinds(desk: Any, kind: str, means: str, approval: bool | None) -> None:
    change = desk.read([RAW | {"type": kind}]).portfolio.work["CHG0030001"].change
    assert change.kind.value == means
    assert (change.approval.given if change.approval else None) is approval


FIELDS = "number,short_description,type,state,priority,assignment_group,assigned_to,risk,start_date,end_date,opened_at"
LABELS = (
    "Number,Short description,Type,State,Priority,Assignment group,Assigned to,Risk,Planned start date,"
    "Planned end date,Opened"
)


@pytest.mark.parametrize("header", [FIELDS, LABELS])
def test_csv_with_field_names_or_labels(desk: Any, codes: Any, header: str) -> None:
    rows = [
        'CHG0030001,Café – till,Comprehensive,Authorize,2 - High,Network,"Ann Lee (alee)",Moderate,'
        "11-20-2026 22:00:00,11-21-2026 22:00:00,11-01-2026 10:00:00",
        "CHG0030002,Other,Emergency,Implement,5 - Planning,Network,,UNKNOWN,,,10-13-2026 10:00:00",
    ]
    quoted = "\n".join('"' + line.replace('"', "").replace(",", '","') + '"' for line in [header, *rows]) + "\n"
    ingested = desk.read(quoted.encode("cp1252"))
    work = ingested.portfolio.work
    assert work["CHG0030001"].title == "Café – till"
    assert work["CHG0030001"].needs[0].who == ("ann-lee-alee",)
    assert str(work["CHG0030001"].needs[0].effort) == "8h"  # a day's window is not a day's work
    assert work["CHG0030002"].status is Status.IN_PROGRESS
    assert work["CHG0030002"].needs[0].skill == "network"
    assert ingested.portfolio.people["ann-lee-alee"].skills == {"network": 1}
    assert str(work["CHG0030002"].created) == "2026-10-13T10:00Z"
    assert "encoding-fallback" in codes(ingested)


def test_a_user_id_is_an_alias(desk: Any) -> None:
    record = RAW | {"assigned_to": {"display_value": "Ann Lee (alee)", "link": "https://example.invalid"}}
    ingested = desk.read([record], team={"people": {"ann": {"aliases": ["ALEE"]}}})
    assert ingested.portfolio.work["CHG0030001"].needs[0].who == ("ann",)
    assert list(ingested.portfolio.people) == ["ann"]


def test_on_hold_links_of_the_site_and_parents(desk: Any) -> None:
    records = [
        RAW | {"on_hold": "true", "u_after": "CHG0030003, ABC-9", "parent": {"link": "x", "value": "d" * 32}},
        RAW | {"number": "CHG0030002", "sys_id": "d" * 32},
        RAW | {"number": "CHG0030003", "sys_id": "e" * 32},
    ]
    ingested = desk.read(records, mapping={"columns": {"servicenow-change": {"u_after": "waits_for"}}})
    item = ingested.portfolio.work["CHG0030001"]
    assert item.on_hold
    assert item.parent == "CHG0030002"
    assert [k.item for k in item.after] == ["CHG0030003", "ABC-9"]
    assert [d.target for d in ingested.report.dangling] == ["ABC-9"]


@pytest.mark.parametrize("number", ["INC0010001", "PRB0040001", "SCTASK0010001"])
def test_other_tables_have_a_reader_of_their_own(desk: Any, number: str) -> None:
    assert desk.read([RAW | {"number": number}]).report.files[0].reader == "servicenow-task"
    assert desk.read([RAW]).report.files[0].reader == "servicenow-change"
    both = desk.read([RAW, RAW | {"number": number, "sys_id": "b" * 32}])
    assert both.report.files[0].reader == "servicenow-task"
    assert both.portfolio.work["CHG0030001"].change.kind == "normal"
