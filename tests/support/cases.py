"""Small portfolios written by hand, and plans of them told in hours.

As-of is Monday, 23 November 2026, 08:00 UTC; slots are an hour, and everyone is always at work unless a case says
otherwise. Then the times of an optimal plan can be worked out on paper.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from throttle.check import check
from throttle.compile import Compiled, compile_portfolio, horizon_guess
from throttle.graph import WorkGraph
from throttle.planning import feasible_instance, make_plan
from throttle_models import Plan, Portfolio

MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
ALWAYS = {"always": {"hours": "daily 00:00-24:00"}}
OFFICE = {"office": {"hours": "Mon-Fri 09:00-17:00"}}

Data = dict[str, Any]


def portfolio(work: Data, people: Data | int = 1, **rest: Any) -> Portfolio:
    """``people``: as in a file, or how many (p1, p2 ...) who hold no skill."""
    if isinstance(people, int):
        people = {f"p{i + 1}": {} for i in range(people)}
    data = {"as_of": MONDAY.isoformat(), "slot": "1h", "calendars": ALWAYS, "people": people, "work": work}
    return Portfolio.model_validate({**data, **rest})


def by(person: str, effort: str, **fields: Any) -> Data:
    """An item that one person does."""
    need = {"who": person, "effort": effort}
    for name in ("allocation", "people", "remaining", "skill", "level"):
        if name in fields:
            need[name] = fields.pop(name)
    return {"needs": [need], **fields}


def needing(skill: str, effort: str, **fields: Any) -> Data:
    """An item that anyone with a skill can do."""
    need = {"skill": skill, "effort": effort}
    for name in ("level", "allocation", "people"):
        if name in fields:
            need[name] = fields.pop(name)
    return {"needs": [need], **fields}


def plan_of(made_from: Portfolio, budget: float = 0.2, **how: Any) -> Plan:
    """A plan with little, but repeatable effort."""
    plan = make_plan(made_from, **{"budget": budget, "deterministic": True, **how})
    assert plan.certificate.checked
    return plan


def hours(plan: Plan) -> dict[str, tuple[float, float]]:
    """Start and finish of each item in hours after as-of."""
    return {id: (hour(plan, i.start), hour(plan, i.finish)) for id, i in plan.items.items()}


def hour(plan: Plan, moment: datetime) -> float:
    return (moment - plan.as_of) / timedelta(hours=1)


def crew(plan: Plan, item: str) -> set[str]:
    return {a.person for a in plan.items[item].assignments}


def compiled(made_from: Portfolio, slots: int | None = None) -> Compiled:
    """``slots``: the horizon; default: as planning does it, without what can never be done."""
    graph = WorkGraph(made_from)
    return compile_portfolio(made_from, graph, slots) if slots else feasible_instance(made_from, graph)


def horizon(made_from: Portfolio) -> int:
    return horizon_guess(made_from, WorkGraph(made_from))


def same(plan: Plan) -> Plan:
    """The plan, once the checker has found nothing."""
    assert [v.message for v in check(plan).violations] == []
    return plan
