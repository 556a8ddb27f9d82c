"""What history teaches, each figure with its evidence: effort, skills, hours, unplanned work, bias, failed changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from throttle_models.base import Model
from throttle_models.policy import Weekday
from throttle_models.quantities import Effort, Estimate, Weekly, When

Basis = Literal["logged", "inferred"]
"""Logged time; or cycle time shared among what its person had in process at once."""
_Share = Annotated[float, Field(ge=0, le=1)]
_Count = Annotated[int, Field(ge=0)]


class LearnedEffort(Model):
    """Of one type of item, or of its part with this component or team."""

    type: str
    component: str = ""
    team: str = ""
    effort: Estimate
    """10 %, 50 %, 90 % of the samples took no longer."""
    p80: Effort
    """The 81st of 100 would take longer."""
    samples: _Count
    basis: Basis


class LearnedSkill(Model):
    finished: _Count
    """Items that need it and that the person finished."""
    last: date | None = None
    stale: bool = False
    """The last one is half a year old or older."""


class LearnedPerson(Model):
    skills: dict[str, LearnedSkill] = {}
    hours: str = ""
    """``Mon-Fri 08:00-17:00``: when most of what they do in the tracker happens, by the clock of ``Learned.zone``."""
    utc_offset: int | None = None
    """Hours east of UTC at which the middle of these hours is one in the afternoon."""
    events: _Count = 0
    """Timestamps that the hours rest on."""


class LearnedDemand(Model):
    """Unplanned work that needs one skill, by weeks."""

    arrivals: float
    """Items a week."""
    mean: Weekly
    reserve: Weekly
    """Enough in 80 % of weeks, by weekly totals."""
    weekdays: dict[Weekday, Effort] = {}
    """The same, spread as the work arrives."""
    weeks: _Count
    tested: _Count = 0
    """Weeks for which a reserve was learned from those before them."""
    covered: _Share | None = None
    """Share of these in which it was enough."""


class LearnedBias(Model):
    """Logged time over estimate."""

    type: str
    ratio: float
    """Median."""
    low: float
    high: float
    """Quartiles."""
    samples: _Count


class LearnedFailure(Model):
    """Changes that failed or were backed out."""

    kind: str
    group: str = ""
    failed: _Count
    changes: _Count
    rate: _Share
    low: _Share
    high: _Share
    """95 % interval (Wilson, 1927)."""


class Learned(Model):
    """A learned.yaml: what stands in where exports and team file are silent."""

    throttle_learned: Literal[1] = 1
    """Version of this format."""
    as_of: When
    zone: str = "UTC"
    tickets: _Count = 0
    """Finished ones that it was learned from."""
    effort: tuple[LearnedEffort, ...] = ()
    effort_tested: _Count = 0
    """The last quarter of finished items, for which effort was learned from those before."""
    effort_covered: _Share | None = None
    """Share of these that took no longer than p80."""
    people: dict[str, LearnedPerson] = {}
    demand: dict[str, LearnedDemand] = {}
    """By skill."""
    bias: tuple[LearnedBias, ...] = ()
    failures: tuple[LearnedFailure, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be learned, and why."""

    @cached_property
    def _by_kind(self) -> dict[tuple[str, str, str], LearnedEffort]:
        return {(e.type, e.component, e.team): e for e in self.effort}

    def effort_of(self, type: str, components: Sequence[str], team: str) -> LearnedEffort | None:
        """Of just this kind of item, else of more than it; None where nothing was learned."""
        parts = [*((c, team) for c in components if team), *((c, "") for c in components), ("", team), ("", "")]
        found = (self._by_kind.get((type, component, group)) for component, group in parts)
        return next((effort for effort in found if effort is not None), None)
