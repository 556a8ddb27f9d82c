"""``throttle serve``, on a real socket."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

from support.sample_plan import sample_plan, sample_portfolio
from throttle.cli import app
from throttle.files import save_plan
from throttle_models import Team

SAMPLE = sample_portfolio(items=20, people=4, projects=2)
PORTFOLIO = SAMPLE.model_copy(update={"teams": {"dev": Team(), "ops": Team()}})


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    save_plan(sample_plan(PORTFOLIO).model_copy(update={"portfolio": PORTFOLIO}), path)
    return path


@pytest.mark.skipif(os.name != "posix", reason="ends the server with a signal")
def test_serves_until_interrupted_and_then_ends_with_0(plan_file: Path) -> None:
    command = [sys.executable, "-m", "throttle", "serve", str(plan_file), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            match = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert match, said
            with urllib.request.urlopen(f"{match[0]}/v1/plan", timeout=10) as answer:
                assert json.load(answer)["kind"] == "plan"
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert "Traceback" not in err


def test_a_port_in_use_is_named_with_the_remedy(plan_file: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["serve", str(plan_file), "--port", port])
    assert result.exit_code == 2
    assert port in result.stderr
    assert "--port" in result.stderr


def test_what_is_no_plan_is_not_served(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["serve", str(tmp_path / "none.json")])
    assert result.exit_code == 2
    assert "none.json" in result.stderr
