"""ServiceNow change_request: CSV with field names or labels, Table API JSON in raw, display or ``all`` mode.

English field names and labels were seen in real exports; labels in other languages are not verified. All site words
(types, states) come through the shared tables or ``map.yaml``.
"""

from __future__ import annotations

import re

from throttle.ingest.readers import Reader, Use, known
from throttle.ingest.tables import Table
from throttle.ingest.values import fold
from throttle.ingest.words import table
from throttle_models import Column, Status

C = Column

_HEADERS = {
    C.ID: "number, numero, nummer",
    C.ALIAS: "sys_id, sys id",
    C.KIND_OF_RECORD: "sys_class_name, task type, sys_class_name.name",
    C.TITLE: """short_description, short description, breve descripcion, descripcion breve, kurzbeschreibung,
        breve description, descricao resumida""",
    C.CHANGE_KIND: "type, chg_model.type, change type, tipo, typ",
    C.STATUS: "state, u_chg_stage, status, estado, status (de), etat",
    C.RESOLUTION: "",
    C.ACTIVE: "active, activo, aktiv, actif, ativo",
    C.PARENT: "parent, change_request, change request, padre, ubergeordnet",
    C.ASSIGNEE: "assigned_to, assigned to, asignado a, zugewiesen an, affecte a, atribuido a",
    C.GROUP: """assignment_group, assignment group, grupo de asignacion, zuweisungsgruppe, groupe d'affectation,
        grupo de atribuicao""",
    C.COMPONENT: "",
    C.PRIORITY: "priority, prioridad, prioritat, priorite, prioridade",
    C.RISK: "risk, risk value, riesgo, risiko, risque, risco",
    C.CREATED: """opened_at, sys_created_on, opened, created, abierto, creado, erstellt, geoffnet, ouvert, cree,
        aberto, criado""",
    C.UPDATED: "sys_updated_on, updated, actualizado, aktualisiert, mis a jour, atualizado",
    C.STARTED: "work_start, actual start date, actual start, fecha de inicio real, tatsachliches startdatum",
    C.FINISHED: """work_end, actual end date, actual end, closed_at, closed, fecha de finalizacion real, cerrado,
        geschlossen""",
    C.VIEWED: "approval_set, approval set",
    C.DUE: "due_date, due date, requested_by_date, requested by date, requested by",
    C.PLANNED_START: "start_date, planned start date, planned start, fecha de inicio planificada, geplantes startdatum",
    C.PLANNED_END: "end_date, planned end date, planned end, fecha de finalizacion planificada, geplantes enddatum",
    C.TIME_SPENT: "time_worked, time worked",
    C.SERVICE: """cmdb_ci, configuration item, business_service, service, business service, service_offering,
        service offering""",
    C.APPROVAL: "approval, aprobacion, genehmigung, approbation, aprovacao",
    C.ON_HOLD: "on_hold, on hold, en espera, en attente",
}
table({means: text for means, text in _HEADERS.items() if text})  # a header that meant two things would be our error
_KNOWN = {
    fold(word): (means, place)
    for means, text in _HEADERS.items()
    if text
    for place, word in enumerate(w.strip() for w in text.split(","))
}

STATES = table(
    {
        Status.OPEN: "-5, -4, -3, -2, 1, new, assess, authorize, scheduled, pending, draft, request for change",
        Status.IN_PROGRESS: "-1, 0, 2, implement, review",
        Status.DONE: "3, closed, closed complete",
        Status.CANCELLED: "4, 7, canceled, cancelled, closed skipped",
    }
)
"""The base model of change_request, raw and displayed; negative states are open."""

_CHANGE_ONLY = {C.PLANNED_START, C.PLANNED_END, C.RISK, C.CHANGE_KIND}
_OTHER_TABLES = {
    "INC": "incident",
    "PRB": "problem",
    "RITM": "requested item",
    "REQ": "request",
    "SCTASK": "catalogue task",
}


def _propose(opened: Table) -> list[Use]:
    uses = []
    for i, header in enumerate(opened.header):
        if found := _KNOWN.get(fold(header)):
            means, place = found
            uses.append(known(i, header, means, "field or label known", preference=place))
    return uses


def _prefixes(opened: Table, uses: list[Use]) -> set[str]:
    ids = [use.index for use in uses if use.meaning.means is C.ID]
    return {re.match(r"[A-Za-z]*", c.strip())[0].upper() for c in opened.column(ids[0])} if ids else set()  # type: ignore[index]


def _records(opened: Table, uses: list[Use]) -> set[str]:
    return {fold(c) for u in uses if u.meaning.means is C.KIND_OF_RECORD for c in opened.column(u.index)}


def _certainty(opened: Table, uses: list[Use]) -> float:
    means = {use.meaning.means for use in uses}
    numbers = [cell for use in uses if use.meaning.means is C.ID for cell in opened.column(use.index)]
    if C.ID not in means or any(re.search(r"-\d", number) for number in numbers):
        return 0.0
    prefixes = _prefixes(opened, uses)
    if "CHG" in prefixes or _records(opened, uses) & {"change_request", "change request"}:
        return 0.95
    if prefixes & _OTHER_TABLES.keys() and len(means) > 3:
        return 0.9
    return 0.5 + 0.1 * len(means & _CHANGE_ONLY) if len(means & _CHANGE_ONLY) >= 2 else 0.0


def _objection(opened: Table, uses: list[Use]) -> str | None:
    others = sorted(_OTHER_TABLES[p] for p in _prefixes(opened, uses) & _OTHER_TABLES.keys())
    if others and "CHG" not in _prefixes(opened, uses):
        return f"is a ServiceNow export of table {others[0]}; so far only change_request is read"
    return None


SERVICENOW_CHANGE = Reader(
    name="servicenow-change",
    system="ServiceNow",
    propose=_propose,
    certainty=_certainty,
    objection=_objection,
    id_pattern=re.compile(r"[^\W\d_]*\d{3,}|[^\W_]+[-_ ]?\d+"),
    id_is="a number such as CHG0030001",
    states=STATES,
    review_states=frozenset({"0", "review"}),
    authorised_states=frozenset({"-2", "-1", "0", "3", "scheduled", "implement", "review", "closed"}),
    default_type="change",
)
