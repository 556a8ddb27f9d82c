"""Changes in each other's way, in windows and pinned: right schedules, and the same with one rule broken."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from support.naive import Naive, Placed
from throttle.check import check
from throttle_models import Portfolio

Data = dict[str, Any]

WEEKLY = {"night": {"every": "Sat 22:00-04:00"}}
FIRST, SECOND = ("2026-11-28T22", "2026-11-29T04"), ("2026-12-05T22", "2026-12-06T04")


def hour(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // 3600


def kinds(changes: dict[str, Data], at: dict[str, tuple[str, tuple[str, str] | None]], **rest: Any) -> list[str]:
    """What the checker says of changes of two hours that begin at these hours, each on its own person."""
    work = {
        name: {
            "type": "change",
            "needs": [{"who": name, "effort": "2h"}],
            **{k: v for k, v in change.items() if k == "status"},
            "change": {k: v for k, v in change.items() if k != "status"},
        }
        for name, change in changes.items()
    }
    portfolio = {
        "as_of": "2026-11-23T00:00",
        "slot": "60m",
        "calendars": {"always": {"hours": "daily 00:00-24:00"}},
        "people": {name: {} for name in changes},
        "services": {
            "payroll": {"depends_on": ["timekeeping"]},
            "timekeeping": {"depends_on": ["san"]},
            "san": {},
            "mail": {"depends_on": ["san"]},
            "wiki": {},
        },
        "work": work,
        **rest,
    }
    naive = Naive(Portfolio.model_validate(portfolio), days=60)
    for name, (start, window) in at.items():
        first = hour(start)
        span = (hour(window[0]) * 3600, hour(window[1]) * 3600) if window else None
        naive.placed[name] = Placed(first, first + 2, ((name, 0),), {name: [first, first + 1]}, span)
    return sorted(violation.kind for violation in check(naive.plan()).violations)


def beside(one: str, other: str, hops: int | None, apart: int = 1, **fields: Any) -> list[str]:
    """Two changes of two hours, the other one so many hours after the first."""
    changes = {"A": {"services": [one]}, "B": {"services": [other], **fields}}
    at = {"A": ("2026-11-23T10", None), "B": (f"2026-11-23T{10 + apart}", None)}
    return kinds(changes, at, policy={} if hops is None else {"conflict_hops": hops})


@pytest.mark.parametrize(
    ("one", "other", "least"),
    [
        ("san", "san", 0),
        ("payroll", "timekeeping", 1),
        ("san", "timekeeping", 1),
        ("payroll", "san", 2),
        ("timekeeping", "mail", 2),
        ("payroll", "mail", 3),
        ("san", "wiki", 9),
    ],
)
def test_changes_on_services_within_the_hops_do_not_overlap(one: str, other: str, least: int) -> None:
    for hops in range(3):
        assert beside(one, other, hops) == (["change-conflict"] if hops >= least else [])
    assert beside(one, other, None) == []
    assert beside(one, other, 2, apart=2) == []


def test_a_change_in_progress_counts_from_as_of_and_two_may_overlap() -> None:
    begun = {"services": ["san"], "status": "in-progress"}
    at: dict[str, tuple[str, tuple[str, str] | None]] = {"A": ("2026-11-23T12", None), "B": ("2026-11-23T02", None)}
    policy = {"conflict_hops": 0}
    assert kinds({"A": begun, "B": {"services": ["san"]}}, at, policy=policy) == ["change-conflict"]
    assert kinds({"A": begun, "B": begun}, at, policy=policy) == []
    late = {"A": at["A"], "B": ("2026-11-23T14", None)}
    assert kinds({"A": begun, "B": {"services": ["san"]}}, late, policy=policy) == []


def in_windows(at: dict[str, tuple[str, tuple[str, str]]], limits: Data, pins: list[Data] | None = None) -> list[str]:
    changes = {name: {"window": "night", "risk": 4} for name in at}
    windows = {"night": WEEKLY["night"] | limits}
    return kinds(changes, dict(at), windows=windows, policy={"pins": pins or []})


def test_an_occurrence_holds_only_so_many_changes() -> None:
    both = {"A": ("2026-11-28T22", FIRST), "B": ("2026-11-29T01", FIRST)}
    assert in_windows(both, {"changes": 2}) == []
    assert in_windows(both, {"changes": 1}) == ["window-changes"]
    assert in_windows(both | {"B": ("2026-12-06T01", SECOND)}, {"changes": 1}) == []


def test_an_occurrence_holds_only_so_much_risk() -> None:
    both = {"A": ("2026-11-28T22", FIRST), "B": ("2026-11-29T01", FIRST)}
    assert in_windows(both, {"risk": 8}) == []
    assert in_windows(both, {"risk": 7}) == ["window-risk"]
    assert in_windows(both | {"B": ("2026-12-06T01", SECOND)}, {"risk": 7}) == []


def test_no_occurrence_begins_on_a_closed_day() -> None:
    one = {"A": ("2026-11-28T23", FIRST)}
    assert in_windows(one, {}) == []
    assert in_windows(one, {"closed": ["2026-11-28"]}) == ["outside-window"]


def test_a_pinned_change_runs_in_the_occurrence_of_its_day() -> None:
    after_midnight = {"A": ("2026-11-29T01", FIRST)}
    assert in_windows(after_midnight, {}, [{"work": "A", "window": "night", "on": "2026-11-28"}]) == []
    assert in_windows(after_midnight, {}, [{"work": "A", "on": "5d"}]) == []
    assert in_windows(after_midnight, {}, [{"work": "A", "on": "2026-12-05"}]) == ["pin-window"]


@pytest.mark.parametrize(
    ("kind", "start", "right"),
    [("normal", "2026-11-26T11", True), ("normal", "2026-11-26T10", False), ("standard", "2026-11-23T01", True),
     ("emergency", "2026-11-23T01", True)],
)  # fmt: skip
def test_normal_changes_wait_for_the_meeting_of_their_board(kind: str, start: str, right: bool) -> None:
    boards = {"cab": {"every": "Mon 08:00-09:00; Thu 10:00-11:00"}}
    change = {"kind": kind, "approval": {"board": "cab", "lead": "2d"}}
    assert kinds({"A": change}, {"A": (start, None)}, boards=boards) == ([] if right else ["approval"])


def test_a_meeting_that_has_begun_decides_nothing_more() -> None:
    boards = {"cab": {"every": "Thu 10:00-11:00"}}
    change = {"approval": {"board": "cab", "asked": "2026-11-26T10:30"}}
    assert kinds({"A": change}, {"A": ("2026-12-03T10", None)}, boards=boards) == ["approval"]
    assert kinds({"A": change}, {"A": ("2026-12-03T11", None)}, boards=boards) == []
