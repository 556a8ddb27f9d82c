"""What the fixtures of ``tests/throttle_api/conftest.py`` give: a database of the service, and a clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from throttle_api.storage import SYSTEM, Database, migrate, sqlite_url, tenants

TENANTS = ("acme", "other")


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: datetime = datetime(2026, 11, 23, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Kept:
    """A migrated database with the tenants ``acme`` and ``other``, as the service connects to it."""

    database: Database
    owner: Database
    """The same, as the owner of the tables connects to it; on SQLite there is no other."""
    clock: Clock = field(default_factory=Clock)


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        database = Database(sqlite_url(Path(folder) / "throttle.db"))
        migrate.upgrade(database)
        database.close()
        return (Path(folder) / "throttle.db").read_bytes()


def sqlite_kept(folder: Path) -> Kept:
    clock = Clock()
    (folder / "throttle.db").write_bytes(_migrated())
    database = Database(sqlite_url(folder / "throttle.db"), clock=clock)
    return with_tenants(Kept(database, database, clock))


def with_tenants(kept: Kept) -> Kept:
    with kept.database.write(SYSTEM) as tx:
        for tenant in TENANTS:
            tenants.create(tx, tenant)
    return kept
