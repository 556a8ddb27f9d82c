"""The history of the benchmarks, kept in the repository so that a regression shows.

    python -m benchmarks.history compare RUN.json [--factor 1.3]   against what was recorded last; exit code 1 if slower
    python -m benchmarks.history record RUN.json                   appends the run to benchmarks/history.csv

``make bench`` writes RUN.json with pytest-benchmark. Machines differ, and so does one machine from minute to minute: a
time is processor time, that of the quickest round, and is kept as its ratio to a calibration right before and after it
(benchmarks/calibration.py). What a plan costs is kept beside it: less time for a worse plan is no progress.
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
CALIBRATION = "calibration"
TIME = "time"
COLUMNS = ("recorded", "commit", "python", "benchmark", "measure", "value")
FACTOR = 1.3
"""A time may be so many times what it was; repeated runs on a busy machine differed by up to 12 %."""
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
    """A run of pytest-benchmark. Raises UnusableRunError where a calibration is missing."""
    data = json.loads(path.read_text(encoding="utf-8"))
    values = {}
    for benchmark in data["benchmarks"]:
        name, extra = _name(benchmark["fullname"]), benchmark["extra_info"]
        if CALIBRATION not in extra:
            raise UnusableRunError(f"{path.name} has no {CALIBRATION} of {name}, which its time is related to")
        values[name, TIME] = benchmark["stats"]["min"] / extra[CALIBRATION]
        values |= {
            (name, goal): float(figures["value"])
            for goal, figures in extra.items()
            if isinstance(figures, dict) and "value" in figures
        }
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
