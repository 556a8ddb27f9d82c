"""One process serves and works on a SQLite database: the system lets go of the lock when it dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from throttle.errors import InputError
from throttle_models import Finding


class ServiceLock:
    """Held from :meth:`take` to :meth:`release`. Commands such as backup may use the database meanwhile."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".lock")
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Raises InputError, naming the process that holds it."""
        file = self.path.open("a+", encoding="utf-8")
        try:
            _hold(file)
        except OSError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            by = f" (process {holder})" if holder else ""
            message = (
                f"Another process{by} serves the database {self.path.with_suffix('')}: end it first, give this one "
                "another data folder, or take PostgreSQL, which any number of processes can share."
            )
            raise InputError([Finding(level="error", code="in-use", message=message)]) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()  # the file stays: removing it would let two processes hold one each
            self._file = None


def _hold(file: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(2**30)  # what is locked cannot be read: a byte far behind the text
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
