"""Load against capacity, and the bottleneck: the set of people whose own work fills most of their time.

load(S) = work that only people in S can do / hours of S (Hall's condition, ``throttle.hall``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from throttle.compile import Compiled
from throttle.graph import holders, time_of
from throttle.hall import most_loaded
from throttle.wording import iso_week, some
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
        self.needs = list(self.entries(items))

    def entries(self, ids: Iterable[str]) -> Iterator[Entry]:
        """The needs of items that ask for work; equal sets of people who can do them are one object."""
        able = self.compiled.graph.able
        for name in ids:
            work = self.portfolio.work[name]
            for q, need in enumerate(work.needs):
                hours = time_of(work, need) / HOUR * need.people * need.allocation
                if hours > 0:
                    yield name, q, able(need), hours

    def who(self, entry: Entry) -> frozenset[str]:
        """Everyone who can do one of ``needs``."""
        return self.sets[id(entry[2])]

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
            yield self.load(skill, (skill_label(skill, level),), people, entries)

    def most_loaded(self) -> Load | None:
        """The set of people with the largest load."""
        found = most_loaded(self.own_work, self.hours)
        # with those who could do the work, and have no hours
        return self.of_people(found.people.union(*found.able)) if found else None

    @cached_property
    def sets(self) -> dict[int, frozenset[str]]:
        """The sets of people who can do a need, by the object that stands for each in ``needs``."""
        return {id(able): frozenset(able) for able in {id(e[2]): e[2] for e in self.needs}.values()}

    @cached_property
    def own_work(self) -> dict[frozenset[str], float]:
        """Person-hours by the people who can do them."""
        sums = dict.fromkeys(self.sets, 0.0)
        for _, _, able, hours in self.needs:
            sums[id(able)] += hours
        return {self.sets[k]: hours for k, hours in sums.items()}

    def of_people(self, chosen: frozenset[str]) -> Load:
        """A set of people with the work that only they can do."""
        within = {k for k, able in self.sets.items() if able.issubset(chosen)}
        entries = [e for e in self.needs if id(e[2]) in within]
        people = tuple(p for p in self.portfolio.people if p in chosen)
        skills: dict[str, float] = {}
        for name_, q, _, hours in entries:
            need = self.portfolio.work[name_].needs[q]
            label = skill_label(need.skill, need.level) if need.skill else ""
            skills[label] = skills.get(label, 0.0) + hours
        members = tuple(s for s in sorted(skills, key=lambda s: -skills[s]) if s)
        if len(people) <= 2:
            name = " and ".join(self.portfolio.people[p].name or p for p in people)
        else:
            shown = members or people  # needs that only name people have no skill
            name = some(shown, 3)
        return self.load(name, members, people, entries)

    def load(self, name: str, members: tuple[str, ...], people: tuple[str, ...], entries: list[Entry]) -> Load:
        total = sum(e[3] for e in entries)
        hours = sum(self.hours[p] for p in people)
        capacity = self.weekly(sum((self.open[p].astype(float) for p in people), np.zeros(self.slots)))
        planned: dict[str, float] = {}
        for id, q, _, _ in entries:
            for s in self.items[id].assignments:
                if s.need == q:
                    for from_, to in s.work:
                        week = self.week(from_)
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

    def week(self, moment: datetime) -> str:
        """Its ISO week in the portfolio's zone."""
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
                by_week=_joined(self.weekly(taken), self.weekly(open_.astype(float) * environment.capacity)),
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

    def weekly(self, per_slot: Floats) -> dict[str, float]:
        """Hours week by week of what is counted in each slot of the plan's length."""
        hours = np.add.reduceat(per_slot[: self.slots], self.week_starts) * self.hours_per_slot
        return dict(zip(self.week_names, hours.tolist(), strict=True))


def skill_label(skill: str, level: int) -> str:
    """``oracle>=2``; level 1 is not told."""
    return f"{skill}>={level}" if level > 1 else skill


def _joined(planned: Mapping[str, float], capacity: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    return {w: (round(planned.get(w, 0.0), 4), round(capacity.get(w, 0.0), 4)) for w in sorted({*planned, *capacity})}
