"""The solver told to stop while an order is decoded."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from benchmarks.portfolios import synthetic

from support.cases import compiled
from throttle.instance import Instance
from throttle.solve import Settings, Solver
from throttle.solve.decoder import Decoder


@pytest.fixture(scope="module")
def instance() -> Instance:
    return compiled(synthetic(3000, 20)).instance


def test_a_stop_by_the_caller_reaches_the_decoders(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decode that would go on for ever ends, and what is missing is not taken for a plan."""
    stop, seen = threading.Event(), []
    real = Decoder.decode

    def endless(self: Decoder, key: np.ndarray, forced: np.ndarray | None = None) -> object:
        stop.set()
        began = time.monotonic()
        while not self.stop[0] and time.monotonic() - began < 5:
            time.sleep(0.005)
        seen.append(time.monotonic() - began)
        return real(self, key, forced)

    monkeypatch.setattr(Decoder, "decode", endless)
    monkeypatch.setattr("throttle.solve.supports_chronological", lambda _: False)
    solution = Solver(instance, Settings(budget=30), stop=stop).solve()
    assert len(seen) == 1
    assert seen[0] < 0.2
    assert solution.best is None
    assert solution.interrupted


def test_no_thread_is_left(instance: Instance) -> None:
    Solver(instance, Settings(budget=0.05)).solve()
    assert not [t for t in threading.enumerate() if t.name == "solve-watch"]
