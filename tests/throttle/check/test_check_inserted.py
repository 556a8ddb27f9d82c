"""Plans that get around a retest rule, or leave before a change has proved itself, are caught."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from support.naive import naive_plan
from throttle.check import check
from throttle_models import Plan, Portfolio

Data = dict[str, Any]

MADE_FROM: Data = {
    "as_of": "2026-11-23T08:00",
    "slot": "60m",
    "calendars": {"always": {"hours": "daily 00:00-24:00"}},
    "people": {"ann": {"skills": ["linux", "dba"]}, "bob": {"skills": ["linux", "dba"]}, "mei": {"skills": ["qa"]}},
    "services": {"payroll": {}},
    "windows": {"night": {"every": "daily 22:00-04:00"}},
    "work": {
        "BUILD": {"needs": [{"skill": "linux", "effort": "3h"}]},
        "CHG": {
            "type": "change",
            "after": ["BUILD"],
            "change": {"services": ["payroll"], "window": "night", "rollback": "1h"},
            "needs": [{"skill": "linux", "effort": "2h"}],
            "verify": {"by": "dba", "for": "2h"},
        },
    },
    "policy": {
        "rules": [
            {
                "name": "payroll",
                "when": {"services": ["payroll"]},
                "require": [
                    {"before": "Regression", "needs": [{"skill": "qa", "effort": "4h"}]},
                    {"before": "Authorisation", "lead": "3h"},
                    {"after": "Review", "needs": [{"skill": "dba", "effort": "1h"}]},
                ],
            }
        ]
    },
}


@cache
def right() -> Plan:
    return naive_plan(Portfolio.model_validate(MADE_FROM), days=20)


def test_the_plan_is_right_before_it_is_broken() -> None:
    assert [v.message for v in check(right()).violations] == []
    spans = {name: (f"{i.start:%d %H}", f"{i.finish:%d %H}") for name, i in right().items.items()}
    assert spans == {
        "BUILD": ("23 08", "23 11"),
        "CHG~regression": ("23 11", "23 15"),
        "CHG~authorisation": ("23 15", "23 18"),
        "CHG": ("23 22", "24 02"),
        "CHG~review": ("24 02", "24 03"),
    }


def at(plan: Data, name: str, start: str, finish: str) -> None:
    """An item of one run, moved or made longer or shorter."""
    begin, end = f"2026-11-{start}:00Z", f"2026-11-{finish}:00Z"
    plan["items"][name].update(start=begin, finish=end)
    for assigned in plan["items"][name]["assignments"]:
        assigned["work"] = [[begin, end]]


def gone(plan: Data, *names: str) -> None:
    for name in names:
        del plan["inserted"][name]
        del plan["items"][name]


Breaks = Callable[[Data], object]

BROKEN: list[tuple[str, str, Breaks]] = [
    # what is found, an id that it names, and how the plan is broken
    ("missing-inserted", "CHG~regression", lambda p: gone(p, "CHG~regression")),
    ("missing-item", "CHG~regression", lambda p: gone(p, "CHG~regression")),
    ("missing-item", "CHG~review", lambda p: gone(p, "CHG~regression", "CHG~authorisation", "CHG~review")),
    ("precedence", "CHG~regression", lambda p: at(p, "CHG~regression", "24T02", "24T06")),
    ("precedence", "BUILD", lambda p: at(p, "CHG~regression", "23T08", "23T12")),
    ("precedence", "CHG~authorisation", lambda p: at(p, "CHG~authorisation", "23T12", "23T15")),
    ("precedence", "CHG~review", lambda p: at(p, "CHG~review", "23T21", "23T22")),
    ("wrong-list", "CHG~regression", lambda p: p["done"].append(_taken(p, "CHG~regression"))),
    ("unqualified", "bob", lambda p: p["items"]["CHG~regression"]["assignments"][0].update(person="bob")),
    ("wrong-finish", "CHG~authorisation", lambda p: at(p, "CHG~authorisation", "23T15", "23T16")),
    # verification
    ("wrong-finish", "CHG", lambda p: at(p, "CHG", "23T22", "24T00")),
    ("crew-size", "CHG", lambda p: p["items"]["CHG"]["assignments"].pop()),
    ("same-person", "CHG", lambda p: p["items"]["CHG"]["assignments"][1].update(person=_first(p))),
    ("unqualified", "mei", lambda p: p["items"]["CHG"]["assignments"][1].update(person="mei")),
    (
        "wrong-work",
        "CHG",
        lambda p: p["items"]["CHG"]["assignments"][1].update(work=[["2026-11-24T00:00Z", "2026-11-24T02:00Z"]]),
    ),
    (
        "wrong-work",
        "CHG",
        lambda p: p["items"]["CHG"]["assignments"][0].update(work=[["2026-11-23T22:00Z", "2026-11-24T00:00Z"]]),
    ),
    ("outside-window", "CHG", lambda p: at(p, "CHG", "24T00", "24T04")),
]


def _taken(plan: Data, name: str) -> str:
    del plan["items"][name]
    return name


def _first(plan: Data) -> str:
    return str(plan["items"]["CHG"]["assignments"][0]["person"])


@pytest.mark.parametrize(("kind", "about", "breaks"), [pytest.param(*case, id=f"{k}") for k, case in enumerate(BROKEN)])
def test_a_broken_plan_is_caught(kind: str, about: str, breaks: Breaks) -> None:
    data = right().model_dump(mode="json")
    breaks(data)
    found = check(Plan.model_validate(data)).violations
    assert any(v.kind == kind and about in v.ids for v in found), [(v.kind, v.ids) for v in found]


def test_a_plan_as_if_there_were_no_rules() -> None:
    """All of it hangs together, but for the rule and the verification that the portfolio asks for."""
    free = {**MADE_FROM, "policy": {}, "work": {**MADE_FROM["work"], "CHG": {**MADE_FROM["work"]["CHG"]}}}
    del free["work"]["CHG"]["verify"]
    verdict = check(naive_plan(Portfolio.model_validate(free), days=20), Portfolio.model_validate(MADE_FROM))
    assert {"missing-inserted", "missing-item", "crew-size", "wrong-finish", "input-hash"} <= {
        v.kind for v in verdict.violations
    }


def test_verification_where_nobody_works_is_not_checked() -> None:
    odd = {**MADE_FROM, "work": {"WAIT": {"wait": "1h", "verify": {"for": "1h"}}}}
    plan = naive_plan(Portfolio.model_validate({**odd, "work": {"WAIT": {"wait": "1h"}}}), days=20)
    found = check(plan, Portfolio.model_validate(odd)).violations
    assert ("not-checked", ("WAIT",)) in {(v.kind, v.ids) for v in found}
