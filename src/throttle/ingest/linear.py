"""Linear issues: the CSV in its 25, 30 and 34 columns.

The 25 columns were seen in a real file; those of 30 and 34 in headers that others quote from real files. Only the
widest names what blocks an issue. Estimates are points. Some exports leave out the last cells of a row that are blank;
titles that a spreadsheet could take for a formula have a ``'`` before them, which is Linear's and not the author's.
"""

from __future__ import annotations

import re

from throttle.ingest.flat import COMPLETED, header_of, is_table, proposed, read_sheet, uses
from throttle.ingest.readers import Reader, Use
from throttle.ingest.source import Source
from throttle.ingest.tables import Table
from throttle.ingest.values import fold
from throttle.ingest.words import table
from throttle_models import Column, Status

C = Column

_KNOWN = uses(
    {
        C.ID: "id",
        C.ALIAS: "uuid",
        C.TITLE: "title",
        C.STATUS: "status",
        C.STATUS_CATEGORY: "category",
        C.RESOLUTION: "resolution",
        C.PROJECT: "project",
        C.TEAM: "team",
        C.PARENT: "parent issue, parent",
        C.ASSIGNEE: "assignee",
        C.LABEL: "labels, project milestone, milestone",
        C.PRIORITY: "priority",
        C.CREATED: "created",
        C.UPDATED: "updated",
        C.STARTED: "started",
        C.FINISHED: "completed, canceled",
        C.VIEWED: "archived, triaged",
        C.DUE: "due date",
        C.POINTS: "estimate",
        C.WAITS_FOR: "blocked by",
        C.BLOCKS: "blocks, blocking",
    },
    None,
    {C.LABEL: ","},
)
_STATES = table(
    {
        Status.OPEN: "triage, backlog, todo, unstarted",
        Status.IN_PROGRESS: "in progress, in review, started",
        Status.DONE: "done, completed",
        Status.CANCELLED: "canceled, cancelled, duplicate",
    }
)
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*-[1-9]\d*")
_GUARD = re.compile(r"'(?=[+\-=@∑√∏<>＜＞≤≥＝≠±÷×\t\r])")
_MARKS = frozenset(
    [
        "team",
        "estimate",
        "creator",
        "labels",
        "started",
        "completed",
        "canceled",
        "archived",
        "initiatives",
        "roadmaps",
        "triaged",
        "uuid",
    ]
) | {"cycle number", "cycle name", "parent issue", "project milestone", "sla status"}


def _open(source: Source) -> Table | None:
    """The CSV with a category from its dates, and short rows made whole."""
    if not is_table(source, "id", "title", "status") or len(_MARKS & header_of(source)) < 3:
        return None
    opened = read_sheet(source, short_rows=True)
    at = opened.names["title"]
    dated = {"completed", "canceled"} <= opened.names.keys()
    for _, row in opened.rows:
        row[at] = _GUARD.sub("", row[at], count=1)
        said = {name: bool(opened.cell(row, name)) for name in ("started", "completed", "canceled")}
        category = ""
        if said["completed"] or said["canceled"]:
            category = "done"
        elif dated and fold(opened.cell(row, "status")) not in _STATES:  # each team has names of its own
            category = "in progress" if said["started"] else "to do"
        row += [category, "canceled" if said["canceled"] else COMPLETED if said["completed"] else ""]
    return opened.table(["category", "resolution"])


def _certainty(opened: Table, found: list[Use]) -> float:
    means = {use.meaning.means: use.index for use in reversed(found)}
    if C.ID not in means:
        return 0.0
    keys = opened.column(means[C.ID])
    share = sum(bool(_KEY.fullmatch(key.strip())) for key in keys) / len(keys) if keys else 1.0
    return share * min(0.98, 0.6 + 0.08 * len({fold(header) for header in opened.header} & _MARKS))


LINEAR = Reader(
    name="linear-csv",
    system="Linear",
    open=_open,
    propose=lambda opened: proposed(opened, _KNOWN),
    certainty=_certainty,
    states=_STATES,
    id_pattern=_KEY,
    id_is="an issue id such as ENG-12",
    project_of=lambda key: key.rpartition("-")[0],
    midnight_is_date=True,
)
