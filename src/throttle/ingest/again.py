"""Newer exports read as the earlier ones were: what an earlier portfolio knows stands in for what is not given now."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from throttle.ingest.options import ReadOptions
from throttle_models import DEFAULT_CALENDAR, Mapping, Person, Portfolio, Reading, TeamFile, TeamPerson

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


def reading_of(mapping: Mapping, team: TeamFile, options: ReadOptions) -> Reading:
    """What a portfolio keeps of how it was read. Of pseudonyms: nothing that names people."""
    aliases = {id: person.aliases for id, person in team.people.items() if person.aliases}
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
