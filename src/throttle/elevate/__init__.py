"""Elevate: options that would loosen the bottleneck, and what each saves, ranked (Goldratt's fourth focusing step).

All options are screened by the plan's own order with the option, which takes milliseconds and is the least that it
saves. The best are planned anew with the same effort as the plan without any, and simulated with the same random
numbers; of those that were only screened as many as take some seconds, in the order kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from throttle.calendars import Calendars, Grid, as_of, end_of
from throttle.compile import Compiled, prepared
from throttle.elevate.options import Choice, options
from throttle.errors import InputError, NoPlanError
from throttle.files import portfolio_hash
from throttle.instance import Instance
from throttle.planning import feasible_instance
from throttle.scenarios.paired import need_runs
from throttle.scenarios.solve import EFFORT, SAME, Effort, Solved, costs_in_order, solve, solve_all
from throttle.wording import some
from throttle_models import Plan, PlanStatus, Portfolio
from throttle_models.elevate import Elevate, Menu, Option, OptionKind
from throttle_models.scenario import AS_IS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.scenarios.simulated import Runs

RESOLVED = 12
"""Most options that are planned anew."""
KEPT_ITEMS = 3000
"""Of all plans in the order kept that are simulated at most, so that large portfolios do not wait for them."""
WEEK = timedelta(weeks=1)

Tell = Callable[[str], None]


def elevate(
    portfolio: Portfolio,
    plan: Plan | None = None,
    menu: Menu | None = None,
    effort: Effort = EFFORT,
    *,
    resolved: int = RESOLVED,
    runs: int = 0,
    tell: Tell = lambda _: None,
    stop: threading.Event | None = None,
) -> Elevate:
    """Options, the most valuable first: ``resolved`` of them planned anew, and simulated ``runs`` times.

    plan: of the portfolio, where the search for the plan without options starts. The same arguments give the same
    answer, unless ``stop`` is set meanwhile. Raises InputError, NoPlanError where the portfolio cannot be planned as it
    is, or an option of the menu changes what is not there.
    """
    need_runs(runs)
    stop = stop or threading.Event()
    tell("planning without any option")
    base = solve(portfolio, effort, (plan,) if plan is not None else (), stop)
    choices, left_out = options(portfolio, base, menu or Menu())
    tell(f"screening {len(choices)} options")
    screened, problems = _screened(portfolio, base, choices, stop)
    ranked = sorted(screened, key=lambda name: (-screened[name], _turn(choices[name].kind), name))
    best, others = ranked[:resolved], ranked[resolved:]
    variants = {AS_IS: portfolio} | {name: choices[name].portfolio for name in best}
    solved = solve_all(variants, effort, base, tell=tell, stop=stop) if best and not stop.is_set() else {}
    if (again := solved.get(AS_IS)) is not None and again.plan is not None:
        base = again.plan
    simulated: Mapping[str, Runs] = {}
    if runs and solved and not stop.is_set():
        from throttle.scenarios.simulated import simulate_variants

        tell("simulating")
        plans = {name: one.plan for name, one in solved.items() if one.plan is not None}
        # others in the order kept, so that what plans cannot tell apart is ranked by the same measure
        kept = others[: KEPT_ITEMS // max(1, len(base.items))]
        variants |= {name: choices[name].portfolio for name in kept}
        simulated = simulate_variants(variants, plans, AS_IS, runs, effort, stop, kept)
    pricing = _Pricing(portfolio, base, screened, solved, simulated)
    told = [pricing.option(name, choice) for name, choice in choices.items() if name in screened]
    told += [Option(kind=choices[n].kind, text=choices[n].text, refs=choices[n].refs, saves=0.0, problem=why)
             for n, why in problems.items()]  # fmt: skip
    told.sort(key=lambda one: (bool(simulated) and not one.certain, -one.worth, -one.saves, _ORDER[one.kind], one.text))
    return Elevate(
        input_hash=portfolio_hash(portfolio),
        as_of=as_of(portfolio),
        until=end_of(base),
        zone=portfolio.zone,
        currency=portfolio.currency,
        seed=effort.seed,
        budget=effort.budget,
        runs=runs if simulated else 0,
        objective=base.certificate.objective.value,
        options=tuple(one for one in told if one.buys),
        nothing=tuple(one for one in told if not one.buys),
        left_out=left_out,
    )


def _turn(kind: OptionKind) -> int:
    """Among equals; what was written by hand goes first."""
    return -1 if kind is OptionKind.OWN else _ORDER[kind]


_ORDER = {kind: k for k, kind in enumerate(OptionKind)}


# --- screening


def _screened(
    portfolio: Portfolio, base: Plan, choices: Mapping[str, Choice], stop: threading.Event
) -> tuple[dict[str, float], dict[str, str]]:
    """What each option saves with the order of the plan kept, and why some could not be tried."""
    compiled = _compiled(portfolio)
    own = costs_in_order(compiled, base)[0]
    found: dict[str, float] = {}
    problems: dict[str, str] = {}
    for name, choice in choices.items():
        if stop.is_set():
            break
        try:
            if choice.kind in (OptionKind.HOUR, OptionKind.SKILL):
                cost = costs_in_order(compiled, base, [_with_hours(compiled, choice)])[0]
            else:
                changed = _compiled(choice.portfolio)
                if enabled := _enabled(base, changed.instance.activities):
                    problems[name] = enabled
                    continue
                cost = costs_in_order(changed, base)[0]
        except (InputError, NoPlanError) as problem:
            problems[name] = problem.findings[0].message
            continue
        saved = own - cost if own is not None and cost is not None else 0.0
        found[name] = saved if abs(saved) > SAME * max(1.0, abs(own or 0.0)) else 0.0
    return found, problems


def _enabled(base: Plan, items: Iterable[str]) -> str:
    """A sentence where some of the items have no place without the option; their delay costs nothing there."""
    new = [id for id in items if id in base.unscheduled]
    return f"makes {some(new, 3)} possible, so its costs cannot be compared" if new else ""


def _compiled(portfolio: Portfolio) -> Compiled:
    expanded, graph = prepared(portfolio)
    return feasible_instance(expanded.portfolio, graph)


def _with_hours(compiled: Compiled, choice: Choice) -> Instance:
    """The instance with the hours that an option gives to people; nothing else of it differs."""
    a, grid = compiled.instance.arrays, compiled.grid
    calendars = Calendars(choice.portfolio, grid)
    first = {p: k for k, p in reversed(list(enumerate(compiled.instance.people)))}
    person_mask = a.person_mask.copy()
    rows: list[NDArray[np.uint8]] = []
    for person in choice.people:
        if person in first:
            person_mask[first[person]] = len(a.masks) + len(rows)
            rows.append(calendars.planned(person).astype(a.masks.dtype))
    if not rows:
        return compiled.instance
    masks = np.array(rows)
    slots = compiled.instance.slots
    places = np.where(masks == 1, np.arange(slots, dtype=np.int32), np.int32(slots))
    following = np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1]
    arrays = a._replace(
        masks=np.ascontiguousarray(np.vstack([a.masks, masks])),
        next_open=np.ascontiguousarray(np.vstack([a.next_open, following])),
        person_mask=person_mask,
    )
    return replace(compiled.instance, arrays=arrays)


# --- what each is worth


@dataclass(frozen=True)
class _Pricing:
    portfolio: Portfolio
    base: Plan
    screened: Mapping[str, float]
    solved: Mapping[str, Solved]
    simulated: Mapping[str, Runs]

    def option(self, name: str, choice: Choice) -> Option:
        one = self.solved.get(name)
        if one is None:
            return self.told(choice, self.screened[name], simulated=self.simulated.get(name))
        if one.plan is None:
            return self.told(choice, 0.0, problem=one.problem)
        if enabled := _enabled(self.base, one.plan.items):
            return self.told(choice, 0.0, method="re-solved", problem=enabled)
        saves = self.base.certificate.objective.value - one.cost
        if abs(saves) <= SAME * max(1.0, abs(one.cost)):
            saves = 0.0
        plans = self.base, one.plan
        return self.told(
            choice,
            saves,
            simulated=self.simulated.get(name),
            days=_days(self.base, one.plan),
            method="re-solved",
            proved=all(plan.certificate.status is PlanStatus.OPTIMAL for plan in plans),
        )

    def told(self, choice: Choice, saves: float, simulated: Runs | None = None, **more: Any) -> Option:
        hours = self.hours(choice) if choice.people else None
        cost = self.cost(choice, hours)
        base = self.simulated.get(AS_IS)
        told = simulated.told(base) if simulated is not None else None
        gap = told.difference if told is not None else None
        option = Option(
            kind=choice.kind,
            text=choice.text,
            refs=choice.refs,
            saves=round(saves, 6),
            hours=round(hours, 4) if hours is not None else None,
            cost=round(cost, 6) if cost is not None else None,
            simulated=gap,
            **more,
        )
        worth = option.worth
        return option.model_copy(
            update={
                "per_hour": round(worth / hours, 6) if hours else None,
                "net": round(worth - cost, 6) if cost is not None else None,
            }
        )

    def hours(self, choice: Choice) -> float:
        """That an option adds from as-of to the end of the plan."""
        minutes = int(self.portfolio.slot.total_seconds() // 60)
        whole = Grid.of(self.portfolio, 1)
        grid = Grid(whole.origin, minutes, max(1, whole.ceil(end_of(self.base))))
        with_, without = Calendars(choice.portfolio, grid), Calendars(self.portfolio, grid)
        more = sum(int(with_.person(p).sum()) for p in choice.people)
        less = sum(int(without.person(p).sum()) for p in choice.people if p in self.portfolio.people)
        return (more - less) * minutes / 60

    def cost(self, choice: Choice, hours: float | None) -> float | None:
        if choice.once is None and choice.per_week is None and choice.per_hour is None:
            return None
        weeks = max(0.0, (end_of(self.base) - as_of(self.portfolio) - choice.from_) / WEEK)
        return (choice.once or 0.0) + (choice.per_week or 0.0) * weeks + (choice.per_hour or 0.0) * (hours or 0.0)


def _days(base: Plan, plan: Plan) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, entry in plan.projects.items():
        before: datetime | None = base.projects[name].finish if name in base.projects else None
        if before is not None and entry.finish is not None and entry.finish != before:
            found[name] = round((entry.finish - before) / timedelta(days=1), 4)
    return dict(sorted(found.items(), key=lambda e: (e[1], e[0])))


__all__: Sequence[str] = ["RESOLVED", "elevate"]
