"""``throttle batch``: what it prints and writes, how it ends, and that it goes on where it was."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from benchmarks.portfolios import synthetic
from rich.console import Console
from typer.testing import CliRunner, Result

from support.engines import Threads, use
from throttle.batch.results import summarise
from throttle.batch.work import Outcome, Task
from throttle.cli import app
from throttle.cli.batch import tables
from throttle.executors import open_executor
from throttle.files import save_portfolio
from throttle_models import Policy
from throttle_models.batch import Row, RunStatus

OFFICE = """\
as_of: 2026-11-23T08:00
people: {brent: {skills: {oracle: 3, linux: 3}}, wes: {skills: {linux: 2}}}
projects: {phoenix: {cost_of_delay: 5000/week, due: 2026-11-25}}
work:
  PHX-1: {project: phoenix, needs: [{skill: oracle, effort: 24h}]}
  PHX-2: {project: phoenix, needs: [{skill: linux, effort: 16h}], after: PHX-1}
"""
RUNS = """\
portfolios: [office.yaml]
variants: {as-is: , one: {projects_in_process: 1}}
seeds: [1, 2]
budget: 0.05
"""


def run(*arguments: str | Path, columns: int = 160) -> Result:
    env = {"COLUMNS": str(columns)}
    result = CliRunner().invoke(app, [str(a) for a in arguments], env=env, catch_exceptions=False)
    assert "Traceback" not in result.output
    return result


@pytest.fixture(autouse=True)
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Threads:
    monkeypatch.chdir(tmp_path)
    Path("office.yaml").write_text(OFFICE, encoding="utf-8")
    Path("runs.yaml").write_text(RUNS, encoding="utf-8")
    return use(monkeypatch, Threads())


def test_batch_prints_a_row_for_each_run_and_the_best_variant_and_writes_the_table() -> None:
    result = run("batch", "runs.yaml", "-o", "out")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert [line.split()[:3] for line in lines[1:5]] == [
        ["office.yaml", variant, seed] for variant in ("as-is", "one") for seed in "12"
    ]
    assert "Equal for office.yaml: as-is, one, " in result.stdout
    assert "mean of 2 seeds: least objective, then flow" in result.stdout
    assert [line.split()[4] for line in lines[1:5]] == ["*"] * 4
    assert result.stderr.startswith("4 runs, 1 at once; about 1 s of search at most")
    for text in ("[4/4] office.yaml, one, seed 2: ", "4 of 4 runs with a verified plan", "out/results.csv"):
        assert text in result.stderr
    assert sorted(p.name for p in Path("out").iterdir()) == ["results.csv", "results.json", "run.json", "runs"]
    rows = list(csv.DictReader(StringIO(Path("out/results.csv").read_text(encoding="utf-8"))))
    assert [row["best"] for row in rows] == ["True"] * 4
    for row in rows:
        assert run("verify", Path("out") / row["plan"]).exit_code == 0


def test_a_narrow_terminal_shows_less_of_the_table() -> None:
    wide = run("batch", "runs.yaml", "-o", "out", "-q").stdout.splitlines()[0].split()
    narrow = run("batch", "runs.yaml", "-o", "out", "-q", columns=80).stdout.splitlines()[0].split()
    needed = ["portfolio", "variant", "seed", "status", "best", "objective", "gap", "flow"]
    assert [name for name in narrow if name in needed] == needed
    assert set(narrow) < set(wide)


@pytest.mark.parametrize("width", [80, 120])
def test_no_row_of_the_table_is_broken_while_columns_can_be_left_out(width: int) -> None:
    figures = {"bound": 123456.0, "first_come": 1234567.0, "greedy": 123456.0, "seconds": 12.0, "gap": 0.5}
    row = made("organisations", "as-written", 212345.0).model_copy(update=figures)
    lines = table(row, row, width=width).splitlines()
    assert len(lines) == 3
    assert "as-written" in lines[1]
    assert all(len(line) <= width for line in lines)


def test_many_runs_are_not_all_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("throttle.cli.batch.ROWS", 3)
    result = run("batch", "runs.yaml", "-o", "out")
    assert "and 1 more, in results.csv" in result.stdout


def test_json_is_the_file_and_quiet_says_nothing() -> None:
    result = run("batch", "runs.yaml", "-o", "out", "--json", "-q")
    assert result.stderr == ""
    assert json.loads(result.stdout) == json.loads(Path("out/results.json").read_bytes())


def test_options_replace_what_the_file_says(engine: Threads) -> None:
    assert run("batch", "runs.yaml", "-o", "out", "--seed", "7", "--seed", "8", "--seed", "7").exit_code == 0
    rows = json.loads(Path("out/results.json").read_bytes())["rows"]
    assert [row["seed"] for row in rows] == [7, 8, 7, 8]
    assert engine.count == 4


@pytest.mark.parametrize(
    ("seed", "says"),
    [("-1", "greater than or equal to 0"), (str(2**31), "equal to 2147483647"), ("9" * 30, "equal to 2147483647")],
)
def test_a_seed_out_of_range_is_refused(seed: str, says: str) -> None:
    for command in (["batch", "runs.yaml"], ["plan", "office.yaml"]):
        result = run(*command, "-o", "out", "--seed", seed)
        assert result.exit_code == 2
        assert says in result.stderr
    assert not Path("out").exists()


def test_a_folder_of_plans_is_none_for_batches_and_the_reverse() -> None:
    assert run("plan", "office.yaml", "-o", "plans", "--budget", "0.05").exit_code == 0
    assert run("batch", "runs.yaml", "-o", "batches").exit_code == 0
    before = {file: file.read_bytes() for file in Path().rglob("*") if file.is_file()}
    commands = (
        (["batch", "runs.yaml", "-o", "plans"], "plans holds an output of throttle plan, not of throttle batch"),
        (["plan", "office.yaml", "-o", "batches"], "batches holds an output of throttle batch, not of throttle plan"),
        (
            ["replan", "plans/plan.json", "office.yaml", "-o", "batches"],
            "batches holds an output of throttle batch, not of throttle plan",
        ),
        (["demo", "-o", "batches"], "batches holds an output of throttle batch, not of throttle plan"),
    )
    for arguments, says in commands:
        result = run(*arguments)
        assert result.exit_code == 2
        assert f"{says}, so nothing in it was changed; choose another one with --out" in result.stderr
    assert {file: file.read_bytes() for file in Path().rglob("*") if file.is_file()} == before


def test_a_second_time_keeps_what_is_there(engine: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("batch", "runs.yaml", "-o", "out").exit_code == 0
    again = use(monkeypatch, Threads())
    result = run("batch", "runs.yaml", "-o", "out")
    assert (result.exit_code, engine.count, again.count) == (0, 4, 0)
    assert "4 runs kept from an earlier time" in result.stderr
    again = use(monkeypatch, Threads())
    assert run("batch", "runs.yaml", "-o", "out", "--again").exit_code == 0
    assert again.count == 4


def test_a_failed_run_is_told_once_and_the_others_have_plans() -> None:
    Path("broken.yaml").write_text("as_of: 2026-11-23\nwork: {A: {titel: x}}\n", encoding="utf-8")
    Path("runs.yaml").write_text(RUNS.replace("[office.yaml]", "[broken.yaml, office.yaml]"), encoding="utf-8")
    result = run("batch", "runs.yaml", "-o", "out", "-q")
    assert result.exit_code == 7
    assert result.stderr.count("titel: there is no such field") == 1
    others = "; ".join(f"broken.yaml, {name}, seed {seed}" for name, seed in (("as-is", 2), ("one", 1), ("one", 2)))
    assert f"[4/8] 3 more runs failed as one of that portfolio before: {others}\n" in result.stderr
    assert "4 of 8 runs with a verified plan, 4 failed" in result.stderr
    assert result.stdout.count("failed") == 4
    assert "Failed: broken.yaml (4 runs): broken.yaml, line 2: work.A.titel: there is no such field" in result.stdout


def table(*rows: Row, width: int = 160, policies: dict[tuple[str, str], Policy] | None = None) -> str:
    results = summarise(rows, {row.variant: Policy() for row in rows}, policies)
    console = Console(width=width, file=StringIO(), record=True)
    for part in tables(results, width):
        console.print(part)
    return console.export_text()


def made(portfolio: str, variant: str, objective: float, seed: int = 1) -> Row:
    figures = {"objective": objective, "flow": objective, "items": 1, "scheduled": 1, "plan": "x"}
    return Row.model_validate(
        {"portfolio": portfolio, "variant": variant, "seed": seed, "status": "feasible", **figures}
    )


def test_the_best_variant_is_marked_and_a_doubtful_difference_is_doubted() -> None:
    text = table(made("p", "a", 12.0), made("p", "b", 10.0))
    assert [line.split()[4] for line in text.splitlines()[1:3]] == ["12.0", "*"]
    assert "Best for p: b, 10.0" in text
    assert "a follows, 2.0 behind" in text
    assert "one seed says little" in text
    text = table(*(made("p", variant, value, seed) for variant in "ab" for seed, value in ((1, 10.0), (2, 15.0))))
    assert "Equal for p: a, b, 12.5" in text
    assert "behind" not in text


def test_a_variant_that_only_lifts_limits_is_said_to_count_with_plans_of_the_tighter_one() -> None:
    policies = {("p", "six"): Policy(projects_in_process=6), ("p", "two"): Policy(projects_in_process=2)}
    text = table(made("p", "six", 12.0), made("p", "two", 10.0), policies=policies)
    assert "Equal for p: six, two, 10.0" in text
    assert "six only lifts limits of two, so plans of two count for it too where they are better" in text


def test_a_search_that_found_nothing_better_than_the_greedy_rule_is_told() -> None:
    greedy = {"greedy": 10.0}
    rows = [made("p", name, 10.0, seed).model_copy(update=greedy) for name in "ab" for seed in (1, 2)]
    rows[3] = rows[3].model_copy(update={"objective": 9.0})
    text = table(*rows)
    assert "nothing better than the greedy rule for p: a; give it more time" in text
    proven = [row.model_copy(update={"status": RunStatus.OPTIMAL}) for row in rows]
    assert "greedy rule" not in table(*proven)


def test_an_interrupted_comparison_names_no_best_variant() -> None:
    waiting = made("p", "b", 1.0).model_copy(update={"status": RunStatus.NOT_RUN, "plan": None})
    text = table(made("p", "a", 10.0), waiting)
    assert "No best variant of p yet: 1 of its 2 runs did not end" in text
    assert "Best for" not in text


def test_progress_and_table_use_the_same_names() -> None:
    deep = Path("organisations-of-the-whole-group")
    for name in ("north", "south"):
        (deep / name).mkdir(parents=True)
        (deep / name / "office.yaml").write_text(OFFICE, encoding="utf-8")
    Path("runs.yaml").write_text(f"portfolios: ['{deep}/*/*.yaml']\nbudget: 0.05\n", encoding="utf-8")
    result = run("batch", "runs.yaml", "-o", "out")
    for name in ("north/office.yaml", "south/office.yaml"):
        assert f"] {name}, as-written, seed 1: " in result.stderr
        assert any(line.startswith(f"{name} ") for line in result.stdout.splitlines())


def test_a_long_name_is_shown_by_its_last_folders() -> None:
    long = "organisations/of-the-whole-group/{}/native"
    text = table(made(long.format("north"), "a", 1.0), made(long.format("south"), "a", 1.0), width=80)
    assert [line.split()[0] for line in text.splitlines()[1:3]] == ["north/native", "south/native"]
    assert table(made("one/b", "a", 1.0)).splitlines()[1].startswith("one/b ")


def test_what_is_skipped_is_told(tmp_path: Path) -> None:
    result = run("batch", tmp_path, "-o", "out", "--budget", "0.05")
    assert result.exit_code == 0
    assert f"Skipped: {tmp_path / 'runs.yaml'} is a RUNS file" in result.stderr


def test_two_interrupts_leave_a_row_for_each_run_and_no_warning(tmp_path: Path) -> None:
    save_portfolio(synthetic(3000, 30), Path("large.json"))
    Path("runs.yaml").write_text("portfolios: [office.yaml, large.json]\nbudget: 30\n", encoding="utf-8")
    with started(tmp_path, start_new_session=True) as process:
        until = time.monotonic() + 20
        while not Path("out/results.csv").exists() and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.4)  # while processes start
        for _ in range(2):
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            time.sleep(0.05)
        _, err = process.communicate(timeout=20)
    assert process.returncode in (4, 6, -signal.SIGINT), err  # the last: it had ended its work before the second
    assert "Stopping" in err
    assert "Warning" not in err
    assert "Traceback" not in err
    assert "leaked" not in err
    rows = list(csv.DictReader(StringIO(Path("out/results.csv").read_text(encoding="utf-8"))))
    assert [row["portfolio"] for row in rows] == ["office.yaml", "large.json"]


def test_an_interrupt_before_a_plan_ends_with_6(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_task: Task) -> Outcome:
        time.sleep(0.6)
        return Outcome(1.0, "not to be seen")

    monkeypatch.setattr("throttle.batch.driver.execute", slow)
    use(monkeypatch, Threads(lambda _: os.kill(os.getpid(), signal.SIGINT)))
    result = run("batch", "runs.yaml", "-o", "out")
    assert result.exit_code == 6
    assert "4 interrupted before the end" in result.stderr
    rows = json.loads(Path("out/results.json").read_bytes())["rows"]
    assert [row["status"] for row in rows] == ["not-run"] * 4


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.yaml"], "Cannot read none.yaml"),
        (["office.yaml"], "is a portfolio, not a RUNS file"),
        (["runs.yaml", "--engine", "ray://host:1"], "write dask://host:port"),
        (["runs.yaml", "-o", "office.yaml"], "--out"),
        (["runs.yaml", "-o", "."], "no run.json written by throttle"),
        (["runs.yaml", "--jobs", "0"], "--jobs"),
        (["runs.yaml", "--budget", "never"], "seconds such as 30"),
    ],
)
def test_bad_input_ends_with_2_and_writes_nothing(
    arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("throttle.batch.driver.open_executor", open_executor)
    before = sorted(Path().rglob("*"))
    result = run("batch", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert sorted(Path().rglob("*")) == before


@contextmanager
def started(folder: Path, start_new_session: bool = False) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "throttle", "batch", "runs.yaml", "-o", "out", "--jobs", "1"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=start_new_session,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def line_with(process: subprocess.Popen[str], text: str) -> str:
    assert process.stderr is not None
    before = []
    for line in process.stderr:
        if text in line:
            return line
        before.append(line)
    raise AssertionError(f"ended without {text!r}: {before}")


def children(pid: int) -> list[Path]:
    """Processes that were started by one, as Linux shows them."""
    lists = [file.read_text(encoding="ascii") for file in Path(f"/proc/{pid}/task").glob("*/children")]
    return [Path("/proc", child) for text in lists for child in text.split()]


def alive(process: Path) -> bool:
    try:
        return (process / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes as Linux shows them")
def test_a_kill_leaves_no_process_and_what_is_finished(tmp_path: Path) -> None:
    save_portfolio(synthetic(300, 10), Path("large.json"))
    Path("runs.yaml").write_text("portfolios: [office.yaml, large.json]\nbudget: 60\n", encoding="utf-8")
    with started(tmp_path) as process:
        line_with(process, "[1/2] office.yaml")
        begun = children(process.pid)
        assert begun
        time.sleep(0.2)
        process.kill()
    until = time.monotonic() + 10
    while any(map(alive, begun)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(alive, begun))
    Path("runs.yaml").write_text("portfolios: [office.yaml]\nbudget: 60\n", encoding="utf-8")
    assert "1 run kept" in run("batch", "runs.yaml", "-o", "out").stderr


def test_an_interrupted_and_a_killed_batch_go_on_where_they_were(tmp_path: Path) -> None:
    # large enough that the signals arrive before its plan is made
    save_portfolio(synthetic(3000, 30), Path("large.json"))
    Path("runs.yaml").write_text("portfolios: [office.yaml, large.json]\nbudget: 0.05\n", encoding="utf-8")
    with started(tmp_path) as process:
        line_with(process, "[1/2] office.yaml")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 4, err
        assert time.monotonic() - began < 10
        assert "not-run" in out
        assert "1 of 2 runs with a verified plan, 1 interrupted" in err
    plan = Path("out") / json.loads(Path("out/results.json").read_bytes())["rows"][0]["plan"]
    made = plan.stat().st_mtime_ns
    with started(tmp_path) as process:
        line_with(process, "1 run kept")
        process.kill()
    assert run("verify", plan).exit_code == 0
    assert plan.stat().st_mtime_ns == made
    Path("runs.yaml").write_text("portfolios: [office.yaml]\nbudget: 0.05\n", encoding="utf-8")
    assert "1 run kept" in run("batch", "runs.yaml", "-o", "out").stderr
