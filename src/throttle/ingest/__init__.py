"""Ticket exports to a portfolio: every row accounted for, every default told and open to change.

A reader is one file and one line of :data:`READERS` (``readers`` says what it is given); what all share is in the
other modules: ``source``, ``decode`` and ``tables`` (files, archives and workbooks to documents, or cells by position),
``dates`` and ``values`` (cells to values), ``words`` and ``meanings`` (words in several languages), ``records`` (what
readers make), ``tickets`` and ``intake`` (rows and records to tickets), ``network`` and ``same`` (links, containment,
the same ticket twice), ``people``, ``identity``, ``crew``, ``skills``, ``effort`` (what the export does not say, or of
people), ``build`` (the portfolio), ``again`` (newer files of an earlier one), ``propose`` (the mapping), ``report``,
and ``pseudonyms`` with ``named`` (everybody whom files name).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from throttle.collector import collector_resting
from throttle.errors import InputError
from throttle.ingest.again import Known, Stated, read_again
from throttle.ingest.agileplace import AGILEPLACE, AGILEPLACE_CSV
from throttle.ingest.asana import ASANA, ASANA_CSV
from throttle.ingest.azure_devops import AZURE_DEVOPS, AZURE_DEVOPS_CSV
from throttle.ingest.build import Builder
from throttle.ingest.github import GITHUB, GITHUB_CSV
from throttle.ingest.gitlab import GITLAB, GITLAB_CSV
from throttle.ingest.holiday_json import HOLIDAY_JSON
from throttle.ingest.ical import ICAL
from throttle.ingest.jira_csv import JIRA_CSV, ONLY_IDS
from throttle.ingest.jira_json import JIRA_JSON
from throttle.ingest.jira_rss import JIRA_RSS
from throttle.ingest.linear import LINEAR
from throttle.ingest.meanings import Meanings
from throttle.ingest.mspdi import MSPDI
from throttle.ingest.named import named_in
from throttle.ingest.network import unite
from throttle.ingest.notes import Notes
from throttle.ingest.options import ReadOptions
from throttle.ingest.plain import PLAIN
from throttle.ingest.pmxml import PMXML
from throttle.ingest.propose import propose, save_mapping
from throttle.ingest.pseudonyms import (
    key_of,
    pseudonymised,
    renamed,
    require_same_table,
    with_known,
    without_names,
)
from throttle.ingest.readers import AnyReader
from throttle.ingest.redmine import REDMINE, REDMINE_CSV
from throttle.ingest.report import IngestReport
from throttle.ingest.service_manager import SERVICE_MANAGER
from throttle.ingest.servicenow_change import SERVICENOW_CHANGE
from throttle.ingest.servicenow_outage import SERVICENOW_OUTAGE
from throttle.ingest.servicenow_task import SERVICENOW_TASK
from throttle.ingest.source import open_sources
from throttle.ingest.tickets import load, recognise
from throttle.ingest.trello import TRELLO
from throttle.ingest.xer import XER
from throttle.ingest.youtrack import YOUTRACK, YOUTRACK_CSV
from throttle_models import Link, Mapping, Portfolio, TeamFile

READERS: tuple[AnyReader, ...] = (
    JIRA_CSV,
    JIRA_JSON,
    JIRA_RSS,
    SERVICENOW_CHANGE,
    SERVICENOW_TASK,
    SERVICENOW_OUTAGE,
    SERVICE_MANAGER,
    MSPDI,
    PMXML,
    XER,
    ICAL,
    HOLIDAY_JSON,
    AGILEPLACE,
    AGILEPLACE_CSV,
    ASANA,
    ASANA_CSV,
    AZURE_DEVOPS,
    AZURE_DEVOPS_CSV,
    GITHUB,
    GITHUB_CSV,
    GITLAB,
    GITLAB_CSV,
    LINEAR,
    PLAIN,
    REDMINE,
    REDMINE_CSV,
    TRELLO,
    YOUTRACK,
    YOUTRACK_CSV,
)
"""Every kind of export that is read."""

_PLAIN = ReadOptions()

__all__ = [
    "READERS",
    "IngestReport",
    "Ingested",
    "ReadOptions",
    "Stated",
    "propose_mapping",
    "read_exports",
    "read_tickets",
    "reader_of",
    "save_mapping",
]


@dataclass(frozen=True)
class Ingested:
    """What exports became, and the account of it."""

    portfolio: Portfolio
    report: IngestReport
    pseudonyms: dict[str, str] = field(default_factory=dict)
    """Person id to pseudonym, where that was asked for: whoever has this table can tell who is who."""
    pseudonyms_key: str = ""
    """What tells this table from others."""
    onto: dict[str, tuple[Link, ...]] = field(default_factory=dict)
    """Links that an item of the earlier portfolio, which is not in the files, waits by."""
    stated: dict[str, Stated] = field(default_factory=dict)
    """By file, what it has columns or fields for."""


@collector_resting()
def read_exports(
    paths: Sequence[Path],
    *,
    mapping: Mapping | None = None,
    team: TeamFile | None = None,
    options: ReadOptions = _PLAIN,
    earlier: Portfolio | None = None,
) -> Ingested:
    """One portfolio of one or more exports, told apart by their content.

    The mapping counts before what is found, the team file before any default. ``earlier``: the portfolio that these
    files are news of; they are read as those were that it was made of, links to its items do not dangle, and what it
    was told by a mapping or team file stands in where none is given (:func:`throttle.replan.advance` takes both).
    Raises InputError with every problem of every file: missing, empty, binary, cut off, unknown, dates that nothing
    settles, a team file that does not fit.
    """
    said, crew = mapping or Mapping(), team or TeamFile()
    if earlier is not None:
        require_same_table(earlier.pseudonyms, options.pseudonyms_key, options.pseudonymise)
        if options.pseudonymise:
            crew = renamed(crew, options.pseudonyms)
        said, crew, options = read_again(earlier, mapping, crew if team is not None else None, options)
    if not options.pseudonymise:
        portfolio, report, builder = _read(paths, said, crew, options, earlier)
        return Ingested(portfolio, report, onto=builder.onto, stated=builder.stated())
    crew = with_known(crew, options.pseudonyms)
    mentioned = named_in(paths, options.encoding)
    try:
        portfolio, report, builder = _read(paths, said, crew, options, earlier)
    except InputError as error:
        raise without_names(error, crew, mentioned) from None
    key = options.pseudonyms_key or key_of(options.pseudonyms, *(path.read_bytes() for path in paths))
    hidden = pseudonymised(portfolio, report, options.pseudonyms, builder.people.spellings(), crew, mentioned, key)
    return Ingested(
        hidden.portfolio, hidden.report, hidden.table, key, hidden.links(builder.onto), hidden.stated(builder.stated())
    )


def _read(
    paths: Sequence[Path], said: Mapping, crew: TeamFile, options: ReadOptions, earlier: Portfolio | None
) -> tuple[Portfolio, IngestReport, Builder]:
    notes = Notes()
    loaded = load(paths, READERS, said, options, crew.zone, notes)
    builder = Builder(loaded, Meanings(said, crew), crew, options, notes, Known.of(earlier))
    portfolio = builder.portfolio()
    return portfolio, builder.report(portfolio), builder


@collector_resting()
def read_tickets(
    paths: Sequence[Path], *, mapping: Mapping | None, team: TeamFile | None, options: ReadOptions
) -> Builder:
    """What the exports hold before anything becomes a portfolio: tickets, their states and types, and people."""
    said, crew = mapping or Mapping(), team or TeamFile()
    notes = Notes()
    return Builder(load(paths, READERS, said, options, crew.zone, notes), Meanings(said, crew), crew, options, notes)


@collector_resting()
def propose_mapping(paths: Sequence[Path], options: ReadOptions = _PLAIN, mapping: Mapping | None = None) -> Mapping:
    """What columns, statuses, types, links, priorities and users seem to mean, with evidence and counts.

    Reading with the proposal gives what reading without it gives; a table of which only the ids are known is listed,
    for a person to say what its headers mean. ``mapping``: what is decided already.
    """
    said, notes = mapping or Mapping(), Notes()
    loaded = load(paths, READERS, said, options, None, notes, least=ONLY_IDS)
    meanings = Meanings(said, TeamFile())
    tickets, _, _ = unite(loaded, meanings, notes)
    return propose(loaded, tickets, meanings)


def reader_of(path: Path, options: ReadOptions = _PLAIN) -> str:
    """The name of the reader that knows a file. Raises InputError where none does."""
    problem: InputError | None = None
    for source in open_sources(path, options.encoding):
        try:
            return recognise(source, READERS, Mapping()).reader.name
        except InputError as error:
            problem = problem or error
    raise problem or InputError([])
