"""Load against capacity, and the bottleneck: the set of people whose own work fills most of their time.

load(S) = work that only people in S can do / hours of S (Hall's condition). The set with the largest load is found by
Dinkelbach's method, each step a minimum cut (Picard 1976, maximal closure of a graph).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from throttle.compile import Compiled
from throttle.graph import holders, time_of
from throttle.wording import iso_week
from throttle_models import Load, PlannedItem

if TYPE_CHECKING:
    from throttle.instance import Bools, Floats

LEAST_WEEKS = 4
"""Hours a week are averaged over the length of the plan, and at least so many weeks."""
SETS_SHOWN = 40
HOUR = timedelta(hours=1)

Entry = tuple[str, int, tuple[str, ...], float]
"""One need of one item: item, position of the need, who can, person-hours."""


def week_of(moment: datetime, zone: ZoneInfo) -> str:
    """The ISO week of a moment in a zone."""
    return iso_week(moment.astimezone(zone).date())


class Loads:
    """Load figures of one plan."""

    def __init__(self, compiled: Compiled, items: Mapping[str, PlannedItem]) -> None:
        self.compiled, self.items = compiled, items
        self.portfolio = compiled.portfolio
        self.zone = ZoneInfo(self.portfolio.zone)
        grid = compiled.grid
        last = max((grid.ceil(i.finish) for i in items.values()), default=0)
        week = round(1 / grid.weeks)
        self.slots = min(max(last, LEAST_WEEKS * week), grid.slots)
        self.hours_per_slot = grid.minutes / 60
        self.weeks = self.slots * grid.weeks
        self.open = {p: compiled.calendars.person(p)[: self.slots] for p in self.portfolio.people}
        self.hours = {p: float(m.sum()) * self.hours_per_slot for p, m in self.open.items()}
        self.week_starts, self.week_names = self._weeks()
        self._week_of: dict[datetime, str] = {}
        able = compiled.graph.able
        self.needs: list[Entry] = []
        for id in items:
            work = self.portfolio.work[id]
            for q, need in enumerate(work.needs):
                hours = time_of(work, need) / HOUR * need.people * need.allocation
                if hours > 0:
                    self.needs.append((id, q, able(need), hours))

    def all(self) -> tuple[Load | None, tuple[Load, ...]]:
        """The bottleneck, and all loads, longest queue first."""
        found = [*self.by_skill(), *self.environments()]
        set_ = self.most_loaded()
        bottleneck: Load | None = None
        if set_ is not None:
            same = [
                f for f in found if f.kind == "skills" and f.people == set_.people and f.work_hours == set_.work_hours
            ]
            bottleneck = same[0] if same else set_
            found += [] if same else [set_]
        found.sort(key=lambda f: (-(f.weeks_of_queue or 0.0), f.name))
        if found and (bottleneck is None or (found[0].weeks_of_queue or 0) > (bottleneck.weeks_of_queue or 0) + 1e-9):
            bottleneck = found[0] if found[0].kind == "environment" else bottleneck
        return bottleneck, tuple(found[:SETS_SHOWN])

    def by_skill(self) -> Iterable[Load]:
        """For each skill that is needed: the work that names it, against everyone who holds it at the level needed."""
        by: dict[str, list[Entry]] = {}
        for entry in self.needs:
            need = self.portfolio.work[entry[0]].needs[entry[1]]
            if need.skill is not None:
                by.setdefault(need.skill, []).append(entry)
        for skill, entries in by.items():
            level = min(self.portfolio.work[id].needs[q].level for id, q, _, _ in entries)
            people = tuple(holders(self.portfolio, skill, level, ()))
            yield self.load(skill, (_name(skill, level),), people, entries)

    def most_loaded(self) -> Load | None:
        """The set of people with the largest load."""
        import networkx as nx

        sums: dict[int, float] = {}
        sets: dict[int, tuple[str, ...]] = {}  # equal sets are one object
        for _, _, able, hours in self.needs:
            sets[id(able)] = able
            sums[id(able)] = sums.get(id(able), 0.0) + hours
        work = {able: sums[k] for k, able in sets.items() if sum(self.hours[p] for p in able) > 0}
        if not work:
            return None
        densest = max(work.items(), key=lambda entry: entry[1] / sum(self.hours[p] for p in entry[0]))[0]
        chosen: set[str] = set(densest)
        ratio = -1.0
        for _ in range(30):
            inside = sum(hours for able, hours in work.items() if chosen.issuperset(able))
            better = inside / sum(self.hours[p] for p in chosen)
            if better <= ratio * (1 + 1e-9):
                break
            ratio = better
            graph: nx.DiGraph[object] = nx.DiGraph()
            for able, hours in work.items():
                graph.add_edge("from", ("set", able), capacity=hours)
                for p in able:
                    graph.add_edge(("set", able), ("person", p))
            for p in {p for able in work for p in able}:
                graph.add_edge(("person", p), "to", capacity=ratio * self.hours[p])
            _, (side, _) = nx.minimum_cut(graph, "from", "to")
            found = {node[1] for node in side if node[0] == "person"}
            if not found:
                break
            chosen = found
        within = {k for k, able in sets.items() if chosen.issuperset(able)}
        entries = [e for e in self.needs if id(e[2]) in within]
        people = tuple(p for p in self.portfolio.people if p in chosen)
        skills: dict[str, float] = {}
        for name_, q, _, hours in entries:
            need = self.portfolio.work[name_].needs[q]
            label = _name(need.skill, need.level) if need.skill else ""
            skills[label] = skills.get(label, 0.0) + hours
        members = tuple(s for s in sorted(skills, key=lambda s: -skills[s]) if s)
        if len(people) <= 2:
            name = " and ".join(self.portfolio.people[p].name or p for p in people)
        else:
            shown = members or people  # needs that only name people have no skill
            name = ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")
        return self.load(name, members, people, entries)

    def load(self, name: str, members: tuple[str, ...], people: tuple[str, ...], entries: list[Entry]) -> Load:
        total = sum(e[3] for e in entries)
        hours = sum(self.hours[p] for p in people)
        capacity = self._weekly(sum((self.open[p].astype(float) for p in people), np.zeros(self.slots)))
        planned: dict[str, float] = {}
        for id, q, _, _ in entries:
            for s in self.items[id].assignments:
                if s.need == q:
                    for from_, to in s.work:
                        week = self._week(from_)
                        planned[week] = planned.get(week, 0.0) + (to - from_) / HOUR * s.allocation
        return Load(
            name=name,
            kind="skills",
            members=members,
            people=people,
            work_hours=round(total, 4),
            weeks_of_queue=round(total / hours * self.weeks, 4) if hours else None,
            by_week=_joined(planned, capacity),
        )

    def _week(self, moment: datetime) -> str:
        if moment not in self._week_of:
            self._week_of[moment] = week_of(moment, self.zone)
        return self._week_of[moment]

    def environments(self) -> Iterable[Load]:
        """Occupancy from start to finish, pauses included, against capacity."""
        for name, environment in self.portfolio.environments.items():
            work = self.portfolio.work
            using = [(id, work[id].environment[name]) for id in self.items if name in work[id].environment]
            if not using or not environment.capacity:
                continue
            use = np.zeros(self.slots + 1)
            for id, amount in using:
                item = self.items[id]
                use[self.compiled.grid.ceil(item.start)] += amount
                use[self.compiled.grid.ceil(item.finish)] -= amount
            occupied = np.cumsum(use)[:-1]
            open_: Bools = self.compiled.calendars.environment(name)[: self.slots]
            hours = float(open_.sum()) * self.hours_per_slot * environment.capacity
            taken = occupied * open_
            total = float(taken.sum()) * self.hours_per_slot
            yield Load(
                name=name,
                kind="environment",
                members=(name,),
                work_hours=round(total, 4),
                weeks_of_queue=round(total / hours * self.weeks, 4) if hours else None,
                by_week=_joined(self._weekly(taken), self._weekly(open_.astype(float) * environment.capacity)),
            )

    def _weeks(self) -> tuple[list[int], list[str]]:
        """First slot and name of each week; a slot is of the week in which it begins."""
        grid = self.compiled.grid
        local = grid.instant(0).astimezone(self.zone).date()
        monday = local - timedelta(days=local.weekday())
        starts, names = [], []
        first = 0
        while first < self.slots:
            starts.append(first)
            names.append(f"{monday:%G-W%V}")
            monday += timedelta(weeks=1)
            first = grid.ceil(datetime.combine(monday, time(), self.zone))
        return starts, names

    def _weekly(self, per_slot: Floats) -> dict[str, float]:
        hours = np.add.reduceat(per_slot[: self.slots], self.week_starts) * self.hours_per_slot
        return dict(zip(self.week_names, hours.tolist(), strict=True))


def _name(skill: str | None, level: int) -> str:
    return f"{skill}>={level}" if level > 1 else str(skill)


def _joined(planned: Mapping[str, float], capacity: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    return {w: (round(planned.get(w, 0.0), 4), round(capacity.get(w, 0.0), 4)) for w in sorted({*planned, *capacity})}
