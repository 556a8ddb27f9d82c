"""Any table, with a mapping that says what its columns mean."""

from __future__ import annotations

import io
from typing import Any

from throttle_models import Mapping, Status

TABLE = (
    "Nr;Vorhaben;Stand;Aufwand;Nach;Wer\n"
    "A1;Schema;offen;16;;Ann Lee\n"
    "A2;Masken;in Arbeit;40;A1;Ben Ode\n"
    "A3;Test;offen;8;A1, A2;\n"
)
MAP = {
    "columns": {
        "plain": {
            "Nr": "id",
            "Vorhaben": "title",
            "Stand": "status",
            "Aufwand": {"means": "original_estimate", "unit": "h"},
            "Nach": "waits_for",
            "Wer": "assignee",
        }
    }
}


def edges(found: Any) -> set[tuple[str, str]]:
    return {(edge.predecessor, edge.successor) for edge in found.report.edges}


def test_a_mapping_names_the_columns(desk: Any) -> None:
    found = desk.read(TABLE, mapping=MAP)
    assert found.report.files[0].reader == "plain"
    assert edges(found) == {("A1", "A2"), ("A1", "A3"), ("A2", "A3")}
    assert found.report.estimate_hours == 64
    assert found.portfolio.work["A2"].status is Status.IN_PROGRESS
    assert [p.code for p in desk.problems(TABLE)] == ["unknown-export"]


def test_plain_words_do_without_a_mapping(desk: Any) -> None:
    text = (
        "ID,Title,Owner,Status,Estimate,Low,High,Depends on,Due date,Skill\n"
        "1,Schema,Ann Lee,Open,24,16,60,,2026-12-18,oracle\n"
        "2,Screens,,Open,40,,,1FS+2d,,java\n"
    )
    found = desk.read(text)
    one, two = found.portfolio.work.values()
    (effort,) = (need.effort for need in one.needs)
    assert [span.total_seconds() / 3600 for span in (effort.low, effort.likely, effort.high)] == [16, 24, 60]
    assert [(link.item, link.lag) for link in two.after] == [("1", "2d")]
    assert [need.skill for need in two.needs] == ["java"]
    assert found.report.files[0].reader == "plain"


def test_a_table_without_something_to_plan_by_is_not_taken(desk: Any) -> None:
    assert [p.code for p in desk.problems("ID,Title\n1,One\n")] == ["unknown-export"]
    assert [p.code for p in desk.problems("ID,Title,Status\n1,One,Open\n1,Two,Open\n1,Three,Open\n")] == [
        "unknown-export"
    ]


def test_a_sheet_of_a_workbook(desk: Any) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [line.split(";") for line in TABLE.splitlines()]:
        sheet.append([float(cell) if cell.isdigit() else cell for cell in row])
    out = io.BytesIO()
    book.save(out)
    found = desk.read(out.getvalue(), mapping=MAP)
    assert edges(found) == {("A1", "A2"), ("A1", "A3"), ("A2", "A3")}
    assert found.report.estimate_hours == 64


def test_rows_above_the_header_are_told_and_not_read(desk: Any, codes: Any) -> None:
    plan = "ID,Title,Owner,Status,Estimate\n1,Schema,Ann Lee,Open,24\n2,Screens,,Open,40\n"
    found = desk.read("Plan of the year\n\nas of,2026-11-01\n" + plan)
    assert (found.report.rows_read, found.report.estimate_hours) == (2, 64)
    assert "rows-above-header" in codes(found)
    assert "rows-above-header" not in codes(desk.read(plan))


def test_predecessors_as_microsoft_project_writes_them(desk: Any) -> None:
    text = 'ID,Task Name,Status,Predecessors\n1,A,Open,\n2,B,Open,1SS\n3,C,Open,"1FS+2days;2FF-4h"\n'
    found = desk.read(text)
    assert {(e.predecessor, e.successor, e.type.value, e.lag) for e in found.report.edges} == {
        ("1", "2", "SS", "0"),
        ("1", "3", "FS", "2d"),
        ("2", "3", "FF", "-4h"),
    }


def test_units_in_headers_and_shares_that_are_complete(desk: Any, codes: Any) -> None:
    found = desk.read(
        "Task ID,Task Name,Owner,Effort (days),% Complete,Deadline\nT1,A,Ann Lee,2,0%,2026-12-01\n"
        "T2,B,Ann Lee,1.5,50%,2026-12-02\nT3,C,Ann Lee,1,100%,2026-12-03\n"
    )
    assert found.report.estimate_hours == 36
    assert [item.status.value for item in found.portfolio.work.values()] == ["open", "in-progress", "done"]
    assert "unread-column" not in codes(found)
    german = desk.read("Nr;Vorgang;Verantwortlich;Aufwand (PT);Fertig bis\n1;Kabel;Ann Lee;2,5;24.12.2026\n")
    assert german.report.estimate_hours == 20


def test_shares_that_a_spreadsheet_holds_as_numbers(desk: Any) -> None:
    for cells in (("0", "0.5", "1"), ("0", "50", "100")):
        rows = "".join(f"T{i},A,Ann Lee,8,{cell}\n" for i, cell in enumerate(cells))
        found = desk.read("ID,Title,Owner,Effort,Progress\n" + rows)
        assert [item.status.value for item in found.portfolio.work.values()] == ["open", "in-progress", "done"]


def test_a_column_that_speaks_of_effort_and_is_not_read_is_told(desk: Any) -> None:
    text = "ID,Title,Owner,Effort by QA,Reviewed by,Hours of sleep\n1,A,Ann Lee,8,Bob,\n"
    (message,) = [f.message for f in desk.read(text).report.findings if f.code == "unread-column"]
    assert "'Effort by QA'" in message
    assert "Reviewed" not in message
    assert "sleep" not in message  # blank
    mapped = Mapping.model_validate(
        {"columns": {"plain": {"Effort by QA": {"means": "original_estimate", "unit": "h"}}}}
    )
    found = desk.read(text, mapping=mapped)
    assert found.report.estimate_hours == 8
    assert not [f for f in found.report.findings if f.code == "unread-column"]
