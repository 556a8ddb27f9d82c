"""When work goes on, against the rule word for word (docs/plan.md, Work), on random calendars and crews."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from support.cases import compiled, portfolio
from throttle.instance import Instance, Schedule
from throttle.worked import count_in, open_in, parts, ragged, seats_of, worked

SLOTS = 60


def instance(random: Random) -> tuple[Instance, Schedule]:
    """Three people with random open slots; items of one to three needs that take different times; a place."""
    people = {f"p{k}": {} for k in range(3)}
    work = {
        f"W{i}": {
            "needs": [
                {"who": who, "effort": f"{random.randint(1, 5)}h"}
                for who in random.sample(list(people), random.randint(1, 3))
            ]
        }
        for i in range(6)
    }
    work["WAIT"] = {"wait": "4h"}  # type: ignore[dict-item]
    work["NONE"] = {}  # type: ignore[dict-item]
    c = compiled(portfolio(work, people), SLOTS)
    a, n = c.instance.arrays, c.instance.n
    masks = np.array([[random.random() < 0.7 for _ in range(SLOTS)] for _ in range(4)], np.uint8)
    place = np.array([random.choice((-1, 3)) for _ in range(n)])
    start = np.array([random.randrange(30) for _ in range(n)])
    end = np.array([t if id == "NONE" else SLOTS for t, id in zip(start, c.instance.activities, strict=True)])
    arrays = a._replace(masks=masks, person_mask=np.arange(3), place=place)
    made = Instance(arrays, SLOTS, c.instance.activities, c.instance.needs, c.instance.people, (), c.instance.weeks)
    return made, Schedule(start, end, a.candidate.copy(), 0.0, 0.0)


def by_the_rule(instance: Instance, schedule: Schedule, j: int) -> dict[int, list[int]]:
    """Slots worked in by each seat; those of a wait under -1."""
    a = instance.arrays
    needs = range(a.need_ptr[j], a.need_ptr[j + 1])
    crew = {int(a.crew_ptr[q]): int(a.work[q]) for q in needs} or {-1: int(a.wait[j])}
    found: dict[int, list[int]] = {seat: [] for seat in crew}
    done = 0
    for t in range(int(schedule.start[j]), int(schedule.end[j])):
        active = [seat for seat, work in crew.items() if done < work]
        rows = [int(a.person_mask[schedule.crew[seat]]) for seat in active if seat >= 0]
        rows += [int(a.place[j])] if a.place[j] >= 0 else []
        if active and all(a.masks[row, t] for row in rows):
            for seat in active:
                found[seat].append(t)
            done += 1
    return found


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("flat", [7, 1 << 21])
def test_runs_are_those_of_the_rule(seed: int, flat: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("throttle.worked.FLAT", flat)
    made, schedule = instance(Random(seed))
    a = made.arrays
    seats = seats_of(a)
    work = worked(a, schedule)
    seat, first, last = work.of(seats, a.work)
    owner, slot = ragged(first, last)
    for j in range(made.n):
        expected = by_the_rule(made, schedule, j)
        assert work.done[j] == max(map(len, expected.values()))
        runs = slice(work.ptr[j], work.ptr[j + 1])
        longest = max(expected.values(), key=len)
        assert ragged(work.first[runs], work.last[runs])[1].tolist() == longest
        for s, slots in expected.items():
            if s >= 0:
                assert slot[seat[owner] == s].tolist() == slots
                assert schedule.start[j] <= slots[0]


@pytest.mark.parametrize("places", [False, True])
def test_open_slots_are_counted_for_all_of_a_crew(places: bool) -> None:
    made, schedule = instance(Random(5))
    a = made.arrays
    j, first, last = np.arange(made.n), np.arange(made.n), np.arange(made.n) * 8
    found = open_in(a, seats_of(a), schedule.crew, j, first, last, places)
    for k in range(made.n):
        crew = schedule.crew[a.crew_ptr[a.need_ptr[k]] : a.crew_ptr[a.need_ptr[k + 1]]]
        rows = [*a.person_mask[crew].tolist(), *([int(a.place[k])] if places and a.place[k] >= 0 else [])]
        assert found[k] == sum(all(a.masks[row, t] for row in rows) for t in range(first[k], last[k]))


def test_ranges_one_after_the_other() -> None:
    owner, number = ragged(np.array([3, 5, 5, 0]), np.array([6, 5, 4, 2]))
    assert owner.tolist() == [0, 0, 0, 3, 3]
    assert number.tolist() == [3, 4, 5, 0, 1]
    assert ragged(np.zeros(0, np.int64), np.zeros(0, np.int64))[1].tolist() == []


def test_values_are_counted_row_by_row() -> None:
    rows = np.array([[1, 0, 1, 1], [0, 0, 0, 1]])
    row, first, last = np.array([1, 0, 0, 1]), np.array([0, 0, 1, 3]), np.array([4, 4, 3, 4])
    assert count_in(rows, 1, row, first, last).tolist() == [1, 3, 1, 1]
    assert count_in(rows, 1, row[:0], first[:0], last[:0]).tolist() == []


def test_parts_hold_so_much_or_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("throttle.worked.FLAT", 10)
    found = [(p.start, p.stop) for p in parts(np.array([4, 6, 1, 30, 0, 0, 9, 2]))]
    assert found == [(0, 2), (2, 3), (3, 4), (4, 7), (7, 8)]
    assert list(parts(np.zeros(0, np.int64))) == []
