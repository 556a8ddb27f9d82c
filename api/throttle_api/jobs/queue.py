"""How a job that was submitted gets to a worker, the one difference between SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from throttle_api.storage import Tx
from throttle_api.storage.jobs import Job


class Queue(Protocol):
    """Whoever submits a job puts it here in the same transaction, and says so when that is committed."""

    def put(self, tx: Tx, job: Job) -> None:
        """Let a new job wait for a worker, if the transaction is committed."""

    def committed(self) -> None:
        """The transaction is: workers that sleep may look."""


class EmbeddedQueue:
    """For the worker in the same process: the table of jobs is the queue, and ``wake`` is all that it needs."""

    def __init__(self, wake: Callable[[], None] = lambda: None) -> None:
        self.wake = wake

    def put(self, tx: Tx, job: Job) -> None:
        """The job says itself that it waits."""

    def committed(self) -> None:
        self.wake()
