"""People under pseudonyms: the same one wherever a person is named, in the portfolio and in what is said of it.

Every text of both is searched, ids and tags included: for full names (first or last name first, with any signs between,
in any case, with or without accents), logins, e-mail addresses. Not found are first or last names alone, short logins
(two letters), and nicknames.
"""

# ruff: noqa: SIM905 - lists of words read better unquoted
from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from itertools import pairwise
from typing import Any, Literal, TypeVar, get_args, get_origin

from throttle.errors import InputError
from throttle.ingest.again import Stated
from throttle.ingest.identity import Spelling, spelling
from throttle.ingest.report import IngestReport
from throttle.ingest.values import fold
from throttle_models import Finding, Link, Model, Portfolio, TeamFile
from throttle_models.quantities import AsText

SOMEBODY = "someone"
"""Whoever is mentioned and does none of the work."""
_VERBATIM = frozenset(
    "zone holidays lag inferred currency reader system encoding encoding_why code level means".split()
)
"""Fields whose words are ours, or have a grammar."""
_PROSE = frozenset({"title"})
"""Where a name of one word counts only as names are written: ``I will`` is not Will."""
_ROLES = frozenset(
    """admin administrator anonymous api auto automation bot build ci default deploy dev devops export ghost github
    gitlab guest help helpdesk implementer import info integration it jira mail nobody noreply operations ops owner
    project qa root security service servicedesk servicenow someone support sysadmin system team test tester unknown
    user work""".split()
)
"""Accounts that are nobody's name."""
_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_MAIL = re.compile(r"[^\s@<>()\[\]\"',;:]+@[^\W_][\w-]*(?:\.[\w-]+)+")
_GAP = 3
"""Signs that may stand between the words of one name."""

_M = TypeVar("_M", bound=Model)


class Veil:
    """Names, logins and addresses to what stands for them, in any text."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], tuple[str, bool]] = {}
        """Words to what stands for them, and whether they are a name of one word."""
        self._lengths: dict[str, list[int]] = {}
        """First word to the numbers of words, the largest first."""
        self._mails: dict[str, str] = {}
        self._seen: dict[tuple[str, bool], str] = {}

    def add(self, one: Spelling, stand_in: str) -> None:
        """A spelling; what is known already stays."""
        self._seen.clear()
        for name in one.names_as_words():
            tokens = tuple(word for part in name for word in _TOKEN.findall(fold(part)))
            if len(tokens) < 2:
                continue
            first, last = tokens[0], tokens[-1]
            turned = (tokens, (last, *tokens[:-1]), (*tokens[1:], first), (first, last), (last, first))
            for words in (*turned, *((joined,) for w in turned if len(joined := "".join(w)) >= _JOINED)):
                self._put(words, stand_in)
            if len(last) > 1:
                self._put((first[0], last), stand_in)
        for mail in one.mails:
            self._mails.setdefault(mail, stand_in)
        for text in (*one.logins, *(mail.partition("@")[0] for mail in one.mails), one.account):
            self._login(text, stand_in)
        if not one.words and one.name and "@" not in one.name:
            tokens = tuple(_TOKEN.findall(fold(one.shown)))
            if len(tokens) == 1:
                self._put(tokens, stand_in, single=fold(one.shown) not in one.logins)

    def _login(self, text: str, stand_in: str) -> None:
        tokens = tuple(_TOKEN.findall(fold(text)))
        letters = sum(len(token) for token in tokens)
        if letters > 2 and any(token.isalpha() for token in tokens) and fold(text) not in _ROLES:
            self._put(tokens, stand_in)

    def _put(self, words: tuple[str, ...], stand_in: str, single: bool = False) -> None:
        before = self._known.get(words)
        self._known[words] = (stand_in, single) if before is None else (before[0], before[1] and single)
        lengths = self._lengths.setdefault(words[0], [])
        if len(words) not in lengths:
            lengths.append(len(words))
            lengths.sort(reverse=True)

    def __call__(self, text: str, prose: bool = False) -> str:
        key = (text, prose)
        if (found := self._seen.get(key)) is None:
            found = self._replaced(text, prose)
            if len(text) <= _REMEMBERED:
                self._seen[key] = found
        return found

    def _replaced(self, text: str, prose: bool) -> str:
        if "@" in text:
            text = _MAIL.sub(lambda m: self._address(m[0]), text)
        folded, places = _folded(text)
        tokens = list(_TOKEN.finditer(folded))
        parts: list[str] = []
        at = i = 0
        while i < len(tokens):
            length, stand_in = self._match(tokens, i, text, folded, places, prose)
            if not length:
                i += 1
                continue
            start, end = places[tokens[i].start()], places[tokens[i + length - 1].end()]
            parts += [text[at:start], stand_in, "-" if text[end : end + 1].isalnum() else ""]
            at, i = end, i + length
        return "".join((*parts, text[at:])) if parts else text

    def _match(
        self, tokens: list[re.Match[str]], i: int, text: str, folded: str, places: Any, prose: bool
    ) -> tuple[int, str]:
        for length in self._lengths.get(tokens[i][0], ()):
            found = tokens[i : i + length]
            words = tuple(m[0] for m in found)
            if words not in self._known:
                continue
            stand_in, single = self._known[words]
            if any(b.start() - a.end() > _GAP for a, b in pairwise(found)):
                continue
            if len(words) == 2 and len(words[0]) == 1 and folded[found[0].end() : found[0].end() + 1] not in (".", "_"):
                continue  # an initial has a point
            if single and prose and not text[places[found[0].start()]].isupper():
                continue
            return len(words), stand_in
        if i + 1 < len(tokens) and tokens[i + 1].start() - tokens[i].end() <= _GAP:  # a login of both names
            one, other = tokens[i][0], tokens[i + 1][0]
            for joined in (one + other, other + one) if len(one + other) >= _JOINED else ():
                if (joined,) in self._known:
                    return 2, self._known[joined,][0]
        return 0, ""

    def _address(self, mail: str) -> str:
        if (known := self._mails.get(mail.casefold().rstrip("."))) is not None:
            return known
        local = mail.partition("@")[0]
        hidden = self._replaced(local, False)
        return hidden if hidden != local else SOMEBODY


_JOINED = 6
"""Letters from which on a name written as one word is looked for: shorter ones are words."""
_REMEMBERED = 200


def _folded(text: str) -> tuple[str, Any]:
    """The text without case and accents, and where in the text each of its characters (and its end) is."""
    if text.isascii():
        return text.lower(), range(len(text) + 1)
    letters: list[str] = []
    places: list[int] = []
    for i, c in enumerate(text):
        for plain in unicodedata.normalize("NFKD", c).casefold():
            if not unicodedata.combining(plain):
                letters.append(plain)
                places.append(i)
    # a combining mark belongs to the letter before it
    places.append(len(text))
    return "".join(letters), places


@dataclass(frozen=True)
class Hidden:
    """What was read, without names of people."""

    portfolio: Portfolio
    report: IngestReport
    table: dict[str, str]
    """Person id to pseudonym."""
    walk: _Walk = field(repr=False)

    def links(self, onto: Mapping[str, tuple[Link, ...]]) -> dict[str, tuple[Link, ...]]:
        """Links by the id of the item that waits, with the same ids."""
        return {self.walk.of(id, ""): self.walk.of(links, "") for id, links in onto.items()}

    def stated(self, by_file: Mapping[str, Stated]) -> dict[str, Stated]:
        """What files say, with the same names of files and columns."""
        return {
            self.walk.of(file, ""): Stated(said.due, frozenset(self.walk.of(name, "") for name in said.links))
            for file, said in by_file.items()
        }


def pseudonymised(
    portfolio: Portfolio,
    report: IngestReport,
    known: Mapping[str, str],
    spellings: Iterable[tuple[Spelling, str]],
    crew: TeamFile,
    mentioned: Iterable[str],
    table_key: str,
) -> Hidden:
    """A portfolio and the account of it, without names of people.

    ``known``: pseudonyms of earlier imports, which stay. Whoever is new gets the next number, in order of the ids, so
    that the same files give the same pseudonyms. ``spellings``: all ways in which the files write somebody, with the
    person; ``mentioned``: names and logins of whoever is named in the files beside them, who become ``someone``.
    ``crew``: the team file, with its aliases; ``table_key``: what the portfolio is to remember of the table.
    """
    kept = set(known.values())
    real = [id for id, person in portfolio.people.items() if "name" not in person.inferred and id not in kept]
    table = {id: known[id] for id in real if id in known}
    taken = set(known.values()) | set(portfolio.people)
    number = 0
    for id in sorted(set(real) - table.keys()):
        number += 1
        while f"person-{number}" in taken:
            number += 1
        table[id] = f"person-{number}"
    veil = Veil()
    aliases = [(spelling(alias), id) for id, member in crew.people.items() for alias in member.aliases if alias]
    for one, id in (*spellings, *aliases):
        if id in table or id in kept:
            veil.add(one, table.get(id, id))
    for id, stand_in in table.items():
        if name := portfolio.people[id].name:
            veil.add(spelling(name), stand_in)
    everybody = dict(known) | table
    for id, stand_in in everybody.items():
        veil.add(spelling(id.replace("-", " ").title()), stand_in)
    for text in mentioned:
        veil.add(spelling(text), SOMEBODY)
    portfolio = _without_strangers(portfolio)
    walk = _Walk(veil, table, _identifiers(portfolio))
    hidden = walk.model(portfolio)
    hidden_ids = set(everybody.values())
    people = {
        id: person.model_copy(update={"name": ""}) if id in hidden_ids else person
        for id, person in hidden.people.items()
    }
    work = {
        id: item.model_copy(update={"source": item.source.model_copy(update={"assignee": None})})
        if item.source is not None and item.source.assignee is not None
        else item
        for id, item in hidden.work.items()
    }
    hidden = hidden.model_copy(update={"people": people, "work": work, "pseudonyms": table_key})
    findings = tuple(_ASIDE.get(f.code, _same)(f) for f in report.findings)
    return Hidden(hidden, walk.model(report.model_copy(update={"findings": findings})), everybody, walk)


def renamed(team: TeamFile, table: Mapping[str, str]) -> TeamFile:
    """A team file with the pseudonyms of people as their ids; names and ids become aliases."""
    people = {
        id: member.model_copy(update={"name": "", "aliases": (*member.aliases, *filter(None, (member.name, id)))})
        if id in table
        else member
        for id, member in team.people.items()
    }
    aliases = {table.get(id, id): member.aliases for id, member in people.items()}
    found = _Walk(Veil(), table, ()).model(team.model_copy(update={"people": people}))
    return found.model_copy(
        update={"people": {id: one.model_copy(update={"aliases": aliases[id]}) for id, one in found.people.items()}}
    )


def hidden_team(team: TeamFile, table: Mapping[str, str]) -> TeamFile:
    """A team file without names, for whoever only needs what it says of people by their ids."""
    veil = Veil()
    for id, member in team.people.items():
        for text in (*member.aliases, member.name, id.replace("-", " ").title()):
            if text:
                veil.add(spelling(text), table.get(id, SOMEBODY))
    people = {id: member.model_copy(update={"name": "", "aliases": ()}) for id, member in team.people.items()}
    ids = [key for part in (team.work, team.projects, team.teams, team.skills) for key in part]
    return _Walk(veil, table, ids).model(team.model_copy(update={"people": people}))


def with_known(crew: TeamFile, known: Mapping[str, str]) -> TeamFile:
    """A team whose people have pseudonyms already, as those whom the table knows."""
    people = dict(crew.people)
    for id, stand_in in known.items():
        if stand_in in people and id not in people:
            member = people[stand_in]
            people[stand_in] = member.model_copy(update={"aliases": (*member.aliases, id)})
    return crew.model_copy(update={"people": people})


def require_same_table(earlier: str, newer: str, asked: bool) -> None:
    """Raise InputError where a newer export would bring names back, or other pseudonyms.

    ``earlier``, ``newer``: what tells their tables from others; empty where there are names. ``asked``: whether the
    newer one is read under pseudonyms.
    """
    if earlier == (newer if asked else ""):
        return
    if not earlier:
        message = (
            "the earlier plan has the names of people: read the newer export without --pseudonymise and --pseudonyms, "
            "or plan anew from one that is read with them"
        )
    elif not asked:
        message = (
            "the earlier plan has pseudonyms, and the newer export has names: add --pseudonyms FILE, the file that "
            "throttle ingest --pseudonyms wrote; where none was kept, read the newer export with throttle ingest "
            "--pseudonyms FILE and plan anew"
        )
    else:
        message = (
            "the earlier plan has pseudonyms of another table: give with --pseudonyms the file that was written when "
            "its export was read"
        )
    raise InputError([Finding(level="error", code="other-pseudonyms", message=message)])


def _without_strangers(portfolio: Portfolio) -> Portfolio:
    """What was learned of people who are not here is not kept."""
    learned = portfolio.reading.defaults.learned
    if learned is None or not learned.people.keys() - portfolio.people.keys():
        return portfolio
    people = {id: known for id, known in learned.people.items() if id in portfolio.people}
    defaults = portfolio.reading.defaults.model_copy(update={"learned": learned.model_copy(update={"people": people})})
    return portfolio.model_copy(update={"reading": portfolio.reading.model_copy(update={"defaults": defaults})})


def key_of(known: Mapping[str, str], *contents: bytes) -> str:
    """What tells a table of pseudonyms from others, and nothing of what is in it: it depends on whole files."""
    return _digest(known, *contents)


def _digest(known: Mapping[str, str], *contents: bytes) -> str:
    found = hashlib.sha256(json.dumps(known, sort_keys=True).encode())
    for content in contents:
        found.update(hashlib.sha256(content).digest())
    return found.hexdigest()[:16]


def without_names(error: InputError, crew: TeamFile, mentioned: Iterable[str]) -> InputError:
    """The same error without the names."""
    names = [text for id, one in crew.people.items() for text in (id, one.name, *one.aliases) if text]
    veil = Veil()
    for text in (*names, *mentioned):
        veil.add(spelling(text), SOMEBODY)
    walk = _Walk(veil, {}, ())
    return InputError([walk.model(finding) for finding in error.findings])


def _same(finding: Finding) -> Finding:
    return finding


def _counted(what: str) -> Any:
    def told(finding: Finding) -> Finding:
        message = f"{what} ({finding.count}): which ones is told without --pseudonymise"
        return finding.model_copy(update={"message": message})

    return told


_ASIDE = {
    "same-person": _counted("spellings of people are taken as a person who is written otherwise too"),
    "maybe-same-person": _counted("pairs of people may be one person, and are taken as two"),
}
"""Findings that are about spellings."""


def _identifiers(portfolio: Portfolio) -> list[str]:
    """Every id of the portfolio, which must stay different from the others."""
    maps = (value for name in Portfolio.model_fields if isinstance(value := getattr(portfolio, name), dict))
    return list(dict.fromkeys(key for found in maps for key in found))


class _Walk:
    """A value with every text replaced; ids the same way everywhere, and no two of them by one."""

    def __init__(self, veil: Veil, table: Mapping[str, str], identifiers: Iterable[str]) -> None:
        self.veil = veil
        self.ids = dict(table)
        rest = [id for id in identifiers if id not in table]
        after = {id: veil(id) for id in rest}
        taken = {id for id in rest if after[id] == id} | set(table.values())
        for id in rest:
            if after[id] != id:
                new, more = after[id], 2
                while new in taken:
                    new, more = f"{after[id]}-{more}", more + 1
                taken.add(new)
                self.ids[id] = new

    def model(self, value: _M) -> _M:
        kept = _kept(type(value))
        update = {}
        for name, choices in kept.items():
            old = value.__dict__[name]
            if old is None or not old:
                continue
            if (new := self.of(old, name, choices)) is not old:
                update[name] = new
        return value.model_copy(update=update) if update else value

    def of(self, value: Any, name: str, choices: frozenset[str] = frozenset()) -> Any:
        """The value itself where nothing of it is replaced."""
        if isinstance(value, str):
            if isinstance(value, Enum) or value in choices:
                return value
            new = self.ids.get(value) or self.veil(value, name in _PROSE)
            return value if new == value else new
        if isinstance(value, Model):
            return value if isinstance(value, AsText) else self.model(value)
        if isinstance(value, tuple | list):
            several = [self.of(one, name, choices) for one in value]
            return value if all(a is b for a, b in zip(several, value, strict=True)) else type(value)(several)
        if isinstance(value, dict):
            pairs = {
                (k if k in choices else self.of(k, "")) if isinstance(k, str) else k: self.of(v, name, choices)
                for k, v in value.items()
            }
            same = all(a is b and pairs[a] is value[b] for a, b in zip(pairs, value, strict=True))
            return value if same else pairs
        return value


@cache
def _kept(model: type[Model]) -> dict[str, frozenset[str]]:
    """Fields of a model that may hold names, with the words among their values that are ours."""
    return {
        name: frozenset(_words(field.annotation)) for name, field in model.model_fields.items() if name not in _VERBATIM
    }


def _words(annotation: Any) -> Iterable[str]:
    if get_origin(annotation) is Literal:
        yield from (word for word in get_args(annotation) if isinstance(word, str))
    else:
        for inner in get_args(annotation):
            yield from _words(inner)
