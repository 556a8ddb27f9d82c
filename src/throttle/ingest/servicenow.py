"""What the tables of ServiceNow share: field names and labels, the words of raw values, and XML unloads as rows.

Fields and English labels were seen in real exports (Table API, JSONv2, an event log); labels in other languages, XML
lists and XML of the Table API are built from the documented shape. Journals (``comments``, ``work_notes``) are not
read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from throttle.ingest.records import Rejection
from throttle.ingest.source import Source
from throttle.ingest.tables import Table, make_table
from throttle.ingest.values import fold
from throttle_models import Column

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

C = Column

TABLES = {
    "incident": ("Incident", "INC"),
    "problem": ("Problem", "PRB"),
    "problem_task": ("Problem Task", "PTASK"),
    "incident_task": ("Incident Task", "TASK"),
    "sc_request": ("Request", "REQ"),
    "sc_req_item": ("Requested Item", "RITM"),
    "sc_task": ("Catalog Task", "SCTASK"),
    "change_request": ("Change Request", "CHG"),
    "change_task": ("Change Task", "CTASK"),
    "sn_customerservice_case": ("Case", "CS"),
    "sn_hr_core_case": ("HR Case", "HRC"),
    "pm_project": ("Project", "PRJ"),
    "pm_project_task": ("Project Task", "PRJTASK"),
    "rm_story": ("Story", "STRY"),
    "rm_defect": ("Defect", "DFCT"),
    "rm_enhancement": ("Enhancement", "ENHC"),
    "rm_epic": ("Epic", "EPIC"),
    "rm_scrum_task": ("Scrum Task", "STSK"),
    "task": ("Task", "TASK"),
    "cmdb_ci_outage": ("Outage", "OUTAGE"),
}
"""Tables that hold work, with their label and the letters that their numbers begin with in the base system."""

_BY_LABEL = {fold(label): name for name, (label, _) in reversed(TABLES.items())} | {
    "catalogue task": "sc_task", "task catalog": "sc_task", "change": "change_request", "ritm": "sc_req_item",
    "request item": "sc_req_item", "service request": "sc_request",
}  # fmt: skip
_BY_PREFIX = {prefix: name for name, (_, prefix) in reversed(TABLES.items())} | {"STASK": "sc_task", "TASK": "task"}

HEADERS = {
    C.ID: "number, numero, nummer",
    C.ALIAS: "sys_id, sys id",
    C.SAME_AS: "correlation_id, correlation id",
    C.KIND_OF_RECORD: "sys_class_name, task type, sys_class_name.name",
    C.TITLE: """short_description, short description, breve descripcion, descripcion breve, kurzbeschreibung,
        breve description, descricao resumida""",
    C.STATUS: "state, u_chg_stage, status, estado, status (de), etat",
    C.ACTIVE: "active, activo, aktiv, actif, ativo",
    C.ASSIGNEE: """assigned_to, assigned to, assigned_to.name, asignado a, zugewiesen an, affecte a,
        atribuido a""",
    C.GROUP: """assignment_group, assignment group, assignment_group.name, grupo de asignacion, zuweisungsgruppe,
        groupe d'affectation, grupo de atribuicao""",
    C.PRIORITY: "priority, prioridad, prioritat, priorite, prioridade",
    C.CREATED: """opened_at, sys_created_on, sys_created_at, opened, created, abierto, creado, erstellt, geoffnet,
        ouvert, cree, aberto, criado""",
    C.UPDATED: """sys_updated_on, sys_updated_at, updated, actualizado, aktualisiert, mis a jour,
        atualizado""",
    C.VIEWED: "approval_set, approval set",
    C.DUE: "due_date, due date, requested_by_date, requested by date, requested by",
    C.TIME_SPENT: "time_worked, time worked",
    C.SERVICE: """cmdb_ci, configuration item, cmdb_ci.name, business_service, service, business service,
        service_offering, service offering""",
    C.APPROVAL: "approval, aprobacion, genehmigung, approbation, aprovacao",
    C.ON_HOLD: "on_hold, on hold, en espera, en attente",
    C.SAME_AS: "correlation_id, correlation id",
}
"""Field names and labels that all task tables have, best first."""


def aliases(headers: dict[C, str]) -> dict[str, tuple[C, int]]:
    """Folded header to its meaning and its place among those of the same meaning.

    Raises ValueError for a header that means two things, which is an error of ours.
    """
    found: dict[str, tuple[C, int]] = {}
    for means, text in headers.items():
        for place, word in enumerate(filter(None, (fold(w) for w in text.split(",")))):
            if found.setdefault(word, (means, place))[0] is not means:
                raise ValueError(f"{word!r} means two things")
    return found


def prefix_of(number: str) -> str:
    """The letters that a number begins with: ``CHG`` of ``CHG0030001``."""
    match = re.match(r"[A-Za-z]*", number.strip())
    return match[0].upper() if match else ""


def table_of_record(kind: str, number: str) -> str:
    """The table of a record by its class (raw or displayed), else by its number; empty where neither tells."""
    word = fold(kind)
    if word in TABLES:
        return word
    return _BY_LABEL.get(word) or _BY_PREFIX.get(prefix_of(number), "")


# ----------------------------------------------------------------------------------------------------------------- XML

_UNLOAD = re.compile(rb"<(\w+)\s+action\s*=\s*[\"']")
_LIST = re.compile(r"<xml\b[^>]*>\s*<(\w+)[ />]")
_ANSWER = re.compile(r"<(?:response|unload|xml|records|record_update)\b")
_SILENT = re.compile(r"sys_journal_field|sys_attachment.*|sys_audit.*|sys_history.*|sys_update.*|sys_variable.*|sys_.*")
_BY_VALUE = frozenset({"state", "priority", "risk", "type", "on_hold", "active", "approval", "sys_id", "number"})
"""Fields whose raw value is the same in every language."""


def xml_tables(source: Source) -> frozenset[str]:
    """Tables of which an XML unload or list holds records; ``result`` of the Table API, which does not say."""
    if source.kind != "xml" or not _ANSWER.search(source.head):
        return frozenset()
    if "<unload" in source.head or "<record_update" in source.head:
        return frozenset(name.decode("ascii") for name in _UNLOAD.findall(source.data))
    if listed := _LIST.search(source.head):
        return frozenset({listed[1]})
    if re.search(r"<response\b[^>]*>\s*<result\b", source.head):
        return frozenset({"result"})
    return frozenset()


def xml_table(source: Source, wanted: frozenset[str]) -> Table | None:
    """The records of some tables as rows, times in UTC; deleted ones are rejected, those of other tables told.

    None where there is no record of them. Raises InputError for XML that is not sound.
    """
    held = xml_tables(source)
    if not held & (wanted | {"result"}):
        return None
    records: list[tuple[int, dict[str, str]]] = []
    rejected: list[Rejection] = []
    others: Counter[str] = Counter()
    number = 0
    for element in source.elements(*sorted(held)):
        name = _tag(element)
        if name not in wanted and name != "result":
            others[name] += 1
            continue
        number += 1
        if element.get("action", "").upper() == "DELETE":
            rejected.append(Rejection(source.file, number, None, "is marked as deleted"))
            continue
        record = dict(_fields(element))
        if name != "result":
            record.setdefault("sys_class_name", name)
        records.append((number, record))
    if not records and not rejected:
        return None
    header = list(dict.fromkeys(field for _, record in records for field in record))
    remarks = [
        ("other-tables", f"also holds {count} records of table {name}, which is not read here", count)
        for name, count in sorted(others.items())
        if not _SILENT.fullmatch(name)
    ]
    return make_table(
        source,
        header,
        ([record.get(field, "") for field in header] for _, record in records),
        utc=True,
        rejections=rejected,
        remarks=remarks,
        numbers=[place for place, _ in records],
    )


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _fields(record: Element) -> Iterator[tuple[str, str]]:
    for field in record:
        name = _tag(field)
        parts = {_tag(part): part.text or "" for part in field}
        raw = parts.get("value", "") if parts else field.text or ""
        shown = parts.get("display_value", "") if parts else field.get("display_value", "")
        dated = raw[:4].isdigit() and raw[4:5] == "-"
        first, second = (raw, shown) if name in _BY_VALUE or dated else (shown, raw)
        yield name, first or second
