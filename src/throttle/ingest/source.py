"""Files to sources: one table or document each, opened once and told apart by content.

A workbook gives one source for each sheet and an archive one for each member, within :data:`MOST_INFLATED` and the
other limits; nothing of an archive is inflated before its directory has been checked, nor more than it declares.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from throttle.errors import InputError
from throttle.ingest.decode import Encoding, choose_encoding
from throttle.ingest.notes import refusal

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from throttle.ingest.tables import Table

Kind = Literal["csv", "json", "xml", "sheet", "xer", "ics"]

MOST_INFLATED = 200 * 1_000_000
"""Bytes of all members of an archive together."""
MOST_RATIO = 100
"""Of a member's size to its size in the archive, where it is larger than a megabyte."""
MOST_MEMBERS = 1_000
_ZIP = b"PK\x03\x04"
_HEAD = 4096
_PARSED = frozenset({"utf-8", "utf8", "us-ascii", "utf-16-le", "utf-16-be", "utf-16"})
_DECLARED = re.compile(r"^\s*<\?xml\s[^>]{0,200}\?>")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_MOST_CELLS = 30_000_000
"""Of a sheet, blank ones included."""


@dataclass
class Source:
    """One thing to read. Text, documents, XML and the table of it are parsed when asked for, and once."""

    file: str
    """Its name in messages; of a member ``archive.zip/name``, of a sheet ``book.xlsx/sheet``."""
    kind: Kind
    data: bytes = field(repr=False)
    encoding: Encoding
    modified: float
    """When the file was last written, in seconds since 1970."""
    rows: list[list[str]] = field(default_factory=list, repr=False)
    """Of a sheet: its rows as text, blank ones included."""

    @cached_property
    def head(self) -> str:
        """The first few kilobytes as text."""
        return self.data[self.encoding.skip : self.encoding.skip + _HEAD].decode(self.encoding.name, errors="ignore")

    @cached_property
    def text(self) -> str:
        """All of it, decoded."""
        return self.data[self.encoding.skip :].decode(self.encoding.name)

    @cached_property
    def documents(self) -> list[Any]:
        """The JSON documents: one, one on each line, or several one after another. Raises InputError."""
        found = _json_documents(self.text, self.file)
        if _SURROGATE.search(self.text):
            _refuse_halves(found, self.file)
        return found

    def _xml(self) -> bytes:
        """The bytes, where the parser knows their encoding; else as UTF-8, and without what they say of themselves."""
        if self.encoding.name in _PARSED:
            return self.data
        return _DECLARED.sub("", self.text, count=1).encode()

    @cached_property
    def root(self) -> Element:
        """The root of the XML tree; DTDs and entities are refused. Raises InputError. For large files: elements."""
        from xml.etree.ElementTree import ParseError

        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import fromstring

        try:
            root: Element = fromstring(self._xml(), forbid_dtd=True)
        except DefusedXmlException:
            raise _no_dtd(self.file) from None
        except (ParseError, ValueError, LookupError) as problem:
            raise _bad_xml(self.file, problem) from None
        return root

    def elements(self, *tags: str) -> Iterator[Element]:
        """Elements of these local names, whatever their depth, each whole and then forgotten. Raises InputError."""
        from xml.etree.ElementTree import ParseError

        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import iterparse

        wanted = frozenset(tags)
        inside = 0
        trail: list[Element] = []
        try:
            for event, element in iterparse(io.BytesIO(self._xml()), ("start", "end"), forbid_dtd=True):
                name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
                if event == "start":
                    trail.append(element)
                    inside += name in wanted
                    continue
                trail.pop()
                if name in wanted:
                    inside -= 1
                    if not inside:
                        yield element
                if not inside:
                    element.clear()
                    if trail:
                        trail[-1].remove(element)
        except DefusedXmlException:
            raise _no_dtd(self.file) from None
        except (ParseError, ValueError, LookupError) as problem:
            raise _bad_xml(self.file, problem) from None

    def release(self) -> None:
        """Let go of what is read."""
        self.data, self.rows = b"", []
        for name in ("text", "documents", "root", "table"):
            self.__dict__.pop(name, None)

    @cached_property
    def table(self) -> Table | None:
        """Header and rows of CSV, of JSON records, or of a sheet; None where it is no table. Raises InputError."""
        from throttle.ingest.tables import table_of

        return table_of(self)


def open_sources(path: Path, encoding: str | None = None, name: str = "") -> list[Source]:
    """What a file holds. Raises InputError for what is missing, empty, binary, damaged or too large inflated.

    ``name``: what messages call it. Default: the file's name.
    """
    file = name or path.name
    try:
        data = path.read_bytes()
        modified = path.stat().st_mtime
    except OSError as problem:
        raise refusal("unreadable", f"{path} cannot be read: {problem.strerror or problem}", str(path)) from None
    if data.startswith(_ZIP):
        return list(_unpacked(data, file, modified, encoding))
    return [_one(data, file, modified, encoding)]


def _one(data: bytes, file: str, modified: float, encoding: str | None) -> Source:
    choice = _xml_encoding(data) or choose_encoding(data, file, encoding)
    head = data[choice.skip : choice.skip + _HEAD].decode(choice.name, errors="ignore").lstrip("\ufeff \t\r\n")
    if not head:
        raise refusal("empty-file", f"{file} is empty", file)
    return Source(file, _kind(head, file), data, choice, modified)


def _kind(head: str, file: str) -> Kind:
    if head[0] == "<":
        if re.match(r"(?s)<(!doctype\s+)?html|.*<html[\s>]", head.casefold()) and "<rss" not in head:
            what = "a web page (perhaps of a sign-in), which is not read: export as CSV, JSON or XML"
            raise refusal("wrong-file", f"{file} is {what}", file)
        return "xml"
    if head[0] in "{[":
        return "json"
    if head.startswith("ERMHDR"):
        return "xer"
    if re.match(r"B?EGIN:VCALENDAR", head):
        return "ics"
    return "csv"


def _xml_encoding(data: bytes) -> Encoding | None:
    """XML says its own encoding, which its parser obeys."""
    if m := re.match(rb"(?:\xef\xbb\xbf)?\s*<\?xml\s[^>]{0,100}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']", data):
        name = m[1].decode("ascii")
        try:
            data[:_HEAD].decode(name, errors="ignore")
        except (LookupError, ValueError):
            return None
        skip = 3 if data.startswith(b"\xef\xbb\xbf") and name.casefold().replace("-", "") == "utf8" else 0
        return Encoding(name.casefold(), "XML declaration", skip)
    return None


def _no_dtd(file: str) -> Exception:
    message = f"{file} has a document type or entities, as no ticket export does: export it again"
    return refusal("xml-dtd", message, file)


def _bad_xml(file: str, problem: Exception) -> Exception:
    line = getattr(problem, "position", (None, None))[0]
    cut = "no element found" in str(problem) or "unclosed" in str(problem)
    what = "is cut off" if cut else "is not sound XML"
    where = f" at line {line}" if line else ""
    return refusal("truncated" if cut else "bad-xml", f"{file} {what}{where}: export it again", file)


# ---------------------------------------------------------------------------------------------------------- archives


def _unpacked(data: bytes, file: str, modified: float, encoding: str | None) -> Iterator[Source]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _checked(archive, file)
            if any(member.filename in ("xl/workbook.xml", "xl/workbook.bin") for member in members):
                yield from _sheets(data, file, modified)
                return
            found = 0
            for member in members:
                name = member.filename.rpartition("/")[2]
                if member.is_dir() or not name or name.startswith((".", "__MACOSX")) or "__MACOSX" in member.filename:
                    continue
                found += 1
                shown = f"{file}/{_printable(member.filename)}"
                inside = _inflated(archive, member, shown)
                if inside.startswith(_ZIP):
                    raise refusal("archive", f"{shown} is an archive in an archive: unpack it first", file)
                yield _one(inside, shown, modified, encoding)
            if not found:
                raise refusal("empty-file", f"{file} is an archive without files", file)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError, ValueError) as problem:
        raise _bad_archive(file, problem) from None
    except RuntimeError:
        raise refusal("archive", f"{file} is protected by a password: unpack it first", file) from None


def _bad_archive(file: str, problem: Exception) -> Exception:
    what = "is damaged or cut off" if isinstance(problem, zipfile.BadZipFile | EOFError) else "cannot be unpacked"
    return refusal("archive", f"{file} is an archive or workbook that {what}: export it again", file)


def _checked(archive: zipfile.ZipFile, file: str) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise refusal("archive", f"{file} has {len(members):,} members; at most {MOST_MEMBERS:,} are read", file)
    total = sum(member.file_size for member in members)
    if total > MOST_INFLATED:
        raise refusal(
            "archive",
            f"{file} inflates to {total / 1e6:,.0f} MB; at most {MOST_INFLATED / 1e6:,.0f} MB are read: give the files "
            "themselves",
            file,
        )
    for member in members:
        if member.file_size > 1_000_000 and member.file_size > MOST_RATIO * member.compress_size:
            raise refusal("archive", f"{file} has a member that inflates more than {MOST_RATIO}-fold: refused", file)
    return members


def _inflated(archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: str) -> bytes:
    """A member, and not one byte more than it declares, whatever is in it."""
    import zlib

    try:
        with archive.open(member) as stream:
            data = stream.read(member.file_size + 1)
    except zlib.error:
        raise refusal("archive", f"{file} is damaged: export it again", file) from None
    if len(data) > member.file_size:
        raise refusal("archive", f"{file} is larger than its archive says: refused", file)
    return data


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)[-120:]


def _sheets(data: bytes, file: str, modified: float) -> Iterator[Source]:
    """Each sheet that is not empty, as text cells: dates as ISO, whole numbers without a point."""
    import warnings

    from openpyxl import load_workbook

    found = 0
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):  # openpyxl prints what it finds odd
            warnings.simplefilter("ignore")  # of styles and extensions that are not read
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # what a sheet says of its size is often wrong
                rows, cells = [], 0
                for row in sheet.iter_rows(values_only=True):
                    if (cells := cells + len(row)) > _MOST_CELLS:
                        raise refusal("archive", f"{file} has a sheet of more than {_MOST_CELLS:,} cells", file)
                    rows.append([_cell_text(cell) for cell in row])
                while rows and not any(rows[-1]):
                    rows.pop()
                if rows:
                    found += 1
                    choice = Encoding("utf-8", "workbook")
                    name = file if len(book.worksheets) == 1 else f"{file}/{_printable(sheet.title)}"
                    yield Source(name, "sheet", b"", choice, modified, rows)
            book.close()
    except InputError:
        raise
    except Exception:  # openpyxl raises KeyError, TypeError, ParseError and more for damaged books
        raise refusal("archive", f"{file} is a workbook that cannot be read: save it again, or as CSV", file) from None
    if not found:
        raise refusal("empty-file", f"{file} is a workbook without rows", file)


def _cell_text(value: Any) -> str:
    from datetime import date, datetime, time, timedelta

    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return str(value)


# -------------------------------------------------------------------------------------------------------------- JSON


def _json_documents(text: str, file: str) -> list[Any]:
    try:
        return [json.loads(text, parse_constant=str)]
    except RecursionError:
        raise refusal("bad-json", f"{file} is nested too deeply to be a ticket export", file) from None
    except json.JSONDecodeError as problem:
        if problem.msg == "Extra data" and (several := _one_after_another(text)) is not None:
            return several
        cut = problem.pos >= len(text.rstrip()) - 1 or problem.msg.startswith("Unterminated")
        what = "is cut off" if cut else "is not sound JSON"
        code = "truncated" if cut else "bad-json"
        raise refusal(
            code, f"{file} {what} at line {problem.lineno}, column {problem.colno}: export it again", file
        ) from None
    except ValueError:
        raise refusal("bad-json", f"{file} holds a number that is too long to be one", file) from None


def _one_after_another(text: str) -> list[Any] | None:
    decoder = json.JSONDecoder(parse_constant=str)
    found, at = [], 0
    blank = re.compile(r"\s*")
    try:
        while (at := blank.match(text, at).end()) < len(text):  # type: ignore[union-attr]
            document, at = decoder.raw_decode(text, at)
            found.append(document)
    except (ValueError, RecursionError):
        return None
    return found


def _refuse_halves(documents: list[Any], file: str) -> None:
    """Raise InputError for half of a surrogate pair, which no file can hold; names the record and its field."""
    for where, row, column in _halves(documents[0] if len(documents) == 1 else documents):
        raise refusal(
            "bad-json", f"{file} has half of a \\u surrogate pair {where}, which is no character; correct it",
            file, row=row, column=column,
        )  # fmt: skip


def _halves(content: Any) -> Iterator[tuple[str, int | None, str | None]]:
    while isinstance(content, dict) and (lists := [v for v in content.values() if isinstance(v, list)]):
        content = max(lists, key=len)
    for number, record in enumerate(content if isinstance(content, list) else [content], 1):
        for key, value in record.items() if isinstance(record, dict) else [("", record)]:
            shown = str(key).encode(errors="backslashreplace").decode()
            try:
                str(key).encode()
            except UnicodeEncodeError:
                yield f"in a field's name of row {number}", number, shown
            try:
                json.dumps(value, ensure_ascii=False).encode()
            except UnicodeEncodeError:
                yield f"in row {number}, column {shown!r}", number, shown
            except (RecursionError, ValueError):
                yield f"or something nested too deeply in row {number}", number, shown
