"""One batch at a time in a folder."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from throttle.documents import error_at
from throttle.errors import InputError

LOCK = "batch.lock"
_FAR = 2**30
"""Windows locks bytes, and what is locked cannot be read: one far behind the text."""


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder while the block runs. Raises InputError, naming the other, where another process holds it.

    The system lets go of what a dead process held, so a file that was left behind is in nobody's way.
    """
    path = folder / LOCK
    file = _held(path)
    try:
        about = {"process": os.getpid(), "host": platform.node(), "since": datetime.now(UTC).isoformat(" ", "seconds")}
        with suppress(OSError):
            file.truncate(0)
            file.seek(0)
            file.write(json.dumps(about) + "\n")
            file.flush()
        yield
    finally:
        with suppress(OSError):
            if sys.platform != "win32":
                path.unlink(missing_ok=True)  # while it is held, so that it is ours
        with suppress(OSError):  # of a full disk; it is closed all the same
            file.close()
        with suppress(OSError):
            if sys.platform == "win32":
                path.unlink(missing_ok=True)


def _held(path: Path) -> IO[str]:
    while True:
        try:
            file = path.open("a+", encoding="utf-8")
        except OSError as problem:
            message = f"{path} cannot be written: {problem.strerror}"
            raise InputError([error_at("unwritable", message, path)]) from None
        try:
            _hold(file)
            if _same(file, path):
                return file
        except (BlockingIOError, PermissionError):
            file.seek(0)
            other = _described(file.read())
            file.close()
            message = (
                f"Another batch{other} is writing to {path.parent}: wait until it has ended, or choose another folder "
                "with --out."
            )
            raise InputError([error_at("in-use", message, path)]) from None
        file.close()  # the other one has just ended and removed it


def _hold(file: IO[str]) -> None:
    """Raises BlockingIOError or PermissionError where another process holds it; a disk without locks has none."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(_FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise
        except OSError:
            return


def _same(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _described(text: str) -> str:
    try:
        about = json.loads(text)
        return f" (process {about['process']} on {about['host']}, since {about['since']})"
    except (ValueError, KeyError, TypeError):  # it is just being written
        return ""
