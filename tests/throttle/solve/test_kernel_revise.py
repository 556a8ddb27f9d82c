"""Decoding again what may differ: the same schedule as from the start, or rightly none."""

from __future__ import annotations

from math import inf
from random import Random

import numpy as np
import pytest

from support.cases import by, compiled, portfolio
from support.portfolios import random_portfolio
from throttle.instance import Instance
from throttle.solve.decoder import Decoder, Outcome, Tails
from throttle.solve.rules import Facts, topological

SHARE = 1e-3


def some_instance(seed: int) -> Instance:
    return compiled(random_portfolio(seed, 3 + seed % 25)).instance


def changed(instance: Instance, random: Random, key: np.ndarray, forced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A few other keys, another choice of person, or both."""
    a, key, forced = instance.arrays, key.copy(), forced.copy()
    seats = np.repeat(np.arange(len(a.work)), a.people)
    if len(seats) and random.random() < 0.4:
        seat = random.randrange(len(seats))
        able = a.candidate[a.cand_ptr[seats[seat]] : a.cand_ptr[seats[seat] + 1]].tolist()
        forced[seat] = -1 if random.random() < 0.4 else random.choice(able)
    for _ in range(random.choice((0, 1, 1, 2, 5))):
        key[random.randrange(instance.n)] = random.random() * instance.n
    return key, forced


def compare(instance: Instance, compiled_: bool, seed: int, rounds: int) -> tuple[int, int]:
    """How many revisions gave the schedule that a decode from the start gives, and how many were cut short."""
    random, equal, cut = Random(seed), 0, 0
    revising, fresh = Decoder(instance, compiled_), Decoder(instance, compiled_)
    key, forced = np.array([random.random() * instance.n for _ in range(instance.n)]), revising.free
    first = revising.decode(key).schedule
    if first is None:
        return 0, 0
    value = first.cost + SHARE * first.flow
    for _ in range(rounds):
        new_key, new_forced = changed(instance, random, key, forced)
        limit = inf if random.random() < 0.5 else value * (1 + 0.01 * random.random())
        found = revising.revise(new_key, new_forced, limit, SHARE)
        expected: Outcome = fresh.decode(new_key, new_forced)
        if expected.schedule is None:
            assert found is None
            continue
        worth = expected.schedule.cost + SHARE * expected.schedule.flow
        if found is None:
            assert worth > limit
            cut += 1
            continue
        assert found == pytest.approx((expected.schedule.cost, expected.schedule.flow))
        equal += 1
        if random.random() < 0.5:
            revising.keep()
            base = revising.base
            assert base is not None
            for name in ("start", "end", "crew"):
                assert np.array_equal(getattr(base, name), getattr(expected.schedule, name)), name
            key, forced, value = revising.tidy(), new_forced, worth
    return equal, cut


@pytest.mark.parametrize("seed", range(25))
def test_a_revision_is_the_decode_of_the_same_order(seed: int) -> None:
    instance = some_instance(seed)
    if instance.n:
        compare(instance, True, seed, 30)


def test_revisions_are_found_and_cut() -> None:
    counts = [compare(some_instance(seed), True, seed, 30) for seed in range(40, 60)]
    assert sum(equal for equal, _ in counts) > 100
    assert sum(cut for _, cut in counts) > 5


def test_compiled_and_plain_revise_alike() -> None:
    for seed in (61, 64, 71):
        instance = some_instance(seed)
        assert compare(instance, False, seed, 15) == compare(instance, True, seed, 15)


def test_tidy_keys_give_the_same_schedule() -> None:
    for seed in range(80, 90):
        instance = some_instance(seed)
        decoder = Decoder(instance)
        first = decoder.decode(np.array([Random(seed + j).random() for j in range(instance.n)])).schedule
        if first is None:
            continue
        again = Decoder(instance).decode(decoder.tidy()).schedule
        assert again is not None
        assert np.array_equal(first.start, again.start)
        assert np.array_equal(first.crew, again.crew)


def test_only_what_may_differ_is_looked_at() -> None:
    """Two people who do not meet: a change in the work of one looks for no place for the other's."""
    work = {f"A{i}": by("p1", "2h") for i in range(20)} | {f"B{i}": by("p2", "2h") for i in range(20)}
    instance = compiled(portfolio(work, 2)).instance
    decoder = Decoder(instance, compiled=False)
    decoder.decode(np.arange(40.0))
    key = decoder.tidy()
    key[18] = 16.5
    before = decoder.work
    assert decoder.revise(key, decoder.free, inf, 0.0) is not None
    assert decoder.work - before < 10
    base, trial = decoder.base, decoder.keep()
    assert trial is None
    assert base is not None


def test_a_revision_needs_a_schedule() -> None:
    decoder = Decoder(compiled(portfolio({"A": by("p1", "4h"), "B": by("p1", "4h")}), slots=6).instance, compiled=False)
    assert decoder.base is None
    assert decoder.decode(np.zeros(2)).schedule is None
    with pytest.raises(ValueError, match="decode an order first"):
        decoder.revise(np.zeros(2), decoder.free, inf, 0.0)


@pytest.mark.parametrize("compiled_", [False, True])
def test_told_to_stop_it_finds_nothing(compiled_: bool) -> None:
    instance = compiled(portfolio({f"W{i}": by("p1", "1h") for i in range(5)})).instance
    decoder = Decoder(instance, compiled_)
    assert decoder.decode(np.arange(5.0)).schedule is not None
    decoder.stop[0] = 1
    assert decoder.revise(np.arange(5.0)[::-1].copy(), decoder.free, inf, 0.0) is None
    assert decoder.decode(np.arange(5.0)).schedule is None
    decoder.stop[0] = 0
    assert decoder.decode(np.arange(5.0)).schedule is not None


def test_tails_are_no_longer_than_what_follows() -> None:
    """In any schedule, a group finishes at least its tail after each of its activities, and not before its floor."""
    for seed in range(100, 115):
        instance = some_instance(seed)
        if not instance.n:
            continue
        tails = Tails.of(instance, np.array(topological(instance), np.int64))
        facts, random = Facts(instance), Random(seed)
        for _ in range(3):
            schedule = Decoder(instance).decode(np.array([random.random() for _ in range(instance.n)])).schedule
            if schedule is None:
                continue
            finish = [int(schedule.end[members].max()) for members in facts.members]
            assert all(f >= low for f, low in zip(finish, tails.floor.tolist(), strict=True))
            for j in range(instance.n):
                for m in range(tails.ptr[j], tails.ptr[j + 1]):
                    assert schedule.end[j] + tails.tail[m] <= finish[tails.group[m]]
