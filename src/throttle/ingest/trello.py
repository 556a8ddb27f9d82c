"""Trello boards as JSON (*Share, Print and export, Export as JSON*).

Seen in real files. The name of the list is the status. Cards have no estimates (points may be in the title, ``(3)`` or
``[5]``, or in a custom field) and no dependencies: cards that name each other in attachments or checklists are related,
not ordered. A board keeps its last 1,000 actions: only for those is it known when a card began and was finished.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from throttle.ingest.flat import (
    CATEGORY,
    COMPLETED,
    Found,
    Item,
    Record,
    Remark,
    entries,
    find,
    is_json,
    meant_by,
    nodes,
    objects,
    say,
    single,
    text,
    uses,
)
from throttle.ingest.intake import Intake
from throttle.ingest.readers import DocumentReader
from throttle.ingest.records import Entry, Tie
from throttle.ingest.source import Source
from throttle_models import Column, Status

C = Column

_KNOWN = uses(
    {
        C.ID: "id",
        C.ALIAS: "long id",
        C.TITLE: "name",
        C.STATUS: "list",
        C.STATUS_CATEGORY: "category",
        C.RESOLUTION: "resolution",
        C.PROJECT: "board",
        C.ASSIGNEE: "member",
        C.LABEL: "label",
        C.PRIORITY: "priority",
        C.CREATED: "created",
        C.UPDATED: "last activity",
        C.STARTED: "began",
        C.FINISHED: "finished",
        C.DUE: "due",
        C.PLANNED_START: "start",
        C.POINTS: "points, story points, estimate, size, story point",
        C.ORIGINAL_ESTIMATE: "hours, estimated hours, estimate (hours), estimate (h)",
        C.TIME_SPENT: "spent hours, actual hours",
    },
    {C.ORIGINAL_ESTIMATE: "h", C.TIME_SPENT: "h"},
)
_POINTS = re.compile(r"\s*[(\[](\d+(?:\.\d+)?)[)\]]\s*")
_CARD = re.compile(r"https?://trello\.com/c/([A-Za-z0-9]{6,12})")
_KEPT = 1_000
"""Actions that an export holds at most."""


def is_board(record: Record) -> bool:
    """A whole board."""
    return isinstance(record.get("lists"), list) and isinstance(record.get("cards"), list)


def flatten(content: Any) -> Found:
    """The cards of all boards of a document."""
    found = Found([])
    for board in find(content, is_board):
        if not isinstance(board, dict) or not is_board(board):
            found.items.append("is no board")
            continue
        found.items += _Board(board).cards()
        if len(nodes(board.get("actions"))) >= _KEPT:
            message = "holds its last 1,000 actions: when earlier cards began and were finished is not known"
            found.remarks.append(Remark("history-cut", message))
    return found


class _Board:
    """What the cards of one board refer to."""

    def __init__(self, board: Record) -> None:
        self.board = board
        self.lists = {text(entry.get("id")): entry for entry in objects(board.get("lists"))}
        self.members = {text(m.get("id")): m for m in objects(board.get("members"))}
        self.labels = {text(label.get("id")): label for label in objects(board.get("labels"))}
        self.fields = {text(own.get("id")): own for own in objects(board.get("customFields"))}
        self.checklists: dict[str, list[Record]] = {}
        for checklist in objects(board.get("checklists")):
            self.checklists.setdefault(text(checklist.get("idCard")), []).append(checklist)
        self.actions: dict[str, list[Record]] = {}
        for action in objects(board.get("actions")):
            self.actions.setdefault(_in(action, "data", "card", "id"), []).append(action)

    def cards(self) -> Iterator[Item | str]:
        for card in self.board["cards"]:
            yield self._card(card) if isinstance(card, dict) else "is no card"

    def _card(self, card: Record) -> Item | str:
        item = Item()
        long = text(card.get("id"))
        item.put("id", text(card.get("shortLink")) or long)
        if not item.cells:
            return "has no id"
        item.put("long id", long if long != item.id else "")
        name = text(card.get("name"))
        item.put("name", name)
        item.put("board", text(self.board.get("name")))
        self._state(item, card)
        for member in nodes(card.get("idMembers")):
            who = self.members.get(text(member), {})
            shown, account = say(who, "fullName"), say(who, "username") or text(member)
            item.put("member", f"{shown} <{account}>" if shown else account)
        labels = objects(card.get("labels")) or [
            self.labels[label] for label in map(text, nodes(card.get("idLabels"))) if label in self.labels
        ]
        item.put("label", *(text(label.get("name")) or text(label.get("color")) for label in labels))
        item.put("created", _created(long))
        item.put("last activity", text(card.get("dateLastActivity")))
        item.put("due", text(card.get("due")))
        item.put("start", text(card.get("start")))
        for own in objects(card.get("customFieldItems")):
            field = self.fields.get(text(own.get("idCustomField")), {})
            item.own(text(field.get("name")), own.get("idCustomField"), _value(own, field))
        if points := _POINTS.match(name) or re.search(_POINTS.pattern + "$", name):
            item.put("points", points[1])
        item.ties += [Tie(other, True, "related", "cards") for other in self._related(card) if other != item.id]
        return item

    def _state(self, item: Item, card: Record) -> None:
        """Archived cards are over: done where something says so, else given up."""
        place = self.lists.get(text(card.get("idList")), {})
        status = text(place.get("name"))
        item.put("list", status)
        meant = meant_by(status)
        began, moved, archived = self._history(item, card)
        over = card.get("closed") is True or place.get("closed") is True
        if card.get("dueComplete") is True or meant is Status.DONE:
            item.put("category", "done")
            item.put("resolution", COMPLETED)
            item.put("finished", moved or archived)
        elif over or meant is Status.CANCELLED:
            item.put("category", "done")
            item.put("resolution", "abandoned")
            item.put("finished", archived)
        elif meant is not None:
            item.put("category", CATEGORY[meant])
        item.put("began", began)

    def _history(self, item: Item, card: Record) -> tuple[str, str, str]:
        """When a card was first moved to a list of work, last to one of done work, and last archived."""
        began = done = archived = ""
        for action in sorted(self.actions.get(text(card.get("id")), ()), key=lambda a: text(a.get("date"))):
            at, after = text(action.get("date")), _in(action, "data", "listAfter", "name")
            if after:
                item.steps.append((at, "status", _in(action, "data", "listBefore", "name"), after))
                meant = meant_by(after)
                began = began or (at if meant is Status.IN_PROGRESS else "")
                done = at if meant is Status.DONE else ""
            data = action.get("data")
            old = data.get("old") if isinstance(data, dict) else None
            if isinstance(old, dict) and old.get("closed") is False:
                archived = at
            if isinstance(old, dict) and old.get("dueComplete") is False:
                done = done or at
        return began, done, archived

    def _related(self, card: Record) -> list[str]:
        """Cards that attachments and checklists name."""
        places = [text(attachment.get("url")) for attachment in objects(card.get("attachments"))]
        for checklist in self.checklists.get(text(card.get("id")), ()):
            places += [text(entry.get("name")) for entry in objects(checklist.get("checkItems"))]
        return list(dict.fromkeys(m[1] for place in places if (m := _CARD.search(place))))


def _in(value: Any, *path: str) -> str:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return text(value)


def _created(id: str) -> str:
    """The first eight digits of an id are the seconds since 1970 at which it was made."""
    try:
        return datetime.fromtimestamp(int(id[:8], 16), UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if len(id) == 24 else ""
    except (ValueError, OverflowError, OSError):
        return ""


def _value(own: Record, field: Record) -> str:
    """A custom field's value: of a list, the option that its id names."""
    if chosen := text(own.get("idValue")):
        return next((_in(o, "value", "text") for o in objects(field.get("options")) if text(o.get("id")) == chosen), "")
    value = own.get("value")
    return say(value, "number", "text", "date", "checked") if isinstance(value, dict) else text(value)


def _read(source: Source, intake: Intake) -> Iterator[Entry]:
    yield from entries(flatten(single(source.documents)), TRELLO, _KNOWN, intake)


TRELLO = DocumentReader(
    name="trello",
    system="Trello",
    certainty=lambda source: 0.95 if is_json(source, is_board) else 0.0,
    read=_read,
)
