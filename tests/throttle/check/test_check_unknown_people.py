"""Work by somebody who is not in the portfolio is told, whatever else looks at that work."""

from __future__ import annotations

from typing import Any

import pytest

from support.cases import by, plan_of, portfolio
from throttle.check import check

POLICIES: dict[str, dict[str, Any]] = {
    "plain": {},
    "buffers": {"buffers": {"project": "auto", "feeding": "auto"}},
    "drum": {"drum": "p1", "rope": "8h", "buffers": {"drum": "1h"}},
    "goals": {"goals": {"start": "late"}},
}


@pytest.mark.parametrize("policy", POLICIES)
def test_an_unknown_person_is_a_violation(policy: str) -> None:
    work = {"A": by("p1", "2h", project="P"), "B": by("p1", "2h", project="P", after=["A"]), "C": by("p2", "2h")}
    projects = {"P": {"cost_of_delay": "10/hour"}}
    made_from = portfolio(work, 2, projects=projects, policy=POLICIES[policy])
    plan = plan_of(made_from)
    item = plan.items["A"]
    wrong = tuple(one.model_copy(update={"person": "nobody"}) for one in item.assignments)
    changed = plan.model_copy(update={"items": {**plan.items, "A": item.model_copy(update={"assignments": wrong})}})
    assert "unknown-person" in {violation.kind for violation in check(changed, made_from).violations}
