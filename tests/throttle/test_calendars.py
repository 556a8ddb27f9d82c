"""Open time as slots, against the same rules read minute by minute (support.naive), and by hand at clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from support.cases import portfolio
from support.naive import Naive
from support.portfolios import portfolios
from throttle.calendars import Calendars, Grid, as_of
from throttle.errors import InputError
from throttle_models import Portfolio

DAYS = 10


def calendars(days: int = DAYS, **data: Any) -> Calendars:
    made_from = portfolio({}, **data)
    return Calendars(made_from, Grid.of(made_from, days * 24 * 60 // int(made_from.slot.total_seconds() // 60)))


def open_ranges(made: Calendars, mask: Any) -> list[tuple[str, str]]:
    """The open stretches as local times of the portfolio, such as (Mon 09:00, Mon 17:00)."""
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(made.portfolio.zone)
    edges = np.flatnonzero(np.diff(np.r_[0, mask.astype(int), 0]))
    moments = [made.grid.instant(t).astimezone(zone).strftime("%a %d %H:%M") for t in edges.tolist()]
    return list(zip(moments[::2], moments[1::2], strict=True))


# --- the grid


@pytest.mark.parametrize(
    ("moment", "slot", "first"),
    [
        ("2026-11-23T08:00Z", "1h", "08:00"),
        ("2026-11-23T08:01Z", "1h", "09:00"),
        ("2026-11-23T08:07Z", "15m", "08:15"),
        ("2026-11-23T08:00+05:30", "1h", "03:00"),
        ("2026-11-23T08:00Z", "6h", "12:00"),
    ],
)
def test_slot_0_is_as_of_rounded_up(moment: str, slot: str, first: str) -> None:
    grid = Grid.of(portfolio({}, as_of=moment, slot=slot), 100)
    assert f"{grid.instant(0):%H:%M}" == first
    assert grid.instant(1) - grid.instant(0) == timedelta(minutes=grid.minutes)


def test_moments_and_slots() -> None:
    grid = Grid.of(portfolio({}), 100)
    moment = grid.instant(7)
    assert (grid.ceil(moment), grid.exact(moment)) == (7, 7.0)
    assert (grid.ceil(moment + timedelta(minutes=1)), grid.exact(moment + timedelta(minutes=15))) == (8, 7.25)
    assert grid.ceil(grid.instant(0) - timedelta(hours=3)) == -3
    assert grid.weeks * 168 == pytest.approx(1)


@pytest.mark.parametrize(
    ("minutes", "slots"), [(0, 0), (1, 1), (60, 1), (61, 2), (600, 10), (-60, -1), (-90, -1), (-30, 0), (-61, -1)]
)
def test_spans_are_rounded_up_to_whole_slots(minutes: int, slots: int) -> None:
    grid = Grid.of(portfolio({}), 100)
    assert grid.slots_for(timedelta(minutes=minutes)) == slots


def test_thirds_of_an_hour_are_not_rounded_twice() -> None:
    """Effort / (people * allocation) leaves float dust; 20 minutes are not 21."""
    grid = Grid.of(portfolio({}, slot="20m"), 100)
    assert grid.slots_for(timedelta(hours=1) / 3) == 1
    assert grid.slots_for(timedelta(hours=7) / 0.7 / 3) == 10


# --- calendars


def test_a_week_of_office_hours() -> None:
    made = calendars(calendars={"office": {"hours": "Mon-Fri 09:00-12:00 13:00-17:00"}}, days=7)
    found = open_ranges(made, made.person("p1"))
    assert found[:3] == [
        ("Mon 23 09:00", "Mon 23 12:00"),
        ("Mon 23 13:00", "Mon 23 17:00"),
        ("Tue 24 09:00", "Tue 24 12:00"),
    ]
    assert len(found) == 10
    assert found[-1] == ("Fri 27 13:00", "Fri 27 17:00")


def test_without_calendars_all_work_from_nine_to_five() -> None:
    made = calendars(calendars={}, days=2)
    assert open_ranges(made, made.person("p1")) == [("Mon 23 09:00", "Mon 23 17:00"), ("Tue 24 09:00", "Tue 24 17:00")]


def test_the_first_calendar_serves_whoever_names_none() -> None:
    both = {"late": {"hours": "daily 20:00-22:00"}, "early": {"hours": "daily 04:00-06:00"}}
    made = calendars(calendars=both, people={"p1": {}, "p2": {"calendar": "early"}}, days=1)
    assert open_ranges(made, made.person("p1")) == [("Mon 23 20:00", "Mon 23 22:00")]
    assert open_ranges(made, made.person("p2")) == [("Tue 24 04:00", "Tue 24 06:00")]


def test_a_shift_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    made = calendars(
        calendars={"nights": {"hours": "Mon-Fri 22:00-06:00"}}, people={"p1": {"away": ["2026-11-24"]}}, days=3
    )
    assert open_ranges(made, made.person("p1")) == [("Mon 23 22:00", "Tue 24 06:00"), ("Wed 25 22:00", "Thu 26 06:00")]


def test_a_shift_that_began_before_as_of_goes_on() -> None:
    made = calendars(calendars={"nights": {"hours": "Sun 22:00-10:00"}}, days=2)
    assert open_ranges(made, made.person("p1")) == [("Mon 23 08:00", "Mon 23 10:00")]


def test_holidays_closed_days_and_days_open_in_spite_of_them() -> None:
    office = {
        "hours": "Mon-Thu 09:00-17:00; Fri 09:00-13:00",
        "holidays": "US",
        "closed": ["2026-11-24/2026-11-25"],
        "open": ["2026-11-25", "2026-11-28"],
    }
    made = calendars(calendars={"office": office}, days=7)
    assert open_ranges(made, made.person("p1")) == [
        ("Mon 23 09:00", "Mon 23 17:00"),
        ("Wed 25 09:00", "Wed 25 17:00"),  # open in spite of closed; Thursday is Thanksgiving
        ("Fri 27 09:00", "Fri 27 13:00"),
        ("Sat 28 09:00", "Sat 28 17:00"),  # a weekday without hours takes those of Monday
    ]


def test_a_country_that_nobody_knows() -> None:
    made = calendars(calendars={"office": {"hours": "daily 09:00-17:00", "holidays": "ATLANTIS"}})
    with pytest.raises(InputError, match="ATLANTIS is not a country"):
        made.person("p1")


def test_productive_time_is_the_first_share_of_each_day() -> None:
    office = {"hours": "Mon-Fri 09:00-12:00 13:00-17:00", "productive": "65%"}
    made = calendars(calendars={"office": office}, people={"p1": {}, "p2": {"productive": "100%"}}, slot="15m", days=1)
    # 65 % of 420 minutes are 273: the morning and 93 minutes of the afternoon, of which 90 are whole slots
    assert open_ranges(made, made.person("p1")) == [("Mon 23 09:00", "Mon 23 12:00"), ("Mon 23 13:00", "Mon 23 14:30")]
    assert open_ranges(made, made.person("p2"))[-1] == ("Mon 23 13:00", "Mon 23 17:00")


def test_a_slot_is_open_only_if_all_of_it_is() -> None:
    made = calendars(calendars={"odd": {"hours": "Mon-Fri 09:20-11:50"}}, days=1)
    assert open_ranges(made, made.person("p1")) == [("Mon 23 10:00", "Mon 23 11:00")]


def test_ranges_that_touch_are_one() -> None:
    made = calendars(calendars={"odd": {"hours": "Mon-Fri 09:00-10:30 10:30-12:00"}}, days=1)
    assert open_ranges(made, made.person("p1")) == [("Mon 23 09:00", "Mon 23 12:00")]


@pytest.mark.parametrize(
    ("zone", "first", "hours"),
    [
        # the night in which clocks go forward is an hour shorter, the other an hour longer
        ("America/Chicago", "2026-03-07T12:00", [8, 7, 8]),
        ("America/Chicago", "2026-10-31T12:00", [8, 9, 8]),
        ("Europe/Berlin", "2026-03-28T12:00", [8, 7, 8]),
        ("Europe/Berlin", "2026-10-24T12:00", [8, 9, 8]),
        ("Asia/Kolkata", "2026-10-24T12:00", [8, 8, 8]),
    ],
)
def test_nights_of_a_clock_change(zone: str, first: str, hours: list[int]) -> None:
    """From 22:00 to 06:00 local, whatever the clock does in between; the change is in the first night."""
    made = calendars(as_of=first, zone=zone, calendars={"nights": {"hours": "daily 22:00-06:00"}}, days=3, slot="30m")
    mask = made.person("p1")
    edges = np.flatnonzero(np.diff(np.r_[0, mask.astype(int), 0]))
    lengths = [(b - a) / 2 for a, b in zip(edges[::2], edges[1::2], strict=True)]
    assert lengths[0] == hours[1]
    assert lengths[1:3] == [hours[0], hours[2]]
    local = [f"{made.grid.instant(t).astimezone(as_of(made.portfolio).tzinfo):%H:%M}" for t in edges.tolist()]
    assert local == ["22:00", "06:00"] * 3


def test_environments_without_a_calendar_are_always_open() -> None:
    made = calendars(
        calendars={"office": {"hours": "Mon-Fri 09:00-17:00", "productive": "50%"}},
        environments={"free": {}, "bound": {"calendar": "office"}},
        days=1,
    )
    assert made.environment("free").all()
    assert open_ranges(made, made.environment("bound")) == [("Mon 23 09:00", "Mon 23 17:00")]  # no productive share


def test_equal_masks_are_one_object() -> None:
    made = calendars(people={"p1": {}, "p2": {}, "p3": {"away": ["2030-01-01"]}})
    assert made.person("p1") is made.person("p2")
    assert made.person("p1") is made.person("p3")


def test_occurrences_of_a_window_are_apart_even_where_they_touch() -> None:
    made = calendars(windows={"day": {"every": "daily 00:00-12:00 12:00-24:00"}}, days=1)
    number, spans = made.occurrences("day", timedelta(0))
    assert (number >= 0).all()
    assert len(set(number.tolist())) == 3
    for t, k in enumerate(number.tolist()):
        assert spans[k][0] <= made.grid.instant(t) < made.grid.instant(t + 1) <= spans[k][1]


def test_a_window_has_its_own_zone() -> None:
    made = calendars(windows={"sat": {"every": "Sat 22:00-04:00", "zone": "America/Chicago"}})
    number, spans = made.occurrences("sat", timedelta(0))
    k = spans.index((datetime(2026, 11, 29, 4, tzinfo=UTC), datetime(2026, 11, 29, 10, tzinfo=UTC)))
    assert set(number.tolist()) == {-1, k}
    assert (number == k).sum() == 6
    assert np.flatnonzero(number == k)[0] == made.grid.ceil(spans[k][0])


@given(portfolios(4))
@settings(max_examples=12, deadline=None, derandomize=True)
def test_open_slots_are_those_of_a_literal_reading(made_from: Portfolio) -> None:
    """Holidays, absences, shares, zones and clock changes together."""
    days = 12
    made = Calendars(made_from, Grid.of(made_from, days * 24 * 60 // int(made_from.slot.total_seconds() // 60)))
    naive = Naive(made_from, days)
    assert naive.instant(naive.as_of) == made.grid.instant(0)
    for person in list(made_from.people)[:3]:
        expected = [naive.is_open(person, naive.as_of + t) for t in range(made.grid.slots)]
        assert made.person(person).tolist() == expected, person
    for name, place in made_from.environments.items():
        if place.calendar:
            expected = [naive.is_open(f"/{name}", naive.as_of + t) for t in range(made.grid.slots)]
            assert made.environment(name).tolist() == expected, name
