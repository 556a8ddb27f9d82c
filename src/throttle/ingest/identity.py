"""Which spellings of people are one person: strong evidence unites them, weak evidence is only told.

Trackers write a person as a name (``Ann Lee``, ``Lee, Ann``, ``Ann Lee [X]``), with a login (``Ann Lee (alee)``), as a
login or an address alone, or by an account that says nothing. Strong is: the same e-mail address, the same login, the
same name where nothing speaks against it, an address that spells the name out. Two people who are both there with a
login of their own are never one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from throttle.ingest.values import fold

_BRACKETS = re.compile(r"(.*?\S)\s*(?:\(([^()]*)\)|\[([^\[\]]*)\])$", re.DOTALL)
_MARKS = frozenset(
    {"x", "inactive", "inactivo", "inaktiv", "deaktiviert", "inactif", "desactive", "inativo", "deactivated"}
    | {"disabled", "unlicensed", "deleted", "archived", "former", "former user"}
)
"""What trackers write behind the name of somebody who has left."""
_LOGIN = re.compile(r"[^\W_][\w.$\\-]*")
_MAIL = re.compile(r"([^\s@<>()]+)@[^\s@<>()]+\.[^\s@<>()]+")
_WORD = re.compile(r"[^\W\d_]+")
_OPAQUE = re.compile(r"[0-9a-f]{16,}|[0-9a-f]{8}-[0-9a-f-]{20,}|[\d.-]+|.*:.*|.*\s.*", re.IGNORECASE)
"""Accounts that say nothing: hashes, numbers, ``712020:...``, ``resource 3``."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way in which a person is written, and where."""

    name: str
    account: str
    scope: str
    """Within which accounts that say nothing mean one person: the system, or the file."""
    shown: str
    """The name alone, first name first; else the login."""
    words: tuple[str, ...] = ()
    """Of the full name, folded, first name first; empty where it has fewer than two."""
    bracket: str = ""
    """Folded, where it is no login."""
    logins: frozenset[str] = frozenset()
    mails: frozenset[str] = frozenset()
    accounts: frozenset[tuple[str, str]] = frozenset()
    """With their scope."""

    def names_as_words(self) -> list[tuple[str, ...]]:
        """The full name, folded, and what an address or a login spells out."""
        spelt = (tuple(re.split(r"[._-]+", login)) for login in (*_locals(self.mails), *self.logins))
        return [*([self.words] if self.words else []), *(parts for parts in spelt if _spells(parts))]

    @property
    def label(self) -> str:
        """How messages and mappings call it: as it is written, without the address."""
        return _MAIL.sub(r"\1", self.name) or self.account.partition("@")[0]


def spelling(name: str, account: str = "", scope: str = "") -> Spelling:
    """What a name and an account tell of a person."""
    logins: set[str] = set()
    mails: set[str] = set()
    shown, bracket = name.strip(), ""
    while m := _BRACKETS.fullmatch(shown):
        inner = (m[2] if m[2] is not None else m[3]).strip()
        if fold(inner) not in _MARKS:
            if _is_mail(inner):
                mails.add(inner.casefold())
            elif _fits(inner, m[1]):
                logins.add(inner.casefold())
            else:
                bracket = fold(inner)
                break
        shown = m[1].strip()
    bare = _BRACKETS.fullmatch(shown)[1] if bracket else shown  # type: ignore[index]
    if _is_mail(shown):
        mails.add(shown.casefold())
        shown = bare = shown.partition("@")[0]
    family, comma, given = bare.partition(",")
    if comma and 0 < len(family.split()) <= 3 and 0 < len(given.split()) <= 3 and _named(family) and _named(given):
        bare = f"{given.strip()} {family.strip()}"
        shown = bare if not bracket else f"{bare} ({bracket})"
    words = tuple(fold(bare).split())
    if len(words) < 2 and _is_login(bare) and not _OPAQUE.fullmatch(bare) and not _is_mail(name.strip()):
        logins.add(bare.casefold())
    scoped: set[tuple[str, str]] = set()
    if _is_mail(account):
        mails.add(account.casefold())
    elif account:
        login = account.rpartition("\\")[2]
        if not _OPAQUE.fullmatch(account) and _LOGIN.fullmatch(login):
            logins.add(login.casefold())
        scoped.add((scope, account))
    return Spelling(
        name,
        account,
        scope,
        shown or account.partition("@")[0],
        words if len(words) > 1 else (),
        bracket,
        frozenset(logins),
        frozenset(mails),
        frozenset(scoped),
    )


def _is_mail(text: str) -> bool:
    before, at, after = text.partition("@")
    return bool(before and at and "." in after) and not any(c.isspace() for c in text)


def _named(text: str) -> bool:
    return all(any(c.isalpha() for c in word) and not any(c.isdigit() for c in word) for word in text.split())


def _is_login(text: str) -> bool:
    """Whether a word alone is a login rather than a name such as ``Will``."""
    return bool(_LOGIN.fullmatch(text)) and (not text[1:].islower() or text.islower())


def _fits(login: str, name: str) -> bool:
    """Whether what stands in brackets behind a name is a login: it has a number, or a piece of the name."""
    word = login.casefold().rpartition("\\")[2]
    if not _LOGIN.fullmatch(word) or word.isdigit():
        return False
    return any(c.isdigit() for c in word) or any(part[:3] in fold(word) for part in fold(name).split() if len(part) > 2)


@dataclass(slots=True)
class Group:
    """Spellings of one person."""

    spellings: list[Spelling] = field(default_factory=list)
    said: str | None = None
    """Their id, where the team file or the mapping says it."""
    logins: set[str] = field(default_factory=set)
    mails: set[str] = field(default_factory=set)
    accounts: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    names: set[tuple[str, ...]] = field(default_factory=set)

    def add(self, one: Spelling) -> None:
        self.spellings.append(one)
        self.logins |= one.logins
        self.mails |= one.mails
        for scope, account in one.accounts:
            self.accounts[scope].add(account)
        if one.words:
            self.names.add(one.words)

    @property
    def best(self) -> Spelling:
        """The spelling to show: a full name as people say it, before one that was turned or is a login."""
        return min(self.spellings, key=lambda s: (not s.words and _is_login(s.shown), bool(s.bracket), "," in s.name))

    @property
    def shown(self) -> str:
        """What to call them: the name as it is written, where it is always written so."""
        return self.best.label if len({fold(one.label) for one in self.spellings}) == 1 else self.best.shown

    def other_than(self, other: Group) -> bool:
        """Whether they cannot be one person: both are there with what only one of them can have."""
        if self.said is not None and other.said is not None:
            return self.said != other.said
        if any(
            self.accounts[scope].isdisjoint(other.accounts[scope]) for scope in self.accounts.keys() & other.accounts
        ):
            return True
        mine, theirs = self.logins | _locals(self.mails), other.logins | _locals(other.mails)
        if mine and theirs and mine.isdisjoint(theirs):
            return True
        return bool(self.mails and other.mails) and self.mails.isdisjoint(other.mails)

    def other_accounts(self, other: Group) -> bool:
        """Whether one system knows both, by different accounts."""
        shared = self.accounts.keys() & other.accounts.keys()
        return any(self.accounts[scope].isdisjoint(other.accounts[scope]) for scope in shared)

    def strangers(self, other: Group) -> bool:
        """Whether both have full names that share no word."""
        mine, theirs = ({word for name in names for word in name} for names in (self.names, other.names))
        return bool(mine and theirs) and mine.isdisjoint(theirs)


def _locals(mails: Iterable[str]) -> set[str]:
    return {mail.partition("@")[0] for mail in mails}


@dataclass(frozen=True, slots=True)
class Match:
    """Two spellings, and what speaks for one person."""

    one: Spelling
    other: Spelling
    why: str


@dataclass
class Identities:
    """Everybody who is written, as groups of spellings in the order of their first one."""

    groups: list[Group]
    united: list[Match]
    """What evidence has put together, but for spellings that only differ in an account that one of them lacks."""
    perhaps: list[tuple[Group, Group, str]]
    """Groups that may be one person, and why."""


def identities(spellings: Sequence[Spelling], said: Callable[[Spelling], str | None]) -> Identities:
    """Unite the spellings. ``said``: the id that a person has given to a spelling, before any evidence."""
    finder = _Finder(spellings, said)
    finder.unite()
    return Identities(finder.groups(), finder.united, finder.perhaps())


class _Finder:
    def __init__(self, spellings: Sequence[Spelling], said: Callable[[Spelling], str | None]) -> None:
        self.first: list[Group] = []
        """The groups before anything is united: by what is said, else by account within its scope, else alone."""
        self.united: list[Match] = []
        self.into: dict[int, Group] = {}
        stated: dict[str, Group] = {}
        scoped: dict[tuple[str, str], Group] = {}
        for one in spellings:
            id = said(one)
            known = stated.get(id) if id is not None else next((scoped[a] for a in one.accounts if a in scoped), None)
            if known is None:
                known = Group(said=id)
                self.first.append(known)
            known.add(one)
            if id is not None:
                stated[id] = known
            for account in one.accounts:
                scoped.setdefault(account, known)

    def of(self, group: Group) -> Group:
        while id(group) in self.into:
            group = self.into[id(group)]
        return group

    def groups(self) -> list[Group]:
        return [group for group in self.first if id(group) not in self.into]

    def unite(self) -> None:
        self._by(lambda g: g.mails, "the same e-mail address", _other_logins)
        self._by(lambda g: g.logins, "the same login", _differ)
        self._by(lambda g: [*g.logins, *_locals(g.mails)], "the login of the address", _differ)
        self._by(_called, "the same name", Group.other_than)
        self._by(_spelt, "the address or login spells the name", _both_named)

    def _by(self, keys: Callable[[Group], Iterable[object]], why: str, apart: Callable[[Group, Group], bool]) -> None:
        """Unite the groups that share a key, where no two of those that share it must stay apart."""
        found: dict[object, list[Group]] = {}
        for group in self.groups():
            for key in sorted(set(keys(group)), key=repr):  # not in hash order
                found.setdefault(key, []).append(group)
        for sharing in found.values():
            groups = list({id(g): g for g in map(self.of, sharing)}.values())
            if len(groups) < 2 or any(
                apart(a, b) or (a.said is not None and b.said is not None)
                for i, a in enumerate(groups) for b in groups[:i]
            ):  # fmt: skip
                continue
            head, *others = groups
            for other in others:
                self._join(head, other, why)

    def _join(self, head: Group, other: Group, why: str) -> None:
        one, two = head.best, other.best
        if not (fold(one.name) == fold(two.name) and (not one.account or not two.account)):
            self.united.append(Match(one, two, why))
        for spelt in other.spellings:
            head.add(spelt)
        head.said = head.said if head.said is not None else other.said
        self.into[id(other)] = head

    def perhaps(self) -> list[tuple[Group, Group, str]]:
        """Pairs with weak evidence, each once; but for equal names, what fits more than two groups fits none."""
        groups = self.groups()
        found: dict[tuple[int, int], str] = {}
        place = {id(group): i for i, group in enumerate(groups)}
        for keys, why in _WEAK:
            sharing: dict[object, list[Group]] = {}
            for group in groups:
                for key in sorted(set(keys(group)), key=repr):  # not in hash order
                    sharing.setdefault(key, []).append(group)
            for head, *others in sharing.values():
                for other in others if len(others) == 1 or keys is _names else ():
                    if not _certainly_two(head, other):
                        found.setdefault((place[id(head)], place[id(other)]), why)
        return [(groups[a], groups[b], why) for (a, b), why in sorted(found.items())]


def _called(group: Group) -> list[tuple[str, ...]]:
    return [
        (*(one.words or (fold(one.shown),)), one.bracket)
        for one in group.spellings
        if one.name and not _is_mail(one.name)
    ]


def _other_logins(one: Group, other: Group) -> bool:
    """With one address: two people where each has a login or an account of their own."""
    return bool(one.logins and other.logins and one.logins.isdisjoint(other.logins)) or one.other_accounts(other)


def _both_named(one: Group, other: Group) -> bool:
    """Two full names are for the rule on names."""
    return bool(one.names and other.names) or one.other_than(other)


def _differ(one: Group, other: Group) -> bool:
    """With one login: two people where their names, addresses or accounts in one system say so."""
    if one.strangers(other) or (one.said is not None and other.said is not None and one.said != other.said):
        return True
    if one.other_accounts(other):
        return True
    return bool(one.mails and other.mails) and one.mails.isdisjoint(other.mails)


def _certainly_two(one: Group, other: Group) -> bool:
    """What a person has said apart, and two accounts of one system, are nothing to ask about."""
    return (one.said is not None and other.said is not None) or one.other_accounts(other)


def _spelt(group: Group) -> list[tuple[str, ...]]:
    """The names of a group, and those that its addresses and logins spell out: ``ann.lee``."""
    return [tuple(sorted(map(fold, name))) for one in group.spellings for name in one.names_as_words()]


def _spells(parts: tuple[str, ...]) -> bool:
    return len(parts) > 1 and all(len(part) > 1 and part.isalpha() for part in parts)


def _short(group: Group) -> list[str]:
    """Logins as they are made of names (``alee``, ``annl``, ``leea``, ``annlee``), and those that are there."""
    found = {_letters(login) for login in (*group.logins, *_locals(group.mails))}
    for first, *_, last in group.names:
        a, b = _letters(first), _letters(last)
        found |= {a[:1] + b, a + b[:1], b + a[:1], b[:1] + a, a + b, b + a} if a and b else set()
    return sorted(login for login in found if len(login) > 3)


def _letters(text: str) -> str:
    return "".join(_WORD.findall(fold(text)))


def _names(group: Group) -> Iterable[tuple[str, ...]]:
    return sorted(group.names)


_WEAK: tuple[tuple[Callable[[Group], Iterable[object]], str], ...] = (
    (_names, "the same name, with other accounts"),
    (lambda g: [tuple(sorted(name)) for name in g.names], "the same name the other way round"),
    (lambda g: [(name[0], name[-1]) for name in g.names], "the same first and last name"),
    (_short, "a login like the name"),
    (lambda g: [fold(one.shown) for one in g.spellings if not one.words], "a login that is the name"),
)
