"""Subordination: the goals after the cost, one after the other, each with those before it kept (docs/plan.md, Goals).

Goldratt's focusing steps as an order of objectives: exploit the drum (it loses no hour while work waits for it, and
others do what they can for it), subordinate the rest to it (few context switches, little work in process). What comes
in is the schedule that the search for the cost has found; what goes out is never worse: a later goal takes from an
earlier one no more than its tolerance, and a schedule that breaks a rule is not taken.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from throttle.buffers import buffers_of
from throttle.buffers.chains import Chains
from throttle.check.fast import check_schedule
from throttle.compile import Compiled
from throttle.instance import Instance, Schedule
from throttle.lift import lift, settled
from throttle.solve import Settings
from throttle.solve.decoder import PLAIN_WORK, Decoder, work_of
from throttle.solve.jobs import Searching, Span
from throttle.subordinate.late import Late
from throttle.subordinate.measure import DrumPeople, Measure, Values, drum_people
from throttle.subordinate.search import (
    DIVERTED,
    IN_PROCESS,
    LOST,
    SAME,
    SWITCHES,
    Caps,
    Polish,
)
from throttle_models import Goals, OrderedGoal, Plan, Portfolio

if TYPE_CHECKING:
    from datetime import datetime

    from throttle_models.plan import GoalName

MOST = 5_000
"""Above so many activities the later goals are neither measured nor sought: decodes take too much of their share."""
SHARE, LEAST_SECONDS, MOST_SECONDS = 0.1, 0.02, 3.0
"""Of the budget, and at least and at most, for all goals after the cost."""
PARTS = {LOST: 0.25, DIVERTED: 0.1, SWITCHES: 0.25}
"""Of that, for each goal that is searched for; the rest is for the start of work."""
ALONE = 0.05
"""Of that, for what each of them might come to where no goal before it counts."""
TRIES_PER_SECOND, LEAST_TRIES, LEAST_LATE = 3000, 2, 1.0
"""Activities tried to be started late for a second of all that, and for each activity at least, in deterministic mode;
else seconds that this takes at least."""
ROUNDS = 4
"""Times that work is started late, each without the projects whose promise would suffer."""
SEEDS = 7919
"""Apart from the seeds of the other searches."""

NAMES: tuple[GoalName, ...] = (
    "cost of delay",
    "weighted flow",
    "drum hours lost",
    "drum on other work",
    "context switches",
    "work in process",
)


@dataclass(frozen=True)
class Later:
    """The schedule with the goals after the cost, and what they came to."""

    schedule: Schedule
    goals: tuple[OrderedGoal, ...]
    note: str = ""
    """Why there are no goals."""
    late: frozenset[str] = frozenset()
    """Work that starts later than it could."""


def share(budget: float) -> float:
    """Seconds of a budget that the goals after the cost have."""
    return min(max(SHARE * budget, min(LEAST_SECONDS, 0.5 * budget)), MOST_SECONDS)


def subordinate(
    compiled: Compiled,
    schedule: Schedule,
    settings: Settings,
    previous: Plan | None = None,
    stop: threading.Event | None = None,
    ceiling: float = inf,
) -> Later:
    """The goals after the cost, sought from the best schedule for that.

    ``settings.budget``: seconds for all of it. ``ceiling``: what the cost may not pass, whatever tolerance there is.
    """
    if len(compiled.graph.activities) > MOST:
        return Later(schedule, (), f"with more than {MOST:,} items, no goals are sought after the cost")
    return _Order(compiled, schedule, settings, previous, stop or threading.Event(), ceiling).run()


class _Order:
    """The goals of one schedule in turn."""

    def __init__(
        self,
        compiled: Compiled,
        schedule: Schedule,
        settings: Settings,
        previous: Plan | None,
        stop: threading.Event,
        ceiling: float,
    ) -> None:
        self.compiled, self.settings, self.previous, self.stop = compiled, settings, previous, stop
        self.policy = compiled.portfolio.policy.goals or Goals()
        self.drum = drum_people(compiled, schedule, previous)
        slots = min(compiled.instance.slots, int(schedule.end.max(initial=0)) * 3 // 2 + 50)
        self.instance: Instance = compiled.instance.trimmed(slots)
        self.native = work_of(self.instance) > PLAIN_WORK or settings.budget > SHARE
        self.measure = Measure(compiled, self.drum, self.instance, self.native)
        self.found, self.ceiling = schedule, max(ceiling, schedule.cost)
        self.cost, self.flow = schedule.cost, schedule.flow
        """The least so far."""
        self.first = self.measure.of_schedule(schedule)
        self.tolerance = (self.policy.drum, self.policy.drum, self.policy.switches, 0.0)
        self.best: list[float] = list(self.first)
        self.alone: list[int | None] = [None] * len(self.first)
        self.notes = [""] * len(self.first)
        self.late: frozenset[str] = frozenset()

    def run(self) -> Later:
        schedule = self.found
        if self.stop.is_set():
            self.notes = ["interrupted before it was sought"] * len(self.first)
            return self._told(schedule)
        if self.drum is None:
            for goal in (LOST, DIVERTED):
                self.notes[goal] = "the drum is an environment, or there is none"
        decoder = Decoder(self.instance, self.native) if self.instance.n else None
        for goal in (LOST, DIVERTED, SWITCHES):
            if decoder is not None and not self.notes[goal]:
                schedule = self._sought(schedule, goal, decoder)
            self.best[goal] = self.measure.of_schedule(schedule)[goal]
        schedule = self._started(schedule)
        self.best[IN_PROCESS] = self.measure.of_schedule(schedule)[IN_PROCESS]
        return self._told(schedule)

    # --- one goal ----------------------------------------------------------------------------------------------------

    def caps(self, goal: int) -> Caps:
        """What the goals before one may come to."""
        values = tuple(_most(self.best[k], self.tolerance[k]) for k in range(goal))
        return Caps(min(_most(self.cost, self.policy.cost), self.ceiling), _most(self.flow, self.policy.flow), values)

    def _sought(self, schedule: Schedule, goal: int, decoder: Decoder) -> Schedule:
        """The least of a goal that a search finds, first with all goals before it, then alone."""
        if self.measure.of_schedule(schedule)[goal] == 0:
            self.alone[goal] = 0
            return schedule
        seed = self.settings.seed + SEEDS * (goal + 1)
        search = Polish(self.measure, decoder, schedule, goal, self.caps(goal), seed)
        if not search.usable:
            self.notes[goal] = "the schedule is not one that an order of its work gives, so none is searched around it"
            return schedule
        self._go(search, PARTS[goal])
        if goal != DIVERTED:
            free = Polish(self.measure, decoder, search.best, goal, Caps(inf, inf, ()), seed + 1)
            self._go(free, ALONE)
            self.alone[goal] = free.values[goal]
        return self._valid(search.best, schedule, goal)

    def _go(self, search: Polish, part: float) -> None:
        span = Span(part * self.settings.budget, self.settings.deterministic, self.stop.is_set)
        job = Searching("subordination", _Ends(search), -1.0)
        job.run(span)

    def _valid(self, found: Schedule, before: Schedule, goal: int) -> Schedule:
        """What was found, as it is told, where it keeps all rules and all goals; else what there was before."""
        found = settled(self.compiled.instance, found)
        values, caps = self.measure.of_schedule(found), self.caps(goal)
        kept = caps.keep(found.cost, found.flow, values) and values[goal] <= self.measure.of_schedule(before)[goal]
        if not kept or check_schedule(self.compiled.instance, found):
            return before
        self.cost, self.flow = min(self.cost, found.cost), min(self.flow, found.flow)
        return found

    # --- start late --------------------------------------------------------------------------------------------------

    def _started(self, schedule: Schedule) -> Schedule:
        """Work as late as buffers allow, where the policy asks for it."""
        wanted = self.policy.start
        buffers = buffers_of(self.compiled.portfolio)
        if wanted == "early":
            self.notes[IN_PROCESS] = "policy.goals says start: early"
        elif wanted == "auto" and (buffers is None or buffers.feeding is None):
            self.notes[IN_PROCESS] = (
                "no feeding buffer, so work starts as soon as it can, unless policy.goals says start: late"
            )
        if self.notes[IN_PROCESS] or not self.instance.n:
            return schedule
        most = _most(self.best[SWITCHES], self.tolerance[SWITCHES])
        promised, over = self._promises(schedule), self._patience()
        fixed: set[int] = set()
        for _ in range(ROUNDS):
            moving = Late(self.compiled, schedule, self.measure, self.native)
            found = self._valid(moving.run(most, fixed, over), schedule, IN_PROCESS)
            if found is schedule:
                break
            worse = [members for name, (at, members) in self._promises(found).items() if at > promised[name][0]]
            if not worse:
                self.late = frozenset(self.instance.activities[j] for j in moving.moved)
                if not over(0):
                    free = Late(self.compiled, found, self.measure, self.native, free=True).run(inf, (), over)
                    self.alone[IN_PROCESS] = self.measure.of_schedule(free)[IN_PROCESS]
                return found
            fixed.update(*worse)
        return schedule

    def _patience(self) -> Callable[[int], bool]:
        """Whether to stop, given how many activities were tried."""
        settings = self.settings
        tries = max(LEAST_TRIES * self.instance.n, TRIES_PER_SECOND * settings.budget)
        until = time.monotonic() + max(LEAST_LATE, (1 - sum(PARTS.values()) - 2 * ALONE) * settings.budget)
        if settings.deterministic:
            return lambda tried: self.stop.is_set() or tried >= tries
        return lambda _: self.stop.is_set() or time.monotonic() > until

    def _promises(self, schedule: Schedule) -> dict[str, tuple[datetime, list[int]]]:
        """Of each project, and item with a date or cost of its own, what is promised for it, and its work.

        A buffer is counted behind the critical chain, and that may be another once work has moved.
        """
        items = lift(self.compiled, schedule)
        chains = Chains(self.compiled, items)
        graph, portfolio = self.compiled.graph, self.compiled.portfolio
        members: dict[str, list[str]] = {}
        for id in items:
            if (project := graph.project_of(id)) is not None:
                members.setdefault(f"project:{project}", []).append(id)
        for id, item in portfolio.work.items():
            if item.due is not None or item.cost_of_delay or item.costs:
                members[f"item:{id}"] = [i for i in graph.activities_in(id) if i in items]
        number = {id: j for j, id in enumerate(self.instance.activities)}
        found = {}
        for name, ids in members.items():
            if ids:
                buffered = chains.of(ids)
                at = buffered.promise if buffered else max(items[i].finish for i in ids)
                found[name] = at, [number[i] for i in ids]
        return found

    # --- what came of it ---------------------------------------------------------------------------------------------

    def _told(self, schedule: Schedule) -> Later:
        if schedule is not self.found and self._other_drum(schedule):
            # with these times others are the bottleneck, and what was sought was for the one before
            self.best, self.late, schedule = list(self.first), frozenset(), self.found
            self.cost, self.flow = self.found.cost, self.found.flow
        return Later(schedule, tuple(self._goals(schedule)), late=self.late)

    def _other_drum(self, schedule: Schedule) -> bool:
        """Whether others are the bottleneck: loads change with the length of the plan and the use of environments."""
        same_length = schedule.end.max(initial=0) == self.found.end.max(initial=0)
        if same_length and not self.compiled.portfolio.environments:
            return False
        return drum_people(self.compiled, schedule, self.previous) != self.drum

    def _goals(self, schedule: Schedule) -> Sequence[OrderedGoal]:
        portfolio, policy = self.compiled.portfolio, self.policy
        values = self.measure.of_schedule(schedule)
        found = [
            OrderedGoal(name=name, unit=unit, found=before, best=best, value=now, tolerance=tolerance)
            for name, unit, before, best, now, tolerance in (
                (NAMES[0], portfolio.currency, self.found.cost, self.cost, schedule.cost, policy.cost),
                (NAMES[1], portfolio.currency, self.found.flow, self.flow, schedule.flow, policy.flow),
            )
        ]
        for goal, (name, unit) in enumerate(zip(NAMES[2:], ("h", "h", "switches", "item-days"), strict=True)):
            scale = _scale(portfolio, goal)
            best = min(self.best[goal], values[goal])
            alone = self.alone[goal]
            found.append(
                OrderedGoal(
                    name=name,
                    unit=unit,
                    found=_rounded(self.first[goal] * scale),
                    best=_rounded(best * scale),
                    value=_rounded(values[goal] * scale),
                    tolerance=self.tolerance[goal],
                    alone=_rounded(min(alone, best) * scale) if alone is not None else None,
                    proved=values[goal] == 0 and (self.drum is not None or goal in (SWITCHES, IN_PROCESS)),
                    note=self.notes[goal],
                )
            )
        return found


class _Ends:
    """A search that also ends where nothing is left to do: then a step is all the work that is asked for."""

    def __init__(self, search: Polish) -> None:
        self._search = search
        self.rate = search.rate

    @property
    def best(self) -> Schedule:
        return self._search.best

    def step(self, progress: float, work: float) -> float:
        return self.rate * MOST_SECONDS if self._search.enough else self._search.step(progress, work)

    def join(self, schedule: Schedule) -> None:
        self._search.join(schedule)


def _most(best: float, tolerance: float) -> float:
    return best * (1 + tolerance) + SAME * abs(best)


def _scale(portfolio: Portfolio, goal: int) -> float:
    """Of a value in integers, the unit that it is told in."""
    hours = portfolio.slot.total_seconds() / 3600
    return (hours / 100, hours / 100, 1.0, hours / 24)[goal]


def _rounded(value: float) -> float:
    return round(value, 4)


__all__ = ["MOST", "NAMES", "DrumPeople", "Later", "Measure", "Values", "share", "subordinate"]
