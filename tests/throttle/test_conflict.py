"""Why there is no plan: sets of rules that exclude each other, each minimal, with words and repairs."""

from __future__ import annotations

from typing import Any

import pytest

from support.cases import by, compiled, portfolio
from throttle.conflict import Conflict, find_conflict, groups
from throttle.errors import NoPlanError
from throttle.planning import make_plan

CASES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "two pins of one person": (
        {
            "work": {"A": by("p1", "8h"), "B": by("p1", "8h"), "C": by("p2", "8h")},
            "policy": {"pins": [{"work": i, "start": s} for i, s in (("A", "1d"), ("B", "28h"), ("C", "1d"))]},
        },
        {"pin of A (start)", "pin of B (start)", "capacity: p1"},
    ),
    "a pin before what it waits for": (
        {
            "work": {"A": by("p1", "9h"), "B": by("p2", "9h", after=["A"]), "C": by("p2", "9h")},
            "policy": {"pins": [{"work": "B", "start": "5h"}, {"work": "C", "start": "90h"}]},
        },
        {"pin of B (start)", "B after A"},
    ),
    "a pin before its date": (
        {"work": {"A": by("p1", "9h", not_before="9h")}, "policy": {"pins": [{"work": "A", "start": "5h"}]}},
        {"pin of A (start)", "not_before of A"},
    ),
    "a pin before its approval": (
        {
            "work": {"A": by("p1", "9h", change={"approval": {"lead": "2d"}})},
            "policy": {"pins": [{"work": "A", "start": "5h"}]},
        },
        {"pin of A (start)", "approval of A"},
    ),
    "two pins in one place": (
        {
            "environments": {"lab": {}},
            "work": {"A": by("p1", "8h", environment="lab"), "B": by("p2", "8h", environment="lab")},
            "policy": {"pins": [{"work": "A", "start": "10h"}, {"work": "B", "start": "12h"}]},
        },
        {"pin of A (start)", "pin of B (start)", "capacity: lab (1)"},
    ),
    "two pins above a person's limit": (
        {
            "people": {"p1": {"wip": 1}},
            "work": {"A": by("p1", "8h", allocation="50%"), "B": by("p1", "8h", allocation="50%")},
            "policy": {"pins": [{"work": "A", "start": "10h"}, {"work": "B", "start": "12h"}]},
        },
        {"pin of A (start)", "pin of B (start)", "limit of p1 (wip 1)"},
    ),
    "two pins above a limit on projects": (
        {
            "projects": {"P": {}, "Q": {}},
            "work": {"A": by("p1", "8h", project="P"), "B": by("p2", "8h", project="Q")},
            "policy": {
                "projects_in_process": 1,
                "pins": [{"work": "A", "start": "10h"}, {"work": "B", "start": "12h"}],
            },
        },
        {"pin of A (start)", "pin of B (start)", "limit policy.projects_in_process (1)"},
    ),
    "a pinned change in a freeze": (
        {
            "freezes": [{"from": "5h", "to": "30h", "services": ["s"], "why": "peak trading"}],
            "services": {"s": {}},
            "work": {"A": by("p1", "2h", change={"services": ["s"]})},
            "policy": {"pins": [{"work": "A", "start": "10h"}]},
        },
        {"pin of A (start)", "freeze peak trading"},
    ),
}


def conflict_of(data: dict[str, Any]) -> Conflict:
    found = find_conflict(compiled(portfolio(**{"people": 3, **data})))
    assert found is not None
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_smallest_set_is_proved_and_named(name: str) -> None:
    data, names = CASES[name]
    found = conflict_of(data)
    assert {group.name for group in found.groups} == names
    assert found.proved
    assert found.minimal
    (finding,) = found.findings()
    assert all(f in finding.message for f in names)
    assert "could not prove" not in finding.message


@pytest.mark.parametrize("name", list(CASES)[::2])
def test_without_any_one_of_its_parts_there_is_a_plan(name: str) -> None:
    data, _ = CASES[name]
    made_from = portfolio(**{"people": 3, **data})
    with pytest.raises(NoPlanError):
        make_plan(made_from, budget=0.02, deterministic=True)
    for group in conflict_of(data).groups:
        assert make_plan(group.without(made_from), budget=0.02, deterministic=True).certificate.checked


def test_there_is_no_conflict_where_there_is_a_plan() -> None:
    made_from = portfolio({"A": by("p1", "8h")}, policy={"pins": [{"work": "A", "start": "1d"}]})
    assert find_conflict(compiled(made_from)) is None


def test_a_failed_plan_tells_the_conflict() -> None:
    data, _ = CASES["two pins of one person"]
    with pytest.raises(NoPlanError) as caught:
        make_plan(portfolio(people=3, **data), budget=0.02, deterministic=True)
    (finding,) = [f for f in caught.value.findings if f.code == "conflict"]
    assert "exclude each other" in finding.message
    assert "move the pin of A" in finding.message


def test_groups_have_different_names() -> None:
    for data, _ in CASES.values():
        names = [group.name for group in groups(compiled(portfolio(**{"people": 3, **data})))]
        assert len(names) == len(set(names))
