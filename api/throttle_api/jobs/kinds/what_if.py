"""The same portfolio with changes, side by side."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from throttle.errors import InterruptedWithoutPlanError, NoPlanError
from throttle_api.jobs.answers import Answer, Report
from throttle_api.jobs.kinds.common import document, none_of, options_of, portfolio_of, previous_of
from throttle_api.jobs.states import Outcome
from throttle_models import Model
from throttle_models.scenario import Scenario


class Options(Model):
    scenarios: Annotated[dict[str, Scenario], Field(min_length=1, max_length=100)]
    runs: Annotated[int, Field(ge=0, le=100_000)] = 0


def run(request: Mapping[str, Any], inputs: Mapping[str, bytes], report: Report, stop: threading.Event) -> Answer:
    """``options``: ``scenarios`` by name, ``runs``. ``inputs``: ``portfolio``, and ``previous``, a plan to start from.

    The document says what each scenario would change."""
    from throttle.scenarios import what_if
    from throttle.scenarios.solve import Effort

    options = options_of(request, Options)
    effort = Effort(float(request.get("budget", 2.0)), int(request.get("seed", 1)), int(request.get("workers", 1)))
    try:
        made, _ = what_if(
            portfolio_of(inputs),
            options.scenarios,
            effort,
            runs=options.runs,
            start=previous_of(inputs),
            tell=lambda what: report({"phase": what}),
            stop=stop,
        )
    except NoPlanError as none:
        return none_of(none.findings)
    except InterruptedWithoutPlanError:
        return Answer(Outcome.UNKNOWN)
    return Answer(Outcome.FEASIBLE, document(made), {"variants": len(made.variants)})
