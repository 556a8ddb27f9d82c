"""Proof that some activities cannot all have a place: CP-SAT on what must hold of them, and on nothing else.

Left out are all other activities, and of these who have crews on different calendars the time of their people; so where
the model has no solution, neither has the instance, and a solution of the model proves nothing.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from throttle.instance import ELAPSED, FF, FS, SS, Instance
from throttle.solve.exact.cpsat import Runner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from throttle.instance import Ints

ENTRIES = 400_000
"""Most places of all activities that are looked at; above, nothing is proved."""


class _Places(NamedTuple):
    """Where an activity could be with one candidate: start, end, and the candidate's open slots before its start."""

    start: Ints
    end: Ints
    before: Ints


def refuted(instance: Instance, activities: Sequence[int], seconds: float) -> bool:
    """Whether it is proved that these activities cannot all have a place, others aside. seconds: of the clock."""
    from throttle.solve import Settings

    model = _Model(instance, activities)
    if model.impossible:
        return True
    if model.entries > ENTRIES or not len(activities):
        return False
    runner = Runner(Settings(budget=seconds, workers=1), threading.Event(), seconds)
    return runner.solve(model.cp).refuted


class _Model:
    def __init__(self, instance: Instance, activities: Sequence[int]) -> None:
        from ortools.sat.python import cp_model

        self.instance, self.a = instance, instance.arrays
        self.cp = cp_model.CpModel()
        self.entries, self.impossible = 0, False
        self.inside = [j for j in activities if not self.a.exempt[j]]
        self.start: dict[int, Any] = {}
        self.end: dict[int, Any] = {}
        self.on: dict[int, list[tuple[Any, Any, int]]] = {}
        """Of each person, what they may do: interval on their own open slots, its literal, percent."""
        self.begun: dict[int, list[tuple[Any, Any]]] = {}
        """Of each person with a limit, literal and interval from start to end."""
        self.latest = self._latest()
        for j in self.inside:
            self.activity(j)
        if not self.impossible and self.entries <= ENTRIES:
            self.links()
            self.people()
            self.capacities()

    def _latest(self) -> int:
        """Nothing that a pinned activity waits for begins after the last of them; nor does that end the horizon."""
        a = self.a
        pins = [int(a.pin[j]) for j in self.inside if a.pin[j] >= 0]
        rows = [int(a.occurrence[j]) for j in self.inside if a.occurrence[j] >= 0]
        days = [int(np.flatnonzero(a.occurrences[row] >= 0).max(initial=0)) for row in rows]
        longest = max((self.length(j) for j in self.inside), default=0)
        return min(self.instance.slots, max([*pins, *days, 0]) + 20 * longest + 500)

    def length(self, j: int) -> int:
        a = self.a
        work = a.work[a.need_ptr[j] : a.need_ptr[j + 1]]
        return int(work.max()) if len(work) else int(a.wait[j])

    def activity(self, j: int) -> None:
        a, cp = self.a, self.cp
        s = self.start[j] = cp.new_int_var(int(a.release[j]), self.instance.slots, f"s{j}")
        e = self.end[j] = cp.new_int_var(0, self.instance.slots, f"e{j}")
        cp.add(e >= s + self.length(j))
        if a.pin[j] >= 0:
            cp.add(s >= int(a.pin[j]))
        rows = range(int(a.need_ptr[j]), int(a.need_ptr[j + 1]))
        if sum(int(a.people[q]) for q in rows) != 1:
            return
        q = rows[0]
        chosen = []
        for p in a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist():
            places = self.places(j, q, p)
            self.entries += len(places.start)
            if self.entries > ENTRIES:
                return
            if not len(places.start):
                continue
            on = cp.new_bool_var("")
            chosen.append(on)
            which = cp.new_int_var(0, len(places.start) - 1, "")
            at = cp.new_int_var(0, self.instance.slots, "")
            own_start = cp.new_int_var(0, self.instance.slots, "")
            own_end = cp.new_int_var(0, self.instance.slots, "")
            cp.add_element(which, places.start.tolist(), own_start)
            cp.add_element(which, places.end.tolist(), own_end)
            cp.add_element(which, places.before.tolist(), at)
            cp.add(s == own_start).only_enforce_if(on)
            cp.add(e == own_end).only_enforce_if(on)
            work = int(a.work[q])
            interval = cp.new_optional_interval_var(at, work, at + work, on, "")
            self.on.setdefault(p, []).append((interval, on, int(a.share[q])))
            waived = a.waived[a.waived_ptr[j] : a.waived_ptr[j + 1]].tolist()
            if a.person_wip[p] > 0 and p not in waived:
                there = cp.new_int_var(0, self.instance.slots, "")
                whole = cp.new_optional_interval_var(s, there, e, on, "")
                self.begun.setdefault(p, []).append((whole, on))
        self.impossible |= not chosen
        cp.add_exactly_one(chosen)

    def places(self, j: int, q: int, p: int) -> _Places:
        """Those that begin up to the latest moment; later ones are the last of them, which all can share."""
        a = self.a
        open_ = a.masks[a.person_mask[p]] == 1
        joint = open_ & (a.masks[a.place[j]] == 1) if a.place[j] >= 0 else open_
        slots, work = np.flatnonzero(joint), int(a.work[q])
        first = np.arange(max(0, len(slots) - work + 1))
        start, end = slots[first], slots[first + work - 1] + 1
        kept = start >= a.release[j]
        if a.run[j]:
            kept &= end - start == work
        if a.occurrence[j] >= 0:
            number = a.occurrences[a.occurrence[j]]
            kept &= (number[start] >= 0) & (number[start] == number[end - 1])
        if a.frozen[j] >= 0:
            cold = np.r_[0, np.cumsum(a.frosts[a.frozen[j]])]
            kept &= cold[end] == cold[start]
        if a.pin[j] >= 0:
            kept &= start >= a.pin[j]
            kept &= start == (slots[slots >= a.pin[j]][0] if (slots >= a.pin[j]).any() else -1)
        at = np.flatnonzero(kept)
        near = at[start[at] <= self.latest]
        at = near if len(near) else at[:1]
        before = np.r_[0, np.cumsum(open_)][start[at]]
        # where its environments close too, it is in pieces on its person's own slots: then only its first slot counts
        return _Places(start[at], end[at], before)

    def links(self) -> None:
        a = self.a
        inside = set(self.inside)
        for j in self.inside:
            for e in range(int(a.pred_ptr[j]), int(a.pred_ptr[j + 1])):
                before, kind, lag = int(a.pred[e]), int(a.pred_type[e]), int(a.lag[e])
                if before not in inside or (a.lag_kind[e] != ELAPSED and lag < 0):
                    continue
                from_ = self.end[before] if kind in (FS, FF) else self.start[before]
                to = self.start[j] if kind in (FS, SS) else self.end[j]
                self.cp.add(to >= from_ + lag)

    def people(self) -> None:
        for p, some in self.on.items():
            if self._pieces(p):
                continue
            self.cp.add_cumulative([i for i, _, _ in some], [share for _, _, share in some], 100)
        for p, begun in self.begun.items():
            self.cp.add_cumulative([i for i, _ in begun], [1] * len(begun), int(self.a.person_wip[p]))

    def _pieces(self, p: int) -> bool:
        """Whether something of theirs waits for environments that close: it takes their slots in pieces."""
        a = self.a
        for j in self.inside:
            for q in range(int(a.need_ptr[j]), int(a.need_ptr[j + 1])):
                if a.place[j] >= 0 and p in a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]]:
                    return True
        return False

    def capacities(self) -> None:
        a, taken = self.a, dict[int, list[tuple[Any, int]]]()
        for j in self.inside:
            if a.use_ptr[j] == a.use_ptr[j + 1]:
                continue
            size = self.cp.new_int_var(0, self.instance.slots, "")
            interval = self.cp.new_interval_var(self.start[j], size, self.end[j], "")
            for u in range(int(a.use_ptr[j]), int(a.use_ptr[j + 1])):
                taken.setdefault(int(a.use[u]), []).append((interval, int(a.amount[u])))
        for row, some in taken.items():
            self.cp.add_cumulative([i for i, _ in some], [amount for _, amount in some], int(a.capacity[row]))
        self.spans()

    def spans(self) -> None:
        """From the first start to the last end of what is here of each span; those in process may exceed the limit."""
        a, inside = self.a, dict[int, list[int]]()
        for j in self.inside:
            for x in a.spans[a.span_ptr[j] : a.span_ptr[j + 1]].tolist():
                if not a.begun[x]:
                    inside.setdefault(x, []).append(j)
        of: dict[int, list[tuple[Any, int]]] = {}
        for x, members in inside.items():
            first, last, size = (self.cp.new_int_var(0, self.instance.slots, "") for _ in range(3))
            self.cp.add_min_equality(first, [self.start[j] for j in members])
            self.cp.add_max_equality(last, [self.end[j] for j in members])
            row = int(a.span_limit[x])
            interval = self.cp.new_interval_var(first, size, last, "")
            of.setdefault(row, []).append((interval, min(int(a.demand[x]), int(a.limit[row]))))
        for row, some in of.items():
            self.cp.add_cumulative([i for i, _ in some], [amount for _, amount in some], int(a.limit[row]))
