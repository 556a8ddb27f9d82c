"""From a portfolio and its plan to the arrays that runs need: the one place where uncertainty becomes numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from throttle.as_planned import as_planned
from throttle.calendars import Calendars, end_of
from throttle.changes.overhead import open_after
from throttle.compile import Compiled, approval_expected, compile_portfolio, horizon_guess, most_slots
from throttle.errors import InputError, ThrottleError
from throttle.graph import WorkGraph, time_of
from throttle.instance import FS, SS, Instance, Schedule
from throttle.lift import lower
from throttle.primitives import ints, pointers
from throttle.reserve import holders, reserves
from throttle.simulate.arrays import Extra
from throttle.simulate.run import one_run
from throttle.simulate.types import Cause, Model, Settings
from throttle.solve.kernels import kernels
from throttle_models import Change, Finding, Plan, Portfolio, WorkItem, WorkType
from throttle_models.quantities import MOST
from throttle_models.simulation import Simulation

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOUR = timedelta(hours=1)
LONGER, MARGIN_WEEKS = 3.0, 13.0
"""A run goes on for so many lengths of the plan, and so many weeks more."""
MOST_CELLS = 400_000_000
"""People x slots at most, so that a run fits into memory."""
P80 = 0.8416212335729143
"""Normal score that is not exceeded with a chance of 80 %."""
MOST_DECISIONS = 12
ROUNDS = 200
"""Times that items which would begin before the plan says are looked for."""
HELD_AFTER = 20
"""After so many, all items that the plan begins later than they could wait for the plan."""


class NotThePlanError(ThrottleError):
    """A defect: without noise a run is not the plan."""


def model_of(portfolio: Portfolio, plan: Plan, settings: Settings | None = None) -> Model:
    """A portfolio (as written) and a plan made from it, ready to be executed.

    Raises InputError where the plan is of another portfolio, and NotThePlanError where a run without noise is not the
    plan (with ``Settings.start`` other than ``free``), which would be a defect.
    """
    return Executable.of(portfolio, plan, settings).model()


@dataclass(frozen=True)
class Executable:
    """A portfolio on the horizon of its runs, of which any schedule can be executed, not only the one planned."""

    compiled: Compiled
    plan: Plan
    schedule: Schedule
    """The plan on it."""
    settings: Settings

    @classmethod
    def of(cls, portfolio: Portfolio, plan: Plan, settings: Settings | None = None) -> Executable:
        """Raises InputError where the plan is of another portfolio."""
        settings = settings or Settings()
        compiled, schedule = _compiled(as_planned(plan, portfolio), plan, settings)
        return cls(compiled, plan, schedule, settings)

    def model(self, schedule: Schedule | None = None) -> Model:
        """Of another schedule of the same instance; None: of the plan. Raises NotThePlanError as :func:`model_of`."""
        return _Builder(self.compiled, schedule or self.schedule, self.plan, self.settings).model()


def _compiled(portfolio: Portfolio, plan: Plan, settings: Settings) -> tuple[Compiled, Schedule]:
    """On the horizon of the runs, and with limits on what is let in whether or not the policy has them."""
    slot = portfolio.slot
    longest = timedelta(weeks=longest_run(plan) if settings.weeks is None else settings.weeks)
    people = max(1, len(portfolio.people))
    slots = max(min(math.ceil(longest / slot), MOST_CELLS // people), math.ceil((end_of(plan) - plan.as_of) / slot) + 1)
    policy = portfolio.policy
    added: dict[str, Any] = {}
    if policy.projects_in_process is None and portfolio.projects:
        added["projects_in_process"] = MOST
    if policy.rope is None and settings.rope:
        added["rope"] = MOST * timedelta(minutes=1)
    graph = WorkGraph(portfolio)
    limited = open_after(portfolio.model_copy(update={"policy": policy.model_copy(update=added)}))
    # what is awaited from outside may come long after the plan
    for enough in sorted({slots, max(slots, horizon_guess(portfolio, graph)), max(slots, most_slots(portfolio))}):
        compiled = compile_portfolio(limited, graph, enough, dict(plan.unscheduled))
        schedule = lower(compiled, dict(plan.items))
        if schedule is not None:
            return replace(compiled, portfolio=portfolio), schedule
    message = "the plan does not fit the portfolio that it carries; run throttle verify on it"
    raise InputError([Finding(level="error", code="other-plan", message=message)])


def longest_run(plan: Plan) -> float:
    """Weeks from as-of after which a run of a plan ends, unless the settings say otherwise."""
    return LONGER * ((end_of(plan) - plan.as_of) / timedelta(weeks=1)) + MARGIN_WEEKS


class _Lists:
    """Ragged lists of integers put together, with pointers into the whole."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.int64]] = []
        self._length = 0

    def add(self, pointers_: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
        begins = pointers_ + self._length
        self._parts.append(values)
        self._length += len(values)
        return begins

    def rows(self, some: Sequence[Sequence[int]]) -> NDArray[np.int64]:
        return self.add(pointers([len(row) for row in some]), ints([value for row in some for value in row]))

    def flat(self) -> NDArray[np.int64]:
        return np.concatenate([*self._parts, np.zeros(1, np.int64)])


def _table(columns: Sequence[Any], more: int = 0) -> NDArray[np.int64]:
    """Columns side by side; those that have no entry for the ``more`` rows at the end get 0 there."""
    longest = max(len(column) for column in columns)
    found = np.zeros((longest, len(columns)), np.int64)
    for k, column in enumerate(columns):
        if len(column) not in (longest, longest - more):
            raise ValueError(f"column {k} has {len(column)} rows, not {longest}")
        found[: len(column), k] = column
    return found


class _Builder:
    def __init__(self, compiled: Compiled, schedule: Schedule, plan: Plan, settings: Settings) -> None:
        self.compiled, self.schedule, self.plan, self.settings = compiled, schedule, plan, settings
        self.portfolio, self.graph = compiled.portfolio, compiled.graph
        self.instance, self.a = compiled.instance, compiled.instance.arrays
        self.noise = settings.noise
        self.said: Simulation = compiled.portfolio.simulation
        self.n = self.instance.n
        self.kernel = kernels(False, "execution")
        self.slot_hours = compiled.grid.minutes / 60
        self.number = {id: j for j, id in enumerate(self.instance.activities) if id}
        self.person = {id: k for k, id in enumerate(self.portfolio.people)}
        self.classes: list[tuple[tuple[int, ...], float, int, tuple[float, float, float, float]]] = []
        """People, tasks a week, law, (low, likely, high, mean) in slots."""
        self.class_names: list[str] = []

    def items(self) -> Iterable[tuple[int, WorkItem]]:
        """Of each activity that is not hidden, its number and item."""
        for j, id in enumerate(self.instance.activities):
            if id:
                yield j, self.portfolio.work[id]

    def model(self) -> Model:
        plan = self.schedule
        projects, members = self.projects()
        rows = self.limits()
        limit = self.policy_limits(rows)
        mode = {"free": self.kernel.FREE, "gained": self.kernel.GAINED, "planned": self.kernel.HELD}
        extra = self.extra(np.full(self.n, mode[self.settings.start], np.int64), members, limit)
        model = Model(
            instance=self.instance,
            schedule=plan,
            arrays=extra,
            settings=self.settings,
            projects=projects,
            groups=self.instance.groups,
            rows=rows,
            policy=tuple(limit.tolist()),
            skills=tuple(self.class_names),
            origin=self.compiled.grid,
            hours_per_slot=self.slot_hours,
            planned_cost=float(self.kernel_costs(extra, plan).sum()),
        )
        return model if self.settings.start == "free" else held_to_plan(model)

    def kernel_costs(self, extra: Extra, plan: Schedule) -> NDArray[np.float64]:
        a, found = self.a, np.zeros(len(self.instance.groups))
        for g in np.flatnonzero(extra.group[:-1, 1]):
            members = a.member[a.member_ptr[g] : a.member_ptr[g + 1]]
            finish, begin = plan.end[members].max(initial=0), plan.start[members].min(initial=1 << 60)
            found[g] = a.tardiness[g] * max(0.0, finish - a.due[g]) + a.flow[g] * finish
            found[g] += a.span[g] * (finish - begin) + a.earliness[g] * max(0.0, a.wanted[g] - begin)
        return found

    # --- limits ------------------------------------------------------------------------------------------------

    def limits(self) -> dict[str, tuple[int, ...]]:
        """Rows of ``limit`` that stand for projects in process and for the rope."""
        rules = self.compiled.rules
        names = [field for _, _, field in rules.limits] if rules else []
        return {
            what: tuple(k for k, name in enumerate(names) if name == field)
            for what, field in (("projects", "policy.projects_in_process"), ("rope", "policy.rope"))
        }

    def policy_limits(self, rows: Mapping[str, tuple[int, ...]]) -> NDArray[np.int64]:
        """As the policy says; what it does not limit is unlimited."""
        found = self.a.limit.copy()
        policy = self.portfolio.policy
        for what, said in (("projects", policy.projects_in_process), ("rope", policy.rope)):
            if said is None:
                found[list(rows[what])] = self.kernel.UNLIMITED
        found[found == 0] = self.kernel.UNLIMITED
        return found

    def letting_in(self, limit: NDArray[np.int64]) -> tuple[list[list[int]], list[list[int]]]:
        """Of each span those let in before it, and those let in with it: both keep limits from waiting for each other
        for ever. Where the plan does without, it is not asked for."""
        a, plan = self.a, self.schedule
        members: list[list[int]] = [[] for _ in a.demand]
        for j in range(self.n):
            for s in a.spans[a.span_ptr[j] : a.span_ptr[j + 1]].tolist():
                members[s].append(j)
        opens = [-1 if a.begun[s] else min((int(plan.start[j]) for j in m), default=-1) for s, m in enumerate(members)]
        closes = [max((int(plan.end[j]) for j in m), default=-1) for m in members]
        before = [
            [q for q in a.before[a.before_ptr[s] : a.before_ptr[s + 1]].tolist() if opens[q] <= opens[s]]
            for s in range(len(a.demand))
        ]
        knots: dict[int, list[int]] = {}
        for s, number in enumerate(a.knot.tolist()):
            knots.setdefault(number, []).append(s)
        together = [[s] for s in range(len(a.demand))]
        for knot in knots.values():
            if len(knot) > 1 and self.fit_together(knot, opens, closes, limit):
                for s in knot:
                    together[s] = knot
        return before, together

    def fit_together(self, knot: list[int], opens: list[int], closes: list[int], limit: NDArray[np.int64]) -> bool:
        """Whether the plan has room for all of a knot when the first of it is let in."""
        a = self.a
        new = [s for s in knot if opens[s] >= 0]
        first = min((opens[s] for s in new), default=0)
        for row in {int(a.span_limit[s]) for s in new}:
            others = [s for s in range(len(opens)) if a.span_limit[s] == row and s not in new]
            booked = sum(int(a.demand[s]) for s in others if opens[s] <= first < closes[s])
            if booked + sum(int(a.demand[s]) for s in new if a.span_limit[s] == row) > limit[row]:
                return False
        return True

    # --- projects ----------------------------------------------------------------------------------------------

    def projects(self) -> tuple[tuple[str, ...], list[list[int]]]:
        """As in the plan, with their scheduled activities."""
        inside: dict[str, list[int]] = {}
        for id, j in self.number.items():
            if (project := self.graph.project_of(id)) is not None:
                inside.setdefault(project, []).append(j)
        ids, members = [], []
        for name in self.plan.projects:
            own = (
                inside.get(name, [])
                if name in self.portfolio.projects
                else [self.number[i] for i in self.graph.activities_in(name) if i in self.number]
            )
            if own:
                ids.append(name)
                members.append(own)
        return tuple(ids), members

    # --- arrays ------------------------------------------------------------------------------------------------

    def extra(self, mode: NDArray[np.int64], members: list[list[int]], limit: NDArray[np.int64]) -> Extra:
        a, plan, n, on = self.a, self.schedule, self.n, self.noise
        seat_ptr = a.crew_ptr[a.need_ptr]
        owner = np.repeat(np.arange(n), np.diff(a.pred_ptr))
        out_ptr = np.r_[0, np.cumsum(np.bincount(a.pred, minlength=n))]
        rank = np.empty(n, np.int64)
        rank[np.lexsort((np.arange(n), plan.end, plan.start))] = np.arange(n)
        order_ptr, order, turn = self.orders(rank, seat_ptr)
        codes, following, following_row = self.codes()
        set_of, sets = self.sets()
        of_person: list[list[int]] = [[] for _ in self.instance.people]
        for k, some in enumerate(sets):
            for p in some:
                of_person[p].append(k)
        chance = self.failures()
        self.unplanned()
        incident_class = self.incidents(chance[:, 1])
        rates, open_ptr, open_slot = self.class_hours(codes)
        sizes = np.array([entry[3] for entry in self.classes], float).reshape(-1, 4)
        before, knot = self.letting_in(limit)
        size = np.bincount(a.spans, minlength=len(a.demand))
        counted = self.compiled.rules.counted if self.compiled.rules else {}
        window, occurrences = self.windows()
        lists = _Lists()
        decisions = lists.rows(self.decisions())
        hidden = [not id for id in self.instance.activities]
        release = np.maximum(a.release, a.pin)
        waits = [
            int(Cause.WIP) if counted.get(row, "").startswith("policy.wip") else int(Cause.PLACE)
            for row in range(len(a.capacity))
        ]
        span = _table((a.demand, a.span_limit, a.begun, lists.rows(before), lists.rows(knot), size[: len(a.demand)]), 1)
        return Extra(
            item=_table(
                [
                    release,
                    a.wait,
                    a.exempt,
                    a.run,
                    a.occurrence,
                    a.frozen,
                    a.place,
                    plan.start,
                    mode,
                    rank,
                    hidden,
                    self.common(),
                    self.rollbacks(),
                    incident_class,
                    window,
                ]
            ),
            ptr=_table(
                [
                    seat_ptr,
                    out_ptr,
                    decisions,
                    a.use_ptr,
                    a.pred_ptr,
                    lists.add(a.waived_ptr, a.waived),
                    lists.add(a.span_ptr, a.spans),
                    a.batch_ptr,
                ]
            ),
            chance=chance,
            seat=_table((np.repeat(np.arange(len(a.work)), a.people), plan.crew, turn, order)),
            need=_table((a.work, a.share, set_of, lists.add(a.cand_ptr, a.candidate)), 1),
            range_=self.estimates(),
            link=_table(
                (a.pred, a.pred_type, a.lag, a.lag_kind, owner, self.loose(owner), np.argsort(a.pred, kind="stable"))
            ),
            uses=_table((a.use, a.amount)),
            cap=_table((a.capacity, a.in_process, waits)),
            person=_table(
                [
                    a.person_mask,
                    a.person_wip,
                    a.team,
                    following_row,
                    [self.person[id] for id in self.instance.people],
                    order_ptr,
                    lists.rows(of_person),
                    lists.add(a.person_quota_ptr, a.person_quota),
                ],
                1,
            ),
            set_ptr=lists.rows(sets),
            kind=_table((lists.rows([entry[0] for entry in self.classes]), open_ptr, [c[2] for c in self.classes]), 1),
            project_ptr=lists.rows(members),
            group=_table(
                (
                    lists.add(a.member_ptr, a.member),
                    [not g.startswith(("late:", "early:")) for g in self.instance.groups],
                ),
                1,
            ),
            span=span,
            flat=lists.flat(),
            batch_use=_table((a.batch, a.batch_amount)),
            batch_row=_table((a.batch_most, a.batch_first[:-1])),
            team_wip=a.team_wip,
            rates=np.column_stack((rates, sizes)),
            open_slot=open_slot,
            rate_of=np.column_stack((a.tardiness, a.due, a.flow, a.span, a.earliness, a.wanted)),
            quota_row=_table((a.quota_ptr, a.quota_bucket, a.quota_scope), 1),
            quota=a.quota,
            bucket=a.bucket,
            scopes=a.scopes,
            masks=a.masks,
            next_open=a.next_open,
            occurrences=occurrences,
            frosts=a.frosts,
            codes=codes,
            following=following,
            push=self.settings.start == "free",
            able=self.settings.crews == "able",
            interrupts=self.said.interrupts,
            rho=self.said.correlation if on else 0.0,
            rework=self.said.tests.rework,
            incident=self.said.changes.incident,
            mend=self.said.changes.effort / self.portfolio.slot,
            deferred=self.said.approvals.deferred if on else 0.0,
            switching=self.said.switching if on else 0.0,
            absences=self.said.absences.per_year * self.compiled.grid.weeks * 7 / 365.25 if on else 0.0,
            away=self.said.absences.days * 24 / self.slot_hours,
            week=round(1 / self.compiled.grid.weeks),
            resources=2 * len(a.person_mask) + len(a.team_wip) + len(a.capacity) + len(a.demand) + len(sets) + 1,
        )

    def orders(
        self, rank: NDArray[np.int64], seat_ptr: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Of each row of people its activities in the order of the plan; of each seat its place in that."""
        crew = self.schedule.crew
        activity = np.repeat(np.arange(self.n), np.diff(seat_ptr))
        by = np.lexsort((rank[activity], crew))
        turn = np.empty(len(crew), np.int64)
        turn[by] = np.arange(len(crew))
        rows = np.bincount(crew, minlength=len(self.instance.people)) if len(crew) else [0] * len(self.instance.people)
        return pointers(np.asarray(rows, np.int64)), activity[by].astype(np.int64), turn

    def loose(self, owner: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Links with a negative lag by which the plan begins (or ends) something before what it waits for begins."""
        a, plan = self.a, self.schedule
        at = np.where(np.isin(a.pred_type, (FS, SS)), plan.start[owner], plan.end[owner])
        return np.asarray((a.lag < 0) & (at < plan.start[a.pred]), bool)

    def codes(self) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.int64]]:
        """Open, shut and kept slots of each row of people; and the next slot that is not shut, by different rows."""
        a, kernel = self.a, self.kernel
        codes = np.where(a.masks[a.person_mask] == 1, np.uint8(0), np.uint8(kernel.SHUT))
        if self.noise and reserves(self.portfolio):
            people = {id: who.model_copy(update={"reserve": None}) for id, who in self.portfolio.people.items()}
            policy = self.portfolio.policy.model_copy(update={"reserve": None})
            whole = Calendars(
                self.portfolio.model_copy(update={"people": people, "policy": policy}), self.compiled.grid
            )
            for p, id in enumerate(self.portfolio.people):
                kept = whole.person(id) & ~self.compiled.calendars.person(id)
                codes[p][kept & (codes[p] == kernel.SHUT)] = kernel.KEPT
        rows: dict[bytes, int] = {}
        which: list[int] = []
        different: list[NDArray[np.bool_]] = []
        for row in codes:
            key = (row == kernel.SHUT).tobytes()
            if key not in rows:
                rows[key] = len(different)
                different.append(row != kernel.SHUT)
            which.append(rows[key])
        slots = self.instance.slots
        open_ = np.array(different, bool) if different else np.zeros((1, slots), bool)
        places = np.where(open_, np.arange(slots, dtype=np.int32), np.int32(slots))
        following = np.ascontiguousarray(np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1])
        return np.ascontiguousarray(codes), following, ints(which)

    def sets(self) -> tuple[list[int], list[tuple[int, ...]]]:
        """Of each need the number of its set of people, and the sets."""
        a = self.a
        known: dict[tuple[int, ...], int] = {}
        of = []
        for q in range(len(a.work)):
            some = tuple(a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist())
            of.append(known.setdefault(some, len(known)))
        return of, list(known)

    # --- uncertain times ---------------------------------------------------------------------------------------

    def estimates(self) -> NDArray[np.float64]:
        """Of each need, slots not exceeded with a chance of 10, 50 and 90 %; -1 where it takes as long as planned."""
        found = np.full((len(self.a.work), 3), -1.0)
        if not self.noise:
            return found
        spread, slot = self.said.spread, self.portfolio.slot
        for j, item in self.items():
            if item.duration is not None:
                continue
            for row in range(self.a.need_ptr[j], self.a.need_ptr[j + 1]):
                need = item.needs[self.instance.needs[row]]
                each = need.people * need.allocation
                effort = need.effort
                if need.remaining is None and effort is not None and effort.low < effort.high:
                    values = effort.low / slot / each, effort.likely / slot / each, effort.high / slot / each
                elif spread is not None and (spread.short < 1 or spread.long > 1):
                    exact = time_of(item, need) / slot
                    values = exact * spread.short, exact, exact * spread.long
                else:
                    continue
                found[row] = values
        return found

    def common(self) -> NDArray[np.int64]:
        """Activities of one project have something in common."""
        numbers = {project: k for k, project in enumerate(self.portfolio.projects)}
        found = np.full(self.n, -1, np.int64)
        for id, j in self.number.items():
            project = self.graph.project_of(id)
            found[j] = numbers[project] if project is not None else -1
        return found

    def failures(self) -> NDArray[np.float64]:
        """Chances that a test fails, and that a change does."""
        found = np.zeros((self.n, 2))
        if not self.noise:
            return found
        tests, changes = self.said.tests, self.said.changes
        for j, item in self.items():
            id = self.instance.activities[j]
            is_test = any(need.skill in tests.skills for need in item.needs) or bool(set(item.tags) & set(tests.tags))
            if id in tests.by:
                found[j, 0] = tests.by[id]
            elif is_test and self.a.need_ptr[j + 1] > self.a.need_ptr[j]:
                found[j, 0] = tests.fail
            change = _change_of(item)
            if change is not None and self.a.need_ptr[j + 1] > self.a.need_ptr[j]:
                keys = (id, change.kind.value, *change.services)
                found[j, 1] = next((changes.by[key] for key in keys if key in changes.by), changes.fail)
        return found

    def rollbacks(self) -> NDArray[np.int64]:
        found = np.zeros(self.n, np.int64)
        for j, item in self.items():
            if item.change is not None and item.change.rollback is not None:
                found[j] = self.compiled.grid.slots_for(item.change.rollback)
        return found

    def windows(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Of each activity the row of all occurrences of its window; and the rows, with those for what is pinned to one
        day. An occurrence has the same number in all rows of its window."""
        rows, found = list(self.a.occurrences), self.a.occurrence.copy()
        days = {pin.work for pin in self.portfolio.policy.pins if pin.on is not None}
        known: dict[tuple[str, timedelta], int] = {}
        for j, item in self.items():
            change = item.change
            if self.instance.activities[j] in days and change is not None and change.window is not None:
                key = change.window, change.rollback or timedelta(0)
                if key not in known:
                    known[key] = len(rows)
                    rows.append(self.compiled.calendars.occurrences(*key)[0])
                found[j] = known[key]
        whole = np.array(rows, np.int32).reshape(-1, self.instance.slots) if rows else self.a.occurrences
        return found, whole

    def decisions(self) -> list[list[int]]:
        """Later slots at which the approval of each activity may be given instead."""
        found: list[list[int]] = [[] for _ in range(self.n)]
        if not self.noise or self.said.approvals.deferred <= 0:
            return found
        grid, calendars = self.compiled.grid, self.compiled.calendars
        now = grid.instant(0)
        for j, item in self.items():
            at = approval_expected(item, now, calendars)
            approval = item.change.approval if item.change else None
            if at is None or approval is None or self.a.exempt[j]:
                continue
            for _ in range(MOST_DECISIONS):
                if approval.board in self.portfolio.boards:
                    at = calendars.decided(approval.board, at)
                else:
                    at += max(approval.lead, timedelta(days=1))
                found[j].append(min(max(0, grid.ceil(at)), self.instance.slots))
        return found

    # --- unplanned work ----------------------------------------------------------------------------------------

    def unplanned(self) -> None:
        """Classes of unplanned work: those that are said, or what reserves expect."""
        said = self.said.unplanned
        if not self.noise or said == "none":
            return
        slot = self.portfolio.slot
        if isinstance(said, Mapping):
            for skill, come in said.items():
                able = self.rows(holders(self.portfolio, skill))
                low, likely, high = (v / slot for v in (come.effort.low, come.effort.likely, come.effort.high))
                law = come.law or ("range" if low < high else "exponential")
                numbers = low, likely, high, come.effort.mean / slot
                self.classes.append((able, come.per_week, ("exponential", "range", "fixed").index(law), numbers))
                self.class_names.append(skill)
            return
        weekly: dict[tuple[str, tuple[str, ...]], float] = {}
        for reserve in reserves(self.portfolio):
            key = reserve.about, reserve.people
            weekly[key] = weekly.get(key, 0.0) + reserve.minutes / 60
        task = self.said.task / HOUR
        for (about, people), hours in weekly.items():
            if task > 0:
                rate = expected_hours(hours, task) / task
                size = self.said.task / slot
                self.classes.append((self.rows(people), rate, 0, (size, size, size, size)))
                self.class_names.append(about)

    def rows(self, people: Sequence[str]) -> tuple[int, ...]:
        """Rows of people, the least flexible first."""
        return tuple(
            self.person[p] for p in sorted(people, key=lambda p: (len(self.portfolio.people[p].skills), self.person[p]))
        )

    def incidents(self, broken: NDArray[np.float64]) -> NDArray[np.int64]:
        """Of each change that may fail, the class of an incident that it causes: who could do the change."""
        found = np.full(self.n, -1, np.int64)
        known: dict[tuple[int, ...], int] = {}
        if self.said.changes.incident <= 0:
            return found
        a, people = self.a, len(self.portfolio.people)
        for j in np.flatnonzero(broken > 0).tolist():
            q = int(a.need_ptr[j])
            able = tuple(p for p in a.candidate[a.cand_ptr[q] : a.cand_ptr[q + 1]].tolist() if p < people)
            if able not in known:
                known[able] = len(self.classes)
                self.classes.append((able, 0.0, 0, (0.0, 0.0, 0.0, 0.0)))
                self.class_names.append("incidents")
            found[j] = known[able]
        return found

    def class_hours(self, codes: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int32]]:
        """Of each class, tasks in a slot in which somebody is at work, and those slots."""
        rates, slots_of = [], []
        for able, per_week, *_ in self.classes:
            open_ = (codes[list(able)] != self.kernel.SHUT).any(axis=0) if able else np.zeros(codes.shape[1], bool)
            at = np.flatnonzero(open_).astype(np.int32)
            weeks = codes.shape[1] * self.compiled.grid.weeks
            rates.append(per_week * weeks / len(at) if len(at) else 0.0)
            slots_of.append(at)
        flat = np.concatenate(slots_of) if slots_of else np.zeros(0, np.int32)
        return np.array(rates, np.float64), pointers([len(at) for at in slots_of]), flat


def expected_hours(covered: float, task: float) -> float:
    """Mean hours a week of unplanned work of which ``covered`` is not exceeded in 80 % of the weeks.

    Tasks come as those of Poisson with exponential sizes of mean m, so a week with mean M has the variance 2 m M
    (compound Poisson), and M + z sqrt(2 m M) = covered in the normal approximation, with z the score of 80 %.
    """
    root = (-P80 * math.sqrt(2 * task) + math.sqrt(P80**2 * 2 * task + 4 * covered)) / 2
    return root**2


def _change_of(item: WorkItem) -> Change | None:
    if item.change is not None:
        return item.change
    return Change() if item.type is WorkType.CHANGE else None


# --- the deterministic limit ---------------------------------------------------------------------------------------


def held_to_plan(model: Model) -> Model:
    """Without noise a run is the plan: items that would begin before it says wait until then.

    The plan may leave open time on purpose, so what comes next on somebody could begin earlier than planned, and then
    keep out what was planned there. Such items are found by runs without noise, and wait for the plan from then on;
    where none begins early, none can begin late either, since all rules are those of the plan.
    """
    kernel = kernels(False, "execution")
    plan = model.schedule
    mode = model.arrays.item[:, kernel.A_MODE].copy()
    for round_ in range(ROUNDS):
        still = without_noise(model, mode)
        start, finish = one_run(still)
        early = (start < plan.start) & (mode != kernel.HELD)
        if not early.any():
            if (start != plan.start).any() or (finish != plan.end).any():
                raise NotThePlanError(_differences(model.instance, plan, start, finish))
            model.arrays.item[:, kernel.A_MODE] = mode
            return model
        first = start[early].min()
        mode[early & ((start <= first + model.arrays.week) | (round_ >= HELD_AFTER))] = kernel.HELD
    raise NotThePlanError([Finding(level="error", code="not-the-plan", message="no execution of the plan was found")])


def without_noise(model: Model, mode: NDArray[np.int64] | None = None) -> Model:
    """The same with all as planned."""
    x = model.arrays
    item, rates = x.item.copy(), x.rates.copy()
    if mode is not None:
        item[:, kernels(False, "execution").A_MODE] = mode
    rates[:, 0] = 0.0
    arrays = x._replace(
        item=item,
        range_=np.full_like(x.range_, -1.0),
        chance=np.zeros_like(x.chance),
        rates=rates,
        deferred=0.0,
        switching=0.0,
        absences=0.0,
    )
    return replace(model, arrays=arrays)


def _differences(
    instance: Instance, plan: Schedule, start: NDArray[np.int64], finish: NDArray[np.int64]
) -> list[Finding]:
    wrong = np.flatnonzero((start != plan.start) | (finish != plan.end))
    first = wrong[np.argsort(np.minimum(plan.start, start)[wrong], kind="stable")][:5]
    names = ", ".join(
        f"{instance.activities[j] or f'milestone {j}'} (slots {start[j]} to {finish[j]}, planned {plan.start[j]} to "
        f"{plan.end[j]})"
        for j in first.tolist()
    )
    message = f"without noise the simulation is not the plan: {names}; this is a defect, please report it"
    return [Finding(level="error", code="not-the-plan", message=message)]


__all__ = [
    "Executable",
    "NotThePlanError",
    "expected_hours",
    "held_to_plan",
    "longest_run",
    "model_of",
    "without_noise",
]
