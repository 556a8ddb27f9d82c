"""A job in a process of its own, so that an abort or a lack of memory in native code takes nothing else down.

Parent and child share one two-way pipe. The child sends ``("progress", facts)`` and at its end one of ``("answer",
Answer)`` and ``("failed", code, sentence)``; the parent sends ``"stop"``. The child ends at once when the pipe breaks:
it never outlives whoever asked for it.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from throttle_api.jobs.answers import Answer, Kind

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext, SpawnContext

Message: TypeAlias = tuple[Any, ...]
WARM = "throttle_api.jobs.warm"
MEGABYTE = 1 << 20


class DiedError(Exception):
    """The process ended without an answer; the message is a sentence."""


class Child:
    """The process of one attempt, started at once. Use it in a ``with``: leaving that ends the process."""

    def __init__(
        self,
        target: str,
        request: Mapping[str, Any],
        inputs: Mapping[str, bytes],
        *,
        memory: int | None = None,
        nice: int = 10,
    ) -> None:
        """``target``: ``module:function`` of a :class:`Kind`. ``memory``: megabytes that it may take besides what
        every Python process has. ``nice``: how far it stands back for others, such as whoever answers requests."""
        context = _context()
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_main, args=(theirs, target, dict(request), dict(inputs), memory, nice), name="throttle-job"
        )
        self._memory = memory
        self._process.start()
        theirs.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def receive(self, seconds: float) -> Message | None:
        """The next message, or None after so many seconds without one. Raises DiedError."""
        try:
            if not self._pipe.poll(seconds):
                return None
            message: Message = self._pipe.recv()
        except (EOFError, OSError):
            raise DiedError(self._how_it_ended()) from None
        return message

    def stop(self) -> None:
        """Ask it to end soon with the best it has."""
        with suppress(OSError):
            self._pipe.send("stop")

    def kill(self) -> None:
        """End it now, if it has not ended."""
        self._pipe.close()
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._process.close()

    def _how_it_ended(self) -> str:
        self._process.join(5.0)
        code = self._process.exitcode
        if code is None:
            return "its process closed its pipe."
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            limit = f" (the limit is {self._memory} MB)" if self._memory else ""
            return f"its process was ended by {name}: killed, out of memory{limit}, or a defect in native code."
        return f"its process ended with code {code}."


_lock = threading.Lock()
_made: list[Any] = []


def _context() -> ForkServerContext | SpawnContext:
    """Processes are forked from one that has imported what they need and has no threads; spawned on Windows."""
    with _lock:
        if not _made:
            if sys.platform == "win32":
                _made.append(multiprocessing.get_context("spawn"))
            else:
                context = multiprocessing.get_context("forkserver")
                context.set_forkserver_preload([WARM])
                _made.append(context)
    made: ForkServerContext | SpawnContext = _made[0]
    return made


def warm_up() -> None:
    """Start the process that jobs are forked from, so that the first job need not wait for it; returns at once."""
    context = _context()
    if sys.platform != "win32":
        from multiprocessing import forkserver

        del context
        forkserver.ensure_running()


# --- in the child --------------------------------------------------------------------------------------------------


def _main(
    pipe: Connection, target: str, request: dict[str, Any], inputs: dict[str, bytes], memory: int | None, nice: int
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the parent to answer
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(os, "nice"):
        os.nice(nice)
    stop = threading.Event()
    threading.Thread(target=_listen, args=(pipe, stop), name="listen", daemon=True).start()
    if memory is not None:
        _limit(memory)
    sending = threading.Lock()

    def send(*message: Any) -> None:
        with sending:
            pipe.send(message)

    ended = _answered(target, request, inputs, send, stop)
    try:
        send(*ended)
    except (OSError, MemoryError):
        os._exit(1)
    os._exit(0)  # threads of native code may still run; there is nothing more to do for any of them


def _listen(pipe: Connection, stop: threading.Event) -> None:
    while True:
        try:
            if pipe.recv() == "stop":
                stop.set()
        except (EOFError, OSError):
            os._exit(1)


def _limit(memory: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:  # not Linux
        pages = 0
    most = pages * resource.getpagesize() + memory * MEGABYTE
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _answered(
    target: str, request: Mapping[str, Any], inputs: Mapping[str, bytes], send: Any, stop: threading.Event
) -> Message:
    from throttle.errors import InputError, ThrottleError, VerificationError

    try:
        module, _, name = target.partition(":")
        run: Kind = getattr(importlib.import_module(module), name)
        answer: Answer = run(request, inputs, lambda facts: send("progress", dict(facts)), stop)
    except MemoryError:
        return "failed", "memory", "It needs more memory than one job may take: ask for less, or raise the limit."
    except VerificationError:
        return "failed", "verification", "The plan found breaks a rule, so it is not kept: a defect, please report it."
    except ThrottleError as problem:
        more = f" (and {len(problem.findings) - 1} more)" if len(problem.findings) > 1 else ""
        code = "input" if isinstance(problem, InputError) else problem.findings[0].code
        return "failed", code, f"{problem.findings[0].message}{more}"
    except Exception as problem:
        frame = traceback.extract_tb(problem.__traceback__)[-1]
        # without the message of the exception, which may quote a ticket
        place = "/".join(Path(frame.filename).parts[-2:])
        sentence = f"Internal error: {type(problem).__name__} at {place}:{frame.lineno}; please report it."
        return "failed", "internal", sentence
    return "answer", answer
