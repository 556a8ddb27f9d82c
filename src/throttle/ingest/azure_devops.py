"""Azure DevOps work items: CSV of a query, flat or as a tree; JSON of ``workitems`` with relations; WIQL results.

Seen in real files: flat CSV. By the vendor's documented examples: JSON with relations, WIQL, tree CSV (``Title 1``,
``Title 2``: the depth is the column, the parent is the last row one step less deep). Numbers of hours are hours by
convention of the process templates, as are ``Story Points``, ``Effort`` and ``Size`` points.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from throttle.ingest.flat import (
    Found,
    Item,
    Record,
    Remark,
    day,
    entries,
    find,
    is_table,
    named,
    objects,
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
from throttle.ingest.records import Entry
from throttle.ingest.source import Source
from throttle.ingest.tables import Table
from throttle.ingest.values import blank, fold
from throttle.ingest.words import table
from throttle_models import Column, Status

C = Column

_HEADERS = {
    C.ID: "id, work item id, system.id",
    C.TITLE: "title, system.title",
    C.TYPE: "work item type, system.workitemtype",
    C.STATUS: "state, system.state",
    C.RESOLUTION: "resolved reason, resolution",
    C.PROJECT: "team project, system.teamproject",
    C.PARENT: "parent, system.parent",
    C.ASSIGNEE: "assigned to, system.assignedto",
    C.LABEL: "tags, system.tags",
    C.TEAM: "area path, node name, system.areapath",
    C.SKILL: "activity, discipline",
    C.PRIORITY: "priority",
    C.RISK: "risk",
    C.CREATED: "created date, system.createddate",
    C.UPDATED: "changed date, system.changeddate",
    C.STARTED: "activated date",
    C.FINISHED: "closed date",
    C.VIEWED: "state change date, resolved date",
    C.DUE: "target date, due date",
    C.PLANNED_START: "start date, scheduled start",
    C.PLANNED_END: "finish date, scheduled finish",
    C.ORIGINAL_ESTIMATE: "original estimate",
    C.REMAINING_ESTIMATE: "remaining work",
    C.TIME_SPENT: "completed work",
    C.POINTS: "story points, effort, size",
    C.WAITS_FOR: "predecessor, predecessors",
    C.BLOCKS: "successor, successors",
    C.VERSION: "rev",
}
_HOURS = {C.ORIGINAL_ESTIMATE: "h", C.REMAINING_ESTIMATE: "h", C.TIME_SPENT: "h"}
_KNOWN = uses(_HEADERS, _HOURS, {C.LABEL: ";"})

_STATES = table(
    {
        Status.OPEN: "new, proposed, to do, approved, requested, ready, open, design",
        Status.IN_PROGRESS: "active, committed, in progress, doing, accepted, in planning, resolved",
        Status.DONE: "closed, done, completed, inactive",
        Status.CANCELLED: "removed, cut",
    }
)
"""Of the process templates. Resolved is worked on but not verified, as Azure Boards counts it; Removed is cancelled."""

_FIELDS = {
    "System.Title": "Title",
    "System.WorkItemType": "Work Item Type",
    "System.State": "State",
    "System.TeamProject": "Team Project",
    "System.AreaPath": "Area Path",
    "System.IterationPath": "Iteration Path",
    "System.AssignedTo": "Assigned To",
    "System.Tags": "Tags",
    "System.CreatedDate": "Created Date",
    "System.ChangedDate": "Changed Date",
    "System.Parent": "Parent",
    "Microsoft.VSTS.Common.Priority": "Priority",
    "Microsoft.VSTS.Common.Risk": "Risk",
    "Microsoft.VSTS.Common.Activity": "Activity",
    "Microsoft.VSTS.Common.Discipline": "Discipline",
    "Microsoft.VSTS.Common.ActivatedDate": "Activated Date",
    "Microsoft.VSTS.Common.ClosedDate": "Closed Date",
    "Microsoft.VSTS.Common.ResolvedDate": "Resolved Date",
    "Microsoft.VSTS.Common.ResolvedReason": "Resolved Reason",
    "Microsoft.VSTS.Common.StateChangeDate": "State Change Date",
    "Microsoft.VSTS.Scheduling.StartDate": "Start Date",
    "Microsoft.VSTS.Scheduling.FinishDate": "Finish Date",
    "Microsoft.VSTS.Scheduling.TargetDate": "Target Date",
    "Microsoft.VSTS.Scheduling.DueDate": "Due Date",
    "Microsoft.VSTS.Scheduling.OriginalEstimate": "Original Estimate",
    "Microsoft.VSTS.Scheduling.RemainingWork": "Remaining Work",
    "Microsoft.VSTS.Scheduling.CompletedWork": "Completed Work",
    "Microsoft.VSTS.Scheduling.StoryPoints": "Story Points",
    "Microsoft.VSTS.Scheduling.Effort": "Effort",
    "Microsoft.VSTS.Scheduling.Size": "Size",
}
"""Reference names, as JSON has them, to display names, as CSV has them."""
_LEFT_OUT = named(
    """System.Id System.Rev System.Description System.History System.AreaId System.NodeName System.IterationId
    System.PersonId System.Watermark System.AuthorizedDate System.RevisedDate System.AuthorizedAs System.CreatedBy
    System.ChangedBy System.CommentCount System.HyperLinkCount System.AttachedFileCount System.ExternalLinkCount
    System.RelatedLinkCount System.RemoteLinkCount Microsoft.VSTS.Common.AcceptanceCriteria
    Microsoft.VSTS.TCM.ReproSteps Microsoft.VSTS.TCM.SystemInfo"""
)
_DAYS = ("Target Date", "Due Date")
_BLOCKS, _WAITS, _CHILD, _PARENT = "Successor", "Predecessor", "child", "Parent"
_RELATIONS = {
    "system.linktypes.dependency-forward": _BLOCKS,
    "system.linktypes.dependency-reverse": _WAITS,
    "system.linktypes.remote.dependency-forward": _BLOCKS,
    "system.linktypes.remote.dependency-reverse": _WAITS,
    "system.linktypes.hierarchy-forward": _CHILD,
    "system.linktypes.hierarchy-reverse": _PARENT,
}
"""What the other end of a relation is to the item that states it."""
_TARGET = re.compile(r"(?:https?://[^/]+/(?P<place>[^?]*?)/?_apis/wit/)?(?:workitems/)?(?P<id>\d+)/?(?:\?.*)?", re.I)
_DEPTH = re.compile(r"Title (\d+)", re.IGNORECASE)
_WIQL_LIMIT = 20_000


def is_item(record: Record) -> bool:
    """A work item as the API gives it."""
    fields = record.get("fields")
    known = isinstance(fields, dict) and any(str(name).startswith("System.") for name in fields)
    return known and "workItemId" not in record


def is_update(record: Record) -> bool:
    """One change of a work item, as ``workitems/ID/updates`` lists them."""
    return "workItemId" in record and ("fields" in record or "revisedBy" in record)


def is_query(record: Record) -> bool:
    """The result of a query: ids, and for trees and direct links the relations between them."""
    return "queryType" in record and ("workItems" in record or "workItemRelations" in record)


def flatten(content: Any) -> Found:
    """The work items of a document, with the relations of a WIQL result beside them. Without work items: its ids."""
    records = find(content, is_item)
    items = [_item(record) for record in records]
    by_id = {item.id: item for item in items if isinstance(item, Item)}
    remarks: list[Remark] = []
    for update in find(content, is_update):
        if isinstance(update, dict) and (changed := by_id.get(text(update.get("workItemId")))) is not None:
            _remember(changed, update)
    for query in find(content, is_query):
        links = list(_links(query)) if isinstance(query, dict) else []
        if len(links) >= _WIQL_LIMIT:
            remarks.append(Remark("probably-truncated", "has 20,000 results, the limit of WIQL: probably truncated"))
        for source, what, target in links:
            for id in filter(None, (source, target)):
                if id not in by_id:
                    by_id[id] = Item({"id": [id]})
                    items.append(by_id[id])
            _relate(by_id, source, what, target)
    if items and not records:
        message = (
            "is the answer of a query, with ids and relations alone; what they are is in the work items "
            "(workitems?ids=...&$expand=all): give both together"
        )
        remarks.append(Remark("ids-only", message, len(items)))
    for record, item in zip(records, items, strict=False):
        if isinstance(item, Item):
            home = _place(record)
            for relation in objects(record.get("relations")):
                _relate(by_id, item.id, _what(relation), _target(relation, home))
    return Found(items, remarks)


def _remember(item: Item, update: Record) -> None:
    """A change of the state, with its moment: the date of a revision that is still valid lies in the far future."""
    fields = update.get("fields")
    if isinstance(fields, dict):
        state, changed = fields.get("System.State"), fields.get("System.ChangedDate")
        at = say(changed, "newValue") if isinstance(changed, dict) else text(update.get("revisedDate"))
        if isinstance(state, dict) and at and not at.startswith("9999"):
            item.steps.append((at, "status", text(state.get("oldValue")), text(state.get("newValue"))))


def _links(query: Any) -> Iterator[tuple[str, str, str]]:
    """(source, what the target is to it, target); without a source the target is a root, or the query is flat."""
    for item in objects(query.get("workItems")):
        yield "", "", text(item.get("id"))
    for link in objects(query.get("workItemRelations")):
        yield say(link.get("source") or {}, "id"), _what(link), say(link.get("target") or {}, "id")


def _what(relation: Record) -> str:
    return _RELATIONS.get(text(relation.get("rel")).casefold(), "")


def _relate(by_id: dict[str, Item], id: str, what: str, other: str) -> None:
    """One relation, at the item that holds such a thing."""
    if not (what and id and other):
        return
    if what == _CHILD:
        if other in by_id and "Parent" not in by_id[other].cells:
            by_id[other].put("Parent", id)
    elif what == _PARENT:
        if other not in by_id[id].cells.get("Parent", ()):
            by_id[id].put("Parent", other)
    else:
        by_id[id].tie(other, what == _BLOCKS, what)


def _target(relation: Record, home: str) -> str:
    """The id at the end of an address, with the organisation before it where that is another one."""
    m = _TARGET.fullmatch(text(relation.get("url")))
    if m is None:
        return ""
    place = (m["place"] or "").partition("/")[0]
    remote = "remote" in text(relation.get("rel")).casefold() and place not in ("", home)
    return f"{place}/{m['id']}" if remote else m["id"]


def _place(record: Record) -> str:
    m = _TARGET.fullmatch(text(record.get("url")))
    return (m["place"] or "").partition("/")[0] if m else ""


def _item(record: Any) -> Item | str:
    if not isinstance(record, dict) or not is_item(record):
        return "is no work item"
    fields = record["fields"]
    item = Item()
    item.put("id", text(record.get("id")) or text(fields.get("System.Id")))
    if not item.cells:
        return "has no id"
    item.put("rev", text(record.get("rev")))
    for reference, name in _FIELDS.items():
        value = fields.get(reference)
        item.put(name, _person(value) if name == "Assigned To" else day(text(value)) if name in _DAYS else text(value))
    rest(item, {n: v for n, v in fields.items() if n not in _FIELDS and not str(n).startswith("WEF_")}, _LEFT_OUT)
    return item


def _person(value: Any) -> str:
    """``Name <account>``, as CSV has it."""
    if isinstance(value, dict):
        name, account = say(value, "displayName", "name"), say(value, "uniqueName", "id")
        return f"{name} <{account}>" if name and account else name or account
    return text(value)


def _read(source: Source, intake: Intake) -> Iterator[Entry]:
    yield from entries(flatten(single(source.documents)), AZURE_DEVOPS, _KNOWN, intake, joined=True)


def _certainty(source: Source) -> float:
    content = single(source.documents) if source.kind == "json" else None
    return 0.95 if find(content, lambda r: is_item(r) or is_query(r), first=True) else 0.0


AZURE_DEVOPS = DocumentReader(
    name="azure-devops",
    system="Azure DevOps",
    certainty=_certainty,
    read=_read,
    states=_STATES,
)


# --------------------------------------------------------------------------------------------------------------- CSV


def _open(source: Source) -> Table | None:
    """Rows of a tree query with a title and a parent each, from the depth of the title and the order of the rows.

    Some exports repeat the titles of the containers before the own one: the deepest title is the item's.
    """
    opened = source.table if source.kind in ("csv", "sheet") else None
    if opened is None or not is_table(source, "work item type") or not any(map(_DEPTH.fullmatch, opened.header)):
        return opened
    rows = read_sheet(source)
    depths = {i: int(m[1]) for i, name in enumerate(rows.header) if (m := _DEPTH.fullmatch(name))}
    above: dict[int, str] = {}
    for _, row in rows.rows:
        depth, title = max(((d, row[i]) for i, d in depths.items() if not blank(row[i])), default=(0, ""))
        parent = next((above[d] for d in range(depth - 1, 0, -1) if d in above), "")
        if depth:
            above = {d: id for d, id in above.items() if d < depth}
            if id := rows.cell(row, "id"):
                above[depth] = id
        row += [title, parent]
    return rows.table(["Title", "Parent"])


def _csv_certainty(opened: Table, found: list[Use]) -> float:
    means = {use.meaning.means for use in found}
    if opened.kind not in ("csv", "sheet") or not {C.ID, C.TITLE} <= means:
        return 0.0
    names = {fold(header) for header in opened.header}
    ids = [c for use in found if use.meaning.means is C.ID for c in opened.column(use.index)]
    if not all(id.strip().isdigit() for id in ids):
        return 0.0
    if "work item type" in names:
        return 0.9
    tagged = {"state", "assigned to", "tags", "area path", "iteration path"} & names
    return 0.3 + 0.1 * len(tagged) if "iteration path" in names or len(tagged) >= 2 else 0.0


AZURE_DEVOPS_CSV = Reader(
    name="azure-devops-csv",
    system="Azure DevOps",
    open=_open,
    propose=lambda opened: proposed(opened, _KNOWN),
    certainty=_csv_certainty,
    states=_STATES,
    id_pattern=re.compile(r"\d+"),
    id_is="a number such as 297",
)
