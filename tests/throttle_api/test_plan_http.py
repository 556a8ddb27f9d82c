"""The accepted plan over HTTP: weeks, pins, progress, replanning, calendars, reports."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar
from starlette.testclient import TestClient

from support.service import Kit, small_plan, small_portfolio
from throttle.files import save_plan
from throttle_api.storage import SYSTEM
from throttle_api.storage import jobs as stored

WEEK = "2026-W48"
PLAN = small_plan()


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = Kit(tmp_path)
    yield kit
    kit.close()


@pytest.fixture
def client(kit: Kit) -> TestClient:
    client = kit.client()
    kit.accepted(client)
    return client


def input_of(kit: Kit, job: str) -> dict[str, Any]:
    with kit.database.read(SYSTEM) as tx:
        found: dict[str, Any] = json.loads(stored.inputs_of(tx, job)["portfolio"])
        return found


# --- accepting


@pytest.mark.parametrize("path", ["/v1/plan", f"/v1/week/{WEEK}", "/v1/plan/report", "/v1/plan/items/W-1/why"])
def test_without_an_accepted_plan_there_is_nothing_to_show(kit: Kit, path: str) -> None:
    answer = kit.client().get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "nothing-accepted")


def test_each_accepted_plan_is_a_version_that_stays(kit: Kit) -> None:
    client = kit.client()
    one, two = kit.planned(client), kit.planned(client)
    first = client.post(f"/v1/jobs/{one}/accept")
    assert (first.status_code, first.json()["version"]) == (201, 1)
    again = client.post(f"/v1/jobs/{one}/accept")
    assert (again.status_code, again.json()["version"]) == (200, 1)
    assert client.post(f"/v1/jobs/{two}/accept").json()["version"] == 2
    assert [v["job"] for v in client.get("/v1/plan/versions").json()] == [two, one]


def test_a_plan_is_accepted_only_over_the_one_that_was_seen(kit: Kit) -> None:
    client = kit.client()
    one, two = kit.planned(client), kit.planned(client)
    other = client.post(f"/v1/jobs/{one}/accept", headers={"If-Match": '"another"'})
    assert (other.status_code, other.json()["code"]) == (412, "changed")
    seen = client.post(f"/v1/jobs/{one}/accept").headers["etag"]
    assert client.get("/v1/plan").headers["etag"] == seen
    assert client.post(f"/v1/jobs/{two}/accept", headers={"If-Match": seen}).status_code == 201


def test_an_accepted_plan_outlives_the_result_of_its_job(kit: Kit, client: TestClient) -> None:
    kit.clock.forward(days=kit.settings.keep_days + 1)
    with kit.database.write(SYSTEM) as tx:
        stored.expire(tx)
    assert client.get("/v1/plan").status_code == 200
    assert client.get(f"/v1/week/{WEEK}").status_code == 200


# --- the week


def test_the_week_says_who_does_what_what_to_let_in_and_what_to_hold(client: TestClient) -> None:
    view = client.get(f"/v1/week/{WEEK}").json()
    planned = next(w for w in PLAN.weeks if w.week == WEEK).model_dump(mode="json")
    assert view["people"] == planned["people"]
    assert [r["item"] for r in view["releases"]] == [r.item for r in PLAN.releases]
    assert [(h["item"], h["reason"]) for h in view["holds"]] == [(h.item, h.reason.value) for h in PLAN.holds]
    portfolio = PLAN.portfolio
    assert portfolio is not None
    assert view["titles"]
    assert all(portfolio.work[i].title == t for i, t in view["titles"].items())


def test_the_week_names_people_and_the_projects_of_items() -> None:
    from throttle_api.week import view_week, week_csv

    portfolio = PLAN.portfolio
    assert portfolio is not None
    people = {id: person.model_copy(update={"name": f"Name of {id}"}) for id, person in portfolio.people.items()}
    plan = PLAN.model_copy(update={"portfolio": portfolio.model_copy(update={"people": people})})
    view = view_week(plan, plan.weeks[0].week)
    assert view is not None
    assert view.people
    assert {view.names[id] for id in view.people} == {f"Name of {id}" for id in view.people}
    rows = [r for r in csv.DictReader(io.StringIO(week_csv(plan, view))) if r["item"] in portfolio.work]
    assert {r["list"] for r in rows} >= {"work", "release", "hold"}
    assert all(r["project"] == (portfolio.work[r["item"]].project or "") for r in rows)
    assert {h.item: h.project for h in view.holds if h.project}.items() <= view.projects.items()


def test_changes_of_a_week_are_those_of_its_windows(client: TestClient) -> None:
    portfolio = PLAN.portfolio
    assert portfolio is not None
    seen: list[str] = []
    for week in [w.week for w in PLAN.weeks]:
        view = client.get(f"/v1/week/{week}").json()
        for occurrence in view["changes"]:
            assert occurrence["week"] == week
            seen += [c["item"] for c in occurrence["changes"]]
        seen += [c["item"] for c in view["changes_outside"]]
    assert seen
    assert sorted(set(seen)) == sorted(i for i in PLAN.items if portfolio.work[i].change)


def test_promises_of_a_week_are_what_finishes_or_is_due_in_it(client: TestClient) -> None:
    zone = ZoneInfo(PLAN.zone)
    for week in [w.week for w in PLAN.weeks]:
        monday = datetime.combine(date.fromisocalendar(int(week[:4]), int(week[6:]), 1), time.min, zone)
        told = {p["project"] for p in client.get(f"/v1/week/{week}").json()["promises"]}
        until = monday + timedelta(days=7)
        assert told == {
            id
            for id, p in PLAN.projects.items()
            if any(m and monday <= m < until for m in (p.finish, p.promise, p.due))
        }


def test_a_late_project_is_a_risk_of_the_weeks_in_which_it_goes_on(client: TestClient) -> None:
    late = {id for id, p in PLAN.projects.items() if p.late_weeks > 0 and p.start}
    last = max(w.week for w in PLAN.weeks)
    told = {i for r in client.get(f"/v1/week/{last}").json()["risks"] if r["kind"] == "late" for i in r["ids"]}
    assert told == late != set()


def test_a_late_project_that_is_over_is_no_risk_any_more() -> None:
    from throttle_api.week import view_week

    [id, *_] = [id for id, p in PLAN.projects.items() if p.late_weeks > 0 and p.start]
    [first, *_, last] = [w.week for w in PLAN.weeks]
    begin = datetime.combine(date.fromisocalendar(int(first[:4]), int(first[6:]), 1), time(9), ZoneInfo(PLAN.zone))
    early = PLAN.projects[id].model_copy(update={"start": begin, "finish": begin + timedelta(hours=1)})
    plan = PLAN.model_copy(update={"projects": PLAN.projects | {id: early}})

    def late(week: str) -> set[str]:
        view = view_week(plan, week)
        assert view is not None
        return {i for risk in view.risks if risk.kind == "late" for i in risk.ids}

    assert id in late(first)
    assert id not in late(last)


def test_the_week_as_csv_has_the_same_hours_and_lists(client: TestClient) -> None:
    view = client.get(f"/v1/week/{WEEK}").json()
    answer = client.get(f"/v1/week/{WEEK}", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    work = [r for r in rows if r["list"] == "work"]
    hours = sum(h for days in view["people"].values() for items in days.values() for h in items.values())
    assert sum(float(r["hours"]) for r in work) == pytest.approx(hours)
    for name, key in (("release", "releases"), ("hold", "holds"), ("promise", "promises"), ("risk", "risks")):
        assert len([r for r in rows if r["list"] == name]) == len(view[key])
    assert {r["week"] for r in rows} == {WEEK}


def test_text_that_a_spreadsheet_would_run_is_made_harmless(kit: Kit) -> None:
    from throttle_api.week import view_week, week_csv

    portfolio = PLAN.portfolio
    assert portfolio is not None
    item = PLAN.weeks[0].starts[0]
    work = portfolio.work | {item: portfolio.work[item].model_copy(update={"title": "=cmd|' /C calc'!A0"})}
    plan = PLAN.model_copy(update={"portfolio": portfolio.model_copy(update={"work": work})})
    view = view_week(plan, PLAN.weeks[0].week)
    assert view is not None
    titles = {r["title"] for r in csv.DictReader(io.StringIO(week_csv(plan, view))) if r["item"] == item}
    assert titles == {"'=cmd|' /C calc'!A0"}
    assert kit.settings.embedded


def test_the_weeks_as_calendars_are_the_plans_calendar_in_parts(client: TestClient) -> None:
    def events(path: str) -> set[tuple[str, datetime]]:
        answer = client.get(path, headers={"Accept": "text/calendar"})
        assert answer.status_code == 200
        found = Calendar.from_ical(answer.text).walk("VEVENT")
        return {(str(e["UID"]), e["DTSTART"].dt.astimezone(UTC)) for e in found}

    whole = events("/v1/plan")
    parts = [events(f"/v1/week/{w.week}") for w in PLAN.weeks]
    assert whole
    assert set().union(*parts) == whole
    first = PLAN.weeks[0].week
    monday = datetime.combine(date.fromisocalendar(int(first[:4]), int(first[6:]), 1), time.min, ZoneInfo(PLAN.zone))
    assert parts[0] == {e for e in whole if e[1] < monday + timedelta(days=7)}


def test_a_title_that_looks_like_a_line_of_a_calendar_is_a_title() -> None:
    from throttle_api.week import view_week, week_ics

    portfolio = PLAN.portfolio
    assert portfolio is not None
    item = PLAN.weeks[0].starts[0]
    for word in ("BEGIN:VEVENT", "END:VEVENT"):
        for blanks in range(75):  # at one of them the line is folded right after the word
            title = f"{'x' * blanks}{word} and more of it, so that the line goes on"
            work = portfolio.work | {item: portfolio.work[item].model_copy(update={"title": title})}
            plan = PLAN.model_copy(update={"portfolio": portfolio.model_copy(update={"work": work})})
            assert plan.portfolio is not None
            view = view_week(plan, plan.weeks[0].week)
            assert view is not None
            events = Calendar.from_ical(week_ics(plan, plan.portfolio, view)).walk("VEVENT")
            assert f"{item} {title}" in {str(e["SUMMARY"]) for e in events}


def test_formats_are_different_things_to_a_cache(client: TestClient) -> None:
    tags = {
        a: client.get(f"/v1/week/{WEEK}", headers={"Accept": a}).headers["etag"]
        for a in ("application/json", "text/csv")
    }
    assert len(set(tags.values())) == 2
    for accept, tag in tags.items():
        answer = client.get(f"/v1/week/{WEEK}", headers={"Accept": accept, "If-None-Match": tag})
        assert answer.status_code == 304
        assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    ("week", "status"),
    [("2026-W40", 404), ("2026-W54", 404), ("0000-W01", 404), ("week", 422), ("\u0662\u0660\u0662\u0666-W48", 422)],
)
def test_a_week_outside_the_plan_is_a_problem(client: TestClient, week: str, status: int) -> None:
    assert client.get(f"/v1/week/{week}").status_code == status


def test_the_report_may_run_nothing(client: TestClient) -> None:
    answer = client.get("/v1/plan/report")
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "<script" not in answer.text
    assert client.get("/v1/plan/report", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


# --- pins and progress


OPEN_ITEM = next(i for i in PLAN.items if i in small_portfolio()["work"] and small_portfolio()["work"][i].get("needs"))


def test_a_pin_is_kept_for_the_next_plan_and_replaced_only_when_seen(client: TestClient) -> None:
    path = f"/v1/plan/pins/{OPEN_ITEM}"
    made = client.put(path, json={"start": "2026-12-07T09:00"})
    assert made.status_code == 201
    stale = client.put(path, json={"start": "2026-12-08T09:00"}, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed")
    newer = client.put(path, json={"who": ["p1"]}, headers={"If-Match": made.headers["etag"]})
    assert newer.status_code == 200
    assert client.put(path, json={"who": ["p1"]}, headers={"If-None-Match": "*"}).status_code == 412
    assert [p["item"] for p in client.get("/v1/plan/pins").json()["pins"]] == [OPEN_ITEM]
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 404


@pytest.mark.parametrize(
    ("item", "body", "status"),
    [
        ("NONE", {"start": "2026-12-07"}, 404),
        (OPEN_ITEM, {}, 422),
        (OPEN_ITEM, {"start": "soon"}, 422),
        (OPEN_ITEM, {"who": ["nobody"]}, 422),
        (OPEN_ITEM, {"window": "never"}, 422),
        (OPEN_ITEM, {"start": "2026-12-07", "colour": "red"}, 422),
    ],
)
def test_a_pin_that_fits_nothing_is_refused(client: TestClient, item: str, body: dict[str, Any], status: int) -> None:
    assert client.put(f"/v1/plan/pins/{item}", json=body).status_code == status
    assert client.get("/v1/plan/pins").json()["pins"] == []


@pytest.mark.parametrize(
    "update",
    [
        {"item": "NONE", "status": "done"},
        {"item": OPEN_ITEM},
        {"item": OPEN_ITEM, "status": "perhaps"},
        {"item": OPEN_ITEM, "started": "3d"},
        {"item": OPEN_ITEM, "started": "2026-13-01"},
        {"item": OPEN_ITEM, "remaining": "much"},
        {"item": OPEN_ITEM, "remaining": ["1h"] * 9},
        {"item": OPEN_ITEM, "remaining": ["999999h"] * len(small_portfolio()["work"][OPEN_ITEM]["needs"])},
    ],
)
def test_progress_that_fits_nothing_is_refused_and_nothing_of_it_kept(
    kit: Kit, client: TestClient, update: dict[str, Any]
) -> None:
    from throttle_api.storage import plans

    good = {"item": OPEN_ITEM, "status": "done"}
    answer = client.post("/v1/plan/progress", json={"updates": [good, update]})
    assert answer.status_code == 422, answer.text
    with kit.database.read("default") as tx:
        assert plans.every_progress(tx) == []


def test_a_replan_begins_with_what_was_reported_and_pinned(kit: Kit, client: TestClient) -> None:
    work = small_portfolio()["work"]
    first, second, third = [i for i in PLAN.items if work.get(i, {}).get("needs")][:3]
    needs = len(work[second]["needs"])
    client.post("/v1/plan/progress", json={"updates": [
        {"item": first, "status": "done", "finished": "2026-11-24T12:00"},
        {"item": second, "status": "in-progress", "started": "2026-11-23T09:00", "remaining": ["2h"] * needs},
    ]})  # fmt: skip
    client.put(f"/v1/plan/pins/{third}", json={"start": "2026-12-07T09:00"})
    client.put(f"/v1/plan/pins/{first}", json={"start": "2026-12-07T09:00"})  # done by then
    answer = client.post("/v1/plan/replan", json={"as_of": "2026-11-25T08:00", "budget": 1})
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert job["request"]["base"] == 1
    portfolio = input_of(kit, job["id"])
    assert portfolio["as_of"] == "2026-11-25T08:00"
    assert portfolio["work"][first]["status"] == "done"
    assert [n["remaining"] for n in portfolio["work"][second]["needs"]] == ["2h"] * needs
    pins = [p for p in portfolio["policy"]["pins"] if p["work"] in (first, third)]
    assert [p["work"] for p in pins] == [third]
    said = {f["code"] for f in job["request"]["findings"]}
    assert {"finished", "begun", "left-out"} <= said


def test_a_replan_without_a_moment_is_as_of_now(kit: Kit, client: TestClient) -> None:
    kit.clock.now = datetime(2026, 12, 1, 15, 30, 20, tzinfo=UTC)
    job = client.post("/v1/plan/replan", json={}).json()["id"]
    assert input_of(kit, job)["as_of"] == "2026-12-01T09:31"  # in the zone of the portfolio


def test_what_was_reported_before_the_plan_was_asked_for_counts_no_more(kit: Kit, client: TestClient) -> None:
    client.post("/v1/plan/progress", json={"updates": [{"item": OPEN_ITEM, "status": "done"}]})
    kit.clock.forward(hours=1)
    newer = kit.planned(client)  # of a portfolio in which it is open
    client.post(f"/v1/jobs/{newer}/accept")
    job = client.post("/v1/plan/replan", json={"as_of": "2026-11-25T08:00"}).json()["id"]
    assert input_of(kit, job)["work"][OPEN_ITEM].get("status", "open") != "done"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"as_of": "2020-01-01T08:00"}, 409, "conflict"),
        ({"as_of": "soon"}, 422, "invalid-request"),
        ({"dataset": "none"}, 404, "not-found"),
        ({"budget": -1}, 422, "invalid-request"),
    ],
)
def test_a_replan_that_cannot_be_says_why(client: TestClient, body: dict[str, Any], status: int, code: str) -> None:
    answer = client.post("/v1/plan/replan", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_replan_with_a_key_is_asked_for_once(kit: Kit, client: TestClient) -> None:
    headers = {"Idempotency-Key": "tuesday"}
    one = client.post("/v1/plan/replan", json={}, headers=headers).json()["id"]
    kit.clock.forward(minutes=5)  # so that now is another moment
    assert client.post("/v1/plan/replan", json={}, headers=headers).json()["id"] == one


# --- calendars


def test_a_calendar_opens_with_its_token_until_that_is_revoked(kit: Kit, client: TestClient) -> None:
    made = client.post("/v1/calendars", json={"person": "p1"})
    assert made.status_code == 201
    url, anyone = made.json()["url"], kit.client("")
    feed = anyone.get(url)
    assert feed.status_code == 200
    found = Calendar.from_ical(feed.text).walk("VEVENT")
    mine = sum(len(a.work) for i in PLAN.items.values() for a in i.assignments if a.person == "p1")
    assert len(found) == mine > 0
    assert anyone.get(url, headers={"If-None-Match": feed.headers["etag"]}).status_code == 304
    assert anyone.get(url.replace(url[-10:-4], "AAAAAA")).status_code == 404
    assert client.get("/v1/calendars").json()["calendars"][0]["url"] is None
    assert client.delete(made.headers["location"]).status_code == 204
    assert anyone.get(url).status_code == 404


def test_the_address_of_a_calendar_is_the_one_that_clients_use(tmp_path: Path) -> None:
    kit = Kit(tmp_path, {"address": "https://throttle.example.com/it/"})
    client = kit.client()
    kit.accepted(client)
    made = client.post("/v1/calendars", json={"person": "p1"}).json()
    assert made["url"].startswith("https://throttle.example.com/it/v1/calendars/feed/cal_")
    kit.close()


def test_a_calendar_of_nobody_is_refused(client: TestClient) -> None:
    answer = client.post("/v1/calendars", json={"person": "nobody"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


# --- explanations, in a process of their own


def test_reports_come_from_a_process_beside_the_service_which_may_die(client: TestClient) -> None:
    aside = client.app.state.service.aside  # type: ignore[attr-defined]
    page = client.get("/v1/plan/report").text
    aside._process.kill()  # as the system does when memory is short
    aside._answers.clear()
    answers = [client.get("/v1/plan/report") for _ in range(2)]
    assert answers[0].status_code in (200, 500)
    assert (answers[1].status_code, answers[1].text) == (200, page)


@pytest.mark.long
def test_a_plan_is_explained_and_compared(kit: Kit) -> None:
    from throttle.planning import make_plan

    portfolio = PLAN.portfolio
    assert portfolio is not None
    file = kit.folder / "plan.json"
    save_plan(make_plan(portfolio, budget=0.2, workers=1, deterministic=True), file)
    client = kit.client()
    one, other = (client.post("/v1/jobs", json={"portfolio": small_portfolio()}).json()["id"] for _ in range(2))
    for id in (one, other):
        kit.solve(id, file.read_bytes())
    why = client.get(f"/v1/jobs/{one}/items/{OPEN_ITEM}/why")
    assert (why.status_code, why.json()["item"]) == (200, OPEN_ITEM)
    none = client.get(f"/v1/jobs/{one}/items/NO/NE/why")
    assert (none.status_code, none.json()["code"]) == (404, "not-found")
    limits = client.get(f"/v1/jobs/{one}/explanation")
    assert limits.status_code == 200, limits.text
    assert limits.json()["bottleneck"]["sets"]
    same = client.get("/v1/compare", params={"base": one, "other": other})
    assert (same.status_code, same.json()["objective"]["change"]) == (200, 0.0)
