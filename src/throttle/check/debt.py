"""Interest of technical debt: its price, worked out again, and what the plan tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from throttle.check.facts import Facts
from throttle.check.kinds import Violations
from throttle.check.schedule import Schedule
from throttle_models import Costs, Debt, Portfolio, Project, WorkItem

WEEK = 7 * 86400
WEEKS = 4
"""From as-of on, over which the hours a week of a skill are averaged."""
ROUNDED = 1e-4


class Debts:
    """The open items with interest of a portfolio, and what an hour of the skills that they take is worth."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.items = {n: i for n, i in facts.work.items() if i.interest and n not in facts.history}

    @cached_property
    def portfolio(self) -> Portfolio:
        """With interest as a cost of flow of its item, and 1 for each activity where nothing else costs anything."""
        more = {name: self._rate(item) for name, item in self.items.items()}
        if more and self._nothing_costs:
            for name in self._facts.activities:
                more[name] = more.get(name, 0.0) + 1
        if not more:
            return self._facts.portfolio
        work = dict(self._facts.work)
        for name, rate in more.items():
            costs = work[name].costs or Costs()
            raised = costs.model_copy(update={"flow": (costs.flow or 0.0) + rate})
            work[name] = work[name].model_copy(update={"costs": raised})
        return self._facts.portfolio.model_copy(update={"work": work})

    def _rate(self, item: WorkItem) -> float:
        """Money a week."""
        return sum(hours.total_seconds() / 3600 * self._prices[skill] for skill, hours in item.interest.items())

    @cached_property
    def _nothing_costs(self) -> bool:
        portfolio = self._facts.portfolio
        some = any(p.makespan or _delay(p) for p in portfolio.projects.values())
        some = some or any(_delay(i) or (i.costs is not None and i.costs.earliness) for i in portfolio.work.values())
        return not (some or portfolio.policy.makespan)

    @cached_property
    def _prices(self) -> dict[str, float]:
        """Skill to what a week's delay of all that asks for it costs / the hours a week of all who hold it."""
        return {skill: self._price(skill) for item in self.items.values() for skill in item.interest}

    def _price(self, skill: str) -> float:
        facts, portfolio = self._facts, self._facts.portfolio
        asking = [n for n in facts.activities if any(need.skill == skill for need, _ in facts.needs(n).values())]
        first = facts.clock.as_of
        last = first + WEEKS * WEEK // facts.clock.slot
        slots = 0
        for person, who in portfolio.people.items():
            if skill in who.skills:
                slots += sum(b - a for a, b in facts.person_time(person).spans(first, last))
        if not slots or not asking:
            return 0.0
        delay = float(len(asking))
        if not self._nothing_costs:
            delay = (portfolio.policy.makespan or 0.0) + sum(map(_delay, self._held_up(asking)))
        return delay / (slots * facts.clock.slot / 3600 / WEEKS)

    def _held_up(self, activities: list[str]) -> Iterator[Project | WorkItem]:
        """The activities, all that contain them, and their projects, each once."""
        facts = self._facts
        for name in {n for activity in activities for n in (activity, *facts.ancestors(activity))}:
            yield facts.work[name]
        for project in {facts.project_of[n] for n in activities} - {None}:
            yield facts.portfolio.projects[str(project)]

    def check(self, plan_debts: dict[str, Debt], schedule: Schedule, violations: Violations) -> None:
        for name in sorted(self.items.keys() | plan_debts.keys()):
            told = plan_debts.get(name)
            if name not in self.items or told is None:
                what = "the plan does not tell its debt" if told is None else "it is no open item with interest"
                violations.add("debt", [name], f"{name}: {what}")
            else:
                for what, says, right in self._figures(name, told, schedule):
                    if says != right and not _near(says, right):
                        violations.add("debt", [name], f"the {what} of {name} is {right}; the plan says {says}")
                        break

    def _figures(self, name: str, told: Debt, schedule: Schedule) -> Iterator[tuple[str, object, object]]:
        facts, item = self._facts, self.items[name]
        inside = facts.members.get(name, (name,))
        minutes = sum(facts.person_minutes(facts.work[n], need) for n in inside for need in facts.work[n].needs)
        interest = {skill: amount.total_seconds() / 3600 for skill, amount in item.interest.items()}
        weekly, rate = sum(interest.values()), self._rate(item)
        ends = [schedule.items[n].finish for n in inside if n in schedule.items]
        finish = max(ends) if len(ends) == len(inside) > 0 else None
        as_of = facts.clock.as_of * facts.clock.slot
        yield "hours of work", told.hours, minutes / 60
        yield "interest", sorted(told.interest), sorted(interest)
        for skill, hours in interest.items():
            yield f"interest in {skill}", told.interest[skill], hours
            yield f"price of {skill}", told.price.get(skill), self._prices[skill]
        yield "cost", told.cost, rate
        yield "payback", told.payback_weeks, minutes / 60 / weekly if weekly else None
        yield "finish", told.finish, finish
        yield "interest paid", told.paid, None if finish is None else rate * (finish.timestamp() - as_of) / WEEK
        yield "horizon", told.horizon, max((i.finish for i in schedule.items.values()), default=None)


def _delay(entity: Project | WorkItem) -> float:
    costs = entity.costs or Costs()
    return (entity.cost_of_delay or 0.0) + (costs.tardiness or 0.0) + (costs.flow or 0.0)


def _near(one: object, other: object) -> bool:
    both = isinstance(one, int | float) and isinstance(other, int | float)
    return both and abs(float(one) - float(other)) <= ROUNDED + 1e-6 * abs(float(other))  # type: ignore[arg-type]
