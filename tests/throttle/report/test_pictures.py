"""Pictures of figures: what is drawn, what is escaped, and round values on the axis."""

from __future__ import annotations

import pytest

from throttle.report.page import answer_page
from throttle.report.pictures import MOST_BARS, Bar, Line, bars, curve, ticks


def test_a_bar_goes_from_0_to_its_value_with_its_interval() -> None:
    drawn = bars("Costs", [Bar("more", 100, 80, 120), Bar("less", -50), Bar("<b>", 0)], "EUR")
    assert drawn.count("<rect") == 3
    assert drawn.count('class="whisker"') == 1
    assert drawn.count('class="bar-less"') == 2
    assert "&lt;b&gt;" in drawn
    assert "<b>" not in drawn
    assert "more: +100 EUR" in drawn


def test_a_long_list_is_cut() -> None:
    assert bars("Many", [Bar(str(k), k) for k in range(100)]).count("<rect") == MOST_BARS


def test_a_curve_has_its_band_and_the_place_recommended() -> None:
    line = Line("cost", [3, 1, 2], [2, 0.5, 1], [4, 1.5, 3])
    drawn = curve("Cost by limit", "limit", ["1", "2", "none"], [line], mark=1)
    assert drawn.count("<circle") == 3
    assert drawn.count("curve-band") == 1
    assert drawn.count("curve-mark") == 1
    assert "cost, none: 2" in drawn


@pytest.mark.parametrize(("least", "most"), [(0, 1), (-5, 1234567), (0, 0.003), (7, 7)])
def test_ticks_lie_within_and_are_few(least: float, most: float) -> None:
    found = ticks(least, most)
    assert 1 <= len(found) <= 7
    assert all(least - 1e-9 <= value <= most + 1e-9 for value in found)
    assert found == sorted(found)


def test_a_page_has_no_script_and_allows_none() -> None:
    page = answer_page("What if", "words", "foot")
    assert "default-src &#x27;none&#x27;" in page
    assert "<script" not in page
    assert page.count("<h1>") == 1


def test_where_more_is_better_more_is_good() -> None:
    drawn = bars("Saved", [Bar("a", 3.0), Bar("b", -1.0)], gain=True)
    assert drawn.index("bar-less") < drawn.index("bar-more")
