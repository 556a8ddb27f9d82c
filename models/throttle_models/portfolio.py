"""Everything to be scheduled, as of a moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from throttle_models.base import Model
from throttle_models.mapping import Reading, _skill_map
from throttle_models.people import Calendar, Environment, Hours, Person, Rota, Team, Zone
from throttle_models.policy import Policy
from throttle_models.quantities import Effort, When
from throttle_models.simulation import Simulation
from throttle_models.work import Board, External, Freeze, Project, Service, Window, WorkItem


class Assumption(Model):
    """A default that the plan rests on, because the input was silent."""

    about: str
    """Stable short name, such as ``effort`` or ``productive-hours``."""
    value: str
    why: str
    count: int = 1
    """How many items or people it was used for."""
    override: str = ""
    """What to write, and where, to replace it."""


class Planned(Model):
    """What the plan in force says of an item that is still to begin. ``throttle replan`` writes it."""

    start: When
    who: tuple[str, ...] = ()
    frozen: bool = False
    """It starts within the frozen zone and is held: the same start, the same people."""
    why: str = ""
    """Why it is not held, though it was to start within the frozen zone."""


class Portfolio(Model):
    """The root of a portfolio file. Ids are the keys of the maps; references between maps must resolve."""

    throttle: Literal[1] = 1
    """Version of this format."""
    as_of: When
    zone: Zone = "UTC"
    slot: Annotated[Effort, Field()] = timedelta(minutes=30)
    """The plan's unit of time; it divides an hour, or is a whole number of hours that divides a day."""
    currency: str = ""
    calendars: dict[str, Calendar] = {}
    """The first one serves whoever names none; without any, Mon-Fri 09:00-17:00."""
    skills: Annotated[dict[str, str], BeforeValidator(_skill_map)] = {}
    """Skill to description; a list of names will do."""
    teams: dict[str, Team] = {}
    people: dict[str, Person] = {}
    rotas: dict[str, Rota] = {}
    environments: dict[str, Environment] = {}
    services: dict[str, Service] = {}
    windows: dict[str, Window] = {}
    boards: dict[str, Board] = {}
    """Where any are declared, every board that an approval names is one of them."""
    freezes: tuple[Freeze, ...] = ()
    projects: dict[str, Project] = {}
    work: dict[str, WorkItem] = {}
    external: dict[str, External] = {}
    """Targets of links that are not in the portfolio."""
    policy: Policy = Policy()
    simulation: Simulation = Simulation()
    """What is uncertain, for forecasts; plans do not use it."""
    planned: dict[str, Planned] = {}
    """By item, where a plan is in force: what moving its start is counted from (``policy.stability``)."""
    assumptions: tuple[Assumption, ...] = ()
    pseudonyms: str = ""
    """Where people are under pseudonyms: which table of them. ``throttle replan`` wants the same one again."""
    reading: Reading = Reading()
    """How the exports were read that this was made of; ``throttle replan`` reads newer ones alike."""


DEFAULT_CALENDAR = Calendar(hours=Hours(text="Mon-Fri 09:00-17:00"))
