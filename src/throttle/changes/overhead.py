"""Overhead of windows: which occurrences to open, and the work for each (docs/plan.md, Inserted work).

Each occurrence that is used takes work of its own, so fewer and fuller ones cost less work and more waiting. Which to
open is searched for: from those that a plan without overhead uses, or as many or fewer later ones, one after the other
is closed for as long as the cost falls. Changes go into open ones only; one that stays unused is closed, and its
overhead is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property
from threading import Event
from zoneinfo import ZoneInfo

from throttle.calendars import Calendars
from throttle.compile import Compiled, compile_portfolio
from throttle.errors import InputError, NoPlanError
from throttle.graph import HISTORY, WorkGraph, holders
from throttle.lift import lift
from throttle.policies.inserted import Expanded
from throttle.policies.windows import is_overhead, overhead_id
from throttle.solve import Settings, Solution, Solver
from throttle_models import (
    Change,
    ChangeKind,
    Days,
    Estimate,
    Finding,
    InsertedItem,
    Need,
    Pin,
    PlannedItem,
    Portfolio,
    When,
    WorkItem,
    WorkType,
)

Open = Mapping[str, frozenset[date]]
"""Of each window with overhead, the local days on which occurrences may be used."""
Solve = Callable[[Expanded, Mapping[str, PlannedItem] | None, float, Compiled | None], tuple[Compiled, Solution]]
"""From a schedule, if it still fits, within a share of the budget, without what another instance leaves out."""
TRIES, LEAST_TRIES, ITEMS_TRIED = 60, 6, 60_000
"""Most sets of occurrences that are tried, and least; between them, so many that this many items are planned in all."""
BEGINS = 6
"""Different days from which on occurrences are tried."""
LITTLE = 0.01
"""Seconds of work for each."""
FIRST = 0.25
"""Share of the budget for the plan without overhead, and for a further one where some that are open stay unused."""


def with_overhead(portfolio: Portfolio) -> tuple[str, ...]:
    """Windows whose use takes work, and in which a change is still to be planned."""
    asked = {item.change.window for item in portfolio.work.values() if item.change and item.status not in HISTORY}
    return tuple(name for name, window in portfolio.windows.items() if window.overhead and name in asked)


def used_days(portfolio: Portfolio, items: Mapping[str, PlannedItem]) -> dict[str, frozenset[date]]:
    """The days on which occurrences begin in which changes run, of windows with overhead."""
    found: dict[str, set[date]] = {name: set() for name in with_overhead(portfolio)}
    for id, item in items.items():
        change = portfolio.work[id].change if id in portfolio.work else None
        if item.window is not None and change is not None and change.window in found:
            zone = ZoneInfo(portfolio.windows[change.window].zone or portfolio.zone)
            found[change.window].add(item.window[0].astimezone(zone).date())
    return {name: frozenset(days) for name, days in found.items()}


def opened(expanded: Expanded, days: Open) -> Expanded:
    """With the overhead of these days, and no occurrence on others."""
    portfolio = expanded.portfolio
    inserted, pins, windows = dict(expanded.inserted), list(portfolio.policy.pins), dict(portfolio.windows)
    work = dict(portfolio.work)
    for name, open_ in days.items():
        for day in sorted(open_):
            id = overhead_id(name, day)
            inserted[id] = InsertedItem(item=overhead(portfolio, name), of=name, kind="overhead")
            work[id] = inserted[id].item
            pins.append(Pin(work=id, window=name, on=When(text=day.isoformat())))
        first, last = date(1970, 1, 1), date(2199, 12, 31)
        shut = []
        for day in sorted(open_):
            if day > first:
                shut.append(Days(first=first, last=day - timedelta(days=1)))
            first = day + timedelta(days=1)
        shut.append(Days(first=first, last=last))
        windows[name] = windows[name].model_copy(update={"closed": (*windows[name].closed, *shut)})
    policy = portfolio.policy.model_copy(update={"pins": tuple(pins)})
    planned = portfolio.model_copy(update={"work": work, "policy": policy, "windows": windows})
    return replace(expanded, portfolio=planned, inserted=inserted)


def open_after(portfolio: Portfolio) -> Portfolio:
    """What :func:`opened` made, with all occurrences after the last one that is used open again: for who is late."""
    windows = dict(portfolio.windows)
    for name in with_overhead(portfolio):
        windows[name] = windows[name].model_copy(update={"closed": windows[name].closed[:-1]})
    return portfolio.model_copy(update={"windows": windows})


def overhead(portfolio: Portfolio, window: str) -> WorkItem:
    """The work that using one occurrence takes: one person of each skill, in the occurrence."""
    return WorkItem(
        title=f"Overhead of {window}",
        type=WorkType.INTERNAL,
        change=Change(kind=ChangeKind.STANDARD, window=window),
        needs=tuple(
            Need(skill=skill, effort=Estimate(low=effort, likely=effort, high=effort))
            for skill, effort in portfolio.windows[window].overhead.items()
        ),
    )


def choose_open(
    expanded: Expanded, settings: Settings, solve: Solve, start: Mapping[str, PlannedItem] | None = None
) -> tuple[Compiled, Solution]:
    """A solution in which just the open occurrences are used. Raises what ``solve`` does, InputError and NoPlanError.

    Its bounds are those of the portfolio without overhead, which hold whatever is open.
    """
    _check(expanded)
    portfolio = expanded.portfolio
    free, found = solve(expanded, start, FIRST if with_overhead(portfolio) else 1.0, None)
    if not any(used_days(portfolio, _items(free, found)).values()):
        return free, found
    search = _Search(expanded, free, found, settings.seed)
    days = search.settle(used_days(portfolio, _items(free, found)))
    compiled, solution = solve(opened(expanded, days), start, 1.0 - FIRST, free)
    while True:
        items = _items(compiled, solution)
        used = used_days(portfolio, items)
        if used == days:
            solution.bound, solution.flow_bound = found.bound, found.flow_bound
            solution.proved = solution.best is not None and found.bound >= solution.best.cost * (1 - 1e-9)
            return compiled, solution
        days = used
        compiled, solution = solve(opened(expanded, days), items, FIRST, free)


class _Search:
    """Which occurrences to open, by quick schedules."""

    def __init__(self, expanded: Expanded, free: Compiled, found: Solution, seed: int) -> None:
        """free and found: without overhead."""
        self.expanded, self.free = expanded, free
        last = int(found.best.end.max(initial=0)) if found.best is not None else 0
        self.until = free.grid.instant(last).date() + timedelta(days=1)
        self.settings = Settings(budget=LITTLE, seed=seed, workers=1, deterministic=True)
        self.tries = min(TRIES, max(LEAST_TRIES, ITEMS_TRIED // max(1, free.instance.n)))
        """How many are left."""
        self.tried: dict[str, date] = {}
        """The last day of each window that was opened because there was no room."""

    def settle(self, days: Open) -> Open:
        """From these days, one after the other closed while the cost falls. Raises NoPlanError."""
        best = self.schedule(days) or self.schedule(days := self.possible(days))
        for ahead in (1, 2, 4, 8, 16):
            best = best or self.schedule(days := self.later(days, ahead))
        for other in self.later_on(days) if best is None else ():
            best = best or self.schedule(self.possible(other))  # more days also mean more overhead
        if best is None:
            raise NoPlanError([_none(with_overhead(self.expanded.portfolio))])
        cost, load = best
        for other in self.later_on(days):
            found = self.schedule(other) if self.tries > 0 else None
            if found is not None and found[0] < cost - 1e-9 * abs(cost):
                cost, load = found
        improved = True
        while improved:
            improved = False
            for name, day in sorted(load, key=lambda key: (load[key], key)):
                if self.tries <= 0:
                    break
                fewer = {w: frozenset(d for n, d in load if n == w and (n, d) != (name, day)) for w in days}
                found = self.schedule(fewer)
                if found is not None and found[0] < cost - 1e-9 * abs(cost):
                    (cost, load), improved = found, True
                    break
        return {w: frozenset(d for n, d in load if n == w) for w in days}

    def schedule(self, days: Open) -> tuple[float, dict[tuple[str, date], int]] | None:
        """The cost of a quick schedule and the changes on each day that is used, or None where there is none."""
        self.tries -= 1
        one = opened(self.expanded, days)
        slots, out = self.free.grid.slots, self.free.unscheduled
        compiled = compile_portfolio(one.portfolio, WorkGraph(one.portfolio), slots, out)
        if compiled.unscheduled.keys() != out.keys():
            return None
        best = Solver(compiled.instance, self.settings, None, None, Event()).solve().best
        if best is None:
            return None
        load: dict[tuple[str, date], int] = {}
        for id, item in lift(compiled, best).items():
            if id in self.expanded.portfolio.work:
                for name, used in used_days(self.expanded.portfolio, {id: item}).items():
                    for day in used:
                        load[name, day] = load.get((name, day), 0) + 1
        return best.cost, load

    def possible(self, days: Open) -> Open:
        """Without those on which nobody has time for the overhead."""
        from throttle.planning import impossible  # it chooses by this

        one = opened(self.expanded, days)
        compiled = compile_portfolio(
            one.portfolio, WorkGraph(one.portfolio), self.free.grid.slots, self.free.unscheduled
        )
        never = impossible(compiled)
        return {w: frozenset(d for d in some if overhead_id(w, d) not in never) for w, some in days.items()}

    def later(self, days: Open, ahead: int) -> Open:
        """With so many more days of each window, after those that are open."""
        found = {}
        for name, some in days.items():
            after = max({*some, self.tried.get(name, date.min)})
            more = [day for day in self.days[name] if day > after][:ahead]
            self.tried[name] = max(more, default=after)
            found[name] = some | frozenset(more)
        return self.possible(found)

    def later_on(self, days: Open) -> Iterator[Open]:
        """As many days as these, half as many, and one of each window, from some later days on."""
        counts = {len(some) for some in days.values()}
        most = max(counts, default=0)
        for share in range(BEGINS):
            for count in dict.fromkeys((most, -(-most // 2), 1)):
                found = {}
                for name, some in days.items():
                    ahead = [d for d in self.days[name] if d >= min(some, default=date.min)]
                    inside = [d for d in ahead if d <= self.until] or ahead[:1]
                    at = share * (len(inside) - 1) // max(1, BEGINS - 1)
                    found[name] = frozenset(ahead[at : at + count])
                if found != days:
                    yield found

    @cached_property
    def days(self) -> dict[str, list[date]]:
        """Of each window with overhead, those on which an occurrence begins that is not over."""
        portfolio, found = self.expanded.portfolio, {}
        calendars, now = Calendars(portfolio, self.free.grid), self.free.grid.instant(0)
        for name in with_overhead(portfolio):
            zone = ZoneInfo(portfolio.windows[name].zone or portfolio.zone)
            spans = calendars.occurrences(name, timedelta(0))[1]
            found[name] = sorted({begin.astimezone(zone).date() for begin, end in spans if end > now})
        return found


def _items(compiled: Compiled, solution: Solution) -> dict[str, PlannedItem]:
    return lift(compiled, solution.best) if solution.best is not None else {}


def _check(expanded: Expanded) -> None:
    """Raise InputError where nobody can do the overhead, or its ids are taken."""
    portfolio, problems = expanded.portfolio, []
    for name in with_overhead(portfolio):
        for skill in portfolio.windows[name].overhead:
            if not holders(portfolio, skill, 1, ()):
                message = f"windows.{name}.overhead: nobody holds {skill}, so no occurrence can be used"
                problems.append(Finding(level="error", code="overhead-nobody", ids=(name,), message=message))
        for id in portfolio.work:
            if is_overhead(id, name):
                message = f"work.{id}: this id is kept for the overhead of window {name}; rename it"
                problems.append(Finding(level="error", code="id-twice", ids=(id,), message=message))
    if problems:
        raise InputError(problems)


def _none(windows: tuple[str, ...]) -> Finding:
    message = (
        f"found no occurrences of {', '.join(windows)} in which there is room for the changes and people for the "
        "overhead; widen the window or their hours, or lower windows.*.overhead"
    )
    return Finding(level="error", code="no-plan-found", ids=windows, message=message)
