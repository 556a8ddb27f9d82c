"""The ways in which a plan can break a rule of docs/plan.md."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from throttle_models import Violation, format_instant

KINDS: dict[str, str] = {
    # what the plan was made from
    "input-hash": "the portfolio is not the one that the plan was made from",
    "header": "as-of, zone, slot or currency differ from the portfolio's",
    "not-checked": "the portfolio uses a field whose rules this checker does not know",
    # inserted work
    "missing-inserted": "a rule of the portfolio asks for work, and the plan does not tell it",
    "unknown-inserted": "the plan inserts work that no rule of the portfolio asks for",
    "wrong-inserted": "inserted work is not what the rules of the portfolio ask for",
    # accounting
    "missing-item": "a work item is in none of items, unscheduled, done and containers",
    "unknown-item": "the plan names an item that is not in the portfolio",
    "double-item": "a work item is in more than one of the lists, or twice in one",
    "wrong-list": "a work item is in a list where its kind does not belong",
    "not-to-plan": "an item that is on hold or of unknown status is in the schedule",
    # time
    "off-grid": "a start, finish or piece of work is not a whole number of slots from 1970",
    "before-as-of": "an item starts before as-of",
    "after-horizon": "an item finishes after the horizon",
    # crews
    "unknown-person": "somebody is assigned who is not in the portfolio",
    "unknown-need": "an assignment is to a need that the item does not have, or that asks for nobody",
    "crew-size": "a need has not exactly as many people as it asks for",
    "same-person": "one person is on an item twice",
    "unqualified": "a person does not hold the skill at the level of the need",
    "not-named": "a person is not among those whom the need names",
    "allocation": "an assignment's allocation differs from the need's",
    # work
    "start-closed": "an item starts in a slot in which one of its people or environments is closed",
    "wrong-work": "somebody's work is not exactly the slots in which all who are active are open",
    "wrong-finish": "the finish is not the end of the last slot of work",
    "paused": "an item that must not pause does",
    "person-overload": "a person's allocations add up to more than 100 %",
    "environment-overload": "more of an environment is occupied than its capacity",
    # order
    "precedence": "an item starts or finishes too early for a link",
    "waits-for-unscheduled": "an item is scheduled although a link that binds it comes from one that is left out",
    "external-blocker": "an item is scheduled although it waits for an external stub of unknown date",
    "not-before": "an item starts before its own, a container's or its project's not_before",
    "approval": "a change starts before its approval can be given",
    "outside-window": "a change with its rollback does not lie within one occurrence of its window",
    "wrong-window": "the window that the plan names for an item is not the occurrence it runs in",
    "freeze": "a change overlaps a freeze of its services",
    "pin-start": "an item does not start at the first possible slot from its pinned start",
    "pin-who": "the people on an item are not those of its pin",
    "drum-buffer": "what feeds the drum is not finished so long before the drum starts on it as its buffer asks",
    "frozen-zone": "an item that was to start within the frozen zone is neither held, nor is it said why not",
    "pin-window": "a change does not run in the window, or on the day, of its pin",
    # limits
    "change-conflict": "changes on near services overlap",
    "window-changes": "more changes run in one occurrence of a window than it may hold",
    "window-overhead": "an occurrence of a window is used, and the work that this takes is not in the schedule",
    "window-risk": "the changes in one occurrence of a window have more risk than it may hold",
    "person-wip": "an item starts on a person who has as many begun and unfinished as the limit allows",
    "projects-in-process": "a project starts while as many are in process as the limit allows",
    "type-wip": "an item starts while as many of its type are begun and unfinished as the limit allows",
    "team-wip": "an item starts in a team that has as many begun and unfinished as the limit allows",
    "rope": "drum work is released while as much is released and unfinished as the rope allows",
    "pace": "the drum of rope and full kit is not the one that the policy names, or not the most loaded",
    "overrides": "the overrides that the plan tells are not those of the policy",
    "out-of-hours": "a person works more outside their calendar in a week, or on one item, than their limit",
    # items left out
    "wrong-reason": "the reason for which an item is left out does not hold",
    "unverifiable": "the reason for which an item is left out has too many crews to try",
    # this week
    "release-list": "the release list is not the work that begins in the week of as-of",
    "hold-list": "the hold list is not the work that does not begin in the week of as-of",
    "value": "the value of a release or hold is not the rates that rest on it",
    "list-order": "releases, holds or loads are not in order, the most first, or weeks not in that of time",
    "no-text": "a hold, or an item that is left out, has no words for its reason",
    "unknown-reference": "a reason refers to what is not in the portfolio, or twice to the same",
    "week-hours": "the hours of a week are not those of the assignments",
    "week-items": "the starts or finishes of a week are not those of the items",
    # figures
    "project-figures": "start, finish, promise, due date, lateness, cost, title or counts of a project are wrong",
    "load-list": "a load is missing, there twice, or of a set of skills or people that is none",
    "load-figures": "the work, the queue or the hours by week of a load are wrong",
    "bottleneck": "the bottleneck is none of the loads, or not the largest",
    "drum": "the drum named is not what it says: its people or environment, queue, date, or who is ahead of it",
    "buffers": "the critical chain, a buffer or the promise of a project is not what it must be",
    "fever": "the fever chart is not what progress and the promises before say",
    "moves": "the moved starts of a replan are not those that moved, or their number or cost is wrong",
    "debt": "what the plan tells of an item with interest is wrong: its price, payback, cost or finish",
    "objective-value": "the objective is not the sum of the costs",
    "flow-value": "the flow measure is not the sum over rates",
    "bound": "a lower bound is above the value",
    "gap": "a gap is not (value - bound) / value",
    "proof": "a goal is called proved, or the plan optimal, and the bound does not meet the value",
    "worse-than-greedy": "the objective is above that of the greedy baseline",
    "goals": "the goals after the cost are not all told in their order, with the tolerances of the policy",
    "goal-value": "the value of a goal after the cost is not that of the schedule",
    "goal-tolerance": "later goals took more of an earlier one than its tolerance",
    "baseline": "a baseline is negative, or below the bound that holds for all plans",
    "seed": "the seed is negative",
    "status": "the certificate's status cannot be that of a plan",
    "counts": "the certificate's counts are not those of the plan",
}
"""Kind of violation and what it means. Kinds are stable: programs may depend on them."""


class Violations:
    """Collects violations; each is of a kind in :data:`KINDS`."""

    def __init__(self) -> None:
        self.found: list[Violation] = []

    def add(
        self, kind: str, ids: Iterable[str], message: str, at: float | None = None, amount: float | None = None
    ) -> None:
        """``at`` in seconds since 1970 UTC; ``amount`` in the unit that the message names."""
        if kind not in KINDS:
            raise KeyError(f"{kind} is not a kind of violation: add it to KINDS")
        moment = None if at is None else instant(at)
        self.found.append(Violation(kind=kind, ids=tuple(ids), at=moment, amount=amount, message=message))


def instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@lru_cache(maxsize=1 << 16)
def seconds(moment: datetime) -> float:
    """Seconds since 1970; a moment without a zone is UTC, as everywhere in a plan."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def clock_text(at: float) -> str:
    return format_instant(instant(at))
