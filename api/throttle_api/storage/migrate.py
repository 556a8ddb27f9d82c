"""The tables of this release in a database, and the way there and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from throttle_api.storage.database import Database, Tx
from throttle_api.storage.errors import StorageError
from throttle_api.storage.tables import SYSTEM, metadata

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 7310577
"""Of PostgreSQL's advisory locks: one migration at a time."""
BASE, HEAD = "base", "head"


def revisions() -> list[str]:
    """Those of this release, the oldest first: each is a file that begins with ``r`` and its name.

    Read without Alembic, which takes longer to import than all else that a start with a current database does here.
    """
    names = (file.name for file in (Path(__file__).parent / "migrations" / "versions").glob("r*_*.py"))
    return sorted(name[1:].partition("_")[0] for name in names)


def current(database: Database) -> str | None:
    """The revision that a database is at; None where it is empty. Raises StorageError (UnavailableError)."""
    with database.read(SYSTEM) as tx:
        return current_in(tx)


def need_current(database: Database) -> None:
    """Raises StorageError, with the remedy, where a database is not at this release's revision, or row-level security
    would not hold us."""
    found, wanted = current(database), revisions()[-1]
    if found == wanted:
        if unsafe := why_not_safe(database):
            raise StorageError(unsafe)
        return
    if found is not None and found not in revisions():
        raise StorageError(
            f"The database is at revision {found}, which this release does not know: use the release that made it."
        )
    raise StorageError(f"The database is at revision {found or 'none'}, not {wanted}: run throttle db upgrade.")


def upgrade(database: Database, to: str = HEAD, *, role: str | None = None) -> str | None:
    """Bring a database to a revision, with what is in it, and return that; nothing is done where it is there.

    ``role`` (PostgreSQL): the role that the service connects as, which is given the rights that it needs and no more;
    it must exist, and be neither superuser nor able to pass row-level security by. Raises StorageError.
    """
    known = revisions()
    if to not in (HEAD, *known):
        raise StorageError(f"There is no revision {to}: there are {', '.join(known)}.")
    with database.write(SYSTEM) as tx:
        _one_at_a_time(tx)
        found = current_in(tx)
        if found is not None and found not in known:
            raise StorageError(
                f"The database is at revision {found}, which this release does not know: use the release that made it."
            )
        if found != known[-1]:
            from alembic import command

            command.upgrade(_config(tx.connection), to)
        if tx.postgres:
            from throttle_api.storage import queue_schema

            queue_schema.upgrade(tx)
            if role is not None:
                _grant(tx, role)
        return current_in(tx)


def downgrade(database: Database, to: str) -> str | None:
    """Bring a database back to an earlier revision (``base``: remove all tables): what only later ones know is lost."""
    from alembic import command

    if to not in (BASE, *revisions()):
        raise StorageError(f"There is no revision {to}: there are {BASE}, {', '.join(revisions())}.")
    with database.write(SYSTEM) as tx:
        _one_at_a_time(tx)
        if to == BASE and tx.postgres:
            from throttle_api.storage import queue_schema

            queue_schema.remove(tx)
        command.downgrade(_config(tx.connection), to)
        return current_in(tx)


def differences(database: Database) -> list[object]:
    """What the tables of a database have other than :mod:`throttle_api.storage.tables` says; for tests."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with database.read(SYSTEM) as tx:

        def ours(name: str | None, kind: str, _parents: object) -> bool:
            return kind != "table" or not (name or "").startswith("procrastinate_")

        context = MigrationContext.configure(tx.connection, opts={"include_name": ours})
        return list(compare_metadata(context, metadata))


def why_not_safe(database: Database) -> str | None:
    """A sentence, where the role that we connect as is not held by row-level security (PostgreSQL)."""
    if not database.postgres:
        return None
    query = "SELECT rolname, rolsuper OR rolbypassrls AS free FROM pg_roles WHERE rolname = current_user"
    with database.read(SYSTEM) as tx:
        role = tx.execute(sa.text(query)).mappings().one()
        owner = tx.execute(sa.text("SELECT tableowner = current_user FROM pg_tables WHERE tablename = 'jobs'")).scalar()
    if not role["free"] and not owner:
        return None
    why = "may pass row-level security by" if role["free"] else "owns the tables"
    return (
        f"The role {role['rolname']} {why}: let the service connect as another one, which throttle db upgrade "
        "--role NAME gives the rights to."
    )


def _config(connection: sa.Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def current_in(tx: Tx) -> str | None:
    """As :func:`current`, in a transaction."""
    if not sa.inspect(tx.connection).has_table("alembic_version"):
        return None
    found: str | None = tx.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _one_at_a_time(tx: Tx) -> None:
    if tx.postgres:
        tx.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _grant(tx: Tx, role: str) -> None:
    found = tx.execute(
        sa.text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = :role"), {"role": role}
    ).scalar()
    if found is None:
        raise StorageError(f"There is no role {role}: make it first, as CREATE ROLE {role} LOGIN PASSWORD '...'.")
    if found:
        raise StorageError(f"The role {role} may pass row-level security by: take a plain role.")
    name = tx.connection.dialect.identifier_preparer.quote(role)
    tables = ", ".join(metadata.tables)
    queue = "SELECT tablename FROM pg_tables WHERE tablename LIKE 'procrastinate\\_%' AND schemaname = current_schema()"
    theirs = ", ".join(row[0] for row in tx.execute(sa.text(queue)))
    for statement in (
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables}, {theirs} TO {name}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA current_schema TO {name}",
        f"REVOKE UPDATE, DELETE ON audit FROM {name}",
        f"GRANT SELECT ON alembic_version TO {name}",
    ):
        tx.connection.exec_driver_sql(statement.replace("SCHEMA current_schema", f"SCHEMA {_schema(tx)}"))


def _schema(tx: Tx) -> str:
    schema: str = tx.execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    return schema
