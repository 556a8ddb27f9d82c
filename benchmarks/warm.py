"""What a process does only once, done before anything is measured: kernels compiled or loaded, libraries imported."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from benchmarks.projects import limited_by_crews, limited_by_resources
from benchmarks.variants import portfolio

from throttle.planning import make_plan
from throttle.solve.kernels import compilations
from throttle_models import Portfolio

KINDS: tuple[Callable[[], Portfolio], ...] = (
    lambda: limited_by_resources(30),
    lambda: limited_by_crews(30, 12),
    lambda: portfolio(200, 10),
    lambda: portfolio(60, 8, calendars=True),
)
"""One for each way in which the solver goes about an instance."""
BUDGET = 2.0
"""Seconds; enough that every phase begins, and that kernels are compiled at all for so little."""


def warm_up(workers: int) -> None:
    """Solve a small portfolio of each kind. Says so on the standard error, and reports nothing else."""
    print(
        "warming up before the first measurement (one to two minutes where kernels are not compiled yet)",
        file=sys.stderr,
    )
    began, before = time.perf_counter(), compilations()
    for kind in KINDS:
        make_plan(kind(), budget=BUDGET, workers=workers)
    taken, made = time.perf_counter() - began, compilations() - before
    print(f"warm after {taken:.0f} s; {made} kernels compiled, the others loaded", file=sys.stderr, flush=True)
