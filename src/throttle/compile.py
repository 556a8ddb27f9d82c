"""Portfolio to instance: the one place where the vocabulary becomes integers (docs/plan.md has the meaning)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from math import ceil
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from throttle.buffers import buffers_of, by_likely
from throttle.calendars import Calendars, Grid, as_of
from throttle.errors import InputError
from throttle.graph import HISTORY, Edge, WorkGraph, is_in_progress, time_of
from throttle.instance import ELAPSED, FF, FS, SF, SS, WORKING, Arrays, Instance
from throttle.obeyed import refusals
from throttle.policies import POLICIES
from throttle.policies.drum import DrumWork, drum_work, paced
from throttle.policies.drum_buffer import drum_lags
from throttle.policies.inserted import Expanded, expand
from throttle.policies.stability import Moving, frozen_pins, movings
from throttle.policies.windows import queues, too_risky
from throttle.primitives import Draft, Primitives, ints, pointers
from throttle.shifts import Shift, shifts
from throttle.worked import ragged
from throttle_models import (
    ChangeKind,
    Costs,
    Finding,
    LagKind,
    LinkType,
    Need,
    Pin,
    Portfolio,
    Project,
    Reason,
    Status,
    Unscheduled,
    When,
    WorkItem,
)
from throttle_models.quantities import ELAPSED as ELAPSED_UNITS
from throttle_models.quantities import WORK, parse_minutes
from throttle_models.references import dangling_references

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from throttle.instance import Bools, Floats, Ints

Number = TypeVar("Number", bound=np.generic)

LINK_TYPES = {LinkType.FS: FS, LinkType.SS: SS, LinkType.FF: FF, LinkType.SF: SF}
YEARS_AHEAD = 5
NONE = timedelta(0)
NO_COSTS = Costs()
SAMPLED_WEEKS = 8
LEAST_HOURS = 5
"""Hours a week that anyone is taken to work, and a place to be open, for a first guess of the horizon."""
EXPANDED_LINKS = 64
"""Above so many pairs, a link between containers goes through a hidden milestone."""


@dataclass(frozen=True)
class Compiled:
    """An instance, and what is needed to lift its solutions and to tell why something is not in it."""

    portfolio: Portfolio
    graph: WorkGraph
    calendars: Calendars
    grid: Grid
    instance: Instance
    unscheduled: dict[str, Unscheduled]
    windows: list[list[tuple[datetime, datetime]]]
    """For each row of ``occurrences``, when each of its numbers begins and ends."""
    dated: tuple[str, ...]
    """The externals that the first of the hidden milestones stand for."""
    begun: frozenset[str]
    """Projects in process at as-of."""
    drum: DrumWork | None = None
    """Whose work the rope and full kit speak of; None where no policy does."""
    rules: Primitives | None = None
    """What the policies added, with their names."""
    expanded: Expanded | None = None
    """What ``portfolio`` was made from, where it is more than was written."""

    @property
    def written(self) -> Portfolio:
        """The portfolio without what was inserted into it."""
        return self.expanded.written if self.expanded else self.portfolio


def prepared(portfolio: Portfolio) -> tuple[Expanded, WorkGraph]:
    """The portfolio with what is inserted into it, and its graph. Raises InputError with all that keeps it from being
    planned as written."""
    expanded = expand(by_likely(portfolio))
    if buffers_of(portfolio) is not None:  # what was inserted counts so too
        expanded = replace(expanded, written=portfolio, portfolio=by_likely(expanded.portfolio))
    if (expanded.inserted or expanded.errors) and (problems := dangling_references(portfolio)):
        raise InputError(problems)
    if expanded.errors:
        raise InputError([*expanded.errors, *refusals(portfolio)])
    graph = WorkGraph(expanded.portfolio)
    check_input(expanded.portfolio, graph)
    return expanded, graph


def check_input(portfolio: Portfolio, graph: WorkGraph) -> None:
    """Raise InputError with everything that keeps the portfolio from being planned as written."""
    problems = dangling_references(portfolio)
    if not problems:
        problems = [*refusals(portfolio), *cycle_findings(graph)]
    if problems:
        raise InputError(problems)


def cycle_findings(graph: WorkGraph) -> list[Finding]:
    return [
        Finding(
            level="error",
            code="cycle",
            ids=tuple(chain[:-1]),
            message=f"{' -> '.join(chain)} wait for each other in a circle; remove one of these links.",
        )
        for chain in graph.cycles()
    ]


def approval_expected(item: WorkItem, now: datetime, calendars: Calendars) -> datetime | None:
    """When the approval that a normal change still waits for will be given; by a board that meets, at a meeting."""
    approval = item.change.approval if item.change else None
    if item.change is None or approval is None or approval.given or item.change.kind is not ChangeKind.NORMAL:
        return None
    asked = approval.asked.resolve(now, ZoneInfo(calendars.portfolio.zone)) if approval.asked else now
    ready = asked.astimezone(UTC) + approval.lead  # elapsed, whatever the clocks do
    if approval.board not in calendars.portfolio.boards:
        return ready
    return calendars.decided(approval.board, ready)


def pins_of(portfolio: Portfolio) -> dict[str, Pin]:
    return {**frozen_pins(portfolio), **{pin.work: pin for pin in portfolio.policy.pins}}


def seats(needs: Sequence[Need], able: Sequence[Sequence[str]]) -> dict[int, str] | None:
    """Different people for all seats by augmenting paths, or None where there are too few."""
    taken: dict[str, int] = {}
    flat = [q for q, need in enumerate(needs) for _ in range(need.people)]

    def seat(place: int, seen: set[str]) -> bool:
        for person in able[flat[place]]:
            if person not in seen:
                seen.add(person)
                if person not in taken or seat(taken[person], seen):
                    taken[person] = place
                    return True
        return False

    if not all(seat(place, set()) for place in range(len(flat))):
        return None
    return {place: person for person, place in taken.items()}


class _Compiler:
    def __init__(self, portfolio: Portfolio, graph: WorkGraph, slots: int, out: Mapping[str, Unscheduled]) -> None:
        self.portfolio, self.graph = portfolio, graph
        self.grid = Grid.of(portfolio, slots)
        self.calendars = Calendars(portfolio, self.grid)
        self.zone = ZoneInfo(portfolio.zone)
        self.now = as_of(portfolio)
        self.pins = pins_of(portfolio)
        self.out: dict[str, Unscheduled] = dict(out)
        self.able: dict[str, list[tuple[str, ...]]] = {}
        """For each need of an item, the people who may take it; equal ones are one object."""
        self.staffed: dict[tuple[tuple[int, int], ...], bool] = {}
        """Whether different people can be found, by the people who may (as objects) and how many of them."""
        self.equal: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.not_before: dict[str, int] = {}
        self.masks: dict[int, int] = {}
        self.mask_rows: list[Bools] = []
        self.windows: dict[tuple[str, timedelta, date | None], list[tuple[datetime, datetime]]] = {}
        self.occurrences: list[NDArray[np.int32]] = []
        self.frosts: dict[tuple[int, ...], NDArray[np.uint8]] = {}
        self.external_edges: dict[str, list[Edge]] = {}
        self.going = {id for id, item in portfolio.work.items() if is_in_progress(item)}
        self.drum = drum_work(portfolio, graph) if paced(portfolio) else None
        kit = self.drum.minutes if self.drum and portfolio.policy.full_kit else {}
        self.kit = {id for id in kit if id not in self.going}
        """What starts only when all that it waits for is finished."""
        self.touched = {
            graph.project_of(i)
            for i, item in portfolio.work.items()
            if item.status in (Status.DONE, Status.IN_PROGRESS)
        }

    # --- what cannot be in a schedule -------------------------------------------------------------------------

    def sort_out(self) -> None:
        for id in self.graph.activities:
            if id not in self.out and (reason := self.why_out(id)):
                self.out[id] = reason
        self.spread()

    def spread(self) -> None:
        """What waits for something that is not in the schedule is not in it either."""
        if not self.out:
            return
        waiting: dict[str, list[Edge]] = {}
        for edge in self.graph.edges:
            waiting.setdefault(edge.predecessor, []).append(edge)
        stack = list(self.out)
        while stack:
            id = stack.pop()
            for edge in waiting.get(id, ()):
                if edge.successor not in self.out and self.binds(edge):
                    self.out[edge.successor] = Unscheduled(
                        reason=Reason.UNSCHEDULED,
                        refs=(id,),
                        text=f"waits for {id}, which is not in the schedule",
                    )
                    stack.append(edge.successor)

    def binds(self, edge: Edge) -> bool:
        if not self.going or edge.successor in self.kit:
            return True
        starts = edge.link.type in (LinkType.FS, LinkType.SS)
        if starts and edge.successor in self.going:
            return False
        return edge.predecessor not in self.going or edge.link.type not in (LinkType.SS, LinkType.SF)

    def why_out(self, id: str) -> Unscheduled | None:
        portfolio, item = self.portfolio, self.portfolio.work[id]
        if item.status is Status.UNKNOWN:
            text = "its status is not mapped to open, in-progress, done or cancelled; add it to the mapping file"
            return Unscheduled(reason=Reason.STATUS, text=text)
        if holder := self.graph.held_by(id):
            of = "it is on hold" if holder == id else f"{holder}, which contains it, is on hold"
            return Unscheduled(reason=Reason.ON_HOLD, text=of, refs=(holder,))
        for edge in self.external_edges.get(id, ()):
            stub = portfolio.external[edge.predecessor]
            if stub.status in HISTORY or stub.expected is not None:
                continue
            if portfolio.policy.externals == "assume-done" and id not in self.kit:
                continue
            if self.binds(edge):
                return Unscheduled(
                    reason=Reason.EXTERNAL,
                    refs=(edge.predecessor,),
                    text=f"waits for {edge.predecessor}, which is outside the portfolio and has no known date; "
                    f"say external: {{{edge.predecessor}: {{expected: DATE}}}} or {{status: done}}",
                )
        for name, amount in item.environment.items():
            if amount > portfolio.environments[name].capacity:
                return Unscheduled(
                    reason=Reason.NO_CAPACITY,
                    refs=(name,),
                    text=f"needs {amount} of {name}, which has {portfolio.environments[name].capacity}",
                )
        if (reason := too_risky(portfolio, item)) is not None:
            return reason
        able = [self.graph.able(need) for need in item.needs]
        pin = self.pins.get(id)
        if pin and pin.who:
            named = [tuple(p for p in people if p in pin.who) for people in able]
            able = [self.equal.setdefault(people, people) for people in named]
        wanted = [q for q, need in enumerate(item.needs) if time_of(item, need) > NONE]
        if not self.is_staffed([item.needs[q] for q in wanted], [able[q] for q in wanted]):
            by = (
                "the frozen zone"
                if id in self.portfolio.planned and pin not in self.portfolio.policy.pins
                else "policy.pins"
            )
            who = f"it is pinned to {', '.join(pin.who)} by {by}" if pin and pin.who else ""
            return self.no_holder(item, able, who)
        if pin and pin.who and (count := sum(item.needs[q].people for q in wanted)) != len(set(pin.who)):
            text = f"it is pinned to {len(set(pin.who))} people, and it takes {count}"
            return Unscheduled(reason=Reason.NO_HOLDER, text=text, refs=pin.who)
        self.able[id] = able
        return None

    def is_staffed(self, needs: Sequence[Need], able: Sequence[tuple[str, ...]]) -> bool:
        """Whether different people can meet all needs; looked for once for the same people and numbers of them."""
        key = tuple((id(people), need.people) for need, people in zip(needs, able, strict=True))
        if key not in self.staffed:
            self.staffed[key] = seats(needs, able) is not None
        return self.staffed[key]

    def no_holder(self, item: WorkItem, able: Sequence[Sequence[str]], pinned: str) -> Unscheduled:
        for need, people in zip(item.needs, able, strict=True):
            if len(people) < need.people:
                what = f"{need.skill} at level >= {need.level}" if need.skill else "the work"
                among = f" among {', '.join(need.who)}" if need.who else ""
                text = f"{'no one holds' if not people else f'only {len(people)} of {need.people} hold'} {what}{among}"
                if not need.skill:
                    who = f"only {', '.join(need.who)} may do it" if need.who else "anyone may do it"
                    text = f"{who}, and it takes {need.people}"
                if pinned:  # those who could do it without the pin are not missing: the pin leaves them out
                    lack = text if need.who and not need.skill else f"of them {text}"
                    text = f"{pinned}, and {lack}"
                return Unscheduled(reason=Reason.NO_HOLDER, text=text, refs=(need.skill,) if need.skill else need.who)
        skills = tuple(dict.fromkeys(n.skill for n in item.needs if n.skill))
        text = f"its needs ({', '.join(skills)}) must be met by different people at once, and there are too few"
        return Unscheduled(reason=Reason.NO_HOLDER, text=text, refs=skills)

    # --- arrays ------------------------------------------------------------------------------------------------

    def row(self, mask: Bools) -> int:
        key = id(mask)
        if key not in self.masks:
            self.masks[key] = len(self.mask_rows)
            self.mask_rows.append(mask)
        return self.masks[key]

    def build(self) -> Compiled:
        portfolio, graph, grid = self.portfolio, self.graph, self.grid
        for edge in graph.edges:
            if edge.predecessor in portfolio.external:
                self.external_edges.setdefault(edge.successor, []).append(edge)
        self.sort_out()
        ids = [i for i in graph.activities if i not in self.out]
        number = {id: k for k, id in enumerate(ids)}
        people = {p: k for k, p in enumerate(portfolio.people)}
        further = shifts(portfolio, self.calendars, ids)
        persons = [*people, *(shift.person for shift in further)]
        person_mask = [self.row(self.calendars.planned(p)) for p in people]
        person_mask += [self.row(shift.mask) for shift in further]
        rows, needs = [self.activity(id) for id in ids], self.needs(ids, people, further)
        environments = {name: k for k, name in enumerate(portfolio.environments)}
        uses = [{environments[name]: amount for name, amount in portfolio.work[id].environment.items()} for id in ids]
        # hidden milestones: one for each external with a date, one for each large link between containers
        dated = {
            e: max(0, grid.ceil(self.when(stub.expected)))
            for e, stub in portfolio.external.items()
            if stub.expected is not None and stub.status not in HISTORY
        }
        edges = self.edges({id: k for k, id in enumerate([*ids, *dated])})
        n = max([len(ids) + len(dated), *(max(e[:2]) + 1 for e in edges)])
        moving = movings(portfolio, grid, number)
        edges += [(some.activity, n + k, SS, 0, ELAPSED) for k, some in enumerate(moving)]
        late, n = n, n + len(moving)
        if self.drum:
            held = {id for id, pin in self.pins.items() if pin.start is not None or pin.window is not None}
            lags = drum_lags(portfolio, graph, self.drum.minutes, held)
            edges += [
                (number[before], number[after], FS, gap, WORKING)
                for before, after, gap in lags
                if gap and before in number and after in number
            ]
        hidden = n - len(ids)
        rows += [_Activity(release=moment) for moment in [*dated.values(), *[0] * (hidden - len(dated))]]
        needs.of_activity += [0] * hidden
        uses += [{} for _ in range(hidden)]

        def column(name: str) -> Ints:
            return ints([getattr(row, name) for row in rows])

        need_ptr = pointers(needs.of_activity)
        crew_ptr, (cand_ptr, candidate) = pointers(needs.people), needs.candidates()
        capacities = [e.capacity for e in portfolio.environments.values()]
        added = Primitives(n, len(persons), grid.slots, capacities, uses)
        wip = ints([portfolio.people[p].wip or portfolio.policy.person_wip or 0 for p in persons])
        outside = {s.person: k for k, s in enumerate(further, len(people)) if s.kind == "out of hours"}
        exempt = column("exempt") == 1
        limited = np.zeros(n, bool)
        able = np.repeat(np.arange(n), np.diff(cand_ptr[need_ptr]))
        limited[able[wip[candidate] > 0]] = True
        masks = _matrix(self.mask_rows, grid.slots, np.uint8)
        working = np.bincount([e[1] for e in edges if e[4] == WORKING], minlength=n) > 0
        plain = (column("run") == 0) & (column("pin") < 0) & (column("occurrence") < 0) & (column("frozen") < 0)
        pred_ptr, pred_order = _rows(n, [e[1] for e in edges])
        succ_ptr, succ_order = _rows(n, [e[0] for e in edges])
        links = np.array(edges, np.int64).reshape(-1, 5)
        people_able = {id: self.able[id] for id in ids}
        begun = frozenset(p for p in portfolio.projects if self.begun(p))
        for restrict in POLICIES:
            restrict(
                Draft(
                    portfolio,
                    graph,
                    self.calendars,
                    grid,
                    number,
                    people,
                    people_able,
                    exempt.tolist(),
                    begun,
                    added,
                    edges,
                    self.drum,
                    outside,
                    persons,
                )
            )
        primitives = added.arrays(edges)
        if further:  # the same people
            primitives["team"][len(people) :] = primitives["team"][[people[shift.person] for shift in further]]
        teamed = np.zeros(n, bool)
        teamed[able[primitives["team"][candidate] >= 0]] = True
        counted = np.zeros(n, bool)
        user = np.repeat(np.arange(n), np.diff(primitives["use_ptr"]))
        counted[user[primitives["in_process"][primitives["use"]]]] = True
        alone = np.diff(primitives["use_ptr"]) + np.diff(primitives["waived_ptr"]) == 0
        groups = [*self.groups(number), *self.moved(moving, ids, late)]

        def rate(name: str) -> Floats:
            return np.array([getattr(g, name) for g in groups], np.float64)

        arrays = Arrays(
            release=column("release"),
            run=column("run") == 1,
            wait=column("wait"),
            pin=column("pin"),
            first=exempt & (limited | teamed | counted),
            exempt=exempt,
            occurrence=column("occurrence"),
            frozen=column("frozen"),
            place=column("place"),
            plain=plain & (column("place") < 0) & alone & ~working & ~teamed,
            need_ptr=need_ptr,
            work=ints(needs.work),
            people=ints(needs.people),
            share=ints(needs.share),
            cand_ptr=cand_ptr,
            candidate=candidate,
            crew_ptr=crew_ptr,
            pred_ptr=pred_ptr,
            pred=links[pred_order, 0],
            pred_type=links[pred_order, 2],
            lag=links[pred_order, 3],
            lag_kind=links[pred_order, 4],
            succ_ptr=succ_ptr,
            succ=links[succ_order, 1],
            person_mask=ints(person_mask),
            person_wip=wip,
            masks=masks,
            next_open=_next_open(masks),
            occurrences=_matrix(self.occurrences, grid.slots, np.int32),
            frosts=_matrix(list(self.frosts.values()), grid.slots, np.uint8),
            **primitives,
            member_ptr=pointers([len(g.members) for g in groups]),
            member=ints([m for g in groups for m in g.members]),
            tardiness=rate("tardiness"),
            due=rate("due"),
            flow=rate("flow"),
            span=rate("span"),
            measure=rate("measure"),
            earliness=rate("earliness"),
            wanted=rate("wanted"),
        )
        instance = Instance(
            arrays,
            grid.slots,
            (*ids, *[""] * hidden),
            tuple(needs.need),
            tuple(persons),
            tuple(g.id for g in groups),
            grid.weeks,
        )
        windows = list(self.windows.values())
        return Compiled(
            portfolio,
            graph,
            self.calendars,
            grid,
            instance,
            self.out,
            windows,
            tuple(dated),
            begun,
            drum=self.drum,
            rules=added,
        )

    def activity(self, id: str) -> _Activity:
        """The numbers of one item that need no other item."""
        item = self.portfolio.work[id]
        change, pin = item.change, self.pins.get(id)
        window = None
        if change and change.window:
            on = self.when(pin.on).astimezone(self.zone).date() if pin and pin.on else None
            window = change.window, change.rollback or timedelta(0), on
        if window is not None and window not in self.windows:
            numbers, self.windows[window] = self.calendars.occurrences(*window)
            self.occurrences.append(numbers)
        freezes = self.freezes(change.services) if change else ()
        if freezes and freezes not in self.frosts:
            self.frosts[freezes] = self.frost(freezes)
        project = self.graph.project_of(id)
        return _Activity(
            release=self.release(id, item, project),
            run=int(not item.pausable or window is not None),
            wait=self.wait(item),
            pin=max(0, self.grid.ceil(self.when(pin.start))) if pin and pin.start else -1,
            exempt=int(is_in_progress(item)),
            occurrence=list(self.windows).index(window) if window is not None else -1,
            frozen=list(self.frosts).index(freezes) if freezes else -1,
            place=self.place(item),
        )

    def needs(self, ids: Sequence[str], people: Mapping[str, int], further: Sequence[Shift] = ()) -> _Needs:
        """Rows of needs; candidates the least flexible first, needs of an item the one with the fewest first.

        Then a crew chosen seat by seat keeps those who can do much for others, and seldom runs into a dead end.
        """
        different = {id(able): able for name in ids for able in self.able[name]}
        sets: dict[tuple[int, tuple[int, ...]], int] = {(number, ()): k for k, number in enumerate(different)}
        flexible = Counter(p for able in set(different.values()) for p in able)
        found = _Needs(
            [[people[p] for p in sorted(able, key=lambda p: (flexible[p], people[p]))] for able in different.values()]
        )
        for name in ids:
            item, able, rows = self.portfolio.work[name], self.able[name], 0
            for q in sorted(range(len(able)), key=lambda q: len(able[q])) if len(able) > 1 else range(len(able)):
                need = item.needs[q]
                slots = self.grid.slots_for(time_of(item, need))
                if slots > 0:
                    rows += 1
                    found.need.append(q)
                    found.work.append(slots)
                    found.people.append(need.people)
                    found.share.append(ceil(round(need.allocation * 100, 6)))
                    more = tuple(
                        len(people) + k
                        for k, shift in enumerate(further)
                        if shift.person in able[q] and shift.takes(item, slots, found.share[-1])
                    )
                    if (id(able[q]), more) not in sets:
                        sets[id(able[q]), more] = len(found.sets)
                        found.sets.append([*found.sets[sets[id(able[q]), ()]], *more])
                    found.able.append(sets[id(able[q]), more])
            found.of_activity.append(rows)
        return found

    def when(self, moment: When, end_of_day: bool = False) -> datetime:
        return moment.resolve(self.now, self.zone, end_of_day)

    def wait(self, item: WorkItem) -> int:
        """Slots that are left of a wait; one in progress counts from when it began."""
        left = item.wait
        if left is None:
            return 0
        if is_in_progress(item) and item.started is not None:
            left -= self.now.astimezone(UTC) - self.when(item.started)
        return max(0, self.grid.slots_for(left))

    def release(self, id: str, item: WorkItem, project: str | None) -> int:
        if is_in_progress(item):
            return 0
        portfolio = self.portfolio
        moments = [item.not_before, *(portfolio.work[i].not_before for i in self.graph.ancestors(id))]
        bounds = [self.grid.ceil(self.when(m)) for m in moments if m is not None]
        if project is not None:
            if project not in self.not_before:
                moment = portfolio.projects[project].not_before
                self.not_before[project] = self.grid.ceil(self.when(moment)) if moment is not None else 0
            bounds.append(self.not_before[project])
        if (decided := approval_expected(item, self.now, self.calendars)) is not None:
            bounds.append(self.grid.ceil(decided))
        return max([0, *bounds])

    def lag(self, edge: Edge, item: WorkItem) -> tuple[int, int]:
        if edge.link.lag == "0":
            return 0, ELAPSED
        staffed = any(time_of(item, need) > NONE for need in item.needs)
        kind = edge.link.lag_in or (LagKind.WORKING if staffed else LagKind.ELAPSED)
        units = WORK if kind is LagKind.WORKING else ELAPSED_UNITS
        lag = self.grid.slots_for(parse_minutes(edge.link.lag, units, signed=True))
        return lag, WORKING if kind is LagKind.WORKING and staffed and lag else ELAPSED

    def freezes(self, services: Sequence[str]) -> tuple[int, ...]:
        return tuple(
            k for k, f in enumerate(self.portfolio.freezes) if not f.services or set(f.services) & set(services)
        )

    def frost(self, freezes: Iterable[int]) -> NDArray[np.uint8]:
        mask = np.zeros(self.grid.slots, np.uint8)
        for k in freezes:
            freeze = self.portfolio.freezes[k]
            first = self.grid.exact(self.when(freeze.from_))
            last = self.grid.exact(self.when(freeze.to, end_of_day=True))
            mask[max(0, int(np.floor(first))) : max(0, ceil(last))] = 1
        return mask

    def place(self, item: WorkItem) -> int:
        masks = [self.calendars.environment(e) for e in item.environment if self.portfolio.environments[e].calendar]
        if not masks:
            return -1
        joint = masks[0]
        for mask in masks[1:]:
            joint = self.calendars.shared(joint & mask)
        return self.row(joint)

    def begun(self, project: str) -> bool:
        said = self.portfolio.projects[project].in_process
        if said is not None:
            return said
        return project in self.touched

    def edges(self, number: dict[str, int]) -> list[tuple[int, int, int, int, int]]:
        """(before, after, type, lag, kind of lag) by activity number; large container links through milestones."""
        found: list[tuple[int, int, int, int, int]] = []
        work, hidden = self.portfolio.work, len(number)
        binding = (e for e in self.graph.edges if e.predecessor in number and e.successor in number and self.binds(e))
        for _, group in groupby(binding, key=lambda edge: id(edge.link)):
            edges = list(group)
            kind = LINK_TYPES[edges[0].link.type]
            if len(edges) > EXPANDED_LINKS and kind == FS:
                before, after = {e.predecessor: e for e in edges}, {e.successor: e for e in edges}
                if len(edges) == len(before) * len(after):
                    found += [(number[b], hidden, FS, 0, ELAPSED) for b in sorted(before)]
                    found += [(hidden, number[a], FS, *self.lag(after[a], work[a])) for a in sorted(after)]
                    hidden += 1
                    continue
            found += [
                (
                    number[e.predecessor],
                    number[e.successor],
                    FS if e.successor in self.kit else kind,
                    *self.lag(e, work[e.successor]),
                )
                for e in edges
            ]
        return found

    # --- costs -------------------------------------------------------------------------------------------------

    def groups(self, number: dict[str, int]) -> list[_Group]:
        portfolio, week = self.portfolio, self.grid.weeks
        found: list[_Group] = []
        by_project: dict[str, list[int]] = {}
        for id, k in number.items():
            if (p := self.graph.project_of(id)) is not None:
                by_project.setdefault(p, []).append(k)
        anything = False
        for name, project in portfolio.projects.items():
            rates = rates_of(project)
            anything |= any(rates)
            if name in by_project and any(rates):
                found.append(self.group(f"project:{name}", by_project[name], project.due, None, rates))
        for id, item in portfolio.work.items():
            rates = rates_of(item)
            anything |= any(rates)
            if any(rates) and item.status not in (Status.DONE, Status.CANCELLED):
                members = [number[i] for i in self.graph.activities_in(id) if i in number]
                if members:
                    found.append(self.group(f"item:{id}", members, item.due, item.wanted_start, rates))
        if not anything and not portfolio.policy.makespan:
            found = [_Group(f"item:{id}", [k], 0.0, 0.0, week, 0.0, week, 0.0, 0.0) for id, k in number.items()]
        if portfolio.policy.makespan and number:
            rate = portfolio.policy.makespan * week
            found.append(_Group("portfolio", [*number.values()], 0.0, 0.0, rate, 0.0, 0.0, 0.0, 0.0))
        return found

    def moved(self, moving: Sequence[Moving], ids: Sequence[str], late: int) -> Iterator[_Group]:
        """Costs of planned starts; ``late``: the first of the milestones that begin with the activities."""
        for k, (j, planned, rate) in enumerate(moving):
            yield _Group(f"late:{ids[j]}", [late + k], rate, planned, 0.0, 0.0, 0.0, 0.0, 0.0)
            if planned > 0:
                yield _Group(f"early:{ids[j]}", [j], 0.0, 0.0, 0.0, 0.0, 0.0, rate, planned)

    def group(self, id: str, members: list[int], due: When | None, wanted: When | None, rates: Rates) -> _Group:
        delay, tardiness, flow, span, earliness = (r * self.grid.weeks for r in rates)
        return _Group(
            id,
            members,
            tardiness=tardiness + (delay if due is not None else 0.0),
            due=self.grid.exact(self.when(due, end_of_day=True)) if due is not None else 0.0,
            flow=flow + (delay if due is None else 0.0),
            span=span,
            measure=delay + tardiness + flow,
            earliness=earliness if wanted is not None else 0.0,
            wanted=self.grid.exact(self.when(wanted)) if wanted is not None else 0.0,
        )


@dataclass(slots=True)
class _Activity:
    """A row of the arrays of activities, as a hidden milestone has it unless said."""

    release: int
    run: int = 0
    wait: int = 0
    pin: int = -1
    exempt: int = 0
    occurrence: int = -1
    frozen: int = -1
    place: int = -1


@dataclass(slots=True)
class _Needs:
    """The arrays of needs, row by row, and how many rows each activity has."""

    sets: list[list[int]]
    """Different lists of candidates, and of each row, which one it has."""
    able: list[int] = field(default_factory=list)
    of_activity: list[int] = field(default_factory=list)
    need: list[int] = field(default_factory=list)
    work: list[int] = field(default_factory=list)
    people: list[int] = field(default_factory=list)
    share: list[int] = field(default_factory=list)

    def candidates(self) -> tuple[Ints, Ints]:
        """Row pointers, and the lists of all rows one after the other."""
        first, people = pointers([len(s) for s in self.sets]), ints([p for s in self.sets for p in s])
        able = ints(self.able)
        return pointers(np.diff(first)[able]), people[ragged(first[able], first[able + 1])[1]]


@dataclass(frozen=True)
class _Group:
    id: str
    members: list[int]
    tardiness: float
    due: float
    flow: float
    span: float
    measure: float
    earliness: float
    wanted: float


Rates = tuple[float, float, float, float, float]


def rates_of(holder: WorkItem | Project) -> Rates:
    """Cost of delay, tardiness, flow, makespan and earliness, per week; 0 where none is said."""
    costs = holder.costs or NO_COSTS
    return (
        holder.cost_of_delay or 0.0,
        costs.tardiness or 0.0,
        costs.flow or 0.0,
        (holder.makespan or 0.0) if isinstance(holder, Project) else 0.0,
        costs.earliness or 0.0,
    )


def _matrix(rows: Sequence[NDArray[Any]], slots: int, kind: type[Number]) -> NDArray[Number]:
    """Rows as a matrix; at least one, since compiled code wants the dimensions."""
    return np.array(rows if len(rows) else np.zeros((1, slots)), kind)


def _next_open(masks: NDArray[np.uint8]) -> NDArray[np.int32]:
    slots = masks.shape[1]
    places = np.where(masks == 1, np.arange(slots, dtype=np.int32), np.int32(slots))
    return np.ascontiguousarray(np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1])


def _rows(n: int, owner: list[int]) -> tuple[Ints, Ints]:
    """Row pointers of a ragged array, and the order that sorts its entries by owner."""
    owners = np.array(owner, np.int64)
    return np.r_[0, np.cumsum(np.bincount(owners, minlength=n))].astype(np.int64), np.argsort(owners, kind="stable")


def horizon_guess(portfolio: Portfolio, graph: WorkGraph) -> int:
    """Slots that will probably do: the latest date and after it the longest queue or chain, doubled.

    A queue is the work that the same people can do, or all work, in weeks of their hours; what an environment is taken
    for; or all of the projects where few may be in process. A chain follows the links.
    """
    slot, week = portfolio.slot.total_seconds(), 7 * 86400
    calendars = Calendars(portfolio, Grid.of(portfolio, int(timedelta(weeks=SAMPLED_WEEKS) / portfolio.slot)))
    at_work = {p: max(float(calendars.person(p).mean()) * week, LEAST_HOURS * 3600) for p in portfolio.people}
    limit = portfolio.policy.projects_in_process
    room = {
        e: environment.capacity * max(float(calendars.environment(e).mean()), LEAST_HOURS / 168)
        for e, environment in portfolio.environments.items()
    }
    taken = dict.fromkeys(portfolio.environments, 0.0)
    in_projects = 0.0
    of_type = dict.fromkeys(portfolio.policy.wip, 0.0)
    everyone = tuple(at_work)
    stretch = week * len(everyone) / max(sum(at_work.values()), LEAST_HOURS * 3600)
    sets = {id(everyone): everyone}
    queue, length = {id(everyone): 0.0}, {}
    for name in graph.activities:
        item = portfolio.work[name]
        longest = 0.0
        for need in item.needs:
            able, spent = graph.able(need), time_of(item, need).total_seconds()
            sets[id(able)] = able
            queue[id(able)] = queue.get(id(able), 0.0) + spent * need.people
            queue[id(everyone)] += spent * need.people
            longest = max(longest, spent)
        length[name] = item.wait.total_seconds() if item.wait is not None else longest * stretch
        for e, amount in item.environment.items():
            taken[e] += length[name] * amount
        if limit and graph.project_of(name) is not None:
            in_projects += length[name] / limit
        if item.type in of_type:
            of_type[item.type] += length[name] / portfolio.policy.wip[item.type]
    busy = [queue[k] * week / sum(at_work[p] for p in able) for k, able in sets.items() if able]
    busy += [taken[e] / room[e] for e in taken if room[e]]
    busy += of_type.values()
    busy += queues(portfolio, set(graph.activities))
    zone, now = ZoneInfo(portfolio.zone), as_of(portfolio)
    moments = [w.not_before for w in portfolio.work.values()] + [p.not_before for p in portfolio.projects.values()]
    moments += [e.expected for e in portfolio.external.values()] + [p.start for p in portfolio.policy.pins]
    moments += [f.to for f in portfolio.freezes] + [p.on for p in portfolio.policy.pins]
    latest = max([0.0, *((m.resolve(now, zone) - now).total_seconds() for m in moments if m is not None)])
    seconds = 2 * (latest + max(*busy, in_projects, graph.longest_chain(length), 0.0)) + 28 * 86400
    return min(int(seconds / slot), most_slots(portfolio))


def most_slots(portfolio: Portfolio) -> int:
    return int(timedelta(days=366 * YEARS_AHEAD) / portfolio.slot)


def compile_portfolio(
    portfolio: Portfolio, graph: WorkGraph, slots: int, out: Mapping[str, Unscheduled] | None = None
) -> Compiled:
    """Compile on a horizon of so many slots, without the items that are known to be ``out`` and what waits for them."""
    return _Compiler(portfolio, graph, slots, out or {}).build()
