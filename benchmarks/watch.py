"""Follows a solve from outside: when plans were found, and how much memory the process has held."""

from __future__ import annotations

import resource
import sys
import time

from throttle.solve import Progress


def memory_mb() -> float:
    """The most memory that this process has held so far (peak resident set), in 10^6 bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


class Watch:
    """Takes the reports of a solve. Seconds count from when the watch was made, so they include what came before."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.first: float | None = None
        """When the first plan was reported."""
        self.best: float | None = None
        """When the plan was last reported better than before."""
        self.incumbent: float | None = None
        self.phases: dict[str, float] = {}
        """When each phase was reported first."""

    @property
    def seconds(self) -> float:
        return round(time.perf_counter() - self.began, 3)

    def __call__(self, progress: Progress) -> None:
        self.phases.setdefault(progress.phase, self.seconds)
        if progress.incumbent is None:
            return
        if self.first is None:
            self.first = self.seconds
        if self.incumbent is None or progress.incumbent < self.incumbent - 1e-9 * abs(self.incumbent):
            self.incumbent, self.best = progress.incumbent, self.seconds
