"""Who is who: assignees of exports as people of the portfolio."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from throttle.ingest.records import Resource, Share, Ticket
from throttle.ingest.values import fold, slug
from throttle_models import Mapping, TeamFile

_WITH_ID = re.compile(r"(.+?)\s*\(([^()]+)\)$")
_WITH_MAIL = re.compile(r"\s*(.*?)\s*<([^<>]*)>\s*")


def name_and_account(text: str) -> tuple[str, str]:
    """``Ann Lee <ann@x.org>`` to (name, account): the account tells namesakes apart, and is never shown."""
    if m := _WITH_MAIL.fullmatch(text):
        return m[1].strip(' "') or m[2].partition("@")[0], m[2]
    return text.strip(), ""


class People:
    """Assignees by account id, else by name; the team file's aliases first, then the mapping's users."""

    def __init__(
        self, tickets: Iterable[Ticket], mapping: Mapping, team: TeamFile, resources: Sequence[Resource] = ()
    ) -> None:
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
        named = [Share(r.name, r.account) for r in resources]
        self._said = {(r.name, r.account): r.id for r in resources if r.id}
        assigned = [share for t in tickets for share in assignees(t)]
        for who in (*named, *assigned):
            if who.name and who.account:
                accounts[fold(who.name)].add(who.account)
        self._accounts = accounts
        for who in (*named, *assigned):
            # of namesakes the accounts decide who gets which id, not the order of the rows
            spelt = sorted(accounts[fold(who.name)]) if who.name and self._key(who) not in self._account else ()
            for same in [Share(who.name, account) for account in spelt] or [who]:
                key, label = self._key(same), self._label(same)
                if key not in self._account:
                    self._account[key] = self.ids[label] = self._person(same, label)
            if (key := self._key(who)) not in self._account:
                self._account[key] = self.ids[self._label(who)] = self._person(who, self._label(who))
        for who in assigned:
            self.labels[self._label(who)] += 1
        self.namesakes = [name for name, found in accounts.items() if len(found) > 1]

    def of(self, ticket: Ticket) -> str | None:
        """The first assignee."""
        if not (ticket.assignee or ticket.assignee_id):
            return None
        return self._account[self._key(Share(ticket.assignee, ticket.assignee_id))]

    def several(self, ticket: Ticket) -> tuple[str, ...]:
        """All assignees, each once."""
        return tuple(dict.fromkeys(self._account[self._key(share)] for share in assignees(ticket)))

    def member(self, share: Share) -> str | None:
        """The person of one of a ticket's shares, or of a resource; None where nobody is named."""
        return self._account[self._key(share)] if share.name or share.account else None

    def named(self, name: str) -> str | None:
        """The person of this name, alias or id, if there is just one."""
        word = fold(name)
        if (id := self._aliases.get(word)) is not None:
            return id
        found = {id for (kind, key), id in self._account.items() if fold(key) == word} | {
            id for id, shown in self.names.items() if fold(shown) == word or fold(id) == word
        }
        return next(iter(found)) if len(found) == 1 else None

    def _key(self, who: Share) -> tuple[str, str]:
        name, account = fold(who.name), who.account
        if not account and len(self._accounts.get(name, ())) == 1:
            account = next(iter(self._accounts[name]))
        return ("account", account) if account else ("name", name)

    def _label(self, who: Share) -> str:
        if who.account and who.name and len(self._accounts[fold(who.name)]) > 1:
            return f"{who.name} ({who.account.partition('@')[0]})"
        return who.name or who.account.partition("@")[0]

    def _person(self, who: Share, label: str) -> str:
        spellings = [who.account, label, who.name, f"{who.name} ({who.account})"]
        if m := _WITH_ID.fullmatch(who.name):
            spellings += [m[2], m[1]]
        said = self.mapping.users.get(label)
        for spelling in ([said.means] if said else []) + spellings:
            if spelling and (id := self._aliases.get(fold(spelling))):
                return id
        shown = who.name or who.account
        if "@" in shown:
            shown = shown.partition("@")[0]  # the address itself is not kept
        if said is not None:
            self.names.setdefault(said.means, shown)
            return said.means
        base = self._said.get((who.name, who.account)) or slug(shown) or "person"
        id, more = base, 2
        while id in self._taken:
            id, more = f"{base}-{more}", more + 1
        self._taken.add(id)
        self.names[id] = shown
        return id


def assignees(ticket: Ticket) -> list[Share]:
    """Everybody on a ticket, the first assignee first."""
    if ticket.crew:
        return [share for share in ticket.crew if share.name or share.account]
    return [Share(ticket.assignee, ticket.assignee_id)] if ticket.assignee or ticket.assignee_id else []
