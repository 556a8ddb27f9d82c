"""What Jira's formats share: the meaning of custom fields by name, link directions by their verbs, sprints."""

from __future__ import annotations

from typing import Any

from throttle.ingest.intake import Intake
from throttle.ingest.jira_csv import KEY, field_meaning
from throttle.ingest.records import Ticket
from throttle.ingest.values import SPRINT_STATES, fold, server_sprint
from throttle.ingest.words import table
from throttle_models import Column

C = Column

VERBS = table(
    {
        "first": """blocks, is blocking, block, must be done before, has to be done before, precedes, is predecessor of,
            is a predecessor of, is a dependency for, is a dependency of, is depended on by, is depended upon by,
            is dependency of, is required for, is required by, is a prerequisite for, is a prerequisite of,
            is prerequisite of, is prerequisite for, is needed by, is needed for, enables, gates, is followed by,
            must finish before, bloquea, bloquea a, esta bloqueando a, es dependencia de, precede a, es requerido por,
            blockiert, ist voraussetzung fur, geht voraus, bloque, est bloquant pour, est une dependance de, precede,
            est requis pour, bloqueia, esta bloqueando, e dependencia de, e requerido por""",
        "waits": """is blocked by, blocked by, depends on, depends upon, is dependent on, is dependent upon, requires,
            needs, must be done after, has to be done after, follows, succeeds, is successor of, is a successor of,
            waits for, is waiting for, is waiting on, is preceded by, is enabled by, is gated by, must start after,
            esta bloqueado por, esta bloqueada por, es bloqueado por, es bloqueada por, depende de, requiere, sigue a,
            wird blockiert durch, wird blockiert von, ist blockiert durch, hangt ab von, ist abhangig von, benotigt,
            folgt auf, est bloque par, est bloquee par, depend de, necessite, suit, e bloqueado por, esta bloqueado por,
            e bloqueada por, requer, segue""",
        "relates": """relates to, is related to, duplicates, is duplicated by, clones, is cloned by, causes,
            is caused by, mentions, is mentioned in, split to, split from, tests, is tested by, fixes, is fixed by,
            resolves, is resolved by, implements, is implemented by, reviews, is reviewed by, discovered while testing,
            testing discovered, added to idea, is idea for""",
    }
)
"""How "this issue VERB that issue" orders the two. English is as real exports have it; the others are not verified."""


def meaning_by_verbs(outward: str, inward: str) -> str:
    """``FS`` where the outward end comes first, ``FS-reversed`` where it waits, ``relates``; empty where none is known.

    The type's name is not looked at: only the verb tells which way round a site's *Dependency* is.
    """
    out, in_ = VERBS.get(fold(outward), ""), VERBS.get(fold(inward), "")
    if out == "first" or (not out and in_ == "waits"):
        return "FS"
    if out == "waits" or (not out and in_ == "first"):
        return "FS-reversed"
    return out or in_


def sprints(value: Any) -> list[dict[str, str]] | None:
    """The sprints of a field, oldest first: of Cloud objects, or of Server's text; None where it holds none."""
    listed = value if isinstance(value, list) else [value]
    found = []
    for one in listed:
        if isinstance(one, dict) and "name" in one and ("boardId" in one or "state" in one):
            found.append({k: str(one[k]) for k in ("id", "name", "state", "startDate", "endDate") if one.get(k)})
        elif isinstance(one, str) and (sprint := server_sprint(one)) is not None:
            found.append(sprint)
    return found or None


def texts_of(value: Any) -> list[str]:
    """What a field's value shows: texts, numbers, and the names of options, users, versions; nested lists flattened."""
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, str | int | float):
        return [str(value)]
    if isinstance(value, list):
        return [text for one in value for text in texts_of(one)]
    if isinstance(value, dict):
        for key in ("value", "name", "displayName", "title", "key"):
            if isinstance(value.get(key), str | int | float):
                return [str(value[key])]
    return []


def key_of(text: Any) -> str:
    """The text, where it is an issue key; else empty."""
    return text.strip() if isinstance(text, str) and KEY.fullmatch(text.strip()) else ""


def put_custom(intake: Intake, ticket: Ticket, id: str, name: str, value: Any) -> None:
    """A custom field, by the mapping, by its name, or, for sprints, by what it holds."""
    if value is None or value in ("", []):
        return
    said = intake.custom(id, name)
    if said is not None:
        label = id if id in intake.mapping.columns.get(intake.reader, {}) else name
        intake.fill(ticket, said.means, texts_of(value), label, said.unit, said.separator)
        return
    if id in intake.mapping.columns.get(intake.reader, {}) or name in intake.mapping.columns.get(intake.reader, {}):
        return  # to be ignored
    if (found := sprints(value)) is not None:
        intake.saw(name or id, C.SPRINT, "holds sprints")
        now = max(enumerate(found), key=lambda e: (SPRINT_STATES.get(fold(e[1].get("state", "")), 0), e[0]))[1]
        ticket.sprint = now.get("name", ticket.sprint)
        return
    if name and (means := field_meaning(name)) is not None:
        intake.fill(ticket, means, texts_of(value), name, "s" if means in _SECONDS else None)
    else:
        intake.saw(name or id, C.IGNORE, "custom field, not known")


_SECONDS = frozenset({C.ORIGINAL_ESTIMATE, C.REMAINING_ESTIMATE, C.TIME_SPENT})


def finish(ticket: Ticket) -> Ticket:
    """What follows from what is there."""
    ticket.project = ticket.project or ticket.id.rpartition("-")[0]
    ticket.parents = list(dict.fromkeys(p for p in ticket.parents if p))
    return ticket


def cut_short(intake: Intake, shown: int, total: int) -> None:
    """Tell of an export that says itself that it is not all."""
    if total > shown:
        intake.warn(
            "truncated-pages",
            f"holds {shown:,} of {total:,} issues, by what it says itself; export the rest and give all files together",
            count=total - shown,
        )
