"""What kinds have in common: the inputs as values, and documents as text."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from pydantic import BaseModel

from throttle.errors import InterruptedWithoutPlanError, NoPlanError
from throttle.planning import make_plan
from throttle.scenarios.solve import Effort
from throttle.solve import Progress
from throttle_api.jobs.answers import Answer, Kind, Report
from throttle_api.jobs.states import Outcome
from throttle_models import Finding, Plan, Portfolio


def portfolio_of(inputs: Mapping[str, bytes]) -> Portfolio:
    return Portfolio.model_validate_json(inputs["portfolio"])


def previous_of(inputs: Mapping[str, bytes]) -> Plan | None:
    return Plan.model_validate_json(inputs["previous"]) if "previous" in inputs else None


def plan_of(
    request: Mapping[str, Any],
    portfolio: Portfolio,
    previous: Plan | None,
    report: Report,
    stop: threading.Event,
    better: Callable[[Callable[[], Plan]], None] | None = None,
) -> Plan:
    """A plan, found as the request asks: ``budget`` (seconds), ``seed``, ``workers``, ``deterministic``. ``better`` is
    that of :func:`throttle.planning.make_plan`. Raises as that does."""
    report({"phase": "preparing"})  # on a new machine the inner loops are compiled, which takes minutes
    return make_plan(
        portfolio,
        budget=float(request.get("budget", 10.0)),
        seed=int(request.get("seed", 1)),
        workers=int(request.get("workers", 2)),
        deterministic=bool(request.get("deterministic", False)),
        previous=previous,
        progress=telling(report),
        stop=stop,
        better=better,
    )


def effort_of(request: Mapping[str, Any]) -> Effort:
    """For each of several plans: ``budget`` (seconds of work), ``seed``, and ``workers`` plans at once."""
    return Effort(float(request.get("budget", 2.0)), int(request.get("seed", 1)), int(request.get("workers", 1)))


def none_is_an_answer(run: Kind) -> Kind:
    """The kind, with an answer where there is no plan, or where it was stopped before there was one."""

    @wraps(run)
    def answer(
        request: Mapping[str, Any], inputs: Mapping[str, bytes], report: Report, stop: threading.Event
    ) -> Answer:
        try:
            return run(request, inputs, report, stop)
        except NoPlanError as none:
            return _none_of(none.findings)
        except InterruptedWithoutPlanError:
            return Answer(Outcome.UNKNOWN)

    return answer


def telling(report: Report) -> Callable[[Progress], None]:
    """Reports of the solver as facts."""

    def progress(now: Progress) -> None:
        facts = {"incumbent": now.incumbent, "bound": now.bound, "gap": now.gap}
        report({"seconds": round(now.seconds, 3), "phase": now.phase, **facts})

    return progress


def _none_of(findings: tuple[Finding, ...]) -> Answer:
    """There is no plan: proved, or only not found."""
    unknown = any(finding.code == "no-plan-found" for finding in findings)
    told = [finding.model_dump(mode="json", exclude_defaults=True) for finding in findings]
    return Answer(Outcome.UNKNOWN if unknown else Outcome.INFEASIBLE, None, {"findings": told})


def document(made: BaseModel) -> bytes:
    return made.model_dump_json().encode()
