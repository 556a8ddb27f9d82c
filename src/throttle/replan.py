"""A newer state of the work over an earlier plan: what was begun, done, changed, new or gone."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from throttle.calendars import as_of
from throttle.errors import InputError
from throttle.frozen import with_plan_in_force
from throttle.graph import HISTORY, is_in_progress
from throttle.policies.inserted import expand
from throttle.wording import some
from throttle_models import (
    DEFAULT_CALENDAR,
    Finding,
    Person,
    Plan,
    Portfolio,
    Project,
    Status,
    When,
    WorkItem,
    format_instant,
)

PROGRESS = ("status", "raw_status", "started", "finished", "on_hold", "source", "priority", "title")
"""What a tracker always knows better than an earlier plan's portfolio."""


def advance(previous: Plan, newer: Portfolio) -> tuple[Portfolio, list[Finding]]:
    """The portfolio to plan now, and what has happened since.

    A newer portfolio file replaces the earlier one. A newer export (its items have a ``source``) only updates it: what
    a planner has written about people, policy and work stays, items of the same id take over what the export really
    says, new ones are added, and ones that are gone are kept and reported. Raises InputError where ``previous`` does
    not carry its portfolio, or ``newer`` is as of an earlier moment. With ``policy.stability``, the portfolio also says
    what was planned for work still to begin, and what of it the frozen zone holds.
    """
    old = previous.portfolio
    if old is None:
        raise InputError(
            [
                Finding(
                    level="error",
                    code="no-portfolio",
                    message="the earlier plan does not carry its portfolio; plan again without --no-portfolio",
                )
            ]
        )
    if as_of(newer) < previous.as_of - previous.slot:
        raise InputError(
            [
                Finding(
                    level="error",
                    code="older",
                    message=f"the newer work is as of {newer.as_of}, before the plan, which is as of "
                    f"{format_instant(previous.as_of)}; give a newer export, or set its as_of in a team file",
                )
            ]
        )
    imported = any(item.source is not None for item in newer.work.values())
    found: list[Finding] = []
    if imported and (moved := _moved(old, newer)):
        old = with_new_ids(old, moved)
        planned = {moved.get(id, id): item for id, item in previous.items.items()}
        previous = previous.model_copy(update={"portfolio": old, "items": planned})
        shown = [f"{id} is now {new}" for id, new in moved.items()]
        message = f"known under another id: {', '.join(shown[:8])}" + (" and more" if len(shown) > 8 else "")
        ids = tuple(moved.values())
        found.append(Finding(level="info", code="moved", ids=ids, count=len(ids), message=message))
    portfolio = _updated(old, newer, found) if imported else newer
    portfolio = with_plan_in_force(previous, _kept_going(previous, portfolio))
    return portfolio, [*_news(previous, old, newer, imported), *found]


def _moved(old: Portfolio, newer: Portfolio) -> dict[str, str]:
    """Ids that are gone to the ids under which the same records are now: their tracker's internal id tells."""
    gone: dict[tuple[str | None, str], list[str]] = {}
    for id, item in old.work.items():
        if id not in newer.work and item.source is not None and item.source.other_id:
            gone.setdefault((item.source.system, item.source.other_id), []).append(id)
    found = {}
    for id, item in newer.work.items() if gone else ():
        if id not in old.work and item.source is not None and item.source.other_id:
            was = gone.get((item.source.system, item.source.other_id), [])
            if len(was) == 1:
                found[was[0]] = id
    return found


def with_new_ids(portfolio: Portfolio, new: Mapping[str, str]) -> Portfolio:
    """The same work under other ids, wherever the portfolio names it."""

    def renamed(item: WorkItem) -> WorkItem:
        update: dict[str, Any] = {}
        if item.parent is not None and item.parent in new:
            update["parent"] = new[item.parent]
        if any(link.item in new for link in item.after):
            update["after"] = tuple(
                link.model_copy(update={"item": new[link.item]}) if link.item in new else link for link in item.after
            )
        return item.model_copy(update=update) if update else item

    policy = portfolio.policy
    pins = tuple(pin.model_copy(update={"work": new.get(pin.work, pin.work)}) for pin in policy.pins)
    overrides = tuple(said.model_copy(update={"item": new.get(said.item, said.item)}) for said in policy.overrides)
    if (pins, overrides) != (policy.pins, policy.overrides):
        policy = policy.model_copy(update={"pins": pins, "overrides": overrides})
    return portfolio.model_copy(
        update={
            "work": {new.get(id, id): renamed(item) for id, item in portfolio.work.items()},
            "planned": {new.get(id, id): planned for id, planned in portfolio.planned.items()},
            "policy": policy,
        }
    )


def _updated(old: Portfolio, newer: Portfolio, found: list[Finding]) -> Portfolio:
    people = _same({p: x.name for p, x in newer.people.items()}, {p: x.name for p, x in old.people.items()})
    projects = _same({p: x.title for p, x in newer.projects.items()}, {p: x.title for p, x in old.projects.items()})
    strangers = [p for p in newer.people if p not in people]
    if strangers and old.people:
        found.append(
            Finding(
                level="warning",
                code="unknown-people",
                ids=tuple(strangers),
                count=len(strangers),
                message=f"the export names people whom the earlier plan does not know: {', '.join(strangers[:8])}; if "
                "they are known under another id, give their names under aliases in a team file, and that with --team",
            )
        )
    work = dict(old.work)
    for id, read in newer.work.items():
        item = _renamed(read, people, projects)
        work[id] = _merged(old.work[id], item) if id in old.work else item
    used = {i.project for i in work.values() if i.project is not None}
    calendars = _theirs(newer.calendars, old.calendars, "calendar", newer, strangers)
    first = old.calendars or {"default": DEFAULT_CALENDAR}  # the first one serves whoever names none
    external = {**newer.external, **old.external}
    for id, stub in newer.external.items():
        if stub.status is not Status.UNKNOWN or stub.expected is not None:
            external[id] = stub
    return old.model_copy(
        update={
            "as_of": newer.as_of,
            "work": work,
            "projects": {**{p: newer.projects.get(p, Project()) for p in sorted(used)}, **old.projects},
            "people": {**_with_days_off(old, newer, people), **{p: newer.people[p] for p in strangers}},
            "calendars": {**first, **calendars} if calendars else old.calendars,
            "teams": {**old.teams, **_theirs(newer.teams, old.teams, "team", newer, strangers)},
            "services": {**newer.services, **old.services},
            "skills": {**newer.skills, **old.skills} if old.skills else old.skills,
            "external": {id: stub for id, stub in external.items() if id not in work},
            "assumptions": newer.assumptions,
        }
    )


def _with_days_off(old: Portfolio, newer: Portfolio, people: Mapping[str, str]) -> dict[str, Person]:
    """Days off that a newer file names, added to those known: what has been said of leave is not taken back."""
    found = dict(old.people)
    for id, was in people.items():
        more = [days for days in newer.people[id].away if days not in found[was].away]
        if more:
            found[was] = found[was].model_copy(update={"away": (*found[was].away, *more)})
    return found


def _theirs(
    newer: Mapping[str, Any], old: Mapping[str, Any], field: str, portfolio: Portfolio, strangers: Sequence[str]
) -> dict[str, Any]:
    """Calendars or teams that only people who are new belong to."""
    names = [getattr(portfolio.people[p], field) for p in strangers]
    return {name: newer[name] for name in names if name is not None and name not in old and name in newer}


def _same(newer: Mapping[str, str], older: Mapping[str, str]) -> dict[str, str]:
    """Newer id to older id of one person or project: the same id, or the same name but for letter case and accents.

    Both map ids to names.
    """
    by_name: dict[str, list[str]] = {}
    for id in older:
        for name in {_plain(id), _plain(older[id])} - {""}:
            by_name.setdefault(name, []).append(id)
    found = {}
    for id in newer:
        if id in older:
            found[id] = id
        else:
            matches = {m for name in (_plain(id), _plain(newer[id])) for m in by_name.get(name, ())}
            if len(matches) == 1:
                found[id] = matches.pop()
    return found


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c)).split())


def _renamed(item: WorkItem, people: Mapping[str, str], projects: Mapping[str, str]) -> WorkItem:
    update: dict[str, Any] = {}
    if item.project is not None and item.project in projects:
        update["project"] = projects[item.project]
    if any(set(n.who) & set(people) for n in item.needs):
        update["needs"] = tuple(
            n.model_copy(update={"who": tuple(people.get(p, p) for p in n.who)}) if n.who else n for n in item.needs
        )
    return item.model_copy(update=update) if update else item


def _kept_going(previous: Plan, portfolio: Portfolio) -> Portfolio:
    """What time itself has done since the earlier plan.

    Work in progress keeps its people unless someone is named for it, waits that were to begin have begun, and approvals
    that were asked for stay asked for.
    """
    now, work, known = as_of(portfolio), dict(portfolio.work), set(portfolio.people)
    for id, item in portfolio.work.items():
        planned = previous.items.get(id)
        if planned is None or item.status in HISTORY:
            continue
        before = previous.portfolio.work[id] if previous.portfolio and id in previous.portfolio.work else item
        update: dict[str, Any] = {}
        if is_in_progress(item) and len(item.needs) == len(before.needs):
            crew = [tuple(a.person for a in planned.assignments if a.need == q) for q in range(len(item.needs))]
            if any(crew[q] and not n.who for q, n in enumerate(item.needs)):
                update["needs"] = tuple(
                    n.model_copy(update={"who": who}) if who and not n.who and known.issuperset(who) else n
                    for n, who in zip(item.needs, crew, strict=True)
                )
        done = all(link.item in work and work[link.item].status in HISTORY for link in item.after)
        if item.wait is not None and item.status is Status.OPEN and planned.start < now and done:
            update |= {"status": Status.IN_PROGRESS, "started": When(text=format_instant(planned.start))}
        approval = item.change.approval if item.change else None
        if item.change and approval and not approval.given and approval.asked is None:
            asked = approval.model_copy(update={"asked": When(text=format_instant(previous.as_of))})
            update["change"] = item.change.model_copy(update={"approval": asked})
        if update:
            work[id] = item.model_copy(update=update)
    return _kept_waiting(previous, portfolio.model_copy(update={"work": work}))


def _kept_waiting(previous: Plan, portfolio: Portfolio) -> Portfolio:
    """Waits that rules insert, and that were to begin, have begun: written down as their progress."""
    if not previous.inserted:
        return portfolio
    now, expanded = as_of(portfolio), expand(portfolio)
    work, begun = expanded.portfolio.work, {}
    for id, told in expanded.inserted.items():
        planned = previous.items.get(id)
        waits = told.item.wait is not None and told.item.status is Status.OPEN
        if planned is None or not waits or planned.start >= now:
            continue
        if all(link.item in work and work[link.item].status in HISTORY for link in told.item.after):
            written = portfolio.work.get(id, WorkItem(title=told.item.title))
            started = When(text=format_instant(planned.start))
            begun[id] = written.model_copy(update={"status": Status.IN_PROGRESS, "started": started})
    return portfolio.model_copy(update={"work": {**portfolio.work, **begun}}) if begun else portfolio


def _merged(old: WorkItem, new: WorkItem) -> WorkItem:
    """What the newer item says itself wins; what it only infers gives way to what was known."""
    guessed = {field.split(".")[0] for field in new.inferred}
    update: dict[str, Any] = {f: getattr(new, f) for f in new.model_fields_set - guessed - {"inferred"}}
    update |= {f: getattr(new, f) for f in PROGRESS if f in new.model_fields_set}
    if "needs" in guessed and new.needs and is_in_progress(new):
        known = [n.remaining for n in new.needs]
        if any(r is not None for r in known) and len(known) == len(old.needs):
            update["needs"] = tuple(
                need.model_copy(update={"remaining": left}) if left is not None else need
                for need, left in zip(old.needs, known, strict=True)
            )
    return old.model_copy(update=update)


def _news(previous: Plan, old: Portfolio, newer: Portfolio, imported: bool) -> list[Finding]:
    def say(code: str, ids: list[str], what: str, level: Any = "info") -> None:
        if ids:
            message = f"{what}: {some(ids, 8)}"
            found.append(Finding(level=level, code=code, ids=tuple(ids), count=len(ids), message=message))

    found: list[Finding] = []
    was, now = old.work, newer.work
    both = [id for id in now if id in was]
    say(
        "finished",
        [i for i in both if was[i].status not in HISTORY and now[i].status in HISTORY],
        "finished or cancelled since",
    )
    say("begun", [i for i in both if not is_in_progress(was[i]) and is_in_progress(now[i])], "begun since")
    say(
        "reopened",
        [i for i in both if was[i].status in HISTORY and now[i].status not in HISTORY],
        "opened again",
        "warning",
    )
    say("new", [i for i in now if i not in was], "new")
    gone = [i for i in was if i not in now]
    kept = "no longer in the newer export, kept as it was" if imported else "no longer in the newer portfolio"
    say("vanished", [i for i in gone if was[i].status not in HISTORY], kept, "warning")
    moment = newer.as_of.text
    late = [i for i in both if i in previous.items and now[i].status is Status.OPEN and _before(previous, i, newer)]
    say("slipped", late, f"planned to have begun before {moment}, and not begun", "warning")
    return found


def _before(previous: Plan, id: str, newer: Portfolio) -> bool:
    return previous.items[id].start < as_of(newer)
