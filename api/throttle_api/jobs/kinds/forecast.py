"""When work will be done, and how sure that is."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from throttle_api.jobs.answers import Answer, Report
from throttle_api.jobs.kinds.common import document, none_is_an_answer, plan_of, portfolio_of, previous_of
from throttle_api.jobs.kinds.options import ForecastOptions, options_of
from throttle_api.jobs.states import Outcome


@none_is_an_answer
def run(request: Mapping[str, Any], inputs: Mapping[str, bytes], report: Report, stop: threading.Event) -> Answer:
    """``options``: ``runs``. ``inputs``: ``portfolio``, and ``previous``, the plan; without it one is made first.

    The document is a forecast."""
    from throttle.forecast import forecast

    options, portfolio = options_of(request, ForecastOptions), portfolio_of(inputs)
    plan = previous_of(inputs) or plan_of(request, portfolio, None, report, stop)
    report({"phase": "simulating"})
    seed, workers = int(request.get("seed", 1)), int(request.get("workers", 2))
    made = forecast(portfolio, plan, runs=options.runs, seed=seed, workers=workers, stop=stop)
    return Answer(Outcome.FEASIBLE, document(made), {"runs": made.runs})
