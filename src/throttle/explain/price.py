"""What a local wish costs: one project, or item, put before all others, in the portfolio's own unit."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from throttle.bottleneck import replayed
from throttle.bottleneck.value import Replay
from throttle.compile import Compiled, compile_portfolio, rates_of
from throttle.errors import InputError
from throttle.graph import WorkGraph
from throttle.instance import Schedule, with_all_before
from throttle.lift import lift, settled
from throttle.planning import moving_cost, project_plans
from throttle.policies.inserted import expand
from throttle.solve import Settings, Solver
from throttle_models import Costs, Finding, Plan, Portfolio, Price, PricePaid, Project, WorkItem

if TYPE_CHECKING:
    pass

SEARCH = 2.0
"""Seconds of work."""
DOMINATES = 1000.0
"""A week of the first costs so many times a week of all others together."""


def price(plan: Plan, first: str, seconds: float = SEARCH, seed: int = 1) -> Price:
    """The plan with one project, or item, finished as soon as can be, and what that costs each of the others.

    It is searched for with a weight on its finish that dominates all else, from its own order and from the plan's with
    it first, and measured with the true rates. Raises InputError where the plan has no such project or item with work
    to plan, or does not carry its portfolio.
    """
    if plan.portfolio is None:
        raise _refused("no-portfolio", "this plan does not carry its portfolio; plan again without --no-portfolio")
    portfolio = expand(plan.portfolio).portfolio
    compiled, schedule = replayed(plan, portfolio)
    members = _members(compiled, first)
    found = _first(compiled, schedule, first, members, seconds, seed)
    before, after = (project_plans(compiled, lift(compiled, s)) for s in (schedule, found))
    paid = {
        name: PricePaid(
            title=entry.title,
            before=entry.cost,
            after=after[name].cost,
            finish_before=entry.finish,
            finish_after=after[name].finish,
        )
        for name, entry in before.items()
        if abs(after[name].cost - entry.cost) > 1e-6 or after[name].finish != entry.finish
    }
    paid = dict(sorted(paid.items(), key=lambda entry: (entry[1].before - entry[1].after, entry[0])))
    inside = {first, *(compiled.instance.activities[j] for j in members)}
    own = sum(p.after - p.before for name, p in paid.items() if name in inside)
    total = found.cost - schedule.cost
    moved = [moving_cost(compiled, lift(compiled, s)) for s in (schedule, found)]
    answer = Price(
        first=first,
        currency=plan.currency,
        before=schedule.cost,
        after=found.cost,
        own=round(own, 6),
        others=round(total - own, 6),
        moving=round(moved[1] - moved[0], 6),
        paid=paid,
    )
    return answer.model_copy(update={"text": _text(answer, inside)})


def _members(compiled: Compiled, first: str) -> list[int]:
    portfolio, graph = compiled.portfolio, compiled.graph
    if first not in portfolio.projects and first not in portfolio.work:
        near = get_close_matches(first, [*portfolio.projects, *portfolio.work], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise _refused("unknown-item", f"there is no project or work item {first} in this plan{hint}")
    ids = compiled.instance.activities
    if first in portfolio.projects:
        members = [j for j, id in enumerate(ids) if id and graph.project_of(id) == first]
    else:
        inside = set(graph.activities_in(first))
        members = [j for j, id in enumerate(ids) if id in inside]
    if not members:
        raise _refused("nothing-to-plan", f"{first} has no work in this plan, so nothing of it can come first")
    return members


def _first(
    compiled: Compiled, schedule: Schedule, first: str, members: list[int], seconds: float, seed: int
) -> Schedule:
    """A schedule in which the members end as soon as was found; its cost is that of the true rates."""
    weighted = compile_portfolio(
        _weighted(compiled.portfolio, first), WorkGraph(compiled.portfolio), compiled.grid.slots, compiled.unscheduled
    )
    replay = Replay(weighted.instance, schedule)
    instance = replay.instance
    start, end = schedule.start.copy(), schedule.end.copy()
    ahead = np.array(with_all_before(compiled.instance.arrays, members), np.int64)
    start[ahead] -= instance.slots
    hint = replay.decode(instance, replace(schedule, start=start, end=end), np.ones(len(schedule.crew), bool))
    settings = Settings(budget=seconds, seed=seed, deterministic=True)
    best = Solver(instance, settings, hint or replay.decode(instance)).solve().best
    if best is None:
        raise _refused("no-plan-with-it-first", f"no plan was found in which {first} comes first")
    best = settled(compiled.instance, best)
    from throttle.solve.kernels import kernels

    cost, flow = kernels(False).cost(compiled.instance.arrays, best.start, best.end)
    return Schedule(best.start, best.end, best.crew, float(cost), float(flow))


def _weighted(portfolio: Portfolio, first: str) -> Portfolio:
    """The portfolio in which each week until the first is finished costs more than all others together could."""
    holders: list[Project | WorkItem] = [*portfolio.projects.values(), *portfolio.work.values()]
    total = sum(sum(rates_of(holder)) for holder in holders) + (portfolio.policy.makespan or 0.0)
    count = 0.0 if total else len(portfolio.work) * 168.0
    table = "projects" if first in portfolio.projects else "work"
    entries = getattr(portfolio, table)
    costs = (entries[first].costs or Costs()).model_copy(update={"flow": DOMINATES * max(total, count, 1.0)})
    update = {table: {**entries, first: entries[first].model_copy(update={"costs": costs})}}
    return portfolio.model_copy(update=update)


def _text(found: Price, inside: set[str]) -> tuple[str, ...]:
    unit = found.currency

    def money(amount: float) -> str:
        return f"{amount:,.0f} {unit}".rstrip()

    net = found.after - found.before
    own = (
        f" and {'saves' if found.own < 0 else 'costs'} itself {money(abs(found.own))}" if abs(found.own) >= 0.5 else ""
    )
    whole = f"{money(abs(net))} {'more' if net >= 0 else 'less'} in all"
    now_and_then = f"{money(found.before)} now, {money(found.after)} then"
    lines = [f"{found.first} first costs all others {money(found.others)}{own}: {whole} ({now_and_then})."]
    for name, entry in found.paid.items():
        change = entry.after - entry.before
        mine = " (first)" if name in inside else ""
        moved = ""
        if entry.finish_before is not None and entry.finish_after is not None:
            days = (entry.finish_after - entry.finish_before).total_seconds() / 86400
            moved = f", {abs(days):.1f} days {'later' if days > 0 else 'earlier'}" if abs(days) >= 0.05 else ""
        lines.append(f"  {name}{mine}: {change:+,.0f} {unit}".rstrip() + moved)
    if abs(found.moving) >= 0.5:
        lines.append(f"  moving what was planned: {found.moving:+,.0f} {unit}".rstrip())
    rest = net - found.moving - sum(entry.after - entry.before for entry in found.paid.values())
    if abs(rest) >= 0.5:  # the length of the whole plan, or where nothing has a cost, all items alike
        lines.append(f"  of no project or item alone: {rest:+,.0f} {unit}".rstrip())
    if net < -0.5:
        lines.append("It is cheaper than the plan: replan from it with a longer budget.")
    return tuple(lines)


def _refused(code: str, message: str) -> InputError:
    return InputError([Finding(level="error", code=code, message=message)])
