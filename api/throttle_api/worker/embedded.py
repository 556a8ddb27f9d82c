"""The worker in the serving process, for SQLite."""

from __future__ import annotations

import logging
import threading
import time

from throttle_api.jobs.child import warm_up
from throttle_api.jobs.runner import Runner, Running
from throttle_api.storage import SYSTEM, Database, FullError, StorageError, UnavailableError
from throttle_api.storage import jobs as store
from throttle_api.worker.lock import ServiceLock

log = logging.getLogger(__name__)
POLL_SECONDS = 1.0
"""How often to look for jobs that nobody announced."""
EXPIRE_SECONDS = 60.0
LOST = "the process that ran it ended or could not write its end down."


class EmbeddedWorker:
    """Runs jobs in threads of this process, each in a child process of its own.

    Only one process at a time: :meth:`start` takes the lock, and so whatever is said to run is not, and waits again.
    """

    def __init__(self, database: Database, how: Running | None = None, *, concurrency: int = 1) -> None:
        self.database, self.how, self.concurrency = database, how or Running(), concurrency
        self.runner = Runner(database, self.how)
        file = database.file
        if file is None:
            raise StorageError("The embedded worker is for SQLite; with PostgreSQL, run throttle worker.")
        self._lock = ServiceLock(file)
        self._wake = threading.Condition()
        self._woken = 0
        self._ending, self._leave = threading.Event(), threading.Event()
        self._active: set[str] = set()
        self._claiming = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._expired_at = 0.0

    def start(self) -> None:
        """Take the lock, queue again what ran when the last process ended, and begin. Raises InputError where another
        process holds the lock."""
        self._lock.take()
        try:
            self._recover()
        except BaseException:
            self._lock.release()
            raise
        warm_up()
        for number in range(self.concurrency):
            thread = threading.Thread(target=self._work, name=f"worker-{number + 1}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """A job was submitted."""
        with self._wake:
            self._woken += 1
            self._wake.notify_all()

    def end(self) -> None:
        """Begin no job any more."""
        self._ending.set()
        self.wake()

    def stop(self, patience: float = 20.0) -> None:
        """Begin no job any more, let those that run finish within ``patience`` seconds, and hand the others back."""
        self.end()
        until = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._leave.set()
        for thread in self._threads:
            thread.join(self.how.look_every + 10.0)
        self._threads.clear()
        self._lock.release()

    @property
    def busy(self) -> int:
        """Jobs that run now."""
        return len(self._active)

    def _work(self) -> None:
        while not self._ending.is_set():
            seen = self._woken
            try:
                job = self._next()
            except (UnavailableError, FullError) as problem:
                log.warning("no job claimed", extra={"why": str(problem)})
                job = None
            except Exception:  # whatever it is: the others are to be served on
                log.exception("no job claimed")
                job = None
            if job is None:
                with self._wake:
                    if seen == self._woken and not self._ending.is_set():
                        self._wake.wait(POLL_SECONDS)
                continue
            try:
                ended = self.runner.run(job, self._leave)
                log.info("job attempt ended", extra={"job": job.id, "attempt": job.attempt, "how": ended.value})
            except Exception:
                log.exception("job attempt broke", extra={"job": job.id, "attempt": job.attempt})
            finally:
                self._active.discard(job.id)

    def _next(self) -> store.Job | None:
        with self._claiming:
            self._recover()  # what could not be written down at its end
            with self.database.write(SYSTEM) as tx:
                job = store.claim(tx, "embedded")
            if job is not None:
                self._active.add(job.id)
            return job

    def _recover(self) -> None:
        with self.database.read(SYSTEM) as tx:
            stray = store.running(tx, frozenset(self._active))
        now = time.monotonic()
        expire = now - self._expired_at >= EXPIRE_SECONDS
        if not stray and not expire:
            return
        with self.database.write(SYSTEM) as tx:
            store.recover(tx, LOST, frozenset(self._active), self.how.attempts, self.how.keep)
            if expire:
                store.expire(tx)
        if expire:
            self._expired_at = now
