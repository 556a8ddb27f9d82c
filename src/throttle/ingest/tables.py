"""Sources to tables, by position: a header and rows of text cells, from CSV, sheets or JSON records."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from throttle.ingest.decode import Encoding
from throttle.ingest.notes import refusal
from throttle.ingest.records import Rejection
from throttle.ingest.values import blank
from throttle.wording import plural
from throttle_models import Status

if TYPE_CHECKING:
    from throttle.ingest.source import Kind, Source

csv.field_size_limit(max(csv.field_size_limit(), 1 << 30))  # a description may exceed the 128 KiB of the default
_SAMPLE = 400
_SHORT = 40
_ABOVE, _TITLE = 20, 2
"""Rows among which the header is, and the most cells of one that is a title instead."""
_LONGEST_HEADER = 1 << 20

Row = tuple[int, tuple[str, ...]]
"""Record number, counting from 1 after the header, and the cells of the chosen columns."""


class _Tidy(dict[str, str]):
    """Cells as they are read; equal short ones become one text, since dates, names and states repeat."""

    def __missing__(self, cell: str) -> str:
        plain = "" if blank(cell) else cell.strip()
        if len(cell) <= _SHORT:
            self[cell] = plain
        return plain


@dataclass
class Table:
    """One source as rows: header and a sample are at hand, the rest is read by :meth:`project`, once."""

    file: str
    kind: Kind
    encoding: Encoding
    header: list[str]
    sample: list[list[str]]
    modified: float
    """When the file was last written, in seconds since 1970."""
    values: Literal["raw", "display", "all"] = "display"
    """Of JSON records: raw values (times in UTC), display values (times of a user), or both."""
    rows_read: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    remarks: list[tuple[str, str, int]] = field(default_factory=list)
    """(code, sentence that follows the file's name, count): what the file says of itself; told as warnings."""
    outside: dict[str, tuple[str, Status]] = field(default_factory=dict)
    """Of ids that links name and that are in no row: title and status, where the format shows them."""
    numbers: Sequence[int] | None = None
    """Record number of each row, where rejected records lie between them."""
    short_rows: bool = False
    """Whether the format leaves out cells at the end of a row that are blank."""
    _rest: Iterator[list[str]] = iter(())
    _ends_with_newline: bool = True

    def column(self, index: int) -> list[str]:
        """The sample's cells of one column that are not blank."""
        return [row[index] for row in self.sample if index < len(row) and row[index].strip()]

    def project(self, indexes: Sequence[int]) -> list[Row]:
        """All rows, cut to some columns, whose cells are without blanks around them and empty where they say nothing.

        Counts what it rejects. Raises InputError for a file that is cut off.
        """
        width = len(self.header)
        if len(indexes) == 1:
            only = indexes[0]

            def pick(row: list[str]) -> tuple[str, ...]:
                return (row[only],)
        else:
            pick = itemgetter(*indexes)  # type: ignore[assignment]
        kept: list[Row] = []
        row: list[str] = []
        number = 0
        count = 0
        numbers = itertools.count(1) if self.numbers is None else self.numbers
        tidy = _Tidy()
        for number, row in zip(numbers, itertools.chain(self.sample, self._rest), strict=self.numbers is not None):
            count += 1
            if len(row) == width or (len(row) > width and not any(row[width:])):
                kept.append((number, tuple([tidy[cell] for cell in pick(row)])))
            elif self.short_rows and 1 < len(row) < width:
                kept.append((number, tuple([tidy[cell] for cell in pick(row + [""] * (width - len(row)))])))
            else:
                self._reject(number, row, width)
        self.rows_read += count
        if count and len(row) < width and not self._ends_with_newline:
            raise refusal(
                "truncated", f"{self.file} is cut off in row {number}: export it again", self.file,
                row=number,
            )  # fmt: skip
        return kept

    def changed(self, header: Sequence[str], change: Callable[[list[str]], list[str]]) -> Table:
        """The same table with another header and each row changed, when it is read; this one is not to be read then."""
        sample = [change(row) for row in self.sample]
        return replace(self, header=list(header), sample=sample, _rest=map(change, self._rest))

    def _reject(self, number: int, row: list[str], width: int) -> None:
        reason = f"has {len(row)} cells where the header has {width}" if any(row) else "is blank"
        self.rejections.append(Rejection(self.file, number, None, reason))


def make_table(
    source: Source,
    header: Sequence[str],
    rows: Iterable[list[str]],
    *,
    utc: bool = False,
    rejections: Sequence[Rejection] = (),
    remarks: Sequence[tuple[str, str, int]] = (),
    outside: Mapping[str, tuple[str, Status]] | None = None,
    numbers: Sequence[int] | None = None,
) -> Table:
    """A table that a reader makes of a nested or odd source; each row as wide as the header.

    ``utc``: times without an offset are UTC. ``rejections``: records left out of the rows; they count as read. The rest
    as in :class:`Table`.
    """
    rest = iter(rows)
    sample = list(itertools.islice(rest, _SAMPLE))
    values: Literal["raw", "display"] = "raw" if utc else "display"
    table = Table(source.file, source.kind, source.encoding, list(header), sample, source.modified, values)
    table._rest = rest
    table.rejections = list(rejections)
    table.rows_read = len(table.rejections)
    table.remarks, table.outside, table.numbers = list(remarks), dict(outside or {}), numbers
    return table


def table_of(source: Source) -> Table | None:
    """The obvious table of a source, if there is one. Raises InputError for damage."""
    if source.kind == "csv":
        return _open_csv(source)
    if source.kind == "json":
        return _open_json(source)
    return _open_sheet(source) if source.kind == "sheet" else None


def _open_sheet(source: Source) -> Table:
    at = _header_at(source.rows[:_ABOVE])
    header = [name.strip() for name in source.rows[at]]
    while header and not header[-1]:
        header.pop()
    width = len(header)
    rows = (row + [""] * (width - len(row)) for row in source.rows[at + 1 :])
    return make_table(source, header, rows, remarks=_above(source.rows[:at]))


def _header_at(rows: Sequence[Sequence[str]]) -> int:
    """The first row that is not blank; or, where that and those after it are titles, the first that is a table's."""
    filled = [sum(1 for cell in row if cell.strip()) for row in rows]
    first = next((i for i, count in enumerate(filled) if count), 0)
    if filled and filled[first] <= _TITLE and max(filled) >= 2 * _TITLE:
        return next(i for i, count in enumerate(filled) if count > _TITLE)
    return first


def _above(rows: Sequence[Sequence[str]]) -> list[tuple[str, str, int]]:
    above = sum(1 for row in rows if any(row))
    if not above:
        return []
    return [
        (
            "above-header",
            f"has {plural(above, 'row')} above its header, which {'is' if above == 1 else 'are'} not read",
            above,
        )
    ]


def _reader(data: bytes, choice: Encoding, delimiter: str) -> tuple[Iterator[list[str]], bool]:
    text = io.TextIOWrapper(io.BytesIO(data), encoding=choice.name, newline="")
    if choice.skip:
        text.read(1)  # the byte order mark
    start = text.tell()
    marked = text.readline().strip().casefold().startswith("sep=")
    if not marked:
        text.seek(start)
    return csv.reader(text, delimiter=delimiter, strict=True), marked


def _open_csv(source: Source) -> Table:
    data, choice, file = source.data, source.encoding, source.file
    start = data[:_LONGEST_HEADER]
    if len(start) == _LONGEST_HEADER and not (b"\n" in start or b"\r" in start):
        message = f"{file} begins with a line of more than 1 MiB, as no table does: export it again"
        raise refusal("wrong-file", message, file)
    widths: dict[str, float] = {}
    below: dict[str, float] = {}
    for delimiter in ",;\t|":
        rows, _ = _reader(data, choice, delimiter)
        found: list[float] = []
        try:
            found.extend(len(row) for row in itertools.islice(filter(None, rows), _ABOVE))
        except csv.Error:
            if not found:  # before one that finds a single cell
                found.append(1.5 if delimiter.encode() in data else 0)
        widths[delimiter], below[delimiter] = (found[0], median(found)) if found else (0, 0)
    if max(widths.values()) <= _TITLE and max(below.values()) > _TITLE:
        widths = below  # titles above the header
    delimiter = max(widths, key=lambda candidate: widths[candidate])
    rows, _ = _reader(data, choice, delimiter)
    records = _records(rows, file)
    start_rows = list(itertools.islice(records, _ABOVE))
    if not start_rows:
        raise refusal("empty-file", f"{file} is empty", file)
    at = _header_at(start_rows)
    header, records = start_rows[at], itertools.chain(start_rows[at + 1 :], records)
    sample = list(itertools.islice(records, _SAMPLE))
    table = Table(file, "csv", choice, [name.strip().lstrip("\ufeff") for name in header], sample, source.modified)
    table._rest = records
    table.remarks = _above(start_rows[:at])
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


def _open_json(source: Source) -> Table | None:
    documents = source.documents
    records = _find_records(documents[0] if len(documents) == 1 else documents)
    if records is None:
        return None
    if not records:
        raise refusal("no-rows", f"{source.file} has no records", source.file)
    header = list(dict.fromkeys(key for record in records for key in record))
    cells = [value for record in records for value in record.values() if isinstance(value, dict)]
    shows = sum("display_value" in cell for cell in cells)
    values: Literal["raw", "display", "all"] = "raw"
    if shows:
        both = any("value" in cell and "link" not in cell for cell in cells if "display_value" in cell)
        values = "all" if both else "display"
    rows = ([_cell(record.get(key), key) for key in header] for record in records)
    sample = list(itertools.islice(rows, _SAMPLE))
    table = Table(source.file, "json", source.encoding, header, sample, source.modified, values)
    table._rest = rows
    return table


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
