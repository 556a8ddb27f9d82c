"""Portfolios that a tenant keeps here, each version unchanged for ever; and the imports that made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from throttle_api.storage.database import Tx
from throttle_api.storage.errors import MissingError, StaleError
from throttle_api.storage.packing import etag_of, new_id, pack, unpack
from throttle_api.storage.tables import datasets, imports


@dataclass(frozen=True, slots=True)
class Dataset:
    """One version of a portfolio, without its body."""

    id: str
    version: int
    title: str
    etag: str
    created: datetime
    created_by: str
    size: int


@dataclass(frozen=True, slots=True)
class Import:
    """What an upload was read as: the report accounts for every row."""

    seq: int
    id: str
    dataset_id: str | None
    dataset_version: int | None
    report: Mapping[str, Any]
    created: datetime
    created_by: str


_COLUMNS = tuple(datasets.c[name] for name in Dataset.__dataclass_fields__)


def put(
    tx: Tx, id: str, body: bytes, *, by: str, title: str = "", if_match: str | None = None, create: bool = True
) -> tuple[Dataset, bool]:
    """Keep a portfolio (JSON) as the next version of ``id``; whether the id is new.

    The same body as the newest version makes no new one. ``if_match``: the ETag that the newest version must have.
    Raises StaleError where it has another, or where another writer was quicker; MissingError where there is none and
    ``if_match`` was given or ``create`` is false.
    """
    newest = find(tx, id)
    if newest is None and (if_match is not None or not create):
        raise MissingError(f"There is no dataset {id}.")
    if newest is not None and if_match is not None and newest.etag != if_match:
        raise StaleError(f"The dataset {id} has changed since: read it again.")
    etag = etag_of(body)
    if newest is not None and newest.etag == etag:
        return newest, False
    values = {
        "tenant_id": tx.tenant,
        "id": id,
        "version": newest.version + 1 if newest else 1,
        "title": title or (newest.title if newest else ""),
        "etag": etag,
        "created": tx.now,
        "created_by": by,
        "size": len(body),
    }
    try:
        tx.execute(sa.insert(datasets).values(**values, body=pack(body)))
    except IntegrityError:  # the number was given away between our look and our write
        raise StaleError(f"The dataset {id} has just been changed: read it again.") from None
    made = find(tx, id)
    assert made is not None
    return made, newest is None


def find(tx: Tx, id: str, version: int | None = None) -> Dataset | None:
    """A version, by default the newest one."""
    query = sa.select(*_COLUMNS).where(tx.only_mine(datasets), datasets.c.id == id)
    if version is not None:
        query = query.where(datasets.c.version == version)
    row = tx.row(query.order_by(datasets.c.version.desc()).limit(1))
    return Dataset(**row) if row is not None else None


def get(tx: Tx, id: str, version: int | None = None) -> Dataset:
    """Raises MissingError."""
    if (found := find(tx, id, version)) is None:
        raise MissingError(f"There is no dataset {id}" + (f" of version {version}." if version else "."))
    return found


def body(tx: Tx, id: str, version: int | None = None) -> bytes:
    """The portfolio as JSON. Raises MissingError."""
    found = get(tx, id, version)
    kept: bytes = tx.value(
        sa.select(datasets.c.body).where(
            tx.only_mine(datasets), datasets.c.id == id, datasets.c.version == found.version
        )
    )
    return unpack(kept)


def every(tx: Tx, *, after: str | None = None, limit: int = 50) -> list[Dataset]:
    """The newest version of each, by id; ``after`` is the last id seen."""
    newest = (
        sa.select(datasets.c.tenant_id, datasets.c.id, sa.func.max(datasets.c.version).label("version"))
        .where(tx.only_mine(datasets))
        .group_by(datasets.c.tenant_id, datasets.c.id)
        .subquery()
    )
    same = sa.and_(*(datasets.c[name] == newest.c[name] for name in ("tenant_id", "id", "version")))
    query = sa.select(*_COLUMNS).join(newest, same).order_by(datasets.c.id).limit(limit)
    if after is not None:
        query = query.where(datasets.c.id > after)
    return [Dataset(**row) for row in tx.rows(query.where(tx.only_mine(datasets)))]


def versions(tx: Tx, id: str) -> list[Dataset]:
    """The newest first."""
    query = sa.select(*_COLUMNS).where(tx.only_mine(datasets), datasets.c.id == id)
    return [Dataset(**row) for row in tx.rows(query.order_by(datasets.c.version.desc()))]


def add_import(tx: Tx, report: Mapping[str, Any], made: Dataset | None, *, by: str) -> Import:
    """Keep what an upload was read as, and which version came of it."""
    values = {
        "id": new_id("imp"),
        "tenant_id": tx.tenant,
        "dataset_id": made.id if made else None,
        "dataset_version": made.version if made else None,
        "report": dict(report),
        "created": tx.now,
        "created_by": by,
    }
    tx.execute(sa.insert(imports).values(**values))
    return get_import(tx, str(values["id"]))


def get_import(tx: Tx, id: str) -> Import:
    """Raises MissingError."""
    columns = (imports.c[name] for name in Import.__dataclass_fields__)
    row = tx.row(sa.select(*columns).where(tx.only_mine(imports), imports.c.id == id))
    if row is None:
        raise MissingError(f"There is no import {id}.")
    return Import(**row)
