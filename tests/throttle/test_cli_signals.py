"""Ctrl-C, closed pipes and full or closed streams, on real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.sample_plan import sample_portfolio
from throttle.files import save_portfolio
from throttle_models import Team

SLOW = """
import sys, time, types
from throttle.cli import main
from throttle.errors import InterruptedWithoutPlanError
from throttle_models import Finding
from support.sample_plan import sample_plan

def make_plan(portfolio, *, stop, progress, **_):
    print("planning", file=sys.stderr, flush=True)
    {wait}
    if {found}:
        return sample_plan(portfolio)
    raise InterruptedWithoutPlanError([Finding(level="error", code="interrupted", message="no plan yet")])

sys.modules["throttle.planning"] = types.SimpleNamespace(make_plan=make_plan)
{then}
main()
"""


@pytest.fixture
def portfolio(tmp_path: Path) -> Path:
    path = tmp_path / "portfolio.json"
    sample = sample_portfolio(items=20, people=4, projects=2)
    save_portfolio(sample.model_copy(update={"teams": {"dev": Team(), "ops": Team()}}), path)
    return path


@contextmanager
def running(
    portfolio: Path, found: bool, wait: str = "stop.wait(30)", then: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """The command line with a solver that waits, so that what is tested is how it is interrupted, not how it solves."""
    arguments = ["plan", str(portfolio), "--out", str(portfolio.parent / "out"), "--json"]
    with subprocess.Popen(
        [sys.executable, "-c", SLOW.format(wait=wait, found=found, then=then), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    ) as process:
        assert process.stderr is not None
        before = []
        for line in process.stderr:
            if "planning" in line:
                break
            before.append(line)
        else:
            raise AssertionError(f"ended before planning: {before}")
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_interrupt_keeps_the_plan_found_and_ends_with_4(portfolio: Path, number: signal.Signals) -> None:
    with running(portfolio, found=True) as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 4, err
        assert json.loads(out)["kind"] == "plan"
        assert "best plan" in err
    assert json.loads((portfolio.parent / "out" / "run.json").read_bytes())["interrupted"] is True


def test_an_interrupt_before_a_plan_ends_with_6_and_writes_nothing(portfolio: Path) -> None:
    with running(portfolio, found=False) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 6, err
        assert out == ""
    assert not (portfolio.parent / "out").exists()


def test_the_second_interrupt_ends_at_once_with_6(portfolio: Path) -> None:
    with running(portfolio, found=True, wait="time.sleep(60)") as process:
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "best plan so far" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode == 6
        assert time.monotonic() - began < 10
    assert not (portfolio.parent / "out").exists()


LATER = """
import {module}
before = {module}.{name}
def {name}(*arguments):
    print("now", file=sys.stderr, flush=True)
    time.sleep(0.4)
    return before(*arguments)
{module}.{name} = {name}
"""


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("throttle.report", "render_report"),
        ("throttle.files", "save_plan"),
        ("os", "replace"),
        ("throttle.cli.screen", "emit_json"),
    ],
)
def test_an_interrupt_while_a_plan_is_written_or_shown_loses_nothing(portfolio: Path, module: str, name: str) -> None:
    with running(portfolio, found=True, wait="", then=LATER.format(module=module, name=name)) as process:
        assert process.stderr is not None
        assert any("now" in line for line in process.stderr)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 4, err
    assert "Traceback" not in err
    assert "Written: " in err
    folder = portfolio.parent / "out"
    assert sorted(p.name for p in folder.iterdir()) == ["index.html", "plan.json", "run.json"]
    assert json.loads((folder / "plan.json").read_bytes())["kind"] == "plan"
    assert out == "" if name == "emit_json" else json.loads(out)["kind"] == "plan"


@pytest.mark.parametrize("arguments", [["schema", "portfolio"], ["--help"], ["plan", "--help"]])
def test_a_reader_that_goes_away_is_no_failure(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        process = subprocess.run(
            [sys.executable, "-m", "throttle", *arguments],
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=20,
            check=False,
        )
    finally:
        os.close(writing)
    assert process.returncode in (0, 1)  # 1: help, which typer prints
    assert process.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("arguments", [["schema", "portfolio"], ["check", "{}", "--json"], ["check", "{}"], ["--help"]])
def test_data_that_cannot_be_printed_is_one_sentence_and_exit_2(tmp_path: Path, arguments: list[str]) -> None:
    portfolio = tmp_path / "small.yaml"
    portfolio.write_text("as_of: 2026-11-23\nwork: {A: {wait: 1d}}\n", encoding="utf-8")
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        process = subprocess.run(
            [sys.executable, "-m", "throttle", *(a.format(portfolio) for a in arguments)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=20,
            check=False,
        )
    assert process.returncode == 2
    assert process.stderr.count("\n") == 1
    assert "Cannot write to standard output: no space left" in process.stderr


@pytest.mark.parametrize(
    ("command", "says"),
    [("schema plan >&-", "Cannot write to standard output"), ("check nope 2>&-", ""), ("schema nope <&- >&- 2>&-", "")],
)
def test_streams_that_are_closed_are_no_crash(command: str, says: str, tmp_path: Path) -> None:
    process = subprocess.run(
        ["sh", "-c", f'"$0" -m throttle {command}', sys.executable],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        cwd=tmp_path,
    )
    assert process.returncode == 2
    assert process.stdout == ""
    assert process.stderr.count("\n") == bool(says)
    assert says in process.stderr
