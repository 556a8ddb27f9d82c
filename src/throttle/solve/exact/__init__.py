"""The exact model: CP-SAT on the slots in which anything can happen, whole or with most activities fixed.

Time is an index into the *axis*, the open slots of all people who may work, so that nights and weekends cost nothing.
On it an activity whose people share one calendar that is the axis has a constant length; any other has a table from
start to end. Waits and milestones, and whatever costs are counted on, live on real time, joined by tables.
"""

from __future__ import annotations

from itertools import product
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from throttle.instance import FF, FS, SF, SS, WORKING, Instance, Schedule
from throttle.solve.exact.cpsat import Found, Runner, Stop
from throttle.solve.exact.goal import Goal
from throttle.solve.rules import topological

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from throttle.instance import Arrays, Floats, Ints
    from throttle.solve import Settings

CALENDAR_CHOICES = 6
"""Most combinations of calendars of a crew; above, only those of the incumbent's crew are kept."""
CELLS_PER_SECOND = 150_000
"""Table entries that presolve, which looks at no clock, gets through in a second or so."""


class Exact:
    """Builds and solves the model; ``supports`` says whether the instance is of a kind that it can express."""

    def __init__(self, instance: Instance, settings: Settings, stop: Stop) -> None:
        self.instance, self.settings, self.stop = instance, settings, stop
        self.a = instance.arrays

    def supports(self) -> bool:
        """Whether the instance, or a part of it with the rest where it is, can be modelled."""
        return not len(self.a.person_quota)

    supports_parts = supports

    def _one_calendar(self, j: int, incumbent: Schedule) -> bool:
        """Whether the crew comes and goes together. The model holds others through pauses in which they may be busy."""
        a = self.a
        crew = incumbent.crew[a.crew_ptr[a.need_ptr[j]] : a.crew_ptr[a.need_ptr[j + 1]]]
        return len(np.unique(a.person_mask[crew])) <= 1

    def solve(
        self, incumbent: Schedule, budget: float, free: frozenset[int] | None = None, second: bool = False
    ) -> Found:
        """Improve on the incumbent, with all activities but the free ones where they are (None: all are free).

        ``second``: lower the flow measure at no more cost; the bound is then 0.
        """
        if free is not None:
            free = frozenset(j for j in free if self._one_calendar(j, incumbent))
            if not free:
                return Found(None, 0.0, exhausted=True)
        model = _Model(self.instance, incumbent, free, second)
        if model.cells > CELLS_PER_SECOND * budget or (second and not model.goal.exact):
            return Found(None, 0.0)
        runner = Runner(self.settings, self.stop, budget)
        several = self.settings.workers > 1 or self.settings.deterministic
        answer = runner.solve(model.cp, interleave_search=several and self.settings.workers < 8)
        schedule = model.read(answer.solver) if answer.found else None
        bound = 0.0
        if model.exact and not second and answer.bound is not None:
            bound = max(0, ceil(answer.bound - 1e-6)) / model.goal.scale
            if answer.optimal and schedule is not None:
                bound = schedule.cost
        return Found(schedule, bound, exhausted=answer.optimal or answer.refuted)


class _Model:
    def __init__(
        self, instance: Instance, incumbent: Schedule, free: frozenset[int] | None, second: bool = False
    ) -> None:
        from ortools.sat.python import cp_model

        self.instance, self.a, self.incumbent, self.free = instance, instance.arrays, incumbent, free
        self.cp = cp_model.CpModel()
        self.goal = Goal.of(instance)
        self.exact = free is None
        """Whether a solution of the instance that costs less than the incumbent is a solution of the model."""
        a = self.a
        self.cells = 0
        """Entries of all tables."""
        self.latest = latest_ends(instance, incumbent)
        first = 0
        if free is None:
            safe = safe_horizon(instance, incumbent, self.latest)
            self.exact = safe is not None and safe <= instance.slots
            self.slots = safe if safe is not None and self.exact else instance.slots
        else:
            moving = sorted(free)
            first, last = int(incumbent.start[moving].min()), int(incumbent.end[moving].max())
            self.slots = min(instance.slots, last + (last - first) // 4 + 10)
        open_ = np.zeros(self.slots, bool)
        for row in np.unique(a.person_mask[np.unique(a.candidate)]) if len(a.candidate) else []:
            open_ |= a.masks[row, : self.slots] == 1
        open_[:first] = False
        self.axis = np.flatnonzero(open_)
        self.length = len(self.axis)
        self.after = np.r_[first, self.axis + 1]
        """Real time of the end of work up to each index."""
        self.s: dict[int, Any] = {}
        self.e: dict[int, Any] = {}
        self.on: dict[tuple[int, int], Any] = {}
        """Literal: this person (second) is on this row of needs (first)."""
        self.by_person: dict[int, list[tuple[Any, Any, int]]] = {}
        self.uses: dict[int, list[tuple[Any, int]]] = {}
        """What is taken of each environment."""
        waits = np.repeat(a.need_ptr[1:] == a.need_ptr[:-1], np.diff(a.use_ptr))
        self.waited_in = set(a.use[waits].tolist())
        """Environments counted on real time: a wait in one may be over before the axis goes on."""
        users = np.unique(
            np.c_[np.repeat(np.repeat(np.arange(instance.n), np.diff(a.need_ptr)), np.diff(a.cand_ptr)), a.candidate],
            axis=0,
        )
        self.shared = np.bincount(users[:, 1], minlength=len(a.person_mask)) > 1
        """People who can work on more than one activity."""
        self.calendars: dict[int, list[tuple[tuple[int, ...], Any]]] = {}
        """Of each activity, the calendars that its crew may have, and the literals that say so (None: always)."""
        self.real_starts: dict[int, Any] = {}
        self.real_ends: dict[int, Any] = {}
        for j in range(instance.n):
            if free is not None and j not in free:
                self.fixed(j)
            elif a.need_ptr[j] == a.need_ptr[j + 1]:
                self.without_people(j)
            else:
                self.with_people(j)
        self.links()
        self.people()
        self.environments()
        self.batches()
        self.limits()
        self.objective(second)

    # --- activities --------------------------------------------------------------------------------------------

    def fixed(self, j: int) -> None:
        """Where the incumbent has it."""
        a = self.a
        start, end = int(self.incumbent.start[j]), int(self.incumbent.end[j])
        self.real_starts[j], self.real_ends[j] = start, end
        begin, done = int(np.searchsorted(self.axis, start)), int(np.searchsorted(self.axis, end))
        if a.need_ptr[j] == a.need_ptr[j + 1]:
            return
        self.s[j], self.e[j] = begin, done
        self.calendars[j] = [(tuple(self.masks_of(j)), None)]
        for q, worked in self.worked(j, self.incumbent):
            index = np.searchsorted(self.axis, worked[(worked >= self.after[0]) & (worked < self.slots)])
            runs = np.split(index, np.flatnonzero(np.diff(index) > 1) + 1) if len(index) else []
            for p in self.seats(q):
                self.on[q, p] = True
                for run in runs:
                    interval = self.cp.new_fixed_size_interval_var(int(run[0]), len(run), "")
                    self.by_person.setdefault(p, []).append((interval, True, int(a.share[q])))

    def worked(self, j: int, schedule: Schedule) -> Iterator[tuple[int, Ints]]:
        """For each row of needs the slots in which its people work in the schedule, so without pauses."""
        a = self.a
        rows = range(a.need_ptr[j], a.need_ptr[j + 1])
        slots = np.arange(int(schedule.start[j]), int(schedule.end[j]))
        seats = {q: schedule.crew[a.crew_ptr[q] : a.crew_ptr[q] + a.people[q]].tolist() for q in rows}
        worked: dict[int, list[Ints]] = {q: [] for q in rows}
        done = 0
        for work in sorted({int(a.work[q]) for q in rows}):
            staying = [q for q in rows if a.work[q] >= work]
            masks = {int(a.person_mask[p]) for q in staying for p in seats[q]}
            masks |= {int(a.place[j])} if a.place[j] >= 0 else set()
            open_ = np.ones(len(slots), bool)
            for row in sorted(masks):
                open_ &= a.masks[row, slots] == 1
            taken = slots[open_][: work - done]
            for q in staying:
                worked[q].append(taken)
            if len(taken):
                slots = slots[slots > taken[-1]]
            done = work
        for q in rows:
            yield q, np.concatenate(worked[q])

    def without_people(self, j: int) -> None:
        """A wait or a milestone: real time."""
        a, cp, slots = self.a, self.cp, self.instance.slots
        wait = int(a.wait[j])
        starts, lasts = self.runs(j, (), wait, slots) if wait else (self.moments(j), None)
        start = cp.new_int_var_from_domain(_domain(starts), "")
        end = start + wait
        if lasts is not None and bool((lasts - starts >= wait).any()):
            ends = np.zeros(slots, np.int64)
            ends[starts] = lasts + 1
            end = cp.new_int_var(0, slots, "")
            self.table(start, ends.tolist(), end)
        self.real_starts[j], self.real_ends[j] = start, end
        cp.add_hint(start, int(self.incumbent.start[j]))

    def moments(self, j: int) -> Ints:
        """When a milestone may be: it touches a freeze only where it lies within."""
        a = self.a
        at = np.arange(int(a.release[j]), self.instance.slots)
        if a.pin[j] >= 0:
            at = at[at == a.pin[j]]
        if a.frozen[j] >= 0:
            frost = a.frosts[a.frozen[j]] == 1
            at = at[~(frost[at] & ((at == 0) | frost[np.maximum(at, 1) - 1]))]
        if a.occurrence[j] >= 0:
            at = at[a.occurrences[a.occurrence[j], at] >= 0]
        return at

    def with_people(self, j: int) -> None:
        a, cp = self.a, self.cp
        rows = range(a.need_ptr[j], a.need_ptr[j + 1])
        works = [int(a.work[q]) for q in rows]
        longest = max(works)
        people = {int(p) for q in rows for p in a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]]}
        literals: dict[int, list[Any]] = {}
        for q in rows:
            able = a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist()
            mine = []
            for p in able:
                literal = cp.new_bool_var("")
                self.on[q, p] = literal
                literals.setdefault(p, []).append(literal)
                mine.append(literal)
                cp.add_hint(literal, int(p in self.seats(q)))
            cp.add(sum(mine) == int(a.people[q]))
        for mine in literals.values():
            if len(mine) > 1:
                cp.add_at_most_one(mine)
        choices = self.calendar_choices(j, people)
        if len(set(works)) > 1 and not (len(choices) == 1 and len(choices[0]) == 1):
            self.exact = False  # all stay until the longest need is done, which is more than is asked
        start = cp.new_int_var(0, max(self.length - 1, 0), "")
        end = cp.new_int_var(0, int(np.searchsorted(self.axis, self.latest[j])), "")
        hint = int(np.searchsorted(self.axis, self.incumbent.start[j]))
        cp.add_hint(start, hint)
        cp.add_hint(end, int(np.searchsorted(self.axis, self.incumbent.end[j])))
        picked: list[Any] = [cp.new_bool_var("") for _ in choices] if len(choices) > 1 else []
        if picked:
            cp.add_exactly_one(picked)
            for k, rows_ in enumerate(choices):
                cp.add_hint(picked[k], int(set(self.masks_of(j)) == set(rows_)))
                for p, mine in literals.items():
                    if a.person_mask[p] not in rows_:
                        for literal in mine:
                            cp.add_implication(picked[k], ~literal)
        else:
            # where calendars are only those of the incumbent, no one with another
            for p, mine in literals.items():
                if a.person_mask[p] not in choices[0]:
                    for literal in mine:
                        cp.add(literal == 0)
        self.calendars[j] = [(rows_, picked[k] if picked else None) for k, rows_ in enumerate(choices)]
        if a.pin[j] >= 0:  # first possible for just these calendars: a crew with fewer of them could begin earlier
            for rows_, choice in self.calendars[j]:
                for row in rows_:
                    some = cp.add_bool_or(on for p, mine in literals.items() if a.person_mask[p] == row for on in mine)
                    if choice is not None:
                        some.only_enforce_if(choice)
        for rows_, choice in self.calendars[j]:
            ends = self.ends(j, rows_, longest)
            allowed = np.flatnonzero(ends >= 0)
            self.exact &= self.without_pauses(people, rows_, longest, *self.runs(j, rows_, longest, self.slots))
            domain = _domain(allowed)
            if not len(allowed):
                if choice is None:
                    cp.add_bool_or([])
                else:
                    cp.add(choice == 0)
                continue
            rules = [cp.add_linear_expression_in_domain(start, domain)]
            table = np.where(ends >= 0, ends, 0).tolist()
            if bool((ends[allowed] - allowed == longest).all()):
                rules.append(cp.add(end == start + longest))
            elif choice is None:
                self.table(start, table, end)
            else:
                # a table holds always, so under a choice it has a start of its own
                own_start, own_end = cp.new_int_var_from_domain(domain, ""), cp.new_int_var(0, self.length, "")
                self.table(own_start, table, own_end)
                rules += [cp.add(start == own_start), cp.add(end == own_end)]
            if choice is not None:
                for rule in rules:
                    rule.only_enforce_if(choice)
        self.s[j], self.e[j] = start, end
        single = len(choices) == 1 and len(choices[0]) == 1
        for q in rows:
            own = int(a.work[q])
            until = self.until(j, start, end, own, choices[0]) if own < longest and single else end
            for p in a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist():
                length = cp.new_int_var(0, self.length, "")
                interval = cp.new_optional_interval_var(start, length, until, self.on[q, p], "")
                self.by_person.setdefault(p, []).append((interval, self.on[q, p], int(a.share[q])))

    def until(self, j: int, start: Any, end: Any, work: int, rows: tuple[int, ...]) -> Any:
        """When those leave who stay for less than the whole activity; all share the calendar ``rows``."""
        ends = self.ends(j, rows, work, check=False)
        allowed = np.flatnonzero(ends >= 0)
        found = self.cp.new_int_var(0, self.length, "")
        if bool((ends[allowed] - allowed == work).all()):
            self.cp.add(found == start + work)
        else:
            self.table(start, np.where(ends >= 0, ends, 0).tolist(), found)
        self.cp.add(found <= end)
        return found

    def seats(self, q: int) -> set[int]:
        a = self.a
        return set(self.incumbent.crew[a.crew_ptr[q] : a.crew_ptr[q] + a.people[q]].tolist())

    def masks_of(self, j: int) -> list[int]:
        a = self.a
        crew = self.incumbent.crew[a.crew_ptr[a.need_ptr[j]] : a.crew_ptr[a.need_ptr[j + 1]]]
        return sorted(set(a.person_mask[crew].tolist()))

    def calendar_choices(self, j: int, people: set[int]) -> list[tuple[int, ...]]:
        """Sets of calendars (rows of masks) that a crew of the activity may have."""
        a = self.a
        if len({int(a.person_mask[p]) for p in people}) == 1:
            return [(int(a.person_mask[next(iter(people))]),)]
        by_seat = []
        for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
            able = a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]]
            by_seat += [sorted(set(a.person_mask[able].tolist()))] * int(a.people[q])
        size = 1
        for masks in by_seat:
            size *= len(masks)
        if size > 50 * CALENDAR_CHOICES:
            self.exact = False
            return [tuple(self.masks_of(j))]
        found = sorted({tuple(sorted(set(choice))) for choice in product(*by_seat)})
        if len(found) > CALENDAR_CHOICES:
            self.exact = False
            return [tuple(self.masks_of(j))]
        return found

    def runs(self, j: int, rows: tuple[int, ...], work: int, slots: int, check: bool = True) -> tuple[Ints, Ints]:
        """First and last slot of so many slots open for these calendars and the environments, for each start."""
        a = self.a
        joint = np.ones(slots, bool)
        for row in (*rows, *([int(a.place[j])] if a.place[j] >= 0 else [])):
            joint &= a.masks[row, :slots] == 1
        places = np.flatnonzero(joint)
        starts, lasts = places[: max(0, len(places) - work + 1)], places[work - 1 :]
        keep = starts >= a.release[j]
        if a.pin[j] >= 0:
            keep &= np.arange(len(starts)) == np.searchsorted(starts, a.pin[j])
        if check:
            if a.run[j]:
                keep &= lasts - starts == work - 1
            if a.frozen[j] >= 0:
                frost = np.r_[0, np.cumsum(a.frosts[a.frozen[j], :slots])]
                keep &= frost[lasts + 1] == frost[starts]
            if a.occurrence[j] >= 0:
                number = a.occurrences[a.occurrence[j]]
                keep &= (number[starts] >= 0) & (number[lasts] == number[starts])
        return starts[keep], lasts[keep]

    def ends(self, j: int, rows: tuple[int, ...], work: int, check: bool = True) -> Ints:
        """For each start index the end index of so many slots open for these calendars, or -1 where it cannot start."""
        starts, lasts = self.runs(j, rows, work, self.slots, check)
        keep = starts >= self.after[0]
        found = np.full(self.length, -1, np.int64)
        found[np.searchsorted(self.axis, starts[keep])] = np.searchsorted(self.axis, lasts[keep]) + 1
        return found

    def without_pauses(self, people: set[int], rows: tuple[int, ...], work: int, starts: Ints, lasts: Ints) -> bool:
        """Whether nobody could do anything else in the pauses of such work, through which the model keeps people."""
        a = self.a
        crew = [p for p in sorted(people) if self.shared[p] and a.person_mask[p] in rows]
        for row in np.unique(a.person_mask[crew]).tolist():
            open_ = np.r_[0, np.cumsum(a.masks[row, : self.slots] == 1)]
            if bool((open_[lasts + 1] - open_[starts] > work).any()):
                return False
        return True

    # --- constraints -------------------------------------------------------------------------------------------

    def table(self, index: Any, values: list[int], value: Any) -> None:
        self.cells += len(values)
        self.cp.add_element(index, values, value)

    def real_start(self, j: int) -> Any:
        if j not in self.real_starts:
            var = self.cp.new_int_var(0, self.instance.slots, "")
            self.table(self.s[j], self.axis.tolist(), var)
            self.real_starts[j] = var
        return self.real_starts[j]

    def real_end(self, j: int) -> Any:
        if j not in self.real_ends:
            var = self.cp.new_int_var(0, self.instance.slots, "")
            self.table(self.e[j], self.after.tolist(), var)
            self.real_ends[j] = var
        return self.real_ends[j]

    def links(self) -> None:
        a, cp = self.a, self.cp
        for j in range(self.instance.n):
            for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
                i, kind, lag = int(a.pred[e]), int(a.pred_type[e]), int(a.lag[e])
                if self.free is not None and i not in self.free and j not in self.free:
                    continue
                if a.lag_kind[e] == WORKING:
                    before = self.real_end(i) if kind in (FS, FF) else self.real_start(i)
                    after = self.real_start(j) if kind in (FS, SS) else self.real_end(j)
                    for rows, literal in self.calendars[j]:
                        rule = cp.add(after >= self.later(rows, before, lag))
                        if literal is not None:
                            rule.only_enforce_if(literal)
                    continue
                if lag == 0 and i in self.s and j in self.s:
                    before = self.e[i] if kind in (FS, FF) else self.s[i]
                    after = self.s[j] if kind in (FS, SS) else self.e[j]
                    # only start-to-finish compares the two ends of an index, which is for real time, below
                    if kind != 3:
                        cp.add(after >= before)
                        continue
                before = self.real_end(i) if kind in (FS, FF) else self.real_start(i)
                after = self.real_start(j) if kind in (FS, SS) else self.real_end(j)
                cp.add(after >= before + lag)

    def later(self, rows: tuple[int, ...], moment: Any, lag: int) -> Any:
        """The moment after so many slots that are open for all of a crew with these calendars."""
        slots = self.instance.slots
        count = np.r_[0, np.cumsum((self.a.masks[list(rows)] == 1).all(axis=0))]
        table = np.minimum(np.searchsorted(count, np.maximum(count + lag, 0), side="left"), slots)
        if isinstance(moment, int):
            return int(table[min(moment, slots)])
        found = self.cp.new_int_var(0, slots, "")
        self.table(moment, table.tolist(), found)
        return found

    def people(self) -> None:
        cp = self.cp
        for mine in self.by_person.values():
            if all(share == 100 for _, _, share in mine):
                cp.add_no_overlap([i for i, _, _ in mine])
            else:
                cp.add_cumulative([i for i, _, _ in mine], [share for _, _, share in mine], 100)
        self.wip()

    def wip(self) -> None:
        a, cp = self.a, self.cp
        people = len(a.person_mask)
        holders = [(p, [p], int(a.person_wip[p])) for p in np.flatnonzero(a.person_wip > 0).tolist()]
        holders += [(people + k, np.flatnonzero(a.team == k).tolist(), int(m)) for k, m in enumerate(a.team_wip)]
        for holder, able, most in holders:
            spans, exempt, limit = [], 0, most
            counted = {j: on for j in self.s if (on := self.of(j, able)) and not self.waived(j, holder)}
            for j, on in counted.items():
                exempt += bool(a.exempt[j])
                # counted until all are done, though those with less to do leave before
                self.exact &= len(set(a.work[a.need_ptr[j] : a.need_ptr[j + 1]].tolist())) == 1
                begin = 0 if a.exempt[j] else self.s[j]
                size = cp.new_int_var(0, self.length, "")
                literal = on[0] if len(on) == 1 else cp.new_bool_var("")
                if len(on) > 1:
                    cp.add_max_equality(literal, on)
                spans.append(cp.new_optional_interval_var(begin, size, self.e[j], literal, ""))
            if exempt > limit:
                self.exact = False
                limit = exempt
                ends = [self.e[j] for j in counted if a.exempt[j]]
                for j, on in counted.items():
                    if not a.exempt[j]:
                        for literal in on:
                            for end in ends:
                                cp.add(self.s[j] >= end).only_enforce_if(literal)
            cp.add_cumulative(spans, [1] * len(spans), limit)

    def of(self, j: int, people: list[int]) -> list[Any]:
        """Of each need of an activity and each of these people, whether they are on it."""
        rows = range(self.a.need_ptr[j], self.a.need_ptr[j + 1])
        return [self.on[q, p] for p in people for q in rows if (q, p) in self.on]

    def waived(self, j: int, holder: int) -> bool:
        return holder in self.a.waived[self.a.waived_ptr[j] : self.a.waived_ptr[j + 1]]

    def environments(self) -> None:
        a, cp = self.a, self.cp
        counted: dict[int, list[tuple[Any, Any, int, bool]]] = {}
        for j in range(self.instance.n):
            uses = [(int(a.use[u]), int(a.amount[u])) for u in range(a.use_ptr[j], a.use_ptr[j + 1])]
            kinds = {k: (k in self.waited_in, bool(a.exempt[j] and a.in_process[k])) for k, _ in uses}
            for real, begun in sorted(set(kinds.values())):
                begin, end = (self.real_start(j), self.real_end(j)) if real else (self.s[j], self.e[j])
                size = cp.new_int_var(0, self.instance.slots, "")
                interval = cp.new_interval_var(0 if begun else begin, size, end, "")
                for k, amount in uses:
                    if kinds[k] == (real, begun):
                        self.uses.setdefault(k, []).append((interval, amount))
                        if a.in_process[k]:
                            counted.setdefault(k, []).append((begin, end, amount, begun))
        for k, mine in self.uses.items():
            most = int(a.capacity[k])
            taken = sum(amount for _, _, amount, begun in counted.get(k, ()) if begun)
            if taken > most:
                # as on people: nothing new before all that is begun is finished
                self.exact, most = False, taken
                for begin, _, _, begun in counted[k]:
                    for end in (e for _, e, _, other in counted[k] if other and not begun):
                        cp.add(begin >= end)
            cp.add_cumulative([i for i, _ in mine], [d for _, d in mine], most)

    def batches(self) -> None:
        """What starts in each occurrence; a literal says in which one an activity starts."""
        a, cp = self.a, self.cp
        rows: dict[tuple[int, int], list[tuple[Any, int]]] = {}
        for j in np.flatnonzero(np.diff(a.batch_ptr)).tolist():
            number = a.occurrences[a.occurrence[j]]
            if self.free is not None and j not in self.free:
                inside: list[tuple[int, Any]] = [(int(number[self.incumbent.start[j]]), True)]
            else:
                start, of = (self.s[j], number[self.axis]) if j in self.s else (self.real_starts[j], number)
                inside = [(k, cp.new_bool_var("")) for k in np.unique(of[of >= 0]).tolist()]
                cp.add_exactly_one([literal for _, literal in inside])
                for k, literal in inside:
                    cp.add_linear_expression_in_domain(start, _domain(np.flatnonzero(of == k))).only_enforce_if(literal)
                self.cells += len(of)
            for e in range(a.batch_ptr[j], a.batch_ptr[j + 1]):
                for k, literal in inside:
                    rows.setdefault((int(a.batch[e]), k), []).append((literal, int(a.batch_amount[e])))
        for (row, _), mine in rows.items():
            cp.add(sum(amount * literal for literal, amount in mine) <= int(a.batch_most[row]))

    def limits(self) -> None:
        """Whenever a span starts, those in process under its limit leave room for it, or it is alone."""
        a, cp = self.a, self.cp
        owner = np.repeat(np.arange(self.instance.n), np.diff(a.span_ptr))
        rows: dict[int, dict[int, tuple[Any, Any]]] = {}
        for s in range(len(a.demand)):
            members = owner[a.spans == s].tolist()
            if not members:
                continue
            end = cp.new_int_var(0, self.instance.slots, "")
            cp.add_max_equality(end, [self.real_end(j) for j in members])
            begin: Any = 0
            if not a.begun[s]:
                begin = cp.new_int_var(0, self.instance.slots, "")
                cp.add_min_equality(begin, [self.real_start(j) for j in members])
            rows.setdefault(int(a.span_limit[s]), {})[s] = begin, end
        for row, spans in rows.items():
            for s, (begin, _) in spans.items():
                if a.begun[s]:
                    continue
                present: list[Any] = []
                for q, (other, end) in spans.items():
                    if q != s:
                        inside, over, later = (cp.new_bool_var("") for _ in range(3))
                        cp.add(end <= begin).only_enforce_if(over)
                        cp.add(other > begin).only_enforce_if(later)
                        cp.add_bool_or(inside, over, later)
                        present.append(int(a.demand[q]) * inside)
                cp.add(sum(present) <= max(0, int(a.limit[row] - a.demand[s])))

    # --- costs -------------------------------------------------------------------------------------------------

    def objective(self, second: bool) -> None:
        a, cp, instance = self.a, self.cp, self.instance
        goal = self.goal
        self.exact &= goal.exact
        groups, parts = len(a.due), goal.parts
        tardiness, flow, span, earliness = goal.tardiness, goal.flow, goal.span, goal.earliness
        terms: list[Any] = []
        sooner: list[Any] = []
        measure = _integers(a.measure / instance.weeks)
        for g in range(groups):
            members = a.member[a.member_ptr[g] : a.member_ptr[g + 1]].tolist()
            ended = {
                int(a.pred[e])
                for j in members
                for e in range(a.pred_ptr[j], a.pred_ptr[j + 1])
                if a.pred_type[e] == FS and a.lag[e] >= 0
            }
            last = [j for j in members if j not in ended] or members
            finish = cp.new_int_var(0, instance.slots, "")
            for j in last:
                cp.add(finish >= self.real_end(j))
            if measure[g]:
                sooner.append(measure[g] * finish)
            if tardiness[g]:
                late = cp.new_int_var(0, max(0, instance.slots * parts - goal.due[g]), "")
                cp.add(late >= parts * finish - goal.due[g])
                terms.append(tardiness[g] * late)
            if flow[g]:
                terms.append(flow[g] * parts * finish)
            if span[g] or earliness[g]:
                begin = cp.new_int_var(0, instance.slots, "")
                for j in members:
                    cp.add(begin <= self.real_start(j))
                if span[g]:
                    terms.append(span[g] * parts * (finish - begin))
                if earliness[g]:
                    early = cp.new_int_var(0, max(0, goal.wanted[g]), "")
                    cp.add(early >= goal.wanted[g] - parts * begin)
                    terms.append(earliness[g] * early)
        if second:
            cp.add(sum(terms) <= round(self.incumbent.cost * goal.scale))
            terms = sooner
        cp.minimize(sum(terms) if terms else 0)

    def read(self, solver: Any) -> Schedule | None:
        """None where the end of something is no end of work."""
        a, n = self.a, self.instance.n
        start, end = np.zeros(n, np.int64), np.zeros(n, np.int64)
        crew = np.full(int(a.crew_ptr[-1]), -1, np.int64)
        for j in range(n):
            if self.free is not None and j not in self.free:
                start[j], end[j] = self.incumbent.start[j], self.incumbent.end[j]
            elif j in self.s:
                start[j] = self.axis[solver.value(self.s[j])]
                end[j] = self.after[solver.value(self.e[j])]
            else:
                start[j] = solver.value(self.real_starts[j])
                end[j] = solver.value(self.real_ends[j])
            for q in range(a.need_ptr[j], a.need_ptr[j + 1]):
                able = a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist()
                on = [p for p in able if (q, p) in self.on and solver.boolean_value(self.on[q, p])]
                crew[a.crew_ptr[q] : a.crew_ptr[q] + len(on)] = on
        from throttle.solve.kernels import kernels

        for j in self.s if self.free is None else sorted(self.free & self.s.keys()):
            # the model keeps everyone until the longest need is done; when some leave, the others may end sooner
            done = max(int(slots[-1]) + 1 for _, slots in self.worked(j, Schedule(start, end, crew, 0.0, 0.0)))
            links = a.pred_type[a.pred_ptr[j] : a.pred_ptr[j + 1]]
            if done < end[j] and ((links == FF) | (links == SF)).any():
                return None
            end[j] = done
        cost, flow = kernels(False).cost(a, start, end)
        return Schedule(start, end, crew, float(cost), float(flow))


def _integers(rates: Floats) -> list[int]:
    """Weights in proportion, as integers up to 10,000."""
    most = float(rates.max(initial=0.0))
    return [round(float(r) / most * 10_000) for r in rates] if most > 0 else [0] * len(rates)


def latest_ends(instance: Instance, incumbent: Schedule) -> Floats:
    """For each activity the latest end in any schedule that costs no more than the incumbent, inf if it costs nothing.

    A group's cost alone is at most the whole: due + cost / tardiness, cost / flow; and before what waits for it.
    """
    a = instance.arrays
    found = np.full(instance.n, np.inf)
    for g in range(len(a.due)):
        members = a.member[a.member_ptr[g] : a.member_ptr[g + 1]]
        by = np.inf
        if a.tardiness[g] > 0:
            by = max(0.0, float(a.due[g])) + incumbent.cost / float(a.tardiness[g])
        if a.flow[g] > 0:
            by = min(by, incumbent.cost / float(a.flow[g]))
        found[members] = np.minimum(found[members], np.floor(by + 1e-6))
    least = np.maximum(a.wait, 0).astype(float)
    np.maximum.at(least, np.repeat(np.arange(instance.n), np.diff(a.need_ptr)), a.work.astype(float))
    for j in reversed(topological(instance)):
        for e in range(a.pred_ptr[j], a.pred_ptr[j + 1]):
            if a.pred_type[e] == FS and a.lag[e] >= 0:
                found[a.pred[e]] = min(found[a.pred[e]], found[j] - least[j] - a.lag[e])
    return found


def safe_horizon(instance: Instance, incumbent: Schedule, latest: Floats) -> int | None:
    """A horizon within which some cheapest schedule lies, or None where none is known.

    What costs nothing by ending late, and ends after all that costs and all wanted starts, may as well come one after
    the other behind these, in the order of its links, if all that waits for it ends after it (FS, FF) and so is moved
    too. With SS links instead of FF, the same holds of what starts after them, behind what has begun before. That
    needs it to fit wherever its people are at work.
    """
    a = instance.arrays
    loose = np.flatnonzero(np.isinf(latest))
    bounded = latest[np.isfinite(latest)]
    safe = max(
        float(bounded.max(initial=0)),
        float(incumbent.end.max()),
        float(a.release.max()),
        float(a.pin.max()),
        float(np.ceil(a.wanted[a.earliness > 0]).max(initial=0)),
    )
    if not len(loose):
        return int(safe) + 1
    special = a.run | (a.occurrence >= 0) | (a.frozen >= 0) | (a.place >= 0) | (a.pin >= 0)
    if (a.person_wip > 0).any() or len(a.team_wip) or a.in_process.any():
        special = special | a.exempt
    spanned = np.repeat(a.span > 0, np.diff(a.member_ptr))
    if special[loose].any() or np.isin(a.member[spanned], loose).any() or len(a.limit):
        return None
    waiters = np.repeat(np.arange(instance.n), np.diff(a.pred_ptr))
    after = np.isin(a.pred, loose)
    kinds = set(a.pred_type[after].tolist())
    if (a.lag[after] < 0).any() or not (kinds <= {FS, FF} or kinds <= {FS, SS}):
        return None
    for e in np.flatnonzero(np.isin(waiters, loose) & (a.lag > 0)).tolist():
        lag: float | None = float(a.lag[e])
        if a.lag_kind[e] == WORKING:
            rows = _calendars(a, int(waiters[e]))
            lag = _most_elapsed(a.masks[rows[0]], int(a.lag[e])) if len(rows) == 1 else None
        if lag is None:
            return None
        safe += lag
    longest = 0.0
    for j in loose.tolist():
        worst = float(a.wait[j])
        several = a.crew_ptr[a.need_ptr[j + 1]] - a.crew_ptr[a.need_ptr[j]] > 1
        rows = _calendars(a, j)
        if several and len(rows) > 1:
            return None
        for row in rows:
            elapsed = _most_elapsed(a.masks[row], int(a.work[a.need_ptr[j] : a.need_ptr[j + 1]].max()))
            if elapsed is None:
                return None
            worst = max(worst, elapsed)
        safe += worst
        longest = max(longest, worst)
    return int(safe + (longest if SS in kinds else 0.0)) + 1


def _calendars(a: Arrays, j: int) -> list[int]:
    """The rows of masks of all who can work on an activity."""
    people = a.candidate[a.cand_ptr[a.need_ptr[j]] : a.cand_ptr[a.need_ptr[j + 1]]]
    return [int(row) for row in np.unique(a.person_mask[people])]


def _most_elapsed(mask: NDArray[np.uint8], work: int) -> float | None:
    """The longest that so many open slots can take, whenever they begin; None if there are not so many."""
    places = np.flatnonzero(mask)
    if len(places) <= work:
        return None
    return max(float((places[work:] - places[: len(places) - work]).max()), float(places[0]) + work)


def _domain(allowed: Ints) -> Any:
    from ortools.sat.python import cp_model

    if not len(allowed):
        return cp_model.Domain.from_values([])
    breaks = np.flatnonzero(np.diff(allowed) > 1)
    firsts = np.r_[allowed[0], allowed[breaks + 1]]
    lasts = np.r_[allowed[breaks], allowed[-1]]
    return cp_model.Domain.from_intervals([[int(a), int(b)] for a, b in zip(firsts, lasts, strict=True)])
