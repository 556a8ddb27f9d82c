"""Local search as one of the searches: what it is given, what it returns, and that nothing but the seed decides."""

from __future__ import annotations

import numpy as np
import pytest

from support.cases import by, compiled, portfolio
from support.portfolios import random_portfolio
from throttle.instance import Instance, Schedule
from throttle.solve.decoder import Decoder
from throttle.solve.local import LocalSearch
from throttle.solve.rules import Facts, first_come
from throttle.solve.search import Search


def begun(instance: Instance, seed: int = 1, compiled_: bool = True) -> tuple[LocalSearch, Schedule]:
    facts, decoder = Facts(instance), Decoder(instance, compiled_)
    key = first_come(facts)
    first = decoder.decode(key).schedule
    assert first is not None
    return LocalSearch(facts, decoder, key, first, seed), first


def worst_order(items: int) -> Instance:
    work = {f"W{i}": by("p1", f"{items - i}h", cost_of_delay=f"{1 + i}/hour") for i in range(items)}
    return compiled(portfolio(work)).instance


def test_it_is_a_search() -> None:
    search: Search = begun(worst_order(4))[0]
    assert search.step(0.5, 1.0) > 0
    assert search.rate > 0


def test_a_step_does_about_the_work_asked_for() -> None:
    search, _ = begun(worst_order(30))
    most = search.unit * 31 * 1.1 + search.unit  # one move places no more than all
    for asked in (1e3, 1e4, 1e5):
        assert asked <= search.step(0.5, asked) <= asked + most


@pytest.mark.parametrize("compiled_", [False, True])
def test_the_same_seed_and_steps_give_the_same_schedules(compiled_: bool) -> None:
    instance = worst_order(9)

    def walk(seed: int) -> list[float]:
        search, _ = begun(instance, seed, compiled_)
        found = []
        for k in range(15):
            search.step(k / 15)
            found += [search.current.cost, search.current.flow]
        return found

    assert walk(1) == walk(1)
    assert walk(1) != walk(2)


def test_compiled_and_plain_search_alike() -> None:
    instance = compiled(random_portfolio(17, 12)).instance
    plain, fast = begun(instance, 3, compiled_=False)[0], begun(instance, 3, compiled_=True)[0]
    for k in range(30):
        assert plain.step(k / 30) == fast.step(k / 30)
    assert np.array_equal(plain.current.start, fast.current.start)
    assert plain.best.cost == pytest.approx(fast.best.cost)


def test_the_current_schedule_is_the_decode_of_its_key() -> None:
    """What is kept between moves never departs from what a decode from the start gives."""
    for seed in (17, 24, 61):
        instance = compiled(random_portfolio(seed, 15)).instance
        search, _ = begun(instance, seed)
        for k in range(60):
            search.step(k / 60)
        again = Decoder(instance).decode(search.key, search.forced).schedule
        assert again is not None
        assert np.array_equal(again.start, search.current.start)
        assert np.array_equal(again.crew, search.current.crew)
        assert search.value == pytest.approx(again.cost + 1e-3 * again.flow)


def test_it_goes_on_from_a_better_schedule_and_leaves_a_worse_one() -> None:
    instance = worst_order(7)
    search, first = begun(instance)
    best = Decoder(instance).decode(-np.arange(7.0)).schedule
    assert best is not None
    search.join(best)
    assert search.best.cost == best.cost
    assert search.current.cost == best.cost
    search.join(first)
    assert search.best.cost == best.cost
    assert search.current.cost == best.cost


def test_it_goes_on_from_a_schedule_that_no_order_gives() -> None:
    """Its people and order are taken over, its gaps are closed."""
    instance = compiled(portfolio({f"W{i}": by("p1", "2h", cost_of_delay="1/hour") for i in range(3)})).instance
    search, first = begun(instance)
    gaps = Schedule(first.start + 3, first.end + 3, first.crew, first.cost - 1, first.flow)
    search.join(gaps)
    assert search.current.start.tolist() == [0, 2, 4]
    assert search.best.cost <= gaps.cost


def test_without_an_order_that_fits_it_keeps_what_it_has() -> None:
    """The horizon is too short for what the decoder makes of any order, so there is nothing to start from."""
    instance = compiled(portfolio({"A": by("p1", "4h"), "B": by("p1", "4h")}), slots=8).instance
    nothing = compiled(portfolio({"A": by("p1", "4h"), "B": by("p1", "4h")}), slots=6).instance
    first = Decoder(instance).decode(np.zeros(2)).schedule
    assert first is not None
    search = LocalSearch(Facts(nothing), Decoder(nothing), np.zeros(2), first, 1)
    assert search.step(0.5, 1e5) > 0
    assert search.best is first


def test_backward_orders_make_up_for_a_bad_start() -> None:
    """A chain whose parts were begun last: only those moves are made, and they find the critical path."""
    work = {f"W{i}": by("p1", "2h") for i in range(6)} | {"C0": by("p2", "3h")}
    work |= {f"C{i}": by("p2" if i % 2 else "p1", "3h", after=[f"C{i - 1}"]) for i in range(1, 6)}
    instance = compiled(portfolio(work, 2, policy={"makespan": "1/hour"})).instance
    mirror = instance.mirrored()
    again = mirror.mirrored()
    for name in ("pred_ptr", "pred", "pred_type", "lag", "masks", "next_open"):
        assert np.array_equal(getattr(instance.arrays, name), getattr(again.arrays, name)), name
    key = np.array([float(id.startswith("C")) for id in instance.activities])
    decoder = Decoder(instance, compiled=False)
    first = decoder.decode(key).schedule
    late = Decoder(mirror, compiled=False).decode(-first.end.astype(float)).schedule if first else None
    assert first is not None
    assert late is not None
    assert late.cost <= first.cost
    second = decoder.decode(-late.end.astype(float)).schedule
    assert second is not None
    assert second.cost < first.cost
