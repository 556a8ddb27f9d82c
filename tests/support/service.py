"""A service for tests: its own database, a clock that tests turn, keys, and plans that appear without a solver."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from support.sample_plan import sample_plan, sample_portfolio
from throttle.files import save_plan, save_portfolio
from throttle_api.auth import SCOPES, new_key
from throttle_api.jobs.states import Move, Outcome
from throttle_api.service import create_service
from throttle_api.settings import Settings
from throttle_api.storage import SYSTEM, Database, keys, migrate, sqlite_url, tenants
from throttle_api.storage import jobs as stored_jobs
from throttle_models import Plan, Team

ALL = tuple(SCOPES)
ADDRESS = "http://127.0.0.1"


class Clock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@cache
def small_plan() -> Plan:
    """A plan of 20 items, which carries its portfolio."""
    sample = sample_portfolio(items=20, people=4, projects=2)
    portfolio = sample.model_copy(update={"teams": {"dev": Team(), "ops": Team()}})
    return sample_plan(portfolio).model_copy(update={"portfolio": portfolio})


@cache
def small_document() -> bytes:
    """The same, as plan.json has it."""
    with TemporaryDirectory() as folder:
        save_plan(small_plan(), Path(folder) / "plan.json")
        return (Path(folder) / "plan.json").read_bytes()


@cache
def small_portfolio() -> dict[str, Any]:
    """Its portfolio, as portfolio files have it."""
    with TemporaryDirectory() as folder:
        portfolio = small_plan().portfolio
        assert portfolio is not None
        save_portfolio(portfolio, Path(folder) / "portfolio.json")
        found: dict[str, Any] = json.loads((Path(folder) / "portfolio.json").read_bytes())
        return found


@cache
def _empty_database() -> bytes:
    """An embedded one with its tables, which takes longer to make than most tests."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "throttle.db"
        database = Database(sqlite_url(file))
        migrate.upgrade(database)
        database.close()
        assert not file.with_name("throttle.db-wal").exists()  # all is in the one file
        return file.read_bytes()


@dataclass
class Kit:
    """A service that no worker works for: tests do, with :meth:`solve`. A PostgreSQL ``database`` has its tables."""

    folder: Path
    given: dict[str, Any] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.settings = Settings(data=self.folder, **({"rate": "1000000/second"} | self.given))
        self.database = Database(self.settings.url, clock=self.clock)
        if self.settings.embedded and not (self.folder / "throttle.db").exists():
            (self.folder / "throttle.db").write_bytes(_empty_database())
        self.app: FastAPI = create_service(self.settings, self.database)

    def key(self, tenant: str = "default", scopes: tuple[str, ...] = ALL, days: float | None = None) -> str:
        """A new key; the tenant is made where it is new."""
        id, whole, digest = new_key()
        with self.database.write(SYSTEM) as tx:
            if tenants.find(tx, tenant) is None:
                tenants.create(tx, tenant, queue_limit=self.settings.queued_jobs)
            expires = tx.now + timedelta(days=days) if days is not None else None
            keys.add(tx, id, tenant=tenant, name=f"test {id}", hash=digest, scopes=scopes, expires=expires)
        return whole

    def client(self, key: str | None = None, **how: Any) -> TestClient:
        """Calls the application directly, with a key of its own unless one is given (``""``: with none)."""
        key = self.key() if key is None else key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return TestClient(self.app, base_url=ADDRESS, headers=headers, raise_server_exceptions=False, **how)

    def solve(self, id: str, document: bytes | None = None, outcome: Outcome = Outcome.FEASIBLE) -> None:
        """Do what a worker does at the end of a job: by default, find the sample plan."""
        with self.database.write(SYSTEM) as tx:
            job = stored_jobs.claim(tx, "test", id)
            assert job is not None
            found = small_document() if document is None and outcome is not Outcome.INFEASIBLE else document
            ending = stored_jobs.Ending(Move.SUCCEED, outcome, found, {})
            assert stored_jobs.finish(tx, id, job.attempt, ending, timedelta(days=self.settings.keep_days))

    def planned(self, client: TestClient) -> str:
        """The id of a job that has found the sample plan."""
        answer = client.post("/v1/jobs", json={"portfolio": small_portfolio()})
        assert answer.status_code == 202, answer.text
        id: str = answer.json()["id"]
        self.solve(id)
        return id

    def accepted(self, client: TestClient) -> str:
        """The same, and the plan is accepted."""
        id = self.planned(client)
        answer = client.post(f"/v1/jobs/{id}/accept")
        assert answer.status_code == 201, answer.text
        return id

    def close(self) -> None:
        self.app.state.service.aside.close()
        self.database.close()
