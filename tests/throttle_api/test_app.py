from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from support.sample_plan import sample_plan, sample_portfolio
from throttle.errors import InputError
from throttle.files import load_plan, save_plan, save_portfolio
from throttle_api.app import create_app
from throttle_api.week import view_week
from throttle_models import Plan, Team

SAMPLE = sample_portfolio(items=30, people=5, projects=3)
PORTFOLIO = SAMPLE.model_copy(update={"teams": {"dev": Team(), "ops": Team()}})
PLAN = sample_plan(PORTFOLIO)
ADDRESS = "http://127.0.0.1"


@pytest.fixture(scope="module")
def plan_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("served") / "plan.json"
    save_plan(PLAN.model_copy(update={"portfolio": PORTFOLIO}), path)
    return path


@pytest.fixture(scope="module")
def client(plan_file: Path) -> TestClient:
    return TestClient(create_app(plan_file), base_url=ADDRESS, raise_server_exceptions=False)


def test_health(client: TestClient) -> None:
    assert client.get("/healthz").json()["status"] == "ok"


def test_the_root_leads_to_the_report(client: TestClient) -> None:
    assert client.get("/", follow_redirects=False).headers["location"] == "/v1/plan/report"
    assert client.get("/").headers["content-type"].startswith("text/html")


def test_the_plan_is_the_file_byte_for_byte_and_cacheable(client: TestClient, plan_file: Path) -> None:
    answer = client.get("/v1/plan")
    assert answer.status_code == 200
    assert answer.content == plan_file.read_bytes()
    again = client.get("/v1/plan", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/v1/plan", headers={"If-None-Match": '"another"'}).status_code == 200


def test_this_week_is_that_of_the_plan(client: TestClient) -> None:
    view = client.get("/v1/week/2026-W48").json()
    week = next(w for w in PLAN.weeks if w.week == "2026-W48").model_dump(mode="json")
    assert {k: view[k] for k in ("people", "starts", "finishes")} == {
        k: week[k] for k in ("people", "starts", "finishes")
    }
    assert [r["item"] for r in view["releases"]] == [r.item for r in PLAN.releases]
    assert [h["item"] for h in view["holds"]] == [h.item for h in PLAN.holds]


def test_every_hold_is_released_in_the_one_week_in_which_it_begins() -> None:
    monday = PLAN.as_of.date() - timedelta(days=PLAN.as_of.weekday())
    last = max(w.week for w in PLAN.weeks)
    released: list[str] = []
    held = len(PLAN.holds)
    for number in range(60):
        year, week, _ = (monday + timedelta(weeks=number)).isocalendar()
        view = view_week(PLAN, f"{year}-W{week:02d}")
        if view is None:
            assert f"{year}-W{week:02d}" > last
            break
        entered = [r.item for r in view.releases]
        assert set(entered) <= set(view.starts)
        if number:
            held -= len(entered)
        assert len(view.holds) == held
        released += entered
    dated = [h.item for h in PLAN.holds if h.until is not None]
    assert sorted(released) == sorted([r.item for r in PLAN.releases] + dated)


@pytest.mark.parametrize("week", ["2026-W47", "2031-W01", "2027-W53"])
def test_a_week_outside_the_plan_is_a_problem(client: TestClient, week: str) -> None:
    answer = client.get(f"/v1/week/{week}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "no-such-week"


def test_what_is_no_week_is_a_problem_that_says_where(client: TestClient) -> None:
    answer = client.get("/v1/week/next")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["where"] == "path.iso_week"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/v1/plan", 405)])
def test_errors_of_the_framework_are_problems_too(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_report_is_html_that_may_run_no_script(client: TestClient) -> None:
    answer = client.get("/v1/plan/report")
    assert answer.headers["content-type"].startswith("text/html")
    assert "W-0" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_another_host_name_is_refused(plan_file: Path) -> None:
    client = TestClient(create_app(plan_file), base_url="http://attacker.example")
    answer = client.get("/v1/plan")
    assert answer.status_code == 421
    assert answer.json()["code"] == "unknown-host"


def test_a_plan_without_its_portfolio_has_no_report_until_it_is_given(tmp_path: Path) -> None:
    bare, portfolio = tmp_path / "plan.json", tmp_path / "portfolio.yaml"
    save_plan(PLAN.model_copy(update={"portfolio": None}), bare)
    save_portfolio(PORTFOLIO, portfolio)
    without = TestClient(create_app(bare), base_url=ADDRESS).get("/v1/plan/report")
    assert (without.status_code, without.json()["code"]) == (409, "no-portfolio")
    given = TestClient(create_app(bare, portfolio), base_url=ADDRESS).get("/v1/plan/report")
    assert given.status_code == 200


def test_a_failure_inside_is_a_problem_without_its_message(plan_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise RuntimeError("the title of a ticket")

    monkeypatch.setattr("throttle.report.render_report", fail)
    client = TestClient(create_app(plan_file), base_url=ADDRESS, raise_server_exceptions=False)
    answer = client.get("/v1/plan/report")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert "ticket" not in answer.text


def test_what_is_no_plan_is_refused_before_serving(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"plan\.json"):
        create_app(path)


def test_the_description_of_the_service_names_problems_and_the_plan(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert "application/problem+json" in paths["/v1/week/{iso_week}"]["get"]["responses"]["404"]["content"]
    assert set(paths) == {"/healthz", "/v1/plan", "/v1/week/{iso_week}", "/v1/plan/report"}


def test_served_plan_loads_as_the_plan(client: TestClient, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(client.get("/v1/plan").content)
    assert isinstance(load_plan(path), Plan)
