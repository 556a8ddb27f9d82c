"""The goals after the cost, as values of a schedule (docs/plan.md, Goals); the arithmetic is ``kernels/goals.py``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from throttle.compile import Compiled
from throttle.drum import name_drum
from throttle.graph import is_in_progress
from throttle.instance import Instance, Schedule
from throttle.lift import lift
from throttle.loads import Loads
from throttle.primitives import ints, pointers
from throttle.solve.kernels import kernels
from throttle_models import Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Ints


@dataclass(frozen=True)
class DrumPeople:
    """Whose hours count as the drum's."""

    people: tuple[str, ...]
    skill: str | None = None
    """Where the policy names a skill: then what asks for it is drum work, too."""


def drum_people(compiled: Compiled, schedule: Schedule, previous: Plan | None = None) -> DrumPeople | None:
    """The drum that the policy names, or that paces its rope, kit or buffer; else the bottleneck as plans name it.

    None where that is an environment, or no work is left.
    """
    chosen, people, work = compiled.portfolio.policy.drum, compiled.portfolio.people, compiled.drum
    if chosen in people:
        return DrumPeople((chosen,))
    if chosen != "auto":
        return DrumPeople(tuple(p for p, who in people.items() if chosen in who.skills), chosen)
    if work is not None:
        return DrumPeople(work.people)
    measured = Loads(compiled, lift(compiled, schedule))
    named = name_drum(measured, measured.all()[0], previous)
    return DrumPeople(named.people) if named is not None and named.kind == "skills" and named.people else None


class Marked(NamedTuple):
    """What the measures need to know of an instance; every field is an array."""

    person: Ints
    """Of each row of people, the number of who it is: one person has several rows, for hours of several sorts."""
    rank: Ints
    """Of each activity, its place by id."""
    context: Ints
    """Of each activity, the number of its project, else one of its own; -1 for helpers of links."""
    contexts: Ints
    """How many there are."""
    own: NDArray[np.uint8]
    """Of each row of needs, whether it is work on the drum."""
    drum: Ints
    """Of each row of people, the number of the drum's person, or -1."""
    base: Ints
    """Of each person of the drum, the row of ``masks`` of their usual hours."""
    waiting_ptr: Ints
    waiting: Ints
    """Of each person of the drum, the drum work still to begin that they may do."""


class Values(NamedTuple):
    """Of a schedule, in the order in which they count."""

    lost: int
    """Open time of the drum's people, while drum work waits for them, in which they do none; hundredths of a slot."""
    diverted: int
    """The part of it that goes into other work."""
    switches: int
    in_process: int
    """Slots from the start of each item to the finish of its project, of all items."""


class Measure:
    """Values of the schedules of one instance."""

    def __init__(self, compiled: Compiled, drum: DrumPeople | None, instance: Instance, native: bool) -> None:
        """``instance``: that of ``compiled``, maybe on a shorter horizon. ``native``: with compiled kernels."""
        self.instance = instance
        self.kernel = kernels(native, "goals")
        self.drum = drum
        self.marked = _marked(compiled, drum)

    def of(self, start: Ints, end: Ints, crew: Ints) -> Values:
        return Values(*map(int, self.kernel.measure(self.instance.arrays, self.marked, start, end, crew)))

    def of_schedule(self, schedule: Schedule) -> Values:
        return self.of(schedule.start, schedule.end, schedule.crew)

    def switches_of(self, start: Ints, end: Ints, crew: Ints, of: Ints, people: list[int]) -> int:
        """The switches of some people, of whom all work is in the activities ``of``."""
        arguments = (self.instance.arrays, self.marked, start, end, crew, of, np.array(people, np.int64))
        return int(self.kernel.switches_of(*arguments))

    def pieces(self, schedule: Schedule, of: Ints | None = None) -> Ints:
        """Rows of (person, first, last, activity, need) by person and time, of some activities or of all."""
        a, s = self.instance.arrays, schedule
        some = np.arange(self.instance.n) if of is None else of
        count = self.kernel.pieces(a, s.start, s.end, s.crew, some, np.zeros((0, 5), np.int64))
        rows = np.empty((count, 5), np.int64)
        if count:
            self.kernel.pieces(a, s.start, s.end, s.crew, some, rows)
        found: Ints = rows[self.kernel.in_order(self.marked, rows, a.masks.shape[1])]
        return found


def _marked(compiled: Compiled, drum: DrumPeople | None) -> Marked:
    instance, graph, portfolio = compiled.instance, compiled.graph, compiled.portfolio
    a, ids = instance.arrays, instance.activities
    number = {p: k for k, p in enumerate(portfolio.people)}
    by_id = {id: k for k, id in enumerate(sorted(ids))}
    contexts: dict[tuple[bool, str], int] = {}
    context = np.full(instance.n, -1, np.int64)
    for j, id in enumerate(ids):
        if id:
            project = graph.project_of(id)
            key = (project is not None, project if project is not None else id)
            context[j] = contexts.setdefault(key, len(contexts))
    people = drum.people if drum else ()
    among = frozenset(people)
    own = np.zeros(len(a.work), np.uint8)
    waiting: list[list[int]] = [[] for _ in people]
    place = {p: k for k, p in enumerate(people)}
    for j, id in enumerate(ids):
        if not id or not among:
            continue
        item = portfolio.work[id]
        waits: dict[int, None] = {}
        for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
            need = item.needs[instance.needs[q]]
            able = graph.able(need)
            if among.issuperset(able) or (drum is not None and drum.skill is not None and need.skill == drum.skill):
                own[q] = 1
                waits |= dict.fromkeys(place[p] for p in able if p in place)
        if not is_in_progress(item):
            for d in waits:
                waiting[d].append(j)
    return Marked(
        person=ints([number[p] for p in instance.people]),
        rank=ints([by_id[id] for id in ids]),
        context=context,
        contexts=ints([len(contexts)]),
        own=own,
        drum=ints([place.get(p, -1) for p in instance.people]),
        base=ints([int(a.person_mask[number[p]]) for p in people]),
        waiting_ptr=pointers([len(some) for some in waiting]),
        waiting=ints([j for some in waiting for j in some]),
    )
