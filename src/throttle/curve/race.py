"""Which of many limits is best, with few runs: ranking and selection with common random numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from throttle.instance import Floats

FIRST, STEP = 64, 32
"""Runs that each has, and by how many more go on those that are still in question."""
ALPHA = 0.05
"""Chance that what is best by ``ALIKE`` or more is dropped."""
ALIKE = 0.002
"""Of the least mean: differences below it are all one."""

More = Callable[[float | None, int, int], "Floats"]
"""Figures of some runs (limit, first run, how many), fewer where it was stopped."""


def race(
    tried: Sequence[float | None],
    more: More,
    runs: int,
    between: Callable[[float, Sequence[float]], Sequence[float]] | None = None,
) -> float | None:
    """The limit with the least mean, None standing for none (and the first of equal ones), of at most ``runs`` of each.

    The fully sequential procedure of Kim and Nelson ("A fully sequential procedure for indifference-zone selection in
    simulation", 2001), which takes differences run by run: what is dropped is not run any more. ``between``: further
    limits to try around the best of those tried, until there are none.
    """
    kept: dict[float | None, Floats] = {limit: more(limit, 0, min(FIRST, runs)) for limit in tried}
    out: set[float | None] = set()
    while True:
        best = _raced(kept, out, more, runs)
        fresh = between(best, [k for k in kept if k is not None]) if between is not None and best is not None else ()
        found = {limit: more(limit, 0, min(FIRST, runs)) for limit in fresh}
        kept |= {limit: values for limit, values in found.items() if len(values) > 1}
        if not any(limit in kept for limit in fresh):
            return best


def _raced(kept: dict[float | None, Floats], out: set[float | None], more: More, runs: int) -> float | None:
    """The best of what is not out; puts out what is worse, and adds runs to the rest."""
    first = min(FIRST, runs)
    limits = [k for k in kept if len(kept[k]) > 1]
    if not limits:
        return None
    # h^2 of the procedure, with c = 1
    h2 = ((2 * ALPHA / max(1, len(limits) - 1)) ** (-2 / (first - 1)) - 1) * (first - 1)
    while True:
        left = [k for k in limits if k not in out]
        best = min(left, key=lambda k: (float(kept[k].mean()), k or 0.0))
        alike = ALIKE * abs(float(kept[best].mean()))
        for one in left:
            others = [(kept[other], (other or 0.0) < (one or 0.0)) for other in left if other != one]
            if any(_worse(kept[one], other, first, h2, alike, before) for other, before in others):
                out.add(one)
        left = [k for k in left if k not in out] or [best]
        shortest = min(len(kept[k]) for k in left)
        if len(left) == 1 or shortest >= runs:
            return min(left, key=lambda k: (float(kept[k][:shortest].mean()), k or 0.0))
        for one in left:
            if len(kept[one]) == shortest:
                found = more(one, shortest, min(STEP, runs - shortest))
                if not len(found):  # stopped
                    return best
                kept[one] = np.concatenate([kept[one], found])


def _worse(one: Floats, other: Floats, first: int, h2: float, alike: float, after: bool) -> bool:
    """Whether one is worse than another, as far as the runs that both have can tell. ``after``: it also is where both
    have always been the same."""
    rows = min(len(one), len(other))
    gap = one[:rows] - other[:rows]
    if alike <= 0 or not gap.any():
        return float(gap.mean()) > 0 or (after and not gap.any())
    variance = float(np.var(gap[:first], ddof=1))
    return float(gap.mean()) > max(0.0, alike / (2 * rows) * (h2 * variance / alike**2 - rows))


def neighbours(best: float, tried: Sequence[float], share: float = 0.0) -> list[float]:
    """Whole numbers half way from the best to the next ones below and above that were tried, where these are more than
    1, and that share of the best, away."""
    step = max(1.0, share * best)
    below = max((k for k in tried if k < best), default=best)
    above = min((k for k in tried if k > best), default=best)
    half = ((below, floor((best + below) / 2)), (above, ceil((best + above) / 2)))
    return [float(k) for other, k in half if abs(other - best) > step and k not in tried and k > 0]
