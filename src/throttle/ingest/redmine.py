"""Redmine issues: CSV in the language of the exporter; JSON of the interface with relations and journals.

JSON was seen in real files; English CSV headers in those that others quote. German, French and Spanish headers and
verbs are not verified. Encoding, separator and decimal comma of a CSV follow the language. ``Related issues`` is prose:
``Blocks #12, Follows #3 (2 days)``. A delay is in working days.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from throttle.ingest.flat import (
    COMPLETED,
    Found,
    Item,
    Record,
    Remark,
    around,
    count,
    cut,
    entries,
    find,
    is_json,
    is_table,
    meant_by,
    named,
    objects,
    phrases,
    proposed,
    read_sheet,
    rest,
    say,
    single,
    text,
    uses,
)
from throttle.ingest.intake import Intake
from throttle.ingest.readers import DocumentReader, Reader, Use
from throttle.ingest.records import Entry, Tie
from throttle.ingest.source import Source
from throttle.ingest.tables import Table
from throttle.ingest.values import fold
from throttle.wording import plural
from throttle_models import Column, LagKind, LinkType, Status

C = Column

_KNOWN = uses(
    {
        C.ID: "id",
        C.TITLE: "subject, thema, sujet, asunto",
        C.TYPE: "tracker, tipo, type",
        C.STATUS: "status, statut, estado",
        C.STATUS_CATEGORY: "status category",
        C.RESOLUTION: "resolution",
        C.PROJECT: "project, projekt, projet, proyecto",
        C.PARENT: "parent id",
        C.ASSIGNEE: "assignee, assigned to, zugewiesen an, assigne a, asignado a",
        C.COMPONENT: "category, kategorie, categorie, categoria",
        C.LABEL: "target version, zielversion, version cible, version prevista",
        C.PRIORITY: "priority, prioritat, priorite, prioridad",
        C.CREATED: "created, angelegt, cree, creado",
        C.UPDATED: "updated, aktualisiert, mis-a-jour, mis a jour, actualizado",
        C.FINISHED: "finished",
        C.DUE: "due date, abgabedatum, echeance, fecha fin, fecha de vencimiento",
        C.PLANNED_START: "start date, beginn, debut, fecha de inicio",
        C.ORIGINAL_ESTIMATE: "estimated time, estimated hours, geschatzter aufwand, temps estime, tiempo estimado",
        C.TIME_SPENT: "spent time, spent hours, aufgewendete zeit, temps passe, tiempo dedicado",
        C.POINTS: "story points",
        C.WAITS_FOR: "waits for",
        C.BLOCKS: "comes before",
    },
    {C.ORIGINAL_ESTIMATE: "h", C.TIME_SPENT: "h"},
)
_CLOSED = frozenset({"closed", "geschlossen", "ferme", "cerrada", "cerrado"})
_RELATED = frozenset({"related issues", "zugehorige tickets", "demandes liees", "peticiones relacionadas"})
_PARENT = frozenset({"parent task", "ubergeordnete aufgabe", "tache parente", "tarea padre", "tarea principal"})
_FIRST = frozenset(
    [
        "blocks",
        "precedes",
        "blockiert",
        "vorganger von",
        "bloque",
        "precede",
        "bloquea a",
        "bloquea",
        "anterior a",
        "precede a",
    ]
)
_WAITS = phrases(
    """blocked by, follows, blockiert durch, nachfolger von, bloque par, bloquee par, suit, bloqueada por,
    bloqueado por, posterior a, sigue a"""
)
_NO_ORDER = phrases(
    """related to, is duplicate of, has duplicate, duplicates, duplicated by, copied to, copied from, beziehung mit,
    bezieht sich auf,
    dupliziert, dupliziert durch, kopiert nach, kopiert von, lie a, duplique, duplique par, copie vers, copie depuis,
    relacionada con, duplicada por, duplicada de, copiada a, copiada desde"""
)
_RELATION = re.compile(r"\s*(?P<verb>[^#,]*?)\s*#(?P<id>\d+)\s*(?:\((?P<delay>-?\d+)[^)]*\))?[^,]*")
_NUMBER = re.compile(r"(?:.*?#)?(\d+)\b.*")
_CLOCK = re.compile(r"(\d+):([0-5]\d)")
_UNVERIFIED = phrases("resolved, gelost, resolu, resolue, resuelto, resuelta")
"""Of the statuses that Redmine begins with, the one that sounds done and is open: somebody is to verify it."""
_USED = named(
    """id project tracker status priority author assigned_to parent subject description start_date due_date done_ratio
    is_private estimated_hours total_estimated_hours spent_hours total_spent_hours custom_fields created_on updated_on
    closed_on relations journals children attachments changesets watchers category fixed_version allowed_statuses"""
)


def is_issue(record: Record) -> bool:
    """An issue of the interface."""
    return isinstance(record.get("subject"), str) and "id" in record and ("tracker" in record or "status" in record)


def flatten(content: Any) -> Found:
    """The issues of a document."""
    records = find(content, is_issue)
    names = {
        text(status.get("id")): text(status.get("name"))
        for record in records
        if isinstance(record, dict) and isinstance(status := record.get("status"), dict)
    }
    items = [_issue(record, names) for record in records]
    by_id = {item.id: item for item in items if isinstance(item, Item)}
    for record in records:
        pending: list[tuple[Record, Record]]
        pending = [(record, child) for child in objects(record.get("children"))] if isinstance(record, dict) else []
        while pending:
            parent, child = pending.pop()
            part = by_id.get(text(child.get("id")))
            if part is not None and "parent id" not in part.cells:
                part.put("parent id", text(parent.get("id")))
            pending += [(child, inner) for inner in objects(child.get("children"))]
    total = max((count(page.get("total_count")) for page in around(content, is_issue)), default=0)
    return Found(items, cut(len(items), total, more="ask for more with limit and offset"))


def _issue(record: Any, names: Mapping[str, str]) -> Item | str:
    if not isinstance(record, dict) or not is_issue(record):
        return "is no issue"
    number = text(record.get("id"))
    if not number.isdigit():
        return "has no number"
    item = Item()
    item.put("id", number)
    item.put("subject", text(record.get("subject")))
    for field in ("project", "tracker", "priority", "category"):
        item.put(field, say(record.get(field), "name"))
    item.put("target version", say(record.get("fixed_version"), "name"))
    who = record.get("assigned_to")
    name, account = say(who, "name"), say(who, "id") if isinstance(who, dict) else ""
    item.put("assignee", f"{name} <{account}>" if name and account else name)
    state = record.get("status")
    status = say(state, "name")
    closed_now = state.get("is_closed") if isinstance(state, dict) else None
    _state(item, status, text(record.get("closed_on")), closed_now if isinstance(closed_now, bool) else None, True)
    parent = say(record.get("parent"), "id")
    item.put("parent id", parent)
    for name, field in (
        ("created", "created_on"),
        ("updated", "updated_on"),
        ("start date", "start_date"),
        ("due date", "due_date"),
        ("estimated hours", "estimated_hours"),
        ("spent hours", "spent_hours"),
    ):
        item.put(name, text(record.get(field)))
    for relation in objects(record.get("relations")):
        _relate(item, relation, number)
    for own in objects(record.get("custom_fields")):
        value = own.get("value")
        values = value if isinstance(value, list) else [value]
        item.own(text(own.get("name")), own.get("id"), *map(text, values))
    for journal in objects(record.get("journals")):
        for detail in objects(journal.get("details")):
            if text(detail.get("name")) == "status_id":
                before, after = (names.get(text(detail.get(n)), "") for n in ("old_value", "new_value"))
                if after:
                    item.steps.append((text(journal.get("created_on")), "status", before, after))
    rest(item, record, _USED)
    return item


def _relate(item: Item, relation: Record, number: str) -> None:
    """``issue_id`` blocks or precedes ``issue_to_id``, whichever of the two was asked for."""
    kind = text(relation.get("relation_type"))
    first, second = text(relation.get("issue_id")), text(relation.get("issue_to_id"))
    if kind in ("blocked", "follows"):
        first, second = second, first
    elif kind not in ("blocks", "precedes"):
        return
    other = second if first == number else first
    if other and number in (first, second):
        tie = Tie(other, first == number, origin=kind, type=LinkType.FS)
        delay = relation.get("delay")
        if isinstance(delay, int) and not isinstance(delay, bool) and delay:
            tie.lag, tie.lag_in = f"{delay}d", LagKind.WORKING
        item.ties.append(tie)


def _state(item: Item, status: str, closed: str, is_closed: bool | None, knows_closing: bool) -> None:
    """Done by the status's own mark; else by its name where that is well known; else by the closing date.

    The date of the last closing stays when an issue is opened again.
    """
    meant = Status.IN_PROGRESS if fold(status) in _UNVERIFIED and not closed else meant_by(status)
    done = is_closed if is_closed is not None else meant in (Status.DONE, Status.CANCELLED) if meant else bool(closed)
    item.put("status", status)
    if done:
        item.put("status category", "done")
        item.put("resolution", status if meant is Status.CANCELLED else COMPLETED)
        item.put("finished", closed)
    elif meant is not None or is_closed is not None or knows_closing:
        item.put("status category", "in progress" if meant is Status.IN_PROGRESS else "to do")


def _read(source: Source, intake: Intake) -> Iterator[Entry]:
    yield from entries(flatten(single(source.documents)), REDMINE, _KNOWN, intake)


REDMINE = DocumentReader(
    name="redmine",
    system="Redmine",
    certainty=lambda source: 0.9 if is_json(source, is_issue) else 0.0,
    read=_read,
)


# --------------------------------------------------------------------------------------------------------------- CSV

_MADE = ("id", "status category", "resolution", "finished", "parent id", "waits for", "comes before")
_SUBJECTS = frozenset({"subject", "thema", "sujet", "asunto"})


def _open(source: Source) -> Table | None:
    """The CSV with ids in the way of the interface, and the links of its prose."""
    if not is_table(source, "#", _SUBJECTS):
        return None
    opened = read_sheet(source)
    closed_at = next((name for name in opened.names if name in _CLOSED), "")
    status_at = next((name for name in ("status", "statut", "estado") if name in opened.names), "")
    related_at = next((name for name in opened.names if name in _RELATED), "")
    parent_at = next((name for name in opened.names if name in _PARENT), "")
    subject_at = next(name for name in opened.names if name in _SUBJECTS)
    hours = [i for i, name in enumerate(opened.header) if fold(name) in _HOURS]
    by_subject: dict[str, list[str]] = {}
    for _, row in opened.rows:
        by_subject.setdefault(opened.cell(row, subject_at), []).append(opened.cell(row, "#"))
    unknown = 0
    for _, row in opened.rows:
        item = Item()
        _state(item, opened.cell(row, status_at), opened.cell(row, closed_at), None, bool(closed_at))
        first, waits = [], []
        for verb, tie in _relations(opened.cell(row, related_at)):
            if verb in _FIRST:
                first.append(tie)
            elif verb in _WAITS:
                waits.append(tie)
            else:
                unknown += verb not in _NO_ORDER
        parent = opened.cell(row, parent_at)
        named_so = by_subject.get(parent, [])
        m = _NUMBER.fullmatch(parent)
        parent = named_so[0] if len(named_so) == 1 else m[1] if m else ""
        for i in hours:
            if m := _CLOCK.fullmatch(row[i].strip()):
                row[i] = f"{int(m[1]) + int(m[2]) / 60:.4f}"
        made = [next(iter(item.cells.get(name, ())), "") for name in _MADE[1:4]]
        row.extend([opened.cell(row, "#"), *made, parent, " ".join(waits), " ".join(first)])
    remarks = []
    if unknown:
        message = (
            f"states {plural(unknown, 'relation')} in words that are not known, taken not to order work: export in "
            "English, or as JSON with relations"
        )
        remarks.append(Remark("unknown-link-type", message, unknown))
    return opened.table(_MADE, remarks=remarks)


_HOURS = frozenset(name for name, use in _KNOWN.items() if use.meaning.unit == "h")


def _relations(prose: str) -> Iterator[tuple[str, str]]:
    """(verb, ``12`` or ``12FS+2d``) of each part."""
    for part in prose.split(","):
        if m := _RELATION.fullmatch(part):
            delay = int(m["delay"] or 0)
            verb = fold(re.sub(r"\s*(?:[-–:].*)$", "", m["verb"]))
            known = _FIRST | _WAITS | _NO_ORDER
            while verb not in known and " " in verb:  # the tracker's name may stand before the number
                verb = verb.rpartition(" ")[0]
            yield verb, m["id"] + (f"FS{delay:+d}d" if delay else "")


def _certainty(opened: Table, found: list[Use]) -> float:
    marks = {use.meaning.means for use in found} & {C.TYPE, C.STATUS, C.PRIORITY, C.COMPONENT, C.PROJECT, C.UPDATED}
    numbers = opened.column(opened.header.index("#")) if "#" in opened.header else []
    return min(0.95, 0.35 + 0.12 * len(marks)) if all(n.strip().isdigit() for n in numbers) else 0.0


REDMINE_CSV = Reader(
    name="redmine-csv",
    system="Redmine",
    open=_open,
    propose=lambda opened: proposed(opened, _KNOWN),
    certainty=_certainty,
    id_pattern=re.compile(r"\d+"),
    id_is="a number such as 12",
)
