"""The release process: its size, what each habit takes away and nothing else, and what touch and wait come to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import release_process
from release_process import Habits, build_portfolio
from throttle.files import load_portfolio
from throttle.obeyed import refusals
from throttle_models import Portfolio
from throttle_models.references import dangling_references

SCRIPT = Path(release_process.FOLDER) / "release_process.py"
WELL = Habits(batch=1, approvals="peer", handoffs="together", environments="one-click")


def hours_by_hand(made: Portfolio, *tags: str) -> float:
    """Work of the items that have all of these tags."""
    efforts = [n.effort for i in made.work.values() if set(tags) <= set(i.tags) for n in i.needs]
    return sum(effort.mean.total_seconds() / 3600 for effort in efforts if effort)


def tagged(made: Portfolio, tag: str) -> int:
    return sum(tag in item.tags for item in made.work.values())


def lags(made: Portfolio) -> int:
    return sum(link.lag != "0" for item in made.work.values() for link in item.after)


def test_it_has_the_size_of_the_talk() -> None:
    made = build_portfolio()
    assert len(made.work) >= 1300
    assert tagged(made, "approval") == 2
    assert lags(made) > 500
    assert all(place.capacity == 8 for place in made.environments.values())
    assert hours_by_hand(made, "C07", "production") == 6
    assert list(dangling_references(made)) == []
    assert list(refusals(made)) == []


@pytest.mark.parametrize(
    ("habits", "batches", "approvals", "queues", "scripts"),
    [
        (Habits(), 1, 2, True, 0),
        (Habits(batch=5), 5, 10, True, 0),
        (Habits(batch=24), 2, 4, True, 0),
        (Habits(approvals="peer"), 1, 0, True, 0),
        (Habits(handoffs="together"), 1, 2, False, 0),
        (Habits(environments="one-click"), 1, 2, True, 100),
        (WELL, 25, 0, False, 100),
    ],
)
def test_each_habit_changes_what_it_says(
    habits: Habits, batches: int, approvals: int, queues: bool, scripts: int
) -> None:
    made = build_portfolio(habits)
    assert len(made.projects) == batches
    assert tagged(made, "approval") == approvals
    assert (lags(made) > 0) is queues
    assert tagged(made, "script") == scripts
    by_hand = sum(hours_by_hand(made, f"C{k:02}") for k in range(1, 26))
    assert by_hand == 25 * (14 if scripts else 26)  # a script makes four environments, three hours of work each


def test_the_script_writes_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    for name in ("1", "2"):
        command = [sys.executable, str(SCRIPT), "--out", str(tmp_path / f"{name}.json"), "--batch", "5"]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": name})
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()
    assert load_portfolio(tmp_path / "1.json") == build_portfolio(Habits(batch=5))


def test_a_release_has_a_component_and_a_batch() -> None:
    with pytest.raises(ValueError, match="not 0 and 25"):
        build_portfolio(components=0)
    with pytest.raises(ValueError, match="not 25 and 0"):
        build_portfolio(Habits(batch=0))


def run(habits: Habits, components: int = 1) -> dict[str, Any]:
    return release_process.run("some", habits, 1, 0.5, 1, components=components)


def test_one_component_alone_waits_only_outside_office_hours() -> None:
    row = run(WELL)
    assert row["verified"]
    waits = row["wait_hours_by"]
    assert waits["closed"] > 0
    assert {waits[part] for part in ("approval", "handoff", "batch", "queue")} == {0.0}
    assert row["deployment_touch_hours"] == 3.25  # a quarter of an hour of the script, three by hand
    assert row["touch_hours"] == 14 + 1 + 1 + 1 + 8 + 4 + 2 + 2 * 0.5  # and what its batch takes, by hand or by script
    assert row["in_office_hours"] == 1.0


def test_a_ticket_waits_in_a_queue_and_a_batch_for_the_board() -> None:
    alone = run(Habits(batch=1, approvals="peer", environments="one-click"))
    assert alone["wait_hours_by"]["handoff"] > 0
    assert alone["wait_hours_by"]["approval"] == 0
    board = run(Habits(batch=1, handoffs="together", environments="one-click"))
    assert board["wait_hours_by"]["approval"] == 72
    assert board["wait_hours_by"]["handoff"] == 0
    by_hand = run(Habits(batch=1, approvals="peer", handoffs="together"))
    assert by_hand["deployment_touch_hours"] == 6


def test_touch_and_wait_are_all_of_the_lead_time() -> None:
    row = run(Habits(batch=2), components=4)
    assert row["verified"]
    assert row["wait_hours_by"]["batch"] > 0
    assert sum(row["wait_hours_by"].values()) == pytest.approx(row["wait_hours"], abs=0.3)
    assert row["touch_hours"] + row["wait_hours"] == pytest.approx(row["lead_hours"], abs=0.1)
    assert row["flow_efficiency"] == pytest.approx(row["touch_hours"] / row["lead_hours"], abs=0.001)
    json.dumps(row)


def test_processes_are_set_against_the_first() -> None:
    first = {"process": "as it is", "lead_hours": 8.0, "deployment_hours": 6.0, "deployment_touch_hours": 3.0}
    rows = [first | {"seconds": 1.0, "verified": True}]
    rows.append(rows[0] | {"process": "other", "lead_hours": 2.0, "deployment_hours": 12.0, "verified": False})
    last = release_process.against(rows)
    assert last["times_shorter"] == {"other": {"lead": 4.0, "deployment": 0.5, "deployment_touch": 1.0}}
    assert last["talk"]["times_shorter"] == 8.0
    assert not last["verified"]
