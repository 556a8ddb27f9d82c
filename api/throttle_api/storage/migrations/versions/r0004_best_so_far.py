"""The best that a job has found while it runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from throttle_api.storage.migrations.parts import protect

revision = "0004"
down_revision = "0003"
TABLES = ("best_so_far",)


def upgrade() -> None:
    op.create_table(
        "best_so_far",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_best_so_far_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_best_so_far")),
    )
    protect(TABLES)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
