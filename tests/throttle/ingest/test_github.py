"""GitHub issues in each of their shapes."""

from __future__ import annotations

from typing import Any

import pytest

from throttle.ingest import propose_mapping
from throttle_models import Status, TeamFile, WorkType

URL = "https://github.com/acme/shop/issues/"


def gh(number: int, **more: Any) -> dict[str, Any]:
    base = {"number": number, "title": f"Issue {number}", "state": "OPEN", "stateReason": "", "url": f"{URL}{number}"}
    return base | {"closedAt": None, "createdAt": "2026-11-01T08:00:00Z", "labels": [], "assignees": []} | more


def edges(ingested: Any) -> set[tuple[str, str]]:
    return {(edge.predecessor, edge.successor) for edge in ingested.report.edges}


def test_an_issue_is_known_by_owner_repository_and_number(desk: Any) -> None:
    work = desk.read([gh(12, labels=[{"name": "bug"}], assignees=[{"login": "ann", "name": "Ann"}])]).portfolio.work
    item = work["acme/shop#12"]
    assert (item.type, item.status, item.project) == (WorkType.UNPLANNED, Status.OPEN, "acme/shop")
    assert [need.who for need in item.needs] == [("ann",)]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"state": "CLOSED", "stateReason": "COMPLETED", "closedAt": "2026-11-02T08:00:00Z"}, Status.DONE),
        ({"state": "CLOSED", "stateReason": "NOT_PLANNED", "closedAt": "2026-11-02T08:00:00Z"}, Status.CANCELLED),
        ({"state": "closed", "state_reason": "duplicate"}, Status.CANCELLED),
        ({"state": "OPEN", "stateReason": "REOPENED"}, Status.OPEN),
        ({"labels": ["status: in progress"]}, Status.IN_PROGRESS),
        ({"labels": ["QA"]}, Status.OPEN),
        ({"projectItems": [{"status": {"name": "In Review"}, "title": "Board"}]}, Status.IN_PROGRESS),
        ({"projectItems": [{"status": {"name": "Cooking"}, "title": "Board"}]}, Status.OPEN),
    ],
)
def test_state_and_reason(desk: Any, fields: dict[str, Any], status: Status) -> None:
    issue = gh(1)
    if "state_reason" in fields:
        del issue["stateReason"]
    work = desk.read([issue | fields]).portfolio.work
    assert work["acme/shop#1"].status is status


def test_dependencies_from_both_ends_are_one_edge_and_others_are_stubs(desk: Any) -> None:
    there = {"number": 7, "title": "Theirs", "state": "CLOSED", "url": "https://github.com/acme/core/issues/7"}
    found = desk.read(
        [
            gh(1, blocking={"nodes": [{"number": 2, "state": "OPEN"}], "totalCount": 1}),
            gh(2, blockedBy={"nodes": [{"number": 1, "state": "OPEN"}, there], "totalCount": 2}),
        ]
    )
    assert edges(found) == {("acme/shop#1", "acme/shop#2"), ("acme/core#7", "acme/shop#2")}
    assert len(found.report.edges) == 2
    assert found.portfolio.external["acme/core#7"].status is Status.DONE


def test_rest_pages_leave_pull_requests_out_and_say_what_is_only_counted(desk: Any, codes: Any) -> None:
    api = "https://api.github.com/repos/acme/shop"
    issue = {
        "url": f"{api}/issues/3", "html_url": f"{URL}3", "repository_url": api, "number": 3, "title": "Three",
        "state": "open", "labels": [{"name": "P1"}], "assignees": [], "created_at": "2026-11-01T08:00:00Z",
        "closed_at": None, "parent_issue_url": f"{api}/issues/9",
        "issue_dependencies_summary": {"blocked_by": 1, "total_blocked_by": 2, "blocking": 0, "total_blocking": 0},
    }  # fmt: skip
    pull = issue | {"number": 4, "pull_request": {"url": "x"}, "html_url": "https://github.com/acme/shop/pull/4"}
    found = desk.read([[issue, pull], [issue | {"number": 9, "html_url": f"{URL}9", "issue_dependencies_summary": {}}]])
    assert (found.report.imported, found.report.rejected) == (2, 1)
    assert found.report.rejections[0].reason == "is a pull request, not an issue"
    assert found.portfolio.work["acme/shop#3"].parent == "acme/shop#9"
    assert found.portfolio.work["acme/shop#3"].priority == "P1"
    assert "links-not-in-file" in codes(found)


def test_graphql_pages_one_document_after_another(desk: Any, codes: Any) -> None:
    def page(number: int, more: bool) -> str:
        import json

        node = gh(number, blockedBy={"nodes": []}, subIssues={"nodes": [{"number": number + 1}]})
        issues = {"nodes": [node], "pageInfo": {"hasNextPage": more}}
        return json.dumps({"data": {"repository": {"issues": issues}}})

    found = desk.read(f"{page(1, True)}\n{page(2, False)}")
    assert found.portfolio.work["acme/shop#2"].parent == "acme/shop#1"
    assert "probably-truncated" not in codes(found)
    assert "probably-truncated" in codes(desk.read(page(1, True)))


def test_a_project_has_numbers_without_a_unit_and_drafts_without_a_number(desk: Any) -> None:
    board = {
        "items": [
            {
                "id": "PVTI_1", "title": "Old", "status": "In Progress", "estimate": 5, "target date": "2026-12-18",
                "repository": "https://github.com/acme/shop", "assignees": ["ann"],
                "content": {"type": "Issue", "number": 12, "repository": "acme/shop", "title": "New"},
            },
            {"id": "PVTI_2", "title": "Idea", "status": "Todo", "content": {"type": "DraftIssue", "title": "Idea"}},
            {"id": "PVTI_3", "title": "Code", "content": {"type": "PullRequest", "number": 13, "title": "Code"}},
        ],
        "totalCount": 4,
    }  # fmt: skip
    found = desk.read(board, team={"defaults": {"hours_per_point": "2h"}})
    item = found.portfolio.work["acme/shop#12"]
    assert (item.title, item.status, str(item.due)) == ("New", Status.IN_PROGRESS, "2026-12-18")
    assert {i.id: i.planned_hours for i in found.report.items}["acme/shop#12"] == 10
    assert found.portfolio.work["PVTI_2"].status is Status.OPEN
    assert [r.reason for r in found.report.rejections] == ["is a pull request, not an issue"]
    assert [f.code for f in found.report.findings if "3 of 4" in f.message] == ["probably-truncated"]
    hours = desk.read(board, mapping={"columns": {"github": {"estimate": {"means": "original_estimate", "unit": "h"}}}})
    assert {i.id: i.estimate_hours for i in hours.report.items}["acme/shop#12"] == 5


def test_thirty_issues_are_probably_not_all(desk: Any, codes: Any) -> None:
    assert "probably-truncated" in codes(desk.read([gh(n) for n in range(1, 31)]))
    assert "probably-truncated" not in codes(desk.read([gh(n) for n in range(1, 32)]))


def test_a_table_that_a_script_made(desk: Any) -> None:
    rows = "number,title,state,labels,assignees,createdAt,closedAt,url\n"
    rows += f'5,Five,OPEN,"bug, P2","ann, bob",2026-11-01T08:00:00Z,,{URL}5\n'
    rows += f"6,Six,CLOSED,,,2026-11-01T08:00:00Z,2026-11-02T08:00:00Z,{URL}6\n"
    rows += ",Seven,OPEN,,,,,\n"
    found = desk.read(rows)
    assert found.report.files[0].reader == "github-csv"
    assert found.portfolio.work["acme/shop#5"].priority == "P2"
    assert found.portfolio.work["acme/shop#6"].status is Status.DONE
    assert [(r.row, r.reason) for r in found.report.rejections] == [(3, "is no issue: it has no number or no title")]


def test_a_bare_number_without_a_repository(desk: Any) -> None:
    issue = {k: v for k, v in gh(4, blockedBy=[{"number": 3}]).items() if k != "url"}
    found = desk.read([issue])
    assert edges(found) == {("3", "4")}


def test_a_milestone_gives_the_due_date_and_is_no_issue(desk: Any) -> None:
    milestone = {"number": 1, "title": "Release", "dueOn": "2026-12-24T00:00:00Z"}
    found = desk.read([gh(1, milestone=milestone)])
    assert str(found.portfolio.work["acme/shop#1"].due) == "2026-12-24"
    alone = {"number": 1, "title": "Release", "state": "open", "open_issues": 3, "url": "x"}
    assert desk.problems([alone])


def test_a_project_of_graphql_with_the_signs_of_its_template(desk: Any) -> None:
    def of(called: str, **value: Any) -> dict[str, Any]:
        return value | {"field": {"name": called}}

    def node(number: int, *values: dict[str, Any]) -> dict[str, Any]:
        content = {"__typename": "Issue", "number": number, "title": f"Issue {number}", "url": f"{URL}{number}"}
        return {"id": f"PVTI_{number}", "content": content, "fieldValues": {"nodes": [{}, *values]}}

    items = [
        node(1, of("Status", name="🏗 In progress"), of("Estimate", number=3.0), of("Target date", date="2026-12-18")),
        node(2, of("Status", name="✅ Done"), of("Sprint", title="Sprint 4", startDate="2026-11-16")),
        node(3, of("Status", name="📋 Backlog"), of("Team", text="Checkout")),
    ]
    content = {"data": {"node": {"items": {"nodes": items, "pageInfo": {"hasNextPage": False}}}}}
    found = desk.read(content)
    work = found.portfolio.work
    assert [item.status for item in work.values()] == [Status.IN_PROGRESS, Status.DONE, Status.OPEN]
    assert str(work["acme/shop#1"].due) == "2026-12-18"
    assert found.report.files[0].columns["Estimate"] == "points"
    proposed = propose_mapping([desk.file(content)]).columns["github"]
    assert {name: proposed[name].means.value for name in ("Estimate", "Team")} == {
        "Estimate": "points",
        "Team": "ignore",
    }


@pytest.mark.parametrize("label", ["wontfix", "duplicate", "Invalid"])
def test_labels_tell_what_was_closed_and_not_done(desk: Any, label: str) -> None:
    issue = gh(1, state="CLOSED", closedAt="2026-11-02T08:00:00Z", labels=[label])
    assert desk.read([issue]).portfolio.work["acme/shop#1"].status is Status.CANCELLED
    done = desk.read([issue | {"stateReason": "COMPLETED"}])
    assert done.portfolio.work["acme/shop#1"].status is Status.DONE


def test_only_labels_that_say_so_are_types(desk: Any) -> None:
    issues = [gh(1, labels=["release"]), gh(2, labels=["type: release"]), gh(3, labels=["release", "bug"])]
    work = desk.read(issues).portfolio.work
    assert [item.type for item in work.values()] == [WorkType.PROJECT, WorkType.CHANGE, WorkType.UNPLANNED]


def test_a_project_beside_its_issues_adds_what_only_it_knows(desk: Any) -> None:
    from throttle.ingest import read_exports

    def on_board(number: int, status: str, **more: Any) -> dict[str, Any]:
        content = {"type": "Issue", "number": number, "repository": "acme/shop", "title": "x", "url": f"{URL}{number}"}
        return {"id": f"PVTI_{number}", "status": status, "content": content} | more

    closed = {"state": "CLOSED", "stateReason": "COMPLETED", "closedAt": "2026-11-03T08:00:00Z"}
    issues = desk.file([gh(1), gh(2, **closed), gh(3)], "issues.json")
    items = [on_board(1, "In Progress", estimate=3), on_board(2, "In Progress"), on_board(3, "Done")]
    board = desk.file({"items": items}, "board.json")
    for paths in ([issues, board], [board, issues]):
        found = read_exports(paths, team=TeamFile.model_validate({"defaults": {"hours_per_point": "2h"}}))
        assert [found.portfolio.work[f"acme/shop#{n}"].status for n in (1, 2, 3)] == [
            Status.IN_PROGRESS, Status.DONE, Status.OPEN,
        ]  # fmt: skip
        assert found.portfolio.work["acme/shop#1"].title == "Issue 1"
        assert {item.id: item.planned_hours for item in found.report.items}["acme/shop#1"] == 6
        assert (found.report.rows_read, found.report.merged) == (6, 3)


def test_a_number_field_whose_name_says_hours(desk: Any) -> None:
    item = {"id": "PVTI_1", "status": "Todo", "estimate (h)": 6, "estimate": 3}
    item["content"] = {"type": "Issue", "number": 1, "repository": "acme/shop", "title": "One"}
    assert desk.read({"items": [item]}).report.estimate_hours == 6


def test_issues_of_a_migration_archive_have_addresses_for_names(desk: Any) -> None:
    issue = {
        "type": "issue", "url": f"{URL}7", "repository": "https://github.com/acme/shop", "title": "Seven",
        "assignee": "https://github.com/ann", "assignees": ["https://github.com/ann"], "closed_at": None,
        "labels": ["https://github.com/acme/shop/labels/priority:%20high"], "created_at": "2026-11-01T08:00:00Z",
        "milestone": "https://github.com/acme/shop/milestones/1",
    }  # fmt: skip
    item = desk.read([issue]).portfolio.work["acme/shop#7"]
    assert (item.priority, item.tags, [need.who for need in item.needs]) == ("high", ("priority: high",), [("ann",)])


def test_records_wrapped_by_a_collector(desk: Any) -> None:
    found = desk.read([{"origin": "x", "uuid": "1", "data": gh(1)}, {"origin": "x", "uuid": "2", "data": gh(2)}])
    assert set(found.portfolio.work) == {"acme/shop#1", "acme/shop#2"}
