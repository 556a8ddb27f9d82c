"""The forecast: a plan executed many times, told as dates with their chances, and what they depend on."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from throttle.buffers import Spread as Likely
from throttle.buffers.chains import Trail
from throttle.buffers.fever import zone_of
from throttle.errors import InputError, InterruptedWithoutPlanError
from throttle.files import portfolio_hash
from throttle.forecast.assumed import assumptions
from throttle.forecast.risks import chance, risks
from throttle.graph import WorkGraph
from throttle.simulate import Cause, Model, Sample, Settings, model_of, simulate
from throttle.wording import plural, some
from throttle_models import Finding, Plan, Portfolio, ProjectPlan, Zones, with_inserted
from throttle_models.forecast import Chance, Dates, FanPoint, FeverExpected, Forecast, ProjectForecast, Spread

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from throttle.executors import Engine
    from throttle.instance import Floats

HOUR = timedelta(hours=1)
OFTEN, NAMED = 0.1, 5
"""A change that overruns its window in so many of the runs is named; so many at most in a sentence."""
FAN = (0.02, 0.05, *(k / 20 for k in range(2, 19)), 0.95, 0.98)
"""Shares of runs that the fan has a point for."""
WORDS = {
    Cause.TOUCH: "worked on",
    Cause.CLOSED: "begun, people or places closed",
    Cause.INTERRUPTED: "begun, people on other work or absent",
    Cause.PEOPLE: "waits for people",
    Cause.CALENDAR: "waits for working hours",
    Cause.RELEASE: "waits to be let in",
    Cause.WIP: "waits under a limit",
    Cause.WINDOW: "waits for a window or the end of a freeze",
    Cause.PLACE: "waits for an environment or a change nearby",
    Cause.PLAN: "waits for its turn in the plan",
    Cause.REWORK: "rework after failed tests",
    Cause.FAILURE: "repeated after a roll-back",
    Cause.DATE: "waits for a date or an approval",
    Cause.LAG: "lags of links",
}
"""Keys of ``where``."""


def forecast(
    portfolio: Portfolio,
    plan: Plan,
    *,
    runs: int = 1000,
    seed: int = 1,
    settings: Settings | None = None,
    executor: Engine | None = None,
    workers: int = 2,
    stop: threading.Event | None = None,
) -> Forecast:
    """What becomes of a plan of a portfolio in so many runs.

    Interrupted by ``stop`` it tells of the runs done so far. Raises InputError where the plan is of another portfolio,
    InterruptedWithoutPlanError where no run was done.
    """
    if runs < 1:
        raise ValueError(f"a forecast needs a run at least, not {runs}")
    if not plan.items:
        sentence = "nothing is scheduled in the plan, so there is nothing to forecast"
        raise InputError([Finding(level="error", code="nothing-scheduled", message=sentence)])
    settings = replace(settings or Settings(), items=True)
    model = model_of(portfolio, plan, settings)
    sample = simulate(model, runs, seed, executor=executor, workers=workers, stop=stop)
    if sample.runs == 0:
        finding = Finding(level="error", code="interrupted", message="interrupted before a first run was done")
        raise InterruptedWithoutPlanError([finding])
    return _Teller(portfolio, plan, model, sample).forecast(seed)


class _Teller:
    def __init__(self, portfolio: Portfolio, plan: Plan, model: Model, sample: Sample) -> None:
        self.portfolio, self.plan, self.model, self.sample = portfolio, plan, model, sample
        planned = with_inserted(plan, portfolio)
        self.work = planned.work
        self.trail = Trail(WorkGraph(planned), plan.items)
        self.zones = portfolio.policy.fever or Zones()
        self.number = {id: j for j, id in enumerate(model.items) if id}
        self.last = model.instance.slots
        """Slot that stands for: not finished."""

    def forecast(self, seed: int) -> Forecast:
        s, model, plan = self.sample, self.model, self.plan
        shown = np.array([bool(id) for id in model.items])
        ends = s.finish[:, shown].max(axis=1, initial=0) if not plan.unscheduled else np.full(s.runs, self.last)
        where = self.hours(s.waits.mean(axis=0))
        spent = sum(where.values())
        return Forecast(
            as_of=plan.as_of,
            zone=plan.zone,
            currency=plan.currency,
            input_hash=portfolio_hash(self.portfolio),
            runs=s.runs,
            seed=seed,
            start=model.settings.start,
            crews=model.settings.crews,
            until=model.moment(self.last),
            planned_cost=round(model.planned_cost, 6),
            cost=spread(s.cost),
            dates=self.dates(ends),
            planned=max((item.finish for item in plan.items.values()), default=None),
            where=where,
            flow_efficiency=round(where.get(WORDS[Cause.TOUCH], 0.0) / spent, 6) if spent > 0 else None,
            projects={id: self.project(id, k) for k, id in enumerate(model.projects)},
            fever_zones=self.zones,
            wip=_mean(s.wip),
            throughput=_mean(s.throughput),
            lead_hours=_mean(s.lead),
            touch_hours=_mean(s.touch),
            unplanned_hours=_mean(s.unplanned),
            absent_hours=_mean(s.absent),
            failed_tests=_mean(s.failures[:, 0]),
            failed_changes=_mean(s.failures[:, 1]),
            unfinished=_mean(s.unfinished),
            little_residual=round(float(s.little.max()), 9),
            work_residual=round(float(s.balance.max()), 9),
            assumptions=tuple(assumptions(self.portfolio, self.work, model)),
            findings=tuple(self.findings()),
        )

    def findings(self) -> list[Finding]:
        left, found = self.sample.unfinished, []
        if self.plan.unscheduled:
            ids = tuple(self.plan.unscheduled)
            message = (
                f"{plural(len(ids), 'item is', 'items are')} not in the plan ({some(ids)}): they are not simulated, "
                "what they belong to has no date, and their delay is in no cost"
            )
            found.append(Finding(level="warning", code="not-in-plan", ids=ids[:100], message=message))
        found += self.overruns()
        if not (left > 0).any():
            return found
        end = f"{self.model.moment(self.last):%Y-%m-%d}"
        held = self.held_up()
        message = (
            f"in {100 * (left > 0).mean():.1f} % of the runs something is not finished by {end}, the last day "
            "looked at: dates "
            "after it are unknown, and costs are too low there"
        )
        if held:
            message += f"; held up there: {some([words for _, words in held], NAMED)}"
        ids = tuple(id for id, _ in held)
        return [*found, Finding(level="warning", code="unfinished-runs", ids=ids[:100], message=message)]

    def held_up(self) -> list[tuple[str, str]]:
        """Items that do not end by themselves in some runs (not those that only wait for others), most often first,
        with their share of the runs and what keeps them there."""
        found = []
        for id, j in self.number.items():
            stuck = self.sample.stuck[:, j]
            if (stuck > 0).any():
                often = np.bincount(stuck[stuck > 0] - 1, minlength=len(Cause))
                words = f"{id} in {100 * (stuck > 0).mean():.1f} % of the runs ({WORDS[Cause(int(often.argmax()))]})"
                found.append((-int((stuck > 0).sum()), id, words))
        return [(id, words) for _, id, words in sorted(found)]

    def overruns(self) -> list[Finding]:
        """Changes that often do not fit into their window, and those that did not fit at all."""
        from throttle.solve.kernels import kernels

        s, found = self.sample, []
        share = {id: float((s.overran[:, j] > 0).mean()) for id, j in self.number.items()}
        often = sorted((id for id, p in share.items() if p >= OFTEN), key=lambda id: (-share[id], id))
        if often:
            named = some([f"{id} in {100 * share[id]:.0f} % of the runs" for id in often], NAMED)
            message = (
                f"{plural(len(often), 'change takes', 'changes take')} longer than the window has room for, and "
                f"{'is' if len(often) == 1 else 'are'} rolled back until the next one: {named}; a longer window, or a "
                "change divided into smaller ones, helps"
            )
            found.append(Finding(level="warning", code="overruns-window", ids=tuple(often[:100]), message=message))
        if s.forced.any():
            most = kernels(False, "execution").MOST_OVERRUNS
            never = [id for id, j in self.number.items() if (s.overran[:, j] >= most).any()]
            message = (
                f"{some(never, NAMED)} did not fit into the window in {most} attempts, "
                f"in {100 * (s.forced > 0).mean():.1f} % "
                "of the runs; then the planned time was taken, so dates are too early there"
            )
            found.append(Finding(level="warning", code="never-fitted", ids=tuple(never[:100]), message=message))
        return found

    def hours(self, slots: NDArray[np.floating]) -> dict[str, float]:
        """By cause, in the words of the forecast; what takes no time is left out."""
        hours = slots * self.model.hours_per_slot
        return {WORDS[c]: round(float(hours[c]), 4) for c in Cause if abs(hours[c]) >= 5e-5}

    def quantile(self, finish: NDArray[np.integer], share: float) -> datetime | None:
        """The least of the finishes that is not exceeded in so many of the runs; None beyond the last slot."""
        slot = np.quantile(finish, share, method="inverted_cdf")
        return None if slot >= self.last else self.model.moment(float(slot))

    def dates(self, finish: NDArray[np.integer]) -> Dates:
        p10, p50, p85, p95 = (self.quantile(finish, share) for share in (0.1, 0.5, 0.85, 0.95))
        return Dates(p10=p10, p50=p50, p85=p85, p95=p95)

    def project(self, id: str, k: int) -> ProjectForecast:
        s, model, told = self.sample, self.model, self.plan.projects[id]
        whole = told.finish is not None
        finish = s.projects[:, k] if whole else np.full(s.runs, self.last)  # what is not in the plan is never done
        dates = self.dates(finish)
        buffer = (dates.p85 - dates.p50) / HOUR if dates.p85 is not None and dates.p50 is not None else None
        groups = [g for g, name in enumerate(model.groups) if name in (f"project:{id}", f"item:{id}")]
        buffered = told.promise is not None and told.promise != told.finish
        return ProjectForecast(
            title=told.title,
            planned=told.finish,
            due=told.due,
            dates=dates,
            buffer_hours=None if buffer is None else round(buffer, 4),
            promise=dates.p85,
            chance_of_due=self.by(finish, told.due),
            chance_of_plan=self.by(finish, told.finish),
            chance_of_promise=self.by(finish, told.promise) if buffered else None,
            cost=spread(s.costs[:, groups].sum(axis=1)),
            where=self.hours(s.where[:, k].mean(axis=0)),
            risks=risks(self.work, model, s, finish) if whole else (),
            fever=self.fever(told, self.members(k), dates),
            fan=self.fan(finish),
        )

    def members(self, k: int) -> list[str]:
        """Scheduled items of a project, by its column."""
        x = self.model.arrays
        return [self.model.items[j] for j in x.flat[x.project_ptr[k] : x.project_ptr[k + 1]]]

    def by(self, finish: NDArray[np.integer], moment: datetime | None) -> Chance | None:
        """Chance of being finished by a moment."""
        if moment is None:
            return None
        return chance(int((finish <= self.model.origin.exact(moment) + 1e-9).sum()), len(finish))

    def fan(self, finish: NDArray[np.integer]) -> tuple[FanPoint, ...]:
        found = ((share, self.quantile(finish, share)) for share in FAN)
        return tuple(FanPoint(moment=moment, share=share) for share, moment in found if moment is not None)

    def fever(self, told: ProjectPlan, members: list[str], dates: Dates) -> tuple[FeverExpected, ...]:
        """At the end of each item of the chain: how much of the buffer is used.

        Where the plan has no buffer: of p85 - p50, behind the median; then each item is held against its own median.
        """
        s, ends = self.sample, self.model.schedule.end
        if told.finish is None:
            return ()
        hour = 1 / self.model.hours_per_slot
        chain = [self.number[id] for id in told.chain if id in self.number]
        if chain and told.buffer_hours and told.promise is not None and told.promise > told.finish:
            buffer = (told.promise - told.finish) / HOUR * hour
            expected = ends[chain].astype(float)
        elif dates.p50 is not None and dates.p85 is not None and dates.p85 > dates.p50:
            chain = [self.number[id] for id in self.trail.chain(members)]
            buffer = (dates.p85 - dates.p50) / HOUR * hour
            expected = np.quantile(s.finish[:, chain], 0.5, axis=0, method="inverted_cdf").astype(float)
        else:
            return ()
        hours = [max(Likely.of(self.work[self.model.items[j]]).likely, 0.0) for j in chain]
        whole = sum(hours)
        found, done = [], 0.0
        for j, likely, moment in zip(chain, hours, expected.tolist(), strict=True):
            done += likely
            share = done / whole if whole > 0 else 1.0
            used = np.maximum((s.finish[:, j] - moment) / buffer, 0.0)
            mean = float(used.mean())
            found.append(
                FeverExpected(
                    item=self.model.items[j],
                    done=round(share, 6),
                    used=round(mean, 6),
                    used_p85=round(float(np.quantile(used, 0.85)), 6),
                    zone=zone_of(self.zones, share, mean),
                )
            )
        return tuple(found)


def spread(values: Floats) -> Spread:
    p50, p85, p95 = (float(np.quantile(values, q, method="inverted_cdf")) for q in (0.5, 0.85, 0.95))
    return Spread(mean=_mean(values), p50=round(p50, 4), p85=round(p85, 4), p95=round(p95, 4))


def _mean(values: NDArray[np.floating] | NDArray[np.integer]) -> float:
    return round(float(np.mean(values)), 4)


__all__ = ["WORDS", "forecast", "spread"]
