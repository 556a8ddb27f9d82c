"""Whose time is left for what: compile's hours against the checker's, which are written apart, and both by hand."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.cases import portfolio
from throttle.calendars import Calendars, Grid
from throttle.check.facts import Facts
from throttle.graph import WorkGraph, portfolio_findings
from throttle_models import Portfolio
from throttle_models.references import dangling_references

DAYS = 24
OFFICE = {"office": {"hours": "Mon-Fri 09:00-12:00 13:00-17:00"}}


def calendars(days: int = DAYS, **data: Any) -> Calendars:
    made_from = portfolio({}, **{"calendars": OFFICE, "slot": "30m", **data})
    return Calendars(made_from, Grid.of(made_from, days * 24 * 60 // int(made_from.slot.total_seconds() // 60)))


def ranges(made: Calendars, mask: Any) -> list[str]:
    """Open stretches in local time, such as ``Mon 23 09:00-12:00``."""
    zone = ZoneInfo(made.portfolio.zone)
    edges = np.flatnonzero(np.diff(np.r_[0, mask.astype(int), 0])).tolist()
    moments = [made.grid.instant(t).astimezone(zone) for t in edges]
    found = []
    for a, b in zip(moments[::2], moments[1::2], strict=True):
        found.append(f"{a:%a %d %H:%M}-{b:%H:%M}" if a.date() == b.date() else f"{a:%a %d %H:%M}-{b:%a %H:%M}")
    return found


def hours(made: Calendars, mask: Any, first: int = 0, days: int = 7) -> float:
    """Open hours of the days from so many days after as-of on."""
    a_day = 24 * 60 // made.grid.minutes
    return float(mask[first * a_day : (first + days) * a_day].sum()) * made.grid.minutes / 60


# --- rotas


def test_on_call_people_are_out_in_turn() -> None:
    made = calendars(people={"a": {}, "b": {}}, rotas={"r": {"people": ["a", "b"], "first": "2026-11-23"}})
    assert [hours(made, made.person(p), week * 7) for week in range(3) for p in "ab"] == [0, 35, 35, 0, 0, 35]


def test_a_turn_begins_at_midnight_of_the_portfolio_and_not_before_the_first() -> None:
    rota = {"people": ["a"], "first": "2026-11-25", "every": "2d"}
    made = calendars(people={"a": {}}, rotas={"r": rota}, zone="Asia/Tokyo", days=10)
    made_elsewhere = calendars(
        people={"a": {"calendar": "far"}},
        calendars={"far": {"hours": "daily 00:00-24:00", "zone": "America/Chicago"}},
        rotas={"r": {**rota, "people": ["a", "a", "a"]}},
        zone="Asia/Tokyo",
        days=3,
    )
    assert ranges(made, made.person("a"))[-2:] == ["Tue 24 09:00-12:00", "Tue 24 13:00-17:00"]
    assert ranges(made_elsewhere, made_elsewhere.person("a")) == ["Mon 23 17:00-Wed 00:00"]


def test_duty_takes_the_end_of_each_day_of_a_turn() -> None:
    made = calendars(
        people={"a": {}, "b": {}},
        rotas={"r": {"people": ["a", "b"], "first": "2026-11-23", "every": "1d", "share": "25%"}},
        days=2,
    )
    # a quarter of 7 h is 1.75 h; 5.25 h that are left are 5.5 h in half hours
    assert ranges(made, made.person("a"))[:3] == ["Mon 23 09:00-12:00", "Mon 23 13:00-15:30", "Tue 24 09:00-12:00"]
    assert ranges(made, made.person("b"))[-2:] == ["Tue 24 09:00-12:00", "Tue 24 13:00-15:30"]


# --- reserve


def test_a_weekly_reserve_is_spread_over_the_days_in_proportion() -> None:
    made = calendars(people={"a": {"reserve": "9h/week"}})
    # 1.8 h a day: 2, 4, 5.5, 7.5, 9 h by the end of each day
    ends = [r[-5:] for r in ranges(made, made.person("a"))[1:10:2]]
    assert ends == ["15:00", "15:00", "15:30", "15:00", "15:30"]
    assert hours(made, made.person("a")) == 35 - 9


def test_a_short_week_keeps_the_same_reserve_or_all_it_has() -> None:
    made = calendars(people={"a": {"reserve": "9h/week", "away": ["2026-11-24/2026-11-26", "2026-12-01/2026-12-04"]}})
    assert hours(made, made.person("a")) == 2 * 7 - 9
    assert hours(made, made.person("a"), 7) == 0


def test_a_reserve_of_a_week_that_has_begun_is_not_squeezed_into_its_rest() -> None:
    made = calendars(people={"a": {"reserve": "7h/week"}}, as_of="2026-11-26T00:00", days=4)
    assert hours(made, made.person("a"), 0, 4) == 14 - 2.5  # 1.4 h a day: 1.5, 3, 4.5, 6, 7 h in all


def test_a_skill_keeps_hours_on_weekdays_shared_by_its_holders() -> None:
    people = {"a": {"skills": ["linux"]}, "b": {"skills": ["linux"], "productive": "50%"}, "c": {}}
    made = calendars(people=people, policy={"reserve": {"linux": {"Mon": "3h", "Tue": "30m"}}}, days=3)
    # Monday: a has 7 h, b 3.5 h, so a keeps 2 of the 3 h; Tuesday: half an hour is all of a's
    assert hours(made, made.person("a"), 0, 1) == 5
    assert hours(made, made.person("b"), 0, 1) == 2.5
    assert (hours(made, made.person("a"), 1, 1), hours(made, made.person("b"), 1, 1)) == (6.5, 3.5)
    assert hours(made, made.person("a"), 2, 1) == hours(made, made.person("c"), 2, 1) == 7


def test_the_policy_replaces_what_people_keep_themselves() -> None:
    people = {"a": {"reserve": "9h/week"}, "b": {"reserve": "4h/week"}}
    made = calendars(people=people, policy={"reserve": {"a": "2h/week"}})
    assert (hours(made, made.person("a")), hours(made, made.person("b"))) == (33, 31)


def test_people_keep_their_own_reserve_while_nothing_is_learned() -> None:
    made = calendars(people={"a": {"reserve": "9h/week"}}, policy={"reserve": "learned"})
    assert hours(made, made.person("a")) == 26


def test_a_reserve_that_the_portfolio_does_not_say_outright_is_told() -> None:
    people = {"a": {"skills": ["linux"], "reserve": "9h/week"}, "b": {"skills": ["linux"]}}

    def told(**policy: Any) -> dict[str, str]:
        made_from = portfolio({}, people, policy=policy, skills=["linux", "cobol"])
        return {f.code: f.message for f in portfolio_findings(made_from, WorkGraph(made_from))}

    assert told() == {}
    assert "reserve of a stands" in told(reserve="learned")["reserve-not-learned"]
    assert "2h Mon are kept free by a, b" in told(reserve={"linux": {"Mon": "2h"}})["reserve-carried"]
    assert "nobody holds cobol" in told(reserve={"cobol": "2h/week"})["reserve-nobody"]


# --- improvement


def test_the_end_of_each_week_is_kept_for_improvement() -> None:
    made = calendars(people={"a": {"team": "ops"}, "b": {}}, teams={"ops": {"improvement": "20%"}}, days=7)
    assert ranges(made, made.improvement("a")) == ["Fri 27 09:00-12:00", "Fri 27 13:00-17:00"]
    assert hours(made, made.planned("a")) == 28
    assert (made.planned("a") | made.improvement("a") == made.person("a")).all()
    assert made.planned("b") is made.person("b")


def test_a_share_is_rounded_up_within_a_day() -> None:
    made = calendars(people={"a": {"team": "ops"}}, teams={"ops": {"improvement": "10%"}}, slot="1h", days=7)
    assert ranges(made, made.improvement("a")) == ["Fri 27 13:00-17:00"]  # 3.5 h are 4 of an hour


# --- out of hours


def test_out_of_hours_ends_before_the_rest_that_is_owed() -> None:
    made = calendars(
        people={"a": {"out_of_hours": {"limit": "6h/week", "rest": "11h"}, "away": ["2026-11-25"]}}, days=7
    )
    assert ranges(made, made.out_of_hours("a")) == [
        "Mon 23 17:00-22:00",
        "Tue 24 17:00-Wed 00:00",  # away on Wednesday: no rest is owed, and nothing is asked for that day
        "Thu 26 17:00-22:00",
        "Fri 27 17:00-Sun 22:00",
    ]


def test_without_rest_owed_all_that_the_calendar_leaves_is_out_of_hours() -> None:
    made = calendars(people={"a": {"out_of_hours": {"limit": "6h/week"}, "productive": "50%"}}, days=1)
    found = ranges(made, made.out_of_hours("a"))
    assert found == ["Mon 23 08:00-09:00", "Mon 23 12:00-13:00", "Mon 23 17:00-Tue 08:00"]


def test_nobody_on_call_is_asked_for_out_of_hours() -> None:
    made = calendars(
        people={"a": {"out_of_hours": {"limit": "6h/week"}}},
        rotas={"r": {"people": ["a"], "first": "2026-11-23", "share": "10%"}},
    )
    assert not made.out_of_hours("a").any()


# --- the checker reads the same, in its own way

HOURS = (
    "Mon-Fri 09:00-12:00 13:00-17:00",
    "Mon-Fri 08:00-16:30",
    "Mon-Thu 22:00-06:00",
    "daily 00:00-24:00",
    "Sat,Sun 00:00-06:10 10:00-16:00",
)
ZONES = ("UTC", "America/Chicago", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Berlin", "Australia/Lord_Howe")
AWAY = ("2026-11-25/2026-11-27", "2026-10-26", "2026-12-22")


@st.composite
def staffed(draw: st.DrawFn) -> Portfolio:
    """People with every sort of hours, around a clock change or at the end of a year."""
    calendars = {
        f"c{i}": {"hours": draw(st.sampled_from(HOURS)), "zone": draw(st.sampled_from(ZONES))}
        | draw(st.sampled_from(({}, {"holidays": "US"}, {"closed": ["2026-11-24"]}, {"productive": "65%"})))
        for i in range(2)
    }
    people: dict[str, Any] = {}
    for name in "abcd":
        person: dict[str, Any] = {"calendar": draw(st.sampled_from(sorted(calendars)))}
        person["skills"] = draw(st.lists(st.sampled_from(("linux", "oracle")), unique=True, max_size=2))
        person["away"] = draw(st.lists(st.sampled_from(AWAY), unique=True, max_size=2))
        if draw(st.booleans()):
            person["team"] = "ops"
        if draw(st.booleans()):
            person["reserve"] = draw(st.sampled_from(("9h/week", "90m/week", "60h/week", "7h/week")))
        if draw(st.booleans()):
            rest = draw(st.sampled_from(("0", "11h", "30h", "100m")))
            person["out_of_hours"] = {"limit": "6h/week", "rest": rest}
        people[name] = person
    rotas = {
        f"r{i}": {
            "people": draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3)),
            "first": draw(st.sampled_from(("2026-10-20", "2026-11-30", "2025-03-03"))),
            "every": draw(st.sampled_from(("7d", "1d", "12h", "36h"))),
            "share": draw(st.sampled_from(("100%", "50%", "33%"))),
        }
        for i in range(draw(st.integers(0, 2)))
    }
    by_day = {"Mon": "2h", "Wed": "45m", "Sat": "9h"}
    amounts = st.sampled_from(("10h/week", by_day, "25m/week"))
    policy = draw(st.dictionaries(st.sampled_from(("linux", "oracle", "a", "d")), amounts, max_size=3))
    return portfolio(
        {},
        as_of=draw(st.sampled_from(("2026-10-22T08:00", "2026-11-26T15:10", "2026-12-29", "2026-03-27T01:00Z"))),
        zone=draw(st.sampled_from(ZONES)),
        slot=draw(st.sampled_from(("30m", "15m", "1h", "2h"))),
        calendars=calendars,
        people=people,
        skills=["linux", "oracle"],
        rotas=rotas,
        teams={"ops": {"improvement": draw(st.sampled_from(("20%", "7%", "100%")))}},
        policy={"reserve": policy or "learned"},
    )


@given(staffed())
@settings(max_examples=60, deadline=None)
def test_the_checker_finds_the_same_hours(made_from: Portfolio) -> None:
    grid = Grid.of(made_from, 17 * 24 * 60 // int(made_from.slot.total_seconds() // 60))
    made, facts = Calendars(made_from, grid), Facts(made_from)
    first, last = facts.clock.as_of, facts.clock.as_of + grid.slots

    def open_slots(time: Any) -> list[bool]:
        found = np.zeros(grid.slots, bool)
        for a, b in time.spans(first, last):
            found[a - first : b - first] = True
        return found.tolist()

    for p, person in made_from.people.items():
        assert made.person(p).tolist() == open_slots(facts.person_time(p))
        if person.team:
            assert made.planned(p).tolist() == open_slots(facts.capacity.for_other_work(p))
            assert made.improvement(p).tolist() == open_slots(facts.capacity.for_improvement(p))
        if person.out_of_hours:
            assert made.out_of_hours(p).tolist() == open_slots(facts.capacity.out_of_hours(p))
            assert not (made.out_of_hours(p) & made.person(p)).any()


@given(staffed(), st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_hours_do_not_depend_on_the_horizon(made_from: Portfolio, days: int) -> None:
    slots = days * 24 * 60 // int(made_from.slot.total_seconds() // 60)
    short, long = (Calendars(made_from, Grid.of(made_from, n)) for n in (slots, slots * 2))
    for p, person in made_from.people.items():
        assert (short.person(p) == long.person(p)[:slots]).all()
        if person.out_of_hours:
            assert (short.out_of_hours(p) == long.out_of_hours(p)[:slots]).all()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"policy": {"reserve": {"linus": "1h/week"}}}, "unknown-reserve"),
        ({"rotas": {"r": {"people": [], "first": "2026-11-23"}}}, "rota-of-nobody"),
        ({"rotas": {"r": {"people": ["a"], "first": "2026-11-23", "every": "0d"}}}, "rota-without-turns"),
        ({"people": {"a": {"lent_to": [{"team": "t", "share": "60%"}] * 2}}, "teams": {"t": {}}}, "lent-too-much"),
    ],
)
def test_what_cannot_be_kept_is_an_error(data: Any, code: str) -> None:
    (found,) = dangling_references(portfolio({}, **{"people": {"a": {}}, "skills": ["linux"], **data}))
    assert found.code == code
