"""GitHub issues: ``gh issue list/view``, REST, GraphQL and Projects v2 as JSON, and CSV that scripts make of them.

Seen in real files: flattened ``gh`` dumps, REST issues, Projects v2 items. Not checked against a real file: GraphQL
connections of dependencies, Projects v2 by GraphQL. A number field of a project has no unit and is read as points.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from throttle.ingest import words
from throttle.ingest.flat import (
    CATEGORY,
    COMPLETED,
    TYPE_LABELS,
    Found,
    Item,
    Record,
    Remark,
    around,
    count,
    cut,
    day,
    dropped,
    entries,
    find,
    is_table,
    keyed,
    meant_by,
    named,
    nodes,
    objects,
    pick,
    proposed,
    read_sheet,
    rest,
    say,
    single,
    tabulate,
    text,
    uses,
)
from throttle.ingest.intake import Intake
from throttle.ingest.readers import DocumentReader, Reader
from throttle.ingest.records import Entry
from throttle.ingest.source import Source
from throttle.ingest.tables import Table
from throttle.ingest.values import blank, fold, yes
from throttle.wording import plural
from throttle_models import Column, Status

C = Column

_URL = re.compile(r"https?://[^/]+/(?:api/v3/)?(?:repos/)?([^/\s]+/[^/\s]+)/(issues|pull|pulls)/(\d+)", re.IGNORECASE)
_REPOSITORY = re.compile(r"(?:https?://[^/]+/(?:api/v3/)?(?:repos/)?)?([^/\s#]+/[^/\s#]+?)(?:\.git)?/?")
_REFERENCE = re.compile(r"(?:([^/\s#]+/[^/\s#]+))?#?(\d+)")
_PRIORITY = re.compile(r"(?:priority|prio|severity|sev)[\s:/_=-]+(.+)|(p[0-4])", re.IGNORECASE)
_PREFIX = re.compile(r"(?:type|kind|category|issue type|status|state)\s*[:/_=-]+\s*", re.IGNORECASE)
_USED = named(
    """id node_id databaseId number title state stateReason closed url html_url repository_url repository repo labels
    label assignees assignee createdAt created updatedAt updated closedAt milestone type issueType priority blockedBy
    blocking parent parent_issue parent_issue_url subIssues body bodyText bodyHTML description author user comments
    reactions content status pull_request issue_dependencies_summary sub_issues_summary projectItems projectCards
    linked_pull_requests reviewers events_url labels_url comments_url timeline_url locked active_lock_reason
    author_association performed_via_github_app closed_by draft areas area fieldValues isArchived sub_issues_progress
    kindOfItem hasArea hasType isPinned reactionGroups totalReactions commentCount startDate start targetDate dueDate
    dueOn due endDate deadline iteration sprint"""
)
_DUE = ("targetdate", "duedate", "dueon", "due", "enddate", "deadline")
_KNOWN = uses(
    {
        C.ID: "id",
        C.TITLE: "title",
        C.STATUS: "status",
        C.STATUS_CATEGORY: "category",
        C.RESOLUTION: "state reason",
        C.TYPE: "type",
        C.PROJECT: "repository",
        C.PARENT: "parent",
        C.ASSIGNEE: "assignee",
        C.LABEL: "label, milestone",
        C.COMPONENT: "area",
        C.PRIORITY: "priority",
        C.CREATED: "created",
        C.UPDATED: "updated",
        C.FINISHED: "closed",
        C.DUE: "due",
        C.PLANNED_START: "start date",
        C.ORIGINAL_ESTIMATE: "hours, estimated hours, estimate (hours), estimate (h), effort (hours), effort (h)",
        C.POINTS: "story points, points, estimate, size points, effort",
        C.WAITS_FOR: "blocked by",
        C.BLOCKS: "blocking",
    },
    {C.ORIGINAL_ESTIMATE: "h"},
)
_WORKING = frozenset({"in progress", "in-progress", "wip", "doing", "work in progress", "in review", "started"})
_STATES = {"open": Status.OPEN, "closed": Status.DONE}
_MARKS = frozenset({"state", "statereason", "state_reason", "closedat", "closed_at", "html_url", "repository_url"})
_ITEMS = ("Issue", "DraftIssue", "PullRequest")


def is_issue(record: Record) -> bool:
    """An issue, or a project's item that shows one."""
    content = record.get("content")
    if isinstance(content, dict) and (
        content.get("type") in _ITEMS or content.get("__typename") in _ITEMS or "number" in content
    ):
        return "title" in content or "title" in record or "number" in content
    if not isinstance(record.get("title"), str):
        return False
    if not isinstance(record.get("number"), int | str):
        return record.get("type") == "issue" and _URL.match(text(record.get("url"))) is not None
    if "iid" in record or "open_issues" in record or "openIssueCount" in record:  # GitLab's issue; a milestone
        return False
    return bool(record.keys() & {"state", "closed", "closedAt", "closed_at", "stateReason", "labels", "assignees"}) or (
        _URL.match(say(record, "html_url", "url")) is not None
    )


def flatten(content: Any) -> Found:
    """The issues of a document."""
    records = find(content, is_issue)
    return _found(records, _truncation(content, len(records)))


def _found(records: Sequence[Any], remarks: list[Remark]) -> Found:
    all_fields = [_fields(record) if isinstance(record, dict) and is_issue(record) else None for record in records]
    items = [_issue(record, fields) for record, fields in zip(records, all_fields, strict=True)]
    by_id = {item.id: item for item in items if isinstance(item, Item)}
    silent = 0
    for fields, item in zip(all_fields, items, strict=True):
        if isinstance(item, str) or fields is None:
            continue
        for child in nodes(fields.get("subissues")):
            part = by_id.get(reference(child, _home(item.id)))
            if part is not None and part is not item and "parent" not in part.cells:
                part.put("parent", item.id)
        summary = fields.get("issuedependenciessummary")
        stated = sum(count(pick(summary, f"total_{side}", side)) for side in ("blocked_by", "blocking"))
        silent += stated > len(item.ties)
    if silent:
        message = (
            f"counts dependencies of {plural(silent, 'issue')} that it does not list: export them too (blockedBy, "
            "blocking), or write them in the team file under work: {ID: {after: [...]}}"
        )
        remarks.append(Remark("links-not-in-file", message, silent))
    return Found(items, remarks)


def _truncation(content: Any, found: int) -> list[Remark]:
    """What the answer says of issues that it leaves out."""
    total, last_page_seen, more = 0, False, False
    for page in around(content, is_issue):
        info = page.get("pageInfo")
        if isinstance(info, dict) and any(is_issue(node) for node in objects(page)):
            more = more or info.get("hasNextPage") is True
            last_page_seen = last_page_seen or info.get("hasNextPage") is False
        total = max(total, count(page.get("totalCount")))
    if more and not last_page_seen and total <= found:
        return [Remark("probably-truncated", "says that there are more pages: export again with --paginate")]
    return cut(found, total, usual=30, more="export again with a higher --limit, or with --paginate")


def _fields(record: Record) -> dict[str, Any]:
    """An issue's fields by folded name; of a project's item, its own and those of its issue."""
    fields = keyed(record)
    content = fields.get("content")
    if not isinstance(content, dict):
        return fields
    own = keyed(_values(fields))
    fields = keyed(content) | {name: v for name, v in (fields | own).items() if v not in (None, "", [])}
    fields["kindofitem"] = text(pick(content, "type", "__typename"))
    if fields["kindofitem"] in _ITEMS and fields.get("type") in _ITEMS:
        del fields["type"]
    for name in ("number", "state", "url", "title", "id"):  # the item's own title grows stale
        if content.get(name) is not None:
            fields[name] = content[name]
    return fields


def _issue(record: Any, fields: dict[str, Any] | None) -> Item | str:
    if fields is None:
        return "is no issue: it has no number or no title"
    url = say(fields, "htmlurl", "url")
    if fields.get("pullrequest") is not None or fields.get("kindofitem") == "PullRequest" or "/pull/" in url:
        return "is a pull request, not an issue"
    address = _URL.match(url)
    number = text(fields.get("number")) or (address[3] if address else "")
    repository = _repository(fields)
    item = Item()
    if fields.get("kindofitem") == "DraftIssue":
        item.put("id", text(record.get("id")) or text(fields.get("id")))
        if not item.cells:
            return "is a draft without an id"
    elif not number.isdigit():
        return "has no number"
    else:
        item.put("id", _name(repository, str(int(number))))
    item.put("title", text(fields.get("title")))
    item.put("repository", repository)
    labels = [label for value in _several(fields, "labels", "label") if (label := _last(say(value, "name", "title")))]
    _states(item, fields, labels)
    kind = say(fields.get("issuetype") or fields.get("type"), "name")
    item.put("type", (kind if fold(kind) != "issue" else "") or _kind(labels))
    priority = say(fields.get("priority"), "name", "title")
    item.put("priority", ("" if priority == "-1" else priority) or _priority(labels))
    item.put("label", *labels)
    item.put("area", *(say(value, "name") for value in _several(fields, "areas", "area")))
    for who in _several(fields, "assignees", "assignee"):
        login = _last(say(who, "login", "name"))
        if login not in item.cells.get("assignee", ()):
            item.put("assignee", login)
    item.put("created", say(fields, "createdat", "created"))
    item.put("updated", say(fields, "updatedat", "updated"))
    milestone = fields.get("milestone")
    item.put("milestone", shown if "://" not in (shown := say(milestone, "title", "name")) else "")
    ends = say(milestone, "dueOn", "due_on") if isinstance(milestone, dict) else ""
    item.put("due", day(say(fields, *_DUE)) or ends[:10])  # a milestone ends on a day, whatever time is stored
    item.put("start date", say(fields, "startdate", "start"))
    for field, first in (("blockedby", False), ("blocking", True)):
        for other in _several(fields, field):
            state = text(other.get("state")).casefold() if isinstance(other, dict) else ""
            title = text(other.get("title")) if isinstance(other, dict) else ""
            where = "blocking" if first else "blocked by"
            item.tie(reference(other, repository), first, where, title=title, status=state)
    parent = fields.get("parent") or fields.get("parentissue") or fields.get("parentissueurl")
    item.put("parent", reference(parent, repository))
    iteration = fields.get("iteration") or fields.get("sprint")
    item.put("iteration", say(iteration, "title") if isinstance(iteration, dict) else text(iteration))
    rest(item, record, _USED)
    rest(item, _values(fields), _USED)
    return item


def _last(said: str) -> str:
    """The last part of an address, as archives of a migration name labels and people; any other text as it is."""
    return unquote(said.rstrip("/").rpartition("/")[2]) if said.startswith(("https://", "http://")) else said


def _values(fields: dict[str, Any]) -> dict[str, Any]:
    """By their names, the fields that a project of GraphQL gives to an item; an iteration is an object."""
    found: dict[str, Any] = {}
    for value in objects(fields.get("fieldvalues")):
        if name := say(value.get("field"), "name"):
            said = pick(value, "name", "text", "number", "date")
            found[name] = said if said is not None else value
    return found


def _states(item: Item, fields: dict[str, Any], labels: list[str]) -> None:
    """Status as the project or the issue has it; whether it is done is the issue's own word where there is one."""
    shown = next(iter(objects(fields.get("projectitems"))), {})
    status = say(fields.get("status"), "name", "title") or say(shown.get("status"), "name")
    state = text(fields.get("state")).casefold()
    if not state and fields.get("closed") is not None:
        state = "closed" if yes(text(fields["closed"])) else "open"
    reason = text(fields.get("statereason")).casefold().replace("_", " ")
    closed = say(fields, "closedat")
    working = meant_by(status) is Status.IN_PROGRESS or any(map(_begun, labels))
    item.put("status", status or state)
    if state == "closed" or (not state and closed):
        item.put("category", "done")
        item.put("state reason", reason if reason not in ("", "reopened") else dropped(labels) or COMPLETED)
        item.put("closed", closed)
    elif state == "open":
        item.put("category", "in progress" if working else "to do")
    elif (meant := meant_by(status)) is not None:  # a project's item does not say whether its issue is closed
        item.put("category", CATEGORY[meant])
        if meant in (Status.DONE, Status.CANCELLED):
            item.put("state reason", "cancelled" if meant is Status.CANCELLED else COMPLETED)


def _begun(label: str) -> bool:
    """Whether a label says that work goes on: ``in progress``, ``status: review``; ``QA`` alone may be an area."""
    word = _PREFIX.sub("", label)
    return fold(word) in _WORKING if word == label else meant_by(word) is Status.IN_PROGRESS


def _kind(labels: Sequence[str]) -> str:
    """The first label that names a type of work: ``bug``, ``type: feature``, ``kind/debt``."""
    for label in labels:
        word = _PREFIX.sub("", label)
        if fold(word) in (TYPE_LABELS if word == label else words.TYPES):
            return word
    return ""


def _priority(labels: Sequence[str]) -> str:
    """The first label that names a priority: ``priority: high``, ``P1``."""
    return next((m[1] or m[2] for label in labels if (m := _PRIORITY.fullmatch(label.strip()))), "")


def _home(id: str) -> str:
    return id.rpartition("#")[0]


def _several(fields: Mapping[str, Any], *names: str) -> list[Any]:
    """The values of the first field that has some; a cell of CSV joins them by commas."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str):
            value = [part.strip(" []'\"") for part in re.split(r"[,;|]", value)]
            value = [part for part in value if part]
        if found := nodes(value):
            return found
    return []


def _repository(fields: Mapping[str, Any]) -> str:
    for name in ("htmlurl", "url", "repositoryurl", "parentissueurl"):
        address = text(fields.get(name))
        if m := _URL.match(address):
            return m[1]
        if name == "repositoryurl" and address and (m := _REPOSITORY.fullmatch(address)):
            return m[1]
    value = fields.get("repository") or fields.get("repo")
    named = say(value, "nameWithOwner", "full_name", "fullName", "url", "html_url")
    if not named and isinstance(value, dict):
        owner = say(value.get("owner"), "login")
        named = f"{owner}/{say(value, 'name')}" if owner else ""
    m = _REPOSITORY.fullmatch(named.strip()) if named else None
    return m[1] if m else ""


def _name(repository: str, number: str) -> str:
    """``owner/repo#12``; the number alone where nothing says of which repository."""
    return f"{repository}#{number}" if repository else number


def reference(value: Any, repository: str) -> str:
    """The id of an issue given as an object, an address, ``owner/repo#12``, ``#12`` or 12; else nothing."""
    if isinstance(value, dict):
        number = text(value.get("number"))
        fields = {name: v for name, v in keyed(value).items() if name != "parentissueurl"}
        if number:
            return _name(_repository(fields) or repository, number)
        return reference(say(value, "html_url", "url"), repository)
    said = text(value).strip()
    if m := _URL.match(said):
        return f"{m[1]}#{m[3]}"
    if m := _REFERENCE.fullmatch(said):
        return _name(m[1] or repository, m[2])
    return ""


def _read(source: Source, intake: Intake) -> Iterator[Entry]:
    yield from entries(flatten(single(source.documents)), GITHUB, _KNOWN, intake)


def _certainty(source: Source) -> float:
    return 0.9 if source.kind == "json" and find(single(source.documents), is_issue, first=True) else 0.0


GITHUB = DocumentReader(name="github", system="GitHub", certainty=_certainty, read=_read, states=_STATES)


# --------------------------------------------------------------------------------------------------------------- CSV


def _open(source: Source) -> Table | None:
    """A table that scripts make of issues, with the same cells as the JSON would have."""
    if not is_table(source, "number", "title", _MARKS):
        return None
    opened = read_sheet(source)
    items: list[tuple[int, Item | str]] = []
    for number, row in opened.rows:
        record = {h: c for h, c in zip(opened.header, row, strict=True) if not blank(c)}
        items.append((number, _issue(record, _fields(record) if is_issue(record) else None)))
    return tabulate(source, items, opened.rejections)


GITHUB_CSV = Reader(
    name="github-csv",
    system="GitHub",
    open=_open,
    propose=lambda opened: proposed(opened, _KNOWN),
    certainty=lambda opened, _: 0.8 if opened.header else 0.0,
    states=_STATES,
)
