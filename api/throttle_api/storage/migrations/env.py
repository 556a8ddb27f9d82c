"""Run by Alembic; the connection comes from :mod:`throttle_api.storage.migrate`, in a transaction of its own."""

from __future__ import annotations

from alembic import context

from throttle_api.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
