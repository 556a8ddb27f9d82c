"""The audit log: who asked for, accepted, pinned or cancelled what. Only added to, and chained by hashes.

Each entry's hash covers the one before, so that a changed, removed or inserted entry breaks the chain from there on.
Entries cut off at the end leave a chain that is whole: keep the number and hash of the last entry elsewhere (``throttle
audit verify`` prints it, and compares with ``--expect``) to notice that too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from throttle_api.storage.database import Tx
from throttle_api.storage.tables import audit

FIRST = "0" * 64
"""What the first entry has as the hash of the one before it."""
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    tenant_id: str
    n: int
    """From 1, without a gap."""
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Chain:
    """What is left of a tenant's log: its length and last hash, and where it is broken first, if it is."""

    tenant_id: str
    entries: int
    head: str
    broken: int | None = None
    why: str = ""


def add(tx: Tx, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None) -> Entry:
    """Write an entry of this transaction's tenant, in the transaction of what it tells."""
    if tx.postgres:  # one writer of a chain at a time; SQLite has only one anyway
        lock = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
        tx.execute(lock, {"name": f"throttle audit {tx.tenant}"})
    head = tx.row(_newest(tx))
    n, previous = (head["n"] + 1, head["hash"]) if head is not None else (1, FIRST)
    told = json.loads(json.dumps(dict(detail or {})))
    entry = Entry(tx.tenant, n, tx.now, actor, action, subject, told, previous, "")
    entry = replace(entry, hash=hash_of(entry))
    tx.execute(sa.insert(audit).values(asdict(entry)))
    return entry


def hash_of(entry: Entry) -> str:
    """SHA-256 over the entry and the hash before it, as canonical JSON."""
    parts = [entry.tenant_id, entry.n, entry.at.isoformat(timespec="microseconds"), entry.actor, entry.action]
    text = json.dumps([*parts, entry.subject, entry.detail, entry.previous], sort_keys=True, ensure_ascii=True)
    return sha256(text.encode()).hexdigest()


def entries(tx: Tx, after: int = 0, limit: int = _PAGE) -> list[Entry]:
    """Of this transaction's tenant, from the number after ``after`` on."""
    query = sa.select(audit).where(tx.only_mine(audit), audit.c.tenant_id == tx.tenant, audit.c.n > after)
    return [Entry(**row) for row in tx.rows(query.order_by(audit.c.n).limit(limit))]


def verify(tx: Tx, tenant: str) -> Chain:
    """Read a tenant's log from its beginning, and say where its chain is broken first."""
    n, previous = 0, FIRST
    for entry in _all(tx, tenant):
        why = ""
        if entry.n != n + 1:
            why = f"entry {n + 1} is missing"
        elif entry.previous != previous:
            why = f"entry {entry.n} does not follow on the one before it"
        elif entry.hash != hash_of(entry):
            why = f"entry {entry.n} is not what was written"
        if why:
            return Chain(tenant, n, previous, n + 1, why)
        n, previous = entry.n, entry.hash
    return Chain(tenant, n, previous)


def hash_at(tx: Tx, tenant: str, n: int) -> str | None:
    """The hash of an entry; None where there is no such entry."""
    if n == 0:
        return FIRST
    query = sa.select(audit.c.hash).where(tx.only_mine(audit), audit.c.tenant_id == tenant, audit.c.n == n)
    found: str | None = tx.value(query)
    return found


def tenants_with_entries(tx: Tx) -> list[str]:
    query = sa.select(audit.c.tenant_id).where(tx.only_mine(audit)).distinct().order_by(audit.c.tenant_id)
    return [row["tenant_id"] for row in tx.rows(query)]


def _newest(tx: Tx) -> sa.Select[Any]:
    mine = sa.select(audit.c.n, audit.c.hash).where(tx.only_mine(audit), audit.c.tenant_id == tx.tenant)
    return mine.order_by(audit.c.n.desc()).limit(1)


def _all(tx: Tx, tenant: str) -> Iterator[Entry]:
    after = 0
    while True:
        query = sa.select(audit).where(tx.only_mine(audit), audit.c.tenant_id == tenant, audit.c.n > after)
        rows = tx.rows(query.order_by(audit.c.n).limit(_PAGE))
        if not rows:
            return
        for row in rows:
            yield Entry(**row)
        after = rows[-1]["n"]
