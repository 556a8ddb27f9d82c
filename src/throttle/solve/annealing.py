"""Chronological schedules of an instance, and simulated annealing over the keys that make them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from throttle.instance import ELAPSED, Instance, Schedule
from throttle.solve.decoder import Outcome
from throttle.solve.kernels import kernels
from throttle.solve.rules import Facts, Turns, candidate_sets

if TYPE_CHECKING:
    from throttle.instance import Floats, Ints

LEADS, LOOKAHEADS = (0.2, 0.0, 0.45), (0.8, 0.5, 1.1, 0.3, 1.6)
"""Tried in dispatch: shares of a project's longest chain that it begins ahead; k for each root of their number."""
LEAD_TIME_ROUNDS, LEAD_TIME_PATIENCE = 8, 2
SMOOTHING, LEAD_TIME_SHARE = 0.4, 0.75
HEAT, HEATED_ACTIVITIES, HEAT_DECAY = 1.5e-4, 10_000, 1.8
"""Temperature at first, as a share of the cost; above so many activities less, by this power of their number."""
RESERVED, RESERVED_LEAST = 0.5, 2
"""A queue shorter than this share of the longest that someone is in goes on without them, if that leaves so many times
the people that it takes at once."""
CHAIN_MOVES = 0.7
"""Share of the moves that start from a critical chain."""
ROUND = 14_000.0
"""Work of a cooling, for each activity."""
SHIFT = 3.0
"""Scale of random moves, in times that a group takes at least."""
PACED = 0.01
"""Share of the search after which its pace is known."""
FLOW_SHARE = 1e-6
"""Weight of the flow measure beside the cost, so that plateaus of the cost still lead somewhere."""


def supports(instance: Instance) -> bool:
    """Whether chronological schedules can keep all rules of an instance.

    They take crews, part-time shares, environments, calendars, pauses or none, and links of all types with elapsed
    lags; not pins, windows, freezes, working lags, quotas, and limits on a person's items or on what is in process.
    With a negative lag an activity still starts no earlier than the one it waits for.
    """
    a = instance.arrays
    return bool(
        (a.pin < 0).all()
        and (a.occurrence < 0).all()
        and (a.frozen < 0).all()
        and (a.lag_kind == ELAPSED).all()
        and (a.person_wip == 0).all()
        and (a.limit == 0).all()
        and not len(a.team_wip)
        and not a.in_process.any()
        and not len(a.person_quota)
        and np.diff(a.crew_ptr[a.need_ptr]).max(initial=0) < kernels(False, "chronological").MOST_SEATS
    )


class Chronological:
    """Chronological schedule generation on one instance. Not shared between threads: each has its own working space."""

    def __init__(self, instance: Instance, compiled: bool = True) -> None:
        self.instance = instance
        self.kernel: Any = kernels(compiled, "chronological")
        self.people = _least_flexible_first(instance)
        self._shared, self._reserved = _Builder(instance, self.people, self.kernel).problems()
        self.problem = self._shared
        self.space = self._space()
        self.blank, self.run = self.new_run(), self.new_run()
        self.reserve(True)

    @property
    def reserving(self) -> bool:
        """Whether people with a long queue are kept for it."""
        return self.problem is self._reserved

    def reserve(self, wanted: bool) -> bool:
        """Keep people with a long queue for it, where there are such, or not; whether that is a change."""
        chosen = self._reserved if wanted and self._reserved is not None else self._shared
        changed = chosen is not self.problem
        self.problem = chosen
        return changed

    def decode(self, key: Floats) -> Outcome:
        """Start whatever can start, smallest key first.

        If people kept for long queues leave something without a place, they are no longer kept.
        """
        distinct = ranks(key)
        value = self.kernel.decode(self.problem, self.space, self.run, self.blank, distinct, 0, 0, np.inf)
        if value < 0 and self.reserve(False):
            value = self.kernel.decode(self.problem, self.space, self.run, self.blank, distinct, 0, 0, np.inf)
        if value < 0:
            return Outcome(None, tuple(int(j) for j in np.flatnonzero(self.run.start < 0)))
        return Outcome(self.schedule(self.run.start, self.run.end, self.run.crew))

    def schedule(self, start: Ints, end: Ints, crew: Ints) -> Schedule:
        """With people by their numbers in the instance, and the cost."""
        a = self.instance.arrays
        finish, begin = np.zeros(len(a.due)), np.zeros(len(a.due))
        if len(a.due):
            finish = np.maximum.reduceat(end[a.member], a.member_ptr[:-1]).astype(float)
            begin = np.minimum.reduceat(start[a.member], a.member_ptr[:-1]).astype(float)
        cost = a.tardiness * np.maximum(0.0, finish - a.due) + a.flow * finish + a.span * (finish - begin)
        cost += a.earliness * np.maximum(0.0, a.wanted - begin)
        return Schedule(
            start.copy(), end.copy(), self.people[crew], float(cost.sum()), float((a.measure * finish).sum())
        )

    def new_run(self) -> Any:
        n, groups = self.instance.n, len(self.instance.arrays.due)
        seats = int(self.instance.arrays.crew_ptr[-1])
        return self.kernel.Run(
            start=np.full(n, -1, np.int64),
            end=np.zeros(n, np.int64),
            crew=np.zeros(seats, np.int64),
            until=np.zeros(seats, np.int64),
            ready=np.zeros(n, np.int64),
            sequence=np.arange(n),
            finish=np.zeros(groups, np.int64),
            begin=np.zeros(groups, np.int64),
        )

    def _space(self) -> Any:
        p, n = self.problem, self.instance.n
        words, kinds = p.people_of.shape[1], len(p.place)
        kind_words = max(1, -(-kinds // self.kernel.BITS))
        seats, most = len(p.seat_work), self.kernel.MOST_SEATS

        def zeros(*shape: int) -> Ints:
            return np.zeros(shape, np.int64)

        return self.kernel.Space(
            missing=zeros(n),
            floor=zeros(n),
            heap=zeros(n),
            size=zeros(kinds),
            top=np.zeros(kinds),
            waiting=zeros(kind_words),
            blocked=zeros(kind_words),
            freed=zeros(p.slots + 1),
            next_freed=zeros(seats + n),
            due=zeros(p.slots + 1),
            next_due=zeros(n),
            load=zeros(len(self.people)),
            room=zeros(len(p.shares), words),
            present=zeros(words),
            used=zeros(len(p.capacity)),
            allowed=zeros(most, words),
            chosen=zeros(most),
            rows=zeros(most + 1),
            works=zeros(most + 1),
            ends=zeros(most + 1),
            taken=zeros(words),
            started=zeros(1),
        )


def dispatch(facts: Facts, decoder: Chronological) -> Iterator[tuple[Floats, Outcome]]:
    """Keys and what comes of them: a few values of what the index looks ahead, the likeliest first.

    Each with the lead times of its last schedule, as far as that helps (Vepsalainen and Morton, "Improving local
    priority rules with global lead-time estimates", 1988).
    """
    turns = Turns(facts)
    points = list(product(LEADS, LOOKAHEADS))
    decoder.reserve(True)
    least: dict[bool, float] = {}
    for reserving in (True, False) if decoder.reserving else (False,):
        decoder.reserve(reserving)
        least[reserving] = yield from _with_lead_times(turns, decoder, *points[0])
    decoder.reserve(min(least, key=lambda reserving: least[reserving]))
    for point in points[1:]:
        yield from _with_lead_times(turns, decoder, *point)


def _with_lead_times(
    turns: Turns, decoder: Chronological, lead: float, many: float
) -> Generator[tuple[Floats, Outcome], None, float]:
    """Keys with the lead times that come of them, and at last the least cost."""
    a = decoder.instance.arrays
    groups = len(a.due)
    ahead, best, vain = turns.ahead(lead), np.inf, 0
    for _ in range(LEAD_TIME_ROUNDS):
        positions = turns.positions(many * max(groups, 1) ** 0.5, ahead)
        key = turns.key(positions)
        outcome = decoder.decode(key)
        yield key, outcome
        found = outcome.schedule
        vain = vain + 1 if found is None or found.cost >= best else 0
        if found is None or vain == LEAD_TIME_PATIENCE or not groups:
            break
        best = min(best, found.cost)
        finish = np.maximum.reduceat(found.end[a.member], a.member_ptr[:-1])
        ahead = (1 - SMOOTHING) * ahead + SMOOTHING * LEAD_TIME_SHARE * (finish - positions)
    return float(best)


def ranks(key: Floats) -> Floats:
    """Different keys in the same order; of equal ones, the first comes first."""
    found = np.empty(len(key))
    found[np.argsort(key, kind="stable")] = np.arange(len(key))
    return found


class Annealing:
    """Simulated annealing over keys; ``best`` only ever improves.

    Moves start at what costs most: along the critical chain of a late group, an activity (or its whole group) that
    waited for people passes one that was started before it; groups and single activities move at random beside. A
    run goes on from the first instant at which the changed keys can matter, and stops once it must be refused. Where
    there is time for more than one cooling, each begins anew, by turns from the first key and from the best schedule.
    Unit of work: an activity started; one kept from the run before counts a quarter.
    """

    rate = 3e6

    def __init__(self, decoder: Chronological, key: Floats, best: Schedule, seed: int) -> None:
        self.decoder, self.kernel = decoder, decoder.kernel
        n, groups = decoder.instance.n, len(decoder.instance.arrays.due)
        self.runs = decoder.new_run(), decoder.new_run()
        self.scale = max(1.0, SHIFT * float(np.mean(_paths(decoder)))) if groups else 1.0
        self.heat = HEAT * min(1.0, (HEATED_ACTIVITIES / max(n, 1)) ** HEAT_DECAY)
        self.round = ROUND * n
        self._best, self._told = best, np.inf
        self._first_key = _spread(key, best.start)
        self._spent, self._rounds = 0.0, 0
        self._origin: float | None = None
        self._since, self._until = 0.0, 1.0
        self.walk = self.kernel.Walk(
            key=self._first_key.copy(),
            trial=np.zeros(n),
            changed=np.zeros(2 * n, np.int64),
            pressure=np.zeros(groups),
            best_start=np.zeros(n, np.int64),
            best_end=np.zeros(n, np.int64),
            best_crew=np.zeros(len(best.crew), np.int64),
            value=np.full(2, np.inf),
            current=np.zeros(1, np.int64),
            random=np.array([1 + (seed * 7919 + 12345) % 2147483000], np.int64),
            tally=np.zeros(3, np.int64),
        )
        self._reserve()
        self.begun = self._begin()

    def _begin(self) -> bool:
        """Decode the key of the walk and go on from there; whether everything has a place."""
        value = self._decode()
        if value < 0 and self.decoder.reserve(False):
            value = self._decode()
        if value >= 0:
            self.kernel.go_on_from(self.decoder.problem, self.runs[0], self.walk, value)
        return value >= 0

    def _decode(self) -> float:
        d = self.decoder
        return float(self.kernel.decode(d.problem, d.space, self.runs[0], d.blank, self.walk.key, 0, 0, np.inf))

    def _reserve(self) -> None:
        """Keep people with a long queue for it if the key is better so."""
        least: dict[bool, float] = {}
        for wanted in (True, False):
            if self.decoder.reserve(wanted) or not least:
                value = self._decode()
                least[wanted] = value if value >= 0 else np.inf
        self.decoder.reserve(min(least, key=lambda wanted: least[wanted]))

    @property
    def best(self) -> Schedule:
        return self._best

    def step(self, progress: float, work: float) -> float:
        if not self.begun:
            return work
        w = self.walk
        temperature = self.heat * (1 - self._cooled(progress)) ** 2 * w.value[0]
        done = float(
            self.kernel.anneal(
                self.decoder.problem, self.decoder.space, *self.runs, w, temperature, self.scale, CHAIN_MOVES, work
            )
        )
        self._spent += done
        if w.value[1] < self._told:
            self._told = float(w.value[1])
            found = self.decoder.schedule(w.best_start, w.best_end, w.best_crew)
            if found.better(self._best):
                self._best = found
        return done

    def _cooled(self, progress: float) -> float:
        """The share of the current cooling that is over; begins the next one where it is time."""
        if self._origin is None:
            self._origin = self._since = progress
        if progress >= self._until < 1:
            self._rounds += 1
            if self._rounds % 2:
                self.walk.key[:] = self._first_key
            else:
                self.walk.key[:] = _after(self._best, self.walk.key)
            if not self._begin():
                self.walk.key[:] = self._first_key
                self.begun = self._begin()
            self._since, self._until = progress, 1.0
        if self._until == 1.0 and progress - self._origin >= PACED:
            # as many coolings of the usual length as there is time for at the pace so far
            length = self.round * (progress - self._origin) / self._spent
            left = max(1, round((1 - self._since) / length))
            if left > 1:
                self._until = self._since + (1 - self._since) / left
        return min(1.0, (progress - self._since) / max(self._until - self._since, 1e-9))

    def join(self, schedule: Schedule) -> None:
        """Take over a schedule found elsewhere; its order in time is the new key."""
        if schedule.better(self._best):
            self._best = schedule
            self.walk.key[:] = _after(schedule, self.walk.key)
            self.begun = self._begin()


def _after(schedule: Schedule, key: Floats) -> Floats:
    """A key that makes such a schedule again, where nobody waited in it."""
    return schedule.start + 1e-3 * ranks(key) / max(1, len(key))


def _paths(decoder: Chronological) -> Ints:
    """Slots that each group takes at least."""
    p = decoder.problem
    paths: Ints = p.floor - np.minimum.reduceat(p.release[p.member], p.member_ptr[:-1])
    return paths


def _spread(key: Floats, start: Ints) -> Floats:
    """Different keys in the same order, over as many slots as the starts."""
    span = float(np.ptp(key)) if len(key) else 0.0
    wide = float(np.ptp(start)) if len(start) else 0.0
    scaled = (key - key.min()) * (wide / span) if span > 0 else np.zeros(len(key))
    return scaled + 1e-3 * ranks(key) / max(1, len(key))


def _least_flexible_first(instance: Instance) -> Ints:
    """People in the order of what they would be missed for: the queues of all sets of people that they are in."""
    a = instance.arrays
    need_set, sets = candidate_sets(instance)
    each = a.work * a.people * a.share / np.array([max(1, len(able)) for able in sets])[need_set]
    queue = np.bincount(need_set, each, len(sets))
    missed = np.zeros(len(instance.people))
    for able, length in zip(sets, queue / (queue.max(initial=0.0) or 1.0), strict=True):
        missed[able] += length**4
    return np.argsort(missed, kind="stable")


def _kept_for_long_queues(instance: Instance) -> list[Ints] | None:
    """The sets of candidates, without those who also belong to a much longer queue; None if that changes nothing.

    Whoever does other work while nothing of the long queue is ready is missed there soon after.
    """
    a = instance.arrays
    need_set, sets = candidate_sets(instance)
    effort = np.bincount(need_set, a.work * a.people * a.share / 100.0, len(sets))
    seats = np.zeros(len(sets), np.int64)
    np.maximum.at(seats, need_set, a.people)
    longest = np.zeros(len(instance.people))
    for able, work in zip(sets, effort, strict=True):
        longest[able] = np.maximum(longest[able], work / max(1, len(able)))
    kept: list[Ints] = []
    for able, work, least in zip(sets, effort, seats, strict=True):
        left: Ints = able[work / max(1, len(able)) >= RESERVED * longest[able]]
        kept.append(left if len(left) >= RESERVED_LEAST * least else able)
    if all(len(left) == len(able) for left, able in zip(kept, sets, strict=True)):
        return None
    return kept


class _Builder:
    """An instance as the kernel reads it."""

    def __init__(self, instance: Instance, people: Ints, kernel: Any) -> None:
        self.instance, self.a, self.kernel = instance, instance.arrays, kernel
        self.order = people
        self.number = np.empty(len(people), np.int64)
        self.number[people] = np.arange(len(people))
        self.words = max(1, -(-len(people) // kernel.BITS))

    def bits(self, members: Ints, words: int) -> Ints:
        found = np.zeros(words, np.int64)
        np.bitwise_or.at(found, members // self.kernel.BITS, np.int64(1) << (members % self.kernel.BITS))
        return found

    def problems(self) -> tuple[Any, Any]:
        """As it is, and with the people in long queues kept for these; None where that is nobody."""
        whole = self.problem()
        kept = _kept_for_long_queues(self.instance)
        if kept is None:
            return whole, None
        sets = np.array([self.bits(self.number[able], self.words) for able in kept], np.int64)
        able, kinds_of = self.servers(sets, kept, whole.need_ptr, whole.need_set)
        return whole, whole._replace(sets=sets, able=able, kinds_of=kinds_of)

    def problem(self) -> Any:
        a, n = self.a, self.instance.n
        seat_need = np.repeat(np.arange(len(a.work)), a.people)
        rows = np.repeat(np.arange(n), np.diff(a.need_ptr))
        longest = np.zeros(n, np.int64)
        np.maximum.at(longest, rows, a.work)
        length = np.where(np.diff(a.need_ptr) > 0, longest, a.wait)
        calendar = self.calendar()
        kinds = self.kinds(length, bool(calendar["open_always"]))
        succ_ptr, order = _by(a.pred, n)
        waiting = np.repeat(np.arange(n), np.diff(a.pred_ptr))
        self.successors = succ_ptr, waiting[order], a.pred_type[order], a.lag[order]
        return self.kernel.Problem(
            length=length,
            release=a.release,
            seat_ptr=a.crew_ptr[a.need_ptr],
            seat_work=a.work[seat_need],
            seat_share=a.share[seat_need],
            waits=np.diff(a.pred_ptr),
            succ_ptr=succ_ptr,
            succ=self.successors[1],
            succ_type=self.successors[2],
            succ_lag=self.successors[3],
            pred_ptr=a.pred_ptr,
            pred=a.pred,
            pred_type=a.pred_type,
            pred_lag=a.lag,
            capacity=a.capacity,
            **kinds,
            **calendar,
            **self.groups(length),
            reusable=bool(calendar["open_always"]) or bool((a.pred_type <= 1).all()),
        )

    def kinds(self, length: Ints, open_always: bool) -> dict[str, Any]:
        """Activities that ask for the same people and environments are of one kind."""
        a = self.a
        need_set, able_of = candidate_sets(self.instance)
        sets = np.array([self.bits(self.number[able], self.words) for able in able_of], np.int64)
        sets = sets.reshape(-1, self.words)
        shares, need_share = np.unique(a.share, return_inverse=True)
        if not len(shares):
            shares = np.array([100])
        number: dict[tuple[Any, ...], int] = {}
        kind = np.full(self.instance.n, -1, np.int64)
        signature = list(zip(need_set.tolist(), need_share.tolist(), a.people.tolist(), strict=True))
        works, need_ptr, use_ptr = a.work.tolist(), a.need_ptr.tolist(), a.use_ptr.tolist()
        uses = list(zip(a.use.tolist(), a.amount.tolist(), strict=True))
        unbroken = a.run & (not open_always)
        place = np.where(open_always, -1, a.place)
        plain = ~unbroken & (place < 0) & (np.diff(a.use_ptr) == 0)
        for j in np.flatnonzero((length > 0) & ((np.diff(a.need_ptr) > 0) | ~plain)).tolist():
            first, last = need_ptr[j], need_ptr[j + 1]
            asked: tuple[Any, ...] = tuple(signature[first:last])
            if not plain[j]:
                taken = tuple(uses[use_ptr[j] : use_ptr[j + 1]])
                asked = (asked, taken, int(place[j]), tuple(works[first:last]) if unbroken[j] else ())
            else:
                asked = (asked, (), -1, ())
            kind[j] = number.setdefault(asked, len(number))
        need_ptr_, rows, use_ptr_, used = [0], [], [0], []
        for needs, taken, _, lasting in number:
            for k, (able, share, people) in enumerate(needs):
                rows += [(able, share, lasting[k] if lasting else 0)] * people
            need_ptr_.append(len(rows))
            used += taken
            use_ptr_.append(len(used))
        needs_of = np.array(rows, np.int64).reshape(-1, 3)
        uses_of = np.array(used, np.int64).reshape(-1, 2)
        count = len(number)
        kind_words = max(1, -(-count // self.kernel.BITS))
        able_rows, kinds_of = self.servers(sets, able_of, need_ptr_, needs_of[:, 0])
        kinds_in = np.zeros((len(a.capacity), kind_words), np.int64)
        for c in range(count):
            bit = np.int64(1) << (c % self.kernel.BITS)
            for e in uses_of[use_ptr_[c] : use_ptr_[c + 1], 0].tolist():
                kinds_in[e, c // self.kernel.BITS] |= bit
        return {
            "kind": kind,
            "heap_ptr": np.r_[0, np.cumsum(np.bincount(kind[kind >= 0], minlength=count))].astype(np.int64),
            "need_ptr": np.array(need_ptr_, np.int64),
            "need_set": needs_of[:, 0].copy(),
            "need_share": needs_of[:, 1].copy(),
            "need_work": needs_of[:, 2].copy(),
            "use_ptr": np.array(use_ptr_, np.int64),
            "use": uses_of[:, 0].copy(),
            "amount": uses_of[:, 1].copy(),
            "place": np.array([p for _, _, p, _ in number], np.int64),
            "unbroken": np.array([bool(lasting) for *_, lasting in number], bool),
            "able": able_rows,
            "sets": sets,
            "kinds_of": kinds_of,
            "kinds_in": kinds_in,
            "shares": shares.astype(np.int64),
        }

    def servers(
        self, sets: Ints, able_of: Sequence[Ints], need_ptr: Sequence[int] | Ints, need_set: Ints
    ) -> tuple[Ints, Ints]:
        """Of each kind, the people who can take any of its seats; and of each person, these kinds."""
        count = len(need_ptr) - 1
        able = np.zeros((count, self.words), np.int64)
        kinds_of = np.zeros((len(self.order), max(1, -(-count // self.kernel.BITS))), np.int64)
        for c in range(count):
            bit = np.int64(1) << (c % self.kernel.BITS)
            for row in need_set[need_ptr[c] : need_ptr[c + 1]].tolist():
                able[c] |= sets[row]
                kinds_of[self.number[able_of[row]], c // self.kernel.BITS] |= bit
        return able, kinds_of

    def calendar(self) -> dict[str, Any]:
        a = self.a
        row = a.person_mask[self.order]
        asked = np.unique(np.r_[row, a.place[a.place >= 0]])
        everyone = self.bits(np.arange(len(self.order)), self.words)
        if (a.masks[asked] == 1).all():
            nothing = np.zeros((1, 1), np.int32)
            return {
                "open_always": True,
                "row": row,
                "people_of": everyone[None, :].copy(),
                "masks": np.ones((1, 1), np.uint8),
                "next_open": nothing,
                "worked": nothing,
                "slot_of": nothing,
                "changes": np.zeros(1, np.int64),
                "slots": self.instance.slots,
            }
        masks = a.masks
        people_of = np.array([self.bits(np.flatnonzero(row == m), self.words) for m in range(len(masks))], np.int64)
        worked = np.zeros((len(masks), masks.shape[1] + 1), np.int32)
        np.cumsum(masks, axis=1, out=worked[:, 1:])
        slot_of = np.full(masks.shape, masks.shape[1], np.int32)
        for m in range(len(masks)):
            slots = np.flatnonzero(masks[m])
            slot_of[m, : len(slots)] = slots
        changed = (np.diff(masks[asked].astype(np.int8), axis=1) != 0).any(axis=0)
        return {
            "open_always": False,
            "row": row,
            "people_of": people_of,
            "masks": masks,
            "next_open": a.next_open,
            "worked": worked,
            "slot_of": slot_of,
            "changes": np.flatnonzero(changed) + 1,
            "slots": self.instance.slots,
        }

    def groups(self, length: Ints) -> dict[str, Any]:
        a, n = self.a, self.instance.n
        sizes = np.diff(a.member_ptr)
        group_ptr, order = _by(a.member, n)
        group = np.repeat(np.arange(len(a.due)), sizes)[order]
        costly = (a.tardiness > 0) | (a.flow > 0) | (a.span > 0) | (a.earliness > 0)
        home = np.full(n, -1, np.int64)
        for g in np.argsort(-sizes, kind="stable").tolist():
            if costly[g]:
                home[a.member[a.member_ptr[g] : a.member_ptr[g + 1]]] = g
        head, tail = a.release.copy(), np.zeros(len(group), np.int64)
        self.kernel.chains(
            length, a.pred_ptr, a.pred, a.pred_type, a.lag, *self.successors, group_ptr, group, head, tail
        )
        floor = np.zeros(len(a.due), np.int64)
        np.maximum.at(floor, group, np.repeat(head + length, np.diff(group_ptr)))
        return {
            "home": home,
            "group_ptr": group_ptr,
            "group": group,
            "tail": tail,
            "member_ptr": a.member_ptr,
            "member": a.member,
            "floor": floor,
            "tardiness": a.tardiness,
            "due": a.due,
            "flow": a.flow + FLOW_SHARE * a.measure,
            "span": a.span,
            "earliness": a.earliness,
            "wanted": a.wanted,
        }


def _by(owner: Ints, n: int) -> tuple[Ints, Ints]:
    """Row pointers, and the order that sorts entries by owner."""
    return np.r_[0, np.cumsum(np.bincount(owner, minlength=n))].astype(np.int64), np.argsort(owner, kind="stable")
