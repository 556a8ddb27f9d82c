"""Two plans side by side."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from support.cases import by, plan_of, portfolio
from throttle.cli import app
from throttle.compare import compare, show_comparison
from throttle.files import save_plan
from throttle.replan import advance
from throttle_models import Plan

Data = dict[str, Any]
OFFICE: Data = {"calendars": {"office": {"hours": "Mon-Fri 09:00-17:00"}}, "projects": {"P": {"title": "[b]Pay"}}}
WORK: Data = {
    "A": by("p1", "8h", cost_of_delay="90/hour", project="P"),
    "B": by("p1", "8h", cost_of_delay="80/hour", project="P"),
    "C": by("p2", "4h", cost_of_delay="1/hour", after=["B"]),
    "D": by("p2", "4h", cost_of_delay="1/hour"),
    "OLD": by("p2", "1h", cost_of_delay="50/hour"),
}
NEXT_DAY = "2026-11-24T08:00:00+00:00"


@pytest.fixture(scope="module")
def plans() -> tuple[Plan, Plan]:
    """OLD is done, A takes a day more, D has begun and N is new; the rest is as it was."""
    before = plan_of(portfolio(WORK, 2, **OFFICE))
    later = {
        "A": by("p1", "8h", status="in-progress", remaining="8h", cost_of_delay="90/hour", project="P"),
        "B": WORK["B"],
        "C": WORK["C"],
        "D": {**WORK["D"], "status": "done"},
        "OLD": {**WORK["OLD"], "status": "done"},
        "N": by("p2", "2h", cost_of_delay="2/hour"),
    }
    made, _ = advance(before, portfolio(later, 2, as_of=NEXT_DAY, **OFFICE))
    return before, plan_of(made, previous=before)


def test_what_is_different(plans: tuple[Plan, Plan]) -> None:
    found = compare(*plans)
    assert not found.same_work
    assert found.finished == ("D", "OLD")
    assert found.begun == ("A",)
    assert found.new == ("N",)
    assert found.gone == ()
    assert {m.item: m.hours for m in found.moves} == {"B": 24, "C": 24}
    assert all(m.reason for m in found.moves)
    assert found.kept == 0
    assert found.hours["p1"].change == 8  # of 16 h, 8 were left for Tuesday on
    assert found.hours["p2"].change == 2
    assert {p.name for p in found.projects} >= {"P", "B", "C"}
    late = next(p for p in found.projects if p.name == "P")
    assert late.finish_a is not None
    assert late.finish_b is not None
    assert (late.finish_b - late.finish_a).days == 1


def test_the_same_plan_is_not_different(plans: tuple[Plan, Plan]) -> None:
    before, _ = plans
    found = compare(before, before)
    assert found.same_work
    assert found.kept == len(before.items)
    empty = (found.moves, found.projects, found.hours, found.holds, found.new, found.gone, found.released)
    assert not any(empty)
    assert found.objective.change == 0


def test_reasons_without_a_replan(plans: tuple[Plan, Plan]) -> None:
    """Two plans of the same work under other rules: the reason is that of the second plan."""
    before, _ = plans
    other = plan_of(portfolio(WORK, 2, **OFFICE, policy={"pins": [{"work": "B", "start": "1h"}]}))
    moves = {m.item: m for m in compare(before, other).moves}
    assert moves["A"].reason
    assert moves["B"].hours == -24
    alone = other.model_copy(update={"portfolio": None})
    assert {m.item for m in compare(before, alone).moves} == set(moves)


def test_what_is_left_out_and_held(plans: tuple[Plan, Plan]) -> None:
    before, _ = plans
    without = {**WORK, "C": {**WORK["C"], "on_hold": "no money"}, "D": {**WORK["D"], "not_before": "2w"}}
    found = compare(before, plan_of(portfolio(without, 2, **OFFICE)))
    assert found.left_out == ("C",)
    assert {m.item: m.now is None for m in found.moves} == {"C": True, "D": False}
    assert {h.item: (h.a, h.b) for h in found.holds}["C"] == (None, "on-hold")
    assert "D" in found.no_longer_released


def test_on_the_terminal_and_as_json(plans: tuple[Plan, Plan], tmp_path: Path) -> None:
    before, after = plans
    text = StringIO()
    show_comparison(Console(file=text, width=160), compare(before, after))
    for words in (
        "2 starts moved, 0 kept",
        "Finished since: D, OLD",
        "New: N",
        "+24 h",
        "[b]Pay",
        "Hours of work ahead",
    ):
        assert words in text.getvalue()
    paths = [str(tmp_path / name) for name in ("a.json", "b.json")]
    for path, plan in zip(paths, plans, strict=True):
        save_plan(plan, Path(path))
    result = CliRunner().invoke(app, ["compare", *paths, "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["new"] == ["N"]
