"""What a plan changes of the records that its items were read from, for the tables that write it back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from throttle.errors import InputError
from throttle.exports.common import id_of, items_of
from throttle.ingest.identity import spelling
from throttle.ingest.values import fold
from throttle_models import Finding, Plan, Portfolio, Source, When


@dataclass(frozen=True, slots=True)
class Change:
    """One record: what it says now, as far as its export said, and what the plan says."""

    item: str
    source: Source
    old_start: datetime | None
    old_end: datetime | None
    old_assignee: str
    updated: datetime | None
    start: datetime
    end: datetime
    assignees: tuple[str, ...]
    """Names of those whom the plan puts on it, in its order; none for a wait."""
    stays: bool
    """Whether the old assignee is among them, however the system writes them."""
    window: tuple[datetime, datetime] | None

    @property
    def assignee(self) -> str:
        """The first of them; the old one where they are among them, so that nothing changes without need."""
        return self.old_assignee if self.stays else next(iter(self.assignees), "")


def changes(plan: Plan, portfolio: Portfolio, system: str, person: str | None) -> Iterator[Change]:
    """Scheduled items that were read from the system and whose dates or assignee the plan changes.

    Raises InputError where no item of the portfolio was read from it, and as :class:`Writer` does.
    """
    person = id_of(person, portfolio)
    if not any(item.source and item.source.system == system for item in portfolio.work.values()):
        message = (
            f"no item of this plan was read from {system}, so there is nothing to write back to it: make the plan from "
            f"an export of {system}, or choose another --format"
        )
        raise InputError([Finding(level="error", code="nothing-to-write-back", message=message)])
    zone = ZoneInfo(portfolio.zone)
    spelled = _spellings(portfolio, system)

    def moment(when: When | None) -> datetime | None:
        return when.resolve(plan.as_of, zone) if when is not None else None

    for key, planned in items_of(plan, person):
        item = portfolio.work.get(key)
        if item is None or item.source is None or item.source.system != system:
            continue
        source = item.source
        people = dict.fromkeys(given.person for given in planned.assignments)
        names = tuple(
            spelled.get(p) or (portfolio.people[p].name if p in portfolio.people else "") or p for p in people
        )
        written = {_plain(text): p for p in people for text in (*_written(portfolio, p), spelled.get(p, ""))}
        there = {written.get(_plain(one)) for one in (source.assignee or "").split(";")}
        found = Change(
            item=key,
            source=source,
            old_start=moment(source.planned_start or item.wanted_start),
            old_end=moment(source.planned_end),
            old_assignee=source.assignee or "",
            updated=moment(source.updated),
            start=planned.start,
            end=planned.finish,
            assignees=names,
            stays=bool(source.assignee) and None not in there,
            window=planned.window,
        )
        if (found.old_start, found.old_end, found.old_assignee) != (found.start, found.end, found.assignee):
            yield found


def _spellings(portfolio: Portfolio, system: str) -> dict[str, str]:
    """How the system writes people, from work that is one person's there: ``Ann Lee (alee)``."""
    found: dict[str, str] = {}
    for item in portfolio.work.values():
        people, source = {who for need in item.needs for who in need.who}, item.source
        if len(people) == 1 and source and source.system == system and source.assignee and ";" not in source.assignee:
            found.setdefault(people.pop(), source.assignee)
    return found


def _written(portfolio: Portfolio, id: str) -> tuple[str, ...]:
    """A person's name, and the other ways in which exports write them."""
    name = portfolio.people[id].name if id in portfolio.people else ""
    return (name or id, *portfolio.reading.aliases.get(id, ()))


def _plain(written: str) -> str:
    """``Lee, Ann`` as ``Ann Lee``."""
    return fold(spelling(written).shown)
