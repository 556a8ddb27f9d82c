"""Tables to tickets: the same fields for every tracker, each cell read once, by position."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from throttle.errors import InputError
from throttle.ingest.dates import DateColumn, Undecided, read_columns
from throttle.ingest.decode import Encoding
from throttle.ingest.effort import MOST_MINUTES
from throttle.ingest.intake import LISTS, MINUTES, Intake, Unread
from throttle.ingest.notes import Notes, refusal, some
from throttle.ingest.options import ReadOptions
from throttle.ingest.people import name_and_account
from throttle.ingest.readers import AnyReader, DocumentReader, Reader, Use
from throttle.ingest.records import DayOff, Rejection, Resource, Share, Ticket, Tie
from throttle.ingest.source import Source, open_sources
from throttle.ingest.tables import Row, Table
from throttle.ingest.values import Mark, blank, current_sprint, fold, marks, minutes, number, several, yes
from throttle.ingest.words import UNASSIGNED
from throttle.wording import plural
from throttle_models import Calendar, Column, ColumnMeaning, External, Finding, LinkType, Mapping, Project, Status

C = Column

DATES = (
    C.CREATED,
    C.UPDATED,
    C.STARTED,
    C.FINISHED,
    C.CATEGORY_CHANGED,
    C.VIEWED,
    C.DUE,
    C.PLANNED_START,
    C.PLANNED_END,
    C.NOT_BEFORE,
)
_TEXTS = {
    C.TITLE: "title",
    C.TYPE: "type",
    C.STATUS: "status",
    C.STATUS_CATEGORY: "category",
    C.RESOLUTION: "resolution",
    C.PROJECT: "project",
    C.PROJECT_TITLE: "project_title",
    C.GROUP: "group",
    C.TEAM: "team",
    C.PRIORITY: "priority",
    C.CHANGE_KIND: "change_kind",
    C.RISK: "risk",
    C.APPROVAL: "approval",
}
"""Columns whose first text is a field of the ticket."""
_MOMENTS = {
    column: column.value for column in (C.CREATED, C.UPDATED, C.STARTED, C.FINISHED, C.CATEGORY_CHANGED, C.VIEWED)
}
FIELDS: dict[str, tuple[C, ...]] = {
    **{name: (column,) for columns in (_TEXTS, LISTS, MINUTES, _MOMENTS) for column, name in columns.items()},
    **{c.value: (c,) for c in (C.ACTIVE, C.ASSIGNEE, C.ASSIGNEE_ID, C.DUE, C.NOT_BEFORE, C.POINTS, C.SPRINT)},
    "crew": (C.ASSIGNEE,),
    "spent": (C.TIME_SPENT, C.WORK_LOG),
    "planned": (C.PLANNED_START, C.PLANNED_END),
    "range": (C.LOW_ESTIMATE, C.HIGH_ESTIMATE),
    "links": (C.LINK, C.WAITS_FOR, C.BLOCKS),
    "on_hold": (C.ON_HOLD,),
}
"""Fields of a ticket, and the columns that say them."""
NUMBERS = frozenset({*MINUTES, C.LOW_ESTIMATE, C.HIGH_ESTIMATE, C.POINTS})
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(-\d+)?", re.IGNORECASE)


CERTAIN = 0.3
"""How sure of a file its reader must be."""


@dataclass
class Loaded:
    """One source and how it was read."""

    file: str
    encoding: Encoding
    modified: float
    reader: AnyReader
    header: list[str]
    uses: list[Use]
    dates: list[DateColumn]
    zone: str
    zone_known: bool
    rows_read: int = 0
    rejections: list[Rejection] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    days_off: list[DayOff] = field(default_factory=list)
    calendars: dict[str, Calendar] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    external: dict[str, External] = field(default_factory=dict)
    said_zone: str | None = None
    counts: Counter[str] = field(default_factory=Counter)
    """Cells that are not blank, by header that was read."""
    outside: dict[str, tuple[str, Status]] = field(default_factory=dict)
    """Title and status of what links name and no row is, where the file shows them."""
    columns: dict[str, str] = field(default_factory=dict)
    """Header or field to what it was read as."""


def load(
    paths: Sequence[Path],
    readers: Sequence[AnyReader],
    mapping: Mapping,
    options: ReadOptions,
    zone: str | None,
    notes: Notes,
    least: float = CERTAIN,
) -> list[Loaded]:
    """Read every file. Raises one InputError with all that is wrong with all of them.

    ``least``: how sure the surest reader of a file must be.
    """
    problems: list[Finding] = []
    loaded: list[Loaded] = []
    if not paths:
        raise refusal("no-files", "no file was named")
    names = [reader.name for reader in readers]
    if strange := [name for name in mapping.columns if name not in names]:
        near = [name for name in names if name.startswith(strange[0][:4])] or names
        raise refusal(
            "bad-mapping", f"columns of the mapping names {strange[0]}, which is no reader; write {' or '.join(near)}"
        )
    for path, name in zip(paths, _shown(paths), strict=True):
        try:
            loaded += _load_file(path, name, readers, mapping, options, zone, notes, least)
        except InputError as error:
            problems += error.findings
    if problems:
        raise InputError(problems)
    for reader in {file.reader.name: None for file in loaded}:
        headers: set[str] = set()
        for file in (file for file in loaded if file.reader.name == reader):
            headers |= {*file.header, *file.columns}
            if isinstance(file.reader, Reader):
                headers |= {file.reader.short(header) for header in file.header}
        if absent := [h for h in mapping.columns.get(reader, ()) if h not in headers]:
            notes.add(
                "info",
                "mapping-unused",
                f"{plural(len(absent), 'column')} of the mapping for {reader} in none of its files: {some(absent)}",
                count=len(absent),
            )
    return loaded


def _shown(paths: Sequence[Path]) -> list[str]:
    """A name for each file: its own, or that with its folder where two are called the same."""
    several = Counter(path.name for path in paths)
    near = ["/".join(path.parts[-2:]) if several[path.name] > 1 else path.name for path in paths]
    again = Counter(near)
    return [name if again[name] == 1 else str(path) for path, name in zip(paths, near, strict=True)]


def _load_file(
    path: Path,
    name: str,
    readers: Sequence[AnyReader],
    mapping: Mapping,
    options: ReadOptions,
    zone: str | None,
    notes: Notes,
    least: float,
) -> list[Loaded]:
    """All that a file holds; of several sheets or members, those that are no export are told and left out."""
    sources = open_sources(path, options.encoding, name)
    loaded: list[Loaded] = []
    strange: list[InputError] = []
    several = len(sources) > 1
    while sources:
        source = sources.pop(0)  # so that what is read is not kept
        try:
            loaded.append(_load(source, readers, mapping, options, zone, notes, least))
        except RecursionError:
            message = f"{source.file} is nested too deeply to be a ticket export"
            raise refusal("nested", message, source.file) from None
        except InputError as error:
            if not several or error.findings[0].code not in ("unknown-export", "wrong-file", "no-rows", "wrong-table"):
                raise
            strange.append(error)
    if not loaded:
        raise strange[0]
    for stranger in strange:
        left = stranger.findings[0]
        notes.add("warning", "not-read", f"left out: {left.message}", file=left.file)
    return loaded


@dataclass
class Recognised:
    """The reader of a source; of one that reads columns, the table and what its columns mean."""

    reader: AnyReader
    table: Table | None = None
    uses: list[Use] = field(default_factory=list)


def recognise(source: Source, readers: Sequence[AnyReader], mapping: Mapping, least: float = CERTAIN) -> Recognised:
    """The reader that is surest of the source, by its content. Raises InputError where none is."""
    best, choice = 0.0, None
    for reader in readers:
        if isinstance(reader, DocumentReader):
            sure, found = reader.certainty(source), Recognised(reader)
        elif (table := reader.open(source)) is None:
            continue
        else:
            uses = _overlay(reader, table, mapping.columns.get(reader.name, {}))
            sure, found = reader.certainty(table, uses), Recognised(reader, table, uses)
        if sure > best:
            best, choice = sure, found
    file = source.file
    if best < least or choice is None:
        if source.kind == "json" and source.table is None:
            raise refusal("wrong-file", f'{file} is JSON without records: a list of them, or {{"result": [...]}}', file)
        names = ", ".join(dict.fromkeys(r.system for r in readers))
        what = "XML" if source.kind == "xml" else "a table" if source.kind in ("csv", "sheet") else source.kind
        why = (
            ": its header names no column of ticket ids with the usual fields; export with all fields, or name the "
            "columns in map.yaml, such as columns: {plain: {HEADER: id, HEADER: title, HEADER: original_estimate}}"
            if what == "a table"
            else "; export again from the tracker, or save it as CSV or JSON"
        )
        raise refusal(
            "unknown-export",
            f"{file} is {what}, but is no export that is known ({names}){why}",
            file,
        )
    objection = (
        choice.reader.objection(source)
        if isinstance(choice.reader, DocumentReader)
        else choice.reader.objection(choice.table, choice.uses)  # type: ignore[arg-type]
    )
    if objection:
        raise refusal("wrong-table", f"{file} {objection}", file)
    return choice


def _overlay(reader: Reader, table: Table, said: dict[str, ColumnMeaning]) -> list[Use]:
    """What the reader proposes; what a person wrote of a column, by its header or short name, counts before that."""
    uses = reader.propose(table)
    if not said:
        return uses
    by_index = {use.index: use for use in uses}
    for i, header in enumerate(table.header):
        if (meaning := said.get(header, said.get(reader.short(header)))) is None:
            continue
        use = by_index.get(i)
        if use is None:
            by_index[i] = Use(i, header, meaning, -1)
        elif use.meaning.means is not meaning.means or meaning.unit not in (None, use.meaning.unit):
            by_index[i] = replace(use, meaning=meaning, preference=-1)
        else:
            more = {n: getattr(meaning, n) for n in ("separator", "decimal") if getattr(meaning, n) is not None}
            if any(value != getattr(use.meaning, name) for name, value in more.items()):
                by_index[i] = replace(use, meaning=use.meaning.model_copy(update=more))
    return [by_index[i] for i in sorted(by_index)]


def _load(
    source: Source,
    readers: Sequence[AnyReader],
    mapping: Mapping,
    options: ReadOptions,
    zone: str | None,
    notes: Notes,
    least: float,
) -> Loaded:
    choice = recognise(source, readers, mapping, least)
    if source.encoding.fallback:
        notes.add(
            "warning",
            "encoding-fallback",
            f"{source.file} is not UTF-8 and was read as Windows-1252; if letters come out wrong, say --encoding, "
            "such as mac_roman or gb18030",
            file=source.file,
        )
    if choice.table is None:
        loaded = _read_document(source, choice.reader, mapping, options, zone, notes)
    else:
        loaded = _read_table(source, choice, options, zone, notes)
    if not loaded.rows_read and not loaded.calendars:
        what = "a header but no rows" if source.kind in ("csv", "sheet") else "no records"
        raise refusal("no-rows", f"{loaded.file} has {what}", loaded.file)
    if loaded.rows_read in (1_000, 5_000, 10_000):
        notes.add(
            "warning",
            "probably-truncated",
            f"{loaded.file} has exactly {loaded.rows_read:,} rows, a usual limit of exports: probably truncated; "
            "export the rest and give all files together",
            file=loaded.file,
        )
    return loaded


def _read_document(
    source: Source, reader: AnyReader, mapping: Mapping, options: ReadOptions, zone: str | None, notes: Notes
) -> Loaded:
    assert isinstance(reader, DocumentReader)
    known = options.zone or zone
    unread = Unread(source.file)
    intake = Intake(source.file, reader.name, mapping, options, ZoneInfo(known or "UTC"), notes, unread)
    loaded = Loaded(source.file, source.encoding, source.modified, reader, [], [], [], known or "UTC", True)
    for entry in reader.read(source, intake):
        loaded.rows_read += 1
        if isinstance(entry, Ticket):
            entry.type = entry.type or reader.default_type
            loaded.tickets.append(entry)
        elif isinstance(entry, Rejection):
            loaded.rejections.append(entry)
        elif isinstance(entry, Resource):
            loaded.resources.append(entry)
        else:
            loaded.days_off.append(entry)
    unread.tell(notes)
    loaded.zone_known = known is not None or not intake.naive
    loaded.calendars, loaded.projects = intake.calendars, intake.projects
    loaded.external, loaded.said_zone = intake.external, intake.said_zone
    loaded.zone = str(intake.zone)
    loaded.uses = [Use(i, name, meaning) for i, (name, meaning) in enumerate(intake.columns.items())]
    loaded.header = [use.header for use in loaded.uses]
    loaded.counts = intake.counts
    return loaded


def _read_table(source: Source, choice: Recognised, options: ReadOptions, zone: str | None, notes: Notes) -> Loaded:
    table, reader = choice.table, choice.reader
    assert table is not None
    assert isinstance(reader, Reader)
    uses = [use for use in choice.uses if use.meaning.means is not C.IGNORE]
    _tell_unread(table, choice, notes)
    rows = table.project([use.index for use in uses])
    source.release()
    utc = table.values in ("raw", "all")
    known_zone = "UTC" if utc else options.zone or zone
    place = known_zone or "UTC"
    places = {
        column: [(i, use) for i, use in enumerate(uses) if use.meaning.means is column]
        for column in dict.fromkeys(use.meaning.means for use in uses)
    }
    for found in places.values():
        found.sort(key=lambda pair: (pair[1].preference, pair[0]))
    dated = [(i, use) for column in DATES for i, use in places.get(column, ())]
    try:
        dates = read_columns(
            [(use.header, dict.fromkeys(c for _, row in rows if (c := row[i])), ZoneInfo(place)) for i, use in dated],
            options.date_order,
        )
    except Undecided as undecided:
        raise InputError(
            [
                Finding(
                    level="error",
                    code="date-order",
                    message=f"{table.file}: {text}; say --date-order dmy or mdy (date_order), or export with ISO dates",
                    file=table.file,
                    column=header,
                )
                for header, text in undecided.problems
            ]
        ) from None
    numbers = _marks(table, reader.name, uses, rows)
    loaded = Loaded(
        table.file, table.encoding, table.modified, reader, table.header, uses, dates, place, known_zone is not None,
        table.rows_read, table.rejections,
    )  # fmt: skip
    loaded.outside = table.outside
    loaded.columns = {use.header: use.meaning.means.value for use in uses}
    for code, message, count in table.remarks:
        notes.add("warning", code, f"{table.file} {message}", file=table.file, count=count)
    _Rows(loaded, places, {i: d for (i, _), d in zip(dated, dates, strict=True)}, numbers, notes).read(rows)
    return loaded


_TELLING = re.compile(
    r"\b(?:effort|estimates?|estimated|estimation|hours|man.?days|person.?days|story points|due|deadline|predecessors?"
    r"|depends|dependenc(?:y|ies)|blocked by|percent|complete|aufwand|schatzung|stunden|personentage|fallig|frist"
    r"|vorganger|abhangig|esfuerzo|estimacion|horas|vencimiento|plazo|predecesor|charge|estimee?|echeance|heures"
    r"|esforco|estimativa|prazo)\b"
)
"""Words in a header that nobody knows which say that a plan would need what is in it."""
_SUMS = re.compile(r"^(?:σ|sum of )|\bcount\b|\bcompletion\b|\bcomplete sla\b|work ratio")


def _tell_unread(table: Table, choice: Recognised, notes: Notes) -> None:
    """Columns with cells that are not read, although their name speaks of effort, dates or order."""
    read = {use.index for use in choice.uses}
    found = [
        header
        for i, header in enumerate(table.header)
        if i not in read
        and _TELLING.search(name := fold(header).replace("_", " "))
        and not _SUMS.search(name)
        and table.column(i)
    ]
    if found:
        names = list(dict.fromkeys(map(repr, found)))
        notes.add(
            "warning",
            "unread-column",
            f"{table.file}: {plural(len(names), 'column')} not read, though the name speaks of effort, dates or order: "
            f"{some(names)}; throttle map writes a mapping, in which columns: {choice.reader.name}: is to say what "
            f"each means, such as {names[0]}: {{means: original_estimate, unit: d}}, or ignore",
            file=table.file,
            column=found[0],
            count=len(names),
        )


def _marks(table: Table, reader: str, uses: list[Use], rows: list[Row]) -> dict[int, Mark]:
    """The decimal mark of each column of numbers, by all its cells, else by the other such columns.

    Raises InputError for columns whose numbers can be read in two ways. Spreadsheets and JSON hold numbers as such, so
    that a point is one.
    """
    columns = [(i, use) for i, use in enumerate(uses) if use.meaning.means in NUMBERS]
    found: dict[int, tuple[set[Mark], bool]] = {}
    for i, use in columns:
        proved: set[Mark] = set()
        doubtful: list[str] = []
        for cell in {row[i] for _, row in rows}:
            more, either = marks(cell)
            proved |= more
            doubtful += [cell] if either else []
        if doubtful and not proved and use.meaning.means is not C.POINTS and use.meaning.unit in (None, "s"):
            proved = {"," if "." in cell else "." for cell in doubtful}  # seconds are whole
        unsure = bool(doubtful)
        found[i] = ({use.meaning.decimal}, False) if use.meaning.decimal else (proved, unsure)
    pool: set[Mark] = set().union(*(proved for proved, _ in found.values()))
    decided: dict[int, Mark] = {}
    problems: list[Finding] = []
    for i, use in columns:
        proved, unsure = found[i]
        known = proved or pool
        if len(known) == 1 and (proved or unsure):
            decided[i] = next(iter(known))
        elif unsure and table.kind != "csv":
            decided[i] = "."
        elif unsure:
            unit = f", unit: {use.meaning.unit}" if use.meaning.unit else ""
            line = f"{{{reader}: {{{use.header!r}: {{means: {use.meaning.means.value}{unit}, decimal: ','}}}}}}"
            what = (
                "some numbers have a decimal comma, others a decimal point, and" if known else "nothing tells whether"
            )
            also = "some can be both" if known else "a point or a comma stands before decimals or between thousands"
            message = (
                f"{table.file}: {what} {also} in column {use.header!r}; say which one it is in map.yaml, columns: "
                f"{line} (or '.'), and give that with --map"
            )
            problems.append(
                Finding(level="error", code="number-format", message=message, file=table.file, column=use.header)
            )
    if problems:
        raise InputError(problems)
    return decided


_TYPED = re.compile(r"(.*\d)(FS|SS|FF|SF)(?:([+-]\d+(?:\.\d+)?)(m|h|d|w|mins?|hrs?|hours?|days?|wks?|weeks?))?")
"""``12FS+2d``: which ends are meant and the lag, behind an id, as Microsoft Project and MS-like tables write it."""


def _tie(other: str, outward: bool, kind: str, origin: str) -> Tie:
    if not kind and other[-1:] in "SFmhdwnrsyk" and (m := _TYPED.fullmatch(other)):
        lag = f"{m[3].removeprefix('+')}{m[4][0]}" if m[3] else "0"
        return Tie(m[1], outward, origin=origin, type=LinkType(m[2]), lag=lag)
    return Tie(other, outward, kind, origin)


class _Rows:
    """The rows of one table, cell by cell."""

    def __init__(
        self,
        loaded: Loaded,
        places: dict[C, list[tuple[int, Use]]],
        dates: dict[int, DateColumn],
        marks: dict[int, Mark],
        notes: Notes,
    ) -> None:
        assert isinstance(loaded.reader, Reader)
        self.loaded, self.reader, self.notes = loaded, loaded.reader, notes
        self.file = loaded.file
        self.places = {column: [i for i, _ in found] for column, found in places.items()}
        self.dates, self.marks = dates, marks
        self.uses = loaded.uses
        self.unread = Unread(loaded.file)
        self.links = [(i, use.outward, use.link_type, use.header) for i, use in places.get(C.LINK, ()) if use.link_type]
        self.links += [(i, True, "", use.header) for i, use in places.get(C.BLOCKS, ())]
        self.links += [(i, False, "", use.header) for i, use in places.get(C.WAITS_FOR, ())]
        self.texts = self._present(_TEXTS)
        self.lists = self._present(LISTS)
        self.moments = [(column, name, indexes) for column, name in _MOMENTS.items() if (indexes := self._at(column))]
        self.minutes = [(name, indexes) for column, name in MINUTES.items() if (indexes := self._at(column))]
        self.separators = {i: use.meaning.separator for i, use in enumerate(self.uses) if use.meaning.separator}
        for column in (C.BLOCKS, C.WAITS_FOR):
            for i in self.places.get(column, ()):
                self.separators.setdefault(i, ",; \t\n\r")

    def read(self, rows: list[Row]) -> None:
        for use, column in zip(self.uses, zip(*(cells for _, cells in rows), strict=True), strict=False):
            self.loaded.counts[use.header] += len(column) - column.count("")
        rows.reverse()
        while rows:  # what is read is let go
            row, cells = rows.pop()
            if not any(cells):
                self._reject(row, None, "is blank")
                continue
            id = self._first(cells, C.ID)
            if not id:
                self._reject(row, self._header(C.ID), "has no id")
            elif not self.reader.id_pattern.fullmatch(id):
                self._reject(row, self._header(C.ID), f"holds no {self.reader.id_is.split(' ', 1)[1]}")
            else:
                self.loaded.tickets.append(self._ticket(id, row, cells))
        self.unread.tell(self.notes)
        self._check_unit()

    def _reject(self, row: int, column: str | None, reason: str) -> None:
        self.loaded.rejections.append(Rejection(self.file, row, column, reason))

    def _header(self, column: C) -> str | None:
        return self.uses[self.places[column][0]].header if column in self.places else None

    def _at(self, column: C) -> list[int]:
        return self.places.get(column, [])

    def _present(self, columns: dict[C, str]) -> list[tuple[str, list[int]]]:
        """(field, columns) of those that the table has."""
        return [(name, indexes) for column, name in columns.items() if (indexes := self._at(column))]

    def _first(self, cells: tuple[str, ...], column: C) -> str:
        for i in self._at(column):
            if cells[i]:
                return cells[i]
        return ""

    def _all(self, cells: tuple[str, ...], indexes: list[int]) -> list[str]:
        found: list[str] = []
        for i in indexes:
            if cell := cells[i]:
                if (separator := self.separators.get(i)) is None:
                    found.append(cell)
                else:
                    found += [part for part in several(cell, separator) if not blank(part)]
        return found

    def _date(self, cells: tuple[str, ...], indexes: list[int], row: int, code: str) -> tuple[DateColumn, str] | None:
        for i in indexes:
            if cell := cells[i]:
                read = self.dates[i]
                if read.moment(cell) is not None:
                    return read, cell
                self.unread.add(read.header, code, "no date in the format of the column", row)
        return None

    def _moment(self, cells: tuple[str, ...], column: C, row: int) -> datetime | None:
        found = self._date(cells, self._at(column), row, "unread-date")
        return found[0].moment(found[1]) if found else None

    def _when(self, cells: tuple[str, ...], column: C, row: int) -> date | datetime | None:
        found = self._date(cells, self._at(column), row, "unread-date")
        return found[0].when(found[1], self.reader.midnight_is_date) if found else None

    def _minutes(self, cells: tuple[str, ...], indexes: list[int], row: int) -> float | None:
        for i in indexes:
            if cell := cells[i]:
                use = self.uses[i]
                value = minutes(cell, use.meaning.unit or "s", self.marks.get(i))
                if value is not None and 0 <= value <= MOST_MINUTES:
                    return value
                self.unread.add(use.header, "unread-duration", "no duration that can be", row)
        return None

    def _points(self, cells: tuple[str, ...], row: int) -> float | None:
        for i in self._at(C.POINTS):
            if cell := cells[i]:
                value = number(cell, self.marks.get(i))
                if value is not None and 0 <= value < 10_000:
                    return value or None
                self.unread.add(self.uses[i].header, "unread-number", "no number that can be", row)
        return None

    def _ticket(self, id: str, row: int, cells: tuple[str, ...]) -> Ticket:
        first = self._first
        ticket = Ticket(id, self.file, row, self.reader)
        for name, indexes in self.texts:
            for i in indexes:
                if cells[i]:
                    setattr(ticket, name, cells[i])
                    break
        for name, indexes in self.lists:
            if found := self._all(cells, indexes):
                setattr(ticket, name, found)
        for column, name, indexes in self.moments:
            code = "unread-viewed" if column is C.VIEWED else "unread-date"
            if (dated := self._date(cells, indexes, row, code)) is not None:
                setattr(ticket, name, dated[0].moment(dated[1]))
        for name, indexes in self.minutes:
            setattr(ticket, name, self._minutes(cells, indexes, row))
        for i, outward, kind, header in self.links:
            if cell := cells[i]:
                separator = self.separators.get(i)
                others = several(cell, separator) if separator else (cell,)
                ticket.links += [_tie(other, outward, kind, header) for other in others]
        ticket.type = ticket.type or self.reader.default_type
        ticket.project = ticket.project or self.reader.project_of(id)
        if active := first(cells, C.ACTIVE):
            ticket.active = yes(active)
        if people := self._people(cells):
            ticket.assignee, ticket.assignee_id = people[0]
            if len(people) > 1:
                ticket.crew = [Share(name, account) for name, account in people]
        if (who := first(cells, C.ASSIGNEE_ID)) and fold(who) not in UNASSIGNED:
            ticket.assignee_id = who
        if ticket.team and _UUID.fullmatch(ticket.team):
            ticket.team = ""
        if C.DUE in self.places:
            ticket.due = self._when(cells, C.DUE, row)
        if C.NOT_BEFORE in self.places:
            ticket.not_before = self._when(cells, C.NOT_BEFORE, row)
        if C.PLANNED_START in self.places or C.PLANNED_END in self.places:
            ticket.planned = self._moment(cells, C.PLANNED_START, row), self._moment(cells, C.PLANNED_END, row)
        if C.LOW_ESTIMATE in self.places and C.HIGH_ESTIMATE in self.places:
            low = self._minutes(cells, self._at(C.LOW_ESTIMATE), row)
            high = self._minutes(cells, self._at(C.HIGH_ESTIMATE), row)
            ticket.range = (low, high) if low is not None and high is not None else None
        if ticket.spent is None and C.WORK_LOG in self.places:
            logged = [minutes(cell.rpartition(";")[2]) for i in self._at(C.WORK_LOG) if (cell := cells[i])]
            ticket.spent = sum(filter(None, logged)) if logged else None
        if C.POINTS in self.places:
            ticket.points = self._points(cells, row)
        if version := first(cells, C.VERSION):
            value = number(version)
            ticket.version = None if value is None else int(value)
        if entered := self._all(cells, self._at(C.SPRINT)):
            ticket.sprint = current_sprint(entered)
        if hold := first(cells, C.ON_HOLD):
            ticket.on_hold = yes(hold)
        return ticket

    def _people(self, cells: tuple[str, ...]) -> list[tuple[str, str]]:
        """(name, account) of each assignee, each once."""
        found = self._all(cells, self._at(C.ASSIGNEE))
        pairs = [name_and_account(name) for name in found]
        return list(dict.fromkeys(pair for pair in pairs if pair[0] and fold(pair[0]) not in UNASSIGNED))

    def _check_unit(self) -> None:
        """Whole seconds below a quarter of an hour throughout are more likely hours of a file that was edited."""
        for column, name in ((C.ORIGINAL_ESTIMATE, "original"), (C.REMAINING_ESTIMATE, "remaining")):
            stated = [v for t in self.loaded.tickets if (v := getattr(t, name))]
            if len(stated) >= 3 and max(stated) < 15:
                header = self._header(column)
                self.notes.add(
                    "warning",
                    "duration-unit",
                    f"{self.file}: no cell of column {header!r} reaches 15 minutes if it is in seconds; if it "
                    "is in hours, "
                    f"write in map.yaml: {{means: {column.value}, unit: h}}",
                    file=self.file,
                    column=header,
                    count=len(stated),
                )
