"""Work that the portfolio asks for and nobody has written, worked out again; and those who verify a change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from throttle.check.clock import Clock
from throttle.check.kinds import Violations
from throttle_models import (
    Change,
    Inserted,
    InsertedItem,
    Link,
    LinkType,
    Need,
    Plan,
    Portfolio,
    RetestRule,
    Status,
    WorkItem,
    WorkType,
)

REMEMBERED = 28 * 86400
"""Seconds after its finish for which the work after a change that is done is still asked for."""
TOLD = ("status", "started", "finished", "on_hold", "not_before")
"""What a written item of the same id tells of an inserted one, besides what is left of its needs."""
PEOPLE = ("skill", "level", "who", "people")
NOTHING = timedelta(0)


@dataclass
class _Step:
    """Equal demands of the rules for one change."""

    spec: Inserted
    rules: list[str] = field(default_factory=list)
    behind: list[int] = field(default_factory=list)
    """Numbers of the steps that it waits for."""


class Expansion:
    """What a portfolio is planned as."""

    def __init__(self, written: Portfolio) -> None:
        self.written, self._clock = written, Clock(written.as_of, written.zone, written.slot)
        self.inserted: dict[str, InsertedItem] = {}
        self._known: dict[tuple[int, ...], dict[int, _Step]] = {}
        self.nobody: list[str] = []
        """Items that are to be verified, and on which nobody works."""
        work = dict(written.work)
        for name, item in written.work.items() if written.policy.rules else ():
            if item.change is not None or item.type is WorkType.CHANGE:
                self._insert(name, item, work)
        verified = [name for name, item in written.work.items() if item.verify is not None]
        for name in verified:
            if work[name].status not in (Status.DONE, Status.CANCELLED):
                work[name] = self._verified(name, work[name])
        self.portfolio = written.model_copy(update={"work": work}) if self.inserted or verified else written

    def check(self, plan: Plan, violations: Violations) -> None:
        """The plan tells just the work that is to be inserted."""
        for name, right in self.inserted.items():
            told = plan.inserted.get(name)
            if told is None:
                by = f"of {', '.join(right.names)} for {right.of}"
                violations.add("missing-inserted", [name, right.of], f"the plan does not tell {name}, because {by}")
            elif told != right:
                wrong = next(_differences(told, right), "item")
                message = f"the {wrong} of {name} is not what the portfolio asks for"
                violations.add("wrong-inserted", [name, right.of], message)
        for name in plan.inserted.keys() - self.inserted.keys():
            violations.add("unknown-inserted", [name], f"the plan inserts {name}, which the portfolio does not ask for")

    # retest rules

    def _insert(self, name: str, item: WorkItem, work: dict[str, WorkItem]) -> None:
        steps = self._steps(item)
        due = self._still_due(item)
        names: dict[int, str] = {}
        for number in sorted(steps, key=lambda n: steps[n].spec.lead is not None):  # stable: waits come last
            if steps[number].spec.side in due:
                names[number] = self._free_name(f"{name}~{_words(steps[number].spec.title)}")
                self.inserted[names[number]] = InsertedItem(item=WorkItem(), of=name)
        for number, own in names.items():
            spec = steps[number].spec
            before = spec.side == "before"
            links = [i for i in item.after if i.type in (LinkType.FS, LinkType.SS)] if before else [Link(item=name)]
            new = WorkItem(
                title=spec.title,
                type=item.type,
                project=item.project,
                parent=item.parent,
                on_hold=item.on_hold,
                needs=spec.needs,
                environment=spec.environment,
                wait=spec.lead,
                after=(*links, *(Link(item=names[other]) for other in steps[number].behind)),
            )
            new = self._as_told(own, new)
            work[own] = new
            self.inserted[own] = InsertedItem(item=new, of=name, side=spec.side, names=tuple(steps[number].rules))
            if before:
                work[name] = work[name].model_copy(update={"after": (*work[name].after, Link(item=own))})

    def _steps(self, item: WorkItem) -> dict[int, _Step]:
        """The different steps that the rules ask for, by number in the order of the rules."""
        matching = tuple(k for k, rule in enumerate(self.written.policy.rules) if self._matches(rule, item))
        if matching not in self._known:
            self._known[matching] = self._steps_of([self.written.policy.rules[k] for k in matching])
        return self._known[matching]

    def _steps_of(self, rules: list[RetestRule]) -> dict[int, _Step]:
        demands = [(rule, spec) for rule in rules for spec in rule.require]
        keys = [_key(spec) for _, spec in demands]
        number = {key: k for k, key in enumerate(dict.fromkeys(keys))}
        steps: dict[int, _Step] = {}
        for i, (rule, spec) in enumerate(demands):
            own = number[keys[i]]
            step = steps.setdefault(own, _Step(spec))
            if rule.name not in step.rules:
                step.rules.append(rule.name)
            if _amount(spec) > _amount(step.spec):
                step.spec = spec
            for j in range(i) if spec.lead is not None else ():
                listed, other = demands[j], number[keys[j]]
                comes_first = listed[1].lead is None or other < own
                if listed[0] is rule and listed[1].side == spec.side and comes_first and other not in step.behind:
                    step.behind.append(other)
        return steps

    def _matches(self, rule: RetestRule, item: WorkItem) -> bool:
        change, when = item.change or Change(), rule.when
        services = self.written.services
        asked: list[tuple[object, bool]] = [
            (when.services, any(s in when.services for s in change.services)),
            (when.tier, any(s in services and services[s].tier in when.tier for s in change.services)),
            (when.kind, change.kind in when.kind),
            (when.tags, any(tag in when.tags for tag in item.tags)),
        ]
        least = when.risk_at_least
        risky = least is None or (change.risk is not None and change.risk >= least)
        return risky and all(holds for named, holds in asked if named)

    def _still_due(self, item: WorkItem) -> tuple[str, ...]:
        if item.status is Status.OPEN:
            return ("before", "after")
        if item.status is Status.DONE and item.finished is not None:
            age = self._clock.after_as_of(NOTHING) - self._clock.moment(item.finished, end_of_day=True)
            return ("after",) if age <= REMEMBERED else ()
        return ("after",) if item.status in (Status.DONE, Status.IN_PROGRESS) else ()

    def _free_name(self, stem: str) -> str:
        if stem not in self.inserted:
            return stem
        number = 2
        while f"{stem}-{number}" in self.inserted:
            number += 1
        return f"{stem}-{number}"

    def _as_told(self, name: str, new: WorkItem) -> WorkItem:
        """With the progress that a written item of the same id tells."""
        told = self.written.work.get(name)
        if told is None:
            return new
        update: dict[str, Any] = {what: getattr(told, what) for what in TOLD}
        update["on_hold"] = update["on_hold"] or new.on_hold
        if len(told.needs) == len(new.needs):
            update["needs"] = tuple(
                need.model_copy(update={"remaining": left.remaining or need.remaining, "who": left.who or need.who})
                for need, left in zip(new.needs, told.needs, strict=True)
            )
        return new.model_copy(update=update)

    # verification

    def _verified(self, name: str, item: WorkItem) -> WorkItem:
        """Everyone, and a verifier who is none of them, until the longest need and the verification are done."""
        verify = item.verify
        if verify is None:
            return item
        implementers = verify.by == "implementer"
        if item.wait is not None or (not item.needs and (implementers or self._contains(name))):
            self.nobody.append(name)
            return item
        times = [_time(item, need) for need in item.needs]
        longest = max(times, default=NOTHING)
        needs = []
        for need, time in zip(item.needs, times, strict=True):
            gone = longest > NOTHING and time <= NOTHING
            needs.append(need.model_copy(update={"remaining": NOTHING if gone else None}))
        if not implementers:
            needs.append(Need(skill=verify.by))
        return item.model_copy(update={"needs": tuple(needs), "duration": longest + verify.for_})

    def _contains(self, name: str) -> bool:
        return any(other.parent == name for other in self.written.work.values())


def _time(item: WorkItem, need: Need) -> timedelta:
    """T of a need before it is rounded to slots."""
    if item.duration is not None:
        return item.duration if need.remaining is None else need.remaining
    effort = need.remaining if need.remaining is not None else need.effort.mean if need.effort else NOTHING
    return effort / (need.people * need.allocation)


def _key(spec: Inserted) -> tuple[object, ...]:
    """Demands with the same key are one step."""
    people = tuple(tuple(getattr(need, what) for what in PEOPLE) for need in spec.needs)
    return spec.side, spec.title, tuple(sorted(spec.environment.items())), spec.lead is None, people


def _amount(spec: Inserted) -> timedelta:
    if spec.lead is not None:
        return spec.lead
    total = NOTHING
    for need in spec.needs:
        total += need.remaining or (need.effort.mean if need.effort is not None else NOTHING)
    return total


def _words(title: str) -> str:
    letters = (c if c.isalnum() else "-" for c in title.lower())
    return "-".join(word for word in "".join(letters).split("-") if word) or "work"


def _differences(told: InsertedItem, right: InsertedItem) -> Iterator[str]:
    """Names of the fields that differ."""
    yield from (name for name in WorkItem.model_fields if getattr(told.item, name) != getattr(right.item, name))
    yield from (name for name in InsertedItem.model_fields if getattr(told, name) != getattr(right, name))
