"""Small facts that outlive a process, by key, of a tenant or of the system."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from throttle_api.storage.database import Tx
from throttle_api.storage.tables import settings


def get(tx: Tx, key: str) -> Any:
    """None where it was never set."""
    return tx.value(sa.select(settings.c.value).where(settings.c.tenant_id == tx.tenant, settings.c.key == key))


def put(tx: Tx, key: str, value: Any) -> None:
    tx.execute(sa.delete(settings).where(settings.c.tenant_id == tx.tenant, settings.c.key == key))
    tx.execute(sa.insert(settings).values(tenant_id=tx.tenant, key=key, value=value))
