"""Local search on the order of activities and the choice of people, over what the decoder makes of them."""

from __future__ import annotations

from math import exp, log
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import Schedule
from throttle.solve.decoder import Decoder, work_of
from throttle.solve.rules import Facts

if TYPE_CHECKING:
    from throttle.instance import Floats, Ints

FLOW_SHARE = 1e-3
"""Weight of the flow measure in accepting a move, so that plateaus of the cost still lead somewhere."""
HOT, COLD = 2e-3, 1e-5
"""Annealing temperature at the start and at the end, as shares of the value."""


class LocalSearch:
    """Simulated annealing from a key; one step is one decode.

    Moves start at what costs most: along its chain of waiting, an activity passes one that kept its people busy; whole
    groups move; now and then someone else takes a seat. ``best`` only ever improves.
    """

    def __init__(self, facts: Facts, decoder: Decoder, key: Floats, best: Schedule, seed: int) -> None:
        self.facts, self.decoder = facts, decoder
        self.arrays = facts.arrays
        self.random = Random(seed)
        self.key = _ranks(key)
        self.forced = decoder.free.copy()
        self.current = best
        self.best = best
        self.rows = np.repeat(np.arange(facts.n), np.diff(self.arrays.need_ptr))
        self.seat_need = np.repeat(np.arange(len(self.arrays.work)), self.arrays.people)
        self.seat_activity = self.rows[self.seat_need] if len(self.seat_need) else np.zeros(0, np.int64)
        self.choices = [int(s) for s in np.flatnonzero(np.diff(self.arrays.cand_ptr)[self.seat_need] > 1)]
        self.size = work_of(decoder.instance)
        self._index()

    def _index(self) -> None:
        """Who works on what, in order of time, in the current schedule; and what each group costs."""
        s, a = self.current, self.arrays
        self.by_person: dict[int, list[int]] = {}
        for seat in np.argsort(s.start[self.seat_activity], kind="stable").tolist():
            self.by_person.setdefault(int(s.crew[seat]), []).append(int(self.seat_activity[seat]))
        costs = []
        for g, members in enumerate(self.facts.members):
            finish = float(s.end[members].max())
            cost = (
                a.tardiness[g] * max(0.0, finish - a.due[g]) + a.flow[g] * finish + FLOW_SHARE * a.measure[g] * finish
            )
            costs.append(cost)
        self.group_costs = costs

    def value(self, s: Schedule) -> float:
        return s.cost + FLOW_SHARE * s.flow

    rate = 4e6

    def join(self, schedule: Schedule) -> None:
        """Go on from a schedule found elsewhere if it is better."""
        if schedule.better(self.best):
            self.best = schedule
            self.restart()

    def step(self, progress: float, work: float = 0.0) -> float:
        """Try moves at this share (0 to 1) of the search, until about so much work is done; at least one."""
        done = 0.0
        while True:
            self._try(progress)
            done += self.size
            if done >= work:
                return done

    def _try(self, progress: float) -> None:
        key, forced = self.key, self.forced
        if self.choices and self.random.random() < 0.12:
            forced = forced.copy()
            seat = self.random.choice(self.choices)
            q = int(self.seat_need[seat])
            able = self.arrays.candidate[self.arrays.cand_ptr[q] : self.arrays.cand_ptr[q + 1]]
            forced[seat] = (
                -1 if forced[seat] >= 0 and self.random.random() < 0.5 else int(self.random.choice(able.tolist()))
            )
        else:
            key = self._move()
        outcome = self.decoder.decode(key, forced)
        if outcome.schedule is None:
            return
        found = outcome.schedule
        temperature = HOT * (COLD / HOT) ** progress * max(self.value(self.best), 1e-9)
        delta = self.value(found) - self.value(self.current)
        if delta <= 0 or self.random.random() < exp(-delta / temperature):
            self.current, self.key, self.forced = found, _ranks(key), forced
            self._index()
            if found.better(self.best):
                self.best = found

    def restart(self) -> None:
        """Go on from the best, which may have come from elsewhere."""
        self.current = self.best
        self.key = _ranks(self.best.start + 1e-6 * self.key)
        self.forced = self.decoder.free.copy()
        outcome = self.decoder.decode(self.key, self.forced)
        if outcome.schedule is not None and outcome.schedule.cost > self.best.cost:
            crew = self.best.crew.copy()
            outcome = self.decoder.decode(self.key, crew)
            if outcome.schedule is not None:
                self.forced = crew
        if outcome.schedule is not None:
            self.current = outcome.schedule
        self._index()

    def _move(self) -> Floats:
        if not self.group_costs:
            return self._pass(self.random.randrange(self.facts.n))
        group = self._pick_group()
        members = self.facts.members[group]
        if self.random.random() < 0.15 and len(members) > 1:
            key = self.key.copy()
            shift = self.random.choice((-1, 1)) * log(1 + self.random.random() * 1.7) * len(key) * 0.3
            key[members] += shift
            return key
        at = int(members[np.argmax(self.current.end[members])])
        for _ in range(1 + int(self.random.expovariate(0.4))):
            before = self._waited_for(at)
            if before is None or self.random.random() < 0.25:
                break
            at = before
        return self._pass(at)

    def _pick_group(self) -> int:
        total = sum(self.group_costs)
        if total <= 0 or self.random.random() < 0.1:
            return self.random.randrange(len(self.group_costs))
        mark = self.random.random() * total
        for g, cost in enumerate(self.group_costs):
            mark -= cost
            if mark <= 0:
                return g
        return len(self.group_costs) - 1

    def _waited_for(self, j: int) -> int | None:
        """The predecessor that ends last before j."""
        a = self.arrays
        before = a.pred[a.pred_ptr[j] : a.pred_ptr[j + 1]]
        if not len(before):
            return None
        return int(before[np.argmax(self.current.end[before])])

    def _pass(self, j: int) -> Floats:
        """Let j, and what it waits for, go before an activity that its people did earlier."""
        key = self.key.copy()
        rivals = self._rivals(j)
        if not rivals:
            key[j] -= self.random.random() * len(key) * 0.1
            self._lift(key, j)
            return key
        rival = rivals[-1 - min(int(self.random.expovariate(0.7)), len(rivals) - 1)]
        if self.random.random() < 0.7:
            key[j] = key[rival] - 0.5
            self._lift(key, j)
        else:
            key[rival] = key[j] + 0.5
        return key

    def _rivals(self, j: int) -> list[int]:
        a, s = self.arrays, self.current
        found: list[int] = []
        for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
            able = a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist()
            for p in able if len(able) <= 4 else self.random.sample(able, 4):
                mine = self.by_person.get(p, [])
                late = [i for i in mine if i != j and s.start[i] < s.start[j]]
                found += late[-6:]
        found.sort(key=lambda i: int(s.start[i]))
        return found

    def _lift(self, key: Floats, j: int) -> None:
        """What j waits for comes before it."""
        a = self.arrays
        stack = [j]
        while stack:
            i = stack.pop()
            for before in a.pred[a.pred_ptr[i] : a.pred_ptr[i + 1]].tolist():
                if key[before] >= key[i]:
                    key[before] = key[i] - 1e-3
                    stack.append(before)


def _ranks(key: Floats | Ints) -> Floats:
    found = np.empty(len(key))
    found[np.argsort(key, kind="stable")] = np.arange(len(key))
    return found
