"""What if: changes to a portfolio (``scenario.yaml``), and how plans and simulations differ with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from throttle_models.base import Model
from throttle_models.people import Zone
from throttle_models.plan import Instant
from throttle_models.quantities import Elapsed, Share, When
from throttle_models.work import _several

_Names = Annotated[tuple[str, ...], BeforeValidator(_several)]


def _now(value: Any) -> Any:
    return {"text": "0d"} if value is None else value


class Absence(Model):
    """Someone who is not there."""

    person: str
    from_: Annotated[When, BeforeValidator(_now), Field(alias="from")] = When(text="0d")
    """Its first day."""
    for_: Annotated[Elapsed | None, Field(alias="for")] = None
    """How long, in whole days; none: for good."""


class Disruption(Model):
    """Unplanned work that takes a share of people's time for some days, such as a Sev-1."""

    team: str | None = None
    skill: str | None = None
    people: _Names = ()
    share: Share = 1.0
    """Of the time of each of them: the end of each day."""
    from_: Annotated[When, BeforeValidator(_now), Field(alias="from")] = When(text="0d")
    """Its first day."""
    for_: Annotated[Elapsed, Field(alias="for")] = timedelta(days=1)
    """How long; it begins and ends at midnight of the portfolio's zone."""

    @model_validator(mode="after")
    def _somebody(self) -> Disruption:
        if not (self.team or self.skill or self.people):
            raise ValueError("says of whose time: name a team, a skill or people")
        if not self.for_:
            raise ValueError("takes no time: write for example for: 2d")
        return self


class Scenario(Model):
    """What is different. It is applied in the order of these fields."""

    title: str = ""
    drop: _Names = ()
    """Entries that are not there, such as ``people.brent`` or ``projects.kiosk``, with what is only about them: the
    items of a project, the links to an item. Work that only a dropped person was named for is open to whoever can."""
    change: dict[str, Any] = {}
    """In the form of a portfolio file: a map is merged key by key (an empty one empties it), null removes what it
    stands for, and everything else replaces what the portfolio says."""
    set: dict[str, Any] = {}
    """Single fields by their path, such as ``work.PHX-9.due``; null removes one."""
    absent: tuple[Absence, ...] = ()
    disruptions: tuple[Disruption, ...] = ()


def _patches(value: Any) -> Any:
    if isinstance(value, dict) and any(not str(name).strip() for name in value):
        raise ValueError("has one without a name; name it, so that the table can")
    return {name: {} if v is None else v for name, v in value.items()} if isinstance(value, dict) else value


def _not_as_is(value: dict[str, Scenario]) -> dict[str, Scenario]:
    if AS_IS in value:
        raise ValueError(f"{AS_IS} is the portfolio without changes, which is always there; name it otherwise")
    return value


AS_IS = "as-is"
"""What every scenario is compared with: the portfolio as it is written."""


class Scenarios(Model):
    """The root of a scenario file."""

    scenarios: Annotated[
        dict[str, Scenario], BeforeValidator(_patches), AfterValidator(_not_as_is), Field(min_length=1)
    ]


class Difference(Model):
    """A figure of a scenario less the same figure as it is, over the same random numbers."""

    mean: float
    low: float
    """The mean lies in [low, high] with 95 % confidence, as far as runs go."""
    high: float
    better: float
    """Share of runs in which it is less."""
    worse: float


class Spread(Model):
    """Of all simulated runs."""

    mean: float
    p50: float
    p85: float
    p95: float


class Simulated(Model):
    """What simulating a plan says; none of a figure that it has not."""

    runs: int
    cost: Spread
    """Cost of delay, in the unit of the plan."""
    difference: Difference | None = None
    """Of the cost of delay; none for what others are compared with."""
    finish: dict[str, Instant] = {}
    """Of each project the moment that 85 % of runs have finished it by; none where fewer finish it at all."""


class ProjectOutcome(Model):
    title: str = ""
    finish: Instant | None = None
    late_weeks: float = 0.0
    cost: float = 0.0
    days: float | None = None
    """By how many days of the clock it finishes later than as it is; below 0: earlier."""
    p_in_time: float | None = None
    """Share of simulated runs in which it is in time, where it has a due date."""


class Variant(Model):
    """What came of one scenario."""

    title: str = ""
    problem: str = ""
    """Why there is no plan."""
    status: Literal["optimal", "feasible", "none"] = "none"
    """``optimal`` only where the plan is proven to cost least."""
    objective: float | None = None
    bound: float | None = None
    change: float | None = None
    """Objective less that of the portfolio as it is. Searches are not exact: a part of it may be luck, at most
    ``luck``."""
    luck: float | None = None
    """What is not proven of both: (objective - bound) of this + that as it is."""
    projects: dict[str, ProjectOutcome] = {}
    new: tuple[str, ...] = ()
    """Items planned that are not in the plan as it is."""
    left_out: dict[str, str] = {}
    """Items that have no place though they have one as it is, and why."""
    moved: int = 0
    """Items planned in both that start at another time."""
    drum: str | None = None
    """The drum, where it is another one than as it is: with ``policy.drum: auto`` what the rope and full kit speak
    of changes with it."""
    simulated: Simulated | None = None
    seconds: float | None = Field(default=None, exclude=True)


class WhatIf(Model):
    """The answer of ``throttle what-if``."""

    throttle: Literal[1] = 1
    kind: Literal["what-if"] = "what-if"
    as_of: Instant
    zone: Zone
    currency: str = ""
    seed: int
    budget: float
    """Seconds of work for each plan."""
    runs: int
    """Simulated runs of each; 0: planned only."""
    variants: dict[str, Variant]
    """``as-is`` first."""
