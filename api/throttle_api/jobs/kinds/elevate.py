"""What would elevate the bottleneck."""

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
from throttle_models.elevate import Menu


class Options(Model):
    menu: Menu = Menu()
    resolve: Annotated[int, Field(ge=0, le=1000)] = 12
    """Plan anew with so many options."""
    runs: Annotated[int, Field(ge=0, le=100_000)] = 0


def run(request: Mapping[str, Any], inputs: Mapping[str, bytes], report: Report, stop: threading.Event) -> Answer:
    """``options``: ``menu``, ``resolve``, ``runs``. ``inputs``: ``portfolio``, and ``previous``, a plan to start from.

    The document is a menu of options, the most valuable first."""
    from throttle.elevate import elevate
    from throttle.scenarios.solve import Effort

    options = options_of(request, Options)
    effort = Effort(float(request.get("budget", 2.0)), int(request.get("seed", 1)), int(request.get("workers", 1)))
    try:
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
    except NoPlanError as none:
        return none_of(none.findings)
    except InterruptedWithoutPlanError:
        return Answer(Outcome.UNKNOWN)
    return Answer(Outcome.FEASIBLE, document(made), {"options": len(made.options)})
