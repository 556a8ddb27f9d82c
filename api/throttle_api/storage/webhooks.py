"""Where a tenant wants to be told of events, and what was sent there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from throttle_api.storage.database import Tx
from throttle_api.storage.packing import new_id
from throttle_api.storage.tables import deliveries, webhooks

PENDING, SENT, GIVEN_UP = "pending", "sent", "given up"


@dataclass(frozen=True, slots=True)
class Webhook:
    tenant_id: str
    url: str
    secret: str
    active: bool
    created: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Delivery:
    seq: int
    id: str
    tenant_id: str
    event: str
    body: Mapping[str, Any]
    state: str
    attempt: int
    due: datetime
    status: int | None
    """HTTP status of the last answer."""
    reason: str | None
    created: datetime


def put(tx: Tx, url: str, secret: str, *, by: str, active: bool = True) -> Webhook:
    """The one webhook of this tenant, in place of an earlier one."""
    tx.execute(sa.delete(webhooks).where(tx.only_mine(webhooks), webhooks.c.tenant_id == tx.tenant))
    values = {"tenant_id": tx.tenant, "url": url, "secret": secret, "active": active}
    tx.execute(sa.insert(webhooks).values(**values, created=tx.now, created_by=by))
    made = find(tx)
    assert made is not None
    return made


def find(tx: Tx, tenant: str | None = None) -> Webhook | None:
    """Of this transaction's tenant; by the system, of the one named."""
    row = tx.row(sa.select(webhooks).where(tx.only_mine(webhooks), webhooks.c.tenant_id == (tenant or tx.tenant)))
    return Webhook(**row) if row is not None else None


def remove(tx: Tx) -> None:
    tx.execute(sa.delete(webhooks).where(tx.only_mine(webhooks), webhooks.c.tenant_id == tx.tenant))


def enqueue(tx: Tx, event: str, body: Mapping[str, Any], tenant: str | None = None) -> Delivery | None:
    """Something to send, in the transaction that makes it true; None where the tenant has no active webhook."""
    hook = find(tx, tenant)
    if hook is None or not hook.active:
        return None
    values = {"id": new_id("msg"), "tenant_id": hook.tenant_id, "event": event, "body": dict(body)}
    statement = sa.insert(deliveries).values(**values, state=PENDING, due=tx.now, created=tx.now)
    return Delivery(**tx.rows(statement.returning(deliveries))[0])


def due(tx: Tx, limit: int = 20) -> list[Delivery]:
    """What is to be sent by now, the longest due first."""
    where = (tx.only_mine(deliveries), deliveries.c.state == PENDING, deliveries.c.due <= tx.now)
    query = sa.select(deliveries).where(*where).order_by(deliveries.c.due, deliveries.c.seq).limit(limit)
    return [Delivery(**row) for row in tx.rows(query)]


def begin(tx: Tx, delivery: Delivery, next_due: datetime) -> bool:
    """Count an attempt before it is made, with the time of the next one should nobody hear of this one again; False
    where another worker was quicker."""
    where = (tx.only_mine(deliveries), deliveries.c.id == delivery.id, deliveries.c.attempt == delivery.attempt)
    statement = sa.update(deliveries).where(*where, deliveries.c.state == PENDING)
    return bool(tx.execute(statement.values(attempt=delivery.attempt + 1, due=next_due)).rowcount)


def settle(
    tx: Tx, id: str, state: str, *, status: int | None = None, reason: str | None = None, due: datetime | None = None
) -> None:
    """Write down how an attempt ended; with ``PENDING``, when the next one is ``due``."""
    values: dict[str, Any] = {"state": state, "status": status, "reason": reason}
    if due is not None:
        values["due"] = due
    tx.execute(sa.update(deliveries).where(tx.only_mine(deliveries), deliveries.c.id == id).values(**values))


def sent(tx: Tx, limit: int = 50) -> list[Delivery]:
    """The newest first, whatever became of them."""
    query = sa.select(deliveries).where(tx.only_mine(deliveries)).order_by(deliveries.c.seq.desc()).limit(limit)
    return [Delivery(**row) for row in tx.rows(query)]


def forget(tx: Tx, before: datetime) -> int:
    """Drop what was settled and is older; how many."""
    where = (tx.only_mine(deliveries), deliveries.c.state != PENDING, deliveries.c.created < before)
    return tx.execute(sa.delete(deliveries).where(*where)).rowcount
