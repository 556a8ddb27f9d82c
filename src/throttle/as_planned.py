"""The portfolio that a plan was searched on: with all that was inserted, as every second look at the plan needs it."""

from __future__ import annotations

from throttle.changes.overhead import opened, used_days, with_overhead
from throttle.compile import prepared
from throttle.errors import InputError
from throttle_models import Finding, Plan, Portfolio


def as_planned(plan: Plan, portfolio: Portfolio) -> Portfolio:
    """What the plan was made from, with the work that its rules and the windows that it uses add.

    Raises InputError where the portfolio cannot be planned as written, or is another plan's.
    """
    expanded, _ = prepared(portfolio)
    if with_overhead(expanded.portfolio):
        expanded = opened(expanded, used_days(expanded.portfolio, plan.items))
    if expanded.inserted.keys() != plan.inserted.keys():
        message = "the plan does not fit the portfolio that it carries; run throttle verify on it"
        raise InputError([Finding(level="error", code="other-plan", message=message)])
    return expanded.portfolio
