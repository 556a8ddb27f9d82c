"""Workbooks, archives and XML: opened by content, within limits, each part read or told."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from throttle.errors import InputError
from throttle.ingest import read_exports

CSV = "Summary,Issue key,Issue Type,Status,Created\nOne,ABC-1,Story,To Do,2021-03-12 15:04\n"
OTHER = CSV.replace("ABC-1", "ABC-2").replace("One", "Two")


def zipped(members: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return raw.getvalue()


def book(sheets: dict[str, list[list[Any]]]) -> bytes:
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    raw = io.BytesIO()
    workbook.save(raw)
    return raw.getvalue()


def test_the_members_of_an_archive_are_one_portfolio(desk: Any) -> None:
    raw = zipped({"a/one.csv": CSV, "two.csv": OTHER, "__MACOSX/x": b"\0\0", ".hidden": "x", "folder/": ""})
    report = desk.read(raw, name="exports.zip").report
    assert [file.name for file in report.files] == ["exports.zip/a/one.csv", "exports.zip/two.csv"]
    assert (report.rows_read, report.imported) == (2, 2)


def test_a_member_that_is_no_export_is_told_and_the_rest_read(desk: Any) -> None:
    ingested = desk.read(zipped({"one.csv": CSV, "readme.csv": "name,age\nAnn,4\n"}), name="x.zip")
    (left,) = [f for f in ingested.report.findings if f.code == "not-read"]
    assert left.file == "x.zip/readme.csv"
    assert "Ann" not in left.message


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (zipped({"a.csv": b"0" * 30_000_000}), "more than 100-fold"),
        (zipped({f"{i}.csv": "" for i in range(1001)}), "1,001 members"),
        (zipped({"a.zip": zipped({"b.csv": CSV})}), "an archive in an archive"),
        (zipped({"folder/": ""}), "without files"),
        (zipped({"a.csv": CSV})[:-30], "damaged or cut off"),
    ],
)
def test_limits_of_archives(desk: Any, raw: bytes, says: str) -> None:
    (problem,) = desk.problems(raw, name="x.zip")
    assert says in problem.message


def test_what_an_archive_says_of_its_size_is_not_believed(desk: Any) -> None:
    raw = bytearray(zipped({"a.csv": CSV * 40}))
    size = len(CSV * 40).to_bytes(4, "little")
    at = raw.rindex(size)  # in the directory at the end
    raw[at : at + 4] = (10).to_bytes(4, "little")
    (problem,) = desk.problems(bytes(raw), name="x.zip")
    assert problem.code in ("archive", "truncated", "unknown-export", "no-rows")


def test_a_total_beyond_the_limit_is_refused_before_inflating(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("throttle.ingest.source.MOST_INFLATED", 1000)
    (problem,) = desk.problems(zipped({"a.csv": CSV * 20}), name="x.zip")
    assert "inflates to" in problem.message


ROWS: list[list[Any]] = [
    ["Summary", "Issue key", "Issue Type", "Status", "Created", "Original estimate", "Due date"],
    ["One", "ABC-1", "Story", "To Do", datetime(2021, 3, 12, 15, 4), 36000, datetime(2021, 4, 1)],
    [],
    ["Two", "ABC-2", "Story", "To Do", "2021-03-13 15:04", 7200.0, None],
]


def test_a_workbook_reads_as_its_csv_does(desk: Any) -> None:
    ingested = desk.read(book({"Jira": ROWS}), name="x.xlsx")
    assert (ingested.report.rows_read, ingested.report.imported, ingested.report.rejected) == (3, 2, 1)
    item = ingested.portfolio.work["ABC-1"]
    assert (str(item.created), str(item.due), str(item.needs[0].effort)) == ("2021-03-12T15:04Z", "2021-04-01", "10h")
    assert ingested.report.files[0].encoding_why == "workbook"


def test_other_sheets_are_told(desk: Any) -> None:
    ingested = desk.read(book({"Cover": [["Report of", "March"], ["by", "us"]], "Data": ROWS}), name="x.xlsx")
    assert ingested.report.imported == 2
    assert [f.file for f in ingested.report.findings if f.code == "not-read"] == ["x.xlsx/Cover"]


def test_damaged_workbooks_are_one_sentence(desk: Any) -> None:
    raw = book({"Jira": ROWS})
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name in members:
        for broken in (b"", b"<a", members[name][: len(members[name]) // 2]):
            with suppress(InputError):  # a style sheet may well be damaged
                desk.read(zipped({**members, name: broken}), name="x.xlsx")


def test_memory_is_let_go_member_by_member(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(zipped({f"{i}.csv": CSV.replace("ABC-1", f"ABC-{i + 1}") for i in range(5)}))
    assert len(read_exports([path]).portfolio.work) == 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "cp1251", "gb18030"])
def test_xml_in_any_encoding(desk: Any, encoding: str) -> None:
    title = {"iso-8859-1": "Café", "gb18030": "中文"}.get(encoding, "Тема")
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><rss version="0.92"><channel><item><key id="1">ABC-1</key>'
        f"<summary>{title}</summary></item></channel></rss>"
    )
    assert desk.read(text.encode(encoding), name="x.xml").portfolio.work["ABC-1"].title == title


def test_xml_that_says_no_encoding_and_is_not_utf8(desk: Any, codes: Any) -> None:
    text = '<rss><channel><item><key id="1">ABC-1</key><summary>Café</summary></item></channel></rss>'
    ingested = desk.read(text.encode("cp1252"), name="x.xml")
    assert ingested.portfolio.work["ABC-1"].title == "Café"
    assert "encoding-fallback" in codes(ingested)


@pytest.mark.parametrize(
    "raw",
    [
        '[{"key": "ABC-1", "fields": {"labels": ' + "[" * 900 + "]" * 900 + "}}]",
        "[" * 5000 + "]" * 5000,
        "<rss><channel><item><key id='1'>ABC-1</key>" + "<a>" * 50_000 + "</a>" * 50_000 + "</item></channel></rss>",
        "Issue key,Summary," + "(" * 200_000 + "\nABC-1,One,x\n",
        'Issue key,Summary,Created\nABC-1,One,"' + "1" * 200_000 + '"\n',
    ],
    ids=["list", "json", "xml", "header", "cell"],
)
def test_what_is_nested_deeply_or_long_is_read_or_refused_at_once(desk: Any, raw: str) -> None:
    with suppress(InputError):
        desk.read(raw, name="x")
