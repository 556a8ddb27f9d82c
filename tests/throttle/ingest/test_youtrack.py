"""YouTrack: the interface's JSON and the CSV of the issue list."""

from __future__ import annotations

from typing import Any

import pytest

from throttle_models import Status, WorkType

DEPEND = {"name": "Depend", "sourceToTarget": "is required for", "targetToSource": "depends on", "directed": True}
PART = {"name": "Subtask", "sourceToTarget": "parent for", "targetToSource": "subtask of"}
RELATES = {"name": "Relates", "sourceToTarget": "relates to", "targetToSource": ""}


def field(name: str, value: Any) -> dict[str, Any]:
    return {"$type": "SingleEnumIssueCustomField", "name": name, "value": value}


def issue(number: int, *links: tuple[str, dict[str, Any], list[Any]], **more: Any) -> dict[str, Any]:
    made = [
        {
            "direction": way,
            "linkType": kind,
            "issues": [i if isinstance(i, dict) else {"idReadable": i} for i in others],
        }
        for way, kind, others in links
    ]
    base = {"idReadable": f"SP-{number}", "summary": f"Issue {number}", "created": 1793520000000, "resolved": None}
    return base | {"project": {"shortName": "SP"}, "customFields": [], "links": made} | more


def edges(found: Any) -> set[tuple[str, str]]:
    return {(edge.predecessor, edge.successor) for edge in found.report.edges}


def test_the_verb_as_it_reads_from_the_issue_gives_the_order(desk: Any) -> None:
    there = {"idReadable": "OPS-9", "summary": "Theirs", "resolved": 1793520000000}
    found = desk.read(
        [
            issue(1, ("OUTWARD", DEPEND, ["SP-2"]), ("BOTH", RELATES, ["SP-3"])),
            issue(2, ("INWARD", DEPEND, ["SP-1", there]), ("INWARD", PART, ["SP-3"])),
            issue(3, ("OUTWARD", PART, ["SP-2"]), ("OUTWARD", DEPEND, [])),
        ]
    )
    assert edges(found) == {("SP-1", "SP-2"), ("OPS-9", "SP-2")}
    assert found.portfolio.work["SP-2"].parent == "SP-3"
    assert found.portfolio.external["OPS-9"].status is Status.DONE


def test_words_that_are_not_known_do_not_order_work(desk: Any, codes: Any) -> None:
    odd = {"name": "Waits", "sourceToTarget": "hopes for", "targetToSource": "is hoped for by"}
    content = [issue(1, ("OUTWARD", odd, ["SP-2"])), issue(2)]
    assert "unknown-link-type" in codes(desk.read(content))
    assert edges(desk.read(content, mapping={"link_types": {"Waits": "FS-reversed"}})) == {("SP-2", "SP-1")}


@pytest.mark.parametrize(
    ("state", "resolved", "status"),
    [
        ({"name": "Submitted"}, None, Status.OPEN),
        ({"name": "In Progress"}, None, Status.IN_PROGRESS),
        ({"name": "Baking"}, None, Status.OPEN),
        ({"name": "Fixed", "isResolved": True}, 1793520000000, Status.DONE),
        ({"name": "Won't fix", "isResolved": True}, 1793520000000, Status.CANCELLED),
        ({"name": "Can't Reproduce"}, 1793520000000, Status.CANCELLED),
    ],
)
def test_states(desk: Any, state: dict[str, Any], resolved: int | None, status: Status) -> None:
    work = desk.read([issue(1, customFields=[field("State", state)], resolved=resolved)]).portfolio.work
    assert work["SP-1"].status is status


def test_periods_people_and_dates(desk: Any) -> None:
    fields = [
        field("Estimation", {"minutes": 570, "presentation": "1d 1h 30m"}),
        field("Type", {"name": "Bug"}),
        field("Assignee", {"login": "alee", "fullName": "Ann Lee"}),
        {"$type": "DateIssueCustomField", "name": "Due Date", "value": 1797595200000},
        field("Squad size", 4),
    ]
    found = desk.read([issue(1, customFields=fields)])
    item = found.portfolio.work["SP-1"]
    assert (found.report.estimate_hours, item.type) == (9.5, WorkType.UNPLANNED)
    assert str(item.due) == "2026-12-18"
    assert next(iter(found.portfolio.people.values())).name == "Ann Lee"
    assert str(item.created) == "2026-11-01T08:00Z"
    mapped = desk.read([issue(1, customFields=fields)], mapping={"columns": {"youtrack": {"Squad size": "points"}}})
    assert mapped.report.estimate_hours == 9.5


def test_the_csv_of_the_issue_list(desk: Any) -> None:
    text = (
        "Issue Id,Project,Tags,Summary,Reporter,Created,Updated,Resolved,Priority,Type,State,Assignee,Estimation\n"
        'SP-1,Shop,"a, b",One,p,2026-11-01 08:00,,,Critical,Bug,Whatever,Ann Lee,1w 2d 4h\n'
        "SP-2,Shop,,Two,p,2026-11-01 08:00,,2026-11-05 08:00,Minor,Task,Obsolete,Unassigned,\n"
    )
    found = desk.read(text)
    assert found.report.files[0].reader == "youtrack-csv"
    one, two = found.portfolio.work.values()
    assert (one.status, two.status, one.tags) == (Status.OPEN, Status.CANCELLED, ("a", "b"))
    assert [item.estimate_hours for item in found.report.items] == [60, None]
    assert [person.name for person in found.portfolio.people.values()][:1] == ["Ann Lee"]


def test_as_many_issues_as_the_interface_gives_unasked(desk: Any, codes: Any) -> None:
    assert "probably-truncated" in codes(desk.read([issue(n) for n in range(1, 43)]))
    assert "probably-truncated" not in codes(desk.read([issue(n) for n in range(1, 44)]))
