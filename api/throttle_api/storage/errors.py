"""The ways in which storing can fail, whatever the database. None of them quotes a statement or a value."""

from __future__ import annotations


class StorageError(Exception):
    """Base of all; the message is a sentence."""


class UnavailableError(StorageError):
    """The database does not answer, is starting, or is busy beyond the time-out: try again soon (503)."""


class FullError(StorageError):
    """There is no room to write; what was written before is intact (507)."""


class MissingError(StorageError):
    """There is no such thing in this tenant (404), be it that it never was or that it is another tenant's."""


class StaleError(StorageError):
    """It has changed since the caller read it (412)."""


class KeyReusedError(StorageError):
    """The idempotency key was used before with another request (422)."""


class QueueFullError(StorageError):
    """The tenant has as many jobs waiting as it may (429); ``limit`` of them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"{limit} jobs are waiting, which is the limit: try again when one has begun, or cancel one.")


class StateError(StorageError):
    """What was asked is not possible in the state that it is in (409)."""
