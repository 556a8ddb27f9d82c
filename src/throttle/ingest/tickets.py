"""Tables to tickets: the same fields for every tracker, each cell read once, by position."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from throttle.errors import InputError
from throttle.ingest.dates import DateColumn, DateOrder, Undecided, read_columns
from throttle.ingest.notes import Notes, refusal, some
from throttle.ingest.readers import Reader, Use
from throttle.ingest.tables import Rejection, Row, Table, open_table
from throttle.ingest.values import blank, fold, minutes, number, yes
from throttle.ingest.words import UNASSIGNED
from throttle.wording import plural
from throttle_models import Column, ColumnMeaning, Finding, Mapping

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
_MOST_MINUTES = 60 * 50_000
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(-\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class ReadOptions:
    """What the caller knows of the files and they do not say."""

    encoding: str | None = None
    """Declared encoding of files without a byte order mark."""
    date_order: DateOrder | None = None
    """``dmy`` or ``mdy`` for numeric dates that nothing else settles."""
    zone: str | None = None
    """Time zone of times without an offset. Default: the team file's, else UTC."""


@dataclass(slots=True)
class Ticket:
    """One row, as its tracker has it. Times are UTC, durations are working minutes."""

    id: str
    file: str
    row: int
    reader: Reader
    aliases: list[str] = field(default_factory=list)
    title: str = ""
    type: str = ""
    status: str = ""
    category: str = ""
    resolution: str = ""
    active: bool | None = None
    project: str = ""
    project_title: str = ""
    parents: list[str] = field(default_factory=list)
    assignee: str = ""
    assignee_id: str = ""
    components: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    group: str = ""
    team: str = ""
    priority: str = ""
    created: datetime | None = None
    updated: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    category_changed: datetime | None = None
    viewed: datetime | None = None
    due: date | datetime | None = None
    planned: tuple[datetime | None, datetime | None] = (None, None)
    original: float | None = None
    remaining: float | None = None
    spent: float | None = None
    points: float | None = None
    links: list[tuple[str, bool, str, str]] = field(default_factory=list)
    """(other id, outward, link type, column); without a type, the outward end comes first."""
    change_kind: str = ""
    risk: str = ""
    services: list[str] = field(default_factory=list)
    approval: str = ""
    on_hold: bool = False


@dataclass
class Loaded:
    """One file and how it was read."""

    table: Table
    reader: Reader
    uses: list[Use]
    dates: list[DateColumn]
    zone: str
    zone_known: bool
    tickets: list[Ticket] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """Cells that are not blank, by header that was read."""


def load(
    paths: Sequence[Path],
    readers: Sequence[Reader],
    mapping: Mapping,
    options: ReadOptions,
    zone: str | None,
    notes: Notes,
) -> list[Loaded]:
    """Read every file. Raises one InputError with all that is wrong with all of them."""
    problems: list[Finding] = []
    loaded = []
    if not paths:
        raise refusal("no-files", "no file was named")
    names = [reader.name for reader in readers]
    if strange := [name for name in mapping.columns if name not in names]:
        raise refusal(
            "bad-mapping", f"columns of the mapping names {strange[0]}, which is no reader; write {' or '.join(names)}"
        )
    for path in paths:
        try:
            loaded.append(_load(path, readers, mapping, options, zone, notes))
        except InputError as error:
            problems += error.findings
    if problems:
        raise InputError(problems)
    for reader in {file.reader.name: None for file in loaded}:
        headers = {header for file in loaded if file.reader.name == reader for header in file.table.header}
        if absent := [h for h in mapping.columns.get(reader, ()) if h not in headers]:
            notes.add(
                "info",
                "mapping-unused",
                f"{plural(len(absent), 'column')} of the mapping for {reader} in none of its files: {some(absent)}",
                count=len(absent),
            )
    return loaded


def recognise(table: Table, readers: Sequence[Reader], mapping: Mapping) -> tuple[Reader, list[Use]]:
    """The reader that is surest of the file, by its content. Raises InputError where none is."""
    choices = []
    for reader in readers:
        uses = _overlay(reader.propose(table), table, mapping.columns.get(reader.name, {}))
        choices.append((reader.certainty(table, uses), reader, uses))
    sure, reader, uses = max(choices, key=lambda choice: choice[0])
    if sure < 0.3:
        names = ", ".join(r.name for r in readers)
        raise refusal(
            "unknown-export",
            f"{table.file} is no export that is known ({names}): its header names no column of ticket ids with "
            "the usual "
            "fields; export with all fields, or name the columns in map.yaml",
            table.file,
        )
    if objection := reader.objection(table, uses):
        raise refusal("wrong-table", f"{table.file} {objection}", table.file)
    return reader, uses


def _overlay(uses: list[Use], table: Table, said: dict[str, ColumnMeaning]) -> list[Use]:
    """What a person wrote of a column counts before what was found."""
    by_index = {use.index: use for use in uses}
    for i, header in enumerate(table.header):
        if (meaning := said.get(header)) is None:
            continue
        use = by_index.get(i)
        if use is None:
            by_index[i] = Use(i, header, meaning, -1)
        elif use.meaning.means is not meaning.means or meaning.unit not in (None, use.meaning.unit):
            by_index[i] = replace(use, meaning=meaning, preference=-1)
    return [by_index[i] for i in sorted(by_index)]


def _load(
    path: Path, readers: Sequence[Reader], mapping: Mapping, options: ReadOptions, zone: str | None, notes: Notes
) -> Loaded:
    table = open_table(path, options.encoding)
    reader, uses = recognise(table, readers, mapping)
    uses = [use for use in uses if use.meaning.means is not C.IGNORE]
    rows = table.project([use.index for use in uses])
    if not table.rows_read:
        raise refusal("no-rows", f"{table.file} has a header but no rows", table.file)
    if table.encoding.fallback:
        notes.add(
            "warning",
            "encoding-fallback",
            f"{table.file} is not UTF-8 and was read as Windows-1252; if letters come out wrong, say "
            "--encoding, such as "
            "mac_roman or gb18030",
            file=table.file,
        )
    if table.rows_read in (1_000, 5_000, 10_000):
        notes.add(
            "warning",
            "probably-truncated",
            f"{table.file} has exactly {table.rows_read:,} rows, a usual limit of exports: probably truncated; "
            "export the "
            "rest and give all files together",
            file=table.file,
        )
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
            [
                (use.header, dict.fromkeys(c for _, row in rows if not blank(c := row[i])), ZoneInfo(place))
                for i, use in dated
            ],
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
    loaded = Loaded(table, reader, uses, dates, place, known_zone is not None)
    _Rows(loaded, places, {i: d for (i, _), d in zip(dated, dates, strict=True)}, notes).read(rows)
    return loaded


class _Rows:
    """The rows of one file, cell by cell."""

    def __init__(
        self, loaded: Loaded, places: dict[C, list[tuple[int, Use]]], dates: dict[int, DateColumn], notes: Notes
    ) -> None:
        self.loaded, self.reader, self.notes = loaded, loaded.reader, notes
        self.file = loaded.table.file
        self.places = {column: [i for i, _ in found] for column, found in places.items()}
        self.dates = dates
        self.uses = loaded.uses
        self.unread: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        self.links = [(i, use.outward, use.link_type, use.header) for i, use in places.get(C.LINK, ()) if use.link_type]
        self.links += [(i, True, "", use.header) for i, use in places.get(C.BLOCKS, ())]
        self.links += [(i, False, "", use.header) for i, use in places.get(C.WAITS_FOR, ())]
        self.texts = [(name, self.places[column]) for column, name in _TEXTS.items() if column in self.places]
        self.several = {i for column in (C.BLOCKS, C.WAITS_FOR) for i in self.places.get(column, ())}

    def read(self, rows: list[Row]) -> None:
        for row, cells in rows:
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
        for use, column in zip(self.uses, zip(*(cells for _, cells in rows), strict=True), strict=False):
            self.loaded.counts[use.header] += len(column) - column.count("")
        for (header, code, what), numbers in self.unread.items():
            where = some([str(n) for n in numbers])
            level = "info" if code == "unread-viewed" else "warning"
            self.notes.add(
                level,  # type: ignore[arg-type]
                code,
                f"{self.file}: {plural(len(numbers), 'cell')} of column {header!r} left out for {what} "
                f"({'row' if len(numbers) == 1 else 'rows'} {where})",
                file=self.file,
                row=numbers[0],
                column=header,
                count=len(numbers),
            )
        self._check_unit()

    def _reject(self, row: int, column: str | None, reason: str) -> None:
        self.loaded.table.rejections.append(Rejection(self.file, row, column, reason))

    def _header(self, column: C) -> str | None:
        return self.uses[self.places[column][0]].header if column in self.places else None

    def _first(self, cells: tuple[str, ...], column: C) -> str:
        for i in self.places.get(column, ()):
            if (cell := cells[i]) and not blank(cell):
                return cell.strip()
        return ""

    def _all(self, cells: tuple[str, ...], column: C) -> list[str]:
        return [c.strip() for i in self.places.get(column, ()) if (c := cells[i]) and not blank(c)]

    def _date(self, cells: tuple[str, ...], column: C, row: int) -> tuple[DateColumn, str] | None:
        for i in self.places.get(column, ()):
            if (cell := cells[i]) and not blank(cell):
                read = self.dates[i]
                if read.moment(cell) is not None:
                    return read, cell
                code = "unread-viewed" if column is C.VIEWED else "unread-date"
                self.unread[read.header, code, "no date in the format of the column"].append(row)
        return None

    def _moment(self, cells: tuple[str, ...], column: C, row: int) -> datetime | None:
        found = self._date(cells, column, row)
        return found[0].moment(found[1]) if found else None

    def _minutes(self, cells: tuple[str, ...], column: C, row: int) -> float | None:
        for i in self.places.get(column, ()):
            if (cell := cells[i]) and not blank(cell):
                use = self.uses[i]
                value = minutes(cell, use.meaning.unit or "s")
                if value is not None and 0 <= value <= _MOST_MINUTES:
                    return value
                self.unread[use.header, "unread-duration", "no duration that can be"].append(row)
        return None

    def _ticket(self, id: str, row: int, cells: tuple[str, ...]) -> Ticket:
        first, every = self._first, self._all
        ticket = Ticket(id, self.file, row, self.reader)
        for name, indexes in self.texts:
            for i in indexes:
                if (cell := cells[i]) and not blank(cell):
                    setattr(ticket, name, cell.strip())
                    break
        ticket.type = ticket.type or self.reader.default_type
        ticket.project = ticket.project or self.reader.project_of(id)
        ticket.aliases = every(cells, C.ALIAS)
        if active := first(cells, C.ACTIVE):
            ticket.active = yes(active)
        ticket.parents = every(cells, C.PARENT)
        if (who := first(cells, C.ASSIGNEE)) and fold(who) not in UNASSIGNED:
            ticket.assignee = who
        if (who := first(cells, C.ASSIGNEE_ID)) and fold(who) not in UNASSIGNED:
            ticket.assignee_id = who
        ticket.components = every(cells, C.COMPONENT)
        ticket.labels = every(cells, C.LABEL)
        if ticket.team and _UUID.fullmatch(ticket.team):
            ticket.team = ""
        for column in (C.CREATED, C.UPDATED, C.STARTED, C.FINISHED, C.CATEGORY_CHANGED, C.VIEWED):
            if column in self.places:
                setattr(ticket, column.value, self._moment(cells, column, row))
        if found := self._date(cells, C.DUE, row):
            ticket.due = found[0].when(found[1], self.reader.midnight_is_date)
        if C.PLANNED_START in self.places or C.PLANNED_END in self.places:
            ticket.planned = self._moment(cells, C.PLANNED_START, row), self._moment(cells, C.PLANNED_END, row)
        ticket.original = self._minutes(cells, C.ORIGINAL_ESTIMATE, row)
        ticket.remaining = self._minutes(cells, C.REMAINING_ESTIMATE, row)
        ticket.spent = self._minutes(cells, C.TIME_SPENT, row)
        if ticket.spent is None and C.WORK_LOG in self.places:
            logged = [minutes(cell.rpartition(";")[2]) for cell in every(cells, C.WORK_LOG)]
            ticket.spent = sum(filter(None, logged)) if logged else None
        if points := first(cells, C.POINTS):
            value = number(points)
            ticket.points = value if value is not None and 0 < value < 10_000 else None
        for i, outward, kind, header in self.links:
            if (cell := cells[i].strip()) and not blank(cell):
                others = filter(None, re.split(r"[\s,;]+", cell)) if i in self.several else (cell,)
                ticket.links += [(other, outward, kind, header) for other in others]
        ticket.services = list(dict.fromkeys(every(cells, C.SERVICE)))
        ticket.on_hold = yes(first(cells, C.ON_HOLD))
        return ticket

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
