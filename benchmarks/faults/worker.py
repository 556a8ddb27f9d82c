"""A worker as a process of its own, for the fault suite: that of ``throttle serve`` on SQLite, that of ``throttle
worker`` on PostgreSQL, only that it gives up on silent workers sooner and begins jobs as often as they are killed.

    python -m benchmarks.faults.worker URL [--jobs N] [--silent SECONDS] [--until-empty]
"""

from __future__ import annotations

import argparse
import os
import signal
import threading

from throttle_api.jobs.runner import Running
from throttle_api.storage import Database
from throttle_api.worker.embedded import EmbeddedWorker

HOW = Running(attempts=1_000_000, nice=0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--silent", type=float, default=2.0)
    parser.add_argument("--until-empty", action="store_true")
    given = parser.parse_args()
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    database = Database(given.url)
    if database.postgres:
        from throttle_api.worker.tickets import Pace, TicketWorker

        pace = Pace(given.silent / 4, given.silent, given.silent / 4, 1.0, 0.1)
        TicketWorker(database, HOW, concurrency=given.jobs, pace=pace).run(until_empty=given.until_empty)
        return
    worker = EmbeddedWorker(database, HOW, concurrency=given.jobs)
    worker.start()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ended.wait()
    worker.stop()


def _end_with_stdin() -> None:
    """Never outlive the suite: what starts this holds the other end of its standard input."""
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    main()
