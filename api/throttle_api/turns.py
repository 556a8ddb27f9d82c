"""Work that only so much of is done at once, so that it never takes all threads of the service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from throttle_api.problems import Problem


class Turns:
    """So many at once, and so many more that wait; whoever comes then is sent away at once."""

    def __init__(self, at_once: int, waiting: int = 8) -> None:
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._at_once = threading.BoundedSemaphore(at_once)

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Raises Problem where too many wait already, or the turn does not come within ``seconds``."""
        if not self._places.acquire(blocking=False):
            raise _busy()
        try:
            if not self._at_once.acquire(timeout=seconds):
                raise _busy()
            try:
                yield
            finally:
                self._at_once.release()
        finally:
            self._places.release()


def _busy() -> Problem:
    return Problem("busy", "Too much of this is asked for at once; try again in a while.", headers={"Retry-After": "5"})
