"""Portfolio to instance: the one place where the vocabulary becomes integers (docs/plan.md has the meaning)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

import numpy as np

from throttle.calendars import Calendars, Grid, as_of
from throttle.errors import InputError
from throttle.graph import Edge, WorkGraph, holders, is_in_progress
from throttle.instance import ELAPSED, FF, FS, SF, SS, WORKING, Arrays, Instance
from throttle.obeyed import refusals
from throttle_models import (
    Costs,
    Project,
    When,
    Finding,
    LagKind,
    LinkType,
    Need,
    Pin,
    Portfolio,
    Reason,
    Status,
    Unscheduled,
    WorkItem,
)
from throttle_models.quantities import ELAPSED as ELAPSED_UNITS
from throttle_models.quantities import WORK, parse_minutes
from throttle_models.references import dangling_references

LINK_TYPES = {LinkType.FS: FS, LinkType.SS: SS, LinkType.FF: FF, LinkType.SF: SF}
YEARS_AHEAD = 5
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


def time_of(item: WorkItem, need: Need) -> timedelta:
    """Working time of each person on a need (docs/plan.md: T), before rounding to slots."""
    if need.remaining is not None:
        return need.remaining if item.duration is not None else need.remaining / (need.people * need.allocation)
    if item.duration is not None:
        return item.duration
    if need.effort is None:  # the vocabulary refuses this
        raise ValueError("a need without effort on an item without duration")
    return need.effort.mean / (need.people * need.allocation)


def pins_of(portfolio: Portfolio) -> dict[str, Pin]:
    return {pin.work: pin for pin in portfolio.policy.pins}


def candidates(portfolio: Portfolio, id: str, pin: Pin | None) -> list[list[str]]:
    """For each need of an item, the people who may take it."""
    found = [holders(portfolio, n.skill, n.level, n.who) for n in portfolio.work[id].needs]
    return [[p for p in able if p in pin.who] for able in found] if pin and pin.who else found


def seats(needs: Sequence[Need], able: Sequence[list[str]]) -> dict[int, str] | None:
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
        self.able: dict[str, list[list[str]]] = {}
        self.masks: dict[int, int] = {}
        self.mask_rows: list[np.ndarray] = []

    # --- what cannot be in a schedule -------------------------------------------------------------------------

    def sort_out(self) -> None:
        for id in self.graph.activities:
            if id not in self.out and (reason := self.why_out(id)):
                self.out[id] = reason
        self.spread()

    def spread(self) -> None:
        """What waits for something that is not in the schedule is not in it either."""
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
        work = self.portfolio.work
        starts = edge.link.type in (LinkType.FS, LinkType.SS)
        if starts and is_in_progress(work[edge.successor]):
            return False
        before = work.get(edge.predecessor)
        return not (before and edge.link.type in (LinkType.SS, LinkType.SF) and is_in_progress(before))

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
            if stub.status is Status.DONE or stub.expected is not None or portfolio.policy.externals == "assume-done":
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
        able = candidates(portfolio, id, self.pins.get(id))
        wanted = [(q, n) for q, n in enumerate(item.needs) if time_of(item, n) > timedelta(0)]
        if seats([n for _, n in wanted], [able[q] for q, _ in wanted]) is None:
            return self.no_holder(item, able)
        self.able[id] = able
        return None

    def no_holder(self, item: WorkItem, able: list[list[str]]) -> Unscheduled:
        for need, people in zip(item.needs, able, strict=True):
            if len(people) < need.people:
                what = f"{need.skill} at level >= {need.level}" if need.skill else "the work"
                among = f" among {', '.join(need.who)}" if need.who else ""
                text = f"{'no one holds' if not people else f'only {len(people)} of {need.people} hold'} {what}{among}"
                return Unscheduled(reason=Reason.NO_HOLDER, text=text, refs=(need.skill,) if need.skill else need.who)
        skills = tuple(dict.fromkeys(n.skill for n in item.needs if n.skill))
        text = f"its needs ({', '.join(skills)}) must be met by different people at once, and there are too few"
        return Unscheduled(reason=Reason.NO_HOLDER, text=text, refs=skills)

    # --- arrays ------------------------------------------------------------------------------------------------

    def row(self, mask: np.ndarray) -> int:
        key = id(mask)
        if key not in self.masks:
            self.masks[key] = len(self.mask_rows)
            self.mask_rows.append(mask)
        return self.masks[key]

    def build(self) -> Compiled:
        portfolio, graph = self.portfolio, self.graph
        self.external_edges: dict[str, list[Edge]] = {}
        for edge in graph.edges:
            if edge.predecessor in portfolio.external:
                self.external_edges.setdefault(edge.successor, []).append(edge)
        self.sort_out()
        ids = [i for i in graph.activities if i not in self.out]
        people = list(portfolio.people)
        person_row = [self.row(self.calendars.person(p)) for p in people]
        number = {p: k for k, p in enumerate(people)}
        flexible = [0] * len(people)
        signatures: set[tuple[str, ...]] = set()
        for id in ids:
            for able in self.able[id]:
                if (signature := tuple(able)) not in signatures:
                    signatures.add(signature)
                    for p in able:
                        flexible[number[p]] += 1
        columns: dict[str, list[int]] = {
            name: [] for name in ("release", "run", "wait", "pin", "exempt", "occurrence", "rollback", "frozen", "place", "project")
        }  # fmt: skip
        needs: dict[str, list[int]] = {name: [] for name in ("work", "people", "share", "candidate", "need")}
        need_ptr, cand_ptr, crew_ptr, use_ptr = [0], [0], [0], [0]
        use, amount = [], []
        environments = {name: k for k, name in enumerate(portfolio.environments)}
        projects = {name: k for k, name in enumerate(portfolio.projects)}
        window_rows: dict[str, int] = {}
        occurrences: list[np.ndarray] = []
        windows: list[list[tuple[datetime, datetime]]] = []
        frost_rows: dict[tuple[int, ...], int] = {}
        frosts: list[np.ndarray] = []
        for id in ids:
            item = portfolio.work[id]
            change = item.change
            pin = self.pins.get(id)
            columns["release"].append(self.release(id, item))
            columns["run"].append(int(not item.pausable or bool(change and change.window)))
            columns["wait"].append(self.grid.slots_for(item.wait) if item.wait is not None else 0)
            columns["pin"].append(max(0, self.grid.ceil(self.when(pin.start))) if pin and pin.start else -1)
            columns["exempt"].append(int(is_in_progress(item)))
            row = -1
            if change and change.window:
                if change.window not in window_rows:
                    window_rows[change.window] = len(occurrences)
                    numbers, spans = self.calendars.occurrences(change.window)
                    occurrences.append(numbers)
                    windows.append(spans)
                row = window_rows[change.window]
            columns["occurrence"].append(row)
            columns["rollback"].append(
                self.grid.slots_for(change.rollback) if change and change.rollback and row >= 0 else 0
            )
            row = -1
            if change and (touching := self.freezes(change.services)):
                if touching not in frost_rows:
                    frost_rows[touching] = len(frosts)
                    frosts.append(self.frost(touching))
                row = frost_rows[touching]
            columns["frozen"].append(row)
            columns["place"].append(self.place(item))
            project = graph.project_of(id)
            columns["project"].append(projects[project] if project is not None else -1)
            # scarcest first, so that a crew chosen seat by seat does not run into a dead end
            order = sorted(range(len(item.needs)), key=lambda q: (len(self.able[id][q]), q))
            for q in order:
                slots = self.grid.slots_for(time_of(item, item.needs[q]))
                if slots == 0:
                    continue
                needs["need"].append(q)
                needs["work"].append(slots)
                needs["people"].append(item.needs[q].people)
                needs["share"].append(ceil(round(item.needs[q].allocation * 100, 6)))
                ranked = sorted((flexible[number[p]], number[p]) for p in self.able[id][q])
                needs["candidate"] += [k for _, k in ranked]
                cand_ptr.append(len(needs["candidate"]))
                crew_ptr.append(crew_ptr[-1] + item.needs[q].people)
            need_ptr.append(len(needs["work"]))
            for name, count in item.environment.items():
                use.append(environments[name])
                amount.append(count)
            use_ptr.append(len(use))

        # hidden milestones: one for each external with a date, one for each large link between containers
        dated = {
            e: self.grid.ceil(self.when(stub.expected))
            for e, stub in portfolio.external.items()
            if stub.expected is not None and stub.status is not Status.DONE
        }
        edges = self.edges({id: k for k, id in enumerate([*ids, *dated])})
        n = max([len(ids) + len(dated), *(max(e[:2]) + 1 for e in edges)])
        for moment in [*dated.values(), *[0] * (n - len(ids) - len(dated))]:
            for name, column in columns.items():
                column.append(-1 if name in ("pin", "occurrence", "frozen", "place", "project") else 0)
            columns["release"][-1] = max(0, moment)
            need_ptr.append(need_ptr[-1])
            use_ptr.append(use_ptr[-1])
        activities = (*ids, *[""] * (n - len(ids)))

        limits = [p.wip or portfolio.policy.person_wip or 0 for p in portfolio.people.values()]
        limit = portfolio.policy.projects_in_process or 0
        exempt = np.array(columns["exempt"], bool)
        limited = np.array(limits, np.int64) > 0
        first = exempt.copy()
        for j in np.flatnonzero(exempt):
            who = needs["candidate"][cand_ptr[need_ptr[j]] : cand_ptr[need_ptr[j + 1]]]
            first[j] = bool(limited[who].any())
        pred_ptr, pred_order = _rows(n, [e[1] for e in edges])
        succ_ptr, succ_order = _rows(n, [e[0] for e in edges])
        before, knot = (
            self.letting_in(edges, columns["project"], len(projects)) if limit else ([], list(projects.values()))
        )
        before_ptr, before_order = _rows(len(projects), [p for p, _ in before])
        groups = self.groups({id: k for k, id in enumerate(ids)})
        member_ptr = np.cumsum([0, *(len(g.members) for g in groups)])
        i64 = lambda values: np.array(values, np.int64)  # noqa: E731
        empty = np.zeros((1, self.grid.slots))
        masks = np.array(self.mask_rows or empty).astype(np.uint8)
        column = {name: i64(values) for name, values in columns.items()}
        working = np.bincount([e[1] for e in edges if e[4] == WORKING], minlength=n) > 0
        plain = (
            (column["run"] == 0)
            & (column["pin"] < 0)
            & (column["occurrence"] < 0)
            & (column["frozen"] < 0)
            & (column["place"] < 0)
            & (np.diff(use_ptr) == 0)
            & ~working
        )
        arrays = Arrays(
            release=i64(columns["release"]), run=np.array(columns["run"], bool), wait=i64(columns["wait"]),
            pin=i64(columns["pin"]), first=first, exempt=exempt, occurrence=i64(columns["occurrence"]),
            rollback=i64(columns["rollback"]), frozen=i64(columns["frozen"]), place=i64(columns["place"]),
            need_ptr=i64(need_ptr), work=i64(needs["work"]), people=i64(needs["people"]), share=i64(needs["share"]),
            cand_ptr=i64(cand_ptr), candidate=i64(needs["candidate"]), crew_ptr=i64(crew_ptr),
            use_ptr=i64(use_ptr), use=i64(use), amount=i64(amount),
            capacity=i64([e.capacity for e in portfolio.environments.values()]),
            pred_ptr=pred_ptr, pred=i64([e[0] for e in edges])[pred_order], pred_type=i64([e[2] for e in edges])[pred_order],
            lag=i64([e[3] for e in edges])[pred_order], lag_kind=i64([e[4] for e in edges])[pred_order],
            succ_ptr=succ_ptr, succ=i64([e[1] for e in edges])[succ_order],
            person_mask=i64(person_row), person_wip=i64(limits),
            masks=masks,
            next_open=_next_open(masks),
            plain=plain,
            occurrences=np.array(occurrences or empty).astype(np.int32), frosts=np.array(frosts or empty).astype(np.uint8),
            project=i64(columns["project"]), begun=np.array([self.begun(p) for p in projects], bool),
            before_ptr=before_ptr, before=i64([q for _, q in before])[before_order], knot=i64(knot), limit=i64([limit]),
            member_ptr=i64(member_ptr), member=i64([m for g in groups for m in g.members]),
            tardiness=np.array([g.tardiness for g in groups]), due=np.array([g.due for g in groups]),
            flow=np.array([g.flow for g in groups]), span=np.array([g.span for g in groups]),
            measure=np.array([g.measure for g in groups]), earliness=np.array([g.earliness for g in groups]),
            wanted=np.array([g.wanted for g in groups]),
        )  # fmt: skip
        instance = Instance(
            arrays,
            self.grid.slots,
            activities,
            tuple(needs["need"]),
            tuple(people),
            tuple(g.id for g in groups),
            self.grid.weeks,
        )
        return Compiled(portfolio, graph, self.calendars, self.grid, instance, self.out, windows)

    def when(self, moment: When, end_of_day: bool = False) -> datetime:
        return moment.resolve(self.now, self.zone, end_of_day)

    def release(self, id: str, item: WorkItem) -> int:
        if is_in_progress(item):
            return 0
        portfolio = self.portfolio
        project = self.graph.project_of(id)
        moments = [portfolio.work[i].not_before for i in (id, *self.graph.ancestors(id))]
        if project is not None:
            moments.append(portfolio.projects[project].not_before)
        bounds = [self.grid.ceil(self.when(m)) for m in moments if m is not None]
        approval = item.change.approval if item.change else None
        if approval and not approval.given:
            bounds.append(self.grid.ceil(self.now + approval.lead))
        return max([0, *bounds])

    def lag(self, edge: Edge, item: WorkItem) -> tuple[int, int]:
        kind = edge.link.lag_in or (LagKind.WORKING if item.needs else LagKind.ELAPSED)
        units = WORK if kind is LagKind.WORKING else ELAPSED_UNITS
        lag = self.grid.slots_for(parse_minutes(edge.link.lag, units, signed=True))
        return lag, WORKING if kind is LagKind.WORKING and item.needs and lag else ELAPSED

    def freezes(self, services: Sequence[str]) -> tuple[int, ...]:
        return tuple(
            k for k, f in enumerate(self.portfolio.freezes) if not f.services or set(f.services) & set(services)
        )

    def frost(self, freezes: Iterable[int]) -> np.ndarray:
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
            joint = self.calendars._shared(joint & mask)
        return self.row(joint)

    def begun(self, project: str) -> bool:
        said = self.portfolio.projects[project].in_process
        if said is not None:
            return said
        return project in self._touched

    @property
    def _touched(self) -> set[str | None]:
        if not hasattr(self, "_touched_projects"):
            self._touched_projects = {
                self.graph.project_of(i)
                for i, item in self.portfolio.work.items()
                if item.status in (Status.DONE, Status.IN_PROGRESS)
            }
        return self._touched_projects

    def edges(self, number: dict[str, int]) -> list[tuple[int, int, int, int, int]]:
        """(before, after, type, lag, kind of lag) between activity numbers; large container links through milestones."""
        found: list[tuple[int, int, int, int, int]] = []
        pairs: dict[int, list[Edge]] = {}
        for edge in self.graph.edges:
            if edge.predecessor in number and edge.successor in number and self.binds(edge):
                pairs.setdefault(id(edge.link), []).append(edge)
        hidden = len(number)
        for edges in pairs.values():
            link = edges[0].link
            before = {e.predecessor for e in edges}
            after = {e.successor for e in edges}
            if len(edges) > EXPANDED_LINKS and len(edges) == len(before) * len(after) and link.type is LinkType.FS:
                found += [(number[b], hidden, FS, 0, ELAPSED) for b in sorted(before)]
                for a in sorted(after):
                    edge = next(e for e in edges if e.successor == a)
                    found.append((hidden, number[a], FS, *self.lag(edge, self.portfolio.work[a])))
                hidden += 1
                continue
            for e in edges:
                lag = self.lag(e, self.portfolio.work[e.successor])
                found.append((number[e.predecessor], number[e.successor], LINK_TYPES[link.type], *lag))
        return found

    def letting_in(
        self, edges: list[tuple[int, int, int, int, int]], project: list[int], count: int
    ) -> tuple[list[tuple[int, int]], list[int]]:
        """Order between projects under a limit, and for each the number of the knot that must be let in together.

        Raises InputError where projects that wait for each other are more than the limit.
        """
        import networkx as nx

        graph: nx.DiGraph[int] = nx.DiGraph()
        graph.add_nodes_from(range(count))
        graph.add_edges_from((project[a], project[b]) for a, b, *_ in edges if -1 < project[a] != project[b] > -1)
        numbers = [0] * count
        names = list(self.portfolio.projects)
        limit = self.portfolio.policy.projects_in_process or count
        order: list[tuple[int, int]] = []
        condensed = nx.condensation(graph)
        for number, data in condensed.nodes(data=True):
            knot = sorted(data["members"])
            new = [p for p in knot if not self.begun(names[p])]
            if len(new) > limit:
                raise InputError(
                    [
                        Finding(
                            level="error",
                            code="limit-too-low",
                            ids=tuple(names[p] for p in knot),
                            message=f"projects {', '.join(names[p] for p in knot)} wait for each other's work, so they must "
                            f"be in process together, but policy.projects_in_process is {limit}; raise it or cut a link.",
                        )
                    ]
                )
            for p in knot:
                numbers[p] = number
        for a, b in condensed.edges:
            order += [(q, p) for p in condensed.nodes[a]["members"] for q in condensed.nodes[b]["members"]]
        return order, numbers

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
            rates = _rates(project, project.makespan)
            anything |= any(rates)
            if name in by_project and any(rates):
                found.append(self.group(f"project:{name}", by_project[name], project.due, None, rates))
        for id, item in portfolio.work.items():
            rates = _rates(item, None)
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


def _rates(holder: WorkItem | Project, makespan: float | None) -> Rates:
    """Cost of delay, tardiness, flow, makespan and earliness, per week."""
    costs = holder.costs or Costs()
    return (
        holder.cost_of_delay or 0.0,
        costs.tardiness or 0.0,
        costs.flow or 0.0,
        makespan or 0.0,
        costs.earliness or 0.0,
    )


def _next_open(masks: np.ndarray) -> np.ndarray:
    slots = masks.shape[1]
    places = np.where(masks == 1, np.arange(slots, dtype=np.int32), np.int32(slots))
    return np.ascontiguousarray(np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1])


def _rows(n: int, owner: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Row pointers of a ragged array, and the order that sorts its entries by owner."""
    owners = np.array(owner, np.int64)
    return np.r_[0, np.cumsum(np.bincount(owners, minlength=n))].astype(np.int64), np.argsort(owners, kind="stable")


def horizon_guess(portfolio: Portfolio, graph: WorkGraph) -> int:
    """Slots that will probably do: queues of the busiest skills, the longest wait and the latest date, doubled."""
    slot = portfolio.slot.total_seconds()
    queue: dict[tuple[str, ...], float] = {}
    waits = 0.0
    for id in graph.activities:
        item = portfolio.work[id]
        waits += item.wait.total_seconds() if item.wait is not None else 0.0
        for need, able in zip(item.needs, candidates(portfolio, id, None), strict=True):
            if able:
                spent = time_of(item, need).total_seconds() * need.people / len(able)
                queue[tuple(able)] = queue.get(tuple(able), 0.0) + spent
    zone, now = ZoneInfo(portfolio.zone), as_of(portfolio)
    moments = [w.not_before for w in portfolio.work.values()] + [p.not_before for p in portfolio.projects.values()]
    moments += [e.expected for e in portfolio.external.values()] + [p.start for p in portfolio.policy.pins]
    moments += [f.to for f in portfolio.freezes]
    latest = max([0.0, *((m.resolve(now, zone) - now).total_seconds() for m in moments if m is not None)])
    busiest = max(queue.values(), default=0.0)
    seconds = 2 * (latest + busiest * 168 / 25 + min(waits, 90 * 86400)) + 28 * 86400
    return min(int(seconds / slot), most_slots(portfolio))


def most_slots(portfolio: Portfolio) -> int:
    return int(timedelta(days=366 * YEARS_AHEAD) / portfolio.slot)


def compile_portfolio(
    portfolio: Portfolio, graph: WorkGraph, slots: int, out: Mapping[str, Unscheduled] | None = None
) -> Compiled:
    """Compile on a horizon of so many slots, without the items that are known to be ``out`` and what waits for them."""
    return _Compiler(portfolio, graph, slots, out or {}).build()
