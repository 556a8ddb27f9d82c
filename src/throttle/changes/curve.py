"""How large batches of changes should be: the closed form, and plans with batches of a few sizes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import inf, sqrt
from zoneinfo import ZoneInfo

from throttle.as_planned import as_planned
from throttle.calendars import Calendars, Grid
from throttle.compile import rates_of
from throttle.errors import InputError, NoPlanError
from throttle.graph import WorkGraph, is_in_progress
from throttle.lift import lower
from throttle.planning import feasible_instance, make_plan
from throttle.reasons import Reasons
from throttle.solve import Settings
from throttle_models import Days, Plan, Portfolio, Project, WorkItem
from throttle_models.changes import Batch, Curve

WEEK = timedelta(weeks=1)
FEW = 5
"""Sizes that are planned, unless said."""
SHOWN = 12
"""Least sizes of which the closed form is told."""


@dataclass(frozen=True)
class Batches:
    """What batches of changes cost a week, by their size Q: T D / Q + H Q / 2 + a p D Q.

    Harris, "How many parts to make at once" (1913); for batches of changes, and changes that fail together, Reinertsen,
    "The Principles of Product Development Flow" (2009). It assumes that changes come evenly and wait alike, and that a
    batch may go at any time.
    """

    demand: float
    """D: changes a week."""
    overhead: float
    """T: of one batch."""
    waiting: float
    """H: of a change, for each week that it waits."""
    failing: float = 0.0
    """a p: for each pair of changes in a batch."""

    def of(self, size: int) -> Batch:
        overhead = self.overhead * self.demand / size
        waiting = self.waiting * size / 2
        failing = self.failing * self.demand * size
        return Batch(size=size, overhead=overhead, waiting=waiting, failing=failing, total=overhead + waiting + failing)

    @property
    def best(self) -> float:
        """Q* = sqrt(2 T D / (H + 2 a p D)); inf where waiting and failing cost nothing."""
        slope = self.waiting + 2 * self.failing * self.demand
        return sqrt(2 * self.overhead * self.demand / slope) if slope > 0 else inf


@dataclass(frozen=True)
class Prices:
    """What the portfolio does not say; all in its currency."""

    overhead: float | None = None
    """Of one occurrence that is used; by default its hours of overhead at ``hour``."""
    hour: float = 0.0
    failing: float = 0.0


def batch_curve(
    plan: Plan,
    portfolio: Portfolio,
    window: str,
    prices: Prices,
    sizes: Sequence[int] | None = None,
    settings: Settings | None = None,
    tell: Callable[[str], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> Curve | None:
    """The curve of one window, or None where fewer than two of its changes are to be planned.

    ``settings``: how to plan with batches of some ``sizes`` (by default around the best); None: not at all.
    """
    ready = _ready(plan, portfolio, window)
    if len(ready) < 2:
        return None
    batches = Batches(
        demand=_demand(plan, ready),
        overhead=prices.overhead if prices.overhead is not None else _hours(portfolio, window) * prices.hour,
        waiting=_waiting(portfolio, ready),
        failing=prices.failing,
    )
    best = batches.best
    near = len(ready) if best == inf else min(max(1, round(best)), len(ready))
    asked = _sizes(near, len(ready)) if sizes is None else [size for size in sizes if 1 <= size <= len(ready)]
    shown = range(1, min(len(ready), max(SHOWN, 2 * near)) + 1)
    found = {size: batches.of(size) for size in sorted({*shown, *asked})}
    if settings is not None and batches.overhead > 0:
        for size in asked:
            if stop is not None and stop.is_set():
                break
            tell(f"a plan with batches of {size} in {window}")
            found[size] = _planned(portfolio, window, ready, found[size], batches.overhead, settings, stop)
    with_plan = [b for b in found.values() if b.planned is not None]
    chosen = min(with_plan, key=lambda b: (b.planned or 0.0, b.size)) if with_plan else None
    least = min(found.values(), key=lambda b: (b.total, b.size))
    return Curve(
        window=window,
        changes=len(ready),
        demand=batches.demand,
        overhead=batches.overhead,
        waiting=batches.waiting,
        failing=batches.failing,
        best=min(best, float(len(ready))),
        recommended=(chosen or least).size,
        batches=tuple(found.values()),
        text=_basis(portfolio, window, batches, prices),
    )


def _ready(plan: Plan, portfolio: Portfolio, window: str) -> dict[str, datetime]:
    """The changes of a window that are still to begin, by when each could: its dates and what it waits for in the plan.

    In the order of that time.
    """
    planned = as_planned(plan, portfolio)
    compiled = feasible_instance(planned, WorkGraph(planned))
    schedule = lower(compiled, dict(plan.items))
    causes = Reasons(compiled, schedule) if schedule is not None else None
    found: dict[str, datetime] = {}
    for j, id in enumerate(compiled.instance.activities):
        item = portfolio.work.get(id)
        if item is None or item.change is None or item.change.window != window or is_in_progress(item):
            continue
        slot = causes.bound(j)[0] if causes else int(compiled.instance.arrays.release[j])
        found[id] = compiled.grid.instant(slot)
    return dict(sorted(found.items(), key=lambda entry: entry[1]))


def _demand(plan: Plan, ready: Mapping[str, datetime]) -> float:
    """Changes a week: over the time in which they become ready, or are planned where all are ready at once."""
    moments = list(ready.values())
    span = moments[-1] - moments[0]
    if span >= WEEK:
        return (len(moments) - 1) / (span / WEEK)
    last = max((plan.items[id].finish for id in ready if id in plan.items), default=moments[-1])
    return len(moments) / max((last - plan.as_of) / WEEK, 1.0)


def _hours(portfolio: Portfolio, window: str) -> float:
    return sum(effort / timedelta(hours=1) for effort in portfolio.windows[window].overhead.values())


def _waiting(portfolio: Portfolio, ids: Iterable[str]) -> float:
    """What a week costs on average: a change's own rates, and its share of those of what contains it.

    Where nothing in the portfolio has a rate, each item counts 1 a week, as in the objective.
    """
    graph, work = WorkGraph(portfolio), portfolio.work
    holders: list[Project | WorkItem] = [*portfolio.projects.values(), *work.values()]
    if not any(sum(rates_of(holder)[:3]) for holder in holders):
        return 1.0
    inside: dict[str, int] = {}
    for id in graph.activities:
        for holder in (*graph.ancestors(id), graph.project_of(id)):
            if holder is not None:
                inside[holder] = inside.get(holder, 0) + 1
    values = []
    for id in ids:
        value = sum(rates_of(work[id])[:3])
        value += sum(sum(rates_of(work[box])[:3]) / inside[box] for box in graph.ancestors(id))
        if (project := graph.project_of(id)) is not None:
            value += sum(rates_of(portfolio.projects[project])[:3]) / inside[project]
        values.append(value)
    return sum(values) / len(values)


def _sizes(best: int, most: int) -> list[int]:
    """One, the best with its neighbours, and twice the best."""
    return sorted({1, max(1, best - 1), best, min(best + 1, most), min(2 * best, most)})[:FEW]


def _planned(
    portfolio: Portfolio,
    window: str,
    ready: Mapping[str, datetime],
    batch: Batch,
    overhead: float,
    settings: Settings,
    stop: threading.Event | None,
) -> Batch:
    """The same with the cost of a plan in which occurrences open when so many more changes are ready."""
    variant = opened(portfolio, window, list(ready.values()), batch.size)
    try:
        plan = make_plan(
            variant,
            budget=settings.budget,
            seed=settings.seed,
            workers=settings.workers,
            deterministic=True,
            stop=stop,
        )
    except (InputError, NoPlanError) as failure:
        return batch.model_copy(update={"text": failure.findings[0].message})
    used = {
        item.window
        for id, item in plan.items.items()
        if id in portfolio.work and (change := portfolio.work[id].change) and change.window == window
    }
    cost = plan.certificate.objective.value + overhead * len(used)
    return batch.model_copy(update={"planned": cost, "occurrences": len(used)})


def opened(portfolio: Portfolio, window: str, ready: Sequence[datetime], size: int) -> Portfolio:
    """The portfolio with at most ``size`` changes in an occurrence, and no occurrence before as many more are ready.

    ready: when each change could begin, in order. After the last batch, every occurrence is open.
    """
    rule = portfolio.windows[window]
    zone = ZoneInfo(rule.zone or portfolio.zone)
    waits = [ready[min(k + size, len(ready)) - 1] for k in range(0, len(ready), size)]
    grid = Grid.of(portfolio, int((waits[-1] - Grid.of(portfolio, 0).instant(0)) / portfolio.slot) + 1)
    far = Grid(grid.origin, grid.minutes, grid.slots + int(timedelta(weeks=len(waits) + 1) / portfolio.slot))
    begins = sorted(begin for begin, _ in Calendars(portfolio, far).occurrences(window, timedelta(0))[1])
    chosen: list[datetime] = []
    for moment in waits:
        later = (b for b in begins if b >= moment and (not chosen or b > chosen[-1]))
        if (begin := next(later, None)) is None:
            break
        chosen.append(begin)
    days = {begin.astimezone(zone).date() for begin in chosen}
    last = max(days, default=None)
    shut = sorted({day for b in begins if (day := b.astimezone(zone).date()) not in days and last and day < last})
    limit = size if rule.changes is None else min(size, rule.changes)
    told = rule.model_copy(update={"changes": limit, "closed": (*rule.closed, *_ranges(shut))})
    return portfolio.model_copy(update={"windows": {**portfolio.windows, window: told}})


def _ranges(days: Sequence[date]) -> list[Days]:
    """Days in order as few ranges."""
    found: list[list[date]] = []
    for day in days:
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1][1] = day
        else:
            found.append([day, day])
    return [Days(first=first, last=last) for first, last in found]


def _basis(portfolio: Portfolio, window: str, batches: Batches, prices: Prices) -> str:
    if batches.overhead > 0:
        return ""
    if prices.overhead is None and _hours(portfolio, window):
        return (
            "its hours of overhead have no price; say what an hour costs with --hour, or what one use does with --each"
        )
    return (
        f"no overhead is known; write windows.{window}.overhead and give --hour, or say what one use costs with --each"
    )
