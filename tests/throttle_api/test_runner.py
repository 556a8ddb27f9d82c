"""Jobs in processes of their own: what they may do, and what becomes of the job."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.databases import Kept, sqlite_kept
from support.kinds import KINDS
from throttle.errors import InputError
from throttle_api.jobs.runner import Ended, Runner, Running
from throttle_api.jobs.states import Outcome, State
from throttle_api.storage import SYSTEM, UnavailableError, datasets, jobs
from throttle_api.worker.embedded import EmbeddedWorker

HOW = Running(kinds=KINDS, nice=0, look_every=0.02, report_every=0.02, grace=20.0, patience=5.0)
SOON = 60.0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Kept]:
    kept = sqlite_kept(tmp_path)
    yield kept
    kept.database.close()


def submit(site: Kept, kind: str, **request: Any) -> str:
    with site.database.write("acme") as tx:
        return jobs.submit(tx, kind, request, {"portfolio": b'{"a": 1}'}, by="x")[0].id


def begin(site: Kept, kind: str, **request: Any) -> jobs.Job:
    id = submit(site, kind, **request)
    with site.database.write("acme") as tx:
        job = jobs.claim(tx, id, id)
    assert job is not None
    return job


def state(site: Kept, id: str) -> jobs.Job:
    with site.database.read("acme") as tx:
        return jobs.get(tx, id)


def wait(what: Callable[[], bool]) -> None:
    until = time.monotonic() + SOON
    while not what():
        assert time.monotonic() < until, "it did not come to be"
        time.sleep(0.01)


def in_background(run: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=run)
    thread.start()
    return thread


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().split(")")[1].split()[0] != "Z"


def test_what_a_job_answers_is_kept(site: Kept) -> None:
    job = begin(site, "echo", say="hello")
    assert Runner(site.database, HOW).run(job) is Ended.COMMITTED
    ended = state(site, job.id)
    assert (ended.state, ended.outcome, ended.summary) == (State.SUCCEEDED, Outcome.FEASIBLE, {"said": "hello"})
    with site.database.read("acme") as tx:
        result = jobs.result(tx, job.id)
    assert result is not None
    assert result.body == b'{"a": 1}'


def test_a_job_may_take_its_portfolio_from_a_dataset(site: Kept) -> None:
    with site.database.write("acme") as tx:
        datasets.put(tx, "main", b'{"b": 1}', by="x")
        datasets.put(tx, "main", b'{"b": 2}', by="x")
        request = {"dataset": {"id": "main", "version": 1}}
        id = jobs.submit(tx, "echo", request, {}, by="x")[0].id
        job = jobs.claim(tx, "w", id)
        gone = jobs.submit(tx, "echo", {"dataset": {"id": "none", "version": 1}}, {}, by="x")[0].id
        lost = jobs.claim(tx, "v", gone)
    assert job is not None
    assert lost is not None
    Runner(site.database, HOW).run(job)
    Runner(site.database, HOW).run(lost)
    with site.database.read("acme") as tx:
        result = jobs.result(tx, id)
    assert result is not None
    assert result.body == b'{"b": 1}'
    assert (state(site, gone).state, state(site, gone).code) == (State.FAILED, "input")


def test_a_process_that_dies_is_an_attempt_lost_and_the_third_time_the_job_fails(site: Kept) -> None:
    id = submit(site, "abort")
    for attempt in (1, 2, 3):
        with site.database.write("acme") as tx:
            job = jobs.claim(tx, f"w{attempt}", id)
        assert job is not None
        how = replace(HOW, keep=timedelta(days=90))
        assert Runner(site.database, how).run(job) is Ended.QUEUED
        assert state(site, id).state is (State.QUEUED if attempt < 3 else State.FAILED)
    reason = state(site, id).reason
    assert reason is not None
    assert "SIGKILL" in reason
    ended = state(site, id)
    assert ended.expires is not None
    assert ended.finished is not None
    assert ended.expires - ended.finished == timedelta(days=90)


def test_a_job_gets_no_more_memory_than_it_may_take(site: Kept) -> None:
    job = begin(site, "hog")
    Runner(site.database, replace(HOW, memory=256)).run(job)
    assert (state(site, job.id).state, state(site, job.id).code) == (State.FAILED, "memory")


def test_a_defect_is_told_without_the_words_of_a_user(site: Kept) -> None:
    job = begin(site, "broken", say="SECRET")
    Runner(site.database, HOW).run(job)
    ended = state(site, job.id)
    assert (ended.state, ended.code) == (State.FAILED, "internal")
    assert ended.reason is not None
    assert "SECRET" not in ended.reason
    assert "kinds.py" in ended.reason


def test_what_cannot_be_answered_as_asked_fails_with_the_sentence(site: Kept) -> None:
    job = begin(site, "wrong")
    Runner(site.database, HOW).run(job)
    ended = state(site, job.id)
    assert (ended.state, ended.code, ended.reason) == (State.FAILED, "input", "there is no work to plan")


def test_a_kind_that_is_not_known_fails(site: Kept) -> None:
    job = begin(site, "nonsense")
    Runner(site.database, HOW).run(job)
    assert state(site, job.id).code == "unknown-kind"


def test_cancelling_keeps_what_was_found(site: Kept) -> None:
    job = begin(site, "until_stopped")
    running = in_background(lambda: Runner(site.database, HOW).run(job))
    wait(lambda: state(site, job.id).progress is not None)
    with site.database.write("acme") as tx:
        jobs.ask_cancel(tx, job.id)
    running.join(SOON)
    ended = state(site, job.id)
    assert (ended.state, ended.outcome) == (State.CANCELLED, Outcome.FEASIBLE)
    with site.database.read("acme") as tx:
        assert jobs.result(tx, job.id) is not None


def best(site: Kept, id: str) -> bytes | None:
    with site.database.read("acme") as tx:
        found = jobs.best(tx, id)
    return found.body if found is not None else None


def test_the_best_so_far_is_there_while_a_job_runs_and_until_it_has_a_result(site: Kept) -> None:
    job = begin(site, "finds")
    running = in_background(lambda: Runner(site.database, HOW).run(job))
    wait(lambda: best(site, job.id) == b"better")
    assert state(site, job.id).state is State.RUNNING
    with site.database.write("acme") as tx:
        assert jobs.result(tx, job.id) is None
        jobs.ask_cancel(tx, job.id)
    running.join(SOON)
    with site.database.read("acme") as tx:
        result = jobs.result(tx, job.id)
    assert result is not None
    assert (result.body, best(site, job.id)) == (b"last", None)


def test_the_best_so_far_outlives_the_process_that_found_it(site: Kept) -> None:
    job = begin(site, "finds_and_dies")
    running = in_background(lambda: Runner(site.database, HOW).run(job))
    wait(lambda: best(site, job.id) is not None)
    with site.database.write("acme") as tx:
        jobs.ask_cancel(tx, job.id)
    running.join(SOON)
    assert (state(site, job.id).state, best(site, job.id)) == (State.CANCELLED, b"first")


def test_the_best_so_far_of_an_attempt_that_is_over_is_not_written(site: Kept) -> None:
    job, other = begin(site, "finds"), b"of another attempt"
    with site.database.write("acme") as tx:
        jobs.lose(tx, job.id, job.attempt, "it was thought dead.")
        again = jobs.claim(tx, "another", job.id)
        assert again is not None
        assert jobs.keep_best(tx, again.id, again.attempt, other)
    assert Runner(site.database, HOW).run(job) is Ended.FENCED
    assert best(site, job.id) == other


def test_what_does_not_stop_is_ended_after_its_grace(site: Kept) -> None:
    job = begin(site, "deaf")
    running = in_background(lambda: Runner(site.database, replace(HOW, grace=0.1)).run(job))
    wait(lambda: state(site, job.id).progress is not None)
    with site.database.write("acme") as tx:
        jobs.ask_cancel(tx, job.id)
    running.join(SOON)
    assert not running.is_alive()
    ended = state(site, job.id)
    assert (ended.state, ended.outcome) == (State.CANCELLED, Outcome.UNKNOWN)


def test_an_attempt_that_is_no_longer_the_one_ends_its_process_and_keeps_nothing(site: Kept) -> None:
    job = begin(site, "until_stopped")
    ended: list[Ended] = []
    running = in_background(lambda: ended.append(Runner(site.database, HOW).run(job)))
    wait(lambda: state(site, job.id).progress is not None)
    progress = state(site, job.id).progress
    assert progress is not None
    with site.database.write("acme") as tx:
        jobs.lose(tx, job.id, 1, "it was thought dead.")
    running.join(SOON)
    assert ended == [Ended.FENCED]
    assert not alive(progress["process"])
    assert state(site, job.id).state is State.QUEUED


def test_a_job_that_is_handed_back_waits_again(site: Kept) -> None:
    job, leave = begin(site, "until_stopped"), threading.Event()
    running = in_background(lambda: Runner(site.database, HOW).run(job, leave))
    wait(lambda: state(site, job.id).progress is not None)
    leave.set()
    running.join(SOON)
    assert (state(site, job.id).state, state(site, job.id).tries) == (State.QUEUED, 0)


def test_an_end_is_written_when_the_database_is_back(site: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    job, real, left = begin(site, "echo"), jobs.finish, [3]

    def finish(*arguments: Any) -> bool:
        if left[0]:
            left[0] -= 1
            raise UnavailableError("It is away.")
        return real(*arguments)

    monkeypatch.setattr("throttle_api.storage.jobs.finish", finish)
    assert Runner(site.database, HOW).run(job) is Ended.COMMITTED
    assert left == [0]
    assert state(site, job.id).state is State.SUCCEEDED


def test_an_end_that_cannot_be_written_is_given_up_after_the_patience(
    site: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finish(*_: Any) -> bool:
        raise UnavailableError("It is away.")

    job = begin(site, "echo")
    monkeypatch.setattr("throttle_api.storage.jobs.finish", finish)
    assert Runner(site.database, replace(HOW, patience=0.1)).run(job) is Ended.UNKNOWN
    assert state(site, job.id).state is State.RUNNING


def test_the_worker_of_the_serving_process_runs_what_is_submitted(site: Kept) -> None:
    worker = EmbeddedWorker(site.database, HOW, concurrency=2)
    worker.start()
    try:
        ids = [submit(site, "echo", say=str(k)) for k in range(4)]
        worker.wake()
        wait(lambda: all(state(site, id).state is State.SUCCEEDED for id in ids))
    finally:
        worker.stop()


def test_what_ran_when_the_process_ended_is_begun_again(site: Kept) -> None:
    job = begin(site, "echo")
    worker = EmbeddedWorker(site.database, HOW)
    worker.start()
    try:
        wait(lambda: state(site, job.id).state is State.SUCCEEDED)
    finally:
        worker.stop()
    assert state(site, job.id).attempt == 2


def test_a_worker_that_ends_hands_back_what_it_cannot_finish(site: Kept) -> None:
    id = submit(site, "until_stopped")
    worker = EmbeddedWorker(site.database, HOW)
    worker.start()
    wait(lambda: state(site, id).progress is not None)
    worker.stop(patience=0.0)
    assert (state(site, id).state, state(site, id).tries) == (State.QUEUED, 0)


def test_one_process_serves_a_database(site: Kept) -> None:
    first, second = EmbeddedWorker(site.database, HOW), EmbeddedWorker(site.database, HOW)
    first.start()
    try:
        with pytest.raises(InputError, match=f"process {os.getpid()}"):
            second.start()
    finally:
        first.stop()
    second.start()
    second.stop()
    with site.database.read(SYSTEM) as tx:
        assert jobs.find(tx) == []
