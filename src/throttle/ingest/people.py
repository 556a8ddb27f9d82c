"""Who is who: assignees of exports as people of the portfolio."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from throttle.ingest.tickets import Ticket
from throttle.ingest.values import fold, slug
from throttle_models import Mapping, TeamFile

_WITH_ID = re.compile(r"(.+?)\s*\(([^()]+)\)$")


class People:
    """Assignees by account id, else by name; the team file's aliases first, then the mapping's users."""

    def __init__(self, tickets: Iterable[Ticket], mapping: Mapping, team: TeamFile) -> None:
        self.mapping = mapping
        self.names: dict[str, str] = {}
        """Person id to display name, in order of appearance."""
        self.labels: Counter[str] = Counter()
        """How the mapping names each assignee, and on how many tickets."""
        self.ids: dict[str, str] = {}
        """Label to person id."""
        self.namesakes: list[str] = []
        """Names that stand for several accounts."""
        self._aliases: dict[str, str] = {}
        for id, person in team.people.items():
            for alias in (*person.aliases, person.name, id):
                if alias:
                    self._aliases.setdefault(fold(alias), id)
        self._taken = set(team.people)
        accounts: dict[str, set[str]] = defaultdict(set)
        self._account: dict[tuple[str, str], str] = {}
        assigned = [t for t in tickets if t.assignee or t.assignee_id]
        for t in assigned:
            if t.assignee and t.assignee_id:
                accounts[fold(t.assignee)].add(t.assignee_id)
        self._accounts = accounts
        for t in assigned:
            key = self._key(t)
            label = self._label(t)
            self.labels[label] += 1
            if key not in self._account:
                self._account[key] = self.ids[label] = self._person(t, label)
        self.namesakes = [name for name, found in accounts.items() if len(found) > 1]

    def of(self, ticket: Ticket) -> str | None:
        return self._account[self._key(ticket)] if ticket.assignee or ticket.assignee_id else None

    def _key(self, t: Ticket) -> tuple[str, str]:
        name = fold(t.assignee)
        account = t.assignee_id
        if not account and len(self._accounts.get(name, ())) == 1:
            account = next(iter(self._accounts[name]))
        return ("account", account) if account else ("name", name)

    def _label(self, t: Ticket) -> str:
        if t.assignee_id and t.assignee and len(self._accounts[fold(t.assignee)]) > 1:
            return f"{t.assignee} ({t.assignee_id})"
        return t.assignee or t.assignee_id

    def _person(self, t: Ticket, label: str) -> str:
        spellings = [t.assignee_id, label, t.assignee]
        if m := _WITH_ID.fullmatch(t.assignee):
            spellings += [m[2], m[1]]
        said = self.mapping.users.get(label)
        for spelling in ([said.means] if said else []) + spellings:
            if spelling and (id := self._aliases.get(fold(spelling))):
                return id
        shown = t.assignee or t.assignee_id
        if "@" in shown:
            shown = shown.partition("@")[0]  # the address itself is not kept
        if said is not None:
            self.names.setdefault(said.means, shown)
            return said.means
        base = slug(shown) or "person"
        id, more = base, 2
        while id in self._taken:
            id, more = f"{base}-{more}", more + 1
        self._taken.add(id)
        self.names[id] = shown
        return id
