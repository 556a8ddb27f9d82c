"""What several sections need of a plan and its portfolio, and the one way in which values are written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from throttle.errors import InputError
from throttle.report.foreseen import Answer
from throttle.report.html import Html, join, tag
from throttle_models import Costs, Finding, Load, Plan, Portfolio, Project, ProjectPlan, Reason, WorkItem, with_inserted
from throttle_models.people import WEEKDAYS

Pieces = tuple[tuple[datetime, datetime], ...]
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

REASONS = {
    Reason.PREDECESSOR: "Other work comes first",
    Reason.PEOPLE: "Those who can do it are on other work first",
    Reason.WIP: "A limit on work in process is reached",
    Reason.ROPE: "The rope: enough drum work is released and not finished",
    Reason.KIT: "Full kit: not all that drum work waits for is finished",
    Reason.ENVIRONMENT: "Its environment is taken",
    Reason.WINDOW: "Its change window comes later",
    Reason.CONFLICT: "Changes on near services go first",
    Reason.RELEASE: "It may not begin yet",
    Reason.APPROVAL: "It waits for approval",
    Reason.PINNED: "It is pinned to a later start",
    Reason.CALENDAR: "Nobody who can do it is at work sooner",
    Reason.FREEZE: "Changes to its services are frozen",
    Reason.RESERVE: "Its people keep time free for unplanned work",
    Reason.LATE: "Starts late: nothing needs it sooner",
    Reason.ORDER: "No rule keeps it, only the order of the plan",
    Reason.NO_HOLDER: "Too few people hold the skill",
    Reason.NO_COMMON_TIME: "Its people are never at work together long enough",
    Reason.NO_WINDOW: "No change window fits it",
    Reason.NO_CAPACITY: "It needs more of an environment than there is",
    Reason.EXTERNAL: "It waits for something outside, date unknown",
    Reason.UNSCHEDULED: "It waits for work that is not scheduled",
    Reason.STATUS: "Its status is not understood",
    Reason.ON_HOLD: "Somebody has put it on hold",
    Reason.BEYOND: "It cannot begin within the time looked at",
}
"""Every reason as a heading a manager reads."""


@dataclass(frozen=True)
class Group:
    """A project or a container with a cost or due date of its own, or (key None) all work that belongs to neither."""

    key: str | None
    title: str
    items: tuple[str, ...]
    """Its scheduled items, by start."""
    plan: ProjectPlan


class Job(NamedTuple):
    """What one person does on one need of an item."""

    item: str
    share: float
    """Of the person's time."""
    work: Pieces

    @property
    def hours(self) -> float:
        return worked(self.work) * self.share


class View:
    """One plan with its portfolio. Raises InputError where the portfolio lacks items of the plan."""

    def __init__(self, plan: Plan, portfolio: Portfolio, foreseen: Mapping[str, Answer] | None = None) -> None:
        """foreseen: answers about the plan, by kind."""
        self.plan, self.portfolio = plan, with_inserted(plan, portfolio)
        self.foreseen = foreseen or {}
        portfolio = self.portfolio
        missing = [item for item in (*plan.items, *plan.unscheduled) if item not in portfolio.work]
        if missing:
            text = f"{len(missing)} items of the plan, such as {missing[0]}, are not in the portfolio: "
            text += "give the portfolio that the plan was made from."
            raise InputError([Finding(level="error", code="other-portfolio", message=text, ids=tuple(missing[:10]))])
        self.zone = ZoneInfo(plan.zone)
        self.as_of = plan.as_of.astimezone(self.zone)
        self.week = plan.week
        self._written: dict[tuple[datetime, bool], str] = {}

    # --- how values are written ---------------------------------------------------------------------------------

    @cached_property
    def priced(self) -> bool:
        """Whether anything costs money; otherwise each item counts one per week until it is finished."""
        p = self.portfolio
        rates = [p.policy.makespan, *(project.makespan for project in p.projects.values())]
        entries: list[Project | WorkItem] = [*p.projects.values(), *p.work.values()]
        for entry in entries:
            costs = entry.costs or Costs()
            rates += [entry.cost_of_delay, costs.tardiness, costs.earliness, costs.flow]
        return any(rate is not None for rate in rates)

    def money(self, amount: float) -> str:
        """``USD 1,234,000``; item-weeks where the portfolio knows no costs."""
        if not self.priced:
            return f"{amount:,.1f}\u00a0item-weeks"
        return f"{self.plan.currency}\u00a0{_number(amount)}".lstrip("\u00a0")

    def delay(self, amount: float) -> str:
        """What a week of delay costs; without costs, how many items wait."""
        return self.money(amount) if self.priced else f"{amount:,.1f}"

    def when(self, moment: datetime, end: bool = False) -> str:
        """``Mon 23 Nov 09:00`` in the plan's zone, with the year where it is not as-of's.

        ``end``: midnight as an end is written 24:00 of the day before.
        """
        if (moment, end) not in self._written:
            local = moment.astimezone(self.zone)
            midnight = end and local.hour == local.minute == 0
            day = local.date() - timedelta(days=1) if midnight else local.date()
            self._written[moment, end] = f"{self.date(day)} {'24:00' if midnight else f'{local:%H:%M}'}"
        return self._written[moment, end]

    def span(self, start: datetime, finish: datetime) -> str:
        """``Sat 28 Nov 22:00 – Sun 29 Nov 04:00``; the day once where it is one day."""
        first, last = self.when(start), self.when(finish, end=True)
        return f"{first}\u2013{last[-5:]}" if first[:-6] == last[:-6] else f"{first} \u2013 {last}"

    def day(self, moment: datetime | None, end: bool = True) -> str:
        """The local day of a finish or due date (midnight belongs to the day it ends); a dash for none."""
        if moment is None:
            return "\u2013"
        local = moment.astimezone(self.zone)
        if end and local.hour == local.minute == 0:
            local -= timedelta(days=1)
        return self.date(local.date())

    def date(self, day: date) -> str:
        year = "" if day.year == self.as_of.year else f" {day.year}"
        return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}{year}"

    # --- what ids mean ------------------------------------------------------------------------------------------

    def item(self, item: str, cut: int = 120) -> Html:
        """Id and title of a work item."""
        work = self.portfolio.work.get(item)
        title = shorten(work.title, cut) if work else ""
        return join(tag("span", item, class_="id"), " " if title else None, tag("bdi", title) if title else None)

    def project(self, project: str | None) -> str:
        if project is None:
            return "\u2013"
        known = self.portfolio.projects.get(project)
        return shorten(known.title, 60) if known and known.title else project

    def person(self, person: str) -> str:
        known = self.portfolio.people.get(person)
        return shorten(known.name, 60) if known and known.name else person

    def crew(self, item: str) -> str:
        """Names of those who work on a scheduled item."""
        planned = self.plan.items.get(item)
        return ", ".join(dict.fromkeys(self.person(a.person) for a in planned.assignments)) if planned else ""

    def hours(self, item: str) -> float:
        """Person-hours planned on an item."""
        return sum(worked(a.work) * a.allocation for a in self.plan.items[item].assignments)

    def ancestors(self, item: str) -> Iterator[str]:
        """The item and the containers around it, from the inside."""
        seen: set[str] = set()
        at: str | None = item
        while at is not None and at in self.portfolio.work and at not in seen:
            seen.add(at)
            yield at
            at = self.portfolio.work[at].parent

    def project_of(self, item: str) -> str | None:
        return next(filter(None, (self.portfolio.work[i].project for i in self.ancestors(item))), None)

    # --- the work by project, the people and the sets of skills -------------------------------------------------

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Projects, those with the highest cost of delay first, and at the end the work without a project."""
        members: dict[str, list[str]] = defaultdict(list)
        order = sorted(self.plan.items, key=lambda i: (self.plan.items[i].start, self.plan.items[i].finish, i))
        for item in order:
            for key in dict.fromkeys((self.project_of(item), *self.ancestors(item))):
                if key is not None and key in self.plan.projects:
                    members[key].append(item)
        groups = [
            Group(key, self.title(key), tuple(members[key]), project)
            for key, project in self.plan.projects.items()
            if key in self.portfolio.projects or len(members[key]) > 1
        ]
        groups.sort(key=lambda g: (-self.value(g.key or ""), -g.plan.cost, g.key or ""))
        inside = {item for group in groups for item in group.items}
        if rest := tuple(item for item in order if item not in inside):
            spans = [self.plan.items[i] for i in rest]
            whole = ProjectPlan(start=spans[0].start, finish=max(s.finish for s in spans), items=len(rest))
            groups.append(Group(None, "Work without a project", rest, whole))
        return tuple(groups)

    def title(self, key: str) -> str:
        """Of an entry of the plan's projects."""
        return shorten(self.plan.projects[key].title, 60) or self.project(key)

    def value(self, key: str) -> float:
        """What a week of delay of a project, or of an item with costs of its own, costs at most."""
        entry: Project | WorkItem | None = self.portfolio.projects.get(key) or self.portfolio.work.get(key)
        if entry is None:
            return 0.0
        costs = entry.costs or Costs()
        return sum(rate or 0.0 for rate in (entry.cost_of_delay, costs.tardiness, costs.flow))

    @cached_property
    def work_of(self) -> dict[str, list[Job]]:
        """Person to jobs by start; the people of the bottleneck first, then the busiest."""
        found: dict[str, list[Job]] = defaultdict(list)
        for item, planned in self.plan.items.items():
            for a in planned.assignments:
                if a.work:
                    found[a.person].append(Job(item, a.allocation, a.work))
        total = {person: sum(job.hours for job in jobs) for person, jobs in found.items()}
        order = sorted(found, key=lambda p: (p not in self.drum_people, -total[p], p))
        return {person: sorted(found[person], key=lambda job: (job.work[0][0], job.item)) for person in order}

    @cached_property
    def drum_people(self) -> frozenset[str]:
        """Who works at the bottleneck."""
        return frozenset(self.plan.bottleneck.people if self.plan.bottleneck else ())

    @cached_property
    def loads(self) -> tuple[Load, ...]:
        """The bottleneck first, then by weeks of queue; what has no hours at all counts as endless."""

        def rank(load: Load) -> tuple[bool, float, str]:
            queue = float("inf") if load.weeks_of_queue is None else load.weeks_of_queue
            return not self.is_bottleneck(load), -queue, load.name

        return tuple(sorted(self.plan.loads, key=rank))

    def is_bottleneck(self, load: Load) -> bool:
        drum = self.plan.bottleneck
        return drum is not None and (drum.kind, drum.members) == (load.kind, load.members)


def monday(week: str) -> date:
    """First day of an ISO week such as ``2026-W48``."""
    return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)


def worked(pieces: Pieces) -> float:
    """Hours in pieces of work."""
    return sum((b - a).total_seconds() for a, b in pieces) / 3600


def merged(pieces: list[tuple[datetime, datetime]], gap: timedelta) -> list[tuple[datetime, datetime]]:
    """Pieces in order, those less than a gap apart put together."""
    out: list[tuple[datetime, datetime]] = []
    for start, finish in sorted(pieces):
        if out and start - out[-1][1] <= gap:
            out[-1] = out[-1][0], max(finish, out[-1][1])
        else:
            out.append((start, finish))
    return out


def shorten(title: str, most: int) -> str:
    return title if len(title) <= most else title[: most - 1].rstrip() + "\u2026"


def hours(amount: float) -> str:
    return f"{_number(amount, 1)}\u00a0h"


def share(part: float) -> str:
    """``12.3 %``."""
    return f"{part * 100:.1f}".removesuffix(".0") + "\u00a0%"


def queue(weeks: float | None) -> str:
    return "no hours at all" if weeks is None else f"{weeks:,.1f} weeks of queue"


def late(weeks: float) -> str:
    return f"{weeks:,.1f} weeks late" if weeks >= 0.05 else f"{weeks * 7 * 24:,.1f} hours late"


def _number(amount: float, digits: int = 2) -> str:
    """Thousands separators; decimals only on small amounts that have some."""
    if abs(amount) >= 1000 or abs(amount - round(amount)) < 0.5 * 10**-digits:
        return f"{round(amount):,}"
    return f"{amount:,.{digits}f}"
