"""Find and prove, by two models side by side: ``Grouped`` finds complete schedules, ``Times`` refutes better ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from throttle.instance import Instance, Schedule
from throttle.solve.cpsat import Board, Found, Runner, Stop
from throttle.solve.grouped import Grouped
from throttle.solve.times import Times

if TYPE_CHECKING:
    from throttle.solve import Settings

TURNS = ((True, 0.15), (False, 0.4), (True, 0.55), (False, 1.0))
"""With one worker: whether it is the turn of ``Grouped``, and until which share of the time."""


class Whole:
    """Improves and proves an incumbent of an always-open instance."""

    def __init__(self, instance: Instance, settings: Settings, stop: Stop) -> None:
        self.settings, self.stop = settings, stop
        self.times, self.grouped = Times(instance, settings, stop), Grouped(instance, settings, stop)

    def supports(self) -> bool:
        return self.times.supports()

    def solve(self, incumbent: Schedule, bound: float, seconds: float, workers: int | None = None) -> Found:
        """Look for a schedule that costs less than the incumbent.

        bound: a known lower bound on the cost. seconds: of the clock, or of CP-SAT's deterministic time.
        """
        count = workers or self.settings.workers
        if not self.times.crewed or not self.grouped.supports():
            return self.times.solve(incumbent, bound, seconds, count)
        board = Board(incumbent, bound, self.stop)
        if self.settings.deterministic or count < 2:
            found = self._in_turn(board, seconds)
        else:
            found = self._side_by_side(board, seconds, count)
        starts = next((f.starts for f in found if f.starts is not None), None)
        best = board.schedule if board.schedule is not incumbent else None
        return Found(best, board.schedule.cost if board.closed else board.bound, board.closed, starts)

    def _in_turn(self, board: Board, seconds: float) -> list[Found]:
        found: list[Found] = []
        clock = Runner(self.settings, board, seconds)
        spent = 0.0
        for grouped, until in TURNS:
            share = (until - spent) * seconds if self.settings.deterministic else until * seconds - clock.elapsed
            spent = until
            if board.is_set() or share <= 0:
                continue
            model = self.grouped if grouped else self.times
            found.append(model.solve(board.schedule, board.bound, share, 1, board))
        return found

    def _side_by_side(self, board: Board, seconds: float, workers: int) -> list[Found]:
        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(self.times.solve, board.schedule, board.bound, seconds, 1, board)
            other = pool.submit(self.grouped.solve, board.schedule, board.bound, seconds, workers - 1, board)
            return [one.result(), other.result()]
