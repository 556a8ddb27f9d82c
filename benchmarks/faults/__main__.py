from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.faults import processes, storage
from benchmarks.faults.site import ROOT, BrokenError
from benchmarks.postgres import Postgres

Figures = dict[str, Any]
SLOWEST_CANCEL = 2.0


@dataclass(frozen=True, slots=True)
class Promise:
    """What must hold, how it is tried (``full`` and ``short``: how often), and which figures say that it does."""

    name: str
    text: str
    run: Callable[[int, Postgres], Figures]
    full: int
    short: int
    holds: Callable[[Figures], bool]


def none_lost(figures: Figures) -> bool:
    return figures["lost"] == 0 and figures["duplicates"] == 0


def demo() -> bytes:
    from throttle.files import load_portfolio

    return load_portfolio(ROOT / "datasets/parts-unlimited/native").model_dump_json(exclude_defaults=True).encode()


def full_disk(_times: int, _server: Postgres) -> Figures:
    with tempfile.TemporaryDirectory(prefix="throttle-disk-") as folder:
        return storage.disk_full(Path(folder) / "disk")


PROMISES = (
    Promise(
        "kill-sqlite",
        "0 lost, 0 duplicates: kill -9, SQLite",
        lambda n, _: processes.kills_sqlite(n),
        200,
        3,
        none_lost,
    ),
    Promise("kill-postgres", "0 lost, 0 duplicates: kill -9, PostgreSQL", processes.kills_postgres, 200, 4, none_lost),
    Promise("stop", "0 duplicates: stopped past the heartbeat limit, continued", processes.stops, 50, 2, none_lost),
    Promise("restart", "0 lost: immediate restarts of PostgreSQL", storage.restarts, 20, 2, none_lost),
    Promise("drain", "queued jobs drained by two workers: none lost, none twice", processes.drain, 1000, 20, none_lost),
    Promise(
        "cancel",
        f"cancel to stopped: p99 at most {SLOWEST_CANCEL:g} s",
        lambda n, _: storage.cancels(n, demo()),
        100,
        3,
        lambda f: f["p99"] <= SLOWEST_CANCEL,
    ),
    Promise(
        "writers-sqlite",
        "8 writers at once, SQLite: no error",
        lambda n, _: storage.writers(8, n),
        10,
        1,
        lambda f: f["errors"] == 0 and f["commits"] > 0,
    ),
    Promise(
        "writers-postgres",
        "8 writers at once, PostgreSQL: no error",
        lambda n, server: storage.writers(8, n, server),
        10,
        1,
        lambda f: f["errors"] == 0 and f["commits"] > 0,
    ),
    Promise("disk", "disk full: told so, nothing corrupt, goes on", full_disk, 1, 1, none_lost),
    Promise("clock", "the clock steps: none lost, none twice", lambda n, _: storage.clock_steps(n), 40, 3, none_lost),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults")
    parser.add_argument("--short", action="store_true", help="less of everything")
    parser.add_argument("--times", type=int, help="so often, instead")
    parser.add_argument("--only", nargs="+", choices=[p.name for p in PROMISES], help="only these")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was begun is ended
    table, broken = [], False
    with ExitStack() as stack:
        server = stack.enter_context(Postgres())
        for promise in PROMISES:
            if given.only and promise.name not in given.only:
                continue
            began = time.monotonic()
            try:
                figures = promise.run(given.times or (promise.short if given.short else promise.full), server)
                holds = promise.holds(figures)
            except BrokenError as problem:
                figures, holds = {"problem": str(problem)}, False
            broken = broken or not holds
            seconds = round(time.monotonic() - began)
            print(json.dumps({"name": promise.name, "holds": holds, **figures, "took": seconds}), flush=True)
            told = ", ".join(f"{name} {value}" for name, value in figures.items())
            table.append(f"| {promise.text} | {'yes' if holds else 'NO'} | {told} |")
    print("\n| promise | holds | measured |\n|---|---|---|")
    print("\n".join(table))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
