"""A service as a process runs it: the application, the worker beside it, and webhooks."""

from __future__ import annotations

import shutil
import socket
import time
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

    def start(self) -> None:
        """Raises InputError where another process serves the same database."""
        if self.worker is not None:
            self.worker.start()
        _forget_uploads(self.settings.data / "uploads")
        if self.sender is not None:
            self.sender.start()

    def stop(self) -> None:
        """Let jobs that run finish within the time of the settings, and queue the others again."""
        if self.sender is not None:
            self.sender.stop()
        if self.worker is not None:
            self.worker.stop(self.settings.shutdown)
        self.database.close()


def _forget_uploads(folder: Path) -> None:
    """What a process that was killed left there; what is younger may be another one's."""
    for left in folder.iterdir() if folder.is_dir() else ():
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _OLD:
                shutil.rmtree(left)


class _Server(uvicorn.Server):
    """Ends event streams and waits before it waits for requests in flight."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app: FastAPI = self.config.app  # type: ignore[assignment]
        app.state.service.stopping.set()
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
    _Server(config).run(sockets=[listening])
