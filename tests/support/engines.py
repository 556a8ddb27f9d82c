"""An engine that runs a batch's tasks in this process, so that what is tested is the batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import pytest

from throttle.executors import Engine

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Threads(Engine):
    """One task at a time; counts them, and calls ``at`` with the number of each before it is begun."""

    def __init__(self, at: Callable[[int], None] = lambda _: None) -> None:
        self.count, self._at = 0, at
        self._threads = ThreadPoolExecutor(1)

    @property
    def width(self) -> int:
        return 1

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        self.count += 1
        self._at(self.count)
        return self._threads.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)


def use(monkeypatch: pytest.MonkeyPatch, engine: Threads) -> Threads:
    """Make the next batch run on an engine."""

    @contextmanager
    def opened(_engine: str | None, _workers: int) -> Iterator[Threads]:
        with engine:
            yield engine

    monkeypatch.setattr("throttle.batch.driver.open_executor", opened)
    return engine
