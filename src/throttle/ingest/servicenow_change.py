"""ServiceNow change_request: CSV and Excel with field names or labels, Table API JSON in raw, display or ``all`` mode,
JSONv2, XML unload and list.

English field names and labels were seen in real exports; labels in other languages are not verified. All site words
(types, states) come through the shared tables or ``map.yaml``.
"""

from __future__ import annotations

import re

from throttle.ingest.readers import Reader, Use, known
from throttle.ingest.servicenow import HEADERS, aliases, prefix_of, table_of_record, xml_table, xml_tables
from throttle.ingest.source import Source
from throttle.ingest.tables import Table
from throttle.ingest.values import fold
from throttle.ingest.words import table
from throttle_models import Column, Status

C = Column

_HEADERS = HEADERS | {
    C.CHANGE_KIND: "type, chg_model.type, change type, tipo, typ",
    C.PARENT: "parent, change_request, change request, padre, ubergeordnet",
    C.RESOLUTION: "close_code, close code, closure code",
    C.RISK: "risk, risk value, riesgo, risiko, risque, risco",
    C.STARTED: "work_start, actual start date, actual start, fecha de inicio real, tatsachliches startdatum",
    C.FINISHED: """work_end, actual end date, actual end, closed_at, closed, fecha de finalizacion real, cerrado,
        geschlossen""",
    C.PLANNED_START: "start_date, planned start date, planned start, fecha de inicio planificada, geplantes startdatum",
    C.PLANNED_END: "end_date, planned end date, planned end, fecha de finalizacion planificada, geplantes enddatum",
}
_KNOWN = aliases(_HEADERS)

STATES = table(
    {
        Status.OPEN: "-5, -4, -3, -2, 1, new, assess, authorize, scheduled, pending, draft, request for change",
        Status.IN_PROGRESS: "-1, 0, 2, implement, review",
        Status.DONE: "3, closed, closed complete",
        Status.CANCELLED: "4, 7, canceled, cancelled, closed skipped",
    }
)
"""The base model of change_request, raw and displayed; negative states are open."""

_CHANGE_ONLY = {C.PLANNED_START, C.PLANNED_END, C.RISK, C.CHANGE_KIND}


def _open(source: Source) -> Table | None:
    held = xml_tables(source)
    if held:
        return xml_table(source, frozenset({"change_request"})) if held <= {"change_request", "result"} else None
    return source.table


def _propose(opened: Table) -> list[Use]:
    uses = []
    for i, header in enumerate(opened.header):
        if found := _KNOWN.get(fold(header)):
            means, place = found
            uses.append(known(i, header, means, "field or label known", preference=place))
    return uses


def _certainty(opened: Table, uses: list[Use]) -> float:
    means = {use.meaning.means for use in uses}
    numbers = [cell for use in uses if use.meaning.means is C.ID for cell in opened.column(use.index)]
    if C.ID not in means or any(re.search(r"-\d", number) for number in numbers):
        return 0.0
    records = {fold(c) for u in uses if u.meaning.means is C.KIND_OF_RECORD for c in opened.column(u.index)}
    if any(prefix_of(number) == "CHG" for number in numbers) or records & {"change_request", "change request"}:
        return 0.95
    if any(table_of_record("", number) not in ("", "change_request") for number in numbers):
        return 0.0
    return 0.5 + 0.1 * len(means & _CHANGE_ONLY) if len(means & _CHANGE_ONLY) >= 2 else 0.0


SERVICENOW_CHANGE = Reader(
    name="servicenow-change",
    system="ServiceNow",
    open=_open,
    propose=_propose,
    certainty=_certainty,
    id_pattern=re.compile(r"[^\W\d_]*\d{3,}|[^\W_]+[-_ ]?\d+"),
    id_is="a number such as CHG0030001",
    states=STATES,
    review_states=frozenset({"0", "review"}),
    authorised_states=frozenset({"-2", "-1", "0", "3", "scheduled", "implement", "review", "closed"}),
    default_type="change",
)
