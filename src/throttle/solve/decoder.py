"""Orders into schedules: the working space of a kernel and its result."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from throttle.instance import ELAPSED, FF, FS, Instance, Schedule
from throttle.solve.kernels import kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Floats, Ints

    Marks = NDArray[np.uint8]

PLAIN_WORK = 4_000
"""Up to so much, plain Python is quicker than loading numba."""
FIRST, PINNED, DATED = 2e9, 1e9, 5e8
"""What goes before all others: work in progress under a limit, what is pinned, what only one occurrence can take."""


def work_of(instance: Instance) -> float:
    """Slots that one decode looks at, roughly: those worked in, and some around work that needs more checks.

    For each seat all candidates are tried beside those who are in the crew already.
    """
    a = instance.arrays
    beside = a.people * (a.people - 1) // 2 * np.diff(a.cand_ptr)
    checked = 0.05 * float((~a.plain).sum()) * instance.slots
    if len(a.quota_ptr) > 1:  # what finds a week full tries the next slots one by one
        counted = np.logical_or.reduceat(np.diff(a.person_quota_ptr)[a.candidate] > 0, a.cand_ptr[:-1])
        checked += 2.0 * float(counted.sum()) * instance.slots
    return float((a.work * a.people).sum() + beside.sum() + 40 * instance.n + checked)


def dated(instance: Instance) -> NDArray[np.bool_]:
    """Activities that only one occurrence of a window can take."""
    a = instance.arrays
    single = np.array([len(np.unique(row[row >= 0])) == 1 for row in a.occurrences], bool)
    return np.asarray((a.occurrence >= 0) & single[np.maximum(a.occurrence, 0)])


class Space(NamedTuple):
    """What is booked."""

    load: NDArray[np.int16]
    """Percent of each person's time in each slot."""
    held: NDArray[np.int16]
    """Items that each person, and after them each team, has begun and not finished; without columns where nobody has a
    limit."""
    env: Ints
    """Of each environment and exclusion in each slot."""
    used: Ints
    """Of each bucket of each quota, as in ``Arrays.quota``; then of each occurrence, what counts in rows of batches."""
    skip: NDArray[np.int32]
    """For each person and slot, a later slot before which none is free."""


class Trace(NamedTuple):
    """How a decode went: enough to decode another order from where the two part."""

    order: Ints
    """Activities as they were placed."""
    position: Ints
    """Of each activity in ``order``."""
    rank: Floats
    forced: Ints
    est: Ints
    """Earliest start by what was placed before."""
    finish: Ints
    """Earliest end by links to it."""
    reach: Ints
    """The place found depends on no slot from this one on."""
    start: Ints
    end: Ints
    crew: Ints
    opened_at: Ints
    """How many activities were placed when each span was let in, or -1."""
    let_in: Ints
    """From when on each span had room."""

    @classmethod
    def of(cls, n: int, seats: int, spans: int) -> Trace:
        sizes = {"forced": seats, "crew": seats, "opened_at": spans, "let_in": spans}
        arrays: dict[str, Any] = {f: np.zeros(sizes.get(f, n), np.int64) for f in cls._fields}
        return cls(**arrays | {"rank": np.zeros(n, np.float64)})


class Tails(NamedTuple):
    """Least slots from an activity's end to the finish of each of its groups, as rows of each activity."""

    ptr: Ints
    group: Ints
    tail: Ints
    floor: Ints
    """Least finish of each group."""

    @classmethod
    def of(cls, instance: Instance, order: Ints) -> Tails:
        """order: any that is topological."""
        a, n = instance.arrays, instance.n
        length = a.wait.copy()
        np.maximum.at(length, np.repeat(np.arange(n), np.diff(a.need_ptr)), a.work)
        position = np.empty(n, np.int64)
        position[order] = np.arange(n)
        ends = np.maximum(a.release, a.pin) + length
        steps: list[list[tuple[int, int]]] = [[] for _ in range(n)]
        for j in order.tolist():
            for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
                before, lag = int(a.pred[e]), int(a.lag[e])
                if a.pred_type[e] in (FS, FF) and (a.lag_kind[e] == ELAPSED or lag >= 0):
                    step = lag + (int(length[j]) if a.pred_type[e] == FS else 0)
                    steps[before].append((j, step))
                    ends[j] = max(ends[j], ends[before] + step)
        rows: list[list[tuple[int, int]]] = [[] for _ in range(n)]
        floor = np.zeros(len(a.due), np.int64)
        for g in range(len(a.due)):
            members = np.unique(a.member[a.member_ptr[g] : a.member_ptr[g + 1]])
            tail: dict[int, int] = {}
            for j in members[np.argsort(-position[members])].tolist():
                tail[j] = max([0, *(step + tail[i] for i, step in steps[j] if i in tail)])
                rows[j].append((g, tail[j]))
                floor[g] = max(floor[g], ends[j] + tail[j])
        flat = np.array([entry for row in rows for entry in row], np.int64).reshape(-1, 2)
        ptr = np.r_[0, np.cumsum([len(row) for row in rows])].astype(np.int64)
        return cls(ptr, np.ascontiguousarray(flat[:, 0]), np.ascontiguousarray(flat[:, 1]), floor)

    @classmethod
    def none(cls) -> Tails:
        nothing = np.zeros(0, np.int64)
        return cls(np.zeros(1, np.int64), nothing, nothing, nothing)


@dataclass(frozen=True)
class Outcome:
    """A schedule, or the activities that have no place."""

    schedule: Schedule | None
    missing: tuple[int, ...] = ()
    locked: bool = False
    """Spans let in wait for others that a limit keeps out."""


class Decoder:
    """Serial schedule generation on one instance. Not shared between threads: each has its own working space.

    Memory: 6 bytes for each person and slot, 2 more where someone has a limit on items; 8 for each environment (or
    exclusion) and slot, and for each bucket of each quota; some 200 for each activity and its seats.
    """

    def __init__(self, instance: Instance, compiled: bool = True, stop: Marks | None = None) -> None:
        self.instance, self.compiled = instance, compiled
        self._kernel = kernels(compiled)
        a = instance.arrays
        people, slots, seats = len(instance.people), instance.slots, int(a.crew_ptr[-1])
        limited = bool((a.person_wip > 0).any()) or len(a.team_wip) > 0
        holders = people + len(a.team_wip)
        self._space = Space(
            load=np.zeros((people, slots), np.int16),
            held=np.zeros((holders, slots) if limited else (people, 0), np.int16),
            env=np.zeros((len(a.capacity), slots), np.int64),
            used=np.zeros(len(a.quota) + int(a.batch_first[-1]), np.int64),
            skip=np.zeros((people, slots), np.int32),
        )
        self._base = Trace.of(instance.n, seats, len(a.demand))
        self._trial = Trace.of(instance.n, seats, len(a.demand))
        user = np.repeat(np.arange(instance.n), np.diff(a.use_ptr))
        kept = a.exempt[user] & a.in_process[a.use]
        self._kept = np.bincount(a.use[kept], a.amount[kept], len(a.capacity)).astype(np.int64)[:, None]
        """Of each environment, what is in progress takes; each gives it back from its end on."""
        self._based = False
        self._held = np.zeros(2, np.int64)
        self._nested = bool((np.diff(a.span_ptr) > 1).any())
        self._offset = np.where(a.first, FIRST, np.where(a.pin >= 0, PINNED, np.where(dated(instance), DATED, 0.0)))
        self._tails: Tails | None = None
        self.stop = np.zeros(1, np.uint8) if stop is None else stop
        """Set to 1 (from any thread), a decode ends soon and finds nothing."""
        self.free = np.full(seats, -1, np.int64)
        """No seat fixed."""
        self.work = 0
        """Activities for which a place was looked for, so far; those that were only booked again count a tenth."""

    def decode(self, key: Floats, forced: Ints | None = None) -> Outcome:
        """Place all activities, smallest key first; forced gives a person for a seat, or -1."""
        kernel, a, space = self._kernel, self.instance.arrays, self._space
        space.load[:] = space.held[:] = space.used[:] = 0
        space.env[:] = self._kept
        for person, row in enumerate(a.person_mask.tolist()):
            space.skip[person] = a.next_open[row]
        base, trial = self._base, self._trial
        seats = self.free if forced is None else forced
        outcome, count, searched = kernel.decode(
            a, key - self._offset, seats, 0, 0, base, trial, space, Tails.none(), inf, 0.0, self.stop
        )
        self.work += searched
        self._based = bool(outcome == kernel.PLACED)
        if not self._based:
            missing = tuple(int(j) for j in np.flatnonzero(trial.start < 0))
            return Outcome(None, missing, outcome == kernel.LOCKED)
        self._held[:] = count
        self._base, self._trial = trial, base
        return Outcome(self.schedule(trial.start, trial.end, trial.crew))

    def revise(self, key: Floats, forced: Ints, limit: float, flow_share: float) -> tuple[float, float] | None:
        """Cost and flow measure of another order and choice of people, or None if they have no place or cost more.

        Decodes only what may differ from the schedule of the last ``decode`` or ``keep``. limit: the most that cost
        plus flow_share of the flow measure may be. Raises ValueError where there is no such schedule.
        """
        if not self._based:
            raise ValueError("revise goes on from a schedule: decode an order first")
        kernel, a = self._kernel, self.instance.arrays
        if self._tails is None:
            self._tails = Tails.of(self.instance, self._base.order)
        outcome, work = kernel.revise(
            a,
            key - self._offset,
            forced,
            self._base,
            self._trial,
            self._space,
            self._held,
            self._tails,
            limit,
            flow_share,
            self.stop,
        )
        self.work += work
        if outcome != kernel.PLACED:
            return None
        cost, flow = kernel.cost(a, self._trial.start, self._trial.end)
        return float(cost), float(flow)

    def keep(self) -> None:
        """Go on from what ``revise`` has just found."""
        self._base, self._trial = self._trial, self._base
        self._held[:] = self.instance.n

    @property
    def base(self) -> Trace | None:
        """The schedule that ``revise`` goes on from, as a view that is soon overwritten; None where there is none."""
        return self._base if self._based else None

    @property
    def trial(self) -> Trace:
        """What ``revise`` has just found, as a view that is soon overwritten; ``keep`` goes on from it."""
        return self._trial

    def tidy(self) -> Floats:
        """Whole numbers as keys that give the same schedule as those that gave ``base``."""
        position = self._base.position
        if self._nested:
            # what waits for a second span is placed long after it let in the first
            position = np.argsort(np.argsort(self._base.rank + self._offset, kind="stable"))
        key = position.astype(np.float64)
        np.subtract(key, self._offset, out=self._base.rank)
        return key

    def schedule(self, start: Ints, end: Ints, crew: Ints) -> Schedule:
        value, flow = self._kernel.cost(self.instance.arrays, start, end)
        return Schedule(start.copy(), end.copy(), crew.copy(), float(value), float(flow))
