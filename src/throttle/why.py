"""Why an item is planned when it is: what bounds its start, back along the chain, and what its lateness costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from throttle.as_planned import as_planned
from throttle.bottleneck import replayed
from throttle.compile import Compiled
from throttle.errors import InputError
from throttle.explain.binding import Binding
from throttle.explain.late import Part, chain
from throttle.explain.repairs import Repairs, Tried
from throttle.graph import WorkGraph, is_in_progress
from throttle.reasons import Cause, Reasons
from throttle.solve import Settings, Solver
from throttle.wording import plural
from throttle_models import Explanation, Finding, Kept, Plan, Portfolio, Reason, Repair, Waited

LONGEST_CHAIN = 12
REPAIRS = 3
"""Most repairs told."""
LINKS_REPAIRED = 8
"""So many of the last items of a chain are looked at for the cheapest repair."""
SHOWN = 15
"""Most parts of a chain told."""


def explain(plan: Plan, item: str, full: float | None = None) -> Explanation:
    """The reasons why an item (or the last of a project) does not begin earlier, checked, with what could be done.

    Of a project, and of what it is late, the chain of work and waiting that it ends with as well. full: seconds (of
    work) for searching anew with the cheapest repair. Raises InputError where the plan has no such item, or does not
    carry its portfolio.
    """
    if plan.portfolio is None:
        raise _refused(
            "no-portfolio",
            "this plan does not carry its portfolio, which an explanation needs; plan again without --no-portfolio",
        )
    portfolio = as_planned(plan, plan.portfolio)
    if item in portfolio.projects:
        return _project(plan, portfolio, item, full)
    if item not in portfolio.work:
        near = get_close_matches(item, portfolio.work, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise _refused("unknown-item", f"there is no work item {item} in this plan{hint}")
    graph = WorkGraph(portfolio)
    zone = ZoneInfo(plan.zone)
    work = portfolio.work[item]
    title = f"{item}: {work.title}" if work.title else item
    if item in plan.inserted:
        about = plan.inserted[item]
        title += f" ({about.side or 'for'} {about.of}, because of {', '.join(about.names) or about.kind})"
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
        while (
            out.reason is Reason.UNSCHEDULED
            and out.refs
            and out.refs[0] not in seen
            and out.refs[0] in plan.unscheduled
        ):
            seen.add(out.refs[0])
            name, out = out.refs[0], plan.unscheduled[out.refs[0]]
            chain.append(f"{name} is not in the schedule: {out.text}.")
        return Explanation(
            item=item, reason=plan.unscheduled[item].reason, text=(title, *chain), refs=tuple(sorted(seen - {item}))
        )
    return _scheduled(plan, portfolio, graph, item, title, zone, full)


def _project(plan: Plan, portfolio: Portfolio, project: str, full: float | None) -> Explanation:
    """A project is as late as the last of its work, and that as the chain behind it."""
    graph = WorkGraph(portfolio)
    zone = ZoneInfo(plan.zone)
    title = portfolio.projects[project].title
    head = f"{project}: {title}" if title else project
    inside = [i for i in plan.items if graph.project_of(i) == project]
    # preparing a window serves all its changes, and may be behind the last of them
    planned = [i for i in inside if i not in plan.inserted or plan.inserted[i].kind != "overhead"] or inside
    left = [i for i in plan.unscheduled if graph.project_of(i) == project]
    missing = [f"{i} is not in the schedule: {plan.unscheduled[i].text}." for i in left[:SHOWN]]
    if len(left) > SHOWN:
        missing.append(f"Nor are {len(left) - SHOWN} others.")
    if not planned:
        return Explanation(
            item=project, text=(head, "None of its work is in the schedule.", *missing), refs=tuple(left)
        )
    last = max(planned, key=lambda i: plan.items[i].finish)
    done = (
        "Its last work"
        if not left
        else f"It is not finished in this plan, as {plural(len(left), 'item is', 'items are')}"
    )
    done += "" if not left else " left out; the last that is planned"
    lines = [head, *missing, f"{done} is {last}, finished {_when(plan.items[last].finish, zone)}."]
    _, causes = _replayed(plan, portfolio)
    parts = chain(causes, causes.instance.activities.index(last))
    waited = [_waited(causes, part) for part in parts]
    hours: dict[str, float] = {}
    for part in waited:
        hours[part.cause] = round(hours.get(part.cause, 0.0) + part.hours, 4)
    hours = dict(sorted(hours.items(), key=lambda entry: -entry[1]))
    told = ", ".join(f"{amount:,.4g} h {cause}" for cause, amount in hours.items())
    lines.append(f"From now to then: {told}.")
    lines += [f"  {_when(w.start, zone)} to {_when(w.finish, zone)}  {w.item}: {w.cause}" for w in waited[:SHOWN]]
    if len(waited) > SHOWN:
        lines.append(f"  and {len(waited) - SHOWN} parts before that")
    repairs, told_repairs = _cheapest(plan, causes, list(dict.fromkeys(p.activity for p in parts)), zone, full)
    lines += told_repairs
    found = explain(plan, last)
    return Explanation(
        item=project,
        reason=found.reason,
        text=(*lines, *found.text),
        refs=tuple(dict.fromkeys((last, *found.refs, *left))),
        kept=found.kept,
        together=found.together,
        checked=found.checked,
        repairs=repairs,
        late=tuple(waited),
        hours=hours,
    )


def _waited(causes: Reasons, part: Part) -> Waited:
    grid = causes.compiled.grid
    return Waited(
        item=causes.instance.activities[part.activity],
        start=grid.instant(part.first),
        finish=grid.instant(part.last),
        cause=part.cause,
        hours=round(part.slots * grid.weeks * 168, 4),
    )


def _cheapest(
    plan: Plan, causes: Reasons, chained: list[int], zone: ZoneInfo, full: float | None
) -> tuple[tuple[Repair, ...], list[str]]:
    """The repairs of the last items of a chain that have reasons, those that cost the plan least first."""
    tried: list[tuple[Tried, str]] = []
    repairs = Repairs(causes)
    for j in chained[:LINKS_REPAIRED]:
        name = causes.instance.activities[j]
        if name and causes.schedule.start[j] > 0 and not causes.a.exempt[j]:
            tried += [(one, name) for one in repairs.of(j, causes.binding(j))]
    tried.sort(key=lambda one: one[0].cost)
    best = tried[:REPAIRS]
    return _repairs(plan, causes, best, zone, full)


def _repairs(
    plan: Plan, causes: Reasons, tried: Sequence[tuple[Tried, str]], zone: ZoneInfo, full: float | None
) -> tuple[tuple[Repair, ...], list[str]]:
    found, lines = [], []
    for k, (one, name) in enumerate(tried):
        start = causes.compiled.grid.instant(one.start)
        objective = _resolved(one, full) if full is not None and k == 0 else None
        about = f"{name}: {one.text}" if name else one.text
        found.append(Repair(text=about, start=start, cost=round(one.cost, 6), objective=objective))
        money = f"{abs(one.cost):,.0f} {plan.currency}".rstrip() + (" less" if one.cost <= -0.5 else " more")
        money = "no more than now" if abs(one.cost) < 0.5 else money
        line = f"{'Repair' if k == 0 else 'Or'}: {about}; it then begins {_when(start, zone)}, "
        line += f"and the plan costs {money}"
        if objective is not None:
            line += f" ({objective:,.0f} after a search, {plan.certificate.objective.value:,.0f} now)"
        lines.append(f"{line}.")
    return tuple(found), lines


def _resolved(one: Tried, seconds: float) -> float:
    """The objective of a search with a repair."""
    best = Solver(one.instance, Settings(budget=seconds, deterministic=True), one.schedule).solve().best
    return min(one.schedule.cost, best.cost) if best else one.schedule.cost


def _scheduled(
    plan: Plan, portfolio: Portfolio, graph: WorkGraph, item: str, title: str, zone: ZoneInfo, full: float | None
) -> Explanation:
    compiled, causes = _replayed(plan, portfolio)
    number = {id: j for j, id in enumerate(compiled.instance.activities)}
    planned = plan.items[item]
    lines = [title, f"Planned from {_when(planned.start, zone)} to {_when(planned.finish, zone)}{_by(plan, item)}."]
    late = {hold.item: hold.text for hold in plan.holds if hold.reason is Reason.LATE}
    at, seen = item, {item}
    first: Cause | None = None
    kept: tuple[Kept, ...] = ()
    repairs: tuple[Repair, ...] = ()
    together = checked = False
    for step in range(LONGEST_CHAIN):
        if is_in_progress(portfolio.work[at]):
            lines.append(f"{at} is in progress already.")
            break
        cause = _cause(causes, number[at])
        if cause is not None and cause.reason is Reason.ORDER and at in late:
            cause = Cause(Reason.LATE, late[at])
        if cause is None:
            lines.append(f"{'Nothing keeps it' if at == item else f'Nothing keeps {at}'} from beginning when it does.")
            break
        lines.append(
            f"{'It' if at == item else at} does not begin before {_when(plan.items[at].start, zone)}: {cause.text}."
        )
        if step == 0:
            first, found = cause, causes.binding(number[item])
            kept, together, checked = _kept(causes, number[item], found), not found.alone, not found.free
            lines += _told(kept, together, zone)
            tried = Repairs(causes).of(number[item], found) if found.rules else []
            repairs, more = _repairs(plan, causes, [(one, "") for one in tried[:REPAIRS]], zone, full)
            lines += more
        # a queue of people has no chain to follow: all of it was found more urgent
        links = () if cause.reason in (Reason.PEOPLE, Reason.WIP, Reason.ROPE) else cause.refs
        following = [r for r in links if r in plan.items and r not in seen]
        if not following:
            break
        at = following[0]
        seen.add(at)
    lines += _costs(plan, graph, item, zone)
    refs = tuple(dict.fromkeys(first.refs)) if first else ()
    return Explanation(
        item=item,
        reason=first.reason if first else None,
        text=tuple(lines),
        refs=refs,
        kept=kept,
        together=together,
        checked=checked,
        repairs=repairs,
    )


def _kept(causes: Reasons, j: int, found: Binding) -> tuple[Kept, ...]:
    entries: list[Kept] = []
    for rule, at in zip(found.rules, () if found.free else found.starts, strict=True):
        cause = causes.cause(j, rule, at)
        entries.append(
            Kept(reason=cause.reason, text=cause.text, refs=cause.refs, start=causes.compiled.grid.instant(at))
        )
    return tuple(entries)


def _told(kept: Sequence[Kept], together: bool, zone: ZoneInfo) -> list[str]:
    """What was checked."""
    if not kept:
        return []
    when = _when(kept[0].start, zone)
    if together:
        return [f"Checked: only without all of these it begins earlier, {when}."]
    lines = [f"Checked: without that, and all else as it is, it begins {when}."]
    return lines + [f"So it does without this, {_when(k.start, zone)}: {k.text}." for k in kept[1:]]


def _replayed(plan: Plan, portfolio: Portfolio) -> tuple[Compiled, Reasons]:
    compiled, schedule = replayed(plan, portfolio)
    return compiled, Reasons(compiled, schedule)


def _cause(causes: Reasons, j: int) -> Cause | None:
    """Why it does not begin earlier than it does, or None where it begins as soon as its people come to work."""
    if causes.schedule.start[j] == 0:
        return None
    cause = causes.why(j)
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
