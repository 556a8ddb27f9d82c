"""A database by its URL, and transactions on it: the only place that knows which of the two it is."""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from throttle_api.storage.errors import FullError, StorageError, UnavailableError
from throttle_api.storage.tables import SYSTEM

Clock = Callable[[], datetime]
BUSY_SECONDS = 5.0
"""How long a transaction waits for a connection before it gives up."""
LOCK_SECONDS = 15.0
"""How long one on SQLite waits for the write lock, which is not given in turn: after 5 s, on a machine with eight times
more to do than it has cores, 3 of 2,248 of eight processes' writes had not had it."""
CONNECT_SECONDS = 5
IDLE_SECONDS = 10
"""How long a transaction may wait for its own process, on PostgreSQL."""
TENANT_SETTING = "throttle.tenant"
"""The setting of PostgreSQL that the policies of row-level security compare with."""
WRITES = "throttle_writes"


def utc_now() -> datetime:
    return datetime.now(UTC)


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{path}"


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction of one tenant (``SYSTEM``: of all), at one moment. Every function of this package takes one."""

    connection: sa.Connection
    tenant: str
    now: datetime

    @property
    def postgres(self) -> bool:
        return self.connection.dialect.name == "postgresql"

    @property
    def server_clock(self) -> sa.ColumnElement[int]:
        """The database's own time in microseconds: one clock for workers on any host."""
        if self.postgres:
            return sa.cast(sa.func.extract("epoch", sa.func.clock_timestamp()) * 1_000_000, sa.BigInteger)
        return sa.literal(time.time_ns() // 1000, sa.BigInteger)

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        result: sa.CursorResult[Any] = self.connection.execute(statement, parameters)
        return result

    def row(self, statement: sa.Executable) -> dict[str, Any] | None:
        """The first row, or None."""
        found = self.execute(statement).mappings().first()
        return _plain(found) if found is not None else None

    def rows(self, statement: sa.Executable) -> list[dict[str, Any]]:
        return [_plain(row) for row in self.execute(statement).mappings()]

    def value(self, statement: sa.Select[Any]) -> Any:
        return self.connection.execute(statement).scalar()

    def only_mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """The condition that every statement carries: rows of this tenant."""
        return sa.true() if self.tenant == SYSTEM else table.c.tenant_id == self.tenant


def _plain(row: sa.RowMapping) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


class Database:
    """SQLite (``sqlite:///file``) or PostgreSQL (``postgresql://user@host/name``); safe to share between threads.

    ``clock`` is what ``Tx.now`` is read from, once a transaction. Nothing is connected before the first transaction.
    """

    def __init__(self, url: str, *, clock: Clock = utc_now, connections: int = 15) -> None:
        self.url, self.clock = _driver(url), clock
        self.postgres = self.url.get_backend_name() == "postgresql"
        how: dict[str, Any] = {"pool_size": connections, "max_overflow": 0, "pool_timeout": BUSY_SECONDS}
        if self.postgres:
            arguments: dict[str, Any] = {
                "connect_timeout": CONNECT_SECONDS,
                "application_name": "throttle",
                # a process that hangs in the middle of a transaction gives up what it has locked
                "options": f"-c idle_in_transaction_session_timeout={IDLE_SECONDS}s",
            }
            how |= {"connect_args": arguments, "pool_pre_ping": True, "pool_recycle": 1800}
        else:
            how |= {"connect_args": {"timeout": LOCK_SECONDS, "check_same_thread": False}}
        self.engine = sa.create_engine(self.url, poolclass=sa.QueuePool, hide_parameters=True, **how)
        if not self.postgres:
            sa.event.listen(self.engine, "connect", _open_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database; None of PostgreSQL."""
        return None if self.postgres else Path(self.url.database or "")

    @contextmanager
    def write(self, tenant: str) -> Iterator[Tx]:
        """A transaction that may write; committed at the end of the block, rolled back on an exception.

        On SQLite it holds the one write lock from its beginning, so that it never fails half-way for being too late.
        Raises FullError or UnavailableError where the database cannot do it; then nothing was written, except that
        an UnavailableError at the very commit leaves open whether it was done.
        """
        with self._transaction(tenant, True) as tx:
            yield tx

    @contextmanager
    def read(self, tenant: str) -> Iterator[Tx]:
        """A transaction that only reads. Raises UnavailableError."""
        with self._transaction(tenant, False) as tx:
            yield tx

    @contextmanager
    def snapshot(self) -> Iterator[Tx]:
        """A reading transaction of all tenants that sees the database at one moment, however long it takes."""
        with self._transaction(SYSTEM, False, "REPEATABLE READ") as tx:
            if self.postgres:
                tx.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            yield tx

    @contextmanager
    def _transaction(self, tenant: str, writes: bool, isolation: str | None = None) -> Iterator[Tx]:
        with translated(), self.engine.connect() as connection:
            connection.execution_options(**{WRITES: writes})
            if self.postgres and isolation is not None:
                connection.execution_options(isolation_level=isolation)
            with connection.begin():
                if self.postgres:
                    statement = sa.text("SELECT set_config(:name, :tenant, true)")
                    connection.execute(statement, {"name": TENANT_SETTING, "tenant": tenant})
                yield Tx(connection, tenant, self.clock())

    def forget_connections(self) -> None:
        """Connect anew from now on: after the database was away."""
        self.engine.dispose()

    def close(self) -> None:
        self.engine.dispose()


def _driver(url: str) -> sa.URL:
    made = sa.make_url(url)
    if made.drivername in ("postgresql", "postgres"):
        made = made.set(drivername="postgresql+psycopg")
    if made.get_backend_name() not in ("postgresql", "sqlite"):
        raise StorageError(f"The database {made.drivername} is not known: use sqlite:///FILE or postgresql://...")
    if made.get_backend_name() == "sqlite" and not made.database:
        raise StorageError("The SQLite database needs a file: sqlite:///FILE.")
    return made


def _open_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours to say
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # what was committed survives a loss of power too
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_FULL = ("53100", "53200")  # disk_full, out_of_memory
_AWAY = ("08", "57P", "53300", "55P03", "40001", "40P01", "25006")
"""Connection lost, shutting down or starting, too many connections, lock not available, serialisation, read-only."""


@contextmanager
def translated() -> Iterator[None]:
    """Failures of the database in the words of :mod:`throttle_api.storage.errors`."""
    try:
        yield
    except IntegrityError:
        raise  # for whoever wrote it to understand
    except PoolTimeoutError:
        raise UnavailableError("All connections to the database are in use: try again.") from None
    except (OperationalError, InterfaceError, DBAPIError) as problem:
        raise _meaning(problem) from problem


def _meaning(problem: DBAPIError) -> Exception:
    original = problem.orig
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return FullError("The disk of the database is full: make room, then try again.")
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return UnavailableError("The database is busy: try again.")
        if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            return UnavailableError("The file of the database cannot be used: look at the disk and its permissions.")
        return problem
    state = getattr(original, "sqlstate", None) or ""
    if state in _FULL or getattr(original, "errno", None) == errno.ENOSPC:
        return FullError("The disk of the database is full: make room, then try again.")
    if (
        problem.connection_invalidated
        or state.startswith(_AWAY)
        or (not state and isinstance(problem, OperationalError))
    ):
        return UnavailableError("The database does not answer: try again.")
    return problem
