"""Release board, debts, drum and goals of the report: each item in one column, the limits as the plan keeps them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from support.cases import by, plan_of, portfolio, same
from throttle.report import render_report
from throttle_models import Plan, Portfolio

Data = dict[str, Any]

WORK: Data = {
    "BEGUN": by("p1", "200h", project="A", status="in-progress"),
    "SOON": by("p2", "10h", project="A"),
    "OVER": by("p3", "200h", project="B", type="change"),
    "NEXT": by("p3", "10h", project="B", after=["OVER"], type="change"),
    "DEBT": by("p4", "8h", interest={"linux": "4h/week"}),
}
REST: Data = {
    "projects": {"A": {"title": "Alpha", "cost_of_delay": "9/hour"}, "B": {"cost_of_delay": "1/hour"}},
    "policy": {"projects_in_process": 2, "wip": {"change": 2}, "person_wip": 3, "goals": {"start": "early"}},
    "teams": {"ops": {"name": "Operations", "wip": 4}},
}
PEOPLE: Data = {"p1": {"team": "ops"}, "p2": {"name": "Pia"}, "p3": {"team": "ops"}, "p4": {"skills": ["linux"]}}


class Text(HTMLParser):
    """The words of one section, and the cells of its rows."""

    def __init__(self, html: str, section: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.columns: dict[str, list[str]] = {}
        self.words = ""
        self._in_cell = False
        start = html.index(f'<section id="{section}"')
        self.feed(html[start : html.index("</section>", start)])

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True
        elif tag == "h3":
            self.columns[f"#{len(self.columns)}"] = []
        elif tag == "li":
            list(self.columns.values())[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._in_cell:
            self.rows[-1][-1] += data
        if self.columns and (items := list(self.columns.values())[-1]):
            items[-1] += data


def shown(made: Portfolio, section: str, plan: Plan | None = None) -> Text:
    return Text(render_report(plan or same(plan_of(made)), made), section)


@pytest.fixture(scope="module")
def made() -> Portfolio:
    return portfolio(WORK, PEOPLE, **REST)


def test_each_item_is_in_one_column(made: Portfolio) -> None:
    columns = [[re.match(r"[A-Z]+", card)[0] for card in some] for some in shown(made, "board").columns.values()]  # type: ignore[index]
    assert columns[:4] == [["NEXT"], ["OVER"], ["BEGUN"], ["DEBT", "SOON"]]


def test_limits_stand_beside_what_is_in_process(made: Portfolio) -> None:
    rows = {row[0]: row[1:] for row in shown(made, "board").rows[1:]}
    assert rows["Projects in process"] == ["2", "2", "2", "2"]
    assert rows["Items of type change"] == ["2", "1", "1", "1"]
    assert rows["Team Operations"] == ["4", "2", "2", "2"]
    assert rows["Pia"] == ["3", "1", "1", "0"]


def test_more_than_a_limit_from_before_is_explained() -> None:
    more = {**WORK, "ALSO": by("p2", "9h", project="B", status="in-progress")}
    found = shown(portfolio(more, PEOPLE, **{**REST, "policy": {"projects_in_process": 1}}), "board")
    assert "More than the limit was begun before as-of" in found.words


def test_what_an_override_frees_is_not_counted() -> None:
    policy = {**REST["policy"], "overrides": [{"item": "B", "limit": "policy.projects_in_process", "reason": "asked"}]}
    found = shown(portfolio(WORK, PEOPLE, **{**REST, "policy": policy}), "board")
    assert next(row for row in found.rows if row[0] == "Projects in process") == [
        "Projects in process",
        "2",
        "1",
        "1",
        "1",
    ]
    assert "override" in found.words


def test_the_rope_is_told() -> None:
    policy = {**REST["policy"], "rope": "40h", "drum": "p1"}
    assert (
        "at most 40h of it are released" in shown(portfolio(WORK, PEOPLE, **{**REST, "policy": policy}), "board").words
    )


def test_without_limits_that_is_said() -> None:
    found = shown(portfolio({"A": by("p1", "1h")}), "board")
    assert "No limits" in found.words


def test_debts_with_price_and_payback(made: Portfolio) -> None:
    plan = same(plan_of(made))
    debt = plan.debts["DEBT"]
    (row,) = shown(made, "debts", plan).rows[1:]
    assert row[0].startswith("DEBT")
    assert row[1:3] == ["8\u00a0h", "linux 4\u00a0h/week"]
    assert debt.payback_weeks == 2
    assert row[4:6] == ["2.0 weeks", "Mon 23 Nov"]
    assert "No debt" in shown(portfolio({"A": by("p1", "1h")}), "debts").words


def test_the_drum_is_named_where_it_says_more_than_the_bottleneck(made: Portfolio) -> None:
    plan = same(plan_of(made))
    assert plan.drum is not None
    assert plan.bottleneck is not None

    def head(**fields: Any) -> str:
        drum = plan.drum.model_copy(update=fields) if plan.drum else None
        html = render_report(plan.model_copy(update={"drum": drum}), made)
        return html[html.index("<header>") : html.index("</header>")]

    assert "drum" not in re.sub(r"<[^>]*>", "", head())
    assert "has been the bottleneck since" in head(since=plan.as_of.replace(day=16))
    assert "12\u00a0% ahead of it" in head(people=("p2",), name="Pia", since=plan.as_of.replace(day=16), ahead=0.12)


def test_goals_in_the_certificate(made: Portfolio) -> None:
    plan = same(plan_of(made))
    rows = shown(made, "certificate", plan).rows
    told = {row[0]: row for row in rows}
    for goal in plan.certificate.goals[2:]:
        assert any(name.startswith(goal.name) for name in told)
    assert "policy.goals says start: early" in told["work in process (item-days)"][-1]
