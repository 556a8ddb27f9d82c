"""The drum that rope and full kit speak of, from the portfolio alone (docs/plan.md, The drum of the policy)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from throttle.calendars import Calendars, Grid
from throttle.graph import WorkGraph, time_of
from throttle.hall import most_loaded
from throttle.wording import some
from throttle_models import Portfolio, Status

WEEKS = 8
"""Hours of people are counted over so many weeks from as-of, to find who is loaded most."""
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class DrumWork:
    """Whose work paces the plan, and how much of it each open activity has."""

    name: str
    people: tuple[str, ...]
    skill: str | None
    """A drum that is named by a skill; then its work is what asks for that."""
    minutes: dict[str, int]
    """Person-minutes of each activity on the drum, rounded up; only those that have some."""


def paced(portfolio: Portfolio) -> bool:
    """Whether a policy asks for a drum."""
    policy = portfolio.policy
    buffered = policy.buffers is not None and policy.buffers.drum is not None
    return policy.rope is not None or policy.full_kit or buffered


def drum_work(portfolio: Portfolio, graph: WorkGraph) -> DrumWork | None:
    """The drum of the policy; None where nobody has work."""
    chosen = portfolio.policy.drum
    if chosen == "auto":
        people = _most_loaded(portfolio, graph)
        name = " and ".join(portfolio.people[p].name or p for p in people[:2]) if len(people) <= 2 else ""
        name = name or some(people, 3)
        skill = None
    elif chosen in portfolio.people:
        people, name, skill = (chosen,), portfolio.people[chosen].name or chosen, None
    else:
        people, name, skill = tuple(p for p, who in portfolio.people.items() if chosen in who.skills), chosen, chosen
    only = frozenset(people)
    found: dict[str, float] = {}
    for id, q, able, minutes in _needs(portfolio, graph):
        own = portfolio.work[id].needs[q].skill == skill if skill else bool(able) and only.issuperset(able)
        if own:
            found[id] = found.get(id, 0.0) + minutes
    if not found:
        return None
    return DrumWork(name, people, skill, {id: max(1, ceil(minutes - 1e-6)) for id, minutes in found.items()})


def _needs(portfolio: Portfolio, graph: WorkGraph) -> Iterator[tuple[str, int, tuple[str, ...], float]]:
    """Item, position of the need, who can meet it, person-minutes."""
    for id in graph.activities:
        item = portfolio.work[id]
        for q, need in enumerate(item.needs):
            minutes = time_of(item, need) / MINUTE * need.people * need.allocation
            if minutes > 0:
                yield id, q, graph.able(need), minutes


def _most_loaded(portfolio: Portfolio, graph: WorkGraph) -> tuple[str, ...]:
    """The people with the largest load, by work that is not on hold, over the next weeks."""
    work: dict[frozenset[str], float] = {}
    sets: dict[tuple[str, ...], frozenset[str]] = {}
    counted: dict[str, bool] = {}
    for id, _, able, minutes in _needs(portfolio, graph):
        if id not in counted:
            counted[id] = portfolio.work[id].status is not Status.UNKNOWN and graph.held_by(id) is None
        if counted[id]:
            who = sets.setdefault(able, frozenset(able))
            work[who] = work.get(who, 0.0) + minutes
    calendars = Calendars(portfolio, Grid.of(portfolio, int(timedelta(weeks=WEEKS) / portfolio.slot)))
    hours = {p: float(calendars.person(p).sum()) for p in frozenset().union(*work)} if work else {}
    found = most_loaded(work, hours)
    some = found.people.union(*found.able) if found else frozenset()
    return tuple(p for p in portfolio.people if p in some)
