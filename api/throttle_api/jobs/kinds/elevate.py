"""What would elevate the bottleneck."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from throttle_api.jobs.answers import Answer, Report
from throttle_api.jobs.kinds.common import document, effort_of, none_is_an_answer, portfolio_of, previous_of
from throttle_api.jobs.kinds.options import ElevateOptions, options_of
from throttle_api.jobs.states import Outcome


@none_is_an_answer
def run(request: Mapping[str, Any], inputs: Mapping[str, bytes], report: Report, stop: threading.Event) -> Answer:
    """``options``: ``menu``, ``resolve``, ``runs``. ``inputs``: ``portfolio``, and ``previous``, a plan to start from.

    The document is a menu of options, the most valuable first."""
    from throttle.elevate import elevate

    options = options_of(request, ElevateOptions)
    effort = effort_of(request)
    made = elevate(
        portfolio_of(inputs),
        previous_of(inputs),
        options.menu,
        effort,
        resolved=options.resolve,
        runs=options.runs,
        tell=lambda what: report({"phase": what}),
        stop=stop,
    )
    return Answer(Outcome.FEASIBLE, document(made), {"options": len(made.options)})
