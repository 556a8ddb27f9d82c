"""A portfolio with the changes of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import date, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from throttle.batch.read import merged
from throttle.calendars import as_of
from throttle.errors import InputError
from throttle.files import MEANT_NULL, portfolio_data, portfolio_of
from throttle_models import Days, Finding, Portfolio, Rota, When
from throttle_models.scenario import Absence, Disruption, Scenario

Data = dict[str, Any]

FOR_GOOD = timedelta(days=365 * 20)
"""No plan looks further ahead."""


def with_scenario(portfolio: Portfolio, scenario: Scenario, name: str) -> Portfolio:
    """Raises InputError where what it changes is not there, or the result is no sound portfolio."""
    try:
        data = portfolio_data(portfolio)
        for path in scenario.drop:
            dropped(data, path)
        data = merged(data, deepcopy(scenario.change))
        _drop_nulls(data, scenario.change)
        for path, value in scenario.set.items():
            _set(data, path, value)
        for section, field in _null_said(scenario):
            data.setdefault(section, {})[field] = None
        found = portfolio_of(data, name)
        found = with_absences(found, scenario.absent)
        found = with_disruptions(found, scenario.disruptions)
    except InputError as problem:
        told = [_named(f, name) for f in problem.findings]
        raise InputError(told) from None
    return found


def _named(finding: Finding, name: str) -> Finding:
    said = finding.message.removeprefix(f"{name}: ")
    return finding.model_copy(update={"message": f"scenario {name}: {said}", "file": None})


def _refused(code: str, message: str, *ids: str) -> InputError:
    return InputError([Finding(level="error", code=code, message=message, ids=ids)])


# --- changing data


def _drop_nulls(data: Data, change: Mapping[str, Any]) -> None:
    """Take out what the change says null of; a merged null would read as an empty entry."""
    for key, value in change.items():
        if value is None:
            data.pop(key, None)
        elif isinstance(value, dict) and isinstance(data.get(key), dict):
            _drop_nulls(data[key], value)


def _null_said(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Fields of which null is a value, and not their absence, that the scenario says null of."""
    for section, fields in MEANT_NULL.items():
        for field in fields:
            change = scenario.change.get(section)
            value = change.get(field, "") if isinstance(change, dict) else ""
            if scenario.set.get(f"{section}.{field}", value) is None:
                yield section, field


def need_comparable(portfolio: Portfolio, variant: Portfolio, name: str) -> None:
    """Raise InputError where costs of a scenario are in another currency, or are counted from another moment."""
    moment = "as_of" if portfolio.zone == variant.zone else "zone"
    for field, before, after, why in (
        ("currency", portfolio.currency, variant.currency, "costs in two currencies cannot be compared"),
        (moment, as_of(portfolio), as_of(variant), "costs that are counted from two moments cannot be compared"),
    ):
        if before != after:
            message = (
                f"the scenario {name} changes {field}: {why}; leave it out, or plan the portfolio with it and use "
                "throttle compare"
            )
            raise _refused("not-comparable", message)


NAMED = ("people", "teams", "projects", "work", "calendars", "windows", "environments", "boards", "rotas")
"""Sections whose entries have names that others refer to."""


def _set(data: Data, path: str, value: Any) -> None:
    """One field; ids may contain dots, so the longest name that is there is meant."""
    at: Any = data
    parts = path.split(".")
    section, id = parts[0], path.partition(".")[2]
    entries = data.get(section, {})
    if len(parts) > 2 and section in NAMED and not any(id == name or id.startswith(f"{name}.") for name in entries):
        message = f"set.{path}: there is no {section}.{parts[1]} in the portfolio; check the name, or add it by change"
        raise _refused("no-such-entry", message, parts[1])
    while True:
        if isinstance(at, list):
            key: Any = int(parts[0]) if parts[0].isdecimal() and int(parts[0]) < len(at) else None
            if key is None:
                raise _refused("no-such-field", f"set.{path}: there is no entry {parts[0]} in that list; count from 0")
            count = 1
        else:
            count = next((n for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in at), 1)
            key = ".".join(parts[:count])
        parts = parts[count:]
        if not parts:
            break
        inner = at[key] if isinstance(at, list) else at.setdefault(key, {})
        if not isinstance(inner, dict | list):
            at[key] = inner = {}
        at = inner
    if value is None:
        if isinstance(at, list):
            del at[key]
        else:
            at.pop(key, None)
    else:
        at[key] = value


def dropped(data: Data, path: str) -> None:
    """Take an entry out of a portfolio's data, with what is only about it. Raises InputError where there is none."""
    section, _, id = path.partition(".")
    entries = data.get(section)
    if not id or not isinstance(entries, dict) or id not in entries:
        raise _refused("no-such-entry", f"drop: there is no {path} in the portfolio; check the name", id)
    {"people": _drop_person, "work": _drop_work, "projects": _drop_project}.get(section, _drop_entry(section))(data, id)


def _drop_entry(section: str) -> Callable[[Data, str], None]:
    def drop(data: Data, id: str) -> None:
        del data[section][id]

    return drop


def _drop_project(data: Data, id: str) -> None:
    members = [item for item, about in data.get("work", {}).items() if about.get("project") == id]
    for item in members:
        if item in data["work"]:
            _drop_work(data, item)
    del data["projects"][id]
    _drop_overrides(data, {id})


def _drop_work(data: Data, id: str) -> None:
    work = data["work"]
    gone = {id}
    while True:
        more = {item for item, about in work.items() if about.get("parent") in gone} - gone
        if not more:
            break
        gone |= more
    for item in gone:
        del work[item]
    for about in work.values():
        if "after" in about:
            about["after"] = [k for k in about["after"] if (k if isinstance(k, str) else k["item"]) not in gone]
    for item in gone:
        data.get("planned", {}).pop(item, None)
    _drop_overrides(data, gone)


def _drop_overrides(data: Data, gone: set[str]) -> None:
    policy = data.get("policy", {})
    for name, field in (("pins", "work"), ("overrides", "item")):
        if name in policy:
            policy[name] = [entry for entry in policy[name] if entry[field] not in gone]


def _drop_person(data: Data, id: str) -> None:
    del data["people"][id]

    def without(entry: Data, field: str) -> None:
        if id in entry.get(field, ()):
            entry[field] = [p for p in entry[field] if p != id]

    for item, about in list(data.get("work", {}).items()):
        for need in about.get("needs", ()):
            without(need, "who")
            if not need.get("who", True) and need.get("skill") is None:
                raise _refused(
                    "nobody-left",
                    f"drop: {item} needs {id} and names no skill, so nobody could do it; say which skill it takes, or "
                    "write absent: instead",
                    item,
                )
    for name, rota in list(data.get("rotas", {}).items()):
        without(rota, "people")
        if not rota["people"]:
            del data["rotas"][name]
    policy = data.get("policy", {})
    for pin in policy.get("pins", ()):
        without(pin, "who")
    if "pins" in policy:
        kept = [p for p in policy["pins"] if p.get("who") or p.get("start") or p.get("window") or p.get("on")]
        policy["pins"] = kept
    if isinstance(policy.get("reserve"), dict):
        policy["reserve"].pop(id, None)
    if policy.get("drum") == id:
        del policy["drum"]
    for planned in data.get("planned", {}).values():
        without(planned, "who")


# --- people who are not there


def with_absences(portfolio: Portfolio, absences: Iterable[Absence]) -> Portfolio:
    """Those who are away for good keep their place in the portfolio, and no time; named work is open to others."""
    people, work, policy = dict(portfolio.people), dict(portfolio.work), portfolio.policy
    for absence in absences:
        person = absence.person
        if person not in people:
            raise _refused("unknown-person", f"absent: there is no {person} in the portfolio; check the name", person)
        first = _day(portfolio, absence.from_)
        length = FOR_GOOD if absence.for_ is None else absence.for_
        days = Days(first=first, last=first + timedelta(days=max(1, ceil(length / timedelta(days=1))) - 1))
        people[person] = people[person].model_copy(update={"away": (*people[person].away, days)})
        if absence.for_ is None:
            for id, item in work.items():
                if any(person in need.who for need in item.needs):
                    needs = tuple(
                        n.model_copy(update={"who": tuple(p for p in n.who if p != person)})
                        if person in n.who and (n.skill is not None or len(n.who) > 1)
                        else n
                        for n in item.needs
                    )
                    work[id] = item.model_copy(update={"needs": needs})
            pins = tuple(pin for pin in policy.pins if person not in pin.who)
            policy = policy.model_copy(update={"pins": pins})
    return portfolio.model_copy(update={"people": people, "work": work, "policy": policy})


def with_disruptions(portfolio: Portfolio, disruptions: Iterable[Disruption]) -> Portfolio:
    """Each as a duty of one turn of everyone whom it concerns."""
    rotas = dict(portfolio.rotas)
    for number, one in enumerate(disruptions, 1):
        chosen = [
            p
            for p, about in portfolio.people.items()
            if (one.team is None or about.team == one.team)
            and (one.skill is None or one.skill in about.skills)
            and (not one.people or p in one.people)
        ]
        if missing := [p for p in one.people if p not in portfolio.people]:
            message = f"disruptions.{number - 1}: there is no {missing[0]} in the portfolio; check the name"
            raise _refused("unknown-person", message, missing[0])
        if not chosen:
            message = f"disruptions.{number - 1}: takes the time of nobody; check team, skill and people"
            raise _refused("nobody", message)
        first = _day(portfolio, one.from_)
        for person in chosen:
            name = f"disruption-{number}-{person}"
            while name in rotas:
                name += "-"
            rotas[name] = Rota(people=(person,), first=first, every=one.for_, share=one.share, turns=1)
    return portfolio.model_copy(update={"rotas": rotas})


def _day(portfolio: Portfolio, when: When) -> date:
    zone = ZoneInfo(portfolio.zone)
    return when.resolve(as_of(portfolio), zone).astimezone(zone).date()
