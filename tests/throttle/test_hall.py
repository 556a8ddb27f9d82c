"""Loads of sets with overlapping skills: cases by hand, and every subset."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from throttle.hall import levels, most_loaded, without_hours

Work = dict[frozenset[str], float]
Hours = dict[str, float]


def work(**hours: float) -> Work:
    """``ab=3``: three hours that a and b can do."""
    return {frozenset(able): h for able, h in hours.items()}


def own(work: Work, people: frozenset[str]) -> float:
    return sum(h for able, h in work.items() if able <= people)


def load(work: Work, hours: Hours, people: frozenset[str]) -> float:
    return own(work, people) / sum(hours[p] for p in people)


def subsets_of_needs(work: Work) -> list[tuple[frozenset[str], ...]]:
    return [some for n in range(1, len(work) + 1) for some in combinations(work, n)]


def test_sums_by_person_mislead_and_the_set_is_right() -> None:
    """a has 30 of 40 hours of own work, 75 %. b and c have 10 hours each, but share 75 more: together 119 %."""
    needs, hours = work(a=30, b=10, c=10, bc=75), {"a": 40.0, "b": 40.0, "c": 40.0}
    alone = {p: load(needs, hours, frozenset(p)) for p in hours}
    assert max(alone, key=lambda p: alone[p]) == "a"
    found = most_loaded(needs, hours)
    assert found is not None
    assert found.people == {"b", "c"}
    assert found.load == pytest.approx(95 / 80)


def test_by_skill_misleads_too() -> None:
    """Skill x has 60 hours for a and b, 75 %; skill y has 50 for b and c, 63 %; all three together have 110 of 90."""
    needs, hours = work(ab=60, bc=50), {"a": 40.0, "b": 40.0, "c": 10.0}
    found = most_loaded(needs, hours)
    assert found is not None
    assert found.people == {"a", "b", "c"}
    assert found.load == pytest.approx(110 / 90)


def test_levels_share_work_as_evenly_as_can_be() -> None:
    needs, hours = work(a=40, ab=20, bc=30, d=8), dict.fromkeys("abcd", 40.0)
    found = levels(needs, hours)
    assert [(set(s.people), s.work, s.load) for s in found] == [
        ({"a"}, 40, pytest.approx(1.0)),
        ({"b", "c"}, 50, pytest.approx(50 / 80)),
        ({"d"}, 8, pytest.approx(0.2)),
    ]
    assert found[1].able == (frozenset("ab"), frozenset("bc"))


def test_equal_loads_that_share_nothing_are_two_sets() -> None:
    found = levels(work(a=10, bc=20), {"a": 10.0, "b": 10.0, "c": 10.0})
    assert [set(s.people) for s in found] == [{"b", "c"}, {"a"}]
    assert [s.load for s in found] == [1.0, 1.0]


def test_who_has_no_hours_is_apart() -> None:
    needs, hours = work(a=5, ab=5, c=7), {"a": 0.0, "b": 10.0}
    assert without_hours(needs, hours) == (frozenset("a"), frozenset("c"))
    found = levels(needs, hours)
    assert [(set(s.people), s.work) for s in found] == [({"b"}, 5)]


@pytest.mark.parametrize("needs", [{}, {frozenset("a"): 0.0}, {frozenset("b"): 3.0}, {frozenset[str](): 3.0}])
def test_nothing_to_do_or_nobody_to_do_it(needs: Work) -> None:
    assert most_loaded(needs, {"a": 10.0}) is None
    assert levels(needs, {"a": 10.0}) == ()


people = "abcdefgh"
portfolios = st.tuples(
    st.dictionaries(
        st.frozensets(st.sampled_from(people), min_size=1, max_size=5),
        st.one_of(st.integers(1, 40).map(float), st.floats(0.01, 1e5)),
        min_size=1,
        max_size=8,
    ),
    st.fixed_dictionaries(
        {p: st.one_of(st.just(0.0), st.integers(1, 40).map(float), st.floats(0.5, 1e4)) for p in people}
    ),
)


@given(portfolios)
@settings(max_examples=300, deadline=None)
def test_the_cut_is_the_best_of_all_subsets(given_: tuple[Work, Hours]) -> None:
    """Over sets of needs, as Hall's condition says it, and over sets of people: the same load."""
    needs, hours = given_
    present = {p for p in hours if hours[p] > 0}
    needs_with = {able: h for able, h in needs.items() if able & present}
    found = most_loaded(needs, hours)
    if not needs_with:
        assert found is None
        return
    best = 0.0
    for some in subsets_of_needs(needs_with):
        capacity = sum(hours[p] for p in present.intersection(frozenset().union(*some)))
        best = max(best, sum(needs_with[able] for able in some) / capacity)
    assert found is not None
    assert found.load == pytest.approx(best, rel=1e-6)
    of_people = max(
        sum(h for able, h in needs_with.items() if able & present <= set(some)) / sum(hours[p] for p in some)
        for n in range(1, len(present) + 1)
        for some in combinations(sorted(present), n)
    )
    assert found.load == pytest.approx(of_people, rel=1e-6)
    assert found.load == pytest.approx(
        sum(h for able, h in needs_with.items() if able & present <= found.people)
        / sum(hours[p] for p in found.people),
        rel=1e-6,
    )


@given(portfolios)
@settings(max_examples=200, deadline=None)
def test_levels_account_for_all_work_once_and_fall(given_: tuple[Work, Hours]) -> None:
    needs, hours = given_
    found = levels(needs, hours)
    apart = without_hours(needs, hours)
    assert sorted(map(sorted, [*apart, *(able for s in found for able in s.able)])) == sorted(map(sorted, needs))
    everyone = [p for s in found for p in s.people]
    assert len(everyone) == len(set(everyone))
    loads = [s.load for s in found]
    assert all(a >= b * (1 - 1e-6) for a, b in pairwise(loads))
    above: set[str] = set()
    for s in found:
        assert s.work == pytest.approx(sum(needs[able] for able in s.able))
        assert s.hours == pytest.approx(sum(hours[p] for p in s.people))
        # work goes to the least loaded of those who can do it, so nobody who can is on a lower level
        assert all(p in above or p in s.people or hours[p] == 0 for able in s.able for p in able)
        above |= s.people
    top = most_loaded(needs, hours)
    assert (top is None) == (not found)
    if top is not None:
        assert top.load == pytest.approx(loads[0], rel=1e-6)
