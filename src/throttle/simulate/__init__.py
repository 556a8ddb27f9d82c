"""Simulation: a plan executed many times with uncertain times, unplanned work, absences, failed tests and changes.

Random numbers are common: run r of seed s draws the same times for item i whatever is let in, however runs are shared
out, and however many workers there are (Law, Simulation Modeling and Analysis, 2015, ch. 11.2). So two policies are
compared run by run, and the difference has far less noise than either.

    model = model_of(portfolio, plan)                              # Settings(...) says how it is executed
    sample = simulate(model, runs=1000, seed=1)                    # processes or Dask: executor=, as of open_executor
    limited = simulate(model, 1000, 1, release=Release(projects=3))
    gain = sample.cost - limited.cost                              # run by run

``model_of(portfolio: Portfolio, plan: Plan, settings: Settings = Settings()) -> Model``: the portfolio as the plan was
made from it (``throttle.as_planned`` is applied by it).
``simulate(model: Model, runs: int, seed: int, *, release: Release | None = None, first: int = 0, executor: Engine |
None = None, stop: threading.Event | None = None) -> Sample``; release None: the limits of the policy.
"""

from __future__ import annotations

from throttle.simulate.model import Executable, model_of
from throttle.simulate.run import simulate
from throttle.simulate.types import CAUSES, Cause, Model, Release, Sample, Settings

__all__ = ["CAUSES", "Cause", "Executable", "Model", "Release", "Sample", "Settings", "model_of", "simulate"]
