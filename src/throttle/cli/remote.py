"""A plan made by a service instead of this computer, and checked here all the same."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from throttle.errors import InputError, InterruptedWithoutPlanError, NoPlanError, VerificationError
from throttle_models import Finding

if TYPE_CHECKING:
    from throttle.cli.solving import Search
    from throttle.client import Client
    from throttle.solve import Progress
    from throttle_models import Plan, Portfolio

KEY = "THROTTLE_KEY"
"""The environment variable with the key; a key on the command line would be seen by everyone on the computer."""
_LOOK = 0.3


def plan_on_server(
    portfolio: Portfolio, search: Search, server: str, progress: Callable[[Progress], None], stop: threading.Event
) -> Plan:
    """Send a portfolio, wait, and check what comes back. ``stop``: cancel, and take the best that was found.

    Raises InputError, NoPlanError, InterruptedWithoutPlanError, and VerificationError where the plan breaks a rule.
    """
    from throttle.check import check
    from throttle.client import ENDED, Client

    key = os.environ.get(KEY, "")
    if not key:
        message = f"--server needs a key in the environment variable {KEY}; throttle keys create makes one, there."
        raise InputError([Finding(level="error", code="no-key", message=message)])
    client = Client(server, key)
    begun = time.monotonic()
    job = client.solve(
        portfolio=_document(portfolio),
        budget=search.budget,
        seed=search.seed,
        workers=search.workers,
        deterministic=search.deterministic,
    )
    asked = False
    while job["state"] not in ENDED:
        if stop.is_set() and not asked:
            asked = True
            client.cancel(job["id"])
        _tell(job, progress, time.monotonic() - begun)
        time.sleep(_LOOK)
        job = client.job(job["id"])
    plan = _plan(client, job, stop)
    verdict = check(plan, portfolio)
    if not verdict.ok:
        raise VerificationError(verdict)
    return plan


def _tell(job: dict[str, Any], progress: Callable[[Progress], None], seconds: float) -> None:
    from throttle.solve import Progress

    now = Progress(seconds, None, None, None, str(job["state"]).lower())
    if job["progress"]:
        known = {name: job["progress"].get(name) for name in ("incumbent", "bound", "gap", "phase")}
        now = replace(now, **{name: value for name, value in known.items() if value is not None})
    progress(now)


def _plan(client: Client, job: dict[str, Any], stop: threading.Event) -> Plan:
    from throttle.client import ServiceError

    try:
        return client.plan_of(job["id"], incumbent=True)
    except ServiceError as problem:
        if problem.code != "no-solution":
            raise
        if job["state"] == "CANCELLED" or stop.is_set():
            raise InterruptedWithoutPlanError(problem.findings) from None
        if job["state"] == "FAILED":
            raise InputError(problem.findings) from None
        raise NoPlanError(problem.findings) from None


def _document(portfolio: Portfolio) -> dict[str, Any]:
    """As portfolio files write it."""
    import json
    from pathlib import Path

    from throttle.files import save_portfolio

    with TemporaryDirectory(prefix="throttle-") as folder:
        file = Path(folder) / "portfolio.json"
        save_portfolio(portfolio, file)
        found: dict[str, Any] = json.loads(file.read_bytes())
        return found
