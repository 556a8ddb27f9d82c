"""The history of the benchmarks, kept in the repository so that a regression shows.

    python -m benchmarks.history compare RUN.json [--factor 1.5]   against what was recorded last; exit code 1 if slower
    python -m benchmarks.history record RUN.json                   appends the run to benchmarks/history.csv

RUN.json is what ``pytest benchmarks --benchmark-only --benchmark-json RUN.json`` writes (``make bench`` does). Machines
differ, so a time is kept as its ratio to the calibration measured in the same run (benchmarks/test_calibration.py):
of both the quickest round, which other work on the machine disturbs least. What a plan costs is kept beside it: less
time for a worse plan is no progress.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HISTORY = Path(__file__).with_name("history.csv")
CALIBRATION = "test_calibration"
TIME = "time"
COLUMNS = ("recorded", "commit", "python", "benchmark", "measure", "value")
FACTOR = 1.5
"""A time may be so many times what it was; below lies the noise of a shared machine."""
WORSE = 1.02
"""What a plan costs may rise so much."""


class UnusableRunError(Exception):
    """The run cannot be compared."""


@dataclass(frozen=True)
class Run:
    recorded: str
    commit: str
    python: str
    values: dict[tuple[str, str], float]
    """(benchmark, measure) to value: ``time`` in calibrations, or the name of a goal in its own unit."""


def read_run(path: Path) -> Run:
    """A run of pytest-benchmark. Raises UnusableRunError without a calibration."""
    data = json.loads(path.read_text(encoding="utf-8"))
    least = {_name(b["fullname"]): float(b["stats"]["min"]) for b in data["benchmarks"]}
    unit = next((seconds for name, seconds in least.items() if name.endswith(CALIBRATION)), None)
    if unit is None:
        raise UnusableRunError(
            f"{path.name} has no {CALIBRATION}, which every time is related to; run all of benchmarks/"
        )
    values = {(name, TIME): seconds / unit for name, seconds in least.items() if not name.endswith(CALIBRATION)}
    for benchmark in data["benchmarks"]:
        for goal, figures in benchmark.get("extra_info", {}).items():
            if isinstance(figures, dict) and "value" in figures:
                values[_name(benchmark["fullname"]), goal] = float(figures["value"])
    commit: dict[str, Any] = data.get("commit_info") or {}
    return Run(
        data["datetime"][:10],
        str(commit.get("id", ""))[:12] + ("+" if commit.get("dirty") else ""),
        data["machine_info"]["python_version"],
        values,
    )


def _name(fullname: str) -> str:
    return fullname.removeprefix("benchmarks/").replace(".py::", "::")


def recorded(path: Path = HISTORY) -> dict[tuple[str, str], float]:
    """What was recorded last of each measure; empty where there is no history."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["benchmark"], row["measure"]): float(row["value"]) for row in csv.DictReader(file)}


def record(run: Run, path: Path = HISTORY) -> None:
    new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        for (benchmark, measure), value in run.values.items():
            writer.writerow((run.recorded, run.commit, run.python, benchmark, measure, f"{value:.5g}"))


def compare(
    now: dict[tuple[str, str], float], before: dict[tuple[str, str], float], factor: float = FACTOR
) -> tuple[list[str], list[str]]:
    """A line for each measure, and those of them that are regressions."""
    lines, worse = [], []
    for key, value in now.items():
        benchmark, measure = key
        old = before.get(key)
        if old is None:
            lines.append(f"{'new':>7}  {benchmark} {measure}")
            continue
        change = value / old if old > 0 else (1.0 if value <= old else float("inf"))
        limit = factor if measure == TIME else WORSE
        lines.append(f"{change:7.2f}  {benchmark} {measure}" + (f"  more than {limit:g}" if change > limit else ""))
        if change > limit:
            worse.append(lines[-1])
    lines += [f"{'gone':>7}  {benchmark} {measure}" for benchmark, measure in before if (benchmark, measure) not in now]
    return lines, worse


def main(arguments: Sequence[str] | None = None, history: Path = HISTORY) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.history", description=__doc__.split("\n", maxsplit=1)[0]
    )
    parser.add_argument("action", choices=("compare", "record"))
    parser.add_argument("run", type=Path, metavar="RUN.json")
    parser.add_argument(
        "--factor", type=float, default=FACTOR, help=f"times slower that count as a regression ({FACTOR})"
    )
    given = parser.parse_args(arguments)
    try:
        run = read_run(given.run)
    except (OSError, ValueError, KeyError, UnusableRunError) as error:
        print(f"cannot use {given.run}: {error}", file=sys.stderr)
        return 2
    if given.action == "record":
        record(run, history)
        print(f"{len(run.values)} values recorded")
        return 0
    lines, worse = compare(run.values, recorded(history), given.factor)
    print("times what it was, benchmark, measure", *lines, sep="\n")
    print(f"{len(worse)} regressions" if worse else "no regression")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
