"""How much to let in."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from throttle_api.jobs.answers import Answer, Report
from throttle_api.jobs.kinds.common import document, none_is_an_answer, portfolio_of, previous_of
from throttle_api.jobs.kinds.options import CurveOptions, options_of
from throttle_api.jobs.states import Outcome


@none_is_an_answer
def run(request: Mapping[str, Any], inputs: Mapping[str, bytes], report: Report, stop: threading.Event) -> Answer:
    """``options``: ``runs``, ``limits``, ``ropes``. ``inputs``: ``portfolio``, and ``previous``, a plan to start from.

    The document is a throttle curve."""
    from throttle.curve import throttle_curve
    from throttle.scenarios.solve import Effort

    options = options_of(request, CurveOptions)
    effort = Effort(float(request.get("budget", 2.0)), int(request.get("seed", 1)))
    made = throttle_curve(
        portfolio_of(inputs),
        previous_of(inputs),
        effort,
        runs=options.runs,
        limits=options.limits,
        ropes=options.ropes,
        tell=lambda what: report({"phase": what}),
        stop=stop,
    )
    if stop.is_set():  # the limits that were not tried might be better
        return Answer(Outcome.UNKNOWN)
    return Answer(Outcome.FEASIBLE, document(made), {"runs": made.runs})
