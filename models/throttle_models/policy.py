"""The rules that a plan obeys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from throttle_models.base import Model
from throttle_models.quantities import MOST, Effort, Elapsed, Rate, Tolerance, Weekly, When
from throttle_models.work import ChangeKind, Need, Uses, WorkType, _several


class Pin(Model):
    """A decision that the solver must keep."""

    work: str
    start: When | None = None
    """It starts at the first slot at or after this moment in which its people can."""
    who: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    """All of these people, and only they, work on it."""
    window: str | None = None
    on: When | None = None
    """The day on which the occurrence of the window begins."""


class Buffers(Model):
    project: Effort | Literal["auto"] | None = None
    feeding: Effort | Literal["auto"] | None = None
    drum: Effort | Literal["auto"] | None = None


class Stability(Model):
    frozen: Elapsed = timedelta(0)
    """Starts this near to now are not moved."""
    move: Rate | None = None
    """What moving a planned start costs, per time moved."""


class Inserted(Model):
    """Work that a retest rule puts before or after a change."""

    before: str | None = None
    """Its title, where it comes before the change."""
    after: str | None = None
    """Its title, where it comes after the change."""
    needs: tuple[Need, ...] = ()
    environment: Uses = {}
    lead: Elapsed | None = None
    """Elapsed time of a step that needs nobody: an authorisation. It follows the steps that its rule lists earlier."""

    @model_validator(mode="after")
    def _one_side(self) -> Inserted:
        if (self.before is None) == (self.after is None):
            raise ValueError("write either before: or after: with the title of the work to insert")
        if self.lead is not None and self.needs:
            raise ValueError("a step has either a lead (nobody needed) or needs, not both; write two steps")
        for i, need in enumerate(self.needs):
            if need.effort is None and need.remaining is None:
                raise ValueError(f"needs.{i} says no effort: write effort: 8h")
        return self

    @property
    def title(self) -> str:
        return self.before if self.before is not None else self.after or ""

    @property
    def side(self) -> Literal["before", "after"]:
        return "after" if self.before is None else "before"


class When_(Model):  # noqa: N801 - a rule's `when`; `When` is a moment
    """What a change must be for a rule to hold; everything that is named must match."""

    services: tuple[str, ...] = ()
    tier: tuple[int, ...] = ()
    risk_at_least: int | None = None
    kind: tuple[ChangeKind, ...] = ()
    tags: tuple[str, ...] = ()


class RetestRule(Model):
    name: str
    when: When_
    require: tuple[Inserted, ...]


class Override(Model):
    """A limit that may be exceeded for one item or project, and why."""

    item: str
    limit: str
    reason: str


class Zones(Model):
    """Fever chart: green up to g0 + g1 x, red above r0 + r1 x (x = share of the chain done)."""

    green: tuple[float, float] = (0.10, 0.60)
    red: tuple[float, float] = (0.30, 0.60)

    @model_validator(mode="after")
    def _apart(self) -> Zones:
        (green, rise), (red, steeper) = self.green, self.red
        if red < green or red + steeper < green + rise:
            raise ValueError("the red line is below the green one; write the higher one as red")
        return self


class Goals(Model):
    """What a plan seeks after its cost, in this order, and what share of each goal the ones after it may give up."""

    cost: Tolerance = 0.0
    """Of the cost of delay and of moving."""
    flow: Tolerance = 0.0
    """Of the flow measure, which decides between plans of equal cost."""
    drum: Tolerance = 0.01
    """Of the hours that the drum loses, and of those among them that go into other work."""
    switches: Tolerance = 0.05
    """Of the context switches."""
    start: Literal["auto", "early", "late"] = "auto"
    """Whether work starts as late as buffers allow; ``auto``: where the policy names a feeding buffer."""


Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def _is_map(value: Any) -> str:
    """Which way it is written, so that what is wrong is said of that one."""
    return "map" if isinstance(value, dict) else "text"


Amount = Annotated[
    Annotated[Weekly, Tag("text")] | Annotated[dict[Weekday, Effort], Tag("map")], Discriminator(_is_map)
]
Reserves = dict[str, Amount]
"""Person or skill to hours a week, or to hours on each weekday."""

_Limit = Annotated[int, Field(ge=1, le=MOST)]


class Policy(Model):
    projects_in_process: _Limit | None = None
    wip: dict[WorkType, _Limit] = {}
    """How many items of a type may be begun and unfinished at once."""
    person_wip: _Limit | None = None
    """For everyone who has no limit of their own."""
    drum: str = "auto"
    """A person or a skill; ``auto``: the bottleneck found."""
    rope: Effort | None = None
    """Most released and unfinished hours on the drum."""
    full_kit: bool = False
    buffers: Buffers | None = None
    reserve: (
        Annotated[Annotated[Literal["learned"], Tag("text")] | Annotated[Reserves, Tag("map")], Discriminator(_is_map)]
        | None
    ) = None
    """Hours kept free for unplanned work; ``learned``: from history, else what people keep themselves."""
    stability: Stability | None = None
    goals: Goals | None = None
    """What is sought after the cost; the defaults of :class:`Goals` where it says nothing."""
    pins: tuple[Pin, ...] = ()
    rules: tuple[RetestRule, ...] = ()
    overrides: tuple[Override, ...] = ()
    conflict_hops: Annotated[int, Field(ge=0, le=2)] | None = None
    """Changes on services this near in the service graph never overlap (0: the same service)."""
    fever: Zones | None = None
    makespan: Rate | None = None
    """For each week from as-of until the last item is finished."""
    externals: Literal["hold", "assume-done"] = "hold"
    """What waits for an external stub of unknown state: kept out of the plan, or taken as free to start."""
