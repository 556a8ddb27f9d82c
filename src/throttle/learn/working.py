"""Working time between two moments, and the part of it of each of several things that were in process at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

WEEK = 7 * 24 * 60
_MONDAY = np.datetime64("1970-01-05T00:00", "m")

Floats = npt.NDArray[np.float64]


class WorkClock:
    """Minutes worked, in a week that repeats. ``ranges``: (first, end) in minutes from Monday 00:00."""

    def __init__(self, ranges: Sequence[tuple[int, int]]) -> None:
        open_ = np.zeros(WEEK)
        for first, end in ranges:
            open_[np.arange(first, end) % WEEK] = 1
        self._worked = np.concatenate(([0.0], np.cumsum(open_)))

    def worked(self, moments: npt.NDArray[Any]) -> Floats:
        """Minutes worked from a fixed Monday to each moment (``datetime64``, local)."""
        minutes = (moments.astype("datetime64[s]") - _MONDAY.astype("datetime64[s]")).astype(np.float64) / 60
        weeks, rest = np.divmod(minutes, WEEK)
        found: Floats = weeks * self._worked[-1] + np.interp(rest, np.arange(WEEK + 1), self._worked)
        return found


def shared_effort(start: Floats, end: Floats) -> Floats:
    """Time of each of several intervals, when whatever is in process at once shares it equally.

    ``start`` <= ``end``, in working minutes of one person; the sum of the result is the time in which anything was in
    process. Processor sharing as an estimate of touch time: cycle time alone would count waiting as work.
    """
    times = np.unique(np.concatenate((start, end)))
    at_start, at_end = np.searchsorted(times, start), np.searchsorted(times, end)
    change = np.zeros(len(times) + 1)
    np.add.at(change, at_start, 1)
    np.add.at(change, at_end, -1)
    active = np.cumsum(change)[: len(times) - 1]
    share = np.diff(times) / np.maximum(active, 1)
    total = np.concatenate(([0.0], np.cumsum(np.where(active > 0, share, 0.0))))
    found: Floats = total[at_end] - total[at_start]
    return found
