"""Forecasts worked out by hand, what they are told as, and the command."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.cases import needing, plan_of, portfolio
from throttle.errors import InputError
from throttle.forecast import WORDS, forecast
from throttle.forecast.risks import chance, ranks
from throttle.forecast.show import page_of_forecast
from throttle.simulate import Cause, Settings
from throttle_models import Portfolio
from throttle_models.forecast import Forecast

HOUR = timedelta(hours=1)
CERTAIN: dict[str, Any] = {"spread": None, "unplanned": "none"}
PEOPLE = {"p1": {"skills": ["a"]}, "p2": {"skills": ["b"]}}
PROJECT = {"P": {"title": "Payroll <new>", "cost_of_delay": "10/hour", "due": "2026-11-24T08:00"}}


def made(work: dict[str, Any], **rest: Any) -> Portfolio:
    return portfolio(work, PEOPLE, skills=["a", "b"], projects=PROJECT, **rest)


def told(made_from: Portfolio, runs: int = 300, **how: Any) -> Forecast:
    return forecast(made_from, plan_of(made_from), runs=runs, workers=1, **how)


WORK = {"A": needing("a", "10h", project="P"), "B": needing("b", "4h", project="P", after=["A"])}
UNCERTAIN = {
    "A": needing("a", "6h/10h/30h", project="P"),
    "B": needing("b", "3h/4h/5h", project="P", after=["A"]),
    "C": needing("b", "1h/2h/3h"),
}


def test_what_is_certain_is_forecast_as_planned() -> None:
    found = told(made(WORK, simulation=CERTAIN), 5)
    project = found.projects["P"]
    assert project.planned == found.as_of + 14 * HOUR
    assert {project.dates.p50, project.dates.p85, project.dates.p95, project.promise} == {project.planned}
    assert project.buffer_hours == 0
    assert project.chance_of_due is not None
    assert project.chance_of_due.share == 1
    assert project.where == {WORDS[Cause.TOUCH]: 14.0}
    assert project.risks == ()
    assert (found.cost.mean, found.planned_cost, found.flow_efficiency) == (0, 0, 1)
    assert found.touch_hours == 14
    assert found.findings == ()


def test_a_project_that_is_not_all_in_the_plan_has_no_date() -> None:
    work = {**WORK, "C": needing("a", "1h", project="P", on_hold="later"), "D": needing("b", "2h")}
    found = told(made(work, simulation=CERTAIN), 5)
    assert found.projects["P"].planned is None
    assert found.projects["P"].dates.p95 is None
    assert found.projects["P"].chance_of_due is not None
    assert found.projects["P"].chance_of_due.share == 0
    assert found.dates.p50 is None
    assert [f.code for f in found.findings] == ["not-in-plan"]
    assert "no day on which all is done" in page_of_forecast(found)


def test_a_change_that_misses_its_window_takes_a_later_one_though_windows_have_overhead() -> None:
    change = {"kind": "standard", "window": "day"}
    work = {
        "A": needing("a", "6h/10h/40h", project="P"),
        "B": needing("b", "2h", project="P", after=["A"], change=change),
    }
    windows = {"day": {"every": "Mon-Sun 10:00-16:00", "overhead": {"b": "1h"}}}
    found = told(made(work, windows=windows), 100)
    assert found.unfinished <= 0.02  # a time that is longer than any window never fits
    assert found.dates.p95 is not None
    assert found.planned is not None
    assert found.dates.p95 > found.planned


def test_a_plan_of_nothing_has_no_forecast() -> None:
    with pytest.raises(InputError, match="nothing is scheduled"):
        told(made({"A": needing("a", "1h", status="done")}), 5)


def test_the_buffer_is_what_85_percent_take_more_than_half() -> None:
    found = told(made(UNCERTAIN))
    project = found.projects["P"]
    dates = project.dates
    assert dates.p10 is not None
    assert dates.p50 is not None
    assert dates.p85 is not None
    assert dates.p95 is not None
    assert dates.p10 < dates.p50 < dates.p85 < dates.p95
    assert project.promise == dates.p85
    assert project.buffer_hours == pytest.approx((dates.p85 - dates.p50) / HOUR)
    assert project.chance_of_due is not None
    due = project.chance_of_due
    assert due.low < due.share < due.high
    # 24 hours are left for both; A alone takes more than 20 of them in about one run of five
    assert 0.6 < due.share < 0.9
    assert sum(project.where.values()) == pytest.approx(_mean_hours(found), rel=0.2)
    assert [risk.item for risk in project.risks][:1] == ["A"]
    assert project.risks[0].low > 0.9
    assert project.risks[0].days > 0.5
    assert all(risk.item != "C" for risk in project.risks)
    shares = [point.share for point in project.fan]
    assert shares == sorted(shares)
    assert [point.moment for point in project.fan] == sorted(point.moment for point in project.fan)
    assert project.fever[-1].done == 1
    assert project.fever[0].item == "A"


def _mean_hours(found: Forecast) -> float:
    project = found.projects["P"]
    points = [(point.moment - found.as_of) / HOUR for point in project.fan]
    return float(np.mean(points))


def test_a_plan_with_buffers_is_held_against_its_promises() -> None:
    found = told(made(UNCERTAIN, policy={"buffers": {"project": "auto"}}))
    project = found.projects["P"]
    assert project.chance_of_promise is not None
    assert project.chance_of_plan is not None
    assert project.chance_of_plan.share < project.chance_of_promise.share
    assert {point.item for point in project.fever} == {"A", "B"}
    assert all(point.used <= point.used_p85 for point in project.fever)


def test_runs_that_do_not_end_are_told() -> None:
    found = told(made(UNCERTAIN), 100, settings=Settings(weeks=1 / 7))
    assert [finding.code for finding in found.findings] == ["unfinished-runs"]
    assert found.unfinished > 0
    assert found.projects["P"].dates.p95 is None
    assert found.projects["P"].promise is None or found.projects["P"].promise < found.until


def test_times_beyond_all_bounds_end_at_the_last_slot_looked_at() -> None:
    """In some of these runs the time that is drawn is longer than 32 bits of slots."""
    found = told(made({"A": needing("a", "1h/1h/40000h")}, simulation=CERTAIN), 800)
    assert any(finding.code == "unfinished-runs" for finding in found.findings)


def test_it_is_the_same_every_time_and_survives_a_round_trip() -> None:
    made_from = made(UNCERTAIN)
    one, two = (told(made_from, 40).model_dump_json() for _ in range(2))
    assert one == two
    assert Forecast.model_validate_json(one).model_dump_json() == one
    assert told(made_from, 40, seed=2).model_dump_json() != one


def test_changes_that_do_not_fit_into_their_windows_are_told() -> None:
    """C overruns its window now and then; D, with one and the same time for its rework, whenever it is done again."""
    windows = {"night": {"every": "daily 20:00-24:00"}}
    change = {"kind": "standard", "window": "night"}
    work = {
        "C": needing("a", "1h/3h/5h", type="change", change=change),
        "D": needing("b", "1h/3h/4h", type="change", change=change, project="P"),
        "T": needing("b", "1h", tags=["test"], project="P", after=["D"]),
    }
    said = {"unplanned": "none", "correlation": "100%", "tests": {"fail": "50%", "rework": 1.0}}
    found = told(made(work, windows=windows, simulation=said), 200)
    often, never = found.findings
    assert (often.code, often.ids[0]) == ("overruns-window", "C")
    assert "C in 1" in often.message
    assert (never.code, never.ids) == ("never-fitted", ("D",))
    assert "D did not fit into the window in 5 attempts" in never.message
    assert found.unfinished == 0


def test_what_holds_a_run_up_to_its_end_is_named() -> None:
    """On a horizon of a week, A is worked on or B waits for its window at the end of some runs; C only waits for B."""
    windows = {"weekly": {"every": "Thu 10:00-14:00"}}
    change = {"kind": "standard", "window": "weekly"}
    work = {
        "A": needing("a", "10h/40h/150h"),
        "B": needing("b", "2h", type="change", change=change, after=["A"]),
        "C": needing("b", "1h", after=["B"]),
    }
    found = told(made(work, windows=windows, simulation={"unplanned": "none", "spread": None}), 200, settings=WEEK)
    (finding,) = found.findings
    assert finding.code == "unfinished-runs"
    assert set(finding.ids) == {"A", "B"}
    assert "(waits for a window or the end of a freeze)" in finding.message


WEEK = Settings(weeks=1)


def test_assumptions_name_what_replaces_them() -> None:
    said = told(made(WORK), 3).assumptions
    for field in ("spread", "unplanned", "absences", "tests", "changes", "switching"):
        assert any(f"simulation.{field}" in sentence for sentence in said), field
    busy = {"unplanned": {"a": {"per_week": 1, "effort": "1h"}}, "absences": {"per_year": 1}, "switching": 0.1}
    assert not any("absences" in s or "switching" in s for s in told(made(WORK, simulation=busy), 3).assumptions)


def test_chances_and_ranks() -> None:
    assert (chance(0, 10).low, chance(10, 10).high) == (0, 1)
    half = chance(50, 100)
    assert (half.low, half.high) == pytest.approx((0.4038, 0.5962), abs=1e-4)  # Wilson's interval
    assert ranks(np.array([[3.0], [1.0], [3.0], [2.0]]))[:, 0].tolist() == [2.5, 0, 2.5, 1]


def test_the_page_says_everything_in_words_too() -> None:
    page = page_of_forecast(told(made(UNCERTAIN), 60))
    assert "Payroll &lt;new&gt;" in page
    assert "Payroll <new>" not in page
    assert page.count("<svg") == 3
    assert page.count('<polyline class="fever-line"') == 1
    for words in ("85 % by", "Where the time goes", "What moves the dates most", "Use of buffers expected"):
        assert words in page
    assert "script" not in page


def test_the_command(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from throttle.cli import app

    file = tmp_path / "portfolio.json"
    file.write_text(made(UNCERTAIN).model_dump_json(exclude_defaults=True), encoding="utf-8")
    common = ["forecast", str(file), "--runs", "30", "--budget", "0.1", "--jobs", "1", "-q"]
    data = CliRunner().invoke(app, [*common, "--json"])
    assert data.exit_code == 0, data.output
    assert json.loads(data.stdout)["projects"]["P"]["dates"]["p85"]
    page = tmp_path / "forecast.html"
    text = CliRunner().invoke(app, [*common, "--html", str(page)])
    assert text.exit_code == 0, text.output
    for words in ("When it will be done", "Where the time goes", "What it rests on"):
        assert words in text.stdout
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
