"""``throttle db``, ``throttle audit`` and ``throttle worker`` at the command line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from throttle.cli import app
from throttle_api.storage import SYSTEM, Database, audit, jobs, sqlite_url, tenants


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    return CliRunner()


def fill(data: Path) -> None:
    database = Database(sqlite_url(data / "throttle.db"))
    with database.write(SYSTEM) as tx:
        tenants.create(tx, "acme")
    with database.write("acme") as tx:
        jobs.submit(tx, "solve", {}, {"portfolio": b"{}"}, by="x")
        for n in range(3):
            audit.add(tx, "x", "did", str(n))
    database.close()


def test_a_database_is_made_copied_and_restored(run: CliRunner, tmp_path: Path) -> None:
    assert run.invoke(app, ["db", "upgrade", "--data", "one"]).exit_code == 0
    fill(tmp_path / "one")
    assert "0004 (this release: 0004)" in run.invoke(app, ["db", "current", "--data", "one"]).stdout
    for name, more in (("exact", []), ("portable", ["--portable"])):
        assert run.invoke(app, ["db", "backup", name, "--data", "one", *more]).exit_code == 0
        assert run.invoke(app, ["db", "restore", name, "--data", f"from-{name}"]).exit_code == 0
        database = Database(sqlite_url(tmp_path / f"from-{name}" / "throttle.db"))
        with database.read("acme") as tx:
            assert len(jobs.find(tx)) == 1
        database.close()
    again = run.invoke(app, ["db", "restore", "exact", "--data", "from-exact"])
    assert again.exit_code == 2
    assert "not empty" in again.stderr
    down = run.invoke(app, ["db", "downgrade", "0001", "--data", "from-exact"])
    assert "revision 0001" in down.stderr
    refused = run.invoke(app, ["db", "backup", "late", "--portable", "--data", "from-exact"])
    assert refused.exit_code == 2
    assert "throttle db upgrade" in refused.stderr


@pytest.mark.parametrize("command", [["db", "current"], ["db", "backup", "x"], ["audit", "verify"], ["worker"]])
def test_a_database_that_is_not_there_is_named_and_not_made(run: CliRunner, tmp_path: Path, command: list[str]) -> None:
    result = run.invoke(app, command)
    assert result.exit_code == 2
    assert "throttle-data" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_workers_are_for_postgresql(run: CliRunner) -> None:
    run.invoke(app, ["db", "upgrade"])
    result = run.invoke(app, ["worker"])
    assert result.exit_code == 2
    assert "throttle serve works itself" in result.stderr
    assert "--role" in run.invoke(app, ["db", "upgrade", "--role", "x"]).stderr


def test_the_audit_log_is_verified(run: CliRunner, tmp_path: Path) -> None:
    run.invoke(app, ["db", "upgrade", "--data", "d"])
    fill(tmp_path / "d")
    whole = run.invoke(app, ["audit", "verify", "--data", "d"])
    assert whole.exit_code == 0
    tenant, head, verdict = whole.stdout.split()
    assert (tenant, head.split(":")[0], verdict) == ("acme", "3", "whole")
    expected = ["audit", "verify", "--data", "d", "--tenant", "acme", "--expect"]
    assert run.invoke(app, [*expected, head]).exit_code == 0
    assert run.invoke(app, [*expected, head.replace("3:", "2:")]).exit_code == 5
    assert run.invoke(app, [*expected, head.replace("3:", "4:")]).exit_code == 5
    assert run.invoke(app, ["audit", "verify", "--data", "d", "--expect", head]).exit_code == 2
    with closing(sqlite3.connect(tmp_path / "d" / "throttle.db")) as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET action = 'did not' WHERE n = 2")
        connection.commit()
    broken = run.invoke(app, ["audit", "verify", "--data", "d"])
    assert broken.exit_code == 5
    assert "entry 2" in broken.stdout
