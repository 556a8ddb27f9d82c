"""Jira's REST JSON and RSS: pages and wrappers, directions by verbs, sprints, history, what the words do not decide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from throttle_models import Status

BLOCKS = {"name": "Blocks", "inward": "is blocked by", "outward": "blocks"}
DEPENDS = {"name": "Dependency", "inward": "is a dependency for", "outward": "depends on"}
TURNED = {"name": "Dependency", "inward": "depends on", "outward": "is a dependency for"}


def issue(key: str, **fields: Any) -> dict[str, Any]:
    number = int(key.rpartition("-")[2])
    usual = {
        "summary": f"Title of {key}",
        "issuetype": {"name": "Story", "subtask": False},
        "status": {"name": "Irgendwas", "statusCategory": {"key": "new"}},
        "created": "2023-12-12T10:00:14.000-0600",
        "project": {"key": key.partition("-")[0], "name": "Project"},
    }
    return {"id": str(10_000 + number), "key": key, "fields": usual | fields}


def link(kind: dict[str, str], end: str, key: str, state: str = "new") -> dict[str, Any]:
    stub = {"summary": "Elsewhere", "status": {"name": "Hm", "statusCategory": {"key": state}}}
    return {"id": "1", "type": kind, end: {"id": "9", "key": key, "fields": stub}}


def edges(ingested: Any) -> set[tuple[str, str, str]]:
    return {(e.predecessor, e.successor, e.type.value) for e in ingested.report.edges}


ONE, TWO = issue("ABC-1"), issue("ABC-2")


@pytest.mark.parametrize(
    "content",
    [
        {"expand": "names", "startAt": 0, "maxResults": 50, "total": 2, "issues": [ONE, TWO]},
        [{"issues": [ONE], "total": 2}, {"issues": [TWO], "total": 2}],
        [ONE, TWO],
        [{"origin": "https://x.invalid", "data": ONE}, {"origin": "https://x.invalid", "data": TWO}],
        "\n".join(map(json.dumps, (ONE, TWO))),
        json.dumps({"issues": [ONE]}, indent=1) + json.dumps({"issues": [TWO], "isLast": True}, indent=1),
    ],
    ids=["page", "pages", "list", "wrapped", "lines", "one after another"],
)
def test_shapes(desk: Any, content: Any) -> None:
    ingested = desk.read(content, name="x.json")
    assert ingested.report.files[0].reader == "jira-json"
    assert sorted(ingested.portfolio.work) == ["ABC-1", "ABC-2"]
    assert not [f for f in ingested.report.findings if f.code == "truncated-pages"]


def test_a_page_of_more_is_told(desk: Any, codes: Any) -> None:
    assert "truncated-pages" in codes(desk.read({"issues": [ONE], "total": 142_657}, name="x.json"))
    assert "truncated-pages" in codes(desk.read({"issues": [ONE], "isLast": False}, name="x.json"))


def test_overlapping_pages_count_once(desk: Any) -> None:
    newer = issue("ABC-1", updated="2024-01-02T00:00:00Z", summary="Newer")
    older = issue("ABC-1", updated="2024-01-01T00:00:00Z")
    report = (ingested := desk.read([{"issues": [newer, TWO]}, {"issues": [older]}], name="x.json")).report
    assert (report.rows_read, report.imported, report.merged) == (3, 2, 1)
    assert ingested.portfolio.work["ABC-1"].title == "Newer"


def test_what_is_no_issue_is_rejected(desk: Any) -> None:
    report = desk.read([ONE, {"key": "ABC-2"}, {"key": "nonsense", "fields": {}}, 7], name="x.json").report
    assert (report.rows_read, report.imported, report.rejected) == (4, 1, 3)
    assert {r.row for r in report.rejections} == {2, 3, 4}


@pytest.mark.parametrize(
    ("kind", "end", "edge"),
    [
        (BLOCKS, "outwardIssue", ("ABC-1", "ABC-2", "FS")),
        (BLOCKS, "inwardIssue", ("ABC-2", "ABC-1", "FS")),
        (DEPENDS, "outwardIssue", ("ABC-2", "ABC-1", "FS")),
        (DEPENDS, "inwardIssue", ("ABC-1", "ABC-2", "FS")),
        (TURNED, "outwardIssue", ("ABC-1", "ABC-2", "FS")),
        ({"name": "Gantt End to Start", "inward": "x", "outward": "y"}, "outwardIssue", ("ABC-1", "ABC-2", "FS")),
        ({"name": "Gantt Start to Start", "inward": "x", "outward": "y"}, "inwardIssue", ("ABC-2", "ABC-1", "SS")),
    ],
)
def test_the_verb_settles_the_direction(desk: Any, kind: dict[str, str], end: str, edge: tuple[str, str, str]) -> None:
    ingested = desk.read([issue("ABC-1", issuelinks=[link(kind, end, "ABC-2")]), TWO], name="x.json")
    assert edges(ingested) == {edge}


def test_a_mapping_counts_before_the_verb(desk: Any) -> None:
    content = [issue("ABC-1", issuelinks=[link(DEPENDS, "outwardIssue", "ABC-2")]), TWO]
    assert edges(desk.read(content, name="x.json", mapping={"link_types": {"Dependency": "FS"}})) == {
        ("ABC-1", "ABC-2", "FS")
    }


def test_both_ends_are_one_edge_and_stubs_know_their_status(desk: Any) -> None:
    content = [
        issue("ABC-1", issuelinks=[link(BLOCKS, "outwardIssue", "ABC-2")]),
        issue(
            "ABC-2",
            issuelinks=[
                link(BLOCKS, "inwardIssue", "ABC-1"),
                link(BLOCKS, "inwardIssue", "XYZ-9", "done"),
                link(BLOCKS, "inwardIssue", "XYZ-8"),
            ],
        ),
    ]
    ingested = desk.read(content, name="x.json")
    assert len(ingested.report.edges) == 3
    external = ingested.portfolio.external
    assert {id: (stub.status, stub.title) for id, stub in external.items()} == {
        "XYZ-9": (Status.DONE, "Elsewhere"),
        "XYZ-8": (Status.OPEN, "Elsewhere"),
    }
    assert {d.target for d in ingested.report.dangling} == {"XYZ-8", "XYZ-9"}


SERVER_SPRINT = (
    "com.atlassian.greenhopper.service.sprint.Sprint@2330e67f[id=6096,rapidViewId=12,state=CLOSED,"
    "name=24.05 | DOS, CANVAS] | 1.76,startDate=<null>,endDate=<null>,completeDate=<null>,sequence=6096,goal=<null>]"
)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ([SERVER_SPRINT], "24.05 | DOS, CANVAS] | 1.76"),
        ([{"id": 1, "name": "S1", "state": "closed", "boardId": 3}, {"id": 2, "name": "S2", "state": "active"}], "S2"),
    ],
)
def test_sprints_of_server_and_cloud(desk: Any, value: Any, name: str) -> None:
    ingested = desk.read([issue("ABC-1", customfield_10007=value, labels=["red"])], name="x.json")
    assert ingested.portfolio.work["ABC-1"].tags == ("red", name)


def test_fields_of_one_issue(desk: Any) -> None:
    names = {"customfield_1": "Story Points", "customfield_2": "Epic Link", "customfield_3": "Change risk"}
    one = issue(
        "ABC-7",
        assignee={"displayName": "Ann Lee", "accountId": "712020:1", "emailAddress": "ann@example.invalid"},
        timetracking={"originalEstimateSeconds": 36_000, "remainingEstimateSeconds": 7200},
        duedate="2024-02-01",
        components=[{"name": "Till"}],
        priority={"name": "High"},
        customfield_1=5.0,
        customfield_2="ABC-1",
        customfield_3={"value": "High", "id": "3"},
        description={"type": "doc", "content": [{"type": "text", "text": "SECRET"}]},
        comment={"comments": [{"body": "SECRET"}]},
        status={"name": "Läuft", "statusCategory": {"key": "indeterminate"}},
    )
    ingested = desk.read({"names": names, "issues": [one, issue("ABC-1", issuetype={"name": "Epic"})]}, name="x.json")
    item = ingested.portfolio.work["ABC-7"]
    assert (item.parent, item.status, str(item.due), item.priority) == ("ABC-1", "in-progress", "2024-02-01", "High")
    assert str(item.created) == "2023-12-12T16:00:14Z"
    assert item.needs[0].who == ("ann-lee",)
    assert item.needs[0].remaining is not None
    assert item.needs[0].remaining.total_seconds() == 7200
    text = ingested.portfolio.model_dump_json() + ingested.report.model_dump_json()
    assert "SECRET" not in text
    assert "example.invalid" not in text
    assert ingested.report.files[0].columns["Story Points"] == "points"


def test_an_epic_link_without_names_is_found_by_content(desk: Any) -> None:
    content = [
        issue("ABC-1", issuetype={"name": "Epic"}),
        issue("ABC-2", customfield_10014="ABC-1", customfield_9="ABC"),
        issue("ABC-3", customfield_10014="ABC-1", customfield_9="ABC-1 and more"),
    ]
    work = desk.read(content, name="x.json").portfolio.work
    assert [work[id].parent for id in ("ABC-2", "ABC-3")] == ["ABC-1", "ABC-1"]


def test_custom_fields_are_mapped_by_id_or_name(desk: Any) -> None:
    content = {"names": {"customfield_5": "Squad"}, "issues": [issue("ABC-1", customfield_5={"value": "Crew"})]}
    for key in ("customfield_5", "Squad"):
        mapping = {"columns": {"jira-json": {key: "team"}}}
        ingested = desk.read(content, name="x.json", mapping=mapping)
        assert ingested.portfolio.work["ABC-1"].needs[0].skill == "crew"
        assert "mapping-unused" not in [f.code for f in ingested.report.findings]


def test_the_changelog_says_when_work_began_and_ended(desk: Any) -> None:
    def moved(at: str, before: str, after: str) -> dict[str, Any]:
        return {"created": at, "items": [{"field": "status", "fromString": before, "toString": after}]}

    log = [
        moved("2024-01-05T09:00:00.000+0000", "In Progress", "Done"),
        moved("2024-01-02T09:00:00.000+0000", "To Do", "In Progress"),
        {"created": "2024-01-03T00:00:00Z", "items": [{"field": "description", "toString": "SECRET"}]},
    ]
    done = issue("ABC-1", status={"name": "Done", "statusCategory": {"key": "done"}})
    done["changelog"] = {"histories": log}
    item = desk.read([done, TWO], name="x.json").portfolio.work["ABC-1"]
    assert (str(item.started), str(item.finished)) == ("2024-01-02T09:00Z", "2024-01-05T09:00Z")


RSS = """<!-- a comment with <?xml-stylesheet href="x"?> and no declaration -->
<rss version="0.92"><channel><title>Issues</title><issue start="0" end="3" total="5"/>
<item><title>[ABC-1] Первый</title><project id="1" key="ABC">Alpha</project><description>&lt;p&gt;SECRET</description>
<key id="101">ABC-1</key><summary>Первый</summary><type id="1">История</type><priority id="2">High</priority>
<status id="3">В работе</status><statusCategory id="4" key="indeterminate" colorName="yellow"/>
<resolution id="-1">Не решено</resolution><assignee accountid="712020:1">Ann Lee</assignee>
<created>Thu, 5 Sep 2024 16:12:18 +0100</created><due>Fri, 6 Dec 2024 00:00:00 +0000</due>
<timeoriginalestimate seconds="36000">1 день</timeoriginalestimate><timeestimate seconds="7200">2 ч</timeestimate>
<labels><label>red</label></labels>
<issuelinks><issuelinktype id="1"><name>Dependency</name>
<outwardlinks description="depends on"><issuelink><issuekey id="102">ABC-2</issuekey></issuelink></outwardlinks>
</issuelinktype></issuelinks>
<customfields><customfield id="customfield_1" key="com.pyxis.greenhopper.jira:gh-sprint">
<customfieldname>Sprint</customfieldname><customfieldvalues><customfieldvalue id="1">S1</customfieldvalue>
<customfieldvalue id="2">S2</customfieldvalue></customfieldvalues></customfield>
<customfield id="customfield_2" key="x:float"><customfieldname>Story Points</customfieldname>
<customfieldvalues><customfieldvalue>3.0</customfieldvalue></customfieldvalues></customfield></customfields></item>
<item><key id="102">ABC-2</key><summary>Второй</summary><type id="1">Подзадача</type><parent id="101">ABC-1</parent>
<status id="5">Закрыт</status><statusCategory id="3" key="done"/><resolution id="1">Fixed</resolution>
<assignee username="-1">Не назначен</assignee><resolved>Fri, 6 Sep 2024 16:12:18 +0100</resolved></item>
<item><summary>no key</summary></item>
</channel></rss>
"""


def test_rss(desk: Any, codes: Any) -> None:
    ingested = desk.read(RSS, name="x.xml")
    report, work = ingested.report, ingested.portfolio.work
    assert (report.files[0].reader, report.rows_read, report.imported, report.rejected) == ("jira-rss", 3, 2, 1)
    assert "truncated-pages" in codes(ingested)
    one, two = work["ABC-1"], work["ABC-2"]
    assert (one.status, two.status, two.parent, one.title) == ("in-progress", "done", "ABC-1", "Первый")
    assert (str(one.due), str(one.created), one.tags) == ("2024-12-06", "2024-09-05T15:12:18Z", ("red", "S2"))
    assert str(two.finished) == "2024-09-06T15:12:18Z"
    assert one.source is not None
    assert list(ingested.portfolio.people) == ["ann-lee"]
    assert "SECRET" not in report.model_dump_json() + ingested.portfolio.model_dump_json()


def test_rss_directions(desk: Any) -> None:
    text = RSS.replace('<parent id="101">ABC-1</parent>', "")
    assert edges(desk.read(text, name="x.xml")) == {("ABC-2", "ABC-1", "FS")}


def test_entities_and_document_types_are_refused(desk: Any) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + RSS.replace("Alpha", "&b;")
    (problem,) = desk.problems(bomb, name="x.xml")
    assert problem.code == "xml-dtd"
    (cut,) = desk.problems(RSS[:900], name="x.xml")
    assert cut.code in ("truncated", "bad-xml")
