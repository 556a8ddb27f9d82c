"""Every command on a small portfolio: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

from throttle.cli import app
from throttle.errors import NoPlanError, VerificationError
from throttle.files import load_plan, load_portfolio, save_plan
from throttle_models import Finding, Plan, PlannedItem, Verdict, Violation

PORTFOLIO = """\
# a comment
throttle: 1
as_of: 2026-11-23T08:00
zone: America/Chicago
currency: USD
skills: [oracle, linux]
people:
  brent: {skills: {oracle: 3, linux: 3}}
  wes: {skills: {linux: 2}}
projects:
  phoenix: {title: Phoenix, cost_of_delay: 5000/week, due: 2026-12-04}
  audit: {title: Audit, cost_of_delay: 1000/week}
work:
  PHX-1: {title: Order schema, project: phoenix, needs: [{skill: oracle, effort: 24h}]}
  PHX-2: {title: "Deploy \\e[31m[bold]scripts", project: phoenix, needs: [{skill: linux, effort: 16h}], after: PHX-1}
  SOX-1: {title: Rotate keys, project: audit, needs: [{skill: oracle, effort: 16h}]}
  SOX-2: {title: Review access, project: audit, needs: [{skill: linux, effort: 40h}]}
  OLD-1: {title: Long ago, project: audit, status: done, needs: [{skill: linux, effort: 1h}]}
"""

JIRA = """\
Summary,Issue key,Issue id,Issue Type,Status,Status Category,Project key,Priority,Assignee,Created,Updated,Original Estimate
Order schema,PHX-1,10001,Story,In Progress,In Progress,PHX,High,brent,2026-11-02 09:00,2026-11-20 10:00,86400
Deploy scripts,PHX-2,10002,Story,To Do,To Do,PHX,Medium,wes,2026-11-03 09:00,2026-11-20 11:00,57600
Rotate keys,PHX-3,10003,Task,Done,Done,PHX,Low,brent,2026-10-03 09:00,2026-11-19 11:00,28800
"""  # noqa: E501


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "160"}, catch_exceptions=False)
    assert "Traceback" not in result.output
    return result


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("portfolio.yaml").write_text(PORTFOLIO, encoding="utf-8")
    Path("jira.csv").write_text(JIRA, encoding="utf-8")


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planned")
    (folder / "portfolio.yaml").write_text(PORTFOLIO, encoding="utf-8")
    result = run("plan", folder / "portfolio.yaml", "--budget", "1s", "--out", folder / "out", "-q")
    assert result.exit_code == 0, result.output
    return folder / "out"


# --- plan


def test_plan_prints_this_week_and_writes_three_files(tmp_path: Path) -> None:
    result = run("plan", "portfolio.yaml", "--budget", "1")
    assert result.exit_code == 0
    for text in ("week 2026-W48", "Let in this week", "PHX-1", "Bottleneck", "oracle", "Phoenix", "Certificate"):
        assert text in result.stdout
    assert sorted(p.name for p in (tmp_path / "out" / "plan").iterdir()) == ["index.html", "plan.json", "run.json"]
    facts = json.loads((tmp_path / "out" / "plan" / "run.json").read_bytes())
    assert facts["kind"] == "run"
    assert facts["seconds"]["plan"] > 0
    assert facts["budget_seconds"] == 1
    assert "written" in result.stderr.lower()
    assert "gap" in result.stderr  # progress


def test_titles_cannot_write_control_characters_or_markup(planned: Path) -> None:
    result = run("plan", "portfolio.yaml", "--budget", "1", "-q")
    assert "\x1b" not in result.stdout
    assert r"Deploy \x1b[31m[bold]scripts" in result.stdout
    shown = run("why", "PHX-2", planned / "plan.json")
    assert "\x1b" not in shown.stdout


def test_quiet_plan_prints_no_messages() -> None:
    assert run("plan", "portfolio.yaml", "--budget", "1", "-q").stderr == ""


def test_plan_as_json_is_the_file() -> None:
    result = run("plan", "portfolio.yaml", "--budget", "1", "--json")
    assert json.loads(result.stdout) == json.loads(Path("out/plan/plan.json").read_bytes())


def test_plan_replaces_its_own_output_and_leaves_other_files_there() -> None:
    assert run("plan", "portfolio.yaml", "--budget", "1", "-q").exit_code == 0
    Path("out/plan/notes.txt").write_text("mine", encoding="utf-8")
    before = Path("out/plan/run.json").stat().st_mtime_ns  # two quick runs may tell the same of themselves
    assert run("plan", "portfolio.yaml", "--budget", "1", "-q").exit_code == 0
    assert Path("out/plan/notes.txt").read_text(encoding="utf-8") == "mine"
    assert Path("out/plan/run.json").stat().st_mtime_ns > before
    assert not [p for p in Path("out/plan").iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize("what", ["a file", "a folder of others", "another tool's run.json"])
def test_plan_writes_over_nothing_that_is_not_its_own(what: str) -> None:
    out = Path("taken")
    if what == "a file":
        out.write_text("mine", encoding="utf-8")
    else:
        out.mkdir()
        (out / ("plan.json" if what == "a folder of others" else "run.json")).write_text("{}", encoding="utf-8")
    before = snapshot(Path())
    result = run("plan", "portfolio.yaml", "--out", "taken", "--budget", "1")
    assert result.exit_code == 2
    assert "--out" in result.stderr
    assert snapshot(Path()) == before


def test_an_output_inside_a_file_is_refused_before_planning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("throttle.files.load_portfolio", lambda _: pytest.fail("read before the output was checked"))
    result = run("plan", "portfolio.yaml", "--out", "jira.csv/out")
    assert result.exit_code == 2
    assert "jira.csv" in result.stderr


def test_no_feasible_plan_ends_with_3_and_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> Plan:
        raise NoPlanError([Finding(level="error", code="none", message="PHX-1 has no place.")])

    monkeypatch.setattr("throttle.planning.make_plan", none)
    result = run("plan", "portfolio.yaml", "--budget", "1")
    assert result.exit_code == 3
    assert "PHX-1 has no place." in result.stderr
    assert not Path("out").exists()


def test_a_plan_that_breaks_rules_ends_with_5_and_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object, **__: object) -> Plan:
        broken = Violation(kind="overlap", ids=("PHX-1",), message="PHX-1 and SOX-1 overlap.")
        raise VerificationError(Verdict(ok=False, violations=(broken,), objective=0.0, flow=0.0, items=1))

    monkeypatch.setattr("throttle.planning.make_plan", wrong)
    result = run("plan", "portfolio.yaml", "--budget", "1")
    assert result.exit_code == 5
    assert "overlap" in result.stderr
    assert "defect" in result.stderr
    assert not Path("out").exists()


def test_a_failure_while_writing_keeps_the_earlier_output(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("plan", "portfolio.yaml", "--budget", "1", "-q").exit_code == 0
    before = snapshot(Path("out"))

    def full(_plan: Plan, path: Path) -> None:
        path.write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("throttle.files.save_plan", full)
    result = run("plan", "portfolio.yaml", "--budget", "1", "-q")
    assert result.exit_code == 2
    assert "no space left" in result.stderr
    assert snapshot(Path("out")) == before


@pytest.mark.parametrize("fails", ["plan.json", "index.html", "run.json"])
def test_all_files_of_a_plan_are_replaced_or_none(fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("plan", "portfolio.yaml", "--budget", "1", "-q").exit_code == 0
    before = snapshot(Path("out"))
    replace = os.replace

    def no_right(old: Path, new: Path) -> None:
        if new == Path("out/plan", fails) and old.name == fails:
            raise PermissionError(13, "Permission denied", str(new))
        replace(old, new)

    monkeypatch.setattr(os, "replace", no_right)
    result = run("plan", "portfolio.yaml", "--budget", "1", "-q", "--seed", "2")
    assert result.exit_code == 2
    assert "permission denied" in result.stderr
    assert snapshot(Path("out")) == before
    monkeypatch.undo()


def test_what_cannot_be_replaced_is_refused_before_planning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("throttle.files.load_portfolio", lambda _: pytest.fail("read before the output was checked"))
    out = Path("out")
    for name, says in (("index.html", "is a folder"), ("plan.json", "is a link")):
        out.mkdir(exist_ok=True)
        (out / "run.json").write_text('{"kind": "run", "throttle": "0"}', encoding="utf-8")
        if name == "index.html":
            (out / name).mkdir()
        else:
            (out / "index.html").rmdir()
            (out / name).symlink_to("elsewhere")
        result = run("plan", "portfolio.yaml", "--out", "out")
        assert result.exit_code == 2
        assert f"{Path('out', name)} {says}" in result.stderr
    Path("dangling").symlink_to("nowhere")
    for folder in ("dangling", "dangling/in"):
        result = run("plan", "portfolio.yaml", "--out", folder)
        assert result.exit_code == 2
        assert "link to what does not exist" in result.stderr


def test_names_that_are_too_long_and_a_folder_that_is_gone_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "x" * 300
    for arguments in (["ingest", "jira.csv", "-o", f"{long}.yaml"], ["plan", long], ["verify", long]):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "file name too long" in result.stderr
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    result = run("plan", tmp_path / "portfolio.yaml")
    assert result.exit_code == 2
    assert "current folder exists no longer" in result.stderr


def test_plan_without_its_portfolio_needs_it_to_be_verified() -> None:
    run("plan", "portfolio.yaml", "--budget", "1", "-q", "--no-portfolio")
    assert load_plan(Path("out/plan/plan.json")).portfolio is None
    assert run("verify", "out/plan/plan.json").exit_code == 2
    assert run("verify", "out/plan/plan.json", "portfolio.yaml").exit_code == 0


def test_plan_prints_the_week_asked_for() -> None:
    result = run("plan", "portfolio.yaml", "--budget", "1", "-q", "--week", "2026-W49")
    assert "week 2026-W49" in result.stdout
    assert "Let in this week" not in result.stdout


def test_deterministic_plans_are_equal_byte_for_byte() -> None:
    for out in ("one", "two"):
        assert run("plan", "portfolio.yaml", "--deterministic", "--budget", "1", "-q", "--out", out).exit_code == 0
    assert Path("one/plan.json").read_bytes() == Path("two/plan.json").read_bytes()


def test_plan_from_an_export_says_what_was_read_and_on_which_defaults() -> None:
    result = run("plan", "jira.csv", "--budget", "1")
    assert result.exit_code == 0
    assert "3 rows read" in result.stderr
    assert "Defaults that this rests on" in result.stdout
    assert "PHX-2" in result.stdout


def test_options_about_exports_are_refused_on_a_portfolio() -> None:
    result = run("plan", "portfolio.yaml", "--date-order", "dmy")
    assert result.exit_code == 2
    assert "--date-order" in result.stderr


def test_a_portfolio_and_an_export_together_are_refused() -> None:
    result = run("plan", "portfolio.yaml", "jira.csv")
    assert result.exit_code == 2
    assert "portfolio.yaml" in result.stderr


# --- check, verify, why, export, schema


def test_check_counts_what_is_sound() -> None:
    result = run("check", "portfolio.yaml")
    assert result.exit_code == 0
    assert "Sound: 5 work items (4 to plan), 2 projects, 2 people, 2 skills, " in result.stdout
    assert json.loads(run("check", "portfolio.yaml", "--json").stdout)["ok"] is True


def test_check_says_everything_at_once_and_as_json() -> None:
    wrong = PORTFOLIO.replace("project: audit, needs", "project: adit, needs").replace("after: PHX-1", "after: PHX-99")
    Path("portfolio.yaml").write_text(wrong, encoding="utf-8")
    result = run("check", "portfolio.yaml")
    assert result.exit_code == 2
    assert "adit" in result.stderr
    assert "PHX-99" in result.stderr
    assert result.stdout == ""
    found = json.loads(run("check", "portfolio.yaml", "--json").stdout)
    assert found["ok"] is False
    assert len(found["findings"]) >= 3


def test_check_names_a_circle_and_a_skill_that_nobody_holds() -> None:
    circle = PORTFOLIO.replace("effort: 24h}]}", "effort: 24h}], after: PHX-2}")
    Path("portfolio.yaml").write_text(circle, encoding="utf-8")
    result = run("check", "portfolio.yaml")
    assert result.exit_code == 2
    assert "PHX-1 -> PHX-2 -> PHX-1" in result.stderr
    Path("portfolio.yaml").write_text(
        PORTFOLIO.replace("oracle: 3", "oracle: 1").replace(
            "{skill: oracle, effort: 16h}", "{skill: oracle, level: 2, effort: 16h}"
        ),
        encoding="utf-8",
    )
    result = run("check", "portfolio.yaml")
    assert result.exit_code == 0
    assert "no one holds oracle at level >= 2: needed by SOX-1" in result.stderr


def test_verify_accepts_the_plan_and_ends_with_5_on_a_changed_one(planned: Path, tmp_path: Path) -> None:
    assert "no violation" in run("verify", planned / "plan.json").stdout
    plan = load_plan(planned / "plan.json")
    moved = PlannedItem.model_validate(plan.items["PHX-2"].model_dump() | {"start": plan.items["PHX-1"].start})
    save_plan(plan.model_copy(update={"items": {**plan.items, "PHX-2": moved}}), tmp_path / "changed.json")
    result = run("verify", "changed.json")
    assert result.exit_code == 5
    assert "PHX-2" in result.stdout
    verdict = run("verify", "changed.json", "--json")
    assert verdict.exit_code == 5
    assert json.loads(verdict.stdout)["ok"] is False


def test_why_explains_an_item_and_refuses_an_unknown_one(planned: Path) -> None:
    result = run("why", "PHX-2", planned / "plan.json")
    assert result.exit_code == 0
    assert "PHX-1" in result.stdout
    assert json.loads(run("why", "PHX-2", planned / "plan.json", "--json").stdout)
    unknown = run("why", "PHX-3", planned / "plan.json")
    assert unknown.exit_code == 2
    assert "PHX-3" in unknown.stderr


def test_errors_of_content_name_the_file(planned: Path) -> None:
    assert str(planned / "plan.json") in run("why", "NOPE", planned / "plan.json").stderr
    Path("circle.yaml").write_text("as_of: 2026-01-01\nwork: {A: {after: B}, B: {after: A}}\n", encoding="utf-8")
    assert "circle.yaml" in run("plan", "circle.yaml").stderr
    (found,) = json.loads(run("check", "circle.yaml", "--json").stdout)["findings"]
    assert found["file"] == "circle.yaml"


def test_verify_says_truly_what_is_no_plan(planned: Path) -> None:
    Path("png.csv").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    Path("portfolio.json").write_text('{"as_of": "2026-01-01", "work": {}}', encoding="utf-8")
    for name, says in (
        ("png.csv", "is not JSON"),
        (planned / "run.json", "tells how a plan was made"),
        (planned, "is a folder: name the plan.json"),
        ("portfolio.yaml", "throttle plan portfolio.yaml"),
        ("portfolio.json", "is a portfolio"),
        ("jira.csv", "is a ticket export"),
    ):
        result = run("verify", name)
        assert result.exit_code == 2
        assert says in result.stderr
    assert "tells how a plan was made" in run("plan", planned / "run.json").stderr


def test_a_portfolio_in_utf_16_is_a_portfolio() -> None:
    Path("portfolio.yaml").write_text(PORTFOLIO, encoding="utf-16")
    result = run("check", "portfolio.yaml")
    assert result.exit_code == 0, result.stderr
    assert "5 work" in result.stdout


def test_a_team_file_that_is_a_whole_portfolio_is_suspected() -> None:
    whole = "as_of: 2026-11-23\nwork: {SOX-1: {title: Rotate keys, wait: 1d}, PHX-1: {title: Schema}}\n"
    Path("whole.yaml").write_text(whole, encoding="utf-8")
    result = run("plan", "jira.csv", "--team", "whole.yaml", "--budget", "1", "-q")
    assert "none of the exports (SOX-1)" in result.stderr
    Path("whole.yaml").write_text(whole.replace("as_of: 2026-11-23\n", ""), encoding="utf-8")
    assert "none of the exports" not in run("ingest", "jira.csv", "--team", "whole.yaml", "--json").stdout


def test_why_without_a_plan_says_how_to_make_one() -> None:
    result = run("why", "PHX-2")
    assert result.exit_code == 2
    assert "throttle plan" in result.stderr


@pytest.mark.parametrize(("name", "begins"), [("csv", ""), ("ics", "BEGIN:VCALENDAR"), ("json", "")])
def test_export_prints_or_writes_the_same(planned: Path, name: str, begins: str) -> None:
    printed = run("export", planned / "plan.json", "--format", name)
    assert printed.exit_code == 0
    assert printed.stdout.startswith(begins)
    assert "PHX-2" in printed.stdout
    assert run("export", planned / "plan.json", "--format", name, "-o", f"plan.{name}").exit_code == 0
    assert Path(f"plan.{name}").read_bytes() == printed.stdout_bytes


def test_export_of_one_person_has_only_their_work(planned: Path) -> None:
    result = run("export", planned / "plan.json", "--person", "wes")
    assert "SOX-2" in result.stdout
    assert "PHX-1" not in result.stdout
    assert run("export", planned / "plan.json", "--person", "wess").exit_code == 2


def test_the_help_of_export_says_what_a_row_of_csv_is() -> None:
    assert "a row for each person, item and day" in " ".join(run("export", "--help").stdout.split())


def test_export_replaces_a_file_only_with_force(planned: Path) -> None:
    Path("plan.csv").write_text("mine", encoding="utf-8")
    assert run("export", planned / "plan.json", "-o", "plan.csv").exit_code == 2
    assert Path("plan.csv").read_text(encoding="utf-8") == "mine"
    assert run("export", planned / "plan.json", "-o", "plan.csv", "--force").exit_code == 0
    assert "PHX-1" in Path("plan.csv").read_text(encoding="utf-8")


def test_the_schema_of_a_plan_accepts_a_plan(planned: Path) -> None:
    schema = json.loads(run("schema", "plan").stdout)
    Draft202012Validator.check_schema(schema)
    plan = json.loads((planned / "plan.json").read_bytes())
    plan.pop("portfolio", None)
    assert [e.message for e in Draft202012Validator(schema).iter_errors(plan)] == []
    assert list(Draft202012Validator(schema).iter_errors({**plan, "kind": "ticket"}))


@pytest.mark.parametrize("name", ["portfolio", "policy"])
def test_the_other_schemas_are_sound(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(run("schema", name).stdout))


# --- map, ingest, replan, demo


def test_ingest_writes_a_portfolio_that_plan_accepts_and_accounts_for_every_row() -> None:
    result = run("ingest", "jira.csv", "-o", "read.yaml", "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["rows_read"] == 3 == report["imported"] + report["merged"] + _count(report["rejected"])
    assert "PHX-2" in load_portfolio(Path("read.yaml")).work
    assert run("plan", "read.yaml", "--budget", "1", "-q").exit_code == 0


def _count(rejected: object) -> int:
    return rejected if isinstance(rejected, int) else len(rejected)  # type: ignore[arg-type]


def test_a_dry_run_reports_the_same_and_writes_nothing() -> None:
    before = snapshot(Path())
    dry = run("ingest", "jira.csv", "-o", "read.yaml", "--dry-run", "--json")
    assert snapshot(Path()) == before
    assert dry.stdout == run("ingest", "jira.csv", "-o", "read.yaml", "--json").stdout


def test_ingest_replaces_its_own_output_but_not_an_edited_one() -> None:
    assert run("ingest", "jira.csv", "-o", "read.yaml").exit_code == 0
    assert run("ingest", "jira.csv", "-o", "read.yaml").exit_code == 0
    with Path("read.yaml").open("a", encoding="utf-8") as file:
        file.write("# reviewed\n")
    edited = Path("read.yaml").read_bytes()
    result = run("ingest", "jira.csv", "-o", "read.yaml")
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert Path("read.yaml").read_bytes() == edited
    assert run("ingest", "jira.csv", "-o", "read.yaml", "--force").exit_code == 0


def test_ingest_prints_its_report() -> None:
    result = run("ingest", "jira.csv")
    assert result.exit_code == 0
    assert "3 rows read" in result.stdout
    assert "Nothing was written" in result.stderr


def test_a_proposed_mapping_is_written_and_changes_nothing_when_used() -> None:
    result = run("map", "jira.csv")
    assert result.exit_code == 0
    assert "Issue key" in result.stdout
    plain = json.loads(run("ingest", "jira.csv", "--json").stdout)
    mapped = json.loads(run("ingest", "jira.csv", "--map", "map.yaml", "--json").stdout)
    assert mapped["imported"] == plain["imported"]
    assert mapped["items"] == plain["items"]
    assert json.loads(run("map", "jira.csv", "--json", "--force").stdout)["throttle_map"] == 1


def test_replan_takes_progress_from_a_newer_portfolio(planned: Path) -> None:
    newer = PORTFOLIO.replace("2026-11-23T08:00", "2026-11-27T08:00").replace(
        "{title: Order schema,", "{title: Order schema, status: done,"
    )
    Path("newer.yaml").write_text(newer, encoding="utf-8")
    result = run("replan", planned / "plan.json", "newer.yaml", "--budget", "1", "--out", "out/again")
    assert result.exit_code == 0, result.output
    plan = load_plan(Path("out/again/plan.json"))
    assert "PHX-1" in plan.done
    assert plan.previous is not None
    assert run("verify", "out/again/plan.json").exit_code == 0


def test_demo_plans_the_example_organisation() -> None:
    result = run("demo", "--out", "out/demo", "--budget", "2", "-q")
    assert result.exit_code == 0, result.output
    plan = load_plan(Path("out/demo/plan.json"))
    assert plan.certificate.checked
    assert plan.bottleneck is not None
    assert (Path("out/demo/index.html")).stat().st_size > 10_000


# --- bad inputs


def _damaged(kind: str) -> str:
    name = f"bad{'.csv' if 'csv' in kind else '.yaml' if 'yaml' in kind else '.json'}"
    content: dict[str, bytes] = {
        "empty csv": b"",
        "empty yaml": b"",
        "empty json": b"",
        "binary csv": bytes(range(256)) * 40,
        "binary yaml": b"\x7fELF\x02\x01\x01\x00" + os.urandom(400),
        "binary json": b"\x89PNG\r\n\x1a\n\x00\x00",
        "truncated json": b'{"throttle": 1, "as_of": "2026-11-23T08:00", "work": {"A": {"ti',
        "truncated export json": b'{"result": [{"number": "CHG001", "sys_id": "ab',
        "truncated yaml": PORTFOLIO[:500].encode() + b'\n  PHX-3: {title: "cut',
        "truncated csv": b'Summary,Issue key,Status\n"Order schema,PHX-1,To Do\nmore',
        "wrong csv": b"name,colour\nrose,red\n",
        "wrong yaml": b"hello: world\n",
        "wrong json": b"[1, 2, 3]",
    }
    Path(name).write_bytes(content[kind])
    return name


BAD = ["empty csv", "empty yaml", "empty json", "binary csv", "binary yaml", "binary json", "truncated json",
       "truncated export json", "truncated yaml", "truncated csv", "wrong csv", "wrong yaml", "wrong json"]  # fmt: skip


@pytest.mark.parametrize("kind", [*BAD, "missing", "a folder of nothing"])
def test_bad_input_is_one_clear_message_exit_2_and_nothing_written_over(kind: str) -> None:
    assert run("plan", "portfolio.yaml", "--budget", "1", "-q").exit_code == 0
    if kind == "missing":
        name = "missing.csv"
    elif kind == "a folder of nothing":
        name = "nothing"
        Path(name).mkdir()
    else:
        name = _damaged(kind)
    before = snapshot(Path())
    for arguments in (["plan", name], ["ingest", name, "-o", "portfolio.json"], ["map", name]):
        result = run(*arguments)
        assert result.exit_code == 2, (arguments, result.output)
        assert name in result.stderr
        assert result.stdout == ""
        assert snapshot(Path()) == before


@pytest.mark.parametrize("kind", ["missing", *(k for k in BAD if "json" in k)])
def test_a_bad_plan_is_one_clear_message_and_exit_2(kind: str) -> None:
    name = "missing.json" if kind == "missing" else _damaged(kind)
    for arguments in (["verify", name], ["why", "PHX-1", name], ["export", name], ["replan", name, "portfolio.yaml"]):
        result = run(*arguments)
        assert result.exit_code == 2, (arguments, result.output)
        assert name in result.stderr
        assert result.stdout == ""


@pytest.mark.parametrize("option", ["--team", "--map"])
def test_a_bad_team_or_mapping_file_is_named(option: str) -> None:
    Path("words.yaml").write_text("peeple: {}\n", encoding="utf-8")
    result = run("plan", "jira.csv", option, "words.yaml")
    assert result.exit_code == 2
    assert "words.yaml" in result.stderr
    assert run("plan", "jira.csv", option, "none.yaml").exit_code == 2
