"""Who is who: assignees of exports as people of the portfolio."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from throttle.ingest.identity import Group, Spelling, identities, spelling
from throttle.ingest.notes import Notes, some
from throttle.ingest.records import Resource, Share, Ticket
from throttle.ingest.values import fold, slug
from throttle.ingest.words import UNASSIGNED
from throttle.wording import plural
from throttle_models import Mapping, TeamFile

_WITH_ID = re.compile(r"(.+?)\s*\(([^()]+)\)$")
_WITH_MAIL = re.compile(r"\s*(.*?)\s*<([^<>]*)>\s*")


def name_and_account(text: str) -> tuple[str, str]:
    """``Ann Lee <ann@x.org>`` to (name, account): the account tells namesakes apart, and is never shown."""
    if m := _WITH_MAIL.fullmatch(text):
        return m[1].strip(' "') or m[2].partition("@")[0], m[2]
    return text.strip(), ""


MOST_ASKED = 20
"""Pairs that may be one person, in one message; the others are told when these are decided."""


class People:
    """Who is written in the files, as people with an id; the team file's aliases first, then the mapping's users.

    ``resources``: people of whom files say more, each with its file and system.
    """

    def __init__(
        self,
        tickets: Iterable[Ticket],
        mapping: Mapping,
        team: TeamFile,
        resources: Iterable[tuple[Resource, str, str]] = (),
    ) -> None:
        self.mapping = mapping
        self.names: dict[str, str] = {}
        """Person id to display name, in order of appearance."""
        self.labels: Counter[str] = Counter()
        """How the mapping names each assignee, and on how many tickets."""
        self.ids: dict[str, str] = {}
        """Label to person id."""
        self.nobody: Counter[str] = Counter()
        """Assignees that are no people, and on how many tickets."""
        self.namesakes: list[str] = []
        """Names that stand for several accounts."""
        self.united: list[tuple[str, str, str]] = []
        """Labels of two spellings that are taken as one person, and the evidence."""
        self.perhaps: list[tuple[str, str, str]] = []
        """A label, the id of the person that it may be, and what speaks for it."""
        self._aliases: dict[str, str] = {}
        for id, person in team.people.items():
            for alias in (*person.aliases, person.name, id):
                for word in (alias, spelling(alias).shown) if alias else ():
                    self._aliases.setdefault(fold(word), id)
        self._taken = set(team.people)
        self._called = {id: person.name for id, person in team.people.items()}
        self._claimed: set[str] = set()
        self._written: dict[_Key, Spelling] = {}
        self._who: dict[_Key, str] = {}
        named: dict[str, str] = {}
        counted: Counter[_Key] = Counter()
        for resource, file, system in resources:
            key = self._see(Share(resource.name, resource.account), file, system)
            if resource.id:
                named[self._written[key].name] = resource.id
        tickets = list(tickets)
        self.several_named = self._told_apart(tickets)
        """Cells that name several people without a separator that anybody declared."""
        for t in tickets:
            for share in assigned(t):
                if is_nobody(share):
                    self.nobody[share.name] += 1
                    continue
                counted[self._see(share, t.file, t.reader.system)] += 1
        labels = self._settle(named)
        for key, count in counted.items():
            self.labels[labels[self._written[key]]] += count

    def _told_apart(self, tickets: Iterable[Ticket]) -> list[str]:
        """Make crews of assignees such as ``Ann; Bob``. The ids of these tickets.

        A semicolon stands in no name. Other signs and words may (``Lee, Ann``): they separate where each piece is
        somebody who is also written alone, or is in the team file. What has an account is one person.
        """
        mixed = [t for t in tickets if not t.crew and not t.assignee_id and _SIGNS.search(t.assignee)]
        if not mixed:
            return []
        written = {t.assignee for t in tickets if t.assignee}
        alone = {fold(spelling(name).shown) for name in written if not _SIGNS.search(name)} | self._aliases.keys()
        found = []
        for t in mixed:
            if fold(t.assignee) in self._aliases or t.assignee in self.mapping.users:
                continue
            names: list[str] = []
            for part in filter(None, map(str.strip, t.assignee.split(";"))):
                pieces = [piece for p in _SIGNS.split(part) if (piece := p.strip())]
                known = all(fold(spelling(name_and_account(p)[0]).shown) in alone for p in pieces)
                turned = fold(spelling(part).shown) in alone  # Last, First
                names += pieces if len(pieces) > 1 and known and not turned else [part]
            shares = [Share(*name_and_account(name)) for name in dict.fromkeys(names) if fold(name) not in UNASSIGNED]
            if len(shares) > 1:
                t.crew = shares
                found.append(t.id)
        return found

    def _see(self, share: Share, file: str, system: str) -> _Key:
        key = _key(share, file, system)
        if key not in self._written:
            self._written[key] = spelling(*key)
        return key

    def _settle(self, named: dict[str, str]) -> dict[Spelling, str]:
        """Spellings to people, and people to ids; of namesakes the accounts decide, not the order of the rows.

        The label of each spelling.
        """
        found = identities(list(self._written.values()), self._stated)
        self._claimed = {group.said for group in found.groups if group.said is not None}
        same: dict[str, list[Group]] = {}
        for group in found.groups:
            same.setdefault(fold(group.best.shown), []).append(group)
        ids: dict[int, str] = {}
        spelt: dict[str, set[str]] = {}
        for groups in same.values():
            groups.sort(key=lambda group: sorted(one.account for one in group.spellings))
            for group in groups:
                ids[id(group)] = self._person(group, named, alone=len(groups) == 1)
                for one in group.spellings:
                    spelt.setdefault(one.label, set()).add(ids[id(group)])
        labels = {}
        for group in found.groups:
            for one in group.spellings:
                label = one.label
                if len(spelt[label]) > 1 and one.account:  # namesakes
                    label = f"{label} ({one.account.partition('@')[0]})"
                labels[one] = label
                self.ids.setdefault(label, ids[id(group)])
        of = {one: ids[id(group)] for group in found.groups for one in group.spellings}
        self._who = {key: of[one] for key, one in self._written.items()}
        accounts: dict[str, set[str]] = defaultdict(set)
        for group in found.groups:
            for one in group.spellings:
                if one.name and one.account:
                    accounts[fold(one.name)].add(ids[id(group)])
        self.namesakes = [name for name, several in accounts.items() if len(several) > 1]
        self.united = [(labels[match.other], labels[match.one], match.why) for match in found.united]
        self.perhaps = [
            (labels[two.best], ids[id(one)], why) if two.said is None else (labels[one.best], ids[id(two)], why)
            for one, two, why in found.perhaps
            if ids[id(one)] != ids[id(two)]
        ]
        return labels

    def spellings(self) -> list[tuple[Spelling, str]]:
        """Every way in which somebody is written, and the person."""
        return [(one, self._who[key]) for key, one in self._written.items()]

    def also_written(self) -> dict[str, tuple[str, ...]]:
        """Person id to the other ways in which the files write them, and their logins: whoever reads a newer file that
        has only one of these knows who it is. Not what could mean somebody else.
        """
        meant: dict[str, set[str]] = defaultdict(set)
        found: dict[str, dict[str, None]] = {}
        for key, one in self._written.items():
            id = self._who[key]
            name = fold(self.names.get(id) or self._called.get(id) or id)
            logins = sorted(login for login in one.logins if fold(login) not in name.split())
            for word in (one.label, *logins):
                meant[fold(word)].add(id)
                if fold(word) not in (name, fold(id)):
                    found.setdefault(id, {})[word] = None
        clear = {id: tuple(w for w in words if len(meant[fold(w)]) == 1) for id, words in found.items()}
        return {id: words for id, words in clear.items() if words}

    def tell(self, notes: Notes) -> None:
        """Who was taken as one person, who may be, and who is nobody."""
        if self.nobody:
            told = [f"{name!r} ({plural(count, 'item')})" for name, count in self.nobody.items()]
            notes.add(
                "info",
                "not-a-person",
                f"{plural(len(told), 'assignee is a program, a group', 'assignees are programs, groups')} or a "
                f"placeholder, and nobody; what nobody else is assigned to is planned as unassigned: {some(told)}; to "
                "say who does it, write in the team file work: {ID: {needs: [{who: NAME, effort: 8h}]}}",
                count=sum(self.nobody.values()),
            )
        if self.several_named:
            notes.add(
                "info",
                "several-assignees",
                f"{plural(len(self.several_named), 'item names', 'items name')} several people in one cell: "
                f"{some(self.several_named)}; where such a cell is one person, write in map.yaml under users: "
                "the cell, and an id",
                ids=self.several_named,
            )
        if self.united:
            told = [f"{one!r} is {other!r} ({why})" for one, other, why in self.united]
            notes.add(
                "info",
                "same-person",
                f"{plural(len(told), 'spelling is', 'spellings are')} taken as a person who is written otherwise too: "
                f"{some(told)}; to keep them apart, write in map.yaml under users: a person for each",
                ids=list(dict.fromkeys(self.ids[one] for one, _, _ in self.united)),
                count=len(told),
            )
        if self.perhaps:
            from throttle.documents import render_flow

            pairs = self.perhaps[:MOST_ASKED]
            told = [f"{label!r} and {id} ({why})" for label, id, why in pairs]
            more = len(self.perhaps) - len(pairs)
            notes.add(
                "warning",
                "maybe-same-person",
                f"{plural(len(self.perhaps), 'pair')} of people may be one person, and are taken "
                f"as two: {', '.join(told)}{f' and {more} more' if more else ''}; where they are, write in "
                f"map.yaml: {render_flow({'users': {label: id for label, id, _ in pairs}})[1:-1]}",
                ids=list(dict.fromkeys(id for _, id, _ in self.perhaps)),
                count=len(self.perhaps),
            )

    def of(self, ticket: Ticket) -> str | None:
        """The first assignee."""
        return next(iter(self.several(ticket)), None)

    def several(self, ticket: Ticket) -> tuple[str, ...]:
        """All assignees, each once."""
        file, system = ticket.file, ticket.reader.system
        return tuple(dict.fromkeys(self._who[_key(share, file, system)] for share in assignees(ticket)))

    def member(self, share: Share, file: str, system: str) -> str | None:
        """The person of one of a ticket's shares, or of a resource; None where nobody is named."""
        return self._who.get(_key(share, file, system)) if share.name or share.account else None

    def named(self, name: str) -> str | None:
        """The person of this name, alias, account or id, if there is just one."""
        word = fold(name)
        if (id := self._aliases.get(word)) is not None:
            return id
        wanted = {word, fold(spelling(name).shown)}
        found = {
            id
            for key, id in self._who.items()
            if {fold(text) for text in (key.name, key.account, self._written[key].shown) if text} & wanted
        } | {id for id, shown in self.names.items() if {fold(shown), fold(id)} & wanted}
        return next(iter(found)) if len(found) == 1 else None

    def _stated(self, one: Spelling) -> str | None:
        """The id that the mapping or the team file gives to a spelling."""
        spellings = [one.account, one.label, one.name, f"{one.name} ({one.account})"]
        if m := _WITH_ID.fullmatch(one.name):
            spellings += [m[2], m[1]]
        spellings += [one.shown, *sorted(one.mails), *sorted(one.logins)]
        users = self.mapping.users
        called = (f"{one.label} ({one.account.partition('@')[0]})", one.label, one.name)
        said = next((users[label].means for label in called if label in users), None)
        for spelt in ([said] if said else []) + spellings:
            if spelt and (id := self._aliases.get(fold(spelt))):
                return id
        return said

    def _person(self, group: Group, named: dict[str, str], alone: bool) -> str:
        best = group.best
        # of namesakes, what stands in brackets tells them apart
        shown = group.shown if alone or not _WITH_ID.fullmatch(best.name) else best.label
        if group.said is not None:
            if group.said not in self._taken:
                self.names.setdefault(group.said, shown)
            return group.said
        base = next((named[one.name] for one in group.spellings if one.name in named), "") or slug(shown) or "person"
        id, more = base, 2
        while True:
            known = self._aliases.get(fold(id))
            if known is not None and known not in self._claimed:  # the team file has it without another name
                self._claimed.add(known)
                return known
            if id not in self._taken:
                break
            id, more = f"{base}-{more}", more + 1
        self._taken.add(id)
        self.names[id] = shown
        return id


class _Key(NamedTuple):
    name: str
    account: str
    scope: str


def _key(share: Share, file: str, system: str) -> _Key:
    """A spelling where it is written; numbers that only tell namesakes of one file apart mean nothing beyond it."""
    return _Key(share.name, share.account, file if share.account.startswith("resource ") else system)


_SIGNS = re.compile(r"[;,&/+|\r\n]|\b(?:and|und|et|y|e)\b", re.IGNORECASE)
"""What may stand between the names of several people."""
_NOBODY = re.compile(r".*\[bot\]|\[[^\]]+\]\\.+|[\W_]+|tbd|tba|n\.? ?n\.?|to be (?:determined|assigned)", re.IGNORECASE)
"""Programs, groups (Azure DevOps writes ``[Project]\\Team``) and placeholders."""


def is_nobody(share: Share) -> bool:
    """Whether an assignee is no person."""
    return bool(_NOBODY.fullmatch(share.name))


def assignees(ticket: Ticket) -> list[Share]:
    """Everybody on a ticket, the first assignee first."""
    return [share for share in assigned(ticket) if not is_nobody(share)]


def assigned(ticket: Ticket) -> list[Share]:
    """Whatever a ticket is assigned to, the first assignee first."""
    if ticket.crew:
        return [share for share in ticket.crew if share.name or share.account]
    return [Share(ticket.assignee, ticket.assignee_id)] if ticket.assignee or ticket.assignee_id else []
