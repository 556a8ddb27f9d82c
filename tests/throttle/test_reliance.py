"""Reliance: holders and bus factors, what absences cost, and which training helps."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from throttle.cli import app
from throttle.planning import make_plan
from throttle.reliance import absence, reliance, taught
from throttle.reliance.holders import bus_factor
from throttle.scenarios.solve import Effort
from throttle_models import Portfolio

TEAM: dict[str, Any] = {
    "as_of": "2026-11-23T08:00",
    "zone": "UTC",
    "currency": "EUR",
    "calendars": {"office": {"hours": "Mon-Fri 08:00-12:00 13:00-17:00"}},
    "people": {
        "brent": {"skills": {"oracle": 3, "linux": 3}},
        "wes": {"skills": {"linux": 2}},
        "ida": {"skills": {"oracle": 1, "linux": 1}},
        "tim": {"skills": {"qa": 1}},
    },
    "services": {"ledger": {}},
    "projects": {"phoenix": {"cost_of_delay": "5000/week", "due": "2026-12-04"}},
    "work": {
        "P-1": {"project": "phoenix", "needs": [{"skill": "oracle", "level": 3, "effort": "16h"}]},
        "P-2": {"project": "phoenix", "needs": [{"skill": "linux", "level": 2, "effort": "16h"}], "after": ["P-1"]},
        "P-3": {"project": "phoenix", "needs": [{"skill": "linux", "effort": "4h"}]},
        "C-1": {
            "type": "change",
            "cost_of_delay": "100/week",
            "needs": [{"skill": "oracle", "level": 3, "effort": "2h"}],
            "change": {"kind": "standard", "services": ["ledger"]},
        },
    },
}
QUICK = Effort(budget=0.1)


def team() -> Portfolio:
    return Portfolio.model_validate(TEAM)


def test_each_absence_costs_what_a_plan_made_with_it_costs_more() -> None:
    found = reliance(team(), effort=QUICK, trainings=0)
    base = make_plan(team(), budget=1.0, workers=1, deterministic=True).certificate.objective.value
    assert found.objective == pytest.approx(base)
    for person in team().people:
        plan = make_plan(absence(team(), person, for_good=False), budget=1.0, workers=1, deterministic=True)
        assert found.week[person].cost == pytest.approx(plan.certificate.objective.value - base, abs=1e-5)
    assert found.week["brent"].cost > 0
    assert found.week["tim"].touched is False


LATER: dict[str, Any] = {
    "projects": {**TEAM["projects"], "later": {"cost_of_delay": "700/week"}},
    "work": {
        **TEAM["work"],
        "L-1": {"project": "later", "needs": [{"skill": "qa", "effort": "8h"}]},
        "L-2": {"project": "later", "status": "unknown", "needs": [{"skill": "qa", "effort": "1h"}]},
    },
}
DEBT: dict[str, Any] = {
    "people": {**TEAM["people"], "zed": {"skills": {"qa": 2}}},
    "work": {
        **TEAM["work"],
        "Q-1": {"cost_of_delay": "300/week", "needs": [{"skill": "qa", "effort": "4h"}]},
        "D-1": {"needs": [{"skill": "oracle", "level": 3, "effort": "20h"}], "interest": {"qa": "9h/week"}},
    },
}


@pytest.mark.parametrize(
    ("more", "who"),
    [
        (LATER, "tim"),  # the project cannot be finished with everybody either, and what is late of it still costs
        (DEBT, "zed"),  # the plan does not need zed, but an hour of the skill that the debt takes is dearer without
    ],
    ids=["unfinished", "interest"],
)
def test_absences_cost_what_plans_say_whatever_else_there_is(more: dict[str, Any], who: str) -> None:
    portfolio = Portfolio.model_validate({**TEAM, **more})
    found = reliance(portfolio, effort=QUICK, trainings=0)
    base = make_plan(portfolio, budget=1.0, workers=1, deterministic=True).certificate.objective.value
    assert found.objective == pytest.approx(base)
    assert found.week[who].cost > 0
    for person in portfolio.people:
        plan = make_plan(absence(portfolio, person, for_good=False), budget=1.0, workers=1, deterministic=True)
        assert found.week[person].cost == pytest.approx(plan.certificate.objective.value - base, abs=1e-5), person


def test_what_nobody_can_do_is_charged_for_the_weeks_said() -> None:
    found = reliance(team(), effort=QUICK, trainings=0, weeks=4, people=["brent"])
    gone = found.good["brent"]
    assert set(gone.impossible) == {"P-1", "P-2", "C-1"}
    assert gone.late["phoenix"].finish is None
    # planned to be in time, four weeks later it is late by four weeks less its slack
    plan = make_plan(team(), budget=1.0, workers=1, deterministic=True)
    phoenix = plan.projects["phoenix"]
    assert phoenix.finish is not None
    assert phoenix.due is not None
    late = 4 - (phoenix.due - phoenix.finish).total_seconds() / (7 * 86400)
    assert gone.impossible_cost == pytest.approx(5000 * late + 100 * 4, rel=1e-6)


def test_training_for_what_one_alone_can_do_is_found_and_priced_by_a_plan() -> None:
    found = reliance(team(), effort=QUICK, people=["brent"], trainings=4)
    best = found.training[0]
    assert (best.person, best.skill, best.level, best.against) == ("ida", "oracle", 3, "brent")
    assert best.saves == pytest.approx(best.before - best.after)
    assert best.after < best.before
    plan = make_plan(
        taught(absence(team(), "brent", True), "ida", "oracle", 3), budget=1.0, workers=1, deterministic=True
    )
    assert plan.unscheduled == {}
    assert best.after == pytest.approx(plan.certificate.objective.value - found.objective, abs=1e-5)


def test_holders_and_factors_are_of_the_work_that_is_open() -> None:
    found = reliance(team(), effort=QUICK, people=["tim"], trainings=0)
    assert found.skills["oracle>=3"].holders == ("brent",)
    assert (found.skills["oracle>=3"].items, found.skills["oracle>=3"].hours) == (2, 18)
    assert "qa" not in found.skills
    assert found.service_factors["ledger"].group == ("brent",)
    assert found.skill_factors["oracle"].factor == 1
    # without brent two of four items have nobody, which is not more than half
    assert found.whole.factor == 2


@given(st.lists(st.lists(st.tuples(st.sets(st.sampled_from("abcde"), min_size=1), st.integers(1, 2)), min_size=1,
                         max_size=2), min_size=1, max_size=7))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_the_bus_factor_is_the_smallest_group_of_all(rows: list[list[tuple[set[str], int]]]) -> None:
    work = {f"W{k}": [(frozenset(able), count) for able, count in needs] for k, needs in enumerate(rows)}
    found = bus_factor(work)
    sound = [needs for needs in work.values() if all(len(able) >= count for able, count in needs)]

    def lost(group: tuple[str, ...]) -> int:
        return sum(any(len(able - set(group)) < count for able, count in needs) for needs in sound)

    sizes = [k for k in range(1, 6) if any(2 * lost(g) > len(sound) for g in combinations("abcde", k))]
    assert found.factor == (min(sizes) if sound else None)
    if sound:
        assert found.exact
        assert found.orphaned == pytest.approx(lost(found.group) / len(sound), abs=1e-6)


def test_the_command_prints_tables_json_and_a_page(tmp_path: Path) -> None:
    (tmp_path / "team.json").write_text(json.dumps({"throttle": 1, **TEAM}), encoding="utf-8")
    asked = ["reliance", str(tmp_path / "team.json"), "--budget", "0.1", "-j", "1", "--trainings", "1"]
    result = CliRunner().invoke(app, [*asked, "--html", str(tmp_path / "x.html")], env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    assert "Bus factor 2" in result.stdout
    assert "Dearest for good: brent" in result.stdout
    assert "<svg" in (tmp_path / "x.html").read_text(encoding="utf-8")
    document = json.loads(CliRunner().invoke(app, [*asked, "--json", "-q"]).stdout)
    assert document["good"]["brent"]["impossible"]
    wrong = CliRunner().invoke(app, ["reliance", str(tmp_path / "team.json"), "--person", "zoe"])
    assert wrong.exit_code == 2
    assert "no zoe" in wrong.stderr
