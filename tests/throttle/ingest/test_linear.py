"""Linear's CSV in its three widths."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from throttle_models import Status

NARROW = (
    "ID,Team,Title,Description,Status,Estimate,Priority,Project,Creator,Assignee,Labels,Cycle Number,Cycle Name,"
    "Cycle Start,Cycle End,Created,Updated,Started,Completed,Canceled,Archived,Due Date,Milestone,Parent issue,Roadmaps"
)
MIDDLE = (
    "ID,Team,Title,Description,Status,Estimate,Priority,Project ID,Project,Creator,Assignee,Labels,Cycle Number,"
    "Cycle Name,Cycle Start,Cycle End,Created,Updated,Started,Triaged,Completed,Canceled,Archived,Due Date,"
    "Parent issue,Initiatives,Project Milestone ID,Project Milestone,SLA Status,Roadmaps"
)
WIDE = MIDDLE.removesuffix(",Roadmaps") + ",UUID,Time in status (minutes),Related to,Blocked by,Duplicate of"


def table(header: str, *rows: dict[str, str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, header.split(","), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def row(id: str, **more: str) -> dict[str, str]:
    return {"ID": id, "Team": "Eng", "Title": id, "Status": "Whatever", "Created": "2026-11-01T08:00:00.000Z"} | more


@pytest.mark.parametrize("header", [NARROW, MIDDLE, WIDE])
def test_dates_tell_what_a_status_means(desk: Any, header: str) -> None:
    js = "Mon Nov 02 2026 05:00:00 GMT+0000 (GMT)"
    found = desk.read(
        table(
            header,
            row("ENG-1"),
            row("ENG-2", Started=js),
            row("ENG-3", Started=js, Completed="Tue Nov 03 2026 05:00:00 GMT+0100 (GMT+01:00)"),
            row("ENG-4", Canceled=js),
            row("ENG-5", Status="In Review"),
        )
    )
    assert found.report.files[0].reader == "linear-csv"
    work = found.portfolio.work
    assert [work[f"ENG-{n}"].status for n in range(1, 6)] == [
        Status.OPEN, Status.IN_PROGRESS, Status.DONE, Status.CANCELLED, Status.IN_PROGRESS,
    ]  # fmt: skip
    assert str(work["ENG-3"].finished) == "2026-11-03T04:00Z"
    assert str(work["ENG-2"].started) == "2026-11-02T05:00Z"


def test_links_parents_points_and_labels(desk: Any) -> None:
    found = desk.read(
        table(
            WIDE,
            row("ENG-1", Estimate="3", Priority="Urgent", Labels="web, shop", Assignee="ann.lee@example.invalid"),
            row("ENG-2", **{"Blocked by": "ENG-1, OPS-9", "Related to": "ENG-1", "Parent issue": "ENG-3"}),
            row("ENG-3", **{"Duplicate of": "ENG-1"}),
        ),
        team={"defaults": {"hours_per_point": "4h"}},
    )
    assert {(e.predecessor, e.successor) for e in found.report.edges} == {("ENG-1", "ENG-2"), ("OPS-9", "ENG-2")}
    work = found.portfolio.work
    assert (work["ENG-1"].priority, work["ENG-1"].tags, work["ENG-2"].parent) == ("Urgent", ("web", "shop"), "ENG-3")
    assert found.report.items[0].planned_hours == 12
    assert next(iter(found.portfolio.people)) == "ann-lee"


def test_short_rows_are_whole_and_cut_ones_are_not(desk: Any) -> None:
    whole = table(MIDDLE, row("ENG-1"), row("ENG-2"))
    lines = whole.splitlines()
    short = "\n".join([lines[0], lines[1].removesuffix(","), lines[2]]) + "\n"
    assert desk.read(short).report.imported == 2
    assert [p.code for p in desk.problems("\n".join([lines[0], lines[1], "ENG-2,Eng,ENG"]))] == ["truncated"]


def test_the_mark_before_what_looks_like_a_formula_is_taken_off(desk: Any) -> None:
    work = desk.read(table(NARROW, row("ENG-1", Title="'=2+2 is odd"), row("ENG-2", Title="'quoted'"))).portfolio.work
    assert [item.title for item in work.values()] == ["=2+2 is odd", "'quoted'"]
