"""Why an item is planned when it is: what bounds its start, back along the chain, and what its lateness costs."""

from __future__ import annotations

from datetime import datetime
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from throttle.compile import Compiled, compile_portfolio
from throttle.errors import InputError
from throttle.graph import WorkGraph, is_in_progress
from throttle.lift import lower
from throttle.planning import feasible_instance
from throttle.reasons import Cause, Reasons
from throttle_models import Explanation, Finding, Plan, Portfolio, Reason

LONGEST_CHAIN = 12


def explain(plan: Plan, item: str) -> Explanation:
    """The reason why an item (or the last of a project) does not begin earlier, and the chain of reasons behind it.

    Raises InputError where the plan has no such item, or does not carry its portfolio.
    """
    portfolio = plan.portfolio
    if portfolio is None:
        raise _refused(
            "no-portfolio",
            "this plan does not carry its portfolio, which an explanation needs; plan again without --no-portfolio",
        )
    if item in portfolio.projects:
        return _project(plan, portfolio, item)
    if item not in portfolio.work:
        near = get_close_matches(item, portfolio.work, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise _refused("unknown-item", f"there is no work item {item} in this plan{hint}")
    graph = WorkGraph(portfolio)
    zone = ZoneInfo(plan.zone)
    work = portfolio.work[item]
    title = f"{item}: {work.title}" if work.title else item
    if item in plan.done:
        return Explanation(item=item, text=(title, f"It is {work.status.value}: history, not work to plan."))
    if item in plan.containers:
        inside = [i for i in graph.activities_in(item) if i in plan.items]
        last = max(inside, key=lambda i: plan.items[i].finish, default=None)
        if last is None:
            return Explanation(item=item, text=(title, "It has no work of its own, and none in it is in the schedule."))
        text = f"It is done when all it contains is; {last} is the last, {_when(plan.items[last].finish, zone)}."
        return Explanation(item=item, text=(title, text), refs=(last,))
    if item in plan.unscheduled:
        out = plan.unscheduled[item]
        chain = [f"It is not in the schedule: {out.text}."]
        seen = {item}
        while out.reason is Reason.UNSCHEDULED and out.refs[0] not in seen and out.refs[0] in plan.unscheduled:
            seen.add(out.refs[0])
            name, out = out.refs[0], plan.unscheduled[out.refs[0]]
            chain.append(f"{name} is not in the schedule: {out.text}.")
        return Explanation(
            item=item, reason=plan.unscheduled[item].reason, text=(title, *chain), refs=tuple(sorted(seen - {item}))
        )
    return _scheduled(plan, portfolio, graph, item, title, zone)


def _project(plan: Plan, portfolio: Portfolio, project: str) -> Explanation:
    """A project is as late as the last of its work."""
    graph = WorkGraph(portfolio)
    zone = ZoneInfo(plan.zone)
    title = portfolio.projects[project].title
    head = f"{project}: {title}" if title else project
    planned = [i for i in plan.items if graph.project_of(i) == project]
    if not planned:
        return Explanation(item=project, text=(head, "None of its work is in the schedule."))
    last = max(planned, key=lambda i: plan.items[i].finish)
    found = explain(plan, last)
    text = f"Its last work is {last}, finished {_when(plan.items[last].finish, zone)}."
    return Explanation(item=project, reason=found.reason, text=(head, text, *found.text), refs=(last, *found.refs))


def _scheduled(
    plan: Plan, portfolio: Portfolio, graph: WorkGraph, item: str, title: str, zone: ZoneInfo
) -> Explanation:
    compiled, causes = _recompiled(plan, portfolio, graph)
    number = {id: j for j, id in enumerate(compiled.instance.activities)}
    planned = plan.items[item]
    lines = [title, f"Planned from {_when(planned.start, zone)} to {_when(planned.finish, zone)}{_by(plan, item)}."]
    reason: Reason | None = None
    refs: list[str] = []
    at, seen = item, {item}
    for step in range(LONGEST_CHAIN):
        if is_in_progress(portfolio.work[at]):
            lines.append(f"{at} is in progress already.")
            break
        start = compiled.grid.ceil(plan.items[at].start)
        cause = _cause(causes, number[at], start)
        if cause is None:
            lines.append(f"{'Nothing keeps it' if at == item else f'Nothing keeps {at}'} from beginning when it does.")
            break
        if step == 0:
            reason = cause.reason
            refs += cause.refs
        lines.append(
            f"{'It' if at == item else at} does not begin before {_when(plan.items[at].start, zone)}: {cause.text}."
        )
        # a queue of people has no chain to follow: all of it was found more urgent
        links = () if cause.reason is Reason.PEOPLE else cause.refs
        following = [r for r in links if r in plan.items and r not in seen]
        if not following:
            break
        at = following[0]
        seen.add(at)
    lines += _costs(plan, graph, item, zone)
    return Explanation(item=item, reason=reason, text=tuple(lines), refs=tuple(dict.fromkeys(refs)))


def _recompiled(plan: Plan, portfolio: Portfolio, graph: WorkGraph) -> tuple[Compiled, Reasons]:
    compiled = feasible_instance(portfolio, graph)
    last = max((compiled.grid.ceil(i.finish) for i in plan.items.values()), default=0)
    if last > compiled.grid.slots:
        compiled = compile_portfolio(portfolio, graph, last + 1, compiled.unscheduled)
    schedule = lower(compiled, dict(plan.items))
    if schedule is None:
        raise _refused("other-plan", "the plan does not fit the portfolio that it carries; run throttle verify on it")
    return compiled, Reasons(compiled, schedule)


def _cause(causes: Reasons, j: int, start: int) -> Cause | None:
    """Why it does not begin earlier than it does, or None where it begins as soon as its people come to work."""
    if start == 0:
        return None
    cause = causes.why(j, start)
    return None if cause.reason is Reason.CALENDAR else cause


def _by(plan: Plan, item: str) -> str:
    people = dict.fromkeys(a.person for a in plan.items[item].assignments)
    return f" by {', '.join(people)}" if people else ""


def _costs(plan: Plan, graph: WorkGraph, item: str, zone: ZoneInfo) -> list[str]:
    lines = []
    for id in (item, *graph.ancestors(item), graph.project_of(item)):
        entry = plan.projects.get(id) if id is not None else None
        if entry is None or entry.finish is None:
            continue
        late = f", {entry.late_weeks:.1f} weeks after it is due" if entry.late_weeks > 0 else ""
        cost = f", at a cost of {entry.cost:,.0f} {plan.currency}".rstrip() if entry.cost > 0 else ""
        lines.append(f"{id} is finished {_when(entry.finish, zone)}{late}{cost}.")
    return lines


def _when(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M}"


def _refused(code: str, message: str) -> InputError:
    return InputError([Finding(level="error", code=code, message=message)])
