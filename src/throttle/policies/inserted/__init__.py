"""Work that the portfolio asks for and nobody has written: inserted before anything is compiled (docs/plan.md).

What is inserted is planned, shown and checked like any other item, so no plan gets around it. One kind of insertion is
one file and one line of ``INSERTERS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from throttle.policies.debt import Prices, with_interest
from throttle.policies.inserted import rules, verification
from throttle.policies.inserted.draft import Insertions
from throttle_models import Finding, InsertedItem, Portfolio

INSERTERS: tuple[Callable[[Insertions], None], ...] = (rules.insert, verification.insert)
"""A kind that a portfolio does not use inserts nothing."""


@dataclass(frozen=True)
class Expanded:
    """A portfolio as it is planned. ``portfolio`` is the ``written`` one itself where nothing is inserted."""

    written: Portfolio
    portfolio: Portfolio
    inserted: Mapping[str, InsertedItem] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    """Rules that match nothing or can never be met; errors, where something cannot be inserted as written."""
    prices: Prices | None = None
    """Of the hours that debts take; ``portfolio`` has them in the costs of its items."""

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level == "error"]


def expand(portfolio: Portfolio) -> Expanded:
    """The portfolio with all that is inserted, links included. It need not be sound: references may lead nowhere."""
    draft = Insertions(portfolio)
    for insert in INSERTERS:
        insert(draft)
    planned, prices = with_interest(draft.portfolio_with_all())
    return Expanded(portfolio, planned, draft.inserted, tuple(draft.findings), prices)


__all__ = ["INSERTERS", "Expanded", "Insertions", "expand"]
