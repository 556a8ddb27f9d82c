"""``throttle serve`` and ``throttle keys``, as a person runs them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from benchmarks.postgres import Postgres
from typer.testing import CliRunner

from support.sample_plan import sample_plan, sample_portfolio
from support.service import Kit, small_portfolio
from throttle.cli import app
from throttle.client import Client
from throttle.files import save_plan
from throttle_api.running import Service
from throttle_api.settings import Settings
from throttle_api.worker.embedded import EmbeddedWorker
from throttle_models import Team

SAMPLE = sample_portfolio(items=20, people=4, projects=2)
PORTFOLIO = SAMPLE.model_copy(update={"teams": {"dev": Team(), "ops": Team()}})


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    save_plan(sample_plan(PORTFOLIO).model_copy(update={"portfolio": PORTFOLIO}), path)
    return path


@pytest.mark.skipif(os.name != "posix", reason="ends the server with a signal")
def test_serves_until_interrupted_and_then_ends_with_0(plan_file: Path) -> None:
    command = [sys.executable, "-m", "throttle", "serve", str(plan_file), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            match = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert match, said
            with urllib.request.urlopen(f"{match[0]}/v1/plan", timeout=10) as answer:
                assert json.load(answer)["kind"] == "plan"
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert "Traceback" not in err


def test_a_port_in_use_is_named_with_the_remedy(plan_file: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["serve", str(plan_file), "--port", port])
    assert result.exit_code == 2
    assert port in result.stderr
    assert "--port" in result.stderr


def test_what_is_no_plan_is_not_served(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["serve", str(tmp_path / "none.json")])
    assert result.exit_code == 2
    assert "none.json" in result.stderr


# --- the whole service


class Process:
    """``throttle serve`` in a process of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        command = [sys.executable, "-m", "throttle", "serve", "--port", "0", "--data", str(folder)]
        named = {f"THROTTLE_{name.upper()}": value for name, value in settings.items()}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | named
        )
        assert self.process.stderr is not None
        self.said = self.process.stderr.readline()
        match = re.search(r"http://127\.0\.0\.1:\d+", self.said)
        assert match, self.said + self.process.stderr.read()
        self.address = match[0]

    def end(self, by: int = signal.SIGTERM) -> str:
        """Everything else that it said."""
        self.process.send_signal(by)
        try:
            self.process.wait(60)
        finally:
            self.process.kill()
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        with self.process.stdout, self.process.stderr:
            return self.process.stderr.read()


def make_key(folder: Path, *more: str) -> str:
    made = CliRunner().invoke(app, ["keys", "create", "--data", str(folder), *more])
    assert made.exit_code == 0, made.stderr
    return made.stdout.strip()


@pytest.mark.skipif(os.name != "posix", reason="ends the server with a signal")
def test_the_service_plans_survives_its_end_and_goes_on(tmp_path: Path) -> None:
    first = Process(tmp_path, shutdown="0.2")
    try:
        with urllib.request.urlopen(f"{first.address}/readyz", timeout=10) as answer:
            assert answer.status == 200
        second = CliRunner().invoke(app, ["serve", "--port", "0", "--data", str(tmp_path)])
        assert second.exit_code == 2
        assert "Another process" in second.stderr
        client = Client(first.address, make_key(tmp_path))
        done = client.solve(portfolio=small_portfolio(), budget=0.2, deterministic=True, workers=1)
        assert client.wait(done["id"], 120)["state"] == "SUCCEEDED"
        long = client.solve(portfolio=small_portfolio(), budget=600)
        for event in client.events(long["id"]):
            if event.data.get("state") == "RUNNING":
                break
    finally:
        err = first.end()
    assert first.process.returncode == 0, err
    assert "Traceback" not in err
    assert "There is no key yet" in err
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    assert {line["route"] for line in lines if line["event"] == "request"} >= {
        "/v1/jobs",
        "/v1/jobs/{job_id}",
        "/readyz",
    }

    again = Process(tmp_path, shutdown="0.2", workers="0")
    try:
        client = Client(again.address, client.key)
        waiting = client.job(long["id"])
        assert (waiting["state"], waiting["attempt"]) == ("QUEUED", 1)
        assert client.plan_of(done["id"]).certificate.checked
        client.cancel(long["id"])
    finally:
        assert "There is no key yet" not in again.end(signal.SIGINT)
    assert again.process.returncode == 0


def test_from_its_end_on_a_service_begins_no_job_and_jobs_share_the_time_of_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = Kit(tmp_path)  # makes the tables
    service = Service(Settings(data=tmp_path, shutdown=0.05), kit.database)
    given: list[float] = []
    stop = EmbeddedWorker.stop

    def told(worker: EmbeddedWorker, patience: float) -> None:
        given.append(patience)
        stop(worker, 0.0)

    monkeypatch.setattr(EmbeddedWorker, "stop", told)
    service.start()
    service.end()
    id = kit.client().post("/v1/jobs", json={"portfolio": small_portfolio()}).json()["id"]
    time.sleep(0.1)  # requests in flight took all of it
    service.stop()
    assert given == [0.0]
    assert kit.client().get(f"/v1/jobs/{id}").json()["attempt"] == 0
    assert kit.client().get("/readyz").status_code == 200  # another application on the same database
    kit.close()


def test_options_of_one_plan_and_of_the_service_do_not_mix(plan_file: Path, tmp_path: Path) -> None:
    for arguments in ([str(plan_file), "--data", str(tmp_path)], ["--portfolio", str(plan_file)]):
        result = CliRunner().invoke(app, ["serve", *arguments])
        assert result.exit_code == 2
        assert "leave" in result.stderr


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = CliRunner().invoke(app, ["keys", "list", "--data", str(tmp_path / "file" / "data")])
    assert result.exit_code == 2
    assert "--data" in result.stderr


# --- keys


def rows(folder: Path) -> list[dict[str, Any]]:
    listed = CliRunner().invoke(app, ["keys", "list", "--json", "--data", str(folder)])
    assert listed.exit_code == 0
    found: list[dict[str, Any]] = json.loads(listed.stdout)
    return found


def test_a_key_is_made_rotated_and_revoked(tmp_path: Path) -> None:
    key = make_key(tmp_path, "--tenant", "acme", "--name", "ci", "--scopes", "read,metrics", "--days", "30")
    id = key.split("_")[1]
    [row] = rows(tmp_path)
    assert (row["id"], row["tenant"], row["scopes"], row["state"]) == (id, "acme", ["read", "metrics"], "live")
    assert key.split("_", 2)[2] not in str(row)
    rotated = CliRunner().invoke(app, ["keys", "rotate", id, "--hours", "1", "--data", str(tmp_path)])
    assert rotated.exit_code == 0
    newer = rotated.stdout.strip().split("_")[1]
    assert [(r["id"], r["scopes"]) for r in rows(tmp_path)] == [(id, row["scopes"]), (newer, row["scopes"])]
    third = CliRunner().invoke(app, ["keys", "create", "--tenant", "acme", "--name", "ci", "--data", str(tmp_path)])
    assert third.exit_code == 2  # two are live
    assert newer in third.stderr
    assert CliRunner().invoke(app, ["keys", "revoke", id, "--data", str(tmp_path)]).exit_code == 0
    assert [r["state"] for r in rows(tmp_path)] == ["revoked", "live"]
    again = CliRunner().invoke(app, ["keys", "rotate", id, "--data", str(tmp_path)])
    assert again.exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["create", "--scopes", "read,fly"], "fly is no scope"),
        (["create", "--scopes", " , "], "needs a scope"),
        (["create", "--tenant", "Acme Inc"], "is no tenant"),
        (["create", "--tenant", "*"], "is no tenant"),
        (["revoke", "nobody"], "there is no key"),
        (["rotate", "nobody"], "there is no key"),
    ],
)
def test_a_key_that_cannot_be_is_refused(tmp_path: Path, arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(app, ["keys", *arguments, "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.replace("\u2502", " ").split())
    assert not (tmp_path / "throttle.db").exists() or rows(tmp_path) == []


# --- on PostgreSQL


def test_a_role_that_row_level_security_does_not_hold_is_refused(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, _ = server.database("serve_owner")
    monkeypatch.setenv("THROTTLE_DATABASE", owner)
    result = CliRunner().invoke(app, ["serve", "--port", "0", "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "throttle db upgrade" in " ".join(result.stderr.split())


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="ends processes with a signal")
def test_services_and_workers_share_a_database(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url = server.database("serve_and_work")
    monkeypatch.setenv("THROTTLE_DATABASE", url)
    key = make_key(tmp_path)
    services = [Process(tmp_path / name) for name in ("one", "two")]
    worker = subprocess.Popen([sys.executable, "-m", "throttle", "worker"], stderr=subprocess.PIPE, text=True)
    try:
        one, two = (Client(s.address, key) for s in services)
        job = one.solve(portfolio=small_portfolio(), budget=0.2, deterministic=True, workers=1)
        assert [e.kind for e in two.events(job["id"])][-1] == "done"
        assert two.accept(job["id"])["version"] == 1
        assert one.plan().certificate.checked
    finally:
        for service in services:
            service.end()
        worker.send_signal(signal.SIGTERM)
        _, err = worker.communicate(timeout=60)
    assert [s.process.returncode for s in services] == [0, 0]
    assert worker.returncode == 0, err
