"""Elevate: options as changed portfolios, what each saves, and that what buys nothing is said so."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from throttle.calendars import Calendars, Grid
from throttle.cli import app
from throttle.elevate import elevate
from throttle.elevate.options import longer, options
from throttle.errors import InputError
from throttle.planning import make_plan
from throttle.report.sections.elevate import sentences
from throttle.scenarios.solve import Effort, solve
from throttle_models import Portfolio
from throttle_models.elevate import Elevate, Menu, OptionKind

QUICK = Effort(budget=0.02)
ORG: dict[str, Any] = {
    "as_of": "2026-11-23T08:00",
    "zone": "UTC",
    "currency": "EUR",
    "calendars": {"office": {"hours": "Mon-Fri 08:00-12:00 13:00-17:00"}},
    "people": {"brent": {"skills": {"oracle": 3}}, "wes": {"skills": {"oracle": 1, "linux": 2}}},
    "environments": {"lab": {}, "shelf": {}},
    "windows": {"saturday": {"every": "Sat 08:00-18:00"}},
    "boards": {"cab": {"every": "Thu 10:00-11:00"}},
    "projects": {"phoenix": {"cost_of_delay": "5000/week"}},
    "work": {
        "P-1": {"project": "phoenix", "needs": [{"skill": "oracle", "level": 3, "effort": "60h"}]},
        "P-2": {"project": "phoenix", "needs": [{"skill": "linux", "effort": "4h"}], "environment": "lab"},
        "C-1": {
            "type": "change",
            "cost_of_delay": "10/week",
            "needs": [{"skill": "linux", "effort": "2h"}],
            "change": {"kind": "normal", "window": "saturday", "approval": {"board": "cab", "lead": "3d"}},
        },
        "DEBT": {
            "type": "internal",
            "needs": [{"skill": "linux", "effort": "3h"}],
            "interest": {"oracle": "1h/week"},
        },
    },
}


def org() -> Portfolio:
    return Portfolio.model_validate(ORG)


def test_there_is_an_option_of_each_kind_that_the_portfolio_has() -> None:
    portfolio = org()
    own = Menu.model_validate({"options": {"soon": {"set": {"work.P-1.needs.0.effort": "40h"}}}})
    found, _ = options(portfolio, solve(portfolio, QUICK), own)
    kinds = {choice.kind for choice in found.values()}
    assert kinds == set(OptionKind) - {OptionKind.AUTOMATION, OptionKind.SKILL}
    assert "environment: lab" in found
    assert "environment: shelf" not in found  # nothing uses it
    for name, choice in found.items():
        plan = make_plan(choice.portfolio, budget=0.1, workers=1, deterministic=True)
        assert plan.certificate.checked, name


@pytest.mark.parametrize(
    ("hours", "productive"),
    [("Mon-Fri 08:00-12:00 13:00-17:00", 1.0), ("Mon-Fri 09:00-17:00", 0.75), ("Mon-Thu 22:00-06:00", 1.0),
     ("Sat,Sun 00:00-06:00 10:00-16:00", 0.5)],
)  # fmt: skip
def test_an_hour_more_is_an_hour_of_planned_work_each_week(hours: str, productive: float) -> None:
    data = {**ORG, "calendars": {"office": {"hours": hours, "productive": productive}}}
    before = Portfolio.model_validate(data)
    after = longer(before, "brent", timedelta(hours=1))
    assert after is not None
    grid = Grid.of(before, 48 * 7 * 9)
    more = [Calendars(p, grid).person("brent").reshape(9, -1).sum(axis=1) for p in (before, after)]
    assert (more[1] - more[0])[1:8].tolist() == [2] * 7
    assert (Calendars(after, grid).person("wes") == Calendars(before, grid).person("wes")).all()


def test_who_is_always_at_work_has_no_hour_more() -> None:
    data = {**ORG, "calendars": {"office": {"hours": "daily 00:00-24:00"}}}
    portfolio = Portfolio.model_validate(data)
    assert longer(portfolio, "brent", timedelta(hours=1)) is None
    _, out = options(portfolio, solve(portfolio, QUICK), Menu())
    assert any("brent" in why for why in out)


@pytest.fixture(scope="module")
def searched() -> Elevate:
    return elevate(org(), effort=QUICK, resolved=100)


def test_what_an_option_saves_is_what_a_plan_with_it_costs_less(searched: Elevate) -> None:
    portfolio = org()
    choices, _ = options(portfolio, solve(portfolio, QUICK), Menu())
    by_text = {choice.text: choice for choice in choices.values()}
    base = make_plan(portfolio, budget=0.3, workers=1, deterministic=True).certificate.objective.value
    assert searched.objective == pytest.approx(base)
    every = (*searched.options, *searched.nothing)
    assert {option.text for option in every} == set(by_text)
    assert [o.problem for o in every if o.problem] == ["makes C-1 possible, so its costs cannot be compared"]
    for option in every:
        if option.problem:
            continue
        assert option.method == "re-solved"
        plan = make_plan(by_text[option.text].portfolio, budget=0.3, workers=1, deterministic=True)
        assert option.saves == pytest.approx(base - plan.certificate.objective.value, abs=1e-5), option.text


def test_the_screening_saves_no_more_than_a_search_does(searched: Elevate) -> None:
    screened = elevate(org(), effort=QUICK, resolved=0)
    most = {o.text: o.saves for o in (*searched.options, *searched.nothing)}
    for option in (*screened.options, *screened.nothing):
        assert option.method == "order kept"
        assert option.saves <= most[option.text] + 1e-6
        assert option.simulated is None


def test_the_bottleneck_hour_leads_and_an_hour_elsewhere_buys_nothing() -> None:
    data = {**ORG, "work": {name: ORG["work"][name] for name in ("P-1", "P-2")}}
    menu = Menu(leave_out=(OptionKind.HIRE, OptionKind.TRAINING))
    found = elevate(Portfolio.model_validate(data), menu=menu, effort=QUICK, resolved=100)
    hours = [o for o in found.options if o.kind is OptionKind.HOUR]
    assert [o.refs for o in hours] == [("brent",)]
    assert hours[0].per_hour is not None
    assert hours[0].per_hour > 0
    nothing = {o.refs: o.saves for o in found.nothing if o.kind is OptionKind.HOUR}
    assert nothing == {("wes",): 0}
    assert list(found.options) == sorted(found.options, key=lambda o: -o.worth)


def test_a_menu_says_what_options_cost_until_the_end_of_the_plan() -> None:
    menu = Menu.model_validate(
        {"hour_cost": 50, "options": {"tool": {"cost": 700, "set": {"work.P-2.needs.0.effort": "2h"}}}}
    )
    found = elevate(org(), menu=menu, effort=QUICK, resolved=0)
    every = {o.text: o for o in (*found.options, *found.nothing)}
    hour = next(o for o in every.values() if o.refs == ("brent",) and o.kind is OptionKind.HOUR)
    assert hour.hours is not None
    assert hour.cost == pytest.approx(50 * hour.hours)
    assert hour.net == pytest.approx(hour.worth - hour.cost)
    assert every["tool"].cost == 700


def test_training_takes_time_before_it_gives_any() -> None:
    """Taught only after the work is done, nobody gains; taught at once, the second holder halves the work."""
    data = {
        **ORG,
        "work": {
            f"O-{k}": {"cost_of_delay": "100/week", "needs": [{"skill": "oracle", "level": 3, "effort": "8h"}]}
            for k in range(20)
        },
    }
    portfolio = Portfolio.model_validate(data)
    saves = {}
    for ramp in ("1d", "26w"):
        menu = Menu.model_validate({"ramp_up": ramp, "ramp_share": "10%", "leave_out": ["hire", "hour", "skill"]})
        found = elevate(portfolio, menu=menu, effort=QUICK, resolved=100)
        saves[ramp] = next(o.saves for o in (*found.options, *found.nothing) if o.kind is OptionKind.TRAINING)
    assert saves["1d"] > 0
    assert saves["26w"] <= 0


def test_simulated_options_are_ranked_by_what_chance_does_not_explain() -> None:
    menu = Menu(leave_out=(OptionKind.HIRE, OptionKind.TRAINING))
    found = elevate(org(), menu=menu, effort=QUICK, resolved=3, runs=16)
    simulated = [*found.options, *found.nothing]
    assert {option.method for option in simulated} == {"order kept", "re-solved"}
    for option in simulated:
        if option.problem:
            assert option.simulated is None
            continue
        gap = option.simulated
        assert gap is not None
        assert gap.low <= gap.mean <= gap.high
        assert option.worth == (0 if gap.low <= 0 <= gap.high else -gap.mean)
        assert option in (found.options if option.buys else found.nothing)
    order = [not option.certain for option in found.options]
    assert order == sorted(order)
    certain = [option.worth for option in found.options if option.certain]
    assert np.all(np.diff(certain) <= 0)


def test_the_command_prints_the_menu_and_what_buys_nothing(tmp_path: Path) -> None:
    (tmp_path / "org.json").write_text(json.dumps({"throttle": 1, **ORG}), encoding="utf-8")
    (tmp_path / "menu.yaml").write_text("leave_out: [hire, training]\nhour_cost: 50\n", encoding="utf-8")
    asked = ["elevate", str(tmp_path / "org.json"), "--menu", str(tmp_path / "menu.yaml"), "--runs", "0", "-j", "1"]
    asked += ["--budget", "0.02", "--resolve", "3"]
    result = CliRunner().invoke(app, [*asked, "--html", str(tmp_path / "x.html")], env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    assert "an hour a week more of brent" in result.stdout
    assert "buy nothing" in result.stdout
    assert "<svg" in (tmp_path / "x.html").read_text(encoding="utf-8")
    document = json.loads(CliRunner().invoke(app, [*asked, "--json", "-q"]).stdout)
    assert {o["kind"] for o in document["options"]} >= {"hour"}
    assert not {o["kind"] for o in (*document["options"], *document["nothing"])} & {"hire", "training"}


def test_an_own_option_is_counted_in_the_same_money_from_the_same_moment() -> None:
    for field, value in (("currency", "USD"), ("as_of", "2026-11-30T08:00"), ("zone", "Asia/Tokyo")):
        own = Menu.model_validate({"options": {"x": {"set": {field: value}}}})
        with pytest.raises(InputError, match=f"the scenario x changes {field}: costs .* cannot be compared"):
            elevate(org(), menu=own, effort=QUICK)


def test_no_hours_more_are_no_option() -> None:
    with pytest.raises(ValidationError, match="hour"):
        Menu.model_validate({"hour": "0h"})


def test_what_was_written_by_hand_is_planned_anew_before_what_saves_as_much() -> None:
    own = Menu.model_validate({"options": {"same": {"set": {"work.P-2.title": "Two"}}}})
    found = elevate(org(), menu=own, effort=QUICK, resolved=len(elevate(org(), effort=QUICK).options) + 1)
    method = {one.text: one.method for one in (*found.options, *found.nothing)}
    assert method["same"] == "re-solved"
    assert "order kept" in method.values()


def test_an_option_that_makes_work_possible_is_told_apart() -> None:
    two = {"needs": [{"skill": "oracle", "level": 3, "effort": "4h", "people": 2}], "cost_of_delay": "100/week"}
    work = {id: item for id, item in ORG["work"].items() if id != "C-1"}
    portfolio = Portfolio.model_validate(ORG | {"work": work | {"PAIR": two}})
    found = elevate(portfolio, effort=QUICK, resolved=3, runs=4)
    apart = [one for one in found.nothing if one.problem]
    assert {one.kind for one in apart} >= {OptionKind.HIRE}
    for one in apart:
        assert one.problem == "makes PAIR possible, so its costs cannot be compared"
        assert one.saves == 0
        assert one.simulated is None
    assert not any("oracle>=3" in one.text for one in found.options if one.kind is OptionKind.HIRE)
    said = " ".join(sentences(found))
    assert said.count("makes PAIR possible") == len(apart)
    assert f"{len(found.nothing) - len(apart)} options buy nothing" in said
