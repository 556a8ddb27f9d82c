"""Tenants: whose data it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from throttle_api.storage.database import Tx
from throttle_api.storage.errors import MissingError, StateError, StorageError
from throttle_api.storage.tables import SYSTEM, tenants

DEFAULT = "default"
"""The tenant of a service that has only one."""
QUEUE_LIMIT = 100
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class Tenant:
    id: str
    name: str
    queue_limit: int
    """So many of its jobs may wait."""
    disabled: bool
    created: datetime


def create(tx: Tx, id: str, name: str = "", queue_limit: int = QUEUE_LIMIT) -> Tenant:
    """A new tenant, by a transaction of it or of the system.

    Raises StorageError for a bad id, StateError where it is there already.
    """
    if not _ID.fullmatch(id) or id == SYSTEM:
        raise StorageError(f"The tenant id {id[:63]!r} is not a word of a-z, 0-9, - and _.")
    if find(tx, id) is not None:
        raise StateError(f"There is a tenant {id} already.")
    tx.execute(sa.insert(tenants).values(tenant_id=id, name=name or id, queue_limit=queue_limit, created=tx.now))
    return get(tx, id)


def find(tx: Tx, id: str) -> Tenant | None:
    row = tx.row(_query(tx).where(tenants.c.tenant_id == id))
    return Tenant(**row) if row is not None else None


def get(tx: Tx, id: str) -> Tenant:
    """Raises MissingError."""
    if (tenant := find(tx, id)) is None:
        raise MissingError(f"There is no tenant {id}.")
    return tenant


def every(tx: Tx) -> list[Tenant]:
    return [Tenant(**row) for row in tx.rows(_query(tx).order_by(tenants.c.tenant_id))]


def change(tx: Tx, id: str, *, queue_limit: int | None = None, disabled: bool | None = None) -> Tenant:
    """Raises MissingError."""
    values = {k: v for k, v in {"queue_limit": queue_limit, "disabled": disabled}.items() if v is not None}
    if values:
        tx.execute(sa.update(tenants).where(tx.only_mine(tenants), tenants.c.tenant_id == id).values(**values))
    return get(tx, id)


def _query(tx: Tx) -> sa.Select[tuple[str, str, int, bool, datetime]]:
    c = tenants.c
    return sa.select(c.tenant_id.label("id"), c.name, c.queue_limit, c.disabled, c.created).where(tx.only_mine(tenants))
