"""The tables of Procrastinate, the queue on PostgreSQL, in step with the release of it that is installed.

They are its own, so its own scripts make and change them; which of these were applied is kept under ``settings``.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import sqlalchemy as sa

from throttle_api.storage import settings
from throttle_api.storage.database import Tx

KEY = "procrastinate"
_SCRIPT = re.compile(r"(\d+)\.(\d+)\.(\d+)_\d+_.*\.sql")


def upgrade(tx: Tx) -> None:
    """Make the tables, or apply the scripts that came with later releases than the one that was applied last."""
    from procrastinate.schema import SchemaManager

    installed, applied = version(KEY), settings.get(tx, KEY)
    if applied is None:
        _run(tx, SchemaManager.get_schema())
    else:
        for script in sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql")):
            match = _SCRIPT.fullmatch(script.name)
            if match and tuple(map(int, match.groups())) > _numbers(str(applied)):
                _run(tx, script.read_text(encoding="utf-8"))
    if applied != installed:
        settings.put(tx, KEY, installed)


def remove(tx: Tx) -> None:
    """Drop all that is Procrastinate's: tables, functions and types."""
    of = "n.nspname = current_schema() AND {}.{} LIKE 'procrastinate\\_%'"
    queries = (
        (
            "SELECT 'DROP TABLE ' || t.oid::regclass || ' CASCADE' FROM pg_class t JOIN pg_namespace n "
            "ON n.oid = t.relnamespace WHERE relkind = 'r' AND " + of.format("t", "relname")
        ),
        (
            "SELECT 'DROP ROUTINE ' || p.oid::regprocedure || ' CASCADE' FROM pg_proc p JOIN pg_namespace n "
            "ON n.oid = p.pronamespace WHERE " + of.format("p", "proname")
        ),
        (
            "SELECT 'DROP TYPE ' || t.oid::regtype || ' CASCADE' FROM pg_type t JOIN pg_namespace n "
            "ON n.oid = t.typnamespace WHERE t.typtype = 'e' AND " + of.format("t", "typname")
        ),
        (
            "SELECT 'DROP TYPE ' || t.oid::regtype || ' CASCADE' FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid "
            "JOIN pg_namespace n ON n.oid = t.typnamespace WHERE c.relkind = 'c' AND " + of.format("t", "typname")
        ),
    )
    for query in queries:
        for (statement,) in tx.execute(sa.text(query)).all():
            tx.connection.exec_driver_sql(statement)


def _run(tx: Tx, script: str) -> None:
    connection = tx.connection.connection.driver_connection
    assert connection is not None
    connection.execute(script)  # many statements at once, which only goes without parameters


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", release)[:3])
