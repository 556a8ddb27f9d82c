"""Amounts and moments as a person writes them: one meaning, and the same again after a round trip."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from throttle_models import Days, Estimate, Portfolio, When, format_minutes, parse_minutes
from throttle_models.quantities import ELAPSED, WORK, Effort, Elapsed, Lag, Rate, Share, Weekly

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "work", "elapsed"),
    [
        ("90m", 1.5, 1.5),
        ("90min", 1.5, 1.5),
        ("16h", 16, 16),
        ("3d", 24, 72),
        ("1w", 40, 168),
        ("1d 4h", 12, 28),
        ("1.5h", 1.5, 1.5),
        ("0", 0, 0),
        (" 2H ", 2, 2),
    ],
)
def test_a_day_of_work_is_not_a_day_of_the_clock(text: str, work: float, elapsed: float) -> None:
    assert parse_minutes(text, WORK) == work * HOUR
    assert parse_minutes(text, ELAPSED) == elapsed * HOUR


@pytest.mark.parametrize("text", ["", "3", "h", "3 days", "3mo", "-3h", "3h-", "1:30", "3h4", "nan", "inf h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration: write a number and m, h, d or w"):
        parse_minutes(text, WORK)


def test_too_long_a_duration() -> None:
    for text in ("9" * 20 + "w", "9" * 400 + "w", "876601h", "21916w"):
        with pytest.raises(ValueError, match="a duration is at most 100 years of the clock"):
            parse_minutes(text, WORK)
    for kind, most, more in ((Effort, "876600h", "876601h"), (Elapsed, "36525d", "36526d"), (Lag, "-36525d", "-9e9w")):
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        adapter.validate_python(most)
        with pytest.raises(ValidationError):
            adapter.validate_python(more)
    with pytest.raises(ValidationError, match="at most 100 years"):
        TypeAdapter(Effort).validate_python(timedelta(days=40_000))


@given(st.timedeltas(timedelta(0), timedelta(days=36_500)))
def test_any_span_survives(span: timedelta) -> None:
    for kind in (Effort, Elapsed):
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        assert adapter.validate_python(adapter.dump_python(span, mode="json")) == span
    weekly: TypeAdapter[Any] = TypeAdapter(Weekly)
    assert weekly.validate_python(weekly.dump_python(span, mode="json")) == span


@pytest.mark.parametrize(("span", "text"), [(24 * HOUR, "24h"), (1.5 * HOUR, "90m"), (0 * HOUR, "0h")])
def test_effort_is_written_in_hours(span: timedelta, text: str) -> None:
    assert format_minutes(span, WORK, "hm") == text


@given(st.floats(0, 1e15, exclude_max=True))
def test_any_rate_survives(rate: float) -> None:
    adapter: TypeAdapter[float] = TypeAdapter(Rate)
    assert adapter.validate_python(adapter.dump_python(rate, mode="json")) == rate


@given(st.floats(0.01, 1))
def test_any_share_survives(share: float) -> None:
    adapter: TypeAdapter[float] = TypeAdapter(Share)
    assert adapter.validate_python(adapter.dump_python(share, mode="json")) == share


@pytest.mark.parametrize(
    ("text", "per_week"),
    [("50000/week", 50_000), ("50000", 50_000), (7, 7), ("2/day", 14), ("1/hour", 168), ("1461/year", 28)],
)
def test_rates_are_kept_per_week(text: object, per_week: float) -> None:
    assert TypeAdapter(Rate).validate_python(text) == pytest.approx(per_week)


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        (Rate, "5/fortnight", "is not a rate"),
        (Rate, "much", "is not a rate"),
        (Rate, "-1/week", "not negative"),
        (Rate, "nan", "not negative"),
        (Share, "0%", "at least 1%"),
        (Share, "0.9%", "at least 1%"),
        (Share, "101%", "at most 100%"),
        (Share, "half", "is not a share"),
        (Weekly, "9h", "is not a weekly amount"),
        (Lag, "soon", "is not a duration"),
        (Estimate, "8h/4h/9h", "must rise from low to likely to high"),
        (Estimate, "8h/9h", "is not an estimate"),
        (Days, "2026-12-24/2026-12-23", "ends before it begins"),
        (Days, "20261224x", "is not a day or days"),
        (Days, "1766534400", "is not a day or days"),
        (When, "soon", "is not a date"),
        (When, "2026-13-01", "is not a date"),
        (When, "20261123", "is not a date: write 2026-12-18"),
        (When, "2026-W48", "is not a date: write 2026-12-18"),
        (When, "2026-W48-1", "is not a date"),
        (When, "2026-11-23 08:00", "is not a date"),
        (When, "2026-11-23T08", "is not a date"),
        (When, "2026-11-23T0800", "is not a date"),
        (When, "2026-11-23T08:00+99:00", "is not a date"),
        (When, "\u0663d", "is not a date"),
        (When, {"text": "2026-W48"}, "is not a date"),
        (Days, "20261224", "is not a day or days"),
        (Days, "2026-12-24/2026-W53", "is not a day or days"),
    ],
)
def test_what_is_refused(kind: Any, value: object, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        TypeAdapter(kind).validate_python(value)


def test_the_mean_of_an_estimate_is_swansons() -> None:
    assert Estimate.model_validate("10h/20h/60h").mean == (0.3 * 10 + 0.4 * 20 + 0.3 * 60) * HOUR
    assert Estimate.model_validate("24h").mean == 24 * HOUR


@pytest.mark.parametrize("text", ["24h", "16h/24h/60h", "90m/2h/2h"])
def test_estimates_are_written_as_read(text: str) -> None:
    estimate = Estimate.model_validate(text)
    assert Estimate.model_validate(estimate.model_dump(mode="json")) == estimate


CHICAGO = ZoneInfo("America/Chicago")
AS_OF = datetime(2026, 10, 31, 8, tzinfo=CHICAGO)


@pytest.mark.parametrize(
    ("text", "end_of_day", "utc"),
    [
        ("2026-12-18", False, datetime(2026, 12, 18, 6, tzinfo=UTC)),
        ("2026-12-18", True, datetime(2026, 12, 19, 6, tzinfo=UTC)),
        ("2026-12-18T17:00", True, datetime(2026, 12, 18, 23, tzinfo=UTC)),
        ("2026-12-18T17:00+01:00", False, datetime(2026, 12, 18, 16, tzinfo=UTC)),
        ("2026-12-18T17:00:30.5-06:00", False, datetime(2026, 12, 18, 23, 0, 30, 500_000, tzinfo=UTC)),
        ("2026-12-18T17:00Z", False, datetime(2026, 12, 18, 17, tzinfo=UTC)),
        ("24h", False, datetime(2026, 11, 1, 13, tzinfo=UTC)),  # over the change of the clock
        ("1d", False, datetime(2026, 11, 1, 14, tzinfo=UTC)),  # the same time of day
        ("-1w", False, datetime(2026, 10, 24, 13, tzinfo=UTC)),
    ],
)
def test_moments_resolve_in_the_zone(text: str, end_of_day: bool, utc: datetime) -> None:
    assert When.model_validate(text).resolve(AS_OF, CHICAGO, end_of_day).astimezone(UTC) == utc


@pytest.mark.parametrize(
    "data",
    [
        {"environments": {"a": {"capacity": 10**9 + 1}}},
        {"work": {"A": {"environment": {"a": 10**9 + 1}}}},
        {"people": {"a": {"wip": 10**30}}},
        {"policy": {"person_wip": 10**30}},
        {"policy": {"projects_in_process": 10**30}},
        {"work": {"A": {"wait": "200w 36525d"}}},
        {"work": {"A": {"duration": "10000000h"}}},
        {"work": {"A": {"after": [{"item": "B", "lag": "-10000000h"}]}}},
        {"work": {"A": {"needs": [{"skill": "s", "effort": "1h", "allocation": 0.001}]}}},
    ],
)
def test_numbers_that_no_plan_could_reckon_with(data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"less than or equal to 1000000000|at most 100 years|at least 1%"):
        Portfolio.model_validate({"as_of": "2026-11-23", **data})


def test_days_are_one_or_a_range() -> None:
    assert Days.model_validate("2026-12-24").last == date(2026, 12, 24)
    assert str(Days.model_validate("2026-12-24/2027-01-02")) == "2026-12-24/2027-01-02"
    assert Days.model_validate(date(2026, 12, 24)).first == date(2026, 12, 24)
