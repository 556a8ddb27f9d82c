"""Intervals against tables, and against what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from throttle.confidence import interval, student, wilson


@pytest.mark.parametrize(("degrees", "known"), [(5, 2.5706), (10, 2.2281), (30, 2.0423), (1000, 1.9623)])
def test_quantiles_of_student(degrees: int, known: float) -> None:
    assert student(0.95, degrees) == pytest.approx(known, rel=2e-3)


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    kept = [low <= 3.0 <= high for _, low, high in (interval(rng.normal(3, 2, 12)) for _ in range(2000))]
    assert 0.935 <= np.mean(kept) <= 0.965


def test_wilsons_interval() -> None:
    assert [round(end, 4) for end in wilson(0, 10)] == [0.0, 0.2775]
    assert [round(end, 4) for end in wilson(5, 10)] == [0.2366, 0.7634]
