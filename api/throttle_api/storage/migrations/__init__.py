"""The database from one release to the next, by Alembic: see :mod:`throttle_api.storage.migrate`."""
