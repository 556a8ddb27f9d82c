"""Procrastinate as the queue: each waiting job has a ticket in it, written in the transaction that makes it wait."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import signal
import threading
import time
import uuid
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from throttle_api.jobs.child import warm_up
from throttle_api.jobs.runner import Runner, Running, insist
from throttle_api.jobs.states import State
from throttle_api.storage import SYSTEM, Database, StorageError, Tx
from throttle_api.storage import jobs as store

if TYPE_CHECKING:
    from procrastinate import App, JobContext

log = logging.getLogger(__name__)
TASK, QUEUE = "throttle.job", "throttle"
_REAPER = 7310578
"""Of PostgreSQL's advisory locks: one reaper at a time."""
SILENT = "the worker that ran it was not heard of any more."


class TicketQueue:
    """The queue of PostgreSQL, for whoever submits jobs."""

    def __init__(self) -> None:
        from procrastinate import App, SyncPsycopgConnector

        self._app = App(connector=SyncPsycopgConnector())  # never opened: it writes on our connections only

    def put(self, tx: Tx, job: store.Job) -> None:
        connection = tx.connection.connection.driver_connection
        ticket = self._app.configure_task(TASK, queue=QUEUE, connection=connection).defer(
            tenant=job.tenant_id, job=job.id
        )
        store.set_ticket(tx, job.id, ticket)

    def committed(self) -> None:
        """PostgreSQL notifies the workers itself."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Of a worker, in seconds."""

    heartbeat: float = 10.0
    silent: float = 30.0
    """A worker that was not heard of for so long counts as gone, and its jobs begin again elsewhere."""
    reap_every: float = 10.0
    poll: float = 5.0
    """How often to look for jobs that were not announced."""
    again: float = 1.0
    """After which pause to connect again where the database is away."""


class TicketWorker:
    """Runs jobs of a PostgreSQL database, any number of workers on any number of hosts.

    Procrastinate hands the tickets out, in the order in which they were written. Tenants take turns all the same: a
    ticket is for some job, and the table of jobs says for which. What Procrastinate leaves open is done by a reaper in
    each worker: the jobs of workers that died or hang get a new ticket (not their old one again, which the old worker,
    should it go on, would close), tickets of such workers are removed, and jobs that lost their ticket get one.
    """

    def __init__(
        self, database: Database, how: Running | None = None, *, concurrency: int = 1, pace: Pace | None = None
    ) -> None:
        if not database.postgres:
            raise StorageError("throttle worker needs PostgreSQL; with SQLite, throttle serve works itself.")
        self.database, self.concurrency, self.pace = database, concurrency, pace or Pace()
        self.how = replace(how or Running(), beat_every=self.pace.heartbeat)
        self.queue = TicketQueue()
        self.runner = Runner(database, self.how, self.queue)
        self.leave = threading.Event()
        self._doubtful_until = 0.0
        self._host = f"{platform.node()}:{os.getpid()}"

    def run(self, *, patience: float = 20.0, until_empty: bool = False) -> None:
        """Work until SIGTERM or SIGINT (or ``until_empty``), and then let the jobs that run finish within ``patience``
        seconds and hand the others back. While the database is away, wait for it."""
        warm_up()
        asyncio.run(self._run(patience, until_empty))

    async def _run(self, patience: float, until_empty: bool) -> None:
        loop, ending = asyncio.get_running_loop(), asyncio.Event()
        loop.set_default_executor(ThreadPoolExecutor(self.concurrency + 4))  # a thread for each job, and some to spare

        def end() -> None:
            if not ending.is_set():
                ending.set()
                loop.call_later(patience, self.leave.set)
            else:
                self.leave.set()  # asked twice

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end)
        while not ending.is_set():
            working = asyncio.ensure_future(self._connected(until_empty))
            asked = asyncio.ensure_future(ending.wait())
            await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
            if ending.is_set():
                working.cancel()  # Procrastinate waits for the jobs that run
            asked.cancel()
            failed = (await asyncio.gather(working, return_exceptions=True))[0]
            if failed is None and until_empty:
                return
            if isinstance(failed, Exception):
                if not isinstance(failed, _away()):
                    raise failed
                log.warning("the database went away", extra={"why": type(failed).__name__})
                self.doubt()
            if not ending.is_set():
                await _either(ending.wait(), self.pace.again)

    async def _connected(self, until_empty: bool) -> None:
        app = self._app()
        async with app.open_async():
            reaper = asyncio.ensure_future(self._reap(app))
            try:
                await app.run_worker_async(
                    queues=[QUEUE],
                    name=self._host,
                    concurrency=self.concurrency,
                    wait=not until_empty,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    fetch_job_polling_interval=self.pace.poll,
                    update_heartbeat_interval=self.pace.heartbeat,
                    stalled_worker_timeout=self.pace.silent,
                )
            finally:
                reaper.cancel()
                await asyncio.gather(reaper, return_exceptions=True)

    def _app(self) -> App:
        from procrastinate import App, PsycopgConnector

        url = self.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connector = PsycopgConnector(
            conninfo=url,
            min_size=1,
            max_size=max(4, self.concurrency + 3),
            timeout=10.0,
        )
        app = App(connector=connector)
        app.task(name=TASK, queue=QUEUE, pass_context=True)(self._job)
        return app

    def _job(self, context: JobContext, /, **_written_for: str) -> None:
        """What a ticket stands for: while its job waits, begin the one whose turn it is, and run it."""
        claimed = self.claim(context.job.id or 0)
        if claimed is None:
            return  # withdrawn, or taken by another ticket of it
        ended = self.runner.run(claimed, self.leave)
        log.info("job attempt ended", extra={"job": claimed.id, "attempt": claimed.attempt, "how": ended.value})

    def claim(self, ticket: int) -> store.Job | None:
        """The job to run for a ticket."""
        worker = f"{self._host}:{uuid.uuid4().hex[:12]}"
        return insist(self.database, SYSTEM, lambda tx: store.claim_by_ticket(tx, worker, ticket), self.how.patience)

    async def _reap(self, app: App) -> None:
        while True:
            began = time.monotonic()
            try:
                await asyncio.to_thread(self.reap)
                for ticket in await app.job_manager.get_stalled_jobs(
                    queue=QUEUE, seconds_since_heartbeat=self.pace.silent
                ):
                    await self._remove(app, ticket)
            except Exception as problem:  # of the database, mostly: the next time
                log.warning("not reaped", extra={"why": type(problem).__name__})
                self.doubt()
            await asyncio.sleep(max(0.1, self.pace.reap_every - (time.monotonic() - began)))

    async def _remove(self, app: App, ticket: Any) -> None:
        """The ticket of a worker that is gone, once its job has ended or has another one."""
        from procrastinate.jobs import Status

        if await asyncio.to_thread(self._has_done_its_duty, ticket):
            await app.job_manager.finish_job(job=ticket, status=Status.ABORTED, delete_job=True)

    def _has_done_its_duty(self, ticket: Any) -> bool:
        with self.database.read(SYSTEM) as tx:
            rows = [job for job in store.running(tx) if job.ticket == ticket.id]
        return not rows

    def doubt(self) -> None:
        """The database was away, so that no worker could be heard of: nobody counts as silent for a while."""
        self._doubtful_until = time.monotonic() + self.pace.silent

    def reap(self) -> None:
        """Begin again what silent workers ran, and give a ticket to whatever waits without one."""
        sure = time.monotonic() >= self._doubtful_until
        with self.database.write(SYSTEM) as tx:
            if not tx.execute(sa.text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _REAPER}).scalar():
                return  # another worker is at it
            store.claims_wait(tx)
            for job in store.silent(tx, self.pace.silent) if sure else ():
                lost = store.lose(tx, job.id, job.attempt, SILENT, self.how.attempts, self.how.keep)
                if lost is not None and lost.state is State.QUEUED:
                    self.queue.put(tx, lost)
            for job in waiting_without_ticket(tx):
                self.queue.put(tx, job)
            store.expire(tx)


def waiting_without_ticket(tx: Tx) -> list[store.Job]:
    """Jobs that wait and have no ticket that a worker could take: of a restored backup, or whose claim was lost."""
    query = (
        "SELECT id FROM jobs WHERE state = :queued AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs t "
        "WHERE t.id = jobs.ticket AND t.status IN ('todo', 'doing')) ORDER BY seq LIMIT 500"
    )
    ids = [row[0] for row in tx.execute(sa.text(query), {"queued": State.QUEUED})]
    return [store.get(tx, id) for id in ids]


def _away() -> tuple[type[Exception], ...]:
    """What Procrastinate and its pool raise where the database does not answer."""
    from procrastinate.exceptions import ConnectorException
    from psycopg import Error
    from psycopg_pool import PoolTimeout

    return ConnectorException, Error, PoolTimeout, OSError


async def _either(waited: Awaitable[Any], seconds: float) -> None:
    try:
        await asyncio.wait_for(waited, seconds)
    except TimeoutError:
        return
