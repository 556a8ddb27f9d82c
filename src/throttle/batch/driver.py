"""Runs a batch on an executor: what is finished is kept, what fails is told, and nothing stops the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from throttle.batch.lock import only_one
from throttle.batch.read import Batch, Run, vary
from throttle.batch.results import (
    begun_before,
    failed,
    finished,
    host,
    key_of,
    make_folder,
    not_run,
    remove_torn,
    store,
    summarise,
    write_facts,
    write_results,
)
from throttle.batch.work import Outcome, Task, brief, execute, pack
from throttle.documents import error_at
from throttle.errors import InputError, ThrottleError
from throttle.executors import Engine, cores, open_executor, why_lost
from throttle.files import load_portfolio, portfolio_hash
from throttle.wording import plural
from throttle_models import Policy, Portfolio
from throttle_models.batch import BatchResults, Row, RunStatus

_T = TypeVar("_T")

LOOK_EVERY = 0.2
"""Seconds between looks at whether to stop."""
WRITE_EVERY = 2.0
"""Seconds between writings of the table while runs finish."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a run; ``done`` of ``total`` runs have a row now."""

    kind: Literal["started", "kept", "done"]
    """``kept``: it has a plan from an earlier time."""
    run: Run
    done: int
    total: int
    row: Row | None = None


def run_batch(
    batch: Batch,
    out: Path,
    *,
    engine: str | None = None,
    jobs: int | None = None,
    again: bool = False,
    report: Callable[[Event], None] | None = None,
    tell: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> BatchResults:
    """Make every plan that is not in the folder ``out`` yet (``again``: every plan), and the table of all.

    ``jobs`` run at once, by default so many that all their threads together are no more than processors; a cluster
    has its own number. ``tell`` is told what is to be done, before it is begun. ``stop`` ends the batch: what has not
    finished by then is dropped. Raises InputError where the engine cannot be reached, another batch is writing to the
    folder, or the table cannot be written; a run that fails is a row.
    """
    stop = stop or threading.Event()
    driver = _Driver(batch, out, again, report or (lambda _: None), stop)
    began = time.monotonic()
    facts: dict[str, Any] = {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "engine": engine or "processes",
        "runs": len(batch.runs),
        "budget_seconds": batch.budget,
        "workers": batch.workers,
        "deterministic": batch.deterministic,
        "skipped": list(batch.skipped),
        "host": host(),
    }
    with ExitStack() as held:
        with open_executor(engine, jobs or max(1, cores() // batch.workers)) as executor:
            make_folder(out)
            held.enter_context(only_one(out))
            remove_torn(out)
            facts["jobs"] = min(jobs or executor.width, executor.width)
            write_facts(out, {**facts, "ended": False, "interrupted": False})
            driver.write()  # a row for each run from the start, however it ends
            if tell:
                tell(
                    _announced(batch, facts["jobs"], 0 if again else sum(begun_before(out, run) for run in batch.runs))
                )
            driver.work(executor, jobs)
        results = driver.write()
        left = any(row.status is RunStatus.NOT_RUN for row in results.rows)
        seconds = round(time.monotonic() - began, 3)
        write_facts(out, {**facts, "ended": not left, "interrupted": left, "seconds": seconds})
    return results


class _Last(Generic[_T]):
    """The value that was made last, or the error that there was instead, for whoever asks for the same again."""

    def __init__(self) -> None:
        self._key: Hashable = None
        self._made: _T | ThrottleError

    def __call__(self, key: Hashable, make: Callable[[], _T]) -> _T:
        if key != self._key:
            self._key = key
            try:
                self._made = make()
            except ThrottleError as problem:
                self._made = problem
        if isinstance(self._made, ThrottleError):
            raise self._made
        return self._made


class _Driver:
    def __init__(
        self, batch: Batch, out: Path, again: bool, report: Callable[[Event], None], stop: threading.Event
    ) -> None:
        self.batch, self.out, self.again, self.report, self.stop = batch, out, again, report, stop
        self.rows: dict[Run, Row] = {}
        self.policies: dict[tuple[str, str], Policy] = {}
        """By portfolio and variant, as far as they were read."""
        self.repeated: dict[Run, str] = {}
        """Why what there is of a run is no good."""
        self.written = time.monotonic()
        # runs of one portfolio follow one another, and of those, runs of one variant
        self.portfolio, self.varied, self.packed = _Last[Portfolio](), _Last[tuple[Portfolio, str]](), _Last[bytes]()

    def work(self, executor: Engine, jobs: int | None) -> None:
        """Until every run has a row, or it is to stop; at most ``jobs`` at once, where the engine can run more."""
        waiting = iter(self.batch.runs)
        running: dict[Future[Outcome], tuple[Run, str]] = {}
        more = True
        while not self.stop.is_set() and (more or running):
            width = executor.width
            # one more than it can run, so that none waits for a portfolio to be read
            if more and len(running) < (jobs if jobs and jobs < width else width + 1):
                if run := next(waiting, None):
                    self.begin(run, executor, running)
                else:
                    more = False
                continue
            done, _ = wait(running, LOOK_EVERY, FIRST_COMPLETED)
            for future in sorted(done, key=list(running).index):
                self.end(future, *running.pop(future))
        if self.stop.is_set():
            for future in [f for f in running if f.done()]:
                self.end(future, *running.pop(future))
            with suppress(InputError):  # told at the end
                self.write()  # before the processes end, which may take a while
            executor.shutdown(wait=False, cancel_futures=True)

    def begin(self, run: Run, executor: Engine, running: dict[Future[Outcome], tuple[Run, str]]) -> None:
        """Hand a run over, unless its plan is there already or cannot be made."""
        b, key = self.batch, None
        try:
            at = run.path, run.variant
            portfolio, hash = self.varied(at, lambda: self.vary(run))
            key = key_of(run, b, hash)
            if not self.again:
                row, why = finished(self.out, run, key)
                if row:
                    self.settle("kept", run, row)
                    return
                if why:
                    self.repeated[run] = why
            packed = self.packed(at, lambda: pack(portfolio))
            task = Task(packed, b.budget, run.seed, b.workers, b.deterministic)
            future = executor.submit(execute, task)
        except Exception as problem:  # of this portfolio or variant, or an engine that is gone
            self.settle("done", run, failed(run, _why(problem), key))
            return
        running[future] = run, key
        self.report(Event("started", run, len(self.rows), len(b.runs)))

    def vary(self, run: Run) -> tuple[Portfolio, str]:
        """The portfolio of a run with its variant, and its hash. Raises InputError where there is no such thing."""
        portfolio = self.portfolio(run.path, lambda: load_portfolio(run.path))
        if not portfolio.work:
            message = f"{run.path} has no work to plan; if it is a part of a portfolio, name the folder of all parts"
            raise InputError([error_at("no-work", message, run.path)])
        varied = vary(portfolio, run)
        self.policies[run.portfolio, run.variant] = varied.policy
        return varied, portfolio_hash(varied)

    def end(self, future: Future[Outcome], run: Run, key: str) -> None:
        """Keep what came of a run."""
        try:
            row = store(self.out, run, key, future.result())
            if row.plan and run in self.repeated:
                row = row.model_copy(update={"message": self.repeated[run]})
        except Exception as problem:
            row = failed(run, _why(problem), key)
        self.settle("done", run, row)

    def settle(self, kind: Literal["kept", "done"], run: Run, row: Row) -> None:
        self.rows[run] = row
        self.report(Event(kind, run, len(self.rows), len(self.batch.runs), row))
        if kind == "done" and time.monotonic() - self.written >= WRITE_EVERY:
            with suppress(InputError):  # there may be room again at the end
                self.write()
            self.written = time.monotonic()

    def write(self) -> BatchResults:
        patches = {run.variant: run.patch for run in self.batch.runs}
        rows = (self.rows.get(run) or not_run(run) for run in self.batch.runs)
        results = summarise(rows, patches, self.policies)
        write_results(self.out, results)
        return results


def _announced(batch: Batch, jobs: int, kept: int) -> str:
    """What is to be done; how much is kept and for how long it takes is known only as portfolios are read."""
    text = f"{plural(len(batch.runs), 'run')}, {min(jobs, len(batch.runs))} at once"
    text += (
        f"; {plural(kept, 'has a plan', 'have plans')} of an earlier time, kept where nothing changed" if kept else ""
    )
    seconds = ceil(len(batch.runs) / jobs) * batch.budget
    about = f"{seconds / 60:,.0f} min" if seconds >= 120 else f"{max(seconds, 1):.0f} s"
    if batch.deterministic:
        return f"{text}; the work of about {about}, however long that takes here"
    return f"{text}; about {about} of search at most, besides reading and checking"


def _why(problem: Exception) -> str:
    """A sentence without the words of what is not ours, which may quote a ticket."""
    if isinstance(problem, ThrottleError):
        return brief(problem)
    return why_lost(problem) or f"it could not be run: {type(problem).__name__}"
