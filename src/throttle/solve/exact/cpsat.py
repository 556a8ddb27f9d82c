"""CP-SAT, run so that it ends in time: by the clock or by a fixed amount of work, and soon after it is told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from throttle.instance import Schedule

if TYPE_CHECKING:
    from throttle.instance import Ints
    from throttle.solve import Settings

LOOKED_AT = 0.05
"""Seconds between looks at the event that stops a solve."""
LEAST = 0.01
"""Seconds below which no solve is begun."""
WORK_PER_SECOND = 0.07
"""CP-SAT's deterministic time that a second stands for where no clock may decide; measured, 0.06 to 0.15."""


def new_solver() -> Any:
    """A CP-SAT solver that leaves signals alone: its own handler of SIGINT would end the process while we stop it."""
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver()
    solver.parameters.catch_sigint_signal = False
    return solver


@dataclass(frozen=True)
class Found:
    """What an exact method found.

    ``schedule``: complete, or None. ``bound`` on the cost holds for the instance, and is 0 where nothing was proved.
    ``proved``: no schedule costs less than the better of ``schedule`` and the incumbent. ``starts``: times that would
    cost less than both and keep all limits, but for which no crews are known.
    """

    schedule: Schedule | None
    bound: float
    proved: bool = False
    starts: Ints | None = None
    exhausted: bool = False
    """Whether a model of a part was searched to its end: nothing better is in it."""


class Board:
    """What models that run side by side know together. It can be asked like an event whether to stop."""

    def __init__(self, schedule: Schedule, bound: float, stop: Stop) -> None:
        self._lock = threading.Lock()
        self.stop = stop
        self.schedule, self.bound = schedule, bound
        self.improved = time.monotonic()
        """When the schedule was last improved."""

    def offer(self, schedule: Schedule) -> None:
        with self._lock:
            if schedule.cost < self.schedule.cost:
                self.schedule, self.improved = schedule, time.monotonic()

    def rise(self, bound: float) -> None:
        with self._lock:
            self.bound = max(self.bound, bound)

    @property
    def closed(self) -> bool:
        """Whether the schedule is proved."""
        return self.schedule.cost <= self.bound + 1e-9 * max(1.0, abs(self.bound))

    def is_set(self) -> bool:
        return self.closed or self.stop.is_set()


class Stop(Protocol):
    """What tells a solve to stop: an event, or anything that can be asked like one."""

    def is_set(self) -> bool: ...


class Runner:
    """Runs models one after the other within one budget of seconds, or of the work that they stand for."""

    def __init__(self, settings: Settings, stop: Stop, seconds: float) -> None:
        self.settings, self.stop, self.seconds = settings, stop, seconds
        self.began = time.monotonic()
        self.work = 0.0
        """Deterministic time used so far."""

    @property
    def elapsed(self) -> float:
        """Seconds of the clock."""
        return time.monotonic() - self.began

    @property
    def left(self) -> float:
        """What is left of the budget; nothing after a stop."""
        if self.stop.is_set():
            return 0.0
        spent = self.work / WORK_PER_SECOND if self.settings.deterministic else self.elapsed
        return max(0.0, self.seconds - spent)

    @property
    def over(self) -> bool:
        return self.left < LEAST

    def solve(
        self,
        model: Any,
        most: float | None = None,
        workers: int | None = None,
        report: Callable[[Any], None] | None = None,
        stale: Callable[[], bool] | None = None,
        risen: Callable[[float], None] | None = None,
        **parameters: Any,
    ) -> Answer:
        """Within what is left, and ``most``. One worker where the budget is one of work.

        report: called with each better solution on the way; its ``value`` gives that of a variable. risen: called with
        each better bound. stale: asked now and then whether what is looked for is known elsewhere.
        """
        from ortools.sat.python import cp_model

        solver = new_solver()
        chosen = solver.parameters
        chosen.random_seed = self.settings.seed
        chosen.num_workers = 1 if self.settings.deterministic else workers or max(1, self.settings.workers)
        if risen:
            solver.best_bound_callback = risen
        limit = self.left if most is None else min(self.left, most)
        if self.settings.deterministic:
            chosen.max_deterministic_time = limit * WORK_PER_SECOND
        else:
            chosen.max_time_in_seconds = limit
        for name, value in parameters.items():
            setattr(chosen, name, value)
        if limit < LEAST:
            return Answer(cp_model.UNKNOWN, None)
        watch = _Watch(solver, lambda: self.stop.is_set() or bool(stale and stale()))
        watch.start()
        try:
            status = solver.solve(model, _callback(report) if report else None)
        finally:
            watch.finish()
        self.work += solver.response_proto.deterministic_time
        return Answer(status, solver)


@dataclass(frozen=True)
class Answer:
    status: Any
    solver: Any
    """To read values of variables, where ``found``; None where there was no time to begin."""

    @property
    def found(self) -> bool:
        from ortools.sat.python import cp_model

        return self.status in (cp_model.OPTIMAL, cp_model.FEASIBLE)

    @property
    def optimal(self) -> bool:
        from ortools.sat.python import cp_model

        return bool(self.status == cp_model.OPTIMAL)

    @property
    def refuted(self) -> bool:
        """Nothing satisfies the model."""
        from ortools.sat.python import cp_model

        return bool(self.status == cp_model.INFEASIBLE)

    @property
    def bound(self) -> float | None:
        """On the objective; None where the solver got to none."""
        from ortools.sat.python import cp_model

        if self.solver is None or self.status not in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.UNKNOWN):
            return None
        bound = float(self.solver.best_objective_bound)
        return bound if abs(bound) < 1e17 else None


def _callback(report: Callable[[Any], None]) -> Any:
    from ortools.sat.python import cp_model

    class Callback(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            report(self)

    return Callback()


class _Watch(threading.Thread):
    """Stops the solver soon after it is to stop."""

    def __init__(self, solver: Any, stop: Callable[[], bool]) -> None:
        super().__init__(daemon=True)
        self.solver, self.asked = solver, stop
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(LOOKED_AT):
            if self.asked():
                self.solver.stop_search()

    def finish(self) -> None:
        self.over.set()
        self.join()
