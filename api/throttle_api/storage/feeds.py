"""Tokens of calendar feeds: one opens the calendar of one person, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from throttle_api.storage.database import Tx
from throttle_api.storage.errors import MissingError
from throttle_api.storage.tables import calendar_tokens


@dataclass(frozen=True, slots=True)
class CalendarToken:
    id: str
    tenant_id: str
    person: str
    hash: str
    """SHA-256 of the secret, hexadecimal."""
    created: datetime
    created_by: str
    revoked: datetime | None


def add(tx: Tx, id: str, *, person: str, hash: str, by: str) -> CalendarToken:
    values = {"id": id, "tenant_id": tx.tenant, "person": person, "hash": hash, "created": tx.now, "created_by": by}
    tx.execute(sa.insert(calendar_tokens).values(**values))
    made = find(tx, id)
    assert made is not None
    return made


def find(tx: Tx, id: str) -> CalendarToken | None:
    """By its id. To find out whose it is, ask in a transaction of ``SYSTEM``."""
    row = tx.row(sa.select(calendar_tokens).where(tx.only_mine(calendar_tokens), calendar_tokens.c.id == id))
    return CalendarToken(**row) if row is not None else None


def every(tx: Tx) -> list[CalendarToken]:
    query = sa.select(calendar_tokens).where(tx.only_mine(calendar_tokens))
    return [CalendarToken(**r) for r in tx.rows(query.order_by(calendar_tokens.c.person, calendar_tokens.c.created))]


def revoke(tx: Tx, id: str) -> None:
    """From now on it opens nothing. Raises MissingError."""
    where = (tx.only_mine(calendar_tokens), calendar_tokens.c.id == id)
    if find(tx, id) is None:
        raise MissingError(f"There is no calendar token {id}.")
    tx.execute(sa.update(calendar_tokens).where(*where, calendar_tokens.c.revoked.is_(None)).values(revoked=tx.now))
