"""Find and prove, by two models side by side that tell each other what they find.

Where people are to be chosen, ``Grouped`` finds complete schedules and ``Times`` refutes better ones; where not, two
``Times`` of different parameters do both.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from throttle.instance import Instance, Schedule
from throttle.solve.exact.cpsat import Board, Found, Runner, Stop
from throttle.solve.exact.grouped import Grouped
from throttle.solve.exact.times import Times

if TYPE_CHECKING:
    from throttle.solve import Settings

TURNS = ((True, 0.3), (False, 0.8), (True, 0.9), (False, 1.0))
"""With one worker: whether it is the turn of what finds schedules, and until which share of the time."""


class Whole:
    """Improves and proves an incumbent of an always-open instance."""

    def __init__(self, instance: Instance, settings: Settings, stop: Stop) -> None:
        self.settings, self.stop = settings, stop
        self.times, self.grouped = Times(instance, settings, stop), Grouped(instance, settings, stop)

    def supports(self) -> bool:
        return self.times.supports()

    def solve(self, incumbent: Schedule, bound: float, seconds: float, workers: int | None = None) -> Found:
        """Look for a schedule that costs less than the incumbent.

        bound: a known lower bound on the cost. seconds: of the clock, or the work that they stand for.
        """
        board = Board(incumbent, bound, self.stop)
        if self.settings.deterministic or (workers or self.settings.workers) < 2:
            found = self._in_turn(board, seconds)
        else:
            found = self._side_by_side(board, seconds)
        starts = next((f.starts for f in found if f.starts is not None), None)
        best = board.schedule if board.schedule is not incumbent else None
        return Found(best, board.schedule.cost if board.closed else board.bound, board.closed, starts)

    def _models(self) -> tuple[Callable[..., Found], Callable[..., Found]]:
        """What finds, and what proves."""
        if self.times.crewed and self.grouped.supports():
            return self.grouped.solve, self.times.solve
        solve = self.times.solve
        return partial(solve, interleave_search=False), partial(solve, interleave_search=True)

    def _in_turn(self, board: Board, seconds: float) -> list[Found]:
        found: list[Found] = []
        finds, proves = self._models()
        clock = Runner(self.settings, board, seconds)
        spent = 0.0
        for finding, until in TURNS:
            share = (until - spent) * seconds if self.settings.deterministic else until * seconds - clock.elapsed
            spent = until
            if board.is_set() or share <= 0:
                continue
            found.append((finds if finding else proves)(board.schedule, board.bound, share, 1, board))
        return found

    def _side_by_side(self, board: Board, seconds: float) -> list[Found]:
        """One worker each: more make neither better (docs/solver.md)."""
        models = self._models()
        with ThreadPoolExecutor(len(models)) as pool:
            running = [pool.submit(solve, board.schedule, board.bound, seconds, 1, board) for solve in models]
            return [job.result() for job in running]
