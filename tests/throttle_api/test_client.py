"""``throttle.client`` and ``throttle plan --server``, against a service on a real socket."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from typer.testing import CliRunner

from support.service import Kit, small_document, small_plan, small_portfolio
from throttle.cli import app
from throttle.client import Client, ServiceError
from throttle.errors import InputError
from throttle.files import load_plan, save_plan, save_portfolio
from throttle_api.jobs.states import Outcome
from throttle_api.storage import SYSTEM
from throttle_api.storage import jobs as stored


class Served:
    """A service that listens, in a thread."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.listening = socket.socket()
        self.listening.bind(("127.0.0.1", 0))
        self.listening.listen()
        self.server = uvicorn.Server(uvicorn.Config(kit.app, log_config=None, access_log=False))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listening]}, daemon=True)
        self.thread.start()
        self.address = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.client = Client(self.address, kit.key(), timeout=20)

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(20)
        self.listening.close()
        self.kit.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(Kit(tmp_path_factory.mktemp("client")))
    yield served
    served.close()


@pytest.fixture
def client(served: Served) -> Client:
    return served.client


def test_from_a_portfolio_to_the_week(served: Served, client: Client) -> None:
    put = client.put_dataset("it", small_portfolio())
    assert client.put_dataset("it", small_portfolio() | {"currency": "EUR"}, put["etag"])["version"] == 2
    assert client.dataset("it")["currency"] == "EUR"
    job = client.solve(dataset="it", budget=1)
    assert (job["state"], job["request"]["budget"]) == ("QUEUED", 1.0)
    served.kit.solve(job["id"])
    assert client.wait(job["id"], 10)["state"] == "SUCCEEDED"
    assert client.plan_of(job["id"]) == small_plan()
    assert [e.kind for e in client.events(job["id"])] == ["state", "state", "done"]
    assert [e.kind for e in client.events(job["id"], after=2)] == ["done"]
    assert client.week("2026-W48", job["id"])["week"] == "2026-W48"
    assert client.accept(job["id"])["version"] >= 1
    assert client.plan() == small_plan()
    assert client.week("2026-W48") == client.week("2026-W48", job["id"])
    assert client.pin("W-1", who=["p1"])["item"] == "W-1"
    client.unpin("W-1")
    assert client.progress([{"item": "W-1", "status": "done"}]) == {"accepted": 1}
    newer = client.replan(as_of="2026-11-25T08:00")
    assert client.cancel(newer["id"])["state"] == "CANCELLED"
    client.delete(newer["id"])
    assert newer["id"] not in {j["id"] for j in client.jobs()}


def test_exports_are_imported(client: Client, tmp_path: Path) -> None:
    export = tmp_path / "jira.csv"
    export.write_text("Issue key,Summary,Status,Created\nOPS-1,Patch,To Do,2026-11-02\n", encoding="utf-8")
    made = client.import_exports([export], dataset="tickets", zone="UTC")
    assert (made["dataset"]["id"], made["report"]["imported"]) == ("tickets", 1)
    with pytest.raises(InputError, match=r"none\.csv"):
        client.import_exports([tmp_path / "none.csv"])


def test_events_arrive_while_a_job_goes_on(served: Served, client: Client) -> None:
    id = client.solve(portfolio=small_portfolio())["id"]
    seen: list[str] = []

    def watch() -> None:
        seen.extend(e.kind for e in client.events(id))

    watcher = threading.Thread(target=watch)
    watcher.start()
    until = time.monotonic() + 10
    while not seen and time.monotonic() < until:
        time.sleep(0.02)
    assert seen == ["state"]
    with served.kit.database.write(SYSTEM) as tx:
        job = stored.claim(tx, "test", id)
        assert job is not None
        stored.report(tx, id, job.attempt, {"incumbent": 7.0})
        ending = stored.Ending(stored.Move.SUCCEED, Outcome.FEASIBLE, small_document(), {})
        stored.finish(tx, id, job.attempt, ending)
    watcher.join(10)
    assert seen == ["state", "state", "progress", "done"]


def test_jobs_come_from_all_pages(served: Served) -> None:
    kit = served.kit
    mine = Client(served.address, kit.key("pages"))
    made = [mine.solve(portfolio=small_portfolio(), seed=n)["id"] for n in range(3)]
    assert [j["id"] for j in mine.jobs()] == made[::-1]
    assert list(mine.jobs(state="RUNNING")) == []


def test_a_refusal_carries_its_code_and_all_errors(client: Client) -> None:
    with pytest.raises(ServiceError, match="cannot be planned as written") as told:
        client.solve(portfolio={"throttle": 1, "as_of": "2026-11-23", "work": {"A": {"after": ["B"]}}})
    assert (told.value.status, told.value.code) == (422, "invalid-portfolio")
    assert len(told.value.findings) >= 2
    with pytest.raises(ServiceError, match="key") as told:
        Client(client.address, "thr_wrong").job("job_" + "0" * 24)
    assert told.value.status == 401


def test_a_service_that_is_away_is_an_error_with_its_address() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(InputError, match=address):
        Client(address, "thr_x", attempts=1).plan()
    with pytest.raises(InputError, match="is no address"):
        Client("ftp://x", "thr_x")


def test_a_redirect_gets_no_key() -> None:
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def answer() -> None:
            taken, _ = listening.accept()
            with taken:
                asked.append(taken.recv(65536))
                head = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{port}/else\r\nContent-Length: 0\r\n\r\n"
                taken.sendall(head.encode())

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ServiceError):
            Client(f"http://127.0.0.1:{port}", "thr_x", attempts=1).plan()
        thread.join()
    assert len(asked) == 1


def test_the_key_is_not_shown(client: Client) -> None:
    assert "thr_" not in repr(replace(client))


# --- throttle plan --server


@pytest.fixture
def portfolio(tmp_path: Path) -> Path:
    made = small_plan().portfolio
    assert made is not None
    save_portfolio(made, tmp_path / "portfolio.yaml")
    return tmp_path / "portfolio.yaml"


def run(served: Served, portfolio: Path, out: Path, monkeypatch: pytest.MonkeyPatch, document: bytes | None) -> object:
    """``throttle plan --server`` while a worker finds this document, or that there is no plan."""
    monkeypatch.setenv("THROTTLE_KEY", served.client.key)
    known = {j["id"] for j in served.client.jobs()}
    arguments = ["plan", str(portfolio), "--server", served.address, "--out", str(out), "--quiet"]

    def work() -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            for job in served.client.jobs():
                if job["id"] not in known:
                    served.kit.solve(job["id"], document, Outcome.FEASIBLE if document else Outcome.INFEASIBLE)
                    return
            time.sleep(0.05)

    worker = threading.Thread(target=work)
    worker.start()
    result = CliRunner().invoke(app, arguments)
    worker.join()
    return result


def test_a_plan_of_a_service_is_written_like_one_made_here(
    served: Served, portfolio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from throttle.planning import make_plan

    made_from = small_plan().portfolio
    assert made_from is not None
    plan = make_plan(made_from, budget=0.2, workers=1, deterministic=True)
    save_plan(plan, tmp_path / "found.json")
    result = run(served, portfolio, tmp_path / "out", monkeypatch, (tmp_path / "found.json").read_bytes())
    assert result.exit_code == 0, result.stderr  # type: ignore[attr-defined]
    assert load_plan(tmp_path / "out" / "plan.json") == plan
    assert (tmp_path / "out" / "index.html").is_file()


def test_a_plan_of_a_service_that_breaks_a_rule_is_not_written(
    served: Served, portfolio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(served, portfolio, tmp_path / "out", monkeypatch, small_document())  # which the solver never made
    assert result.exit_code == 5  # type: ignore[attr-defined]
    assert not (tmp_path / "out").exists()


def test_that_a_service_finds_no_plan_ends_with_3(
    served: Served, portfolio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(served, portfolio, tmp_path / "out", monkeypatch, None)
    assert result.exit_code == 3  # type: ignore[attr-defined]


def test_without_a_key_the_remedy_is_told(portfolio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THROTTLE_KEY", raising=False)
    result = CliRunner().invoke(app, ["plan", str(portfolio), "--server", "http://127.0.0.1:1"])
    assert result.exit_code == 2
    assert "THROTTLE_KEY" in result.stderr


# --- a client that knows nothing but the description


def test_a_client_made_from_the_description_alone_can_do_everything(served: Served) -> None:
    """A client generated on the spot from OpenAPI: each operation is called by its id with its own example."""
    import re
    import urllib.error
    import urllib.request

    with urllib.request.urlopen(f"{served.address}/openapi.json") as answer:
        described = json.load(answer)
    operations = {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }
    assert len(operations) == sum(len(m) for m in described["paths"].values())

    def operate(id: str, body: object = None, **ids: str) -> tuple[int, object]:
        method, path, operation = operations[id]
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path" and parameter["name"] not in ids:
                schema = parameter["schema"]
                ids[parameter["name"]] = schema.get("examples", parameter.get("examples", ["x"]))[0]
        url = served.address + re.sub(r"\{(\w+)\}", lambda m: ids[m[1]], path)
        content = operation.get("requestBody", {}).get("content", {})
        if body is None and "application/json" in content:
            body = content["application/json"]["example"]
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": f"Bearer {served.client.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(url, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as got:
                status, text = got.status, got.read()
        except urllib.error.HTTPError as problem:
            with problem:
                status, text = problem.code, problem.read()
        assert str(status) in operation["responses"], (id, status, text[:300])
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    assert operate("putDataset", dataset_id="generated")[0] == 201
    status, job = operate(
        "createJob",
        {**operations["createJob"][2]["requestBody"]["content"]["application/json"]["example"], "dataset": "generated"},
    )
    assert status == 202
    assert isinstance(job, dict)
    served.kit.solve(job["id"])
    for id in ("getJob", "getResult", "acceptPlan", "getResultWeek"):
        assert operate(id, job_id=job["id"])[0] in (200, 201)
    for id in (
        "getPlan",
        "getWeek",
        "listJobs",
        "listDatasets",
        "getHealth",
        "getReadiness",
        "getMetrics",
        "getPlanReport",
    ):
        assert operate(id)[0] == 200, id
    slow = {"explainResult", "explainResultItem", "explainPlanItem", "comparePlans", "createImport"}
    for id in operations.keys() - slow:
        operate(id)
