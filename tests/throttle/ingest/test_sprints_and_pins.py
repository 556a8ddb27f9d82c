"""Which sprint counts, what is left out of a plan, pins that hold nothing, words of other languages; files of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from throttle.cli import app
from throttle.terminal import ingest_summary

SERVER = "com.atlassian.greenhopper.service.sprint.Sprint@2330e67f[id={},state={},name={},startDate={},endDate=<null>]"


@pytest.mark.parametrize(
    ("entered", "current"),
    [
        (("Alpha", "Beta"), "Beta"),
        (("Team Sprint 12", "Team Sprint 9"), "Team Sprint 12"),
        (("Sprint 9", "Other 12"), "Other 12"),
        (("Sprint 12", "Hardening"), "Hardening"),
        ((SERVER.format(1, "ACTIVE", "Now", "2026-11-01"), SERVER.format(2, "CLOSED", "Old", "2026-12-01")), "Now"),
        ((SERVER.format(1, "CLOSED", "B", "2026-11-01"), SERVER.format(2, "CLOSED", "A", "2026-10-01")), "B"),
        ((SERVER.format(1, "FUTURE", "Next", "<null>"), SERVER.format(2, "CLOSED", "A", "2026-10-01")), "Next"),
    ],
)
def test_the_open_or_latest_sprint_counts(desk: Any, entered: tuple[str, str], current: str) -> None:
    read = desk.jira("Issue key|Summary|Status|Sprint|Sprint", "|".join(["ABC-1", "One", "To Do", *entered]))
    assert read.portfolio.work["ABC-1"].tags == (current,)


def test_what_a_plan_leaves_out_is_not_counted_as_to_plan(desk: Any) -> None:
    read = desk.jira(
        "Issue key|Summary|Status|Original estimate|Inward issue link (Blocks)",
        "ABC-1|One|To Do|3600|",
        "ABC-2|Two|Quux|3600|",
        "ABC-3|Three|To Do|3600|ABC-2",
        "ABC-4|Four|To Do|3600|XYZ-9",
        "ABC-5|Five|To Do|3600|",
        "ABC-6|Six|Done|3600|ABC-2",
        team={"work": {"ABC-5": {"on_hold": "later"}}},
    )
    said = ingest_summary(read.report)
    assert "; 1 item to plan (4 more left out: 1 unknown status, 2 waiting, 1 on hold), 1 hours of work" in said


def test_pins_that_hold_nothing_are_told(desk: Any) -> None:
    pins = [{"work": f"ABC-{i}", "start": "2026-12-01T09:00"} for i in (1, 2, 3, 4)]
    read = desk.jira(
        "Issue key|Issue id|Summary|Status|Parent id",
        "ABC-1|1|Whole|To Do|",
        "ABC-2|2|Part|To Do|1",
        "ABC-3|3|Strange|Quux|",
        "ABC-4|4|Over|Done|",
        team={"policy": {"pins": pins}},
    )
    told = {f.ids: f.message for f in read.report.findings if f.code == "pin-without-effect"}
    assert set(told) == {("ABC-1",), ("ABC-3",), ("ABC-4",)}
    assert "pin those" in told["ABC-1",]


def test_a_pin_of_what_is_not_there_is_refused(desk: Any) -> None:
    problems = desk.problems(
        "Issue key,Summary,Status\nABC-1,One,To Do\n", team={"policy": {"pins": [{"work": "NOPE-1", "who": "x"}]}}
    )
    assert any("NOPE-1" in p.message for p in problems)


def test_a_plain_table_in_german(desk: Any) -> None:
    text = "Nummer;Titel;Status;Zuständig;Aufwand (h);Fällig\nA-1;Erstes;offen;Ana;2,5;24.12.2026\n"
    read = desk.read(text)
    (file,) = read.report.files
    assert file.reader == "plain"
    item = read.portfolio.work["A-1"]
    assert (item.title, str(item.due)) == ("Erstes", "2026-12-24")
    assert read.report.items[0].estimate_hours == 2.5


def test_rows_that_throttle_exports_are_no_plan(tmp_path: Path) -> None:
    portfolio = tmp_path / "p.yaml"
    portfolio.write_text("as_of: 2026-11-23\npeople: {a: {}}\nwork: {X: {needs: [{who: a, effort: 1h}]}}\n")

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "300"}, catch_exceptions=False)

    out, rows = tmp_path / "out", str(tmp_path / "rows.json")
    assert run("plan", str(portfolio), "--budget", "0.05", "--out", str(out), "-q").exit_code == 0
    assert run("export", str(out / "plan.json"), "--format", "json", "-o", rows).exit_code == 0
    for command in ("verify", "plan"):
        result = run(command, rows)
        assert result.exit_code == 2
        assert "was written by throttle export" in result.stderr
        assert "plan.json" in result.stderr
