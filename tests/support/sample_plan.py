"""A portfolio and a plan of it without the solver, for tests of what is shown: everyone takes the oldest free work.

The numbers hang together (starts, hours, weeks, costs), but the bounds and baselines of the certificate are invented.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from throttle_models import (
    Assignment,
    Assumption,
    Certificate,
    Change,
    Finding,
    Goal,
    Hold,
    Load,
    Need,
    Person,
    Plan,
    PlannedItem,
    PlanStatus,
    Portfolio,
    Project,
    ProjectPlan,
    Reason,
    Release,
    Unscheduled,
    Week,
    Window,
    WorkItem,
    WorkType,
)

ZONE = ZoneInfo("America/Chicago")
AS_OF = datetime(2026, 11, 23, 8, tzinfo=ZONE)
_HOUR = timedelta(hours=1)
_SKILLS = ("oracle", "linux", "java", "qa", "networking")
_VERBS = ("Move", "Document", "Patch", "Test", "Replace", "Automate", "Review", "Tune", "Monitor", "Retire")
_THINGS = ("order schema", "deploy scripts", "key rotation", "payroll batch", "SAN firmware", "price feed", "audit log",
           "inventory page", "load balancer", "backup job")  # fmt: skip


def sample_portfolio(items: int = 60, people: int = 8, projects: int = 5, seed: int = 7) -> Portfolio:
    """Work on projects, some changes with a window, some work without a project, one container, some history.

    One person (p0) alone holds oracle, which a third of the work needs.
    """
    random = Random(seed)
    staff = {
        f"p{i}": Person(
            name=f"Person {i} Example",
            team="ops" if i % 2 else "dev",
            skills={"oracle": 3, "linux": 2} if i == 0 else {_SKILLS[1 + i % 4]: 1 + i % 3, "linux": 1},
            away=("2026-12-24/2027-01-02",) if i == 2 else (),
        )
        for i in range(people)
    }
    work: dict[str, WorkItem] = {"EPIC-1": WorkItem(title="A container", project="prj0")}
    for i in range(items):
        is_change = i % 12 == 5
        skill = "oracle" if i % 3 == 0 else _SKILLS[1 + i % 4]
        if not any(skill in p.skills for p in staff.values()):
            skill = "linux"
        work[f"W-{i}"] = WorkItem(
            title=f"{random.choice(_VERBS)} the {random.choice(_THINGS)}",
            type=WorkType.CHANGE if is_change else WorkType.PROJECT,
            project=None if i % 9 == 8 else f"prj{i % projects}",
            parent="EPIC-1" if i % projects == 0 and i % 9 != 8 else None,
            needs=(Need(skill=skill, effort="3h" if is_change else f"{4 * random.randint(1, 8)}h"),),
            after=(f"W-{i - 2 * projects}",) if i >= 2 * projects and i % 4 == 0 else (),
            status="done" if i % 20 == 19 else "open",
            change=Change(services=("payroll",), risk=4, window="thursday-night") if is_change else None,
        )
    work["WAIT-1"] = WorkItem(title="Delivery of disks", project="prj0", wait="2d")
    work["X-1"] = WorkItem(title="Nobody can do this", needs=(Need(skill="cobol", effort="8h"),))
    return Portfolio(
        as_of=AS_OF,
        zone="America/Chicago",
        currency="USD",
        people=staff,
        services={"payroll": {}},
        windows={"thursday-night": Window(every="Thu 18:00-23:00", changes=3)},
        projects={
            f"prj{i}": Project(
                title=f"Project number {i}",
                cost_of_delay=f"{1000 * (projects - i)}/week",
                due=AS_OF + timedelta(weeks=3 + 2 * (i % 12)) if i % 3 != 2 else None,
            )
            for i in range(projects)
        },
        work=work,
    )


def sample_plan(portfolio: Portfolio) -> Plan:
    """First come, first served: each item, in the file's order, as soon as its predecessor and a holder are free."""
    free = dict.fromkeys(portfolio.people, AS_OF)
    holders: dict[str | None, list[str]] = defaultdict(list)
    for person, facts in portfolio.people.items():
        for skill in facts.skills:
            holders[skill].append(person)
    planned: dict[str, PlannedItem] = {}
    for key, item in portfolio.work.items():
        if item.wait is not None:
            planned[key] = PlannedItem(start=AS_OF.astimezone(UTC), finish=(AS_OF + item.wait).astimezone(UTC))
        if item.status != "open" or not item.needs or not holders[item.needs[0].skill]:
            continue
        need = item.needs[0]
        person = min(holders[need.skill], key=lambda p: (free[p], p))
        ready = max([free[person], *(planned[link.item].finish for link in item.after if link.item in planned)])
        assert need.effort is not None
        if item.change and item.change.window:
            thursday = _thursday_after(ready)
            window = thursday, thursday + 5 * _HOUR
            work = [(thursday, thursday + need.effort.mean)]
        else:
            window, work = None, _office_hours(ready, need.effort.mean)
            free[person] = work[-1][1]
        pieces = tuple((a.astimezone(UTC), b.astimezone(UTC)) for a, b in work)
        planned[key] = PlannedItem(
            start=pieces[0][0],
            finish=pieces[-1][1],
            assignments=(Assignment(person=person, need=0, allocation=1.0, work=pieces),),
            window=window,
        )
    return _around(portfolio, planned)


def _office_hours(ready: datetime, effort: timedelta) -> list[tuple[datetime, datetime]]:
    day, left, work = ready.astimezone(ZONE).date(), effort, []
    while left:
        for first, last in ((9, 12), (13, 17)):
            start = max(datetime.combine(day, time(first), ZONE), ready)
            end = min(datetime.combine(day, time(last), ZONE), start + left)
            if day.weekday() < 5 and end > start and left:
                work.append((start, end))
                left -= end - start
        day += timedelta(days=1)
    return work


def _thursday_after(ready: datetime) -> datetime:
    day = ready.astimezone(ZONE).date()
    day += timedelta(days=(3 - day.weekday()) % 7 or 7)
    return datetime.combine(day, time(18), ZONE)


def _around(portfolio: Portfolio, planned: dict[str, PlannedItem]) -> Plan:
    """All else of a plan, derived from starts and finishes."""
    rate = {key: project.cost_of_delay or 0.0 for key, project in portfolio.projects.items()}
    value = {key: rate.get(portfolio.work[key].project or "", 0.0) for key in planned}
    end_of_week = datetime(2026, 11, 30, tzinfo=ZONE)
    reasons = (Reason.PEOPLE, Reason.PREDECESSOR, Reason.WIP)
    releases = [
        Release(item=k, project=portfolio.work[k].project, start=p.start, value=value[k])
        for k, p in planned.items()
        if p.start < end_of_week
    ]
    holds = [
        Hold(item=k, project=portfolio.work[k].project, value=value[k], until=p.start,
             reason=Reason.WINDOW if p.window else reasons[i % 3], refs=("p0",),
             text=f"Person {i % 8} is on more valuable work until then")
        for i, (k, p) in enumerate(planned.items())
        if p.start >= end_of_week
    ]  # fmt: skip
    unscheduled = {"X-1": Unscheduled(reason=Reason.NO_HOLDER, text="Nobody holds cobol.", refs=("cobol",))}
    projects = {}
    for key, project in portfolio.projects.items():
        mine = [p for k, p in planned.items() if portfolio.work[k].project == key]
        if not mine:
            continue
        finish = max(p.finish for p in mine)
        due = project.due.resolve(AS_OF, ZONE, end_of_day=True) if project.due else None
        weeks = max(0.0, (finish - (due or AS_OF)) / timedelta(weeks=1))
        projects[key] = ProjectPlan(
            title=project.title, start=min(p.start for p in mine), finish=finish, promise=finish + timedelta(days=3),
            due=due, late_weeks=weeks if due else 0.0, cost=weeks * rate[key], items=len(mine),
        )  # fmt: skip
    loads = _loads(portfolio, planned)
    cost = sum(p.cost for p in projects.values())
    flow = sum(rate[k] * (((p.finish or AS_OF) - AS_OF) / timedelta(weeks=1)) for k, p in projects.items())
    done = tuple(k for k, item in portfolio.work.items() if item.status == "done")
    return Plan(
        as_of=AS_OF,
        zone=portfolio.zone,
        slot="30m",
        week="2026-W48",
        horizon=AS_OF + timedelta(weeks=208),
        currency=portfolio.currency,
        items=planned,
        unscheduled=unscheduled,
        done=done,
        containers=("EPIC-1",),
        releases=tuple(sorted(releases, key=lambda r: -r.value)),
        holds=tuple(sorted(holds, key=lambda h: -h.value)),
        projects=projects,
        bottleneck=max(loads, key=lambda load: load.weeks_of_queue or 0.0),
        loads=loads,
        weeks=_weeks(planned),
        certificate=Certificate(
            status=PlanStatus.FEASIBLE,
            objective=_goal("cost", cost),
            flow=_goal("flow", flow),
            checked=True,
            violations=0,
            items=len(planned) + len(unscheduled),
            scheduled=len(planned),
            unscheduled=len(unscheduled),
            done=len(done),
            seed=1,
            deterministic=True,
            input_hash="0" * 60 + "cafe",
            versions={"throttle": "0.1.0", "ortools": "9.14"},
            method="first come, first served (sample)",
            data_quality=(Finding(level="warning", code="no-estimate", message="W-3 has no estimate.", ids=("W-3",)),),
        ),
        findings=(Finding(level="info", code="zone", message="No time zone was named: UTC is taken.", path="zone"),),
        assumptions=(
            Assumption(about="effort", value="16h", why="the export has no estimates", count=41,
                       override="effort: in the team file"),
        ),
    )  # fmt: skip


def _goal(name: str, value: float) -> Goal:
    return Goal(name=name, value=value, bound=value * 0.8, gap=0.2, proved=False, first_come=value * 1.5,
                greedy=value * 1.1)  # fmt: skip


def _days(planned: dict[str, PlannedItem]) -> list[tuple[str, str, date, float]]:
    """(person, item, local day, hours)."""
    return [
        (a.person, key, start.astimezone(ZONE).date(), (end - start) / _HOUR)
        for key, item in planned.items()
        for a in item.assignments
        for start, end in a.work
    ]


def _week_of(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def _weeks(planned: dict[str, PlannedItem]) -> tuple[Week, ...]:
    people: dict[str, dict[str, dict[date, dict[str, float]]]]
    people = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
    starts, finishes = defaultdict(list), defaultdict(list)
    for person, item, day, hours in _days(planned):
        jobs = people[_week_of(day)][person][day]
        jobs[item] = jobs.get(item, 0.0) + hours
    for key, p in planned.items():
        starts[_week_of(p.start.astimezone(ZONE).date())].append(key)
        finishes[_week_of(p.finish.astimezone(ZONE).date())].append(key)
    return tuple(
        Week(week=week, people=people[week], starts=tuple(starts[week]), finishes=tuple(finishes[week]))
        for week in sorted(people)
    )


def _loads(portfolio: Portfolio, planned: dict[str, PlannedItem]) -> tuple[Load, ...]:
    hours: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for person, _, day, amount in _days(planned):
        hours[person][_week_of(day)] += amount
    weeks = sorted({week for mine in hours.values() for week in mine})
    loads = []
    for skill in _SKILLS:
        people = tuple(p for p, facts in portfolio.people.items() if skill in facts.skills)
        work = sum(
            n.effort.mean / _HOUR for k in planned for n in portfolio.work[k].needs if n.skill == skill and n.effort
        )
        if people and work:
            by_week = {w: (sum(hours[p].get(w, 0.0) for p in people), 35.0 * len(people)) for w in weeks}
            loads.append(Load(name=skill, kind="skills", members=(f"{skill}>=1",), people=people, work_hours=work,
                              weeks_of_queue=work / (35.0 * len(people)), by_week=by_week))  # fmt: skip
    return tuple(loads)
