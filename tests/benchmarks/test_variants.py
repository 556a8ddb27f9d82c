from __future__ import annotations

import json

import pytest
from benchmarks.portfolios import LEAST_ITEMS, LEAST_PEOPLE, synthetic
from benchmarks.scale import main
from benchmarks.variants import OFFICES, portfolio

from throttle.graph import WorkGraph
from throttle.planning import feasible_instance


def test_without_a_wish_it_is_the_generators() -> None:
    assert portfolio(60, 8, seed=3) == synthetic(60, 8, seed=3)


def test_flow_counts_from_the_release() -> None:
    plain, flow = portfolio(60, 8), portfolio(60, 8, goal="flow")
    assert flow.work == plain.work
    for id, project in flow.projects.items():
        assert project.cost_of_delay == plain.projects[id].cost_of_delay
        assert project.not_before == plain.projects[id].not_before
        assert str(project.due) == str(project.not_before or "0h")


def test_calendars_keep_the_work_and_differ_by_seed() -> None:
    plain, made = portfolio(60, 8, seed=2), portfolio(60, 8, seed=2, calendars=True)
    assert made.work == plain.work
    assert made == portfolio(60, 8, seed=2, calendars=True)
    assert made.people != portfolio(60, 8, seed=4, calendars=True).people
    assert set(made.calendars) == set(OFFICES)
    assert all(person.calendar in OFFICES and person.away for person in made.people.values())


@pytest.mark.parametrize("seed", range(3))
def test_everything_on_calendars_can_be_done_by_someone(seed: int) -> None:
    made = portfolio(120, 12, seed=seed, calendars=True)
    assert feasible_instance(made, WorkGraph(made)).unscheduled == {}


def test_scale_prints_progress_and_a_verified_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["40", "6", "--budget", "0.3", "--workers", "1", "--cold"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) > 1
    assert all({"seconds", "objective", "bound", "memory_mb"} <= row.keys() for row in rows)
    assert [row["seconds"] for row in rows] == sorted(row["seconds"] for row in rows)
    last = rows[-1]
    assert (last["final"], last["verified"], last["items"], last["unscheduled"]) == (True, True, 40, 0)
    assert last["memory_mb"] > 10
    assert {"generate", "compile", "first_plan", "solve", "write"} <= last["parts"].keys()
    assert all(seconds >= 0 for seconds in last["parts"].values())


@pytest.mark.parametrize("size", [("0", "10"), ("10", "3"), ("-1", "4"), ("ten", "4")])
def test_sizes_that_cannot_be_made_are_refused_in_a_sentence(
    size: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*size, "--cold"])
    said = capsys.readouterr().err
    assert "too small" in said or "is no whole number" in said or "required" in said


@pytest.mark.parametrize("seed", range(5))
def test_the_least_sizes_can_be_made_and_done(seed: int) -> None:
    made = synthetic(LEAST_ITEMS, LEAST_PEOPLE, seed)
    assert feasible_instance(made, WorkGraph(made)).unscheduled == {}
    with pytest.raises(ValueError, match="a portfolio needs"):
        synthetic(LEAST_ITEMS, LEAST_PEOPLE - 1, seed)
