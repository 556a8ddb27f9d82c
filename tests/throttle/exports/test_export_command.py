"""``throttle export``: every format to a file, one for each person, and what a terminal cannot show."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from support.sample_plan import sample_plan, sample_portfolio
from throttle.cli import app
from throttle.exports import EXPORTERS
from throttle.files import save_plan

DOCS = Path(__file__).parents[3] / "docs"


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "160"}, catch_exceptions=False)
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    portfolio = sample_portfolio(items=30)
    save_plan(sample_plan(portfolio).model_copy(update={"portfolio": portfolio}), tmp_path / "plan.json")
    return tmp_path / "plan.json"


@pytest.mark.parametrize("name", [name for name in EXPORTERS if name not in ("jira", "servicenow")])
def test_every_format_goes_into_a_file(plan: Path, name: str) -> None:
    out = Path(f"out{EXPORTERS[name].suffix}")
    assert run("export", plan, "--format", name, "-o", out).exit_code == 0
    data = out.read_bytes()
    if EXPORTERS[name].binary:
        assert openpyxl.load_workbook(out).sheetnames[0] == "Items"
        refused = run("export", plan, "--format", name)
        assert refused.exit_code == 2
        assert "name the file with --out" in " ".join(refused.output.split())
    else:
        assert run("export", plan, "--format", name).stdout_bytes == data


def test_a_file_for_each_person(plan: Path) -> None:
    result = run("export", plan, "--format", "ics", "--each", "-o", "people")
    assert result.exit_code == 0, result.output
    files = sorted(path.name for path in Path("people").iterdir())
    assert files == [f"p{i}.ics" for i in range(8)]
    assert Path("people/p3.ics").read_text() == run("export", plan, "--format", "ics", "--person", "p3").stdout
    again = run("export", plan, "--format", "ics", "--each", "-o", "people")
    assert again.exit_code == 2
    assert "--force" in again.output
    assert run("export", plan, "--format", "ics", "--each", "-o", "people", "--force").exit_code == 0


def test_each_needs_a_folder_and_no_single_person(plan: Path) -> None:
    assert "name the folder with --out" in " ".join(run("export", plan, "--each").output.split())
    assert run("export", plan, "--each", "-o", "x", "--person", "p1").exit_code == 2


@pytest.mark.parametrize(("name", "system"), [("jira", "Jira"), ("servicenow", "ServiceNow")])
def test_nothing_to_write_back_is_an_error_that_says_so(plan: Path, name: str, system: str) -> None:
    result = run("export", plan, "--format", name)
    assert result.exit_code == 2
    assert f"no item of this plan was read from {system}" in " ".join(result.output.split())


def test_the_help_and_the_documents_name_every_format() -> None:
    text = " ".join(run("export", "--help").stdout.split())
    for name in EXPORTERS:
        assert name in text
        for document in ("commands.md", "exports.md"):
            assert f"`{name}`" in (DOCS / document).read_text(encoding="utf-8")
