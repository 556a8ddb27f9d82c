"""Jira RSS/XML (Issue navigator, Export XML): items with keys that are the same in every language.

Seen in real exports of Cloud and Server. The status category is taken from its key and "unresolved" from its id, never
from the words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from throttle.ingest.intake import Intake
from throttle.ingest.jira_fields import cut_short, finish, key_of, meaning_by_verbs, put_custom
from throttle.ingest.readers import DocumentReader
from throttle.ingest.records import Entry, Ticket, Tie
from throttle.ingest.source import Source
from throttle_models import Column

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

C = Column

_TEXTS = {
    "summary": C.TITLE,
    "type": C.TYPE,
    "status": C.STATUS,
    "priority": C.PRIORITY,
    "component": C.COMPONENT,
    "created": C.CREATED,
    "updated": C.UPDATED,
    "resolved": C.FINISHED,
    "due": C.DUE,
}
_SECONDS = {
    "timeoriginalestimate": C.ORIGINAL_ESTIMATE,
    "timeestimate": C.REMAINING_ESTIMATE,
    "timespent": C.TIME_SPENT,
}
_LOOK = 200_000


def _certainty(source: Source) -> float:
    if source.kind != "xml" or "<rss" not in source.head[:2000]:
        return 0.0
    start = source.data[:_LOOK].decode(source.encoding.name, errors="ignore")
    if "<item>" in start and "<key id=" in start:
        return 0.98
    return 0.7 if "<issue start=" in start or "com.atlassian.jira" in start else 0.0


def _read(source: Source, intake: Intake) -> Iterator[Entry]:
    row, total = 0, None
    for element in source.elements("item", "issue"):
        if _local(element) == "issue":
            total = int(element.get("total", "")) if element.get("total", "").isdigit() else total
            continue
        row += 1
        key = key_of(_text(element.find("key")))
        yield _ticket(element, key, row, intake) if key else intake.reject(row, "holds no issue key", "key")
    if total is not None:
        cut_short(intake, row, total)


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(element: Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def _ticket(item: Element, key: str, row: int, intake: Intake) -> Ticket:
    ticket = Ticket(key, intake.file, row, JIRA_RSS)
    alias = item.find("key")
    if alias is not None and alias.get("id"):
        ticket.aliases = [alias.get("id", "")]
    for child in item:
        name = _local(child)
        if (means := _TEXTS.get(name)) is not None:
            if means is C.DUE:
                ticket.due = intake.when(_text(child), name, row, midnight_is_date=True)
            else:
                intake.fill(ticket, means, _text(child), name)
        elif (means := _SECONDS.get(name)) is not None:
            intake.fill(ticket, means, child.get("seconds") or _text(child), name, "s")
        elif name == "resolution" and child.get("id") != "-1":
            intake.fill(ticket, C.RESOLUTION, _text(child), name)
        elif name == "statusCategory":
            ticket.category = child.get("key") or _text(child)
        elif name == "assignee":
            account = child.get("accountid") or child.get("username") or ""
            if account != "-1" and _text(child):
                intake.fill(ticket, C.ASSIGNEE, _text(child), name)
                intake.fill(ticket, C.ASSIGNEE_ID, account, name)
        elif name == "project":
            ticket.project, ticket.project_title = child.get("key") or "", _text(child)
        elif name == "parent":
            ticket.parents += [text for text in (_text(child), child.get("id") or "") if text]
        elif name == "labels":
            intake.fill(ticket, C.LABEL, [_text(label) for label in child], name)
    ticket.links = list(_ties(item, intake))
    for custom in item.iterfind("customfields/customfield"):
        values = [_text(value) for value in custom.iterfind("customfieldvalues/*")]
        named, typed = _text(custom.find("customfieldname")), custom.get("key") or ""
        if typed.endswith(":gh-epic-link"):
            intake.saw(named, C.PARENT)
            ticket.parents += [found for value in values if (found := key_of(value))]
        elif typed.endswith(":gh-sprint"):
            intake.saw(named, C.SPRINT)
            ticket.sprint = next((value for value in reversed(values) if value), "")
        else:
            put_custom(intake, ticket, custom.get("id") or "", named, [value for value in values if value])
    if not ticket.title:
        ticket.title = _text(item.find("title")).removeprefix(f"[{key}]").strip()
    return finish(ticket)


def _ties(item: Element, intake: Intake) -> Iterator[Tie]:
    """``outwardlinks`` reads "this issue VERB that one", ``inwardlinks`` with the inward verb."""
    for kind in item.iterfind("issuelinks/issuelinktype"):
        name = _text(kind.find("name"))
        verbs = {side: (found.get("description") or "") if (found := kind.find(side)) is not None else ""
                 for side in ("outwardlinks", "inwardlinks")}  # fmt: skip
        meaning = meaning_by_verbs(verbs["outwardlinks"], verbs["inwardlinks"])
        for side in ("outwardlinks", "inwardlinks"):
            for other in kind.iterfind(f"{side}/issuelink/issuekey"):
                if key := key_of(_text(other)):
                    intake.saw("issuelinks", C.LINK)
                    yield Tie(key, side == "outwardlinks", name, f"issuelinks ({name})", meaning)


JIRA_RSS = DocumentReader(name="jira-rss", system="Jira", certainty=_certainty, read=_read, midnight_is_date=True)
