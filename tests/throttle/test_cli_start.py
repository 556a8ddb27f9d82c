"""What the command line does before any command: help, imports, usage errors, contributed commands."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from throttle import __version__
from throttle.cli import COMMANDS, app, group

ROOT = Path(__file__).resolve().parents[2]
ALL = [*(name for name, _, _ in COMMANDS), "audit", "db", "keys", "serve", "worker"]
HEAVY = ("ortools", "numba", "pandas", "numpy", "networkx", "fastapi", "holidays", "ruamel", "yaml", "throttle_models")


NO_ENCODINGS = ("undefined", "unicode_escape", "idna", "base64", "no-such")


@pytest.fixture
def cli() -> CliRunner:
    return CliRunner(env={"COLUMNS": "200", "TERM": "dumb"})


def test_help_lists_every_command(cli: CliRunner) -> None:
    shown = cli.invoke(app, ["--help"])
    assert shown.exit_code == 0
    assert [c for c in ALL if not re.search(rf"^\W*{c}\s", shown.stdout, re.MULTILINE)] == []


@pytest.mark.parametrize("command", ALL)
def test_help_of_each_command_has_an_example_of_it(cli: CliRunner, command: str) -> None:
    shown = cli.invoke(app, [command, "--help"])
    assert shown.exit_code == 0
    assert f"Example: throttle {command} " in shown.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["plan", "--help"], ["serve", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import json, sys\n"
        "from throttle.cli import app\n"
        "try:\n    app(sys.argv[1:])\n"
        "except SystemExit:\n    print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    run = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    loaded = json.loads(run.stderr)
    assert "throttle.cli" in loaded
    assert [m for m in HEAVY if m in loaded] == []


def test_version(cli: CliRunner) -> None:
    assert cli.invoke(app, ["--version"]).stdout == f"throttle {__version__}\n"


def test_no_command_shows_help_and_is_a_usage_error(cli: CliRunner) -> None:
    shown = cli.invoke(app, [])
    assert shown.exit_code == 2
    assert "Usage: throttle" in shown.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["replant"], "replan"),
        (["plan"], "INPUT"),
        (["plan", "x", "--budget", "soon"], "seconds such as 30"),
        (["plan", "x", "--budget", "0"], "above 0"),
        (["plan", "x", "--week", "2027-W53"], "ISO week"),
        (["plan", "x", "--week", "9999-W52"], "of 1970 to 2199"),
        (["plan", "x", "--zone", "../x"], "time zone"),
        (["plan", "x", "--zone", "America"], "time zone"),
        *((["plan", "x", "--encoding", name], "text encoding") for name in NO_ENCODINGS),
        (["plan", "x", "--workers", "0"], "workers"),
        (["schema", "ticket"], "policy"),
        (["export", "plan.json", "--format", "odt"], "csv, xlsx, ics, windows"),
    ],
)
def test_usage_errors_end_with_2_and_name_the_remedy(cli: CliRunner, arguments: list[str], says: str) -> None:
    result = cli.invoke(app, arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""


def test_python_dash_m_is_the_same_command() -> None:
    run = subprocess.run([sys.executable, "-m", "throttle", "--version"], capture_output=True, text=True, check=True)
    assert run.stdout == f"throttle {__version__}\n"


def test_a_contributed_command_that_cannot_be_loaded_takes_nothing_else_away(
    cli: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = EntryPoint("broken", "no_such_package.commands:app", group.GROUP)
    monkeypatch.setattr(group, "contributed", lambda: {"broken": broken})
    shown = cli.invoke(app, ["--help"])
    assert shown.exit_code == 0
    assert "plan" in shown.stdout
    assert "broken" in shown.stdout
    run = cli.invoke(app, ["broken"])
    assert run.exit_code == 1
    assert "no_such_package" in run.stderr


def test_a_contributed_command_cannot_replace_a_built_in_one(cli: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "contributed", lambda: {"schema": EntryPoint("schema", "no_such:app", group.GROUP)})
    assert cli.invoke(app, ["schema", "policy"]).exit_code == 0


def test_an_internal_error_is_one_sentence_without_its_message(
    cli: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(_path: Path) -> None:
        raise RuntimeError("the title of a ticket")

    monkeypatch.setattr("throttle.files.load_plan", fail)
    monkeypatch.delenv("THROTTLE_DEBUG", raising=False)
    plan = tmp_path / "plan.json"
    plan.write_text('{"kind": "plan"}', encoding="utf-8")
    run = cli.invoke(app, ["verify", str(plan)])
    assert run.exit_code == 1
    assert run.stderr.count("\n") == 1
    assert "RuntimeError" in run.stderr
    assert "report" in run.stderr
    assert "ticket" not in run.stderr
    debug = cli.invoke(app, ["verify", str(plan)], env={"THROTTLE_DEBUG": "1"})
    assert debug.exit_code == 1
    assert "Traceback" in debug.stderr


def test_the_debug_option_shows_tracebacks(cli: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("THROTTLE_DEBUG", "0")  # restored afterwards, since --debug sets it
    run = cli.invoke(app, ["--debug", "verify", str(tmp_path / "none.json")])
    assert run.exit_code == 2
    assert "Traceback" in run.stderr


def test_an_interrupt_outside_planning_ends_with_6(cli: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("throttle.cli.screen.emit_json", interrupt)
    assert cli.invoke(app, ["schema", "plan"]).exit_code == 6


def test_the_documentation_has_every_command_with_every_option() -> None:
    sections = re.split(r"^## ", (ROOT / "docs" / "commands.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = {s.split("\n", 1)[0].strip(): s for s in sections[1:]}
    assert sorted(text) == sorted(ALL)
    root = typer.main.get_command(app)
    for name in ALL:
        command = root.get_command(None, name)  # type: ignore[attr-defined]
        options = [o for p in command.params for o in p.opts if o.startswith("--")]
        assert [o for o in options if o not in text[name]] == [], name
