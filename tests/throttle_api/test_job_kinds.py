"""Each kind of job on a small portfolio: what it answers, and what it says to options that it has not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import cache
from importlib import import_module
from queue import Queue
from typing import Any

import pytest

from support.portfolios import random_portfolio
from throttle.check import check
from throttle.errors import InputError
from throttle.planning import make_plan
from throttle_api.jobs.answers import BEST, Answer, Kind
from throttle_api.jobs.kinds import KINDS, options
from throttle_api.jobs.kinds.solve import BestSoFar
from throttle_api.jobs.states import Outcome
from throttle_models import Plan, Portfolio

OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "forecast": ({"runs": 20}, "dates"),
    "curve": ({"runs": 4, "limits": [1, 2]}, "limits"),
    "elevate": ({"resolve": 1}, "options"),
    "what-if": ({"scenarios": {"nothing": {}}}, "variants"),
    "batch": ({"seeds": [1, 2]}, "rows"),
}
"""Of each kind besides solve: options, and a key of its document."""


def kind(name: str) -> Kind:
    module, _, function = KINDS[name].partition(":")
    found: Kind = getattr(import_module(module), function)
    return found


@cache
def small() -> bytes:
    return random_portfolio(7, 8).model_dump_json(exclude_defaults=True).encode()


def answer(name: str, portfolio: bytes, stop: Callable[[threading.Event], None] = lambda _: None, **how: Any) -> Answer:
    event = threading.Event()
    stop(event)
    return kind(name)({"budget": 0.2, "workers": 1, **how}, {"portfolio": portfolio}, lambda _: None, event)


def test_solve_answers_with_a_verified_plan() -> None:
    made = answer("solve", small())
    assert made.outcome in (Outcome.OPTIMAL, Outcome.FEASIBLE)
    assert made.document is not None
    assert made.summary["verified"]
    plan = Plan.model_validate_json(made.document)
    assert plan.certificate.objective.value == made.summary["objective"]["value"]


def test_the_best_so_far_is_a_verified_plan_that_gets_better() -> None:
    portfolio = random_portfolio(3, 40)
    plans: list[Plan] = []
    last = make_plan(portfolio, budget=1.0, workers=1, better=lambda make: plans.append(make()))
    costs = [plan.certificate.objective.value for plan in plans]
    assert plans
    assert costs == sorted(costs, reverse=True)
    for plan in plans:
        assert check(plan, portfolio).ok
        assert plan.certificate.objective.bound <= last.certificate.objective.value <= plan.certificate.objective.value


def test_the_best_so_far_is_reported_in_turn_and_not_where_it_is_too_large() -> None:
    plan = Plan.model_validate_json(answer("solve", small()).document or b"")
    told: Queue[bytes] = Queue()
    for most, expected in ((10, 0), (20_000_000, 2)):
        with BestSoFar(lambda facts: told.put(facts[BEST]), 0, share=1.0, most=most) as best:
            for _ in range(expected):
                best(lambda: plan)
                assert Plan.model_validate_json(told.get(timeout=20)) == plan
            if not expected:
                best(lambda: plan)
    assert told.empty()


def test_what_is_proved_impossible_is_an_answer_and_no_failure() -> None:
    data = {
        "throttle": 1,
        "as_of": "2026-11-23T08:00",
        "people": {"ana": {"skills": {"java": 2}}},
        "work": {
            "A": {"title": "A", "needs": [{"skill": "java", "effort": "8h"}]},
            "B": {"title": "B", "needs": [{"skill": "java", "effort": "8h"}], "after": ["A"]},
        },
        "policy": {"pins": [{"work": "B", "start": "2026-11-23T09:00"}]},
    }
    made = answer("solve", Portfolio.model_validate(data).model_dump_json(exclude_defaults=True).encode())
    assert (made.outcome, made.document) == (Outcome.INFEASIBLE, None)
    assert made.summary["findings"]


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_each_kind_answers_with_its_document(name: str) -> None:
    given, key = OPTIONS[name]
    made = answer(name, small(), options=given)
    assert made.outcome is Outcome.FEASIBLE
    assert made.document is not None
    assert key in json.loads(made.document)


def test_every_kind_is_tried_here() -> None:
    assert sorted(KINDS) == sorted(["solve", *OPTIONS]) == sorted(options.OPTIONS)


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_options_that_a_kind_has_not_are_named(name: str) -> None:
    with pytest.raises(InputError, match=r"options\.nonsense"):
        answer(name, small(), options={**OPTIONS[name][0], "nonsense": 1})


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_kind_that_is_stopped_at_once_answers_all_the_same(name: str) -> None:
    given = OPTIONS[name][0] if name in OPTIONS else {}
    made = answer(name, small(), threading.Event.set, options=given)
    assert made.outcome in tuple(Outcome)
