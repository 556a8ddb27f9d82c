"""Whose minutes are whose: arithmetic on the open ranges of days, which calendars, rotas, reserves and shares trim.

Days are ordinals (day 1 is a Monday, so ``(day - 1) // 7`` is the ISO week), ranges are minutes [from, to) and belong
to the day on which they begin. Both are sorted, and a day's ranges do not overlap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Bools, Floats, Ints


@dataclass(frozen=True)
class Ranges:
    """Open ranges by the day on which they begin."""

    day: Ints
    span: Floats

    @property
    def days(self) -> Ints:
        """The days that have any, each once."""
        return np.unique(self.day)

    @property
    def minutes(self) -> Ints:
        """Open minutes of each of ``days``."""
        if not len(self.day):
            return np.zeros(0, np.int64)
        first = np.flatnonzero(np.r_[True, self.day[1:] != self.day[:-1]])
        return np.rint(np.add.reduceat(self.lengths, first)).astype(np.int64)

    @property
    def lengths(self) -> Floats:
        found: Floats = np.maximum(self.span[:, 1] - self.span[:, 0], 0)
        return found

    def on(self, days: Bools) -> Ranges:
        """Those of the ranges that are marked."""
        return Ranges(self.day[days], self.span[days])

    def first(self, minutes: Ints) -> Ranges:
        """Of each of ``days`` the first so many open minutes."""
        return Ranges(self.day, np.stack([self.span[:, 0], self._border(minutes)], axis=1).reshape(-1, 2))

    def after(self, minutes: Ints) -> Ranges:
        """Of each of ``days`` what comes after so many open minutes."""
        return Ranges(self.day, np.stack([self._border(minutes), self.span[:, 1]], axis=1).reshape(-1, 2))

    def _border(self, minutes: Ints) -> Floats:
        if not len(self.day):
            return np.zeros(0)
        length, of_day = self.lengths, np.searchsorted(self.days, self.day)
        before = np.cumsum(length) - length
        before -= before[np.searchsorted(self.day, self.days)][of_day]
        found: Floats = self.span[:, 0] + np.clip(minutes[of_day] - before, 0, length)
        return found

    def during(self, others: Iterable[tuple[float, float]]) -> tuple[Ranges, Ranges]:
        """What lies within others, which are sorted and do not overlap, and what lies outside."""
        inner: list[tuple[int, float, float]] = []
        outer: list[tuple[int, float, float]] = []
        waiting = list(others)
        ends = np.array([b for _, b in waiting])
        begin = np.searchsorted(ends, self.span[:, 0], "right").tolist()
        for next_, day, (a, b) in zip(begin, self.day.tolist(), self.span.tolist(), strict=True):
            at, k = a, next_
            while k < len(waiting) and waiting[k][0] < b:
                first, last = waiting[k]
                outer.append((day, at, max(at, first)))
                inner.append((day, max(at, first), min(b, last)))
                at = min(b, last)
                k += 1
            outer.append((day, at, b))
        return _ranges(inner), _ranges(outer)

    def joined(self, other: Ranges) -> Ranges:
        """Both, which do not overlap."""
        day, span = np.r_[self.day, other.day], np.r_[self.span, other.span]
        order = np.lexsort((span[:, 0], day))
        return Ranges(day[order], span[order])


def _ranges(rows: list[tuple[int, float, float]]) -> Ranges:
    kept = [row for row in rows if row[1] < row[2]]
    day = np.array([row[0] for row in kept], np.int64)
    return Ranges(day, np.array([row[1:] for row in kept], np.float64).reshape(-1, 2))


def nearest(minutes: Ints, share: float, slot: int) -> Ints:
    """A share of minutes, rounded to the nearest whole slot of so many minutes."""
    found: Ints = np.floor(np.round(minutes * share / slot + 0.5, 6)).astype(np.int64) * slot
    return found


def at_least(period: Ints, minutes: Ints, amount: int, slot: int) -> Ints:
    """Minutes to keep of each entry, so that those of each period are at least ``amount`` or all.

    In proportion to the entries' own minutes, rounded up to whole slots over the entries of a period so far:
    C(i) = min(C(i - 1) + minutes(i), slot * ceil(amount * (minutes(1) + ... + minutes(i)) / (sum * slot))), and what is
    kept of entry i is C(i) - C(i - 1). period: sorted numbers.
    """
    found = np.zeros(len(period), np.int64)
    if not len(period):
        return found
    ends = np.flatnonzero(np.r_[period[1:] != period[:-1], True]) + 1
    for part in np.split(np.arange(len(period)), ends[:-1]):
        so_far = np.cumsum(minutes[part])
        whole = int(so_far[-1])
        if whole == 0:
            continue
        wanted = -(-amount * so_far // (whole * slot)) * slot
        kept = so_far + np.minimum(np.minimum.accumulate(wanted - so_far), 0)
        found[part] = np.diff(kept, prepend=0)
    return found


def touched(origin: int, slot: int, slots: int, spans: NDArray[np.float64]) -> Bools:
    """Of each slot, whether any of the spans (in minutes) touches it."""
    change = np.zeros(slots + 1, np.int64)
    first = np.clip(np.floor((spans[:, 0] - origin) / slot), 0, slots).astype(np.int64)
    last = np.clip(np.ceil((spans[:, 1] - origin) / slot), 0, slots).astype(np.int64)
    some = spans[:, 0] < spans[:, 1]
    np.add.at(change, first[some], 1)
    np.add.at(change, last[some], -1)
    found: Bools = np.cumsum(change)[:-1] > 0
    return found
