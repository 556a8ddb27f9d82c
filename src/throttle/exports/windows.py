"""The change windows of a plan as iCalendar (RFC 5545): an event for each occurrence of a window that is used."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from throttle.exports.common import id_of, items_of, title_of
from throttle.exports.ics import calendar, event, uid
from throttle_models import Plan, Portfolio, with_inserted


def to_windows(plan: Plan, portfolio: Portfolio, *, person: str | None = None) -> str:
    """Who is needed, and which changes go in, in order. With a person, only the occurrences that they work in.

    An event keeps its UID while the window keeps its name and the occurrence its beginning, whatever goes into it.
    """
    portfolio = with_inserted(plan, portfolio)
    person = id_of(person, portfolio)
    used: dict[tuple[datetime, datetime, str], list[str]] = defaultdict(list)
    for key, planned in items_of(plan, person):
        item = portfolio.work.get(key)
        if planned.window is not None and item is not None and item.change is not None:
            used[*planned.window, item.change.window or ""].append(key)
    events = []
    for (first, last, window), keys in sorted(used.items()):
        lines = []
        services: dict[str, None] = {}
        for key in keys:
            change = portfolio.work[key].change
            people = dict.fromkeys(given.person for given in plan.items[key].assignments)
            names = [(portfolio.people[p].name if p in portfolio.people else "") or p for p in people]
            lines.append(f"{key} {title_of(key, portfolio)}".strip() + (f" ({', '.join(names)})" if names else ""))
            services |= dict.fromkeys(change.services if change else ())
        if services:
            lines.append(f"Services: {', '.join(services)}")
        count = f"{len(keys)} change" + ("s" if len(keys) > 1 else "")
        events.append(
            event(
                plan,
                uid("window", window, first.isoformat()),
                (first, last),
                summary=f"{window}: {count}" if window else count,
                description="\n".join(lines),
                category=window,
            )
        )
    return calendar(events)
