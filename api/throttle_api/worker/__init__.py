"""Who runs jobs: the worker in the serving process (SQLite), or ``throttle worker`` on any host (PostgreSQL)."""
