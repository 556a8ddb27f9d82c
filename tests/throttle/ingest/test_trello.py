"""Trello boards."""

from __future__ import annotations

from typing import Any

from throttle_models import Status

LISTS = {"Backlog": "1", "Doing": "2", "Done": "3", "Wishes": "4"}


def card(link: str, where: str, **more: Any) -> dict[str, Any]:
    id = "68f0a100" + link.encode().hex().ljust(16, "0")[:16]
    base = {"id": id, "shortLink": link, "name": link, "idList": LISTS[where], "closed": False, "labels": []}
    return base | {"email": "secret+card@boards.example.invalid", "desc": "Not read"} | more


def board(*cards: dict[str, Any], **more: Any) -> dict[str, Any]:
    lists = [{"id": id, "name": name, "closed": name == "Wishes"} for name, id in LISTS.items()]
    return {"id": "b", "name": "Shop", "lists": lists, "cards": list(cards), "members": []} | more


def test_lists_are_statuses_and_archived_cards_are_over(desk: Any) -> None:
    work = desk.read(
        board(
            card("aaaaaaaa", "Backlog"),
            card("bbbbbbbb", "Doing"),
            card("cccccccc", "Done"),
            card("dddddddd", "Done", closed=True),
            card("eeeeeeee", "Backlog", closed=True),
            card("ffffffff", "Wishes"),
            card("gggggggg", "Doing", closed=True, dueComplete=True),
        )
    ).portfolio.work
    assert [item.status for item in work.values()] == [
        Status.OPEN, Status.IN_PROGRESS, Status.DONE, Status.DONE, Status.CANCELLED, Status.CANCELLED, Status.DONE,
    ]  # fmt: skip
    assert str(work["aaaaaaaa"].created) == "2025-10-16T07:38:40Z"


def test_the_actions_tell_when_a_card_began_and_was_finished(desk: Any) -> None:
    one = card("aaaaaaaa", "Done")

    def moved(day: int, before: str, after: str) -> dict[str, Any]:
        data = {"card": {"id": one["id"]}, "listBefore": {"name": before}, "listAfter": {"name": after}}
        return {"type": "updateCard", "date": f"2026-11-{day:02d}T08:00:00.000Z", "data": data}

    found = desk.read(board(one, actions=[moved(9, "Doing", "Done"), moved(3, "Backlog", "Doing")]))
    item = found.portfolio.work["aaaaaaaa"]
    assert (str(item.started), str(item.finished)) == ("2026-11-03T08:00Z", "2026-11-09T08:00Z")


def test_points_hours_people_and_no_addresses(desk: Any) -> None:
    fields = [{"id": "f1", "name": "Hours", "type": "number"}]
    fields.append({"id": "f2", "name": "Priority", "type": "list", "options": [{"id": "o", "value": {"text": "High"}}]})
    values = [{"idCustomField": "f1", "value": {"number": "6"}}, {"idCustomField": "f2", "idValue": "o"}]
    found = desk.read(
        board(
            card("aaaaaaaa", "Backlog", name="(3) Login", idMembers=["m"]),
            card("bbbbbbbb", "Backlog", name="Sign out [5]"),
            card("cccccccc", "Backlog", customFieldItems=values),
            members=[{"id": "m", "fullName": "Ann Lee", "username": "alee"}],
            customFields=fields,
        ),
        team={"defaults": {"hours_per_point": "2h"}},
    )
    assert [item.planned_hours for item in found.report.items] == [6, 10, 6]
    assert found.portfolio.work["cccccccc"].priority == "High"
    assert next(iter(found.portfolio.people.values())).name == "Ann Lee"
    assert "boards.example.invalid" not in found.portfolio.model_dump_json()


def test_cards_that_name_each_other_are_not_ordered(desk: Any, codes: Any) -> None:
    lists = [{"idCard": card("bbbbbbbb", "Doing")["id"], "checkItems": [{"name": "https://trello.com/c/aaaaaaaa"}]}]
    attached = [{"url": "https://trello.com/c/bbbbbbbb/12-b"}]
    found = desk.read(
        board(card("aaaaaaaa", "Doing", attachments=attached), card("bbbbbbbb", "Doing"), checklists=lists)
    )
    assert not found.report.edges
    assert "unknown-link-type" not in codes(found)


def test_a_cut_history_is_told_and_several_boards_are_read(desk: Any, codes: Any) -> None:
    many = [{"type": "commentCard", "date": "2026-11-03T08:00:00Z", "data": {}}] * 1000
    found = desk.read([board(card("aaaaaaaa", "Doing"), actions=many), board(card("bbbbbbbb", "Doing"))])
    assert set(found.portfolio.work) == {"aaaaaaaa", "bbbbbbbb"}
    assert "history-cut" in codes(found)


def test_signs_around_a_name_do_not_matter_and_unknown_lists_are_told(desk: Any, codes: Any) -> None:
    content = board(card("aaaaaaaa", "Doing"), card("bbbbbbbb", "Backlog"))
    content["lists"] = [{"id": "2", "name": "✅ Done!"}, {"id": "1", "name": "Kitchen"}]
    found = desk.read(content)
    assert [item.status for item in found.portfolio.work.values()] == [Status.DONE, Status.UNKNOWN]
    assert "unknown-status" in codes(found)
    assert (
        desk.read(content, mapping={"statuses": {"Kitchen": "open"}}).portfolio.work["bbbbbbbb"].status is Status.OPEN
    )
