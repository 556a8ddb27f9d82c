"""Where a fault happens: a database with a tenant, jobs of about a second, and worker processes; and the inspection
afterwards."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import cache
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa
from benchmarks.postgres import Postgres
from benchmarks.variants import portfolio

from throttle_api.jobs.queue import EmbeddedQueue, Queue
from throttle_api.jobs.states import State
from throttle_api.storage import SYSTEM, Database, UnavailableError, jobs, migrate, sqlite_url, tenants
from throttle_api.storage.tables import job_events, schedules
from throttle_api.storage.tables import jobs as job_table

ROOT = Path(__file__).parents[2]
TENANT = "acme"
PATIENCE = 300.0


class BrokenError(Exception):
    """A promise that does not hold; the message says how."""


@cache
def document(items: int, people: int) -> bytes:
    """A synthetic portfolio, as a job takes it."""
    return portfolio(items, people, 1, "tardiness", False).model_dump_json(exclude_defaults=True).encode()


class Site:
    """A database of its own, in a folder (SQLite) or on a server (PostgreSQL); ends its processes when it is left."""

    def __init__(self, server: Postgres | None = None, folder: Path | None = None) -> None:
        self.server = server
        self._temporary = tempfile.TemporaryDirectory(prefix="throttle-faults-")
        self.folder = folder or Path(self._temporary.name)
        self.queue: Queue
        if server is None:
            self.url = sqlite_url(self.folder / "throttle.db")
            self.database = Database(self.url)
            migrate.upgrade(self.database)
            self.queue = EmbeddedQueue()
        else:
            from throttle_api.worker.tickets import TicketQueue

            _, self.url = server.database(f"site_{os.getpid()}_{time.monotonic_ns()}")
            self.database = Database(self.url)
            self.queue = TicketQueue()
        with self.database.write(SYSTEM) as tx:
            tenants.create(tx, TENANT, queue_limit=100_000)
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Site:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _at: TracebackType | None
    ) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGCONT)
                process.kill()
            self._reap(process)
        self.database.close()
        self._temporary.cleanup()

    def submit(self, count: int, *, items: int = 16, people: int = 4, budget: float = 0.3) -> list[str]:
        """So many solves, each with a seed of its own."""
        ids = []
        for seed in range(count):
            with self.database.write(TENANT) as tx:
                request = {"budget": budget, "seed": seed, "workers": 1}
                job, _ = jobs.submit(tx, "solve", request, {"portfolio": document(items, people)}, by="faults")
                self.queue.put(tx, job)
            ids.append(job.id)
        return ids

    def work(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A worker process."""
        command = [sys.executable, "-m", "benchmarks.faults.worker", self.url, *arguments]
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        self._reap(process)
        self.processes.remove(process)

    @staticmethod
    def _reap(process: subprocess.Popen[bytes]) -> None:
        process.wait()
        if process.stdin is not None:
            process.stdin.close()

    def job(self, id: str) -> jobs.Job:
        with self.database.read(TENANT) as tx:
            return jobs.get(tx, id)

    def usual_seconds(self) -> float:
        """How long a job takes here and now that nothing disturbs."""
        worker = self.work()
        (id,) = self.submit(1)
        self.wait(lambda: self.job(id).state is State.RUNNING)
        began = time.monotonic()
        self.wait(lambda: self.job(id).ended)
        seconds = time.monotonic() - began
        self.kill(worker)
        with self.database.write(TENANT) as tx:
            jobs.delete(tx, id)
        return seconds

    def begun(self) -> int:
        """Attempts so far."""
        with self.database.read(TENANT) as tx:
            return int(tx.value(sa.select(sa.func.coalesce(sa.func.sum(job_table.c.attempt), 0))))

    def runs_in(self, process: int) -> bool:
        """Whether a job runs in this process, as far as the database knows."""
        with self.database.read(TENANT) as tx:
            return any((job.worker or "").split(":")[1:2] == [str(process)] for job in jobs.running(tx))

    def left(self) -> int:
        """Jobs that have not ended."""
        with self.database.read(TENANT) as tx:
            return sum(n for (_, state), n in jobs.counts(tx).items() if state in (State.QUEUED, State.RUNNING))

    def wait(self, what: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Raises BrokenError where it does not come to be."""
        until = time.monotonic() + patience
        while True:
            try:
                if what():
                    return
            except UnavailableError:
                pass
            if time.monotonic() > until:
                log = self.folder / "worker.log"
                said = log.read_text(errors="replace")[-2000:] if log.exists() else ""
                raise BrokenError(f"nothing came of it in {patience:.0f} s; the workers said: {said}")
            time.sleep(0.02)

    def inspect(self, ids: Iterable[str]) -> dict[str, int]:
        """Count what came of jobs: ``lost`` have no schedule, ``duplicates`` ended more than once or have two. Raises
        BrokenError where the database itself is not sound, or a schedule is of another attempt than its job."""
        ids = list(ids)
        with self.database.read(TENANT) as tx:
            found = {id: jobs.get(tx, id) for id in ids}
            ends = sa.select(job_events.c.job_id).where(job_events.c.tenant_id == TENANT, job_events.c.kind == "done")
            done = [row["job_id"] for row in tx.rows(ends)]
            columns = (schedules.c.job_id, schedules.c.attempt)
            made = tx.rows(sa.select(*columns).where(schedules.c.tenant_id == TENANT))
            for id in ids[:: max(1, len(ids) // 20)]:
                result = jobs.result(tx, id)
                if result is not None and json.loads(result.body)["kind"] != "plan":
                    raise BrokenError(f"the schedule of {id} is no plan")
        for row in made:
            if found[row["job_id"]].attempt != row["attempt"]:
                raise BrokenError(f"the schedule of {row['job_id']} is of another attempt than its end")
        with_one = {row["job_id"] for row in made}
        good = {id for id, job in found.items() if job.state is State.SUCCEEDED}
        if self.server is None:
            self._sound()
        return {
            "jobs": len(ids),
            "lost": len([id for id in ids if id not in with_one or id not in good]),
            "duplicates": len(done) - len(set(done)) + len(made) - len(with_one),
            "attempts": sum(job.attempt for job in found.values()),
        }

    def _sound(self) -> None:
        with closing(sqlite3.connect(self.folder / "throttle.db")) as connection:
            (said,) = connection.execute("PRAGMA integrity_check").fetchone()
            if said != "ok":
                raise BrokenError(f"the database is not sound: {said}")
            if connection.execute("PRAGMA foreign_key_check").fetchall():
                raise BrokenError("the database has rows whose job is not there")
