"""Redmine: JSON with relations and journals; CSV in the language of whoever exported it."""

from __future__ import annotations

from typing import Any

import pytest

from throttle_models import Status


def issue(id: int, **more: Any) -> dict[str, Any]:
    base = {"id": id, "subject": f"Issue {id}", "tracker": {"id": 1, "name": "Bug"}, "status": {"id": 1, "name": "New"}}
    return base | {"project": {"id": 1, "name": "Shop"}, "created_on": "2026-11-01T08:00:00Z"} | more


def relation(first: int, second: int, kind: str, delay: int | None = None) -> dict[str, Any]:
    return {"id": 7, "issue_id": first, "issue_to_id": second, "relation_type": kind, "delay": delay}


def edges(found: Any) -> set[tuple[str, str, str]]:
    return {(edge.predecessor, edge.successor, edge.lag) for edge in found.report.edges}


def test_a_relation_reads_the_same_from_both_issues(desk: Any) -> None:
    wait = relation(1, 2, "precedes", 2)
    found = desk.read(
        {
            "issues": [
                issue(1, relations=[wait, relation(1, 3, "relates")]),
                issue(2, relations=[wait, relation(9, 2, "blocks")], parent={"id": 3}),
                issue(3, relations=[relation(3, 2, "copied_to")]),
            ],
            "total_count": 3,
        }
    )
    assert edges(found) == {("1", "2", "2d"), ("9", "2", "0")}
    assert found.portfolio.work["2"].parent == "3"
    (link,) = (link for link in found.portfolio.work["2"].after if link.item == "1")
    assert (link.lag, link.lag_in) == ("2d", "working")


def test_one_issue_with_its_journals_and_children(desk: Any) -> None:
    change = {"property": "attr", "name": "status_id", "old_value": "1", "new_value": "2"}
    found = desk.read(
        [
            {"issue": issue(1, children=[{"id": 2, "tracker": {"id": 1}, "subject": "x"}])},
            {
                "issue": issue(
                    2,
                    status={"id": 2, "name": "In Progress", "is_closed": False},
                    estimated_hours=3.5,
                    assigned_to={"id": 4, "name": "Ann Lee"},
                    journals=[{"created_on": "2026-11-03T08:00:00Z", "details": [change]}],
                    custom_fields=[{"id": 3, "name": "Wanted by", "value": "2026-12-18"}],
                )
            },
        ],
        mapping={"columns": {"redmine": {"Wanted by": "due"}}},
    )
    item = found.portfolio.work["2"]
    assert (item.parent, item.status, str(item.due)) == ("1", Status.IN_PROGRESS, "2026-12-18")
    assert found.report.estimate_hours == 3.5
    assert next(iter(found.portfolio.people.values())).name == "Ann Lee"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status": {"name": "Sent", "is_closed": False}}, Status.OPEN),
        ({"status": {"name": "Sent", "is_closed": True}}, Status.DONE),
        ({"status": {"name": "Rejected", "is_closed": True}}, Status.CANCELLED),
        ({"status": {"name": "Sent"}, "closed_on": "2026-11-02T08:00:00Z"}, Status.DONE),
        ({"status": {"name": "Resolved"}}, Status.IN_PROGRESS),
        ({"status": {"name": "Resolved"}, "closed_on": "2026-11-02T08:00:00Z"}, Status.DONE),
        ({"status": {"name": "In Progress"}, "closed_on": "2026-11-02T08:00:00Z"}, Status.IN_PROGRESS),
    ],
)
def test_the_mark_of_a_status_counts_before_its_name_and_the_last_closing(
    desk: Any, fields: dict[str, Any], status: Status
) -> None:
    item = desk.read({"issues": [issue(1, **fields)]}).portfolio.work["1"]
    assert item.status is status
    assert (item.finished is None) == (status not in (Status.DONE, Status.CANCELLED) or "closed_on" not in fields)


HEADERS = {
    "en": "#,Project,Tracker,Parent task,Status,Priority,Subject,Assignee,Updated,Estimated time,Created,Closed,"
    "Related issues",
    "de": "#;Projekt;Tracker;Übergeordnete Aufgabe;Status;Priorität;Thema;Zugewiesen an;Aktualisiert;"
    "Geschätzter Aufwand;Angelegt;Geschlossen;Zugehörige Tickets",
}
PROSE = {
    "en": ("Blocks #12, Blocked by #7, Follows #3 (2 days), Related to Feature #5", "."),
    "de": ("Blockiert #12, Blockiert durch #7, Nachfolger von #3 (2 Tage), Beziehung mit #5", ","),
}


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_csv_in_its_language(desk: Any, language: str) -> None:
    prose, point = PROSE[language]
    separator = ";" if language == "de" else ","
    times = "25.11.2026 10:00" if language == "de" else "11/25/2026 10:00 AM"

    def row(id: str, parent: str, hours: str, closed: str, links: str) -> str:
        cells = [id, "Shop", "Bug", parent, "New", "High", f"Issue {id}", "Ann Lee", times, hours, times, closed, links]
        return separator.join(f'"{cell}"' for cell in cells)

    rows = [
        row("3", "", f"8{point}50", "", ""),
        row("4", "Issue 3", "0:45", "", prose),
        row("12", "Bug #3: Issue 3", "", "", ""),
    ]
    found = desk.read("\n".join([HEADERS[language], *rows]).encode("cp1252") + b"\n", encoding="cp1252")
    assert found.report.files[0].reader == "redmine-csv"
    assert edges(found) == {("4", "12", "0"), ("7", "4", "0"), ("3", "4", "2d")}
    work = found.portfolio.work
    assert (work["4"].parent, work["12"].parent) == ("3", "3")
    assert [item.estimate_hours for item in found.report.items] == [8.5, 0.75, None]
    assert "unknown-link-type" not in {finding.code for finding in found.report.findings}


def test_verbs_that_are_not_known_are_counted(desk: Any) -> None:
    text = HEADERS["en"] + '\n3,Shop,Bug,,New,High,Three,,,,,,"Bloccato da #4, Is duplicate of #5"\n'
    found = desk.read(text)
    assert not found.report.edges
    assert [f.count for f in found.report.findings if f.code == "unknown-link-type"] == [1]


@pytest.mark.parametrize("name", ["Wanted by", "31"])
def test_a_field_of_the_site_by_its_name_or_its_id(desk: Any, codes: Any, name: str) -> None:
    wanted = {"id": 31, "name": "Wanted by", "value": "2026-12-18"}
    content = {"issues": [issue(1, custom_fields=[wanted])]}
    found = desk.read(content, mapping={"columns": {"redmine": {name: "due"}}})
    assert str(found.portfolio.work["1"].due) == "2026-12-18"
    assert "mapping-unused" not in codes(found)


def test_an_answer_that_tells_of_more_issues(desk: Any, codes: Any) -> None:
    assert "probably-truncated" in codes(desk.read({"issues": [issue(1)], "total_count": 2, "limit": 1}))
    pages = [{"issues": [issue(1)], "total_count": 2}, {"issues": [issue(2)], "total_count": 2}]
    assert "probably-truncated" not in codes(desk.read(pages))
