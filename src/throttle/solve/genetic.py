"""Genetic search on orders and crews, for the end of the last activity where nothing ever closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import Instance, Schedule
from throttle.solve.kernels import kernels
from throttle.solve.packing import Packing, Pool, supports

if TYPE_CHECKING:
    from throttle.instance import Ints

__all__ = ["Genetic", "supports"]

WORK_PER_SECOND = 2e8
"""Slots that the compiled search looks at in a second, roughly."""
GENERATIONS = 300
"""For so many the expected work should last."""
SMALLEST, LARGEST = 12, 200
"""Bounds of the population."""
PATIENCE = 4000
"""Children without a gain, for a population of 50, after three times which a new one is begun."""
PASSES = 3
"""Decodes of a child."""
PER_ACTIVITY = 8
"""Slots of work that placing an activity costs beside its own."""


class Genetic:
    """Children of two orders or one, each decoded forward, backward and forward again (double justification).

    expected: the work that the whole search will have, which sets the size of the population. An instance is one that
    :func:`supports` accepts; ``bound``, settable, is a lower bound of the cost, at which the search stops.
    """

    rate = WORK_PER_SECOND

    def __init__(
        self, instance: Instance, seed: int, expected: float = 10 * WORK_PER_SECOND, compiled: bool = True
    ) -> None:
        self.instance = instance
        self.packing = Packing(instance)
        self.bound = 0.0
        self._kernel = kernels(compiled, "packed")
        self._space = self.packing.space()
        model = self.packing.model
        n, words = instance.n, self.packing.words
        self.decode_work = float(PASSES * (self.packing.length.sum() + PER_ACTIVITY * n))
        """Work of one child."""
        size = int(np.clip(expected / self.decode_work / GENERATIONS, SMALLEST, LARGEST))
        self._patience = int(PATIENCE * max(1.0, size / 50))
        far = self._kernel.FAR
        self.pool = Pool(
            order=np.zeros((size, n), np.int32),
            start=np.zeros((size, n), np.int32),
            crew=np.zeros((size, n, words), np.uint64),
            worth=np.zeros((size, len(model.worth))),
            end=np.full(size, far, np.int64),
            state=np.array([0, 0, 0, far, far, 0], np.int64),
            random=np.array([_scrambled(seed)], np.uint64),
            best_start=np.zeros(n, np.int32),
            best_crew=np.zeros((n, words), np.uint64),
        )
        rate = instance.arrays.flow
        self._rate = float(rate[rate > 0][0])
        self._best: Schedule | None = None

    @property
    def best(self) -> Schedule:
        """The best schedule that it has found or was given."""
        if self.pool.state[self._kernel.FILLED] == 0:
            self.step(0.0, 0.0)
        if self._best is None or self._end < int(self._best.end.max(initial=0)):
            self._best = self.packing.schedule(self.pool.best_start, self.pool.best_crew)
        return self._best

    @property
    def done(self) -> bool:
        """Whether the best is known to be optimal."""
        return self._end <= self._least

    @property
    def _end(self) -> int:
        return int(self.pool.state[self._kernel.BEST])

    @property
    def _least(self) -> int:
        """No schedule ends before."""
        return max(self.packing.critical, int(np.ceil(self.bound / self._rate - 1e-6)))

    def step(self, progress: float, work: float) -> float:  # noqa: ARG002 - nothing cools here
        """Decode children for about so much work; at least one, unless the best is known to be optimal."""
        children = max(1, round(work / self.decode_work))
        return float(max(1, self._evolve(children)) * self.decode_work)

    def _evolve(self, children: int) -> int:
        found = self._kernel.evolve(self.packing.model, self._space, self.pool, self._least, self._patience, children)
        return int(found)

    def join(self, schedule: Schedule) -> None:
        """Let a schedule of the same instance into the population, for the worst member."""
        if schedule.better(self._best) and int(schedule.end.max(initial=0)) < self._end:
            self._best = schedule
        self._welcome(schedule.start, self.packing.crews(schedule))

    def seed_times(self, start: Ints) -> None:
        """The same with starts alone, such as those of a relaxation without people: the decoder chooses the crews."""
        self._welcome(start, np.zeros((self.instance.n, self.packing.words), np.uint64))

    def _welcome(self, start: Ints, crews: np.ndarray[tuple[int, ...], np.dtype[np.uint64]]) -> None:
        self._space.order[:] = self.packing.order(start)
        self._space.wanted[:] = crews
        self.pool.state[self._kernel.GUEST] = 1
        self._evolve(1)


def _scrambled(seed: int) -> int:
    """A state of the generator that is never 0 and differs in many bits for neighbouring seeds (splitmix64)."""
    x = (seed * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) % (1 << 64)
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) % (1 << 64)
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) % (1 << 64)
    return x ^ x >> 31 or 1
