"""Ctrl-C and a polite kill: what is found is kept, what is written is written whole."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from throttle.cli import screen

if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED_WITH_PLAN, INTERRUPTED = 4, 6
_T = TypeVar("_T")

FIRST = "Stopping; the best plan so far is kept (once more: end now, without one)."
SECOND = "Interrupted twice: ended without a plan; nothing was written."
KEEPING = "A moment: what was found is being written."


class Interrupts:
    """What the user's interrupts do, in three phases: work, keep what came of it, show it.

    During the work, the first asks it to stop, and a second ends the process. Keeping is short, and is not interrupted.
    From :meth:`kept` on, the next one is a KeyboardInterrupt, after which there is nothing left to interrupt.
    """

    def __init__(self, first: str = FIRST, second: str = SECOND) -> None:
        self.stop = threading.Event()
        """Whether the user has interrupted."""
        self._first, self._second = first, second
        self._worked = self._kept = self._ending = False

    def work(self, work: Callable[[threading.Event], _T]) -> _T:
        """The result of the work, which is to end soon after the event is set.

        It runs beside the main thread, because signals are handled there, between Python instructions, and a solver may
        be in native code for seconds.
        """
        done = threading.Event()
        result: list[_T] = []
        failure: list[BaseException] = []

        def body() -> None:
            try:
                result.append(work(self.stop))
            except BaseException as problem:
                failure.append(problem)
            finally:
                self._worked = not failure
                done.set()

        threading.Thread(target=body, name="planning", daemon=True).start()
        while not done.wait(0.2):
            pass
        if failure:
            raise failure[0]
        return result[0]

    def kept(self) -> None:
        """All is written: from now on nothing is lost by an interrupt."""
        self._kept = True

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._kept:
            self.stop.set()
            if not self._ending:
                self._ending = True
                raise KeyboardInterrupt
            return
        if self._worked:
            self.stop.set()
            with suppress(RuntimeError):  # it came amid another message
                screen.say(KEEPING)
        elif self.stop.is_set():
            screen.say(self._second)
            screen.flush()
            os._exit(INTERRUPTED)  # the solver's thread cannot be ended otherwise
        else:
            self.stop.set()
            screen.say(self._first, "yellow")


@contextmanager
def interrupts(first: str = FIRST, second: str = SECOND) -> Iterator[Interrupts]:
    """Handle interrupts while the block runs; ``first`` and ``second`` are told at these during the work."""
    user = Interrupts(first, second)
    if threading.current_thread() is not threading.main_thread():
        yield user  # only the main thread may set handlers
        return
    before = {number: signal.signal(number, user.on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield user
    finally:
        for number, old in before.items():
            signal.signal(number, old)
