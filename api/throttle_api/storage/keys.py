"""API keys as they are kept: never the secret, only its hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from throttle_api.storage.database import Tx
from throttle_api.storage.errors import MissingError
from throttle_api.storage.tables import keys


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    tenant_id: str
    name: str
    hash: str
    """SHA-256 of the secret, hexadecimal."""
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime | None
    revoked: datetime | None

    def live(self, now: datetime) -> bool:
        return self.revoked is None and (self.expires is None or now < self.expires)


def add(
    tx: Tx, id: str, *, tenant: str, name: str, hash: str, scopes: Sequence[str], expires: datetime | None = None
) -> Key:
    """Keep a new key of a tenant; by a transaction of that tenant or of the system."""
    values = {"id": id, "tenant_id": tenant, "name": name, "hash": hash, "scopes": list(scopes)}
    tx.execute(sa.insert(keys).values(**values, created=tx.now, expires=expires))
    return get(tx, id)


def find(tx: Tx, id: str) -> Key | None:
    """By its id. To find out whose a key is, ask in a transaction of ``SYSTEM``."""
    row = tx.row(sa.select(keys).where(tx.only_mine(keys), keys.c.id == id))
    return _key(row) if row is not None else None


def get(tx: Tx, id: str) -> Key:
    """Raises MissingError."""
    if (key := find(tx, id)) is None:
        raise MissingError(f"There is no key {id}.")
    return key


def every(tx: Tx, tenant: str | None = None) -> list[Key]:
    """The oldest first; only those of a tenant."""
    query = sa.select(keys).where(tx.only_mine(keys)).order_by(keys.c.created, keys.c.id)
    return [_key(row) for row in tx.rows(query if tenant is None else query.where(keys.c.tenant_id == tenant))]


def revoke(tx: Tx, id: str) -> Key:
    """From now on it opens nothing; the first time counts. Raises MissingError."""
    where = (tx.only_mine(keys), keys.c.id == id, keys.c.revoked.is_(None))
    tx.execute(sa.update(keys).where(*where).values(revoked=tx.now))
    return get(tx, id)


def set_expiry(tx: Tx, id: str, expires: datetime | None) -> Key:
    """Raises MissingError."""
    tx.execute(sa.update(keys).where(tx.only_mine(keys), keys.c.id == id).values(expires=expires))
    return get(tx, id)


def _key(row: Any) -> Key:
    return Key(**{**row, "scopes": tuple(row["scopes"])})
