"""What the plan tells its readers: lists, weeks, figures and the certificate, against the schedule itself."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from throttle.check.clock import iso_week
from throttle.check.facts import Facts
from throttle.check.kinds import Violations, clock_text, seconds
from throttle.check.money import Extent, Money, delay_rate
from throttle.check.schedule import Schedule
from throttle_models import Goal, Hold, PlanStatus, Project, ProjectPlan, Reason, Release, Unscheduled, WorkItem

RELATIVE = 1e-6
"""What a gap, or a value against its bound, may be off by, as a share of the value."""
SUMMED = 1e-9
"""What a sum may be off by, as a share of it."""
HOURS = 1e-4
"""What hours may be off by: they are told to four decimals."""
FIGURES = 1e-6
"""What lateness and money may be off by: they are told to six decimals."""

K = TypeVar("K", float, str)

LEFT_OUT = (
    Reason.NO_HOLDER,
    Reason.NO_COMMON_TIME,
    Reason.NO_WINDOW,
    Reason.NO_CAPACITY,
    Reason.EXTERNAL,
    Reason.UNSCHEDULED,
    Reason.STATUS,
    Reason.ON_HOLD,
    Reason.BEYOND,
)
"""Reasons for not being in the schedule at all; the others are for not beginning this week."""


def accounts(schedule: Schedule, violations: Violations) -> None:
    """Every work item is in exactly one list, the right one."""
    plan, facts = schedule.plan, schedule.facts
    lists = {
        "items": list(plan.items),
        "unscheduled": list(plan.unscheduled),
        "done": list(plan.done),
        "containers": list(plan.containers),
    }
    where: dict[str, list[str]] = defaultdict(list)
    for title, names in lists.items():
        for name in names:
            where[name].append(title)
    for name, titles in where.items():
        if name not in facts.work:
            violations.add("unknown-item", [name], f"{name}, in {titles[0]}, is not in the portfolio")
        elif len(titles) > 1:
            violations.add("double-item", [name], f"{name} is in {' and '.join(titles)}", amount=len(titles) - 1)
    for name in facts.work:
        right = (
            ("done",)
            if name in facts.history
            else ("containers",)
            if name in facts.containers
            else ("items", "unscheduled")
        )
        wrong = [title for title in where[name] if title not in right]
        if not where[name]:
            violations.add("missing-item", [name], f"{name} is not in the plan; it belongs in {' or '.join(right)}")
        elif wrong:
            violations.add("wrong-list", [name], f"{name} is in {wrong[0]}; it belongs in {' or '.join(right)}")


def this_week(schedule: Schedule, violations: Violations) -> None:
    """Every open activity has begun before as-of, or is released in the week of as-of, or is held."""
    plan, facts = schedule.plan, schedule.facts
    now = first_week(facts)
    if plan.week != now:
        violations.add("header", ["week"], f"the week to let work into is {now}; the plan says {plan.week}")
    open_now = {
        name
        for name, item in schedule.items.items()
        if not facts.begun(name) and facts.clock.week(seconds(item.start)) <= now
    }
    held = {name for name in facts.activities if name not in open_now and not facts.begun(name)}
    _listed("release-list", [r.item for r in plan.releases], open_now, f"begins by the end of week {now}", violations)
    _listed("hold-list", [h.item for h in plan.holds], held, f"does not begin by the end of week {now}", violations)
    for kind, listed in (("release-list", plan.releases), ("hold-list", plan.holds)):
        for entry in listed:
            _entry(facts, kind, entry, violations)
        _in_order(kind.removesuffix("-list") + "s", [-entry.value for entry in listed], violations)
    reasons: list[tuple[str, Hold | Unscheduled]] = [(h.item, h) for h in plan.holds]
    for name, why in [*reasons, *plan.unscheduled.items()]:
        _reason(facts, name, why, violations)
    for release in plan.releases:
        item = schedule.items.get(release.item)
        if item is not None and seconds(release.start) != seconds(item.start):
            message = f"{release.item} is released for {clock_text(seconds(release.start))}, which is not its start"
            violations.add("release-list", [release.item], message, seconds(release.start))
    for hold in plan.holds:
        item, left = schedule.items.get(hold.item), plan.unscheduled.get(hold.item)
        until = None if hold.until is None else seconds(hold.until)
        if until != (None if item is None else seconds(item.start)):
            message = f"{hold.item} is held until another moment than its start"
            violations.add("hold-list", [hold.item], message, until)
        if left is not None and hold.reason is not left.reason:
            message = f"{hold.item} is held because of {hold.reason} and left out because of {left.reason}"
            violations.add("hold-list", [hold.item], message)
        if left is None and item is not None and hold.reason in LEFT_OUT:
            message = f"{hold.item} is scheduled; {hold.reason} is a reason for leaving out"
            violations.add("hold-list", [hold.item], message)


def _listed(kind: str, listed: list[str], right: set[str], what: str, violations: Violations) -> None:
    for name, count in Counter(listed).items():
        if count > 1:
            violations.add(kind, [name], f"{name} is listed {count} times", amount=count - 1)
        if name not in right:
            violations.add(kind, [name], f"{name} is listed, and it is not open work that {what}")
    for name in sorted(right - set(listed)):
        violations.add(kind, [name], f"{name} {what} and is not listed")


def _entry(facts: Facts, kind: str, entry: Release | Hold, violations: Violations) -> None:
    """The project and the value of what is released or held."""
    name = entry.item
    if name not in facts.work:
        return
    project = facts.project_of[name]
    if entry.project != project:
        violations.add(kind, [name], f"{name} is listed under {entry.project}; its project is {project}")
    above: list[WorkItem | Project] = [facts.work[n] for n in (name, *facts.ancestors(name))]
    if project is not None:
        above.append(facts.portfolio.projects[project])
    value = sum(delay_rate(entity) for entity in above)
    if not math.isclose(entry.value, value, rel_tol=SUMMED, abs_tol=FIGURES):
        message = f"the value of {name} is {value:.9g} a week; the plan says {entry.value:.9g}"
        violations.add("value", [name], message, amount=entry.value - value)


def _reason(facts: Facts, name: str, why: Hold | Unscheduled, violations: Violations) -> None:
    """The words of a reason are only there; what it refers to exists."""
    if not why.text.strip():
        violations.add("no-text", [name], f"{name} has a reason, {why.reason}, and no words for it")
    wrong = [ref for ref, count in Counter(why.refs).items() if count > 1 or ref not in facts.known]
    if wrong:
        message = f"the reason of {name} refers to {', '.join(wrong)}: not in the portfolio, or more than once"
        violations.add("unknown-reference", [name, *wrong], message)


def _in_order(listing: str, keys: Sequence[K], violations: Violations) -> None:
    """Keys never fall; equal ones are in any order."""
    wrong = next((i for i in range(1, len(keys)) if keys[i] < keys[i - 1]), None)
    if wrong is not None:
        message = f"the {listing} are not in order: number {wrong + 1} belongs before number {wrong}"
        violations.add("list-order", [listing], message)


def first_week(facts: Facts) -> str:
    """The week of the first slot in which anyone is at work; that of as-of where nobody is within 60 days."""
    as_of, day = facts.clock.as_of, 86400 // facts.clock.slot
    for days in (7, 60):
        spans = [facts.person_time(p).spans(as_of, as_of + days * day) for p in facts.portfolio.people]
        firsts = [s[0][0] for s in spans if s]
        if firsts:
            return facts.clock.week(min(firsts) * facts.clock.slot)
    return facts.clock.week(as_of * facts.clock.slot)


def weeks(schedule: Schedule, violations: Violations) -> None:
    """Hours per person, local day (portfolio's zone) and item; an hour at 50 % counts half."""
    plan, facts = schedule.plan, schedule.facts
    right: defaultdict[tuple[str, str, date, str], float] = defaultdict(float)
    for name, item in plan.items.items():
        for assigned in item.assignments:
            for start, finish in assigned.work:
                for day, hours in _by_day(facts, seconds(start), seconds(finish)):
                    right[iso_week(day), assigned.person, day, name] += hours * assigned.allocation
    told: defaultdict[tuple[str, str, date, str], float] = defaultdict(float)
    for week in plan.weeks:
        for person, days in week.people.items():
            for day, items in days.items():
                for name, hours in items.items():
                    told[week.week, person, day, name] += hours
    _in_order("weeks", [week.week for week in plan.weeks], violations)
    for key in sorted(right.keys() | told.keys()):
        if not abs(told[key] - right[key]) <= HOURS:
            week_name, person, day, name = key
            message = f"{person} works {right[key]:.4f} h on {name} on {day}; week {week_name} says {told[key]:.4f} h"
            at = datetime.combine(day, time(), facts.clock.zone).timestamp()
            violations.add("week-hours", [person, name], message, at, told[key] - right[key])
    for what, moments in (
        ("starts", {n: i.start for n, i in plan.items.items()}),
        ("finishes", {n: i.finish for n, i in plan.items.items()}),
    ):
        expected = Counter((facts.clock.week(seconds(m)), n) for n, m in moments.items())
        listed = Counter((week.week, n) for week in plan.weeks for n in getattr(week, what))
        for week_name, name in sorted(expected.keys() | listed.keys()):
            off = listed[week_name, name] - expected[week_name, name]
            if off:
                message = f"{name} is {'not ' if off < 0 else 'wrongly '}among the {what} of week {week_name}"
                violations.add("week-items", [name], message, amount=off)
    for week_name, count in Counter(week.week for week in plan.weeks).items():
        if count > 1:
            violations.add("week-items", [week_name], f"week {week_name} is there {count} times", amount=count - 1)


def _by_day(facts: Facts, start: float, finish: float) -> Iterator[tuple[date, float]]:
    """Local days and hours of a piece of work."""
    while start < finish:
        day = facts.clock.local_day(start)
        midnight = datetime.combine(day + timedelta(days=1), time(), facts.clock.zone).timestamp()
        until = min(finish, midnight)
        yield day, (until - start) / 3600
        start = until


def projects(schedule: Schedule, money: Money, violations: Violations) -> None:
    """Figures of projects, and of items with a cost or due date of their own, as far as there is open work in them."""
    plan, facts = schedule.plan, schedule.facts
    known: dict[str, tuple[WorkItem | Project, Extent | None, tuple[str, ...]]] = {}
    for name, item in facts.work.items():
        if name not in facts.history and (money.has_rates(item) or item.due is not None):
            known[name] = item, money.of_item(name), facts.members.get(name, (name,))
    for name, project in facts.portfolio.projects.items():
        known[name] = project, money.of_project(name), facts.activities_of[name]
    for name in sorted(known.keys() | plan.projects.keys()):
        if name not in known:
            message = f"{name} is among the plan's projects: neither a project nor an open item with a cost or due date"
            violations.add("project-figures", [name], message)
        elif name in plan.projects:
            _figures(schedule, money, name, plan.projects[name], *known[name], violations)
        elif known[name][2]:
            message = f"{name} has figures of its own, and is not among the plan's projects"
            violations.add("project-figures", [name], message)


def _figures(
    schedule: Schedule,
    money: Money,
    name: str,
    told: ProjectPlan,
    entity: WorkItem | Project,
    at: Extent | None,
    activities: tuple[str, ...],
    violations: Violations,
) -> None:
    out = sum(n not in schedule.items for n in activities)
    finish = at.finish if at is not None and not out else None
    due = money.due(entity)
    moments = {
        "start": (told.start, None if at is None else at.start),
        "finish": (told.finish, finish),
        "due": (told.due, due),
    }
    for field, (given, right) in moments.items():
        value = None if given is None else seconds(given)
        if value != right:
            says = "none" if value is None else clock_text(value)
            is_ = "none" if right is None else clock_text(right)
            off = None if value is None or right is None else (value - right) / 3600
            violations.add(
                "project-figures", [name], f"the {field} of {name} is {is_}; the plan says {says}", value, off
            )
    if told.title != entity.title:
        violations.add("project-figures", [name], f"the title of {name} is not the portfolio's")
    numbers: dict[str, tuple[float, float]] = {
        "lateness in weeks": (told.late_weeks, money.late(entity, at)),
        "cost": (told.cost, money.cost(entity, at)),
        "number of items": (told.items, len(activities)),
        "number of unscheduled items": (told.unscheduled, out),
    }
    for field, (number, exact) in numbers.items():
        if not math.isclose(number, exact, rel_tol=SUMMED, abs_tol=FIGURES):
            message = f"the {field} of {name} is {exact:.9g}; the plan says {number:.9g}"
            violations.add("project-figures", [name], message, amount=number - exact)


def certificate(schedule: Schedule, money: Money, violations: Violations) -> None:
    plan = schedule.plan
    told = plan.certificate
    for kind, goal, exact in (
        ("objective-value", told.objective, money.objective),
        ("flow-value", told.flow, money.flow),
    ):
        if not math.isclose(goal.value, exact, rel_tol=SUMMED, abs_tol=FIGURES):
            message = f"{goal.name} is {exact:.9g} as recomputed; the certificate says {goal.value:.9g}"
            violations.add(kind, [], message, amount=goal.value - exact)
        _goal(goal, violations)
    for goal, name in ((told.objective, "cost of delay"), (told.flow, "weighted flow")):
        if goal.name != name:
            violations.add("status", [], f"a goal of the certificate is called {goal.name}; it is the {name}")
    if told.seed < 0:
        violations.add("seed", [], f"a seed is 0 or more; the certificate says {told.seed}")
    if (told.status is PlanStatus.OPTIMAL) != told.objective.proved:
        violations.add("proof", [], "a plan is called optimal if its objective is proved, and only then")
    if told.status not in (PlanStatus.OPTIMAL, PlanStatus.FEASIBLE):
        violations.add("status", [], f"a plan is optimal or feasible; the certificate says {told.status}")
    best = told.objective
    if best.value > best.greedy and not math.isclose(best.value, best.greedy, rel_tol=RELATIVE, abs_tol=RELATIVE):
        message = f"the objective is {best.value:.9g}; the greedy baseline has {best.greedy:.9g}"
        violations.add("worse-than-greedy", [], message, amount=best.value - best.greedy)
    counts: dict[str, tuple[int, int]] = {
        "items": (told.items, len(plan.items) + len(plan.unscheduled)),
        "scheduled": (told.scheduled, len(plan.items)),
        "unscheduled": (told.unscheduled, len(plan.unscheduled)),
        "done": (told.done, len(plan.done)),
    }
    for field, (count, actual) in counts.items():
        if count != actual:
            message = f"the certificate counts {count} {field}; the plan has {actual}"
            violations.add("counts", [], message, amount=count - actual)
    if told.checked and told.violations:
        message = f"the certificate says that no violation was found, and counts {told.violations}"
        violations.add("counts", [], message, amount=told.violations)


def _goal(goal: Goal, violations: Violations) -> None:
    slack = RELATIVE * max(1.0, abs(goal.value))
    if goal.bound > goal.value + slack:
        message = f"the bound of {goal.name}, {goal.bound:.9g}, is above its value, {goal.value:.9g}"
        violations.add("bound", [], message, amount=goal.bound - goal.value)
    for what, value in (("first come, first served", goal.first_come), ("greedy", goal.greedy)):
        if not value >= max(0.0, goal.bound - slack):
            message = f"{goal.name} of {what} is {value:.9g}, and no plan has less than {max(0.0, goal.bound):.9g}"
            violations.add("baseline", [], message, amount=value - goal.bound)
    gap = (goal.value - goal.bound) / goal.value if goal.value else 0.0
    if not math.isclose(goal.gap, gap, rel_tol=RELATIVE, abs_tol=RELATIVE):
        message = f"the gap of {goal.name} is {gap:.6g}; the certificate says {goal.gap:.6g}"
        violations.add("gap", [], message, amount=goal.gap - gap)
    if goal.proved and goal.value - goal.bound > slack:
        message = f"{goal.name} is called proved; its bound is {goal.value - goal.bound:.6g} below its value"
        violations.add("proof", [], message, amount=goal.value - goal.bound)
