"""Jira REST JSON: one page, pages in a list or one after another, a bare list of issues, or issues in wrappers.

Fields are known by their keys, which are the same in every language; custom fields by ``names`` (``expand=names``), by
what they hold (sprints of Cloud and Server, an epic's key), or by the mapping. The changelog, where it is there, says
when work really began and ended.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from throttle.ingest.intake import Intake
from throttle.ingest.jira_fields import cut_short, finish, key_of, meaning_by_verbs, put_custom, sprints, texts_of
from throttle.ingest.readers import DocumentReader
from throttle.ingest.records import Entry, Step, Ticket, Tie
from throttle.ingest.source import Source
from throttle.ingest.values import fold
from throttle.ingest.words import EPICS
from throttle_models import Column, ColumnMeaning

C = Column

_CUSTOM = re.compile(r"customfield_\d+")
_NAMED = {
    "summary": (C.TITLE, "title"),
    "issuetype": (C.TYPE, "type"),
    "status": (C.STATUS, "status"),
    "resolution": (C.RESOLUTION, "resolution"),
    "priority": (C.PRIORITY, "priority"),
}
_MOMENTS = {
    "created": C.CREATED,
    "updated": C.UPDATED,
    "resolutiondate": C.FINISHED,
    "statuscategorychangedate": C.CATEGORY_CHANGED,
    "lastViewed": C.VIEWED,
}
_SECONDS = {
    "timeoriginalestimate": (C.ORIGINAL_ESTIMATE, "originalEstimateSeconds"),
    "timeestimate": (C.REMAINING_ESTIMATE, "remainingEstimateSeconds"),
    "timespent": (C.TIME_SPENT, "timeSpentSeconds"),
}
_WRAPPERS = ("issues", "data", "issue", "result", "values", "items")


def _issues(documents: list[Any]) -> Iterator[tuple[Any, dict[str, str]]]:
    """(issue or what stands in its place, names of custom fields), in the order of the file."""
    stack: list[tuple[Any, dict[str, str]]] = [(document, {}) for document in reversed(documents)]
    while stack:
        content, names = stack.pop()
        if isinstance(content, list):
            stack += [(one, names) for one in reversed(content)]
            continue
        if isinstance(content, dict) and not isinstance(content.get("fields"), dict):
            inner = next((content[k] for k in _WRAPPERS if isinstance(content.get(k), list | dict)), None)
            if inner is not None:
                own = content.get("names")
                stack.append((inner, own if isinstance(own, dict) else names))
                continue
        own = content.get("names") if isinstance(content, dict) else None
        yield content, own if isinstance(own, dict) else names


def _certainty(source: Source) -> float:
    if source.kind != "json":
        return 0.0
    seen = found = 0
    for issue, _ in _issues(source.documents):
        seen += 1
        found += _is_issue(issue)
        if seen == 50:
            break
    if not seen and any(isinstance(d, dict) and isinstance(d.get("issues"), list) for d in source.documents):
        return 0.6  # a page without issues
    return 0.5 + 0.48 * found / seen if found else 0.0


def _is_issue(issue: Any) -> bool:
    return isinstance(issue, dict) and isinstance(issue.get("fields"), dict) and bool(key_of(issue.get("key")))


def _read(source: Source, intake: Intake) -> Iterator[Entry]:
    documents = source.documents
    epic_link = _epic_link(documents)
    children: dict[str, str] = {}
    tickets: list[Ticket] = []
    entries: list[Entry] = []
    for row, (issue, names) in enumerate(_issues(documents), 1):
        if not isinstance(issue, dict) or not isinstance(issue.get("fields"), dict):
            entries.append(intake.reject(row, "is no issue with fields"))
        elif not key_of(issue.get("key")):
            entries.append(intake.reject(row, "holds no issue key such as ABC-12", "key"))
        else:
            ticket = _ticket(issue, issue["fields"], names, row, intake, epic_link)
            tickets.append(ticket)
            entries.append(ticket)
            for part in _listed(issue["fields"].get("subtasks")):
                if child := key_of(part.get("key")):
                    children.setdefault(child, ticket.id)
    for ticket in tickets:
        if not ticket.parents and ticket.id in children:
            ticket.parents = [children[ticket.id]]
    _tell_truncation(documents, {ticket.id for ticket in tickets}, intake)
    yield from entries


def _tell_truncation(documents: list[Any], keys: set[str], intake: Intake) -> None:
    """Pages say how many issues there are, or that there are more pages."""
    pages = [page for d in documents for page in (d if isinstance(d, list) else [d]) if isinstance(page, dict)]
    totals = [page["total"] for page in pages if isinstance(page.get("total"), int) and "issues" in page]
    if totals:
        cut_short(intake, len(keys), max(totals))
    elif pages and "issues" in pages[-1] and (pages[-1].get("isLast") is False or pages[-1].get("nextPageToken")):
        intake.warn("truncated-pages", "says itself that there are more pages; give all of them together")


def _epic_link(documents: list[Any]) -> str | None:
    """The custom field of epic links where no names are given: whose texts are all keys of epics in the file."""
    epics: set[str] = set()
    held: dict[str, Counter[bool]] = {}
    values: dict[str, list[str]] = {}
    for issue, _ in _issues(documents):
        if not _is_issue(issue):
            continue
        fields = issue["fields"]
        kind = fields.get("issuetype")
        if isinstance(kind, dict) and fold(str(kind.get("name", ""))) in EPICS:
            epics.add(issue["key"].strip())
        for id, value in fields.items():
            if value is not None and _CUSTOM.fullmatch(id):
                key = key_of(value)
                held.setdefault(id, Counter())[bool(key)] += 1
                if key:
                    values.setdefault(id, []).append(key)
    found = [id for id, keys in values.items() if not held[id][False] and any(key in epics for key in keys)]
    return found[0] if len(found) == 1 else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _ticket(
    issue: dict[str, Any], fields: dict[str, Any], names: dict[str, str], row: int, intake: Intake,
    epic_link: str | None,
) -> Ticket:  # fmt: skip
    ticket = Ticket(issue["key"].strip(), intake.file, row, JIRA_JSON)
    if isinstance(issue.get("id"), str | int):
        ticket.aliases = [str(issue["id"])]
    for name, (means, attribute) in _NAMED.items():
        if found := texts_of(fields.get(name)):
            intake.saw(name, means)
            setattr(ticket, attribute, found[0].strip())
    ticket.category = str(_object(_object(fields.get("status")).get("statusCategory")).get("key") or "")
    if _object(fields.get("issuetype")).get("subtask") is True and not ticket.type:
        ticket.type = "Sub-task"
    project = _object(fields.get("project"))
    ticket.project, ticket.project_title = str(project.get("key") or ""), str(project.get("name") or "")
    _put_people(ticket, fields.get("assignee"), intake)
    for name, means in _MOMENTS.items():
        if fields.get(name) is not None:
            intake.fill(ticket, means, texts_of(fields[name]), name)
    for name, means in (("duedate", C.DUE), ("issuelinks", C.LINK)):
        if name in fields and name not in intake.columns:
            intake.columns[name] = ColumnMeaning(means=means, evidence="field known")  # blank, it says so
    intake.fill(ticket, C.DUE, texts_of(fields.get("duedate")), "duedate")
    tracking = _object(fields.get("timetracking"))
    for name, (means, other) in _SECONDS.items():
        value = fields.get(name)
        if value is None:
            value = tracking.get(other)
        if value is not None:
            intake.fill(ticket, means, texts_of(value), name, "s")
    if ticket.spent is None:
        logs = _listed(_object(fields.get("worklog")).get("worklogs"))
        spent = [one["timeSpentSeconds"] for one in logs if _number(one, "timeSpentSeconds")]
        ticket.spent = sum(spent) / 60 if spent else None
    intake.fill(ticket, C.COMPONENT, texts_of(fields.get("components")), "components")
    intake.fill(ticket, C.LABEL, texts_of(fields.get("labels")), "labels")
    parent = _object(fields.get("parent"))
    ticket.parents = [str(parent[k]) for k in ("key", "id") if isinstance(parent.get(k), str | int)]
    for link in _listed(fields.get("issuelinks")):
        if (tie := _tie(link)) is not None:
            intake.saw("issuelinks", C.LINK)
            ticket.links.append(tie)
    for id, value in fields.items():
        if id == epic_link and id not in names:
            intake.saw(id, C.PARENT, "every value is the key of an epic")
            ticket.parents.append(key_of(value))
        elif _CUSTOM.fullmatch(id):
            put_custom(intake, ticket, id, str(names.get(id) or ""), value)
        elif id in ("sprint", "closedSprints") and not ticket.sprint and (found_sprints := sprints(value)):
            ticket.sprint = found_sprints[-1].get("name", "")
        elif id not in _READ and intake.custom(id) is not None:
            put_custom(intake, ticket, id, "", value)
    ticket.history = list(_steps(issue.get("changelog"), row, intake))
    return finish(ticket)


_READ = frozenset(
    {*_NAMED, *_MOMENTS, *_SECONDS, "duedate", "timetracking", "components", "labels", "parent", "issuelinks"}
)


def _number(one: dict[str, Any], key: str) -> bool:
    value = one.get(key)
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _put_people(ticket: Ticket, who: Any, intake: Intake) -> None:
    """The assignee's name and account id; an address is never taken for a name."""
    if not isinstance(who, dict):
        return
    account = next((str(who[k]) for k in ("accountId", "key", "name") if isinstance(who.get(k), str | int)), "")
    shown = str(who.get("displayName") or who.get("name") or "")
    intake.fill(ticket, C.ASSIGNEE, shown or account, "assignee")
    if ticket.assignee:
        intake.fill(ticket, C.ASSIGNEE_ID, account, "assignee")


def _tie(link: dict[str, Any]) -> Tie | None:
    """With ``outwardIssue`` K it reads "I {type.outward} K", with ``inwardIssue`` K "I {type.inward} K"."""
    kind = link.get("type")
    if not isinstance(kind, dict):
        kind = {"name": kind} if isinstance(kind, str) else {}
    for end, outward in (("outwardIssue", True), ("inwardIssue", False)):
        other = link.get(end)
        if not isinstance(other, dict) or not key_of(other.get("key")):
            continue
        fields = _object(other.get("fields"))
        status = _object(fields.get("status"))
        category = _object(status.get("statusCategory"))
        name = str(kind.get("name") or kind.get("outward") or "link")
        return Tie(
            key_of(other["key"]),
            outward,
            name,
            f"issuelinks ({name})",
            meaning_by_verbs(str(kind.get("outward") or ""), str(kind.get("inward") or "")),
            title=str(fields.get("summary") or ""),
            status=str(status.get("name") or ""),
            category=str(category.get("key") or ""),
        )
    return None


def _steps(changelog: Any, row: int, intake: Intake) -> Iterator[Step]:
    """Changes of status and assignee, oldest first."""
    found = []
    histories = changelog.get("histories", changelog.get("values")) if isinstance(changelog, dict) else changelog
    for history in _listed(histories):
        items = [i for i in _listed(history.get("items")) if i.get("field") in ("status", "assignee")]
        if not items:
            continue
        at = intake.moment(history.get("created"), "changelog", row)
        for item in items if at is not None else ():
            before, after = (str(item.get(k) or "") for k in ("fromString", "toString"))
            found.append(Step(at, item["field"], before, after))  # type: ignore[arg-type]
    yield from sorted(found, key=lambda step: step.at)


JIRA_JSON = DocumentReader(name="jira-json", system="Jira", certainty=_certainty, read=_read)
