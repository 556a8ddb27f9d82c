"""Formats and preconditions, as RFC 9110 and RFC 7240 have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from throttle_api.negotiation import choose, matching, tag, unchanged, wait_of
from throttle_api.problems import Problem

OFFERS = ("application/json", "text/csv", "text/calendar")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/*", "text/csv"),
        ("text/csv, application/json", "application/json"),  # equals: the first that is offered
        ("text/csv, application/json;q=0.9", "text/csv"),
        ("application/json;q=0.1, text/calendar;q=0.2", "text/calendar"),
        ("*/*;q=0.1, text/calendar", "text/calendar"),
        ("application/json;q=0, */*", "text/csv"),  # the most specific range counts
        ("TEXT/CSV; charset=utf-8", "text/csv"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
    ],
)
def test_the_best_of_what_is_accepted_is_chosen(accept: str | None, chosen: str) -> None:
    assert choose(accept, OFFERS) == chosen


@pytest.mark.parametrize("accept", ["image/png", "text/csv;q=0", "application/json;q=0, text/*;q=0", "text", ","])
def test_what_is_not_accepted_is_a_problem(accept: str) -> None:
    with pytest.raises(Problem, match="only as"):
        choose(accept, OFFERS)


@given(st.text(max_size=60))
def test_no_header_breaks_the_choice(accept: str) -> None:
    try:
        chosen = choose(accept, OFFERS)
    except Problem:
        return
    assert chosen in OFFERS


@pytest.mark.parametrize(
    ("header", "same"),
    [
        ('"abc"', True),
        ('W/"abc"', True),
        ('"x", "abc"', True),
        ("*", True),
        ('"x"', False),
        ("abc", False),
        (None, False),
    ],
)  # fmt: skip
def test_a_known_tag_is_unchanged(header: str | None, same: bool) -> None:
    assert unchanged(header, "abc") is same


@given(st.text(alphabet=st.characters(codec="ascii", exclude_characters='"'), min_size=1, max_size=40))
def test_a_tag_is_matched_as_it_was_given(etag: str) -> None:
    assert matching(tag(etag)) == etag
    assert unchanged(tag(etag), etag)


@pytest.mark.parametrize("header", ["abc", 'W/"abc"', '"a", "b"', '"', ""])
def test_what_is_not_one_strong_tag_is_a_problem(header: str) -> None:
    with pytest.raises(Problem, match="If-Match"):
        matching(header)


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0), ("", 0), ("respond-async", 0), ("wait=5", 5), ("respond-async, wait=5", 5), ('wait="5"', 5),
        ("Wait = 7; x=1", 7), ("wait=999999", 60), ("wait=9999999", 0), ("wait=-5", 0), ("wait=5x", 0), ("await=5", 0),
    ],
)  # fmt: skip
def test_a_wait_is_as_long_as_it_may_be(prefer: str | None, seconds: float) -> None:
    assert wait_of(prefer, 60) == seconds
