"""YouTrack issues: JSON of the interface with custom fields and links; CSV of the issue list.

By the vendor's documentation: no real file was to be had. Times in JSON are milliseconds, periods minutes. A CSV has
no links unless a site adds such columns; its periods are written ``1w 2d 4h``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from throttle.ingest import words
from throttle.ingest.flat import (
    COMPLETED,
    Found,
    Item,
    Record,
    cut,
    entries,
    find,
    header_of,
    is_json,
    is_table,
    meant_by,
    moment,
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
from throttle.ingest.values import fold
from throttle_models import Column, Status

C = Column

_KNOWN = uses(
    {
        C.ID: "id, issue id",
        C.TITLE: "summary",
        C.TYPE: "type",
        C.STATUS: "state, stage, status",
        C.STATUS_CATEGORY: "state category",
        C.RESOLUTION: "resolution",
        C.PROJECT: "project",
        C.PARENT: "parent, subtask of, parent issue",
        C.ASSIGNEE: "assignee, assignees",
        C.COMPONENT: "subsystem, subsystems, component",
        C.LABEL: "tags, fix versions",
        C.PRIORITY: "priority",
        C.CREATED: "created",
        C.UPDATED: "updated",
        C.FINISHED: "resolved",
        C.DUE: "due date",
        C.PLANNED_START: "start date",
        C.ORIGINAL_ESTIMATE: "estimation, estimate, original estimation",
        C.TIME_SPENT: "spent time",
        C.POINTS: "story points",
        C.WAITS_FOR: "depends on, is blocked by, blocked by",
        C.BLOCKS: "is required for, blocks",
    },
    {C.ORIGINAL_ESTIMATE: "m", C.TIME_SPENT: "m"},
    {C.LABEL: ",", C.COMPONENT: ",", C.ASSIGNEE: ","},
)
_KEY = re.compile(r"[^\W\d_][\w.]*-[1-9]\d*")
_FIRST = phrases(
    """is required for, blocks, precedes, is blocking, is prerequisite for, is a prerequisite for, must be done before,
    is predecessor of, is a predecessor of"""
)
_WAITS = phrases(
    """depends on, is blocked by, follows, requires, must be done after, is successor of, is a successor of,
    waits for"""
)
_USED = named(
    """$type id idReadable numberInProject summary description wikifiedDescription project reporter updater draftOwner
    created updated resolved customFields links tags comments commentsCount attachments votes voters watchers isDraft
    parent subtasks externalIssue visibility pinnedComments activities usesMarkdown"""
)


def is_issue(record: Record) -> bool:
    """An issue of the interface."""
    if "idReadable" in record:
        return bool(record.keys() & {"summary", "customFields", "created", "project", "resolved"})
    return "summary" in record and ("numberInProject" in record or isinstance(record.get("customFields"), list))


def flatten(content: Any) -> Found:
    """The issues of a document."""
    records = find(content, is_issue)
    items = [_issue(record) for record in records]
    by_id = {item.id: item for item in items if isinstance(item, Item)}
    for record in records:
        parts = record.get("subtasks") if isinstance(record, dict) else None
        for part in objects(parts.get("issues") if isinstance(parts, dict) else parts):
            other = by_id.get(_id(part))
            if other is not None and "parent" not in other.cells:
                other.put("parent", _id(record))
    return Found(items, cut(len(items), usual=42, more="ask for more with $top and $skip"))


def _id(issue: Any) -> str:
    if not isinstance(issue, dict):
        return ""
    if readable := text(issue.get("idReadable")):
        return readable
    project, number = say(issue.get("project") or {}, "shortName"), text(issue.get("numberInProject"))
    return f"{project}-{number}" if project and number else text(issue.get("id"))


def _issue(record: Any) -> Item | str:
    if not isinstance(record, dict) or not is_issue(record):
        return "is no issue"
    item = Item()
    item.put("id", _id(record))
    if not item.cells:
        return "has no id"
    item.put("summary", text(record.get("summary")))
    project = record.get("project")
    item.put("project", say(project, "shortName", "name"))
    for name in ("created", "updated", "resolved"):
        item.put(name, moment(record.get(name)))
    item.put("tags", *(say(tag, "name") for tag in nodes(record.get("tags"))))
    finished: bool | None = None
    for own in objects(record.get("customFields")):
        name = say(own, "name") or say(own.get("projectCustomField") or {}, "name")
        values = nodes(own.get("value"))
        kind = text(own.get("$type"))
        said = [moment(v) if "Date" in kind else _value(v) for v in values]
        if kind == "DateIssueCustomField":  # a day, stored as a moment of it
            said = [value[:10] for value in said]
        item.own(name, own.get("id"), *said)
        if fold(name) in ("state", "stage", "status") and values and isinstance(values[0], dict):
            mark = values[0].get("isResolved")
            finished = mark if isinstance(mark, bool) else finished
    over = finished if finished is not None else bool(item.cells.get("resolved")) if "resolved" in record else None
    state = next((item.cells[n][0] for n in item.cells if fold(n) in ("state", "stage", "status")), "")
    for name, value in _state(state, over).items():
        item.put(name, value)
    parent = record.get("parent")
    for other in objects(parent.get("issues") if isinstance(parent, dict) and "issues" in parent else parent):
        item.put("parent", _id(other))
    for link in objects(record.get("links")):
        _link(item, link)
    rest(item, record, _USED)
    return item


def _value(value: Any) -> str:
    """A field's value; of a person, the name and account."""
    if isinstance(value, dict):
        if (minutes := value.get("minutes")) is not None:
            return text(minutes)
        name, account = text(value.get("fullName")) or text(value.get("name")), text(value.get("login"))
        if account:
            return f"{name} <{account}>" if name and name != account else account
        return name or say(value, "presentation", "text", "login")
    return text(value)


def _state(state: str, over: bool | None) -> dict[str, str]:
    """What the mark of a resolved issue says; names of states are each site's own."""
    meant = meant_by(state)
    if over:
        dropped = meant is Status.CANCELLED or fold(state) in words.CANCELLED_RESOLUTIONS
        return {"state category": "done", "resolution": state if dropped else COMPLETED}
    if over is None:
        return {}
    return {"state category": "in progress" if meant is Status.IN_PROGRESS else "to do"}


def _link(item: Item, link: Record) -> None:
    """A link as it reads from this issue: outward ``is required for`` the others, inward ``depends on`` them."""
    kind = link.get("linkType")
    if not isinstance(kind, dict):
        return
    outward = text(link.get("direction")).upper() != "INWARD"
    verb = fold(text(kind.get("sourceToTarget" if outward else "targetToSource")))
    name = text(kind.get("name"))
    for other in objects(link.get("issues")) or objects(link.get("trimmedIssues")):
        if not (id := _id(other)):
            continue
        category = "" if "resolved" not in other else "done" if other["resolved"] else "to do"
        title = text(other.get("summary"))
        if verb in ("subtask of", "is subtask of") or (fold(name) == "subtask" and not outward):
            item.put("parent", id)
        elif fold(name) == "subtask":
            continue  # the part says so, or lies outside
        elif verb in _FIRST or verb in _WAITS:
            item.tie(id, verb in _FIRST, name or verb, title=title, category=category)
        else:
            item.ties.append(Tie(id, outward, name or verb or "related", "links", title=title, category=category))


def _read(source: Source, intake: Intake) -> Iterator[Entry]:
    yield from entries(flatten(single(source.documents)), YOUTRACK, _KNOWN, intake)


YOUTRACK = DocumentReader(
    name="youtrack",
    system="YouTrack",
    certainty=lambda source: 0.9 if is_json(source, is_issue) else 0.0,
    read=_read,
    verified=False,
)


# --------------------------------------------------------------------------------------------------------------- CSV


def _open(source: Source) -> Table | None:
    if not is_table(source, "issue id", "summary") or "issue key" in header_of(source):  # a Jira export has both
        return None
    opened = read_sheet(source)
    state_at = next((name for name in ("state", "stage", "status") if name in opened.names), "")
    for _, row in opened.rows:
        over = bool(opened.cell(row, "resolved")) if "resolved" in opened.names else None
        made = _state(opened.cell(row, state_at), over)
        row.extend([made.get("state category", ""), made.get("resolution", "")])
    return opened.table(["state category", "resolution"])


def _certainty(opened: Table, found: list[Use]) -> float:
    ids = [id.strip() for use in found if use.meaning.means is C.ID for id in opened.column(use.index)]
    share = sum(bool(_KEY.fullmatch(id)) for id in ids) / len(ids) if ids else 0.5
    means = {use.meaning.means for use in found}
    return share * min(0.95, 0.4 + 0.06 * len(means))


YOUTRACK_CSV = Reader(
    name="youtrack-csv",
    system="YouTrack",
    open=_open,
    propose=lambda opened: proposed(opened, _KNOWN),
    certainty=_certainty,
    id_pattern=_KEY,
    id_is="an issue id such as ABC-12",
    project_of=lambda id: id.rpartition("-")[0],
    verified=False,
)
