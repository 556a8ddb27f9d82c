"""Technical debt: interest as a cost of its item, for each week until it is paid (docs/plan.md, Costs).

I hours a week of a skill, until the item is done, are worth I x price. The price of an hour of the skill is what a
week's delay of all that waits for it costs, by the hours a week of those who hold it. With one queue of N hours behind
one person of H hours a week, it pays to work off P hours of debt first just if P / I < N / H: as if the interest took I
of the H hours, where the finish N / (H - I) compares with P / (H - I) + N / H.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from throttle.calendars import Calendars, Grid
from throttle.graph import HISTORY, WorkGraph, time_of
from throttle_models import Costs, Debt, Portfolio, Project, WorkItem
from throttle_models.references import dangling_references

if TYPE_CHECKING:
    from throttle.compile import Compiled
    from throttle_models import PlannedItem

WEEKS = 4
"""From as-of on, over which the hours a week of a skill are averaged."""
HOUR = timedelta(hours=1)
NOTHING = timedelta(0)


@dataclass(frozen=True)
class Prices:
    """What an hour of each skill that some debt takes is worth."""

    of: Mapping[str, float]
    unit: bool
    """Whether nothing in the portfolio has a rate, so that each activity counts 1 a week."""


def with_interest(portfolio: Portfolio) -> tuple[Portfolio, Prices | None]:
    """The same with interest as a further cost of flow of its item, and its prices; itself where there is none."""
    indebted = [id for id, item in portfolio.work.items() if item.interest and item.status not in HISTORY]
    if not indebted or dangling_references(portfolio):
        return portfolio, None
    graph = WorkGraph(portfolio)
    prices = prices_of(portfolio, graph)
    more = {id: cost_of(portfolio.work[id], prices.of) for id in indebted}
    if prices.unit:
        for id in graph.activities:
            more[id] = more.get(id, 0.0) + 1.0
    work = dict(portfolio.work)
    for id, rate in more.items():
        costs = work[id].costs or Costs()
        flow = (costs.flow or 0.0) + rate
        work[id] = work[id].model_copy(update={"costs": costs.model_copy(update={"flow": flow})})
    return portfolio.model_copy(update={"work": work}), prices


def cost_of(item: WorkItem, prices: Mapping[str, float]) -> float:
    """Interest of an item, in money a week."""
    return sum(hours / HOUR * prices[skill] for skill, hours in item.interest.items())


def prices_of(portfolio: Portfolio, graph: WorkGraph) -> Prices:
    """Of an hour of each skill that open debt takes; of a portfolio as it is written."""
    open_ = {id: item for id, item in portfolio.work.items() if item.status not in HISTORY}
    skills = dict.fromkeys(skill for item in open_.values() for skill in item.interest)
    grid = Grid.of(portfolio, int(timedelta(weeks=WEEKS) / portfolio.slot))
    calendars = Calendars(portfolio, grid)
    makespan = portfolio.policy.makespan or 0.0
    unit = not (
        makespan
        or any(_rate(p) or p.makespan for p in portfolio.projects.values())
        or any(_rate(i) or (i.costs and i.costs.earliness) for i in portfolio.work.values())
    )
    found = {}
    for skill in skills:
        asking = [id for id in graph.activities if _asks(portfolio.work[id], skill)]
        waiting: float = makespan if asking else 0.0
        if unit:
            waiting = float(len(asking))
        else:
            about = dict.fromkeys(i for id in asking for i in (id, *graph.ancestors(id)))
            projects = dict.fromkeys(p for id in asking if (p := graph.project_of(id)) is not None)
            waiting += sum(_rate(portfolio.work[i]) for i in about) + sum(
                _rate(portfolio.projects[p]) for p in projects
            )
        masks = (calendars.person(p) for p, person in portfolio.people.items() if skill in person.skills)
        hours = sum(float(mask.sum()) for mask in masks) * grid.minutes / 60 / WEEKS
        found[skill] = waiting / hours if hours else 0.0
    return Prices(found, unit)


def debts(compiled: Compiled, items: Mapping[str, PlannedItem]) -> dict[str, Debt]:
    """What open debts cost, and when they are paid."""
    prices = compiled.expanded.prices if compiled.expanded else None
    if prices is None:
        return {}
    portfolio, graph, week = compiled.portfolio, compiled.graph, timedelta(weeks=1)
    last = max((item.finish for item in items.values()), default=None)
    found = {}
    for id, item in portfolio.work.items():
        if not item.interest or item.status in HISTORY:
            continue
        members = graph.activities_in(id)
        hours = sum(_hours(portfolio.work[i]) for i in members)
        interest = {skill: amount / HOUR for skill, amount in item.interest.items()}
        rate, weekly = cost_of(item, prices.of), sum(interest.values())
        finish = max((items[i].finish for i in members if i in items), default=None)
        complete = bool(members) and all(i in items for i in members)
        found[id] = Debt(
            hours=round(hours, 4),
            interest=interest,
            price={skill: float(f"{prices.of[skill]:.9g}") for skill in interest},
            cost=round(rate, 6),
            payback_weeks=round(hours / weekly, 4) if weekly else None,
            finish=finish if complete else None,
            paid=round(rate * ((finish - compiled.grid.instant(0)) / week), 6) if finish and complete else None,
            horizon=last,
        )
    return found


def _hours(item: WorkItem) -> float:
    return sum(time_of(item, need) / HOUR * need.people * need.allocation for need in item.needs)


def _asks(item: WorkItem, skill: str) -> bool:
    return any(need.skill == skill and time_of(item, need) > NOTHING for need in item.needs)


def _rate(entity: WorkItem | Project) -> float:
    costs = entity.costs or Costs()
    return sum(filter(None, (entity.cost_of_delay, costs.tardiness, costs.flow)))
