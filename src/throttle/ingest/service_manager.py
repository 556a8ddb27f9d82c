"""HP Service Manager, as the tables of the BPI Challenge 2014 have it: changes, incidents, interactions, activities.

Built from their documented shape. A change has a row for each configuration item that it affects, and an activity log
a row for each step of an incident: rows of one record become one ticket. ``Related Change`` of an incident is what
caused or solved it, and no order; handling hours of incidents run from opening to closing and are no effort.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable

from throttle.ingest.readers import Reader, Use, known
from throttle.ingest.source import Source
from throttle.ingest.tables import Table, make_table
from throttle.ingest.values import blank, fold
from throttle_models import Column, Status

C = Column

_JOINT = "\x1f"
"""Between the services of a change, in a column of our own."""
_SERVICES, _STATE, _KIND, _TYPE = "throttle: services", "throttle: state", "throttle: kind", "throttle: type"

_CHANGE = {
    "change id": C.ID, "change type": C.LABEL, _KIND: C.CHANGE_KIND, "risk assessment": C.RISK,
    "planned start": C.PLANNED_START, "planned end": C.PLANNED_END, "actual start": C.STARTED, "actual end": C.FINISHED,
    "requested end date": C.DUE, "change record open time": C.CREATED, "change record close time": C.UPDATED,
    _SERVICES: C.SERVICE, _STATE: C.STATUS, _TYPE: C.TYPE,
}  # fmt: skip
_INCIDENT = {
    "incident id": C.ID, "status": C.STATUS, "priority": C.PRIORITY, "category": C.LABEL, "open time": C.CREATED,
    "resolved time": C.FINISHED, "close time": C.FINISHED, "reopen time": C.UPDATED, "ci name (aff)": C.SERVICE,
    "closure code": C.LABEL, "km number": C.COMPONENT,
}  # fmt: skip
_INTERACTION = {
    "interaction id": C.ID, "status": C.STATUS, "priority": C.PRIORITY, "category": C.LABEL,
    "open time (first touch)": C.CREATED, "close time": C.FINISHED, "ci name (aff)": C.SERVICE,
    "handle time (secs)": C.TIME_SPENT, "closure code": C.LABEL, "km number": C.COMPONENT,
}  # fmt: skip
_ACTIVITY = {
    "incident id": C.ID, "datestamp": C.UPDATED, "assignment group": C.GROUP, _STATE: C.STATUS,
    "km number": C.COMPONENT,
}  # fmt: skip

_SHAPES: tuple[tuple[str, frozenset[str], dict[str, C]], ...] = (
    ("change", frozenset({"change id", "planned start", "change record open time"}), _CHANGE),
    ("activity", frozenset({"incident id", "datestamp", "incidentactivity_type"}), _ACTIVITY),
    ("interaction", frozenset({"interaction id", "open time (first touch)"}), _INTERACTION),
    ("incident", frozenset({"incident id", "open time", "handle time (hours)"}), _INCIDENT),
)


def _shape(opened: Table | None) -> tuple[str, dict[str, C]] | None:
    names = {fold(header) for header in opened.header} if opened is not None else set()
    return next(((kind, means) for kind, needed, means in _SHAPES if needed <= names), None)


def _open(source: Source) -> Table | None:
    opened = source.table
    shape = _shape(opened)
    if opened is None or shape is None:
        return None
    if shape[0] == "change":
        return _remade(
            opened, source, ("change id", "ci name (aff)", "emergency change", "change record close time"), _changed
        )
    if shape[0] == "activity":
        return _remade(opened, source, ("incident id", "incidentactivity_type"), _stepped)
    return opened


Rows = list[tuple[int, list[str]]]


def _remade(
    opened: Table, source: Source, needed: tuple[str, ...], change: Callable[[Rows, list[int]], list[str]]
) -> Table:
    """The table with columns that only all rows of a record together can say."""
    names = [fold(header) for header in opened.header]
    places = [names.index(name) if name in names else -1 for name in needed]
    rows = [(number, list(row)) for number, row in opened.project(range(len(opened.header)))]
    added = change(rows, places)
    return make_table(
        source,
        [*opened.header, *added],
        (row for _, row in rows),
        rejections=opened.rejections,
        numbers=[number for number, _ in rows],
    )


def _changed(rows: Rows, places: list[int]) -> list[str]:
    id, item, emergency, close = places
    services: dict[str, dict[str, None]] = defaultdict(dict)
    for _, row in rows:
        if item >= 0 and not blank(row[item]):
            services[row[id]][row[item].strip()] = None
    for _, row in rows:
        urgent = emergency >= 0 and fold(row[emergency]) in ("y", "yes", "1", "true")
        over = close >= 0 and not blank(row[close])
        kind, state = "emergency" if urgent else "normal", "closed" if over else "open"
        row += [_JOINT.join(services[row[id]]), kind, state, "change"]
    return [_SERVICES, _KIND, _STATE, _TYPE]


def _stepped(rows: Rows, places: list[int]) -> list[str]:
    """The state after each step: closed stays closed until it is opened again, whatever is noted besides."""
    id, step = places
    state: dict[str, str] = {}
    for _, row in rows:
        word = fold(row[step])
        if word in ("closed", "reopen", "open", "resolved"):
            state[row[id]] = {"reopen": "open"}.get(word, word)
        elif state.get(row[id], "open") == "open":
            state[row[id]] = "work in progress"
        row.append(state[row[id]])
    return [_STATE]


def _propose(opened: Table) -> list[Use]:
    shape = _shape(opened)
    if shape is None:
        return []
    uses = []
    for i, header in enumerate(opened.header):
        means = shape[1].get(fold(header))
        if means is None:
            continue
        separator = _JOINT if header == _SERVICES else None
        place = 1 if fold(header) == "close time" else 0
        unit = "s" if means is C.TIME_SPENT else None
        uses.append(known(i, header, means, "header of the documented table", 0.9, place, separator, unit))
    return uses


def _certainty(opened: Table, uses: list[Use]) -> float:
    return 0.9 if _shape(opened) and uses else 0.0


SERVICE_MANAGER = Reader(
    name="service-manager",
    system="HP Service Manager",
    open=_open,
    propose=_propose,
    certainty=_certainty,
    id_pattern=re.compile(r"[^\W\d_]+\d{3,}"),
    id_is="a number such as IM0000004",
    states={
        "open": Status.OPEN,
        "work in progress": Status.IN_PROGRESS,
        "resolved": Status.DONE,
        "closed": Status.DONE,
    },
    default_type="incident",
    verified=False,
)
