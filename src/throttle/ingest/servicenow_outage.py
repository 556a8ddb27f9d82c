"""ServiceNow outages (cmdb_ci_outage): interruptions of services, as unplanned work that was or is being done.

A planned outage is no work and is rejected with what to write instead. Built from the documented shape, not checked
against a real export.
"""

from __future__ import annotations

import re

from throttle.ingest.readers import Reader, Use, known
from throttle.ingest.records import Rejection
from throttle.ingest.servicenow import aliases, prefix_of, table_of_record, xml_table, xml_tables
from throttle.ingest.source import Source
from throttle.ingest.tables import Table, make_table
from throttle.ingest.values import fold
from throttle_models import Column, Status

C = Column

_HEADERS = {
    C.ID: "number",
    C.ALIAS: "sys_id, sys id",
    C.KIND_OF_RECORD: "sys_class_name",
    C.TITLE: "short_description, short description",
    C.TYPE: "type",
    C.STARTED: "begin, begin time, start",
    C.FINISHED: "end, end time",
    C.CREATED: "sys_created_on, created",
    C.UPDATED: "sys_updated_on, updated",
    C.SERVICE: "cmdb_ci, configuration item, cmdb_ci.name",
    C.STATUS: "throttle: state",
}
_KNOWN = aliases(_HEADERS)


def _open(source: Source) -> Table | None:
    """Outages without the planned ones; a state in a column of its own, as the table has none."""
    held = xml_tables(source)
    if held and held != {"cmdb_ci_outage"}:
        return None
    opened = xml_table(source, frozenset({"cmdb_ci_outage"})) if held else source.table
    if opened is None:
        return None
    places = {_KNOWN[fold(h)][0]: i for i, h in reversed(list(enumerate(opened.header))) if fold(h) in _KNOWN}
    if not {C.ID, C.TYPE, C.STARTED, C.FINISHED} <= places.keys():
        return None
    number, kind, end = places[C.ID], places[C.TYPE], places[C.FINISHED]
    classes = [row[places[C.KIND_OF_RECORD]] for row in opened.sample if C.KIND_OF_RECORD in places]
    numbers = [row[number] for row in opened.sample if number < len(row)]
    outages = [table_of_record("", n) == "cmdb_ci_outage" or prefix_of(n) == "OUT" for n in numbers]
    if not (any(outages) or any(table_of_record(c, "") == "cmdb_ci_outage" for c in classes)):
        return None
    rejected = list(opened.rejections)
    kept: list[tuple[int, list[str]]] = []
    for place, row in opened.project(range(len(opened.header))):
        if fold(row[kind]).startswith("planned"):
            why = "is a planned outage, which is no work: write it under freezes or windows of the team file"
            rejected.append(Rejection(source.file, place, opened.header[kind], why))
        else:
            kept.append((place, [*row, "over" if row[end].strip() else "going on"]))
    rejected += [r for r in opened.rejections if r not in rejected]
    return make_table(
        source,
        [*opened.header, "throttle: state"],
        (row for _, row in kept),
        utc=opened.values in ("raw", "all"),
        rejections=rejected,
        numbers=[place for place, _ in kept],
    )


def _propose(opened: Table) -> list[Use]:
    return [
        known(i, header, found[0], "field or label known", preference=found[1])
        for i, header in enumerate(opened.header)
        if (found := _KNOWN.get(fold(header)))
    ]


def _certainty(opened: Table, uses: list[Use]) -> float:
    del opened
    return 0.96 if C.STATUS in {use.meaning.means for use in uses} else 0.0


SERVICENOW_OUTAGE = Reader(
    name="servicenow-outage",
    system="ServiceNow",
    open=_open,
    propose=_propose,
    certainty=_certainty,
    id_pattern=re.compile(r"[^\W\d_]*\d{3,}"),
    id_is="a number such as OUTAGE0001001",
    states={"over": Status.DONE, "going on": Status.IN_PROGRESS},
    default_type="outage",
    verified=False,
)
