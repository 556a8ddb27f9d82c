from __future__ import annotations

import json

import pytest
from benchmarks.changes import first_available, main, portfolio


def test_the_same_changes_for_both_ways() -> None:
    direct, joint = portfolio(30, 4, hops=0), portfolio(30, 4)
    assert direct.work == joint.work
    assert (direct.policy.conflict_hops, joint.policy.conflict_hops) == (0, 2)
    assert portfolio(30, 4) == joint != portfolio(30, 5)
    assert {item.cost_of_delay for item in portfolio(30, 4, alike=True).work.values()} == {168.0}


def test_first_slots_are_taken_in_the_order_of_requests() -> None:
    compiled, schedule = first_available(portfolio(30, 4, hops=0))
    assert len(schedule.start) == 30
    assert (schedule.start >= compiled.instance.arrays.release).all()


def test_a_joint_plan_has_no_conflict_and_the_line_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["40", "--budget", "0.5", "--workers", "1", "--cold"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["verified"]
    assert row["joint"]["two_hop_conflicts"] == 0 < row["first_available"]["two_hop_conflicts"]
    assert row["ratio"]["waiting_cost"] == pytest.approx(
        row["first_available"]["waiting_cost"] / row["joint"]["waiting_cost"], abs=1e-3
    )
