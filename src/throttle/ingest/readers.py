"""What a reader is: how one system writes its exports. Everything else is shared.

A file becomes one or more :class:`~throttle.ingest.source.Source` (a CSV or JSON file: one; a workbook: one for each
sheet; an archive: one for each member). For each source every reader of ``READERS`` is asked how sure it is that the
source is its own (0 to 1, by content, never by name); the surest one above 0.3 reads it. There are two kinds:

**Columns** (:class:`Reader`): the format is a table, or records that flatten into one. The reader says what each column
means (:class:`Use`), and everything else is shared: dates are settled by column, durations have units, ``map.yaml`` may
change any column, custom fields are mapped by header, the proposal lists them. Prefer this kind.

- ``open(source)`` makes the :class:`~throttle.ingest.tables.Table`; by default ``source.table``, which knows CSV,
  sheets, and JSON records. A format whose records are nested, or in XML, or whose header is not the first row, gives an
  own function here that ends in ``make_table(source, header, rows)`` (repeat a header for a field with several values;
  row numbers count from 1; records left out before that go into ``rejections``; ``outside`` has title and status of
  linked things that are no rows; ``remarks`` what the file says of itself). None: not this format.
- ``propose(table)`` gives the uses; ``known(i, header, Column.X, evidence)`` makes one. A cell with several values:
  ``separator=",;"`` (characters between values), for labels, components, services, skills, assignees, links.
- Links: ``Column.WAITS_FOR`` and ``Column.BLOCKS`` hold ids; ``Column.LINK`` with ``outward`` and ``link_type`` is
  looked up by the name of its type.

**Documents** (:class:`DocumentReader`): nested formats with typed links, calendars, resources, history. The function
``read(source, intake)`` yields for every record of the file one :data:`~throttle.ingest.records.Entry`: a ``Ticket``, a
``Resource``, a ``DayOff`` or ``intake.reject(row, reason)``; so rows read = imported + merged + rejected by
construction. The :class:`~throttle.ingest.intake.Intake` has the shared helpers: ``moment``, ``when``, ``minutes``
(which count what they cannot read), ``reject``, ``fill(ticket, Column.X, values, field)`` (raw texts into the right
field of the ticket, as a column would be), ``custom(id, name)`` (what ``map.yaml`` says of a field), ``calendars`` (id
to Calendar), ``saw(field, column)`` (for the report), ``warn`` and ``tell``. Times without an offset are of its
``zone``.

Both: an event log is a ticket for each row, of one id, with ``version`` or ``updated``; the shared layer folds them,
keeps the newest, and makes ``history`` of their states. Journals, descriptions, comments and e-mail addresses are not
read; for ``Name <mail>`` there is :func:`throttle.ingest.people.name_and_account`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from throttle.ingest.records import Entry
from throttle.ingest.source import Source
from throttle.ingest.tables import Table
from throttle_models import Column, ColumnMeaning, Status

if TYPE_CHECKING:
    from throttle.ingest.intake import Intake


@dataclass(frozen=True, slots=True)
class Use:
    """One column of a file, and what it means."""

    index: int
    header: str
    meaning: ColumnMeaning
    preference: int = 0
    """Among columns with one meaning, the lowest that is not blank counts."""
    outward: bool = True
    """Direction of a link column."""
    link_type: str = ""


@dataclass(frozen=True, kw_only=True)
class Tracker:
    """What is known of a system, whatever the shape of its export."""

    name: str
    """In map.yaml and in reports."""
    system: str
    states: Mapping[str, Status] = field(default_factory=dict)
    """The system's own states, folded, before the well-known names."""
    review_states: frozenset[str] = frozenset()
    """States, folded, in which the work is done and its review is left."""
    authorised_states: frozenset[str] = frozenset()
    """States, folded, that a change reaches only when it is approved; none: the system does not say."""
    default_type: str = ""
    """The tracker's type of a row that names none."""
    midnight_is_date: bool = False
    """Whether a due date at 00:00 means the whole day."""
    verified: bool = True
    """Whether it was built from real exports; else from the documented shape alone."""


def _its_table(source: Source) -> Table | None:
    return source.table


def _no_objection(_table: Table, _uses: list[Use]) -> str | None:
    return None


_ANY = re.compile(r"(?s).+")


@dataclass(frozen=True, kw_only=True)
class Reader(Tracker):
    """One kind of export whose rows are tickets. To add one: a file with such a value, and a line in ``READERS``."""

    propose: Callable[[Table], list[Use]]
    """The meaning of each column that is known, by header and content."""
    certainty: Callable[[Table, list[Use]], float]
    """How surely the file is of this kind, 0 to 1."""
    open: Callable[[Source], Table | None] = _its_table
    """The table of a source, or None where it cannot be of this kind."""
    objection: Callable[[Table, list[Use]], str | None] = _no_objection
    """Why the file, though of this system, cannot be read; a sentence that begins after the file's name."""
    id_pattern: re.Pattern[str] = _ANY
    id_is: str = "an id"
    """What an id looks like, for messages."""
    project_of: Callable[[str], str] = lambda _id: ""
    """The project that an id names, for exports without such a column."""
    short: Callable[[str], str] = lambda header: header
    """Another name by which a mapping may call a column, such as that of a custom field."""


@dataclass(frozen=True, kw_only=True)
class DocumentReader(Tracker):
    """One kind of export that makes its tickets itself. To add one: a file with such a value, a line in ``READERS``."""

    certainty: Callable[[Source], float]
    """How surely the source is of this kind, 0 to 1. Look at ``source.kind`` first."""
    read: Callable[[Source, Intake], Iterable[Entry]]
    """An entry for every record. May raise InputError (``refusal``) for a file that cannot be read as a whole."""
    objection: Callable[[Source], str | None] = lambda _source: None


AnyReader = Reader | DocumentReader


def known(
    index: int,
    header: str,
    means: Column,
    evidence: str,
    confidence: float = 1.0,
    preference: int = 0,
    separator: str | None = None,
    unit: str | None = None,
) -> Use:
    """A use of a column, as :class:`ColumnMeaning` has it. ``separator``: characters between the values of a cell."""
    fields = {"means": means, "evidence": evidence, "confidence": confidence, "separator": separator, "unit": unit}
    meaning = ColumnMeaning.model_validate(fields)
    return Use(index, header, meaning, preference)
