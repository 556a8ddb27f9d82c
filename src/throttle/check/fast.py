"""A schedule against the rules of docs/plan.md, on arrays: seconds for what the independent checker takes minutes for.

It reads the instance only, knows nothing of decoders and searches, and says of every activity at once what
:func:`throttle.check.check` says of the plan that the schedule would be lifted to; a property test holds the two
together. It takes compile's word that the instance is the portfolio, so a plan is published only after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from throttle.instance import FF, FS, SS, WORKING, Instance, Schedule
from throttle.worked import count_in, lengths, open_in, parts, ragged, seats_of, worked

if TYPE_CHECKING:
    from throttle.instance import Bools, Ints

SUMMED = 1e-6
"""What a cost may be off by, as a share of it."""


@dataclass(frozen=True)
class Broken:
    """One way in which a schedule breaks a rule.

    ``kind`` is one of :data:`throttle.check.KINDS`, or ``quota``, which no portfolio asks for yet.
    """

    kind: str
    ids: tuple[str, ...]
    """Work items, people or projects; a hidden helper of container links has an empty id."""
    message: str


def check_schedule(instance: Instance, schedule: Schedule) -> list[Broken]:
    """Every broken rule; none for a schedule that can be lifted. Costs are recomputed.

    Where activities have no place or seats no one able, only that is told: the other rules cannot be asked then.
    """
    checks = _Checks(instance, schedule)
    return [*checks.whole()] or [*checks.rules()]


class _Checks:
    def __init__(self, instance: Instance, schedule: Schedule) -> None:
        self.instance, self.a = instance, instance.arrays
        self.schedule, self.start, self.end = schedule, schedule.start, schedule.end
        self.crew = schedule.crew

    def name(self, j: int) -> str:
        return self.instance.activities[j]

    def tell(self, kind: str, which: Ints | Bools, sentence: str) -> Iterator[Broken]:
        """One for each activity, by number or by mask."""
        for j in (np.flatnonzero(which) if which.dtype == bool else np.unique(which)).tolist():
            yield Broken(kind, (self.name(j),), f"{self.name(j) or f'hidden activity {j}'} {sentence}")

    # --- whether it is a schedule at all ---------------------------------------------------------------------------

    def whole(self) -> Iterator[Broken]:
        a, n = self.a, self.instance.n
        if len(self.start) != n or len(self.end) != n or len(self.crew) != int(a.crew_ptr[-1]):
            yield Broken("missing-item", (), f"the schedule is not one of {n} activities")
            return
        yield from self.tell("before-as-of", self.start < 0, "has no place")
        yield from self.tell("after-horizon", self.end > self.instance.slots, "ends after the horizon")
        yield from self.tell("wrong-finish", self.end < self.start, "ends before it starts")
        yield from self.seated()

    def seated(self) -> Iterator[Broken]:
        """Every seat holds someone who may take it, and nobody holds two of one activity."""
        a, crew, people = self.a, self.crew, len(self.instance.people)
        seats = seats_of(a)
        known = (crew >= 0) & (crew < people)
        yield from self.tell("crew-size", seats.activity[~known], "has too few people")
        able = np.repeat(np.arange(len(a.work)), np.diff(a.cand_ptr)) * people + a.candidate
        taken = seats.need * people + crew
        yield from self.tell(
            "unqualified", seats.activity[known & ~np.isin(taken, able)], "has someone who may not do it"
        )
        both = np.sort((seats.activity * people + crew)[known])
        twice = both[1:][both[1:] == both[:-1]]
        yield from self.tell("same-person", twice // max(people, 1), "has one person twice")

    # --- the rules -------------------------------------------------------------------------------------------------

    def rules(self) -> Iterator[Broken]:
        a = self.a
        self.seats, self.longest = seats_of(a), lengths(a)
        self.work = worked(a, self.schedule)
        self.seat, self.first, self.last = self.work.of(self.seats, a.work)
        yield from self.tell("not-before", self.start < a.release, "starts before it may")
        yield from self.work_is_done()
        yield from self.links()
        yield from self.changes()
        yield from self.batches()
        yield from self.pins()
        yield from self.people()
        yield from self.environments()
        yield from self.person_limits()
        yield from self.span_limits()
        yield from self.quotas()
        yield from self.costs()

    def work_is_done(self) -> Iterator[Broken]:
        """It starts in a slot of work, ends with the last, and pauses only if it may and only over closed time."""
        work, busy = self.work, self.longest > 0
        yield from self.tell("wrong-finish", ~busy & (self.end != self.start), "is a milestone with a length")
        some = busy & (work.done > 0)
        first, last = np.full(len(busy), -1), np.full(len(busy), -1)
        first[some], last[some] = work.first[work.ptr[:-1][some]], work.last[work.ptr[1:][some] - 1]
        yield from self.tell("start-closed", busy & (first != self.start), "starts in a slot that is closed for it")
        wrong = busy & ((work.done != self.longest) | (last != self.end))
        yield from self.tell("wrong-finish", wrong, "does not end with its last slot of work")
        yield from self.tell("paused", busy & self.a.run & (self.end - self.start > self.longest), "must not pause")

    def links(self) -> Iterator[Broken]:
        a = self.a
        after = np.repeat(np.arange(self.instance.n), np.diff(a.pred_ptr))
        from_end = (a.pred_type == FS) | (a.pred_type == FF)
        to_start = (a.pred_type == FS) | (a.pred_type == SS)
        base = np.where(from_end, self.end[a.pred], self.start[a.pred])
        bound = np.where(to_start, self.start[after], self.end[after])
        passed = bound - base
        counted = np.flatnonzero(a.lag_kind == WORKING)
        low, high = np.minimum(base, bound)[counted], np.maximum(base, bound)[counted]
        passed[counted] = np.sign(passed[counted]) * open_in(a, self.seats, self.crew, after[counted], low, high)
        for e in np.flatnonzero(passed < a.lag).tolist():
            ids = self.name(int(after[e])), self.name(int(a.pred[e]))
            yield Broken("precedence", ids, f"{ids[0]} comes too early for its link from {ids[1]}")

    def changes(self) -> Iterator[Broken]:
        """Within one occurrence of the window, and clear of freezes."""
        a = self.a
        windowed = np.flatnonzero(a.occurrence >= 0)
        # a milestone lies in the occurrence of the slot that it comes before
        last = np.minimum(np.maximum(self.end, self.start + 1), a.occurrences.shape[1])[windowed]
        number = a.occurrences[a.occurrence[windowed], np.minimum(self.start[windowed], a.occurrences.shape[1] - 1)]
        outside = (number < 0) | (last <= self.start[windowed])
        for part in parts(last - self.start[windowed]):
            owner, slot = ragged(self.start[windowed][part], last[part])
            other = a.occurrences[a.occurrence[windowed][part][owner], slot] != number[part][owner]
            outside[part] |= np.bincount(owner[other], minlength=len(number[part])) > 0
        yield from self.tell("outside-window", windowed[outside], "is not within one occurrence of its window")
        bound = np.flatnonzero(a.frozen >= 0)
        point = self.start[bound] == self.end[bound]
        # a milestone is touched by a freeze on both sides of it; one at slot 0, by a freeze that may have begun before
        first = np.maximum(self.start[bound] - point, 0)
        size = np.where(point & (self.start[bound] > 0), 2, 1)
        cold = count_in(a.frosts, 1, a.frozen[bound], first, self.end[bound] + point)
        yield from self.tell("freeze", bound[cold >= size], "overlaps a freeze")

    def batches(self) -> Iterator[Broken]:
        """What starts in one occurrence is at most what it may hold; a portfolio limits changes and their risk."""
        a = self.a
        if not len(a.batch):
            return
        owner = np.repeat(np.arange(self.instance.n), np.diff(a.batch_ptr))
        number = a.occurrences[a.occurrence[owner], np.minimum(self.start[owner], a.occurrences.shape[1] - 1)]
        inside = number >= 0
        first = a.batch_first
        at = first[a.batch[inside]] + number[inside]
        held = np.bincount(at, a.batch_amount[inside], int(first[-1]))
        for k in np.flatnonzero(held > np.repeat(a.batch_most, np.diff(first))).tolist():
            ids = tuple(map(self.name, owner[inside][at == k].tolist()))
            text = f"{', '.join(ids)} are more than one occurrence of their window may hold"
            yield Broken("window-changes", ids, text)

    def pins(self) -> Iterator[Broken]:
        """A pinned activity starts in the first slot from its pin on that is open for it."""
        a = self.a
        pinned = np.flatnonzero(a.pin >= 0)
        from_ = a.pin[pinned]
        open_ = open_in(a, self.seats, self.crew, pinned, from_, self.start[pinned], places=True)
        wrong = (self.start[pinned] < from_) | (open_ > 0)
        wrong |= (self.longest[pinned] == 0) & (self.start[pinned] != from_)
        yield from self.tell("pin-start", pinned[wrong], "does not start at its pin")

    def people(self) -> Iterator[Broken]:
        """Nobody works more than 100 % in any slot."""
        share = self.a.share[self.seats.need[self.seat]]
        over = self.peak(self.crew[self.seat], self.first, self.last, share, np.full(len(self.instance.people), 100))
        for p, t in over:
            who = self.instance.people[p]
            yield Broken("person-overload", (who,), f"{who} is to work more than 100 % from slot {t} on")

    def environments(self) -> Iterator[Broken]:
        a = self.a
        user = np.repeat(np.arange(self.instance.n), np.diff(a.use_ptr))
        apart = a.in_process[a.use]
        own = user[~apart]
        for e, t in self.peak(a.use[~apart], self.start[own], self.end[own], a.amount[~apart], a.capacity):
            yield Broken("environment-overload", (), f"environment {e} holds more than its capacity from slot {t} on")
        j, row, amount = user[apart], a.use[apart], a.amount[apart]
        held = self.held(row, np.where(a.exempt[j], 0, self.start[j]), self.end[j], amount)
        over = ~a.exempt[j] & (self.end[j] > self.start[j]) & (held > a.capacity[row])
        yield from self.tell("type-wip", j[over], "starts while as many of its type are begun as the limit allows")

    def peak(self, what: Ints, first: Ints, last: Ints, amount: Ints, most: Ints) -> Iterator[tuple[int, int]]:
        """(what, slot) where the sum of amounts first rises above what there is: a sweep over begins and ends."""
        long = first < last
        what, first, last, amount = what[long], first[long], last[long], amount[long]
        width = self.instance.slots + 1
        key = np.r_[what * width + first, what * width + last] * 2
        key[: len(first)] += 1  # ends come before the begins of the same slot
        order = np.argsort(key, kind="stable")
        total = np.cumsum(np.r_[amount, -amount][order])
        at = key[order] // 2
        over = np.flatnonzero(total > most[at // width])
        found, places = np.unique(at[over] // width, return_index=True)
        yield from zip(found.tolist(), (at[over[places]] % width).tolist(), strict=True)

    def person_limits(self) -> Iterator[Broken]:
        """Whenever an item begins on someone with a limit, those begun and unfinished on them are at most so many.

        An item is unfinished on a person until the end of their last piece of work on it.
        """
        a = self.a
        if not a.person_wip.any() and not len(a.team_wip):
            return
        until = np.zeros(len(self.crew), np.int64)
        np.maximum.at(until, self.seat, self.last)
        j, people = self.seats.activity, len(self.instance.people)
        counted = ~self.waived(j, self.crew)
        j, crew = j[counted], self.crew[counted]
        from_ = np.where(a.exempt[j], 0, self.start[j])
        limit = a.person_wip[crew]
        held = self.held(crew, from_, until[counted], np.ones_like(j))
        for s in np.flatnonzero((limit > 0) & ~a.exempt[j] & (held > limit)).tolist():
            who, id = self.instance.people[int(crew[s])], self.name(int(j[s]))
            yield Broken("person-wip", (who, id), f"{id} starts on {who}, who has as many begun as the limit allows")
        # an item once in each team, until the last of the team is done
        j, team = self.seats.activity, a.team[self.crew]
        counted = (team >= 0) & ~self.waived(j, people + team)
        key, first = np.unique((j * (len(a.team_wip) + 1) + team)[counted], return_inverse=True)
        end = np.zeros(len(key), np.int64)
        np.maximum.at(end, first, until[counted])
        j, team = key // (len(a.team_wip) + 1), key % (len(a.team_wip) + 1)
        held = self.held(team, np.where(a.exempt[j], 0, self.start[j]), end, np.ones_like(j))
        over = ~a.exempt[j] & (held > a.team_wip[team])
        yield from self.tell("team-wip", j[over], "starts in a team that has as many begun as the limit allows")

    def waived(self, j: Ints, holder: Ints) -> Bools:
        """Whether an override takes the limit of a person or team away from activities."""
        a = self.a
        width = len(self.instance.people) + len(a.team_wip) + 1
        owner = np.repeat(np.arange(self.instance.n), np.diff(a.waived_ptr))
        found: Bools = np.isin(j * width + holder, owner * width + a.waived)
        return found

    def span_limits(self) -> Iterator[Broken]:
        """Whenever a span starts, the demands in process on its limit are at most the limit, or it is alone."""
        a = self.a
        if not a.limit.any():
            return
        owner = np.repeat(np.arange(self.instance.n), np.diff(a.span_ptr))
        spans = len(a.demand)
        first, last = np.full(spans, self.instance.slots + 1), np.full(spans, -1)
        np.minimum.at(first, a.spans, self.start[owner])
        np.maximum.at(last, a.spans, self.end[owner])
        known = np.flatnonzero(last >= 0)
        row, demand, new = a.span_limit[known], a.demand[known], ~a.begun[known]
        held = self.held(row, np.where(new, first[known], 0), last[known], demand)
        over = (a.limit[row] > 0) & (held > a.limit[row]) & (held > demand)
        for k in known[new & over].tolist():
            yield Broken("projects-in-process", (), f"span {k} starts when as much as the limit is in process")

    def quotas(self) -> Iterator[Broken]:
        """The work that a quota counts is never more than it allows in one bucket."""
        a = self.a
        if not len(a.quota):
            return
        person, j = self.crew[self.seat], self.seats.activity[self.seat]
        piece, entry = ragged(a.person_quota_ptr[person], a.person_quota_ptr[person + 1])
        quota = a.person_quota[entry]
        scope = a.quota_scope[quota]
        counted = (scope < 0) | (a.scopes[np.maximum(scope, 0), j[piece]] == 1 if len(a.scopes) else True)
        piece, quota = piece[counted], quota[counted]
        owner, slot = ragged(self.first[piece], self.last[piece])
        number = a.bucket[a.quota_bucket[quota[owner]], slot]
        inside = number >= 0
        at = (a.quota_ptr[quota[owner]] + number)[inside]
        used = np.bincount(at, a.share[self.seats.need[self.seat[piece[owner]]]][inside], len(a.quota))
        for k in np.flatnonzero(used > a.quota).tolist():
            yield Broken("quota", (), f"more work than quota {np.searchsorted(a.quota_ptr, k, 'right') - 1} allows")

    def held(self, owner: Ints, first: Ints, last: Ints, amount: Ints) -> Ints:
        """For each span, the amounts of the same owner that are begun and unfinished when it begins, its own too."""
        width = self.instance.slots + 2
        at = owner * width + first

        def up_to(ends: Ints) -> Ints:
            key = owner * width + ends
            order = np.argsort(key, kind="stable")
            total: Ints = np.r_[0, np.cumsum(amount[order])][np.searchsorted(key[order], at, "right")]
            return total

        return up_to(first) - up_to(last) + np.where(last <= first, amount, 0)

    def costs(self) -> Iterator[Broken]:
        a, groups = self.a, len(self.a.due)
        owner = np.repeat(np.arange(groups), np.diff(a.member_ptr))
        finish, begin = np.zeros(groups), np.full(groups, float(1 << 60))
        np.maximum.at(finish, owner, self.end[a.member])
        np.minimum.at(begin, owner, self.start[a.member])
        late, early = np.maximum(0.0, finish - a.due), np.maximum(0.0, a.wanted - begin)
        cost = float((a.tardiness * late + a.flow * finish + a.span * (finish - begin) + a.earliness * early).sum())
        for kind, told, right in (
            ("objective-value", self.schedule.cost, cost),
            ("flow-value", self.schedule.flow, float((a.measure * finish).sum())),
        ):
            if abs(told - right) > SUMMED * max(1.0, abs(right)):
                yield Broken(kind, (), f"the schedule says {told:.9g}, and it is {right:.9g}")
