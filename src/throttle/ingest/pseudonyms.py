"""People under pseudonyms: the same one wherever a person is named, in the portfolio and in what is said of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from throttle.ingest.report import IngestReport
from throttle_models import Finding, Portfolio

_PEOPLE = frozenset({"who", "people", "person", "by", "drum", "reserve"})
"""Fields that hold ids of people, as a value, a list, or the keys of a map."""
_TEXTS = frozenset({"title", "why", "value", "override", "on_hold", "message", "reason", "about"})


def pseudonymised(
    portfolio: Portfolio, report: IngestReport, known: Mapping[str, str]
) -> tuple[Portfolio, IngestReport, dict[str, str]]:
    """Both without names of people, and the table of person id to pseudonym.

    ``known``: pseudonyms of earlier imports, which stay. Whoever is new gets the next number, in order of the ids, so
    that the same files give the same pseudonyms. Names of two words or more are replaced in titles as well.
    """
    real = [id for id, person in portfolio.people.items() if "name" not in person.inferred]
    table = {id: known[id] for id in real if id in known}
    taken = set(known.values()) | set(portfolio.people)
    number = 0
    for id in sorted(set(real) - table.keys()):
        number += 1
        while f"person-{number}" in taken:
            number += 1
        table[id] = f"person-{number}"
    names = {id: id for id in table}
    for id in table:
        shown = portfolio.people[id].name
        if shown:
            names.setdefault(shown, id)
    in_told = _replacer({name: table[id] for name, id in names.items()})
    in_titles = _replacer({name: table[id] for name, id in names.items() if len(name.split()) > 1})
    data = _walked(portfolio.model_dump(mode="json", by_alias=True, exclude_unset=True), table, in_told, in_titles)
    for new, person in data.get("people", {}).items():
        if new in table.values():
            person["name"] = ""
    for item in data.get("work", {}).values():
        if source := item.get("source"):
            source.pop("assignee", None)
    findings = tuple(_finding(finding, table, in_told) for finding in report.findings)
    return Portfolio.model_validate(data), report.model_copy(update={"findings": findings}), dict(known) | table


def _replacer(table: Mapping[str, str]) -> Callable[[str], str]:
    if not table:
        return lambda text: text
    longest = sorted(table, key=lambda name: (-len(name), name))
    pattern = re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, longest)) + r")(?![\w-])")
    return lambda text: pattern.sub(lambda found: table[found[0]], text)


def _walked(
    value: Any, table: Mapping[str, str], told: Callable[[str], str], titles: Callable[[str], str], key: str = ""
) -> Any:
    if isinstance(value, dict):
        named = key in _PEOPLE
        return {
            (table.get(k, k) if named else k): _walked(v, table, told, titles, k if not named else "")
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_walked(one, table, told, titles, key) for one in value]
    if not isinstance(value, str):
        return value
    if key in _PEOPLE:
        return table.get(value, value)
    if key == "title":
        return titles(value)
    return told(value) if key in _TEXTS else value


def _finding(finding: Finding, table: Mapping[str, str], told: Callable[[str], str]) -> Finding:
    ids = tuple(table.get(id, id) for id in finding.ids)
    return finding.model_copy(update={"message": told(finding.message), "ids": ids})
