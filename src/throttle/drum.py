"""The bottleneck that is named from plan to plan, which changes only when another is clearly ahead twice running."""

from __future__ import annotations

from throttle.loads import Loads
from throttle_models import Constraint, Drum, Load, Plan

AHEAD = 0.10
"""A leader that is at least so much ahead of the drum in two plans running becomes the drum."""


def name_drum(loads: Loads, leader: Load | None, previous: Plan | None) -> Drum | None:
    """The drum of a plan with these loads and this most loaded set or environment, after an earlier plan.

    None where no work is left. A drum that has no work or people left gives way at once.
    """
    if leader is None:
        return None
    now = loads.compiled.grid.instant(0)
    before = _named(previous) if previous else None
    if before is None or previous is None:
        return Drum(**_made_of(leader), since=now, weeks_of_queue=leader.weeks_of_queue)
    if _same(before, leader):
        return Drum(**_made_of(leader), since=before.since, weeks_of_queue=leader.weeks_of_queue)
    load = _load_now(loads, before)
    queue = load.weeks_of_queue if load else None
    if load is None or not queue or leader.weeks_of_queue is None:
        return Drum(**_made_of(leader), since=now, weeks_of_queue=leader.weeks_of_queue)
    ahead = leader.weeks_of_queue / queue - 1
    clearly = ahead >= AHEAD - 1e-9
    if clearly and before.challenger is not None and _same(before.challenger, leader):
        return Drum(**_made_of(leader), since=now, weeks_of_queue=leader.weeks_of_queue)
    return Drum(
        **_made_of(load),
        since=before.since,
        weeks_of_queue=queue,
        ahead=round(max(0.0, ahead), 4),
        challenger=Constraint(**_made_of(leader)) if clearly else None,
    )


def _named(plan: Plan) -> Drum | None:
    """The drum of a plan; its most loaded where it was made before drums were named."""
    if plan.drum is not None or plan.bottleneck is None:
        return plan.drum
    return Drum(**_made_of(plan.bottleneck), since=plan.as_of, weeks_of_queue=plan.bottleneck.weeks_of_queue)


def _made_of(load: Load | Constraint) -> dict[str, object]:
    return {name: getattr(load, name) for name in ("name", "kind", "members", "people")}


def _same(one: Load | Constraint, other: Load | Constraint) -> bool:
    """The same environment or the same people, whatever skills their work asks for now."""
    if one.kind != other.kind:
        return False
    return one.name == other.name if one.kind == "environment" else set(one.people) == set(other.people)


def _load_now(loads: Loads, drum: Drum) -> Load | None:
    if drum.kind == "environment":
        return next((load for load in loads.environments() if load.name == drum.name), None)
    people = frozenset(p for p in drum.people if p in loads.portfolio.people)
    return loads.of_people(people) if people else None
