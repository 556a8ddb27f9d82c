"""Policies as rows of the mathematical model: one policy is one file and one line of ``POLICIES``."""

from __future__ import annotations

from collections.abc import Callable

from throttle.policies import conflicts, out_of_hours, projects, rope, windows, wip
from throttle.primitives import Draft

POLICIES: tuple[Callable[[Draft], None], ...] = (
    projects.restrict,
    rope.restrict,
    wip.by_type,
    wip.in_teams,
    wip.on_people,
    out_of_hours.restrict,
    conflicts.restrict,
    windows.restrict,
)
"""In the order in which limits let work in: what a later limit holds back may wait for an earlier one, never the other
way round. A policy that a portfolio does not use adds nothing."""
