"""The packed decoder against the general one, and compiled against the same source run as plain Python."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.cases import compiled, portfolio
from support.never_closed import always_open_portfolio, always_open_portfolios
from throttle.instance import Instance
from throttle.solve.decoder import Decoder
from throttle.solve.genetic import Genetic
from throttle.solve.kernels import kernels
from throttle.solve.packing import Packing, supports
from throttle_models import Portfolio


def some_order(packing: Packing, random: Random) -> np.ndarray:
    """A random order in which nothing comes before what it waits for."""
    m = packing.model
    waits = np.diff(m.pred_ptr).tolist()
    ready = [j for j, number in enumerate(waits) if number == 0]
    order = []
    while ready:
        j = ready.pop(random.randrange(len(ready)))
        order.append(j)
        for i in m.succ[m.succ_ptr[j] : m.succ_ptr[j + 1]].tolist():
            waits[i] -= 1
            if waits[i] == 0:
                ready.append(i)
    return np.array(order, np.int32)


def forward(instance: Instance, order: np.ndarray, compiled_: bool = True) -> tuple[int, np.ndarray, np.ndarray]:
    """Last end, starts and crews of one forward decode."""
    packing = Packing(instance)
    kernel, space = kernels(compiled_, "packed"), packing.space()
    far = int(kernel.FAR)
    space.dearest[:] = np.argsort(-packing.model.worth, kind="stable")
    space.order[:] = order
    end = kernel.justify(packing.model, space, 1, 0, far)
    return int(end), space.start.copy(), space.crew.copy()


@given(always_open_portfolios(12), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_without_crews_it_decodes_like_the_general_kernel(made_from: Portfolio, random: Random) -> None:
    instance = compiled(_without_crews(made_from)).instance
    assert supports(instance)
    order = some_order(Packing(instance), random)
    key = np.empty(instance.n)
    key[order] = np.arange(instance.n)
    expected = Decoder(instance, compiled=False).decode(key).schedule
    assert expected is not None
    end, start, _ = forward(instance, order)
    assert start.tolist() == expected.start.tolist()
    assert end == expected.end.max()


def _without_crews(made_from: Portfolio) -> Portfolio:
    data = made_from.model_dump(mode="json", exclude_unset=True)
    for item in data["work"].values():
        if item.pop("needs", None):
            item["wait"] = "3h"
    return Portfolio.model_validate(data)


@pytest.mark.parametrize("people", [6, 70])
def test_compiled_and_plain_search_alike(people: int) -> None:
    """The whole population, restarts included; with 70 people in words of 64."""
    for seed in range(3):
        instance = compiled(always_open_portfolio(seed, 9, people)).instance
        plain, fast = (Genetic(instance, seed, expected=0, compiled=c) for c in (False, True))
        for search in (plain, fast):
            for _ in range(3):
                search.step(0.5, 8 * search.decode_work)
        for name, one, two in zip(plain.pool._fields, plain.pool, fast.pool, strict=True):
            assert np.array_equal(one, two), (seed, name)


def test_decoding_leaves_nothing_behind() -> None:
    """A goal out of reach, which cuts a decode short, changes nothing in the next one."""
    instance = compiled(always_open_portfolio(5, 12)).instance
    packing = Packing(instance)
    kernel, space = kernels(True, "packed"), packing.space()
    far = int(kernel.FAR)
    space.order[:] = some_order(packing, Random(1))
    first = kernel.justify(packing.model, space, 3, 0, far)
    start = space.found.copy()
    space.order[:] = some_order(packing, Random(2))
    assert kernel.justify(packing.model, space, 3, 0, packing.critical // 2) == far
    space.order[:] = some_order(packing, Random(1))
    assert kernel.justify(packing.model, space, 3, 0, far) == first
    assert np.array_equal(space.found, start)


@given(always_open_portfolios(12), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_what_was_kept_is_not_placed_again(made_from: Portfolio, random: Random) -> None:
    packing = Packing(compiled(made_from).instance)
    kernel, space = kernels(True, "packed"), packing.space()
    far = int(kernel.FAR)
    order = space.order[:] = some_order(packing, random)
    end = kernel.justify(packing.model, space, 1, 0, far)
    start, crew = space.found.copy(), space.found_crew.copy()
    kept = random.randint(0, len(order))
    space.start[order[kept:]] = -1
    assert kernel.justify(packing.model, space, 1, kept, far) == end
    assert np.array_equal(space.found, start)
    assert np.array_equal(space.found_crew, crew)


@given(always_open_portfolios(12), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_justification_never_ends_later_and_says_how_it_came_about(made_from: Portfolio, random: Random) -> None:
    """Where there are no crews, the order that it returns leads to the same schedule."""
    packing = Packing(compiled(_without_crews(made_from)).instance)
    kernel, space = kernels(True, "packed"), packing.space()
    far = int(kernel.FAR)
    space.order[:] = some_order(packing, random)
    once = kernel.justify(packing.model, space, 1, 0, far)
    best = kernel.justify(packing.model, space, 3, 0, far)
    assert packing.critical <= best <= once
    start = space.found.copy()
    space.order[:] = space.turn
    assert kernel.justify(packing.model, space, 1, 0, far) == best
    assert np.array_equal(space.found, start)


def test_five_environments_take_two_words_and_one_that_is_never_full_none() -> None:
    capacity = {**{f"e{k}": {"capacity": 2} for k in range(5)}, "wide": {"capacity": 99}}
    work = {f"W{i}": {"wait": "2h", "environment": {f"e{i % 5}": 2, "wide": 9}} for i in range(10)}
    instance = compiled(portfolio(work, policy={"makespan": "168/week"}, environments=capacity)).instance
    packing = Packing(instance)
    assert packing.model.room.shape == (2,)
    end, start, _ = forward(instance, np.arange(10, dtype=np.int32))
    assert end == 4
    assert start.tolist() == [0] * 5 + [2] * 5


@pytest.mark.parametrize(("capacity", "taken"), [(32767, True), (32768, False)])
def test_capacities_fit_in_fifteen_bits(capacity: int, taken: bool) -> None:
    work = {f"W{i}": {"wait": "1h", "environment": {"e": capacity}} for i in range(2)}
    instance = compiled(
        portfolio(work, policy={"makespan": "168/week"}, environments={"e": {"capacity": capacity}})
    ).instance
    assert supports(instance) is taken
    if taken:
        assert forward(instance, np.arange(2, dtype=np.int32))[0] == 2


def test_of_two_who_can_the_less_useful_one_is_taken() -> None:
    """Only p1 can do B; so p2 does A, and both go on at once."""
    work = {
        "A": {"needs": [{"skill": "a", "effort": "3h"}]},
        "B": {"needs": [{"skill": "b", "effort": "3h"}]},
    }
    people = {"p1": {"skills": {"a": 1, "b": 1}}, "p2": {"skills": {"a": 1}}}
    instance = compiled(portfolio(work, people, skills=["a", "b"], policy={"makespan": "168/week"})).instance
    assert forward(instance, np.arange(2, dtype=np.int32))[0] == 3


def test_people_alike_are_counted_and_not_told_apart() -> None:
    """Two of three alike are always free, though never the same two for the whole of D."""
    three = {f"p{i}": {"skills": {"a": 1}} for i in range(3)}
    work = {
        "A": {"needs": [{"skill": "a", "effort": "2h"}]},
        "B": {"needs": [{"skill": "a", "effort": "2h"}], "after": [{"item": "A", "lag": "0", "lag_in": "elapsed"}]},
        "C": {"needs": [{"skill": "a", "people": 2, "effort": "8h"}]},
    }
    instance = compiled(portfolio(work, three, skills=["a"], policy={"makespan": "168/week"})).instance
    packing = Packing(instance)
    assert len(packing.model.class_mask) == 1
    assert forward(instance, np.arange(3, dtype=np.int32))[0] == 4
