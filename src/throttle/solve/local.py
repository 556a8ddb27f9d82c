"""Local search on the order of activities and the choice of people, over what the decoder makes of them."""

from __future__ import annotations

from math import log
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import Arrays, Schedule
from throttle.solve.decoder import Decoder, Trace, work_of
from throttle.solve.features import makespan_only
from throttle.solve.rules import Facts

if TYPE_CHECKING:
    from throttle.instance import Floats, Ints

FLOW_SHARE = 1e-3
"""Weight of the flow measure in accepting a move, so that plateaus of the cost still lead somewhere."""
HOT, COLD = 2e-3, 1e-5
"""Annealing temperature at the start and at the end, as shares of the value."""
BACKWARD = 0.02
"""Share of moves that decode backward, where all that counts is when the last activity ends."""
RIVALS = 6
"""Of what a person did before an activity, so many are looked at, the latest."""


class LocalSearch:
    """Simulated annealing from a key (a ``Search``); a move decodes only what may differ from the current schedule.

    Moves start at what costs most: along its chain of waiting, an activity passes one that kept its people busy; whole
    groups move; now and then someone else takes a seat. For a makespan, now and then all are decoded backward in time,
    the last first, and their starts there give the order (justification; Valls, Ballestin and Quintanilla,
    "Justification and RCPSP: a technique that pays", 2005). ``best`` only ever improves.
    """

    rate = 4e6

    def __init__(self, facts: Facts, decoder: Decoder, key: Floats, best: Schedule, seed: int) -> None:
        self.facts, self.decoder = facts, decoder
        a = self.arrays = facts.arrays
        self.random = Random(seed)
        self.best = best
        self.unit = work_of(decoder.instance) / max(1, facts.n)
        """Slots that placing one activity looks at."""
        self.seat_need = np.repeat(np.arange(len(a.work)), a.people)
        activity = np.repeat(np.arange(facts.n), np.diff(a.need_ptr))
        self.seat_activity: Ints = activity[self.seat_need]
        self.choices = [int(s) for s in np.flatnonzero(np.diff(a.cand_ptr)[self.seat_need] > 1)]
        self.forced = decoder.free.copy()
        self.backward = (
            Decoder(decoder.instance.mirrored(), decoder.compiled, decoder.stop)
            if makespan_only(decoder.instance)
            else None
        )
        self._begin([(key, self.forced), (best.start + 1e-6 * key, best.crew)])

    # --- the protocol of searches ------------------------------------------------------------------------------

    def step(self, progress: float, work: float = 0.0) -> float:
        """Try moves at this share (0 to 1) of the search until so much work is done, one at least."""
        before = self.decoder.work
        while True:
            moved = self._try(progress)
            done = (self.decoder.work - before) * self.unit
            if done >= work or not moved:
                return max(done, self.unit)

    def join(self, schedule: Schedule) -> None:
        if schedule.better(self.best):
            self.best = schedule
            self.restart()

    def restart(self) -> None:
        """Go on from the best, which may have come from elsewhere."""
        key = self.best.start + 1e-6 * self.key
        self._begin([(key, self.decoder.free), (key, self.best.crew), (self.key, self.forced)])

    @property
    def current(self) -> Schedule:
        """The schedule that moves start from."""
        base = self.decoder.base
        return self.best if base is None else self.decoder.schedule(base.start, base.end, base.crew)

    # --- moves -------------------------------------------------------------------------------------------------

    def _begin(self, ways: list[tuple[Floats, Ints]]) -> None:
        """Go on from the first of these orders and crews that is as good as the best, or else from the best of them."""
        chosen, found = None, None
        for key, forced in ways:
            schedule = self.decoder.decode(key, forced).schedule
            if schedule is not None and schedule.better(found):
                chosen, found = (key, forced), schedule
            if found is not None and not self.best.better(found):
                break
        else:
            if chosen is not None:
                self.decoder.decode(*chosen)
        self.key = ways[0][0]
        if chosen is not None and found is not None:
            self.forced = chosen[1].copy()
            self._settle(found.cost, found.flow)

    def _settle(self, cost: float, flow: float) -> None:
        """Take what the decoder has as current: who works on what in order of time, and what each group costs."""
        self.value = cost + FLOW_SHARE * flow
        self.key = self.decoder.tidy()
        base = self.decoder.base
        if base is None:
            return
        if (cost, flow) < (self.best.cost, self.best.flow):
            found = self.decoder.schedule(base.start, base.end, base.crew)
            if found.better(self.best):
                self.best = found
        a = self.arrays
        starts = base.start[self.seat_activity]
        by_person = np.lexsort((starts, base.crew))
        self.agenda = self.seat_activity[by_person]
        self.agenda_start = starts[by_person]
        self.agenda_ptr = np.searchsorted(base.crew[by_person], np.arange(len(a.person_mask) + 1))
        if len(a.due):
            finish = np.maximum.reduceat(base.end[a.member], a.member_ptr[:-1])
            costs = a.tardiness * np.maximum(0.0, finish - a.due) + (a.flow + FLOW_SHARE * a.measure) * finish
            self.group_costs = np.cumsum(costs)

    def _try(self, progress: float) -> bool:
        """One move; False where there is no schedule to start from."""
        base = self.decoder.base
        if base is None:
            return False
        key, forced = self.key, self.forced
        if self.backward is not None and self.random.random() < BACKWARD:
            key = self._justified(base, self.backward)
        elif self.choices and self.random.random() < 0.12:
            forced = forced.copy()
            seat = self.random.choice(self.choices)
            q = int(self.seat_need[seat])
            able = self.arrays.candidate[self.arrays.cand_ptr[q] : self.arrays.cand_ptr[q + 1]]
            forced[seat] = (
                -1 if forced[seat] >= 0 and self.random.random() < 0.5 else int(able[self.random.randrange(len(able))])
            )
        else:
            key = self._move(base)
        temperature = HOT * (COLD / HOT) ** progress * max(self.best.cost + FLOW_SHARE * self.best.flow, 1e-9)
        limit = self.value - temperature * log(1.0 - self.random.random())
        found = self.decoder.revise(key, forced, limit, FLOW_SHARE)
        if found is not None and found[0] + FLOW_SHARE * found[1] <= limit:
            self.forced = forced
            self.decoder.keep()
            self._settle(*found)
        return True

    def _justified(self, base: Trace, backward: Decoder) -> Floats:
        crew = base.crew.copy() if self.random.random() < 0.5 else backward.free
        before = backward.work
        late = backward.decode(-base.end.astype(np.float64), crew).schedule
        self.decoder.work += backward.work - before
        return self.key if late is None else -late.end.astype(np.float64)

    def _move(self, base: Trace) -> Floats:
        if not len(self.arrays.due):
            return self._pass(base, self.random.randrange(self.facts.n))
        members = self.facts.members[self._pick_group()]
        if self.random.random() < 0.15 and len(members) > 1:
            key = self.key.copy()
            shift = self.random.choice((-1, 1)) * log(1 + self.random.random() * 1.7) * len(key) * 0.3
            key[members] += shift
            return key
        at = int(members[np.argmax(base.end[members])])
        for _ in range(1 + int(self.random.expovariate(0.4))):
            before = self._waited_for(base, at)
            if before is None or self.random.random() < 0.25:
                break
            at = before
        return self._pass(base, at)

    def _pick_group(self) -> int:
        groups = len(self.group_costs)
        total = float(self.group_costs[-1])
        if total <= 0 or self.random.random() < 0.1:
            return self.random.randrange(groups)
        return min(int(np.searchsorted(self.group_costs, self.random.random() * total)), groups - 1)

    def _waited_for(self, base: Trace, j: int) -> int | None:
        """The predecessor that ends last before j."""
        a = self.arrays
        before = a.pred[a.pred_ptr[j] : a.pred_ptr[j + 1]]
        if not len(before):
            return None
        return int(before[np.argmax(base.end[before])])

    def _pass(self, base: Trace, j: int) -> Floats:
        """Let j, and what it waits for, go before an activity that its people did earlier."""
        key = self.key.copy()
        rivals = self._rivals(base, j)
        if not rivals:
            key[j] -= self.random.random() * len(key) * 0.1
            predecessors_first(self.arrays, key, j)
            return key
        rival = rivals[-1 - min(int(self.random.expovariate(0.7)), len(rivals) - 1)]
        if self.random.random() < 0.7:
            key[j] = key[rival] - 0.5
            predecessors_first(self.arrays, key, j)
        else:
            key[rival] = key[j] + 0.5
        return key

    def _rivals(self, base: Trace, j: int) -> list[int]:
        """What people who could do j did before it, in order of time."""
        a, begin = self.arrays, base.start[j]
        found: list[tuple[int, int]] = []
        for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
            able = a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist()
            for p in able if len(able) <= 4 else self.random.sample(able, 4):
                first, last = self.agenda_ptr[p], self.agenda_ptr[p + 1]
                last = first + np.searchsorted(self.agenda_start[first:last], begin)
                first = max(first, last - RIVALS)
                found += zip(self.agenda_start[first:last].tolist(), self.agenda[first:last].tolist(), strict=True)
        found.sort(key=lambda row: row[0])
        return [i for _, i in found]


def predecessors_first(a: Arrays, key: Floats, j: int) -> None:
    """What activity j waits for comes before it in the order of keys."""
    stack = [j]
    while stack:
        i = stack.pop()
        for before in a.pred[a.pred_ptr[i] : a.pred_ptr[i + 1]].tolist():
            if key[before] >= key[i]:
                key[before] = key[i] - 1e-3
                stack.append(before)
