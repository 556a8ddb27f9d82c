"""Figures of simulated runs, and their differences over the same random numbers, with confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from throttle.confidence import CONFIDENCE, interval
from throttle.errors import InputError
from throttle_models import Finding
from throttle_models.scenario import Difference, Spread

if TYPE_CHECKING:
    from throttle.instance import Floats


def need_runs(runs: int) -> None:
    """Raise InputError where there are too few runs for a confidence: none at all are as many as are wanted."""
    if runs == 1 or runs < 0:
        message = f"{runs} simulated runs tell nothing of chance: ask for 2 or more, or for 0 to plan only."
        raise InputError([Finding(level="error", code="too-few-runs", message=message)])


def difference(values: Floats, base: Floats, confidence: float = CONFIDENCE) -> Difference:
    """Of values less base, run by run: with the same random numbers most of the chance cancels out."""
    gap = np.asarray(values, np.float64) - np.asarray(base, np.float64)
    gap[np.abs(gap) <= 1e-9 * np.maximum(1.0, np.abs(base))] = 0.0
    mean, low, high = interval(gap, confidence)
    return Difference(
        mean=rounded(mean),
        low=rounded(low),
        high=rounded(high),
        better=round(float((gap < 0).mean()), 6),
        worse=round(float((gap > 0).mean()), 6),
    )


def spread(values: Floats) -> Spread:
    p50, p85, p95 = np.quantile(values, (0.5, 0.85, 0.95))
    return Spread(mean=rounded(float(np.mean(values))), p50=rounded(p50), p85=rounded(p85), p95=rounded(p95))


def rounded(value: float) -> float:
    """To what a figure of a simulation can say."""
    return float(f"{float(value):.9g}")
