"""Reliance: on whom the plan leans, what each single absence costs, and which training reduces that most."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import numpy as np

from throttle.as_planned import as_planned
from throttle.bottleneck import replayed
from throttle.calendars import as_of
from throttle.compile import Compiled, compile_portfolio, horizon_guess, prepared, rates_of
from throttle.errors import InputError
from throttle.files import portfolio_hash
from throttle.instance import Arrays
from throttle.loads import Loads, skill_label
from throttle.reliance.holders import Needs, bus_factor, held, learners, needs_of, scarce
from throttle.scenarios.patch import with_absences
from throttle.scenarios.solve import EFFORT, Effort, Solved, adopt, bare, solve, solve_all
from throttle_models import Plan, Portfolio, Project, Reason, WorkItem
from throttle_models.reliance import Absent, BusFactor, Late, Reliance, Training
from throttle_models.scenario import Absence

WEEK = timedelta(weeks=1)
WEEKS = 13.0
"""How long what becomes impossible is charged for: about the time in which somebody new is found and taught."""
TRAININGS, LEARNERS = 6, 2
"""Most trainings that are tried, and most people for each skill."""

Tell = Callable[[str], None]


def reliance(
    portfolio: Portfolio,
    plan: Plan | None = None,
    effort: Effort = EFFORT,
    *,
    weeks: float = WEEKS,
    people: Sequence[str] = (),
    trainings: int = TRAININGS,
    tell: Tell = lambda _: None,
    stop: threading.Event | None = None,
) -> Reliance:
    """Absences of each of ``people`` (all, where none are named) for a week and for good, each planned anew.

    plan: of the portfolio, where the search for the plan that all is compared with starts. An absence costs what the
    portfolio's cost of delay rises by; what nobody can do any more is charged as if it were finished ``weeks`` later
    than planned. The same arguments give the same answer, unless ``stop`` is set meanwhile: then absences are missing.
    Raises InputError, NoPlanError where the portfolio cannot be planned.
    """
    stop = stop or threading.Event()
    return _Reliance(portfolio, plan, effort, weeks, tell, stop).result(
        list(people) or list(portfolio.people), trainings
    )


@dataclass
class _Reliance:
    portfolio: Portfolio
    plan: Plan | None
    effort: Effort
    weeks: float
    tell: Tell
    stop: threading.Event

    def result(self, people: Sequence[str], trainings: int) -> Reliance:
        self.tell("planning with everybody")
        base = solve(self.portfolio, self.effort, (self.plan,) if self.plan is not None else (), self.stop)
        away, spared = self._absences(base, people)
        found = solve_all(away, self.effort, base, share=False, tell=self.tell, stop=self.stop)
        before = base
        base, found = self._agreed(base, away, found)
        if base is not before:  # it may need somebody whom the one before did not
            away, spared = self._absences(base, people)
            more = {name: portfolio for name, portfolio in away.items() if name not in found}
            found |= solve_all(more, self.effort, base, share=False, tell=self.tell, stop=self.stop)
        week: dict[str, Absent] = {}
        good: dict[str, Absent] = {}
        for person in people:
            for kind, into in (("week", week), ("good", good)):
                name = f"{person}, {kind}"
                if name in spared:
                    into[person] = Absent(touched=False, luck=_luck(base, base))
                elif name in found:
                    into[person] = self.absent(base, found[name])
        week, good = (dict(sorted(k.items(), key=lambda e: (-e[1].cost, e[0]))) for k in (week, good))
        learnt = self._trainings(base, good, found, trainings) if not self.stop.is_set() else ()
        return self._told(base, week, good, learnt)

    # --- absences

    def _absences(self, base: Plan, people: Sequence[str]) -> tuple[dict[str, Portfolio], set[str]]:
        """The portfolio with each absence that may touch the plan, and the names of those that do not.

        Where the plan needs nobody who is absent, and the absence changes nothing but when somebody is there, it is a
        plan with the absence as well, and none with it is cheaper.
        """
        until = as_of(self.portfolio) + WEEK + timedelta(days=1)
        away: dict[str, Portfolio] = {}
        spared: set[str] = set()
        begin: dict[str, datetime] = {}
        for item in base.items.values():
            for assigned in item.assignments:
                for first, _ in assigned.work:
                    begin[assigned.person] = min(first, begin.get(assigned.person, first))
        compiled = _compiled(self.portfolio, base)
        for person in people:
            for kind in ("week", "good"):
                name = f"{person}, {kind}"
                gone = absence(self.portfolio, person, for_good=kind == "good")
                free = person not in begin or (kind == "week" and begin[person] >= until)
                if free and _only_of(person, compiled, gone, base):
                    spared.add(name)
                else:
                    away[name] = gone
        return away, spared

    def _agreed(
        self, base: Plan, away: Mapping[str, Portfolio], found: dict[str, Solved]
    ) -> tuple[Plan, dict[str, Solved]]:
        """A plan with an absence is one without it: where that costs less, the search without it was unlucky."""
        plans = [bare(one.plan) for one in found.values() if one.plan is not None and not one.plan.unscheduled]
        plans += [bare(one.plan) for one in found.values() if one.plan is not None and one.plan.unscheduled]
        if self.stop.is_set() or base.certificate.status == "optimal":
            return base, found
        better = adopt(self.portfolio, base, plans, self.effort)
        if better is None:
            return base, found
        self.tell("a better plan with everybody was found; trying it with each absence")
        again = dict(found)
        for name, one in found.items():
            if one.plan is not None and one.plan.certificate.status != "optimal":
                improved = adopt(away[name], one.plan, [bare(better)], self.effort)
                again[name] = Solved(improved) if improved is not None else one
        return better, again

    def absent(self, base: Plan, solved: Solved) -> Absent:
        """One absence against the plan with everybody."""
        plan = solved.plan
        if plan is None:
            return Absent(problem=solved.problem)
        impossible = {id: why.text for id, why in plan.unscheduled.items() if id not in base.unscheduled}
        late = dict(self._late(base, plan))
        gone = [name for name, one in late.items() if one.finish is None]
        lost = sum(late[name].cost for name in gone)
        delayed = _cost_but_of(plan, gone) - _cost_but_of(base, gone)
        if not _rated(self.portfolio):
            lost = self.weeks * len(impossible)
            both = [id for id in plan.items if id in base.items]
            delayed = sum((plan.items[id].finish - base.items[id].finish) / WEEK for id in both)
        shown = {name: one for name, one in late.items() if one.finish is None or (one.days or 0.0) > 0 or one.cost > 0}
        return Absent(
            cost=round(lost + delayed, 6),
            late_cost=round(delayed, 6),
            impossible_cost=round(lost, 6),
            luck=_luck(base, plan),
            late=dict(sorted(shown.items(), key=lambda e: (-e[1].cost, e[0]))),
            impossible=impossible,
            waiting=tuple(id for id in impossible if plan.unscheduled[id].reason is Reason.UNSCHEDULED),
        )

    def _late(self, base: Plan, plan: Plan) -> Iterable[tuple[str, Late]]:
        for name, before in base.projects.items():
            if before.finish is None:
                continue
            after = plan.projects.get(name)
            if after is None or after.finish is None:
                yield name, Late(title=before.title, cost=round(self._put_off(name, base), 6))
                continue
            late = after.late_weeks > 0 and before.late_weeks == 0
            days = round((after.finish - before.finish) / timedelta(days=1), 4)
            cost = round(after.cost - before.cost, 6)
            yield name, Late(title=before.title, finish=after.finish, days=days, late=late, cost=cost)

    def _put_off(self, name: str, base: Plan) -> float:
        """What finishing a project so many weeks later than planned costs."""
        entry = base.projects[name]
        if entry.finish is None:
            return 0.0
        holder: Project | WorkItem = self.portfolio.projects.get(name) or self.portfolio.work[name]
        delay, tardiness, flow, makespan, _ = rates_of(holder)
        if entry.due is None:
            return (delay + flow + makespan) * self.weeks
        late = max(0.0, (entry.finish - entry.due) / WEEK + self.weeks) - entry.late_weeks
        return (delay + tardiness) * late + (flow + makespan) * self.weeks

    # --- training

    def _trainings(
        self, base: Plan, good: Mapping[str, Absent], found: Mapping[str, Solved], most: int
    ) -> tuple[Training, ...]:
        """Of the dearest absences for good: each scarce skill taught to those nearest to it, and planned anew."""
        options: dict[str, tuple[str, str, int, str]] = {}
        variants: dict[str, Portfolio] = {}
        expanded, graph = prepared(self.portfolio)
        for person, absent in good.items():
            if absent.cost <= 0 or len(variants) >= most:
                break
            gone = absence(self.portfolio, person, for_good=True)
            for skill, level, holders in scarce(expanded.portfolio, graph, person)[: max(1, most - len(variants))]:
                near = (p for p in learners(self.portfolio, base, holders, skill, level) if p != person)
                for learner in islice(near, LEARNERS):
                    name = f"{learner} learns {skill_label(skill, level)}"
                    options[name] = (learner, skill, level, person)
                    variants[name] = taught(gone, learner, skill, level)
        if not variants:
            return ()
        solved = solve_all(
            dict(list(variants.items())[:most]), self.effort, base, share=False, tell=self.tell, stop=self.stop
        )
        told = []
        for name, one in solved.items():
            learner, skill, level, person = options[name]
            before, after = good[person].cost, self.absent(base, one)
            without = found.get(f"{person}, good")
            if one.plan is not None and without is not None and without.plan is not None and after.cost > before:
                after = after.model_copy(update={"cost": before})  # the plan without the training is one with it
            if not after.problem:
                told.append(
                    Training(
                        person=learner,
                        skill=skill,
                        level=level,
                        against=person,
                        before=before,
                        after=after.cost,
                        saves=round(before - after.cost, 6),
                    )
                )
        return tuple(sorted(told, key=lambda k: (-k.saves, k.person, k.skill)))

    # --- the answer

    def _told(
        self, base: Plan, week: Mapping[str, Absent], good: Mapping[str, Absent], learnt: tuple[Training, ...]
    ) -> Reliance:
        expanded, graph = prepared(self.portfolio)
        planned = as_planned(base, self.portfolio)
        compiled, _ = replayed(base, planned)
        loads = Loads(compiled, base.items)
        open_ = [id for id in graph.activities if id in base.items or id in base.unscheduled]
        needs = needs_of(expanded.portfolio, graph, open_)
        skills: dict[str, dict[str, Needs]] = {}
        services: dict[str, dict[str, Needs]] = {}
        for id, rows in needs.items():
            item = expanded.portfolio.work[id]
            for need, row in zip(item.needs, rows, strict=True):
                if need.skill is not None:
                    skills.setdefault(need.skill, {}).setdefault(id, [])
                    skills[need.skill][id] = [*skills[need.skill][id], row]
            for service in item.change.services if item.change is not None else ():
                services.setdefault(service, {})[id] = rows
        return Reliance(
            input_hash=portfolio_hash(self.portfolio),
            as_of=as_of(self.portfolio),
            zone=self.portfolio.zone,
            currency=self.portfolio.currency if _rated(self.portfolio) else "item-weeks",
            seed=self.effort.seed,
            budget=self.effort.budget,
            weeks=self.weeks,
            objective=base.certificate.objective.value,
            skills=held(loads, [*loads.needs, *loads.entries(i for i in base.unscheduled if i in planned.work)]),
            skill_factors=_factors(skills),
            service_factors=_factors(services),
            whole=bus_factor(needs),
            week=dict(week),
            good=dict(good),
            training=learnt,
        )


def absence(portfolio: Portfolio, person: str, for_good: bool) -> Portfolio:
    """The portfolio while somebody is away: seven days from as-of, or for good."""
    return with_absences(portfolio, [Absence(person=person, for_=None if for_good else WEEK)])


def taught(portfolio: Portfolio, person: str, skill: str, level: int) -> Portfolio:
    """The portfolio with a skill of somebody raised to a level."""
    who = portfolio.people[person]
    people = portfolio.people | {person: who.model_copy(update={"skills": {**who.skills, skill: level}})}
    return portfolio.model_copy(update={"people": people})


def _factors(work: Mapping[str, Mapping[str, Needs]]) -> dict[str, BusFactor]:
    found = {name: bus_factor(needs) for name, needs in work.items()}
    return dict(sorted(found.items(), key=lambda e: (e[1].factor or 0, -e[1].items, e[0])))


def _compiled(portfolio: Portfolio, plan: Plan, slots: int | None = None) -> Compiled:
    """With the items of a plan, on a horizon of so many slots."""
    expanded, graph = prepared(portfolio)
    horizon = horizon_guess(expanded.portfolio, graph) if slots is None else slots
    return compile_portfolio(expanded.portfolio, graph, horizon, dict(plan.unscheduled))


def _only_of(person: str, compiled: Compiled, changed: Portfolio, plan: Plan) -> bool:
    """Whether a change takes time of one person and leaves everything else, such as drum, reserve and interest."""
    try:
        one, other = compiled.instance, _compiled(changed, plan, compiled.instance.slots).instance
    except InputError:
        return False  # planning it says why
    if one.activities != other.activities or one.people != other.people or one.groups != other.groups:
        return False
    apart = {"masks", "next_open", "person_mask", "place"}
    same = (np.array_equal(getattr(one.arrays, f), getattr(other.arrays, f)) for f in Arrays._fields if f not in apart)
    if not all(same):
        return False
    a, b = one.arrays, other.arrays
    before, after = a.masks[a.person_mask], b.masks[b.person_mask]
    own = np.array([name == person for name in one.people], bool)
    if not np.array_equal(before[~own], after[~own]) or (after[own] > before[own]).any():
        return False
    placed = np.flatnonzero(a.place >= 0)
    return np.array_equal(a.place < 0, b.place < 0) and np.array_equal(
        a.masks[a.place[placed]], b.masks[b.place[placed]]
    )


def _cost_but_of(plan: Plan, names: Sequence[str]) -> float:
    """The objective less what some projects and items cost in it."""
    return plan.certificate.objective.value - sum(plan.projects[n].cost for n in names if n in plan.projects)


def _luck(base: Plan, plan: Plan) -> float:
    goals = base.certificate.objective, plan.certificate.objective
    return round(sum(goal.value - goal.bound for goal in goals), 6)


def _rated(portfolio: Portfolio) -> bool:
    """Whether anything has a rate; else the objective counts the weeks until each item is finished."""
    holders: list[Project | WorkItem] = [*portfolio.projects.values(), *portfolio.work.values()]
    return bool(portfolio.policy.makespan) or any(any(rates_of(holder)) for holder in holders)
