"""Many plans of one portfolio: variants of its policy x seeds."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from throttle_api.jobs.answers import Answer, Report
from throttle_api.jobs.kinds.common import document, portfolio_of
from throttle_api.jobs.kinds.options import BatchOptions, options_of
from throttle_api.jobs.states import Outcome
from throttle_models.batch import RunStatus

NAME = "portfolio"


def run(request: Mapping[str, Any], inputs: Mapping[str, bytes], report: Report, stop: threading.Event) -> Answer:
    """``options``: ``variants``, ``seeds``; ``budget`` is that of each plan, ``workers`` the plans at once. ``inputs``:
    ``portfolio``. The document is the table of all runs, with the best variant marked; their plans are not kept."""
    from throttle.batch import Batch, Event, Run, run_batch
    from throttle.files import save_portfolio

    options = options_of(request, BatchOptions)
    deterministic, budget = bool(request.get("deterministic", False)), float(request.get("budget", 10.0))

    def tell(event: Event) -> None:
        report({"phase": "planning", "done": event.done, "total": event.total})

    with TemporaryDirectory(prefix="throttle-") as folder:
        file = Path(folder) / f"{NAME}.json"
        save_portfolio(portfolio_of(inputs), file)
        runs = tuple(
            Run(NAME, file, variant, seed, patch)
            for variant, patch in options.variants.items()
            for seed in options.seeds
        )
        batch = Batch(runs, budget, 1, deterministic)
        jobs = int(request.get("workers", 1))
        made = run_batch(batch, Path(folder) / "out", jobs=jobs, report=tell, stop=stop)
    planned = sum(row.status in (RunStatus.OPTIMAL, RunStatus.FEASIBLE) for row in made.rows)
    summary = {"runs": len(made.rows), "planned": planned}
    return Answer(Outcome.FEASIBLE if planned else Outcome.UNKNOWN, document(made), summary)
