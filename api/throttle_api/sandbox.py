"""Reading what users send, in a process of its own: with a limit on memory and time, and without our secrets."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from throttle.errors import InputError
from throttle_api.problems import Problem, of_findings
from throttle_api.reading import portfolio
from throttle_api.settings import Settings
from throttle_api.turns import Turns

SMALL = 200_000
"""Bytes of a portfolio up to which it is read in this process: a child takes half a second to begin."""
_TURNS = Turns(2)
"""Processes that read at the same time: each takes a processor and memory."""


@dataclass(frozen=True, slots=True)
class Read:
    """A portfolio as files write it (JSON), and what is told of how it was read."""

    portfolio: str
    title: str
    report: dict[str, Any]


def read_portfolio(text: str, folder: Path, settings: Settings) -> Read:
    """A portfolio of JSON. Raises Problem with all that is wrong with it."""
    file = folder / "body.json"
    file.write_text(text, encoding="utf-8")
    if len(text) <= SMALL:
        try:
            portfolio(file, folder)
        except InputError as problem:
            raise _refused("portfolio", of_findings(problem.findings)) from None
        return Read((folder / "portfolio.json").read_text(encoding="utf-8"), "", {})
    return _apart({"kind": "portfolio", "files": [file.name]}, folder, settings)


def read_exports(
    files: Sequence[Path],
    team: Path | None,
    mapping: Path | None,
    options: dict[str, Any],
    folder: Path,
    settings: Settings,
) -> Read:
    """Ticket exports in ``folder``. Raises Problem with all that is wrong with them."""
    task = {
        "kind": "exports",
        "files": [f.name for f in files],
        "team": team.name if team else None,
        "map": mapping.name if mapping else None,
        "options": options,
        "rows": settings.upload_rows,
        "field": settings.upload_field,
    }
    return _apart(task, folder, settings)


def _apart(task: dict[str, Any], folder: Path, settings: Settings) -> Read:
    (folder / "task.json").write_text(json.dumps({**task, "memory": settings.import_memory}), encoding="utf-8")
    with _TURNS.turn(settings.import_seconds):
        try:
            _READING.read(folder.resolve(), settings.import_seconds)
        except TimeoutError:
            raise _refused(
                task["kind"], [_error("slow", f"Reading took more than {settings.import_seconds:g} s.")]
            ) from None
    try:
        answer = json.loads((folder / "answer.json").read_bytes())
    except (OSError, ValueError):  # it was killed, or died in native code
        sentence = f"Reading ended without an answer: it needs more than {settings.import_memory} MiB, or is damaged."
        raise _refused(task["kind"], [_error("too-heavy", sentence)]) from None
    if answer["errors"]:
        raise _refused(task["kind"], answer["errors"])
    text = (folder / "portfolio.json").read_text(encoding="utf-8")
    return Read(text, answer["title"], answer["report"])


def _environment() -> dict[str, str]:
    """Without the secrets of the service."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "PYTHONPATH")}
    # libraries of linear algebra would take memory for each thread that they might use
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


def _started(*arguments: str, **how: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        # -P: whatever folder this is, no uploaded json.py is imported from it
        [sys.executable, "-P", "-m", "throttle_api.reading", *arguments],
        env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, **how,
    )  # fmt: skip


class _EachAnew:
    """A process of its own from the beginning for each upload, where there is no fork."""

    def read(self, folder: Path, seconds: float) -> None:
        child = _started(str(folder))
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()


class _Forked:
    """Processes forked from one that has imported what they need: a tenth of the time of beginning anew.

    That one is begun with the first upload, and anew where it is gone; it ends with the service.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        atexit.register(self.close)

    def read(self, folder: Path, seconds: float) -> None:
        """Until the folder is read, or its process has ended otherwise. Raises TimeoutError after ``seconds``; Problem
        where no process can be had."""
        until = time.monotonic() + seconds
        for _ in range(2):  # the one that forks may have been killed since the last time
            ours, theirs = os.pipe()
            try:
                asked = self._ask(folder, theirs)
            finally:
                os.close(theirs)
            with os.fdopen(ours, "rb", buffering=0) as pipe:
                child = _id_from(pipe, until) if asked else None
                if child is not None:
                    _wait_for(child, pipe, until)
                    return
        raise Problem("busy", "No process can be begun to read the upload.", headers={"Retry-After": "5"})

    def close(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._socket = None

    def _ask(self, folder: Path, pipe: int) -> bool:
        with self._lock:
            if self._process is None or self._process.poll() is not None or self._socket is None:
                self._close()
                self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with theirs:
                    number = theirs.fileno()
                    self._process = _started("--fork", str(number), pass_fds=(number,))
            try:
                socket.send_fds(self._socket, [os.fsencode(folder)], [pipe])
            except OSError:
                self._close()
                return False
            return True


def _id_from(pipe: IO[bytes], until: float) -> int | None:
    """Of the process that reads; None where there is none. Raises TimeoutError."""
    _has_news(pipe, until)
    said = pipe.read(32)
    return int(said) if said and said.endswith(b"\n") else None


def _wait_for(child: int, pipe: IO[bytes], until: float) -> None:
    """Until it has ended, which closes the pipe. Raises TimeoutError, and has killed it then."""
    try:
        _has_news(pipe, until)
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)  # it has not ended, so that the id is still its own
        pipe.read()  # nothing writes into the folder any more
        raise


def _has_news(pipe: IO[bytes], until: float) -> None:
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    if not waiting.poll(max(0.0, until - time.monotonic()) * 1000):
        raise TimeoutError


_READING: _EachAnew | _Forked = _EachAnew() if sys.platform == "win32" else _Forked()


def _error(code: str, message: str) -> dict[str, Any]:
    return {"level": "error", "code": code, "message": message}


def _refused(kind: str, errors: list[dict[str, Any]]) -> Problem:
    if kind == "portfolio":
        return Problem("invalid-portfolio", "The portfolio cannot be planned as written; see errors.", errors)
    return Problem("unreadable-upload", "The upload cannot be read; see errors.", errors)
