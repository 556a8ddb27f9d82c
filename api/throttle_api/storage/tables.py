"""The tables, as SQLAlchemy Core. Each has ``tenant_id``, which each query names and, on PostgreSQL, row-level security
checks again. What changes here needs a revision in ``migrations/versions``; a test compares the two.

Times are microseconds since 1970 UTC (:class:`Instant`), which both databases order and keep exactly. Large texts
(portfolios, results) are zlib-compressed and in tables of their own, so that reading a state never touches them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

SYSTEM = "*"
"""Stands for all tenants: for the worker, the command line and what belongs to no tenant. No tenant is called so."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(sa.TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds since 1970 UTC."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else _EPOCH + timedelta(microseconds=value)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts up only what it calls INTEGER


def _number() -> sa.Column[int]:
    """A row's number, rising in the order in which rows were written: clocks may step, this does not."""
    return sa.Column("seq", _Number, sa.Identity(), primary_key=True, autoincrement=True)


def _tenant(**how: Any) -> sa.Column[str]:
    return sa.Column("tenant_id", sa.Text, nullable=False, **how)


def _at(name: str, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, Instant, nullable=nullable)


def _text(name: str, nullable: bool = False, **how: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable, **how)


tenants = sa.Table(
    "tenants",
    metadata,
    _tenant(primary_key=True),
    _text("name"),
    sa.Column("queue_limit", sa.Integer, nullable=False),
    sa.Column("turn", sa.BigInteger, nullable=False, server_default="0"),  # rises when a job of it begins: who is next
    sa.Column("disabled", sa.Boolean, nullable=False, server_default=sa.false()),
    _at("created"),
)

keys = sa.Table(
    "keys",
    metadata,
    _text("id", primary_key=True),
    _tenant(),
    _text("name"),
    _text("hash"),  # SHA-256 of the secret, hexadecimal
    sa.Column("scopes", sa.JSON, nullable=False),
    _at("created"),
    _at("expires", nullable=True),
    _at("revoked", nullable=True),
    sa.Index(None, "tenant_id"),
)

datasets = sa.Table(
    "datasets",
    metadata,
    _tenant(primary_key=True),
    _text("id", primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    _text("title"),
    _text("etag"),  # SHA-256 of the body before it was compressed
    _at("created"),
    _text("created_by"),
    sa.Column("size", sa.Integer, nullable=False),  # bytes, before it was compressed
    sa.Column("body", sa.LargeBinary, nullable=False),
)

imports = sa.Table(
    "imports",
    metadata,
    _number(),
    _text("id", unique=True),
    _tenant(),
    _text("dataset_id", nullable=True),
    sa.Column("dataset_version", sa.Integer),
    sa.Column("report", sa.JSON, nullable=False),
    _at("created"),
    _text("created_by"),
    sa.Index(None, "tenant_id", "seq"),
    sqlite_autoincrement=True,  # a number is never given twice
)

jobs = sa.Table(
    "jobs",
    metadata,
    _number(),
    _text("id", unique=True),
    _tenant(),
    _text("kind"),
    _text("state"),
    sa.Column(
        "attempt", sa.Integer, nullable=False, server_default="0"
    ),  # only rises: it fences off whoever was before
    sa.Column("handed_back", sa.Integer, nullable=False, server_default="0"),  # attempts that ended without fault
    sa.Column("cancel", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),  # of what a client sees: its ETag
    sa.Column("request", sa.JSON, nullable=False),
    _text("request_hash"),
    _text("idempotency_key", nullable=True),
    sa.Column("progress", sa.JSON),
    _text("outcome", nullable=True),
    sa.Column("summary", sa.JSON),
    _text("code", nullable=True),
    _text("reason", nullable=True),
    _text("worker", nullable=True),
    sa.Column("ticket", sa.BigInteger),  # number of the job in the queue of PostgreSQL
    sa.Column("seen", sa.BigInteger),  # when its worker was last heard of, in microseconds of the database's own clock
    _at("created"),
    _text("created_by"),
    _at("started", nullable=True),
    _at("finished", nullable=True),
    _at("expires", nullable=True),
    sa.UniqueConstraint("tenant_id", "idempotency_key"),
    sa.Index(None, "tenant_id", "seq"),
    sa.Index(None, "tenant_id", "state"),
    sa.Index(None, "state", "seq"),
    sqlite_autoincrement=True,  # a number is never given twice
)

job_inputs = sa.Table(
    "job_inputs",
    metadata,
    _text("job_id", primary_key=True),
    _text("name", primary_key=True),
    _tenant(),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE"),
)

job_events = sa.Table(
    "job_events",
    metadata,
    _text("job_id", primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),  # from 1: the id of the event for a client
    _tenant(),
    _text("kind"),
    sa.Column("data", sa.JSON, nullable=False),
    _at("created"),
    sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE"),
)

schedules = sa.Table(
    "schedules",
    metadata,
    _number(),
    _text("job_id", unique=True),
    _tenant(),
    sa.Column("attempt", sa.Integer, nullable=False),
    _text("etag"),
    _at("created"),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE"),
    sqlite_autoincrement=True,  # a number is never given twice
)

best_so_far = sa.Table(
    "best_so_far",
    metadata,
    _text("job_id", primary_key=True),
    _tenant(),
    sa.Column("attempt", sa.Integer, nullable=False),
    _text("etag"),
    _at("created"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE"),
)

plans = sa.Table(
    "plans",
    metadata,
    _tenant(primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    _text("job_id"),
    _text("etag"),
    _at("accepted"),
    _text("accepted_by"),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),  # a copy: the job's own result expires
)

pins = sa.Table(
    "pins",
    metadata,
    _tenant(primary_key=True),
    _text("item", primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("pin", sa.JSON, nullable=False),
    _at("created"),
    _text("created_by"),
)

progress_updates = sa.Table(
    "progress_updates",
    metadata,
    _number(),
    _tenant(),
    _text("item"),
    sa.Column("progress", sa.JSON, nullable=False),
    _at("created"),
    _text("created_by"),
    sa.Index(None, "tenant_id", "seq"),
    sqlite_autoincrement=True,  # a number is never given twice
)

calendar_tokens = sa.Table(
    "calendar_tokens",
    metadata,
    _text("id", primary_key=True),
    _tenant(),
    _text("person"),
    _text("hash"),
    _at("created"),
    _text("created_by"),
    _at("revoked", nullable=True),
    sa.Index(None, "tenant_id", "person"),
)

webhooks = sa.Table(
    "webhooks",
    metadata,
    _tenant(primary_key=True),
    _text("url"),
    _text("secret"),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    _at("created"),
    _text("created_by"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    _number(),
    _text("id", unique=True),
    _tenant(),
    _text("event"),
    sa.Column("body", sa.JSON, nullable=False),
    _text("state"),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
    _at("due"),
    sa.Column("status", sa.Integer),  # of the last answer
    _text("reason", nullable=True),
    _at("created"),
    sa.Index(None, "state", "due"),
    sa.Index(None, "tenant_id", "seq"),
    sqlite_autoincrement=True,  # a number is never given twice
)

audit = sa.Table(
    "audit",
    metadata,
    _tenant(primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),  # from 1, without a gap
    _at("at"),
    _text("actor"),
    _text("action"),
    _text("subject"),
    sa.Column("detail", sa.JSON, nullable=False),
    _text("previous"),
    _text("hash"),
)

settings = sa.Table(
    "settings",
    metadata,
    _tenant(primary_key=True),
    _text("key", primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)
