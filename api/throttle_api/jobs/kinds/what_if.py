"""The same portfolio with changes, side by side."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from throttle_api.jobs.answers import Answer, Report
from throttle_api.jobs.kinds.common import document, effort_of, none_is_an_answer, portfolio_of, previous_of
from throttle_api.jobs.kinds.options import WhatIfOptions, options_of
from throttle_api.jobs.states import Outcome


@none_is_an_answer
def run(request: Mapping[str, Any], inputs: Mapping[str, bytes], report: Report, stop: threading.Event) -> Answer:
    """``options``: ``scenarios`` by name, ``runs``. ``inputs``: ``portfolio``, and ``previous``, a plan to start from.

    The document says what each scenario would change."""
    from throttle.scenarios import what_if

    options = options_of(request, WhatIfOptions)
    effort = effort_of(request)
    made, _ = what_if(
        portfolio_of(inputs),
        options.scenarios,
        effort,
        runs=options.runs,
        start=previous_of(inputs),
        tell=lambda what: report({"phase": what}),
        stop=stop,
    )
    return Answer(Outcome.FEASIBLE, document(made), {"variants": len(made.variants)})
