"""Ticket exports to a portfolio: every row accounted for, every default told and open to change.

A reader is one file and one line of :data:`READERS`; what all share is in the other modules: ``decode`` and ``tables``
(bytes to cells by position), ``dates`` and ``values`` (cells to values), ``words`` and ``meanings`` (words in several
languages), ``tickets`` (rows), ``network`` (links and containment), ``people``, ``skills``, ``effort`` (what the export
does not say), ``build`` (the portfolio), ``propose`` (the mapping) and ``report``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from throttle.ingest.build import Builder
from throttle.ingest.jira_csv import JIRA_CSV
from throttle.ingest.meanings import Meanings
from throttle.ingest.network import unite
from throttle.ingest.notes import Notes
from throttle.ingest.propose import propose, save_mapping
from throttle.ingest.readers import Reader
from throttle.ingest.report import IngestReport
from throttle.ingest.servicenow_change import SERVICENOW_CHANGE
from throttle.ingest.tables import open_table
from throttle.ingest.tickets import ReadOptions, load, recognise
from throttle_models import Mapping, Portfolio, TeamFile

READERS: tuple[Reader, ...] = (JIRA_CSV, SERVICENOW_CHANGE)
"""Every kind of export that is read."""

_PLAIN = ReadOptions()

__all__ = [
    "READERS",
    "IngestReport",
    "Ingested",
    "ReadOptions",
    "propose_mapping",
    "read_exports",
    "reader_of",
    "save_mapping",
]


@dataclass(frozen=True)
class Ingested:
    """What exports became, and the account of it."""

    portfolio: Portfolio
    report: IngestReport


def read_exports(
    paths: Sequence[Path],
    *,
    mapping: Mapping | None = None,
    team: TeamFile | None = None,
    options: ReadOptions = _PLAIN,
) -> Ingested:
    """One portfolio of one or more exports, told apart by their content.

    The mapping counts before what is found, the team file before any default. Raises InputError with every problem of
    every file: missing, empty, binary, cut off, unknown, dates that nothing settles, a team file that does not fit.
    """
    said, crew = mapping or Mapping(), team or TeamFile()
    notes = Notes()
    loaded = load(paths, READERS, said, options, crew.zone, notes)
    builder = Builder(loaded, Meanings(said, crew), crew, options, notes)
    portfolio = builder.portfolio()
    return Ingested(portfolio, builder.report(portfolio))


def propose_mapping(paths: Sequence[Path], options: ReadOptions = _PLAIN, mapping: Mapping | None = None) -> Mapping:
    """What columns, statuses, types, links, priorities and users seem to mean, with evidence and counts.

    Reading with the proposal gives what reading without it gives. ``mapping``: what is decided already.
    """
    said, notes = mapping or Mapping(), Notes()
    loaded = load(paths, READERS, said, options, None, notes)
    tickets, _, _ = unite(loaded, notes)
    return propose(loaded, tickets, Meanings(said, TeamFile()))


def reader_of(path: Path, options: ReadOptions = _PLAIN) -> str:
    """The name of the reader that knows a file. Raises InputError where none does."""
    reader, _ = recognise(open_table(path, options.encoding), READERS, Mapping())
    return reader.name
