"""The smallest set of rules that keeps an item where it is, found by taking rules away and placing it again."""

from __future__ import annotations

from dataclasses import dataclass

from throttle.explain.probe import Placed, Probe
from throttle.explain.rules import LAST_RESORT, Rule


@dataclass(frozen=True)
class Binding:
    """Rules without which an activity begins earlier: each alone where ``alone``, else only all of them together."""

    rules: tuple[Rule, ...]
    starts: tuple[int, ...]
    """When it begins without each (the same for all where they count together)."""
    alone: bool = True
    free: bool = False
    """Whether it could begin earlier as it is: no rule keeps it, only the order of the plan."""


def binding(probe: Probe, j: int) -> Binding:
    """What keeps an activity from beginning earlier; no rules where only calendars do.

    Every rule is tried alone. Where none would do, the smallest set (by inclusion) of them by deletion filtering
    (Chinneck and Dravnieks, 1991).
    """
    start = int(probe.schedule.start[j])

    def earlier(place: Placed | None) -> int | None:
        return place.start if place is not None and place.start < start else None

    if (at := earlier(probe.place(j))) is not None:
        return Binding((), (at,), free=True)
    rules = probe.rules(j)
    singles = [(rule, at) for rule in rules if (at := earlier(probe.place(j, {rule}))) is not None]
    if singles:
        singles.sort(key=lambda one: (one[0] in LAST_RESORT, one[1]))  # stable: the smaller rule first
        return Binding(tuple(rule for rule, _ in singles), tuple(at for _, at in singles))
    kept = set(rules)
    at = earlier(probe.place(j, kept))
    if at is None:
        return Binding((), ())
    for rule in reversed(rules):  # what gives way least easily is given back first
        less = kept - {rule}
        sooner = earlier(probe.place(j, less)) if less else None
        if sooner is not None:
            kept, at = less, sooner
    named = [rule for rule in rules if rule in kept]
    return Binding(tuple(named), (at,) * len(named), alone=False)
