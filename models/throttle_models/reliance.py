"""On whom work leans: holders of skills and services, and what each absence would cost."""

from __future__ import annotations

from typing import Literal

from throttle_models.base import Model
from throttle_models.people import Zone
from throttle_models.plan import Instant


class Held(Model):
    """Who can do what needs a skill at a level."""

    holders: tuple[str, ...]
    items: int
    """Open items that need it."""
    hours: float
    """Of their work on it that is left."""


class BusFactor(Model):
    """The smallest group whose loss leaves more than half of the work without anybody who can do it.

    Avelino, Passos, Hora and Valente, A novel approach for estimating truck factors, ICPC 2016: there of files by their
    authors; here of open items by those who can do them.
    """

    factor: int | None
    """None where no work is left, or half of it has nobody already."""
    group: tuple[str, ...] = ()
    orphaned: float = 0.0
    """Share of the items that nobody could do without the group."""
    items: int = 0
    exact: bool = True
    """Whether no smaller group does it; else it was found by always taking whose loss orphans most."""


class Late(Model):
    """What an absence does to a project, or to an item with a cost or due date of its own."""

    title: str = ""
    finish: Instant | None = None
    """None: it cannot be finished."""
    days: float | None = None
    """By how many days of the clock it finishes later."""
    late: bool = False
    """Whether it is after its due date and was not."""
    cost: float = 0.0
    """By how much its cost rises; of what is impossible: its rates for the weeks that are counted."""


class Absent(Model):
    """One person's absence."""

    problem: str = ""
    """Why there is no plan with it."""
    cost: float = 0.0
    """By how much the cost of delay of the portfolio rises: of what becomes late, and of what becomes impossible."""
    late_cost: float = 0.0
    impossible_cost: float = 0.0
    luck: float = 0.0
    """What is not proven of the plans compared: the cost may be wrong by so much."""
    touched: bool = True
    """Whether it was planned anew; the plan as it is needs nobody who is absent otherwise."""
    late: dict[str, Late] = {}
    """What finishes later or not at all."""
    impossible: dict[str, str] = {}
    """Items that cannot be done then, and why."""
    waiting: tuple[str, ...] = ()
    """Those of them that somebody could do, but for what they wait for."""


class Training(Model):
    """Somebody who learns what only few can do."""

    person: str
    skill: str
    level: int
    against: str
    """Whose absence for good it helps in."""
    before: float
    """Cost of that absence."""
    after: float
    """With the training done before."""
    saves: float


class Reliance(Model):
    """The answer of ``throttle reliance``."""

    throttle: Literal[1] = 1
    kind: Literal["reliance"] = "reliance"
    input_hash: str = ""
    """Of the portfolio, as in the certificate of a plan."""
    as_of: Instant
    zone: Zone
    currency: str = ""
    seed: int
    budget: float
    weeks: float
    """How long what becomes impossible is charged for."""
    objective: float
    """Of the plan that absences are compared with."""
    skills: dict[str, Held]
    """By ``SKILL>=LEVEL``, those with the fewest holders first."""
    skill_factors: dict[str, BusFactor]
    """By skill."""
    service_factors: dict[str, BusFactor]
    """By service: of the open changes on it."""
    whole: BusFactor
    """Of all open items."""
    week: dict[str, Absent]
    """Absence from as-of for seven days, the dearest first."""
    good: dict[str, Absent]
    """Absence for good."""
    training: tuple[Training, ...] = ()
    """The most helpful first."""
