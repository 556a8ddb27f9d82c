"""What is uncertain, for simulations. Plans do not use it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, PlainSerializer, Tag, WithJsonSchema

from throttle_models.base import Model
from throttle_models.quantities import Effort, Estimate


def _chance(value: object) -> float:
    text = str(value).strip()
    try:
        if isinstance(value, bool):
            raise ValueError
        number = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise ValueError(f"{text!r} is not a chance: write 15% or 0.15") from None
    if not 0 <= number <= 1:
        raise ValueError(f"a chance is at least 0% and at most 100%, not {value}")
    return number


def _write_chance(chance: float) -> str:
    percent = f"{chance * 100:.10g}"
    return f"{percent}%" if float(percent) / 100 == chance else repr(chance)


Chance = Annotated[
    float,
    BeforeValidator(_chance),
    PlainSerializer(_write_chance, return_type=str),
    WithJsonSchema({"type": "string", "description": "a share of 0% to 100%", "examples": ["15%"]}),
]


class Spread(Model):
    """How far actual times lie from an estimate that gives no range, as multiples of it."""

    short: Annotated[float, Field(gt=0, le=1)] = 0.75
    """Not exceeded with a chance of 10 %."""
    long: Annotated[float, Field(ge=1, le=100)] = 1.5
    """Not exceeded with a chance of 90 %."""


class Arrivals(Model):
    """Unplanned work that comes for a skill, at random (Poisson) while somebody who holds it is at work."""

    per_week: Annotated[float, Field(ge=0, le=100_000)]
    """Tasks a week (168 h), on the average."""
    effort: Estimate
    """Of one task, by one person."""
    law: Literal["exponential", "range", "fixed"] | None = None
    """``exponential``: around its mean; ``range``: low/likely/high as for all estimates; ``fixed``: always the likely
    value. Default: range where one is given, else exponential."""


class Absences(Model):
    """Days off that nobody knows yet: spells by person, as random as those of Poisson."""

    per_year: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Spells a year of each person."""
    days: Annotated[float, Field(gt=0, le=365)] = 3.0
    """Mean length of a spell in days of the clock, exponential."""


class Tests(Model):
    """Items whose work may fail, and then re-open work that they waited for."""

    skills: tuple[str, ...] = ()
    """An item that needs one of these is a test."""
    tags: tuple[str, ...] = ("test",)
    """An item with one of these tags is a test."""
    fail: Chance = 0.0
    """Of each time that a test is run."""
    rework: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Share of its work that the item which is opened again takes; then the test is run again as a whole."""
    by: dict[str, Chance] = {}
    """By item, instead of ``fail``."""


class Changes(Model):
    """Changes that fail: they are rolled back, wait for the next chance, and may cause an incident."""

    fail: Chance = 0.0
    by: dict[str, Chance] = {}
    """By item, kind of change or service (the first that is there counts), instead of ``fail``."""
    incident: Chance = 0.0
    """Chance that a failed change causes an incident: unplanned work of one who could do the change."""
    effort: Effort = timedelta(hours=4)
    """Of that incident on the average, exponential."""


class Approvals(Model):
    deferred: Chance = 0.0
    """Chance that a decision is put off: to the next meeting of the board, else by the lead time once more."""


def _way(value: Any) -> str:
    return "map" if isinstance(value, dict) else "text"


Unplanned = Annotated[
    Annotated[Literal["reserve", "none"], Tag("text")] | Annotated[dict[str, Arrivals], Tag("map")],
    Discriminator(_way),
]


class Simulation(Model):
    """What is uncertain. Without this section: ranges of estimates, and unplanned work as the reserves expect it."""

    spread: Spread | None = Spread()
    """Of estimates that give no range, of what remains of work begun too; ``null``: those are certain. A fixed
    ``duration``, ``verify`` and a ``wait`` are always certain."""
    correlation: Chance = 0.0
    """Correlation of the times of items of one project (of their normal scores): estimates of a team err together."""
    unplanned: Unplanned = "reserve"
    """By skill; ``reserve``: as much as the reserves of people and policy cover in 80 % of the weeks; ``none``."""
    task: Effort = timedelta(hours=2)
    """Mean size, exponential, of a task of unplanned work that only a reserve tells of."""
    interrupts: bool = True
    """Whether unplanned work interrupts planned work; false: it waits until somebody is free, and comes next then."""
    absences: Absences = Absences()
    tests: Tests = Tests()
    changes: Changes = Changes()
    approvals: Approvals = Approvals()
    switching: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Cost of switching: by so much of itself an item takes longer for each other item that waits for the same person
    when it begins (0.01: 1 %)."""
