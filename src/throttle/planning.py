"""Portfolio to verified plan: compile, solve, lift, check. The one path that every command takes."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from importlib.metadata import version
from math import inf
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from throttle.buffers.chains import Chains
from throttle.buffers.fever import fever_of
from throttle.calendars import as_of
from throttle.check import check
from throttle.check.fast import check_schedule
from throttle.collector import collector_resting
from throttle.compile import Compiled, compile_portfolio, horizon_guess, most_slots, prepared, rates_of
from throttle.drum import name_drum
from throttle.errors import InputError, InterruptedWithoutPlanError, NoPlanError, VerificationError
from throttle.files import portfolio_hash
from throttle.graph import WorkGraph, is_in_progress, portfolio_findings
from throttle.instance import FS, SS, WORKING, Arrays, Instance, Schedule
from throttle.lift import lift, lower, settled
from throttle.loads import Loads, week_of
from throttle.policies.debt import debts
from throttle.policies.inserted import Expanded
from throttle.policies.overrides import override_notes
from throttle.policies.stability import frozen_pins, movings
from throttle.reasons import Cause, Reasons
from throttle.solve import Progress, Settings, Solution, Solver, relative_gap
from throttle.solve.bounds import Network
from throttle.solve.rules import Facts
from throttle.subordinate import MOST, share, subordinate
from throttle.wording import some
from throttle.worked import count_in, lengths
from throttle_models import (
    Certificate,
    Finding,
    Goal,
    Hold,
    Move,
    Pace,
    Plan,
    PlannedItem,
    PlanStatus,
    Portfolio,
    Previous,
    Project,
    ProjectPlan,
    Reason,
    Release,
    Unscheduled,
    Week,
    WorkItem,
    format_instant,
)

if TYPE_CHECKING:
    from throttle.instance import Bools

PLAIN_SLOTS = 100_000
"""Up to so many slots x squares of crews, trying activities alone is quicker in plain Python than loading numba."""
IDLE_DAYS = 60
LONG_LAGS = 0.1
"""Lags of working time that come to this share of the horizon together are looked at before any search."""
NOT_NEEDED = Cause(Reason.LATE, "starts late: nothing needs it sooner, with the buffer that the policy keeps")
CARRIED_ITEMS = 10_000
"""Up to so many work items, a plan carries the portfolio that it was made from."""


def make_plan(
    portfolio: Portfolio,
    *,
    budget: float = 10.0,
    seed: int = 1,
    workers: int = 2,
    deterministic: bool = False,
    previous: Plan | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    better: Callable[[Callable[[], Plan]], None] | None = None,
) -> Plan:
    """The best plan found within ``budget`` seconds, verified by the independent checker.

    ``previous`` is where the search starts if it still fits. ``stop`` ends the search early and keeps the best.
    ``better`` is called while the search goes on, with what makes a verified plan of the best so far (as this function
    does at its end; it may be called later, and in another thread); not where overhead of windows is searched for.
    Raises InputError (nothing can be planned as written), NoPlanError (no feasible plan found),
    InterruptedWithoutPlanError, VerificationError (a defect: the plan breaks a rule).
    """
    settings = Settings(budget=budget, seed=seed, workers=workers, deterministic=deterministic)
    reports = _Reports(progress, better)
    compiled, solution = solve_portfolio(portfolio, settings, previous, reports, stop)
    return verified_plan(compiled, solution, settings, previous, reports.phase)


def solve_portfolio(
    portfolio: Portfolio,
    settings: Settings,
    previous: Plan | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    begin: Mapping[str, PlannedItem] | None = None,
) -> tuple[Compiled, Solution]:
    """The first half of ``make_plan``: a solution on arrays, and what lifts it. Raises what that does.

    begin: where the search begins if it fits, in place of the previous plan, and without being one in force.
    """
    stop = stop or threading.Event()
    with collector_resting():
        expanded, graph = prepared(portfolio)
    later = share(settings.budget) if len(graph.activities) <= MOST else 0.0
    first = replace(settings, budget=settings.budget - later)
    reports = progress if isinstance(progress, _Reports) else _Reports(progress)
    begin = previous.items if begin is None and previous else begin
    compiled, solution = _solved(expanded, graph, first, previous, begin, reports, stop)
    if solution.best is not None:
        with collector_resting():
            ceiling = solution.greedy.cost if solution.greedy else inf
            found = subordinate(compiled, solution.best, replace(settings, budget=later), previous, stop, ceiling)
        if found.schedule is not solution.best:
            solution.method.append("subordination")
        solution.best, solution.later = found.schedule, found
        reports.done(solution.best.cost, solution.gap)
    return compiled, solution


def _solved(
    expanded: Expanded,
    graph: WorkGraph,
    settings: Settings,
    previous: Plan | None,
    begin: Mapping[str, PlannedItem] | None,
    progress: Callable[[Progress], None] | None,
    stop: threading.Event,
) -> tuple[Compiled, Solution]:
    """The least cost, also where which occurrences of windows to open is part of the question."""
    if not any(window.overhead for window in expanded.portfolio.windows.values()):
        if isinstance(progress, _Reports):
            progress.of_the_whole(previous)
        return _solve(expanded, graph, settings, begin, progress, stop)
    from throttle.changes.overhead import choose_open  # it plans by this

    def solve(
        some: Expanded, start: Mapping[str, PlannedItem] | None, share: float, free: Compiled | None
    ) -> tuple[Compiled, Solution]:
        within = replace(settings, budget=settings.budget * share)
        return _solve(some, WorkGraph(some.portfolio), within, start, progress, stop, free)

    return choose_open(expanded, settings, solve, begin)


def _solve(
    expanded: Expanded,
    graph: WorkGraph,
    settings: Settings,
    start: Mapping[str, PlannedItem] | None,
    progress: Callable[[Progress], None] | None,
    stop: threading.Event,
    like: Compiled | None = None,
) -> tuple[Compiled, Solution]:
    """On a horizon that is long enough. start: where the search starts if it fits; like: what leaves out the same."""
    with collector_resting():
        portfolio = expanded.portfolio
        if like is None:
            compiled = feasible_instance(portfolio, graph)
        else:
            compiled = compile_portfolio(portfolio, graph, like.grid.slots, like.unscheduled)
        if late := _pins_too_early(compiled):
            raise NoPlanError([*late, *conflict_of(compiled)])
        compiled = _room_for_lags(compiled)
    slots, most = compiled.grid.slots, most_slots(portfolio)
    while True:
        hint = lower(compiled, dict(start)) if start else None
        if hint is not None and check_schedule(compiled.instance, hint):
            hint = None
        if portfolio.planned:
            hint = nearest_to_plan(compiled, start or {}, hint)
        solver = Solver(compiled.instance, settings, hint, progress, stop)
        if isinstance(progress, _Reports):
            progress.follow(solver, compiled, expanded)
        solution = solver.solve()
        if solution.best is not None:
            solution.best = settled(compiled.instance, solution.best)
            return expanded_from(compiled, expanded), solution
        if stop.is_set():
            raise InterruptedWithoutPlanError(
                [Finding(level="error", code="interrupted", message="interrupted before a first plan was found")]
            )
        out = dict(compiled.unscheduled)
        if slots >= most:
            unreachable = beyond(compiled)
            if not unreachable:
                raise NoPlanError(_no_plan(compiled, solution))
            out |= unreachable
        slots = min(most, slots * 3)
        compiled = compile_portfolio(portfolio, graph, slots, out)


def expanded_from(compiled: Compiled, expanded: Expanded) -> Compiled:
    """With what was inserted; what waits for inserted work that is left out says which rule asks for it."""
    out = dict(compiled.unscheduled)
    for id, left in out.items():
        asked = expanded.inserted.get(left.refs[0]) if left.reason is Reason.UNSCHEDULED else None
        if asked is not None and asked.of == id:
            text = f"{left.text}; {', '.join(asked.names) or asked.kind} asks for it"
            out[id] = left.model_copy(update={"text": text})
    return replace(compiled, unscheduled=out, expanded=expanded)


def nearest_to_plan(compiled: Compiled, start: Mapping[str, PlannedItem], hint: Schedule | None) -> Schedule | None:
    """The best of a schedule and those that change the plan in force least."""
    from throttle.frozen import repaired  # it compiles, as this does

    for repair in repaired(compiled, start):
        if repair.better(hint) and not check_schedule(compiled.instance, repair):
            hint = repair
    return hint


def verified_plan(
    compiled: Compiled,
    solution: Solution,
    settings: Settings,
    previous: Plan | None = None,
    phase: Callable[[str], None] = lambda _: None,
) -> Plan:
    """The second half: lifted, told, and verified by the independent checker. Raises VerificationError.

    ``phase`` is called with "lift" and "check" when these begin.
    """
    with collector_resting():
        phase("lift")
        plan = build_plan(compiled, solution, settings, previous)
        phase("check")
        verdict = check(plan, compiled.written, previous)
    if not verdict.ok:
        raise VerificationError(verdict)
    return plan


class _Reports:
    """Passes the solver's reports of progress on, and goes on where the last of them stood."""

    def __init__(
        self, to: Callable[[Progress], None] | None, better: Callable[[Callable[[], Plan]], None] | None = None
    ) -> None:
        self._to, self._better = to, better
        self._last: tuple[float, Progress] | None = None
        self._solver: tuple[Solver, Compiled, Expanded] | None = None
        self._told: Schedule | None = None
        self._previous: Plan | None = None
        self._whole = False

    def __call__(self, now: Progress) -> None:
        self._pass_on(now)
        if self._better is not None and self._solver is not None:
            self._tell_better(*self._solver)

    def _pass_on(self, now: Progress) -> None:
        self._last = time.monotonic(), now
        if self._to is not None:
            self._to(now)

    def of_the_whole(self, previous: Plan | None) -> None:
        """What the solvers are asked from now on is what the plan is for, and no part of it."""
        self._whole, self._previous = True, previous

    def follow(self, solver: Solver, compiled: Compiled, expanded: Expanded) -> None:
        """Tell of what this solver finds."""
        self._solver = (solver, compiled, expanded) if self._whole else None

    def _tell_better(self, solver: Solver, compiled: Compiled, expanded: Expanded) -> None:
        best, previous = solver.solution.best, self._previous
        if best is None or best is self._told or self._better is None:
            return
        self._told = best
        now = replace(solver.solution, method=list(solver.solution.method))

        def plan() -> Plan:
            found = replace(now, best=settled(compiled.instance, best))
            return verified_plan(expanded_from(compiled, expanded), found, solver.settings, previous)

        self._better(plan)

    def phase(self, name: str) -> None:
        if self._last is not None:
            at, last = self._last
            self._pass_on(replace(last, seconds=last.seconds + time.monotonic() - at, phase=name))

    def done(self, cost: float, gap: float) -> None:
        """Say what it came to where the goals after the cost have changed it."""
        if self._last is not None and self._last[1].incumbent != cost:
            at, last = self._last
            self._last = at, replace(last, incumbent=cost, gap=gap)
            self.phase("done")


def feasible_instance(portfolio: Portfolio, graph: WorkGraph) -> Compiled:
    """Compile without the items that no crew, window or horizon could ever take, even if they were the only ones."""
    slots = horizon_guess(portfolio, graph)
    compiled = compile_portfolio(portfolio, graph, slots)
    if impossible(compiled):
        widest = compile_portfolio(portfolio, graph, most_slots(portfolio))
        if out := impossible(widest):
            compiled = compile_portfolio(portfolio, graph, slots, out)
    return compiled


def _room_for_lags(compiled: Compiled) -> Compiled:
    """On a horizon that links with long lags of working time leave room in: no search finds a place without.

    Such a lag passes no faster than for the one who works most of those who can take a seat. Raises InputError where
    one does not pass in all the years that a plan looks ahead.
    """
    a, slots = compiled.instance.arrays, compiled.grid.slots
    if int(a.lag[(a.lag_kind == WORKING) & (a.lag > 0)].sum()) < LONG_LAGS * slots:
        return compiled
    most = most_slots(compiled.portfolio)
    widest = compile_portfolio(compiled.portfolio, compiled.graph, most, compiled.unscheduled)
    a, order = widest.instance.arrays, Facts(widest.instance).order
    opened = np.zeros((len(a.masks), most + 1), np.int64)
    np.cumsum(a.masks, axis=1, out=opened[:, 1:])
    least = lengths(a)
    begin = np.maximum(a.release, 0)
    buffers = widest.portfolio.policy.buffers
    # beyond a drum buffer work is left out, and the plan says so
    buffered = widest.drum.minutes if widest.drum and buffers and buffers.drum else {}
    for j in order:
        needs = range(int(a.need_ptr[j]), int(a.need_ptr[j + 1]))
        able = [np.unique(a.person_mask[a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]]]).tolist() for q in needs]
        for e in range(int(a.pred_ptr[j]), int(a.pred_ptr[j + 1])):
            if a.pred_type[e] not in (FS, SS) or a.exempt[j]:
                continue
            i, lag = int(a.pred[e]), int(a.lag[e])
            origin = min(most, int(begin[i] + (least[i] if a.pred_type[e] == FS else 0)))
            at = max(0, origin + min(0, lag)) if a.lag_kind[e] == WORKING else origin + lag
            if a.lag_kind[e] == WORKING and lag > 0:
                at = max(
                    (min(int(np.searchsorted(opened[m], opened[m][origin] + lag)) for m in rows) for rows in able),
                    default=origin + lag,
                )
                if at >= most and widest.instance.activities[j] not in buffered:
                    raise _lag_too_long(widest, i, j, lag)
            begin[j] = max(begin[j], at)
    last = int((begin + least).max(initial=0))
    if last <= slots:
        return compiled
    return compile_portfolio(compiled.portfolio, compiled.graph, min(most, last + slots), compiled.unscheduled)


def _lag_too_long(compiled: Compiled, i: int, j: int, lag: int) -> InputError:
    ids, grid = compiled.instance.activities, compiled.grid
    before, after = (ids[k] or "the end of what it contains" for k in (i, j))
    message = (
        f"{after} may begin {lag * grid.weeks * 168:,.6g} h at work after {before} (work.{after}.after), and none "
        f"of those who can do it is at work so long before {grid.instant(grid.slots):%Y-%m-%d}, the end of what a plan "
        "looks at; write a shorter lag, or lag_in: elapsed where it passes by the clock"
    )
    return InputError([Finding(level="error", code="lag-too-long", ids=(after, before), message=message)])


def impossible(compiled: Compiled) -> dict[str, Unscheduled]:
    """Items that have no place before the horizon even when nothing else is there, with the reason."""
    a, instance = compiled.instance.arrays, compiled.instance
    doubtful = np.flatnonzero(~_surely_possible(compiled.instance))
    alike: dict[tuple[object, ...], list[int]] = {}
    for j in doubtful.tolist():
        if instance.activities[j]:
            rows = range(a.need_ptr[j], a.need_ptr[j + 1])
            able = tuple(a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tobytes() for q in rows)
            rules = (a.run[j], a.occurrence[j], a.frozen[j], a.place[j], a.exempt[j])
            alike.setdefault((able, tuple(a.people[rows]), *map(int, rules)), []).append(j)
    alone = _Alone(compiled.instance, [group[0] for group in alike.values()])
    found: dict[int, Unscheduled] = {}
    for group in alike.values():
        if not alone.hardest(group):
            for j in group:
                if not alone.fits(j):
                    found[j] = _never(compiled, j, instance.activities[j], alone)
    return {instance.activities[j]: found[j] for j in sorted(found)}


def _surely_possible(instance: Instance) -> Bools:
    """Activities for which nothing ever closes, that one person has time for, or that only wait."""
    a, n = instance.arrays, instance.n
    owner = np.repeat(np.arange(n), np.diff(a.need_ptr))
    count = np.bincount(owner, a.people, n)
    found = ~a.run & (a.occurrence < 0) & (a.frozen < 0) & (a.place < 0) & (count <= 1)
    found &= a.release + np.where(count == 0, a.wait, 0) <= instance.slots
    if not len(a.work):
        return found
    closes = (a.masks == 0).any(axis=1)
    closed = (a.place >= 0) & closes[np.maximum(a.place, 0)] | (a.occurrence >= 0) | (a.frozen >= 0)
    if closes[np.unique(a.person_mask)].any():
        closed[owner[np.logical_or.reduceat(closes[a.person_mask[a.candidate]], a.cand_ptr[:-1])]] = True
    # there is a crew: what has none is left out when it is compiled
    found |= ~closed & (a.release + lengths(a) <= instance.slots)
    # the calendar with the most open time of those who can
    most_open = np.argsort(-a.masks.sum(axis=1), kind="stable")
    rank = np.argsort(most_open, kind="stable")
    best = most_open[np.minimum.reduceat(rank[a.person_mask[a.candidate]], a.cand_ptr[:-1])]
    alone = np.flatnonzero(found & (count == 1))
    q = a.need_ptr[alone]
    found[alone] = count_in(a.masks, 1, best[q], a.release[alone], np.full(len(q), instance.slots)) >= a.work[q]
    return found


class _Alone:
    """Activities tried one by one with nothing else there."""

    def __init__(self, instance: Instance, tries: list[int]) -> None:
        """``tries``: one activity of each group of equals."""
        from throttle.solve.kernels import kernels

        a = instance.arrays
        self.instance = instance
        seats = a.crew_ptr[a.need_ptr[1:]][tries] - a.crew_ptr[a.need_ptr[:-1]][tries]
        # a seat is chosen among the candidates by the slots in which those seated before are free too
        self.kernel = kernels(instance.slots * int((np.maximum(seats, 1) ** 2).sum()) > PLAIN_SLOTS)
        size = (len(instance.people), instance.slots) if tries else (0, 0)
        self.load = np.zeros(size, np.int16)
        self.held = np.zeros((size[0] + len(a.team_wip), size[1]), np.int16)
        self.env = np.zeros((len(a.capacity), size[1]), np.int64)
        self.free = np.full(int(a.crew_ptr[-1]), -1, np.int64)
        self.never_full = a.next_open[a.person_mask] if tries else a.next_open[:0]
        self.a = a._replace(pred_ptr=np.zeros(instance.n + 1, np.int64), pin=np.full(instance.n, -1, np.int64))

    def fits(self, j: int) -> bool:
        return self._fits(self.a, j, int(self.a.release[j]))

    def fits_unfrozen(self, j: int) -> bool:
        """Whether only freezes keep it out."""
        return self._fits(self.a._replace(frozen=np.full_like(self.a.frozen, -1)), j, int(self.a.release[j]))

    def hardest(self, group: list[int]) -> bool:
        """Whether one that had the latest release and the most work of all fits; then they all do.

        They take the same people under the same rules, and less work from an earlier slot on is part of it.
        """
        a, j = self.a, group[0]
        if len(group) == 1:
            return self.fits(j)
        needs = a.need_ptr[j + 1] - a.need_ptr[j]
        work, wait = a.work.copy(), a.wait.copy()
        rows = a.need_ptr[group][:, None] + np.arange(needs)
        work[a.need_ptr[j] : a.need_ptr[j + 1]] = a.work[rows].max(axis=0)
        wait[j] = a.wait[group].max()
        return self._fits(a._replace(work=work, wait=wait), j, int(a.release[group].max()))

    def _fits(self, a: Arrays, j: int, est: int) -> bool:
        if est >= self.instance.slots:
            return False
        crew, out = self.free.copy(), np.zeros(2, np.int64)
        places = self.load, self.held, self.env, self.never_full
        # where not every crew could be tried, the solver has to find one
        return bool(self.kernel.place_activity(a, j, est, crew, self.free, *places, out) != self.kernel.NOWHERE)


def beyond(compiled: Compiled) -> dict[str, Unscheduled]:
    """Items that what they wait for, however early, leaves no room before the horizon; not those that wait for such,
    and no pinned ones, whose pin is then what cannot be kept."""
    a, instance = compiled.instance.arrays, compiled.instance
    network = Network(instance, Facts(instance))
    late = (network.bound >= instance.slots) | (network.end >= instance.slots)
    horizon = compiled.grid.instant(instance.slots)
    text = f"what it waits for leaves no room before {horizon:%Y-%m-%d}, the end of the plan"
    return {
        instance.activities[j]: Unscheduled(reason=Reason.BEYOND, text=text)
        for j in np.flatnonzero(late).tolist()
        if instance.activities[j] and a.pin[j] < 0 and not late[a.pred[a.pred_ptr[j] : a.pred_ptr[j + 1]]].any()
    }


def _never(compiled: Compiled, j: int, id: str, alone: _Alone) -> Unscheduled:
    item, a = compiled.portfolio.work[id], compiled.instance.arrays
    horizon = compiled.grid.instant(compiled.grid.slots)
    if a.release[j] >= compiled.grid.slots:
        return Unscheduled(reason=Reason.BEYOND, text=f"cannot begin before {horizon:%Y-%m-%d}, the end of the plan")
    able = a.candidate[a.cand_ptr[a.need_ptr[j]] : a.cand_ptr[a.need_ptr[j + 1]]]
    people = sorted({compiled.instance.people[p] for p in able})
    if item.change and item.change.window:
        window = item.change.window
        text = f"no {window} before {horizon:%Y-%m-%d} is long enough for it, clear of freezes and staffed"
        within = a.occurrences[a.occurrence[j]] >= 0
        there = {
            compiled.instance.people[p] for p in able if (within & (a.masks[a.person_mask[p], : len(within)] > 0)).any()
        }
        if away := [p for p in people if p not in there]:
            text += f"; never at work in it: {', '.join(away[:3])}, whom out_of_hours would let in"
        if shorter := [p for p in people if p in there and _productive(compiled.portfolio, p) < 1]:
            text += (
                f"; productive leaves out the end of each day of {', '.join(shorter[:3])}, so a window then needs 100%"
            )
        return Unscheduled(reason=Reason.NO_WINDOW, text=text, refs=(window,))
    if a.frozen[j] >= 0 and alone.fits_unfrozen(j):
        text = f"no time before {horizon:%Y-%m-%d}, clear of freezes, is long enough for it and staffed"
        return Unscheduled(reason=Reason.NO_WINDOW, text=text, refs=tuple(people[:10]))
    text = "the people who can do it are never at work together long enough"
    return Unscheduled(reason=Reason.NO_COMMON_TIME, text=f"{text} before {horizon:%Y-%m-%d}", refs=tuple(people[:10]))


def _productive(portfolio: Portfolio, person: str) -> float:
    said = portfolio.people[person]
    if said.productive is not None:
        return said.productive
    name = said.calendar or next(iter(portfolio.calendars), None)
    return portfolio.calendars[name].productive if name else 1.0


def _pins_too_early(compiled: Compiled) -> list[Finding]:
    """Pins that cannot be kept even if nobody did anything else."""
    a, instance = compiled.instance.arrays, compiled.instance
    if not (a.pin >= 0).any():
        return []
    network = Network(instance, Facts(instance))

    def moment(slot: int) -> str:
        return format_instant(compiled.grid.instant(int(slot)))

    return [
        Finding(
            level="error",
            code="pin-too-early",
            ids=(instance.activities[j],),
            message=f"{instance.activities[j]} is pinned to start {moment(a.pin[j])}, and cannot begin before "
            f"{moment(network.bound[j])} by its dates and what it waits for; "
            "move the pin in policy.pins or what keeps it",
        )
        for j in network.pinned_too_early()
    ]


def conflict_of(compiled: Compiled) -> list[Finding]:
    """The smallest set of rules that exclude each other, with repairs; none where none was found."""
    from throttle.conflict import find_conflict  # it solves, as this does

    conflict = find_conflict(compiled)
    return conflict.findings() if conflict else []


def _no_plan(compiled: Compiled, solution: Solution) -> list[Finding]:
    """What was not found, and where it is proved that there is none, what excludes each other."""
    from throttle.conflict import find_conflict

    conflict, unknown = find_conflict(compiled), _why_none(compiled, solution)
    if conflict is None:
        return unknown
    return conflict.findings() if conflict.proved else [*unknown, *conflict.findings()]


def _why_none(compiled: Compiled, solution: Solution) -> list[Finding]:
    ids = [id for j in solution.missing if (id := compiled.instance.activities[j])]
    shown = some(ids, 8)
    pins = [pin.work for pin in compiled.portfolio.policy.pins if pin.work in compiled.instance.activities]
    why = f" Pinned work ({', '.join(pins[:8])}) may stand in the way: check policy.pins." if pins else ""
    horizon = compiled.grid.instant(compiled.grid.slots)
    return [
        Finding(
            level="error",
            code="no-plan-found",
            ids=tuple(ids),
            message=f"found no plan in which everything has a place before {horizon:%Y-%m-%d}; whether there is one is "
            f"unknown. Without a place in the last attempt: {shown}.{why}",
        )
    ]


# --- the plan ------------------------------------------------------------------------------------------------------


def build_plan(compiled: Compiled, solution: Solution, settings: Settings, previous: Plan | None = None) -> Plan:
    """Lift a solution and say what it means for each item, project and week. Not yet checked."""
    portfolio, graph, schedule = compiled.portfolio, compiled.graph, solution.best
    if schedule is None:
        raise ValueError("there is no schedule to lift")
    items = lift(compiled, schedule)
    values = delay_values(portfolio, graph)
    zone = ZoneInfo(portfolio.zone)
    causes, week = Reasons(compiled, schedule), week_to_plan(compiled, zone)
    late = solution.later.late if solution.later else frozenset()
    releases, holds = sort_by_week(compiled, causes, items, values, week, zone, late)
    measured = Loads(compiled, items)
    bottleneck, loads = measured.all()
    written, expanded = compiled.written, compiled.expanded
    projects = project_plans(compiled, items)
    plan = Plan(
        as_of=compiled.grid.instant(0),
        zone=portfolio.zone,
        slot=portfolio.slot,
        week=week,
        horizon=compiled.grid.instant(most_slots(portfolio)),
        currency=portfolio.currency,
        items=items,
        unscheduled=compiled.unscheduled,
        done=graph.history,
        containers=graph.containers,
        inserted=dict(expanded.inserted) if expanded else {},
        releases=releases,
        holds=holds,
        projects=projects,
        bottleneck=bottleneck,
        loads=loads,
        drum=name_drum(measured, bottleneck, previous),
        pace=pace_of(compiled),
        debts=debts(compiled, items),
        overrides=portfolio.policy.overrides,
        weeks=weeks(portfolio, items, zone),
        certificate=certificate(compiled, solution, settings, items),
        findings=(*portfolio_findings(portfolio, graph), *(expanded.findings if expanded else ())),
        assumptions=portfolio.assumptions,
        previous=moves(compiled, causes, items, previous) if previous else None,
        portfolio=written if len(written.work) <= CARRIED_ITEMS else None,
    )
    return plan.model_copy(update={"fever": fever_of(plan, written, previous)}) if previous else plan


def pace_of(compiled: Compiled) -> Pace | None:
    drum = compiled.drum
    return Pace(name=drum.name, people=drum.people, skill=drum.skill) if drum else None


def moves(compiled: Compiled, causes: Reasons, items: Mapping[str, PlannedItem], previous: Plan) -> Previous:
    """Which planned starts of work still to begin an earlier plan had elsewhere, each with the reason."""
    number = {id: j for j, id in enumerate(compiled.instance.activities)}
    work, now, planned = compiled.portfolio.work, compiled.grid.instant(0), compiled.portfolio.planned
    inserted = compiled.expanded.inserted if compiled.expanded else {}
    overhead = {id for id, told in inserted.items() if told.kind == "overhead"}  # goes where the changes go
    found, kept = [], 0
    for id, old in previous.items.items():
        if id in overhead or id not in work or id in compiled.graph.history or is_in_progress(work[id]):
            continue
        if id in compiled.unscheduled:
            found.append(Move(item=id, before=old.start, reason=compiled.unscheduled[id].text))
        elif id not in items:
            continue
        elif items[id].start == old.start:
            kept += 1
        else:
            start = items[id].start
            if id in planned and planned[id].why:
                reason = planned[id].why
            elif old.start < now:
                reason = "it was to have begun before now, and has not"
            elif start < old.start:
                reason = "it can begin earlier than planned"
            else:
                reason = causes.why(number[id]).text
            found.append(Move(item=id, before=old.start, now=start, reason=reason))
    return Previous(
        as_of=previous.as_of,
        input_hash=previous.certificate.input_hash,
        moves=tuple(found),
        kept=kept,
        frozen=sum(id in items for id in frozen_pins(compiled.portfolio)),
        cost=round(moving_cost(compiled, items), 6),
    )


def moving_cost(compiled: Compiled, items: Mapping[str, PlannedItem]) -> float:
    """What it costs that work still to begin does not start when it was planned to."""
    ids = compiled.instance.activities
    number = {id: j for j, id in enumerate(ids) if id in items}
    grid = compiled.grid
    return sum(
        some.rate * abs(grid.ceil(items[ids[some.activity]].start) - some.planned)
        for some in movings(compiled.portfolio, grid, number)
    )


def week_to_plan(compiled: Compiled, zone: ZoneInfo) -> str:
    """The first week in which anyone is at work; that of as-of where nobody is within ``IDLE_DAYS``."""
    soon = compiled.grid.ceil(compiled.grid.instant(0) + timedelta(days=IDLE_DAYS))
    masks = [compiled.calendars.person(p)[:soon] for p in compiled.portfolio.people]
    firsts = [int(m.argmax()) for m in masks if m.any()]
    return week_of(compiled.grid.instant(min(firsts, default=0)), zone)


def delay_values(portfolio: Portfolio, graph: WorkGraph) -> dict[str, float]:
    """Cost of a week's delay that rests on each open item: its own, its containers' and its project's."""
    found = {}
    for id in graph.activities:
        project = graph.project_of(id)
        holders: list[WorkItem | Project] = [portfolio.work[i] for i in (id, *graph.ancestors(id))]
        if project is not None:
            holders.append(portfolio.projects[project])
        found[id] = sum(sum(rates_of(h)[:3]) for h in holders)
    return found


def sort_by_week(
    compiled: Compiled,
    causes: Reasons,
    items: Mapping[str, PlannedItem],
    values: Mapping[str, float],
    week: str,
    zone: ZoneInfo,
    late: Collection[str] = (),
) -> tuple[tuple[Release, ...], tuple[Hold, ...]]:
    """What to let in by the end of the week and what to hold, the most valuable first. ``late``: what starts later than
    it could, so that it does not wait half done."""
    portfolio, graph, grid = compiled.portfolio, compiled.graph, compiled.grid
    monday = date.fromisocalendar(int(week[:4]), int(week[6:]), 1)
    next_week = grid.ceil(datetime.combine(monday + timedelta(days=7), datetime.min.time(), zone))
    number = {id: j for j, id in enumerate(compiled.instance.activities)}
    notes = override_notes(portfolio, graph)
    releases, holds = [], []
    for id in graph.activities:
        item, project = portfolio.work[id], graph.project_of(id)
        if is_in_progress(item):
            continue
        if id not in items:
            out = compiled.unscheduled[id]
            holds.append(
                Hold(item=id, project=project, reason=out.reason, text=out.text, refs=out.refs, value=values[id])
            )
        elif grid.ceil(items[id].start) < next_week:
            note = notes.get(id, "")
            releases.append(Release(item=id, project=project, start=items[id].start, value=values[id], note=note))
        else:
            cause = NOT_NEEDED if id in late else causes.why(number[id])
            holds.append(
                Hold(
                    item=id,
                    project=project,
                    reason=cause.reason,
                    text=f"{cause.text}; {notes[id]}" if id in notes else cause.text,
                    refs=cause.refs,
                    until=items[id].start,
                    value=values[id],
                )
            )
    releases.sort(key=lambda r: (-r.value, r.start, r.item))
    holds.sort(key=lambda h: (-h.value, h.until is None, h.until or grid.instant(0), h.item))
    return tuple(releases), tuple(holds)


def project_plans(compiled: Compiled, items: Mapping[str, PlannedItem]) -> dict[str, ProjectPlan]:
    """Dates and costs of projects, and of items with a cost or due date of their own."""
    portfolio, graph = compiled.portfolio, compiled.graph
    zone, now = ZoneInfo(portfolio.zone), as_of(portfolio)
    start_of_plan = compiled.grid.instant(0)
    members: dict[str, list[str]] = {}
    for id in graph.activities:
        if (p := graph.project_of(id)) is not None:
            members.setdefault(p, []).append(id)
    found: dict[str, ProjectPlan] = {}
    week = timedelta(weeks=1)
    chains = Chains(compiled, items)

    def entry(holder: WorkItem | Project, ids: Iterable[str], title: str) -> ProjectPlan:
        ids = list(ids)
        planned = [items[i] for i in ids if i in items]
        due = holder.due.resolve(now, zone, end_of_day=True) if holder.due else None
        finish = max((i.finish for i in planned), default=None)
        start = min((i.start for i in planned), default=None)
        delay, tardiness, flow, makespan, earliness = rates_of(holder)
        late = max(0.0, (finish - due) / week) if finish and due else 0.0
        cost = 0.0
        if finish and start:
            whole = (finish - start_of_plan) / week
            cost = (delay if due else 0.0) * late + tardiness * late + (flow + (0.0 if due else delay)) * whole
            cost += makespan * ((finish - start) / week)
            wanted = holder.wanted_start if isinstance(holder, WorkItem) else None
            if earliness and wanted is not None:
                cost += earliness * max(0.0, (wanted.resolve(now, zone) - start) / week)
        complete = len(planned) == len(ids) and bool(ids)
        buffered = chains.of(ids)
        return ProjectPlan(
            title=title,
            start=start,
            finish=finish if complete else None,
            promise=(buffered.promise if buffered else finish) if complete else None,
            due=due,
            late_weeks=round(late, 6),
            cost=round(cost, 6),
            items=len(ids),
            unscheduled=len(ids) - len(planned),
            chain=buffered.chain if buffered else (),
            buffer_hours=buffered.hours if buffered else None,
            feeding=buffered.feeding if buffered else (),
        )

    for name, project in portfolio.projects.items():
        if name in members:
            found[name] = entry(project, members[name], project.title)
    for id, item in portfolio.work.items():
        if id in graph.history or not (item.due or any(rates_of(item))):
            continue
        if inside := graph.activities_in(id):
            found[id] = entry(item, inside, item.title)
    return found


def weeks(portfolio: Portfolio, items: Mapping[str, PlannedItem], zone: ZoneInfo) -> tuple[Week, ...]:
    """The plan week by week: people by local day, what starts, what finishes."""
    people: dict[str, dict[str, dict[date, dict[str, float]]]] = {}
    starts: dict[str, list[str]] = {}
    finishes: dict[str, list[str]] = {}
    known: dict[datetime, str] = {}
    pieces: dict[tuple[datetime, datetime], list[tuple[str, date, float]]] = {}

    def week(moment: datetime) -> str:
        if moment not in known:
            known[moment] = week_of(moment, zone)
        return known[moment]

    for id, item in items.items():
        starts.setdefault(week(item.start), []).append(id)
        finishes.setdefault(week(item.finish), []).append(id)
        for a in item.assignments:
            for span in a.work:
                if span not in pieces:
                    pieces[span] = list(_by_day(*span, zone))
                for name, day, hours in pieces[span]:
                    on = people.setdefault(name, {}).setdefault(a.person, {}).setdefault(day, {})
                    on[id] = on.get(id, 0.0) + hours * a.allocation
    order = {p: k for k, p in enumerate(portfolio.people)}
    return tuple(
        Week(
            week=name,
            people={
                p: {d: {i: round(h, 4) for i, h in by.items()} for d, by in sorted(days.items())}
                for p, days in sorted(people.get(name, {}).items(), key=lambda e: order[e[0]])
            },
            starts=tuple(starts.get(name, ())),
            finishes=tuple(finishes.get(name, ())),
        )
        for name in sorted({*people, *starts, *finishes})
    )


def _by_day(from_: datetime, to: datetime, zone: ZoneInfo) -> Iterator[tuple[str, date, float]]:
    """Week, local day and hours of each part of a piece of work."""
    at = from_
    while at < to:
        local = at.astimezone(zone)
        midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0)
        until = min(to, midnight.astimezone(to.tzinfo))
        yield week_of(at, zone), local.date(), (until - at) / timedelta(hours=1)
        at = until


def certificate(
    compiled: Compiled, solution: Solution, settings: Settings, items: Mapping[str, PlannedItem]
) -> Certificate:
    best, first, greedy = solution.best, solution.first_come or solution.best, solution.greedy or solution.best
    if best is None or first is None or greedy is None:
        raise ValueError("there is no schedule to certify")
    bound = min(solution.bound, best.cost)
    flow_bound = min(solution.flow_bound, best.flow)
    # goals after the cost may have used what they are allowed of it
    proved = solution.proved and best.cost <= bound + 1e-9 * max(1.0, abs(best.cost))
    flow_proved = flow_bound >= best.flow * (1 - 1e-9)
    goals = solution.later.goals if solution.later else ()
    goals = tuple(
        goal.model_copy(update={"proved": is_least})
        for goal, is_least in zip(goals, (proved, flow_proved, *(goal.proved for goal in goals[2:])), strict=False)
    )
    return Certificate(
        status=PlanStatus.OPTIMAL if proved else PlanStatus.FEASIBLE,
        objective=Goal(
            name="cost of delay",
            value=best.cost,
            bound=bound,
            gap=relative_gap(best.cost, bound),
            proved=proved,
            first_come=first.cost,
            greedy=greedy.cost,
        ),
        flow=Goal(
            name="weighted flow",
            value=best.flow,
            bound=flow_bound,
            gap=relative_gap(best.flow, flow_bound),
            proved=flow_proved,
            first_come=first.flow,
            greedy=greedy.flow,
        ),
        goals=goals,
        goals_note=solution.later.note if solution.later else "no goals are sought after the cost",
        checked=True,  # nobody sees a plan of which this is not true
        violations=0,
        items=len(compiled.graph.activities),
        scheduled=len(items),
        unscheduled=len(compiled.unscheduled),
        done=len(compiled.graph.history),
        seed=settings.seed,
        deterministic=settings.deterministic,
        input_hash=portfolio_hash(compiled.written),
        versions={
            "throttle": version("throttle-scheduler"),
            "python": ".".join(platform.python_version_tuple()[:2]),
            **{name: version(name) for name in ("numba", "numpy", "ortools")},
        },
        method=", ".join(solution.method),
    )
