"""What an occurrence of a window may hold: rows, decoders, the exact model and plans."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.cases import Data, by, compiled, hour, plan_of, portfolio
from throttle.check.fast import check_schedule
from throttle.errors import InputError
from throttle.instance import Schedule
from throttle.solve import Settings
from throttle.solve.decoder import Decoder
from throttle.solve.exact import Exact
from throttle_models import Plan, Portfolio, Reason
from throttle_models.references import dangling_references


def change(person: str, effort: str = "2h", risk: int | None = None, window: str = "night", **fields: Any) -> Data:
    about = {"window": window, **({"risk": risk} if risk is not None else {}), **fields.pop("change", {})}
    return by(person, effort, type="change", change=about, **fields)


def nights(work: Data, people: int = 4, pins: list[Data] | None = None, **limits: Any) -> Portfolio:
    """A window every night from 22 to 2 o'clock; as-of is Monday at 8."""
    windows = {"night": {"every": "daily 22:00-02:00", **limits}}
    return portfolio(work, people, windows=windows, policy={"pins": pins or []})


def begins(plan: Plan) -> Counter[float]:
    """How many changes run in each occurrence, by the hour after as-of at which it begins."""
    return Counter(hour(plan, item.window[0]) for item in plan.items.values() if item.window)


def test_no_more_changes_than_the_limit_run_in_one_occurrence() -> None:
    work = {f"C{i}": change(f"p{i + 1}", cost_of_delay="7/week") for i in range(4)}
    assert begins(plan_of(nights(work))) == {14: 4}
    assert begins(plan_of(nights(work, changes=3))) == {14: 3, 38: 1}
    assert begins(plan_of(nights(work, changes=1))) == {14: 1, 38: 1, 62: 1, 86: 1}


def test_risks_are_packed_under_the_limit() -> None:
    work = {f"C{i}": change(f"p{i + 1}", risk=r, cost_of_delay="7/week") for i, r in enumerate((5, 5, 3, 3))}
    plan = plan_of(nights(work, risk=8))
    assert begins(plan) == {14: 2, 38: 2}
    unset = {f"C{i}": change(f"p{i + 1}") for i in range(4)}
    assert begins(plan_of(nights(unset, risk=0))) == {14: 4}


def test_a_change_with_more_risk_than_an_occurrence_may_hold_is_left_out_with_the_reason() -> None:
    plan = plan_of(nights({"A": change("p1", risk=9), "B": change("p2", risk=8)}, risk=8))
    assert set(plan.items) == {"B"}
    assert plan.unscheduled["A"].reason is Reason.NO_WINDOW
    assert "risk of 9" in plan.unscheduled["A"].text


def test_rollbacks_of_other_lengths_share_one_occurrence() -> None:
    work = {
        "A": change("p1", change={"rollback": "1h"}),
        "B": change("p2", change={"rollback": "2h"}),
        "C": change("p3"),
    }
    assert begins(plan_of(nights(work, changes=2))) == {14: 2, 38: 1}


def test_more_weeks_than_a_first_horizon_has() -> None:
    work = {f"C{i}": change("p1", "1h") for i in range(60)}
    windows = {"night": {"every": "Sat 22:00-04:00", "changes": 1}}
    plan = plan_of(portfolio(work, 1, windows=windows), budget=0.02)
    assert set(begins(plan).values()) == {1}
    assert len(plan.items) == 60


def test_the_reason_of_a_hold_says_what_is_full() -> None:
    work = {f"C{i}": change(f"p{i + 1}", cost_of_delay=f"{9 - i}/week") for i in range(9)}
    plan = plan_of(nights(work, 9, changes=1))
    assert [h.reason for h in plan.holds] == [Reason.WINDOW] * len(plan.holds)
    assert "holds as many changes, or as much risk, as it may" in plan.holds[0].text


def test_a_pinned_change_has_its_place_before_more_urgent_ones() -> None:
    work = {"A": change("p1", cost_of_delay="900/week"), "B": change("p2")}
    pinned = nights(work, pins=[{"work": "B", "window": "night", "on": "2026-11-23"}], changes=1)
    assert hour(plan_of(pinned), plan_of(pinned).items["B"].start) == 14
    later = plan_of(nights(work, pins=[{"work": "B", "on": "3d"}]))
    assert later.items["B"].window is not None
    assert later.items["B"].window[0].date() == date(2026, 11, 26)


@pytest.mark.parametrize(
    ("pin", "code"),
    [
        ({"work": "A", "window": "other"}, "pin-window"),
        ({"work": "B", "window": "night"}, "pin-window"),
        ({"work": "B", "on": "2026-11-24"}, "pin-window"),
        ({"work": "A", "on": "2026-11-28"}, "pin-day"),
    ],
)
def test_a_pin_that_contradicts_its_change_is_an_error(pin: Data, code: str) -> None:
    windows = {"night": {"every": "Mon-Fri 22:00-02:00"}, "other": {"every": "daily 00:00-24:00"}}
    made_from = portfolio({"A": change("p1"), "B": by("p1", "1h")}, windows=windows, policy={"pins": [pin]})
    assert [finding.code for finding in dangling_references(made_from)] == [code]
    with pytest.raises(InputError, match=r"B has no change|A runs in|no occurrence of night begins on Sat 2026-11-28"):
        plan_of(made_from)


def test_a_pinned_occurrence_in_which_it_never_fits_leaves_it_out() -> None:
    late = change("p1", change={"approval": {"lead": "4d"}})
    plan = plan_of(nights({"A": late}, pins=[{"work": "A", "on": "2026-11-24"}]))
    assert plan.unscheduled["A"].reason is Reason.NO_WINDOW


def test_boards_decide_at_their_next_meeting_for_normal_changes_only() -> None:
    boards = {"cab": {"every": "Thu 10:00-11:00"}}
    work = {
        kind: by("p1", "1h", change={"kind": kind, "approval": {"board": "cab", "lead": "1d"}})
        for kind in ("normal", "standard", "emergency")
    }
    work["given"] = by("p1", "1h", change={"approval": {"board": "cab", "lead": "1d", "given": True}})
    plan = plan_of(portfolio(work, boards=boards))
    starts = {id: hour(plan, item.start) for id, item in plan.items.items()}
    assert starts.pop("normal") == 75  # Thursday at 11
    assert sorted(starts.values()) == [0, 1, 2]
    without = plan_of(portfolio(work))
    assert hour(without, without.items["normal"].start) == 24
    unknown = portfolio({"A": by("p1", "1h", change={"approval": {"board": "cap"}})}, boards=boards)
    assert [f.code for f in dangling_references(unknown)] == ["unknown-board"]


# --- decoders ------------------------------------------------------------------------------------------------------


def batched(seed: int) -> Portfolio:
    rng = np.random.default_rng(seed)
    work: Data = {}
    for i in range(int(rng.integers(3, 9))):
        person = f"p{rng.integers(1, 4)}"
        if rng.random() < 0.7:
            work[f"C{i}"] = change(person, f"{rng.integers(1, 4)}h", risk=int(rng.integers(0, 5)))
        else:
            work[f"C{i}"] = by(person, f"{rng.integers(1, 9)}h")
        work[f"C{i}"]["cost_of_delay"] = f"{rng.integers(1, 99)}/week"
        if i and rng.random() < 0.3:
            work[f"C{i}"]["after"] = [f"C{rng.integers(0, i)}"]
    return nights(work, 3, changes=int(rng.integers(1, 3)), risk=int(rng.integers(4, 8)))


def same(one: Schedule | None, other: Schedule | None) -> bool:
    assert one is not None
    assert other is not None
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("start", "end", "crew"))


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_compiled_and_plain_and_revised_decodes_agree_and_hold(seed: int) -> None:
    instance = compiled(batched(seed)).instance
    rng = np.random.default_rng(seed)
    plain, fast = Decoder(instance, compiled=False), Decoder(instance, compiled=True)
    key = rng.permutation(instance.n).astype(float)
    first = plain.decode(key).schedule
    assert first is not None
    assert check_schedule(instance, first) == []
    assert same(first, fast.decode(key).schedule)
    for _ in range(6):
        key = key.copy()
        swap = rng.integers(0, instance.n, 2)
        key[swap] = key[swap[::-1]]
        found = fast.revise(key, fast.free, np.inf, 0.0)
        again = plain.decode(key).schedule
        assert again is not None
        assert found == (again.cost, again.flow)
        assert check_schedule(instance, again) == []
        if rng.random() < 0.5:
            fast.keep()


@pytest.mark.parametrize("seed", range(6))
def test_the_exact_model_keeps_what_an_occurrence_may_hold(seed: int) -> None:
    instance = compiled(batched(seed)).instance
    incumbent = Decoder(instance, compiled=False).decode(-np.arange(instance.n, dtype=float)).schedule
    assert incumbent is not None
    exact = Exact(instance, Settings(budget=2, workers=1, deterministic=True), threading.Event())
    assert exact.supports()
    found = exact.solve(incumbent, 2.0).schedule
    assert found is not None
    assert check_schedule(instance, found) == []
    assert found.cost <= incumbent.cost + 1e-9
    rng = np.random.default_rng(seed)
    tries = (Decoder(instance, compiled=False).decode(rng.permutation(instance.n).astype(float)) for _ in range(20))
    assert found.cost <= min(t.schedule.cost for t in tries if t.schedule) + 1e-9


def test_a_schedule_with_too_many_in_one_occurrence_is_told() -> None:
    instance = compiled(nights({"A": change("p1"), "B": change("p2")}, changes=1)).instance
    schedule = Decoder(instance, compiled=False).decode(np.arange(2.0)).schedule
    assert schedule is not None
    both = Schedule(np.array([14, 14]), np.array([16, 16]), schedule.crew, 0.0, 0.0)
    assert {b.kind for b in check_schedule(instance, both)} >= {"window-changes"}


def test_what_is_written_without_effect_is_told() -> None:
    work = {
        "A": change("p1"),
        "B": change("p1", risk=0),
        "C": by("p1", "1h", change={"kind": "standard", "approval": {"lead": "9d"}}),
        "D": by("p1", "1h", change={"kind": "emergency", "approval": {"given": True}}),
    }
    found = {f.code: f.ids for f in plan_of(nights(work, risk=5)).findings}
    assert found == {"risk-unset": ("A",), "approval-without-effect": ("C",)}
    assert not plan_of(nights({"A": change("p1")})).findings
