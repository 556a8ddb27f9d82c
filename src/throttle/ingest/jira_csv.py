"""Jira CSV (Issue navigator, Export): Cloud and Server, all fields and current fields, five languages.

English and Spanish headers were seen in real exports; the German, French and Portuguese ones are not verified.
"""

from __future__ import annotations

import re
from dataclasses import replace

from throttle.ingest.readers import Reader, Use, known
from throttle.ingest.tables import Table
from throttle.ingest.values import fold
from throttle.ingest.words import table
from throttle_models import Column, ColumnMeaning

C = Column

KEY = re.compile(r"[^\W\d_]\w*-[1-9]\d*")

_SEEN = {
    C.ID: "issue key, work item key, key, clave de incidencia, clave de la incidencia",
    C.ALIAS: "issue id, work item id, id de la incidencia, id de incidencia",
    C.TITLE: "summary, resumen",
    C.TYPE: "issue type, work type, work item type, tipo de incidencia",
    C.STATUS: "status, estado",
    C.STATUS_CATEGORY: "status category, categoria de estado",
    C.CATEGORY_CHANGED: "status category changed, categoria de estado modificada, categoria de estado cambiada",
    C.RESOLUTION: "resolution, resolucion",
    C.PROJECT: "project key, clave del proyecto, clave de proyecto",
    C.PROJECT_TITLE: "project name, nombre del proyecto, nombre de proyecto",
    C.PARENT: """parent key, clave principal, parent id, id principal, parent, principal, epic link, enlace de epica,
        enlace de la epica, parent link, parent issue""",
    C.ASSIGNEE: "assignee, persona asignada, responsable",
    C.ASSIGNEE_ID: "assignee id, id de la persona asignada, id de persona asignada, persona asignada id",
    C.COMPONENT: "components, component/s, component, componentes, componente/s",
    C.LABEL: "labels, label, etiquetas",
    C.TEAM: "team, team name, equipo",
    C.PRIORITY: "priority, prioridad",
    C.CREATED: "created, creada, creado",
    C.UPDATED: "updated, actualizada, actualizado",
    C.FINISHED: "resolved, resolution date, resuelta, resuelto, actual end",
    C.STARTED: "actual start",
    C.VIEWED: "last viewed, ultima visualizacion, visto por ultima vez",
    C.DUE: "due date, due, fecha de vencimiento",
    C.PLANNED_START: "start date, target start, change start date, planned start, fecha de inicio, planned start date",
    C.PLANNED_END: "target end, change completion date, planned end, planned end date",
    C.ORIGINAL_ESTIMATE: "original estimate, estimacion original",
    C.REMAINING_ESTIMATE: "remaining estimate, trabajo restante estimado",
    C.TIME_SPENT: "time spent, tiempo trabajado",
    C.WORK_LOG: "log work, work log, registro de trabajo, registrar trabajo",
    C.POINTS: "story points, story point estimate, puntos de historia, estimacion de puntos de historia",
    C.CHANGE_KIND: "change type, tipo de cambio",
    C.RISK: "change risk, risk, riesgo de cambio",
    C.SERVICE: "affected services, affected service, servicios afectados",
    C.SPRINT: "sprint",
    C.SAME_AS: "servicenow number, servicenow id, snow number, servicenow change, servicenow ticket",
}
_UNVERIFIED = {
    C.ID: """vorgangsschlussel, schlussel, vorgangschlussel, cle de ticket, cle du ticket, cle de demande, cle,
        chave da item, chave do item, chave da pendencia, chave""",
    C.ALIAS: """vorgangs-id, vorgangsid, id de ticket, id du ticket, id de demande, id da item, id do item,
        id da pendencia""",
    C.TITLE: "zusammenfassung, resume, resumo",
    C.TYPE: "vorgangstyp, vorgangs-typ, type de ticket, type de demande, tipo de item, tipo do item, tipo de pendencia",
    C.STATUS: "etat, statut, situacao",
    C.STATUS_CATEGORY: """statuskategorie, categorie de statut, categorie d'etat, categoria de status,
        categoria do status""",
    C.CATEGORY_CHANGED: """statuskategorie geandert, categorie de statut modifiee, categorie d'etat modifiee,
        categoria de status alterada, categoria do status alterada""",
    C.RESOLUTION: "losung, erledigung, resolucao",
    C.PROJECT: "projektschlussel, cle de projet, cle du projet, chave do projeto",
    C.PROJECT_TITLE: "projektname, nom de projet, nom du projet, nome do projeto",
    C.PARENT: """ubergeordneter schlussel, ubergeordnete vorgangs-id, ubergeordnet, ubergeordneter vorgang,
        epos-verknupfung, epic-verknupfung, cle parent, cle parente, id parent, lien d'epopee, lien de l'epopee,
        lien epic, chave pai, chave principal pai, id pai, pai, link do epico""",
    C.ASSIGNEE: """bearbeiter, zugewiesene person, zugewiesen an, responsable de ticket, personne assignee,
        attribution, responsavel""",
    C.ASSIGNEE_ID: """bearbeiter-id, bearbeiter id, id zugewiesene person, id de la personne assignee,
        id do responsavel, responsavel id""",
    C.COMPONENT: "komponenten, komponente/n, komponente, composants, composant, composant/s",
    C.LABEL: "stichworter, stichwort, etiquettes, rotulos, categorias",
    C.TEAM: "equipe",
    C.PRIORITY: "prioritat, priorite, prioridade",
    C.CREATED: "erstellt, creation, cree, creee, criado, criada",
    C.UPDATED: "aktualisiert, mise a jour, mis a jour, atualizado, atualizada",
    C.FINISHED: "erledigt, gelost, resolu, resolue, resolvido, resolvida",
    C.VIEWED: """zuletzt angesehen, zuletzt angezeigt, derniere consultation, ultima visualizacao,
        visualizado pela ultima vez""",
    C.DUE: """falligkeitsdatum, fallig, fallig am, date d'echeance, echeance, data limite, data de entrega,
        data de vencimento""",
    C.PLANNED_START: "startdatum, date de debut, data de inicio",
    C.ORIGINAL_ESTIMATE: """ursprungliche schatzung, ursprungsschatzung, estimation originale, estimation initiale,
        estimativa original""",
    C.REMAINING_ESTIMATE: """verbleibende schatzung, restschatzung, estimation restante, estimation du temps restant,
        estimativa restante, tempo estimado restante""",
    C.TIME_SPENT: """benotigte zeit, aufgewendete zeit, zeitaufwand, temps consacre, temps passe, tempo gasto,
        tempo consumido""",
    C.POINTS: "story-points, storypoints, points d'histoire, points de recit, pontos de historia, story points (de)",
}


def _aliases(words: dict[C, str]) -> dict[str, tuple[C, int]]:
    return {
        word: (means, place)
        for means, text in words.items()
        for place, word in enumerate(w.strip() for w in text.replace("\n", " ").split(","))
    }


table(_SEEN), table(_UNVERIFIED)  # a header that meant two things would be an error of ours
_KNOWN = {word: (*found, 0.8) for word, found in _aliases(_UNVERIFIED).items()}
_KNOWN |= {word: (*found, 1.0) for word, found in _aliases(_SEEN).items()}

_CUSTOM = re.compile(
    r"(?:custom field|campo personalizado|benutzerdefiniertes feld|champs? personnalises?)"
    r"\s*\((?:\$\{field_)?(.*?)\}?\)"
)
_LINK = re.compile(r"(.*)\((.+)\)\s*")
_LONGEST = 500
_LINK_WORD = re.compile(r"link|enlace|vinculo|verknupfung|lien|ligacao|vinculacao")
_OUTWARD = re.compile(
    r"outward|salida|saliente|extern|hacia a?fuera|ausgehend|ausgang|nach aussen|sortant|sortie|vers l'exterieur|saida"
)
_INWARD = re.compile(
    r"inward|entrada|entrante|intern|hacia a?dentro|eingehend|eingang|nach innen|entrant|entree|vers l'interieur"
)


_SYSTEM = (C.ID, C.ALIAS, C.STATUS, C.ASSIGNEE, C.TYPE, C.TITLE, C.PRIORITY)


def field_meaning(name: str) -> C | None:
    """What a custom field of this name means, as a column of that name would; one named as a system field: nothing."""
    found = _KNOWN.get(fold(name), (None,))[0]
    return None if found in _SYSTEM else found


def _propose(opened: Table) -> list[Use]:
    uses = [use for i, header in enumerate(opened.header) if (use := _meaning(i, header, opened)) is not None]
    if not any(use.meaning.means is C.ID for use in uses):
        taken = {use.index for use in uses}
        for i, header in enumerate(opened.header):
            cells = opened.column(i)
            if i not in taken and len(cells) == len(opened.sample) > 0 and len(set(cells)) > 0.9 * len(cells):
                keys = sum(bool(KEY.fullmatch(cell.strip())) for cell in cells)
                if keys == len(cells):
                    uses.append(known(i, header, C.ID, "every cell is an issue key of its own", 0.6))
                    break
    return uses


def _meaning(index: int, header: str, opened: Table) -> Use | None:
    if len(header) > _LONGEST:
        return None
    name = fold(header)
    if custom := _CUSTOM.fullmatch(name):
        name = custom[1].replace("_", " ") if "${" in header else custom[1]
        if _KNOWN.get(name, (None,))[0] in _SYSTEM:
            return None  # a site's own field with the name of a system field is not that field
    elif link := _LINK.fullmatch(header):
        words = fold(link[1])
        outward, inward = bool(_OUTWARD.search(words)), bool(_INWARD.search(words))
        if outward != inward and _LINK_WORD.search(words):
            seen = re.fullmatch(r"(out|in)ward (issue|work item) link", words) is not None
            evidence = f"{'outward' if outward else 'inward'} link of type {link[2]}"
            use = known(index, header, C.LINK, evidence, 1.0 if seen else 0.7)
            return replace(use, outward=outward, link_type=link[2].strip())
        return None
    found = _KNOWN.get(name)
    if found is None:
        return None
    means, place, confidence = found
    cells = opened.column(index)
    if (
        means is C.ID
        and name in ("key", "schlussel", "cle", "chave")
        and not any(map(KEY.fullmatch, map(str.strip, cells)))
    ):
        return None
    language = "header known" if confidence == 1 else "header known, not verified on a real export"
    unit = "s" if means in (C.ORIGINAL_ESTIMATE, C.REMAINING_ESTIMATE, C.TIME_SPENT, C.WORK_LOG) else None
    meaning = ColumnMeaning(means=means, confidence=confidence, evidence=language, unit=unit)
    return Use(index, header, meaning, preference=place + (0 if confidence == 1 else 100))


def _short(header: str) -> str:
    """The name of a custom field as its site calls it."""
    inner = _LINK.fullmatch(header) if len(header) <= _LONGEST else None
    return inner[2].strip() if inner and _CUSTOM.fullmatch(fold(header)) else header


ONLY_IDS = 0.1
"""Of a table with keys and no header that is known, as in another language: for a mapping to explain."""


_LEAST_GUESS = 0.34
"""Of keys alone, without a header for ids or titles: a table whose headers are plain words is surer."""


def _certainty(opened: Table, uses: list[Use]) -> float:
    ids = [use for use in uses if use.meaning.means is C.ID]
    if not ids:
        return 0.0
    keys = [cell.strip() for cell in opened.column(ids[0].index)]
    share = sum(bool(KEY.fullmatch(key)) for key in keys) / len(keys) if keys else 1.0
    others = {use.meaning.means for use in uses} - {C.ID}
    guessed = ids[0].meaning.confidence <= 0.6  # keys alone: another tracker may have such ids
    most = 1.0 if not guessed else 0.7 if C.TITLE in others else _LEAST_GUESS
    return share * (min(most, 0.3 + 0.15 * len(others)) if others else ONLY_IDS)


JIRA_CSV = Reader(
    name="jira-csv",
    system="Jira",
    propose=_propose,
    certainty=_certainty,
    objection=lambda _table, _uses: None,
    id_pattern=KEY,
    id_is="an issue key such as ABC-12",
    project_of=lambda key: key.rpartition("-")[0],
    short=_short,
    midnight_is_date=True,
)
