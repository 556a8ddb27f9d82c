"""A day of deployments: the talk's figures, the same bytes everywhere, and what plans of a small share come to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
from deployments_day import BEGIN, build_portfolio

from benchmarks import deployments
from throttle.files import load_portfolio
from throttle.obeyed import refusals
from throttle.planning import make_plan
from throttle_models import Portfolio
from throttle_models.references import dangling_references

SCRIPT = Path(deployments.FOLDER) / "deployments_day.py"


@pytest.fixture(scope="module")
def day() -> Portfolio:
    return build_portfolio()


def minutes(made: Portfolio, id: str) -> float:
    item = made.work[id]
    effort = item.needs[0].effort if item.needs else None
    length = effort.mean if effort else item.wait
    assert length is not None
    return length.total_seconds() / 60


def test_it_has_the_figures_of_the_talk(day: Portfolio) -> None:
    assert 86400 / len(day.work) == pytest.approx(11.6, abs=0.001)
    hours = [int(str(item.not_before)[11:13]) for item in day.work.values()]
    by_hour = sorted((hours.count(hour) for hour in range(24)), reverse=True)
    assert by_hour[0] == 1079 > by_hour[1]
    spent = sum(item.environment["hosts"] * minutes(day, id) for id, item in day.work.items())
    assert spent / 1440 == pytest.approx(10_000, abs=1)
    assert 60 * spent / len(day.work) == pytest.approx(116_000, abs=20)
    assert day.environments["hosts"].capacity == 30_000


def test_it_is_sound_and_a_plan_obeys_all_of_it(day: Portfolio) -> None:
    assert list(dangling_references(day)) == []
    assert list(refusals(day)) == []
    assert all(item.change and item.change.kind == "standard" and item.change.services for item in day.work.values())
    attended = sum(bool(item.needs) for item in day.work.values())
    assert 0.04 < attended / len(day.work) < 0.06


def test_the_script_writes_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    for name in ("1", "2"):
        command = [sys.executable, str(SCRIPT), "--out", str(tmp_path / f"{name}.json"), "--share", "0.01"]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": name})
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()
    assert load_portfolio(tmp_path / "1.json") == build_portfolio(0.01)
    assert build_portfolio(0.01, seed=2) != build_portfolio(0.01)


@pytest.mark.parametrize("share", [0.0, 1.1, 0.0001])
def test_a_share_must_leave_something(share: float) -> None:
    with pytest.raises(ValueError, match="a share is above"):
        build_portfolio(share)


def test_a_hundredth_of_a_day_is_planned_checked_and_measured() -> None:
    row = deployments.run(0.01, 1, 1, 0.5, 1)
    assert row["verified"]
    assert (row["items"], row["unscheduled"]) == (74, 0)
    assert row["mean_hosts"] == pytest.approx(100, abs=1)
    assert row["most_hosts"] <= 300
    assert row["busiest_hour"]["ready"] == 11
    assert sum(row["waiting_hours_by"].values()) == pytest.approx(row["waiting"]["hours"], abs=0.2)
    assert row["waiting_cost_bound"] <= row["waiting_cost"] <= row["waiting_cost_first_come"]
    json.dumps(row)


def three(hops: int) -> Portfolio:
    """Two deployments on one service, and a third that needs all hosts, on a service next to it."""
    begin = f"{BEGIN:%Y-%m-%dT%H:%M}"
    work = {
        name: {
            "type": "change",
            "change": {"kind": "standard", "services": [service]},
            "wait": "10m",
            "environment": {"hosts": hosts},
            "not_before": begin,
            "cost_of_delay": f"{rate}/hour",
        }
        for name, service, hosts, rate in (("A", "low", 6, 9), ("B", "low", 2, 5), ("C", "high", 10, 1))
    }
    return Portfolio.model_validate(
        {
            "as_of": begin,
            "slot": "1m",
            "environments": {"hosts": {"capacity": 10}},
            "services": {"low": {}, "high": {"depends_on": ["low"]}},
            "work": work,
            "policy": {"conflict_hops": hops},
        }
    )


@pytest.mark.parametrize(
    ("hops", "expected"),
    [
        (0, {"conflict": 0.2, "hosts": 0.3, "both": 0.0, "neither": 0.0}),
        (1, {"conflict": 0.2, "hosts": 0.0, "both": 0.3, "neither": 0.0}),
    ],
)
def test_what_stands_in_the_way_is_named(hops: int, expected: dict[str, float]) -> None:
    made = three(hops)
    plan = make_plan(made, budget=0.5, workers=1)
    found = deployments.figures(made, plan.items, hops)
    assert found["waiting_hours_by"] == expected  # B waits 10 minutes for A, and C 20 for both
    assert found["waiting"]["most_minutes"] == 20
    assert found["most_hosts"] == 10


def test_near_services_never_deploy_at_the_same_time() -> None:
    made = build_portfolio(0.02, 1)
    items = make_plan(made, budget=0.5, workers=1).items
    linked = {frozenset((name, other)) for name, entry in made.services.items() for other in entry.depends_on}
    services = {id: item.change.services[0] for id, item in made.work.items() if item.change}
    near = [
        (one, two)
        for one, two in combinations(items, 2)
        if services[one] == services[two] or frozenset((services[one], services[two])) in linked
    ]
    assert len(near) > 100
    assert not [p for p in near if max(items[i].start for i in p) < min(items[i].finish for i in p)]
