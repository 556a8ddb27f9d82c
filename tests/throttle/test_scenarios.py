"""What if: patches on a portfolio, and variants planned and simulated side by side."""

from __future__ import annotations

import json
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner, Result

from throttle.calendars import Calendars, Grid
from throttle.cli import app
from throttle.errors import InputError
from throttle.files import portfolio_of
from throttle.planning import make_plan
from throttle.scenarios import what_if
from throttle.scenarios.paired import difference, spread
from throttle.scenarios.patch import with_scenario
from throttle.scenarios.show import show_what_if
from throttle.scenarios.solve import Effort, in_order_of, solve, solve_all
from throttle_models import Portfolio
from throttle_models.scenario import AS_IS, Scenario

SHOP: dict[str, Any] = {
    "as_of": "2026-11-23T08:00",
    "zone": "UTC",
    "currency": "EUR",
    "calendars": {"office": {"hours": "Mon-Fri 08:00-12:00 13:00-17:00"}},
    "teams": {"ops": {}, "dev": {}},
    "people": {
        "ana": {"team": "ops", "skills": {"oracle": 3}},
        "ben": {"team": "dev", "skills": {"java": 2}},
        "chu": {"team": "dev", "skills": {"java": 1, "oracle": 1}},
    },
    "projects": {
        "shop": {"cost_of_delay": "7000/week"},
        "books": {"cost_of_delay": "700/week", "due": "2026-11-27"},
    },
    "work": {
        "SHOP-1": {"project": "shop", "needs": [{"skill": "oracle", "level": 3, "effort": "16h"}]},
        "SHOP-2": {"project": "shop", "needs": [{"skill": "java", "effort": "8h"}], "after": ["SHOP-1"]},
        "BOOK-1": {"project": "books", "needs": [{"skill": "oracle", "level": 3, "effort": "24h"}]},
        "BOOK-2": {"project": "books", "needs": [{"skill": "java", "effort": "8h", "who": ["ben"]}]},
    },
    "policy": {"projects_in_process": 2, "pins": [{"work": "BOOK-2", "who": ["ben"]}]},
}
QUICK = Effort(budget=0.1)


def shop() -> Portfolio:
    return Portfolio.model_validate(SHOP)


def changed(**scenario: Any) -> Portfolio:
    return with_scenario(shop(), Scenario.model_validate(scenario), "s")


# --- patches


def test_a_change_is_merged_key_by_key_and_null_removes() -> None:
    found = changed(
        change={"policy": {"projects_in_process": None, "person_wip": 1}, "people": {"dan": {"skills": ["qa"]}}}
    )
    assert found.policy.projects_in_process is None
    assert found.policy.person_wip == 1
    assert found.policy.pins
    assert list(found.people) == ["ana", "ben", "chu", "dan"]


@pytest.mark.parametrize(
    "scenario", [{"set": {"simulation.spread": None}}, {"change": {"simulation": {"spread": None}}}]
)
def test_null_where_it_is_a_value_is_kept(scenario: dict[str, Any]) -> None:
    assert changed(**scenario).simulation.spread is None
    assert changed().simulation.spread is not None


def test_a_change_is_not_altered_by_its_use() -> None:
    scenario = Scenario.model_validate({"change": {"people": {"eve": {"skills": {"java": 1}, "team": None}}}})
    first = with_scenario(shop(), scenario, "s")
    assert first == with_scenario(shop(), scenario, "s")
    assert scenario.change == {"people": {"eve": {"skills": {"java": 1}, "team": None}}}
    assert first.people["eve"].team is None


def test_a_field_is_set_by_its_path_also_in_lists_and_with_dots_in_ids() -> None:
    data = {**SHOP, "work": {**SHOP["work"], "V1.2": {"project": "shop", "needs": [{"skill": "java", "effort": "4h"}]}}}
    scenario = Scenario.model_validate({"set": {"work.V1.2.due": "2026-12-01", "work.V1.2.needs.0.effort": "9h"}})
    found = with_scenario(Portfolio.model_validate(data), scenario, "s").work["V1.2"]
    assert str(found.due) == "2026-12-01"
    assert str(found.needs[0].effort) == "9h"


def test_dropping_a_person_opens_what_they_were_named_for() -> None:
    found = changed(drop="people.ben")
    assert "ben" not in found.people
    assert found.work["BOOK-2"].needs[0].who == ()
    assert found.policy.pins == ()


def test_dropping_a_project_takes_its_items_and_links_to_them() -> None:
    found = changed(change={"work": {"NEXT": {"needs": [{"skill": "java", "effort": "1h"}], "after": ["SHOP-2"]}}})
    found = with_scenario(found, Scenario.model_validate({"drop": "projects.shop"}), "s")
    assert list(found.work) == ["BOOK-1", "BOOK-2", "NEXT"]
    assert found.work["NEXT"].after == ()


def test_an_absence_counts_days_from_as_of() -> None:
    found = changed(absent=[{"person": "ana", "for": "7d"}]).people["ana"].away[0]
    assert (found.first, found.last) == (date(2026, 11, 23), date(2026, 11, 29))


def test_a_sev_1_takes_its_share_of_the_team_for_two_days_and_nothing_after() -> None:
    found = changed(disruptions=[{"team": "ops", "share": "30%", "for": "2d", "from": "1d"}])
    grid = Grid.of(found, 48 * 7)
    before, after = (Calendars(p, grid).person("ana") for p in (shop(), found))
    lost = [int((before & ~after)[48 * k : 48 * (k + 1)].sum()) for k in range(7)]
    # 8 h are 16 slots; 70 % of them, rounded to the nearest, are 11; as-of is 08:00, so a day of slots ends then
    assert lost == [0, 5, 5, 0, 0, 0, 0]
    assert (Calendars(found, grid).person("ben") == Calendars(shop(), grid).person("ben")).all()
    # the checker reckons the same hours by itself
    assert make_plan(found, budget=0.05, workers=1, deterministic=True).certificate.checked


@pytest.mark.parametrize(
    ("scenario", "says"),
    [
        ({"drop": "people.zoe"}, "there is no people.zoe"),
        ({"set": {"work.SHOP-1.dew": "2026-12-01"}}, "scenario s: .*dew"),
        ({"change": {"work": {"X": {"project": "nope"}}}}, "scenario s: .*nope"),
        ({"absent": [{"person": "zoe"}]}, "there is no zoe"),
        ({"disruptions": [{"team": "qa"}]}, "the time of nobody"),
        ({"set": {"work.SHOP-1.needs.4.effort": "1h"}}, "no entry 4"),
    ],
)
def test_what_is_not_there_is_told_by_name(scenario: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        changed(**scenario)


def test_plain_data_is_read_as_a_file_is() -> None:
    assert portfolio_of(SHOP, "shop") == shop()


# --- plans of variants


def test_each_variant_is_planned_as_the_portfolio_with_its_changes_alone_is() -> None:
    scenarios = {
        "later": Scenario.model_validate({"set": {"projects.books.due": "2026-12-04"}}),
        "gone": Scenario.model_validate({"drop": "people.ana"}),
    }
    found, plans = what_if(shop(), scenarios, QUICK)
    assert list(found.variants) == [AS_IS, "later", "gone"]
    for name, scenario in scenarios.items():
        alone = make_plan(with_scenario(shop(), scenario, name), budget=1.0, workers=1, deterministic=True)
        assert found.variants[name].status == "optimal"
        assert found.variants[name].objective == pytest.approx(alone.certificate.objective.value)
        assert plans[name].certificate.checked
    base = found.variants[AS_IS].objective
    assert base is not None
    assert found.variants["later"].change == pytest.approx((found.variants["later"].objective or 0) - base)
    assert set(found.variants["gone"].left_out) == {"SHOP-1", "SHOP-2", "BOOK-1"}


def test_a_scenario_that_cannot_be_planned_does_not_stop_the_others() -> None:
    pin = {
        "policy": {
            "pins": [{"work": "SHOP-1", "start": "2026-11-24T08:00"}, {"work": "BOOK-1", "start": "2026-11-24T08:00"}]
        }
    }
    scenarios = {"pinned": Scenario(change=pin), "calm": Scenario()}
    found, _ = what_if(shop(), scenarios, QUICK)
    assert found.variants["pinned"].problem
    assert found.variants["pinned"].objective is None
    assert found.variants["calm"].change == 0


def test_the_order_of_another_plan_is_kept_where_its_people_are_there() -> None:
    base = solve(shop(), QUICK)
    again = in_order_of(shop(), base, QUICK)
    assert again is not None
    assert {id: item.start for id, item in again.items.items()} == {id: item.start for id, item in base.items.items()}


def test_here_and_in_processes_the_plans_are_the_same() -> None:
    variants = {"a": shop(), "b": changed(absent=[{"person": "ana", "for": "2d"}])}
    here, there = (solve_all(variants, Effort(0.05, 1, jobs)) for jobs in (1, 2))
    assert {n: s.plan.items for n, s in here.items() if s.plan} == {n: s.plan.items for n, s in there.items() if s.plan}
    assert len(here) == 2


def test_simulated_differences_use_the_same_random_numbers() -> None:
    found, _ = what_if(shop(), {"same": Scenario(), "dear": Scenario(set={"projects.shop.cost_of_delay": "9000/week"})},
                       QUICK, runs=20)  # fmt: skip
    same, dear = (found.variants[n].simulated for n in ("same", "dear"))
    assert same is not None
    assert same.difference is not None
    assert (same.difference.mean, same.difference.low, same.difference.high) == (0, 0, 0)
    assert dear is not None
    assert dear.difference is not None
    assert dear.difference.low > 0
    assert dear.difference.worse == 1


@pytest.mark.parametrize(("field", "value"), [("currency", "USD"), ("as_of", "2026-11-30T08:00")])
def test_what_is_counted_otherwise_is_not_compared(field: str, value: str) -> None:
    scenario = Scenario.model_validate({"change": {field: value}})
    with pytest.raises(InputError, match=f"the scenario s changes {field}: costs .* cannot be compared"):
        what_if(shop(), {"s": scenario}, QUICK)
    same = Scenario.model_validate({"change": {"currency": "EUR", "as_of": "2026-11-23T08:00Z"}})
    assert what_if(shop(), {"s": same}, QUICK)[0].variants["s"].change == 0


def test_a_drum_that_a_scenario_changes_is_told() -> None:
    """With much more work in Java, the drum is who holds that; a named drum stays."""
    console = Console(file=StringIO(), width=200)
    change = {"work": {"SHOP-2": {"needs": [{"skill": "java", "effort": "400h"}]}}}
    found, _ = what_if(shop(), {"more": Scenario.model_validate({"change": change})}, QUICK)
    assert found.variants["more"].drum is not None
    assert found.variants[AS_IS].drum is None
    show_what_if(console, found)
    assert f"more: the drum is {found.variants['more'].drum}, not that of as-is" in console.file.getvalue()
    named = Portfolio.model_validate({**SHOP, "policy": {**SHOP["policy"], "drum": "oracle", "rope": "900h"}})
    kept, _ = what_if(named, {"more": Scenario.model_validate({"change": change})}, QUICK)
    assert kept.variants["more"].drum is None


def test_what_leaves_work_out_shows_no_difference_since_there_is_none_that_could_be_compared() -> None:
    found, _ = what_if(shop(), {"gone": Scenario.model_validate({"absent": [{"person": "ana"}]})}, QUICK, runs=4)
    console = Console(file=StringIO(), width=200)
    show_what_if(console, found)
    row = next(line for line in console.file.getvalue().splitlines() if line.startswith("gone "))
    assert row.split()[2] == "-"
    assert row.split()[-2:] == ["-", "-"]
    assert "gone leaves out" in console.file.getvalue()


def test_a_narrow_screen_cuts_no_figure() -> None:
    found, _ = what_if(shop(), {"same": Scenario()}, QUICK, runs=4)
    wide, narrow = Console(file=StringIO(), width=200), Console(file=StringIO(), width=20)
    for console in (wide, narrow):
        show_what_if(console, found)
    row = next(line for line in wide.file.getvalue().splitlines() if line.startswith("same "))
    assert set(row.split()) <= set(narrow.file.getvalue().split())
    assert narrow.width == 20


def test_one_run_says_nothing_of_chance() -> None:
    with pytest.raises(InputError, match="1 simulated runs tell nothing"):
        what_if(shop(), {"same": Scenario()}, QUICK, runs=1)


# --- figures


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.floats(-1e6, 1e6))
@settings(max_examples=50, deadline=None)
def test_a_constant_difference_is_certain(values: list[float], gap: float) -> None:
    base = np.array(values)
    found = difference(base + gap, base)
    assert found.mean == pytest.approx(gap, rel=1e-6, abs=1e-2)
    assert found.high - found.low <= 1e-2 + 1e-6 * abs(gap)
    assert found.better + found.worse in (0.0, 1.0) or abs(gap) < 1e-2


def test_a_spread_is_ordered() -> None:
    found = spread(np.arange(101.0))
    assert (found.p50, found.p85, found.p95, found.mean) == (50, 85, 95, 50)


# --- the command


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "160"}, catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.json").write_text(json.dumps({"throttle": 1, **SHOP}), encoding="utf-8")
    (tmp_path / "a.yaml").write_text("scenarios:\n  later: {set: {projects.books.due: 2026-12-04}}\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("scenarios:\n  same:\n", encoding="utf-8")
    return tmp_path


def test_the_command_compares_files_of_scenarios(folder: Path) -> None:
    page = folder / "page.html"
    asked = (
        "what-if",
        folder / "shop.json",
        folder / "a.yaml",
        folder / "b.yaml",
        "--runs",
        "0",
        "--budget",
        "0.1",
        "-j",
        "1",
    )
    result = run(*asked, "--html", page)
    assert result.exit_code == 0, result.output
    assert "as-is" in result.stdout
    assert "later" in result.stdout
    text = page.read_text(encoding="utf-8")
    assert "<svg" in text
    assert "script" not in text.lower().replace("description", "")
    document = json.loads(run(*asked, "--json", "-q").stdout)
    assert document["kind"] == "what-if"
    assert document["variants"]["same"]["change"] == 0


def test_two_scenarios_of_one_name_are_refused(folder: Path) -> None:
    (folder / "c.yaml").write_text("scenarios: {later: {}}\n", encoding="utf-8")
    result = run("what-if", folder / "shop.json", folder / "a.yaml", folder / "c.yaml")
    assert result.exit_code == 2
    assert "later is in another file too" in result.stderr


@pytest.mark.parametrize("name", ["scenarios", "menu"])
def test_the_schema_is_printed(name: str) -> None:
    assert json.loads(run("schema", name).stdout)["type"] == "object"


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ({"drop": ["as_of.2"]}, r"there is no as_of\.2 in the portfolio"),
        ({"drop": ["throttle.1"]}, r"there is no throttle\.1 in the portfolio"),
        ({"drop": ["assumptions.0"]}, r"there is no assumptions\.0 in the portfolio"),
        ({"set": {"work.SHOP-9.due": "2026-12-01"}}, r"there is no work\.SHOP-9 in the portfolio"),
        ({"set": {"people.dan.team": "ops"}}, r"there is no people\.dan in the portfolio"),
    ],
)
def test_what_is_not_there_is_refused(scenario: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        with_scenario(shop(), Scenario.model_validate(scenario), "s")


def test_a_whole_entry_may_be_set() -> None:
    assert changed(set={"people.dan": {"skills": ["qa"]}}).people["dan"].skills
    assert changed(set={"policy.person_wip": 1}).policy.person_wip == 1
