"""A newer state of the work over an earlier plan: what was begun, done, changed, new or gone."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any
from zoneinfo import ZoneInfo

from throttle.calendars import as_of
from throttle.errors import InputError
from throttle.frozen import with_plan_in_force
from throttle.graph import HISTORY, is_in_progress
from throttle.ingest.again import Stated, patched
from throttle.ingest.identity import identities, spelling
from throttle.ingest.pseudonyms import require_same_table
from throttle.policies.inserted import expand
from throttle.wording import plural, some
from throttle_models import (
    DEFAULT_CALENDAR,
    Assumption,
    Calendar,
    Change,
    Finding,
    Link,
    Need,
    Person,
    Plan,
    Portfolio,
    Project,
    Reading,
    Status,
    TeamFile,
    When,
    WorkItem,
    format_instant,
)

PROGRESS = ("status", "raw_status", "started", "finished", "spent", "on_hold", "source", "priority", "title")
"""What a tracker always knows better than an earlier plan's portfolio."""
_ON_HOLD = "on hold in "
"""How an importer says that a tracker, and no planner, has put an item on hold."""


def advance(
    previous: Plan,
    newer: Portfolio,
    *,
    team: TeamFile | None = None,
    onto: Mapping[str, tuple[Link, ...]] | None = None,
    stated: Mapping[str, Stated] | None = None,
) -> tuple[Portfolio, list[Finding]]:
    """The portfolio to plan now, and what has happened since.

    A newer portfolio file replaces the earlier one. A newer export (its items have a ``source``) only updates it: what
    a planner has written about people, policy and work stays, items of the same id take over what the export really
    says, new ones are added, and ones that are gone are kept and reported; those of files that were not given again are
    kept and counted. ``team``: a team file given with the newer export, which counts before what the plan carries.
    ``onto``: of exports, links that items of files not given again wait by (:attr:`throttle.ingest.Ingested.onto`);
    ``stated``: what these exports have columns for, so that due dates and links that were taken away there are taken
    away here (:attr:`throttle.ingest.Ingested.stated`).
    Raises InputError where ``previous`` does not carry its portfolio, or ``newer`` is as of an earlier moment. With
    ``policy.stability``, the portfolio also says what was planned for work still to begin, and what of it the frozen
    zone holds.
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
    require_same_table(old.pseudonyms, newer.pseudonyms, bool(newer.pseudonyms))
    imported = onto is not None or any(item.source is not None for item in newer.work.values())
    absent = _not_given(old, newer) if imported else {}
    kept = {id for ids in absent.values() for id in ids}
    newer = _not_earlier(previous, old, newer, imported, kept)
    found: list[Finding] = []
    if imported and (moved := _moved(old, newer)):
        old = with_new_ids(old, moved)
        planned = {moved.get(id, id): item for id, item in previous.items.items()}
        previous = previous.model_copy(update={"portfolio": old, "items": planned})
        shown = [f"{id} is now {new}" for id, new in moved.items()]
        message = f"known under another id: {', '.join(shown[:8])}" + (" and more" if len(shown) > 8 else "")
        ids = tuple(moved.values())
        found.append(Finding(level="info", code="moved", ids=ids, count=len(ids), message=message))
        kept = {moved.get(id, id) for id in kept}
    for (system, file), missing in absent.items():
        of = (
            "of no export"
            if not (system or file)
            else f"of {system} ({file})"
            if system and file
            else f"of {system or file}"
        )
        message = f"not in the given files, kept as it was: {plural(len(missing), 'item')} {of}"
        found.append(Finding(level="info", code="not-given", ids=tuple(missing), count=len(missing), message=message))
    portfolio = _updated(old, newer, kept, team or TeamFile(), onto or {}, stated or {}, found) if imported else newer
    told = _news(previous, old, newer, portfolio, imported, kept)
    return with_plan_in_force(previous, _kept_going(previous, portfolio)), [*told, *found]


def _not_earlier(previous: Plan, old: Portfolio, newer: Portfolio, imported: bool, kept: AbstractSet[str]) -> Portfolio:
    """The newer portfolio, as of no moment before the plan.

    An export is as of its newest timestamp, so the same one again, or one of several, may be as of a moment before the
    plan, and is no older than what the plan knows of the same items.
    """
    if as_of(newer) >= previous.as_of - previous.slot:
        return newer
    if imported and any(assumed.about == "as_of" for assumed in newer.assumptions):
        zone, at = ZoneInfo(old.zone), previous.as_of
        said = [
            when.resolve(at, zone)
            for id, item in old.work.items()
            if id not in kept and item.source is not None
            for when in (item.created, item.started, item.finished, item.source.updated)
            if when is not None
        ]
        if not said or as_of(newer) >= max(said) - previous.slot:
            rest = tuple(a for a in newer.assumptions if a.about != "as_of")
            return newer.model_copy(update={"as_of": old.as_of, "assumptions": rest})
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


def _not_given(old: Portfolio, newer: Portfolio) -> dict[tuple[str | None, str | None], list[str]]:
    """Items by the system and file that they came from, of files of which nothing is in the newer export."""
    came: dict[tuple[str | None, str | None], list[str]] = {}
    for id, item in old.work.items():
        source = item.source
        came.setdefault((source.system, source.file) if source else (None, None), []).append(id)
    others = {(s.system, s.other_id) for i in newer.work.values() if (s := i.source) is not None and s.other_id}
    files = {(s.system, s.file) for i in newer.work.values() if (s := i.source) is not None}

    def again(id: str) -> bool:
        source = old.work[id].source
        return id in newer.work or (source is not None and (source.system, source.other_id) in others)

    return {key: ids for key, ids in came.items() if key not in files and not any(map(again, ids))}


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


def _updated(
    old: Portfolio,
    newer: Portfolio,
    kept: AbstractSet[str],
    team: TeamFile,
    onto: Mapping[str, tuple[Link, ...]],
    stated: Mapping[str, Stated],
    found: list[Finding],
) -> Portfolio:
    people = _same_people(newer, old)
    projects = _same({p: x.title for p, x in newer.projects.items()}, {p: x.title for p, x in old.projects.items()})
    strangers = [p for p in newer.people if p not in people]
    unsaid = [p for p in strangers if p not in team.people and "name" not in newer.people[p].inferred]
    if unsaid and old.people:
        found.append(
            Finding(
                level="warning",
                code="unknown-people",
                ids=tuple(unsaid),
                count=len(unsaid),
                message=f"the export names people whom the earlier plan does not know: {', '.join(unsaid[:8])}; if "
                "they are known under another id, give their names under aliases in a team file, and that with --team",
            )
        )
    everyone = {**_with_days_off(old, newer, people), **{p: newer.people[p] for p in (*strangers, *team.people)}}
    assigns = {s.system for i in newer.work.values() if (s := i.source) is not None and s.assignee}
    work = dict(old.work)
    for id, read in newer.work.items():
        item = _renamed(read, people, projects)
        if id not in old.work:
            work[id] = item
        elif id not in kept:
            work[id] = _merged(old.work[id], item, kept, everyone, assigns, bool(stated))
    _take_away(work, old, {id: item for id, item in newer.work.items() if id not in kept}, onto, stated)
    for id, said in team.work.items():
        if id in old.work and id not in newer.work:  # what is in the newer files has it already
            work[id] = patched(work[id], said, f"the team file, work.{id}", f"work.{id}")
    for id, links in onto.items():
        if id in kept:
            had = {(link.item, link.type) for link in work[id].after}
            more = [link for link in links if (link.item, link.type) not in had]
            work[id] = work[id].model_copy(update={"after": (*work[id].after, *more)}) if more else work[id]
    _without_doubled_work(work, old, newer)
    used = {i.project for i in work.values() if i.project is not None}
    calendars = _theirs(newer.calendars, old.calendars, "calendar", newer, strangers)
    known = _with_holidays(old, newer)
    first = known or {"default": DEFAULT_CALENDAR}  # the first one serves whoever names none
    external = {**newer.external, **old.external}
    for id, stub in newer.external.items():
        if stub.status is not Status.UNKNOWN or stub.expected is not None:
            external[id] = stub
    updated = old.model_copy(
        update={
            "as_of": newer.as_of,
            "work": work,
            "projects": {**{p: newer.projects.get(p, Project()) for p in sorted(used)}, **old.projects},
            "people": everyone,
            "calendars": {**first, **calendars} if calendars else known,
            "teams": {**old.teams, **_theirs(newer.teams, old.teams, "team", newer, strangers)},
            "services": {**newer.services, **old.services},
            "skills": {**newer.skills, **old.skills} if old.skills else old.skills,
            "external": {id: stub for id, stub in external.items() if id not in work},
            "assumptions": _assumed(old, newer, bool(kept)),
            "reading": newer.reading if newer.reading != Reading() else old.reading,
        }
    )
    return _as_told(updated, newer, team)


_OF_PEOPLE = frozenset({"calendar", "productive-hours", "placeholder-people"})


def _assumed(old: Portfolio, newer: Portfolio, some_kept: bool) -> tuple[Assumption, ...]:
    """What the newer export rests on, and, of the earlier, what people and items that stay as they were rest on."""
    told = {(a.about, a.value): a for a in newer.assumptions}
    abouts = {a.about for a in newer.assumptions}
    found = {
        (a.about, a.value): told.get((a.about, a.value), a)
        for a in old.assumptions
        if (a.about, a.value) in told or (a.about not in abouts and (some_kept or a.about in _OF_PEOPLE))
    }
    return tuple((found | told).values())


_TOLD = ("calendars", "skills", "teams", "rotas", "environments", "services", "windows", "boards", "projects")
_TOLD_WHOLE = ("slot", "currency", "freezes", "policy", "simulation")


def _as_told(portfolio: Portfolio, newer: Portfolio, team: TeamFile) -> Portfolio:
    """What a team file that is given with the newer export says, entry by entry, over what the earlier plan carries."""
    update: dict[str, Any] = {}
    for name in _TOLD:
        if said := getattr(team, name):
            known = getattr(newer, name)
            update[name] = {**getattr(portfolio, name), **{key: known.get(key, said[key]) for key in said}}
    update |= {name: getattr(newer, name) for name in _TOLD_WHOLE if name in team.model_fields_set}
    return portfolio.model_copy(update=update) if update else portfolio


def _take_away(
    work: dict[str, WorkItem],
    old: Portfolio,
    given: Mapping[str, WorkItem],
    onto: Mapping[str, tuple[Link, ...]],
    stated: Mapping[str, Stated],
) -> None:
    """Due dates and links that the files now have a column for, and no longer say.

    What a person wrote stays: a link without an origin, a due date other than that of the record. ``given``: items that
    are in the files.
    """
    nothing = Stated()

    def said_of(id: str) -> Stated:
        source = given[id].source if id in given else None
        return stated.get(source.file or "", nothing) if source is not None else nothing

    def system(id: str) -> str | None:
        source = old.work[id].source if id in old.work else None
        return source.system if source is not None else None

    def gone(id: str, link: Link) -> bool:
        other = link.item
        again = (*(given[id].after if id in given else ()), *onto.get(id, ()))
        if link.origin is None or link not in old.work[id].after:
            return False
        if any((link.item, link.type) == (one.item, one.type) for one in again):
            return False
        here, there = said_of(id), said_of(other)
        if id in given and other in given:
            if here.links and there.links:
                return True
            return here.says(link.origin) or there.says(link.origin)
        if id in given and other not in old.work:
            return bool(here.links)  # no row but its own can have said it
        # one of them is in a file that was not given: of the same system, that file may be what says it
        return system(id) != system(other) and (here.says(link.origin) or there.says(link.origin))

    for id, item in list(work.items()):
        before = old.work.get(id)
        if before is None:
            continue
        update: dict[str, Any] = {}
        if any(gone(id, link) for link in item.after):
            update["after"] = tuple(link for link in item.after if not gone(id, link))
        if id in given and given[id].due is None and item.due is not None and said_of(id).due:
            theirs = before.source is not None and before.source.due == item.due
            inherited = "due" in before.inferred and before.parent in given
            if item.due == before.due and (theirs or inherited):
                update["due"] = None
                update["inferred"] = tuple(name for name in item.inferred if name != "due")
        if id in given and not said_of(id).due and before.source is not None and item.source is not None:
            update["source"] = item.source.model_copy(update={"due": item.source.due or before.source.due})
        if update:
            work[id] = item.model_copy(update=update)


def _without_doubled_work(work: dict[str, WorkItem], old: Portfolio, newer: Portfolio) -> None:
    """An item gets no work of its own while what it contains is not over, though that may be in no newer file."""
    live = {item.parent for item in work.values() if item.parent is not None and item.status not in HISTORY}
    for id in newer.work:
        if id in live and work[id].needs and not (id in old.work and old.work[id].needs):
            work[id] = work[id].model_copy(update={"needs": ()})


def _with_days_off(old: Portfolio, newer: Portfolio, people: Mapping[str, str]) -> dict[str, Person]:
    """Days off that a newer file names, added to those known: what has been said of leave is not taken back."""
    found = dict(old.people)
    for id, was in people.items():
        more = [days for days in newer.people[id].away if days not in found[was].away]
        if more:
            found[was] = found[was].model_copy(update={"away": (*found[was].away, *more)})
    return found


def _with_holidays(old: Portfolio, newer: Portfolio) -> dict[str, Calendar]:
    """Holidays and working days that a newer file names, added to the calendars known."""
    found = dict(old.calendars)
    for name, calendar in newer.calendars.items():
        if (was := found.get(name, DEFAULT_CALENDAR if not found else None)) is None:
            continue
        closed = [days for days in calendar.closed if days not in was.closed]
        opened = [days for days in calendar.open if days not in was.open]
        if closed or opened:
            found[name] = was.model_copy(update={"closed": (*was.closed, *closed), "open": (*was.open, *opened)})
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


def _same_people(newer: Portfolio, older: Portfolio) -> dict[str, str]:
    """Newer id to older id: by :func:`_same`, else as an import would tell that two spellings are one person."""
    found = _same({p: x.name for p, x in newer.people.items()}, {p: x.name for p, x in older.people.items()})
    strangers = {p: spelling(newer.people[p].name or p) for p in newer.people if p not in found}
    if not strangers:
        return found
    known = {
        spelling(written, scope=id): id
        for id, person in older.people.items()
        for written in (person.name or id, *older.reading.aliases.get(id, ()))
    }
    for group in identities([*known, *strangers.values()], known.get).groups:
        if group.said is not None:
            found |= {p: group.said for p, one in strangers.items() if one in group.spellings}
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


def _merged(
    old: WorkItem,
    new: WorkItem,
    kept: AbstractSet[str],
    people: Mapping[str, Person],
    assigns: AbstractSet[str | None],
    all_links: bool,
) -> WorkItem:
    """What the newer item says itself wins; what it only infers, or does not say, gives way to what was known.

    kept: items of files that were not given again. assigns: systems whose newer files say who works on what.
    all_links: keep those that the newer item does not have, for :func:`_take_away`.
    """
    guessed = {field.split(".")[0] for field in new.inferred}
    update: dict[str, Any] = {f: getattr(new, f) for f in new.model_fields_set - guessed - {"inferred", "needs"}}
    update |= {f: getattr(new, f) for f in PROGRESS if f in new.model_fields_set}
    # what was inferred is inferred anew where what it rests on has changed
    if "due" in guessed and "due" in old.inferred and new.due is not None:
        update["due"] = new.due
    if "cost_of_delay" in guessed and "cost_of_delay" in old.inferred and new.priority not in (None, old.priority):
        update["cost_of_delay"] = new.cost_of_delay
    if "status" in guessed:  # the export has no column for it
        update = {f: value for f, value in update.items() if f not in ("status", "raw_status", "started", "finished")}
    update = {f: v for f, v in update.items() if v is not None or f not in ("project", "priority", "raw_status")}
    status = update.get("status", old.status)
    if status not in HISTORY and "finished" not in update:
        update["finished"] = None
    if status is Status.OPEN and "started" not in update:
        update["started"] = None
    if new.on_hold is None and (old.on_hold or "").startswith(_ON_HOLD):
        update["on_hold"] = None
    if new.parent is None and old.parent in kept:
        update.pop("parent", None)
    if "after" in update:
        had = {(link.item, link.type) for link in new.after}
        still = [k for k in old.after if (all_links or k.item in kept or k.origin is None)]
        update["after"] = (*new.after, *(k for k in still if (k.item, k.type) not in had))
    if old.change is not None and new.change is not None:
        update["change"] = _change(old.change, new.change)
    if "needs" in new.model_fields_set:
        update["needs"], about_needs = _needs(old, new, status, people, assigns)
    else:
        about_needs = [path for path in old.inferred if path.startswith("needs")]
    rest = [p for p in old.inferred if not p.startswith("needs") and p.split(".")[0] not in update]
    rest += [p for p in new.inferred if not p.startswith("needs") and p.split(".")[0] in update and p not in rest]
    inferred = (*about_needs, *rest)
    update["inferred"] = old.inferred if set(inferred) == set(old.inferred) else inferred
    same = {f for f in update if update[f] == getattr(old, f)}
    return old.model_copy(update={f: value for f, value in update.items() if f not in same})


def _change(old: Change, new: Change) -> Change:
    """A newer change record: what it says of itself, and what a planner has said of windows and rollback."""
    update = {f: value for f in new.model_fields_set if (value := getattr(new, f)) not in (None, ())}
    if old.approval is not None and new.approval is not None and not new.approval.given:
        update["approval"] = old.approval.model_copy(update={"given": False})
    return old.model_copy(update=update)


_PARTS = ("effort", "remaining", "skill", "people")


def _needs(
    old: WorkItem, new: WorkItem, status: Status, people: Mapping[str, Person], assigns: AbstractSet[str | None]
) -> tuple[tuple[Need, ...], list[str]]:
    """Who is needed for how much, field by field; and which of that is inferred."""
    about_old = [path for path in old.inferred if path.startswith("needs")]
    about_new = [path for path in new.inferred if path.startswith("needs")]
    if "needs" in about_new:  # all of it
        about_new = [f"needs.{q}.{part}" for q in range(len(new.needs)) for part in _PARTS]
    if old.status in HISTORY and status not in HISTORY and not old.needs and old.wait is None:
        return new.needs, about_new
    if len(new.needs) != len(old.needs) or not old.needs:
        return (old.needs, about_old) if about_new or not new.needs else (new.needs, [])
    before, after = (item.source.assignee if item.source else None for item in (old, new))
    system = new.source.system if new.source else None
    needs = []
    inferred = list(about_old)
    for q, (was, now) in enumerate(zip(old.needs, new.needs, strict=True)):
        update: dict[str, Any] = {}
        path = f"needs.{q}."
        for name in ("effort", "remaining"):
            value = getattr(now, name)
            ours = f"{path}effort" not in about_old and f"{path}remaining" not in about_old
            if value is None or (path + name in about_new and (name == "effort" or ours)):
                continue
            update[name] = value
            inferred = [p for p in inferred if p not in (f"{path}effort", f"{path}remaining")]
            inferred += [path + name] if path + name in about_new else []
        if now.who:
            named = f"{path}people" in about_new
            if not (named and set(was.who) <= set(now.who) and was.who):
                update |= {"who": now.who, "allocation": now.allocation}
            if now.skill is not None:
                update |= {"skill": now.skill, "level": now.level}
            elif was.skill is not None and not all(_holds(people.get(p), was) for p in now.who):
                update |= {"skill": None, "level": 1}
            inferred = [p for p in inferred if p != f"{path}skill"]
        elif was.who and before is not None and after is None and system in assigns:
            update |= {"who": (), "skill": now.skill, "level": now.level}  # nobody's any more
            inferred += [f"{path}skill"] if f"{path}skill" in about_new else []
        elif not was.who and now.skill is not None and f"{path}skill" not in about_new:
            update |= {"skill": now.skill, "level": now.level}
            inferred = [p for p in inferred if p != f"{path}skill"]
        needs.append(was.model_copy(update=update) if update else was)
    return tuple(needs), list(dict.fromkeys(inferred))


def _holds(person: Person | None, need: Need) -> bool:
    return person is not None and need.skill is not None and person.skills.get(need.skill, 0) >= need.level


def _news(
    previous: Plan, old: Portfolio, newer: Portfolio, portfolio: Portfolio, imported: bool, kept: AbstractSet[str]
) -> list[Finding]:
    def say(code: str, ids: list[str], what: str, level: Any = "info") -> None:
        if ids:
            message = f"{what}: {some(ids, 8)}"
            found.append(Finding(level=level, code=code, ids=tuple(ids), count=len(ids), message=message))

    found: list[Finding] = []
    was, now = old.work, portfolio.work
    both = [id for id in newer.work if id in was]
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
    say("new", [i for i in newer.work if i not in was], "new")
    gone = [i for i in was if i not in newer.work and i not in kept]
    still = "no longer in the newer export, kept as it was" if imported else "no longer in the newer portfolio"
    say("vanished", [i for i in gone if was[i].status not in HISTORY], still, "warning")
    moment = newer.as_of.text
    late = [i for i in both if i in previous.items and now[i].status is Status.OPEN and _before(previous, i, newer)]
    say("slipped", late, f"planned to have begun before {moment}, and not begun", "warning")
    return found


def _before(previous: Plan, id: str, newer: Portfolio) -> bool:
    return previous.items[id].start < as_of(newer)
