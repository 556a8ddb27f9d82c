"""Figures as text."""

from __future__ import annotations

import pytest

from throttle import figures


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0 EUR"), (-0.0, "0 EUR"), (1234.5, "1,234 EUR"), (-3.14159, "-3.14 EUR"), (9.999, "10 EUR")],
)
def test_money_is_told_to_what_matters(value: float | None, text: str) -> None:
    assert figures.money(value, "EUR") == text


def test_nothing_has_no_sign() -> None:
    assert figures.range_of(-0.0, 0.0) == "0 to 0"
    assert figures.range_of(-1.0, 20.0) == "-1 to +20"
