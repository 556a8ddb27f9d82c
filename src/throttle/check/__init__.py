"""The independent checker: recomputes a plan from docs/plan.md, knowing nothing of how it was made."""

from throttle.check.checker import check
from throttle.check.kinds import KINDS

__all__ = ["KINDS", "check"]
