"""From an instance to the best schedule and bounds that can be had within a budget: the one place that decides how."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from throttle.errors import InputError
from throttle.instance import Instance, Schedule
from throttle.solve.annealing import Chronological, dispatch
from throttle.solve.annealing import supports as supports_chronological
from throttle.solve.bounds import lower_bounds
from throttle.solve.decoder import PLAIN_WORK, Decoder, Outcome, work_of
from throttle.solve.jobs import Job, Span
from throttle.solve.kernels import prepared
from throttle.solve.phases import Phase, loose, phases, second_goal
from throttle.solve.rules import RULES, Facts, bottleneck_atc, grid
from throttle_models import Finding
from throttle_models.batch import LARGEST_SEED

if TYPE_CHECKING:
    from throttle.instance import Floats
    from throttle.solve.decoder import Marks
    from throttle.subordinate import Later

WORK_PER_SECOND, PLAIN_PER_SECOND = 4e6, 1e5
"""Slots a second, compiled or not, that a budget stands for in deterministic mode, where no clock may decide."""
Made = TypeVar("Made")
Attempt = tuple[str, "Floats", Decoder | Chronological, Outcome]
"""Name of a rule, its key, what decoded it, and what came of it."""

DISPATCH_SHARE = 0.25
"""Of the budget: no further rules are tried when it is used up."""
SERIAL_ACTIVITIES = 20_000
"""Above so many, rules are decoded chronologically where that keeps all limits: serial decodes take seconds."""
TOLD_EVERY, LOOKED_EVERY = 0.5, 0.05
"""Seconds between reports of progress, and between looks at what jobs have found."""
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
    later: Later | None = None
    """What the goals after the cost came to, where they were sought."""

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

    def __post_init__(self) -> None:
        """Raises InputError where CP-SAT would not take the seed: whatever is planned, the same seeds are allowed."""
        if not 0 <= self.seed <= LARGEST_SEED:
            message = f"The seed {self.seed!s:.40} is not a whole number from 0 to {LARGEST_SEED}."
            raise InputError([Finding(level="error", code="bad-seed", message=message)])


class Solver:
    """Dispatch, bounds, then the phases that fit the instance; the plan only ever improves."""

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
        self.workers = max(1, settings.workers) if self.compiled else 1
        self.facts = Facts(instance)
        self.stop_decoding = np.zeros(1, np.uint8)
        """What all serial decoders look at in native code: 1 once the solve, or for a moment a phase, is to end."""
        self.decoder = Decoder(instance, self.compiled, self.stop_decoding)
        self.chronological: Chronological | None = None
        self.key: Floats = np.zeros(instance.n)
        """Of the best schedule that a rule has made."""
        self.key_decoder: Decoder | Chronological = self.decoder
        """What made that schedule of it."""
        self.solution = Solution(None)
        self.untrimmed = instance
        self.halt = Halt(self.stop)
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

    @property
    def over(self) -> bool:
        """Whether there is nothing more to do, or no more time."""
        return self.solution.proved or self.stop.is_set() or self.spent >= 1

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

    def ready(self, first: Callable[[], Made]) -> Made:
        """Do what may have to compile or load kernels; what it takes is then not of the budget."""
        began, before = time.monotonic(), prepared()
        made = first()
        if prepared() > before:
            self.began += time.monotonic() - began
        return made

    # --- parts -------------------------------------------------------------------------------------------------

    def solve(self) -> Solution:
        watch = _Watch(self.stop, self.stop_decoding)
        watch.start()
        try:
            return self._solve()
        finally:
            watch.finish()

    def _solve(self) -> Solution:
        s = self.solution
        if self.instance.n == 0:
            empty = np.zeros(0, np.int64)
            s.best = s.first_come = s.greedy = Schedule(empty, empty, empty, 0.0, 0.0)
            s.proved = True
            s.method.append("nothing to schedule")
            return s
        if self.compiled:
            self.tell("preparing kernels (compiled once, then kept)")
            if supports_chronological(self.instance):
                self.chronological = self.ready(lambda: Chronological(self.instance))
        self.dispatch()
        if s.best is None or self.stop_decoding[0]:
            s.interrupted = self.stop.is_set()
            return s
        s.bound, s.flow_bound = self.ready(lambda: lower_bounds(self.instance, self.facts))
        self.settle()
        self.trim()
        self.tell("bounds")
        for phase in phases(self):
            if self.over:
                break
            self.run(phase)
        if s.proved and s.best.flow > s.flow_bound:
            for phase in second_goal(self):
                if self.stop.is_set() or self.spent >= 1:
                    break
                self.run(phase)
        s.interrupted = self.stop.is_set()
        self.tell("done")
        return s

    def dispatch(self) -> None:
        """Every rule, the baselines among them."""
        s = self.solution
        tried = self.attempts()
        while (attempt := self.ready(lambda: next(tried, None))) is not None:
            name, key, decoder, outcome = attempt
            self.used += self.size / (self.rate * max(self.settings.budget, 1e-3))
            if outcome.schedule is None:
                s.missing = outcome.missing
                if self.stop_decoding[0]:
                    break
                continue
            if name == "first-come":
                s.first_come = outcome.schedule
            if name == "greedy":
                s.greedy = outcome.schedule
            if outcome.schedule.better(s.best):
                s.best, self.key, self.key_decoder = outcome.schedule, key, decoder
                s.method = [name]
                self.tell("dispatch")
            if self.stop_decoding[0]:
                break
        # a baseline that found no place for something is as good as the best that did
        s.first_come, s.greedy = s.first_come or s.best, s.greedy or s.best
        # of equals the hint, so that a plan in force is not changed for nothing
        if self.hint is not None and not (s.best is not None and s.best.better(self.hint)):
            s.best, self.key = self.hint, self.hint.start.astype(float)
            s.method = ["previous plan"]

    @property
    def rate(self) -> float:
        """Work a second of the serial decoder, in deterministic mode."""
        return WORK_PER_SECOND if self.compiled else PLAIN_PER_SECOND

    def attempts(self) -> Iterator[Attempt]:
        """Each rule decoded, the most promising first; after the baselines only while there is time."""
        chronological, facts = self.chronological, self.facts
        least_late = dispatch(facts, chronological) if chronological is not None else iter(())
        for key, outcome in islice(least_late, 1):
            yield "bottleneck-atc less tail", key, chronological or self.decoder, outcome
        ruled: Decoder | Chronological = self.decoder
        if chronological is not None and self.instance.n > SERIAL_ACTIVITIES:
            ruled = chronological
        for name, rule in RULES.items():
            key = rule(facts)
            yield name, key, ruled, ruled.decode(key)
        for key, outcome in takewhile(self.in_time, least_late):
            yield "bottleneck-atc less tail", key, chronological or self.decoder, outcome
        if chronological is None or loose(self.instance):
            for k, lead, tail in takewhile(self.in_time, grid()):
                key = bottleneck_atc(facts, k, lead, tail)
                yield "bottleneck-atc", key, self.decoder, self.decoder.decode(key)

    def in_time(self, _: object) -> bool:
        """Whether there is time for further rules."""
        return self.solution.best is None or not (self.stop.is_set() or self.spent > DISPATCH_SHARE)

    def trim(self) -> None:
        """Search on a horizon no longer than it takes."""
        if self.solution.best is None:
            return
        slots = int(self.solution.best.end.max() * SPARE) + 50
        if slots < self.instance.slots:
            self.instance = self.instance.trimmed(slots)
            self.facts = Facts(self.instance)
            self.decoder = Decoder(self.instance, self.compiled, self.stop_decoding)
            if self.chronological is not None:
                self.chronological = Chronological(self.instance)

    def settle(self) -> None:
        s = self.solution
        if s.best is not None and s.best.cost <= s.bound + 1e-9 * max(1.0, abs(s.best.cost)):
            s.bound, s.proved = min(s.bound, s.best.cost), True

    def run(self, phase: Phase) -> None:
        """Run the jobs of a phase side by side, and take the best that they find."""
        s, settings = self.solution, self.settings
        share = phase.until - self.spent
        if share <= 0:
            return
        s.method += [name for name in dict.fromkeys(job.name for job in phase.jobs) if name not in s.method]
        halt = self.halt
        halt.clear()
        span = Span(share * settings.budget, settings.deterministic, halt.is_set)
        before, told = s.best, time.monotonic()
        with ThreadPoolExecutor(len(phase.jobs)) as pool:
            running = {pool.submit(job.run, span) for job in phase.jobs}
            while running:
                done, running = wait(running, timeout=LOOKED_EVERY, return_when=FIRST_COMPLETED)
                for future in done:
                    if future.exception() is not None:
                        halt.set()
                    future.result()
                if running and span.is_set():
                    self.stop_decoding[0] = 1
                if running and settings.deterministic:
                    continue
                self.take(before, phase.jobs)
                if s.proved and not phase.second:
                    halt.set()
                if time.monotonic() - told > TOLD_EVERY:
                    told = time.monotonic()
                    self.tell(phase.jobs[0].name)
        self.stop_decoding[0] = self.stop.is_set()
        self.take(before, phase.jobs)
        self.used += share
        self.tell(phase.jobs[0].name)

    def take(self, before: Schedule | None, jobs: Sequence[Job]) -> None:
        """The best of what was known before and what jobs found, in their order; and the highest bounds."""
        s = self.solution
        s.best = before
        for job in jobs:
            if job.best is not None and job.best.better(s.best):
                s.best = job.best
            s.bound = max(s.bound, job.bound)
            s.flow_bound = max(s.flow_bound, job.flow_bound)
        if s.best is not None and any(job.proved for job in jobs):
            s.bound = s.best.cost
        self.settle()


class _Watch(threading.Thread):
    """Tells decoders in native code that the whole solve is stopped."""

    def __init__(self, stop: threading.Event, flag: Marks) -> None:
        super().__init__(name="solve-watch", daemon=True)
        self.stop, self.flag = stop, flag
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(LOOKED_EVERY / 2):
            if self.stop.is_set():
                self.flag[0] = 1

    def finish(self) -> None:
        self.over.set()
        self.join()


class Halt(threading.Event):
    """Set when the whole solve is stopped, or the jobs of one phase are."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self.stop = stop

    def is_set(self) -> bool:
        return self.stop.is_set() or super().is_set()
