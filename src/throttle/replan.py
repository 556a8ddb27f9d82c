"""A newer state of the work over an earlier plan: what was begun, done, changed, new or gone."""

from __future__ import annotations

from typing import Any

from throttle.errors import InputError
from throttle.graph import HISTORY, is_in_progress
from throttle_models import Finding, Plan, Portfolio, Project, Status, WorkItem

PROGRESS = ("status", "raw_status", "started", "finished", "on_hold", "source", "priority", "title")
"""What a tracker always knows better than an earlier plan's portfolio."""


def advance(previous: Plan, newer: Portfolio) -> tuple[Portfolio, list[Finding]]:
    """The portfolio to plan now, and what has happened since.

    A newer portfolio file replaces the earlier one. A newer export (its items have a ``source``) only updates it: what
    a planner has written about people, policy and work stays, items of the same id take over what the export really
    says, new ones are added, and ones that are gone are kept and reported. Raises InputError where ``previous`` does
    not carry its portfolio.
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
    imported = any(item.source is not None for item in newer.work.values())
    portfolio = _updated(old, newer) if imported else newer
    return portfolio, _news(previous, old, newer, imported)


def _updated(old: Portfolio, newer: Portfolio) -> Portfolio:
    work = dict(old.work)
    for id, item in newer.work.items():
        work[id] = _merged(old.work[id], item) if id in old.work else item
    used = {i.project for i in work.values() if i.project is not None}
    projects = {**{p: newer.projects.get(p, Project()) for p in sorted(used)}, **old.projects}
    external = {**newer.external, **old.external}
    for id, stub in newer.external.items():
        if stub.status is not Status.UNKNOWN or stub.expected is not None:
            external[id] = stub
    return old.model_copy(
        update={
            "as_of": newer.as_of,
            "work": work,
            "projects": projects,
            "people": {**newer.people, **old.people},
            "services": {**newer.services, **old.services},
            "skills": {**newer.skills, **old.skills} if old.skills else old.skills,
            "external": {id: stub for id, stub in external.items() if id not in work},
            "assumptions": newer.assumptions,
        }
    )


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
            shown = ", ".join(ids[:8]) + (f" and {len(ids) - 8} more" if len(ids) > 8 else "")
            found.append(Finding(level=level, code=code, ids=tuple(ids), count=len(ids), message=f"{what}: {shown}"))

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
    from throttle.calendars import as_of

    return previous.items[id].start < as_of(newer)
