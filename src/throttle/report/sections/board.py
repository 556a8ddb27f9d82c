"""The release board: every open item in one column, and what is in process against each limit (Kanban)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta

from throttle.report.html import Html, fold, join, left_out, table, tag
from throttle.report.view import View, monday
from throttle.wording import plural
from throttle_models import Status, format_minutes
from throttle_models.quantities import WORK

_SHOWN, _CAP = 12, 300
_PEOPLE = 200
_COLUMNS = (
    ("Hold", "not to begin this week"),
    ("Let in", "begins this week, and goes on after it"),
    ("In process", "begun before, and goes on after this week"),
    ("Done this week", "as planned"),
)

Span = tuple[datetime, datetime]


def render(view: View) -> Html:
    columns = _sorted(view)
    lists = [
        tag("div", tag("h3", name, " ", tag("span", f"{len(items):,}", class_="count")), *_cards(view, items, about))
        for (name, about), items in zip(_COLUMNS, columns, strict=True)
    ]
    return join(tag("div", *lists, class_="board"), tag("h3", "Limits"), _limits(view))


def _sorted(view: View) -> list[list[str]]:
    """Items by column, in the order of the plan's own lists, else of their finish."""
    plan, (_, end) = view.plan, _week(view)
    work = view.portfolio.work
    done = [i for i, at in plan.items.items() if at.finish <= end]
    going = [i for i, at in plan.items.items() if at.finish > end and work[i].status is Status.IN_PROGRESS]
    past = {*done, *going}
    return [
        [h.item for h in plan.holds],
        [r.item for r in plan.releases if r.item not in past],
        sorted(going, key=lambda i: (plan.items[i].finish, i)),
        sorted(done, key=lambda i: (plan.items[i].finish, i)),
    ]


def _cards(view: View, items: list[str], about: str) -> Iterator[Html | None]:
    yield tag("p", about, class_="muted")
    if items:
        yield tag("ul", *(_card(view, i) for i in items[:_SHOWN]))
    if rest := items[_SHOWN:_CAP]:
        yield fold(f"{len(rest):,} more", tag("ul", *(_card(view, i) for i in rest)))
    yield left_out(len(items) - _CAP, "item")


def _card(view: View, item: str) -> Html:
    who = view.crew(item)
    return tag("li", view.item(item, 60), tag("small", f" {who}") if who else None)


def _week(view: View) -> Span:
    """First and last moment of the week that is planned."""
    first = monday(view.week)
    return (
        datetime.combine(first, time(), view.zone),
        datetime.combine(first + timedelta(days=7), time(), view.zone),
    )


# --- limits ------------------------------------------------------------------------------------------------------


def _limits(view: View) -> Html:
    rows, people = [list(row) for row in _rows(view)], [list(row) for row in _people(view)]
    if not rows and not people:
        return tag("p", "No limits: the policy, teams and people have none on work in process.", class_="none")
    heads, caption = (
        ("Limit", "At most", "At as-of", "Most this week", "At the end of it"),
        "Begun and unfinished, by the limits that the plan obeys",
    )
    over = any(int(row[2].replace(",", "")) > int(row[1].replace(",", "")) for row in (*rows, *people))
    text = "More than the limit was begun before as-of: that may go on, and nothing new begins until there is room."
    return join(
        table(caption, heads, rows, look="stack", kinds="wnnnn") if rows else None,
        fold(
            f"Limits of {plural(len(people), 'person', 'people')}",
            table(caption, heads, people[:_PEOPLE], look="stack", kinds="wnnnn", label="Limits of people"),
            left_out(len(people) - _PEOPLE, "person", several="people"),
            open_=not rows,
        )
        if people
        else None,
        tag("p", text, class_="note") if over else None,
        _rope(view),
        tag("p", "Items that an override takes from a limit are not counted.", class_="note")
        if view.plan.overrides
        else None,
    )


def _rope(view: View) -> Html | None:
    rope, pace = view.portfolio.policy.rope, view.plan.pace
    if rope is None or pace is None:
        return None
    text = (
        f"The rope: whenever drum work is released, at most {format_minutes(rope, WORK, 'hm')} of it are released and "
    )
    return tag("p", text + f"unfinished; the drum is {pace.name}.", class_="note")


def _rows(view: View) -> Iterator[tuple[str, ...]]:
    """Each limit with what is in process now, at most in the week, and at its end."""
    policy, portfolio, items = view.portfolio.policy, view.portfolio, view.plan.items
    begun = {i: _begun(view, i) for i in items}
    if policy.projects_in_process:
        free = _free(view, "policy.projects_in_process")
        yield "Projects in process", *_counted(view, policy.projects_in_process, _projects(view, free))
    for kind, most in policy.wip.items():
        free = _free(view, f"policy.wip.{kind.value}")
        spans = [begun[i] for i in items if portfolio.work[i].type is kind and i not in free]
        yield f"Items of type {kind.value}", *_counted(view, most, spans)
    for name, team in portfolio.teams.items():
        if team.wip:
            people = {p for p, who in portfolio.people.items() if who.team == name}
            yield f"Team {team.name or name}", *_counted(view, team.wip, _on(view, people, f"teams.{name}.wip"))


def _people(view: View) -> Iterator[tuple[str, ...]]:
    """The same for people who have work: who is nearest to their limit first."""
    policy, found = view.portfolio.policy, []
    for name, person in view.portfolio.people.items():
        if limit := person.wip or policy.person_wip:
            fields = [f"people.{name}.wip", *([] if person.wip else ["policy.person_wip"])]
            if spans := _on(view, {name}, *fields):
                found.append((view.person(name), *_counted(view, limit, spans)))
    yield from sorted(found, key=lambda row: int(row[1].replace(",", "")) - int(row[3].replace(",", "")))


def _begun(view: View, item: str) -> Span:
    planned = view.plan.items[item]
    going = view.portfolio.work[item].status is Status.IN_PROGRESS
    return (view.plan.as_of if going else planned.start), planned.finish


def _on(view: View, people: set[str], *limits: str) -> list[Span]:
    """Items on which one of these people works, until the last piece of work that they have on it."""
    free, found = _free(view, *limits), []
    for item, planned in view.plan.items.items():
        ends = [b for a in planned.assignments if a.person in people for _, b in a.work]
        if ends and item not in free:
            found.append((_begun(view, item)[0], max(ends)))
    return found


def _projects(view: View, free: set[str]) -> list[Span]:
    """From the first start to the last finish of each project; from as-of, if it was in process before."""
    touched = {
        view.project_of(i) for i, w in view.portfolio.work.items() if w.status in (Status.DONE, Status.IN_PROGRESS)
    }
    found: dict[str, Span] = {}
    for item in view.plan.items:
        project = view.project_of(item)
        if project is None or item in free:
            continue
        said = view.portfolio.projects[project].in_process
        first, last = _begun(view, item)
        if said or (said is None and project in touched):
            first = view.plan.as_of
        known = found.get(project, (first, last))
        found[project] = min(first, known[0]), max(last, known[1])
    return list(found.values())


def _free(view: View, *limits: str) -> set[str]:
    """The items that an override takes from one of these limits."""
    over = {o.item for o in view.plan.overrides if o.limit in limits}
    if not over:
        return set()
    return {i for i in view.plan.items if over.intersection(view.ancestors(i)) or view.project_of(i) in over}


def _counted(view: View, most: int, spans: Iterable[Span]) -> tuple[str, ...]:
    """The limit; how many are in process at as-of, at most from then to the end of the week, and at its end."""
    some = [(a, b) for a, b in spans if a < b]
    now, (_, end) = view.plan.as_of, _week(view)

    def at(moment: datetime) -> int:
        return sum(a <= moment < b for a, b in some)

    moments = {now, *(a for a, _ in some if now <= a < end)}
    return f"{most:,}", f"{at(now):,}", f"{max(map(at, sorted(moments))):,}", f"{at(end):,}"
