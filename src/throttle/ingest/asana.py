"""Asana tasks: CSV of a project, also through a spreadsheet with rows above the header; JSON of the interface.

By the vendor's documentation and headers that others quote: no real file was to be had. A CSV names parents and
dependencies by the *name* of the task: such a name is looked up within the same projects, then in the whole file, and
one that several tasks share is never guessed at.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from throttle.ingest.flat import (
    Found,
    Item,
    Record,
    Remark,
    Sheet,
    around,
    below,
    entries,
    find,
    is_json,
    is_table,
    meant_by,
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
from throttle.ingest.values import fold, slug
from throttle.wording import plural
from throttle_models import Column, Status

C = Column

_KNOWN = uses(
    {
        C.ID: "id, task id",
        C.TITLE: "name",
        C.STATUS: "section/column, section, column",
        C.STATUS_CATEGORY: "category",
        C.TYPE: "type, task type",
        C.PROJECT: "project",
        C.PARENT: "parent id",
        C.ASSIGNEE: "assignee",
        C.LABEL: "tags",
        C.PRIORITY: "priority",
        C.CREATED: "created at",
        C.UPDATED: "last modified",
        C.FINISHED: "completed at",
        C.DUE: "due date",
        C.PLANNED_START: "start date",
        C.ORIGINAL_ESTIMATE: "estimated time",
        C.TIME_SPENT: "actual time",
        C.POINTS: "story points, points, estimate, effort",
        C.WAITS_FOR: "blocked by",
        C.BLOCKS: "blocking",
    },
    {C.ORIGINAL_ESTIMATE: "m", C.TIME_SPENT: "m"},
    {C.LABEL: ","},
)
_USED = named(
    """gid id name notes html_notes resource_type resource_subtype completed completed_at completed_by created_at
    created_by modified_at assignee assignee_section assignee_status due_on due_at start_on start_at memberships
    projects parent tags dependencies dependents custom_fields subtasks num_subtasks followers hearts hearted likes
    liked num_hearts num_likes permalink_url workspace actual_time_minutes approval_status is_rendered_as_separator
    external"""
)
_CLOCK = re.compile(r"(\d+):([0-5]\d)")


def is_task(record: Record) -> bool:
    """A task of the interface."""
    known = "gid" in record and isinstance(record.get("name"), str)
    return known and (record.get("resource_type") == "task" or _is_whole(record))


def _is_whole(record: Record) -> bool:
    """Whether it is more than the name of a task that is somewhere else."""
    marks = {"completed", "assignee", "due_on", "dependencies", "memberships", "modified_at", "num_subtasks", "notes"}
    return bool(marks & record.keys())


def flatten(content: Any) -> Found:
    """The tasks of a document, and the sub-tasks within them."""
    records: list[tuple[Any, str]] = []
    for top in find(content, is_task):
        pending: list[tuple[Any, str]] = [(top, "")]
        while pending:
            record, parent = pending.pop()
            records.append((record, parent))
            if isinstance(record, dict):
                parts = [part for part in objects(record.get("subtasks")) if is_task(part) and _is_whole(part)]
                pending += [(part, text(record.get("gid"))) for part in reversed(parts)]
    items = [_task(record, parent) for record, parent in records]
    by_id = {item.id: item for item in items if isinstance(item, Item)}
    for record, _ in records:
        for part in objects(record.get("subtasks")) if isinstance(record, dict) else ():
            other = by_id.get(text(part.get("gid")))
            if other is not None and "parent id" not in other.cells:
                other.put("parent id", text(record.get("gid")))
    more = any(isinstance(page.get("next_page"), dict) for page in around(content, is_task))
    whole = any("next_page" in page and page["next_page"] is None for page in around(content, is_task))
    message = "says that there is a next page, which is not in it: export all pages"
    return Found(items, [Remark("probably-truncated", message)] if more and not whole else [])


def _task(record: Any, parent: str) -> Item | str:
    if not isinstance(record, dict) or not is_task(record):
        return "is no task"
    kind = text(record.get("resource_subtype"))
    if kind == "section" or record.get("is_rendered_as_separator") is True:
        return "is a section, not a task"
    item = Item(milestone=kind == "milestone")
    item.put("id", text(record.get("gid")))
    if not item.cells:
        return "has no id"
    item.put("name", text(record.get("name")))
    memberships = objects(record.get("memberships"))
    projects = [say(m.get("project") or {}, "name") for m in memberships] or [
        say(project, "name") for project in objects(record.get("projects"))
    ]
    item.put("project", next(filter(None, projects), ""))
    section = next(filter(None, (say(m.get("section") or {}, "name") for m in memberships)), "")
    item.put("section", section)
    done = record.get("completed") is True or bool(record.get("completed_at"))
    item.put("category", _category(done, section))
    item.put("completed at", text(record.get("completed_at")))
    item.put("created at", text(record.get("created_at")))
    item.put("last modified", text(record.get("modified_at")))
    who = record.get("assignee")
    name, account = (say(who, "name"), say(who, "gid")) if isinstance(who, dict) else (text(who), "")
    item.put("assignee", f"{name} <{account}>" if name and account else name or account)
    item.put("due date", text(record.get("due_at")) or text(record.get("due_on")))
    item.put("start date", text(record.get("start_at")) or text(record.get("start_on")))
    item.put("tags", *(say(tag, "name") for tag in objects(record.get("tags"))))
    item.put("parent id", say(record.get("parent") or {}, "gid") or parent)
    item.put("actual time", text(record.get("actual_time_minutes")))
    for field, first in (("dependencies", False), ("dependents", True)):
        for other in objects(record.get(field)):
            done_there = other.get("completed")
            category = "" if not isinstance(done_there, bool) else "done" if done_there else "to do"
            where = "blocking" if first else "blocked by"
            item.tie(text(other.get("gid")), first, where, title=text(other.get("name")), category=category)
    for own in objects(record.get("custom_fields")):
        number = own.get("number_value")
        value = text(number) if number is not None else text(own.get("display_value"))
        value = value or say(own.get("enum_value") or {}, "name") or text(own.get("text_value"))
        item.own(text(own.get("name")), own.get("gid"), value)
    rest(item, record, _USED)
    return item


def _category(done: bool, section: str) -> str:
    """Whether a task is done is its own mark; a section only tells whether it has begun."""
    if done:
        return "done"
    return "in progress" if meant_by(section) is Status.IN_PROGRESS else "to do"


def _read(source: Source, intake: Intake) -> Iterator[Entry]:
    yield from entries(flatten(single(source.documents)), ASANA, _KNOWN, intake)


ASANA = DocumentReader(
    name="asana",
    system="Asana",
    certainty=lambda source: 0.9 if is_json(source, is_task) else 0.0,
    read=_read,
    verified=False,
)


# --------------------------------------------------------------------------------------------------------------- CSV

_HEADER = re.compile(r"\"?(Task ID|Task Id)\"?\s*[,;\t]", re.IGNORECASE)
_MADE = ("id", "category", "project", "parent id", "blocked by", "blocking")
_BY_NAME = {"blocked by": "blocked by (dependencies)", "blocking": "blocking (dependencies)"}


def _open(source: Source) -> Table | None:
    """The CSV with ids in place of names."""
    rows = below(source, _HEADER)
    if rows is None or not is_table(rows, "task id", "name"):
        return None
    opened = read_sheet(rows)
    cell = opened.cell
    by_name: dict[tuple[str, str], list[str]] = defaultdict(list)
    known: set[str] = set()
    for _, row in opened.rows:
        if id := cell(row, "task id"):
            name = cell(row, "name")
            known.add(name)
            for project in ("", *_projects(opened, row)):
                by_name[project, name].append(id)
    longest = 1 + max((name.count(",") for name in known), default=0)
    shared = 0
    outside: dict[str, tuple[str, Status]] = {}

    def resolve(row: Sequence[str], name: str) -> str:
        """The id of one name; nothing where several tasks have it, and something to ask for where none has."""
        nonlocal shared
        for project in (*_projects(opened, row), ""):
            ids = list(dict.fromkeys(by_name.get((project, name), ())))
            if len(ids) == 1:
                return ids[0]
            if ids:
                break
        if name in known:
            shared += 1
            return ""
        stub = slug(name)[:60]
        if stub:
            outside[stub] = (name, Status.UNKNOWN)
        return stub

    for _, row in opened.rows:
        done = bool(cell(row, "completed at"))
        made = [cell(row, "task id"), _category(done, cell(row, "section/column")), next(_projects(opened, row), "")]
        parent = cell(row, "parent task")
        made.append(resolve(row, parent) if parent else "")
        for column in ("blocked by", "blocking"):
            stated = _names(cell(row, _BY_NAME[column], column), known, longest)
            made.append(" ".join(filter(None, (resolve(row, name) for name in stated))))
        for name in ("estimated time", "actual time"):
            if m := _CLOCK.fullmatch(cell(row, name)):
                row[opened.names[name]] = str(60 * int(m[1]) + int(m[2]))
        row.extend(made)
    opened.header = ["Task number" if fold(name) == "task id" else _renamed(name) for name in opened.header]
    remarks = []
    if shared:
        message = (
            f"names a task that has the name of another one {plural(shared, 'time')}; left out, since nothing tells "
            "which is meant: give one of them another name, or export JSON"
        )
        remarks.append(Remark("names-not-unique", message, shared))
    made_table = opened.table(_MADE, remarks=remarks)
    made_table.outside = outside
    return made_table


def _renamed(name: str) -> str:
    return f"{name} by name" if fold(name) in ("blocked by", "blocking", "category", "project", "id") else name


def _projects(opened: Sheet, row: Sequence[str]) -> Iterator[str]:
    yield from filter(None, (part.strip() for part in opened.cell(row, "projects", "project").split(",")))


def _names(cell: str, known: set[str], longest: int) -> list[str]:
    """The names in a cell that joins them by commas; a known name may itself be of up to ``longest`` such parts."""
    parts = cell.split(",")
    found, at = [], 0
    while at < len(parts):
        for end in range(min(len(parts), at + longest), at, -1):
            name = ",".join(parts[at:end]).strip()
            if name in known or end == at + 1:
                found.append(name)
                at = end
                break
    return [name for name in found if name]


def _certainty(opened: Table, found: list[Use]) -> float:
    marks = {"section/column", "completed at", "last modified", "assignee email", "parent task", "tags", "notes"}
    return min(0.95, 0.3 + 0.13 * len(marks & set(map(fold, opened.header)))) if len(found) > 2 else 0.0


ASANA_CSV = Reader(
    name="asana-csv",
    system="Asana",
    open=_open,
    propose=lambda opened: proposed(opened, _KNOWN),
    certainty=_certainty,
    id_pattern=re.compile(r"\d+"),
    id_is="a task id of digits",
    verified=False,
)
