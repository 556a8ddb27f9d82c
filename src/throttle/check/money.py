"""What a schedule costs, and its flow measure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from throttle.check.facts import Facts
from throttle.check.kinds import seconds
from throttle.check.stability import moving_cost
from throttle_models import Costs, PlannedItem, Project, WorkItem

WEEK = 7 * 86400
NO_COSTS = Costs()


@dataclass(frozen=True)
class Extent:
    """From the first start to the last finish of what is scheduled, in seconds since 1970."""

    start: float
    finish: float


def extent(items: Iterable[PlannedItem]) -> Extent | None:
    """None where nothing is scheduled."""
    ends = [(seconds(i.start), seconds(i.finish)) for i in items]
    return Extent(min(a for a, _ in ends), max(b for _, b in ends)) if ends else None


class Money:
    """Costs in the portfolio's currency, per the rates of projects, containers and activities."""

    def __init__(self, facts: Facts, items: Mapping[str, PlannedItem]) -> None:
        self._facts, self._items = facts, items
        self._extents: dict[str, Extent | None] = {}
        self._as_of = facts.clock.as_of * facts.clock.slot
        projects, work = facts.portfolio.projects.values(), facts.work.values()
        self._free = not (
            facts.portfolio.policy.makespan
            or any(any(_rates(project)) or project.makespan for project in projects)
            or any(any(_rates(item)) for item in work)
        )

    def of_project(self, project: str) -> Extent | None:
        if project not in self._extents:
            self._extents[project] = self._extent(self._facts.activities_of[project])
        return self._extents[project]

    def of_item(self, name: str) -> Extent | None:
        """Of an activity or a container."""
        return self._extent(self._facts.members.get(name, (name,)))

    def _extent(self, names: Iterable[str]) -> Extent | None:
        return extent(self._items[n] for n in names if n in self._items)

    def has_rates(self, item: WorkItem) -> bool:
        return any(_rates(item))

    def due(self, entity: WorkItem | Project) -> float | None:
        return None if entity.due is None else self._facts.clock.moment(entity.due, end_of_day=True)

    def late(self, entity: WorkItem | Project, at: Extent | None) -> float:
        """Weeks after the due date; 0 without one."""
        due = self.due(entity)
        return 0.0 if at is None or due is None else max(0.0, at.finish - due) / WEEK

    def cost(self, entity: WorkItem | Project, at: Extent | None) -> float:
        """Of a project, container or activity by its own rates."""
        if at is None:
            return 0.0
        delay, tardiness, flow, earliness = _rates(entity)
        span = (at.finish - self._as_of) / WEEK
        late = self.late(entity, at)
        total = delay * (span if entity.due is None else late) + tardiness * late + flow * span
        if isinstance(entity, Project):
            return total + (entity.makespan or 0.0) * (at.finish - at.start) / WEEK
        if entity.wanted_start is not None:
            total += earliness * max(0.0, self._facts.clock.moment(entity.wanted_start) - at.start) / WEEK
        return total

    @cached_property
    def objective(self) -> float:
        """The sum over projects and items, the policy's makespan, and what moving planned starts costs.

        Activities count alike if nothing has a cost.
        """
        if self._free:
            return self.flow + self.moving
        total = self.moving + sum(self.cost(entity, at) for entity, at in self._all())
        whole = extent(self._items.values())
        if whole is not None and self._facts.portfolio.policy.makespan:
            total += self._facts.portfolio.policy.makespan * (whole.finish - self._as_of) / WEEK
        return total

    @cached_property
    def moving(self) -> float:
        """What it costs that work does not start when the plan in force said."""
        return moving_cost(self._facts, self._items)

    @cached_property
    def flow(self) -> float:
        """Rates of delay times weeks from as-of to the finish, due dates ignored."""
        if self._free:
            return sum(seconds(i.finish) - self._as_of for i in self._items.values()) / WEEK
        return sum(
            delay_rate(entity) * (at.finish - self._as_of) / WEEK for entity, at in self._all() if at is not None
        )

    def _all(self) -> Iterable[tuple[WorkItem | Project, Extent | None]]:
        for name, project in self._facts.portfolio.projects.items():
            yield project, self.of_project(name)
        for name, item in self._facts.work.items():
            if name not in self._facts.history and any(_rates(item)):
                yield item, self.of_item(name)


def delay_rate(entity: WorkItem | Project) -> float:
    """What a week's delay costs at most, by the entity's own rates."""
    return sum(_rates(entity)[:3])


def _rates(entity: WorkItem | Project) -> tuple[float, float, float, float]:
    """Per week: cost of delay, tardiness, flow, earliness."""
    costs = entity.costs or NO_COSTS
    return entity.cost_of_delay or 0.0, costs.tardiness or 0.0, costs.flow or 0.0, costs.earliness or 0.0
