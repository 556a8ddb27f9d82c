"""Decimal points and commas: by all cells of a column, or refused; never silently wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from throttle.ingest.values import marks, minutes, number


def hours(ingested: Any) -> dict[str, float | None]:
    return {item.id: item.estimate_hours for item in ingested.report.items}


def table(*efforts: str, points: str = "") -> str:
    rows = "\n".join(f"T-{i};Task {i};open;{effort};{points}" for i, effort in enumerate(efforts, 1))
    return f"id;title;status;Effort (h);Story points\n{rows}\n"


@pytest.mark.parametrize(
    ("efforts", "read"),
    [
        (("2.500,25", "1.234", "8"), [2500.25, 1234, 8]),
        (("2,500.25", "1,234", "8"), [2500.25, 1234, 8]),
        (("1,5", "1.234"), [1.5, 1234]),
        (("1.5", "1.234"), [1.5, 1.234]),
        (("1.5", "1,234"), [1.5, 1234]),
        (("0.125", "1.234"), [0.125, 1.234]),
        (("1.234.567", "1.234"), [None, 1234]),  # too much for one item
        (("1 234,5", "1.234"), [1234.5, 1234]),
        (("1'234.5", "1.234"), [1234.5, 1.234]),
        (("1,5", "2.5"), [1.5, 2.5]),  # each is clear by itself
        (("1.234 h", "1,5 h"), [1234, 1.5]),
    ],
)
def test_a_column_tells_by_all_its_cells(desk: Any, efforts: tuple[str, ...], read: list[float | None]) -> None:
    found = hours(desk.read(table(*efforts)))
    assert list(found.values()) == [None if r is None else pytest.approx(r, abs=1e-3) for r in read]


def test_other_columns_of_the_file_tell_too(desk: Any) -> None:
    assert hours(desk.read(table("1.234", points="0,5"))) == {"T-1": 1234}


@pytest.mark.parametrize("efforts", [("1.234",), ("1,234", "8"), ("1,5", "2.5", "1.234")])
def test_what_can_be_read_in_two_ways_is_refused_with_the_remedy(desk: Any, efforts: tuple[str, ...]) -> None:
    (problem,) = desk.problems(table(*efforts))
    assert (problem.code, problem.column) == ("number-format", "Effort (h)")
    assert "{plain: {'Effort (h)': {means: original_estimate, unit: h, decimal: ','}}}" in problem.message
    assert "1.234" not in problem.message


@pytest.mark.parametrize(("decimal", "read"), [(",", 1234), (".", 1.234)])
def test_the_remedy_works(desk: Any, decimal: str, read: float) -> None:
    said = {"means": "original_estimate", "unit": "h", "decimal": decimal}
    mapping = {"columns": {"plain": {"id": "id", "Effort (h)": said}}}
    assert hours(desk.read(table("1.234"), mapping=mapping)) == {"T-1": read}


def test_numbers_of_jira_and_points_that_are_none_are_told(desk: Any, codes: Any) -> None:
    header = "Issue key|Summary|Status|Story Points|Original estimate"
    read = desk.jira(header, "ABC-1|One|To Do|3,5|7.200", "ABC-2|Two|To Do|much|3.600")
    assert hours(read) == {"ABC-1": 2, "ABC-2": 1}  # 3,5 shows that a point stands between thousands
    assert "unread-number" in codes(read)


@given(st.integers(0, 10**7), st.integers(0, 99))
def test_both_ways_of_writing_give_the_same_number(whole: int, cents: int) -> None:
    english = f"{whole:,}.{cents:02}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert number(english) == number(german) == number(german, ",") == float(f"{whole}.{cents:02}")
    assert marks(english)[0] <= {"."}
    assert marks(german)[0] <= {","}


@pytest.mark.parametrize("cell", ["1:30:00.250", "PT1.234H", "1970-01-01 00:00:10", "2h 30m", "7200"])
def test_clock_times_and_plain_numbers_prove_nothing(cell: str) -> None:
    assert marks(cell) == (set(), False)
    assert minutes(cell) is not None
