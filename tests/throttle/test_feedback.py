"""Feedback: forecasts, estimates, buffers and the reserve against what happened, and proposals."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from throttle.cli import app
from throttle.errors import InputError
from throttle.feedback import feedback
from throttle.feedback.show import page_of_feedback
from throttle.files import load_portfolio, save_plan
from throttle.planning import make_plan
from throttle_models import Plan, Portfolio

ITEMS = 14
MONDAY = datetime(2026, 1, 5, 8)


def before(**policy: Any) -> Portfolio:
    """One person, items of 8 hours one after the other: one a day."""
    return Portfolio.model_validate(
        {
            "as_of": MONDAY.isoformat(timespec="minutes"),
            "zone": "UTC",
            "calendars": {"office": {"hours": "Mon-Fri 08:00-16:00"}},
            "teams": {"dev": {}},
            "people": {"ana": {"team": "dev", "skills": {"java": 1}}},
            "projects": {"p": {"cost_of_delay": "100/week"}},
            "work": {
                f"W{k:02}": {
                    "project": "p",
                    "needs": [{"skill": "java", "effort": "6h/8h/10h"}],
                    "after": [f"W{k - 1:02}"] if k else [],
                }
                for k in range(ITEMS)
            },
            "policy": policy,
            "simulation": {"unplanned": "none"},
        }
    )


def after(hours: float, weeks: int = 13, done: int = ITEMS, **policy: Any) -> Portfolio:
    """The same some weeks later: each item took so many hours of work, one after the other."""
    data = before(**policy).model_dump(mode="json", exclude_defaults=True)
    data["as_of"] = (MONDAY + timedelta(weeks=weeks)).isoformat(timespec="minutes")

    def at(worked: float) -> str:
        days, rest = divmod(worked, 8)
        if rest == 0 and worked:
            days, rest = days - 1, 8
        day = MONDAY + timedelta(days=days + 2 * (days // 5), hours=rest)
        return day.isoformat(timespec="minutes")

    for k in range(done):
        data["work"][f"W{k:02}"] |= {"status": "done", "started": at(hours * k), "finished": at(hours * (k + 1))}
    return Portfolio.model_validate(data)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(before(), budget=0.05, workers=1, deterministic=True)


def test_what_took_as_long_as_planned_is_calibrated_and_nothing_is_proposed_of_it(plan: Plan) -> None:
    found = feedback(after(8), [plan], runs=0)
    [dates] = found.coverage
    assert (dates.level, dates.due, dates.kept, dates.share) == (0.5, ITEMS, ITEMS, 1)
    whole = found.estimates[0]
    assert (whole.of, whole.count, whole.ratio) == ("all", ITEMS, 1)
    assert (whole.above, whole.below) == (0, 0)
    assert {(one.of, one.name) for one in found.estimates} == {
        ("all", "all"),
        ("type", "project"),
        ("team", "dev"),
        ("skill", "java"),
    }
    assert found.plans[0].late_days == 0


def test_what_took_half_as_long_again_is_told_and_a_spread_is_proposed(plan: Plan) -> None:
    found = feedback(after(12), [plan], runs=0)
    whole = found.estimates[0]
    # an item of 12 hours that begins at noon ends with the next day
    assert whole.ratio == pytest.approx(1.5, rel=0.02)
    assert whole.above == 1
    [dates] = found.coverage
    assert dates.kept == 0
    assert dates.high is not None
    assert dates.high < 0.5
    assert found.plans[0].late_days is not None
    assert found.plans[0].late_days > 3
    [proposal] = [p for p in found.proposals if p.name == "spread"]
    assert proposal.samples == ITEMS
    assert found.patch == {"simulation": {"spread": {"short": 1.0, "long": 1.5}}}


def test_logged_time_counts_where_there_is_any_and_apart_from_what_is_inferred(plan: Plan) -> None:
    """Twelve items say that they took 4 hours of the 8 from started to finished; one of the others says neither."""
    data = after(8).model_dump(mode="json", exclude_defaults=True)
    for k in range(12):
        data["work"][f"W{k:02}"]["spent"] = "4h"
    del data["work"]["W00"]["started"]
    del data["work"]["W13"]["started"]
    found = feedback(Portfolio.model_validate(data), [plan], runs=0)
    alike = {one.basis: one for one in found.estimates if one.of == "all"}
    assert (alike["logged"].count, alike["logged"].ratio, alike["logged"].below) == (12, 0.5, 1)
    assert (alike["inferred"].count, alike["inferred"].ratio) == (1, 1)
    assert found.basis == (
        "12 items by the working time logged, 1 item by working hours of who did it from started to finished (inferred)"
    )
    [proposal] = [p for p in found.proposals if p.name == "spread"]
    assert (proposal.samples, proposal.value) == (12, {"short": 0.5, "long": 1.0})
    assert "by the time logged" in proposal.why


def test_items_that_are_not_finished_though_due_count_against_the_forecast(plan: Plan) -> None:
    found = feedback(after(8, done=4), [plan], runs=0)
    assert (found.plans[0].finished, found.plans[0].open) == (4, ITEMS - 4)
    assert found.coverage[0].share == pytest.approx(4 / ITEMS, abs=1e-6)
    assert not found.proposals  # four items are too few


def test_simulated_forecasts_cover_more_the_higher_their_level(plan: Plan) -> None:
    found = feedback(after(8), [plan], runs=40)
    assert [one.level for one in found.coverage] == [0.5, 0.8, 0.85, 0.95]
    shares = [one.share or 0.0 for one in found.coverage]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_the_reserve_is_held_against_unplanned_work_by_week() -> None:
    policy = {"reserve": {"ana": "4h/week"}}
    first = make_plan(before(**policy), budget=0.05, workers=1, deterministic=True)
    now = after(8, weeks=14, **policy).model_dump(mode="json", exclude_defaults=True)
    for k in range(13):
        created = (MONDAY + timedelta(weeks=k, days=1)).isoformat(timespec="minutes")
        hours = 2 if k < 2 else 10
        now["work"][f"INC-{k}"] = {"type": "unplanned", "created": created, "status": "done",
                                   "needs": [{"skill": "java", "effort": f"{hours}h"}]}  # fmt: skip
    found = feedback(Portfolio.model_validate(now), [first], runs=0)
    assert len(found.reserve.weeks) == 14
    assert found.reserve.covered == pytest.approx(3 / 14, abs=1e-6)  # the last week had none
    assert found.reserve.p80 == 10
    [proposal] = [p for p in found.proposals if p.name == "reserve"]
    assert proposal.value == {"ana": "10h/week"}


def test_the_fever_chart_has_a_point_for_each_plan() -> None:
    policy = {"buffers": {"project": "auto"}}
    first = make_plan(before(**policy), budget=0.05, workers=1, deterministic=True)
    later = after(8, weeks=1, done=5, **policy)
    second = make_plan(later, budget=0.05, workers=1, deterministic=True)
    latest = after(8, weeks=2, done=7, **policy)
    third = make_plan(latest, budget=0.05, workers=1, deterministic=True)
    found = feedback(latest, [second, first], current=third, runs=0)
    assert found.fever is not None
    points = found.fever.projects["p"].points
    assert [point.as_of for point in points] == [second.as_of, third.as_of]
    assert points[0].done < points[1].done
    assert page_of_feedback(found).count('class="fever-now"') == len(found.fever.projects)


def test_a_plan_that_is_not_earlier_or_has_no_portfolio_is_refused(plan: Plan) -> None:
    with pytest.raises(InputError, match="not earlier"):
        feedback(before(), [plan], runs=0)
    with pytest.raises(InputError, match="does not carry its portfolio"):
        feedback(after(8), [plan.model_copy(update={"portfolio": None})], runs=0)


def test_a_proposal_is_written_only_where_it_is_accepted(plan: Plan, tmp_path: Path) -> None:
    data = after(12).model_dump(mode="json", exclude_defaults=True)
    data["simulation"]["spread"] = {"short": 0.75, "long": 1.4}
    file = tmp_path / "now.json"
    file.write_text(json.dumps({"throttle": 1, **data}), encoding="utf-8")
    save_plan(plan, tmp_path / "plan.json")
    asked = ["feedback", str(file), str(tmp_path / "plan.json"), "--runs", "0"]
    text = file.read_bytes()
    result = CliRunner().invoke(app, [*asked, "--html", str(tmp_path / "x.html")], env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    assert "long: 1.5" in result.stdout
    assert file.read_bytes() == text
    assert CliRunner().invoke(app, [*asked, "--accept", "spread", "-q"]).exit_code == 0
    spread = load_portfolio(file).simulation.spread
    assert spread is not None
    assert (spread.short, spread.long) == (1.0, 1.5)
    wrong = CliRunner().invoke(app, [*asked, "--accept", "nothing"])
    assert wrong.exit_code == 2
    assert "no proposal nothing" in wrong.stderr
