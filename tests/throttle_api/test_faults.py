"""A little of each fault of ``python -m benchmarks.faults``, which has the rest: real processes, real databases."""

from __future__ import annotations

from pathlib import Path

from benchmarks.faults import processes, storage
from benchmarks.postgres import Postgres


def test_a_serving_process_that_is_killed_loses_nothing() -> None:
    figures = processes.kills_sqlite(1)
    assert (figures["lost"], figures["duplicates"]) == (0, 0)


def test_a_worker_that_is_killed_loses_nothing(server: Postgres) -> None:
    figures = processes.kills_postgres(1, server)
    assert (figures["lost"], figures["duplicates"]) == (0, 0)


def test_a_worker_that_was_stopped_and_goes_on_commits_nothing(server: Postgres) -> None:
    figures = processes.stops(1, server)
    assert (figures["lost"], figures["duplicates"]) == (0, 0)
    assert figures["attempts"] >= 2


def test_writers_wait_for_each_other(server: Postgres) -> None:
    for figures in (storage.writers(4, 0.3), storage.writers(4, 0.3, server)):
        assert figures["errors"] == 0
        assert figures["commits"] > 0


def test_jobs_end_whatever_the_clock_says() -> None:
    figures = storage.clock_steps(2)
    assert (figures["lost"], figures["duplicates"]) == (0, 0)


def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    figures = storage.disk_full(tmp_path / "disk")
    assert (figures["lost"], figures["duplicates"]) == (0, 0)
