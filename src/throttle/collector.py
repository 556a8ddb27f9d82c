"""Python's collector of unreachable cycles, and when not to run it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_resting() -> Iterator[None]:
    """Without the search for unreachable cycles, where none are made: it would walk millions of values again and again.

    Also a decorator. Threads that meet in it may switch it on early or late; that costs time, and nothing else.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
