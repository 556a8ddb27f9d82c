"""What is learned from histories whose answer is known."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from throttle.cli import reading
from throttle.documents import render_yaml
from throttle.ingest import read_exports
from throttle.learn import learn
from throttle.learn.working import WorkClock, shared_effort
from throttle_models import Estimate, Learned, TeamFile
from throttle_models.simulation import Simulation

MONDAY = datetime(2026, 6, 1, 9)
FIELDS = (
    "number", "short_description", "state", "assigned_to", "assignment_group", "opened_at", "work_start", "work_end",
    "time_worked", "close_code", "type", "sys_class_name",
)  # fmt: skip


def ticket(id: int, start: datetime | None, end: datetime | None, **fields: str) -> dict[str, str]:
    def text(moment: datetime | None) -> str:
        return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""

    plain = {
        "number": f"INC{id:07d}", "short_description": "x", "state": "Closed" if end else "In Progress",
        "assigned_to": "Ann Lee", "assignment_group": "ops", "opened_at": text(start), "work_start": text(start),
        "work_end": text(end),
    }  # fmt: skip
    return plain | fields


def export(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def learned_of(tmp_path: Path, rows: list[dict[str, str]], **team: Any) -> Learned:
    return learn([export(tmp_path / "x.csv", rows)], team=TeamFile(zone="UTC", **team))


# --- how much work an item was


def test_what_is_in_process_at_once_shares_the_time() -> None:
    """Ten hours of which the second item had half from the fourth hour on."""
    start, end = np.array([0.0, 4.0, 20.0]), np.array([10.0, 10.0, 25.0])
    assert shared_effort(start, end).tolist() == [7.0, 3.0, 5.0]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 30)), min_size=1, max_size=12))
def test_shares_add_up_to_the_time_in_which_anything_was_in_process(spans: list[tuple[int, int]]) -> None:
    start = np.array([float(a) for a, _ in spans])
    end = np.array([float(a + n) for a, n in spans])
    busy = {hour for a, n in spans for hour in range(a, a + n)}
    assert shared_effort(start, end).sum() == pytest.approx(len(busy))


def test_working_time_leaves_nights_and_weekends_out() -> None:
    clock = WorkClock([(day * 1440 + 540, day * 1440 + 1020) for day in range(5)])
    moments = np.array(["2026-06-05T16:00", "2026-06-08T10:00", "2026-06-08T23:00"], "datetime64[m]")
    friday, monday, night = clock.worked(moments)
    assert monday - friday == 120
    assert night - monday == 420


def test_logged_time_counts_before_cycle_time(tmp_path: Path) -> None:
    rows = [
        ticket(
            n, MONDAY + timedelta(days=7 * n), MONDAY + timedelta(days=7 * n + 2), time_worked=f"{3600 * (n % 3 + 1)}"
        )
        for n in range(12)
    ]
    found = learned_of(tmp_path, rows).effort_of("Incident", [], "")
    assert found is not None
    assert (found.basis, found.samples, found.effort) == ("logged", 12, Estimate.model_validate("1h/2h/3h"))


def test_cycle_time_is_shared_among_what_the_assignee_had_in_process(tmp_path: Path) -> None:
    """Two at a time for a day each: four hours apiece, not eight."""
    rows = [
        ticket(2 * week + k, MONDAY + timedelta(weeks=week), MONDAY + timedelta(weeks=week, hours=8))
        for week in range(6)
        for k in range(2)
    ]
    found = learned_of(tmp_path, rows).effort_of("Incident", [], "")
    assert found is not None
    assert (found.basis, found.effort, found.p80) == ("inferred", Estimate.model_validate("4h"), timedelta(hours=4))


def test_what_is_still_in_process_has_its_share_too(tmp_path: Path) -> None:
    rows = [ticket(n, MONDAY + timedelta(weeks=n), MONDAY + timedelta(weeks=n, hours=8)) for n in range(10)]
    rows.append(ticket(99, MONDAY, None))
    found = learned_of(tmp_path, rows).effort_of("Incident", [], "")
    assert found is not None
    assert found.effort == Estimate.model_validate("4h")


def test_without_start_and_logged_time_nothing_is_taught(tmp_path: Path) -> None:
    rows = [ticket(n, MONDAY + timedelta(days=n), MONDAY + timedelta(days=n + 1), work_start="") for n in range(12)]
    learned = learned_of(tmp_path, rows)
    assert learned.effort == ()
    assert "12 done items teach no effort" in learned.notes[-1]


# --- people


def test_skills_need_several_finished_items_and_grow_stale(tmp_path: Path) -> None:
    old = [
        ticket(n, MONDAY + timedelta(hours=n), MONDAY + timedelta(hours=n + 1), assignment_group="mail")
        for n in range(4)
    ]
    late = MONDAY + timedelta(weeks=40)
    new = [ticket(50 + n, late + timedelta(hours=n), late + timedelta(hours=n + 1)) for n in range(3)]
    two = [ticket(90 + n, late, late + timedelta(hours=1), assignment_group="web") for n in range(2)]
    [ann] = learned_of(tmp_path, old + new + two).people.values()
    assert {skill: (known.finished, known.stale) for skill, known in ann.skills.items()} == {
        "mail": (4, True), "ops": (3, False),
    }  # fmt: skip


def test_hours_are_those_in_which_most_happens(tmp_path: Path) -> None:
    rng = Random(3)
    rows = []
    for n in range(60):
        start = datetime(2026, 6, 1 + n % 5, 6) + timedelta(weeks=n // 5, minutes=rng.randint(0, 300))
        rows.append(ticket(n, start, start + timedelta(minutes=rng.randint(5, 180))))
    [ann] = learned_of(tmp_path, rows).people.values()
    assert ann.events == 120
    assert ann.hours.startswith("Mon-Fri 06:")
    assert ann.utc_offset in {3, 4}  # the middle of the day is between nine and ten, UTC


# --- unplanned work


def test_the_reserve_covers_four_weeks_of_five(tmp_path: Path) -> None:
    """Weeks of 1 to 9 hours in turn: the eighth of nine is enough for 80 %."""
    rows = [
        ticket(
            week,
            MONDAY + timedelta(weeks=week),
            MONDAY + timedelta(weeks=week, hours=1),
            time_worked=f"{3600 * (week % 9 + 1)}",
        )
        for week in range(36)
    ]
    rows.append(ticket(99, MONDAY + timedelta(weeks=36), None))
    demand = learned_of(tmp_path, rows).demand["ops"]
    assert (demand.weeks, demand.arrivals, demand.weekdays.keys()) == (36, 1.0, {"Mon"})
    assert timedelta(hours=7.5) <= demand.reserve <= timedelta(hours=8.5)
    assert demand.tested == 24
    assert demand.covered is not None
    assert 0.7 <= demand.covered <= 0.95


def test_few_weeks_teach_no_reserve(tmp_path: Path) -> None:
    rows = [ticket(n, MONDAY + timedelta(days=n), MONDAY + timedelta(days=n, hours=1)) for n in range(20)]
    learned = learned_of(tmp_path, rows)
    assert learned.demand == {}
    assert any("too few for a reserve" in note for note in learned.notes)


# --- changes


def test_changes_that_were_backed_out_failed(tmp_path: Path) -> None:
    codes = ["successful"] * 6 + ["unsuccessful", "backed out"]
    rows = [
        ticket(n, MONDAY, MONDAY + timedelta(hours=1), number=f"CHG{n:07d}", close_code=code, type="normal",
               sys_class_name="change_request")
        for n, code in enumerate(codes)
    ]  # fmt: skip
    whole, ops = learned_of(tmp_path, rows).failures
    assert (whole.kind, whole.group, whole.failed, whole.changes) == ("normal", "", 2, 8)
    assert (ops.group, ops.rate) == ("ops", 0.25)
    assert whole.low < 0.25 < whole.high


# --- what a plan makes of it


def test_a_plan_uses_what_was_learned_where_nothing_else_is_said(tmp_path: Path) -> None:
    rows = [ticket(n, MONDAY + timedelta(weeks=n), MONDAY + timedelta(weeks=n, hours=3)) for n in range(30)]
    learned = learned_of(tmp_path, rows)
    path = tmp_path / "learned.yaml"
    path.write_text(render_yaml({"throttle_learned": 1, **learned.model_dump(mode="json", exclude_defaults=True)}))
    team = tmp_path / "team.yaml"
    team.write_text("throttle: 1\nzone: UTC\npolicy: {reserve: learned}\n")
    new = export(
        tmp_path / "new.csv",
        [
            ticket(500, MONDAY, None, state="New", work_start=""),
            ticket(501, MONDAY, None, state="New", work_start="", assigned_to=""),
        ],
    )
    got = reading.read_exports([new], reading.ReadHow(team=team, learned=path)).portfolio
    assert got.work["INC0000500"].needs[0].effort == Estimate.model_validate("3h")
    assert got.policy.reserve == {"ops": {"Mon": timedelta(hours=3)}}
    plain = read_exports([new]).portfolio
    assert plain.work["INC0000500"].needs[0].effort != Estimate.model_validate("3h")


def test_the_team_file_counts_before_what_was_learned(tmp_path: Path) -> None:
    rows = [ticket(n, MONDAY + timedelta(weeks=n), MONDAY + timedelta(weeks=n, hours=3)) for n in range(30)]
    learned = learned_of(tmp_path, rows)
    new = export(tmp_path / "new.csv", [ticket(500, MONDAY, None, state="New", work_start="")])
    team = TeamFile.model_validate({"defaults": {"effort": {"Incident": "7h"}, "learned": learned}})
    assert read_exports([new], team=team).portfolio.work["INC0000500"].needs[0].effort == Estimate.model_validate("7h")


def change(n: int, code: str = "successful", kind: str = "normal") -> dict[str, str]:
    return ticket(
        n, MONDAY, MONDAY + timedelta(hours=1), number=f"CHG{n:07d}", close_code=code, type=kind,
        sys_class_name="change_request",
    )  # fmt: skip


def test_simulations_know_what_was_learned_of_unplanned_work_and_changes(tmp_path: Path) -> None:
    rows = [ticket(n, MONDAY + timedelta(weeks=n // 2), MONDAY + timedelta(weeks=n // 2, hours=3)) for n in range(60)]
    changes = [change(n, "unsuccessful" if n < 102 else "successful") for n in range(100, 108)]
    changes += [change(n, "unsuccessful", "emergency") for n in range(108, 110)]
    learned = learn([export(tmp_path / "x.csv", rows), export(tmp_path / "y.csv", changes)], team=TeamFile(zone="UTC"))
    new = export(tmp_path / "new.csv", [ticket(500, MONDAY, None, state="New", work_start="")])
    holds = {"people": {"Ann Lee": {"skills": ["ops"]}}}

    def portfolio(**said: Any) -> Any:
        team = TeamFile.model_validate({"defaults": {"learned": learned}, **holds, **said})
        return read_exports([new], team=team).portfolio

    got = portfolio()
    known = learned.demand["ops"]
    come = got.simulation.unplanned["ops"]
    assert come.per_week == known.arrivals == pytest.approx(2, abs=0.1)
    assert come.per_week * come.effort.mean / timedelta(hours=1) == pytest.approx(known.mean / timedelta(hours=1), 0.02)
    assert got.simulation.changes.fail == 0.4  # 4 of 10
    assert got.simulation.changes.by == {"normal": 0.25}  # two emergencies are too few
    assert {"simulation.unplanned.ops", "simulation.changes"} <= {a.about for a in got.assumptions}

    said = portfolio(simulation={"unplanned": "reserve", "changes": {"fail": "5%", "incident": "20%"}}).simulation
    assert (said.unplanned, said.changes.fail, said.changes.by) == ("reserve", 0.05, {})
    part = portfolio(simulation={"switching": 0.01, "changes": {"incident": "20%"}}).simulation
    assert (part.switching, part.changes.incident, part.changes.fail) == (0.01, 0.2, 0.4)
    assert read_exports([new], team=TeamFile.model_validate(holds)).portfolio.simulation == Simulation()


def test_unplanned_work_that_nobody_can_do_is_told(tmp_path: Path) -> None:
    rows = [ticket(n, MONDAY + timedelta(weeks=n), MONDAY + timedelta(weeks=n, hours=3)) for n in range(30)]
    learned = learned_of(tmp_path, rows)
    new = export(tmp_path / "new.csv", [ticket(500, MONDAY, None, state="New", work_start="")])
    people = {"Ann Lee": {"skills": ["linux"]}}
    team = TeamFile.model_validate({"skills": ["ops"], "people": people, "defaults": {"learned": learned}})
    found = read_exports([new], team=team)
    assert found.portfolio.simulation == Simulation()
    assert "unplanned-nobody" in {finding.code for finding in found.report.findings}
