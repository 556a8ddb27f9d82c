"""The same export again, and a newer one: nothing doubles, what moved is the same, what is gone is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from throttle.ingest import Ingested, read_exports
from throttle.planning import make_plan
from throttle.replan import advance
from throttle_models import Portfolio, Status

HEADER = (
    "Summary,Issue key,Issue id,Issue Type,Status,Status Category,Created,Assignee,Assignee Id,Original estimate,"
    "Due date,Parent key,Inward issue link (Blocks)"
)
ROWS = [
    "One,ABC-1,101,Story,To Do,To Do,2026-01-05 09:00,Ann Lee,a:1,7200,2026-02-01,,",
    "Two,ABC-2,102,Story,To Do,To Do,2026-01-05 09:00,Ann Lee,a:2,7200,,,ABC-1",
    "Three,ABC-3,103,Sub-task,To Do,To Do,2026-01-05 09:00,Bob,b:1,3600,,ABC-2,",
    "Four,ABC-4,104,Story,To Do,To Do,2026-01-05 09:00,Bob,b:1,3600,,,",
]


def read(folder: Path, rows: list[str], name: str = "jira.csv") -> Ingested:
    path = folder / name
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return read_exports([path])


def test_reading_again_gives_the_same_bytes(tmp_path: Path) -> None:
    once, again = read(tmp_path, ROWS), read(tmp_path, ROWS)
    assert once.portfolio.model_dump_json() == again.portfolio.model_dump_json()
    assert once.report.model_dump_json() == again.report.model_dump_json()


def test_an_export_given_twice_is_one(tmp_path: Path) -> None:
    once = read(tmp_path, ROWS).portfolio
    (tmp_path / "copy.csv").write_bytes((tmp_path / "jira.csv").read_bytes())
    twice = read_exports([tmp_path / "jira.csv", tmp_path / "copy.csv"])
    assert (twice.report.imported, twice.report.merged) == (4, 4)
    assert twice.portfolio.work.keys() == once.work.keys()
    assert {id: item.after for id, item in twice.portfolio.work.items()} == {
        id: item.after for id, item in once.work.items()
    }


def test_namesakes_are_the_same_people_whatever_the_order_of_rows(tmp_path: Path) -> None:
    def who(portfolio: Portfolio, id: str) -> Any:
        return portfolio.work[id].needs[0].who

    once, turned = read(tmp_path, ROWS).portfolio, read(tmp_path, ROWS[::-1]).portfolio
    assert who(once, "ABC-1") == who(turned, "ABC-1") == ("ann-lee",)
    assert {id: person.name for id, person in once.people.items()} == {
        id: person.name for id, person in turned.people.items()
    }


def test_a_newer_export_updates_moves_and_tells(tmp_path: Path) -> None:
    plan = make_plan(read(tmp_path, ROWS).portfolio, budget=0.01, deterministic=True)
    newer = [
        "One,ABC-1,101,Story,Done,Done,2026-01-05 09:00,Ann Lee,a:1,7200,2026-02-01,,",
        "Two,XYZ-7,102,Story,To Do,To Do,2026-01-05 09:00,Ann Lee,a:2,7200,,,ABC-1",
        "Three,ABC-3,103,Sub-task,To Do,To Do,2026-01-05 09:00,Bob,b:1,3600,,XYZ-7,",
        "Five,ABC-5,105,Story,To Do,To Do,2026-01-06 09:00,Cy,c:1,3600,,,",
    ]
    portfolio, findings = advance(plan, read(tmp_path, newer).portfolio)
    told = {f.code: f.ids for f in findings}
    assert sorted(portfolio.work) == ["ABC-1", "ABC-3", "ABC-4", "ABC-5", "XYZ-7"]
    assert portfolio.work["ABC-1"].status is Status.DONE
    assert portfolio.work["ABC-3"].parent == "XYZ-7"
    assert (told["moved"], told["vanished"], told["new"], told["finished"]) == (
        ("XYZ-7",),
        ("ABC-4",),
        ("ABC-5",),
        ("ABC-1",),
    )
    again = make_plan(portfolio, budget=0.01, deterministic=True, previous=plan)
    assert "XYZ-7" in again.items or "XYZ-7" in again.unscheduled or "ABC-3" in again.items


def test_a_newer_row_fills_only_what_its_file_has_no_column_for(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text(
        "Issue key,Summary,Status,Updated,Assignee,Component,Outward issue link (Blocks)\n"
        "ABC-1,One,To Do,2026-01-01 09:00,Ann,Till,ABC-2\nABC-2,Two,To Do,2026-01-01 09:00,,,\n"
    )
    (tmp_path / "current.csv").write_text(
        "Issue key,Summary,Status,Updated,Assignee\nABC-1,One,In Progress,2026-01-05 09:00,\n"
    )
    work = read_exports([tmp_path / "all.csv", tmp_path / "current.csv"]).portfolio.work
    assert work["ABC-1"].status is Status.IN_PROGRESS
    assert work["ABC-1"].needs[0].who == ()  # nobody's any more
    assert work["ABC-1"].needs[0].skill == "till"
    assert [link.item for link in work["ABC-2"].after] == ["ABC-1"]


def test_each_file_accounts_for_its_rows_also_where_two_have_one_name(tmp_path: Path) -> None:
    later = [*ROWS[:2], "Five,ABC-5,105,Story,To Do,To Do,2026-01-06 09:00,,,,,,", ",,,,,,"]
    for folder, rows in (("old", ROWS), ("new", later)):
        (tmp_path / folder).mkdir()
        read(tmp_path / folder, rows)
    report = read_exports([tmp_path / "old" / "jira.csv", tmp_path / "new" / "jira.csv"]).report
    counted = {f.name: (f.rows, f.imported, f.merged, f.rejected) for f in report.files}
    assert counted == {"old/jira.csv": (4, 2, 2, 0), "new/jira.csv": (4, 3, 0, 1)}
    assert (report.rows_read, report.imported, report.merged, report.rejected) == (8, 5, 2, 1)
