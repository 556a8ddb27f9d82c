"""The change calendar, the closed form of batches, and plans with batches of some sizes."""

from __future__ import annotations

from math import inf, sqrt
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from support.cases import Data, by, plan_of, portfolio
from throttle.changes import change_calendar
from throttle.changes.curve import Batches, Prices, batch_curve
from throttle.cli import app
from throttle.files import save_plan
from throttle.solve import Settings
from throttle_models import Plan, Portfolio
from throttle_models.changes import ChangeCalendar


def change(person: str, effort: str = "1h", **fields: object) -> Data:
    about = {"window": "night", **fields.pop("change", {})}  # type: ignore[dict-item]
    return by(person, effort, type="change", change=about, **fields)


# --- closed form ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("demand", "overhead", "waiting", "failing", "best"),
    [
        (50, 8, 2, 0, 20),
        (7, 100, 14, 0, 10),
        (10, 500, 0, 5, 10),
        (4, 900, 3.2, 1.3, sqrt(7200 / 13.6)),
        (5, 0, 1, 0, 0),
    ],
)
def test_the_best_batch_is_that_of_the_formula_and_no_other_is_cheaper(
    demand: float, overhead: float, waiting: float, failing: float, best: float
) -> None:
    batches = Batches(demand, overhead, waiting, failing)
    assert batches.best == pytest.approx(best)
    total = {size: batches.of(size).total for size in range(1, 100)}
    least = min(total, key=lambda size: total[size])
    assert abs(least - max(1.0, best)) <= 1
    for size, cost in total.items():
        assert cost == pytest.approx(overhead * demand / size + waiting * size / 2 + failing * demand * size)


def test_near_the_best_the_curve_is_flat() -> None:
    batches = Batches(50, 800, 2)
    assert batches.of(260).total / batches.of(200).total == pytest.approx(1.0346, abs=1e-3)  # 30 % more: 3.5 %


def test_where_waiting_costs_nothing_all_go_together() -> None:
    assert Batches(5, 100, 0).best == inf


# --- plans with batches --------------------------------------------------------------------------------------------


def stream(count: int, each: float) -> Portfolio:
    """A change a day becomes ready, and any night it may go; what a day of waiting costs is ``each``."""
    work = {f"C{i:02}": change(f"p{i + 1}", not_before=f"{24 * i}h", cost_of_delay=f"{each}/day") for i in range(count)}
    return portfolio(work, count, windows={"night": {"every": "daily 22:00-04:00"}})


@pytest.mark.parametrize("overhead", [100, 450, 1250])
def test_the_batch_found_is_that_of_the_formula_give_or_take_one(overhead: float) -> None:
    """Where changes come evenly, wait alike and may go at any time, plans agree with the closed form."""
    made_from = stream(24, 100.0)
    plan = plan_of(made_from, budget=0.02)
    found = batch_curve(
        plan, made_from, "night", Prices(overhead=overhead), range(1, 13), Settings(budget=0.02, workers=1)
    )
    assert found is not None
    assert (found.demand, found.waiting) == (pytest.approx(7.0), pytest.approx(700.0))
    assert found.best == pytest.approx(sqrt(2 * overhead * 7 / 700))
    planned = {batch.size: batch for batch in found.batches if batch.planned is not None}
    assert sorted(planned) == list(range(1, 13))
    assert all(batch.occurrences == -(-24 // size) for size, batch in planned.items())
    assert abs(found.recommended - found.best) <= 1
    costs = {size: batch.planned for size, batch in planned.items()}
    assert found.recommended == min(costs, key=lambda size: (costs[size], size))


def test_without_an_overhead_there_is_no_curve_to_plan() -> None:
    made_from = stream(4, 100.0)
    plan = plan_of(made_from, budget=0.02)
    found = batch_curve(plan, made_from, "night", Prices(), settings=Settings(budget=0.02))
    assert found is not None
    assert (found.best, found.recommended) == (0.0, 1)
    assert all(batch.planned is None for batch in found.batches)
    assert "--each" in found.text


def test_fewer_than_two_changes_make_no_batch() -> None:
    made_from = stream(1, 100.0)
    assert batch_curve(plan_of(made_from, budget=0.02), made_from, "night", Prices(overhead=5)) is None


def test_the_share_of_a_project_is_what_its_changes_wait_for() -> None:
    work = {"A": change("p1", project="x"), "B": change("p2", project="x"), "C": by("p3", "1h", project="x")}
    windows = {"night": {"every": "daily 22:00-04:00"}}
    made_from = portfolio(work, 3, windows=windows, projects={"x": {"cost_of_delay": "900/week"}})
    found = batch_curve(plan_of(made_from, budget=0.02), made_from, "night", Prices(overhead=5))
    assert found is not None
    assert found.waiting == pytest.approx(300.0)


# --- calendar ------------------------------------------------------------------------------------------------------

SERVICES: Data = {"payroll": {"depends_on": ["san"]}, "san": {}, "wiki": {}}


@pytest.fixture(scope="module")
def planned() -> tuple[Plan, Portfolio]:
    work = {
        "A": change("p1", "2h", change={"services": ["san"], "risk": 4, "rollback": "1h"}, cost_of_delay="9/week"),
        "B": change("p1", "1h", change={"services": ["payroll"], "risk": 3}, cost_of_delay="8/week"),
        "C": change("p2", "1h", change={"services": ["wiki"], "risk": 4}, cost_of_delay="7/week"),
        "D": by("p2", "1h", change={"services": ["san"]}, type="change"),
        "E": change("p1", change={"risk": 90}),
        "F": by("p2", "9h"),
    }
    windows = {"night": {"every": "daily 22:00-04:00", "changes": 2, "risk": 9}}
    freezes = [{"from": "2026-11-23", "to": "2026-11-24T04:00", "why": "peak", "services": ["san", "payroll", "wiki"]}]
    made_from = portfolio(work, 2, windows=windows, services=SERVICES, freezes=freezes)
    return plan_of(made_from, budget=0.1), made_from


def test_the_calendar_tells_each_occurrence_and_what_it_may_hold(planned: tuple[Plan, Portfolio]) -> None:
    found = change_calendar(*planned)
    first, second = found.occurrences
    assert {c.item for c in first.changes} | {c.item for c in second.changes} == {"A", "B", "C"}
    assert (len(first.changes), first.limit, first.risk_limit) == (2, 2, 9)
    assert first.risk == sum(c.risk or 0 for c in first.changes)
    assert (first.minutes, first.week) == (360, "2026-W48")
    assert [c.item for c in found.outside] == ["D"]
    assert found.left_out.keys() == {"E"}
    assert sum(found.days.values()) == 4
    (blocked,) = found.blocked
    assert (blocked.start.day, blocked.why) == (23, "peak")
    together = next(o for o in found.occurrences if len(o.changes) == 2)
    hours = {"A": 180, "B": 60, "C": 60}
    assert together.minutes_used <= sum(hours[c.item] for c in together.changes)
    assert together.minutes_used >= max(hours[c.item] for c in together.changes)


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "160"}, catch_exceptions=False)
    assert "Traceback" not in result.output
    return result


def test_the_command_prints_calendar_and_curve(planned: tuple[Plan, Portfolio], tmp_path: Path) -> None:
    save_plan(planned[0], tmp_path / "plan.json")
    result = run("changes", tmp_path / "plan.json", "--each", "40", "--batches", "1,2", "--resolve", "0.02s", "-q")
    assert result.exit_code == 0, result.output
    for words in ("By week and occurrence", "2 of 2", "of 9", "Outside windows", "peak", "Not in the plan", "* "):
        assert words in result.stdout
    found = ChangeCalendar.model_validate_json(run("changes", tmp_path / "plan.json", "--json", "-q").stdout)
    assert found == change_calendar(*planned, found.curves)
    assert [curve.window for curve in found.curves] == ["night"]


def test_a_portfolio_is_planned_for_a_moment_and_wrong_sizes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "portfolio.yaml"
    path.write_text("as_of: 2026-11-23T08:00\npeople: {ann: {}}\nwork:\n  A: {needs: [{who: ann, effort: 1h}]}\n")
    assert "The plan has no changes." in run("changes", path, "--budget", "0.05s", "-q").stdout
    assert run("changes", path, "--batches", "none").exit_code == 2
    assert run("changes", path, "--portfolio", path).exit_code == 2
