"""GitLab issues: CSV as it is sent by e-mail; REST JSON with time, weight, milestone and links.

REST fields were seen in real files; the CSV and the links are by the vendor's documentation. A CSV has no links, and is
cut at 15 MB of attachment with a note in the mail alone. An estimate of 0 means that there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from throttle.ingest import words
from throttle.ingest.flat import (
    COMPLETED,
    TYPE_LABELS,
    Found,
    Item,
    Record,
    Remark,
    count,
    cut,
    dropped,
    entries,
    find,
    is_table,
    keyed,
    meant_by,
    named,
    nodes,
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
from throttle.ingest.values import fold
from throttle.wording import plural
from throttle_models import Column, Status

C = Column

_KNOWN = uses(
    {
        C.ID: "id, reference",
        C.TITLE: "title",
        C.TYPE: "type",
        C.STATUS: "status, state",
        C.STATUS_CATEGORY: "category",
        C.RESOLUTION: "resolution",
        C.PROJECT: "project",
        C.PARENT: "parent iid, parent, epic",
        C.ASSIGNEE: "assigned, assignee",
        C.LABEL: "labels, milestone",
        C.PRIORITY: "priority",
        C.CREATED: "created at (utc), created at",
        C.UPDATED: "updated at (utc), updated at",
        C.FINISHED: "closed at (utc), closed at",
        C.DUE: "due date",
        C.PLANNED_START: "start date",
        C.ORIGINAL_ESTIMATE: "time estimate",
        C.TIME_SPENT: "time spent",
        C.POINTS: "weight",
        C.WAITS_FOR: "blocked by",
        C.BLOCKS: "blocks",
    },
    {C.ORIGINAL_ESTIMATE: "s", C.TIME_SPENT: "s"},
    {C.LABEL: ",", C.ASSIGNEE: ","},
)
_STATES = {"opened": Status.OPEN, "open": Status.OPEN, "reopened": Status.OPEN, "closed": Status.DONE}
_URL = re.compile(r"https?://[^/]+/(?:groups/)?(.+?)/(?:-/)?(?:issues|work_items)/(\d+)")
_EPIC = re.compile(r"(?:https?://[^/]+)?/(?:groups/)?(.+?)/(?:-/)?epics/(\d+)")
_SCOPED = re.compile(r"(?:workflow|status|state|stage)::?(.+)", re.IGNORECASE)
_PRIORITY = re.compile(r"(?:priority|severity)::?(.+)", re.IGNORECASE)
_TYPE = re.compile(r"(?:type|kind)::?(.+)", re.IGNORECASE)
_USED = named(
    """id iid project_id title description state type issue_type web_url references labels label_details milestone
    assignees assignee author created_at updated_at closed_at closed_by due_date start_date time_stats weight epic
    epic_iid links issue_links linked_issues blocked_by blocking _links user_notes_count merge_requests_count upvotes
    downvotes confidential discussion_locked imported imported_from has_tasks task_completion_status task_status
    moved_to_id service_desk_reply_to blocking_issues_count subscribed severity health_status iteration webUrl
    labelLinks timelogs issueAssignees
    blockedByIssues blockingIssues humanTimeEstimate timeEstimate totalTimeSpent parent widgets parent_iid status
    description_html comments notes discussions user_permissions"""
)


def is_issue(record: Record) -> bool:
    """An issue of the REST or GraphQL interface: a project's own number, and a title."""
    return "iid" in record and isinstance(record.get("title"), str) and ("state" in record or "web_url" in record)


def _is_link(record: Record) -> bool:
    return isinstance(record.get("source_issue"), dict) and isinstance(record.get("target_issue"), dict)


def flatten(content: Any) -> Found:
    """The issues of a document."""
    records = find(content, is_issue)
    items = [_issue(record) for record in records]
    by_id = {item.id: item for item in items if isinstance(item, Item)}
    silent = 0
    for record, item in zip(records, items, strict=True):
        if isinstance(item, Item):
            stated = count(record.get("blocking_issues_count"))
            silent += stated > sum(tie.outward for tie in item.ties)
    for link in find(content, _is_link):
        source, target = reference(link["source_issue"], ""), reference(link["target_issue"], "")
        kind = text(link.get("link_type"))
        if source in by_id and kind in ("blocks", "is_blocked_by"):
            by_id[source].tie(target, kind == "blocks", "link_type")
    remarks = []
    if silent:
        message = (
            f"counts issues that {plural(silent, 'issue blocks', 'issues block')} and does not list them: add the "
            "answers of /issues/IID/links as links to each issue, or write work: {ID: {after: [...]}} in the team file"
        )
        remarks.append(Remark("links-not-in-file", message, silent))
    return Found(items, remarks + cut(len(items), usual=20, more="ask for all pages"))


def _name(project: str, number: str) -> str:
    """``group/project#12``; the number alone where nothing says of which project."""
    return f"{project}#{number}" if project else number


def reference(value: Any, project: str) -> str:
    """``group/project#12`` of an issue given as an object, an address, a reference or a number."""
    if isinstance(value, dict):
        if m := _EPIC.match(say(value, "web_url", "webUrl", "url")):
            return f"{m[1]}&{m[2]}"
        full = say(value.get("references") or {}, "full") or text(value.get("reference"))
        if "#" in full and not full.startswith("#"):
            return full
        if m := _URL.match(say(value, "web_url", "webUrl")):
            return f"{m[1]}#{m[2]}"
        number = text(value.get("iid"))
        return _name(project, number) if number else ""
    said = text(value)
    if m := _URL.match(said):
        return f"{m[1]}#{m[2]}"
    if m := re.fullmatch(r"(?:([^\s#]+)#|#)?(\d+)", said):
        return _name(m[1] or project, m[2])
    return ""


def _issue(record: Any) -> Item | str:
    if not isinstance(record, dict) or not is_issue(record):
        return "is no issue"
    item = Item()
    id = reference(record, "")
    epic = "&" in id
    if not id.rpartition("&" if epic else "#")[2].isdigit():
        return "has no number"
    item.put("id", id)
    project = id.rpartition("#")[0]
    item.put("project", project)
    item.put("title", text(record.get("title")))
    fields = keyed(record)
    tied = [link.get("label") for link in objects(fields.get("labellinks"))]  # of a project's own export
    labels = [say(label, "title", "name") for label in nodes(fields.get("labels")) or tied]
    closed = text(fields.get("state")).casefold() == "closed"
    for name, value in _by_labels(labels, closed, say(fields.get("status"), "name")).items():
        item.put(name, value)
    if "status" not in item.cells:
        item.put("status", text(fields.get("state")))
    kind = "Epic" if epic else text(fields.get("type") or fields.get("issuetype"))
    if fold(kind) not in ("", "issue"):
        item.cells["type"] = [kind.replace("_", " ").casefold()]
    item.put("labels", *labels)
    item.put("milestone", say(fields.get("milestone"), "title"))
    for who in nodes(fields.get("assignees")) or nodes(fields.get("assignee")):
        name, account = say(who, "name"), say(who, "username")
        person = f"{name} <{account}>" if name and account and isinstance(who, dict) else name or account
        if person not in item.cells.get("assignee", ()):
            item.put("assignee", person)
    item.put("created at", text(fields.get("createdat")))
    item.put("updated at", text(fields.get("updatedat")))
    item.put("closed at", text(fields.get("closedat")) if closed else "")
    milestone = fields.get("milestone")
    item.put("due date", text(fields.get("duedate")) or _of(milestone, "due_date", "dueDate"))
    item.put("start date", text(fields.get("startdate")))
    stats = fields.get("timestats")
    estimate = _of(stats, "time_estimate") or text(fields.get("timeestimate"))
    item.put("time estimate", estimate if estimate != "0" else "")
    logged = sum(count(entry.get("time_spent")) for entry in objects(fields.get("timelogs")))
    spent = _of(stats, "total_time_spent") or text(fields.get("totaltimespent")) or text(logged)
    item.put("time spent", spent if spent != "0" else "")
    item.put("weight", text(fields.get("weight")))
    parent = fields.get("parent") or fields.get("epic")
    number = text(fields.get("epiciid"))
    item.put("parent", reference(parent, project) if isinstance(parent, dict) else f"&{number}" if number else "")
    for field, kind in (("links", ""), ("issuelinks", ""), ("linkedissues", ""), *_SIDES):
        for other in objects(fields.get(field)):
            what = kind or text(other.get("link_type") or other.get("linkType")).casefold()
            target = other.get("target_issue") or other.get("issue") or other.get("workItem") or other
            if what in ("blocks", "is_blocked_by", "blocked_by"):
                title, state = (text(target.get(n)) if isinstance(target, dict) else "" for n in ("title", "state"))
                item.tie(reference(target, project), what == "blocks", what, title=title, status=state)
    rest(item, record, _USED)
    return item


_SIDES = (
    ("blockedby", "blocked_by"),
    ("blockedbyissues", "blocked_by"),
    ("blocking", "blocks"),
    ("blockingissues", "blocks"),
)


def _of(value: Any, *names: str) -> str:
    return say(value, *names) if isinstance(value, dict) else ""


def _by_labels(labels: Sequence[str], closed: bool, status: str = "") -> dict[str, str]:
    """What scoped labels such as ``workflow::in dev`` say; whether it is done is the issue's own state."""
    found: dict[str, str] = {}
    for label in labels:
        if m := _SCOPED.fullmatch(label):
            status = status or m[1]
        elif m := _PRIORITY.fullmatch(label):
            found.setdefault("priority", m[1])
        elif (m := _TYPE.fullmatch(label)) or fold(label) in TYPE_LABELS:
            word = m[1] if m else label
            if fold(word) in words.TYPES:
                found.setdefault("type", word)
    meant = meant_by(status)
    if closed:
        found["category"] = "done"
        found["resolution"] = status if meant is Status.CANCELLED else dropped(labels) or COMPLETED
    elif status:
        found["category"] = "in progress" if meant is Status.IN_PROGRESS else "to do"
    if status:
        found["status"] = status
    return found


def _read(source: Source, intake: Intake) -> Iterator[Entry]:
    yield from entries(flatten(single(source.documents)), GITLAB, _KNOWN, intake)


def _certainty(source: Source) -> float:
    return 0.95 if source.kind == "json" and find(single(source.documents), is_issue, first=True) else 0.0


GITLAB = DocumentReader(name="gitlab", system="GitLab", certainty=_certainty, read=_read, states=_STATES)


# --------------------------------------------------------------------------------------------------------------- CSV

_MADE = ("assigned", "id", "project", "parent", "status", "category", "resolution", "type", "priority")


def _open(source: Source) -> Table | None:
    """The CSV with what its addresses, scoped labels and zeros mean in columns of their own."""
    if not is_table(source, "title", "state", frozenset({"issue id", "iid"})):
        return None
    opened = read_sheet(source)
    cell = opened.cell
    for _, row in opened.rows:
        id = reference(cell(row, "url") or cell(row, "iid", "issue id"), "")
        labels = [part.strip() for part in cell(row, "labels").split(",")]
        made = _by_labels(labels, fold(cell(row, "state")) == "closed", cell(row, "status"))
        if fold(kind := cell(row, "type")) not in ("", "issue"):
            made["type"] = kind
        made |= {"id": id, "project": id.rpartition("#")[0]}
        parent, epic = cell(row, "parent iid"), cell(row, "epic id")
        made["parent"] = reference(parent, made["project"]) if parent else f"&{epic}" if epic else ""
        for name in ("time estimate", "time spent"):
            if cell(row, name) in ("0", "0.0"):
                row[opened.names[name]] = ""
        made["assigned"] = _people(cell(row, "assignee"), cell(row, "assignee username"))
        row += [made.get(name, "") for name in _MADE]
    utc = any(name.endswith("(utc)") for name in opened.names)
    opened.header = [_RENAMED.get(fold(name), name) for name in opened.header]
    remarks = []
    if len(source.data) > _ATTACHMENT:
        message = "is about as large as GitLab sends by mail (15 MB): probably truncated; export by milestone or label"
        remarks.append(Remark("probably-truncated", message))
    return opened.table(_MADE, utc=utc, remarks=remarks)


_ATTACHMENT = 14_500_000
"""Bytes from which on a CSV may have been cut: it is sent up to 15 MB."""


_RENAMED = {"id": "Global ID", "parent iid": "Parent number", "type": "Type of issue", "status": "Status shown"}
"""Columns whose meaning the made ones have."""


def _people(names: str, accounts: str) -> str:
    """``Ann Lee <alee>`` of the names and accounts of two cells."""
    shown, logins = ([part.strip() for part in cell.split(",") if part.strip()] for cell in (names, accounts))
    if len(shown) != len(logins):
        return ", ".join(shown or logins)
    return ", ".join(f"{name} <{login}>" for name, login in zip(shown, logins, strict=True))


def _csv_certainty(opened: Table, found: list[Use]) -> float:
    names = set(map(fold, opened.header))
    marks = names & {"author username", "assignee username", "confidential", "locked", "created at (utc)", "time spent"}
    return min(0.95, 0.4 + 0.15 * len(marks)) if "global id" not in names or len(found) > 3 else 0.0


GITLAB_CSV = Reader(
    name="gitlab-csv",
    system="GitLab",
    open=_open,
    propose=lambda opened: proposed(opened, _KNOWN),
    certainty=_csv_certainty,
    states=_STATES,
    id_pattern=re.compile(r"(.*#)?\d+"),
    id_is="a reference such as group/project#12",
    verified=False,
)
