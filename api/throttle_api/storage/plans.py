"""The accepted plan in its versions, what is pinned in it, and what was reported of its progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from throttle_api.storage import jobs as job_store
from throttle_api.storage.database import Tx
from throttle_api.storage.errors import MissingError, StaleError, StateError
from throttle_api.storage.packing import unpack
from throttle_api.storage.tables import pins, plans, progress_updates, schedules


@dataclass(frozen=True, slots=True)
class Accepted:
    """A version of the accepted plan, without its body; it never changes."""

    version: int
    job_id: str
    etag: str
    accepted: datetime
    accepted_by: str
    size: int


@dataclass(frozen=True, slots=True)
class Pin:
    item: str
    version: int
    pin: Mapping[str, Any]
    created: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class ProgressUpdate:
    seq: int
    item: str
    progress: Mapping[str, Any]
    created: datetime
    created_by: str


_COLUMNS = tuple(plans.c[name] for name in Accepted.__dataclass_fields__)
_PIN = tuple(pins.c[name] for name in Pin.__dataclass_fields__)
_UPDATE = tuple(progress_updates.c[name] for name in ProgressUpdate.__dataclass_fields__)


def accept(tx: Tx, job_id: str, *, by: str, if_version: int | None = None) -> tuple[Accepted, bool]:
    """Make the result of a job the accepted plan, as the next version; whether it is new.

    To accept the same result again, while it is the newest, changes nothing. ``if_version``: the version that must be
    the newest (0: none is). Raises MissingError, StateError where the job has no plan, StaleError.
    """
    job = job_store.get(tx, job_id)
    row = tx.row(sa.select(schedules).where(tx.only_mine(schedules), schedules.c.job_id == job_id))
    if row is None or job.kind != "solve":
        raise StateError(f"The job {job_id} is {job.state} and has no plan to accept.")
    newest = find(tx)
    if if_version is not None and (newest.version if newest else 0) != if_version:
        raise StaleError("Another plan has been accepted since: read it again.")
    if newest is not None and newest.job_id == job_id:
        return newest, False
    values = {
        "tenant_id": tx.tenant,
        "version": newest.version + 1 if newest else 1,
        "job_id": job_id,
        "accepted": tx.now,
        "accepted_by": by,
        **{name: row[name] for name in ("etag", "size", "body")},
    }
    try:
        tx.execute(sa.insert(plans).values(**values))
    except IntegrityError:
        raise StaleError("Another plan has just been accepted: read it again.") from None
    return get(tx), True


def find(tx: Tx, version: int | None = None) -> Accepted | None:
    """A version of the accepted plan, by default the newest."""
    query = sa.select(*_COLUMNS).where(tx.only_mine(plans)).order_by(plans.c.version.desc()).limit(1)
    row = tx.row(query if version is None else query.where(plans.c.version == version))
    return Accepted(**row) if row is not None else None


def get(tx: Tx, version: int | None = None) -> Accepted:
    """Raises MissingError."""
    if (found := find(tx, version)) is None:
        raise MissingError(f"There is no accepted plan of version {version}." if version else "No plan is accepted.")
    return found


def body(tx: Tx, version: int | None = None) -> bytes:
    """The plan as JSON. Raises MissingError."""
    found = get(tx, version)
    kept: bytes = tx.value(sa.select(plans.c.body).where(tx.only_mine(plans), plans.c.version == found.version))
    return unpack(kept)


def every(tx: Tx) -> list[Accepted]:
    """The newest first."""
    return [
        Accepted(**row)
        for row in tx.rows(sa.select(*_COLUMNS).where(tx.only_mine(plans)).order_by(plans.c.version.desc()))
    ]


def put_pin(tx: Tx, item: str, pin: Mapping[str, Any], *, by: str, if_version: int | None = None) -> tuple[Pin, bool]:
    """Pin an item, in place of what was pinned of it before; whether it had no pin.

    ``if_version``: the version that its pin must have (0: it has none). Raises StaleError.
    """
    old = find_pin(tx, item)
    if if_version is not None and (old.version if old else 0) != if_version:
        raise StaleError(f"The pin of {item} has changed since: read it again.")
    values = {"pin": dict(pin), "created": tx.now, "created_by": by}
    if old is None:
        try:
            tx.execute(sa.insert(pins).values(**values, tenant_id=tx.tenant, item=item, version=1))
        except IntegrityError:
            raise StaleError(f"The pin of {item} has just been changed: read it again.") from None
    else:
        where = (tx.only_mine(pins), pins.c.item == item, pins.c.version == old.version)
        if not tx.execute(sa.update(pins).where(*where).values(**values, version=old.version + 1)).rowcount:
            raise StaleError(f"The pin of {item} has just been changed: read it again.")
    made = find_pin(tx, item)
    assert made is not None
    return made, old is None


def find_pin(tx: Tx, item: str) -> Pin | None:
    row = tx.row(sa.select(*_PIN).where(tx.only_mine(pins), pins.c.item == item))
    return Pin(**row) if row is not None else None


def every_pin(tx: Tx) -> list[Pin]:
    return [Pin(**row) for row in tx.rows(sa.select(*_PIN).where(tx.only_mine(pins)).order_by(pins.c.item))]


def remove_pin(tx: Tx, item: str) -> None:
    """Raises MissingError."""
    if not tx.execute(sa.delete(pins).where(tx.only_mine(pins), pins.c.item == item)).rowcount:
        raise MissingError(f"{item} is not pinned.")


def add_progress(tx: Tx, item: str, progress: Mapping[str, Any], *, by: str) -> ProgressUpdate:
    """Write down what was reported of an item; what was reported before stays."""
    values = {"tenant_id": tx.tenant, "item": item, "progress": dict(progress), "created": tx.now, "created_by": by}
    return ProgressUpdate(**tx.rows(sa.insert(progress_updates).values(**values).returning(*_UPDATE))[0])


def every_progress(tx: Tx, after: int = 0) -> list[ProgressUpdate]:
    """In the order in which it was reported."""
    query = sa.select(*_UPDATE).where(tx.only_mine(progress_updates), progress_updates.c.seq > after)
    return [ProgressUpdate(**row) for row in tx.rows(query.order_by(progress_updates.c.seq))]
