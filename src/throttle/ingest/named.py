"""Everybody whom files name, also those who do none of the work: authors, reporters, watchers, who asked and approved.

Read only to hide them: by columns and fields that hold people, and by objects that are people.
"""

# ruff: noqa: SIM905 - lists of words read better unquoted
from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from throttle.collector import collector_resting
from throttle.errors import InputError
from throttle.ingest.source import Source, open_sources
from throttle.ingest.values import blank, fold
from throttle.ingest.words import UNASSIGNED

_PEOPLE = re.compile(
    r"(?<![a-z])(assignees?|assigned (to|users?)|reporter|reported by|creator|author|owner|lead|manager|"
    r"watchers?|(opened|closed|resolved|created|updated|requested|approved|reviewed|changed|raised|submitted|modified) "
    r"(by|for)|requestor|requester|caller( id)?|approver|implementer|tester|coordinator|members?|participants?|people|"
    r"person|contact|collaborators|users?|user ?names?|login|(sys|create|update|add) (created by|updated by|user)|"
    r"full ?name|display ?name|actual name|rsrc (short )?name|e ?mail( addr(ess)?)?|resource|responsible|who|organizer|"
    r"attendee|last author|bearbeiter|zugewiesen an|zugewiesene person|autor|ersteller|melder|beobachter|"
    r"verantwortlicher?|responsable|informador|creador|persona asignada|observadores|rapporteur|createur|auteur|"
    r"responsavel|relator|criador|asignado a|assigne a)(?![a-z])"
)
_NOBODY = re.compile(
    r"(?<![a-z])(id|ids|group|groups|team|type|date|time|at|on|count|story|stories|impact|kind|project|url|calendar|"
    r"number|role|level|status|key|uid|guid|rate|avatar|locale)(?![a-z])"
)
_GIVEN = re.compile(r"(?<=[a-z])(?=[A-Z])|[_\-./]+")
_NAMES = (
    "displayname",
    "fullname",
    "name",
    "login",
    "username",
    "uniquename",
    "emailaddress",
    "email",
    "mail",
    "title",
)
_MARKS = frozenset(
    """accountid accounttype displayname fullname login username uniquename emailaddress email avatarurl avatarurls
    usertype descriptor imageurl avatarhash memberid""".split()
)
"""Of these an object that is a person has one."""
_SHAPE = re.compile(r"[^\W_][\w.,'’`\\ ()<>@+\-\[\]]{1,79}")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_MOST_WORDS = 6
_CN = re.compile(r"CN=(?:\"([^\"\r\n]{1,80})\"|([^:;,\"\r\n]{1,80}))")
_BEFORE_HEADER = 25


@collector_resting()
def named_in(paths: Iterable[Path], encoding: str | None = None) -> list[str]:
    """Names, logins and addresses as the files write them, each once and sorted.

    Of what cannot be read nothing is said here: whoever reads it for its work says what is wrong.
    """
    found: set[str] = set()
    for path in paths:
        try:
            for source in open_sources(path, encoding):
                found.update(_named(source))
                source.release()
        except (InputError, RecursionError):
            continue
    return sorted(text for text in found if _is_person(text))


def _is_person(text: str) -> bool:
    return (
        not blank(text)
        and fold(text) not in UNASSIGNED
        and len(text.split()) <= _MOST_WORDS
        and bool(_SHAPE.fullmatch(text) and any(c.isalpha() for c in text))
    )


def _holds_people(name: str) -> bool:
    words = fold(_GIVEN.sub(" ", name)) if not name.isupper() else fold(_GIVEN.sub(" ", name.lower()))
    return bool(_PEOPLE.search(words)) and not _NOBODY.search(words)


def _named(source: Source) -> Iterator[str]:
    yield from _ADDRESS.findall(source.text) if source.kind != "sheet" else ()
    if source.kind == "json":
        yield from _of_json(source.documents)
    elif source.kind == "xml":
        yield from _of_xml(source.root)
    elif source.kind == "xer":
        yield from _of_xer(source.text)
    elif source.kind == "ics":
        unfolded = re.sub(r"\r?\n[ \t]", "", source.text)
        yield from (a or b for a, b in _CN.findall(unfolded))
    else:
        yield from _of_rows(source.rows if source.kind == "sheet" else _rows(source.text))


def _parts(cell: str) -> Iterator[str]:
    """A cell with one person or several."""
    text = cell.strip()
    if not text or len(text) > 1_000:
        return
    yield text
    for separator in (";", "\n", "|", ","):
        if separator in text:
            yield from (part.strip() for part in text.split(separator))


def _rows(text: str) -> Iterator[list[str]]:
    head = text[:65_536]
    delimiter = max(
        ",;\t|", key=lambda c: max((line.count(c) for line in head.splitlines()[:_BEFORE_HEADER]), default=0)
    )
    before = csv.field_size_limit(len(text) + 1)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error:
        return
    finally:
        csv.field_size_limit(before)


def _of_rows(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    columns: list[int] = []
    seen: set[str] = set()
    for number, row in enumerate(rows):
        if not columns:
            if number >= _BEFORE_HEADER:
                return
            columns = [i for i, header in enumerate(row) if len(header) < 100 and _holds_people(header)]
            continue
        for i in columns:
            if i < len(row) and (cell := row[i]) and cell not in seen:
                seen.add(cell)
                yield from _parts(cell)


def _of_xer(text: str) -> Iterator[str]:
    columns: list[int] = []
    for number, line in enumerate(text.splitlines()):
        cells = line.split("\t")
        if number == 0:  # version, date, project, and then who exported it
            yield from (cell for cell in cells[4:7] if cell)
        elif cells[0] == "%F":
            columns = [i for i, name in enumerate(cells) if i and _holds_people(name)]
        elif cells[0] == "%R":
            yield from (cells[i] for i in columns if i < len(cells) and cells[i])


def _of_json(value: Any) -> Iterator[str]:
    stack: list[tuple[Any, bool]] = [(value, False)]
    while stack:
        at, person = stack.pop()
        if isinstance(at, list):
            stack += [(one, person) for one in at]
        elif isinstance(at, str):
            if person:
                yield from _parts(at)
        elif isinstance(at, dict):
            keys = {re.sub(r"[\W_]", "", str(key)).lower(): key for key in at}
            if person or not _MARKS.isdisjoint(keys):
                told = [at[keys[name]] for name in (*_NAMES, "displayvalue", "value") if name in keys]
                yield from (text for text in told if isinstance(text, str))
            stack += [
                (inner, isinstance(key, str) and _holds_people(key))
                for key, inner in at.items()
                if isinstance(inner, dict | list | str)
            ]


def _of_xml(root: Any) -> Iterator[str]:
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        name = element.tag.rpartition("}")[2]
        yield from (v for key, v in element.attrib.items() if _holds_people(key.rpartition("}")[2]) and v)
        if _holds_people(name):
            yield from _parts(element.text or "")
            yield from (v for v in (element.get("display_value"), element.get("name")) if v)
            yield from (
                child.text
                for child in element
                if isinstance(child.tag, str) and child.text and child.tag.rpartition("}")[2].lower() in _NAMES
            )
