"""What a plan claims besides its schedule: names, reasons, notes, ranges, and what an earlier plan said."""

from __future__ import annotations

from typing import Any

import pytest

from support.cases import Data, by, plan_of, portfolio, same
from throttle.check import check
from throttle.replan import advance
from throttle_models import Plan


def made(as_of: str = "2026-11-23T08:00Z") -> Any:
    work: Data = {
        "A": by("p1", "300h", project="P"),
        "B": by("p1", "200h", project="P", after=["A"]),
        "C": by("p2", "20h", project="Q"),
        "DEAD": {**by("p2", "2h"), "after": ["OUT"]},
    }
    policy = {
        "buffers": {"project": "auto"},
        "stability": {"frozen": "2h", "move": "50/day"},
        "person_wip": 5,
        "overrides": [{"item": "C", "limit": "policy.person_wip", "reason": "the board says so"}],
    }
    projects = {"P": {"cost_of_delay": "5/hour"}, "Q": {"cost_of_delay": "1/hour"}}
    return portfolio(work, 2, policy=policy, projects=projects, external={"OUT": {}}, as_of=as_of)


@pytest.fixture(scope="module")
def plans() -> tuple[Plan, Plan, Plan]:
    """A plan, its replan an hour later, and the replan of that."""
    first = same(plan_of(made()))
    second = plan_of(advance(first, made("2026-11-23T09:00Z"))[0], previous=first)
    third = plan_of(advance(second, made("2026-11-23T10:00Z"))[0], previous=second)
    assert check(third, previous=second).ok
    return first, second, third


def edited(plan: Plan, path: str, value: Any) -> Plan:
    """With another value at a path such as ``certificate.goals.0.unit``."""
    document = plan.model_dump(mode="json")
    *above, last = path.split(".")
    at: Any = document
    for step in above:
        at = at[int(step) if isinstance(at, list) else step]
    at[int(last) if isinstance(at, list) else last] = value
    return Plan.model_validate(document)


def kinds(plan: Plan, previous: Plan | None = None) -> set[str]:
    return {v.kind for v in check(plan, previous=previous).violations}


@pytest.mark.parametrize(
    ("path", "value", "kind"),
    [
        ("certificate.checked", False, "counts"),
        ("certificate.violations", 2, "counts"),
        ("certificate.objective.name", "cost", "status"),
        ("certificate.goals.0.unit", "EUR", "goals"),
        ("certificate.goals.0.best", -5.0, "goals"),
        ("certificate.goals.0.found", -1.0, "goals"),
        ("certificate.goals.4.alone", -1.0, "goals"),
        ("certificate.goals", [], "goals"),
        ("certificate.goals_note", "none", "goals"),
        ("drum.name", "somebody", "drum"),
        ("drum.members", ["cobol"], "drum"),
        ("horizon", "2026-11-24T08:00Z", "header"),
        ("horizon", "2046-11-23T08:00Z", "header"),
        ("holds.0.reason", "approval", "hold-list"),
        ("holds.0.reason", "freeze", "hold-list"),
        ("holds.0.refs", ["C"], "hold-list"),
        ("unscheduled.DEAD.refs", ["A"], "unknown-reference"),
        ("releases.1.note", "", "overrides"),
        ("releases.0.note", "policy.rope does not hold for it: so", "overrides"),
        ("assumptions", [{"about": "A", "value": "1h", "why": "none"}], "header"),
        ("previous.as_of", "2026-12-23T08:00Z", "moves"),
        ("previous.input_hash", "0" * 63, "moves"),
        ("previous.kept", 1000, "moves"),
        ("previous.frozen", -1, "moves"),
        ("previous.cost", 3.0, "moves"),
        ("fever.projects.P.since", "2026-12-23T08:00Z", "fever"),
        ("fever.projects.P.promise", "2026-11-23T08:00Z", "fever"),
        ("fever.projects.P.buffer_hours", -3.0, "fever"),
        ("fever.projects.P.chain", {}, "fever"),
        ("fever.projects.P.points.0.used", 5.0, "fever"),
        ("fever.projects.P.points.0.zone", "red", "fever"),
        ("fever.projects.P.points.0.as_of", "2026-11-20T08:00Z", "fever"),
    ],
)
def test_an_edit_is_noticed(plans: tuple[Plan, Plan, Plan], path: str, value: Any, kind: str) -> None:
    assert kind in kinds(edited(plans[2], path, value))


@pytest.mark.parametrize(
    ("path", "value", "kind"),
    [
        ("previous.as_of", "2026-11-23T08:30Z", "moves"),
        ("previous.input_hash", "0" * 64, "moves"),
        ("fever.projects.P.points.0.done", 0.05, "fever"),
        ("fever.projects.P.finish", "2026-12-20T08:00Z", "fever"),
        ("fever.projects.P.title", "Another", "fever"),
        ("drum.since", "2026-11-23T09:00Z", "drum"),
    ],
)
def test_an_edit_of_what_only_the_earlier_plan_knows(
    plans: tuple[Plan, Plan, Plan], path: str, value: Any, kind: str
) -> None:
    assert kind in kinds(edited(plans[2], path, value), plans[1])


def test_a_plan_is_not_the_replan_of_another(plans: tuple[Plan, Plan, Plan]) -> None:
    first, second, third = plans
    assert kinds(second, first) == set()
    assert "moves" in kinds(third, first)
    assert "moves" in kinds(first, second)
