"""The compiled kernel against the same source run as plain Python, which is the oracle."""

from __future__ import annotations

from random import Random
from types import ModuleType

import numpy as np
import pytest

from support.cases import by, compiled, portfolio
from support.portfolios import random_portfolio
from throttle.instance import Instance
from throttle.solve.decoder import Decoder
from throttle.solve.kernels import kernels
from throttle.solve.rules import RULES, Facts


def instances(seeds: range, items: int) -> list[Instance]:
    found = [compiled(random_portfolio(seed, items)).instance for seed in seeds]
    return [i for i in found if i.n]


def some_crew(instance: Instance, random: Random) -> np.ndarray:
    """A person for some of the seats, never the same twice in an activity."""
    a = instance.arrays
    forced = np.full(int(a.crew_ptr[-1]), -1, np.int64)
    for j in range(instance.n):
        taken: set[int] = set()
        for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
            able = [p for p in a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist() if p not in taken]
            if able and a.people[q] == 1 and random.random() < 0.5:
                forced[a.crew_ptr[q]] = random.choice(able)
                taken.add(int(forced[a.crew_ptr[q]]))
    return forced


def test_there_are_two_modules_of_one_source() -> None:
    plain, fast = kernels(False), kernels(True)
    assert kernels(False) is plain
    assert plain is not fast
    assert plain.__file__ == fast.__file__
    assert not hasattr(plain.decode, "py_func")
    assert hasattr(fast.decode, "py_func")


@pytest.mark.parametrize("items", [3, 8, 20])
def test_compiled_and_plain_decode_alike(items: int) -> None:
    """Start, end, crew, cost and flow, and what has no place, for random orders and random fixed seats."""
    placed = 0
    for seed, instance in enumerate(instances(range(70, 78), items)):
        random = Random(seed)
        plain, fast = Decoder(instance, compiled=False), Decoder(instance, compiled=True)
        for turn in range(3):
            key = np.array([random.random() for _ in range(instance.n)])
            forced = some_crew(instance, random) if turn else None
            one, two = plain.decode(key, forced), fast.decode(key, forced)
            assert (one.missing, one.locked) == (two.missing, two.locked)
            assert (one.schedule is None) == (two.schedule is None)
            if one.schedule and two.schedule:
                placed += 1
                for name in ("start", "end", "crew"):
                    assert np.array_equal(getattr(one.schedule, name), getattr(two.schedule, name)), (seed, turn, name)
                assert one.schedule.cost == pytest.approx(two.schedule.cost, rel=1e-12)
                assert one.schedule.flow == pytest.approx(two.schedule.flow, rel=1e-12)
    assert placed >= 12


@pytest.mark.parametrize("compiled_", [False, True])
def test_decoding_leaves_nothing_behind(compiled_: bool) -> None:
    """The same order gives the same schedule, whatever was decoded before."""
    (instance,) = instances(range(40, 41), 15)
    decoder = Decoder(instance, compiled_)
    key = RULES["greedy"](Facts(instance))
    first = decoder.decode(key).schedule
    decoder.decode(-key)
    again = decoder.decode(key).schedule
    assert first is not None
    assert again is not None
    assert np.array_equal(first.start, again.start)
    assert np.array_equal(first.crew, again.crew)


@pytest.mark.parametrize("which", [False, True])
def test_the_heap_gives_the_smallest_first(which: bool) -> None:
    kernel: ModuleType = kernels(which)
    random = Random(5)
    key = np.array([random.random() for _ in range(40)])
    heap = np.empty(40, np.int64)
    for size, j in enumerate(random.sample(range(40), 40)):
        heap[size] = j
        kernel.sift_up(heap, key, size)
    found = [int(kernel.pop(heap, key, size)) for size in range(40, 0, -1)]
    assert found == np.argsort(key).tolist()


@pytest.mark.parametrize("which", [False, True])
def test_the_cost_is_what_the_text_says(which: bool) -> None:
    """docs/plan.md, Costs, worked out by hand for a schedule that is not the best."""
    c = compiled(
        portfolio(
            {
                "A": by("p1", "2h", project="P"),
                "B": by("p2", "3h", project="P"),
                "C": by(
                    "p1", "1h", due="4h", cost_of_delay="10/hour", wanted_start="9h", costs={"earliness": "5/hour"}
                ),
            },
            people=2,
            projects={"P": {"cost_of_delay": "2/hour", "makespan": "1/hour"}},
            policy={"makespan": "100/hour"},
        )
    )
    start, end = np.array([4, 1, 7]), np.array([6, 4, 8])
    cost, flow = kernels(which).cost(c.instance.arrays, start, end)
    assert cost == pytest.approx(2 * 6 + (6 - 1) + 10 * (8 - 4) + 5 * (9 - 7) + 100 * 8)
    assert flow == pytest.approx(2 * 6 + 10 * 8)
