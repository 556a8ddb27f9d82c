"""What would elevate the bottleneck: a menu of options, and what each of them saves."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from throttle_models.base import Model, Text
from throttle_models.people import Zone
from throttle_models.plan import Instant
from throttle_models.quantities import Effort, Elapsed, Rate, Share
from throttle_models.scenario import Difference, Scenario


class OptionKind(Text):
    HOUR = "hour"
    """Somebody is at work an hour a week more."""
    SKILL = "skill"
    """Everyone who holds a skill is at work an hour a week more."""
    HIRE = "hire"
    TRAINING = "training"
    """Somebody learns what only few can do."""
    APPROVAL = "approval"
    """Approvals take half as long."""
    WINDOW = "window"
    """One more occurrence a week."""
    ENVIRONMENT = "environment"
    """One more place."""
    AUTOMATION = "automation"
    """A step that is done again and again takes half as long."""
    DEBT = "debt"
    """Somebody else pays it off now."""
    OWN = "own"
    """Written in the menu."""


class OwnOption(Scenario):
    """An option of a planner's own: a scenario, and what it costs."""

    cost: Annotated[float, Field(ge=0)] | None = None
    """Once, in the portfolio's currency."""
    per_week: Rate | None = None


class Menu(Model):
    """The root of a menu file: what options take, what they cost, and further ones."""

    leave_out: tuple[OptionKind, ...] = ()
    hour: Annotated[Effort, Field(gt=timedelta(0))] = timedelta(hours=1)
    """A week, of ``hour`` and ``skill``."""
    hire_after: Elapsed = timedelta(weeks=8)
    """Until somebody new is at work, and knows what to do."""
    ramp_up: Elapsed = timedelta(weeks=4)
    """Until somebody who learns can do the work alone."""
    ramp_share: Share = 0.2
    """Of the time of who learns, and of one who teaches, until then."""
    shorter: Share = 0.5
    """What is left of an approval's time, and of the work of an automated step."""
    hour_cost: Annotated[float, Field(ge=0)] | None = None
    """Of an hour more."""
    hire_cost: Rate | None = None
    """Of one who is hired, from the first day at work to the end of the plan."""
    training_cost: Annotated[float, Field(ge=0)] | None = None
    environment_cost: Rate | None = None
    debt_cost: Annotated[float, Field(ge=0)] | None = None
    """Of an hour of work that others do."""
    options: dict[str, OwnOption] = {}


class Option(Model):
    """One option and what it saves, against the plan without it."""

    kind: OptionKind
    text: str
    refs: tuple[str, ...] = ()
    """The person, skill, board, window, environment, rule or item that it is about."""
    saves: float
    """Cost of delay, of the plans; below 0 where it costs more, as training may."""
    per_hour: float | None = None
    """The same for each hour that it adds until the end of the plan."""
    hours: float | None = None
    """That it adds until then."""
    cost: float | None = None
    """What it costs until then, where the menu says."""
    net: float | None = None
    """saves - cost, of simulated runs where there are any."""
    simulated: Difference | None = None
    """Of the cost of delay with it less that without it."""
    days: dict[str, float] = {}
    """By how many days of the clock projects finish later; below 0: earlier."""
    method: Literal["order kept", "re-solved"] = "order kept"
    """``order kept``: the plan's own order with the option, the least that it saves; ``re-solved``: searched anew."""
    proved: bool = False
    """Whether the plans with it and without it are proven to cost least."""
    problem: str = ""
    """Why it could not be tried."""

    @property
    def worth(self) -> float:
        """What options are ranked by: simulated where it was, else planned; within noise of 0 it is 0."""
        gap = self.simulated
        if gap is None:
            return self.saves
        return 0.0 if gap.low <= 0 <= gap.high else -gap.mean

    @property
    def certain(self) -> bool:
        """Whether simulated runs say that it saves, and chance does not explain it."""
        return self.simulated is not None and self.simulated.high < 0

    @property
    def buys(self) -> bool:
        """Whether it saves something: for certain, or else in the plan, unless simulated runs say for certain not."""
        return not self.problem and (self.worth > 0 or (self.worth == 0 and self.saves > 0))


class Elevate(Model):
    """The answer of ``throttle elevate``: the most valuable option first.

    Where options were simulated, those that chance does not explain come first, and then the others by what plans say.
    """

    throttle: Literal[1] = 1
    kind: Literal["elevate"] = "elevate"
    input_hash: str = ""
    """Of the portfolio, as in the certificate of a plan."""
    as_of: Instant
    until: Instant
    """End of the plan, to which hours and costs are counted."""
    zone: Zone
    currency: str = ""
    seed: int
    budget: float
    runs: int
    objective: float
    """Of the plan without any option."""
    options: tuple[Option, ...]
    nothing: tuple[Option, ...] = ()
    """What buys nothing: no less cost of delay in the plan, nor in simulated runs more than chance explains."""
    left_out: tuple[str, ...] = ()
    """Options that there are not, and why."""
