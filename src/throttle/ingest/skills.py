"""Which skill unassigned work needs, and who seems to hold it: whoever finished or holds such work."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from throttle.ingest.people import People
from throttle.ingest.records import Ticket
from throttle.ingest.values import fold, slug
from throttle_models import SkillRule, Status, TeamFile

_SYS_ID = re.compile(r"[0-9a-f]{32}")
RECENT = timedelta(weeks=26)
_WORDS = {
    "skill": "stated skill",
    "component": "component",
    "group": "assignment group",
    "team": "team",
    "project": "project",
    "type": "type",
}


@dataclass
class Needed:
    """A skill that unassigned work was found to need."""

    why: str
    items: list[str] = field(default_factory=list)
    holders: set[str] = field(default_factory=set)
    """Inferred; the team file's own are not here."""


class Skills:
    """Built from all tickets; asked for the unassigned open ones."""

    def __init__(
        self, tickets: Sequence[Ticket], status: dict[str, Status], people: People, team: TeamFile, as_of: datetime
    ) -> None:
        self.team = team
        self.needed: dict[str, Needed] = {}
        rules = team.defaults.skills
        self._rules: dict[str, dict[str, SkillRule]] = {
            kind: {fold(word): rule for word, rule in getattr(rules, kind).items()}
            for kind in ("component", "label", "group", "team", "type", "project")
        }
        self._declared = {*team.skills, *(skill for known in team.people.values() for skill in known.skills)}
        self._taught: dict[str, set[str]] = defaultdict(set)
        """Skill to those here who finished such work not long ago, as was learned."""
        for person, known in (team.defaults.learned.people if team.defaults.learned else {}).items():
            for skill, evidence in known.skills.items() if person in people.names else ():
                if not evidence.stale:
                    self._taught[skill].add(person)
        latest: dict[str, datetime] = {}
        done_by: dict[tuple[str, str], set[str]] = defaultdict(set)
        for t in tickets:
            if status[t.id] is Status.CANCELLED:
                continue
            moment = as_of if status[t.id] is not Status.DONE else t.finished or t.updated or as_of
            for person in people.several(t):
                latest[person] = max(latest.get(person, moment), moment)
                for kind, word in self._traits(t):
                    done_by[kind, fold(word)].add(person)
        self._done_by = {
            trait: {p for p in found if latest[p] >= as_of - RECENT} or found for trait, found in done_by.items()
        }

    def ruled(self, t: Ticket) -> SkillRule | None:
        """The skill that a rule of the team file asks for."""
        traits = list(self._traits(t))
        for kind, rules in self._rules.items():
            for word in t.labels if kind == "label" else [w for k, w in traits if k == kind]:
                if (rule := rules.get(fold(word))) is not None:
                    return rule
        return None

    def needed_by(self, t: Ticket) -> SkillRule:
        """The skill of an unassigned item."""
        traits = list(self._traits(t))
        if (rule := self.ruled(t)) is not None:
            if rule.skill not in self._declared:
                holders = {
                    p for kind, word in traits for p in self._done_by.get((kind, fold(word)), ()) if kind != "type"
                }
                self._note(rule.skill, t, "a rule of the team file", holders)
            return rule
        for kind, word in [*traits, *(("label", label) for label in t.labels)]:
            if kind != "type" and slug(word) in self._declared:
                return SkillRule(skill=slug(word))
        stated = [(kind, word) for kind, word in traits if kind == "skill"]
        chain = stated or [(kind, word) for kind, word in traits if kind != "type"] or [("type", t.type)]
        kind, word = next(((k, w) for k, w in chain if self._done_by.get((k, fold(w)))), chain[0])
        skill = f"{kind}-{word[:6]}" if _SYS_ID.fullmatch(word) else slug(word) or "work"
        if skill not in self._declared:
            found = self._done_by.get((kind, fold(word)), set())
            self._note(skill, t, f"{_WORDS[kind]} {' '.join(word.split())}", found)
        return SkillRule(skill=skill)

    def _note(self, skill: str, t: Ticket, why: str, holders: set[str]) -> None:
        needed = self.needed.setdefault(skill, Needed(why))
        needed.items.append(t.id)
        needed.holders |= holders | self._taught.get(skill, set())

    def _traits(self, t: Ticket) -> Iterator[tuple[str, str]]:
        for skill in t.skills:
            yield "skill", skill
        for component in t.components:
            yield "component", component
        if t.group:
            yield "group", t.group
        if t.team:
            yield "team", t.team
        if t.project:
            yield "project", t.project
        yield "type", t.type
