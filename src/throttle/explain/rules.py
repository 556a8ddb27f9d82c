"""The kinds of rules that can keep an item from beginning earlier, and what a plan calls each."""

from __future__ import annotations

from enum import Enum

from throttle_models import Reason


class Rule(Enum):
    """In the order in which they are named where several would do alone: what gives way most easily first.

    To relax one is to take just it away, for one item: its links, the load of its people, the limit, the window, the
    capacity. ``CALENDAR`` is when people are at work at all; it is named only where no other rule keeps the item.
    """

    PINNED = "pinned"
    APPROVAL = "approval"
    RELEASE = "not-before"
    FREEZE = "freeze"
    CONFLICT = "service-conflict"
    FULL = "full"
    TYPE = "wip-type"
    TEAM = "wip-team"
    PERSON = "wip-person"
    PROJECTS = "wip-projects"
    ROPE = "rope"
    KIT = "full-kit"
    ENVIRONMENT = "environment"
    PREDECESSOR = "predecessor"
    PEOPLE = "people"
    WINDOW = "window"
    RESERVE = "reserve"
    CALENDAR = "calendar"

    @property
    def reason(self) -> Reason:
        return REASON[self]


REASON = {
    Rule.PINNED: Reason.PINNED,
    Rule.APPROVAL: Reason.APPROVAL,
    Rule.RELEASE: Reason.RELEASE,
    Rule.FREEZE: Reason.FREEZE,
    Rule.CONFLICT: Reason.CONFLICT,
    Rule.FULL: Reason.WINDOW,
    Rule.TYPE: Reason.WIP,
    Rule.TEAM: Reason.WIP,
    Rule.PERSON: Reason.WIP,
    Rule.PROJECTS: Reason.WIP,
    Rule.ROPE: Reason.ROPE,
    Rule.KIT: Reason.KIT,
    Rule.ENVIRONMENT: Reason.ENVIRONMENT,
    Rule.PREDECESSOR: Reason.PREDECESSOR,
    Rule.PEOPLE: Reason.PEOPLE,
    Rule.WINDOW: Reason.WINDOW,
    Rule.RESERVE: Reason.RESERVE,
    Rule.CALENDAR: Reason.CALENDAR,
}
"""What a plan calls it."""

LAST_RESORT = (Rule.WINDOW, Rule.RESERVE)
"""Named first only where none of the others would do alone: without them almost any time would be earlier."""
