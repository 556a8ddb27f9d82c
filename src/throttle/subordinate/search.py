"""Search for one goal with those before it kept: orders and crews, over what the serial decoder makes of them.

A threshold search (Dueck and Scheuer, "Threshold accepting", 1990): a move is accepted if the value of the goal is at
most a little above the best, and every earlier goal is within what may be given up of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import Schedule
from throttle.solve.decoder import Decoder, work_of
from throttle.solve.local import predecessors_first
from throttle.subordinate.measure import Measure, Values

if TYPE_CHECKING:
    from throttle.instance import Floats, Ints

COMPILED_RATE, PLAIN_RATE = 4e6, 1e5
"""Work a second, of compiled kernels and of plain ones."""
LOST, DIVERTED, SWITCHES, IN_PROCESS = range(4)
"""Positions in ``Values``."""
SLACK = 0.03
"""What a move may make worse of the best value at first."""
VAIN_TRIES, VAIN_SHARE = 200, 50
"""Moves in vain after which a search ends: so many, and so many for each activity."""
ANYTHING = 0.25
"""Share of moves that have nothing to do with the goal, so that others become possible."""
RIVALS = 4
"""Of what a person did before an activity, so many are looked at, the latest."""
SAME = 1e-9


@dataclass(frozen=True)
class Caps:
    """What the goals before may come to at most."""

    cost: float
    flow: float
    values: tuple[float, ...]
    """Of ``Values``, as many as come before."""

    def keep(self, cost: float, flow: float, values: Values) -> bool:
        return (
            cost <= self.cost
            and flow <= self.flow
            and all(value <= most for value, most in zip(values, self.values, strict=False))
        )


class Polish:
    """A search for less of one goal (a ``Search``). ``best`` only ever improves."""

    def __init__(self, measure: Measure, decoder: Decoder, start: Schedule, goal: int, caps: Caps, seed: int) -> None:
        self.measure, self.decoder, self.goal, self.caps = measure, decoder, goal, caps
        self.rate = COMPILED_RATE if decoder.compiled else PLAIN_RATE
        self.random = Random(seed)
        instance = decoder.instance
        a = self.a = instance.arrays
        self.unit = work_of(instance) / max(1, instance.n)
        self.look = float((start.end - start.start).sum())
        """Slots that measuring one schedule looks at."""
        self.best, self.values = start, measure.of_schedule(start)
        self.seat_need = np.repeat(np.arange(len(a.work)), a.people)
        activity = np.repeat(np.arange(instance.n), np.diff(a.need_ptr))
        self.seat_activity: Ints = activity[self.seat_need]
        self.drum_seats = [
            int(s)
            for s in np.flatnonzero(measure.marked.own[self.seat_need] == 0)
            if self._outside(int(self.seat_need[s]))
        ]
        """Seats that somebody outside the drum can take."""
        self.vain, self.patience = 0, VAIN_TRIES + VAIN_SHARE * instance.n
        self.usable = self._begin()

    @property
    def enough(self) -> bool:
        """Whether nothing is left to do: there is none of it, nothing more is found, or no order gives the schedule."""
        return not self.usable or self.values[self.goal] == 0 or self.vain > self.patience

    def step(self, progress: float, work: float = 0.0) -> float:
        """Try moves at this share (0 to 1) of the search until so much work is done, one at least."""
        before, tries = self.decoder.work, 0
        while True:
            tries += 1
            if not self.enough:
                self._try(progress)
            done = (self.decoder.work - before) * self.unit + tries * (self.look + 1)
            if done >= work or self.enough:
                return max(done, self.unit, 1.0)

    def join(self, schedule: Schedule) -> None:
        """Nothing is taken over: each search is alone."""

    # --- what it goes on from ------------------------------------------------------------------------------------

    def _begin(self) -> bool:
        """Whether the order of the starts, with the same people, gives a schedule that keeps the caps."""
        s = self.best
        key = np.empty(len(s.start))
        key[np.lexsort((s.end, s.start))] = np.arange(len(s.start))
        found = self.decoder.decode(key, s.crew).schedule
        if found is None:
            return False
        values = self.measure.of_schedule(found)
        if not self.caps.keep(found.cost, found.flow, values):
            return False
        self.forced = s.crew.copy()
        self._settle(values)
        if values[self.goal] < self.values[self.goal]:
            self.best, self.values = found, values
        return True

    def _settle(self, values: Values) -> None:
        """Take what the decoder has as current."""
        self.current = values
        self.key = self.decoder.tidy()
        base = self.decoder.base
        if base is None:
            raise ValueError("there is a schedule to go on from")
        self.base = base
        starts = base.start[self.seat_activity]
        by_person = np.lexsort((starts, base.crew))
        self.agenda: list[int] = self.seat_activity[by_person].tolist()
        self.agenda_ptr: list[int] = np.searchsorted(
            base.crew[by_person], np.arange(len(self.a.person_mask) + 1)
        ).tolist()

    def _try(self, progress: float) -> None:
        self.vain += 1
        if self.random.random() < ANYTHING:
            key, forced = self._anything()
        else:
            key, forced = self._switching() if self.goal == SWITCHES else self._exploiting()
        found = self.decoder.revise(key, forced, self.caps.cost, 0.0)
        if found is None or found[0] > self.caps.cost or found[1] > self.caps.flow:
            return
        trial = self.decoder.trial
        values = self.measure.of(trial.start, trial.end, trial.crew)
        allowed = self.values[self.goal] * (1 + SLACK * (1 - progress))
        if values[self.goal] > allowed or not self.caps.keep(*found, values):
            return
        better = values[self.goal :] < self.values[self.goal :]
        self.decoder.keep()
        self.forced = forced
        self._settle(values)
        if better:
            self.best = self.decoder.schedule(self.base.start, self.base.end, self.base.crew)
            self.values, self.vain = values, 0

    # --- moves -----------------------------------------------------------------------------------------------------

    def _exploiting(self) -> tuple[Floats, Ints]:
        """Drum work, or what it waits for, goes sooner; or others do what they can for the drum."""
        marked, random = self.measure.marked, self.random
        taken = [s for s in self.drum_seats if marked.drum[self.base.crew[s]] >= 0]
        if taken and (self.goal == DIVERTED or random.random() < 0.3):
            return self.key, self._given(random.choice(taken), outside=True)
        if not len(marked.waiting) or self.goal == DIVERTED:
            return self._anything()
        j = int(marked.waiting[random.randrange(len(marked.waiting))])
        while random.random() < 0.5:
            before = self.a.pred[self.a.pred_ptr[j] : self.a.pred_ptr[j + 1]]
            if not len(before):
                break
            j = int(before[np.argmax(self.base.end[before])])
        return self._passing(j), self.forced

    def _switching(self) -> tuple[Floats, Ints]:
        """At a switch, work of the same context is put together, or another of that context takes the seat."""
        context, random = self.measure.marked.context, self.random
        for _ in range(8):
            p = random.randrange(len(self.agenda_ptr) - 1)
            mine = self.agenda[self.agenda_ptr[p] : self.agenda_ptr[p + 1]]
            at = [i for i in range(1, len(mine)) if context[mine[i]] != context[mine[i - 1]]]
            if not at:
                continue
            i = random.choice(at)
            if random.random() < 0.3:
                seat = self._seat(mine[i], p)
                if seat is not None:
                    return self.key, self._given(seat, near=mine[i])
            later = [j for j in mine[i + 1 :] if context[j] == context[mine[i - 1]]]
            earlier = [j for j in mine[: i - 1] if context[j] == context[mine[i]]]
            key = self.key.copy()
            if later and (not earlier or random.random() < 0.5):
                if random.random() < 0.5:
                    key[later[0]] = key[mine[i]] - 0.5
                    predecessors_first(self.a, key, later[0])
                else:
                    key[mine[i]] = key[later[-1]] + 0.5
                return key, self.forced
            if earlier:
                key[mine[i]] = key[earlier[-1]] + 0.5
                predecessors_first(self.a, key, mine[i])
                return key, self.forced
        return self._anything()

    def _anything(self) -> tuple[Floats, Ints]:
        """Somebody else takes a seat; some activity passes a rival, or goes behind another."""
        random, kind = self.random, self.random.random()
        if len(self.seat_need) and kind < 0.4:
            return self.key, self._given(random.randrange(len(self.seat_need)))
        j = random.randrange(len(self.key))
        if kind < 0.7:
            return self._passing(j), self.forced
        key = self.key.copy()
        key[j] = key[random.randrange(len(key))] + 0.5
        return key, self.forced

    def _given(self, seat: int, outside: bool = False, near: int | None = None) -> Ints:
        """The crews with somebody else in a seat. ``near``: if there is one, somebody who also works on its context."""
        a, marked = self.a, self.measure.marked
        q = int(self.seat_need[seat])
        able: Sequence[int] = a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist()
        others = [p for p in able if p != self.base.crew[seat] and not (outside and marked.drum[p] >= 0)]
        if near is not None:
            same = [
                p
                for p in others
                if any(
                    marked.context[j] == marked.context[near]
                    for j in self.agenda[self.agenda_ptr[p] : self.agenda_ptr[p + 1]]
                )
            ]
            others = same or others
        forced = self.forced.copy()
        if others:
            forced[seat] = self.random.choice(others)
        return forced

    def _passing(self, j: int) -> Floats:
        """The key with which an activity, and what it waits for, goes before one that kept its people busy."""
        key = self.key.copy()
        rivals: list[int] = []
        a = self.a
        for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
            for seat in range(a.crew_ptr[q], a.crew_ptr[q + 1]):
                p = int(self.base.crew[seat])
                mine = self.agenda[self.agenda_ptr[p] : self.agenda_ptr[p + 1]]
                before = [i for i in mine if self.base.start[i] < self.base.start[j]]
                rivals += before[-RIVALS:]
        if rivals:
            key[j] = key[self.random.choice(rivals)] - 0.5
        else:
            key[j] -= self.random.random() * len(key) * 0.1
        predecessors_first(self.a, key, j)
        return key

    def _seat(self, j: int, p: int) -> int | None:
        a = self.a
        rows = range(int(a.crew_ptr[a.need_ptr[j]]), int(a.crew_ptr[a.need_ptr[j + 1]]))
        return next((s for s in rows if self.base.crew[s] == p), None)

    def _outside(self, q: int) -> bool:
        a = self.a
        return bool((self.measure.marked.drum[a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]]] < 0).any())
