"""Excel and Mermaid: what is in them, nothing that runs, and the same bytes each time."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.sample_plan import ZONE, sample_plan, sample_portfolio
from throttle.exports import EXPORTERS
from throttle.exports.csv import safe
from throttle_models import Portfolio

PORTFOLIO = sample_portfolio(items=40)
PLAN = sample_plan(PORTFOLIO)


def book(portfolio: Portfolio = PORTFOLIO, **how: Any) -> Any:
    data = EXPORTERS["xlsx"](PLAN, portfolio, **how)
    assert isinstance(data, bytes)
    return openpyxl.load_workbook(BytesIO(data))


def rows_of(sheet: Any) -> list[dict[str, Any]]:
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def titled(title: str) -> Portfolio:
    first = next(iter(PLAN.items))
    item = PORTFOLIO.work[first].model_copy(update={"title": title})
    return PORTFOLIO.model_copy(update={"work": {**PORTFOLIO.work, first: item}})


def test_the_workbook_has_every_item_and_every_hour() -> None:
    found = book()
    assert found.sheetnames == ["Items", "Work", "Let in", "Hold"]
    items = rows_of(found["Items"])
    assert [row["item"] for row in items if row["state"] == "scheduled"] == [
        key for key, _ in sorted(PLAN.items.items(), key=lambda pair: (pair[1].start, pair[0]))
    ]
    assert {row["item"] for row in items} == {*PLAN.items, *PLAN.unscheduled, *PLAN.done, *PLAN.containers}
    hours = sum(row["hours"] for row in rows_of(found["Work"]))
    assert hours == pytest.approx(sum(row["hours"] or 0 for row in items))
    assert [row["item"] for row in rows_of(found["Let in"])] == [release.item for release in PLAN.releases]
    assert [row["item"] for row in rows_of(found["Hold"])] == [hold.item for hold in PLAN.holds]


def test_dates_are_dates_on_the_wall_of_the_plan() -> None:
    found = [row for row in rows_of(book()["Items"]) if row["state"] == "scheduled"]
    for row in found:
        planned = PLAN.items[row["item"]]
        assert row["start"] == planned.start.astimezone(ZONE).replace(tzinfo=None)
        assert row["finish"] == planned.finish.astimezone(ZONE).replace(tzinfo=None)


def test_the_workbook_of_one_person() -> None:
    found = book(person="p1")
    assert {row["person"] for row in rows_of(found["Work"])} == {"p1"}
    mine = {row["item"] for row in rows_of(found["Items"])}
    assert mine == {k for k, p in PLAN.items.items() if any(a.person == "p1" for a in p.assignments)}
    assert {row["item"] for row in rows_of(found["Hold"])} <= mine


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_no_text_becomes_a_formula(title: str) -> None:
    shown = safe(title)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    if title.startswith(("=", "+", "-", "@")):
        assert shown.startswith("'" + title[0])


@pytest.mark.parametrize(
    "title", ["=1+1", '=HYPERLINK("http://x")', "+1", "-1", "@x", "\t=1", "bell\x07", "x" * 40_000]
)
def test_no_cell_is_a_formula(title: str) -> None:
    for sheet in book(titled(title)):
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                if isinstance(cell.value, str):
                    assert not cell.value.startswith(("=", "+", "-", "@", "\t"))
                    assert len(cell.value) <= 32_767


def test_equal_plans_give_equal_workbooks_without_the_clock() -> None:
    one, two = (EXPORTERS["xlsx"](PLAN, PORTFOLIO) for _ in range(2))
    assert one == two
    assert isinstance(one, bytes)
    with zipfile.ZipFile(BytesIO(one)) as archive:
        core = archive.read("docProps/core.xml").decode()
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
    assert set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", core)) == {"2026-11-23T14:00:00Z"}


# ---------------------------------------------------------------------------------------------------------- mermaid

_BAR = re.compile(r"    ([^:]+) :((?:crit, |active, |milestone, )*)(t\d+), (\S+ \S+), (\S+(?: \S+)?)")


def test_a_gantt_has_a_bar_for_each_item_in_the_section_of_its_project() -> None:
    text = EXPORTERS["mermaid"](PLAN, PORTFOLIO)
    assert isinstance(text, str)
    head, *sections = text.split("    section ")
    assert head.splitlines() == [
        "gantt",
        "    title Plan of week 2026-W48",
        "    dateFormat YYYY-MM-DD HH:mm",
        "    axisFormat %d %b",
    ]
    found = {}
    for section in sections:
        name, *bars = section.splitlines()
        for bar in bars:
            match = _BAR.fullmatch(bar)
            assert match, bar
            found[match[1].split()[0]] = (name, match[4])
    assert found.keys() == PLAN.items.keys()
    for key, (section, start) in found.items():
        project = PORTFOLIO.work[key].project
        parent = PORTFOLIO.work[key].parent
        project = project or (PORTFOLIO.work[parent].project if parent else None)
        assert section == (PORTFOLIO.projects[project].title if project else "No project")
        assert start == PLAN.items[key].start.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize("title", ["a: b; c # d", "50%% <b>x</b>", "one\ntwo", "", "::", '`x` \\ "y"'])
def test_a_title_cannot_break_out_of_its_bar(title: str) -> None:
    text = EXPORTERS["mermaid"](PLAN, titled(title))
    assert isinstance(text, str)
    bars = [line for line in text.splitlines()[4:] if not line.startswith("    section ")]
    assert len(bars) == len(PLAN.items)
    assert all(_BAR.fullmatch(bar) for bar in bars)


def test_milestones_and_chains_are_marked() -> None:
    first = next(iter(PLAN.items))
    planned = PLAN.items[first].model_copy(update={"finish": PLAN.items[first].start, "assignments": ()})
    project = next(iter(PLAN.projects))
    chained = PLAN.projects[project].model_copy(update={"chain": (first,)})
    plan = PLAN.model_copy(
        update={"items": {**PLAN.items, first: planned}, "projects": {**PLAN.projects, project: chained}}
    )
    text = EXPORTERS["mermaid"](plan, PORTFOLIO)
    assert isinstance(text, str)
    line = next(line for line in text.splitlines() if line.strip().startswith(first + " "))
    assert ":crit, milestone, t" in line
    assert line.endswith(", 0d")
