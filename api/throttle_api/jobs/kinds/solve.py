"""A verified plan of a portfolio."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from throttle.files import save_plan
from throttle_api.jobs.answers import BEST, Answer, Report
from throttle_api.jobs.kinds.common import none_is_an_answer, plan_of, portfolio_of, previous_of
from throttle_api.jobs.states import Outcome
from throttle_models import Plan, PlanStatus

log = logging.getLogger(__name__)
SECONDS_EACH = 0.002
"""To make and verify a plan, for each of its items; measured on the example organisation."""


@none_is_an_answer
def run(request: Mapping[str, Any], inputs: Mapping[str, bytes], report: Report, stop: threading.Event) -> Answer:
    """``request``: ``budget`` (seconds), ``seed``, ``workers``, ``deterministic``, all optional. ``inputs``:
    ``portfolio``, and ``previous``, a plan to start from. The document is the plan."""
    portfolio = portfolio_of(inputs)
    with BestSoFar(report, len(portfolio.work)) as best:
        plan = plan_of(request, portfolio, previous_of(inputs), report, stop, best)
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


class BestSoFar:
    """Makes verified plans of what a search has found so far, in a thread beside it, and reports them.

    About ``share`` of the time goes into it at most, by what each takes (``items`` are for a guess at the first), and
    nothing is sent that is larger than ``most`` bytes: the search is what was asked for.
    """

    def __init__(self, report: Report, items: int, share: float = 0.1, most: int = 20_000_000) -> None:
        self._report, self._share, self._most = report, share, most
        self._rest = items * SECONDS_EACH / share
        self._news = threading.Condition()
        self._make: Callable[[], Plan] | None = None
        self._over = False
        self._thread = threading.Thread(target=self._work, name="best-so-far", daemon=True)

    def __call__(self, make: Callable[[], Plan]) -> None:
        with self._news:
            self._make = make
            self._news.notify()

    def __enter__(self) -> BestSoFar:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._news:
            self._over = True
            self._news.notify()

    def _work(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._over, self._rest)
                self._news.wait_for(lambda: self._over or self._make is not None)
                make, self._make = self._make, None
            if self._over or make is None:
                return
            began = time.monotonic()
            try:
                text = _text(make())
            except Exception:  # whatever it is, the search goes on, and its end says what is wrong
                log.exception("no plan of the best so far")
                return
            if not self._over and len(text) <= self._most:
                self._report({BEST: text})
            self._rest = (time.monotonic() - began) * (1 / self._share - 1)


def _text(plan: Plan) -> bytes:
    """As plan.json has it."""
    with TemporaryDirectory(prefix="throttle-") as folder:
        file = Path(folder) / "plan.json"
        save_plan(plan, file)
        return file.read_bytes()
