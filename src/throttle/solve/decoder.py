"""Orders into schedules: the working space of a kernel and its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import Instance, Schedule
from throttle.solve.jit import kernels

if TYPE_CHECKING:
    from throttle.instance import Floats, Ints

PLAIN_WORK = 4_000
"""Up to so much, plain Python is quicker than loading numba."""


def work_of(instance: Instance) -> float:
    """Slots that one decode looks at, roughly: those worked in, and some around work that needs more checks."""
    a = instance.arrays
    return float((a.work * a.people).sum() + 40 * instance.n + 0.05 * float((~a.plain).sum()) * instance.slots)


@dataclass(frozen=True)
class Outcome:
    """A schedule, or the activities that have no place."""

    schedule: Schedule | None
    missing: tuple[int, ...] = ()
    locked: bool = False
    """Projects let in wait for others that the limit keeps out."""


class Decoder:
    """Serial schedule generation on one instance. Not shared between threads: each has its own working space."""

    def __init__(self, instance: Instance, compiled: bool = True) -> None:
        self.instance = instance
        self._kernel = kernels(compiled)
        a = instance.arrays
        people, slots = len(instance.people), instance.slots
        limited = bool((a.person_wip > 0).any())
        self._load = np.zeros((people, slots), np.int16)
        self._held = np.zeros((people, slots) if limited else (people, 0), np.int16)
        self._env = np.zeros((len(a.capacity), slots), np.int64)
        self._skip = np.zeros((people, slots), np.int32)
        self._start = np.zeros(instance.n, np.int64)
        self._end = np.zeros(instance.n, np.int64)
        seats = int(a.crew_ptr[-1])
        self._crew = np.full(seats, -1, np.int64)
        self.free = np.full(seats, -1, np.int64)
        """No seat fixed."""

    def decode(self, key: Floats, forced: Ints | None = None) -> Outcome:
        """Place all activities, smallest key first; forced gives a person for a seat, or -1."""
        a = self.instance.arrays
        self._crew[:] = -1
        outcome = self._kernel.decode(
            a,
            key,
            self.free if forced is None else forced,
            self._start,
            self._end,
            self._crew,
            self._load,
            self._held,
            self._env,
            self._skip,
        )
        if outcome != self._kernel.PLACED:
            missing = tuple(int(j) for j in np.flatnonzero(self._start < 0))
            return Outcome(None, missing, outcome == self._kernel.LOCKED)
        return Outcome(self.schedule(self._start, self._end, self._crew))

    def schedule(self, start: Ints, end: Ints, crew: Ints) -> Schedule:
        value, flow = self._kernel.cost(self.instance.arrays, start, end)
        return Schedule(start.copy(), end.copy(), crew.copy(), float(value), float(flow))
