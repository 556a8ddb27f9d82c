"""Copies of a database, and back: of SQLite exact ones, made while it is served; and one that both databases read.

The portable copy is gzipped lines of JSON: a head, a row a line in an order in which they can be inserted, and an end
with their number, without which a copy is not whole. It holds no queue of Procrastinate, whose tickets are made again.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from throttle_api.storage import jobs, migrate, queue_schema
from throttle_api.storage.database import Database, Tx
from throttle_api.storage.errors import StorageError
from throttle_api.storage.tables import SYSTEM, metadata, settings, tenants

_SQLITE, _GZIP = b"SQLite format 3\0", b"\x1f\x8b"
_FORMAT = "throttle-backup"
_AT_ONCE = 200
"""Rows held in memory."""


def backup(database: Database, file: Path, *, portable: bool = False) -> int:
    """Copy a database to a new file, while it is used; return the bytes of the copy. SQLite's is exact unless
    ``portable``. The file is there only once it is whole. Raises StorageError where it exists or cannot be written."""
    if file.exists():
        raise StorageError(f"There is a file {file} already: name another one.")
    part = file.with_name(f".{file.name}.part")
    try:
        if database.file is not None and not portable:
            _copy(database.file, part)
        else:
            _write(database, part)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.rename(file)
    except OSError as problem:
        raise StorageError(f"{file} cannot be written: {(problem.strerror or 'unknown').lower()}.") from None
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def restore(database: Database, file: Path) -> int:
    """Bring a copy into an empty database, and that to this release; return the number of jobs that wait again.

    On PostgreSQL, connect as the owner of the tables. Raises StorageError where the database is not empty, or the
    copy is not whole, or of a later release.
    """
    try:
        with file.open("rb") as opened:
            head = opened.read(len(_SQLITE))
    except OSError as problem:
        raise StorageError(f"{file} cannot be read: {(problem.strerror or 'unknown').lower()}.") from None
    if _in_use(database):
        raise StorageError("The database is not empty: restore into a new one.")
    if head == _SQLITE:
        if database.file is None:
            raise StorageError(f"{file} is a copy of SQLite, for SQLite: for PostgreSQL, take a portable one.")
        database.close()
        _copy(file, database.file)
        migrate.upgrade(database)
    elif head.startswith(_GZIP):
        _read(database, file)
    else:
        raise StorageError(f"{file} is no copy that throttle db backup made.")
    with database.write(SYSTEM) as tx:
        back = [jobs.hand_back(tx, job.id, job.attempt) for job in jobs.running(tx)]
    return len(back)


def _in_use(database: Database) -> bool:
    if migrate.current(database) is None:
        return False
    with database.read(SYSTEM) as tx:
        return bool(tx.value(sa.select(sa.func.count()).select_from(tenants)))


def _copy(source: Path, target: Path) -> None:
    """By SQLite's online backup, which sees one state however much is written meanwhile."""
    with closing(sqlite3.connect(source)) as opened, closing(sqlite3.connect(target)) as made:
        try:
            opened.backup(made)
            (sound,) = made.execute("PRAGMA integrity_check").fetchone()
        except sqlite3.DatabaseError:
            sound = "it cannot be read"
        if sound != "ok":
            raise StorageError(f"The copy of {source} is not sound: {sound}.")


def _write(database: Database, file: Path) -> None:
    with database.snapshot() as tx, gzip.open(file, "wt", encoding="utf-8", compresslevel=6) as out:
        revision = migrate.current_in(tx)
        if revision != migrate.revisions()[-1]:
            raise StorageError("The database is not at this release's revision: run throttle db upgrade first.")
        out.write(json.dumps({"kind": _FORMAT, "revision": revision}) + "\n")
        count = 0
        for table in _tables(tx):
            rows = tx.connection.execution_options(yield_per=_AT_ONCE).execute(
                sa.select(table).order_by(*table.primary_key)
            )
            for row in rows.mappings():
                out.write(json.dumps([table.name, {str(k): _plain(v) for k, v in row.items()}]) + "\n")
                count += 1
        out.write(json.dumps({"rows": count}) + "\n")


def _read(database: Database, file: Path) -> None:
    lines = _lines(file)
    head = next(lines, None)
    if not isinstance(head, dict) or head.get("kind") != _FORMAT:
        raise StorageError(f"{file} is no copy that throttle db backup made.")
    if head["revision"] not in migrate.revisions():
        raise StorageError(f"{file} is of revision {head['revision']}, which this release does not know: upgrade it.")
    migrate.upgrade(database, head["revision"])
    with database.write(SYSTEM) as tx:
        tables = {table.name: table for table in _tables(tx)}
        ended = False
        for count, line in enumerate(lines):
            if isinstance(line, dict):
                ended = line.get("rows") == count
                break
            try:
                _insert(tx, tables, *line)
            except (SQLAlchemyError, AttributeError, KeyError, TypeError, ValueError):
                raise StorageError(f"{file} is not whole: row {count + 1} does not fit; take another copy.") from None
        if not ended:
            raise StorageError(f"{file} is not whole: its end is missing; take another copy.")
        if tx.postgres:
            for name, table in tables.items():
                if "seq" in table.c:
                    last = f"(SELECT coalesce(max(seq), 0) + 1 FROM {name})"
                    tx.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('{name}', 'seq'), {last}, false)"))
    migrate.upgrade(database)


def _insert(tx: Tx, tables: Mapping[str, sa.Table], name: str, row: dict[str, Any]) -> None:
    if name == settings.name and row["key"] == queue_schema.KEY:
        return  # of the queue there, which has its own here
    if name == "jobs":
        row["ticket"] = None
    values = {k: _value(v) for k, v in row.items() if v is not None}
    tx.execute(sa.insert(tables[name]).values(**values))


def _tables(tx: Tx) -> list[sa.Table]:
    """Ours as they are in the database, which may be of an earlier revision; each after those that it refers to."""
    found = sa.MetaData()
    found.reflect(tx.connection, only=lambda name, _: name in metadata.tables)
    return list(found.sorted_tables)


def _lines(file: Path) -> Iterator[Any]:
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
    except (OSError, EOFError, ValueError):
        raise StorageError(f"{file} is not whole: it ends too early, or was changed; take another copy.") from None


def _plain(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _value(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) and value.keys() == {"base64"} else value
