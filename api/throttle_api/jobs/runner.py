"""One attempt at a job from its beginning to its end: a process, what it reports, and a commit that is fenced."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, TypeVar

from throttle_api.jobs.answers import BEST, Answer
from throttle_api.jobs.child import Child, DiedError
from throttle_api.jobs.kinds import KINDS
from throttle_api.jobs.queue import EmbeddedQueue, Queue
from throttle_api.jobs.states import MOST_ATTEMPTS, Move, Outcome, State
from throttle_api.storage import Database, FullError, MissingError, Tx, UnavailableError, datasets, plans
from throttle_api.storage import jobs as store
from throttle_api.storage.jobs import Ending, Job

log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Running:
    """How jobs are run; times in seconds."""

    kinds: Mapping[str, str] = field(default_factory=lambda: KINDS)
    memory: int | None = 4096
    """Megabytes that the process of a job may take."""
    attempts: int = MOST_ATTEMPTS
    keep: timedelta = store.KEEP
    """How long a result is kept."""
    look_every: float = 0.1
    """How often to look whether the job is cancelled, or another attempt has begun."""
    beat_every: float = 5.0
    """How often a worker of PostgreSQL lets know that it is alive."""
    report_every: float = 0.5
    """How often progress is written down at most."""
    grace: float = 30.0
    """How long a job may take to end once it is asked to stop; then its process is killed, and it has no result."""
    patience: float = 300.0
    """How long an end is tried to be written down while the database is away or full."""
    nice: int = 10


class Ended(Enum):
    """How an attempt ended, for whoever keeps the queue."""

    COMMITTED = "committed"
    """The job has ended, and says so."""
    QUEUED = "queued"
    """The attempt was lost or handed back: the job waits again."""
    FENCED = "fenced"
    """Another attempt has begun, or the job is gone: nothing of this one was kept."""
    UNKNOWN = "unknown"
    """The database was away for too long to write the end down: the job still says that it runs."""


class Runner:
    """Runs attempts, one at a time in each thread that calls it."""

    def __init__(self, database: Database, how: Running | None = None, queue: Queue | None = None) -> None:
        self.database, self.how, self.queue = database, how or Running(), queue or EmbeddedQueue()

    def run(self, job: Job, leave: threading.Event | None = None) -> Ended:
        """Run a job that was claimed. ``leave``: once set, the job is handed back to the queue."""
        leave = leave or threading.Event()
        try:
            target = self.how.kinds.get(job.kind)
            if target is None:
                reason = f"This service has no jobs of kind {job.kind}: it may be older than the one that took it."
                return self._commit(job, Ending(Move.FAIL, Outcome.UNKNOWN, code="unknown-kind", reason=reason))
            inputs = self._insist(job, lambda tx: inputs_of(tx, job))
        except MissingError as problem:
            return self._commit(job, Ending(Move.FAIL, Outcome.UNKNOWN, code="input", reason=str(problem)))
        except (UnavailableError, FullError):
            return Ended.UNKNOWN
        with Child(target, job.request, inputs, memory=self.how.memory, nice=self.how.nice) as child:
            del inputs
            try:
                ending = self._watch(job, child, leave)
            except DiedError as died:
                return self._lost(job, str(died))
        if ending is None:
            return Ended.FENCED
        if ending == "leave":
            return self._hand_back(job)
        assert isinstance(ending, Ending)
        return self._commit(job, ending)

    def _watch(self, job: Job, child: Child, leave: threading.Event) -> Ending | str | None:
        """Until the child has answered; None where the attempt no longer counts. Raises DiedError.

        Times are those of the monotonic clock: the other one may step.
        """
        looked = reported = beaten = time.monotonic()
        facts: dict[str, Any] | None = None
        told: Mapping[str, Any] | None = None
        best: bytes | None = None
        killed_at: float | None = None
        while True:
            message = child.receive(min(self.how.look_every, self.how.report_every))
            if message is not None and message[0] == "progress" and BEST in message[1]:
                best = message[1][BEST]
            elif message is not None and message[0] == "progress":
                if _news(message[1]) != told:
                    facts = message[1]
            elif message is not None:
                return _ending(message, killed_at is not None)
            if leave.is_set():
                return "leave"
            now = time.monotonic()
            if killed_at is not None and now >= killed_at:
                return Ending(Move.STOP, Outcome.UNKNOWN, reason="It was cancelled, and ended without a result.")
            tell = facts is not None and now - reported >= self.how.report_every
            if not tell and now - looked < self.how.look_every:
                continue
            looked = now
            try:
                if tell and facts is not None:
                    current = self._report(job, facts)
                    told, reported = _news(facts), now
                    facts = None
                else:
                    current = self._look(job)
                if best is not None:
                    self._keep(job, best)
                    best = None
                if self.database.postgres and now - beaten >= self.how.beat_every:
                    with self.database.write(job.tenant_id) as tx:
                        store.beat(tx, job.id, job.attempt)
                    beaten = now
            except (UnavailableError, FullError):
                continue  # the next time, or at the end
            if current is None:
                return None
            if current.cancel and killed_at is None:
                child.stop()
                killed_at = now + self.how.grace

    def _report(self, job: Job, facts: Mapping[str, Any]) -> Job | None:
        with self.database.write(job.tenant_id) as tx:
            return store.report(tx, job.id, job.attempt, facts)

    def _keep(self, job: Job, best: bytes) -> None:
        with self.database.write(job.tenant_id) as tx:
            store.keep_best(tx, job.id, job.attempt, best)

    def _look(self, job: Job) -> Job | None:
        try:
            with self.database.read(job.tenant_id) as tx:
                current = store.get(tx, job.id)
        except MissingError:
            return None
        return current if current.state is State.RUNNING and current.attempt == job.attempt else None

    def _commit(self, job: Job, ending: Ending) -> Ended:
        """The fenced end: the state and the result in one transaction, and only of the attempt that still runs."""

        def finish(tx: Tx) -> bool:
            return store.finish(tx, job.id, job.attempt, ending, self.how.keep)

        return self._end(job, finish, Ended.COMMITTED)

    def _lost(self, job: Job, why: str) -> Ended:
        def lose(tx: Tx) -> bool:
            return self._again(tx, store.lose(tx, job.id, job.attempt, why, self.how.attempts, self.how.keep))

        return self._end(job, lose, Ended.QUEUED)

    def _hand_back(self, job: Job) -> Ended:
        def hand_back(tx: Tx) -> bool:
            return self._again(tx, store.hand_back(tx, job.id, job.attempt, self.how.keep))

        return self._end(job, hand_back, Ended.QUEUED)

    def _again(self, tx: Tx, job: Job | None) -> bool:
        if job is not None and job.state is State.QUEUED:
            self.queue.put(tx, job)
        return job is not None

    def _end(self, job: Job, write: Callable[[Tx], bool], ended: Ended) -> Ended:
        try:
            done = self._insist(job, write)
        except (UnavailableError, FullError):
            log.error("job end not written", extra={"job": job.id, "attempt": job.attempt})
            return Ended.UNKNOWN
        return ended if done else Ended.FENCED

    def _insist(self, job: Job, do: Callable[[Tx], _T]) -> _T:
        """In a transaction of the job's tenant; while the database is away or full, again on fresh connections."""
        return insist(self.database, job.tenant_id, do, self.how.patience)


def insist(database: Database, tenant: str, do: Callable[[Tx], _T], patience: float) -> _T:
    """A transaction, tried again for ``patience`` seconds while the database is away or full, each time on a fresh
    connection. ``do`` must be such that doing it twice is no harm: the answer to a commit may have been lost.

    Raises UnavailableError or FullError at the end of the patience.
    """
    until, pause = time.monotonic() + patience, 0.05
    while True:
        try:
            with database.write(tenant) as tx:
                return do(tx)
        except (UnavailableError, FullError):
            if time.monotonic() + pause > until:
                raise
        database.forget_connections()
        time.sleep(pause)
        pause = min(1.0, pause * 2)


def inputs_of(tx: Tx, job: Job) -> dict[str, bytes]:
    """The documents of a job by name: its own, and those that it refers to. Raises MissingError.

    ``dataset`` (``id``, ``version``) stands for the input ``portfolio``, ``base`` (a version of the accepted plan)
    for ``previous``.
    """
    found = store.inputs_of(tx, job.id)
    if (named := job.request.get("dataset")) is not None:
        found["portfolio"] = datasets.body(tx, named["id"], named["version"])
    if (base := job.request.get("base")) is not None:
        found["previous"] = plans.body(tx, base)
    return found


def _news(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What is worth an event when it changes: all but the time."""
    return {name: value for name, value in facts.items() if name != "seconds"}


def _ending(message: tuple[Any, ...], cancelled: bool) -> Ending:
    if message[0] == "failed":
        _, code, reason = message
        return Ending(Move.FAIL, Outcome.UNKNOWN, code=code, reason=reason)
    answer: Answer = message[1]
    move = Move.STOP if cancelled else Move.SUCCEED
    return Ending(move, answer.outcome, answer.document, answer.summary)
