"""Jobs over HTTP: asked for, watched, cancelled, deleted, expired."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from support.service import Kit, small_document, small_portfolio
from throttle_api.jobs.states import Move, Outcome
from throttle_api.storage import SYSTEM, jobs
from throttle_api.storage.jobs import Ending

NO_JOB = "job_" + "0" * 24


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = Kit(tmp_path)
    yield kit
    kit.close()


@pytest.fixture
def client(kit: Kit) -> TestClient:
    return kit.client()


def ask(client: TestClient, **body: object) -> str:
    answer = client.post("/v1/jobs", json={"portfolio": small_portfolio(), **body})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def test_a_job_is_taken_and_found_again_where_the_answer_says(client: TestClient) -> None:
    answer = client.post("/v1/jobs", json={"portfolio": small_portfolio(), "budget": 3})
    assert answer.status_code == 202
    assert answer.headers["retry-after"] == "1"
    found = client.get(answer.headers["location"])
    assert found.json() == answer.json()
    assert (found.json()["state"], found.json()["request"]["budget"]) == ("QUEUED", 3.0)


def test_an_unchanged_job_is_not_sent_again(client: TestClient) -> None:
    first = client.get(f"/v1/jobs/{ask(client)}")
    again = client.get(first.request.url.path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    client.post(f"{first.request.url.path}/cancel")
    assert client.get(first.request.url.path, headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_jobs_come_in_pages_the_newest_first(client: TestClient) -> None:
    made = [ask(client, seed=n) for n in range(5)]
    seen: list[str] = []
    url: str | None = "/v1/jobs?limit=2"
    while url:
        page = client.get(url)
        seen += [job["id"] for job in page.json()["jobs"]]
        url = page.links["next"]["url"] if page.json()["next"] else None
    assert seen == made[::-1]
    assert client.get("/v1/jobs?state=RUNNING").json()["jobs"] == []


@pytest.mark.parametrize("cursor", ["x", "WyJhIl0", "W10", "e30", "WzFlOTk5XQ", "MQ", "[1]"])
def test_a_cursor_that_is_none_is_a_problem(client: TestClient, cursor: str) -> None:
    answer = client.get("/v1/jobs", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-cursor")


def test_the_same_key_and_request_give_the_same_job(client: TestClient) -> None:
    headers = {"Idempotency-Key": "monday"}
    body = {"portfolio": small_portfolio()}
    one, other = (client.post("/v1/jobs", json=body, headers=headers) for _ in range(2))
    assert one.json()["id"] == other.json()["id"]
    reused = client.post("/v1/jobs", json=body | {"seed": 2}, headers=headers)
    assert (reused.status_code, reused.json()["code"]) == (422, "key-reused")
    assert len(client.get("/v1/jobs").json()["jobs"]) == 1


def test_a_repeated_request_is_the_same_one_though_its_dataset_has_changed_since(client: TestClient) -> None:
    put = client.put("/v1/datasets/it", json=small_portfolio())
    headers = {"Idempotency-Key": "monday"}
    one = client.post("/v1/jobs", json={"dataset": "it"}, headers=headers).json()
    newer = small_portfolio() | {"as_of": "2026-11-24T08:00"}
    client.put("/v1/datasets/it", json=newer, headers={"If-Match": put.headers["etag"]})
    other = client.post("/v1/jobs", json={"dataset": "it"}, headers=headers).json()
    assert one["id"] == other["id"]
    assert one["request"]["dataset"] == {"id": "it", "version": 1}


def test_a_job_that_ends_within_the_wait_is_answered_with_200(kit: Kit, client: TestClient) -> None:
    id = ask(client)
    kit.solve(id)
    headers = {"Idempotency-Key": "k", "Prefer": "respond-async, wait=1"}
    first = client.post("/v1/jobs", json={"portfolio": small_portfolio()}, headers=headers | {"Prefer": "wait=0"})
    kit.solve(first.json()["id"])
    answer = client.post("/v1/jobs", json={"portfolio": small_portfolio()}, headers=headers)
    assert (answer.status_code, answer.json()["state"]) == (200, "SUCCEEDED")
    assert answer.headers["preference-applied"] == "wait=1"


def test_more_jobs_than_may_wait_are_refused_for_a_while(tmp_path: Path) -> None:
    kit = Kit(tmp_path, {"queued_jobs": 2})
    client = kit.client()
    ask(client)
    ask(client)
    answer = client.post("/v1/jobs", json={"portfolio": small_portfolio()})
    assert (answer.status_code, answer.json()["code"]) == (429, "queue-full")
    assert int(answer.headers["retry-after"]) > 0
    kit.close()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"kind": "forecast", "options": {"runs": 0}}, "body.options.runs"),
        ({"kind": "forecast", "options": {"nonsense": 1}}, "body.options.nonsense"),
        ({"kind": "curve", "options": {"limits": ["many"]}}, "body.options.limits.0"),
        ({"kind": "elevate", "options": {"menu": {"hour": "soon"}}}, "body.options.menu.hour"),
        ({"kind": "elevate", "options": {"resolve": -1}}, "body.options.resolve"),
        ({"kind": "what-if"}, "body.options.scenarios"),
        ({"kind": "what-if", "options": {"scenarios": {"a": {"set": 1}}}}, "body.options.scenarios.a.set"),
        ({"kind": "batch", "options": {"seeds": [1, -1]}}, "body.options.seeds.1"),
        ({"kind": "batch", "options": {"variants": {"a": {"nonsense": 1}}}}, "body.options.variants.a.nonsense"),
        ({"kind": "solve", "options": {"runs": 1}}, "body.options.runs"),
        ({"kind": "bottleneck"}, "body.kind"),
        ({"budget": 1e6}, "body.budget"),
    ],
)  # fmt: skip
def test_an_option_that_does_not_fit_is_refused_before_a_job_waits_in_vain(
    client: TestClient, body: dict[str, object], where: str
) -> None:
    answer = client.post("/v1/jobs", json={"portfolio": small_portfolio(), **body})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request"), answer.text
    assert where in [error["where"] for error in answer.json()["errors"]]
    assert client.get("/v1/jobs").json()["jobs"] == []


def test_the_best_so_far_of_a_job_that_runs_is_there_for_who_asks_for_it(kit: Kit, client: TestClient) -> None:
    id = ask(client)
    url = f"/v1/jobs/{id}/result"
    nothing = client.get(url, params={"incumbent": True})
    assert (nothing.status_code, nothing.json()["code"]) == (409, "not-finished")
    with kit.database.write(SYSTEM) as tx:
        job = jobs.claim(tx, "w", id)
        assert job is not None
        assert jobs.keep_best(tx, id, job.attempt, b"{}")
        assert jobs.keep_best(tx, id, job.attempt, small_document())
        assert not jobs.keep_best(tx, id, job.attempt - 1, b"{}")
    assert client.get(url).status_code == 409
    found = client.get(url, params={"incumbent": True})
    assert (found.status_code, found.content) == (200, small_document())
    assert (
        client.get(url, params={"incumbent": True}, headers={"If-None-Match": found.headers["etag"]}).status_code == 304
    )
    assert client.post(f"/v1/jobs/{id}/accept").status_code == 409
    with kit.database.write(SYSTEM) as tx:
        jobs.finish(tx, id, job.attempt, Ending(Move.SUCCEED, Outcome.FEASIBLE, small_document() + b" "))
        assert jobs.best(tx, id) is None
    assert client.get(url, params={"incumbent": True}).content == small_document() + b" "


def test_the_best_of_a_job_that_had_to_be_killed_is_kept(kit: Kit, client: TestClient) -> None:
    id = ask(client)
    with kit.database.write(SYSTEM) as tx:
        job = jobs.claim(tx, "w", id)
        assert job is not None
        jobs.keep_best(tx, id, job.attempt, small_document())
        jobs.ask_cancel(tx, id)
        jobs.finish(tx, id, job.attempt, Ending(Move.STOP, Outcome.UNKNOWN))
    assert client.get(f"/v1/jobs/{id}/result").status_code == 409
    assert client.get(f"/v1/jobs/{id}/result?incumbent=true").content == small_document()


def test_a_search_begins_from_plans_only(kit: Kit, client: TestClient) -> None:
    id = ask(client, kind="forecast")
    kit.solve(id, b"{}")
    answer = client.post("/v1/jobs", json={"portfolio": small_portfolio(), "previous": id})
    assert (answer.status_code, answer.json()["code"]) == (409, "not-a-plan")
    refused = client.post("/v1/jobs", json={"portfolio": small_portfolio(), "previous": id, "kind": "batch"})
    assert refused.status_code == 422


def test_the_result_is_the_plan_as_it_was_found(kit: Kit, client: TestClient) -> None:
    id = ask(client)
    early = client.get(f"/v1/jobs/{id}/result")
    assert (early.status_code, early.json()["code"]) == (409, "not-finished")
    kit.solve(id)
    answer = client.get(f"/v1/jobs/{id}/result")
    assert answer.content == small_document()
    again = client.get(f"/v1/jobs/{id}/result", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("accept", "begins"),
    [("text/csv", "week,day,person"), ("text/calendar", "BEGIN:VCALENDAR"), ("text/html, text/*;q=0.5", "week,day")],
)
def test_the_result_comes_in_the_format_that_is_accepted(
    kit: Kit, client: TestClient, accept: str, begins: str
) -> None:
    id = kit.planned(client)
    answer = client.get(f"/v1/jobs/{id}/result", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.text.startswith(begins)
    refused = client.get(f"/v1/jobs/{id}/result", headers={"Accept": "image/png, text/csv;q=0"})
    assert (refused.status_code, refused.json()["code"]) == (406, "not-acceptable")


def test_what_another_kind_of_job_gives_is_no_plan(kit: Kit, client: TestClient) -> None:
    id = ask(client, kind="forecast", options={"runs": 10})
    kit.solve(id, b'{"kind": "forecast"}')
    assert client.get(f"/v1/jobs/{id}/result").json() == {"kind": "forecast"}
    assert client.get(f"/v1/jobs/{id}/result", headers={"Accept": "text/csv"}).status_code == 406
    for method, path in (("GET", "week/2026-W48"), ("GET", "items/X/why"), ("GET", "explanation"), ("POST", "accept")):
        answer = client.request(method, f"/v1/jobs/{id}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (409, "not-a-plan")
    assert client.post("/v1/jobs", json={"portfolio": small_portfolio(), "options": {"runs": 1}}).status_code == 422


def test_the_best_of_a_cancelled_job_is_kept_for_whoever_asks_for_it(kit: Kit, client: TestClient) -> None:
    from throttle_api.storage import SYSTEM
    from throttle_api.storage import jobs as stored

    id = ask(client)
    with kit.database.write(SYSTEM) as tx:
        job = stored.claim(tx, "test", id)
        assert job is not None
        ending = stored.Ending(stored.Move.STOP, Outcome.FEASIBLE, small_document(), {})
        assert stored.finish(tx, id, job.attempt, ending)
    refused = client.get(f"/v1/jobs/{id}/result")
    assert (refused.status_code, refused.json()["code"]) == (409, "not-finished")
    assert client.get(f"/v1/jobs/{id}/result?incumbent=true").content == small_document()


def test_that_there_is_no_plan_is_a_result_of_its_own(kit: Kit, client: TestClient) -> None:
    id = ask(client)
    kit.solve(id, outcome=Outcome.INFEASIBLE)
    assert client.get(f"/v1/jobs/{id}").json()["state"] == "SUCCEEDED"
    answer = client.get(f"/v1/jobs/{id}/result")
    assert (answer.status_code, answer.json()["code"]) == (409, "no-solution")


def test_a_result_expires_and_is_then_gone(kit: Kit, client: TestClient) -> None:
    from throttle_api.storage import SYSTEM
    from throttle_api.storage import jobs as stored

    id = kit.planned(client)
    kit.clock.forward(days=kit.settings.keep_days + 1)
    with kit.database.write(SYSTEM) as tx:
        assert stored.expire(tx) == 1
    answer = client.get(f"/v1/jobs/{id}/result")
    assert (answer.status_code, answer.json()["code"]) == (410, "expired")


def test_what_ends_without_a_worker_is_kept_as_long_as_the_settings_say(tmp_path: Path) -> None:
    kit = Kit(tmp_path, {"keep_days": 90})
    client = kit.client()
    id = client.post("/v1/jobs", json={"portfolio": small_portfolio()}).json()["id"]
    client.post(f"/v1/jobs/{id}/cancel")
    job = client.get(f"/v1/jobs/{id}").json()
    days = datetime.fromisoformat(job["expires"]) - datetime.fromisoformat(job["finished"])
    assert days == timedelta(days=90)
    detail = client.get(f"/v1/jobs/{id}/result").json()["detail"]
    assert "before it had begun" in detail
    kit.close()


def test_a_waiting_job_is_cancelled_at_once_and_can_then_be_deleted(client: TestClient) -> None:
    id = ask(client)
    assert client.delete(f"/v1/jobs/{id}").json()["code"] == "running"
    answer = client.post(f"/v1/jobs/{id}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "CANCELLED")
    assert client.post(f"/v1/jobs/{id}/cancel").status_code == 200
    assert client.delete(f"/v1/jobs/{id}").status_code == 204
    assert client.get(f"/v1/jobs/{id}").status_code == 404


def test_a_running_job_is_asked_to_stop(kit: Kit, client: TestClient) -> None:
    from throttle_api.storage import SYSTEM
    from throttle_api.storage import jobs as stored

    id = ask(client)
    with kit.database.write(SYSTEM) as tx:
        stored.claim(tx, "test", id)
    answer = client.post(f"/v1/jobs/{id}/cancel")
    assert (answer.status_code, answer.json()["state"], answer.json()["cancelled"]) == (202, "RUNNING", True)


def test_a_finished_job_tells_its_events_and_closes(kit: Kit, client: TestClient) -> None:
    id = kit.planned(client)
    answer = client.get(f"/v1/jobs/{id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [dict(line.split(": ", 1) for line in e.split("\n")) for e in answer.text.strip().split("\n\n")]
    assert [e["event"] for e in events] == ["state", "state", "done"]
    assert json.loads(events[-1]["data"])["outcome"] == "FEASIBLE"
    rest = client.get(f"/v1/jobs/{id}/events", headers={"Last-Event-ID": events[1]["id"]})
    assert rest.text.strip() == answer.text.strip().split("\n\n")[-1]
    none = client.get(f"/v1/jobs/{id}/events", headers={"Last-Event-ID": events[2]["id"]})
    assert none.text == ""


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Accept": "application/json"}, 406, "not-acceptable"),
        ({"Last-Event-ID": "last"}, 400, "bad-header"),
        ({"Last-Event-ID": "9" * 30}, 400, "bad-header"),
    ],
)
def test_a_stream_of_events_says_what_it_cannot_be(
    kit: Kit, client: TestClient, headers: dict[str, str], status: int, code: str
) -> None:
    answer = client.get(f"/v1/jobs/{kit.planned(client)}/events", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("GET", "/result"), ("GET", "/week/2026-W48"),
        ("GET", "/items/X/why"), ("GET", "/explanation"), ("DELETE", ""), ("POST", "/accept"),
    ],
)  # fmt: skip
def test_what_there_is_not_is_not_found(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, f"/v1/jobs/{NO_JOB}{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "body"),
        ({"portfolio": {}, "dataset": "it"}, "body"),
        ({"dataset": "it", "budget": 0}, "body.budget"),
        ({"dataset": "it", "seed": 2**31}, "body.seed"),
        ({"dataset": "it", "colour": "red"}, "body.colour"),
        ({"dataset": "it", "kind": "dance"}, "body.kind"),
    ],
)
def test_a_request_that_does_not_fit_says_where(client: TestClient, body: dict[str, object], where: str) -> None:
    answer = client.post("/v1/jobs", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert where in [e["where"] for e in answer.json()["errors"]]


def test_a_wrong_portfolio_is_refused_with_all_that_is_wrong(client: TestClient) -> None:
    wrong = {"throttle": 1, "as_of": "2026-11-23", "work": {"A": {"after": ["B"]}, "C": {"needs": [{"skill": "x"}]}}}
    answer = client.post("/v1/jobs", json={"portfolio": wrong})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-portfolio")
    assert len(answer.json()["errors"]) >= 2
    assert "uploads" not in answer.text  # no path of the service


@pytest.mark.parametrize(
    "path", ["/v1/jobs/{id}/items/W-1/why", "/v1/jobs/{id}/explanation", "/v1/plan/items/W-1/why", "/v1/plan/report"]
)
def test_what_there_is_in_one_format_is_not_given_as_another(kit: Kit, client: TestClient, path: str) -> None:
    answer = client.get(path.format(id=kit.accepted(client)), headers={"Accept": "image/png"})
    assert (answer.status_code, answer.json()["code"]) == (406, "not-acceptable")
