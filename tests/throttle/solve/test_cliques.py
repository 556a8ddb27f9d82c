"""Cliques hold activities that never overlap, and the bound from them is below every schedule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.always_open import open_portfolio, optimum
from support.cases import OFFICE, by, compiled, portfolio
from throttle.instance import Instance
from throttle.solve.decoder import Decoder
from throttle.solve.exact.cliques import bound_of, clique_bound, cliques, incompatible
from throttle.solve.exact.relaxed import Relaxed


def on_makespan(instance: Instance) -> Instance:
    """The same with no cost but the end of the last activity."""
    a = instance.arrays
    zero, one = np.zeros(1), np.ones(1)
    every = np.arange(instance.n)
    costs = {"tardiness": zero, "due": zero, "flow": one, "span": zero, "measure": zero, "earliness": zero}
    arrays = a._replace(member_ptr=np.array([0, instance.n]), member=every, wanted=zero, **costs)
    return Instance(arrays, instance.slots, instance.activities, instance.needs, instance.people, ("portfolio",), 1.0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_bound_is_below_an_enumeration(seed: int) -> None:
    c = compiled(open_portfolio(seed))
    if c.unscheduled:
        return
    instance = on_makespan(c.instance)
    schedule = Decoder(instance, compiled=False).decode(np.arange(instance.n, dtype=float)).schedule
    assert schedule is not None
    assert clique_bound(instance) <= optimum(instance, float(schedule.end.max()))


@pytest.mark.parametrize("seed", range(4))
def test_no_two_of_a_clique_ever_overlap(seed: int) -> None:
    instance = compiled(open_portfolio(seed, 15)).instance
    relaxed = Relaxed(instance)
    found = cliques(relaxed)
    assert found
    rng = np.random.default_rng(seed)
    decoder = Decoder(instance, compiled=False)
    for _ in range(5):
        schedule = decoder.decode(rng.random(instance.n)).schedule
        assert schedule is not None
        assert bound_of(relaxed, found) <= schedule.end.max()
        for members in found:
            order = members[np.argsort(schedule.start[members])]
            assert (schedule.start[order[1:]] >= schedule.end[order[:-1]]).all()


def test_three_that_share_one_place_come_one_after_the_other() -> None:
    """Two people, three items of 4, 3 and 2 hours in one lab, the first from hour 1, and one hour after each."""
    work = {f"W{i}": by(f"p{1 + i % 2}", f"{4 - i}h", environment="lab", not_before=f"{1 + i}h") for i in range(3)} | {
        f"X{i}": by("p1", "1h", after=[f"W{i}"]) for i in range(3)
    }
    instance = compiled(portfolio(work, people=2, environments={"lab": {}})).instance
    relaxed = Relaxed(instance)
    apart, either = incompatible(relaxed)
    ids = list(instance.activities)
    lab = [ids.index(f"W{i}") for i in range(3)]
    assert apart[np.ix_(lab, lab)].sum() == 6  # each with each, none with itself
    assert either[ids.index("W1"), ids.index("X1")]
    assert not apart[ids.index("W1"), ids.index("X1")]
    assert clique_bound(instance) >= 1 + 9 + 1


def test_who_is_needed_by_both_keeps_them_apart() -> None:
    """Two of three people each: no set of skills is short, but two and two are more than three."""
    people = {f"p{i}": {"skills": ["a"]} for i in range(3)}
    work = {f"W{i}": {"duration": "5h", "needs": [{"skill": "a", "people": 2}]} for i in range(4)}
    instance = compiled(portfolio(work, people)).instance
    assert clique_bound(instance) == 20


def test_where_anything_closes_there_is_no_bound() -> None:
    instance = compiled(portfolio({"A": by("p1", "8h")}, calendars=OFFICE)).instance
    assert clique_bound(instance) == 0
