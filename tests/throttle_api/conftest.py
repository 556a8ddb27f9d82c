"""Databases for the tests of the service: SQLite in a folder, and a PostgreSQL that is started once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from benchmarks.postgres import Postgres

from support.databases import Clock, Kept, sqlite_kept, with_tenants
from throttle_api.storage import Database, sqlite_url

_number = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with Postgres() as started:
        yield started


@pytest.fixture(params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    if request.param == "sqlite":
        found = sqlite_kept(tmp_path)
    else:
        owner, service = request.getfixturevalue("server").database(f"kept_{next(_number)}")
        clock = Clock()
        found = with_tenants(Kept(Database(service, clock=clock), Database(owner, clock=clock), clock))
    yield found
    found.database.close()
    found.owner.close()


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, for its owner."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "empty.db")
    return str(request.getfixturevalue("server").database(f"empty_{next(_number)}", empty=True)[0])
