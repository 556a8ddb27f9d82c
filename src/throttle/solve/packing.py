"""What the packed decoder reads (``throttle.solve.kernels.packed``), made of an instance, and its schedules back."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from throttle.instance import FS, Instance, Schedule
from throttle.solve.features import always_open, makespan_only
from throttle.solve.kernels import kernels
from throttle.solve.rules import topological

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from throttle.instance import Ints

    Words = NDArray[np.uint64]
    Numbers = NDArray[np.int32]
    Marks = NDArray[np.uint8]
    Reals = NDArray[np.float64]

LANES, LANE_BITS = 4, 16
"""Capacities in a word, and bits of each; the top one is its guard."""
MOST_CAPACITY = (1 << (LANE_BITS - 1)) - 1
WORD = 64
MOST_NEEDS = 10
"""An activity of more different needs has too many sets of them."""


class Model(NamedTuple):
    """An instance of activities without pauses, in words. Times are slots; links are finish to start."""

    length: Numbers
    release: Numbers
    at_once: Numbers
    """Zeros: no releases."""
    rest: Numbers
    """Slots from an activity's start to the last end, at least."""
    before: Numbers
    """Slots from slot 0 to an activity's end, at least."""
    latest: Reals
    """Latest finish where the longest chain of all ends when it can."""
    latest_own: Reals
    """The same with the longest chain of those that links connect with the activity, such as its project."""
    pred_ptr: Numbers
    pred: Numbers
    pred_lag: Numbers
    succ_ptr: Numbers
    succ: Numbers
    succ_lag: Numbers
    topological: Numbers
    """Activities in an order of the links."""
    reversed: Numbers
    use_ptr: Numbers
    """Of each activity, the words that it takes room of."""
    use_word: Numbers
    use_amount: Words
    room: Words
    """What is in each word at first: capacities, with the guard bit set above each."""
    hall_ptr: Numbers
    """Of each activity, the sets of its needs, all needs first."""
    hall_mask: Words
    """People (bits of one or more words) who can take one of the set."""
    hall_count: Numbers
    """Seats of the set."""
    qualified: Words
    """People who can take a need of each activity."""
    alone: Words
    """People who are a class of their own."""
    class_word: Numbers
    """Classes of people who can take the same needs: in which word their bits are, and which."""
    class_mask: Words
    worth: Reals
    """What keeping one of a class back is worth: work / people over the needs that they can take."""
    everyone: Words


class Space(NamedTuple):
    """Working space, one for each thread; the result of a decode is in ``found`` and ``found_crew``."""

    free: Words
    room_now: Words
    people_free: Words
    dirty: Ints
    able: Words
    slack: Ints
    start: Numbers
    crew: Words
    late: Numbers
    late_crew: Words
    found: Numbers
    found_crew: Words
    time: Numbers
    tally: Ints
    turn: Numbers
    order: Numbers
    wanted: Words
    key: Reals
    waits: Numbers
    heap: Numbers
    taken: Marks
    worth: Reals
    dearest: Numbers


class Pool(NamedTuple):
    """A population, one row a member, and the best schedule of all."""

    order: Numbers
    start: Numbers
    crew: Words
    worth: Reals
    end: Ints
    state: Ints
    random: Words
    best_start: Numbers
    best_crew: Words


def supports(instance: Instance) -> bool:
    """Whether the packed decoder can take the instance, and its cost is the last end."""
    a = instance.arrays
    if not (
        instance.n > 0
        and always_open(instance)
        and makespan_only(instance)
        and bool(((a.pred_type == FS) & (a.lag >= 0)).all())
    ):
        return False
    asked = np.bincount(a.use, a.amount, len(a.capacity))
    if (a.capacity[asked > a.capacity] > MOST_CAPACITY).any() or _horizon(instance) >= np.iinfo(np.int32).max // 2:
        return False
    return all(len(needs) <= MOST_NEEDS for needs in _needs(instance))


def _horizon(instance: Instance) -> int:
    """No schedule without idle time for all ends later."""
    a = instance.arrays
    return int(_lengths(instance).sum() + a.release.max(initial=0) + a.lag.sum()) + 2


def _lengths(instance: Instance) -> Ints:
    a = instance.arrays
    length = a.wait.copy()
    np.maximum.at(length, np.repeat(np.arange(instance.n), np.diff(a.need_ptr)), a.work)
    return length


def _needs(instance: Instance) -> list[dict[tuple[int, ...], int]]:
    """Of each activity, its seats by the people who can take them."""
    a = instance.arrays
    found: list[dict[tuple[int, ...], int]] = []
    for j in range(instance.n):
        needs: dict[tuple[int, ...], int] = {}
        for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
            able = tuple(sorted(a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist()))
            needs[able] = needs.get(able, 0) + int(a.people[q])
        found.append(needs)
    return found


class Packing:
    """An instance in words, and the way back. ``instance`` is one that :func:`supports` accepts."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        a, n = instance.arrays, instance.n
        self.length = _lengths(instance)
        self.horizon = _horizon(instance)
        order = topological(instance)
        head, tail = a.release.copy(), np.zeros(n, np.int64)
        for j in order:
            for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
                head[j] = max(head[j], head[a.pred[e]] + self.length[a.pred[e]] + a.lag[e])
        for j in order[::-1]:
            for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
                tail[a.pred[e]] = max(tail[a.pred[e]], tail[j] + self.length[j] + a.lag[e])
        self.critical = int((head + self.length + tail).max())
        """Slots of the longest chain, from slot 0."""
        rows = np.repeat(np.arange(n), np.diff(a.pred_ptr))
        after = np.lexsort((rows, a.pred))
        use_ptr, use_word, use_amount, room = self._rooms()
        needs = _needs(instance)
        self._classify(needs)
        hall = [self._hall(need) for need in needs]
        self.model = Model(
            length=_numbers(self.length),
            release=_numbers(a.release),
            at_once=np.zeros(n, np.int32),
            rest=_numbers(self.length + tail),
            before=_numbers(head + self.length),
            latest=(self.critical - tail).astype(np.float64),
            latest_own=(_own(a.pred_ptr, a.pred, head + self.length + tail) - tail).astype(np.float64),
            pred_ptr=_numbers(a.pred_ptr),
            pred=_numbers(a.pred),
            pred_lag=_numbers(a.lag),
            succ_ptr=_pointers(np.bincount(a.pred, minlength=n)),
            succ=_numbers(rows[after]),
            succ_lag=_numbers(a.lag[after]),
            topological=_numbers(order),
            reversed=_numbers(order[::-1]),
            use_ptr=use_ptr,
            use_word=use_word,
            use_amount=use_amount,
            room=room,
            hall_ptr=_pointers([len(sets) for sets in hall]),
            hall_mask=self._masks([mask for sets in hall for mask, _ in sets]),
            hall_count=_numbers([count for sets in hall for _, count in sets]),
            qualified=self._masks([self._mask(p for able in need for p in able) for need in needs]),
            alone=self._masks([sum(1 << group[0] for group in self._bits if len(group) == 1)])[0],
            class_word=_numbers([bits[0] // WORD for bits in self._bits]),
            class_mask=np.array([sum(1 << b % WORD for b in bits) for bits in self._bits], np.uint64),
            worth=np.array([self._worth(members, needs) for members in self._classes], np.float64),
            everyone=self._masks([sum(1 << b for bits in self._bits for b in bits)])[0],
        )
        self.most_sets = max((len(sets) for sets in hall), default=0)

    def _rooms(self) -> tuple[Numbers, Numbers, Words, Words]:
        """Environments that can ever be full, four to a word, those used by most together."""
        a, n = self.instance.arrays, self.instance.n
        row = np.repeat(np.arange(n), np.diff(a.use_ptr))
        takes = (self.length[row] > 0) & (a.amount > 0)
        asked = np.bincount(a.use[takes], a.amount[takes], len(a.capacity))
        users = np.bincount(a.use[takes], minlength=len(a.capacity))
        binding = [int(k) for k in np.argsort(-users, kind="stable") if asked[k] > a.capacity[k]]
        place = {k: divmod(i, LANES) for i, k in enumerate(binding)}
        room = [sum(1 << (LANE_BITS * lane + LANE_BITS - 1) for lane in range(LANES))] * (-(-len(binding) // LANES))
        for k, (word, lane) in place.items():
            room[word] += int(a.capacity[k]) << LANE_BITS * lane
        amounts: list[dict[int, int]] = [{} for _ in range(n)]
        for j, k, amount in zip(row[takes].tolist(), a.use[takes].tolist(), a.amount[takes].tolist(), strict=True):
            if k in place:
                word, lane = place[k]
                amounts[j][word] = amounts[j].get(word, 0) + (amount << LANE_BITS * lane)
        flat = [item for words in amounts for item in sorted(words.items())]
        return (
            _pointers([len(words) for words in amounts]),
            _numbers([word for word, _ in flat]),
            np.array([amount for _, amount in flat], np.uint64),
            np.array(room, np.uint64),
        )

    def _classify(self, needs: Sequence[dict[tuple[int, ...], int]]) -> None:
        """Classes of people who can take the same needs, and a run of bits within one word for each."""
        able_of: dict[int, list[int]] = {}
        for k, able in enumerate(dict.fromkeys(able for need in needs for able in need)):
            for person in able:
                able_of.setdefault(person, []).append(k)
        alike: dict[tuple[int, ...], list[int]] = {}
        for person in sorted(able_of):
            alike.setdefault(tuple(able_of[person]), []).append(person)
        chunks = [members[i : i + WORD] for members in alike.values() for i in range(0, len(members), WORD)]
        filled: list[int] = []
        self._classes: list[list[int]] = []
        self._bits: list[list[int]] = []
        for members in sorted(chunks, key=len, reverse=True):  # first fit
            word = next((w for w, used in enumerate(filled) if used + len(members) <= WORD), len(filled))
            if word == len(filled):
                filled.append(0)
            self._classes.append(members)
            self._bits.append([WORD * word + filled[word] + i for i in range(len(members))])
            filled[word] += len(members)
        self.words = len(filled)
        self._bit = {
            p: b
            for members, bits in zip(self._classes, self._bits, strict=True)
            for p, b in zip(members, bits, strict=True)
        }

    def _mask(self, people: Iterable[int]) -> int:
        mask = 0
        for p in people:
            mask |= 1 << self._bit[p]
        return mask

    def _masks(self, masks: Sequence[int]) -> Words:
        low = (1 << WORD) - 1
        rows = [[mask >> WORD * w & low for w in range(self.words)] for mask in masks]
        return np.array(rows, np.uint64).reshape(len(masks), self.words)

    def _hall(self, need: dict[tuple[int, ...], int]) -> list[tuple[int, int]]:
        """People and seats of each set of needs, all needs first; of sets with the same people the largest."""
        sets: dict[int, int] = {}
        for size in range(len(need), 0, -1):
            for chosen in combinations(need.items(), size):
                mask = self._mask(p for able, _ in chosen for p in able)
                sets[mask] = max(sets.get(mask, 0), sum(count for _, count in chosen))
        return list(sets.items())

    def _worth(self, members: Sequence[int], needs: Sequence[dict[tuple[int, ...], int]]) -> float:
        total = 0.0
        for j, need in enumerate(needs):
            for able, count in need.items():
                if members[0] in able:
                    total += count * int(self.length[j]) / len(able)
        return total

    def space(self) -> Space:
        m = self.model
        n, words = self.instance.n, self.words
        width = self.horizon + WORD  # slots are looked at by as many as a word has bits

        def times() -> Numbers:
            return np.zeros(n, np.int32)

        def crews() -> Words:
            return np.zeros((n, words), np.uint64)

        return Space(
            free=np.zeros((len(m.room), width), np.uint64),
            room_now=np.zeros(len(m.room), np.uint64),
            people_free=np.zeros((words, width), np.uint64),
            dirty=np.array([width], np.int64),
            able=np.zeros(words, np.uint64),
            slack=np.zeros(self.most_sets + 1, np.int64),
            start=times(),
            crew=crews(),
            late=times(),
            late_crew=crews(),
            found=times(),
            found_crew=crews(),
            time=times(),
            tally=np.zeros(self.horizon + 2, np.int64),
            turn=times(),
            order=times(),
            wanted=crews(),
            key=np.zeros(n),
            waits=np.full(n, -1, np.int32),
            heap=times(),
            taken=np.zeros(n, np.uint8),
            worth=np.zeros(len(m.worth)),
            dearest=np.zeros(len(m.worth), np.int32),
        )

    def order(self, start: Ints) -> Numbers:
        """Activities by start, ties in an order of the links."""
        rank = np.empty(self.instance.n, np.int64)
        rank[self.model.topological] = np.arange(self.instance.n)
        return _numbers(np.lexsort((rank, start)))

    def crews(self, schedule: Schedule) -> Words:
        """The people of each activity as bits, those of a class from the lowest."""
        a = self.instance.arrays
        found = np.zeros((self.instance.n, self.words), np.uint64)
        class_of = {p: c for c, members in enumerate(self._classes) for p in members}
        for j in range(self.instance.n):
            used: dict[int, int] = {}
            for seat in range(a.crew_ptr[a.need_ptr[j]], a.crew_ptr[a.need_ptr[j + 1]]):
                c = class_of[int(schedule.crew[seat])]
                used[c] = used.get(c, 0) + 1
            found[j] = self._masks([sum(1 << b for c, number in used.items() for b in self._bits[c][:number])])[0]
        return found

    def schedule(self, start: Numbers, crew: Words) -> Schedule:
        """People for the crews, matched to seats; those of a class by colouring the intervals."""
        a = self.instance.arrays
        begin = start.astype(np.int64)
        end = begin + self.length
        seats = np.full(int(a.crew_ptr[-1]), -1, np.int64)
        idle_from = dict.fromkeys(self._bit, 0)
        for j in self.order(begin).tolist():
            if a.need_ptr[j] == a.need_ptr[j + 1]:
                continue
            bits = sum(int(word) << WORD * w for w, word in enumerate(crew[j]))
            members: list[int] = []
            for group, numbers in zip(self._classes, self._bits, strict=True):
                count = (bits >> numbers[0] & ((1 << len(group)) - 1)).bit_count()
                if count:
                    members += sorted(group, key=lambda p: (idle_from[p], p))[:count]
            for p in members:
                idle_from[p] = int(end[j])
            self._seat(j, members, seats)
        cost, flow = kernels(False).cost(a, begin, end)
        return Schedule(begin, end, seats, float(cost), float(flow))

    def _seat(self, j: int, members: Sequence[int], seats: Ints) -> None:
        """Match the crew of an activity to its seats by augmenting paths."""
        a = self.instance.arrays
        able = {
            seat: frozenset(a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist())
            for q in range(a.need_ptr[j], a.need_ptr[j + 1])
            for seat in range(a.crew_ptr[q], a.crew_ptr[q + 1])
        }

        def sit(person: int, seen: set[int]) -> bool:
            for seat, who in able.items():
                if person in who and seat not in seen:
                    seen.add(seat)
                    if seats[seat] < 0 or sit(int(seats[seat]), seen):
                        seats[seat] = person
                        return True
            return False

        for person in members:
            if not sit(person, set()):
                raise ValueError(f"the crew of {self.instance.activities[j]} does not match its seats")


def _own(pred_ptr: Ints, pred: Ints, chain: Ints) -> Ints:
    """The largest value of all that links connect with each activity."""
    rows = np.repeat(np.arange(len(chain)), np.diff(pred_ptr))
    found = chain.copy()
    while True:
        before = found.copy()
        np.maximum.at(found, rows, found[pred])
        np.maximum.at(found, pred, found[rows])
        if np.array_equal(before, found):
            return found


def _numbers(values: Sequence[int] | Ints | Numbers) -> Numbers:
    return np.array(values, np.int32)


def _pointers(counts: Sequence[int] | Ints) -> Numbers:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
