"""Files to tables, by position: a header and rows of text cells, from CSV or from JSON records."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

from throttle.ingest.decode import Encoding, choose_encoding
from throttle.ingest.notes import refusal

csv.field_size_limit(max(csv.field_size_limit(), 1 << 30))  # a description may exceed the 128 KiB of the default
_SAMPLE = 400
_LONGEST_HEADER = 1 << 20


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that became no item, and why."""

    file: str
    row: int
    column: str | None
    reason: str


Row = tuple[int, tuple[str, ...]]
"""Record number, counting from 1 after the header, and the cells of the chosen columns."""


@dataclass
class Table:
    """One file, opened: header and a sample are at hand, the rest is read by :meth:`project`."""

    file: str
    kind: Literal["csv", "json"]
    encoding: Encoding
    header: list[str]
    sample: list[list[str]]
    modified: float
    """When the file was last written, in seconds since 1970."""
    values: Literal["raw", "display", "all"] = "display"
    """Of JSON records: raw values (times in UTC), display values (times of a user), or both."""
    rows_read: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    _rest: Iterator[list[str]] = iter(())
    _ends_with_newline: bool = True

    def column(self, index: int) -> list[str]:
        """The sample's cells of one column that are not blank."""
        return [row[index] for row in self.sample if index < len(row) and row[index].strip()]

    def project(self, indexes: Sequence[int]) -> list[Row]:
        """All rows, cut to some columns. Raises InputError for a file that is cut off; keeps count of what it "
        "rejects."""
        width = len(self.header)
        if len(indexes) == 1:
            only = indexes[0]

            def pick(row: list[str]) -> tuple[str, ...]:
                return (row[only],)
        else:
            pick = itemgetter(*indexes)  # type: ignore[assignment]
        kept: list[Row] = []
        row: list[str] = []
        for row in itertools.chain(self.sample, self._rest):
            self.rows_read += 1
            if len(row) == width or (len(row) > width and not any(row[width:])):
                kept.append((self.rows_read, pick(row)))
            else:
                self._reject(row, width)
        if self.rows_read and len(row) < width and not self._ends_with_newline:
            raise refusal(
                "truncated", f"{self.file} is cut off in row {self.rows_read}: export it again", self.file,
                row=self.rows_read,
            )  # fmt: skip
        return kept

    def _reject(self, row: list[str], width: int) -> None:
        reason = f"has {len(row)} cells where the header has {width}" if any(row) else "is blank"
        self.rejections.append(Rejection(self.file, self.rows_read, None, reason))


def open_table(path: Path, encoding: str | None = None) -> Table:
    """Decode and open a file. Raises InputError for what is missing, empty, binary, damaged or not a table."""
    file = path.name
    try:
        data = path.read_bytes()
        modified = path.stat().st_mtime
    except OSError as problem:
        raise refusal("unreadable", f"{path} cannot be read: {problem.strerror or problem}", str(path)) from None
    choice = choose_encoding(data, file, encoding)
    head = data[choice.skip : choice.skip + 4096].decode(choice.name, errors="ignore").lstrip()
    if not head:
        raise refusal("empty-file", f"{file} is empty", file)
    if head[0] == "<":
        what = "a web page (perhaps of a sign-in)" if "<html" in head.casefold() else "XML"
        raise refusal("wrong-file", f"{file} is {what}, which is not read: export as CSV, or JSON of ServiceNow", file)
    if head[0] in "{[":
        return _open_json(data, choice, file, modified)
    return _open_csv(data, choice, file, modified)


def _reader(data: bytes, choice: Encoding, delimiter: str) -> tuple[Iterator[list[str]], bool]:
    text = io.TextIOWrapper(io.BytesIO(data), encoding=choice.name, newline="")
    if choice.skip:
        text.read(1)  # the byte order mark
    start = text.tell()
    marked = text.readline().strip().casefold().startswith("sep=")
    if not marked:
        text.seek(start)
    return csv.reader(text, delimiter=delimiter, strict=True), marked


def _open_csv(data: bytes, choice: Encoding, file: str, modified: float) -> Table:
    start = data[:_LONGEST_HEADER]
    if len(start) == _LONGEST_HEADER and not (b"\n" in start or b"\r" in start):
        message = f"{file} begins with a line of more than 1 MiB, as no table does: export it again"
        raise refusal("wrong-file", message, file)
    widths: dict[str, float] = {}
    for delimiter in ",;\t|":
        rows, _ = _reader(data, choice, delimiter)
        try:
            widths[delimiter] = len(next(filter(None, rows), []))
        except csv.Error:
            widths[delimiter] = 1.5 if delimiter.encode() in data else 0  # before one that finds a single cell
    delimiter = max(widths, key=lambda candidate: widths[candidate])
    rows, _ = _reader(data, choice, delimiter)
    records = _records(rows, file)
    header = next(records, None)
    if header is None:
        raise refusal("empty-file", f"{file} is empty", file)
    sample = list(itertools.islice(records, _SAMPLE))
    table = Table(file, "csv", choice, [name.strip().lstrip("\ufeff") for name in header], sample, modified)
    table._rest = records
    table._ends_with_newline = data[-8:].rstrip(b"\0")[-1:] in (b"\n", b"\r")
    return table


def _records(rows: Iterator[list[str]], file: str) -> Iterator[list[str]]:
    """Records that are not empty lines; what the CSV reader objects to becomes one sentence."""
    count = -1
    try:
        for row in rows:
            if row:
                count += 1
                yield row
    except csv.Error as problem:
        at = count + 1
        if "unexpected end of data" in str(problem):
            where = f"row {at}" if at else "the header"
            raise refusal(
                "truncated", f"{file} is cut off inside a quoted cell of {where}: export it again", file, row=at
            ) from None
        raise refusal(
            "bad-csv", f"{file} is not sound CSV at row {at}: a quote ends before its cell does", file, row=at
        ) from None


def _open_json(data: bytes, choice: Encoding, file: str, modified: float) -> Table:
    text = data[choice.skip :].decode(choice.name)
    try:
        content = json.loads(text, parse_constant=lambda name: name)
    except RecursionError:
        raise refusal("bad-json", f"{file} is nested too deeply to be a ticket export", file) from None
    except json.JSONDecodeError as problem:
        content = _json_lines(text)
        if content is None:
            cut = problem.pos >= len(text.rstrip()) - 1 or problem.msg.startswith("Unterminated")
            what = "is cut off" if cut else "is not sound JSON"
            code = "truncated" if cut else "bad-json"
            raise refusal(
                code, f"{file} {what} at line {problem.lineno}, column {problem.colno}: export it again", file
            ) from None
    except ValueError:
        raise refusal("bad-json", f"{file} holds a number that is too long to be one", file) from None
    records = _find_records(content)
    if records is None:
        raise refusal("wrong-file", f'{file} is JSON without records: a list of them, or {{"result": [...]}}', file)
    if not records:
        raise refusal("no-rows", f"{file} has no records", file)
    header = list(dict.fromkeys(key for record in records for key in record))
    cells = [value for record in records for value in record.values() if isinstance(value, dict)]
    shows = sum("display_value" in cell for cell in cells)
    values: Literal["raw", "display", "all"] = "raw"
    if shows:
        both = any("value" in cell and "link" not in cell for cell in cells if "display_value" in cell)
        values = "all" if both else "display"
    rows = [[_cell(record.get(key), key) for key in header] for record in records]
    if _SURROGATE.search(text):
        _refuse_halves(header, rows, file)
    table = Table(file, "json", choice, header, rows[:_SAMPLE], modified, values)
    table._rest = iter(rows[_SAMPLE:])
    return table


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _refuse_halves(header: list[str], rows: list[list[str]], file: str) -> None:
    """Raise InputError for half of a surrogate pair, which no file can hold."""
    for number, row in enumerate([header, *rows]):
        for name, cell in zip(header, row, strict=True):
            try:
                cell.encode()
            except UnicodeEncodeError:
                shown = name.encode(errors="backslashreplace").decode()
                where = f"in row {number}, column {shown!r}" if number else "in a field's name"
                raise refusal(
                    "bad-json", f"{file} has half of a \\u surrogate pair {where}, which is no character; correct it",
                    file, row=number or None, column=shown,
                ) from None  # fmt: skip


def _json_lines(text: str) -> list[Any] | None:
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        return [json.loads(line) for line in lines] if len(lines) > 1 else None
    except (ValueError, RecursionError):
        return None


def _find_records(content: Any) -> list[dict[str, Any]] | None:
    """Records of ``{"result": [...]}``, ``{"records": [...]}``, a list of records, or a list of such pages."""
    if isinstance(content, dict):
        for key in ("result", "records"):
            if isinstance(content.get(key), list):
                return _find_records(content[key])
            if isinstance(content.get(key), dict):
                return [content[key]]
        return None
    if not isinstance(content, list) or not all(isinstance(record, dict) for record in content):
        return None
    if content and all(isinstance(page.get("result", page.get("records")), list) for page in content):
        pages = [_find_records(page) for page in content]
        return None if None in pages else [record for page in pages for record in page or ()]
    return content


_BY_VALUE = frozenset({"state", "priority", "risk", "type", "on_hold", "active", "approval", "sys_id", "number"})
"""Fields whose raw value is the same in every language."""


def _cell(value: Any, key: str) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):
        shown, raw = value.get("display_value"), value.get("value")
        dated = isinstance(raw, str) and raw[:4].isdigit() and raw[4:5] == "-"
        first, second = (raw, shown) if key in _BY_VALUE or dated else (shown, raw)
        return next((_cell(v, key) for v in (first, second) if isinstance(v, str | int | float) and v != ""), "")
    return ""
