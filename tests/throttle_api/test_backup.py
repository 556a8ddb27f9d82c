"""Copies of a database, and back, also from one kind of database to the other."""

from __future__ import annotations

import gzip
from itertools import count
from pathlib import Path

import pytest
from benchmarks.postgres import Postgres

from support.databases import Kept
from throttle_api.jobs.states import Move, Outcome, State
from throttle_api.storage import Database, StorageError, audit, datasets, jobs, migrate, plans, sqlite_url
from throttle_api.storage.backup import backup, restore
from throttle_api.storage.jobs import Ending

_number = count(1)


def fill(kept: Kept) -> tuple[str, str]:
    """A job that has ended, accepted, and one that runs."""
    with kept.database.write("acme") as tx:
        ended, runs = (jobs.submit(tx, "solve", {"n": n}, {"portfolio": b"\x00\xff"}, by="x")[0].id for n in range(2))
        for id in (ended, runs):
            jobs.claim(tx, id, id)
        jobs.finish(tx, ended, 1, Ending(Move.SUCCEED, Outcome.FEASIBLE, b'{"kind": "plan"}', {"gap": None}))
        plans.accept(tx, ended, by="x")
        datasets.put(tx, "main", "{é}".encode(), by="x")
        audit.add(tx, "x", "plan.accepted", ended, {"share": 0.1})
    return ended, runs


def same(before: Database, after: Database, ended: str, runs: str) -> None:
    with before.read("acme") as one, after.read("acme") as other:
        assert jobs.get(one, ended) == jobs.get(other, ended)
        assert jobs.events(one, ended) == jobs.events(other, ended)
        assert jobs.result(one, ended) == jobs.result(other, ended)
        assert jobs.inputs_of(other, runs) == {"portfolio": b"\x00\xff"}
        assert jobs.get(other, runs).state is State.QUEUED
        assert plans.get(one) == plans.get(other)
        assert plans.body(other) == b'{"kind": "plan"}'
        assert datasets.body(other, "main") == "{é}".encode()
        assert audit.verify(one, "acme") == audit.verify(other, "acme")
    with after.write("acme") as tx:  # numbers go on where they were
        newer = jobs.submit(tx, "solve", {}, {}, by="x")[0]
        assert newer.seq > jobs.get(tx, runs).seq
        audit.add(tx, "x", "restored", "")
        assert audit.verify(tx, "acme").broken is None


def test_a_copy_is_restored(kept: Kept, tmp_path: Path, server: Postgres) -> None:
    ended, runs = fill(kept)
    file = tmp_path / "copy"
    assert backup(kept.owner, file) == file.stat().st_size > 0
    if kept.database.postgres:
        url = server.database(f"restored_{next(_number)}", empty=True)[0]
    else:
        url = sqlite_url(tmp_path / "restored.db")
    restored = Database(url, clock=kept.clock)
    assert restore(restored, file) == 1
    same(kept.database, restored, ended, runs)
    with pytest.raises(StorageError, match="not empty"):
        restore(restored, file)
    with pytest.raises(StorageError, match="already"):
        backup(kept.owner, file)
    restored.close()


def test_a_portable_copy_leads_from_one_kind_to_the_other(kept: Kept, tmp_path: Path, server: Postgres) -> None:
    ended, runs = fill(kept)
    file = tmp_path / "copy.gz"
    backup(kept.owner, file, portable=True)
    if kept.database.postgres:
        url = sqlite_url(tmp_path / "restored.db")
    else:
        url = server.database(f"moved_{next(_number)}", empty=True)[0]
    restored = Database(url, clock=kept.clock)
    assert restore(restored, file) == 1
    same(kept.database, restored, ended, runs)
    if restored.postgres:
        from throttle_api.worker.tickets import waiting_without_ticket

        with restored.read("acme") as tx:
            assert runs in [job.id for job in waiting_without_ticket(tx)]
    restored.close()


def test_a_copy_that_is_not_whole_is_refused_and_leaves_nothing(kept: Kept, tmp_path: Path) -> None:
    fill(kept)
    file = tmp_path / "copy.gz"
    backup(kept.owner, file, portable=True)
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    for name, content in (
        ("cut.gz", file.read_bytes()[:-20]),
        ("short.gz", gzip.compress(b"".join(lines[:-1]))),
        ("less.gz", gzip.compress(b"".join([*lines[:3], *lines[4:]]))),
        ("other.gz", gzip.compress(b"[]")),
        ("text", b"hello"),
        ("later.gz", gzip.compress(b'{"kind": "throttle-backup", "revision": "9999"}\n')),
    ):
        (tmp_path / name).write_bytes(content)
        database = Database(sqlite_url(tmp_path / f"{name}.db"))
        with pytest.raises(StorageError, match=r"whole|no copy|9999"):
            restore(database, tmp_path / name)
        if migrate.current(database) is not None:
            with database.read("acme") as tx:
                assert jobs.find(tx) == []
        database.close()
    with pytest.raises(StorageError, match="cannot be read"):
        restore(kept.owner, tmp_path / "none")
