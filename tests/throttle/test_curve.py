"""The throttle curve: what is tried, how a limit is chosen, and what a gain must show before it is recommended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from throttle.cli import app
from throttle.curve import rope_hours, spaced, throttle_curve, unlimited
from throttle.curve.race import More, neighbours, race
from throttle.errors import InputError
from throttle.scenarios.solve import Effort, solve
from throttle_models import Portfolio

QUICK = Effort(budget=0.05)


def shop(switching: float = 0.0, projects: int = 5) -> Portfolio:
    """One drum that all projects need, between work of their own."""
    work: dict[str, Any] = {}
    for k in range(projects):
        work[f"A{k}"] = {"project": f"P{k}", "needs": [{"skill": "dev", "effort": "2h/4h/9h"}]}
        work[f"B{k}"] = {"project": f"P{k}", "needs": [{"skill": "drum", "effort": "4h/8h/18h"}], "after": [f"A{k}"]}
    return Portfolio.model_validate(
        {
            "as_of": "2026-01-05T00:00Z",
            "currency": "EUR",
            "slot": "1h",
            "calendars": {"always": {"hours": "daily 00:00-24:00"}},
            "people": {"d": {"skills": ["drum"]}} | {f"p{k}": {"skills": ["dev"]} for k in range(projects)},
            "projects": {f"P{k}": {"cost_of_delay": "100/hour"} for k in range(projects)},
            "work": work,
            "policy": {"projects_in_process": 2, "rope": "20h"},
            "simulation": {"switching": switching},
        }
    )


def test_limits_are_close_together_where_they_are_small() -> None:
    assert spaced(1) == []
    assert spaced(4) == [1, 2, 3]
    found = spaced(200)
    assert len(found) == len(set(found)) <= 12
    assert found[:3] == [1, 2, 3]
    assert found[-1] <= 199


def racing(truth: dict[float | None, float], seed: int, noise: float, asked: dict[float | None, int]) -> More:
    """Figures with these means, the noise of each run in common but for a tenth; ``asked`` counts runs."""

    def more(limit: float | None, first: int, runs: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        asked[limit] = asked.get(limit, 0) + runs
        common = np.random.default_rng(seed).normal(0, noise, 2000)[first : first + runs]
        own = np.random.default_rng([seed, int(limit or 0)]).normal(0, noise / 10, 2000)[first : first + runs]
        return truth[limit] + common + own

    return more


def test_the_race_finds_the_least_and_spends_runs_on_what_is_in_question() -> None:
    truth = {None: 120.0, **{float(k): 100 + (k - 6) ** 2 for k in range(1, 13)}}
    near = 0
    for seed in range(40):
        asked: dict[float | None, int] = {}
        best = race(list(truth), racing(truth, seed, 20, asked), 400)
        near += best == 6
        assert asked[1.0] == asked[None] == 64  # far worse: soon dropped
        assert asked[6.0] > 64
    assert near >= 38


def test_the_race_goes_on_between_limits_that_lie_far_apart() -> None:
    truth = {None: 500.0, **{float(k): 100 + abs(k - 17) * 2 for k in range(1, 41)}}
    asked: dict[float | None, int] = {}
    assert race([1.0, 5.0, 12.0, 25.0, 40.0, None], racing(truth, 1, 5, asked), 400, neighbours) == 17
    assert 33.0 not in asked  # not near the best
    assert neighbours(10, [5.0, 10.0, 30.0]) == [7, 20]
    assert neighbours(10, [9.0, 10.0, 11.0]) == []
    assert neighbours(40, [36.0, 40.0, 60.0], 0.1) == [50]


def test_of_limits_that_change_nothing_no_limit_is_the_best_at_once() -> None:
    asked: dict[float | None, int] = {}

    def same(limit: float | None, first: int, runs: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        asked[limit] = asked.get(limit, 0) + runs
        return np.arange(2000.0)[first : first + runs]

    assert race([1.0, 2.0, None], same, 400) is None
    assert set(asked.values()) == {64}
    assert race([1.0, 2.0, None], lambda *_: np.zeros(0), 400) is None  # stopped before a first run


def test_without_switching_no_limit_is_needed_and_the_tightest_does_harm() -> None:
    found = throttle_curve(shop(), effort=QUICK, runs=24, ropes=[400])
    projects = found.limits[0]
    assert projects.recommended is None
    assert projects.now == 2
    assert projects.gain.low <= 0 <= projects.gain.high
    assert [p.limit for p in projects.points] == [1, 2, 3, 4, None]
    tightest, none = projects.points[0], projects.points[-1]
    assert tightest.cost.mean > none.cost.mean
    assert tightest.in_process.mean < none.in_process.mean
    assert none.difference is None
    rope = found.limits[1]
    assert rope.points[0].limit == 400  # longer than all the work: no limit at all
    assert rope.points[0].difference is not None
    assert rope.points[0].difference.mean == 0


def test_with_dear_switching_a_limit_is_recommended_and_gains() -> None:
    found = throttle_curve(shop(switching=0.6, projects=6), effort=QUICK, runs=40, limits=[1, 2, 3, 5], ropes=[400])
    projects = found.limits[0]
    assert projects.recommended is not None
    assert projects.recommended <= 3
    assert projects.gain.low > 0
    assert found.switching == 0.6
    assert str(int(projects.recommended)) in projects.text


def test_the_order_that_is_followed_knows_no_limit() -> None:
    free = unlimited(shop())
    assert free.policy.projects_in_process is None
    assert free.policy.rope is None
    assert rope_hours(solve(free, QUICK)) == [8.0, 12.0, 18.0, 27.0, 40.0]


def test_without_projects_there_is_nothing_to_let_in() -> None:
    data = {"as_of": "2026-01-05T00:00Z", "people": {"a": {"skills": ["x"]}}}
    portfolio = Portfolio.model_validate({**data, "work": {"W": {"needs": [{"skill": "x", "effort": "1h"}]}}})
    with pytest.raises(InputError, match="no project with open work"):
        throttle_curve(portfolio, effort=QUICK, runs=4)


def test_the_command_draws_the_curve(tmp_path: Path) -> None:
    text = json.dumps({"throttle": 1, **shop(projects=3).model_dump(mode="json", exclude_defaults=True)})
    (tmp_path / "shop.json").write_text(text, encoding="utf-8")
    asked = ["curve", str(tmp_path / "shop.json"), "--runs", "8", "--budget", "0.05", "--ropes", "10"]
    result = CliRunner().invoke(app, [*asked, "--html", str(tmp_path / "x.html")], env={"COLUMNS": "180"})
    assert result.exit_code == 0, result.output
    assert "no limit on projects in process is needed" in result.stdout
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "curve-line" in page
    assert "The same as a table" in page
    document = json.loads(CliRunner().invoke(app, [*asked, "--json", "-q"]).stdout)
    assert [one["of"] for one in document["limits"]] == ["projects", "rope"]
    wrong = CliRunner().invoke(app, ["curve", str(tmp_path / "shop.json"), "--limits", "1,0"])
    assert wrong.exit_code == 2
    assert "no limits" in wrong.stderr
