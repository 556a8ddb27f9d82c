"""What every command pays before it begins; the promise is under 0.3 s."""

from __future__ import annotations

import subprocess
import sys

from pytest_benchmark.fixture import BenchmarkFixture


def test_help(benchmark: BenchmarkFixture) -> None:
    def started() -> int:
        return subprocess.run([sys.executable, "-m", "throttle", "--help"], capture_output=True, check=True).returncode

    assert benchmark.pedantic(started, rounds=5, warmup_rounds=1) == 0
