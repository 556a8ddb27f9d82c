"""Planview AgilePlace: cards, lanes and dependencies of the interface; a board as CSV."""

from __future__ import annotations

from typing import Any

from throttle_models import LinkType, Status


def card(id: str, **more: Any) -> dict[str, Any]:
    base = {"id": id, "title": f"Card {id}", "laneId": "50", "typeId": "1", "assignedUsers": [], "size": None}
    return base | {"blockedStatus": {"isBlocked": False, "reason": None}, "parentCards": []} | more


LANES = [
    {"id": "50", "title": "Ready", "laneClassType": "backlog", "parentLaneId": None},
    {"id": "60", "title": "Build", "laneClassType": "active", "cardStatus": "started"},
    {"id": "61", "title": "Review", "laneClassType": "active", "parentLaneId": "60", "cardStatus": "started"},
    {"id": "70", "title": "Gone", "laneClassType": "archive"},
]


def test_dependencies_are_as_the_card_sees_them(desk: Any) -> None:
    incoming = {"direction": "incoming", "cardId": "2", "timing": "finishToStart", "createdOn": "2026-11-01T08:00:00Z"}
    found = desk.read(
        {
            "cards": [card("1", dependencies=[incoming]), card("2"), card("3"), card("4")],
            "answers": [
                {"cardId": "2", "dependencies": [incoming | {"direction": "outgoing", "cardId": "1"}]},
                {"cardId": "3", "dependencies": [incoming | {"cardId": "2", "timing": "startToStart"}]},
                {"cardId": "4", "dependencies": [incoming | {"cardId": "99"}]},
            ],
        }
    )
    assert {(e.predecessor, e.successor, e.type) for e in found.report.edges} == {
        ("2", "1", LinkType.FS),
        ("2", "3", LinkType.SS),
        ("99", "4", LinkType.FS),
    }
    assert len(found.report.edges) == 3


def test_lanes_and_marks_are_the_status(desk: Any) -> None:
    found = desk.read(
        {
            "lanes": LANES,
            "cards": [
                card("1"),
                card("2", laneId="61"),
                card("3", laneId="70"),
                card("4", laneId="60", isDone=True),
                card("5", laneId="9", actualStart="2026-11-02T08:00:00Z"),
                card("6", laneId="9", actualFinish="2026-11-03T08:00:00Z"),
            ],
        }
    )
    work = found.portfolio.work
    assert [item.status for item in work.values()] == [
        Status.OPEN, Status.IN_PROGRESS, Status.DONE, Status.DONE, Status.IN_PROGRESS, Status.DONE,
    ]  # fmt: skip
    assert work["2"].raw_status == "Build / Review"


def test_a_blocked_card_has_a_label_and_is_planned(desk: Any) -> None:
    users = [{"id": "7", "fullName": "Ann Lee", "emailAddress": "ann@example.invalid"}]
    found = desk.read(
        [
            card("1", blockedStatus={"isBlocked": True, "reason": "Not read"}, size=3, priority="critical"),
            card("2", assignedUsers=users, parentCards=[{"cardId": "1", "boardId": "5"}], customId={"value": "X-7"}),
        ],
        team={"defaults": {"hours_per_point": "2h"}},
    )
    one, two = found.portfolio.work["1"], found.portfolio.work["2"]
    assert (one.tags, one.status, one.priority, two.parent) == (("blocked",), Status.OPEN, "critical", "1")
    assert next(iter(found.portfolio.people.values())).name == "Ann Lee"
    said = found.portfolio.model_dump_json()
    assert "Not read" not in said
    assert "ann@example.invalid" not in said


def test_dependencies_that_are_only_counted_are_told(desk: Any, codes: Any) -> None:
    stats = {"incomingCount": 1, "outgoingCount": 0, "totalCount": 1}
    assert "links-not-in-file" in codes(desk.read({"cards": [card("1", dependencyStats=stats)]}))
    listed = [{"direction": "incoming", "cardId": "2", "timing": "finishToStart"}]
    whole = desk.read({"cards": [card("1", dependencyStats=stats, dependencies=listed)]})
    assert "links-not-in-file" not in codes(whole)


def test_a_board_as_csv(desk: Any) -> None:
    text = (
        "External Card ID,Title,Card Type,Lane,Size,Priority,Assigned Users,Planned Finish,Actual Start Date,"
        "Actual Finish Date,Blocked,Parent Card ID\n"
        'A-1,One,Story,Ready,3,High,"Ann Lee, Ben Ode",12/18/2026,,,No,\n'
        "A-2,Two,Defect,Build / Review,,Normal,,,,,Yes,A-1\n"
        "A-3,Three,Defect,Done,,Normal,,,11/02/2026,11/03/2026,No,\n"
    )
    found = desk.read(text)
    assert found.report.files[0].reader == "agileplace-csv"
    one, two, three = found.portfolio.work.values()
    assert [i.status for i in (one, two, three)] == [Status.OPEN, Status.IN_PROGRESS, Status.DONE]
    assert (str(one.due), two.parent, two.tags) == ("2026-12-18", "A-1", ("blocked",))
    assert {person.name for person in found.portfolio.people.values()} >= {"Ann Lee", "Ben Ode"}


def test_a_page_that_tells_of_more_cards(desk: Any, codes: Any) -> None:
    assert "probably-truncated" in codes(desk.read({"pageMeta": {"totalRecords": 3}, "cards": [card("1"), card("2")]}))
    assert "probably-truncated" not in codes(desk.read({"pageMeta": {"totalRecords": 1}, "cards": [card("1")]}))
