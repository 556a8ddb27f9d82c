"""Uploads: read apart from the service, limited, and whatever they are, the service goes on answering."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.malformed import JIRA, MALFORMED
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from support.service import Kit


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    kit = Kit(tmp_path_factory.mktemp("imports"), {"upload_bytes": 3_000_000, "upload_rows": 50, "import_seconds": 60})
    yield kit
    kit.close()


@pytest.fixture(scope="module")
def client(kit: Kit) -> TestClient:
    return kit.client()


def send(client: TestClient, *files: tuple[str, bytes], **parts: Any) -> Any:
    return client.post("/v1/imports", files=[("file", f) for f in files], data=parts)


def test_an_export_becomes_a_dataset_with_an_account_of_every_row(client: TestClient) -> None:
    answer = send(client, ("jira.csv", JIRA.encode()), dataset="tickets", zone="America/Chicago")
    assert answer.status_code == 201, answer.text
    report = answer.json()["report"]
    assert report["rows_read"] == report["imported"] + report["merged"] + report["rejected"] == 2
    dataset = client.get(answer.headers["location"])
    assert set(dataset.json()["work"]) == {"OPS-1", "OPS-2"}
    assert dataset.headers["etag"] == answer.headers["etag"]
    again = send(client, ("jira.csv", JIRA.replace("To Do", "Done").encode()), dataset="tickets")
    assert again.json()["dataset"]["version"] == 2


def test_what_is_uploaded_can_be_planned(client: TestClient) -> None:
    id = send(client, ("jira.csv", JIRA.encode())).json()["dataset"]["id"]
    assert client.post("/v1/jobs", json={"dataset": id}).status_code == 202


def test_a_team_file_counts(client: TestClient) -> None:
    team = b"people: {brent: {name: Brent, skills: {oracle: 3}}}\n"
    files = [("file", ("jira.csv", JIRA.encode())), ("team", ("team.yaml", team))]
    answer = client.post("/v1/imports", files=files)
    assert answer.status_code == 201, answer.text
    assert client.get(answer.headers["location"]).json()["people"]["brent"]["skills"] == {"oracle": 3}


ALWAYS = ("empty", "binary", "cut off in a quote", "long field", "entities", "json deep", "zip bomb", "no workbook",
          "a name that climbs", "a long name", "many columns", "utf-32 of half a character",
          "a calendar of every second")  # fmt: skip


@pytest.mark.parametrize(
    "what", [pytest.param(what, marks=[] if what in ALWAYS else [pytest.mark.long]) for what in MALFORMED]
)
def test_a_malformed_upload_is_refused_and_the_service_goes_on(kit: Kit, client: TestClient, what: str) -> None:
    answer = send(client, MALFORMED[what])
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if answer.status_code == 422:
        assert answer.json()["errors"]
        assert "reader-failed" not in {e.get("code") for e in answer.json()["errors"]}, answer.text
    assert str(kit.folder) not in answer.text
    assert client.get("/readyz").status_code == 200
    assert list((kit.folder / "uploads").iterdir()) == []


def test_an_upload_of_which_no_row_can_be_taken_replaces_nothing(client: TestClient) -> None:
    first = send(client, ("jira.csv", JIRA.encode()), dataset="kept")
    assert first.status_code == 201
    header, row, _ = JIRA.encode().splitlines()
    answer = send(client, ("jira.csv", header + b"\n" + row + b",and,more,cells\n"), dataset="kept")
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable-upload")
    [error] = answer.json()["errors"]
    assert (error["file"], error["row"], error["code"]) == ("jira.csv", 1, "rejected-row")
    assert client.get("/v1/datasets/kept").headers["etag"] == first.headers["etag"]


def test_no_file_of_an_upload_is_ever_run(kit: Kit, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = kit.folder / "ran"
    code = f"open({str(mark)!r}, 'w')".encode()
    monkeypatch.chdir(kit.folder)
    (kit.folder / "csv.py").write_bytes(code)
    names = ("json.py", "csv.py", "throttle.py", "throttle_api.py", "sitecustomize.py", "usercustomize.py", "x.pth")
    answer = send(client, *((name, code) for name in names))
    assert answer.status_code == 422
    assert not mark.exists()


def test_what_is_refused_says_which_limit(client: TestClient) -> None:
    rows = send(client, MALFORMED["too many rows"]).json()
    assert (rows["code"], rows["errors"][0]["code"]) == ("unreadable-upload", "too-many-rows")
    size = send(client, ("a.csv", b"x" * 4_000_000))
    assert (size.status_code, size.json()["code"]) == (413, "too-large")


@pytest.mark.parametrize(
    ("files", "data", "where"),
    [
        ([], {"dataset": "x"}, "body.file"),
        ([("file", ("a.csv", b"x"))], {"dataset": "../x"}, "body.dataset"),
        ([("file", ("a.csv", b"x"))], {"zone": "../../etc"}, "body.zone"),
        ([("file", ("a.csv", b"x"))], {"zone": "\x00"}, "body.zone"),
        ([("file", ("a.csv", b"x"))], {"encoding": "rot13"}, "body.encoding"),
        ([("file", ("a.csv", b"x"))], {"date_order": "ymd"}, "body.date_order"),
        ([("file", ("a.csv", b"x"))], {"colour": "red"}, "body.form"),
        ([("file", ("a.csv", b"x")), ("team", ("t", b"")), ("team", ("t", b""))], {}, "body.team"),
        ([("zone", ("a.csv", b"x"))], {}, "body.zone"),
    ],
)
def test_a_form_that_does_not_fit_says_where(client: TestClient, files: Any, data: Any, where: str) -> None:
    files = files or [("nothing", ("", b""))]
    answer = client.post("/v1/imports", files=files, data=data)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request"), answer.text
    assert where in {e["where"] for e in answer.json()["errors"]}


@pytest.mark.parametrize(
    "body", [b"", b"--x", b"--x\r\n\r\n\r\n--x--", b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--\r\n"]
)
def test_a_form_that_is_none_is_a_problem(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/imports", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status_code in (400, 422)
    none = client.post("/v1/imports", content=b"--x--", headers={"Content-Type": "multipart/form-data"})
    assert none.status_code == 400


def test_reading_that_takes_too_long_or_too_much_is_ended(tmp_path: Path) -> None:
    rows = "".join(f"OPS-{n},{'t' * 40},Done,Task,2026-11-03,E,Low\n" for n in range(3, 40_000))
    kit = Kit(tmp_path, {"import_seconds": 0.05})
    slow = send(kit.client(), ("jira.csv", (JIRA + rows).encode()))
    assert (slow.status_code, slow.json()["errors"][0]["code"]) == (422, "slow")
    kit.close()
    kit = Kit(tmp_path, {"import_memory": 8})
    large = send(kit.client(), ("jira.csv", (JIRA + rows).encode()))
    assert (large.status_code, large.json()["errors"][0]["code"]) == (422, "too-heavy")
    kit.close()


@given(st.binary(max_size=300), st.sampled_from(["/v1/jobs", "/v1/datasets/x", "/v1/plan/progress", "/v1/webhook"]))
@settings(
    max_examples=40, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck), deadline=None
)
def test_no_body_makes_the_service_fail(client: TestClient, body: bytes, path: str) -> None:
    method = "PUT" if path in ("/v1/datasets/x", "/v1/webhook") else "POST"
    answer = client.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["throttle", "as_of", "work", "people", "policy", "needs", "after", "effort", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(VALUES)
@settings(
    max_examples=30, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck), deadline=None
)
def test_no_portfolio_makes_the_service_fail(client: TestClient, value: Any) -> None:
    body = {"throttle": 1, "as_of": "2026-11-23"} | (value if isinstance(value, dict) else {"work": value})
    answer = client.put(
        "/v1/datasets/fuzz",
        content=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "If-Match": "*"},
    )
    assert answer.status_code in (200, 201, 400, 412, 422), answer.text
