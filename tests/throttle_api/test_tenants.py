"""Two tenants that use the same names and try each other's ids never see each other, whatever they call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from support.service import Kit, small_portfolio
from throttle_api.routes import ROUTERS
from throttle_api.routes.common import encode_cursor
from throttle_api.storage import SYSTEM
from throttle_api.storage.database import Tx

NAMES = ("red", "blue")
ROUTES = [
    (method, route.path_format) for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)
    for method in sorted(route.methods)
]  # fmt: skip
OPEN = ("/healthz", "/readyz", "/metrics", "/v1/calendars/feed/{token}")


class Tenant:
    """One tenant, all of whose texts contain its name."""

    def __init__(self, kit: Kit, name: str) -> None:
        self.name = name
        self.client: TestClient = kit.client(kit.key(name))
        self.job = kit.planned(self.client)
        self.client.post(f"/v1/jobs/{self.job}/accept")
        self.other_job = kit.planned(self.client)
        portfolio = small_portfolio()
        work = {id: item | {"title": f"{name} {n}"} for n, (id, item) in enumerate(portfolio["work"].items())}
        self.client.put("/v1/datasets/same", json=portfolio | {"work": work})
        self.client.put(f"/v1/datasets/{name}", json=portfolio | {"work": work})
        self.calendar = self.client.post("/v1/calendars", json={"person": "p1"}).json()["id"]
        self.client.put("/v1/plan/pins/W-1", json={"who": ["p1"], "start": f"2026-12-0{len(name)}"})

    def marks(self) -> list[str]:
        """What only this tenant's answers may contain."""
        return [self.job, self.other_job, self.calendar, f"{self.name} 1"]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def kit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    given: dict[str, Any] = {"queued_jobs": 100_000}
    if request.param == "postgres":
        _, given["database"] = request.getfixturevalue("server").database("tenants")  # as the role of the service
    kit = Kit(tmp_path_factory.mktemp("tenants"), given)
    yield kit
    kit.close()


@pytest.fixture(scope="module")
def both(kit: Kit) -> dict[str, Tenant]:
    return {name: Tenant(kit, name) for name in NAMES}


def state_of(kit: Kit, tenant: str) -> dict[str, Any]:
    """Everything that the database has of a tenant, but for what using a key changes."""
    from throttle_api.storage.tables import metadata

    found: dict[str, Any] = {}
    with kit.database.read(SYSTEM) as tx:
        for name in sorted(metadata.tables):
            found[name] = _rows(tx, name, tenant)
    return found


def _rows(tx: Tx, table: str, tenant: str) -> list[str]:
    from throttle_api.storage.tables import metadata

    there = metadata.tables[table]
    rows = tx.rows(there.select().where(there.c.tenant_id == tenant))
    # `turn` says who had the last turn at the worker, of all tenants
    return sorted(str([hash(v) if isinstance(v, bytes) else v for k, v in row.items() if k != "turn"]) for row in rows)


BODIES: dict[str, Any] = {
    "/v1/jobs": {"portfolio": small_portfolio()},
    "/v1/datasets/{dataset_id}": small_portfolio(),
    "/v1/plan/pins/{item_id}": {"who": ["p2"]},
    "/v1/plan/progress": {"updates": [{"item": "W-1", "status": "done"}]},
    "/v1/plan/replan": {},
    "/v1/calendars": {"person": "p2"},
    "/v1/webhook": {"url": "https://example.com/"},
}


def call(tenant: Tenant, victim: Tenant, method: str, path: str, dataset: str, extra: dict[str, str]) -> Any:
    """A call of one tenant with all the ids of the other."""
    filled = {
        "job_id": victim.job, "dataset_id": dataset, "item_id": "W-1", "iso_week": "2026-W48",
        "calendar_id": victim.calendar,
    }  # fmt: skip
    url = re.sub(r"\{(\w+)\}", lambda m: filled[m[1]], path)
    if path == "/v1/compare":
        url += f"?base={victim.job}&other={victim.other_job}"
    body = BODIES.get(path) if method in ("PUT", "POST") else None
    if path == "/v1/jobs" and dataset == victim.name:
        body = {"dataset": dataset}
    if path == "/v1/imports":
        return tenant.client.request(method, url, files=[("file", ("a.csv", b""))], headers=extra)
    return tenant.client.request(method, url, json=body, headers=extra)


@given(
    st.sampled_from([r for r in ROUTES if r[1] not in OPEN and r[1] != "/v1/imports"]),
    st.sampled_from(NAMES),
    st.booleans(),
    st.sampled_from([{}, {"If-Match": "*"}, {"Idempotency-Key": "same"}, {"If-None-Match": "*"}]),
)
@settings(
    max_examples=25, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck)
)
def test_no_call_shows_or_changes_what_is_anothers(
    kit: Kit, both: dict[str, Tenant], route: tuple[str, str], name: str, same: bool, extra: dict[str, str]
) -> None:
    me, victim = both[name], both["blue" if name == "red" else "red"]
    before = state_of(kit, victim.name)
    answer = call(me, victim, *route, "same" if same else victim.name, extra)
    assert state_of(kit, victim.name) == before
    assert answer.status_code < 500
    shown = answer.text + json.dumps(dict(answer.headers))
    asked = str(answer.request.url)
    for mark in victim.marks():
        assert mark not in shown or mark in asked, mark  # an error may name the id that was asked for
    if "{job_id}" in route[1] or "{calendar_id}" in route[1] or route[1] == "/v1/compare":
        assert answer.status_code in (404, 422)


def test_every_call_is_tried(kit: Kit, both: dict[str, Tenant]) -> None:
    for method, path in ROUTES:
        if path in OPEN or method == "DELETE":
            continue
        me, victim = both["red"], both["blue"]
        before = state_of(kit, victim.name)
        answer = call(me, victim, method, path, victim.name, {})
        assert state_of(kit, victim.name) == before, path
        assert answer.status_code < 500, answer.text
        if "{job_id}" in path:
            assert answer.status_code == 404, (method, path)


def test_no_name_is_too_strange_for_either_database(both: dict[str, Tenant]) -> None:
    client = both["red"].client
    for name in ("%00", "a%00b", "%F0%9F%99%82", "%FF", "'%22%3B--", "%0A", "..%2F..", "x" * 500):
        assert client.delete(f"/v1/plan/pins/{name}").status_code in (404, 422)
        assert client.put(f"/v1/plan/pins/{name}", json={"who": ["p1"]}).status_code in (404, 422)
    strange = encode_cursor("\x00")
    assert client.get("/v1/datasets", params={"cursor": strange}).status_code == 400
    assert client.get("/v1/jobs", params={"cursor": encode_cursor(2**70)}).status_code == 400
    options = {"scenarios": {"a\x00": {"title": "\x00\U0001f642"}}}
    asked = client.post("/v1/jobs", json={"kind": "what-if", "dataset": "red", "options": options})
    assert asked.status_code == 202
    assert client.get(asked.headers["location"]).json()["request"]["options"] == options


def test_the_same_name_is_two_datasets(both: dict[str, Tenant]) -> None:
    for name, tenant in both.items():
        found = tenant.client.get(f"/v1/datasets/{name}").json()
        assert {item["title"].split()[0] for item in found["work"].values()} == {name}


def test_an_id_of_another_tenant_is_answered_as_one_that_never_was(both: dict[str, Tenant]) -> None:
    theirs = both["red"].client.get(f"/v1/jobs/{both['blue'].job}").json()
    never = both["red"].client.get("/v1/jobs/job_" + "0" * 24).json()
    assert {k: v for k, v in theirs.items() if k != "detail"} == {k: v for k, v in never.items() if k != "detail"}
    assert theirs["detail"].replace(both["blue"].job, "") == never["detail"].replace("job_" + "0" * 24, "")
