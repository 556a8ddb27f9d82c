"""What limits a plan: the most loaded and the most valuable, week by week, and how long work waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from throttle.as_planned import as_planned
from throttle.bottleneck.forecast import forecast_environment, forecast_people
from throttle.bottleneck.prices import Search, price_hours
from throttle.compile import Compiled, compile_portfolio, rates_of
from throttle.drum import name_drum
from throttle.errors import InputError
from throttle.graph import WorkGraph
from throttle.hall import TightSet, levels, most_loaded, without_hours
from throttle.instance import Schedule
from throttle.lift import lower
from throttle.loads import Entry, Loads, skill_label
from throttle.planning import feasible_instance
from throttle.wording import some
from throttle_models import Constraint, Finding, Plan, Portfolio, Project, Reason, WorkItem
from throttle_models.bottleneck import (
    Bottleneck,
    ByWeek,
    EnvironmentLoad,
    MostLoaded,
    PersonLoad,
    QueueForecast,
    SetLoad,
    TightestOfWeek,
    WithoutHours,
)

if TYPE_CHECKING:
    from throttle.instance import Bools

FULL = 0.8
"""A week that is so full is one in which an hour more may help."""
KEPT_OUT = (Reason.ON_HOLD, Reason.STATUS)
"""Reasons for which an item is no work to do for now."""


def analyse(
    plan: Plan,
    portfolio: Portfolio,
    *,
    weeks: float | None = None,
    previous: Plan | None = None,
    resolve: float | None = None,
    seed: int = 1,
    tell: Callable[[str], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> Bottleneck:
    """Loads, the value of an hour, and the queue at the most loaded.

    weeks: the horizon that loads are averaged over; default: that of the plan's loads. previous: the plan before this
    one, for the name of the drum; default: the name that the plan says. resolve: seconds of work to search anew for
    each of the resources whose hour seems worth most; otherwise the plan's order is kept. The same arguments give the
    same answer, unless ``stop`` is set meanwhile: then values are those found until then. Raises InputError
    where the plan does not fit the portfolio.
    """
    return _Analysis(plan, as_planned(plan, portfolio), weeks).result(
        previous, Search(resolve, seed, tell, stop or threading.Event())
    )


class _Analysis:
    def __init__(self, plan: Plan, portfolio: Portfolio, weeks: float | None) -> None:
        self.plan, self.portfolio = plan, portfolio
        self.compiled, self.schedule = replayed(plan, portfolio, weeks or 0.0)
        self.zone = ZoneInfo(portfolio.zone)
        self.loads = Loads(self.compiled, plan.items)
        grid = self.compiled.grid
        self.slots = min(round(weeks / grid.weeks), grid.slots) if weeks else self.loads.slots
        self.weeks = self.slots * grid.weeks
        self.hours = {p: self.hours_of(self.compiled.calendars.person(p)) for p in portfolio.people}
        self.there = {
            p: self.loads.weekly(mask.astype(float)) if mask.any() else {} for p, mask in self.loads.open.items()
        }
        """Hours at work of each person, week by week."""
        self.planned: dict[str, dict[str, float]] = {}
        """Hours planned for each person, week by week."""
        for week in plan.weeks:
            for person, days in week.people.items():
                self.planned.setdefault(person, {})[week.week] = sum(sum(by.values()) for by in days.values())
        self.sets = levels(self.loads.own_work, self.hours)
        self.environment_loads = {load.name: load for load in self.loads.environments()}

    def hours_of(self, mask: Bools) -> float:
        return float(mask[: self.slots].sum()) * self.loads.hours_per_slot

    def result(self, previous: Plan | None, search: Search) -> Bottleneck:
        sets, environments = tuple(map(self.set_load, self.sets)), self.environments()
        loaded = self.most_loaded(sets, environments)
        drum = self.plan.drum
        if previous is not None or drum is None:
            drum = name_drum(self.loads, self.loads.all()[0], previous)
        prices = price_hours(self.compiled, self.schedule, self.loads, self.to_price(sets), search)
        return Bottleneck(
            as_of=self.plan.as_of,
            until=self.compiled.grid.instant(self.slots),
            weeks=round(self.weeks, 4),
            zone=self.portfolio.zone,
            unit=self.unit(),
            drum=drum,
            loaded=loaded,
            valuable=next((hour for hour in prices.hours if hour.saves > 0), None),
            queue=self.queue(loaded, environments),
            sets=sets,
            people=self.people(),
            environments=environments,
            tightest=self.tightest(),
            without_hours=self.without_hours(),
            prices=prices,
        )

    def unit(self) -> str:
        """Of the objective; without any rate it counts weeks until each item is finished (docs/plan.md, Costs)."""
        holders: list[WorkItem | Project] = [*self.portfolio.projects.values(), *self.portfolio.work.values()]
        rated = (any(rates_of(h)) for h in holders)
        return self.portfolio.currency if any(rated) or self.portfolio.policy.makespan else "item-weeks"

    # --- loads -------------------------------------------------------------------------------------------------

    def set_load(self, tight: TightSet) -> SetLoad:
        people = tuple(p for p in self.portfolio.people if p in tight.people)
        within = set(tight.able)
        skills: dict[str, float] = {}
        for entry in self.loads.needs:
            item, q, _, hours = entry
            need = self.portfolio.work[item].needs[q]
            if need.skill and self.loads.who(entry) in within:
                label = skill_label(need.skill, need.level)
                skills[label] = skills.get(label, 0.0) + hours
        members = tuple(sorted(skills, key=lambda s: (-skills[s], s)))
        shown = members or people
        name = some(shown, 3)
        if len(people) <= 2:
            name = " and ".join(self.name_of(p) for p in people)
        return SetLoad(
            name=name,
            people=people,
            members=members,
            work_hours=round(tight.work, 4),
            hours=round(tight.hours, 4),
            load=round(tight.load, 6),
            weeks_of_queue=round(tight.load * self.weeks, 4),
            by_week=self.by_week(people),
        )

    @staticmethod
    def most_loaded(sets: Sequence[SetLoad], environments: Mapping[str, EnvironmentLoad]) -> MostLoaded | None:
        """The first of the sets, or an environment that is loaded more."""
        found: MostLoaded | None = None
        for one in sets[:1]:
            found = MostLoaded(kind="skills", **one.model_dump(exclude={"by_week"}))
        for name, place in environments.items():
            if place.load is not None and place.weeks_of_queue and (found is None or place.load > found.load + 1e-9):
                about = place.model_dump(include={"work_hours", "hours", "load", "weeks_of_queue"})
                found = MostLoaded(kind="environment", name=name, members=(name,), **about)
        return found

    def name_of(self, person: str) -> str:
        return self.portfolio.people[person].name or person

    def by_week(self, people: Iterable[str]) -> ByWeek:
        planned, there = _sum(self.planned.get(p, {}) for p in people), _sum(self.there[p] for p in people)
        return {w: (round(planned.get(w, 0.0), 4), round(there.get(w, 0.0), 4)) for w in sorted({*planned, *there})}

    def people(self) -> dict[str, PersonLoad]:
        """Everyone who has work or could be given some, the most loaded first."""
        level = {p: tight.load for tight in self.sets for p in tight.people}
        alone = {next(iter(able)): hours for able, hours in self.loads.own_work.items() if len(able) == 1}
        found = {
            p: PersonLoad(
                name=self.name_of(p),
                own_hours=round(alone.get(p, 0.0), 4),
                hours=round(hours, 4),
                load=round(alone.get(p, 0.0) / hours, 6) if hours else None,
                level=round(level.get(p, 0.0), 6),
                planned_hours=round(sum(self.planned.get(p, {}).values()), 4),
                by_week=self.by_week([p]),
            )
            for p, hours in self.hours.items()
            if p in level or p in alone or p in self.planned
        }
        return dict(sorted(found.items(), key=lambda entry: (-entry[1].level, -entry[1].own_hours)))

    def to_price(self, sets: Iterable[SetLoad]) -> list[tuple[Constraint, tuple[int, ...]]]:
        """Each set, and the weeks that are full for it, or if none is, with work."""
        found = []
        for one in sets:
            hours = [one.by_week.get(week, (0.0, 0.0)) for week in self.loads.week_names]
            busy = [k for k, (planned, _) in enumerate(hours) if planned > 0]
            full = [k for k in busy if hours[k][0] >= FULL * hours[k][1]]
            about = Constraint(kind="skills", name=one.name, members=one.members, people=one.people)
            found.append((about, tuple(full or busy)))
        return found

    def environments(self) -> dict[str, EnvironmentLoad]:
        found = {}
        for name, load in self.environment_loads.items():
            capacity = self.portfolio.environments[name].capacity
            hours = self.hours_of(self.compiled.calendars.environment(name)) * capacity
            found[name] = EnvironmentLoad(
                capacity=capacity,
                work_hours=load.work_hours,
                hours=round(hours, 4),
                load=round(load.work_hours / hours, 6) if hours else None,
                weeks_of_queue=round(load.work_hours / hours * self.weeks, 4) if hours else None,
                by_week=load.by_week,
            )
        return dict(sorted(found.items(), key=lambda entry: -(entry[1].load or 0.0)))

    def tightest(self) -> dict[str, TightestOfWeek]:
        """Of each week with planned work, the set or environment that it fills most."""
        planned: dict[str, dict[frozenset[str], float]] = {}
        for entry in self.loads.needs:
            who = self.loads.who(entry)
            for assigned in self.plan.items[entry[0]].assignments:
                if assigned.need == entry[1]:
                    for first, last in assigned.work:
                        on = planned.setdefault(self.loads.week(first), {})
                        on[who] = on.get(who, 0.0) + (last - first) / timedelta(hours=1) * assigned.allocation
        found: dict[str, TightestOfWeek] = {}
        for week in self.loads.week_names:
            tight = most_loaded(planned.get(week, {}), {p: by.get(week, 0.0) for p, by in self.there.items()})
            shares = []
            if tight is not None:
                people = tuple(p for p in self.portfolio.people if p in tight.people)
                name = " and ".join(map(self.name_of, people)) if len(people) <= 2 else f"{len(people)} people"
                shares.append(TightestOfWeek(name=name, kind="skills", people=people, load=round(tight.load, 6)))
            for place, load in self.environment_loads.items():
                taken, room = load.by_week.get(week, (0.0, 0.0))
                if taken and room:
                    shares.append(TightestOfWeek(name=place, kind="environment", load=round(taken / room, 6)))
            if shares:
                found[week] = max(shares, key=lambda share: share.load)
        return found

    def without_hours(self) -> tuple[WithoutHours, ...]:
        """Needs of planned items, and of items left out that are not on hold, for whom nobody has an hour."""
        out = (item for item, why in self.plan.unscheduled.items() if why.reason not in KEPT_OUT)
        entries: list[Entry] = [*self.loads.needs, *self.loads.entries(out)]
        work: dict[frozenset[str], float] = {}
        for _, _, able, hours in entries:
            work[frozenset(able)] = work.get(frozenset(able), 0.0) + hours
        nobody = set(without_hours(work, self.hours))
        found: dict[tuple[str, tuple[str, ...]], tuple[float, dict[str, None]]] = {}
        for item, q, able, hours in entries:
            if frozenset(able) in nobody:
                need = self.portfolio.work[item].needs[q]
                label = skill_label(need.skill, need.level) if need.skill else ", ".join(need.who)
                total, items = found.get((label, able), (0.0, {}))
                found[label, able] = total + hours, {**items, item: None}
        return tuple(
            WithoutHours(needs=label, people=able, work_hours=round(total, 4), items=tuple(items))
            for (label, able), (total, items) in sorted(found.items(), key=lambda entry: (-entry[1][0], entry[0]))
        )

    # --- the queue ---------------------------------------------------------------------------------------------

    def queue(self, loaded: MostLoaded | None, environments: Mapping[str, EnvironmentLoad]) -> QueueForecast | None:
        """At the most loaded."""
        if loaded is None:
            return None
        if loaded.kind == "environment":
            return forecast_environment(self.loads, loaded.name, environments[loaded.name], self.weeks)
        return forecast_people(self.compiled, self.loads, self.sets[0], self.set_load(self.sets[0]), self.weeks)


def replayed(plan: Plan, portfolio: Portfolio, weeks: float = 0.0) -> tuple[Compiled, Schedule]:
    """A plan's portfolio compiled, on a horizon of at least so many weeks, and the plan as a schedule of it.

    Raises InputError where the plan does not fit.
    """
    graph = WorkGraph(portfolio)
    compiled = feasible_instance(portfolio, graph)
    last = max((compiled.grid.ceil(i.finish) for i in plan.items.values()), default=0)
    slots = max(last + 1, round(weeks / compiled.grid.weeks))
    if slots > compiled.grid.slots:
        compiled = compile_portfolio(portfolio, graph, slots, compiled.unscheduled)
    schedule = lower(compiled, dict(plan.items))
    if schedule is None:
        message = "the plan does not fit the portfolio that it carries; run throttle verify on it"
        raise InputError([Finding(level="error", code="other-plan", message=message)])
    return compiled, schedule


def _sum(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in parts:
        for key, value in part.items():
            found[key] = found.get(key, 0.0) + value
    return found
