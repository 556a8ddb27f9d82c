"""The throttle curve: how much to let in at once, tuned by simulation (docs/foresee.md).

On fixed times a limit is only one more constraint; what it is good for is queues and switching, which only a simulation
of uncertain times shows. So the same runs are made for each limit, with the same random numbers, in the order of a plan
that knows no limit. Runs are spent on what is still in question (``throttle.curve.race``): first on limits far apart,
then on those between the best and its neighbours. As many further runs, which had no part in choosing, say what the
best gains: the best of many means looks better than it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import numpy as np

from throttle.calendars import as_of
from throttle.compile import rates_of
from throttle.confidence import interval
from throttle.curve.race import neighbours, race
from throttle.errors import InputError, InterruptedWithoutPlanError
from throttle.files import portfolio_hash
from throttle.scenarios.paired import difference, rounded
from throttle.scenarios.solve import EFFORT, Effort, solve
from throttle.simulate import Model, Release, Sample, Settings, model_of, simulate
from throttle_models import Finding, Plan, Portfolio, Project, WorkItem
from throttle_models.curve import Curve, CurvePoint, Limits, Measured

if TYPE_CHECKING:
    from throttle.executors import Engine
    from throttle.instance import Floats

CONFIDENCE = 0.99
"""At which a limit is recommended: one that is not needed does harm at once."""
MOST = 12
"""Most limits of one kind that are tried at first."""
FINE = 0.1
"""Lengths of the rope that differ by less than this share are all one."""
DAY = timedelta(days=1)

PLAIN_WORK = 20_000
"""Items x runs of all limits up to which plain Python may do."""

Tell = Callable[[str], None]
Kind = Literal["projects", "rope"]


def throttle_curve(
    portfolio: Portfolio,
    plan: Plan | None = None,
    effort: Effort = EFFORT,
    *,
    runs: int = 400,
    limits: Sequence[int] = (),
    ropes: Sequence[float] = (),
    tell: Tell = lambda _: None,
    executor: Engine | None = None,
    stop: threading.Event | None = None,
) -> Curve:
    """The curves of both kinds of limit, each without the other.

    plan: where the search for the plan without limits starts. runs: most of each limit, 4 or more; limits that are soon
    seen to be worse have fewer. limits, ropes: those to try (projects in process; hours); default: up to ``MOST`` of
    each that differ, and then those around the best. Raises InputError where there is
    nothing to let in, NoPlanError where there is no plan.
    """
    if runs < LEAST_RUNS:
        raise ValueError(f"a curve needs {LEAST_RUNS} runs or more, not {runs}")
    stop = stop or threading.Event()
    free = unlimited(portfolio)
    tell("planning without limits")
    order = solve(free, effort, (plan,) if plan is not None else (), stop)
    open_ = [name for name in free.projects if name in order.projects and order.projects[name].items]
    if not open_:
        message = "the portfolio has no project with open work, so there is nothing to let in or to hold"
        raise InputError([Finding(level="error", code="no-projects", message=message)])
    model = model_of(free, order, Settings(start="free", rope=True, items=False))
    running = _Running(model, free, order, runs, effort.seed, tell, executor, stop)
    kinds: tuple[tuple[Kind, Sequence[float], Sequence[float]], ...] = (
        ("projects", limits, spaced(len(open_))),
        ("rope", ropes, rope_hours(order)),
    )
    found = [
        running.limits(kind, sorted({float(k) for k in given or spread}), bool(given), portfolio)
        for kind, given, spread in kinds
        if (given or spread) and not stop.is_set()
    ]
    return Curve(
        input_hash=portfolio_hash(portfolio),
        as_of=as_of(portfolio),
        zone=portfolio.zone,
        currency=portfolio.currency,
        measure=running.measure,
        seed=effort.seed,
        runs=runs,
        confidence=CONFIDENCE,
        switching=portfolio.simulation.switching,
        unfinished=round(running.unfinished, 6),
        limits=tuple(found),
    )


LEAST_RUNS = 4


def unlimited(portfolio: Portfolio) -> Portfolio:
    """Without the limits that the curve is about."""
    policy = portfolio.policy.model_copy(update={"projects_in_process": None, "rope": None})
    return portfolio.model_copy(update={"policy": policy})


def spaced(count: int, most: int = MOST) -> list[int]:
    """Limits from 1 to one less than all, close together where they are small."""
    if count <= 1:
        return []
    if count - 1 <= most:
        return list(range(1, count))
    wanted = np.geomspace(1, count - 1, most)
    found = sorted({round(x) for x in wanted})
    return found + [k for k in range(1, count) if k not in found][: most - len(found)]


def rope_hours(plan: Plan) -> list[float]:
    """Lengths of the rope from a day's work of the drum to all of it, each half as much again as the one before."""
    drum = plan.bottleneck
    if drum is None or not drum.people or drum.work_hours <= 0:
        return []
    found: list[float] = []
    hours = 8.0
    while hours < drum.work_hours and len(found) < MOST:
        found.append(hours)
        hours = float(round(hours * 1.5))
    return found


@dataclass(frozen=True)
class _Seen:
    """What the runs of one limit gave: each a row of one figure for each run."""

    cost: Floats
    lead: Floats
    p85: Floats
    throughput: Floats
    in_process: Floats

    @classmethod
    def none(cls) -> _Seen:
        return cls(*(np.zeros(0) for _ in fields(cls)))

    def __len__(self) -> int:
        return len(self.cost)

    def and_then(self, other: _Seen) -> _Seen:
        both = (np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self))
        return _Seen(*both)


class _Running:
    def __init__(
        self,
        model: Model,
        portfolio: Portfolio,
        plan: Plan,
        runs: int,
        seed: int,
        tell: Tell,
        executor: Engine | None,
        stop: threading.Event,
    ) -> None:
        self.model, self.plan, self.runs, self.seed = model, plan, runs, seed
        self.tell, self.executor, self.stop = tell, executor, stop
        self.measure: Literal["cost of delay", "lead time"] = "cost of delay" if _rated(portfolio) else "lead time"
        # of one limit or of a few runs plain Python would be quicker, of all it is not
        self.compiled = True if runs * model.instance.n * MOST > PLAIN_WORK else None
        self.unfinished = 0.0
        self.began = False
        self.push = _Seen.none()
        self.push_again: Floats | None = None
        now, zone = as_of(portfolio), ZoneInfo(portfolio.zone)
        arrivals = []
        for name in model.projects:
            project = portfolio.projects.get(name)
            when = project.not_before if project is not None else None
            arrivals.append(max(0.0, model.origin.exact(when.resolve(now, zone))) if when is not None else 0.0)
        self.arrival = np.array(arrivals)
        """Slot of each project, or item with a date or cost of its own, from which on it may begin."""
        self.of_project = np.array([name in portfolio.projects for name in model.projects], bool)

    def of(self, release: Release, first: int, runs: int) -> _Seen:
        """Runs of one limit from number ``first`` on; the same random numbers for all limits."""
        model, compiled = self.model, self.compiled
        sample = simulate(
            model, runs, self.seed, release=release, first=first, executor=self.executor, stop=self.stop,
            compiled=compiled,
        )  # fmt: skip
        if sample.runs == 0 and first == 0 and not self.began:
            finding = Finding(level="error", code="interrupted", message="interrupted before a first run was done")
            raise InterruptedWithoutPlanError([finding])
        self.began = True
        if sample.runs:
            self.unfinished = max(self.unfinished, float(sample.unfinished.mean()) / max(1, len(self.plan.items)))
        return _Seen(
            np.asarray(sample.cost, np.float64),
            np.asarray(sample.lead, np.float64),
            self.late(sample),
            np.asarray(sample.throughput, np.float64),
            np.asarray(sample.in_process, np.float64),
        )

    def late(self, sample: Sample) -> Floats:
        """Of each run the 85 % quantile of projects' days."""
        chosen = self.of_project if self.of_project.any() else ~self.of_project
        if not chosen.any():
            return np.zeros(len(sample.cost))
        days = (sample.projects[:, chosen] - self.arrival[chosen]) * self.model.hours_per_slot / 24
        return np.asarray(np.quantile(days, 0.85, axis=1), np.float64)

    def decides(self, seen: _Seen) -> Floats:
        return seen.cost if self.measure == "cost of delay" else seen.lead

    def limits(self, of: Kind, tried: Sequence[float], given: bool, portfolio: Portfolio) -> Limits:
        """The curve of one kind of limit; ``given``: of those tried and no others."""
        seen: dict[float | None, _Seen] = {}

        def more(limit: float | None, first: int, runs: int) -> Floats:
            """Further figures of what decides; no limit is simulated once for both kinds."""
            kept = self.push if limit is None else seen.setdefault(limit, _Seen.none())
            while len(kept) < first + runs and not self.stop.is_set():
                self.tell(f"{of}: {'no limit' if limit is None else f'{limit:g}'}, run {len(kept) + 1}")
                kept = kept.and_then(self.of(_release(of, limit), len(kept), first + runs - len(kept)))
            if limit is None:
                self.push = kept
            else:
                seen[limit] = kept
            return self.decides(kept)[first : first + runs]

        between = None if given else partial(neighbours, share=0.0 if of == "projects" else FINE)
        best = race([*tried, None], more, self.runs, between)
        gain = none = Measured(mean=0.0, low=0.0, high=0.0)
        if best is not None:
            against, own = (self.confirming(of, limit) for limit in (None, best))
            rows = min(len(against), len(own))
            if rows > 1:
                mean, low, high = interval(against[:rows] - own[:rows], CONFIDENCE)
                gain = Measured(mean=rounded(mean), low=rounded(low), high=rounded(high))
        if gain.high < 0:  # it only looked better than no limit, and does harm
            best, gain = None, none
        needed = best is not None and gain.low > 0
        policy = portfolio.policy
        rope = policy.rope / timedelta(hours=1) if policy.rope else None
        like = max((s for s in seen.values() if len(s)), key=len, default=self.push)  # the best has the most runs
        points = [self.point(k, seen[k], like) for k in sorted(k for k, s in seen.items() if k is not None and len(s))]
        points.append(self.point(None, self.push, like))
        return Limits(
            of=of,
            now=policy.projects_in_process if of == "projects" else rope,
            points=tuple(points),
            recommended=best if needed else None,
            best=best,
            gain=gain,
            text=self.said(of, best, needed, gain.mean),
        )

    def confirming(self, of: Kind, limit: float | None) -> Floats:
        """What decides, of as many runs after all that a choice may rest on."""
        if limit is None and self.push_again is not None:
            return self.push_again
        self.tell(f"{of}: {'no limit' if limit is None else f'{limit:g}'}, once more")
        found = self.decides(self.of(_release(of, limit), self.runs, self.runs))
        if limit is None:
            self.push_again = found
        return found

    def said(self, of: str, limit: float | None, needed: bool, gain: float) -> str:
        what = "projects in process" if of == "projects" else "hours of rope"
        amount = f"{gain:,.0f}" if abs(gain) >= 10 else f"{gain:,.3g}"
        unit = "of cost of delay" if self.measure == "cost of delay" else "hours of lead time"
        if needed and limit is not None:
            return f"at most {limit:g} {what}: it saves {amount} {unit} against no limit"
        if limit is None:
            return f"no limit on {what} is needed: none that was tried is better than no limit"
        return f"no limit on {what} is needed: the best, {limit:g}, is no better than chance explains"

    def point(self, limit: float | None, seen: _Seen, like: _Seen) -> CurvePoint:
        rows = min(len(seen), len(self.push))
        if limit is not None and np.array_equal(seen.cost, self.push.cost[:rows]):
            seen = self.push  # it limits nothing, and fewer runs would only look different
            rows = len(seen)
        gap = difference(self.decides(seen)[:rows], self.decides(self.push)[:rows]) if limit is not None else None
        return CurvePoint(limit=limit, difference=gap, **{f.name: _measured(seen, like, f.name) for f in fields(seen)})


def _release(of: Kind, limit: float | None) -> Release:
    if limit is None:
        return Release()
    return Release(projects=int(limit)) if of == "projects" else Release(rope_hours=limit)


def _measured(seen: _Seen, like: _Seen, name: str) -> Measured:
    """Of a limit that has had fewer runs than ``like``: as far from its mean as in the runs that both have had."""
    values, other = getattr(seen, name), getattr(like, name)
    rows = min(len(values), len(other))
    moved = float(other.mean() - other[:rows].mean()) if len(values) < len(other) else 0.0
    mean, low, high = interval(values)
    return Measured(mean=rounded(mean + moved), low=rounded(low + moved), high=rounded(high + moved))


def _rated(portfolio: Portfolio) -> bool:
    holders: Iterable[Project | WorkItem] = [*portfolio.projects.values(), *portfolio.work.values()]
    return any(any(rates_of(holder)) for holder in holders) or bool(portfolio.policy.makespan)
