from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from benchmarks.calibration import calibration, cpu_seconds, reference
from benchmarks.history import compare, main, read_run, recorded

DECODE = "benchmarks/test_solve.py::test_decode[a]"


def run(folder: Path, unit: float, decode: float, cost: float = 10.0) -> Path:
    extra = {"calibration": unit, "cost": {"value": cost, "bound": 0}, "flow": 3}
    benchmarks = [{"fullname": DECODE, "stats": {"min": decode, "median": 9.0}, "extra_info": extra}]
    path = folder / "run.json"
    data = {
        "benchmarks": benchmarks,
        "datetime": "2026-11-23T08:00:00",
        "commit_info": {"id": "0123456789abcdef", "dirty": False},
        "machine_info": {"python_version": "3.11.2"},
    }
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_times_are_in_calibrations(tmp_path: Path) -> None:
    slow, fast = read_run(run(tmp_path, 0.2, 1.0)), read_run(run(tmp_path, 0.1, 0.5))
    assert slow.values == fast.values
    assert slow.values == {("test_solve::test_decode[a]", "time"): 5, ("test_solve::test_decode[a]", "cost"): 10}
    assert (slow.commit, slow.recorded) == ("0123456789ab", "2026-11-23")


def test_what_was_recorded_last_counts(tmp_path: Path) -> None:
    history = tmp_path / "history.csv"
    assert recorded(history) == {}
    for decode in (1.0, 2.0):
        assert main(["record", str(run(tmp_path, 0.1, decode))], history) == 0
    assert recorded(history)["test_solve::test_decode[a]", "time"] == 20
    assert len(history.read_text(encoding="utf-8").splitlines()) == 5


@pytest.mark.parametrize(
    ("decode", "cost", "code"), [(1.0, 10, 0), (1.25, 10.1, 0), (0.1, 1, 0), (1.4, 10, 1), (1.0, 10.5, 1)]
)
def test_a_regression_in_time_or_cost_fails(
    decode: float, cost: float, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = tmp_path / "history.csv"
    main(["record", str(run(tmp_path, 0.1, 1.0))], history)
    assert main(["compare", str(run(tmp_path, 0.1, decode, cost))], history) == code
    assert ("1 regressions" in capsys.readouterr().out) == bool(code)


def test_a_wider_factor_can_be_asked_for(tmp_path: Path) -> None:
    history = tmp_path / "history.csv"
    main(["record", str(run(tmp_path, 0.1, 1.0))], history)
    assert main(["compare", str(run(tmp_path, 0.1, 1.9)), "--factor", "2"], history) == 0


def test_new_and_gone_benchmarks_are_told_and_no_regression() -> None:
    lines, worse = compare({("a", "time"): 1.0}, {("b", "time"): 1.0})
    assert [line.split() for line in lines] == [["new", "a", "time"], ["gone", "b", "time"]]
    assert worse == []


def test_a_cost_that_was_nothing_may_not_become_something() -> None:
    assert compare({("a", "cost"): 0.0}, {("a", "cost"): 0.0})[1] == []
    assert len(compare({("a", "cost"): 1.0}, {("a", "cost"): 0.0})[1]) == 1


def test_a_run_without_calibration_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = run(tmp_path, 0.1, 1.0)
    path.write_text(path.read_text(encoding="utf-8").replace("calibration", "other"), encoding="utf-8")
    assert main(["compare", str(path)], tmp_path / "history.csv") == 2
    assert "no calibration of test_solve::test_decode[a]" in capsys.readouterr().err


def test_the_calibration_is_the_same_work_for_ever() -> None:
    assert reference() == 804_887_280
    assert 0 < calibration() < 60


def test_processor_time_counts_children_and_not_sleep() -> None:
    began = cpu_seconds()
    time.sleep(0.2)
    slept = cpu_seconds() - began
    subprocess.run([sys.executable, "-c", "sum(range(10**6))"], check=True)
    assert slept < 0.1
    assert cpu_seconds() - began - slept > 0.005
