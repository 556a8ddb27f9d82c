"""Any CSV or Excel table of work, with a mapping that says what its columns mean.

Without a mapping, headers of plain words are understood, if there is an id, a title and something to plan by; bare
numbers of effort are hours. German, Spanish, French and Portuguese words are not verified. In a mapping, ``columns:
{plain: {Header: meaning}}`` names the columns of such a file; one column must be the ``id``.
"""

from __future__ import annotations

import re
from dataclasses import replace

from throttle.ingest.decode import Encoding
from throttle.ingest.flat import phrases, proposed, uses
from throttle.ingest.readers import Reader, Use
from throttle.ingest.source import Source
from throttle.ingest.tables import Table, table_of
from throttle.ingest.values import fold
from throttle.wording import plural
from throttle_models import Column

C = Column

_KNOWN = uses(
    {
        C.ID: """id, key, number, no, nr, task id, item id, ticket, ticket id, ticket number, reference, ref,
            wbs, lfd nr, nummer, schlussel, kennung, numero, clave, cle, chave, identifiant, identificador""",
        C.TITLE: """title, name, summary, task, task name, subject, item, activity, work, titel, bezeichnung, vorgang,
            aufgabe, betreff, zusammenfassung, titulo, nombre, tarea, resumen, titre, nom, intitule, tache,
            nome, tarefa, resumo""",
        C.TYPE: "type, kind, item type, task type, typ, art, tipo",
        C.STATUS: """status, state, stage, zustand, estado, etat, statut, situacao, % complete, % done,
            percent complete, complete, progress, % erledigt, % abgeschlossen, fortschritt, % completado, % termine""",
        C.PROJECT: "project, epic, programme, program, initiative, projekt, proyecto, projet, projeto",
        C.PARENT: "parent, parent id, part of",
        C.ASSIGNEE: """assignee, assigned to, owner, who, person, responsible, resource, zustandig, bearbeiter,
            verantwortlich, zugewiesen an, responsable, asignado a, assigne a, responsavel""",
        C.COMPONENT: "component, area, module",
        C.LABEL: "labels, tags",
        C.TEAM: "team, group, squad, gruppe, equipo, equipe, grupo, groupe",
        C.SKILL: "skill, skills, role, discipline",
        C.PRIORITY: "priority, prio, prioritat, prioridad, priorite, prioridade",
        C.CREATED: "created, created at, created on, opened, erstellt, angelegt, creado, cree, criado",
        C.UPDATED: "updated, updated at, updated on, modified, last modified",
        C.STARTED: "started, actual start",
        C.FINISHED: """finished, completed, closed, done on, actual finish, actual end, erledigt, abgeschlossen,
            fertig, terminado, termine, concluido""",
        C.DUE: """due, due date, deadline, target date, fallig, fallig am, fertig bis, frist, termin, vencimiento,
            fecha limite, echeance, date limite, prazo""",
        C.PLANNED_START: """start, start date, planned start, beginn, startdatum, inicio, fecha de inicio, debut,
            date de debut""",
        C.PLANNED_END: """end, end date, finish, finish date, planned end, planned finish, ende, enddatum, fin,
            fecha de fin, date de fin, fim""",
        C.NOT_BEFORE: "not before, release date, earliest start",
        C.ORIGINAL_ESTIMATE: """estimate, estimate (h), estimated hours, effort, effort (h), hours, work (h), aufwand,
            aufwand (h), stunden, schatzung, esfuerzo, horas, estimacion, charge, heures, estimation,
            esforco, estimativa""",
        C.LOW_ESTIMATE: "low, optimistic, best case",
        C.HIGH_ESTIMATE: "high, pessimistic, worst case",
        C.REMAINING_ESTIMATE: "remaining, remaining hours, hours left, remaining (h), restaufwand, rest",
        C.TIME_SPENT: "spent, time spent, hours spent, actual hours",
        C.POINTS: "points, story points, size",
        C.WAITS_FOR: """depends on, predecessor, predecessors, waits for, blocked by, after, vorganger, abhangig von,
            wartet auf, depende de, predecesor, depend de, predecesseur""",
        C.BLOCKS: """blocks, successor, successors, before, nachfolger, blockiert, bloquea, sucesor, bloque,
            successeur""",
    },
    {
        C.ORIGINAL_ESTIMATE: "h",
        C.LOW_ESTIMATE: "h",
        C.HIGH_ESTIMATE: "h",
        C.REMAINING_ESTIMATE: "h",
        C.TIME_SPENT: "h",
    },
    {C.LABEL: ",;", C.SKILL: ",;", C.ASSIGNEE: ",;"},
)
_PERCENTS = phrases(
    """% complete, % done, percent complete, complete, progress, % erledigt, % abgeschlossen, fortschritt, % completado,
    % termine"""
)
_TO_PLAN_BY = {C.STATUS, C.ASSIGNEE, C.DUE, C.ORIGINAL_ESTIMATE, C.POINTS, C.WAITS_FOR, C.PRIORITY, C.SKILL}


_ABOVE = 25
"""Rows in which a header is looked for."""


def _open(source: Source) -> Table | None:
    """The table from its header on: a title, a date or blank rows may stand above."""
    if source.kind == "sheet":
        rows = [list(filter(None, row)) for row in source.rows[:_ABOVE]]
        above = _rows_above(rows)
        part = replace(source, rows=source.rows[above:])
    elif source.kind == "csv":
        lines = source.head.splitlines(keepends=True)[:_ABOVE]
        mark = max(",;\t|", key="".join(lines).count)
        above = _rows_above([list(filter(None, map(str.strip, line.split(mark)))) for line in lines])
        start = sum(map(len, lines[:above]))
        encoding = Encoding("utf-8", source.encoding.why)
        part = replace(source, data=source.text[start:].encode(), encoding=encoding) if above else source
    else:
        return None
    opened = source.table if not above else table_of(part)
    if opened is not None and above:
        opened.remarks.append(("rows-above-header", f"has {plural(above, 'row')} above its header, not read", above))
    return None if opened is None else _with_percents(opened)


def _with_percents(opened: Table) -> Table:
    """Shares that are complete, which spreadsheets hold as numbers: ``0.5`` and ``50`` as ``50%``."""
    shares = [i for i, header in enumerate(opened.header) if fold(header) in _PERCENTS]
    scales = {}
    for i in shares:
        numbers = [float(cell) for cell in opened.column(i) if _NUMBER.fullmatch(cell.strip())]
        if numbers:
            scales[i] = 100 if max(numbers) <= 1 else 1
    if not scales:
        return opened

    def written(row: list[str]) -> list[str]:
        return [
            f"{float(cell) * scales[i]:.10g}%" if i in scales and _NUMBER.fullmatch(cell.strip()) else cell
            for i, cell in enumerate(row)
        ]

    return opened.changed(opened.header, written)


_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,9})?")


def _rows_above(rows: list[list[str]]) -> int:
    """How many rows with one or two cells come before the first that is about as full as the fullest."""
    most = max(map(len, rows), default=0)
    at = next((i for i, row in enumerate(rows) if len(row) >= 0.6 * most), 0)
    return at if most > 3 and all(len(row) <= 2 for row in rows[:at]) else 0


_UNITS = {
    unit: letter
    for letter, units in {
        "m": "min minutes minuten minutos",
        "h": "h hrs hours std stunden horas heures",
        "d": "d days pd md pt at tage personentage dias jours person-days man-days persondays mandays",
    }.items()
    for unit in units.split()
}
_WITH_UNIT = re.compile(r"(.+?)[ (\[]+([\w-]+)[)\]]*")


def _propose(opened: Table) -> list[Use]:
    uses = proposed(opened, _KNOWN)
    read = {use.index for use in uses}
    for i, header in enumerate(opened.header):  # Effort (days)
        if i in read or (m := _WITH_UNIT.fullmatch(fold(header))) is None:
            continue
        known, unit = _KNOWN.get(m[1].removesuffix(" in").strip()), _UNITS.get(m[2])
        if known is not None and unit is not None and known.meaning.unit:
            uses.append(Use(i, header, known.meaning.model_copy(update={"unit": unit}), known.preference))
    return [
        Use(use.index, use.header, use.meaning.model_copy(update={"confidence": 0.6, "evidence": "plain word"}),
            use.preference)
        for use in sorted(uses, key=lambda use: use.index)
    ]  # fmt: skip


def _certainty(opened: Table, found: list[Use]) -> float:
    """What a person said of the columns counts; plain words do only where no other reader knows the file."""
    means = {use.meaning.means for use in found}
    if C.ID not in means:
        return 0.0
    if any(use.preference < 0 for use in found):
        return 0.99
    ids = [c.strip() for use in found if use.meaning.means is C.ID for c in opened.column(use.index)]
    return 0.35 if C.TITLE in means and means & _TO_PLAN_BY and len(set(ids)) > 0.9 * len(ids) else 0.0


PLAIN = Reader(
    name="plain",
    system="a plain table",
    open=_open,
    propose=_propose,
    certainty=_certainty,
)
