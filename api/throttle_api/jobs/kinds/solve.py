"""A verified plan of a portfolio."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from throttle.files import save_plan
from throttle_api.jobs.answers import Answer, Report
from throttle_api.jobs.kinds.common import none_is_an_answer, plan_of, portfolio_of, previous_of
from throttle_api.jobs.states import Outcome
from throttle_models import Plan, PlanStatus


@none_is_an_answer
def run(request: Mapping[str, Any], inputs: Mapping[str, bytes], report: Report, stop: threading.Event) -> Answer:
    """``request``: ``budget`` (seconds), ``seed``, ``workers``, ``deterministic``, all optional. ``inputs``:
    ``portfolio``, and ``previous``, a plan to start from. The document is the plan."""
    plan = plan_of(request, portfolio_of(inputs), previous_of(inputs), report, stop)
    told = plan.certificate
    return Answer(
        Outcome.OPTIMAL if told.status is PlanStatus.OPTIMAL else Outcome.FEASIBLE,
        _text(plan),
        {
            "objective": told.objective.model_dump(mode="json"),
            "flow": told.flow.model_dump(mode="json"),
            "items": told.items,
            "scheduled": told.scheduled,
            "unscheduled": told.unscheduled,
            "verified": told.checked and not told.violations,
            "week": plan.week,
        },
    )


def _text(plan: Plan) -> bytes:
    """As plan.json has it."""
    with TemporaryDirectory(prefix="throttle-") as folder:
        file = Path(folder) / "plan.json"
        save_plan(plan, file)
        return file.read_bytes()
