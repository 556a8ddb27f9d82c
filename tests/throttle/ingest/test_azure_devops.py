"""Azure DevOps: queries as CSV, work items with relations, WIQL."""

from __future__ import annotations

from typing import Any

import pytest

from throttle_models import Status

HOME = "https://dev.azure.com/acme/_apis/wit/workItems/"
LINK = "System.LinkTypes."


def item(id: int, *relations: tuple[str, int | str], **fields: Any) -> dict[str, Any]:
    base = {"System.Title": f"Item {id}", "System.State": "New", "System.WorkItemType": "Task"}
    links = [{"rel": LINK + rel, "url": to if isinstance(to, str) else f"{HOME}{to}"} for rel, to in relations]
    return {"id": id, "rev": 1, "fields": base | fields, "relations": links, "url": f"{HOME}{id}"}


def edges(found: Any) -> set[tuple[str, str]]:
    return {(edge.predecessor, edge.successor) for edge in found.report.edges}


def test_forward_is_the_successor_and_reverse_the_predecessor(desk: Any) -> None:
    found = desk.read(
        {
            "count": 3,
            "value": [
                item(1, ("Dependency-Forward", 2), ("Related", 3)),
                item(2, ("Dependency-Reverse", 1), ("Dependency-Reverse", 9)),
                item(3, ("Hierarchy-Reverse", 1)),
            ],
        }
    )
    assert edges(found) == {("1", "2"), ("9", "2")}
    assert len(found.report.edges) == 2
    assert found.portfolio.work["3"].parent == "1"
    assert set(found.portfolio.external) == {"9"}


def test_a_child_is_told_by_either_end(desk: Any) -> None:
    assert desk.read({"value": [item(1, ("Hierarchy-Forward", 2)), item(2)]}).portfolio.work["2"].parent == "1"


def test_another_organisation_has_numbers_of_its_own(desk: Any) -> None:
    there = "https://dev.azure.com/other/_apis/wit/workItems/2"
    found = desk.read({"value": [item(1, ("Remote.Dependency-Reverse", there)), item(2)]})
    assert edges(found) == {("other/2", "1")}


def test_hours_points_people_and_a_field_of_the_site(desk: Any) -> None:
    who = {"displayName": "Lee, Ann", "uniqueName": "ann@example.invalid"}
    fields = {
        "System.AssignedTo": who,
        "Microsoft.VSTS.Scheduling.OriginalEstimate": 12.5,
        "Custom.Goal": "2026-12-18T00:00:00Z",
        "System.Description": "Not read",
    }
    found = desk.read({"value": [item(1, **fields)]}, mapping={"columns": {"azure-devops": {"Custom.Goal": "due"}}})
    assert found.report.estimate_hours == 12.5
    assert [person.name for person in found.portfolio.people.values()] == ["Lee, Ann"]
    assert str(found.portfolio.work["1"].due).startswith("2026-12-18")
    target = {"Microsoft.VSTS.Scheduling.TargetDate": "2026-12-18T00:00:00Z"}
    assert str(desk.read({"value": [item(1, **target)]}).portfolio.work["1"].due) == "2026-12-18"
    assert "Not read" not in found.portfolio.model_dump_json()


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("New", Status.OPEN),
        ("Approved", Status.OPEN),
        ("Committed", Status.IN_PROGRESS),
        ("Active", Status.IN_PROGRESS),
        ("Resolved", Status.IN_PROGRESS),
        ("Closed", Status.DONE),
        ("Removed", Status.CANCELLED),
        ("SIT", Status.UNKNOWN),
    ],
)
def test_states(desk: Any, state: str, status: Status) -> None:
    assert desk.read({"value": [item(1, **{"System.State": state})]}).portfolio.work["1"].status is status


def test_a_query_gives_relations_to_the_items_beside_it(desk: Any) -> None:
    query = {
        "queryType": "tree",
        "workItemRelations": [
            {"target": {"id": 1}},
            {"rel": f"{LINK}Hierarchy-Forward", "source": {"id": 1}, "target": {"id": 2}},
            {"rel": f"{LINK}Dependency-Forward", "source": {"id": 2}, "target": {"id": 3}},
        ],
    }
    found = desk.read([query, {"value": [item(1), item(2), item(3)]}])
    assert found.report.rows_read == 3
    assert edges(found) == {("2", "3")}
    assert found.portfolio.work["2"].parent == "1"
    alone = desk.read(query)
    assert set(alone.portfolio.work) == {"1", "2", "3"}
    assert "ids-only" in {finding.code for finding in alone.report.findings}


def test_a_query_and_the_items_in_two_files(desk: Any) -> None:
    from throttle.ingest import read_exports

    query = {"queryType": "oneHop", "workItemRelations": [
        {"rel": f"{LINK}Dependency-Forward", "source": {"id": 1}, "target": {"id": 2}}]}  # fmt: skip
    one, two = desk.file({"value": [item(1), item(2)]}, "items.json"), desk.file(query, "query.json")
    for paths in ([one, two], [two, one]):
        found = read_exports(paths)
        assert edges(found) == {("1", "2")}
        assert [i.title for i in found.portfolio.work.values()] == ["Item 1", "Item 2"]
        assert {i.raw_status for i in found.portfolio.work.values()} == {"New"}
        assert (found.report.rows_read, found.report.merged) == (4, 2)


def test_a_tree_has_its_parents_in_the_order_of_rows(desk: Any) -> None:
    text = (
        "\ufeffID,Work Item Type,Title 1,Title 2,Title 3,Assigned To,State,Tags,Original Estimate\r\n"
        '"1","Epic","Platform",,,,"New","a; b",\r\n'
        '"2","Feature",,"Payments",,"Lee, Ann <ann@example.invalid>","Active",,\r\n'
        '"3","Task",,,"Card",,"New",,"8"\r\n'
        '"4","Task","Platform","Payments","Cash",,"New",,"4"\r\n'
        '"5","Feature",,"Refunds",,,"Removed",,\r\n'
        ',"Task",,,"No number yet",,"New",,\r\n'
        '"6","Epic","Reports",,,,"New",,\r\n'
    )
    found = desk.read(text.encode())
    work = found.portfolio.work
    assert {id: i.parent for id, i in work.items()} == {"1": None, "2": "1", "3": "2", "4": "2", "5": "1", "6": None}
    assert (work["4"].title, work["5"].status, work["1"].tags) == ("Cash", Status.CANCELLED, ("a", "b"))
    assert [(r.row, r.reason) for r in found.report.rejections] == [(6, "has no id")]
    assert found.report.estimate_hours == 12


def test_a_flat_query_with_fields_of_the_site(desk: Any) -> None:
    text = (
        "ID,Work Item Type,Title,Assigned To,State,Tags,Change Number\n7,Change,Seven,,UAT,,CHG1\n8,Bug,Eight,,SIT,,\n"
    )
    found = desk.read(text)
    assert found.report.files[0].reader == "azure-devops-csv"
    assert found.portfolio.work["7"].status is Status.IN_PROGRESS
    assert "unknown-status" in {finding.code for finding in found.report.findings}
    without = desk.read("ID,Work Item Type,Title,Tags\n7,Task,Seven,a\n")
    assert without.portfolio.work["7"].status is Status.OPEN


def test_revisions_of_one_item_are_one_item_with_a_history(desk: Any) -> None:
    old = item(1, **{"System.ChangedDate": "2026-11-01T08:00:00Z"})
    new = item(1, **{"System.State": "Active", "System.ChangedDate": "2026-11-03T08:00:00Z"}) | {"rev": 2}
    found = desk.read({"value": [new, old]})
    assert (found.report.rows_read, found.report.merged) == (2, 1)
    assert found.portfolio.work["1"].status is Status.IN_PROGRESS


def test_updates_are_no_items(desk: Any) -> None:
    state = {"oldValue": "New", "newValue": "Active"}
    changed = {"newValue": "2026-11-03T08:00:00Z"}
    update = {"id": 2, "workItemId": 1, "rev": 2, "fields": {"System.State": state, "System.ChangedDate": changed}}
    found = desk.read([{"value": [item(1, **{"System.State": "Active"})]}, {"value": [update]}])
    assert set(found.portfolio.work) == {"1"}


def test_items_behind_a_long_answer_are_found(desk: Any) -> None:
    links = [{"rel": f"{LINK}Dependency-Forward", "source": {"id": 1}, "target": {"id": 2}}] * 6_000
    found = desk.read([{"queryType": "oneHop", "workItemRelations": links}, {"value": [item(1), item(2)]}])
    assert edges(found) == {("1", "2")}
    assert [entry.title for entry in found.portfolio.work.values()] == ["Item 1", "Item 2"]


def test_what_is_no_answer_beside_one_does_no_harm(desk: Any) -> None:
    found = desk.read([[{"queryType": "flat", "workItems": [{"id": 1}, None, 7]}, None, 3], {"value": [item(1), None]}])
    assert (found.report.imported, found.report.rejected) == (1, 1)
