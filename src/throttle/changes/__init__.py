"""The changes of a plan: which goes into which occurrence of which window, and how large batches should be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

from throttle.calendars import Calendars, Grid, as_of, end_of
from throttle.policies.conflicts import distances
from throttle.wording import iso_week
from throttle_models import Plan, PlannedItem, Portfolio
from throttle_models.changes import Blocked, ChangeCalendar, Curve, Occurrence, PlannedChange

MOST_HOPS = 2
"""Services count as near up to here where the policy does not say."""


def change_calendar(plan: Plan, portfolio: Portfolio, curves: Iterable[Curve] = ()) -> ChangeCalendar:
    """What the plan does with changes, in the order of time."""
    zone = ZoneInfo(plan.zone)
    hops = portfolio.policy.conflict_hops
    hops = MOST_HOPS if hops is None else hops
    near = _Near(portfolio, hops)
    inside: dict[tuple[datetime, datetime, str], list[str]] = {}
    outside: list[str] = []
    days: dict[date, list[str]] = {}
    for id, item in sorted(plan.items.items(), key=lambda entry: (entry[1].start, entry[0])):
        change = portfolio.work[id].change if id in portfolio.work else None
        if change is None:
            continue
        days.setdefault(item.start.astimezone(zone).date(), []).append(id)
        if item.window is not None and change.window is not None:
            inside.setdefault((*item.window, change.window), []).append(id)
        else:
            outside.append(id)
    occurrences = tuple(
        _occurrence(plan, portfolio, window, start, finish, ids, near, zone)
        for (start, finish, window), ids in sorted(inside.items())
    )
    return ChangeCalendar(
        as_of=plan.as_of,
        zone=plan.zone,
        unit=plan.currency,
        hops=hops,
        occurrences=occurrences,
        outside=tuple(planned_change(plan, portfolio, id) for id in outside),
        blocked=tuple(_blocked(plan, portfolio, set(inside), zone)),
        left_out={
            id: out.text for id, out in plan.unscheduled.items() if id in portfolio.work and portfolio.work[id].change
        },
        kept_apart=sum(near.pairs(plan.items, ids) for ids in days.values()),
        days={day: len(ids) for day, ids in days.items()},
        curves=tuple(curves),
    )


class _Near:
    """Which changes alter services at most so many hops apart."""

    def __init__(self, portfolio: Portfolio, hops: int) -> None:
        self._work = portfolio.work
        self._reach = {s: frozenset(away) for s, away in distances(portfolio, hops).items()}

    def pairs(self, items: Mapping[str, PlannedItem], ids: Iterable[str]) -> int:
        """How many pairs alter near services and do not overlap."""
        services = {
            id: frozenset(change.services) for id in ids if (change := self._work[id].change) and change.services
        }
        reach = {id: frozenset().union(*(self._reach[s] for s in own)) for id, own in services.items()}
        return sum(
            items[one].finish <= items[two].start or items[two].finish <= items[one].start
            for one, two in combinations(services, 2)
            if not reach[one].isdisjoint(services[two])
        )


def planned_change(plan: Plan, portfolio: Portfolio, id: str) -> PlannedChange:
    work, item = portfolio.work[id], plan.items[id]
    change = work.change
    return PlannedChange(
        item=id,
        title=work.title,
        start=item.start,
        finish=item.finish,
        services=change.services if change else (),
        risk=change.risk if change else None,
        people=tuple(dict.fromkeys(a.person for a in item.assignments)),
    )


def _occurrence(
    plan: Plan,
    portfolio: Portfolio,
    window: str,
    start: datetime,
    finish: datetime,
    ids: list[str],
    near: _Near,
    zone: ZoneInfo,
) -> Occurrence:
    rule = portfolio.windows[window]
    spans = []
    for id in ids:
        change = portfolio.work[id].change
        rollback = change.rollback if change and change.rollback else timedelta(0)
        spans.append((plan.items[id].start, plan.items[id].finish + rollback))
    return Occurrence(
        window=window,
        week=iso_week(start.astimezone(zone).date()),
        start=start,
        finish=finish,
        changes=tuple(planned_change(plan, portfolio, id) for id in ids),
        limit=rule.changes,
        risk=sum(change.risk or 0 for id in ids if (change := portfolio.work[id].change)),
        risk_limit=rule.risk,
        minutes=(finish - start) / timedelta(minutes=1),
        minutes_used=_covered(spans) / timedelta(minutes=1),
        kept_apart=near.pairs(plan.items, ids),
    )


def _covered(spans: Iterable[tuple[datetime, datetime]]) -> timedelta:
    """Length of the union."""
    total, until = timedelta(0), None
    for start, finish in sorted(spans):
        first = start if until is None else max(start, until)
        if finish > first:
            total += finish - first
            until = finish
    return total


def _blocked(
    plan: Plan, portfolio: Portfolio, used: set[tuple[datetime, datetime, str]], zone: ZoneInfo
) -> Iterator[Blocked]:
    """Occurrences up to the end of the plan that are not used and that a freeze touches, in the order of time."""
    last = end_of(plan)
    grid = Grid.of(portfolio, int((last - plan.as_of) / portfolio.slot) + 1)
    calendars = Calendars(portfolio, grid)
    asked = {item.change.window for item in portfolio.work.values() if item.change}
    now = as_of(portfolio)
    found = []
    freezes = [(f.from_.resolve(now, zone), f.to.resolve(now, zone, end_of_day=True), f) for f in portfolio.freezes]
    for window in portfolio.windows:
        if window not in asked or not freezes:
            continue
        for start, finish in calendars.occurrences(window, timedelta(0))[1]:
            if finish <= now or start >= last or (start, finish, window) in used:
                continue
            for first, until, freeze in freezes:
                if start < until and first < finish:
                    week = iso_week(start.astimezone(zone).date())
                    found.append(
                        Blocked(
                            window=window,
                            week=week,
                            start=start,
                            finish=finish,
                            services=freeze.services,
                            why=freeze.why,
                        )
                    )
                    break
    yield from sorted(found, key=lambda b: (b.start, b.window))
