"""The cost of a schedule in whole numbers, as CP-SAT needs it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, gcd, lcm
from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import Instance

if TYPE_CHECKING:
    from throttle.instance import Ints

LARGEST_DENOMINATOR = 1000
LARGEST_VALUE = 1 << 55
"""Sums stay well inside the 64 bits that CP-SAT reckons with."""
PARTS = 60
"""Of a slot, where a date is no whole slot."""


@dataclass(frozen=True)
class Goal:
    """Weights of each group for each part of a slot; their sum is ``scale`` times the cost."""

    tardiness: list[int]
    flow: list[int]
    span: list[int]
    earliness: list[int]
    due: list[int]
    """In parts."""
    wanted: list[int]
    parts: int
    """Parts of a slot: 1 where all dates are whole slots."""
    scale: float
    exact: bool
    """Whether the weights are in proportion to the costs, not rounded."""
    members: list[Ints]

    @classmethod
    def of(cls, instance: Instance) -> Goal:
        a = instance.arrays
        rates = np.r_[a.tardiness, a.flow, a.span, a.earliness] / instance.weeks
        fractions = [Fraction(rate).limit_denominator(LARGEST_DENOMINATOR) for rate in rates.tolist()]
        exact = all(
            abs(float(f) - rate) <= 1e-9 * max(1.0, rate) for f, rate in zip(fractions, rates.tolist(), strict=True)
        )
        dates = np.r_[a.due[a.tardiness > 0], a.wanted[a.earliness > 0]]
        parts = 1 if np.allclose(dates, np.round(dates)) else PARTS
        exact &= bool(np.allclose(dates * parts, np.round(dates * parts)))
        denominator = lcm(*(f.denominator for f in fractions))
        weights = [int(f * denominator) for f in fractions]
        divisor = gcd(*weights) or 1
        weights = [w // divisor for w in weights]
        scale = denominator / divisor * parts / instance.weeks
        if (most := sum(weights) * parts * (instance.slots + 1)) > LARGEST_VALUE:
            exact = False
            weights = [w * LARGEST_VALUE // most for w in weights]
            scale *= LARGEST_VALUE / most
        groups = len(a.due)
        return cls(
            weights[:groups],
            weights[groups : 2 * groups],
            weights[2 * groups : 3 * groups],
            weights[3 * groups :],
            [round(due * parts) for due in a.due.tolist()],
            [round(wanted * parts) for wanted in a.wanted.tolist()],
            parts,
            scale,
            exact,
            [a.member[a.member_ptr[g] : a.member_ptr[g + 1]] for g in range(groups)],
        )

    def least(self, bound: float) -> int:
        """The least value of a schedule that costs no less than the bound."""
        exact = bound * self.scale
        return ceil(exact - 1e-6 * max(1.0, abs(exact)))

    def value(self, start: Ints, end: Ints) -> int:
        """``scale`` times the cost, without rounding."""
        return sum(
            self.of_group(g, int(start[members].min()), int(end[members].max()))
            for g, members in enumerate(self.members)
        )

    def of_group(self, g: int, begin: int, finish: int) -> int:
        """The part of one group that begins and finishes then."""
        parts = self.parts
        return (
            self.tardiness[g] * max(0, parts * finish - self.due[g])
            + self.flow[g] * parts * finish
            + self.span[g] * parts * (finish - begin)
            + self.earliness[g] * max(0, self.wanted[g] - parts * begin)
        )
