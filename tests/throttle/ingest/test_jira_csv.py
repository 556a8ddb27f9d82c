"""Jira's own quirks: languages, shapes, link directions, hierarchy, statuses."""

from __future__ import annotations

from typing import Any

import pytest

from throttle_models import LinkType, Status, WorkType

STATUS = "Issue key|Summary|Issue Type|Status|Status Category|Resolution|Resolved"


def edges(ingested: Any) -> set[tuple[str, str, str]]:
    return {(e.predecessor, e.successor, e.type.value) for e in ingested.report.edges}


def in_portfolio(ingested: Any) -> set[tuple[str, str, str]]:
    return {(k.item, id, k.type.value) for id, item in ingested.portfolio.work.items() for k in item.after}


def test_all_fields_with_repeated_headers(desk: Any) -> None:
    work = desk.jira(
        "Summary|Issue key|Issue id|Issue Type|Status|Labels|Labels|Labels|Components|Components|Description",
        "One|ABC-1|10001|Story|To Do|red|blue||Till||Long text",
        "Two|ABC-2|10002|Bug|To Do|||||Web|",
    ).portfolio.work
    assert work["ABC-1"].tags == ("red", "blue")
    assert work["ABC-1"].source.row == 1
    assert work["ABC-2"].needs[0].skill == "web"


def test_current_fields_without_status_dates_or_project(desk: Any) -> None:
    ingested = desk.jira("Key|Summary|Assignee", "ABC-1|One|Ann", "XYZ-2|Two|")
    assert {i.status for i in ingested.portfolio.work.values()} == {Status.OPEN}
    assert ingested.portfolio.work["XYZ-2"].project == "XYZ"
    assumed = {a.about: a for a in ingested.portfolio.assumptions}
    assert assumed["status"].count == 2
    assert "no timestamp" in assumed["as_of"].why


SPANISH = (
    "Resumen|Clave de incidencia|ID de la incidencia|Tipo de Incidencia|Estado|Prioridad|Persona asignada|Creada|"
    "Resuelta|Fecha de vencimiento|Estimación original|Trabajo restante estimado|Tiempo Trabajado|"
    "Σ Estimación original|"
    "Campo personalizado (Story Points)|Principal|Clave principal|Parent summary|Categoría de estado"
)
GERMAN = (
    "Zusammenfassung|Vorgangsschlüssel|Vorgangs-ID|Vorgangstyp|Status|Priorität|Bearbeiter|Erstellt|Erledigt|"
    "Fälligkeitsdatum|Ursprüngliche Schätzung|Verbleibende Schätzung|Benötigte Zeit|Σ Ursprüngliche Schätzung|"
    "Benutzerdefiniertes Feld (Story Points)|Übergeordnet|Übergeordneter Schlüssel|Parent summary|Statuskategorie"
)
FRENCH = (
    "Résumé|Clé de ticket|ID de ticket|Type de ticket|État|Priorité|Responsable|Création|Résolu|"
    "Date d'échéance|Estimation originale|Estimation restante|Temps consacré|Σ Estimation originale|"
    "Champs personnalisés (Story Points)|Parent|Clé parent|Parent summary|Catégorie de statut"
)
PORTUGUESE = (
    "Resumo|Chave da item|ID da item|Tipo de item|Situação|Prioridade|Responsável|Criado|Resolvido|"
    "Data limite|Estimativa original|Estimativa restante|Tempo gasto|Σ Estimativa original|"
    "Campo personalizado (Story Points)|Pai|Chave pai|Parent summary|Categoria do status"
)


@pytest.mark.parametrize(
    ("header", "story", "doing", "done", "part", "high", "march"),
    [
        (SPANISH, "Historia", "En curso", "Finalizada", "Subtarea", "Alta", "12/mar/21 3:04 PM"),
        (GERMAN, "Story", "In Arbeit", "Fertig", "Unteraufgabe", "Hoch", "12/Mär/21 15:04"),
        (FRENCH, "Récit", "En cours", "Terminé", "Sous-tâche", "Élevée", "12/mars/21 15:04"),
        (PORTUGUESE, "História", "Em andamento", "Concluído", "Subtarefa", "Alta", "12/mar/21 15:04"),
    ],
)
def test_languages(desk: Any, header: str, story: str, doing: str, done: str, part: str, high: str, march: str) -> None:
    ingested = desk.jira(
        header,
        f"Uno|ABC-1|101|{story}|Raro|{high}|Ana|{march}|||144000|||144000||||| {doing}",
        f"Dos|ABC-2|102|{story}|Listo|Medium|Ana|{march}|{march}||3600|0|7200||3.0||||{done}",
        f"Tres|ABC-3|103|{part}|Raro||Ana|{march}||{march}|3600|3600||||101|ABC-1|Uno|{doing}",
    )
    work = ingested.portfolio.work
    assert [work[f"ABC-{n}"].status for n in (1, 2, 3)] == [Status.IN_PROGRESS, Status.DONE, Status.IN_PROGRESS]
    assert work["ABC-3"].parent == "ABC-1"
    assert work["ABC-3"].type is WorkType.PROJECT
    assert work["ABC-3"].cost_of_delay == 4000  # the sub-task carries the priority of what contains it
    assert str(work["ABC-2"].finished) == "2021-03-12T15:04Z"
    assert ingested.report.estimate_hours == 42


@pytest.mark.parametrize(
    ("column", "edge"),
    [
        ("Outward issue link (Blocks)", ("ABC-1", "ABC-2", "FS")),
        ("Inward issue link (Blocks)", ("ABC-2", "ABC-1", "FS")),
        ("Outward issue link (Depends)", ("ABC-2", "ABC-1", "FS")),
        ("Inward issue link (Dependency)", ("ABC-1", "ABC-2", "FS")),
        ("Outward issue link (Gantt End to Start)", ("ABC-1", "ABC-2", "FS")),
        ("Outward issue link (Gantt Start to Start)", ("ABC-1", "ABC-2", "SS")),
        ("Inward issue link (Gantt End to End)", ("ABC-2", "ABC-1", "FF")),
        ("Outward issue link (gantt: start-finish)", ("ABC-1", "ABC-2", "SF")),
        ("Outward work item link (Blocks)", ("ABC-1", "ABC-2", "FS")),
        ("Enlace de incidencia de entrada (Bloquea)", ("ABC-2", "ABC-1", "FS")),
    ],
)
def test_link_directions(desk: Any, column: str, edge: tuple[str, str, str]) -> None:
    ingested = desk.jira(f"Issue key|Summary|Status|{column}", "ABC-1|One|To Do|ABC-2", "ABC-2|Two|To Do|")
    assert edges(ingested) == in_portfolio(ingested) == {edge}
    assert ingested.report.edges[0].origin == column


@pytest.mark.parametrize("kind", ["Relates", "Cloners", "Duplicate", "Problem/Incident", "Polaris work item link"])
def test_links_that_do_not_order(desk: Any, codes: Any, kind: str) -> None:
    ingested = desk.jira(
        f"Issue key|Summary|Status|Outward issue link ({kind})", "ABC-1|One|To Do|ABC-2", "ABC-2|Two||"
    )
    assert not ingested.report.edges
    assert "unknown-link-type" not in codes(ingested)


def test_unknown_link_types_are_told_and_can_be_mapped(desk: Any) -> None:
    rows = ("Issue key|Summary|Status|Outward issue link (Wibbles)", "ABC-1|One|To Do|ABC-2", "ABC-2|Two|To Do|")
    ingested = desk.jira(*rows)
    (finding,) = (f for f in ingested.report.findings if f.code == "unknown-link-type")
    assert "'Wibbles': FS" in finding.message
    mapped = desk.jira(*rows, mapping={"link_types": {"Wibbles": "FS-reversed"}})
    assert edges(mapped) == {("ABC-2", "ABC-1", "FS")}


def test_a_count_of_links_is_no_link(desk: Any) -> None:
    ingested = desk.jira("Issue key|Summary|Status|Custom field (Issue link count)", "ABC-1|One|To Do|3")
    assert not ingested.report.edges


def test_both_ends_self_links_and_dangling_ones(desk: Any, codes: Any) -> None:
    ingested = desk.jira(
        "Issue key|Summary|Status|Outward issue link (Blocks)|Outward issue link (Blocks)|Inward issue link (Blocks)",
        "ABC-1|One|To Do|ABC-2|XYZ-9|",
        "ABC-2|Two|To Do|ABC-2||ABC-1",
        "ABC-3|Three|To Do|||XYZ-7",
    )
    assert edges(ingested) == {("ABC-1", "ABC-2", "FS"), ("ABC-1", "XYZ-9", "FS"), ("XYZ-7", "ABC-3", "FS")}
    assert in_portfolio(ingested) == {("ABC-1", "ABC-2", "FS"), ("XYZ-7", "ABC-3", "FS")}
    assert set(ingested.portfolio.external) == {"XYZ-9", "XYZ-7"}
    assert [(d.item, d.target, d.direction) for d in ingested.report.dangling] == [
        ("ABC-1", "XYZ-9", "blocks"),
        ("ABC-3", "XYZ-7", "waits-for"),
    ]
    assert {"own-link", "external-blocker"} <= set(codes(ingested))


def test_externals_can_be_told(desk: Any, codes: Any) -> None:
    rows = ("Issue key|Summary|Status|Inward issue link (Blocks)", "ABC-3|Three|To Do|XYZ-7")
    done = desk.jira(*rows, team={"external": {"XYZ-7": {"status": "done"}}})
    assert done.portfolio.external["XYZ-7"].status is Status.DONE
    assert "external-blocker" not in codes(done)
    assert "external-blocker" not in codes(desk.jira(*rows, team={"policy": {"externals": "assume-done"}}))


def test_cycles_are_imported_and_named(desk: Any) -> None:
    ingested = desk.jira(
        "Issue key|Summary|Status|Outward issue link (Blocks)",
        "ABC-1|One|To Do|ABC-2",
        "ABC-2|Two|To Do|ABC-3",
        "ABC-3|Three|To Do|ABC-1",
    )
    (finding,) = (f for f in ingested.report.findings if f.code == "cycle")
    assert "ABC-1 -> ABC-2 -> ABC-3 -> ABC-1" in finding.message
    assert len(in_portfolio(ingested)) == 3


def test_hierarchy_by_id_and_key(desk: Any, codes: Any) -> None:
    ingested = desk.jira(
        "Issue key|Issue id|Summary|Issue Type|Status|Parent|Parent id|Custom field (Epic Link)",
        "ABC-1|101|Epic|Epic|To Do|||",
        "ABC-2|102|By key|Story|To Do|||ABC-1",
        "ABC-3|103|By id|Story|To Do|101||",
        "ABC-4|104|Part|Sub-task|To Do||103|ABC-1",
        "ABC-5|105|Own|Story|To Do|105||",
        "ABC-6|106|Elsewhere|Story|To Do|999||",
    )
    work = ingested.portfolio.work
    assert [work[f"ABC-{n}"].parent for n in range(1, 7)] == [None, "ABC-1", "ABC-1", "ABC-3", None, None]
    assert not work["ABC-1"].needs
    assert not work["ABC-3"].needs
    assert work["ABC-4"].needs
    assert {"own-parent", "parent-not-in-file"} <= set(codes(ingested))


def test_containment_loops_are_cut(desk: Any) -> None:
    ingested = desk.jira("Issue key|Summary|Status|Parent key", "ABC-1|One|To Do|ABC-2", "ABC-2|Two|To Do|ABC-1")
    assert [i.parent for i in ingested.portfolio.work.values()].count(None) == 1
    assert [f.code for f in ingested.report.findings if f.code == "containment-loop"]


def test_a_link_to_the_own_container_says_nothing(desk: Any, codes: Any) -> None:
    ingested = desk.jira(
        "Issue key|Summary|Status|Parent key|Outward issue link (Blocks)",
        "ABC-1|One|To Do||",
        "ABC-2|Two|To Do|ABC-1|ABC-1",
    )
    assert not in_portfolio(ingested)
    assert "link-to-own-container" in codes(ingested)
    assert "cycle" not in codes(ingested)


@pytest.mark.parametrize(
    ("status", "category", "resolution", "resolved", "means"),
    [
        ("Whatever", "To Do", "", "", Status.OPEN),
        ("Whatever", "indeterminate", "", "", Status.IN_PROGRESS),
        ("To Do", "Done", "", "", Status.DONE),
        ("Whatever", "Done", "Won't Do", "", Status.CANCELLED),
        ("Whatever", "Done", "Duplicate", "", Status.CANCELLED),
        ("Whatever", "", "Done", "", Status.DONE),
        ("Whatever", "", "Listo", "", Status.DONE),
        ("Whatever", "", "Unresolved", "", Status.UNKNOWN),
        ("Whatever", "", "Sin resolver", "12/Mar/21", Status.DONE),
        ("Abgebrochen", "", "", "", Status.CANCELLED),
        ("In Progress", "", "", "", Status.IN_PROGRESS),
        ("Backlog", "", "", "", Status.OPEN),
        ("Rejected", "Done", "", "", Status.CANCELLED),
        ("Whatever", "", "", "", Status.UNKNOWN),
    ],
)
def test_statuses(desk: Any, status: str, category: str, resolution: str, resolved: str, means: Status) -> None:
    ingested = desk.jira(STATUS, f"ABC-1|One|Story|{status}|{category}|{resolution}|{resolved}")
    assert ingested.portfolio.work["ABC-1"].status is means
    assert ingested.portfolio.work["ABC-1"].raw_status == status


def test_unknown_statuses_are_listed_with_a_line_to_paste(desk: Any) -> None:
    rows = (STATUS, "ABC-1|One|Story|Limbo||", "ABC-2|Two|Story|Limbo|||", "ABC-3|Three|Story|To Do|||")
    rows = tuple(row + "|" * (6 - row.count("|")) for row in rows)
    (finding,) = (f for f in desk.jira(*rows).report.findings if f.code == "unknown-status")
    assert finding.ids == ("ABC-1", "ABC-2")
    assert "'Limbo': open" in finding.message
    mapped = desk.jira(*rows, mapping={"statuses": {"Limbo": "in-progress"}})
    assert mapped.portfolio.work["ABC-1"].status is Status.IN_PROGRESS


def test_contradictions_are_told(desk: Any, codes: Any) -> None:
    ingested = desk.jira(
        "Issue key|Summary|Status|Status Category|Resolution|Created|Resolved",
        "ABC-1|One|To Do|To Do|Done|12/Mar/21|",
        "ABC-2|Two|Done|Done|Done|12/Mar/21|11/Mar/21",
    )
    assert {"status-contradiction", "finished-before-created"} <= set(codes(ingested))


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("Bug", WorkType.UNPLANNED),
        ("[System] Incident", WorkType.UNPLANNED),
        ("Technical Debt", WorkType.INTERNAL),
        ("Change", WorkType.CHANGE),
        ("Epic", WorkType.PROJECT),
        ("Tarea", WorkType.PROJECT),
        ("Störung", WorkType.UNPLANNED),
    ],
)
def test_types(desk: Any, name: str, means: WorkType) -> None:
    ingested = desk.jira("Issue key|Summary|Issue Type|Status", f"ABC-1|One|{name}|To Do")
    assert ingested.portfolio.work["ABC-1"].type is means


def test_a_sub_task_of_a_bug_is_unplanned_and_unknown_types_are_told(desk: Any, codes: Any) -> None:
    ingested = desk.jira(
        "Issue key|Summary|Issue Type|Status|Parent key",
        "ABC-1|One|Bug|To Do|",
        "ABC-2|Two|Sub-task|To Do|ABC-1",
        "ABC-3|Three|Wibble|To Do|",
    )
    assert ingested.portfolio.work["ABC-2"].type is WorkType.UNPLANNED
    assert "unknown-type" in codes(ingested)
    mapped = desk.jira(
        "Issue key|Summary|Issue Type|Status", "ABC-3|Three|Wibble|To Do", mapping={"types": {"Wibble": "internal"}}
    )
    assert mapped.portfolio.work["ABC-3"].type is WorkType.INTERNAL


def test_the_newest_row_of_an_id_counts(desk: Any) -> None:
    ingested = desk.jira(
        "Issue key|Issue id|Summary|Status|Updated",
        "ABC-1|101|Newer|Done|14/Mar/21",
        "ABC-1|101|Older|To Do|12/Mar/21",
        "ABC-1|999|Another|To Do|15/Mar/21",
    )
    report = ingested.report
    assert (report.rows_read, report.imported, report.merged, report.rejected) == (3, 1, 1, 1)
    assert ingested.portfolio.work["ABC-1"].title == "Newer"
    assert "another ticket" in report.rejections[0].reason


def test_a_change_of_service_management(desk: Any) -> None:
    ingested = desk.jira(
        "Issue key|Summary|Issue Type|Status|Custom field (Change type)|Custom field (Change risk)",
        "ABC-1|One|Change|To Do|Emergency|High",
    )
    change = ingested.portfolio.work["ABC-1"].change
    assert (change.kind.value, change.risk) == ("emergency", 3)


def test_an_unknown_language_is_read_by_its_keys_and_a_mapping(desk: Any) -> None:
    header = "Oppsummering|Nøkkel|Tilstand|Ansvarlig"
    rows = ("En|ABC-1|Åpen|Kari", "To|ABC-2|Ferdig|Ola", "Tre|ABC-3|Ferdig|Ola")
    columns = {"Oppsummering": "title", "Nøkkel": "id", "Tilstand": "status", "Ansvarlig": "assignee"}
    ingested = desk.jira(
        header, *rows, mapping={"columns": {"jira-csv": columns}, "statuses": {"Åpen": "open", "Ferdig": "done"}}
    )
    assert [i.status.value for i in ingested.portfolio.work.values()] == ["open", "done", "done"]
    assert set(ingested.portfolio.people) == {"kari", "ola"}


def test_placeholders_in_headers(desk: Any) -> None:
    ingested = desk.jira(
        "Issue key|Summary|Status|Custom field (${field_Story_Points})", "ABC-1|One|To Do|5.0",
        team={"defaults": {"hours_per_point": "4h"}},
    )  # fmt: skip
    assert str(ingested.portfolio.work["ABC-1"].needs[0].effort) == "20h"


def test_link_types_are_those_of_the_vocabulary(desk: Any) -> None:
    ingested = desk.jira(
        "Issue key|Summary|Status|Outward issue link (Gantt Start to End)", "ABC-1|One|To Do|ABC-2", "ABC-2|Two|To Do|"
    )
    assert ingested.portfolio.work["ABC-2"].after[0].type is LinkType.SF
