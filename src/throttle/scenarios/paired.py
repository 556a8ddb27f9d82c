"""Figures of simulated runs, and their differences over the same random numbers, with confidence."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from throttle.errors import InputError
from throttle_models import Finding
from throttle_models.scenario import Difference, Spread

if TYPE_CHECKING:
    from throttle.instance import Floats

CONFIDENCE = 0.95


def need_runs(runs: int) -> None:
    """Raise InputError where there are too few runs for a confidence: none at all are as many as are wanted."""
    if runs == 1 or runs < 0:
        message = f"{runs} simulated runs tell nothing of chance: ask for 2 or more, or for 0 to plan only."
        raise InputError([Finding(level="error", code="too-few-runs", message=message)])


def student(confidence: float, degrees: int) -> float:
    """Two-sided quantile of Student's t, by the expansion of Cornish and Fisher.

    Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.7.5; within 0.1 % from 5 degrees on.
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    v = float(max(1, degrees))
    terms = (
        (z**3 + z) / 4 / v,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96 / v**2,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384 / v**3,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160 / v**4,
    )
    return z + sum(terms)


def interval(values: Floats, confidence: float = CONFIDENCE) -> tuple[float, float, float]:
    """Mean and its confidence interval, by Student's t. values: of independent runs, two or more."""
    mean, count = float(np.mean(values)), len(values)
    half = student(confidence, count - 1) * float(np.std(values, ddof=1)) / sqrt(count) if count > 1 else float("inf")
    return mean, mean - half, mean + half


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
