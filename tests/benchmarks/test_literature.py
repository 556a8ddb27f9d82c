from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks.literature import excess, main, summary

from benchmarks import literature, warm

GOOD = "4 1\n2\n0 0 2 2 3\n2 2 1 4\n3 2 1 4\n0 0 0\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.rcp").write_text(GOOD, encoding="utf-8")
    (tmp_path / "best_known.csv").write_text("instance,lower_bound,upper_bound\na,5,5\nb,4,\n", encoding="utf-8")
    return tmp_path


def lines(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, list[dict[str, Any]]]:
    code = main([str(folder), "--budget", "0.2s", "--workers", "1", "--cold", *more])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_instance_is_a_line_and_the_last_one_sums_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, (row, last) = lines(folder, capsys)
    assert code == 0
    asked = {"instance", "status", "objective", "bound", "best_known"}
    assert asked | {"seconds", "first_seconds", "best_seconds", "verified"} <= row.keys()
    assert (row["objective"], row["best_known"], row["verified"], row["gap_percent"]) == (5, 5, True, 0)
    assert row["bound"] <= 5
    assert 0 < row["first_seconds"] <= row["best_seconds"] <= row["seconds"]
    total = last["summary"]
    assert (total["instances"], total["failed"], total["verified"], total["at_best_known"]) == (1, 0, 1, 1)


def test_a_bad_instance_is_reported_and_the_run_goes_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "0.rcp").write_text("4 1\n2\n", encoding="utf-8")
    (folder / "b.rcp").write_text(GOOD, encoding="utf-8")
    code, (bad, good, unknown, last) = lines(folder, capsys)
    assert code == 1
    assert (bad["status"], bad["objective"], bad["verified"]) == ("error", None, False)
    assert "0.rcp, line 2: the file ends where the duration of activity 1 should be" in bad["message"]
    assert good["objective"] == unknown["objective"] == 5
    assert (unknown["best_known"], unknown["gap_percent"], unknown["lower_bound_gap_percent"]) == (None, None, 25)
    assert (last["summary"]["failed"], last["summary"]["with_best_known"]) == (1, 1)


def test_an_instance_with_work_that_nobody_can_do_is_no_success(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.rcp").write_text(GOOD.replace("\n3 2 1 4", "\n3 9 1 4"), encoding="utf-8")
    code, (row, _) = lines(folder, capsys)
    assert code == 1
    assert (row["status"], row["objective"]) == ("error", None)
    assert "activities are not in the plan" in row["message"]


def test_a_folder_without_instances_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "holds no instance" in capsys.readouterr().err


def test_excess() -> None:
    assert excess(110, 100) == 10
    assert excess(90, 100) == -10
    assert excess(0, 0) == 0
    assert excess(1, 0) is None
    assert excess(1, None) is None


def test_summary_counts_against_the_best_known() -> None:
    def row(objective: float | None, best: float | None, status: str = "feasible") -> dict[str, Any]:
        gaps = {name: excess(objective or 0, best) for name in ("gap_percent",)}
        rest = {"lower_bound": 50, "lower_bound_gap_percent": 0.0, "bound_gap_percent": 0.0}
        times = {"seconds": 2.0, "first_seconds": 1.0, "best_seconds": 1.5}
        known = {"objective": objective, "best_known": best, "status": status, "verified": objective is not None}
        return known | gaps | rest | times

    rows = [row(99, 100), row(100, 100, "optimal"), row(104, 100), row(49, None), row(None, 100, "error")]
    total = summary(rows)
    assert (total["better"], total["equal"], total["worse"], total["at_best_known"]) == (1, 1, 1, 2)
    assert (total["failed"], total["verified"], total["proved"], total["with_best_known"]) == (1, 4, 1, 3)
    assert total["mean_gap_percent"] == 1.0
    assert total["below_lower_bound"] == 1
    assert total["mean_best_seconds"] == 1.5


def test_one_instance_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, (row, last) = lines(folder / "a.rcp", capsys)
    assert (code, row["objective"], row["best_known"], last["summary"]["instances"]) == (0, 5, 5, 1)


def test_sub_folders_share_the_table_above_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "best_known.csv").write_text("instance,upper_bound\nx/b.rcp,5\nc,5\nd,5\n", encoding="utf-8")
    for name in ("x/b", "y/c"):
        (folder / name).parent.mkdir()
        (folder / f"{name}.rcp").write_text(GOOD, encoding="utf-8")
    code = main([str(folder), "--budget", "0.2", "--workers", "1", "--cold"])
    out, err = capsys.readouterr()
    *rows, last = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(row["instance"], row["best_known"]) for row in rows] == [("a", None), ("b", 5), ("c", 5)]
    assert last["summary"]["best_known_unmatched"] == 1
    assert "of its names, 1 fit no instance beside or below it: d" in err


def test_a_table_with_other_columns_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "best_known.csv").write_text("name,makespan\na,5\n", encoding="utf-8")
    assert main([str(folder), "--cold"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "best_known.csv: its first line should name the columns instance, lower_bound and upper_bound" in err
    assert "but has name, makespan; rename the columns" in err


def test_an_instance_that_takes_too_long_is_given_up(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "b.rcp").write_text(GOOD, encoding="utf-8")
    read = literature.read

    def slow(path: Path) -> object:
        time.sleep(20 if path.name == "a.rcp" else 0)
        return read(path)

    monkeypatch.setattr(literature, "read", slow)
    code, (late, good, last) = lines(folder, capsys, "--limit", "2")
    assert code == 1
    assert (late["status"], late["message"]) == ("error", "given up after 2 s (--limit)")
    assert (good["objective"], last["summary"]["failed"]) == (5, 1)


def test_what_was_solved_is_summed_up_after_an_interrupt(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "b.rcp").write_text(GOOD, encoding="utf-8")
    read = literature.read

    def interrupted(path: Path) -> object:
        if path.name == "b.rcp":
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr(literature, "read", interrupted)
    code, (row, last) = lines(folder, capsys)
    assert (code, row["objective"], last["summary"]["instances"]) == (130, 5, 1)


def test_kernels_are_made_ready_before_anything_is_measured(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "KINDS", warm.KINDS[:1])
    monkeypatch.setattr(warm, "BUDGET", 0.1)
    assert main([str(folder), "--budget", "0.2", "--workers", "1"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2
    assert "warming up before the first measurement" in err


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--budget", "0"], "'0' is not a time above 0"),
        (["--budget", "soon"], "'soon' is not a time above 0"),
        (["--sample", "0"], "0 is too small: give 1 or more"),
        (["--workers", "x"], "'x' is no whole number"),
    ],
)
def test_options_are_refused_in_a_sentence(
    option: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([str(folder), *option])
    assert said in capsys.readouterr().err
