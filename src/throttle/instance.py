"""The mathematical model: integers and a handful of primitives, without ids, dates or policies.

Time is counted in slots from as-of; slot t is [t, t + 1). Arrays that end in ``_ptr`` are row pointers of the ragged
array that follows them. The decoders, the exact model and the bounds read nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

FS, SS, FF, SF = range(4)
ELAPSED, WORKING = range(2)


class Arrays(NamedTuple):
    """What the kernels read; every field is an array, so that compiled code can take it as one argument."""

    # activities
    release: Ints
    """Earliest start of each activity."""
    run: Bools
    """Whether it may not pause."""
    wait: Ints
    """Slots that pass without people; 0 for a milestone and for work done by people."""
    pin: Ints
    """Pinned start, or -1."""
    first: Bools
    """Whether it is decoded before all others (in progress under a limit)."""
    exempt: Bools
    """Whether it is in progress: it counts under limits from slot 0 and is not kept out by them."""
    occurrence: Ints
    """Row of ``occurrences`` in one number of which it must lie, or -1."""
    frozen: Ints
    """Row of ``frosts`` none of whose slots it may touch, or -1."""
    place: Ints
    """Row of ``masks`` in which its environments are open, or -1."""
    plain: Bools
    """Whether only its people's time matters: no window, freeze, environment, pin, working lag, and it may pause."""
    # needs of activities: `people` of `candidate`s for `work` slots each
    need_ptr: Ints
    work: Ints
    people: Ints
    share: Ints
    """Percent of each one's time, rounded up."""
    cand_ptr: Ints
    candidate: Ints
    crew_ptr: Ints
    """Start of each need's seats in the crew array."""
    # renewable capacities, taken from start to end: environments, then exclusions (cliques of activities that never
    # overlap), each a row of capacity 1
    use_ptr: Ints
    use: Ints
    amount: Ints
    capacity: Ints
    in_process: Bools
    """Of each capacity: whether what is in progress takes it from slot 0 on, and may exceed it (work in process by
    type). It still keeps others out."""
    # precedence, by the activity that waits and by the one that it waits for
    pred_ptr: Ints
    pred: Ints
    pred_type: Ints
    lag: Ints
    lag_kind: Ints
    succ_ptr: Ints
    succ: Ints
    # people
    person_mask: Ints
    """Row of ``masks``."""
    person_wip: Ints
    """Most items begun and unfinished, or 0 for no limit."""
    team: Ints
    """Of each person, the row of ``team_wip`` of their team, or -1."""
    team_wip: Ints
    """Most items begun on which somebody of the team is, an item once; such activities are never ``plain``."""
    waived_ptr: Ints
    waived: Ints
    """Of each activity, the people, and after them the teams, whose limits do not count it nor keep it out; activities
    that have some are never ``plain``."""
    masks: NDArray[np.uint8]
    """Open slots, one row for each different calendar."""
    next_open: NDArray[np.int32]
    """For each slot of each row of ``masks`` the first open slot at or after it (the horizon where there is none)."""
    occurrences: NDArray[np.int32]
    frosts: NDArray[np.uint8]
    # spans (hammocks): from the first start to the last end of a group of activities, with a demand on a limit
    span_ptr: Ints
    spans: Ints
    """The spans of each activity in the order in which they let it in; none where no limit needs them."""
    demand: Ints
    """Of each span, on its limit: 1 for a project in process, the drum's work in slots for the rope (its group is then
    what feeds the drum, and the drum). A demand above the limit runs alone."""
    span_limit: Ints
    """Of each span, the row of ``limit`` that it counts in."""
    begun: Bools
    """Of each span: whether it is in process at slot 0; then it may exceed the limit, but keeps others out."""
    before_ptr: Ints
    """Spans that must be let in before a span, so that those let in can never wait for one that cannot be."""
    before: Ints
    knot: Ints
    """Spans of the same number wait for each other's work, so they are let in together."""
    limit: Ints
    """Most demand in process whenever a span starts."""
    # buckets: most work of some people on some activities in each of some parts of time, weeks say
    bucket: NDArray[np.int32]
    """Rows of the bucket number of each slot, or -1 where nothing counts."""
    quota_ptr: Ints
    quota: Ints
    """Most work of each quota in each bucket, in hundredths of a slot of one person. An activity whose work would
    exceed it starts later; it does not pause for it."""
    quota_bucket: Ints
    """Of each quota, its row of ``bucket``."""
    quota_scope: Ints
    """Of each quota, the row of ``scopes`` that marks what counts, or -1 for all."""
    scopes: NDArray[np.uint8]
    """Rows of activities that count."""
    person_quota_ptr: Ints
    person_quota: Ints
    """The quotas that count each person's work. Activities that one counts are never ``plain``."""
    # batches: most of something (changes, risk) of what starts in one occurrence
    batch_ptr: Ints
    batch: Ints
    """Of each activity, the rows of ``batch_most`` that count it; all of those of a row have windows whose occurrences
    have the same numbers."""
    batch_amount: Ints
    batch_most: Ints
    """Most in one occurrence."""
    batch_first: Ints
    """Row pointers: the occurrences of each row of ``batch_most``."""
    # costs of groups of activities, per slot: tardiness and flow of the last finish, span from the first start to it
    member_ptr: Ints
    member: Ints
    tardiness: Floats
    due: Floats
    flow: Floats
    span: Floats
    measure: Floats
    """Weight in the flow measure."""
    earliness: Floats
    """Per slot that the first start comes before ``wanted``."""
    wanted: Floats


@dataclass(frozen=True)
class Instance:
    """Arrays with the names needed to lift a solution back, in the order of the arrays."""

    arrays: Arrays
    slots: int
    activities: tuple[str, ...]
    """Ids; hidden helpers of container links have an empty one."""
    needs: tuple[int, ...]
    """Of each row of needs, its position in the item's ``needs``."""
    people: tuple[str, ...]
    groups: tuple[str, ...]
    """Projects (``project:ID``) and items (``item:ID``) with costs, and the whole (``portfolio``) where it has one."""
    weeks: float
    """A slot in weeks."""

    @property
    def n(self) -> int:
        return len(self.activities)

    def trimmed(self, slots: int) -> Instance:
        """The same on a shorter horizon, for searching; what does not fit into it is not found."""
        a = self.arrays
        arrays = a._replace(
            masks=np.ascontiguousarray(a.masks[:, :slots]),
            next_open=np.minimum(a.next_open[:, :slots], np.int32(slots)),
            occurrences=np.ascontiguousarray(a.occurrences[:, :slots]),
            frosts=np.ascontiguousarray(a.frosts[:, :slots]),
            bucket=np.ascontiguousarray(a.bucket[:, :slots]),
        )
        return replace(self, arrays=arrays, slots=slots)

    def mirrored(self) -> Instance:
        """The same backward in time, without what only holds forward: dates, windows, freezes, limits on spans.

        So its schedules give orders (from late to early), not schedules.
        """
        a, n = self.arrays, self.n
        masks = np.ascontiguousarray(a.masks[:, ::-1])
        places = np.where(masks == 1, np.arange(self.slots, dtype=np.int32), np.int32(self.slots))
        zeros, never = np.zeros(n, np.int64), np.full(n, -1, np.int64)
        waits = np.repeat(np.arange(n), np.diff(a.pred_ptr))
        by_pred = np.argsort(a.pred, kind="stable")
        arrays = a._replace(
            release=zeros,
            pin=never,
            first=zeros == 1,
            exempt=zeros == 1,
            occurrence=never,
            frozen=never,
            masks=masks,
            next_open=np.ascontiguousarray(np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1]),
            pred_ptr=np.r_[0, np.cumsum(np.bincount(a.pred, minlength=n))].astype(np.int64),
            pred=waits[by_pred].astype(np.int64),
            pred_type=np.array([FS, FF, SS, SF])[a.pred_type[by_pred]],
            lag=a.lag[by_pred],
            lag_kind=np.full(len(a.pred), ELAPSED, np.int64),
            succ_ptr=a.pred_ptr,
            succ=a.pred,
            span_ptr=np.zeros(n + 1, np.int64),
            spans=np.zeros(0, np.int64),
            batch_ptr=np.zeros(n + 1, np.int64),
            batch=np.zeros(0, np.int64),
            batch_amount=np.zeros(0, np.int64),
            bucket=np.ascontiguousarray(a.bucket[:, ::-1]),
        )
        return replace(self, arrays=arrays)


@dataclass(frozen=True)
class Schedule:
    """A solution: start and end of each activity, the people in each seat of its crew, and its cost."""

    start: Ints
    end: Ints
    crew: Ints
    cost: float
    flow: float

    def better(self, other: Schedule | None) -> bool:
        """Lexicographically: first the cost, then the flow measure."""
        return (
            other is None
            or (self.cost, self.flow) < (other.cost - 1e-9 * abs(other.cost), other.flow)
            or (self.cost <= other.cost and self.flow < other.flow)
        )


def with_all_before(a: Arrays, members: Sequence[int]) -> list[int]:
    """Activities and all that they wait for, directly or not, by their numbers."""
    stack, found = list(members), set(members)
    while stack:
        j = stack.pop()
        for before in a.pred[a.pred_ptr[j] : a.pred_ptr[j + 1]].tolist():
            if before not in found:
                found.add(before)
                stack.append(before)
    return sorted(found)
