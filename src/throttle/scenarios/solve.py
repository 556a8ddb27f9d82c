"""Plans of many variants of one portfolio, found with the same effort and from each other's orders.

A search is not exact, so the difference of two plans is partly luck. Two things keep that small: each variant starts
from the plan of the portfolio as it is, in its own order where its dates do not fit; and what any search finds is tried
as an order on all others, so that nothing that one search has seen is missing in another (as in
:func:`throttle.bottleneck.value.resolved`).
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from throttle.batch.work import brief, pack, unpack
from throttle.check.fast import check_schedule
from throttle.compile import Compiled
from throttle.errors import InputError, NoPlanError, ThrottleError, VerificationError
from throttle.executors import Engine, open_executor, why_lost
from throttle.instance import Instance, Schedule
from throttle.lift import earliest_hidden, lower, settled
from throttle.planning import solve_portfolio, verified_plan
from throttle.solve import Settings, Solution, Solver
from throttle.solve.decoder import PLAIN_WORK, Decoder, work_of
from throttle_models import Finding, Plan, Portfolio

if TYPE_CHECKING:
    from throttle.instance import Floats, Ints

SAME = 1e-9
"""Relative difference up to which two costs are one."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How each plan is searched for; the same work each time (deterministic, one thread)."""

    budget: float = 2.0
    """Seconds that the work stands for."""
    seed: int = 1
    jobs: int = 1
    """Plans at once, each in a process; 1: in this one."""
    engine: str | None = None
    """Or ``dask://host:port``."""


EFFORT = Effort()
"""Unless said."""


@dataclass(frozen=True, slots=True)
class Solved:
    """A verified plan, or why there is none."""

    plan: Plan | None = None
    problem: str = ""

    @property
    def cost(self) -> float:
        """The objective; raises ValueError where there is no plan."""
        if self.plan is None:
            raise ValueError("there is no plan")
        return self.plan.certificate.objective.value


def bare(plan: Plan) -> Plan:
    """What of a plan another search starts from."""
    return plan.model_copy(update={"portfolio": None, "weeks": (), "loads": (), "releases": (), "holds": ()})


# --- one plan


def solve(
    portfolio: Portfolio, effort: Effort, starts: Sequence[Plan] = (), stop: threading.Event | None = None
) -> Plan:
    """The best verified plan found from the portfolio alone and from the orders of other plans of about the same work.

    Raises InputError, NoPlanError, VerificationError as :func:`throttle.planning.make_plan` does.
    """
    settings = Settings(budget=effort.budget, seed=effort.seed, workers=1, deterministic=True)
    # which occurrences of windows to open is searched for there, too
    whole = not starts or any(window.overhead for window in portfolio.windows.values())
    first = settings if whole else replace(settings, budget=LEAST)
    compiled, solution = solve_portfolio(portfolio, first, stop=stop, begin=starts[0].items if starts else None)
    if starts and not solution.proved:
        hint = _in_orders(compiled, starts, _cost(solution)) or solution.best
        again = Solver(compiled.instance, settings, hint, stop=stop).solve()
        if again.best is not None:
            again.best = settled(compiled.instance, again.best)
        solution = _better(solution, again, hint)
    return verified_plan(compiled, solution, settings)


def adopt(portfolio: Portfolio, plan: Plan, orders: Sequence[Plan], effort: Effort) -> Plan | None:
    """A verified plan in the order of one of the others that costs less than this plan; None where none does."""
    settings = Settings(budget=effort.budget, seed=effort.seed, workers=1, deterministic=True)
    compiled, solution = solve_portfolio(portfolio, replace(settings, budget=LEAST), begin=plan.items)
    cost = min(_cost(solution), plan.certificate.objective.value)
    found = _in_orders(compiled, orders, cost, own=plan)
    if found is None:
        return None
    goal, flow = plan.certificate.objective, plan.certificate.flow
    bounds = max(solution.bound, goal.bound), max(solution.flow_bound, flow.bound)
    told = replace(solution, best=found, bound=bounds[0], flow_bound=bounds[1], later=None)
    told.proved = bounds[0] >= found.cost - SAME * abs(found.cost)
    return verified_plan(compiled, told, settings)


def in_order_of(portfolio: Portfolio, order: Plan, effort: Effort) -> Plan | None:
    """A verified plan in the order of another, and with its people where they are there; None where there is none."""
    settings = Settings(budget=effort.budget, seed=effort.seed, workers=1, deterministic=True)
    compiled, solution = solve_portfolio(portfolio, replace(settings, budget=LEAST))
    found = _in_orders(compiled, [order], float("inf"))
    if found is None:
        return None
    proved = solution.bound >= found.cost - SAME * abs(found.cost)
    return verified_plan(compiled, replace(solution, best=found, proved=proved, later=None), settings)


LEAST = 1e-3
"""Seconds of work where only the rules are wanted."""


def _cost(solution: Solution) -> float:
    return solution.best.cost if solution.best is not None else float("inf")


def _better(one: Solution, other: Solution, found: Schedule | None) -> Solution:
    best = min((s for s in (one.best, other.best, found) if s is not None), key=lambda s: s.cost, default=None)
    if best is None:
        return other
    bound, flow_bound = max(one.bound, other.bound), max(one.flow_bound, other.flow_bound)
    proved = one.proved or other.proved or bound >= best.cost - SAME * abs(best.cost)
    return replace(one, best=best, bound=bound, flow_bound=flow_bound, proved=proved, later=None)


def _in_orders(compiled: Compiled, orders: Sequence[Plan], below: float, own: Plan | None = None) -> Schedule | None:
    """The cheapest schedule in the order of one of the plans, or that of its own dates; None where none costs less."""
    instance, best = compiled.instance, None
    limit = below - SAME * max(1.0, abs(below)) if below < float("inf") else below
    decoder = Decoder(instance, work_of(instance) > PLAIN_WORK)
    for plan in orders:
        tried = [lower(compiled, dict(plan.items))]
        if tried[0] is None or tried[0].cost >= limit or check_schedule(instance, tried[0]):
            key, crew = key_of(compiled, plan, own), crew_of(compiled, plan)
            tried = [decoder.decode(key, crew).schedule, decoder.decode(key).schedule]
        for found in tried:
            if found is not None and (found := settled(instance, found)).cost < limit:
                best, limit = found, found.cost - SAME * max(1.0, abs(found.cost))
    return best


def crew_of(compiled: Compiled, plan: Plan) -> Ints:
    """The people planned, but for those who are not there when they are to work; -1: whoever is best."""
    a, grid, slots = compiled.instance.arrays, compiled.grid, compiled.instance.slots
    number: dict[str, int] = {}
    for k, person in enumerate(compiled.instance.people):  # their further rows come later
        number.setdefault(person, k)
    crew = np.full(int(a.crew_ptr[-1]), -1, np.int64)
    for j, id in enumerate(compiled.instance.activities):
        item = plan.items.get(id)
        if item is None:
            continue
        for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
            able = set(a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist())
            seat = int(a.crew_ptr[q])
            for assigned in item.assignments:
                k = number.get(assigned.person, -1)
                if assigned.need != compiled.instance.needs[q] or k not in able or seat >= a.crew_ptr[q + 1]:
                    continue
                row = a.masks[a.person_mask[k]]
                pieces = [(max(0, grid.ceil(x)), min(slots, grid.ceil(y))) for x, y in assigned.work]
                if all(row[x:y].all() for x, y in pieces):
                    crew[seat] = k
                seat += 1
    return crew


def key_of(compiled: Compiled, plan: Plan, own: Plan | None) -> Floats:
    """By start; what only its own plan has, by that; what neither has, last."""
    a, ids, grid = compiled.instance.arrays, compiled.instance.activities, compiled.grid
    start = np.full(len(ids), 2 * compiled.instance.slots, np.int64)
    end = start.copy()
    for j, id in enumerate(ids):
        item = plan.items.get(id) or (own.items.get(id) if own is not None else None)
        if not id:
            start[j] = end[j] = earliest_hidden(a, j, start, end)
        elif item is not None:
            start[j], end[j] = grid.ceil(item.start), grid.ceil(item.finish)
    key = np.empty(len(ids))
    key[np.lexsort((end, start))] = np.arange(len(ids))
    return key


def costs_in_order(compiled: Compiled, plan: Plan, instances: Iterable[Instance] = ()) -> list[float | None]:
    """What a plan's order costs in its portfolio compiled anew, or on instances of it, with its people or others.

    None where something has no place.
    """
    key, crew = key_of(compiled, plan, None), crew_of(compiled, plan)
    found = []
    for instance in instances or [compiled.instance]:
        decoder = Decoder(instance, work_of(instance) > PLAIN_WORK)
        tried = (decoder.decode(key, crew).schedule, decoder.decode(key).schedule)
        found.append(min((s.cost for s in tried if s is not None), default=None))
    return found


# --- many


def solve_all(
    variants: Mapping[str, Portfolio],
    effort: Effort,
    start: Plan | None = None,
    *,
    share: bool = True,
    tell: Callable[[str], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> dict[str, Solved]:
    """A plan of each variant. ``share``: what one search finds is tried as an order on all the others.

    A variant without a plan says why. What ``stop`` ends early is left out.
    """
    stop = stop or threading.Event()
    packed = {name: pack(portfolio) for name, portfolio in variants.items()}
    starts = pickle.dumps((bare(start),) if start is not None else ())
    with ExitStack() as held:
        run = _runner(held, effort, stop)
        tasks = {name: (_solve_task, text, starts, effort) for name, text in packed.items()}
        found = dict(run(tasks, tell))
        plans = {name: one.plan for name, one in found.items() if one.plan is not None}
        if share and len(plans) > 1 and not stop.is_set():
            tell("trying what was found on the others")
            orders = _distinct([bare(plan) for plan in plans.values()])
            shared = pickle.dumps(tuple(orders))
            more = {
                name: (_adopt_task, packed[name], pickle.dumps(bare(plan)), shared, effort)
                for name, plan in plans.items()
                if plan.certificate.status != "optimal"
            }
            found |= {name: one for name, one in run(more, lambda _: None) if one.plan is not None}
    return {name: _with_portfolio(found[name], variants[name]) for name in variants if name in found}


def _distinct(plans: list[Plan]) -> list[Plan]:
    """Plans whose dates differ, the first of equal ones."""
    kept: dict[tuple[object, ...], Plan] = {}
    for plan in plans:
        kept.setdefault(tuple((id, item.start) for id, item in plan.items.items()), plan)
    return list(kept.values())


def _with_portfolio(solved: Solved, portfolio: Portfolio) -> Solved:
    if solved.plan is None:
        return solved
    return replace(solved, plan=solved.plan.model_copy(update={"portfolio": portfolio}))


def _solve_task(portfolio: bytes, starts: bytes, effort: Effort) -> Solved:
    made = Portfolio.model_validate_json(unpack(portfolio))
    return _told(lambda: solve(made, effort, pickle.loads(starts)))


def _adopt_task(portfolio: bytes, plan: bytes, orders: bytes, effort: Effort) -> Solved:
    made = Portfolio.model_validate_json(unpack(portfolio))
    own, others = pickle.loads(plan), pickle.loads(orders)
    return _told(lambda: adopt(made, own, others, effort))


def ordered_all(
    orders: Mapping[str, tuple[Portfolio, Plan]], effort: Effort, stop: threading.Event | None = None
) -> dict[str, Plan]:
    """A plan of each portfolio in the order of a plan; what has none is missing, and so is what ``stop`` cut off."""
    stop = stop or threading.Event()
    tasks = {name: (_ordered_task, pack(p), pickle.dumps(bare(order)), effort) for name, (p, order) in orders.items()}
    with ExitStack() as held:
        found = dict(_runner(held, effort, stop)(tasks, lambda _: None))
    named = {name: _with_portfolio(one, orders[name][0]).plan for name, one in found.items()}
    return {name: plan for name, plan in named.items() if plan is not None}


def _ordered_task(portfolio: bytes, order: bytes, effort: Effort) -> Solved:
    made, other = Portfolio.model_validate_json(unpack(portfolio)), pickle.loads(order)
    return _told(lambda: in_order_of(made, other, effort))


def _told(make: Callable[[], Plan | None]) -> Solved:
    try:
        plan = make()
    except (InputError, NoPlanError, VerificationError) as problem:
        return Solved(None, brief(problem))
    return Solved(plan.model_copy(update={"portfolio": None}) if plan is not None else None)


Task = tuple[object, ...]
Run = Callable[[Mapping[str, Task], Callable[[str], None]], Iterator[tuple[str, Solved]]]


def _runner(held: ExitStack, effort: Effort, stop: threading.Event) -> Run:
    """Runs tasks (a function and its arguments) here or over the executor; what ``stop`` cuts off is missing."""
    engine = None
    if effort.jobs > 1 or effort.engine is not None:
        engine = held.enter_context(open_executor(effort.engine, effort.jobs))

    def run(tasks: Mapping[str, Task], tell: Callable[[str], None]) -> Iterator[tuple[str, Solved]]:
        yield from run_tasks(tasks, engine, stop, tell)

    return run


def run_tasks(
    tasks: Mapping[str, tuple[object, ...]],
    engine: Engine | None,
    stop: threading.Event,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[str, Solved]]:
    """Results of tasks (a function and its arguments), in their order. Raises InputError where one was lost."""
    if engine is None:
        for k, (name, (function, *args)) in enumerate(tasks.items(), 1):
            if stop.is_set():
                return
            tell(f"{name}: {k} of {len(tasks)}")
            yield name, function(*args)  # type: ignore[operator]
        return
    waiting: dict[str, Future[Solved]] = {
        name: engine.submit(function, *args)  # type: ignore[arg-type]
        for name, (function, *args) in tasks.items()
    }
    for k, (name, future) in enumerate(waiting.items(), 1):
        while not stop.is_set():
            try:
                solved = future.result(timeout=LOOK_EVERY)
            except TimeoutError:
                if not future.done():
                    continue
                raise
            except ThrottleError:
                raise
            except Exception as problem:
                why = why_lost(problem) or f"it could not be run: {type(problem).__name__}"
                finding = Finding(level="error", code="lost", message=f"{name}: {why}")
                raise InputError([finding]) from None
            tell(f"{name}: {k} of {len(tasks)}")
            yield name, solved
            break
    if stop.is_set():
        for future in waiting.values():
            future.cancel()


LOOK_EVERY = 0.2
"""Seconds between looks at whether to stop."""
