"""What revisions have in common. Released revisions rest on it, so it only grows."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def protect(tables: Sequence[str]) -> None:
    """Row-level security, also for the owner: a row is there only for its tenant, or for the system (``*``)."""
    if not _postgres():
        return
    mine = "current_setting('throttle.tenant', true) IN (tenant_id, '*')"
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({mine}) WITH CHECK ({mine})")


def forbid_changes(table: str) -> None:
    """Rows can be added, and neither changed nor removed."""
    if _postgres():
        op.execute(
            f"CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()"
        )
        return
    for what in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def allow_changes(table: str) -> None:
    """Undo :func:`forbid_changes`."""
    if _postgres():
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
        op.execute(f"DROP FUNCTION {table}_is_append_only()")
        return
    for what in ("update", "delete"):
        op.execute(f"DROP TRIGGER {table}_no_{what}")
