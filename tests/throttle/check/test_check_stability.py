"""The frozen zone, the cost of moving and the list of moves: what is broken on purpose is found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from support.cases import by, plan_of, portfolio, same
from throttle.check import check
from throttle.files import portfolio_hash
from throttle.replan import advance
from throttle_models import Plan, Portfolio, When

RULE: dict[str, Any] = {"policy": {"stability": {"frozen": "20h", "move": "1/hour"}}}

NO_GOALS = {"goals": (), "goals_note": "none"}


@pytest.fixture(scope="module")
def replan() -> Plan:
    """X begins at once; A and B are held; C moves, since D has slipped; E lies outside the zone."""
    work: dict[str, Any] = {
        "A": by("p1", "8h", cost_of_delay="5/hour"),
        "B": by("p1", "4h", cost_of_delay="3/hour"),
        "D": by("p2", "8h", cost_of_delay="5/hour"),
        "C": by("p2", "8h", cost_of_delay="3/hour", after=["D"]),
        "E": by("p1", "20h", cost_of_delay="1/hour"),
        "F": by("p1", "20h", cost_of_delay="0.1/hour"),
    }
    before = plan_of(portfolio(work, 2, **RULE))
    made, _ = advance(before, portfolio({**work, "D": {**work["D"], "not_before": "3h"}}, 2, **RULE))
    return same(plan_of(made, previous=before))


def kinds(plan: Plan, made_from: Portfolio | None = None) -> set[str]:
    return {v.kind for v in check(plan, made_from).violations}


def told(plan: Plan, **fields: Any) -> Plan:
    assert plan.previous is not None
    return plan.model_copy(update={"previous": plan.previous.model_copy(update=fields)})


def with_entry(plan: Plan, item: str, **fields: Any) -> Plan:
    """The plan as if it had been made from a portfolio that says something else of one item."""
    made_from = plan.portfolio
    assert made_from is not None
    entry = made_from.planned[item].model_copy(update=fields)
    other = made_from.model_copy(update={"planned": {**made_from.planned, item: entry}})
    certificate = plan.certificate.model_copy(update={"input_hash": portfolio_hash(other)})
    return plan.model_copy(update={"portfolio": other, "certificate": certificate})


def test_the_case_is_what_it_says(replan: Plan) -> None:
    made_from, previous = replan.portfolio, replan.previous
    assert made_from is not None
    assert previous is not None
    assert {id for id, p in made_from.planned.items() if p.frozen} == {"A", "B", "E"}
    assert {id for id, p in made_from.planned.items() if p.why} == {"C", "D"}
    assert [m.item for m in previous.moves] == ["D", "C"]
    assert previous.cost == pytest.approx(3 + 3)
    assert (previous.kept, previous.frozen) == (4, 3)


def test_a_move_that_is_not_told(replan: Plan) -> None:
    assert replan.previous is not None
    assert kinds(told(replan, moves=replan.previous.moves[:1])) == {"moves"}
    assert kinds(told(replan, moves=(*replan.previous.moves, replan.previous.moves[0]))) == {"moves"}


def test_a_move_that_is_told_wrongly(replan: Plan) -> None:
    assert replan.previous is not None
    move = replan.previous.moves[0]
    for wrong in ({"before": move.before - timedelta(hours=1)}, {"now": None}, {"reason": " "}):
        changed = (move.model_copy(update=wrong), *replan.previous.moves[1:])
        assert kinds(told(replan, moves=changed)) == {"moves"}
    assert kinds(told(replan, moves=(*replan.previous.moves, move.model_copy(update={"item": "A"})))) == {"moves"}


@pytest.mark.parametrize("figure", [{"kept": 5}, {"frozen": 0}, {"cost": 0.0}])
def test_figures_of_a_replan(replan: Plan, figure: dict[str, Any]) -> None:
    assert kinds(told(replan, **figure)) == {"moves"}


def test_what_was_to_start_soon_is_held_or_says_why(replan: Plan) -> None:
    assert "frozen-zone" in kinds(with_entry(replan, "A", frozen=False, who=()))
    assert "frozen-zone" in kinds(with_entry(replan, "C", why=""))


def test_what_starts_later_is_not_held(replan: Plan) -> None:
    assert "frozen-zone" in kinds(with_entry(replan, "F", frozen=True, who=("p1",)))


def test_what_is_held_has_its_start_and_people(replan: Plan) -> None:
    assert "pin-start" in kinds(with_entry(replan, "B", start=When(text="9h")))
    assert "pin-who" in kinds(with_entry(replan, "B", who=("p2",)))


def test_the_cost_of_moving_is_part_of_the_objective(replan: Plan) -> None:
    goal = replan.certificate.objective
    flow = replan.certificate.flow.value
    assert goal.value == pytest.approx(flow + 6)
    cheaper = goal.model_copy(update={"value": goal.value - 6, "bound": 0.0, "gap": 1.0, "proved": False})
    certificate = replan.certificate.model_copy(update={"objective": cheaper, "status": "feasible"} | NO_GOALS)
    assert kinds(replan.model_copy(update={"certificate": certificate})) == {"objective-value"}
