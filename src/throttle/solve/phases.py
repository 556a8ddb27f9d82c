"""Which methods run when: the one place that decides, by what an instance has and how large it is.

A phase is a share of the budget in which every worker has one job. docs/solver.md says what was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from throttle.solve import genetic
from throttle.solve.annealing import Annealing, Chronological
from throttle.solve.decoder import Decoder
from throttle.solve.exact import Exact
from throttle.solve.exact.cliques import clique_bound
from throttle.solve.exact.neighbourhoods import Neighbourhoods
from throttle.solve.exact.times import Times
from throttle.solve.exact.whole import Whole
from throttle.solve.features import makespan_only
from throttle.solve.jobs import Bounding, Job, Modelling, Searching
from throttle.solve.local import LocalSearch

if TYPE_CHECKING:
    from throttle.instance import Instance, Schedule
    from throttle.solve import Solver

LOOSE_ACTIVITIES = 150
"""Up to so many, schedules in which people wait for urgent work are worth a search of their own."""
EXACT_ACTIVITIES = 120
"""Above so many, the whole exact model with calendars finds little in seconds; parts of it do."""
BRIEF_SECONDS = 0.5
"""Of local search before a model of the whole: enough for a start and a first bound."""
NEIGHBOURHOOD_SECONDS = 1.0
VAIN_TRIES = 6
"""Neighbourhoods in a row that find nothing before local search goes on."""


@dataclass(frozen=True)
class Phase:
    """Jobs side by side, one a worker, until a share of the budget is used up."""

    until: float
    jobs: Sequence[Job]
    second: bool = False
    """Whether it goes on at a cost that is proven least."""


def loose(instance: Instance) -> bool:
    """Whether good schedules may let people wait: few activities, or crews whose calendars differ."""
    masks = instance.arrays.masks[np.unique(instance.arrays.person_mask)]
    return instance.n <= LOOSE_ACTIVITIES or len(masks) > 1


def phases(solver: Solver) -> Iterator[Phase]:
    """Each phase is chosen when the one before is over."""
    if solver.compiled and makespan_only(solver.instance) and genetic.supports(solver.instance):
        yield from makespan(solver)
    elif isinstance(solver.key_decoder, Chronological) and solver.instance.n > LOOSE_ACTIVITIES:
        yield from large(solver)
    else:
        yield from general(solver)


# --- the end of the last activity, where nothing ever closes -----------------------------------------------------


EXCHANGES = (0.05, 0.25, 0.35, 0.45, 0.6, 0.75, 0.85, 1.0)
"""Shares of the budget at which islands take over the best of all."""
MODELLED = {0.25: 1.0, 0.75: 0.03}
"""In phases that end then, one worker looks for times that end one sooner, if the gap is no more than that."""


def makespan(solver: Solver) -> Iterator[Phase]:
    """Genetic search on islands, and CP-SAT on the times alone, which refutes, improves or seeds."""
    instance, settings, s = solver.instance, solver.settings, solver.solution
    s.bound = max(s.bound, clique_bound(solver.untrimmed) * float(instance.arrays.flow.max()))
    solver.settle()
    expected = settings.budget * genetic.Genetic.rate

    def begin() -> list[genetic.Genetic]:
        found = [genetic.Genetic(instance, settings.seed + k, expected) for k in range(solver.workers)]
        found[0].step(0.0, 0.0)
        return found

    islands = solver.ready(begin)
    times = Times(solver.untrimmed, settings, solver.halt)
    exact = times.supports()
    for until in EXCHANGES:
        for island in islands:
            island.bound = s.bound
            island.join(_best(solver))
        jobs: list[Job] = [Searching("genetic search", island, s.bound) for island in islands]
        model = None
        if exact and s.gap <= MODELLED.get(until, -1):
            model = Modelling("times alone", lambda seconds: times.solve(_best(solver), s.bound, seconds, workers=1))
            jobs[0] = model
        yield Phase(until, jobs)
        if model is not None and model.found is not None and model.found.starts is not None:
            for island in islands:
                island.seed_times(model.found.starts)


def _best(solver: Solver) -> Schedule:
    best = solver.solution.best
    if best is None:
        raise ValueError("nothing is improved before there is a first schedule")
    return best


# --- many activities whose order decides -------------------------------------------------------------------------

BOUNDING = 0.2
"""Share of the budget in which one worker works on the bound."""


def large(solver: Solver) -> Iterator[Phase]:
    """Annealing on chronological schedules; one worker begins later, and works on the bound before."""
    settings, s, first = solver.settings, solver.solution, solver.chronological
    if first is None:
        raise ValueError("these phases need chronological schedules")
    decoders = [first, *(Chronological(solver.instance) for _ in range(solver.workers - 1))]

    def begin() -> list[Annealing]:
        found = [Annealing(d, solver.key, _best(solver), settings.seed + k) for k, d in enumerate(decoders)]
        found[0].step(1.0, 1.0)
        return found

    chains = solver.ready(begin)
    bounding = Bounding(solver.untrimmed)
    solver.ready(bounding.begin)
    begun = solver.spent
    until = begun + BOUNDING * (1 - begun)

    def search(k: int, first: float, last: float) -> Searching:
        return Searching("annealing", chains[k], s.bound, cooling=(first, last))

    others = range(1, len(chains))
    yield Phase(until, [bounding, *(search(k, 0, BOUNDING) for k in others)])
    chains[0].join(_best(solver))
    yield Phase(1.0, [search(0, 0, 1), *(search(k, BOUNDING, 1) for k in others)])


# --- everything else ---------------------------------------------------------------------------------------------


def general(solver: Solver) -> Iterator[Phase]:
    """Local search on serial schedules, and the whole exact model where small, else parts of it."""
    settings, instance = solver.settings, solver.instance
    local = solver.ready(lambda: Local(solver))
    bounding = Bounding(solver.untrimmed)
    whole = _whole(solver)
    if solver.compiled:
        solver.ready(bounding.begin)
        most = BRIEF_SECONDS / settings.budget if whole is not None else 1.0
        yield local.phase(min(solver.spent + most, BOUNDING / 2), [bounding])
    exact = Exact(instance, settings, solver.halt)
    if whole is not None:
        yield Phase(0.9, [whole])
    elif exact.supports_parts():
        yield local.phase(0.7)
        yield from neighbourhoods(solver, exact, until=0.85)
    yield local.phase(1.0)


class Local:
    """Local searches on serial schedules, one a worker; each phase goes on from the best known."""

    def __init__(self, solver: Solver) -> None:
        self.solver = solver
        new = partial(Decoder, solver.instance, solver.compiled, solver.stop_decoding)
        decoders = [solver.decoder, *(new() for _ in range(solver.workers - 1))]
        self.searches = [
            LocalSearch(solver.facts, decoder, solver.key, _best(solver), solver.settings.seed + k)
            for k, decoder in enumerate(decoders)
        ]
        self.searches[0].step(1.0, 0.0)

    def phase(self, until: float, beside: Sequence[Job] = (), second: bool = False) -> Phase:
        """``beside``: jobs for the last workers."""
        enough = -1.0 if second else self.solver.solution.bound
        for search in self.searches:
            search.join(_best(self.solver))
        count = max(0 if beside else 1, len(self.searches) - len(beside))
        jobs = [Searching("local search", search, enough) for search in self.searches[:count]]
        return Phase(until, [*jobs, *beside], second)


def _whole(solver: Solver) -> Modelling | None:
    """The model of the whole instance that suits it, where it is small enough."""
    instance, settings, s = solver.untrimmed, solver.settings, solver.solution
    always_open = Whole(instance, settings, solver.halt)
    if always_open.supports():
        return Modelling("whole model", lambda seconds: always_open.solve(_best(solver), s.bound, seconds))
    exact = Exact(instance, settings, solver.halt)
    if instance.n <= EXACT_ACTIVITIES and exact.supports():
        return Modelling("exact model", lambda seconds: exact.solve(_best(solver), seconds))
    return None


def neighbourhoods(solver: Solver, exact: Exact, until: float) -> Iterator[Phase]:
    """Small parts of the whole model, of the kinds and sizes that have paid so far."""
    parts = Neighbourhoods(solver.facts, solver.settings.seed)
    vain = 0
    while (left := until - solver.spent) > 0 and vain < VAIN_TRIES:
        best = _best(solver)
        share = min(left, max(NEIGHBOURHOOD_SECONDS / solver.settings.budget, 0.02))
        part = Modelling("exact neighbourhoods", partial(exact.solve, best, free=parts.choose(best)))
        yield Phase(solver.spent + share, [part])
        improved = _best(solver).cost < best.cost
        parts.learn(improved, part.found is not None and part.found.exhausted)
        vain = 0 if improved else vain + 1


SECOND_SHARE, SECOND_SECONDS = 0.1, 1.5
"""Of the budget, and at most, for each of the two ways to finish sooner at a cost that is proven least."""


def second_goal(solver: Solver) -> Iterator[Phase]:
    """At the least cost, finish as soon as can be (the flow measure)."""
    share = min(SECOND_SHARE, SECOND_SECONDS / solver.settings.budget)
    yield Local(solver).phase(min(1.0, solver.spent + share), second=True)
    exact = Exact(solver.untrimmed, solver.settings, solver.halt)
    if solver.instance.n <= EXACT_ACTIVITIES and exact.supports():
        model = Modelling("exact model", lambda seconds: exact.solve(_best(solver), seconds, second=True))
        yield Phase(min(1.0, solver.spent + share), [model], second=True)
