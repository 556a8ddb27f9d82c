"""Tasks for executors, in a module that other processes can import."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def square(x: int, *, plus: int = 0) -> int:
    return x * x + plus


def fail(message: str) -> None:
    raise LookupError(message)


def die() -> None:
    """As a process does that is out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(marker: Path) -> int:
    """Dies where it was never tried before; else the process it runs in."""
    if not marker.exists():
        marker.touch()
        die()
    return os.getpid()


def pid_then_sleep(marker: Path, seconds: float) -> int:
    """Writes down the process it runs in, and then takes its time."""
    marker.write_text(str(os.getpid()), encoding="utf-8")
    time.sleep(seconds)
    return os.getpid()
