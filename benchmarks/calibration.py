"""How fast this machine is now: fixed work that the program has no part in; the history relates all times to it."""

from __future__ import annotations

from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import numpy as np

STEPS = 100_000
ROUNDS = 5


def cpu_seconds() -> float:
    """Processor time of this process, its threads and the children that it has waited for.

    Unlike the time of the clock it goes on only while they run, so that other work on the machine disturbs it little.
    """
    own, children = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def reference() -> int:
    """Integers, a dictionary and a list, as in most of the program; then sums and sorts over arrays of numpy."""
    state = 1
    seen: dict[int, int] = {}
    kept: list[int] = []
    for _ in range(STEPS):
        state = state * 1_103_515_245 + 12_345 & 0x7FFFFFFF
        seen[state & 0xFFF] = state
        if state & 7 == 0:
            kept.append(state)
    row = np.array(kept, np.int64)
    for _ in range(20):
        row = np.sort(np.cumsum(row) & 0x7FFFFFFF)
    return (sum(seen.values()) + int(row.sum())) & 0x7FFFFFFF


def calibration() -> float:
    """Processor seconds of the quickest of some rounds of :func:`reference`."""
    found = []
    for _ in range(ROUNDS):
        began = cpu_seconds()
        reference()
        found.append(cpu_seconds() - began)
    return min(found)
