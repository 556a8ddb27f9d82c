"""Day and month: settled by evidence over the whole column, or refused."""

from __future__ import annotations

from typing import Any

import pytest

HEADER = "Issue key|Summary|Status|Created|Updated|Due date"


def created(ingested: Any, id: str = "ABC-1") -> str | None:
    when = ingested.portfolio.work[id].created
    return None if when is None else str(when)


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("12/Mar/21 3:04 PM", "2021-03-12T15:04Z"),
        ("12/Mar/21 12:00 AM", "2021-03-12T00:00Z"),
        ("05/sept./21 3:04 p. m.", "2021-09-05T15:04Z"),
        ("05/dic/20 11:04 AM", "2020-12-05T11:04Z"),
        ("12. März 2021 15:04", "2021-03-12T15:04Z"),
        ("12/août/21 15:04", "2021-08-12T15:04Z"),
        ("12/fev/21 15:04", "2021-02-12T15:04Z"),
        ("2025-07-01 08:35:49.149", "2025-07-01T08:35:49Z"),
        ("2023-12-12T10:00:14.000-0600", "2023-12-12T16:00:14Z"),
        ("Thu, 5 Sep 2024 16:12:18 +0100", "2024-09-05T15:12:18Z"),
        ("29-02-2016 01:16", "2016-02-29T01:16Z"),
        ("3/17/2025 6:00", "2025-03-17T06:00Z"),
        ("05/05/2021", "2021-05-05T00:00Z"),
    ],
)
def test_formats(desk: Any, cell: str, instant: str) -> None:
    assert created(desk.jira(HEADER, f"ABC-1|One|To Do|{cell}||")) == instant


def test_one_number_above_twelve_settles_the_column(desk: Any) -> None:
    ingested = desk.jira(HEADER, "ABC-1|One|To Do|03/04/2021||", "ABC-2|Two|To Do|25/04/2021||")
    assert created(ingested) == "2021-04-03T00:00Z"
    assert ingested.report.files[0].dates["Created"] == "dd/MM/yyyy"


def test_another_column_of_the_same_shape_settles_it(desk: Any) -> None:
    ingested = desk.jira(HEADER, "ABC-1|One|To Do|03/04/2021|04/25/2021|")
    assert created(ingested) == "2021-03-04T00:00Z"


def test_nothing_settles_it(desk: Any) -> None:
    raw = "Issue key,Summary,Status,Created\nABC-1,One,To Do,03/04/2021\nABC-2,Two,To Do,05/06/2021\n"
    (problem,) = desk.problems(raw)
    assert problem.code == "date-order"
    assert problem.column == "Created"
    assert "--date-order" in problem.message
    assert "03/04" not in problem.message
    assert created(desk.read(raw, date_order="dmy")) == "2021-04-03T00:00Z"
    assert created(desk.read(raw, date_order="mdy")) == "2021-03-04T00:00Z"


def test_columns_that_disagree_settle_nothing_for_a_third(desk: Any) -> None:
    raw = "Issue key,Summary,Created,Updated,Resolved\nABC-1,One,25/04/2021,04/25/2021,03/04/2021\n"
    assert [p.column for p in desk.problems(raw)] == ["Resolved"]


def test_contradicting_dates_are_refused(desk: Any) -> None:
    raw = "Issue key,Summary,Status,Created\nABC-1,One,To Do,25/04/2021\nABC-2,Two,To Do,04/25/2021\n"
    (problem,) = desk.problems(raw)
    assert problem.code == "date-order"
    assert "contradict" in problem.message
    (declared,) = desk.problems(raw.replace("04/25/2021", "24/12/2021"), date_order="mdy")
    assert "contradict" in declared.message


def test_unreadable_cells_are_told_and_left_out(desk: Any) -> None:
    ingested = desk.jira(HEADER, "ABC-1|One|To Do|12/Mar/21||", "ABC-2|Two|To Do|29:10.8||", "ABC-3|Three|To Do|?||")
    (finding,) = (f for f in ingested.report.findings if f.code == "unread-date")
    assert (finding.column, finding.row, finding.count) == ("Created", 2, 1)
    assert ingested.report.imported == 3


def test_midnight_due_dates_are_days_and_times_are_local(desk: Any) -> None:
    ingested = desk.jira(HEADER, "ABC-1|One|To Do|12/Mar/21 3:04 PM||27/Nov/21 12:00 AM", zone="America/Chicago")
    assert str(ingested.portfolio.work["ABC-1"].due) == "2021-11-27"
    assert created(ingested) == "2021-03-12T21:04Z"
    assert ingested.portfolio.zone == "America/Chicago"
    assert not [a for a in ingested.portfolio.assumptions if a.about == "zone"]


def test_as_of_is_the_newest_timestamp_and_utc_is_an_assumption(desk: Any) -> None:
    ingested = desk.jira(HEADER, "ABC-1|One|To Do|12/Mar/21 3:04 PM|14/Mar/21 8:00 AM|27/Nov/29 12:00 AM")
    assert str(ingested.portfolio.as_of) == "2021-03-14T08:00Z"
    assert {"as_of", "zone"} <= {a.about for a in ingested.portfolio.assumptions}


@pytest.mark.parametrize(
    "zero", ["1900-01-00 00:00", "1/1/1900", "0001-01-01T00:00:00", "1970-01-01 00:00:00", "9999-12-31"]
)
def test_zeros_of_databases_are_no_dates(desk: Any, zero: str) -> None:
    ingested = desk.jira(
        "Issue key|Summary|Status|Created|Resolved", f"AB-1|x|Open|2026-01-13|{zero}", "AB-2|x|Open|2026-01-14|"
    )
    assert ingested.portfolio.work["AB-1"].finished is None
    assert [f.column for f in ingested.report.findings if f.code == "unread-date"] == ["Resolved"]
