"""Keys, scopes, rates, bodies, headers, hosts, logs: for every route that there is."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st

from support.service import ALL, Kit, small_portfolio
from throttle.errors import InputError
from throttle_api.auth import SCOPES, by_key, hash_of, new_key
from throttle_api.bodies import too_deep
from throttle_api.context import Needs
from throttle_api.gate import OPEN, SECURITY
from throttle_api.routes import ROUTERS
from throttle_api.settings import load_settings
from throttle_api.storage import SYSTEM, keys

ROUTES = [
    (method, route) for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)
    for method in sorted(route.methods)
]  # fmt: skip
NAMES = [f"{method} {route.path_format}" for method, route in ROUTES]
FILLED = {
    "job_id": "job_" + "0" * 24,
    "dataset_id": "it",
    "item_id": "W-1",
    "iso_week": "2026-W48",
    "calendar_id": "cal_" + "0" * 24,
    "token": "none.ics",
}


def address(route: APIRoute) -> str:
    return re.sub(r"\{(\w+)\}", lambda m: FILLED[m[1]], route.path_format)


def scope_of(route: APIRoute) -> str | None:
    found = [d.call.scope for d in route.dependant.dependencies if isinstance(d.call, Needs)]
    return found[0] if found else None


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = Kit(tmp_path)
    yield kit
    kit.close()


# --- who may


@pytest.mark.parametrize(("method", "route"), ROUTES, ids=NAMES)
def test_every_route_needs_a_key_with_its_scope_or_is_open_on_purpose(
    shared: Kit, method: str, route: APIRoute
) -> None:
    kit = shared
    without = kit.client("").request(method, address(route))
    if OPEN.fullmatch(address(route)):
        assert scope_of(route) is None
        assert without.status_code != 401
        return
    assert (without.status_code, without.json()["code"]) == (401, "no-key")
    assert without.headers["www-authenticate"].startswith("Bearer")
    scope = scope_of(route)
    assert scope in SCOPES
    others = kit.key(scopes=tuple(s for s in ALL if s != scope))
    refused = kit.client(others).request(method, address(route))
    assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")
    allowed = kit.client(kit.key(scopes=(scope,))).request(method, address(route))
    assert allowed.status_code not in (401, 403)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    kit = Kit(tmp_path_factory.mktemp("shared"))
    yield kit
    kit.close()


def test_the_open_addresses_are_few() -> None:
    opened = [name for name, (_, route) in zip(NAMES, ROUTES, strict=True) if OPEN.fullmatch(address(route))]
    assert opened == ["GET /v1/calendars/feed/{token}", "GET /healthz", "GET /readyz"]


@pytest.mark.parametrize(
    "path", ["/v1/jobs/", "//v1/jobs", "/v1/nothing", "/healthz/", "/docs", "/v1/calendars/feed/a/b"]
)
def test_what_is_no_route_needs_a_key_too(kit: Kit, path: str) -> None:
    assert kit.client("").get(path).status_code == 401


# --- keys


def test_a_key_opens_until_it_expires(kit: Kit) -> None:
    client = kit.client(kit.key(days=1))
    assert client.get("/v1/jobs").status_code == 200
    kit.clock.forward(days=1, seconds=1)
    kit.app.state.service._known.clear()  # what is remembered for a second of the real clock
    assert client.get("/v1/jobs").status_code == 401


def test_a_revoked_key_opens_nothing(kit: Kit) -> None:
    key = kit.key()
    with kit.database.write(SYSTEM) as tx:
        keys.revoke(tx, key.split("_")[1])
    assert kit.client(key).get("/v1/jobs").status_code == 401


@given(st.text(max_size=80))
def test_what_is_no_key_is_nobodys(text: str) -> None:
    id, whole, digest = new_key()

    def find(asked: str) -> Any:
        from throttle_api.auth import StoredKey

        return StoredKey("t", id, digest, ("read",), None, None) if asked == id else None

    now = datetime(2026, 11, 23, tzinfo=UTC)
    found = by_key(whole, find, now)
    assert found is not None
    assert (found.tenant, found.scopes) == ("t", {"read"})
    for wrong in (text, whole + text if text else whole[:-1], whole[: len(whole) // 2] + text):
        if wrong != whole:
            assert by_key(wrong, find, now) is None


def test_only_the_hash_of_a_secret_is_kept(kit: Kit) -> None:
    key = kit.key()
    assert key.split("_", 2)[2].encode() not in (kit.folder / "throttle.db").read_bytes()
    with kit.database.read(SYSTEM) as tx:
        assert keys.get(tx, key.split("_")[1]).hash == hash_of(key.split("_", 2)[2])


# --- JSON Web Tokens


SECRET = b"a shared secret of more than thirty-two bytes"


@pytest.fixture
def trusting(tmp_path: Path) -> Iterator[Kit]:
    file = tmp_path / "secret"
    file.write_bytes(SECRET)
    kit = Kit(tmp_path, {"jwt_key": file, "jwt_issuer": "https://id.example.com"})
    kit.key("acme")
    yield kit
    kit.close()


def claims(**other: Any) -> dict[str, Any]:
    said = {
        "iss": "https://id.example.com",
        "aud": "throttle",
        "sub": "erik",
        "exp": datetime.now(UTC) + timedelta(minutes=5),
        "tenant": "acme",
        "scope": "read plan",
    }
    return {k: v for k, v in (said | other).items() if v is not None}


def test_a_sound_token_opens_what_it_says(trusting: Kit) -> None:
    client = trusting.client(jwt.encode(claims(), SECRET, "HS256"))
    made = client.post("/v1/jobs", json={"portfolio": small_portfolio()})
    assert (made.status_code, made.json()["created_by"]) == (202, "jwt:erik")
    assert client.post("/v1/plan/replan", json={}).status_code == 403


@pytest.mark.parametrize(
    "other",
    [
        {"iss": "https://other.example.com"}, {"aud": "another"}, {"exp": datetime(2020, 1, 1, tzinfo=UTC)},
        {"exp": None}, {"sub": None}, {"aud": None}, {"iss": None}, {"tenant": None}, {"tenant": "nobody"},
        {"tenant": "*"}, {"tenant": ["acme"]}, {"sub": "a\nb"}, {"sub": "a" * 201}, {"sub": ""},
        {"nbf": datetime(2100, 1, 1, tzinfo=UTC)},
    ],
)  # fmt: skip
def test_a_token_that_says_something_else_opens_nothing(trusting: Kit, other: dict[str, Any]) -> None:
    assert trusting.client(jwt.encode(claims(**other), SECRET, "HS256")).get("/v1/jobs").status_code == 401


def test_a_token_of_another_secret_or_algorithm_opens_nothing(trusting: Kit) -> None:
    long = SECRET + SECRET
    for token in (
        jwt.encode(claims(), SECRET[::-1], "HS256"),
        jwt.encode(claims(), long, "HS512"),
        jwt.encode(claims(), "", "none"),
        jwt.encode(claims(), SECRET, "HS256") + "A",
    ):
        assert trusting.client(token).get("/v1/jobs").status_code == 401


def test_tokens_are_off_unless_a_key_of_their_issuer_is_set(kit: Kit) -> None:
    assert kit.client(jwt.encode(claims(tenant="default"), SECRET, "HS256")).get("/v1/jobs").status_code == 401


@pytest.mark.parametrize(
    ("algorithms", "message"),
    [("HS256,RS256", "not of both"), ("none", "not among"), ("", "not of both")],
)
def test_algorithms_that_could_be_confused_are_refused(
    monkeypatch: pytest.MonkeyPatch, algorithms: str, message: str
) -> None:
    monkeypatch.setenv("THROTTLE_JWT_ALGORITHMS", algorithms)
    with pytest.raises(InputError, match=message):
        load_settings()


@pytest.mark.parametrize("secret", [b"short", b"-----BEGIN PUBLIC KEY-----" + b"a" * 40])
def test_a_secret_that_is_none_is_refused_at_the_start(tmp_path: Path, secret: bytes) -> None:
    (tmp_path / "secret").write_bytes(secret)
    with pytest.raises(InputError, match="is no shared secret"):
        Kit(tmp_path, {"jwt_key": tmp_path / "secret", "jwt_issuer": "https://id.example.com"})


# --- rates


@pytest.mark.parametrize(("method", "route"), ROUTES, ids=NAMES)
def test_every_route_is_limited(slow: Kit, method: str, route: APIRoute) -> None:
    client = slow.client(client=(f"10.0.{len(NAMES)}.{ROUTES.index((method, route))}", 1))
    statuses = [client.request(method, address(route)).status_code for _ in range(3)]
    assert statuses[2] == 429
    assert 429 not in statuses[:2]
    refused = client.request(method, address(route))
    assert refused.json()["code"] == "too-many-requests"
    assert 0 < int(refused.headers["retry-after"]) <= 3600


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    kit = Kit(tmp_path_factory.mktemp("slow"), {"rate": "2/hour"})
    yield kit
    kit.close()


def test_failed_sign_ins_are_limited_and_good_keys_are_not(tmp_path: Path) -> None:
    kit = Kit(tmp_path, {"rate_unknown": "2/hour"})
    statuses = [kit.client("thr_" + "a" * 12 + "_" + "b" * 43).get("/v1/jobs").status_code for _ in range(3)]
    assert statuses == [401, 401, 429]
    assert kit.client().get("/v1/jobs").status_code == 200
    kit.close()


# --- bodies


@given(st.recursive(st.none() | st.text(alphabet='[]{}"\\ax', max_size=8), lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.text(alphabet='[]{}"\\', max_size=4), inner, max_size=3), max_leaves=20),
       st.integers(1, 6))  # fmt: skip
def test_depth_is_that_of_the_values_whatever_their_texts(value: Any, most: int) -> None:
    def depth(v: Any) -> int:
        inner = v.values() if isinstance(v, dict) else v if isinstance(v, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert too_deep(text.encode(), most) == (depth(value) > most)


@given(st.binary(max_size=200), st.integers(1, 5))
def test_what_is_no_json_is_measured_without_harm(body: bytes, most: int) -> None:
    if body.count(b"[") + body.count(b"{") <= most:
        assert not too_deep(body, most)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "malformed-request"),
        (b"", "invalid-request"),
        (b"\xff\xfe{\x00}\x00", "malformed-request"),
        (b'{"a": NaN}', "malformed-request"),
        (b'{"a": 1e999}', "malformed-request"),
        (b'{"dataset": "a", "dataset": "b"}', "malformed-request"),
        (b'{"dataset": "\\ud800"}', "malformed-request"),
        (b"[" * 40, "too-deep"),
        (b"[" * 33 + b"]" * 33, "too-deep"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "too-deep"),
        (b"[1]", "invalid-request"),
        (b"null", "invalid-request"),
        (b"1" * 5000, "malformed-request"),
    ],
)
def test_a_broken_body_is_a_problem(kit: Kit, body: bytes, code: str) -> None:
    answer = kit.client().post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
    assert answer.json()["code"] == code
    assert answer.status_code in (400, 422)


def test_bodies_are_counted_whatever_their_header_says(tmp_path: Path) -> None:
    kit = Kit(tmp_path, {"json_bytes": 1000})
    client = kit.client()

    def in_pieces() -> Iterator[bytes]:
        yield b'{"dataset": "'
        for _ in range(100):
            yield b"a" * 100

    json_type = {"Content-Type": "application/json"}
    streamed = client.post("/v1/jobs", content=in_pieces(), headers=json_type)
    assert (streamed.status_code, streamed.json()["code"]) == (413, "too-large")
    announced = client.post("/v1/jobs", content=b"1" * 1001, headers=json_type)
    assert announced.status_code == 413
    assert client.put("/v1/datasets/a", content=b" " * 1000 + b"1", headers=json_type).status_code == 413
    kit.close()


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""])
def test_another_media_type_is_refused(kit: Kit, kind: str) -> None:
    answer = kit.client().post("/v1/jobs", content=b"{}", headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
    answer = kit.client().post("/v1/imports", content=b"{}", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


# --- answers


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/healthz"), ("GET", "/v1/jobs"), ("GET", "/no"), ("PATCH", "/v1/plan")]
)
def test_every_answer_has_the_headers_of_security_and_an_id(kit: Kit, method: str, path: str) -> None:
    answer = kit.client().request(method, path)
    assert {name: answer.headers[name] for name in SECURITY} == SECURITY
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])
    given_id = "0123456789abcdef0123456789abcdef"
    assert kit.client().get(path, headers={"X-Request-ID": given_id}).headers["x-request-id"] == given_id


@pytest.mark.parametrize(
    "host", ["attacker.example", "", "127.0.0.1:80@attacker.example", "127.0.0.1:", "127.0.0.1/x:80", "[::1"]
)
def test_another_host_name_is_refused(kit: Kit, host: str) -> None:
    answer = kit.client().get("/v1/jobs", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (421, "unknown-host")


def test_a_full_disk_is_told_as_that(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    body = small_portfolio()

    def full(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    answer = kit.client().put("/v1/datasets/it", json=body)
    assert (answer.status_code, answer.json()["code"]) == (507, "no-space")
    monkeypatch.undo()
    assert kit.client().put("/v1/datasets/it", json=body).status_code == 201


def test_so_much_at_once_and_so_much_waits_and_the_others_are_sent_away() -> None:
    from concurrent.futures import ThreadPoolExecutor

    from throttle_api.problems import Problem
    from throttle_api.turns import Turns

    turns, go = Turns(2, waiting=1), threading.Event()

    def work() -> str:
        try:
            with turns.turn(30):
                go.wait(30)
                return "done"
        except Problem as problem:
            go.set()
            return problem.code

    with ThreadPoolExecutor(5) as pool:
        answers = sorted(f.result() for f in [pool.submit(work) for _ in range(5)])
    assert answers[-3:] == ["done"] * 3
    assert set(answers) == {"busy", "done"}
    with turns.turn(0), turns.turn(0), pytest.raises(Problem, match="at once"), turns.turn(0.01):
        raise AssertionError


def test_a_method_that_there_is_not_names_those_that_there_are(kit: Kit) -> None:
    answer = kit.client().patch("/v1/jobs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert answer.json()["code"] == "method-not-allowed"


def test_a_defect_is_a_problem_and_a_log_line_that_do_not_quote_it(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the title of a ticket")

    monkeypatch.setattr("throttle_api.storage.jobs.find", fail)
    answer = kit.client().get("/v1/jobs")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    told = capsys.readouterr()
    logged = told.out + told.err
    assert "RuntimeError" in logged
    assert "ticket" not in answer.text + logged


def test_a_log_line_has_the_route_and_no_text_of_the_request(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    import structlog

    from throttle_api.logs import configure

    written = io.StringIO()
    before = structlog.get_config()
    monkeypatch.setattr("sys.stderr", written)
    try:
        configure(kit.settings)
        work = {"X-1": {"title": "fire the vice president", "after": ["Y"]}}
        secret = {"throttle": 1, "as_of": "2026-11-23", "work": work}
        kit.client().put("/v1/datasets/it", json=secret)
        kit.client().get("/v1/plan/items/X-77/why?secret=1")
    finally:
        structlog.configure(**before)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert [(r["route"], r["status"]) for r in requests] == [
        ("/v1/datasets/{dataset_id}", 422),
        ("/v1/plan/items/{item_id}/why", 404),
    ]
    assert all(r["request"] and r["actor"].startswith("key:") and r["tenant"] == "default" for r in requests)
    assert not re.search("president|X-77|secret|thr_", written.getvalue())


def test_readiness_follows_the_database(kit: Kit) -> None:
    client = kit.client()
    assert client.get("/readyz").status_code == 200
    kit.app.state.service.stopping.set()
    assert (client.get("/readyz").status_code, client.get("/healthz").status_code) == (503, 200)


def test_figures_name_no_tenant_and_no_id(kit: Kit) -> None:
    client = kit.client(kit.key("acme"))
    kit.planned(client)
    text = client.get("/metrics").text
    assert 'throttle_jobs{state="SUCCEEDED"} 1.0' in text
    assert "throttle_queue_depth 0.0" in text
    assert 'throttle_requests_total{method="POST",route="/v1/jobs",status="202"} 1.0' in text
    assert "acme" not in text
    assert "job_" not in text


def test_everything_asked_for_is_in_the_audit_log(kit: Kit) -> None:
    from throttle_api.storage import audit

    client = kit.client()
    id = kit.accepted(client)
    client.put("/v1/plan/pins/W-1", json={"who": ["p1"]})
    with kit.database.read("default") as tx:
        told = [(e.action, e.subject) for e in audit.entries(tx)]
        assert audit.verify(tx, "default").broken is None
    assert ("job.submitted", id) in told
    assert ("plan.accepted", id) in told
