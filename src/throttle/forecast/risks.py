"""Which uncertain thing moves a date most: rank correlations over the runs of a simulation, with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import atanh, sqrt, tanh
from typing import TYPE_CHECKING

import numpy as np

from throttle.confidence import wilson
from throttle.simulate import Model, Sample
from throttle_models import WorkItem
from throttle_models.forecast import Chance, Driver, Risk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Floats

Z95 = 1.959963984540054
MOST_RISKS = 8
LEAST_RUNS = 20
"""From fewer runs, nothing is told."""


def chance(hits: int, runs: int) -> Chance:
    """A share with its interval at 95 %."""
    low, high = wilson(hits, runs)
    return Chance(share=round(hits / runs, 6), low=round(low, 6), high=round(high, 6))


def ranks(columns: NDArray[np.floating]) -> Floats:
    """Ranks of each column from 0, equal values with their mean rank."""
    found = np.empty(columns.shape)
    for k in range(columns.shape[1]):
        _, inverse, counts = np.unique(columns[:, k], return_inverse=True, return_counts=True)
        after = np.cumsum(counts)
        found[:, k] = (after - (counts + 1) / 2)[inverse]
    return found


def risks(work: Mapping[str, WorkItem], model: Model, sample: Sample, finish: NDArray[np.integer]) -> tuple[Risk, ...]:
    """What correlates most with the finish; only what does at 95 % after the choice among all (Bonferroni)."""
    runs = sample.runs
    if runs < LEAST_RUNS or finish.min() == finish.max():
        return ()
    names, columns = _drivers(model, sample)
    if not names:
        return ()
    x, y = ranks(columns), ranks(finish[:, None].astype(float))[:, 0]
    x -= x.mean(axis=0)
    y -= y.mean()
    rho = np.clip(x.T @ y / np.sqrt((x**2).sum(axis=0) * (y**2).sum()), -0.999999, 0.999999)
    # Fisher's transformation; the factor is that of Bonett and Wright (2000) for ranks
    error = np.sqrt((1 + rho**2 / 2) / (runs - 3))
    least = _score(0.05 / len(names)) * error
    order = np.argsort(-np.abs(rho), kind="stable")
    chosen = [int(k) for k in order if abs(atanh(float(rho[k]))) > least[k] and rho[k] > 0][:MOST_RISKS]
    days = model.hours_per_slot / 24
    found = []
    for k in chosen:
        what, item = names[k]
        low, high = _quarters(columns[:, k])
        gain = finish[high].mean() - finish[low].mean()
        gain_error = sqrt(finish[high].var(ddof=1) / len(high) + finish[low].var(ddof=1) / len(low))
        z, wide = atanh(float(rho[k])), Z95 * float(error[k])
        found.append(
            Risk(
                what=what,
                item=item,
                title=work[item].title if item is not None else "",
                rank_correlation=round(float(rho[k]), 6),
                low=round(tanh(z - wide), 6),
                high=round(tanh(z + wide), 6),
                days=round(float(gain) * days, 4),
                days_error=round(gain_error * days, 4),
            )
        )
    return tuple(found)


def _drivers(model: Model, sample: Sample) -> tuple[list[tuple[Driver, str | None]], Floats]:
    """What differs from run to run, and by how much it does in each."""

    def all_of() -> Iterator[tuple[Driver, str | None, NDArray[np.generic]]]:
        for j, id in enumerate(model.items):
            if id:
                yield "time of an item", id, sample.work[:, j]
        yield "unplanned work", None, sample.unplanned
        yield "absences", None, sample.absent
        yield "failed tests", None, sample.failures[:, 0]
        yield "failed changes", None, sample.failures[:, 1]

    kept = [(what, item, values) for what, item, values in all_of() if values.min() != values.max()]
    names: list[tuple[Driver, str | None]] = [(what, item) for what, item, _ in kept]
    return names, np.column_stack([v.astype(float) for *_, v in kept]) if kept else np.zeros((sample.runs, 0))


def _quarters(values: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The runs with the smallest and the largest quarter of values."""
    order = np.argsort(values, kind="stable")
    count = max(2, len(order) // 4)
    return order[:count], order[-count:]


def _score(chance_: float) -> float:
    """Normal score that is exceeded, to either side, with a chance."""
    from throttle.solve.kernels import kernels

    return -float(kernels(False, "execution").normal(chance_ / 2))
