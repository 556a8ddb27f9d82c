"""Newer exports read as the earlier ones were: what an earlier portfolio knows stands in for what is not given now."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from throttle.errors import InputError
from throttle.ingest.options import ReadOptions
from throttle_models import (
    DEFAULT_CALENDAR,
    Finding,
    Mapping,
    Person,
    Portfolio,
    Reading,
    TeamFile,
    TeamPerson,
    WorkItem,
)

_SECTIONS = ("calendars", "skills", "teams", "people", "rotas", "environments", "services", "windows", "boards")
MAPS = (*_SECTIONS, "projects", "work", "external")
"""Of a portfolio and of a team file: by id."""
_INFERRED_SKILL = "inferred:"


@dataclass(frozen=True)
class Known:
    """What an earlier portfolio knows of work, for links to what is not in the files."""

    portfolio: Portfolio | None = None
    names: dict[str, str] = field(default_factory=dict)
    """Id, or other id, of an item to its id; one that two items share is nobody's."""

    @classmethod
    def of(cls, portfolio: Portfolio | None) -> Known:
        if portfolio is None:
            return cls()
        names: dict[str, str] = {}
        shared: set[str] = set()
        for id, item in portfolio.work.items():
            other = item.source.other_id if item.source is not None else None
            if other is not None and names.setdefault(other, id) != id:
                shared.add(other)
        return cls(portfolio, {n: id for n, id in names.items() if n not in shared} | {i: i for i in portfolio.work})

    def whole(self, portfolio: Portfolio) -> Portfolio:
        """A newly read portfolio with all that it may refer to."""
        if self.portfolio is None:
            return portfolio
        update = {name: {**getattr(self.portfolio, name), **getattr(portfolio, name)} for name in MAPS}
        update["external"] = {id: stub for id, stub in update["external"].items() if id not in update["work"]}
        return portfolio.model_copy(update=update)


@dataclass(frozen=True)
class Stated:
    """What one file has a column or field for, so that a blank there is news."""

    due: bool = False
    links: frozenset[str] = frozenset()
    """The columns that hold links."""

    def says(self, origin: str | None) -> bool:
        """Whether a link that came from this column or field would still be in it."""
        return origin is not None and any(origin == name or origin.startswith(f"{name} (") for name in self.links)


def patched(old: WorkItem | None, said: dict[str, Any], where: str, path: str) -> WorkItem:
    """What a team file says of an item, field by field, over what is known of it. Raises InputError."""
    fields = said
    if old is not None:
        fields = merged(old.model_dump(mode="json", by_alias=True, exclude_unset=True), said)
        changed = {name.split(".")[0] for name in said}
        fields["inferred"] = [name for name in old.inferred if name.split(".")[0] not in changed]
        if said.get("wait") and "needs" not in said:
            fields.pop("needs", None)
    try:
        return WorkItem.model_validate(fields)
    except ValidationError as error:
        raise InputError([problem(e, where, path) for e in error.errors()]) from None


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The newer fields over the older; maps within are merged in turn."""
    both = dict(old)
    for name, value in new.items():
        before = both.get(name)
        both[name] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return both


def problem(error: Any, where: str, path: str | None = None) -> Finding:
    """What is wrong with an entry of a team file."""
    inner = ".".join(str(part) for part in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    return Finding(
        level="error",
        code="bad-team-file",
        message=f"{where}{f', {inner}' if inner else ''}: {message}",
        path=f"{path}.{inner}" if path else inner or None,
    )


def reading_of(
    mapping: Mapping, team: TeamFile, options: ReadOptions, spellings: dict[str, tuple[str, ...]] | None = None
) -> Reading:
    """What a portfolio keeps of how it was read. Of pseudonyms: nothing that names people.

    ``spellings``: other ways in which the files write a person, which a newer file may hold alone.
    """
    aliases = {id: person.aliases for id, person in team.people.items() if person.aliases}
    for id, written in (spellings or {}).items():
        aliases[id] = tuple(dict.fromkeys((*aliases.get(id, ()), *written)))
    if options.pseudonymise:
        aliases, mapping = {}, mapping.model_copy(update={"users": {}})
    said: dict[str, Any] = {
        "date_order": options.date_order, "encoding": options.encoding, "mapping": mapping,
        "defaults": team.defaults, "aliases": aliases, "work": team.work,
    }  # fmt: skip
    unsaid = Reading()
    return Reading(**{name: value for name, value in said.items() if value != getattr(unsaid, name)})


def read_again(
    earlier: Portfolio, mapping: Mapping | None, team: TeamFile | None, options: ReadOptions
) -> tuple[Mapping, TeamFile, ReadOptions]:
    """With what to read newer exports of what ``earlier`` was made of. What is given now counts before it."""
    kept = earlier.reading
    known = _zone_known(earlier)
    if known and options.zone is None and (team is None or team.zone is None):
        options = replace(options, zone=earlier.zone)
    options = replace(
        options, date_order=options.date_order or kept.date_order, encoding=options.encoding or kept.encoding
    )
    return _over(kept.mapping, mapping or Mapping()), _team(earlier, team or TeamFile()), options


def _zone_known(earlier: Portfolio) -> bool:
    """Whether anything said it, so that it was not assumed."""
    return not any(assumed.about == "zone" for assumed in earlier.assumptions)


def _over(old: Mapping, new: Mapping) -> Mapping:
    """Both mappings; the newer word counts."""
    update: dict[str, Any] = {
        name: {**getattr(old, name), **getattr(new, name)}
        for name in Mapping.model_fields
        if name not in ("throttle_map", "columns")
    }
    readers = dict.fromkeys((*old.columns, *new.columns))
    update["columns"] = {r: {**old.columns.get(r, {}), **new.columns.get(r, {})} for r in readers}
    return new.model_copy(update=update)


def _team(earlier: Portfolio, team: TeamFile) -> TeamFile:
    """The earlier portfolio as the team file that it was made with, and the one given now over it."""
    inferred = {skill for skill, why in earlier.skills.items() if why.startswith(_INFERRED_SKILL)}
    people = {
        id: _person(person, earlier.reading.aliases.get(id, ()), inferred)
        for id, person in earlier.people.items()
        if "name" not in person.inferred  # a placeholder, which is made again where it is needed
    }
    update: dict[str, Any] = {name: {**getattr(earlier, name), **getattr(team, name)} for name in _SECTIONS}
    update["skills"] = {s: why for s, why in update["skills"].items() if s not in inferred or s in team.skills}
    update["people"] = {**people, **team.people}
    update["projects"] = {**earlier.projects, **team.projects}
    if list(earlier.calendars.values()) == [DEFAULT_CALENDAR]:
        update["calendars"] = dict(team.calendars)  # nobody wrote that one
    update["work"] = {**earlier.reading.work, **team.work}
    update["zone"] = team.zone or (earlier.zone if _zone_known(earlier) else None)
    for name in ("slot", "currency", "freezes", "policy", "simulation", "defaults"):
        if name not in team.model_fields_set:
            update[name] = earlier.reading.defaults if name == "defaults" else getattr(earlier, name)
    if "defaults" in team.model_fields_set and team.defaults.learned is None:
        update["defaults"] = team.defaults.model_copy(update={"learned": earlier.reading.defaults.learned})
    return team.model_copy(update=update)


def _person(person: Person, aliases: tuple[str, ...], inferred: set[str]) -> TeamPerson:
    """As a team file would have them: what was inferred is inferred again, of what is in the files now."""
    said = {name: getattr(person, name) for name in person.model_fields_set if name not in person.inferred}
    if "skills" in person.inferred:
        said["skills"] = {skill: level for skill, level in person.skills.items() if skill not in inferred}
    said.pop("inferred", None)
    return TeamPerson(**said, aliases=aliases)
