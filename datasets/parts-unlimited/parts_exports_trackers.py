"""Parts Unlimited as other trackers would export it: all its work, changes included, in one file of each format.

Small enough to be written when it is needed; none of these files is committed. To add a format: a function that writes
it, and a line of :data:`FORMS` that says what the format can carry.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from parts_exports import OVER, PRIORITIES, Issue, component, jira_issues
from parts_exports_jira import jira_json, jira_rss
from parts_organisation import EXTERNAL, ZONE, Dice, able

from throttle_models import LinkType, Portfolio, Status, When

# ruff: noqa: SIM905 - lists of headers read better unquoted
Rows = list[dict[str, str]]
REPOSITORY = "parts-unlimited/work"


@dataclass(frozen=True)
class Job:
    """One ticket, whatever the tracker."""

    at: int
    """Its number, from 1."""
    key: str
    title: str
    kind: str
    project: str
    status: Status
    parent: str | None
    original: float | None
    """Hours, as are ``left`` and ``spent``; containers have none."""
    left: float | None
    spent: float | None
    who: str | None
    """Name of the assignee."""
    component: str
    priority: str
    created: datetime
    started: datetime | None
    finished: datetime | None
    updated: datetime
    waits_for: tuple[tuple[str, LinkType], ...] = ()
    blocks: tuple[tuple[str, LinkType], ...] = field(default=(), compare=False)

    @property
    def done(self) -> bool:
        return self.status in OVER


def jobs(portfolio: Portfolio, seed: int) -> list[Job]:
    """Every ticket that a tracker would hold, in the order of creation; milestones are no tickets."""
    dice = Dice(f"trackers {seed}")
    issues = jira_issues(portfolio, dice)
    for key, item in portfolio.work.items():
        if item.change is not None:
            hours = max((n.effort.likely for n in item.needs if n.effort), default=timedelta()) / timedelta(hours=1)
            alone = next((found[0] for n in item.needs if len(found := able(portfolio, n)) == 1), None)
            done = item.status in OVER
            issues[key] = Issue(
                key, item.title, item, item.needs[:1], "Change", item.parent, (), hours,
                0.0 if done else hours, hours if done else None, alone,
            )  # fmt: skip
    order = sorted(issues.values(), key=lambda issue: (_moment(issue.item.created), issue.key))
    known = {issue.key for issue in order} | set(EXTERNAL)
    waits = {
        issue.key: tuple((link.item, link.type) for link in issue.item.after if link.item in known)
        for issue in order
        if issue.kind != "Sub-task"
    }
    blocked: dict[str, list[tuple[str, LinkType]]] = {}
    for key, links in waits.items():
        for other, type_ in links:
            blocked.setdefault(other, []).append((key, type_))
    made = []
    for at, issue in enumerate(order, 1):
        item = issue.item
        prefix = issue.key.partition("-")[0] if "-" in issue.key else "CHG"
        created = _moment(item.created)
        finished = _moment(item.finished) if item.finished else None
        started = _moment(item.started) if item.started else None
        made.append(
            Job(
                at=at,
                key=issue.key,
                title=issue.title,
                kind=issue.kind,
                project=prefix,
                status=item.status,
                parent=issue.parent if issue.parent in issues else None,
                original=None if issue.parts else issue.original,
                left=None if issue.parts else issue.left,
                spent=None if issue.parts else issue.spent,
                who=portfolio.people[issue.assignee].name if issue.assignee else None,
                component=component(issue.needs[0]) if issue.needs else "",
                priority=PRIORITIES.get(prefix, "Low"),
                created=created,
                started=started,
                finished=finished,
                updated=max(filter(None, (created, started, finished))),
                waits_for=waits.get(issue.key, ()),
                blocks=tuple(blocked.get(issue.key, ())),
            )
        )
    return made


def _moment(when: When | None) -> datetime:
    assert when is not None
    return datetime.fromisoformat(when.text).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _digits(key: str) -> int:
    return int("".join(c for c in key if c.isdigit()))


def _long(key: str, letters: str = "0123456789abcdef", length: int = 24) -> str:
    """Digits or letters that stand for a key."""
    number = int(hashlib.md5(key.encode(), usedforsecurity=False).hexdigest(), 16)
    made = ""
    for _ in range(length):
        number, at = divmod(number, len(letters))
        made += letters[at]
    return made


Ids = dict[str, str]
"""Key to the id in the format, vendors' tickets included."""
Writer = Callable[[Sequence[Job], Ids], bytes]


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _csv(header: Sequence[str], rows: Rows, *, delimiter: str = ",", encoding: str = "utf-8", end: str = "\n") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, header, delimiter=delimiter, lineterminator=end, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def _others(job: Job, *types: str, both: bool = True) -> tuple[list[str], list[str]]:
    """Keys of what the job waits for and of what it blocks; some trackers state a link from one end alone."""
    wanted = types or ("FS",)
    return (
        [key for key, type_ in job.waits_for if type_.value in wanted],
        [key for key, type_ in job.blocks if type_.value in wanted] if both else [],
    )


# ------------------------------------------------------------------------------------------------------------- GitHub

_LOGIN = str.maketrans(" ", "-")


def _github_labels(job: Job) -> list[str]:
    labels = ["bug"] if job.kind in ("Bug", "Incident") else [f"type: {job.kind.lower()}"]
    labels += ["status: in progress"] if job.status == Status.IN_PROGRESS else []
    return [*labels, f"priority: {job.priority.lower()}", *([job.component] if job.component else [])]


def _github_number(job: Job, ids: Ids) -> int:
    return int(ids[job.key].rpartition("#")[2])


def _github_node(key: str, ids: Ids, by_key: dict[str, Job]) -> dict[str, Any]:
    repository, _, number = ids[key].rpartition("#")
    done = by_key[key].done if key in by_key else False
    return {
        "number": int(number),
        "title": by_key[key].title if key in by_key else "Vendor's ticket",
        "state": "CLOSED" if done else "OPEN",
        "url": f"https://github.com/{repository}/issues/{number}",
    }


def _github_state(job: Job) -> dict[str, Any]:
    reason = "" if not job.done else "COMPLETED" if job.status == Status.DONE else "NOT_PLANNED"
    return {"state": "CLOSED" if job.done else "OPEN", "stateReason": reason, "closedAt": _iso(job.finished)}


def github_gh(work: Sequence[Job], ids: Ids) -> bytes:
    """``gh issue list --json ...``: a bare array; relations as connections, which newer versions have."""
    by_key = {job.key: job for job in work}
    found = []
    for job in reversed(work):
        waits, blocks = ([_github_node(k, ids, by_key) for k in keys] for keys in _others(job))
        found.append(
            {
                "number": _github_number(job, ids),
                "title": job.title,
                **_github_state(job),
                "url": f"https://github.com/{REPOSITORY}/issues/{job.at}",
                "assignees": [{"login": job.who.translate(_LOGIN), "name": job.who}] if job.who else [],
                "labels": [{"name": label, "color": "ededed"} for label in _github_labels(job)],
                "createdAt": _iso(job.created),
                "updatedAt": _iso(job.updated),
                "milestone": None,
                "parent": _github_node(job.parent, ids, by_key) if job.parent else None,
                "blockedBy": {"nodes": waits, "totalCount": len(waits)},
                "blocking": {"nodes": blocks, "totalCount": len(blocks)},
            }
        )
    return _json(found)


def github_rest(work: Sequence[Job], ids: Ids) -> bytes:
    """REST in pages of 100, one document after another, with pull requests; the blockers put in by a script."""
    pages, page = [], []
    by_key = {job.key: job for job in work}
    for job in work:
        waits, blocks = _others(job)
        record: dict[str, Any] = {
            "url": f"https://api.github.com/repos/{REPOSITORY}/issues/{job.at}",
            "html_url": f"https://github.com/{REPOSITORY}/issues/{job.at}",
            "repository_url": f"https://api.github.com/repos/{REPOSITORY}",
            "number": job.at,
            "title": job.title,
            "state": "closed" if job.done else "open",
            "state_reason": None if not job.done else "completed" if job.status == Status.DONE else "not_planned",
            "labels": [{"name": label} for label in _github_labels(job)],
            "assignee": None,
            "assignees": [{"login": job.who.translate(_LOGIN)}] if job.who else [],
            "created_at": _iso(job.created),
            "updated_at": _iso(job.updated),
            "closed_at": _iso(job.finished),
            "issue_dependencies_summary": {"total_blocked_by": len(waits), "total_blocking": len(blocks)},
            "blocked_by": [_github_node(key, ids, by_key) | {"state": "open"} for key in waits],
            "blocking": [_github_node(key, ids, by_key) for key in blocks],
            "body": "Not read",
        }
        if job.parent:
            record["parent_issue_url"] = f"https://api.github.com/repos/{REPOSITORY}/issues/{_number(job.parent, ids)}"
        page.append(record)
        if len(page) == 99:
            pull = {"number": 900_000 + len(pages), "title": "A change of code", "state": "open", "labels": []}
            pages.append([*page, pull | {"pull_request": {"url": "https://api.github.com/x"}}])
            page = []
    return b"\n".join(_json(part) for part in [*pages, page])


def _number(key: str, ids: Ids) -> int:
    return int(ids[key].rpartition("#")[2])


def github_graphql(work: Sequence[Job], ids: Ids) -> bytes:
    """``gh api graphql --paginate``: connections in pages."""
    by_key = {job.key: job for job in work}
    pages = []
    for first in range(0, len(work), 100):
        nodes = []
        for job in work[first : first + 100]:
            waits, _ = _others(job)
            parts = [other.key for other in work if other.parent == job.key]
            nodes.append(
                {
                    "number": job.at,
                    "title": job.title,
                    "url": f"https://github.com/{REPOSITORY}/issues/{job.at}",
                    **_github_state(job),
                    "createdAt": _iso(job.created),
                    "updatedAt": _iso(job.updated),
                    "labels": {"nodes": [{"name": label} for label in _github_labels(job)]},
                    "assignees": {"nodes": [{"login": job.who.translate(_LOGIN)}] if job.who else []},
                    "blockedBy": {"nodes": [_github_node(key, ids, by_key) for key in waits]},
                    "subIssues": {"nodes": [_github_node(key, ids, by_key) for key in parts]},
                }
            )
        more = first + 100 < len(work)
        page = {"nodes": nodes, "pageInfo": {"hasNextPage": more, "endCursor": str(first)}}
        pages.append({"data": {"repository": {"nameWithOwner": REPOSITORY, "issues": page}}})
    return b"".join(_json(page) for page in pages)


_BOARD = {Status.OPEN: "Todo", Status.IN_PROGRESS: "In Progress", Status.DONE: "Done", Status.CANCELLED: "Cancelled"}


def github_project(work: Sequence[Job], ids: Ids) -> bytes:
    """``gh project item-list --format json``: fields in lower case, numbers without a unit; no links."""
    items = [
        {
            "id": f"PVTI_{job.at:05d}",
            "content": {
                "type": "Issue",
                "number": _github_number(job, ids),
                "repository": REPOSITORY,
                "title": job.title,
                "url": f"https://github.com/{REPOSITORY}/issues/{job.at}",
                "body": "Not read",
            },
            "title": job.title,
            "status": _BOARD[job.status],
            "labels": _github_labels(job),
            "repository": f"https://github.com/{REPOSITORY}",
            **({"assignees": [job.who.translate(_LOGIN)]} if job.who else {}),
            **({"estimate": job.original} if job.original is not None else {}),
        }
        for job in work
    ]
    return _json({"items": items, "totalCount": len(items)})


# ------------------------------------------------------------------------------------------------------- Azure DevOps

_AZURE_TYPES = {"Epic": "Epic", "Story": "User Story", "Bug": "Bug", "Incident": "Issue", "Sub-task": "Task"}
_AZURE_STATES = {
    Status.OPEN: "New",
    Status.IN_PROGRESS: "Active",
    Status.DONE: "Closed",
    Status.CANCELLED: "Removed",
}
_AZURE_PRIORITY = {"Highest": 1, "High": 2, "Medium": 3, "Low": 4, "Lowest": 4}


def _in_tree(work: Sequence[Job]) -> list[tuple[int, Job]]:
    """(depth from 1, job), parts under what contains them."""
    parts: dict[str | None, list[Job]] = {}
    for job in work:
        parts.setdefault(job.parent, []).append(job)
    found: list[tuple[int, Job]] = []
    stack = [(1, job) for job in reversed(parts.get(None, []))]
    while stack:
        depth, job = stack.pop()
        found.append((depth, job))
        stack += [(depth + 1, part) for part in reversed(parts.get(job.key, []))]
    return found


def azure_csv(work: Sequence[Job], ids: Ids) -> bytes:
    """A tree query: UTF-8 with a mark, the depth of the title is the hierarchy, dates as an American writes them."""
    tree = _in_tree(work)
    titles = [f"Title {depth}" for depth in range(1, max(depth for depth, _ in tree) + 1)]
    header = ["ID", "Work Item Type", *titles, "Assigned To", "State", "Tags", "Priority", "Created Date"]
    header += ["Changed Date", "Closed Date", "Original Estimate", "Remaining Work", "Completed Work", "Area Path"]
    rows = [
        {
            "ID": ids[job.key],
            "Work Item Type": _AZURE_TYPES.get(job.kind, "Task"),
            f"Title {depth}": job.title,
            "Assigned To": f"{job.who} <{_account(job.who)}>" if job.who else "",
            "State": _AZURE_STATES[job.status],
            "Tags": "; ".join(filter(None, (job.project.lower(), job.component))),
            "Priority": str(_AZURE_PRIORITY[job.priority]),
            "Created Date": _american(job.created),
            "Changed Date": _american(job.updated),
            "Closed Date": _american(job.finished),
            **{
                name: "" if hours is None else f"{hours:g}"
                for name, hours in (
                    ("Original Estimate", job.original),
                    ("Remaining Work", job.left),
                    ("Completed Work", job.spent),
                )
            },
            "Area Path": f"Parts Unlimited\\{job.project}",
        }
        for depth, job in tree
    ]
    return _csv(header, rows, encoding="utf-8-sig", end="\r\n")


def _account(name: str) -> str:
    return "".join(c for c in name.lower() if c.isascii() and c.isalpha()) + "@parts-unlimited.example"


def _american(moment: datetime | None) -> str:
    if moment is None:
        return ""
    local = moment.astimezone(ZoneInfo(ZONE))
    half = "AM" if local.hour < 12 else "PM"
    return f"{local.month}/{local.day}/{local.year} {local.hour % 12 or 12}:{local:%M:%S} {half}"


def azure_json(work: Sequence[Job], ids: Ids) -> bytes:
    """``workitems?ids=...&$expand=all`` in batches of 200, each link stated from both ends."""
    home = "https://dev.azure.com/parts-unlimited/_apis/wit/workItems/"
    names = {"waits": "System.LinkTypes.Dependency-Reverse", "blocks": "System.LinkTypes.Dependency-Forward"}
    items = []
    for job in work:
        waits, blocks = _others(job)
        relations = [{"rel": names["waits"], "url": home + ids[key]} for key in waits]
        relations += [{"rel": names["blocks"], "url": home + ids[key]} for key in blocks]
        if job.parent:
            relations.append({"rel": "System.LinkTypes.Hierarchy-Reverse", "url": home + ids[job.parent]})
        relations.append({"rel": "AttachedFile", "url": "https://dev.azure.com/parts-unlimited/x/7"})
        fields: dict[str, Any] = {
            "System.Id": int(ids[job.key]),
            "System.TeamProject": "Parts Unlimited",
            "System.AreaPath": f"Parts Unlimited\\{job.project}",
            "System.WorkItemType": _AZURE_TYPES.get(job.kind, "Task"),
            "System.State": _AZURE_STATES[job.status],
            "System.Title": job.title,
            "System.CreatedDate": _iso(job.created),
            "System.ChangedDate": _iso(job.updated),
            "Microsoft.VSTS.Common.Priority": _AZURE_PRIORITY[job.priority],
            "System.Tags": "; ".join(filter(None, (job.project.lower(), job.component))),
        }
        if job.who:
            fields["System.AssignedTo"] = {"displayName": job.who, "uniqueName": _account(job.who)}
        for name, hours in (
            ("OriginalEstimate", job.original),
            ("RemainingWork", job.left),
            ("CompletedWork", job.spent),
        ):
            if hours is not None:
                fields[f"Microsoft.VSTS.Scheduling.{name}"] = hours
        if job.started:
            fields["Microsoft.VSTS.Common.ActivatedDate"] = _iso(job.started)
        if job.finished:
            fields["Microsoft.VSTS.Common.ClosedDate"] = _iso(job.finished)
        url = home + ids[job.key]
        items.append({"id": int(ids[job.key]), "rev": 3, "fields": fields, "relations": relations, "url": url})
    batches = [items[at : at + 200] for at in range(0, len(items), 200)]
    return _json([{"count": len(batch), "value": batch} for batch in batches])


# ------------------------------------------------------------------------------------------------------------- GitLab


def _gitlab_labels(job: Job) -> list[str]:
    doing = ["workflow::in dev"] if job.status == Status.IN_PROGRESS else []
    dropped = ["workflow::cancelled"] if job.status == Status.CANCELLED else []
    kind = ["bug"] if job.kind in ("Bug", "Incident") else []
    return sorted([*doing, *dropped, *kind, f"priority::{job.priority.lower()}", *filter(None, [job.component])])


def gitlab_csv(work: Sequence[Job], ids: Ids) -> bytes:
    """As it is sent by e-mail: no links; 0 where there is no estimate."""
    header = [
        "Title",
        "Description",
        "Issue ID",
        "URL",
        "State",
        "Author",
        "Author Username",
        "Assignee",
        "Assignee Username",
        "Confidential",
        "Locked",
        "Due Date",
        "Created At (UTC)",
        "Updated At (UTC)",
        "Closed At (UTC)",
        "Milestone",
        "Weight",
        "Labels",
        "Time Estimate",
        "Time Spent",
        "Epic ID",
        "Epic Title",
        "IID",
        "Type",
        "Start Date",
        "Parent IID",
    ]
    rows = [
        {
            "Title": job.title,
            "Description": "Not read",
            "Issue ID": str(job.at),
            "IID": str(job.at),
            "URL": f"https://gitlab.example/{REPOSITORY}/-/issues/{job.at}",
            "State": "Closed" if job.done else "Open",
            "Author": "Patty McKee",
            "Author Username": "pmckee",
            "Assignee": job.who or "",
            "Assignee Username": _account(job.who).partition("@")[0] if job.who else "",
            "Confidential": "No",
            "Locked": "No",
            "Created At (UTC)": f"{job.created:%Y-%m-%d %H:%M:%S}",
            "Updated At (UTC)": f"{job.updated:%Y-%m-%d %H:%M:%S}",
            "Closed At (UTC)": f"{job.finished:%Y-%m-%d %H:%M:%S}" if job.finished else "",
            "Labels": ",".join(_gitlab_labels(job)),
            "Time Estimate": str(round(3600 * (job.original or 0))),
            "Time Spent": str(round(3600 * (job.spent or 0))),
            "Type": "Issue",
            "Parent IID": str(_number(job.parent, ids)) if job.parent else "",
        }
        for job in work
    ]
    return _csv(header, rows)


def gitlab_json(work: Sequence[Job], ids: Ids) -> bytes:
    """REST, with the answers of ``/links`` in each issue; a link is named as it is seen from there."""
    found = []
    for job in work:
        waits, blocks = _others(job)
        links = [(key, "is_blocked_by") for key in waits] + [(key, "blocks") for key in blocks]
        found.append(
            {
                "id": 70_000 + job.at,
                "iid": job.at,
                "project_id": 9,
                "title": job.title,
                "description": "Not read",
                "state": "closed" if job.done else "opened",
                "type": "ISSUE",
                "labels": _gitlab_labels(job),
                "assignees": [{"id": 5, "name": job.who, "username": _account(job.who).partition("@")[0]}]
                if job.who
                else [],
                "created_at": _iso(job.created),
                "updated_at": _iso(job.updated),
                "closed_at": _iso(job.finished),
                "due_date": None,
                "weight": None,
                "time_stats": {
                    "time_estimate": round(3600 * (job.original or 0)),
                    "total_time_spent": round(3600 * (job.spent or 0)),
                },
                "web_url": f"https://gitlab.example/{REPOSITORY}/-/issues/{job.at}",
                "references": {"short": f"#{job.at}", "relative": f"#{job.at}", "full": ids[job.key]},
                "parent": {"iid": _number(job.parent, ids)} if job.parent else None,
                "links": [
                    {
                        "iid": _number(key, ids),
                        "title": "x",
                        "state": "opened",
                        "link_type": kind,
                        "references": {"full": ids[key]},
                    }
                    for key, kind in links
                ],
            }
        )
    return _json(found)


# ------------------------------------------------------------------------------------------------------------- Linear

_LINEAR_HEADER = [
    "ID",
    "Team",
    "Title",
    "Description",
    "Status",
    "Estimate",
    "Priority",
    "Project ID",
    "Project",
    "Creator",
    "Assignee",
    "Labels",
    "Cycle Number",
    "Cycle Name",
    "Cycle Start",
    "Cycle End",
    "Created",
    "Updated",
    "Started",
    "Triaged",
    "Completed",
    "Canceled",
    "Archived",
    "Due Date",
    "Parent issue",
    "Initiatives",
    "Project Milestone ID",
    "Project Milestone",
    "SLA Status",
    "UUID",
    "Time in status (minutes)",
    "Related to",
    "Blocked by",
    "Duplicate of",
]
_LINEAR_PRIORITY = {"Highest": "Urgent", "Lowest": "Low"}


def linear_csv(work: Sequence[Job], ids: Ids) -> bytes:
    """The widest of Linear's exports, with dates as JavaScript writes them."""
    rows = []
    for job in work:
        done = job.finished if job.status == Status.DONE else None
        rows.append(
            {
                "ID": ids[job.key],
                "Team": job.project,
                "Title": job.title,
                "Description": "Not read",
                "Status": {"open": "Todo", "in-progress": "Cooking", "done": "Shipped"}.get(
                    job.status.value, "Canceled"
                ),
                "Estimate": "" if job.original is None else f"{job.original:g}",
                "Priority": _LINEAR_PRIORITY.get(job.priority, job.priority),
                "Creator": "patty@parts-unlimited.example",
                "Assignee": _account(job.who) if job.who else "",
                "Labels": ", ".join(filter(None, ("Bug" if job.kind == "Bug" else "", job.component))),
                "Created": _javascript(job.created),
                "Updated": _javascript(job.updated),
                "Started": _javascript(job.started),
                "Completed": _javascript(done),
                "Canceled": _javascript(job.finished) if job.status == Status.CANCELLED else "",
                "Parent issue": ids[job.parent] if job.parent else "",
                "UUID": _long(job.key),
                "Blocked by": ", ".join(ids[key] for key in _others(job)[0]),
            }
        )
    return _csv(_LINEAR_HEADER, rows)


def _javascript(moment: datetime | None) -> str:
    days, months = (
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        ("Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec").split(","),
    )
    if moment is None:
        return ""
    day = f"{days[moment.weekday()]} {months[moment.month - 1]} {moment:%d %Y %H:%M:%S}"
    return f"{day} GMT+0000 (GMT+00:00)"


# -------------------------------------------------------------------------------------------------------------- Asana


def _asana_names(work: Sequence[Job]) -> dict[str, str]:
    """Names of their own, since the CSV knows tasks by name alone."""
    return {job.key: f"{job.title} ({job.key})" for job in work} | {key: f"Vendor: {key}" for key in EXTERNAL}


def asana_csv(work: Sequence[Job], ids: Ids) -> bytes:
    """A project through a spreadsheet: rows above the header; parents and dependencies by name."""
    names = _asana_names(work)
    header = [
        "Task ID",
        "Created At",
        "Completed At",
        "Last Modified",
        "Name",
        "Section/Column",
        "Assignee",
        "Assignee Email",
        "Start Date",
        "Due Date",
        "Tags",
        "Notes",
        "Projects",
        "Parent task",
        "Blocked By (Dependencies)",
        "Blocking (Dependencies)",
        "Priority",
        "Estimated time",
    ]
    rows = [
        {
            "Task ID": ids[job.key],
            "Created At": f"{job.created:%Y-%m-%d}",
            "Completed At": f"{job.finished:%Y-%m-%d}" if job.finished else "",
            "Last Modified": f"{job.updated:%Y-%m-%d}",
            "Name": names[job.key],
            "Section/Column": {"open": "To do", "in-progress": "Doing"}.get(job.status.value, "Done"),
            "Assignee": job.who or "",
            "Assignee Email": _account(job.who) if job.who else "",
            "Tags": job.component,
            "Notes": "Not read,\nnever",
            "Projects": "" if job.parent else "Parts Unlimited",
            "Parent task": names[job.parent] if job.parent else "",
            "Blocked By (Dependencies)": ",".join(names[key] for key in _others(job)[0]),
            "Blocking (Dependencies)": ",".join(names[key] for key in _others(job)[1]),
            "Priority": job.priority,
            "Estimated time": "" if job.original is None else str(round(60 * job.original)),
        }
        for job in work
    ]
    return b",,\n,,https://app.asana.com/-/csv\n,,\n" + _csv(header, rows)


def asana_json(work: Sequence[Job], ids: Ids) -> bytes:
    """The interface's tasks with the fields that are asked for."""
    data = []
    for job in work:
        waits, blocks = _others(job)
        hours = None if job.original is None else round(60 * job.original)
        data.append(
            {
                "gid": ids[job.key],
                "resource_type": "task",
                "resource_subtype": "default_task",
                "name": job.title,
                "notes": "Not read",
                "completed": job.done,
                "completed_at": _iso(job.finished),
                "created_at": _iso(job.created),
                "modified_at": _iso(job.updated),
                "assignee": {"gid": _long(job.who, "0123456789", 16), "name": job.who} if job.who else None,
                "due_on": None,
                "memberships": [
                    {
                        "project": {"gid": "1", "name": "Parts Unlimited"},
                        "section": {
                            "gid": "2",
                            "name": {"open": "To do", "in-progress": "Doing"}.get(job.status.value, "Done"),
                        },
                    }
                ],
                "parent": {"gid": ids[job.parent]} if job.parent else None,
                "tags": [],
                "dependencies": [{"gid": ids[key]} for key in waits],
                "dependents": [{"gid": ids[key]} for key in blocks],
                "custom_fields": [
                    {"gid": "11", "name": "Estimated time", "number_value": hours, "display_value": None},
                    {"gid": "12", "name": "Priority", "enum_value": {"name": job.priority}},
                ],
            }
        )
    return _json({"data": data})


# ------------------------------------------------------------------------------------------------------------- Trello


def trello_json(work: Sequence[Job], ids: Ids) -> bytes:
    """One board: lists are statuses, hours a custom field, other cards attachments; no dependencies."""
    lists = {"To Do": "a" * 24, "Doing": "b" * 24, "Done": "c" * 24, "Cancelled": "d" * 24}
    places = {"open": "To Do", "in-progress": "Doing", "done": "Done", "cancelled": "Cancelled"}
    people = sorted({job.who for job in work if job.who})
    cards = [
        {
            "id": f"{int(job.created.timestamp()):08x}{_long(job.key)[:16]}",
            "shortLink": ids[job.key],
            "idShort": job.at,
            "name": job.title,
            "desc": "Not read",
            "closed": job.status == Status.CANCELLED,
            "idList": lists[places[job.status.value]],
            "idMembers": [_long(job.who)] if job.who else [],
            "labels": [{"id": "x", "name": job.component, "color": "green"}] if job.component else [],
            "due": None,
            "dueComplete": job.status == Status.DONE,
            "dateLastActivity": _iso(job.updated),
            "email": "not-read@boards.example",
            "attachments": [{"url": f"https://trello.com/c/{ids[key]}/1-x"} for key in _others(job)[0]],
            "customFieldItems": []
            if job.original is None
            else [{"idCustomField": "f" * 24, "value": {"number": f"{job.original:g}"}}],
        }
        for job in work
    ]
    return _json(
        {
            "id": "e" * 24,
            "name": "Parts Unlimited",
            "lists": [{"id": id, "name": name, "closed": False} for name, id in lists.items()],
            "cards": cards,
            "members": [{"id": _long(name), "fullName": name, "username": _account(name)[:8]} for name in people],
            "labels": [],
            "checklists": [],
            "customFields": [{"id": "f" * 24, "name": "Hours", "type": "number"}],
            "actions": [
                {
                    "type": "updateCard",
                    "date": _iso(job.finished),
                    "data": {
                        "card": {"id": card["id"]},
                        "listBefore": {"name": "Doing"},
                        "listAfter": {"name": "Done"},
                    },
                }
                for job, card in zip(work, cards, strict=True)
                if job.finished and job.status == Status.DONE
            ][-1000:],
        }
    )


# ----------------------------------------------------------------------------------------------------------- YouTrack

_YOUTRACK_STATES = {"open": "Open", "in-progress": "In Progress", "done": "Fixed", "cancelled": "Won't fix"}


def _epoch(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)


def youtrack_json(work: Sequence[Job], ids: Ids) -> bytes:
    """The interface: milliseconds, minutes, links with the verbs of their two ends."""
    depend = {"name": "Depend", "sourceToTarget": "is required for", "targetToSource": "depends on"}
    part = {"name": "Subtask", "sourceToTarget": "parent for", "targetToSource": "subtask of"}
    relate = {"name": "Relates", "sourceToTarget": "relates to", "targetToSource": ""}
    found = []
    for job in work:
        waits, blocks = _others(job)
        links = [
            ("INWARD", depend, [ids[key] for key in waits]),
            ("OUTWARD", depend, [ids[key] for key in blocks]),
            ("INWARD", part, [ids[job.parent]] if job.parent else []),
            ("BOTH", relate, []),
        ]
        minutes = None if job.original is None else {"minutes": round(60 * job.original), "presentation": "not read"}
        spent = None if job.spent is None else {"minutes": round(60 * job.spent)}
        found.append(
            {
                "id": f"3-{job.at}",
                "idReadable": ids[job.key],
                "summary": job.title,
                "description": "Not read",
                "created": _epoch(job.created),
                "updated": _epoch(job.updated),
                "resolved": _epoch(job.finished),
                "project": {"shortName": ids[job.key].rpartition("-")[0], "name": job.project},
                "tags": [],
                "customFields": [
                    {
                        "name": "State",
                        "value": {"name": _YOUTRACK_STATES[job.status.value], "isResolved": job.done},
                    },
                    {"name": "Type", "value": {"name": job.kind}},
                    {"name": "Priority", "value": {"name": job.priority}},
                    {
                        "name": "Assignee",
                        "value": {"login": _account(job.who), "fullName": job.who} if job.who else None,
                    },
                    {"name": "Subsystem", "value": {"name": job.component} if job.component else None},
                    {"name": "Estimation", "value": minutes},
                    {"name": "Spent time", "value": spent},
                ],
                "links": [
                    {"direction": direction, "linkType": kind, "issues": [{"idReadable": id} for id in others]}
                    for direction, kind, others in links
                ],
            }
        )
    return _json(found)


def youtrack_csv(work: Sequence[Job], ids: Ids) -> bytes:
    """The issue list: periods as they are shown, no links."""
    header = "Issue Id,Project,Tags,Summary,Reporter,Created,Updated,Resolved,Priority,Type,State,Assignee,Subsystem"
    rows = [
        {
            "Issue Id": ids[job.key],
            "Project": job.project,
            "Summary": job.title,
            "Reporter": "Patty McKee",
            "Created": f"{job.created:%Y-%m-%d %H:%M}",
            "Updated": f"{job.updated:%Y-%m-%d %H:%M}",
            "Resolved": f"{job.finished:%Y-%m-%d %H:%M}" if job.finished else "",
            "Priority": job.priority,
            "Type": job.kind,
            "State": _YOUTRACK_STATES[job.status.value],
            "Assignee": job.who or "Unassigned",
            "Subsystem": job.component,
            "Estimation": _period(job.original),
            "Spent time": _period(job.spent),
        }
        for job in work
    ]
    return _csv([*header.split(","), "Estimation", "Spent time"], rows)


def _period(hours: float | None) -> str:
    """``1w 2d 4h 30m``, of weeks of five days of eight hours."""
    if hours is None:
        return ""
    left = round(60 * hours)
    parts = []
    for letter, minutes in (("w", 2400), ("d", 480), ("h", 60), ("m", 1)):
        number, left = divmod(left, minutes)
        parts += [f"{number}{letter}"] if number else []
    return " ".join(parts) or "0m"


# ------------------------------------------------------------------------------------------------------------ Redmine

_REDMINE_STATES = {"open": "New", "in-progress": "In Progress", "done": "Closed", "cancelled": "Rejected"}


def redmine_json(work: Sequence[Job], ids: Ids) -> bytes:
    """The interface with relations, which both issues hold in the same words."""
    issues = []
    relation = 0
    for job in work:
        waits, blocks = _others(job)
        relations = []
        for key in waits:
            relation += 1
            relations.append((ids[key], ids[job.key]))
        relations += [(ids[job.key], ids[key]) for key in blocks]
        record: dict[str, Any] = {
            "id": int(ids[job.key]),
            "project": {"id": 1, "name": job.project},
            "tracker": {"id": 2, "name": job.kind},
            "status": {"id": 3, "name": _REDMINE_STATES[job.status.value], "is_closed": job.done},
            "priority": {"id": 4, "name": job.priority},
            "author": {"id": 5, "name": "Patty McKee"},
            "subject": job.title,
            "description": "Not read",
            "estimated_hours": job.original,
            "spent_hours": job.spent or 0.0,
            "created_on": _iso(job.created),
            "updated_on": _iso(job.updated),
            "closed_on": _iso(job.finished),
            "relations": [
                {"id": 1, "issue_id": int(a), "issue_to_id": int(b), "relation_type": "blocks", "delay": None}
                for a, b in relations
            ],
        }
        if job.parent:
            record["parent"] = {"id": int(ids[job.parent])}
        if job.who:
            record["assigned_to"] = {"id": int(_long(job.who, "123456789", 4)), "name": job.who}
        if job.component:
            record["category"] = {"id": 6, "name": job.component}
        issues.append(record)
    return _json({"issues": issues, "total_count": len(issues), "offset": 0, "limit": len(issues)})


def redmine_csv(work: Sequence[Job], ids: Ids) -> bytes:
    """As a German exports it, in English: semicolons, decimal commas, letters in 8 bits; relations as prose."""
    header = (
        "#,Project,Tracker,Parent task,Status,Priority,Subject,Author,Assignee,Updated,Category,Target version,"
        "Start date,Due date,Estimated time,Spent time,% Done,Created,Closed,Related issues,Private,Description"
    ).split(",")
    rows = []
    for job in work:
        waits, blocks = _others(job)
        prose = [f"Blocked by #{ids[key]}" for key in waits] + [f"Blocks #{ids[key]}" for key in blocks]
        rows.append(
            {
                "#": ids[job.key],
                "Project": job.project,
                "Tracker": job.kind,
                "Parent task": ids[job.parent] if job.parent else "",
                "Status": _REDMINE_STATES[job.status.value],
                "Priority": job.priority,
                "Subject": job.title,
                "Author": "Patty McKee",
                "Assignee": _latin(job.who or ""),
                "Updated": f"{job.updated:%d.%m.%Y %H:%M}",
                "Category": job.component,
                "Estimated time": "" if job.original is None else f"{job.original:.2f}".replace(".", ","),
                "Spent time": f"{job.spent or 0:.2f}".replace(".", ","),
                "% Done": "100" if job.done else "0",
                "Created": f"{job.created:%d.%m.%Y %H:%M}",
                "Closed": f"{job.finished:%d.%m.%Y %H:%M}" if job.finished else "",
                "Related issues": ", ".join(prose),
                "Private": "No",
                "Description": "Not read; für niemanden",
            }
        )
    return _csv(header, rows, delimiter=";", encoding="cp1252")


def _latin(name: str) -> str:
    return name.encode("cp1252", errors="replace").decode("cp1252")


# --------------------------------------------------------------------------------------------------------- AgilePlace

_LANES = {"open": "Backlog", "in-progress": "Doing", "done": "Archive", "cancelled": "Archive"}
_TIMINGS = {"FS": "finishToStart", "SS": "startToStart", "FF": "finishToFinish", "SF": "startToFinish"}


def agileplace_json(work: Sequence[Job], ids: Ids) -> bytes:
    """The interface's cards with the answers about their dependencies; sizes without a unit."""
    numbers = {"Backlog": "501", "Doing": "502", "Archive": "503"}
    status = {"Backlog": "notStarted", "Doing": "started", "Archive": "finished"}
    cards = [
        {
            "id": ids[job.key],
            "title": job.title,
            "laneId": numbers[_LANES[job.status.value]],
            "boardId": "700",
            "board": {"id": "700", "title": "Parts Unlimited"},
            "cardType": {"id": "1", "name": job.kind},
            "customId": {"value": job.key, "prefix": None},
            "assignedUsers": [{"id": _long(job.who, "0123456789", 9), "fullName": job.who}] if job.who else [],
            "plannedStart": None,
            "plannedFinish": None,
            "actualStart": _iso(job.started),
            "actualFinish": _iso(job.finished),
            "createdOn": _iso(job.created),
            "updatedOn": _iso(job.updated),
            "isDone": job.done,
            "size": job.original,
            "priority": {"Highest": "critical", "High": "high", "Medium": "normal"}.get(job.priority, "low"),
            "blockedStatus": {"isBlocked": False, "reason": None},
            "parentCards": [{"cardId": ids[job.parent], "boardId": "700"}] if job.parent else [],
            "tags": [job.component] if job.component else [],
            "dependencies": [
                {"direction": direction, "cardId": ids[key], "timing": _TIMINGS[type_.value]}
                for direction, links in (("incoming", job.waits_for), ("outgoing", job.blocks))
                for key, type_ in links
            ],
        }
        for job in work
    ]
    lanes = [
        {"id": number, "title": name, "laneClassType": "active", "cardStatus": status[name]}
        for name, number in numbers.items()
    ]
    return _json({"lanes": lanes, "pageMeta": {"totalRecords": len(cards)}, "cards": cards})


def agileplace_csv(work: Sequence[Job], ids: Ids) -> bytes:
    """A board: no dependencies."""
    rows = [
        {
            "Card ID": ids[job.key],
            "External Card ID": job.key,
            "Title": job.title,
            "Card Type": job.kind,
            "Lane": _LANES[job.status.value],
            "Board Title": "Parts Unlimited",
            "Assigned Users": job.who or "",
            "Size": "" if job.original is None else f"{job.original:g}",
            "Priority": job.priority,
            "Actual Start Date": _american(job.started),
            "Actual Finish Date": _american(job.finished),
            "Created": _american(job.created),
            "Tags": job.component,
            "Blocked": "No",
            "Parent Card ID": ids[job.parent] if job.parent else "",
        }
        for job in work
    ]
    return _csv(list(rows[0]), rows)


# -------------------------------------------------------------------------------------------------------- plain table


def _plain_rows(work: Sequence[Job], ids: Ids) -> Rows:
    return [
        {
            "Ref": ids[job.key],
            "What": job.title,
            "Kind": job.kind,
            "Where it stands": {"open": "To do", "in-progress": "Doing"}.get(
                job.status.value, job.status.value.title()
            ),
            "Belongs to": ids[job.parent] if job.parent else "",
            "Who": job.who or "",
            "Skill": job.component,
            "Hours": "" if job.original is None else f"{job.original:g}",
            "Needs first": ", ".join(ids[key] for key in _others(job)[0]),
            "Priority": job.priority,
            "Written": f"{job.created:%Y-%m-%d %H:%M}",
            "Over": f"{job.finished:%Y-%m-%d %H:%M}" if job.finished else "",
        }
        for job in work
    ]


PLAIN_MAP = {
    "throttle_map": 1,
    "columns": {
        "plain": {
            "Ref": "id",
            "What": "title",
            "Kind": "type",
            "Where it stands": "status",
            "Belongs to": "parent",
            "Who": "assignee",
            "Skill": "component",
            "Hours": {"means": "original_estimate", "unit": "h"},
            "Needs first": "waits_for",
            "Priority": "priority",
            "Written": "created",
            "Over": "finished",
        }
    },
}
"""What the headers of the plain table mean."""


def plain_csv(work: Sequence[Job], ids: Ids) -> bytes:
    rows = _plain_rows(work, ids)
    return _csv(list(rows[0]), rows)


def plain_xlsx(work: Sequence[Job], ids: Ids) -> bytes:
    from openpyxl import Workbook

    rows = _plain_rows(work, ids)
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append([float(cell) if name == "Hours" and cell else cell for name, cell in row.items()])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# -------------------------------------------------------------------------------------------------------------- table


def _repository_ids(job: Job) -> str:
    return f"{REPOSITORY}#{job.at}"


def _dashed(job: Job) -> str:
    return job.key if "-" in job.key else f"CHG-{_digits(job.key)}"


def _outside_number(key: str) -> str:
    return str(_digits(key))


LINKS, TYPES, PARENTS, HOURS, POINTS = "links", "types", "parents", "hours", "points"
DROPPED = "dropped"


@dataclass(frozen=True)
class Form:
    """One format of one tracker."""

    name: str
    """Of the file."""
    reader: str
    """Who reads it."""
    write: Writer
    id_of: Callable[[Job], str]
    outside: Callable[[str], str]
    """The id of a vendor's ticket, which is in no file."""
    carries: frozenset[str]
    """``links`` finish to start, ``types`` of others as well, ``parents``, estimates in ``hours`` or as ``points``; and
    ``dropped``: what was cancelled is told from what was done.
    """
    mapping: dict[str, Any] = field(default_factory=dict)

    def ids(self, work: Sequence[Job]) -> Ids:
        """Every key to its id in this format."""
        return {job.key: self.id_of(job) for job in work} | {key: self.outside(key) for key in EXTERNAL}


def _form(
    name: str, reader: str, write: Writer, id_of: Callable[[Job], str], outside: Callable[[str], str], *carries: str,
    **more: Any,
) -> Form:  # fmt: skip
    return Form(name, reader, write, id_of, outside, frozenset(carries), **more)


def _same(key: str) -> str:
    return key


def _vendor(key: str) -> str:
    return f"vendor/tickets#{_digits(key)}"


def _number_of(job: Job) -> str:
    return str(4_000 + job.at)


def _plain_number(job: Job) -> str:
    return str(job.at)


def _asana_gid(job: Job) -> str:
    return "12" + _long(job.key, "0123456789", 14)


def _short(job: Job) -> str:
    return _long(job.key, "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", 8)


def _key_of(job: Job) -> str:
    return job.key


FORMS: tuple[Form, ...] = (
    _form("github-gh.json", "github", github_gh, _repository_ids, _vendor, DROPPED, LINKS, PARENTS),
    _form("github-rest.json", "github", github_rest, _repository_ids, _vendor, DROPPED, LINKS, PARENTS),
    _form("github-graphql.json", "github", github_graphql, _repository_ids, _vendor, DROPPED, LINKS, PARENTS),
    _form("github-project.json", "github", github_project, _repository_ids, _vendor, DROPPED, POINTS),
    _form("azure-tree.csv", "azure-devops-csv", azure_csv, _number_of, _outside_number, DROPPED, PARENTS, HOURS),
    _form("azure.json", "azure-devops", azure_json, _number_of, _outside_number, DROPPED, LINKS, PARENTS, HOURS),
    _form("gitlab.csv", "gitlab-csv", gitlab_csv, _repository_ids, _vendor, DROPPED, PARENTS, HOURS),
    _form("gitlab.json", "gitlab", gitlab_json, _repository_ids, _vendor, DROPPED, LINKS, PARENTS, HOURS),
    _form("linear.csv", "linear-csv", linear_csv, _dashed, _same, DROPPED, LINKS, PARENTS, POINTS),
    _form("asana.csv", "asana-csv", asana_csv, _asana_gid, lambda key: f"vendor-{key.lower()}", LINKS, PARENTS, HOURS),
    _form("asana.json", "asana", asana_json, _asana_gid, _outside_number, LINKS, PARENTS, HOURS),
    _form("trello.json", "trello", trello_json, _short, _same, DROPPED, HOURS),
    _form("youtrack.csv", "youtrack-csv", youtrack_csv, _dashed, _same, DROPPED, HOURS),
    _form("youtrack.json", "youtrack", youtrack_json, _dashed, _same, DROPPED, LINKS, PARENTS, HOURS),
    _form(
        "redmine.csv",
        "redmine-csv",
        redmine_csv,
        _plain_number,
        _outside_number,
        DROPPED,
        LINKS,
        PARENTS,
        HOURS,
    ),
    _form(
        "redmine.json",
        "redmine",
        redmine_json,
        _plain_number,
        _outside_number,
        DROPPED,
        LINKS,
        PARENTS,
        HOURS,
    ),
    _form("agileplace.csv", "agileplace-csv", agileplace_csv, _number_of, _outside_number, PARENTS, POINTS),
    _form("agileplace.json", "agileplace", agileplace_json, _number_of, _outside_number, LINKS, TYPES, PARENTS, POINTS),
    _form("jira.json", "jira-json", jira_json, _dashed, _same, DROPPED, LINKS, TYPES, PARENTS, HOURS),
    _form("jira.xml", "jira-rss", jira_rss, _dashed, _same, DROPPED, LINKS, TYPES, PARENTS, HOURS),
    _form("plain.csv", "plain", plain_csv, _key_of, _same, DROPPED, LINKS, PARENTS, HOURS, mapping=PLAIN_MAP),
    _form("plain.xlsx", "plain", plain_xlsx, _key_of, _same, DROPPED, LINKS, PARENTS, HOURS, mapping=PLAIN_MAP),
)
"""Every format that is written here, and what it can carry."""


def tracker_files(portfolio: Portfolio, seed: int = 1) -> dict[str, bytes]:
    """File name to content, of every form."""
    work = jobs(portfolio, seed)
    return {form.name: form.write(work, form.ids(work)) for form in FORMS}
