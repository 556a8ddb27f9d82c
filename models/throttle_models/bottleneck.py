"""What limits the plan: loads of sets of people, of each person and environment, what an hour more is worth, queues."""

from __future__ import annotations

from typing import Literal

from throttle_models.base import Model
from throttle_models.people import Zone
from throttle_models.plan import Constraint, Drum, Instant, IsoWeek

ByWeek = dict[IsoWeek, tuple[float, float]]
"""Planned hours and available hours."""


class MostLoaded(Constraint):
    """The set of people, or the environment, with the largest load over the horizon."""

    work_hours: float
    hours: float
    load: float
    weeks_of_queue: float


class SetLoad(Model):
    """People who share work, at the level of load that the most even sharing of all work gives them.

    Sets do not overlap: each one's work is what those who are more loaded cannot take from them.
    """

    name: str
    people: tuple[str, ...]
    members: tuple[str, ...]
    """Skills with levels, such as ``oracle>=2``, most work first."""
    work_hours: float
    hours: float
    """Hours at work until the end of the horizon."""
    load: float
    """work_hours / hours."""
    weeks_of_queue: float
    by_week: ByWeek = {}
    """All work planned for them, theirs alone or not."""


class PersonLoad(Model):
    name: str
    own_hours: float
    """Work that nobody else can do."""
    hours: float
    load: float | None
    """own_hours / hours; none where there are no hours at all."""
    level: float
    """Share of the hours that is taken if all work is shared as evenly as the skills allow."""
    planned_hours: float
    by_week: ByWeek = {}


class EnvironmentLoad(Model):
    capacity: int
    work_hours: float
    """Occupancy from start to finish, as planned."""
    hours: float
    """Capacity x open time until the end of the horizon."""
    load: float | None
    weeks_of_queue: float | None
    by_week: ByWeek = {}


class TightestOfWeek(Model):
    """What is fullest in a week: planned work that only these can do / their hours in it."""

    name: str
    kind: Literal["skills", "environment"]
    people: tuple[str, ...] = ()
    load: float


class WithoutHours(Model):
    """Work that nobody with hours can do. It is in no load."""

    needs: str
    """Skill with level, or the people named."""
    people: tuple[str, ...]
    """Who could, and are never at work within the horizon."""
    work_hours: float
    items: tuple[str, ...]


How = Literal["an hour more", "an hour less to do", "one more place"]


class HourValue(Constraint):
    """What more time is worth, per hour: of people who share work, or of a place in an environment."""

    saves: float
    """Per hour, in the unit of the plan's objective, if all of the people have an hour more in the same week."""
    week: IsoWeek | None = None
    """The week in which an hour of people saves so much; none where it saves nothing."""
    how: How
    """``an hour less to do``: of people who are at work at all times already. ``one more place``: all the time."""


class Prices(Model):
    """Values of an hour, the most valuable first. Large plans have them only of the most loaded."""

    method: Literal["order kept", "re-solved"]
    """``order kept``: the plan's own order and people, with more time; ``re-solved``: a search of its own for each."""
    text: str
    base: float
    """The cost that all are compared with."""
    hours: tuple[HourValue, ...]


class QueueForecast(Model):
    """How long a task waits for the most loaded set before it begins, if work goes on coming as it does."""

    name: str
    basis: Literal["arrivals", "horizon"]
    """Where the load comes from: work created in the past weeks, or what is left / hours of the horizon."""
    load: float
    servers: int
    task_hours: float
    """Mean hours of one person on a task."""
    arrivals: float
    """Squared coefficient of variation of the times between arrivals; 1 unless it was measured."""
    tasks: float
    """The same of the lengths of tasks."""
    wait_hours: float | None
    """Hours at work; none where the queue is unbounded."""
    wait_weeks: float | None
    grows_hours_a_week: float | None
    """Where the load is 1 or more."""
    text: str


class Bottleneck(Model):
    """The answer of ``throttle bottleneck``."""

    throttle: Literal[1] = 1
    kind: Literal["bottleneck"] = "bottleneck"
    as_of: Instant
    until: Instant
    """End of the horizon that loads are averaged over."""
    weeks: float
    zone: Zone
    unit: str
    """Of costs."""
    drum: Drum | None
    loaded: MostLoaded | None
    """Over the plan's own horizon, the bottleneck of the plan."""
    valuable: HourValue | None
    """Whose hour is worth most; none where no hour more saves anything."""
    queue: QueueForecast | None
    sets: tuple[SetLoad, ...]
    people: dict[str, PersonLoad]
    environments: dict[str, EnvironmentLoad]
    tightest: dict[IsoWeek, TightestOfWeek]
    without_hours: tuple[WithoutHours, ...]
    prices: Prices
