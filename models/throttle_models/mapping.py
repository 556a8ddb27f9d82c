"""What an export's own words mean (``map.yaml``), and what an export does not say (a team file)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from throttle_models.base import Model, Text
from throttle_models.learned import Learned
from throttle_models.people import Calendar, Environment, Person, Rota, Team, Zone
from throttle_models.policy import Policy
from throttle_models.quantities import Effort, Elapsed, Estimate, Rate, Share, When, keyed
from throttle_models.simulation import Simulation
from throttle_models.work import Board, External, Freeze, Project, Service, Status, Window, WorkType


def _skill_map(value: Any) -> Any:
    return keyed(value, "")


class Column(Text):
    """What a column of an export can mean. Every reader uses these words, so that all share one code path."""

    ID = "id"
    ALIAS = "alias"
    """Another id of the same ticket, such as Jira's numeric issue id or a sys_id."""
    TITLE = "title"
    TYPE = "type"
    STATUS = "status"
    STATUS_CATEGORY = "status_category"
    RESOLUTION = "resolution"
    ACTIVE = "active"
    PROJECT = "project"
    PROJECT_TITLE = "project_title"
    PARENT = "parent"
    ASSIGNEE = "assignee"
    ASSIGNEE_ID = "assignee_id"
    COMPONENT = "component"
    LABEL = "label"
    GROUP = "group"
    TEAM = "team"
    PRIORITY = "priority"
    CREATED = "created"
    UPDATED = "updated"
    STARTED = "started"
    """When work really began."""
    FINISHED = "finished"
    CATEGORY_CHANGED = "category_changed"
    """When the status category last changed: the real start of what is in progress."""
    VIEWED = "viewed"
    """Any other moment in the past; only tells how new the file is."""
    DUE = "due"
    PLANNED_START = "planned_start"
    """A previous plan: kept as information, never a release date."""
    PLANNED_END = "planned_end"
    NOT_BEFORE = "not_before"
    """A release date that someone meant: the work must not begin earlier."""
    ORIGINAL_ESTIMATE = "original_estimate"
    LOW_ESTIMATE = "low_estimate"
    """With ``high_estimate``, around the original estimate as the likely one."""
    HIGH_ESTIMATE = "high_estimate"
    DURATION = "duration"
    """Working time from start to finish, where that is fixed."""
    REMAINING_ESTIMATE = "remaining_estimate"
    TIME_SPENT = "time_spent"
    WORK_LOG = "work_log"
    """Cells whose last ``;`` part is the time logged; nothing else of them is read."""
    POINTS = "points"
    LINK = "link"
    """A link column of the tracker, its direction and type being in the header."""
    WAITS_FOR = "waits_for"
    """Ids, separated by commas or blanks, of what must finish first."""
    BLOCKS = "blocks"
    """Ids of what cannot start until this is finished."""
    CHANGE_KIND = "change_kind"
    RISK = "risk"
    SERVICE = "service"
    APPROVAL = "approval"
    ON_HOLD = "on_hold"
    SKILL = "skill"
    """What the work needs: a skill, a role, a discipline."""
    SPRINT = "sprint"
    """Becomes a tag; where several columns have it, the last that is not blank counts."""
    SAME_AS = "same_as"
    """Id of the same ticket in another system."""
    VERSION = "version"
    """Of an event log: a number that rises from row to row of one ticket."""
    KIND_OF_RECORD = "record"
    """The class or table of a record, such as ``change_request``."""
    IGNORE = "ignore"


class _Meaning(Model):
    confidence: Annotated[float, Field(ge=0, le=1)] = 1.0
    """1: stated by a person or certain; below 0.5: a guess to review."""
    evidence: str = ""
    count: int = 0
    """How many cells or items it explains."""


def _bare(value: Any) -> Any:
    return value if isinstance(value, dict | _Meaning) else {"means": value}


class ColumnMeaning(_Meaning):
    means: Column
    unit: Literal["s", "m", "h", "d"] | None = None
    """Of a duration written as a bare number; a day has 8 hours. Default: the reader's, seconds."""
    decimal: Literal[".", ","] | None = None
    """Of numbers: what stands before their decimals. Default: what the cells of the column show."""
    separator: Annotated[str, Field(min_length=1, max_length=8)] | None = None
    """Characters each of which stands between two values of a cell that holds several: ``,;``."""


class StatusMeaning(_Meaning):
    means: Status | Literal["auto"]
    """``auto``: each item by its own category, resolution or closing date."""


class TypeMeaning(_Meaning):
    means: WorkType | Literal["parent"]
    """``parent``: the type of the item that contains it."""


class LinkMeaning(_Meaning):
    means: Annotated[str, Field(pattern=r"^((FS|SS|FF|SF)(-reversed)?|relates)$")]
    """``FS``: the item with the outward link comes first. ``FS-reversed``: it waits. ``relates``: no order."""


class RateMeaning(_Meaning):
    means: Rate


class PersonMeaning(_Meaning):
    means: str
    """Id of the person."""


_Columns = dict[str, Annotated[ColumnMeaning, BeforeValidator(_bare)]]


class Mapping(Model):
    """What columns and words of exports mean. A bare value says ``means`` alone: ``UAT: in-progress``."""

    throttle_map: Literal[1] = 1
    """Version of this format."""
    columns: dict[str, _Columns] = {}
    """By reader, such as ``jira-csv``, and then by header, exactly as written."""
    statuses: dict[str, Annotated[StatusMeaning, BeforeValidator(_bare)]] = {}
    resolutions: dict[str, Annotated[StatusMeaning, BeforeValidator(_bare)]] = {}
    types: dict[str, Annotated[TypeMeaning, BeforeValidator(_bare)]] = {}
    link_types: dict[str, Annotated[LinkMeaning, BeforeValidator(_bare)]] = {}
    priorities: dict[str, Annotated[RateMeaning, BeforeValidator(_bare)]] = {}
    """Cost of a week's delay."""
    users: dict[str, Annotated[PersonMeaning, BeforeValidator(_bare)]] = {}
    same: dict[str, str] = {}
    """Id of a ticket to the id of the same ticket in another system."""


class Pseudonyms(Model):
    """Who is who, kept apart from what is written under pseudonyms."""

    throttle_pseudonyms: Literal[1] = 1
    """Version of this format."""
    key: str = ""
    """Tells this table from others, and nothing of what is in it; portfolios made with it have it too."""
    people: dict[str, str] = {}
    """Person id to pseudonym."""


class TeamPerson(Person):
    """A person, and how exports write them."""

    aliases: tuple[str, ...] = ()
    """Assignee names or account ids; upper and lower case are equal."""


def _skill_rule(value: Any) -> Any:
    if isinstance(value, str):
        skill, _, level = value.partition(">=")
        return {"skill": skill.strip(), **({"level": level.strip()} if level else {})}
    return value


class SkillRule(Model):
    """A skill and its least level; ``oracle`` or ``oracle>=2`` will do."""

    skill: Annotated[str, Field(min_length=1)]
    level: Annotated[int, Field(ge=1, le=9)] = 1


_Rules = dict[str, Annotated[SkillRule, BeforeValidator(_skill_rule)]]


class SkillRules(Model):
    """Which skill unassigned work needs; the first section that names a word of the item decides, in this order."""

    component: _Rules = {}
    label: _Rules = {}
    group: _Rules = {}
    team: _Rules = {}
    type: _Rules = {}
    project: _Rules = {}


class Defaults(Model):
    """What stands in where an export is silent."""

    productive: Share | None = None
    """Share of hours planned, where the calendar does not say; default 65 %, unless the file has calendars."""
    effort: dict[str, Estimate] = {}
    """By the tracker's type (``Story``) or by type of work (``project``); before what history says."""
    hours_per_point: Effort | None = None
    """Effort of one story point; default: learned from logged time, where there is any."""
    cost_of_delay: dict[str, Rate] = {}
    """By the tracker's priority, or by rank: highest, high, medium, low, lowest."""
    change_effort_cap: Effort = timedelta(hours=8)
    """A planned window is not effort: longer ones count as this much."""
    approval_lead: Elapsed = timedelta(days=3)
    """From asking to the decision, for a normal change that is not authorised yet."""
    skills: SkillRules = SkillRules()
    learned: Learned | None = None
    """What ``throttle learn`` found in history: efforts after those named here, holders of skills, the reserve,
    unplanned work and failed changes for simulations."""


class TeamFile(Model):
    """Everything an export does not know, in the words of a portfolio; all of it optional."""

    throttle: Literal[1] = 1
    as_of: When | None = None
    zone: Zone | None = None
    slot: Effort | None = None
    currency: str = ""
    calendars: dict[str, Calendar] = {}
    skills: Annotated[dict[str, str], BeforeValidator(_skill_map)] = {}
    """Skills named here, or of people here, are held only by those of whom the file says so."""
    teams: dict[str, Team] = {}
    people: dict[str, TeamPerson] = {}
    rotas: dict[str, Rota] = {}
    environments: dict[str, Environment] = {}
    services: dict[str, Service] = {}
    windows: dict[str, Window] = {}
    boards: dict[str, Board] = {}
    freezes: tuple[Freeze, ...] = ()
    projects: dict[str, Project] = {}
    work: dict[str, dict[str, Any]] = {}
    """Fields of work items that replace or add to what was read, by id; with a title, also new items."""
    external: dict[str, External] = {}
    policy: Policy = Policy()
    simulation: Simulation = Simulation()
    defaults: Defaults = Defaults()

    @field_validator("work", mode="before")
    @classmethod
    def _fields(cls, value: Any) -> Any:
        return {str(k): v or {} for k, v in value.items()} if isinstance(value, dict) else value


class Reading(Model):
    """How exports were read, beside what their portfolio says: so that newer ones are read alike."""

    date_order: Literal["dmy", "mdy"] | None = None
    encoding: str | None = None
    mapping: Mapping = Mapping()
    defaults: Defaults = Defaults()
    """Of the team file."""
    aliases: dict[str, tuple[str, ...]] = {}
    """Of its people."""
    work: dict[str, dict[str, Any]] = {}
    """What it said of items."""
