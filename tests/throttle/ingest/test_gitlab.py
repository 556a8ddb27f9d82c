"""GitLab: REST with links, and the CSV that comes by mail."""

from __future__ import annotations

from typing import Any

from throttle_models import Status, WorkType

SITE = "https://git.example.invalid/acme/shop/-/issues/"


def issue(iid: int, **more: Any) -> dict[str, Any]:
    base = {"id": 900 + iid, "iid": iid, "title": f"Issue {iid}", "state": "opened", "web_url": f"{SITE}{iid}"}
    return base | {"labels": [], "created_at": "2026-11-01T08:00:00.000Z", "closed_at": None, "assignees": []} | more


def edges(found: Any) -> set[tuple[str, str]]:
    return {(edge.predecessor, edge.successor) for edge in found.report.edges}


def test_links_are_as_the_issue_sees_them(desk: Any) -> None:
    def other(iid: int, kind: str, **more: Any) -> dict[str, Any]:
        return {"iid": iid, "link_type": kind, "title": "x", "state": "opened", "web_url": f"{SITE}{iid}"} | more

    outside = {"references": {"full": "acme/core#4"}, "state": "closed"}
    found = desk.read(
        [
            issue(1, links=[other(2, "blocks"), other(3, "relates_to")]),
            issue(2, links=[other(1, "is_blocked_by"), other(4, "is_blocked_by", **outside)]),
            issue(3),
        ]
    )
    assert edges(found) == {("acme/shop#1", "acme/shop#2"), ("acme/core#4", "acme/shop#2")}
    assert len(found.report.edges) == 2
    assert found.portfolio.external["acme/core#4"].status is Status.DONE


def test_links_as_answers_of_their_own(desk: Any) -> None:
    link = {"source_issue": issue(1), "target_issue": issue(2), "link_type": "is_blocked_by"}
    assert edges(desk.read({"issues": [issue(1), issue(2)], "links": [link]})) == {("acme/shop#2", "acme/shop#1")}


def test_time_weight_and_people(desk: Any) -> None:
    ann = {"id": 1, "name": "Ann Lee", "username": "alee"}
    found = desk.read(
        [
            issue(1, time_stats={"time_estimate": 28800, "total_time_spent": 0}, assignees=[ann]),
            issue(2, time_stats={"time_estimate": 0, "total_time_spent": 0}, weight=3, due_date="2026-12-18"),
        ],
        team={"defaults": {"hours_per_point": "2h"}},
    )
    hours = {i.id: (i.estimate_hours, i.planned_hours) for i in found.report.items}
    assert hours == {"acme/shop#1": (8, 8), "acme/shop#2": (None, 6)}
    assert next(person.name for person in found.portfolio.people.values()) == "Ann Lee"
    assert str(found.portfolio.work["acme/shop#2"].due) == "2026-12-18"


def test_scoped_labels(desk: Any) -> None:
    work = desk.read(
        [
            issue(1, labels=["workflow::in dev", "priority::high", "type::bug"]),
            issue(2, labels=["workflow::blocked"]),
            issue(3, labels=["workflow::done"]),
            issue(4, labels=["status::won't do"], state="closed", closed_at="2026-11-02T08:00:00Z"),
        ]
    ).portfolio.work
    assert [work[f"acme/shop#{n}"].status for n in (1, 2, 3, 4)] == [
        Status.IN_PROGRESS, Status.OPEN, Status.OPEN, Status.CANCELLED,
    ]  # fmt: skip
    assert (work["acme/shop#1"].type, work["acme/shop#1"].priority) == (WorkType.UNPLANNED, "high")


def test_the_csv_by_mail(desk: Any) -> None:
    header = (
        "Title,Description,Issue ID,URL,State,Author,Author Username,Assignee,Assignee Username,Confidential,Locked,"
        "Due Date,Created At (UTC),Updated At (UTC),Closed At (UTC),Milestone,Weight,Labels,Time Estimate,Time Spent,"
        "Epic ID,Epic Title"
    )
    rows = [
        f"One,Not read,1,{SITE}1,Open,P,p,Ann Lee,alee,No,No,2026-12-18,2026-11-01 08:00:00,,,,,"
        '"bug,workflow::in dev",3600,0,,',
        f"Two,,2,{SITE}2,Closed,P,p,,,No,No,,2026-11-01 08:00:00,,2026-11-05 09:30:00,,2,,0,0,77,Big",
    ]
    found = desk.read("\n".join([header, *rows]) + "\n", team={"zone": "Europe/Berlin"})
    one, two = found.portfolio.work["acme/shop#1"], found.portfolio.work["acme/shop#2"]
    assert (one.status, one.type, two.status) == (Status.IN_PROGRESS, WorkType.UNPLANNED, Status.DONE)
    assert str(two.finished) == "2026-11-05T09:30Z"
    assert [i.estimate_hours for i in found.report.items] == [1, None]
    assert next(person.name for person in found.portfolio.people.values()) == "Ann Lee"
    assert "Not read" not in found.portfolio.model_dump_json()


def test_a_newer_csv_numbers_by_iid_and_names_the_parent(desk: Any) -> None:
    header = "Title,Issue ID,IID,URL,State,Author Username,Confidential,Locked,Type,Parent IID,Labels"
    rows = f"One,5001,1,{SITE}1,Open,p,No,No,Issue,,\nTwo,5002,2,{SITE}2,Open,p,No,No,Incident,1,\n"
    work = desk.read(f"{header}\n{rows}").portfolio.work
    assert work["acme/shop#2"].parent == "acme/shop#1"
    assert work["acme/shop#2"].type is WorkType.UNPLANNED
    assert set(work) == {"acme/shop#1", "acme/shop#2"}


def test_connections_of_graphql(desk: Any) -> None:
    node = {
        "iid": "3", "title": "Three", "state": "opened", "webUrl": f"{SITE}3", "timeEstimate": 7200,
        "labels": {"nodes": [{"title": "bug"}]}, "assignees": {"nodes": [{"name": "Ann Lee", "username": "alee"}]},
        "createdAt": "2026-11-01T08:00:00Z", "dueDate": "2026-12-18",
        "blockedByIssues": {"nodes": [{"iid": "4", "webUrl": f"{SITE}4", "state": "closed", "title": "Four"}]},
    }  # fmt: skip
    found = desk.read({"data": {"project": {"issues": {"nodes": [node], "pageInfo": {"hasNextPage": False}}}}})
    item = found.portfolio.work["acme/shop#3"]
    assert (item.type, str(item.due), found.report.estimate_hours) == (WorkType.UNPLANNED, "2026-12-18", 2)
    assert edges(found) == {("acme/shop#4", "acme/shop#3")}
    assert found.portfolio.external["acme/shop#4"].status is Status.DONE


def test_epics_contain_issues(desk: Any) -> None:
    epic = {"id": 7, "iid": 5, "group_id": 3, "title": "Big", "url": "/groups/acme/-/epics/5"}
    whole = epic | {"state": "opened", "web_url": "https://git.example.invalid/groups/acme/-/epics/5"}
    found = desk.read([[issue(1, epic=epic, epic_iid=5)], [whole]])
    work = found.portfolio.work
    assert work["acme/shop#1"].parent == "acme&5"
    assert not work["acme&5"].needs


def test_a_line_of_a_project_export(desk: Any) -> None:
    line = {
        "iid": 4, "title": "Four", "state": "opened", "time_estimate": 3600, "timelogs": [{"time_spent": 1800}],
        "label_links": [{"label": {"title": "bug"}}], "created_at": "2026-11-01T08:00:00.000Z",
    }  # fmt: skip
    found = desk.read([line])
    assert found.portfolio.work["4"].type is WorkType.UNPLANNED
    assert found.report.estimate_hours == 1
