"""From an instance to the best schedule and bounds that can be had within a budget: the one place that decides how."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import Instance, Schedule
from throttle.solve.bounds import lower_bounds
from throttle.solve.decoder import PLAIN_WORK, Decoder, work_of
from throttle.solve.local import LocalSearch
from throttle.solve.neighbourhoods import NEIGHBOURHOODS
from throttle.solve.rules import RULES, Facts, bottleneck_atc, grid

if TYPE_CHECKING:
    from throttle.instance import Floats
    from throttle.solve.exact import Exact

WORK_PER_SECOND, PLAIN_PER_SECOND = 4e6, 1e5
"""Slots a second, compiled or not, that a budget stands for in deterministic mode, where no clock may decide."""
EXACT_ACTIVITIES = 120
"""Above so many, the whole exact model finds little in seconds; parts of it do."""
NEIGHBOURHOOD_ACTIVITIES = 40
NEIGHBOURHOOD_SECONDS = 1.0
SECOND_SHARE = 0.1
"""Of the budget, for each of the two ways to finish sooner at a cost that is proven least."""
VAIN_TRIES = 6
"""Neighbourhoods in a row that find nothing before local search goes on."""
TOLD_EVERY = 0.5
"""Seconds between reports of progress."""
SPARE = 1.5
"""The search looks so much further ahead than the end of the first plan."""


@dataclass(frozen=True)
class Progress:
    """Where a solve stands; ``seconds`` since it began."""

    seconds: float
    incumbent: float | None
    bound: float | None
    gap: float | None
    phase: str


@dataclass
class Solution:
    """What a solve found. ``best`` is None only if no order was decoded; then ``missing`` says what had no place."""

    best: Schedule | None
    first_come: Schedule | None = None
    greedy: Schedule | None = None
    bound: float = 0.0
    flow_bound: float = 0.0
    proved: bool = False
    missing: tuple[int, ...] = ()
    interrupted: bool = False
    method: list[str] = field(default_factory=list)

    @property
    def gap(self) -> float:
        return relative_gap(self.best.cost, self.bound) if self.best else 1.0


def relative_gap(value: float, bound: float) -> float:
    return max(0.0, (value - bound) / value) if value > 0 else 0.0


@dataclass(frozen=True)
class Settings:
    budget: float = 10.0
    """Seconds; in deterministic mode, the work that so many seconds stand for."""
    seed: int = 1
    workers: int = 2
    deterministic: bool = False


class Solver:
    """Dispatch, then local search and exact models in turn, while the budget lasts; the plan only ever improves."""

    def __init__(
        self,
        instance: Instance,
        settings: Settings,
        hint: Schedule | None = None,
        report: Callable[[Progress], None] | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.instance, self.settings, self.hint = instance, settings, hint
        self.report = report
        self.stop = stop or threading.Event()
        self.began = time.monotonic()
        self.size = work_of(instance)
        self.compiled = self.size > PLAIN_WORK or (settings.budget > 1 and instance.n > 1)
        self.facts = Facts(instance)
        self.decoder = Decoder(instance, self.compiled)
        self.capacity = (WORK_PER_SECOND if self.compiled else PLAIN_PER_SECOND) * max(settings.budget, 1e-3)
        """Work that the budget stands for, in deterministic mode."""
        self.solution = Solution(None)
        self.untrimmed = instance
        self.used = 0.0
        """Share of the budget that the parts so far stand for, in deterministic mode, where no clock may decide."""

    # --- time --------------------------------------------------------------------------------------------------

    @property
    def spent(self) -> float:
        """Share of the budget that is used up."""
        budget = max(self.settings.budget, 1e-3)
        if self.settings.deterministic:
            return self.used
        return (time.monotonic() - self.began) / budget

    def tell(self, phase: str) -> None:
        if self.report:
            s = self.solution
            known = s.best is not None
            self.report(
                Progress(
                    time.monotonic() - self.began,
                    s.best.cost if s.best else None,
                    s.bound if known else None,
                    s.gap if known else None,
                    phase,
                )
            )

    # --- parts -------------------------------------------------------------------------------------------------

    def solve(self) -> Solution:
        s = self.solution
        if self.instance.n == 0:
            empty = np.zeros(0, np.int64)
            s.best = s.first_come = s.greedy = Schedule(empty, empty, empty, 0.0, 0.0)
            s.proved = True
            s.method.append("nothing to schedule")
            return s
        if self.compiled:
            self.tell("preparing kernels (compiled once, then kept)")
            self.decoder.decode(RULES["first-come"](self.facts))
            self.began = time.monotonic()
        key = self.dispatch()
        if s.best is None:
            return s
        s.bound, s.flow_bound = lower_bounds(self.instance, self.facts)
        self.settle()
        self.trim()
        self.tell("dispatch")
        if self.spent < 1 and not self.stop.is_set():
            self.improve(key)
        s.interrupted = self.stop.is_set()
        self.settle()
        self.tell("done")
        return s

    def trim(self) -> None:
        """Search on a horizon no longer than it takes."""
        if self.solution.best is None:
            return
        slots = int(self.solution.best.end.max() * SPARE) + 50
        if slots < self.instance.slots:
            self.instance = self.instance.trimmed(slots)
            self.facts = Facts(self.instance)
            self.decoder = Decoder(self.instance, self.compiled)

    def dispatch(self) -> Floats:
        """Both baselines, then every rule; the key of the best."""
        s = self.solution
        best_key = RULES["greedy"](self.facts)
        for name, key in self.keys():
            if s.best is not None and (self.stop.is_set() or self.spent > 0.25) and name not in RULES:
                break
            outcome = self.decoder.decode(key)
            self.used += self.size / self.capacity
            if outcome.schedule is None:
                s.missing = outcome.missing
                continue
            if name == "first-come":
                s.first_come = outcome.schedule
            if name == "greedy":
                s.greedy = outcome.schedule
            if outcome.schedule.better(s.best):
                s.best, best_key = outcome.schedule, key
                if name not in s.method:
                    s.method = [name]
        # a baseline that found no place for something is as good as the best that did
        s.first_come, s.greedy = s.first_come or s.best, s.greedy or s.best
        if self.hint is not None and self.hint.better(s.best):
            s.best, best_key = self.hint, self.hint.start.astype(float)
            s.method = ["previous plan"]
        return best_key

    def keys(self) -> Iterator[tuple[str, Floats]]:
        for name, rule in RULES.items():
            yield name, rule(self.facts)
        for k, lead, tail in grid():
            yield "bottleneck-atc", bottleneck_atc(self.facts, k, lead, tail)

    def done(self) -> bool:
        return self.solution.proved or self.stop.is_set() or self.spent >= 1

    def settle(self) -> None:
        s = self.solution
        if s.best is not None and s.best.cost <= s.bound + 1e-9 * max(1.0, abs(s.best.cost)):
            s.bound, s.proved = min(s.bound, s.best.cost), True

    def improve(self, key: Floats) -> None:
        from throttle.solve.exact import Exact

        s = self.solution
        if s.best is None:
            return
        count = max(1, self.settings.workers) if self.compiled else 1
        decoders = [self.decoder, *(Decoder(self.instance, self.compiled) for _ in range(count - 1))]
        chains = [LocalSearch(self.facts, d, key, s.best, self.settings.seed + k) for k, d in enumerate(decoders)]
        exact = Exact(self.instance, self.settings, self.stop)
        supported = exact.supports()
        small = supported and self.instance.n <= EXACT_ACTIVITIES
        if small and not self.done():
            self.local(chains, until=0.3)
            if not self.done():
                self.whole(Exact(self.untrimmed, self.settings, self.stop), chains, until=0.9)
        elif supported and not self.done():
            self.local(chains, until=0.7)
            if not self.done():
                self.neighbourhoods(exact, chains, until=0.85)
        if not self.done():
            self.local(chains, until=1.0)
        if s.proved and s.best is not None and s.best.flow > s.flow_bound and self.spent < 1 and not self.stop.is_set():
            self.sooner(exact if small else None, chains)

    def sooner(self, exact: Exact | None, chains: list[LocalSearch]) -> None:
        """The second goal: at the least cost, finish as soon as can be (the flow measure)."""
        s = self.solution
        s.method.append("second goal")
        self.local(chains, min(1.0, self.spent + SECOND_SHARE), second=True)
        share = min(SECOND_SHARE, 1 - self.spent)
        if exact is not None and s.best is not None and share > 0 and not self.stop.is_set():
            self.tell("second goal")
            found = exact.solve(s.best, share * self.settings.budget, second=True)
            self.used += share
            self.take(found.schedule, chains)

    def whole(self, exact: Exact, chains: list[LocalSearch], until: float) -> None:
        """The whole model: improves, and may prove."""
        s = self.solution
        if s.best is None:
            return
        self.tell("exact model")
        s.method.append("exact model")
        share = until - self.spent
        found = exact.solve(s.best, share * self.settings.budget)
        self.used += share
        s.bound = max(s.bound, found.bound)
        self.take(found.schedule, chains)

    def neighbourhoods(self, exact: Exact, chains: list[LocalSearch], until: float) -> None:
        """Small parts of the whole model, by kinds that are chosen by what they have paid so far."""
        s, random = self.solution, Random(self.settings.seed)
        s.method.append("exact neighbourhoods")
        paid = dict.fromkeys(NEIGHBOURHOODS, 1.0)
        vain = 0
        while s.best is not None and not self.done() and (left := until - self.spent) > 0 and vain < VAIN_TRIES:
            kind = random.choices(list(paid), list(paid.values()))[0]
            free = NEIGHBOURHOODS[kind](self.facts, s.best, NEIGHBOURHOOD_ACTIVITIES, random)
            share = min(left, max(NEIGHBOURHOOD_SECONDS / self.settings.budget, 0.02))
            before = s.best.cost
            found = exact.solve(s.best, share * self.settings.budget, free)
            self.used += share
            self.take(found.schedule, chains)
            vain = 0 if s.best.cost < before else vain + 1
            paid[kind] = 0.8 * paid[kind] + (0.05 if vain else 1.0)
            self.tell(f"exact neighbourhood: {kind}")

    def take(self, found: Schedule | None, chains: list[LocalSearch]) -> None:
        """Adopt a schedule of the exact model if it is better, after the decoder has closed its gaps."""
        s = self.solution
        if found is not None and found.better(s.best):
            s.best = found
            for chain in chains:
                chain.best = found
                chain.restart()
                if chain.current.better(s.best):
                    s.best = chain.best = chain.current
        self.settle()

    def local(self, chains: list[LocalSearch], until: float, second: bool = False) -> None:
        """Local search in one thread for each chain (the kernels hold no lock); all go on from the best found."""
        s = self.solution
        if "local search" not in s.method:
            s.method.append("local search")
        from_ = self.spent
        quota = max(0, int((until - from_) * self.capacity / self.size))
        over = threading.Event()

        def run(chain: LocalSearch) -> None:
            steps = 0
            while not self.stop.is_set() and not over.is_set() and (second or chain.best.cost > s.bound):
                if self.settings.deterministic:
                    progress = steps / max(quota, 1)
                else:
                    progress = (self.spent - from_) / max(until - from_, 1e-9)
                if progress >= 1:
                    break
                chain.step(progress)
                steps += 1
            if chain.best.cost <= s.bound and not second and not self.settings.deterministic:
                over.set()

        with ThreadPoolExecutor(len(chains)) as pool:
            running = {pool.submit(run, chain) for chain in chains}
            while running:
                done, running = wait(running, timeout=TOLD_EVERY)
                for future in done:
                    future.result()
                s.best = min((c.best for c in chains), key=lambda b: (b.cost, b.flow))
                self.tell("local search")
        self.used += until - from_
        for chain in chains:
            if s.best is not None and s.best.better(chain.best):
                chain.best = s.best
                chain.restart()
        self.settle()
