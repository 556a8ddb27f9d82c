"""What the service keeps, in SQLite or PostgreSQL.

:class:`Database` opens transactions of one tenant each; the modules of this package are functions on such a
transaction, one module for each kind of thing::

    with database.write("acme") as tx:
        job, new = jobs.submit(tx, "solve", {"budget": 10}, {"portfolio": text}, by="key_1")
        audit.add(tx, "key_1", "job.submitted", job.id)

No function sees another tenant's rows: what is theirs is missing. A transaction of ``SYSTEM`` sees all.
"""

from throttle_api.storage.database import Clock, Database, Tx, sqlite_url, utc_now
from throttle_api.storage.errors import (
    FullError,
    KeyReusedError,
    MissingError,
    QueueFullError,
    StaleError,
    StateError,
    StorageError,
    UnavailableError,
)
from throttle_api.storage.tables import SYSTEM

__all__ = [
    "SYSTEM",
    "Clock",
    "Database",
    "FullError",
    "KeyReusedError",
    "MissingError",
    "QueueFullError",
    "StaleError",
    "StateError",
    "StorageError",
    "Tx",
    "UnavailableError",
    "sqlite_url",
    "utc_now",
]
