"""Reading large Jira exports, and what they may take: processor seconds, and the most memory of a process of its own.

10,000 rows x 150 columns (20 MB): 5 s, 500 MB. 2,000 x 2,261: 10 s. Marked long: 200,000 x 60 (157 MB): 60 s, 1.5 GB,
and memory that grows no faster than the file.

``python benchmarks/test_ingest.py out.csv [rows] [columns]`` writes such a file.
"""

from __future__ import annotations

import csv
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROWS, COLUMNS = 10_000, 150
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_ONCE = (
    "Summary",
    "Issue key",
    "Issue id",
    "Issue Type",
    "Status",
    "Project key",
    "Project name",
    "Priority",
    "Resolution",
    "Assignee",
    "Assignee Id",
    "Reporter",
    "Reporter Id",
    "Created",
    "Updated",
    "Last Viewed",
    "Resolved",
    "Due date",
    "Description",
    "Original estimate",
    "Remaining Estimate",
    "Time Spent",
    "Σ Original Estimate",
    "Parent",
    "Parent key",
    "Status Category",
    "Status Category Changed",
    "Custom field (Story Points)",
    "Custom field (Team)",
)
_REPEATED = {
    "Components": 2,
    "Labels": 4,
    "Sprint": 6,
    "Watchers": 4,
    "Inward issue link (Blocks)": 3,
    "Outward issue link (Blocks)": 3,
    "Outward issue link (Relates)": 3,
    "Log Work": 12,
    "Comment": 24,
}


def write_jira(path: Path, rows: int = ROWS, columns: int = COLUMNS, seed: int = 1) -> None:
    """An all-fields export with the shape of real ones: repeated headers, mostly blank, long texts, some links."""
    dice = random.Random(seed)
    narrow = columns < len(_ONCE) + sum(_REPEATED.values())
    repeated = _REPEATED if not narrow else _REPEATED | {"Comment": 1, "Log Work": 2, "Watchers": 1, "Sprint": 3}
    header = [*_ONCE, *(name for name, times in repeated.items() for _ in range(times))]
    header += [f"Custom field (Site field {i})" for i in range(columns - len(header))]
    starts = {name: header.index(name) for name in (*_ONCE, *_REPEATED)}
    words = [dice.choice("étaoinshrdlu") * dice.randint(1, 3) + dice.choice("aeiou") for _ in range(400)]

    def text(least: int, most: int) -> str:
        return " ".join(dice.choices(words, k=dice.randint(least, most)))

    def day(of: int) -> str:
        return f"{1 + of % 28:02d}/{_MONTHS[of // 28 % 12]}/{25 + of // 336} {1 + of % 12}:{of % 60:02d} PM"

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for i in range(1, rows + 1):
            row = [""] * columns

            def put(name: str, *values: object, row: list[str] = row) -> None:
                at = starts[name]
                row[at : at + len(values)] = map(str, values)

            project, who = f"P{i % 12}", dice.randint(1, 60)
            status, category = dice.choice(
                [("To Do", "To Do"), ("UAT", "In Progress"), ("Done", "Done"), ("Done", "Done")]
            )
            put("Summary", text(4, 10))
            put("Issue key", f"{project}-{i}")
            put("Issue id", 100_000 + i)
            put("Issue Type", dice.choice(["Story", "Bug", "Task", "Sub-task" if i > 50 else "Epic"]))
            put("Status", status)
            put("Status Category", category)
            put("Project key", project)
            put("Project name", f"Project {project}")
            put("Priority", dice.choice(["Highest", "High", "Medium", "Medium", "Low"]))
            put("Created", day(i // 30))
            put("Updated", day(i // 30 + 20))
            put("Last Viewed", day(i // 30 + 20))
            put("Status Category Changed", day(i // 30 + 10))
            put("Reporter", f"Reporter {who % 7}")
            put("Description", text(60, 110) if narrow else text(150, 250) + "\r\n" + text(5, 40))
            put("Custom field (Story Points)", f"{dice.choice([1, 2, 3, 5, 8])}.0")
            put("Components", f"Component {i % 25}")
            put("Labels", *(f"label-{i % n}" for n in (7, 11)))
            put("Sprint", *(f"{project} Sprint {n}" for n in range(dice.randint(0, min(5, repeated["Sprint"])))))
            if dice.random() < 0.7:
                put("Assignee", f"Person {who}")
                put("Assignee Id", f"712020:{who:08d}")
            if status == "Done":
                put("Resolution", "Done")
                put("Resolved", day(i // 30 + 10))
                put("Time Spent", 3600 * dice.randint(1, 40))
            put("Original estimate", 3600 * dice.randint(1, 40))
            if i > 100:
                put("Parent key", f"{'P' + str((i - 60) % 12)}-{i - 60}" if i % 9 == 0 else "")
                others = [i - dice.randint(1, 90) for _ in range(dice.randint(0, 2))]
                put("Inward issue link (Blocks)", *(f"P{n % 12}-{n}" for n in others))
            for n in range(dice.randint(0, min(12, repeated["Comment"]))):
                row[starts["Comment"] + n] = f"{day(i // 30)};712020:{who:08d};{text(10, 40)}"
            for n in range(dice.randint(0, min(4, repeated["Log Work"]))):
                row[starts["Log Work"] + n] = f"{text(1, 5)};{day(i // 30)};712020:{who:08d};3600"
            writer.writerow(row)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ingest") / "jira.csv"
    write_jira(path)
    return path


def test_read_ten_thousand_rows(benchmark: Any, export: Path) -> None:
    from throttle.ingest import read_exports

    ingested = benchmark.pedantic(read_exports, ([export],), rounds=3, iterations=1)
    assert ingested.report.imported == ROWS
    assert len(ingested.portfolio.work) == ROWS
    if benchmark.stats is not None:  # none where benchmarks are only run as a smoke test
        assert benchmark.stats.stats.median <= 5


def measured(path: Path) -> tuple[float, float]:
    """Processor seconds of reading, and megabytes that the process held at most, interpreter and libraries included."""
    program = (
        "import resource, sys, time; from pathlib import Path; from throttle.ingest import read_exports; "
        "report = read_exports([Path(sys.argv[1])]).report; assert report.rows_read == report.imported; "
        "print(time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, done.stdout.split())
    print(f"{path.stat().st_size / 1e6:.1f} MB read in {seconds:.1f} s and {megabytes:.0f} MB")
    return seconds, megabytes


@pytest.mark.parametrize(
    ("rows", "columns", "most_seconds", "most_megabytes"),
    [
        (ROWS, COLUMNS, 5, 500),
        (2_000, 2_261, 10, 500),
        pytest.param(200_000, 60, 60, 1500, marks=pytest.mark.long),
    ],
)
def test_what_a_large_export_takes(
    tmp_path: Path, rows: int, columns: int, most_seconds: float, most_megabytes: float
) -> None:
    path = tmp_path / "jira.csv"
    write_jira(path, rows, columns)
    seconds, megabytes = measured(path)
    assert seconds <= most_seconds
    assert megabytes <= most_megabytes


@pytest.mark.long
def test_memory_grows_no_faster_than_the_file(tmp_path: Path) -> None:
    sizes, taken = [], []
    for rows in (25_000, 50_000, 100_000):
        path = tmp_path / f"{rows}.csv"
        write_jira(path, rows, 60)
        sizes.append(path.stat().st_size / 1e6)
        taken.append(measured(path)[1])
    first, second = ((taken[i + 1] - taken[i]) / (sizes[i + 1] - sizes[i]) for i in (0, 1))
    assert second <= 1.15 * first


if __name__ == "__main__":
    write_jira(Path(sys.argv[1]), *map(int, sys.argv[2:]))
