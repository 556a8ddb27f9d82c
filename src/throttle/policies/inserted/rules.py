"""Retest rules: what a change that matches may not go without (docs/plan.md, Inserted work).

Regression tests what will be deployed, so work before a change waits for what the change itself waits for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from throttle.calendars import as_of
from throttle.graph import holders
from throttle.policies.inserted.draft import Insertions
from throttle_models import Change, Finding, Inserted, Link, LinkType, Portfolio, RetestRule, Status, WorkItem, WorkType

STILL_TO_DO = timedelta(weeks=4)
"""What comes after a change that was finished longer ago is taken as done."""

PLAIN_CHANGE = Change()


@dataclass(eq=False)
class _Step:
    """One piece of work that one change requires."""

    spec: Inserted
    names: list[str]
    place: int
    times: int = 1
    """How often it is asked for."""
    follows: list[_Step] = field(default_factory=list)

    @cached_property
    def item(self) -> WorkItem:
        """What is the same for all changes."""
        spec = self.spec
        return WorkItem(title=spec.title, needs=spec.needs, wait=spec.lead, environment=spec.environment)


def insert(draft: Insertions) -> None:
    """The work of all rules before and after each change that they match."""
    portfolio = draft.portfolio
    rules = portfolio.policy.rules
    if not rules:
        return
    matched = dict.fromkeys(range(len(rules)), 0)
    unknown: dict[str, list[str]] = {}
    twice: dict[tuple[tuple[str, ...], str], list[str]] = {}
    known: dict[tuple[int, ...], list[_Step]] = {}
    for id, item in portfolio.work.items():
        change = change_of(item)
        if change is None:
            continue
        asked = []
        for k, rule in enumerate(rules):
            if matches(rule, item, portfolio):
                matched[k] += 1
                asked.append(k)
            elif rule.when.risk_at_least is not None and change.risk is None:
                unknown.setdefault(rule.name, []).append(id)
        sides = _sides(item, portfolio)
        if asked and sides:
            key = tuple(asked)
            if key not in known:
                known[key] = _steps(rules[k] for k in key)
            steps = [step for step in known[key] if step.spec.side in sides]
            _around(draft, id, item, steps)
            for step in steps:
                if step.times > 1:
                    twice.setdefault((tuple(step.names), step.spec.title), []).append(id)
    draft.findings += [
        _info("rule-matches-nothing", f"rule {rules[k].name!r} of policy.rules matches no change: check its when:", ())
        for k, count in matched.items()
        if not count
    ]
    draft.findings += [
        _info("rule-risk-unknown", f"rule {name!r} asks for a risk, and {', '.join(ids[:5])} say none: add risk:", ids)
        for name, ids in unknown.items()
    ]
    draft.findings += [
        _info("required-twice", f"{title!r} is required twice ({', '.join(names)}): inserted once, the larger", ids)
        for (names, title), ids in twice.items()
    ]
    draft.findings += _never_met(portfolio)


def change_of(item: WorkItem) -> Change | None:
    """What makes an item a change; one of this type that says no more is a normal one."""
    return item.change or (PLAIN_CHANGE if item.type is WorkType.CHANGE else None)


def matches(rule: RetestRule, item: WorkItem, portfolio: Portfolio) -> bool:
    """Whether a change is all that a rule's ``when`` names."""
    when, change = rule.when, change_of(item)
    if change is None:
        return False
    tiers = {portfolio.services[name].tier for name in change.services if name in portfolio.services}
    return (
        (not when.services or not set(when.services).isdisjoint(change.services))
        and (not when.tier or not tiers.isdisjoint(when.tier))
        and (when.risk_at_least is None or (change.risk is not None and change.risk >= when.risk_at_least))
        and (not when.kind or change.kind in when.kind)
        and (not when.tags or not set(when.tags).isdisjoint(item.tags))
    )


def _sides(item: WorkItem, portfolio: Portfolio) -> tuple[str, ...]:
    """Which work of a change is still to come."""
    if item.status is Status.OPEN:
        return "before", "after"
    if item.status is Status.IN_PROGRESS:
        return ("after",)
    if item.status is not Status.DONE:
        return ()
    if item.finished is not None:
        now = as_of(portfolio)
        finished = item.finished.resolve(now, ZoneInfo(portfolio.zone), end_of_day=True)
        if now - finished > STILL_TO_DO:
            return ()
    return ("after",)


def _steps(rules: Iterable[RetestRule]) -> list[_Step]:
    """The work that rules require, each of it once."""
    found: list[_Step] = []
    for rule in rules:
        earlier: list[_Step] = []
        for spec in rule.require:
            step = next((same for same in found if _same(same.spec, spec)), None)
            if step is None:
                step = _Step(spec, [rule.name], len(found))
                found.append(step)
            else:
                step.times += 1
                step.names += [rule.name] if rule.name not in step.names else []
                if _size(spec) > _size(step.spec):
                    step.spec = spec
            if spec.lead is not None:
                # of two waits that rules list in different orders, the first one required comes first
                step.follows += [
                    other
                    for other in earlier
                    if other.spec.side == spec.side
                    and other not in step.follows
                    and (other.spec.lead is None or other.place < step.place)
                ]
            if step not in earlier:
                earlier.append(step)
    return found


def _same(one: Inserted, other: Inserted) -> bool:
    """Whether they are one piece of work: the same title, side, people and places."""
    return (
        (one.side, one.title, one.environment) == (other.side, other.title, other.environment)
        and (one.lead is None) == (other.lead is None)
        and _people(one) == _people(other)
    )


def _people(spec: Inserted) -> list[tuple[str | None, int, tuple[str, ...], int]]:
    return [(need.skill, need.level, need.who, need.people) for need in spec.needs]


def _size(spec: Inserted) -> timedelta:
    """Effort of all needs together, or the lead."""
    efforts = (need.remaining or (need.effort.mean if need.effort else timedelta()) for need in spec.needs)
    return spec.lead if spec.lead is not None else sum(efforts, timedelta())


def _around(draft: Insertions, id: str, change: WorkItem, steps: list[_Step]) -> None:
    """Insert the steps of one change and link it with them."""
    to_start = tuple(link for link in change.after if link.type in (LinkType.FS, LinkType.SS))
    # waits last, since they may follow any of the others
    ids: dict[_Step, str] = {}
    ordered = sorted(steps, key=lambda step: (step.spec.lead is not None, step.place))
    for step in ordered:
        spec = step.spec
        first = to_start if spec.side == "before" else (Link(item=id),)
        links = (*first, *(Link(item=ids[other]) for other in step.follows))
        item = step.item.model_copy(
            update={
                "type": change.type,
                "project": change.project,
                "parent": change.parent,
                "on_hold": change.on_hold,
                "after": links,
            }
        )
        ids[step] = draft.insert(spec.title, item, id, side=spec.side, names=tuple(step.names))
    before = tuple(Link(item=ids[step]) for step in ordered if step.spec.side == "before")
    if before:
        draft.change(id, after=(*change.after, *before))


def _never_met(portfolio: Portfolio) -> Iterable[Finding]:
    """Steps for which there are too few people or too little of an environment, whatever change they are for."""
    for rule in portfolio.policy.rules:
        for spec in rule.require:
            for need in spec.needs:
                able = len(holders(portfolio, need.skill, need.level, need.who))
                if able < need.people:
                    what = f"{need.skill} at level >= {need.level}" if need.skill else f"one of {', '.join(need.who)}"
                    yield _unmet(rule, spec, f"it takes {need.people} of {what}, and there are {able}")
            for name, amount in spec.environment.items():
                place = portfolio.environments.get(name)
                if place is not None and amount > place.capacity:
                    yield _unmet(rule, spec, f"it takes {amount} of {name}, which has {place.capacity}")


def _unmet(rule: RetestRule, spec: Inserted, why: str) -> Finding:
    message = f"{spec.title!r} of rule {rule.name!r} can never be done: {why}; its changes cannot be planned"
    return Finding(level="warning", code="rule-never-met", message=message)


def _info(code: str, message: str, ids: Iterable[str]) -> Finding:
    about = tuple(ids)
    return Finding(level="info", code=code, message=message, ids=about, count=max(1, len(about)))
