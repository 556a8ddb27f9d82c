"""What a simulation takes and gives: how it is run, what is let in, and one row of figures for each run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from throttle.calendars import Grid
    from throttle.instance import Floats, Instance, Ints, Schedule
    from throttle.simulate.arrays import Extra


class Cause(IntEnum):
    """Where the time of an item goes, from when its links and dates let it start until it is finished."""

    TOUCH = 0
    """Somebody works on it."""
    CLOSED = 1
    """Begun, and its people or places are not open together."""
    INTERRUPTED = 2
    """Begun, and its people are on unplanned or other work."""
    PEOPLE = 3
    """Ready, and its people are on other work."""
    CALENDAR = 4
    """Ready, and its people or places are not open together."""
    RELEASE = 5
    """Ready, and not let in: projects in process, the rope."""
    WIP = 6
    """Ready, and too many items are begun: of a person, a team or a type."""
    WINDOW = 7
    """Ready, and no window is open for it, or its services are frozen."""
    PLACE = 8
    """Ready, and an environment, or a change on a service nearby, is in its way."""
    PLAN = 9
    """Ready, and the plan begins it later."""
    REWORK = 10
    """From its first end to its last one, where a test failed."""
    FAILURE = 11
    """From its first end to its last one, where it was rolled back."""
    DATE = 12
    """Not ready: its own dates or its approval."""
    LAG = 13
    """Not ready: time that must lie between it and what it waits for."""


CAUSES = len(Cause)


@dataclass(frozen=True)
class Settings:
    """How the plan is executed; what is uncertain is in ``portfolio.simulation``."""

    start: Literal["gained", "planned", "free"] = "gained"
    """``planned``: nothing starts before the plan says. ``gained``: what comes next on all of its people starts as soon
    as it can, other items not before the plan says; without noise this is the plan. ``free``: everything starts as soon
    as it can and is let in, in the order of the plan; what the plan left open on purpose is not respected."""
    crews: Literal["planned", "able"] = "planned"
    """``able``: where somebody planned is not free, another who is able and free takes the place."""
    noise: bool = True
    """False: all as planned; then one run is enough."""
    weeks: float | None = None
    """How long runs are at most, from as-of; None: three times the plan and a quarter of a year. What is unfinished by
    then counts as finished at that end (``Sample.unfinished`` tells how many items)."""
    rope: bool = False
    """Whether ``Release.rope_hours`` can be set where the policy has no rope."""
    items: bool = True
    """Whether the sample has one column for each item; without, large portfolios take less memory."""


@dataclass(frozen=True)
class Release:
    """Limits on what is let in, instead of those of the policy; None: no limit."""

    projects: int | None = None
    """Most projects in process."""
    rope_hours: float | None = None
    """Most hours of drum work released and unfinished."""


@dataclass(frozen=True)
class Model:
    """Everything that runs need, as arrays; it can be pickled, and sent to where they run."""

    instance: Instance
    """As ``throttle.compile`` makes it, on the horizon of the simulation."""
    schedule: Schedule
    """The plan on it."""
    arrays: Extra
    """What the kernel reads besides (``throttle.simulate.arrays.Extra``)."""
    settings: Settings
    projects: tuple[str, ...]
    """Ids of projects and items with a cost or due date of their own, as in ``plan.projects``; columns of
    ``Sample.projects``."""
    groups: tuple[str, ...]
    """Of each column of ``Sample.costs``: ``project:ID``, ``item:ID`` or ``portfolio``."""
    rows: Mapping[str, tuple[int, ...]]
    """The rows of ``limit`` of the arrays that ``projects`` and ``rope`` stand for; empty where there are none."""
    skills: tuple[str, ...]
    """Of each class of unplanned work."""
    origin: Grid
    """Turns slots into moments."""
    hours_per_slot: float
    policy: tuple[int, ...]
    """Limits (``limit`` of the arrays) as the policy says."""
    planned_cost: float
    """Cost of delay of the plan, over the same groups."""

    @property
    def items(self) -> tuple[str, ...]:
        """Ids of activities; hidden helpers of links have an empty one. Columns of ``Sample.start``."""
        return self.instance.activities

    def moment(self, slot: float) -> datetime:
        return self.origin.instant(int(np.ceil(slot - 1e-9)))


@dataclass(frozen=True)
class Sample:
    """Figures of runs ``first`` to ``first + runs - 1``: a row for each run. Times are slots from as-of."""

    start: NDArray[np.int32]
    """runs x items; first start."""
    finish: NDArray[np.int32]
    """runs x items; last end."""
    work: NDArray[np.int32]
    """runs x items: slots that its longest need (or wait) took, the first time."""
    stuck: NDArray[np.uint8]
    """runs x items: what holds an item up that is not finished by the end, as 1 + its ``Cause``; 0 where it is
    finished, or waits for other items only."""
    overran: NDArray[np.uint8]
    """runs x items: attempts at a change that did not fit into its window."""
    projects: NDArray[np.int32]
    """runs x projects: finish."""
    begun: NDArray[np.int32]
    """runs x projects: first start."""
    costs: Floats
    """runs x groups: cost of delay, in the portfolio's currency."""
    cost: Floats
    """runs: cost of delay of the portfolio."""
    where: NDArray[np.float32]
    """runs x projects x causes: slots from as-of to the finish, along the chain that made it so late; they add up to
    the finish."""
    waits: NDArray[np.float32]
    """runs x causes: slots of all items."""
    wip: Floats
    """runs: items begun and unfinished, mean over time until the last finish."""
    in_process: Floats
    """runs: items let in and unfinished, mean over time until the last finish."""
    throughput: Floats
    """runs: items finished a week, until the last finish."""
    lead: Floats
    """runs: hours from ready to finished, mean over items."""
    touch: Floats
    """runs: person-hours worked on planned items, rework included."""
    unplanned: Floats
    """runs: person-hours of unplanned work."""
    arrivals: Ints
    """runs x skills: unplanned tasks that came and whose end is known."""
    sojourn: Floats
    """runs x skills: hours from arrival to done, mean over tasks (NaN without any)."""
    waiting: Floats
    """runs x skills: hours from arrival to begin, mean over tasks (NaN without any)."""
    absent: Floats
    """runs: person-hours of absence."""
    failures: NDArray[np.int32]
    """runs x (failed tests, failed changes)."""
    overruns: NDArray[np.int32]
    """runs: attempts at changes that did not fit into their window, and were rolled back; they are among those that
    failed."""
    forced: NDArray[np.int32]
    """runs: changes that overran so often that they were taken to last as long as planned at last."""
    unfinished: Ints
    """runs: items not finished by the end."""
    little: Floats
    """runs: residual of Little's law, |L - lambda W| / L."""
    balance: Floats
    """runs: residual of the conservation of work, |hours booked - hours sampled| / hours sampled."""
    first: int = 0

    @property
    def runs(self) -> int:
        return len(self.cost)

    @classmethod
    def joined(cls, parts: list[Sample]) -> Sample:
        """Parts that follow each other as one."""
        names = [f.name for f in fields(cls) if f.name != "first"]
        return cls(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in names}, first=parts[0].first)
