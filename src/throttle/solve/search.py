"""What every search has in common, so that one place can run several of them in turn and in threads."""

from __future__ import annotations

from typing import Protocol

from throttle.instance import Schedule


class Search(Protocol):
    """A search that goes on from what it has. Not shared between threads: each has its own working space."""

    rate: float
    """Work a second on a usual core: what a second stands for in deterministic mode."""

    @property
    def best(self) -> Schedule:
        """The best schedule that it has found or was given."""

    def step(self, progress: float, work: float) -> float:
        """Search on for about so much work, and return the work done, never 0.

        work: in slots looked at, roughly, so that what a step does never depends on a clock; the caller chooses it to
        last some milliseconds. progress: share (0 to 1) of the search that is over, for cooling.
        """

    def join(self, schedule: Schedule) -> None:
        """Take over a schedule found elsewhere, and go on from it if it is better than ``best``."""
