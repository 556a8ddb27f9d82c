"""What can be foreseen of a plan within seconds, for its report: few runs, few limits, few people.

Each command that looks ahead does the same with more of them, and so surer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from throttle.errors import InputError, InterruptedWithoutPlanError, NoPlanError
from throttle.report.foreseen import Answer
from throttle_models import Plan, Portfolio
from throttle_models.elevate import Menu, OptionKind

FORECASTS, RUNS = 200, 20
"""Simulated runs of the forecast, and of each limit of the curve."""
LIMITS, ROPES = (1, 2, 4, 8), (40.0,)
ABSENT = 1
"""People whose absence is planned: those of the most loaded skills."""
LEFT_OUT = (OptionKind.HOUR, OptionKind.HIRE)
"""Options that are not tried, since there are many: hours of each person, and a hire for each skill; hours of all who
hold a skill are, and trainings."""
BUDGET = 0.05
"""Seconds of work for each plan."""


def foresee_briefly(
    plan: Plan,
    portfolio: Portfolio,
    *,
    seed: int = 1,
    workers: int = 2,
    tell: Callable[[str], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> tuple[Answer, ...]:
    """A forecast, a curve, options that elevate (screened only) and the absences of the most loaded people.

    The same plan and seed give the same answers. Where ``stop`` is set, those that are complete by then; one that the
    plan has nothing for (a curve without projects) is left out.
    """
    stop = stop or threading.Event()
    found = []
    for what, make in _makers(plan, portfolio, seed, workers, stop):
        if stop.is_set():
            break
        tell(what)
        try:
            answer = make()
        except (InputError, NoPlanError, InterruptedWithoutPlanError):
            continue
        if not stop.is_set():
            found.append(answer)
    return tuple(found)


def _makers(
    plan: Plan, portfolio: Portfolio, seed: int, workers: int, stop: threading.Event
) -> Iterator[tuple[str, Callable[[], Answer]]]:
    from throttle.curve import throttle_curve
    from throttle.elevate import elevate
    from throttle.forecast import forecast
    from throttle.reliance import reliance
    from throttle.scenarios.solve import Effort

    effort = Effort(BUDGET, seed, 1)  # starting further processes takes longer than so little work
    menu = Menu(leave_out=LEFT_OUT)
    leant_on = list(dict.fromkeys(person for load in plan.loads for person in load.people))[:ABSENT]
    yield (
        "executing the plan with uncertain times",
        lambda: forecast(portfolio, plan, runs=FORECASTS, seed=seed, workers=workers, stop=stop),
    )
    yield (
        "trying limits",
        lambda: throttle_curve(portfolio, plan, effort, runs=RUNS, limits=LIMITS, ropes=ROPES, stop=stop),
    )
    yield (
        "screening what would elevate the bottleneck",
        lambda: elevate(portfolio, plan, menu, effort, resolved=0, stop=stop),
    )
    if leant_on:
        yield (
            "planning without those whom the plan leans on",
            lambda: reliance(portfolio, plan, effort, people=leant_on, trainings=0, stop=stop),
        )


__all__ = ["foresee_briefly"]
