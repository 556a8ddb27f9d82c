"""The audit log, which nobody can change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from throttle_api.storage.migrations.parts import allow_changes, forbid_changes, protect

revision = "0003"
down_revision = "0002"
TABLES = ("audit",)


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "n", name=op.f("pk_audit")),
    )
    protect(TABLES)
    forbid_changes("audit")


def downgrade() -> None:
    allow_changes("audit")
    for table in reversed(TABLES):
        op.drop_table(table)
