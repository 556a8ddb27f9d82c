"""What the exporters share: who works on what, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Protocol

from throttle.errors import InputError
from throttle_models import Finding, Plan, PlannedItem, Portfolio


class Writer(Protocol):
    def __call__(self, plan: Plan, portfolio: Portfolio, *, person: str | None = None) -> str | bytes:
        """The plan in the format, of one person (id, or name if only one has it) or of everyone.

        Equal plans give equal text or bytes. Raises InputError for a person who is not in the portfolio, for a name
        that several have, and where the plan has nothing that the format could say.
        """
        ...


@dataclass(frozen=True)
class Exporter:
    """One format: what writes it, and what others must know of it."""

    write: Writer
    suffix: str
    """Of its files, with the dot."""
    media: str
    """Its media type (RFC 6838)."""
    about: str
    """What it is for, in some words."""
    binary: bool = False
    """Whether it is bytes, which no terminal shows."""

    def __call__(self, plan: Plan, portfolio: Portfolio, *, person: str | None = None) -> str | bytes:
        """See :class:`Writer`."""
        return self.write(plan, portfolio, person=person)


@dataclass(frozen=True)
class Block:
    """Work of one person on one need of an item without a pause: [start, finish), UTC."""

    item: str
    person: str
    need: int
    number: int
    """Position among the assignment's blocks, from 0."""
    allocation: float
    start: datetime
    finish: datetime


def blocks(plan: Plan, person: str | None = None) -> list[Block]:
    """All blocks of work, of one person or of everyone, in the order of their starts."""
    found = [
        Block(item, given.person, given.need, number, given.allocation, first, last)
        for item, planned in plan.items.items()
        for given in planned.assignments
        if person in (None, given.person)
        for number, (first, last) in enumerate(given.work)
    ]
    return sorted(found, key=lambda b: (b.start, b.person, b.item, b.need))


def items_of(plan: Plan, person: str | None) -> Iterator[tuple[str, PlannedItem]]:
    """The scheduled items, or those that one person works on, in the order of their starts."""
    for key, planned in sorted(plan.items.items(), key=lambda pair: (pair[1].start, pair[0])):
        if person is None or any(given.person == person for given in planned.assignments):
            yield key, planned


def people_of(plan: Plan) -> list[str]:
    """Everyone who has work in the plan, by id, in alphabetical order."""
    return sorted({given.person for planned in plan.items.values() for given in planned.assignments})


def id_of(person: str | None, portfolio: Portfolio) -> str | None:
    """The id of a person who is given by id, or by a name that only one has; None stands for everyone.

    Raises InputError where nobody, or more than one, is meant.
    """
    if person is None or person in portfolio.people:
        return person
    word = person.strip().casefold()
    named = [id for id, known in portfolio.people.items() if known.name.strip().casefold() == word]
    if len(named) == 1:
        return named[0]
    if named:
        message = f"{person!r} is the name of {len(named)} people; give an id: {', '.join(named)}"
        raise InputError([Finding(level="error", code="ambiguous-person", message=message, ids=tuple(named))])
    names = [*portfolio.people, *(known.name for known in portfolio.people.values() if known.name)]
    nearest = get_close_matches(person, names, n=1)
    remedy = f"did you mean {nearest[0]!r}?" if nearest else "give an id or a name of people"
    message = f"{person!r} is nobody in this portfolio; {remedy}"
    raise InputError([Finding(level="error", code="unknown-person", message=message, ids=(person,))])


def title_of(item: str, portfolio: Portfolio) -> str:
    return portfolio.work[item].title if item in portfolio.work else ""


def project_of(item: str, portfolio: Portfolio) -> str | None:
    """The item's project, else that of its nearest ancestor that has one."""
    at: str | None = item
    while at is not None and at in portfolio.work:
        if portfolio.work[at].project is not None:
            return portfolio.work[at].project
        at = portfolio.work[at].parent
    return None
