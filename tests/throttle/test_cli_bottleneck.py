"""``throttle bottleneck`` on plans and portfolios: the table, the JSON, and options that make no sense."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from throttle.cli import app
from throttle.files import load_plan, save_plan
from throttle_models.bottleneck import Bottleneck

PORTFOLIO = """\
throttle: 1
as_of: 2026-11-23T08:00
currency: USD
people:
  brent: {name: "Brent \\e[31mGeller", skills: {oracle: 3, linux: 3}}
  wes: {skills: {linux: 2}}
environments:
  lab: {}
projects:
  phoenix: {cost_of_delay: 5000/week}
work:
  PHX-1: {project: phoenix, needs: [{skill: oracle, effort: 24h}]}
  PHX-2: {project: phoenix, needs: [{skill: linux, effort: 16h}], environment: lab, after: PHX-1}
  SOX-1: {cost_of_delay: 900/week, needs: [{skill: oracle, effort: 30h}]}
  COBOL: {needs: [{skill: cobol, level: 2, effort: 8h}]}
"""


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "160"}, catch_exceptions=False)
    assert "Traceback" not in result.output
    return result


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bottleneck")
    (folder / "portfolio.yaml").write_text(PORTFOLIO, encoding="utf-8")
    result = run("plan", folder / "portfolio.yaml", "--budget", "0.1s", "--deterministic", "-o", folder / "out", "-q")
    assert result.exit_code == 0, result.output
    return folder


def test_the_table_says_who_limits_the_plan_at_a_glance(planned: Path) -> None:
    result = run("bottleneck", planned / "out" / "plan.json")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    for head in ("Most loaded", "Most valuable", "Named", "Queue"):
        assert any(line.startswith(head) and "Brent \\x1b[31mGeller" in line for line in lines), head
    assert "34 % of their hours, 1.4 weeks of queue (54 h of work left that only they can do)" in result.stdout
    assert "against this plan, its order kept" in result.stdout
    assert "as what is left, over these" in result.stdout
    assert "No hours at all" in result.stdout
    assert "cobol>=2" in result.stdout
    assert "lab" in result.stdout
    assert "\x1b[31m" not in result.stdout


def test_json_has_all_of_it(planned: Path) -> None:
    result = run("bottleneck", planned / "out" / "plan.json", "--json", "--weeks", "1")
    found = Bottleneck.model_validate_json(result.stdout)
    assert found.loaded is not None
    assert (found.loaded.people, found.loaded.load) == (("brent",), 54 / 40)
    assert found.queue is not None
    assert found.queue.grows_hours_a_week == 14
    assert [w.items for w in found.without_hours] == [("COBOL",)]


def test_a_portfolio_is_planned_for_a_moment_and_nothing_is_written(planned: Path, tmp_path: Path) -> None:
    before = sorted(planned.rglob("*"))
    result = run("bottleneck", planned / "portfolio.yaml", "--json", "--budget", "0.1s")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads(run("bottleneck", planned / "out" / "plan.json", "--json").stdout)
    assert "not kept" in result.stderr
    assert sorted(planned.rglob("*")) == before
    assert not list(tmp_path.iterdir())


def test_resolve_says_that_it_searched_anew(planned: Path) -> None:
    result = run("bottleneck", planned / "out" / "plan.json", "--resolve", "0.01s")
    assert result.exit_code == 0
    assert "searched anew" in result.stdout
    assert "re-solving without more time, to compare with" in result.stderr
    only = re.search(r"only these (\d) were", result.stdout)
    assert only is not None
    told = [line for line in result.stderr.splitlines() if "re-solving with more time, " in line]
    assert told == [f"re-solving with more time, {k + 1} of {only[1]}" for k in range(int(only[1]))]


def test_the_plan_before_keeps_the_name(planned: Path, tmp_path: Path) -> None:
    plan = load_plan(planned / "out" / "plan.json")
    assert plan.drum is not None
    other = plan.drum.model_copy(update={"name": "wes", "people": ("wes",)})
    save_plan(plan.model_copy(update={"drum": other, "portfolio": None}), tmp_path / "before.json")
    result = run("bottleneck", planned / "out" / "plan.json", "--previous", tmp_path / "before.json", "--json")
    # nothing is left that only wes can do, so he gives way at once
    assert json.loads(result.stdout)["drum"]["people"] == ["brent"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["out/plan.json", "--budget", "1"], "--budget has no effect"),
        (["portfolio.yaml", "--portfolio", "portfolio.yaml"], "--portfolio has no effect"),
        (["none.json"], "There is no plan"),
        (["none.yaml"], "Cannot read"),
        (["out/run.json"], "plan.json beside it"),
        (["out/plan.json", "--weeks", "0"], "--weeks"),
        (["out/plan.json", "--resolve", "soon"], "seconds such as 30"),
    ],
)
def test_what_makes_no_sense_ends_with_2(
    planned: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(planned)
    result = run("bottleneck", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("named", ["batch", "batch/results.json"])
def test_a_batch_is_told_in_one_sentence(
    planned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("batch").mkdir()
    (Path("batch") / "run.json").write_bytes((planned / "out" / "run.json").read_bytes())
    (Path("batch") / "results.json").write_text('{"throttle": 1, "kind": "batch", "rows": []}', encoding="utf-8")
    for command in ("bottleneck", "check", "plan"):
        result = run(command, named)
        assert result.exit_code == 2
        assert f"{named} is of a batch, which has a plan for each run: name one of them" in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1


def test_without_a_plan_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("bottleneck")
    assert result.exit_code == 2
    assert "throttle plan" in result.stderr
