"""Where independent tasks run: processes of this machine, or a Dask cluster, as a ``concurrent.futures.Executor``.

A task is a function of an importable module and arguments that can be pickled. A task whose process dies (out of
memory, killed) is tried again, and other tasks do not notice.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from throttle.errors import InputError
from throttle_models import Finding

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

DASK = "dask://"
TRIES = 2
"""Processes that a task may cost before it counts as failed; a Dask scheduler has its own setting."""
CONNECT_SECONDS, WORKERS_SECONDS = 10.0, 30.0
"""How long to wait for a Dask scheduler to answer, and for its first worker."""
WIDTH_SECONDS = 5.0
"""Workers of a cluster come and go: they are counted again after so long."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Engine(Executor):
    """An executor that knows how many tasks it runs at once.

    ``shutdown(wait=False, cancel_futures=True)`` abandons what runs: its process ends, or its result is not waited for.
    """

    @property
    @abstractmethod
    def width(self) -> int:
        """How many tasks run at once, now."""


def cores() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


@contextmanager
def open_executor(engine: str | None = None, workers: int = 1) -> Iterator[Engine]:
    """Processes of this machine, or with ``dask://host:port`` the workers of that cluster.

    ``workers`` is the number of processes; a cluster has its own. Leaving the block waits for what was submitted, and
    abandons it on an exception. Raises InputError where there is no such engine, or it does not answer.
    """
    executor: Engine = Processes(workers) if engine is None else _dask(engine)
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    executor.shutdown()


def why_lost(problem: BaseException) -> str | None:
    """A sentence, where a task failed because of what it ran in; None where it failed by itself."""
    if isinstance(problem, BrokenProcessPool):
        return "each process that tried it died: killed, out of memory, or unable to start"
    if type(problem).__name__ == "KilledWorker":
        return "each worker of the cluster that tried it died: killed, or out of memory"
    if isinstance(problem, ImportError):
        return f"what it ran in cannot import {problem.name}: install the same packages there"
    if isinstance(problem, CancelledError):
        return "the cluster gave it up: its scheduler went away"
    return None


# --- processes of this machine -------------------------------------------------------------------------------------


class Processes(Engine):
    """Each of ``workers`` threads feeds one process (spawned), so that one that dies takes only its own task along.

    The processes end with the one that started them, however that ends: they watch a pipe that only it can write to.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._spawn = multiprocessing.get_context("spawn")
        self._alive, self._lifeline = self._spawn.Pipe(duplex=False)
        _start_tracker()
        self._threads = ThreadPoolExecutor(workers, "executor", _spare_children)
        self._own = threading.local()
        self._pools: list[ProcessPoolExecutor] = []
        self._abandoned = False

    @property
    def width(self) -> int:
        return self._workers

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        return self._threads.submit(self._run, fn, *args, **kwargs)

    def _run(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        tries = 0
        while True:
            pool = getattr(self._own, "pool", None) or self._new_pool()
            try:
                return pool.submit(fn, *args, **kwargs).result()
            except BrokenProcessPool:
                self._own.pool = None
                tries += 1
                if tries == TRIES or self._abandoned:
                    raise

    def _new_pool(self) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(1, self._spawn, _prepare, (self._alive,))
        self._own.pool = pool
        self._pools.append(pool)
        return pool

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        if cancel_futures and not wait:
            self._abandoned = True
            self._lifeline.close()
            self._threads.shutdown()  # soon, since all processes end
        if wait or cancel_futures:
            for pool in self._pools:
                pool.shutdown()
            self._lifeline.close()
            self._alive.close()


def _start_tracker() -> None:
    """What cleans up after a process that ends at once says so in a warning, which is nothing to the user."""
    if sys.platform == "win32":
        return
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (before, "ignore:resource_tracker")))
    try:
        resource_tracker.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before


def _spare_children() -> None:
    """In a thread that starts processes: they inherit that an interrupt is not for them, also while they start."""
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _prepare(alive: Connection) -> None:
    """In a new process: an interrupt is for the first process to answer, and its end is the end of this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(100_000, 20, 100)  # what is read stays: searching it for garbage took a fifth of a task's time
    threading.Thread(target=_end_with, args=(alive,), name="lifeline", daemon=True).start()


def _end_with(alive: Connection) -> None:
    with suppress(EOFError, OSError):
        alive.recv_bytes()
    os._exit(1)


# --- a Dask cluster ------------------------------------------------------------------------------------------------


def _refuse(code: str, message: str) -> InputError:
    return InputError([Finding(level="error", code=code, message=message)])


def _dask(engine: str) -> Engine:
    address = engine.removeprefix(DASK)
    if not engine.startswith(DASK) or ":" not in address:
        raise _refuse("unknown-engine", f"The engine {engine!r} is not known: write {DASK}host:port, or leave it out.")
    try:
        return Dask(address)
    except ImportError:
        message = f"The engine {engine} needs the package distributed: pip install 'throttle-scheduler[dask]'."
        raise _refuse("no-dask", message) from None


class Dask(Engine):
    """The workers of a Dask cluster. A task whose worker dies goes to another one, as its scheduler decides."""

    def __init__(self, address: str) -> None:
        from distributed import Client

        try:
            self._client = Client(f"tcp://{address}", timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as problem:
            why = f"No Dask scheduler answers at {address} ({type(problem).__name__})"
            raise _refuse("no-scheduler", f"{why}: start one with dask scheduler, or check the address.") from None
        try:
            self._client.wait_for_workers(1, timeout=WORKERS_SECONDS)
        except TimeoutError:
            self._client.close()
            why = f"The Dask scheduler at {address} has no worker"
            raise _refuse("no-workers", f"{why}: start some with dask worker {address} --nthreads 1.") from None
        self._executor = self._client.get_executor(pure=False)
        self._counted, self._count = 0.0, 1

    @property
    def width(self) -> int:
        if time.monotonic() - self._counted >= WIDTH_SECONDS:
            self._counted = time.monotonic()
            with suppress(OSError, TimeoutError):
                self._count = max(1, sum(self._client.nthreads().values()))
        return self._count

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        task = partial(fn, **kwargs) if kwargs else fn  # its own keywords mean something to Dask
        future: Future[_T] = self._executor.submit(task, *args)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close()
