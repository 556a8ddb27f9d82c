"""The same ticket in two systems: which ones are, and one ticket of them.

The rule: a column that means ``same_as`` (ServiceNow's ``correlation_id``, a custom field that a mapping names) holds
the id of the other, or the mapping says so under ``same``. Titles are never compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from throttle.ingest.notes import Notes, some
from throttle.ingest.records import Ticket
from throttle.wording import plural

_KEPT = ("id", "file", "row", "reader", "status", "category", "resolution", "active", "history", "version", "container")
"""What belongs together as the ticket's own: never taken over from another."""
_LISTS = ("labels", "components", "services", "skills")


def fill_blanks(ticket: Ticket, other: Ticket, names: Iterable[str] = Ticket.__slots__) -> None:
    """What the ticket does not say of these fields, from the other one."""
    for name in names:
        if name in _KEPT:
            continue
        mine = getattr(ticket, name)
        if name == "planned":
            ticket.planned = (mine[0] or other.planned[0], mine[1] or other.planned[1])
        elif mine is None or mine is False or mine in ("", []):
            setattr(ticket, name, getattr(other, name))


def same_tickets(tickets: Sequence[Ticket], said: Mapping[str, str], notes: Notes) -> dict[str, str]:
    """Ids of tickets that are another one, to that one's id; it takes over what it does not say itself.

    A change record goes before anything else, since its state decides when it may go in; else the one read first.
    """
    stated = {t.id: [*t.same_as, *((said[t.id],) if t.id in said else ())] for t in tickets}
    if not any(stated.values()):
        return {}
    by_name: dict[str, Ticket | None] = {}
    for t in tickets:
        for name in (t.id, *t.aliases):
            by_name[name] = t if by_name.get(name, t) is t else None
    leader: dict[str, str] = {}

    def first(id: str) -> str:
        while id in leader:
            id = leader[id]
        return id

    by_id = {t.id: t for t in tickets}
    unclear: list[str] = []
    groups: dict[str, list[Ticket]] = {}
    for t in tickets:
        for name in stated[t.id]:
            other = by_name.get(name)
            if other is None or other is t:
                continue
            one, two = first(t.id), first(other.id)
            if one == two:
                continue
            systems = [m.reader.system for id in (one, two) for m in groups.get(id, [by_id[id]])]
            if len(set(systems)) < len(systems):
                unclear.append(t.id)
                continue
            members = [m for id in (one, two) for m in groups.pop(id, [by_id[id]])]
            members.sort(key=lambda m: m.reader.default_type != "change")
            head = members[0].id
            groups[head] = members
            leader.update({id: head for id in (one, two) if id != head})
    if unclear:
        notes.add(
            "warning",
            "same-unclear",
            f"{plural(len(unclear), 'ticket')} would be one with another ticket of the same system; left apart: "
            f"{some(unclear)}",
            ids=unclear,
        )
    gone: dict[str, str] = {}
    for head, members in groups.items():
        mine = by_id[head]
        for other in members[1:]:
            gone[other.id] = head
            _join(mine, other)
    if gone:
        pairs = [f"{id} is {head}" for id, head in gone.items()]
        notes.add(
            "info",
            "same-ticket",
            f"{plural(len(gone), 'ticket is', 'tickets are')} in two systems, and planned once: {some(pairs)}",
            ids=list(gone),
        )
    return gone


def _join(mine: Ticket, other: Ticket) -> None:
    fill_blanks(mine, other)
    mine.aliases = list(dict.fromkeys([*mine.aliases, other.id, *other.aliases]))
    for name in _LISTS:
        setattr(mine, name, list(dict.fromkeys([*getattr(mine, name), *getattr(other, name)])))
    mine.parents = list(dict.fromkeys([*mine.parents, *other.parents]))
    mine.links = mine.links if mine.links is other.links else [*mine.links, *other.links]
    mine.history = sorted([*mine.history, *other.history], key=lambda step: step.at)
