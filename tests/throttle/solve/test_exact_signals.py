"""Ctrl-C while CP-SAT is at work, on a real process: the best plan so far comes out, verified."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

LONG = """
from benchmarks.portfolios import synthetic
from throttle.cli.interrupts import interrupts
from throttle.planning import make_plan

def told(progress):
    print(progress.phase, flush=True)

def work(stop):
    return make_plan(synthetic(140, 12, 1), budget=15.0, workers={workers}, progress=told, stop=stop)

with interrupts() as user:
    plan = user.work(work)
certificate = plan.certificate
print("ended", user.stop.is_set(), certificate.checked and not certificate.violations, len(plan.items), flush=True)
"""
ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_of_the_solver_leaves_a_verified_plan(workers: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LONG.format(workers=workers)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        try:
            # told every half second, so CP-SAT has been running when this comes
            assert any("whole model" in line for line in process.stdout)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert out.splitlines()[-1] == "ended True True 140"
