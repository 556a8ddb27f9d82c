"""Nested records as named cells and ties, so that JSON and CSV of one system share one table of headers.

Nothing here knows a system. A reader finds its records in what a JSON document holds (:func:`find`), makes an
:class:`Item` of each, and :func:`entries` makes tickets of these. What a mapping may explain stays in cells.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from throttle.ingest.decode import Encoding
from throttle.ingest.people import name_and_account
from throttle.ingest.readers import Tracker, Use
from throttle.ingest.records import Entry, Rejection, Share, Step, Ticket, Tie
from throttle.ingest.source import Source
from throttle.ingest.tables import Table, make_table, table_of
from throttle.ingest.values import blank, fold
from throttle.ingest.words import STATUSES, UNASSIGNED
from throttle_models import Column, ColumnMeaning, Status

if TYPE_CHECKING:
    from throttle.ingest.intake import Intake

C = Column

Record = Mapping[str, Any]
"""One object of a JSON document."""
Cells = dict[str, list[str]]
"""Of one record: header to the values under it."""
Headers = Mapping[Column, str]
"""What each meaning is called, the preferred name first, by commas."""
Units = Mapping[Column, str]


@dataclass(slots=True)
class Item:
    """What one record says. Its id is among the cells."""

    cells: Cells = field(default_factory=dict)
    ties: list[Tie] = field(default_factory=list)
    steps: list[tuple[str, str, str, str]] = field(default_factory=list)
    """Its history: moment, ``status`` or ``assignee``, before, after."""
    milestone: bool = False
    field_ids: dict[str, str] = field(default_factory=dict)
    """Of fields that a site made itself: header to the id, by which a mapping may name them as well."""

    @property
    def id(self) -> str:
        return self.cells["id"][0]

    def put(self, name: str, *values: str) -> None:
        """Add values that say something under a header."""
        if said := [value for value in values if value]:
            self.cells.setdefault(name, []).extend(said)

    def own(self, name: str, id: Any, *values: str) -> None:
        """A field that the site made itself: its values, but for prose, unless something else has its name."""
        if name and name not in self.cells:
            self.put(name, *(value for value in values if len(value) <= LONGEST))
            self.field_ids[name] = text(id)

    def tie(
        self, other: str, first: bool, origin: str, *, title: str = "", status: str = "", category: str = ""
    ) -> None:
        """Add a precedence; ``first``: this item comes before the other."""
        if other:
            self.ties.append(Tie(other, first, origin=origin, title=title, status=status, category=category))


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a file says of itself beside its records."""

    code: str
    message: str
    """A sentence that follows the file's name."""
    count: int = 1


@dataclass
class Found:
    """The records of a document in order; a text is the reason why a record is no ticket."""

    items: list[Item | str]
    remarks: list[Remark] = field(default_factory=list)


def entries(
    found: Found, reader: Tracker, known: Mapping[str, Use], intake: Intake, *, joined: bool = False
) -> Iterator[Entry]:
    """The tickets of a document. Headers that are not known are offered for mapping.

    ``joined``: whether the system joins several values into one text in JSON too, as it does in CSV.
    """
    mapped = intake.mapping.columns.get(intake.reader, {})
    for remark in found.remarks:
        intake.warn(remark.code, remark.message, count=remark.count)
    for row, item in enumerate(found.items, 1):
        if isinstance(item, str):
            yield intake.reject(row, item)
            continue
        ticket = Ticket(item.id, intake.file, row, reader, links=list(item.ties), milestone=item.milestone)
        for name in sorted(item.cells, key=lambda name: _place(name, known)):
            values = item.cells[name]
            said = mapped.get(name)
            if said is None and (id := item.field_ids.get(name)) in mapped:
                said = intake.columns[id] = mapped[id]
            use = known.get(fold(name))
            means = said or (use.meaning if use else None)
            if means is not None and use is not None and means.means is use.meaning.means:
                unit, own = means.unit or use.meaning.unit, use.meaning.separator if joined else None
                intake.fill(ticket, means.means, values, name, unit, (said.separator if said else None) or own)
            elif means is not None and means.means is not C.IGNORE:
                intake.fill(ticket, means.means, values, name, means.unit, means.separator)
            elif name not in intake.columns:
                intake.columns[name] = ColumnMeaning(means=C.IGNORE, confidence=0.5, evidence="not needed or not known")
            if use is not None and use.meaning.means is C.ASSIGNEE and len(values) > 1:
                people = [p for p in map(name_and_account, values) if fold(p[0]) not in UNASSIGNED]
                if len(set(people)) > 1:
                    ticket.crew = [Share(name, account) for name, account in dict.fromkeys(people)]
        for at, what, before, after in item.steps:
            if (moment := intake.moment(at, "history", row)) is not None:
                ticket.history.append(Step(moment, what, before, after))
        ticket.history.sort(key=lambda step: step.at)
        yield ticket


def phrases(names: str) -> frozenset[str]:
    """Folded phrases of a text that joins them by commas."""
    return frozenset(filter(None, map(fold, names.split(","))))


def tabulate(source: Source, items: Sequence[tuple[int, Item | str]], rejections: Sequence[Rejection] = ()) -> Table:
    """Items by row number as a table, for formats whose dates only a whole column settles.

    A header is repeated as often as needed; ties are in columns of their origin.
    """
    widths: dict[str, int] = {}
    kept: list[Cells] = []
    numbers: list[int] = []
    refused = list(rejections)
    for row, item in items:
        if isinstance(item, str):
            refused.append(Rejection(source.file, row, None, item))
            continue
        for tie in item.ties:
            item.put(tie.origin, tie.other)
        kept.append(item.cells)
        numbers.append(row)
        for name, values in item.cells.items():
            widths[name] = max(widths.get(name, 1), len(values))
    header = [name for name, width in widths.items() for _ in range(width)]
    rows = [
        [value for name, width in widths.items() for value in (cells.get(name, []) + [""] * width)[:width]]
        for cells in kept
    ]
    return make_table(source, header, rows, rejections=refused, numbers=numbers)


@dataclass
class Sheet:
    """All rows of a table, to be written anew with more columns."""

    source: Source
    header: list[str]
    rows: list[tuple[int, list[str]]]
    rejections: list[Rejection]
    names: dict[str, int]
    """By folded header, its first column."""

    def cell(self, row: Sequence[str], *names: str) -> str:
        """The first of these columns that says something."""
        for name in names:
            if (i := self.names.get(name)) is not None and not blank(row[i]):
                return row[i].strip()
        return ""

    def table(self, more: Sequence[str], *, utc: bool = False, remarks: Sequence[Remark] = ()) -> Table:
        """The table, its rows having these further cells at their end."""
        return make_table(
            self.source,
            [*self.header, *more],
            [row for _, row in self.rows],
            utc=utc,
            rejections=self.rejections,
            remarks=[(remark.code, remark.message, remark.count) for remark in remarks],
            numbers=[number for number, _ in self.rows],
        )


def header_of(source: Source) -> set[str]:
    """The folded headers of CSV or a sheet; none of anything else."""
    table = source.table if source.kind in ("csv", "sheet") else None
    return set(map(fold, table.header)) if table else set()


def is_table(source: Source, *wanted: str | frozenset[str]) -> bool:
    """Whether a source is CSV or a sheet, and its header has each of these folded names (of a set: one of them)."""
    names = header_of(source)
    return all(name in names if isinstance(name, str) else bool(name & names) for name in wanted)


def read_sheet(source: Source, *, short_rows: bool = False) -> Sheet:
    """All rows of CSV or a sheet, but for columns of prose. Another reader that asks for the table is not disturbed."""
    table = table_of(source)
    assert table is not None
    table.short_rows = short_rows
    kept = [i for i, header in enumerate(table.header) if fold(header) not in _PROSE]
    header = [table.header[i] for i in kept]
    rows = [(number, list(row)) for number, row in table.project(kept)]
    names = {fold(name): i for i, name in reversed(list(enumerate(header)))}
    return Sheet(source, header, rows, table.rejections, names)


_PROSE = phrases("description, beschreibung, descripcion, notes, body, comments, last notes")


def _place(name: str, known: Mapping[str, Use]) -> int:
    use = known.get(fold(name))
    return -1 if use is None else use.preference  # what only a mapping explains was meant


def uses(headers: Headers, units: Units | None = None, separators: Units | None = None) -> dict[str, Use]:
    """By folded header, what it means; where several headers mean the same, the earlier one is preferred."""
    found: dict[str, Use] = {}
    for means, names in headers.items():
        for place, name in enumerate(filter(None, (n.strip() for n in names.replace("\n", " ").split(",")))):
            meaning = ColumnMeaning.model_validate(
                {
                    "means": means,
                    "evidence": "header known",
                    "unit": (units or {}).get(means),
                    "separator": (separators or {}).get(means),
                }
            )
            if found.setdefault(fold(name), use := Use(0, name, meaning, place)) is not use:
                raise ValueError(f"{name!r} means two things")
    return found


def proposed(table: Table, known: Mapping[str, Use]) -> list[Use]:
    """The uses of a table's columns, by header. Of several headers for the assignee the preferred one counts alone:
    two people of one row would be a crew.
    """
    found = [
        Use(i, header, use.meaning, use.preference)
        for i, header in enumerate(table.header)
        if (use := known.get(fold(header))) is not None
    ]
    first = min((use.preference for use in found if use.meaning.means is C.ASSIGNEE), default=0)
    return [use for use in found if use.meaning.means is not C.ASSIGNEE or use.preference == first]


_PROBED = 5_000
"""Containers in which a first record must be found: a document of another system is not searched to its end."""


def find(content: Any, matches: Callable[[Record], bool], *, first: bool = False) -> list[Any]:
    """Records within pages, wrappers and connections, in order; ``first``: as soon as there are some.

    An object that matches is a record, and with it every element of the list that it is in: what does not match there
    is for the reader to reject. Nothing within a record is looked at.
    """
    seen = 0
    found: list[Any] = []
    stack: list[Any] = [content]
    while stack and not (first and found):
        at = stack.pop()
        seen += 1
        if first and seen > _PROBED:
            return []
        if isinstance(at, dict):
            if matches(at):
                found.append(at)
            else:
                stack += [value for value in reversed(at.values()) if isinstance(value, dict | list)]
        elif isinstance(at, list):
            if any(isinstance(element, dict) and matches(element) for element in at):
                found += at
            else:
                stack += [element for element in reversed(at) if isinstance(element, dict | list)]
    return found


def around(content: Any, matches: Callable[[Record], bool]) -> Iterator[Record]:
    """The objects around the records: pages and wrappers, which may say how many records there are."""
    stack: list[Any] = [content]
    while stack:
        at = stack.pop()
        if isinstance(at, dict) and not matches(at):
            yield at
            stack += [value for value in at.values() if isinstance(value, dict | list)]
        elif isinstance(at, list) and not any(isinstance(element, dict) and matches(element) for element in at):
            stack += [element for element in at if isinstance(element, dict | list)]


def cut(found: int, total: int = 0, *, usual: int = 0, more: str = "export again with a higher limit") -> list[Remark]:
    """That a document probably holds not all: by the total that it tells, or because it holds just a usual limit."""
    if total > found:
        return [Remark("probably-truncated", f"holds {found:,} of {total:,} records: {more}")]
    if found and found == usual:
        return [Remark("probably-truncated", f"holds exactly {found} records, a usual limit: {more}")]
    return []


def text(value: Any) -> str:
    """A scalar as a cell: nothing for null, and for what is no scalar."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def pick(record: Any, *names: str) -> Any:
    """The first of these fields that is there and says something."""
    if isinstance(record, dict):
        for name in names:
            value = record.get(name)
            if value is not None and value != "":
                return value
    return None


def say(value: Any, *names: str) -> str:
    """A scalar, or the first of the named fields of an object, as a cell."""
    return text(pick(value, *names)) if isinstance(value, dict) else text(value)


def nodes(value: Any) -> list[Any]:
    """The elements of a list, of a GraphQL connection (``nodes`` or ``edges``), or of one value alone."""
    if isinstance(value, dict):
        if isinstance(value.get("nodes"), list):
            return [node for node in value["nodes"] if node is not None]
        if isinstance(value.get("edges"), list):
            return [e.get("node") for e in value["edges"] if isinstance(e, dict) and e.get("node") is not None]
        return [value] if value and "totalCount" not in value else []
    if isinstance(value, list):
        return [element for element in value if element is not None]
    return [] if value is None or value == "" else [value]


def objects(value: Any) -> list[Record]:
    """Those of :func:`nodes` that are objects."""
    return [node for node in nodes(value) if isinstance(node, dict)]


def count(value: Any) -> int:
    """A number of things, 0 where none is said."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def moment(value: Any) -> str:
    """Milliseconds since 1970 as an ISO moment in UTC; any other text as it is."""
    said = text(value)
    if not said.lstrip("-").isdigit() or isinstance(value, bool):
        return said
    try:
        return datetime.fromtimestamp(int(said) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, OSError, ValueError):
        return said


def day(moment_or_date: str) -> str:
    """A moment that is midnight as the date that it stands for; any other text as it is."""
    m = _MIDNIGHT.fullmatch(moment_or_date)
    return m[1] if m else moment_or_date


_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)[T ]00:00(?::00(?:\.0+)?)?(?:Z|\+00:?00)?")


@lru_cache(maxsize=4096)
def key(name: str) -> str:
    """A field's name without case and marks: ``createdAt``, ``created_at`` and ``Created At`` are one."""
    return "".join(c for c in name.casefold() if c.isalnum())


def keyed(record: Record) -> dict[str, Any]:
    """A record by :func:`key`; of names that fold into one, the first that says something."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if found.get(folded := key(name)) in (None, ""):
            found[folded] = value
    return found


LONGEST = 200
"""Characters of a further field that a person may want to map; longer ones are prose."""


def rest(item: Item, record: Record, used: frozenset[str]) -> None:
    """A record's further scalars, under their own names, so that a mapping can say what they mean.

    ``used``: names, as :func:`key` writes them, of what was read, or is prose, personal or of no use.
    """
    for name, value in record.items():
        if key(name) not in used and name not in item.cells and (said := text(value)) and len(said) <= LONGEST:
            item.cells[name] = [said]


def named(names: str) -> frozenset[str]:
    """Names, by blanks, as :func:`key` writes them."""
    return frozenset(map(key, names.split()))


def is_json(source: Source, matches: Callable[[Record], bool]) -> bool:
    """Whether a source is JSON that holds such a record."""
    return source.kind == "json" and bool(find(single(source.documents), matches, first=True))


def below(source: Source, header: re.Pattern[str]) -> Source | None:
    """The source from the row on that this pattern begins, where that is among the first rows; else None."""
    if source.kind == "sheet":
        at = next((i for i, row in enumerate(source.rows[:_ABOVE]) if header.match(",".join(row))), None)
        return None if at is None else replace(source, rows=source.rows[at:])
    if source.kind != "csv":
        return None
    lines = itertools.islice(io.StringIO(source.head), _ABOVE)
    start = 0
    for line in lines:
        if header.match(line.lstrip("\ufeff")):
            break
        start += len(line)
    else:
        return None
    return replace(source, data=source.text[start:].encode(), encoding=Encoding("utf-8", source.encoding.why))


_ABOVE = 25
"""Rows in which a header is looked for."""


def meant_by(status: str) -> Status | None:
    """What the well-known name of a status, column, list or section means, also between signs: ``✅ Done``."""
    known = STATUSES.get(fold(status))
    return known if known is not None else STATUSES.get(fold(_SIGNS.sub("", status)))


_SIGNS = re.compile(r"^[\W_]+|[\W_]+$")
CATEGORY = {Status.OPEN: "to do", Status.IN_PROGRESS: "in progress", Status.DONE: "done", Status.CANCELLED: "done"}
"""The word for a category that every reader writes."""


COMPLETED = "completed"
"""The resolution of what is done, where a system only says why something was not done."""


def dropped(labels: Sequence[str]) -> str:
    """The label that says why a closed issue was not done: ``wontfix``, ``duplicate``, ``invalid``."""
    return next((_DROPPED[word] for label in labels if (word := fold(label)) in _DROPPED), "")


_DROPPED = {"wontfix": "won't fix", "won't fix": "won't fix", "duplicate": "duplicate", "invalid": "invalid"}
TYPE_LABELS = phrases(
    """bug, defect, incident, enhancement, feature, feature request, new feature, improvement, task, story,
    user story, epic, chore, technical debt, tech debt, refactoring, maintenance, spike, question, hotfix,
    vulnerability"""
)
"""Labels that name a type of work without saying so; others may be areas or anything else."""


def single(content: Sequence[Any]) -> Any:
    """The documents of a source as one value to search."""
    return content[0] if len(content) == 1 else list(content)
