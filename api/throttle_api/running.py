"""A service as a process runs it: the application, the worker beside it, and webhooks."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from throttle_api.jobs.queue import EmbeddedQueue, Queue
from throttle_api.jobs.runner import Running
from throttle_api.service import create_service
from throttle_api.settings import Settings
from throttle_api.storage import Database
from throttle_api.webhooks import Sender
from throttle_api.worker.embedded import EmbeddedWorker

_OLD = 86_400.0
"""Seconds after which nobody reads an upload any more."""


class Service:
    """The parts of a service, begun and ended in order."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings, self.database = settings, database
        self.worker: EmbeddedWorker | None = None
        self.queue: Queue
        if settings.embedded:
            how = Running(
                memory=settings.job_memory, attempts=settings.attempts, keep=timedelta(days=settings.keep_days)
            )
            self.worker = EmbeddedWorker(database, how, concurrency=settings.workers)
            self.queue = EmbeddedQueue(self.worker.wake)
        else:
            from throttle_api.worker.tickets import TicketQueue

            self.queue = TicketQueue()
        self.sender = Sender(database) if settings.webhooks else None
        self.app: FastAPI = create_service(settings, database, self.queue)
        self._until: float | None = None

    def start(self) -> None:
        """Raises InputError where another process serves the same database."""
        if self.worker is not None:
            self.worker.start()
        _forget_uploads(self.settings.data / "uploads")
        if self.sender is not None:
            self.sender.start()

    def end(self) -> None:
        """Begin nothing new: requests and jobs that run have the time of the settings to finish, from now on."""
        if self._until is None:
            self._until = time.monotonic() + self.settings.shutdown
        self.app.state.service.stopping.set()
        if self.worker is not None:
            self.worker.end()

    def stop(self) -> None:
        """Wait for the jobs that run while there is time, and queue the others again."""
        self.end()
        if self.sender is not None:
            self.sender.stop()
        if self.worker is not None:
            self.worker.stop(max(0.0, (self._until or 0.0) - time.monotonic()))
        self.database.close()


def _forget_uploads(folder: Path) -> None:
    """What a process that was killed left there; what is younger may be another one's."""
    for left in folder.iterdir() if folder.is_dir() else ():
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _OLD:
                shutil.rmtree(left)


class _Server(uvicorn.Server):
    """Ends event streams and waits, and begins no job any more, before it waits for requests in flight."""

    def __init__(self, config: uvicorn.Config, end: Callable[[], None]) -> None:
        super().__init__(config)
        self._end = end

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end()
        await super().shutdown(sockets)


def run(service: Service, listening: socket.socket) -> None:
    """Serve until a signal; requests in flight are done then, within the time of the settings."""
    config = uvicorn.Config(
        service.app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=max(1, round(service.settings.shutdown)),
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=65_536,
    )
    _Server(config, service.end).run(sockets=[listening])
