"""Runs: shared out in parts, over threads, processes or a cluster, and put together in their order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from throttle.simulate.arrays import Rows, Space
from throttle.simulate.types import CAUSES, Model, Release, Sample
from throttle.solve.kernels import kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.executors import Engine

PLAIN_WORK = 4_000
"""Up to so many items x runs, plain Python is quicker than loading numba."""
PART = 16
"""Runs that a thread does before it looks whether it should stop."""
PARTS_EACH = 4
"""Parts of each process: the model is sent with each of them."""
BOOKINGS, TASKS, EVENTS = 6, 4, 24
"""Room for pieces of work, tasks of unplanned work, and events, by what is expected; more where it does not do."""
ROUNDS = 8
LEAST_WORK = 1e-12
"""Instead of no work at all, so that a residual can be told."""
LITTLE, BALANCE = 0.02, 1e-6
"""Most residual of Little's law, and of the conservation of work; more is a defect."""


class SimulationError(AssertionError):
    """A defect: a law that every run must obey is broken."""


def simulate(
    model: Model,
    runs: int,
    seed: int,
    *,
    release: Release | None = None,
    first: int = 0,
    executor: Engine | None = None,
    workers: int = 2,
    stop: threading.Event | None = None,
    compiled: bool | None = None,
) -> Sample:
    """Execute the plan in runs ``first`` to ``first + runs - 1``.

    ``release``: limits on what is let in, instead of those of the policy. ``executor``: where parts run (see
    ``throttle.executors``); None: ``workers`` threads of this process. Neither changes what is drawn. ``stop`` ends it
    soon, with the runs done so far from the first one on. ``compiled``: None lets the size decide.
    Raises SimulationError where Little's law or the conservation of work does not hold in a run.
    """
    limit = limits_of(model, release)
    if compiled is None:
        compiled = executor is not None or runs * model.instance.n > PLAIN_WORK
    parts: list[Sample] = []
    if executor is not None:
        size = max(1, -(-runs // max(1, executor.width * PARTS_EACH)))
        for part in _in_order(executor, model, limit, seed, first, runs, size, executor.width + 1, stop):
            parts.append(part)
    elif not compiled or workers == 1 or runs <= PART:
        kept = _Worker(model, compiled)
        for at in range(first, first + runs, PART):
            if stop is not None and stop.is_set():
                break
            parts.append(kept.part(limit, seed, at, min(PART, first + runs - at)))
    else:
        kernels(True, "execution")
        with ThreadPoolExecutor(workers) as threads:
            for part in _in_order(threads, model, limit, seed, first, runs, PART, 2 * workers, stop):
                parts.append(part)
    if not parts:
        parts.append(_Worker(model, False).part(limit, seed, first, 0))
    sample = Sample.joined(parts)
    assert_laws(sample)
    return sample


def limits_of(model: Model, release: Release | None) -> NDArray[np.int64]:
    """Most demand in process by row of ``limit``."""
    limit = np.array(model.policy, np.int64)
    if release is None:
        return limit
    unlimited = kernels(False, "execution").UNLIMITED
    if release.rope_hours is not None and not model.rows["rope"]:
        raise ValueError("the model has no rope: make it with Settings(rope=True)")
    minutes = None if release.rope_hours is None else int(release.rope_hours * 60)
    for what, most in (("projects", release.projects), ("rope", minutes)):
        limit[list(model.rows[what])] = unlimited if most is None else most
    return limit


def one_run(model: Model) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and finishes of the first run, in slots."""
    compiled = model.instance.n * max(1, model.instance.slots) > 1_000_000
    part = _Worker(replace(model, settings=replace(model.settings, items=True)), compiled).part(
        limits_of(model, None), 0, 0, 1
    )
    return part.start[0].astype(np.int64), part.finish[0].astype(np.int64)


def _in_order(
    pool: Executor,
    model: Model,
    limit: NDArray[np.int64],
    seed: int,
    first: int,
    runs: int,
    size: int,
    ahead: int,
    stop: threading.Event | None,
) -> Iterator[Sample]:
    """Parts in their order; never more than so many ahead."""
    waiting: list[Future[Sample]] = []
    at = first
    while waiting or at < first + runs:
        while at < first + runs and len(waiting) < ahead and not (stop is not None and stop.is_set()):
            waiting.append(pool.submit(run_part, model, limit, seed, at, min(size, first + runs - at)))
            at += size
        if not waiting:
            return
        yield waiting.pop(0).result()


_kept = threading.local()


def run_part(model: Model, limit: NDArray[np.int64], seed: int, first: int, runs: int) -> Sample:
    """Runs of one part, where it is executed; the working space of a model is kept from part to part."""
    worker = getattr(_kept, "worker", None)
    if worker is None or worker.model is not model:
        worker = _kept.worker = _Worker(model, True)
    found: Sample = worker.part(limit, seed, first, runs)
    return found


class _Worker:
    """A model with working space of its own."""

    def __init__(self, model: Model, compiled: bool) -> None:
        self.model = model
        self.kernel: Any = kernels(compiled, "execution")
        self.room = 1
        self.space = self.new_space()

    def new_space(self) -> Space:
        a, x, k = self.model.instance.arrays, self.model.arrays, self.kernel
        n, people, slots = self.model.instance.n, len(a.person_mask), self.model.instance.slots
        seats, links, kinds = len(x.seat), len(a.pred), len(x.rates)
        came = float((x.rates[:, 0] * np.diff(x.kind[:, k.K_OPEN])).sum())
        tasks = int(self.room * (TASKS * came + 20 * n * (x.incident > 0) + 64))
        pieces = int(self.room * (BOOKINGS * min(int(a.work.sum() + a.wait.sum()), 64 * n) + 16 * n + 256))
        events = int(self.room * (EVENTS * (n + seats) + 4 * (links + people + kinds) + tasks + 1024))

        def table(rows: int, columns: int) -> NDArray[np.int64]:
            return np.zeros((rows, columns), np.int64)

        def row(length: int) -> NDArray[np.int64]:
            return np.zeros(length, np.int64)

        return Space(
            load=np.zeros((people, slots), np.uint8),
            item=table(n, k.WHY + 1),
            waits=table(n, CAUSES),
            seat=table(seats, k.S_NEXT + 1),
            person=table(people, k.P_WAKE + 1),
            queue=np.zeros(people),
            piece=table(pieces, 3),
            task=table(tasks, k.T_NEXT + 1),
            kind=table(kinds, k.K_SERVE + 1),
            class_next=np.zeros(kinds),
            resource=table(x.resources, k.R_LIST + 1),
            aside=table(n, 2),
            used=row(len(a.capacity)),
            team_held=row(len(a.team_wip)),
            span=table(len(a.demand), 2),
            booked=row(len(a.limit)),
            quota=row(len(a.quota)),
            batch=row(int(a.batch_first[-1])),
            satisfied=row(links),
            heap=row(events),
            counts=row(k.COUNTERS),
            area=np.zeros(2),
            tally=np.zeros(k.TALLIES),
        )

    def part(self, limit: NDArray[np.int64], seed: int, first: int, runs: int) -> Sample:
        for _ in range(ROUNDS):
            rows = self.new_rows(runs)
            self.kernel.execute_all(self.model.arrays, self.space, limit, seed, first, rows)
            if not rows.full.any():
                return self.sample(rows, first)
            self.room *= 4
            self.space = self.new_space()
        raise MemoryError("a run has more events than there is room for")

    def new_rows(self, runs: int) -> Rows:
        model, x = self.model, self.model.arrays
        n, kinds = (model.instance.n if model.settings.items else 0), len(x.rates)
        projects = len(model.projects)

        def slots(width: int) -> NDArray[np.int32]:
            return np.zeros((runs, width), np.int32)

        return Rows(
            start=slots(n),
            finish=slots(n),
            work=slots(n),
            stuck=np.zeros((runs, n), np.uint8),
            overran=np.zeros((runs, n), np.uint8),
            projects=slots(projects),
            begun=slots(projects),
            costs=np.zeros((runs, len(model.groups))),
            where=np.zeros((runs, projects, CAUSES), np.float32),
            waits=np.zeros((runs, CAUSES), np.float32),
            area=np.zeros((runs, 5)),
            tally=np.zeros((runs, self.kernel.TALLIES)),
            arrivals=np.zeros((runs, kinds), np.int64),
            sojourn=np.zeros((runs, kinds)),
            waiting=np.zeros((runs, kinds)),
            unfinished=np.zeros(runs, np.int64),
            full=np.zeros(runs, np.int64),
        )

    def sample(self, rows: Rows, first: int) -> Sample:
        model, k = self.model, self.kernel
        hours, weeks = model.hours_per_slot, model.instance.weeks
        in_system, begun, last, done, total = rows.area.T
        tally = rows.tally.T
        span = np.maximum(last, 1)
        count = max(int((model.arrays.item[:, k.A_HIDDEN] == 0).sum()), 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            each = np.where(rows.arrivals > 0, rows.arrivals, np.nan)
            sampled = np.maximum(tally[k.SAMPLED], LEAST_WORK)
            return Sample(
                start=rows.start,
                finish=rows.finish,
                work=rows.work,
                stuck=rows.stuck,
                overran=rows.overran,
                projects=rows.projects,
                begun=rows.begun,
                costs=rows.costs,
                cost=rows.costs.sum(axis=1),
                where=rows.where,
                waits=rows.waits,
                wip=begun / span,
                in_process=in_system / span,
                throughput=done / (span * weeks),
                lead=total / count * hours,
                touch=(tally[k.BOOKED] + tally[k.OVERTIME]) * hours,
                unplanned=tally[k.UNPLANNED] * hours,
                arrivals=rows.arrivals,
                sojourn=rows.sojourn / each * hours,
                waiting=rows.waiting / each * hours,
                absent=tally[k.ABSENCE] * hours,
                failures=np.stack([tally[k.TESTS], tally[k.CHANGES]], axis=1).astype(np.int32),
                overruns=tally[k.OVERRAN].astype(np.int32),
                forced=tally[k.FORCED].astype(np.int32),
                unfinished=rows.unfinished,
                little=np.abs(in_system - total) / np.maximum(total, 1.0),
                balance=np.abs(tally[k.BOOKED] + tally[k.OVERTIME] - tally[k.SAMPLED]) / sampled,
                first=first,
            )


def assert_laws(sample: Sample) -> None:
    """Little's law and the conservation of work, of every run."""
    for law, residual, most in (
        ("Little's law", sample.little, LITTLE),
        ("conservation of work", sample.balance, BALANCE),
    ):
        if len(residual) and residual.max() > most:
            run = sample.first + int(residual.argmax())
            raise SimulationError(f"{law} does not hold in run {run}: residual {residual.max():.2%}")
