"""Planview AgilePlace (LeanKit) cards: JSON of the interface with dependencies, and CSV of a board.

By the vendor's documentation and what others write of the interface: no real file was to be had. The path of lanes is
the status. *Blocked* is a mark with a reason and no link: such a card gets the label ``blocked`` and is planned as any
other. A size has no unit and is read as points. Dependencies are answers of their own (``/io/card/ID/dependency``): put
them into each card as ``dependencies``, or beside the cards as ``{"cardId": ..., "dependencies": [...]}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from throttle.ingest.flat import (
    Found,
    Item,
    Record,
    Remark,
    around,
    count,
    cut,
    entries,
    find,
    is_json,
    is_table,
    keyed,
    meant_by,
    named,
    nodes,
    objects,
    phrases,
    proposed,
    read_sheet,
    rest,
    say,
    single,
    text,
    uses,
)
from throttle.ingest.intake import Intake
from throttle.ingest.readers import DocumentReader, Reader, Use
from throttle.ingest.records import Entry, Tie
from throttle.ingest.source import Source
from throttle.ingest.tables import Table
from throttle.ingest.values import fold, yes
from throttle.wording import plural
from throttle_models import Column, LinkType, Status

C = Column

_KNOWN = uses(
    {
        C.ID: "id, card id, cardid",
        C.ALIAS: "external card id, custom id, card header, header",
        C.TITLE: "title, card title, name",
        C.TYPE: "type, card type, cardtype, type title",
        C.STATUS: "lane, lane title, lane path, current lane, current lane title",
        C.STATUS_CATEGORY: "category",
        C.PROJECT: "board, board title, board name",
        C.PARENT: "parent, parent card id, parent card ids, parent cards, parent id",
        C.ASSIGNEE: "assigned user, assigned users, assigned to, assignee, assignees, assigned user names",
        C.LABEL: "tags, tag, custom icon, class of service",
        C.PRIORITY: "priority",
        C.CREATED: "created, created on, created date, creation date",
        C.UPDATED: "updated, updated on, last updated, last activity date, last update",
        C.STARTED: "actual start, actual start date",
        C.FINISHED: "actual finish, actual finish date",
        C.VIEWED: "last moved, moved on, archived on",
        C.DUE: "planned finish, planned finish date, due date",
        C.PLANNED_START: "planned start, planned start date, start date",
        C.POINTS: "size, card size",
        C.WAITS_FOR: "incoming dependencies, depends on",
        C.BLOCKS: "outgoing dependencies",
    },
    None,
    {C.LABEL: ",", C.ASSIGNEE: ",", C.PARENT: ",", C.WAITS_FOR: ",", C.BLOCKS: ","},
)
_TIMINGS = {
    "finishtostart": LinkType.FS,
    "starttostart": LinkType.SS,
    "finishtofinish": LinkType.FF,
    "starttofinish": LinkType.SF,
}
_CATEGORIES = {"notstarted": "to do", "started": "in progress", "finished": "done"}
_MARKS = frozenset({"blockedStatus", "plannedStart", "plannedFinish", "assignedUsers", "cardType", "typeId"})
_USED = named(
    """id title typeId type cardType laneId lane boardId board description assignedUsers assignedUserIds plannedStart
    plannedFinish actualStart actualFinish size priority blockedStatus parentCards connectedCardStats tags
    externalLinks externalLink customId customHeader updatedOn createdOn movedOn archivedOn isDone index color version
    createdBy updatedBy movedBy archivedBy attachments comments commentsCount childCommentsCount customFields
    customIcon customIconLabel taskBoardStats containingCardId subscriptionId scoring planningIncrementIds
    planningIncrements dependencyStats dependencies dependsOn mirrorSourceCardId isMirroredCard canView iconPath
    wipOverrideComment connections customIconId blockReason"""
)


def is_card(record: Record) -> bool:
    """A card, or a task within one."""
    placed = "laneId" in record or isinstance(record.get("lane"), dict)
    return placed and "id" in record and isinstance(record.get("title"), str) and bool(_MARKS & record.keys())


def _is_lane(record: Record) -> bool:
    return (
        "id" in record and bool(record.keys() & {"laneClassType", "laneType", "cardStatus"}) and "laneId" not in record
    )


def _is_answer(record: Record) -> bool:
    return "cardId" in record and isinstance(record.get("dependencies"), list)


def flatten(content: Any) -> Found:
    """The cards of a document, with the lanes and dependencies beside them."""
    records = find(content, is_card)
    lanes = {text(lane.get("id")): lane for lane in find(content, _is_lane) if isinstance(lane, dict)}
    items = [_card(record, lanes) for record in records]
    by_id = {item.id: item for item in items if isinstance(item, Item)}
    for answer in find(content, _is_answer):
        if isinstance(answer, dict) and (item := by_id.get(text(answer.get("cardId")))) is not None:
            _depend(item, answer.get("dependencies"))
    silent = 0
    for record, entry in zip(records, items, strict=True):
        if isinstance(entry, Item):
            stats = record.get("dependencyStats")
            silent += count(stats.get("totalCount")) > len(entry.ties) if isinstance(stats, dict) else False
    remarks = []
    if silent:
        message = (
            f"counts dependencies of {plural(silent, 'card')} that it does not list: put the answers of "
            "/io/card/ID/dependency into each card as dependencies"
        )
        remarks.append(Remark("links-not-in-file", message, silent))
    pages = [page.get("pageMeta") for page in around(content, is_card)]
    total = max((count(page.get("totalRecords")) for page in pages if isinstance(page, dict)), default=0)
    return Found(items, remarks + cut(len(items), total, more="ask for more with limit and offset"))


def _card(record: Any, lanes: Mapping[str, Record]) -> Item | str:
    if not isinstance(record, dict) or not is_card(record):
        return "is no card"
    item = Item()
    item.put("id", text(record.get("id")))
    if not item.cells:
        return "has no id"
    item.put("title", text(record.get("title")))
    for name in ("customId", "customHeader"):
        said = say(record.get(name) or {}, "value")
        item.put("external card id", said if said not in item.cells.get("external card id", ()) else "")
    item.put("type", say(record.get("cardType"), "name", "title") or say(record.get("type"), "title", "name"))
    item.put("board", say(record.get("board"), "title", "name") or text(record.get("boardId")))
    lane = record.get("lane")
    _state(item, record, lane if isinstance(lane, dict) else {"id": record.get("laneId")}, lanes)
    for user in objects(record.get("assignedUsers")):
        name, account = say(user, "fullName", "name"), text(user.get("id"))
        item.put("assigned user", f"{name} <{account}>" if name and account else name or account)
    item.put("tags", *map(text, nodes(record.get("tags"))))
    blocked = record.get("blockedStatus")
    if isinstance(blocked, dict) and blocked.get("isBlocked") is True:
        item.put("tags", "blocked")
    item.put("class of service", text(record.get("customIconLabel")) or say(record.get("customIcon"), "title"))
    item.put("priority", text(record.get("priority")))
    item.put("size", text(record.get("size")))
    for name, field in (
        ("created", "createdOn"),
        ("updated", "updatedOn"),
        ("actual start", "actualStart"),
        ("actual finish", "actualFinish"),
        ("planned start", "plannedStart"),
        ("planned finish", "plannedFinish"),
    ):
        item.put(name, text(record.get(field)))
    item.put("parent", text(record.get("containingCardId")))
    for parent in nodes(record.get("parentCards")):
        item.put("parent", say(parent, "cardId", "id"))
    own_fields = record.get("customFields")
    for own in objects(own_fields) if isinstance(own_fields, list) else ():
        item.own(text(own.get("label")), own.get("fieldId"), text(own.get("value")))
    if isinstance(own_fields, dict):
        rest(item, own_fields, _USED)
    for field_name in ("dependencies", "dependsOn"):
        _depend(item, record.get(field_name), field_name == "dependsOn")
    rest(item, record, _USED)
    return item


def _state(item: Item, record: Record, lane: Record, lanes: Mapping[str, Record]) -> None:
    """The path of lanes, and what the card or its lane says of being begun or done."""
    path: list[str] = []
    seen: set[str] = set()
    innermost = {**lanes.get(text(lane.get("id")), {}), **lane}
    at: Record | None = innermost
    status = _status(innermost)
    while at is not None and text(at.get("id")) not in seen:
        seen.add(text(at.get("id")))
        path.insert(0, say(at, "title", "name"))
        above = at.get("parentLaneId")
        at = lanes.get(text(above)) if above is not None else None
    item.put("lane", " / ".join(filter(None, path)))
    if record.get("isDone") is True or record.get("actualFinish"):
        item.put("category", "done")
    elif status in _CATEGORIES:
        item.put("category", _CATEGORIES[status])
    else:
        item.put("category", "in progress" if record.get("actualStart") else "to do")


def _status(lane: Record) -> str:
    """``notstarted``, ``started`` or ``finished`` of a lane; nothing where it does not say."""
    said = re.sub(r"[^a-z]", "", text(lane.get("cardStatus")).casefold())
    kind = text(lane.get("laneClassType") or lane.get("laneType")).casefold()
    return said or {"archive": "finished", "completed": "finished", "backlog": "notstarted"}.get(kind, "")


def _depend(item: Item, value: Any, waits: bool = False) -> None:
    """Dependencies as they are seen from a card: of an incoming one, the other card comes first."""
    for entry in nodes(value):
        fields = keyed(entry) if isinstance(entry, dict) else {"cardid": entry}
        other = text(fields.get("cardid") or fields.get("dependsoncardid") or fields.get("id"))
        direction = text(fields.get("direction")).casefold()
        if other and (waits or direction in ("incoming", "outgoing")):
            kind = _TIMINGS.get(re.sub(r"[^a-z]", "", text(fields.get("timing")).casefold()), LinkType.FS)
            first = direction == "outgoing"
            item.ties.append(Tie(other, first, origin="dependencies", type=kind, title=text(fields.get("title"))))


def _read(source: Source, intake: Intake) -> Iterator[Entry]:
    yield from entries(flatten(single(source.documents)), AGILEPLACE, _KNOWN, intake)


AGILEPLACE = DocumentReader(
    name="agileplace",
    system="AgilePlace",
    certainty=lambda source: 0.9 if is_json(source, is_card) else 0.0,
    read=_read,
    verified=False,
)


# --------------------------------------------------------------------------------------------------------------- CSV

_LANES = frozenset({"lane", "lane title", "lane path", "current lane", "current lane title"})
_BOARD_ONLY = phrases(
    """external card id, card id, card header, card type, card size, class of service, planned start,
    planned start date, planned finish, planned finish date, actual start date, actual finish date, blocked, is blocked,
    block reason, blocked reason, parent card id, board title"""
)


def _open(source: Source) -> Table | None:
    if not is_table(source, _LANES, frozenset({"title", "card title", "name"}), _BOARD_ONLY):
        return None
    opened = read_sheet(source)
    for _, row in opened.rows:
        done = opened.cell(row, "actual finish", "actual finish date") or yes(opened.cell(row, "is done", "done"))
        begun = opened.cell(row, "actual start", "actual start date")
        word = fold(opened.cell(row, *_LANES).rpartition("/")[2] or opened.cell(row, *_LANES))
        meant = meant_by(word)
        if done:
            category = "done"
        elif begun or meant is Status.IN_PROGRESS:
            category = "in progress"
        else:
            category = "" if meant is Status.DONE else "to do"
        row.extend([category, "blocked" if yes(opened.cell(row, "blocked", "is blocked")) else ""])
    return opened.table(["category", "tag"])


def _certainty(opened: Table, found: list[Use]) -> float:
    means = {use.meaning.means for use in found}
    marks = _BOARD_ONLY & set(map(fold, opened.header))
    return min(0.95, 0.35 + 0.1 * len(marks)) if {C.ID, C.TITLE} <= means or C.ALIAS in means else 0.0


AGILEPLACE_CSV = Reader(
    name="agileplace-csv",
    system="AgilePlace",
    open=_open,
    propose=lambda opened: _with_id(proposed(opened, _KNOWN)),
    certainty=_certainty,
    verified=False,
)


def _with_id(found: list[Use]) -> list[Use]:
    """A board export without ids of its own names cards by their external id."""
    if any(use.meaning.means is C.ID for use in found):
        return found
    return [
        Use(use.index, use.header, use.meaning.model_copy(update={"means": C.ID}), use.preference)
        if use.meaning.means is C.ALIAS
        else use
        for use in found
    ]
