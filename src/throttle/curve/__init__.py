"""The throttle curve: how much to let in at once, tuned by simulation (docs/foresee.md).

On fixed times a limit is only one more constraint; what it is good for is queues and switching, which only a simulation
of uncertain times shows. So the same runs are made for each limit, with the same random numbers, in the order of a plan
that knows no limit. The first half of the runs chooses the limit, and the second half, which had no part in that, says
what it gains: the best of many means looks better than it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import numpy as np

from throttle.calendars import as_of
from throttle.compile import rates_of
from throttle.confidence import interval
from throttle.errors import InputError, InterruptedWithoutPlanError
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
"""Most limits of one kind that are tried."""
DAY = timedelta(days=1)

Tell = Callable[[str], None]


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

    plan: where the search for the plan without limits starts. runs: of each limit, 4 or more. limits, ropes: those to
    try (projects in process; hours); default: up to ``MOST`` of each that differ. Raises InputError where there is
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
    push = running.of(Release())
    found = []
    for kind, tried in (
        ("projects", [float(k) for k in limits] or [float(k) for k in spaced(len(open_))]),
        ("rope", list(ropes) or rope_hours(order)),
    ):
        if tried and not stop.is_set():
            found.append(running.limits(kind, sorted(set(tried)), push, portfolio))  # type: ignore[arg-type]
    return Curve(
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
        self.unfinished = 0.0
        now, zone = as_of(portfolio), ZoneInfo(portfolio.zone)
        arrivals = []
        for name in model.projects:
            project = portfolio.projects.get(name)
            when = project.not_before if project is not None else None
            arrivals.append(max(0.0, model.origin.exact(when.resolve(now, zone))) if when is not None else 0.0)
        self.arrival = np.array(arrivals)
        """Slot of each project, or item with a date or cost of its own, from which on it may begin."""
        self.of_project = np.array([name in portfolio.projects for name in model.projects], bool)

    def of(self, release: Release) -> _Seen:
        """All runs of one limit; the same random numbers for all."""
        sample = simulate(self.model, self.runs, self.seed, release=release, executor=self.executor, stop=self.stop)
        if sample.runs == 0:
            finding = Finding(level="error", code="interrupted", message="interrupted before a first run was done")
            raise InterruptedWithoutPlanError([finding])
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

    def limits(
        self, of: Literal["projects", "rope"], tried: Sequence[float], push: _Seen, portfolio: Portfolio
    ) -> Limits:
        seen = []
        for k in tried:
            self.tell(f"{of}: {k:g}")
            seen.append(self.of(Release(projects=int(k)) if of == "projects" else Release(rope_hours=k)))
            if self.stop.is_set():
                break
        rows = [len(self.decides(s)) for s in seen]
        half = min([len(self.decides(push)), *rows]) // 2
        best, gain = choose([self.decides(s) for s in seen], self.decides(push), half)
        mean, low, _ = gain
        needed = best is not None and low > 0
        policy = portfolio.policy
        rope = policy.rope / timedelta(hours=1) if policy.rope else None
        limit = tried[best] if best is not None else None
        points = [self.point(k, s, push) for k, s in zip(tried, seen, strict=False)]
        points.append(self.point(None, push, None))
        _, shown_low, shown_high = (
            gain_interval(self.decides(push), self.decides(seen[best]), half) if best is not None else gain
        )
        return Limits(
            of=of,
            now=policy.projects_in_process if of == "projects" else rope,
            points=tuple(points),
            recommended=limit if needed else None,
            best=limit,
            gain=Measured(mean=rounded(mean), low=rounded(shown_low), high=rounded(shown_high)),
            text=self.said(of, limit, needed, mean),
        )

    def said(self, of: str, limit: float | None, needed: bool, gain: float) -> str:
        what = "projects in process" if of == "projects" else "hours of rope"
        unit = "of cost of delay" if self.measure == "cost of delay" else "hours of lead time"
        if needed and limit is not None:
            return f"at most {limit:g} {what}: it saves {gain:,.4g} {unit} against no limit"
        if limit is None:
            return f"no limit on {what} is needed: none that was tried is better than no limit"
        return f"no limit on {what} is needed: the best, {limit:g}, is no better than chance explains"

    def point(self, limit: float | None, seen: _Seen, push: _Seen | None) -> CurvePoint:
        rows = min(len(self.decides(seen)), len(self.decides(push)) if push is not None else len(self.decides(seen)))
        gap = difference(self.decides(seen)[:rows], self.decides(push)[:rows]) if push is not None else None
        return CurvePoint(
            limit=limit,
            cost=_measured(seen.cost),
            lead=_measured(seen.lead),
            p85=_measured(seen.p85),
            throughput=_measured(seen.throughput),
            in_process=_measured(seen.in_process),
            difference=gap,
        )


def choose(tried: Sequence[Floats], push: Floats, half: int) -> tuple[int | None, tuple[float, float, float]]:
    """Which of the limits has the least mean in the first half of the runs, and its gain in the others.

    None where none is below no limit. The gain is a mean and its interval at ``CONFIDENCE``.
    """
    means = [float(one[:half].mean()) for one in tried]
    best = min(range(len(means)), key=lambda k: (means[k], -k), default=None)
    if best is None or means[best] >= float(push[:half].mean()) * (1 - 1e-12):
        return None, (0.0, 0.0, 0.0)
    gap = push[half : 2 * half] - tried[best][half : 2 * half]
    return best, interval(gap, CONFIDENCE)


def gain_interval(push: Floats, best: Floats, half: int) -> tuple[float, float, float]:
    """The gain of the second half of the runs, at the confidence that is shown."""
    return interval(push[half : 2 * half] - best[half : 2 * half])


def _measured(values: Floats) -> Measured:
    mean, low, high = interval(values)
    return Measured(mean=rounded(mean), low=rounded(low), high=rounded(high))


def _rated(portfolio: Portfolio) -> bool:
    holders: Iterable[Project | WorkItem] = [*portfolio.projects.values(), *portfolio.work.values()]
    return any(any(rates_of(holder)) for holder in holders) or bool(portfolio.policy.makespan)
