"""How fast this machine is: fixed work that the program has no part in; the history relates all times to it."""

from __future__ import annotations

import numpy as np
from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 200_000
DIGEST = 517_621_592


def reference() -> int:
    """Integers, a dictionary and a list, as in most of the program; then sums and sorts over arrays of numpy."""
    state, seen, kept = 1, {}, []
    for _ in range(ROUNDS):
        state = state * 1_103_515_245 + 12_345 & 0x7FFFFFFF
        seen[state & 0xFFF] = state
        if state & 7 == 0:
            kept.append(state)
    row = np.array(kept, np.int64)
    for _ in range(20):
        row = np.sort(np.cumsum(row) & 0x7FFFFFFF)
    return (sum(seen.values()) + int(row.sum())) & 0x7FFFFFFF


def test_calibration(benchmark: BenchmarkFixture) -> None:
    assert benchmark.pedantic(reference, rounds=15, warmup_rounds=2) == DIGEST
