"""A small plan with everything that can be foreseen about it, worked out once."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from support.cases import OFFICE, needing, plan_of, portfolio
from throttle.curve import throttle_curve
from throttle.elevate import elevate
from throttle.forecast import forecast
from throttle.reliance import reliance
from throttle.report.foreseen import Answer
from throttle.scenarios.solve import Effort
from throttle_models import Plan, Portfolio
from throttle_models.elevate import Menu

RUNS = 20


class Foreseen(NamedTuple):
    portfolio: Portfolio
    plan: Plan
    answers: tuple[Answer, ...]


@pytest.fixture(scope="session")
def ahead() -> Foreseen:
    """Two projects of two people, one of whom holds a skill alone."""
    work: dict[str, Any] = {}
    for p in ("P", "Q"):
        work[f"{p}1"] = needing("a", "6h/10h/30h", project=p)
        work[f"{p}2"] = needing("b", "3h/4h/5h", project=p, after=[f"{p}1"])
    people = {"ana": {"skills": ["a"]}, "ben": {"skills": ["a", "b"]}}
    projects = {p: {"title": f"Project <{p}>", "cost_of_delay": "10/hour"} for p in ("P", "Q")}
    made = portfolio(work, people, skills=["a", "b"], projects=projects, calendars=OFFICE)
    plan, effort = plan_of(made, budget=0.05), Effort(0.01, 1)
    answers = (
        forecast(made, plan, runs=RUNS, workers=1),
        throttle_curve(made, plan, effort, runs=RUNS, limits=(1,), ropes=(20,)),
        elevate(made, plan, Menu(leave_out=("skill", "hire", "training")), effort, resolved=1, runs=RUNS),
        reliance(made, plan, effort, people=("ben",), trainings=0),
    )
    return Foreseen(made, plan, answers)
