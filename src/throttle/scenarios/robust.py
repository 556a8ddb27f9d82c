"""Orders that bear uncertain times well: simulated annealing over orders and crews, each judged by simulated runs.

A plan is the cheapest on paper, where many cost the same; executed with uncertain times they differ by some per cent,
more than most alternatives that are to be compared. So alternatives are compared in orders that were searched for by
what they cost when simulated, with the same work for each (sample average approximation: Kleywegt, Shapiro and
Homem-de-Mello, 2002). Runs that choose are not used again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING

import numpy as np

from throttle.check.fast import check_schedule
from throttle.instance import Schedule
from throttle.lift import lift
from throttle.scenarios.solve import bare, crew_of, key_of
from throttle.simulate import Executable, simulate
from throttle.simulate.model import NotThePlanError
from throttle.solve.decoder import Decoder

if TYPE_CHECKING:
    from throttle.instance import Floats, Ints
    from throttle.simulate import Settings
    from throttle_models import Plan, Portfolio

JUDGING, JUDGED = 4_000, (16, 48)
"""Items x runs that judge an order while it is searched for, and least and most runs."""
FINALISTS = 6
"""Of the best so many orders, further runs choose one."""
FINAL, FINAL_RUNS = 40_000, (32, 256)
"""Items x runs of all finalists, and least and most runs of each."""
FIRST = 1_000_000
"""Number of the first run that chooses: no run that compares has one so high."""
HOT, COLD = 0.01, 0.001
"""Temperature at first and at the end, as a share of the cost."""
MOVE = 0.6
"""Chance that an activity is moved in the order, and that seats are given to others; one of them is always done."""
NEAR = 0.1
"""How far an activity is moved in the order at most, as a share of their number, and never less than 5."""
SEATS = 3
"""Most seats that are given to others at once."""
OPEN = 0.3
"""Chance that a seat is then left to whoever can finish first."""
PROPOSED = 4
"""Orders proposed at most for each that is new."""


def judging(items: int) -> tuple[int, int]:
    """Runs that judge an order, and a finalist: fewer of larger portfolios."""
    judged = min(JUDGED[1], max(JUDGED[0], JUDGING // max(1, items)))
    return judged, min(FINAL_RUNS[1], max(FINAL_RUNS[0], FINAL // (FINALISTS * max(1, items))))


@dataclass(frozen=True)
class Tried:
    """A schedule and its mean cost in the runs that judge."""

    cost: float
    schedule: Schedule


class Search:
    """Orders of one portfolio, the plan's at first; one thread at a time.

    plan: of this portfolio. ``compiled``: whether with numba. ``stop`` ends it soon, with what was tried so far.
    Raises InputError where the plan is of another portfolio, NotThePlanError where it cannot be executed as it is.
    """

    def __init__(
        self, portfolio: Portfolio, plan: Plan, settings: Settings, seed: int, compiled: bool, stop: threading.Event
    ) -> None:
        self.executable = Executable.of(portfolio, plan, settings)
        self.seed, self.compiled, self.stop = seed, compiled, stop
        self._decoder = Decoder(self.executable.compiled.instance, compiled)
        self._tried: dict[tuple[bytes, bytes], Tried] = {}
        self._judged, self._final = judging(self.executable.compiled.instance.n)
        a = self.executable.compiled.instance.arrays
        self._able = [
            a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]]
            for q in range(len(a.work))
            for _ in range(a.crew_ptr[q], a.crew_ptr[q + 1])
        ]
        self._judge(self.executable.schedule)

    def try_orders(self, plans: Iterable[Plan]) -> None:
        """The order of each plan, with its people and with whoever finishes first."""
        for plan in plans:
            if self.stop.is_set():
                return
            for _ in self._in_order(plan):
                pass

    def _in_order(self, plan: Plan) -> Iterator[Tried]:
        compiled = self.executable.compiled
        key = key_of(compiled, plan, self.executable.plan)
        for seats in (crew_of(compiled, plan), None):
            if (found := self._decoded(key, seats)) is not None:
                yield found

    def _decoded(self, key: Floats, crew: Ints | None) -> Tried | None:
        """None where the order has no place, or runs would not keep to its schedule."""
        schedule = self._decoder.decode(key, crew).schedule
        try:
            return self._judge(schedule) if schedule is not None else None
        except NotThePlanError:
            return None

    def _judge(self, schedule: Schedule) -> Tried:
        what = _what(schedule)
        if what not in self._tried:
            cost = float(self._costs(schedule, self._judged, FIRST).mean())
            self._tried[what] = Tried(cost, schedule)
        return self._tried[what]

    def _costs(self, schedule: Schedule, runs: int, first: int) -> Floats:
        model = self.executable.model(schedule)
        return simulate(model, runs, self.seed, first=first, compiled=self.compiled, workers=1).cost

    def ranked(self) -> list[Tried]:
        """What was tried, the best first, and of equal ones that tried first."""
        return sorted(self._tried.values(), key=lambda one: one.cost)

    def anneal(self, orders: int, seed: int) -> None:
        """Try so many new orders (Kirkpatrick, Gelatt and Vecchi, 1983), from the best so far on."""
        rng = np.random.default_rng(seed)
        n = self.executable.compiled.instance.n
        now = self.ranked()[0]
        key, crew = _rank(now.schedule), now.schedule.crew
        begun, width = len(self._tried), max(5, round(NEAR * n))
        for _ in range(PROPOSED * orders):
            done = len(self._tried) - begun
            if done >= orders or now.cost <= 0 or self.stop.is_set():
                return
            what = rng.random()
            new_key = _moved(key, rng, width) if what < MOVE else key
            new_crew = self._given(crew, rng) if what >= 1 - MOVE else crew
            found = self._decoded(new_key, new_crew)
            if found is None:
                continue
            heat = now.cost * HOT * (COLD / HOT) ** (done / orders)
            if found.cost <= now.cost or (heat > 0 and rng.random() < exp((now.cost - found.cost) / heat)):
                now, key, crew = found, new_key, found.schedule.crew

    def _given(self, crew: Ints, rng: np.random.Generator) -> Ints:
        """Some seats to others who are able, or to whoever can finish first."""
        given = crew.copy()
        if len(self._able):
            for seat in rng.integers(len(self._able), size=int(rng.integers(1, SEATS + 1))).tolist():
                given[seat] = -1 if rng.random() < OPEN else rng.choice(self._able[seat])
        return given

    def best(self, usual: Plan | None = None) -> Schedule:
        """That of the best ones which costs least in further runs. Only what keeps all rules, as the plan does.

        ``usual``: an order that is kept to unless another costs less by more than the standard error of the difference.
        """
        instance = self.executable.compiled.instance
        ranked = self.ranked()[:FINALISTS]
        found = next(self._in_order(usual), None) if usual is not None else None
        first = [found] if found is not None else []
        tried = [*first, *(one for one in ranked if one is not found)]
        kept = [one.schedule for one in tried if not check_schedule(instance, one.schedule)]
        if len(kept) < 2 or self.stop.is_set():
            return kept[0] if kept else self.executable.schedule
        costs = [self._costs(schedule, self._final, FIRST + self._judged) for schedule in kept]
        least = int(np.argmin([cost.mean() for cost in costs]))
        gain = costs[0] - costs[least]
        if usual is not None and gain.mean() <= gain.std() / len(gain) ** 0.5:
            return kept[0]
        return kept[least]

    def order(self, schedule: Schedule) -> Plan:
        """A schedule as a plan that says no more than when and by whom."""
        return bare(self.executable.plan).model_copy(update={"items": lift(self.executable.compiled, schedule)})


def best_orders(searches: Sequence[Search], most: int = FINALISTS) -> list[Plan]:
    """The best that were found, for other portfolios to try."""
    found = [(search, one) for search in searches for one in search.ranked()]
    distinct: dict[tuple[bytes, bytes], Plan] = {}
    for search, one in sorted(found, key=lambda entry: entry[1].cost):
        if len(distinct) < most:
            distinct.setdefault(_what(one.schedule), search.order(one.schedule))
    return list(distinct.values())


def _what(schedule: Schedule) -> tuple[bytes, bytes]:
    return schedule.start.tobytes(), schedule.crew.tobytes()


def _rank(schedule: Schedule) -> Floats:
    key = np.empty(len(schedule.start))
    key[np.lexsort((schedule.end, schedule.start))] = np.arange(len(key))
    return key


def _moved(key: Floats, rng: np.random.Generator, width: int) -> Floats:
    """One activity earlier or later in the order."""
    order = np.argsort(key, kind="stable").tolist()
    if not order:
        return key
    at = int(rng.integers(len(order)))
    one = order.pop(at)
    order.insert(min(max(at + int(rng.integers(-width, width + 1)), 0), len(order)), one)
    moved = np.empty(len(key))
    moved[order] = np.arange(len(key))
    return moved


__all__ = ["FINALISTS", "Search", "best_orders", "judging"]
