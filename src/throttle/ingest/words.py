"""The words of trackers in five languages: statuses, resolutions, types, priorities, link types.

Every key is folded (:func:`throttle.ingest.values.fold`). English and Spanish were seen in real exports; German, French
and Portuguese are not verified. What is not here is reported, and explained in ``map.yaml``.
"""

from __future__ import annotations

import re
from typing import TypeVar

from throttle.ingest.values import fold
from throttle_models import Status, WorkType

_T = TypeVar("_T")


def table(rows: dict[_T, str]) -> dict[str, _T]:
    """``{value: "word, word"}`` turned round. Raises ValueError for a word that is there twice."""
    turned: dict[str, _T] = {}
    for value, words in rows.items():
        for word in filter(None, (fold(w) for w in words.replace("\n", " ").split(","))):
            if turned.setdefault(word, value) != value:
                raise ValueError(f"{word!r} means two things")
    return turned


CATEGORIES = table(
    {
        Status.OPEN: """new, to do, todo, por hacer, tareas por hacer, pendiente, zu erledigen, offen, aufgaben,
            a faire, a fazer, tarefas pendentes, itens pendentes, pendente""",
        Status.IN_PROGRESS: """indeterminate, in progress, en curso, en progreso, in arbeit, in bearbeitung, en cours,
            em andamento, em progresso, em curso""",
        Status.DONE: """done, complete, completed, finalizada, finalizado, listo, hecho, fertig, erledigt,
            abgeschlossen, termine, terminee, terminees, fini, concluido, concluida, feito, itens concluidos, pronto""",
    }
)
"""Jira's three status categories; the key of each is the same in every language, the name is not."""

_WAITING = """on hold, on-hold, onhold, hold, waiting, awaiting, blocked, impeded, paused, suspended, parked,
    postponed, deferred, stalled, waiting for customer, waiting for support, waiting for vendor,
    waiting for third party, waiting for reply, waiting for response, awaiting customer, awaiting response,
    awaiting user info, pending customer, pending vendor, en espera, en pausa, esperando,
    a la espera, a la espera del cliente, esperando por el cliente, esperando al cliente, esperando respuesta,
    bloqueado, bloqueada, pausado, pausada, suspendido, suspendida, aplazado, aplazada, pospuesto, pospuesta,
    detenido, detenida, wartend, warten, wartet, in warteposition, in der warteschleife, warten auf kunden,
    warten auf kunde, warten auf antwort, blockiert, gesperrt, pausiert, angehalten, zuruckgestellt,
    verschoben, ausgesetzt, en attente, en attente du client, en attente de reponse, en pause, mis en attente,
    mise en attente, bloque, bloquee, suspendu, suspendue, reporte, reportee, differe, differee, em espera,
    em pausa, aguardando, aguardando cliente, aguardando o cliente, aguardando resposta, aguardando terceiros,
    suspenso, suspensa, adiado, adiada, parado, parada, impedido, impedida"""
WAITING = frozenset(table({"": _WAITING}))
"""Names of statuses in which work waits: it is open, and an import says which items these are."""

STATUSES = CATEGORIES | table(
    {
        Status.OPEN: f"""{_WAITING}, open, backlog, product backlog,
            selected for development, reopened, draft, submitted, ready,
            ready for development, ready for dev, ready to start, planned, scheduled, approved, assess, authorize,
            accepted, triage, not started, requested, awaiting approval, waiting for approval, pending approval,
            pending, abierto, abierta, nuevo, nueva, reabierto, reabierta, asignado, asignada, planificado,
            planificada, neu, erneut geoffnet, wiedereroffnet, geplant, genehmigt, ausgewahlt fur entwicklung, ouvert,
            ouverte, nouveau, nouvelle, rouvert, rouverte, reouvert, planifie, planifiee, en attente d'approbation,
            aberto, aberta, novo, nova, reaberto, reaberta, planejado, planejada, aprovado, aprovada, evaluar,
            autorizar, bewerten, autorisieren, evaluer, autoriser, avaliar, autorizar, programado, programada,
            agendado""",
        Status.IN_PROGRESS: """doing, started, wip, work in progress, in development, development, implement,
            implementing, implementation, in review, review, code review, peer review, in dev,
            in code review, in verification, ready for review, in test, in testing, testing, test, in qa, qa, ready
            for qa, ready for test, uat, in uat, user acceptance testing, verification,
            deploying, under review, under investigation, investigating, en desarrollo, en revision, en pruebas,
            implementar, implementacion, revision, in entwicklung, in umsetzung, umsetzung, in prufung, im test,
            implementieren, implementierung, uberprufung, en developpement, en revue, en test, mise en oeuvre,
            em desenvolvimento, em revisao, em teste, em testes, fazendo, desenvolvimento, revisao, implementacao""",
        Status.DONE: """closed, resolved, finished, released, deployed, fixed, delivered, live, closed complete,
            closed incomplete, verified, cerrado, cerrada, resuelto, resuelta, terminado, terminada, completado,
            completada, geschlossen, gelost, behoben, ferme, fermee, clos, close, cloture, cloturee, resolu, resolue,
            fechado, fechada, resolvido, resolvida, encerrado, encerrada, finalizadas""",
        Status.CANCELLED: """cancelled, canceled, cancelled/rejected, rejected, declined, won't do, wont do,
            won't fix, abandoned, withdrawn, obsolete, duplicate, closed skipped, cancelado, cancelada, rechazado,
            rechazada, descartado, descartada, anulado, anulada, abgebrochen, storniert, abgelehnt, verworfen, annule,
            annulee, rejete, rejetee, abandonne, abandonnee, rejeitado, rejeitada""",
    }
)
"""Well-known names, used only where neither a category nor a resolution says more."""

CANCELLED_RESOLUTIONS = frozenset(
    table(
        {
            "": """won't do, wont do, not planned, won't fix, wont fix, will not do, duplicate, cannot reproduce,
            can't reproduce, declined, rejected, cancelled, canceled, obsolete, not a bug, invalid, abandoned,
            withdrawn, works as designed, works for me, incomplete, no se hara, no se corregira, duplicado, duplicada,
            no se puede reproducir, no reproducible, rechazado, rechazada, cancelado, cancelada, incompleto, duplikat,
            wird nicht erledigt, wird nicht behoben, kann nicht reproduziert werden, nicht reproduzierbar, abgelehnt,
            abgebrochen, unvollstandig, doublon, en double, ne sera pas fait, ne sera pas corrige, ne pas corriger,
            impossible a reproduire, refuse, rejete, annule, incomplet, nao sera feito, nao sera corrigido,
            nao e possivel reproduzir, nao foi possivel reproduzir, rejeitado, recusado"""
        }
    )
)
UNRESOLVED = frozenset(
    table({"": "unresolved, sin resolver, nicht erledigt, unerledigt, ungelost, non resolu, nao resolvido"})
)

TYPES = table(
    {
        WorkType.PROJECT: """epic, story, user story, task, new feature, feature, improvement, enhancement,
            initiative, capability, requirement, spike, feature request, product backlog item, issue,
            request for enhancement, card, research, theme, legend, idea, milestone, test,
            technical task, project task, scrum task, epica, historia, historia de usuario, tarea,
            nueva funcionalidad, nueva funcion, mejora, funcionalidad, iniciativa, aufgabe, geschichte, neue funktion,
            neues feature, verbesserung, anforderung,
            epopee, recit, recit utilisateur, recit d'utilisateur, tache, nouvelle fonctionnalite, fonctionnalite,
            amelioration, epico, tarefa, novo recurso, nova funcionalidade, melhoria, recurso, iniciativa""",
        WorkType.INTERNAL: """technical debt, tech debt, debt, refactoring, refactor, maintenance, chore, internal,
            change task, infrastructure, hardening, improvement theme, countermeasure, it help, deuda tecnica,
            mantenimiento,
            interno, technische schuld, technische schulden, wartung, dette technique, maintenance interne,
            divida tecnica, manutencao""",
        WorkType.CHANGE: """change, change request, rfc, release, deployment, normal change, standard change,
            emergency change, [system] change, cambio, solicitud de cambio, anderung, anderungsantrag, changement,
            demande de changement, mudanca, solicitacao de mudanca""",
        WorkType.UNPLANNED: """bug, defect, incident, [system] incident, problem, [system] problem, support,
            support request, service request, service request with approvals, [system] service request, fault, outage,
            hotfix, vulnerability, question, access, post-incident review, degradation, request, requested item,
            catalog task, catalogue task, incident task, problem task, case, hr case, error, fallo, defecto, incidente,
            incidencia, problema, solicitud de servicio, fehler, storung, vorfall, bogue, anomalie, defaut,
            incident majeur, demande de service, probleme, defeito, erro, falha, solicitacao de servico""",
    }
)
SUBTASKS = frozenset(
    table({"": "sub-task, subtask, sub task, subtarea, unteraufgabe, teilaufgabe, sous-tache, subtarefa, sub-tarefa"})
)
EPICS = frozenset(table({"": "epic, epica, epopee, epico, initiative, iniciativa, theme, legend, capability"}))

RANKS = ("highest", "high", "medium", "low", "lowest")
_RANK = table(
    {
        0: """highest, blocker, critical, urgent, emergency, immediate, showstopper, very high, mas alta, muy alta,
            critica, critico, urgente, bloqueante, bloqueadora, hochste, sehr hoch, kritisch, dringend, blocker (de),
            la plus haute, la plus elevee, tres haute, tres elevee, critique, bloquant, bloquante, urgente, mais alta,
            muito alta, altissima, maxima""",
        1: "high, major, alta, alto, mayor, hoch, haute, elevee, eleve, majeur, majeure, importante, maior",
        2: "medium, normal, moderate, average, media, medio, moderada, mittel, moyenne, moyen, normale, moderado",
        3: "low, minor, baja, bajo, menor, niedrig, gering, basse, faible, mineur, mineure, baixa, baixo",
        4: """lowest, trivial, planning, very low, mas baja, muy baja, niedrigste, sehr niedrig, la plus basse,
            tres basse, tres faible, mais baixa, muito baixa, planificacion, planung, planification, planejamento""",
    }
)


def rank(priority: str) -> int | None:
    """0 (highest) to 4 (lowest) of a priority's name, ``n - Text`` with 1 the highest,
    ``P1`` or ``Sev 2``; else None."""
    word = fold(priority)
    if (known := _RANK.get(word)) is not None:
        return known
    if m := re.match(r"(?:p|prio|priority|sev|severity)?[ -]?(\d)\b\s*(?:[-:.)]\s*(.*))?$", word):
        return max(0, min(int(m[1]), 5) - 1)
    return None


_RISK = {0: 4, 1: 3, 2: 2, 3: 1, 4: 1}


def risk_points(risk: str) -> int | None:
    """1 (low) to 4 (very high) of a risk's name or ServiceNow number (1 very high, 2 high, 3 moderate, 4 low)."""
    place = rank(risk)
    return None if place is None else _RISK[place]


_FIXED_LINKS = table(
    {
        "FS": """blocks, blocker, blocking, block, precedes, predecessor, finish-start, sequence, bloquea, bloqueo,
            bloquear, blockiert, blockieren, bloque, blocage, bloqueia, bloqueios, bloqueio""",
        "FS-reversed": """depends, dependency, dependencies, dependent, depend, depends on, dependence, dependencia,
            dependencias, depende, abhangigkeit, abhangig, abhangigkeiten, dependance, requires""",
        "relates": """relates, related, relate, duplicate, duplicates, cloners, clones, cloned, problem/incident,
            fixed, test, tests, tested, defect, polaris work item link, polaris issue link, work item split,
            issue split, split, associated controls, causes, cause, caused, mentions, reference, references,
            relacionado, relacionada, relaciona, duplicado, duplica, clonadores, bezug, beziehung, verknupft,
            duplikat, klone, lie, relie, doublon, clone, relacionados, clonar, post-incident reviews,
            discovery - connected, resolves, implements, covers, review""",
    }
)
_ENDS = {"end": "F", "finish": "F", "start": "S"}


def link_meaning(name: str) -> str | None:
    """``FS``, ``FS-reversed``, ... or ``relates`` of a link type's name; None where it is unknown.

    Only the type is named in an export. For Blocks the outward end comes first; for Depends the usual verbs make the
    outward end the one that waits. Gantt types say which ends: ``Gantt End to Start``, ``gantt: start-finish``.
    """
    word = fold(name)
    if word in _FIXED_LINKS:
        return _FIXED_LINKS[word]
    if m := re.search(r"\b(end|finish|start)\s*(?:to|2|-|–|/|>)+\s*(end|finish|start)\b", word):
        return _ENDS[m[1]] + _ENDS[m[2]]
    return None


UNASSIGNED = frozenset(
    table(
        {
            "": """unassigned, -1, automatic, sin asignar, no asignado, no asignada, nicht zugewiesen,
            nicht zugeordnet, non assigne, non attribue, nao atribuido, nao atribuida, sem responsavel, (empty),
            (unassigned), nobody"""
        }
    )
)
