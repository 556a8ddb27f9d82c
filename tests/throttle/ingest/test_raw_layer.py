"""Bytes to cells: encodings, delimiters, damage, and what is no export at all."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

import pytest

from throttle.errors import InputError
from throttle.ingest import read_exports

HEADER = "Summary,Issue key,Issue Type,Status,Created\n"
ROW = 'Café "till",ABC-1,Story,To Do,2021-03-12 15:04\n'.replace('"till"', "till")


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        ((HEADER + ROW).encode(), "utf-8"),
        (codecs.BOM_UTF8 + (HEADER + ROW).encode(), "utf-8"),
        (codecs.BOM_UTF16_LE + (HEADER + ROW).encode("utf-16-le"), "utf-16-le"),
        (codecs.BOM_UTF16_BE + (HEADER + ROW).encode("utf-16-be"), "utf-16-be"),
        ((HEADER + ROW).encode("utf-16-le"), "utf-16-le"),
        ((HEADER + ROW).encode("cp1252"), "cp1252"),
        ((HEADER.replace(",", ";") + ROW.replace(",", ";")).encode(), "utf-8"),
        (("sep=;\n" + HEADER.replace(",", ";") + ROW.replace(",", ";")).encode(), "utf-8"),
        ((HEADER + ROW).replace("\n", "\r\n").encode(), "utf-8"),
        ((HEADER + ROW).rstrip("\n").encode(), "utf-8"),
        (("\n" + HEADER + "\n" + ROW + "\n\n").encode(), "utf-8"),
    ],
)
def test_encodings_and_delimiters(desk: Any, raw: bytes, encoding: str) -> None:
    ingested = desk.read(raw)
    assert ingested.report.files[0].encoding == encoding
    assert ingested.report.rows_read == 1
    assert ingested.portfolio.work["ABC-1"].title == "Café till"


def test_a_fallback_is_told_and_a_declared_encoding_is_obeyed(desk: Any, codes: Any) -> None:
    raw = (HEADER + ROW.replace("Café", "Caf– Ð")).encode("cp1252", errors="strict")
    assert "encoding-fallback" in codes(desk.read(raw))
    declared = desk.read(raw, encoding="cp1252")
    assert "encoding-fallback" not in codes(declared)
    mac = desk.read((HEADER + ROW).encode("mac_roman"), encoding="mac_roman")
    assert mac.portfolio.work["ABC-1"].title == "Café till"


def test_a_declared_encoding_does_not_spoil_a_file_that_is_utf8(desk: Any) -> None:
    assert desk.read((HEADER + ROW).encode(), encoding="cp1252").portfolio.work["ABC-1"].title == "Café till"


QUOTED = HEADER + 'Long,ABC-1,Story,To Do,"2021-03-12\n15:04'


@pytest.mark.parametrize(
    ("raw", "code", "says"),
    [
        (b"", "empty-file", "is empty"),
        (b" \n\n", "empty-file", "is empty"),
        (b"\xef\xbb\xbf\n", "empty-file", "is empty"),
        (HEADER.encode(), "no-rows", "a header but no rows"),
        (QUOTED.encode(), "truncated", "cut off inside a quoted cell of row 1"),
        (b'Summary,"Issue key', "truncated", "cut off inside a quoted cell of the header"),
        ((HEADER + ROW + "Other,ABC-2,Sto").encode(), "truncated", "cut off in row 2"),
        ((HEADER + ROW + "Café").encode()[:-1], "truncated", "cut off in the middle of a letter"),
        ((HEADER + 'a "b,"c" d,ABC-1,Story,To Do\n').encode(), "bad-csv", "at row 1"),
        (b"PK\x03\x04" + bytes(200), "archive", "is damaged or cut off"),
        (bytes(range(256)) * 40, "binary-file", "is binary"),
        (b"%PDF-1.4 ...", "binary-file", "is a PDF"),
        (b"<?xml version='1.0'?><rss/>", "unknown-export", "is XML"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "wrong-file", "is a web page"),
        (b"name,age\nAnn,4\nBob,5\n", "unknown-export", "is no export that is known"),
        (b"just some text\nwithout a table\n", "unknown-export", "is no export that is known"),
        (b"Issue key,Summary" + b",x" * 600_000, "wrong-file", "a line of more than 1 MiB"),
        (b'{"a": 1}', "wrong-file", "JSON without records"),
        (b'{"result": []}', "no-rows", "has no records"),
        (b'{"result": [{"number": "CHG0030001", "sta', "truncated", "is cut off at line 1"),
        (b'{"result": [{"number": nonsense}]}', "bad-json", "is not sound JSON"),
        (b"[" * 100_000, "bad-json", "nested too deeply"),
        (b'[{"number": "CHG1", "short_description": "\\ud800"}]', "bad-json", "row 1, column 'short_description'"),
        (("Résumé été à ça ü ö ä " * 20).encode() + b"\xff", "encoding", "UTF-8 that is damaged at byte"),
    ],
)
def test_what_is_wrong_is_one_sentence(desk: Any, raw: bytes, code: str, says: str) -> None:
    (problem,) = desk.problems(raw)
    assert problem.code == code
    assert says in problem.message
    assert problem.message.startswith("export.csv ")
    assert "\n" not in problem.message


def test_every_wrong_file_is_named(desk: Any) -> None:
    files = [desk.file(b"", "a.csv"), desk.file(b"PK\x03\x04", "b.csv"), Path(desk.folder / "missing.csv")]
    with pytest.raises(InputError) as caught:
        read_exports(files)
    assert [f.code for f in caught.value.findings] == ["empty-file", "archive", "unreadable"]


@pytest.mark.parametrize("encoding", ["no-such", "hex", "utf-32", "undefined", "unicode_escape", "idna"])
def test_an_encoding_that_cannot_be_is_refused(desk: Any, encoding: str) -> None:
    (problem,) = desk.problems((HEADER + ROW).encode("cp1252"), encoding=encoding)
    assert problem.code == "encoding"
    assert encoding in problem.message


def test_rows_that_do_not_fit_are_rejected_and_counted(desk: Any) -> None:
    raw = HEADER + ROW + "too,short\n" + ",,,,\n" + "No key,,Story,To Do,2021-03-12\n" + "Bad,SEP-02,Story,To Do,\n"
    raw += "Longer,ABC-2,Story,To Do,2021-03-13,,\n" + "Longer,ABC-3,Story,To Do,2021-03-13,x\n"
    report = desk.read(raw).report
    assert (report.rows_read, report.imported, report.rejected) == (7, 2, 5)
    assert [(r.row, r.column, r.reason) for r in report.rejections] == [
        (2, None, "has 2 cells where the header has 5"),
        (7, None, "has 6 cells where the header has 5"),
        (3, None, "is blank"),
        (4, "Issue key", "has no id"),
        (5, "Issue key", "holds no issue key such as ABC-12"),
    ]


def test_cells_keep_line_breaks_and_formulas(desk: Any) -> None:
    raw = HEADER + '"=1+2\r\nsecond line",ABC-1,Story,To Do,2021-03-12\n"-minus",ABC-2,Story,To Do,\n'
    work = desk.read(raw).portfolio.work
    assert work["ABC-1"].title == "=1+2\r\nsecond line"
    assert work["ABC-2"].title == "-minus"


def test_a_very_long_cell_is_read(desk: Any) -> None:
    raw = "Description," + HEADER + '"' + "x" * 200_000 + '",' + ROW
    assert desk.read(raw).report.imported == 1


@pytest.mark.parametrize(("rows", "warned"), [(1_000, True), (999, False)])
def test_a_round_number_of_rows_is_suspected(desk: Any, codes: Any, rows: int, warned: bool) -> None:
    raw = HEADER + "".join(f"Item,ABC-{i},Story,To Do,2021-03-12\n" for i in range(1, rows + 1))
    assert ("probably-truncated" in codes(desk.read(raw))) is warned


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_titles_above_the_header_are_told(desk: Any, delimiter: str) -> None:
    text = "Export of the service desk\n\nBy,Ann\n" + HEADER + ROW + ROW.replace("ABC-1", "ABC-2")
    ingested = desk.read(text.replace(",", delimiter))
    assert list(ingested.portfolio.work) == ["ABC-1", "ABC-2"]
    assert [f.count for f in ingested.report.findings if f.code == "above-header"] == [2]
    assert ingested.portfolio.work["ABC-2"].source.row == 2


def test_a_narrow_table_has_no_titles(desk: Any, codes: Any) -> None:
    ingested = desk.read("Key,Summary\nABC-1,One\nABC-2,Two\n")
    assert ingested.report.imported == 2
    assert "above-header" not in codes(ingested)
