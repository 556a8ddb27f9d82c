"""What a ticket's words mean: what a person wrote of them, else the export's evidence, else the well-known names."""

from __future__ import annotations

import re
from collections.abc import Mapping as Mapping_
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from throttle.ingest import words
from throttle.ingest.readers import Tracker
from throttle.ingest.records import Ticket, Tie
from throttle.ingest.values import fold
from throttle_models import ChangeKind, Mapping, Status, TeamFile, WorkType

DEFAULT_RATES = (8000.0, 4000.0, 2000.0, 1000.0, 500.0)
"""Cost of a week's delay by rank of priority, highest first: each rank counts twice the next."""
MEDIUM = 2

_KINDS = words.table(
    {
        ChangeKind.STANDARD: """standard, pre-approved, preapproved, pre approved, routine, standard change, estandar,
            vorab genehmigt, pre-approuve, padrao, pre-aprovado""",
        ChangeKind.NORMAL: """normal, comprehensive, major, minor, significant, expedited, normal change, normale""",
        ChangeKind.EMERGENCY: "emergency, emergency change, urgent, emergencia, notfall, urgence, emergente, urgente",
    }
)


_PERCENT = re.compile(r"(\d{1,3}(?:[.,]\d+)?) ?%")


@dataclass(frozen=True)
class Meanings:
    """The effective meaning of words; the same whether or not a mapping was given."""

    mapping: Mapping
    team: TeamFile

    def status(self, ticket: Ticket) -> tuple[Status, str]:
        """The item's status, and on what evidence."""
        status, why = self.base_status(ticket)
        if status is Status.DONE and self.is_cancelled(ticket):
            return Status.CANCELLED, f"{why}, and its resolution or name says that it was not done"
        return status, why

    def base_status(self, ticket: Ticket) -> tuple[Status, str]:
        """The status before resolutions such as Won't do are looked at."""
        said = self.mapping.statuses.get(ticket.status)
        if said is not None and said.means not in ("auto", Status.UNKNOWN):
            return Status(said.means), "the mapping"
        word = fold(ticket.status)
        if (category := words.CATEGORIES.get(fold(ticket.category))) is not None:
            return category, "status category"
        if (state := ticket.reader.states.get(word)) is not None:
            return state, f"state of {ticket.reader.system}"
        if self.is_resolved(ticket):
            return Status.DONE, "it has a resolution"
        if ticket.finished is not None:
            return Status.DONE, "it has a closing date"
        if (known := words.STATUSES.get(word)) is not None:
            return known, "well-known name"
        if (share := _PERCENT.fullmatch(word)) is not None:
            done = float(share[1].replace(",", "."))
            state = Status.DONE if done >= 100 else Status.IN_PROGRESS if done > 0 else Status.OPEN
            return state, "how much of it is complete"
        if ticket.active is False:
            return Status.DONE, "it is not active"
        if not word:
            return Status.OPEN, "the export says no status, resolution or closing date"
        return Status.UNKNOWN, "unknown name"

    def word(self, reader: Tracker, status: str) -> Status:
        """What a state alone means, as in a history."""
        return self.status(Ticket("", "", 0, reader, status=status))[0] if status else Status.UNKNOWN

    def words_of(self, tickets: Sequence[Ticket]) -> dict[str, Status]:
        """States that mean the same for every ticket that is in them now: what they meant in a history, too."""
        seen: dict[str, set[Status]] = {}
        for t in tickets:
            if t.status:
                seen.setdefault(t.status, set()).add(self.base_status(t)[0])
        return {word: next(iter(found)) for word, found in seen.items() if len(found) == 1}

    def times(self, ticket: Ticket, words: Mapping_[str, Status]) -> tuple[datetime | None, datetime | None]:
        """When it was first in progress, and since when it is done, by its history; None where that does not say.

        ``words``: what states mean, by :meth:`words_of`.
        """
        begun = over = None
        for step in ticket.history:
            if step.field != "status":
                continue
            after = words.get(step.after, Status.UNKNOWN)
            if after is Status.UNKNOWN:
                after = self.word(ticket.reader, step.after)
            if after is Status.IN_PROGRESS and begun is None:
                begun = step.at
            if after in (Status.DONE, Status.CANCELLED):
                over = over or step.at
            elif after is not Status.UNKNOWN:
                over = None
        return begun, over

    def is_resolved(self, ticket: Ticket) -> bool:
        word = fold(ticket.resolution)
        said = self.mapping.resolutions.get(ticket.resolution)
        if said is not None:
            return said.means in (Status.DONE, Status.CANCELLED)
        return bool(word) and word not in words.UNRESOLVED

    def is_cancelled(self, ticket: Ticket) -> bool:
        said = self.mapping.resolutions.get(ticket.resolution)
        if said is not None and said.means != "auto":
            return said.means is Status.CANCELLED
        by_map = self.mapping.statuses.get(ticket.status)
        free = by_map is None or by_map.means == "auto"
        if free and words.STATUSES.get(fold(ticket.status)) is Status.CANCELLED:
            return True
        return fold(ticket.resolution) in words.CANCELLED_RESOLUTIONS

    def type(self, name: str) -> WorkType | None:
        """None: that of the item that contains it."""
        said = self.mapping.types.get(name)
        if said is not None:
            return None if said.means == "parent" else WorkType(said.means)
        if fold(name) in words.SUBTASKS:
            return None
        return words.TYPES.get(fold(name), WorkType.PROJECT)

    def type_known(self, name: str) -> bool:
        return name in self.mapping.types or fold(name) in words.TYPES or fold(name) in words.SUBTASKS or not name

    def rate(self, priority: str) -> tuple[float, bool]:
        """Cost of a week's delay, and whether the priority was known."""
        place = words.rank(priority) if priority else None
        by_team = {fold(name): rate for name, rate in self.team.defaults.cost_of_delay.items()}
        if priority and fold(priority) in by_team:
            return by_team[fold(priority)], True
        said = self.mapping.priorities.get(priority)
        if place is None and said is not None:
            return said.means, True
        name = words.RANKS[MEDIUM if place is None else place]
        if name in by_team:
            return by_team[name], place is not None
        if said is not None:
            return said.means, True
        return DEFAULT_RATES[MEDIUM if place is None else place], place is not None

    def link(self, name: str) -> str | None:
        """``FS``, ``FS-reversed``, ... or ``relates``; None where the type is unknown."""
        said = self.mapping.link_types.get(name)
        return said.means if said is not None else words.link_meaning(name)

    def tie(self, tie: Tie) -> str | None:
        """The same of a link: what the mapping says of its kind, else its verbs, else the kind's well-known name."""
        if tie.kind and tie.type is None:
            return tie.meaning if tie.meaning and tie.kind not in self.mapping.link_types else self.link(tie.kind)
        return "FS"

    def change_kind(self, name: str) -> ChangeKind | None:
        return _KINDS.get(fold(name)) if name else ChangeKind.NORMAL
