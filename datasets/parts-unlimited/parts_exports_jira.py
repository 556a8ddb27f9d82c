"""Parts Unlimited as Jira's REST interface and its XML export write it, in pages and with a changelog."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from throttle_models import LinkType, Status

if TYPE_CHECKING:
    from parts_exports_trackers import Job

KINDS = {
    LinkType.FS: ("Dependency", "depends on", "is a dependency for"),
    LinkType.SS: ("Gantt Start to Start", "starts after the start of", "starts before the start of"),
    LinkType.FF: ("Gantt End to End", "ends after the end of", "ends before the end of"),
    LinkType.SF: ("Gantt Start to End", "ends after the start of", "starts before the end of"),
}
"""Of a link: type, and the verbs of the item that waits and of the one that comes first."""
STATES = {
    Status.OPEN: ("Warteschlange", "new"),
    Status.IN_PROGRESS: ("Läuft", "indeterminate"),
    Status.DONE: ("Gelöst", "done"),
    Status.CANCELLED: ("Gelöst", "done"),
}
"""Words that nobody knows, so that only the category's key can tell."""
PAGE = 100


def _ends(job: Job, ids: dict[str, str]) -> list[tuple[LinkType, bool, str]]:
    """(type, whether the other end is the outward one's issue, id): of Dependency the outward end waits."""
    found = []
    for key, type_ in job.waits_for:
        found.append((type_, type_ is LinkType.FS, ids[key]))
    for key, type_ in job.blocks:
        found.append((type_, type_ is not LinkType.FS, ids[key]))
    return found


def _verbs(type_: LinkType) -> tuple[str, str]:
    """(outward, inward). Gantt types are named from the end that comes first."""
    _, waits, first = KINDS[type_]
    return (waits, first) if type_ is LinkType.FS else (first, waits)


def _resolution(job: Job) -> str | None:
    return {Status.DONE: "Fixed", Status.CANCELLED: "Won't Do"}.get(job.status)


def _seconds(hours: float | None) -> int | None:
    return None if hours is None else round(3600 * hours)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"


def jira_json(work: Sequence[Job], ids: dict[str, str]) -> bytes:
    """Pages in a list; the second begins with the last issue of the first, as when work goes on meanwhile."""
    issues = [_issue(job, ids) for job in work]
    names = {"customfield_10014": "Epic Link", "customfield_10020": "Sprint", "customfield_10099": "Internal note"}
    pages: list[dict[str, Any]] = []
    for start in range(0, len(issues), PAGE):
        page = issues[max(0, start - 1) : start + PAGE]
        pages.append({"expand": "names", "startAt": start, "total": len(issues), "names": names, "issues": page})
    return json.dumps(pages, ensure_ascii=False, indent=1).encode()


def _issue(job: Job, ids: dict[str, str]) -> dict[str, Any]:
    word, category = STATES[job.status]
    resolution = _resolution(job)
    links = []
    for type_, outward, other in _ends(job, ids):
        out, in_ = _verbs(type_)
        end = "outwardIssue" if outward else "inwardIssue"
        links.append({"type": {"name": KINDS[type_][0], "outward": out, "inward": in_}, end: {"key": other}})
    steps = [(job.started, "Warteschlange", "Läuft"), (job.finished, "Läuft", "Gelöst")]
    histories = [
        {"created": _moment(at), "items": [{"field": "status", "fromString": before, "toString": after}]}
        for at, before, after in steps
        if at is not None
    ]
    parent = {"parent": {"id": "1", "key": ids[job.parent]}} if job.parent and job.kind == "Sub-task" else {}
    return {
        "id": str(10_000 + job.at),
        "key": ids[job.key],
        "fields": {
            "summary": job.title,
            "description": {"type": "doc", "version": 1, "content": []},
            "issuetype": {"name": job.kind, "subtask": job.kind == "Sub-task"},
            "status": {"name": word, "statusCategory": {"key": category}},
            "resolution": None if resolution is None else {"name": resolution},
            "resolutiondate": _moment(job.finished),
            "priority": {"name": job.priority},
            "project": {"key": ids[job.key].rpartition("-")[0], "name": job.project},
            "assignee": {"accountId": f"acc:{job.who}", "displayName": job.who} if job.who else None,
            "components": [{"name": job.component}] if job.component else [],
            "labels": [job.project.lower()],
            "created": _moment(job.created),
            "updated": _moment(job.updated),
            "timeoriginalestimate": _seconds(job.original),
            "timeestimate": _seconds(job.left),
            "timespent": _seconds(job.spent),
            "issuelinks": links,
            "customfield_10014": ids[job.parent] if job.parent and not parent else None,
            "customfield_10020": [{"id": 1, "name": "Week 48", "state": "active", "boardId": 1}],
            "customfield_10099": "Not read",
            **parent,
        },
        "changelog": {"histories": histories},
    }


def jira_rss(work: Sequence[Job], ids: dict[str, str]) -> bytes:
    """What *Export XML* writes: no declaration, and a comment first."""
    items = "\n".join(_item(job, ids) for job in work)
    return (
        "<!--\nRSS generated by a tracker; it holds <?xml-stylesheet in a comment\n-->\n"
        f'<rss version="0.92">\n<channel>\n<title>Parts Unlimited</title>\n<issue start="0" end="{len(work)}" '
        f'total="{len(work)}"/>\n{items}\n</channel>\n</rss>\n'
    ).encode()


def _item(job: Job, ids: dict[str, str]) -> str:
    key, (word, category), resolution = ids[job.key], STATES[job.status], _resolution(job)
    lines = [
        f"<title>[{key}] {escape(job.title)}</title>",
        f'<project id="1" key="{key.rpartition("-")[0]}">{job.project}</project>',
        "<description>&lt;p&gt;Not read&lt;/p&gt;</description>",
        f'<key id="{10_000 + job.at}">{key}</key><summary>{escape(job.title)}</summary>',
        f'<type id="1">{job.kind}</type><priority id="2">{job.priority}</priority>',
        f'<status id="3">{word}</status><statusCategory id="4" key="{category}" colorName="blue"/>',
        '<resolution id="-1">Offen</resolution>'
        if resolution is None
        else f'<resolution id="1">{resolution}</resolution>',
        f"<assignee accountid={quoteattr(f'acc:{job.who}')}>{escape(job.who)}</assignee>"
        if job.who
        else '<assignee accountid="-1">Niemand</assignee>',
        f"<labels><label>{job.project.lower()}</label></labels>",
        f"<created>{format_datetime(job.created)}</created><updated>{format_datetime(job.updated)}</updated>",
    ]
    if job.finished is not None:
        lines.append(f"<resolved>{format_datetime(job.finished)}</resolved>")
    if job.component:
        lines.append(f"<component>{escape(job.component)}</component>")
    if job.parent and job.kind == "Sub-task":
        lines.append(f'<parent id="1">{ids[job.parent]}</parent>')
    for name, hours in (("timeoriginalestimate", job.original), ("timeestimate", job.left), ("timespent", job.spent)):
        if hours is not None:
            lines.append(f'<{name} seconds="{_seconds(hours)}">viel</{name}>')
    lines.append("<issuelinks>" + "".join(_links(job, ids)) + "</issuelinks>")
    if job.parent and job.kind != "Sub-task":
        lines.append(
            '<customfields><customfield id="customfield_1" key="com.pyxis.greenhopper.jira:gh-epic-link">'
            f"<customfieldname>Épopée</customfieldname><customfieldvalues><customfieldvalue>{ids[job.parent]}</customfieldvalue>"
            "</customfieldvalues></customfield></customfields>"
        )
    return "<item>\n" + "\n".join(lines) + "\n</item>"


def _links(job: Job, ids: dict[str, str]) -> list[str]:
    found = []
    for type_, outward, other in _ends(job, ids):
        out, in_ = _verbs(type_)
        side, verb = ("outwardlinks", out) if outward else ("inwardlinks", in_)
        found.append(
            f'<issuelinktype id="1"><name>{KINDS[type_][0]}</name><{side} description="{verb}"><issuelink>'
            f'<issuekey id="7">{other}</issuekey></issuelink></{side}></issuelinktype>'
        )
    return found
