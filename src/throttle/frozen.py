"""Calm replanning: what the plan in force fixes, and the schedule that changes it least.

*Repair*: every item where it was planned, or as soon after as it can be, in the order in which they were planned (right
shift; Sakkout and Wallace, "Probe backtrack search for minimal perturbation in dynamic scheduling", 2000, compare such
repairs). What the frozen zone holds is placed first, so that what slipped goes around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from throttle.calendars import as_of
from throttle.compile import Compiled, prepared
from throttle.errors import InputError
from throttle.graph import WorkGraph
from throttle.instance import Schedule
from throttle.planning import feasible_instance
from throttle.policies.stability import to_begin
from throttle.reasons import Reasons
from throttle.solve.decoder import PLAIN_WORK, Decoder, work_of
from throttle.solve.rules import RULES, Facts
from throttle_models import Plan, Planned, PlannedItem, Portfolio, Status, When, format_instant

if TYPE_CHECKING:
    from throttle.instance import Floats

AT_ONCE, PINNED, BEGUN, HELD = -4e9, -3e9, -2e9, -1e9
"""What is placed before the rest: hidden milestones, what a person has pinned, work in progress, the frozen zone.
(Decoders place what is pinned earlier by just the last of these.)"""
REPAIRS = 25
"""Schedules tried for one that is near to the plan in force."""
ROUNDS = 200
"""Times that one item after the other is let go; after so many, all that are not where they were planned."""


def with_plan_in_force(previous: Plan, portfolio: Portfolio) -> Portfolio:
    """The portfolio with what the previous plan says of work still to begin, as its policy's stability asks for.

    An item that starts within the frozen zone is held, unless it cannot be; then ``why`` says what keeps it.
    """
    stability = portfolio.policy.stability
    if stability is None:
        return portfolio
    try:
        expanded, graph = prepared(portfolio)
    except InputError:
        return portfolio  # planning refuses it, with all that is wrong
    activities = set(graph.activities)
    planned = {
        id: Planned(start=When(text=format_instant(item.start)))
        for id, item in previous.items.items()
        if id in activities and expanded.portfolio.work[id].status is Status.OPEN
    }
    if stability.frozen and planned:
        whole = expanded.portfolio.model_copy(update={"planned": planned})
        planned |= _frozen(previous, whole, graph, stability.frozen)
    return portfolio.model_copy(update={"planned": planned})


def _frozen(previous: Plan, portfolio: Portfolio, graph: WorkGraph, zone: timedelta) -> dict[str, Planned]:
    """Of each item that was to start within the frozen zone: held, or why it is not."""
    compiled = feasible_instance(portfolio, graph)
    number = {id: j for j, id in enumerate(compiled.instance.activities) if id}
    starts = _starts(compiled)
    begin = compiled.grid.instant(0)
    pinned = {pin.work for pin in portfolio.policy.pins}
    near = [id for id in portfolio.planned if begin <= previous.items[id].start < begin + zone and id not in pinned]
    repair = _Repair(compiled, {number[id]: slot for id, slot in starts.items() if id in number})
    crews: dict[int, dict[int, int]] = {}
    never: dict[str, str] = {}
    for id in near:
        if id in compiled.unscheduled:
            never[id] = compiled.unscheduled[id].text
        elif starts[id] >= compiled.grid.slots:
            never[id] = "it lies beyond what is looked at"
        else:
            crews[number[id]] = _seats(compiled, number[id], starts[id], previous.items[id])
    # what makes way goes behind all that is held, or among it: which of them moves least, nobody knows before
    trials = [_hold(compiled, repair, crews, where) for where in ("behind", "as soon as can be", "as planned")]
    best = max(trials, key=lambda trial: (len(trial.held), len(trial.held.keys() & trial.crews.keys())))
    found = {}
    for id in near:
        j = number.get(id, -1)
        if j in best.held:
            who = tuple(a.person for a in previous.items[id].assignments) if j in best.crews else ()
            found[id] = portfolio.planned[id].model_copy(update={"frozen": True, "who": who})
        else:
            why = never.get(id) or best.why.get(j, "no schedule is found with it")
            found[id] = portfolio.planned[id].model_copy(update={"why": why})
    return found


@dataclass
class _Trial:
    """What is held, each with a place in the order of decoding, and what had to be let go."""

    held: dict[int, float]
    crews: dict[int, dict[int, int]]
    """Of those held with their people, seat to person; others are held with whoever can."""
    why: dict[int, str] = field(default_factory=dict)


def _hold(compiled: Compiled, repair: _Repair, crews: Mapping[int, Mapping[int, int]], where: str) -> _Trial:
    """Hold all that was to start soon, and let go what cannot be, one by one: first its people, then its start.

    ``where``: what is let go is placed behind all that is held, or among it by its earliest or its planned start.
    """
    trial = _Trial({j: HELD + repair.planned[j] for j in crews}, {j: dict(s) for j, s in crews.items() if s})
    loose: dict[int, float] = {}
    nobody = {j for j, seats in crews.items() if not seats}
    for attempt in range(2 * len(crews) + 1):
        schedule = repair.schedule(trial.held | loose, trial.crews)
        if schedule is None:
            kept = repair.possible(sorted(trial.held, key=lambda j: repair.planned[j]), trial.crews)
            for j in trial.held.keys() - kept:
                trial.why[j] = "with it, some other work that is pinned or held has no place"
            trial.held, loose = {j: trial.held[j] for j in trial.held if j in kept}, {}
            schedule = repair.schedule(trial.held, trial.crews)
        if schedule is None:
            return _Trial({}, {}, trial.why)
        off = sorted((j for j in trial.held if schedule.start[j] != repair.planned[j]), key=lambda j: repair.planned[j])
        if not off:
            break
        causes = Reasons(compiled, schedule)
        # one that makes way may be all that the others need
        for j in off if attempt >= ROUNDS else off[:1]:
            if j not in trial.why:
                trial.why[j] = _cause(compiled, causes, j, repair.planned[j], crews[j])
            if j in trial.crews and j not in nobody:
                del trial.crews[j]  # perhaps others can
                continue
            del trial.held[j]
            if where != "behind":
                earliest = causes.bound(j)[0] if where == "as soon as can be" else 0
                loose[j] = HELD + max(repair.planned[j], earliest)
    return trial


def _starts(compiled: Compiled) -> dict[str, int]:
    """Planned starts in slots; those before as-of count from there."""
    portfolio, grid = compiled.portfolio, compiled.grid
    zone, now = ZoneInfo(portfolio.zone), as_of(portfolio)
    return {id: max(0, grid.ceil(p.start.resolve(now, zone))) for id, p in to_begin(portfolio)}


def _seats(compiled: Compiled, j: int, planned: int, item: PlannedItem) -> dict[int, int]:
    """Seat to person as planned; nothing where these people cannot be all of its crew any more."""
    a, instance = compiled.instance.arrays, compiled.instance
    by_need: dict[int, list[str]] = {}
    for assigned in item.assignments:
        by_need.setdefault(assigned.need, []).append(assigned.person)
    found: dict[int, int] = {}
    for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
        crew = by_need.pop(instance.needs[q], [])
        rows: dict[str, int] = {}
        for r in a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist():
            # of someone's shifts, the one that it is in
            if instance.people[r] not in rows or a.masks[a.person_mask[r], planned]:
                rows[instance.people[r]] = r
        if len(crew) != a.people[q] or any(p not in rows for p in crew):
            return {}
        found |= {int(a.crew_ptr[q]) + k: rows[p] for k, p in enumerate(crew)}
    return {} if by_need else found


def _cause(compiled: Compiled, causes: Reasons, j: int, planned: int, seats: Mapping[int, int]) -> str:
    """What keeps an activity from its planned start."""
    a, instance = compiled.instance.arrays, compiled.instance
    if not seats and a.need_ptr[j] < a.need_ptr[j + 1]:
        return "its people cannot do it any more, and nobody else can then"
    away = [p for p in seats.values() if not a.masks[a.person_mask[p], planned]]
    if away:
        return f"{', '.join(instance.people[p] for p in away)} is not at work then"
    if planned >= compiled.grid.slots or (a.place[j] >= 0 and not a.masks[a.place[j], planned]):
        return "its environment is closed then"
    return causes.why(j).text


def repaired(compiled: Compiled, items: Mapping[str, PlannedItem]) -> list[Schedule]:
    """Schedules near to the plan in force, whose items these are: by right shift, and around what can stay.

    None where there is no such plan, or none is found.
    """
    number = {id: j for j, id in enumerate(compiled.instance.activities) if id}
    planned = {number[id]: slot for id, slot in _starts(compiled).items() if id in number}
    if not planned:
        return []
    repair = _Repair(compiled, planned)
    crews = {
        number[id]: _seats(compiled, number[id], min(planned[number[id]], compiled.grid.slots - 1), item)
        for id, item in items.items()
        if number.get(id, -1) in planned
    }
    order = {j: repair.key[j] for j in crews}
    found = [repair.schedule(order, crews), repair.schedule({}, {})]
    # what cannot start as planned makes way for the rest, an eighth of it at a time
    first = {j: HELD + planned[j] for j in crews}
    for _ in range(REPAIRS):
        schedule = repair.schedule(first, {j: crews[j] for j in first})
        if schedule is None:
            break
        found.append(schedule)
        off = sorted((j for j in first if schedule.start[j] != planned[j]), key=lambda j: planned[j])
        if not off:
            break
        for j in off[: 1 + len(off) // 8]:
            del first[j]
    return [schedule for schedule in found if schedule is not None]


class _Repair:
    """Serial schedules in the order of the plan in force, nothing earlier than planned."""

    def __init__(self, compiled: Compiled, planned: Mapping[int, int]) -> None:
        self.planned = planned
        self.pinned = {pin.work for pin in compiled.portfolio.policy.pins}
        instance = compiled.instance
        a = instance.arrays
        release = a.release.copy()
        for j, slot in planned.items():
            if a.pin[j] < 0:
                release[j] = max(release[j], slot)
        self.instance = replace(instance, arrays=a._replace(release=release))
        self.decoder = Decoder(self.instance, work_of(instance) > PLAIN_WORK)
        self.key = self._keys()

    def _keys(self) -> Floats:
        a, instance = self.instance.arrays, self.instance
        rank = np.empty(instance.n)
        rank[np.argsort(RULES["greedy"](Facts(instance)), kind="stable")] = np.arange(instance.n)
        key = instance.slots + rank  # what is new goes where there is room
        for j, slot in self.planned.items():
            key[j] = slot
        key[a.exempt] = BEGUN + rank[a.exempt]
        pinned = [j for j in np.flatnonzero(a.pin >= 0).tolist() if instance.activities[j] in self.pinned]
        for j in pinned:
            for before in (j, *self._before(j)):
                key[before] = PINNED  # what it waits for has to be placed before it
        key[[id == "" for id in instance.activities]] = AT_ONCE
        return key

    def _before(self, j: int) -> list[int]:
        """All that an activity waits for, however far."""
        a, found, seen = self.instance.arrays, [j], {j}
        for i in found:  # grows as it is read
            for before in a.pred[a.pred_ptr[i] : a.pred_ptr[i + 1]].tolist():
                if before not in seen:
                    seen.add(before)
                    found.append(before)
        return found[1:]

    def possible(self, some: Sequence[int], crews: Mapping[int, Mapping[int, int]]) -> set[int]:
        """The first that all have a place together, half by half."""
        found: set[int] = set()
        stack = [list(some)]
        while stack:
            part = stack.pop()
            first = {j: HELD + self.planned[j] for j in found.union(part)}
            if self.schedule(first, crews) is not None:
                found.update(part)
            elif len(part) > 1:
                stack += [part[len(part) // 2 :], part[: len(part) // 2]]
        return found

    def schedule(self, first: Mapping[int, float], crews: Mapping[int, Mapping[int, int]]) -> Schedule | None:
        """``first``: keys of what is placed before the rest. ``crews``: who takes the seats of some of these."""
        key, forced = self.key.copy(), self.decoder.free.copy()
        for j, place in first.items():
            key[j] = min(place, key[j])
            for seat, person in crews.get(j, {}).items():
                forced[seat] = person
        return self.decoder.decode(key, forced).schedule
