"""A plan's items as flat JSON, for other programs: one object for each item, whatever became of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from throttle.exports.common import id_of, items_of, project_of
from throttle_models import Plan, PlannedItem, Portfolio, format_instant, with_inserted


def to_json(plan: Plan, portfolio: Portfolio, *, person: str | None = None) -> str:
    """``{"as_of", "zone", "currency", "input_hash", "items": [...]}`` with every field in every item; instants are UTC.

    ``state`` is ``scheduled``, ``unscheduled``, ``done`` or ``container``; ``hours`` are hours of people in all, and in
    ``people`` those of each. With a person, only the scheduled items that they work on.
    """
    items = item_rows(plan, portfolio, person)
    head = {
        "as_of": format_instant(plan.as_of),
        "zone": plan.zone,
        "currency": plan.currency,
        "input_hash": plan.certificate.input_hash,
    }
    fields = [f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in head.items()]
    rows = ",\n".join(f"  {json.dumps(item, ensure_ascii=False)}" for item in items)
    return "{\n" + ",\n".join(fields) + ',\n "items": [\n' + rows + "\n ]\n}\n"


def item_rows(plan: Plan, portfolio: Portfolio, person: str | None) -> list[dict[str, Any]]:
    """Every item once, the scheduled ones first. Raises as :class:`Writer` does."""
    portfolio = with_inserted(plan, portfolio)
    person = id_of(person, portfolio)
    items = [_item(key, "scheduled", portfolio, planned) for key, planned in items_of(plan, person)]
    if person is None:
        items += [
            _item(key, "unscheduled", portfolio) | {"reason": left.reason.value, "reason_text": left.text}
            for key, left in plan.unscheduled.items()
        ]
        items += [_item(key, "container", portfolio) for key in plan.containers]
        items += [_item(key, "done", portfolio) for key in plan.done]
    return items


def _item(key: str, state: str, portfolio: Portfolio, planned: PlannedItem | None = None) -> dict[str, Any]:
    item = portfolio.work.get(key)
    people: dict[str, float] = {}
    for given in planned.assignments if planned else ():
        worked = sum((last - first for first, last in given.work), timedelta())
        people[given.person] = people.get(given.person, 0.0) + worked / timedelta(hours=1) * given.allocation
    window = planned.window if planned else None
    return {
        "id": key,
        "title": item.title if item else "",
        "type": item.type.value if item else None,
        "project": project_of(key, portfolio),
        "parent": item.parent if item else None,
        "state": state,
        "start": format_instant(planned.start) if planned else None,
        "finish": format_instant(planned.finish) if planned else None,
        "hours": round(sum(people.values()), 6),
        "people": {name: round(hours, 6) for name, hours in people.items()},
        "window": [format_instant(moment) for moment in window] if window else None,
        "reason": None,
        "reason_text": None,
    }
