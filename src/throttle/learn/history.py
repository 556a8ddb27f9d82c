"""Tickets as a table of what happened: one row for each that was done, or that is unplanned."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd

from throttle.ingest.build import Builder
from throttle.ingest.skills import Skills
from throttle.ingest.values import fold, slug
from throttle_models import Status

if TYPE_CHECKING:
    from throttle.ingest.records import Ticket

COLUMNS = (
    "id", "type", "kind", "component", "team", "group", "skill", "people", "status", "created", "started", "finished",
    "spent", "estimate", "failed", "change_kind",
)  # fmt: skip
_FAILED = frozenset(
    (
        "unsuccessful", "failed", "failure", "backed out", "rolled back", "rollback", "aborted",
        "successful with issues",
        "no exitoso", "fallido", "fehlgeschlagen", "nicht erfolgreich", "echec", "echoue", "sem sucesso", "falhou",
    )
)  # fmt: skip
"""Resolutions of a change that did not go well, folded; those that are not English are not verified."""


def history(builder: Builder) -> pd.DataFrame:
    """One row a ticket that is work itself, with :data:`COLUMNS`.

    Times are in the zone of the import, without one; ``spent`` and ``estimate`` in minutes; ``people``: ids, of which
    the first is the assignee; ``kind``: the type of work; ``skill``: what unassigned work like it would need. Started
    and finished come only from fields that mean that, and from the history of states.
    """
    zone = ZoneInfo(builder.zone)
    skills = Skills(builder.tickets, builder.status, builder.people, builder.team, builder.as_of)
    parents = set(builder.net.parents.values())
    rows = [_row(builder, t, skills, zone) for t in builder.tickets if t.id not in parents and not t.container]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    for name in ("created", "started", "finished"):
        frame[name] = pd.to_datetime(frame[name])
    for name in ("spent", "estimate"):
        frame[name] = pd.to_numeric(frame[name])
    return frame


def _row(builder: Builder, t: Ticket, skills: Skills, zone: ZoneInfo) -> tuple[object, ...]:
    status = builder.status[t.id]
    begun, over = builder.meanings.times(t, builder.words) if t.history else (None, None)
    done = status in (Status.DONE, Status.CANCELLED)
    finished = (t.finished or over or t.category_changed) if done else None

    def local(moment: datetime | None) -> datetime | None:
        return moment.astimezone(zone).replace(tzinfo=None) if moment is not None else None

    return (
        t.id, t.type, builder.types[t.id].value, t.components[0] if t.components else "", t.team or t.group, t.group,
        skill_of(t, skills), builder.people.several(t), status.value, local(t.created), local(t.started or begun),
        local(finished), t.spent or None, t.original or None, fold(t.resolution) in _FAILED, t.change_kind,
    )  # fmt: skip


def skill_of(t: Ticket, skills: Skills) -> str:
    """The skill that the ticket needs: by a rule of the team file, else its first trait, as imports name it."""
    if (rule := skills.ruled(t)) is not None:
        return rule.skill
    word = next((w for w in (*t.skills, *t.components, t.group, t.team, t.project) if w), "")
    return slug(word) or "work"


def moments(builder: Builder) -> pd.DataFrame:
    """When each person did something: ``person`` and ``at`` (UTC), of starts, finishes and changes of state."""
    found: list[tuple[str, datetime]] = []
    for t in builder.tickets:
        who = builder.people.of(t)
        if who is not None:
            found += [(who, at) for at in (t.started, t.finished, *(step.at for step in t.history)) if at is not None]
    return pd.DataFrame(found, columns=["person", "at"])
