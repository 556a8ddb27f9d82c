"""Weekly hours as text."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from throttle_models import Calendar, Hours


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("Mon 09:00-17:00", [(0, 540, 1020)]),
        ("Mon-Wed 09:00-12:00 13:00-17:00", [(d, a, b) for d in range(3) for a, b in ((540, 720), (780, 1020))]),
        ("Sat 22:00-04:00", [(5, 1320, 1680)]),
        ("daily 00:00-24:00", [(d, 0, 1440) for d in range(7)]),
        ("Fri-Mon 08:00-09:00", [(0, 480, 540), (4, 480, 540), (5, 480, 540), (6, 480, 540)]),
        ("mon,wed 9:00-10:00; Monday 9:00-10:00", [(0, 540, 600), (2, 540, 600)]),
    ],
)
def test_ranges(text: str, ranges: list[tuple[int, int, int]]) -> None:
    assert list(Hours.model_validate(text).ranges) == ranges


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no hours"),
        ("Mon", "names no hours"),
        ("Noday 09:00-17:00", "is not a day"),
        ("Mon 9-17", "is not a range of hours"),
        ("Mon 09:00-25:00", "is not within a day"),
        ("Mon 24:00-24:00", "is not within a day"),
        ("Mon 09:60-10:00", "is not within a day"),
        ("Mon 09:00-09:00", "has no length: write 00:00-24:00 for a whole day"),
        ("Mon 00:00-00:00", "has no length: write 00:00-24:00 for a whole day"),
    ],
)
def test_what_is_no_hours(text: str, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Calendar.model_validate({"hours": text})


def test_the_text_is_kept() -> None:
    calendar = Calendar.model_validate({"hours": "Mon-Fri 09:00-17:00", "zone": "Asia/Kolkata"})
    assert calendar.model_dump(mode="json", exclude_defaults=True) == {
        "hours": "Mon-Fri 09:00-17:00",
        "zone": "Asia/Kolkata",
    }
