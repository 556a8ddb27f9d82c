"""Jobs: what a worker does for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from throttle.solve.jobs import Bounding, Span

if TYPE_CHECKING:
    from throttle.instance import Instance
    from throttle.solve.bounds.lagrangian import Lagrangian


class Bound:
    """A bound that is done after so many steps."""

    rate = 100.0

    def __init__(self, steps: int) -> None:
        self.left, self.idle, self.bound = steps, 0, 0.0

    @property
    def done(self) -> bool:
        return self.left <= 0

    def step(self, work: float) -> float:
        if self.done:
            self.idle += 1
            return 1e-3
        self.left -= 1
        return work


@pytest.mark.parametrize(("cost", "flow"), [(1, 5), (5, 1), (0, 3), (3, 0)])
def test_time_for_bounds_goes_to_one_that_is_not_done(cost: int, flow: int) -> None:
    job = Bounding(cast("Instance", None))
    bounds = [Bound(cost), Bound(flow)]
    job.bounds = cast("list[Lagrangian]", bounds)
    job.run(Span(60.0, deterministic=True, halted=lambda: False))
    assert [b.idle for b in bounds] == [0, 0]
    assert all(b.done for b in bounds)
